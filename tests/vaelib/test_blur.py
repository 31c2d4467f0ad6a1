"""The stored runs of chapter 11: complete, and of one piece with what they were measured by."""

import torch

from vaelib.blur import stored_blur


def test_the_parts_of_every_run_add_up_to_the_power_of_the_data():
    stored = stored_blur()
    assert stored.count.sum() == 32 * 32 and len(stored.spectra) == 2 * (3 + 4 * 2) + 4 * 2
    for name, spectra in stored.spectra.items():
        seeds = 5 if name in [f"{kind} {code}" for kind in full() for code in ("mean", "drawn")] else 3
        assert spectra.shape == (seeds, 3, len(stored.data)) and stored.errors[name].shape == (seeds,)
        torch.testing.assert_close(spectra.sum(1), stored.data.expand(seeds, -1), rtol=1e-5, atol=1e-6)


def full():
    kinds = [("plain", "one pixel scale"), ("vae", "one shared pixel scale")]
    return [f"{w} {kind} {s}" for w in ("narrow", "wide") for kind, sigmas in kinds for s in sigmas.split()]


def test_the_error_a_pixel_is_the_power_of_the_residual_and_the_square_of_its_mean():
    """By Parseval; the residual is less its mean over the faces, which the error counts."""
    stored = stored_blur()
    for name, spectra in stored.spectra.items():
        per_pixel = (spectra[:, 1] * stored.count).sum(-1) / stored.count.sum()
        assert (per_pixel < stored.errors[name]).all() and (per_pixel > 0.8 * stored.errors[name]).all(), name


def test_what_is_named_is_there():
    stored = stored_blur()
    vaes = {kind for kind in full() if "vae" in kind} | {"wide long shared"}
    assert (
        set(stored.kl) == set(stored.bits) == vaes | {f"wide vae {s}" for s in ("continuous", "logistic", "bernoulli")}
    )
    assert set(stored.pictures) == {kind for kind in full() if kind.startswith("wide")}
    assert stored.faces.shape == (4, 3, 32, 32) and 0 <= stored.faces.min() <= stored.faces.max() <= 1
    assert all(bool((kl > 0).all()) for kl in stored.kl.values())
