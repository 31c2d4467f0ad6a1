"""How good, and how soon: chapter 6's training of 784-400-20 on binary MNIST, from five seeds."""

import time

import torch

from benchmarks.usual import negative_elbo, pictures
from vaelib.models import VAE
from vaelib.train import as_float, evaluate, fit, set_seed

PASSES, BATCH, PEAK = 8, 256, 3e-3
TEST_SEED = 0  # the test pictures are drawn black or white once, with this seed


def run(device: torch.device, seed: int) -> tuple[float, float]:
    """(nats, seconds): -ELBO of the 10,000 test pictures, one drawn z each, and the time of the training."""
    train, test = pictures()
    fixed = as_float(test).bernoulli(generator=torch.Generator().manual_seed(TEST_SEED)).to(device)
    set_seed(seed)
    model, start = VAE(784, 20, (400,)), time.perf_counter()
    model.decoder[-1].bias.data = as_float(train).mean(0).clamp(0.001, 0.999).logit()
    adam = torch.optim.Adam(model.parameters(), fused=True)
    cycle = torch.optim.lr_scheduler.OneCycleLR(adam, PEAK, epochs=PASSES, steps_per_epoch=len(train) // BATCH)
    options = {"batch_size": BATCH, "optimizer": adam, "scheduler": cycle, "device": device}
    fit(model, lambda m, x: negative_elbo(m, x.bernoulli()), train, epochs=PASSES, **options)
    seconds = time.perf_counter() - start
    return evaluate(model, negative_elbo, fixed)[0], seconds
