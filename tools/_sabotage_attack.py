"""Which replacements are tried on one part of a chapter, and what every check said to each."""

import itertools
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import NamedTuple

import numpy as np
from _sabotage_batch import is_generator
from _sabotage_hold import Session
from _sabotage_names import lasting, needed
from _sabotage_probe import EVERYWHERE, KINDS, Replacement

LOUD, MOST_USES = 6.0, 12
ALL_PAIRS = 2.0  # seconds that attacks on all pairs of uses of one thing may take


class Attack(NamedTuple):
    keys: frozenset  # of (site, context)
    replacement: Replacement


class Outcome(NamedTuple):
    status: str  # of the check: "holds", "refused", "crash", "nan", "timeout"
    moved: tuple  # whether each side moved by more than the tolerance
    same_bits: bool


class Attacker:
    """Runs attacks on a part of a chapter and remembers the replies."""

    def __init__(self, chapter, part, budget, workers, label=None, alone=False):
        self.chapter, self.part, self.left, self.workers = chapter, part, budget, workers
        self.label, self.alone, self.idle = label, alone, []
        own = [cell for cell in chapter.cells if cell.place in part.places]
        quick = [cell for cell in own if part.seconds[cell.place] <= chapter.longest(cell)]
        checking = [cell for cell in quick if cell.labels and (label in cell.labels or not label)]
        slices = {cell.place: set(needed(chapter.cells, {cell.place})) for cell in own}
        self.slices = {cell.place: slices[cell.place] for cell in checking}
        self.cells = sorted(set().union(*self.slices.values()) & set(part.places)) if self.slices else []
        self.above = {place: slices[place] for place in self.cells}
        self.lasting = lasting(chapter.cells)
        self.replies, self.lock = {}, Lock()

    def control(self):
        """The reply without an attack; it also notes what passes every site."""
        session = Session(self.part, self.chapter.states, self.cells, record=True)
        reply = session.control
        session.end()
        if reply is not None:
            self.notes, self.reference = reply.notes, reply.checks
            self.patience = max(5.0, 20 * reply.seconds)
            self.left -= reply.seconds
        return reply

    def end(self):
        """Close all sessions; whether nothing that an attack did has lasted."""
        return all([session.end() for session in self.idle])

    def concerns(self, check):
        """Whether a check is one that can be judged here: it carries a statement or a step, and its cell is quick."""
        return check[1] in self.slices and check[0].startswith(("eq-", "step-")) and self.label in (None, check[0])

    def run(self, attacks):
        """Make sure that there is a reply to every attack, as long as the budget lasts."""
        todo = [attack for attack in dict.fromkeys(attacks) if attack not in self.replies]
        hands = min(self.workers, len(todo) // 4 + 1)
        with ThreadPoolExecutor(hands) as pool:
            list(pool.map(self._ask_all, [todo[hand::hands] for hand in range(hands)]))

    def _ask_all(self, attacks):
        session = None
        for attack in attacks:
            places = self.places(attack.keys)
            if self.left <= 0 or not places:
                self.replies[attack] = "unused" if not places else "budget"
                continue
            active, alone = dict.fromkeys(attack.keys, attack.replacement), self.alone or self._lasts(places)
            if alone:
                self.replies[attack] = self._asked(self._session(alone=True), active, self._slice(places), end=True)
            else:
                session = session if session and session.alive else self._idle() or self._session()
                self.replies[attack] = self._asked(session, active, places)
        if session and session.alive:
            self.idle.append(session)

    def _asked(self, session, active, places, end=False):
        reply = session.attack(active, places, self.patience)
        self.left -= reply.seconds if reply else self.patience
        if end:
            session.end()
        return reply

    def _idle(self):
        with self.lock:
            return self.idle.pop() if self.idle else None

    def _session(self, alone=False):
        session = Session(self.part, self.chapter.states, self.cells, alone=alone)
        self.left -= session.control.seconds if session.control else 0.0
        return session

    def places(self, keys):
        """Cells that an attack reaches, of those that a check leans on; with them what made the objects they change."""
        sites = {site for site, context in keys if context == EVERYWHERE}
        met = set().union(*[note.places for key, note in self.notes.items() if key in keys or key[0] in sites])
        leaned = set().union(*[cells for place, cells in self.slices.items() if cells & met or place in met])
        leaned, reached, before = sorted(leaned & set(self.cells)), met & leaned, None
        while before != reached:
            before, changed = set(reached), set().union(*[self.lasting[place][1] for place in reached])
            for place in leaned:
                if self.above[place] & reached or self.lasting[place][0] & changed:
                    reached.add(place)
        return sorted(reached)

    def _slice(self, places):
        """All cells on which the checks at `places` lean."""
        return sorted(set().union(*[self.above[place] for place in places]) & set(self.cells))

    def _lasts(self, places):
        """Whether cells change an object that they have not made, so that attacks may not share a process."""
        bound = set().union(*[self.lasting[place][0] for place in places])
        names, space = set().union(*[self.lasting[place][1] for place in places]) - bound, self.chapter.space
        return any(name in space and not is_generator(space[name]) for name in names)

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

    def subsets(self, sensitive, sites):
        """Sets of uses to replace together: those of one text or of equal values, all of them; where it is cheap
        also every two, and all but one."""
        keys, groups = list(sensitive)[:MOST_USES], {}
        for key in keys:
            for mark in (sites[key[0]].text, self._bits(key)):
                groups.setdefault(mark, []).append(key)
        groups = [group for group in groups.values() if 1 < len(group) < len(keys)] + [keys] * (len(keys) > 1)
        more = [*itertools.combinations(keys, 2), *itertools.combinations(keys, max(2, len(keys) - 1))]
        cheap = len(more) * self.cost(frozenset(keys)) < ALL_PAIRS
        return list(dict.fromkeys(map(frozenset, [*groups, *(more if cheap else ())])))

    def _bits(self, key):
        """What passed a use, to the last bit, if that says something; else the use itself."""
        prints = tuple(self.notes[key].prints) if key in self.notes else ()
        return prints if any(prints) else key

    def cost(self, keys):
        """Seconds of processor time of one attack, about."""
        return sum(self.part.seconds[place] for place in self.places(keys))


def kinds_of(check_kind):
    return KINDS if check_kind == "check" else (*KINDS, "down", "sunk", "cosine")


def _moved(side, before, reference):
    if side.shape != before.shape:
        return True
    scale = float(np.max(np.abs(before), initial=0.0))
    with np.errstate(invalid="ignore"):
        return bool(np.max(np.abs(side - before), initial=0.0) > max(reference.tolerance, 1e-12 * scale))
