"""One training loop: the data stays on the device, and the only wait for the device is once a pass."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn
from tqdm.auto import tqdm


@dataclass(frozen=True)
class History:
    """What `fit` saw: one number per finished pass (epoch) over the data.

    Attributes:
        train: mean of the loss over the steps of each pass, while the weights were moving.
        test: loss on the test data after each pass, empty when there is none.
        seconds: seconds from the start of `fit` to the end of each pass.
        interrupted: whether the reader stopped it with Ctrl-C; the model keeps the weights it had by then.
    """

    train: list[float] = field(default_factory=list)
    test: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    interrupted: bool = False

    def record(self, train: float, test: list[float], seconds: float) -> None:
        """Append one finished pass; `test` holds one number or none."""
        self.train.append(train)
        self.test.extend(test)
        self.seconds.append(seconds)


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
    loss: Callable[[nn.Module, Tensor], Tensor],
    x: Tensor,
    *,
    epochs: int,
    batch_size: int = 128,
    lr: float = 1e-3,
    test: Tensor | None = None,
    optimizer: torch.optim.Optimizer | None = None,
    device: torch.device | None = None,
    generator: torch.Generator | None = None,
    after_epoch: Callable[[int, nn.Module], None] | None = None,
) -> History:
    """Minimise the mean of `loss(model, batch)` over shuffled batches of x.

    Args:
        model: moved to the device and trained in place.
        loss: a function of the model and a batch of floats that returns one number to be made small, ().
        x: examples, (N, ...): floats, or uint8 pixels 0..255, which become floats in [0, 1] batch by batch.
        epochs: passes over x.
        batch_size: examples a step; the last, smaller batch of a pass is left out, and another one next time.
        lr: learning rate of Adam, used when no optimizer is given.
        test: examples like x on which the loss is evaluated after each pass, without gradients.
        optimizer: anything from `torch.optim` over the model's parameters.
        device: where to train; `default_device()` when None.
        generator: source of the shuffling, on the device; the global one by default.
        after_epoch: called as after_epoch(passes done, model), first with 0, before any training.

    Returns:
        A `History`. Ctrl-C ends the training, not the notebook: the history so far comes back.

    Raises:
        ValueError: x is empty or smaller than a batch.
        FloatingPointError: a loss is NaN or infinite; names the step, the learning rate and what to look at.

    Book: chapter 1, "The loop".
    """
    if len(x) < batch_size or batch_size < 1:
        raise ValueError(f"x must hold at least one batch of {batch_size}; got {len(x)} examples")
    device = device or default_device()
    model.to(device)
    x, test = x.to(device), None if test is None else test.to(device)
    optimizer = optimizer or torch.optim.Adam(model.parameters(), lr=lr)
    history, start = History(), time.perf_counter()
    if after_epoch:
        after_epoch(0, model)
    try:
        for epoch in progress_bar(epochs):
            order = torch.randperm(len(x), device=device, generator=generator)
            losses = train_epoch(model, loss, x, order, batch_size, optimizer)
            _refuse_nonfinite(losses, epoch, optimizer)
            test_loss = [] if test is None else [evaluate(model, loss, test)]
            history.record(losses.mean().item(), test_loss, time.perf_counter() - start)
            if after_epoch:
                after_epoch(epoch + 1, model)
    except KeyboardInterrupt:
        return replace(history, interrupted=True)
    return history


def train_epoch(model, loss, x: Tensor, order: Tensor, batch_size: int, optimizer) -> Tensor:
    """One pass: a step of the optimizer per full batch of x, taken in the given order.

    Returns:
        The loss of every step, (steps,), on the device: to read a number in the loop would wait for its step.
    """
    batches = order[: len(order) // batch_size * batch_size].split(batch_size)
    losses = torch.zeros(len(batches), device=x.device)
    for step, batch in enumerate(batches):
        value = loss(model, as_float(x[batch]))
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        losses[step] = value.detach()
    return losses


@torch.no_grad()
def evaluate(model: nn.Module, loss: Callable[[nn.Module, Tensor], Tensor], x: Tensor, batch_size: int = 2000) -> float:
    """The mean of `loss` over all of x, batch by batch, each batch weighted by its size."""
    total = sum(loss(model, as_float(batch)) * len(batch) for batch in x.split(batch_size))
    return (total / len(x)).item()


def as_float(x: Tensor) -> Tensor:
    """uint8 pixels 0..255 as floats in [0, 1]; floats as they are."""
    return x.float() / 255 if x.dtype == torch.uint8 else x


def progress_bar(epochs: int) -> tqdm:
    """A bar for terminal, Jupyter or Colab that leaves nothing behind; none where VAELIB_PROGRESS is 0."""
    return tqdm(range(epochs), desc="epoch", leave=False, disable=os.environ.get("VAELIB_PROGRESS") == "0")


def _refuse_nonfinite(losses: Tensor, epoch: int, optimizer: torch.optim.Optimizer) -> None:
    bad = (~losses.isfinite()).nonzero()
    if len(bad):
        raise FloatingPointError(
            f"the loss became {losses[bad[0]].item()} at step {bad[0].item()} of pass {epoch} "
            f"(learning rate {optimizer.param_groups[0]['lr']:g}). Look at: a learning rate that is too large, "
            "pixels outside [0, 1], the logarithm of zero, a log-variance that runs away"
        )
