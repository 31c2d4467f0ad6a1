"""Independent routes: torch.distributions, quadrature, sums over the 256 levels, and fifty digits from mpmath."""

import math
from functools import partial

import mpmath
import pytest
import torch
from torch import distributions as td

from vaelib.distributions import normal_log_prob
from vaelib.likelihoods import (
    BernoulliLikelihood,
    ContinuousBernoulliLikelihood,
    GaussianLikelihood,
    LogisticMixtureLikelihood,
    PixelGaussianLikelihood,
)
from vaelib.likelihoods._eight_bit import EightBitLikelihood
from vaelib.models import mlp_vae
from vaelib.objectives import elbo_terms

BOTH = pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["float32", "float64"])
EIGHT_BIT = {
    "continuous Bernoulli": ContinuousBernoulliLikelihood,
    "Gaussian": partial(GaussianLikelihood, -4.0),
    "narrow Gaussian": partial(GaussianLikelihood, -11.0),
    "per pixel": PixelGaussianLikelihood,
    "logistic mixture": partial(LogisticMixtureLikelihood, 3),
}
KINDS = pytest.mark.parametrize("make", EIGHT_BIT.values(), ids=EIGHT_BIT.keys())
LEVELS = torch.arange(256, dtype=torch.uint8)[:, None]  # every picture of one pixel, (256, 1)


def draws(*shape, seed=0, dtype=torch.float64):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def edges(level):
    """Where the bin of a level begins and ends: half a level to both sides of k / 255."""
    return mpmath.mpf(2 * level - 1) / 510, mpmath.mpf(2 * level + 1) / 510


# --- densities ------------------------------------------------------------------------------------------------


def test_bernoulli_is_torchs():
    logits = 5 * draws(4, 6)
    x = draws(4, 6, seed=1).sigmoid().round()
    expected = td.Bernoulli(logits=logits).log_prob(x).sum(-1)
    torch.testing.assert_close(BernoulliLikelihood()(x, logits), expected, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(BernoulliLikelihood().mean(logits), td.Bernoulli(logits=logits).mean)


@pytest.mark.parametrize("logit", [0.0, 1e-9, -1e-5, 3e-3, -0.03, 0.4999, -0.5, 0.5001, 2.0, -9.0, 14.0])
def test_continuous_bernoulli_is_torchs_and_integrates_to_one(logit):
    """Far out it is torch that is wrong (by 3e-5 at a logit of 30), where 1 - lambda has lost its digits."""
    x, logits = torch.linspace(0, 1, 11).double()[:, None], torch.tensor([logit]).double()
    theirs = td.ContinuousBernoulli(logits=logits)
    likelihood = ContinuousBernoulliLikelihood()
    torch.testing.assert_close(likelihood.log_prob(x, logits), theirs.log_prob(x).sum(-1), rtol=0, atol=1e-9)
    torch.testing.assert_close(likelihood.mean(logits), theirs.mean, rtol=0, atol=1e-9)
    nodes = torch.linspace(0, 1, 200_001).double()[:, None]
    assert torch.trapezoid(likelihood(nodes, logits).exp(), nodes[:, 0]).item() == pytest.approx(1, abs=1e-7)


@pytest.mark.parametrize("logit", [0.0, 1e-20, 0.3, 0.51, -15.0, 88.0, -1e4, 1e6])
@pytest.mark.parametrize("x", [0.0, 0.25, 1.0])
def test_continuous_bernoulli_in_float32_has_lost_rounding_alone(logit, x):
    logits = torch.tensor([logit])
    exact = mpmath.mpf(logits.item())
    expected = x * exact - (mpmath.log(mpmath.expm1(exact) / exact) if exact else 0)
    got = ContinuousBernoulliLikelihood()(torch.tensor([x]), logits).item()
    assert got == pytest.approx(float(expected), rel=5e-7, abs=2e-7)


@BOTH
def test_gaussian_is_the_formula_of_the_book_bit_for_bit_and_torchs(dtype):
    x, mu = draws(5, 7, dtype=dtype), draws(3, 5, 7, seed=1, dtype=dtype)
    likelihood = GaussianLikelihood(-1.3).to(dtype)
    assert torch.equal(likelihood(x, mu), normal_log_prob(x, mu, likelihood.logvar))
    assert torch.equal(likelihood(x, mu), likelihood.log_prob(x, mu)) and likelihood(x, mu).shape == (3, 5)
    assert [*likelihood.state_dict()] == ["logvar"]
    expected = td.Normal(mu, (likelihood.logvar / 2).exp()).log_prob(x).sum(-1)
    torch.testing.assert_close(likelihood(x, mu), expected)


def test_per_pixel_gaussian_is_torchs_with_the_floors_noise_added():
    x, params = draws(5, 7), draws(5, 14, seed=1)
    for floor in (0.0, 1 / 255, 0.3):
        sigma = (params[:, 7:].exp() + floor**2).sqrt()
        expected = td.Normal(params[:, :7], sigma).log_prob(x).sum(-1)
        torch.testing.assert_close(PixelGaussianLikelihood(floor)(x, params), expected, rtol=1e-12, atol=1e-12)


# --- masses ---------------------------------------------------------------------------------------------------


@KINDS
@BOTH
def test_the_masses_of_all_levels_sum_to_one(make, dtype):
    likelihood = make().to(dtype)
    for seed in range(20):
        params = (10 ** (seed / 5 - 2)) * draws(likelihood.params_per_dim, seed=seed, dtype=dtype)
        total = likelihood.log_mass(LEVELS, params).double().exp().sum()
        assert total.item() == pytest.approx(1, abs=1e-6)


@KINDS
@BOTH
def test_uint8_and_its_floats_are_the_same_picture(make, dtype):
    likelihood = make().to(dtype)
    params = draws(likelihood.params_per_dim, dtype=dtype)
    floats = LEVELS.to(dtype) / 255
    assert torch.equal(likelihood.log_mass(floats, params), likelihood.log_mass(LEVELS, params))
    assert torch.equal(likelihood.log_mass(floats.float(), params), likelihood.log_mass(LEVELS, params))


GAUSSIANS = [
    (0.4, 1.0),
    (0.4, 0.1),
    (0.9, 3e-2),
    (0.502, 8.5e-3),
    (0.2, 4e-3),
    (0.503, 1e-3),
    (-0.7, 0.05),
    (5.0, 2.0),
    (0.1, 50.0),
]


@BOTH
@pytest.mark.parametrize(("mu", "sigma"), GAUSSIANS)
def test_gaussian_masses_are_the_integrals_of_the_density(mu, sigma, dtype):
    likelihood = GaussianLikelihood(2 * math.log(sigma)).to(dtype)
    mu, s = torch.tensor([mu], dtype=dtype), mpmath.exp(mpmath.mpf(likelihood.logvar.item()) / 2)
    normal = lambda t: mpmath.ncdf(t, mpmath.mpf(mu.item()), s)  # noqa: E731
    got = likelihood.log_mass(LEVELS, mu).double()
    rounding = 2e-6 + 2e-8 / sigma if dtype == torch.float32 else 2e-8  # the middle of a bin is known to 2e-8
    with mpmath.workdps(60):
        for level in [0, 1, 2, 50, 51, 101, 102, 103, 128, 200, 254, 255]:
            low, high = (normal(edge) for edge in edges(level))
            low, high = 0 if level == 0 else low, 1 if level == 255 else high
            if high - low < mpmath.mpf(10) ** -40:
                continue  # sixty digits have cancelled as well
            expected = float(mpmath.log(high - low))
            assert got[level].item() == pytest.approx(expected, rel=2e-6, abs=rounding)


@pytest.mark.parametrize("middle", [0.0, 0.4, 1.0])
def test_the_widest_bin_of_the_series_keeps_its_third_term(middle):
    """Half a sigma wide, at `middle` sigmas from the mean: the third term is up to 8e-7 of the mass, the rest 6e-9."""
    sigma = 2.0001 / 255  # not quite a half: there the other formula begins
    mu = torch.tensor([128 / 255 - middle * sigma], dtype=torch.float64)
    got = GaussianLikelihood(2 * math.log(sigma)).double().log_mass(LEVELS[128], mu)
    with mpmath.workdps(40):
        s = mpmath.exp(mpmath.mpf(GaussianLikelihood(2 * math.log(sigma)).logvar.item()) / 2)
        low, high = (mpmath.ncdf(edge, mpmath.mpf(mu.item()), s) for edge in edges(128))
        assert got.item() == pytest.approx(float(mpmath.log(high - low)), abs=1.2e-8, rel=0)


@pytest.mark.slow
@BOTH
@pytest.mark.parametrize("logit", [0.0, 1e-7, 0.2, -3.0, 120.0, -5e3])
def test_continuous_bernoulli_masses_are_the_integrals_of_the_density(logit, dtype):
    logits = torch.tensor([logit], dtype=dtype)
    got = ContinuousBernoulliLikelihood().log_mass(LEVELS, logits).double()
    exact = mpmath.mpf(logits.item())
    with mpmath.workdps(6000):  # exp(5000) beside 1
        cdf = lambda t: mpmath.expm1(exact * t) / mpmath.expm1(exact) if exact else t  # noqa: E731
        for level in [0, 1, 2, 100, 128, 253, 254, 255]:
            low, high = edges(level)
            expected = float(mpmath.log(cdf(min(1, high)) - cdf(max(0, low))))
            assert got[level].item() == pytest.approx(expected, rel=5e-7, abs=1e-6)


@BOTH
@pytest.mark.parametrize(("mu", "log_scale"), [(0.4, 0.0), (0.4, -4.0), (0.0, -6.5), (1.2, -3.0), (0.9, 4.0)])
def test_logistic_masses_are_differences_of_the_distribution_function(mu, log_scale, dtype):
    params = torch.tensor([0.0, mu, log_scale], dtype=dtype)
    got = LogisticMixtureLikelihood(1).log_mass(LEVELS, params).double()
    mu, scale = mpmath.mpf(params[1].item()), mpmath.exp(mpmath.mpf(params[2].item())) + mpmath.mpf(1e-4)
    with mpmath.workdps(300):
        cdf = lambda t: 1 / (1 + mpmath.exp((mu - t) / scale))  # noqa: E731
        for level in [0, 1, 101, 102, 103, 128, 254, 255]:
            low, high = (cdf(edge) for edge in edges(level))
            low, high = 0 if level == 0 else low, 1 if level == 255 else high
            assert got[level].item() == pytest.approx(float(mpmath.log(high - low)), rel=2e-6, abs=2e-6)


def test_a_mixture_is_the_weighted_sum_of_its_components():
    params = draws(3, 4, 5)  # logits, means, log-scales of four components; five pixels
    x = torch.randint(256, (6, 5), generator=torch.Generator().manual_seed(1), dtype=torch.uint8)
    weights = params[0].softmax(0)
    single = LogisticMixtureLikelihood(1)
    alone = [[single.log_mass(x[:, d : d + 1], torch.stack([params[0, m, d], *params[1:, m, d]])) for d in range(5)]
             for m in range(4)]  # fmt: skip
    mass = sum(weights[m] * torch.stack(alone[m], -1).exp() for m in range(4))
    torch.testing.assert_close(LogisticMixtureLikelihood(4)(x, params.flatten()), mass.log().sum(-1))


# --- bits -----------------------------------------------------------------------------------------------------


def test_a_uniform_guess_costs_eight_bits_and_a_sure_one_none():
    x = torch.randint(1, 255, (5, 12), dtype=torch.uint8)
    bits = ContinuousBernoulliLikelihood().bits_per_dim(x, torch.zeros(5, 12))
    torch.testing.assert_close(bits, torch.full((5,), math.log2(255)))  # 255 bins of full size: the ends have halves
    sure = GaussianLikelihood(-20.0).bits_per_dim(x, x / 255)
    torch.testing.assert_close(sure, torch.zeros(5), atol=1e-6, rtol=0)
    assert (sure >= 0).all()


def test_a_density_times_the_bin_is_its_mass_where_it_is_smooth():
    """The two ways to count bits agree for a wide Gaussian: the mass, and the density minus log 255 a dimension."""
    x, mu = torch.randint(1, 255, (5, 12), dtype=torch.uint8), draws(5, 12).sigmoid()
    likelihood = GaussianLikelihood(-2.0).double()
    density = likelihood(x.double() / 255, mu) - 12 * math.log(255)
    torch.testing.assert_close(likelihood.log_mass(x, mu), density, rtol=0, atol=1e-3)


@KINDS
def test_the_elbo_takes_both_densities_and_masses(make):
    torch.manual_seed(0)
    likelihood, x = make(), torch.randint(256, (4, 6), dtype=torch.uint8) / 255
    model = mlp_vae(6, 2, hidden_dims=())
    model.decoder = torch.nn.Linear(2, 6 * likelihood.params_per_dim)
    for function in (likelihood, likelihood.log_prob, likelihood.log_mass):
        terms = elbo_terms(model, x, function)
        assert terms.elbo.shape == (4,) and terms.elbo.isfinite().all()
    assert (terms.log_likelihood <= 0).all()
    assert likelihood.bits_per_dim(x, model.decode(torch.randn(3, 4, 2))).shape == (3, 4)


# --- pictures -------------------------------------------------------------------------------------------------


@KINDS
@BOTH
def test_draws_fall_into_the_bins_as_often_as_their_masses_say(make, dtype):
    likelihood = make().to(dtype)
    params = torch.tensor([0.4, 0.1, 0.9, 0.2, 0.8, 0.5, -3.0, -4.0, -2.0], dtype=dtype)[: likelihood.params_per_dim]
    if likelihood.params_per_dim == 2:
        params = torch.tensor([0.4, -3.0], dtype=dtype)
    n = 200_000
    x = likelihood.sample(params.expand(n, -1), torch.Generator().manual_seed(3))
    assert x.shape == (n, 1) and x.dtype == dtype
    counts = torch.bincount((255 * x[:, 0]).round().clamp(0, 255).long(), minlength=256)
    mass = likelihood.log_mass(LEVELS, params).double().exp().detach()
    assert ((counts / n - mass).abs() <= 5.5 * (mass * (1 - mass) / n).sqrt() + 5 / n).all()
    error = x.double().mean() - likelihood.mean(params).double().item()
    assert error.abs() < 5 * x.double().std() / n**0.5
    assert torch.equal(x, likelihood.sample(params.expand(n, -1), torch.Generator().manual_seed(3)))


def test_coins_are_thrown():
    logits = torch.tensor([-2.0, 0.0, 3.0])
    x = BernoulliLikelihood().sample(logits.expand(100_000, 3), torch.Generator().manual_seed(0))
    assert x.unique().tolist() == [0, 1]
    torch.testing.assert_close(x.mean(0), logits.sigmoid(), atol=0.01, rtol=0)


@BOTH
def test_the_mean_of_a_mixture_counts_levels(dtype):
    likelihood, params = LogisticMixtureLikelihood(3), draws(4, 2, 9 * 5, dtype=dtype)
    single = likelihood.log_mass(LEVELS[:, None], draws(9, dtype=dtype)[None]).exp()  # (256, 1)
    expected = (single * LEVELS.to(dtype) / 255).sum()
    assert likelihood.mean(draws(9, dtype=dtype)).item() == pytest.approx(expected.item(), abs=1e-5)
    mean = likelihood.mean(params)
    assert mean.shape == (4, 2, 5) and ((mean > 0) & (mean < 1)).all()


# --- gradients, and the ends of the range ---------------------------------------------------------------------


@pytest.mark.slow
@KINDS
def test_gradients_are_those_of_finite_differences(make):
    likelihood = make().double()
    x = torch.tensor([[0, 1, 128, 255]], dtype=torch.uint8) / 255.0
    for seed, size in enumerate([0.0, 1e-3, 0.3, 1.0]):
        params = (size * draws(1, 4 * likelihood.params_per_dim, seed=seed)).requires_grad_()
        for function in (likelihood.log_mass, likelihood.log_prob):
            assert torch.autograd.gradcheck(lambda p, f=function: f(x.double(), p), params)


@BOTH
def test_the_slope_at_a_logit_of_zero_is_that_of_its_two_sides(dtype):
    logits, x = torch.zeros(3, 1, dtype=dtype, requires_grad=True), torch.tensor([[0.0], [0.3], [1.0]], dtype=dtype)
    ContinuousBernoulliLikelihood()(x, logits).sum().backward()
    torch.testing.assert_close(logits.grad, x - 0.5)  # x minus the mean, 1/2


EXTREME = [0.0, 1e-30, -1e-6, 0.5, -40.0, 89.0, 710.0, -1e4, 1e8, -1e8]


@KINDS
@BOTH
@pytest.mark.parametrize("name", ["log_prob", "log_mass"])
def test_extreme_parameters_give_numbers_and_slopes(make, dtype, name):
    likelihood = make().to(dtype)
    n = likelihood.params_per_dim
    others = torch.cartesian_prod(*[torch.tensor([-90.0, 0.0, 60.0])] * min(n - 1, 3)) if n > 1 else torch.zeros(1, 0)
    others = others.reshape(len(others), -1)
    rows = [torch.cat([torch.tensor([e]), o, torch.zeros(n - 1 - len(o))]) for e in EXTREME for o in others]
    params = torch.stack(rows).to(dtype).requires_grad_()
    for pixel in [0, 1, 127, 254, 255]:
        x = torch.full((len(rows), 1), pixel / 255, dtype=dtype)
        value = getattr(likelihood, name)(x, params)
        assert value.isfinite().all()
        (slope,) = torch.autograd.grad(value.sum(), params)
        assert slope.isfinite().all()


@BOTH
@pytest.mark.parametrize("log_scale", [-200.0, 200.0, 1e6])
def test_a_mixture_at_any_scale(log_scale, dtype):
    params = torch.tensor([0.0, 0.5, log_scale], dtype=dtype, requires_grad=True)
    value = LogisticMixtureLikelihood(1).log_mass(LEVELS, params)
    value.sum().backward()
    assert value.isfinite().all() and params.grad.isfinite().all()
    assert value.detach().double().exp().sum().item() == pytest.approx(1, abs=1e-6)


@BOTH
@pytest.mark.parametrize("logvar", [-80.0, -30.0, 0.0, 40.0, 80.0])
def test_gaussian_masses_at_any_sigma(logvar, dtype):
    likelihood = GaussianLikelihood(logvar).to(dtype)
    mu = torch.tensor([[-1e3], [0.0], [0.5], [1.0], [7.0]], dtype=dtype, requires_grad=True)
    value = likelihood.log_mass(torch.full((5, 1), 128, dtype=torch.uint8), mu)
    value.sum().backward()
    assert value.isfinite().all() and mu.grad.isfinite().all() and likelihood.logvar.grad.isfinite()
    assert (value <= 0).all()


def test_a_pixel_that_never_changes_runs_into_the_floor_and_no_further():
    """A black pixel: without a floor its log-variance sinks for ever, with one the score has a limit."""
    x = torch.zeros(8, 1)
    best = {}
    for floor in (0.0, 1 / 255):
        params = torch.zeros(1, 2, requires_grad=True)
        adam, likelihood = torch.optim.Adam([params], lr=0.1), PixelGaussianLikelihood(floor)
        for _ in range(300):
            adam.zero_grad()
            (-likelihood(x, params.expand(8, 2)).mean()).backward()
            adam.step()
        best[floor] = likelihood(x, params.expand(8, 2)).max().item()
    limit = -0.5 * math.log(2 * math.pi) + math.log(255)
    assert best[0.0] > limit + 5 and limit - 0.05 < best[1 / 255] <= limit


# --- shapes and bad input -------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [BernoulliLikelihood, *EIGHT_BIT.values()])
def test_one_number_per_example_and_each_on_its_own(make):
    likelihood = make()
    K, B, D = 2, 3, 4
    x, params = torch.rand(B, D).round(), torch.randn(K, B, D * likelihood.params_per_dim)
    together = likelihood(x, params)
    assert together.shape == (K, B)
    torch.testing.assert_close(together[1, 2], likelihood(x[2], params[1, 2]))
    assert likelihood.sample(params).shape == likelihood.mean(params).shape == (K, B, D)


def test_params_of_channels_are_groups_of_channels():
    """A convolution with 2 x 3 channels gives the three means, then the three log-variances, as rows."""
    maps = torch.randn(5, 6, 4, 4)
    likelihood = PixelGaussianLikelihood(0.0)
    assert torch.equal(likelihood.mean(maps.flatten(1)), maps[:, :3].flatten(1))


@pytest.mark.parametrize("make", [BernoulliLikelihood, *EIGHT_BIT.values()])
def test_a_wrong_number_of_params_is_named(make):
    likelihood = make()
    n = likelihood.params_per_dim
    for wrong in (n, 4 * n + 1, 5 * n):  # one dimension would broadcast
        with pytest.raises(ValueError, match=rf"params must have {n} x 4 numbers in the last dimension; got \(2, "):
            likelihood(torch.rand(2, 4), torch.randn(2, wrong))


def test_settings_that_mean_nothing_are_refused():
    with pytest.raises(ValueError, match="floor must be at least 0; got -1"):
        PixelGaussianLikelihood(-1)
    with pytest.raises(ValueError, match="num_components must be a whole number of at least 1; got 0"):
        LogisticMixtureLikelihood(0)
    with pytest.raises(ValueError, match="params must have 2 D numbers"):
        PixelGaussianLikelihood().sample(torch.zeros(3, 5))


@KINDS
@pytest.mark.parametrize("bad", [255.0, -0.01, float("nan")])
def test_pixels_that_are_no_levels_are_refused(make, bad):
    likelihood = make()
    with pytest.raises(ValueError, match=r"x must lie in \[0, 1\]; got .*divide 8-bit pixels by 255"):
        likelihood.log_mass(torch.tensor([[0.5, bad]]), torch.zeros(1, 2 * likelihood.params_per_dim))


@pytest.mark.parametrize("make", [BernoulliLikelihood, *EIGHT_BIT.values()])
def test_wrong_types_are_named(make):
    likelihood = make()
    n = likelihood.params_per_dim
    with pytest.raises(TypeError, match="params must be real and floating"):
        likelihood(torch.rand(2, 4), torch.zeros(2, 4 * n, dtype=torch.int64))
    with pytest.raises(TypeError, match="x must be a torch"):
        likelihood([0.5], torch.zeros(1, n))
    with pytest.raises(ValueError, match="batch dimensions"):
        likelihood(torch.rand(2, 4), torch.zeros(3, 4 * n))


@KINDS
def test_half_precision_is_computed_in_float32(make):
    likelihood, x = make(), torch.randint(256, (2, 4), dtype=torch.uint8)
    params = torch.randn(2, 4 * likelihood.params_per_dim).bfloat16()
    got = likelihood.log_mass(x, params)
    assert got.dtype == torch.float32 and torch.equal(got, likelihood.log_mass(x, params.float()))


@KINDS
def test_vmap_and_jacrev_go_through(make):
    likelihood, x = make(), torch.rand(3, 4)
    params = torch.randn(3, 4 * likelihood.params_per_dim)
    for function in (likelihood.log_prob, likelihood.log_mass):
        torch.testing.assert_close(torch.vmap(function)(x, params), function(x, params))
        assert torch.func.jacrev(lambda p, f=function: f(x[0], p))(params[0]).isfinite().all()


@KINDS
@BOTH
def test_no_mass_is_above_one_and_no_bit_below_zero(make, dtype):
    """A sure pixel: rounding left 1e-6 nats more than certainty in one out of thirty, -0.001 bits a picture."""
    likelihood, generator = make().to(dtype), torch.Generator().manual_seed(0)
    n = likelihood.params_per_dim
    for x in (0, 128, 255):
        params = torch.randn(4000, n, generator=generator, dtype=dtype)
        if n == 1 and make is not ContinuousBernoulliLikelihood:
            params = torch.full_like(params, x / 255)
        elif n == 1:
            params = (1 if x else -1) * 10 ** torch.linspace(0, 9, 4000, dtype=dtype)[:, None]
        else:  # the mean at the pixel, and a scale of nothing
            middle, last = (slice(0, 1), slice(1, 2)) if n == 2 else (slice(n // 3, 2 * n // 3), slice(2 * n // 3, n))
            params[:, middle], params[:, last] = x / 255, -40
        mass = likelihood.log_mass(torch.full((4000, 1), x, dtype=torch.uint8), params)
        assert (mass <= 0).all() and (likelihood.bits_per_dim(torch.full((4000, 1), x / 255), params) >= 0).all()


@pytest.mark.parametrize("bad", [None, "3", True, float("nan"), torch.ones(2)])
def test_a_log_variance_to_begin_with_is_a_number(bad):
    with pytest.raises((TypeError, ValueError), match="logvar must be a finite number; got"):
        GaussianLikelihood(bad)


def test_a_likelihood_of_pictures_without_its_two_densities_cannot_be_made():
    class Half(EightBitLikelihood):
        def log_prob(self, x, params):
            return -x.sum(-1)

    with pytest.raises(TypeError, match="log_mass"):
        Half()
