"""One quiet line under an equation says how it was checked, and unfolds to the cell that did it.

A cell with the tag `check` leaves its place on the page for the fold under the equation of its section that it
checks (the nearest above it, when it checks several; the other equations get a line that points there). The line is
made from what the check printed, from the cell's metadata `vaelib: {verdict: "-2.11 = -9.98 + 7.87"}` (for one of
several equations `{verdict: {eq-name: "..."}}`) and from the table of attacks. `access.py` writes the fold.

In everything that cells print, tagged or not, the label of an equation becomes its number, and links to it.
"""

import re
from typing import NamedTuple

from docutils import nodes
from sphinx import addnodes
from sphinx.transforms.post_transforms import SphinxPostTransform

from printed import Proof, attacked_words, attacks_on, observations_in, proofs_in, read_attacks

LABEL = re.compile(r"(?<![\w-])(?:eq|step|def|obs)-[a-z0-9-]*[a-z0-9]")
COUNTS = "no one two three four five six seven eight nine ten eleven twelve".split()


class Line(NamedTuple):
    """What stands under one equation: the words of the line and the content of its fold."""

    proofs: list[Proof]
    measured: list[str]
    numbers: list[str]
    content: list[nodes.Node]


def fold_checks(app, doctree):
    """Move every cell that only checks under its equation."""
    places = {name: node for node in doctree.findall(_is_stated) for name in _names(node)}
    order = {id(node): i for i, node in enumerate(doctree.findall())}
    lines = {}
    for cell in [node for node in doctree.findall(_is_check) if node.parent]:
        printed = "\n".join(block.astext() for block in _outputs(cell))
        checked = [*proofs_in(printed), *observations_in(printed)]
        own = [name for name in checked if name in places and _section(places[name]) is _section(cell)]
        own.sort(key=lambda name: order[id(places[name])])
        above = [name for name in own if order[id(places[name])] < order[id(cell)]]
        home = (above[-1:] or own[:1] or checked[:1] or [None])[0]
        if own:
            _add_lines(lines, own, home, cell, printed, app.env.docname)
            cell.parent.remove(cell)
        elif home:
            _fold_in_place(cell, printed, checked, app.env.docname)
    for name, line in lines.items():
        place = places[name]
        box = _box([name], line, app.config.verdicts_attacks, app.env.docname)
        place.parent.insert(place.parent.index(place) + 1, box)
        _move_anchor(doctree, f"check-{name}", box)
    number_outputs(doctree, places, app.env.docname)


def _is_stated(node):
    """An equation with a label, or a finding."""
    if isinstance(node, nodes.math_block):
        return bool(node.get("label"))
    return isinstance(node, nodes.admonition) and "finding" in node["classes"]


def _names(node):
    return [node["label"]] if isinstance(node, nodes.math_block) else node["names"]


def _is_check(node):
    return (
        isinstance(node, nodes.container)
        and node.get("nb_element") == "cell_code"
        and "check" in node["cell_metadata"].get("tags", [])
    )


def _outputs(cell):
    for part in cell.findall(lambda node: getattr(node, "attributes", {}).get("nb_element") == "cell_code_output"):
        yield from part.findall(nodes.literal_block)


def _section(node):
    while not isinstance(node, nodes.section | nodes.document):
        node = node.parent
    return node


def _add_lines(lines, own, home, cell, printed, docname):
    verdict = cell["cell_metadata"].get("vaelib", {}).get("verdict", {})
    verdict = {home: verdict} if isinstance(verdict, str) else verdict
    for name in own:
        line = lines.setdefault(name, Line([], [], [], []))
        line.proofs.extend(proofs_in(printed).get(name, []))
        line.measured.extend(observations_in(printed).get(name, []))
        line.numbers.extend(filter(None, [verdict.get(name)]))
        line.content.extend([cell] if name == home else [_excerpt(printed, name), _pointer(home, docname)])


def _excerpt(printed, name):
    """What a cell that stands elsewhere printed about one equation."""
    text = "\n".join(re.findall(rf"^{name} .*(?:\n    .*)*", printed, re.MULTILINE))
    block = nodes.literal_block(text, text, classes=["output", "stream"])
    return nodes.container("", block, classes=["cell_output"], nb_element="cell_code_output")


def _pointer(home, docname):
    return nodes.paragraph("", "", nodes.Text("The cell stands under "), _number(home, docname), nodes.Text("."))


def _fold_in_place(cell, printed, checked, docname):
    """A check of what another section states stays where it is, folded."""
    proofs = [proof for name in checked for proof in proofs_in(printed).get(name, [])]
    measured = [line for name in checked for line in observations_in(printed).get(name, [])]
    place, at = cell.parent, cell.parent.index(cell)
    place.remove(cell)
    verdict = cell["cell_metadata"].get("vaelib", {}).get("verdict", {})
    numbers = [verdict] if isinstance(verdict, str) else [*verdict.values()]
    place.insert(at, _box(checked, Line(proofs, measured, numbers, [cell]), {}, docname))


def _box(names, line, table, docname):
    title = nodes.title("", "")
    for i, name in enumerate(names):
        title += [nodes.Text(", ")] * bool(i) + [_number(name, docname)]
    attacks = attacks_on(table, docname.rpartition("/")[2], names[0])
    title += nodes.Text(" " + words(line, attacks).replace("'", "\N{RIGHT SINGLE QUOTATION MARK}"))
    return nodes.admonition("", title, *line.content, classes=["dropdown", "verdict"])


def words(line: Line, attacks=None) -> str:
    """The sentence after the number of the equation."""
    verb = "checked" if line.proofs else "measured"
    parts = [_closely(proof) for proof in dict.fromkeys(p._replace(rejected=()) for p in line.proofs)] + line.measured
    refused = sum(len(proof.rejected) for proof in line.proofs)
    parts += [f"{_count(refused)} wrong version{'s' * (refused > 1)} refused"] * bool(refused)
    return "; ".join([f"{', '.join([verb, *line.numbers])}: {parts[0]}", *parts[1:], *attacked_words(attacks)])


def _closely(proof):
    tolerance = re.sub(r" \(false alarm.*", "", proof.tolerance).removesuffix(" absolute")
    tolerance = re.sub(r"e-0?", "e\N{NON-BREAKING HYPHEN}", tolerance)
    return proof.how if tolerance == "an inequality" else f"{proof.how}, {tolerance}"


def _count(number: int) -> str:
    return COUNTS[number] if number < len(COUNTS) else str(number)


def _move_anchor(doctree, anchor, box):
    """The ledger's link to a check leads to the line, which can be seen."""
    if anchor in doctree.ids:
        doctree.ids[anchor]["ids"].remove(anchor)
    box["ids"].append(anchor)
    doctree.ids[anchor] = box


def _number(name, docname):
    """Becomes the number of an equation, linked; a finding has a name only."""
    domain, kind, text = ("std", "ref", "Finding") if name.startswith("obs-") else ("math", "eq", name)
    options = {"refdomain": domain, "reftype": kind, "reftarget": name, "refexplicit": True, "refdoc": docname}
    return addnodes.pending_xref("", nodes.inline("", text), **options)


def number_outputs(doctree, known, docname):
    """Show numbers, not labels, in what cells print."""
    for block in [b for b in _outputs(doctree) if not known.keys().isdisjoint(LABEL.findall(b.astext()))]:
        parts, text, end = [], block.astext(), 0
        for found in LABEL.finditer(text):
            if found[0] in known:
                parts += [nodes.Text(text[end : found.start()]), _number(found[0], docname)]
                end = found.end()
        inner = nodes.literal_block(text, "", *parts, nodes.Text(text[end:]))
        boxes = nodes.container("", inner, classes=["highlight"])  # as other outputs are written
        block.replace_self(nodes.container("", boxes, classes=[*block["classes"], "highlight-myst-ansi"]))


class PlainSummaries(SphinxPostTransform):
    """The line of a fold is clicked to unfold it: it holds no link."""

    default_priority = 50  # the references are resolved, the folds are not yet written
    formats = ("html",)

    def run(self, **kwargs):
        for box in self.document.findall(lambda node: "verdict" in getattr(node, "attributes", {}).get("classes", ())):
            for link in list(box[0].findall(nodes.reference)):
                link.replace_self(nodes.inline("", link.astext(), classes=["verdict-number"]))


def load_attacks(app, config):
    """In the configuration the table makes Sphinx read the pages again when it changes."""
    config.verdicts_attacks = read_attacks(app.srcdir)


def setup(app):
    app.add_config_value("verdicts_attacks", {}, "env")
    app.add_post_transform(PlainSummaries)
    app.connect("config-inited", load_attacks)
    app.connect("doctree-read", fold_checks, priority=900)  # after the cells have anchors and their names of vaelib
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
