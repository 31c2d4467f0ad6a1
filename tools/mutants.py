"""Change every operator, constant and reduction of the mathematics, one at a time, and see which test notices.

    python -m tools.mutants              all mutants against the unit tests, a sample against the notebooks
    python -m tools.mutants objectives   one module, unit tests only

Every mutant runs in a forked child, so that torch is imported once. A table goes to tools/mutants.md.
(The packaged testers start Python anew for each mutant, and none of them swaps a sum for a mean.)
"""

import ast
import contextlib
import datetime
import importlib.abc
import importlib.util
import io
import multiprocessing
import os
import random
import signal
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
MODULES = ("distributions", "linear", "objectives")
EQUIVALENT = {  # mutants that compute the same thing, and why
    "sum -> mean in `if not discarded.sum() > 0:": "a mean is positive when the sum is; of nothing it is NaN",
}
SAMPLE, SEED, SECONDS = 24, 0, 300

OPERATORS = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Pow: ast.Mult, ast.MatMult: ast.Mult,
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.And: ast.Or, ast.Or: ast.And,
}  # fmt: skip
REDUCTIONS = {
    "sum": "mean", "mean": "sum", "logsumexp": "sum", "square": "abs", "sqrt": "square", "exp": "expm1", "log": "log1p",
    "trace": "sum", "svdvals": "eigvalsh", "diagonal": "flatten",
}  # fmt: skip


class Mutant(NamedTuple):
    module: str
    line: int
    what: str
    source: str


def mutants(module: str):
    """Every mutant of a module, in the order of its source."""
    text = (ROOT / "vaelib" / f"{module}.py").read_text(encoding="utf-8")
    for index in range(len(list(_sites(ast.parse(text))))):
        tree = ast.parse(text)
        node, what, change = list(_sites(tree))[index]
        change()
        line = text.splitlines()[node.lineno - 1].strip()
        yield Mutant(module, node.lineno, f"{what} in `{line}`", ast.unparse(ast.fix_missing_locations(tree)))


def _sites(tree):
    """(node, what is changed, a function that changes it) of every place that can be changed."""
    for node in _computing_nodes(tree):
        if isinstance(node, ast.BinOp | ast.BoolOp) and type(node.op) in OPERATORS:
            yield node, _swap(node.op), lambda n=node: setattr(n, "op", OPERATORS[type(n.op)]())
        elif isinstance(node, ast.Compare) and type(node.ops[0]) in OPERATORS:
            yield node, _swap(node.ops[0]), lambda n=node: n.ops.__setitem__(0, OPERATORS[type(n.ops[0])]())
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            yield node, "minus dropped", lambda n=node: setattr(n, "op", ast.UAdd())
        elif isinstance(node, ast.Constant) and type(node.value) in (int, float):
            yield node, f"{node.value} -> {node.value + 1}", lambda n=node: setattr(n, "value", n.value + 1)
        elif isinstance(node, ast.Attribute) and node.attr in REDUCTIONS:
            yield node, f"{node.attr} -> {REDUCTIONS[node.attr]}", lambda n=node: setattr(n, "attr", REDUCTIONS[n.attr])


def _swap(operator) -> str:
    return f"{type(operator).__name__} -> {OPERATORS[type(operator)].__name__}"


def _computing_nodes(node):
    """All nodes in source order, less annotations and the text of messages."""
    yield node
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns") or isinstance(node, ast.JoinedStr):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from _computing_nodes(child)


class _Loader(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports the mutant in place of its module."""

    def __init__(self, mutant: Mutant):
        self.mutant = mutant

    def find_spec(self, name, path=None, target=None):
        if name == f"vaelib.{self.mutant.module}":
            return importlib.util.spec_from_loader(name, self)
        return None

    def exec_module(self, module):
        exec(compile(self.mutant.source, f"{self.mutant.module}.py", "exec"), module.__dict__)


def by_unit_tests(mutant: Mutant) -> str:
    """ "killed", "timeout" or "survived"."""
    import pytest

    _enter(mutant)
    others = [name for name in MODULES if name != mutant.module]
    files = [str(ROOT / "tests" / f"test_{name}.py") for name in (mutant.module, *others)]
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        try:
            code = pytest.main(["-x", "-q", "-p", "no:cacheprovider", *files])
        except TimeoutError:
            return "timeout"
    return "survived" if code == 0 else "killed"


def by_notebooks(mutant: Mutant) -> str:
    """Which chapter refuses the mutant first, and how; "survived" when none does."""
    import nbformat

    _enter(mutant)
    os.chdir(ROOT / "book")
    chapters = sorted(Path(".").glob("0[0-5]_*.ipynb"), key=lambda path: (path.stem < "03", path.stem))
    for path in chapters:  # the derivations first: they run in seconds
        cells = [cell for cell in nbformat.read(path, 4).cells if cell.cell_type == "code"]
        if any("vaelib." in cell.source for cell in cells):
            refusal = _run(cells)
            if refusal:
                return f"{path.stem}: {refusal}"
    return "survived"


def _run(cells) -> str:
    """What a reader would see first: the error of a cell, a text that differs from the stored one, or nothing."""
    import matplotlib
    import torch

    matplotlib.use("Agg")
    torch.set_default_dtype(torch.float32)
    space = {"__name__": "__main__"}
    for cell in cells:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(io.StringIO()):
            try:
                exec(compile(cell.source, "cell", "exec"), space)
            except Exception as error:
                return type(error).__name__
        stored = "".join(out.text for out in cell.outputs if out.output_type == "stream" and out.name == "stdout")
        if "nbval-ignore-output" not in cell.metadata.get("tags", []) and printed.getvalue() != stored:
            return "another text"
    return ""


def _enter(mutant: Mutant) -> None:
    import torch

    torch.set_num_threads(1)
    sys.meta_path.insert(0, _Loader(mutant))
    sys.path.insert(0, str(ROOT / "tests"))
    signal.signal(signal.SIGALRM, _too_long)
    signal.alarm(SECONDS)


def _too_long(*_):
    raise TimeoutError


def table(found: list[Mutant], verdicts: list[str], sample: list[Mutant], by_chapter: list[str]) -> str:
    lines = [f"# Mutants, {datetime.date.today()}", "", "| module | mutants | killed | survived |", "|---|---|---|---|"]
    for module in MODULES:
        own = [v for m, v in zip(found, verdicts, strict=True) if m.module == module]
        lines.append(f"| {module} | {len(own)} | {len(own) - own.count('survived')} | {own.count('survived')} |")
    lines += ["", "Survivors of the unit tests:", ""]
    lines += [_survivor(m) for m, v in zip(found, verdicts, strict=True) if v == "survived"]
    killed = sum(v != "survived" for v in by_chapter)
    lines += [
        "",
        f"Of a sample of {len(sample)} (seed {SEED}) the notebooks refuse {killed}. CheckFailed: a check refuses it;",
    ]
    lines += ["another text: a compared output differs; any other name: the error that stops the cell.", ""]
    lines += [f"- {m.module}:{m.line} {m.what}: {v}" for m, v in zip(sample, by_chapter, strict=True)]
    return "\n".join(lines) + "\n"


def _survivor(mutant: Mutant) -> str:
    why = next((reason for start, reason in EQUIVALENT.items() if mutant.what.startswith(start)), "NOT EQUIVALENT")
    return f"- {mutant.module}:{mutant.line} {mutant.what}: {why}"


def main() -> None:
    chosen = sys.argv[1:] or MODULES
    found = [mutant for module in chosen for mutant in mutants(module)]
    print(f"{len(found)} mutants", flush=True)
    import pytest  # noqa: F401  imported once, here, for all children
    import torch  # noqa: F401

    with multiprocessing.get_context("fork").Pool(2, maxtasksperchild=1) as pool:
        verdicts = pool.map(by_unit_tests, found, chunksize=1)
        behaving = [m for m, v in zip(found, verdicts, strict=True) if v != "survived"]
        sample = random.Random(SEED).sample(behaving, min(SAMPLE, len(behaving))) if not sys.argv[1:] else []
        by_chapter = pool.map(by_notebooks, sample, chunksize=1)
    text = table(found, verdicts, sample, by_chapter)
    print(text)
    if not sys.argv[1:]:
        (ROOT / "benchmarks" / "mutants.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
