"""What a draw is made of: z - mu at known mu and spread, many times."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from vaelib._aside import kept_generators
from vaelib.doctor._spread import STD

SPREADS = (0.1, 0.3, 0.6, 1.0, 1.6, 2.5)  # positive: each may be a variance
BELOW = (-0.5, -1.5, -3.0)  # where a logarithm may lie too, and lies once an encoder is trained
SIGNED = [name for name in STD if name not in ("standard deviation", "variance")]
ROWS, CALLS = 500, 4


@dataclass(frozen=True)
class Draws:
    """What was seen of z = mu + k std(second) eps.

    Attributes:
        noise: standard deviation of z - mu at each of `SPREADS`.
        below: the same at each of `BELOW`; empty where the second output cannot be negative, or is none that fits.
        second: as what the draw uses the second output; None where nothing fits.
        k: how many times too wide; 0 for a mean.
        centre: mean of (z - mu) / std, in standard errors, and its value.
        kurtosis: of eps, 0 for a Gaussian.
        of_batch, of_latents: share of the noise that differs between rows, and between latents: 1 each.
        repeated: whether two calls give the same noise.
        slope: of z in mu.
        gradient: whether a gradient passes to mu, and to the second output; None where it was not tried.
    """

    noise: list[float]
    below: list[float]
    second: str | None
    k: float
    centre: float
    centre_stderr: float
    kurtosis: float
    of_batch: float
    of_latents: float
    repeated: bool
    slope: float
    gradient: tuple[bool, bool] | None

    @property
    def bends(self) -> bool:
        """Whether the spread is right above 0 and another below."""
        if not self.below or self.second is None:
            return False
        due = self.k * STD[self.second](torch.tensor(BELOW))
        return bool((torch.tensor(self.below) / due - 1).abs().max() > 0.1)


def watch(draw: Callable[..., Any], mu: Tensor) -> Draws:
    """`Draws` of `draw(mu, second)`, for codes like mu."""
    place = torch.zeros_like(mu[:1]).expand(ROWS, -1)
    tried = [torch.stack([draw(place, torch.full_like(place, s)) for _ in range(CALLS)]) for s in SPREADS]
    noise = [z.std().item() for z in tried]  # (calls, rows, L) each
    second, k = _fitted(torch.tensor(noise))
    z = tried[SPREADS.index(1.0)]
    eps = torch.cat([(part / max(width, 1e-12)).flatten() for part, width in zip(tried, noise, strict=True)])
    own = max(z.std().item(), 1e-12)
    return Draws(
        noise,
        _below(draw, place) if second in SIGNED else [],
        second,
        k,
        eps.mean().item(),
        eps.numel() ** -0.5,
        (eps - eps.mean()).pow(4).mean().item() / max(eps.var().item() ** 2, 1e-12) - 3,
        z.std(1).mean().item() / own,
        z.std(2).mean().item() / own if mu.shape[1] > 1 else 1.0,
        torch.equal(z[0], z[1]),
        _slope(draw, place),
        _gradient(draw, place),
    )


def _fitted(noise: Tensor) -> tuple[str | None, float]:
    """As what the second output is used, and the factor: that with the same ratio at all spreads."""
    if noise.max() < 1e-6:
        return None, 0.0
    spreads = torch.tensor(SPREADS)
    ratios = {name: (noise / std(spreads)).clamp(min=1e-9).log() for name, std in STD.items()}
    name = min(ratios, key=lambda key: ratios[key].std().item())
    return (name if ratios[name].std() < 0.03 else None), ratios[name].mean().exp().item()


def _below(draw, place: Tensor) -> list[float]:
    """The spread where a logarithm is negative; the other experiments draw what they would have drawn."""
    with kept_generators(place.device):
        return [torch.stack([draw(place, torch.full_like(place, s)) for _ in range(CALLS)]).std().item() for s in BELOW]


def _slope(draw, place: Tensor) -> float:
    """Where the mean of draws goes when mu moves by 3."""
    second = torch.full_like(place, 0.1)
    return ((draw(place + 3, second).mean() - draw(place, second).mean()) / 3).item()


def _gradient(draw, place: Tensor) -> tuple[bool, bool] | None:
    with torch.enable_grad():
        ends = tuple(torch.full_like(place, value).requires_grad_() for value in (0.5, 1.0))
        z = draw(*ends)
        if not z.requires_grad:
            return False, False
        found = torch.autograd.grad(z.square().sum(), ends, allow_unused=True)
    return found[0] is not None and bool(found[0].any()), found[1] is not None and bool(found[1].any())
