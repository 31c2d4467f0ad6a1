"""`check(...)`: the line under an equation that proves it. The ledger of the book is built from what these print.

A check compares two numbers that were computed by different routes. It prints one line that is the same on
every machine, and raises `CheckFailed` with both values when they disagree. A formula that is plausible and
wrong can be handed over too: it must then fail, by a stated margin, at the very same tolerance.
"""

import math

import numpy as np


class CheckFailed(AssertionError):
    """The two sides of an equation disagree, or a wrong formula was not rejected."""


def check(label, left, right, what, *, rtol=0.0, atol=0.0, stderr=None, sigmas=5.0, wrong=None, margin=10.0):
    """Show that the two sides of equation `label` agree: |left - right| <= atol + rtol |right|, entry by entry.

    Args:
        label: the label of the equation in the text, such as "eq-kl".
        left, right: numbers, arrays or tensors of the same shape, computed by independent routes.
        what: what is compared with what, in words. No measured numbers: the line is the same on every machine.
        rtol, atol: relative and absolute tolerance; both zero asks for equality to the last bit.
        stderr: standard error of left - right, for a statistical check; the tolerance is then `sigmas * stderr`.
        sigmas: standard errors allowed, at least 5 and so many that a false alarm is rarer than one in a million.
        wrong: {"what is wrong with it": value of a plausible wrong formula}; each must miss `right`.
        margin: by how many tolerances (or standard-error tolerances) every wrong value must miss.

    Raises:
        CheckFailed: with both values, when the sides differ by more than the tolerance, hold a NaN, or when a
            wrong formula comes within `margin` tolerances.
        ValueError: shapes differ, or the tolerance could not fail.
    """
    left, right = _array(left), _array(right)
    if left.shape != right.shape:
        raise ValueError(f"{label}: both sides must have one shape; got {left.shape} and {right.shape}")
    if stderr is None:
        allowed, words = _deterministic(right, rtol, atol)
    else:
        allowed, words = _statistical(label, left, _array(stderr), sigmas)
    if not _within(left, right, allowed).all():
        raise CheckFailed(f"{label} does not hold: {what}\n{_worst(left, right, allowed)}")
    print(f"{label} holds: {what}, {words}")
    for name, value in (wrong or {}).items():
        _must_miss(label, name, _array(value), right, allowed, margin)


def check_bound(label, smaller, larger, what, *, slack=0.0, wrong=None):
    """Show that inequality `label` holds: smaller <= larger + slack, entry by entry.

    Args:
        label, what: as in `check`.
        smaller, larger: numbers, arrays or tensors of one shape.
        slack: room for rounding (or five standard errors of an estimate), in the unit of both sides.
        wrong: {"what is wrong with it": value that must break the bound somewhere}.

    Raises:
        CheckFailed: with both values, when the bound is broken or a wrong value obeys it.
        ValueError: shapes differ.
    """
    smaller, larger = _array(smaller), _array(larger)
    if smaller.shape != larger.shape:
        raise ValueError(f"{label}: both sides must have one shape; got {smaller.shape} and {larger.shape}")
    if not (smaller <= larger + slack).all():
        raise CheckFailed(f"{label} does not hold: {what}\n{_worst(smaller, larger, np.asarray(slack))}")
    print(f"{label} holds: {what}" + (f", with room for {slack:g}" if slack else ""))
    for name, value in (wrong or {}).items():
        if (_array(value) <= larger + slack).all():
            raise CheckFailed(f"{label}: the wrong formula '{name}' obeys the bound, so this check proves nothing")
        print(f"    rejected: {name}")


def exercise(name, answer, is_right):
    """Say whether a reader's answer is right, without showing the right one.

    Args:
        name: the exercise, such as "Exercise 2.1".
        answer: the reader's answer; `...` means that it has not been attempted.
        is_right: a function that takes the answer and returns True or False.
    """
    if answer is ...:
        print(f"{name}: not attempted yet")
    elif is_right(answer):
        print(f"{name}: right")
    else:
        print(f"{name}: not yet; the hints are folded above")


def _array(value):
    """Anything numeric as float64 on the CPU (tensors are detached)."""
    if hasattr(value, "detach"):
        value = value.detach().cpu()
    return np.asarray(value, dtype=np.float64)


@np.errstate(invalid="ignore")
def _within(left, right, allowed):
    """Entry by entry; a NaN or an infinity is never within anything."""
    return np.abs(left - right) <= allowed


def _deterministic(right, rtol, atol):
    parts = [f"{rtol:g} relative"] * (rtol > 0) + [f"{atol:g} absolute"] * (atol > 0)
    words = "within " + " plus ".join(parts) if parts else "to the last bit"
    return atol + rtol * np.abs(np.nan_to_num(right, posinf=0, neginf=0)), words


def _statistical(label, left, stderr, sigmas):
    false_alarm = left.size * math.erfc(sigmas / math.sqrt(2))
    if sigmas < 5 or false_alarm >= 1e-6:
        raise ValueError(
            f"{label}: {left.size} comparisons at {sigmas:g} standard errors raise a false alarm with probability "
            f"{false_alarm:.1e}; expected less than 1e-06: use a larger `sigmas`"
        )
    if not (stderr > 0).all():
        raise ValueError(f"{label}: a standard error must be positive; got {stderr.min()}")
    return sigmas * stderr, f"within {sigmas:g} standard errors (false alarm below {_ceiling(false_alarm)})"


def _ceiling(probability):
    """The next power of ten above a probability, as text."""
    return f"1e{math.floor(math.log10(probability)) + 1:03d}"


def _must_miss(label, name, value, right, allowed, margin):
    if value.shape != right.shape:
        raise ValueError(f"{label}: wrong formula '{name}' must have shape {right.shape}; got {value.shape}")
    if _within(value, right, margin * allowed).all():
        raise CheckFailed(
            f"{label}: the wrong formula '{name}' is not rejected\n{_worst(value, right, margin * allowed)}"
        )
    print(f"    rejected: {name}, off by more than {margin:g} tolerances")


@np.errstate(invalid="ignore")
def _worst(left, right, allowed):
    """The entry that disagrees most, with both values."""
    miss = np.atleast_1d(np.abs(left - right))
    at = np.unravel_index(np.argmax(np.where(np.isnan(miss), np.inf, miss - allowed)), miss.shape)
    left, right = float(np.atleast_1d(left)[at]), float(np.atleast_1d(right)[at])
    allowed = np.broadcast_to(allowed, miss.shape)[at]
    where = f" at {tuple(int(i) for i in at)}" if miss.size > 1 else ""
    return f"left {left!r}, right {right!r}{where}; difference {left - right:.3g}, allowed {allowed:.3g}"
