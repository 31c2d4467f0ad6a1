"""The three places of the densities where the formula as written loses its digits, or looks at values."""

import math

import torch
from torch import Tensor

from vaelib import _guard


def in_sigmas(distance: Tensor, logvar: Tensor) -> Tensor:
    """distance / sigma. In two steps, because exp(logvar) underflows long before the quotient overflows.

    A step is cut off below the largest number: beyond it, every distance but 0 has an infinite square.
    """
    step = (-0.25 * logvar).clamp(max=math.log(torch.finfo(logvar.dtype).max) - 1).exp()
    return distance * step * step


def exp_beyond_line(s: Tensor) -> Tensor:
    """exp(s) - s - 1, what the exponential has above its tangent at 0: a KL's cost of a variance ratio exp(s).

    Near 0 the difference would be rounding noise, of either sign; there it is summed from its series.
    """
    edge = (60 * torch.finfo(s.dtype).eps) ** 0.25  # where the series, cut off, is as good as the difference
    small = s.clamp(-edge, edge)
    series = small * small * (0.5 + small * (1 / 6 + small / 24))
    return torch.where(small == s, series, s.expm1() - s)


def cholesky(name: str, cov: Tensor) -> Tensor:
    """The lower factor of one covariance matrix, or an error that names it; NaN where nobody can look at values."""
    _guard.readable(**{name: cov})
    _guard.finite(**{name: cov})
    sigmas = cov.detach().diagonal().clamp(min=0).sqrt()
    slack = torch.finfo(cov.dtype).eps ** 0.5 * sigmas * sigmas.unsqueeze(-1)  # what an inverse may be off, in any unit
    difference = (cov - cov.T).detach().abs()
    symmetric = (difference <= slack).all()
    if not _guard.holds(symmetric):
        raise ValueError(f"{name} must be symmetric; got entries that differ by {difference.max():g} from their mirror")
    factor, failed = torch.linalg.cholesky_ex((cov + cov.T) / 2)
    # Rounding may leave the last pivot of a singular matrix above zero; the inverse of the factor knows it still.
    eye = torch.eye(len(cov), dtype=cov.dtype, device=cov.device)
    inverse = torch.linalg.solve_triangular(factor.detach() / sigmas.unsqueeze(-1), eye, upper=False)
    smallest = 1 / inverse.square().sum()  # eigenvalue of the correlations, or less: those have no unit
    definite = (failed == 0) & (smallest > 8 * len(cov) * torch.finfo(cov.dtype).eps)
    if not _guard.holds(definite):
        raise ValueError(f"{name} must be positive definite; got a matrix whose smallest eigenvalue is not above zero")
    return torch.where(symmetric & definite, factor, math.nan)
