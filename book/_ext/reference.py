"""The reference of `vaelib`, made from its docstrings: `{reference}` lists every public name.

"Book: chapter 4" in a docstring becomes a link to the section that builds the thing by hand; see `reference_links.py`.
"""

import re
from pathlib import Path

import yaml
from docutils import nodes
from docutils.statemachine import StringList
from sphinx import addnodes
from sphinx.util.docutils import SphinxDirective

import docstrings
import library
from reference_links import Links, built_in, forget, note_uses, used_in, visit, write_again

CHAPTER = re.compile(r'[Cc]hapter (\d+)(?:, "([^"]+)")?')
READING_ORDER = "distributions objectives linear models data train metrics plots faces widgets checks".split()


class Reference(SphinxDirective):
    def run(self):
        self.env.vaelib_reference = self.env.docname
        folder = Path(self.env.srcdir) / "vaelib"
        files = docstrings.modules(folder)
        for name in files:
            for path in library.files(name, folder):
                self.env.note_dependency(str(path))
        sections = Path(self.env.srcdir) / "book" / "built.yml"
        self.env.note_dependency(str(sections))
        self.built = yaml.safe_load(sections.read_text(encoding="utf-8"))
        order = sorted(files, key=lambda name: (READING_ORDER.index(name) if name in READING_ORDER else 99, name))
        return [self.module(name, files[name]) for name in order]

    def module(self, name, tree):
        title = nodes.title("", "", nodes.literal(text=f"vaelib.{name}"))
        section = nodes.section("", title, ids=[f"module-vaelib.{name}"], names=[f"vaelib.{name}"])
        self.state.document.note_explicit_target(section)
        section += _paragraphs(docstrings.ast.get_docstring(tree) or "")
        self.parse([f"```{{py:module}} vaelib.{name}", ":no-index:", "```"])
        for entry in docstrings.entries(tree.body):
            section += self.entry(name, entry)
        return section

    def entry(self, module, entry):
        found = self.parse([f"```{{py:{entry.kind}}} {entry.name}{entry.signature}", "```"])
        content = next(iter(node for desc in found for node in desc.findall(addnodes.desc_content)))
        content += _description(module, entry, self.built.get(f"{module}.{entry.name}", ""))
        for member in entry.members:
            content += self.entry(module, member)
        return found

    def parse(self, lines):
        node = nodes.Element()
        self.state.nested_parse(StringList(lines, self.env.docname), 0, node)
        return node.children


def _description(module, entry, section):
    before, sections = docstrings.parts(entry.doc)
    fields = nodes.field_list()
    for name, text in sections:
        fields += _field(name, _book(module, entry, text, section) if name == "Book" else _items(text))
    if entry.kind in ("class", "function", "data"):
        fields += _field("Used in", [nodes.paragraph("", "", used_in(dotted=f"{module}.{entry.name}"))])
    return [*_paragraphs(before), fields]


def _field(name, body):
    return nodes.field("", nodes.field_name(text=name), nodes.field_body("", *body))


def _book(module, entry, text, section):
    """The text with each "chapter N" waiting for the place that it means."""
    name, line, end = f"{module}.{entry.name.partition('.')[0]}", nodes.paragraph(), 0
    for match in CHAPTER.finditer(text):
        line += nodes.Text(text[end : match.start()])
        line += built_in(dotted=name, chapter=int(match[1]), title=match[2] or section, text=match[0])
        end = match.end()
    line += nodes.Text(text[end:])
    return [line]


def _items(text):
    listed = docstrings.items(text)
    if all(not name for name, _ in listed):
        return [nodes.paragraph("", "", *_inline(" ".join(line for _, line in listed)))]
    rows = nodes.bullet_list(classes=["reference-items"])
    for names, description in listed:
        start = [nodes.strong(text=names), nodes.Text(": ")] if names else []
        rows += nodes.list_item("", nodes.paragraph("", "", *start, *_inline(description)))
    return [rows]


def _paragraphs(text):
    return [nodes.paragraph("", "", *_inline(" ".join(p.split()))) for p in text.split("\n\n") if p.strip()]


def _inline(text):
    """Text with what stands in backticks as code."""
    pieces = text.split("`")
    return [nodes.literal(text=t) if i % 2 else nodes.Text(t) for i, t in enumerate(pieces) if t]


def setup(app):
    app.add_directive("reference", Reference)
    app.add_post_transform(Links)
    app.add_node(built_in)
    app.add_node(used_in)
    app.add_node(nodes.literal_block, override=True, html=(visit, None))
    app.connect("doctree-read", note_uses)
    app.connect("env-purge-doc", forget)
    app.connect("env-updated", write_again)
    return {"version": "1", "parallel_read_safe": False, "parallel_write_safe": True}
