"""Chapter 11's benchmark: noise by scale is a density, the parts add up, and all points are stored together."""

import numpy as np
import pytest
import torch

from benchmarks import blur, blur_models
from vaelib.blur import stored_blur


def test_noise_by_scale_is_a_gaussian_whose_covariance_is_the_same_at_every_place():
    """Against torch's density with the full covariance of 4 x 4 pixels and three channels."""
    likelihood = blur_models.ScaleGaussian(4, 0.0).double()
    likelihood.logvar.data = torch.tensor([0.3, -1.0, 0.5, -2.0]).double()
    power = likelihood.logvar.detach().exp()[likelihood.ring]  # (4, 4), variance of every wave
    place = torch.cartesian_prod(torch.arange(4), torch.arange(4))
    apart = (place[:, None] - place) % 4
    one = torch.fft.ifft2(power).real[apart[..., 0], apart[..., 1]]
    whole = torch.block_diag(one, one, one)
    x, y = torch.randn(2, 5, 48, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    exact = torch.distributions.MultivariateNormal(y, whole).log_prob(x)
    torch.testing.assert_close(likelihood(x, y), exact)
    with pytest.raises(AssertionError):
        torch.testing.assert_close(likelihood(x, y), torch.distributions.Normal(y, 1.0).log_prob(x).sum(1))


def test_the_parts_of_a_reconstruction_add_up_to_the_picture():
    x, y = torch.randn(2, 6, 3 * 32 * 32, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(blur.parts(x, y).sum(0), blur.parts(x, x)[0])


def test_a_picture_that_never_changes_has_no_power():
    """With the mean of other pictures taken off, a grey square would have their power, and a cross term."""
    x, grey = torch.rand(6, 3 * 32 * 32), torch.full((6, 3 * 32 * 32), 0.5)
    kept, left, cross = blur.parts(x, grey)
    assert kept.abs().max() < 1e-12 and cross.abs().max() < 1e-12
    torch.testing.assert_close(left, blur.parts(x, x)[0])


@pytest.mark.parametrize("sigma", list(blur_models.LIKELIHOODS))
def test_every_network_gives_its_likelihood_what_it_takes(sigma):
    torch.manual_seed(0)
    model, x = blur_models.build(4, sigma), torch.rand(3, 3 * 32 * 32)
    for kind in ("plain", "vae"):
        assert blur.loss_of(kind)(model, x).isfinite()
    assert model.likelihood.mean(model.decode(torch.zeros(2, 4))).shape == (2, 3 * 32 * 32)


@pytest.mark.slow
def test_a_point_runs_alone_and_all_are_stored_together(monkeypatch, tmp_path):
    monkeypatch.setattr(blur, "FACES", 64)
    monkeypatch.setattr(blur, "TEST", 8)
    monkeypatch.setattr(blur, "EPOCHS", 1)
    blur.faces.cache_clear()
    found = {name: blur.run(f"wide-{name}-0") for name in ("plain-one", "vae-scale", "long-shared")}
    assert np.isnan(found["plain-one"]["bits"]) and found["vae-scale"]["bits"] > 0
    whole = [{**found["plain-one" if "plain" in point else "vae-scale"], "point": point} for point in blur.POINTS]
    with pytest.raises(ValueError, match="every point must be there; got none of narrow-plain-one-0"):
        blur.store(whole[1:])
    blur.store(whole, tmp_path / "blur.npz")
    kept, ours = dict(np.load(tmp_path / "blur.npz")), stored_blur()
    assert kept["names"].tolist() + kept["names_fewer"].tolist() == list(ours.spectra)
    assert kept["spectra"].shape[1:] == (blur.SEEDS, 3, len(ours.data))
    blur.faces.cache_clear()
