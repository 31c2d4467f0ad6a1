"""What a loss is made of, by its derivatives in the reconstruction, in mu and in the second output."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from vaelib.beta._derivatives import ERRORS
from vaelib.doctor._spread import KL_SLOPE, STD, reversed_slopes

ALL_ERRORS = {name: (kind, slope) for kind, errors in ERRORS.items() for name, slope in errors.items()} | {
    "absolute error": ("Laplace", lambda x, y: (y - x).sign()),
    "cross-entropy with its arguments swapped": ("swapped", lambda x, y: (1 - x).log() - x.log()),
}


@dataclass(frozen=True)
class Reading:
    """A loss as its derivatives tell it. Weights belong to sums over the numbers of an example and over its latents.

    Attributes:
        error: name of the error, None where it is none that is known.
        kind: of the likelihood: "Gaussian", "Bernoulli", "Laplace", "swapped" or None.
        c_rec: weight of the error; None where it is not known, 0 where there is none.
        fitted: whether the error's weight follows the error itself, as where sigma is fitted in the loss.
        c_mu, c_second: weight of the KL by either derivative; None where it is no constant multiple of a KL's.
        second: what the second output is, None where no KL tells.
        order: "q||p", or "p||q" where the two are exchanged.
    """

    error: str | None
    kind: str | None
    c_rec: float | None
    fitted: bool
    c_mu: float | None
    c_second: float | None
    second: str | None
    order: str = "q||p"

    @property
    def c_kl(self) -> float | None:
        """The weight of the KL where both derivatives agree on one."""
        if self.c_mu is None or self.c_second is None or abs(self.c_mu - self.c_second) > 1e-2 * abs(self.c_mu):
            return None
        return self.c_mu


def read(loss: Callable[..., Any], x_shape: Sequence[int], y_shape: Sequence[int], latent_dim: int, like: Tensor, B=8):
    """The `Reading` of a loss for batches of B; tried in float64, and in the type of `like` where that fails."""
    try:
        return _read(loss, x_shape, y_shape, latent_dim, B, like.device, torch.float64, 1e-3)
    except (RuntimeError, TypeError):
        return _read(loss, x_shape, y_shape, latent_dim, B, like.device, torch.float32, 3e-3)


def _read(loss, x_shape, y_shape, latent_dim, B, device, dtype, tolerance) -> Reading:
    tried = [_at(loss, x_shape, y_shape, latent_dim, B, scale, device, dtype) for scale in (1.0, 0.3, 0.1)]
    error, kind, c_rec, fitted = _error([(x, y, found[0]) for x, y, _, _, found in tried], tolerance)
    mu, second, in_mu, in_second = (
        torch.cat([row.flatten() for row in rows])
        for rows in zip(*((m, s, found[1], found[2]) for _, _, m, s, found in tried), strict=True)
    )
    return Reading(error, kind, c_rec, fitted, *_kl(mu, second, in_mu, in_second, tolerance))


def _at(loss, x_shape, y_shape, latent_dim, B, scale, device, dtype):
    """Points, and the derivatives there; the smaller `scale`, the smaller errors and means."""
    noise: dict[str, Any] = {"generator": torch.Generator().manual_seed(1), "dtype": dtype}
    x = ((255 * (0.1 + 0.8 * torch.rand(B, *x_shape, **noise))).round() / 255).to(device)  # some losses want levels
    near = x.reshape(B, *y_shape) if x[0].numel() == torch.Size(y_shape).numel() else x.new_full((B, *y_shape), 0.5)
    y = near + scale * (0.05 + 0.9 * torch.rand(near.shape, **noise).to(device) - near)
    mu = (3 * scale**2 * torch.randn(B, latent_dim, **noise)).to(device)
    second = (0.3 + 1.7 * torch.rand(mu.shape, **noise)).to(device)  # positive: it may be a variance
    return x, y, mu, second, slopes(loss, x, y, mu, second)


def slopes(loss, x, y, mu, second) -> tuple[Tensor, ...]:
    """Derivatives of the loss in y, mu and second."""
    with torch.enable_grad():
        ends = tuple(part.detach().clone().requires_grad_() for part in (y, mu, second))
        value = loss(x, *ends)
        if not isinstance(value, Tensor) or value.numel() != 1:
            raise TypeError(f"loss must return one number; got {_kind(value)}")
        if not value.requires_grad:
            return tuple(torch.zeros_like(end) for end in ends)
        return torch.autograd.grad(value.sum(), ends, materialize_grads=True)


def _kind(value: Any) -> str:
    """What a loss returned, and how to make one number of it."""
    if isinstance(value, Tensor):
        return f"shape {tuple(value.shape)}: hand over its mean"
    if isinstance(value, tuple | list):
        return f"a {type(value).__name__} of {len(value)}: hand over lambda *given: yours(*given)[0]"
    if isinstance(value, dict):
        return f"a dict of {', '.join(map(repr, value))}: hand over lambda *given: yours(*given)[...]"
    return f"{value!r:.60}"


def factor(found: Tensor, known: Tensor, tolerance: float) -> float | None:
    """How many times `known` the derivative is; None where it is no multiple of it."""
    found, known = found.flatten(), known.flatten()
    times = (found @ known / (known @ known)).item()
    return times if (found - times * known).abs().max() <= tolerance * found.abs().max() else None


def _error(tried, tolerance) -> tuple[str | None, str | None, float | None, bool]:
    if not any(found.any() for _, _, found in tried):
        return None, None, 0.0, False
    for name, (kind, slope) in ALL_ERRORS.items():
        if tried[0][0][0].numel() != tried[0][1][0].numel():
            break  # a decoder with several numbers a pixel
        times = [factor(found, slope(x.reshape(y.shape), y), tolerance) for x, y, found in tried]
        known = [value for value in times if value is not None]
        if len(known) == len(times):
            fitted = max(known) - min(known) > 10 * tolerance * max(map(abs, known))
            return name, kind, known[0], fitted
    return None, None, None, False


def _kl(mu, second, in_mu, in_second, tolerance) -> tuple[float | None, float | None, str | None, str]:
    """c_mu, c_second, what second is, the order."""
    if not in_mu.any() and not in_second.any():
        return 0.0, 0.0, None, "q||p"
    c_mu = factor(in_mu, mu, tolerance)
    for name, slope in KL_SLOPE.items() if in_second.any() else ():
        c_second = factor(in_second, slope(second), tolerance)
        if c_second is not None:
            return c_mu, c_second, name, "q||p"
        turned = [
            factor(found, known, tolerance)
            for found, known in zip((in_mu, in_second), reversed_slopes(mu, second, STD[name]), strict=True)
        ]
        if None not in turned:
            return turned[0], turned[1], name, "p||q"
    return c_mu, None if in_second.any() else 0.0, None, "q||p"
