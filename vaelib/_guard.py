"""What a public door asks of its arguments, in one line: type, dtype, shape; and values where looking costs nothing.

A shape is written as in the docstrings, "(B, D)" or "(..., D)": see `_shapes`, whose two questions can be asked here.
Wrong types and dtypes are TypeErrors, wrong shapes and values ValueErrors; each says the argument, what was expected
and what was received. All but values is known without waiting for a GPU, and inside `torch.compile` and `torch.vmap`.
"""

import math
import operator
from collections.abc import Sequence
from numbers import Real

import torch
from torch import Tensor

from vaelib._shapes import onto as onto
from vaelib._shapes import shapes as shapes

HALF = (torch.float16, torch.bfloat16)
FLOATING = (*HALF, torch.float32, torch.float64)


def floats(**arguments: tuple[Tensor, str]) -> dict[str, int]:
    """Floating, real, strided tensors of one dtype and device whose shapes fit: `floats(x=(x, "(B, D)"), ...)`.

    float16 and bfloat16 may stand beside float32, in which they are computed (`lift`); a bare number () may stay on
    the CPU. Returns the size of each letter.
    """
    for name, (value, _) in arguments.items():
        dense(name, value)
        if value.dtype not in FLOATING:
            raise TypeError(f"{name} must be real and floating, such as torch.float32; got {value.dtype}")
    _one_kind({name: value for name, (value, _) in arguments.items()})
    return shapes(**arguments)


def lift(*tensors: Tensor) -> list[Tensor]:
    """float16 and bfloat16 as float32, the rest as it is: sums over many dimensions need more than three digits."""
    return [t.float() if t.dtype in HALF else t for t in tensors]


def dense(name: str, value: Tensor) -> None:
    """A `torch.Tensor` that is neither sparse nor nested."""
    if not isinstance(value, Tensor):
        raise TypeError(f"{name} must be a torch.Tensor; got {_type(value)}")
    if value.layout != torch.strided or value.is_nested:
        raise TypeError(f"{name} must be a dense tensor; got {'a nested one' if value.is_nested else value.layout}")


def nonempty(**arguments: Tensor) -> None:
    """At least one entry."""
    for name, value in arguments.items():
        if value.numel() == 0:
            raise ValueError(f"{name} must not be empty; got shape {tuple(value.shape)}")


def readable(**arguments: Tensor) -> None:
    """Tensors that hold values, so not on the meta device: for doors whose answer depends on them."""
    for name, value in arguments.items():
        if value.device.type == "meta":
            raise ValueError(f"{name} must hold values; got a tensor on the meta device")


def finite(**arguments: Tensor) -> None:
    """No NaN and no infinity, as far as `holds` can look."""
    for name, value in arguments.items():
        if not holds(value.isfinite().all()):
            bad = value[~value.isfinite()][0].item()
            raise ValueError(f"{name} must be finite; got {bad} among {value.numel()} values")


def holds(condition: Tensor) -> bool:
    """A boolean tensor () as a bool; True where nobody can look: torch.compile, torch.vmap, fake and meta tensors."""
    if torch.compiler.is_compiling() or condition.device.type == "meta":
        return True
    try:
        return bool(condition)
    except RuntimeError:  # what vmap and fake tensors answer; there is no public way to ask them
        return True


def counts(low: int, high: int | None = None, /, **arguments: int) -> None:
    """Whole numbers from `low` to `high`, both included: `counts(1, num_samples=num_samples)`. No bool."""
    for name, value in arguments.items():
        expected = f"a whole number {f'of at least {low}' if high is None else f'between {low} and {high}'}"
        try:
            if isinstance(value, bool | Tensor):
                raise TypeError
            number = operator.index(value)
        except TypeError:
            raise TypeError(f"{name} must be {expected}; got {shown(value)}") from None
        if number < low or (high is not None and number > high):
            raise ValueError(f"{name} must be {expected}; got {number}")


def widths(**arguments: Sequence[int]) -> None:
    """Lists or tuples of whole numbers of at least 1, which may be empty: `widths(hidden_dims=hidden_dims)`."""
    for name, value in arguments.items():
        if isinstance(value, str | bytes) or not isinstance(value, Sequence):
            raise TypeError(f"{name} must be a list or tuple of whole numbers; got {shown(value)}")
        counts(1, **{f"{name}[{place}]": width for place, width in enumerate(value)})


def numbers(low: float = -math.inf, high: float = math.inf, /, **arguments: float) -> None:
    """Finite real numbers strictly between `low` and `high`: `numbers(0, sigma=sigma)`. No bool, no tensor."""
    for name, value in arguments.items():
        between = f" between {low:g} and {high:g}" if high < math.inf else f" above {low:g}"
        expected = f"a finite number{between if low > -math.inf or high < math.inf else ''}"
        if isinstance(value, bool) or not isinstance(value, Real):
            raise TypeError(f"{name} must be {expected}; got {shown(value)}")
        if not (math.isfinite(value) and low < value < high):
            raise ValueError(f"{name} must be {expected}; got {value}")


def flags(**arguments: bool) -> None:
    """True or False."""
    for name, value in arguments.items():
        if not isinstance(value, bool):
            raise TypeError(f"{name} must be True or False; got {shown(value)}")


def together(**arguments: Tensor) -> None:
    """Tensors on the device of the first."""
    (first, main), *rest = arguments.items()
    for name, value in rest:
        if value.device != main.device:
            raise ValueError(f"{name} must be on the device of {first}, {main.device}; got {value.device}")


def device(value: torch.device | str) -> torch.device:
    """A device, or what its name stands for: "cpu", "cuda", "cuda:1"."""
    if not isinstance(value, torch.device | str):
        raise TypeError(f"device must be a torch.device or the name of one; got {shown(value)}")
    try:
        return torch.device(value)
    except RuntimeError:
        raise ValueError(f"device must be a torch.device or the name of one, such as 'cuda'; got {value!r}") from None


def modules(**arguments: torch.nn.Module) -> None:
    """Networks of PyTorch."""
    for name, value in arguments.items():
        if not isinstance(value, torch.nn.Module):
            raise TypeError(f"{name} must be a torch.nn.Module; got {shown(value)}")


def methods(method: str, /, **arguments) -> None:
    """Objects with a function of this name: `methods("log_prob", prior=prior)`."""
    for name, value in arguments.items():
        if isinstance(value, str) or not callable(getattr(value, method, None)):
            raise TypeError(f"{name} must have the function {method}; got {shown(value)}")


def functions(**arguments) -> None:
    """Things that can be called."""
    for name, value in arguments.items():
        if not callable(value):
            raise TypeError(f"{name} must be a function; got {shown(value)}")


def noise(generator: torch.Generator | None, device: torch.device) -> None:
    """A source of noise for tensors on `device`, or None."""
    if not isinstance(generator, torch.Generator | None):
        raise TypeError(f"generator must be a torch.Generator or None; got {shown(generator)}")
    if generator is not None and device.type not in (generator.device.type, "meta"):
        raise ValueError(f"generator must be on {device.type}; got one on {generator.device.type}")


def _one_kind(tensors: dict[str, Tensor]) -> None:
    (first, main), *rest = tensors.items()
    working = lambda t: torch.float32 if t.dtype in HALF else t.dtype  # noqa: E731
    for name, value in rest:
        if working(value) != working(main):
            raise TypeError(f"{name} must have the dtype of {first}, {main.dtype}; got {value.dtype}")
        if value.device != main.device and value.dim() > 0 and main.dim() > 0:
            raise ValueError(f"{name} must be on the device of {first}, {main.device}; got {value.device}")


def _type(value: object) -> str:
    return f"{type(value).__module__}.{type(value).__name__}".removeprefix("builtins.")


def shown(value: object) -> str:
    """A value as an error quotes it: short, with its type."""
    shape = getattr(value, "shape", None)
    text = repr(value) if shape is None else f"shape {tuple(shape)}"
    return f"{text[:60]} ({_type(value)})"
