"""The inside of `observe`: what was measured, how it is printed, and the orderings that can be claimed of it."""

import math
import re
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from vaelib.checks._numbers import check_text, numbers

FEWEST_SEEDS = 3
TIE = 1e-6  # two numbers this close, relatively, have no order
DATED = re.compile(
    r"(?=.*\bbenchmarks\b)(?=.*\b[1-9]\d* seeds\b).*\b20\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])\b"
)
TERM = re.compile(r"(?:(?P<factor>[\d.]+(?:e[+-]?\d+)?) \* )?(?P<name>.+)")
NUMBER = re.compile(r"[+-]?[\d.]+(?:e[+-]?\d+)?")


class Side(NamedTuple):
    """One side of a claimed `<`: its text, its value in every run, the number in it that is ours."""

    text: str
    name: str | None
    values: np.ndarray
    ours: str | None


def runs_of(label, seeds, from_run):
    """How many seeds stand in the cell; None for one run, whose spread was measured in `from_run`."""
    if (seeds is None) == (from_run is None):
        raise ValueError(f"{label}: expected either `seeds`, or `from_run` for one run; got both or neither")
    if from_run is not None:
        check_text(f"{label}: from_run", from_run)
        if not DATED.match(from_run):
            raise ValueError(
                f"{label}: from_run must name the run of `python -m benchmarks`, its day and its seeds, "
                f"as in 'python -m benchmarks faces, 2026-11-20: 95 to 99 in 5 seeds'; got {from_run!r}"
            )
        return None
    found = numbers(f"{label}: seeds", seeds)
    count = int(found) if found.ndim == 0 else found.size
    whole = found.ndim < 2 and (found == np.round(found)).all() and len(np.unique(found)) == found.size
    if not whole or count < FEWEST_SEEDS:
        raise ValueError(
            f"{label}: seeds must be their number, or different whole numbers, at least {FEWEST_SEEDS}; got {seeds!r}"
        )
    return count


def measured_values(label, measured, count):
    """{name: (count,) float64}, or one number a name where `count` is None."""
    if not isinstance(measured, dict):
        raise TypeError(f'{label}: measured must be {{"name": values}}; got {type(measured).__name__}')
    if not measured:
        raise ValueError(f"{label}: measured must hold at least one name; got none")
    found = {}
    for name, value in measured.items():
        check_text(f"{label}: the name of a measurement", name)
        if re.search(r"[<>:*]", name) or NUMBER.fullmatch(name) or name != name.strip():
            raise ValueError(f"{label}: the name of a measurement must be words without < > : *; got {name!r}")
        found[name] = numbers(f"{label}: measured[{name!r}]", value)
        _check_runs(f"{label}: measured[{name!r}]", found[name], count)
    return found


def _check_runs(where, values, count):
    expected = () if count is None else (count,)
    if values.shape != expected:
        what = "one number, beside `from_run`" if count is None else f"one number for each of {count} seeds"
        raise ValueError(f"{where} must be {what}; got shape {values.shape}")
    if count and (values == values[0]).all() and values[0] != np.round(values[0]):
        raise ValueError(f"{where} must come from different runs; got {values[0]:.6g} every time")


def lines(measured, unit):
    """One line a measurement: the median and the range, or the one number."""
    for name, values in measured.items():
        text = f"    {name}: {np.median(values):.4g} {unit}"
        yield text + (f" ({values.min():.4g} to {values.max():.4g})" if values.ndim else "")


def claimed(label, claim, measured):
    """(the words of a claim, what contradicts it or None). "seen < new" is tested seed by seed."""
    check_text(f"{label}: claim", claim)
    sides = [_side(label, text, measured) for text in claim.split(" < ")]
    names = [side.name for side in sides if side.name]
    if len(sides) < 2 or not names or len(set(names)) < len(names):
        raise ValueError(f"{label}: claim must be like 'seen < new' or '5 * seen < new < 90'; got {claim!r}")
    ours = [side.ours for side in sides if side.ours]
    words = f"claim: {' < '.join(side.text for side in sides)}"
    words += f" ({' and '.join(ours)}: our choice)" if ours else ""
    return words, next((fault for pair in pairwise(sides) if (fault := _fault(*pair))), None)


def _side(label, text, measured):
    if NUMBER.fullmatch(text) and math.isfinite(_float(label, text)):
        return Side(text, None, np.asarray(_float(label, text)), text)
    term = TERM.fullmatch(text)
    factor, name = term.groups() if term else (None, text)
    if name not in measured:
        raise ValueError(f"{label}: claim must speak of {', '.join(measured)}; got {text!r}")
    scale = 1.0 if factor is None else _float(label, factor)
    if not 0 < scale < math.inf:
        raise ValueError(f"{label}: a factor in a claim must be positive; got {factor!r}")
    return Side(text, name, scale * measured[name], factor)


def _float(label, text):
    try:
        return float(text)
    except ValueError as error:
        raise ValueError(f"{label}: expected a number in the claim; got {text!r}") from error


def _fault(left, right):
    smaller, larger = np.broadcast_arrays(np.atleast_1d(left.values), np.atleast_1d(right.values))
    broken = ~(larger - smaller > TIE * np.maximum(np.abs(smaller), np.abs(larger)))
    if not broken.any():
        return None
    at = int(np.argmax(broken))
    return f"{left.text} is {float(smaller[at])!r} and {right.text} is {float(larger[at])!r} in run {at}"
