"""Honest uses of `check` and `check_bound` pass in every number format, and print the same lines everywhere."""

import re

import numpy as np
import pytest
import torch

from vaelib.checks import CheckFailed, NotRejected, check, check_bound

FLOATS = [np.float32, np.float64, torch.float32, torch.float64, torch.bfloat16]
NORMAL = "(false alarm below 1e-06 if the errors are normal)"


def made(values, dtype):
    return torch.tensor(values, dtype=dtype) if isinstance(dtype, torch.dtype) else np.array(values, dtype=dtype)


def test_it_prints_one_deterministic_line_and_what_it_rejected(capsys):
    check("eq-two", torch.tensor(2.0), 2 + 1e-10, "one route against another", rtol=1e-9, wrong={"a half missing": 4})
    assert capsys.readouterr().out == (
        "eq-two holds: one route against another, within 1e-09 relative\n"
        "    rejected everywhere: a half missing, off by more than 10 tolerances\n"
    )


@pytest.mark.parametrize(
    ("kwargs", "words"),
    [
        ({}, "to the last bit"),
        ({"atol": 1e-3}, "within 0.001 absolute"),
        ({"atol": 1e-3, "rtol": 0.5}, "within 0.5 relative plus 0.001 absolute"),
        ({"stderr": 0.1}, f"within 5 standard errors {NORMAL}"),
        ({"stderr": 0.1, "sigmas": 6}, "within 6 standard errors (false alarm below 1e-08 if the errors are normal)"),
    ],
)
def test_the_tolerance_is_named(capsys, kwargs, words):
    check("eq-x", 1.0, 1.0, "this and that", **kwargs)
    assert capsys.readouterr().out == f"eq-x holds: this and that, {words}\n"


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("label", ["eq-x", "step-x-1", "def-x"])
def test_honest_arrays_pass_in_every_format(capsys, label, dtype):
    left, right = made([1.0, 2.0, 3.0], dtype), made([1.0, 2.0, 3.0], dtype)
    check(label, left, right, "one and two", wrong={"twice": 2 * right, "half": right / 2})
    check(label, left, right, "one and two", stderr=0.01 * right, sigmas=5.5, wrong={"twice": 2 * right})
    assert capsys.readouterr().out.count("rejected everywhere") == 3


@pytest.mark.parametrize(
    ("left", "right", "kwargs"),
    [
        (np.float32(0.1), torch.tensor(0.1), {}),
        (3, np.int64(3), {}),
        (np.uint8(200), 200, {}),
        (2**53, 2.0**53, {}),
        ([1, 2.5], (1.0, 2.5), {}),
        ([torch.tensor(1.0, requires_grad=True), torch.tensor(2.0)], [1, 2], {}),
        (torch.ones(2, requires_grad=True), np.ones(2), {}),
        ([[1, 2]], np.array([[1.0, 2.0]]), {}),
        (np.eye(30) + 1e-12, np.eye(30), {"atol": 1e-9}),  # zeros do not count where other numbers give the scale
        ([0.0, 1e-12], [0.0, 0.0], {"atol": 1e-9, "wrong": {"a slope left": [0.1, 0.2]}}),
        (0.0, 0, {}),
        (0.01, 0.0, {"stderr": 0.01, "wrong": {"not centred": 1.0}}),
    ],
)
def test_honest_scalars_lists_and_zeros_pass(capsys, left, right, kwargs):
    check("eq-x", left, right, "one and two", **kwargs)
    assert capsys.readouterr().out.startswith("eq-x holds: one and two, ")


@pytest.mark.parametrize(
    ("left", "right", "kwargs"),
    [
        (1.0, 1.0 + 1e-12, {}),
        (1.0, 1.01, {"rtol": 0.009}),
        (1.0, 1.01, {"atol": 0.009}),
        (1.0, 1.6, {"stderr": 0.1}),
        ([1.0, 2.0], [1.0, 2.1], {"atol": 0.05}),
        (1.7e308, -1.7e308, {"rtol": 0.5}),
        (2**53, 2**53 - 1, {}),
        (np.float32(0.1), 0.1, {}),
    ],
)
def test_it_raises_with_both_values_and_prints_nothing(capsys, left, right, kwargs):
    with pytest.raises(CheckFailed, match=r"eq-x does not hold: what\nleft .*, right .*allowed"):
        check("eq-x", left, right, "what", **kwargs)
    assert capsys.readouterr().out == ""


def test_it_names_the_worst_entry():
    with pytest.raises(CheckFailed, match=re.escape("left 5.0, right 3.0 at (1, 0); difference 2, allowed 1")):
        check("eq-x", np.array([[1.0], [5.0]]), np.array([[1.5], [3.0]]), "what", atol=1)


def test_a_wrong_version_is_tried_before_the_line_is_printed(capsys):
    with pytest.raises(NotRejected, match=r"wrong\['mean for sum'\] must miss in at least 10% .*\nleft 1.9, right 1.0"):
        check("eq-x", 1.0, 1.0, "what", atol=0.1, wrong={"mean for sum": 1.9})
    with pytest.raises(NotRejected, match="right nearly everywhere"):
        check_bound("eq-x", 0.0, 1.0, "what", wrong={"sign": 0.5})
    assert capsys.readouterr().out == ""
    assert issubclass(NotRejected, CheckFailed) and issubclass(NotRejected, ValueError)
    check("eq-x", 1.0, 1.0, "what", atol=0.1, wrong={"mean for sum": 1.9}, margin=5)


@pytest.mark.parametrize(("misses", "word"), [(20, "everywhere"), (19, "somewhere"), (2, "somewhere"), (1, None)])
def test_everywhere_means_every_entry_and_somewhere_a_tenth(capsys, misses, word):
    right = np.ones(20)
    wrong = {"some": right + (np.arange(20) < misses)}
    for call in (
        lambda: check("eq-x", right + 1e-12, right, "what", atol=1e-9, wrong=wrong),
        lambda: check_bound("eq-x", right - 0.5, right, "what", wrong=wrong),
    ):
        if word is None:
            with pytest.raises(NotRejected):
                call()
            continue
        call()
        assert f"\n    rejected {word}: some, " in capsys.readouterr().out


def test_beside_equality_to_the_last_bit_a_wrong_version_misses_by_more_than_rounding(capsys):
    for dtype in (np.float32, np.float64):
        right = np.array([1.0, 2.0], dtype=dtype)
        eps = np.finfo(dtype).eps
        check("eq-x", right.copy(), right, "what", wrong={"more than rounding": right * (1 + 100 * eps)})
        with pytest.raises(NotRejected):
            check("eq-x", right.copy(), right, "what", wrong={"rounding": right * (1 + eps)})
    assert capsys.readouterr().out.count("rejected everywhere: more than rounding, off by more than 10 roundings") == 2


def test_bounds(capsys):
    check_bound("eq-b", [1.0, 2.0], [1.0, 3.0], "small and large", wrong={"sign": [1.0, 4.0], "both": [2.0, 4.0]})
    check_bound("step-b", 1.0 + 1e-9, 1.0, "small and large", slack=1e-6, wrong={"twice": 2.0}, margin=0.1)
    check_bound("eq-b", 1.01, 1.0, "small and large", stderr=0.01, wrong={"twice": 2.0})
    assert capsys.readouterr().out == (
        "eq-b holds: small and large\n"
        "    rejected somewhere: sign, past the bound by more than 0.01 of the largest number\n"
        "    rejected everywhere: both, past the bound by more than 0.01 of the largest number\n"
        "step-b holds: small and large, with room for 1e-06\n"
        "    rejected everywhere: twice, past the bound by more than 0.1 of the largest number\n"
        f"eq-b holds: small and large, with room for 5 standard errors {NORMAL}\n"
        "    rejected everywhere: twice, past the bound by more than 0.01 of the largest number\n"
    )


@pytest.mark.parametrize("dtype", FLOATS)
def test_bounds_pass_in_every_format_and_break_with_both_values(dtype):
    check_bound("eq-b", made([1.0, 2.0], dtype), made([1.0, 3.0], dtype), "what", wrong={"w": made([2.0, 4.0], dtype)})
    with pytest.raises(CheckFailed, match=r"eq-b does not hold: what\nleft 4.0, right 3.0 at \(1,\)"):
        check_bound("eq-b", made([1.0, 4.0], dtype), made([1.0, 3.0], dtype), "what", wrong={"w": [2, 5]})
    with pytest.raises(CheckFailed, match=r"difference 0\.1, allowed 0\.05"):
        check_bound("eq-b", 1.1, 1.0, "what", stderr=0.01, wrong={"w": 5})
