"""What learned priors mend, chapter 9: several seeds of what `priors` and `prior_faces` measure, kept for its page."""

import datetime
import json
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch

from benchmarks import prior_faces, priors
from benchmarks.report import ROOT, spread

STORED = ROOT / "vaelib" / "stored" / "priors.npz"
ROWS = ("priors", "prior-faces")
SEEDS, FACE_SEEDS = 5, 3


class Learned(NamedTuple):
    """`runs`, one a seed: {group: {name: value}}."""

    key: str
    device: str
    runs: list

    def __str__(self) -> str:
        return spread(f"{self.key}, {self.device}", self.runs)


def run(row: str, device: torch.device) -> Iterator[Learned]:
    """Crowds and digits, or faces."""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
    if row == "priors":
        yield Learned("crowds", name, [told(priors.crowds(seed)) for seed in range(SEEDS)])
        yield Learned("digits", name, [told(priors.digits(seed, device)) for seed in range(SEEDS)])
    else:
        yield Learned("faces", name, [told(prior_faces.run(seed, device)) for seed in range(FACE_SEEDS)])


def told(numbers: dict) -> dict:
    """What was measured, printed as soon as it is there: the whole takes minutes."""
    print(json.dumps(numbers), flush=True)
    return numbers


def store(found: Learned) -> None:
    """Put what was measured in place of older numbers of the same key, for chapter 9."""
    kept = str(np.load(STORED)["numbers"]) if STORED.exists() else "{}"
    numbers = json.dumps(json.loads(kept) | {found.key: found.runs})
    STORED.parent.mkdir(exist_ok=True)
    np.savez_compressed(STORED, numbers=numbers, date=datetime.date.today().isoformat())
