"""Spherical interpolation against rotations, its own halves, and the straight way in the limit."""

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


@pytest.mark.parametrize(("a", "b"), [((3, 4), (3, 5)), ((3, 1), (3, 1))])
def test_ends_that_do_not_fit_are_named(a, b):
    with pytest.raises(ValueError, match=r"a and b must be \(\.\.\., L\)"):
        slerp(torch.ones(a), torch.ones(b), 0.5)
