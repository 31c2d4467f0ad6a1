"""The rules about findings and folds: findings are measured, folded cells check, verdicts quote what was printed."""

import re

from notebook_parts import FINDING, check_calls, code_cells, first_line, label_of, observe_calls, output_texts, passages
from sums import numbers

UNLABELLED = re.compile(r"^>?\s*\*\*Finding\b(?!\*\* \(obs-[a-z0-9-]*[a-z0-9]\)).*", re.MULTILINE)


def _texts(part):
    return "\n\n".join(text for text in part if isinstance(text, str))


def _observed(part):
    cells = [cell for cell in part if not isinstance(cell, str) and cell.source.strip()]
    return {label_of(call) for cell in cells for call in observe_calls(cell)}


def guard_findings_are_measured(notebook):
    """A finding is `> **Finding** (obs-name). ...`, and its section observes it."""
    parts = passages(notebook)
    found = [
        f"write '> **Finding** (obs-name). ...': {line[:60]!r}" for p in parts for line in UNLABELLED.findall(_texts(p))
    ]
    return found + [
        f"{label} has no observe(...) in its section"
        for part in parts
        for label in FINDING.findall(_texts(part))
        if label not in _observed(part)
    ]


def guard_observations_name_a_finding(notebook):
    """What observe(...) names is a finding of the notebook, and its stored output says what was seen."""
    stated = {label for part in passages(notebook) for label in FINDING.findall(_texts(part))}
    found = []
    for cell in code_cells(notebook):
        for label in map(label_of, observe_calls(cell)):
            if label not in stated:
                found.append(f"{first_line(cell)} observes {label!r}, which names no finding here")
            elif not re.search(rf"^{label}\b[^:\n]*: \S", "\n".join(output_texts(cell)), re.MULTILINE):
                found.append(f"{first_line(cell)} does not print what it observed for {label}")
    return found


def guard_folded_cells_check(notebook):
    """The tag `check` folds a cell away: it stands only on cells that check or observe, and that show no picture."""
    folded = [cell for cell in code_cells(notebook) if "check" in cell.metadata.get("tags", [])]
    return [
        f"{first_line(cell)} has the tag check; it must check or observe something, and show no picture"
        for cell in folded
        if not (check_calls(cell) or observe_calls(cell)) or any("image/png" in o.get("data", {}) for o in cell.outputs)
    ]


def guard_verdicts_are_printed(notebook):
    """The numbers of `vaelib: {verdict: ...}` are printed in the section of the cell."""
    return [
        f"{first_line(cell)}: {number} of its verdict is not printed in its section"
        for part in passages(notebook)
        for cell, printed in _with_numbers([cell for cell in part if not isinstance(cell, str)])
        for number in sorted(_verdict(cell) - printed)
    ]


def _with_numbers(cells):
    printed = {number for cell in cells for text in output_texts(cell) for number in numbers(text)}
    return [(cell, printed) for cell in cells]


def _verdict(cell):
    verdict = cell.metadata.get("vaelib", {}).get("verdict", "")
    return numbers(" ; ".join([verdict] if isinstance(verdict, str) else verdict.values()))
