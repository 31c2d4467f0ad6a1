"""Training that can be stopped and gone on with: one file, whole or absent, that proves itself before it is used."""

import hashlib
import io
import os
from pathlib import Path

import torch
from torch import Tensor

HEADER = b"vaelib checkpoint 1\n"
DIGEST = 32  # bytes of a SHA-256


def save_checkpoint(path: str | os.PathLike, state: dict) -> None:
    """Write `state` aside, then rename: whatever happens, `path` holds the old state or the new one, whole.

    Args:
        path: the file; its folder must exist.
        state: what `torch.load(weights_only=True)` can read: tensors, numbers, text, and lists and dicts of them.

    Book: chapter 6.
    """
    buffer = io.BytesIO()
    torch.save(state, buffer)
    path, payload = Path(path), buffer.getvalue()
    aside = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with aside.open("wb") as file:
            file.write(HEADER + hashlib.sha256(payload).digest() + payload)
            file.flush()
            os.fsync(file.fileno())
        os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)


def load_checkpoint(path: str | os.PathLike) -> dict:
    """The state that `save_checkpoint` wrote, with its tensors on the CPU. No code in the file is ever run.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file was not written by `save_checkpoint`.
        RuntimeError: it was, and has been damaged since.
    """
    data = Path(path).read_bytes()
    if not data.startswith(HEADER):
        raise ValueError(f"{path} is not a checkpoint of vaelib: expected a file written by fit(checkpoint=...)")
    start = len(HEADER) + DIGEST
    expected, payload = data[len(HEADER) : start], data[start:]
    if hashlib.sha256(payload).digest() != expected:
        raise RuntimeError(f"{path} is damaged ({len(data)} bytes): delete it, and training starts again")
    return torch.load(io.BytesIO(payload), map_location="cpu", weights_only=True)


class Checkpoint:
    """The file behind `fit(checkpoint=...)`: what a training needs to go on exactly where it was.

    Args:
        path: the file, or None for a training that keeps nothing.
        parts: name -> what has `state_dict` and `load_state_dict`: "model", and an optimizer and a scheduler.
        settings: numbers, text and lists that must be the same when the training goes on.
        device: where the training runs.
        generator: the source of the shuffling, if it is not the global one.
    """

    def __init__(self, path, parts: dict, settings: dict, device: torch.device, generator=None):
        self.path = None if path is None else Path(path)
        self.parts, self.settings, self.device, self.generator = parts, settings, device, generator

    def keep(self, history: dict) -> None:
        """Write everything down."""
        if self.path:
            states = {name: part.state_dict() for name, part in self.parts.items()}
            random = random_state(self.device, self.generator)
            save_checkpoint(
                self.path, {"parts": states, "settings": self.settings, "random": random, "history": history}
            )

    def resume(self) -> dict:
        """Put everything back as it was and return the history; an empty one where there is no file yet.

        Raises:
            ValueError: the file is no checkpoint, or belongs to another model, optimizer or data.
            RuntimeError: the file is damaged.
        """
        if self.path is None or not self.path.exists():
            return {}
        state = load_checkpoint(self.path)
        expected = self.settings | {"parts": sorted(self.parts)}
        received = state["settings"] | {"parts": sorted(state["parts"])}
        if expected != received:
            raise ValueError(f"{self.path} belongs to another training: expected {expected}; got {received}")
        self._refuse_other_shapes(state["parts"])
        for name, part in self.parts.items():
            part.load_state_dict(state["parts"][name])
        set_random_state(state["random"], self.device, self.generator)
        print(f"{self.path}: going on after {len(state['history']['train'])} passes")
        return state["history"]

    def _refuse_other_shapes(self, stored: dict) -> None:
        """Before anything is loaded: a mismatch found halfway would leave half of the reader's weights."""
        expected, received = _shapes(self.parts["model"].state_dict()), _shapes(stored["model"])
        for key in sorted(expected.keys() | received.keys()):
            if expected.get(key) != received.get(key):
                raise ValueError(
                    f"{self.path} belongs to another model: expected {key} of shape {expected.get(key)}; "
                    f"got {received.get(key)}. Give this training a file of its own"
                )


def _shapes(state: dict) -> dict:
    return {key: tuple(value.shape) for key, value in state.items() if isinstance(value, Tensor)}


def random_state(device: torch.device, generator: torch.Generator | None = None) -> dict[str, Tensor]:
    """The state of every generator that training on `device` draws from."""
    state = {"cpu": torch.get_rng_state()}
    if device.type != "cpu":
        state["device"] = torch.get_device_module(device).get_rng_state()
    if generator is not None:
        state["generator"] = generator.get_state()
    return state


def set_random_state(state: dict[str, Tensor], device: torch.device, generator: torch.Generator | None = None) -> None:
    """Put the generators back to a state from `random_state`."""
    torch.set_rng_state(state["cpu"])
    if "device" in state:
        torch.get_device_module(device).set_rng_state(state["device"])
    if generator is not None:
        generator.set_state(state["generator"])
