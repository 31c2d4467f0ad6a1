"""The page for teachers: lectures that fill their time, sections and numbers that are in the chapters."""

import re
from pathlib import Path

import guards_prose
import nbformat
import pytest
from myst_parser.mdit_to_docutils.base import default_slugify
from notebook_parts import as_notebook

BOOK = Path(__file__).resolve().parents[2] / "book"
TEXT = (BOOK / "teachers.md").read_text(encoding="utf-8")
LECTURES = re.split(r"^### Lecture \d: .*$", TEXT.split("## Exercises")[0], flags=re.MULTILINE)[1:]
ROW = re.compile(r"^\| (\d+) \| (.*?) \| (.*?) \| (.*?) \|$", re.MULTILINE)
LINK = re.compile(r"\[(.*)\]\((\w+)\.ipynb#([\w-]+)\)")


def read(name):
    return nbformat.read(BOOK / f"{name}.ipynb", as_version=4)


def headings(name):
    text = "\n".join(cell.source for cell in read(name).cells if cell.cell_type == "markdown")
    return set(re.findall(r"^###? (.*?)\s*$", text, re.MULTILINE))


def test_there_are_seven_lectures():
    assert len(LECTURES) == 7


@pytest.mark.parametrize("lecture", LECTURES, ids=[f"lecture {i}" for i in range(1, 8)])
def test_a_lecture_leaves_ten_of_ninety_minutes_and_gives_every_question_its_answer(lecture):
    rows = ROW.findall(lecture)
    assert sum(int(minutes) for minutes, *_ in rows) == 80
    assert all(question.endswith((".", "?")) for _, _, question, _ in rows)
    assert all(answer.endswith(".") for *_, answer in rows)


@pytest.mark.parametrize("lecture", LECTURES, ids=[f"lecture {i}" for i in range(1, 8)])
def test_every_row_of_a_lecture_links_to_a_section_that_exists(lecture):
    announced = set(re.findall(r"\{doc\}`(\w+)`", lecture))
    for _, section, *_ in ROW.findall(lecture):
        title, name, anchor = LINK.fullmatch(section).groups()
        assert name in announced and title in headings(name) and anchor == default_slugify(title)


def test_a_section_that_an_answer_names_exists():
    answers = TEXT.split("## Questions you will be asked")[1]
    known = set().union(*[headings(name) for name in re.findall(r"\{doc\}`(\w+)`", answers)])
    quoted = {" ".join(title.split()) for title in re.findall(r'"(.*?)"', answers, re.DOTALL)}
    assert len(quoted) >= 4 and quoted <= known


def test_numbers_come_from_the_chapters():
    """Every decimal of the page stands in the code or the output of some chapter."""
    page = as_notebook(TEXT)
    chapters = [read(path.stem) for path in BOOK.glob("[01]*.ipynb")]
    page.cells += [cell for chapter in chapters for cell in chapter.cells if cell.cell_type == "code"]
    assert guards_prose.unknown_decimals(page) == []


def test_every_exercise_has_an_answer_on_the_other_page_and_none_on_this_one():
    asked = re.findall(r"^\*\*([A-Z])\*\* \(lecture \d\)", TEXT, re.MULTILINE)
    answered = {heading[0] for heading in headings("91_answers") if heading[1:3] == ". "}
    assert asked == sorted(answered) and len(asked) >= 9
    exercises = TEXT.split("## Exercises")[1].split("## Questions")[0]
    assert not {"1.1534", "26.14", "3.75"} & set(re.findall(r"[\d.]+\d", exercises))
