"""What cells that train left behind, kept in book/_build/sabotage, so that the next section need not train again.

All that a chapter has computed so far is kept together, so that two names of one object stay names of one object. It
belongs to the code that ran up to there, the library, the version of PyTorch and the data; what cannot be pickled
(a class of the chapter) is trained again.
"""

import contextlib
import hashlib
import os
import types
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "book" / "_build" / "sabotage"
KEEP = 5.0  # seconds of processor time from which a cell is worth keeping; quicker ones may be attacked
LARGEST = 300 << 20  # bytes of a file


def key(code: str) -> str:
    """A digest of the code that ran and of everything else that the numbers depend on."""
    import vaelib

    library = sorted(Path(vaelib.__file__).parent.rglob("*.py"))
    parts = [code, torch.__version__, os.environ.get("VAELIB_DATA", ""), *(p.read_text("utf-8") for p in library)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def load(name):
    """(values by name, states of the generators, seconds that it took), or None."""
    with contextlib.suppress(Exception):
        return torch.load(FOLDER / name, weights_only=False)
    return None


def store(name, space, state, seconds):
    """Keep all values of a chapter that are no functions, classes or modules; nothing if one of them cannot be."""
    skipped = (type, types.ModuleType, types.FunctionType, types.BuiltinFunctionType)
    values = {n: v for n, v in space.items() if not n.startswith("_") and not isinstance(v, skipped) and n != "display"}
    FOLDER.mkdir(parents=True, exist_ok=True)
    part = FOLDER / f"{name}.{os.getpid()}"
    with contextlib.suppress(Exception):
        torch.save((values, state, seconds), part)
        if part.stat().st_size <= LARGEST:
            os.replace(part, FOLDER / name)
    part.unlink(missing_ok=True)
