"""The script that most tutorials print, and what both sides of a race share."""

import os
import time
from functools import cache

import torch
from torch import Tensor, nn

from vaelib.data import load
from vaelib.distributions import bernoulli_log_prob
from vaelib.objectives import elbo_terms
from vaelib.train import as_float, fit

BATCH = 128


@cache
def pictures() -> tuple[Tensor, Tensor]:
    """MNIST as (N, 784) uint8: training and test pictures. Needs MNIST in $VAELIB_DATA."""
    digits = load("mnist", fallback=None)
    return digits.train_images.flatten(1), digits.test_images.flatten(1)


def negative_elbo(model: nn.Module, x: Tensor) -> tuple[Tensor, ...]:
    """The loss and its two terms, nats per image; on grey pixels a score, as in PyTorch's example."""
    terms = elbo_terms(model, x, bernoulli_log_prob)
    return -terms.elbo.mean(), -terms.log_likelihood.mean(), terms.kl.mean()


def example_loss(model: nn.Module, x: Tensor) -> Tensor:
    """What PyTorch's example minimises, divided by the batch size: cross-entropy of a sigmoid plus the KL, nats."""
    mu, logvar = model.encode(x)
    std = torch.exp(0.5 * logvar)
    y = torch.sigmoid(model.decode(mu + std * torch.randn_like(std)))
    kld = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
    return (nn.functional.binary_cross_entropy(y, x, reduction="sum") + kld) / len(x)


def usual_epochs(model: nn.Module, loss, epochs: int, device: torch.device, judge: bool = False) -> float:
    """Seconds of training with torchvision, ToTensor, a DataLoader, Adam at 1e-3, batches of 128, .item().

    With `judge` every epoch ends with a pass over the test pictures, as in PyTorch's example.
    """
    from torchvision import datasets, transforms

    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    mnist, unseen = (
        datasets.MNIST(os.environ["VAELIB_DATA"], train=train, transform=transforms.ToTensor())
        for train in (True, False)
    )
    loader = torch.utils.data.DataLoader(mnist, batch_size=BATCH, shuffle=True)
    judges = torch.utils.data.DataLoader(unseen, batch_size=BATCH) if judge else ()
    start, running = time.perf_counter(), 0.0
    for _ in range(epochs):
        for x, _label in loader:
            optimizer.zero_grad()
            value = loss(model, x.to(device).flatten(1))
            value.backward()
            optimizer.step()
            running += value.item()
        with torch.no_grad():
            for x, _label in judges:
                running += loss(model, x.to(device).flatten(1)).item()
    return time.perf_counter() - start


def fit_in_a_cycle(
    model: nn.Module, loss, x: Tensor, passes: int, batch: int, peak: float, device, betas=(0.9, 0.999), **shape
) -> float:
    """Seconds of chapter 6's training: from the mean picture, with a step size that rises to `peak` and falls."""
    start = time.perf_counter()
    model.decoder[-1].bias.data = as_float(x).mean(0).clamp(0.001, 0.999).logit()
    adam = torch.optim.Adam(model.parameters(), betas=betas, fused=True)
    cycle = torch.optim.lr_scheduler.OneCycleLR(adam, peak, epochs=passes, steps_per_epoch=len(x) // batch, **shape)
    fit(model, loss, x, epochs=passes, batch_size=batch, optimizer=adam, scheduler=cycle, device=device)
    return time.perf_counter() - start
