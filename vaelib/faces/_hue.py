"""The hue that a picture shows where a mask says so, and how far two hues are apart."""

import torch
from torch import Tensor

from vaelib import _guard


def hue(images: Tensor, mask: Tensor) -> Tensor:
    """Mean hue inside a mask: the direction of the sum of the hue vectors, each as long as its colour is strong.

    Args:
        images: (B, 3, H, W) RGB on any scale: uint8, or floating point 0 to 1.
        mask: (B, H, W) weight of each pixel, >= 0 and on any scale: shares, 0 and 255, or True and False.

    Returns:
        (B,) degrees, 0 red, 120 green, 240 blue, float32 (float64 if one of the two is); NaN where the mask is empty
        or holds only greys.

    Raises:
        TypeError: not real tensors.
        ValueError: images is not (B, 3, H, W), the mask not (B, H, W), or a weight below 0 (looked at on a CPU).

    Source: Hanbury (2008), the hue of the chroma plane; within 1.2 degrees of the hue of HSV.
    Book: chapter 8.
    """
    images, mask = _as_floats(images=images, mask=mask)
    _guard.floats(images=(images, "(B, 3, H, W)"), mask=(mask, "(B, H, W)"))
    if mask.device.type == "cpu" and not _guard.holds((mask >= 0).all()):
        raise ValueError(f"mask must hold weights of at least 0; got {mask.min():g}")
    red, green, blue = (images * mask[:, None]).flatten(2).sum(2).unbind(1)  # (B,) each
    across, up = red - (green + blue) / 2, (green - blue) * 3**0.5 / 2
    degrees = torch.rad2deg(torch.atan2(up, across)) % 360
    grey = across.hypot(up) <= 1e-6 * (red + green + blue)
    return degrees.masked_fill(grey, float("nan"))


def hue_distance(a: Tensor, b: Tensor) -> Tensor:
    """The shorter way round between two hues in degrees: 0 the same, 180 opposite.

    Args:
        a, b: real tensors of any dtypes, whose shapes broadcast.

    Returns:
        0 to 180, float32 (float64 if one of the two is); NaN where a hue is NaN.

    Raises:
        TypeError: not real tensors.
        ValueError: the shapes do not broadcast.

    Book: chapter 8.
    """
    a, b = _as_floats(a=a, b=b)
    _guard.floats(a=(a, "(...)"), b=(b, "(...)"))
    return ((a - b + 180) % 360 - 180).abs()


def _as_floats(**tensors: Tensor) -> list[Tensor]:
    """Real tensors in one floating dtype, before anything is added or multiplied: 255 has no room for a sum."""
    for name, value in tensors.items():
        _guard.dense(name, value)
        if value.is_complex():
            raise TypeError(f"{name} must be real; got {value.dtype}")
    double = any(value.dtype == torch.float64 for value in tensors.values())
    return [value.to(torch.float64 if double else torch.float32) for value in tensors.values()]
