"""How much of the pictures is left, scale by scale: power spectra over rings, and variance in three parts."""

from typing import NamedTuple

import torch
from torch import Tensor

from vaelib import _guard


class RadialSpectrum(NamedTuple):
    """Power by scale: one entry for each ring of frequencies, the mean grey first.

    Attributes:
        frequency: radius of the ring, 0, 1, 2, ..., in cycles per picture, (R,).
        power: mean of |F|^2 over the ring, channels and pictures, in squared units of a pixel, (R,).
        count: frequencies in the ring, (R,) int64; they add up to the pixels of a picture.
    """

    frequency: Tensor
    power: Tensor
    count: Tensor


def radial_spectrum(pictures: Tensor, other: Tensor | None = None) -> RadialSpectrum:
    """Mean of |F|^2 over rings of equal spatial frequency, F the orthonormal Fourier transform of a picture.

    The unit is that of Parseval: `(count * power).sum()` is the sum of squares of one channel, on average. White noise
    has its variance in every ring. With `other` it is the mean of Re(F conj G), which may be negative: where the two
    sum to a third picture, power = power + power + 2 of this.

    Args:
        pictures: (N, H, H) or (N, C, H, H), square. Subtract their mean picture first if variance is what you want.
        other: pictures of the same shape.

    Returns:
        `RadialSpectrum` with R = floor(H / sqrt(2) + 1/2) + 1 rings for even H: those beyond H / 2 are the corners.

    Raises:
        TypeError: no floating tensors of one dtype.
        ValueError: pictures are not square, empty or not finite, or `other` has another shape.

    Source: Field (1987), there by orientation too. Book: chapter 11.
    """
    named = {"pictures": pictures} | ({} if other is None else {"other": other})
    _guard.floats(**{name: (value, "(..., H, W)") for name, value in named.items()})
    _guard.readable(**named)
    if pictures.dim() not in (3, 4) or pictures.shape[-1] != pictures.shape[-2]:
        raise ValueError(f"pictures must be (N, H, H) or (N, C, H, H); got {tuple(pictures.shape)}")
    if other is not None and other.shape != pictures.shape:
        raise ValueError(f"other must have the shape of pictures, {tuple(pictures.shape)}; got {tuple(other.shape)}")
    for name, value in named.items():
        _guard.nonempty(**{name: value})
        _guard.finite(**{name: value})
    first, *rest = (torch.fft.fft2(part, norm="ortho") for part in _guard.lift(*named.values()))
    power = (first * (rest[0] if rest else first).conj()).real.flatten(0, -3).mean(0)  # (H, H)
    ring = _rings(power)
    count = ring.flatten().bincount()
    total = torch.zeros(len(count), dtype=power.dtype, device=power.device).index_add(
        0, ring.flatten(), power.flatten()
    )
    return RadialSpectrum(torch.arange(len(count), dtype=power.dtype, device=power.device), total / count, count)


def _rings(power: Tensor) -> Tensor:
    """The ring of every frequency of a transform (H, H): its radius, rounded to whole cycles per picture."""
    side = len(power)
    cycles = torch.fft.fftfreq(side, 1 / side, dtype=torch.float64, device=power.device)
    return (torch.hypot(cycles, cycles[:, None]) + 0.5).floor().long()


class VarianceParts(NamedTuple):
    """data = mean + residual + cross, number by number, (D,): the variance of data over the examples, in three parts.

    Attributes:
        data: variance of x.
        mean: variance of the reconstructions y.
        residual: variance of x - y.
        cross: twice the covariance of y and x - y. Zero where y is the best guess of x from what y is made of; above
            zero where y is too faint, below where it is too bold.
    """

    data: Tensor
    mean: Tensor
    residual: Tensor
    cross: Tensor


def variance_parts(x: Tensor, y: Tensor) -> VarianceParts:
    """Var x = Var y + Var(x - y) + 2 Cov(y, x - y), over the examples, for every number of an example.

    Args:
        x: examples, (N, D).
        y: what a decoder makes of their codes, (N, D).

    Returns:
        `VarianceParts`, (D,) each, divided by N, in squared units of x; `.sum()` over the D for a whole picture.

    Raises:
        TypeError: no floating tensors of one dtype.
        ValueError: x and y are not both (N, D) with N at least 2, or not finite.

    Source: Bishop (2006), section 1.5.5. Book: chapter 11.
    """
    _guard.floats(x=(x, "(N, D)"), y=(y, "(N, D)"))
    _guard.shapes(x=(x, "(N, D)"), y=(y, "(N, D)"))
    _guard.readable(x=x, y=y)
    if len(x) < 2:
        raise ValueError(f"x must have shape (N, D) with N at least 2; got {tuple(x.shape)}")
    for name, value in {"x": x, "y": y}.items():
        _guard.nonempty(**{name: value})
        _guard.finite(**{name: value})
    x, y = _guard.lift(x, y)
    mean, residual = y - y.mean(0), (x - y) - (x - y).mean(0)
    parts = mean.square().mean(0), residual.square().mean(0), 2 * (mean * residual).mean(0)
    return VarianceParts(x.var(0, correction=0), *parts)
