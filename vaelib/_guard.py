"""What a public door asks of its arguments, in one line: type, dtype, shape; and values where looking costs nothing.

A shape is written as in the docstrings: "(B, D)", "(..., D)", "(..., D) or ()", "(B, 3, H, W)". A letter stands for
one size in all arguments of a call, a number for itself, and "..." for batch dimensions, which must broadcast.
Wrong types and dtypes are TypeErrors, wrong shapes and values ValueErrors; each says the argument, what was expected
and what was received. All but values is known without waiting for a GPU, and inside `torch.compile` and `torch.vmap`.
"""

import math
import operator
from collections.abc import Sequence
from numbers import Real

import torch
from torch import Tensor

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


def shapes(**arguments: tuple[Tensor, str]) -> dict[str, int]:
    """Sizes and batches alone, whatever the dtypes (`dense` comes first). Returns the size of each letter."""
    sizes: dict[str, int] = {}
    batches: dict[str, Sequence[int]] = {}
    owners: dict[str, str] = {}  # the argument that gave a letter its size
    for name, (value, pattern) in arguments.items():
        found = _first_fit(tuple(value.shape), pattern, sizes)
        if found is None:
            raise ValueError(_misfit(name, arguments, sizes, owners))
        sizes, batch = found
        owners |= {letter: name for letter in sizes if letter not in owners}
        _broadcast(name, value, batch, batches)
    return sizes


def onto(**arguments: Tensor) -> None:
    """Each later tensor broadcasts to the shape of the first, which stays as it is."""
    (main, first), *rest = arguments.items()
    for name, value in rest:
        pairs = zip(reversed(value.shape), reversed(first.shape), strict=False)
        if value.dim() > first.dim() or any(size not in (1, whole) for size, whole in pairs):
            shape = tuple(first.shape)
            raise ValueError(f"{name} must broadcast to the shape of {main}, {shape}; got {tuple(value.shape)}")


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
            raise TypeError(f"{name} must be {expected}; got {_shown(value)}") from None
        if number < low or (high is not None and number > high):
            raise ValueError(f"{name} must be {expected}; got {number}")


def numbers(low: float = -math.inf, high: float = math.inf, /, **arguments: float) -> None:
    """Finite real numbers strictly between `low` and `high`: `numbers(0, sigma=sigma)`. No bool, no tensor."""
    for name, value in arguments.items():
        between = f" between {low:g} and {high:g}" if high < math.inf else f" above {low:g}"
        expected = f"a finite number{between if low > -math.inf or high < math.inf else ''}"
        if isinstance(value, bool) or not isinstance(value, Real):
            raise TypeError(f"{name} must be {expected}; got {_shown(value)}")
        if not (math.isfinite(value) and low < value < high):
            raise ValueError(f"{name} must be {expected}; got {value}")


def flags(**arguments: bool) -> None:
    """True or False."""
    for name, value in arguments.items():
        if not isinstance(value, bool):
            raise TypeError(f"{name} must be True or False; got {_shown(value)}")


def together(**arguments: Tensor) -> None:
    """Tensors on the device of the first."""
    (first, main), *rest = arguments.items()
    for name, value in rest:
        if value.device != main.device:
            raise ValueError(f"{name} must be on the device of {first}, {main.device}; got {value.device}")


def methods(method: str, /, **arguments) -> None:
    """Objects with a function of this name: `methods("log_prob", prior=prior)`."""
    for name, value in arguments.items():
        if isinstance(value, str) or not callable(getattr(value, method, None)):
            raise TypeError(f"{name} must have the function {method}; got {_shown(value)}")


def functions(**arguments) -> None:
    """Things that can be called."""
    for name, value in arguments.items():
        if not callable(value):
            raise TypeError(f"{name} must be a function; got {_shown(value)}")


def noise(generator: torch.Generator | None, device: torch.device) -> None:
    """A source of noise for tensors on `device`, or None."""
    if not isinstance(generator, torch.Generator | None):
        raise TypeError(f"generator must be a torch.Generator or None; got {_shown(generator)}")
    if generator is not None and device.type not in (generator.device.type, "meta"):
        raise ValueError(f"generator must be on {device.type}; got one on {generator.device.type}")


def _first_fit(shape: tuple, pattern: str, sizes: dict) -> tuple[dict, Sequence[int] | None] | None:
    """What the first form that fits adds; a plain loop, which `torch.compile` can follow."""
    for option in pattern.split(" or "):
        fit = _fit(shape, option, sizes)
        if fit is not None:
            return fit
    return None


def _fit(shape: tuple, option: str, sizes: dict) -> tuple[dict, Sequence[int] | None] | None:
    """The letters with those that `shape` adds, and its batch dimensions; None where it is not of this form."""
    parts, batch = [part for part in option.strip("()").replace(" ", "").split(",") if part], None
    if parts[:1] == ["..."]:
        split = max(0, len(shape) - len(parts) + 1)
        parts, batch, shape = parts[1:], shape[:split], shape[split:]
    if len(shape) != len(parts):
        return None
    sizes = dict(sizes)
    for part, size in zip(parts, shape, strict=True):
        expected = int(part) if part.isdigit() else sizes.setdefault(part, size)
        if size != expected:
            return None
    return sizes, batch


def _misfit(name: str, arguments: dict[str, tuple[Tensor, str]], sizes: dict, owners: dict) -> str:
    """What is said of a shape: beside which argument its last dimension is wrong, or else which form it should have."""
    value, pattern = arguments[name]
    last = lambda form: form.split(" or ")[0].strip("()")[-1]  # noqa: E731
    owner = owners.get(last(pattern)) if "..." in pattern and value.dim() else None
    if owner and last(arguments[owner][1]) == last(pattern):
        expected = f"the last dimension of {owner}, {sizes[last(pattern)]}"
        return f"{name} must have {expected}; got {tuple(value.shape)} beside {tuple(arguments[owner][0].shape)}"
    known = ", ".join(f"{letter} = {size}" for letter, size in sizes.items() if letter in pattern)
    beside = next((f" beside {owners[letter]}" for letter in sizes if letter in pattern and owners[letter] != name), "")
    return f"{name} must have shape {pattern}{f' with {known}' if known else ''}; got {tuple(value.shape)}{beside}"


def _broadcast(name: str, value: Tensor, batch: Sequence[int] | None, batches: dict[str, Sequence[int]]) -> None:
    """Adds the batch of one argument to the others, which it must fit."""
    if batch is None:
        return
    for other, seen in batches.items():
        for size, beside in zip(reversed(batch), reversed(seen), strict=False):
            if size != beside and size != 1 and beside != 1:
                raise ValueError(
                    f"{name} must have batch dimensions that broadcast with those of {other}, {tuple(seen)}; "
                    f"got {tuple(batch)} in shape {tuple(value.shape)}"
                )
    batches[name] = batch


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


def _shown(value: object) -> str:
    """A value as an error quotes it: short, with its type."""
    shape = getattr(value, "shape", None)
    text = repr(value) if shape is None else f"shape {tuple(shape)}"
    return f"{text[:60]} ({_type(value)})"
