"""The rules about equations: each display is labelled, each fact is checked, each check compares two routes."""

import ast
import re
from collections import Counter

from guard_sides import assigned, defined_functions, formulas, imports, outside_functions, sides, spelled_out
from notebook_parts import (
    DISPLAY,
    check_calls,
    code_cells,
    displays,
    first_line,
    label_of,
    labels,
    markdown_texts,
    output_texts,
    sections,
    tree,
)

AMSMATH = re.compile(r"^\s*\\begin\{(equation|align|alignat|gather|multline|eqnarray)\*?\}", re.MULTILINE)


def guard_displays_are_labelled(notebook):
    found = []
    for text in markdown_texts(notebook):
        found += [
            f"$$ {formula[:60]} $$ must be followed by ' (eq-...)', ' (def-...)' or ' (step-...)'"
            for formula, label in displays(text)
            if not label
        ]
        if AMSMATH.search(DISPLAY.sub("", text)):
            found.append("write $$ ... $$ (eq-...) around an environment of amsmath")
        if len(re.findall(r"(?<!\\)\$\$", text)) % 2:
            found.append(f"a $$ is not closed in the cell that starts {text.strip()[:60]!r}")
    sources = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    if re.search(r"^\s*(```+|:::+)\s*\{math\}", "\n".join(sources), re.MULTILINE):
        found.append("write $$ ... $$ (eq-...): the {math} directive is not shown in Colab")
    return found


def guard_labels_are_unique(notebook):
    return [f"{label} labels {times} displays" for label, times in Counter(labels(notebook)).items() if times > 1]


def guard_equations_are_checked(notebook):
    return [
        f"{label} has no check in its section"
        for stated, checked in sections(notebook)
        for label in stated
        if label.startswith("eq-") and label not in checked
    ]


def guard_checks_name_a_label(notebook):
    known = set(labels(notebook))
    found = []
    for cell in code_cells(notebook):
        named = [label_of(call) for call in check_calls(cell)]
        found += [
            f"{first_line(cell)} checks {label!r}, which labels nothing here" for label in named if label not in known
        ]
    return found


def guard_wrong_formulas_are_computed(notebook):
    """Every fact refuses a wrong formula that is computed beside the right one, not a constant."""
    tried, facts = set(), set()
    for cell in code_cells(notebook):
        here = assigned(tree(cell))
        for call in check_calls(cell):
            facts.add(label_of(call))
            wrong = [
                value for keyword in call.keywords if keyword.arg == "wrong" for value in _values(keyword.value, here)
            ]
            if any(is_computed(value, here) for value in wrong):
                tried.add(label_of(call))
    return [
        f"{label} refuses no wrong formula: give its check a wrong={{'what is wrong': a computed value}}"
        for label in labels(notebook)
        if label.startswith("eq-") and label in facts - tried
    ]


def _values(node, here):
    """The values of a dictionary, which may have a name in its cell."""
    if isinstance(node, ast.Name):
        return [value for source in here.get(node.id, []) for value in _values(source, here)]
    return node.values if isinstance(node, ast.Dict) else [node.value] if isinstance(node, ast.DictComp) else []


def is_computed(node, here, inside=()):
    """Whether an expression depends on something; `torch.zeros(3)`, `-1.5` and `full_like(x, 2)` do not."""
    if isinstance(node, ast.Call):
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        if re.fullmatch(r"(new_)?(zeros|ones|full|empty|eye)(_like)?", name):
            return False
        owner = [node.func.value] if isinstance(node.func, ast.Attribute) else []
        return any(is_computed(part, here, inside) for part in [*owner, *node.args, *(k.value for k in node.keywords)])
    if isinstance(node, ast.Name) and node.id in {"np", "torch", "math", "numpy"} | set(inside):
        return False
    if isinstance(node, ast.Name):
        sources = here.get(node.id, [])
        return not sources or any(is_computed(source, here, (*inside, node.id)) for source in sources)
    return any(is_computed(part, here, inside) for part in ast.iter_child_nodes(node))


def guard_checks_hold(notebook):
    """The stored output of a check says that it held."""
    return [
        f"{first_line(cell)} does not print '{label_of(call)} holds:'"
        for cell in code_cells(notebook)
        for call in check_calls(cell)
        if f"{label_of(call)} holds:" not in "\n".join(output_texts(cell))
    ]


def guard_sides_are_independent(notebook):
    trees = [tree(cell) for cell in code_cells(notebook)]
    imported, functions = imports(trees), defined_functions(trees)
    return [
        f"{first_line(cell)}, {label_of(call)}: {problem}"
        for cell in code_cells(notebook)
        for call in check_calls(cell)
        for problem in _side_problems(call, tree(cell), imported, functions)
    ]


def _side_problems(call, cell_tree, imported, functions):
    if sides(call) is None or call not in list(outside_functions(cell_tree)):
        return ["write both sides out, in a check at the top level of the cell"]
    here = assigned(cell_tree)
    follow = {name: functions.get(name, []) + here.get(name, []) for name in functions.keys() | here.keys()}
    left, right = sides(call)
    if spelled_out(left, here) == spelled_out(right, here):
        return ["the two sides are the same expression"]
    shared = formulas(left, follow, imported) & formulas(right, follow, imported)
    return [f"both sides use vaelib.{name}; what both start from belongs in an earlier cell" for name in sorted(shared)]
