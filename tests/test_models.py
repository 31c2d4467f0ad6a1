import pytest
import torch

from vaelib.models import Autoencoder, mlp


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
    with pytest.raises(ValueError, match=r"got \[3, 0\]"):
        mlp([3, 0])


def test_wrong_shapes_are_named():
    model = Autoencoder(784, 2)
    with pytest.raises(ValueError, match=r"x must have shape \(B, 784\); got \(64, 28, 28\); flatten images"):
        model.encode(torch.zeros(64, 28, 28))
    with pytest.raises(ValueError, match=r"x must have shape \(B, 784\); got \(784,\)$"):
        model(torch.zeros(784))
    with pytest.raises(ValueError, match=r"z must have shape \(B, 2\); got \(5, 3\)$"):
        model.decode(torch.zeros(5, 3))
