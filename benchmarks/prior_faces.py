"""Chapter 9 on faces: the VAE of chapter 7, and what priors over its codes invent, in features of a regressor."""

import torch
from torch import Tensor, nn

from benchmarks.priors import in_a_cycle, judged, middle_loss
from vaelib.distributions import reparameterize
from vaelib.faces import FACTORS, draw, sample_factors
from vaelib.likelihoods import GaussianLikelihood
from vaelib.misfit import misfit_by_density
from vaelib.models import conv_vae
from vaelib.objectives import elbo_terms
from vaelib.priors import FlowMatchingPrior, GaussianPrior, MixturePrior, prior_loss
from vaelib.train import as_float, fit, set_seed

WIDTHS, LATENT, FACES, TEST, PASSES = (16, 32, 64, 128, 128), 64, 6000, 2000, 7


def targets(factors: Tensor) -> Tensor:
    """What a regressor has to say of a face: its factors about zero, hues as points of a circle."""
    columns = []
    for place, name in enumerate(FACTORS):
        value = factors[:, place].float()
        turn = value.deg2rad()
        columns += [turn.cos(), turn.sin()] if "hue" in name else [(value - value.mean()) / value.std().clamp(min=1e-6)]
    return torch.stack(columns, 1)


def regressor(x: Tensor, factors: Tensor) -> nn.Module:
    """From faces to 64 features: a network trained to tell the factors, up to its last hidden layer."""
    wanted = targets(factors)
    body = conv_vae(LATENT // 2, WIDTHS).encoder  # ends in 64 numbers
    net = nn.Sequential(body, nn.SiLU(), nn.Linear(LATENT, wanted.shape[1])).to(x.device)
    both = torch.cat([as_float(x), wanted.to(x.device)], 1)
    loss = lambda net, rows: (net(rows[:, : x.shape[1]]) - rows[:, x.shape[1] :]).square().mean()  # noqa: E731
    in_a_cycle(net, loss, both, 4, 2e-3, batch=64)
    return net[:2]


def vae(x: Tensor) -> nn.Module:
    """Chapter 7's model, trained as there."""
    model = conv_vae(LATENT, WIDTHS)
    model.likelihood = GaussianLikelihood(-6.0)
    layers = [*model.encoder.parameters(), *model.decoder.parameters()]
    adam = torch.optim.Adam([{"params": layers}, {"params": [model.likelihood.logvar]}])
    rates = torch.optim.lr_scheduler.OneCycleLR(adam, [2e-3, 4e-2], PASSES * (len(x) // 32))
    loss = lambda model, rows: -elbo_terms(model, rows, model.likelihood).elbo.mean()  # noqa: E731
    fit(model, loss, x, epochs=PASSES, batch_size=32, optimizer=adam, scheduler=rates, device=x.device)
    return model.requires_grad_(False)


def run(seed: int, device: torch.device) -> dict[str, dict[str, float]]:
    """What `judged` says of decoded codes and of three priors, and their gain in nats."""
    factors = sample_factors(FACES + TEST, torch.Generator().manual_seed(seed))
    x = draw(factors).flatten(1).to(device)
    train, test = x.split([FACES, TEST])
    set_seed(seed)
    model, ruler = vae(train), regressor(train, factors[:FACES])
    q, q_test = (encoded(model, part) for part in (train, test))
    mu, logvar = q.chunk(2, 1)
    mean, spread = mu.mean(0), (mu.var(0) + logvar.exp().mean(0)).sqrt()
    in_units = lambda rows: (reparameterize(*rows.chunk(2, 1)) - mean) / spread  # noqa: E731 - fresh noise every time
    flow = FlowMatchingPrior(LATENT)
    in_a_cycle(flow, lambda flow, rows: middle_loss(flow, in_units(rows)), q, 250, 4e-3)
    fifty = MixturePrior(LATENT, 50).to(device).start(in_units(q))
    in_a_cycle(fifty, lambda fifty, rows: prior_loss(fifty, in_units(rows)), q, 60, 2e-2)
    gauss, normal = GaussianPrior(LATENT).to(device).fit(in_units(q)), GaussianPrior(LATENT).to(device)
    half = TEST // 2
    held_out = in_units(q_test)
    made = {"real codes": held_out[half:], "N(0, I)": (normal.sample(half) - mean) / spread}
    made |= {"one Gaussian": gauss.sample(half), "50 components": fifty.sample(half), "flow": flow.sample(half)}
    faces = {name: model.decode(mean + spread * z) for name, z in made.items()}
    features = {name: ruler(y.clamp(0, 1)) for name, y in faces.items()} | {"pictures": ruler(as_float(test[half:]))}
    gains = {
        "flow": misfit_by_density(held_out[:200], flow, gauss),
        "50 components": misfit_by_density(held_out, fifty, gauss),
    }
    nats = {"gain over one Gaussian": {name: round(gain.value.item(), 3) for name, gain in gains.items()}}
    return nats | judged(ruler(as_float(test[:half])), features)


def encoded(model: nn.Module, x: Tensor) -> Tensor:
    """mu and logvar side by side, (N, 2 L), in pieces that fit into memory."""
    return torch.cat([torch.cat(model.encode(as_float(part)), 1) for part in x.split(500)])
