"""For every reader: folded boxes that need no script, and no label or role that misleads a screen reader.

Folded boxes (admonitions of class dropdown: hints, answers, asides) become `<details>`: they can be read with scripts
off, opened by keyboard, found by the browser's own search, and printed.
"""

import re

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform

# On the folds of MyST-NB a label hides what is folded; the roles in a bibliography are withdrawn or lack their parts.
MISLEADING = (' aria-label="Toggle hidden content"', ' role="list"', ' role="doc-biblioentry"')


FOLDED = re.compile(r"<details.*?</details>", re.DOTALL)


class fold(nodes.General, nodes.Element):
    """A `<details>`."""


class fold_title(nodes.General, nodes.TextElement):
    """Its `<summary>`."""


class FoldDropdowns(SphinxPostTransform):
    default_priority = 400
    formats = ("html",)

    def run(self, **kwargs):
        for box in list(self.document.findall(_is_dropdown)):
            title, *rest = box.children
            box.replace_self(fold("", fold_title("", "", *title.children), *rest, **box.attributes))


def _is_dropdown(node):
    return isinstance(node, nodes.admonition) and "dropdown" in node["classes"]


def visit_fold(self, node):
    self.body.append(self.starttag(node, "details", CLASS="admonition"))


def depart_fold(self, node):
    self.body.append("</details>\n")


def visit_title(self, node):
    self.body.append(self.starttag(node, "summary", "", CLASS="admonition-title"))


def depart_title(self, node):
    self.body.append("</summary>\n")


def tidy(app, pagename, templatename, context, doctree):
    """Drop the script that folds boxes in the stock theme, and what misleads."""
    for key in ("script_files", "css_files"):
        context[key] = [f for f in context.get(key, []) if not _is_toggle(f)]
    for words in MISLEADING if "body" in context else ():
        context["body"] = context["body"].replace(words, "")
    if "body" in context:  # code in a fold is not yet laid out when the theme looks for what the keyboard must scroll
        context["body"] = FOLDED.sub(lambda box: box[0].replace("<pre>", '<pre tabindex="0">'), context["body"])


def _is_toggle(file) -> bool:
    return "toggle" in f"{getattr(file, 'filename', file)} {getattr(file, 'attributes', '')}".lower()


def setup(app):
    app.add_node(fold, html=(visit_fold, depart_fold))
    app.add_node(fold_title, html=(visit_title, depart_title))
    app.add_post_transform(FoldDropdowns)
    app.connect("html-page-context", tidy, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
