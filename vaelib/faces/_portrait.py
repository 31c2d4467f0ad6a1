"""The whole portrait of `vaelib.faces`: its parts in their order, with the body and the background."""

import torch

from vaelib.faces import _hair, _parts
from vaelib.faces._painter import Painter
from vaelib.faces._shapes import circle, hsl, rgb, toward


def portrait(f, size: int, regions: tuple[str, ...] = ()) -> Painter:
    """All parts from front to back.

    Args:
        f: record of factors, each (B, 1, 1).
        size: height and width in pixels.
        regions: names of the regions to measure; none: paint the colours.

    Returns:
        Painter with `image` or `seen` filled.
    """
    p = Painter(f.head_tilt, f.face_width, size, regions)
    hair = hsl(f.hair_hue, f.hair_saturation, f.hair_lightness)
    face, top = _parts.head(p, f), _hair.cap(p, f)
    _parts.glasses(p, f)
    _hair.bow(p, f)
    _parts.brows(p, f, hair)
    below = _hair.front(p, f, hair, top)
    _hair.antenna(p, f, hair)
    _hair.cat_ears(p, f, hair)
    _parts.eyes(p, f)
    _parts.mouth(p, f)
    _parts.nose_and_blush(p, f, face)
    _parts.skin(p, f, face, below)
    body(p, f)
    _hair.twin_tails(p, f, hair)
    _hair.buns(p, f, hair)
    _hair.behind(p, f, hair, top)
    background(p, f)
    return p


def body(p: Painter, f) -> None:
    """Collar, outfit and neck. The body does not tilt."""
    p = p.window(0.38, 2.0)
    x, y = p.x, p.y
    a = x.abs()
    colour = _parts.skin_colour(f)
    cloth = hsl(f.outfit_hue, 0.50, 0.52)
    line = colour * rgb(x, 0.55, 0.38, 0.38)
    shoulder = (0.775 + 0.44 * a * a * a - y) * 0.85
    open_neck = (a - 0.23 + 0.75 * (y - 0.74)) * 0.8
    torso = torch.maximum(shoulder, -open_neck).expand(len(colour), -1, -1)
    tie = torch.minimum(circle(x, y - 0.94, 0.055), torch.maximum((y - 0.94).abs() - 0.025 - 0.4 * a, a - 0.14))
    tie = tie.expand(len(colour), -1, -1)
    p.fill("outfit", hsl(f.outfit_hue, 0.75, 0.66), tie)
    p.fill("outfit", toward(cloth, 0, 0.6), tie - 0.02)
    collar = torch.maximum(torso, open_neck - 0.20)
    stripe = (open_neck - 0.135).abs() - 0.018
    p.paint("outfit", cloth, p.inside(stripe) * p.inside(collar + 0.01))
    p.fill("outfit", toward(cloth, 1, 0.85), collar + 0.015)
    p.fill("outfit", toward(cloth, 0, 0.5), collar)
    p.fill("outfit", cloth, torso)
    p.fill("outfit", toward(cloth, 0, 0.6), torso - 0.02)
    neck = torch.maximum(a - 0.145 - 2.2 * (y - 0.80).clamp(min=0), 0.4 - y).expand(len(colour), -1, -1)
    p.fill("shadow", colour * rgb(x, 0.80, 0.66, 0.68), torch.maximum(neck, circle(x, y - 0.45, 0.34)))
    p.fill("skin", colour, neck)
    p.fill("line", line, neck - 0.02)


def background(p: Painter, f) -> None:
    """A soft colour, fading downwards, with a lighter disc behind the head."""
    colour = hsl(f.background_hue, 0.60, 0.80)
    fade = (0.35 + 0.35 * p.y).clamp(0, 1).expand_as(p.left)
    disc = circle(p.x, p.y + 0.02, 0.88).expand_as(p.left)
    p.fill("background", toward(colour, 1, 0.55), disc)
    p.paint("background", toward(colour, 1, 0.6), fade)
    p.paint("background", colour, torch.ones_like(p.left))
