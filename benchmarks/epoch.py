"""One training epoch of 784-400-20 on MNIST: `vaelib.train.fit` against the usual DataLoader script."""

import time

import torch
from torch import nn

from benchmarks.usual import example_loss, negative_elbo, pictures, usual_epochs
from vaelib.models import Autoencoder, mlp_vae
from vaelib.train import fit, set_seed

BATCH, HIDDEN, LATENT = 128, (400,), 20


def squared_error(model: nn.Module, x: torch.Tensor) -> torch.Tensor:
    return (model(x).sigmoid() - x).square().sum(1).mean()


def binarised(model: nn.Module, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """The loss of chapter 6: pixels drawn anew, and both terms kept for the curves."""
    return negative_elbo(model, x.bernoulli())


def autoencoder(device: torch.device, pair: int) -> tuple[float, float]:
    """Seconds of an epoch of the autoencoder: (usual, ours), moving the pictures to the device included."""
    train, _ = pictures()
    return _pair(lambda: Autoencoder(784, LATENT, HIDDEN), squared_error, squared_error, train, None, device)


def vae(device: torch.device, pair: int) -> tuple[float, float]:
    """Seconds of an epoch of the VAE: (usual, ours); ours binarises anew and evaluates 10,000 test pictures."""
    train, test = pictures()
    return _pair(lambda: mlp_vae(784, LATENT, HIDDEN), example_loss, binarised, train, test, device)


def _pair(make, usual_loss, our_loss, train, test, device):
    set_seed(0)
    usual = usual_epochs(make().to(device), usual_loss, 1, device)
    set_seed(0)
    model, start = make(), time.perf_counter()
    fit(model, our_loss, train, epochs=1, batch_size=BATCH, test=test, device=device)
    return usual, time.perf_counter() - start
