"""What a check allows, whether that can fail at all, and what a wrong version has to miss."""

import math

import numpy as np

from vaelib.checks._numbers import check_text, number, numbers

SHARE = 0.1  # of the entries: what a wrong version must miss, and where a tolerance must be able to fail
MOST_SIGMAS = 8.0  # enough for a thousand million comparisons
MOST_SLACK = 1e-5  # of the largest number: room for rounding, not for a broken bound


def tolerance(label, right, rtol, atol, stderr, sigmas):
    """(what is allowed in every entry of a check, its words)."""
    rtol = number(f"{label}: rtol", rtol, 0, 1, "at least 0 and below 1")
    atol = number(f"{label}: atol", atol, 0, math.inf, "at least 0")
    if stderr is not None:
        _check_alone(label, rtol=rtol, atol=atol)
        allowed, words = _statistical(label, right.shape, stderr, sigmas)
        return allowed, f"within {words}"
    parts = [f"{rtol:g} relative"] * (rtol > 0) + [f"{atol:g} absolute"] * (atol > 0)
    return atol + rtol * np.abs(right), "within " + " plus ".join(parts) if parts else "to the last bit"


def room(label, larger, slack, stderr, sigmas, scale):
    """(what is allowed in every entry of a bound, its words)."""
    slack = number(f"{label}: slack", slack, 0, math.inf, "at least 0")
    if stderr is not None:
        _check_alone(label, slack=slack)
        allowed, words = _statistical(label, larger.shape, stderr, sigmas)
        if not (allowed < scale).all():
            raise ValueError(
                f"{label}: sigmas * stderr must be below the largest number, {scale:.3g}; got {allowed.max():.3g}"
            )
        return allowed, f", with room for {words}"
    if slack > MOST_SLACK * scale:
        raise ValueError(
            f"{label}: slack must be room for rounding, at most {MOST_SLACK:g} of the largest number ({scale:.3g}); "
            f"got {slack:g}; for an estimate give its `stderr`"
        )
    return np.full(larger.shape, slack), f", with room for {slack:g}" if slack else ""


def _check_alone(label, **others):
    if any(others.values()):
        raise ValueError(f"{label}: stderr makes the tolerance; expected nothing beside it; got {others}")


def _statistical(label, shape, stderr, sigmas):
    sigmas = number(f"{label}: sigmas", sigmas, 5, MOST_SIGMAS + 1e-9, f"from 5 to {MOST_SIGMAS:g}")
    stderr = numbers(f"{label}: stderr", stderr)
    if stderr.shape not in ((), shape):
        raise ValueError(f"{label}: stderr must be one number or have shape {shape}; got shape {stderr.shape}")
    if not (stderr > 0).all():
        raise ValueError(f"{label}: stderr must be positive; got {stderr.min()}")
    false_alarm = math.prod(shape) * math.erfc(sigmas / math.sqrt(2))
    if false_alarm >= 1e-6:
        raise ValueError(
            f"{label}: sigmas must make a false alarm in {math.prod(shape)} comparisons (of normal errors) rarer than "
            f"1e-06; got {sigmas:g}, which makes it {false_alarm:.1e}: use a larger one"
        )
    power = math.floor(math.log10(false_alarm)) + 1
    words = f"{sigmas:g} standard errors (false alarm below 1e{power:03d} if the errors are normal)"
    return np.broadcast_to(sigmas * stderr, shape), words


def check_can_fail(label, right, allowed, wrong):
    """A tolerance as wide as the numbers themselves would let a zero pass."""
    swallowed = (np.abs(right) <= allowed)[right != 0]
    if swallowed.size and (swallowed.mean() > 1 - SHARE or allowed.max() >= np.abs(right).max()):
        raise ValueError(
            f"{label}: a zero would pass too; the tolerance must be below |right|; got {allowed.max():.3g}"
        )
    if not swallowed.size and allowed.any() and not wrong:
        raise ValueError(
            f"{label}: beside zeros a tolerance has no scale; wrong must hold a version that misses; got none"
        )


def wrong_versions(label, wrong, shape):
    """{name: float64 array} of the wrong versions, which differ from each other."""
    if not isinstance(wrong, dict):
        raise TypeError(f'{label}: wrong must be {{"what is wrong with it": value}}; got {type(wrong).__name__}')
    if not wrong:
        raise ValueError(f"{label}: wrong must hold at least one wrong version; got none")
    found = {}
    for name, value in wrong.items():
        check_text(f"{label}: the name of a wrong version", name)
        array = numbers(f"{label}: wrong[{name!r}]", value)
        if array.shape != shape:
            raise ValueError(f"{label}: wrong[{name!r}] must have shape {shape}; got {array.shape}")
        if twins := [other for other, known in found.items() if np.array_equal(known, array)]:
            raise ValueError(f"{label}: wrong versions must differ; got one value as {twins[0]!r} and {name!r}")
        found[name] = array
    return found


def worst(left, right, miss, allowed):
    """The entry that is the furthest past what is allowed, with both values."""
    past = np.atleast_1d(miss - allowed)
    at = np.unravel_index(np.argmax(past), past.shape)
    left, right, miss, allowed = (
        float(np.broadcast_to(np.atleast_1d(part), past.shape)[at]) for part in (left, right, miss, allowed)
    )
    where = f" at {tuple(int(i) for i in at)}" if past.size > 1 else ""
    return f"left {left!r}, right {right!r}{where}; difference {miss:.3g}, allowed {allowed:.3g}"
