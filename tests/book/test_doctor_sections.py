"""Every fault that the doctor can name leads to a section of the book, or to an anchor that a page sets itself."""

import ast
import re
from pathlib import Path

import nbformat
import pytest
from docutils.nodes import make_id

from vaelib.doctor import SECTIONS

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "vaelib" / "doctor").glob("_of_*.py"))


def anchors(page):
    notebook = nbformat.read(ROOT / "book" / f"{page}.ipynb", as_version=4)
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    titles = re.findall(r"^##+ (.*?)\s*$", text, re.MULTILINE)
    return {make_id(title.replace("'", "\N{RIGHT SINGLE QUOTATION MARK}")) for title in titles}  # as the page sets it


@pytest.mark.parametrize("fault", SECTIONS)
def test_a_fault_leads_to_a_section(fault):
    page, anchor = SECTIONS[fault]
    assert anchor in anchors(page)


def test_every_finding_has_its_section_and_every_section_a_finding():
    calls = [node for path in FILES for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))]
    named = [node.args[0] for node in calls if isinstance(node, ast.Call) and ast.unparse(node.func) == "Finding"]
    assert {ast.literal_eval(name) for name in named} == set(SECTIONS)
