"""Your own pictures: a folder of jpg, png and webp files as one tensor of 64x64 colour pictures.

A folder may hold anything: nothing is decoded before its header has been looked at, links are not followed,
and what cannot be used is named in one message instead of ending the program.
"""

import hashlib
import json
import os
import stat
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

SIZE = 64
SUFFIXES, FORMATS = (".jpg", ".jpeg", ".png", ".webp"), ("JPEG", "PNG", "WEBP")  # no other decoder is ever asked
LEAST = 10  # pictures; far more are needed to learn from
MAX_PIXELS, MAX_BYTES = 50_000_000, 100_000_000  # looked up before decoding: a small file can unpack to gigabytes
VERSION = 1  # of what is done to a picture: another one makes another cache

ANIMATED = "animated (first frame taken)"
UNREADABLE, LINK, OTHER = "not a readable picture", "a link (not followed)", "not jpg, png or webp"
TOO_LARGE = f"larger than {MAX_PIXELS // 10**6} megapixels or {MAX_BYTES // 10**6} MB"
NO_CACHE = "the cache could not be written, so the next call decodes again"


def load_folder(folder: Path) -> list[Tensor]:
    """Every picture of a folder and its subfolders, cropped to the central square and resized to 64x64.

    Transparent places become white, other colour spaces RGB, EXIF rotation is carried out, and of an animation
    the first frame is taken. Names that begin with a dot are left out. The packed pictures are cached under
    names, sizes and times of the files, in the user's cache folder.

    Args:
        folder: an existing folder.

    Returns:
        Training images (N, 3, 64, 64) uint8 and labels (N,), all 0; then the same for the test set, about every
        tenth picture, chosen by the hash of its name. Prints one message if something was left out.

    Raises:
        ValueError: fewer than ten pictures could be read.

    Book: chapter 7.
    """
    import platformdirs

    folder, problems = folder.resolve(), {}
    files = _files(folder, problems)
    index = Path(platformdirs.user_cache_dir("vaelib")) / "folders" / f"{_key(folder, files)}.json"
    names, images, more = _cached(index) or _packed(index, folder, files)
    message = _message(folder.name, len(names), problems | more)
    if len(names) < LEAST:
        raise ValueError(f"expected at least {LEAST} pictures in {folder}, received {len(names)}. {message}".rstrip())
    if message:
        print(message)
    test, labels = _test_pictures(names), torch.zeros(len(names), dtype=torch.int64)
    return [images[~test], labels[~test], images[test], labels[test]]


def _files(folder: Path, problems: dict[str, list[str]]) -> list[str]:
    """Relative names of the regular files that may be pictures, sorted; the others go to `problems`."""
    found = []
    for path in sorted(_walk(folder, problems)):
        name, mode = path.relative_to(folder).as_posix(), path.lstat().st_mode
        if stat.S_ISLNK(mode):
            problems.setdefault(LINK, []).append(name)
        elif stat.S_ISREG(mode) and path.suffix.lower() in SUFFIXES:
            found.append(name)
        else:  # another kind of file, or a pipe, which would keep us waiting for ever
            problems.setdefault(OTHER, []).append(name)
    return found


def _walk(folder: Path, problems: dict[str, list[str]]) -> Iterator[Path]:
    """Everything below the folder that is no folder, and the links to folders."""

    def closed(error: OSError) -> None:
        problems.setdefault("a folder that cannot be opened", []).append(Path(error.filename).name)

    for here, folders, files in os.walk(folder, onerror=closed):
        links = {name for name in folders if os.path.realpath(Path(here, name)) != str(Path(here, name))}
        yield from (Path(here, name) for name in [*files, *links] if not name.startswith("."))
        folders[:] = [name for name in folders if name not in links and not name.startswith(".")]


def _packed(index: Path, folder: Path, files: list[str]) -> tuple[list[str], Tensor, dict[str, list[str]]]:
    """Decode every file, and leave a cache for the next time."""
    from tqdm.auto import tqdm

    names, problems = [], {}
    images = np.empty((len(files), 3, SIZE, SIZE), np.uint8)
    for name in tqdm(files, desc="pictures", leave=False, disable=os.environ.get("VAELIB_PROGRESS") == "0"):
        picture, problem = _read(folder / name)
        if problem:
            problems.setdefault(problem, []).append(name)
        if picture is not None:
            images[len(names)] = picture
            names.append(name)
    images = images[: len(names)]
    try:
        _write_cache(index, names, images, problems)
    except OSError as full:  # a full disk or a read-only home is no reason to stop
        problems[NO_CACHE] = [str(full.strerror)]
    return names, torch.from_numpy(images), problems


def _read(path: Path) -> tuple[np.ndarray | None, str | None]:
    """(3, 64, 64) uint8, or None; and what there is to say about the file, or None."""
    from PIL import Image

    try:
        if path.stat().st_size > MAX_BYTES:
            return None, TOO_LARGE
        with warnings.catch_warnings(action="ignore"), Image.open(path, formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                return None, TOO_LARGE
            return _square(image), ANIMATED if getattr(image, "n_frames", 1) > 1 else None
    except Image.DecompressionBombError:
        return None, TOO_LARGE
    except Exception:  # a damaged file can raise nearly anything inside a decoder; it is counted and named
        return None, UNREADABLE


def _square(image) -> np.ndarray:
    """The central square as (3, 64, 64) uint8, upright, RGB, on white."""
    from PIL import Image, ImageOps

    image.draft(None, (4 * SIZE, 4 * SIZE))  # a large jpg is decoded at a fraction of its size, much faster
    image = ImageOps.exif_transpose(image)
    side = min(image.size)
    left, top = ((length - side) // 2 for length in image.size)
    image = image.crop((left, top, left + side, top + side))
    if image.mode.startswith("I"):  # 16-bit grey, which `convert` would clip at 255
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    image = image.convert("RGBA").resize((SIZE, SIZE), Image.Resampling.LANCZOS)
    image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return np.asarray(image)[..., :3].transpose(2, 0, 1)


def _key(folder: Path, files: list[str]) -> str:
    """A hash of names, sizes and times: another one as soon as a picture is added, removed or changed."""
    found = hashlib.sha256(f"{VERSION} {SIZE}\0".encode())
    for name in files:
        status = (folder / name).stat()
        found.update(os.fsencode(name) + f"\0{status.st_size} {status.st_mtime_ns}\0".encode())
    return found.hexdigest()


def _write_cache(index: Path, names: list[str], images: np.ndarray, problems: dict[str, list[str]]) -> None:
    """Pictures first, then the index that vouches for them; each written aside and moved into place."""
    index.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=index.parent) as aside:
        pixels, words = Path(aside) / "images.npy", Path(aside) / "index.json"
        np.save(pixels, images)
        words.write_text(json.dumps({"names": names, "problems": problems, "sha256": _digest(pixels)}), "utf-8")
        os.replace(pixels, index.with_suffix(".npy"))
        os.replace(words, index)


def _cached(index: Path) -> tuple[list[str], Tensor, dict[str, list[str]]] | None:
    """What `_write_cache` wrote, or None if it is not there or is not what was written."""
    pixels = index.with_suffix(".npy")
    try:
        words = json.loads(index.read_text("utf-8"))
        if words["sha256"] != _digest(pixels):
            return None
        return words["names"], torch.from_numpy(np.load(pixels)), words["problems"]
    except (OSError, ValueError, KeyError, TypeError):  # absent, cut off, or another thing than an index
        return None


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _message(folder: str, count: int, problems: dict[str, list[str]]) -> str:
    """A line for the count, and one with the first names for every kind of trouble; "" without trouble."""
    lines = [f"{folder}: {count} pictures taken. Beside them, or to be said of them:"] * bool(problems)
    for kind, names in problems.items():
        lines.append(f"  {len(names)} {kind}: {', '.join(names[:3])}{', ...' * (len(names) > 3)}")
    return "\n".join(map(_printable, lines))


def _printable(line: str) -> str:
    """A file name may hold anything, even what would clear your screen."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in line)


def _test_pictures(names: list[str]) -> Tensor:
    """True where the hash of the name is in the lowest tenth, or the lowest: others may come and go. (N,) bool"""
    hashes = [hashlib.sha256(os.fsencode(name)).digest() for name in names]
    tenth = (2**32 // 10).to_bytes(4, "big")
    return torch.tensor([value[:4] < tenth or value == min(hashes) for value in hashes])
