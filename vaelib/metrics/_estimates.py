"""Estimates from a model: log p(x), which latent dimensions are in use, how far two subspaces are apart."""

import math
from contextlib import nullcontext

import torch
from torch import Tensor, nn

from vaelib import _guard
from vaelib._aside import eval_mode
from vaelib.models import VAEModel
from vaelib.objectives import LogLikelihood, Prior, _check, _encoded, log_weights


@torch.no_grad()
def log_marginal_iw(
    model: VAEModel,
    x: Tensor,
    log_likelihood: LogLikelihood,
    num_samples: int,
    generator: torch.Generator | None = None,
    chunk: int | None = None,
    prior: Prior | None = None,
) -> Tensor:
    """log p(x) by importance sampling with q(z|x) as proposal: log of the mean of K weights.

    A model of PyTorch is looked at in eval(), and has the modes that it had afterwards.

    Args:
        model: a `VAEModel`.
        x: examples, (B, ...), encoded once.
        log_likelihood: function of x and the decoder's parameters that returns one number per example, nats.
        num_samples: K, at least 1.
        generator: source of the noise; the global one by default.
        chunk: samples in memory at a time; by default the decoder sees about 600 codes at once, which is what a
            processor's cache holds, and on a GPU 100 times as many. Another chunk draws other noise from the same
            generator.
        prior: a density over codes, as in `elbo_terms`; N(0, I) by default.

    Returns:
        (B,), nats. On average a lower bound on log p(x) that closes as 1/K where the weights' variance is finite.

    Raises:
        TypeError, ValueError: num_samples or chunk is no whole number of at least 1; otherwise as `elbo_terms`.

    Source: Burda et al. (2016), section 5; Rezende et al. (2014), appendix E. Book: chapter 3.
    """
    _guard.counts(1, num_samples=num_samples)
    if chunk is not None:
        _guard.counts(1, chunk=chunk)
    _check(model, x, log_likelihood, generator, prior)
    if chunk is None:
        chunk = max(1, (600 if x.device.type == "cpu" else 60_000) // max(1, len(x)))
    with eval_mode(model) if isinstance(model, nn.Module) else nullcontext():
        q = _encoded(model.encode(x), x)  # mu and logvar, (B, L) each
        encoded, total = _Encoded(q, model), q[0].new_full(q[0].shape[:-1], -math.inf)
        for start in range(0, num_samples, chunk):
            draws = min(chunk, num_samples - start)
            weights = log_weights(encoded, x, log_likelihood, draws, generator, prior)  # (k, B)
            total = torch.logaddexp(total, weights.logsumexp(0))
    return total - math.log(num_samples)


class _Encoded:
    """The model of examples whose q(z|x) is known already."""

    def __init__(self, q: tuple[Tensor, Tensor], model: VAEModel):
        self.q, self.decode = q, model.decode

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.q


def bits_per_dim(log_prob: Tensor, dims: int, levels: int = 1) -> Tensor:
    """-log p(x) / (D log 2), plus log2(levels) where p is a density over pixels scaled to [0, 1].

    Args:
        log_prob: log p(x), any shape, nats.
        dims: D, the numbers in one example: 784 for a 28x28 grey picture, 12,288 for 64x64 in colour.
        levels: how many values a pixel had before it was scaled to [0, 1] (256 for 8 bits), where log_prob is the
            logarithm of a density; 1 where it already is the logarithm of a probability.

    Returns:
        Bits per dimension, of the same shape: smaller is better.

    Raises:
        ValueError: dims or levels below 1.

    Source: Theis et al. (2016), section 3.1. Book: chapter 6.
    """
    _guard.floats(log_prob=(log_prob, "() or (...)"))
    _guard.counts(1, dims=dims, levels=levels)
    (log_prob,) = _guard.lift(log_prob)
    return -log_prob / (dims * math.log(2)) + math.log2(levels)


def principal_angles(a: Tensor, b: Tensor) -> Tensor:
    """Angles between the subspaces spanned by the columns of a and of b, largest first.

    Args:
        a: (D, L) of full column rank.
        b: (D, M) of full column rank.

    Returns:
        (min(L, M),), degrees, from 0 (shared direction) to 90 (orthogonal). Angles below 45 degrees are taken
        from their sine: the arccosine of a number near 1 loses half the digits.

    Raises:
        TypeError: not floating tensors of one dtype.
        ValueError: the columns live in spaces of different dimension, are not finite, or depend on each other, so
            that the basis of a subspace is not given.

    Source: Bjorck & Golub (1973), algorithm of section 3.
    Book: chapter 2.
    """
    _guard.floats(a=(a, "(D, L)"), b=(b, "(D, M)"))
    for name, basis in (("a", a), ("b", b)):
        _full_rank(name, basis)
    a, b = _guard.lift(a, b)
    if a.shape[1] < b.shape[1]:
        a, b = b, a  # a is the larger space, so that all of b can be projected on it
    a, b = torch.linalg.qr(a).Q, torch.linalg.qr(b).Q
    cosines = torch.linalg.svdvals(a.T @ b).flip(0)  # ascending: the largest angle first
    sines = torch.linalg.svdvals(b - a @ (a.T @ b))  # descending
    angles = torch.where(sines < 0.5**0.5, sines.clamp(0, 1).asin(), cosines.clamp(0, 1).acos())
    return angles.rad2deg()


def active_units(mu: Tensor, threshold: float = 0.01) -> Tensor:
    """Which latent dimensions say anything: those whose posterior mean varies from example to example.

    Args:
        mu: means of q(z|x) for many examples, (N, L), N at least 2.
        threshold: variance of mu over the examples above which a dimension counts as active.

    Returns:
        (L,), bool; `.sum()` is the number of active units.

    Raises:
        TypeError: mu is not a floating tensor, or threshold not a number.
        ValueError: mu is not (N, L) with N at least 2, or not finite: a model that has diverged has no silent units.

    Source: Burda et al. (2016), section 5.2. Book: chapter 6.
    """
    _guard.floats(mu=(mu, "(N, L)"))
    _guard.numbers(threshold=threshold)
    if len(mu) < 2:
        raise ValueError(f"mu must have shape (N, L) with N at least 2; got {tuple(mu.shape)}")
    _guard.nonempty(mu=mu)
    _guard.finite(mu=mu)
    return _guard.lift(mu)[0].var(0) > threshold


def _full_rank(name: str, basis: Tensor) -> None:
    """Columns that are a basis, in whatever unit each of them is."""
    _guard.nonempty(**{name: basis})
    _guard.readable(**{name: basis})
    _guard.finite(**{name: basis})
    (columns,) = _guard.lift(basis.detach())
    length = torch.linalg.vector_norm(columns, dim=0)
    spread = torch.linalg.svdvals(columns / length.clamp(min=torch.finfo(columns.dtype).tiny))
    rounding = len(basis) * torch.finfo(columns.dtype).eps
    if basis.shape[1] > len(basis) or not _guard.holds(spread[-1] > rounding * spread[0]):
        raise ValueError(f"{name} must have independent columns; got {tuple(basis.shape)} of lower rank")
