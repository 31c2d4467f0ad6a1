"""Your own pictures: a folder of jpg, png and webp files as one tensor of 64x64 colour pictures.

A folder may hold anything: nothing is decoded before its header has been looked at, links are not followed,
and what cannot be used is named in one message instead of ending the program.
"""

import hashlib
import os
import stat
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from vaelib.data._packs import keep_pack, pack_of, stored_pack
from vaelib.data._pictures import CLOSED, SIZE, STARVED, read_picture

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
LEAST = 10  # pictures; far more are needed to learn from

LINK, OTHER = "a link (not followed)", "not jpg, png or webp"
CLOSED_FOLDER, GONE = "a folder that cannot be opened", "gone while the folder was read"
NO_CACHE = "the cache could not be written, so the next call decodes again"


def load_folder(folder: Path) -> list[Tensor]:
    """Every picture of a folder and its subfolders, cropped to the central square and resized to 64x64.

    Transparent places become white, other colour spaces RGB, EXIF rotation is carried out, and of an animation
    the first frame is taken. Names that begin with a dot are left out. The packed pictures are kept in the user's
    cache folder, at most 4 GB of them, under the names, sizes and times of the files. A file that is written anew
    counts as changed even if its size and its modification time are put back (on Windows it does not).

    Args:
        folder: an existing folder.

    Returns:
        Training images (N, 3, 64, 64) uint8 and labels (N,), all 0; then the same for the test set, about every
        tenth picture, chosen by the hash of its name. Prints one message if something was left out.

    Raises:
        ValueError: fewer than ten pictures could be read.

    Book: chapter 7.
    """
    folder, problems = folder.resolve(), {}
    files = _files(folder, problems)
    index = pack_of(files)
    names, images, more = stored_pack(index) or _packed(index, folder, list(files))
    message = _message(folder.name, len(names), problems | more)
    if len(names) < LEAST:
        raise ValueError(f"expected at least {LEAST} pictures in {folder}, received {len(names)}. {message}".rstrip())
    if message:
        print(message)
    test, labels = _test_pictures(names), torch.zeros(len(names), dtype=torch.int64, device="cpu")
    return [images[~test], labels[~test], images[test], labels[test]]


def _files(folder: Path, problems: dict[str, list[str]]) -> dict[str, os.stat_result]:
    """Relative names of the regular files that may be pictures, sorted; the others go to `problems`."""
    found, waiting = {}, [folder]
    while waiting:
        here = waiting.pop()
        try:
            entries = sorted(os.scandir(here), key=lambda entry: entry.name)
        except OSError:
            problems.setdefault(CLOSED_FOLDER, []).append(_name(here, folder))
            continue
        for entry in [entry for entry in entries if not entry.name.startswith(".")]:
            seen = _look(entry)
            if isinstance(seen, str):
                problems.setdefault(seen, []).append(_name(entry.path, folder))
            elif stat.S_ISDIR(seen.st_mode):
                waiting.append(Path(entry.path))
            else:
                found[_name(entry.path, folder)] = seen
    for names in problems.values():
        names.sort()
    return dict(sorted(found.items(), key=lambda item: item[0].split("/")))


def _name(path: str | Path, folder: Path) -> str:
    return folder.name if path == folder else Path(path).relative_to(folder).as_posix()


def _look(entry: os.DirEntry) -> os.stat_result | str:
    """The status of a folder or of what may be a picture; else what there is to say about it."""
    try:
        status = os.lstat(entry.path)
    except FileNotFoundError:
        return GONE
    except OSError:  # its folder may be listed but not entered
        return CLOSED
    if stat.S_ISLNK(status.st_mode) or getattr(entry, "is_junction", bool)():  # junctions: links of Windows
        return LINK
    if stat.S_ISDIR(status.st_mode) or (stat.S_ISREG(status.st_mode) and entry.name.lower().endswith(SUFFIXES)):
        return status
    return OTHER  # another kind of file, or a pipe, which would keep us waiting for ever


def _packed(index: Path | None, folder: Path, files: list[str]) -> tuple[list[str], Tensor, dict[str, list[str]]]:
    """Decode every file, and leave a cache for the next time."""
    from tqdm.auto import tqdm

    names, problems = [], {}
    images = np.empty((len(files), 3, SIZE, SIZE), np.uint8)
    for name in tqdm(files, desc="pictures", leave=False, disable=os.environ.get("VAELIB_PROGRESS") == "0"):
        picture, problem = read_picture(folder / name)
        if problem:
            problems.setdefault(problem, []).append(name)
        if picture is not None:
            images[len(names)] = picture
            names.append(name)
    images = images[: len(names)]
    if problems.keys().isdisjoint([CLOSED, STARVED]):  # what may be well next time is not remembered
        problem = keep_pack(index, names, images, problems)
        problems |= {NO_CACHE: [problem]} if problem else {}
    return names, torch.from_numpy(images), problems


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
    least = min(hashes)
    return torch.tensor([value[:4] < tenth or value == least for value in hashes], dtype=torch.bool, device="cpu")
