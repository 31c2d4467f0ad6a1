"""log p(x) by importance sampling, 5000 draws on 200 test pictures: all at once, against one picture at a time."""

import math
import time
from functools import cache

import torch
from torch.distributions import Normal
from torch.nn.functional import binary_cross_entropy

from benchmarks.usual import negative_elbo, pictures
from vaelib.distributions import bernoulli_log_prob
from vaelib.metrics import log_marginal_iw
from vaelib.models import VAE, mlp_vae
from vaelib.train import as_float, fit, set_seed

DRAWS, IMAGES, AT_A_TIME = 5000, 200, 500


def one_picture_at_a_time(model: VAE, x: torch.Tensor) -> torch.Tensor:
    """The usual way: each picture is copied 500 times, encoded, drawn, decoded and weighed, ten times over."""
    results = []
    for one in x:
        copies, weights = one.expand(AT_A_TIME, -1), []
        for _ in range(DRAWS // AT_A_TIME):
            mu, logvar = model.encode(copies)
            q, prior = Normal(mu, torch.exp(0.5 * logvar)), Normal(0.0, 1.0)
            z = q.sample()
            y = torch.sigmoid(model.decode(z))
            likelihood = -binary_cross_entropy(y, copies, reduction="none").sum(1)
            weights.append(likelihood + prior.log_prob(z).sum(1) - q.log_prob(z).sum(1))
        results.append(torch.cat(weights).logsumexp(0) - math.log(DRAWS))
    return torch.stack(results)


def measure(device: torch.device, pair: int) -> tuple[float, float]:
    """Seconds for 200 pictures: (usual, ours). Both give the same numbers within five paired standard errors."""
    model, x = trained(device)
    with torch.no_grad():
        start = time.perf_counter()
        theirs = one_picture_at_a_time(model, x)
        usual = time.perf_counter() - start
        start = time.perf_counter()
        ours = log_marginal_iw(model, x, bernoulli_log_prob, DRAWS)
        seconds = time.perf_counter() - start
    difference = theirs - ours
    limit = 5 * difference.std() / IMAGES**0.5
    assert difference.mean().abs() <= limit, f"the two differ by {difference.mean():.4f} nats; allowed {limit:.4f}"
    return usual, seconds


@cache
def trained(device: torch.device) -> tuple[VAE, torch.Tensor]:
    """A model after two passes over 20,000 pictures, and the pictures to judge."""
    train, test = pictures()
    set_seed(0)
    model = mlp_vae(784, 20, (400,))
    fit(model, lambda m, x: negative_elbo(m, x.bernoulli())[0], train[:20_000], epochs=2, device=device)
    x = as_float(test[:IMAGES].to(device)).bernoulli()
    return model.requires_grad_(False), x
