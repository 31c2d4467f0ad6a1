"""Gaussian and Bernoulli log-probabilities, KL divergences, and the reparameterized sample.

Every function returns one number per example, in nats, summed over the last (event) dimension: x of shape
(B, D) gives (B,), samples of shape (K, B, D) give (K, B). Nothing here takes a mean: that is the caller's
decision. A spread is always given as `logvar`, the natural logarithm of the variance.

The tensors of a call have one dtype, float32 or float64; float16 and bfloat16 are computed and returned in float32,
because a sum needs more than their three digits. `torch.compile(fullgraph=True)`, `vmap` and `jacrev` work.
"""

import math

import torch
from torch import Tensor

from vaelib import _guard
from vaelib._stable import cholesky, exp_beyond_line, in_sigmas

LOG_2PI = math.log(2 * math.pi)


def normal_log_prob(x: Tensor, mu: Tensor, logvar: Tensor) -> Tensor:
    """log N(x; mu, diag(exp(logvar))), the log-density of a Gaussian with independent dimensions.

    Args:
        x: points, (..., D).
        mu: means, (..., D).
        logvar: log-variances, (..., D), or one number () shared by all dimensions; any finite number, also one
            whose exp underflows.

    Returns:
        (...), nats. A density, so it may be positive.

    Raises:
        TypeError: not floating tensors of one dtype.
        ValueError: the last dimensions differ, or the batch dimensions do not broadcast.

    Source: Bishop (2006), eq. 2.43, with a diagonal covariance.
    Book: chapter 1, "Squared error is a Gaussian in disguise".
    """
    _guard.floats(x=(x, "(..., D)"), mu=(mu, "(..., D)"), logvar=(logvar, "(..., D) or ()"))
    x, mu, logvar = _guard.lift(x, mu, logvar)
    terms = LOG_2PI + logvar + in_sigmas(x - mu, logvar).square()  # (..., D)
    return -0.5 * terms.sum(-1)


def bernoulli_log_prob(x: Tensor, logits: Tensor) -> Tensor:
    """x log y + (1 - x) log(1 - y) summed over pixels, where y = sigmoid(logits).

    Args:
        x: pixels in [0, 1], (..., D). Only for x in {0, 1} is the result the logarithm of a probability; for
            grey pixels it is an unnormalised score whose maximum is minus the pixels' entropy, not zero.
        logits: log(y / (1 - y)), any finite number, (..., D).

    Returns:
        (...), nats, never positive; in float32 off by 1e-7 nats a pixel at most, beside rounding.

    Raises:
        TypeError: not floating tensors of one dtype.
        ValueError: the last dimensions differ, the batch dimensions do not broadcast, or a pixel lies outside
            [0, 1]. Pixels are looked at where that is free: not on a GPU, where the look would stop the queue,
            and not inside `torch.compile` and `torch.vmap`, which see no values.

    Source: Kingma & Welling (2014), appendix C.1.
    Book: chapter 1, "Cross-entropy is a Bernoulli, for binary pixels only".
    """
    _guard.floats(x=(x, "(..., D)"), logits=(logits, "(..., D)"))
    x, logits = _guard.lift(x, logits)
    if x.device.type == "cpu" and x.numel() and not _guard.holds((x.min() >= 0) & (x.max() <= 1)):
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
        (...), nats, never negative, and right to 1e-5 of itself in float32 and 1e-11 in float64, however small.

    Raises:
        As `normal_log_prob`.

    Source: the diagonal case of `multivariate_normal_kl`.
    Book: chapter 4.
    """
    each, shared = "(..., L)", "(..., L) or ()"
    _guard.floats(mu_q=(mu_q, each), logvar_q=(logvar_q, each), mu_p=(mu_p, shared), logvar_p=(logvar_p, shared))
    mu_q, logvar_q, mu_p, logvar_p = _guard.lift(mu_q, logvar_q, mu_p, logvar_p)
    squared = in_sigmas(mu_q - mu_p, logvar_p).square()
    return 0.5 * (squared + exp_beyond_line(logvar_q - logvar_p)).sum(-1)


def standard_normal_kl(mu: Tensor, logvar: Tensor) -> Tensor:
    """KL(N(mu, diag(exp(logvar))) || N(0, I)) = sum of (mu^2 + sigma^2 - log sigma^2 - 1) / 2.

    Args:
        mu: means, (..., L).
        logvar: log-variances, (..., L).

    Returns:
        (...), nats, never negative, as exact as `normal_kl`; zero at mu = 0, logvar = 0.

    Raises:
        As `normal_log_prob`.

    Source: Kingma & Welling (2014), appendix B.
    Book: chapter 4.
    """
    _guard.floats(mu=(mu, "(..., L)"), logvar=(logvar, "(..., L)"))
    mu, logvar = _guard.lift(mu, logvar)
    return 0.5 * (mu.square() + exp_beyond_line(logvar)).sum(-1)


def multivariate_normal_log_prob(x: Tensor, mu: Tensor, cov: Tensor) -> Tensor:
    """log N(x; mu, cov) with a full covariance matrix.

    Args:
        x: points, (..., D).
        mu: means, (..., D).
        cov: one symmetric positive definite matrix, (D, D).

    Returns:
        (...), nats.

    Raises:
        TypeError: not floating tensors of one dtype.
        ValueError: the last dimensions differ, the batch dimensions do not broadcast, or cov is not finite,
            symmetric and positive definite. Inside `torch.compile` and `torch.vmap`, which see no values, the
            result of such a matrix is NaN.

    Source: Bishop (2006), eq. 2.43.
    Book: chapter 3.
    """
    _guard.floats(x=(x, "(..., D)"), mu=(mu, "(..., D)"), cov=(cov, "(D, D)"))
    x, mu, cov = _guard.lift(x, mu, cov)
    factor = cholesky("cov", cov)
    white = torch.linalg.solve_triangular(factor, (x - mu).unsqueeze(-1), upper=False).squeeze(-1)
    return -0.5 * (x.shape[-1] * LOG_2PI + 2 * factor.diagonal().log().sum() + white.square().sum(-1))


def multivariate_normal_kl(mu_q: Tensor, cov_q: Tensor, mu_p: Tensor, cov_p: Tensor) -> Tensor:
    """KL(N(mu_q, cov_q) || N(mu_p, cov_p)) with full covariance matrices.

    Args:
        mu_q, mu_p: means, (..., L).
        cov_q, cov_p: one symmetric positive definite matrix each, (L, L).

    Returns:
        (...), nats, never negative.

    Raises:
        As `multivariate_normal_log_prob`, for either covariance.

    Source: Rasmussen & Williams (2006), eq. A.23.
    Book: chapter 4.
    """
    _guard.floats(mu_q=(mu_q, "(..., L)"), cov_q=(cov_q, "(L, L)"), mu_p=(mu_p, "(..., L)"), cov_p=(cov_p, "(L, L)"))
    mu_q, cov_q, mu_p, cov_p = _guard.lift(mu_q, cov_q, mu_p, cov_p)
    factor_q, factor_p = cholesky("cov_q", cov_q), cholesky("cov_p", cov_p)
    ratio = torch.linalg.solve_triangular(factor_p, factor_q, upper=False)  # triangular, so its diagonal has the det
    shift = torch.linalg.solve_triangular(factor_p, (mu_q - mu_p).unsqueeze(-1), upper=False)
    spread = ratio.tril(-1).square().sum() + exp_beyond_line(2 * ratio.diagonal().log()).sum()
    return 0.5 * (spread + shift.squeeze(-1).square().sum(-1))


def reparameterize(mu: Tensor, logvar: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """z = mu + sigma * eps with eps ~ N(0, I): a draw from q through which gradients reach mu and logvar.

    Args:
        mu: means, (..., L). For K draws each, pass `mu.expand(K, *mu.shape)`.
        logvar: log-variances, (..., L) or one number (), of a shape that broadcasts to mu's.
        generator: source of the noise; the global one by default.

    Returns:
        z, shaped like mu and of its dtype; every number has noise of its own.

    Raises:
        TypeError: not floating tensors of one dtype.
        ValueError: the last dimensions differ, or logvar has more batch dimensions than mu: its rows would share
            their noise.

    Source: Kingma & Welling (2014), section 2.4.
    Book: chapter 5.
    """
    _guard.floats(mu=(mu, "(..., L)"), logvar=(logvar, "(..., L) or ()"))
    _guard.onto(mu=mu, logvar=logvar)
    _guard.noise(generator, mu.device)
    eps = torch.randn(mu.shape, generator=generator, device=mu.device, dtype=mu.dtype)
    return (mu + (0.5 * logvar).exp() * eps).to(mu.dtype)  # half the log-variance: sigma, not sigma squared
