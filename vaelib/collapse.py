"""Two hands on the KL that keep a code from falling silent, each one line of your own loss."""

from torch import Tensor

from vaelib import _guard


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
