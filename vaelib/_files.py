"""How a state gets into a file: which file a name means, which bytes it takes, and a whole file or none."""

import io
import os
import pickle
import re
from pathlib import Path

import torch

MARK, VERSION = "vaelib checkpoint", 2


def place(path: str | os.PathLike, argument: str = "path") -> Path:
    """The absolute file behind a name, the `argument`: home folder and links resolved, so that one file has one name.

    Raises:
        TypeError: no name of a file.
        ValueError: a folder, a pipe, a device, links in a circle.
    """
    if not isinstance(path, str | os.PathLike) or not isinstance(os.fspath(path), str):
        raise TypeError(f"{argument} must be the name of a file; got {type(path).__name__}")
    found = Path(os.path.realpath(Path(path).expanduser()))
    if os.path.lexists(found) and not found.is_file():
        kind = "a folder" if found.is_dir() else "no ordinary file"
        raise ValueError(f"{argument} must be the name of a file; got {path}, which is {kind}")
    return found


def packed(state: dict) -> memoryview:
    """The bytes of a checkpoint, tried: what could not be read again is refused here.

    Raises:
        TypeError: the state holds something else than tensors, numbers, text, lists and dicts.
    """
    buffer = io.BytesIO()
    try:
        torch.save({MARK: VERSION, "state": state}, buffer)
        buffer.seek(0)
        torch.load(buffer, map_location="meta", weights_only=True)  # meta: all but the numbers in the tensors
    except (pickle.PickleError, AttributeError, TypeError) as error:
        found = re.search(r"GLOBAL (\S+)", str(error))
        got = found[1] if found else str(error).splitlines()[0]
        raise TypeError(f"a checkpoint holds tensors, Python's numbers, text, and lists and dicts; got {got}") from None
    return buffer.getbuffer()


def write_aside(path: Path, data: memoryview) -> Path:
    """`data` on the disk, flushed, in a file beside `path`; nothing is left where that fails."""
    aside = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with aside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
    return aside
