"""What our training epoch and our log p cost, as multiples of the matrix products that they cannot do without."""

import time

import torch

from benchmarks import epoch, likelihood
from benchmarks.report import Products
from benchmarks.usual import pictures
from vaelib.distributions import bernoulli_log_prob
from vaelib.metrics import log_marginal_iw
from vaelib.models import Autoencoder
from vaelib.train import fit, set_seed

REPEATS = 5


def run(device: torch.device) -> Products:
    """The medians of five pairs, taken in turn."""
    pairs = {"epoch": [], "likelihood": []}
    for _ in range(REPEATS):
        pairs["epoch"].append(_training(device))
        pairs["likelihood"].append(_evidence(device))
    return Products(str(device), pairs)


def _training(device: torch.device) -> tuple[float, float]:
    """Seconds of an epoch of the autoencoder 784-400-20, and of its products: forward, slopes of weights, of inputs."""
    train, _ = pictures()
    set_seed(0)
    model, start = Autoencoder(784, epoch.LATENT, epoch.HIDDEN), time.perf_counter()
    fit(model, epoch.squared_error, train, epochs=1, batch_size=epoch.BATCH, device=device)
    whole = time.perf_counter() - start
    sizes = [(w.shape[1], w.shape[0]) for w in model.parameters() if w.dim() == 2]
    steps = len(train) // epoch.BATCH
    return whole, sum(_products(epoch.BATCH, a, b, steps, i > 0, device) for i, (a, b) in enumerate(sizes))


def _products(batch, inputs, outputs, times, with_input_slope, device) -> float:
    x, w = torch.rand(batch, inputs, device=device), torch.rand(outputs, inputs, device=device)
    y = torch.rand(batch, outputs, device=device)
    start = time.perf_counter()
    for _ in range(times):
        x @ w.T
        y.T @ x
        if with_input_slope:
            y @ w
    if x.is_cuda:
        torch.cuda.synchronize()
    return time.perf_counter() - start


def _evidence(device: torch.device) -> tuple[float, float]:
    """Seconds of log p of 200 pictures by 5000 draws, and of the decoder's products."""
    model, x = likelihood.trained(device)
    start = time.perf_counter()
    log_marginal_iw(model, x, bernoulli_log_prob, likelihood.DRAWS)
    whole = time.perf_counter() - start
    weights = [w for w in model.decoder.parameters() if w.dim() == 2]
    rows = [torch.rand(600, w.shape[1], device=device) for w in weights]
    start = time.perf_counter()
    for _ in range(likelihood.DRAWS * likelihood.IMAGES // 600):
        for z, w in zip(rows, weights, strict=True):
            z @ w.T
    if x.is_cuda:
        torch.cuda.synchronize()
    return whole, time.perf_counter() - start
