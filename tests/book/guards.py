"""The rules that every chapter keeps. Each guard takes a notebook and returns its problems; none means good.

Here stand the rules about what is taken from vaelib and about the book as a whole; those about cells are in
`guards_cells.py`, about equations in `guards_equations.py`, about findings and folds in `guards_findings.py`, about
sentences in `guards_prose.py`. What a chapter broke before a rule was made is listed in `known_breaches.yml`.
"""

import ast
import re
import sys

import guards_cells
import guards_equations
import guards_findings
import guards_prose
import library
from library import called, imports
from notebook_parts import HIDDEN, calls, code_cells, labels, markdown_texts, tags, tree

FORBIDDEN_WORDS = re.compile(r"\b(simply|obviously)\b", re.IGNORECASE)


def guard_imports_are_public(notebook):
    """What a notebook takes from vaelib is public, and is defined in the file that it names."""
    trees = [tree(cell) for cell in code_cells(notebook)]
    imported = imports(trees)
    used = {called(node, imported) for cell_tree in trees for node in ast.walk(cell_tree)} - {None, ""}
    return [problem for name in sorted(used | set(imported.values()) - {""}) for problem in _import_problems(name)]


def _import_problems(name):
    module, _, member = name.partition(".")
    member = member.partition(".")[0]
    if module.startswith("_") or member.startswith("_"):
        return [f"vaelib.{name} is private"]
    if module not in library.module_names():
        return [f"vaelib has no module {module}"]
    if member and not any(member in library.defined(node) for node in library.tree(module).body):
        return [f"vaelib.{module} does not define {member}"]
    return []


def guard_words_are_kind(notebook):
    found = [word for text in markdown_texts(notebook) for word in FORBIDDEN_WORDS.findall(text)]
    return [f"{word!r} tells the reader that it should be easy" for word in found]


def guard_seed_comes_first(notebook):
    """The first visible cell that uses vaelib sets the seed."""
    visible = [tree(cell) for cell in code_cells(notebook) if not HIDDEN & set(tags(cell))]
    imported = imports(tree(cell) for cell in code_cells(notebook))
    users = [part for part in visible if imports([part]) or any(called(n, imported) for n in ast.walk(part))]
    if users and not calls(users[0], "set_seed"):
        return [f"set_seed(...) is missing from the first visible cell with vaelib: {ast.unparse(users[0])[:60]!r}"]
    return []


def size_problems(path):
    kilobytes = path.stat().st_size / 1024
    return [f"{path.name} has {kilobytes:.0f} KB; it must stay under 600"] if kilobytes >= 600 else []


def toc_problems(toc, names):
    """`toc` is the text of _toc.yml, `names` are files such as "book/01_name.ipynb"."""
    listed = re.findall(r"^\s*-?\s*(?:root|file):\s*[\"']?([^\s\"'#]+)", toc, re.MULTILINE)
    return [f"_toc.yml does not list {name}" for name in names if name.rsplit(".", 1)[0] not in listed]


def book_label_problems(pages):
    """`pages` maps a file name to its notebook; a label may be used once in the whole book."""
    owners = {}
    for name, page in pages.items():
        for label in set(labels(page)):
            owners.setdefault(label, []).append(name)
    return [f"{label} is used in {', '.join(names)}" for label, names in owners.items() if len(names) > 1]


NOTEBOOK_GUARDS = [
    guard
    for module in map(vars, (guards_cells, guards_equations, guards_findings, guards_prose, sys.modules[__name__]))
    for name, guard in module.items()
    if name.startswith("guard_")
]
PAGE_GUARDS = [  # for the pages without code
    guards_equations.guard_displays_are_labelled,
    guards_equations.guard_labels_are_unique,
    guards_equations.guard_equations_are_checked,
    guards_prose.guard_counts_are_counted,
    guard_words_are_kind,
]
