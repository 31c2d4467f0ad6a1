"""Arrays in, Figure out. A colour means one thing in the whole book; a name stands beside every line."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from vaelib._extras import need

# One meaning per colour (Okabe & Ito's palette, told apart by colour-blind readers and in grey print).
COLORS = {
    "data": "#333333",
    "q": "#0072B2",  # encoder
    "p": "#BA4A00",  # decoder
    "prior": "#8A6D00",
    "posterior": "#00785A",  # the true one
    "pca": "#A23B72",
}

DPI = 138  # fine, so that letters stay legible when a telephone shrinks the figure
UNIT = 110 / DPI  # inches to 110 pixels


def new_figure(width: float = 7.0, height: float = 3.2, panels: int = 1, width_ratios: Sequence[float] | None = None):
    """A figure of `width` x `height` with `panels` axes side by side, in the style of the book.

    Args:
        width, height: in units of 110 pixels, so that 7 fills the width of a page.
        panels: how many axes.
        width_ratios: their relative widths; all the same by default.

    Returns:
        The figure and its axes: one `Axes` for one panel, else an array of them.
    """
    plt = need("matplotlib.pyplot", "figures")

    style: Any = {
        "axes.spines.top": False,
        "axes.spines.right": False,
        "figure.dpi": DPI,
        "savefig.dpi": DPI,
        "font.size": 10,
    }
    plt.draw_if_interactive()  # loads the backend: inside the context, its interactive mode would be undone
    with plt.rc_context(style):
        size = (width * UNIT, height * UNIT)
        return plt.subplots(1, panels, figsize=size, width_ratios=width_ratios, layout="constrained")


def image_rows(rows: Mapping[str, np.ndarray], captions: Mapping[str, Sequence[str]] | None = None, size: float = 0.62):
    """Rows of small pictures on one scale (0 black, 1 white or full colour), with the name of each row on its left.

    Args:
        rows: name -> pictures, grey (N, H, W) or RGB (N, 3, H, W), with values in [0, 1], or uint8; N may differ
            from row to row. What lies outside [0, 1] is cut off.
        captions: row name -> N short texts set under its pictures.
        size: of a picture, in units of 110 pixels.

    Returns:
        The figure.

    Raises:
        ValueError: a row is neither (N, H, W) nor (N, 3, H, W).
    """
    rows, captions = {name: _pictures(name, images) for name, images in rows.items()}, captions or {}
    columns = max(len(images) for images in rows.values())
    figure, axes = _grid(len(rows), columns, size, size * (1.35 if captions else 1.08))
    for line, (name, images) in zip(axes, rows.items(), strict=True):
        line[0].text(-0.15, 0.5, name, transform=line[0].transAxes, ha="right", va="center", size=9)
        for axis, image in zip(line, images, strict=False):
            axis.imshow(image, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        for axis, caption in zip(line, captions.get(name, ()), strict=False):
            axis.text(0.5, -0.04, caption, transform=axis.transAxes, ha="center", va="top", size=8)
    return figure


def _grid(rows: int, columns: int, wide: float, high: float, names: float = 1.8):
    """Bare axes in a tight grid, with `names` units kept on the left for the names of the rows."""
    plt = need("matplotlib.pyplot", "figures")

    size = (columns * wide + names, rows * high)
    inches = (size[0] * UNIT, size[1] * UNIT)
    figure, axes = plt.subplots(rows, columns, figsize=inches, squeeze=False, dpi=DPI)
    figure.subplots_adjust(names / size[0], bottom=0.02, right=1, top=1, wspace=0.06, hspace=0.06)
    for axis in axes.flat:
        axis.axis("off")
    return figure, axes


def _pictures(name: str, images) -> np.ndarray:
    """(N, H, W) or (N, H, W, 3) floats in [0, 1] from a tensor or array, uint8 or float."""
    images = images.detach().cpu().numpy() if hasattr(images, "detach") else np.asarray(images)
    colour = images.ndim == 4 and images.shape[1] == 3
    if images.ndim != 3 and not colour:
        shapes = "(N, H, W) or (N, 3, H, W)"
        raise ValueError(f"row '{name}' must hold pictures of shape {shapes}; got {images.shape}")
    images = images.transpose(0, 2, 3, 1) if colour else images
    return images / 255 if images.dtype == np.uint8 else images.clip(0, 1)


def label_line(axis, x, y, text: str, color: str, dx: float = 4, dy: float = 0):
    """Write a name beside a line or a point, in its colour, `dx`, `dy` points away."""
    return axis.annotate(text, (x, y), xytext=(dx, dy), textcoords="offset points", color=color, va="center", size=9)
