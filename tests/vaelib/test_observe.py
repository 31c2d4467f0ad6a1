"""What `observe` and `exercise` print, and when a claim about an experiment fails."""

import inspect
import textwrap

import numpy as np
import pytest
import torch

from vaelib.checks import CheckFailed, exercise, observe

FIVE = {"seen": [41.2, 40.9, 41.8, 41.0, 41.5], "new": np.array([96.0, 98.1, 97.3, 96.6, 97.0], dtype=np.float32)}


def test_an_observation_prints_median_range_and_its_tested_claim(capsys):
    observe("obs-x", FIVE, "loss after 800 passes", unit="nats", seeds=5, claim="2 * seen < new < 150")
    observe("obs-x", FIVE, "loss after 800 passes", unit="nats", seeds=range(5))
    assert capsys.readouterr().out == (
        "obs-x observed: loss after 800 passes, median and range of 5 seeds\n"
        "    seen: 41.2 nats (40.9 to 41.8)\n"
        "    new: 97 nats (96 to 98.1)\n"
        "    claim: 2 * seen < new < 150 (2 and 150: our choice), in every seed\n"
        "obs-x observed: loss after 800 passes, median and range of 5 seeds\n"
        "    seen: 41.2 nats (40.9 to 41.8)\n"
        "    new: 97 nats (96 to 98.1)\n"
    )


def test_an_observation_without_numbers_is_the_same_for_all_data(capsys):
    for scale in (1.0, 3.7):
        measured = {name: torch.tensor(values) * scale for name, values in FIVE.items()}
        observe("obs-x", measured, "loss", unit="nats", seeds=[3, 1, 4, 5, 9], claim="seen < new", numbers=False)
    line = "obs-x observed: loss, 5 seeds\n    claim: seen < new, in every seed\n"
    assert capsys.readouterr().out == 2 * line


def test_what_is_counted_is_named_where_it_is_no_seed(capsys):
    observe("obs-x", {"a": [1, 2, 3], "b": [2, 3, 4]}, "loss", unit="nats", seeds=3, claim="a < b", of="draws")
    out = capsys.readouterr().out
    assert "loss, median and range of 3 draws\n" in out and "in each of the 3 draws" in out and "seed" not in out


def test_one_run_says_where_its_spread_was_measured(capsys):
    run = "python -m benchmarks faces, 2026-11-20: 95 to 99 in 5 seeds"
    observe("obs-x", {"VAE, 20 numbers": 97.3}, "test loss", unit="nats", from_run=run, claim="90 < VAE, 20 numbers")
    assert capsys.readouterr().out == (
        "obs-x observed: test loss, one run here\n"
        "    VAE, 20 numbers: 97.3 nats\n"
        "    claim: 90 < VAE, 20 numbers (90: our choice), in this run\n"
        f"    spread: {run}\n"
    )


def test_the_same_whole_number_in_every_seed_is_honest(capsys):
    observe("obs-x", {"active": [20, 20, 20]}, "active units", unit="of 20", seeds=3)
    assert "active: 20 of 20 (20 to 20)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("claim", "fault"),
    [
        ("new < seen", "new is 96.0 and seen is 41.2 in run 0"),
        ("2.3 * seen < new", r"2.3 \* seen is 96.1\d* and new is 96.0 in run 2"),
        ("seen < new < 98", r"new is 98.0\d* and 98 is 98.0 in run 1"),
        ("41 < seen", "41 is 41.0 and seen is 40.9 in run 1"),
    ],
)
def test_a_claim_that_one_seed_contradicts_fails_with_both_values(capsys, claim, fault):
    measured = FIVE | {"new": [96.0, 98.05, 96.0, 96.6, 97.0]}
    with pytest.raises(CheckFailed, match=f"obs-x: not true in every run: claim: .*\n{fault}"):
        observe("obs-x", measured, "loss", unit="nats", seeds=5, claim=claim)
    assert capsys.readouterr().out == ""


def test_the_example_of_the_docstring_prints_what_it_says(capsys):
    call, printed = (textwrap.dedent(part) for part in inspect.getdoc(observe).split("\n\n")[1:3])
    exec(call, {"observe": observe})
    assert capsys.readouterr().out.rstrip() == printed


def test_exercises_reveal_nothing(capsys):
    exercise("Exercise 2.1", ..., lambda a: 1 / 0)
    for answer in (41, 42):
        exercise("Exercise 2.1", answer, lambda a: a == 42)
    assert capsys.readouterr().out.splitlines() == [
        "Exercise 2.1: not attempted yet",
        "Exercise 2.1: not yet; the hints are folded above",
        "Exercise 2.1: right",
    ]


@pytest.mark.parametrize("true", [True, np.True_, np.array(True), torch.tensor(True)])
def test_a_truth_value_of_any_library_is_understood(capsys, true):
    exercise("Exercise 2.1", 1, lambda a: true)
    exercise("Exercise 2.1", 1, lambda a: ~true if true is not True else False)
    assert capsys.readouterr().out.splitlines()[0] == "Exercise 2.1: right"
    assert "right" not in capsys.readouterr().out
