"""One training loop: the data stays on the device, which is waited for once in a hundred steps."""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from vaelib import _guard
from vaelib._aside import kept_generators
from vaelib._interrupt import CtrlC
from vaelib._resume import open_checkpoint
from vaelib._steps import floats, mean, one_pass, steps
from vaelib._training import Training, expect_examples, expect_model_and_loss, expect_pass, expect_pixels, prepared


@dataclass(frozen=True)
class History:
    """What `fit` saw: one entry per finished pass (epoch) over the data, in all lists alike.

    Attributes:
        train: mean of the loss over the steps of each pass, while the weights were moving.
        test: loss on the test data after each pass, empty when there is none.
        train_parts, test_parts: the further numbers of each pass where the loss returns a tuple, such as the two
            terms of the ELBO; else empty tuples.
        seconds: seconds of training up to the end of each pass.
        interrupted: whether the reader stopped it with Ctrl-C; the model keeps the weights it had by then.
    """

    train: list[float] = field(default_factory=list)
    test: list[float] = field(default_factory=list)
    train_parts: list[tuple[float, ...]] = field(default_factory=list)
    test_parts: list[tuple[float, ...]] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    interrupted: bool = False


def set_seed(seed: int) -> None:
    """Seed PyTorch's generators on every device with 0 to 2^64 - 1: same seed, machine and thread count, same bits."""
    _guard.counts(0, 2**64 - 1, seed=seed)
    torch.manual_seed(seed)


def default_device() -> torch.device:
    """The best device at hand: "cuda", else "mps" (Apple), else "cpu"."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def fit(
    model: nn.Module,
    loss: Callable[[nn.Module, Tensor], Tensor | tuple[Tensor, ...]],
    x: Tensor,
    *,
    epochs: int,
    batch_size: int = 128,
    lr: float | None = None,
    test: Tensor | None = None,
    optimizer: torch.optim.Optimizer | None = None,
    scheduler: torch.optim.lr_scheduler.LRScheduler | None = None,
    device: torch.device | None = None,
    generator: torch.Generator | None = None,
    after_epoch: Callable[[int, nn.Module], None] | None = None,
    checkpoint: str | os.PathLike | None = None,
) -> History:
    """Minimise the mean of `loss(model, batch)` over shuffled batches of x.

    Args:
        model: moved to the device and trained in place, in the mode, train() or eval(), that it is in.
        loss: a function of the model and a batch of floats that returns one number to be made small, (), or a
            tuple of numbers: the first is made small, the others are only recorded. What it draws comes from the
            global generator or from `generator`.
        x: examples, (N, ...): floats, or uint8 pixels 0..255, which become floats in [0, 1]. Batch by batch they get
            the dtype of the model's parameters.
        epochs: passes over x, 0 or more.
        batch_size: examples a step; the last, smaller batch of a pass is left out, and another one next time.
        lr: learning rate of Adam, 1e-3 when None; not beside an optimizer, which has its own.
        test: examples like x on which the loss is evaluated after each pass, in eval() and without gradients.
            Looking does not change the training: modes and generators are put back afterwards.
        optimizer: anything from `torch.optim` over the model's parameters that steps without a closure.
        scheduler: of that optimizer's learning rate, advanced after every step; not ReduceLROnPlateau.
        device: where to train; `default_device()` when None.
        generator: source of the shuffling, on the device; the global one by default.
        after_epoch: called as after_epoch(passes done, model), first with 0, before any training.
        checkpoint: a file in which every finished pass is kept, its folder there already; a link is followed. Where
            the file is there already, training goes on from it, bit for bit (on the CPU) as if it had never stopped.
            More epochs than before are fine; anything else that differs is refused by name, and nothing changes.
            Of a schedule that is a function, as LambdaLR's, only the numbers are known.

    Returns:
        A `History`. Ctrl-C ends the training, not the notebook: after the step at hand (a second one at once) the
        history so far comes back, with whole passes only.

    Raises:
        TypeError: an argument is of another type than said above; the checkpoint could not be read back.
        ValueError: x or test is empty, x smaller than a batch, a number out of range; the model has no weights to
            train, or the loss does not depend on them; optimizer, scheduler and model do not belong together; the
            checkpoint belongs to another training; with a checkpoint, the loss draws from a generator of its own.
        OSError: the checkpoint cannot be written there; seen before the first step. Later that is a warning.
        RuntimeError: the checkpoint is damaged, or another training writes it.
        FloatingPointError: a loss is NaN or infinite; names the step, the learning rate and what to look at. Seen
            at most 100 steps later; also where a step makes the weights so. Neither is ever kept.

    Book: chapter 1, "The loop"; the checkpoint in chapter 6.
    """
    history = History()
    with CtrlC() as ctrl_c:
        try:
            _guard.counts(0, epochs=epochs)
            if after_epoch is not None:
                _guard.functions(after_epoch=after_epoch)
            device = default_device() if device is None else _guard.device(device)
            training = prepared(model, loss, x, test, batch_size, lr, optimizer, scheduler, device, generator)
            for history in _passes(training, epochs, after_epoch, checkpoint, ctrl_c):  # noqa: B007
                pass
        except KeyboardInterrupt:
            return replace(history, interrupted=True)
    return history


def _passes(training: Training, epochs: int, after_epoch, checkpoint, ctrl_c: CtrlC) -> Iterator[History]:
    """The history at the start and after each pass: a new one each time, so that it is always whole."""
    with open_checkpoint(checkpoint, training, epochs) as kept:
        history = History(**kept.resume())
        yield history
        start = time.perf_counter() - (history.seconds[-1] if history.seconds else 0)
        if after_epoch and not history.train:
            after_epoch(0, training.model)
        with _progress_bar(epochs, done=len(history.train)) as bar:
            for epoch in bar:
                history = _afterone_pass(history, training, epoch, start, ctrl_c)
                yield history
                if after_epoch:
                    after_epoch(epoch + 1, training.model)
                kept.keep(history)


def _afterone_pass(history: History, training: Training, epoch: int, start: float, ctrl_c: CtrlC) -> History:
    ctrl_c.check()
    train = one_pass(training, epoch, ctrl_c).mean(0).tolist()
    looks = [] if training.test is None else [_look(training, ctrl_c)]
    return replace(
        history,
        train=[*history.train, train[0]],
        test=history.test + [loss for loss, *_ in looks],
        train_parts=[*history.train_parts, tuple(train[1:])],
        test_parts=history.test_parts + [tuple(others) for _, *others in looks],
        seconds=[*history.seconds, time.perf_counter() - start],
    )


def train_epoch(model, loss, x: Tensor, order: Tensor, batch_size: int, optimizer, scheduler=None) -> Tensor:
    """One pass: a step of the optimizer per full batch of x, taken in the given order.

    Returns:
        What the loss returned at every step, (steps, 1 + others), on the device: to read a number in the loop
        would wait for its step.

    Raises:
        TypeError, ValueError: as in `fit`, for model, loss, x, batch_size, optimizer and scheduler; order is no row of
            whole numbers, or shorter than a batch.
    """
    expect_pass(model, loss, x, order, batch_size, optimizer, scheduler)
    return torch.stack(list(steps(model, loss, x, order, batch_size, optimizer, scheduler)))


def evaluate(model, loss, x: Tensor, batch_size: int = 2000) -> float | tuple[float, ...]:
    """The mean of `loss` over all of x, batch by batch, each batch weighted by its size, in eval().

    Returns:
        One number, or a tuple of numbers where the loss returns a tuple. The modules' modes are put back; what the
        loss draws is drawn.

    Raises:
        TypeError, ValueError: as in `fit`, for model, loss, x and batch_size.
    """
    expect_model_and_loss(model, loss)
    _guard.counts(1, batch_size=batch_size)
    expect_examples("x", x)
    first, *others = mean(model, loss, x, batch_size).tolist()
    return (first, *others) if others else first


def as_float(x: Tensor) -> Tensor:
    """uint8 pixels 0..255 as floats (float32) in [0, 1]; floats as they are. TypeError: x holds other numbers."""
    expect_pixels("x", x)
    return floats(x)


def _look(training: Training, ctrl_c: CtrlC) -> list[float]:
    """The mean loss on the test data, leaving modes and generators as they were."""
    with kept_generators(training.device, training.generator):
        return mean(training.model, training.loss, training.test, check=ctrl_c.check).tolist()


def _progress_bar(epochs: int, done: int) -> tqdm:
    """A bar for terminal, Jupyter or Colab that leaves nothing behind; none where VAELIB_PROGRESS is 0."""
    off = os.environ.get("VAELIB_PROGRESS") == "0"
    return tqdm(range(done, epochs), desc="epoch", initial=done, total=epochs, leave=False, disable=off)
