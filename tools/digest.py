"""What a chapter's outputs depend on, as one hash: its code, and the files of vaelib that it imports, directly or not.

The hash is taken from syntax trees without comments and docstrings, so that a better word in either runs nothing
again. Scripts of live figures count byte for byte: they are stored in the outputs.
"""

import ast
import hashlib
import sys
from pathlib import Path

from first_cell import is_first_cell
from IPython.core.inputtransformer2 import TransformerManager

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "book" / "_ext"))
import library


def digest(notebook, folder: Path = library.FOLDER) -> str:
    """SHA-256. The first cell is left out: it does nothing here, and the address in it may change.

    Raises:
        SyntaxError: a cell is no Python.
    """
    cells = [parsed(cell.source) for cell in code_cells(notebook) if not is_first_cell(cell.source)]
    found = hashlib.sha256(repr([meaning(tree) for tree in cells]).encode())
    for path in depends_on(cells, folder):
        content = path.read_bytes() if path.suffix != ".py" else repr(meaning(parsed_file(path))).encode()
        found.update(f"\n{path.relative_to(folder).as_posix()}\n".encode() + content)
    return found.hexdigest()


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]


def parsed(source: str) -> ast.Module:
    """A cell, its magics turned into calls."""
    return ast.parse(TransformerManager().transform_cell(source))


def parsed_file(path: Path) -> ast.Module:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:]
    return tree


def meaning(node):
    """A syntax tree as nested tuples, the same in every version of Python: what is empty is left out."""
    if isinstance(node, ast.AST):
        fields = [(name, meaning(value)) for name, value in ast.iter_fields(node) if value not in (None, [])]
        return (type(node).__name__, *fields)
    return [meaning(part) for part in node] if isinstance(node, list) else node


def depends_on(trees: list[ast.Module], folder: Path = library.FOLDER) -> list[Path]:
    """The files of vaelib that these pieces of Python need. `vaelib/__init__.py` holds only the version."""
    found, todo = set(), set().union(*map(library.modules_in, trees)) if trees else set()
    while todo:
        new = set(library.files(todo.pop(), folder)) - found
        found |= new
        todo |= {name for path in new for name in library.modules_in(parsed_file(path))}
    return sorted(found | {script for path in found for script in path.parent.glob("*.js")})
