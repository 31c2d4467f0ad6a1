"""What `vaelib.doctor` says first of every patient and of every healthy VAE, five seeds each: the table of chapter 14.

    python -m benchmarks museum [--save]

A row is a case of `benchmarks.patients`, trained anew with each seed and examined. Of the first seed the curve of its
loss, that of its KL, and what it makes of six held-out pictures and of six draws of the prior are kept too.
"""

import datetime
import json
import math
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from benchmarks.patients import BLIND, HEALTHY, NEW, TUNED, Case
from benchmarks.report import ROOT
from vaelib.doctor import Visited, examine

SEEDS = 5
GROUPS = {"tuned": TUNED, "blind": BLIND, "new": NEW, "healthy": HEALTHY}
STORED = ROOT / "vaelib" / "stored" / "museum.npz"
SHOWN, LOOKS = 6, 20


def run(seeds: int = SEEDS) -> Iterator[dict]:
    """A row a case: its group, its name, the faults that may come first, and what was said with each seed."""
    for group, cases in GROUPS.items():
        for name, case in cases.items():
            start = time.process_time()
            said = [visit(case, seed) for seed in range(seeds)]
            row = {"group": group, "name": name, "faults": case.faults, "said": said}
            yield told(row | {"seconds": round((time.process_time() - start) / seeds, 1)})


def visit(case: Case, seed: int) -> list[str]:
    """The faults that are found, the dearest first."""
    return [finding.fault for finding in examine(**case.examined(seed)).findings]


def told(row: dict) -> dict:
    """The same, printed: the whole takes minutes."""
    print(json.dumps(row), flush=True)
    return row


def right(row: dict) -> list[bool]:
    """By seed, as a stored row counts it."""
    return Visited(row["group"], row["name"], row["faults"], row["said"], None, None).right


def summary(rows: list[dict]) -> str:
    """How many of each group are right, by seed, and those that are not."""
    lines = []
    for group in GROUPS:
        mine = [right(row) for row in rows if row["group"] == group]
        lines.append(
            f"{group:8} of {len(mine):2}: {' '.join(str(sum(by_seed)) for by_seed in zip(*mine, strict=True))}"
        )
    wrong = [(row, seed) for row in rows for seed, fine in enumerate(right(row)) if not fine]
    return "\n".join(lines + [f"{row['name']}, seed {seed}: {row['said'][seed]}" for row, seed in wrong])


def portrait(case: Case, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Loss and KL, (20, 2), and pictures as bytes, (3, 6, 64): held out, as decoded, and from draws of the prior."""
    looks = []

    def look(value, mu, second):
        kl = 0.5 * (mu.square() + second.exp() - second - 1).sum(1).mean().item()
        looks.append((value, kl))

    parts = case.examined(seed, look)
    net, x = parts["module"].eval(), parts["held_out"][:SHOWN]
    with torch.no_grad():
        mu, second = net.encode(x)
        rows = [net.decode(parts["draw"](mu, second)), net.decode(torch.randn_like(mu))]
    truth = (x + 1) / 2 if x.min() < 0 else x
    pictures = torch.stack([truth.flatten(1), *(case.shown(row.flatten(1)) for row in rows)])
    side = math.isqrt(pictures.shape[-1])  # of larger ones every third pixel
    pictures = pictures.unflatten(-1, (side, side))[..., :: side // 8, :: side // 8].flatten(-2)
    return np.array(looks[-LOOKS:], dtype=np.float32), (255 * pictures.clamp(0, 1).nan_to_num()).byte().numpy()


def store(rows: list[dict], path: Path = STORED) -> None:
    """The rows as text, and the portraits of the patients."""
    portraits = [portrait(GROUPS[row["group"]][row["name"]]) for row in rows if row["faults"]]
    curves, pictures = (np.stack(part) for part in zip(*portraits, strict=True))
    kept = [{key: row[key] for key in ("group", "name", "faults", "said")} for row in rows]
    date = datetime.date.today().isoformat()
    np.savez_compressed(path, date=date, rows=json.dumps(kept), curves=curves, pictures=pictures)
