"""Every live figure in a real browser, by mouse, touch and keyboard: the numbers on the page are those of vaelib.

The pages are opened from the disk; that a plain server's pages draw the same figures is what every visit waits for.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import nbformat
import pytest
from browser import ROOT, Visit

from vaelib.widgets._elbo import elbo_numbers
from vaelib.widgets._flow import flow_numbers
from vaelib.widgets._frontier import frontier_numbers
from vaelib.widgets._kl import kl_numbers
from vaelib.widgets._noise import noise_numbers
from vaelib.widgets._plane import plane_numbers
from vaelib.widgets._sheet import sheet_numbers
from vaelib.widgets._spectrum import spectrum_numbers
from vaelib.widgets._water import water_numbers

STATE = "application/vnd.jupyter.widget-state+json"
VIEW = "application/vnd.jupyter.widget-view+json"
ROUNDED = 6e-4  # the page shows three decimals
COARSE = 0.01  # and where a slider is only known to three decimals, what follows from it is known to less
SLIDERS = """root => [...root.querySelectorAll(".slider")].map(
    row => [row.querySelector("output").innerText, row.querySelector("input").value])"""


class Kind(NamedTuple):
    """How to check one kind of live figure: a new one gets one line in KINDS, the tests find it in the chapters."""

    sliders: tuple[str, ...]  # what they set, from top to bottom
    numbers: Callable
    read: str  # where its numbers are read: the "terms" of the sums, or the "label" of the last drawing
    shown: Callable  # which of them are read there, in which order


KINDS = {
    "water": Kind(("power", "latents"), water_numbers, "terms", lambda _, n: [*n]),
    "spectrum": Kind(("way", "face"), spectrum_numbers, "terms", lambda _, n: [n.fine, n.error]),
    "frontier": Kind(
        ("power",),
        frontier_numbers,
        "terms",
        lambda _, n: [n.beta, n.kept, n.rate, n.distortion, n.own_rate, n.own_distortion],
    ),
    "elbo": Kind(("mu", "logvar", "w"), elbo_numbers, "terms", lambda _, n: [*n[:3], n.elbo, n.gap, n.log_px]),
    "kl": Kind(("mu", "logvar"), lambda wrong, **v: kl_numbers(**v), "label", lambda _, n: n[:5]),
    "sheet": Kind(
        ("mix", "hair", "skin"), sheet_numbers, "terms", lambda v, n: [v["mix"], v["hair"], v["skin"], n.length]
    ),
    "plane": Kind(("z1", "z2"), plane_numbers, "terms", lambda v, n: [v["z1"], v["z2"], n.ink, n.log_prior, n.nearest]),
    "flow": Kind(("t", "draw"), flow_numbers, "terms", lambda v, n: [n.z1, n.z2, n.moved, n.near]),
    "noise": Kind(
        ("mu", "logvar", "draw"),
        noise_numbers,
        "terms",
        lambda v, n: [v["mu"], n.scale, n.eps, n.chosen, n.dz_dmu, n.dz_dsigma, n.sd, n.sigma],
    ),
}


class Placed(NamedTuple):
    """A live figure of a chapter: where it stands, and the state that the page holds for it."""

    page: str
    name: str
    index: int
    state: dict


def placed() -> list[Placed]:
    """Every live figure in the notebooks of the book."""
    found = []
    for path in sorted((ROOT / "book").glob("*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        outputs = [out for cell in notebook.cells for out in cell.get("outputs", []) if VIEW in out.get("data", {})]
        for index, output in enumerate(outputs):
            name = re.fullmatch(r"<live figure: (\w+)>", output.data["text/plain"])[1]
            state = notebook.metadata.widgets[STATE]["state"][output.data[VIEW]["model_id"]]["state"]
            found.append(Placed(f"book/{path.stem}.html", name, index, state))
    return found


FIGURES = placed()


def test_every_live_figure_is_known():
    assert len(FIGURES) >= 3 and {figure.name for figure in FIGURES} <= KINDS.keys()


@pytest.fixture(scope="module", params=FIGURES, ids=lambda figure: f"{Path(figure.page).stem}-{figure.name}")
def live(request, browser, built):
    """One live figure on its page, read from the disk, on a screen that can be touched; no page complains."""
    visited = Visit(browser, (built / request.param.page).as_uri(), has_touch=True)
    yield request.param, visited.page, visited.page.locator(".live-figure").nth(request.param.index)
    assert visited.complaints == [] and visited.outside == []
    visited.context.close()


def settings(figure, root) -> tuple[dict, bool]:
    """Where the sliders and boxes of a figure stand, by the names of its values, and whether that is exact.

    A slider stands on one of its steps, at its start, or where a button put it: then only what is shown is known.
    """
    values, exact = {}, True
    for name, (words, place) in zip(KINDS[figure.name].sliders, root.evaluate(SLIDERS), strict=True):
        shown, places = number(words), (float(place), figure.state["values"][name])
        near = [place for place in places if abs(place - shown) < ROUNDED]
        values[name], exact = (near or [shown])[0], exact and bool(near)
    ticks = [name for name, value in figure.state["values"].items() if isinstance(value, bool)]
    boxes = root.evaluate("root => [...root.querySelectorAll('input[type=checkbox]')].map(box => box.checked)")
    values |= dict(zip(ticks, boxes, strict=True))
    return {name: int(value) if name == "draw" else value for name, value in values.items()}, exact


def number(words: str) -> float:
    return float(words.replace("\N{MINUS SIGN}", "-"))


def seen(root, where: str) -> list[str]:
    """The numbers that a reader sees, or hears, as they are written."""
    if where == "terms":
        return [words for words in root.locator(".term b").all_inner_texts() if re.search(r"\d", words)]
    return re.findall(r"\N{MINUS SIGN}?\d+\.\d+", root.locator("svg").last.get_attribute("aria-label"))


def assert_same_numbers(figure, root):
    kind, (values, exact) = KINDS[figure.name], settings(figure, root)
    expected = list(kind.shown(values, kind.numbers(**figure.state["fixed"], **values)))
    words = seen(root, kind.read)[: len(expected)]
    for word, value in zip(words, expected, strict=True):
        decimals = len(word.partition(".")[2])
        assert number(word) == pytest.approx(value, abs=max(0.6 / 10**decimals, 0 if exact else COARSE)), (
            words,
            expected,
        )


def by_mouse(page, slider):
    slider.hover(trial=True)  # waits until the page above has stopped moving
    box = slider.bounding_box()
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.5, y)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.7, y, steps=4)
    page.mouse.move(box["x"] + box["width"] * 0.83, y, steps=2)
    page.mouse.up()


def by_touch(page, slider):
    slider.tap(trial=True)
    box = slider.bounding_box()
    devtools = page.context.new_cdp_session(page)
    for kind, part in (("Start", 0.5), ("Move", 0.4), ("Move", 0.22), ("End", None)):
        point = {"x": box["x"] + box["width"] * part, "y": box["y"] + box["height"] / 2} if part else None
        devtools.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": [point] if point else []})
    devtools.detach()


def by_keyboard(page, slider):
    # To the end that is farther away, some steps back, and there again: surely elsewhere than before.
    low, now, high = slider.evaluate("node => [node.min, node.value, node.max].map(Number)")
    slider.focus()
    keys = ("Home", "ArrowRight", "PageUp") if now > (low + high) / 2 else ("End", "ArrowDown", "PageDown")
    seen = []
    for key in (*keys, keys[0]):
        page.keyboard.press(key)
        seen.append(float(slider.input_value()))
    assert seen[0] == seen[3] != seen[1] and seen[0] in (low, high)


@pytest.mark.parametrize("way", [by_mouse, by_touch, by_keyboard])
def test_every_slider_moves_and_the_numbers_follow(live, way):
    figure, page, root = live
    assert_same_numbers(figure, root)
    for slider in root.locator("input[type=range]").all():
        slider.scroll_into_view_if_needed()
        before = slider.input_value()
        way(page, slider)
        page.wait_for_function("([node, value]) => node.value !== value", arg=[slider.element_handle(), before])
        assert_same_numbers(figure, root)


def test_buttons_and_boxes_work_by_keyboard(live):
    figure, page, root = live
    for control in [*root.locator("input[type=checkbox]").all(), *root.locator("button").all()]:
        control.focus()
        page.keyboard.press("Space")
        assert_same_numbers(figure, root)
    sliders = {name: figure.state["values"][name] for name in KINDS[figure.name].sliders}
    values, exact = settings(figure, root)
    assert exact and values | sliders == values  # the last button starts again


def test_what_changed_is_said_once_it_rests(live):
    _, page, root = live
    root.locator("input[type=range]").first.focus()
    page.keyboard.press("End")
    spoken = root.locator(".spoken")
    page.wait_for_function("node => node.textContent.length > 20", arg=spoken.element_handle())
    assert spoken.get_attribute("aria-live") == "polite"
