"""Which cells of a chapter take long, and when its first figure is there: what the twins say above them.

    python -m benchmarks.slow_cells [CHAPTER ...]     writes benchmarks/slow_cells.json; the chapters stay as they are

On a machine that does nothing else: a chapter uses two cores, and a GPU where there is one.
"""

import argparse
import json
import os
from datetime import datetime

import nbformat
import torch
from nbclient import NotebookClient

from benchmarks.report import ROOT
from vaelib.train import default_device

BOOK, KEPT = ROOT / "book", ROOT / "benchmarks" / "slow_cells.json"
LONG = 4.0  # seconds: below this nobody wonders whether it still runs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("chapters", nargs="*", help="default: all")
    chosen = parser.parse_args().chapters or [path.stem for path in sorted(BOOK.glob("*.ipynb"))]
    kind = "cpu" if default_device().type == "cpu" else torch.cuda.get_device_name()
    for name in chosen:
        measured = measure(nbformat.read(BOOK / f"{name}.ipynb", as_version=4))
        keep(name, kind, measured)
        print(f"{name}: first figure after {measured['first_figure']} s; {measured['cells']}", flush=True)


def measure(notebook) -> dict:
    """Seconds of every slow cell by its id, and of all cells up to the first figure (none: null)."""
    where = {"metadata": {"path": str(BOOK)}}
    client = NotebookClient(notebook, timeout=None, kernel_name="python3", record_timing=True, resources=where)
    client.execute(env=os.environ | {"VAELIB_PROGRESS": "0"})
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    drawn = [i for i, cell in enumerate(cells) if any("image/png" in o.get("data", {}) for o in cell.outputs)]
    first = round(sum(map(seconds, cells[: drawn[0] + 1])), 1) if drawn else None
    return {"first_figure": first, "cells": {c.id: round(seconds(c), 1) for c in cells if seconds(c) >= LONG}}


def seconds(cell) -> float:
    times = cell.metadata["execution"]
    start, end = (datetime.fromisoformat(times[key]) for key in ("iopub.execute_input", "shell.execute_reply"))
    return (end - start).total_seconds()


def keep(name: str, kind: str, measured: dict) -> None:
    """Put what was measured beside what is known of other chapters and of other devices."""
    known = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.exists() else {}
    known.setdefault(name, {})[kind] = measured
    KEPT.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
