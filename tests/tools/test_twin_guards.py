"""Each guard of the twins is broken once, and notices."""

import nbformat
import pytest
import twin_engines
from _twin_cells import twin_cells
from nbformat.v4 import new_markdown_cell
from small_notebooks import code, good, printed
from twin_guards import complaints


def spoiled(change):
    """The twin of a small notebook, and the notebook, after a change of the twin."""
    notebook = good()
    twin = nbformat.from_dict({**notebook, "cells": list(twin_cells(notebook.cells))})
    twin.cells[2].source = "## A finding\n\n$$\nk = x^2 / 2\n\\tag{1.1}\n$$\n\nThe next cell runs it."
    twin.cells[0].source = "# A chapter\n\nIt starts from 0.5."
    change(twin)
    return complaints(twin, notebook)


def with_text(text):
    return lambda twin: twin.cells.append(new_markdown_cell(text))


def changed(position, **values):
    return lambda twin: twin.cells[position].update(values)


BROKEN = [
    ("roles", with_text("by {eq}`eq-one`")),
    ("roles", with_text("> *{cite:p}`someone`*")),
    ("directives", with_text(":::{admonition} A\nb\n:::")),
    ("directives", with_text("```{figure} a.png\n```")),
    ("directives", with_text("(place)=\n## H")),
    ("labels", with_text("$$\na\n$$ (eq-one)")),
    ("markup", with_text("<details>\n<summary>**A**</summary>\n</details>")),
    ("markup", with_text("<details>\n<summary><b>A</b></summary>\n$x$ is one\n</details>")),
    ("markup", with_text("costs $ 5 and $6")),
    ("formulas", with_text(r"$\foo$")),
    ("formulas", with_text("$$\n\\frac{1}{\n$$")),
    ("formulas", with_text(r"$x \tag{1}$")),
    ("formulas", with_text("$é$")),
    ("answers", with_text("> **Answer**\n>\n> Yes.")),
    ("answers", with_text("## Solution")),
    ("elements", with_text("<details open>\n<summary><b>Answer</b></summary>\n\nYes.\n\n</details>")),
    ("elements", with_text("<details>\n<summary><b>Answer</b></summary>\n\nYes.")),
    ("elements", with_text("![](data:image/png;base64,AAAA)")),
    ("links", with_text("[there](../book/02_b.ipynb)")),
    ("links", with_text("![A line.](figures/a.png)")),
    ("links", with_text("[there](#nowhere)")),
    ("code", changed(3, source="#@title Check\nother")),
    ("code", changed(3, source="# a comment\n" + good().cells[3].source)),
    ("code", changed(1, outputs=[])),
    ("code", lambda twin: twin.cells.pop(1)),
]


def test_a_twin_without_fault_is_let_through():
    assert {kind: wrong for kind, wrong in spoiled(lambda twin: None).items() if wrong} == {}


@pytest.mark.parametrize(("kind", "change"), BROKEN, ids=[f"{kind}-{i}" for i, (kind, _) in enumerate(BROKEN)])
def test_each_guard_notices_what_it_is_there_to_notice(kind, change):
    assert spoiled(change)[kind] != []


def test_an_open_solution_in_code_is_noticed():
    notebook = good()
    notebook.cells.append(code("print(3)", printed("3"), tags=["hide-cell"]))
    closed = nbformat.from_dict({**notebook, "cells": list(twin_cells(notebook.cells))})
    closed.cells = [cell for cell in closed.cells if cell.cell_type == "code"]
    assert complaints(closed, notebook)["answers"] == []
    closed.cells[-1].metadata = {"jupyter": {"source_hidden": True}}
    assert complaints(closed, notebook)["answers"] == [notebook.cells[-1].id]


def test_the_engines_do_what_their_namesakes_do():
    text = "a $x_1 * y*$ **b** `$z`\n\n| a |\n|---|\n| b |\n\n- [ ] c\n\n~~d~~ https://example.org"
    (github,), (node,) = twin_engines.github([text]), twin_engines.node([text])
    for html in (github, node["html"]):
        assert "<table>" in html and ("<s>d</s>" in html or "<del>d</del>" in html) and 'type="checkbox"' in html
        assert "<code>$z</code>" in html and 'href="https://example.org"' in html and "<em>" not in html
    assert node["formulas"] == [{"tex": "x_1 * y*", "display": False}]
