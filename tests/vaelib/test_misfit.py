"""Crowds whose KL to the prior is known: two estimates that find it, and the clouds of N pictures, which do not."""

import math
import signal

import pytest
import torch
from torch import distributions as td

from vaelib.distributions import normal_log_prob
from vaelib.misfit import clouds_log_prob, misfit_by_classifier, misfit_by_density
from vaelib.priors import GaussianPrior, MixturePrior, prior_loss
from vaelib.train import fit

CPU = torch.device("cpu")


def crowd(L, num_components, between):
    """A mixture with mean 0 and variance 1 along every axis, of which `between` lies between the components."""
    means = torch.randn(num_components, L, generator=torch.Generator().manual_seed(1))
    means = (means - means.mean(0)) / means.std(0, correction=0) * between**0.5
    components = td.Independent(td.Normal(means, (1 - between) ** 0.5 * torch.ones_like(means)), 1)
    return td.MixtureSameFamily(td.Categorical(torch.ones(num_components)), components)


@pytest.fixture(scope="module", params=[(2, 5, 0.97), (5, 6, 0.8)], ids=["L = 2", "L = 5"])
def case(request):
    """Codes to learn from, codes held out, N(0, I), and KL(q || N(0, I)) from 100,000 draws, about 2 nats."""
    torch.manual_seed(0)
    q, prior = crowd(*request.param), GaussianPrior(request.param[0])
    many = q.sample((100_000,))
    truth = (q.log_prob(many) - prior.log_prob(many)).mean().item()
    return q.sample((30_000,)), q.sample((10_000,)), prior, truth


@pytest.mark.slow
def test_a_fitted_density_finds_the_misfit(case):
    codes, held_out, prior, truth = case
    torch.manual_seed(0)
    fitted = MixturePrior(codes.shape[1], 8).start(codes)
    fit(fitted, prior_loss, codes, epochs=6, batch_size=500, lr=2e-2, device=CPU)
    value, stderr = misfit_by_density(held_out, fitted, prior)
    assert 1.5 < truth < 3 and value.item() == pytest.approx(truth, rel=0.05)
    assert value < truth + 5 * stderr and 0 < stderr < 0.02 * truth


def test_a_poor_density_falls_short_by_what_it_misses(case):
    """A Gaussian sees the covariance alone: (tr C - log det C - L) / 2 nats, in closed form."""
    codes, held_out, prior, truth = case
    value, stderr = misfit_by_density(held_out, GaussianPrior(codes.shape[1]).fit(codes), prior)
    cov = torch.cov(held_out.T)
    seen = 0.5 * (cov.trace() - cov.logdet() - len(cov)).item()
    assert value.item() == pytest.approx(seen, abs=5 * stderr.item() + 0.01) and value < 0.6 * truth


@pytest.mark.slow
def test_a_classifier_finds_the_misfit_without_a_density(case):
    codes, held_out, prior, truth = case
    torch.manual_seed(0)
    value, stderr = misfit_by_classifier(held_out, codes, prior, epochs=12, hidden_dims=(128, 128))
    assert value.item() == pytest.approx(truth, rel=0.05) and 0 < stderr < 0.02 * truth


@pytest.mark.slow
def test_where_there_is_no_misfit_there_is_none():
    torch.manual_seed(0)
    codes = torch.randn(8000, 4)
    value, _ = misfit_by_classifier(codes[4000:], codes[:4000], GaussianPrior(4), epochs=4, hidden_dims=(32,))
    assert abs(value) < 0.05


@pytest.mark.slow
@pytest.mark.parametrize(("L", "with_own", "without_own"), [(2, (-0.05, 0.1), (-0.1, 0.05)), (20, (5, 40), (-90, -5))])
def test_clouds_fail_on_both_sides_where_there_are_many_dimensions(L, with_own, without_own):
    """Data drawn from a linear-Gaussian model itself, with its exact posterior: q(z) is N(0, I) and the misfit 0."""
    torch.manual_seed(0)
    variance = 0.06
    mu = (1 - variance) ** 0.5 * torch.randn(1000, L)
    logvar = torch.full_like(mu, math.log(variance))
    z = mu + variance**0.5 * torch.randn_like(mu)
    found = [(clouds_log_prob(z, mu, logvar, own) - GaussianPrior(L).log_prob(z)).mean() for own in (False, True)]
    assert with_own[0] < found[0] < with_own[1] and without_own[0] < found[1] < without_own[1]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_clouds_are_a_mixture_by_brute_force(dtype):
    torch.manual_seed(0)
    z, mu, logvar = torch.randn(3, 7, 2, dtype=dtype)
    clouds = td.Independent(td.Normal(mu, (logvar / 2).exp()), 1)
    whole = td.MixtureSameFamily(td.Categorical(torch.ones(7, dtype=dtype)), clouds)
    torch.testing.assert_close(clouds_log_prob(z, mu, logvar, chunk=3), whole.log_prob(z))
    own = normal_log_prob(z, mu, logvar) - math.log(7)
    assert (clouds_log_prob(z, mu, logvar) >= own - 10 * torch.finfo(dtype).eps * own.abs()).all()  # as promised
    rest = [j for j in range(7) if j != 4]
    clouds = td.Independent(td.Normal(mu[rest], (logvar[rest] / 2).exp()), 1)
    others = td.MixtureSameFamily(td.Categorical(torch.ones(6, dtype=dtype)), clouds)
    got = clouds_log_prob(z, mu, logvar, without_own=True, chunk=3)
    torch.testing.assert_close(got[4], others.log_prob(z[4]))


def test_crowd_and_prior_give_one_number_a_code():
    z = torch.randn(3, 3)
    for crowd, prior, name in (
        (GaussianPrior(3), td.Normal(0.0, 1.0), "prior"),
        (td.Normal(0.0, 1.0), GaussianPrior(3), "crowd"),
    ):
        with pytest.raises(
            ValueError, match=rf"{name}.log_prob must return one number per example, \(3,\); got \(3, 3\)"
        ):
            misfit_by_density(z, crowd, prior)


def test_a_classifier_that_was_stopped_gives_no_number():
    """`fit` ends well when it is stopped; an estimate of a half-trained classifier would look like any other."""

    class Stops(GaussianPrior):
        def sample(self, n, generator=None):
            if n > 1:
                signal.raise_signal(signal.SIGINT)
            return super().sample(n, generator)

    with pytest.raises(KeyboardInterrupt):
        misfit_by_classifier(torch.randn(9, 2), torch.randn(9, 2), Stops(2), epochs=3, hidden_dims=(4,), batch_size=3)
