"""Where the code of a cell names something from `vaelib`, and that code as highlighted HTML with links in it."""

import ast
import re
from typing import NamedTuple

from library import taken

MAGIC = re.compile(r"^(\s*)[%!].*$", re.MULTILINE)
PIECE = re.compile(r"<[^>]*>|&[^;\s]+;|[^<&]")


class Use(NamedTuple):
    """`name` is "linear.pca"; line counts from 1, column from 0, both in characters."""

    name: str
    line: int
    column: int
    length: int
    is_import: bool


def uses(source: str, imported: dict[str, str]) -> list[Use]:
    """The uses of vaelib in one cell. `imported` maps local names to names of vaelib, and grows with the cell."""
    lines = source.splitlines()
    tree = ast.parse(MAGIC.sub(r"\1pass", source))
    found = []
    for node in sorted(ast.walk(tree), key=lambda n: (getattr(n, "lineno", 0), getattr(n, "col_offset", 0))):
        if isinstance(node, ast.ImportFrom):
            for alias, name in taken(node):
                imported[alias.asname or alias.name] = name
                found.append(_use(name, alias, alias.name, lines, True))
        elif isinstance(node, ast.Name) and node.id in imported:
            found.append(_use(imported[node.id], node, node.id, lines, False))
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in imported:
            node.lineno, node.col_offset = node.end_lineno, node.end_col_offset - len(node.attr.encode())
            found.append(_use(f"{imported[node.value.id]}.{node.attr}", node, node.attr, lines, False))
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            imported.pop(node.id, None)  # from here on the reader's own thing
    return found


def _use(name, node, text, lines, is_import):
    """ast counts columns in bytes of UTF-8, a reader of the page in characters."""
    column = len(lines[node.lineno - 1].encode()[: node.col_offset].decode())
    return Use(name, node.lineno, column, len(text), is_import)


def linked(html: str, found: list[Use], address) -> str:
    """Highlighted code with an <a> around every use; `address` turns a name into where it leads."""
    start = re.search(r"<pre[^>]*>(<span></span>)?", html).end()
    places = {(use.line, use.column): use for use in found}
    out, line, column, open_until = [html[:start]], 1, 0, None
    for piece in PIECE.findall(html[start:]) if "<pre" in html else []:
        is_tag = piece.startswith("<")
        if not is_tag and (use := places.get((line, column))):
            out.append(f'<a class="vaelib-name" href="{address(use.name)}" title="vaelib.{use.name}">')
            open_until = (line, column + use.length)
        out.append(piece)
        if not is_tag:
            line, column = (line + 1, 0) if piece == "\n" else (line, column + 1)
        if (line, column) == open_until and not is_tag:
            out.append("</a>")
            open_until = None
    return "".join(out)
