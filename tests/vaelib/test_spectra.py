"""Power by scale and variance in three parts, against pictures whose answer is known exactly."""

import math

import pytest
import torch

from vaelib.linear import LinearGaussian
from vaelib.metrics import radial_spectrum, variance_parts

DTYPES = pytest.mark.parametrize(("dtype", "rounding"), [(torch.float32, 1e-5), (torch.float64, 1e-12)], ids=str)


def noise(*shape, seed=0, dtype=torch.float64):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


@DTYPES
@pytest.mark.parametrize("side", [1, 2, 7, 16])
def test_all_rings_together_are_the_sum_of_squares(side, dtype, rounding):
    x = noise(5, 3, side, side, dtype=dtype)
    found = radial_spectrum(x)
    assert found.power.dtype == dtype and found.count.sum() == side**2
    squares = x.square().sum((-1, -2)).mean()  # of one channel
    torch.testing.assert_close((found.count * found.power).sum(), squares, rtol=rounding, atol=rounding)
    assert found.frequency.tolist() == list(range(len(found.count)))


@DTYPES
@pytest.mark.parametrize(("across", "down"), [(0, 0), (3, 0), (0, 5), (3, 4), (5, 5), (2, 2)])
def test_a_wave_has_its_power_in_its_own_ring(across, down, dtype, rounding):
    """cos of 3 cycles across and 4 down: a variance of one half, all of it in ring 5."""
    place = torch.arange(16, dtype=dtype) / 16
    wave = torch.cos(2 * math.pi * (across * place + down * place[:, None]) + 0.3)[None]
    found = radial_spectrum(wave)
    total, ring = found.count * found.power, math.floor(math.hypot(across, down) + 0.5)
    assert total[ring].item() == pytest.approx(wave.square().sum().item(), rel=1e-4)
    assert total.sum() - total[ring] < 256 * rounding


@DTYPES
def test_white_noise_has_its_variance_in_every_ring(dtype, rounding):
    found = radial_spectrum(0.3 * noise(4000, 8, 8, dtype=dtype))
    stderr = 0.09 * (2 / (4000 * found.count)).sqrt()
    assert ((found.power - 0.09).abs() < 5 * stderr).all()


@DTYPES
def test_the_cross_spectrum_is_what_a_sum_has_more(dtype, rounding):
    a, b = noise(6, 3, 8, 8, seed=1, dtype=dtype), noise(6, 3, 8, 8, seed=2, dtype=dtype)
    sums = radial_spectrum(a).power + radial_spectrum(b).power + 2 * radial_spectrum(a, b).power
    torch.testing.assert_close(radial_spectrum(a + b).power, sums, rtol=100 * rounding, atol=10 * rounding)
    torch.testing.assert_close(radial_spectrum(a, a).power, radial_spectrum(a).power)
    torch.testing.assert_close(radial_spectrum(a, -a).power, -radial_spectrum(a).power)
    turned = radial_spectrum(a.flip(-1).transpose(-1, -2), b.flip(-1).transpose(-1, -2))
    torch.testing.assert_close(turned.power, radial_spectrum(a, b).power, rtol=100 * rounding, atol=rounding)


def test_a_grey_picture_and_one_of_three_channels_have_one_unit():
    grey = noise(4, 8, 8)
    torch.testing.assert_close(radial_spectrum(grey).power, radial_spectrum(grey[:, None].expand(-1, 3, -1, -1)).power)


@pytest.mark.parametrize("bad", [noise(4, 8, 6), noise(8, 8), noise(2, 2, 3, 8, 8)], ids=["wide", "one", "five"])
def test_what_is_no_square_picture_is_refused(bad):
    with pytest.raises(ValueError, match=r"\(N, H, H\) or \(N, C, H, H\)|must have shape"):
        radial_spectrum(bad)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_nan_has_no_spectrum_and_no_parts(value):
    x, y = noise(4, 8, 8), noise(4, 8, 8, seed=1)
    x[0, 0, 0] = value
    for call in (lambda: radial_spectrum(x), lambda: radial_spectrum(x, y), lambda: variance_parts(x[0], y[0])):
        with pytest.raises(ValueError, match=r"(pictures|x) must be finite"):
            call()
    with pytest.raises(ValueError, match="other must be finite"):
        radial_spectrum(y, x)
    with pytest.raises(ValueError, match="y must be finite"):
        variance_parts(y[0], x[0])


@pytest.mark.parametrize("shape", [(3, 8, 8), (1, 8, 8), (4, 1, 8, 8), (4, 6, 6)])
def test_other_must_have_the_same_shape(shape):
    with pytest.raises(ValueError, match="other must have"):
        radial_spectrum(noise(4, 8, 8), noise(*shape))


@DTYPES
def test_the_three_parts_add_up_for_any_pictures(dtype, rounding):
    x, y = 3 + noise(50, 6, dtype=dtype), noise(50, 6, seed=1, dtype=dtype) - 1
    parts = variance_parts(x, y)
    torch.testing.assert_close(
        parts.mean + parts.residual + parts.cross, parts.data, rtol=100 * rounding, atol=rounding
    )
    torch.testing.assert_close(parts.data, x.var(0, correction=0))
    torch.testing.assert_close(parts.mean, y.var(0, correction=0), rtol=100 * rounding, atol=rounding)
    torch.testing.assert_close(parts.residual, (x - y).var(0, correction=0), rtol=100 * rounding, atol=rounding)


@DTYPES
def test_a_copy_leaves_nothing_and_a_constant_everything(dtype, rounding):
    x = noise(20, 4, dtype=dtype)
    copy, constant = variance_parts(x, x + 2), variance_parts(x, torch.ones_like(x))
    assert copy.residual.max() < rounding and copy.cross.abs().max() < rounding
    assert constant.mean.max() == 0 and constant.cross.abs().max() == 0
    torch.testing.assert_close(constant.residual, constant.data)


def test_a_linear_model_has_a_cross_term_at_the_mean_code_and_none_at_a_drawn_one():
    """With x = W z + noise along one axis each: lambda = w^2 + sigma^2, the mean code keeps 1 - sigma^2/lambda."""
    w, sigma = torch.tensor([2.0, 1.0, 0.5]).double(), 0.7
    model, n = LinearGaussian(w.diag(), torch.zeros(3).double(), sigma), 400_000
    x, _ = model.sample(n, torch.Generator().manual_seed(0))
    mu, cov = model.posterior(x)
    z = mu + noise(n, 3, seed=1) @ torch.linalg.cholesky(cov).T
    variances, shrink = w**2 + sigma**2, w**2 / (w**2 + sigma**2)
    mean, drawn = variance_parts(x, mu * w), variance_parts(x, z * w)
    close = {"rtol": 0.01, "atol": 0.01}
    torch.testing.assert_close(mean.mean, shrink**2 * variances, **close)
    torch.testing.assert_close(mean.cross, 2 * shrink * (1 - shrink) * variances, **close)
    torch.testing.assert_close(drawn.mean, w**2, **close)
    torch.testing.assert_close(drawn.residual, torch.full((3,), sigma**2).double(), **close)
    torch.testing.assert_close(drawn.cross, torch.zeros(3).double(), **close)


@pytest.mark.parametrize("rows", [0, 1])
def test_one_example_has_no_variance(rows):
    with pytest.raises(ValueError, match="N at least 2"):
        variance_parts(noise(rows, 3), noise(rows, 3))
