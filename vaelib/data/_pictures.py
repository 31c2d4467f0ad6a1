"""One picture file as 64x64 RGB: nothing is decoded before its header has been looked at, and pixels alone decide."""

import os
import warnings
from io import BytesIO
from pathlib import Path

import numpy as np

SIZE = 64
FORMATS = ("JPEG", "PNG", "WEBP")  # no other decoder is ever asked
MAX_PIXELS, MAX_BYTES = 50_000_000, 100_000_000  # looked up before decoding: a small file can unpack to gigabytes

ANIMATED = "animated (first frame taken)"
UNREADABLE = "not a readable picture"
CLOSED, STARVED = "a file that cannot be opened", "too large for the memory that is left"  # may be well next time
TOO_LARGE = f"larger than {MAX_PIXELS // 10**6} megapixels or {MAX_BYTES // 10**6} MB"
ORIENTATION = 0x0112
SEEN = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")  # the chunks of a png that say what is seen
SHALLOW = {"L;2": 85, "L;4": 17}  # levels of a grey png of two and four bits, which are decoded to 0..255


def read_picture(path: Path) -> tuple[np.ndarray | None, str | None]:
    """(3, 64, 64) uint8, or None; and what there is to say about the file, or None."""
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_size > MAX_BYTES:
                return None, TOO_LARGE
            picture, problem = _decode(file)
            if problem == UNREADABLE and (data := _bare(file)):
                picture, problem = _decode(BytesIO(data))
            return picture, problem
    except OSError:  # closed to us, or gone since we looked
        return None, CLOSED


def _decode(file) -> tuple[np.ndarray | None, str | None]:
    from PIL import Image

    try:
        with warnings.catch_warnings(action="ignore"), Image.open(file, formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                return None, TOO_LARGE
            moves = image.format in ("PNG", "WEBP") and getattr(image, "n_frames", 1) > 1  # a camera's MPO does not
            return _square(image), ANIMATED if moves else None
    except Image.DecompressionBombError:
        return None, TOO_LARGE
    except MemoryError:
        return None, STARVED
    except Exception as error:  # a damaged file can raise nearly anything inside a decoder; it is counted and named
        if isinstance(error, OSError) and error.errno:  # no decoder's word, but the disk's
            raise
        return None, UNREADABLE


def _bare(file) -> bytes:
    """A png less what does not change the picture: broken notes, times, profiles are no fault of the pixels; or b""."""
    file.seek(0)
    kept = [file.read(8)]
    while kept[0] == b"\x89PNG\r\n\x1a\n" and len(head := file.read(8)) == 8:
        rest = file.read(int.from_bytes(head[:4], "big") + 4)
        kept += [head, rest] if head[4:] in SEEN else []
    return b"".join(kept) if len(kept) > 1 else b""


def _square(image) -> np.ndarray:
    """The central square as (3, 64, 64) uint8, upright, RGB, on white."""
    from PIL import Image

    image.draft(None, (4 * SIZE, 4 * SIZE))  # a large jpg is decoded at a fraction of its size, much faster
    stored, clear = image.tile[0][3] if image.format == "PNG" and image.tile else "", image.info.get("transparency")
    image.load()
    turn = _turn(image)
    image = image if turn is None else image.transpose(turn)
    side = min(image.size)
    left, top = ((length - side) // 2 for length in image.size)
    image = _eight_bits(image.crop((left, top, left + side, top + side)), stored, clear)
    image = image.convert("RGBA").resize((SIZE, SIZE), Image.Resampling.LANCZOS)
    image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return np.asarray(image)[..., :3].transpose(2, 0, 1)


def _turn(image):
    """What makes the picture upright, or None; a broken EXIF block says nothing about the pixels."""
    from PIL.Image import Transpose

    turns = (None, Transpose.FLIP_LEFT_RIGHT, Transpose.ROTATE_180, Transpose.FLIP_TOP_BOTTOM)
    turns += (Transpose.TRANSPOSE, Transpose.ROTATE_270, Transpose.TRANSVERSE, Transpose.ROTATE_90)
    try:
        return dict(enumerate(turns, start=1)).get(image.getexif().get(ORIENTATION))
    except Exception:
        return None


def _eight_bits(image, stored: str, clear):
    """The picture in 8 bits, and the value that is transparent in the same scale: `convert` would lose both."""
    from PIL import Image

    if image.mode.startswith("I"):  # 16-bit grey
        grey = np.asarray(image)
        levels, alpha = (grey >> 8).astype(np.uint8), np.where(grey == clear, 0, 255).astype(np.uint8)
        return Image.merge("LA", [Image.fromarray(levels), Image.fromarray(alpha)])
    if clear is not None and stored in SHALLOW:
        image.info["transparency"] = clear * SHALLOW[stored]
    if clear is not None and stored == "RGB;16B":
        image.info["transparency"] = tuple(level >> 8 for level in clear)
    return image
