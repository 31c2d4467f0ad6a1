"""How long every chapter runs from top to bottom, its kernel's start included. The files stay as they are."""

import sys
import time

import nbformat
import torch

from benchmarks.report import ROOT, Runs

BOOK = ROOT / "book"


def measure(device: torch.device) -> Runs:
    """Seconds of every chapter and appendix with code. Chapters choose their device: a GPU where there is one."""
    sys.path.insert(0, str(ROOT / "tools"))
    from execute import run

    seconds = {}
    for path in sorted(BOOK.glob("[0-9][0-9]_*.ipynb")):
        start = time.perf_counter()
        run(nbformat.read(path, as_version=4), BOOK)
        seconds[path.stem] = time.perf_counter() - start
        print(f"    {path.stem}: {seconds[path.stem]:.0f} s", flush=True)
    return Runs(torch.cuda.get_device_name(device) if device.type == "cuda" else device.type, seconds)
