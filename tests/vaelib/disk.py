"""A disk without room, and a name that is no file: what tests of checkpoints need of a system."""

import os

import pytest


@pytest.fixture
def room(monkeypatch):
    """A function: from now on no file gets larger than so many bytes, or any size for None."""
    if os.name != "posix":  # no limit to set there: whatever is written, nothing arrives on the disk

        def play(size):
            monkeypatch.undo() if size is None else monkeypatch.setattr(os, "fsync", _no_space)

        yield play
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (soft if size is None else size, hard))
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def _no_space(_):
    raise OSError(28, "No space left on device")


def make_pipe(path):
    """A pipe; where a system has none, a link to itself, which is as little a file."""
    os.mkfifo(path) if hasattr(os, "mkfifo") else path.symlink_to(path.name)
