import re

import numpy as np
import pytest
import torch

from vaelib.checks import CheckFailed, check, check_bound, exercise


def test_it_prints_one_deterministic_line(capsys):
    check("eq-two", torch.tensor(2.0), 2 + 1e-10, "one route against another", rtol=1e-9, wrong={"a half missing": 4})
    assert capsys.readouterr().out == (
        "eq-two holds: one route against another, within 1e-09 relative\n"
        "    rejected: a half missing, off by more than 10 tolerances\n"
    )


@pytest.mark.parametrize(
    ("kwargs", "words"),
    [
        ({}, "to the last bit"),
        ({"atol": 1e-3}, "within 0.001 absolute"),
        ({"atol": 1e-3, "rtol": 0.5}, "within 0.5 relative plus 0.001 absolute"),
        ({"stderr": 0.1}, "within 5 standard errors (false alarm below 1e-06)"),
    ],
)
def test_the_tolerance_is_named(capsys, kwargs, words):
    check("eq-x", 1.0, 1.0, "this and that", **kwargs)
    assert capsys.readouterr().out == f"eq-x holds: this and that, {words}\n"


@pytest.mark.parametrize(
    ("left", "right", "kwargs"),
    [
        (1.0, 1.0 + 1e-12, {}),
        (1.0, 1.01, {"rtol": 0.009}),
        (1.0, 1.01, {"atol": 0.009}),
        (1.0, 1.6, {"stderr": 0.1}),
        (float("nan"), 1.0, {"atol": 10}),
        ([1.0, 2.0], [1.0, float("nan")], {"atol": 10}),
        (float("inf"), float("inf"), {"atol": 1}),
    ],
)
def test_it_raises_with_both_values(left, right, kwargs):
    with pytest.raises(CheckFailed, match=r"eq-x does not hold: what\nleft .*, right .*allowed"):
        check("eq-x", left, right, "what", **kwargs)


def test_it_names_the_worst_entry():
    with pytest.raises(CheckFailed, match=re.escape("left 5.0, right 3.0 at (1, 0); difference 2, allowed 1")):
        check("eq-x", np.array([[1.0], [5.0]]), np.array([[1.5], [3.0]]), "what", atol=1)


def test_a_wrong_formula_that_passes_is_an_error(capsys):
    with pytest.raises(CheckFailed, match="wrong formula 'mean for sum' is not rejected"):
        check("eq-x", 1.0, 1.0, "what", atol=0.1, wrong={"mean for sum": 1.9})
    check("eq-x", 1.0, 1.0, "what", atol=0.1, wrong={"mean for sum": 1.9}, margin=5)


def test_what_proves_nothing_is_refused():
    with pytest.raises(ValueError, match=r"one shape; got \(2,\) and \(\)"):
        check("eq-x", [1.0, 1.0], 1.0, "what", atol=1)
    with pytest.raises(ValueError, match=r"must have shape \(\); got \(2,\)"):
        check("eq-x", 1.0, 1.0, "what", wrong={"w": [2.0, 2.0]})
    with pytest.raises(ValueError, match="use a larger `sigmas`"):
        check("eq-x", 1.0, 1.0, "what", stderr=1.0, sigmas=3)
    with pytest.raises(ValueError, match=r"100 comparisons at 5 standard errors.*less than 1e-06"):
        check("eq-x", np.ones(100), np.ones(100), "what", stderr=np.ones(100))
    with pytest.raises(ValueError, match="standard error must be positive"):
        check("eq-x", 1.0, 1.0, "what", stderr=0.0)


def test_bounds(capsys):
    check_bound("eq-b", [1.0, 2.0], [1.0, 3.0], "small and large", wrong={"sign": [1.0, 4.0]})
    check_bound("eq-b", 1.05, 1.0, "small and large", slack=0.1)
    assert capsys.readouterr().out == (
        "eq-b holds: small and large\n    rejected: sign\neq-b holds: small and large, with room for 0.1\n"
    )
    with pytest.raises(CheckFailed, match=r"left 2.0, right 1.0"):
        check_bound("eq-b", 2.0, 1.0, "what")
    with pytest.raises(CheckFailed, match="does not hold"):
        check_bound("eq-b", float("nan"), 1.0, "what")
    with pytest.raises(CheckFailed, match="'sign' obeys the bound"):
        check_bound("eq-b", 0.0, 1.0, "what", wrong={"sign": 0.5})
    with pytest.raises(ValueError, match="one shape"):
        check_bound("eq-b", [0.0], 1.0, "what")


def test_exercises_reveal_nothing(capsys):
    exercise("Exercise 2.1", ..., lambda a: 1 / 0)
    exercise("Exercise 2.1", 41, lambda a: a == 42)
    exercise("Exercise 2.1", 42, lambda a: a == 42)
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        "Exercise 2.1: not attempted yet",
        "Exercise 2.1: not yet; the hints are folded above",
        "Exercise 2.1: right",
    ]
