"""Settings for every test, and for the kernels that run the chapters: they inherit this environment."""

import os

import pytest

os.environ["VAELIB_PROGRESS"] = "0"  # a progress bar in an output would differ from run to run
if os.environ.get("VAELIB_DATA"):  # chapters run in book/, where a relative path would lead elsewhere
    os.environ["VAELIB_DATA"] = os.path.abspath(os.environ["VAELIB_DATA"])


def pytest_collection_modifyitems(items):
    """Mark what needs the built book or a browser; skip what is marked `gpu` where there is no CUDA device."""
    for item in items:
        fixtures = getattr(item, "fixturenames", ())
        if "browser" in fixtures:
            item.add_marker(pytest.mark.browser)
        elif "built" in fixtures:
            item.add_marker(pytest.mark.slow)
    marked = [item for item in items if item.get_closest_marker("gpu")]
    if marked and not _has_cuda():
        for item in marked:
            item.add_marker(pytest.mark.skip(reason="needs a CUDA device"))


def pytest_sessionfinish(session):
    """A skipped test is a promise not kept: only a missing GPU excuses it; outside CI a missing browser or data set."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", [])
    excuses = ("needs a CUDA device", *(() if os.environ.get("CI") else ("needs Chromium", "needs MNIST")))
    others = [r.nodeid for r in skipped if not any(excuse in str(r.longrepr) for excuse in excuses)]
    unseen = sum("needs Chromium" in str(r.longrepr) for r in skipped)
    if unseen:
        reporter.write_line(f"{unseen} TESTS OF THE PAGES DID NOT RUN: there is no Chromium", red=True)
    if others:
        reporter.write_line(f"skipped without need: {', '.join(others)}", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _has_cuda():
    import torch  # a second or two, spent only when a test asks for a GPU

    return torch.cuda.is_available()
