"""ELBO + gap = log p(x): the live figure of chapter 3, its numbers and its still."""

from typing import NamedTuple

import numpy as np
import torch

from vaelib.distributions import standard_normal_kl
from vaelib.linear import LinearGaussian
from vaelib.plots import COLORS, new_figure
from vaelib.widgets._live import EXACT, check_ranges, density, label, live_figure, say

RANGES = {"mu": (-3, 3), "logvar": (-3.3, 2), "w": (0, 2.5)}  # the ends of the sliders


class ElboNumbers(NamedTuple):
    """One x under z ~ N(0, 1), x | z ~ N(w z, sigma^2): the terms of the bound, in nats, and the true posterior."""

    log_likelihood: float
    kl: float
    elbo: float
    gap: float
    log_px: float
    posterior_mu: float
    posterior_logvar: float


def elbo_figure(x: float = 2.0, sigma: float = 0.5, w: float = 1.936, mu: float = 0.5, logvar: float = 0.0):
    """ELBO + gap = log p(x) for z ~ N(0, 1), x | z ~ N(w z, sigma^2): move q and the line stays, move w and it moves.

    Args:
        x: the observed number, -3 to 3.
        sigma: standard deviation of x given z, 0.5 to 2. (Then the sliders reach every true posterior.)
        w, mu, logvar: where the sliders start, within `RANGES`; mu and logvar belong to q(z|x).

    Returns:
        A live figure: let it be the last line of a cell that has an alt text in its metadata.

    Raises:
        ValueError: a number lies outside its range.

    Book: chapter 3.
    """
    check_ranges({"x": x, "sigma": sigma}, {"x": (-3, 3), "sigma": (0.5, 2)})
    return live_figure("elbo", RANGES, {"x": x, "sigma": sigma}, {"mu": mu, "logvar": logvar, "w": w}, elbo_still)


def elbo_numbers(x: float, sigma: float, w: float, mu: float, logvar: float) -> ElboNumbers:
    """ELBO + gap = log p(x) in one dimension, each from its own closed form in `vaelib.linear`.

    Args:
        x: the observed number.
        sigma: standard deviation of x given z, > 0.
        w: weight of the decoder.
        mu, logvar: mean and log-variance of q(z|x).

    Returns:
        `ElboNumbers`.

    Book: chapter 3.
    """
    at, mean_q, logvar_q = (torch.tensor([[v]], **EXACT) for v in (x, mu, logvar))
    model = LinearGaussian(torch.full((1, 1), w, **EXACT), torch.zeros(1, **EXACT), sigma)
    mean, cov = model.posterior(at)
    q = (at, mean_q, logvar_q.exp())
    terms = (model.expected_log_likelihood(*q), standard_normal_kl(mean_q, logvar_q), model.elbo(*q), model.gap(*q))
    return ElboNumbers(*(float(t) for t in (*terms, model.log_prob(at), mean, cov.log())))


def elbo_still(x: float, sigma: float, w: float, mu: float, logvar: float):
    """Densities over z; then the ELBO and log p(x) over w, with the gap at the present w. Returns the figure."""
    n = elbo_numbers(x, sigma, w, mu, logvar)
    figure, (left, right) = new_figure(panels=2)
    density(left, 0, 0, "prior", "prior", ":", side=-1)
    density(left, n.posterior_mu, n.posterior_logvar, "posterior", "true p(z|x)", "--")
    density(left, mu, logvar, "q", "q(z|x)", "-", side=1)
    left.set(xlabel="z", ylabel="density", ylim=(0, None))
    weights = np.linspace(0, 2.5, 101)
    along = [elbo_numbers(x, sigma, float(weight), mu, logvar) for weight in weights]
    right.plot(weights, [at.log_px for at in along], color=COLORS["p"])
    right.plot(weights, [at.elbo for at in along], color=COLORS["q"])
    right.vlines(w, n.elbo, n.log_px, color=COLORS["posterior"], linewidth=4, linestyle=(0, (1, 0.6)))
    lowest = min(-12, along[0].log_px - 3)
    names = {"p": ("log p(x)", n.log_px, 12), "posterior": ("gap", n.gap, 0), "q": ("ELBO", n.elbo, -10)}
    heights = (n.log_px, max((n.elbo + n.log_px) / 2, lowest + 2), max(n.elbo, lowest + 1))
    for (color, (name, value, dy)), height in zip(names.items(), heights, strict=True):
        label(right, w, height, f"{name} {say(value)}", color, 1 if w < 1.25 else -1, dy)
    right.set(xlabel="w, the weight of the decoder", ylabel="nats", ylim=(lowest, 0))
    return figure
