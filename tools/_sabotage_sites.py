"""Where a chapter can be attacked: its code, rewritten so that every use of a name can be replaced while it runs.

`log_q(z)` becomes `_sabotage.call(7, log_q)(z)`, `x = f(y)` becomes `x = _sabotage.define(8, ...)`, and so on; the
numbers are those of `Site`. What the wrong formulas of a check compute is left out: they earn nothing here.
"""

import ast
import builtins
from typing import NamedTuple

from _sabotage_cells import CHECKS, called
from _sabotage_names import own_names

INPUTS = {
    "linspace", "arange", "zeros", "ones", "eye", "full", "randn", "rand", "randint", "normal", "uniform", "tensor",
    "standard_normal", "dirichlet", "default_rng", "array", "manual_seed", "Generator", "sqrt", "set_seed",
    "randperm", "bernoulli", "logspace", "geomspace", "double", "float", "hermegauss", "qr",
}  # fmt: skip
NEVER = {*CHECKS, "exercise", "observe", "print", "display", "set_seed", "get_ipython", *dir(builtins)}


class Site(NamedTuple):
    """One place in the code. Sites with one `name` belong together."""

    name: str
    kind: str  # "function", "packer" (returns several things), "array" or "input" (a grid, a draw): defined; "use"
    text: str
    place: int
    line: int


class Rewriter(ast.NodeTransformer):
    """Rewrites the cells of a chapter one after the other; `sites` grows."""

    def __init__(self):
        self.sites, self.modules, self.given = [], set(), set()  # given: settings, grids and draws
        self.scopes, self.place = [], 0  # scopes: (name of the function, its own names, its parameters)

    def cell(self, cell):
        self.place = cell.place
        tree = ast.parse(ast.unparse(cell.tree))  # a copy; also joins what a line break has split
        names = [alias for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
        self.modules |= {alias.asname or alias.name.split(".")[0] for alias in names}
        return compile(ast.fix_missing_locations(self.visit(tree)), f"cell {cell.place}", "exec")

    def _site(self, name, kind, node, text=None):
        self.sites.append(Site(name, kind, text or ast.unparse(node), self.place, getattr(node, "lineno", 0)))
        return ast.Constant(len(self.sites) - 1)

    def _hook(self, hook, *arguments):
        return ast.Call(ast.Attribute(ast.Name("_sabotage", ast.Load()), hook, ast.Load()), list(arguments), [])

    def _owner(self, name):
        """The full name of a variable, or None for a parameter, a loop variable or a module."""
        for scope, own, parameters in reversed(self.scopes):
            if name in parameters:
                return None
            if name in own:
                return f"{scope}.{name}"
        return None if name in self.modules or name in NEVER else name

    def visit_FunctionDef(self, node):
        name = self._owner(node.name) or node.name
        site = self._site(name, "packer" if _packs(node) else "function", node, node.name)
        self._enter(node, name)
        node.body = [self.visit(part) for part in node.body]
        self.scopes.pop()
        node.decorator_list.insert(0, self._hook("function", site))
        return node

    def _enter(self, node, name):
        parameters = {part.arg for part in ast.walk(node.args) if isinstance(part, ast.arg)}
        stored = own_names(node.body if isinstance(node.body, list) else [node.body])
        self.scopes.append((name, stored - parameters, parameters))

    def _as_it_is(self, node):
        return node

    visit_ClassDef = visit_JoinedStr = visit_AnnAssign = _as_it_is

    def visit_Lambda(self, node):
        self._enter(node, f"lambda {len(self.sites)}")
        node.body = self.visit(node.body)
        self.scopes.pop()
        return node

    def _comprehension(self, node):
        targets = {name for part in node.generators for name in own_names([part.target])}
        self.scopes.append(("", set(), targets))
        self.generic_visit(node)
        self.scopes.pop()
        return node

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _comprehension

    def visit_For(self, node):
        loop = own_names([node.target])
        scope, own, parameters = self.scopes[-1] if self.scopes else ("", set(), set())
        self.scopes.append((scope, own, parameters | loop) if self.scopes else ("", set(), loop))
        self.generic_visit(node)
        self.scopes.pop()
        return node

    def visit_Assign(self, node):
        target = node.targets[0]
        function = isinstance(node.value, ast.Lambda)
        if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
            pairs = zip(target.elts, node.value.elts, strict=False)
            node.value.elts = [self._defined(to, value, False) for to, value in pairs]
        elif isinstance(target, ast.Tuple) and all(isinstance(to, ast.Name) for to in target.elts):
            kind = "input" if _is_input(node.value, self.given) else "array"
            ids = [self._site(self._owner(to.id) or to.id, kind, to) for to in target.elts]
            node.value = self._hook("unpack", ast.Tuple(ids, ast.Load()), self.visit(node.value))
        else:
            node.value = self._defined(target, node.value, function)
        return node

    def _defined(self, target, value, function):
        name = getattr(target, "id", None)
        kind, constant = "input" if _is_input(value, self.given) else "array", isinstance(value, ast.Constant)
        if name and not self.scopes:
            (self.given.add if kind == "input" else self.given.discard)(name)
        value = self.visit(value)
        if not name or constant or self._owner(name) is None:
            return value
        if function:
            return ast.Call(self._hook("function", self._site(self._owner(name), "function", target)), [value], [])
        return self._hook("define", self._site(self._owner(name), kind, target, name), value)

    def visit_Call(self, node):
        if called(node) in CHECKS:
            node.keywords = [keyword for keyword in node.keywords if keyword.arg not in ("wrong", "margin")]
        text = ast.unparse(node)
        if isinstance(node.func, ast.Name):
            owner = self._owner(node.func.id)
            func = self._hook("call", self._site(owner, "use", node, text), node.func) if owner else node.func
        elif isinstance(node.func, ast.Attribute):
            func = self._member(node.func, text, True)
        else:
            func = self.visit(node.func)
        node.args = [self.visit(argument) for argument in node.args]
        node.keywords = [ast.keyword(keyword.arg, self.visit(keyword.value)) for keyword in node.keywords]
        node.func = func
        return node

    def _member(self, node, text, is_called):
        name = ast.unparse(node)
        if self._is_of_module(node):
            return node
        base, site = self.visit(node.value), self._site(name, "use", node, text)
        return self._hook("member", site, base, ast.Constant(node.attr), ast.Constant(is_called))

    def _is_of_module(self, node):
        """Whether it is `np.exp` and not `np.exp(x).sum`: what a call is given may be attacked."""
        while isinstance(node, ast.Attribute):
            node = node.value
        return isinstance(node, ast.Name) and node.id in self.modules

    def visit_Attribute(self, node):
        if isinstance(node.ctx, ast.Load) and node.attr != "shape":
            return self._member(node, ast.unparse(node), False)
        return self.generic_visit(node)

    def visit_Name(self, node):
        owner = self._owner(node.id)
        if not isinstance(node.ctx, ast.Load) or owner is None:
            return node
        return self._hook("use", self._site(owner, "use", node), node)

    def visit_Subscript(self, node):
        by_name = isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str)
        text = ast.unparse(node)
        self.generic_visit(node)
        if not (by_name and isinstance(node.ctx, ast.Load)):
            return node
        return self._hook("use", self._site(text, "use", node, text), node)


def _packs(function):
    """Whether a function returns several quantities side by side: its parts are attacked instead of the whole."""
    values = [node.value for node in ast.walk(function) if isinstance(node, ast.Return)]
    packed = ast.Tuple | ast.List | ast.Dict
    first = [node.args[0] for node in values if isinstance(node, ast.Call) and node.args]
    return any(isinstance(node, packed) for node in values) or any(isinstance(node, ast.List) for node in first)


def _is_input(value, given):
    """Whether an expression makes a setting, a grid or a draw: constants, such names, arithmetic and constructors."""
    calls = [node for node in ast.walk(value) if isinstance(node, ast.Call)]
    if not calls:
        names = {node.id for node in ast.walk(value) if isinstance(node, ast.Name)}
        return names <= given and not any(isinstance(node, ast.Subscript | ast.Attribute) for node in ast.walk(value))
    return all(called(call) in INPUTS and isinstance(call.func, ast.Attribute) for call in calls)
