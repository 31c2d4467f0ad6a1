"""Search that lands on the paragraph: every section of the built pages becomes an entry, for MiniSearch to find.

Sphinx's own search knows pages only. The engine comes from the npm registry, once, in a fixed version, as KaTeX does;
the entries are a script, since a page opened from the disk may not fetch anything, and only the search page loads them.

    python book/_ext/find.py     # fetches MiniSearch, so that the build needs no network
"""

import builtins
import json
import keyword
import os
import re
import shutil
import tarfile
import tempfile
from collections import Counter
from pathlib import Path

import yaml
from bs4 import BeautifulSoup, NavigableString, Tag

from front import plain_tex
from typeset import pack, refuse_others

VERSION = "7.2.0"
SHA512 = "dqT2XBYUOZOiC5t2HRnwADjhNS2cecp9u+TJRiJ1Qp/f5qjkeT5APcGPjHw+bz89Ms8Jp+cG4AlE+QZ/QnDglg=="
ROOT = Path(__file__).parents[2]
CACHE = ROOT / ".cache" / f"minisearch-{VERSION}.js"
SYNONYMS = ROOT / "book" / "synonyms.yml"
# Answers are for teachers, and the ledger repeats the chapters.
LEFT_OUT = ("search", "genindex", "404", "book/91_answers", "book/ledger")
SILENT = (
    "script, style, svg, .headerlink, .katex-html, .cell_output, .live-place, .sourcelink, .reading-time, .linenos, "
    "details.hide summary"
)
LAYOUT = re.compile(
    r"\\(?:math\w+|text\w*|operatorname|left|right|q?quad|[bB]igg?[lr]?|begin|end|d?frac)\b|[{}&]|\\[\\,;!]"
)
NAME = re.compile(r"[A-Za-z_]\w{2,}|\d+\.\d+(?:e-?\d+)?|\d+e-?\d+")
# Python's own words tell no section from another, nor does a name that stands in the code of more than so many.
PYTHON = {*keyword.kwlist, *dir(builtins)}
MANY = 30
OLD_SCRIPTS = re.compile(r'\s*<script src="[^"]*(?:searchtools|searchindex)\.js[^"]*"></script>')
NEW_SCRIPTS = "".join(
    f'\n  <script src="_static/{name}"></script>' for name in ("minisearch.js", "entries.js", "find.js")
)


def fetch() -> Path:
    """MiniSearch, as one script that needs nothing else; fetched when it is missing."""
    if not CACHE.exists():
        CACHE.parent.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE.parent) as folder:
            package = pack("minisearch", VERSION, folder)
            refuse_others(package, SHA512)
            with tarfile.open(package) as archive:
                parts = [archive.extractfile(f"package/{name}").read() for name in ("LICENSE.txt", "dist/umd/index.js")]
            script = b"/*\n" + parts[0] + b"*/\n" + re.sub(rb"//# sourceMappingURL=.*", b"", parts[1])
            new = Path(folder) / "new"
            new.write_bytes(re.sub(rb"^ *(?:/\*\*(?s:.)*?\*/|//.*)\n", b"", script, flags=re.M))
            os.replace(new, CACHE)
    return CACHE


def entries(html: str, address: str) -> list[dict]:
    """Every section of a page, and every term of its glossary: title, page, address with anchor, text, names in code.

    The names are those that Python does not bring along and the text does not hold: the entries are to load fast.

    Args:
        html: a built page.
        address: its address under the root of the book, without ".html".
    """
    article = BeautifulSoup(html, "html.parser").find("article")
    if article is None:
        return []
    for silent in article.select(SILENT):
        silent.decompose()
    for formula in article.select(".math"):
        tex = formula.find("annotation")
        formula.replace_with(NavigableString(_line(tex.get_text()) if tex else ""))
    heading = article.find("h1")
    page = _words(heading) if heading else address
    places = [*article.select("section[id]"), *article.select("dt[id]:not(dt + dt)")]
    found = [_entry(place, page, address) for place in reversed(places)]  # inner ones first
    return [entry for entry in reversed(found) if entry["text"] or entry["names"]]


def _entry(place: Tag, page: str, address: str) -> dict:
    code = " ".join(block.extract().get_text() for block in place.select("pre"))
    if place.name == "dt":
        title, body, others = place, place.find_next_sibling("dd"), []
        while (other := place.find_next_sibling()) is not None and other.name == "dt":  # words that mean the same
            others.append(_words(other.extract()))
        text = " ".join([*others, _words(body)]) if body else ""
    else:
        title = place.find(re.compile("h[1-6]"))
        text = _words(place).removeprefix(_words(title)) if title else _words(place)
    said = PYTHON.union(re.findall(r"\w+", text))
    names = [name for name in dict.fromkeys(NAME.findall(code)) if name not in said]
    entry = {"title": _words(title) if title else page, "page": page, "url": f"{address}.html#{place['id']}"}
    entry |= {"text": text.strip(), "names": " ".join(names)}
    if place.name == "dt" and body:
        body.extract()
    place.extract()
    return entry


def _line(tex: str) -> str:
    return f" {' '.join(plain_tex(LAYOUT.sub(' ', tex)).split())} "


def _words(tag: Tag) -> str:
    return " ".join(tag.get_text(" " if tag.name in ("section", "table") else "").split())


def write(app, exception):
    """The engine, the entries and what joins them to the search page, beside the built pages.

    Sphinx's own index stays where it is: the next build of some pages reads it. No page loads it.
    """
    if exception or app.builder.format != "html":
        return
    out = Path(app.outdir)
    pages = sorted(path for path in out.rglob("*.html") if _address(path, out) not in LEFT_OUT)
    found = [entry for path in pages for entry in entries(path.read_text(encoding="utf-8"), _address(path, out))]
    found = rare_names(found)
    synonyms = yaml.safe_load(SYNONYMS.read_text(encoding="utf-8"))
    data = {"sections": found, "synonyms": synonyms}
    script = f"const BOOK = {json.dumps(data, ensure_ascii=False, separators=(',', ':'))};\n"
    (out / "_static" / "entries.js").write_text(script, encoding="utf-8")
    shutil.copyfile(fetch(), out / "_static" / "minisearch.js")
    join(out / "search.html")


def rare_names(found: list[dict], many: int = MANY) -> list[dict]:
    """The entries without the names that more than `many` of them hold."""
    count = Counter(name for entry in found for name in entry["names"].split())
    return [
        entry | {"names": " ".join(name for name in entry["names"].split() if count[name] <= many)} for entry in found
    ]


def _address(path: Path, out: Path) -> str:
    return path.relative_to(out).with_suffix("").as_posix()


def join(page: Path) -> None:
    """Put our scripts into the search page, in the place of Sphinx's.

    Raises:
        RuntimeError: the page has not the scripts that Sphinx puts there.
    """
    text = page.read_text(encoding="utf-8")
    if NEW_SCRIPTS in text:
        return
    if not OLD_SCRIPTS.search(text):
        raise RuntimeError("search.html has no search scripts: Sphinx's markup has changed")
    page.write_text(OLD_SCRIPTS.sub("", text).replace("</head>", f"{NEW_SCRIPTS}\n  </head>", 1), encoding="utf-8")


def setup(app):
    app.connect("build-finished", write, priority=900)  # after everything that still changes a page
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


if __name__ == "__main__":
    fetch()
