"""Findings about the draw."""

import math
from collections.abc import Iterator

import torch

from vaelib.doctor._noise import BELOW, ROWS, SPREADS, Draws
from vaelib.doctor._report import Finding
from vaelib.doctor._spread import STD
from vaelib.doctor._ward import Ward

HOW = f"{ROWS} draws at mu = 0 and {len(SPREADS)} values of the second output"
HONEST = "draw z = mu + std * eps with eps = torch.randn_like(mu), and std = exp(logvar / 2) for a log-variance"


def of_draw(ward: Ward) -> Iterator[Finding]:
    """What is wrong with z as it is drawn in training."""
    seen = ward.draws
    if seen is None:
        raise ward.refused["draw"]
    if seen.k == 0:
        yield Finding(
            "mean instead of a draw",
            "z is the mean: nothing is drawn, so the number is no bound and the KL prices a cloud that is never used",
            "no noise in z",
            "std(second) times noise",
            HOW,
            HONEST + ("; or hand over module=: many draws are means in eval()" if ward.module is None else ""),
            _cost(ward, seen),
            "certain" if ward.module is not None else "likely",
        )
    else:
        yield from _of_noise(ward, seen)
    if seen.gradient is not None and not all(seen.gradient) and not (seen.k == 0 and seen.gradient[0]):
        part = "mu" if not seen.gradient[0] else "the second output"
        yield Finding(
            "no gradient through the draw",
            f"no gradient of the reconstruction reaches {part}: the encoder learns from the KL alone",
            "derivative of z is 0" if any(seen.gradient) else "z is cut off",
            "derivative 1 in mu, eps * std' in the second output",
            "the derivative of z in mu and in the second output",
            "compute z outside torch.no_grad(), without .detach(); of torch.distributions use rsample, not sample",
            math.inf if not any(seen.gradient) else 1.0,
        )
    if abs(seen.slope - 1) > 0.2 and seen.of_batch > 0.1:
        yield Finding(
            "draw around another mean",
            "when mu moves, the draws do not move with it",
            f"slope {seen.slope:.3g}",
            "1",
            "draws at mu = 0 and at mu = 3",
            HONEST,
            _cost(ward, seen),
        )


def note_of_draw(ward: Ward) -> Iterator[Finding]:
    """Whether eval() draws nothing: fine for a picture, but the number is no bound then."""
    if ward.draw is not None and ward.draws is not None and ward.draws.k > 0:
        mu, second = ward.codes
        if torch.equal(ward.draw(mu, second), mu):
            says = "in eval() the code is the mean: a number measured there is no bound"
            yield Finding("the mean in eval()", says, "no noise in z", "", "draws in eval()", "")


def _of_noise(ward: Ward, seen: Draws) -> Iterator[Finding]:
    shared = [name for name, share in (("batch", seen.of_batch), ("latents", seen.of_latents)) if share < 0.1]
    if shared or seen.repeated:
        what = f"one noise for the whole {shared[0]}" if shared else "the same noise at every call"
        yield Finding(
            "shared noise",
            f"there is {what}: the codes move together, and the average over draws is none",
            f"{min(seen.of_batch, seen.of_latents):.2g} of the noise is each number's own"
            if shared
            else "two calls agree",
            "1: every number of every code has noise of its own, at every call",
            HOW,
            "eps = torch.randn_like(mu), not torch.randn(latent_dim) or one seed for all",
            1.0,
        )
        return
    if seen.second is None or ward.convention not in (seen.second, None):
        used = seen.second or "none of the known ways"
        yield Finding(
            "spread by the wrong formula",
            f"the draw takes the second output for a {used}, the KL for a {ward.convention}"
            if seen.second
            else "the spread of the draws follows the second output in no known way",
            ", ".join(f"{width:.3g}" for width in seen.noise),
            _widths(ward.convention, SPREADS),
            f"standard deviation of {HOW}: {', '.join(map(str, SPREADS))}",
            HONEST,
            _cost(ward, seen),
        )
    elif seen.bends:
        yield Finding(
            "spread by the wrong formula",
            f"the draw follows a {seen.second} above 0 and leaves it below, where trained ones lie",
            ", ".join(f"{width:.3g}" for width in seen.below),
            _widths(seen.second, BELOW),
            f"standard deviation of {ROWS} draws at mu = 0 and second outputs of {', '.join(map(str, BELOW))}",
            HONEST,
            _cost(ward, seen),
        )
    elif abs(seen.k - 1) > 0.04:
        yield Finding(
            "noise that is not N(0, 1)",
            f"the noise is {seen.k:.3g} times as wide as the spread that the KL is charged for",
            f"std {seen.k:.3g}",
            "1",
            HOW,
            HONEST,
            _cost(ward, seen),
        )
    if abs(seen.centre) > max(0.1, 8 * seen.centre_stderr) or abs(seen.kurtosis) > 0.4:
        yield Finding(
            "noise that is not N(0, 1)",
            "the noise has the wrong shape" if abs(seen.centre) < 0.1 else "the noise is not centred",
            f"mean {seen.centre:.2g}, kurtosis {seen.kurtosis:.2g}",
            "mean 0, kurtosis 0",
            HOW,
            "torch.randn_like, not torch.rand_like",
            _cost(ward, seen),
        )


def _widths(second: str, places: tuple[float, ...]) -> str:
    """The standard deviations that an honest draw has there."""
    return ", ".join(f"{width:.3g}" for width in STD[second](torch.tensor(places)).tolist())


def _cost(ward: Ward, seen: Draws) -> float:
    """How far the bound that the loss shows is from that of the codes it draws: in the error, and in the KL."""
    if ward.decode is None or ward.draw is None:
        return 0.0
    mu, second = ward.codes
    drawn = ward.error(ward.x, ward.decoded(ward.draw(mu, second))).mean()
    cost = abs((ward.error(ward.x, ward.rebuilt).mean() - drawn).item())
    if seen.k > 0 and seen.second is not None:
        std = seen.k * STD[seen.second](second)
        cost = max(cost, abs((ward.kl(mu, std).mean() - ward.kl(mu, ward.std(second)).mean()).item()))
    return cost if math.isfinite(cost) else math.inf
