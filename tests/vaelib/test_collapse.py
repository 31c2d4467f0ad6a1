"""Free bits and warm-up as a reader puts them into a loss, and the numbers that say whether a code is heard."""

import math
import re

import numpy as np
import pytest
import torch

from benchmarks import phase, recurrent, topics
from vaelib.collapse import free_bits, stored_collapse, warm_up
from vaelib.distributions import normal_log_prob
from vaelib.linear import LinearGaussian
from vaelib.metrics import code_information, shuffled_gap

DTYPES = pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)


class Lab:
    """The linear-Gaussian laboratory as a `VAEModel` with its exact posterior; `loud` scales what the decoder hears."""

    def __init__(self, loud=1.0, dtype=torch.float64):
        self.lab = LinearGaussian(torch.tensor([[2.0], [1.0]], dtype=dtype) * loud, torch.zeros(2, dtype=dtype), 0.5)

    def encode(self, x):
        mu, cov = self.lab.posterior(x)
        return mu, cov.diagonal().log().expand_as(mu)

    def decode(self, z):
        return z @ self.lab.W.T + self.lab.b

    def log_likelihood(self, x, mean):
        return normal_log_prob(x, mean, torch.full_like(mean, 2 * math.log(0.5)))


@DTYPES
def test_a_dimension_below_its_floor_pays_a_flat_fee(dtype):
    kl = torch.tensor([[0.0, 3.0], [0.2, 1.0]], dtype=dtype, requires_grad=True)
    fee = free_bits(kl, 0.5)
    assert fee.item() == pytest.approx(0.5 + 2.0)
    (slope,) = torch.autograd.grad(fee, kl)
    assert slope.tolist() == [[0.0, 0.5], [0.0, 0.5]]  # nothing pushes the first dimension down
    assert free_bits(kl, 1e-9).item() == pytest.approx(kl.sum(1).mean().item())
    assert fee.dtype == dtype


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_kl_that_is_no_number_is_no_silence(bad):
    with pytest.raises(ValueError, match="kl_per_dim must be finite; got"):
        free_bits(torch.tensor([[bad, 0.0]]), 0.5)


def test_a_weight_rises_and_stays():
    assert [warm_up(step, 4) for step in (0, 1, 4, 9)] == [0, 0.25, 1, 1]


@DTYPES
def test_the_information_of_the_exact_posterior_is_that_of_the_laboratory(dtype):
    model, source = Lab(dtype=dtype), torch.Generator().manual_seed(0)
    x, z = model.lab.sample(1000, source)
    found = code_information(model, x, model.log_likelihood, 512, source).mean().item()
    exact = 0.5 * math.log(1 + (2**2 + 1**2) / 0.5**2)  # I(x; z), nats
    by_density = (model.log_likelihood(x, model.decode(z)) - model.lab.log_prob(x)).mean().item()
    assert found == pytest.approx(exact, abs=0.12)
    assert by_density == pytest.approx(exact, abs=0.12)


def test_a_code_that_the_decoder_does_not_hear_tells_nothing_whatever_it_costs():
    model = Lab()
    x, _ = model.lab.sample(300, torch.Generator().manual_seed(0))
    model.decode = lambda z: torch.zeros(len(z), 2, dtype=z.dtype)
    for metric in (code_information, shuffled_gap):
        assert metric(model, x, model.log_likelihood).abs().max() < 1e-12


def test_information_is_at_most_that_of_naming_one_of_the_codes():
    model = Lab(loud=1000.0)
    x, _ = model.lab.sample(64, torch.Generator().manual_seed(0))
    model.encode = lambda x: ((x @ model.lab.W) / model.lab.W.square().sum(), torch.full((len(x), 1), -20.0).double())
    few = code_information(model, x, model.log_likelihood, 16, torch.Generator().manual_seed(0))
    assert math.log(16) - 0.5 < few.mean() and few.max() < math.log(16) + 1e-9
    gap = shuffled_gap(model, x, model.log_likelihood, torch.Generator().manual_seed(0))
    assert gap.mean() > 1000  # the alarm rings by thousands of nats where at most log 64 can be told


def test_no_example_keeps_its_own_code_when_shuffled():
    model, x = Lab(), torch.arange(10.0).double()[:, None].expand(10, 2).contiguous()
    seen = []

    def likelihood(x, mean):
        seen.append(mean)
        return model.log_likelihood(x, mean)

    model.encode = lambda x: (x[:, :1], torch.full((len(x), 1), -60.0).double())
    shuffled_gap(model, x, likelihood)
    own, other = (mean[:, 1].round().tolist() for mean in seen)
    assert sorted(own) == sorted(other) and all(a != b for a, b in zip(own, other, strict=True))


@pytest.mark.parametrize("metric", [code_information, shuffled_gap])
def test_nan_is_refused(metric):
    model = Lab()
    x, _ = model.lab.sample(5, torch.Generator().manual_seed(0))
    with pytest.raises(ValueError, match="log_likelihood must be finite; got nan"):
        metric(model, x, lambda x, mean: model.log_likelihood(x, mean) * np.nan)
    model.encode = lambda x: (x[:, :1] * np.nan, x[:, :1])
    with pytest.raises(ValueError, match="mu must be finite; got nan"):
        metric(model, x, model.log_likelihood)


def test_one_example_has_nobody_to_swap_with():
    model = Lab()
    with pytest.raises(ValueError, match=r"x must hold at least two examples; got \(1, 2\)"):
        shuffled_gap(model, torch.zeros(1, 2).double(), model.log_likelihood)


def test_the_stored_runs_are_those_of_the_benchmark():
    kept = stored_collapse()
    assert kept.levels.tolist() == phase.LEVELS and kept.latent_dims.tolist() == phase.LATENTS
    shape = (len(phase.LEVELS), len(phase.LATENTS), phase.SEEDS)
    assert kept.active.shape == kept.rate.shape == shape and kept.rate.min() >= 0
    assert (kept.active <= kept.latent_dims[:, None]).all() and (kept.active >= 0).all()
    assert kept.worlds.tolist() == [list(world) for world in topics.WORLDS]
    assert list(kept.cures) == list(topics.CURES)
    assert all(runs.shape == (len(topics.WORLDS), topics.SEEDS, len(topics.MEASURED)) for runs in kept.cures.values())
    assert kept.cures["no code"][..., 1:5].abs().max() == 0
    assert list(kept.recurrent) == list(recurrent.WAYS)
    assert all(runs.shape == (recurrent.SEEDS, len(recurrent.MEASURED)) for runs in kept.recurrent.values())
    assert re.fullmatch(r"20\d\d-\d\d-\d\d", kept.date)
