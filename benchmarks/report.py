"""What was measured, as a table, as JSON, and as the page book/results.md."""

import datetime
import json
import os
import platform
import statistics
from pathlib import Path
from typing import NamedTuple

import torch

ROOT = Path(__file__).resolve().parent.parent
JSON, PAGE = ROOT / "benchmarks" / "results.json", ROOT / "book" / "results.md"


class Row(NamedTuple):
    """One comparison: `pairs` of (usual, ours) seconds, measured in turn."""

    key: str
    name: str
    device: str
    pairs: list

    @property
    def ratios(self) -> list[float]:
        """How many times faster ours was, in each pair, ascending."""
        return sorted(usual / ours for usual, ours in self.pairs)

    def medians(self) -> tuple[float, float]:
        """Median seconds, (usual, ours)."""
        usual, ours = zip(*self.pairs, strict=True)
        return statistics.median(usual), statistics.median(ours)


class Seeds(NamedTuple):
    """What chapter 6's training reached: `runs` of (nats, seconds), one a seed."""

    device: str
    runs: list

    def __str__(self) -> str:
        nats, seconds = (sorted(values) for values in zip(*self.runs, strict=True))
        return (
            f"Chapter 6's training on MNIST, {self.device}, {len(nats)} seeds: {statistics.median(nats):.1f} nats of "
            f"test -ELBO in the median ({nats[0]:.1f} to {nats[-1]:.1f}), after {seconds[0]:.0f} to {seconds[-1]:.0f} s"
        )


def cells(row: Row) -> list[str]:
    """Name, usual and our seconds, ratio and its range."""
    seconds = [f"{value:.3g}" for value in row.medians()]
    low, *_, high = row.ratios
    return [f"{row.name}, {row.device}", *seconds, f"{statistics.median(row.ratios):.1f}", f"{low:.1f} to {high:.1f}"]


def table(rows: list[Row]) -> str:
    """The rows for a terminal."""
    lines = [["", "usual, s", "vaelib, s", "ratio", "range"], *map(cells, rows)]
    return "\n".join(f"{a:<62}{b:>9}{c:>11}{d:>8}   {e}" for a, b, c, d, e in lines)


def save(rows: list[Row], seeds: list[Seeds]) -> None:
    """Put what was measured in place of older numbers of the same key and device, and write the page."""
    old = json.loads(JSON.read_text(encoding="utf-8")) if JSON.exists() else {}
    machine = {
        "date": datetime.date.today().isoformat(),
        "processor": f"{platform.machine()}, {os.cpu_count()} cores",
        "python": platform.python_version(),
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
    }
    merged = {(row["key"], row["device"]): row for row in old.get("rows", [])}
    merged |= {(row.key, row.device): row._asdict() | {"machine": machine} for row in rows}
    ends = {end["device"]: end for end in old.get("seeds", [])}
    ends |= {end.device: end._asdict() | {"machine": machine} for end in seeds}
    text = json.dumps({"rows": list(merged.values()), "seeds": list(ends.values())}, indent=1)
    JSON.write_text(text + "\n", encoding="utf-8")
    PAGE.write_text(page(json.loads(text)), encoding="utf-8")


def page(results: dict) -> str:
    """book/results.md: the table, and under it the machine of every row."""
    lines = ["| race | usual, s | ours, s | times faster |", "|---|---|---|---|"]
    machines, machine = {}, "{date}, {processor}, Python {python}, torch {torch}, {threads} threads"
    for row in results["rows"]:
        name, usual, ours, ratio, spread = cells(Row(*(row[field] for field in Row._fields)))
        lines.append(f"| {name} | {usual} | {ours} | {ratio} ({spread}) |")
        machines[machine.format(**row["machine"])] = name
    lines += [""] if results.get("seeds") else []
    for end in results.get("seeds", []):
        lines.append(f"{Seeds(end['device'], end['runs'])}. {SEEDS}")
        machines[machine.format(**end["machine"])] = "seeds"
    measured = [f"- {machine}" for machine in machines]
    present = {row["key"] for row in results["rows"]}
    notes = "".join(note for key, note in NOTES.items() if key in present)
    return HEAD + "\n".join([*lines, "", "Measured on:", "", *measured]) + "\n" + TAIL + notes


HEAD = """# Results and speed

This page is written by `python -m benchmarks --save` from what it measured. Each row is a race between the usual way
and the library's, in one run, taking turns; the ratio is the median over five pairs, and the range its least and
greatest value, in brackets. Seconds belong to one machine, ratios travel better.

"""
TAIL = """
The usual way is the script that most tutorials print: torchvision with `ToTensor`, a `DataLoader`, Adam at 1e-3 on
batches of 128, one `.item()` a step.
"""
SEEDS = """The 10,000 test images are drawn black or white once, with a fixed seed; each is judged with one drawn z;
nothing was chosen on them."""
NOTES = {  # what a race means, said only where its row is in the table
    "target": """
In the row of the tenth epoch, both sides are judged by one evaluation function on the 10,000 test images, with the
same grey-pixel loss; a seed in which ours ends above the other's stops the run.
""",
    "likelihood": """
For log p the usual way copies each picture 500 times, encodes every copy, draws, decodes and weighs, ten times over;
`vaelib` encodes once and streams over the draws.
""",
    "covariance": """
For the linear autoencoder the usual way takes its gradient from all 60,000 images.
""",
}
