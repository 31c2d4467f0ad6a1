"""Independent routes: torch.distributions for the code, quadrature and brute force for the mathematics."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import distributions as td

from vaelib.distributions import (
    bernoulli_log_prob,
    multivariate_normal_kl,
    multivariate_normal_log_prob,
    normal_kl,
    normal_log_prob,
    reparameterize,
    standard_normal_kl,
)

DOUBLE = torch.float64


def draws(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=DOUBLE)


def covariance(n, seed=0):
    a = draws(n, n, seed=seed)
    return a @ a.T + 0.5 * torch.eye(n, dtype=DOUBLE)


def quadrature(f, low=-40.0, high=40.0, points=200_001):
    """The trapezoid rule, which converges faster than any power on a smooth function that dies out at both ends."""
    grid = torch.linspace(low, high, points, dtype=DOUBLE)
    return torch.trapezoid(f(grid), grid)


def density(z, mu, sigma):
    """A Gaussian written out again, so that the quadrature below leans on nothing in vaelib."""
    return torch.exp(-((z - mu) ** 2) / (2 * sigma**2)) / (sigma * math.sqrt(2 * math.pi))


# --- values ---------------------------------------------------------------------------------------------------


def test_normal_log_prob_is_torchs():
    x, mu, logvar = draws(5, 3), draws(5, 3, seed=1), draws(5, 3, seed=2)
    expected = td.Normal(mu, (0.5 * logvar).exp()).log_prob(x).sum(-1)
    torch.testing.assert_close(normal_log_prob(x, mu, logvar), expected, rtol=1e-13, atol=1e-13)


def test_normal_density_integrates_to_one():
    log_density = lambda z: normal_log_prob(z[:, None], torch.tensor([0.7]).double(), torch.tensor([-1.3]).double())  # noqa: E731
    assert quadrature(lambda z: log_density(z).exp()).item() == pytest.approx(1, abs=1e-12)


def test_bernoulli_log_prob_is_torchs_and_finite_far_out():
    logits = torch.tensor([[-800.0, -30.0, -2.0, 0.0, 3.0, 40.0, 900.0]], dtype=DOUBLE)
    for x in (torch.zeros_like(logits), torch.ones_like(logits), torch.full_like(logits, 0.3)):
        expected = -torch.nn.functional.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(-1)
        torch.testing.assert_close(bernoulli_log_prob(x, logits), expected, rtol=1e-14, atol=0)
        assert bernoulli_log_prob(x, logits).isfinite().all()


def test_bernoulli_log_prob_in_float32_is_off_by_rounding_alone():
    logits = torch.linspace(-120, 120, 4801)[:, None]
    exact = -torch.nn.functional.softplus(logits.double(), threshold=1e9).sum(-1)
    torch.testing.assert_close(bernoulli_log_prob(torch.zeros(4801, 1), logits).double(), exact, rtol=3e-7, atol=1e-7)


@pytest.mark.parametrize("logit", [-30.0, -1.0, 0.0, 2.0, 30.0])
def test_bernoulli_slopes_of_first_and_second_order_are_right_everywhere(logit):
    """d/dl = x - y and d2/dl2 = -y (1 - y): at a logit of exactly 0, where |l| has no slope, as well."""
    logits, x = torch.tensor([[logit]], dtype=DOUBLE, requires_grad=True), torch.tensor([[0.3]], dtype=DOUBLE)
    (slope,) = torch.autograd.grad(bernoulli_log_prob(x, logits).sum(), logits, create_graph=True)
    (curve,) = torch.autograd.grad(slope.sum(), logits)
    y = 1 / (1 + math.exp(-logit))
    assert slope.item() == pytest.approx(0.3 - y, abs=1e-15)
    assert curve.item() == pytest.approx(-y * (1 - y), abs=1e-12)


def test_bernoulli_probabilities_sum_to_one():
    logits = draws(4)
    images = torch.cartesian_prod(*[torch.tensor([0.0, 1.0], dtype=DOUBLE)] * 4)  # all 16 binary images of 4 pixels
    assert bernoulli_log_prob(images, logits.expand_as(images)).exp().sum().item() == pytest.approx(1, abs=1e-14)


@pytest.mark.parametrize(("mu", "logvar"), [(0.0, 0.0), (0.0, -2.0), (1.5, 0.7), (-2.0, -1.0), (0.3, 1.2)])
def test_standard_normal_kl_is_the_integral(mu, logvar):
    sigma = math.exp(logvar / 2)
    q, p = lambda z: density(z, mu, sigma), lambda z: density(z, 0, 1)
    integral = quadrature(lambda z: torch.special.xlogy(q(z), q(z)) - q(z) * p(z).log().clamp(min=-1e4))
    got = standard_normal_kl(torch.tensor([mu], dtype=DOUBLE), torch.tensor([logvar], dtype=DOUBLE))
    assert got.item() == pytest.approx(integral.item(), abs=1e-9)


def test_normal_kl_is_the_integral_and_torchs():
    mu_q, logvar_q, mu_p, logvar_p = (draws(6, 4, seed=s) for s in range(4))
    q, p = td.Normal(mu_q, (0.5 * logvar_q).exp()), td.Normal(mu_p, (0.5 * logvar_p).exp())
    expected = td.kl_divergence(q, p).sum(-1)
    torch.testing.assert_close(normal_kl(mu_q, logvar_q, mu_p, logvar_p), expected, rtol=1e-12, atol=1e-12)
    one, two = density, lambda z: density(z, -0.4, 1.7)
    integral = quadrature(lambda z: one(z, 0.5, 0.8) * (one(z, 0.5, 0.8).clamp(min=1e-300) / two(z)).log(), -12, 12)
    tensors = [torch.tensor([v], dtype=DOUBLE) for v in (0.5, 2 * math.log(0.8), -0.4, 2 * math.log(1.7))]
    assert normal_kl(*tensors).item() == pytest.approx(integral.item(), abs=1e-9)


def test_the_kls_agree_where_they_meet():
    mu_q, logvar_q, mu_p, logvar_p = (draws(3, seed=s) for s in range(4))
    full = multivariate_normal_kl(mu_q, logvar_q.exp().diag(), mu_p, logvar_p.exp().diag())
    torch.testing.assert_close(normal_kl(mu_q, logvar_q, mu_p, logvar_p), full, rtol=1e-12, atol=1e-12)
    zero = torch.zeros(3, dtype=DOUBLE)
    assert torch.equal(standard_normal_kl(zero, zero), torch.tensor(0.0, dtype=DOUBLE))
    torch.testing.assert_close(standard_normal_kl(mu_q, logvar_q), normal_kl(mu_q, logvar_q, zero, zero))


def test_multivariate_log_prob_is_torchs():
    x, mu, cov = draws(5, 3), draws(5, 3, seed=1), covariance(3)
    expected = td.MultivariateNormal(mu, cov).log_prob(x)
    torch.testing.assert_close(multivariate_normal_log_prob(x, mu, cov), expected, rtol=1e-12, atol=1e-12)
    stacked = multivariate_normal_log_prob(x.expand(2, 5, 3), mu, cov)  # (K, B, D)
    torch.testing.assert_close(stacked, expected.expand(2, 5), rtol=1e-12, atol=1e-12)


def test_multivariate_kl_is_torchs_and_its_own_average():
    mu_q, mu_p, cov_q, cov_p = draws(5, 3), draws(5, 3, seed=1), covariance(3), covariance(3, seed=9)
    got = multivariate_normal_kl(mu_q, cov_q, mu_p, cov_p)
    expected = td.kl_divergence(td.MultivariateNormal(mu_q, cov_q), td.MultivariateNormal(mu_p, cov_p))
    torch.testing.assert_close(got, expected, rtol=1e-11, atol=1e-11)
    z = mu_q[0] + draws(200_000, 3, seed=5) @ torch.linalg.cholesky(cov_q).T
    log_ratio = multivariate_normal_log_prob(z, mu_q[0].expand_as(z), cov_q) - multivariate_normal_log_prob(
        z, mu_p[0].expand_as(z), cov_p
    )
    assert abs(log_ratio.mean() - got[0]) < 5 * log_ratio.std() / len(z) ** 0.5


def test_reparameterize_has_the_moments_and_the_gradients():
    mu, logvar = torch.tensor([1.0, -2.0], dtype=DOUBLE), torch.tensor([-2.0, 1.0], dtype=DOUBLE)
    mu.requires_grad_(), logvar.requires_grad_()
    z = reparameterize(mu.expand(400_000, 2), logvar, generator=torch.Generator().manual_seed(0))
    sigma = (0.5 * logvar).exp()
    assert ((z.mean(0) - mu).abs() < 5 * sigma / 400_000**0.5).all()
    assert ((z.std(0) / sigma - 1).abs() < 5 / 800_000**0.5).all()  # exp(logvar) for sigma would be off by a factor
    z.sum().backward()
    assert torch.equal(mu.grad, torch.full((2,), 400_000.0, dtype=DOUBLE))
    torch.testing.assert_close(logvar.grad, 0.5 * (z - mu).sum(0).detach())


def test_reparameterize_obeys_its_generator():
    mu = torch.zeros(3, 2)
    one, two = (reparameterize(mu, mu, generator=torch.Generator().manual_seed(4)) for _ in range(2))
    assert torch.equal(one, two)
    assert not torch.equal(one, reparameterize(mu, mu, generator=torch.Generator().manual_seed(5)))
    assert torch.equal(one, torch.randn(3, 2, generator=torch.Generator().manual_seed(4)))  # plus eps, not minus


@pytest.mark.parametrize("dtype", [torch.float32, DOUBLE], ids=str)
def test_every_row_of_a_sample_has_noise_of_its_own(dtype):
    """mu (2,) beside logvar (1000, 2) gave one draw a thousand times, only scaled."""
    zero = torch.zeros(1000, 2, dtype=dtype)
    for logvar in (zero, zero[0], zero[0, 0], zero[:1]):
        assert len(reparameterize(zero, logvar).unique()) > 1900
    for mu in (zero[0], zero[:1]):
        with pytest.raises(ValueError, match=r"logvar must broadcast to the shape of mu, .*; got \(1000, 2\)"):
            reparameterize(mu, zero)


# --- shapes ---------------------------------------------------------------------------------------------------

sizes = st.lists(st.integers(1, 9), min_size=3, max_size=3, unique=True)


@settings(deadline=None, max_examples=25)
@given(sizes)
def test_one_number_per_example(sizes):
    K, B, D = sizes
    x, mu, logvar = draws(B, D).sigmoid(), draws(K, B, D), draws(D)
    for result in (normal_log_prob(x, mu, logvar), bernoulli_log_prob(x, mu), normal_log_prob(x, mu, logvar[0])):
        assert result.shape == (K, B)
    for kl in (standard_normal_kl(mu, logvar), normal_kl(mu, logvar, logvar, logvar)):
        assert kl.shape == (K, B) and (kl >= 0).all()
    assert multivariate_normal_log_prob(x, mu, covariance(D)).shape == (K, B)
    assert multivariate_normal_kl(mu, covariance(D), x, covariance(D, seed=1)).shape == (K, B)
    assert reparameterize(mu, logvar).shape == (K, B, D)


@settings(deadline=None, max_examples=25)
@given(sizes)
def test_entries_are_independent(sizes):
    """Example b of a batch gives what it gives alone: nothing is averaged or mixed over the batch."""
    _, B, D = sizes
    x, mu, logvar = draws(B, D).sigmoid(), draws(B, D, seed=1), draws(B, D, seed=2)
    for together, alone in [
        (normal_log_prob(x, mu, logvar), [normal_log_prob(*row) for row in zip(x, mu, logvar, strict=True)]),
        (bernoulli_log_prob(x, mu), [bernoulli_log_prob(*row) for row in zip(x, mu, strict=True)]),
        (standard_normal_kl(mu, logvar), [standard_normal_kl(*row) for row in zip(mu, logvar, strict=True)]),
    ]:
        torch.testing.assert_close(together, torch.stack(alone), rtol=1e-12, atol=1e-12)


# --- bad input ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "call",
    [
        lambda: normal_log_prob(draws(4, 3), draws(4, 1), draws(4, 3)),
        lambda: bernoulli_log_prob(draws(4, 3).sigmoid(), draws(4, 1)),
        lambda: standard_normal_kl(draws(4, 3), draws(4, 1)),
        lambda: normal_kl(draws(4, 3), draws(4, 3), draws(4, 3), draws(1)),
        lambda: multivariate_normal_log_prob(draws(4, 3), draws(4, 3), covariance(4)),
        lambda: multivariate_normal_kl(draws(4, 3), covariance(3), draws(4, 2), covariance(3)),
        lambda: reparameterize(draws(4, 3), draws(4, 1)),
    ],
)
def test_a_column_is_never_broadcast(call):
    with pytest.raises(
        ValueError, match=r"must have (the last dimension of .*got .* beside|shape \(D, D\) with D = 3; got)"
    ):
        call()


@pytest.mark.parametrize("bad", [255.0, 1.01, -0.01, float("nan")])
def test_pixels_outside_the_unit_interval_are_refused(bad):
    with pytest.raises(ValueError, match=r"x must lie in \[0, 1\]; got .*divide 8-bit pixels by 255"):
        bernoulli_log_prob(torch.tensor([[0.5, bad]]), torch.zeros(1, 2))


def test_a_matrix_that_is_no_covariance_is_refused():
    mu = draws(2, 2)
    for bad in (draws(2, 2, 2), draws(3, 2)):
        with pytest.raises(ValueError, match=r"cov must have shape \(D, D\) with D = 2; got"):
            multivariate_normal_log_prob(mu, mu, bad)
    with pytest.raises(ValueError, match=r"cov must be symmetric; got entries that differ by 1\.88"):
        multivariate_normal_log_prob(mu, mu, draws(2, 2))
    with pytest.raises(ValueError, match="cov_p must be positive definite"):
        multivariate_normal_kl(mu, torch.eye(2).double(), mu, -torch.eye(2).double())
