"""Rate and distortion at twelve betas, three seeds each, at equal compute: the points of chapter 10.

A VAE with p(x|z) = N(decoder(z), I) on MNIST's grey pixels; loss = sum of squares / 2 + beta KL, per image. Every run
has the same network, batches, passes and schedule; only beta and the seed differ.
"""

import datetime
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.report import ROOT
from benchmarks.usual import pictures
from vaelib.linear import covariance
from vaelib.models import mlp_vae
from vaelib.objectives import elbo_terms
from vaelib.train import as_float, evaluate, fit, set_seed

BETAS = [1 / 64, 1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 1, 1.5, 2, 3, 4, 6]
SEEDS = 3
LATENT, HIDDEN = 32, (256,)
PASSES, BATCH, PEAK = 6, 256, 3e-3
STORED = ROOT / "vaelib" / "stored" / "frontier.npz"
SHOWN = 6  # test digits, the first of six classes


class Point(NamedTuple):
    """One run: nats per image, the distortion without its constant (D / 2) log 2 pi."""

    beta: float
    seed: int
    rate: float
    distortion: float
    train_rate: float
    train_distortion: float


class Frontier(NamedTuple):
    """All runs on a device."""

    device: str
    runs: list

    def __str__(self) -> str:
        lines = [f"{beta:<10g}{rate:8.2f}{distortion:12.2f}" for beta, _, rate, distortion, *_ in self.runs]
        return "\n".join([f"{'beta':<10}{'rate':>8}{'distortion':>12}", *lines])


def half_square(x: Tensor, mean: Tensor) -> Tensor:
    """-log N(x; mean, I) less its constant, summed over the pixels."""
    return -0.5 * (x - mean).square().sum(-1)


def both(model: nn.Module, x: Tensor) -> tuple[Tensor, Tensor]:
    """Distortion and rate, nats per image, one drawn z each."""
    terms = elbo_terms(model, x, half_square)
    return -terms.log_likelihood.mean(), terms.kl.mean()


def train(
    beta: float, seed: int, x: Tensor, device: torch.device, latent_dim: int = LATENT, passes: int = PASSES
) -> nn.Module:
    """The model of one run; of chapter 12's too, where beta is the water level beta sigma^2."""

    def loss(model: nn.Module, batch: Tensor) -> Tensor:
        distortion, rate = both(model, batch)
        return distortion + beta * rate

    set_seed(seed)
    model = mlp_vae(x.shape[1], latent_dim, HIDDEN)
    model.decoder[-1].bias.data = as_float(x).mean(0)  # start from the mean picture
    adam = torch.optim.Adam(model.parameters(), fused=True)
    cycle = torch.optim.lr_scheduler.OneCycleLR(adam, PEAK, epochs=passes, steps_per_epoch=len(x) // BATCH)
    fit(model, loss, x, epochs=passes, batch_size=BATCH, optimizer=adam, scheduler=cycle, device=device)
    return model


def run(device: torch.device) -> tuple[Frontier, list[Tensor]]:
    """All runs, and what the models of seed 0 make of the shown digits: the digits first, then one tensor a beta."""
    x, test = pictures()
    shown = as_float(test[first_of_each_class()])
    album, points = [shown], []
    for seed in range(SEEDS):
        for beta in BETAS:
            model = train(beta, seed, x, device)
            set_seed(0)  # the same draws of z for everybody
            rates = [n for part in (test, x) for n in reversed(evaluate(model, both, part.to(device)))]
            points.append(Point(beta, seed, *(round(n, 4) for n in rates)))
            print(*points[-1], flush=True)
            if seed == 0:
                album.append(reconstructions(model, shown.to(device)))
    return Frontier(str(device), [list(point) for point in sorted(points)]), album


@torch.no_grad()
def reconstructions(model: nn.Module, x: Tensor) -> Tensor:
    """Decoded means of q(z|x), cut to [0, 1]."""
    return model.decode(model.encode(x)[0]).clamp(0, 1).cpu()


def first_of_each_class() -> list[int]:
    """Rows of the first test digits of six different classes."""
    from vaelib.data import load

    labels = load("mnist", fallback=None).test_labels.tolist()
    return sorted(labels.index(label) for label in set(labels))[:SHOWN]


def store(points: Frontier, album: list[Tensor]) -> None:
    """The points, the pictures as bytes and the eigenvalues of the training pictures, for chapter 10."""
    x, _ = pictures()
    eigenvalues = torch.linalg.eigvalsh(covariance(as_float(x).double())).flip(0).clamp(min=0)
    STORED.parent.mkdir(exist_ok=True)
    np.savez_compressed(
        STORED,
        date=datetime.date.today().isoformat(),
        runs=np.array(points.runs),
        eigenvalues=eigenvalues.numpy().astype(np.float32),
        pictures=(torch.stack(album) * 255).round().byte().numpy(),  # (1 + betas, shown, D)
    )
