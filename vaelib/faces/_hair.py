"""The hair of `vaelib.faces`: in front of the face, behind the head, and what is worn in it."""

import torch
from torch import Tensor

from vaelib.faces._painter import Painter
from vaelib.faces._shapes import circle, ellipse, hsl, toward, wave


def cap(p: Painter, f) -> Tensor:
    """Distance to the round of hair on top of the head, with spikes at its sides."""
    x, y = p.wide_x, p.head_y
    tooth = y * 2.3 + 0.35
    tooth = tooth - tooth.floor()
    tooth = torch.minimum(tooth / 0.76, (1 - tooth) / 0.24)
    spikes = f.spikiness * f.spikiness * 0.13 * tooth * tooth * ((x.abs() - 0.35) * 4).clamp(0, 1)
    return ellipse(x, y + 0.12, 0.665 + 0.08 * f.hair_volume, 0.70 + 0.09 * f.hair_volume) - spikes


def fringe(p: Painter, f) -> tuple[Tensor, Tensor]:
    """Distance below the lower edge of the fringe (negative above it), and the lock coordinate of each pixel."""
    x, y = p.wide_x, p.head_y
    part = 0.28 * f.parting
    side = x - part
    lean = 0.5 * side * (y + 0.5)  # the locks fall away from the parting
    lock = (side - lean) * 3.1 + 0.5
    edge = -0.22 + 0.20 * f.fringe_length + 0.55 * x * x
    edge = edge - (0.10 + 0.16 * f.parting.abs()) / (1 + side * side * 50)  # the gap at the parting
    depth = 0.05 + 0.18 * f.spikiness
    edge = edge + depth * (wave(lock) - 0.45) + 0.3 * depth * (wave(lock * 2.37 + 0.3) - 0.4)
    return (y - edge) * 0.62, lock


def side_locks(p: Painter, f, top: Tensor) -> Tensor:
    """Distance to the two locks that frame the face."""
    x, y = p.wide_x, p.head_y
    tip = 0.22 + 0.62 * f.side_locks
    t = ((y + 0.25) / (tip + 0.25)).clamp(min=0)
    middle = 0.545 + 0.07 * f.hair_volume - 0.03 * t + 0.10 * t * (1 - t)
    half = 0.115 * (1 - t * t)
    return torch.maximum((x.abs() - middle).abs() - half, torch.where(y < -0.12, top, -1.0))


def front(p: Painter, f, hair: Tensor, top: Tensor) -> Tensor:
    """Fringe, side locks, shine and strands. Returns the distance below the fringe, for its shadow."""
    x, y = p.wide_x, p.head_y
    below, lock = fringe(p, f)
    shape = torch.minimum(torch.maximum(top, below), side_locks(p, f, top))
    cover = p.inside(shape)
    ring = (ellipse(x, y + 0.02, 0.60, 0.60) + 0.05 * (wave(lock * 2) - 0.5)).abs() - 0.05
    shine = p.inside(ring) * cover * ((0.42 - x * x) * 2.2).clamp(0, 1) * ((-0.05 - y) * 8).clamp(0, 1)
    p.paint("hair", toward(hair, 1, 0.5), shine * 0.85)
    down = ((y + 0.62) * 1.5).clamp(0, 1)
    strand = (0.16 * down - wave(lock)) * 9
    p.paint("hair", toward(hair, 0, 0.32), strand.clamp_(0, 1) * cover * 0.8)
    p.paint("hair", toward(hair, 0, 0.18), p.inside(ellipse(x + 0.06, y + 0.2, 0.56, 0.64)).neg().add(1) * cover)
    p.paint("hair", toward(hair, 1, 0.30), (y - 0.05).clamp(0, 0.6) * cover)  # lighter towards the tips
    p.paint("hair", hair, cover)
    p.fill("hair", toward(hair, 0, 0.55), shape - 0.022)
    return below


def behind(p: Painter, f, hair: Tensor, top: Tensor) -> None:
    """The hair behind the head, darker than in front: from the nape to below the picture."""
    x, y = p.wide_x, p.head_y
    wide = 0.665 + 0.08 * f.hair_volume
    end = 0.22 + 1.1 * f.back_length
    t = ((y + 0.12) / (end + 0.12)).clamp(0, 1)
    t4 = t * t
    t4 = t4 * t4
    half = wide * (1 + (0.34 * f.back_length - 0.22) * t) - 0.10 * t4
    ragged = (0.03 + 0.09 * f.spikiness) * wave(x * 2.6 + 0.5)
    fall = torch.maximum(x.abs() - half, (y - end - ragged) * 0.8)
    shape = torch.where(y < -0.12, top, fall)
    strands = ((0.10 - wave(x * 2.6)) * 8).clamp_(0, 1) * p.inside(shape)
    p.paint("hair", toward(hair, 0, 0.45), strands * 0.6)
    p.fill("hair", toward(hair, 0, 0.28), shape)
    p.fill("hair", toward(hair, 0, 0.6), shape - 0.022)


def twin_tails(p: Painter, f, hair: Tensor) -> None:
    """A tail at each side with its band (tied 1)."""
    a, y = p.wide_x.abs(), p.head_y
    on = (f.tied == 1).float()
    end = 0.30 + 0.75 * f.back_length
    t = ((y + 0.48) / (end + 0.48)).clamp(min=0)
    across = a - 0.61 - 0.50 * t * (1.5 - t)
    half = 0.02 + 0.86 * t * (1 - t) * (1.15 - 0.6 * t) - 0.02 * t
    tail = torch.maximum((across.abs() - half) * 0.9, -0.48 - y)
    inner = torch.maximum(tail + 0.03, across + 0.25 * half)
    band = p.window(-0.62, -0.03)
    tie = ellipse(band.crop(a) - 0.69, band.crop(y) + 0.35, 0.06, 0.10)
    band.fill("outfit", hsl(f.outfit_hue, 0.62, 0.56), tie, on)
    band.fill("outfit", hsl(f.outfit_hue, 0.62, 0.28), tie - 0.02, on)
    p.fill("hair", toward(hair, 0, 0.28), inner, on)
    p.fill("hair", hair, tail, on)
    p.fill("hair", toward(hair, 0, 0.55), tail - 0.022, on)


def buns(p: Painter, f, hair: Tensor) -> None:
    """A round knot at each side of the crown (tied 2)."""
    p = p.window(-2.0, -0.2)
    a, y = p.wide_x.abs(), p.head_y
    bun = circle(a - 0.45, y + 0.74, 0.19 + 0.04 * f.hair_volume)
    on = (f.tied == 2).float()
    curl = circle(a - 0.27, y + 0.60, 0.24).abs() - 0.011
    p.fill("hair", toward(hair, 0, 0.45), torch.maximum(curl, bun + 0.02), on)
    p.fill("hair", toward(hair, 0, 0.12), bun, on)
    p.fill("hair", toward(hair, 0, 0.55), bun - 0.022, on)


def antenna(p: Painter, f, hair: Tensor) -> None:
    """The single lock that stands up from the crown: its foot is hidden by the hair in front."""
    p = p.window(-2.0, -0.55, -0.8, 1.0)
    x, y = p.wide_x, p.head_y
    foot, height = -0.74 - 0.08 * f.hair_volume, 0.12 + 0.22 * f.antenna
    t = ((foot - y) / height).clamp(min=0)
    bend, slope = 0.24 * t * t - 0.07 * t, (0.48 * t - 0.07) / height
    shape = ((x - 0.03 - bend).abs() - 0.075 * (1 - t)) / (1 + slope * slope).sqrt()
    shape = torch.maximum(shape, torch.maximum(y - foot, foot - height - 0.02 - y))
    p.fill("hair", hair, shape)
    p.fill("hair", toward(hair, 0, 0.55), shape - 0.02)


def bow(p: Painter, f) -> None:
    """A bow at the side of the head (accessory 1)."""
    p = p.window(-0.93, -0.16, -0.14, 1.02)
    x, y = p.wide_x, p.head_y
    on = (f.accessory == 1).float()
    u, v = x - 0.42, y + 0.58
    u, v = 0.8 * u + 0.6 * v, 0.8 * v - 0.6 * u
    wings = torch.maximum(v.abs() - 0.045 - 0.50 * u.abs(), circle(u, v, 0.23)) * 0.9
    knot = ellipse(u, v, 0.065, 0.075)
    cloth = hsl(f.outfit_hue, 0.62, 0.56)
    p.fill("outfit", toward(cloth, 1, 0.3), knot, on)
    p.fill("outfit", toward(cloth, 0, 0.5), knot - 0.02, on)
    p.fill("outfit", cloth, wings, on)
    p.fill("outfit", toward(cloth, 0, 0.5), wings - 0.022, on)


def cat_ears(p: Painter, f, hair: Tensor) -> None:
    """Two pointed ears (accessory 3)."""
    p = p.window(-2.0, -0.08)
    x, y = p.wide_x, p.head_y
    u, v = x.abs() - 0.43, y + 0.62
    u, v = 0.94 * u + 0.34 * v, 0.94 * v - 0.34 * u
    ear = torch.maximum((u.abs() - 0.62 * (v + 0.36) + 0.4 * u * u) * 0.8, v - 0.2)
    on = (f.accessory == 3).float()
    p.fill("hair", toward(hair, 1, 0.5), ear + 0.075, on)
    p.fill("hair", hair, ear, on)
    p.fill("hair", toward(hair, 0, 0.55), ear - 0.022, on)
