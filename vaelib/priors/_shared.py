"""What all priors share: the loss of maximum likelihood, the look at their codes, their noise and their layers."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from vaelib import _guard
from vaelib.models import mlp
from vaelib.objectives import Prior, _one_each


def prior_loss(prior: Prior, z: Tensor) -> Tensor:
    """The mean of -log r(z) over codes, which training makes small: maximum likelihood.

    Args:
        prior: anything with `log_prob(z) -> (B,)`.
        z: codes, (B, L); draws of q(z|x), or means.

    Returns:
        (), nats per code. On codes that were not trained on, it estimates the cross-entropy of q(z) and r.

    Raises:
        TypeError, ValueError: the prior has no `log_prob`, or that returns anything but (B,); z is empty or not (B, L).

    Book: chapter 9.
    """
    _guard.methods("log_prob", prior=prior)
    _guard.floats(z=(z, "(B, L)"))
    _guard.nonempty(z=z)
    return -_one_each("prior.log_prob", prior.log_prob(z), z.shape[:1], "sum over the latent dimension").mean()


def as_codes(z: Tensor, like: Tensor, name: str = "z") -> Tensor:
    """z as a prior with parameters such as `like` (..., L) computes with it, or an error that says what it expects."""
    _guard.floats(prior=(like.flatten()[0], "()"), **{name: (z, f"(..., {like.shape[-1]})")})
    _guard.together(prior=like, **{name: z})
    return _guard.lift(z)[0]


def many_codes(codes: Tensor, like: Tensor) -> Tensor:
    """As `as_codes`, codes (N, L) that a prior is made from: some, and finite."""
    codes = as_codes(codes, like, "codes")
    _guard.shapes(codes=(codes, "(N, L)"))
    _guard.nonempty(codes=codes)
    _guard.finite(codes=codes)
    return codes


def standard_noise(n: int, like: Tensor, generator: torch.Generator | None) -> Tensor:
    """n draws from N(0, I), (n, L), of the dtype and on the device of `like` (..., L)."""
    _guard.counts(1, n=n)
    _guard.noise(generator, like.device)
    return torch.randn(n, like.shape[-1], generator=generator, dtype=like.dtype, device=like.device)


def smooth_mlp(sizes: Sequence[int]) -> nn.Sequential:
    """The `mlp` with SiLU for ReLU: its Jacobian has no jumps, so that a density made of it has none."""
    return nn.Sequential(*[nn.SiLU() if isinstance(layer, nn.ReLU) else layer for layer in mlp(sizes)])
