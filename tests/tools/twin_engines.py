"""The engines that show a notebook's text: GitHub's Markdown, `marked` as in Colab and JupyterLab, KaTeX and MathJax.

    python tests/tools/twin_engines.py     # fetches marked, so that the tests need no network

`marked` is the version that JupyterLab holds. As there, formulas are taken out before the Markdown is read, and put
back afterwards. KaTeX is the one of the pages, MathJax comes with the slides; the Node that runs them from PyPI.
"""

import functools
import importlib.util
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.tasklists import tasklists_plugin

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "book" / "_ext"))
import typeset  # noqa: E402

VERSION = "16.4.2"
SHA512 = "TI3V8YYWvkVf3KJe1dRkpnjs68JUPyEa5vjKrp1XEEJUAOaQc+Qj+L1qWbPd0SJuAdQkFU0h73sXXqwDYxsiDA=="
CACHE = typeset.CACHE.parent / f"marked-{VERSION}.js"


def fetch() -> Path:
    """The script of marked; fetched when it is missing."""
    if not CACHE.exists():
        CACHE.parent.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE.parent) as folder:
            package = typeset.pack("marked", VERSION, folder)
            typeset.refuse_others(package, SHA512)
            with tarfile.open(package) as archive:
                content = archive.extractfile("package/lib/marked.umd.js").read()
            (new := Path(folder) / "new").write_bytes(content)
            os.replace(new, CACHE)
    return CACHE


def github(texts: list[str]) -> list[str]:
    """HTML as GitHub makes it: CommonMark, tables, task lists, bare addresses, formulas between dollars.

    A formula becomes an element `eq` or `eqn`; what is left of a dollar has not been understood.
    """
    parser = MarkdownIt("gfm-like").use(tasklists_plugin).use(dollarmath_plugin, allow_space=False, allow_digits=False)
    return [parser.render(text) for text in texts]


@functools.cache
def _process():
    mathjax = Path(importlib.util.find_spec("sphinx-mathjax-offline").origin).parent / "static" / "mathjax"
    command = [typeset.node(), HERE / "twin_engines.js", fetch(), typeset.fetch() / "katex.min.js", mathjax]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8")


def node(texts: list[str]) -> list[dict]:
    """Of each text `html`, made by marked, `formulas`, and `failures`: what KaTeX and MathJax have against them."""
    process = _process()
    process.stdin.write(json.dumps(texts) + "\n")
    process.stdin.flush()
    return json.loads(process.stdout.readline())


if __name__ == "__main__":
    print(f"marked {VERSION} is in {fetch()}")
