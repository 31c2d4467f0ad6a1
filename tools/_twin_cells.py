"""The code of a twin: the chapter's, but for a title line over what the page folds; and nothing that only it needs.

Colab folds a cell that starts with `#@title` and has the view of a form; JupyterLab and VS Code one whose source is
hidden. Needs Python only, so that `make colab-test` runs the same cells before anything is installed.
"""

import re

TITLE = "#@title "
BUILDER = {"check", "hide-input", "hide-cell", "hide-output", "remove-cell", "remove-input", "nbval-ignore-output"}
HIDES_INPUT = {"check", "hide-input", "hide-cell", "remove-cell", "remove-input"}
HIDES_OUTPUT = {"hide-cell", "hide-output"}
CHECKED = re.compile(r"\b(?:check(?:_bound)?|observe)\(\s*[\"']([\w-]+)[\"']")
INSTALL = "In Colab: install vaelib. Elsewhere: nothing"


def twin_cells(cells, numbers=None):
    """The cells of a notebook (dictionaries, as nbformat or json have them) with their code made ready for a reader."""
    after = ""
    for cell in cells:
        if cell["cell_type"] == "code":
            yield code_cell(cell, after, numbers or {})
        else:
            after = text_of(cell)
            yield cell


def code_cell(cell, after: str, numbers):
    """One cell: its code, output and name are the chapter's; what it folds by is what notebooks fold by."""
    tags = set(cell["metadata"].get("tags", []))
    metadata = (
        {"tags": kept} if (kept := [tag for tag in cell["metadata"].get("tags", []) if tag not in BUILDER]) else {}
    )
    source = text_of(cell)
    if tags & HIDES_INPUT and not source.startswith(("%%", TITLE)):  # the magic of a cell must stay its first line
        metadata["cellView"] = "form"
        source = f"{TITLE}{title(source, tags, after, cell['outputs'], numbers)}\n{source}"
    hidden = {"source_hidden": True} if tags & HIDES_INPUT else {}
    hidden |= {"outputs_hidden": True} if tags & HIDES_OUTPUT else {}
    metadata |= {"jupyter": hidden} if hidden else {}
    metadata |= {"collapsed": True} if "outputs_hidden" in hidden else {}
    return {**cell, "source": source, "metadata": metadata}


def text_of(cell) -> str:
    return cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"])


def title(source: str, tags, after: str, outputs, numbers) -> str:
    """What a closed cell holds, in a few words."""
    if "remove-cell" in tags and source.startswith("def install_vaelib("):
        return INSTALL
    if "check" in tags:
        return _checked(source, numbers)
    if "hide-cell" in tags and re.findall(r"^:::+\{admonition\} (.*)", after, re.MULTILINE)[-1:] == ["Solution"]:
        return "Solution, in code"
    drawn = any("image/png" in output.get("data", {}) for output in outputs)
    return "Code of the figure" if drawn else "Code that only checks or prepares"


def _checked(source: str, numbers) -> str:
    """The numbers of what a cell checks; of findings, which have none, the word."""
    labels = list(dict.fromkeys(CHECKED.findall(source)))
    facts = [f"({numbers[label]})" if label in numbers else label for label in labels if not label.startswith("obs-")]
    words = ["Check of " + ", ".join(facts)] if facts else []
    return "; ".join([*words, *["Measurement of a finding"] * (len(facts) < len(labels))]) or "Check"


def without_title(source: str) -> str:
    """The code of the chapter."""
    return source.partition("\n")[2] if source.startswith(TITLE) else source
