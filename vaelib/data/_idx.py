"""MNIST and its siblings as idx files: found on disk or fetched, and verified before one number is used."""

import gzip
import hashlib
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from vaelib.data._cache import aside, cache_folder
from vaelib.data._mirrors import LARGEST, download


class IdxSource(NamedTuple):
    """A set's folder in torchvision's layout, its mirrors, and its checksums in the order of `FILES`."""

    title: str
    folder: str
    mirrors: tuple[str, ...]
    packed_md5: tuple[str, ...]  # of the .gz files that the mirrors send
    raw_sha256: tuple[str, ...] = ()  # of the extracted files, where we know them


FILES = tuple(f"{part}-{kind}-ubyte" for part in ("train", "t10k") for kind in ("images-idx3", "labels-idx1"))
# Mirrors and md5 as in torchvision.datasets; importing that would take longer than waiting for a mirror.
IDX_SETS = {
    "mnist": IdxSource(
        "MNIST",
        "MNIST",
        ("https://ossci-datasets.s3.amazonaws.com/mnist/", "http://yann.lecun.com/exdb/mnist/"),
        (
            "f68b3c2dcbeaaa9fbdd348bbdeb94873",
            "d53e105ee54ea40749a09fcbcd1e9432",
            "9fb629c4189551a2d022fa330f9573f3",
            "ec29112dd5afa0611ce80d1b7f02629c",
        ),
        (
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        ),
    ),
    "fashion-mnist": IdxSource(
        "Fashion-MNIST",
        "FashionMNIST",
        ("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",),
        (
            "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
            "25c81989df183df01b3e8a0aad5dffbe",
            "bef4ecab320f06d8554ea6380940ec79",
            "bb300cfdad3c16e7a12a480ee83cd310",
        ),
    ),
    "kmnist": IdxSource(
        "Kuzushiji-MNIST",
        "KMNIST",
        ("http://codh.rois.ac.jp/kmnist/dataset/kmnist/",),
        (
            "bdb82020997e1d708af4cf47b453dcf7",
            "e144d726b3acfaa3e44228e80efcd344",
            "5c965bf0a639b31b8f53240b1b52f4d7",
            "7320c461ea6c1c855c0b718fb2a4b134",
        ),
    ),
}


def load_idx(source: IdxSource, timeout: float) -> list[Tensor]:
    """$VAELIB_DATA, then the cache, then the mirrors; FileNotFoundError says what each of them answered."""
    cache, tried, fetched, losses = cache_folder(source.folder, "raw"), [], {}, set()
    for folder in _places(source, cache, tried):
        try:
            return _read_set(source, folder, fetched)
        except FileNotFoundError as missing:
            tried.append(str(missing))
        except OSError as closed:
            tried.append(f"{closed.filename or folder}: {closed.strerror}")

    def keep(name: str, content: bytes) -> None:
        fetched[name] = content
        losses.add(_not_kept(cache, name, content))

    wanted = dict(zip([f"{file}.gz" for file in FILES], source.packed_md5, strict=True))
    wanted = {name: md5 for name, md5 in wanted.items() if not (cache and os.access(cache / name, os.R_OK))}
    problems = download(source.mirrors, f"{FILES[3]}.gz", wanted, timeout, keep)
    if problems is None:
        for reason in sorted(losses - {""}):
            print(f"{source.title} is not kept for the next time: {reason}.")
        return _read_set(source, cache or Path(), fetched)
    places = "\n  ".join(tried + problems)
    raise FileNotFoundError(
        f"{source.title} could not be had. Tried:\n  {places}\n"
        f"Go online and try again (on a slow network with timeout=30), or point VAELIB_DATA at a folder that "
        f'holds {source.folder}/raw with {FILES[0]}.gz and its three siblings, or use load("digits28").'
    )


def _places(source: IdxSource, cache: Path | None, tried: list[str]) -> list[Path]:
    """The folders to look in; a place that cannot be said goes to `tried`."""
    mine, places = os.environ.get("VAELIB_DATA"), []
    try:
        places += [Path(mine).expanduser().resolve() / source.folder / "raw"] if mine else []
    except (RuntimeError, OSError, ValueError) as lost:  # ~ of a user without a home, a ring of links
        tried.append(f"$VAELIB_DATA is {mine!r}: {lost}")
    tried += [] if mine else ["$VAELIB_DATA: not set"]
    tried += [] if cache else ["the cache: you have no home folder to keep one in"]
    return [*places, cache] if cache else places


def _not_kept(cache: Path | None, name: str, content: bytes) -> str:
    """Put a file into the cache; "", or why that failed: the file is used all the same."""
    if cache is None:
        return "you have no home folder to keep it in"
    try:
        with aside(cache) as place:
            (place / name).write_bytes(content)
            os.replace(place / name, cache / name)
    except OSError as closed:
        return f"{cache}: {closed.strerror}"
    return ""


def _read_set(source: IdxSource, folder: Path, fetched: dict[str, bytes]) -> list[Tensor]:
    """Images and labels of the training set, then of the test set."""
    files = [_file_bytes(source, i, folder, fetched) for i in range(len(FILES))]
    train_x, train_y, test_x, test_y = map(_parse_idx, files)
    return [train_x, train_y.long(), test_x, test_y.long()]


def _file_bytes(source: IdxSource, i: int, folder: Path, fetched: dict[str, bytes]) -> bytes:
    """The i-th idx file, extracted: just fetched; or the raw file where its checksum is known; or the .gz beside it."""
    name = f"{FILES[i]}.gz"
    if name in fetched:
        return gzip.decompress(fetched[name])
    with suppress(FileNotFoundError, NotADirectoryError):
        if source.raw_sha256:
            return _verified(folder / FILES[i], "sha256", source.raw_sha256[i])
    with suppress(FileNotFoundError, NotADirectoryError):
        return gzip.decompress(_verified(folder / name, "md5", source.packed_md5[i]))
    raise FileNotFoundError(f"{folder}: {name} is not there")


def _verified(path: Path, algorithm: str, expected: str) -> bytes:
    status = path.stat()
    if not stat.S_ISREG(status.st_mode) or status.st_size > LARGEST:  # a pipe never answers, /dev/zero never ends
        what = f"a file of {status.st_size} bytes" if stat.S_ISREG(status.st_mode) else "a folder, a pipe or a device"
        raise RuntimeError(f"{path} must be a file of the set; got {what}. Remove it and try again.")
    data = path.read_bytes()
    received = hashlib.new(algorithm, data, usedforsecurity=False).hexdigest()
    if received != expected:
        raise RuntimeError(
            f"{path} is damaged ({len(data)} bytes): expected {algorithm} {expected}, got {received}. "
            "Delete this file and try again."
        )
    return data


def _parse_idx(data: bytes) -> Tensor:
    """Idx: two zeros, type (8 is uint8), number of dimensions, each size in four bytes, the values."""
    shape = np.frombuffer(data, ">i4", count=data[3], offset=4)
    return torch.from_numpy(np.frombuffer(data, np.uint8, offset=4 + 4 * data[3]).reshape(shape).copy())
