"""Every guard is tried on a small notebook that breaks its rule and no other, and on one that breaks none."""

import broken_prose
import guards
import guards_equations
import pytest
from guards import NOTEBOOK_GUARDS
from nbformat.v4 import new_code_cell, new_output
from notebook_parts import as_notebook
from small_notebooks import (
    ALT,
    IGNORED,
    IMPORTS,
    code,
    good,
    picture,
    printed,
    unrun,
    widget,
    with_cells,
    with_check,
    with_kernel,
    with_metadata,
    with_outputs,
    with_source,
    with_text,
)


def complaints(notebook):
    return [guard.__name__.removeprefix("guard_") for guard in NOTEBOOK_GUARDS if guard(notebook)]


def test_the_good_notebook_keeps_every_rule():
    assert {guard.__name__: guard(good()) for guard in NOTEBOOK_GUARDS if guard(good())} == {}


ERROR = new_output("error", ename="ValueError", evalue="no", traceback=["ValueError: no"])
KL = "from vaelib.distributions import normal_kl as kl\n"
SHARED = 'check("eq-one", normal_kl(x, 0, 0, 0), other, "what")'
TOO_MANY_IGNORED = [code("print(1)", printed("1"), **IGNORED)] * 2
BROKEN = {
    "every_cell_has_run": [unrun()],
    "no_stored_errors": [with_outputs(1, ERROR)],
    "tags_are_known": [
        with_metadata(1, tags=["nbval-skip"]),
        with_metadata(1, tags=["raises-exception"]),
        with_source(8, "# NBVAL_SKIP\nprint(seconds)"),
    ],
    "no_timestamps": [with_metadata(1, execution={"iopub.status.busy": "2026-01-01T00:00:00Z"})],
    "pictures_have_alt_text": [
        with_metadata(7, mystnb={"image": {"alt": "too short"}}),
        with_metadata(7, mystnb={}),
        with_outputs(7, picture(), picture()),
    ],
    "cells_are_short": [with_cells(code("y = 1\n" * 31))],
    "kernel_is_python3": [with_kernel({}), with_kernel({"kernelspec": {"name": "conda-env-py"}})],
    "no_closing_semicolon": [with_cells(code("plt.plot(x);")), with_cells(code("plt.plot(x);  # quiet\n"))],
    "displays_are_labelled": [
        with_text("$$ k = 2 $$"),
        with_text(":::{admonition} Why\n$$\nk = 2\n$$\n:::"),
        with_text("$$ k = 2 $$ (k-two)"),
        with_text("$$ k = 2 $$ (eq-two) and more"),
        with_text("$$\nk = 2"),
        with_text("```{note}\n$$ k = 2 $$\n```"),
        with_text("\\begin{align}\nk = 2\n\\end{align}"),
        with_text("```{math}\n:label: def-two\nk = 2\n```"),
    ],
    "labels_are_unique": [with_text("$$ a = 1 $$ (def-a)\n\n$$ b = 1 $$ (def-a)")],
    "equations_are_checked": [
        with_text("$$ k = 2 $$ (eq-two)"),
        with_source(2, "## A finding\n\n$$ k = x $$ (eq-one)\n\n### Another heading"),
    ],
    "checks_name_a_label": [
        with_cells(code('check("eq-gone", x, 1, "what")', printed("eq-gone holds: what"))),
        with_cells(code('label = "eq-one"\ncheck(label, x, 1, "what")', printed("None holds: what"))),
    ],
    "checks_hold": [with_outputs(3, printed("eq-other holds: closed form against arithmetic"))],
    "sides_are_independent": [
        with_check('check("eq-one", x + 1, x+1, "what")'),
        with_check('left = x + 1\nright = x + 1\ncheck("eq-one", left, right, "what")'),
        with_check('check("eq-one", *both, "what")'),
        with_check('def run():\n    check("eq-one", x, 1, "what")\n\nrun()'),
        with_check(KL + SHARED.replace("other", "1 + kl(0, 0, x, 0)")),
        with_check(KL + "value = kl(0, 0, x, 0)\nother, rest = value + 1, 2\n" + SHARED),
        with_check(KL + "other = []\nfor k in [1, 2]:\n    other.append(k * kl(0, 0, x, 0))\n" + SHARED),
        with_check(KL + "other = 0\nother += kl(0, 0, x, 0)\n" + SHARED),
        with_check(SHARED.replace("other", "swapped(x)"), KL + "def swapped(a):\n    return kl(0, 0, a, 0)"),
        with_check(SHARED.replace("other", "swapped(x)"), KL + "swapped = lambda a: kl(0, 0, a, 0)"),
        with_check("import vaelib.distributions as d\n" + SHARED.replace("other", "d.normal_kl(0, 0, x, 0)")),
        with_check(
            'from vaelib.linear import covariance, fit_ppca\ncheck("eq-one", fit_ppca(x, 1), covariance(x), "what")'
        ),
    ],
    "most_text_is_compared": [
        with_cells(*TOO_MANY_IGNORED),
        with_cells(*TOO_MANY_IGNORED, code("plt.show()", picture(), **ALT)),
        with_cells(*TOO_MANY_IGNORED, code("figure", widget())),
    ],
    "checks_are_compared": [with_metadata(3, **IGNORED)],
    "ignored_cells_say_why": [with_metadata(8, vaelib={"ignore_reason": "time"}), with_metadata(8, vaelib={})],
    "outputs_are_portable": [
        with_outputs(8, printed("/home/someone/data")),
        with_outputs(8, printed("<Model at 0x7f001>")),
        with_outputs(8, printed("ipykernel_77/x.py:1: UserWarning")),
        with_outputs(8, printed("/tmp/x.py:1: UserWarning")),
        with_outputs(8, printed("C:\\data")),
        with_outputs(8, new_output("display_data", {"text/html": "<b>/root/data</b>"})),
    ],
    "imports_are_public": [
        with_cells(code("from vaelib.checks import _array")),
        with_cells(code("from vaelib.distributions import no_such_kl")),
        with_cells(code("from vaelib.linear import multivariate_normal_kl")),
        with_cells(code("from vaelib import no_such_module")),
        with_cells(code("from vaelib import checks\nchecks._array(x)")),
        with_cells(code("from vaelib.checks import *")),
    ],
    "exercises_are_open": [with_outputs(5, printed("Exercise 1.1: right")), with_metadata(5, **IGNORED)],
    "words_are_kind": [with_text("You simply add."), with_text("Obviously, it holds.")],
    "seed_comes_first": [
        with_source(1, IMPORTS.replace("set_seed(0)", "")),
        with_metadata(1, tags=["remove-cell"]),
    ],
} | broken_prose.BROKEN


@pytest.mark.parametrize("rule", BROKEN)
def test_a_notebook_that_breaks_one_rule_is_caught_by_its_guard_alone(rule):
    assert [complaints(notebook) for notebook in BROKEN[rule]] == [[rule]] * len(BROKEN[rule])


def test_every_guard_is_tried():
    assert set(BROKEN) == {guard.__name__.removeprefix("guard_") for guard in NOTEBOOK_GUARDS}


HARMLESS = {
    "labels in admonitions": with_text("$$ k = 2 $$ (def-two)\n\n:::{note}\n$$\nk = 3\n$$ (step-three)\n:::"),
    "an environment in dollars": with_text("$$\n\\begin{aligned}\nk = 2\n\\end{aligned}\n$$ (def-two)"),
    "dollars in code": with_text("Write `$$ a $$`, or\n\n```\n$$ b $$ 0.75 simply\n```\n\nor \\$\\$."),
    "a code directive": with_text("```{code-block} python\nx = 0.75  # simply\n```"),
    "numbers of places": with_text("See Exercise 2.1, Sections 1.2 and 1.3, Python 3.11-3.13, version 1.0.4."),
    "addresses": with_text("Read [it](https://arxiv.org/abs/1312.6114), https://x.org/0.75."),
    "other spellings of a number": with_text("In 60,000 words 0.50 is 5e-1, and 2e0 a count."),
    "numbered headings": with_text("## 2.1 A heading\n\n(sec-2.1)=\n<!-- 0.75 -->"),
    "options": with_text(":::{figure} x.png\n:width: 0.75\n:::"),
    "an empty cell": with_cells(new_code_cell("")),
    "a comment alone": with_cells(code("# the seconds follow")),
    "magics and inner semicolons": with_cells(code("%matplotlib inline\ny = 'a;'  # b;\nz = [1,\n     2]")),
    "web addresses": with_cells(code("url", printed("see https://example.org/home/ and 10:30"))),
    "a parameter named like a formula": with_check(
        SHARED.replace("other", "by_hand(x)"), "def by_hand(normal_kl):\n    return normal_kl**2 / 2"
    ),
    "two routes in one line": with_check('a, b = normal_kl(x, 0, 0, 0), x**2 / 2\ncheck("eq-one", a, b, "what")'),
    "two results of one call": with_check('a, b = f(x)\ncheck("eq-one", a, b, "what")'),
    "a label by keyword": with_check('check(label="eq-one", left=x, right=1, what="what")'),
} | broken_prose.HARMLESS


@pytest.mark.parametrize("case", HARMLESS)
def test_what_only_looks_like_a_breach_passes(case):
    assert complaints(HARMLESS[case]) == []


def test_a_hidden_cell_may_use_vaelib_before_the_seed_is_set():
    notebook = good()
    notebook.cells.insert(1, code("from vaelib.train import set_seed", tags=["remove-cell"]))
    assert complaints(notebook) == []


def test_a_name_from_an_earlier_cell_is_an_input_and_is_not_followed():
    notebook = with_check(SHARED)
    notebook.cells.insert(2, code(KL + "other = kl(0, 0, x, 0)"))
    assert complaints(notebook) == []


def test_a_problem_names_what_is_wrong():
    notebook = with_check(KL + SHARED.replace("other", "kl(0, 0, x, 0)"))
    (problem,) = guards_equations.guard_sides_are_independent(notebook)
    assert "eq-one" in problem and "vaelib.distributions.normal_kl" in problem


def test_a_large_file_is_caught(tmp_path):
    (tmp_path / "small").write_bytes(bytes(599 * 1024))
    (tmp_path / "large").write_bytes(bytes(600 * 1024))
    assert guards.size_problems(tmp_path / "small") == []
    assert "600 KB" in guards.size_problems(tmp_path / "large")[0]


def test_a_chapter_outside_the_contents_is_caught():
    toc = "root: book/intro\nparts:\n  - chapters:\n      - file: book/01_one\n      # - file: book/02_two\n"
    names = ["book/intro.md", "book/01_one.ipynb", "book/02_two.ipynb"]
    assert guards.toc_problems(toc, names) == ["_toc.yml does not list book/02_two.ipynb"]


def test_a_label_used_in_two_files_is_caught():
    page = as_notebook("$$ x $$ (eq-one)")
    assert guards.book_label_problems({"one": good(), "two": as_notebook("")}) == []
    assert guards.book_label_problems({"one": good(), "two": page}) == ["eq-one is used in one, two"]
