"""Live figures on the page: their picture for readers without scripts, and the host script where there are any.

A live figure's output holds a widget view and a picture (with the cell's alt text). Both are put on the page; the
script of `book/assets/live.js` draws the view and then hides the picture.
"""

from docutils import nodes
from myst_nb.sphinx_ import NbMetadataCollector
from sphinx.transforms.post_transforms import SphinxPostTransform

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


class PictureBeforeView(SphinxPostTransform):
    """Set the picture of a live figure in front of its view, before MyST-NB keeps only the view."""

    default_priority = 3  # MyST-NB selects at 4
    formats = ("html",)

    def run(self, **kwargs):
        for bundle in list(self.document.findall(_is_bundle)):
            parts = {part["mime_type"]: part for part in bundle}
            if WIDGET_VIEW in parts and "image/png" in parts:
                view = parts[WIDGET_VIEW]
                still = nodes.container("", *parts["image/png"].children, classes=["live-still"])
                view[:] = [nodes.container("", still, *view.children, classes=["live-place"])]


def _is_bundle(node):
    return isinstance(node, nodes.container) and node.get("nb_element") == "mime_bundle"


def add_host(app, pagename, templatename, context, doctree):
    """Only a page with widget state loads the host."""
    if doctree is not None and "ipywidgets_state" in NbMetadataCollector.get_js_files(app.env, pagename):
        app.add_js_file("live.js", loading_method="defer")


def setup(app):
    app.add_post_transform(PictureBeforeView)
    app.connect("html-page-context", add_host)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
