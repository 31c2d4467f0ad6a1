"""Plots on white are turned dark on dark pages; pictures keep their colours.

A figure is a plot when most of it is plain white (`mystnb: {image: {classes: picture}}` in a cell's metadata, or
`plot`, says otherwise). The style sheet turns lightness over and leaves the hues.
"""

from pathlib import Path

import numpy as np
from docutils import nodes
from PIL import Image
from sphinx.transforms.post_transforms import SphinxPostTransform

WHITE = 0.75  # of the pixels: of the book's plots at least 0.79, of its pictures at most 0.67


def is_plot(path: Path) -> bool:
    """Whether a figure is mostly white."""
    with Image.open(path) as image:
        return bool((np.asarray(image.convert("RGB")) > 250).all(axis=-1).mean() >= WHITE)


class MarkPlots(SphinxPostTransform):
    """Give every figure that a cell shows the class `plot` or `picture`."""

    default_priority = 30  # MyST-NB has chosen what is shown
    formats = ("html",)

    def run(self, **kwargs):
        for image in self.document.findall(nodes.image):
            path = Path(self.env.srcdir) / image["uri"].lstrip("/")
            in_output = any("cell_output" in getattr(box, "attributes", {}).get("classes", ()) for box in _above(image))
            if (
                in_output
                and path.suffix == ".png"
                and not {"plot", "picture"} & set(image["classes"])
                and path.exists()
            ):
                image["classes"].append("plot" if is_plot(path) else "picture")


def _above(node):
    while node := node.parent:
        yield node


def setup(app):
    app.add_post_transform(MarkPlots)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
