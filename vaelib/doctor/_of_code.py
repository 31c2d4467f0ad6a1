"""Findings about the code: silent, unread, far from the prior, learned by heart."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from vaelib.doctor._report import Finding
from vaelib.doctor._spread import kl_each
from vaelib.doctor._ward import NotExamined, Ward
from vaelib.misfit import misfit_by_density
from vaelib.priors import GaussianPrior

SILENT = 0.01  # variance of mu: the level of Burda et al.
IDLE = 0.05  # nats: an encoder that learns and has nothing to say pays less


def of_code(ward: Ward) -> Iterator[Finding]:
    """Collapse, a code that the decoder does not read, the crowd's misfit."""
    mu, second = ward.codes
    total, alive = ward.kl(mu, ward.std(second)).mean().item(), int((mu.var(0) > SILENT).sum())
    ward.numbers |= {"KL": total, "active units (a number)": alive}
    if ward.prior is None:
        by_unit = kl_each(mu, ward.std(second)).mean(0)
        ward.curves["KL by unit"] = by_unit.sort(descending=True).values.tolist()
    if ward.decode is None:
        return
    ward.must_measure()
    read = _read_by_decoder(ward)
    ward.numbers["nats lost with the code of another picture"] = read
    silent = alive == 0 or total < 0.3
    if silent and (idle := _idle(ward, mu, second)) > max(IDLE, total / 2):
        yield Finding(
            "encoder that does not learn", "every picture has the same cloud, and not even the prior's",
            f"{idle:.3g} nats paid for a cloud that tells nothing", "0, after the first steps of a training",
            "the KL of the mean cloud of all pictures",
            "hand the encoder's weights to the optimiser; look for detach() and no_grad around it", 0.5, "likely",
        )  # fmt: skip
    elif silent:
        yield Finding(
            "posterior collapse", "the code says nothing: every picture has the same cloud",
            f"{alive} of {ward.latent_dim} units active, KL {total:.3g}", "several units, a KL of nats",
            f"variance of mu over {len(mu)} pictures, above {SILENT}; the KL",
            "lower beta (warm it up), give the Gaussian the sigma of its residual, weaken the decoder", 0.5, "certain",
        )  # fmt: skip
    elif read < 0.02 * total + 0.2:
        yield Finding(
            "code that is not read", "the encoder speaks, but the decoder draws the same for every code",
            f"{read:.3g} nats more with another picture's code", f"much more, at a KL of {total:.3g}",
            "reconstructions from the code of the next picture",
            "look for shuffled targets, a reshape in place of a transpose, a decoder that sees the picture", 1.0,
        )  # fmt: skip
    yield from _misfit(ward, mu, second, total)


def _idle(ward: Ward, mu: Tensor, second: Tensor) -> float:
    """What one cloud for all pictures costs, nats: a trained encoder that has nothing to say makes it the prior's."""
    return kl_each(mu.mean(0), ward.std(second).square().mean(0).sqrt()).sum().item() if ward.prior is None else 0.0


def _read_by_decoder(ward: Ward) -> float:
    """How much worse a picture is drawn from the next one's code, nats."""
    own, others = (ward.error(ward.x, y, ward.scale).mean() for y in (ward.rebuilt, ward.rebuilt.roll(1, 0)))
    return (others - own).item()


def _misfit(ward: Ward, mu: Tensor, second: Tensor, total: float) -> Iterator[Finding]:
    """KL(q(z) || prior) from below, by a Gaussian fitted to other codes."""
    L = mu.shape[1]
    if ward.prior is None and ward.reading is not None and ward.reading.c_mu is None:
        raise NotExamined("the KL of the loss is none to N(0, I), and no prior was handed over")
    if len(mu) < 12 * L:
        return
    z = ward.sampled(mu, second).cpu().double()
    learned = z if ward.held_out is None else ward.sampled(*ward.encoded(ward.train)).cpu().double()
    learned, z = (learned[::2], z[1::2]) if ward.held_out is None else (learned, z)
    try:
        crowd = GaussianPrior(L).double().fit(learned)
        prior: Any = SimpleNamespace(log_prob=ward.log_prior)
        found = misfit_by_density(z, crowd, prior)
    except ValueError:  # codes that do not span their space
        return
    value, spread = found.value.item(), found.stderr.item()
    ward.numbers["misfit of the crowd, at least"] = value
    if value > max(4.0, 0.3 * total) and value > 4 * spread:
        yield Finding(
            "crowd that misses its prior", "the codes are not where the prior draws: samples come from empty places",
            f"at least {value:.3g} nats", "a nat or two", "a Gaussian fitted to other codes, on held-out codes",
            f"{'raise beta to 1, or ' if _is_cheap(ward) else ''}fit a prior to the codes and draw from it", value,
            "likely",
        )  # fmt: skip


def _is_cheap(ward: Ward) -> bool:
    """Whether the loss charges less than a nat for a nat, or does not say what it charges."""
    loss = ward.reading
    return not (loss and loss.kind == "Bernoulli" and loss.c_rec and loss.c_kl and loss.c_kl / loss.c_rec > 0.9)


def best(
    ward: Ward, x: Tensor, scale: float | None = None, beta: float = 1.0, steps: int = 120
) -> tuple[Tensor, Tensor, float]:
    """Negative ELBO of each example: with the encoder's cloud, and with one searched for that example alone; and how
    much wider that is (log). A sigma^2 or a beta of the loss may take the place of the residual's and of 1."""
    scale = ward.scale if scale is None else scale
    mu, second = ward.encoded(x)
    mu, log_std = mu.detach().clone(), ward.std(second).clamp(min=1e-6).log().detach().clone()
    eps = torch.randn(8, *mu.shape).to(mu)

    def bound(mu: Tensor, log_std: Tensor, noise: Tensor) -> Tensor:
        errors = [ward.error(x, ward.decoded(mu + log_std.exp() * one), scale) for one in noise]
        return torch.stack(errors).mean(0) + beta * ward.kl(mu, log_std.exp())

    with torch.no_grad():
        first = bound(mu, log_std, eps)
    for part in (mu, log_std):
        part.requires_grad_()
    adam = torch.optim.Adam([mu, log_std], lr=0.03)
    with torch.enable_grad():
        for _ in range(steps):
            value = bound(mu, log_std, torch.randn_like(mu)[None]).sum()
            mu.grad, log_std.grad = torch.autograd.grad(value, (mu, log_std))
            adam.step()
    with torch.no_grad():
        last = bound(mu, log_std, eps)
    return first, torch.minimum(first, last), (log_std.detach().mean() - ward.std(second).log().mean()).item()
