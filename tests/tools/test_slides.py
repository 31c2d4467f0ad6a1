"""`make slides`: a deck with the chapter's findings, equations and figures, that asks nothing of another site."""

import re
from pathlib import Path

import nbformat
import pytest
import slides
from test_book_pages import Links

pytestmark = pytest.mark.slow  # it trains, builds or starts other programs

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


@pytest.mark.parametrize("name", ["no_such", "../book/04_kl", "04_kl/../04_kl", "/etc/passwd", "", ".", "04_kl\n", "é"])
def test_a_chapter_that_is_not_there_or_no_name_is_an_error(monkeypatch, capsys, name):
    monkeypatch.setattr(slides, "build", lambda *_: pytest.fail("something was built"))
    with pytest.raises(SystemExit):
        slides.main([name])
    assert f"must be the name of a notebook of the book, such as 04_kl; got {name!a}" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["../written", "/tmp/written", "a/b", "..", "", "x" * 300, "a\0b", "{raw}"])
def test_the_name_of_a_cell_never_becomes_a_path(tmp_path, name):
    """Two pictures, so that neither may take the place of the other; an alt text of two lines stays one option."""
    (tmp_path / "deck").mkdir()
    pictures = [nbformat.v4.new_output("display_data", {"image/png": text}) for text in ("YQ==", "Yg==", "YQ==")]
    cell = nbformat.v4.new_code_cell("", outputs=pictures)
    cell.id = name
    cell.metadata["mystnb"] = {"image": {"alt": "first\n:class: second"}}
    blocks = list(slides.pictures(cell, tmp_path / "deck"))
    named = [
        re.fullmatch(r"```{image} ([0-9a-f]{64}\.png)\n:alt: first :class: second\n```", block)[1] for block in blocks
    ]
    assert [(tmp_path / "deck" / file).read_bytes() for file in named] == [b"a", b"b", b"a"]
    assert sorted(path.name for path in tmp_path.rglob("*")) == sorted({"deck", *named})
