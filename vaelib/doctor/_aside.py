"""An examination leaves no trace: buffers, modes and generators are afterwards as they were."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn
from torch.nn.modules.module import register_module_forward_pre_hook

from vaelib._aside import kept_generators


@contextmanager
def untouched(module: nn.Module | None, device: torch.device, generator: torch.Generator | None) -> Iterator[None]:
    """Every module that runs inside, handed over or not, gets back its buffers and its mode; noise starts at seed 0.

    A function closes over its network, and nobody says which: PyTorch calls the hook before each one that runs.
    """
    kept = {}

    def keep(part: nn.Module, *_) -> None:
        if id(part) not in kept:
            buffers = {name: (value, _copy(value)) for name, value in part._buffers.items()}
            kept[id(part)] = (part, part.training, buffers)

    for part in module.modules() if module is not None else ():
        keep(part)
    hook = register_module_forward_pre_hook(keep)
    try:
        with kept_generators(device, generator), torch.no_grad():
            torch.default_generator.manual_seed(0)
            yield
    finally:
        hook.remove()
        for part, training, buffers in kept.values():
            part.training = training
            for name, (value, before) in buffers.items():
                _put_back(part, name, value, before)


@contextmanager
def mode(module: nn.Module | None, training: bool) -> Iterator[None]:
    """The module in train() or eval() inside; without one, as it is."""
    if module is None:
        yield
        return
    modes = [(part, part.training) for part in module.modules()]
    try:
        module.train(training)
        yield
    finally:
        for part, was in modes:
            part.training = was


def _copy(value):
    return None if value is None else value.detach().clone()


@torch.no_grad()
def _put_back(part: nn.Module, name: str, value, before) -> None:
    if value is not None:
        value.copy_(before)
    part._buffers[name] = value
