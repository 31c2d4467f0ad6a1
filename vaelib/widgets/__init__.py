"""Live figures: their JavaScript does the arithmetic, so they also work on a page without a kernel.

The scripts stand in `vaelib/js`; the same numbers in Python, and the picture for places where no script runs, in
`vaelib.stills`, `vaelib.planes` and `vaelib.sheets`.
"""

import base64
import io
from collections.abc import Callable
from functools import cache
from importlib.resources import files

import torch
from torch import Tensor, nn

from vaelib import planes, sheets, stills

# The ends of the sliders, and so the values that a figure may start from.
ELBO_RANGES = {"mu": (-3, 3), "logvar": (-3.3, 2), "w": (0, 2.5)}
KL_RANGES = {"mu": (-2.5, 2.5), "logvar": (-3, 2)}
NOISE_RANGES = {"mu": (-2, 2), "logvar": (-2, 1), "draw": (1, 200)}
PLANE_RANGES = {"z1": (-3, 3), "z2": (-3, 3)}
SHEET_RANGES = {"mix": (0, 1), "hair": (0, 1), "skin": (-1, 1)}
PAGE_BYTES = 150_000  # what the weights or pictures of a figure may add to a page


def elbo_figure(x: float = 2.0, sigma: float = 0.5, w: float = 1.936, mu: float = 0.5, logvar: float = 0.0):
    """ELBO + gap = log p(x) for z ~ N(0, 1), x | z ~ N(w z, sigma^2): move q and the line stays, move w and it moves.

    Args:
        x: the observed number, -3 to 3.
        sigma: standard deviation of x given z, 0.5 to 2. (Then the sliders reach every true posterior.)
        w, mu, logvar: where the sliders start, within `ELBO_RANGES`; mu and logvar belong to q(z|x).

    Returns:
        A live figure: let it be the last line of a cell that has an alt text in its metadata.

    Raises:
        ValueError: a number lies outside its range.

    Book: chapter 3.
    """
    _check_ranges({"x": x, "sigma": sigma}, {"x": (-3, 3), "sigma": (0.5, 2)})
    return _live_figure(
        "elbo", ELBO_RANGES, {"x": x, "sigma": sigma}, {"mu": mu, "logvar": logvar, "w": w}, stills.elbo_still
    )


def kl_figure(mu: float = 1.0, logvar: float = -1.0, wrong: bool = False):
    """KL(N(mu, sigma^2) || N(0, 1)) as three terms and a constant that add up.

    Args:
        mu, logvar: where the sliders start, within `KL_RANGES`.
        wrong: whether exp(s) - (1 - s) + mu^2 with s = logvar, which is not the KL, is shown from the start.

    Returns, Raises: as `elbo_figure`.

    Book: chapter 4.
    """
    return _live_figure("kl", KL_RANGES, {}, {"mu": mu, "logvar": logvar, "wrong": wrong}, stills.kl_still)


def noise_figure(mu: float = 0.0, logvar: float = 0.0, draw: int = 180, wrong: bool = False, seed: int = 0):
    """z = mu + sigma eps: two hundred eps are drawn once, and their dots slide when mu and sigma move.

    Args:
        mu, logvar: where the sliders start, within `NOISE_RANGES`.
        draw: which dot is followed, 1 (the smallest) to 200.
        wrong: whether to start with the slip z = mu + sigma^2 eps.
        seed: of the noise.

    Returns, Raises: as `elbo_figure`.

    Book: chapter 5.
    """
    noise = torch.randn(NOISE_RANGES["draw"][1], generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    eps = [round(e, 4) for e in noise.sort().values.tolist()]
    values = {"mu": mu, "logvar": logvar, "draw": draw, "wrong": wrong}
    return _live_figure("noise", NOISE_RANGES, {"eps": eps}, values, stills.noise_still)


def plane_figure(decoder: nn.Sequential, codes: Tensor, labels: Tensor, z1: float = 0.0, z2: float = 0.0):
    """A latent plane under the pointer: the decoder, in 8-bit numbers, paints the picture of every point.

    Args:
        decoder: from z (B, 2) to logits (B, D), D a square number: linear layers with ReLUs between them.
        codes: means of q(z|x) of some examples, (N, 2), drawn as numerals.
        labels: their digits, (N,).
        z1, z2: where the sliders start, within `PLANE_RANGES`.

    Returns: as `elbo_figure`.

    Raises:
        ValueError: as `elbo_figure`; or the decoder does not start from two numbers, or is too large for a page.

    Book: chapter 6.
    """
    packed = planes.quantised(decoder)
    inputs, size = packed["layers"][0]["inputs"], len(packed["weights"])
    if inputs != 2 or size > PAGE_BYTES:
        raise ValueError(
            f"decoder must take 2 numbers and fit into {PAGE_BYTES} bytes of page; got {inputs} and {size}"
        )
    fixed = packed | {"codes": planes.packed_codes(codes, labels)}
    return _live_figure("plane", PLANE_RANGES, fixed, {"z1": z1, "z2": z2}, planes.plane_still)


def sheet_figure(pictures: Tensor, lengths: Tensor, mix: float = 0.5, hair: float = 0.0, skin: float = 0.0):
    """Two faces mixed and two directions turned, from pictures that the decoder painted beforehand.

    Args:
        pictures: (M, H, S, 3, 64, 64), values in [0, 1]: from face A to face B, then red hair from none to most,
            then skin from deep to fair with S odd.
        lengths: of the codes, (M, H, S).
        mix, hair, skin: where the sliders start, within `SHEET_RANGES`.

    Returns: as `elbo_figure`.

    Raises:
        ValueError: as `elbo_figure`; or the pictures have another shape, or are too many for a page.

    Book: chapter 7.
    """
    if pictures.shape != (*lengths.shape, 3, 64, 64) or lengths.dim() != 3:
        raise ValueError(
            f"pictures must be (M, H, S, 3, 64, 64) with lengths (M, H, S); got {tuple(pictures.shape)} and "
            f"{tuple(lengths.shape)}"
        )
    sheet = sheets.packed_sheet(pictures)
    if len(sheet) > PAGE_BYTES:
        raise ValueError(f"pictures must fit into {PAGE_BYTES} bytes of page; got {len(sheet)}: give fewer")
    table = [[[round(x, 2) for x in row] for row in block] for block in lengths.tolist()]
    values = {"mix": mix, "hair": hair, "skin": skin}
    return _live_figure("sheet", SHEET_RANGES, {"sheet": sheet, "lengths": table}, values, sheets.sheet_still)


def script(name: str) -> str:
    """The JavaScript module of the figure called `name`, such as "kl": what all share, then its own part."""
    folder = files("vaelib") / "js"
    return "\n".join((folder / f"{part}.js").read_text(encoding="utf-8") for part in ("style", "common", name))


def _live_figure(name: str, ranges: dict, fixed: dict, values: dict, still: Callable):
    _check_ranges(values, ranges)
    return _figure_class()(name, still, _esm=script(name), ranges=ranges, fixed=fixed, values=values)


def _check_ranges(values: dict, ranges: dict) -> None:
    for name, (low, high) in ranges.items():
        if not low <= values[name] <= high:  # nan fails too
            raise ValueError(f"{name} must lie between {low} and {high}; got {values[name]}")


def _png(figure) -> str:
    """A figure as base64 text, without the name of the program that drew it, and then closed."""
    import matplotlib.pyplot as plt

    stored = io.BytesIO()
    figure.savefig(stored, format="png", metadata={"Software": None})
    plt.close(figure)
    return base64.b64encode(stored.getvalue()).decode("ascii")


@cache
def _figure_class():
    """`LiveFigure`, made on first use: importing anywidget takes time, and most chapters have no live figure."""
    import anywidget
    import traitlets

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
