"""Which replacements are tried on one part of a chapter, and what every check said to each."""

import itertools
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from _sabotage_cells import needed
from _sabotage_hold import TRAINS, ask
from _sabotage_probe import EVERYWHERE, KINDS, Replacement

LOUD, MOST_USES = 6.0, 12


class Attack(NamedTuple):
    keys: frozenset  # of (site, context)
    replacement: Replacement


class Outcome(NamedTuple):
    status: str  # of the check: "holds", "refused", "crash", "nan", "timeout"
    moved: tuple  # whether each side moved by more than the tolerance
    same_bits: bool


class Attacker:
    """Runs attacks on a part of a chapter and remembers the replies."""

    def __init__(self, chapter, part, budget, workers, label=None):
        self.chapter, self.part, self.left, self.workers = chapter, part, budget, workers
        own = [cell for cell in chapter.cells if cell.place in part.places]
        self.label = label
        own = [cell for cell in own if part.seconds[cell.place] <= TRAINS and (label in cell.labels or not label)]
        self.slices = {cell.place: set(needed(chapter.cells, {cell.place})) for cell in own if cell.labels}
        self.cells = sorted(set().union(*self.slices.values()) & set(part.places)) if self.slices else []
        self.replies = {}

    def control(self):
        """The reply without an attack; it also notes what passes every site."""
        reply = ask(self.part, self.chapter.states, self.cells, record=True, patience=240)
        if reply is not None:
            self.notes, self.reference = reply.notes, reply.checks
            self.patience = max(30.0, 20 * reply.seconds)
        return reply

    def concerns(self, check):
        """Whether a check is one that can be judged here: it carries a statement or a step, and its cell is quick."""
        return check[1] in self.slices and check[0].startswith(("eq-", "step-")) and self.label in (None, check[0])

    def run(self, attacks):
        """Make sure that there is a reply to every attack, as long as the budget lasts."""
        todo = [attack for attack in dict.fromkeys(attacks) if attack not in self.replies]
        with ThreadPoolExecutor(self.workers) as pool:
            for attack, reply in zip(todo, pool.map(self._ask, todo), strict=True):
                self.replies[attack] = reply

    def _ask(self, attack):
        if self.left <= 0:
            return "budget"
        places = self.places(attack.keys)
        active = dict.fromkeys(attack.keys, attack.replacement)
        reply = ask(self.part, self.chapter.states, places, active, patience=self.patience) if places else None
        self.left -= reply.seconds if reply else 0.0 if not places else self.patience
        return reply if places else "unused"

    def places(self, keys):
        """Cells to run: those of the checks that lean on a cell where an attacked site was met."""
        sites = {site for site, context in keys if context == EVERYWHERE}
        met = [note.places for key, note in self.notes.items() if key in keys or key[0] in sites]
        met = set().union(*met)
        wanted = [place for place, cells in self.slices.items() if cells & met or place in met]
        return sorted(set().union(*[self.slices[place] for place in wanted]) & set(self.part.places))

    def outcome(self, attack, check):
        """What a check said to an attack that has been run."""
        reply, still = self.replies[attack], (False, False)
        if reply in (None, "budget", "unused"):
            return Outcome({None: "timeout", "budget": "budget"}.get(reply, "holds"), still, True)
        verdict = reply.checks.get(check)
        if verdict is None:
            crashed = reply.crash and check[1] in self.places(attack.keys)
            return Outcome("crash" if crashed else "holds", still, False)
        if verdict.status in ("crash", "nan"):
            return Outcome(verdict.status, still, False)
        reference = self.reference[check]
        pairs = zip(verdict.sides, reference.sides, strict=True)
        return Outcome(verdict.status, tuple(_moved(*pair, reference) for pair in pairs), verdict.same_bits)

    def singles(self, ingredients, kinds=("affine",)):
        """One use at a time: an ingredient that no check misses there does not count."""
        for loud in (1.0, LOUD):
            for kind in kinds if loud == 1.0 else ("sine",):
                uses = [(i, key) for i in ingredients for key in i.uses if loud == 1.0 or self._missed(i, key)]
                self.run(self.single(i, key, kind, loud) for i, key in uses)

    def single(self, ingredient, key, kind="affine", loud=1.0):
        alone = frozenset([key]) if len(ingredient.uses) > 1 else ingredient.everywhere()
        return Attack(alone, Replacement(kind, 0, loud, ingredient.scale))

    def _missed(self, ingredient, key):
        """Whether a use moves some equality that lets it pass."""
        attack = self.single(ingredient, key)
        outcomes = [self.outcome(attack, check) for check, v in self.reference.items() if v.kind == "check"]
        return any(outcome.status == "holds" and any(outcome.moved) for outcome in outcomes)

    def sensitive(self, ingredient, check):
        """{use: loudness at which altering it alone is refused}."""
        found = {}
        for key in ingredient.uses:
            for kind, loud in (("affine", 1.0), ("sine", LOUD)):
                attack = self.single(ingredient, key, kind, loud)
                if key not in found and attack in self.replies and self.outcome(attack, check).status == "refused":
                    found[key] = loud
        return found

    def subsets(self, sensitive):
        """Sets of uses to replace together: two of those that are noticed alone, all of these, all but one."""
        keys = list(sensitive)[:MOST_USES]
        pairs = list(itertools.combinations(keys, 2))
        others = itertools.combinations(keys, len(keys) - 1) if len(keys) > 3 else []
        whole = [frozenset(keys)] if len(keys) > 2 else []
        return list(dict.fromkeys([*map(frozenset, pairs), *map(frozenset, others), *whole]))


def kinds_of(check_kind):
    return KINDS if check_kind == "check" else (*KINDS, "down", "sunk", "cosine")


def _moved(side, before, reference):
    if side.shape != before.shape:
        return True
    scale = float(np.max(np.abs(before), initial=0.0))
    with np.errstate(invalid="ignore"):
        return bool(np.max(np.abs(side - before), initial=0.0) > max(reference.tolerance, 1e-12 * scale))
