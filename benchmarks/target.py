"""Time to the test loss that PyTorch's example VAE reaches on grey pixels after ten epochs, its tests included."""

import time
from functools import cache

import torch

from benchmarks.usual import example_loss, fit_in_a_cycle, negative_elbo, pictures, usual_epochs
from vaelib.models import VAE, mlp_vae
from vaelib.train import evaluate, set_seed

EPOCHS = 10  # of the example
OURS, BATCH, PEAK = 4, 320, 1.2e-2  # passes, batch size and peak learning rate of ours, chosen on another seed


def reach(device: torch.device, pair: int) -> tuple[float, float]:
    """Seconds until the loss of the example's tenth epoch: (usual, ours), with seed `pair`.

    Raises:
        AssertionError: ours ends above the example's loss; then there is nothing to compare.
    """
    train, test = pictures()
    set_seed(pair)
    example = mlp_vae(784, 20, (400,)).to(device)
    usual = usual_epochs(example, example_loss, EPOCHS, device, judge=True)
    set_seed(pair)
    model = mlp_vae(784, 20, (400,))
    loss = in_half if half_is_faster(device) else negative_elbo
    shape = {"betas": (0.9, 0.99), "pct_start": 0.2, "cycle_momentum": False}
    ours = fit_in_a_cycle(model, loss, train, OURS, BATCH, PEAK, device, **shape)
    theirs, reached = (evaluate(m, negative_elbo, test.to(device))[0] for m in (example, model))
    print(
        f"    seed {pair}: example {theirs:.2f} nats after {EPOCHS} epochs, ours {reached:.2f} after {OURS}", flush=True
    )
    assert reached <= theirs, f"seed {pair}: ours ends at {reached:.2f} nats, the example at {theirs:.2f}"
    return usual, ours


def in_half(model: VAE, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """`negative_elbo` with the layers in bfloat16; densities, KL and weights stay in float32."""
    with torch.autocast(x.device.type, torch.bfloat16):
        return negative_elbo(model, x)


@cache
def half_is_faster(device: torch.device) -> bool:
    """Whether this device multiplies matrices of bfloat16 at least a third faster than matrices of float32."""
    seconds = {}
    for dtype in (torch.float32, torch.bfloat16):
        a = torch.rand(1024, 1024, device=device).to(dtype)
        for _ in range(6):  # the first ones prepare
            start = time.perf_counter()
            (a @ a).sum().item()
            seconds[dtype] = min(seconds.get(dtype, torch.inf), time.perf_counter() - start)
    return seconds[torch.bfloat16] < 0.75 * seconds[torch.float32]
