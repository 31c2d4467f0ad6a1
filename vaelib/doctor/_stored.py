"""What the doctor said of VAEs whose faults are known, as it comes with the library."""

import json
from typing import NamedTuple

import torch
from torch import Tensor

from vaelib import _stored


class Visited(NamedTuple):
    """One VAE, trained and examined with several seeds.

    Attributes:
        group: "tuned", "blind", "new" or "healthy".
        name: what is wrong with it, in words; of a healthy one, what it is.
        faults: the findings that may come first; none for a healthy one.
        said: by seed, the faults that were found, the dearest first.
        curves: loss and KL at twenty moments of the training of the first seed, (20, 2); none for a healthy one.
        pictures: held out, decoded from their codes, and decoded from draws of N(0, I), (3, 6, 8, 8) in [0, 1].
    """

    group: str
    name: str
    faults: tuple[str, ...]
    said: tuple[tuple[str, ...], ...]
    curves: Tensor | None
    pictures: Tensor | None

    @property
    def right(self) -> list[bool]:
        """By seed: whether the first finding names the fault, or nothing is found where nothing is wrong."""
        return [said[0] in self.faults if said else not self.faults for said in self.said]


class StoredMuseum(NamedTuple):
    """Runs of `python -m benchmarks museum`: when, and a `Visited` for each VAE."""

    date: str
    visited: tuple[Visited, ...]


def stored_museum() -> StoredMuseum:
    """The runs that come with the library. Book: chapter 14."""
    kept = _stored.arrays("museum")
    pictures = torch.from_numpy(kept["pictures"]).float().unflatten(-1, (8, 8)) / 255
    portraits = zip(torch.from_numpy(kept["curves"]), pictures, strict=True)  # of the ill, in their order
    visited = []
    for row in json.loads(str(kept["rows"])):
        said, faults = tuple(map(tuple, row["said"])), tuple(row["faults"])
        visited.append(Visited(row["group"], row["name"], faults, said, *(next(portraits) if faults else (None, None))))
    return StoredMuseum(str(kept["date"]), tuple(visited))
