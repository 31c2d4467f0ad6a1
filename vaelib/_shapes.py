"""Shapes as docstrings write them, and whether tensors have them.

"(B, D)", "(..., D)", "(..., D) or ()", "(B, 3, H, W)": a letter stands for one size in all arguments of a call, a
number for itself, and "..." for batch dimensions, which must broadcast. Nothing here looks at a value or a type.
"""

from collections.abc import Sequence

from torch import Tensor


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
