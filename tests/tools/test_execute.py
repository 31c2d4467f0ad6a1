"""`make execute`: chapters are run in place, only when they changed, and leave no traces of the moment."""

import base64
import io
import json
import os
from pathlib import Path

import digest
import execute
import nbformat
import numpy as np
import pytest
from PIL import Image
from small_notebooks import new_code_cell, new_notebook, new_output

pytestmark = pytest.mark.slow  # it trains, builds or starts other programs

ROOT = Path(__file__).resolve().parents[2]
BAR = "from tqdm.notebook import tqdm\nfor _ in tqdm(range(3)):\n    pass"
FIGURE = """import anywidget

class Figure(anywidget.AnyWidget):
    _esm = "export default {}"

Figure()"""


@pytest.fixture
def chapter(tmp_path):
    """Writes a notebook of these cells and returns its path."""

    def write(*sources):
        notebook = new_notebook(cells=[new_code_cell(source) for source in sources])
        nbformat.write(notebook, tmp_path / "chapter.ipynb")
        return tmp_path / "chapter.ipynb"

    return write


def stored(path):
    return nbformat.read(path, as_version=4)


def edit(path, source, position=0):
    """Change a cell and keep everything else, as an editor does."""
    notebook = stored(path)
    notebook.cells[position].source = source
    nbformat.write(notebook, path)


def test_a_chapter_is_run_in_its_folder_without_progress_bars(chapter, capsys):
    path = chapter("import os\nos.getcwd()", "print(os.environ['VAELIB_PROGRESS'])\nprint('again')")
    assert execute.main([str(path)]) == 0
    first, second = stored(path).cells
    assert (first.execution_count, second.execution_count) == (1, 2)
    assert first.outputs[0].data["text/plain"] == repr(str(path.parent))
    assert [output.text for output in second.outputs] == ["0\nagain\n"]
    assert "chapter.ipynb: run in" in capsys.readouterr().out


def test_nothing_of_the_moment_is_stored(chapter):
    path = chapter("1 + 1")
    notebook = stored(path)
    notebook.cells[0].metadata["execution"] = {"iopub.status.busy": "2026-01-01T00:00:00Z"}
    nbformat.write(notebook, path)
    execute.main([str(path)])
    assert stored(path).cells[0].metadata == {}
    metadata = stored(path).metadata
    assert metadata.pop("vaelib").keys() == {"digest"}
    assert metadata == {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python", "pygments_lexer": "ipython3"},
    }
    assert os.listdir(path.parent) == ["chapter.ipynb"]


def test_only_a_changed_chapter_is_run_again(chapter, capsys):
    path = chapter("import uuid\nuuid.uuid4().hex")
    execute.main([str(path)])
    before = path.read_bytes()
    assert execute.main([str(path)]) == 0
    assert path.read_bytes() == before and "up to date" in capsys.readouterr().out
    execute.main(["--all", str(path)])
    assert path.read_bytes() != before
    edit(path, "print('changed')")
    execute.main([str(path)])
    assert stored(path).cells[0].outputs[0].text == "changed\n"


def test_a_chapter_that_lost_its_outputs_is_run_again(chapter):
    path = chapter("print(1)")
    execute.main([str(path)])
    notebook = stored(path)
    notebook.cells[0].update(execution_count=None, outputs=[])
    nbformat.write(notebook, path)
    execute.main([str(path)])
    assert stored(path).cells[0].outputs[0].text == "1\n"


@pytest.mark.parametrize("source", ["x = 1\nraise KeyError('gone')", "x = = 1"])
def test_an_error_is_shown_and_leaves_the_file_as_it_was(chapter, capsys, source):
    path = chapter("print('before')", source)
    before = path.read_bytes()
    assert execute.main([str(path)]) == 1
    shown = capsys.readouterr().out
    assert path.read_bytes() == before and os.listdir(path.parent) == ["chapter.ipynb"]
    assert source in shown and "Error" in shown and "\x1b" not in shown


def test_a_progress_bar_leaves_nothing_on_the_page(chapter):
    path = chapter(BAR)
    execute.main([str(path)])
    assert "widgets" not in stored(path).metadata
    assert not any("data" in output for output in stored(path).cells[0].outputs)


def test_a_live_figure_keeps_its_state(chapter):
    path = chapter(FIGURE, BAR)
    execute.main([str(path)])
    notebook = stored(path)
    state = notebook.metadata.widgets[execute.WIDGET_STATE]["state"]
    assert {model["model_module"] for model in state.values()} == {"anywidget", "@jupyter-widgets/base"}
    assert notebook.cells[0].outputs[0].data[execute.WIDGET_VIEW]["model_id"] in state
    assert sum("IPY_MODEL" in json.dumps(model) for model in state.values()) == 1  # the figure and its layout


def test_a_figure_that_is_gone_leaves_nothing(chapter):
    path = chapter(FIGURE)
    execute.main([str(path)])
    assert "widgets" in stored(path).metadata
    edit(path, "'no figure any more'")
    execute.main([str(path)])
    assert "widgets" not in stored(path).metadata


def test_only_neighbouring_pieces_of_one_stream_are_joined():
    names = ["stdout", "stdout", "stderr", "stdout"]
    pieces = [new_output("stream", name=name, text=str(i)) for i, name in enumerate(names)]
    joined = [(output.name, output.text) for output in execute.merge_streams(pieces)]
    assert joined == [("stdout", "01"), ("stderr", "2"), ("stdout", "3")]


@pytest.fixture
def library(tmp_path):
    """A vaelib of four files: `top` needs `middle` needs `bottom`; nothing needs `apart`."""
    sources = {
        "top": "import vaelib.middle",
        "middle": "def f():\n    from vaelib.bottom import g",
        "bottom": "",
        "apart": "",
    }
    for name, source in sources.items():
        (tmp_path / f"{name}.py").write_text(source, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("line", ["from vaelib.top import f", "from vaelib import top", "import vaelib.top as t"])
def test_the_digest_follows_what_a_chapter_imports(library, line):
    notebook = new_notebook(cells=[new_code_cell("%matplotlib inline\n" + line)])
    before = digest.digest(notebook, library)
    (library / "apart.py").write_text("x = 1", encoding="utf-8")
    assert digest.digest(notebook, library) == before
    (library / "bottom.py").write_text("x = 1", encoding="utf-8")
    assert digest.digest(notebook, library) != before


def test_the_digest_does_not_follow_words(library):
    cell = new_code_cell("from vaelib import top\nx = 1")
    before = digest.digest(new_notebook(cells=[cell]), library)
    cell.source = "from vaelib import top  # the library\n\nx = 1"
    top = (library / "top.py").read_text(encoding="utf-8")
    (library / "top.py").write_text(f'"""What it does."""\n{top}\n\ndef g():\n    """Docs."""', encoding="utf-8")
    assert digest.digest(new_notebook(cells=[cell]), library) != before  # a new function
    (library / "top.py").write_text(f'"""What it does."""\n# a remark\n{top}', encoding="utf-8")
    assert digest.digest(new_notebook(cells=[cell]), library) == before
    cell.source = "from vaelib import top\nx = 2"
    assert digest.digest(new_notebook(cells=[cell]), library) != before


def test_the_digest_covers_the_scripts_of_live_figures(library):
    notebook = new_notebook(cells=[new_code_cell("from vaelib.widgets import Figure")])
    (library / "widgets").mkdir()
    (library / "widgets" / "__init__.py").write_text("", encoding="utf-8")
    before = digest.digest(notebook, library)
    (library / "widgets" / "figure.js").write_text("", encoding="utf-8")
    assert digest.digest(notebook, library) != before


def test_pictures_get_a_palette_on_white():
    noise = np.random.default_rng(0).integers(0, 256, (100, 100, 3), dtype=np.uint8)
    picture = Image.new("RGBA", (200, 100), (255, 255, 255, 0))  # half of it transparent
    picture.paste(Image.fromarray(noise), (0, 0))
    picture.paste((186, 74, 0, 255), (120, 20, 160, 60))
    stored = io.BytesIO()
    picture.save(stored, format="png")
    before = base64.b64encode(stored.getvalue()).decode()
    after = execute.with_palette(before)
    assert len(after) < len(before) / 2 and execute.with_palette(after) == after
    slim = Image.open(io.BytesIO(base64.b64decode(after))).convert("RGB")
    assert slim.size == (200, 100) and slim.getpixel((199, 99)) == (255, 255, 255)
    assert slim.getpixel((150, 50)) == (186, 74, 0)


def test_a_palette_is_as_small_as_the_eye_allows():
    """Grey noise needs few colours; a sheet of many hues needs them all, and a small red sign on it stays red."""
    grey = np.random.default_rng(0).integers(0, 256, (60, 80, 1), dtype=np.uint8).repeat(3, 2)
    hues = np.stack(np.meshgrid(range(0, 256, 2), range(0, 256, 4), indexing="ij"), -1).repeat(2, 1)
    colourful = np.dstack([hues, np.full(hues.shape[:2], 90)]).astype(np.uint8)
    colourful[:2, :2] = (255, 0, 0)
    sizes = {}
    for name, pixels in {"grey": grey, "colourful": colourful}.items():
        stored = io.BytesIO()
        Image.fromarray(pixels).save(stored, format="png")
        after = execute.with_palette(base64.b64encode(stored.getvalue()).decode())
        slim = Image.open(io.BytesIO(base64.b64decode(after)))
        sizes[name] = len(slim.convert("RGB").getcolors(100_000))
        off = np.abs(np.asarray(slim.convert("RGB")).astype(int) - pixels)
        assert off.max() <= (16 if name == "grey" else 40), name
    assert sizes["grey"] <= 64 < sizes["colourful"]
