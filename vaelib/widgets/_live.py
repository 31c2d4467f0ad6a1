"""What all live figures share: the class that carries a script to the page, its checks, and the still picture."""

import base64
import io
import math
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from numbers import Real
from typing import Any

import numpy as np
import torch

from vaelib._extras import need
from vaelib.plots import COLORS, label_line

EXACT: Any = {"dtype": torch.float64, "device": "cpu"}  # whatever the defaults are
PAGE_BYTES = 150_000  # what the weights or pictures of a figure may add to a page
PAINTERS = ("plane", "flow")  # figures whose script decodes


def script(name: str) -> str:
    """The JavaScript module of the figure called `name`, such as "kl": what all share, then its own part."""
    folder = files("vaelib.widgets")
    parts = ["style", "common", *(["painter"] if name in PAINTERS else []), name]
    return "\n".join((folder / f"{part}.js").read_text(encoding="utf-8") for part in parts)


def live_figure(name: str, ranges: dict, fixed: dict, values: dict, still: Callable):
    check_ranges(values, ranges)
    for key in set(values) - set(ranges):
        if not isinstance(values[key], bool):
            raise TypeError(f"{key} must be True or False; got {values[key]!r}")
    return _figure_class()(name, still, _esm=script(name), ranges=ranges, fixed=fixed, values=values)


def check_ranges(values: dict, ranges: dict) -> None:
    for name, (low, high) in ranges.items():
        if isinstance(values[name], bool) or not isinstance(values[name], Real):
            raise TypeError(f"{name} must be a number from {low} to {high}; got {values[name]!r}"[:200])
        if not low <= values[name] <= high:  # nan fails too
            raise ValueError(f"{name} must lie between {low} and {high}; got {values[name]}")


def _png(figure) -> str:
    """A figure as base64 text, without the name of the program that drew it, and then closed."""
    plt = need("matplotlib.pyplot", "figures")

    stored = io.BytesIO()
    figure.savefig(stored, format="png", metadata={"Software": None})
    plt.close(figure)
    return base64.b64encode(stored.getvalue()).decode("ascii")


@cache
def _figure_class():
    """`LiveFigure`, made on first use: importing anywidget takes time, and most chapters have no live figure."""
    anywidget, traitlets = need("anywidget", "figures"), need("traitlets", "figures")

    class LiveFigure(anywidget.AnyWidget):
        """Drawings and sliders; `values` says where the sliders stand, and follows them while a kernel runs."""

        _esm = traitlets.Unicode().tag(sync=True)
        ranges = traitlets.Dict().tag(sync=True)
        fixed = traitlets.Dict().tag(sync=True)
        values = traitlets.Dict().tag(sync=True)

        def __init__(self, name: str, still: Callable, **traits):
            super().__init__(**traits)
            self.name, self.still = name, still

        def __repr__(self) -> str:
            return f"<live figure: {self.name}>"  # an address would differ from run to run

        def _repr_mimebundle_(self, **kwargs):
            data, metadata = super()._repr_mimebundle_(**kwargs)
            return {**data, "image/png": _png(self.still(**self.fixed, **self.values))}, metadata

    return LiveFigure


def density(axis, mu, logvar, meaning, name, style, reach=5.0, side=1):
    """The density of N(mu, exp(logvar)), with its name on its left (-1) or right (1) flank."""
    z = np.linspace(-reach, reach, 501)
    density = np.exp(-0.5 * (math.log(2 * math.pi) + logvar + (z - mu) ** 2 / math.exp(logvar)))
    axis.plot(z, density, style, color=COLORS[meaning])
    height = math.exp(-0.5 * (math.log(2 * math.pi) + logvar + 1))
    label(axis, mu + side * math.exp(logvar / 2), height, name, meaning, side, 4)


def label(axis, x, y, text, meaning, side, dy):
    """A name to the left (side -1) or right (1) of a point."""
    label = label_line(axis, x, y, text, COLORS[meaning], 7 * side, dy)
    label.set_horizontalalignment("left" if side > 0 else "right")


def say(value: float) -> str:
    """Three decimals and a true minus sign."""
    return f"{value:.3f}".replace("-", "−")
