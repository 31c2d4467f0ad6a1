import os

import pytest
import torch
from torch import nn

from vaelib.checkpoints import load_checkpoint, save_checkpoint
from vaelib.train import History, fit, set_seed

CPU = torch.device("cpu")


def points(n=64):
    return torch.randn(n, 3, generator=torch.Generator().manual_seed(0))


def noisy_loss(model, x):
    """Draws noise from the global generator in every step, as a VAE does."""
    value = (model(x + torch.randn_like(x)) - x).square().sum(1).mean()
    return value, x.mean()


def run(checkpoint=None, epochs=6, width=5, loss=noisy_loss, generator=None, **options):
    """A small training with everything that has a state: Adam, a schedule, shuffling, noise."""
    set_seed(3)
    model = nn.Sequential(nn.Linear(3, width), nn.ReLU(), nn.Linear(width, 3))
    adam = torch.optim.Adam(model.parameters(), fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(adam, 0.01, total_steps=36)
    options = {"batch_size": 10, "test": points(20), **options}
    common = {"optimizer": adam, "scheduler": schedule, "device": CPU, "checkpoint": checkpoint, "generator": generator}
    return model, fit(model, loss, points(), epochs=epochs, **common, **options)


def interrupted(step):
    """`noisy_loss`, stopped with Ctrl-C at this step (six a pass, and one evaluation after it)."""
    steps = []

    def loss(model, x):
        steps.append(1)
        if len(steps) == step:
            raise KeyboardInterrupt
        return noisy_loss(model, x)

    return loss


def assert_same(one, two):
    (model, history), (other, story) = one, two
    for a, b in zip(model.parameters(), other.parameters(), strict=True):
        assert torch.equal(a, b)
    for part in ("train", "test", "train_parts", "test_parts"):
        assert getattr(history, part) == getattr(story, part) and len(getattr(history, part)) == 6


@pytest.mark.parametrize("step", [8, 14, 20, 22])  # in the middle of a pass, at its end, in an evaluation
@pytest.mark.parametrize("own", [False, True])
def test_stopped_and_resumed_is_never_stopped(tmp_path, capsys, step, own):
    generator = (lambda: torch.Generator().manual_seed(5)) if own else (lambda: None)
    whole = run(generator=generator())
    first = run(tmp_path / "run", loss=interrupted(step), generator=generator())
    assert first[1].interrupted and len(first[1].train) < 6
    torch.randn(7)  # another cell of the notebook
    again = run(tmp_path / "run", generator=generator())
    assert_same(whole, again)
    assert f"run: going on after {(step - 1) // 7} passes" in capsys.readouterr().out
    assert again[1].seconds == sorted(again[1].seconds)


def test_a_finished_run_is_not_run_again(tmp_path):
    whole = run(tmp_path / "run")
    never = run(tmp_path / "run", loss=interrupted(1))
    assert not never[1].interrupted
    assert_same(whole, never)


def test_checkpoints_do_not_change_the_training(tmp_path):
    assert_same(run(), run(tmp_path / "run"))


def test_after_epoch_is_part_of_the_pass(tmp_path):
    """What the callback draws is drawn once, and after_epoch(0) belongs to the first start only."""

    def draw(calls):
        return lambda done, model: calls.append((done, torch.randn(1).item()))

    whole, parts = [], []
    expected = run(after_epoch=draw(whole))
    run(tmp_path / "run", loss=interrupted(16), after_epoch=draw(parts))
    assert_same(expected, run(tmp_path / "run", after_epoch=draw(parts)))
    assert parts == whole


def test_nothing_is_half_written(tmp_path, monkeypatch):
    path = tmp_path / "run"
    save_checkpoint(path, {"a": torch.ones(2)})

    def power_cut(source, target):
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "replace", power_cut)
    with pytest.raises(OSError, match="no space left"):
        save_checkpoint(path, {"a": torch.zeros(2)})
    assert load_checkpoint(path)["a"].tolist() == [1, 1]
    assert [file.name for file in tmp_path.iterdir()] == ["run"]


@pytest.mark.parametrize("where", [0.3, 0.6, 0.99])
def test_damage_is_seen(tmp_path, where):
    run(tmp_path / "run", epochs=1)
    data = bytearray((tmp_path / "run").read_bytes())
    data[int(where * len(data))] ^= 1  # one bit
    (tmp_path / "run").write_bytes(data)
    with pytest.raises(RuntimeError, match=r"run is damaged \(\d+ bytes\): delete it"):
        run(tmp_path / "run")
    (tmp_path / "run").write_bytes(data[: len(data) // 2])
    with pytest.raises(RuntimeError, match="damaged"):
        run(tmp_path / "run")


def test_a_foreign_file_is_refused(tmp_path):
    torch.save(nn.Linear(2, 2).state_dict(), tmp_path / "weights.pt")
    with pytest.raises(ValueError, match=r"weights.pt is not a checkpoint of vaelib: expected a file written by fit"):
        run(tmp_path / "weights.pt")


def test_another_training_is_refused_and_the_model_kept(tmp_path):
    run(tmp_path / "run", epochs=1)
    with pytest.raises(ValueError, match=r"another training: expected .*'batch_size': 20.*got .*'batch_size': 10"):
        run(tmp_path / "run", batch_size=20)
    set_seed(3)
    model = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 3))
    before = [p.clone() for p in model.parameters()]
    adam = torch.optim.Adam(model.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(adam, 0.01, total_steps=36)
    common = {"optimizer": adam, "scheduler": schedule, "device": CPU, "batch_size": 10}
    with pytest.raises(ValueError, match=r"another model: expected 0.bias of shape \(8,\); got \(5,\)"):
        fit(model, noisy_loss, points(), epochs=2, checkpoint=tmp_path / "run", **common)
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))


def test_no_code_in_a_file_is_run(tmp_path):
    """A checkpoint that holds anything but tensors, numbers and text is refused by PyTorch's own reader."""
    save_checkpoint(tmp_path / "run", {"history": History()})
    with pytest.raises(Exception, match=r"[Ww]eights.only"):
        load_checkpoint(tmp_path / "run")
