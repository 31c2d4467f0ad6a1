"""The bounds, tried on the laboratory, where log p(x) and the ELBO of any Gaussian q are known exactly."""

import math
from types import SimpleNamespace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vaelib import objectives
from vaelib.distributions import normal_log_prob, reparameterize, standard_normal_kl
from vaelib.linear import LinearGaussian
from vaelib.metrics import log_marginal_iw
from vaelib.objectives import ElboTerms, elbo_terms, iwae_bound, log_weights

DOUBLE = torch.float64


def draws(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=DOUBLE)


class Laboratory:
    """The linear-Gaussian model with a Gaussian q around the exact posterior, `widen` times as wide."""

    def __init__(self, D=3, L=2, widen=1.5, shift=0.3):
        self.exact = LinearGaussian(draws(D, L), draws(D, seed=1), 0.7)
        self.widen, self.shift = widen, shift

    def encode(self, x):
        mu, cov = self.exact.posterior(x)
        return mu + self.shift, (self.widen**2 * cov.diagonal()).log().expand_as(mu)

    def decode(self, z):
        return z @ self.exact.W.T + self.exact.b

    def log_likelihood(self, x, mu):
        return normal_log_prob(x, mu, torch.tensor(2 * math.log(self.exact.sigma), dtype=DOUBLE))


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_the_elbo_is_a_difference():
    terms = ElboTerms(torch.tensor([-3.0, -4.0]), torch.tensor([1.0, 0.5]), torch.tensor([[1.0], [0.5]]))
    assert terms.elbo.tolist() == [-4.0, -4.5]


def test_elbo_terms_average_to_the_exact_elbo():
    lab, x = Laboratory(), draws(1, 3, seed=2)
    n = 200_000
    terms = elbo_terms(lab, x.expand(n, 3), lab.log_likelihood, generator())
    mu, logvar = lab.encode(x)
    exact = lab.exact.elbo(x, mu, logvar[0].exp().diag())
    assert abs(terms.elbo.mean() - exact) < 5 * terms.elbo.std() / n**0.5
    likelihood = lab.exact.expected_log_likelihood(x, mu, logvar[0].exp().diag())
    assert abs(terms.log_likelihood.mean() - likelihood) < 5 * terms.log_likelihood.std() / n**0.5
    weights = log_weights(lab, x, lab.log_likelihood, n, generator(1))[:, 0]  # another estimate of the same ELBO
    assert abs(weights.mean() - exact) < 5 * weights.std() / n**0.5


def test_weights_average_to_the_evidence():
    lab, x = Laboratory(), draws(2, 3, seed=2)
    weights = log_weights(lab, x, lab.log_likelihood, 400_000, generator()).exp()
    assert ((weights.mean(0) - lab.exact.log_prob(x).exp()).abs() < 5 * weights.std(0) / 400_000**0.5).all()


def test_weights_do_not_vary_when_q_is_the_posterior():
    """With one latent dimension the diagonal q is the posterior itself, and every draw gives log p(x)."""
    lab, x = Laboratory(L=1, widen=1.0, shift=0.0), draws(4, 3, seed=2)
    weights = log_weights(lab, x, lab.log_likelihood, 7, generator())
    torch.testing.assert_close(weights, lab.exact.log_prob(x).expand(7, 4), rtol=0, atol=1e-10)
    for estimate in (iwae_bound, log_marginal_iw):
        value = estimate(lab, x, lab.log_likelihood, 5, generator())
        torch.testing.assert_close(value, lab.exact.log_prob(x), rtol=0, atol=1e-10)


def test_the_bound_rises_with_more_samples_and_its_bias_falls_as_one_over_k():
    lab, x = Laboratory(L=1, widen=1.5, shift=0.0), draws(1, 3, seed=2)
    ks, bias = (4, 16, 64, 256), []
    for k in ks:
        n = 800_000 // k
        log_ratio = iwae_bound(lab, x.expand(n, 3), lab.log_likelihood, k, generator(k)) - lab.exact.log_prob(x)
        # exp(log_ratio) - 1 has mean zero, because the weights are unbiased: subtracting it removes most noise
        bias.append((log_ratio - log_ratio.expm1()).mean().item())
    assert bias[0] < bias[1] < bias[2] < bias[3] < 0
    slope = math.log(bias[-1] / bias[0]) / math.log(ks[-1] / ks[0])
    assert slope == pytest.approx(-1, abs=0.05)


@pytest.mark.parametrize("chunk", [1, 3, 7, 100])
def test_streaming_changes_nothing(monkeypatch, chunk):
    lab, x = Laboratory(), draws(4, 3, seed=2)
    noise = draws(20, 4, 2, seed=3)

    def use_noise():
        left = iter(noise)
        fake = lambda mu, logvar, generator: mu + (logvar / 2).exp() * torch.stack([next(left) for _ in mu])  # noqa: E731
        monkeypatch.setattr(objectives, "reparameterize", fake)

    use_noise()
    whole = iwae_bound(lab, x, lab.log_likelihood, 20)
    use_noise()
    streamed = log_marginal_iw(lab, x, lab.log_likelihood, 20, chunk=chunk)
    torch.testing.assert_close(streamed, whole, rtol=0, atol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize(("pictures", "at_once"), [(1, [600, 400]), (200, [600] * 333 + [200]), (2000, [2000] * 1000)])
def test_the_decoder_sees_about_600_codes_at_once(pictures, at_once):
    lab, seen = Laboratory(), []
    decode = lab.decode
    lab.decode = lambda z: seen.append(len(z)) or decode(z)
    log_marginal_iw(lab, draws(pictures, 3), lab.log_likelihood, 1000)
    assert seen == at_once


def test_the_encoder_is_asked_once():
    lab, calls = Laboratory(), []
    encode = lab.encode
    lab.encode = lambda x: calls.append(1) or encode(x)
    log_marginal_iw(lab, draws(4, 3), lab.log_likelihood, 30, chunk=4)
    assert len(calls) == 1


def test_gradients_reach_encoder_and_decoder():
    """Autograd on one fixed draw against central differences, for the mean of q and for W."""
    lab, x = Laboratory(), draws(4, 3, seed=2)
    mu, logvar = lab.encode(x)
    W = lab.exact.W

    def value(mu, logvar, W):
        lab.encode, lab.exact = lambda x: (mu, logvar), lab.exact._replace(W=W)
        return elbo_terms(lab, x, lab.log_likelihood, generator()).elbo.sum()

    inputs = [t.detach().clone().requires_grad_() for t in (mu, logvar, W)]
    assert torch.autograd.gradcheck(value, inputs, eps=1e-6, atol=1e-6)


@settings(deadline=None, max_examples=20)
@given(st.lists(st.integers(1, 8), min_size=4, max_size=4, unique=True))
def test_shapes(sizes):
    K, B, D, L = sizes
    lab, x = Laboratory(D, L), draws(B, D)
    terms = elbo_terms(lab, x, lab.log_likelihood)
    assert terms.log_likelihood.shape == terms.kl.shape == terms.elbo.shape == (B,)
    assert (terms.kl >= 0).all()
    assert log_weights(lab, x, lab.log_likelihood, K).shape == (K, B)
    assert iwae_bound(lab, x, lab.log_likelihood, K).shape == (B,)
    assert log_marginal_iw(lab, x, lab.log_likelihood, K, chunk=2).shape == (B,)


def test_leading_dimensions_are_kept():
    class Plain:
        encode = staticmethod(lambda x: (x[..., :2], x[..., :2]))
        decode = staticmethod(lambda z: z)

    x = draws(5, 4, 3)
    terms = elbo_terms(Plain(), x, lambda x, z: z.sum(-1))
    assert terms.elbo.shape == (5, 4)
    with pytest.raises(ValueError, match=r"\(5, 4\); got \(5,\)"):
        elbo_terms(Plain(), x, lambda x, z: z.sum((-1, -2)))


def test_a_likelihood_that_is_not_summed_is_refused():
    lab, x = Laboratory(), draws(4, 3)
    with pytest.raises(ValueError, match=r"one number per example, \(4,\); got \(4, 3\): sum over the event"):
        elbo_terms(lab, x, lambda x, mu: -((x - mu) ** 2))
    with pytest.raises(ValueError, match=r"\(5, 4\); got \(\)"):
        log_weights(lab, x, lambda x, mu: -((x - mu) ** 2).mean(), 5)


@pytest.mark.parametrize("k", [0, -3])
def test_no_samples_no_estimate(k):
    lab, x = Laboratory(), draws(4, 3)
    with pytest.raises(ValueError, match=f"num_samples must be a whole number of at least 1; got {k}"):
        iwae_bound(lab, x, lab.log_likelihood, k)
    with pytest.raises(ValueError, match=f"at least 1; got {k}"):
        log_marginal_iw(lab, x, lab.log_likelihood, k)
    with pytest.raises(ValueError, match="chunk must be a whole number of at least 1; got 0"):
        log_marginal_iw(lab, x, lab.log_likelihood, 5, chunk=0)


def test_another_prior_changes_the_bound_by_what_it_says():
    """On common noise the bounds differ by log r(z) - log p(z), to rounding, and so do the importance weights."""
    lab, x = Laboratory(), draws(5, 3, seed=2)
    shifted = SimpleNamespace(log_prob=lambda z: normal_log_prob(z, z * 0 + 1, z * 0))
    plain = elbo_terms(lab, x, lab.log_likelihood, generator())
    other = elbo_terms(lab, x, lab.log_likelihood, generator(), shifted)
    gain = lambda z: shifted.log_prob(z) - normal_log_prob(z, z * 0, z * 0)  # noqa: E731
    mu, logvar = lab.encode(x)
    torch.testing.assert_close(other.elbo - plain.elbo, gain(reparameterize(mu, logvar, generator())))
    torch.testing.assert_close(plain.kl_per_dim.sum(-1), plain.kl)
    torch.testing.assert_close(plain.kl, standard_normal_kl(mu, logvar))
    several = log_weights(lab, x, lab.log_likelihood, 3, generator(), shifted)
    z = reparameterize(mu.expand(3, 5, 2), logvar, generator())
    torch.testing.assert_close(several - log_weights(lab, x, lab.log_likelihood, 3, generator()), gain(z))
    with pytest.raises(ValueError, match=r"prior.log_prob must return one number per example, \(5,\); got \(5, 2\)"):
        elbo_terms(lab, x, lab.log_likelihood, prior=SimpleNamespace(log_prob=lambda z: z))


@pytest.mark.parametrize(
    ("q", "error", "message"),
    [
        (
            lambda x: x,
            TypeError,
            r"encode must return mu and logvar, \(B, L\) each; got shape \(2, 3\) \(torch.Tensor\)",
        ),
        (lambda x: (x, x, x), TypeError, r"encode must return mu and logvar, \(B, L\) each; got"),
        (lambda x: (x[0], x[1]), ValueError, r"\(B, L\) each; got \(3,\) and \(3,\) for x \(2, 3\)"),
        (lambda x: (x[:1], x[:1]), ValueError, r"\(B, L\) each; got \(1, 3\) and \(1, 3\) for x \(2, 3\)"),
        (lambda x: (x, x[:, :1]), ValueError, "logvar must have the last dimension of mu, 3"),
        (lambda x: (x, None), TypeError, "logvar must be a torch.Tensor; got NoneType"),
    ],
)
def test_what_is_no_encoder_is_named(q, error, message):
    """An autoencoder's code of two examples unpacks as well: into two rows, taken for mu and logvar."""
    model, likelihood = SimpleNamespace(encode=q, decode=lambda z: z), lambda x, z: (x - z).sum(-1)
    for call in (elbo_terms, lambda *a: iwae_bound(*a, 3), lambda *a: log_marginal_iw(*a, 3)):
        with pytest.raises(error, match=message):
            call(model, draws(2, 3), likelihood)


def test_a_likelihood_or_prior_that_gives_no_tensor_is_named():
    lab, x = Laboratory(), draws(4, 3)
    with pytest.raises(
        TypeError, match=r"log_likelihood must return one number per example, \(4,\); got 3.0 \(float\)"
    ):
        elbo_terms(lab, x, lambda x, mu: 3.0)
    with pytest.raises(TypeError, match=r"prior.log_prob must return one number per example, \(4,\); got None"):
        elbo_terms(lab, x, lab.log_likelihood, prior=SimpleNamespace(log_prob=lambda z: None))
    with pytest.raises(TypeError, match="prior must have the function log_prob; got 3"):
        elbo_terms(lab, x, lab.log_likelihood, prior=3)
