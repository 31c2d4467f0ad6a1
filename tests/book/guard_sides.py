"""Which formulas of vaelib each side of a check leans on: a formula compared with itself proves nothing.

Names are followed through the assignments of the cell, through functions defined anywhere in the notebook, and
through what a vaelib function calls inside vaelib. Names from earlier cells are inputs: they are not followed.
"""

import ast
import copy
from collections import defaultdict
from functools import cache

import library
from library import FUNCTIONS, called, imports

FORMULAS = ("distributions", "linear", "metrics", "models", "objectives")
SIDES = {"label", "left", "right", "smaller", "larger"}


def sides(call):
    """The two compared expressions of a check, or None when they are not written out."""
    named = [keyword.value for keyword in call.keywords if keyword.arg in SIDES]
    both = (call.args + named)[1:3]
    return both if len(both) == 2 and not any(isinstance(side, ast.Starred) for side in both) else None


def defined_functions(trees):
    """{name: [its definition]} of the functions and classes of a notebook."""
    found = defaultdict(list)
    for node in (node for tree in trees for node in ast.walk(tree)):
        if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            found[node.name].append(node)
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda):
            _bind(node.targets[0], node.value, found)
    return found


def assigned(tree):
    """{name: [expressions it depends on]} of one cell, the bodies of functions left out."""
    found = defaultdict(list)
    for node in outside_functions(tree):
        for target, value in _targets(node):
            _bind(target, value, found)
    for node in outside_functions(tree):  # total.append(x) changes a name that the cell assigned
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            owner = getattr(node.value.func, "value", None)
            if isinstance(owner, ast.Name) and owner.id in found:
                found[owner.id].append(node.value)
    return found


def outside_functions(node):
    """The nodes of a tree, without those inside a function or a class."""
    yield node
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, (*FUNCTIONS, ast.ClassDef, ast.Lambda)):
            yield from outside_functions(child)


def _targets(node):
    if isinstance(node, ast.Assign):
        return [(target, node.value) for target in node.targets]
    if isinstance(node, ast.AnnAssign | ast.NamedExpr) and node.value:
        return [(node.target, node.value)]
    if isinstance(node, ast.AugAssign):
        return [(node.target, _part(node.value, "added"))]
    if isinstance(node, ast.For | ast.comprehension):
        return [(node.target, _part(node.iter, "item"))]
    if isinstance(node, ast.withitem) and node.optional_vars:
        return [(node.optional_vars, node.context_expr)]
    return []


def _bind(target, value, found):
    if isinstance(target, ast.Name):
        found[target.id].append(value)
    elif isinstance(target, ast.Tuple | ast.List):
        parts = getattr(value, "elts", [])
        paired = len(parts) == len(target.elts)
        for i, element in enumerate(target.elts):
            _bind(element, parts[i] if paired else _part(value, i), found)
    elif isinstance(target, ast.Starred | ast.Subscript | ast.Attribute):
        _bind(target.value, _part(value, "stored"), found)


def _part(value, which):
    """An expression that depends on `value` without being equal to it."""
    return ast.Subscript(value, ast.Constant(which), ast.Load())


def formulas(expression, follow, imported):
    """Names such as "linear.pca" that an expression reaches, the insides of vaelib included."""
    found = _reached(expression, follow, imported)
    todo = list(found)
    while todo:
        more = _library().get(todo.pop(), set()) - found
        found |= more
        todo.extend(more)
    return found


def _reached(expression, follow, imported):
    found, seen, todo = set(), set(), [expression]
    while todo:
        node = todo.pop()
        hidden = _locals(node)
        visible = {name: full for name, full in imported.items() if name not in hidden}
        for part in ast.walk(node):
            name = (called(part, visible) or "").split(".")
            if name[0] in FORMULAS and len(name) > 1:
                found.add(".".join(name[:2]))
            elif isinstance(part, ast.Name) and part.id not in seen | hidden:
                seen.add(part.id)
                todo.extend(follow.get(part.id, []))
    return found


def _locals(node):
    """Parameters and assigned names of a function: they are not names of the cell."""
    if not isinstance(node, (*FUNCTIONS, ast.Lambda)):
        return set()
    stored = {part.id for part in ast.walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)}
    return stored | {part.arg for part in ast.walk(node) if isinstance(part, ast.arg)}


@cache
def _library():
    """{"linear.pca": public functions of the formula modules that its body calls}."""
    found = {}
    for module in FORMULAS:
        tree = library.tree(module)
        own = {node.name: node for node in tree.body if isinstance(node, FUNCTIONS)}
        public = {name: f"{module}.{name}" for name in own if not name.startswith("_")}
        private = {name: [node] for name, node in own.items() if name.startswith("_")}
        imported = imports([tree]) | public
        found |= {full: _reached(own[name], private, imported) - {full} for name, full in public.items()}
    return {name: used & found.keys() for name, used in found.items()}


def spelled_out(expression, follow):
    """The text of an expression with the cell's own assignments put in, to see that two sides differ."""
    return ast.unparse(_Spell(follow).visit(copy.deepcopy(expression)))


class _Spell(ast.NodeTransformer):
    def __init__(self, follow, inside=()):
        self.follow, self.inside = follow, inside

    def visit_Name(self, node):
        values = self.follow.get(node.id, [])
        if len(values) != 1 or node.id in self.inside:
            return node
        return _Spell(self.follow, (*self.inside, node.id)).visit(copy.deepcopy(values[0]))
