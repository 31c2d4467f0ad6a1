"""What a loss gives for the first batch, tried aside: whether it is the one that was kept, and repeats itself."""

import math
from collections import defaultdict

from vaelib._aside import eval_mode, kept_generators
from vaelib._steps import as_tuple, dtype_of, floats
from vaelib._training import Training

CLOSE = defaultdict(lambda: 1e-2, cpu=1e-4)  # room for another machine's rounding; a GPU's may be half precision's
OWN_STATE = (
    "the loss gives two values for the same weights, batch and random numbers: it draws from a generator of its own "
    "or counts its calls. Let it draw from PyTorch's global generator, or from the one handed over as `generator`"
)


def first_losses(training: Training) -> list[float]:
    """What the loss returns for the first batch, in eval(); the generators, which stay where they are, decide too."""
    run, batch = training, training.x[: training.batch_size]
    with kept_generators(run.device, run.generator), eval_mode(run.model):
        numbers = as_tuple(run.loss(run.model, floats(batch, dtype_of(run.model))))
    return [number.item() for number in numbers]


def repeats(training: Training) -> bool:
    """Whether the loss has no random numbers and no count of its own."""
    return agree(first_losses(training), first_losses(training), CLOSE[training.device.type] / 100)


def agree(one: list[float], two: list[float], close: float) -> bool:
    """Up to a relative `close`, and to rounding where one number is far below another."""
    room = 1e-6 * max((abs(number) for number in one if math.isfinite(number)), default=0)
    if len(one) != len(two):
        return False
    pairs = zip(one, two, strict=True)
    return all(math.isclose(a, b, rel_tol=close, abs_tol=room) or (math.isnan(a) and math.isnan(b)) for a, b in pairs)
