"""A sheet of faces as a page carries it: the decoder's pictures over a grid, packed into one image, and a still."""

import base64
import io
from typing import NamedTuple

import numpy as np
from torch import Tensor

from vaelib.plots import new_figure

SIDE = 64  # pixels of a picture


class SheetNumbers(NamedTuple):
    """Which picture of the sheet the sliders show, and the length of its code."""

    column: int
    row: int
    length: float


def packed_sheet(pictures: Tensor, quality: int = 60) -> str:
    """Pictures (M, H, S, 3, 64, 64) in [0, 1] as one WebP image in base64: mix along a row, hair by skin downwards."""
    from PIL import Image

    grid = pictures.detach().cpu().clamp(0, 1).permute(1, 2, 4, 0, 5, 3)  # (H, S, 64, M, 64, 3)
    hair, skin, mix = pictures.shape[1], pictures.shape[2], pictures.shape[0]
    pixels = (grid.reshape(hair * skin * SIDE, mix * SIDE, 3) * 255).round().byte().numpy()
    stored = io.BytesIO()
    Image.fromarray(pixels).save(stored, format="webp", quality=quality, method=6)
    return base64.b64encode(stored.getvalue()).decode("ascii")


def sheet_numbers(sheet: str, lengths: list, mix: float, hair: float, skin: float) -> SheetNumbers:
    """The cell of the sheet nearest to where the sliders stand.

    Args:
        sheet: from `packed_sheet`; not looked at.
        lengths: the length of the code of every picture, lengths[mix][hair][skin].
        mix, hair: 0 to 1.
        skin: -1 to 1.

    Book: chapter 7.
    """
    sizes = (len(lengths), len(lengths[0]), len(lengths[0][0]))
    places = [int(share * (size - 1) + 0.5) for share, size in zip((mix, hair, (skin + 1) / 2), sizes, strict=True)]
    at_mix, at_hair, at_skin = places
    return SheetNumbers(at_mix, at_hair * sizes[2] + at_skin, lengths[at_mix][at_hair][at_skin])


def sheet_still(sheet: str, lengths: list, mix: float, hair: float, skin: float):
    """The two faces with the mixture between them. Returns the figure."""
    from PIL import Image

    pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(sheet))))
    places = {"face A": (0, 0, 0), "mixed and changed": (mix, hair, skin), "face B": (1, 0, 0)}
    figure, axes = new_figure(7, 3.3, panels=3, width_ratios=[1, 2, 1])
    for axis, (name, place) in zip(axes, places.items(), strict=True):
        n = sheet_numbers(sheet, lengths, *place)
        top, left = SIDE * n.row, SIDE * n.column
        axis.imshow(pixels[top : top + SIDE, left : left + SIDE])
        axis.set_title(name, size=10)
        axis.axis("off")
    return figure
