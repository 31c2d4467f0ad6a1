"""PCA and the linear-Gaussian model: the laboratory of the book, where every answer is known exactly.

The model is z ~ N(0, I), x | z ~ N(W z + b, sigma^2 I). Its log p(x), its posterior, its ELBO for any Gaussian
q and the gap between them all have closed forms, so every estimator can be tried here first.
Use float64: the exact parts of the book run on the CPU.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from vaelib.distributions import LOG_2PI, multivariate_normal_kl, multivariate_normal_log_prob


class PCA(NamedTuple):
    """Principal components of N points: `mean` (D,), `components` (D, L) with orthonormal columns, and all
    `eigenvalues` (D,) of the covariance, largest first, in squared units of the data."""

    mean: Tensor
    components: Tensor
    eigenvalues: Tensor

    def encode(self, x: Tensor) -> Tensor:
        """Coordinates (B, L) of x (B, D) along the components, measured from the mean."""
        return (x - self.mean) @ self.components

    def decode(self, z: Tensor) -> Tensor:
        """The point (B, D) of the principal subspace that has coordinates z (B, L)."""
        return z @ self.components.T + self.mean


def covariance(x: Tensor) -> Tensor:
    """1/N times the sum of (x - mean)(x - mean)^T, the covariance as a mean over the points.

    Args:
        x: points, (N, D).

    Returns:
        (D, D). `numpy.cov` divides by N - 1 instead; the loss of an autoencoder is a mean over N.

    Raises:
        ValueError: x is not (N, D) with N >= 1.

    Book: chapter 2.
    """
    if x.dim() != 2 or len(x) == 0:
        raise ValueError(f"x must have shape (N, D) with N >= 1; got {tuple(x.shape)}")
    centred = x - x.mean(0)
    return centred.T @ centred / len(x)


def pca(x: Tensor, latent_dim: int) -> PCA:
    """The `latent_dim` directions of largest variance, by an eigendecomposition of the covariance.

    Args:
        x: points, (N, D).
        latent_dim: how many components to keep, 1 to D.

    Returns:
        A `PCA`. The sign of a component is arbitrary.

    Raises:
        ValueError: wrong shape, or latent_dim outside 1..D.

    Source: Bishop (2006), section 12.1.
    Book: chapter 2.
    """
    cov = covariance(x)
    if not 1 <= latent_dim <= len(cov):
        raise ValueError(f"latent_dim must lie between 1 and D = {len(cov)}; got {latent_dim}")
    eigenvalues, eigenvectors = torch.linalg.eigh(cov)  # ascending
    return PCA(x.mean(0), eigenvectors.flip(1)[:, :latent_dim], eigenvalues.flip(0))


class LinearGaussian(NamedTuple):
    """z ~ N(0, I_L), x | z ~ N(W z + b, sigma^2 I_D), with W (D, L), b (D,) and sigma > 0, a standard deviation."""

    W: Tensor
    b: Tensor
    sigma: float

    def sample(self, n: int, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """n pairs (x (n, D), z (n, L)): first z from the prior, then x given z."""
        D, L = self.W.shape
        z = torch.randn(n, L, generator=generator, dtype=self.W.dtype)
        noise = torch.randn(n, D, generator=generator, dtype=self.W.dtype)
        return z @ self.W.T + self.b + self.sigma * noise, z

    def log_prob(self, x: Tensor) -> Tensor:
        """log p(x), exactly: x ~ N(b, W W^T + sigma^2 I).

        Args:
            x: points, (B, D).

        Returns:
            (B,), nats.

        Source: Tipping & Bishop (1999), eq. 4. Book: chapter 3.
        """
        cov = self.W @ self.W.T + self.sigma**2 * torch.eye(len(self.W), dtype=self.W.dtype)
        return multivariate_normal_log_prob(x, self.b.expand_as(x), cov)

    def posterior(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """p(z|x), exactly: N(M^-1 W^T (x - b), sigma^2 M^-1) with M = W^T W + sigma^2 I.

        Args:
            x: points, (B, D).

        Returns:
            Means (B, L), and the covariance (L, L), which is the same for every x.

        Source: Tipping & Bishop (1999), eq. 7. Book: chapter 3.
        """
        M = self.W.T @ self.W + self.sigma**2 * torch.eye(self.W.shape[1], dtype=self.W.dtype)
        mu = torch.linalg.solve(M, self.W.T @ (x - self.b).T).T
        return mu, self.sigma**2 * torch.linalg.inv(M)

    def expected_log_likelihood(self, x: Tensor, mu: Tensor, cov: Tensor) -> Tensor:
        """E_q[log p(x|z)] for q = N(mu, cov), exactly.

        Args:
            x: points, (B, D).
            mu: means of q, (B, L).
            cov: covariance of q, (L, L).

        Returns:
            (B,), nats. The spread of q costs trace(W cov W^T) / (2 sigma^2).

        Book: chapter 3.
        """
        error = (x - mu @ self.W.T - self.b).square().sum(1)  # (B,)
        spread = torch.trace(self.W @ cov @ self.W.T)
        variance = self.sigma**2
        log_variance = torch.log(torch.as_tensor(variance, dtype=x.dtype))
        return -0.5 * (len(self.W) * (LOG_2PI + log_variance) + (error + spread) / variance)

    def elbo(self, x: Tensor, mu: Tensor, cov: Tensor) -> Tensor:
        """E_q[log p(x|z)] - KL(q || prior) for q = N(mu, cov), exactly.

        Args and Returns: as `expected_log_likelihood`. Book: chapter 3.
        """
        origin, identity = torch.zeros_like(mu), torch.eye(len(cov), dtype=mu.dtype)
        return self.expected_log_likelihood(x, mu, cov) - multivariate_normal_kl(mu, cov, origin, identity)

    def gap(self, x: Tensor, mu: Tensor, cov: Tensor) -> Tensor:
        """log p(x) - ELBO = KL(q || posterior) for q = N(mu, cov), exactly; never negative.

        Args and Returns: as `expected_log_likelihood`. Book: chapter 3.
        """
        return multivariate_normal_kl(mu, cov, *self.posterior(x))


def fit_ppca(x: Tensor, latent_dim: int) -> LinearGaussian:
    """The linear-Gaussian model of largest likelihood: W = U (Lambda - sigma^2 I)^(1/2), sigma^2 = mean discarded.

    Args:
        x: points, (N, D).
        latent_dim: L, 1 to D - 1.

    Returns:
        A `LinearGaussian`; W is unique up to a rotation of the latent space.

    Raises:
        ValueError: latent_dim outside 1..D-1, or nothing is discarded (sigma would be zero).

    Source: Tipping & Bishop (1999), eq. 14 and 15.
    Book: chapter 3.
    """
    found = pca(x, latent_dim)
    discarded = found.eigenvalues[latent_dim:]
    if not discarded.sum() > 0:  # nothing is left over, or only zeros
        raise ValueError(f"latent_dim must leave variance to discard; got {latent_dim} for D = {x.shape[1]}")
    kept = (found.eigenvalues[:latent_dim] - discarded.mean()).clamp(min=0)
    return LinearGaussian(found.components * kept.sqrt(), found.mean, float(discarded.mean().sqrt()))
