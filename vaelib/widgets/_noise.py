"""z = mu + sigma eps under the hand: the live figure of chapter 5, its numbers and its still."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch

from vaelib import _guard
from vaelib.plots import COLORS, new_figure
from vaelib.widgets._live import EXACT, density, live_figure

RANGES = {"mu": (-2, 2), "logvar": (-2, 1), "draw": (1, 200)}


class NoiseNumbers(NamedTuple):
    """The dots z, their mean and standard deviation, and the followed dot with its two derivatives."""

    z: list[float]
    mean: float
    sd: float
    sigma: float
    scale: float
    eps: float
    chosen: float
    dz_dmu: float
    dz_dsigma: float


def noise_figure(mu: float = 0.0, logvar: float = 0.0, draw: int = 180, wrong: bool = False, seed: int = 0):
    """z = mu + sigma eps: two hundred eps are drawn once, and their dots slide when mu and sigma move.

    Args:
        mu, logvar: where the sliders start, within `RANGES`.
        draw: which dot is followed, 1 (the smallest) to 200.
        wrong: whether to start with the slip z = mu + sigma^2 eps.
        seed: of the noise.

    Returns, Raises: as `elbo_figure`.

    Book: chapter 5.
    """
    _guard.counts(0, seed=seed, draw=draw)
    noise = torch.randn(RANGES["draw"][1], generator=torch.Generator("cpu").manual_seed(seed), **EXACT)
    eps = [round(e, 4) for e in noise.sort().values.tolist()]
    values = {"mu": mu, "logvar": logvar, "draw": draw, "wrong": wrong}
    return live_figure("noise", RANGES, {"eps": eps}, values, noise_still)


def noise_numbers(eps: Sequence[float], mu: float, logvar: float, draw: int, wrong: bool = False) -> NoiseNumbers:
    """z = mu + sigma eps for every eps; with `wrong`, the slip z = mu + sigma^2 eps.

    Args:
        eps: the noise.
        mu, logvar: mean and log-variance of q.
        draw: which dot is followed, 1 to len(eps).

    Returns:
        `NoiseNumbers`; sd divides by N.

    Book: chapter 5.
    """
    sigma = math.exp(logvar / 2)
    scale, slope = (sigma**2, 2 * sigma) if wrong else (sigma, 1.0)
    z = torch.tensor([mu + scale * e for e in eps], **EXACT)
    mean, sd, followed = float(z.mean()), float(z.std(correction=0)), eps[draw - 1]
    return NoiseNumbers(z.tolist(), mean, sd, sigma, scale, followed, float(z[draw - 1]), 1.0, slope * followed)


def noise_still(eps: Sequence[float], mu: float, logvar: float, draw: int, wrong: bool):
    """The noise, the same dots moved to mu + sigma eps, and the density of N(mu, sigma^2). Returns the figure."""
    n = noise_numbers(eps, mu, logvar, draw, wrong)
    figure, axis = new_figure()
    axis.plot([eps, n.z], [[2.2] * len(eps), [1.3] * len(eps)], color=COLORS["data"], alpha=0.12, linewidth=0.8)
    axis.plot(eps, [2.2] * len(eps), "|", color=COLORS["data"], markersize=9)
    axis.plot(n.z, [1.3] * len(eps), "|", color=COLORS["q"], markersize=9)
    axis.plot([n.eps, n.chosen], [2.2, 1.3], "o-", color="black", markersize=8, linewidth=2)
    axis.text(-7, 2.2, "noise ε", color=COLORS["data"], va="center")
    axis.text(-7, 1.3, "z = μ + σ² ε" if wrong else "z = μ + σ ε", color=COLORS["q"], va="center")
    density(axis, mu, logvar, "q", "N(μ, σ²)", "-", reach=7.5)
    axis.set(xlabel="z", yticks=[], ylim=(0, 2.4))
    axis.spines["left"].set_visible(False)
    return figure
