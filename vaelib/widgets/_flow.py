"""Particles on their way from noise to codes, as a page carries them: their stored paths, and a decoder in 8 bits."""

from typing import NamedTuple

import numpy as np
from torch import Tensor, nn

from vaelib import _guard
from vaelib.plots import COLORS, new_figure
from vaelib.widgets._live import PAGE_BYTES, live_figure
from vaelib.widgets._plane import as_text, decoded, quantised, unpacked

PARTICLES = 120
RANGES = {"t": (0, 1), "draw": (1, PARTICLES)}
SHOWN = 8  # of the particles, decoded side by side


class FlowNumbers(NamedTuple):
    """All particles at one time: `z`, (120, 2); where the chosen one is, and its picture, row by row.

    `moved` is how far the chosen one has come from its noise, `near` the mean distance of all particles to the nearest
    stored code, and `shown` the pictures of the first eight.
    """

    z1: float
    z2: float
    moved: float
    near: float
    pixels: list[float]
    shown: list[list[float]]
    z: list[list[float]]


def flow_figure(paths: Tensor, decoder: nn.Sequential, codes: Tensor, t: float = 0.0, draw: int = 1):
    """Particles that a learned velocity carries from N(0, I) to the codes in the plane: a time, and their pictures.

    Args:
        paths: where 120 particles are at evenly spaced times from 0 to 1, (T, 120, 2), T at least 2, such as
            `FlowMatchingPrior.path` gives.
        decoder: as in `plane_figure`.
        codes: of real pictures, (N, 2), drawn as dots.
        t: where the slider of the time starts, within `RANGES`.
        draw: which particle is followed, from 1 to 120.

    Returns: as `elbo_figure`.

    Raises:
        TypeError, ValueError: as `plane_figure`; or the paths are not of 120 particles, or too many for a page.

    Book: chapter 9.
    """
    packed = quantised(decoder)
    _guard.counts(1, PARTICLES, draw=draw)
    _guard.floats(paths=(paths, "(T, N, 2)"), codes=(codes, "(M, 2)"))
    _guard.shapes(paths=(paths, "(T, N, 2)"), codes=(codes, "(M, 2)"))
    for name, value in {"paths": paths, "codes": codes}.items():
        _guard.nonempty(**{name: value})
        _guard.readable(**{name: value})
        _guard.finite(**{name: value})
    if paths.shape[1] != PARTICLES or len(paths) < 2:
        shapes = f"(T, {PARTICLES}, 2) with T at least 2, and codes (M, 2)"
        raise ValueError(f"paths must be {shapes}; got {tuple(paths.shape)}")
    texts = {name: as_text(value.detach().cpu().double().numpy().astype("<f4"))
             for name, value in {"paths": paths, "codes": codes}.items()}  # fmt: skip
    size = sum(map(len, [packed["weights"], *texts.values()]))
    if packed["layers"][0]["inputs"] != 2 or size > PAGE_BYTES:
        inputs = packed["layers"][0]["inputs"]
        raise ValueError(
            f"decoder must take 2 numbers and fit, with the paths, into {PAGE_BYTES} bytes of page; "
            f"got {inputs} and {size}"
        )
    return live_figure("flow", RANGES, packed | texts, {"t": t, "draw": draw}, flow_still)


def flow_numbers(weights: str, layers: list[dict], paths: str, codes: str, t: float, draw: int) -> FlowNumbers:
    """Where the particles are at time t, on straight lines between the stored times, and what is decoded there.

    Args:
        weights, layers: from `quantised`; the last layer gives logits.
        paths, codes: base64 text of float32, (T, 120, 2) and (M, 2).
        t: the time, in [0, 1].
        draw: the chosen particle, from 1.

    Book: chapter 9.
    """
    known, crowd = unpacked(paths).reshape(-1, PARTICLES, 2), unpacked(codes).reshape(-1, 2)
    steps = len(known) - 1
    before = min(int(t * steps), steps - 1)
    z = known[before] + (t * steps - before) * (known[before + 1] - known[before])
    far = np.hypot(*(z[:, None] - crowd).transpose(2, 0, 1)).min(1)
    own, (z1, z2) = z[draw - 1], z[draw - 1].tolist()
    pictures = [decoded(weights, layers, one).tolist() for one in [own, *z[:SHOWN]]]
    moved = np.hypot(*(own - known[0, draw - 1]))
    return FlowNumbers(z1, z2, float(moved), float(far.mean()), pictures[0], pictures[1:], z.tolist())


def flow_still(weights: str, layers: list[dict], paths: str, codes: str, t: float, draw: int):
    """The plane with codes and particles, the chosen one on its path; its picture, and eight. Returns the figure."""
    n = flow_numbers(weights, layers, paths, codes, t, draw)
    side = round(len(n.pixels) ** 0.5)
    figure, (plane, picture) = new_figure(7, 5, panels=2)
    figure.set_layout_engine("constrained", rect=(0, 0.22, 1, 0.78))
    plane.plot(*unpacked(codes).reshape(-1, 2).T, ".", color=COLORS["q"], ms=3, alpha=0.5)
    plane.plot(*np.transpose(n.z), "o", color=COLORS["prior"], ms=4)
    plane.plot(*unpacked(paths).reshape(-1, PARTICLES, 2)[:, draw - 1].T, color=COLORS["p"], lw=1.5)
    plane.plot(n.z1, n.z2, "o", color=COLORS["p"], ms=9, mec="white")
    plane.set(xlabel="z₁", ylabel="z₂", xlim=(-4, 4), ylim=(-4, 4), aspect="equal", title=f"particles at t = {t:.2f}")
    picture.imshow(np.reshape(n.pixels, (side, side)), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    picture.set(title=f"particle {draw}, decoded", xticks=[], yticks=[])
    strip = figure.add_axes((0.02, 0.01, 0.96, 0.2), in_layout=False)
    tiles = np.hstack([np.pad(np.reshape(one, (side, side)), 1, constant_values=1) for one in n.shown])
    strip.imshow(tiles, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    strip.axis("off")
    return figure
