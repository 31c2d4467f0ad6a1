"""`make slides`: a deck with the chapter's findings, equations and figures, that asks nothing of another site."""

import re
from pathlib import Path

import nbformat
import pytest
import slides
from test_book_pages import Links

BOOK = Path(__file__).resolve().parents[2] / "book"
CHAPTER = "04_kl"


@pytest.fixture(scope="module")
def deck(tmp_path_factory):
    page = slides.build(BOOK / f"{CHAPTER}.ipynb", tmp_path_factory.mktemp("slides") / CHAPTER)
    return page, page.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def shown():
    """The cells of the chapter up to its recall questions: what the slides are made of."""
    cells = nbformat.read(BOOK / f"{CHAPTER}.ipynb", as_version=4).cells
    end = next(i for i, cell in enumerate(cells) if "## Where we differ" in cell.source)
    return cells[:end]


def test_every_finding_and_every_figure_is_there(deck, shown):
    page, text = deck
    titles = [line[3:] for cell in shown for line in cell.source.splitlines() if re.match("## [A-Z]", line)]
    plain = re.sub(r"<[^>]*>", "", text)
    assert len(titles) > 5 and [title for title in titles if title not in plain] == []
    figures = sum("image/png" in out.get("data", {}) for cell in shown for out in cell.get("outputs", []))
    images = re.findall(r'<img alt="(.{30,}?)" src="(.*?)"', text)
    assert len(images) == figures > 5 and all((page.parent / src).exists() for _, src in images)


def test_every_fact_is_there_with_its_proof_and_no_markup_is_left(deck, shown):
    _, text = deck
    facts = {label for cell in shown for label in re.findall(r"\$\$ \((eq-[\w-]+)\)", cell.source)}
    assert facts and {label for label in facts if f"equation-{label}" not in text} == set()
    assert text.count("within") >= len(facts) / 2 and "rejected: " in text
    assert not re.search(r"\{(?:eq|doc|cite|numref)\W|:::|\$\$|\*\*", text)


def test_nothing_is_loaded_from_another_site(deck):
    page, text = deck
    loads = Links(text).loads
    assert any("reveal" in src for src in loads) and any("mathjax" in src for src in loads)
    assert [src for src in loads if "//" in src or not (page.parent / src.split("?")[0]).exists()] == []


def test_a_chapter_that_is_not_there_is_an_error(capsys):
    with pytest.raises(SystemExit):
        slides.main(["no_such"])
    assert "must be a notebook of the book; got no_such" in capsys.readouterr().err
