"""The doors of `fit`: everything that can be known to be wrong before the first step is refused there."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau

from vaelib import _guard

PIXELS = torch.uint8


@dataclass(frozen=True)
class Training:
    """What `fit` was given, checked, and on one device."""

    model: nn.Module
    loss: Callable
    x: Tensor
    test: Tensor | None
    batch_size: int
    optimizer: torch.optim.Optimizer
    scheduler: LRScheduler | None
    device: torch.device
    generator: torch.Generator | None

    @property
    def steps(self) -> int:
        """Steps of one pass."""
        return len(self.x) // self.batch_size


def prepared(model, loss, x, test, batch_size, lr, optimizer, scheduler, device, generator) -> Training:
    """Check all, then move model and data to the device."""
    expect_model_and_loss(model, loss)
    expect_weights(model)
    _guard.counts(1, batch_size=batch_size)
    expect_examples("x", x, batch_size)
    if test is not None:
        expect_examples("test", test)
        if test.shape[1:] != x.shape[1:]:
            raise ValueError(f"test must have examples of shape {tuple(x.shape[1:])}; got {tuple(test.shape[1:])}")
    if device.type == "meta":
        raise ValueError("device must hold values; got meta")
    _guard.noise(generator, device)
    rate = _learning_rate(lr) if optimizer is None else 0.0
    if optimizer is not None and lr is not None:
        raise ValueError(f"the learning rate is the optimizer's where one is given; got lr={lr} beside it")
    if optimizer is not None:
        expect_optimizer(optimizer, model)
    expect_scheduler(scheduler, optimizer)
    model.to(device)
    optimizer = optimizer or torch.optim.Adam(model.parameters(), lr=rate, fused=True)
    x, test = x.to(device), None if test is None else test.to(device)
    return Training(model, loss, x, test, int(batch_size), optimizer, scheduler, device, generator)


def expect_model_and_loss(model, loss) -> None:
    _guard.modules(model=model)
    if not callable(loss):
        raise TypeError(f"loss must be a function of the model and a batch; got {type(loss).__name__}")


def expect_weights(model: nn.Module) -> None:
    if not any(parameter.requires_grad for parameter in model.parameters()):
        raise ValueError(f"model must have weights that are trained; got {type(model).__name__} without any")


def expect_examples(name: str, x, batch_size: int = 1) -> None:
    expect_pixels(name, x)
    _guard.readable(**{name: x})
    if x.dim() < 1 or x.numel() == 0 or len(x) < batch_size:
        least = f"at least one batch of {batch_size}" if batch_size > 1 else "at least one example"
        raise ValueError(f"{name} must hold {least}; got {len(x) if x.dim() else 0} examples, shape {tuple(x.shape)}")


def expect_pixels(name: str, x) -> None:
    if type(x).__module__ == "numpy":
        raise TypeError(f"{name} must be a torch.Tensor; got {type(x).__name__}: wrap it in torch.from_numpy")
    _guard.dense(name, x)
    if x.dtype != PIXELS and not x.is_floating_point():
        raise TypeError(f"{name} must hold floats, or pixels as torch.uint8; got {x.dtype}")


def expect_pass(model, loss, x, order, batch_size, optimizer, scheduler) -> None:
    """What `train_epoch` is given. The order is looked at where that is free: not on a GPU."""
    expect_model_and_loss(model, loss)
    _guard.counts(1, batch_size=batch_size)
    expect_examples("x", x)
    _guard.dense("order", order)
    if order.dtype != torch.int64 or order.dim() != 1 or len(order) < batch_size:
        size = f"{order.dtype} of shape {tuple(order.shape)}"
        raise ValueError(f"order must be a row of torch.int64, at least one batch of {batch_size}; got {size}")
    _guard.readable(order=order)
    if order.device.type == "cpu" and not 0 <= order.min() <= order.max() < len(x):
        raise ValueError(f"order must be of places 0 to {len(x) - 1} in x; got {order.min()} to {order.max()}")
    expect_optimizer(optimizer, model)
    expect_scheduler(scheduler, optimizer)


def _learning_rate(lr) -> float:
    """As Python's own number: one of NumPy's, or a tensor (), would not be read back from a checkpoint."""
    if isinstance(lr, str | bool):
        raise TypeError(f"lr must be a positive, finite number; got {lr!r}")
    try:
        number = 1e-3 if lr is None else float(lr)
    except (TypeError, ValueError, RuntimeError):
        raise TypeError(f"lr must be a positive, finite number; got {lr!r}") from None
    if not 0 < number < math.inf:
        raise ValueError(f"lr must be a positive, finite number; got {lr!r}")
    return number


def expect_optimizer(optimizer, model: nn.Module) -> None:
    if not isinstance(optimizer, torch.optim.Optimizer):
        raise TypeError(f"optimizer must be one of torch.optim; got {type(optimizer).__name__}")
    if isinstance(optimizer, torch.optim.LBFGS):
        raise ValueError("optimizer must step without a closure; got LBFGS, which evaluates the loss by itself")
    own = {id(parameter) for parameter in model.parameters()}
    moved = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    foreign = sum(id(parameter) not in own for parameter in moved)
    if foreign:
        raise ValueError(
            f"optimizer must be over parameters of the model; got {foreign} of {len(moved)} that are not its own"
        )


def expect_scheduler(scheduler, optimizer) -> None:
    if scheduler is None:
        return
    if not isinstance(scheduler, LRScheduler):
        raise TypeError(f"scheduler must be one of torch.optim.lr_scheduler; got {type(scheduler).__name__}")
    if isinstance(scheduler, ReduceLROnPlateau):
        raise ValueError("scheduler must advance without a number, after every step; got ReduceLROnPlateau")
    if scheduler.optimizer is not optimizer:
        raise ValueError("scheduler must be of the optimizer that is given; got the scheduler of another one")


def expect_schedule_that_lasts(training: Training, passes: int) -> None:
    """A schedule of a fixed length, as OneCycleLR is, raises in the step after its last: too late."""
    scheduler, steps = training.scheduler, passes * training.steps
    total = getattr(scheduler, "total_steps", None)
    if scheduler is not None and total is not None and scheduler.last_epoch + steps > total:
        raise ValueError(
            f"scheduler must last for the {steps} steps to come; got {type(scheduler).__name__} with "
            f"{total - scheduler.last_epoch} of its {total} steps left"
        )
