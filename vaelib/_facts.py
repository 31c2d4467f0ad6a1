"""What a training is, as numbers and text that can be kept, compared and named."""

import hashlib

import torch
from torch import Tensor, nn

from vaelib._training import Training

PIECE = 1 << 24  # bytes that are hashed at a time


def facts(training: Training) -> dict:
    """Name -> what must be the same when the training goes on."""
    run = training
    found = {"x": digest(run.x), "test": "nothing" if run.test is None else digest(run.test)}
    found |= {"batch_size": run.batch_size, "device": run.device.type}
    found["generator"] = "the global one" if run.generator is None else "one of its own"
    found["optimizer"] = type(run.optimizer).__qualname__
    found["scheduler"] = type(run.scheduler).__qualname__ if run.scheduler else "nothing"
    found |= _of_model(run.model) | _of_optimizer(run.optimizer.state_dict()["param_groups"])
    found |= _weights_of_groups(run.model, run.optimizer.param_groups)
    return found | (_of_scheduler(run.scheduler.state_dict()) if run.scheduler else {})


def moving(training: Training, start: dict, parts: dict) -> set[str]:
    """The facts that a schedule has changed by the time of keeping: no reason to refuse one that is in use already.

    An optimizer and scheduler that come fresh stand where the training began, and all must agree.
    """
    run = training
    if not run.optimizer.state and not (run.scheduler and run.scheduler.last_epoch > 0):
        return set()
    now = _of_optimizer(parts["optimizer"]["param_groups"]) | _of_scheduler(parts.get("scheduler", {}))
    return {name for name, value in now.items() if start.get(name) != value}


def digest(x: Tensor) -> str:
    """Type, shape and a SHA-256 of the bytes: the same on every device."""
    found, rows = hashlib.sha256(), max(1, PIECE // max(1, x[0].numel() * x.element_size()))
    for piece in x.detach().split(rows):
        found.update(piece.cpu().contiguous().view(torch.uint8).numpy().tobytes())
    return f"{_kind(x)} {found.hexdigest()[:16]}"


def plain(value):
    """The same, with Python's own floats for NumPy's float64, which are floats too and could not be read back."""
    if type(value) is dict:
        return {name: plain(part) for name, part in value.items()}
    if type(value) in (list, tuple):
        return type(value)(plain(part) for part in value)
    return float(value) if isinstance(value, float) else value


def _of_model(model: nn.Module) -> dict:
    found = {f"module {name or 'itself'}": _title(module) for name, module in model.named_modules()}
    state = model.state_dict().items()
    found |= {f"weights {name}": _kind(value) for name, value in state if isinstance(value, Tensor)}
    return found | {"trained weights": [name for name, weight in model.named_parameters() if weight.requires_grad]}


def _of_optimizer(groups: list[dict]) -> dict:
    pairs = [(f"optimizer group {n}, {name}", v) for n, group in enumerate(groups) for name, v in group.items()]
    return {name: _fact(value) for name, value in pairs if not name.endswith(", params")}


def _weights_of_groups(model: nn.Module, groups: list[dict]) -> dict:
    """Names, where PyTorch keeps places only: two weights of one shape could change theirs."""
    names = {id(weight): name for name, weight in model.named_parameters()}
    return {f"optimizer group {n}, weights": [names[id(w)] for w in group["params"]] for n, group in enumerate(groups)}


def _of_scheduler(state: dict) -> dict:
    return {f"scheduler, {name}": _fact(value) for name, value in state.items()}


def _fact(value):
    """Comparable and storable: tensors and pairs as lists, numbers as Python's own, the rest by its type."""
    if isinstance(value, Tensor):
        return value.tolist()
    if isinstance(value, dict):
        return {str(name): _fact(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_fact(part) for part in value]
    if value is None or isinstance(value, bool | int | str):
        return value
    return float(value) if isinstance(value, float) else type(value).__qualname__


def _title(module: nn.Module) -> str:
    return f"{type(module).__qualname__}({module.extra_repr()})"


def _kind(value: Tensor) -> str:
    return f"{str(value.dtype).removeprefix('torch.')} {tuple(value.shape)}"
