"""From mean to draw as a page carries it: pictures on the way, their power by scale, and a still."""

import base64
import io
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from vaelib import _guard
from vaelib._extras import need
from vaelib.plots import COLORS, label_line, new_figure
from vaelib.widgets._live import PAGE_BYTES, live_figure

RANGES = {"way": (0, 2), "face": (1, 3)}

SHOWN = RANGES["face"][1]  # pictures that the page carries; the spectra are those of all


class SpectrumNumbers(NamedTuple):
    """One step of the way: its column on the sheet, its power by ring, and two numbers.

    `error` is the squared error a pixel of the chosen picture, `fine` the power of all details finer than eight pixels,
    in per cent of that of the data.
    """

    column: int
    error: float
    fine: float
    power: list[float]


def spectrum_figure(
    pictures: Tensor, steps: Tensor, related: Tensor, way: float = 0.0, face: int = 1, neighbours: bool = False
):
    """From the mean code to a draw of the code, and on to a draw of the pixels, with the power at every scale.

    Args:
        pictures: what was encoded, (N, 3, H, H) in [0, 1], N at least 3, H a multiple of 8.
        steps: what is decoded on the way, (N, 2 h + 1, 3, H, H): h steps from the mean code to a drawn one, and h more
            to pixels drawn with independent noise.
        related: the last h steps with noise that knows its neighbours, (N, h, 3, H, H).
        way: 0 for the mean code, 1 for a drawn one, 2 for drawn pixels: where the slider starts.
        face: which picture, from 1.
        neighbours: whether the noise of the pixels is the related one.

    Returns: as `elbo_figure`.

    Raises:
        TypeError, ValueError: as `elbo_figure`; or the tensors do not fit each other, are not finite, or are too much
            for a page.

    Book: chapter 11.
    """
    fixed = packed_steps(pictures, steps, related)
    if len(fixed["sheet"]) > PAGE_BYTES:
        raise ValueError(f"pictures must fit into {PAGE_BYTES} bytes of page; got {len(fixed['sheet'])}: give fewer")
    _guard.counts(1, SHOWN, face=face)
    return live_figure("spectrum", RANGES, fixed, {"way": way, "face": face, "neighbours": neighbours}, spectrum_still)


def packed_steps(pictures: Tensor, steps: Tensor, related: Tensor) -> dict:
    """What the page needs: a sheet of the first pictures and all their steps, the power by ring, and the errors."""
    from vaelib.metrics import radial_spectrum  # here, so that the other figures do without it

    named = {"pictures": pictures, "steps": steps, "related": related}
    half = _expect_steps(named)
    pictures, steps, related = (value.detach().cpu().double() for value in named.values())
    way = torch.cat([steps, related], 1).transpose(0, 1)  # (columns, N, 3, H, H)
    centre = pictures.mean(0)
    data = radial_spectrum(pictures - centre)
    return {
        "sheet": _sheet(torch.cat([pictures[None], way])[:, :SHOWN]),
        "half": half,
        "side": pictures.shape[-1],
        "count": data.count.tolist(),
        "data": _rounded(data.power),
        "spectra": [_rounded(radial_spectrum(made - centre).power) for made in way],
        "errors": [_rounded((made[:SHOWN] - pictures[:SHOWN]).square().mean((1, 2, 3))) for made in way],
    }


def _expect_steps(named: dict[str, Tensor]) -> int:
    """Pictures and their steps fit each other, and can be shown: how many steps lead to a drawn code."""
    for name, value in named.items():
        _guard.floats(**{name: (value, "(...)")})
        _guard.readable(**{name: value})
        _guard.nonempty(**{name: value})
    pictures, _, related = named.values()
    fits = pictures.dim() == 4 and pictures.shape[1] == 3 and pictures.shape[2] == pictures.shape[3]
    if not fits or pictures.shape[3] % 8 or len(pictures) < SHOWN:
        wanted = f"(N, 3, H, H), N at least {SHOWN}, H a multiple of 8"
        raise ValueError(f"pictures must be {wanted}; got {tuple(pictures.shape)}")
    half = max(1, related.shape[1]) if related.dim() == 5 else 1
    count, *picture = pictures.shape
    for name, shape in {"steps": (count, 2 * half + 1, *picture), "related": (count, half, *picture)}.items():
        if named[name].shape != shape:
            raise ValueError(f"{name} must have shape {shape}; got {tuple(named[name].shape)}")
    for name, value in named.items():
        _guard.finite(**{name: value})
    return half


def _rounded(values: Tensor) -> list[float]:
    return [float(f"{value:.5g}") for value in values.tolist()]


def _sheet(pictures: Tensor, quality: int = 70) -> str:
    """Pictures (columns, rows, 3, H, H) as one WebP image in base64."""
    Image = need("PIL.Image", "figures")

    columns, rows, _, side, _ = pictures.shape
    grid = pictures.clamp(0, 1).permute(1, 3, 0, 4, 2).reshape(rows * side, columns * side, 3)
    stored = io.BytesIO()
    Image.fromarray((grid.numpy() * 255).round().astype(np.uint8)).save(
        stored, format="webp", quality=quality, method=6
    )
    return base64.b64encode(stored.getvalue()).decode("ascii")


def spectrum_numbers(sheet, half, side, count, data, spectra, errors, way, face, neighbours) -> SpectrumNumbers:
    """The step where the slider stands.

    Args:
        sheet: not looked at.
        half: steps to a drawn code.
        side: pixels of a picture.
        count, data: frequencies and power of the data, by ring.
        spectra, errors: power by ring of every step; squared error of every step and picture.
        way, face, neighbours: where the sliders and the box stand.

    Book: chapter 11.
    """
    step = int(way * half + 0.5)
    place = step + half if neighbours and step > half else step
    power = spectra[place]
    fine = range(side // 8, len(count))
    shares = [sum(count[i] * values[i] for i in fine) for values in (power, data)]
    return SpectrumNumbers(place + 1, errors[place][int(face + 0.5) - 1], 100 * shares[0] / shares[1], power)


def spectrum_still(sheet, side, data, face, **rest):
    """The picture, what is decoded, and its power by frequency. Returns the figure."""
    Image = need("PIL.Image", "figures")

    n = spectrum_numbers(sheet, side=side, data=data, face=face, **rest)
    pixels, top = np.asarray(Image.open(io.BytesIO(base64.b64decode(sheet)))), side * (int(face + 0.5) - 1)
    figure, axes = new_figure(7, 2.9, panels=3, width_ratios=[1, 1, 1.5])
    for axis, column, name in zip(axes, (0, n.column), ("picture", _name(rest["way"])), strict=False):
        axis.imshow(pixels[top : top + side, column * side : (column + 1) * side], interpolation="nearest")
        axis.set_title(name, size=10)
        axis.axis("off")
    cycles, last = np.arange(1, side // 2 + 1), side // 2
    shares = {name: np.divide(power, data)[1 : last + 1] for name, power in (("q", rest["spectra"][0]), ("p", n.power))}
    axes[2].axhline(1, color=COLORS["data"])
    label_line(axes[2], 1, 1, "data", COLORS["data"], 0, -8)
    axes[2].plot(cycles, shares["q"], "--", color=COLORS["q"])
    label_line(axes[2], last, shares["q"][-1], "mean code", COLORS["q"], 0, -10).set_ha("right")
    axes[2].plot(cycles, shares["p"], color=COLORS["p"])
    axes[2].set(xscale="log", xlabel="cycles per picture", ylabel="power, share of data's", ylim=(0, None))
    axes[2].set_xticks(2 ** np.arange(int(np.log2(last)) + 1), 2 ** np.arange(int(np.log2(last)) + 1))
    axes[2].minorticks_off()
    return figure


def _name(way: float) -> str:
    return "mean code" if way == 0 else "on the way" if way < 1 else "drawn code" if way == 1 else "drawn pixels"
