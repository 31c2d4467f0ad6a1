"""Gaussian and Bernoulli log-probabilities, KL divergences, and the reparameterized sample.

Every function returns one number per example, in nats, summed over the last (event) dimension: x of shape
(B, D) gives (B,), samples of shape (K, B, D) give (K, B). Nothing here takes a mean: that is the caller's
decision. A spread is always given as `logvar`, the natural logarithm of the variance.
"""

import math

import torch
from torch import Tensor

LOG_2PI = math.log(2 * math.pi)


def normal_log_prob(x: Tensor, mu: Tensor, logvar: Tensor) -> Tensor:
    """log N(x; mu, diag(exp(logvar))), the log-density of a Gaussian with independent dimensions.

    Args:
        x: points, (..., D).
        mu: means, (..., D).
        logvar: log-variances, (..., D), or one number () shared by all dimensions.

    Returns:
        (...), nats. A density, so it may be positive.

    Raises:
        ValueError: the last dimensions differ.

    Source: Bishop (2006), eq. 2.43, with a diagonal covariance.
    Book: chapter 1, "Squared error is a Gaussian in disguise".
    """
    _same_event(x=x, mu=mu, logvar=logvar)
    terms = LOG_2PI + logvar + (x - mu) ** 2 / logvar.exp()  # (..., D)
    return -0.5 * terms.sum(-1)


def bernoulli_log_prob(x: Tensor, logits: Tensor) -> Tensor:
    """x log y + (1 - x) log(1 - y) summed over pixels, where y = sigmoid(logits).

    Args:
        x: pixels in [0, 1], (..., D). Only for x in {0, 1} is the result the logarithm of a probability; for
            grey pixels it is an unnormalised score whose maximum is minus the pixels' entropy, not zero.
        logits: log(y / (1 - y)), any real number, (..., D).

    Returns:
        (...), nats, never positive.

    Raises:
        ValueError: the last dimensions differ, or a pixel lies outside [0, 1] (not looked at on a GPU, where
            the look would stop the queue).

    Source: Kingma & Welling (2014), appendix C.1.
    Book: chapter 1, "Cross-entropy is a Bernoulli, for binary pixels only".
    """
    _same_event(x=x, logits=logits)
    if x.device.type == "cpu" and x.numel() and not (x.min() >= 0 and x.max() <= 1):
        raise ValueError(
            f"x must lie in [0, 1]; got values from {x.min():g} to {x.max():g}: divide 8-bit pixels by 255"
        )
    # log y = logits + log(1 - y), and log(1 - y) = log(sigmoid(|logits|)) - max(logits, 0): nothing rounds to log 0.
    # On a CPU a plain log is several times faster than the log1p in torch's logsigmoid, and loses 1e-7 nats at most;
    # working in place on what is new here spares fresh memory, which costs more than the arithmetic.
    positive = logits.relu()
    size = (2 * positive).sub_(logits)  # |logits|, with the derivatives of one side at 0: those of abs() would be wrong
    return (x * logits).sub_(positive).add_(size.sigmoid().log()).sum(-1)


def normal_kl(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor) -> Tensor:
    """KL(q || p) between Gaussians with independent dimensions, in closed form.

    Args:
        mu_q, logvar_q: mean and log-variance of q, (..., L).
        mu_p, logvar_p: mean and log-variance of p, (..., L), or () for one number shared by all dimensions.

    Returns:
        (...), nats, never negative.

    Raises:
        ValueError: the last dimensions differ.

    Source: the diagonal case of `multivariate_normal_kl`.
    Book: chapter 4.
    """
    _same_event(mu_q=mu_q, logvar_q=logvar_q, mu_p=mu_p, logvar_p=logvar_p)
    squared = (mu_q - mu_p) ** 2 / logvar_p.exp()  # how far apart, in standard deviations of p
    ratio = logvar_q - logvar_p  # log of the variance ratio
    return 0.5 * (squared + ratio.exp() - ratio - 1).sum(-1)


def standard_normal_kl(mu: Tensor, logvar: Tensor) -> Tensor:
    """KL(N(mu, diag(exp(logvar))) || N(0, I)) = sum of (mu^2 + sigma^2 - log sigma^2 - 1) / 2.

    Args:
        mu: means, (..., L).
        logvar: log-variances, (..., L).

    Returns:
        (...), nats, never negative; zero only at mu = 0, logvar = 0.

    Raises:
        ValueError: the last dimensions differ.

    Source: Kingma & Welling (2014), appendix B.
    Book: chapter 4.
    """
    _same_event(mu=mu, logvar=logvar)
    return 0.5 * (mu**2 + logvar.exp() - logvar - 1).sum(-1)


def multivariate_normal_log_prob(x: Tensor, mu: Tensor, cov: Tensor) -> Tensor:
    """log N(x; mu, cov) with a full covariance matrix.

    Args:
        x: points, (..., D).
        mu: means, (..., D).
        cov: one symmetric positive definite matrix, (D, D).

    Returns:
        (...), nats.

    Raises:
        ValueError: the last dimensions differ, or cov is not symmetric positive definite.

    Source: Bishop (2006), eq. 2.43.
    Book: chapter 3.
    """
    _same_event(x=x, mu=mu, cov=cov)
    factor = _cholesky(cov=cov)
    white = torch.linalg.solve_triangular(factor, (x - mu).unsqueeze(-1), upper=False).squeeze(-1)
    return -0.5 * (x.shape[-1] * LOG_2PI + _logdet(factor) + white.square().sum(-1))


def multivariate_normal_kl(mu_q: Tensor, cov_q: Tensor, mu_p: Tensor, cov_p: Tensor) -> Tensor:
    """KL(N(mu_q, cov_q) || N(mu_p, cov_p)) with full covariance matrices.

    Args:
        mu_q, mu_p: means, (..., L).
        cov_q, cov_p: one symmetric positive definite matrix each, (L, L).

    Returns:
        (...), nats, never negative.

    Raises:
        ValueError: the last dimensions differ, or a covariance is not symmetric positive definite.

    Source: Rasmussen & Williams (2006), eq. A.23.
    Book: chapter 4.
    """
    _same_event(mu_q=mu_q, cov_q=cov_q, mu_p=mu_p, cov_p=cov_p)
    factor_q, factor_p = _cholesky(cov_q=cov_q), _cholesky(cov_p=cov_p)
    spread = torch.linalg.solve_triangular(factor_p, factor_q, upper=False).square().sum()
    shift = torch.linalg.solve_triangular(factor_p, (mu_q - mu_p).unsqueeze(-1), upper=False)
    squared = shift.squeeze(-1).square().sum(-1)
    return 0.5 * (spread + squared - mu_q.shape[-1] + _logdet(factor_p) - _logdet(factor_q))


def reparameterize(mu: Tensor, logvar: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """z = mu + sigma * eps with eps ~ N(0, I): a draw from q through which gradients reach mu and logvar.

    Args:
        mu: means, (..., L). For K draws each, pass `mu.expand(K, *mu.shape)`.
        logvar: log-variances, of a shape that broadcasts to mu's.
        generator: source of the noise; the global one by default.

    Returns:
        z, shaped like mu.

    Raises:
        ValueError: the last dimensions differ.

    Source: Kingma & Welling (2014), section 2.4.
    Book: chapter 5.
    """
    _same_event(mu=mu, logvar=logvar)
    eps = torch.randn(mu.shape, generator=generator, device=mu.device, dtype=mu.dtype)
    return mu + (0.5 * logvar).exp() * eps  # half the log-variance: sigma, not sigma squared


def _same_event(**tensors: Tensor) -> None:
    """Refuse silent broadcasting over the event dimension, the one that is summed; a bare number is fine."""
    sizes = {name: t.shape[-1] for name, t in tensors.items() if t.dim() > 0}
    if len(set(sizes.values())) > 1:
        (first, size), *rest = sizes.items()
        name = next(n for n, s in rest if s != size)
        raise ValueError(
            f"{name} must have the last dimension of {first}, {size}; "
            f"got {tuple(tensors[name].shape)} beside {tuple(tensors[first].shape)}"
        )


def _cholesky(**named: Tensor) -> Tensor:
    """The lower factor of one covariance matrix, or an error that names it."""
    ((name, cov),) = named.items()
    if cov.dim() != 2 or cov.shape[0] != cov.shape[1] or not torch.allclose(cov, cov.T):
        raise ValueError(f"{name} must be one symmetric (L, L) matrix; got shape {tuple(cov.shape)}")
    factor, failed = torch.linalg.cholesky_ex(cov)
    if failed:
        raise ValueError(f"{name} must be positive definite; its smallest eigenvalue is not above zero")
    return factor


def _logdet(factor: Tensor) -> Tensor:
    return 2 * factor.diagonal().log().sum()
