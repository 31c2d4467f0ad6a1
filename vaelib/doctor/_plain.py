"""A plain, small VAE that is trained on the patient's own pictures for a second: what anybody gets without effort."""

from typing import Any

import torch
from torch import Tensor, nn

from vaelib.doctor._spread import kl_each
from vaelib.doctor._ward import Ward, bernoulli, spread_error

STEPS, WIDTH, LATENTS, BATCH = 400, 128, 12, 100


def plain_bound(ward: Ward) -> float:
    """Its negative ELBO on the patient's pictures, nats per example, with the likelihood of the patient's loss."""
    x, new = ward.train.flatten(1).float(), ward.x.flatten(1).float()
    L = min(LATENTS, max(2, ward.latent_dim))
    centre, scale = x.mean(0), x.std().clamp(min=1e-6)
    options: dict[str, Any] = {"device": x.device}
    encoder = nn.Sequential(nn.Linear(x.shape[1], WIDTH, **options), nn.ReLU(), nn.Linear(WIDTH, 2 * L, **options))
    decoder = nn.Sequential(nn.Linear(L, WIDTH, **options), nn.ReLU(), nn.Linear(WIDTH, x.shape[1], **options))
    parameters = [*encoder.parameters(), *decoder.parameters()]
    for part in (encoder, decoder):
        part.requires_grad_()

    def bound(rows: Tensor, sigma: Tensor | None = None) -> tuple[Tensor, Tensor]:
        mu, logvar = encoder((rows - centre) / scale).chunk(2, 1)
        std = (logvar / 2).exp()
        y = decoder(mu + std * torch.randn_like(mu))
        y = y if ward.kind == "Bernoulli" else centre + scale * y
        return _error(ward, rows, y), kl_each(mu, std).sum(1)

    adam = torch.optim.Adam(parameters, lr=2e-3)
    with torch.enable_grad():
        for _ in range(STEPS):
            error, kl = bound(x[torch.randint(len(x), (min(BATCH, len(x)),), device=x.device)])
            loss = (error + kl).mean()
            adam.zero_grad()
            loss.backward()
            adam.step()
    return torch.stack(bound(new)).sum(0).mean().item()


def _error(ward: Ward, x: Tensor, y: Tensor) -> Tensor:
    return bernoulli(x, y, True) if ward.kind == "Bernoulli" else spread_error(x, y, ward.kind)
