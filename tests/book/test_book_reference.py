"""The reference page: every public name has an entry, and links lead from the chapters to it and back."""

import ast
import importlib
import inspect
import re
from pathlib import Path

import code_links
import docstrings
import library
import nbformat
import pytest
from library import called, imports
from notebook_parts import code_cells, tree
from test_book_pages import pages  # noqa: F401 (a fixture)

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = sorted((ROOT / "book").glob("*.ipynb"))
MODULES = library.module_names()


def public_names():
    """What Python itself calls public: functions and classes of each module, and methods that have a docstring."""
    for module in MODULES:
        found = vars(importlib.import_module(f"vaelib.{module}"))
        face = {entry.name for entry in docstrings.entries(library.tree(module).body)}  # not what it imports for itself
        for name, value in found.items():
            here = getattr(value, "__module__", "").split("._")[0]  # where a private part defines it, its package
            if name in face and not name.startswith("_") and here == f"vaelib.{module}":
                yield f"{module}.{name}", value


@pytest.fixture
def page(pages):  # noqa: F811
    built = {path.name: path.read_text(encoding="utf-8") for path in pages}
    return built.__getitem__


def entry(text, name):
    """The HTML of one entry: from its anchor to the next one of a function or class."""
    start = text.index(f'id="vaelib.{name}"')
    return text[start : text.index("</dl>\n\n</", start) if "</dl>\n\n</" in text[start:] else None]


def test_every_public_name_has_an_entry(page):
    names = [name for name, _ in public_names()]
    assert len(names) > 40
    assert [name for name in names if f'id="vaelib.{name}"' not in page("reference.html")] == []


def test_every_documented_method_has_an_entry(page):
    methods = [
        f"{name}.{method}"
        for name, value in public_names()
        if inspect.isclass(value)
        for method, part in vars(value).items()
        if not method.startswith("_") and isinstance(part, property | type(lambda: 0)) and part.__doc__
    ]
    assert len(methods) > 10
    assert [name for name in methods if f'id="vaelib.{name}"' not in page("reference.html")] == []


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_every_name_of_vaelib_in_a_chapter_links_to_its_entry(page, path):
    trees = [tree(cell) for cell in code_cells(nbformat.read(path, as_version=4))]
    imported = imports(trees)
    used = {called(node, imported) for part in trees for node in ast.walk(part)} - {None, ""}
    public = set(docstrings.dotted_names(library.FOLDER))  # a chapter may give such a name to something of its own
    used = (used & public) | {name for name in imported.values() if "." in name}
    text = page(f"{path.stem}.html")
    assert [name for name in sorted(used) if f'href="reference.html#vaelib.{name}"' not in text] == []


def test_a_docstring_that_names_a_chapter_links_back_to_it(page):
    text, missing, found = page("reference.html"), [], 0
    written = {int(path.name[:2]): path.stem for path in CHAPTERS if path.name[:2].isdigit()}
    for name, value in public_names():
        for number in re.findall(r"Book: chapter (\d+)", value.__doc__ or ""):
            if int(number) in written:
                found += 1
                if f'href="{written[int(number)]}.html#' not in entry(text, name):
                    missing.append(name)
    assert found > 15 and missing == []


def test_uses_of_names_are_found_where_they_stand():
    imported = {}
    code_links.uses("from vaelib.linear import pca as p\nfrom vaelib import train", imported)
    assert imported == {"p": "linear.pca", "train": "train"}
    source = "%matplotlib inline\né = p(x); model.p\ntrain.fit(p=1)"
    found = [(use.name, use.line, use.column, use.length) for use in code_links.uses(source, imported)]
    assert found == [("linear.pca", 2, 4, 1), ("train.fit", 3, 6, 3), ("train", 3, 0, 5)]


def test_a_name_that_the_reader_defines_again_is_no_longer_vaelibs():
    imported = {"pca": "linear.pca"}
    assert code_links.uses("pca = 3\npca + 1", imported)[1:] == [] and imported == {}


def test_links_are_put_around_names_and_change_no_text():
    code = '<span class="n">a</span> <span class="o">&lt;</span> <span class="n">fit</span>'
    html = f"<div><pre><span></span>{code}\n</pre></div>"
    found = [code_links.Use("train.fit", 1, 4, 3, False)]
    after = code_links.linked(html, found, lambda name: f"there#{name}")
    assert '<a class="vaelib-name" href="there#train.fit" title="vaelib.train.fit">fit</a>' in after
    assert re.sub(r"</?a[^>]*>", "", after) == html


def test_a_docstring_is_read_section_by_section():
    doc = "First.\n\nArgs:\n    a, b: one,\n        two.\n    c: three.\n\nSource: X (2000), eq. 1. Book: chapter 3."
    before, sections = docstrings.parts(doc)
    assert before == "First." and [name for name, _ in sections] == ["Args", "Source", "Book"]
    assert docstrings.items(sections[0][1]) == [("a, b", "one, two."), ("c", "three.")]
