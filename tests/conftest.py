"""Fixtures for the tests of the built pages: the book as `make book` builds it, a server for it, a browser."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import twins
from browser import HTML, NO_NETWORK, serve
from chromium import SANDBOX, find_chromium

WEIGHTS = pytest.StashKey[dict]()


@pytest.fixture(scope="session")
def built():
    """The folder of the built book (already built pages are only brought up to date)."""
    program = Path(sys.executable).with_name("jupyter-book")
    command = [program, "build", ".", "--path-output", "book", "-W", "-n", "--keep-going"]
    environment = {name: value for name, value in os.environ.items() if name != "BOOK_URL"} | {"NO_COLOR": "1"}
    result = subprocess.run(command, cwd=HTML.parents[2], capture_output=True, text=True, env=environment)
    assert result.returncode == 0, result.stdout + result.stderr
    assert twins.main([]) == 0
    return HTML


@pytest.fixture(scope="module")
def browser():
    """Chromium without a network; closed before the notebooks run, whose kernels need the event loop."""
    from playwright.sync_api import sync_playwright

    program = find_chromium()
    if program is None:
        pytest.skip("needs Chromium: install it (Debian: apt-get install chromium) or name it in $CHROMIUM")
    with sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=program, args=[*SANDBOX, NO_NETWORK])
        yield started
        started.close()


@pytest.fixture(scope="module")
def site(built):
    """The address of a plain file server with the built book."""
    server = serve()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture
def weights(request):
    """Where a test leaves what a page weighs, to be printed at the end."""
    return request.config.stash.setdefault(WEIGHTS, {})


def pytest_terminal_summary(terminalreporter, config):
    weights = config.stash.get(WEIGHTS, {})
    if weights:
        terminalreporter.section("transferred per page, packed, before and with pictures (KB)")
    for name, (bare, whole) in sorted(weights.items(), key=lambda item: -item[1][1]):
        terminalreporter.line(f"{bare / 1000:6.0f} {whole / 1000:6.0f}  {name}")
