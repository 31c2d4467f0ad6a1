"""MNIST and its siblings as idx files: found on disk or fetched, and verified before one number is used."""

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


def _read_set(source: IdxSource, folder: Path) -> list[Tensor]:
    """Images and labels of the training set, then of the test set."""
    train_x, train_y, test_x, test_y = (_parse_idx(_file_bytes(folder, source, i)) for i in range(len(FILES)))
    return [train_x, train_y.long(), test_x, test_y.long()]


def _file_bytes(folder: Path, source: IdxSource, i: int) -> bytes:
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


def _download(source: IdxSource, folder: Path, timeout: float) -> list[str] | None:
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
