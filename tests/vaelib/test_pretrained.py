"""The stored models: the bytes that were published, and, evaluated now, what the file says they reach."""

import io

import numpy as np
import pytest
import torch

from vaelib import pretrained
from vaelib.data import load
from vaelib.distributions import reparameterize
from vaelib.faces import draw, sample_factors
from vaelib.linear import pca
from vaelib.metrics import frechet_distance
from vaelib.objectives import elbo_terms
from vaelib.pretrained import stored_digits, stored_faces
from vaelib.priors import GaussianPrior
from vaelib.train import as_float


@pytest.fixture(scope="module")
def face_test():
    """The faces of `tools/train_stored.py`: the first 100 of them."""
    return as_float(draw(sample_factors(500, torch.Generator().manual_seed(1))[:100]).flatten(1))


def test_faces_reach_what_their_file_says(face_test):
    """A hundred of the five hundred test faces: their error differs from the mean of all by chance alone."""
    stored = stored_faces()
    with torch.no_grad():
        miss = (stored.model.decode(stored.model.encode(face_test)[0]) - face_test).square().mean(1)
    assert abs(miss.mean() - stored.test["squared_error"]) < 4 * miss.std() / 10
    assert stored.test["squared_error"] < 0.5 * 0.0087  # PCA with 64 numbers, chapter 7
    terms = elbo_terms(stored.model, face_test, stored.likelihood, torch.Generator().manual_seed(0))
    assert terms.kl.mean().item() == pytest.approx(stored.test["kl"], rel=0.05)
    assert -terms.elbo.mean().item() == pytest.approx(stored.test["negative_elbo"], rel=0.1)


@pytest.mark.slow
def test_faces_beat_pca_with_as_many_numbers(face_test):
    """PCA fitted on 400 faces with 32 numbers, which is little; the claim at full size stands in chapter 7."""
    x = as_float(draw(sample_factors(400, torch.Generator().manual_seed(5)), size=64).flatten(1))
    straight = pca(x.reshape(400, 3, 32, 2, 32, 2).mean((3, 5)).flatten(1), 32)
    small = face_test.reshape(100, 3, 32, 2, 32, 2).mean((3, 5)).flatten(1)
    with torch.no_grad():
        model = stored_faces().model
        rebuilt = model.decode(model.encode(face_test)[0]).reshape(100, 3, 32, 2, 32, 2).mean((3, 5)).flatten(1)
    assert (rebuilt - small).square().mean() < (straight.decode(straight.encode(small)) - small).square().mean()


def test_digits_rebuild_digits_that_they_have_not_seen():
    """The UCI digits look like MNIST, on which it was trained: rebuilt they stay themselves, and noise does not."""
    stored, x = stored_digits(), as_float(load("digits28").test_images.flatten(1))[:200]
    with torch.no_grad():
        rebuilt = stored.model.decode(stored.model.encode(x)[0]).sigmoid()
        pictures = stored.model.sample(200, torch.Generator().manual_seed(0)).sigmoid()
    others = torch.cdist(rebuilt, x)
    assert (others.argmin(1) == torch.arange(200)).float().mean() > 0.9  # nearest to its own original
    noise = torch.rand(200, 784, generator=torch.Generator().manual_seed(0))
    coarse = [of.reshape(-1, 7, 4, 7, 4).mean((2, 4)).flatten(1) for of in (x, pictures, noise)]
    assert frechet_distance(coarse[0], coarse[1]) < 0.25 * frechet_distance(coarse[0], coarse[2])


def test_digits_reach_what_their_file_says_on_mnist():
    try:
        images = load("mnist", fallback=None)
    except (OSError, ValueError):
        pytest.skip("needs MNIST, which is not at hand")
    binary = as_float(images.test_images.flatten(1)).bernoulli(generator=torch.Generator().manual_seed(1))
    stored = stored_digits()
    with torch.no_grad():
        terms = elbo_terms(stored.model, binary, stored.likelihood, torch.Generator().manual_seed(0))
    assert -terms.elbo.mean().item() == pytest.approx(stored.test["negative_elbo"], abs=0.3)
    assert terms.kl.mean().item() == pytest.approx(stored.test["kl"], abs=0.01)


@pytest.mark.slow
def test_the_flow_knows_where_the_codes_of_unseen_faces_live(face_test):
    """It gives them more nats than N(0, I) does, by an amount that no chance makes, and its draws decode to faces."""
    stored = stored_faces()
    with torch.no_grad():
        mu, logvar = stored.model.encode(face_test[:60])
        codes = reparameterize(mu, logvar, torch.Generator().manual_seed(0))
        gain = stored.prior.log_prob(codes) - GaussianPrior(64).log_prob(codes)
        made, naive = (
            stored.model.decode(sampler.sample(100, torch.Generator().manual_seed(0)))
            for sampler in (stored.prior, GaussianPrior(64))
        )
    assert gain.mean() > 5 * gain.std() / 60**0.5
    coarse = [of.reshape(-1, 3, 4, 16, 4, 16).mean((3, 5)).flatten(1) for of in (face_test, made, naive)]
    assert frechet_distance(coarse[0], coarse[1]) < 0.5 * frechet_distance(coarse[0], coarse[2])


@pytest.mark.parametrize("load_one", [stored_faces, stored_digits])
def test_the_density_of_a_flow_is_that_of_its_draws(load_one):
    """In units of the crowd it is the flow's; the volume of a unit is taken off."""
    prior = load_one().prior
    z = prior.sample(5, torch.Generator().manual_seed(0))
    inside = torch.distributions.AffineTransform(prior.mean, prior.spread, event_dim=1)
    z_in_units = inside.inv(z)
    torch.testing.assert_close(
        prior.log_prob(z), prior.flow.log_prob(z_in_units) - inside.log_abs_det_jacobian(z_in_units, z)
    )


@pytest.mark.parametrize("load_one", [stored_faces, stored_digits])
def test_a_stored_model_is_not_trained_on_by_accident_and_says_where_it_comes_from(load_one):
    stored = load_one()
    tensors = [*stored.model.parameters(), *stored.likelihood.parameters(), *stored.prior.parameters()]
    assert not any(p.requires_grad for p in tensors) and all(p.dtype == torch.float32 for p in tensors)
    assert stored.minutes > 0 and stored.examples > 30_000 and stored.date.startswith("20")
    assert set(stored.test) == {"squared_error", "negative_elbo", "kl"}


@pytest.mark.parametrize("name", pretrained._SHA256)
def test_a_damaged_file_is_refused(name, tmp_path, monkeypatch):
    good = (pretrained.files("vaelib") / "stored" / f"{name}.npz").read_bytes()
    assert len(good) < 3_000_000
    weights = dict(np.load(io.BytesIO(good)))
    assert {value.dtype for key, value in weights.items() if key != "about"} == {np.dtype("float16")}
    (tmp_path / "stored").mkdir()
    (tmp_path / "stored" / f"{name}.npz").write_bytes(good[:-100] + bytes([good[-100] ^ 1]) + good[-99:])
    monkeypatch.setattr(pretrained, "files", lambda _package: tmp_path)
    with pytest.raises(ValueError, match=f"stored/{name}.npz must have the SHA-256 {pretrained._SHA256[name]}; got"):
        pretrained._read(name)
