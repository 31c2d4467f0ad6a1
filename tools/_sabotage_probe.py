"""What the rewritten code calls while it runs: notes what passes each site, and replaces what is under attack."""

import functools
import hashlib
import math
import types
from typing import NamedTuple

import numpy as np
import torch

EVERYWHERE = "everywhere"
CALLED = (types.FunctionType, types.BuiltinFunctionType, types.MethodType, functools.partial, np.ufunc, type(np.mean))
PLAIN = (torch.Tensor, np.ndarray, np.generic, str, list, tuple, dict, int, float, torch.Generator, np.random.Generator)
KINDS = ("affine", "square", "sine")  # of an equality
SIGNED = (*KINDS, "down", "sunk", "cosine")  # of a bound, which can be broken on one side only


class Replacement(NamedTuple):
    """A smooth function that takes the place of the identity; `scale` is the size of what it replaces."""

    kind: str
    seed: int = 0
    loud: float = 1.0
    scale: float = 1.0

    def __call__(self, v):
        s, a, turn = self.scale, self.loud, 0.7 + 1.3 * self.seed
        more = 1 + 0.4 * self.seed
        if self.kind in ("affine", "down"):
            sign = 1 if self.kind == "affine" else -1
            return (1 - 0.1 * more) * v + sign * 0.3 * a * more * s
        u = v / s
        if self.kind in ("square", "sunk"):
            sign = 1 if self.kind == "square" else -1
            return v + sign * a * s * (0.2 * more * u * u + 0.1)
        sine = _sine(1.7 * more * u + turn)
        return v + (1 if self.kind == "sine" else -1) * 0.3 * a * s * sine


def _sine(u):
    return u.sin() if isinstance(u, torch.Tensor) else np.sin(u) if isinstance(u, np.ndarray) else math.sin(u)


def replaced(value, g):
    """The value with every floating number in it replaced; functions are replaced by what they return."""
    if isinstance(value, torch.Tensor):
        return g(value) if value.is_floating_point() else value
    if isinstance(value, np.ndarray):
        return g(value) if value.dtype.kind == "f" else value
    if isinstance(value, np.floating):
        return type(value)(g(float(value)))
    if isinstance(value, float):
        return g(value)
    if isinstance(value, tuple) and hasattr(value, "_make"):
        return value._make(replaced(part, g) for part in value)
    if isinstance(value, list | tuple):
        return type(value)(replaced(part, g) for part in value)
    if isinstance(value, dict):
        return {key: replaced(part, g) for key, part in value.items()}
    if is_function(value):
        return functools.wraps(value)(lambda *a, **k: replaced(value(*a, **k), g))
    return value


def is_function(value):
    """Whether a value is called and is nothing else: an object with methods, such as a polynomial, stays itself."""
    return isinstance(value, CALLED)


def numbers(value):
    """Every floating number of a value as one flat array, or None."""
    if isinstance(value, torch.Tensor):
        return value.detach().cpu().double().numpy().ravel() if value.is_floating_point() else None
    if isinstance(value, np.ndarray | float | np.floating):
        value = np.asarray(value)
        return value.astype(np.float64).ravel() if value.dtype.kind == "f" else None
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        if value and all(type(part) is float for part in value):
            return np.array(value)
        parts = [part for part in map(numbers, value) if part is not None]
        return np.concatenate(parts) if parts else None
    return None


def fingerprint(flat):
    """A hash of the bits of many numbers; None for few or for equal ones, which agree by accident."""
    if flat is None or flat.size < 3 or np.ptp(flat[:10_000]) == 0:
        return None
    flat = flat[:: max(1, flat.size // 4096)]
    return hashlib.md5(np.ascontiguousarray(flat).tobytes()).hexdigest()


class Note:
    """What passed one use: how large it is, in which cells and functions it was met, with which bits."""

    def __init__(self):
        self.square, self.count, self.size = 0.0, 0, 0
        self.places, self.within, self.prints, self.last = set(), set(), [], None

    def add(self, value, place, stack):
        self.places.add(place)
        self.within.add(stack)
        if (flat := numbers(value)) is None or not flat.size:
            return
        self.last = fingerprint(flat) or (float(flat[0]) if flat.size == 1 else None)
        if self.count >= 100:
            return
        finite = flat[np.isfinite(flat)]
        if finite.size:
            self.square, self.count = self.square + float(np.mean(finite**2)), self.count + 1
        self.size = max(self.size, flat.size)
        self.prints.append(fingerprint(flat))


class Probe:
    """`active` maps (site, context) or (site, EVERYWHERE) to a replacement; a context is a call outside functions."""

    def __init__(self):
        self.active, self.notes, self.recording = {}, {}, False
        self.context, self.stack, self.functions, self.place = None, (), {}, None

    def _passed(self, site, context, value):
        if self.recording:
            self.notes.setdefault((site, context), Note()).add(value, self.place, self.stack)
        if not self.active:
            return value
        g = self.active.get((site, EVERYWHERE)) or self.active.get((site, context))
        return replaced(value, g) if g else value

    def call(self, site, function):
        if not callable(function) or isinstance(function, type):
            return function

        def called(*args, **kwargs):
            outer = self.context
            self.context = site if outer is None else outer
            try:
                value = function(*args, **kwargs)
            finally:
                self.context = outer
            return self._passed(site, outer, value)

        return called

    def use(self, site, value):
        if not is_function(value):
            return self._passed(site, self.context, value)
        context = self.context
        return functools.wraps(value)(lambda *a, **k: self._passed(site, context, value(*a, **k)))

    def member(self, site, owner, name, is_called):
        value = getattr(owner, name)
        formulas = isinstance(owner, types.ModuleType) and owner.__name__.startswith(("torch.nn.functional", "vaelib"))
        if isinstance(owner, (*PLAIN, type)) or (isinstance(owner, types.ModuleType) and not formulas):
            return value
        if is_called:
            return self.call(site, value)
        return value if callable(value) else self._passed(site, self.context, value)

    def define(self, site, value):
        return value if is_function(value) else self._passed(site, self.context, value)

    def unpack(self, sites, value):
        return tuple(self.define(site, part) for site, part in zip(sites, tuple(value), strict=True))

    def function(self, site):
        def decorate(function):
            @functools.wraps(function)
            def called(*args, **kwargs):
                outer, self.stack = self.stack, (*self.stack, site)
                try:
                    value = function(*args, **kwargs)
                finally:
                    self.stack = outer
                if self.recording and not kwargs and len(seen := self.functions.setdefault(site, (called, []))[1]) < 3:
                    seen.append(args)
                return self._passed(site, None, value)

            return called

        return decorate
