"""Nothing on a long list can fool `check`, `check_bound`, `observe` or `exercise`: nothing is printed, all is named."""

import copy
import inspect
from fractions import Fraction

import numpy as np
import pytest
import torch

from vaelib import checks
from vaelib.checks import CheckFailed, NotRejected, check, check_bound, exercise, observe

INF, NAN = float("inf"), float("nan")


def left(value, right=1.0, **kwargs):
    return lambda: check("eq-x", value, right, "what", **kwargs)


def both(value, other=None, **kwargs):
    return lambda: check("eq-x", value, value if other is None else other, "what", **kwargs)


def loose(**kwargs):
    return lambda: check("eq-x", 1.0, 99.0, "what", **kwargs)


def wrong(value, right=1.0, what="slip", **kwargs):
    return lambda: check("eq-x", copy.deepcopy(right), right, "what", wrong={what: value}, **kwargs)


def bound(smaller, larger=1.0, wrong=2.0, **kwargs):
    return lambda: check_bound("eq-x", smaller, larger, "what", wrong={"slip": wrong}, **kwargs)


def named(function, label, what="what", **kwargs):
    return lambda: function(label, 0.5, 1.0 if function is check_bound else 0.5, what, **kwargs)


def seen(value=(1.5, 2.0, 2.5), name="seen", label="obs-x", what="loss", unit="nats", **kwargs):
    kwargs = ({} if "from_run" in kwargs else {"seeds": 3}) | kwargs
    return lambda: observe(label, {name: value} if name else value, what, unit=unit, **kwargs)


def verdict(value, answer=41, name="Exercise 1.1"):
    return lambda: exercise(name, answer, (lambda a: value))


MIX = {"seen": [1.5, 2.0, 2.5], "new": [1.5, 2.0, 2.5]}
RUN = "python -m benchmarks faces, 2026-11-20: 1 to 2 in 5 seeds"
ONE_IN_A_THOUSAND = np.r_[2.0, np.ones(999)]
MASKED = np.ma.array([1.0, 1.0], mask=[False, True])
SPARSE = torch.eye(2).to_sparse()

ATTACKS = {
    # the sides are nothing, or no real numbers
    "empty arrays": both(np.zeros(0), np.zeros(0)),
    "empty lists": both([], []),
    "empty tensors": both(torch.zeros(0), torch.zeros(0)),
    "empty rows": both(np.zeros((3, 0)), np.zeros((3, 0))),
    "nested empty lists": both([[], []], [[], []]),
    "complex, imaginary part dropped": left(1 + 5j),
    "complex array": both(np.array([1 + 1j]), np.array([1 + 2j])),
    "complex tensor": left(torch.tensor(1 + 5j)),
    "complex in a list": left([1.0, 1 + 5j], [1.0, 1.0]),
    "a number as text": left("1"),
    "bytes": left(b"1"),
    "an array of text": left(np.array(["1"]), [1.0]),
    "text in a list": left([1.0, "1"], [1.0, 1.0]),
    "dates": both(np.array(["2026-01-01"], "datetime64[D]"), np.array(["2026-01-01"], "datetime64[D]")),
    "durations": both(np.timedelta64(1, "s"), np.timedelta64(1, "s")),
    "truth values": both(True, True),
    "a truth value for a one": left(True),
    "an array of truth values": both(np.array([True]), np.array([True])),
    "a tensor of truth values": both(torch.tensor([True]), torch.tensor([True])),
    "numpy's truth value": left(np.True_),
    "None": both(None, None),
    "a fraction": left(Fraction(1, 1)),
    "a dictionary": left({"value": 1.0}),
    "a set": left({1.0}),
    "a generator": left(x for x in (1.0, 2.0)),
    "a function": left(lambda: 1.0),
    "an object array": left(np.array([1.0], dtype=object), [1.0]),
    "a record": left(np.zeros(1, dtype=[("a", float)]), [0.0]),
    "a masked array": left(MASKED, [1.0, 1.0]),
    "a masked array in a list": left([MASKED], [[1.0, 1.0]]),
    "a sparse tensor": both(SPARSE, torch.eye(2)),
    "a tensor without data": both(torch.empty(2, device="meta"), torch.ones(2)),
    "long doubles that float64 cannot tell apart": both(np.longdouble(1) + np.finfo(np.longdouble).eps, 1.0),
    "whole numbers that float64 cannot tell apart": left(2**53 + 1, 2**53),
    "the same, negative": left(-(2**53) - 1, -(2**53)),
    "the same, negative, in an array": both(np.array([-(2**53) - 1]), np.array([-(2**53)])),
    "the same in int64": left(np.int64(2**53 + 1), np.int64(2**53)),
    "the same in a tensor": left(torch.tensor([2**53 + 1]), torch.tensor([2**53])),
    "the same in uint64": left(np.uint64(2**63 + 1), np.uint64(2**63)),
    "the same in a list that has a float": left([2**53 + 1, 0.5], [2**53, 0.5]),
    "a huge integer": left(2**70, 2.0**70),
    # the sides are not finite
    "NaN on the left": left(NAN, atol=10),
    "NaN on the right": left(1.0, NAN, atol=10),
    "NaN on both sides": both(NAN, NAN),
    "infinity on both sides": both(INF, INF),
    "infinity within anything": both(INF, INF, atol=1),
    "infinity times a tolerance": left(1.0, INF, rtol=0.5),
    "one NaN among many": both([1.0, NAN], [1.0, NAN]),
    "one NaN in an array": both(np.array([1.0, NAN]), np.array([1.0, NAN])),
    "a NaN tensor": both(torch.tensor([NAN]), torch.tensor([NAN])),
    # the sides do not match, or are one
    "a list against a number": left([1.0, 1.0]),
    "a row against a column": both(np.ones((1, 3)), np.ones((3, 1))),
    "parts of several shapes": both([1.0, [1.0]], [1.0, [1.0]]),
    "one array twice": both(np.arange(3.0)),
    "one tensor twice": both(torch.arange(3.0)),
    "one list twice": both([1.0, 2.0]),
    "an array and its view": (lambda x: both(x, x[:]))(np.arange(3.0)),
    "a tensor and its copy without a gradient": (lambda x: both(x, x.detach()))(torch.ones(3, requires_grad=True)),
    "a tensor and its numbers": (lambda x: both(x, x.numpy()))(torch.arange(3.0)),
    # tolerances that cannot fail
    "atol infinite": loose(atol=INF),
    "atol NaN": loose(atol=NAN),
    "atol negative": left(1.0, atol=-0.1, rtol=0.5),
    "atol complex": loose(atol=1000j),
    "atol as text": loose(atol="1000"),
    "atol true": left(1.5, atol=True),
    "atol an array": both([1.0, 99.0], [1.0, 1.0], atol=[0.0, 98.0]),
    "atol None": loose(atol=None),
    "atol above the number": loose(atol=1000.0),
    "atol above every number": both([1e-3, 2e-3], [2e-3, 1e-3], atol=0.01),
    "atol above all but one in twenty": both(
        np.r_[1e-9, np.zeros(19)], np.r_[9.0, np.full(19, 1e-3)], atol=8.999999999
    ),
    "atol beside zero, with nothing to scale it": left(5.0, 0.0, atol=10.0),
    "atol beside zeros": both(np.full(3, 1e-9), np.zeros(3), atol=1e-8),
    "rtol of one": left(0.0, 1.0, rtol=1.0),
    "rtol of two": loose(rtol=2.0),
    "rtol infinite": loose(rtol=INF),
    "rtol NaN": loose(rtol=NAN),
    "rtol negative": left(1.0, rtol=-0.5, atol=0.6),
    "atol and rtol that overflow": left(1.0, 1.7e308, rtol=0.99, atol=1.7e308),
    "stderr infinite": loose(stderr=INF),
    "stderr NaN": loose(stderr=NAN),
    "stderr zero": left(1.0, stderr=0.0),
    "stderr negative": left(1.0, stderr=-0.1),
    "stderr empty": both([1.0], [99.0], stderr=[]),
    "stderr an empty array": both(np.ones(1), np.full(1, 99.0), stderr=np.zeros(0)),
    "stderr of another length": both([1.0, 2.0], [1.0, 2.0], stderr=[0.1, 0.1, 0.1]),
    "stderr a column": both(np.ones(3), np.full(3, 1.1), stderr=np.full((3, 1), 0.1)),
    "stderr of one entry for many": both(np.ones(3), np.full(3, 1.1), stderr=[0.1]),
    "stderr of more entries than sides": left(1.0, 1.1, stderr=[0.1, 0.1]),
    "stderr complex": left(1.0, 1.1, stderr=0.1 + 0j),
    "stderr with a zero": both([1.0, 1.0], [1.1, 1.0], stderr=[0.1, 0.0], sigmas=6),
    "stderr as wide as the number": loose(stderr=20.0),
    "stderr beside zero, with nothing to scale it": left(5.0, 0.0, stderr=2.0),
    "stderr beside atol": left(1.0, stderr=0.1, atol=0.1),
    "stderr beside rtol": left(1.0, stderr=0.01, rtol=0.1),
    "stderr that covers one entry": both([1.0, 5.0], [1.1, 99.0], stderr=[0.1, 50.0], sigmas=6),
    "stderr that overflows in one entry": both([0.0, 1.0], [0.0, 2.0], stderr=[1e308, 0.3], sigmas=6),
    "stderr that overflows": left(1.0, 2.0, stderr=1e308),
    "not quite five standard errors": left(1.0, stderr=0.1, sigmas=4.9),
    "three standard errors": left(1.0, stderr=0.1, sigmas=3),
    "a hundred comparisons at five standard errors": both(np.ones(100), np.full(100, 1.1), stderr=np.full(100, 0.1)),
    "sigmas infinite": loose(stderr=0.1, sigmas=INF),
    "sigmas NaN": loose(stderr=0.1, sigmas=NAN),
    "thirty standard errors": left(1.0, 9.0, stderr=0.27, sigmas=30),
    "sigmas a list of one": left(1.0, stderr=0.1, sigmas=[5.0]),
    "sigmas an array": left(1.0, stderr=0.1, sigmas=[5.0, 5.0]),
    # wrong versions that reject nothing
    "wrong is NaN": wrong(NAN, atol=0.1),
    "wrong is infinite": wrong(INF, atol=0.1),
    "wrong is NaN in one entry": wrong([2.0, NAN], [1.0, 1.0], atol=0.1),
    "wrong is NaN in one entry of an array": wrong(np.array([2.0, NAN]), np.ones(2), atol=0.1),
    "wrong is complex": wrong(1 + 5j, atol=0.1),
    "wrong is text": wrong("2", atol=0.1),
    "wrong is a truth value": wrong(False, atol=0.01),
    "wrong is None": wrong(None, atol=0.1),
    "wrong is empty": wrong([], atol=0.1),
    "wrong has another shape": wrong([2.0, 2.0], atol=0.1),
    "wrong is one number for many": wrong(2.0, [1.0, 1.0], atol=0.1),
    "wrong is right": wrong(1.0, atol=0.1),
    "wrong misses by less than the margin": wrong(1.9, atol=0.1),
    "wrong misses by exactly the margin": wrong(2.25, atol=0.125),
    "wrong misses by rounding": wrong(1 + 1e-15),
    "wrong is beside zero by nothing": wrong(1e-300, 0.0),
    "wrong is right but for one entry in a thousand": wrong(ONE_IN_A_THOUSAND, np.ones(1000), atol=0.01),
    "wrong is right but for one entry in eleven": wrong(ONE_IN_A_THOUSAND[:11], np.ones(11), atol=0.01),
    "wrong differs by rounding in float32": wrong(torch.tensor(1 + 2e-7), torch.tensor(1.0)),
    "no wrong version in the dictionary": left(1.0, wrong={}),
    "wrong is a list": left(1.0, wrong=[2.0]),
    "wrong is a zero": left(1.0, wrong=0),
    "one wrong version under two names": left(1.0, wrong={"sign": 2.0, "half": 2.0}),
    "wrong without a name": wrong(2.0, what=" "),
    "wrong with a number for a name": wrong(2.0, what=1),
    "a name that is another line": wrong(2.0, what="sign\n    rejected everywhere: all others"),
    "margin infinite": wrong(2.0, atol=0.1, margin=INF),
    "margin NaN": wrong(1.01, atol=0.1, margin=NAN),
    "margin negative": wrong(1.01, atol=0.1, margin=-1.0),
    "margin zero": wrong(1.01, atol=0.1, margin=0),
    "margin one": wrong(1.2, atol=0.1, margin=1),
    "margin text": wrong(2.0, atol=0.1, margin="10"),
    # labels and words
    "check of an observation": named(check, "obs-x"),
    "check_bound of an observation": named(check_bound, "obs-x", wrong={"slip": 2.0}),
    "a label without a kind": named(check, "kl"),
    "a label that is a kind": named(check, "eq-"),
    "a label in capitals": named(check, "eq-KL"),
    "a label of two lines": named(check, "eq-x\neq-y"),
    "a label with a verdict": named(check, "eq-x holds: all,"),
    "a label that is a number": named(check, 1),
    "no words": named(check, "eq-x", ""),
    "words that are no text": named(check, "eq-x", None),
    "words that are another line": named(check, "eq-x", "one\neq-y holds: two"),
    "words that are another line, in Unicode": named(check, "eq-x", "one\u2028eq-y holds two"),
    "words that are another verdict": named(check, "eq-x", "one, and eq-y holds: two"),
    "words that name a tolerance": named(check_bound, "eq-x", "one, within 1e-09 relative", wrong={"slip": 2.0}),
    # bounds
    "a bound below minus infinity": bound(-INF),
    "a bound above infinity": bound(0.0, INF, INF),
    "a bound with NaN": bound(0.0, NAN),
    "a bound on nothing": bound([], [], []),
    "a bound on complex numbers": bound(0.5 + 9j),
    "a bound on text": bound("a", "b", "c"),
    "a bound on truth values": bound(False, True, 2.0),
    "a bound on two shapes": bound([0.0], 1.0),
    "a bound on one array": (lambda x: bound(x, x, 2 * x))(np.ones(3)),
    "a bound on whole numbers beyond float64": bound(2**53 + 1, 2**53, 2**54),
    "a bound that nothing breaks": lambda: check_bound("eq-x", 0.0, 1.0, "what"),
    "a bound with wrong=None": lambda: check_bound("eq-x", 0.0, 1.0, "what", wrong=None),
    "a bound with wrong={}": lambda: check_bound("eq-x", 0.0, 1.0, "what", wrong={}),
    "a wrong version of another shape in a bound": bound(0.5, 1.0, [2.0, 2.0]),
    "a wrong version that is one number for many": bound([0.5, 0.5], [1.0, 1.0], 2.0),
    "a wrong NaN in a bound": bound(0.5, 1.0, NAN),
    "a wrong infinity in a bound": bound(0.5, 1.0, INF),
    "a wrong version that obeys the bound": bound(0.5, 1.0, 0.9),
    "a wrong version that touches the bound": bound(0.5, 1.0, 1.0),
    "a wrong version that breaks the bound by rounding": bound(0.5, 1.0, 1 + 1e-15),
    "a wrong version that breaks it by half a percent": bound(0.5, 1.0, 1.005),
    "a wrong version that breaks a far bound by little": bound(-1e300, 1.0, 2.0),
    "a wrong version that breaks one bound in a thousand": bound(np.zeros(1000), np.ones(1000), ONE_IN_A_THOUSAND),
    "a wrong version within the error bars": bound(0.9, 1.0, 1.3, stderr=0.1),
    "slack infinite": bound(5.0, slack=INF),
    "slack NaN": bound(0.5, slack=NAN),
    "slack negative": bound(0.5, slack=-0.1),
    "slack that hides a broken bound": bound(5.0, 1.0, 500.0, slack=10.0),
    "slack an array": bound([0.5, 5.0], [1.0, 1.0], [2.0, 20.0], slack=[0.0, 4.0]),
    "slack beside stderr": bound(0.5, stderr=0.1, slack=1e-9),
    "stderr of a bound that is zero": bound(0.5, stderr=0.0),
    "stderr of a bound that is infinite": bound(5.0, stderr=INF),
    "stderr of a bound of another shape": bound([0.5], [1.0], [2.0], stderr=[]),
    "stderr of a bound as wide as the numbers": bound(5.0, 1.0, 500.0, stderr=1.0),
    "margin of a bound zero": bound(0.5, 1.0, 1.5, margin=0.0),
    "margin of a bound tiny": bound(0.5, 1.0, 1 + 1e-12, margin=1e-15),
    "margin of a bound negative": bound(0.5, 1.0, 0.9, margin=-1.0),
    "margin of a bound NaN": bound(0.5, 1.0, 0.9, margin=NAN),
    # observations
    "an equation as an observation": seen(label="eq-x"),
    "an observation without a name": seen(label="obs-"),
    "nothing measured": lambda: observe("obs-x", {}, "loss", unit="nats", seeds=3),
    "measured is a list": seen(name=None),
    "one number for several seeds": seen(1.5),
    "one number and no run": seen(1.5, seeds=None),
    "one seed": seen([1.5], seeds=1),
    "two seeds": seen([1.5, 2.0], seeds=2),
    "fewer numbers than seeds": seen(seeds=5),
    "every example taken for a seed": seen(np.linspace(0, 1, 360), seeds=3),
    "a table of numbers": seen(np.ones((3, 2))),
    "one run counted three times": seen([1.5, 1.5, 1.5]),
    "one seed listed three times": seen(seeds=[0, 0, 0]),
    "seeds that are no whole numbers": seen(seeds=[0.1, 0.2, 0.3]),
    "seeds true": seen(seeds=True),
    "a count of nothing": seen(of=""),
    "a count of what is no word": seen(of=3),
    "an observation of NaN": seen([1.5, NAN, 2.5]),
    "an observation of infinity": seen([1.5, INF, 2.5]),
    "an observation of nothing": seen([]),
    "an observation of text": seen(["1", "2", "3"]),
    "an observation of complex numbers": seen([1.5, 2.0, 2.5j]),
    "an observation of truth values": seen([True, False, True]),
    "a run without a day": seen(1.5, from_run="python -m benchmarks: 1 to 2 in 5 seeds"),
    "a run of unknown origin": seen(1.5, from_run="my notes, 2026-11-20: 1 to 2 in 5 seeds"),
    "a run without its seeds": seen(1.5, from_run="python -m benchmarks faces, 2026-11-20"),
    "a run on no day": seen(1.5, from_run=RUN.replace("11-20", "13-40")),
    "a run and another line": seen(1.5, from_run=RUN + "\nobs-y observed: all"),
    "an empty run": seen(1.5, from_run=""),
    "a run that is true": seen(1.5, from_run=True),
    "a run beside seeds": seen(1.5, from_run=RUN, seeds=3),
    "several numbers beside a run": seen(from_run=RUN),
    "an observation without a unit": seen(unit=" "),
    "a unit that is no text": seen(unit=None),
    "an observation of two lines": seen(what="loss\neq-x holds: all"),
    "a name with an ordering in it": seen(name="seen < new"),
    "a name of two lines": seen(name="seen\nnew"),
    "no name": seen(name=" "),
    "a name that is a number": seen(name="5"),
    "no numbers and no claim": seen(numbers=False),
    "numbers neither shown nor hidden": seen(numbers="no", claim="seen < 9"),
    "a claim that is not true": seen(claim="seen < 2.2"),
    "a claim that is a tie": lambda: observe("obs-x", MIX, "loss", unit="nats", seeds=3, claim="seen < new"),
    "a claim true by rounding": lambda: observe(
        "obs-x", MIX | {"new": np.nextafter(MIX["new"], 9)}, "loss", unit="nats", seeds=3, claim="seen < new"
    ),
    "a claim true of the medians only": lambda: observe(
        "obs-x", MIX | {"new": [1.4, 2.1, 2.6]}, "loss", unit="nats", seeds=3, claim="seen < new"
    ),
    "a claim about nothing measured": seen(claim="1 < 2"),
    "a claim about something else": seen(claim="old < 9"),
    "a claim of one name with itself": seen(claim="seen < 2 * seen"),
    "a claim without an ordering": seen(claim="seen"),
    "a claim with another sign": seen(claim="seen > 1"),
    "a claim up to infinity": seen(claim="seen < inf"),
    "a claim up to more than any float": seen(claim="seen < 1e999"),
    "a claim with a negative factor": seen(claim="-1 * seen < 9"),
    "a claim with a factor of zero": seen(claim="0 * seen < 9"),
    "a claim with no number": seen(claim="seen < 1.2.3"),
    "a claim that is true": seen(claim=True),
    "a claim that is a function": seen(claim=lambda m: True),
    # exercises
    "a verdict of NaN": verdict(NAN),
    "a verdict as text": verdict("False"),
    "a verdict in a list": verdict([False]),
    "a verdict in an array": verdict(np.array([False])),
    "a verdict of many": verdict(np.array([True, True])),
    "a verdict in a tensor": verdict(torch.tensor([False])),
    "a verdict of one": verdict(1),
    "a verdict of a float": verdict(np.float64(1.0)),
    "a verdict of None": verdict(None),
    "a verdict of `...`": verdict(...),
    "a verdict that is NotImplemented": verdict(NotImplemented),
    "a verdict that is a function": verdict(lambda: False),
    "no function to judge": lambda: exercise("Exercise 1.1", 41, True),
    "no function, and no answer either": lambda: exercise("Exercise 1.1", ..., None),
    "a judge that raises": lambda: exercise("Exercise 1.1", "text", lambda a: a < 1),
    "a name that is a verdict": verdict(False, name="Exercise 1.1: right\nExercise 1.2"),
    "an exercise without a name": verdict(True, name=""),
}


OURS = r"; got |does not hold|nearly everywhere|not true in every run|cannot be tested|test returned|argument: 'wrong'"


def test_there_are_many_attacks():
    assert len(ATTACKS) >= 200


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_refused_in_words_and_prints_nothing(name, capsys):
    with pytest.raises((ValueError, TypeError, CheckFailed), match=OURS) as caught:
        ATTACKS[name]()
    assert capsys.readouterr().out == ""
    assert caught.type in (ValueError, TypeError, CheckFailed, NotRejected), "Python's own error is no message of ours"


NAMES_WHAT_CAME = {
    "wrong is a list": r'wrong must be {"what is wrong with it": value}; got list',
    "complex, imaginary part dropped": "eq-x: left must be real numbers .*; got complex128",
    "a generator": "eq-x: left must be real numbers .*; got generator",
    "NaN on the right": "eq-x: right must be finite; got nan",
    "one NaN in an array": "eq-x: left must be finite; got nan",
    "a claim up to more than any float": "claim must speak of seen; got '1e999'",
    "a huge integer": r"up to 2\*\*53, .*; got 1180591620717411303424",
    "a list against a number": r"one shape; got \(2,\) and \(\)",
    "rtol of one": "eq-x: rtol must be one number, at least 0 and below 1; got 1.0",
    "sigmas infinite": "sigmas must be finite; got inf",
    "stderr empty": "stderr must hold at least one number",
    "stderr of one entry for many": r"stderr must be one number or have shape \(3,\); got shape \(1,\)",
    "a hundred comparisons at five standard errors": r"100 comparisons .*than 1e-06; got 5, .* 5\.7e-05: use a larger",
    "wrong has another shape": r"wrong\['slip'\] must have shape \(\); got \(2,\)",
    "margin one": "margin must be one number, finite and above 1; got 1",
    "a label that is a number": "label must be a string, one of .*; got int",
    "check of an observation": "label must be one of eq-, step-, def- .*; got 'obs-x'",
    "slack that hides a broken bound": "slack must be room for rounding, .*; got 10",
    "a run without a day": "must name the run of `python -m benchmarks`, its day and its seeds",
    "every example taken for a seed": r"one number for each of 3 seeds; got shape \(360,\)",
    "a claim about something else": "claim must speak of seen; got 'old'",
    "a verdict of NaN": "is_right must return True or False; the author's test returned nan",
    "a judge that raises": r"your answer \(str\) cannot be tested: '<' not supported",
}


@pytest.mark.parametrize("name", NAMES_WHAT_CAME)
def test_a_message_names_the_argument_what_was_expected_and_what_came(name):
    with pytest.raises((ValueError, TypeError), match=NAMES_WHAT_CAME[name]):
        ATTACKS[name]()


def test_every_public_name_says_what_it_is():
    for name in ("check", "check_bound", "observe", "exercise", "CheckFailed", "NotRejected"):
        assert inspect.getdoc(getattr(checks, name))
