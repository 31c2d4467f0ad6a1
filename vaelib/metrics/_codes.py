"""What the codes of a model tell: how much, and whether the decoder listens."""

import math
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import torch
from torch import Tensor, nn

from vaelib import _guard
from vaelib._aside import eval_mode
from vaelib.distributions import reparameterize
from vaelib.models import VAEModel
from vaelib.objectives import LogLikelihood, _check, _encoded, _log_likelihood


@torch.no_grad()
def code_information(
    model: VAEModel,
    x: Tensor,
    log_likelihood: LogLikelihood,
    num_codes: int = 256,
    generator: torch.Generator | None = None,
) -> Tensor:
    """log p(x|z) - log of the mean of p(x|z_j), over z of x's own q and codes of other examples: what z tells of x.

    The average is an estimate of the information that the decoder takes from the code: zero where the decoder does not
    listen, whatever the KL says, and never above log(num_codes), since the own code is among those averaged.

    Args:
        model, x, log_likelihood: as `elbo_terms`; the model is looked at in eval().
        num_codes: J, the own code and J - 1 of examples drawn from x, the same for all; 256 or more for a number to
            report.
        generator: source of the noise; the global one by default.

    Returns:
        (B,), nats.

    Raises:
        TypeError, ValueError: num_codes is no whole number of at least 2; otherwise as `elbo_terms`, or a value is NaN.

    Source: Alemi et al. (2018), section 2. Book: chapter 12.
    """
    _guard.counts(2, num_codes=num_codes)
    _check(model, x, log_likelihood, generator, None)
    with _looked_at(model):
        z = _codes(model, x, generator)  # (B, L)
        chosen = torch.randint(len(z), (num_codes - 1,), generator=generator, device=z.device)
        others = z[chosen]  # (J - 1, L)
        own = _sound(_log_likelihood(model, x, z, log_likelihood))
        total = own
        for part in others.split(max(1, 4000 // len(x))):
            each = part.unsqueeze(1).expand(-1, len(x), -1)  # (j, B, L)
            total = torch.logaddexp(total, _sound(_log_likelihood(model, x, each, log_likelihood)).logsumexp(0))
    return own - (total - math.log(num_codes))


@torch.no_grad()
def shuffled_gap(
    model: VAEModel, x: Tensor, log_likelihood: LogLikelihood, generator: torch.Generator | None = None
) -> Tensor:
    """log p(x|z) with the code of x less log p(x|z') with the code of another example: an alarm, no amount.

    Each example gets the code of the next one in a random order, never its own. Near zero the decoder does not listen.
    Far above it it does, but how far says little: a wrong code can cost much more than the right one told.

    Args:
        model, x, log_likelihood, generator: as `code_information`; at least two examples.

    Returns:
        (B,), nats.

    Raises:
        TypeError, ValueError: as `code_information`; or there is only one example.

    Book: chapter 12.
    """
    _check(model, x, log_likelihood, generator, None)
    if len(x) < 2:
        raise ValueError(f"x must hold at least two examples; got {tuple(x.shape)}")
    with _looked_at(model):
        z = _codes(model, x, generator)
        order = torch.randperm(len(z), generator=generator, device=z.device)
        swapped = torch.empty_like(z)
        swapped[order] = z[order.roll(1)]
        own, other = (_sound(_log_likelihood(model, x, codes, log_likelihood)) for codes in (z, swapped))
    return own - other


@contextmanager
def _looked_at(model) -> Iterator[None]:
    with eval_mode(model) if isinstance(model, nn.Module) else nullcontext():
        yield


def _codes(model: VAEModel, x: Tensor, generator: torch.Generator | None) -> Tensor:
    _guard.finite(x=x)
    mu, logvar = _encoded(model.encode(x), x)
    _guard.finite(mu=mu, logvar=logvar)
    return reparameterize(mu, logvar, generator)


def _sound(values: Tensor) -> Tensor:
    """A NaN is no silence."""
    if not _guard.holds(values.isfinite().all()):
        raise ValueError(f"log_likelihood must be finite; got {values[~values.isfinite()][0].item()}")
    return values
