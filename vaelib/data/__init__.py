"""Sets of small images as tensors: `load("mnist")`, digits that need no network, or a folder of your own.

MNIST, Fashion-MNIST and KMNIST are looked for in the folder $VAELIB_DATA, then in your cache, then on their
mirrors. Every file is compared with a known checksum before one number of it is used. The UCI digits come
with scikit-learn, so they are always there.
"""

import math
import operator
import os
from numbers import Real
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import interpolate, pad

from vaelib._extras import need
from vaelib.data._folder import load_folder
from vaelib.data._idx import IDX_SETS, load_idx

OFFLINE_SETS = {"digits8": "UCI digits, 8x8", "digits28": "UCI digits, enlarged to 28x28"}
SETS = [*IDX_SETS, *OFFLINE_SETS]
LONGEST = 3600  # seconds, of `timeout`
SHIFTS = 24  # ways to move by at most two pixels up or down and left or right, without standing still


class ImageSet(NamedTuple):
    """Images with their labels, already split.

    Attributes:
        name: what `load` calls the set that you got, such as "mnist"; for your own folder, its name.
        title: the same for a figure, such as "MNIST" or "UCI digits, enlarged to 28x28".
        train_images, test_images: (N, H, W) uint8, 0 background to 255 ink; from a folder (N, 3, 64, 64), RGB.
        train_labels, test_labels: (N,) int64, 0 to 9; from a folder all 0, for it names no classes.
    """

    name: str
    title: str
    train_images: Tensor
    train_labels: Tensor
    test_images: Tensor
    test_labels: Tensor


def load(
    name: str | os.PathLike = "digits28",
    fallback: str | None = "digits28",
    copies: int = 0,
    timeout: float = 2.0,
) -> ImageSet:
    """The image set called `name`; when it cannot be had, a printed notice and the set called `fallback`.

    Args:
        name: "mnist", "fashion-mnist", "kmnist", or, without any network, "digits28" or "digits8"; else the
            path of a folder with your own jpg, png or webp pictures, which become 64x64 and RGB (`load_folder`).
        fallback: "digits28", "digits8", or None to raise instead. Nothing stands in for a folder.
        copies: 0 to 24; for "digits28" only, adds this many copies of every training digit, each moved by
            another one or two pixels. The other sets stay as they are.
        timeout: seconds, above 0 and at most 3600, for all mirrors together to give a first sign, and for a download
            to stay silent; the whole download of a set may take 300 times as long.

    Returns:
        ImageSet: the same call gives the same bytes, whatever the default dtype or device; on the CPU.

    Raises:
        TypeError: an argument is of another kind.
        ValueError: an argument is out of range, or a folder has fewer than ten readable pictures.
        FileNotFoundError: the set cannot be had and `fallback` is None; lists every place that was tried.
        RuntimeError: a file is damaged or is no file, even when there is a fallback: you have something to delete.

    Source: LeCun et al. (1998); Xiao et al. (2017); Clanuwat et al. (2018); Alpaydin & Kaynak (1998).
    Book: chapter 1.
    """
    _check_arguments(name, fallback, copies, timeout)
    if (folder := _place(name)) is not None:
        return ImageSet(folder.name, folder.name, *load_folder(folder))
    if (name := str(name)) in OFFLINE_SETS:
        return _digits(name, copies)
    source = IDX_SETS[name]
    try:
        return ImageSet(name, source.title, *load_idx(source, timeout))
    except FileNotFoundError:
        if fallback is None:
            raise
    print(f"{source.title} could not be had: going on with {OFFLINE_SETS[fallback]}.")
    place = f"VAELIB_DATA to a folder with {source.folder}/raw"
    print(f'Go online and run this again, or set {place}. What was tried: load("{name}", fallback=None).')
    return _digits(fallback, copies)


def _check_arguments(name: str | os.PathLike, fallback: str | None, copies: int, timeout: float) -> None:
    if not isinstance(name, str | os.PathLike) or not isinstance(os.fspath(name), str):
        raise TypeError(f"name must be text or a path; got {type(name).__name__}")
    if not isinstance(fallback, str | None):
        raise TypeError(f"fallback must be text or None; got {type(fallback).__name__}")
    if not _is_whole(copies):
        raise TypeError(f"copies must be a whole number; got {type(copies).__name__}")
    if isinstance(timeout, bool) or not isinstance(timeout, Real):
        raise TypeError(f"timeout must be a number of seconds; got {type(timeout).__name__}")
    if (folder := _place(name)) is not None and not (os.fspath(name) and os.path.isdir(folder)):
        raise ValueError(f"name must be a folder of pictures or one of {', '.join(SETS)}; got {name!r}")
    if fallback is not None and fallback not in OFFLINE_SETS:
        raise ValueError(f"fallback must be {', '.join(OFFLINE_SETS)} or None; got {fallback!r}")
    if not 0 <= operator.index(copies) <= SHIFTS:
        raise ValueError(f"copies must be 0 to {SHIFTS}, the number of different shifts; got {copies}")
    if not (math.isfinite(timeout) and 0 < timeout <= LONGEST):
        raise ValueError(f"timeout must be a positive number of seconds, at most {LONGEST}; got {timeout}")


def _is_whole(number) -> bool:
    try:
        return not isinstance(number, bool) and operator.index(number) is not None
    except (TypeError, ValueError):  # tensors of several numbers have an __index__ too
        return False


def _place(name: str | os.PathLike) -> Path | None:
    """The folder that `name` leads to, which need not exist; None for the name of a set."""
    if name in SETS:
        return None
    try:
        return Path(name).expanduser().resolve()
    except (RuntimeError, OSError, ValueError):  # ~ of a user without a home, a ring of links, a name too long
        return Path(name)


def _digits(name: str, copies: int) -> ImageSet:
    """The UCI digits: split first, so that no shifted copy of a test digit can reach the training set."""
    load_digits = need("sklearn.datasets", "data").load_digits

    bunch = load_digits()
    grey = torch.from_numpy(bunch.images / 16)  # (N, 8, 8)
    labels = torch.from_numpy(bunch.target).long()  # (N,)
    images = ((_enlarge(grey) if name == "digits28" else grey) * 255).round().to(torch.uint8)
    generator = torch.Generator("cpu").manual_seed(0)
    test = _every_fifth(labels, generator)
    train_images, train_labels = images[~test], labels[~test]
    if name == "digits28" and copies:
        shifted = _shifted(train_images, copies, generator)
        train_images, train_labels = torch.cat([train_images, shifted]), train_labels.repeat(1 + copies)
    return ImageSet(name, OFFLINE_SETS[name], train_images, train_labels, images[test], labels[test])


def _every_fifth(labels: Tensor, generator: torch.Generator) -> Tensor:
    """True for a random fifth of every class: shuffle, sort by class, take every fifth. (N,) bool"""
    order = torch.randperm(len(labels), generator=generator, device="cpu")
    by_class = order[labels[order].argsort(stable=True)]
    chosen = torch.zeros_like(labels, dtype=torch.bool)
    chosen[by_class[::5]] = True
    return chosen


def _enlarge(grey: Tensor) -> Tensor:
    """sigmoid(9 (x - 1/2)) of the bicubic enlargement, stretched: 0 stays 0, 1 stays 1. (N, 28, 28)"""
    big = interpolate(pad(grey, (1, 1, 1, 1))[:, None], (28, 28), mode="bicubic")[:, 0]
    black, white = big.new_tensor([-4.5, 4.5]).sigmoid()
    return (((9 * (big - 0.5)).sigmoid() - black) / (white - black)).clamp(0, 1)


def _shifted(images: Tensor, copies: int, generator: torch.Generator) -> Tensor:
    """`copies` times all images, no image moved twice by the same shift. (copies * N, 28, 28)"""
    windows = pad(images, (2, 2, 2, 2)).unfold(1, 28, 1).unfold(2, 28, 1)  # (N, 5, 5, 28, 28)
    ranks = torch.rand(len(images), SHIFTS, generator=generator, dtype=torch.float32, device="cpu").argsort(1)
    shift = ranks[:, :copies].T  # (copies, N)
    shift = shift + (shift >= 12)  # number 12 of the 25 windows is the image itself
    rows = torch.arange(len(images), device=images.device)
    return windows[rows, shift // 5, shift % 5].flatten(0, 1)
