"""What an encoder's second output may be: how it becomes a standard deviation, and the derivative of the KL in it."""

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import softplus

from vaelib.beta._derivatives import SECONDS

STD: dict[str, Callable[[Tensor], Tensor]] = {
    "log-variance": lambda s: (s / 2).exp(),
    "standard deviation": lambda s: s,
    "variance": lambda s: s.clamp(min=0).sqrt(),
    "log standard deviation": lambda s: s.exp(),
    "softplus of the standard deviation": softplus,
}
FREE = {  # the second output of a cloud as wide as N(0, I)'s, whose KL is nothing at mu = 0
    "log-variance": 0.0,
    "standard deviation": 1.0,
    "variance": 1.0,
    "log standard deviation": 0.0,
    "softplus of the standard deviation": math.log(math.e - 1),
}
KL_SLOPE: dict[str, Callable[[Tensor], Tensor]] = {
    **SECONDS,
    "log standard deviation": lambda s: (2 * s).expm1(),
    "softplus of the standard deviation": lambda s: (softplus(s) - 1 / softplus(s)) * s.sigmoid(),
}


def kl_each(mu: Tensor, std: Tensor) -> Tensor:
    """KL(N(mu, std^2) || N(0, 1)) of each latent number, nats; infinite where std is 0."""
    return (mu.square() + std.square() - 1) / 2 - std.log()


def reversed_slopes(mu: Tensor, second: Tensor, std: Callable[[Tensor], Tensor]) -> tuple[Tensor, Tensor]:
    """Derivatives of KL(N(0, 1) || N(mu, std^2)) in mu and in the second output."""
    mu, second = mu.detach().clone().requires_grad_(), second.detach().clone().requires_grad_()
    with torch.enable_grad():
        spread = std(second)
        found = torch.autograd.grad((spread.log() + (1 + mu.square()) / (2 * spread.square())).sum(), (mu, second))
    return found[0], found[1]
