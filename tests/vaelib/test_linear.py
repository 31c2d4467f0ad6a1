"""The laboratory against brute force: the joint Gaussian of (x, z), SVD, quadrature and Monte Carlo."""

import math

import mpmath
import pytest
import torch

from vaelib.frontier import reverse_waterfilling
from vaelib.linear import LinearGaussian, covariance, fit_ppca, pca

DOUBLE = torch.float64


def draws(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=DOUBLE)


@pytest.fixture
def model():
    """D = 5, L = 3: every dimension different, so that a transposed matrix cannot pass."""
    return LinearGaussian(draws(5, 3), draws(5, seed=1), 0.6)


def joint(model):
    """Mean and covariance of (x, z) stacked, from the definition: x = W z + b + sigma e."""
    D, L = model.W.shape
    top = torch.cat([model.W, model.sigma * torch.eye(D, dtype=DOUBLE)], 1)  # x as a mix of (z, e)
    mix = torch.cat([top, torch.eye(L, L + D, dtype=DOUBLE)])
    return torch.cat([model.b, torch.zeros(L, dtype=DOUBLE)]), mix @ mix.T


def some_q(x, seed=7):
    a = draws(3, 3, seed=seed)
    return draws(len(x), 3, seed=seed), a @ a.T + 0.1 * torch.eye(3, dtype=DOUBLE)


def test_covariance_divides_by_n():
    x = draws(7, 3)
    torch.testing.assert_close(covariance(x), torch.cov(x.T, correction=0))
    for bad, message in (
        (draws(7), r"have shape \(N, D\); got \(7,\)"),
        (draws(0, 3), r"not be empty; got shape \(0, 3\)"),
    ):
        with pytest.raises(ValueError, match=f"x must {message}"):
            covariance(bad)


def test_pca_is_the_svd():
    x = draws(40, 6) * torch.arange(1, 7) + 3
    found = pca(x, 2)
    _, s, vt = torch.linalg.svd(x - x.mean(0), full_matrices=False)
    torch.testing.assert_close(found.eigenvalues, s**2 / 40)
    torch.testing.assert_close((found.components.T @ vt[:2].T).abs(), torch.eye(2, dtype=DOUBLE), atol=1e-12, rtol=0)
    rank_two = (x - x.mean(0)) @ vt[:2].T @ vt[:2] + x.mean(0)
    torch.testing.assert_close(found.decode(found.encode(x)), rank_two)
    residual = (x - rank_two).square().sum(1).mean()
    torch.testing.assert_close(residual, found.eigenvalues[2:].sum())
    assert pca(x, 1).components.shape == (6, 1) and pca(x, 6).components.shape == (6, 6)
    for bad in (0, 7):
        with pytest.raises(ValueError, match=f"latent_dim must be a whole number between 1 and 6; got {bad}"):
            pca(x, bad)


def test_log_prob_and_posterior_are_the_joint_gaussians(model):
    x = draws(4, 5, seed=3)
    mean, cov = joint(model)
    marginal = torch.distributions.MultivariateNormal(mean[:5], cov[:5, :5])
    torch.testing.assert_close(model.log_prob(x), marginal.log_prob(x), rtol=1e-11, atol=1e-11)
    gain = cov[5:, :5] @ torch.linalg.inv(cov[:5, :5])  # conditioning by the block formula
    mu, spread = model.posterior(x)
    torch.testing.assert_close(mu, (x - mean[:5]) @ gain.T, rtol=1e-11, atol=1e-11)
    torch.testing.assert_close(spread, cov[5:, 5:] - gain @ cov[:5, 5:], rtol=1e-11, atol=1e-11)


def test_elbo_plus_gap_is_log_prob(model):
    x = draws(4, 5, seed=3)
    q = some_q(x)
    torch.testing.assert_close(model.elbo(x, *q) + model.gap(x, *q), model.log_prob(x), rtol=0, atol=1e-10)
    assert (model.gap(x, *q) > 0).all()
    exact = model.posterior(x)
    torch.testing.assert_close(model.elbo(x, *exact), model.log_prob(x), rtol=0, atol=1e-10)
    assert model.gap(x, *exact).abs().max() < 1e-10


def test_gradients_of_the_exact_elbo(model):
    """Autograd through the closed form against central differences, and against the gradients worked out by hand."""
    x, (mu, cov) = draws(2, 5, seed=3), some_q(draws(2, 5))
    inputs = [t.clone().requires_grad_() for t in (mu, torch.linalg.cholesky(cov), model.W, model.b)]

    def elbo(mu, root, W, b):
        return model._replace(W=W, b=b).elbo(x, mu, root @ root.T).sum()

    assert torch.autograd.gradcheck(elbo, inputs, eps=1e-6, atol=1e-7)
    by_mu, _, by_W, by_b = torch.autograd.grad(elbo(*inputs), inputs)
    error = x - mu @ model.W.T - model.b  # (B, D)
    torch.testing.assert_close(by_mu, error @ model.W / model.sigma**2 - mu, rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(by_b, error.sum(0) / model.sigma**2, rtol=1e-10, atol=1e-10)
    expected = (error.T @ mu - len(x) * model.W @ cov) / model.sigma**2
    torch.testing.assert_close(by_W, expected, rtol=1e-10, atol=1e-10)


def test_elbo_is_the_average_over_q(model):
    """Monte Carlo over z ~ q, with torch.distributions for every density: no formula of vaelib on this side."""
    x = draws(1, 5, seed=3)
    mu, cov = some_q(x)
    q = torch.distributions.MultivariateNormal(mu[0], cov)
    z = mu[0] + draws(400_000, 3, seed=11) @ torch.linalg.cholesky(cov).T
    likelihood = torch.distributions.Normal(z @ model.W.T + model.b, model.sigma).log_prob(x).sum(-1)
    prior = torch.distributions.Normal(0.0, 1.0).log_prob(z).sum(-1)
    terms = likelihood + prior - q.log_prob(z)
    for got, draw in ((model.elbo(x, mu, cov), terms), (model.expected_log_likelihood(x, mu, cov), likelihood)):
        assert abs(draw.mean() - got[0]) < 5 * draw.std() / len(z) ** 0.5


def test_one_dimension_by_quadrature():
    model = LinearGaussian(torch.tensor([[1.3]], dtype=DOUBLE), torch.tensor([0.4], dtype=DOUBLE), 0.5)
    z = torch.linspace(-14, 14, 40_001, dtype=DOUBLE)
    normal = lambda v, m, s: torch.exp(-((v - m) ** 2) / (2 * s**2)) / (s * math.sqrt(2 * math.pi))  # noqa: E731
    evidence = torch.trapezoid(normal(2.0, 1.3 * z + 0.4, 0.5) * normal(z, 0, 1), z)
    assert model.log_prob(torch.tensor([[2.0]], dtype=DOUBLE)).item() == pytest.approx(math.log(evidence), abs=1e-10)


def test_samples_have_the_joint_moments(model):
    n = 400_000
    pairs = torch.cat(model.sample(n, torch.Generator().manual_seed(0)), 1)
    mean, cov = joint(model)
    assert ((pairs.mean(0) - mean).abs() < 5 * (cov.diagonal() / n).sqrt()).all()
    spread = ((cov**2 + cov.diagonal().outer(cov.diagonal())) / n).sqrt()  # of an estimated covariance (Wishart)
    assert ((torch.cov(pairs.T, correction=0) - cov).abs() < 5.5 * spread).all()
    again = torch.Generator().manual_seed(0)
    z, noise = (torch.randn(n, size, generator=again, dtype=DOUBLE) for size in (3, 5))  # the prior's draw comes first
    torch.testing.assert_close(pairs, torch.cat([z @ model.W.T + model.b + model.sigma * noise, z], 1))


def test_ppca_is_the_most_likely_model():
    x = draws(500, 5) * torch.tensor([3.0, 2.0, 1.0, 0.5, 0.4])
    best = fit_ppca(x, 2)
    top = best.log_prob(x).mean()
    for seed in range(20):
        nudge = 0.01 * draws(5, 2, seed=seed)
        assert best._replace(W=best.W + nudge).log_prob(x).mean() < top
    for factor in (0.99, 1.01):
        assert best._replace(sigma=best.sigma * factor).log_prob(x).mean() < top
    assert best._replace(b=best.b + 0.01).log_prob(x).mean() < top
    model_cov = best.W @ best.W.T + best.sigma**2 * torch.eye(5, dtype=DOUBLE)
    torch.testing.assert_close(torch.trace(model_cov), torch.trace(covariance(x)))
    small = fit_ppca(0.01 * x, 2)  # other units, the same model
    torch.testing.assert_close((small.W @ small.W.T).abs(), 1e-4 * (best.W @ best.W.T).abs())
    for data, bad in ((x, 5), (x, 6), (torch.ones_like(x), 1)):
        with pytest.raises(ValueError, match="latent_dim must"):
            fit_ppca(data, bad)


@pytest.mark.parametrize("dtype", [torch.float32, DOUBLE], ids=str)
@pytest.mark.parametrize("rank", [0, 1, 2])
def test_data_of_low_rank_leaves_no_sigma(rank, dtype):
    """By seed it was this error, a failed factorisation or a sigma of 1e-8: the noise of the arithmetic."""
    for seed in range(40):
        scale, offset = 10.0 ** (seed % 5 - 2), float(seed % 3)
        x = (scale * draws(100, rank, seed=seed) @ draws(rank, 6, seed=seed + 1) + offset * draws(6, seed=seed + 2)).to(
            dtype
        )
        with pytest.raises(ValueError, match=r"latent_dim must leave variance to discard; got 2 for D = 6"):
            fit_ppca(x, 2)
        faint = x + scale * 0.01 * draws(100, 6, seed=seed + 3).to(dtype)  # and a little noise is variance
        if rank == 2:
            assert fit_ppca(faint, 2).sigma == pytest.approx(0.01 * scale, rel=0.2)


def test_float32_posteriors_are_taken_by_every_method():
    """11 of 40 were refused for the asymmetry of their inverse; for the best q the gap is nothing, never below."""
    for seed in range(40):
        lab = LinearGaussian(draws(30, 20, seed=seed).float(), draws(30, seed=seed + 1).float(), 0.3)
        x, _ = lab.sample(4, torch.Generator().manual_seed(seed))
        mu, cov = lab.posterior(x)
        assert torch.equal(cov, cov.T)
        torch.testing.assert_close(lab.elbo(x, mu, cov), lab.log_prob(x), rtol=1e-3, atol=1e-2)
        gap = lab.gap(x, mu, cov)
        assert (gap >= 0).all() and gap.max() < 1e-4
        exact = LinearGaussian(lab.W.double(), lab.b.double(), 0.3)
        torch.testing.assert_close(cov.double(), exact.posterior(x.double())[1], rtol=1e-3, atol=1e-4)


def test_further_batch_dimensions_are_further_batches(model):
    """(K, B, D) was summed over B, and (B, 1) spread over D."""
    x = draws(7, 4, 5)
    q = draws(7, 4, 3), some_q(x[0])[1]
    for whole, rows in [
        (model.log_prob(x), [model.log_prob(row) for row in x]),
        (model.posterior(x)[0], [model.posterior(row)[0] for row in x]),
        (model.elbo(x, *q), [model.elbo(row, mu, q[1]) for row, mu in zip(x, q[0], strict=True)]),
        (model.gap(x, *q), [model.gap(row, mu, q[1]) for row, mu in zip(x, q[0], strict=True)]),
    ]:
        torch.testing.assert_close(whole, torch.stack(rows))
    torch.testing.assert_close(torch.vmap(model.log_prob)(x[0]), model.log_prob(x[0]))
    found = pca(x[0], 2)
    torch.testing.assert_close(found.decode(found.encode(x))[3], found.decode(found.encode(x[3])))


WRONG = {
    "column": (draws(4, 1), ValueError, r"x must have shape \(..., D\) with D = 5; got \(4, 1\)"),
    "integers": (torch.ones(4, 5, dtype=torch.int64), TypeError, r"x must be real and floating.*got torch\.int64"),
    "float32": (draws(4, 5).float(), TypeError, r"x must have the dtype of W, torch\.float64; got torch\.float32"),
    "list": ([[1.0] * 5], TypeError, r"x must be a torch\.Tensor; got list"),
}


@pytest.mark.parametrize("kind", WRONG)
@pytest.mark.parametrize("method", ["log_prob", "posterior", "expected_log_likelihood", "elbo", "gap"])
def test_points_that_do_not_fit_are_refused(model, method, kind):
    x, error, message = WRONG[kind]
    q = () if method in ("log_prob", "posterior") else (draws(4, 3), torch.eye(3, dtype=DOUBLE))
    with pytest.raises(error, match=message):
        getattr(model, method)(x, *q)


@pytest.mark.parametrize("method", ["expected_log_likelihood", "elbo", "gap"])
def test_a_q_that_does_not_fit_is_refused(model, method):
    x, mu, cov = draws(4, 5), draws(4, 3), torch.eye(3, dtype=DOUBLE)
    call = getattr(model, method)
    for bad, message in (
        (draws(4, 1), r"last dimension of W, 3; got \(4, 1\)"),
        (draws(6, 3), r"broadcast with those of x, \(4,\); got \(6,\)"),
    ):
        with pytest.raises(ValueError, match=f"mu must .*{message}"):
            call(x, bad, cov)
    with pytest.raises(ValueError, match=r"cov must have shape \(L, L\) with L = 3; got \(4, 3, 3\)"):
        call(x, mu, cov.expand(4, 3, 3))


@pytest.mark.parametrize("sigma", [-1.5, 0.0, float("nan"), float("inf"), torch.ones(2), None, True])
def test_sigma_is_one_number_above_zero(model, sigma):
    wrong, x = model._replace(sigma=sigma), draws(4, 5)
    for call in (
        lambda: wrong.log_prob(x),
        lambda: wrong.posterior(x),
        lambda: wrong.sample(3),
        lambda: wrong.elbo(x, *some_q(x)),
    ):
        with pytest.raises((TypeError, ValueError), match="sigma must be a finite number above 0; got"):
            call()


def test_counts_and_components_are_whole_numbers(model):
    for bad in (-1, 2.0, True, "3"):
        with pytest.raises((TypeError, ValueError), match="n must be a whole number of at least 0; got"):
            model.sample(bad)
    assert [t.shape for t in model.sample(0)] == [(0, 5), (0, 3)]
    for bad in (1.0, None, True):
        with pytest.raises(TypeError, match="latent_dim must be a whole number between 1 and 5; got"):
            pca(draws(9, 5), bad)
    for call in (pca, fit_ppca):
        with pytest.raises(ValueError, match="x must be finite; got nan"):
            call(draws(9, 5) / 0 * 0, 2)
    with pytest.raises(ValueError, match=r"x must have the last dimension of mean, 5; got \(9, 1\)"):
        pca(draws(9, 5), 2).encode(draws(9, 1))
    with pytest.raises(ValueError, match=r"z must have the last dimension of components, 2; got \(9, 1\)"):
        pca(draws(9, 5), 2).decode(draws(9, 1))


def exact_log_prob(lab, x):
    """log N(x; b, W W^T + sigma^2 I) with fifty digits."""
    with mpmath.workdps(50):
        W, y = mpmath.matrix(lab.W.tolist()), mpmath.matrix((x - lab.b).tolist())
        cov = W * W.T + mpmath.mpf(lab.sigma) ** 2 * mpmath.eye(len(lab.W))
        squares = (y.T * mpmath.lu_solve(cov, y))[0]
        return float(-(len(lab.W) * mpmath.log(2 * mpmath.pi) + mpmath.log(mpmath.det(cov)) + squares) / 2)


@pytest.mark.parametrize(
    ("dtype", "sigma"), [(torch.float32, 1e-2), (torch.float32, 1e-4), (DOUBLE, 1e-6), (DOUBLE, 1e-9)]
)
def test_a_sigma_far_below_the_weights_costs_no_digits(dtype, sigma):
    """In W W^T + sigma^2 I it was lost: "cov must be positive definite" in float32, or a tenth of the answer."""
    for seed in range(5):
        lab = LinearGaussian(draws(8, 3, seed=seed).to(dtype), draws(8, seed=seed + 1).to(dtype), sigma)
        x = lab.sample(2, torch.Generator().manual_seed(seed))[0] + sigma * draws(2, 8, seed=9).to(dtype)
        room = 30 * torch.finfo(dtype).eps / sigma  # what x itself is rounded by, in sigmas
        for row in x:
            assert lab.log_prob(row).item() == pytest.approx(exact_log_prob(lab, row.double()), rel=room, abs=room)


@pytest.mark.parametrize(("dtype", "sigma"), [(torch.float32, 1e-3), (DOUBLE, 1e-7)])
def test_weights_that_depend_on_each_other_have_a_posterior(dtype, sigma):
    """W = (w, w): along (1, -1) nothing is learned, so that half the variance is left; float32 said 0.26."""
    w = draws(6, 1).to(dtype)
    lab = LinearGaussian(torch.cat([w, w], 1), torch.zeros(6, dtype=dtype), sigma)
    mu, cov = lab.posterior(lab.W[:, 0])
    half = torch.tensor([[0.5, -0.5], [-0.5, 0.5]], dtype=dtype)
    torch.testing.assert_close(cov, half, rtol=0, atol=1e-3)
    torch.testing.assert_close(mu, torch.full((2,), 0.5, dtype=dtype), rtol=0, atol=1e-3)
    assert torch.equal(cov, cov.T)


@pytest.mark.parametrize("dtype", [torch.float32, DOUBLE], ids=str)
def test_a_variance_of_nothing_is_never_below_zero(dtype):
    for seed in range(20):
        found = pca((draws(5, 2, seed=seed) @ draws(2, 8, seed=seed + 1)).to(dtype), 2)
        assert (found.eigenvalues >= 0).all() and found.eigenvalues[2:].max() < 1e-5
        assert reverse_waterfilling(found.eigenvalues, 0.5).rate.isfinite()
