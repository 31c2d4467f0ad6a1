"""The steps of a pass and the mean over a set: what touches the batches."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from vaelib import _guard
from vaelib._aside import eval_mode
from vaelib._interrupt import CtrlC
from vaelib._training import Training

LOOK_EVERY = 100  # steps between two looks at the losses, each of which waits for the device


def one_pass(run: Training, epoch: int, ctrl_c: CtrlC) -> Tensor:
    """One pass with its losses, (steps, 1 + others), looked at now and then."""
    losses = []
    order = torch.randperm(len(run.x), device=run.device, generator=run.generator)
    for numbers in steps(run.model, run.loss, run.x, order, run.batch_size, run.optimizer, run.scheduler):
        losses.append(numbers)
        if len(losses) % LOOK_EVERY == 0 or len(losses) == run.steps:
            since = (len(losses) - 1) // LOOK_EVERY * LOOK_EVERY
            _refuse_nonfinite(torch.stack(losses[since:])[:, 0], since, epoch, run.optimizer)
        ctrl_c.check()
    _refuse_nonfinite_weights(run.model, epoch, run.optimizer)
    return torch.stack(losses)


def steps(model, loss, x, order, batch_size, optimizer, scheduler) -> Iterator[Tensor]:
    """A step of the optimizer per full batch of x, in this order; yields what the loss returned, (1 + others,)."""
    dtype = dtype_of(model)
    for batch in order[: len(order) // batch_size * batch_size].split(batch_size):
        numbers = as_tuple(loss(model, floats(x[batch], dtype)))
        if not numbers[0].requires_grad:
            raise ValueError(f"loss must depend on the model's weights; got {numbers[0].dtype} without a gradient")
        optimizer.zero_grad()
        numbers[0].backward()
        optimizer.step()
        if scheduler:
            scheduler.step()
        yield torch.stack(numbers).detach()


@torch.no_grad()
def mean(model, loss, x, batch_size=2000, check=lambda: None) -> Tensor:
    """The mean of what the loss returns over all of x, (1 + others,); `check` is called before each batch."""
    dtype, total = dtype_of(model), torch.zeros((), device=x.device)
    with eval_mode(model):
        for batch in x.split(batch_size):
            check()
            (numbers,) = _guard.lift(torch.stack(as_tuple(loss(model, floats(batch, dtype)))))
            total = total + numbers * len(batch)  # in half precision the product would have no room
    return total / len(x)


def as_tuple(value) -> tuple[Tensor, ...]:
    """The loss and its others, where there are some.

    Raises:
        TypeError: anything but single numbers, such as one for every example.
    """
    numbers = value if isinstance(value, tuple) else (value,)
    for number in numbers or (None,):
        if not isinstance(number, Tensor) or number.dim() or number.is_complex():
            got = (
                f"{number.dtype} of shape {tuple(number.shape)}" if isinstance(number, Tensor) else _guard.shown(number)
            )
            raise TypeError(f"loss must return a tensor of shape (), such as a .mean(), or a tuple of them; got {got}")
    return numbers


def dtype_of(model: nn.Module) -> torch.dtype | None:
    """That of the first parameter with a decimal point."""
    return next((p.dtype for p in model.parameters() if p.is_floating_point()), None)


def floats(x: Tensor, dtype: torch.dtype | None = None) -> Tensor:
    """uint8 pixels 0..255 as floats in [0, 1], all of this dtype; else pixels as float32 and floats as they are."""
    if x.dtype == torch.uint8:
        return x.to(dtype or torch.float32) / 255
    return x if dtype is None else x.to(dtype)


def _refuse_nonfinite(losses: Tensor, before: int, epoch: int, optimizer: torch.optim.Optimizer) -> None:
    """Losses (steps,) that begin after so many steps of this pass."""
    if losses.isfinite().all():
        return
    bad = int((~losses.isfinite()).nonzero()[0])
    raise FloatingPointError(
        f"the loss became {losses[bad].item()} at step {before + bad} of pass {epoch} {_advice(optimizer)}"
    )


def _refuse_nonfinite_weights(model: nn.Module, epoch: int, optimizer: torch.optim.Optimizer) -> None:
    """The last step of a pass may spoil the weights after a loss that was fine."""
    trained = {name: weight for name, weight in model.named_parameters() if weight.requires_grad}
    if not torch.stack([weight.isfinite().all() for weight in trained.values()]).all():
        name = next(name for name, weight in trained.items() if not weight.isfinite().all())
        raise FloatingPointError(f"{name} is no longer finite after pass {epoch} {_advice(optimizer)}")


def _advice(optimizer: torch.optim.Optimizer) -> str:
    return (
        f"(learning rate {float(optimizer.param_groups[0]['lr']):g}). Look at: a learning rate that is too large, "
        "pixels outside [0, 1], the logarithm of zero, a log-variance that runs away"
    )
