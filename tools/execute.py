"""Run the chapters whose code, or whose part of vaelib, has changed since they were last run, in place.

    python tools/execute.py [--all] [NOTEBOOK ...]

Without notebooks: every chapter of the book. A chapter that fails keeps its file as it was, and the exit code is 1.
"""

import argparse
import base64
import hashlib
import io
import json
import os
import re
import sys
import time
from pathlib import Path

import nbformat
from digest import code_cells, digest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError
from PIL import Image, ImageChops

BOOK = Path(__file__).resolve().parents[1] / "book"
WIDGET_STATE = "application/vnd.jupyter.widget-state+json"
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
# Colours of a picture, the fewest that do; how far, of 255, its worst pixel may be off.
PALETTES, UNSEEN = (16, 24, 32, 48, 64, 96, 128, 192), 16
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("notebooks", nargs="*", type=Path, help="default: every chapter of the book")
    parser.add_argument("--all", action="store_true", help="also run what has not changed")
    chosen = parser.parse_args(arguments)
    paths = chosen.notebooks or sorted(BOOK.glob("*.ipynb"))
    if missing := [str(path) for path in paths if not path.exists()]:
        parser.error(f"no such notebook: {', '.join(missing)}")
    return int(not all([bring_up_to_date(path, chosen.all) for path in paths]))


def bring_up_to_date(path, always=False):
    """Run one chapter if it needs it, and say so in a line; False if it failed."""
    notebook = nbformat.read(path, as_version=4)
    if not always and is_up_to_date(notebook):
        print(f"{path.name}: up to date", flush=True)
        return True
    start = time.perf_counter()
    try:
        run(notebook, path.parent)
    except (CellExecutionError, DeadKernelError) as error:
        print(
            f"{path.name}: failed, the file is as it was\n{COLOUR.sub('', str(error))}",
            flush=True,
        )
        return False
    tidy(notebook)
    write(notebook, path)
    print(f"{path.name}: run in {time.perf_counter() - start:.1f} s", flush=True)
    return True


def is_up_to_date(notebook):
    stored = notebook.metadata.get("vaelib", {}).get("digest")
    try:
        return stored == digest(notebook) and all(cell.execution_count for cell in code_cells(notebook))
    except SyntaxError:  # the kernel will say in which cell
        return False


def run(notebook, folder):
    """Run every cell in a fresh kernel, with progress bars switched off."""
    notebook.metadata.pop("widgets", None)
    client = NotebookClient(
        notebook,
        timeout=None,
        kernel_name="python3",
        record_timing=False,
        force_raise_errors=True,
        extra_arguments=["--log-level=ERROR"],  # warnings about the transport tell a reader nothing
        resources={"metadata": {"path": str(folder)}},
    )
    client.execute(env=os.environ | {"VAELIB_PROGRESS": "0"})
    notebook.metadata.setdefault("vaelib", {})["digest"] = digest(notebook)


def tidy(notebook):
    """Leave only what says something about the chapter: no times, no Python patch version, no dead widgets."""
    notebook.metadata.kernelspec = {
        "display_name": "Python 3",
        "language": "python",
        "name": "python3",
    }
    # The lexer stays: without it the magics of IPython are highlighted as errors.
    notebook.metadata.language_info = {"name": "python", "pygments_lexer": "ipython3"}
    live = keep_live_widgets(notebook)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = merge_streams([output for output in cell.outputs if not is_dead_view(output, live)])
            for output in cell.outputs:
                if "image/png" in output.get("data", {}):
                    output.data["image/png"] = with_palette(output.data["image/png"])
    name_widgets(notebook)


def keep_live_widgets(notebook):
    """Drop the state that belongs to no live figure, and return the identifiers of what is left."""
    state = notebook.metadata.get("widgets", {}).get(WIDGET_STATE, {}).get("state", {})
    live, todo = (
        set(),
        [name for name, model in state.items() if model["model_module"] == "anywidget"],
    )
    while todo:
        live.add(name := todo.pop())
        mentioned = re.findall(r"IPY_MODEL_(\w+)", json.dumps(state[name]["state"]))
        todo.extend(other for other in mentioned if other in state and other not in live)
    for name in state.keys() - live:
        del state[name]
    if not live:
        notebook.metadata.pop("widgets", None)
    return live


def is_dead_view(output, live):
    view = output.get("data", {}).get(WIDGET_VIEW)
    return view is not None and view["model_id"] not in live


def name_widgets(notebook):
    """Number the live widgets by the cell that shows them, in place of names that differ from run to run."""
    shown = [
        (output.data[WIDGET_VIEW], cell.id)
        for cell in code_cells(notebook)
        for output in cell.outputs
        if WIDGET_VIEW in output.get("data", {})
    ]
    names = {}
    for view, cell in shown:
        for old in _with_parts(notebook, view["model_id"], names):
            names[old] = hashlib.sha256(f"{cell} {len(names)}".encode()).hexdigest()[:32]
    if names:
        text = json.dumps(notebook.metadata["widgets"])
        pattern = re.compile("|".join(map(re.escape, names)))
        notebook.metadata["widgets"] = nbformat.from_dict(json.loads(pattern.sub(lambda old: names[old[0]], text)))
        states = notebook.metadata["widgets"][WIDGET_STATE]["state"]
        notebook.metadata["widgets"][WIDGET_STATE]["state"] = dict(sorted(states.items()))
    for view, _ in shown:
        view["model_id"] = names[view["model_id"]]


def _with_parts(notebook, name, named):
    """A widget and the widgets that it is made of (its layout), those without a name yet."""
    state = notebook.metadata["widgets"][WIDGET_STATE]["state"]
    found, todo = [], [name]
    while todo:
        if (model := todo.pop()) not in found and model in state and model not in named:
            found.append(model)
            todo += re.findall(r"IPY_MODEL_(\w+)", json.dumps(state[model]["state"]))
    return found


def with_palette(encoded):
    """A PNG (base64) on white with as few colours as the eye allows: less than a third of the bytes."""
    picture = Image.open(io.BytesIO(base64.b64decode(encoded))).convert("RGBA")
    flat = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert("RGB")
    for colours in PALETTES:
        small = flat.quantize(colours, dither=Image.Dither.NONE)
        off = ImageChops.difference(flat, small.convert("RGB")).getextrema()
        if max(most for _, most in off) <= UNSEEN:
            break
    stored = io.BytesIO()
    small.save(stored, format="png", optimize=True)
    return base64.b64encode(min(stored.getvalue(), base64.b64decode(encoded), key=len)).decode("ascii")


def merge_streams(outputs):
    """Join neighbouring pieces of one stream: how a stream is cut into pieces depends on the moment."""
    merged = []
    for output in outputs:
        if merged and output.output_type == "stream" and merged[-1].get("name") == output.name:
            merged[-1].text += output.text
        else:
            merged.append(output)
    return merged


def write(notebook, path):
    """Replace the file in one step, so that an interruption leaves the old one whole."""
    part = path.with_name(path.name + ".part")
    part.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8", newline="\n")
    os.replace(part, path)


if __name__ == "__main__":
    sys.exit(main())
