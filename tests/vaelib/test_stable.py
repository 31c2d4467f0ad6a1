"""Where formulas as written lose their digits: each promise in float32, float64 and bfloat16, against mpmath."""

import math

import mpmath
import pytest
import torch

from vaelib import distributions as vd
from vaelib._stable import exp_beyond_line
from vaelib.linear import covariance

DOUBLE = torch.float64
EXACT = {torch.float32: 1e-5, torch.bfloat16: 1e-5, torch.float16: 1e-5, DOUBLE: 1e-11}  # what the docstring says
DTYPES = pytest.mark.parametrize("dtype", EXACT, ids=str)
NEAR_ZERO = [
    s * x for s in (-1, 1) for x in (1e-300, 1e-12, 1e-8, 4e-7, 3e-4, 0.01, 0.0499, 0.0529, 0.1, 1.0, 11.1, 80.0)
]


def kl(mu: float, logvar: float) -> float:
    """KL(N(mu, e^logvar) || N(0, 1)) with a hundred digits."""
    with mpmath.workdps(700):
        return float((mpmath.mpf(mu) ** 2 + mpmath.expm1(logvar) - mpmath.mpf(logvar)) / 2)


def tensor(value: float, dtype: torch.dtype, times: int = 1) -> torch.Tensor:
    return torch.full((times,), value, dtype=dtype)


def within(got: torch.Tensor, expected: float, rtol: float, smallest: float = 0.0):
    assert got.item() >= 0 and got.item() == pytest.approx(expected, rel=rtol, abs=smallest)


@DTYPES
@pytest.mark.parametrize("logvar", NEAR_ZERO)
def test_a_kl_near_zero_keeps_its_digits(logvar, dtype):
    """float32: -3e-8 for 4e-14 at 4e-7 before; what lies below the smallest float32 is 0."""
    value = tensor(logvar, dtype)
    zero, smallest = torch.zeros_like(value), 1e-44 if dtype != DOUBLE else 0.0
    for got in (vd.standard_normal_kl(zero, value), vd.normal_kl(zero, value, zero, zero)):
        assert got.dtype == (DOUBLE if dtype == DOUBLE else torch.float32)
        within(got, kl(0, value.item()), EXACT[dtype], smallest)
    reverse = vd.normal_kl(zero, zero, zero, value)  # and with p's variance off
    within(reverse, kl(0, -value.item()), EXACT[dtype], smallest)


@DTYPES
def test_many_small_terms_add_up(dtype):
    value = tensor(3e-4, dtype, 32)
    within(vd.standard_normal_kl(0 * value, value), 32 * kl(0, value[0].item()), EXACT[dtype])
    within(vd.standard_normal_kl(value, 0 * value), 32 * kl(value[0].item(), 0), EXACT[dtype])


@DTYPES
@pytest.mark.parametrize("spread", [1e-8, 1e-5, 1e-4, 1e-2, 1.0])
def test_no_draw_near_the_prior_has_a_negative_kl(spread, dtype):
    """33 % of such draws were negative in float32."""
    mu, logvar, other, more = (spread * torch.randn(4, 20_000, 1, generator=torch.Generator().manual_seed(0))).to(dtype)
    for got in (vd.standard_normal_kl(mu / 10, logvar), vd.normal_kl(mu, logvar, other, more)):
        assert (got >= 0).all()


@pytest.mark.parametrize("dtype", [torch.float32, DOUBLE], ids=str)
@pytest.mark.parametrize("spread", [0.0, 1e-8, 1e-4, 1e-2])
def test_no_full_kl_is_negative(spread, dtype):
    generator = torch.Generator().manual_seed(1)
    for _ in range(50):
        a, b, shift = (torch.randn(size, generator=generator, dtype=dtype) for size in ((6, 6), (6, 6), (1, 6)))
        cov = a @ a.T + 0.1 * torch.eye(6, dtype=dtype)
        near = cov + spread * (b @ b.T)
        got = vd.multivariate_normal_kl(spread * shift, near, 0 * shift, cov)
        assert got.item() >= 0
        if spread == 0:
            assert got.item() < 60 * torch.finfo(dtype).eps ** 2


@pytest.mark.parametrize("dtype", [torch.float32, DOUBLE], ids=str)
def test_the_excess_is_one_function_with_its_slopes_across_the_seam(dtype):
    """Value, slope exp(s) - 1 and curvature exp(s), just inside and outside the edge of the series, and far out."""
    edge = (60 * torch.finfo(dtype).eps) ** 0.25
    for s in (0.0, 0.9 * edge, 0.999 * edge, 1.001 * edge, -0.999 * edge, -1.001 * edge, 5.0, -1e13, 80.0):
        at = torch.tensor(s, dtype=dtype, requires_grad=True)
        value = exp_beyond_line(at)
        (slope,) = torch.autograd.grad(value, at, create_graph=True)
        with mpmath.workdps(60):
            exact = mpmath.mpf(at.item())
            expected = float(mpmath.expm1(exact) - exact), float(mpmath.expm1(exact))
        assert value.item() == pytest.approx(expected[0], rel=EXACT[dtype])
        assert slope.item() == pytest.approx(expected[1], rel=10 * EXACT[dtype])
        if abs(s) < 10:
            (curve,) = torch.autograd.grad(slope, at)
            assert curve.item() == pytest.approx(math.exp(at.item()), rel=1e-3 if dtype == torch.float32 else 1e-6)
    assert exp_beyond_line(torch.tensor(float("nan"))).isnan()


UNDERFLOW = [
    (0.0, -110.0),
    (0.0, -104.0),
    (0.0, -400.0),
    (1e-25, -110.0),
    (1e-22, -100.0),
    (3e-24, -107.5),
    (0.5, 90.0),
]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, DOUBLE], ids=str)
@pytest.mark.parametrize(("x", "logvar"), UNDERFLOW)
def test_a_variance_that_underflows_is_no_zero_over_zero(x, logvar, dtype):
    at, s = tensor(x, dtype).requires_grad_(), tensor(logvar, dtype).requires_grad_()
    zero = torch.zeros_like(at)
    with mpmath.workdps(60):
        squared = mpmath.mpf(at.item()) ** 2 * mpmath.exp(-s.item())
        expected = float(-(mpmath.log(2 * mpmath.pi) + s.item() + squared) / 2)
    got = vd.normal_log_prob(at, zero, s)
    assert got.item() == pytest.approx(expected, rel=1e-5 if dtype != DOUBLE else 1e-12)
    within(vd.normal_kl(at, s, zero, s), float(squared) / 2, 1e-4, 1e-44)
    slopes = torch.autograd.grad(got.sum(), (at, s))
    assert all(slope.isfinite().all() for slope in slopes) or logvar < -150
    if x == 0:
        assert slopes[0].item() == 0 and slopes[1].item() == -0.5


def test_the_examples_of_the_report():
    zero, low = torch.zeros(1), torch.tensor([-110.0])
    assert vd.normal_log_prob(zero, zero, low).item() == pytest.approx(54.081, abs=1e-3)
    assert vd.normal_kl(zero, low, zero, low).item() == 0
    assert vd.standard_normal_kl(zero, torch.tensor([4e-7])).item() == pytest.approx(4e-14, rel=1e-3)
    half = torch.tensor([0.0], dtype=torch.float16), torch.tensor([11.1], dtype=torch.float16)
    assert vd.standard_normal_kl(*half).item() == pytest.approx(kl(0, half[1].item()), rel=1e-5)


def test_half_precision_in_is_single_precision_out():
    """784 pixels at -0.7 nats: a bfloat16 could say -548 or -552, and nothing between."""
    x, logits = torch.rand(4, 784).round().bfloat16(), torch.randn(4, 784).bfloat16()
    got = vd.bernoulli_log_prob(x, logits)
    assert got.dtype == torch.float32
    torch.testing.assert_close(got.double(), vd.bernoulli_log_prob(x.double(), logits.double()), rtol=1e-6, atol=1e-3)
    got = vd.normal_log_prob(x, logits, torch.tensor(-1.0))  # beside float32, as under autocast
    assert got.dtype == torch.float32
    exact = vd.normal_log_prob(x.double(), logits.double(), torch.tensor(-1.0).double())
    torch.testing.assert_close(got.double(), exact, rtol=1e-6, atol=1e-3)
    z = vd.reparameterize(logits, torch.zeros(4, 784))
    assert z.dtype == torch.bfloat16


@pytest.mark.parametrize("dtype", [torch.float32, DOUBLE, torch.bfloat16], ids=str)
def test_a_bernoulli_score_is_never_positive(dtype):
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(20_000, 1, generator=generator).to(dtype)
    logits = (torch.randn(20_000, 1, generator=generator) * 10 ** torch.linspace(-8, 8, 20_000)[:, None]).to(dtype)
    for pixels in (x, x.round(), 1 - x * torch.finfo(dtype).eps):
        assert (vd.bernoulli_log_prob(pixels, logits) <= 0).all()


# --- covariances ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [torch.float32, DOUBLE], ids=str)
@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
def test_asymmetry_is_measured_in_the_units_of_the_covariance(scale, dtype):
    x = torch.zeros(1, 2, dtype=dtype)
    sound = torch.tensor([[2.0, 0.5], [0.5, 1.0]], dtype=dtype) * scale
    crooked = torch.tensor([[2.0, 0.5], [0.4, 1.0]], dtype=dtype) * scale
    rounded = sound * (1 + torch.tensor([[0, 2.0], [-2.0, 0]], dtype=dtype) * torch.finfo(dtype).eps)
    assert vd.multivariate_normal_log_prob(x, x, sound).isfinite().all()
    assert vd.multivariate_normal_log_prob(x, x, rounded).isfinite().all()
    mixed = torch.diag(torch.tensor([1e8, 1.0, 1.0], dtype=dtype))  # one dimension in other units hides nothing
    mixed[1, 2] = 0.3
    for bad in (crooked, mixed):
        origin = torch.zeros(1, len(bad), dtype=dtype)
        with pytest.raises(ValueError, match=r"cov_q must be symmetric; got entries that differ by"):
            vd.multivariate_normal_kl(origin, bad, origin, torch.eye(len(bad), dtype=dtype))


def test_inverses_in_single_precision_are_covariances():
    """94 of 100 were refused: an inverse by LU is symmetric up to its own rounding only."""
    generator = torch.Generator().manual_seed(0)
    for _ in range(100):
        W = torch.randn(64, 20, generator=generator)
        cov = torch.linalg.inv(W.T @ W / 0.25 + torch.eye(20))
        x = torch.zeros(3, 20)
        assert vd.multivariate_normal_log_prob(x, x, cov).isfinite().all()


@pytest.mark.parametrize("dtype", [torch.float32, DOUBLE], ids=str)
@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (-torch.eye(2), "cov must be positive definite"),
        (torch.ones(2, 2), "cov must be positive definite"),
        (torch.zeros(2, 2), "cov must be positive definite"),
        (torch.eye(2) / 0, "cov must be finite; got inf"),
        (torch.full((2, 2), float("nan")), "cov must be finite; got nan"),
        (torch.eye(2).to("meta"), "cov must be on the device of x, cpu; got meta"),
    ],
)
def test_what_is_no_covariance_is_refused(bad, message, dtype):
    x = torch.zeros(1, 2, dtype=dtype)
    with pytest.raises(ValueError, match=message):
        vd.multivariate_normal_log_prob(x, x, bad.to(dtype))


@pytest.mark.parametrize("dtype", [torch.float32, DOUBLE], ids=str)
@pytest.mark.parametrize("scale", [1e-8, 1.0, 1e8])
def test_a_singular_matrix_is_never_saved_by_rounding(scale, dtype):
    """Of the covariance of points in a plane, rounding may leave a pivot above zero: by seed an error, or e^30."""
    for seed in range(60):
        generator = torch.Generator().manual_seed(seed)
        D = 3 + seed % 6
        plane = torch.randn(D - 1, D, generator=generator, dtype=dtype)
        x = scale * torch.randn(40, D - 1, generator=generator, dtype=dtype) @ plane
        cov = covariance(x)
        with pytest.raises(ValueError, match="cov must be positive definite"):
            vd.multivariate_normal_log_prob(x[:1], x[:1], cov)
        assert torch.vmap(lambda m, x=x: vd.multivariate_normal_log_prob(x[0], x[0], m))(cov[None]).isnan().all()
        thick = cov + 1e-4 * scale**2 * torch.eye(D, dtype=dtype)  # and a little noise is variance
        assert vd.multivariate_normal_log_prob(x[:1], x[:1], thick).isfinite().all()
