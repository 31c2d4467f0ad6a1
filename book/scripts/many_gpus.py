"""Train the VAE of chapter 6 with one process per GPU, or per CPU core without one.

    torchrun --nproc-per-node 4 book/scripts/many_gpus.py
    python book/scripts/many_gpus.py                  the same code as a single process

The batch is that of all processes together: their number changes the speed, and not
what is learned.
"""

import argparse
import os

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from vaelib.data import load
from vaelib.distributions import bernoulli_log_prob
from vaelib.models import VAE, mlp_vae
from vaelib.objectives import elbo_terms
from vaelib.train import set_seed, train_epoch


class Objective(nn.Module):
    """The negative ELBO, in nats, as a module: what is wrapped has to be called."""

    def __init__(self, model: VAE, noise: torch.Generator):
        super().__init__()
        self.model, self.noise = model, noise

    def forward(self, x: Tensor) -> Tensor:
        terms = elbo_terms(self.model, x, bernoulli_log_prob, self.noise)
        return -terms.elbo.mean()


def main(arguments=None) -> None:
    parser = argparse.ArgumentParser(description="Train a VAE with several processes.")
    parser.add_argument("--data", default="mnist", help="a name for vaelib.data.load")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--batch-size", type=int, default=128, help="of all together")
    parser.add_argument("--save", help="a file for losses of all steps, and weights")
    chosen = parser.parse_args(arguments)
    rank, size = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
    if chosen.batch_size % size:
        got = f"--batch-size must be a multiple of {size}; got {chosen.batch_size}"
        parser.error(got)
    losses, model = train(rank, size, join(size), chosen)
    if rank == 0 and chosen.save:
        weights = model.cpu().state_dict()
        torch.save({"losses": losses.cpu(), "weights": weights}, chosen.save)
    if size > 1:
        distributed.destroy_process_group()


def join(size: int) -> torch.device:
    """Meet the other processes, if there are any; returns the device of this one."""
    device = torch.device("cpu")
    if torch.cuda.is_available():
        device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0)))
        torch.cuda.set_device(device)
    if size > 1:
        distributed.init_process_group("gloo" if device.type == "cpu" else "nccl")
    return device


def train(rank: int, size: int, device: torch.device, chosen) -> tuple[Tensor, VAE]:
    """Returns the loss of every step, over all processes, (steps,), and the model."""
    x = load(chosen.data).train_images.flatten(1).to(device)  # (N, D)
    set_seed(0)
    model = mlp_vae(x.shape[1], latent_dim=20).to(device)
    noise = torch.Generator(device).manual_seed(1 + rank)  # each process its own
    objective = Objective(model, noise)
    if size > 1:
        objective = DistributedDataParallel(objective)
    optimizer = torch.optim.Adam(model.parameters())
    shuffle, found = torch.Generator().manual_seed(0), []  # one order for all
    for epoch in range(chosen.epochs):
        order = torch.randperm(len(x), generator=shuffle)
        order = own_part(order, chosen.batch_size, rank, size).to(device)
        share = chosen.batch_size // size
        losses = train_epoch(objective, call, x, order, share, optimizer)[:, 0]
        if size > 1:
            distributed.all_reduce(losses)
        found.append(losses / size)
        if rank == 0:
            nats = f"{found[-1].mean():.2f} nats"
            print(f"epoch {epoch + 1}: {nats}, {size} x {device.type}", flush=True)
    return torch.cat(found), model


def call(objective: nn.Module, x: Tensor) -> Tensor:
    """The loss that `train_epoch` asks for. Not `objective.module(x)`: see the page."""
    return objective(x)


def own_part(order: Tensor, batch_size: int, rank: int, size: int) -> Tensor:
    """This process's places in each full batch, (batches * batch_size / size,)."""
    full = order[: len(order) // batch_size * batch_size]
    return full.view(-1, size, batch_size // size)[:, rank].flatten()


if __name__ == "__main__":
    main()
