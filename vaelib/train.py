"""One training loop: the data stays on the device, and the only wait for the device is once a pass."""

import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace

import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from vaelib.checkpoints import Checkpoint, random_state, set_random_state

Loss = Callable[[nn.Module, Tensor], Tensor | tuple[Tensor, ...]]


@dataclass(frozen=True)
class History:
    """What `fit` saw: one entry per finished pass (epoch) over the data.

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

    def record(self, part: str, numbers: Tensor) -> None:
        """Append the numbers of one pass to `part`, "train" or "test": the loss, then the others."""
        loss, *others = numbers.tolist()
        getattr(self, part).append(loss)
        getattr(self, f"{part}_parts").append(tuple(others))


def set_seed(seed: int) -> None:
    """Seed PyTorch's generators on every device: same seed, machine and thread count, same bits."""
    torch.manual_seed(seed)


def default_device() -> torch.device:
    """The best device at hand: "cuda", else "mps" (Apple), else "cpu"."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def fit(
    model: nn.Module,
    loss: Loss,
    x: Tensor,
    *,
    epochs: int,
    batch_size: int = 128,
    lr: float = 1e-3,
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
        model: moved to the device and trained in place.
        loss: a function of the model and a batch of floats that returns one number to be made small, (), or a
            tuple of numbers: the first is made small, the others are only recorded.
        x: examples, (N, ...): floats, or uint8 pixels 0..255, which become floats in [0, 1] batch by batch.
        epochs: passes over x.
        batch_size: examples a step; the last, smaller batch of a pass is left out, and another one next time.
        lr: learning rate of Adam, used when no optimizer is given.
        test: examples like x on which the loss is evaluated after each pass, without gradients. Looking does not
            change the training: the generators are put back afterwards.
        optimizer: anything from `torch.optim` over the model's parameters.
        scheduler: of that optimizer's learning rate, advanced after every step.
        device: where to train; `default_device()` when None.
        generator: source of the shuffling, on the device; the global one by default.
        after_epoch: called as after_epoch(passes done, model), first with 0, before any training.
        checkpoint: a file in which every finished pass is kept. Where the file is there already, training goes on
            from it, bit for bit (on the CPU) as if it had never stopped.

    Returns:
        A `History`. Ctrl-C ends the training, not the notebook: the history so far comes back.

    Raises:
        ValueError: x is empty or smaller than a batch; the checkpoint belongs to another model or other data.
        RuntimeError: the checkpoint is damaged.
        FloatingPointError: a loss is NaN or infinite; names the step, the learning rate and what to look at.

    Book: chapter 1, "The loop"; the checkpoint in chapter 6.
    """
    if len(x) < batch_size or batch_size < 1:
        raise ValueError(f"x must hold at least one batch of {batch_size}; got {len(x)} examples")
    device = device or default_device()
    model.to(device)
    x, test = x.to(device), None if test is None else test.to(device)
    optimizer = optimizer or torch.optim.Adam(model.parameters(), lr=lr, fused=True)
    parts = {"model": model, "optimizer": optimizer} | ({"scheduler": scheduler} if scheduler else {})
    settings = {"batch_size": batch_size, "examples": list(x.shape)}
    kept = Checkpoint(checkpoint, parts, settings, device, generator)
    history = History(**kept.resume())
    start = time.perf_counter() - (history.seconds[-1] if history.seconds else 0)
    if after_epoch and not history.train:
        after_epoch(0, model)
    try:
        for epoch in progress_bar(epochs, done=len(history.train)):
            order = torch.randperm(len(x), device=device, generator=generator)
            losses = train_epoch(model, loss, x, order, batch_size, optimizer, scheduler)
            _refuse_nonfinite(losses[:, 0], epoch, optimizer)
            history.record("train", losses.mean(0))
            if test is not None:
                history.record("test", _evaluate_aside(model, loss, test, device))
            history.seconds.append(time.perf_counter() - start)
            if after_epoch:
                after_epoch(epoch + 1, model)
            kept.keep(asdict(history))
    except KeyboardInterrupt:
        return replace(history, interrupted=True)
    return history


def train_epoch(model, loss: Loss, x: Tensor, order: Tensor, batch_size: int, optimizer, scheduler=None) -> Tensor:
    """One pass: a step of the optimizer per full batch of x, taken in the given order.

    Returns:
        What the loss returned at every step, (steps, 1 + others), on the device: to read a number in the loop
        would wait for its step.
    """
    losses = []
    for batch in order[: len(order) // batch_size * batch_size].split(batch_size):
        numbers = _as_tuple(loss(model, as_float(x[batch])))
        optimizer.zero_grad()
        numbers[0].backward()
        optimizer.step()
        if scheduler:
            scheduler.step()
        losses.append(torch.stack(numbers).detach())
    return torch.stack(losses)


def evaluate(model: nn.Module, loss: Loss, x: Tensor, batch_size: int = 2000) -> float | tuple[float, ...]:
    """The mean of `loss` over all of x, batch by batch, each batch weighted by its size.

    Returns:
        One number, or a tuple of numbers where the loss returns a tuple.
    """
    numbers = tuple(_mean(model, loss, x, batch_size).tolist())
    return numbers if len(numbers) > 1 else numbers[0]


@torch.no_grad()
def _mean(model, loss, x, batch_size=2000):
    batches = x.split(batch_size)
    return sum(torch.stack(_as_tuple(loss(model, as_float(batch)))) * len(batch) for batch in batches) / len(x)


def _evaluate_aside(model, loss, test, device):
    """The mean loss on the test data, leaving the generators as they were."""
    before = random_state(device)
    numbers = _mean(model, loss, test)
    set_random_state(before, device)
    return numbers


def _as_tuple(value):
    return value if isinstance(value, tuple) else (value,)


def as_float(x: Tensor) -> Tensor:
    """uint8 pixels 0..255 as floats in [0, 1]; floats as they are."""
    return x.float() / 255 if x.dtype == torch.uint8 else x


def progress_bar(epochs: int, done: int = 0) -> tqdm:
    """A bar for terminal, Jupyter or Colab that leaves nothing behind; none where VAELIB_PROGRESS is 0."""
    off = os.environ.get("VAELIB_PROGRESS") == "0"
    return tqdm(range(done, epochs), desc="epoch", initial=done, total=epochs, leave=False, disable=off)


def _refuse_nonfinite(losses: Tensor, epoch: int, optimizer: torch.optim.Optimizer) -> None:
    bad = (~losses.isfinite()).nonzero()
    if len(bad):
        raise FloatingPointError(
            f"the loss became {losses[bad[0]].item()} at step {bad[0].item()} of pass {epoch} "
            f"(learning rate {optimizer.param_groups[0]['lr']:g}). Look at: a learning rate that is too large, "
            "pixels outside [0, 1], the logarithm of zero, a log-variance that runs away"
        )
