"""benchmarks/sabotage.json speaks of the book as it is."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tools")]

from _sabotage_table import TABLE, book, labels, load, problems, readable  # noqa: E402


def test_no_section_has_changed_since_its_checks_were_attacked():
    found = problems(book(), load())
    assert not found, "\n".join(found)


def test_every_chapter_is_attacked_or_said_to_wait():
    table = load()
    begun = {key.split("#")[0] for key in table["sections"]}
    expected = {name for name, cells in book().items() if labels(cells)}
    assert expected == begun | set(table["not_yet_attacked"]) and not begun & set(table["not_yet_attacked"])


def test_nothing_is_good_by_default():
    for key, found in load()["sections"].items():
        assert found["noticed"] or found["one_sided"] or found["blind"] or found["vacuous"] or found["unknown"], key
        assert found["noticed"] <= found["attacked"], key


def test_the_readable_form_is_that_of_the_table():
    stored = TABLE.with_suffix(".md").read_text(encoding="utf-8")
    assert stored.splitlines()[1:] == readable(load()).splitlines()[1:]
