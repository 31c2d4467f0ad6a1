"""The list of known breaches: it fails what is new and what is gone, and can only become shorter."""

import re
from pathlib import Path

import guards_prose
import known_breaches
import pytest
import yaml

BOOK = Path(__file__).resolve().parents[2] / "book"


@pytest.mark.parametrize(
    ("problems", "known", "said"),
    [
        ([], [], []),
        (["a"], ["a"], []),
        (["a"], [], ["a"]),
        (["a", "a"], ["a"], ["a"]),
        ([], ["a"], [known_breaches.GONE, "a"]),
        (["a"], ["a", "a"], [known_breaches.GONE, "a"]),
        (["b"], ["a"], ["b", known_breaches.GONE, "a"]),
    ],
)
def test_new_problems_and_gone_ones_are_told(problems, known, said):
    assert known_breaches.verdict(problems, known) == said


def test_the_list_only_becomes_shorter():
    known = {"one": {"rule": ["a", "a", "b"], "other": ["c"]}, "two": {"rule": ["d"]}}
    found = {"one": {"rule": ["a", "b", "new"], "other": []}, "three": {"rule": ["new"]}}
    assert known_breaches.shorter(known, found) == {"one": {"rule": ["a", "b"]}}


def test_the_command_writes_what_is_left(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(known_breaches, "FILE", tmp_path / "known.yml")
    known_breaches.write({"one": {"rule": ["$a$: 'b'", "c"]}})
    monkeypatch.setattr(known_breaches, "found_in_book", lambda: {"one": {"rule": ["$a$: 'b'", "new"]}})
    known_breaches.main()
    assert known_breaches.read() == {"one": {"rule": ["$a$: 'b'"]}}
    assert capsys.readouterr().out == "1 entries of known.yml are gone, 1 are left\n"
    monkeypatch.setattr(known_breaches, "found_in_book", dict)
    known_breaches.main()
    assert known_breaches.read() == {}


def test_every_word_that_needs_no_count_stands_in_the_book_and_has_a_reason():
    pages = [path.read_text(encoding="utf-8") for path in (*BOOK.glob("*.ipynb"), *BOOK.glob("*.md"))]
    text = re.sub(r'\\n",?\s*"|\s+', " ", " ".join(pages))
    for entry in yaml.safe_load(guards_prose.COUNTED.read_text(encoding="utf-8")):
        assert set(entry) == {"text", "reason"} and len(entry["reason"]) > 20
        assert re.sub(r"\s+", " ", entry["text"]) in text, "delete what no page says any more"
