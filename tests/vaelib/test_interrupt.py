"""Ctrl-C and kill -9 while `fit` works: real signals, here, in a kernel of Jupyter, and to whole processes."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from itertools import count

import pytest
import torch
from torch import nn

from vaelib._interrupt import CtrlC
from vaelib.train import fit, set_seed

CPU = torch.device("cpu")
LISTS = ("train", "test", "train_parts", "test_parts", "seconds")


def press():
    signal.raise_signal(signal.SIGINT)


def squares(model, x):
    return (model(x) - x).square().mean()


def run(loss=squares, epochs=4, checkpoint=None, after_epoch=None, **options):
    set_seed(0)
    model, x = nn.Linear(3, 3), torch.randn(60, 3)
    common = {"batch_size": 10, "test": x[:20], "device": CPU, "checkpoint": checkpoint, "after_epoch": after_epoch}
    return model, fit(model, loss, x, epochs=epochs, **common | options)


def pressing(where, training=True):
    """`squares`, with Ctrl-C in this call in a step, or in a look at the test data."""
    calls = count(1)

    def loss(model, x):
        if training == torch.is_grad_enabled() and model.training == training and next(calls) == where:
            press()
        return squares(model, x)

    return loss


@pytest.fixture(autouse=True)
def the_handler_is_put_back():
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    yield
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def lengths(history):
    return [len(getattr(history, name)) for name in LISTS]


@pytest.mark.parametrize(("step", "passes"), [(1, 0), (6, 0), (7, 1), (12, 1), (13, 2)])
def test_a_step_is_finished_before_the_training_stops(step, passes):
    """After so many steps, and with the weights of a training of which the next step failed."""
    model, history = run(pressing(step))
    assert history.interrupted and lengths(history) == [passes] * 5
    calls = count(1)

    def stops(m, x):
        if torch.is_grad_enabled() and m.training and next(calls) == step + 1:
            raise KeyboardInterrupt
        return squares(m, x)

    assert torch.equal(model.weight, run(stops)[0].weight)


def test_in_a_look_at_the_test_data_the_lists_stay_equal():
    """Between two batches of a look that pass does not count; in its last batch all is there, and it does."""
    test = torch.randn(4100, 3)  # three batches
    for where, passes in ((1, 0), (2, 0), (3, 1), (4, 1), (9, 3)):
        _, history = run(pressing(where, training=False), test=test)
        assert history.interrupted and lengths(history) == [passes] * 5


def test_in_the_callback_the_pass_counts():
    for at in range(4):
        _, history = run(after_epoch=lambda done, model, at=at: press() if done == at else None)
        assert history.interrupted and lengths(history) == [at] * 5
    _, history = run(after_epoch=lambda done, model: press() if done == 4 else None)
    assert not history.interrupted and lengths(history) == [4] * 5  # there was nothing left to stop


def test_a_second_one_is_immediate():
    reached = []

    def loss(model, x):
        if model.training and torch.is_grad_enabled() and len(reached) == 0:
            press()
            reached.append("after the first")
            press()
            reached.append("after the second")
        return squares(model, x)

    _, history = run(loss)
    assert reached == ["after the first"] and history.interrupted and lengths(history) == [0] * 5


def test_from_the_call_on(monkeypatch, tmp_path):
    """While arguments are checked, data moved, Adam made and the checkpoint read: no step, and a history."""
    run(checkpoint=tmp_path / "run", epochs=1)
    for name in ("prepared", "open_checkpoint"):
        original = getattr(sys.modules["vaelib.train"], name)
        with monkeypatch.context() as patch:
            patch.setattr(f"vaelib.train.{name}", lambda *a, _o=original: press() or _o(*a))
            _, history = run(checkpoint=tmp_path / "run")
        assert history.interrupted and lengths(history) == [1] * 5
    assert os.listdir(tmp_path) == ["run"]


def test_an_error_puts_the_handler_back():
    with pytest.raises(ZeroDivisionError):
        run(lambda model, x: 1 / 0)


@pytest.mark.parametrize("handler", [signal.SIG_IGN, lambda *_: None])
def test_a_handler_of_somebody_else_is_left_alone(handler):
    before = signal.signal(signal.SIGINT, handler)
    try:
        with CtrlC() as ctrl_c:
            assert signal.getsignal(signal.SIGINT) is handler
            press()
            ctrl_c.check()
        assert signal.getsignal(signal.SIGINT) is handler
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_handler_set_meanwhile_stays():
    def other(*_): ...

    with CtrlC():
        signal.signal(signal.SIGINT, other)
    assert signal.signal(signal.SIGINT, signal.default_int_handler) is other


def test_outside_the_main_thread_it_trains():
    found = []
    thread = threading.Thread(target=lambda: found.append(run()[1]))
    thread.start()
    thread.join()
    assert lengths(found[0]) == [4] * 5


def test_a_fit_inside_a_fit_leaves_ctrl_c_to_the_outer_one():
    _, history = run(after_epoch=lambda done, model: (run(epochs=1), press()) if done == 1 else None)
    assert history.interrupted and lengths(history) == [1] * 5


EARLY = """
import _thread, sys, threading
import torch
from vaelib.train import fit
model, x = torch.nn.Linear(3, 3), torch.randn(60, 3)
threading.Timer(float(sys.argv[1]), _thread.interrupt_main).start()
loss = lambda m, x: (m(x) - x).square().mean()
history = fit(model, loss, x, epochs=10**9, batch_size=10, device=torch.device("cpu"))
first = [history.interrupted, len(history.train) == len(history.seconds)]
again = fit(model, loss, x, epochs=2, batch_size=10, device=torch.device("cpu"), test=x)
print(first, len(again.train), "torch._dynamo" in sys.modules)
"""


@pytest.mark.slow
@pytest.mark.parametrize("seconds", ["0.05", "0.6"])
def test_in_the_import_that_the_first_optimizer_makes(seconds):
    """The first optimizer of a process imports PyTorch's compiler, for a second or two; half of it would be no good."""
    command = [sys.executable, "-c", EARLY, seconds]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "[True, True] 2 True", done.stderr


CELL = """
import torch
from vaelib.train import fit
model, x = torch.nn.Linear(3, 3), torch.randn(60, 3)
loss = lambda m, x: (m(x) - x).square().mean()
options = {"batch_size": 10, "device": torch.device("cpu"), "test": x}
print("ready", flush=True)
"""
FIT = "history = fit(model, loss, x, epochs=10**9, **options)"
TELL = "print(history.interrupted, len(history.train) == len(history.test) == len(history.seconds))"


@pytest.mark.slow
def test_in_a_kernel_of_jupyter():
    """The button "interrupt": in the first moments and later; the cell ends well, and so do the ones after it."""
    from jupyter_client.manager import start_new_kernel

    manager, client = start_new_kernel()
    try:
        said = []
        client.execute_interactive(CELL, timeout=60, output_hook=lambda m: said.append(m["content"].get("text", "")))
        assert "ready\n" in said
        for seconds in (0.05, 0.5):
            timer = threading.Timer(seconds, manager.interrupt_kernel)
            timer.start()
            reply = client.execute_interactive(FIT, timeout=60, output_hook=lambda m: None)
            assert reply["content"]["status"] == "ok"
            said.clear()
            client.execute_interactive(TELL, timeout=60, output_hook=lambda m: said.append(m["content"].get("text")))
            assert "True True\n" in said
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def train_in(folder, began=None):
    """A training of which every pass is kept, with noise and a schedule."""
    torch.set_num_threads(1)
    set_seed(0)
    model, x = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 3)), torch.randn(60, 3)
    adam = torch.optim.Adam(model.parameters(), fused=True)
    cycle = torch.optim.lr_scheduler.OneCycleLR(adam, 0.01, total_steps=12 * 60)
    options = {"epochs": 60, "batch_size": 5, "test": x, "optimizer": adam, "scheduler": cycle, "device": CPU}
    tell = began and (lambda done, model: began.set())
    history = fit(
        model,
        lambda m, b: (m(b + torch.randn_like(b)) - b).square().mean(),
        x,
        checkpoint=f"{folder}/run",
        after_epoch=tell,
        **options,
    )
    if not began:
        torch.save({"weights": model.state_dict(), "train": history.train, "test": history.test}, f"{folder}/done")


@pytest.mark.slow
def test_kill_9_at_any_moment_costs_no_bit(tmp_path):
    """Five processes are killed, each where it happens to be; a sixth one goes on to the end."""
    spawn = multiprocessing.get_context("forkserver")
    spawn.set_forkserver_preload(["torch._dynamo", "vaelib.train"])
    for folder in ("whole", "killed"):
        (tmp_path / folder).mkdir()

    def finish(folder):
        process = spawn.Process(target=train_in, args=(tmp_path / folder,))
        process.start()
        process.join(120)
        assert process.exitcode == 0
        return torch.load(tmp_path / folder / "done", weights_only=True)

    whole = finish("whole")
    for wait in (0.0, 0.01, 0.02, 0.04, 0.08):
        began = spawn.Event()
        process = spawn.Process(target=train_in, args=(tmp_path / "killed", began))
        process.start()
        assert began.wait(60)
        time.sleep(wait)
        process.kill()
        process.join()
        assert process.exitcode == -signal.SIGKILL
    killed = finish("killed")
    assert killed["train"] == whole["train"] and killed["test"] == whole["test"] and len(whole["train"]) == 60
    assert all(torch.equal(whole["weights"][name], value) for name, value in killed["weights"].items())
    assert sorted(os.listdir(tmp_path / "killed")) == ["done", "run"]
