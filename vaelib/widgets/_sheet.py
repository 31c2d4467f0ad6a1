"""A sheet of faces as a page carries it: the decoder's pictures over a grid, packed into one image, and a still."""

import base64
import io
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from vaelib import _guard
from vaelib._extras import need
from vaelib.plots import new_figure
from vaelib.widgets._live import PAGE_BYTES, live_figure

RANGES = {"mix": (0, 1), "hair": (0, 1), "skin": (-1, 1)}

SIDE = 64  # pixels of a picture


class SheetNumbers(NamedTuple):
    """Which picture of the sheet the sliders show, and the length of its code."""

    column: int
    row: int
    length: float


def sheet_figure(pictures: Tensor, lengths: Tensor, mix: float = 0.5, hair: float = 0.0, skin: float = 0.0):
    """Two faces mixed and two directions turned, from pictures that the decoder painted beforehand.

    Args:
        pictures: (M, H, S, 3, 64, 64), floats in [0, 1] or uint8: from face A to face B, then red hair from none to
            most, then skin from deep to fair with S odd.
        lengths: of the codes, (M, H, S).
        mix, hair, skin: where the sliders start, within `RANGES`.

    Returns: as `elbo_figure`.

    Raises:
        TypeError, ValueError: as `elbo_figure`; or the pictures have another shape, S is even, a number is not
            finite, or the pictures are too many for a page.

    Book: chapter 8.
    """
    _guard.dense("pictures", pictures)
    _guard.floats(lengths=(lengths, "(...)"))
    if pictures.shape != (*lengths.shape, 3, 64, 64) or lengths.dim() != 3:
        raise ValueError(
            f"pictures must be (M, H, S, 3, 64, 64) with lengths (M, H, S); got {tuple(pictures.shape)} and "
            f"{tuple(lengths.shape)}"
        )
    if pictures.shape[2] % 2 == 0:
        raise ValueError(
            f"pictures must have an odd number S of skins, the face itself in the middle; got {lengths.shape[2]}"
        )
    _guard.nonempty(pictures=pictures)
    _guard.readable(pictures=pictures, lengths=lengths)
    _guard.finite(pictures=pictures, lengths=lengths)
    sheet = packed_sheet(pictures)
    if len(sheet) > PAGE_BYTES:
        raise ValueError(f"pictures must fit into {PAGE_BYTES} bytes of page; got {len(sheet)}: give fewer")
    table = [[[round(x, 2) for x in row] for row in block] for block in lengths.tolist()]
    values = {"mix": mix, "hair": hair, "skin": skin}
    return live_figure("sheet", RANGES, {"sheet": sheet, "lengths": table}, values, sheet_still)


def packed_sheet(pictures: Tensor, quality: int = 60) -> str:
    """Pictures (M, H, S, 3, 64, 64), floats in [0, 1] or uint8, as one WebP image in base64: mix along a row, hair by
    skin downwards."""
    Image = need("PIL.Image", "figures")

    if pictures.dtype != torch.uint8 and pictures.dtype not in _guard.FLOATING:
        raise TypeError(f"pictures must be floats in [0, 1] or uint8; got {pictures.dtype}")
    pictures = pictures.detach().cpu()
    pictures = pictures / 255 if pictures.dtype == torch.uint8 else _guard.lift(pictures)[0]
    grid = pictures.clamp(0, 1).permute(1, 2, 4, 0, 5, 3)  # (H, S, 64, M, 64, 3)
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

    Book: chapter 8.
    """
    sizes = (len(lengths), len(lengths[0]), len(lengths[0][0]))
    places = [int(share * (size - 1) + 0.5) for share, size in zip((mix, hair, (skin + 1) / 2), sizes, strict=True)]
    at_mix, at_hair, at_skin = places
    return SheetNumbers(at_mix, at_hair * sizes[2] + at_skin, lengths[at_mix][at_hair][at_skin])


def sheet_still(sheet: str, lengths: list, mix: float, hair: float, skin: float):
    """The two faces with the mixture between them. Returns the figure."""
    Image = need("PIL.Image", "figures")

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
