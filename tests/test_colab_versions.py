"""The versions that `make colab-test` runs with are versions that vaelib says it works with."""

import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
LISTS = sorted((ROOT / "tests" / "colab").glob("python*.txt"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def wanted(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    return {r.name: r for r in (Requirement(line) for line in lines if not line.startswith("#"))}


def test_the_oldest_and_the_newest_are_there():
    assert [path.stem for path in LISTS] == ["python3.11", "python3.13"]


@pytest.mark.parametrize("path", LISTS, ids=lambda path: path.stem)
def test_every_dependency_is_installed_in_a_version_that_vaelib_accepts(path):
    found = wanted(path)
    for needed in map(Requirement, PROJECT["dependencies"]):
        pins = [spec.version for spec in found[needed.name].specifier if spec.operator == "=="]
        assert all(pin in needed.specifier for pin in pins), f"{needed} refuses {path.name}"
    assert path.stem.removeprefix("python") in Requirement(f"python{PROJECT['requires-python']}").specifier


def test_the_library_sets_lower_bounds_only():
    """An upper bound or a pin has Colab's own packages replaced, and whole books broken."""
    assert {spec.operator for line in PROJECT["dependencies"] for spec in Requirement(line).specifier} == {">="}
