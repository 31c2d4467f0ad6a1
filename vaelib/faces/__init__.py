"""Animation faces drawn from known factors: every picture comes with the truth about it."""

from collections import namedtuple
from typing import NamedTuple

import torch
from torch import Tensor

from vaelib import _guard
from vaelib.faces._hue import hue, hue_distance
from vaelib.faces._painter import Painter
from vaelib.faces._portrait import portrait

__all__ = ["FACTORS", "REGIONS", "Factor", "draw", "hue", "hue_distance", "regions", "sample_factors"]


class Factor(NamedTuple):
    """One number behind a face.

    Attributes:
        low, high: the range, both ends included.
        unit: "degrees", "share" (of the largest effect), "ratio" (to the usual size) or "kind" (a whole number).
        what: what it changes, and what its ends mean.
        circular: True when `high` is the same as `low`: a hue.
    """

    low: float
    high: float
    unit: str
    what: str
    circular: bool = False


FACTORS = {
    "head_tilt": Factor(-14, 14, "degrees", "turns the head to its right or left shoulder"),
    "face_width": Factor(0.93, 1.07, "ratio", "narrow to wide"),
    "jaw": Factor(0, 1, "share", "pointed to round chin"),
    "skin_depth": Factor(0, 1, "share", "fair to deep"),
    "skin_undertone": Factor(-1, 1, "share", "rosy to golden"),
    "eye_size": Factor(0.86, 1.14, "ratio", "small to large"),
    "eye_spacing": Factor(-1, 1, "share", "close together to far apart"),
    "eye_openness": Factor(0.6, 1.1, "ratio", "narrow to round"),
    "eye_tilt": Factor(-10, 10, "degrees", "outer corners down or up"),
    "eye_hue": Factor(0, 360, "degrees", "colour of the iris", True),
    "gaze": Factor(-1, 1, "share", "looks to the left or right of the picture"),
    "brow_height": Factor(-1, 1, "share", "low to high"),
    "brow_tilt": Factor(-1, 1, "share", "worried to stern"),
    "mouth_curve": Factor(-0.6, 1, "share", "frown to smile"),
    "mouth_open": Factor(0, 1, "share", "closed to open"),
    "blush": Factor(0, 1, "share", "none to strong"),
    "hair_hue": Factor(0, 360, "degrees", "colour of the hair and brows", True),
    "hair_saturation": Factor(0.05, 0.85, "share", "grey to vivid"),
    "hair_lightness": Factor(0.15, 0.85, "share", "dark to light"),
    "hair_volume": Factor(0, 1, "share", "close to the head to full"),
    "fringe_length": Factor(0, 1, "share", "high on the forehead to just above the eyes"),
    "parting": Factor(-1, 1, "share", "left to right of the picture"),
    "spikiness": Factor(0, 1, "share", "straight cut to deep spikes"),
    "side_locks": Factor(0, 1, "share", "down to the ears to below the chin"),
    "back_length": Factor(0, 1, "share", "short, bob, long"),
    "tied": Factor(0, 2, "kind", "0 loose, 1 twin tails, 2 buns"),
    "antenna": Factor(0, 1, "share", "the lock that stands up: none to tall"),
    "accessory": Factor(0, 3, "kind", "0 none, 1 bow, 2 glasses, 3 cat ears"),
    "outfit_hue": Factor(0, 360, "degrees", "colour of outfit and bow", True),
    "background_hue": Factor(0, 360, "degrees", "colour of the background", True),
}
REGIONS = (
    "background", "hair", "skin", "shadow", "line", "blush", "white", "iris", "pupil", "highlight", "lashes",
    "brows", "mouth", "glasses", "outfit",
)  # fmt: skip
_Face = namedtuple("_Face", FACTORS)


def sample_factors(n: int, generator: torch.Generator | None = None, device: torch.device | None = None) -> Tensor:
    """Factors of `n` faces, each factor uniform in its range and independent of the others.

    Args:
        n: how many faces, >= 0.
        generator: where the randomness comes from; None: the global one.
        device: where the factors are made; None: the generator's device, or else torch's own choice.

    Returns:
        (n, F) float32, columns in the order of FACTORS; a factor with unit "kind" holds whole numbers.

    Raises:
        TypeError, ValueError: n is no whole number of at least 0, or the generator is not on the device.

    Book: chapter 7.
    """
    _guard.counts(0, n=n)
    if device is None:
        device = generator.device if isinstance(generator, torch.Generator) else torch.get_default_device()
    device = _guard.device(device)
    _guard.noise(generator, device)
    like = {"device": device, "dtype": torch.float32}
    low, high, kind = torch.tensor([(f.low, f.high, f.unit == "kind") for f in FACTORS.values()], **like).T
    u = torch.rand(n, len(FACTORS), generator=generator, **like)
    spread = torch.where(kind > 0, (u * (high - low + 1)).floor(), u * (high - low))
    return torch.minimum(low + spread, high)


def draw(factors: Tensor, size: int = 64, chunk: int = 32) -> Tensor:
    """The faces as pictures. The same factors give the same bytes, whatever else is drawn with them.

    Args:
        factors: (B, F) in the order of FACTORS, each within its range.
        size: height and width in pixels, >= 16.
        chunk: how many faces are drawn at a time, >= 1: sets the memory used, not the result.

    Returns:
        (B, 3, size, size) uint8 RGB, 0 to 255, on the device of `factors`.

    Raises:
        TypeError: factors is not a floating tensor, or size or chunk no whole number.
        ValueError: a wrong number of columns, a factor that is not a number or out of its range, or size or chunk
            too small.

    Book: chapter 7.
    """
    factors = _checked(factors, size, chunk)
    pictures = torch.empty(len(factors), 3, size, size, dtype=torch.uint8, device=factors.device)
    for start in range(0, len(factors), chunk):
        part = slice(start, start + chunk)
        pictures[part] = _portrait(factors[part], size).image.mul_(255).round_().clamp_(0, 255).to(torch.uint8)
    return pictures


def regions(factors: Tensor, size: int = 64, chunk: int = 32) -> dict[str, Tensor]:
    """What each pixel shows: one mask per name in REGIONS. In every pixel the masks sum to 1.

    Args, Raises: as in `draw`.

    Returns:
        name -> (B, size, size) float32, the visible share of each pixel, 0 to 1. "skin" is without the parts
        that lie in shadow; "hair" is all hair that shows, front and back, without the brows.

    Book: chapter 8.
    """
    factors = _checked(factors, size, chunk)
    seen = {name: factors.new_empty(len(factors), size, size) for name in REGIONS}
    for start in range(0, len(factors), chunk):
        part = slice(start, start + chunk)
        for name, share in _portrait(factors[part], size, REGIONS).seen.items():
            seen[name][part] = share
    return seen


def _checked(factors: Tensor, size: int, chunk: int) -> Tensor:
    _guard.counts(16, size=size)
    _guard.counts(1, chunk=chunk)
    _guard.floats(factors=(factors, f"(B, {len(FACTORS)})"))
    _guard.readable(factors=factors)
    for (name, factor), column in zip(FACTORS.items(), factors.T.float().cpu(), strict=True):
        inside = (column >= factor.low) & (column <= factor.high)
        if factor.unit == "kind":
            inside &= column == column.round()
        if not inside.all():
            expected = f"{'a whole number ' if factor.unit == 'kind' else ''}from {factor.low:g} to {factor.high:g}"
            raise ValueError(f"{name} must be {expected} ({factor.unit}); got {column[~inside][0].item():g}")
    return factors.float()


def _portrait(factors: Tensor, size: int, names: tuple[str, ...] = ()) -> Painter:
    return portrait(_Face(*factors.T[:, :, None, None]), size, names)
