import os

import pytest
import torch
from torch import nn

from vaelib.train import as_float, default_device, evaluate, fit, set_seed

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
