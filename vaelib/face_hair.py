"""The hair of `vaelib.faces`: in front of the face, behind the head, and what is worn in it."""

import torch
from torch import Tensor

from vaelib.face_shapes import Painter, circle, ellipse, hsl, toward, wave


def cap(f, x: Tensor, y: Tensor) -> Tensor:
    """Distance to the round of hair on top of the head."""
    return ellipse(x, y + 0.12, 0.665 + 0.08 * f.hair_volume, 0.70 + 0.09 * f.hair_volume)


def fringe(f, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Distance below the lower edge of the fringe (negative above it), and the lock coordinate of each pixel."""
    part = 0.28 * f.parting
    side = x - part
    lean = 0.5 * side * (y + 0.5)  # the locks fall away from the parting
    lock = (side - lean) * 3.1 + 0.5
    edge = -0.22 + 0.20 * f.fringe_length + 0.55 * x * x
    edge = edge - (0.10 + 0.16 * f.parting.abs()) / (1 + side * side * 50)  # the gap at the parting
    depth = 0.05 + 0.18 * f.spikiness
    edge = edge + depth * (wave(lock) - 0.45) + 0.3 * depth * (wave(lock * 2.37 + 0.3) - 0.4)
    return (y - edge) * 0.62, lock


def side_locks(f, x: Tensor, y: Tensor, top: Tensor) -> Tensor:
    """Distance to the two locks that frame the face."""
    tip = 0.22 + 0.62 * f.side_locks
    t = ((y + 0.25) / (tip + 0.25)).clamp(min=0)
    middle = 0.545 + 0.07 * f.hair_volume - 0.03 * t + 0.10 * t * (1 - t)
    half = 0.115 * (1 - t * t)
    return torch.maximum((x.abs() - middle).abs() - half, torch.where(y < -0.12, top, -1.0))


def front(p: Painter, f, x: Tensor, y: Tensor, hair: Tensor) -> Tensor:
    """Fringe, side locks, shine and strands. Returns the distance below the fringe, for its shadow."""
    below, lock = fringe(f, x, y)
    top = cap(f, x, y)
    shape = torch.minimum(torch.maximum(top, below), side_locks(f, x, y, top))
    cover = p.inside(shape)
    ring = (ellipse(x, y + 0.02, 0.60, 0.60) + 0.05 * (wave(lock * 2) - 0.5)).abs() - 0.05
    shine = p.inside(ring) * cover * ((0.42 - x * x) * 2.2).clamp(0, 1) * (y < -0.1)
    p.paint("hair", toward(hair, 1, 0.5), shine * 0.85)
    strand = (0.07 - wave(lock + 0.5) * 0.9) * 12 * ((y + 0.75) * 1.2).clamp(0, 1)
    p.paint("hair", toward(hair, 0, 0.28), strand.clamp_(0, 1) * cover * 0.7)
    p.paint("hair", hair, cover)
    p.fill("hair", toward(hair, 0, 0.55), shape - 0.022)
    return below


def behind(p: Painter, f, x: Tensor, y: Tensor, hair: Tensor) -> None:
    """Buns or twin tails, then the hair behind the head, darker than in front."""
    a = x.abs()
    wide = 0.665 + 0.08 * f.hair_volume
    end = 0.22 + 1.1 * f.back_length
    t = ((y + 0.12) / (end + 0.12)).clamp(0, 1)
    flare = -0.22 + 0.34 * f.back_length
    half = wide * (1 + flare * t) - 0.10 * t * t * t * t
    ragged = (0.03 + 0.09 * f.spikiness) * wave(x * 2.6 + 0.5)
    fall = torch.maximum(a - half, (y - end - ragged) * 0.8)
    shape = torch.where(y < -0.12, cap(f, x, y), fall)
    dark = toward(hair, 0, 0.30)
    far = torch.full_like(x[:, :1, :1], 4.0)
    tail_end = 0.30 + 0.75 * f.back_length
    t = ((y + 0.48) / (tail_end + 0.48)).clamp(min=0)
    tail = (a - 0.57 - 0.52 * t * (1.5 - t)).abs() - 0.02 - 0.86 * t * (1 - t) * (1.15 - 0.6 * t) + 0.02 * t
    tail = torch.maximum(tail * 0.9, -0.48 - y)
    tail = torch.where(f.tied == 1, tail, far)
    bun = torch.where(f.tied == 2, circle(a - 0.47, y + 0.70, 0.20 + 0.04 * f.hair_volume), far)
    tied = torch.minimum(tail, bun)
    band = torch.where(f.tied == 1, ellipse(a - 0.64, y + 0.36, 0.055, 0.09), far)
    p.fill("outfit", hsl(f.outfit_hue, 0.62, 0.56), band)
    p.fill("outfit", hsl(f.outfit_hue, 0.62, 0.28), band - 0.02)
    p.fill("hair", toward(hair, 0, 0.12), tied)
    p.fill("hair", toward(hair, 0, 0.55), tied - 0.022)
    p.fill("hair", dark, shape)
    p.fill("hair", toward(hair, 0, 0.6), shape - 0.022)


def antenna(p: Painter, f, x: Tensor, y: Tensor, hair: Tensor) -> None:
    """The single lock that stands up from the crown: its foot is hidden by the hair in front."""
    foot, height = -0.74 - 0.08 * f.hair_volume, 0.12 + 0.22 * f.antenna
    t = ((foot - y) / height).clamp(min=0)
    bend = 0.24 * t * t - 0.07 * t
    shape = torch.maximum((x - 0.03 - bend).abs() - 0.075 * (1 - t), y - foot) * 0.8
    p.fill("hair", hair, shape)
    p.fill("hair", toward(hair, 0, 0.55), shape - 0.02)


def bow(p: Painter, f, x: Tensor, y: Tensor) -> None:
    """A bow at the side of the head (accessory 1)."""
    far = torch.full_like(x[:, :1, :1], 4.0)
    u, v = x - 0.42, y + 0.58
    u, v = 0.8 * u + 0.6 * v, 0.8 * v - 0.6 * u
    wings = torch.maximum(v.abs() - 0.045 - 0.60 * u.abs(), circle(u, v, 0.23)) * 0.9
    wings = torch.where(f.accessory == 1, wings, far)
    knot = torch.where(f.accessory == 1, ellipse(u, v, 0.065, 0.075), far)
    cloth = hsl(f.outfit_hue, 0.62, 0.56)
    p.fill("outfit", toward(cloth, 1, 0.3), knot)
    p.fill("outfit", toward(cloth, 0, 0.5), knot - 0.02)
    p.fill("outfit", cloth, wings)
    p.fill("outfit", toward(cloth, 0, 0.5), wings - 0.022)


def cat_ears(p: Painter, f, x: Tensor, y: Tensor, hair: Tensor) -> None:
    """Two pointed ears (accessory 3)."""
    u, v = x.abs() - 0.43, y + 0.62
    u, v = 0.94 * u + 0.34 * v, 0.94 * v - 0.34 * u
    ear = torch.maximum((u.abs() - 0.62 * (v + 0.36) + 0.4 * u * u) * 0.8, v - 0.2)
    ear = torch.where(f.accessory == 3, ear, torch.full_like(x[:, :1, :1], 4.0))
    p.fill("hair", toward(hair, 1, 0.5), ear + 0.075)
    p.fill("hair", hair, ear)
    p.fill("hair", toward(hair, 0, 0.55), ear - 0.022)
