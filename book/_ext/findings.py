"""What an experiment showed is typeset as a finding, without a number: `> **Finding** (obs-name). What was seen.`

In Colab, on GitHub and in Jupyter it is a quoted paragraph. On the page it is a box that `{ref}` can name.
"""

import re

from docutils import nodes

LABELLED = re.compile(r"\s*\((obs-[a-z0-9-]*[a-z0-9])\)[.:]?\s*")


def box_findings(app, doctree):
    """Make a box of every quoted paragraph that starts with the word and a label."""
    for quote in list(doctree.findall(nodes.block_quote)):
        first = quote.next_node(nodes.paragraph)
        parts = [part for part in first.children if part.astext()] if first else []
        if len(parts) < 2 or not isinstance(parts[0], nodes.strong) or parts[0].astext() != "Finding":
            continue
        if label := LABELLED.match(parts[1].astext()):
            first[:] = [nodes.Text(parts[1].astext()[label.end() :]), *first[first.index(parts[1]) + 1 :]]
            title, name = nodes.title("", "Finding"), label[1]
            box = nodes.admonition("", title, *quote.children, ids=[name], names=[name], classes=["finding"])
            quote.replace_self(box)
            doctree.ids[name] = box
            app.env.get_domain("std").note_hyperlink_target(name, app.env.docname, name, "Finding")


def setup(app):
    app.connect("doctree-read", box_findings)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
