"""N(0, I), and the Gaussian of a crowd of codes."""

from typing import Self

import torch
from torch import Tensor, nn

from vaelib import _guard
from vaelib.distributions import multivariate_normal_log_prob
from vaelib.priors._shared import as_codes, many_codes, standard_noise


class GaussianPrior(nn.Module):
    """N(mean, cov) over codes: N(0, I) until `fit` gives it the mean and the full covariance of codes.

    Args:
        latent_dim: L.

    Raises:
        ValueError: latent_dim below 1.

    Source: Bishop (2006), section 2.3.4. Book: chapter 9.
    """

    mean: Tensor
    cov: Tensor

    def __init__(self, latent_dim: int):
        super().__init__()
        _guard.counts(1, latent_dim=latent_dim)
        self.register_buffer("mean", torch.zeros(latent_dim))
        self.register_buffer("cov", torch.eye(latent_dim))

    @torch.no_grad()
    def fit(self, codes: Tensor) -> Self:
        """Maximum likelihood in closed form: the mean and the covariance (divided by N) of codes (N, L).

        Raises:
            ValueError: the codes are empty, not finite, or do not span all L dimensions, so that no Gaussian is best;
                nothing has changed then.
        """
        codes = many_codes(codes, self.mean).cpu().double()  # Apple GPUs have no float64
        mean = codes.mean(0)
        cov = (codes - mean).T @ (codes - mean) / len(codes)
        if torch.linalg.matrix_rank(cov, hermitian=True) < len(mean):
            raise ValueError(f"codes must span all {len(mean)} dimensions; got {len(codes)} codes that do not")
        self.mean.copy_(mean)
        self.cov.copy_((cov + cov.T) / 2)
        return self

    def log_prob(self, z: Tensor) -> Tensor:
        """log-density of z (..., L): (...), nats."""
        return multivariate_normal_log_prob(as_codes(z, self.mean), self.mean, self.cov)

    def sample(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """n codes, (n, L)."""
        return self.mean + standard_noise(n, self.mean, generator) @ torch.linalg.cholesky(self.cov).T
