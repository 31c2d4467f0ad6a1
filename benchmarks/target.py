"""Whole processes, from a cold start to the test loss that PyTorch's example reaches on grey pixels after ten epochs.

    python -m benchmarks.target usual|ours DEVICE SEED     one side: trains, judges, prints the loss

What a person waits for is measured from outside: the start of Python, imports, reading the data, training, judging.
"""

import re
import subprocess
import sys
import time

import torch

from benchmarks.report import ROOT
from benchmarks.usual import example_loss, fit_in_a_cycle, negative_elbo, pictures, usual_epochs
from vaelib.models import VAE, mlp_vae
from vaelib.train import evaluate, set_seed

EPOCHS = 10  # of the example
OURS, BATCH, PEAK = 4, 320, 1.2e-2  # passes, batch size and peak learning rate of ours, chosen on another seed
PRODUCT = 256  # rows of the square matrices whose product tells which precision is faster; slow bfloat16 is very slow


def reach(device: torch.device, pair: int) -> tuple[float, float]:
    """Seconds of the whole process: (usual, ours), with seed `pair`.

    Raises:
        AssertionError: ours ends above the example's loss; then there is nothing to compare.
    """
    (usual, theirs), (ours, reached) = (process(side, device, pair) for side in ("usual", "ours"))
    print(
        f"    seed {pair}: example {theirs:.2f} nats after {EPOCHS} epochs, ours {reached:.2f} after {OURS}", flush=True
    )
    assert reached <= theirs, f"seed {pair}: ours ends at {reached:.2f} nats, the example at {theirs:.2f}"
    return usual, ours


def process(side: str, device: torch.device, seed: int) -> tuple[float, float]:
    """Seconds of a fresh Python that trains one side, and the test loss in nats that it prints last."""
    start = time.perf_counter()
    command = [sys.executable, "-m", "benchmarks.target", side, str(device), str(seed)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return time.perf_counter() - start, float(re.findall(r"[\d.]+", done.stdout)[-1])


def usual(device: torch.device, seed: int) -> VAE:
    """PyTorch's example: ten epochs, each with its look at the test pictures."""
    set_seed(seed)
    model = mlp_vae(784, 20, (400,)).to(device)
    usual_epochs(model, example_loss, EPOCHS, device, judge=True)
    return model


def ours(device: torch.device, seed: int) -> VAE:
    """Four passes in a cycle of step sizes, in half precision where that is faster."""
    set_seed(seed)
    model = mlp_vae(784, 20, (400,))
    loss = in_half if half_is_faster(device) else negative_elbo
    shape = {"betas": (0.9, 0.99), "pct_start": 0.2, "cycle_momentum": False}
    fit_in_a_cycle(model, loss, pictures()[0], OURS, BATCH, PEAK, device, **shape)
    return model


def in_half(model: VAE, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """`negative_elbo` with the layers in bfloat16; densities, KL and weights stay in float32."""
    with torch.autocast(x.device.type, torch.bfloat16):
        return negative_elbo(model, x)


def half_is_faster(device: torch.device) -> bool:
    """Whether this device multiplies matrices of bfloat16 at least a third faster than matrices of float32."""
    seconds = {}
    for dtype in (torch.float32, torch.bfloat16):
        a = torch.rand(PRODUCT, PRODUCT, device=device).to(dtype)
        for _ in range(6):  # the first ones prepare
            start = time.perf_counter()
            (a @ a).sum().item()
            seconds[dtype] = min(seconds.get(dtype, torch.inf), time.perf_counter() - start)
    return seconds[torch.bfloat16] < 0.75 * seconds[torch.float32]


def main(side: str, device: str, seed: str) -> None:
    model = {"usual": usual, "ours": ours}[side](torch.device(device), int(seed))
    print(f"{evaluate(model, negative_elbo, pictures()[1].to(device))[0]:.4f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
