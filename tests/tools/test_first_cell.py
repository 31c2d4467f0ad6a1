"""The cell that every chapter starts with: nothing outside Colab, vaelib inside, and a message when that fails."""

import importlib.util
import os
import subprocess
import sys
import types

import publish
import pytest

pytestmark = pytest.mark.slow  # it trains, builds or starts other programs

VERSION = "0" * 40


def run(url, version=VERSION):
    exec(publish.first_cell(url, version), {})


@pytest.fixture
def pip(monkeypatch):
    """Records what would be installed, in the place of pip."""
    calls = []

    def record(command, **options):
        calls.append(command)
        return types.SimpleNamespace(returncode=0, stderr="")

    monkeypatch.setattr(subprocess, "run", record)
    return calls


@pytest.fixture
def colab(monkeypatch):
    monkeypatch.setitem(sys.modules, "google.colab", types.ModuleType("google.colab"))


@pytest.fixture
def no_vaelib(monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "vaelib" else found(name))


def test_outside_colab_nothing_happens(pip, no_vaelib, capsys):
    run("")
    run("https://github.com/someone/a-book")
    assert pip == [] and capsys.readouterr() == ("", "")


def test_in_colab_nothing_happens_when_vaelib_is_there(pip, colab):
    run("")
    run("https://github.com/someone/a-book")
    assert pip == []


def test_without_an_address_the_message_says_what_to_do(pip, colab, no_vaelib):
    with pytest.raises(
        RuntimeError, match=r"%pip install --no-deps git\+https://github.com/OWNER/NAME\n.*\n.*make publ"
    ):
        run("")
    assert pip == []


def test_only_vaelib_is_installed_from_the_stamped_commit(pip, colab, no_vaelib, capsys):
    run("https://github.com/someone/a-book")
    (command,) = pip
    assert command[1:4] == ["-m", "pip", "install"] and "--no-deps" in command and "--upgrade" not in command
    assert command[-1] == f"git+https://github.com/someone/a-book@{VERSION}"
    assert capsys.readouterr() == ("", "")


def test_no_name_is_left_behind_that_a_chapter_could_lean_on():
    names = {}
    exec(publish.first_cell("", ""), names)
    assert set(names) == {"__builtins__", "install_vaelib"}


@pytest.fixture
def repository(tmp_path):
    """A bare repository with a package called vaelib, and its only commit."""
    work, bare = tmp_path / "work", tmp_path / "bare.git"
    (work / "vaelib").mkdir(parents=True)
    (work / "vaelib" / "__init__.py").write_text("answer = 42\n", encoding="utf-8")
    project = '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
    project += '[project]\nname = "vaelib"\nversion = "7"\ndependencies = ["no-such-package-anywhere"]\n'
    (work / "pyproject.toml").write_text(project, encoding="utf-8")
    names = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    for arguments in (["init", "-q"], ["add", "-A"], [*names, "commit", "-q", "-m", "All"]):
        subprocess.run(["git", "-C", str(work), *arguments], check=True)
    subprocess.run(["git", "clone", "-q", "--bare", str(work), str(bare)], check=True)
    return bare, publish.git(bare, "rev-parse", "HEAD").stdout.strip()


def test_pip_installs_it_from_a_bare_repository(repository, colab, no_vaelib, monkeypatch, tmp_path, capfd):
    bare, head = repository
    monkeypatch.setenv("PIP_TARGET", str(tmp_path / "site"))
    monkeypatch.setenv("PIP_NO_BUILD_ISOLATION", "0")  # offline: build with the setuptools that is here
    run(f"file://{bare}", head)
    assert capfd.readouterr() == ("", "")
    code = "import vaelib; print(vaelib.answer)"
    environment = os.environ | {"PYTHONPATH": str(tmp_path / "site")}
    assert subprocess.check_output([sys.executable, "-c", code], env=environment, cwd=tmp_path, text=True) == "42\n"


def test_a_failure_shows_what_pip_says(repository, colab, no_vaelib):
    bare, _ = repository
    with pytest.raises(RuntimeError, match=rf"(?s)could not .* from git\+file://.*@{VERSION}:\n.*{VERSION}"):
        run(f"file://{bare}")
