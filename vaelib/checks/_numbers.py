"""What counts as a label, as a line of words and as numbers; anything else is an error that says what came."""

import re
from typing import Any

import numpy as np

EXACT = 2**53  # up to here float64 tells whole numbers apart
LINE_BREAK = r"[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]"
READ_BY_THE_LEDGER = re.compile(rf"{LINE_BREAK}| holds: | observed: |, (?:to the last bit|within |with room for )")
EPS = {"float32": 2.0**-23, "float16": 2.0**-10, "bfloat16": 2.0**-7}


def check_label(label, kinds):
    expected = f"one of {', '.join(kinds)} and then small letters, digits and dashes"
    if not isinstance(label, str):
        raise TypeError(f"label must be a string, {expected}; got {type(label).__name__}")
    if not re.fullmatch(f"(?:{'|'.join(kinds)})[a-z0-9]+(?:-[a-z0-9]+)*", label):
        raise ValueError(f"label must be {expected}; got {label!r}")


def check_text(where, text):
    """One line of words that cannot be taken for another line of a check."""
    if not isinstance(text, str):
        raise TypeError(f"{where} must be a string; got {type(text).__name__}")
    if not text.strip() or READ_BY_THE_LEDGER.search(text):
        raise ValueError(f"{where} must be one line of words, without the ledger's own (holds, within); got {text!r}")


def numbers(where, value):
    """Finite real numbers as float64 on the CPU; anything else is an error that says what came."""
    if isinstance(value, list | tuple):
        return _stacked(where, value)
    raw = _raw(where, value)
    if raw.dtype.kind not in "iuf" or raw.dtype.itemsize > 8:  # long doubles differ where float64 does not
        received = type(value).__name__ if raw.dtype.kind == "O" else raw.dtype
        raise TypeError(f"{where} must be real numbers of at most 64 bits, not truth values; got {received}")
    if raw.size == 0:
        raise ValueError(f"{where} must hold at least one number; got shape {raw.shape}")
    if raw.dtype.kind in "iu" and ((raw > EXACT) | (raw < -EXACT)).any():
        raise ValueError(f"{where} must be whole numbers up to 2**53, which float64 tells apart; got {raw.max()}")
    if not np.isfinite(raw).all():
        raise ValueError(f"{where} must be finite; got {float(raw[~np.isfinite(raw)].flat[0])}")
    return raw.astype(np.float64)


def number(where, value, low, high, expected):
    """One finite number with low <= number < high, as a Python float."""
    found = numbers(where, value)
    if found.ndim or not low <= found < high:
        raise ValueError(f"{where} must be one number, {expected}; got {value!r}")
    return float(found)


def _stacked(where, values):
    """A list entry by entry: numpy alone would turn [1, "2"] into text and [2**53 + 1, 0.5] into 2**53."""
    if not values:
        raise ValueError(f"{where} must hold at least one number; got an empty {type(values).__name__}")
    parts = [numbers(where, value) for value in values]
    if len({part.shape for part in parts}) > 1:
        raise ValueError(f"{where} must have parts of one shape; got {sorted({part.shape for part in parts})}")
    return np.stack(parts)


def _raw(where, value: Any):
    if isinstance(value, np.ma.MaskedArray):
        raise TypeError(f"{where} must be numbers without a mask; got a masked array")
    if isinstance(value, int) and abs(value) > EXACT:
        raise ValueError(f"{where} must be whole numbers up to 2**53, which float64 tells apart; got {value}")
    if isinstance(value, int) or not hasattr(value, "detach"):
        return np.asarray(value)
    try:
        value = value.detach().cpu()
        return (value.double() if "float" in str(value.dtype) else value).numpy()  # numpy has no bfloat16
    except (RuntimeError, TypeError) as error:
        raise TypeError(f"{where} must be a dense tensor of real numbers; got {value.dtype}: {error}") from error


def check_sides(label, names, left, right):
    """Both sides as float64, of one shape and not one and the same array."""
    arrays = [numbers(f"{label}: {name}", side) for name, side in zip(names, (left, right), strict=True)]
    if arrays[0].shape != arrays[1].shape:
        raise ValueError(f"{label}: both sides must have one shape; got {arrays[0].shape} and {arrays[1].shape}")
    if (place := _place(left)) is not None and place == _place(right):
        raise ValueError(f"{label}: {names[0]} and {names[1]} must be computed by two routes; got one array twice")
    return arrays


def _place(value):
    if hasattr(value, "data_ptr"):
        return value.data_ptr(), tuple(step * value.element_size() for step in value.stride())
    if isinstance(value, np.ndarray):
        return value.ctypes.data, value.strides
    return id(value) if isinstance(value, list | tuple) else None


def rounding(right, *sides):
    """What the coarsest number format on either side could do to the largest number."""
    return max(map(_eps, sides)) * (np.abs(right).max() or 1.0)


def _eps(value):
    if isinstance(value, list | tuple):
        return max(map(_eps, value))
    return EPS.get(str(getattr(value, "dtype", "")).removeprefix("torch."), 2.0**-52)
