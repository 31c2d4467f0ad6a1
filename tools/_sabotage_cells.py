"""A chapter as sabotage sees it: its code cells, what each needs and changes, what its checks declare."""

import ast
import builtins
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

import nbformat
from IPython.core.inputtransformer2 import TransformerManager

CHECKS = ("check", "check_bound")
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
CHANGERS = {"step", "backward", "load_state_dict", "append", "extend", "update", "fit", "copy_", "requires_grad_"}
BUILTINS = set(dir(builtins))
QUANTIFIER = r"\b(?:every|any|all|each|whatever|arbitrary)\b[^.]{0,60}?"


class Cell(NamedTuple):
    """One code cell: its tree, the section of level 2 it stands in, and the labels that its checks name."""

    place: int
    tree: ast.Module
    section: int
    labels: tuple
    declared: dict  # {label: {symbol: (names in the code)}}
    text: str  # the prose of its section of level 2 or 3


def read(path: Path) -> list[Cell]:
    """The code cells of a notebook, without the cell that installs vaelib in Colab."""
    cells, section = [], 0
    texts = _texts(notebook := nbformat.read(path, as_version=4))
    for place, cell in enumerate(notebook.cells):
        if cell.cell_type == "markdown":
            section += bool(re.search(r"^## ", cell.source, re.MULTILINE))
        elif cell.source.strip() and not cell.source.startswith("def install_vaelib"):
            tree = ast.parse(TransformerManager().transform_cell(cell.source))
            labels = tuple(dict.fromkeys(label for call in check_calls(tree) if (label := label_of(call))))
            declared = _declared(cell.metadata.get("vaelib", {}).get("any", {}), labels)
            cells.append(Cell(place, tree, section, labels, declared, texts[place]))
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


def needed(cells: list[Cell], wanted) -> list[int]:
    """Places of the cells without which the cells at `wanted` cannot run, those included, in order."""
    about, bodies = _about(tuple(cell.tree for cell in cells))
    found, names = [], set()
    for cell, (bound, changed, taken) in zip(reversed(cells), reversed(about), strict=True):
        if cell.place in wanted or names & (bound | changed):
            found.append(cell.place)
            names = _followed(names - bound | taken, bodies)
    return found[::-1]


def thinned(cells: list[Cell], labels) -> list[Cell]:
    """The cells with only those statements on which the checks of some labels lean: no figures, nothing printed."""
    parts = [cell._replace(place=(cell.place, at), tree=ast.Module([node], []))
             for cell in cells for at, node in enumerate(cell.tree.body)]  # fmt: skip
    checking = {part.place for part in parts if {label_of(call) for call in check_calls(part.tree)} & set(labels)}
    seeding = {part.place for part in parts if {called(node) for node in ast.walk(part.tree)
               if isinstance(node, ast.Call)} & {"set_seed", "manual_seed", "set_default_dtype"}}  # fmt: skip
    kept = checking | seeding | set(needed(parts, checking))
    bodies = [[node for at, node in enumerate(cell.tree.body) if (cell.place, at) in kept] for cell in cells]
    return [cell._replace(tree=ast.Module(body, [])) for cell, body in zip(cells, bodies, strict=True)]


@cache
def _about(trees):
    """For every cell the names that it binds, changes and takes; and what the functions of the chapter use."""
    changers = frozenset(_changing_functions(trees))
    return [(stored(tree), _changed(tree, changers), free(tree)) for tree in trees], _bodies(trees)


def lasting(cells: list[Cell]) -> dict:
    """{place: (names that its code binds, names of older objects that it changes)}."""
    about, _ = _about(tuple(cell.tree for cell in cells))
    cells = [(cell.place, bound, (changed - bound) | _added(cell.tree)) for cell, (bound, changed, _) in zip(cells, about)]
    return {place: (bound, changed) for place, bound, changed in cells}


def trains(cells: list[Cell], cell: Cell) -> bool:
    """Whether the code of a cell takes optimisation steps, itself or through a function of the chapter."""
    changers = _training_functions(tuple(cell.tree for cell in cells))
    return any(isinstance(node, ast.Call) and called(node) in changers for node in ast.walk(cell.tree))


@cache
def _training_functions(trees):
    return frozenset(_calling(trees, {"step", "fit", "backward"}))


def _added(tree):
    """Names to whose objects something is added in place, `x += y`, unless the cell has made them itself."""
    made = {target.id for node in _outside(tree) if isinstance(node, ast.Assign) for target in node.targets
            if isinstance(target, ast.Name)}  # fmt: skip
    return {n.target.id for n in _outside(tree) if isinstance(n, ast.AugAssign) and isinstance(n.target, ast.Name)} - made


def _bodies(trees):
    """{function: names of the chapter that its body uses}: looked up when it is called, not where it stands."""
    found = {}
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, FUNCTIONS):
                found.setdefault(node.name, set()).update(free(node))
            elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda):
                for target in node.targets:
                    found.setdefault(ast.unparse(target), set()).update(free(node.value))
    return found


def _followed(names, bodies):
    todo, found = list(names), set()
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo.extend(bodies.get(name, ()))
    return found


def stored(tree):
    """Names that a cell binds outside its functions."""
    found = set()
    for node in _outside(tree):
        if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            found.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
    return found


def _outside(node):
    yield node
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (*FUNCTIONS, ast.ClassDef, ast.Lambda)):
            yield child
        else:
            yield from _outside(child)


def free(node):
    """Names that a piece of code takes from outside: neither its parameters nor what its functions bind."""
    if isinstance(node, ast.Name):
        return {node.id} - BUILTINS if isinstance(node.ctx, ast.Load) else set()
    names = set().union(*[free(child) for child in ast.iter_child_nodes(node)])
    if isinstance(node, (*FUNCTIONS, ast.Lambda)):
        own = {part.arg for part in ast.walk(node.args) if isinstance(part, ast.arg)}
        body = node.body if isinstance(node.body, list) else [node.body]
        return names - own - set().union(*[stored(part) for part in body])
    if isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
        return names - set().union(*[stored(part.target) for part in node.generators])
    return names


def _changing_functions(trees):
    """Functions of the chapter that change what they are given: they train, append or fill."""
    return _calling(trees, CHANGERS)


def _calling(trees, names):
    """Names, and the functions of the chapter that call them, directly or not."""
    found, before = set(names), None
    functions = [node for tree in trees for node in ast.walk(tree) if isinstance(node, FUNCTIONS)]
    calls = [(f.name, {called(node) for node in ast.walk(f) if isinstance(node, ast.Call)}) for f in functions]
    while before != len(found):
        before = len(found)
        found |= {name for name, said in calls if said & found}
    return found


def _changed(tree, changers):
    """Names whose objects a cell changes without binding them anew."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Subscript) and isinstance(node.ctx, ast.Store):
            found |= _base(node)
        elif isinstance(node, ast.Call) and called(node) in changers:
            for part in (node.func, *node.args, *(keyword.value for keyword in node.keywords)):
                found |= _base(part)
        elif isinstance(node, ast.Expr) and isinstance(getattr(node.value, "func", None), ast.Attribute):
            found |= _base(node.value.func)
        elif isinstance(node, ast.keyword) and node.arg == "generator":
            found |= _base(node.value)
    drawn = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and _base(node) & {"rng"}]
    return found | ({"rng"} if drawn else set())


def _base(node):
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call | ast.Starred):
        node = node.func if isinstance(node, ast.Call) else node.value
    return {node.id} if isinstance(node, ast.Name) else set()
