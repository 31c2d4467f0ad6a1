"""Whose fault is the blur: one network, switches for bottleneck, KL, sigma and code; chapter 11.

    python -m benchmarks blur --save          all points, one after the other
    python -m benchmarks.blur FOLDER [POINT]  points that FOLDER has not, into FOLDER/POINT.pt
    python -m benchmarks.blur --store FOLDER  the points of a folder, into the library

Drawn faces of 32 x 32 pixels in colour. Every point has the same layers but the last, batches, steps and schedule.
"""

import datetime
import json
import math
import statistics
import sys
import time
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from benchmarks.blur_models import SIZE, ScaleGaussian, build
from benchmarks.report import ROOT
from vaelib.faces import draw, sample_factors
from vaelib.metrics import radial_spectrum
from vaelib.models import VAE
from vaelib.objectives import elbo_terms
from vaelib.train import fit, set_seed

CODES = {"narrow": 16, "wide": 128}  # numbers a code
FACES, TEST, EPOCHS, BATCH, LR, LR_SIGMA = 5000, 300, 2, 32, 4e-3, 4e-2
LONGER = 4  # times as many passes, of one configuration
D = 3 * SIZE**2
SEEDS, TABLE_SEEDS = 5, 3
PLAIN = ("one", "pixel", "scale")  # sigma of an autoencoder: a shared one changes nothing
SIGMAS = ("one", "shared", "pixel", "scale")
TABLE = ("continuous", "logistic", "bernoulli")  # beside those
SHOWN = 4  # test faces whose pictures are kept
STORED = ROOT / "vaelib" / "stored" / "blur.npz"
KINDS = [f"{width}-plain-{sigma}" for width in CODES for sigma in PLAIN]
KINDS += [f"{width}-vae-{sigma}" for width in CODES for sigma in SIGMAS]
FEWER = [f"wide-vae-{name}" for name in TABLE] + ["wide-long-shared"]  # in three seeds
POINTS = [f"{kind}-{seed}" for seed in range(SEEDS) for kind in KINDS + (FEWER if seed < TABLE_SEEDS else [])]


@cache
def faces() -> tuple[Tensor, Tensor]:
    """Training and test faces, (N, D) uint8; the same for all points."""
    drawn = draw(sample_factors(FACES + TEST, torch.Generator().manual_seed(0)), SIZE).flatten(1)
    return drawn[:FACES], drawn[FACES:]


def loss_of(kind: str):
    """Minus the ELBO, nats a picture; for a plain autoencoder without its KL, and at the mean code."""

    def loss(model, x):
        if kind == "plain":
            return -model.likelihood(x, model.decode(model.encode(x)[0])).mean()
        return -elbo_terms(model, x, model.likelihood).elbo.mean()

    return loss


def train(width: str, kind: str, sigma: str, seed: int) -> VAE:
    """The model of a point."""
    set_seed(seed)
    model, epochs = build(CODES[width], sigma), EPOCHS * (LONGER if kind == "long" else 1)
    x, _ = faces()
    layers = [*model.encoder.parameters(), *model.decoder.parameters()]
    groups = [{"params": layers}, {"params": list(model.likelihood.parameters())}]
    groups = [group for group in groups if group["params"]]
    adam = torch.optim.Adam(groups)
    rates = torch.optim.lr_scheduler.OneCycleLR(adam, [LR, LR_SIGMA][: len(groups)], epochs * (len(x) // BATCH))
    options = {"batch_size": BATCH, "optimizer": adam, "scheduler": rates, "device": torch.device("cpu")}
    fit(model, loss_of(kind), x, epochs=epochs, **options)
    return model.requires_grad_(False)


@torch.no_grad()
def measure(model: VAE, kind: str) -> dict:
    """Spectra of mean, residual and cross term, and numbers, on test faces; of the mean code, then of a drawn one."""
    set_seed(0)
    x = faces()[1].float() / 255
    mu, logvar = model.encode(x)
    codes = {"mean": mu} | ({} if kind == "plain" else {"drawn": mu + (logvar / 2).exp() * torch.randn_like(mu)})
    made = {code: model.likelihood.mean(model.decode(z)) for code, z in codes.items()}
    found = {code: parts(x, y) for code, y in made.items()}
    errors = {code: (y - x).square().mean().item() for code, y in made.items()}
    kl = 0.5 * (mu**2 + logvar.exp() - logvar - 1).sum(1).mean().item() if kind != "plain" else 0.0
    pictures = {code: (255 * y[:SHOWN].clamp(0, 1)).round().byte() for code, y in made.items()}
    return {"spectra": found, "errors": errors, "kl": kl, "bits": bits(model, x, kind), "pictures": pictures}


def parts(x: Tensor, y: Tensor) -> Tensor:
    """Power by ring, (3, R): of y, of x - y, and twice their cross spectrum. They add up to that of x.

    Each less its own mean over the pictures: with another mean a picture that never changes would have power.
    """
    x, y = ((part - part.mean(0)).unflatten(1, (3, SIZE, SIZE)).double() for part in (x, y))
    left = x - y
    return torch.stack([radial_spectrum(y).power, radial_spectrum(left).power, 2 * radial_spectrum(y, left).power])


def bits(model: VAE, x: Tensor, kind: str) -> float:
    """-ELBO / (D log 2) of 8-bit pictures; of grey coins, what it is; of noise by scale, with noise in each bin."""
    if kind == "plain":
        return math.nan
    likelihood, unit = model.likelihood, 0.0
    if isinstance(likelihood, ScaleGaussian):
        x, unit = x + (torch.rand_like(x) - 0.5) / 255, math.log2(255)
    terms = elbo_terms(model, x, getattr(likelihood, "log_mass", likelihood))
    return -terms.elbo.mean().item() / (D * math.log(2)) + unit


def run(point: str) -> dict:
    """What is kept of a point, and how long its training took."""
    width, kind, sigma, seed = point.split("-")
    start = time.process_time()
    model = train(width, kind, sigma, int(seed))
    seconds = time.process_time() - start
    return {"point": point, "date": datetime.date.today().isoformat(), "seconds": seconds, **measure(model, kind)}


def told(found: dict) -> dict:
    """The same, its numbers printed."""
    shown = {key: found[key] for key in ("point", "seconds", "errors", "kl", "bits")}
    print(json.dumps(shown), flush=True)
    return found


def store(found: list[dict], path: Path = STORED) -> None:
    """All points: by configuration (width, kind, sigma, code), then by seed; those in fewer seeds apart."""
    runs = {one["point"]: one for one in found}
    if missing := [point for point in POINTS if point not in runs]:
        raise ValueError(f"every point must be there; got none of {', '.join(missing)}")
    series = {kind: [runs[f"{kind}-{seed}"] for seed in range(SEEDS)] for kind in KINDS}
    fewer = {kind: [runs[f"{kind}-{seed}"] for seed in range(TABLE_SEEDS)] for kind in FEWER}
    x = faces()[1].float() / 255
    data = radial_spectrum((x - x.mean(0)).unflatten(1, (3, SIZE, SIZE)).double())
    numbers = {"kl": _named("kl", series | fewer), "bits": _named("bits", series | fewer)}
    seconds = round(statistics.median(one["seconds"] for one in found), 1)
    about = {"date": max(one["date"] for one in found), "seconds": seconds, **numbers}
    shown = {kind: ones[0]["pictures"]["mean"] for kind, ones in series.items() if kind.startswith("wide")}
    np.savez_compressed(
        path,
        about=json.dumps(about),
        count=data.count.numpy(),
        data=data.power.numpy(),
        shown=np.array([kind.replace("-", " ") for kind in shown]),
        pictures=torch.stack([faces()[1][:SHOWN], *shown.values()]).unflatten(-1, (3, SIZE, SIZE)).numpy(),
        **_arrays(series, ""),
        **_arrays(fewer, "_fewer"),
    )


def _named(key: str, series: dict) -> dict:
    """One list of seeds for each VAE: {"wide vae shared": [...]}."""
    return {kind.replace("-", " "): [one[key] for one in ones] for kind, ones in series.items() if "plain" not in kind}


def _arrays(series: dict, ending: str) -> dict:
    """Names of the configurations, their spectra (configurations, seeds, 3, R) and their errors."""
    rows = [(kind, code) for kind, ones in series.items() for code in ones[0]["spectra"]]
    spectra = [[one["spectra"][code].numpy() for one in series[kind]] for kind, code in rows]
    errors = [[one["errors"][code] for one in series[kind]] for kind, code in rows]
    names = [f"{kind.replace('-', ' ')} {code}" for kind, code in rows]
    return {
        f"names{ending}": np.array(names),
        f"spectra{ending}": np.array(spectra, np.float32),
        f"errors{ending}": np.array(errors),
    }


def main(arguments: list[str]) -> None:
    torch.set_num_threads(1)
    if arguments[0] == "--store":
        store([torch.load(path, weights_only=True) for path in sorted(Path(arguments[1]).glob("*.pt"))])
        return
    folder, *points = arguments
    for point in points or [one for one in POINTS if not (Path(folder) / f"{one}.pt").exists()]:
        torch.save(told(run(point)), Path(folder) / f"{point}.pt")


if __name__ == "__main__":
    main(sys.argv[1:])
