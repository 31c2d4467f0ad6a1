"""How good, and how soon: chapter 6's training of 784-400-20 on binary MNIST, from five seeds."""

import torch

from benchmarks.usual import fit_in_a_cycle, negative_elbo, pictures
from vaelib.models import mlp_vae
from vaelib.train import as_float, evaluate, set_seed

PASSES, BATCH, PEAK = 8, 256, 3e-3
TEST_SEED = 0  # the test pictures are drawn black or white once, with this seed


def run(device: torch.device, seed: int) -> tuple[float, float]:
    """(nats, seconds): -ELBO of the 10,000 test pictures, one drawn z each, and the time of the training."""
    train, test = pictures()
    fixed = as_float(test).bernoulli(generator=torch.Generator().manual_seed(TEST_SEED)).to(device)
    set_seed(seed)
    model = mlp_vae(784, 20, (400,))
    seconds = fit_in_a_cycle(model, lambda m, x: negative_elbo(m, x.bernoulli()), train, PASSES, BATCH, PEAK, device)
    return evaluate(model, negative_elbo, fixed)[0], seconds
