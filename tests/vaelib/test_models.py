from functools import partial

import pytest
import torch

from vaelib.distributions import bernoulli_log_prob
from vaelib.likelihoods import GaussianLikelihood
from vaelib.models import VAE, Autoencoder, conv_vae, mlp, mlp_vae
from vaelib.objectives import elbo_terms
from vaelib.train import fit


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
    with pytest.raises(ValueError, match=r"sizes\[1\] must be a whole number of at least 1; got 0"):
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
    model = mlp_vae(784, 20, hidden_dims=(400,))
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
    model = mlp_vae(6, 2, hidden_dims=())
    got = model.sample(50_000, torch.Generator().manual_seed(0)).detach()
    weight, bias = model.decoder[0].weight.detach(), model.decoder[0].bias.detach()
    torch.testing.assert_close(got.mean(0), bias, atol=0.02, rtol=0)  # z ~ N(0, I) through an affine map
    torch.testing.assert_close(torch.cov(got.T), weight @ weight.T, atol=0.02, rtol=0)
    assert torch.equal(got, model.sample(50_000, torch.Generator().manual_seed(0)))


def test_training_or_evaluating_changes_nothing_in_a_vae():
    model, x = mlp_vae(6, 2), torch.rand(3, 6)
    trained = [t.clone() for t in model.train().encode(x)]
    assert all(torch.equal(a, b) for a, b in zip(trained, model.eval().encode(x), strict=True))


def test_a_vae_names_wrong_shapes():
    with pytest.raises(ValueError, match=r"x must have shape \(B, 784\); got \(64, 1, 28, 28\); flatten images"):
        mlp_vae(784, 2).encode(torch.zeros(64, 1, 28, 28))
    with pytest.raises(ValueError, match=r"z must have shape \(B, 2\); got \(5, 3\)$"):
        mlp_vae(784, 2).decode(torch.zeros(5, 3))


def test_two_networks_of_your_own_make_a_vae():
    """Pictures as pictures: nothing has to be a row, and draws by the thousand reach the decoder as one batch."""
    torch.manual_seed(0)
    encoder = torch.nn.Sequential(torch.nn.Conv2d(1, 3, 4, 2, 1), torch.nn.Flatten(), torch.nn.Linear(48, 6))
    decoder = torch.nn.Sequential(torch.nn.Linear(3, 64), torch.nn.Unflatten(1, (1, 8, 8)))
    model, x = VAE(encoder, decoder, latent_dim=3), torch.rand(5, 1, 8, 8).bernoulli()
    assert model.sample(2).shape == (2, 1, 8, 8) and model.decode(torch.zeros(4, 5, 3)).shape == (4, 5, 1, 8, 8)
    terms = elbo_terms(model, x, bernoulli_log_prob, torch.Generator().manual_seed(1))
    rows = mlp_vae(64, 3)
    rows.encode, rows.decode = lambda r: model.encode(r.unflatten(1, (1, 8, 8))), lambda z: model.decode(z).flatten(1)
    torch.testing.assert_close(
        terms, elbo_terms(rows, x.flatten(1), bernoulli_log_prob, torch.Generator().manual_seed(1))
    )
    assert VAE(encoder, decoder).double().encode(x.double())[0].dtype == torch.float64


def test_a_sample_is_of_the_type_of_the_parameters():
    assert mlp_vae(4, 2).double().sample(3).dtype == torch.float64
    before = torch.get_default_dtype()
    model = mlp_vae(4, 2)
    try:
        torch.set_default_dtype(torch.float64)
        assert model.sample(3).dtype == torch.float32
    finally:
        torch.set_default_dtype(before)


def test_a_network_that_is_no_encoder_is_named():
    plain = torch.nn.Linear(4, 3)
    with pytest.raises(ValueError, match=r"encoder must return mu and logvar side by side, \(B, 2 L\); got \(5, 3\)"):
        VAE(plain, plain).encode(torch.zeros(5, 4))
    with pytest.raises(ValueError, match=r"\(B, 2 7\); got \(5, 4\)"):
        VAE(torch.nn.Linear(4, 4), plain, latent_dim=7).encode(torch.zeros(5, 4))
    with pytest.raises(ValueError, match=r"sample needs latent_dim: expected VAE\(encoder, decoder, latent_dim\)"):
        VAE(plain, plain).sample(3)


# --- pictures -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("batch", [1, 3, 7])
def test_five_layers_down_and_five_up_for_any_batch(batch):
    model = conv_vae(11, widths=(4, 5, 6, 7, 8))
    kinds = [[type(layer) for layer in part] for part in (model.encoder, model.decoder)]
    assert kinds[0].count(torch.nn.Conv2d) == kinds[1].count(torch.nn.ConvTranspose2d) == 5
    x = torch.rand(batch, 3, 64, 64).flatten(1)
    mu, logvar = model.encode(x)
    assert mu.shape == logvar.shape == (batch, 11) and model.decode(mu).shape == (batch, 12_288)
    assert model.decode(torch.zeros(2, batch, 11)).shape == (2, batch, 12_288)
    assert model.sample(batch).shape == (batch, 12_288)


def test_rows_are_pictures_and_every_sample_is_on_its_own():
    model = conv_vae(2, widths=(4, 5), size=8, channels=1).double()
    x = torch.rand(5, 64, dtype=torch.float64)
    torch.testing.assert_close(model.encode(x)[0][3], model.encode(x[3:4])[0][0])  # a batch is no context
    z = torch.randn(3, 5, 2, dtype=torch.float64)
    torch.testing.assert_close(model.decode(z)[1], model.decode(z[1]))
    by_layers = model.encoder[2:-1](4 * x.reshape(5, 1, 8, 8) - 2)
    torch.testing.assert_close(torch.cat(model.encode(x), 1), model.encoder[-1](by_layers))


def test_a_pixel_reaches_the_code_and_the_code_every_pixel():
    """Receptive fields: no row or column of the picture is cut off at an edge."""
    torch.manual_seed(0)
    model = conv_vae(8)
    x = torch.rand(1, 12_288, requires_grad=True)
    model.encode(x)[0].square().sum().backward()
    assert (x.grad.reshape(3, 64, 64).abs().amax(0) > 0).all()
    spread = torch.stack([model.decode(5 * torch.randn(1, 8)) for _ in range(8)]).std(0)
    assert (spread > 0).all()


def test_sizes_that_do_not_fit_are_refused():
    for size in (60, 16, 48):
        with pytest.raises(ValueError, match=rf"size must be a multiple of 2\^5, a half for every width; got {size}"):
            conv_vae(2, size=size)
    with pytest.raises(ValueError, match=r"x must have shape \(B, 12288\); got \(2, 3, 64, 64\); flatten images"):
        conv_vae(2).encode(torch.zeros(2, 3, 64, 64))
    with pytest.raises(ValueError, match=r"z must have shape \(B, 2\); got \(5, 3\)$"):
        conv_vae(2).decode(torch.zeros(5, 3))


def test_weights_are_channels_last_and_so_is_what_they_make():
    model = conv_vae(2)
    assert all(w.is_contiguous(memory_format=torch.channels_last) for w in model.parameters() if w.dim() == 4)
    assert model.encoder[2](torch.rand(2, 3, 64, 64)).is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("make", [conv_vae, partial(mlp_vae, 12_288)])
def test_bfloat16_stays_inside(make):
    """The convolutions on a GPU take this path by themselves; everything else does so when it is told to."""
    torch.manual_seed(0)
    model, x = make(6), torch.rand(3, 12_288)
    model.likelihood = GaussianLikelihood(-3.0)
    exact, z = model.encode(x), torch.randn(3, 6)
    with torch.autocast("cpu", torch.bfloat16):
        inside = model.encoder(x)
        rounded, decoded = model.encode(x), model.decode(z)
        terms = elbo_terms(model, x, model.likelihood)
    assert inside.dtype == torch.bfloat16  # the layers did compute in it
    assert {t.dtype for t in (*rounded, decoded, *terms)} == {torch.float32}
    torch.testing.assert_close(rounded, exact, rtol=0.05, atol=0.02)
    torch.testing.assert_close(decoded, model.decode(z), rtol=0.05, atol=0.02)
    (-terms.elbo.mean()).backward()
    assert all(p.grad.isfinite().all() and p.grad.dtype == torch.float32 for p in model.parameters())


def test_a_fresh_model_passes_colours_on():
    """The signal reaches the code and comes out again; PyTorch's own start loses it, 0.0007 and 0.0002 are left."""
    torch.manual_seed(0)
    model, z = conv_vae(16), torch.randn(40, 16)
    colours = torch.rand(40, 3, 1, 1).expand(-1, -1, 64, 64).flatten(1)
    hidden = model.decoder[:-2](z)
    assert 0.03 < model.encode(colours)[0].std(0).mean() < 2 and 0.03 < hidden.std(0).mean() < 2
    assert 0.4 < model.decode(z).mean() < 0.6 and 0 < model.decode(z).std(0).mean() < 0.5


@pytest.mark.gpu
def test_half_precision_on_a_gpu():
    model = conv_vae(6).cuda()
    x = torch.rand(5, 12_288, device="cuda")
    (loss := -elbo_terms(model, x, GaussianLikelihood(-3.0).cuda()).elbo.mean()).backward()
    assert loss.dtype == torch.float32 and all(p.grad.isfinite().all() for p in model.parameters())


def test_a_learned_sigma_finds_the_mean_squared_error():
    """The best shared variance is the error per pixel; 400 steps on a fixed error find it."""
    torch.manual_seed(0)
    x, mu = torch.rand(40, 30), torch.rand(40, 30)
    likelihood = GaussianLikelihood()
    adam = torch.optim.Adam(likelihood.parameters(), lr=0.05)
    for _ in range(400):
        adam.zero_grad()
        (-likelihood(x, mu).mean()).backward()
        adam.step()
    assert likelihood.logvar.exp().item() == pytest.approx((x - mu).square().mean().item(), rel=1e-4)
    expected = torch.distributions.Normal(mu, (likelihood.logvar / 2).exp()).log_prob(x).sum(1)
    torch.testing.assert_close(likelihood(x, mu), expected)


def test_an_assigned_likelihood_is_part_of_the_model():
    model = conv_vae(2, widths=(3, 4), size=8)
    model.likelihood = GaussianLikelihood()
    assert any(p is model.likelihood.logvar for p in model.parameters())
    start = model.likelihood.logvar.item()
    fit(model, lambda m, x: -elbo_terms(m, x, m.likelihood).elbo.mean(), torch.rand(64, 192), epochs=2, batch_size=16,
        device=torch.device("cpu"))  # fmt: skip
    assert model.likelihood.logvar.item() < start  # noise of 1 is far too much for pixels in [0, 1]
    fixed = GaussianLikelihood().requires_grad_(False)
    assert fixed(torch.zeros(1, 3), torch.zeros(1, 3)).requires_grad is False


@pytest.mark.slow
def test_a_small_model_learns_to_copy():
    """Two coloured pictures told apart by two numbers: the error falls far below that of the mean picture."""
    torch.manual_seed(0)
    x = torch.zeros(2, 3, 8, 8)
    x[0, 0, :4], x[1, 2, :, 4:] = 1, 1
    x = x.flatten(1).repeat(32, 1)
    model = conv_vae(2, widths=(16, 16), size=8)
    model.likelihood = GaussianLikelihood(-2.0)
    loss = lambda m, x: -elbo_terms(m, x, m.likelihood).elbo.mean()  # noqa: E731
    fit(model, loss, x, epochs=100, batch_size=32, lr=5e-3, device=torch.device("cpu"))
    error = (model.decode(model.encode(x)[0]) - x).square().mean()
    assert error < 0.02 * (x - x.mean(0)).square().mean()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: VAE(None, torch.nn.Linear(2, 2)), r"encoder must be a torch.nn.Module; got None \(NoneType\)"),
        (lambda: VAE(torch.nn.Linear(2, 2), len), "decoder must be a torch.nn.Module; got"),
        (
            lambda: VAE(torch.nn.Linear(2, 2), torch.nn.Linear(2, 2), "2"),
            "latent_dim must be a whole number of at least 1",
        ),
        (
            lambda: VAE(torch.nn.Linear(2, 2), torch.nn.Linear(2, 2), 1, -1),
            "data_dim must be a whole number .*; got -1",
        ),
        (lambda: VAE(torch.nn.Linear(2, 2), torch.nn.Linear(2, 2), half_on_gpu=1), "half_on_gpu must be True or False"),
        (lambda: Autoencoder(0, 2), "data_dim must be a whole number of at least 1; got 0"),
        (lambda: Autoencoder(3, 2, 4), r"hidden_dims must be a list or tuple of whole numbers; got 4 \(int\)"),
        (lambda: mlp_vae(3, 2, [4, 0]), r"hidden_dims\[1\] must be a whole number of at least 1; got 0"),
        (lambda: conv_vae(2, ()), r"widths must be at least one width; got \(\)"),
        (lambda: conv_vae(2, [4.0]), r"widths\[0\] must be a whole number of at least 1; got 4.0"),
        (lambda: mlp("12"), "sizes must be a list or tuple of whole numbers; got '12'"),
    ],
)
def test_what_makes_no_model_is_refused_when_it_is_made(make, message):
    with pytest.raises((TypeError, ValueError), match=message):
        make()


def test_networks_without_weights_can_be_sampled():
    assert VAE(torch.nn.Identity(), torch.nn.Identity(), 2).sample(3).shape == (3, 2)
