"""Rate and distortion along beta: exact for a linear VAE, and the stored points of trained ones."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from vaelib import _guard, _stored
from vaelib.distributions import LOG_2PI


class RateDistortion(NamedTuple):
    """Where a linear VAE ends: means per example, one entry for each beta.

    Attributes:
        rate: KL(q(z|x) || p(z)), nats.
        distortion: -E_q[log p(x|z)], nats, constants included.
        squared_error: E_q of the summed squared error, in squared units of the data.
        kept: how many directions the code holds, int64.
    """

    rate: Tensor
    distortion: Tensor
    squared_error: Tensor
    kept: Tensor


def reverse_waterfilling(
    eigenvalues: Tensor, beta: Tensor | float, sigma: float = 1.0, latent_dim: int | None = None
) -> RateDistortion:
    """Directions with lambda_i > beta sigma^2 are kept, at log(lambda_i / (beta sigma^2)) / 2 nats each.

    The optimum of -E_q[log p(x|z)] + beta KL over linear decoders N(W z + b, sigma^2 I) and Gaussian encoders. A kept
    direction is left with an error of beta sigma^2, the water level; a dropped one with its whole variance.

    Args:
        eigenvalues: of the data's covariance, (D,), at least 0 but for rounding, in any order.
        beta: > 0; a number or a tensor (...).
        sigma: standard deviation of p(x|z), > 0.
        latent_dim: the most directions that the code can hold; all of them by default.

    Returns:
        `RateDistortion`, with the shape of beta.

    Raises:
        TypeError: eigenvalues or beta are no floating tensors or numbers.
        ValueError: beta or sigma not positive, an eigenvalue below 0 or not finite, or latent_dim outside 1..D.

    Source: Cover & Thomas (2006), section 10.3.3; Lucas et al. (2019) for beta = 1. Book: chapter 10.
    """
    size = _guard.floats(eigenvalues=(eigenvalues, "(D,)"))["D"]
    _guard.nonempty(eigenvalues=eigenvalues)
    _guard.finite(eigenvalues=eigenvalues)
    _guard.numbers(0, sigma=sigma)
    _guard.counts(1, size, latent_dim=size if latent_dim is None else latent_dim)
    (eigenvalues,) = _guard.lift(eigenvalues)
    level = _level(beta, sigma, eigenvalues)  # (..., 1)
    rounding = size * torch.finfo(eigenvalues.dtype).eps * eigenvalues.max()
    if not _guard.holds((eigenvalues >= -rounding).all()):
        raise ValueError(f"eigenvalues must be at least 0; got {eigenvalues.min().item()}")
    ordered = eigenvalues.clamp(min=0).sort(descending=True).values
    room = torch.arange(size, device=eigenvalues.device) < (latent_dim or size)
    kept = (ordered > level) & room  # (..., D)
    rate = torch.where(kept, (ordered / level).log() / 2, 0).sum(-1)
    squared_error = torch.where(kept, level, ordered).sum(-1)
    constant = 0.5 * size * (LOG_2PI + 2 * np.log(sigma))
    return RateDistortion(rate, constant + squared_error / (2 * sigma**2), squared_error, kept.sum(-1))


def _level(beta: Tensor | float, sigma: float, like: Tensor) -> Tensor:
    """beta sigma^2, (..., 1), in the dtype of `like`, where it has to be a positive, finite number as well."""
    if isinstance(beta, Tensor):
        _guard.floats(beta=(beta, "(...)"))
        _guard.readable(beta=beta)
    else:
        _guard.numbers(0, beta=beta)
        beta = torch.tensor(beta, dtype=torch.float64, device="cpu")
    level = beta.to(like).unsqueeze(-1) * (sigma * sigma)
    if not _guard.holds(((beta > 0) & beta.isfinite()).all()):
        raise ValueError(f"beta must be positive and finite everywhere; got {beta.min().item()} to {beta.max().item()}")
    if not _guard.holds(((level > 0) & level.isfinite()).all()):
        raise ValueError(f"beta and sigma^2 must have a product in {like.dtype}; got {sigma}^2 times {beta.tolist()}")
    return level


class StoredFrontier(NamedTuple):
    """Twelve betas, three seeds each: VAEs with sigma = 1 trained on grey MNIST by `python -m benchmarks frontier`.

    Attributes:
        date: when they were trained.
        betas: (T,), ascending.
        rate, distortion: on test pictures, (T, S), nats; the distortion without its constant (D / 2) log 2 pi.
        train_rate, train_distortion: the same on training pictures.
        eigenvalues: of the covariance of the training pictures, (D,), descending.
        digits: the six test digits, (6, 28, 28), in [0, 1].
        reconstructions: of them at the mean code, by the models of the first seed, (T, 6, 28, 28).
    """

    date: str
    betas: Tensor
    rate: Tensor
    distortion: Tensor
    train_rate: Tensor
    train_distortion: Tensor
    eigenvalues: Tensor
    digits: Tensor
    reconstructions: Tensor


def stored_frontier() -> StoredFrontier:
    """The runs that come with the library, float64. Book: chapter 10."""
    kept = _stored.arrays("frontier")
    # (T S, 6), by beta, then seed: both, rate and distortion, both again on training pictures
    runs = torch.from_numpy(kept["runs"])
    betas = runs[:, 0].unique()
    parts = runs[:, 2:].T.reshape(4, len(betas), -1)
    pictures = torch.from_numpy(kept["pictures"]).double().reshape(1 + len(betas), -1, 28, 28) / 255
    eigenvalues = torch.from_numpy(kept["eigenvalues"]).double()
    rate, distortion, train_rate, train_distortion = parts
    return StoredFrontier(
        str(kept["date"]), betas, rate, distortion, train_rate, train_distortion, eigenvalues, pictures[0], pictures[1:]
    )
