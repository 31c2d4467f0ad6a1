"""Pixels as coins, and the density on [0, 1] that has the coin's formula."""

import torch
from torch import Tensor, nn

from vaelib import _guard
from vaelib.distributions import bernoulli_log_prob
from vaelib.likelihoods._eight_bit import LEVEL, EightBitLikelihood, in_unit_interval, levels, split


class BernoulliLikelihood(nn.Module):
    """Each pixel is a coin: log p(x|z) = sum of x log y + (1 - x) log(1 - y), with y = sigmoid(logits).

    For grey x the number is the expected log-probability of the picture that x's coins would make, which is no
    density of x: it has no `log_mass`.

    Source: Kingma & Welling (2014), appendix C.1.
    Book: chapter 1, "Cross-entropy is a Bernoulli, for binary pixels only".
    """

    params_per_dim = 1

    def forward(self, x: Tensor, params: Tensor) -> Tensor:
        """The same as `log_prob`."""
        return self.log_prob(x, params)

    def log_prob(self, x: Tensor, params: Tensor) -> Tensor:
        """Nats, never positive, (...), of x (..., D) in [0, 1] given logits (..., D)."""
        return bernoulli_log_prob(x, split(params, 1, x).squeeze(-2))

    def sample(self, params: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Pictures of zeros and ones, shaped like params (..., D)."""
        chance = self.mean(params)
        _guard.noise(generator, chance.device)
        _guard.finite(params=params)  # torch's answer to NaN would end a program on a GPU
        return chance.bernoulli(generator=generator)

    def mean(self, params: Tensor) -> Tensor:
        """Each pixel's chance of being one, shaped like params (..., D)."""
        return split(params, 1).squeeze(-2).sigmoid()


class ContinuousBernoulliLikelihood(EightBitLikelihood):
    """The density on [0, 1] proportional to y^x (1 - y)^(1 - x), with y = sigmoid(logits).

    With the logit l it is l exp(l x) / (exp(l) - 1), an exponential cut off at 0 and 1. Everything below is
    measured from the end it prefers, with the rate |l|, so that nothing cancels however large the logit.

    Source: Loaiza-Ganem & Cunningham (2019). Book: chapter 11.
    """

    def log_prob(self, x: Tensor, params: Tensor) -> Tensor:
        """Nats, (...), of x (..., D) in [0, 1] given logits (..., D). A density, so it may be positive."""
        logits = split(params, 1, x).squeeze(-2)
        _guard.floats(x=(x, "(..., D)"), params=(logits, "(..., D)"))
        in_unit_interval(x)
        (x,) = _guard.lift(x)
        rate, above = _rate(logits)
        return (-rate * torch.where(above, 1 - x, x) - _log_area(rate)).sum(-1)

    def log_mass(self, x: Tensor, params: Tensor) -> Tensor:
        """log-probability, nats, never positive, (...), of 8-bit x (..., D), uint8 or floats k / 255; logits (..., D).

        The two end levels have half a bin each, since nothing lies outside [0, 1].
        """
        logits = split(params, 1, x).squeeze(-2)
        rate, above = _rate(logits)
        level = levels(x, logits)
        level = torch.where(above, 255 - level, level)  # counted from the preferred end
        near = LEVEL * (level - 0.5).relu()  # where the bin begins
        width = LEVEL * torch.where((level == 0) | (level == 255), 0.5, 1.0).to(logits.dtype)
        mass = -rate * near + width.log() + _log_area(rate * width) - _log_area(rate)
        return mass.clamp(max=0).sum(-1)  # of a sure pixel, rounding may leave more than nothing

    def sample(self, params: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Pixels in [0, 1], shaped like params (..., D), by the inverse of the distribution function."""
        rate, above = _rate(split(params, 1).squeeze(-2))
        _guard.noise(generator, rate.device)
        _guard.finite(params=params)
        rate = rate.clamp(min=1e-6)  # below it the density is flat to the last bit, and 0/0 is near
        uniform = torch.rand(rate.shape, generator=generator, dtype=rate.dtype, device=rate.device)
        distance = (-torch.log1p(uniform * torch.expm1(-rate)) / rate).clamp(0, 1)
        return torch.where(above, 1 - distance, distance)

    def mean(self, params: Tensor) -> Tensor:
        """Mean pixels in (0, 1), shaped like params (..., D): nearer to 1/2 than sigmoid(params)."""
        rate, above = _rate(split(params, 1).squeeze(-2))
        small, r, large = _two_ranges(rate)
        series = 1 / 2 - r / 12 + r**3 / 720 - r**5 / 30_240 + r**7 / 1_209_600
        distance = torch.where(small, series, 1 / large - 1 / torch.expm1(large))
        return torch.where(above, 1 - distance, distance)


def _rate(logits: Tensor) -> tuple[Tensor, Tensor]:
    """|logits| with the slope of one side at 0, where that of abs() would be wrong; and which pixels prefer 1."""
    above = logits > 0
    return torch.where(above, logits, -logits), above


def _log_area(a: Tensor) -> Tensor:
    """log of the integral of exp(-a t) over t in [0, 1], which is (1 - exp(-a)) / a, for a >= 0."""
    small, s, large = _two_ranges(a)
    series = -s / 2 + s**2 / 24 - s**4 / 2880 + s**6 / 181_440 - s**8 / 9_676_800
    return torch.where(small, series, torch.log(-torch.expm1(-large) / large))


def _two_ranges(a: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Where a is small, and a with harmless values put where the other formula holds: no gradient of inf or NaN."""
    small = a < 0.5
    return small, torch.where(small, a, 0.0), torch.where(small, 1.0, a)
