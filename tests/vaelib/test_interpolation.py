"""Spherical interpolation against rotations, its own halves, and the straight way in the limit."""

import math

import pytest
import torch

from vaelib.interpolation import slerp

DOUBLE = torch.float64


def unit(*shape, seed=0):
    x = torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=DOUBLE)
    return x / x.norm(dim=-1, keepdim=True)


@pytest.mark.parametrize("t", [0.0, 0.2, 0.5, 0.9, 1.0])
def test_in_the_plane_it_is_a_rotation_by_a_share_of_the_angle(t):
    start, turn = 0.3, 1.7
    ends = torch.tensor([[start, start + turn]], dtype=DOUBLE)
    a, b = (torch.cat([x.cos(), x.sin()]) for x in ends.split(1, 1))
    where = torch.tensor(start + t * turn, dtype=DOUBLE)
    torch.testing.assert_close(slerp(a.flatten(), b.flatten(), t), torch.stack([where.cos(), where.sin()]))


def test_ends_length_and_symmetry():
    a, b = 3 * unit(50, 20), 3 * unit(50, 20, seed=1)
    torch.testing.assert_close(slerp(a, b, 0.0), a)
    torch.testing.assert_close(slerp(a, b, 1.0), b)
    t = torch.linspace(0, 1, 7, dtype=DOUBLE)[:, None, None]
    way = slerp(a, b, t)
    torch.testing.assert_close(way.norm(dim=-1), torch.full((7, 50), 3.0, dtype=DOUBLE))
    torch.testing.assert_close(way, slerp(b, a, 1 - t))


def test_half_of_half_the_way_is_a_quarter():
    a, b = unit(20, 8), unit(20, 8, seed=1)
    torch.testing.assert_close(slerp(a, slerp(a, b, 0.5), 0.5), slerp(a, b, 0.25))


def test_ends_in_one_direction_are_joined_by_a_straight_line():
    a = unit(1, 5)
    torch.testing.assert_close(slerp(a, 2 * a, 0.25), 1.25 * a)
    torch.testing.assert_close(slerp(a, a, 0.25), a)
    near, t = (a + 1e-3 * unit(1, 5, seed=1)), 0.3
    torch.testing.assert_close(slerp(a, near, t), torch.lerp(a, near, t), atol=1e-6, rtol=0)


def pair(degrees, dtype=DOUBLE, length=1.0):
    """Ends in 20 dimensions at a known angle, in no special direction."""
    u, v = torch.linalg.qr(unit(20, 2))[0].unbind(1)
    turn = math.radians(degrees)
    return (length * u).to(dtype), (math.cos(turn) * u + math.sin(turn) * v).to(dtype)


@pytest.mark.parametrize("dtype", [torch.float32, DOUBLE], ids=str)
@pytest.mark.parametrize("degrees", [0.0, 1e-6, 1e-3, 0.0057, 0.1, 90, 170, 179.0, 179.9, 179.99])
def test_every_point_of_the_way_has_the_length_of_the_ends(degrees, dtype):
    """At 179.99 degrees the middle had length 1996 in one case; and the shares of the angle are right as well."""
    a, b = pair(degrees, dtype)
    t = torch.linspace(0, 1, 9, dtype=dtype)[:, None]
    stretch = max(1, math.tan(math.radians(degrees - 90)))  # the ends differ in length by rounding, which grows
    way, rounding = slerp(a, b, t), 20 * torch.finfo(dtype).eps * stretch
    torch.testing.assert_close(way.norm(dim=-1), torch.ones(9, dtype=dtype), rtol=0, atol=rounding)
    torch.testing.assert_close(way[0], a, rtol=0, atol=rounding)
    torch.testing.assert_close(way[-1], b, rtol=0, atol=rounding)
    steps = (way[1:] - way[:-1]).norm(dim=-1)
    chord = torch.full_like(steps, 2 * math.sin(math.radians(degrees) / 16))
    torch.testing.assert_close(steps, chord, rtol=0, atol=rounding)


@pytest.mark.parametrize("degrees", [0.1, 60, 170])
def test_ends_of_two_lengths_follow_the_formula_of_the_book(degrees):
    a, b = pair(degrees, length=3.0)
    turn = math.radians(degrees)
    for t in (0.0, 0.3, 0.5, 1.0, 1.2):
        expected = (math.sin((1 - t) * turn) * a + math.sin(t * turn) * b) / math.sin(turn)
        torch.testing.assert_close(slerp(a, b, t), expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("dtype", [torch.float32, DOUBLE], ids=str)
@pytest.mark.parametrize("factor", [-1.0, -3.0, -0.1])
def test_between_opposite_ends_there_is_no_one_arc(factor, dtype):
    a = unit(4, 20).to(dtype)
    b = unit(4, 20, seed=1).to(dtype)
    b[2] = factor * a[2]
    with pytest.raises(ValueError, match="a and b must be neither zero nor opposite"):
        slerp(a, b, 0.5)
    unseen = torch.vmap(lambda a, b: slerp(a, b, 0.5))(a, b)
    assert unseen.isnan().any(1).tolist() == [False, False, True, False]


def test_gradients_are_finite_and_right_at_both_ends():
    for degrees in (0.0, 1e-3, 30, 179):
        ends = [end.requires_grad_() for end in pair(degrees)]
        for gradient in torch.autograd.grad(slerp(*ends, 0.3).sum(), ends):
            assert gradient.isfinite().all()
    assert torch.autograd.gradcheck(lambda a, b: slerp(a, b, 0.3), [end.requires_grad_() for end in pair(50)])


def test_half_precision_codes_stay_what_they_are():
    a, b = (end.bfloat16() for end in pair(60))
    assert slerp(a, b, 0.5).dtype == torch.bfloat16
    torch.testing.assert_close(slerp(a, b, 0.5).double(), slerp(a.double(), b.double(), 0.5), rtol=1e-2, atol=1e-2)


ONE = torch.ones(3, 4)


@pytest.mark.parametrize(
    ("a", "b", "t", "error", "message"),
    [
        (
            ONE,
            torch.ones(3, 5),
            0.5,
            ValueError,
            r"b must have the last dimension of a, 4; got \(3, 5\) beside \(3, 4\)",
        ),
        (
            ONE[:, :1],
            ONE[:, :1],
            0.5,
            ValueError,
            r"a and b must have shape \(..., L\) with L of 2 or more; got \(3, 1\)",
        ),
        (ONE, 0 * ONE, 0.5, ValueError, "neither zero nor"),
        (ONE, ONE / 0, 0.5, ValueError, "b must be finite; got inf"),
        (ONE.long(), ONE.long(), 0.5, TypeError, r"a must be real and floating.*got torch\.int64"),
        (ONE, ONE.double(), 0.5, TypeError, r"b must have the dtype of a, torch\.float32; got torch\.float64"),
        (ONE, ONE, torch.tensor(1), TypeError, r"t must be real and floating.*got torch\.int64"),
        (ONE, ONE, "half", TypeError, r"t must be a finite number; got 'half' \(str\)"),
        (ONE, ONE, torch.ones(4), ValueError, r"t must have shape \(..., 1\) or \(\); got \(4,\)"),
        ([1.0, 2.0], ONE, 0.5, TypeError, "a must be a torch.Tensor; got list"),
    ],
)
def test_ends_that_do_not_fit_are_named(a, b, t, error, message):
    with pytest.raises(error, match=message):
        slerp(a, b, t)


@pytest.mark.parametrize(("dtype", "lengths"), [(torch.float32, (1e-30, 1e30)), (DOUBLE, (1e-200, 1e200))], ids=str)
def test_ends_may_be_in_any_unit(dtype, lengths):
    """The squares of short ends are 0, of long ones infinite: such ends were called zero or opposite."""
    for length in lengths:
        a, b = (length * end for end in pair(60, dtype))
        torch.testing.assert_close(slerp(a, b, 0.5) / length, slerp(*pair(60, dtype), 0.5))
