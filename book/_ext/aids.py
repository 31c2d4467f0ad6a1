"""Helps for the reader, made at build time: the question and the times of a page, and the meaning of terms.

Under the title of a chapter stand its question (book/questions.yml), how long it takes to read, and how long its cells
run (benchmarks/results.json); at its foot, the questions of its neighbours. The definitions of the glossary terms
that a page uses are put, hidden, at its end, where `glossary.js` finds them; without scripts a term is a plain link
to the glossary.
"""

import html
import json
import re
from pathlib import Path

import yaml
from docutils import nodes
from sphinx import addnodes
from sphinx.transforms.post_transforms import SphinxPostTransform

WORDS_A_MINUTE = 150  # a text to think along with, slower than a novel
SECONDS = {"math_block": 20, "cell_code": 20}  # to read a display, a cell with what it printed
CHAPTER = re.compile(r"[0-8]\d_")  # from 90 on stand the appendices
KINDS = {  # the start of a box's title tells its kind, and so its look
    "predict": r"Predict first|Question \d",
    "met": r"(A|Another|The) \w+ you will meet|You will meet",
    "answer": r"Answer|What you should have seen|The answer",
    "hint": r"Hint",
    "solution": r"Solution",
    "why": r"Why\?",
    "goal": r"What you will be able to do|After this chapter",
}


def minutes(words: int, displays: int, cells: int) -> int:
    """Reading time, to the next five minutes."""
    seconds = words / WORDS_A_MINUTE * 60 + displays * SECONDS["math_block"] + cells * SECONDS["cell_code"]
    return 5 * max(1, round(seconds / 300))


def measure(doctree) -> tuple[int, int, int]:
    """Words of the prose (folded text too), display equations, code cells."""
    words, cells = 0, 0
    for node in doctree.findall():
        if isinstance(node, nodes.container) and node.get("nb_element") == "cell_code":
            cells += 1
        elif isinstance(node, nodes.paragraph | nodes.title | nodes.term) and not _in_output(node):
            words += len(node.astext().split())
    return words, len(list(doctree.findall(nodes.math_block))), cells


def _in_output(node):
    while node := node.parent:
        if isinstance(node, nodes.container) and node.get("nb_element") in ("cell_code_output", "mime_bundle"):
            return True
    return False


def add_reading_time(app, doctree):
    """The line under the title of a chapter."""
    stem = app.env.docname.rpartition("/")[2]
    title = doctree.next_node(nodes.title)
    if not CHAPTER.match(stem) or title is None:
        return
    words, displays, cells = measure(doctree)
    time = f"Reading time: about {minutes(words, displays, cells)} minutes"
    line = nodes.paragraph("", "", classes=["reading-time"])
    if question := questions(app).get(stem[:2]):
        line += nodes.inline(text=question, classes=["question"])
    line += nodes.Text(f"{time} · {displays} displayed equations · {cells} code cells")
    if runs := running_time(app, stem):
        line += nodes.inline("", runs, classes=["running-time"])
    place = nodes.container("", line)  # no child of the section: the page's description is taken from its own prose
    title.parent.insert(title.parent.index(title) + 1, place)


def running_time(app, chapter: str) -> str:
    """How long the chapter's cells run, as benchmarks/results.json has it."""
    path = Path(app.srcdir) / "benchmarks" / "results.json"
    app.env.note_dependency(str(path))
    return json.loads(path.read_text(encoding="utf-8"))["running_times"].get(chapter, "")


def name_kinds(app, doctree):
    """Give every box a class for its kind; what folds under a heading "Recall" is a question."""
    for box in doctree.findall(nodes.admonition):
        title = box.next_node(nodes.title).astext()
        kinds = [kind for kind, start in KINDS.items() if re.match(start, title)]
        if not kinds and "recall" in getattr(box.parent, "attributes", {}).get("ids", ()):
            kinds = ["recall"]
        box["classes"] += [f"kind-{kind}" for kind in kinds]


def questions(app) -> dict[str, str]:
    path = Path(app.srcdir) / "book" / "questions.yml"
    app.env.note_dependency(str(path))
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def add_neighbours(app, pagename, templatename, context, doctree):
    """Under "previous" and "next" stands the question that the page answers."""
    _, *neighbours = app.builder.relations.get(pagename, (None, None, None))
    asked = yaml.safe_load((Path(app.srcdir) / "book" / "questions.yml").read_text(encoding="utf-8"))
    for side, name in zip(("prev", "next"), neighbours, strict=True):
        question = asked.get((name or "").rpartition("/")[2][:2])
        if context.get(side) and question:
            title = f'{context[side]["title"]}<span class="question">{html.escape(question)}</span>'
            context[side] = {**context[side], "title": title}


class glossary_cards(nodes.General, nodes.Element):
    """A `<template>`: it is shown to nobody until a script takes a card out of it."""


def visit_cards(self, node):
    self.body.append('<template class="glossary-cards">')


def depart_cards(self, node):
    self.body.append("</template>\n")


class Cards(SphinxPostTransform):
    """Copy the definitions of the terms that a page links to."""

    default_priority = 15  # after the references are resolved, before MyST-NB and the mathematics are rendered
    formats = ("html",)

    def run(self, **kwargs):
        links = [link for link in self.document.findall(nodes.reference) if _is_term(link)]
        wanted = dict.fromkeys(link.get("refuri", "").partition("#")[2] for link in links)
        cards = glossary_cards()
        for name in filter(None, wanted):
            cards += nodes.container("", *self.definition(name), ids=[f"card-{name}"])
        if len(cards):
            self.document += cards

    def definition(self, name):
        glossary = self.env.get_doctree(self.page_of(name))
        term = next(node for node in glossary.findall(nodes.term) if name in node["ids"])
        text = [part.deepcopy() for part in term.parent.next_node(nodes.definition).children]
        for part in text:
            for reference in list(part.findall(addnodes.pending_xref)):
                reference.replace_self(nodes.Text(reference.astext()))
        return text

    def page_of(self, name):
        terms = self.env.get_domain("std").objects
        return next(page for (kind, _), (page, anchor) in terms.items() if kind == "term" and anchor == name)


def _is_term(link):
    return any("std-term" in part.get("classes", []) for part in link.findall(nodes.inline))


def add_script(app, pagename, templatename, context, doctree):
    """Only a page with cards loads their script."""
    if doctree is not None and doctree.next_node(glossary_cards):
        app.add_js_file("glossary.js", loading_method="defer")


def setup(app):
    app.add_node(glossary_cards, html=(visit_cards, depart_cards))
    app.add_post_transform(Cards)
    app.connect("doctree-read", add_reading_time)
    app.connect("doctree-read", name_kinds)
    app.connect("html-page-context", add_neighbours)
    app.connect("html-page-context", add_script)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
