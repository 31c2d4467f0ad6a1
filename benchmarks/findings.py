"""What the findings of chapters 6 and 7 give from other seeds: the cells that `observe` leans on, run once a seed."""

import ast
import os
import symtable
from pathlib import Path
from typing import NamedTuple

import nbformat
import torch

from benchmarks.report import spread
from vaelib import checks
from vaelib.train import set_seed

BOOK = Path(__file__).resolve().parent.parent / "book"
CHAPTERS = {"digits": "06_vae_digits", "faces": "07_faces"}


class Findings(NamedTuple):
    """`runs`, one a seed: {"obs-name: what was measured": {name: value}} of the findings of a chapter."""

    key: str
    device: str
    runs: list

    def __str__(self) -> str:
        return spread(f"{CHAPTERS[self.key]}, {self.device}", self.runs)


def run(key: str, seed: int) -> dict[str, dict[str, float]]:
    """What `observe` is given in a chapter whose every seed is moved by 100 times `seed`."""
    found = {}

    def record(label, measured, what, *, seeds=None, **_settings):
        if seeds is None:  # findings with seeds of their own are measured on the page
            found[f"{label}: {what}"] = {name: float(value) for name, value in measured.items()}

    notebook = nbformat.read(BOOK / f"{CHAPTERS[key]}.ipynb", as_version=4)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    trees = [ast.parse(cell.source) for cell in cells if "hide-input" not in cell.metadata.get("tags", [])]  # no plots
    here, kept = os.getcwd(), checks.observe
    checks.observe = record
    scope = {"set_moved_seed": lambda n: set_seed(n + 100 * seed)}
    try:
        os.chdir(BOOK)
        for tree in needed(trees):
            exec(compile(_Moved().visit(tree), CHAPTERS[key], "exec"), scope)
    finally:
        os.chdir(here)
        checks.observe = kept
    return found


class _Moved(ast.NodeTransformer):
    """set_seed(n) becomes the seed n of this run."""

    def visit_Call(self, node):
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id == "set_seed":
            node.func.id = "set_moved_seed"
        return node


def needed(trees: list[ast.Module]) -> list[ast.Module]:
    """The cells that observe something, and those that make what they use, in order."""
    wanted, kept = set(), []
    for tree in reversed(trees):
        used, made = _names(tree)
        if "observe" in used or wanted & made or "set_seed" in made:
            wanted |= used
            kept.insert(0, tree)
    return kept


def _names(tree):
    """What a cell takes from outside itself or from its own top level, and what it leaves there for later cells."""
    top = symtable.symtable(ast.unparse(tree), "cell", "exec")
    inner = [symbol for table in _inside(top) for symbol in table.get_symbols() if symbol.is_global()]
    used = {symbol.get_name() for symbol in [*top.get_symbols(), *inner] if symbol.is_referenced()}
    made = {symbol.get_name() for symbol in top.get_symbols() if symbol.is_assigned() or symbol.is_imported()}
    return used, made


def _inside(table):
    for child in table.get_children():
        yield child
        yield from _inside(child)


def measure(key: str, device: torch.device, seeds=(1, 2, 3)) -> Findings:
    """The findings of a chapter from other seeds than its own."""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
    return Findings(key, name, [run(key, seed) for seed in seeds])
