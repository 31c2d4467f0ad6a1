"""A sentence VAE as you may have written it, one GRU reads and one writes: what wakes its code; chapter 12.

The sequences of `benchmarks.topics`, fewer of them. A run is a price of the code, and a place where the code enters.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from benchmarks import topics
from benchmarks.topics import LATENT, SYMBOLS, Penalty
from vaelib.collapse import free_bits, warm_up
from vaelib.metrics import code_information, shuffled_gap
from vaelib.objectives import elbo_terms
from vaelib.sequences import SequenceVAE
from vaelib.train import set_seed

HIDDEN, STEPS, BATCH, LR = 32, 400, 128, 4e-3
TESTS, JUDGED, SEEDS = 1000, 200, 3
MEASURED = ("minus ELBO", "KL", "information", "shuffled")


class Way(NamedTuple):
    """How a run is trained; with `mean` the error is a mean over the symbols, as `F.cross_entropy` has it."""

    price: Penalty = lambda terms, step: terms.kl.mean()
    everywhere: bool = False
    mean: bool = False


def slowly(terms, step: int) -> Tensor:
    return warm_up(step, STEPS // 2) * terms.kl.mean()


def with_a_floor(terms, step: int) -> Tensor:
    return free_bits(terms.kl_per_dim, 1 / LATENT)


WAYS = {
    "as it is": Way(),
    "warm-up": Way(slowly),
    "free bits": Way(with_a_floor),
    "code everywhere": Way(with_a_floor, everywhere=True),
    "mean over symbols": Way(with_a_floor, everywhere=True, mean=True),
}  # the last two with free bits


class Recurrent(SequenceVAE):
    """A GRU reads x; a GRU writes, from a state that the code sets. With `everywhere` each symbol sees the code too."""

    def __init__(self, num_symbols: int, latent_dim: int, hidden_dim: int = HIDDEN, everywhere: bool = False):
        super().__init__(num_symbols, latent_dim, hidden_dim)
        self.everywhere = everywhere
        read = nn.GRU(num_symbols, hidden_dim, batch_first=True)
        self.encoder = nn.ModuleDict({"read": read, "tell": nn.Linear(hidden_dim, 2 * latent_dim)})
        self.decoder = nn.ModuleDict({
            "start": nn.Linear(latent_dim, hidden_dim),
            "write": nn.GRU(num_symbols, hidden_dim, batch_first=True),
            "symbol": nn.Linear(hidden_dim + latent_dim * everywhere, num_symbols),
        })  # fmt: skip

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """mu and logvar, (B, L) each, from the last state of the reader."""
        mu, logvar = self.encoder["tell"](self.encoder["read"](x)[1][0]).chunk(2, -1)
        return mu, logvar

    def _logits(self, x: Tensor, z: Tensor) -> Tensor:
        places = x.shape[-2]
        later = nn.functional.pad(x[..., :-1, :], (0, 0, 1, 0)).expand(*z.shape[:-1], -1, -1)
        codes = z.reshape(-1, z.shape[-1])
        start = self.decoder["start"](codes).tanh()[None].contiguous()
        states, _ = self.decoder["write"](later.flatten(0, -3).contiguous(), start)
        if self.everywhere:
            states = torch.cat([states, codes[:, None].expand(-1, places, -1)], -1)
        return self.decoder["symbol"](states).unflatten(0, z.shape[:-1])


def train(way: Way, seed: int, x: Tensor) -> Recurrent:
    set_seed(seed)
    model = Recurrent(SYMBOLS, LATENT, everywhere=way.everywhere)
    adam = torch.optim.Adam(model.parameters(), LR, fused=True)
    cycle = torch.optim.lr_scheduler.OneCycleLR(adam, LR, total_steps=STEPS)
    for step, batch in enumerate(x[: STEPS * BATCH].split(BATCH)):
        terms = elbo_terms(model, batch, model.log_likelihood)
        error = -terms.log_likelihood.mean() / (batch.shape[1] if way.mean else 1)
        adam.zero_grad()
        (error + way.price(terms, step)).backward()
        adam.step()
        cycle.step()
    return model.eval()


@torch.no_grad()
def measure(model: Recurrent, test: Tensor) -> list[float]:
    """The numbers of MEASURED on test sequences."""
    set_seed(0)
    terms = elbo_terms(model, test, model.log_likelihood)
    information = code_information(model, test[:JUDGED], model.log_likelihood)
    gap = shuffled_gap(model, test, model.log_likelihood)
    means = [-terms.elbo.mean(), terms.kl.mean(), information.mean(), gap.mean()]
    return [round(float(value), 4) for value in means]


def run(name: str, seeds=range(SEEDS)) -> list[list[float]]:
    """The numbers of every seed."""
    _, x, test, _ = topics.sequences(topics.WORLDS[0])
    return [measure(train(WAYS[name], seed, x), test[:TESTS]) for seed in seeds]
