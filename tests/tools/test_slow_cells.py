"""`python -m benchmarks.slow_cells`: what takes long and when the first figure is there; the twins say it."""

import json

import nbformat
import pytest
import twins
from small_notebooks import code

from benchmarks import slow_cells

MEASURED = json.loads(slow_cells.KEPT.read_text(encoding="utf-8"))
SLOWEST = 20  # seconds to the first figure


def small():
    draw = "from IPython.display import Image, display\ndisplay(Image(data=b'\\x89PNG', format='png'))"
    cells = [code("x = 1"), code("import time\ntime.sleep(0.6)"), code(draw), code("time.sleep(0.6)")]
    return nbformat.v4.new_notebook(
        cells=cells, metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    )


@pytest.mark.slow
def test_slow_cells_and_the_first_figure_are_found(monkeypatch, tmp_path):
    monkeypatch.setattr(slow_cells, "BOOK", tmp_path)
    monkeypatch.setattr(slow_cells, "LONG", 0.5)
    notebook = small()
    found = slow_cells.measure(notebook)
    _, second, third, fourth = (cell.id for cell in notebook.cells)
    assert {second, fourth} <= found["cells"].keys() <= {second, third, fourth}
    assert found["first_figure"] >= 0.6 and found["cells"][fourth] >= 0.6


def test_what_is_measured_stands_beside_what_is_known(monkeypatch, tmp_path):
    monkeypatch.setattr(slow_cells, "KEPT", tmp_path / "kept.json")
    slow_cells.keep("01_a", "cpu", {"cells": {"a": 5}})
    slow_cells.keep("01_a", "H100", {"cells": {"a": 4}})
    slow_cells.keep("01_a", "cpu", {"cells": {"a": 6}})
    kept = json.loads((tmp_path / "kept.json").read_text(encoding="utf-8"))
    assert kept == {"01_a": {"cpu": {"cells": {"a": 6}}, "H100": {"cells": {"a": 4}}}}


def test_above_a_slow_cell_stands_how_long_it_takes():
    notebook = small()
    slow, other = notebook.cells[1].id, notebook.cells[3].id
    twins.say_how_long(notebook, {"cpu": {"cells": {slow: 12.4, other: 5.0}}, "an H100": {"cells": {slow: 4.2}}})
    assert [cell.source for cell in notebook.cells if cell.cell_type == "markdown"] == [
        "> **The next cell takes a while:** about 12 s on two CPU cores, 4 s on an H100.",
        "> **The next cell takes a while:** about 5 s on two CPU cores; not measured on a GPU.",
    ]
    assert [cell.cell_type for cell in notebook.cells] == ["code", "markdown", "code", "code", "markdown", "code"]
    nbformat.validate(notebook)


def test_the_first_figure_of_a_chapter_is_there_soon():
    first = {name: measured.get("cpu", {}).get("first_figure") for name, measured in MEASURED.items()}
    late = [name for name, seconds in first.items() if seconds is not None and seconds > SLOWEST]
    assert late == [], "draw sooner, or `python -m benchmarks.slow_cells` on a machine that does nothing else"
