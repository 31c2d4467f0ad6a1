"""How good inventions are, in features of a network: like real ones (fidelity), and of every kind (coverage)."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from vaelib import _guard
from vaelib.models import _mlp

ROWS = 500  # of a table of distances in memory at a time


class SampleQuality(NamedTuple):
    """Invented examples beside real ones, each number a share but `density`, which may pass 1.

    Attributes:
        precision: inventions that lie within reach of some real example.
        recall: real examples that lie within reach of some invention. It also counts what is far from every other
            invention, whose reach is wide: prefer `coverage`.
        density: how many real examples reach an invention, over k: 1 on average where both have one distribution.
        coverage: real examples with an invention within their own reach.
    """

    precision: float
    recall: float
    density: float
    coverage: float


def sample_quality(real: Tensor, made: Tensor, k: int = 5) -> SampleQuality:
    """Precision, recall, density and coverage: the reach of an example is its distance to its k-th neighbour.

    All four depend on k and on the numbers of examples: state both, and compare only what has the same.

    Args:
        real: features of real examples, (N, F).
        made: features of inventions, (M, F).
        k: which neighbour of its own kind sets the reach of an example, below N and M.

    Returns:
        `SampleQuality`.

    Raises:
        TypeError: what is no floating tensor.
        ValueError: other shapes, a feature that is NaN or infinite, or too few examples for k.

    Source: Kynkäänniemi et al. (2019), eq. 2 and 3; Naeem et al. (2020), eq. 3 and 4.
    Book: chapter 9.
    """
    _check_features(real=real, made=made)
    _guard.counts(1, min(len(real), len(made)) - 1, k=k)
    real, made = _guard.lift(real, made)
    reach_real, reach_made = _reach(real, k), _reach(made, k)
    reached = torch.zeros(len(real), dtype=torch.bool, device=real.device)  # by an invention's reach
    covered, hits = torch.zeros_like(reached), []
    for part, wide in zip(made.split(ROWS), reach_made.split(ROWS), strict=True):
        far = _distances(part, real)  # (m, N)
        hits.append((far <= reach_real).sum(1))
        covered |= (far <= reach_real).any(0)
        reached |= (far <= wide[:, None]).any(0)
    hits = torch.cat(hits).double()
    numbers = ((hits > 0).double().mean(), reached.double().mean(), hits.mean() / k, covered.double().mean())
    return SampleQuality(*map(float, numbers))


@torch.no_grad()
def frechet_distance(real: Tensor, made: Tensor) -> float:
    """Squared distance of means plus trace(A + B - 2 (A B)^(1/2)) of covariances: two Gaussians fitted and compared.

    Args:
        real: features of real examples, (N, F).
        made: features of inventions, (M, F).

    Returns:
        In squared units of the features, 0 for two sets with the same mean and covariance; computed in float64 and
        never negative. It shrinks as N and M grow: compare only what has the same.

    Raises:
        ValueError: other shapes, a feature that is NaN or infinite, or a single example.

    Source: Heusel et al. (2017), eq. 6; Dowson & Landau (1982). Book: chapter 9.
    """
    _check_features(real=real, made=made)
    real, made = real.double(), made.double()
    root = _matrix_root(real.T.cov())
    middle = torch.linalg.eigvalsh(root @ made.T.cov() @ root).clamp(min=0).sqrt().sum()
    spread = real.var(0).sum() + made.var(0).sum() - 2 * middle
    return float(((real.mean(0) - made.mean(0)).square().sum() + spread).clamp(min=0))


def nearest(made: Tensor, real: Tensor) -> tuple[Tensor, Tensor]:
    """For each row of `made`, how far the nearest row of `real` is, and which one it is.

    Args:
        made: features, (M, F).
        real: features, (N, F).

    Returns:
        Distances (M,) in the units of the features, exactly 0 for a copy; indices into `real`, (M,).

    Raises:
        ValueError: other shapes, or a feature that is NaN or infinite.

    Book: chapter 1, "A score that a blank page cannot win".
    """
    _check_features(made=made, real=real)
    made, real = _guard.lift(made, real)
    found = [_distances(part, real).min(1) for part in made.split(ROWS)]
    return torch.cat([f.values for f in found]), torch.cat([f.indices for f in found])


def classifier_features(
    x: Tensor, labels: Tensor, hidden_dims: Sequence[int] = (256, 64), steps: int = 500, batch_size: int = 64
) -> nn.Sequential:
    """A small classifier, trained to tell the labels apart, up to its last hidden layer.

    Args:
        x: examples, (N, D).
        labels: their classes, (N,) int64, from 0.
        hidden_dims: widths; the last one is the number of features.
        steps: of Adam, on random batches from the global generator.
        batch_size: examples a step.

    Returns:
        A network from (B, D) to the features (B, hidden_dims[-1]), frozen, of the type and on the device of x.

    Raises:
        TypeError: x is no floating tensor, labels are not int64 from 0, a number is no whole number.
        ValueError: x is empty or not finite, there is not one label for every example, or a number is below 1.

    Book: chapter 1, "A score that a blank page cannot win".
    """
    _guard.floats(x=(x, "(N, D)"))
    _guard.readable(x=x)
    _guard.nonempty(x=x)
    _guard.finite(x=x)
    _guard.dense("labels", labels)
    if labels.shape != x.shape[:1]:
        raise ValueError(f"labels must have shape ({len(x)},), one for each example; got {tuple(labels.shape)}")
    if labels.dtype != torch.int64 or labels.device.type == "meta" or labels.min() < 0:
        raise TypeError(f"labels must be int64 from 0; got {labels.dtype}")
    _guard.counts(1, steps=steps, batch_size=batch_size)
    _guard.widths(hidden_dims=hidden_dims)
    (x,) = _guard.lift(x)
    classifier = _mlp([x.shape[1], *hidden_dims, int(labels.max()) + 1], torch.float32, "cpu").to(x)
    adam = torch.optim.Adam(classifier.parameters(), lr=1e-3)
    for _ in range(steps):
        rows = torch.randint(len(x), (batch_size,), device=x.device)
        loss = cross_entropy(classifier(x[rows]), labels[rows])
        adam.zero_grad()
        loss.backward()
        adam.step()
    return classifier[:-1].requires_grad_(False)


def _check_features(**named: Tensor) -> None:
    """Two finite matrices with the same columns."""
    (first, a), (second, b) = named.items()
    _guard.floats(**{first: (a, "(N, F)"), second: (b, "(M, F)")})
    _guard.readable(**named)
    _guard.nonempty(**named)
    for name, value in named.items():
        if len(value) < 2:
            raise ValueError(f"{name} must hold at least 2 examples; got {len(value)}")
    _guard.finite(**named)


def _distances(a: Tensor, b: Tensor) -> Tensor:
    """(len(a), len(b)); by differences: with matrix products a copy would lie at 0.001 instead of 0."""
    return torch.cdist(a, b, compute_mode="donot_use_mm_for_euclid_dist")


def _reach(x: Tensor, k: int) -> Tensor:
    """The distance of every row to its k-th nearest other row."""
    return torch.cat([_distances(part, x).kthvalue(k + 1, dim=1).values for part in x.split(ROWS)])  # + itself


def _matrix_root(cov: Tensor) -> Tensor:
    values, vectors = torch.linalg.eigh(cov)
    return vectors * values.clamp(min=0).sqrt() @ vectors.T
