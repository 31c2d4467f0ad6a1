"""The live figures without their scripts: their numbers in Python, and a picture of how each one starts.

The picture stands in where no script runs; the tests compare the numbers with those of the JavaScript.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch

from vaelib.distributions import standard_normal_kl
from vaelib.linear import LinearGaussian
from vaelib.plots import COLORS, label_line, new_figure


class ElboNumbers(NamedTuple):
    """One x under z ~ N(0, 1), x | z ~ N(w z, sigma^2): the terms of the bound, in nats, and the true posterior."""

    log_likelihood: float
    kl: float
    elbo: float
    gap: float
    log_px: float
    posterior_mu: float
    posterior_logvar: float


class KlNumbers(NamedTuple):
    """The terms of KL(N(mu, sigma^2) || N(0, 1)), their sum `kl`, and a `wrong` formula met in notes; nats."""

    mean_term: float
    variance_term: float
    log_term: float
    constant: float
    kl: float
    wrong: float


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
    x, mu, logvar = (torch.tensor([[v]], dtype=torch.float64) for v in (x, mu, logvar))
    model = LinearGaussian(torch.full((1, 1), w, dtype=torch.float64), torch.zeros(1, dtype=torch.float64), sigma)
    mean, cov = model.posterior(x)
    q = (x, mu, logvar.exp())
    terms = (model.expected_log_likelihood(*q), standard_normal_kl(mu, logvar), model.elbo(*q), model.gap(*q))
    return ElboNumbers(*(float(t) for t in (*terms, model.log_prob(x), mean, cov.log())))


def kl_numbers(mu: float, logvar: float) -> KlNumbers:
    """mu^2 / 2 + sigma^2 / 2 - log sigma^2 / 2 - 1 / 2, term by term, and exp(s) - (1 - s) + mu^2, which is no KL.

    Book: chapter 4.
    """
    variance = math.exp(logvar)
    kl = float(standard_normal_kl(*torch.tensor([[mu], [logvar]], dtype=torch.float64)))
    return KlNumbers(mu**2 / 2, variance / 2, -logvar / 2, -0.5, kl, variance - (1 - logvar) + mu**2)


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
    z = torch.tensor([mu + scale * e for e in eps], dtype=torch.float64)
    mean, sd, followed = float(z.mean()), float(z.std(correction=0)), eps[draw - 1]
    return NoiseNumbers(z.tolist(), mean, sd, sigma, scale, followed, float(z[draw - 1]), 1.0, slope * followed)


def elbo_still(x: float, sigma: float, w: float, mu: float, logvar: float):
    """Densities over z; then the ELBO and log p(x) over w, with the gap at the present w. Returns the figure."""
    n = elbo_numbers(x, sigma, w, mu, logvar)
    figure, (left, right) = new_figure(panels=2)
    _density(left, 0, 0, "prior", "prior", ":", side=-1)
    _density(left, n.posterior_mu, n.posterior_logvar, "posterior", "true p(z|x)", "--")
    _density(left, mu, logvar, "q", "q(z|x)", "-", side=1)
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
        _label(right, w, height, f"{name} {_say(value)}", color, 1 if w < 1.25 else -1, dy)
    right.set(xlabel="w, the weight of the decoder", ylabel="nats", ylim=(lowest, 0))
    return figure


def kl_still(mu: float, logvar: float, wrong: bool):
    """Densities over z; then the three terms, the constant and the KL as bars. Returns the figure."""
    n = kl_numbers(mu, logvar)
    figure, (left, right) = new_figure(panels=2)
    _density(left, 0, 0, "prior", "prior", ":", side=1 if mu < 0 else -1)
    _density(left, mu, logvar, "q", "q", "-", side=-1 if mu < 0 else 1)
    left.set(xlabel="z", ylabel="density", ylim=(0, None))
    names = ["μ²/2", "σ²/2", "−log σ²/2", "−1/2", "KL"]
    starts = [0, *np.cumsum(n[:3]), 0]
    for row, (start, width) in enumerate(zip(starts, n[:5], strict=True)):
        color = COLORS["q" if names[row] == "KL" else "data"]
        fill = {"color": color} if width > 0 else {"facecolor": "white", "edgecolor": color, "hatch": "////"}
        right.barh(row, width, left=start, height=0.6, **fill)
        label_line(right, max(start, start + width), row, _say(width), color)
    right.set(xlabel="nats", yticks=range(5), yticklabels=names, xlim=(0, 1.3 * max(np.add(starts, n[:5])) + 0.1))
    right.invert_yaxis()
    if wrong:
        right.set_xlabel(f"nats\neˢ − (1 − s) + μ² is {_say(n.wrong)}", color=COLORS["p"])
    return figure


def noise_still(eps: Sequence[float], mu: float, logvar: float, draw: int, wrong: bool):
    """The noise, the same dots moved to mu + sigma eps, and the density of N(mu, sigma^2). Returns the figure."""
    n = noise_numbers(eps, mu, logvar, draw, wrong)
    figure, axis = new_figure()
    axis.plot([eps, n.z], [[2.2] * len(eps), [1.3] * len(eps)], color=COLORS["data"], alpha=0.12, linewidth=0.8)
    axis.plot(eps, [2.2] * len(eps), "|", color=COLORS["data"], markersize=9)
    axis.plot(n.z, [1.3] * len(eps), "|", color=COLORS["q"], markersize=9)
    axis.plot([n.eps, n.chosen], [2.2, 1.3], "o-", color=COLORS["p"])
    axis.text(-7, 2.2, "noise ε", color=COLORS["data"], va="center")
    axis.text(-7, 1.3, "z = μ + σ² ε" if wrong else "z = μ + σ ε", color=COLORS["q"], va="center")
    _density(axis, mu, logvar, "q", "N(μ, σ²)", "-", reach=7.5)
    axis.set(xlabel="z", yticks=[], ylim=(0, 2.4))
    axis.spines["left"].set_visible(False)
    return figure


def _density(axis, mu, logvar, meaning, name, style, reach=5.0, side=1):
    """The density of N(mu, exp(logvar)), with its name on its left (-1) or right (1) flank."""
    z = np.linspace(-reach, reach, 501)
    density = np.exp(-0.5 * (math.log(2 * math.pi) + logvar + (z - mu) ** 2 / math.exp(logvar)))
    axis.plot(z, density, style, color=COLORS[meaning])
    height = math.exp(-0.5 * (math.log(2 * math.pi) + logvar + 1))
    _label(axis, mu + side * math.exp(logvar / 2), height, name, meaning, side, 4)


def _label(axis, x, y, text, meaning, side, dy):
    """A name to the left (side -1) or right (1) of a point."""
    label = label_line(axis, x, y, text, COLORS[meaning], 7 * side, dy)
    label.set_horizontalalignment("left" if side > 0 else "right")


def _say(value: float) -> str:
    """Three decimals and a true minus sign."""
    return f"{value:.3f}".replace("-", "−")
