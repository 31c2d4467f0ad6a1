"""Signed distances, waves and colours for `vaelib.faces`: a distance is negative inside a shape, zero on its edge.

Every function uses only operations that have one rounded answer (sums, products, quotients, square roots,
comparisons): a face has the same bytes in any batch.
"""

import torch
from torch import Tensor


def circle(x: Tensor, y: Tensor, radius: Tensor | float) -> Tensor:
    """Distance to a circle around the origin."""
    return (x * x + y * y).sqrt() - radius


def ellipse(x: Tensor, y: Tensor, wide: Tensor | float, high: Tensor | float) -> Tensor:
    """Distance to an ellipse around the origin, to first order near its edge."""
    u, v = x / wide, y / high
    squared = u * u + v * v
    u, v = u / wide, v / high
    return (squared - squared.sqrt()) / (u * u + v * v + 1e-6).sqrt()


def hull(x: Tensor, y: Tensor, radius: Tensor | float, end: Tensor | float, height: Tensor | float) -> Tensor:
    """Distance to the hull of two circles: `radius` at the origin, `end` at `height` straight below it."""
    x = x.abs()
    b = (radius - end) / height
    a = (1 - b * b) ** 0.5
    along = a * y - b * x
    between = a * x + b * y - radius
    return torch.where(
        along < 0, circle(x, y, radius), torch.where(along > a * height, circle(x, y - height, end), between)
    )


def blend(first: Tensor, second: Tensor, soft: float) -> Tensor:
    """Union of two shapes whose meeting is rounded over the length `soft`."""
    near = (soft - (first - second).abs()).clamp_(min=0)
    return torch.minimum(first, second) - near * near / (4 * soft)


def wave(u: Tensor) -> Tensor:
    """A wave of period 1 with pointed crests: 1 at whole numbers, 0 flat half-way between."""
    v = (u - u.floor()) * 2 - 1
    return v * v


def hsl(hue: Tensor, saturation: Tensor | float, lightness: Tensor | float) -> Tensor:
    """(B, 3, 1, 1) RGB of a hue in degrees, all of shape (B, 1, 1) or numbers."""
    saturation = torch.as_tensor(saturation, device=hue.device, dtype=hue.dtype)
    lightness = torch.as_tensor(lightness, device=hue.device, dtype=hue.dtype)
    reach = saturation * torch.minimum(lightness, 1 - lightness)
    channels = []
    for offset in (0, 8, 4):
        k = (hue / 30 + offset) % 12
        channels.append(lightness - reach * torch.minimum(k - 3, 9 - k).clamp(-1, 1))
    return torch.stack([c.expand_as(hue) for c in channels], 1)


def rgb(like: Tensor, red: float, green: float, blue: float) -> Tensor:
    """A fixed colour. (1, 3, 1, 1)"""
    return torch.tensor([red, green, blue], device=like.device, dtype=like.dtype).reshape(1, 3, 1, 1)


def toward(colour: Tensor, other: float, share: Tensor | float) -> Tensor:
    """`colour` mixed with black (0) or white (1): the hue stays."""
    return colour + (other - colour) * share


def turned(x: Tensor, y: Tensor, degrees: Tensor) -> tuple[Tensor, Tensor]:
    """Coordinates turned by a small angle (clockwise on the screen), by series: |degrees| up to 30."""
    t = degrees * 0.017453292519943295
    s = t * t
    sine, cosine = t * (1 - s / 6 * (1 - s / 20 * (1 - s / 42))), 1 - s / 2 * (1 - s / 12 * (1 - s / 30))
    return cosine * x + sine * y, cosine * y - sine * x
