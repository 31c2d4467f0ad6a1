"""Twins of the chapters: no debris where they are opened, the chapter's code, buttons and links that lead to them."""

import base64
import io
import json
import re
import runpy
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from types import SimpleNamespace

import crossrefs
import nbformat
import pytest
import twins
from _twin_pictures import FIGURES, embed, is_fresh
from PIL import Image
from test_book_pages import Links
from twin_guards import complaints

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = sorted(ROOT.glob("book/*.ipynb"))


class Anything(dict):
    """Stands for the built book where there is none: every role has its words, every label a number."""

    def get(self, key, default=None):
        return [["words", "book/p.html"]] if " " in key else "1.1" if key else default


@pytest.mark.slow
@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_leaves_no_debris_whatever_the_built_book_knows(path):
    known = {"address": "https://example.org/", "numbers": Anything(), "words": {f"book/{path.stem}": Anything()}}
    found = complaints(twins.twin(path, known), nbformat.read(path, as_version=4))
    assert {kind: wrong for kind, wrong in found.items() if wrong} == {}


@pytest.fixture(scope="module")
def built_twins(built):
    return {path.stem: nbformat.read(path, as_version=4) for path in sorted((built / "twins").glob("*.ipynb"))}


@pytest.mark.slow
def test_every_chapter_has_a_twin_with_the_numbers_of_the_built_book(built, built_twins):
    assert sorted(built_twins) == [path.stem for path in CHAPTERS]
    counts = defaultdict(int)
    for path in CHAPTERS:
        for kind, wrong in complaints(built_twins[path.stem], nbformat.read(path, as_version=4)).items():
            counts[kind] += len(wrong)
            assert wrong == [], f"{path.stem}: {kind}"
    assert counts and set(counts.values()) == {0}
    page = (built / "book" / "04_kl.html").read_text(encoding="utf-8")
    text = "\n".join(cell.source for cell in built_twins["04_kl"].cells)
    assert r"\tag{4.7}" in text and 'id="equation-eq-kl"' in page and "(4.7)" in page


@pytest.mark.slow
def test_where_the_address_is_known_every_link_leads_to_a_page_and_a_place_that_are_there(built):
    address = "https://example.org/book/"
    known = twins.crossrefs(built.with_name("crossrefs.json")) | {"address": address}
    pages, broken, count = {}, [], 0
    for path in CHAPTERS:
        text = "\n\n".join(cell.source for cell in twins.twin(path, known).cells if cell.cell_type == "markdown")
        for link in re.findall(rf"\]\({address}([^)]*)\)", text):
            name, _, place = link.partition("#")
            if name not in pages:
                pages[name] = Links((built / name).read_text(encoding="utf-8")).ids
            count += 1
            broken += [f"{path.stem}: {link}"] * bool(place and place not in pages[name])
    assert broken == [] and count > 100


@pytest.mark.slow
def test_a_page_offers_its_twin_and_its_source_and_says_which_is_which(built):
    text = (built / "book" / "04_kl.html").read_text(encoding="utf-8")
    assert 'href="../twins/04_kl.ipynb"' in text and 'href="../_sources/book/04_kl.ipynb"' in text
    assert "Notebook (.ipynb)" in text and "Source (.ipynb)" in text


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_above_the_cell_that_installs_stands_what_it_does(path):
    known = {"address": "", "numbers": Anything(), "words": {f"book/{path.stem}": Anything()}}
    cells = twins.twin(path, known).cells
    first = next(i for i, cell in enumerate(cells) if cell.cell_type == "code")
    assert "**In Colab**, the next cell installs `vaelib`" in cells[first - 1].source
    assert cells[first].source.startswith("#@title In Colab: install vaelib") and cells[first].outputs == []


@pytest.mark.parametrize("svg", sorted(FIGURES.glob("*.svg")), ids=lambda path: path.stem)
def test_every_drawing_has_a_picture_that_shows_it_as_it_is(svg):
    assert is_fresh(svg), "run `python tools/_twin_pictures.py`"
    with Image.open(io.BytesIO(base64.b64decode(embed(svg).partition(",")[2]))) as image:
        assert image.format == "PNG" and image.width == 1280 and len(image.getcolors()) > 2


def test_a_picture_of_an_older_drawing_is_refused(tmp_path):
    svg = sorted(FIGURES.glob("*.svg"))[0]
    (tmp_path / svg.name).write_text(svg.read_text(encoding="utf-8") + "<!-- new -->", encoding="utf-8")
    for copy in (False, True):
        if copy:
            (tmp_path / svg.name).with_suffix(".png").write_bytes(svg.with_suffix(".png").read_bytes())
        with pytest.raises(ValueError, match=f"{svg.stem}.png must be drawn from {svg.name}: run"):
            embed(tmp_path / svg.name)


def test_what_is_not_built_or_not_there_is_an_error_and_nothing_is_written(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(twins, "BUILD", tmp_path)
    assert twins.main(["--to", str(tmp_path / "out")]) == 1 and "run `make book`" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        twins.main(["../04_kl", "--to", str(tmp_path / "out")])
    assert "such as 04_kl; got ['../04_kl']" in capsys.readouterr().err and not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("base", "repository", "expected"),
    [
        ("", "", ""),
        ("", "https://github.com/Some-One/a.book", "https://some-one.github.io/a.book/"),
        ("", "https://github.com/someone/someone.github.io", "https://someone.github.io/"),
        ("https://example.org/b/", "https://github.com/a/b", "https://example.org/b/"),
        ("", "https://example.org/a/b", ""),
    ],
)
def test_links_lead_to_where_the_pages_are_published(base, repository, expected):
    config = SimpleNamespace(html_baseurl=base, html_theme_options={"repository_url": repository})
    assert crossrefs.published(config) == expected


BUTTONS = """
import json, sys
sys.path.insert(0, sys.argv[1])
import buttons
from types import SimpleNamespace as Some
context = {"pathto": lambda name, _: "../" + name, "header_buttons": [
    {"label": "launch-buttons", "buttons": [{"text": "Colab", "url":
        "https://colab.research.google.com/github/o/n/blob/main/book/01_a.ipynb"}]},
    {"label": "download-buttons", "buttons": [{"label": "download-source-button", "text": ".ipynb"}]}]}
app = Some(env=Some(doc2path=lambda name: name + sys.argv[2], found_docs={"book/01_a"}))
buttons.lead_to_twin(app, "book/01_a", "", context, None)
print(json.dumps([[b["text"], b.get("url")] for group in context["header_buttons"] for b in group["buttons"]]))
"""


@pytest.mark.parametrize("suffix", [".ipynb", ".md"])
def test_the_buttons_of_a_chapter_lead_to_its_twin(suffix):
    command = [sys.executable, "-c", BUTTONS, str(ROOT / "book" / "_ext"), suffix]
    found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    if suffix == ".md":
        assert [text for text, _ in found] == ["Colab", ".ipynb"]
        return
    assert found == [
        ["Colab", "https://colab.research.google.com/github/o/n/blob/twins/01_a.ipynb"],
        ["GitHub", "https://github.com/o/n/blob/twins/01_a.ipynb"],
        ["Notebook (.ipynb)", "../twins/01_a.ipynb"],
        ["Source (.ipynb)", None],
    ]


IN_COLAB = """
import sys, types
colab, output = types.ModuleType("google.colab"), types.ModuleType("google.colab.output")
exec(sys.argv[1], output.__dict__)
sys.modules |= {"google": types.ModuleType("google"), "google.colab": colab, "google.colab.output": output}
from vaelib.widgets import kl_figure
data, metadata = kl_figure(mu=1.0, logvar=-1.0, wrong=True)._repr_mimebundle_()
print(metadata["application/vnd.jupyter.widget-view+json"]["colab"]["custom_widget_manager"]["url"])
"""


@pytest.mark.slow
def test_a_live_figure_asks_colab_for_the_manager_of_widgets():
    """As far as it can be seen from here: with the stand-in of `make colab-test`."""
    stand_in = runpy.run_path(str(ROOT / "tools" / "colab" / "run.py"))["OUTPUT"]
    done = subprocess.run([sys.executable, "-c", IN_COLAB, stand_in], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.strip() == "https://example.org/manager.js", done.stderr
