"""The line under an equation: where it stands, what it says, what it unfolds to; numbers for labels; findings."""

import io
import json
import re
from html import unescape
from pathlib import Path

import printed
import pytest
import verdicts
from nbformat import write
from nbformat.v4 import new_markdown_cell, new_notebook
from small_notebooks import code, good
from small_notebooks import printed as prints
from sphinx.application import Sphinx

CONF = """extensions = ["myst_nb", "access", "ledger", "findings", "verdicts"]
myst_enable_extensions = ["dollarmath", "colon_fence"]
nb_execution_mode = "off"
nitpicky = True
"""
TEXT = """# A page

## First

$$
a = 1
$$ (eq-a)

Now b:

$$
b = 2
$$ (step-b)

After both."""
BOTH = """1 = 2 - 1
eq-a holds: Bayes' rule, within 1e-09 absolute
    rejected: three, off by more than 10 tolerances
    rejected everywhere: four, off by 2 or more
step-b holds: b below a
"""
AGAIN = "eq-a holds: a route, within 5 standard errors (false alarm below 1e-06)\n    rejected somewhere: five, x"
SEEN = "obs-seen measured: the error, 0.5 +- 0.1 over 5 seeds"
CELLS = [
    new_markdown_cell(TEXT),
    code(
        'check("eq-a", 1)\ncheck("step-b", 2)', prints(BOTH), tags=["check"], vaelib={"verdict": {"eq-a": "1 = 2 - 1"}}
    ),
    code('check("eq-a", 3)', prints(AGAIN), tags=["check"]),
    new_markdown_cell(
        "## Second\n\n$$ c = 3 $$ (eq-c)\n\n> **Finding** (obs-seen). It was $0.5$.\n\nSee {ref}`it <obs-seen>`."
    ),
    code('check("eq-c", 3)', prints("eq-c holds: open, to the last bit\nsee eq-a, eq-unknown and my-eq-a")),
    code('check("eq-a", 4)', prints("eq-a holds: far, to the last bit"), tags=["check"], vaelib={"verdict": "4 = 4"}),
    code('observe("obs-seen", 5)', prints(SEEN), tags=["check"]),
]
LANGUAGE = {"language_info": {"name": "python", "pygments_lexer": "ipython3"}}
ATTACKS = {
    "sections": {"01_page#eq-a": {"digest": "0", "attacked": 3, "noticed": 2, "holds_for": ["q"], "unknown": []}}
}


def build(folder, warnings):
    places = [str(folder / name) for name in ("", "", "out", "trees")]
    app = Sphinx(*places, "html", status=None, warning=warnings, freshenv=True)
    app.build()
    return app


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """The page of a small notebook, built with the extensions of the book."""
    folder = tmp_path_factory.mktemp("book")
    (folder / "conf.py").write_text(CONF, encoding="utf-8")
    (folder / "benchmarks").mkdir()
    (folder / "benchmarks" / "sabotage.json").write_text(json.dumps(ATTACKS), encoding="utf-8")
    (folder / "index.md").write_text("# Book\n\n```{toctree}\n01_page\n```\n", encoding="utf-8")
    write(new_notebook(cells=CELLS, metadata=good().metadata | LANGUAGE), folder / "01_page.ipynb")
    warnings = io.StringIO()
    build(folder, warnings)
    assert warnings.getvalue() == ""
    return (folder / "out" / "01_page.html").read_text(encoding="utf-8")


def folds(page):
    """{id of a fold: (its line, what it unfolds to)}."""
    found = re.findall(
        r'<details class="[^"]*verdict[^"]*"(?: id="([^"]*)")?>\s*<summary[^>]*>(.*?)</summary>(.*?)</details>',
        page,
        re.S,
    )
    return {name: (re.sub("<[^>]*>", "", line), content) for name, line, content in found}


def text(html):
    return unescape(re.sub("<[^>]*>", "", html))


def test_the_line_says_what_agreed_and_how_it_was_attacked(page):
    assert folds(page)["check-eq-a"][0] == (
        "(1) checked, 1 = 2 - 1: Bayes\N{RIGHT SINGLE QUOTATION MARK} rule, within 1e\N{NON-BREAKING HYPHEN}9; "
        "a route, within 5 standard errors; three wrong versions refused; "
        "2 of 2 replaced ingredients noticed; holds for every q, and did with others in its place"
    )
    assert folds(page)["check-step-b"][0] == "(2) checked: b below a"


def test_the_line_stands_directly_under_its_equation(page):
    for label, name in (("eq-a", "check-eq-a"), ("step-b", "check-step-b")):
        under = page.split(f'id="equation-{label}"')[1].split("</div>", 1)[1]
        assert under.lstrip().startswith("<details") and f'id="{name}"' in under[:200]


def test_a_cell_stands_once_under_the_nearest_equation_above_it(page):
    lines = folds(page)
    assert "check-eq-a" not in lines["check-step-b"][1] and page.count("tag_check") == 4
    assert text(lines["check-step-b"][1]).count("check(") == 2
    assert "The cell stands under (2)." in text(lines["check-eq-a"][1])
    assert text(lines["check-eq-a"][1]).count("check(") == 1  # the second check of this equation
    assert page.index("After both") > page.index('id="check-step-b"')


def test_a_fold_elsewhere_shows_what_was_printed_about_its_equation(page):
    shown = text(folds(page)["check-eq-a"][1])
    assert "rejected: three" in shown and "b below a" not in shown


def test_a_check_of_another_section_is_folded_where_it_stands(page):
    line, content = folds(page)[""]
    assert line == "(1) checked, 4 = 4: far, to the last bit" and "far, to" in content
    assert page.index("See <a") < page.index("checked, 4 = 4")


def test_printed_labels_become_linked_numbers_everywhere(page):
    assert "eq-a holds" not in page and "step-b holds" not in page
    assert re.search(r'<a class="reference internal" href="#equation-eq-c">\(3\)</a> holds: open', page)
    assert re.search(r'see <a[^>]*href="#equation-eq-a">\(1\)</a>, eq-unknown and my-eq-a', page)
    assert text(page).count('check("eq-a"') == 3  # code stays what the reader can run


def test_a_summary_holds_no_link(page):
    assert not [line for line in re.findall("<summary.*?</summary>", page, re.DOTALL) if "<a" in line]


def test_a_finding_is_a_box_without_a_number_that_can_be_referred_to(page):
    assert re.search(r'<div class="[^"]*finding[^"]*" id="obs-seen">\s*<p class="admonition-title">Finding</p>', page)
    assert "(obs-seen)" not in page and re.search(r'<a[^>]*href="#obs-seen"[^>]*>(<[^>]*>)*it<', page)
    line, content = folds(page)["check-obs-seen"]
    assert line == "Finding measured: the error, 0.5 +- 0.1 over 5 seeds" and "Finding</span></a> measured" in content


@pytest.mark.parametrize(
    ("row", "known"),
    [
        ({"attacked": 3, "noticed": 2, "holds_for": ["q"]}, (2, 2, ["q"])),
        (
            {"attacked": 2, "noticed": 0, "holds_for": ["x", "\\lambda_i"]},
            (0, 0, ["x", "\N{GREEK SMALL LETTER LAMDA}_i"]),
        ),
        ({"attacked": 3, "noticed": 1, "holds_for": ["\\mathrm{MSE}"], "undeclared": ["y"]}, (2, 1, ["MSE"])),
        ({"attacked": 3, "noticed": 1, "undeclared": ["y", "z"]}, (3, 1, [])),
        ({"attacked": 3, "noticed": 3}, (3, 3, [])),
        ({"attacked": 0, "noticed": 0}, None),
        ({"attacked": 2, "noticed": 3}, None),
        ({"attacked": "3", "noticed": 1}, None),
        ({}, None),
    ],
)
def test_the_table_of_attacks_is_read_with_care(row, known):
    assert printed.attacks_on({"03_elbo#eq-a": row}, "03_elbo", "eq-a") == known
    assert printed.attacks_on({"03_elbo#eq-a": row}, "04_kl", "eq-a") is None


@pytest.mark.parametrize(
    ("attacks", "said"),
    [
        (None, []),
        (printed.Attacks(1, 1, []), ["1 of 1 replaced ingredient noticed"]),
        (printed.Attacks(3, 2, []), ["2 of 3 replaced ingredients noticed"]),
        (printed.Attacks(0, 0, ["y"]), ["holds for every y, and did with others in its place"]),
        (printed.Attacks(0, 0, ["f", "x"]), ["holds for every f and every x, and did with others in their places"]),
    ],
)
def test_what_the_equation_leaves_free_does_not_read_as_missed(attacks, said):
    assert printed.attacked_words(attacks) == said


def test_every_line_of_the_book_can_be_read():
    root = Path(__file__).parents[2]
    table = printed.read_attacks(root)
    said = [words for key in table for words in printed.attacked_words(printed.attacks_on(table, *key.split("#")))]
    assert len(said) > 100 and not [words for words in said if "\\" in words or "{" in words or words.startswith("0")]


@pytest.mark.parametrize("content", [None, "", "[]", "{}", '{"sections": []}', '{"sections": {"a": 1}}'])
def test_a_table_that_is_missing_or_strange_is_no_table(tmp_path, content):
    (tmp_path / "benchmarks").mkdir()
    if content is not None:
        (tmp_path / "benchmarks" / "sabotage.json").write_text(content, encoding="utf-8")
    assert printed.read_attacks(tmp_path) == {}


def test_counts_are_words_up_to_twelve():
    assert [verdicts._count(n) for n in (1, 12, 13)] == ["one", "twelve", "13"]
