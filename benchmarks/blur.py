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
from torch import Tensor, nn

from benchmarks.report import ROOT
from vaelib import likelihoods as lk
from vaelib.distributions import LOG_2PI
from vaelib.faces import draw, sample_factors
from vaelib.metrics import radial_spectrum
from vaelib.models import VAE, conv_vae
from vaelib.objectives import elbo_terms
from vaelib.train import fit, set_seed

SIZE, WIDTHS, CODES = 32, (16, 32, 64), {"narrow": 16, "wide": 128}
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


class ScaleGaussian(nn.Module):
    """log N(x; y, S) with one variance for each ring of spatial frequencies: noise that knows its neighbours."""

    params_per_dim = 1

    def __init__(self, size: int = SIZE, logvar: float = -6.0):
        super().__init__()
        cycles = torch.fft.fftfreq(size, 1 / size)
        self.ring = (torch.hypot(cycles, cycles[:, None]) + 0.5).floor().long()  # (H, H)
        self.logvar = nn.Parameter(torch.full((int(self.ring.max()) + 1,), logvar))

    def forward(self, x: Tensor, params: Tensor) -> Tensor:
        """Nats, (B,); the transform is orthonormal, so no volume changes."""
        pictures = (x - params).unflatten(-1, (3, *self.ring.shape))
        power = torch.fft.fft2(pictures, norm="ortho").abs().square()
        logvar = self.logvar[self.ring]
        return -0.5 * (LOG_2PI + logvar + power / logvar.exp()).flatten(-3).sum(-1)

    def mean(self, params: Tensor) -> Tensor:
        """The means themselves."""
        return params


LIKELIHOODS = {
    "one": lambda: lk.GaussianLikelihood(0.0).requires_grad_(False),
    "shared": lambda: lk.GaussianLikelihood(-6.0),
    "pixel": lk.PixelGaussianLikelihood,
    "scale": ScaleGaussian,
    "continuous": lk.ContinuousBernoulliLikelihood,
    "logistic": lambda: lk.LogisticMixtureLikelihood(3),
    "bernoulli": lk.BernoulliLikelihood,
}


@cache
def faces() -> tuple[Tensor, Tensor]:
    """Training and test faces, (N, D) uint8; the same for all points."""
    drawn = draw(sample_factors(FACES + TEST, torch.Generator().manual_seed(0)), SIZE).flatten(1)
    return drawn[:FACES], drawn[FACES:]


def build(latent_dim: int, sigma: str) -> VAE:
    """The network, its last layer as wide as the likelihood wants it, and the likelihood as `model.likelihood`."""
    model, likelihood = conv_vae(latent_dim, WIDTHS, size=SIZE), LIKELIHOODS[sigma]()
    groups = likelihood.params_per_dim
    last = nn.ConvTranspose2d(WIDTHS[0], 3 * groups, 4, stride=2, padding=1)
    nn.init.normal_(last.weight, std=0.1)
    starts = {"pixel": [0.5, -4.0], "logistic": [0.0] * 3 + [0.2, 0.5, 0.8] + [-2.0] * 3}
    start = torch.tensor(starts.get(sigma, [0.0 if "bernoulli" in sigma or sigma == "continuous" else 0.5]))
    last.bias.data = start.repeat_interleave(3)
    model.decoder[-2] = last
    model.likelihood = likelihood
    return model.to(memory_format=torch.channels_last)


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
    centre = (faces()[0].float() / 255).mean(0)
    mu, logvar = model.encode(x)
    codes = {"mean": mu} | ({} if kind == "plain" else {"drawn": mu + (logvar / 2).exp() * torch.randn_like(mu)})
    made = {code: model.likelihood.mean(model.decode(z)) for code, z in codes.items()}
    found = {code: parts(x - centre, y - centre) for code, y in made.items()}
    errors = {code: (y - x).square().mean().item() for code, y in made.items()}
    kl = 0.5 * (mu**2 + logvar.exp() - logvar - 1).sum(1).mean().item() if kind != "plain" else 0.0
    pictures = {code: (255 * y[:SHOWN].clamp(0, 1)).round().byte() for code, y in made.items()}
    return {"spectra": found, "errors": errors, "kl": kl, "bits": bits(model, x, kind), "pictures": pictures}


def parts(x: Tensor, y: Tensor) -> Tensor:
    """Power by ring, (3, R): of y, of x - y, and twice their cross spectrum. They add up to that of x."""
    x, y = x.unflatten(1, (3, SIZE, SIZE)).double(), y.unflatten(1, (3, SIZE, SIZE)).double()
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
    """All points: by configuration (width, kind, sigma, code), then by seed."""
    runs = {one["point"]: one for one in found}
    if missing := [point for point in POINTS if point not in runs]:
        raise ValueError(f"every point must be there; got none of {', '.join(missing)}")
    kinds = list(dict.fromkeys(point.rpartition("-")[0] for point in POINTS))
    series = {kind: [runs[f"{kind}-{seed}"] for seed in range(SEEDS) if f"{kind}-{seed}" in runs] for kind in kinds}
    shared = {kind: ones for kind, ones in series.items() if len(ones) == SEEDS}
    names = [(kind, code) for kind, ones in shared.items() for code in ones[0]["spectra"]]
    x = faces()[1].float() / 255 - (faces()[0].float() / 255).mean(0)
    data = radial_spectrum(x.unflatten(1, (3, SIZE, SIZE)).double())
    pictures = [faces()[1][:SHOWN], *(shared[kind][0]["pictures"][code] for kind, code in names)]
    about = {
        "date": max(one["date"] for one in found),
        "seconds": round(statistics.median(one["seconds"] for one in found), 1),
        "kl": {kind.replace("-", " "): [one["kl"] for one in ones] for kind, ones in shared.items() if "vae" in kind},
        "bits": {
            kind.rpartition("-")[2]: [one["bits"] for one in ones]
            for kind, ones in series.items()
            if kind.startswith("wide-vae")
        },
    }
    np.savez_compressed(
        path,
        about=json.dumps(about),
        names=np.array([f"{kind.replace('-', ' ')} {code}" for kind, code in names]),
        count=data.count.numpy(),
        data=data.power.numpy(),
        spectra=np.array([[one["spectra"][code].numpy() for one in shared[kind]] for kind, code in names], np.float32),
        errors=np.array([[one["errors"][code] for one in shared[kind]] for kind, code in names]),
        pictures=torch.stack(pictures).unflatten(-1, (3, SIZE, SIZE)).numpy(),
    )


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
