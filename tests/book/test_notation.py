"""The page of notation says where a symbol is met first, and its words are those of the chapters."""

import re
from pathlib import Path

import nbformat
import pytest

BOOK = Path(__file__).resolve().parents[2] / "book"
TEXT = (BOOK / "notation.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (\$.*?\$).*? \| chapter (\d+) \|$", TEXT, re.MULTILINE)
SPACING = re.compile(r"\\(?:left|right|[bB]igg?[lr]?|,|;|!)(?![A-Za-z])|[\s{}]")


def bare(tex):
    """TeX without what only spaces, sizes or groups it, without upright words, and with one kind of bar."""
    tex = re.sub(r"\\mathrm\s*\{[a-z]+\}", "", tex)
    return SPACING.sub("", tex.replace("\\vert", "|").replace("\\mid", "|"))


def chapters():
    """(number, markdown without spaces) of every chapter, in order."""
    for path in sorted(BOOK.glob("[01]*.ipynb")):
        cells = nbformat.read(path, as_version=4).cells
        yield int(path.stem[:2]), bare("\n".join(cell.source for cell in cells if cell.cell_type == "markdown"))


@pytest.fixture(scope="module")
def pages():
    return list(chapters())


@pytest.mark.parametrize(("symbol", "chapter"), ROWS)
def test_a_symbol_is_first_met_where_the_page_says(symbol, chapter, pages):
    sought = bare(symbol) if re.fullmatch(r"\$\w\$", symbol) else bare(symbol).strip("$")
    assert int(chapter) == next((number for number, text in pages if sought in text), None)


def test_rows_stand_in_the_order_of_the_chapters():
    found = [int(chapter) for _, chapter in ROWS]
    assert found == sorted(found) and len(found) > 12


def test_a_term_that_is_explained_by_another_finds_it():
    defined = set(re.findall(r"^([a-zA-Z][\w -]*)$", TEXT.split(":::{glossary}")[1], re.MULTILINE))
    used = {name.split(" <")[-1].strip(">") for name in re.findall(r"\{term\}`([^`]+)`", TEXT)}
    assert used <= defined
