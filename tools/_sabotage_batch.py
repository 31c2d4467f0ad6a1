"""Many attacks in one process: each runs only the cells that the attack reaches, from the values of a control run."""

import time
from typing import NamedTuple

import numpy as np
import torch
from _sabotage_names import lasting
from _sabotage_probe import fingerprint, numbers


class Reply(NamedTuple):
    checks: dict  # {(label, place, number): Verdict}
    notes: dict
    copies: dict  # {(site, site): "copy" or "twin"} of functions
    crash: str
    seconds: float


class Batch:
    """Cells of a chapter, run again and again from one state. Objects are not copied: names are bound anew.

    Generators get the states that they had; a batch whose last control run says something else is not believed.
    """

    def __init__(self, chapter, states, whole):
        self.chapter, self.states, self.whole = chapter, states, whole
        self.base, self.bound = dict(chapter.space), lasting(chapter.cells)
        self.after, self.draws = {}, {}

    def control(self, record=False):
        """Run all cells, and remember what each left behind."""
        probe = self.chapter.probe
        probe.active, probe.recording = {}, record
        reply = self._run(self.whole, remember=True)
        probe.recording = False
        self.said = _said(reply)
        return reply._replace(copies=_copies(probe)) if record else reply

    def attack(self, active, places):
        """Run the cells at `places`; of the other cells take what the control run left behind."""
        self.chapter.space.clear()
        self.chapter.space.update(self.base)
        self.chapter.probe.active = active
        return self._run(places)

    def undisturbed(self):
        """Whether a control run says what the first one said."""
        return not self.after or _said(self.attack({}, self.whole)) == self.said

    def _run(self, places, remember=False):
        chapter, start, crash = self.chapter, time.process_time(), ""
        chapter.verdicts, chapter.probe.notes = {}, {}
        for place in self.whole:
            if place in places:
                chapter.restore(self.states[place])
                self._draws(place, remember)
                if crash := chapter.run_cell(place):
                    break
            else:
                chapter.space.update(self.after.get(place, {}))
            if remember:
                names = self.bound[place][0]
                self.after[place] = {name: chapter.space[name] for name in names if name in chapter.space}
        return Reply(chapter.verdicts, chapter.probe.notes, {}, crash, time.process_time() - start)

    def _draws(self, place, remember):
        """Note the states of all generators before a cell, or restore them."""
        if remember:
            found = {id(value): value for value in self.chapter.space.values() if is_generator(value)}
            self.draws[place] = [(value, _state(value)) for value in found.values()]
        for value, state in self.draws.get(place, ()):
            if isinstance(value, torch.Generator):
                value.set_state(state)
            else:
                value.bit_generator.state = state


def is_generator(value):
    return isinstance(value, torch.Generator | np.random.Generator)


def _state(value):
    return value.get_state() if isinstance(value, torch.Generator) else value.bit_generator.state


def _said(reply):
    return {key: (verdict.status, verdict.prints, verdict.same_bits) for key, verdict in reply.checks.items()}


def _copies(probe):
    """{(site, site): "copy" or "twin"} of functions that return the same bits, or nearly, for the same arguments."""
    found, known = {}, {site: pair for site, pair in probe.functions.items() if pair[1]}
    for one, (function, seen) in known.items():
        for other, (candidate, also) in known.items():
            if other != one and len(seen[0]) == len(also[0]) and (same := _same(function, candidate, seen + also)):
                found[one, other] = same
    return found


def _same(function, candidate, arguments):
    near, some = True, False
    for given in arguments:
        try:
            left, right = numbers(function(*given)), numbers(candidate(*given))
        except Exception:
            return None
        if left is None or right is None or left.shape != right.shape or not np.isfinite(left).all():
            return None
        if not np.allclose(left, right, rtol=1e-9, atol=1e-12):
            return None
        near, some = near and not (left == right).all(), some or fingerprint(left) is not None
    return ("twin" if near else "copy") if some else None
