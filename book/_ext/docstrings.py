"""What the files of `vaelib` say about themselves, read with `ast`: nothing is imported, so it takes milliseconds."""

import ast
import re
import textwrap
from pathlib import Path
from typing import NamedTuple

import library

SECTION = re.compile(r"^(Args and Returns|Returns, Raises|Args|Attributes|Returns|Raises|Source|Book):[ ]*\n?", re.M)
ITEM = re.compile(r"(\w+(?:, \w+)*): (.*)", re.DOTALL)


class Entry(NamedTuple):
    """A public name: `name` is "pca" or "PCA.encode", `kind` one of function, class, method, property, data."""

    name: str
    kind: str
    signature: str
    doc: str
    members: list["Entry"]


def modules(folder: Path) -> dict[str, ast.Module]:
    """The public modules and packages of the library, by name."""
    return {name: library.tree(name, folder) for name in library.module_names(folder)}


def entries(body, owner: str = "") -> list[Entry]:
    """The public names that a file (or a class) defines, in the order of the file."""
    found = []
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            found.append(_class(node) if isinstance(node, ast.ClassDef) else _function(node, owner))
        elif isinstance(node, ast.Assign) and not owner:
            found += [_constant(node, target.id) for target in node.targets if isinstance(target, ast.Name)]
    return [entry for entry in found if not entry.name.startswith("_")]


def dotted_names(folder: Path) -> list[str]:
    """ "linear.pca", "linear.PCA", "linear.PCA.encode", ... for every public name of the library."""
    found = []
    for module, tree in modules(folder).items():
        for entry in entries(tree.body):
            found += [f"{module}.{part.name}" for part in (entry, *entry.members)]
    return found


def _function(node: ast.FunctionDef, owner: str) -> Entry:
    decorators = [ast.unparse(d) for d in node.decorator_list]
    if owner and "property" in decorators:
        return Entry(f"{owner}.{node.name}", "property", "", ast.get_docstring(node) or "", [])
    if owner and "staticmethod" not in decorators:
        node.args.args = node.args.args[1:]  # self
    returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    name, kind = (f"{owner}.{node.name}", "method") if owner else (node.name, "function")
    return Entry(name, kind, f"({ast.unparse(node.args)}){returns}", ast.get_docstring(node) or "", [])


def _class(node: ast.ClassDef) -> Entry:
    members = [entry for entry in entries(node.body, node.name) if entry.doc]
    made = [part for part in node.body if isinstance(part, ast.FunctionDef) and part.name == "__init__"]
    if made:
        signature = _function(made[0], node.name).signature
    else:
        fields = [part for part in node.body if isinstance(part, ast.AnnAssign)]
        signature = f"({', '.join(_field(field) for field in fields)})" if fields else ""
    return Entry(node.name, "class", signature, ast.get_docstring(node) or "", members)


def _field(field: ast.AnnAssign) -> str:
    return f"{field.target.id}: {ast.unparse(field.annotation)}{' = ...' if field.value else ''}"


def _constant(node: ast.Assign, name: str) -> Entry:
    value = ast.unparse(node.value)
    return Entry(name, "data", "", f"`{value}`" if len(value) < 300 else "", [])


def parts(doc: str) -> tuple[str, list[tuple[str, str]]]:
    """The text before the first section, and (name, text) of each section; "Book" always starts its own."""
    before, *rest = SECTION.split(re.sub(r"(?<=\.) (?=Book: )", "\n", doc))
    sections = [(name, textwrap.dedent(text).strip()) for name, text in zip(rest[::2], rest[1::2], strict=True)]
    return before.strip(), sections


def items(text: str) -> list[tuple[str, str]]:
    """(names, description) of every item of a section; ("", text) for a line that names nothing."""
    lines = [" ".join(item.split()) for item in re.split(r"\n(?=\S)", text)]
    return [match.groups() if (match := ITEM.fullmatch(line)) else ("", line) for line in lines]
