"""The parts of a face of `vaelib.faces` that are not hair: head, eyes, mouth, body, background."""

import torch
from torch import Tensor

from vaelib.face_shapes import Painter, blend, circle, ellipse, hsl, hull, toward, turned

SKIN = (  # hue in degrees, saturation and lightness, from fair to deep
    (23.0, 0.90, 0.92), (25.0, 0.76, 0.82), (25.0, 0.54, 0.66), (23.0, 0.46, 0.47), (20.0, 0.40, 0.27),
)  # fmt: skip


def rgb(like: Tensor, red: float, green: float, blue: float) -> Tensor:
    """A fixed colour. (1, 3, 1, 1)"""
    return torch.tensor([red, green, blue], device=like.device).reshape(1, 3, 1, 1)


def skin_colour(f) -> Tensor:
    """From fair to deep; the undertone goes from rosy to golden, at its ends a little past nature."""
    steps = torch.tensor(SKIN, device=f.jaw.device)
    colour = steps[0]
    for i in range(len(steps) - 1):
        colour = colour + (f.skin_depth * (len(steps) - 1) - i).clamp(0, 1) * (steps[i + 1] - steps[i])
    hue, saturation, lightness = colour[..., 0:1], colour[..., 1:2], colour[..., 2:3]
    t = f.skin_undertone
    sixth = t * t * t * t * t * t
    shift = 8 * t + (36 * t - 14) * sixth
    return hsl(hue + shift, saturation * (1 - 0.45 * sixth), lightness)


def head(f, x: Tensor, y: Tensor) -> Tensor:
    """Distance to the outline of the face."""
    end = 0.09 + 0.11 * f.jaw
    skull = hull(x, y + 0.02, torch.full_like(end, 0.56), end, 0.69 - end)
    return blend(skull, circle(x, y - 0.19, 0.43 + 0.05 * f.jaw), 0.12)


def skin(p: Painter, f, x: Tensor, y: Tensor, shape: Tensor, below: Tensor) -> None:
    """Shadow of the fringe, face and ears."""
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


def eyes(p: Painter, f, x: Tensor, y: Tensor) -> None:
    """Lashes, highlights, pupil, iris with gradient, white. Both eyes at once: x is mirrored, the light is not."""
    ink = rgb(x, 0.17, 0.10, 0.14)
    wide, high = 0.182 * f.eye_size, 0.212 * f.eye_size * f.eye_openness
    side = torch.where(x < 0, -1.0, 1.0)
    away = (0.275 + 0.035 * f.eye_spacing) * f.face_width
    u, v = turned(x.abs() - away, y - 0.20, -f.eye_tilt)
    gaze = 0.035 * f.gaze * side
    q = (u / wide) * (u / wide)
    bow = 1 - 0.55 * q - 0.45 * q * q
    upper = -high * bow - v  # negative below the upper lid
    lower = v - 0.88 * high * bow
    white = torch.maximum(torch.maximum(upper, lower) * 0.75, u.abs() - wide)
    # the lash line, thicker towards the outer corner, with a short wing
    thick = 0.048 + 0.12 * u
    lash = torch.maximum(upper.neg() - 0.012, upper - thick.clamp(0.03, 0.08))
    lash = torch.maximum(lash, torch.maximum(-u - wide * 0.98, u - wide * 1.07))
    p.fill("lashes", ink, lash * 0.8)
    opening = p.inside(white)
    a, b = u * side - 0.035 * f.gaze, v + 0.01
    glint = torch.minimum(
        ellipse(a + 0.045 * f.eye_size, b + 0.070 * f.eye_size, 0.047 * f.eye_size, 0.058 * f.eye_size),
        circle(a - 0.050 * f.eye_size, b - 0.080 * f.eye_size, 0.027 * f.eye_size),
    )
    p.paint("highlight", rgb(x, 1.0, 1.0, 1.0), p.inside(glint) * opening)
    iris = ellipse(u - gaze, v + 0.005, 0.128 * f.eye_size, 0.185 * f.eye_size)
    colour = hsl(f.eye_hue, 0.70, 0.50)
    cover = p.inside(iris) * opening
    pupil = p.inside(ellipse(u - gaze, v + 0.005, 0.055 * f.eye_size, 0.088 * f.eye_size))
    p.paint("pupil", rgb(x, 0.10, 0.07, 0.12), pupil * cover * 0.92)
    p.paint("iris", toward(colour, 0, 0.55), p.inside(-iris - 0.028).neg().add(1) * cover * 0.75)
    p.paint("iris", toward(colour, 0, 0.50), (0.55 - (v + 0.03) * 7).clamp(0, 1) * cover)
    p.paint("iris", toward(colour, 1, 0.45), ((v - 0.03) * 8 / f.eye_size).clamp(0, 1) * cover)
    p.paint("iris", colour, cover)
    p.paint("shadow", rgb(x, 0.80, 0.78, 0.86), opening * p.inside(upper.neg() - 0.05))
    p.paint("white", rgb(x, 0.98, 0.98, 1.0), opening)
    under = torch.maximum(lower.abs() - 0.009, u.abs() - wide * 0.6)
    p.fill("lashes", ink, under, 0.55)


def brows(p: Painter, f, x: Tensor, y: Tensor, hair: Tensor) -> None:
    """Two strokes, thicker inside."""
    u = x.abs() - 0.27 - 0.04 * f.eye_spacing
    v = y + 0.045 + 0.07 * f.brow_height - 0.28 * f.brow_tilt * u + 0.9 * u * u
    stroke = torch.maximum(v.abs() - 0.022 + 0.035 * u, u.abs() - 0.125)
    p.fill("brows", toward(hair, 0, 0.55), stroke, 0.85)


def mouth(p: Painter, f, x: Tensor, y: Tensor) -> None:
    """A line when closed; open, it shows the tongue."""
    wide = 0.105 + 0.02 * f.mouth_open
    q = (x / wide) * (x / wide)
    upper = 0.475 - 0.05 * f.mouth_curve * (q - 0.4)
    lower = upper + 0.135 * f.mouth_open * (1 - q)
    shape = torch.maximum(torch.maximum(upper - y, y - lower), x.abs() - wide)
    cover = p.inside(shape + 0.01)
    p.paint("mouth", rgb(x, 0.93, 0.47, 0.47), p.inside(circle(x, y - lower - 0.03, 0.085)) * cover)
    p.paint("mouth", rgb(x, 0.62, 0.16, 0.20), cover)
    p.fill("mouth", rgb(x, 0.42, 0.14, 0.16), shape - 0.013, 0.9)


def nose_and_blush(p: Painter, f, x: Tensor, y: Tensor, shape: Tensor) -> None:
    """A hint of a nose; blush under the eyes."""
    line = skin_colour(f) * rgb(x, 0.62, 0.42, 0.40)
    p.fill("line", line, ellipse(x - 0.008, y - 0.355, 0.022, 0.016), 0.8)
    cheek = ellipse(x.abs() - 0.345, y - 0.405, 0.12, 0.065)
    soft = (0.5 - cheek * 9).clamp(0, 1) * 0.55
    p.paint("blush", rgb(x, 0.96, 0.38, 0.40), soft * f.blush * p.inside(shape))


def glasses(p: Painter, f, x: Tensor, y: Tensor) -> None:
    """Round rims with a bridge and a glare."""
    away = (0.275 + 0.035 * f.eye_spacing) * f.face_width
    lens = ellipse(x.abs() - away, y - 0.215, 0.225, 0.225)
    rim = torch.minimum(lens.abs() - 0.016, torch.maximum((y - 0.17 + 0.5 * x * x).abs() - 0.014, x.abs() - 0.09))
    on = f.accessory == 2
    p.fill("glasses", rgb(x, 0.20, 0.16, 0.24), rim, on * 0.95)
    p.paint("glasses", rgb(x, 1.0, 1.0, 1.0), p.inside(lens) * on * 0.10)


def body(p: Painter, f) -> None:
    """Collar, outfit and neck. The body does not tilt."""
    x, y = p.x, p.y
    a = x.abs()
    colour = skin_colour(f)
    cloth = hsl(f.outfit_hue, 0.50, 0.52)
    line = colour * rgb(x, 0.55, 0.38, 0.38)
    shoulder = (0.775 + 0.44 * a * a * a - y) * 0.85
    open_neck = (a - 0.23 + 0.75 * (y - 0.74)) * 0.8
    torso = torch.maximum(shoulder, -open_neck).expand(len(colour), -1, -1)
    collar = torch.maximum(torso, open_neck - 0.11)
    p.fill("outfit", toward(cloth, 1, 0.80), collar + 0.02)
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
