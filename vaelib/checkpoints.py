"""A state in one file, whole or absent, that proves itself before it is used."""

import io
import os
import pickle
import zipfile

import torch

from vaelib._files import MARK, VERSION, packed, place, write_aside

ZIP = b"PK\3\4"  # how a file of `torch.save` begins


def save_checkpoint(path: str | os.PathLike, state: dict) -> None:
    """Write `state` aside, then rename: whatever happens, `path` holds the old state or the new one, whole.

    Args:
        path: the file; its folder must exist. `~` is the home folder, and a link is followed: what it points to is
            written, and the link stays.
        state: a dict of what `torch.load(weights_only=True)` can read: tensors, numbers, text, lists and dicts of them.

    Raises:
        TypeError: `state` is no dict, or holds anything else; nothing was written.
        ValueError: `path` is something else than a file.
        OSError: it could not be written, and what was there before is there still.

    Book: chapter 6.
    """
    path = place(path)
    if not isinstance(state, dict):
        raise TypeError(f"state must be a dict; got {type(state).__name__}")
    aside = write_aside(path, packed(state))
    try:
        os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)


def load_checkpoint(path: str | os.PathLike) -> dict:
    """The state that `save_checkpoint` wrote, with its tensors on the CPU. No code in the file is ever run.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file was not written by `save_checkpoint`.
        RuntimeError: it was, and has been damaged since.
    """
    data = place(path).read_bytes()
    foreign = ValueError(f"{path} is not a checkpoint of vaelib: expected a file written by fit(checkpoint=...)")
    if not data.startswith(ZIP[: len(data)]):
        raise foreign
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        bad = archive.testzip()  # checksums, which torch.load does not look at
        bad = bad or any(
            entry.external_attr for entry in archive.infolist()
        )  # one bit of these makes a folder of a file
        content = None if bad else torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        raise foreign from None
    except Exception as error:  # a flipped bit in a zip's directory makes nearly any
        bad = error
    if bad:
        raise RuntimeError(f"{path} is damaged ({len(data)} bytes): delete it, and training starts again")
    if not isinstance(content, dict) or content.get(MARK) != VERSION:
        raise foreign
    return content["state"]
