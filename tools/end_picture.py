"""Draw book/figures/end.png, the picture of the first page, from the stored models.

    python tools/end_picture.py

Left, digits, and right, faces, all from codes that the latent flows invented. The first draws of one seed, not chosen.
"""

from pathlib import Path

import torch
from torch.nn.functional import interpolate

from vaelib.pretrained import StoredVAE, stored_digits, stored_faces

END = Path(__file__).resolve().parents[1] / "book" / "figures" / "end.png"
SIDE, GAP = 152, 12  # pixels of a face on the page, and between two
DIGITS, FACES = (8, 8), (2, 4)  # rows and columns


def inventions(stored: StoredVAE, count: int) -> torch.Tensor:
    """Decoded draws of the latent flow, (count, D)."""
    return stored.model.decode(stored.prior.sample(count, torch.Generator().manual_seed(0)))


def digits() -> torch.Tensor:
    """(1, 1, rows 28, columns 28) in [0, 1]."""
    rows, columns = DIGITS
    tiles = inventions(stored_digits(), rows * columns).sigmoid().reshape(rows, columns, 28, 28)
    return tiles.permute(0, 2, 1, 3).reshape(1, 1, rows * 28, columns * 28)


def faces() -> torch.Tensor:
    """(rows columns, 3, 64, 64) in [0, 1]."""
    return inventions(stored_faces(), FACES[0] * FACES[1]).reshape(-1, 3, 64, 64).clamp(0, 1)


def main():
    from PIL import Image

    rows, columns = FACES
    height = rows * SIDE + (rows - 1) * GAP
    page = torch.ones(3, height, height + 2 * GAP + columns * SIDE + (columns - 1) * GAP)
    enlarge = {"mode": "bicubic", "antialias": True}
    page[:, :, :height] = interpolate(digits(), size=(height, height), **enlarge)[0]
    for place, face in enumerate(interpolate(faces(), size=(SIDE, SIDE), **enlarge)):
        top, left = place // columns * (SIDE + GAP), height + 2 * GAP + place % columns * (SIDE + GAP)
        page[:, top : top + SIDE, left : left + SIDE] = face
    pixels = (page.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()
    Image.fromarray(pixels).quantize(192, dither=Image.Dither.NONE).save(END, optimize=True)


if __name__ == "__main__":
    with torch.no_grad():
        main()
