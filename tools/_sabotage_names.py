"""Which names the code of a chapter binds, changes and takes, and so which of it is needed for what."""

import ast
import builtins
from functools import cache

from _sabotage_cells import FUNCTIONS, Cell, called, check_calls, label_of

CHANGERS = {"step", "backward", "load_state_dict", "append", "extend", "update", "fit", "copy_", "requires_grad_"}
BUILTINS = set(dir(builtins))


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


def leaned(cells: list[Cell], place, label, without) -> set:
    """Names on which the checks of a label in one cell lean, directly or not, where some others are taken as given."""
    parts = [(cell.place, ast.Module([node], [])) for cell in cells for node in cell.tree.body]
    about, bodies = _about(tuple(tree for _, tree in parts))
    found, names = set(), set()
    for (where, tree), (bound, changed, taken) in zip(reversed(parts), reversed(about), strict=True):
        if names & (bound | changed) or (where == place and label in map(label_of, check_calls(tree))):
            names = _followed(names - bound | taken, bodies) - without
            found |= names
    return found


@cache
def _about(trees):
    """For every cell the names that it binds, changes and takes; and what the functions of the chapter use."""
    changers = frozenset(_changing_functions(trees))
    return [(stored(tree), _changed(tree, changers), free(tree)) for tree in trees], _bodies(trees)


def lasting(cells: list[Cell]) -> dict:
    """{place: (names that its code binds, names of older objects that it changes)}."""
    about, _ = _about(tuple(cell.tree for cell in cells))
    names = {cell.place: pair[:2] for cell, pair in zip(cells, about, strict=True)}
    return {cell.place: (names[cell.place][0], _older(cell.tree, *names[cell.place])) for cell in cells}


def trains(cells: list[Cell], cell: Cell) -> bool:
    """Whether the code of a cell takes optimisation steps, itself or through a function of the chapter."""
    changers = _training_functions(tuple(cell.tree for cell in cells))
    return any(isinstance(node, ast.Call) and called(node) in changers for node in ast.walk(cell.tree))


@cache
def _training_functions(trees):
    return frozenset(_calling(trees, {"step", "fit", "backward"}))


def _older(tree, bound, changed):
    """Of the names that a cell changes, or adds to in place (`x += y`), those that it has not made itself."""
    nodes = list(_outside(tree))
    made = {name for node in nodes if isinstance(node, ast.Assign) for name in stored(node)}
    added = {name for node in nodes if isinstance(node, ast.AugAssign) for name in stored(node)}
    return (changed - bound) | (added - made)


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


def own_names(nodes):
    """Names bound in a piece of code, without its inner functions."""
    found, todo = set(), list(nodes)
    while todo:
        node = todo.pop()
        if isinstance(node, FUNCTIONS):
            found.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        if not isinstance(node, (*FUNCTIONS, ast.Lambda, ast.ListComp, ast.GeneratorExp, ast.DictComp, ast.SetComp)):
            todo.extend(ast.iter_child_nodes(node))
    return found
