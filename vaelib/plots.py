"""Arrays in, Figure out. A colour means one thing in the whole book; a name stands beside every line."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from numbers import Real
from typing import Any

import numpy as np

from vaelib import _guard
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
        width, height: above 0, in units of 110 pixels, so that 7 fills the width of a page.
        panels: how many axes, at least 1.
        width_ratios: their relative widths, above 0; all the same by default.

    Returns:
        The figure and its axes: one `Axes` for one panel, else an array of them.

    Raises:
        TypeError, ValueError: a size is no number above 0, or there is not one ratio for each panel.
    """
    _guard.numbers(0, width=width, height=height)
    _guard.counts(1, panels=panels)
    if width_ratios is not None and (np.shape(width_ratios) != (panels,) or not np.all(np.asarray(width_ratios) > 0)):
        raise ValueError(f"width_ratios must be {panels} numbers above 0; got {width_ratios}")
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
        rows: name -> pictures, grey (N, H, W) or RGB (N, 3, H, W): floats in [0, 1], uint8 or bool; N may differ
            from row to row. What lies outside [0, 1] is cut off.
        captions: row name -> up to N short texts set under its pictures.
        size: of a picture, above 0, in units of 110 pixels.

    Returns:
        The figure.

    Raises:
        TypeError: a row holds other numbers, such as int64, whose white is anybody's guess; rows or captions are no
            such mapping.
        ValueError: a row is neither (N, H, W) nor (N, 3, H, W), empty or not finite; there is no row; captions name
            a row that is not there.
    """
    if not isinstance(rows, Mapping) or not isinstance(captions, Mapping | None):
        raise TypeError(
            f"rows and captions must map names to rows; got {type(rows).__name__} and {type(captions).__name__}"
        )
    rows, captions = {name: _pictures(name, images) for name, images in rows.items()}, captions or {}
    _guard.numbers(0, size=size)
    for name, texts in captions.items():
        if not isinstance(texts, Sequence):
            raise TypeError(f"captions of '{name}' must be a list of texts; got {type(texts).__name__}")
    if not rows or not set(captions) <= set(rows):
        raise ValueError(f"rows must hold at least one row, and each that captions names; got {sorted(map(str, rows))}")
    grid = _Grid(max(map(len, rows.values())), len(rows), size, size * (1.35 if captions else 1.08))
    for line, (name, images) in enumerate(rows.items()):
        boxes = [grid.box(column, line, *image.shape[:2]) for column, image in enumerate(images)]
        left, top, width, height = boxes[0]
        grid.axis.text(left - 0.15 * width, top + height / 2, name, ha="right", va="center", size=9)
        for image, (left, top, width, height) in zip(images, boxes, strict=True):
            extent = (left, left + width, top + height, top)
            grid.axis.imshow(image, extent=extent, aspect="auto", cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        for caption, (left, top, width, height) in zip(captions.get(name, ()), boxes, strict=False):
            grid.axis.text(left + width / 2, top + 1.04 * height, caption, ha="center", va="top", size=8)
    return grid.axis.figure


class _Grid:
    """One bare `axis` for all pictures (one for each takes a hundredth of a second), in units of 110 pixels downwards.

    The names of the rows have `NAMES` units on its left. Pictures stand in the middle of their cells, 6 % apart.
    """

    NAMES, GAP = 1.8, 0.06

    def __init__(self, columns: int, rows: int, wide: float, high: float):
        plt = need("matplotlib.pyplot", "figures")
        width, height = columns * wide, 0.98 * rows * high
        size = (width + self.NAMES, rows * high)
        figure = plt.figure(figsize=(size[0] * UNIT, size[1] * UNIT), dpi=DPI)
        self.axis = figure.add_axes((self.NAMES / size[0], 0.02, width / size[0], 0.98))
        self.axis.set(xlim=(0, width), ylim=(height, 0))
        self.axis.axis("off")
        self.cell = width / (columns + self.GAP * (columns - 1)), height / (rows + self.GAP * (rows - 1))

    def box(self, column: int, row: int, high: int, wide: int) -> tuple[float, float, float, float]:
        """Left, top, width and height of a picture of so many pixels: as large as its cell, and not stretched."""
        scale = min(self.cell[0] / wide, self.cell[1] / high)
        width, height = wide * scale, high * scale
        left, top = ((1 + self.GAP) * at * cell for at, cell in zip((column, row), self.cell, strict=True))
        return left + (self.cell[0] - width) / 2, top + (self.cell[1] - height) / 2, width, height


def _pictures(name: str, images) -> np.ndarray:
    """(N, H, W) or (N, H, W, 3) floats in [0, 1] from a tensor or array of floats, uint8 or bool."""
    if hasattr(images, "detach"):
        _guard.dense(f"row '{name}'", images)
        _guard.readable(**{f"row '{name}'": images})
        images = _guard.lift(images.detach().cpu())[0].numpy()
    try:
        images = np.asarray(images)
    except ValueError:  # of lists of several lengths
        raise ValueError(f"row '{name}' must hold pictures of one shape; got several") from None
    colour = images.ndim == 4 and images.shape[1] == 3
    if not (images.ndim == 3 or colour) or images.size == 0:
        shapes = "(N, H, W) or (N, 3, H, W)"
        raise ValueError(f"row '{name}' must hold pictures of shape {shapes}; got {images.shape}")
    if images.dtype not in (np.uint8, np.bool_) and images.dtype.kind != "f":
        raise TypeError(f"row '{name}' must hold floats in [0, 1], uint8 or bool; got {images.dtype}")
    if not np.isfinite(images).all():
        raise ValueError(f"row '{name}' must be finite; got NaN or infinity")
    images = images.transpose(0, 2, 3, 1) if colour else images
    return images / 255 if images.dtype == np.uint8 else images.astype(float).clip(0, 1)


def label_line(axis, x: float, y: float, text: str, color: str, dx: float = 4, dy: float = 0):
    """Write a name beside a line or a point, in its colour, `dx`, `dy` points away. Returns the label.

    Args:
        axis: of matplotlib.
        x, y: the point, finite numbers or tensors () in the units of the axis.
        text: the name.
        color: any that matplotlib knows; `COLORS` has one for each meaning.
        dx, dy: how far away the name stands, finite numbers or tensors ().

    Raises:
        TypeError, ValueError: axis is none, a number is none, or not finite: the label would not be seen; there is no
            such color.
    """
    x, y, dx, dy = (_number(name, value) for name, value in (("x", x), ("y", y), ("dx", dx), ("dy", dy)))
    if not hasattr(axis, "annotate") or not isinstance(text, str):
        raise TypeError(
            f"axis must be of matplotlib and text a str; got {type(axis).__name__} and {type(text).__name__}"
        )
    if not need("matplotlib.colors", "figures").is_color_like(color):
        raise ValueError(f"color must be one that matplotlib knows; got {color!r}")
    return axis.annotate(text, (x, y), xytext=(dx, dy), textcoords="offset points", color=color, va="center", size=9)


def _number(name: str, value) -> float:
    """A number as it is, or as a float out of an array () or a tensor ()."""
    number: Any = value
    if not isinstance(value, Real | str):
        with suppress(TypeError, ValueError, RuntimeError):
            number = float(value)
    _guard.numbers(**{name: number})
    return number
