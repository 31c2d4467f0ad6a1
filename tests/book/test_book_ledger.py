"""The ledger and the slips page: complete, read right, and linked to cells that exist."""

import re
from collections import Counter
from pathlib import Path

import ledger
import nbformat
import pytest
import yaml
from notebook_parts import check_calls, code_cells, label_of, labels

from vaelib.checks import check, check_bound

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = sorted((ROOT / "book").glob("*.ipynb"))


def read(path):
    return nbformat.read(path, as_version=4)


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)
def test_every_label_is_listed_and_every_equation_proved(path):
    notebook = read(path)
    found = ledger.entries(notebook)
    assert [entry.label for entry in found] == labels(notebook)
    assert [entry.label for entry in found if entry.label.startswith("eq-") and not entry.proofs] == []


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)
def test_every_check_in_a_cell_is_read_and_gets_an_anchor(path):
    for cell in code_cells(read(path)):
        written = {label_of(call) for call in check_calls(cell)}
        assert set(ledger.CALL.findall(cell.source)) == written
        printed = "".join(out.get("text", "") for out in cell.outputs)
        assert {label for label, _, _ in ledger.HOLDS.findall(printed)} == written


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
    proof = ledger.proof(line, [])
    assert proof.kind == kind and tolerance in (None, proof.tolerance)
    assert proof.how == re.split(r", (?:to the|within|with room)", line)[0]


def test_what_is_rejected_is_read_with_the_word_that_says_where(capsys):
    check("eq-x", [1, 2], [1, 2], "one thing against another", wrong={"twice": [2, 4], "the end": [1, 3]})
    check_bound("eq-x", 1, 2, "one thing below another", wrong={"the square": 4})
    cells = [nbformat.v4.new_markdown_cell("$$\nx\n$$ (eq-x)")]
    cells += [nbformat.v4.new_code_cell("", outputs=[nbformat.v4.new_output("stream", text=capsys.readouterr().out)])]
    (entry,) = ledger.entries(nbformat.v4.new_notebook(cells=cells))
    assert [(proof.how, proof.kind, proof.rejected) for proof in entry.proofs] == [
        (
            "one thing against another",
            "exact",
            ["twice, off by more than 10 roundings everywhere", "the end, off by more than 10 roundings somewhere"],
        ),
        (
            "one thing below another",
            "bound",
            ["the square, past the bound by more than 0.01 of the largest number everywhere"],
        ),
    ]


def slips():
    return yaml.safe_load((ROOT / "book" / "slips.yml").read_text(encoding="utf-8"))


def test_every_slip_has_one_cell_and_every_such_cell_a_slip():
    in_cells = Counter(name for path in CHAPTERS for name in ledger.slips_of(read(path)))
    assert Counter(slip["slip"] for slip in slips()) == in_cells


@pytest.mark.parametrize("slip", slips(), ids=lambda s: s["slip"])
def test_a_slip_says_what_where_and_why(slip):
    assert set(slip) == {"slip", "note", "met", "shown"}
    assert re.fullmatch(r"[a-z0-9-]+", slip["slip"])
    assert re.fullmatch(r"[A-E](, [A-E])*|slides|code", slip["note"])
    assert len(slip["met"]) > 15 and len(slip["shown"]) > 15
