"""`make colab-test`: its versions are such as vaelib accepts, and it notices what it is there to notice."""

import json
import runpy
import subprocess
import tomllib
from pathlib import Path

import execute
import publish
import pytest
from nbformat import reads
from notebook_parts import code_cells
from packaging.requirements import Requirement
from small_notebooks import good

ROOT = Path(__file__).resolve().parents[2]
LISTS = sorted((ROOT / "tools" / "colab").glob("python*.txt"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
NEEDED = [*PROJECT["dependencies"], *EXTRAS["data"], *EXTRAS["figures"]]


def wanted(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    return {r.name: r for r in (Requirement(line) for line in lines if not line.startswith("#"))}


def test_the_oldest_and_the_newest_are_there():
    assert [path.stem for path in LISTS] == ["python3.11", "python3.13"]


@pytest.mark.parametrize("path", LISTS, ids=lambda path: path.stem)
def test_every_dependency_is_installed_in_a_version_that_vaelib_accepts(path):
    found = wanted(path)
    for needed in map(Requirement, NEEDED):
        pins = [spec.version for spec in found[needed.name].specifier if spec.operator == "=="]
        assert all(pin in needed.specifier for pin in pins), f"{needed} refuses {path.name}"
    assert path.stem.removeprefix("python") in Requirement(f"python{PROJECT['requires-python']}").specifier


def test_the_library_sets_lower_bounds_only():
    """An upper bound or a pin has Colab's own packages replaced, and whole books broken."""
    assert {spec.operator for line in NEEDED for spec in Requirement(line).specifier} == {">="}


@pytest.fixture(scope="module")
def colab():
    return runpy.run_path(str(ROOT / "tools" / "colab" / "run.py"))


def after(commit="abc", **versions):
    """What the probe finds in an environment after a chapter has run."""
    place = json.dumps({"url": "file:///book.git", "vcs_info": {"vcs": "git", "commit_id": commit}})
    return {"versions": {"torch": "2.11.0", "vaelib": "0.1.0"} | versions, "places": [place] if commit else []}


def test_a_chapter_may_add_vaelib_at_the_right_commit_and_nothing_else(colab):
    before = {"torch": "2.11.0"}
    assert colab["changed"](before, after(), "abc") == ""
    assert "torch" in colab["changed"](before, after(torch="2.15.0"), "abc")
    assert "requests" in colab["changed"](before, after(requests="2.0.0"), "abc")
    assert "got ['def']" in colab["changed"](before, after("def"), "abc")
    assert "got []" in colab["changed"](before, after(None), "abc")
    for place in (None, "{}", '{"url": "https://pypi.org"}'):  # from an index instead of a repository
        assert "got [None]" in colab["changed"](before, after() | {"places": [place]}, "abc")


@pytest.mark.parametrize("name", ["no_such", "../01_a", "", "01_a:book", "-x"])
def test_a_chapter_that_is_not_there_is_an_error_before_anything_is_installed(colab, monkeypatch, capsys, name):
    monkeypatch.setitem(colab["main"].__globals__, "environment", lambda *_: pytest.fail("something was installed"))
    with pytest.raises(SystemExit):
        colab["main"](["--", name])
    assert f"such as 01_autoencoder; got ['{name}']" in capsys.readouterr().err


def test_chapters_are_served_from_a_bare_clone_and_name_it(colab, tmp_path, monkeypatch):
    book = tmp_path / "here" / "book"
    book.mkdir(parents=True)
    execute.write(good(), book / "01_a.ipynb")
    names = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    for arguments in (["init", "-q"], ["add", "-A"], [*names, "commit", "-q", "-m", "All"]):
        subprocess.run(["git", "-C", book.parent, *arguments], check=True)
    monkeypatch.setitem(colab["served"].__globals__, "ROOT", book.parent)
    bare, commit = colab["served"](tmp_path)
    assert colab["chapters"](bare) == ["01_a"] and publish.git(bare, "rev-parse", "HEAD^").stdout.strip() == commit
    notebook = reads(publish.git(bare, "show", "HEAD:book/01_a.ipynb").stdout, as_version=4)
    assert code_cells(notebook)[0].source == publish.first_cell(f"file://{bare}", commit)
