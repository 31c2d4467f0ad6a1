"""Two pages made from the notebooks at build time: the ledger of equations and the table of slips.

`{ledger}` lists every labelled equation with the line that its check printed and what is known of its attacks, and then
every finding with what was measured. `{slips}` lists book/slips.yml with a link to the cell that refutes each slip: the
one that carries `vaelib: {slip: NAME}` in its metadata, or that checks the label which the entry names as its `check`.
Cells get the anchors `check-LABEL` and `slip-NAME`, so that both tables can point at them.
"""

import re
from pathlib import Path

import nbformat
import yaml
from docutils import nodes
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective

from printed import CALL, attacked_words, attacks_on, entries, findings

OFF_BY = re.compile(r", (?:off|past the bound) by .*?(?=, in some entries|$)")


def chapters(env):
    """(document name, title, notebook) of the first page and of every chapter, in reading order."""
    folder = Path(env.srcdir) / "book"
    for path in sorted(folder.glob("*.ipynb"), key=lambda path: (path.stem != "intro", path.name)):
        env.note_dependency(str(path))
        notebook = nbformat.read(path, as_version=4)
        title = re.search(r"^# (.*)", notebook.cells[0].source, re.MULTILINE)[1]
        yield path.stem, title, notebook


class Table(SphinxDirective):
    """Parse the lines of a subclass as markdown in place of the directive."""

    def run(self):
        node = nodes.Element()
        self.state.nested_parse(StringList("\n".join(self.lines()).splitlines(), self.env.docname), 0, node)
        return node.children


class Ledger(Table):
    def lines(self):
        pages = list(chapters(self.env))
        for stem, title, notebook in pages:
            rows = [entry for entry in entries(notebook) if not entry.label.startswith("def-") and entry.proofs]
            if rows:
                yield from _head(title, ("No.", 9), ("Statement", 38), ("Route and tolerance", 31), ("Attacks", 22))
                for entry in rows:
                    attacks = attacks_on(self.config.verdicts_attacks, stem, entry.label)
                    yield from _equation_row(stem, entry, attacks)
                yield from ("::::", "")
        yield from self.totals([entry for *_, notebook in pages for entry in entries(notebook)])
        yield from _observations([(stem, title, findings(notebook)) for stem, title, notebook in pages])

    def totals(self, every):
        facts = [e for e in every if e.label.startswith("eq-")]
        kinds = [p.kind for e in every for p in e.proofs]
        unchecked = sum(not e.proofs for e in facts)
        yield f"**{len(facts)} equations, {unchecked} of them unchecked.** With the steps of the derivations there are "
        yield f"{len(kinds)} checks: " + ", ".join(f"{kinds.count(k)} {k}" for k in sorted(set(kinds))) + "."
        yield f"{sum(len(p.rejected) for e in every for p in e.proofs)} plausible wrong formulas are rejected."
        yield ""


def _head(title, *columns):
    """The start of a table, under the name of its chapter."""
    yield from (f":::{{rubric}} {title}", ":::", "", "::::{list-table}", ":header-rows: 1")
    yield from (f":widths: {' '.join(str(width) for _, width in columns)}", ":class: ledger", "")
    yield from _row(*(name for name, _ in columns))


def _row(*cells):
    for i, cell in enumerate(cells):
        yield ("* - " if i == 0 else "  - ") + cell.replace("\n", "\n    ")


def _equation_row(stem, entry, attacks):
    route = "\n\n".join(f"**{p.kind}**: {p.how}, {p.tolerance}" for p in entry.proofs)
    route += f" ({_cell(stem, entry.label)})"  # once: links close together are hard to hit
    refused = [OFF_BY.sub("", name) for p in entry.proofs for name in p.rejected]
    said = [f"{len(refused)} wrong refused: {'; '.join(refused)}" if refused else "no wrong version tried"]
    said += attacked_words(attacks)
    yield from _row(f"{{eq}}`{entry.label}`", f"$\\displaystyle {entry.formula}$", route, "\n\n".join(said))


def _cell(stem, label):
    return f'{{raw-html}}`<a href="{stem}.html#check-{label}">cell</a>`'


def _observations(pages):
    """The second table: what experiments showed, with what was measured."""
    if any(found for *_, found in pages):
        yield from (":::{rubric} What the experiments showed", ":::", "")
    for stem, title, found in pages:
        if found:
            yield from _head(title, ("Finding", 46), ("Measured", 42), ("Where", 12))
            for f in found:
                measured = "\n\n".join(f.measured) + f" ({_cell(stem, f.label)})" if f.measured else "not measured"
                yield from _row(f.statement, measured, f"{{ref}}`finding <{f.label}>`")
            yield from ("::::", "")


class Slips(Table):
    def lines(self):
        path = Path(self.env.srcdir) / "book" / "slips.yml"
        self.env.note_dependency(str(path))
        places = {}  # of a slip's own cell, or of the check that refutes it
        for stem, _, notebook in chapters(self.env):
            places |= {f"slip-{name}": stem for name in slips_of(notebook)}
            places |= {f"check-{entry.label}": stem for entry in entries(notebook) if entry.proofs}
        yield from ("::::{list-table}", ":header-rows: 1", ":widths: 7 38 41 14", ":class: ledger", "")
        yield from _row("Note", "You will meet", "What is meant, and what the cell shows", "Where")
        for slip in yaml.safe_load(path.read_text(encoding="utf-8")):
            anchor = f"check-{slip['check']}" if "check" in slip else f"slip-{slip['slip']}"
            if anchor not in places:
                raise self.error(f"{slip['slip']}: no cell carries vaelib: {{slip: {slip['slip']}}}, or its check")
            yield from _slip_row(slip, anchor, places[anchor])
        yield "::::"


def _slip_row(slip, anchor, stem):
    look = f"\n\n*Look it up:* {slip['place']}." if "place" in slip else ""
    link = f'{{raw-html}}`<a href="{stem}.html#{anchor}">chapter {int(stem[:2])}</a>`'
    shown = f"*Meant, it seems:* {slip['read']}.\n\n*Run:* {slip['shown']}."
    yield from _row(slip["note"], slip["met"], shown + look, link)


def slips_of(notebook) -> list[str]:
    """The slips that the cells of a notebook say they refute."""
    found = [cell.metadata.get("vaelib", {}).get("slip", []) for cell in notebook.cells]
    return [name for slip in found for name in ([slip] if isinstance(slip, str) else slip)]


def anchor_cells(app, doctree):
    """Give a cell an id for every check in it and every slip that it refutes."""
    for cell in doctree.findall(nodes.container):
        if cell.get("nb_element") != "cell_code":
            continue
        slip = cell["cell_metadata"].get("vaelib", {}).get("slip", [])
        names = [f"slip-{name}" for name in ([slip] if isinstance(slip, str) else slip)]
        names += [f"check-{label}" for label in CALL.findall(cell.astext())]
        taken = set(doctree.ids)
        for name in dict.fromkeys(names):
            if name not in taken:
                cell["ids"].append(name)
                doctree.ids[name] = cell


def raw_html(name, rawtext, text, lineno, inliner, options=None, content=None):
    """A link to a cell: made by this file only, never from a reader's text."""
    return [nodes.raw("", text, format="html")], []


def setup(app):
    app.add_directive("ledger", Ledger)
    app.add_directive("slips", Slips)
    app.add_role("raw-html", raw_html)
    app.connect("doctree-read", anchor_cells)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
