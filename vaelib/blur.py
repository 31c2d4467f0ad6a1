"""Whose fault the blur is: the stored runs of one network with switches for bottleneck, KL, sigma and code."""

import json
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from vaelib import _stored


class StoredBlur(NamedTuple):
    """Runs of `python -m benchmarks blur` on drawn faces of 32 x 32 pixels, float64; S is five seeds, or three.

    A run is named by its switches: "narrow" or "wide" (16 or 128 numbers a code), "plain" or "vae", its sigma ("one",
    "shared", "pixel" for one a pixel, "scale" for one a spatial frequency), and the code that is decoded ("mean",
    "drawn"), such as "narrow vae shared drawn". A plain autoencoder has no drawn code and no shared sigma. In three
    seeds: "wide vae" with "continuous" (Bernoulli), "logistic" (a mixture of three) and "bernoulli", and "wide long
    shared", with four times as many passes.

    Attributes:
        date: when the last of them was run.
        seconds: what one training took, the median, on one thread.
        count: frequencies in each of R rings, (R,); `vaelib.metrics.radial_spectrum`.
        data: power of 300 test faces by ring, (R,); of every picture, here and below, less its mean over the faces.
        spectra: by name, (S, 3, R): power of what is decoded, of the residual, and their cross term. Sum: `data`.
        errors: by name, squared error a pixel, (S,): at least the power of the residual, whose mean is not in it.
        kl: by name without its code, of VAEs, nats a face, (S,).
        bits: the same, minus the ELBO in bits per dimension, (S,). With "bernoulli" it is no probability of the faces,
            with "scale" a bound from above.
        faces: four test faces, (4, 3, 32, 32), in [0, 1].
        pictures: what wide ones of the first seed decode from the mean code, by name without its code, (4, 3, 32, 32).
    """

    date: str
    seconds: float
    count: Tensor
    data: Tensor
    spectra: dict[str, Tensor]
    errors: dict[str, Tensor]
    kl: dict[str, Tensor]
    bits: dict[str, Tensor]
    faces: Tensor
    pictures: dict[str, Tensor]


def stored_blur() -> StoredBlur:
    """The runs that come with the library. Book: chapter 11."""
    kept = _stored.arrays("blur")
    about, ends = json.loads(str(kept["about"])), ("", "_fewer")  # five seeds, and three
    names = [kept["names" + end].tolist() for end in ends]
    pictures = _double(kept["pictures"]) / 255

    def named(key: str) -> dict[str, Tensor]:
        rows = [row for end in ends for row in _double(kept[key + end])]
        return dict(zip(names[0] + names[1], rows, strict=True))

    return StoredBlur(
        about["date"],
        about["seconds"],
        torch.from_numpy(kept["count"]),
        _double(kept["data"]),
        named("spectra"),
        named("errors"),
        {name: _double(values) for name, values in about["kl"].items()},
        {name: _double(values) for name, values in about["bits"].items()},
        pictures[0],
        dict(zip(kept["shown"].tolist(), pictures[1:], strict=True)),
    )


def _double(values) -> Tensor:
    return torch.tensor(np.asarray(values, dtype=np.float64), device="cpu")
