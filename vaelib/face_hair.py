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
    edge = -0.12 + 0.24 * f.fringe_length + 0.55 * x * x
    edge = edge - (0.10 + 0.16 * f.parting.abs()) / (1 + side * side * 60)  # the gap at the parting
    depth = 0.06 + 0.20 * f.spikiness
    edge = edge + depth * (wave(lock) - 0.45) + 0.3 * depth * (wave(lock * 2.37 + 0.3) - 0.4)
    return (y - edge) * 0.62, lock


def side_locks(f, x: Tensor, y: Tensor) -> Tensor:
    """Distance to the two locks that frame the face."""
    tip = 0.22 + 0.62 * f.side_locks
    t = ((y + 0.25) / (tip + 0.25)).clamp(0, 1)
    middle = 0.575 - 0.03 * t + 0.09 * t * (1 - t)
    half = 0.115 * (1 - t * t)
    return torch.maximum((x.abs() - middle).abs() - half, torch.maximum(y - tip, -0.3 - y))


def front(p: Painter, f, x: Tensor, y: Tensor, hair: Tensor) -> Tensor:
    """Fringe, side locks, shine and strands. Returns the distance below the fringe, for its shadow."""
    below, lock = fringe(f, x, y)
    top = cap(f, x, y)
    shape = torch.minimum(torch.maximum(top, below), side_locks(f, x, y))
    cover = p.inside(shape)
    ring = (ellipse(x, y + 0.02, 0.60, 0.60) + 0.05 * (wave(lock * 2) - 0.5)).abs() - 0.05
    shine = p.inside(ring) * cover * ((0.42 - x * x) * 2.2).clamp(0, 1) * (y < -0.1)
    p.paint("hair", toward(hair, 1, 0.45), shine * 0.75)
    strand = (0.10 - wave(lock + 0.5) * 0.9) * 8 * ((y + 0.75) * 1.2).clamp(0, 1)
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
    tail_end = 0.35 + 0.75 * f.back_length
    t = ((y + 0.42) / (tail_end + 0.42)).clamp(0, 1)
    tail = (a - 0.66 - 0.34 * t * (1.5 - t)).abs() - 0.06 - 0.55 * t * (1 - t) * (1.25 - 0.6 * t) + 0.06 * t
    tail = torch.maximum(tail * 0.9, torch.maximum(-0.42 - y, y - tail_end))
    tail = torch.where(f.tied == 1, tail, far)
    bun = torch.where(f.tied == 2, circle(a - 0.47, y + 0.70, 0.20 + 0.04 * f.hair_volume), far)
    tied = torch.minimum(tail, bun)
    p.fill("hair", toward(hair, 0, 0.12), tied)
    p.fill("hair", toward(hair, 0, 0.55), tied - 0.022)
    p.fill("hair", dark, shape)
    p.fill("hair", toward(hair, 0, 0.6), shape - 0.022)


def antenna(p: Painter, f, x: Tensor, y: Tensor, hair: Tensor) -> None:
    """The single lock that stands up from the crown."""
    height = 0.26 * f.antenna
    t = ((-0.78 - y) / (height + 1e-3)).clamp(0, 1)
    bend = 0.20 * t * t - 0.05 * t
    shape = torch.maximum((x - 0.02 - bend).abs() - 0.055 * (1 - t), torch.maximum(-0.78 - height - y, y + 0.70))
    shape = torch.where(f.antenna > 0, shape, torch.ones_like(shape))
    p.fill("hair", hair, shape)
    p.fill("hair", toward(hair, 0, 0.55), shape - 0.02)


def ears_and_ribbon(p: Painter, f, x: Tensor, y: Tensor, hair: Tensor) -> None:
    """A bow at the side of the head (accessory 1) or cat ears (accessory 3)."""
    far = torch.full_like(x[:, :1, :1], 4.0)
    u, v = x - 0.44, y + 0.56
    u, v = 0.8 * u + 0.6 * v, 0.8 * v - 0.6 * u
    wing = torch.maximum(v.abs() - 0.05 - 0.55 * u.abs(), u.abs() - 0.24)
    bow = torch.where(f.accessory == 1, wing * 0.85, far)
    knot = torch.where(f.accessory == 1, ellipse(u, v, 0.065, 0.08), far)
    cloth = hsl(f.outfit_hue, 0.62, 0.56)
    p.fill("outfit", toward(cloth, 1, 0.25), knot)
    p.fill("outfit", toward(cloth, 0, 0.5), knot - 0.02)
    p.fill("outfit", cloth, bow)
    p.fill("outfit", toward(cloth, 0, 0.5), bow - 0.022)
