"""The doors of `fit`: everything that can be known to be wrong before the first step is refused there."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau

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
    expect_count("batch_size", batch_size, 1)
    expect_examples("x", x, batch_size)
    if test is not None:
        expect_examples("test", test)
        if test.shape[1:] != x.shape[1:]:
            raise ValueError(f"test must have examples of shape {tuple(x.shape[1:])}; got {tuple(test.shape[1:])}")
    if not isinstance(generator, torch.Generator | None):
        raise TypeError(f"generator must be a torch.Generator; got {type(generator).__name__}")
    if generator is not None and generator.device.type != device.type:
        raise ValueError(f"generator must be on the device of the training, {device}; got {generator.device}")
    rate = _learning_rate(lr) if optimizer is None else 0.0
    if optimizer is not None and lr is not None:
        raise ValueError(f"the learning rate is the optimizer's where one is given; got lr={lr} beside it")
    if optimizer is not None:
        _expect_optimizer(optimizer, model)
    _expect_scheduler(scheduler, optimizer)
    model.to(device)
    optimizer = optimizer or torch.optim.Adam(model.parameters(), lr=rate, fused=True)
    x, test = x.to(device), None if test is None else test.to(device)
    return Training(model, loss, x, test, batch_size, optimizer, scheduler, device, generator)


def expect_model_and_loss(model, loss) -> None:
    if not isinstance(model, nn.Module):
        raise TypeError(f"model must be a torch.nn.Module; got {type(model).__name__}")
    if not callable(loss):
        raise TypeError(f"loss must be a function of the model and a batch; got {type(loss).__name__}")


def expect_callback(after_epoch) -> None:
    if after_epoch is not None and not callable(after_epoch):
        raise TypeError(f"after_epoch must be a function of a number and the model; got {type(after_epoch).__name__}")


def expect_count(name: str, value, least: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise ValueError(f"{name} must be a whole number of at least {least}; got {value!r}")


def expect_examples(name: str, x, batch_size: int = 1) -> None:
    if not isinstance(x, Tensor):
        hint = ": wrap it in torch.from_numpy" if type(x).__module__ == "numpy" else ""
        raise TypeError(f"{name} must be a torch.Tensor; got {type(x).__name__}{hint}")
    if x.layout != torch.strided or x.is_meta:
        raise TypeError(f"{name} must be a dense tensor; got {x.layout} on {x.device}")
    if x.dtype != PIXELS and not x.is_floating_point():
        raise TypeError(f"{name} must hold floats, or pixels as torch.uint8; got {x.dtype}")
    if x.dim() < 1 or x.numel() == 0 or len(x) < batch_size:
        least = f"at least one batch of {batch_size}" if batch_size > 1 else "at least one example"
        raise ValueError(f"{name} must hold {least}; got {len(x) if x.dim() else 0} examples, shape {tuple(x.shape)}")


def _learning_rate(lr) -> float:
    try:
        number = 1e-3 if lr is None else float(lr)  # float: a number of NumPy's would not be read back
    except (TypeError, ValueError):
        number = math.nan
    if not 0 < number < math.inf:
        raise ValueError(f"lr must be a positive, finite number; got {lr!r}")
    return number


def _expect_optimizer(optimizer, model: nn.Module) -> None:
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


def _expect_scheduler(scheduler, optimizer) -> None:
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
