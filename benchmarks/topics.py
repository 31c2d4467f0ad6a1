"""Cures for a silent code at equal compute, three seeds each: the sequences and the table of chapter 12."""

import time
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from vaelib.collapse import free_bits, warm_up
from vaelib.distributions import reparameterize
from vaelib.metrics import active_units, code_information, shuffled_gap
from vaelib.objectives import ElboTerms, elbo_terms
from vaelib.sequences import SequenceVAE, TopicChains, make_topics
from vaelib.train import set_seed


class World(NamedTuple):
    """How long the sequences are, and how much the topics differ."""

    length: int
    strength: float


WORLDS = (World(24, 0.5),)
TOPICS, SYMBOLS = 4, 5
LATENT, HIDDEN = 4, 48
STEPS, BATCH, PEAK = 1500, 128, 3e-3
TESTS, JUDGED = 4000, 1000  # sequences for the bound; of them for the information, with 256 codes
SEEDS = 3
Penalty = Callable[[ElboTerms, int], Tensor]


class Cure(NamedTuple):
    """What is done about the silence: the price of the code, or another decoder, or steps for the encoder alone."""

    price: Penalty = lambda terms, step: terms.kl.mean()
    memory: bool = True
    drop: float = 0.0
    lagging: bool = False
    coded: bool = True


CURES = {
    "no code": Cure(coded=False),
    "no cure": Cure(),
    "warm-up": Cure(lambda terms, step: warm_up(step, STEPS // 2) * terms.kl.mean()),
    "free bits": Cure(lambda terms, step: free_bits(terms.kl_per_dim, 1 / LATENT)),
    "beta 0.5": Cure(lambda terms, step: 0.5 * terms.kl.mean()),
    "dropped symbols": Cure(drop=0.5),
    "no memory": Cure(memory=False),
    "lagging encoder": Cure(lagging=True),
}
MEASURED = ("minus ELBO", "KL", "active", "information", "shuffled", "topics told", "seconds")


def sequences(world: World) -> tuple[TopicChains, Tensor, Tensor, Tensor]:
    """The chains, and sequences that all runs share: one pass of training, tests and their topics."""
    chains, source = make_topics(TOPICS, SYMBOLS, world.strength, noise(0)), noise(1)
    x, _ = chains.sample(STEPS * BATCH, world.length, source)
    return chains, x, *chains.sample(TESTS, world.length, source)


def noise(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def train(cure: Cure, seed: int, x: Tensor) -> SequenceVAE:
    """STEPS steps, whatever the cure; every sequence is seen once."""
    set_seed(seed)
    model = SequenceVAE(SYMBOLS, LATENT, HIDDEN, memory=cure.memory, drop=cure.drop)
    adam = torch.optim.Adam(model.parameters(), PEAK, fused=True)
    cycle = torch.optim.lr_scheduler.OneCycleLR(adam, PEAK, total_steps=STEPS)
    for step, batch in enumerate(x.split(BATCH)):
        listening = not cure.lagging or step > STEPS // 2 or step % 4 == 0  # of the decoder to its gradient
        for weight in decoder_weights(model):
            weight.requires_grad_(listening)
        adam.zero_grad()
        loss(model, batch, cure, step).backward()
        adam.step()
        cycle.step()
    return model.eval()


def loss(model: SequenceVAE, x: Tensor, cure: Cure, step: int) -> Tensor:
    if not cure.coded:
        return -model.log_likelihood(x, torch.zeros(len(x), LATENT)).mean()
    terms = elbo_terms(model, x, model.log_likelihood)
    return -terms.log_likelihood.mean() + cure.price(terms, step)


def decoder_weights(model: SequenceVAE) -> list[Tensor]:
    return [weight for name, weight in model.named_parameters() if not name.startswith("encoder")]


@torch.no_grad()
def measure(model: SequenceVAE, cure: Cure, test: Tensor, topics: Tensor) -> list[float]:
    """The numbers of MEASURED but the last, on test sequences."""
    set_seed(0)  # the same draws of z for everybody
    if not cure.coded:
        nats = -model.log_likelihood(test, torch.zeros(len(test), LATENT)).mean()
        return [nats.item(), 0.0, 0.0, 0.0, 0.0, 1 / TOPICS]
    terms, (mu, logvar) = elbo_terms(model, test, model.log_likelihood), model.encode(test)
    information = code_information(model, test[:JUDGED], model.log_likelihood)
    gap = shuffled_gap(model, test, model.log_likelihood)
    told = topics_told(reparameterize(mu, logvar), topics)
    means = [-terms.elbo.mean(), terms.kl.mean(), active_units(mu).sum(), information.mean(), gap.mean(), told]
    return [round(float(value), 4) for value in means]


def topics_told(z: Tensor, topics: Tensor) -> Tensor:
    """Share of the second half whose topic is that of the nearest mean code of the first half's topics."""
    half = len(z) // 2
    means = torch.stack([z[:half][topics[:half] == topic].mean(0) for topic in range(TOPICS)])
    return (torch.cdist(z[half:], means).argmin(1) == topics[half:]).float().mean()


def run(name: str, world: World, seeds=range(SEEDS)) -> list[list[float]]:
    """[minus ELBO, KL, ..., seconds of a processor] of each seed."""
    _, x, test, topics = sequences(world)
    return [once(CURES[name], seed, x, test, topics) for seed in seeds]


def once(cure: Cure, seed: int, x: Tensor, test: Tensor, topics: Tensor) -> list[float]:
    start = time.process_time()
    model = train(cure, seed, x)
    seconds = time.process_time() - start
    return [*measure(model, cure, test, topics), round(seconds, 2)]
