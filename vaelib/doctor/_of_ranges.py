"""Findings about ranges: pictures against the likelihood, outputs against pictures, and what the heads can reach."""

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from vaelib.doctor._report import Finding
from vaelib.doctor._ward import Ward

FAR = (-1000.0, -30.0, 30.0, 1000.0)
HOW = "the smallest and the largest output at codes of any size, up to 1000"


def of_ranges(ward: Ward) -> Iterator[Finding]:
    """What cannot be, given the likelihood: pixels outside [0, 1], grey coins, outputs out of reach."""
    x, loss = ward.x, ward.reading
    low, high = x.min().item(), x.max().item()
    if loss is not None and loss.kind == "Bernoulli":
        if low < -1e-6 or high > 1 + 1e-6:
            yield Finding("pixels outside [0, 1]", "the cross-entropy has no minimum for such pictures",
                          f"{low:.3g} to {high:.3g}", "0 to 1", "the pictures that were handed over",
                          "scale the pictures to [0, 1], or use a Gaussian", math.inf)  # fmt: skip
        elif (grey := ((x > 0.02) & (x < 0.98)).float().mean().item()) > 0.02:
            ward.numbers["entropy of the grey pixels"] = _entropy(x)
            yield Finding("grey under a Bernoulli",
                          "the cross-entropy of grey pixels is no -log p(x): even a perfect model pays "
                          f"{_entropy(x):.3g} nats, and nothing adds up to one", f"{grey:.0%} of the pixels are grey",
                          "only 0 and 1", "the pictures that were handed over",
                          "binarise, or use a density for grey levels", 0.0)  # fmt: skip
    if loss is not None and ward.output[0].numel() == ward.data_dim:  # without a loss they may be logits
        yield from _of_outputs(ward, low, high)


def _entropy(x: Tensor) -> float:
    x = x.flatten(1).clamp(1e-6, 1 - 1e-6)
    return -(x * x.log() + (1 - x) * (1 - x).log()).sum(1).mean().item()


def limits(values: Tensor, far: Tensor) -> tuple[float, float]:
    """The smallest and the largest value that a bounded output can reach; infinite where it grows with its input."""
    ends = far.amin(tuple(range(1, far.dim()))), far.amax(tuple(range(1, far.dim())))
    low = ends[0].min().item() if ends[0].min() > 2 * ends[0][1:3].min() - 1e-3 or ends[0].min() >= -1e-6 else -math.inf
    high = ends[1].max().item() if ends[1].max() < 2 * ends[1][1:3].max() + 1e-3 else math.inf
    return min(low, values.min().item()), max(high, values.max().item())


def _of_outputs(ward: Ward, low: float, high: float) -> Iterator[Finding]:
    direction = torch.randn(64, ward.latent_dim).to(ward.codes[0])
    far = torch.stack([ward.decoded(size * direction) for size in FAR])
    if not far.isfinite().all() or (far.amax(1) - far.amin(1)).max() < 1e-4:  # the same for every code
        return
    bottom, top = limits(ward.rebuilt, far)
    reach, expected = f"{bottom:.3g} to {top:.3g}", f"{low:.3g} to {high:.3g}, where the pictures are"
    if ward.logits:
        if (math.isfinite(bottom) and math.isfinite(top) and max(-bottom, top) < 4) or bottom > -1e-6:
            yield Finding("bounded logits", "the loss takes logits, but the decoder squashes them first: "
                          "no pixel can become sure", reach, "any real number", HOW,
                          "drop the last activation of the decoder", _gain(ward, ward.rebuilt))  # fmt: skip
        return
    room = 0.02 * (high - low)
    outside = ((ward.x < bottom - room) | (ward.x > top + room)).float().mean().item()
    if outside > 0.01:
        yield Finding("outputs that cannot reach the pictures",
                      f"{outside:.0%} of the pixels lie where the decoder has no output", reach, expected, HOW,
                      "let the last activation cover the range of the pictures", _gain(ward, ward.rebuilt))  # fmt: skip
    elif math.isfinite(bottom) and math.isfinite(top) and bottom < low - 0.4 * (high - low):
        yield Finding("outputs beyond the pictures", "the last activation has another range than the pictures",
                      reach, expected, HOW, "sigmoid for [0, 1], tanh for [-1, 1]", 0.1, "likely")  # fmt: skip


@torch.enable_grad()
def _gain(ward: Ward, y: Tensor) -> float:
    """Nats by which the best straight rescaling of all outputs beats them as they are."""
    scale, shift = (torch.tensor(value, device=y.device, requires_grad=True) for value in (1.0, 0.0))
    y, adam, first, last = y.detach(), torch.optim.Adam([scale, shift], lr=0.1), math.nan, math.nan
    for step in range(60):
        value = ward.error(ward.x, y * scale + shift).mean()
        adam.zero_grad()
        value.backward()
        adam.step()
        first, last = (value.item() if step == 0 else first), value.item()
    return max(0.1, first - last)


def of_heads(ward: Ward) -> Iterator[Finding]:
    """What the encoder's two outputs cannot become, for any input."""
    mu, second = ward.codes
    if mu.shape == second.shape and torch.equal(mu, second):
        yield Finding("one head for both", "the second output is mu itself", "equal in all pictures", "two layers",
                      "encode(x)", "give mu and the log-variance a layer each", 1.0)  # fmt: skip
        return
    noise = torch.randn_like(ward.x[:64])
    wild = torch.cat([size * part for part in (ward.x[:64], noise) for size in (-30.0, -3.0, 1.0, 3.0, 30.0)])
    mu_wild, second_wild = ward.encoded(wild)
    mus, seconds = torch.cat([mu, mu_wild]), torch.cat([second, second_wild])
    how = "encode(x) for pictures, noise, and both up to 30 times as large, of either sign"
    if not (mus.isfinite().all() and seconds.isfinite().all()):
        return
    low, high = mus.min().item(), mus.max().item()
    if low >= -1e-6 or (high - low < 2.5 and max(-low, high) > 0.9 and _piled(mus, low, high)):
        yield Finding("activation on a head", "mu cannot take every value", f"{low:.3g} to {high:.3g}",
                      "any real number", how, "end the encoder in two linear layers", 1.0, "likely")  # fmt: skip
    if ward.convention in ("log-variance", "log standard deviation"):
        low, high = seconds.min().item(), seconds.max().item()
        moves = mu.var(0).max() > 0.01 and seconds.std() > 1e-4 and high > low + 0.1
        # An ELU ends at -1. What grows fast far away is no bound, however far it grows; a LeakyReLU comes below.
        if not seconds.any() or (moves and low > -max(0.5, min(high / 20, 2.0))):
            yield Finding("activation on a head", "the log-variance hardly falls: no cloud can become narrow",
                          f"{low:.3g} to {high:.3g}", "any real number, and either way as far", how,
                          "end the encoder in two linear layers", 1.0, "likely")  # fmt: skip
        elif low > -1.01 and high < 1.01 and _piled(seconds, low, high):
            yield Finding("activation on a head", "the log-variance stays between two bounds",
                          f"{low:.3g} to {high:.3g}", "any real number", how,
                          "end the encoder in two linear layers", 1.0, "likely")  # fmt: skip
        elif (bend := _bend_at_zero(ward, wild, second_wild)) < 0.3:
            yield Finding("activation on a head", "the log-variance bends where it is 0, as behind a LeakyReLU",
                          f"one slope is {bend:.2g} of the other", "1: the same slope on both sides of 0",
                          "encode(x) on lines through the space of pictures, beside the places where it is 0",
                          "end the encoder in two linear layers", 1.0, "likely")  # fmt: skip


def _bend_at_zero(ward: Ward, points: Tensor, seconds: Tensor) -> float:
    """The smaller slope of the second output over the larger, on both sides of its zeros; 1 where it has none.

    A network of straight pieces bends in many places, but behind a linear layer hardly ever just at 0: the median
    tells. The zeros lie on lines between a point where an output is above 0 and one where it is below.
    """
    ends = []
    for unit in torch.arange(seconds.shape[1]).repeat(8)[:64].tolist():
        above, below = (side.nonzero()[:, 0] for side in (seconds[:, unit] > 0, seconds[:, unit] < 0))
        if len(above) and len(below):
            ends.append((unit, *(some[torch.randint(len(some), ())] for some in (below, above))))
    if len(ends) < 8:
        return 1.0
    unit, low, high = (torch.tensor(row) for row in zip(*ends, strict=True))
    start, line = points[low], points[high] - points[low]

    def along(t: Tensor) -> Tensor:
        return ward.encode(start + t.reshape(-1, *[1] * (start.dim() - 1)) * line)[1][range(len(unit)), unit]

    left, right = torch.zeros(len(unit)).to(line), torch.ones(len(unit)).to(line)
    for _ in range(14):
        middle = (left + right) / 2
        is_below = along(middle) < 0
        left, right = torch.where(is_below, middle, left), torch.where(is_below, right, middle)
    slopes = []
    with torch.enable_grad():
        for t in (left, right):
            t = t.clone().requires_grad_()
            slopes.append(torch.autograd.grad(along(t).sum(), t, materialize_grads=True, allow_unused=True)[0].abs())
    small, large = torch.minimum(*slopes), torch.maximum(*slopes)
    return (small / large.clamp(min=1e-12)).median().item()


def _piled(values: Tensor, low: float, high: float) -> bool:
    """Whether many values lie at either end, as a squashing function leaves them."""
    room = 0.02 * (high - low)
    return ((values < low + room) | (values > high - room)).float().mean().item() > 0.05
