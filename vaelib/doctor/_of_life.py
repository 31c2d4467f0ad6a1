"""Findings about numbers that are none, and about the curve of the training."""

import math
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from vaelib.doctor._report import Finding
from vaelib.doctor._ward import Ward


def of_life(ward: Ward) -> Iterator[Finding]:
    """Where the first NaN or infinity is born: pictures, encoder, draw, decoder or loss."""
    for stage, values in _stages(ward):
        bad = next((value for value in values if not value.isfinite().all()), None)
        if bad is not None:
            share = (~bad.isfinite()).float().mean().item()
            yield Finding(
                "NaN", f"the first number that is none comes from {stage}", f"{share:.0%} of its numbers",
                "finite numbers", "encode, draw, decode and loss in turn, on the pictures handed over",
                "lower the learning rate, clip gradients, keep the log-variance below 20; look at the pictures",
                math.inf,
            )  # fmt: skip
            return
    if ward.convention.startswith("log"):
        top = ward.codes[1].max().item()
        if top > 15:
            yield Finding(
                "exploding log-variance", "a log-variance is about to overflow", f"{top:.3g}", "below 5",
                "encode(x)", "lower the learning rate, clip gradients; look at the sign of the KL", 1.0,
            )  # fmt: skip


def _stages(ward: Ward) -> Iterator[tuple[str, tuple[Tensor, ...]]]:
    yield "the pictures", (ward.x, ward.train)
    mu, second = ward.codes
    yield "encode", (mu, second)
    z = mu
    if ward.draw is not None:
        z = ward.draw(mu, second)
        yield "draw", (z,)
    if ward.decode is not None:
        y = ward.decoded(z)
        yield "decode", (y,)
        if ward.loss is not None:
            yield "loss", (torch.as_tensor(ward.loss(ward.x, y, mu, second)),)


def of_history(history: Sequence[float]) -> tuple[list[Finding], list[Finding]]:
    """Findings and notes about the losses of the passes."""
    bad = next((place for place, value in enumerate(history) if not math.isfinite(value)), None)
    if bad is not None:
        return [
            Finding(
                "NaN", f"the loss is no number from entry {bad} on", str(history[bad]), "finite numbers",
                "the history that was handed over", "lower the learning rate, clip gradients", math.inf,
            )
        ], []  # fmt: skip
    if len(history) >= 8 and (drop := history[-1 - len(history) // 4] - history[-1]) > 0.02 * abs(history[-1]):
        return [], [
            Finding(
                "not done yet", "the loss still falls: train longer before you judge", f"{drop:.3g} of late",
                "", "the history that was handed over", "",
            )
        ]  # fmt: skip
    return [], []
