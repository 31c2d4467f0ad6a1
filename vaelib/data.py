"""Named sets of small grey images as tensors: `load("mnist")`, or digits that need no network.

MNIST, Fashion-MNIST and KMNIST are looked for in the folder $VAELIB_DATA, then in your cache, then on their
mirrors. Every file is compared with a known checksum before one number of it is used. The UCI digits come
with scikit-learn, so they are always there.
"""

import gzip
import hashlib
import os
import queue
import tempfile
import threading
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate, pad

OFFLINE_SETS = {"digits8": "UCI digits, 8x8", "digits28": "UCI digits, enlarged to 28x28"}
SHIFTS = 24  # ways to move by at most two pixels up or down and left or right, without standing still


class ImageSet(NamedTuple):
    """Images with their labels, already split.

    Attributes:
        name: what `load` calls the set that you got, such as "mnist".
        title: the same for a figure, such as "MNIST" or "UCI digits, enlarged to 28x28".
        train_images, test_images: (N, H, W) uint8, 0 background to 255 ink.
        train_labels, test_labels: (N,) int64, 0 to 9.
    """

    name: str
    title: str
    train_images: Tensor
    train_labels: Tensor
    test_images: Tensor
    test_labels: Tensor


def load(
    name: str = "digits28",
    fallback: str | None = "digits28",
    copies: int = 0,
    timeout: float = 2.0,
) -> ImageSet:
    """The image set called `name`; when it cannot be had, a printed notice and the set called `fallback`.

    Args:
        name: "mnist", "fashion-mnist", "kmnist", or, without any network, "digits28" or "digits8".
        fallback: "digits28", "digits8", or None to raise instead.
        copies: 0 to 24; for "digits28" only, adds this many copies of every training digit, each moved by
            another one or two pixels. The other sets stay as they are.
        timeout: seconds > 0 for all mirrors together to give a first sign, and for a download to stay silent.

    Returns:
        ImageSet: the same call gives the same bytes.

    Raises:
        ValueError: an argument is out of range.
        FileNotFoundError: the set cannot be had and `fallback` is None; lists every place that was tried.
        RuntimeError: a file is damaged, even when there is a fallback: you have a file to delete.

    Source: LeCun et al. (1998); Xiao et al. (2017); Clanuwat et al. (2018); Alpaydin & Kaynak (1998).
    Book: chapter 1.
    """
    _check_arguments(name, fallback, copies, timeout)
    if name in OFFLINE_SETS:
        return _digits(name, copies)
    source = IDX_SETS[name]
    try:
        return ImageSet(name, source.title, *_idx_set(source, timeout))
    except FileNotFoundError:
        if fallback is None:
            raise
    print(f"{source.title} could not be had: going on with {OFFLINE_SETS[fallback]}.")
    place = f"VAELIB_DATA to a folder with {source.folder}/raw"
    print(f'Go online and run this again, or set {place}. What was tried: load("{name}", fallback=None).')
    return _digits(fallback, copies)


def _check_arguments(name: str, fallback: str | None, copies: int, timeout: float) -> None:
    if name not in [*IDX_SETS, *OFFLINE_SETS]:
        raise ValueError(f"name must be one of {', '.join([*IDX_SETS, *OFFLINE_SETS])}; got {name!r}")
    if fallback not in [None, *OFFLINE_SETS]:
        raise ValueError(f"fallback must be {', '.join(OFFLINE_SETS)} or None; got {fallback!r}")
    if not 0 <= copies <= SHIFTS:
        raise ValueError(f"copies must be 0 to {SHIFTS}, the number of different shifts; got {copies}")
    if not timeout > 0:
        raise ValueError(f"timeout must be a positive number of seconds; got {timeout}")


def _digits(name: str, copies: int) -> ImageSet:
    """The UCI digits: split first, so that no shifted copy of a test digit can reach the training set."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    grey, labels = (
        torch.from_numpy(bunch.images / 16),
        torch.from_numpy(bunch.target).long(),
    )  # (N, 8, 8), (N,)
    images = ((_enlarge(grey) if name == "digits28" else grey) * 255).round().to(torch.uint8)
    generator = torch.Generator().manual_seed(0)
    test = _every_fifth(labels, generator)
    train_images, train_labels = images[~test], labels[~test]
    if name == "digits28" and copies:
        shifted = _shifted(train_images, copies, generator)
        train_images, train_labels = torch.cat([train_images, shifted]), train_labels.repeat(1 + copies)
    return ImageSet(name, OFFLINE_SETS[name], train_images, train_labels, images[test], labels[test])


def _every_fifth(labels: Tensor, generator: torch.Generator) -> Tensor:
    """True for a random fifth of every class: shuffle, sort by class, take every fifth. (N,) bool"""
    order = torch.randperm(len(labels), generator=generator)
    by_class = order[labels[order].argsort(stable=True)]
    chosen = torch.zeros(len(labels), dtype=torch.bool)
    chosen[by_class[::5]] = True
    return chosen


def _enlarge(grey: Tensor) -> Tensor:
    """sigmoid(9 (x - 1/2)) of the bicubic enlargement, stretched: 0 stays 0, 1 stays 1. (N, 28, 28)"""
    big = interpolate(pad(grey, (1, 1, 1, 1))[:, None], (28, 28), mode="bicubic")[:, 0]
    black, white = torch.tensor([-4.5, 4.5], dtype=big.dtype).sigmoid()
    return (((9 * (big - 0.5)).sigmoid() - black) / (white - black)).clamp(0, 1)


def _shifted(images: Tensor, copies: int, generator: torch.Generator) -> Tensor:
    """`copies` times all images, no image moved twice by the same shift. (copies * N, 28, 28)"""
    windows = pad(images, (2, 2, 2, 2)).unfold(1, 28, 1).unfold(2, 28, 1)  # (N, 5, 5, 28, 28)
    ranks = torch.rand(len(images), SHIFTS, generator=generator).argsort(1)
    shift = ranks[:, :copies].T  # (copies, N)
    shift = shift + (shift >= 12)  # number 12 of the 25 windows is the image itself
    return windows[torch.arange(len(images)), shift // 5, shift % 5].flatten(0, 1)


class _Source(NamedTuple):
    """A set's folder in torchvision's layout, its mirrors, and its checksums in the order of `FILES`."""

    title: str
    folder: str
    mirrors: tuple[str, ...]
    packed_md5: tuple[str, ...]  # of the .gz files that the mirrors send
    raw_sha256: tuple[str, ...] = ()  # of the extracted files, where we know them


FILES = tuple(f"{part}-{kind}-ubyte" for part in ("train", "t10k") for kind in ("images-idx3", "labels-idx1"))
# Mirrors and md5 as in torchvision.datasets; importing that would take longer than waiting for a mirror.
IDX_SETS = {
    "mnist": _Source(
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
    "fashion-mnist": _Source(
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
    "kmnist": _Source(
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


def _idx_set(source: _Source, timeout: float) -> list[Tensor]:
    """$VAELIB_DATA, then the cache, then the mirrors; FileNotFoundError says what each of them answered."""
    import platformdirs

    mine = os.environ.get("VAELIB_DATA")
    cache = Path(platformdirs.user_cache_dir("vaelib")) / source.folder / "raw"
    tried = [] if mine else ["$VAELIB_DATA: not set"]
    for folder in [Path(mine).expanduser().resolve() / source.folder / "raw", cache] if mine else [cache]:
        try:
            return _read_set(source, folder)
        except FileNotFoundError as missing:
            tried.append(str(missing))
    problems = _download(source, cache, timeout)
    if problems is None:
        return _read_set(source, cache)
    places = "\n  ".join(tried + problems)
    raise FileNotFoundError(
        f"{source.title} could not be had. Tried:\n  {places}\n"
        f"Go online and try again (on a slow network with timeout=30), or point VAELIB_DATA at a folder that "
        f'holds {source.folder}/raw with {FILES[0]}.gz and its three siblings, or use load("digits28").'
    )


def _read_set(source: _Source, folder: Path) -> list[Tensor]:
    """Images and labels of the training set, then of the test set."""
    train_x, train_y, test_x, test_y = (_parse_idx(_file_bytes(folder, source, i)) for i in range(len(FILES)))
    return [train_x, train_y.long(), test_x, test_y.long()]


def _file_bytes(folder: Path, source: _Source, i: int) -> bytes:
    """The i-th idx file, extracted: the raw file where its checksum is known, else the .gz beside it."""
    raw, packed = folder / FILES[i], folder / f"{FILES[i]}.gz"
    if source.raw_sha256 and raw.exists():
        return _verified(raw, "sha256", source.raw_sha256[i])
    if packed.exists():
        return gzip.decompress(_verified(packed, "md5", source.packed_md5[i]))
    raise FileNotFoundError(f"{folder}: {packed.name} is not there")


def _verified(path: Path, algorithm: str, expected: str) -> bytes:
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


def _download(source: _Source, folder: Path, timeout: float) -> list[str] | None:
    """Fetch the four .gz files into `folder`: None when all is well, else what went wrong at each mirror."""
    problems = dict.fromkeys(source.mirrors, f"no answer within {timeout:g} s")
    # The fallback's import takes as long as the mirrors may: let it run while we wait for them.
    threading.Thread(target=import_module, args=("sklearn.datasets",)).start()
    for mirror, problem in _answers(source.mirrors, timeout):
        try:
            if problem is not None:
                raise problem
            for file, md5 in zip(FILES, source.packed_md5, strict=True):
                if not (folder / f"{file}.gz").exists():
                    _fetch(mirror, folder / f"{file}.gz", md5, timeout)
            return None
        except OSError as failure:  # as are the exceptions of requests
            problems[mirror] = f"{type(failure).__name__}: {failure}"
        except RuntimeError:
            problems[mirror] = f"sent a damaged {file}.gz"
    return [f"{mirror}: {problem}" for mirror, problem in problems.items()]


def _answers(mirrors: tuple[str, ...], timeout: float) -> Iterator[tuple[str, OSError | None]]:
    """(mirror, None or its problem), quickest first, for `timeout` seconds in all."""
    answers, deadline = queue.SimpleQueue(), time.monotonic() + timeout
    for mirror in mirrors:  # in daemon threads, because a name look-up that hangs can only be left behind
        threading.Thread(target=_probe, args=(mirror, timeout, answers), daemon=True).start()
    for _ in mirrors:
        try:
            yield answers.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            return


def _probe(mirror: str, timeout: float, answers: queue.SimpleQueue) -> None:
    """Ask for the first two bytes of the smallest file: the page of a hotel's network is not an answer."""
    import requests

    try:
        with requests.get(f"{mirror}{FILES[3]}.gz", stream=True, timeout=timeout) as response:
            response.raise_for_status()
            if next(response.iter_content(2), b"") != b"\x1f\x8b":
                raise OSError("sent something that is not a gzip file")
        answers.put((mirror, None))
    except OSError as problem:
        answers.put((mirror, problem))


def _fetch(mirror: str, path: Path, md5: str, timeout: float) -> None:
    """Download aside, verify, then move into place in one step: a half-written file never gets the name."""
    from pooch import HTTPDownloader

    path.parent.mkdir(parents=True, exist_ok=True)
    download = HTTPDownloader(progressbar=os.environ.get("VAELIB_PROGRESS") != "0", timeout=timeout)
    with tempfile.TemporaryDirectory(dir=path.parent) as aside:
        part = Path(aside) / path.name
        download(mirror + path.name, str(part), None)
        _verified(part, "md5", md5)
        os.replace(part, path)
