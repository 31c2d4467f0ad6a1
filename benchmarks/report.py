"""What was measured, as a table, as JSON, and as the page book/results.md."""

import datetime
import json
import math
import os
import platform
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from benchmarks.texts import CHAPTERS, FINDINGS, FRONTIER, HEAD, NOTES, PRIORS, SEEDS, TAIL

ROOT = Path(__file__).resolve().parent.parent
JSON, PAGE = ROOT / "benchmarks" / "results.json", ROOT / "book" / "results.md"
STEPS = 10  # of the linear autoencoder in a row


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


class Products(NamedTuple):
    """`pairs` of (whole, matrix products alone) seconds, under "epoch" and "likelihood"."""

    device: str
    pairs: dict

    def __str__(self) -> str:
        epoch, log_p = (
            statistics.median(whole / alone for whole, alone in self.pairs[key]) for key in ("epoch", "likelihood")
        )
        return (
            f"On {self.device} an epoch of the autoencoder takes {epoch:.1f} times, log p {log_p:.1f} times as long as "
            "the matrix products in it, run alone"
        )


def cells(row: Row) -> list[str]:
    """Name, usual and our seconds, ratio and its range."""
    seconds = [f"{value:.3g}" for value in row.medians()]
    low, *_, high = row.ratios
    return [f"{row.name}, {row.device}", *seconds, f"{statistics.median(row.ratios):.1f}", f"{low:.1f} to {high:.1f}"]


def spread(title: str, runs: list[dict[str, dict[str, float]]]) -> str:
    """A title, then one line a number: the median and the range over the seeds."""
    lines = [f"{title}, {len(runs)} seeds"]
    for group in runs[0]:
        for name in runs[0][group]:
            values = sorted(run[group][name] for run in runs)
            lines.append(f"  {group}, {name}: {statistics.median(values):.4g} ({values[0]:.4g} to {values[-1]:.4g})")
    return "\n".join(lines)


def table(rows: list[Row]) -> str:
    """The rows for a terminal."""
    lines = [["", "usual, s", "vaelib, s", "ratio", "range"], *map(cells, rows)]
    return "\n".join(f"{a:<62}{b:>9}{c:>11}{d:>8}   {e}" for a, b, c, d, e in lines)


class Runs(NamedTuple):
    """How long the chapters run: `seconds` by the name of the chapter."""

    device: str
    seconds: dict


KEYS = {
    "rows": ("key", "device"),
    "seeds": ("device",),
    "frontier": (),
    "priors": ("key",),
    "products": ("device",),
    "chapters": ("device",),
    "findings": ("key", "device"),
}  # what a newer number replaces
COLUMNS = {"cpu": "two CPU cores", "Tesla T4": "free Colab GPU", "": "large GPU"}  # by the start of the device's name


def save(**measured: list[NamedTuple]) -> None:
    """Put what was measured in place of older numbers of the same kind and device, and write the page."""
    import torch

    old = json.loads(JSON.read_text(encoding="utf-8")) if JSON.exists() else {}
    machine = {
        "date": datetime.date.today().isoformat(),
        "processor": f"{platform.machine()}, {os.cpu_count()} cores",
        "python": platform.python_version(),
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
    }
    merged = {}
    for kind, keys in KEYS.items():
        new = [entry._asdict() | {"machine": machine} for entry in measured.get(kind, [])]
        merged[kind] = list({tuple(e[key] for key in keys): e for e in old.get(kind, []) + new}.values())
    chapters = sorted({chapter for run in merged["chapters"] for chapter in run["seconds"]})
    merged["running_times"] = {chapter: running_time(merged, chapter) for chapter in chapters}  # read by the pages
    text = json.dumps(merged, indent=1)
    JSON.write_text(text + "\n", encoding="utf-8")
    PAGE.write_text(page(json.loads(text)), encoding="utf-8")


def page(results: dict) -> str:
    """book/results.md: the races, what five seeds reach, the minutes of every chapter, and the machines."""
    lines = ["| race | usual, s | ours, s | times faster |", "|---|---|---|---|"]
    for row in results["rows"]:
        name, usual, ours, ratio, spread = cells(Row(*(row[field] for field in Row._fields)))
        lines.append(f"| {name} | {usual} | {ours} | {ratio} ({spread}) |")
    lines += [TAIL, *notes(results["rows"])]
    lines += [f"{Products(found['device'], found['pairs'])}: a processor cannot do it in less than once.\n" for found in
              results.get("products", [])]  # fmt: skip
    if results.get("seeds"):
        lines += ["## How good, how soon", ""]
        lines += [f"{Seeds(end['device'], end['runs'])}. {SEEDS}" for end in results["seeds"]] + [""]
    if results.get("frontier"):
        lines += [FRONTIER, *_frontier(results["frontier"][0]["runs"]), ""]
    if results.get("priors"):
        lines += [PRIORS, *(line for found in results["priors"] for line in _findings(found)), ""]
    if results.get("chapters"):
        lines += [CHAPTERS, *_chapters(results["chapters"]), ""]
    if results.get("findings"):
        lines += [FINDINGS, *(line for found in results["findings"] for line in _findings(found)), ""]
    machine = "- {date}, {processor}, Python {python}, torch {torch}, {threads} threads"
    entries = [entry for kind in KEYS for entry in results.get(kind, [])]
    machines = dict.fromkeys(machine.format(**entry["machine"]) for entry in entries)
    return HEAD + "\n".join([*lines, "## Measured on", "", *machines]) + "\n"


def notes(rows: list[dict]) -> Iterator[str]:
    """What the rows of the table mean: each note stands where its row does, measured as the note says."""
    for key, word, text in NOTES:
        if any(row["key"] == key and word in row["name"] for row in rows):
            yield text
    by_key = {row["key"]: Row(*(row[field] for field in Row._fields)).medians() for row in rows}
    if {"covariance", "covariance steps"} <= by_key.keys():
        (images, both), (_, steps) = by_key["covariance"], by_key["covariance steps"]
        paid = math.ceil(STEPS * (both - steps) / (images - steps))
        yield f"By these medians building $C$ has paid for itself after {paid} step{'s' * (paid != 1)} on the images.\n"


def _frontier(runs: list[list]) -> list[str]:
    """A table of rate and distortion on the test pictures, median and range over the seeds."""
    lines = ["| beta | rate, nats | distortion, nats |", "|---|---|---|"]
    for beta in sorted({run[0] for run in runs}):
        rates, distortions = (sorted(run[place] for run in runs if run[0] == beta) for place in (2, 3))
        spread = [f"{statistics.median(n):.1f} ({n[0]:.1f} to {n[-1]:.1f})" for n in (rates, distortions)]
        lines.append(f"| {beta:.4g} | {spread[0]} | {spread[1]} |")
    return lines


def _chapters(runs: list[dict]) -> list[str]:
    """A table of minutes: what was not measured is said to be so."""
    seconds = {column_of(run["device"]): run["seconds"] for run in runs}
    lines = [f"| chapter | {' | '.join(COLUMNS.values())} |", "|---" * (1 + len(COLUMNS)) + "|"]
    for chapter in sorted(set().union(*seconds.values())):
        found = [seconds.get(column, {}).get(chapter) for column in COLUMNS.values()]
        lines.append(f"| {{doc}}`{chapter}` | {' | '.join(map(duration, found))} |")
    return lines


def _findings(found: dict) -> list[str]:
    """A table of the runs of one chapter: what was measured, its median and its range."""
    lines = [
        f"| {found['key']}, {found['device']}, {len(found['runs'])} runs | | median | range |",
        "|---|---|---|---|",
    ]
    for what, first in found["runs"][0].items():
        for name in first:
            values = sorted(run[what][name] for run in found["runs"])
            spread = f"{values[0]:.4g} to {values[-1]:.4g}"
            lines.append(f"| {what.split(': ', 1)[-1]} | {name} | {statistics.median(values):.4g} | {spread} |")
    return [*lines, ""]


def column_of(device: str) -> str:
    """The column of the table to which a device belongs."""
    return next(column for start, column in COLUMNS.items() if device.startswith(start))


def running_time(results: dict, chapter: str) -> str:
    """One sentence on how long a chapter runs where; empty when it was measured nowhere."""
    runs = [run for run in results.get("chapters", []) if chapter in run["seconds"]]
    seconds = {column_of(run["device"]): run["seconds"][chapter] for run in runs}
    places = [(place, place if place == COLUMNS["cpu"] else f"a {place}") for place in COLUMNS.values()]
    here = [f"{duration(seconds[place])} on {name}" for place, name in places if place in seconds]
    missing = " or ".join(name for place, name in places if place not in seconds)
    unknown = f"; not measured on {missing}" if missing else ""
    return f"Runs in {', '.join(here)}{unknown}" if here else ""


def duration(seconds: float | None) -> str:
    """Seconds below a minute and a half, else minutes, in a reader's words."""
    if seconds is None:
        return "not measured"
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.1f} min"
