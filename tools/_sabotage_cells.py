"""A chapter as sabotage sees it: its code cells, what each needs and changes, what its checks declare."""

import ast
import re
from pathlib import Path
from typing import NamedTuple

import nbformat
from IPython.core.inputtransformer2 import TransformerManager

CHECKS = ("check", "check_bound")
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
FORMULA = re.compile(r"\$\$(.*?)\$\$ \(([\w-]+)\)", re.DOTALL)
QUANTIFIER = r"\b(?:every|any|all|each|whatever|arbitrary)\b[^.]{0,60}?"


class Cell(NamedTuple):
    """One code cell: its tree, the section of level 2 it stands in, and the labels that its checks name."""

    place: int
    tree: ast.Module
    section: int
    labels: tuple
    declared: dict  # {label: {symbol: (names in the code)}}
    text: str  # the prose of its section of level 2 or 3
    formulas: dict[str, str]  # of the whole chapter: {label: what is typeset, without blanks}


def read(path: Path) -> list[Cell]:
    """The code cells of a notebook, without the cell that installs vaelib in Colab."""
    cells, section = [], 0
    texts = _texts(notebook := nbformat.read(path, as_version=4))
    prose = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    formulas = {label: re.sub(r"\s", "", formula) for formula, label in FORMULA.findall(prose)}
    for place, cell in enumerate(notebook.cells):
        if cell.cell_type == "markdown":
            section += bool(re.search(r"^## ", cell.source, re.MULTILINE))
        elif cell.source.strip() and not cell.source.startswith("def install_vaelib"):
            tree = ast.parse(TransformerManager().transform_cell(cell.source))
            labels = tuple(dict.fromkeys(label for call in check_calls(tree) if (label := label_of(call))))
            declared = _declared(cell.metadata.get("vaelib", {}).get("any", {}), labels)
            cells.append(Cell(place, tree, section, labels, declared, texts[place], formulas))
    return cells


def _texts(notebook):
    """For every cell the prose under its heading, mathematics without its dollars."""
    groups, group = {}, []
    for place, cell in enumerate(notebook.cells):
        if cell.cell_type == "markdown" and re.search(r"^###? ", cell.source, re.MULTILINE):
            group = []
        if cell.cell_type == "markdown":
            group.append(re.sub(r"[$`*]", "", cell.source))
        groups[place] = group
    return {place: "\n".join(group) for place, group in groups.items()}


def _declared(said, labels):
    """`any` of a cell's metadata, written out: a list speaks for every label, a name for its symbol without log_."""
    said = said if isinstance(said, dict) else dict.fromkeys(labels, said)
    return {label: _symbols(names) for label, names in said.items()}


def _symbols(names):
    if not isinstance(names, dict):
        names = {name.removeprefix("log_"): name for name in ([names] if isinstance(names, str) else names)}
    return {symbol: tuple([code] if isinstance(code, str) else code) for symbol, code in names.items()}


def is_said(symbol, text):
    """Whether a text says that something holds for every `symbol`."""
    return re.search(QUANTIFIER + rf"(?<!\w){re.escape(symbol)}(?!\w)", text, re.IGNORECASE | re.DOTALL) is not None


def check_calls(tree):
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call) and called(node) in CHECKS]


def called(node):
    return getattr(node.func, "attr", getattr(node.func, "id", None))


def label_of(call):
    """The label of a check when it is one that a statement or a step carries."""
    named = [keyword.value for keyword in call.keywords if keyword.arg == "label"]
    first = (call.args + named + [None])[0]
    label = first.value if isinstance(first, ast.Constant) else None
    return label if isinstance(label, str) and label.startswith(("eq-", "step-")) else None
