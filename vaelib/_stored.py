"""The runs that come with the library."""

from importlib.resources import files

import numpy as np


def arrays(name: str) -> dict[str, np.ndarray]:
    """What `vaelib/stored/NAME.npz` holds, by name."""
    with (files("vaelib") / "stored" / f"{name}.npz").open("rb") as file:
        return dict(np.load(file))
