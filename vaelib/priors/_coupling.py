"""Coupling layers: an invertible map from codes to N(0, I) whose Jacobian's determinant can be read off."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from vaelib import _guard
from vaelib.distributions import LOG_2PI
from vaelib.priors._shared import as_codes, smooth_mlp, standard_noise


class CouplingPrior(nn.Module):
    """log r(z) = log N(u; 0, I) + log |det du/dz|, where coupling layers map z to u and back.

    Each layer leaves half of the numbers alone and lets them decide how the others are shifted and scaled; in the next
    layer it is others' turn. At the start nothing is shifted or scaled, so the prior is N(0, I).

    Args:
        latent_dim: L, at least 2.
        num_layers: of coupling; with three of them (two where L is even) every number acts on every other.
        hidden_dims: widths of the network in each layer.

    Raises:
        TypeError: something is no whole number.
        ValueError: latent_dim below 2 (there are no halves), num_layers or a width below 1.

    Source: Dinh et al. (2017), eqs. 4 to 8. Book: chapter 9.
    """

    origin: Tensor

    def __init__(self, latent_dim: int, num_layers: int = 8, hidden_dims: Sequence[int] = (128,)):
        super().__init__()
        _guard.counts(2, latent_dim=latent_dim)
        _guard.counts(1, num_layers=num_layers)
        _guard.widths(hidden_dims=hidden_dims)
        self.kept = latent_dim // 2  # numbers that a layer leaves alone
        sizes = [self.kept, *hidden_dims, 2 * (latent_dim - self.kept)]
        layers = [smooth_mlp(sizes) for _ in range(num_layers)]
        for parameter in [parameter for layer in layers for parameter in layer[-1].parameters()]:
            nn.init.zeros_(parameter)
        self.layers = nn.ModuleList(layers)
        self.register_buffer("origin", torch.zeros(latent_dim), persistent=False)

    def to_noise(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """u (..., L) of codes z (..., L), and log |det du/dz|, (...)."""
        z = as_codes(z, self.origin)
        log_det = z.new_zeros(z.shape[:-1])
        for layer in self.layers:
            kept, moved = z[..., : self.kept], z[..., self.kept :]
            shift, log_scale = _shift_log_scale(layer, kept)
            z = torch.cat([kept, (moved - shift) * (-log_scale).exp()], -1).roll(-self.kept, -1)
            log_det = log_det - log_scale.sum(-1)
        return z, log_det

    def to_codes(self, u: Tensor) -> Tensor:
        """z (..., L) of noise u (..., L): the inverse of `to_noise`."""
        u = as_codes(u, self.origin, "u")
        for layer in reversed(self.layers):
            kept, moved = u[..., -self.kept :], u[..., : -self.kept]  # where `to_noise` has rolled them
            shift, log_scale = _shift_log_scale(layer, kept)
            u = torch.cat([kept, moved * log_scale.exp() + shift], -1)
        return u

    def log_prob(self, z: Tensor) -> Tensor:
        """log-density of z (..., L): (...), nats."""
        u, log_det = self.to_noise(z)
        return log_det - 0.5 * (u.square() + LOG_2PI).sum(-1)

    def sample(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """n codes, (n, L)."""
        return self.to_codes(standard_noise(n, self.origin, generator))


def _shift_log_scale(layer: nn.Module, kept: Tensor) -> tuple[Tensor, Tensor]:
    shift, log_scale = layer(kept).chunk(2, -1)
    return shift, 2 * torch.tanh(log_scale / 2)  # one layer scales by e^2 at most: codes far out stay finite
