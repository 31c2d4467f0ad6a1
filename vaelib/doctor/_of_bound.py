"""Findings about the bound: against a plain VAE, against log p(x), on new pictures, in both modes of the network."""

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from vaelib.distributions import LOG_2PI
from vaelib.doctor._aside import mode, untouched
from vaelib.doctor._of_code import best
from vaelib.doctor._report import Finding
from vaelib.doctor._ward import Ward

FEW, SAMPLES = 50, 200


def negative_elbo(ward: Ward, x: Tensor, y: Tensor | None = None) -> Tensor:
    """Per example, nats, with an honest draw, the whole KL and, for a Gaussian, the sigma of the residual."""
    mu, second = ward.encoded(x)
    y = ward.decoded(ward.sampled(mu, second)) if y is None else y
    return ward.error(x, y, ward.scale) + ward.kl(mu, ward.std(second))


def of_bound(ward: Ward) -> Iterator[Finding]:
    """Bound, evidence, the two parts of the gap, and what new pictures cost more."""
    ward.must_measure()
    new = negative_elbo(ward, ward.x)
    if not new.isfinite().all():
        return
    ward.numbers["negative ELBO, beta 1"] = new.mean().item()
    few = ward.x[:FEW]
    here, searched, wider = best(ward, few)
    evidence, samples = _evidence(ward, few)
    amortisation = (here - searched).mean().item()
    ward.numbers |= {
        "-log p(x), importance-sampled": evidence.mean().item(),
        "its standard error": (evidence.std() / len(few) ** 0.5).item(),
        f"effective samples of {SAMPLES} (a number)": samples,
        "gap by the encoder (amortisation)": amortisation,
        "gap by the shape of q (approximation)": max(0.0, (searched.mean() - evidence.mean()).item()),
    }
    if _is_far(amortisation, here) and ward.own is not None:  # far from what it was asked for?
        here, searched, wider = best(ward, few, *ward.own)
        amortisation = (here - searched).mean().item()
    if _is_far(amortisation, here):
        yield Finding(
            "encoder far from its best", "for each picture alone a much better cloud is found in a second",
            f"{amortisation:.3g} nats, std times {math.exp(wider):.2g}", "a few nats",
            "a search for mu and std of 50 pictures", "train the encoder longer or on more pictures; look at its heads",
            amortisation, "possible",
        )  # fmt: skip
    if ward.held_out is not None:
        yield from _memory(ward, new, amortisation)


def _is_far(gap: float, bound: Tensor) -> bool:
    return gap > 0.12 * abs(bound.mean().item()) + 8


def _memory(ward: Ward, new: Tensor, amortisation: float) -> Iterator[Finding]:
    old = negative_elbo(ward, ward.train)
    gap = (new.mean() - old.mean()).item()
    ward.numbers["new pictures cost more by"] = gap
    error = (new.var() / len(new) + old.var() / len(old)).sqrt().item()
    if gap > 5 * error and gap > 0.2 * (_silent(ward) - old.mean().item()) + 3:
        part = "encoder" if amortisation > gap / 2 else "decoder"
        yield Finding(
            "memorising", f"new pictures cost much more than those of the training, mostly by the {part}",
            f"{gap:.3g} nats", "a few", "the bound on both, and with a searched q on the new ones",
            "stop earlier, train on more pictures, make the network smaller", gap, "likely",
        )  # fmt: skip


def _silent(ward: Ward) -> float:
    """Negative log-likelihood of a decoder that knows the mean picture alone."""
    if ward.nat:
        return ward.error(ward.x, ward.rebuilt.mean(0, keepdim=True).expand_as(ward.rebuilt)).mean().item()
    mean = ward.train.flatten(1).mean(0, keepdim=True)
    if ward.kind == "Bernoulli":
        mean = mean.clamp(1e-3, 1 - 1e-3)
        mean = mean.logit() if ward.logits else mean
    return ward.error(ward.x, mean.expand(len(ward.x), -1)).mean().item()


def _evidence(ward: Ward, x: Tensor) -> tuple[Tensor, float]:
    """-log p(x) by importance sampling, (B,), nats, and the mean effective number of samples."""
    mu, second = ward.encoded(x)
    std = ward.std(second)
    rows = []
    for _ in range(SAMPLES):
        eps = torch.randn_like(mu)
        z = mu + std * eps
        log_q = -(eps.square() + LOG_2PI).sum(1) / 2 - std.log().sum(1)
        rows.append(-ward.error(x, ward.decoded(z), ward.scale) + ward.log_prior(z) - log_q)
    weights = torch.stack(rows)
    share = weights.softmax(0)
    return math.log(SAMPLES) - weights.logsumexp(0), (1 / share.square().sum(0)).mean().item()


def of_modes(ward: Ward) -> Iterator[Finding]:
    """What train() and eval() change."""
    if ward.module is None:
        return
    ward.must_measure()
    values = []
    for training in (False, True):  # in this order, and aside: train() mends running statistics
        with untouched(ward.module, ward.x.device, None), mode(ward.module, training):
            values.append(negative_elbo(ward, ward.x).mean().item())
    evaluating, training = values
    ward.numbers["eval() costs more than train() by"] = evaluating - training
    if evaluating - training > 0.1 * abs(training) + 3 or (math.isfinite(training) and not math.isfinite(evaluating)):
        yield Finding(
            "eval() is another model", "the network is much worse in eval() than as it was trained",
            f"{evaluating - training:.3g} nats", "0, or a gain where there is dropout",
            "the bound in both modes", "look at the running statistics of batch normalisation (momentum, batch size)",
            evaluating - training,
        )  # fmt: skip
