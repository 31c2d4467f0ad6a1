"""A loss is translated twice, by formula and by its derivatives, and what has no beta is refused."""

import itertools
import math

import pytest
import torch
from torch.nn import functional as F

from vaelib.beta import Translation, cross_entropy, kl, measure, squared_error, translate

BATCH = 8


def kl_each(mu, s):
    return 0.5 * (mu**2 + s.exp() - s - 1)  # (B, L)


def bce(x, y, **reduction):
    return F.binary_cross_entropy(y, x, **reduction)


ROWS = {  # loss, reconstruction, KL, shape, L, beta
    "sums": (lambda x, y, m, s: bce(x, y, reduction="sum") + kl_each(m, s).sum(), cross_entropy(), kl(), (784,), 20, 1),
    "scaled": (
        lambda x, y, m, s: bce(x, y) + kl_each(m, s).sum() / (len(x) * 784),
        cross_entropy("BD"), kl("B", 1 / 784), (784,), 20, 1,
    ),
    "beginner": (
        lambda x, y, m, s: bce(x, y) + kl_each(m, s).sum(1).mean(), cross_entropy("BD"), kl("B"), (784,), 20, 784,
    ),
    "two means": (
        lambda x, y, m, s: bce(x, y) + kl_each(m, s).mean(), cross_entropy("BD"), kl("BL"), (784,), 200, 3.92,
    ),
    "weight 0.00025": (
        lambda x, y, m, s: F.mse_loss(y, x) + 0.00025 * kl_each(m, s).sum(1).mean(),
        squared_error("BD"), kl("B", 0.00025), (3, 64, 64), 128, 1.536,
    ),
    "squares": (
        lambda x, y, m, s: ((y - x) ** 2).flatten(1).sum(1).mean() + kl_each(m, s).sum(1).mean(),
        squared_error("B"), kl("B"), (1, 28, 28), 2, 0.5,
    ),
    "channels": (
        lambda x, y, m, s: bce(x, y, reduction="none").mean(1).sum((1, 2)).mean() + kl_each(m, s).sum(1).mean(),
        cross_entropy("BC"), kl("B"), (3, 32, 32), 2, 3,
    ),
    "rows": (
        lambda x, y, m, s: ((y - x) ** 2).mean(1).sum() + kl_each(m, s).sum(), squared_error("H"), kl(), (5, 4), 3, 2.5,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ROWS)
def test_both_ways_agree_with_the_number_by_hand(name):
    loss, reconstruction, divergence, shape, latent_dim, beta = ROWS[name]
    measured, by_formula = measure(loss, shape, latent_dim), translate(reconstruction, divergence, shape, latent_dim)
    assert measured.likelihood == by_formula.likelihood and measured.second == "log-variance"
    assert measured.beta == pytest.approx(beta, rel=1e-9) == by_formula.beta
    assert measured.batch_size is by_formula.batch_size is None


def program(reconstruction, divergence):
    """A loss of torch means and sums over the named axes of (B, C, H, W) and (B, L)."""

    def reduced(values, mean, axes):
        for axis in range(values.dim() - 1, -1, -1):
            averaged = axes[axis] in mean or ("D" in mean and axes[axis] in "CHW")
            values = values.mean(axis) if averaged else values.sum(axis)
        return values

    def loss(x, y, mu, s):
        error = (y - x) ** 2 if reconstruction.kind == "Gaussian" else bce(x, y, reduction="none")
        first = reconstruction.weight * reduced(error, reconstruction.mean, "BCHW")
        return first + divergence.weight * reduced(kl_each(mu, s), divergence.mean, "BL")

    return loss


MEANS = ["", "B", "D", "BD", "C", "BHW", "CW"]


@pytest.mark.parametrize(("mean", "kl_mean"), list(itertools.product(MEANS, ["", "B", "L", "BL"])))
@pytest.mark.parametrize("error", [squared_error, cross_entropy])
def test_every_reduction_is_translated_as_it_is_measured(error, mean, kl_mean):
    terms = error(mean, 0.7), kl(kl_mean, 3.1)
    measured = measure(program(*terms), (3, 4, 5), 6, BATCH)
    by_formula = translate(*terms, (3, 4, 5), 6, BATCH)
    assert measured.ratio == pytest.approx(by_formula.ratio, rel=1e-9)
    assert measured.batch_size == by_formula.batch_size == (BATCH if ("B" in mean) != ("B" in kl_mean) else None)


def test_a_loss_is_a_multiple_of_the_model_it_is_translated_to():
    """Gradients in all weights of a small VAE, of mean squared error + 0.01 KL and of -log p + beta KL."""
    torch.manual_seed(0)
    encoder, decoder = torch.nn.Linear(6, 4).double(), torch.nn.Linear(2, 6).double()
    x, eps = torch.randn(BATCH, 6).double(), torch.randn(BATCH, 2).double()
    found = translate(squared_error("BD"), kl("B", 0.01), (6,), 2)
    mu, s = encoder(x).chunk(2, 1)
    y = decoder(mu + (s / 2).exp() * eps)
    weights = [*encoder.parameters(), *decoder.parameters()]
    loss = F.mse_loss(y, x) + 0.01 * kl_each(mu, s).sum(1).mean()
    for sigma, beta in ((1.0, found.beta), (found.sigma, 1.0)):
        log_p = torch.distributions.Normal(y, sigma).log_prob(x).sum(1).mean()
        model = -log_p + beta * kl_each(mu, s).sum(1).mean()
        ratios = [torch.autograd.grad(f, weights, retain_graph=True) for f in (loss, model)]
        for ours, theirs in zip(*ratios, strict=True):
            torch.testing.assert_close(ours, theirs * sigma**2 / 3)  # 2 sigma^2 c_rec, c_rec = 1 / 6


@pytest.mark.parametrize(
    ("second", "divergence"),
    [
        ("log-variance", kl_each),
        ("standard deviation", lambda m, s: kl_each(m, 2 * s.log())),
        ("variance", lambda m, s: kl_each(m, s.log())),
    ],
)
def test_what_the_second_output_is_is_found(second, divergence):
    found = measure(lambda x, y, m, s: ((y - x) ** 2).sum() + 3 * divergence(m, s).sum(), (9,), 4)
    assert found.second == second and found.beta == pytest.approx(1.5, rel=1e-9)


def test_logits_and_rounding_to_float32_are_recognised():
    def logits(x, y, m, s):
        return F.binary_cross_entropy_with_logits(y, x, reduction="sum") + 2 * kl_each(m, s).sum()

    def rounded(x, y, m, s):
        return bce(x.float(), y.float()) + kl_each(m.float(), s.float()).sum(1).mean()

    assert measure(logits, (30,), 3) == Translation("Bernoulli", pytest.approx(2), None, "log-variance")
    assert measure(rounded, (30,), 3).beta == pytest.approx(30, rel=1e-5)


def test_without_a_kl_beta_is_zero():
    assert measure(lambda x, y, m, s: F.mse_loss(y, x), (9,), 4) == Translation("Gaussian", 0.0)
    assert translate(squared_error(), kl(weight=0), (9,), 4).sigma == 0


def squares(x, y):
    return ((y - x) ** 2).sum()


NO_BETA = {
    "absolute error": (lambda x, y, m, s: (y - x).abs().sum() + kl_each(m, s).sum(), "derivative in the recon"),
    "sigma fitted to the error": (
        lambda x, y, m, s: 4.5 * squares(x, y).log() + kl_each(m, s).sum(), "derivative in the reconstruction",
    ),
    "pixels weighed": (
        lambda x, y, m, s: ((y - x) ** 2 * torch.arange(9)).sum() + kl_each(m, s).sum(), "derivative in the recon",
    ),
    "no reconstruction": (lambda x, y, m, s: kl_each(m, s).sum(), "derivative in the reconstruction"),
    "error rewarded": (lambda x, y, m, s: kl_each(m, s).sum() - squares(x, y), r"must rise with the error.*is -1"),
    "KL rewarded": (lambda x, y, m, s: squares(x, y) - kl_each(m, s).sum(), r"-1 for mu and -1 for log-variance"),
    "free nats": (
        lambda x, y, m, s: squares(x, y) + kl_each(m, s).clamp(min=0.5).sum(), "derivative in mu is no constant",
    ),
    "a capacity": (
        lambda x, y, m, s: squares(x, y) + (kl_each(m, s).sum(1).mean() - 8).abs(), "derivative in mu is no constant",
    ),
    "no KL for the spread": (lambda x, y, m, s: squares(x, y) + m.square().sum(), "derivative in the second output"),
    "half the spread": (
        lambda x, y, m, s: squares(x, y) + 2 * kl_each(m, s).sum() - m.square().sum() / 2, "is 1 for mu and 2 for",
    ),
    "sign of the log-variance": (
        lambda x, y, m, s: squares(x, y) + (s.exp() - 1 + s + m**2).sum(), "derivative in the second output",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", NO_BETA)
def test_a_loss_without_a_beta_is_refused(name):
    loss, message = NO_BETA[name]
    with pytest.raises(ValueError, match=message):
        measure(loss, (9,), 4)


@pytest.mark.parametrize("value", [lambda x, y, m, s: (y - x).sum(1), lambda x, y, m, s: 3.0, lambda x, *_: x.sum()])
def test_what_cannot_be_differentiated_is_refused(value):
    with pytest.raises(TypeError, match="loss must return one number that depends on its arguments; got"):
        measure(value, (9,), 4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((squared_error("D"), kl("B"), (9,), 4), r"batch_size must be given, .* got None"),
        ((squared_error("L"), kl(), (9,), 4), r"reconstruction can be a mean over B and W, D, each once; got 'L'"),
        ((squared_error("CD"), kl(), (3, 9, 9), 4), r"over B and C, H, W, D, each once; got 'CD'"),
        ((squared_error("BB"), kl(), (9,), 4), r"each once; got 'BB'"),
        ((squared_error(), kl("D"), (9,), 4), r"kl can be a mean over B and L, each once; got 'D'"),
        ((squared_error("B"), kl(), (9,), 4, 0), r"batch_size must be a whole number of at least 1; got 0"),
        ((squared_error(weight=0), kl(), (9,), 4), r"weight of the reconstruction must be .* above 0; got 0"),
        ((squared_error(weight=math.nan), kl(), (9,), 4), r"weight of the reconstruction .*; got nan"),
        ((squared_error(), kl(weight=-1), (9,), 4), r"weight of the KL, which the loss adds, .* above 0; got -1"),
        ((squared_error(), kl(weight=math.inf), (9,), 4), r"got inf"),
        ((squared_error(), kl(), (), 4), r"shape must be one to three sizes.*got \(\)"),
        ((squared_error(), kl(), (9,), 0), r"latent_dim must be a whole number of at least 1; got 0"),
        ((squared_error(), kl(), (9, 0), 4), r"shape\[1\] must be a whole number of at least 1; got 0"),
        ((squared_error(), kl(), 9, 4), r"shape must be one to three sizes.*got 9"),
    ],
)
def test_what_cannot_be_translated_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        translate(*arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            (kl(), squared_error(), (9,), 4),
            "reconstruction must be a term made for it, Gaussian or Bernoulli; got Term",
        ),
        ((squared_error(), 3.0, (9,), 4), "kl must be a term made for it, KL; got 3.0"),
        ((squared_error(None), kl(), (9,), 4), "mean of the reconstruction must be letters; got None"),
        ((squared_error(weight="1"), kl(), (9,), 4), "weight of the reconstruction must be .*; got '1'"),
        ((squared_error(), kl(), (9.0,), 4), r"shape\[0\] must be a whole number"),
    ],
)
def test_what_is_no_term_and_no_number_is_refused(arguments, message):
    with pytest.raises(TypeError, match=message):
        translate(*arguments)


def test_what_measure_cannot_try_is_refused():
    with pytest.raises(TypeError, match="loss must be a function; got"):
        measure(3, (9,), 4)
    with pytest.raises(TypeError, match=r"generator must be a .* or None; got"):
        measure(lambda x, y, m, s: squares(x, y), (9,), 4, generator=3)
    with pytest.raises(ValueError, match="batch_size must be a whole number of at least 2; got 1"):
        measure(lambda x, y, m, s: squares(x, y), (9,), 4, batch_size=1)


def test_sigma_and_survivors_follow_from_beta():
    found = translate(squared_error(), kl(weight=8), (3,), 2)
    assert (found.beta, found.sigma) == (4, 2)
    assert found.survivors(torch.tensor([5.0, 4.0, 3.0])).tolist() == [True, False, False]
    assert str(found) == "Gaussian: beta 4 at sigma 1, or sigma 2 at beta 1"
    bernoulli = translate(cross_entropy("B"), kl(), (3,), 2, batch_size=8)
    assert bernoulli.sigma is None and str(bernoulli) == "Bernoulli: beta 8, for batches of 8"
    with pytest.raises(TypeError, match="eigenvalues must be a"):
        found.survivors([1.0])
    with pytest.raises(ValueError, match="eigenvalues must be finite; got nan"):  # else it is above no level: silent
        found.survivors(torch.tensor([5.0, float("nan")]))
    with pytest.raises(ValueError, match="for a Gaussian likelihood only; got Bernoulli"):
        bernoulli.survivors(torch.ones(3))


def test_the_points_come_from_the_generator():
    seen = []

    def loss(x, y, m, s):
        seen.append(x)
        return squares(x, y) + kl_each(m, s).sum()

    before = torch.get_rng_state()
    for _ in range(2):
        measure(loss, (9,), 4, generator=torch.Generator().manual_seed(1))
    assert torch.equal(seen[0], seen[6]) and torch.equal(torch.get_rng_state(), before)
