"""KL(q(z) || r(z)), in nats: how badly a prior r fits the crowd of all codes, of which there are only draws.

Both estimates here look at codes of held-out pictures. The first needs a density fitted to other codes, and falls
short of the truth by what that density misses. The second trains a classifier to tell codes from draws of the prior,
whose logit is log q - log r. With the fitted density as its prior, the second shows some of what the first misses.

`clouds_log_prob`, the obvious estimate, is here because it fails: N clouds are not the crowd.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from vaelib import _guard
from vaelib.distributions import normal_log_prob
from vaelib.models import _mlp
from vaelib.objectives import Prior, _one_each
from vaelib.train import fit


class Misfit(NamedTuple):
    """An estimate of KL(q || r) in nats and its standard error over the held-out codes, both ()."""

    value: Tensor
    stderr: Tensor


@torch.no_grad()
def misfit_by_density(z: Tensor, crowd: Prior, prior: Prior) -> Misfit:
    """The mean of log q-hat(z) - log r(z) over held-out codes: KL(q || r) - KL(q || q-hat), a bound from below.

    Args:
        z: codes of pictures that q-hat was not fitted to, (N, L), N at least 2; draws of q(z|x), one a picture.
        crowd: q-hat, anything with `log_prob`, such as a `MixturePrior` trained on other codes.
        prior: r, anything with `log_prob`.

    Returns:
        `Misfit`, nats. On average never above the truth.

    Raises:
        TypeError, ValueError: z is not (N, L) with N at least 2; crowd or prior has no `log_prob` that returns (N,).

    Source: the identity is one line; Hoffman & Johnson (2016) for what the number means. Book: chapter 9.
    """
    _guard.methods("log_prob", crowd=crowd, prior=prior)
    _two_codes(z)
    shape, hint = z.shape[:1], "sum over the latent dimension"
    q, r = (_one_each(f"{n}.log_prob", p.log_prob(z), shape, hint) for n, p in (("crowd", crowd), ("prior", prior)))
    return _mean(q - r)


def misfit_by_classifier(
    z: Tensor, codes: Tensor, prior: nn.Module, epochs: int = 20, hidden_dims=(256, 256), batch_size: int = 500
) -> Misfit:
    """The mean over held-out codes of a classifier's logit between codes and draws of r: no density is fitted.

    The classifier that tells them apart best has the logit log q - log r. A trained one falls short in many dimensions,
    where the codes are too few to learn the crowd's shape from. Unlike `misfit_by_density` it is no bound.

    Args:
        z: held-out codes, (N, L), N at least 2.
        codes: the codes that the classifier learns from, (M, L).
        prior: r, anything with `sample(n)`; fresh draws for every batch.
        epochs, batch_size: of the training, by `fit` with a one-cycle learning rate.
        hidden_dims: widths of the classifier, which also sees the squares of z.

    Returns:
        `Misfit`, nats. It needs crowd and prior to overlap: with five nats between them they hardly do.

    Raises:
        TypeError, ValueError: z, codes and what the prior draws are not rows of one L and type, finite; a number is no
            whole number of at least 1; the prior has no `sample`.

    Source: Sugiyama et al. (2012), chapter 4. Book: chapter 9.
    """
    _guard.methods("sample", prior=prior)
    _guard.floats(z=(z, "(N, L)"), codes=(codes, "(M, L)"))
    _two_codes(z)
    _guard.counts(1, epochs=epochs)
    _guard.widths(hidden_dims=hidden_dims)
    _guard.counts(1, max(len(codes), 1), batch_size=batch_size)
    _guard.readable(z=z, codes=codes)
    _guard.nonempty(codes=codes)
    _guard.finite(codes=codes)
    _guard.floats(codes=(codes, "(M, L)"), prior=(_draws(prior, 1), "(n, L)"))
    ratio = _Ratio(z.shape[1], hidden_dims).to(z)
    adam = torch.optim.AdamW(ratio.parameters(), lr=3e-3, weight_decay=1e-2)
    cycle = torch.optim.lr_scheduler.OneCycleLR(adam, 3e-3, total_steps=epochs * (len(codes) // batch_size))
    loss = lambda t, batch: softplus(-t(batch)).mean() + softplus(t(_draws(prior, len(batch)))).mean()  # noqa: E731
    options = {"optimizer": adam, "scheduler": cycle, "device": z.device}
    if fit(ratio, loss, codes, epochs=epochs, batch_size=batch_size, **options).interrupted:
        raise KeyboardInterrupt  # a classifier that is half trained tells nothing
    with torch.no_grad():
        return _mean(ratio(z))


@torch.no_grad()
def clouds_log_prob(z: Tensor, mu: Tensor, logvar: Tensor, without_own: bool = False, chunk: int = 50) -> Tensor:
    """log of the mean of N clouds q(z|x_j) at z_i ~ q(z|x_i): no estimate of log q(z), in many dimensions.

    With the own cloud it is never below log q(z_i|x_i) - log N, so the misfit comes out too large; without it, too
    small, since the neighbours' clouds hardly ever reach.

    Args:
        z: one draw from each cloud, (N, L).
        mu, logvar: of the clouds, (N, L).
        without_own: leave cloud i out at z_i.
        chunk: codes at a time.

    Returns:
        (N,), nats.

    Raises:
        TypeError, ValueError: z, mu and logvar are not (N, L) of one type, with N at least 2, or not finite; chunk is
            no whole number of at least 1.

    Book: chapter 9.
    """
    _guard.floats(z=(z, "(N, L)"), mu=(mu, "(N, L)"), logvar=(logvar, "(N, L)"))
    _guard.flags(without_own=without_own)
    _guard.counts(1, chunk=chunk)
    _two_codes(z)
    _guard.finite(z=z, mu=mu, logvar=logvar)  # among many clouds, one that is nowhere would not be noticed
    rows = []
    for i in torch.arange(len(z), device=z.device).split(chunk):
        beside = normal_log_prob(z[i].unsqueeze(1), mu, logvar)  # (chunk, N)
        if without_own:
            beside[torch.arange(len(i), device=z.device), i] = -math.inf
        rows.append(beside.logsumexp(1))
    return torch.cat(rows) - math.log(len(z) - without_own)


def _two_codes(z: Tensor) -> None:
    _guard.floats(z=(z, "(N, L)"))
    if len(z) < 2:
        raise ValueError(f"z must hold at least 2 codes, (N, L); got {tuple(z.shape)}")


class _Ratio(nn.Module):
    def __init__(self, latent_dim, hidden_dims):
        super().__init__()
        self.network = _mlp([2 * latent_dim, *hidden_dims, 1], torch.float32, "cpu")

    def forward(self, z):
        return self.network(torch.cat([z, z.square()], -1)).squeeze(-1)


@torch.no_grad()
def _draws(prior, n):
    return prior.sample(n)


def _mean(values: Tensor) -> Misfit:
    return Misfit(values.mean(), values.std() / len(values) ** 0.5)
