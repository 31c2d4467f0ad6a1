"""Estimates with units: how well, how much, how far."""

import math
from collections.abc import Callable
from types import SimpleNamespace

import torch
from torch import Tensor

from vaelib.objectives import log_weights


@torch.no_grad()
def log_likelihood_iw(
    model,
    x: Tensor,
    log_likelihood: Callable[[Tensor, Tensor], Tensor],
    num_samples: int,
    generator: torch.Generator | None = None,
    chunk: int = 50,
) -> Tensor:
    """log p(x) by importance sampling with q(z|x) as proposal: log of the mean of K weights.

    Args:
        model: anything with `encode(x) -> mu, logvar` and `decode(z)`, as in `vaelib.objectives`.
        x: examples, (B, D), encoded once.
        log_likelihood: function of x and the decoder's parameters that returns one number per example, nats.
        num_samples: K, at least 1.
        generator: source of the noise; the global one by default.
        chunk: samples in memory at a time. Another chunk draws other noise from the same generator.

    Returns:
        (B,), nats. On average a lower bound on log p(x) that closes as 1/K.

    Raises:
        ValueError: num_samples or chunk below 1.

    Source: Burda et al. (2016), section 5; Rezende et al. (2014), appendix E. Book: chapter 3.
    """
    if num_samples < 1 or chunk < 1:
        raise ValueError(f"num_samples and chunk must be at least 1; got {num_samples} and {chunk}")
    q = model.encode(x)  # mu and logvar, (B, L) each
    encoded = SimpleNamespace(encode=lambda _: q, decode=model.decode)
    total = torch.full(q[0].shape[:-1], -math.inf, dtype=q[0].dtype, device=q[0].device)
    for start in range(0, num_samples, chunk):
        weights = log_weights(encoded, x, log_likelihood, min(chunk, num_samples - start), generator)  # (k, B)
        total = torch.logaddexp(total, weights.logsumexp(0))
    return total - math.log(num_samples)


def principal_angles(a: Tensor, b: Tensor) -> Tensor:
    """Angles between the subspaces spanned by the columns of a and of b, largest first.

    Args:
        a: (D, L) of full column rank.
        b: (D, M) of full column rank.

    Returns:
        (min(L, M),), degrees, from 0 (shared direction) to 90 (orthogonal). Angles below 45 degrees are taken
        from their sine: the arccosine of a number near 1 loses half the digits.

    Raises:
        ValueError: the columns live in spaces of different dimension.

    Source: Bjorck & Golub (1973), algorithm of section 3.
    Book: chapter 2.
    """
    if a.dim() != 2 or b.dim() != 2 or len(a) != len(b):
        raise ValueError(f"a and b must be (D, L) and (D, M); got {tuple(a.shape)} and {tuple(b.shape)}")
    if a.shape[1] < b.shape[1]:
        a, b = b, a  # a is the larger space, so that all of b can be projected on it
    a, b = torch.linalg.qr(a).Q, torch.linalg.qr(b).Q
    cosines = torch.linalg.svdvals(a.T @ b).flip(0)  # ascending: the largest angle first
    sines = torch.linalg.svdvals(b - a @ (a.T @ b))  # descending
    angles = torch.where(sines < 0.5**0.5, sines.clamp(0, 1).asin(), cosines.clamp(0, 1).acos())
    return angles.rad2deg()
