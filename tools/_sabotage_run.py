"""Running a chapter once, and parts of it again under attack.

The chapter runs in one process. Before each section, and after each cell that trains, that process forks a holder: it
keeps the state of that moment and forks a child for every attack on the cells that follow.
"""

import ast
import contextlib
import inspect
import os
import random
import signal
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import _sabotage_kept as kept
import numpy as np
from _sabotage_cells import CHECKS
from _sabotage_hold import Part, hold, silence
from _sabotage_names import trains
from _sabotage_probe import Probe, fingerprint
from _sabotage_sites import Rewriter

SKETCH = 64
SLOW = 1.0  # seconds of processor time: after such a cell there is a holder, so that it need not run again
TRAINS = {False: 1.0, True: 4.0}  # a cell that trains longer is not attacked; True: where one equation is asked for
LONGEST = 8.0  # nor is any other that takes longer


class Verdict(NamedTuple):
    """What one call of a check said: "holds", "refused", "crash" or "nan", and a few numbers of both sides."""

    status: str
    kind: str
    sides: tuple  # two arrays
    tolerance: float
    prints: tuple  # of both sides, and of minus both
    same_bits: bool


class Chapter:
    """The running chapter, in this process."""

    def __init__(self, cells, patient=False):
        import torch

        import vaelib.checks as checks

        self.torch, self.probe, rewriter = torch, Probe(), Rewriter()
        self.cells, self.trains = cells, TRAINS[patient]
        self.codes = {cell.place: rewriter.cell(cell) for cell in cells}
        self.sites = rewriter.sites
        self.space = {"__name__": "__main__", "_sabotage": self.probe, "display": lambda *_: None}
        self.place, self.verdicts, self.states, self.code = None, {}, {}, []
        self.originals = {name: getattr(checks, name) for name in CHECKS}
        for name, original in self.originals.items():
            setattr(checks, name, self._watched(name, original))
        self.set_num_threads = torch.set_num_threads
        torch.set_num_threads(1)  # a child forked after work on two threads hangs
        torch.set_num_threads = lambda _: None

    def close(self):
        """Put back what was replaced in other modules."""
        import vaelib.checks as checks

        self.torch.set_num_threads = self.set_num_threads
        for name, original in self.originals.items():
            setattr(checks, name, original)

    def _watched(self, kind, original):
        names = list(inspect.signature(original).parameters)

        def watched(*args, **kwargs):
            given = dict(zip(names, args, strict=False)) | kwargs
            verdict = self._verdict(kind, [given[name] for name in names[1:3]], given)
            number = sum(key[:2] == (given["label"], self.place) for key in self.verdicts)
            self.verdicts[given["label"], self.place, number] = verdict

        return watched

    def _verdict(self, kind, sides, given):
        try:
            flat = [np.ravel(side) for side in np.broadcast_arrays(*map(_floats, sides))]
            if not all(np.isfinite(side).all() for side in flat):
                return Verdict("nan", kind, (), 0.0, (), False)
            allowed = np.ravel(_allowed(given, np.abs(_floats(sides[1]))))
            apart = flat[0] - flat[1] if kind == "check_bound" else np.abs(flat[0] - flat[1])
            status = "holds" if (apart <= allowed).all() else "refused"
            sketches = tuple(side[:: max(1, len(side) // SKETCH)] for side in flat)
            prints = tuple(map(fingerprint, (*flat, -flat[0], -flat[1])))
            tolerance = float(np.max(allowed, initial=0.0))
            return Verdict(status, kind, sketches, tolerance, prints, bool((flat[0] == flat[1]).all()))
        except Exception:
            return Verdict("crash", kind, (), 0.0, (), False)

    def run_cell(self, place):
        """Run one cell silently; the error's name if it fails."""
        self.place = self.probe.place = place
        with silence():
            try:
                exec(self.codes[place], self.space)
            except Exception as error:
                return f"{type(error).__name__}: {error}"[:200]
        return ""

    def longest(self, cell):
        """Seconds of processor time above which a cell is not attacked."""
        return self.trains if trains(self.cells, cell) else LONGEST

    def ends_part(self, cell, seconds):
        """Whether a holder keeps what a cell has made, so that the cell is not run again."""
        return seconds > (self.trains if trains(self.cells, cell) else SLOW)

    def run_or_load(self, cell):
        """Run a cell, or take what it left behind when it last trained; the error's name and the seconds."""
        self.code.append(ast.dump(cell.tree))
        name = kept.key("".join(self.code)) if trains(self.cells, cell) else None
        if name and (found := kept.load(name)):
            self.space.update(found[0])
            self.restore(found[1])
            return "", found[2]
        start = time.process_time()
        error = self.run_cell(cell.place)
        seconds = time.process_time() - start
        if name and not error and seconds > kept.KEEP:
            kept.store(name, self.space, self.state(), seconds)
        return error, seconds

    def state(self):
        return self.torch.get_rng_state(), random.getstate()

    def restore(self, state):
        self.torch.set_rng_state(state[0])
        random.setstate(state[1])


def _floats(value):
    return np.asarray(value.detach().cpu() if hasattr(value, "detach") else value, dtype=np.float64)


def _allowed(given, right):
    """How far the sides of a check may be apart, entry by entry; or how far a bound may be exceeded."""
    if given.get("stderr") is not None:
        return _floats(given["stderr"]) * given.get("sigmas", 5.0)
    return _floats(given.get("atol", 0.0)) + _floats(given.get("rtol", 0.0)) * right + given.get("slack", 0.0)


def run_through(chapter, places, folder, progress=None):
    """Run the cells once; the parts, the states of the generators before each cell, and which cells fail."""
    parts, holders, failures, section, fresh = [], [], {}, None, True
    cells = {cell.place: cell for cell in chapter.cells}
    for place in places:
        chapter.states[place] = chapter.state()
        if fresh or cells[place].section != section:
            address = str(Path(folder) / f"part{len(parts)}")
            holders.append(hold(chapter, address))
            parts.append(Part([], address, {}))
            section = cells[place].section
        error, seconds = chapter.run_or_load(cells[place])
        failures |= {place: error} if error else {}
        parts[-1].places.append(place)
        parts[-1].seconds[place] = seconds
        fresh = chapter.ends_part(cells[place], seconds)
        if progress and fresh:
            progress(f"cell {place}: {seconds:.0f} s")
    return parts, holders, failures


@contextlib.contextmanager
def running(cells, places, progress=None, patient=False):
    """A chapter that has run, its parts and its failures; its holders are ended afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        chapter, holders = Chapter(cells, patient), []
        try:
            parts, holders, failures = run_through(chapter, places, folder, progress)
            yield chapter, parts, failures
        finally:
            for pid in holders:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
            chapter.close()
