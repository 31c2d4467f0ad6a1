"""One training a file: a lock of the operating system, which the end of a process releases however it ends."""

import errno
import os
from contextlib import suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    import msvcrt

    fcntl = None
TAKEN = {errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES, errno.EDEADLK}


class Lock:
    """Held from `Lock(path)` to `release()`, in a file `path.lock` that is removed then; kill -9 releases it too.

    A file system without locks, as some network drives are, is taken as it is: then nothing is held.

    Raises:
        RuntimeError: another process, or another training of this one, has it.
        OSError: the file could not be made.
    """

    def __init__(self, path: Path):
        self.path = path.with_name(f"{path.name}.lock")
        for _ in range(10):
            self.file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o666)
            try:
                _take(self.file)
            except OSError as error:
                if error.errno in TAKEN:
                    os.close(self.file)
                    raise RuntimeError(f"{path} is in use: another training writes it; wait or stop it") from None
            if _same(self.file, self.path):
                return
            os.close(self.file)  # its last holder has just removed it: try the new one
        raise OSError(f"{self.path} could not be made: it vanishes each time")

    def release(self) -> None:
        """Remove the file while it is still held, so that nobody locks a file that is about to go."""
        if fcntl:
            self.path.unlink(missing_ok=True)
        os.close(self.file)
        if not fcntl:  # Windows removes no open file, nor one that another training has opened by now
            with suppress(OSError):
                self.path.unlink(missing_ok=True)


def _take(file: int) -> None:
    if fcntl:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    else:
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)


def _same(file: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file), os.stat(path))
    except FileNotFoundError:
        return False
