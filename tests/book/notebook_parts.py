"""What a notebook holds: its code, its text outputs, its prose, its labelled displays and its sections.

The guards in `guards.py` are short because the reading is done here.
"""

import ast
import re
from functools import cache

import nbformat
from IPython.core.inputtransformer2 import TransformerManager

IGNORED = "nbval-ignore-output"
HIDDEN = {"hide-input", "hide-cell", "remove-cell", "remove-input"}
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
CODE_DIRECTIVES = ("{code", "{literalinclude", "{math", "{raw")  # other directives hold prose

FENCE = re.compile(r"\s*(`{3,}|~{3,})\s*([^`]*)")
INLINE_CODE = re.compile(r"(?<!`)(`+)(?!`)(?:(?!\n\s*\n).)+?(?<!`)\1(?!`)", re.DOTALL)
COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
DISPLAY = re.compile(r"(?<!\\)\$\$(.*?)(?<!\\)\$\$([^\n]*)", re.DOTALL)
LABEL = re.compile(r" \(((?:eq|def|step)-[a-z0-9-]+)\)\s*")
NOT_PROSE = re.compile(
    r"^\s*:[\w-]+:.*$"  # option of a directive
    r"|^\s*\([\w.-]+\)=\s*$"  # target of a reference
    r"|https?://\S+|\]\([^)\s]*\)",  # addresses
    re.MULTILINE,
)
FINDING = re.compile(r"^> \*\*Finding\*\* \((obs-[a-z0-9-]*[a-z0-9])\)", re.MULTILINE)
SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z{$*\[(])|\n\s*\n|\n(?=\s*(?:[-*#>|]|\d+\. |:::))")


def as_notebook(markdown):
    """A page of markdown, as a notebook of one cell."""
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(markdown)])


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]


def tags(cell):
    return cell.metadata.get("tags", [])


def first_line(cell):
    """How a message names a cell."""
    return f"cell {cell.source.strip().splitlines()[0][:60]!r}"


def tree(cell):
    """The syntax tree of a cell; magics become function calls."""
    return _parse(cell.source)


@cache
def _parse(source):
    return ast.parse(TransformerManager().transform_cell(source))


def called(node):
    """The name a call ends in: "check" for check(...) and for checks.check(...)."""
    return getattr(node.func, "attr", getattr(node.func, "id", None))


def calls(node, *names):
    return [part for part in ast.walk(node) if isinstance(part, ast.Call) and called(part) in names]


def check_calls(cell):
    return calls(tree(cell), "check", "check_bound")


def observe_calls(cell):
    return calls(tree(cell), "observe")


def label_of(call):
    """The label a check names, or None when its first argument is not a string literal."""
    named = [keyword.value for keyword in call.keywords if keyword.arg == "label"]
    first = (call.args + named + [None])[0]
    return first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else None


def pictures(cell):
    return [out for out in cell.outputs if any(mime.startswith("image/") for mime in out.get("data", {}))]


def output_texts(cell):
    """Everything in the outputs that is text: streams, plain text, html, svg, tracebacks."""
    for out in cell.outputs:
        yield out.get("text", "")
        yield from out.get("traceback", [])
        for mime, data in out.get("data", {}).items():
            if mime.startswith("text/") or mime == "image/svg+xml":
                yield data


def prints_text(cell):
    """Whether a cell shows text of its own: not only the name of a figure or of a widget."""
    return any(_is_text(out) for out in cell.outputs)


def _is_text(out):
    data = out.get("data", {})
    plain = "" if WIDGET_VIEW in data else data.get("text/plain", "")
    return bool(out.get("text", "").strip() or (plain and not plain.startswith("<Figure")))


def without_code(markdown):
    """Markdown less fenced code, inline code and comments; directives keep their text."""
    kept, opened = [], []  # opened: (marker, whether it holds code) of each fence around this line
    for line in markdown.splitlines():
        fence = FENCE.fullmatch(line)
        in_code = bool(opened) and opened[-1][1]
        if fence and opened and fence[1].startswith(opened[-1][0]) and not fence[2]:
            opened.pop()
        elif fence and not in_code:
            opened.append((fence[1], not fence[2].startswith("{") or fence[2].startswith(CODE_DIRECTIVES)))
        elif not in_code:
            kept.append(line)
    return INLINE_CODE.sub(" ", COMMENT.sub(" ", "\n".join(kept)))


def markdown_texts(notebook):
    return [without_code(cell.source) for cell in notebook.cells if cell.cell_type == "markdown"]


def sentences_of(markdown):
    """The prose, mathematics included, sentence by sentence; the markdown comes from `without_code`."""
    return [part for part in SENTENCE_END.split(NOT_PROSE.sub(" ", markdown)) if part.strip()]


def passages(notebook):
    """The stretches under headings of level 2 or 3: lists of cells and, between them, of texts without code."""
    found = [[]]
    for cell in notebook.cells:
        if cell.cell_type == "code":
            found[-1].append(cell)
        elif cell.cell_type == "markdown":
            first, *others = re.split(r"^(?=###?\s)", without_code(cell.source), flags=re.MULTILINE)
            found[-1].append(first)
            found.extend([text] for text in others)
    return found


def displays(markdown):
    """(formula, label or None) of every display equation; the markdown comes from `without_code`."""
    for formula, rest in DISPLAY.findall(markdown):
        label = LABEL.fullmatch(rest)
        yield " ".join(formula.split()), label and label[1]


def labels(notebook):
    """The labels of a page, in order."""
    return [label for text in markdown_texts(notebook) for _, label in displays(text) if label]


def sections(notebook):
    """(labels, labels that are checked) of every passage."""
    return [
        (
            [label for text in part if isinstance(text, str) for _, label in displays(text) if label],
            {label_of(call) for cell in part if not isinstance(cell, str) for call in check_calls(cell)},
        )
        for part in passages(notebook)
    ]
