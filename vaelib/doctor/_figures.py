"""Four small figures of a report."""

import numpy as np

from vaelib.doctor._report import Report
from vaelib.plots import COLORS, new_figure


def figures(report: Report):
    """Costs of the findings, KL by latent, where the bound's gap goes, and the losses of the training.

    Args:
        report: from `examine`.

    Returns:
        The figure, with four panels; one that has nothing to show says so.

    Raises:
        TypeError: report is no `Report`.
    """
    if not isinstance(report, Report):
        raise TypeError(f"report must come from examine; got {type(report).__name__}")
    figure, axes = new_figure(8.0, 2.4, panels=4)
    _costs(axes[0], report)
    _line(axes[1], "KL by latent (nats)", "latent, sorted", report.curves.get("KL by unit", []), COLORS["q"])
    _gap(axes[2], report)
    _line(axes[3], "loss of the training", "entry", report.curves.get("history", []), COLORS["data"])
    return figure


def _costs(axis, report: Report) -> None:
    axis.set_title("costs (nats)", fontsize=9)
    finite = [finding.cost for finding in report.findings if np.isfinite(finding.cost)]
    top = max([1.0, *finite])
    for place, finding in enumerate(report.findings[:5]):
        axis.barh(-place, min(finding.cost, 1.3 * top), color=COLORS["p"])
        axis.text(0, -place, finding.fault, fontsize=6, va="center")
    _nothing(axis, bool(report.findings))
    axis.set_yticks([])


def _gap(axis, report: Report) -> None:
    axis.set_title("gap of the bound (nats)", fontsize=9)
    parts = {
        "encoder": report.numbers.get("gap by the encoder (amortisation)"),
        "shape of q": report.numbers.get("gap by the shape of q (approximation)"),
    }
    known = {name: value for name, value in parts.items() if value is not None}
    axis.bar(list(known), list(known.values()), color=COLORS["q"])
    axis.tick_params(labelsize=7)
    _nothing(axis, bool(known))


def _line(axis, title: str, below: str, values, color: str) -> None:
    axis.set_title(title, fontsize=9)
    axis.set_xlabel(below, fontsize=8)
    axis.tick_params(labelsize=7)
    axis.plot(range(1, len(values) + 1), values, ".-", color=color, markersize=4)
    _nothing(axis, bool(len(values)))


def _nothing(axis, there: bool) -> None:
    if not there:
        axis.text(0.5, 0.5, "nothing", transform=axis.transAxes, ha="center", fontsize=8)
