import pytest
import torch

from vaelib.distributions import bernoulli_log_prob
from vaelib.models import VAE, Autoencoder, mlp
from vaelib.objectives import elbo_terms


def test_layers_mirror_each_other():
    model = Autoencoder(20, 3, hidden_dims=(11, 7))
    weights = [tuple(p.shape) for p in model.parameters() if p.dim() == 2]
    assert weights == [(11, 20), (7, 11), (3, 7), (7, 3), (11, 7), (20, 11)]
    x = torch.rand(5, 20)
    assert model.encode(x).shape == (5, 3) and model(x).shape == (5, 20)
    torch.testing.assert_close(model(x), model.decode(model.encode(x)))


def test_no_hidden_layer_makes_it_linear_with_biases():
    model = Autoencoder(6, 2, hidden_dims=()).double()
    a, b = torch.randn(2, 4, 6, dtype=torch.float64)
    torch.testing.assert_close(model((a + b) / 2), (model(a) + model(b)) / 2)  # affine: it commutes with averages
    assert [tuple(p.shape) for p in model.parameters()] == [(2, 6), (2,), (6, 2), (6,)]


def test_the_last_layer_is_bare():
    assert (mlp([3, 8, 2])(torch.randn(500, 3)) < 0).any()  # no ReLU, no sigmoid at the end
    with pytest.raises(ValueError, match=r"at least two widths of 1 or more; got \[3\]"):
        mlp([3])
    with pytest.raises(ValueError, match=r"got \[3, 0\]"):
        mlp([3, 0])


def test_wrong_shapes_are_named():
    model = Autoencoder(784, 2)
    with pytest.raises(ValueError, match=r"x must have shape \(B, 784\); got \(64, 28, 28\); flatten images"):
        model.encode(torch.zeros(64, 28, 28))
    with pytest.raises(ValueError, match=r"x must have shape \(B, 784\); got \(784,\)$"):
        model(torch.zeros(784))
    with pytest.raises(ValueError, match=r"z must have shape \(B, 2\); got \(5, 3\)$"):
        model.decode(torch.zeros(5, 3))


def test_a_vae_encodes_to_a_mean_and_a_log_variance():
    model = VAE(784, 20, hidden_dims=(400,))
    assert (
        sum(p.numel() for p in model.parameters()) == 784 * 400 + 400 + 400 * 40 + 40 + 20 * 400 + 400 + 400 * 784 + 784
    )
    x = torch.rand(5, 784)
    mu, logvar = model.encode(x)
    both = model.encoder(x)
    assert torch.equal(mu, both[:, :20]) and torch.equal(logvar, both[:, 20:])
    assert model.decode(torch.randn(7, 5, 20)).shape == (7, 5, 784)  # K draws at once
    terms = elbo_terms(model, x.bernoulli(), bernoulli_log_prob)
    assert terms.log_likelihood.shape == terms.kl.shape == (5,)


def test_samples_are_decoded_draws_from_the_prior():
    model = VAE(6, 2, hidden_dims=())
    got = model.sample(50_000, torch.Generator().manual_seed(0)).detach()
    weight, bias = model.decoder[0].weight.detach(), model.decoder[0].bias.detach()
    torch.testing.assert_close(got.mean(0), bias, atol=0.02, rtol=0)  # z ~ N(0, I) through an affine map
    torch.testing.assert_close(torch.cov(got.T), weight @ weight.T, atol=0.02, rtol=0)
    assert torch.equal(got, model.sample(50_000, torch.Generator().manual_seed(0)))


def test_training_or_evaluating_changes_nothing_in_a_vae():
    model, x = VAE(6, 2), torch.rand(3, 6)
    trained = [t.clone() for t in model.train().encode(x)]
    assert all(torch.equal(a, b) for a, b in zip(trained, model.eval().encode(x), strict=True))


def test_a_vae_names_wrong_shapes():
    with pytest.raises(ValueError, match=r"x must have shape \(B, 784\); got \(64, 1, 28, 28\); flatten images"):
        VAE(784, 2).encode(torch.zeros(64, 1, 28, 28))
    with pytest.raises(ValueError, match=r"z must have shape \(B, 2\); got \(5, 3\)$"):
        VAE(784, 2).decode(torch.zeros(5, 3))
