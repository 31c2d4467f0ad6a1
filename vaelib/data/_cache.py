"""The user's cache folder: where there is none, nothing is kept and nothing else changes."""

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from vaelib._extras import need

STALE = 3600  # seconds after which what was written aside belongs to nobody: its process was killed


def cache_folder(*parts: str) -> Path | None:
    """A folder below the user's cache of vaelib, which need not exist yet; None where the user has no home."""
    platformdirs = need("platformdirs", "data")
    try:
        folder = Path(platformdirs.user_cache_dir("vaelib"), *parts)
    except RuntimeError:  # in a container the user is often a bare number
        return None
    return folder if folder.is_absolute() else None


@contextmanager
def aside(folder: Path) -> Iterator[Path]:
    """A new folder inside `folder`, to write in before renaming: a half-written file never gets the name.

    It goes at the end, with whatever is still in it. What a killed process left goes when the next one comes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for left in folder.glob("tmp*"):
        with suppress(OSError):  # another process may be clearing up too
            if time.time() - left.lstat().st_mtime > STALE:
                shutil.rmtree(left)
    with tempfile.TemporaryDirectory(dir=folder) as place:
        yield Path(place)
