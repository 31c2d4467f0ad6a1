"""Where the mathematics of a module can be changed, and the module with one change."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

VAELIB = Path(__file__).resolve().parents[1] / "vaelib"
MODULES = ("distributions", "linear", "objectives", "models", "metrics", "likelihoods", "priors")
OPERATORS = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Pow: ast.Mult, ast.MatMult: ast.Mult,
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.And: ast.Or, ast.Or: ast.And, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
METHODS = {
    "sum": "mean", "mean": "sum", "logsumexp": "sum", "square": "abs", "sqrt": "square", "exp": "expm1", "log": "log1p",
    "trace": "sum", "svdvals": "eigvalsh", "diagonal": "flatten", "min": "max", "max": "min", "any": "all",
    "all": "any", "var": "std", "std": "var", "asin": "acos", "acos": "asin", "sigmoid": "tanh", "relu": "abs",
    "add": "sub", "sub": "add", "mul": "div", "div": "mul", "addmm": "addmv", "addcmul": "addcdiv",
    "addcdiv": "addcmul", "pow": "mul", "neg": "abs", "expm1": "exp", "log1p": "log",
}  # fmt: skip
METHODS |= {f"{name}_": f"{other}_" for name, other in METHODS.items()}  # in place: `.add_`, `.mul_`, ...


class Mutant(NamedTuple):
    part: str  # "distributions", "metrics._samples"
    line: int
    what: str
    source: str
    near: frozenset = frozenset()  # names of the function that is changed, and of those that lean on it

    @property
    def module(self) -> str:
        return self.part.partition(".")[0]


def files(module: str) -> dict[str, Path]:
    """The files of a module by their names below vaelib: one, or the private ones of a package."""
    package = VAELIB / module
    if not package.is_dir():
        return {module: VAELIB / f"{module}.py"}
    return {f"{module}.{path.stem}": path for path in sorted(package.glob("_[a-z]*.py"))}


def unchanged(module: str) -> Mutant:
    """No mutant: with it every test has to pass."""
    part, path = next(iter(files(module).items()))
    return Mutant(part, 0, "nothing", ast.unparse(ast.parse(path.read_text(encoding="utf-8"))))


def mutants(module: str) -> Iterator[Mutant]:
    """Every mutant of a module, in the order of its source."""
    for part, path in files(module).items():
        text = path.read_text(encoding="utf-8")
        whole = ast.parse(text)
        for index in range(len(list(_sites(ast.parse(text))))):
            tree = ast.parse(text)
            node, what, change = list(_sites(tree))[index]
            change()
            line = text.splitlines()[node.lineno - 1].strip()
            changed = ast.unparse(ast.fix_missing_locations(tree))
            yield Mutant(part, node.lineno, f"{what} in `{line}`", changed, near(whole, node.lineno))


def near(tree, line: int) -> frozenset:
    """The functions and classes around a line, and all of the same file whose code speaks of one of them."""
    blocks = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    found = {block.name for block in blocks if block.lineno <= line <= block.end_lineno}
    spoken = {block.name: _names(block) - {block.name} for block in blocks}
    before = None
    while before != len(found):
        before = len(found)
        found |= {name for name, words in spoken.items() if words & found}
    return frozenset(found)


def _names(node) -> set:
    return {getattr(part, "attr", getattr(part, "id", None)) for part in ast.walk(node)}


def _sites(tree):
    """(node, what is changed, a function that changes it) of every place that can be changed."""
    for node in _computing_nodes(tree):
        if isinstance(node, ast.BinOp | ast.BoolOp | ast.AugAssign) and type(node.op) in OPERATORS:
            yield node, _swap(node.op), lambda n=node: setattr(n, "op", OPERATORS[type(n.op)]())
        elif isinstance(node, ast.Compare) and type(node.ops[0]) in OPERATORS:
            yield node, _swap(node.ops[0]), lambda n=node: n.ops.__setitem__(0, OPERATORS[type(n.ops[0])]())
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.Not):
            sign = "minus" if isinstance(node.op, ast.USub) else "not"
            yield node, f"{sign} dropped", lambda n=node: setattr(n, "op", ast.UAdd())
        elif isinstance(node, ast.Constant) and type(node.value) in (int, float):
            yield node, f"{node.value} -> {node.value + 1}", lambda n=node: setattr(n, "value", n.value + 1)
        elif isinstance(node, ast.Attribute) and node.attr in METHODS:
            yield node, f"{node.attr} -> {METHODS[node.attr]}", lambda n=node: setattr(n, "attr", METHODS[n.attr])


def _swap(operator) -> str:
    return f"{type(operator).__name__} -> {OPERATORS[type(operator)].__name__}"


def _computing_nodes(node):
    """All nodes in source order, less annotations, messages, and what a function does when it is told nothing."""
    yield node
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "defaults", "kw_defaults") or isinstance(node, ast.JoinedStr):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from _computing_nodes(child)
