"""Links between the chapters and the reference of `vaelib`, both ways.

In the chapters every name taken from `vaelib` links to its entry, in the code cells and in the prose. An entry links
to the section that builds the thing by hand (the one that its docstring or book/built.yml names, or else the first of
that chapter that uses the name below its title), and to the first use in every chapter.
"""

import re
from pathlib import Path
from typing import NamedTuple

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging

import docstrings
from code_links import linked, uses

log = logging.getLogger(__name__)


class Place(NamedTuple):
    """A section of a chapter, and whether it is the page itself."""

    docname: str
    anchor: str
    title: str
    is_page: bool


class built_in(nodes.Inline, nodes.Element):
    """Becomes a link to the section that builds a name by hand."""


class used_in(nodes.Inline, nodes.Element):
    """Becomes links to the first use of a name in every chapter."""


def note_uses(app, doctree):
    """Remember which section of a page uses what from vaelib, and where in each cell it stands."""
    env, imported, found = app.env, {}, []
    public = set(docstrings.dotted_names(Path(env.srcdir) / "vaelib"))
    for cell in doctree.findall(_is_code_cell):
        code = next(iter(cell.findall(nodes.literal_block)), None)
        if code is not None:
            code["vaelib_uses"] = [use for use in uses(code.rawsource or code.astext(), imported) if use.name in public]
            place = _place(env.docname, cell)
            found += [(use.name, place) for use in code["vaelib_uses"] if not use.is_import]
    sections = [_place(env.docname, node) for node in doctree.findall(nodes.title)]
    _store(env)[env.docname] = {"uses": found, "imported": imported, "sections": sections}


def _is_code_cell(node):
    return isinstance(node, nodes.container) and node.get("nb_element") == "cell_code"


def _store(env):
    if not hasattr(env, "vaelib_pages"):
        env.vaelib_pages = {}
    return env.vaelib_pages


def _place(docname, node):
    while not isinstance(node, nodes.section):
        node = node.parent
        if node is None:
            return Place(docname, "", docname, True)
    title = node.next_node(nodes.title).astext()
    return Place(docname, node["ids"][0], title, isinstance(node.parent, nodes.document))


class Links(SphinxPostTransform):
    """Turn names into links: of the reference to the chapters, and of the chapters to the reference."""

    default_priority = 20
    formats = ("html",)

    def run(self, **kwargs):
        for node in list(self.document.findall(built_in)):
            node.replace_self(self.to_chapter(node))
        for node in list(self.document.findall(used_in)):
            places = self.chapters_that_use(node["dotted"])
            if places:
                node.replace_self(self.listed(places))
            else:
                node.parent.parent.parent.parent.remove(node.parent.parent.parent)
        public = set(docstrings.dotted_names(Path(self.env.srcdir) / "vaelib"))
        for node in list(self.document.findall(nodes.literal)):
            self.link_prose(node, public)

    def to_chapter(self, wanted):
        pages = [name for name in _store(self.env) if _number(name) == wanted["chapter"]]
        if not pages:
            return nodes.Text(wanted["text"])  # a chapter that is not written yet
        page = _store(self.env)[pages[0]]
        if wanted["title"]:
            places = [place for place in page["sections"] if place.title == wanted["title"]]
            if not places:
                log.warning(f"{wanted['dotted']}: chapter {wanted['chapter']} has no section {wanted['title']!r}")
        else:
            places = [place for name, place in page["uses"] if name == wanted["dotted"] and not place.is_page]
        place = (places + page["sections"])[0]
        return self.link(place, f"chapter {wanted['chapter']}, “{place.title}”")

    def chapters_that_use(self, dotted):
        first = {}
        for name in sorted(_store(self.env)):
            for used, place in _store(self.env)[name]["uses"]:
                if used == dotted:
                    first.setdefault(name, place)
        return list(first.values())

    def listed(self, places):
        """ "chapters 1, 3; What you need before chapter 1": what has no number goes by its title."""
        numbered = [place for place in places if _number(place.docname)]
        line = nodes.inline("", "chapter " if len(numbered) == 1 else "chapters " if numbered else "")
        for place in numbered:
            line += [nodes.Text(", ")] * (place != numbered[0]) + [self.link(place, _number(place.docname))]
        for place in [place for place in places if place not in numbered]:
            title = _store(self.env)[place.docname]["sections"][0].title
            line += [nodes.Text("; ")] * bool(line.children) + [self.link(place, title)]
        return line

    def link(self, place, text):
        address = self.app.builder.get_relative_uri(self.env.docname, place.docname) + f"#{place.anchor}"
        return nodes.reference("", "", nodes.Text(str(text)), refuri=address, internal=True)

    def link_prose(self, node, public):
        """Make a link of `vaelib.linear.pca`, or of a bare name that this page imports from vaelib."""
        text, here = node.astext(), _store(self.env).get(self.env.docname, {"imported": {}})["imported"]
        name = text.removeprefix("vaelib.") if text.startswith("vaelib.") else here.get(text, "")
        if self.env.docname == self.env.vaelib_reference:
            same = [dotted for dotted in public if dotted.partition(".")[2] == text or f"vaelib.{dotted}" == text]
            name = same[0] if len(same) == 1 else ""
        is_module = name and f"vaelib.{name}" == text and any(d.startswith(f"{name}.") for d in public)
        if (name in public or is_module) and not isinstance(node.parent, nodes.reference | nodes.title):
            anchor = f"vaelib.{name}" if name in public else f"module-vaelib.{name}"
            address = self.app.builder.get_relative_uri(self.env.docname, self.env.vaelib_reference)
            link = nodes.reference("", "", refuri=f"{address}#{anchor}", internal=True)
            node.replace_self(link)
            link += node


def _number(docname):
    """7 for book/07_faces, 0 for a page that is not a chapter."""
    match = re.match(r"[0-8]\d(?=_)", docname.rpartition("/")[2])
    return int(match[0]) if match else 0


def forget(app, env, docname):
    _store(env).pop(docname, None)


def write_again(app, env):
    """The reference names sections of the chapters: a changed chapter changes it."""
    return [env.vaelib_reference] if hasattr(env, "vaelib_reference") else []


def visit(translator, node):
    """What the translator of the theme does, and then the links."""
    try:
        type(translator).visit_literal_block(translator, node)
    except nodes.SkipNode:
        if found := node.get("vaelib_uses"):
            env, builder = translator.builder.env, translator.builder
            page = builder.get_relative_uri(builder.current_docname, env.vaelib_reference)
            translator.body[-1] = linked(translator.body[-1], found, lambda name: f"{page}#vaelib.{name}")
        raise
