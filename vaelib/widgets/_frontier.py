"""The water level as a page carries it: a linear VAE along beta, with the points and pictures of trained ones."""

import base64
import io
from typing import NamedTuple

import numpy as np

from vaelib._extras import need
from vaelib.frontier import StoredFrontier
from vaelib.plots import COLORS, label_line, new_figure
from vaelib.widgets._live import PAGE_BYTES, live_figure

RANGES = {"power": (-6, 2.6)}

SHOWN = 32  # directions: as many as the trained networks have latent numbers


class FrontierNumbers(NamedTuple):
    """The linear VAE at one beta, with sigma = 1, nats; then the trained network whose beta is nearest."""

    beta: float
    kept: int
    rate: float
    distortion: float
    nearest: int
    own_beta: float
    own_rate: float
    own_distortion: float


def frontier_figure(stored: StoredFrontier, power: float = 0.0):
    """Beta as a water level: the directions that a linear VAE keeps, its rate and distortion, and trained networks.

    Args:
        stored: from `vaelib.frontier.stored_frontier`.
        power: log2 of beta where the slider starts, within `RANGES`.

    Returns: as `elbo_figure`.

    Raises:
        ValueError: as `elbo_figure`; or the pictures are too many for a page.

    Book: chapter 10.
    """
    if not isinstance(stored, StoredFrontier):
        raise TypeError(f"stored must come from `stored_frontier`; got {stored!r:.60}")
    fixed = packed_frontier(stored)
    if len(fixed["sheet"]) > PAGE_BYTES:
        raise ValueError(f"pictures must fit into {PAGE_BYTES} bytes of page; got {len(fixed['sheet'])}: give fewer")
    return live_figure("frontier", RANGES, fixed, {"power": power}, frontier_still)


def packed_frontier(stored: StoredFrontier) -> dict:
    """What the page needs of the stored runs: medians over the seeds, and all pictures as one WebP image in base64."""
    Image = need("PIL.Image", "figures")

    pictures = np.concatenate([stored.digits[None], stored.reconstructions])  # (1 + T, 6, 28, 28)
    rows, columns, side, _ = pictures.shape
    sheet = (pictures.transpose(0, 2, 1, 3).reshape(rows * side, columns * side) * 255).round().astype(np.uint8)
    kept = io.BytesIO()
    Image.fromarray(sheet).save(kept, format="webp", quality=80, method=6)
    return {
        "eigenvalues": [round(value, 6) for value in stored.eigenvalues[:SHOWN].tolist()],
        "total": round(stored.eigenvalues.sum().item(), 6),
        "betas": stored.betas.tolist(),
        "rates": stored.rate.median(1).values.tolist(),
        "distortions": stored.distortion.median(1).values.tolist(),
        "sheet": base64.b64encode(kept.getvalue()).decode("ascii"),
    }


def frontier_numbers(eigenvalues, total, betas, rates, distortions, power, sheet="") -> FrontierNumbers:
    """Where the linear VAE of `SHOWN` latent numbers stands at beta = 2^power; its distortion is half a squared error.

    Args:
        eigenvalues, total: the first of the data's covariance, and the sum of all.
        betas, rates, distortions: of the trained networks.
        power: log2 of beta.
        sheet: the pictures; not looked at.

    Book: chapter 10.
    """
    level = 2.0**power
    kept = [value for value in eigenvalues if value > level]
    nearest = int(np.abs(np.log2(betas) - power).argmin())
    rate = sum(float(np.log(value / level)) / 2 for value in kept)
    distortion = (total - sum(kept) + level * len(kept)) / 2
    own = betas[nearest], rates[nearest], distortions[nearest]
    return FrontierNumbers(level, len(kept), rate, distortion, nearest, *own)


def frontier_still(sheet, eigenvalues, betas, power, **numbers):
    """Variances with the water level; rate and distortion; two rows of digits. Returns the figure."""
    Image = need("PIL.Image", "figures")

    known = {"eigenvalues": eigenvalues, "betas": betas, **numbers}
    n = frontier_numbers(power=power, **known)
    figure, axes = new_figure(7, 5.2, panels=2)
    left, right = axes
    place = np.arange(1, len(eigenvalues) + 1)
    left.bar(place, eigenvalues, color=COLORS["q"])
    left.bar(place, np.minimum(eigenvalues, n.beta), facecolor="white", edgecolor=COLORS["p"], hatch="////", lw=0)
    left.axhline(n.beta, color=COLORS["posterior"], lw=2)
    label_line(left, len(eigenvalues), n.beta, f"water level {n.beta:.3g}", COLORS["posterior"], 0, 8).set_ha("right")
    left.set(xlabel="principal direction", ylabel="variance", yscale="log", ylim=(0.01, 10))
    along = [frontier_numbers(power=p, **known) for p in np.linspace(-6, np.log2(eigenvalues[0]), 100)]
    right.plot([at.rate for at in along], [at.distortion for at in along], color=COLORS["pca"])
    right.plot(numbers["rates"], numbers["distortions"], "o", color=COLORS["q"], ms=4)
    right.plot(n.rate, n.distortion, "o", color=COLORS["posterior"], ms=8)
    label_line(right, n.rate, n.distortion, f"linear, slope −{n.beta:.3g}", COLORS["posterior"], 9, 8)
    label_line(right, numbers["rates"][0], numbers["distortions"][0], "trained", COLORS["q"], 0, -10).set_ha("center")
    right.set(xlabel="rate, nats", ylabel="distortion, nats", ylim=(0, 30), xlim=(0, None))
    pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(sheet))).convert("L"))
    side = len(pixels) // (len(betas) + 1)
    figure.set_layout_engine("constrained", rect=(0, 0.36, 1, 0.64))
    for row, (name, at) in enumerate({"test digits": 0, f"at β = {n.own_beta:.3g}": n.nearest + 1}.items()):
        axis = figure.add_axes((0.16, 0.18 - 0.17 * row, 0.84, 0.16), in_layout=False)
        axis.imshow(pixels[side * at : side * (at + 1)], cmap="gray", vmin=0, vmax=255)
        axis.text(-0.02, 0.5, name, transform=axis.transAxes, ha="right", va="center", size=9)
        axis.axis("off")
    return figure
