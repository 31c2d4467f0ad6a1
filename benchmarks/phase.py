"""Which units of a trained VAE are in use: five water levels, five latent sizes, three seeds; chapter 12's cures.

    python -m benchmarks phase --save         all points, one after the other
    python -m benchmarks.phase POINT FOLDER   one point, into FOLDER/POINT.json
    python -m benchmarks.phase --store FOLDER the points of a folder, into the library

A VAE with p(x|z) = N(decoder(z), I) on MNIST's grey pixels; loss = sum of squares / 2 + level KL, per image: the
level is beta sigma^2. Every run has the same layers, batches, passes and schedule.
"""

import datetime
import json
import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks import recurrent, topics
from benchmarks.frontier import both, train
from benchmarks.report import ROOT
from benchmarks.usual import pictures
from vaelib.metrics import active_units
from vaelib.train import as_float, evaluate, set_seed

LEVELS = [0.5, 1, 2, 4, 6]
LATENTS = [2, 4, 8, 16, 32]
SEEDS, PASSES = 3, 3
STORED = ROOT / "vaelib" / "stored" / "collapse.npz"
POINTS = [f"phase-{level:g}-{seed}" for seed in range(SEEDS) for level in LEVELS]
POINTS += [f"cure-{name.replace(' ', '_')}" for name in topics.CURES]
POINTS += [f"gru-{name.replace(' ', '_')}" for name in recurrent.WAYS]


@torch.no_grad()
def measure(model: nn.Module, test: Tensor) -> list[float]:
    """[units in use, rate in nats], on test pictures."""
    set_seed(0)
    mu, _ = model.encode(as_float(test))
    return [int(active_units(mu).sum()), round(evaluate(model, both, test)[1], 4)]


def run(point: str, passes: int = PASSES) -> dict:
    """What is kept of a point: its numbers, and how long they took."""
    start = time.process_time()
    kind, _, rest = point.partition("-")
    if kind == "cure":
        runs = [topics.run(rest.replace("_", " "), world) for world in topics.WORLDS]
    elif kind == "gru":
        runs = recurrent.run(rest.replace("_", " "))
    else:
        level, seed = rest.split("-")
        x, test = pictures()
        cpu = torch.device("cpu")
        runs = [measure(train(float(level), int(seed), x, cpu, L, passes), test) for L in LATENTS]
    seconds = round(time.process_time() - start, 1)
    return {"point": point, "date": datetime.date.today().isoformat(), "seconds": seconds, "runs": runs}


def told(found: dict) -> dict:
    """The same, printed."""
    print(json.dumps(found), flush=True)
    return found


def store(found: list[dict], path: Path = STORED) -> None:
    """All points as arrays: `phase` (levels, sizes, seeds, 2), `cures` (cures, worlds, seeds, numbers), `gru`."""
    runs = {one["point"]: one["runs"] for one in found}
    if missing := [point for point in POINTS if point not in runs]:
        raise ValueError(f"every point must be there; got none of {', '.join(missing)}")
    phase = [[runs[f"phase-{level:g}-{seed}"] for seed in range(SEEDS)] for level in LEVELS]
    names = list(topics.CURES)
    np.savez_compressed(
        path,
        date=max(one["date"] for one in found),
        levels=np.array(LEVELS, dtype=np.float64),
        latent_dims=np.array(LATENTS),
        phase=np.array(phase, dtype=np.float64).swapaxes(1, 2),
        worlds=np.array(topics.WORLDS, dtype=np.float64),
        names=np.array(names),
        cures=np.array([runs[f"cure-{name.replace(' ', '_')}"] for name in names], dtype=np.float64),
        ways=np.array(list(recurrent.WAYS)),
        gru=np.array([runs[f"gru-{name.replace(' ', '_')}"] for name in recurrent.WAYS], dtype=np.float64),
    )


def main(arguments: list[str]) -> None:
    if arguments[0] == "--store":
        store([json.loads(path.read_text(encoding="utf-8")) for path in sorted(Path(arguments[1]).glob("*-*.json"))])
        return
    torch.set_num_threads(1)
    point, folder = arguments
    found = told(run(point))
    (Path(folder) / f"{point}.json").write_text(json.dumps(found) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
