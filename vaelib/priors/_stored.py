"""What learned priors mended in several seeds, as it comes with the library."""

import json
from typing import NamedTuple

import torch
from torch import Tensor

from vaelib import _stored

Numbers = dict[str, dict[str, Tensor]]


class StoredPriors(NamedTuple):
    """Runs of `python -m benchmarks priors prior-faces`, one number for each of S seeds, float64.

    Attributes:
        date: when the last of them was run.
        crowds: mixtures whose KL to N(0, I) is known: {"L = 20": {"truth": (S,), "classifier": (S,), ...}}, nats.
        digits: priors over the codes of MNIST: {"gain": {"flow": (S,), ...}} in nats on held-out codes, and the ruler,
            {"coverage": {"flow": (S,), ...}}.
        faces: the same for faces.
    """

    date: str
    crowds: Numbers
    digits: Numbers
    faces: Numbers


def stored_priors() -> StoredPriors:
    """The runs that come with the library. Book: chapter 9."""
    kept = _stored.arrays("priors")
    numbers = {key: _by_name(runs) for key, runs in json.loads(str(kept["numbers"])).items()}
    return StoredPriors(str(kept["date"]), *(numbers[key] for key in ("crowds", "digits", "faces")))


def _by_name(runs: list[dict]) -> Numbers:
    return {group: {name: torch.tensor([run[group][name] for run in runs], dtype=torch.float64, device="cpu")
                    for name in first}
            for group, first in runs[0].items()}  # fmt: skip
