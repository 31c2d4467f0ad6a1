"""Twins: the chapters as notebooks that read well in Colab, on GitHub, in JupyterLab and in VS Code.

    python tools/twins.py [CHAPTER ...] [--to FOLDER]     such as 04_kl; default: all, into the built pages

A chapter is written in the dialect of the page builder. Its twin has the same code, outputs and formulas, and its text
in plain Markdown, with the numbers and addresses of the built book (book/_build/crossrefs.json). `make book` writes
them into book/_build/html/twins, where the download buttons find them; nobody edits them.
"""

import argparse
import json
import sys
from pathlib import Path

import nbformat
from _twin_cells import twin_cells
from _twin_inline import Page, targets
from _twin_pictures import embed
from _twin_text import convert

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "book" / "_build"
BOOK = "From Autoencoders to VAEs: every equation executed"
README = f"""# {BOOK}

The chapters as notebooks, to read here or to run in Colab, JupyterLab or VS Code. They are written by `tools/twins.py`
from the notebooks in `book/` of the branch `main`: a change made here is lost, a change made there arrives here.
"""


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("chapters", nargs="*", help="default: all")
    parser.add_argument("--to", type=Path, default=BUILD / "html" / "twins", help="the folder to write to")
    chosen = parser.parse_args(arguments)
    paths = {path.stem: path for path in sorted((ROOT / "book").glob("*.ipynb"))}
    if others := sorted(set(chosen.chapters) - set(paths)):
        parser.error(f"a chapter must be the name of a notebook of the book, such as 04_kl; got {others!a}")
    try:
        known = crossrefs(BUILD / "crossrefs.json")
        texts = {name: text(twin(paths[name], known)) for name in chosen.chapters or paths}
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    write(texts, chosen.to)
    print(f"{len(texts)} twins are in {chosen.to}")
    return 0


def crossrefs(path: Path) -> dict:
    """What the built book knows: address, numbers, words.

    Raises:
        ValueError: the book has not been built.
    """
    if not path.exists():
        raise ValueError("the book must be built before its twins are written: run `make book`")
    return json.loads(path.read_text(encoding="utf-8"))


def twin(path: Path, known: dict):
    """The twin of one chapter.

    Args:
        path: the chapter, `book/NAME.ipynb`.
        known: `address`, `numbers` and `words`, as book/_ext/crossrefs.py writes them.

    Raises:
        ValueError: its text holds what no twin can show, or what the built book does not know.
    """
    notebook = nbformat.read(path, as_version=4)
    texts = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    name = f"book/{path.stem}"
    words = known["words"].get(name, {})
    page = Page(name, path.parent, known["address"], known["numbers"], words, embed, targets(texts))
    notebook.cells = [nbformat.from_dict(cell) for cell in twin_cells(notebook.cells, known["numbers"])]
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source, cell.metadata = convert(cell.source, page), nbformat.NotebookNode()
    say_how_long(notebook, kept("slow_cells.json").get(path.stem, {}))
    first = next(i for i, cell in enumerate(notebook.cells) if cell.cell_type == "code")
    if "install_vaelib(" in notebook.cells[first].source:
        notebook.cells.insert(first, about(path.stem, page))
    notebook.metadata.pop("vaelib", None)
    return notebook


def about(stem: str, page: Page):
    """What a reader needs to know who opens the notebook first: a cell above the one that installs."""
    source = f"[its page]({page.address}{page.name}.html)" if page.address else "its page in the book"
    lines = [
        f"> **A notebook of *{BOOK}*.** It has the text, code and outputs of {source}. A closed cell holds a check, "
        "a drawing or a solution: open it, or go on.",
        ">",
        "> **In Colab**, the next cell installs `vaelib`, the book's small library, from the book's repository: that "
        f"takes some seconds and changes no other package. Elsewhere it does nothing. {running_time(stem)}".rstrip(),
    ]
    return nbformat.v4.new_markdown_cell("\n".join(lines), id="about-this-notebook")


def kept(name: str) -> dict:
    """What `python -m benchmarks` has kept."""
    return json.loads((ROOT / "benchmarks" / name).read_text(encoding="utf-8"))


def say_how_long(notebook, measured: dict) -> None:
    """Above every cell that takes long stands how long."""
    seconds = {kind: times["cells"] for kind, times in measured.items()}
    for cell in [cell for cell in notebook.cells if cell.id in seconds.get("cpu", {})]:
        others = [
            f"{times[cell.id]:.0f} s on {kind}" for kind, times in seconds.items() if kind != "cpu" and cell.id in times
        ]
        said = f"about {seconds['cpu'][cell.id]:.0f} s on two CPU cores" + (
            f", {', '.join(others)}" if others else "; not measured on a GPU"
        )
        note = nbformat.v4.new_markdown_cell(
            f"> **The next cell takes a while:** {said}.", id=f"time-of-{cell.id}"[:64]
        )
        notebook.cells.insert(notebook.cells.index(cell), note)


def running_time(stem: str) -> str:
    """How long the cells run, as benchmarks/results.json has it."""
    found = kept("results.json").get("running_times", {}).get(stem, "")
    return f"The whole notebook r{found[1:]}." if found else ""  # "Runs in ..."


def text(notebook) -> str:
    nbformat.validate(notebook)
    return nbformat.writes(notebook) + "\n"


def write(texts: dict[str, str], folder: Path) -> None:
    """Write what has changed, and for the branch what it holds."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in {"README.md": README, **{f"{stem}.ipynb": text for stem, text in texts.items()}}.items():
        path = folder / name
        if not path.exists() or path.read_text(encoding="utf-8") != content:
            path.write_text(content, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    sys.exit(main())
