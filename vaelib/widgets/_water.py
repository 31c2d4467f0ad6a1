"""Eigenvalues and a water line: which directions a linear VAE uses at a given sigma, and what its ELBO is there."""

import math
from typing import NamedTuple

import numpy as np
from torch import Tensor

from vaelib import _guard
from vaelib.plots import COLORS, label_line, new_figure
from vaelib.widgets._live import live_figure

RANGES = {"power": (-6, 2.6), "latents": (1, 32)}


class WaterNumbers(NamedTuple):
    """Of the best linear VAE with `latents` numbers and this sigma^2; then of the best sigma^2. ELBOs in nats."""

    level: float
    used: int
    silent: int
    elbo: float
    best_level: float
    best_elbo: float


def water_figure(eigenvalues: Tensor, power: float = 0.0, latents: float = 16):
    """Sigma^2 as a water line across a spectrum: a direction below it is silent, whatever room the code has.

    Args:
        eigenvalues: of the data's covariance, largest first, (D,) with D above 32, at least 0.
        power: log2 of sigma^2 where the slider starts, within `RANGES`.
        latents: L, where the other slider starts, within `RANGES`.

    Returns: as `elbo_figure`.

    Raises:
        TypeError: eigenvalues is no floating tensor, or a start is no number.
        ValueError: eigenvalues are not as said, or a start lies outside its range.

    Book: chapter 12.
    """
    _guard.floats(eigenvalues=(eigenvalues, "(D,)"))
    _guard.readable(eigenvalues=eigenvalues)
    _guard.finite(eigenvalues=eigenvalues)
    room = RANGES["latents"][1]
    if len(eigenvalues) <= room or (eigenvalues < 0).any() or (eigenvalues[1:] > eigenvalues[:-1]).any():
        raise ValueError(f"eigenvalues must be more than {room}, descending, at least 0; got {len(eigenvalues)}")
    if eigenvalues[room:].sum() <= 0:
        raise ValueError(f"eigenvalues must leave variance beyond the first {room}; got none")
    shown = eigenvalues.detach().double()
    fixed = {
        "eigenvalues": [round(value, 6) for value in shown[:room].tolist()],
        "total": round(shown.sum().item(), 6),
        "dims": len(shown),
    }
    return live_figure("water", RANGES, fixed, {"power": power, "latents": latents}, water_still)


def water_numbers(eigenvalues, total, dims, power, latents) -> WaterNumbers:
    """What a linear VAE with `latents` numbers does at sigma^2 = 2^power, and at its best sigma^2.

    Args:
        eigenvalues, total, dims: the first of the data's covariance, the sum and the number of all.
        power, latents: log2 of sigma^2, and how many numbers a code has.

    Book: chapter 12.
    """
    room = eigenvalues[: int(latents)]

    def elbo(level):
        kept = [value for value in room if value > level]
        logs = sum(math.log(value) for value in kept) + (dims - len(kept)) * math.log(level)
        return -0.5 * (dims * math.log(2 * math.pi) + logs + len(kept) + (total - sum(kept)) / level), len(kept)

    level, best_level = 2.0**power, (total - sum(room)) / (dims - len(room))
    value, used = elbo(level)
    return WaterNumbers(level, used, len(room) - used, value, best_level, elbo(best_level)[0])


def water_still(eigenvalues, power, latents, **numbers):
    """The spectrum with its water line, and the ELBO against sigma^2. Returns the figure."""
    n = water_numbers(eigenvalues, power=power, latents=latents, **numbers)
    figure, (left, right) = new_figure(7, 3.2, panels=2)
    for place, value in enumerate(eigenvalues, 1):
        inside = place <= latents
        color = COLORS["q"] if inside and value > n.level else COLORS["p"] if inside else "#bbbbbb"
        left.bar(place, value, color=color)
    left.axhline(n.level, color=COLORS["posterior"], lw=2)
    label_line(left, len(eigenvalues), n.level, f"σ² = {n.level:.3g}", COLORS["posterior"], 0, 8).set_ha("right")
    left.set(xlabel="principal direction", ylabel="variance", yscale="log", ylim=(0.01, 10))
    left.set_title(f"{n.used} used, {n.silent} silent", size=10)
    powers = np.linspace(-6, 2.6, 120)
    curve = [water_numbers(eigenvalues, power=one, latents=latents, **numbers).elbo for one in powers]
    right.plot(2**powers, curve, color=COLORS["pca"])
    right.plot(n.level, n.elbo, "o", color=COLORS["posterior"], ms=8)
    right.plot(n.best_level, n.best_elbo, "*", color=COLORS["data"], ms=10)
    label_line(right, n.best_level, n.best_elbo, "learned σ²", COLORS["data"], 8, 6)
    right.set(xlabel="σ²", ylabel="largest ELBO, nats", xscale="log", ylim=(min(curve) - 40, n.best_elbo + 60))
    return figure
