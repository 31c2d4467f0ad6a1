"""The ledger and the slips page: complete, read right, and linked to cells that exist."""

import re
from collections import Counter
from pathlib import Path

import ledger
import nbformat
import printed
import pytest
import yaml
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from notebook_parts import check_calls, code_cells, label_of, labels, observe_calls

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = sorted((ROOT / "book").glob("*.ipynb"))


def read(path):
    return nbformat.read(path, as_version=4)


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)
def test_every_label_is_listed_and_every_equation_proved(path):
    notebook = read(path)
    found = printed.entries(notebook)
    assert [entry.label for entry in found] == labels(notebook)
    assert [entry.label for entry in found if entry.label.startswith("eq-") and not entry.proofs] == []


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)
def test_every_check_in_a_cell_is_read_and_gets_an_anchor(path):
    for cell in code_cells(read(path)):
        checked, observed = ({label_of(call) for call in calls(cell)} for calls in (check_calls, observe_calls))
        assert set(printed.CALL.findall(cell.source)) == checked | observed
        text = "".join(out.get("text", "") for out in cell.outputs)
        assert printed.proofs_in(text).keys() == checked and printed.observations_in(text).keys() == observed


@pytest.mark.parametrize(
    ("line", "kind", "tolerance"),
    [
        ("a, b, to the last bit", "exact", "to the last bit"),
        ("a against b, within 1e-09 relative", "exact", "within 1e-09 relative"),
        ("a, within 1e-12 relative plus 1e-12 absolute", "exact", "within 1e-12 relative plus 1e-12 absolute"),
        ("a, within 1e-06 absolute", "numerical", "within 1e-06 absolute"),
        ("a, within 0.03 relative", "numerical", "within 0.03 relative"),
        ("a, within 5 standard errors (false alarm below 1e-06 if the errors are normal)", "statistical", None),
        ("a below b, with room for 5 standard errors (false alarm below 1e-06 if ...)", "statistical", None),
        ("a below b", "bound", "an inequality"),
        ("a below b, with room for 0.1", "bound", "with room for 0.1"),
    ],
)
def test_kinds(line, kind, tolerance):
    proof = printed.proof(line, [])
    assert proof.kind == kind and tolerance in (None, proof.tolerance)
    assert proof.how == re.split(r", (?:to the|within|with room)", line)[0]


@pytest.mark.parametrize(
    ("line", "rejected"),
    [
        ("    rejected: half, off by more than 10 tolerances", ["half, off by more than 10 tolerances"]),
        ("    rejected everywhere: half, off by 3 or more", ["half, off by 3 or more"]),
        ("    rejected somewhere: half, off by 3", ["half, off by 3, in some entries"]),
        ("    rejected: a bound", ["a bound"]),
        ("    rejected everywhere: b, past the bound by more than 1", ["b, past the bound by more than 1"]),
        ("another line", []),
    ],
)
def test_what_was_rejected_is_read_in_the_old_words_and_the_new(line, rejected):
    (proof,) = printed.proofs_in(f"x\neq-a holds: b, to the last bit\n{line}\n    and more\n")["eq-a"]
    assert proof.rejected == rejected


def test_a_finding_is_read_with_its_statement_and_what_was_measured():
    text = "Before.\n\n> **Finding** (obs-a). It is $1$\n> in all.\n> Two.\n\nAfter.\n\n> **Finding** (obs-b). No."
    seen = new_output("stream", text="obs-a observed: loss, range of 3 seeds\n    seen: 1 (0 to 2)\nmore\n")
    notebook = new_notebook(cells=[new_markdown_cell(text), new_code_cell(outputs=[seen])])
    assert printed.findings(notebook) == [
        ("obs-a", "It is $1$ in all. Two.", ["loss, range of 3 seeds; seen: 1 (0 to 2)"]),
        ("obs-b", "No.", []),
    ]


def test_the_rows_of_the_ledger_say_what_is_known():
    entry = printed.Entry("eq-a", "a = b", [printed.proof("by hand, to the last bit", ["half, off by 2"])])
    row = "\n".join(ledger._equation_row("01_page", entry, printed.Attacks(3, 2, ["q"])))
    for words in (
        "{eq}`eq-a`",
        "$\\displaystyle a = b$",
        "**exact**: by hand, to the last bit",
        "01_page.html#check-eq-a",
    ):
        assert words in row
    assert "1 wrong refused: half\n" in row and "2 of 3 replaced ingredients" in row and "holds for every q" in row
    bare = "\n".join(
        ledger._equation_row("01_page", entry._replace(proofs=[printed.proof("x, to the last bit", [])]), None)
    )
    assert "no wrong version tried" in bare and "ingredients" not in bare
    seen = "\n".join(ledger._observations([("01_page", "One", [printed.Finding("obs-a", "It is.", ["1.0 +- 0.1"])])]))
    assert "It is." in seen and "1.0 +- 0.1" in seen and "{ref}`finding <obs-a>`" in seen and "#check-obs-a" in seen
    assert list(ledger._observations([("01_page", "One", [])])) == []


def slips():
    return yaml.safe_load((ROOT / "book" / "slips.yml").read_text(encoding="utf-8"))


def test_every_slip_has_one_cell_and_every_such_cell_a_slip():
    in_cells = Counter(name for path in CHAPTERS for name in ledger.slips_of(read(path)))
    assert Counter(slip["slip"] for slip in slips() if "check" not in slip) == in_cells


def test_a_slip_without_a_cell_of_its_own_names_a_check_that_is_there():
    proved = {entry.label for path in CHAPTERS for entry in printed.entries(read(path)) if entry.proofs}
    assert {slip["check"] for slip in slips() if "check" in slip} <= proved


PUBLIC = re.compile(r"at `[0-9a-f]{7}`|\]\(https://github\.com/[\w-]+/[\w-]+/(issues|pull)/\d+\)|\{cite:t\}")
KEYS = {"slip", "note", "met", "read", "shown"}


@pytest.mark.parametrize("slip", slips(), ids=lambda s: s["slip"])
def test_a_slip_says_what_where_and_why(slip):
    assert KEYS <= set(slip) <= KEYS | {"place", "check"}
    assert re.fullmatch(r"[a-z0-9-]+", slip["slip"])
    assert re.fullmatch(r"[A-E](, [A-E])*|code", slip["note"])
    assert len(slip["met"]) > 15 and len(slip["shown"]) > 15 and not slip["shown"].endswith(".")
    for place in slip.get("place", "at `0000000`").split("; "):
        assert PUBLIC.search(place), f"{place}: name the version, or the thread"
    assert "place" in slip or slip["note"] != "code"


def test_the_rows_of_the_slips_say_what_was_meant_before_what_it_does():
    slip = {"slip": "a", "note": "A", "met": "x", "read": "y", "shown": "z", "place": "p"}
    row = "\n".join(ledger._slip_row(slip, "slip-a", "04_kl"))
    assert row.index("*Meant, it seems:* y.") < row.index("*Run:* z.")
    assert "*Look it up:* p." in row and '04_kl.html#slip-a">chapter 4<' in row
