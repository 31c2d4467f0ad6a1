"""Slides of a chapter, made of what a lecturer shows: its findings, its equations with what checked them, its figures.

    python tools/slides.py 04_kl       then open book/_build/slides/04_kl/index.html: no network is needed

The proofs and the talking stay with the lecturer. sphinx-revealjs makes the deck and brings reveal.js along.
"""

import argparse
import base64
import hashlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "book" / "_ext"))

from ledger import entries

BOOK = Path(__file__).resolve().parents[1] / "book"
NAME = re.compile(r"[A-Za-z0-9_]{1,100}")  # of a chapter: it becomes a path
SKIPPED = re.compile(
    r"## (Recall|Exercises|Where we differ|The next question|What the next|Next|Your turn|For later|More)"
)
DISPLAY = re.compile(r"^\$\$\s*\n(?:(?!^\$\$).)*?\n\$\$ \(((?:eq|def)-[a-z0-9-]+)\)", re.DOTALL | re.MULTILINE)
ROLE = re.compile(r"\s*\(?\{[\w:]+\}`[^`]*`\)?")
BREAK = "```{revealjs-break}\n```"
CONF = """project = "slides"
extensions = ["myst_parser", "sphinx_revealjs", "sphinx-mathjax-offline"]
myst_enable_extensions = ["dollarmath", "amsmath"]
revealjs_style_theme = "white"
revealjs_static_path = ["style"]
revealjs_css_files = ["slides.css"]
revealjs_script_conf = {"width": 1280, "height": 720, "hash": True, "slideNumber": True}
numfig = False
"""
STYLE = """.reveal h1, .reveal h2 { text-transform: none; font-size: 1.3em; text-wrap: balance }
.reveal h1 { font-size: 2em }
.reveal img { max-height: 540px; min-height: 340px; max-width: 1200px; object-fit: contain }
.reveal pre { font-size: 0.45em; box-shadow: none; white-space: pre-wrap; text-align: center }
.reveal li { margin-bottom: 0.5em; font-size: 0.8em }
.reveal .headerlink, .reveal .eqno { display: none }
"""


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("chapter", help="such as 04_kl")
    chapter = parser.parse_args(arguments).chapter
    path = BOOK / f"{chapter}.ipynb"
    if not NAME.fullmatch(chapter) or not path.is_file():
        parser.error(f"the chapter must be the name of a notebook of the book, such as 04_kl; got {chapter!a}")
    print(f"The slides are built. Open {build(path, BOOK / '_build' / 'slides' / path.stem)}")


def build(path: Path, target: Path) -> Path:
    """Make the deck of one chapter in the folder `target`; returns its page."""
    source = target.with_name(f"{target.name}_source")
    shutil.rmtree(source, ignore_errors=True)
    (source / "style").mkdir(parents=True)
    (source / "conf.py").write_text(CONF, encoding="utf-8")
    (source / "style" / "slides.css").write_text(STYLE, encoding="utf-8")
    deck = "\n\n".join(slides(nbformat.read(path, as_version=4), source))
    (source / "index.md").write_text(deck + "\n", encoding="utf-8")
    command = [sys.executable, "-m", "sphinx", "-b", "revealjs", "-q", "-W", str(source), str(target)]
    subprocess.run(command, check=True)
    return target / "index.html"


def slides(notebook, folder: Path):
    """The deck as markdown, block by block. A slide starts at every heading and at every break."""
    proofs = {entry.label: entry.proofs for entry in entries(notebook)}
    shown = fresh = True
    for cell in notebook.cells:
        for part in re.split(r"^(?=##? )", cell.source, flags=re.MULTILINE) if cell.cell_type == "markdown" else [""]:
            if re.match("##? ", part):  # a section below one that is left out is left out too
                shown = fresh = not SKIPPED.match(part)
            for block in [*of_text(part, proofs), *pictures(cell, folder)] if shown else []:
                yield block if fresh or block.startswith("#") else f"{BREAK}\n\n{block}"
                fresh = block.startswith("#")


def of_text(part: str, proofs):
    """The heading, and every equation with what checked it; of a summary, the text too."""
    heading, _, rest = part.partition("\n")
    if heading.startswith("#"):
        yield heading
    if heading == "## Summary":
        yield ROLE.sub("", rest.strip())
    for found in DISPLAY.finditer(part):
        first = proofs.get(found[1], [])[:1]
        lines = [
            line for p in first for line in (f"{p.how}, {p.tolerance}", *(f"rejected: {r}" for r in p.rejected[:2]))
        ]
        yield found[0] + ("\n\n" + "\n".join(["```text", *lines, "```"]) if lines else "")


def pictures(cell, folder: Path):
    """Every picture of a cell, with its alt text; the files go to the folder, under names made of what they hold."""
    for output in cell.get("outputs", []):
        if "image/png" in (data := output.get("data", {})):
            content = base64.b64decode(data["image/png"])
            name = f"{hashlib.sha256(content).hexdigest()}.png"
            (folder / name).write_bytes(content)
            alt = " ".join(cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "").split())
            yield f"```{{image}} {name}\n:alt: {alt}\n```"


if __name__ == "__main__":
    main()
