"""Helps for the reader: predictions and recall questions have folded answers, and the page shows what it should."""

import itertools
import re
from html import unescape
from pathlib import Path

import aids
import nbformat
import pytest
import yaml
from test_book_pages import pages  # noqa: F401 (a fixture)

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = sorted((ROOT / "book").glob("[0-8][0-9]_*.ipynb"))
NUMBERED = [path for path in CHAPTERS if not path.stem.startswith("00")]
QUESTIONS = yaml.safe_load((ROOT / "book" / "questions.yml").read_text(encoding="utf-8"))
ANSWER = re.compile(r"^:::\{admonition\} (Answer|What you should have seen).*\n:class: dropdown$", re.MULTILINE)


@pytest.fixture
def page(pages):  # noqa: F811
    built = {path.name: path.read_text(encoding="utf-8") for path in pages}
    return built.__getitem__


def prose(path):
    cells = nbformat.read(path, as_version=4).cells
    return "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


def recall(path):
    return re.search(r"^## Recall\n(.*?)^## ", prose(path), re.MULTILINE | re.DOTALL)[1]


@pytest.mark.parametrize("path", NUMBERED, ids=lambda path: path.stem)
def test_every_prediction_is_answered_before_the_next_one(path):
    _, *stretches = prose(path).split(":::{admonition} Predict first")
    assert stretches
    assert [text[:60] for text in stretches if not ANSWER.search(text.split("\n## Recall")[0])] == []


@pytest.mark.parametrize("path", NUMBERED, ids=lambda path: path.stem)
def test_every_recall_question_has_one_folded_answer(path):
    numbers = re.findall(r"^\*\*(\d+)\. ", recall(path), re.MULTILINE)
    assert numbers == [str(n + 1) for n in range(len(numbers))] and len(numbers) >= 3
    assert len(ANSWER.findall(recall(path))) == len(numbers)


@pytest.mark.parametrize("path", NUMBERED, ids=lambda path: path.stem)
def test_the_answer_to_a_choice_speaks_of_every_option(path):
    with_options = 0
    for question in re.split(r"^\*\*\d+\. ", recall(path), flags=re.MULTILINE)[1:]:
        options, answer = (set(re.findall(r"\([a-e]\)", part)) for part in question.split(":::{admonition}")[:2])
        assert options <= answer, question[:60]
        with_options += bool(options)
    assert with_options >= 1


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_question_and_reading_time_stand_under_the_title(page, path):
    text = unescape(page(f"{path.stem}.html"))
    assert QUESTIONS[path.stem[:2]] in text
    assert re.search(r"about \d+ minutes · \d+ displayed equations · \d+ code cells", text)


def test_neighbours_are_named_with_their_questions(page):
    for before, after in itertools.pairwise(CHAPTERS):
        foot = unescape(page(f"{after.stem}.html").partition('class="prev-next-area"')[2])
        if f'href="{before.stem}.html"' in foot:  # the notation page stands between 00 and 01
            assert QUESTIONS[before.stem[:2]] in foot


def test_reading_time_grows_with_words_equations_and_cells():
    assert aids.minutes(0, 0, 0) == 5
    assert aids.minutes(3000, 0, 0) == 20
    assert aids.minutes(3000, 30, 30) == 40


def test_every_term_on_a_page_carries_its_meaning(page):
    found = 0
    for path in CHAPTERS:
        text = page(f"{path.stem}.html")
        terms = set(re.findall(r'href="notation\.html#(term-[\w-]+)"><span class="xref std std-term', text))
        found += len(terms)
        assert [term for term in terms if f'id="card-{term}"' not in text] == []
        assert bool(terms) == ("glossary.js" in text)
    assert found > 20


def test_copy_is_offered_on_code_only(page):
    config = (ROOT / "_config.yml").read_text(encoding="utf-8")
    assert "copybutton_selector" in config and ":not(.output)" in config
    text = page("04_kl.html")
    outputs = re.findall(r'<div class="([^"]*)"><div class="highlight"><pre>', text)
    assert any("output" in classes for classes in outputs) and any("output" not in classes for classes in outputs)
