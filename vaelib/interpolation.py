"""Ways from one code to another."""

import math

import torch
from torch import Tensor
from torch.linalg import vector_norm

from vaelib import _guard


def slerp(a: Tensor, b: Tensor, t: Tensor | float) -> Tensor:
    """Spherical interpolation: the way from a to b along the arc between their directions.

    With ends of one length every point of the way has that length, as draws of N(0, I) in many dimensions do; the
    straight way `torch.lerp(a, b, t)` cuts through the middle, where there are none.

    Args:
        a, b: ends, (..., L) with L of 2 or more, finite; neither may be zero.
        t: how far, 0 at a and 1 at b: a number, or a tensor (..., 1) that broadcasts against the ends.

    Returns:
        (..., L), sin((1 - t) w) / sin(w) a + sin(t w) / sin(w) b for the angle w between the ends; where w is zero
        but for rounding, the straight way.

    Raises:
        TypeError: not floating tensors of one dtype, or t is neither a number nor a tensor.
        ValueError: the ends have different numbers of dimensions, or one number each; an end is zero or not finite;
            they point in opposite directions, between which there are many arcs. Inside `torch.compile` and
            `torch.vmap`, which see no values, such a pair gives NaN.

    Source: Shoemake (1985); for codes White (2016). Book: chapter 6, "From one digit to another".
    """
    t = _share(a, b, t)
    dtype, (a, b) = a.dtype, _guard.lift(a, b)
    (u, far_a), (v, far_b) = _directed(a), _directed(b)
    apart, together = vector_norm(u - v, dim=-1, keepdim=True), vector_norm(u + v, dim=-1, keepdim=True)
    sound = together > 8 * torch.finfo(a.dtype).eps  # and not NaN
    if not _guard.holds(sound.all()):
        raise ValueError("a and b must be neither zero nor opposite to each other, between which there is no one arc")
    angle = 2 * torch.atan2(apart, together)  # right at both ends, where the arccosine loses half the digits
    w = v - (u * v).sum(-1, keepdim=True) * u
    w = w - (u * w).sum(-1, keepdim=True) * u  # again, because near 180 degrees the first time is mostly rounding
    w = w / vector_norm(w, dim=-1, keepdim=True).clamp(min=torch.finfo(a.dtype).tiny)  # the direction across u
    cosine, sine = (t * angle).cos(), (t * angle).sin()
    longer = (far_b - far_a) * angle.cos() * (sine / angle.sin().clamp(min=torch.finfo(a.dtype).tiny))
    arc = (far_a * cosine + longer) * u + far_b * sine * w
    way = torch.where(angle > torch.finfo(a.dtype).eps ** 0.5, arc, a + t * (b - a))
    return torch.where(sound, way, math.nan).to(dtype)


def _share(a: Tensor, b: Tensor, t: Tensor | float) -> Tensor:
    """t as a tensor beside the ends, after all three were looked at."""
    ends = {"a": (a, "(..., L)"), "b": (b, "(..., L)")}
    if isinstance(t, Tensor):
        sizes = _guard.floats(**ends, t=(t, "(..., 1) or ()"))
    else:
        sizes = _guard.floats(**ends)
        _guard.numbers(t=t)
    if sizes["L"] < 2:
        raise ValueError(f"a and b must have shape (..., L) with L of 2 or more; got {tuple(a.shape)}")
    _guard.finite(a=a, b=b)
    (t,) = _guard.lift(torch.as_tensor(t, dtype=a.dtype, device=a.device))
    return t


def _directed(end: Tensor) -> tuple[Tensor, Tensor]:
    """Direction and length (..., 1) of an end in any unit, whose squares may have no room; of zero, NaN."""
    unit = end.detach().abs().amax(-1, keepdim=True)
    length = vector_norm(end / unit, dim=-1, keepdim=True)
    return end / unit / length, unit * length
