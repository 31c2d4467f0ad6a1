"""What `tools/_twin_text.py` and `_twin_cells.py` make of the dialect of the pages, piece by piece."""

import re
from pathlib import Path

import pytest
from _twin_cells import twin_cells, without_title
from _twin_inline import Page, targets
from _twin_text import convert
from nbformat.v4 import new_markdown_cell
from small_notebooks import code, picture

ROOT = Path(__file__).resolve().parents[2]
NUMBERS = {"eq-one": "1.1", "eq-two": "1.2", "fig-a": "Fig. 1.1"}
WORDS = {
    "eq eq-one": [["(1.1)", "book/01_a.html#equation-eq-one"]],
    "eq eq-far": [["(3.4)", "book/03_c.html#equation-eq-far"]],
    "term nat": [["nat", "book/notation.html#term-nat"]],
    "doc 02_b": [["The second", "book/02_b.html"]],
    "cite:p someone": [["[", None], ["Someone, 2001", "book/bibliography.html#id1"], ["]", None]],
    "ref obs-a": [["Finding", "book/01_a.html#obs-a"]],
    "myst place": [["there", "book/01_a.html#place"]],
}


def page(address="https://example.org/", **more):
    return Page("book/01_a", ROOT / "book", address, NUMBERS, WORDS, lambda path: "data:image/png;base64,AAAA", **more)


TEXTS = [
    ("{eq}`eq-far` and {term}`nats <nat>`", "[(3.4)](https://example.org/book/03_c.html#equation-eq-far) and [nats]"),
    ("see {doc}`02_b`, {doc}`that <02_b>`", "see [The second](https://example.org/book/02_b.html), [that]("),
    ("so {cite:p}`someone`.", "so [[Someone, 2001](https://example.org/book/bibliography.html#id1)]."),
    ("$$\na\n$$ (eq-one)\n\nby {eq}`eq-one`", '<a id="eq-one" name="eq-one"></a>\n\n$$\na\n\\tag{1.1}\n$$'),
    ("by {eq}`eq-one`\n\n$$\na\n$$ (eq-one)", "by [(1.1)](#eq-one)"),
    ("> **Finding** (obs-a). It *is*.\n\nby {ref}`that <obs-a>`", "> **Finding.** It *is*.\n\nby [that](#obs-a)"),
    ("(place)=\n## H\n\n[there](place)", '<a id="place" name="place"></a>\n\n## H\n\n[there](#place)'),
    (
        ":::{admonition} Why *so*?\n:class: dropdown\nYes.\n:::",
        "<summary><b>Why <em>so</em>?</b></summary>\n\nY",
    ),
    (":::{admonition} Met: $x$\n:class: dropdown\nYes.\n:::", "<summary><b>Met</b></summary>\n\n**$x$**\n\nYes."),
    (":::{admonition} A note\n$$\na\n$$\n:::", "> **A note**\n>\n> $$ a $$"),
    (":::{warning}\nMind.\n:::", "> **Warning**\n>\n> Mind."),
    (":::{figure} f.svg\n:name: fig-a\n:alt: A line.\n\nIt *rises*.\n:::", "AAAA)\n\n**Fig. 1.1.** It *rises*."),
    ("![A line.](f.svg)", "![A line.](data:image/png;base64,AAAA)"),
    ("a $x\ny$ b", "a $x y$ b"),
    ("code `{eq}` and `$x`, {eq}`eq-far`", "code `{eq}` and `$x`, [(3.4)]"),
    ("% a comment\n\nseen", "seen"),
    ("::::{grid} 1 2\n\n:::{grid-item-card} Read\nNow.\n:::\n::::", "**Read.** Now."),
]


@pytest.mark.parametrize(("text", "expected"), TEXTS, ids=[text[:24] for text, _ in TEXTS])
def test_the_dialect_of_the_pages_becomes_plain_markdown(text, expected):
    assert expected in convert(text, page(targets=targets([text])))


def test_without_an_address_a_link_to_another_page_is_plain_words_and_one_within_stays():
    text = "{eq}`eq-far`, {doc}`02_b`, {cite:p}`someone`, {term}`nats <nat>`, {eq}`eq-one`\n\n$$\na\n$$ (eq-one)"
    said = convert(text, page("", targets=targets([text]))).partition("\n")[0]
    assert said == "(3.4), *The second*, [Someone, 2001], nats, [(1.1)](#eq-one)"


def test_code_of_another_file_is_shown():
    text = "```{literalinclude} scripts/many_gpus.py\n:pyobject: train\n```"
    assert convert(text, page()).startswith("```python\ndef train(") and convert(text, page()).endswith("\n```")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (":::{mermaid}\na\n:::", "no {mermaid}"),
        ("{eq}`eq-none`", "knows no {eq}`eq-none`"),
        ("$$\na\n$$ (eq-none)", "no number for eq-none"),
        ("[there](nowhere)", "no place 'nowhere'"),
        ("- a\n\n  $$\n  x\n  $$ (eq-one)", "inside a list"),
        ("a {eq}``eq`one``", "the roles must be"),
    ],
)
def test_what_no_twin_can_show_is_an_error_that_says_so(text, message):
    with pytest.raises(ValueError, match="book/01_a: .*" + re.escape(message)):
        convert(text, page())


FOLDED = [
    (["check"], {"source_hidden": True}, "Check of (1.1), eq-other; Measurement of a finding"),
    (["hide-input"], {"source_hidden": True}, "Code of the figure"),
    (["hide-cell"], {"source_hidden": True, "outputs_hidden": True}, "Solution, in code"),
]


@pytest.mark.parametrize(("tags", "hidden", "title"), FOLDED)
def test_what_the_page_folds_is_closed_under_a_title(tags, hidden, title):
    source = 'check("eq-one", 1)\nobserve("obs-a", 2)\ncheck_bound("eq-other", 3)'
    cell = code(source, picture(), tags=[*tags, "nbval-ignore-output", "raises-exception"], vaelib={"slip": "a"})
    before = new_markdown_cell(":::{admonition} Solution\n:class: dropdown\nIt is 1.\n:::")
    _, twin = twin_cells([before, cell], NUMBERS)
    assert twin["source"] == f"#@title {title}\n{source}" and without_title(twin["source"]) == source
    collapsed = {"collapsed": True} if "outputs_hidden" in hidden else {}
    assert twin["metadata"] == {"tags": ["raises-exception"], "cellView": "form", "jupyter": hidden} | collapsed
    assert (twin["id"], twin["outputs"], twin["execution_count"]) == (cell.id, cell.outputs, 1)


def test_an_open_cell_and_one_that_starts_with_a_magic_keep_their_first_line():
    plain, magic = twin_cells([code("x = 1"), code("%%time\nx = 1", tags=["hide-input"])])
    assert (plain["source"], plain["metadata"]) == ("x = 1", {})
    assert (magic["source"], magic["metadata"]) == ("%%time\nx = 1", {"jupyter": {"source_hidden": True}})
