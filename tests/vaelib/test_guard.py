"""One guard for every public door: what it lets in, what it refuses, and what it says."""

import numpy as np
import pytest
import torch

from vaelib import _guard


def zeros(*shape, dtype=torch.float32):
    return torch.zeros(shape, dtype=dtype)


def test_what_fits_gives_the_size_of_each_letter():
    found = _guard.floats(x=(zeros(4, 3), "(..., D)"), mu=(zeros(5, 1, 3), "(..., D)"), W=(zeros(3, 2), "(D, L)"))
    assert found == {"D": 3, "L": 2}
    assert _guard.floats(logvar=(zeros(), "(..., D) or ()")) == {}
    assert _guard.floats(x=(zeros(0, 3), "(..., D)")) == {"D": 3}
    assert _guard.shapes(images=(zeros(2, 3, 8, 9), "(B, 3, H, W)")) == {"B": 2, "H": 8, "W": 9}


HALF = zeros(4, 3, dtype=torch.bfloat16)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: _guard.floats(x=([1.0], "(D)")), TypeError, r"x must be a torch.Tensor; got list"),
        (lambda: _guard.floats(x=(np.ones(3), "(D)")), TypeError, r"x must be a torch.Tensor; got numpy.ndarray"),
        (lambda: _guard.floats(x=(None, "(D)")), TypeError, r"x must be a torch.Tensor; got NoneType"),
        (
            lambda: _guard.floats(x=(zeros(3, dtype=torch.int64), "(D)")),
            TypeError,
            "x must be real and.*got torch.int64",
        ),
        (lambda: _guard.floats(x=(zeros(3, dtype=torch.bool), "(D)")), TypeError, "x must be real and.*got torch.bool"),
        (lambda: _guard.floats(x=(zeros(3) + 1j, "(D)")), TypeError, "x must be real and.*got torch.complex64"),
        (
            lambda: _guard.floats(x=(zeros(3, 3).to_sparse(), "(B, D)")),
            TypeError,
            "x must be a dense.*torch.sparse_coo",
        ),
        (
            lambda: _guard.floats(x=(torch.nested.nested_tensor([zeros(2), zeros(3)], layout=torch.jagged), "(B, D)")),
            TypeError,
            "a nested one",
        ),
        (
            lambda: _guard.floats(x=(zeros(3).double(), "(D)"), mu=(zeros(3), "(D)")),
            TypeError,
            "mu must have the dtype of x, torch.float64; got torch.float32",
        ),
        (
            lambda: _guard.floats(x=(zeros(3), "(D)"), mu=(zeros(3, dtype=torch.float64), "(D)")),
            TypeError,
            "mu must have the dtype of x, torch.float32; got torch.float64",
        ),
        (
            lambda: _guard.floats(x=(zeros(3), "(D)"), mu=(zeros(3).to("meta"), "(D)")),
            ValueError,
            "mu must be on the device of x, cpu; got meta",
        ),
        (lambda: _guard.floats(x=(zeros(3), "(B, D)")), ValueError, r"x must have shape \(B, D\); got \(3,\)"),
        (lambda: _guard.floats(x=(zeros(), "(..., D)")), ValueError, r"x must have shape \(..., D\); got \(\)"),
        (
            lambda: _guard.floats(x=(zeros(4, 3), "(..., D)"), mu=(zeros(4, 1), "(..., D) or ()")),
            ValueError,
            r"mu must have the last dimension of x, 3; got \(4, 1\) beside \(4, 3\)",
        ),
        (
            lambda: _guard.floats(x=(zeros(4, 3), "(..., D)"), mu=(zeros(5, 3), "(..., D)")),
            ValueError,
            r"mu must have batch dimensions that broadcast with those of x, \(4,\); got \(5,\) in shape \(5, 3\)",
        ),
        (lambda: _guard.shapes(x=(zeros(2, 4, 8, 8), "(B, 3, H, W)")), ValueError, r"got \(2, 4, 8, 8\)"),
        (
            lambda: _guard.onto(mu=zeros(2), logvar=zeros(9, 2)),
            ValueError,
            r"logvar must broadcast to the shape of mu, \(2,\); got \(9, 2\)",
        ),
        (lambda: _guard.onto(mu=zeros(1, 2), logvar=zeros(9, 2)), ValueError, r"of mu, \(1, 2\); got \(9, 2\)"),
        (lambda: _guard.nonempty(x=zeros(0, 3)), ValueError, r"x must not be empty; got shape \(0, 3\)"),
        (
            lambda: _guard.readable(x=zeros(3).to("meta")),
            ValueError,
            "x must hold values; got a tensor on the meta device",
        ),
        (
            lambda: _guard.finite(x=torch.tensor([1, float("nan")])),
            ValueError,
            "x must be finite; got nan among 2 values",
        ),
        (lambda: _guard.finite(x=torch.tensor([float("-inf")])), ValueError, "x must be finite; got -inf among 1"),
        (lambda: _guard.counts(1, n=0), ValueError, "n must be a whole number of at least 1; got 0"),
        (lambda: _guard.counts(1, 5, n=6), ValueError, "n must be a whole number between 1 and 5; got 6"),
        (lambda: _guard.counts(1, n=2.0), TypeError, r"n must be a whole number of at least 1; got 2.0 \(float\)"),
        (lambda: _guard.counts(1, n=True), TypeError, r"got True \(bool\)"),
        (lambda: _guard.counts(1, n="3"), TypeError, r"got '3' \(str\)"),
        (lambda: _guard.counts(1, n=torch.tensor(3)), TypeError, r"got shape \(\) \(torch.Tensor\)"),
        (lambda: _guard.numbers(0, sigma=-1.5), ValueError, "sigma must be a finite number above 0; got -1.5"),
        (lambda: _guard.numbers(0, sigma=0.0), ValueError, "sigma must be a finite number above 0; got 0.0"),
        (lambda: _guard.numbers(0, 1, rate=1.0), ValueError, "rate must be a finite number between 0 and 1; got 1.0"),
        (lambda: _guard.numbers(sigma=float("nan")), ValueError, "sigma must be a finite number; got nan"),
        (lambda: _guard.numbers(sigma=float("inf")), ValueError, "sigma must be a finite number; got inf"),
        (lambda: _guard.numbers(sigma=zeros(2)), TypeError, r"got shape \(2,\) \(torch.Tensor\)"),
        (lambda: _guard.numbers(sigma=1j), TypeError, r"got 1j \(complex\)"),
        (lambda: _guard.functions(features=3), TypeError, r"features must be a function; got 3 \(int\)"),
        (
            lambda: _guard.noise(7, torch.device("cpu")),
            TypeError,
            r"generator must be a torch.Generator or None; got 7",
        ),
        (
            lambda: _guard.noise(torch.Generator(), torch.device("cuda")),
            ValueError,
            "generator must be on cuda; got.*cpu",
        ),
    ],
)
def test_what_does_not_fit_is_named_with_what_was_expected_and_received(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_half_precision_may_stand_beside_single_and_is_lifted_to_it():
    _guard.floats(x=(zeros(4, 3), "(..., D)"), logits=(HALF, "(..., D)"))
    lifted = _guard.lift(HALF, HALF.half(), zeros(2), zeros(2, dtype=torch.float64))
    assert [t.dtype for t in lifted] == [torch.float32] * 3 + [torch.float64]


def test_what_fits_is_let_in():
    _guard.counts(0, n=0, m=np.int64(3))
    _guard.counts(1, 5, n=5)
    _guard.numbers(0, sigma=np.float64(0.5), tau=1)
    _guard.onto(mu=zeros(4, 3), logvar=zeros(3), other=zeros(1, 3), number=zeros())
    _guard.finite(x=zeros(3), empty=zeros(0))
    _guard.functions(f=len)
    _guard.noise(None, torch.device("cpu"))
    _guard.noise(torch.Generator(), torch.device("cpu"))


def test_values_are_not_looked_at_where_nobody_can_look():
    no = torch.tensor(False)
    assert not _guard.holds(no) and _guard.holds(~no)
    assert _guard.holds(no.to("meta"))
    seen = []
    torch.vmap(lambda flag: seen.append(_guard.holds(flag)) or flag)(no.expand(3))
    assert seen == [True]
    compiled = torch.compile(lambda x: x + 1 if _guard.holds(x.sum() > 0) else x, fullgraph=True, backend="eager")
    assert compiled(torch.tensor([-1.0])).item() == 0


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: _guard.flags(wrong=1), r"wrong must be True or False; got 1 \(int\)"),
        (
            lambda: _guard.methods("log_prob", prior=None),
            r"prior must have the function log_prob; got None \(NoneType\)",
        ),
        (
            lambda: _guard.together(x=torch.ones(2), z=torch.ones(2, device="meta")),
            "z must be on the device of x, cpu; got meta",
        ),
    ],
)
def test_flags_methods_and_devices(ask, message):
    with pytest.raises((TypeError, ValueError), match=message):
        ask()
    _guard.flags(wrong=False)
    _guard.methods("backward", z=torch.ones(1))
    _guard.together(x=torch.ones(2), z=torch.ones(()))


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: _guard.widths(hidden_dims=4), r"hidden_dims must be a list or tuple of whole numbers; got 4 \(int\)"),
        (lambda: _guard.widths(hidden_dims="44"), "list or tuple of whole numbers; got '44'"),
        (lambda: _guard.widths(hidden_dims=[4, 0]), r"hidden_dims\[1\] must be a whole number of at least 1; got 0"),
        (lambda: _guard.device("gpu"), "device must be a torch.device or the name of one, such as 'cuda'; got 'gpu'"),
        (lambda: _guard.device(0), r"device must be a torch.device or the name of one; got 0 \(int\)"),
        (lambda: _guard.modules(encoder=len), "encoder must be a torch.nn.Module; got"),
    ],
)
def test_widths_devices_and_modules(ask, message):
    with pytest.raises((TypeError, ValueError), match=message):
        ask()
    _guard.widths(hidden_dims=(), sizes=[np.int64(3), 4])
    assert _guard.device("cpu") == _guard.device(torch.device("cpu")) == torch.device("cpu")
    _guard.modules(encoder=torch.nn.Identity())
