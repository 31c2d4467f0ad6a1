"""The wheel as a stranger installs it: without extras, into an environment that has only what it asks for."""

import re
import subprocess
import sys
import zipfile
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

pytestmark = pytest.mark.slow  # it trains, builds or starts other programs

ROOT = Path(__file__).resolve().parents[2]
OPTIONAL = ("matplotlib", "sklearn", "anywidget", "pooch", "PIL", "torchvision", "scipy")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Built without a network, from a copy without leftovers of earlier builds."""
    folder = tmp_path_factory.mktemp("wheel")
    tracked = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "vaelib", "pyproject.toml", "LICENSE"],
                             cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()  # fmt: skip
    for name in tracked:
        if (ROOT / name).exists():
            (folder / "source" / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / "source" / name).write_bytes((ROOT / name).read_bytes())
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*command, "--wheel-dir", folder, folder / "source"], check=True, capture_output=True, timeout=120)
    (found,) = folder.glob("vaelib-*.whl")
    return found


@pytest.fixture(scope="module")
def empty_environment(wheel, tmp_path_factory):
    """A folder with the wheel, unpacked, and links to what its core needs, directly or not: nothing else."""
    folder = tmp_path_factory.mktemp("environment")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
        (metadata,) = (name for name in archive.namelist() if name.endswith("METADATA"))
        needs = re.findall(r"^Requires-Dist: (.*)$", archive.read(metadata).decode(), re.MULTILINE)
    for name in core(needs):
        for path in distribution(name).files or []:
            if (top := path.parts[0]) not in ("..", "__pycache__", "bin") and not (folder / top).exists():
                (folder / top).symlink_to(distribution(name).locate_file(top))
    return folder


def core(needs):
    """The names of all distributions that these requirements bring along, extras left out."""
    found, todo = [], list(needs)
    while todo:
        requirement = Requirement(todo.pop())
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            try:
                more = distribution(requirement.name).requires or []
            except PackageNotFoundError:  # of another platform
                continue
            if requirement.name not in found:
                found.append(requirement.name)
                todo += more
    return found


def run(folder, code, **options):
    """Python that sees this folder and its own library alone."""
    path = f"import sys; sys.path = [{str(folder)!r}] + [p for p in sys.path if 'site-packages' not in p]\n"
    command = [sys.executable, "-I", "-S", "-c", path + code]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=300, **options)


def test_the_wheel_holds_every_file_of_the_library(wheel):
    packed = set(zipfile.ZipFile(wheel).namelist())
    ours = {path.relative_to(ROOT).as_posix() for path in (ROOT / "vaelib").rglob("*")}
    ours = {name for name in ours if Path(name).suffix in (".py", ".js", ".npz", ".npy") or name.endswith("py.typed")}
    named = {"vaelib/widgets/kl.js", "vaelib/faces/_hair.py", "vaelib/stored/faces.npz", "vaelib/stored/digits.npz"}
    assert ours - packed == set() and named <= packed


def test_the_metadata_survive_a_package_index(wheel):
    """No picture or link that leads nowhere outside the repository, and a licence, types and a description."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith("METADATA"))
        text = archive.read(name).decode()
    assert "Description-Content-Type: text/markdown" in text and "# vaelib" in text and "Summary: " in text
    assert re.findall(r"\]\((?!https://)", text) == [] and "<img" not in text


def test_the_core_trains_a_vae_of_the_readers_own_without_extras(empty_environment):
    """The ten lines with which the reference page and the package's page begin."""
    (lines,) = re.findall(
        r"```python\n(.*?)```", (ROOT / "vaelib" / "README.md").read_text(encoding="utf-8"), re.DOTALL
    )
    absent = f"from importlib.util import find_spec\nassert not any(map(find_spec, {OPTIONAL}))\n"
    last = "\nassert history.train[-1] < history.train[0] and pictures.shape == (16, 1, 16, 16)"
    done = run(empty_environment, absent + lines + last, env={"VAELIB_PROGRESS": "0"})
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"negative ELBO, nats per picture: \d+ at first, \d+ at last\n", done.stdout)


@pytest.mark.parametrize(
    ("code", "package", "extra"),
    [
        ("from vaelib.plots import new_figure; new_figure()", "matplotlib", "figures"),
        ("from vaelib.widgets import kl_figure; kl_figure()", "anywidget", "figures"),
        ("from vaelib.data import load; load('digits28')", "sklearn", "data"),
    ],
)
def test_a_missing_extra_says_how_to_get_it(empty_environment, code, package, extra):
    done = run(empty_environment, code)
    assert done.stderr.endswith(f"{package} is needed here and not installed: pip install 'vaelib[{extra}]'\n")
