"""Estimates with units: how well, how much, how far."""

import math
from collections.abc import Callable, Sequence
from types import SimpleNamespace

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, normalize

from vaelib.models import mlp
from vaelib.objectives import log_weights


@torch.no_grad()
def log_likelihood_iw(
    model,
    x: Tensor,
    log_likelihood: Callable[[Tensor, Tensor], Tensor],
    num_samples: int,
    generator: torch.Generator | None = None,
    chunk: int | None = None,
) -> Tensor:
    """log p(x) by importance sampling with q(z|x) as proposal: log of the mean of K weights.

    Args:
        model: anything with `encode(x) -> mu, logvar` and `decode(z)`, as in `vaelib.objectives`.
        x: examples, (B, D), encoded once.
        log_likelihood: function of x and the decoder's parameters that returns one number per example, nats.
        num_samples: K, at least 1.
        generator: source of the noise; the global one by default.
        chunk: samples in memory at a time; by default the decoder sees about 600 codes at once, which is what a
            processor's cache holds, and on a GPU 100 times as many. Another chunk draws other noise from the same
            generator.

    Returns:
        (B,), nats. On average a lower bound on log p(x) that closes as 1/K.

    Raises:
        ValueError: num_samples or chunk below 1.

    Source: Burda et al. (2016), section 5; Rezende et al. (2014), appendix E. Book: chapter 3.
    """
    if chunk is None:
        chunk = max(1, (600 if x.device.type == "cpu" else 60_000) // max(1, len(x)))
    if num_samples < 1 or chunk < 1:
        raise ValueError(f"num_samples and chunk must be at least 1; got {num_samples} and {chunk}")
    q = model.encode(x)  # mu and logvar, (B, L) each
    encoded = SimpleNamespace(encode=lambda _: q, decode=model.decode)
    total = torch.full(q[0].shape[:-1], -math.inf, dtype=q[0].dtype, device=q[0].device)
    for start in range(0, num_samples, chunk):
        weights = log_weights(encoded, x, log_likelihood, min(chunk, num_samples - start), generator)  # (k, B)
        total = torch.logaddexp(total, weights.logsumexp(0))
    return total - math.log(num_samples)


def principal_angles(a: Tensor, b: Tensor) -> Tensor:
    """Angles between the subspaces spanned by the columns of a and of b, largest first.

    Args:
        a: (D, L) of full column rank.
        b: (D, M) of full column rank.

    Returns:
        (min(L, M),), degrees, from 0 (shared direction) to 90 (orthogonal). Angles below 45 degrees are taken
        from their sine: the arccosine of a number near 1 loses half the digits.

    Raises:
        ValueError: the columns live in spaces of different dimension.

    Source: Bjorck & Golub (1973), algorithm of section 3.
    Book: chapter 2.
    """
    if a.dim() != 2 or b.dim() != 2 or len(a) != len(b):
        raise ValueError(f"a and b must be (D, L) and (D, M); got {tuple(a.shape)} and {tuple(b.shape)}")
    if a.shape[1] < b.shape[1]:
        a, b = b, a  # a is the larger space, so that all of b can be projected on it
    a, b = torch.linalg.qr(a).Q, torch.linalg.qr(b).Q
    cosines = torch.linalg.svdvals(a.T @ b).flip(0)  # ascending: the largest angle first
    sines = torch.linalg.svdvals(b - a @ (a.T @ b))  # descending
    angles = torch.where(sines < 0.5**0.5, sines.clamp(0, 1).asin(), cosines.clamp(0, 1).acos())
    return angles.rad2deg()


def active_units(mu: Tensor, threshold: float = 0.01) -> Tensor:
    """Which latent dimensions say anything: those whose posterior mean varies from example to example.

    Args:
        mu: means of q(z|x) for many examples, (N, L), N at least 2.
        threshold: variance of mu over the examples above which a dimension counts as active.

    Returns:
        (L,), bool; `.sum()` is the number of active units.

    Raises:
        ValueError: mu is not (N, L) with N at least 2.

    Source: Burda et al. (2016), section 5.2. Book: chapter 6.
    """
    if mu.dim() != 2 or len(mu) < 2:
        raise ValueError(f"mu must have shape (N, L) with N at least 2; got {tuple(mu.shape)}")
    return mu.var(0) > threshold


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
        A network from (B, D) to the features (B, hidden_dims[-1]), frozen.

    Raises:
        ValueError: there is not one label for every example.

    Book: chapter 1, "A score that a blank page cannot win".
    """
    if labels.shape != x.shape[:1]:
        raise ValueError(f"labels must have shape ({len(x)},), one for each example; got {tuple(labels.shape)}")
    classifier = mlp([x.shape[1], *hidden_dims, int(labels.max()) + 1]).to(x.device)
    adam = torch.optim.Adam(classifier.parameters(), lr=1e-3)
    for _ in range(steps):
        rows = torch.randint(len(x), (batch_size,), device=x.device)
        loss = cross_entropy(classifier(x[rows]), labels[rows])
        adam.zero_grad()
        loss.backward()
        adam.step()
    return classifier[:-1].requires_grad_(False)


class HoleScore:
    """How far pictures are from real ones: 1 is as far as unseen real ones, larger is worse.

    The distance from the direction of a picture's features to the nearest direction of a real training picture,
    divided by the median of this distance over real test pictures.

    Args:
        features: function from pictures (B, D) to features (B, F), such as `classifier_features`; never pixels,
            where a blank page beats real digits.
        train: real pictures to be near to, (N, D).
        test: other real pictures, (M, D), which set the unit.

    Book: chapter 1, "A score that a blank page cannot win".
    """

    def __init__(self, features: Callable[[Tensor], Tensor], train: Tensor, test: Tensor):
        self.features = features
        self.real = self._direction(train)  # (N, F)
        self.unit = self._nearest(test).median()

    def __call__(self, x: Tensor) -> Tensor:
        """The score of each picture of x (B, D): (B,), no unit."""
        return self._nearest(x) / self.unit

    def _direction(self, x):
        return normalize(self.features(x).detach(), dim=1)

    def _nearest(self, x):
        return torch.cdist(self._direction(x), self.real).min(1).values
