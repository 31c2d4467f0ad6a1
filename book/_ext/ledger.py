"""Two pages made from the notebooks at build time: the ledger of equations and the table of slips.

`{ledger}` lists every labelled equation with the line that its check printed. `{slips}` lists book/slips.yml with
a link to the cell that refutes each slip: the one that carries `vaelib: {slip: NAME}` in its metadata. Cells get
the anchors `check-LABEL` and `slip-NAME`, so that both tables can point at them.
"""

import re
from pathlib import Path
from typing import NamedTuple

import nbformat
import yaml
from docutils import nodes
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective

DISPLAY = re.compile(r"^\$\$\s*\n(.*?)\n\$\$ \(((?:eq|step|def)-[a-z0-9-]+)\)", re.DOTALL | re.MULTILINE)
CALL = re.compile(r"\bcheck(?:_bound)?\(\s*[\"']((?:eq|step|def)-[a-z0-9-]+)[\"']")
HOLDS = re.compile(r"^((?:eq|step|def)-[a-z0-9-]+) holds: (.*)((?:\n    rejected\b.*)*)", re.MULTILINE)
REJECTED = re.compile(r"rejected(?: (everywhere|somewhere))?: (.*)")
TOLERANCE = re.compile(r"^(.*), (to the last bit|within .*|with room for .*)$")
SMALL = 1e-9  # up to here a difference is rounding


class Entry(NamedTuple):
    """One labelled display, with what its checks printed; definitions and unchecked steps have no proofs."""

    label: str
    formula: str
    proofs: list["Proof"]


class Proof(NamedTuple):
    how: str
    tolerance: str
    kind: str
    rejected: list[str]


def entries(notebook) -> list[Entry]:
    """The labelled displays of a notebook, in order."""
    proofs = {}
    for cell in notebook.cells:
        printed = "".join(out.get("text", "") for out in cell.get("outputs", []))
        for label, line, tried in HOLDS.findall(printed):
            rejected = [f"{name} {where}".rstrip() for where, name in REJECTED.findall(tried)]
            proofs.setdefault(label, []).append(proof(line, rejected))
    text = "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    return [Entry(label, " ".join(f.split()), proofs.get(label, [])) for f, label in DISPLAY.findall(text)]


def proof(line: str, rejected: list[str]) -> Proof:
    """What one printed line says: how, how closely, and what kind of agreement that is."""
    how, tolerance = match.groups() if (match := TOLERANCE.match(line)) else (line, "an inequality")
    if "standard errors" in tolerance:
        kind = "statistical"
    elif tolerance == "an inequality" or tolerance.startswith("with room"):
        kind = "bound"
    else:
        largest = max((float(n) for n in re.findall(r"[\d.]+(?:e-?\d+)?", tolerance)), default=0.0)
        kind = "exact" if largest <= SMALL else "numerical"
    return Proof(how, tolerance, kind, rejected)


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
        for stem, title, notebook in chapters(self.env):
            rows = [entry for entry in entries(notebook) if not entry.label.startswith("def-") and entry.proofs]
            if rows:
                yield from (f":::{{rubric}} {title}", ":::", "", "::::{list-table}", ":header-rows: 1")
                yield from (":widths: 10 44 46", ":class: ledger", "", "* - No.", "  - Statement", "  - Proof")
                for entry in rows:
                    yield from _ledger_row(stem, entry)
                yield from ("::::", "")
        yield from self.totals()

    def totals(self):
        every = [entry for _, _, notebook in chapters(self.env) for entry in entries(notebook)]
        facts = [e for e in every if e.label.startswith("eq-")]
        kinds = [p.kind for e in every for p in e.proofs]
        unchecked = sum(not e.proofs for e in facts)
        yield f"**{len(facts)} equations, {unchecked} of them unchecked.** With the steps of the derivations there are "
        yield f"{len(kinds)} checks: " + ", ".join(f"{kinds.count(k)} {k}" for k in sorted(set(kinds))) + "."
        yield f"{sum(len(p.rejected) for e in every for p in e.proofs)} plausible wrong formulas are rejected."


def _ledger_row(stem, entry):
    yield f"* - {{eq}}`{entry.label}`"
    yield f"  - $\\displaystyle {entry.formula}$"
    link = f'<a href="{stem}.html#check-{entry.label}">cell</a>'
    for i, p in enumerate(entry.proofs):
        yield ("  - " if i == 0 else "\n    ") + f"**{p.kind}**: {p.how}, {p.tolerance} ({{raw-html}}`{link}`)"
        if p.rejected:
            yield "\n    *rejects* " + "; ".join(p.rejected)


class Slips(Table):
    def lines(self):
        path = Path(self.env.srcdir) / "book" / "slips.yml"
        self.env.note_dependency(str(path))
        places = {name: stem for stem, _, notebook in chapters(self.env) for name in slips_of(notebook)}
        yield from ("::::{list-table}", ":header-rows: 1", ":widths: 8 38 38 16", ":class: ledger", "")
        yield from ("* - Note", "  - You will meet", "  - What the cell shows", "  - Where")
        for slip in yaml.safe_load(path.read_text(encoding="utf-8")):
            if slip["slip"] not in places:
                raise self.error(f"no cell carries vaelib: {{slip: {slip['slip']}}}")
            place = places[slip["slip"]]
            link = f'<a href="{place}.html#slip-{slip["slip"]}">chapter {int(place[:2])}</a>'
            yield from (
                f"* - {slip['note']}",
                f"  - {slip['met']}",
                f"  - {slip['shown']}",
                f"  - {{raw-html}}`{link}`",
            )
        yield "::::"


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
