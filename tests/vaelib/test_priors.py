"""Densities against quadrature, brute force and autograd's Jacobians; flows against crowds whose velocity is known."""

import json
import math
from functools import partial
from pathlib import Path

import pytest
import torch
from torch import distributions as td

from vaelib.models import mlp_vae
from vaelib.priors import (
    CouplingPrior,
    FlowMatchingPrior,
    GaussianPrior,
    MixturePrior,
    VampPrior,
    euler,
    flow_matching_loss,
    heun,
    prior_loss,
    stored_priors,
)
from vaelib.train import fit

BOTH = pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["float32", "float64"])
DOUBLE = torch.float64
ROOT = Path(__file__).resolve().parents[2]


def draws(*shape, seed=0, dtype=DOUBLE):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def vamp(L):
    return VampPrior(mlp_vae(9, L, hidden_dims=(8,)).double().encode, torch.rand(4, 9, dtype=DOUBLE))


KINDS = {
    "Gaussian": lambda L: GaussianPrior(L).double().fit(draws(50, L) @ draws(L, L, seed=1) + 0.5),
    "full mixture": lambda L: MixturePrior(L, 3),
    "diagonal mixture": lambda L: MixturePrior(L, 3, full=False),
    "VampPrior": vamp,
    "coupling": partial(CouplingPrior, num_layers=3, hidden_dims=(8,)),
    "flow": partial(FlowMatchingPrior, hidden_dims=(16, 16), steps=24),
}
EACH = pytest.mark.parametrize("make", KINDS.values(), ids=KINDS.keys())


def moved(make, L, size=0.3, seed=0):
    """A prior with parameters that are not those of the start, in float64."""
    torch.manual_seed(seed)
    prior = make(L).double()
    for p in prior.parameters():
        p.data += size * torch.randn_like(p)
    return prior.requires_grad_(False)


# --- densities ------------------------------------------------------------------------------------------------


@EACH
def test_the_density_integrates_to_one(make):
    """The trapezoid rule in the plane, on a grid that holds all of the mass."""
    prior = moved(make, 2)
    z = prior.sample(4000, torch.Generator().manual_seed(0))
    low, high = z.min(0).values - 3, z.max(0).values + 3
    n = 101 if isinstance(prior, FlowMatchingPrior) else 401
    axes = [torch.linspace(a, b, n, dtype=DOUBLE) for a, b in zip(low, high, strict=True)]
    density = prior.log_prob(torch.cartesian_prod(*axes)).exp().reshape(n, n)
    total = torch.trapezoid(torch.trapezoid(density, axes[1]), axes[0])
    assert total.item() == pytest.approx(1, abs=2e-4)


@pytest.mark.slow
@EACH
def test_draws_have_the_density(make):
    """For any g, the mean of g over draws is the integral of g r: two routes that share no line of code."""
    prior = moved(make, 2, seed=1)
    n = 10_000 if isinstance(prior, FlowMatchingPrior) else 100_000
    z = prior.sample(n, torch.Generator().manual_seed(1))
    reference = td.MultivariateNormal(z.mean(0), 2.0 * torch.cov(z.T))
    proposals = reference.sample((n,))
    weights = (prior.log_prob(proposals) - reference.log_prob(proposals)).exp()
    for g in (lambda z: torch.ones(len(z), dtype=DOUBLE), lambda z: z[:, 0], lambda z: z.prod(-1),
              lambda z: (3 * z[:, 1]).cos(), lambda z: (z[:, 0] > z[:, 1]).double()):  # fmt: skip
        left, right = g(z), weights * g(proposals)
        error = (left.var() / n + right.var() / n).sqrt()
        assert (left.mean() - right.mean()).abs() < 5 * error + 1e-4


@EACH
def test_dtype_shapes_and_noise_are_the_callers(make):
    for dtype in (torch.float32, torch.float64):
        prior = make(3).to(dtype)
        if make is vamp:
            prior = VampPrior(mlp_vae(9, 3).to(dtype).encode, torch.rand(4, 9, dtype=dtype))
        z = prior.sample(5, torch.Generator().manual_seed(0))
        assert z.shape == (5, 3) and z.dtype == dtype
        assert torch.equal(z, prior.sample(5, torch.Generator().manual_seed(0)))
        assert not torch.equal(z, prior.sample(5, torch.Generator().manual_seed(1)))
        together = prior.log_prob(z.expand(2, 5, 3))
        assert together.shape == (2, 5) and together.dtype == dtype
        torch.testing.assert_close(together[1, 3], prior.log_prob(z[3]))
        assert prior_loss(prior, z).shape == ()


@EACH
def test_wrong_codes_are_named(make):
    prior = make(3).double()
    with pytest.raises(ValueError, match=r"z must have shape \(\.\.\., 3\).*got \(5, 4\)"):
        prior.log_prob(draws(5, 4))
    with pytest.raises(TypeError, match=r"z must have the dtype .*got torch.float32"):
        prior.log_prob(draws(5, 3).float())
    with pytest.raises(ValueError, match="n must be a whole number of at least 1; got 0"):
        prior.sample(0)


@EACH
def test_gradients_reach_the_codes(make):
    prior = moved(make, 2)
    z = draws(4, 2, seed=3).requires_grad_()
    (slope,) = torch.autograd.grad(prior.log_prob(z).sum(), z)
    steps = 1e-5 * torch.eye(2, dtype=DOUBLE)
    numeric = torch.stack([(prior.log_prob(z + s) - prior.log_prob(z - s)) / 2e-5 for s in steps], -1)
    torch.testing.assert_close(slope, numeric.detach(), rtol=1e-5, atol=1e-7)


# --- one by one -----------------------------------------------------------------------------------------------


@BOTH
def test_a_gaussian_starts_as_the_standard_one_and_fits_a_crowd(dtype):
    z = draws(40, 3, dtype=dtype)
    prior = GaussianPrior(3).to(dtype)
    torch.testing.assert_close(prior.log_prob(z), td.Normal(0.0, 1.0).log_prob(z).sum(-1))
    codes = z @ draws(3, 3, seed=2, dtype=dtype) + 1
    assert prior.fit(codes) is prior
    mean, cov = codes.mean(0), torch.cov(codes.T, correction=0)
    torch.testing.assert_close(prior.log_prob(z), td.MultivariateNormal(mean, cov).log_prob(z), rtol=1e-4, atol=1e-4)
    best = prior_loss(prior, codes)
    prior.cov.mul_(1.05)
    assert prior_loss(prior, codes) > best  # the maximum of the likelihood
    prior.cov.mul_(0.95 / 1.05)
    assert prior_loss(prior, codes) > best


def test_codes_that_span_no_space_leave_the_gaussian_as_it_was():
    prior = GaussianPrior(3)
    flat = torch.randn(50, 2) @ torch.randn(2, 3)
    for codes in (flat, torch.randn(3, 3)):
        with pytest.raises(ValueError, match="codes must span all 3 dimensions"):
            prior.fit(codes)
    assert torch.equal(prior.cov, torch.eye(3)) and torch.equal(prior.mean, torch.zeros(3))


@pytest.mark.parametrize("full", [True, False])
def test_a_mixture_is_torchs(full):
    prior = moved(partial(MixturePrior, num_components=4, full=full), 3)
    lower = torch.diag_embed((-prior.log_scale).exp()) + (prior.lower.tril(-1) if full else 0)
    components = td.MultivariateNormal(prior.means, precision_matrix=lower.mT @ lower)
    expected = td.MixtureSameFamily(td.Categorical(logits=prior.logits), components)
    z = draws(6, 5, 3)
    torch.testing.assert_close(prior.log_prob(z), expected.log_prob(z), rtol=1e-9, atol=1e-9)


def test_a_mixture_starts_where_the_codes_are():
    codes = 7 + 0.1 * torch.randn(100, 2)
    prior = MixturePrior(2, 5).start(codes)
    assert all((codes == mean).all(1).any() for mean in prior.means)
    torch.testing.assert_close(prior.log_scale.exp(), codes.std(0).expand(5, 2) / 5**0.5)
    with pytest.raises(ValueError, match="codes must be at least as many as components, 5; got 4"):
        prior.start(codes[:4])


def test_a_vamp_prior_is_the_mean_of_clouds_and_trains_its_pictures_alone():
    torch.manual_seed(0)
    model, pictures = mlp_vae(9, 2), torch.rand(4, 9)
    prior = VampPrior(model.encode, pictures)
    z = torch.randn(6, 2)
    mu, logvar = model.encode(pictures)
    clouds = torch.stack(
        [td.Normal(m, (v / 2).exp()).log_prob(z).sum(-1).exp() for m, v in zip(mu, logvar, strict=True)]
    )
    torch.testing.assert_close(prior.log_prob(z), clouds.mean(0).log())
    assert [*prior.state_dict()] == ["pseudo_inputs"] and VampPrior(model, pictures).state_dict().keys() == {
        "pseudo_inputs"
    }
    before = [p.clone() for p in model.parameters()]
    fit(prior, prior_loss, torch.randn(64, 2), epochs=2, batch_size=16, device=torch.device("cpu"))
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))
    assert not torch.equal(prior.pseudo_inputs, pictures)
    prior_loss(prior, z).backward()
    assert all(p.grad is not None for p in model.encoder.parameters())  # live in an ELBO


@pytest.mark.parametrize("L", [2, 3, 5])
def test_coupling_layers_are_undone_and_their_determinant_is_autograds(L):
    prior = moved(partial(CouplingPrior, num_layers=4, hidden_dims=(8,)), L)
    z = 2 * draws(7, L, seed=4)
    u, log_det = prior.to_noise(z)
    torch.testing.assert_close(prior.to_codes(u), z, rtol=1e-11, atol=1e-11)
    jacobians = torch.stack([torch.autograd.functional.jacobian(lambda y: prior.to_noise(y)[0], row) for row in z])
    assert (jacobians.abs().amin(0) > 0).all()  # every number acts on every other
    torch.testing.assert_close(log_det, torch.linalg.slogdet(jacobians).logabsdet, rtol=1e-10, atol=1e-10)
    with pytest.raises(ValueError, match="latent_dim must be a whole number of at least 2; got 1"):
        CouplingPrior(1)


# --- flows ----------------------------------------------------------------------------------------------------


class KnownFlow(FlowMatchingPrior):
    """The flow to a mixture of Gaussians N(m_k, s_k^2 I), whose velocity is written down instead of learned.

    Given the component, z_t is Gaussian with mean t m and variance (1 - t)^2 + t^2 s^2, and the mean of z - eps given
    z_t is a straight line; over components, the mean is weighted by where z_t probably came from.
    """

    def __init__(self, means, sigmas, weights, steps):
        super().__init__(means.shape[1], hidden_dims=(1,), steps=steps)
        self.double()
        self.means, self.sigmas, self.weights = means, sigmas, weights
        components = td.Independent(td.Normal(means, sigmas[:, None].expand_as(means)), 1)
        self.target = td.MixtureSameFamily(td.Categorical(weights), components)

    def velocity(self, z, t):
        t = torch.as_tensor(t, dtype=DOUBLE).expand(z.shape[:-1])[..., None]  # (..., 1)
        variance = (1 - t) ** 2 + t**2 * self.sigmas**2  # (..., K)
        away = z.unsqueeze(-2) - t.unsqueeze(-1) * self.means  # (..., K, L)
        lines = self.means + ((t * self.sigmas**2 - (1 - t)) / variance).unsqueeze(-1) * away
        log_weights = self.weights.log() - 0.5 * (away.square().sum(-1) / variance + z.shape[-1] * variance.log())
        return (log_weights.softmax(-1).unsqueeze(-1) * lines).sum(-2)


def one_gaussian(steps=64):
    return KnownFlow(torch.tensor([[1.5]]).double(), torch.tensor([0.4]).double(), torch.ones(1).double(), steps)


def two_humps(L, steps=64):
    means = torch.stack([torch.full((L,), -1.0), torch.linspace(0.5, 1.5, L)]).double()
    return KnownFlow(means, torch.tensor([0.5, 0.7]).double(), torch.tensor([0.3, 0.7]).double(), steps)


@pytest.mark.slow
@pytest.mark.parametrize("make", [one_gaussian, partial(two_humps, 1), partial(two_humps, 2), partial(two_humps, 20)])
def test_with_the_known_velocity_the_density_is_the_known_one(make):
    flow = make(steps=100)
    z = flow.target.sample((200,))
    flow.steps *= 3 if z.shape[1] == 20 else 1
    torch.testing.assert_close(flow.log_prob(z), flow.target.log_prob(z), rtol=0, atol=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("make", [one_gaussian, partial(two_humps, 1), partial(two_humps, 3)])
def test_the_best_velocity_is_the_mean_of_the_straight_lines(make):
    """The loss is stationary in every direction exactly at the conditional mean: within five standard errors."""
    flow, n = make(), 200_000
    z, generator = flow.target.sample((n,)), torch.Generator().manual_seed(2)
    directions = [lambda y, t: y.sin(), lambda y, t: t[:, None] * y, lambda y, t: (y > 0.3) * (t < 0.5)[:, None],
                  lambda y, t: torch.ones_like(y)]  # fmt: skip
    exact = flow.velocity
    for direction in directions:
        slopes = []
        for part in z.split(n // 40):
            size = torch.zeros((), dtype=DOUBLE, requires_grad=True)
            flow.velocity = lambda y, t, a=size, d=direction: exact(y, t) + a * d(y, t)
            slopes.append(torch.autograd.grad(flow_matching_loss(flow, part, generator), size)[0])
        slopes = torch.stack(slopes)
        assert slopes.mean().abs() < 5 * slopes.std() / 40**0.5
        assert slopes.std() > 0


def test_the_loss_of_a_flow_that_stands_still_is_the_mean_squared_line():
    """E|z - eps|^2 = E|z|^2 + L, whatever the times."""
    flow, z = FlowMatchingPrior(3, hidden_dims=()).requires_grad_(False), torch.randn(200_000, 3) + 1
    for p in flow.parameters():
        p.zero_()
    expected = z.square().sum(1).mean().item() + 3
    assert flow_matching_loss(flow, z, torch.Generator().manual_seed(0)).item() == pytest.approx(expected, rel=0.01)
    torch.testing.assert_close(flow.log_prob(z[:5]), td.Normal(0.0, 1.0).log_prob(z[:5]).sum(1))


@BOTH
def test_given_times_are_the_times_of_the_loss(dtype):
    """v(z, t) = t: the loss is the mean of |t - (z - eps)|^2, here by hand."""
    flow, z, t = FlowMatchingPrior(3).to(dtype), draws(5, 3, dtype=dtype), draws(5, dtype=dtype).sigmoid()
    flow.velocity = lambda z, t: t[:, None].expand_as(z)
    eps = torch.randn(5, 3, generator=torch.Generator().manual_seed(0), dtype=dtype)
    by_hand = (t[:, None] - z + eps).square().sum(1).mean()
    torch.testing.assert_close(flow_matching_loss(flow, z, torch.Generator().manual_seed(0), t), by_hand)
    flow.velocity = lambda z, t: z  # and the place is that of the same time
    by_hand = ((1 - t[:, None]) * eps + t[:, None] * z - z + eps).square().sum(1).mean()
    torch.testing.assert_close(flow_matching_loss(flow, z, torch.Generator().manual_seed(0), t), by_hand)
    with pytest.raises(ValueError, match=r"t must have shape \(B,\) with B = 5"):
        flow_matching_loss(flow, z, t=t[:4])


@pytest.mark.slow
def test_the_divergence_is_a_change_of_variables():
    """log r by the divergence against the determinant of the Jacobian of the whole map from noise to codes."""
    flow = moved(partial(FlowMatchingPrior, hidden_dims=(16, 16), steps=100), 2, size=0.5)
    eps = draws(20, 2)
    whole = lambda e: flow.path(e)[-1]  # noqa: E731
    jacobians = torch.stack([torch.autograd.functional.jacobian(whole, e) for e in eps])
    expected = td.Normal(0.0, 1.0).log_prob(eps).sum(1) - torch.linalg.slogdet(jacobians).logabsdet
    assert torch.linalg.slogdet(jacobians).logabsdet.abs().max() > 0.1  # volumes do change
    torch.testing.assert_close(flow.log_prob(whole(eps)), expected, rtol=0, atol=1e-3)


@pytest.mark.slow
def test_the_error_of_a_step_falls_with_its_order():
    """Half the step: Euler's error halves, Heun's falls to a quarter."""
    flow, eps = two_humps(2), draws(200, 2)
    exact = flow.path(eps, 1024)[-1]
    for step, order in ((euler, 1), (heun, 2)):
        errors = [(flow.path(eps, n, step)[-1] - exact).square().mean().sqrt().item() for n in (32, 64)]
        assert math.log2(errors[0] / errors[1]) == pytest.approx(order, abs=0.15)


def test_a_path_begins_in_the_noise_and_ends_in_the_draws():
    flow = FlowMatchingPrior(3, hidden_dims=(8,), steps=7)
    path = flow.path(torch.randn(5, 3, generator=torch.Generator().manual_seed(0)))
    assert path.shape == (8, 5, 3)
    assert torch.equal(path[0], torch.randn(5, 3, generator=torch.Generator().manual_seed(0)))
    assert torch.equal(path[-1], flow.sample(5, torch.Generator().manual_seed(0)))


# --- training -------------------------------------------------------------------------------------------------


def crowd(n, seed=0):
    """Draws from two Gaussians in the plane and the entropy of their mixture, from as many draws."""
    mixture = two_humps(2).target
    torch.manual_seed(seed)
    z = mixture.sample((n,))
    return z.float(), -mixture.log_prob(z).mean().item()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("prior", "loss", "lr", "gap"),
    [
        (lambda codes: MixturePrior(2, 2).start(codes), prior_loss, 2e-2, 0.01),
        (lambda codes: MixturePrior(2, 3, full=False).start(codes), prior_loss, 2e-2, 0.01),
        (lambda codes: CouplingPrior(2, 4, (32,)), prior_loss, 1e-2, 0.15),
        (lambda codes: FlowMatchingPrior(2, (64, 64)), flow_matching_loss, 5e-3, 0.15),
    ],
    ids=["full mixture", "diagonal mixture", "coupling", "flow"],
)
def test_the_books_loop_brings_it_near_the_entropy(prior, loss, lr, gap):
    """A Gaussian stays 0.29 nats short of the entropy of codes that it has not seen."""
    codes, _ = crowd(4000)
    unseen, entropy = crowd(4000, seed=1)
    gaussian = prior_loss(GaussianPrior(2).fit(codes), unseen).item() - entropy
    torch.manual_seed(0)
    trained = prior(codes)
    fit(trained, loss, codes, epochs=25, batch_size=200, lr=lr, device=torch.device("cpu"))
    with torch.no_grad():
        short = prior_loss(trained, unseen).item() - entropy
    assert gaussian > 0.28 and -0.01 < short < gap


def test_a_density_or_velocity_of_another_shape_is_named():
    """torch's own Normal gives a number for every latent: its mean is the loss over L, and nobody was told."""
    z = draws(5, 3)
    with pytest.raises(
        ValueError, match=r"prior.log_prob must return one number per example, \(5,\); got \(5, 3\): sum"
    ):
        prior_loss(td.Normal(0.0, 1.0), z)
    flow = FlowMatchingPrior(3).double()
    for velocity, got in ((lambda z, t: z[:, :1], r"\(5, 1\)"), (lambda z, t: z[0], r"\(3,\)")):
        flow.velocity = velocity
        with pytest.raises(ValueError, match=rf"prior.velocity must return the shape of z, \(5, 3\); got {got}"):
            flow_matching_loss(flow, z)
    for field in (lambda z, t: None, lambda z, t: 1.0):
        with pytest.raises(TypeError, match=r"field must return a tensor of the shape of z, \(5, 3\); got"):
            heun(field, z, 0.0, 0.1)


def test_an_encoder_that_gives_no_clouds_is_named():
    for encode, error in ((lambda x: x, TypeError), (lambda x: (x[0], x[1]), ValueError)):
        prior = VampPrior(encode, torch.rand(2, 3))
        for call in (lambda prior=prior: prior.sample(2), lambda prior=prior: prior.log_prob(torch.zeros(4, 3))):
            with pytest.raises(error, match=r"encode must return mu and logvar, \(B, L\) each; got"):
                call()


@BOTH
def test_a_mixture_does_not_start_on_codes_that_stand_still(dtype):
    for N in range(3, 60):
        codes = draws(N, 2, seed=N, dtype=dtype)
        codes[:, 1] = 0.1 * N
        with pytest.raises(ValueError, match=f"codes must vary in every dimension; got {N} codes that do not"):
            MixturePrior(2, 2).to(dtype).start(codes)


def test_the_stored_runs_are_those_of_the_dated_run():
    stored = stored_priors()
    rows = json.loads((ROOT / "benchmarks" / "results.json").read_text(encoding="utf-8"))["priors"]
    assert {row["key"] for row in rows} == {"crowds", "digits", "faces"}
    assert stored.date == max(row["machine"]["date"] for row in rows)
    for row in rows:
        kept = getattr(stored, row["key"])
        for group, first in row["runs"][0].items():
            for name in first:
                assert kept[group][name].tolist() == [run[group][name] for run in row["runs"]]
    assert (ROOT / "vaelib" / "stored" / "priors.npz").stat().st_size < 20_000
