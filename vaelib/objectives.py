"""What is maximised: lower bounds on log p(x). Each function reads as its equation.

A model here is a `VAEModel`: anything with `encode(x) -> mu, logvar` (the Gaussian q(z|x)) and `decode(z) -> params`
(the parameters of p(x|z)). An example may have any shape: its event is x.shape[1:]. The likelihood is handed over as
a function of x and the parameters, such as `bernoulli_log_prob`; it sees both with the event as one last dimension,
(B, D) and (..., P). The prior is N(0, I) unless another one is given: anything with `log_prob(z) -> (...)`, nats.
"""

import math
from collections.abc import Callable
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from vaelib import _guard
from vaelib.distributions import normal_log_prob, reparameterize, standard_normal_kl
from vaelib.models import VAEModel

LogLikelihood = Callable[[Tensor, Tensor], Tensor]


class Prior(Protocol):
    """A density over codes."""

    def log_prob(self, z: Tensor, /) -> Tensor:
        """log p(z) of codes z (..., L): (...), nats."""
        ...


class ElboTerms(NamedTuple):
    """The two terms of the bound, one number per example each, (B,), in nats.

    Attributes:
        log_likelihood: estimates E_q[log p(x|z)] from one z.
        kl: KL(q(z|x) || p(z)), exact for N(0, I); with another prior its estimate from the same z.
        kl_per_dim: KL(q(z|x) || N(0, I)) by latent dimension, (B, L): what each number of the code is charged. It sums
            to `kl` where the prior is N(0, I).
    """

    log_likelihood: Tensor
    kl: Tensor
    kl_per_dim: Tensor

    @property
    def elbo(self) -> Tensor:
        """log_likelihood - kl, (B,), nats: larger is better, and on average never above log p(x)."""
        return self.log_likelihood - self.kl


def elbo_terms(
    model: VAEModel,
    x: Tensor,
    log_likelihood: LogLikelihood,
    generator: torch.Generator | None = None,
    prior: Prior | None = None,
) -> ElboTerms:
    """E_q[log p(x|z)] from one reparameterized z per example, and KL(q(z|x) || p(z)).

    The KL to N(0, I) is taken in closed form. Another prior r adds log p(z) - log r(z) at the same z, so that both
    bounds, with one noise, differ by exactly that.

    Args:
        model: a `VAEModel`.
        x: examples, (B, ...).
        log_likelihood: function of x and the decoder's parameters that returns (B,), nats.
        generator: source of the noise; the global one by default.
        prior: a density over codes; N(0, I) by default.

    Returns:
        `ElboTerms`; gradients reach the encoder through z and through the KL.

    Raises:
        TypeError: x is no floating tensor, what should be a function or a generator is none, or a function returns
            something else than tensors.
        ValueError: x is empty or has no event; the encoder does not return (B, L) twice, or the likelihood or the prior
            not one number per example.

    Source: Kingma & Welling (2014), eq. 10. Book: chapter 3; assembled in chapter 6.
    """
    _check(model, x, log_likelihood, generator, prior)
    mu, logvar = _encoded(model.encode(x), x)  # (B, L)
    z = reparameterize(mu, logvar, generator)  # (B, L)
    kl_per_dim = standard_normal_kl(mu.unsqueeze(-1), logvar.unsqueeze(-1))  # (B, L)
    kl = kl_per_dim.sum(-1)
    if prior is not None:
        kl = kl + _log_prior(None, z) - _log_prior(prior, z)
    return ElboTerms(_log_likelihood(model, x, z, log_likelihood), kl, kl_per_dim)


def log_weights(
    model: VAEModel,
    x: Tensor,
    log_likelihood: LogLikelihood,
    num_samples: int,
    generator: torch.Generator | None = None,
    prior: Prior | None = None,
) -> Tensor:
    """log p(x|z) + log p(z) - log q(z|x) for `num_samples` draws z ~ q(z|x): log of an unbiased estimate of p(x).

    Args:
        model, x, log_likelihood, generator, prior: as `elbo_terms`. The decoder sees all K B codes as one batch.
        num_samples: K, at least 1.

    Returns:
        (K, B), nats.

    Raises:
        ValueError: num_samples below 1; otherwise as `elbo_terms`.

    Source: Burda et al. (2016), section 3. Book: chapter 3.
    """
    _guard.counts(1, num_samples=num_samples)
    _check(model, x, log_likelihood, generator, prior)
    mu, logvar = _encoded(model.encode(x), x)  # (B, L)
    z = reparameterize(mu.expand(num_samples, *mu.shape), logvar, generator)  # (K, B, L)
    likelihood = _log_likelihood(model, x, z, log_likelihood)  # (K, B)
    return likelihood + _log_prior(prior, z) - normal_log_prob(z, mu, logvar)


def iwae_bound(
    model: VAEModel,
    x: Tensor,
    log_likelihood: LogLikelihood,
    num_samples: int,
    generator: torch.Generator | None = None,
    prior: Prior | None = None,
) -> Tensor:
    """log of the mean of K importance weights: the importance-weighted bound.

    Args:
        As `log_weights`.

    Returns:
        (B,), nats. On average never above log p(x), never below the bound with fewer samples, and with K = 1
        an estimate of the ELBO.

    Raises:
        ValueError: as `log_weights`.

    Source: Burda et al. (2016), eq. 8. Book: chapter 3.
    """
    weights = log_weights(model, x, log_likelihood, num_samples, generator, prior)  # (K, B)
    return weights.logsumexp(0) - math.log(num_samples)


def _check_model(model) -> None:
    """A `VAEModel`, by what it offers."""
    if isinstance(model, str) or not (
        callable(getattr(model, "encode", None)) and callable(getattr(model, "decode", None))
    ):
        raise TypeError(f"model must have the functions encode(x) and decode(z); got {type(model).__name__}")


def _check(model, x: Tensor, log_likelihood: LogLikelihood, generator, prior) -> None:
    """What every bound asks of its arguments."""
    _check_model(model)
    _guard.functions(log_likelihood=log_likelihood)
    if prior is not None:
        _guard.methods("log_prob", prior=prior)
    _guard.floats(x=(x, "(..., D)"))
    if x.dim() < 2:
        raise ValueError(f"x must have shape (B, ...), examples first; got {tuple(x.shape)}")
    _guard.nonempty(x=x)
    _guard.noise(generator, x.device)


def _encoded(q: tuple[Tensor, Tensor], x: Tensor) -> tuple[Tensor, Tensor]:
    """What `encode` returned: mu and logvar of q(z|x), (B, L) each. The two rows of a plain code would unpack too."""
    if not isinstance(q, tuple | list) or len(q) != 2:
        raise TypeError(f"encode must return mu and logvar, (B, L) each; got {_guard.shown(q)}")
    _guard.floats(mu=(q[0], "(..., L)"), logvar=(q[1], "(..., L)"))
    if q[0].dim() < 2 or not q[0].shape[:-1] == q[1].shape[:-1] == x.shape[: q[0].dim() - 1]:
        shapes = f"{tuple(q[0].shape)} and {tuple(q[1].shape)} for x {tuple(x.shape)}"
        raise ValueError(f"encode must return mu and logvar, (B, L) each; got {shapes}")
    return q[0], q[1]


def _log_likelihood(model: VAEModel, x: Tensor, z: Tensor, log_likelihood: LogLikelihood) -> Tensor:
    """log p(x|z) for codes (..., B, L): (..., B). The decoder sees rows of codes, the likelihood rows of numbers."""
    params = model.decode(z.flatten(0, -2))  # (N, ...)
    if len(params) != math.prod(z.shape[:-1]):
        raise ValueError(f"decode must return one event per code, ({z.shape[:-1].numel()}, ...); got {params.shape}")
    rows = params.flatten(1).unflatten(0, z.shape[:-1])  # (..., B, P)
    return _one_each("log_likelihood", log_likelihood(x.flatten(1), rows), z.shape[:-1], "sum over the event dimension")


def _log_prior(prior: Prior | None, z: Tensor) -> Tensor:
    if prior is None:
        zero = torch.zeros_like(z[..., :1, :])
        return normal_log_prob(z, zero.expand_as(z), zero.expand_as(z))
    return _one_each("prior.log_prob", prior.log_prob(z), z.shape[:-1], "sum over the latent dimension")


def _one_each(name: str, values: Tensor, shape: torch.Size, hint: str) -> Tensor:
    """One number per example, or an error: (B, D) beside (B,) would silently weigh a term by 1/D."""
    if not isinstance(values, Tensor):
        raise TypeError(f"{name} must return one number per example, {tuple(shape)}; got {_guard.shown(values)}")
    if values.shape != shape:
        raise ValueError(
            f"{name} must return one number per example, {tuple(shape)}; got {tuple(values.shape)}: {hint}"
        )
    return values
