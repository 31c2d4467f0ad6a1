"""Bounds: what is attacked, what breaks them, and whether they could fail.

A bound may be a theorem ("for every q"), which no consistent replacement breaks. So it is vacuous only where none is
refused and one of three things is true: a side moves with the other, because it is made from it (the smaller of two
numbers is below both); or no replacement of one side alone is refused either, so that nothing could break it; or
what it is blind to is not declared. A declared bound thus has to be said for every such thing in the text.
"""

import itertools
from dataclasses import dataclass, field

from _sabotage_attack import LOUD, kinds_of

EARNS_NOTHING = ("crash", "nan", "timeout", "budget")


@dataclass
class Finding:
    """What is known of one call of a check."""

    kind: str
    attacked: set = field(default_factory=set)
    noticed: set = field(default_factory=set)
    one_sided: set = field(default_factory=set)
    blind: dict = field(default_factory=dict)  # {name: {"how": "C" or "B", "where": [...], "copies": [...]}}
    unknown: dict = field(default_factory=dict)  # {name: why}
    vacuous: str = ""  # why, if it is
    unless: frozenset = frozenset()  # names: it is vacuous unless it is declared to hold for every such thing
    attacks: int = 0


def bound(judge, check, found, reference):
    """A bound that no consistent replacement breaks says little: see above for what then saves it."""
    whole = [judge.attacker.outcome(judge.whole(thing), check) for thing in judge.attackable]
    fixed = not all(any(outcome.moved[side] for outcome in whole) for side in (0, 1))  # one side is a constant
    entwined = []
    for thing in judge.attackable:
        outcomes = [judge.attacker.outcome(judge.whole(thing, kind), check) for kind in kinds_of("check_bound")]
        found.attacks += len(outcomes)
        if thing.last & _ends(reference):
            found.one_sided.add(thing.name)  # it is one of the sides
            entwined += [thing.name] * any(all(outcome.moved) for outcome in outcomes)
        else:
            _count(thing, found, outcomes, fixed)
    open_questions = {why for why in found.unknown.values() if why != "crash"}  # what cannot be replaced earns nothing
    if not found.noticed and not open_questions and (found.attacked or entwined):
        _judged(judge, check, found, entwined)


def _judged(judge, check, found, entwined):
    if entwined:
        found.vacuous = f"no consistent replacement breaks this bound, and {entwined[0]} moves both sides"
    elif not _breaks(judge, check):
        found.vacuous = "no replacement breaks this bound, not even of one side alone"
    else:
        found.vacuous, found.unless = "no consistent replacement breaks this bound", frozenset(found.blind)


def _breaks(judge, check):
    """Whether some replacement that moves one side alone is refused."""
    for loud, kind in itertools.product((1.0, LOUD), ("affine", "down")):
        for thing in judge.attackable:
            attacks = [judge.attacker.single(thing, key, kind, loud) for key in thing.uses]
            judge.attacker.run(attacks)
            outcomes = [judge.attacker.outcome(attack, check) for attack in attacks]
            if any(outcome.status == "refused" for outcome in outcomes):
                return True
    return False


def _count(thing, found, outcomes, fixed):
    told = [outcome for outcome in outcomes if outcome.status not in EARNS_NOTHING]
    if not told:
        found.unknown[thing.name] = outcomes[0].status
    elif not any(any(outcome.moved) for outcome in told):
        return
    elif fixed or any(all(outcome.moved) for outcome in told) or len(thing.uses) > 1:
        found.attacked.add(thing.name)
        if any(outcome.status == "refused" for outcome in told):
            found.noticed.add(thing.name)
        else:
            found.blind[thing.name] = {"how": "B", "where": [thing.name], "copies": sorted(thing.copies)}
    else:
        found.one_sided.add(thing.name)


def _ends(reference):
    """The bits of both sides of a check, or the numbers where they are single ones."""
    return {*reference.prints, *(float(side[0]) for side in reference.sides if len(side) == 1)} - {None}
