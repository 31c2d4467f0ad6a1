"""The parts of a face of `vaelib.faces` that are not hair: head, eyes, brows, mouth, glasses."""

import torch
from torch import Tensor

from vaelib.faces._painter import Painter
from vaelib.faces._shapes import blend, circle, ellipse, hsl, hull, rgb, toward, turned

SKIN = (  # hue in degrees, saturation and lightness, from fair to deep
    (23.0, 0.90, 0.92), (25.0, 0.76, 0.82), (25.0, 0.54, 0.66), (23.0, 0.46, 0.47), (20.0, 0.40, 0.27),
)  # fmt: skip


def skin_colour(f) -> Tensor:
    """From fair to deep; the undertone goes from rosy to golden, at its ends a little past nature."""
    steps = torch.tensor(SKIN, device=f.jaw.device, dtype=f.jaw.dtype)
    colour = steps[0]
    for i in range(len(steps) - 1):
        colour = colour + (f.skin_depth * (len(steps) - 1) - i).clamp(0, 1) * (steps[i + 1] - steps[i])
    hue, saturation, lightness = colour[..., 0:1], colour[..., 1:2], colour[..., 2:3]
    t = f.skin_undertone
    square = t * t
    fancy = square * square * square * square * square
    shift = 8 * t + (36 * t - 14) * fancy
    return hsl(hue + shift, saturation * (1 - 0.45 * fancy), lightness)


def head(p: Painter, f) -> Tensor:
    """Distance to the outline of the face."""
    x, y = p.wide_x, p.head_y
    end = 0.09 + 0.11 * f.jaw
    skull = hull(x, y + 0.02, torch.full_like(end, 0.56), end, 0.69 - end)
    return blend(skull, circle(x, y - 0.19, 0.43 + 0.05 * f.jaw), 0.12)


def skin(p: Painter, f, shape: Tensor, below: Tensor) -> None:
    """Shadow of the fringe, face and ears."""
    p = p.window(-0.65, 0.76, -0.86, 0.86)
    x, y = p.wide_x, p.head_y
    shape, below = p.crop(shape), p.crop(below)
    colour = skin_colour(f)
    shade = colour * rgb(x, 0.84, 0.72, 0.74)
    line = colour * rgb(x, 0.55, 0.38, 0.38)
    cover = p.inside(shape)
    p.paint("shadow", shade, p.inside(below - 0.055) * cover)
    p.paint("skin", colour, cover)
    p.fill("line", line, shape - 0.018)
    ear = ellipse(x.abs() - 0.575, y - 0.20, 0.085, 0.13)
    p.fill("shadow", shade, ear + 0.045)
    p.fill("skin", colour, ear)
    p.fill("line", line, ear - 0.018)


def eye_distance(f) -> Tensor:
    """From the middle of the face to the middle of an eye. (B, 1, 1)"""
    return (0.275 + 0.035 * f.eye_spacing) * f.face_width


def eyes(p: Painter, f) -> None:
    """Lashes, iris, white. Both eyes at once: x is mirrored, the light is not."""
    p = p.window(-0.28, 0.62, -0.77, 0.77)
    u, v = turned(p.head_x.abs() - eye_distance(f), p.head_y - 0.20, -f.eye_tilt)  # u grows towards the ear
    wide, high = 0.178 * f.eye_size, 0.215 * f.eye_size * f.eye_openness
    q = (u / wide) * (u / wide)
    bow = 1 - 0.55 * q - 0.45 * q * q
    upper = -high * bow - v  # positive above the upper lid
    lower = v - 0.88 * high * bow  # positive below the lower lid
    opening = p.inside(torch.maximum(torch.maximum(upper, lower) * 0.75, u.abs() - wide))
    ink = rgb(u, 0.17, 0.10, 0.14)
    lash = torch.maximum(-upper - 0.012, upper - (0.055 + 0.14 * u).clamp(0.035, 0.09))  # thicker towards the ear
    lash = torch.maximum(lash, torch.maximum(-u - wide * 0.98, u - wide * 1.03))
    p.fill("lashes", ink, lash * 0.8)
    iris(p, f, u, v, opening)
    p.paint("white", rgb(u, 0.80, 0.78, 0.86), opening * p.inside(-upper - 0.05))
    p.paint("white", rgb(u, 0.98, 0.98, 1.0), opening)
    p.fill("lashes", ink, torch.maximum(lower.abs() - 0.009, u.abs() - wide * 0.6), 0.55)


def iris(p: Painter, f, u: Tensor, v: Tensor, opening: Tensor) -> None:
    """Two highlights, the pupil, and the iris: dark rim, dark above, light below. All inside the opening."""
    size, side = f.eye_size, 1 - 2 * (p.head_x < 0).to(p.head_x.dtype)
    a, b = u * side - 0.035 * f.gaze, v + 0.01  # not mirrored: the light falls from one side
    large = ellipse(a + 0.045 * size, b + 0.070 * size, 0.047 * size, 0.058 * size)
    small = circle(a - 0.050 * size, b - 0.080 * size, 0.027 * size)
    p.paint("highlight", rgb(u, 1.0, 1.0, 1.0), p.inside(torch.minimum(large, small)) * opening)
    a, b = u - 0.035 * f.gaze * side, v + 0.005
    disc = ellipse(a, b, 0.136 * size, 0.200 * size)
    cover = p.inside(disc) * opening
    p.paint("pupil", rgb(u, 0.10, 0.07, 0.12), p.inside(ellipse(a, b, 0.060 * size, 0.098 * size)) * cover * 0.92)
    colour = hsl(f.eye_hue, 0.75, 0.47)
    p.paint("iris", toward(colour, 0, 0.55), p.inside(-disc - 0.028).neg().add(1) * cover * 0.75)
    p.paint("iris", toward(colour, 0, 0.50), (0.55 - (v + 0.03) * 7).clamp(0, 1) * cover)
    p.paint("iris", hsl(f.eye_hue, 0.90, 0.72), ((v - 0.03) * 8 / size).clamp(0, 1) * cover)
    p.paint("iris", colour, cover)


def brows(p: Painter, f, hair: Tensor) -> None:
    """Two strokes, thicker inside."""
    p = p.window(-0.29, 0.25, -0.70, 0.70)
    x, y = p.head_x, p.head_y
    u = x.abs() - 0.27 - 0.04 * f.eye_spacing
    v = y + 0.045 + 0.07 * f.brow_height - 0.28 * f.brow_tilt * u + 0.9 * u * u
    stroke = torch.maximum(v.abs() - 0.018 + 0.04 * u, u.abs() - 0.125)
    p.fill("brows", toward(hair, 0, 0.55), stroke, 0.85)


def mouth(p: Painter, f) -> None:
    """A line when closed; open, it shows the tongue."""
    p = p.window(0.36, 0.74, -0.24, 0.24)
    x, y = p.head_x, p.head_y
    wide = 0.105 + 0.02 * f.mouth_open + 0.015 * f.mouth_curve
    q = (x / wide) * (x / wide)
    upper = 0.475 - 0.06 * f.mouth_curve * (q - 0.5)
    lower = upper + 0.15 * f.mouth_open * (1 - q)
    sides = x.abs() - wide
    shape = torch.maximum(torch.maximum(upper - y, y - lower), sides)
    cover = p.inside(shape + 0.012)
    p.paint("mouth", rgb(x, 0.95, 0.50, 0.50), p.inside(circle(x, y - lower - 0.035, 0.085)) * cover)
    p.paint("mouth", rgb(x, 0.66, 0.18, 0.22), cover)
    p.fill("mouth", rgb(x, 0.36, 0.12, 0.15), shape - 0.010, 0.9)


def nose_and_blush(p: Painter, f, shape: Tensor) -> None:
    """A hint of a nose; blush under the eyes."""
    p = p.window(0.15, 0.65, -0.64, 0.64)
    x, y = p.head_x, p.head_y
    line = skin_colour(f) * rgb(x, 0.62, 0.42, 0.40)
    p.fill("line", line, ellipse(x - 0.008, y - 0.355, 0.022, 0.016), 0.8)
    cheek = ellipse(x.abs() - 0.345, y - 0.405, 0.12, 0.065)
    soft = (0.5 - cheek * 9).clamp(0, 1) * 0.55
    p.paint("blush", rgb(x, 0.96, 0.38, 0.40), soft * f.blush * p.inside(p.crop(shape)))


def glasses(p: Painter, f) -> None:
    """Round rims with a bridge and a glare."""
    p = p.window(-0.17, 0.62, -0.77, 0.77)
    x, y = p.head_x, p.head_y
    lens = ellipse(x.abs() - eye_distance(f), y - 0.215, 0.205, 0.210)
    rim = torch.minimum(lens.abs() - 0.016, torch.maximum((y - 0.17 + 0.5 * x * x).abs() - 0.014, x.abs() - 0.09))
    on = (f.accessory == 2).float()
    p.fill("glasses", rgb(x, 0.20, 0.16, 0.24), rim, on * 0.95)
    p.paint("glasses", rgb(x, 1.0, 1.0, 1.0), p.inside(lens) * on * 0.10)
