"""Which beta a loss has: by its formula, or by its derivatives.

The loss of a VAE is c_rec times an error summed over the numbers of an example, plus c_kl times the KL summed over its
code. Means, sums and weights hide both factors, and only their ratio matters: it says of which model
-log p(x|z) + beta KL the loss is a multiple.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from vaelib import _guard
from vaelib.beta._derivatives import TOLERANCE, derivatives, weights


class Term(NamedTuple):
    """One term of a loss: what it is, the axes over which it is a mean (a sum over the others), and its weight."""

    kind: str
    mean: str
    weight: float


def squared_error(mean: str = "", weight: float = 1.0) -> Term:
    """weight times (x - y)^2, averaged over the axes `mean`, summed over the others.

    Args:
        mean: letters: B for the batch, D for all numbers of an example, or C, H, W for channels, rows, columns.
            "" is torch's reduction="sum", "BD" its reduction="mean".
        weight: what multiplies it.

    Book: chapter 10.
    """
    return Term("Gaussian", mean, weight)


def cross_entropy(mean: str = "", weight: float = 1.0) -> Term:
    """weight times -x log y - (1 - x) log(1 - y), averaged and summed as in `squared_error`."""
    return Term("Bernoulli", mean, weight)


def kl(mean: str = "", weight: float = 1.0) -> Term:
    """weight times KL(N(mu, sigma^2) || N(0, 1)) of each latent number; `mean` holds B (batch), L (latents) or both."""
    return Term("KL", mean, weight)


@dataclass(frozen=True)
class Translation:
    """A loss as a model: it has the minimisers of -log p(x|z) + beta KL, with sums over numbers and latents.

    Attributes:
        likelihood: "Gaussian" (squared error) or "Bernoulli" (cross-entropy).
        ratio: c_kl / c_rec, of the KL summed over latents to the error summed over the numbers of an example.
        batch_size: the batch size that the ratio belongs to; None where it does not matter.
        second: what the encoder's second output is, as measured; None where it was not.
    """

    likelihood: str
    ratio: float
    batch_size: int | None = None
    second: str | None = None

    @property
    def beta(self) -> float:
        """beta; for a Gaussian at sigma = 1, in the unit of the pixels."""
        return self.ratio / 2 if self.likelihood == "Gaussian" else self.ratio

    @property
    def sigma(self) -> float | None:
        """The standard deviation of p(x|z) at which beta is 1; None for a Bernoulli, which has none."""
        return math.sqrt(self.ratio / 2) if self.likelihood == "Gaussian" else None

    def survivors(self, eigenvalues: Tensor) -> Tensor:
        """Which principal directions a linear VAE keeps: lambda_i > beta sigma^2.

        Args:
            eigenvalues: of the data's covariance, (D,), in squared units of the pixels that the loss sees.

        Returns:
            (D,), bool.

        Raises:
            TypeError: eigenvalues is no floating tensor.
            ValueError: eigenvalues is not (D,) or not finite, or the loss is no squared error.

        Source: Lucas et al. (2019), for beta = 1. Book: chapter 10.
        """
        _guard.floats(eigenvalues=(eigenvalues, "(D,)"))
        _guard.readable(eigenvalues=eigenvalues)
        _guard.finite(eigenvalues=eigenvalues)  # NaN is above no level, and would look like a silent direction
        if self.likelihood != "Gaussian":
            raise ValueError(f"survivors are known for a Gaussian likelihood only; got {self.likelihood}")
        return eigenvalues > self.ratio / 2

    def __str__(self) -> str:
        sigma = f" at sigma 1, or sigma {self.sigma:.3g} at beta 1" if self.likelihood == "Gaussian" else ""
        batch = f", for batches of {self.batch_size}" if self.batch_size else ""
        return f"{self.likelihood}: beta {self.beta:.4g}{sigma}{batch}"


def translate(
    reconstruction: Term, kl: Term, shape: Sequence[int], latent_dim: int, batch_size: int | None = None
) -> Translation:
    """c_kl / c_rec from how a program writes its two terms.

    Args:
        reconstruction: from `squared_error` or `cross_entropy`.
        kl: from `kl`.
        shape: of one example, such as (784,), (28, 28) or (3, 64, 64).
        latent_dim: L.
        batch_size: needed only where one term is averaged over the batch and the other is summed.

    Returns:
        A `Translation`.

    Raises:
        TypeError: a term of another kind, or something that is no number.
        ValueError: an axis that the term does not have, a weight that makes no VAE, or a batch size that is missing.

    Source: Rybkin et al. (2021), for the Gaussian. Book: chapter 10.
    """
    for name, term, kinds in (("reconstruction", reconstruction, ("Gaussian", "Bernoulli")), ("kl", kl, ("KL",))):
        if not isinstance(term, Term) or term.kind not in kinds:
            raise TypeError(f"{name} must be a term made for it, {' or '.join(kinds)}; got {term!r:.60}")
    _check_sizes(shape, latent_dim)
    _guard.numbers(0, **{"weight of the reconstruction": reconstruction.weight})
    if kl.weight != 0:
        _guard.numbers(0, **{"weight of the KL, which the loss adds,": kl.weight})
    sizes = dict(zip("CHW"[-len(shape) :], shape, strict=True)) | {"D": math.prod(shape)}
    c_rec = reconstruction.weight / _averaged("reconstruction", reconstruction.mean, sizes)
    c_kl = kl.weight / _averaged("kl", kl.mean, {"L": latent_dim})
    if ("B" in reconstruction.mean) == ("B" in kl.mean):
        return Translation(reconstruction.kind, c_kl / c_rec)
    if batch_size is None:
        raise ValueError(
            "batch_size must be given, for one term is a mean over the batch and the other a sum, so that beta depends "
            "on it; got None"
        )
    _guard.counts(1, batch_size=batch_size)
    ratio = c_kl / c_rec * (1 / batch_size if "B" in kl.mean else batch_size)
    return Translation(reconstruction.kind, ratio, batch_size)


def measure(
    loss: Callable[[Tensor, Tensor, Tensor, Tensor], Tensor],
    shape: Sequence[int],
    latent_dim: int,
    batch_size: int = 8,
    generator: torch.Generator | None = None,
) -> Translation:
    """c_kl / c_rec from the derivatives of any loss, without reading its code.

    Args:
        loss: function of x (B, *shape), the reconstruction (B, *shape), mu (B, L) and the encoder's second output
            (B, L) that returns one number.
        shape: of one example, as the loss wants it.
        latent_dim: L.
        batch_size: of the batch that is tried, 2 or more; half of it is tried too.
        generator: source of the points, float64, at which the loss is tried.

    Returns:
        A `Translation`, with `second` found.

    Raises:
        TypeError: the loss cannot be differentiated, or returns no single number.
        ValueError: the derivatives fit no squared error or cross-entropy, or no KL to N(0, I), with a constant weight.

    A rule that acts only beyond the points tried (a KL that is free up to a nat, say) is not seen.

    Book: chapter 10.
    """
    _guard.functions(loss=loss)
    _guard.counts(2, batch_size=batch_size)
    _guard.noise(generator, torch.device("cpu"))
    _check_sizes(shape, latent_dim)
    whole, half = (
        weights(derivatives(loss, shape, latent_dim, size, generator)) for size in (batch_size, batch_size // 2)
    )
    likelihood, ratio, second = whole
    same = math.isclose(ratio, half[1], rel_tol=10 * TOLERANCE)
    return Translation(likelihood, ratio, None if same else batch_size, second)


def _check_sizes(shape: Sequence[int], latent_dim: int) -> None:
    if not isinstance(shape, Sequence) or not 1 <= len(shape) <= 3:
        raise ValueError(f"shape must be one to three sizes, such as (784,) or (3, 64, 64); got {shape!r:.60}")
    _guard.counts(1, **{f"shape[{place}]": size for place, size in enumerate(shape)}, latent_dim=latent_dim)


def _averaged(name: str, mean: str, sizes: dict[str, int]) -> int:
    """Over how many numbers of an example a term is a mean."""
    if not isinstance(mean, str):
        raise TypeError(f"mean of the {name} must be letters; got {mean!r:.60}")
    axes = mean.replace("B", "")
    if len(set(mean)) < len(mean) or not set(axes) <= set(sizes) or ("D" in axes and len(axes) > 1):
        raise ValueError(f"{name} can be a mean over B and {', '.join(sizes)}, each once; got {mean!r}")
    return math.prod(sizes[axis] for axis in axes)
