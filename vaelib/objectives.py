"""What is maximised: lower bounds on log p(x). Each function reads as its equation.

A model here is anything with `encode(x) -> mu, logvar` (the Gaussian q(z|x)) and `decode(z) -> params` (the
parameters of p(x|z)); the prior is N(0, I). The likelihood is handed over as a function of x and the
parameters, such as `bernoulli_log_prob`.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from vaelib.distributions import normal_log_prob, reparameterize, standard_normal_kl


class ElboTerms(NamedTuple):
    """The two terms of the bound, one number per example each, (B,), in nats.

    `log_likelihood` estimates E_q[log p(x|z)] from one z; `kl` is KL(q(z|x) || p(z)), exact.
    """

    log_likelihood: Tensor
    kl: Tensor

    @property
    def elbo(self) -> Tensor:
        """log_likelihood - kl, (B,), nats: larger is better, and on average never above log p(x)."""
        return self.log_likelihood - self.kl


def elbo_terms(
    model,
    x: Tensor,
    log_likelihood: Callable[[Tensor, Tensor], Tensor],
    generator: torch.Generator | None = None,
) -> ElboTerms:
    """E_q[log p(x|z)] from one reparameterized z per example, and KL(q(z|x) || N(0, I)) in closed form.

    Args:
        model: anything with `encode` and `decode`, as above.
        x: examples, (B, D).
        log_likelihood: function of x and the decoder's parameters that returns (B,), nats.
        generator: source of the noise; the global one by default.

    Returns:
        `ElboTerms`; gradients reach the encoder through z and through the KL.

    Raises:
        ValueError: the likelihood does not return one number per example.

    Source: Kingma & Welling (2014), eq. 10.
    Book: chapter 3; assembled in chapter 6.
    """
    mu, logvar = model.encode(x)  # (B, L)
    z = reparameterize(mu, logvar, generator)  # (B, L)
    return ElboTerms(_one_each(log_likelihood(x, model.decode(z)), mu.shape[:-1]), standard_normal_kl(mu, logvar))


def log_weights(
    model,
    x: Tensor,
    log_likelihood: Callable[[Tensor, Tensor], Tensor],
    num_samples: int,
    generator: torch.Generator | None = None,
) -> Tensor:
    """log p(x|z) + log p(z) - log q(z|x) for `num_samples` draws z ~ q(z|x): log of an unbiased estimate of p(x).

    Args:
        model, x, log_likelihood, generator: as `elbo_terms`. The decoder sees z of shape (K, B, L).
        num_samples: K, at least 1.

    Returns:
        (K, B), nats.

    Raises:
        ValueError: num_samples below 1, or the likelihood does not return one number per sample and example.

    Source: Burda et al. (2016), section 3. Book: chapter 3.
    """
    if num_samples < 1:
        raise ValueError(f"num_samples must be at least 1; got {num_samples}")
    mu, logvar = model.encode(x)  # (B, L)
    z = reparameterize(mu.expand(num_samples, *mu.shape), logvar, generator)  # (K, B, L)
    likelihood = _one_each(log_likelihood(x, model.decode(z)), z.shape[:-1])  # (K, B)
    zero = torch.zeros_like(mu)
    return likelihood + normal_log_prob(z, zero, zero) - normal_log_prob(z, mu, logvar)


def iwae_bound(
    model,
    x: Tensor,
    log_likelihood: Callable[[Tensor, Tensor], Tensor],
    num_samples: int,
    generator: torch.Generator | None = None,
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
    weights = log_weights(model, x, log_likelihood, num_samples, generator)  # (K, B)
    return weights.logsumexp(0) - math.log(num_samples)


def _one_each(values: Tensor, shape: torch.Size) -> Tensor:
    """A likelihood with one number per example, or an error: (B, D) would silently weigh the KL by 1/D."""
    if values.shape != shape:
        raise ValueError(
            f"log_likelihood must return one number per example, {tuple(shape)}; got {tuple(values.shape)}: "
            "sum over the event dimension"
        )
    return values
