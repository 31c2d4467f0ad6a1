"""What the likelihoods of pictures with 256 levels share: bits per dimension, levels, and the layout of params."""

import math
from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from vaelib import _guard

LEVEL = 1 / 255  # level k of 0..255 is the pixel k / 255; its bin reaches half a level to both sides


class EightBitLikelihood(nn.Module, ABC):
    """A likelihood that also gives every 8-bit picture a probability, so that likelihoods of all kinds compare."""

    params_per_dim = 1

    def forward(self, x: Tensor, params: Tensor) -> Tensor:
        """The same as `log_prob`, so that an objective takes the object itself: `elbo_terms(model, x, likelihood)`."""
        return self.log_prob(x, params)

    @abstractmethod
    def log_prob(self, x: Tensor, params: Tensor) -> Tensor:
        """log p(x|params) of pixels in [0, 1], a density: (...), nats."""

    @abstractmethod
    def log_mass(self, x: Tensor, params: Tensor) -> Tensor:
        """log P(x|params) of an 8-bit picture, a probability: (...), nats, never positive."""

    def bits_per_dim(self, x: Tensor, params: Tensor) -> Tensor:
        """-log2 P(x) / D: bits that an 8-bit picture costs per dimension, once its code is known.

        For the whole model, `-elbo / (D log 2)` of `elbo_terms(model, x, likelihood.log_mass)` is a bound from above.

        Args:
            x, params: as in `log_mass`.

        Returns:
            (...), bits, never negative, smaller is better; 8 for a uniform guess.

        Source: Salimans et al. (2017), section 3. Book: chapter 11.
        """
        return -self.log_mass(x, params) / (x.shape[-1] * math.log(2))


def levels(x: Tensor, like: Tensor) -> Tensor:
    """The levels 0..255 of pixels that are uint8 or floats k / 255, as floats of the dtype of `like`."""
    _guard.dense("x", x)
    if x.dtype == torch.uint8:
        return x.to(like.dtype)
    if x.dtype not in _guard.FLOATING:
        raise TypeError(f"x must be uint8, or floats k / 255; got {x.dtype}")
    in_unit_interval(x)
    return (255 * x.to(like.dtype)).round()


def in_unit_interval(x: Tensor) -> None:
    """Refuse pixels outside [0, 1]; they are not looked at on a GPU, where the look would stop the queue."""
    if x.device.type == "cpu" and x.numel() and not _guard.holds((x.min() >= 0) & (x.max() <= 1)):
        raise ValueError(
            f"x must lie in [0, 1]; got values from {x.min():g} to {x.max():g}: divide 8-bit pixels by 255"
        )


def split(params: Tensor, params_per_dim: int, x: Tensor | None = None) -> Tensor:
    """The decoder's (..., n D) numbers as (..., n, D): of n times as many channels, n groups of channels."""
    size = _guard.floats(params=(params, "(..., P)"))["P"]
    if x is not None:
        _guard.dense("x", x)
        _guard.shapes(x=(x, "(..., D)"), params=(params, "(..., P)"))
        _guard.together(x=x, params=params)
    if size % params_per_dim or (x is not None and size != params_per_dim * x.shape[-1]):
        wanted = f"{params_per_dim} D" if x is None else f"{params_per_dim} x {x.shape[-1]}"
        raise ValueError(f"params must have {wanted} numbers in the last dimension; got {tuple(params.shape)}")
    (params,) = _guard.lift(params)
    return params.unflatten(-1, (params_per_dim, size // params_per_dim))


def floored(log_scale: Tensor, floor: float) -> Tensor:
    """log(exp(log_scale) + floor): never below the floor, and with a slope everywhere, unlike a clamp."""
    return torch.logaddexp(log_scale, log_scale.new_tensor(math.log(floor))) if floor > 0 else log_scale
