"""Every public door is tried with wrong types, dtypes, shapes, empties, NaN, strides, meta and sparse tensors.

Two outcomes pass: the right value, or a TypeError or ValueError that names the argument and what was received. A new
public function needs an entry in `DOORS`, or its module in `ELSEWHERE`, which says where it is attacked instead.
"""

import dataclasses
import importlib
import inspect
import linecache
import re
from functools import reduce
from pathlib import Path

import library
import matplotlib
import numpy as np
import pytest
import torch
from doors import DOORS as FOUND
from doors import A
from doors_made import MADE

import vaelib
from vaelib import faces

matplotlib.use("Agg")
DOORS = FOUND | MADE
ELSEWHERE = {  # doors that have a table of their own, or whose arguments are looked at by the next one
    **dict.fromkeys(("checks.check", "checks.check_bound", "checks.observe", "checks.exercise"), "test_checks.py"),
    **dict.fromkeys(("beta.squared_error", "beta.cross_entropy", "beta.kl"), "test_beta.py"),
    "train.fit": "test_train.py",
    "doctor.examine": "test_doctor.py",
    "doctor.figures": "test_doctor.py",
    "data.load": "test_data.py",
}


def public(name):
    """Public functions of a module, its classes that somebody makes, and their public methods."""
    module, found = importlib.import_module(f"vaelib.{name}"), set()
    own = [key for key, value in vars(module).items() if getattr(value, "__module__", "") == module.__name__]
    for key in getattr(module, "__all__", [key for key in own if not key.startswith("_")]):
        value = getattr(module, key)
        if getattr(value, "_is_protocol", False):
            continue  # it says what others have to offer
        if inspect.isclass(value):
            methods = {part for part, _ in inspect.getmembers(value, inspect.isfunction) if not part.startswith("_")}
            found |= {
                f"{name}.{key}.{part}" for part in methods if getattr(value, part).__module__.startswith("vaelib")
            }
            takes = issubclass(value, torch.nn.Module) and value.__init__ is not torch.nn.Module.__init__
            found |= {f"{name}.{key}"} if takes else set()
        elif callable(value):
            found.add(f"{name}.{key}")
    return found


def test_every_door_is_tried_or_counted():
    found = set().union(*map(public, library.module_names()))
    assert found == set(DOORS) | set(ELSEWHERE) and not set(DOORS) & set(ELSEWHERE)
    assert all(Path(__file__).with_name(file).exists() for file in ELSEWHERE.values())


def parameters(door):
    module, *names = door.split(".")
    return inspect.signature(reduce(getattr, names, importlib.import_module(f"vaelib.{module}"))).parameters


@pytest.mark.parametrize("door", DOORS)
def test_every_argument_of_a_door_is_tried(door):
    assert set(parameters(door)) - {"self"} <= set(DOORS[door][1])


NO_NUMBER = {"str": "3", "None": None, "complex": 1j, "two": torch.ones(2), "bool": True}
EITHER = {("frontier.reverse_waterfilling", "beta", "two")}  # a number or a tensor of them
NO_SIZES = {"None": None, "int": 3, "str": "12", "negative": [-1], "zero": [0], "share": [1.5], "bool": [True]}
BAD = {  # by the type of the good value: each of these must be refused
    int: {**NO_NUMBER, "negative": -1, "share": 1.5},
    float: {**NO_NUMBER, "nan": float("nan"), "inf": float("inf")},
    bool: {"str": "False", "None": None, "int": 3},
    str: {"int": 3},
    torch.Generator: {"int": 3, "str": "seed"},
    torch.device: {"int": 3, "list": [], "no name": "gpu"},
    list: NO_SIZES, tuple: NO_SIZES,
    torch.Tensor: {
        "list": [[0.5]], "None": None, "str": "a", "int": 3, "numpy": np.ones((2, 2)),
        "sparse": torch.eye(3).double().to_sparse(), "nested": torch.nested.nested_tensor([A[0], A[0, :2]]),
    },
    object: {"None": None, "int": 3, "str": "a"},
}  # fmt: skip


def variants(good):
    """Tensors made from a good one, which may be refused and, if not, must give the right value."""
    flat = good.double()
    spoilt = {name: flat.clone() for name in ("nan", "inf")}
    for name, value in spoilt.items():
        value[(0,) * value.dim()] = float(name)
    dtypes = (torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.uint8, torch.bool, torch.complex128)
    yield from {str(dtype): flat.to(dtype) for dtype in dtypes if good.dtype != dtype}.items()
    yield from spoilt.items()
    yield from {
        "meta": good.to("meta"), "strided": good.repeat_interleave(2, -1)[..., ::2], "negative": -good,
        "grad": flat.clone().requires_grad_(), "empty": good[:0], "no column": good[..., :0], "column": good[..., :1],
        "row": good[0], "more": good[None], "bare": good.sum(), "longer": torch.cat([good, good]),
        "wider": torch.cat([good, good], -1), "stacked": good.expand(2, *good.shape),
    }.items()  # fmt: skip


def tensors(result):
    """Every tensor of a result, however deep it lies: in tuples, dicts, records and modules."""
    if isinstance(result, torch.Tensor):
        return [result]
    if isinstance(result, torch.nn.Module):
        parts = [*result.parameters(), *result.buffers()]
    elif dataclasses.is_dataclass(result):
        parts = vars(result).values()
    else:
        parts = result.values() if isinstance(result, dict) else result if isinstance(result, (tuple, list)) else []
    return [found for part in parts for found in tensors(part)]


def same(one, two):
    """Equal in every element, NaN where the other is NaN."""
    return np.array_equal(one.detach().numpy(), two.detach().numpy(), equal_nan=one.is_floating_point())


def complaint(f, arguments, name):
    """The result of a call, and what is wrong with its error, if it is not a clear one."""
    try:
        return f(**arguments), None
    except (TypeError, ValueError) as error:
        names = "|".join([name, *arguments, *faces.FACTORS])  # of a fitting pair, either may be called wrong
        clear = re.search(rf"\b({names})\b", str(error)) and re.search("got|neither", str(error))
        return None, None if clear and is_ours(error) else f"unclear {type(error).__name__}: {error}"
    except Exception as error:
        return None, f"{type(error).__name__}: {str(error)[:120]}"


def is_ours(error):
    """Whether a line of vaelib says `raise`: what Python or PyTorch say there is about something else."""
    place = error.__traceback__
    while place.tb_next:
        place = place.tb_next
    file = place.tb_frame.f_code.co_filename
    return Path(file).is_relative_to(*vaelib.__path__) and "raise" in linecache.getline(file, place.tb_lineno)


def at_its_limit(f, arguments, found):
    """Whether an infinite parameter of a likelihood gives what a very large one does: a logit of infinity is sure."""
    right = tensors(f(**{**arguments, "params": arguments["params"].clamp(max=1e12)}))
    return all(torch.allclose(part, whole) for part, whole in zip(found, right, strict=True))


def last_row(value, batch):
    return value.expand(*batch, value.shape[-1]).reshape(-1, value.shape[-1])[-1] if value.dim() else value


def verdict(f, arguments, kind, result, how):
    """What is wrong with a value that came back, or None: against float64, against one row alone, or for NaN."""
    found = tensors(result)
    if how == "meta":
        return None if all(part.device.type == "meta" for part in found) else "a value from no values"
    loud = any(not part.isfinite().all() for part in found if part.is_floating_point())
    if how in ("nan", "inf"):
        limit = how == "inf" and "params" in arguments and kind != "random" and at_its_limit(f, arguments, found)
        return None if loud or limit or kind in ("picture", "made") else "a finite value from NaN or infinity"
    if loud and kind not in ("greys", "diverged"):
        return "NaN or infinity from finite numbers"
    if kind in ("random", "picture", "made", "diverged"):
        return None
    double = {key: value.detach().double() if torch.is_tensor(value) else value for key, value in arguments.items()}
    exact = tensors(f(**double))
    for part, right in zip(found, exact, strict=True):
        rtol = 0.02 if part.dtype in (torch.float16, torch.bfloat16) else 1e-4
        if part.shape != right.shape or not torch.allclose(part.double(), right.double(), rtol, rtol, equal_nan=True):
            return "another value than in float64"
    if kind not in ("", "greys") and found[0].numel():
        batched = {key: double[key] for key in kind.split()}
        batch = torch.broadcast_shapes(*(value.shape[:-1] for value in batched.values()))
        alone = {key: last_row(value, batch) for key, value in batched.items()}
        if found[0].shape != batch or not torch.allclose(f(**{**double, **alone}).double(), exact[0].reshape(-1)[-1]):
            return "another value than for one example alone"
    return None


@pytest.mark.parametrize("door", DOORS)
def test_a_door_gives_the_right_value_or_says_what_is_wrong(door):
    f, good, kind = DOORS[door]
    assert verdict(f, good, kind, f(**good), "good") is None
    failures = []
    for name, value in good.items():
        kinds = [kind for kind in BAD if type(value) is kind] or [torch.Tensor if torch.is_tensor(value) else object]
        may_be_none = name in parameters(door) and parameters(door)[name].default is None
        for how, bad in BAD[kinds[0]].items():
            if (bad is None and may_be_none) or (door, name, how) in EITHER:
                continue
            result, wrong = complaint(f, {**good, name: bad}, name)
            failures += [(name, how, wrong or "let in")] if wrong or result is not None else []
        for how, bad in variants(value) if torch.is_tensor(value) else ():
            result, wrong = complaint(f, {**good, name: bad}, name)
            wrong = wrong or (verdict(f, {**good, name: bad}, kind, result, how) if result is not None else None)
            failures += [(name, how, wrong)] if wrong else []
    for dtype in (torch.float32, torch.float16, torch.bfloat16):
        as_one = {k: v.to(dtype) if torch.is_tensor(v) and v.is_floating_point() else v for k, v in good.items()}
        result, wrong = complaint(f, as_one, "nothing")
        problem = wrong or (verdict(f, as_one, kind, result, "") if result is not None else None)
        failures += [("all", str(dtype), problem)] if problem else []
    matplotlib.pyplot.close("all")
    assert not failures, "\n".join(map(str, failures))


MODULES = {  # their new weights stand where PyTorch's defaults say
    "priors.GaussianPrior.fit",
    "priors.MixturePrior.start",
    "models.mlp",
    "models.mlp_vae",
    "models.conv_vae",
    *(door for door in DOORS if DOORS[door][2] == "made"),
}


@pytest.mark.parametrize("door", [door for door in DOORS if door not in MODULES])
def test_defaults_for_dtype_and_device_change_nothing(door):
    f, good, _ = DOORS[door]
    states = {name: value.get_state() for name, value in good.items() if isinstance(value, torch.Generator)}

    def found():
        for name, state in states.items():
            good[name].set_state(state)
        torch.manual_seed(0)
        return tensors(f(**good))

    expected = found()
    torch.set_default_dtype(torch.bfloat16)
    try:
        with torch.device("meta"):
            again = found()
    finally:
        torch.set_default_dtype(torch.float32)
    assert all(one.dtype == two.dtype and same(one, two) for one, two in zip(expected, again, strict=True))
    matplotlib.pyplot.close("all")
