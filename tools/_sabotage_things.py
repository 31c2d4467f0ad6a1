"""What a part of a chapter is made of: functions, densities and arrays, each with its definition, uses and copies."""

from dataclasses import dataclass, field

from _sabotage_probe import EVERYWHERE


@dataclass
class Ingredient:
    """A function, a density or an array of the section, with the copies of it."""

    name: str
    kind: str = "given"  # "function", "packer", "array", "input", "library" (imported, or a method), "given"
    defined: list = field(default_factory=list)  # keys
    uses: list = field(default_factory=list)
    scale: float = 1.0
    size: int = 0
    prints: set = field(default_factory=set)
    last: set = field(default_factory=set)  # the bits that passed its definitions last, or the number
    copies: list = field(default_factory=list)  # names that return the same bits
    twins: list = field(default_factory=list)  # names that return nearly the same numbers
    lent: list = field(default_factory=list)  # keys of its copies

    def everywhere(self):
        """Keys that replace it consistently: at its definition, or at all of its uses together."""
        return frozenset((site, EVERYWHERE) for site, _ in (self.defined or self.uses)) | frozenset(self.lent)

    @property
    def attackable(self):
        if not self.uses:
            return False
        return self.kind in ("function", "packer", "array", "library") or (self.kind == "given" and self.size > 2)


def ingredients(sites, notes, copies):
    """What can be replaced, from what a control run has noted."""
    versions, known = _versions(sites, notes), {(site.name, site.kind) for site in sites}
    found = {}
    for (site, context), note in sorted(notes.items(), key=lambda item: (sites[item[0][0]][3:], str(item[0]))):
        if not note.count:
            continue
        kind, name = sites[site].kind, versions.get(site, sites[site].name)
        one = found.setdefault(name, Ingredient(name))
        one.size = max(one.size, note.size)
        if kind == "use":
            one.uses.append((site, context))
            one.kind = "library" if one.kind == "given" and sites[site].text.endswith(")") else one.kind
        else:
            one.defined.append((site, context))
            one.kind = kind
            one.prints |= {tuple(note.prints)} - {(None,) * len(note.prints)}
            one.last |= {note.last} - {None}
        one.kind = "input" if one.kind == "given" and (name, "input") in known else one.kind
        one.scale = _scale(note) if kind != "use" or (not one.defined and len(one.uses) == 1) else one.scale
    _join(found, sites, copies)
    return list(found.values())


def _scale(note):
    return (note.square / note.count) ** 0.5 or 1.0


def _versions(sites, notes):
    """{site: name} for names that a part binds twice: every binding is a thing of its own."""
    bindings = {}
    for site, _ in notes:
        if sites[site].kind in ("array", "input") and "." not in sites[site].name:
            bindings.setdefault(sites[site].name, set()).add((sites[site].place, sites[site].line, site))
    found = {}
    for name, places in bindings.items():
        if len(places) > 1:
            ordered = sorted(places)
            for place, line, site in ordered:
                found[site] = f"{name} (cell {place}, line {line})"
            for site, _ in notes:
                if sites[site].name == name and sites[site].kind == "use":
                    before = [b for b in ordered if b[:2] < (sites[site].place, sites[site].line)] or ordered[:1]
                    found[site] = found[before[-1][2]]
    return found


def _join(found, sites, copies):
    """Let things that are equal to the last bit be attacked together, whatever they are called."""
    groups = {}
    for (one, other), how in copies.items():
        groups.setdefault((sites[one].name, how), set()).add(sites[other].name)
    for one in found.values():
        for other in found.values():
            if other.name == one.name:
                continue
            same = other.name in groups.get((one.name, "copy"), ()) or (one.prints & other.prints)
            if same and other.defined and one.kind != "input":
                one.copies.append(other.name)
                one.lent += [(site, EVERYWHERE) for site, _ in other.defined]
            elif other.name in groups.get((one.name, "twin"), ()):
                one.twins.append(other.name)
    uses = {one.name: list(one.uses) for one in found.values()}
    for one in found.values():
        one.uses += [key for name in one.copies for key in uses[name] if key not in one.uses]
