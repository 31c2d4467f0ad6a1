"""What a learned prior mends, chapter 9: nats on held-out codes, samples by the ruler, and what estimates a misfit.

Digits: the VAE of the chapter on MNIST, its crowd of codes, and priors fitted to it; beside it a plain autoencoder.
Crowds: mixtures whose KL to N(0, I) is known, and four estimates of it. Faces stand in `prior_faces`.
"""

import math

import torch
from torch import Tensor, nn
from torch import distributions as td

from benchmarks.usual import fit_in_a_cycle, negative_elbo
from vaelib.data import load
from vaelib.distributions import bernoulli_log_prob, reparameterize
from vaelib.metrics import classifier_features, frechet_distance, sample_quality
from vaelib.misfit import clouds_log_prob, misfit_by_classifier, misfit_by_density
from vaelib.models import Autoencoder, mlp_vae
from vaelib.priors import (
    CouplingPrior,
    FlowMatchingPrior,
    GaussianPrior,
    MixturePrior,
    VampPrior,
    flow_matching_loss,
    prior_loss,
)
from vaelib.train import as_float, fit, set_seed

LATENT, PASSES, BATCH, PEAK = 20, 4, 256, 3e-3
JUDGED = ("N(0, I)", "one Gaussian", "50 components", "flow", "flow, uniform times")
COUNT, NEIGHBOUR = 2000, 5  # inventions and real pictures of the ruler, and k


def in_a_cycle(model: nn.Module, loss, x: Tensor, epochs: int, peak: float, batch: int = 512) -> nn.Module:
    """The model after `epochs` passes of Adam with a step size that rises and falls."""
    adam = torch.optim.Adam(model.parameters(), fused=True)
    cycle = torch.optim.lr_scheduler.OneCycleLR(adam, peak, total_steps=epochs * (len(x) // batch))
    fit(model, loss, x, epochs=epochs, batch_size=batch, optimizer=adam, scheduler=cycle, device=x.device)
    return model.requires_grad_(False)


def middle_loss(flow: FlowMatchingPrior, z: Tensor) -> Tensor:
    """Flow matching with most times near the middle, where most lines cross."""
    return flow_matching_loss(flow, z, t=(0.7 * torch.randn(len(z), device=z.device)).sigmoid())


def ladder(codes: Tensor, encode, x: Tensor) -> dict[str, nn.Module]:
    """Priors fitted to codes (N, L), from the poorest to the richest."""
    L, device = codes.shape[1], codes.device
    learned = {
        "20 components": MixturePrior(L, 20).to(device).start(codes),
        "50 components": MixturePrior(L, 50).to(device).start(codes),
        "VampPrior": VampPrior(encode, as_float(x[:200])),
        "coupling": CouplingPrior(L),
    }
    rates = {"20 components": 2e-2, "50 components": 2e-2, "VampPrior": 3e-2, "coupling": 2e-3}
    priors = {"N(0, I)": GaussianPrior(L), "one Gaussian": GaussianPrior(L).to(device).fit(codes)}
    priors |= {name: in_a_cycle(prior, prior_loss, codes, 6, rates[name]) for name, prior in learned.items()}
    flows = {"flow": middle_loss, "flow, uniform times": flow_matching_loss}
    return priors | {
        name: in_a_cycle(FlowMatchingPrior(L, steps=16), loss, codes, 20, 4e-3) for name, loss in flows.items()
    }


def judged(real: Tensor, made: dict[str, Tensor]) -> dict[str, dict[str, float]]:
    """By metric, then by sampler."""
    found = {name: (*sample_quality(real, one, k=NEIGHBOUR), frechet_distance(real, one)) for name, one in made.items()}
    metrics = ["precision", "recall", "density", "coverage", "Frechet distance"]
    return {metric: {name: round(n[place], 4) for name, n in found.items()} for place, metric in enumerate(metrics)}


def digits(seed: int, device: torch.device) -> dict[str, dict[str, float]]:
    """The chapter's digits: VAE, priors, ruler."""
    mnist = load("mnist", fallback=None)
    x = mnist.train_images.flatten(1).to(device)
    shuffled = torch.randperm(len(mnist.test_images), generator=torch.Generator().manual_seed(0))
    test = as_float(mnist.test_images.flatten(1)[shuffled]).to(device)
    set_seed(seed)
    vae, plain = mlp_vae(784, LATENT), Autoencoder(784, LATENT, (400,))
    fit_in_a_cycle(vae, lambda m, x: negative_elbo(m, x.bernoulli()), x, PASSES, BATCH, PEAK, device)
    fit_in_a_cycle(plain, lambda m, x: -bernoulli_log_prob(x, m(x)).mean(), x, PASSES, BATCH, PEAK, device)
    vae, plain = vae.requires_grad_(False), plain.requires_grad_(False)
    codes, held_out = (reparameterize(*vae.encode(as_float(part).bernoulli())) for part in (x, test))
    priors = ladder(codes, vae.encode, x)
    normal = priors["N(0, I)"].to(device)
    gains = {name: misfit_by_density(held_out[:COUNT], prior.to(device), normal) for name, prior in priors.items()}
    ruler = classifier_features(as_float(x), mnist.train_labels.to(device))
    made = {name: vae.decode(priors[name].sample(COUNT)) for name in JUDGED}
    made["real codes"] = vae.decode(held_out[COUNT : 2 * COUNT])
    bare = plain.encode(as_float(x))
    mean, spread = bare.mean(0), bare.std(0)
    simple = GaussianPrior(LATENT).to(device).fit(bare).sample(COUNT)
    flow = in_a_cycle(FlowMatchingPrior(LATENT, steps=16), middle_loss, (bare - mean) / spread, 20, 4e-3)
    made["plain, one Gaussian"] = plain.decode(simple)
    made["plain, flow"] = plain.decode(mean + spread * flow.sample(COUNT))
    features = {name: ruler(y.sigmoid()) for name, y in made.items()} | {"pictures": ruler(test[COUNT : 2 * COUNT])}
    misfit = misfit_by_classifier(held_out, codes, normal, epochs=10)
    nats = {"gain": {name: round(gain.value.item(), 4) for name, gain in gains.items()}}
    nats["misfit by a classifier"] = {"all": round(misfit.value.item(), 4)}
    return nats | judged(ruler(test[:COUNT]), features)


CROWDS = {2: (5, 0.97), 5: (6, 0.8), 20: (20, 0.5)}  # L: components, and the share of the variance between them


def crowd(L: int, num_components: int, between: float) -> tuple[td.Distribution, Tensor]:
    """A mixture with mean 0 and variance 1 along every axis, and the means of its components."""
    means = torch.randn(num_components, L, generator=torch.Generator().manual_seed(1))
    means = (means - means.mean(0)) / means.std(0, correction=0) * between**0.5
    components = td.Independent(td.Normal(means, (1 - between) ** 0.5 * torch.ones_like(means)), 1)
    return td.MixtureSameFamily(td.Categorical(torch.ones(num_components)), components), means


def crowds(seed: int) -> dict[str, dict[str, float]]:
    """Four estimates of KL(q || N(0, I)), where q is a known mixture, nats."""
    found = {}
    for L, (num_components, between) in CROWDS.items():
        set_seed(seed)
        q, means = crowd(L, num_components, between)
        prior, many = GaussianPrior(L), q.sample((200_000,))
        truth = (q.log_prob(many) - prior.log_prob(many)).mean()
        codes, held_out, n = many[:30_000], many[30_000:40_000], 2000
        fitted = in_a_cycle(MixturePrior(L, 2 * num_components).start(codes), prior_loss, codes, 30, 2e-2)
        v = 0.5 * (1 - between)  # the variance of one cloud: half of a component's
        mu = means[torch.randint(num_components, (n,))] + v**0.5 * torch.randn(n, L)
        logvar = torch.full_like(mu, math.log(v))
        z = reparameterize(mu, logvar)
        clouds = [(clouds_log_prob(z, mu, logvar, own) - prior.log_prob(z)).mean() for own in (False, True)]
        density = misfit_by_density(held_out, fitted, prior).value
        classifier = misfit_by_classifier(held_out, codes, prior, epochs=12).value
        numbers = {"truth": truth, "density": density, "classifier": classifier}
        numbers |= {"clouds": clouds[0], "clouds without their own": clouds[1]}
        found[f"L = {L}"] = {name: round(value.item(), 4) for name, value in numbers.items()}
    return found
