import copy
import os

import numpy as np
import pytest
import torch
from torch import nn

from vaelib.train import as_float, default_device, evaluate, fit, set_seed, train_epoch

CPU = torch.device("cpu")


def points(n=64, d=3):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(0))


def model_and_loss():
    """A model with one free vector; the mean squared distance to the data is least at the data's mean."""
    model = nn.Linear(1, 3, bias=False)
    return model, lambda m, x: (x - m.weight.T).square().sum(1).mean()


def run(x, seed=1, **options):
    set_seed(seed)
    model, loss = model_and_loss()
    return model, fit(model, loss, x, device=CPU, **{"epochs": 3, "batch_size": 10, **options})


def test_it_finds_the_minimum():
    x = points()
    model, history = run(x, epochs=300, lr=0.01, batch_size=64, test=x)
    torch.testing.assert_close(model.weight[:, 0], x.mean(0), atol=1e-3, rtol=0)
    best = (x - x.mean(0)).square().sum(1).mean().item()
    assert history.train[-1] == pytest.approx(best, abs=1e-4) and history.test[-1] == pytest.approx(best, abs=1e-4)


def test_same_seed_same_bits():
    x = points()
    (one, first), (two, second), (other, _) = run(x), run(x), run(x, seed=2)
    assert torch.equal(one.weight, two.weight) and first.train == second.train
    assert not torch.equal(one.weight, other.weight)


def test_every_pass_shuffles_and_sees_full_batches_once():
    seen = []
    x = torch.arange(23.0)[:, None].expand(23, 3)
    model, loss = model_and_loss()

    def spy(m, batch):
        seen.append(batch[:, 0].tolist())
        return loss(m, batch)

    fit(model, spy, x, epochs=2, batch_size=5, device=CPU)
    assert [len(b) for b in seen] == [5] * 8  # 23 = 4 * 5 + 3: the short batch is left out
    first, second = ([i for batch in part for i in batch] for part in (seen[:4], seen[4:]))
    assert len(set(first)) == len(set(second)) == 20
    assert first != second


def test_pixels_become_floats_a_batch_at_a_time():
    x = torch.arange(60, dtype=torch.uint8).reshape(20, 3)
    model, loss = model_and_loss()
    seen = []

    def spy(m, batch):
        seen.append((batch.dtype, batch.shape, batch.max().item()))
        return loss(m, batch)

    fit(model, spy, x, epochs=1, batch_size=4, device=CPU)
    assert all(dtype == torch.float32 and shape == (4, 3) and top < 1 for dtype, shape, top in seen)
    assert as_float(torch.tensor([0, 51, 255], dtype=torch.uint8)).tolist() == pytest.approx([0, 0.2, 1])
    assert as_float(torch.tensor([3.0])).item() == 3


def test_no_step_waits_for_its_number(monkeypatch):
    reads = []
    for name in ("item", "tolist", "__float__", "__bool__", "cpu", "numpy"):
        original = getattr(torch.Tensor, name)
        monkeypatch.setattr(torch.Tensor, name, lambda t, *a, _o=original, _n=name: reads.append(_n) or _o(t, *a))
    sgd = torch.optim.SGD((made := model_and_loss())[0].parameters(), lr=0.01)
    fit(*made, points(1000), epochs=2, batch_size=10, optimizer=sgd, device=CPU)
    assert len(reads) <= 2 * 3  # 200 steps, two passes


def test_a_loss_that_is_spoilt_is_seen_within_a_hundred_steps():
    """Not at the end of a pass of a thousand, and named by its own step."""
    for bad in (1, 100, 101, 250):
        steps = []

        def loss(m, x, steps=steps, bad=bad):
            steps.append(1)
            return (m.weight.sum() - x.mean()) / (0 if len(steps) == bad else 1)

        with pytest.raises(FloatingPointError, match=f"at step {bad - 1} of pass 0"):
            fit(model_and_loss()[0], loss, points(1000), epochs=1, batch_size=1, device=CPU)
        assert len(steps) == -(-bad // 100) * 100


def test_weights_that_the_last_step_of_all_spoils_are_not_handed_back_in_silence():
    steps = []

    def loss(m, x):
        steps.append(1)
        return m.weight.square().sum() + ((m.weight * 0).sum().sqrt() if len(steps) == 12 else 0)

    with pytest.raises(FloatingPointError, match=r"weight is no longer finite after pass 1 \(learning rate 0.001\)"):
        fit(model_and_loss()[0], loss, points(), epochs=2, batch_size=10, device=CPU)


def test_test_loss_weighs_every_example_alike():
    x = torch.arange(7.0)[:, None].expand(7, 3)
    model, loss = model_and_loss()
    assert evaluate(model, loss, x, batch_size=3) == pytest.approx(loss(model, x).item(), rel=1e-6)


def test_after_epoch_is_called_before_and_after():
    calls = []
    _, history = run(points(), after_epoch=lambda done, model: calls.append((done, type(model))), test=points(9))
    assert calls == [(n, nn.Linear) for n in range(4)]
    assert len(history.train) == len(history.test) == len(history.seconds) == 3
    assert history.seconds == sorted(history.seconds) and not history.interrupted


def two_terms(model, x):
    first, second = (x - model.weight.T).square().sum(1).mean(), x.mean()
    return first + second, first, second


def test_the_parts_of_a_loss_are_kept_beside_it():
    x = points(60)
    set_seed(1)
    model, _ = model_and_loss()
    history = fit(model, two_terms, x, epochs=3, batch_size=20, test=x, device=CPU)
    for total, (first, second) in zip(history.train, history.train_parts, strict=True):
        assert total == pytest.approx(first + second, rel=1e-6)
    assert [second for _, second in history.test_parts] == pytest.approx([x.mean().item()] * 3)
    assert evaluate(model, two_terms, x, 7) == pytest.approx((history.test[-1], *history.test_parts[-1]), rel=1e-6)


def test_only_the_first_number_is_minimised():
    weights = []
    for others in (0, 1):
        set_seed(1)
        model, loss = model_and_loss()

        def numbers(m, x, others=others, loss=loss):
            return (loss(m, x),) + others * (-100 * loss(m, x),)

        fit(model, numbers, points(), epochs=3, batch_size=16, device=CPU)
        weights.append(model.weight)
    assert torch.equal(*weights)


def test_looking_at_the_test_data_does_not_change_the_training():
    def noisy(m, x):
        return (x + torch.randn_like(x) - m.weight.T).square().sum(1).mean()

    weights = []
    for test in (None, points(30)):
        set_seed(1)
        model, _ = model_and_loss()
        fit(model, noisy, points(), epochs=3, batch_size=10, test=test, device=CPU)
        weights.append(model.weight)
    assert torch.equal(*weights)


def with_modes():
    """Dropout, BatchNorm, and a part that somebody has put into eval() on purpose."""
    set_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(0.5), nn.Linear(4, 3))
    model[3].eval()
    return model, lambda m, x: (m(x) - x).square().mean()


def modes(model):
    return [module.training for module in model.modules()]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_evaluate_looks_in_eval_mode_and_changes_nothing(dtype):
    model, loss = with_modes()
    model, x = model.to(dtype), points().to(dtype)
    before, expected = copy.deepcopy(model.state_dict()), loss(copy.deepcopy(model).eval(), x).item()
    found = [evaluate(model, loss, x, batch_size) for batch_size in (64, 64, 7)]
    assert found[0] == found[1] and found == pytest.approx([expected] * 3, rel=1e-5)
    assert modes(model) == [True, True, True, True, False]
    assert all(torch.equal(a, b) for a, b in zip(before.values(), model.state_dict().values(), strict=True))


def test_a_look_that_fails_puts_modes_and_generators_back():
    model, _ = with_modes()
    own, seen = torch.Generator().manual_seed(1), []

    def loss(m, x):
        if m.training:
            return m(x).square().mean()
        if not torch.is_grad_enabled():
            seen.append((torch.get_rng_state(), own.get_state()))
            torch.randn(3), torch.randn(3, generator=own)
            raise RuntimeError("in the look")
        return m(x).square().mean()

    with pytest.raises(RuntimeError, match="in the look"):
        fit(model, loss, points(), epochs=1, batch_size=10, test=points(9), device=CPU, generator=own)
    assert torch.equal(seen[0][0], torch.get_rng_state()) and torch.equal(seen[0][1], own.get_state())
    assert modes(model) == [True, True, True, True, False]
    with pytest.raises(RuntimeError, match="in the look"):
        evaluate(model, loss, points())
    assert modes(model) == [True, True, True, True, False]


def test_looking_leaves_dropout_batchnorm_and_own_generators_to_the_training():
    found = []
    for test in (None, points(30)):
        model, _ = with_modes()
        own = torch.Generator().manual_seed(1)

        def loss(m, x, own=own):
            return (m(x) - x + torch.randn(x.shape, generator=own)).square().mean()

        history = fit(model, loss, points(), epochs=3, batch_size=10, test=test, device=CPU, generator=own)
        found.append((history.train, model.state_dict()))
    assert found[0][0] == found[1][0]
    assert all(torch.equal(a, b) for a, b in zip(found[0][1].values(), found[1][1].values(), strict=True))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize("data", [torch.uint8, torch.float32, torch.float64])
@pytest.mark.parametrize("default", [torch.float32, torch.float64])
def test_batches_have_the_dtype_of_the_weights_whatever_the_default_is(dtype, data, default):
    model, loss = model_and_loss()
    model, x, seen = model.to(dtype), (points().abs() * 50).to(data), set()

    def spy(m, batch):
        seen.add((batch.dtype, loss(m, batch).dtype))
        return loss(m, batch)

    torch.set_default_dtype(default)
    try:
        history = fit(model, spy, x, epochs=2, batch_size=10, test=x[:9], device=CPU)
        evaluate(model, spy, x)
    finally:
        torch.set_default_dtype(torch.float32)
    assert seen == {(dtype, dtype)} and model.weight.dtype == dtype and len(history.test) == 2
    scale = 255 if data == torch.uint8 else 1
    expected = loss(copy.deepcopy(model).double(), x.double() / scale).item()
    assert evaluate(model, loss, x) == pytest.approx(expected, rel={torch.bfloat16: 0.05}.get(dtype, 1e-5))


def test_the_minimum_in_double_precision():
    x = points().double()
    set_seed(1)
    model, loss = model_and_loss()
    sgd = torch.optim.SGD(model.double().parameters(), lr=0.25)  # halves the distance in every step
    fit(model, loss, x, epochs=60, batch_size=64, optimizer=sgd, device=CPU)
    torch.testing.assert_close(model.weight[:, 0], x.mean(0), atol=1e-12, rtol=0)


def test_as_float_of_pixels_and_floats():
    for dtype in (torch.float16, torch.bfloat16, torch.float32, torch.float64):
        x = torch.tensor([0.5, 1], dtype=dtype)
        assert as_float(x) is x
    torch.set_default_dtype(torch.float64)
    try:
        assert as_float(torch.tensor([255], dtype=torch.uint8)).dtype == torch.float32
    finally:
        torch.set_default_dtype(torch.float32)


def other():
    return torch.nn.Linear(3, 1, bias=False)


X = points()
DOORS = {  # name of the argument -> what is given, the error, what it says
    "numpy": ({"x": X.numpy()}, TypeError, "x must be a torch.Tensor; got ndarray: wrap it in torch.from_numpy"),
    "list": ({"x": [1.0]}, TypeError, "x must be a torch.Tensor; got list"),
    "integers": ({"x": X.long()}, TypeError, "x must hold floats, or pixels as torch.uint8; got torch.int64"),
    "booleans": ({"x": X > 0}, TypeError, "got torch.bool"),
    "complex": ({"x": X + 1j}, TypeError, "got torch.complex64"),
    "meta": ({"x": X.to("meta")}, ValueError, "x must hold values; got a tensor on the meta device"),
    "nested": ({"x": torch.nested.nested_tensor([X[0], X[1]])}, TypeError, "x must be a dense .* nested"),
    "no weights": ({"model": nn.ReLU()}, ValueError, "model must have weights that are trained; got ReLU without any"),
    "frozen": ({"model": other().requires_grad_(False)}, ValueError, "that are trained; got Linear without any"),
    "no device": ({"device": "gpu"}, ValueError, "device must be a torch.device or the name of one, .*; got 'gpu'"),
    "device number": ({"device": 3}, TypeError, "device must be a torch.device or the name of one; got 3"),
    "meta device": ({"device": "meta"}, ValueError, "device must hold values; got meta"),
    "sparse": ({"x": X.to_sparse()}, TypeError, "x must be a dense tensor"),
    "scalar": ({"x": X[0, 0]}, ValueError, "x must hold at least one batch of 10; got 0 examples"),
    "no columns": ({"x": X[:, :0]}, ValueError, r"one batch of 10; got 64 examples, shape \(64, 0\)"),
    "numpy test": ({"test": X.numpy()}, TypeError, "test must be a torch.Tensor; got ndarray"),
    "empty test": ({"test": X[:0]}, ValueError, r"test must hold at least one example; got 0 examples, shape \(0, 3\)"),
    "other test": ({"test": X[:, :2]}, ValueError, r"test must have examples of shape \(3,\); got \(2,\)"),
    "model": ({"model": lambda x: x}, TypeError, "model must be a torch.nn.Module; got <function"),
    "loss": ({"loss": 3.0}, TypeError, "loss must be a function of the model and a batch; got float"),
    "callback": ({"after_epoch": 1}, TypeError, "after_epoch must be a function; got 1"),
    "generator": ({"generator": 1}, TypeError, "generator must be a torch.Generator or None; got 1"),
    "no optimizer": ({"optimizer": "adam"}, TypeError, "optimizer must be one of torch.optim; got str"),
    "another model's": (
        {"optimizer": torch.optim.SGD(other().parameters(), 0.1)}, ValueError, "got 1 of 1 that are not its own"
    ),
    "closure": ({"optimizer": torch.optim.LBFGS}, ValueError, "must step without a closure; got LBFGS"),
    "lr beside it": ({"optimizer": torch.optim.Adam, "lr": 0.1}, ValueError, "is the optimizer's .* got lr=0.1"),
    "plateau": (
        {"optimizer": torch.optim.Adam, "scheduler": torch.optim.lr_scheduler.ReduceLROnPlateau}, ValueError,
        "scheduler must advance without a number, after every step; got ReduceLROnPlateau"
    ),
    "no scheduler": ({"scheduler": 1}, TypeError, "scheduler must be one of torch.optim.lr_scheduler; got int"),
    "another's scheduler": (
        {"scheduler": torch.optim.lr_scheduler.ConstantLR(torch.optim.SGD(other().parameters(), 0.1))}, ValueError,
        "scheduler must be of the optimizer that is given"
    ),
    "a schedule too short": (
        {"optimizer": torch.optim.Adam, "scheduler": lambda a: torch.optim.lr_scheduler.OneCycleLR(a, 0.1, 11)},
        ValueError, "must last for the 12 steps to come; got OneCycleLR with 11 of its 11 steps left"
    ),
}  # fmt: skip
for _name, _least in (("epochs", 0), ("batch_size", 1)):
    for _bad, _error in ((_least - 1, ValueError), *((b, TypeError) for b in (1.5, "2", None, True, float("nan")))):
        _said = f"{_name} must be a whole number of at least {_least}; got"
        DOORS[f"{_name} {_bad!r}"] = ({_name: _bad}, _error, _said)
for _bad, _error in (*((b, ValueError) for b in (0, -1e-3, float("nan"), float("inf"))),
                     *((b, TypeError) for b in ("fast", "1e-3", True, [1, 2], torch.ones(2)))):  # fmt: skip
    DOORS[f"lr {_bad!r}"] = ({"lr": _bad}, _error, "lr must be a positive, finite number; got")


@pytest.mark.parametrize("what", DOORS)
def test_what_is_wrong_is_refused_before_the_first_step(what):
    given, error, message = DOORS[what]
    model, _ = model_and_loss()
    options = {
        "epochs": 2,
        "batch_size": 10,
        "loss": lambda *_: pytest.fail("the loss was asked"),
        "model": model,
        "x": X,
    }
    options |= given
    for name, of in (("optimizer", lambda: model.parameters()), ("scheduler", lambda: options["optimizer"])):
        options[name] = options[name](of()) if callable(options.get(name)) else options.get(name)
    before, weight = torch.get_rng_state(), model.weight.clone()
    with pytest.raises(error, match=message):
        fit(options.pop("model"), options.pop("loss"), options.pop("x"), **{"device": CPU} | options)
    assert torch.equal(weight, model.weight) and torch.equal(before, torch.get_rng_state())


def test_evaluate_has_the_same_doors():
    model, loss = model_and_loss()
    for x, error in ((X.numpy(), TypeError), (X[:0], ValueError), (X.long(), TypeError)):
        with pytest.raises(error, match="x must"):
            evaluate(model, loss, x)
    with pytest.raises(ValueError, match="batch_size must be a whole number of at least 1; got 0"):
        evaluate(model, loss, X, 0)
    with pytest.raises(TypeError, match="model must"):
        evaluate(loss, loss, X)


@pytest.mark.parametrize(
    "value", [lambda v: v, lambda v: v.mean().item(), lambda v: [v.mean()], lambda v: (), lambda v: (v.mean(), v)]
)
def test_a_loss_is_one_number_or_a_tuple_of_numbers(value):
    with pytest.raises(
        TypeError, match=r"loss must return a tensor of shape \(\), such as a .mean\(\), or a tuple of them; got"
    ):
        run_loss(lambda m, x: value((x - m.weight.T).square().sum(1)))


def run_loss(loss):
    return fit(model_and_loss()[0], loss, X, epochs=1, batch_size=10, device=CPU)


def test_no_pass_is_a_history_of_none():
    _, history = run(points(), epochs=0)
    assert history.train == history.seconds == [] and not history.interrupted


def test_lr_none_is_a_thousandth():
    assert torch.equal(run(X)[0].weight, run(X, lr=1e-3)[0].weight)
    assert not torch.equal(run(X)[0].weight, run(X, lr=2e-3)[0].weight)


def test_a_device_may_be_a_name():
    set_seed(1)
    model, loss = model_and_loss()
    assert len(fit(model, loss, X, epochs=1, batch_size=10, device="cpu").train) == 1


def test_train_epoch_takes_the_order_it_is_given():
    seen = []
    model, loss = model_and_loss()

    def spy(m, batch):
        seen.extend(batch[:, 0].tolist())
        return loss(m, batch), batch.mean()

    sgd = torch.optim.SGD(model.parameters(), 0.1)
    x = torch.arange(7.0)[:, None].expand(7, 3)
    losses = train_epoch(model, spy, x, torch.tensor([6, 1, 2, 0, 3]), 2, sgd)
    assert seen == [6, 1, 2, 0] and losses.shape == (2, 2) and losses[:, 1].tolist() == [3.5, 1]


def test_a_schedule_moves_at_every_step():
    model, loss = model_and_loss()
    sgd = torch.optim.SGD(model.parameters(), lr=1.0)
    halve = torch.optim.lr_scheduler.ExponentialLR(sgd, 0.5)
    fit(model, loss, points(), epochs=2, batch_size=20, optimizer=sgd, scheduler=halve, device=CPU)
    assert sgd.param_groups[0]["lr"] == 0.5**6  # three steps a pass


def test_ctrl_c_returns_the_history_so_far():
    model, loss = model_and_loss()
    steps = []

    def impatient(m, x):
        steps.append(1)
        if len(steps) == 15:  # in the third pass of six steps
            raise KeyboardInterrupt
        return loss(m, x)

    history = fit(model, impatient, points(), epochs=5, batch_size=10, device=CPU)
    assert history.interrupted and len(history.train) == len(history.seconds) == 2
    assert model.weight.isfinite().all()


def test_a_loss_that_is_not_a_number_stops_with_advice():
    with pytest.raises(FloatingPointError, match=r"nan at step 0 of pass 0 \(learning rate 0.25\).*log-variance"):
        run(points() * float("nan"), lr=0.25)
    model, loss = model_and_loss()
    steps = []

    def late(m, x):
        steps.append(1)
        return loss(m, x) / (0 if len(steps) == 9 else 1)

    with pytest.raises(FloatingPointError, match="inf at step 2 of pass 1"):
        fit(model, late, points(), epochs=5, batch_size=10, device=CPU)


@pytest.mark.parametrize("n", [0, 9])
def test_too_few_examples(n):
    with pytest.raises(ValueError, match=f"at least one batch of 10; got {n} examples"):
        run(points(64)[:n])


def test_the_bar_is_shown_and_can_be_switched_off(monkeypatch, capsys):
    run(points())
    assert capsys.readouterr() == ("", "")
    assert os.environ["VAELIB_PROGRESS"] == "0"  # set by conftest, so that no bar gets into a stored output
    monkeypatch.setenv("VAELIB_PROGRESS", "1")
    run(points())
    assert "epoch" in capsys.readouterr().err


def test_default_device_is_the_best_there_is(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert default_device().type == "cuda"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert default_device().type == "mps"
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert default_device().type == "cpu"


@pytest.mark.gpu
def test_the_gpu_agrees_with_the_cpu():
    x = points(512)
    weights = []
    for device in ("cpu", "cuda"):
        set_seed(1)
        model, loss = model_and_loss()
        fit(model, loss, x, epochs=50, batch_size=512, lr=0.01, device=torch.device(device))
        weights.append(model.weight.cpu())
    torch.testing.assert_close(*weights, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("bad", [1.5, "7", None, True, -1, 2**64, torch.tensor(1)])
def test_a_seed_is_a_whole_number(bad):
    """1.5 and "7" were taken for 1 and 7."""
    before = torch.get_rng_state()
    with pytest.raises(
        (TypeError, ValueError), match="seed must be a whole number between 0 and 18446744073709551615; got"
    ):
        set_seed(bad)
    assert torch.equal(before, torch.get_rng_state())
    set_seed(np.int64(3))
    set_seed(2**64 - 1)


def test_numbers_that_are_no_pixels_are_refused():
    for bad in (X.long(), X > 0, X + 1j, X.tolist(), X.to_sparse()):
        with pytest.raises(TypeError, match="x must"):
            as_float(bad)


PASS = {
    "order as a list": ({"order": [0, 1]}, TypeError, "order must be a torch.Tensor; got list"),
    "order of floats": (
        {"order": torch.ones(20)},
        ValueError,
        "order must be a row of torch.int64, .*; got torch.float32",
    ),
    "order shorter than a batch": (
        {"order": torch.arange(9)},
        ValueError,
        r"one batch of 10; got torch.int64 of shape \(9,\)",
    ),
    "order beyond x": (
        {"order": torch.arange(60, 70)},
        ValueError,
        "order must be of places 0 to 63 in x; got 60 to 69",
    ),
    "numpy": ({"x": X.numpy()}, TypeError, "x must be a torch.Tensor; got ndarray: wrap it in torch.from_numpy"),
    "no optimizer": ({"optimizer": None}, TypeError, "optimizer must be one of torch.optim; got NoneType"),
    "another's": (
        {"optimizer": torch.optim.SGD(other().parameters(), 0.1)},
        ValueError,
        "got 1 of 1 that are not its own",
    ),
    "batch size": ({"batch_size": 0}, ValueError, "batch_size must be a whole number of at least 1; got 0"),
}


@pytest.mark.parametrize("what", PASS)
def test_a_single_pass_has_the_doors_of_the_whole(what):
    """An order shorter than a batch made one step on no example, and NaN of every weight."""
    given, error, message = PASS[what]
    model, loss = model_and_loss()
    good = {"x": X, "order": torch.arange(20), "batch_size": 10, "optimizer": torch.optim.SGD(model.parameters(), 0.1)}
    before = model.weight.clone()
    with pytest.raises(error, match=message):
        train_epoch(model, loss, **good | given)
    assert torch.equal(before, model.weight)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_the_mean_over_a_set_has_room_in_half_precision(dtype):
    """2000 examples at 100 are more than the largest float16: the test loss was infinite."""
    model, x = nn.Linear(1, 1).to(dtype), torch.ones(5000, 1)
    assert evaluate(model, lambda m, x: (0 * m(x)).mean() + 100.5, x) == 100.5


def test_a_loss_that_no_weight_can_change_is_named():
    model, _ = model_and_loss()
    for loss in (lambda m, x: x.mean(), lambda m, x: m.weight.detach().sum(), lambda m, x: m.weight.sum().long()):
        with pytest.raises(
            ValueError, match=r"loss must depend on the model's weights; got torch.* without a gradient"
        ):
            fit(model, loss, X, epochs=1, batch_size=10, device=CPU)
    with pytest.raises(TypeError, match=r"such as a .mean\(\).*; got torch.complex64 of shape \(\)"):
        fit(model, lambda m, x: m.weight.sum() + 1j, X, epochs=1, batch_size=10, device=CPU)
