"""Packages that the core does without: imported where they are used, and named when they are missing."""

from importlib import import_module
from typing import Any


def need(module: str, extra: str) -> Any:
    """A module of a package that comes with an extra of vaelib, "data" or "figures".

    Raises:
        ModuleNotFoundError: the package is not installed; says how to install it.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as missing:
        if (missing.name or "").split(".")[0] != module.split(".")[0]:
            raise  # the package is there, and lacks something itself
        message = f"{module.split('.')[0]} is needed here and not installed: pip install 'vaelib[{extra}]'"
        raise ModuleNotFoundError(message, name=missing.name) from missing
