"""`check(...)` proves the equation above it, `observe(...)` reports an experiment. The ledger is built from both.

A check compares numbers that were computed by different routes, and tries plausible wrong versions at the very same
tolerance. It prints only when everything is as it should be, and then a line that is the same on every machine. What
could not fail (nothing, infinities, a tolerance as wide as the numbers) is refused.
"""

import numpy as np

from vaelib.checks import _claims, _numbers, _tolerances

_FACTS = ("eq-", "step-", "def-")


class CheckFailed(AssertionError):
    """The two sides of an equation disagree, a bound is broken, or a claim about an experiment is not true."""


class NotRejected(CheckFailed, ValueError):
    """A wrong version passes for the right one, so the check would prove nothing."""


@np.errstate(over="ignore")
def check(label, left, right, what, *, rtol=0.0, atol=0.0, stderr=None, sigmas=5.0, wrong=None, margin=10.0):
    """Show that the two sides of equation `label` agree: |left - right| <= atol + rtol |right|, entry by entry.

    Args:
        label: the label of the equation in the text, such as "eq-kl" ("eq-", "step-" or "def-").
        left, right: finite real numbers, arrays or tensors of one shape, computed by independent routes.
        what: what is compared with what, in one line. No measured numbers: the line is the same on every machine.
        rtol, atol: relative (below 1) and absolute tolerance; both zero asks for equality to the last bit. Beside
            numbers that are not zero the tolerance is smaller than they are, in at least a tenth of the entries,
            and nowhere as wide as the largest; beside zeros alone it has no scale, and `wrong` has to give one.
        stderr: standard error of left - right, one number or one for each entry; the tolerance is `sigmas * stderr`.
            The printed probability of a false alarm assumes that the errors are normal: average enough draws.
        sigmas: standard errors allowed, from 5 to 8, and so many that a false alarm is rarer than one in a million.
        wrong: {"what is wrong with it": value of a plausible wrong formula}, of the same shape, each different.
        margin: by how many tolerances, above 1, a wrong value must miss `right`. The line says "everywhere" when it
            does so in every entry and "somewhere" when in at least a tenth of them; fewer are not accepted. An
            entry whose tolerance is zero is missed by `margin` roundings of the coarsest number format given.

    Raises:
        CheckFailed: with both values, when the sides differ by more than the tolerance.
        NotRejected: with both values, when a wrong version is right nearly everywhere (also a ValueError).
        TypeError, ValueError: an argument that proves nothing; it is named, with what was expected and received.
    """
    _numbers.check_label(label, _FACTS)
    _numbers.check_text(f"{label}: what", what)
    a, b = _numbers.check_sides(label, ("left", "right"), left, right)
    margin = _numbers.number(f"{label}: margin", margin, 1 + 1e-9, np.inf, "finite and above 1")
    allowed, words = _tolerances.tolerance(label, b, rtol, atol, stderr, sigmas)
    versions = {} if wrong is None else _tolerances.wrong_versions(label, wrong, b.shape)
    if not (np.abs(a - b) <= allowed).all():
        raise CheckFailed(f"{label} does not hold: {what}\n{_tolerances.worst(a, b, np.abs(a - b), allowed)}")
    _tolerances.check_can_fail(label, b, allowed, versions)
    room = margin * np.maximum(allowed, _numbers.rounding(b, left, right))
    tried = [
        f"    rejected {_where(label, name, value, b, np.abs(value - b), room)}: {name}, "
        f"off by more than {margin:g} {'tolerances' if allowed.any() else 'roundings'}"
        for name, value in versions.items()
    ]
    print("\n".join([f"{label} holds: {what}, {words}", *tried]))


@np.errstate(over="ignore")
def check_bound(label, smaller, larger, what, *, wrong, slack=0.0, stderr=None, sigmas=5.0, margin=0.01):
    """Show that inequality `label` holds, smaller <= larger + slack, and that a wrong version clearly breaks it.

    Args:
        label, what: as in `check`.
        smaller, larger: finite real numbers, arrays or tensors of one shape.
        wrong: {"what is wrong with it": value in the place of `smaller`}. A bound is easy to obey, so at least one
            plausible wrong version that breaks it is not optional.
        slack: room for rounding, in the unit of both sides; at most 1e-5 of the largest number on them.
        stderr, sigmas: standard error of smaller - larger where they are estimates, instead of `slack`; as in `check`.
        margin: how far past the bound a wrong version must be, as a share (from 0.001) of the largest number on both
            sides: in every entry ("everywhere") or in at least a tenth of them ("somewhere").

    Raises:
        CheckFailed: with both values, when the bound is broken.
        NotRejected: with both values, when a wrong version obeys it nearly everywhere (also a ValueError).
        TypeError, ValueError: an argument that proves nothing; it is named, with what was expected and received.
    """
    _numbers.check_label(label, _FACTS)
    _numbers.check_text(f"{label}: what", what)
    a, b = _numbers.check_sides(label, ("smaller", "larger"), smaller, larger)
    margin = _numbers.number(f"{label}: margin", margin, 1e-3, np.inf, "finite and at least 0.001")
    scale = max(np.abs(a).max(), np.abs(b).max()) or 1.0
    allowed, words = _tolerances.room(label, b, slack, stderr, sigmas, scale)
    versions = _tolerances.wrong_versions(label, wrong, b.shape)
    if not (a - b <= allowed).all():
        raise CheckFailed(f"{label} does not hold: {what}\n{_tolerances.worst(a, b, a - b, allowed)}")
    room = np.broadcast_to(allowed + margin * scale, b.shape)
    tried = [
        f"    rejected {_where(label, name, value, b, value - b, room)}: {name}, "
        f"past the bound by more than {margin:g} of the largest number"
        for name, value in versions.items()
    ]
    print("\n".join([f"{label} holds: {what}{words}", *tried]))


def observe(label, measured, what, *, unit, seeds=None, from_run=None, claim=None, numbers=True, of="seeds"):
    """Report what an experiment showed: the median and the range over seeds, and a claim that is tested.

        observe("obs-memorise", {"seen": [41.2, 40.9, 41.8], "new": [96.0, 98.1, 97.3]},
                "test loss after 800 passes", unit="nats per picture", seeds=3, claim="2 * seen < new < 150")

        obs-memorise observed: test loss after 800 passes, median and range of 3 seeds
            seen: 41.2 nats per picture (40.9 to 41.8)
            new: 97.3 nats per picture (96 to 98.1)
            claim: 2 * seen < new < 150 (2 and 150: our choice), in every seed

    Args:
        label: "obs-" and a name; an experiment is not an equation.
        measured: {"name": one finite number for each seed, in the order of the seeds}.
        what: what was measured and when, in one line.
        unit: of every number, such as "nats per picture" or "share".
        seeds: how many, or which; at least three, all different.
        from_run: instead of `seeds`, for numbers of a single run: the dated run that measured the spread, and the
            spread, as in "python -m benchmarks faces, 2026-11-20: 95 to 99 in 5 seeds".
        claim: orderings joined by " < " of names, positive multiples of names ("2 * seen") and numbers. They must be
            true in every seed, seed by seed and by more than a millionth. Numbers in a claim are printed as our choice.
        numbers: True prints the measured numbers: they depend on the data, so the cell is `nbval-ignore-output`.
            False prints the words of the claim only, which are the same everywhere, and the cell is compared.
        of: what `seeds` counts, where it is not trainings from different seeds: "draws", "parts of the test set".

    Raises:
        CheckFailed: with both values, when the claim is not true in some run.
        TypeError, ValueError: an argument that shows nothing; it is named, with what was expected and received.
    """
    _numbers.check_label(label, ("obs-",))
    _numbers.check_text(f"{label}: what", what)
    _numbers.check_text(f"{label}: unit", unit)
    _numbers.check_text(f"{label}: of", of)
    count = _claims.runs_of(label, seeds, from_run)
    values = _claims.measured_values(label, measured, count)
    if not isinstance(numbers, bool | np.bool_) or (claim is None and not numbers):
        raise ValueError(f"{label}: numbers must be True, or False beside a claim; got {numbers!r}")
    words, fault = (None, None) if claim is None else _claims.claimed(label, claim, values)
    if fault:
        raise CheckFailed(f"{label}: not true in every run: {words}\n{fault}")
    runs = f"median and range of {count} {of}" if numbers else f"{count} {of}"
    every = "every seed" if of == "seeds" else f"each of the {count} {of}"
    print("\n".join([
        f"{label} observed: {what}, {runs if count else 'one run here'}",
        *(_claims.lines(values, unit) if numbers else ()),
        *([f"    {words}, in {every if count else 'this run'}"] if words else ()),
        *([] if count else [f"    spread: {from_run}"]),
    ]))  # fmt: skip


def exercise(name, answer, is_right):
    """Say whether a reader's answer is right, without showing the right one.

    Args:
        name: the exercise, such as "Exercise 2.1".
        answer: the reader's answer; `...` means that it has not been attempted.
        is_right: a function that takes the answer and returns True or False (Python's, numpy's or torch's, no array).

    Raises:
        TypeError: `is_right` is no function, or returns anything else: that is the author's mistake.
        ValueError: the answer cannot be tested, because `is_right` raised; it says what.
    """
    _numbers.check_text("name", name)
    if not callable(is_right):
        raise TypeError(f"{name}: is_right must be a function; got {type(is_right).__name__}")
    if answer is ...:
        print(f"{name}: not attempted yet")
        return
    try:
        verdict = is_right(answer)
    except Exception as error:
        raise ValueError(
            f"{name}: your answer ({type(answer).__name__}) cannot be tested: {error}. "
            "Has it the type and the shape that the exercise asks for?"
        ) from error
    truth = str(getattr(verdict, "dtype", "")) in ("bool", "torch.bool") and getattr(verdict, "shape", None) == ()
    if not (isinstance(verdict, bool) or truth):
        raise TypeError(f"{name}: is_right must return True or False; the author's test returned {verdict!r}")
    print(f"{name}: right" if verdict else f"{name}: not yet; the hints are folded above")


def _where(label, name, value, right, miss, room):
    """Where a wrong version misses by more than `room`: "everywhere" or "somewhere"."""
    missed = miss > room
    if missed.all() or missed.mean() >= _tolerances.SHARE:
        return "everywhere" if missed.all() else "somewhere"
    raise NotRejected(
        f"{label}: wrong[{name!r}] must miss in at least {_tolerances.SHARE:.0%} of the entries, and does not; "
        f"it is right nearly everywhere\n{_tolerances.worst(value, right, miss, room)}"
    )
