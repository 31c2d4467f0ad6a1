"""From what the checks said to what they are worth: per equation the ingredients noticed, and those it is blind to.

An equality is vacuous where something cancels that the text does not quantify over, or where it is blind to every
function that feeds it and these are not all declared, or where both sides are the same bits whatever the inputs.
"""

from _sabotage_attack import Attack, Attacker, kinds_of
from _sabotage_bounds import EARNS_NOTHING, Finding, bound
from _sabotage_names import leaned
from _sabotage_probe import KINDS, Replacement
from _sabotage_things import ingredients

SEEDS = (0, 1)


def judge(chapter, part, budget, workers=2, label=None):
    """{check: Finding} of one part of a chapter, and the attacks that were made."""
    for alone in (False, True):
        attacker = Attacker(chapter, part, budget, workers, label, alone)
        control = attacker.control() if attacker.cells else None
        if control is None:
            return {}, attacker
        things = ingredients(chapter.sites, control.notes, control.copies)
        judged = _Judge(attacker, chapter.sites, things)
        found = {check: judged.finding(check) for check in judged.prepare(control, chapter)}
        if attacker.end() or alone:
            return found, attacker


class _Judge:
    def __init__(self, attacker, sites, things):
        self.attacker, self.sites, self.things = attacker, sites, things
        self.attackable = [thing for thing in things if thing.attackable]
        self.functions = [thing for thing in things if thing.kind in ("function", "library")]

    def prepare(self, control, chapter):
        """The checks that can be judged, after the attacks that concern all of them."""
        good = [key for key in control.checks if self.attacker.concerns(key) and self._sound(key, chapter)]
        kinds = {control.checks[key].kind for key in good}
        if "check_bound" in kinds:
            signed = kinds_of("check_bound")
            self.attacker.run(self.whole(thing, kind) for thing in self.attackable for kind in signed)
        if any(control.checks[key].same_bits for key in good):
            inputs = [thing for thing in self.things if thing.kind in ("input", "given") and thing.size > 1]
            self.attacker.run(self.whole(thing, kind) for thing in inputs for kind in KINDS)
        return good

    def _sound(self, key, chapter):
        """Whether the control agrees with the first run: else the tool itself disturbs the check."""
        first, again = chapter.verdicts.get(key), self.attacker.reference[key]
        return again.status == "holds" and first is not None and first.prints == again.prints

    def whole(self, thing, kind="affine", seed=0, loud=1.0):
        return Attack(thing.everywhere(), Replacement(kind, seed, loud, thing.scale))

    def finding(self, check):
        reference = self.attacker.reference[check]
        found = Finding(reference.kind)
        if found.kind == "check":
            self._equality(check, found, reference)
        else:
            bound(self, check, found, reference)
        if self.attacker.left <= 0:
            found.unknown["the rest"] = "no time left for this part of the chapter"
        return found

    def _dear(self, thing):
        """Seconds that replacing a thing takes: the cheap ones come first, so that the budget reaches further."""
        return self.attacker.cost(thing.everywhere())

    # Equalities

    def _equality(self, check, found, reference):
        blind = []
        for thing in sorted(self.attackable, key=self._dear):
            self.attacker.singles([thing])
            if sensitive := self.attacker.sensitive(thing, check):
                blind += self._try(check, thing, sensitive, found)
        inside = {site for thing, *_ in blind for site, _ in thing.defined if thing.kind == "function"}
        for thing, keys, how, sensitive in blind:
            met = sensitive if keys == thing.everywhere() else keys
            if not self._implied(met, inside - {site for site, _ in thing.defined}):
                self._tell(found, thing, keys, how, sensitive)
        if not found.noticed and (functions := self._own(check, found, self._by_functions(check))):
            found.unless, found.vacuous = functions, "blind to every function that feeds it"
        if reason := self._by_bits(check, reference):
            found.unless, found.vacuous = frozenset(), reason

    def _try(self, check, thing, sensitive, found):
        """Replace one ingredient consistently in every way; the blind way, if there is one."""
        first = {}
        for candidates in ([thing.everywhere()], self.attacker.subsets(sensitive, self.sites)):
            if alive := self._alive(check, thing, candidates, min(sensitive.values()), found, first):
                return [(thing, alive[0], "B" if any(first[alive[0]].moved) else "C", sensitive)]
        self._count(thing, found, first, sensitive)
        return []

    def _alive(self, check, thing, alive, loud, found, first):
        """The sets of uses whose replacing is never noticed; `first` gets what the check said to the first kind."""
        for seed in SEEDS:
            for kind in KINDS:
                attacks = {keys: Attack(keys, Replacement(kind, seed, loud, thing.scale)) for keys in alive}
                self.attacker.run(attacks.values())
                found.attacks += len(attacks)
                outcomes = {keys: self.attacker.outcome(attack, check) for keys, attack in attacks.items()}
                first |= {keys: outcome for keys, outcome in outcomes.items() if keys not in first}
                alive = [keys for keys in alive if outcomes[keys].status == "holds"]
        return alive

    def _count(self, thing, found, outcomes, sensitive):
        whole, said = outcomes[thing.everywhere()], {outcome.status for outcome in outcomes.values()}
        if said & {"budget", "timeout"} or said <= set(EARNS_NOTHING):
            found.unknown[thing.name] = ", ".join(sorted(said & set(EARNS_NOTHING)))
        elif all(whole.moved) or (len(sensitive) > 1 and not _single(thing, outcomes)):
            found.attacked.add(thing.name)
            found.noticed.add(thing.name)
        else:
            found.one_sided.add(thing.name)

    def _implied(self, keys, inside):
        """Whether everything replaced was computed inside functions to which the check is blind anyway."""
        met = [note.within for key, note in self.attacker.notes.items() if _matches(key, keys)]
        return bool(met) and all(set(stack) & inside for stacks in met for stack in stacks)

    def _tell(self, found, thing, keys, how, sensitive):
        """Note a blindness. A function that serves several things, such as log_normal, is named with what it is of."""
        if found.blind.keys() & set(thing.copies):
            return  # its copy is there already
        texts = sorted({self.sites[site].text for site, _ in keys})
        several = len({self.sites[site].text for site, _ in sensitive}) > 1
        name = texts[0] if several and len(texts) == 1 and keys != thing.everywhere() else thing.name
        found.attacked.add(name)
        found.blind[name] = {"how": how, "where": texts, "copies": sorted(thing.copies)}

    def _by_functions(self, check):
        """(b): the functions that feed the check, if it notices no replacement of any of them."""
        feeding = set()
        for kind in KINDS:
            attacks = {thing.name: self.whole(thing, kind) for thing in self.functions}
            self.attacker.run(attacks.values())
            outcomes = {name: self.attacker.outcome(attack, check) for name, attack in attacks.items()}
            if any(outcome.status != "holds" for outcome in outcomes.values()):
                return frozenset()
            feeding |= {name for name, outcome in outcomes.items() if any(outcome.moved)}
        return frozenset(feeding)

    def _own(self, check, found, functions):
        """Of some functions those that do more for a check than make arrays which it takes as they are anyway, and
        from which each side goes its own way."""
        given = found.blind.keys() - {thing.name for thing in self.functions}
        names = leaned(self.attacker.chapter.cells, check[1], check[0], given) if functions and given else set()
        return (
            frozenset(name for name in functions if name.split(".")[0] in names)
            if names & found.one_sided
            else functions
        )

    def _by_bits(self, check, reference):
        """(c): both sides are the same bits whatever the inputs are, and no other implementation computes one side."""
        if not reference.same_bits:
            return ""
        inputs = [thing for thing in self.things if thing.kind in ("input", "given") and thing.size > 1]
        outcomes = [self.attacker.outcome(self.whole(thing, kind), check) for thing in inputs for kind in KINDS]
        moving = [outcome for outcome in outcomes if any(outcome.moved)]
        self.attacker.run(map(self.whole, self.functions))
        routes = [self.attacker.outcome(self.whole(thing), check) for thing in self.functions]
        apart = any(outcome.moved in ((True, False), (False, True)) for outcome in routes)
        if moving and all(outcome.same_bits for outcome in moving) and not apart:
            return "both sides are the same bits whatever the inputs"
        return ""


def _single(thing, outcomes):
    return len(outcomes) == 1 and len(thing.uses) == 1


def _matches(key, keys):
    return key in keys or any(site == key[0] and context == "everywhere" for site, context in keys)
