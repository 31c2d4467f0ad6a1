"""Ways from one code to another."""

import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity


def slerp(a: Tensor, b: Tensor, t: Tensor | float) -> Tensor:
    """Spherical interpolation: the way from a to b along the arc between their directions.

    With ends of one length every point of the way has that length, as draws of N(0, I) in many dimensions do; the
    straight way `torch.lerp(a, b, t)` cuts through the middle, where there are none.

    Args:
        a, b: ends, (..., L); neither may be zero.
        t: how far, 0 at a and 1 at b: a number, or a tensor that broadcasts against (..., 1).

    Returns:
        (..., L). Where the directions of a and b agree within 1e-4 radians the way is straight.

    Raises:
        ValueError: the ends have different numbers of dimensions, or one number each.

    Source: Shoemake (1985); for codes White (2016). Book: chapter 6, "From one digit to another".
    """
    if a.shape[-1] != b.shape[-1] or a.shape[-1] < 2:
        raise ValueError(f"a and b must be (..., L) with one L of 2 or more; got {tuple(a.shape)} and {tuple(b.shape)}")
    t = torch.as_tensor(t, dtype=a.dtype, device=a.device)
    angle = cosine_similarity(a, b, dim=-1).clamp(-1, 1).acos().unsqueeze(-1)
    along = (((1 - t) * angle).sin() * a + (t * angle).sin() * b) / angle.sin()
    return torch.where(angle > 1e-4, along, a + t * (b - a))
