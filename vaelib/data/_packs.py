"""Pictures that were decoded once, packed in the user's cache folder under what their files look like from outside."""

import hashlib
import json
import os
from contextlib import suppress
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from vaelib.data._cache import aside, cache_folder
from vaelib.data._pictures import SIZE

VERSION = 2  # of what is done to a picture: another one makes another pack
KEPT = 4_000_000_000  # bytes of all packs, 325,000 pictures; beyond, what was not used for longest goes


def pack_of(files: dict[str, os.stat_result]) -> Path | None:
    """The index of the pack of these files: another one as soon as a picture is added, removed or changed.

    The time of the last change of the status is looked at too, because nobody can put it back.
    """
    found = hashlib.sha256(f"{VERSION} {SIZE}\0".encode())
    for name, status in files.items():
        times = f"{status.st_mtime_ns} {status.st_ctime_ns}"
        found.update(os.fsencode(name) + f"\0{status.st_size} {times}\0".encode())
    return cache_folder("folders", f"{found.hexdigest()}.json")


def keep_pack(index: Path | None, names: list[str], images: np.ndarray, problems: dict[str, list[str]]) -> str:
    """Write a pack, and make room for it; "", or why not: a full disk or no home is no reason to stop."""
    if index is None:
        return "you have no home folder"
    try:
        _write(index, names, images, problems)
        _make_room(index)
    except OSError as full:
        return str(full.strerror)
    return ""


def _write(index: Path, names: list[str], images: np.ndarray, problems: dict[str, list[str]]) -> None:
    """Pictures first, then the index that vouches for them; each written aside and moved into place."""
    with aside(index.parent) as place:
        pixels, words = place / "images.npy", place / "index.json"
        np.save(pixels, images)
        sha256 = _digest(pixels, names, problems)
        words.write_text(json.dumps({"names": names, "problems": problems, "sha256": sha256}), "utf-8")
        os.replace(pixels, index.with_suffix(".npy"))
        os.replace(words, index)


def _make_room(index: Path) -> None:
    """Take away what was not used for longest, until the rest is no larger than KEPT; `index` stays in any case."""
    total = 0
    for path in sorted(index.parent.glob("*.npy"), key=lambda path: path.stat().st_mtime, reverse=True):
        total += path.stat().st_size
        if total > KEPT and path.stem != index.stem:
            path.with_suffix(".json").unlink(missing_ok=True)
            path.unlink(missing_ok=True)


def stored_pack(index: Path | None) -> tuple[list[str], Tensor, dict[str, list[str]]] | None:
    """What `keep_pack` wrote, or None if it is not there or is not what was written."""
    if index is None or not all(map(os.path.isfile, (index, pixels := index.with_suffix(".npy")))):
        return None  # nor do we wait for a pipe, or fall over a folder that is closed to us
    try:
        words = json.loads(index.read_text("utf-8"))
        if words["sha256"] != _digest(pixels, words["names"], words["problems"]):
            return None
        with suppress(OSError):  # a cache that may only be read serves as well
            os.utime(pixels)  # used now
        return words["names"], torch.from_numpy(np.load(pixels)), words["problems"]
    except (OSError, ValueError, KeyError, TypeError):  # cut off, or another thing than an index
        return None


def _digest(path: Path, names: list[str], problems: dict[str, list[str]]) -> str:
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256")
    found.update(json.dumps([names, problems]).encode())
    return found.hexdigest()
