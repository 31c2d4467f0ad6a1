"""What an examination finds, and how it is shown: plain text, or a quiet table in a notebook."""

import math
from dataclasses import dataclass, field
from html import escape
from textwrap import fill

from vaelib.doctor._sections import SECTIONS

NOT_MEASURED = 1.0  # the cost of a fault that changes what is learned, where no experiment gave its price


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, or worth knowing.

    Attributes:
        fault: its name, a key of `SECTIONS`, which says where the book explains it.
        says: one sentence.
        measured, expected: the evidence: what an experiment gave, and what a sound VAE gives.
        how: the experiment, in words.
        mend: what to change.
        cost: nats per example that it costs at least, as far as was measured; 0 where it only misnames a number,
            infinity where the loss has no minimum or nothing finite is left, 1 sharp where no price was measured.
        confidence: "certain" (a derivative or an identity says so), "likely" or "possible" (a level that we set).
        with_effects: whether the cost is that of what may follow from it: of the dearest finding below it, or of what
            a plain VAE has ahead.
    """

    fault: str
    says: str
    measured: str
    expected: str
    how: str
    mend: str
    cost: float = 0.0
    confidence: str = "certain"
    with_effects: bool = False

    @property
    def section(self) -> tuple[str, str]:
        """Page and anchor of the book where it is explained: ("10_which_beta", "only-one-number-...")."""
        return SECTIONS[self.fault]

    @property
    def price(self) -> str:
        """The cost in words."""
        if math.isinf(self.cost):
            return "everything"
        if self.with_effects:
            return f"the {self.cost:.3g} nats of what may follow"
        if self.cost == NOT_MEASURED:
            return "not measured"
        return f"{self.cost:.3g} nats" if self.cost >= 0.05 else "a name"

    def __str__(self) -> str:
        page, anchor = self.section
        rows = [
            f"  measured {self.measured}; expected {self.expected}",
            f"  by {self.how}",
            f"  mend: {self.mend}",
            f"  book: {page}.html#{anchor}",
        ]
        costs = "cost" if self.price == "not measured" else "costs"
        head = f"{self.fault} ({costs} {self.price}, {self.confidence}): {self.says}"
        return "\n".join(fill(row, 100, subsequent_indent="    ", break_on_hyphens=False) for row in [head, *rows])


@dataclass(frozen=True)
class Report:
    """What `examine` returns.

    Attributes:
        findings: faults, the dearest first; what causes the others stands above them.
        notes: what is no fault, but worth knowing, such as the beta that the loss has.
        not_examined: what could not be looked at, and why.
        numbers: what was measured on the way, by name; nats per example unless the name says otherwise.
        curves: rows of numbers for the figures, by name.
        refused: functions that were handed over and could not be called, each with what it said.
    """

    findings: tuple[Finding, ...] = ()
    notes: tuple[Finding, ...] = ()
    not_examined: tuple[str, ...] = ()
    numbers: dict[str, float] = field(default_factory=dict)
    curves: dict[str, list[float]] = field(default_factory=dict)
    refused: tuple[str, ...] = ()

    @property
    def healthy(self) -> bool:
        """Whether nothing was found, among what was examined, and every function could be called."""
        return not self.findings and not self.refused

    @property
    def title(self) -> str:
        """How many findings, and which functions could not be called."""
        count = len(self.findings)
        found = f"{count} finding{'s' * (count != 1)}" if count else "nothing found"
        return f"{found}, but {'; '.join(self.refused)}" if self.refused else found

    def __str__(self) -> str:
        parts = [self.title, *(f"{place}. {finding}" for place, finding in enumerate(self.findings, 1))]
        parts += ["also:", *(f"- {note.says} ({note.measured})" for note in self.notes)] if self.notes else []
        parts += ["not examined:", *(f"- {line}" for line in self.not_examined)] if self.not_examined else []
        parts += ["numbers:", *(f"- {name}: {value:.4g}" for name, value in self.numbers.items())]
        return "\n".join(parts)

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{name}</th>" for name in ("costs", "finding", "measured", "expected", "mend", "book"))
        rows = "".join(_row(finding) for finding in self.findings)
        rows += "" if rows and not self.refused else f'<tr><td colspan="6">{escape(self.title)}</td></tr>'
        also = [f"{note.says} ({note.measured})" for note in self.notes]
        also += [f"not examined: {line}" for line in self.not_examined]
        items = "".join(f"<li>{escape(line)}</li>" for line in also)
        return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>" + f"<ul>{items}</ul>" * bool(items)


def _row(finding: Finding) -> str:
    page, anchor = finding.section
    link = f'<a href="{page}.html#{anchor}">{escape(page)}</a>'
    cells = (
        escape(finding.price),
        f"<b>{escape(finding.fault)}</b>: {escape(finding.says)}",
        f"{escape(finding.measured)}<br><small>{escape(finding.how)}; {finding.confidence}</small>",
        escape(finding.expected),
        escape(finding.mend),
        link,
    )
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"
