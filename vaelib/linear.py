"""PCA and the linear-Gaussian model: the laboratory of the book, where every answer is known exactly.

The model is z ~ N(0, I), x | z ~ N(W z + b, sigma^2 I). Its log p(x), its posterior, its ELBO for any Gaussian
q and the gap between them all have closed forms, so every estimator can be tried here first.
Use float64: the exact parts of the book run on the CPU. What is not a floating tensor of the model's dtype and of the
shape named is refused, with what was expected and received.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from vaelib import _guard
from vaelib._stable import cholesky
from vaelib.distributions import LOG_2PI, multivariate_normal_kl


class PCA(NamedTuple):
    """Principal components of N points: `mean` (D,), `components` (D, L) with orthonormal columns, and all
    `eigenvalues` (D,) of the covariance, largest first and never negative, in squared units of the data."""

    mean: Tensor
    components: Tensor
    eigenvalues: Tensor

    def encode(self, x: Tensor) -> Tensor:
        """Coordinates (..., L) of x (..., D) along the components, measured from the mean."""
        self._checked(x=(x, "(..., D)"))
        return (x - self.mean) @ self.components

    def decode(self, z: Tensor) -> Tensor:
        """The point (..., D) of the principal subspace that has coordinates z (..., L)."""
        self._checked(z=(z, "(..., L)"))
        return z @ self.components.T + self.mean

    def _checked(self, **arguments: tuple[Tensor, str]) -> None:
        _guard.floats(mean=(self.mean, "(D)"), components=(self.components, "(D, L)"), **arguments)


def covariance(x: Tensor) -> Tensor:
    """1/N times the sum of (x - mean)(x - mean)^T, the covariance as a mean over the points.

    Args:
        x: points, (N, D).

    Returns:
        (D, D). `numpy.cov` divides by N - 1 instead; the loss of an autoencoder is a mean over N.

    Raises:
        TypeError: x is not a floating tensor.
        ValueError: x is not (N, D), or empty.

    Book: chapter 2.
    """
    _guard.floats(x=(x, "(N, D)"))
    _guard.nonempty(x=x)
    (x,) = _guard.lift(x)
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
        TypeError: x is not a floating tensor, or latent_dim no whole number.
        ValueError: x is not (N, D), empty or not finite, or latent_dim outside 1..D.

    Source: Bishop (2006), section 12.1.
    Book: chapter 2.
    """
    cov = covariance(x)
    _guard.readable(x=x)
    _guard.finite(x=x)
    _guard.counts(1, len(cov), latent_dim=latent_dim)
    eigenvalues, eigenvectors = torch.linalg.eigh(cov)  # ascending; a variance of zero may be rounded below it
    return PCA(_guard.lift(x)[0].mean(0), eigenvectors.flip(1)[:, :latent_dim], eigenvalues.flip(0).clamp(min=0))


class LinearGaussian(NamedTuple):
    """z ~ N(0, I_L), x | z ~ N(W z + b, sigma^2 I_D), with W (D, L), b (D,) and sigma > 0, a standard deviation."""

    W: Tensor
    b: Tensor
    sigma: float

    def sample(self, n: int, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """n pairs (x (n, D), z (n, L)), n >= 0: first z from the prior, then x given z."""
        W, b = self._checked()
        _guard.counts(0, n=n)
        _guard.noise(generator, W.device)
        z, noise = (torch.randn(n, size, generator=generator, dtype=W.dtype, device=W.device) for size in W.T.shape)
        return z @ W.T + b + self.sigma * noise, z

    def log_prob(self, x: Tensor) -> Tensor:
        """log p(x), exactly: x ~ N(b, W W^T + sigma^2 I).

        Args:
            x: points, (..., D).

        Returns:
            (...), nats.

        Source: Tipping & Bishop (1999), eq. 4. Book: chapter 3.
        """
        W, b, x = self._checked(x=(x, "(..., D)"))
        R = self._root(W.T)[1]  # of W W^T + sigma^2 I
        white = torch.linalg.solve_triangular(R, (x - b).reshape(-1, len(W)), upper=True, left=False)  # (rows, D)
        squares = white.square().sum(-1).reshape(x.shape[:-1])
        return -0.5 * (len(W) * LOG_2PI + 2 * R.diagonal().abs().log().sum() + squares)

    def posterior(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """p(z|x), exactly: N(M^-1 W^T (x - b), sigma^2 M^-1) with M = W^T W + sigma^2 I.

        Args:
            x: points, (..., D).

        Returns:
            Means (..., L), and the covariance (L, L): the same for every x, and exactly symmetric.

        Source: Tipping & Bishop (1999), eq. 6. Book: chapter 3.
        """
        W, b, x = self._checked(x=(x, "(..., D)"))
        Q, R = self._root(W)
        gain = torch.linalg.solve_triangular(R.T, Q, upper=False, left=False)  # W M^-1, (D, L), since W = Q R
        return (x - b) @ gain, self.sigma**2 * torch.cholesky_inverse(R, upper=True)

    def expected_log_likelihood(self, x: Tensor, mu: Tensor, cov: Tensor) -> Tensor:
        """E_q[log p(x|z)] for q = N(mu, cov), exactly.

        Args:
            x: points, (..., D).
            mu: means of q, (..., L).
            cov: covariance of q, (L, L).

        Returns:
            (...), nats. The spread of q costs trace(W cov W^T) / (2 sigma^2).

        Book: chapter 3.
        """
        W, b, x, mu, cov = self._checked(x=(x, "(..., D)"), mu=(mu, "(..., L)"), cov=(cov, "(L, L)"))
        error = (x - mu @ W.T - b).square().sum(-1)  # (...)
        spread = torch.trace(W @ cov @ W.T)
        return -0.5 * (len(W) * (LOG_2PI + 2 * math.log(self.sigma)) + (error + spread) / self.sigma**2)

    def elbo(self, x: Tensor, mu: Tensor, cov: Tensor) -> Tensor:
        """E_q[log p(x|z)] - KL(q || prior) for q = N(mu, cov), exactly.

        Args and Returns: as `expected_log_likelihood`. Book: chapter 3.
        """
        reconstruction = self.expected_log_likelihood(x, mu, cov)
        origin, identity = torch.zeros_like(mu), torch.eye(len(cov), dtype=cov.dtype, device=cov.device)
        return reconstruction - multivariate_normal_kl(mu, cov, origin, identity)

    def gap(self, x: Tensor, mu: Tensor, cov: Tensor) -> Tensor:
        """log p(x) - ELBO = KL(q || posterior) for q = N(mu, cov), exactly; never negative.

        Args and Returns: as `expected_log_likelihood`. Book: chapter 3.
        """
        self._checked(x=(x, "(..., D)"), mu=(mu, "(..., L)"), cov=(cov, "(L, L)"))
        return multivariate_normal_kl(mu, cov, *self.posterior(x))

    def _root(self, A: Tensor) -> tuple[Tensor, Tensor]:
        """Q and R with R^T R = A^T A + sigma^2 I and Q R = A, from A itself: its square has lost half the digits."""
        eye = torch.eye(A.shape[1], dtype=A.dtype, device=A.device)
        Q, R = torch.linalg.qr(torch.cat([A, self.sigma * eye]))
        return Q[: len(A)], R

    def _checked(self, **arguments: tuple[Tensor, str]) -> list[Tensor]:
        """W, b and the arguments, which fit each other; sigma is a number above 0, and cov a covariance."""
        _guard.numbers(0, sigma=self.sigma)
        named = {"W": (self.W, "(D, L)"), "b": (self.b, "(D)")} | arguments
        _guard.floats(**named)
        _guard.finite(W=self.W, b=self.b)
        lifted = _guard.lift(*(tensor for tensor, _ in named.values()))
        if "cov" in named:
            cholesky("cov", lifted[-1])
        return lifted


def fit_ppca(x: Tensor, latent_dim: int) -> LinearGaussian:
    """The linear-Gaussian model of largest likelihood: W = U (Lambda - sigma^2 I)^(1/2), sigma^2 = mean discarded.

    Args:
        x: points, (N, D).
        latent_dim: L, 1 to D - 1.

    Returns:
        A `LinearGaussian`; W is unique up to a rotation of the latent space.

    Raises:
        TypeError: as `pca`.
        ValueError: as `pca`, or nothing but rounding is discarded, so that sigma would be zero: latent_dim is D, or
            the points lie in a subspace of that many dimensions.

    Source: Tipping & Bishop (1999), eq. 7 and 8.
    Book: chapter 3.
    """
    found = pca(x, latent_dim)
    discarded = found.eigenvalues[latent_dim:]
    eps = torch.finfo(discarded.dtype).eps
    rounding = len(found.mean) * eps * (found.eigenvalues[0] + eps * x.abs().max().to(discarded.dtype).square())
    if not discarded.sum() > len(discarded) * rounding:  # nothing is left over, or only noise of the arithmetic
        raise ValueError(f"latent_dim must leave variance to discard; got {latent_dim} for D = {x.shape[1]}")
    kept = (found.eigenvalues[:latent_dim] - discarded.mean()).clamp(min=0)
    return LinearGaussian(found.components * kept.sqrt(), found.mean, float(discarded.detach().mean().sqrt()))
