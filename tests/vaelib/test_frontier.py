"""The water level of a linear VAE against alternating least squares, which knows no eigenvalue."""

import json
import math
from pathlib import Path

import pytest
import torch

from vaelib.frontier import reverse_waterfilling, stored_frontier
from vaelib.linear import LinearGaussian

EIGENVALUES = torch.tensor([9.0, 4.0, 2.5, 0.7, 0.3, 0.1], dtype=torch.float64)
ROOT = Path(__file__).resolve().parents[2]


def rotated(eigenvalues):
    torch.manual_seed(0)
    q = torch.linalg.qr(torch.randn(len(eigenvalues), len(eigenvalues), dtype=torch.float64)).Q
    return q @ torch.diag(eigenvalues) @ q.T


def alternate(cov, beta, sigma, latent_dim, steps=1000):
    """The best encoder for the decoder, then the best decoder for the encoder, over and over."""
    torch.manual_seed(1)
    W, eye = torch.randn(len(cov), latent_dim, dtype=cov.dtype), torch.eye(latent_dim, dtype=cov.dtype)
    for _ in range(steps):
        M = W.T @ W + beta * sigma**2 * eye
        A, S = torch.linalg.solve(M, W.T), beta * sigma**2 * torch.linalg.inv(M)
        old, W = W, cov @ A.T @ torch.linalg.inv(A @ cov @ A.T + S)
    miss = torch.eye(len(cov), dtype=cov.dtype) - old @ A
    rate = (torch.trace(A @ cov @ A.T + S) - torch.logdet(S) - latent_dim) / 2
    return rate, torch.trace(miss @ cov @ miss.T) + torch.trace(old @ S @ old.T), (old, A, S)


@pytest.mark.slow
@pytest.mark.parametrize(("beta", "sigma"), [(1.0, 0.5), (4.0, 0.5), (1.0, 1.0), (0.25, 1.0), (3.0, 1.3)])
@pytest.mark.parametrize("latent_dim", [6, 2])
def test_alternating_least_squares_end_at_the_water_level(beta, sigma, latent_dim):
    rate, squared_error, _ = alternate(rotated(EIGENVALUES), beta, sigma, latent_dim)
    found = reverse_waterfilling(EIGENVALUES, beta, sigma, latent_dim)
    assert found.rate.item() == pytest.approx(rate.item(), rel=1e-9)
    assert found.squared_error.item() == pytest.approx(squared_error.item(), rel=1e-9)
    assert found.kept == min(latent_dim, int((EIGENVALUES > beta * sigma**2).sum()))
    density = math.log(2 * math.pi * sigma**2) * 6 / 2 + squared_error / (2 * sigma**2)
    assert found.distortion.item() == pytest.approx(density.item(), rel=1e-9)


def test_the_frontier_has_slope_minus_beta():
    betas, step = torch.linspace(0.05, 8, 60, dtype=torch.float64), 1e-6
    before, after = (reverse_waterfilling(EIGENVALUES, betas * (1 + side), 0.8) for side in (-step, step))
    inside = after.rate < before.rate  # where every direction is dropped, nothing moves
    slope = (after.distortion - before.distortion)[inside] / (after.rate - before.rate)[inside]
    torch.testing.assert_close(slope, -betas[inside], rtol=1e-6, atol=0)


def test_distortion_and_rate_add_up_to_a_bound_that_is_largest_at_beta_one():
    cov = rotated(EIGENVALUES)
    x = torch.linalg.cholesky(cov) @ torch.randn(6, 4000, dtype=torch.float64)
    x = (x - x.mean(1, keepdim=True)).T
    x = x @ torch.linalg.inv(torch.linalg.cholesky(x.T @ x / len(x))).T @ torch.linalg.cholesky(cov).T  # exactly cov
    bounds = []
    for beta in (0.25, 1.0, 4.0):
        found = reverse_waterfilling(EIGENVALUES, beta, 0.5)
        W, A, S = alternate(cov, beta, 0.5, 6)[2]
        model = LinearGaussian(W, torch.zeros(6, dtype=torch.float64), 0.5)
        elbo, log_p = model.elbo(x, x @ A.T, S).mean(), model.log_prob(x).mean()
        assert -(found.distortion + found.rate).item() == pytest.approx(elbo.item(), rel=1e-8)
        assert elbo <= log_p + 1e-9
        bounds.append(elbo)
    assert bounds[1] > max(bounds[0], bounds[2])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_types_shapes_and_order(dtype):
    found = reverse_waterfilling(EIGENVALUES.to(dtype).flip(0), torch.ones(2, 3, dtype=dtype))
    assert found.rate.shape == (2, 3) and found.rate.dtype == found.distortion.dtype == dtype
    assert found.kept.unique().tolist() == [3]
    torch.testing.assert_close(found.rate[0, 0], (torch.tensor([9.0, 4.0, 2.5]).log().sum() / 2).to(dtype))
    dead = reverse_waterfilling(torch.tensor([3.0, 0.0], dtype=dtype), 4.0)  # a dead pixel, and nothing is kept
    assert (dead.rate, dead.squared_error, dead.kept) == (0, 3, 0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((EIGENVALUES, 0.0), "beta must be a finite number above 0; got 0.0"),
        ((EIGENVALUES, math.nan), "beta must be a finite number above 0; got nan"),
        ((EIGENVALUES, torch.tensor([1.0, -1.0])), "beta must be positive and finite everywhere; got -1.0 to 1.0"),
        ((EIGENVALUES, 1.0, -1.0), "sigma must be a finite number above 0; got -1.0"),
        ((-EIGENVALUES, 1.0), "eigenvalues must be at least 0; got -9.0"),
        ((EIGENVALUES / 0, 1.0), "eigenvalues must be finite; got inf among 6 values"),
        ((EIGENVALUES[:0], 1.0), "eigenvalues must not be empty"),
        ((EIGENVALUES, 1.0, 1.0, 7), "latent_dim must be a whole number between 1 and 6; got 7"),
    ],
)
def test_what_has_no_water_level_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        reverse_waterfilling(*arguments)


def test_the_stored_points_are_those_of_the_dated_run():
    stored = stored_frontier()
    (run,) = json.loads((ROOT / "benchmarks" / "results.json").read_text(encoding="utf-8"))["frontier"]
    assert stored.date == run["machine"]["date"]
    assert stored.rate.shape == stored.train_distortion.shape == (12, 3)
    assert stored.reconstructions.shape == (12, 6, 28, 28) and stored.eigenvalues.shape == (784,)
    for beta, seed, *numbers in run["runs"]:
        at = stored.betas.tolist().index(beta), int(seed)
        kept = [part[at].item() for part in stored[2:6]]
        assert kept == numbers
    assert (ROOT / "vaelib" / "stored" / "frontier.npz").stat().st_size < 150_000


def test_the_stored_pictures_are_the_digits_decoded():
    stored = stored_frontier()
    miss = (stored.reconstructions - stored.digits).square().sum((2, 3)).mean(1)  # (12,)
    assert (miss.diff() > 0).sum() >= 9 and miss[-1] > 3 * miss[0]  # the larger beta, the less is left


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_rounding_below_zero_is_zero_and_a_level_without_a_number_is_refused(dtype):
    dead = torch.tensor([3.0, 0.0], dtype=dtype)
    rounded = dead - torch.finfo(dtype).eps  # as eigvalsh gives a variance of zero
    found, exact = reverse_waterfilling(rounded, 0.5), reverse_waterfilling(dead, 0.5)
    assert found.rate == exact.rate and found.squared_error == exact.squared_error
    with pytest.raises(ValueError, match="eigenvalues must be at least 0; got -"):
        reverse_waterfilling(torch.tensor([3.0, -1e-4], dtype=dtype), 0.5)
    with pytest.raises(ValueError, match="beta must hold values; got a tensor on the meta device"):
        reverse_waterfilling(dead, torch.ones(2, device="meta"))
    with pytest.raises(TypeError, match=r"beta must be real and floating, .*; got torch.int64"):
        reverse_waterfilling(dead, torch.ones(2, dtype=torch.int64))
    tiny = 1e-50 if dtype == torch.float32 else 1e-300
    for beta, sigma in ((tiny, 1e-20), (1.0, tiny), (1 / tiny, 1 / tiny)):
        with pytest.raises(ValueError, match=r"beta and sigma\^2 must have a product in torch.float.*; got"):
            reverse_waterfilling(dead, beta, sigma)
