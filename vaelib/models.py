"""Encoders and decoders: what maps x to z and back. No losses inside."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn


def mlp(sizes: Sequence[int]) -> nn.Sequential:
    """Linear layers of the given sizes with a ReLU between each two, none at the end.

    Args:
        sizes: at least two widths, from input to output. Two widths make a single linear layer.

    Raises:
        ValueError: fewer than two widths, or a width below 1.
    """
    if len(sizes) < 2 or min(sizes) < 1:
        raise ValueError(f"sizes must be at least two widths of 1 or more; got {list(sizes)}")
    layers = []
    for inputs, outputs in pairwise(sizes):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


class Autoencoder(nn.Module):
    """x -> z = e(x) -> d(z): an MLP that squeezes D numbers into L and one that spreads them out again.

    Args:
        data_dim: D, the numbers in one example (784 for a 28x28 grey image).
        latent_dim: L, the numbers in a code.
        hidden_dims: widths between D and L, mirrored in the decoder; () makes a linear autoencoder with biases.

    Source: Bourlard & Kamp (1988). Book: chapter 1, "Two functions and a bottleneck".
    """

    def __init__(self, data_dim: int, latent_dim: int, hidden_dims: Sequence[int] = (256,)):
        super().__init__()
        self.data_dim, self.latent_dim = data_dim, latent_dim
        self.encoder = mlp([data_dim, *hidden_dims, latent_dim])
        self.decoder = mlp([latent_dim, *reversed(hidden_dims), data_dim])

    def encode(self, x: Tensor) -> Tensor:
        """Codes z (B, L) of examples x (B, D)."""
        _expect_columns("x", x, self.data_dim)
        return self.encoder(x)

    def decode(self, z: Tensor) -> Tensor:
        """The decoder's last linear layer (B, D) at codes z (B, L): any real numbers.

        They are logits where the loss takes logits, a mean where it takes a mean. A picture is `.sigmoid()` of
        logits, written out by the caller.
        """
        _expect_columns("z", z, self.latent_dim)
        return self.decoder(z)

    def forward(self, x: Tensor) -> Tensor:
        return self.decode(self.encode(x))


class VAE(nn.Module):
    """q(z|x) and p(x|z) as two MLPs around L latent numbers, with the prior p(z) = N(0, I).

    The last layer of the encoder gives mu and logvar side by side, 2 L numbers. The last layer of the decoder gives
    whatever the likelihood takes, which is handed to the objective and not kept here: logits with
    `bernoulli_log_prob`, a mean with `normal_log_prob`.

    Args:
        data_dim: D, the numbers in one example.
        latent_dim: L, the numbers in a code.
        hidden_dims: widths between D and L, mirrored in the decoder.

    Source: Kingma & Welling (2014), appendix C. Book: chapter 6.
    """

    def __init__(self, data_dim: int, latent_dim: int, hidden_dims: Sequence[int] = (400,)):
        super().__init__()
        self.data_dim, self.latent_dim = data_dim, latent_dim
        self.encoder = mlp([data_dim, *hidden_dims, 2 * latent_dim])
        self.decoder = mlp([latent_dim, *reversed(hidden_dims), data_dim])

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """mu and logvar (log of the variance) of q(z|x), (B, L) each, for examples x (B, D)."""
        _expect_columns("x", x, self.data_dim)
        mu, logvar = self.encoder(x).chunk(2, -1)
        return mu, logvar

    def decode(self, z: Tensor) -> Tensor:
        """The decoder's last linear layer (..., D) at z (..., L): any real numbers, as in `Autoencoder.decode`."""
        _expect_columns("z", z, self.latent_dim)
        return self.decoder(z)

    def sample(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """`decode` at n draws from the prior, (n, D): the parameters of p(x|z), not pictures."""
        device = next(self.parameters()).device
        return self.decode(torch.randn(n, self.latent_dim, generator=generator, device=device))


def _expect_columns(name: str, value: Tensor, columns: int) -> None:
    if value.dim() < 2 or value.shape[-1] != columns:
        hint = "; flatten images with x.flatten(1)" if value.dim() > 2 else ""
        raise ValueError(f"{name} must have shape (B, {columns}); got {tuple(value.shape)}{hint}")
