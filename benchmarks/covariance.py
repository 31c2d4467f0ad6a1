"""Ten full-batch steps of a linear autoencoder of width 32: on the covariance, against on 60,000 images (chapter 2).

Building the covariance is on the clock. `crossing` says from how many steps on it has paid for itself.
"""

import math
import time

import torch

from benchmarks.usual import pictures
from vaelib.linear import covariance
from vaelib.train import as_float

WIDTH, STEPS, RATE = 32, 10, 1e-3


def on_images(encoder, decoder, x):
    """Half the gradient of the mean squared error over the images x (N, D)."""
    codes = x @ encoder.T
    error = (codes @ decoder.T - x) / len(x)
    return (error @ decoder).T @ x, error.T @ codes


def on_covariance(encoder, decoder, c):
    """The same two gradients from the covariance (D, D): (D E - I) C in place of the error."""
    rest = decoder @ (encoder @ c) - c
    return decoder.T @ rest, rest @ encoder.T


def measure(device: torch.device, pair: int) -> tuple[float, float]:
    """Seconds of ten steps: (on the images, on the covariance, building it included)."""
    images, building, steps = parts(device)
    return images, building + steps


def without_building(device: torch.device, pair: int) -> tuple[float, float]:
    """Seconds of ten steps: (on the images, on a covariance that is there already)."""
    images, _, steps = parts(device)
    return images, steps


def parts(device: torch.device) -> tuple[float, float, float]:
    """Seconds of ten steps on the images, of building C, of ten steps on it; both end at the same weights."""
    x = as_float(pictures()[0].to(device))
    x = x - x.mean(0)
    weights = [0.01 * torch.randn(*shape, device=device) for shape in ((WIDTH, 784), (784, WIDTH))]
    slow, images = _steps(on_images, weights, x)
    begin = time.perf_counter()
    c = covariance(x)
    if c.is_cuda:
        torch.cuda.synchronize()
    building = time.perf_counter() - begin
    fast, steps = _steps(on_covariance, weights, c)
    for a, b in zip(slow, fast, strict=True):
        torch.testing.assert_close(a, b, atol=1e-5, rtol=1e-4)
    return images, building, steps


def crossing(images: float, building: float, steps: float) -> int:
    """After how many steps the covariance has paid for itself, from the three times of `parts`."""
    return math.ceil(STEPS * building / (images - steps))


def _steps(gradients, weights, data):
    begin = time.perf_counter()
    for _ in range(STEPS):
        slopes = gradients(*weights, data)
        weights = [w - RATE * g for w, g in zip(weights, slopes, strict=True)]
    if data.is_cuda:
        torch.cuda.synchronize()
    return weights, time.perf_counter() - begin
