"""The chapters keep the rules of `guards.py`, one by one and as a book."""

import os
from functools import cache
from importlib.metadata import version
from pathlib import Path

import known_breaches
import nbformat
import pytest
from guards import NOTEBOOK_GUARDS, PAGE_GUARDS, book_label_problems, size_problems, toc_problems
from notebook_parts import as_notebook

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = sorted(ROOT.glob("book/*.ipynb"))
PAGES = sorted(ROOT.glob("book/*.md"))
CASES = [(path, guard) for path in CHAPTERS for guard in NOTEBOOK_GUARDS]
CASES += [(path, guard) for path in PAGES for guard in PAGE_GUARDS]
KNOWN = known_breaches.read()


@cache
def read_page(path):
    if path.suffix == ".md":
        return as_notebook(path.read_text(encoding="utf-8"))
    return nbformat.read(path, as_version=4)


def name_of(value):
    return value.stem if isinstance(value, Path) else value.__name__.removeprefix("guard_")


if CASES:  # pytest would count an empty list of cases as a skipped test

    @pytest.mark.parametrize(("path", "guard"), CASES, ids=name_of)
    def test_rule(path, guard):
        known = KNOWN.get(name_of(path), {}).get(name_of(guard), [])
        problems = known_breaches.verdict(guard(read_page(path)), known)
        assert not problems, "\n".join([path.name, *problems])


def test_known_breaches_are_of_pages_and_rules_that_there_are():
    named = {(page, rule) for page, rules in KNOWN.items() for rule in rules}
    assert named <= {(name_of(path), name_of(guard)) for path, guard in CASES}


def test_files_are_small():
    assert [problem for path in CHAPTERS for problem in size_problems(path)] == []


def test_labels_are_unique_over_the_book():
    assert book_label_problems({path.name: read_page(path) for path in CHAPTERS + PAGES}) == []


def test_every_chapter_is_in_the_contents():
    toc = (ROOT / "_toc.yml").read_text(encoding="utf-8") if CHAPTERS else ""
    assert toc_problems(toc, [str(path.relative_to(ROOT).as_posix()) for path in CHAPTERS]) == []


def test_jupyter_book_is_the_version_that_reads_this_configuration():
    assert version("jupyter-book").split(".")[0] == "1", "2.x ignores _config.yml and builds nothing"


def test_kernels_that_inherit_this_environment_draw_no_progress_bar():
    assert os.environ["VAELIB_PROGRESS"] == "0"
