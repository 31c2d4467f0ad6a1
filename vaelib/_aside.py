"""What a look at a model may change, and how it is put back: modes of modules, states of generators."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


@contextmanager
def eval_mode(model: nn.Module) -> Iterator[None]:
    """Every module in eval() inside; afterwards each in the mode that it had."""
    modes = [(module, module.training) for module in model.modules()]
    try:
        model.eval()
        yield
    finally:
        for module, training in modes:
            module.training = training


@contextmanager
def kept_generators(device: torch.device, generator: torch.Generator | None = None) -> Iterator[None]:
    """Whatever is drawn inside, the generators are afterwards where they were."""
    before = random_state(device, generator)
    try:
        yield
    finally:
        set_random_state(before, device, generator)


def random_state(device: torch.device, generator: torch.Generator | None = None) -> dict[str, Tensor]:
    """The state of every generator that a training on `device` draws from: global, of the device, its own."""
    state = {"cpu": torch.get_rng_state()}
    if device.type != "cpu":
        state["device"] = torch.get_device_module(device).get_rng_state(*_numbered(device))
    if generator is not None:
        state["generator"] = generator.get_state()
    return state


def set_random_state(state: dict[str, Tensor], device: torch.device, generator: torch.Generator | None = None) -> None:
    """Put the generators back to a state from `random_state`."""
    torch.set_rng_state(state["cpu"])
    if "device" in state:
        torch.get_device_module(device).set_rng_state(state["device"], *_numbered(device))
    if generator is not None:
        generator.set_state(state["generator"])


def _numbered(device: torch.device) -> tuple[torch.device, ...]:
    """Apple's GPU is the only one of its kind: its functions take no device."""
    return () if device.type == "mps" else (device,)
