"""Every paper that a docstring of vaelib names as its source has an entry in the bibliography."""

import re
import unicodedata
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BIB = (ROOT / "book" / "references.bib").read_text(encoding="utf-8")
CITED = re.compile(r"([A-Z][\w\u00c0-\u017f-]+)(?: & [A-Z][\w\u00c0-\u017f-]+)?(?: et al\.)? \((\d{4})\)")
ACCENT = re.compile(r"\{?\\[\"'`^~]\{?(\w)\}?\}?|\{\\([A-Z])([A-Z])\}")


def bare(name):
    """A name without accents, however they are written."""
    name = ACCENT.sub(lambda found: found[1] or found[2], name)
    return "".join(c for c in unicodedata.normalize("NFD", name) if not unicodedata.combining(c))


def entries(text):
    """{(family name of the first author, year)} of a BibTeX file."""
    authors = [bare(found) for found in re.findall(r"author\s*=\s*\{(.*)\},", text)]
    years = re.findall(r"year\s*=\s*\{(\d{4})\}", text)
    return {(author.split(",")[0].split()[-1], year) for author, year in zip(authors, years, strict=True)}


def cited(text):
    """(first author, year) of every paper in the lines that start with Source."""
    lines = re.findall(r"Source: (.*?)(?:\n\s*\n|\n\s*Book:|\"\"\")", text, re.DOTALL)
    return [(bare(name), year) for line in lines for name, year in CITED.findall(" ".join(line.split()))]


@pytest.mark.parametrize("path", sorted((ROOT / "vaelib").rglob("*.py")), ids=lambda p: p.stem)
def test_the_source_of_a_function_is_in_the_bibliography(path):
    assert set(cited(path.read_text(encoding="utf-8"))) <= entries(BIB)


def test_sources_are_found_with_accents_and_several_a_line():
    text = """Source: Kynk\u00e4\u00e4nniemi et al. (2019), eq. 2; Loaiza-Ganem & Cunningham (2019).\n\n"""
    assert cited(text) == [("Kynkaanniemi", "2019"), ("Loaiza-Ganem", "2019")]
    assert sum(len(cited(p.read_text(encoding="utf-8"))) for p in (ROOT / "vaelib").rglob("*.py")) > 30


def test_keys_are_in_order_and_used_once():
    keys = re.findall(r"^@\w+\{(\w+),", BIB, re.MULTILINE)
    assert keys == sorted(set(keys))
