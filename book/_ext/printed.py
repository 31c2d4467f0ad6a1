"""What the checks of a chapter printed: the proofs of its equations and the measurements of its findings.

A check prints `eq-name holds: WHAT, TOLERANCE` and a line for every wrong formula that it rejects; an observation
prints `obs-name observed: WHAT` and what was measured. How often an equation's ingredients were attacked, and how
often its check noticed, comes from benchmarks/sabotage.json, where there is one.
"""

import json
import re
from html.entities import html5
from pathlib import Path
from typing import NamedTuple

NAME = r"-[a-z0-9-]*[a-z0-9]"
DISPLAY = re.compile(r"^\$\$\s*\n(.*?)\n\$\$ \(((?:eq|step|def)-[a-z0-9-]+)\)", re.DOTALL | re.MULTILINE)
FINDING = re.compile(rf"^> \*\*Finding\*\* \((obs{NAME})\)[.:]?((?:.*\n?)(?:^>.*\n?)*)", re.MULTILINE)
CALL = re.compile(rf"\b(?:check(?:_bound)?|observe)\(\s*[\"']((?:eq|step|def|obs){NAME})[\"']")
HOLDS = re.compile(r"^((?:eq|step|def)-[a-z0-9-]+) holds: (.*)((?:\n    rejected\b.*)*)", re.MULTILINE)
OBSERVED = re.compile(rf"^(obs{NAME})\b[^:\n]*: (.*(?:\n    .*)*)", re.MULTILINE)
REJECTED = re.compile(r"rejected(?: (everywhere|somewhere))?: (.*)")
TOLERANCE = re.compile(r"^(.*), (to the last bit|within .*|with room for .*)$")
SMALL = 1e-9  # up to here a difference is rounding


class Proof(NamedTuple):
    how: str
    tolerance: str
    kind: str
    rejected: list[str]


class Entry(NamedTuple):
    """One labelled display, with what its checks printed; definitions and unchecked steps have no proofs."""

    label: str
    formula: str
    proofs: list[Proof]


class Finding(NamedTuple):
    """One labelled finding, with what its observations printed."""

    label: str
    statement: str
    measured: list[str]


class Attacks(NamedTuple):
    """Ingredients of an equation's check that were replaced, how many it noticed, and what the equation holds for."""

    attacked: int  # without those that the equation leaves free, which its check must not notice
    noticed: int
    holds_for: list[str]


def proofs_in(printed: str) -> dict[str, list[Proof]]:
    """The proofs that a text holds, by label."""
    found = {}
    for label, line, rejected in HOLDS.findall(printed):
        names = [name + ", in some entries" * (where == "somewhere") for where, name in REJECTED.findall(rejected)]
        found.setdefault(label, []).append(proof(line, names))
    return found


def proof(line: str, rejected: list[str]) -> Proof:
    """What one printed line says: how, how closely, and what kind of agreement that is."""
    how, tolerance = match.groups() if (match := TOLERANCE.match(line)) else (line, "an inequality")
    if "standard errors" in tolerance:
        kind = "statistical"
    elif tolerance == "an inequality" or tolerance.startswith("with room"):
        kind = "bound"
    else:
        largest = max((float(n) for n in re.findall(r"[\d.]+(?:e-?\d+)?", tolerance)), default=0.0)
        kind = "exact" if largest <= SMALL else "numerical"
    return Proof(how, tolerance, kind, rejected)


def observations_in(printed: str) -> dict[str, list[str]]:
    """The measurements that a text holds, by label."""
    found = {}
    for label, line in OBSERVED.findall(printed):
        found.setdefault(label, []).append("; ".join(part.strip() for part in line.splitlines()))
    return found


def entries(notebook) -> list[Entry]:
    """The labelled displays of a notebook, in order."""
    proofs = proofs_in(_printed(notebook))
    return [Entry(label, " ".join(f.split()), proofs.get(label, [])) for f, label in DISPLAY.findall(_text(notebook))]


def findings(notebook) -> list[Finding]:
    """The labelled findings of a notebook, in order."""
    measured = observations_in(_printed(notebook))
    found = FINDING.findall(_text(notebook))
    return [
        Finding(label, " ".join(text.replace("\n>", "\n").split()), measured.get(label, [])) for label, text in found
    ]


def _printed(notebook) -> str:
    return "\n".join(out.get("text", "") for cell in notebook.cells for out in cell.get("outputs", []))


def _text(notebook) -> str:
    return "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def read_attacks(root: Path) -> dict[str, dict]:
    """The table of benchmarks/sabotage.json; empty when it is missing or cannot be read."""
    try:
        table = json.loads((Path(root) / "benchmarks" / "sabotage.json").read_text(encoding="utf-8"))["sections"]
        return {str(name): dict(row) for name, row in table.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def attacks_on(table: dict, chapter: str, label: str) -> Attacks | None:
    """What is known of one equation; None when nothing is, or when no ingredient could be attacked."""
    row = table.get(f"{chapter}#{label}", {})
    attacked, noticed = row.get("attacked"), row.get("noticed")
    if not (isinstance(attacked, int) and isinstance(noticed, int) and 0 <= noticed <= attacked and attacked):
        return None
    holds_for, missed = (row.get(key) if isinstance(row.get(key), list) else [] for key in ("holds_for", "undeclared"))
    free = attacked - noticed - len(missed) if holds_for else 0
    return Attacks(attacked - free, noticed, [_plain(str(name)) for name in holds_for])


def _plain(symbol: str) -> str:
    """A symbol of TeX as a line of text can show it: a Greek letter for its command, MSE for its upright form."""
    return re.sub(r"\\([A-Za-z]+)", lambda name: html5.get(f"{name[1]};", ""), symbol).strip("{}")


def attacked_words(attacks: Attacks | None) -> list[str]:
    """The parts of a sentence about attacks."""
    if attacks is None:
        return []
    attacked, noticed, free = attacks
    words = [f"{noticed} of {attacked} replaced ingredient{'s' * (attacked > 1)} noticed"] * bool(attacked)
    place = "its place" if len(free) == 1 else "their places"
    return words + [f"holds for every {' and every '.join(free)}, and did with others in {place}"] * bool(free)
