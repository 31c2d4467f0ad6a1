"""Findings about the loss: signs, arguments, what the KL is one of, and which beta the reductions hide."""

import math
from collections.abc import Iterator

from vaelib.doctor._loss import Reading
from vaelib.doctor._reductions import Reductions, reductions
from vaelib.doctor._report import NOT_MEASURED, Finding
from vaelib.doctor._ward import NotExamined, Ward

HOW = "derivatives of the loss at random points, float64"


def of_loss(ward: Ward) -> Iterator[Finding]:
    """What is wrong with the loss as a function of its four arguments."""
    loss = ward.reading
    if loss is None:
        raise ward.refused["loss"]
    yield from _of_error(loss, ward.turned)
    yield from _of_kl(loss, ward.prior is not None)
    if loss.c_rec and loss.c_rec > 0 and loss.c_kl and loss.c_kl > 0:
        yield from _of_beta(ward, loss)
    if loss.c_mu is None and ward.prior is None:
        raise NotExamined("its KL is none to N(0, I), or that of a draw: hand over the prior if it is another")
    if loss.c_rec is None or loss.c_mu is None:
        raise NotExamined(f"which beta it has, for its {'error' if loss.c_rec is None else 'KL'} is none that is known")


def _of_error(loss: Reading, turned: bool) -> Iterator[Finding]:
    if turned or loss.kind == "swapped":
        yield Finding(
            "swapped arguments", "the loss makes sense with the reconstruction first and the picture second only",
            "no error that is known, until they are exchanged", "loss(x, reconstruction, mu, second)", HOW,
            "if yours takes the reconstruction first, hand over lambda x, y, mu, s: loss(y, x, mu, s); else exchange "
            "the arguments of the error: binary_cross_entropy(reconstruction, x)", math.inf, "likely",
        )  # fmt: skip
    if loss.c_rec == 0:
        yield Finding(
            "no reconstruction in the loss", "the loss does not depend on the reconstruction", "derivative 0",
            "a derivative that grows with the error", HOW, "add -log p(x|z)", math.inf,
        )  # fmt: skip
    elif loss.c_rec is not None and loss.c_rec < 0 and loss.kind != "swapped":
        yield Finding(
            "wrong sign", "the error of the reconstruction is rewarded", f"weight {loss.c_rec:.3g}", "above 0", HOW,
            "minimise -log p(x|z) + KL: both terms with a plus", math.inf,
        )  # fmt: skip


def _of_kl(loss: Reading, other_prior: bool) -> Iterator[Finding]:
    mu, second = loss.c_mu, loss.c_second
    weights = f"weight {_shown(mu)} by mu, {_shown(second)} by the second output"
    about = ("one weight, above 0, by both", HOW)
    if mu == 0 and second == 0:
        yield Finding("no KL in the loss", "the loss does not depend on mu and the second output", "derivative 0",
                      "mu, and (exp(logvar) - 1) / 2", HOW, "add the KL, with weight 1", 1.0)  # fmt: skip
    elif loss.order == "p||q":
        yield Finding("KL the wrong way round", "the loss has KL(p || q), not KL(q || p)", "mu / std^2", "mu", HOW,
                      "exchange the arguments of the KL", 1.0)  # fmt: skip
    elif (mu is not None and mu < 0) or (second is not None and second < 0):
        yield Finding("wrong sign", "the KL is rewarded: the code may run to infinity", weights, *about,
                      "minimise -log p(x|z) + KL: check whose sign the KL has", math.inf)  # fmt: skip
    elif other_prior:  # its KL has other derivatives
        return
    elif mu is None and second:
        yield Finding("KL that is none", "the term in mu is that of no KL to N(0, I)", weights, *about,
                      "-0.5 * (1 + logvar - mu**2 - logvar.exp()).sum(1); or hand over the prior, if it is another",
                      1.0, "likely")  # fmt: skip
    elif mu is not None and second is None:
        yield Finding("KL that is none", "the term in the second output is that of no KL", weights, *about,
                      "-0.5 * (1 + logvar - mu**2 - logvar.exp()).sum(1)", 1.0)  # fmt: skip
    elif mu is not None and second is not None and loss.c_kl is None:
        yield Finding("KL that is none", "a part of the KL is missing or has a weight of its own", weights, *about,
                      "-0.5 * (1 + logvar - mu**2 - logvar.exp()).sum(1)", 1.0)  # fmt: skip


def _of_beta(ward: Ward, loss: Reading) -> Iterator[Finding]:
    assert loss.c_rec and loss.c_kl
    found = reductions(ward, loss)
    weight, excuses = _naive(found), found.words
    if loss.fitted:  # sigma follows the error, so that the weight is no constant, and right
        return
    if "B" in excuses:
        yield Finding(
            "beta that depends on the batch",
            "; ".join(["one term is a mean over the batch and the other a sum", *_sizes(excuses)]),
            f"beta {_beta(loss, found.ratio)} for a batch of 8; with B it {excuses['B']}",
            "the same beta for every batch",
            HOW + ", at two batch sizes",
            "sum both over an example and its latents: .sum(1), then .mean() over the batch",
            1.0,
        )
    elif weight and not 0.45 <= found.ratio <= 2.1 and not _meant(ward, loss, found.ratio):
        yield Finding(
            "hidden beta",
            f"{' and '.join(_sizes(excuses))}: the loss is that of beta {_beta(loss, found.ratio)}",
            f"KL over error, both as sums: {found.ratio:.4g}",
            "1" if loss.kind == "Bernoulli" else "2 sigma^2, with sigma near the residual",
            HOW + (", again with half the numbers" if found.tried else ""),
            "sum both over an example: .sum(1), then .mean() over the batch"
            + ("" if loss.kind == "Bernoulli" else "; for squares better D / 2 * log(mse) + KL, which needs no sigma"),
            1.0,
            "certain" if found.tried else "likely",
        )
    elif (wide := _too_wide(ward)) > 2 and not _meant(ward, loss, found.ratio):
        yield Finding(
            "sigma far above the residual",
            f"at beta 1 the {loss.kind} of the loss is {wide:.3g} times as wide as what is left over: "
            "the KL weighs too much, and pictures are soft",
            f"the loss is that of beta {_beta(loss, found.ratio)}",
            f"at most {2 / wide:.2g} of that width",
            HOW + ", and the reconstructions",
            "give the error the width of its residual: D / 2 * log(mse) + KL, or a parameter for sigma with a learning "
            "rate of its own",
            max(NOT_MEASURED, _cost_of_width(ward, wide)),
            "likely",
        )
    elif ward.beta is not None and loss.kind == "Bernoulli" and not _meant(ward, loss, found.ratio):
        yield Finding(
            "another beta than meant", f"the loss has beta {found.ratio:.4g}", f"{found.ratio:.4g}",
            f"{ward.beta:.4g}", HOW, "look for a factor: a KL without its 1/2 has beta 2", 1.0,
        )  # fmt: skip


def _sizes(excuses: dict[str, str]) -> list[str]:
    """What is a mean over the numbers of an example, in words."""
    return [words for size, words in excuses.items() if size != "B"]


def _too_wide(ward: Ward) -> float:
    """How many times as wide as the residual a Gaussian or a Laplace of the loss is; 0 where there is none."""
    if ward.own is None or ward.own[0] is None or not ward.scale:
        return 0.0
    times = ward.own[0] / ward.scale
    return math.sqrt(times) if ward.kind == "Gaussian" else times


def _cost_of_width(ward: Ward, times: float) -> float:
    """Nats per example that a Gaussian or a Laplace loses which is so many times as wide as its residual."""
    lost = (1 - times**-2) / 2 if ward.kind == "Gaussian" else 1 - 1 / times
    return ward.x[0].numel() * (math.log(times) - lost)


def note_of_beta(ward: Ward) -> Iterator[Finding]:
    """Which beta the loss has, where none is hidden."""
    loss = ward.reading
    if loss is None or not loss.c_rec or not loss.c_kl or loss.c_rec < 0 or loss.c_kl < 0 or loss.fitted:
        return
    ratio = loss.c_kl / loss.c_rec
    ward.numbers["c_kl / c_rec of the loss"] = ratio
    here = " for a batch of 8" if "B" in reductions(ward, loss).words else ""
    yield Finding(
        "hidden beta",
        f"the loss is that of beta {_beta(loss, ratio)}{here}",
        f"c_kl / c_rec = {ratio:.4g}",
        "",
        HOW,
        "",
    )


def _meant(ward: Ward, loss: Reading, ratio: float) -> bool:
    if ward.beta is None:
        return False
    means = (1, 2) if loss.kind == "Gaussian" else (1,)  # of a squared error with and without its 1/2
    return any(math.isclose(ratio, ward.beta * half, rel_tol=0.02) for half in means)


def _naive(found: Reductions) -> bool:
    """Whether reductions alone, with a weight of 1 (or of the 1/2 of a squared error), make this beta."""
    return bool(found.words) and any(math.isclose(found.plain, w, rel_tol=0.02) for w in (0.5, 1, 2))


def _beta(loss: Reading, ratio: float) -> str:
    if loss.kind == "Gaussian":
        return f"{ratio / 2:.4g} at sigma 1 (or of sigma {math.sqrt(ratio / 2):.3g} at beta 1)"
    if loss.kind == "Laplace":
        return f"{ratio:.4g} at width 1 (or of width {ratio:.3g} at beta 1)"
    return f"{ratio:.4g}"


def _shown(weight: float | None) -> str:
    return "no constant" if weight is None else f"{weight:.3g}"
