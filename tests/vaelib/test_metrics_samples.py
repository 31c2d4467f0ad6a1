"""The ruler for inventions: known answers first, then what it must notice: shifts, noise, copies, a missing class."""

import math

import pytest
import torch

from vaelib.metrics import frechet_distance, nearest, sample_quality


def crowd(n, seed, classes=4, dims=6):
    """Features in `classes` clouds around far corners, as many of each."""
    generator = torch.Generator().manual_seed(seed)
    centres = 6 * torch.eye(dims, dtype=torch.float64)[:classes]
    return centres[torch.arange(n) % classes] + torch.randn(n, dims, generator=generator, dtype=torch.float64)


REAL, SAME = crowd(800, 0), crowd(800, 1)


def test_four_points_on_a_line_by_hand():
    """k = 1: reaches of real 0, 1, 3, 7 are 1, 1, 2, 4; those of made 0.5, 4, 20 are 3.5, 3.5, 16."""
    real = torch.tensor([[0.0], [1.0], [3.0], [7.0]])
    made = torch.tensor([[0.5], [4.0], [20.0]])
    q = sample_quality(real, made, k=1)
    assert q.precision == pytest.approx(2 / 3)  # 20 is within nobody's reach
    assert q.recall == pytest.approx(1.0)  # 7 is 13 away from 20, whose reach is 16
    assert q.density == pytest.approx((2 + 2) / 3)  # 0.5 by 0 and 1; 4 by 3 and 7 (1 reaches no farther than 2)
    assert q.coverage == pytest.approx(4 / 4)  # 7 is 3 from 4, within its own 4


def test_two_draws_of_one_distribution_are_as_good_as_real():
    q = sample_quality(REAL, SAME)
    assert q.density == pytest.approx(1, abs=0.1) and min(q) > 0.9
    assert frechet_distance(REAL, SAME) < 0.1


def test_the_frechet_distance_of_two_gaussians_is_known():
    generator = torch.Generator().manual_seed(0)
    a = torch.randn(200_000, 3, generator=generator)
    b = torch.randn(200_000, 3, generator=generator) * torch.tensor([2.0, 1.0, 0.5]) + torch.tensor([1.0, 0.0, -2.0])
    exact = 1 + 4 + sum((s - 1) ** 2 for s in (2, 1, 0.5))  # shifts squared, and differences of the spreads squared
    assert frechet_distance(a, b) == pytest.approx(exact, rel=0.02)
    turn = torch.linalg.qr(torch.randn(3, 3, generator=generator)).Q  # the same in every basis
    assert frechet_distance(a @ turn, b @ turn) == pytest.approx(frechet_distance(a, b), rel=1e-3)
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-4) and frechet_distance(a, a) >= 0


def test_copies_are_faithful_and_cover_nothing():
    few = REAL[:4].repeat(200, 1) + 1e-9 * crowd(800, 2)
    q = sample_quality(REAL, few)
    assert q.precision == 1 and q.coverage < 0.1


def test_a_missing_class_is_seen_by_coverage_and_not_by_precision():
    q = sample_quality(REAL, SAME[torch.arange(800) % 4 != 0])
    assert q.precision > 0.9 and 0.6 < q.coverage < 0.8  # three quarters


def test_noise_and_shifts_are_unfaithful():
    noise = sample_quality(REAL, SAME + 3 * torch.randn(SAME.shape, generator=torch.Generator().manual_seed(3)))
    shift = sample_quality(REAL, SAME + 3)
    assert noise.precision < 0.2 and shift.precision < 0.05 and shift.coverage < 0.05
    assert frechet_distance(REAL, SAME + 3) == pytest.approx(6 * 9, rel=0.02)


def test_recall_is_fooled_by_one_far_invention_and_coverage_is_not():
    """Why the book prints coverage: a few hopeless inventions have a reach that holds everything."""
    hopeless = torch.cat(
        [100 + torch.zeros(10, 6, dtype=torch.float64), -100 + torch.zeros(10, 6, dtype=torch.float64)]
    )
    q = sample_quality(REAL, hopeless, k=12)
    assert q.recall == 1 and q.coverage == 0


def test_the_nearest_row_of_a_copy_is_itself_at_exactly_zero():
    """By matrix products float32 copies with large features lie 0.001 and more away from themselves."""
    rows = torch.randn(700, 64, generator=torch.Generator().manual_seed(0)) + 50
    far, which = nearest(rows[5:600], rows)
    assert (far == 0).all() and torch.equal(which, torch.arange(5, 600))
    far, which = nearest(torch.tensor([[0.0, 0.0], [3.0, 4.5]]), torch.tensor([[3.0, 4.0], [-6.0, 8.0]]))
    assert far.tolist() == [5.0, 0.5] and which.tolist() == [0, 0]


def test_what_is_no_set_of_features_is_named():
    bad = REAL.clone()
    bad[3, 2] = math.nan
    with pytest.raises(ValueError, match="made must be finite; got nan among 4800 values"):
        sample_quality(REAL, bad)
    with pytest.raises(ValueError, match=r"made must have shape \(M, F\) with F = 6; got \(800, 5\) beside real"):
        frechet_distance(REAL, SAME[:, :5])
    with pytest.raises(TypeError, match=r"real must be real and floating, such as torch.float32; got torch.int64"):
        nearest(SAME, REAL.long())
    for k, error in ((0, ValueError), (800, ValueError), (2.0, TypeError), (True, TypeError)):
        with pytest.raises(error, match=f"k must be a whole number between 1 and 799; got {k}"):
            sample_quality(REAL, SAME, k)
