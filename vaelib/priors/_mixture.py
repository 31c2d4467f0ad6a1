"""Mixtures: of Gaussians that are free, and of the encoder's own clouds."""

import math
from collections.abc import Callable
from typing import Self

import torch
from torch import Tensor, nn

from vaelib import _guard
from vaelib.distributions import LOG_2PI, normal_log_prob, reparameterize
from vaelib.objectives import _encoded
from vaelib.priors._shared import as_codes, many_codes, standard_noise


class MixturePrior(nn.Module):
    """r(z) = sum of pi_k N(z; mu_k, Sigma_k), all of it trained.

    Sigma_k is held as a triangular A_k with Sigma_k^-1 = A_k^T A_k, so that nothing is inverted and every value of the
    parameters is a covariance.

    Args:
        latent_dim: L.
        num_components: K.
        full: whether the covariances are full; else diagonal.

    Raises:
        TypeError: a number is no whole number, or full neither True nor False.
        ValueError: latent_dim or num_components below 1.

    Source: Bishop (2006), section 9.2. Book: chapter 9.
    """

    def __init__(self, latent_dim: int, num_components: int, full: bool = True):
        super().__init__()
        _guard.counts(1, latent_dim=latent_dim, num_components=num_components)
        _guard.flags(full=full)
        K, L = num_components, latent_dim
        self.logits = nn.Parameter(torch.zeros(K))
        self.means = nn.Parameter(torch.randn(K, L))
        self.log_scale = nn.Parameter(torch.zeros(K, L))  # minus the logarithm of A's diagonal
        self.lower = nn.Parameter(torch.zeros(K, L, L)) if full else None  # A below the diagonal

    @torch.no_grad()
    def start(self, codes: Tensor, generator: torch.Generator | None = None) -> Self:
        """Before training: the means at random codes of (N, L), and spreads with which K balls fill the codes' volume.

        From components that are all as wide as the crowd, training finds the way apart late or never.

        Raises:
            ValueError: fewer codes than components, not finite, or all the same in some dimension.
        """
        codes = many_codes(codes, self.means)
        _guard.noise(generator, codes.device)
        if len(codes) < len(self.means):
            raise ValueError(f"codes must be at least as many as components, {len(self.means)}; got {len(codes)}")
        spread = codes.std(0, correction=int(len(codes) > 1))
        if not _guard.holds((codes != codes[0]).any(0).all()):  # the spread of equal numbers may be rounded above 0
            raise ValueError(f"codes must vary in every dimension; got {len(codes)} codes that do not")
        self.means.copy_(codes[torch.randperm(len(codes), generator=generator, device=codes.device)[: len(self.means)]])
        K, L = self.means.shape
        self.log_scale.copy_((spread.log() - math.log(K) / L).expand_as(self.log_scale))
        return self

    def log_prob(self, z: Tensor) -> Tensor:
        """log-density of z (..., L): (...), nats."""
        factor, z = self._factor(), as_codes(z, self.means)
        white = (z @ factor.flatten(0, 1).T).unflatten(-1, self.means.shape)  # A_k z, (..., K, L), in one product
        white = white - (factor @ self.means.unsqueeze(-1)).squeeze(-1)
        squares = white.square().sum(-1) + 2 * self.log_scale.sum(-1)
        return (self.logits.log_softmax(0) - 0.5 * (squares + z.shape[-1] * LOG_2PI)).logsumexp(-1)

    def sample(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """n codes, (n, L)."""
        eps = standard_noise(n, self.means, generator)
        k = self.logits.softmax(0).multinomial(n, replacement=True, generator=generator)
        spread = torch.linalg.solve_triangular(self._factor()[k], eps.unsqueeze(-1), upper=False)
        return self.means[k] + spread.squeeze(-1)

    def _factor(self) -> Tensor:
        """A_k, (K, L, L), lower triangular with a positive diagonal."""
        diagonal = torch.diag_embed((-self.log_scale).exp())
        return diagonal if self.lower is None else diagonal + self.lower.tril(-1)


class VampPrior(nn.Module):
    """r(z) = the mean of q(z|u_k) over K pseudo-inputs u_k, pictures that are trained.

    The encoder is only used. It stays as it is while the prior is trained on codes, since its weights are not among
    `parameters()`; in an ELBO with `prior=`, gradients reach it through here as well.

    Args:
        encode: function from pictures (K, D) to mu and logvar, (K, L) each, such as `model.encode`.
        pseudo_inputs: the pictures to begin with, (K, D), such as K training examples; a copy is trained.

    Raises:
        TypeError, ValueError: encode is no function, or does not return mu and logvar; pseudo_inputs are not (K, D)
            floats.

    Source: Tomczak & Welling (2018). Book: chapter 9.
    """

    def __init__(self, encode: Callable[[Tensor], tuple[Tensor, Tensor]], pseudo_inputs: Tensor):
        super().__init__()
        _guard.functions(encode=encode)
        _guard.floats(pseudo_inputs=(pseudo_inputs, "(K, D)"))
        _guard.nonempty(pseudo_inputs=pseudo_inputs)
        self._encode = (encode,)  # a module would be registered in a plain attribute, trained and stored
        self.pseudo_inputs = nn.Parameter(pseudo_inputs.detach().clone())

    def log_prob(self, z: Tensor) -> Tensor:
        """log-density of z (..., L): (...), nats."""
        mu, logvar = self._clouds()
        z = as_codes(z, mu).unsqueeze(-2)  # beside every component
        return normal_log_prob(z, mu, logvar).logsumexp(-1) - math.log(len(mu))

    def sample(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """n codes, (n, L): each from the cloud of a random pseudo-input."""
        _guard.counts(1, n=n)
        mu, logvar = self._clouds()
        _guard.noise(generator, mu.device)
        k = torch.randint(len(mu), (n,), generator=generator, device=mu.device)
        return reparameterize(mu[k], logvar[k], generator)

    def _clouds(self) -> tuple[Tensor, Tensor]:
        """mu and logvar of the pseudo-inputs, (K, L) each."""
        return _encoded(self._encode[0](self.pseudo_inputs), self.pseudo_inputs)
