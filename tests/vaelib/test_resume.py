"""A training that goes on: the same bits as one that never stopped, or a refusal by name that changes nothing."""

import copy
import math
import os
import warnings
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from disk import make_pipe, room  # noqa: F401 (a fixture)
from torch import nn
from torch.optim.lr_scheduler import LambdaLR, OneCycleLR, StepLR

from vaelib._aside import random_state
from vaelib._facts import digest
from vaelib._lock import Lock
from vaelib.checkpoints import load_checkpoint, save_checkpoint
from vaelib.train import fit, set_seed

CPU = torch.device("cpu")
STEPS = 6  # a pass


def points(n=64):
    return torch.randn(n, 3, generator=torch.Generator().manual_seed(0))


def noisy_loss(model, x):
    """Draws noise from the global generator in every step, as a VAE does."""
    value = (model(x + torch.randn_like(x)) - x).square().sum(1).mean()
    return value, x.mean()


def made(**changes):
    """A small training with everything that has a state: Adam, a schedule, shuffling, noise, BatchNorm."""
    kinds = {"width": 5, "act": nn.ReLU, "adam": torch.optim.Adam, "lr": 1e-3, "total": 36, "dtype": torch.float32}
    kinds |= {"cycle": lambda adam, total: OneCycleLR(adam, 0.01, total_steps=total), "x": points(), "test": points(20)}
    kinds |= {"loss": noisy_loss, "generator": None, "batch_size": 10, "drop": 0.1, "groups": None}
    own = SimpleNamespace(**kinds | changes)
    set_seed(3)
    layers = [nn.Linear(3, own.width), own.act(), nn.BatchNorm1d(own.width), nn.Dropout(own.drop)]
    own.model = nn.Sequential(*layers, nn.Linear(own.width, 3)).to(own.dtype)
    groups = own.groups(own.model) if own.groups else own.model.parameters()
    own.optimizer = own.adam(groups, lr=own.lr)
    own.scheduler = own.cycle(own.optimizer, own.total) if own.cycle else None
    return own


def go(own, checkpoint=None, epochs=6, **options):
    given = {name: getattr(own, name) for name in ("optimizer", "scheduler", "generator", "batch_size", "test")}
    return own.model, fit(
        own.model, own.loss, own.x, epochs=epochs, checkpoint=checkpoint, device=CPU, **given | options
    )


def run(checkpoint=None, epochs=6, after_epoch=None, **changes):
    return go(made(**changes), checkpoint, epochs, after_epoch=after_epoch)


def interrupted(step):
    """`noisy_loss`, stopped with Ctrl-C at this step (six a pass, and one look at the test data after it)."""
    steps = []

    def loss(model, x):
        steps.extend([1] * (model.training or not torch.is_grad_enabled()))  # not where fit tries the loss aside
        if len(steps) == step:
            raise KeyboardInterrupt
        return noisy_loss(model, x)

    return loss


def assert_same(one, two, passes=6):
    (model, history), (other, story) = one, two
    for (name, a), b in zip(model.state_dict().items(), other.state_dict().values(), strict=True):
        assert torch.equal(a, b), name
    for part in ("train", "test", "train_parts", "test_parts"):
        assert getattr(history, part) == getattr(story, part) and len(getattr(history, part)) == passes


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run"


@pytest.mark.slow
@pytest.mark.parametrize("step", [3, 8, 14, 20, 22])  # in the first pass, later, in a look, at the beginning of a pass
@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_stopped_and_resumed_is_never_stopped(path, capsys, step, own, dtype):
    generator = (lambda: torch.Generator().manual_seed(5)) if own else (lambda: None)
    whole = run(generator=generator(), dtype=dtype)
    first = run(path, loss=interrupted(step), generator=generator(), dtype=dtype)
    assert first[1].interrupted and len(first[1].train) == (step - 1) // 7
    torch.randn(7)  # another cell of the notebook
    again = run(path, generator=generator(), dtype=dtype)
    assert_same(whole, again)
    if step > 7:
        assert f"run: going on after {(step - 1) // 7} passes" in capsys.readouterr().out
    assert again[1].seconds == sorted(again[1].seconds)


def test_a_generator_that_shuffles_and_makes_the_noise_is_kept(path):
    def noise_of(generator, stop=math.inf):
        calls = []

        def loss(model, x):
            calls.extend([1] * model.training)
            if len(calls) == stop:
                raise KeyboardInterrupt
            return (model(x + torch.randn(x.shape, generator=generator)) - x).square().mean()

        return {"loss": loss, "generator": generator}

    def fresh():
        return torch.Generator().manual_seed(5)

    whole = run(**noise_of(fresh()))
    run(path, **noise_of(fresh(), stop=15))
    assert_same(whole, run(path, **noise_of(fresh())))
    blind = run(**noise_of(fresh()), test=None)  # looking changes nothing here either
    assert blind[1].train == whole[1].train


def test_a_finished_run_is_not_run_again(path):
    whole = run(path)
    again = run(path, loss=interrupted(1))
    assert not again[1].interrupted
    assert_same(whole, again)


def test_checkpoints_do_not_change_the_training(path):
    assert_same(run(), run(path))


def test_more_passes_than_before_are_fine_without_a_schedule(path):
    assert len(run(path, epochs=2, cycle=None)[1].train) == 2
    assert_same(run(cycle=None), run(path, cycle=None))


def test_the_same_objects_may_go_on_after_ctrl_c(path):
    """In a notebook one runs the cell of `fit` again, whose optimizer and schedule stand in the middle by now."""
    whole, own = run(), made(loss=interrupted(16))
    assert go(own, path)[1].interrupted
    own.loss = noisy_loss
    assert_same(whole, go(own, path))


def test_after_epoch_is_part_of_the_pass(path):
    """What the callback draws is drawn once, and after_epoch(0) belongs to the first start only."""

    def draw(calls):
        return lambda done, model: calls.append((done, torch.randn(1).item()))

    whole, parts = [], []
    expected = run(after_epoch=draw(whole))
    run(path, loss=interrupted(16), after_epoch=draw(parts))
    assert_same(expected, run(path, after_epoch=draw(parts)))
    assert parts == whole


def state_of(own):
    parts = [own.model.state_dict(), own.optimizer.state_dict(), own.scheduler and own.scheduler.state_dict()]
    return copy.deepcopy([*parts, random_state(CPU, own.generator), [m.training for m in own.model.modules()]])


def equal(one, two):
    if isinstance(one, torch.Tensor):
        return torch.equal(one, two)
    if isinstance(one, dict):
        return one.keys() == two.keys() and all(equal(one[key], two[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(two) and all(map(equal, one, two))
    return one == two


def biased(model):
    """Two groups, with what decays and what does not."""
    return [{"params": [p for p in model.parameters() if p.dim() == n], "weight_decay": 0.1 * n} for n in (1, 2)]


def swapped(model):
    groups = biased(model)
    groups[0]["params"].reverse()
    return groups


def half(model, x):
    return tuple(part / 2 for part in noisy_loss(model, x))


class Sin(nn.Module):
    """Two activations of one class, one text and no weights, that only their values tell apart."""

    function = staticmethod(torch.sin)

    def forward(self, x):
        return self.function(x)


class Cos(Sin):
    function = staticmethod(torch.cos)


Cos.__qualname__ = "Sin"
OTHERS = {  # what differs -> what was kept, what comes, what the refusal says
    "data": ({}, {"x": 1 - points()}, r"x: kept float32 \(64, 3\) \w{16}, now float32 \(64, 3\) \w{16}"),
    "order of the data": ({}, {"x": points().flip(0)}, "x: kept"),
    "fewer examples": ({}, {"x": points(63)}, r"x: kept float32 \(64, 3\) .*, now float32 \(63, 3\)"),
    "data in float64": ({}, {"x": points().double()}, r"x: kept float32 .* now float64"),
    "pixels": ({}, {"x": points().abs().to(torch.uint8)}, r"x: kept float32 .* now uint8"),
    "other test data": ({}, {"test": points(20) + 1}, "test: kept float32"),
    "test data added": ({"test": None}, {}, "test: kept nothing, now float32"),
    "test data gone": ({}, {"test": None}, "test: kept float32 .*, now nothing"),
    "batch size": ({}, {"batch_size": 12}, "batch_size: kept 10, now 12"),
    "model in float64": ({}, {"dtype": torch.float64}, r"weights 0.bias: kept float32 \(5,\), now float64 \(5,\)"),
    "width": ({}, {"width": 8}, r"weights 0.weight: kept float32 \(5, 3\), now float32 \(8, 3\)"),
    "activation": ({}, {"act": nn.Tanh}, r"module 1: kept ReLU\(\), now Tanh\(\)"),
    "activation without a name": ({"act": Sin}, {"act": Cos}, "another loss or model: with the weights that it holds"),
    "dropout": ({}, {"drop": 0.2}, r"module 3: kept Dropout\(p=0.1.*now Dropout\(p=0.2"),
    "loss": ({}, {"loss": half}, r"another loss or model: .* first batch gave \[.*\] .*, and gives \[.*\] now"),
    "parts of the loss": ({}, {"loss": lambda *a: noisy_loss(*a)[0]}, "another loss or model"),
    "optimizer": ({"cycle": None}, {"adam": torch.optim.SGD, "cycle": None}, "optimizer: kept Adam, now SGD"),
    "learning rate": ({"cycle": None}, {"lr": 99.0, "cycle": None}, "group 0, lr: kept 0.001, now 99.0"),
    "a setting of Adam": ({}, {"adam": lambda p, lr: torch.optim.Adam(p, lr, eps=1e-3)}, "eps: kept 1e-08, now 0.001"),
    "weight decay of a group": ({"groups": biased}, {}, "group 0, weight_decay: kept 0.1, now 0; "),
    "order of the weights": ({"groups": biased}, {"groups": swapped}, r"group 0, weights: kept \['0.bias'"),
    "peak of the schedule": ({}, {"cycle": lambda a, n: OneCycleLR(a, 0.02, n)}, "max_lr: kept 0.01, now 0.02"),
    "length of the schedule": ({}, {"total": 72}, "scheduler, total_steps: kept 36, now 72"),
    "schedule": ({}, {"cycle": lambda a, _: StepLR(a, 9)}, "scheduler: kept OneCycleLR, now StepLR"),
    "schedule gone": ({}, {"cycle": None}, "scheduler: kept OneCycleLR, now nothing"),
    "schedule added": ({"cycle": None}, {}, "scheduler: kept nothing, now OneCycleLR"),
    "generator gone": (
        {"generator": torch.Generator().manual_seed(1)}, {}, "generator: kept one of its own, now the global one"
    ),
    "generator added": ({}, {"generator": torch.Generator().manual_seed(1)}, "generator: kept the global one"),
}  # fmt: skip


@pytest.mark.parametrize("what", OTHERS)
@pytest.mark.parametrize("used", [False, True])
def test_another_training_is_refused_by_name_before_anything_changes(path, what, used):
    kept, other, message = OTHERS[what]
    run(path, epochs=2, **kept)
    file, own = path.read_bytes(), made(**other)
    if used:
        fit(own.model, noisy_loss, points(), epochs=1, batch_size=10, optimizer=own.optimizer, device=CPU)
    before = state_of(own)
    with pytest.raises(ValueError, match=message) as caught:
        go(own, path)
    assert "run belongs to another" in str(caught.value) and "its own file" in str(caught.value)
    assert equal(before, state_of(own)) and path.read_bytes() == file
    assert os.listdir(path.parent) == ["run"]


def test_frozen_weights_are_part_of_the_training(path):
    run(path, epochs=1)
    own = made()
    own.model[0].weight.requires_grad_(False)
    with pytest.raises(ValueError, match=r"trained weights: kept \['0.weight', '0.bias'.*now \['0.bias'"):
        go(own, path)


def test_fewer_passes_than_it_holds_are_refused(path):
    run(path, epochs=3)
    with pytest.raises(ValueError, match=r"epochs must be at least the 3 passes that .*run holds; got 2"):
        run(path, epochs=2)


def test_a_schedule_that_would_end_before_the_training_is_refused_before_a_step(path):
    own = made()
    before = state_of(own)
    with pytest.raises(ValueError, match="must last for the 42 steps to come; got OneCycleLR with 36 of its 36 steps"):
        go(own, path, epochs=7)
    assert equal(before, state_of(own)) and not path.exists()
    run(path, epochs=2)
    own = made()
    with pytest.raises(ValueError, match="must last for the 30 steps to come; got OneCycleLR with 24 of its 36 steps"):
        go(own, path, epochs=7)
    assert equal(before, state_of(own))


def test_of_a_schedule_that_is_a_function_the_numbers_are_known(path):
    """The one thing that the docstring of `fit` leaves out."""

    def falling(by):
        return lambda adam, _: LambdaLR(adam, lambda step: by**step)

    run(path, epochs=1, cycle=falling(0.9))
    run(path, epochs=2, cycle=falling(0.8))
    with pytest.raises(ValueError, match=r"lr: kept 0\.001, now 0\.002"):
        run(path, epochs=3, cycle=falling(0.9), lr=0.002)


def test_a_loss_with_random_numbers_or_a_count_of_its_own_is_refused_or_warned_of(path):
    hidden, count = torch.Generator().manual_seed(1), []

    def draws(model, x):
        return (model(x) - x + torch.randn(x.shape, generator=hidden)).square().mean()

    def counts(model, x):
        count.append(1)
        return (model(x) - x).square().mean() * min(1, len(count) / 1000)

    def numpys(model, x):
        return (model(x) - x + np.random.default_rng().normal()).square().mean()

    for loss in (draws, counts, numpys):
        own = made(loss=loss)
        before = state_of(own)
        with pytest.raises(ValueError, match="two values for the same weights, batch and random numbers"):
            go(own, path)
        assert equal(before, state_of(own)) and not path.exists()
        with pytest.warns(UserWarning, match="so looking at the test data changes the training") as caught:
            go(own, epochs=1)
        assert len(caught) == 1 and caught[0].filename == __file__
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            go(made(loss=loss, test=None), epochs=1)  # nobody looks: nothing to warn of


def test_a_numpy_learning_rate_resumes(path):
    """As numpy.float64, which is a float; others are refused before the first step, by the name of what holds them."""
    double = {"lr": np.float64(0.002), "cycle": lambda adam, n: OneCycleLR(adam, np.float64(0.01), n)}
    whole = run(**double)
    run(path, loss=interrupted(16), **double)
    assert_same(whole, run(path, **double))


@pytest.mark.parametrize("what", ["Adam", "OneCycleLR"])
def test_what_could_not_be_read_back_is_refused_before_the_first_step(path, what):
    small = np.float32(0.002)
    own = made(lr=small, cycle=None) if what == "Adam" else made()
    if what == "OneCycleLR":
        own.scheduler.base_lrs = [small]
    before = state_of(own)
    with pytest.raises(TypeError, match=f"the state of the {what} cannot be kept: .* got numpy"):
        go(own, path)
    assert equal(before, state_of(own)) and os.listdir(path.parent) == []


def test_a_file_of_something_else_is_refused(path):
    save_checkpoint(path, {"a": 1})
    with pytest.raises(ValueError, match=r"run is a checkpoint of vaelib, but none that fit"):
        run(path)
    torch.save(nn.Linear(2, 2).state_dict(), path)
    with pytest.raises(ValueError, match=r"run is not a checkpoint of vaelib: expected a file written by fit"):
        run(path)


@pytest.mark.parametrize("where", [0.3, 0.6, 0.99])
def test_damage_is_seen_and_changes_nothing(path, where):
    run(path, epochs=1)
    data = bytearray(path.read_bytes())
    data[int(where * len(data))] ^= 1
    for spoilt in (data, data[: int(where * len(data))]):
        path.write_bytes(spoilt)
        own = made()
        before = state_of(own)
        with pytest.raises(RuntimeError, match=r"run is damaged \(\d+ bytes\): delete it"):
            go(own, path)
        assert equal(before, state_of(own))


def test_the_place_is_tried_before_the_first_step(tmp_path, monkeypatch):
    (tmp_path / "folder").mkdir()
    make_pipe(tmp_path / "pipe")
    places = {
        tmp_path / "no" / "run": (FileNotFoundError, "must be in a folder that is there; got .*no/run"),
        tmp_path / "folder": (ValueError, "which is a folder"),
        tmp_path / "pipe": (ValueError, "which is no ordinary file"),
        tmp_path / ("x" * 300): (OSError, "too long"),
        7: (TypeError, "got int"),
    }
    for place, (kind, message) in places.items():
        own = made(loss=lambda *_: pytest.fail("a step was made"))
        before = state_of(own)
        with pytest.raises(kind, match=message):
            go(own, place)
        assert equal(before, state_of(own))
    if os.path.isdir("/proc/self"):  # a folder in which even root makes no file
        with pytest.raises(OSError, match="/proc"):
            go(own, "/proc/run")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    run("~/run", epochs=1)
    (tmp_path / "link").symlink_to("run")
    assert len(run(tmp_path / "link", epochs=2)[1].train) == 2
    assert (tmp_path / "link").is_symlink() and len(load_checkpoint(tmp_path / "run")["history"]["train"]) == 2
    assert sorted(os.listdir(tmp_path)) == ["folder", "link", "pipe", "run"]


def test_a_file_that_must_not_be_written_is_not_replaced(path, monkeypatch):
    run(path, epochs=1)
    data, original = path.read_bytes(), type(path).open

    def guarded(self, mode="r", *rest, **options):  # root may write everything, so the refusal is played
        if self == path and mode != "rb":
            raise PermissionError(13, "Permission denied", str(self))
        return original(self, mode, *rest, **options)

    monkeypatch.setattr(type(path), "open", guarded)
    own = made()
    before = state_of(own)
    with pytest.raises(PermissionError, match="run"):
        go(own, path)
    assert equal(before, state_of(own)) and path.read_bytes() == data and os.listdir(path.parent) == ["run"]


def test_no_room_from_the_start_is_seen_before_the_first_step(path, room):  # noqa: F811
    room(2000)
    with pytest.raises(OSError, match=r"too large|No space"):
        run(path, after_epoch=lambda *_: pytest.fail("training has begun"))
    room(None)
    assert os.listdir(path.parent) == []


def test_a_disk_that_fills_up_later_costs_a_warning(path, room):  # noqa: F811
    """After two passes there is no room; the third and later ones are trained, and only not kept."""
    message = r"run could not be written \(.*(too large|No space).*It holds 2 passes"
    with pytest.warns(UserWarning, match=message) as caught:
        whole = run(path, epochs=4, after_epoch=lambda done, model: room(1000 if done > 2 else None))
    room(None)
    assert len(caught) == 1 and caught[0].filename == __file__ and len(whole[1].train) == 4
    assert len(load_checkpoint(path)["history"]["train"]) == 2 and os.listdir(path.parent) == ["run"]
    assert_same(run(), run(path))


def test_spoilt_weights_are_never_kept_over_good_ones(path):
    """The last step of a pass has a finite loss with a gradient that is not a number."""
    steps = []

    def loss(model, x):
        steps.extend([1] * model.training)
        root = (model(x) * 0).sum().abs().sqrt() if model.training and len(steps) == 3 * STEPS else 0
        return (model(x) - x).square().mean() + root  # a root of 0 is 0, and its slope 0 times infinity

    with pytest.raises(FloatingPointError, match=r"0\.weight is no longer finite after pass 2 .*log-variance"):
        run(path, loss=loss, test=None)
    kept = load_checkpoint(path)
    assert all(value.isfinite().all() for value in kept["parts"]["model"].values())
    assert len(kept["history"]["train"]) == 2


def test_two_trainings_do_not_share_a_file(path):
    def another(done, model):
        with pytest.raises(RuntimeError, match=r"run is in use: another training writes it"):
            run(path)

    assert len(run(path, epochs=1, after_epoch=another)[1].train) == 1
    assert os.listdir(path.parent) == ["run"]
    lock = Lock(path)
    own = made()
    before = state_of(own)
    with pytest.raises(RuntimeError, match="in use"):
        go(own, path)
    lock.release()
    assert equal(before, state_of(own))


def test_what_a_killed_training_left_is_cleared_and_nothing_else(path):
    mine, others = path.with_name("run.123.part"), [path.with_name(n) for n in ("run.x.5.part", "run.part", "other")]
    for file in (mine, *others):
        file.write_text("half")
    run(path, epochs=1)
    assert not mine.exists() and all(file.exists() for file in others)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.bfloat16, torch.float32, torch.float64])
def test_a_digest_knows_every_byte_the_type_and_the_shape(dtype, monkeypatch):
    monkeypatch.setattr("vaelib._facts.PIECE", 64)  # many pieces
    x = (torch.arange(60) * 4).to(dtype).view(20, 3)
    changed = x.clone()
    changed[-1, -1] += 4
    different = [digest(t) for t in (x, changed, x.view(10, 6), x.flip(0), x[:19], x.view(torch.int8))]
    assert len(set(different)) == 6
    assert digest(x) == digest(x.T.contiguous().T) == digest(x.clone().requires_grad_(dtype.is_floating_point))
    assert digest(torch.arange(4.0)) != digest(torch.arange(1.0, 5))
