"""Two hands on the KL that keep a code from falling silent, each one line of your own loss; and stored runs."""

from typing import NamedTuple

import torch
from torch import Tensor

from vaelib import _guard, _stored


def free_bits(kl_per_dim: Tensor, floor: float) -> Tensor:
    """sum over dimensions of max(floor, mean KL of the dimension): below the floor a dimension pays a flat fee.

    A flat fee has no gradient, so nothing pushes a dimension below the floor. Use it in the place of the KL:
    `loss = -terms.log_likelihood.mean() + free_bits(terms.kl_per_dim, 0.25)`.

    Args:
        kl_per_dim: KL by example and latent dimension, (B, L), as in `ElboTerms`; nats.
        floor: nats for each dimension, above 0.

    Returns:
        (), nats per example, at least L * floor. It is no KL: report the KL beside it.

    Raises:
        TypeError: kl_per_dim is no floating tensor, or floor no number.
        ValueError: kl_per_dim is not (B, L), empty or not finite; floor is not above 0.

    Source: Kingma et al. (2016), eq. 15. Book: chapter 12.
    """
    _guard.floats(kl_per_dim=(kl_per_dim, "(B, L)"))
    _guard.nonempty(kl_per_dim=kl_per_dim)
    _guard.finite(kl_per_dim=kl_per_dim)
    _guard.numbers(0, floor=floor)
    return _guard.lift(kl_per_dim)[0].mean(0).clamp(min=floor).sum()


def warm_up(step: int, steps: int) -> float:
    """min(1, step / steps): a weight for the KL that rises from 0 to 1 and stays there.

    `loss = -terms.log_likelihood.mean() + warm_up(step, 500) * terms.kl.mean()`. Below 1 the sum bounds nothing.

    Args:
        step: steps taken so far, at least 0.
        steps: how many the rise takes, at least 1.

    Returns:
        A float from 0 to 1.

    Raises:
        TypeError, ValueError: no whole numbers, or out of range.

    Source: Bowman et al. (2016), section 3.1. Book: chapter 12.
    """
    _guard.counts(0, step=step)
    _guard.counts(1, steps=steps)
    return min(1.0, step / steps)


class StoredCollapse(NamedTuple):
    """What `python -m benchmarks phase` measured.

    Attributes:
        date: when.
        levels: beta sigma^2 of VAEs on grey MNIST, (T,), ascending.
        latent_dims: numbers in their codes, (K,), int64.
        active: how many of them are in use on test pictures, (T, K, S), int64; S seeds.
        rate: KL(q(z|x) || p(z)) on test pictures, (T, K, S), nats.
        worlds: length and strength of the topics of `sequences.make_topics`, (N, 2).
        cures: by name, (N, S, 7): minus ELBO and KL (nats), units in use, information and loss with shuffled codes less
            that with the own (nats), share of drawn codes that lie nearest to the mean of the codes of their own topic,
            seconds of training on one core.
        recurrent: by name, (S, 4): minus ELBO, KL, information and shuffled (as in `cures`) of sentence VAEs, a GRU to
            read and one to write, on fewer of the same sequences; `benchmarks/recurrent.py` says how each is trained.
    """

    date: str
    levels: Tensor
    latent_dims: Tensor
    active: Tensor
    rate: Tensor
    worlds: Tensor
    cures: dict[str, Tensor]
    recurrent: dict[str, Tensor]


def stored_collapse() -> StoredCollapse:
    """The runs that come with the library, float64. Book: chapter 12."""
    kept = _stored.arrays("collapse")
    active, rate = torch.from_numpy(kept["phase"]).unbind(-1)
    cures = dict(zip(kept["names"].tolist(), torch.from_numpy(kept["cures"]), strict=True))
    return StoredCollapse(
        str(kept["date"]),
        torch.from_numpy(kept["levels"]),
        torch.from_numpy(kept["latent_dims"]),
        active.long(),
        rate,
        torch.from_numpy(kept["worlds"]),
        cures,
        dict(zip(kept["ways"].tolist(), torch.from_numpy(kept["gru"]), strict=True)),
    )
