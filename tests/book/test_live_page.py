"""The host of the live figures: a broken one stops no other, and nothing reaches what all objects share."""

import base64
import json
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow  # it trains, builds or starts other programs

ROOT = next(folder for folder in Path(__file__).resolve().parents if (folder / "Makefile").exists())
(PAGE,) = [path for path in (ROOT / "tests").rglob("live_page.mjs")]
HOST = (ROOT / "book" / "assets" / "live.js").read_text(encoding="utf-8")
SHOWS = """export default { render({ model, el }) {
  const bytes = (view) => `bytes ${[...new Uint8Array(view.buffer)]}`;
  const show = (value) => value instanceof DataView ? bytes(value) : JSON.stringify(value);
  el.append(Object.assign(document.createElement("b"), { textContent: show(model.get("value")) ?? "nothing" }));
} }"""


def state_of(value, **more):
    return {"state": {"_esm": SHOWS, "value": value, **more}}


def text_of(models):
    """As Python writes it into a page: numbers that are not finite are bare words."""
    return json.dumps({"state": models})


def drawn(*texts, views):
    """What stands in the place of each view: what the figure shows, or the error."""
    job = json.dumps(dict(kind="page", host=HOST, views=views, texts=texts))
    options = dict(input=job, capture_output=True, text=True, timeout=60)
    done = subprocess.run(["node", str(PAGE)], **options)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert set(found["polluted"]) == KEYS_OF_ALL
    for figure in found["figures"]:
        assert ("live-drawn" in figure["place"]) != ("could not be drawn" in figure["text"])
    return [figure["states"][0]["terms"] or figure["text"] for figure in found["figures"]]


KEYS_OF_ALL = {
    *("__defineGetter__", "__defineSetter__", "__lookupGetter__", "__lookupSetter__", "__proto__", "constructor"),
    *("hasOwnProperty", "isPrototypeOf", "propertyIsEnumerable", "toLocaleString", "toString", "valueOf"),
}


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (float("nan"), '"nan"'),
        (float("inf"), '"inf"'),
        ([1.5, float("-inf"), {"deep": float("nan")}], '[1.5,"-inf",{"deep":"nan"}]'),
        ('a "NaN" in a text, NaN, \\" Infinity', json.dumps('a "NaN" in a text, NaN, \\" Infinity')),
        ("ends in \\", json.dumps("ends in \\")),
        ("nan", '"nan"'),
        ({"NaN": 1, "-Infinity": None}, '{"NaN":1,"-Infinity":null}'),
    ],
)
def test_numbers_that_are_not_finite_arrive_as_in_jupyter(value, shown):
    assert drawn(text_of({"a": state_of(value), "b": state_of(2)}), views=["a", "b"]) == [[shown], ["2"]]


@pytest.mark.parametrize("broken", ["", "{", "null", "[]", '{"state": null}', "NaNa", '{"state": {"a": }}', '"\n"'])
def test_a_state_that_cannot_be_read_takes_its_own_figures_only(broken):
    first, second, third = drawn(
        text_of({"a": state_of(1)}), broken, text_of({"c": state_of(3)}), views=["a", "b", "c"]
    )
    assert (first, third) == (["1"], ["3"])
    assert "could not be drawn" in second and ("page cannot be read" in second or "was not stored" in second)


BROKEN = {
    "no model": None,
    "a number": 3,
    "no state": {},
    "an empty state": {"state": {}},
    "state is null": {"state": None},
    "script is a number": {"state": {"_esm": 3}},
    "script does not parse": {"state": {"_esm": "export default {"}},
    "script is empty": {"state": {"_esm": ""}},
    "throws at once": {"state": {"_esm": "throw new Error('no')"}},
    "throws nothing": {"state": {"_esm": "export default { render() { throw null } }"}},
    "throws undefined": {"state": {"_esm": "export default () => Promise.reject()"}},
    "render is missing": {"state": {"_esm": "export default {}"}},
    "exports nothing": {"state": {"_esm": "const a = 1"}},
    "initialize throws": {"state": {"_esm": "export default { initialize() { throw new Error('no') }, render() {} }"}},
    "buffers are a number": state_of(1) | {"buffers": 3},
    "a buffer is null": state_of(1) | {"buffers": [None]},
    "no base64": state_of(1) | {"buffers": [{"path": ["value"], "data": "\u20ac"}]},
    "path leads nowhere": state_of(1) | {"buffers": [{"path": ["no", "where"], "data": "YQ=="}]},
    "path leads into a number": state_of(1) | {"buffers": [{"path": ["value", "x"], "data": "YQ=="}]},
    "path is empty": state_of(1) | {"buffers": [{"path": [], "data": "YQ=="}]},
    "path is no list": state_of(1) | {"buffers": [{"path": "value", "data": "YQ=="}]},
}


@pytest.mark.parametrize("name", BROKEN)
def test_one_broken_figure_stops_no_other_and_is_said_in_its_place(name):
    models = {"a": state_of(1), "b": BROKEN[name], "c": state_of(3)}
    first, second, third = drawn(text_of(models), views=["a", "b", "c"])
    assert (first, third) == (["1"], ["3"]) and "This live figure could not be drawn: " in second


@pytest.mark.parametrize("text", ["", "{", "null", "3", '{"model_id": NaN}', '{"model_id": {"a": 1}}'])
def test_a_view_that_cannot_be_read_stops_no_other(text):
    first, second = drawn(text_of({"a": state_of(1)}), views=[{"text": text}, "a"])
    assert "could not be drawn" in first and second == ["1"]


@pytest.mark.parametrize("name", ["__proto__", "constructor", "toString", "hasOwnProperty", "prototype"])
def test_a_name_that_all_objects_know_is_no_figure(name):
    first, second = drawn(text_of({"a": state_of(1)}), views=[name, "a"])
    assert first.endswith("its script was not stored with the page") and second == ["1"]


DATA = base64.b64encode(bytes([1, 2])).decode()


@pytest.mark.parametrize(
    "path",
    [
        ["__proto__", "polluted"],
        ["constructor", "prototype", "polluted"],
        ["value", "__proto__", "polluted"],
        ["value", "constructor", "polluted"],
        ["__proto__"],
        ["value", 0, "__proto__", "polluted"],
    ],
)
def test_a_buffer_never_reaches_what_all_objects_share(path):
    models = {"a": state_of([{}]) | {"buffers": [{"path": path, "data": DATA}]}, "b": state_of(2)}
    assert drawn(text_of(models), views=["a", "b"]) == [["[{}]"], ["2"]]


@pytest.mark.parametrize("key", ["__proto__", "constructor", "prototype"])
def test_a_key_of_a_state_never_reaches_it_either(key):
    bad = {key: {"polluted": 1, "_esm": SHOWS}}
    text = text_of({"a": state_of({"deep": bad, "good": 1}, **bad), "b": state_of(2)} | bad)
    assert drawn(text, views=["a", "b"]) == [['{"deep":{},"good":1}'], ["2"]]


def test_buffers_come_back_where_they_were():
    models = {
        "a": state_of(None) | {"buffers": [{"path": ["value"], "data": DATA}]},
        "b": state_of(2) | {"buffers": None},
    }
    assert drawn(text_of(models), views=["a", "b"]) == [["bytes 1,2"], ["2"]]


def test_a_figure_may_use_any_name_of_its_own():
    code = """export default { render({ model, el }) {
      model.set("__proto__", { polluted: 1 }); model.set({ toString: 2 });
      const found = [model.get("hasOwnProperty"), model.get("toString"), model.get("polluted"), {}.polluted];
      el.append(Object.assign(document.createElement("b"), { textContent: JSON.stringify(found) }));
    } }"""
    assert drawn(text_of({"a": {"state": {"_esm": code}}}), views=["a"]) == [["[null,2,null,null]"]]
