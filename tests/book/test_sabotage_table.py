"""benchmarks/sabotage.json speaks of the book as it is, and of a book whose checks can all fail."""

import copy
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tools")]

import _sabotage_table  # noqa: E402
from _sabotage_table import LATE, MENDED, TABLE, book, digest, labels, load, problems, short_of_time  # noqa: E402
from _sabotage_told import readable  # noqa: E402

FAULTS = {
    "a check cannot fail": {"vacuous_checks": 1, "reason": "log_q cancels"},
    "nothing of it can fail": {"vacuous": True, "vacuous_checks": 1},
    "it is blind to what it does not declare": {"undeclared": ["log_q"]},
    "it declares what it is not blind to": {"declared_in_vain": ["log_q"]},
    "the text does not say it": {"unsaid": ["q"]},
    "time ran out": {"unknown": ["log_q: budget"]},
    "unknown without a reason": {"unknown": [""]},
    "the code has changed": {"digest": "another"},
    "the formula has changed": {"formula": "another"},
}


@pytest.fixture(scope="module")
def chapters():
    """The book, of which every digest is taken once."""
    known = {}

    def remembered(cells, label):
        if (key := (id(cells), label)) not in known:
            known[key] = digest(cells, label)
        return known[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_sabotage_table, "digest", remembered)
        yield book()


def test_no_section_has_changed_since_its_checks_were_attacked(chapters):
    found = problems(chapters, load())
    assert not found, "\n".join(found)


def test_every_chapter_that_was_attacked_is_mended(chapters):
    waiting = load()["not_yet_attacked"]
    assert {name for name, cells in chapters.items() if labels(cells)} == {*MENDED, *waiting}
    assert len({*MENDED, *waiting}) == len(MENDED) + len(waiting)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", MENDED)
def test_one_fault_in_the_table_of_any_chapter_is_seen(name, fault, chapters):
    table = copy.deepcopy(load())
    key = next(key for key in table["sections"] if key.startswith(f"{name}#") and key not in LATE)
    table["sections"][key] |= FAULTS[fault]
    assert len(problems({name: chapters[name]}, table)) == 1, key


def test_who_is_late_is_late():
    for key, why in LATE.items():
        assert short_of_time(load()["sections"][key]), f"all of {key} was attacked: take it from LATE"
        assert why.strip(), key


def test_nothing_is_good_by_default():
    for key, found in load()["sections"].items():
        assert found["noticed"] or found["one_sided"] or found["blind"] or found["vacuous"] or found["unknown"], key
        assert found["noticed"] <= found["attacked"], key


def test_the_readable_form_is_that_of_the_table():
    stored = TABLE.with_suffix(".md").read_text(encoding="utf-8")
    assert stored.splitlines()[1:] == readable(load()).splitlines()[1:]
