"""The rules about equations: each display is labelled, each fact is checked, each check compares two routes."""

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
