import math

import pytest
import torch

from vaelib.metrics import principal_angles


def basis(*columns):
    return torch.tensor(columns, dtype=torch.float64).T


def test_known_angles_in_any_basis():
    t = math.radians(30)
    plane = basis([1, 0, 0, 0], [0, 1, 0, 0])
    tilted = basis([1, 0, 0, 0], [0, math.cos(t), math.sin(t), 0])
    mixed = tilted @ torch.tensor([[2.0, 1.0], [-3.0, 0.5]], dtype=torch.float64)  # same subspace, other columns
    torch.testing.assert_close(principal_angles(plane, mixed), torch.tensor([30.0, 0.0]).double(), atol=1e-5, rtol=0)
    assert principal_angles(plane, basis([0, 0, 1, 0])).tolist() == pytest.approx([90])
    assert principal_angles(basis([0, 0, 1, 0], [1, 0, 0, 0]), basis([0, 0, 0, 1], [1, 1, 0, 0])).tolist() == (
        pytest.approx([90, 45])
    )


@pytest.mark.parametrize("angle", [1e-9, 1e-4, 44.0, 46.0, 89.999])
def test_small_angles_keep_their_digits(angle):
    t = math.radians(angle)
    got = principal_angles(basis([1, 0]), basis([math.cos(t), math.sin(t)]))
    assert got.item() == pytest.approx(angle, rel=1e-6)


def test_spaces_of_different_size_are_compared_over_the_smaller():
    wide, narrow = basis([1, 0, 0], [0, 1, 0]), basis([1, 1, 0])
    assert principal_angles(wide, narrow).tolist() == pytest.approx([0], abs=1e-6)
    assert principal_angles(narrow, wide).tolist() == pytest.approx([0], abs=1e-6)
    with pytest.raises(ValueError, match=r"a and b must be \(D, L\) and \(D, M\)"):
        principal_angles(wide, basis([1, 0]))
