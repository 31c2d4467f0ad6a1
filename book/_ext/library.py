"""Where the names of `vaelib` stand, read from its files without importing one: for the pages, the tests and the tools.

A public module is `name.py`, or a package `name/` whose `__init__.py` takes its public names from private parts
(`_part.py` beside it) and lists them in `__all__`. What begins with an underscore is nobody's business.
"""

import ast
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "vaelib"
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def module_names(folder: Path = FOLDER) -> list[str]:
    """Every public module or package."""
    found = [path.stem for path in folder.glob("*.py")] + [path.parent.name for path in folder.glob("*/__init__.py")]
    return sorted(name for name in found if not name.startswith("_"))


def files(name: str, folder: Path = FOLDER) -> list[Path]:
    """The Python files of a module, its face first: one, or those of a package; none where there is no such module."""
    package = folder / name
    if (package / "__init__.py").exists():
        return [package / "__init__.py", *sorted(package.glob("_[a-z]*.py"))]
    return [path] if (path := folder / f"{name}.py").exists() else []


def tree(name: str, folder: Path = FOLDER) -> ast.Module:
    """A module as one syntax tree; of a package the face, then what its private parts define of `__all__`."""
    face, *parts = [_parsed(path, path.stat().st_mtime_ns) for path in files(name, folder)]
    public = _all_of(face)
    body = {name: node for part in parts for node in part.body for name in defined(node)}
    return ast.Module([*face.body, *(body[name] for name in public if name in body)], [])


def defined(node: ast.stmt) -> set[str]:
    """The names that one statement at the top of a file defines: a function, a class, or constants."""
    if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
        return {node.name}
    if isinstance(node, ast.Assign | ast.AnnAssign):
        return {part.id for part in ast.walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)}
    return set()


def imports(trees: Iterable[ast.AST]) -> dict[str, str]:
    """What is imported from vaelib: {name in the notebook: "linear.pca", or "linear" for a module}."""
    found = {}
    for node in (node for part in trees for node in ast.walk(part)):
        if isinstance(node, ast.ImportFrom):
            found |= {alias.asname or alias.name: name for alias, name in taken(node)}
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == "vaelib":
                    found[alias.asname or "vaelib"] = alias.name.partition(".")[2] if alias.asname else ""
    return found


def taken(node: ast.ImportFrom) -> Iterator[tuple[ast.alias, str]]:
    """(alias, "linear.pca") of every name that `from vaelib... import ...` takes."""
    head, *inside = (node.module or "").split(".")
    if head == "vaelib":
        yield from ((alias, ".".join([*inside, alias.name])) for alias in node.names)


def called(node: ast.expr, imported: dict[str, str]) -> str | None:
    """ "linear.pca" for an expression that names it, whatever it was imported as; None for other expressions."""
    if not isinstance(node, ast.Name | ast.Attribute):
        return None
    head, *rest = ast.unparse(node).split(".")
    return ".".join(part for part in [imported[head], *rest] if part) if head in imported else None


def modules_in(source: ast.AST) -> set[str]:
    """The modules of vaelib that a piece of Python imports, anywhere in it, by their public names."""
    found = set()
    for node in ast.walk(source):
        if isinstance(node, ast.ImportFrom):
            found |= {name.split(".")[0] for _, name in taken(node)}
        elif isinstance(node, ast.Import):
            found |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith("vaelib.")}
    return found


@cache
def _parsed(path: Path, changed: int) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _all_of(face: ast.Module) -> list[str]:
    listed = [node.value for node in face.body if isinstance(node, ast.Assign) and "__all__" in defined(node)]
    return ast.literal_eval(listed[0]) if listed else []
