"""One training epoch of an MLP autoencoder: `vaelib.train.fit` against the usual DataLoader script."""

import time

import torch
from torch import nn

from vaelib.data import load
from vaelib.models import Autoencoder
from vaelib.train import fit, set_seed

BATCH, HIDDEN, LATENT = 128, (400,), 20


def loss(model: nn.Module, x: torch.Tensor) -> torch.Tensor:
    return (model(x).sigmoid() - x).square().sum(1).mean()


class Pictures(torch.utils.data.Dataset):
    """What torchvision's data sets do for every picture: to PIL, then ToTensor."""

    def __init__(self, images: torch.Tensor):
        from torchvision import transforms

        self.images, self.to_tensor = images.numpy(), transforms.ToTensor()

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, i: int) -> torch.Tensor:
        from PIL import Image

        return self.to_tensor(Image.fromarray(self.images[i]))


def usual_epoch(images: torch.Tensor, device: torch.device) -> float:
    """Seconds of one epoch of the script that most tutorials print."""
    set_seed(0)
    model = Autoencoder(784, LATENT, HIDDEN).to(device)
    optimizer = torch.optim.Adam(model.parameters())
    loader = torch.utils.data.DataLoader(Pictures(images), batch_size=BATCH, shuffle=True)
    start, running = time.perf_counter(), 0.0
    for x in loader:
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
    """(usual, ours) seconds, taken in turn, after one warm-up of each on a tenth of the pictures."""
    images = load("mnist").train_images
    usual_epoch(images[: len(images) // 10], device)
    our_epoch(images[: len(images) // 10], device)
    return [(usual_epoch(images, device), our_epoch(images, device)) for _ in range(pairs)]
