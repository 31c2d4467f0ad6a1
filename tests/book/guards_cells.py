"""The rules about cells: they have run, they are short, their outputs can be compared anywhere."""

import io
import re
import tokenize

from IPython.core.inputtransformer2 import TransformerManager
from notebook_parts import (
    HIDDEN,
    IGNORED,
    calls,
    check_calls,
    code_cells,
    first_line,
    output_texts,
    pictures,
    prints_text,
    tags,
    tree,
)

# No tag that allows an exception: no stored output is an error, so such a tag could only hide one.
TAGS = HIDDEN | {"hide-output", "check", IGNORED}
NBVAL_COMMENT = re.compile(r"^\s*#+\s*(NBVAL_|PYTEST_VALIDATE_)", re.MULTILINE)
PRIVATE = re.compile(r"(?<![\w.-])/(?:home|Users|root|tmp)/|\b[A-Z]:\\|ipykernel_| at 0x")


def guard_every_cell_has_run(notebook):
    return [f"{first_line(cell)} has not been run" for cell in code_cells(notebook) if not cell.execution_count]


def guard_no_stored_errors(notebook):
    return [
        f"{first_line(cell)} stores an error: {out.ename}"
        for cell in code_cells(notebook)
        for out in cell.outputs
        if out.output_type == "error"
    ]


def guard_tags_are_known(notebook):
    found = [f"unknown tag {tag!r}" for cell in notebook.cells for tag in tags(cell) if tag not in TAGS]
    comments = [cell for cell in code_cells(notebook) if NBVAL_COMMENT.search(cell.source)]
    return found + [f"{first_line(cell)}: use the tag {IGNORED}, not a comment" for cell in comments]


def guard_no_timestamps(notebook):
    timed = [cell for cell in code_cells(notebook) if "execution" in cell.metadata]
    return [f"{first_line(cell)} stores when it ran: run `make execute`" for cell in timed]


def guard_pictures_have_alt_text(notebook):
    found = []
    for cell in filter(pictures, code_cells(notebook)):
        alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
        if len(alt.strip()) < 30:
            found.append(f"{first_line(cell)}: mystnb.image.alt must say what is seen, in 30 characters or more")
        if len(pictures(cell)) > 1:
            found.append(f"{first_line(cell)} shows {len(pictures(cell))} pictures; one alt text serves one picture")
    return found


def guard_cells_are_short(notebook):
    lengths = [(cell, sum(bool(line.strip()) for line in cell.source.splitlines())) for cell in code_cells(notebook)]
    return [f"{first_line(cell)} has {length} lines; at most 30" for cell, length in lengths if length > 30]


def guard_kernel_is_python3(notebook):
    name = notebook.metadata.get("kernelspec", {}).get("name")
    return [] if name == "python3" else [f"kernelspec must be python3; got {name!r}"]


def guard_no_closing_semicolon(notebook):
    """A semicolon does not silence a cell for nbval: assign the value, or end with plt.show()."""
    return [f"{first_line(cell)} ends in ;" for cell in code_cells(notebook) if _last_token(cell.source) == ";"]


def _last_token(source):
    code = io.StringIO(TransformerManager().transform_cell(source))
    skipped = {tokenize.NEWLINE, tokenize.NL, tokenize.COMMENT, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    tokens = [token.string for token in tokenize.generate_tokens(code.readline) if token.type not in skipped]
    return tokens[-1] if tokens else ""


def guard_most_text_is_compared(notebook):
    """At least 60 % of the cells that print text are compared by nbval."""
    texts = [cell for cell in code_cells(notebook) if prints_text(cell)]
    compared = [cell for cell in texts if IGNORED not in tags(cell)]
    enough = 10 * len(compared) >= 6 * len(texts)
    return [] if enough else [f"only {len(compared)} of {len(texts)} cells that print text are compared; 60 % needed"]


def guard_checks_are_compared(notebook):
    checks = [cell for cell in code_cells(notebook) if check_calls(cell)]
    return [f"{first_line(cell)} holds a check and must be compared" for cell in checks if IGNORED in tags(cell)]


def guard_ignored_cells_say_why(notebook):
    ignored = [cell for cell in notebook.cells if IGNORED in tags(cell)]
    reasons = [cell.metadata.get("vaelib", {}).get("ignore_reason", "") for cell in ignored]
    return [
        f"{first_line(cell)}: metadata vaelib.ignore_reason must say why, in 10 characters or more"
        for cell, reason in zip(ignored, reasons, strict=True)
        if len(reason.strip()) < 10
    ]


def guard_outputs_are_portable(notebook):
    return [
        f"{first_line(cell)} shows a path or an address: {match[0]!r}"
        for cell in code_cells(notebook)
        for text in output_texts(cell)
        for match in PRIVATE.finditer(text)
    ]


def guard_exercises_are_open(notebook):
    """The stored notebook holds no answers, and nbval sees that it stays so."""
    found = []
    for cell in code_cells(notebook):
        asked = len(calls(tree(cell), "exercise"))
        if "\n".join(output_texts(cell)).count("not attempted yet") < asked:
            found.append(f"{first_line(cell)} must print 'not attempted yet': leave the answer at ...")
        if asked and IGNORED in tags(cell):
            found.append(f"{first_line(cell)} holds an exercise and must be compared")
    return found
