"""The KL of two Gaussians as terms that add up: the live figure of chapter 4, its numbers and its still."""

import math
from typing import NamedTuple

import numpy as np
import torch

from vaelib.distributions import standard_normal_kl
from vaelib.plots import COLORS, label_line, new_figure
from vaelib.widgets._live import EXACT, density, live_figure, say

RANGES = {"mu": (-2.5, 2.5), "logvar": (-3, 2)}


class KlNumbers(NamedTuple):
    """The terms of KL(N(mu, sigma^2) || N(0, 1)), their sum `kl`, and a `wrong` formula met in notes; nats."""

    mean_term: float
    variance_term: float
    log_term: float
    constant: float
    kl: float
    wrong: float


def kl_figure(mu: float = 1.0, logvar: float = -1.0, wrong: bool = False):
    """KL(N(mu, sigma^2) || N(0, 1)) as three terms and a constant that add up.

    Args:
        mu, logvar: where the sliders start, within `RANGES`.
        wrong: whether exp(s) - (1 - s) + mu^2 with s = logvar, which is not the KL, is shown from the start.

    Returns, Raises: as `elbo_figure`.

    Book: chapter 4.
    """
    return live_figure("kl", RANGES, {}, {"mu": mu, "logvar": logvar, "wrong": wrong}, kl_still)


def kl_numbers(mu: float, logvar: float) -> KlNumbers:
    """mu^2 / 2 + sigma^2 / 2 - log sigma^2 / 2 - 1 / 2, term by term, and exp(s) - (1 - s) + mu^2, which is no KL.

    Book: chapter 4.
    """
    variance = math.exp(logvar)
    kl = float(standard_normal_kl(*torch.tensor([[mu], [logvar]], **EXACT)))
    return KlNumbers(mu**2 / 2, variance / 2, -logvar / 2, -0.5, kl, variance - (1 - logvar) + mu**2)


def kl_still(mu: float, logvar: float, wrong: bool):
    """Densities over z; then the three terms, the constant and the KL as bars. Returns the figure."""
    n = kl_numbers(mu, logvar)
    figure, (left, right) = new_figure(panels=2)
    density(left, 0, 0, "prior", "prior", ":", side=1 if mu < 0 else -1)
    density(left, mu, logvar, "q", "q", "-", side=-1 if mu < 0 else 1)
    left.set(xlabel="z", ylabel="density", ylim=(0, None))
    names = ["μ²/2", "σ²/2", "−s/2", "−1/2", "KL"]
    starts = [0, *np.cumsum(n[:3]), 0]
    for row, (start, width) in enumerate(zip(starts, n[:5], strict=True)):
        color = COLORS["q" if names[row] == "KL" else "data"]
        fill = {"color": color} if width > 0 else {"facecolor": "white", "edgecolor": color, "hatch": "////"}
        right.barh(row, width, left=start, height=0.6, **fill)
        label_line(right, max(start, start + width), row, say(width), color)
    right.set(xlabel="nats", yticks=range(5), yticklabels=names, xlim=(0, 1.3 * max(np.add(starts, n[:5])) + 0.1))
    right.invert_yaxis()
    if wrong:
        right.set_xlabel(f"nats\neˢ − (1 − s) + μ² is {say(n.wrong)}", color=COLORS["data"])
    return figure
