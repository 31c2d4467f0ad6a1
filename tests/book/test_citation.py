"""CITATION.cff says what the book and its library say about themselves."""

from pathlib import Path

import yaml

import vaelib

ROOT = Path(__file__).resolve().parents[2]


def read(name):
    return yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))


def test_citation_agrees_with_the_book():
    citation = read("CITATION.cff")
    assert citation["title"] == read("_config.yml")["title"]
    assert citation["version"] == vaelib.__version__
    assert citation["license"] == "BSD-3-Clause" and "BSD 3-Clause" in (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert {"cff-version", "message", "authors", "date-released"} <= citation.keys()
