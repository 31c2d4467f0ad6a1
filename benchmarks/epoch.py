"""One training epoch of an MLP autoencoder: `vaelib.train.fit` against the usual DataLoader script."""

import os
import time

import torch
from torch import nn

from vaelib.data import load
from vaelib.models import Autoencoder
from vaelib.train import fit, set_seed

BATCH, HIDDEN, LATENT = 128, (400,), 20


def loss(model: nn.Module, x: torch.Tensor) -> torch.Tensor:
    return (model(x).sigmoid() - x).square().sum(1).mean()


def usual_epoch(device: torch.device) -> float:
    """Seconds of one epoch of the script that most tutorials print: torchvision, ToTensor, DataLoader, .item()."""
    from torchvision import datasets, transforms

    set_seed(0)
    model = Autoencoder(784, LATENT, HIDDEN).to(device)
    optimizer = torch.optim.Adam(model.parameters())
    pictures = datasets.MNIST(os.environ["VAELIB_DATA"], transform=transforms.ToTensor())
    loader = torch.utils.data.DataLoader(pictures, batch_size=BATCH, shuffle=True)
    start, running = time.perf_counter(), 0.0
    for x, _label in loader:
        optimizer.zero_grad()
        value = loss(model, x.to(device).flatten(1))
        value.backward()
        optimizer.step()
        running += value.item()
    return time.perf_counter() - start


def our_epoch(images: torch.Tensor, device: torch.device) -> float:
    """Seconds of one epoch of `fit`, moving the pictures to the device included."""
    set_seed(0)
    model = Autoencoder(784, LATENT, HIDDEN)
    start = time.perf_counter()
    fit(model, loss, images.flatten(1), epochs=1, batch_size=BATCH, device=device)
    return time.perf_counter() - start


def measure(device: torch.device, pairs: int = 5) -> list[tuple[float, float]]:
    """(usual, ours) seconds, taken in turn, after one warm-up of ours. Needs MNIST in $VAELIB_DATA."""
    images = load("mnist", fallback=None).train_images
    our_epoch(images, device)
    return [(usual_epoch(device), our_epoch(images, device)) for _ in range(pairs)]
