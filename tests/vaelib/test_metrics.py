import copy
import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from vaelib.distributions import bernoulli_log_prob, normal_log_prob
from vaelib.linear import LinearGaussian
from vaelib.metrics import (
    active_units,
    bits_per_dim,
    classifier_features,
    log_marginal_iw,
    principal_angles,
)
from vaelib.models import VAE, mlp_vae


def basis(*columns):
    return torch.tensor(columns, dtype=torch.float64).T


def test_known_angles_in_any_basis():
    t = math.radians(30)
    plane = basis([1, 0, 0, 0], [0, 1, 0, 0])
    tilted = basis([1, 0, 0, 0], [0, math.cos(t), math.sin(t), 0])
    mixed = tilted @ torch.tensor([[2.0, 1.0], [-3.0, 0.5]], dtype=torch.float64)  # same subspace, other columns
    torch.testing.assert_close(principal_angles(plane, mixed), torch.tensor([30.0, 0.0]).double(), atol=1e-5, rtol=0)
    assert principal_angles(plane, basis([0, 0, 1, 0])).tolist() == pytest.approx([90])
    assert principal_angles(basis([0, 0, 1, 0], [1, 0, 0, 0]), basis([0, 0, 0, 1], [1, 1, 0, 0])).tolist() == (
        pytest.approx([90, 45])
    )


@pytest.mark.parametrize(("dtype", "rounding"), [(torch.float32, 1e-5), (torch.float64, 1e-13)], ids=str)
@pytest.mark.parametrize("angle", [0.0, 1e-9, 1e-4, 0.01, 44.0, 46.0, 89.999])
def test_small_angles_keep_their_digits(angle, dtype, rounding):
    """By the arccosine alone, 0.01 degrees are 0.02 or 0 in float32."""
    t = math.radians(angle)
    got = principal_angles(basis([1, 0]).to(dtype), basis([math.cos(t), math.sin(t)]).to(dtype))
    assert got.item() == pytest.approx(angle, rel=1e-6, abs=rounding)


def test_spaces_of_different_size_are_compared_over_the_smaller():
    wide, narrow = basis([1, 0, 0], [0, 1, 0]), basis([1, 1, 0])
    assert principal_angles(wide, narrow).tolist() == pytest.approx([0], abs=1e-6)
    assert principal_angles(narrow, wide).tolist() == pytest.approx([0], abs=1e-6)
    with pytest.raises(ValueError, match=r"b must have shape \(D, M\) with D = 3; got \(2, 1\)"):
        principal_angles(wide, basis([1, 0]))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("scale", [1e-8, 1.0, 1e8])
def test_columns_that_depend_on_each_other_are_no_basis(scale, dtype):
    """Their angle was that of a column of rounding noise: a number, and another one the next time."""
    good = scale * torch.randn(6, 2, generator=torch.Generator().manual_seed(0), dtype=dtype)
    mixed = good @ torch.tensor([[1.0, 2, 3], [4, 5, 6]], dtype=dtype)
    zero = torch.cat([good, torch.zeros(6, 1, dtype=dtype)], 1)
    for bad in (mixed, zero, torch.cat([good[:, :1]] * 2, 1), good.T):
        whole = torch.eye(len(bad), dtype=dtype)
        for call in (lambda a=bad, b=whole: principal_angles(a, b), lambda a=bad, b=whole: principal_angles(b, a)):
            with pytest.raises(ValueError, match=r"[ab] must have independent columns; got .* of lower rank"):
                call()
    units = good * torch.tensor([1.0, 1e-6], dtype=dtype)  # a basis whatever unit each column is in
    assert principal_angles(units, good).max() < (1e-5 if dtype == torch.float64 else 1e-1)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize(("apart", "is_basis"), [(0.8, False), (1.2, True)])
def test_columns_are_dependent_where_numpys_rank_says_so(apart, is_basis, dtype):
    """The smallest singular value is measured in the largest one, which is 1 only for orthogonal columns."""
    lean = apart * 1000 * torch.finfo(dtype).eps * 2  # 1 and 1 + lean beside it: sqrt(2) and lean / sqrt(2)
    pair = torch.zeros(1000, 2, dtype=dtype)
    pair[0], pair[1, 1] = 1, lean
    assert (np.linalg.matrix_rank(pair.numpy()) == 2) == is_basis
    if is_basis:
        assert principal_angles(pair, pair).max() < 1e-3
    else:
        with pytest.raises(ValueError, match="a must have independent columns"):
            principal_angles(pair, pair)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: principal_angles(torch.eye(3) / 0, torch.eye(3)), ValueError, "a must be finite; got"),
        (lambda: principal_angles(torch.eye(3), torch.eye(3).long()), TypeError, "b must be real and floating"),
        (lambda: principal_angles(torch.eye(3), torch.eye(3).double()), TypeError, "b must have the dtype of a"),
        (lambda: principal_angles(torch.zeros(3, 0), torch.eye(3)), ValueError, "a must not be empty"),
        (lambda: principal_angles(torch.eye(3), [[1.0]]), TypeError, "b must be a torch.Tensor; got list"),
        (lambda: active_units(torch.full((5, 2), float("nan"))), ValueError, "mu must be finite; got nan"),
        (lambda: active_units(torch.eye(3).long()), TypeError, "mu must be real and floating"),
        (lambda: active_units(torch.eye(3), threshold=float("nan")), ValueError, "threshold must be a finite number"),
        (lambda: active_units(torch.eye(3), threshold="much"), TypeError, "threshold must be a finite number"),
    ],
)
def test_estimates_of_nothing_are_refused(call, error, message):
    """NaN is above no threshold: a model that has diverged looked collapsed."""
    with pytest.raises(error, match=message):
        call()


def test_estimates_in_half_precision_are_those_of_its_numbers():
    mu = torch.randn(4000, 3, generator=torch.Generator().manual_seed(0)) * torch.tensor([1.0, 0.09, 0.11])
    assert active_units((mu + 3).half()).tolist() == [True, False, True]
    a = torch.randn(6, 2, generator=torch.Generator().manual_seed(0)).bfloat16()
    torch.testing.assert_close(principal_angles(a, a.flip(0)), principal_angles(a.float(), a.flip(0).float()))


def test_active_units_are_those_whose_mean_moves():
    generator = torch.Generator().manual_seed(0)
    spreads = torch.tensor([1.0, 0.2, 0.05, 0.0])  # variances 1, 0.04, 0.0025, 0
    mu = 3 + spreads * torch.randn(5000, 4, generator=generator)  # a constant mean says nothing, however large
    assert active_units(mu).tolist() == [True, True, False, False]
    assert active_units(mu, threshold=0.1).tolist() == [True, False, False, False]
    with pytest.raises(ValueError, match=r"mu must have shape \(N, L\) with N at least 2; got \(1, 4\)"):
        active_units(mu[:1])


def test_one_step_on_one_example_is_allowed():
    x, labels = torch.eye(3), torch.arange(3)
    assert classifier_features(x, labels, hidden_dims=(2,), steps=1, batch_size=1)(x).shape == (3, 2)
    for none in ({"steps": 0}, {"batch_size": 0}):
        with pytest.raises(ValueError, match=f"{next(iter(none))} must be a whole number of at least 1; got 0"):
            classifier_features(x, labels, **none)


@pytest.mark.slow
def test_features_separate_what_they_were_trained_to_separate():
    torch.manual_seed(0)
    labels = torch.arange(600) % 3
    x = torch.eye(3)[labels].repeat(1, 4) + 0.3 * torch.randn(600, 12)
    features = classifier_features(x, labels, hidden_dims=(16, 5), steps=200)
    found = features(x)
    assert found.shape == (600, 5) and not found.requires_grad and (found >= 0).all()
    middles = torch.stack([found[labels == k].mean(0) for k in range(3)])
    assert (torch.cdist(found, middles).argmin(1) == labels).float().mean() > 0.95
    with pytest.raises(ValueError, match=r"labels must have shape \(600,\), one for each example; got \(599,\)"):
        classifier_features(x, labels[1:])


def test_streaming_over_draws_is_encoding_every_copy_with_the_same_noise():
    """One picture at a time, its copies encoded again: the same log p(x) to a thousandth of a nat."""
    torch.manual_seed(0)
    model, x = mlp_vae(30, 4, (16,)).requires_grad_(False), torch.rand(7, 30).bernoulli()
    found = log_marginal_iw(model, x, bernoulli_log_prob, 100, torch.Generator().manual_seed(1), chunk=40)
    generator = torch.Generator().manual_seed(1)
    noise = torch.cat([torch.randn(k, 7, 4, generator=generator) for k in (40, 40, 20)])
    for one, eps, log_px in zip(x, noise.unbind(1), found, strict=True):
        copies = one.expand(100, -1)
        mu, logvar = model.encode(copies)
        z = mu + (logvar / 2).exp() * eps
        weights = bernoulli_log_prob(copies, model.decode(z)) + normal_log_prob(z, 0 * z, 0 * z)
        weights = (weights - normal_log_prob(z, mu, logvar)).double()
        assert log_px.item() == pytest.approx(weights.exp().mean().log().item(), abs=1e-3)


def test_bits_per_dim_of_a_fair_coin_and_of_an_even_density():
    coins = 784 * torch.tensor([0.5], dtype=torch.float64).log()
    torch.testing.assert_close(bits_per_dim(coins, 784), torch.ones(1, dtype=torch.float64))
    flat = torch.zeros(3)  # log of the even density on [0, 1]: every one of 256 levels has one chance in 256
    torch.testing.assert_close(bits_per_dim(flat, 12_288, levels=256), torch.full((3,), 8.0))
    for dims, levels, name in ((0, 1, "dims"), (5, 0, "levels")):
        with pytest.raises(ValueError, match=f"{name} must be a whole number of at least 1; got 0"):
            bits_per_dim(flat, dims, levels)


@pytest.mark.slow
def test_another_prior_moves_log_p_exactly():
    """The linear laboratory with p(z) = N(0, 4 I) is the one with twice the weights and p(z) = N(0, I)."""
    wide = SimpleNamespace(
        log_prob=lambda z: normal_log_prob(z, torch.zeros_like(z), torch.full_like(z, math.log(4.0)))
    )
    generator = torch.Generator().manual_seed(0)
    W = torch.randn(6, 2, generator=generator, dtype=torch.float64)
    exact = LinearGaussian(2 * W, torch.zeros(6, dtype=torch.float64), 0.7)
    x = torch.randn(4, 6, generator=generator, dtype=torch.float64)
    mean, cov = LinearGaussian(W, torch.zeros(6, dtype=torch.float64), 0.7).posterior(x)
    logvar = (1.5 * cov.diagonal()).log().expand(4, 2)
    model = SimpleNamespace(encode=lambda x: (mean, logvar), decode=lambda z: z @ W.T)
    spread = torch.tensor(2 * math.log(0.7), dtype=torch.float64)
    found = log_marginal_iw(
        model, x, lambda x, mu: normal_log_prob(x, mu, spread), 40_000, generator=generator, prior=wide
    )
    torch.testing.assert_close(found, exact.log_prob(x), atol=0.05, rtol=0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_looking_for_log_p_leaves_the_model_as_it_was(dtype):
    """Batch statistics moved with every look, dropout made another model of it, and both changed the estimate."""
    torch.manual_seed(0)
    hidden = [torch.nn.Linear(6, 8), torch.nn.BatchNorm1d(8), torch.nn.Dropout(0.5), torch.nn.ReLU()]
    model = VAE(torch.nn.Sequential(*hidden, torch.nn.Linear(8, 4)), torch.nn.Linear(2, 6), 2).to(dtype)
    model.encoder[3].eval()
    x, before = torch.rand(5, 6, dtype=dtype).round(), copy.deepcopy(model.state_dict())
    found = [log_marginal_iw(model, x, bernoulli_log_prob, 9, torch.Generator().manual_seed(1)) for _ in range(2)]
    assert torch.equal(*found)
    assert all(torch.equal(a, b) for a, b in zip(before.values(), model.state_dict().values(), strict=True))
    assert [layer.training for layer in model.encoder] == [True, True, True, False, True] and model.training
    alone = log_marginal_iw(model.eval(), x, bernoulli_log_prob, 9, torch.Generator().manual_seed(1))
    assert torch.equal(found[0], alone)
