"""Print one table, each row measured side by side with the usual way in one run: median ratio and range.

    python -m benchmarks [--save] [ROW ...]

Rows: autoencoder, vae, target, likelihood, covariance, 'covariance steps'. And some that are no races: products, our
epoch and log p as multiples of their own matrix products; seeds, how good chapter 6's training gets; frontier, chapter
10's rate and distortion at twelve betas; priors and prior-faces, what chapter 9's priors mend; blur, chapter 11's
switches, some 15 minutes on one thread; phase, chapter 12's units in use and its cures, some 30 minutes; museum, what
the doctor says of chapter 14's patients, some 15 minutes; chapters, how long each runs; digits and faces, what the
findings of chapters 6 and 7 give from other seeds. All by default. With --save, what was measured goes into
benchmarks/results.json, and book/results.md is written from it.
"""

import argparse
import os

import torch

from benchmarks import (
    blur,
    chapters,
    covariance,
    epoch,
    findings,
    frontier,
    learned,
    likelihood,
    museum,
    phase,
    products,
    seeds,
    target,
)
from benchmarks.report import Row, Seeds, save, table
from vaelib.train import default_device

ROWS = {
    "autoencoder": ("training epoch, autoencoder 784-400-20", epoch.autoencoder),
    "vae": ("training epoch, VAE, binarised anew, with test curve", epoch.vae),
    "target": ("whole process, to the loss of the usual script's tenth epoch", target.reach),
    "likelihood": ("log p of 200 images by 5000 draws", likelihood.measure),
    "covariance": ("ten steps of a linear autoencoder, covariance built first", covariance.measure),
    "covariance steps": ("ten steps of a linear autoencoder, covariance there already", covariance.without_building),
}
OTHERS = [
    "products",
    "seeds",
    "frontier",
    "blur",
    "phase",
    "museum",
    *learned.ROWS,
    "chapters",
    *findings.CHAPTERS,
]  # that are no races
PAIRS = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="*", choices=[*ROWS, *OTHERS, []], help="default: all")
    parser.add_argument("--save", action="store_true", help="keep the rows and write book/results.md")
    chosen = parser.parse_args()
    os.environ["VAELIB_PROGRESS"] = "0"
    keys = chosen.rows or [*ROWS, *OTHERS]
    keep = save if chosen.save else lambda **measured: None  # at once: a later failure loses nothing
    for device in sorted({torch.device("cpu"), default_device()}, key=str):
        for key in [key for key in keys if key in ROWS]:
            name, measure = ROWS[key]
            measure(device, PAIRS) if key != "target" else None  # a warm-up, thrown away
            row = Row(key, name, str(device), [measure(device, pair) for pair in range(PAIRS)])
            print(table([row]), flush=True)
            keep(rows=[row])
        if "products" in keys:
            multiples = products.run(device)
            print(multiples, flush=True)
            keep(products=[multiples])
        if "seeds" in keys:
            ends = Seeds(str(device), [seeds.run(device, seed) for seed in range(PAIRS)])
            print(ends, flush=True)
            keep(seeds=[ends])
    if "frontier" in keys:
        points, album = frontier.run(default_device())
        print(points, flush=True)
        keep(frontier=[points])
        if chosen.save:
            frontier.store(points, album)
    if "blur" in keys:
        found = [blur.told(blur.run(point)) for point in blur.POINTS]
        if chosen.save:
            blur.store(found)
    if "phase" in keys:
        found = [phase.told(phase.run(point)) for point in phase.POINTS]
        if chosen.save:
            phase.store(found)
    if "museum" in keys:
        rows = list(museum.run())
        print(museum.summary(rows), flush=True)
        if chosen.save:
            museum.store(rows)
    for key in [key for key in learned.ROWS if key in keys]:
        for found in learned.run(key, default_device()):
            print(found, flush=True)
            keep(priors=[found])
            if chosen.save:
                learned.store(found)
    if "chapters" in keys:
        keep(chapters=[chapters.measure(default_device())])
    for key in [key for key in findings.CHAPTERS if key in keys]:
        found = findings.measure(key, default_device())
        print(found, flush=True)
        keep(findings=[found])


main()
