"""Pixels as a mixture of logistic distributions, cut into the 256 levels."""

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from vaelib import _guard
from vaelib.likelihoods._eight_bit import LEVEL, EightBitLikelihood, floored, levels, split


class LogisticMixtureLikelihood(EightBitLikelihood):
    """P(level) = sum over m of pi_m [F((k + 1/2 - mu_m) / s_m) - F((k - 1/2 - mu_m) / s_m)], F the logistic function.

    A distribution over the 256 levels of each pixel and channel, independent of the others: `log_prob` and `log_mass`
    are the same. params are M logits of pi, M means in units of x, M log-scales, D numbers each, in this order.

    Args:
        num_components: M.

    Raises:
        TypeError, ValueError: num_components is no whole number of at least 1.

    Source: Salimans et al. (2017), eq. 2, without their dependence between channels. Book: chapter 11.
    """

    def __init__(self, num_components: int):
        super().__init__()
        _guard.counts(1, num_components=num_components)
        self.params_per_dim = 3 * num_components

    def log_prob(self, x: Tensor, params: Tensor) -> Tensor:
        """The same as `log_mass`: nats, never positive, (...)."""
        return self.log_mass(x, params)

    def log_mass(self, x: Tensor, params: Tensor) -> Tensor:
        """log-probability, nats, (...), of 8-bit pictures x (..., D): uint8, or floats k / 255; params (..., 3 M D)."""
        log_pi, mu, log_scale = self._components(params, x)  # (..., M, D)
        level = levels(x, mu).unsqueeze(-2)
        mass = (log_pi + _log_mass(level, mu, log_scale)).logsumexp(-2)
        return mass.clamp(max=0).sum(-1)  # the pi may add up to more than one, by rounding

    def sample(self, params: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """8-bit pictures as floats k / 255, (..., D)."""
        log_pi, mu, log_scale = self._components(params)
        _guard.noise(generator, mu.device)
        _guard.finite(params=params)  # argmax takes NaN for a component like any other
        uniform = torch.rand((2, *mu.shape), generator=generator, dtype=mu.dtype, device=mu.device)
        chosen = (log_pi - (-uniform[0].log()).log()).argmax(-2, keepdim=True)  # Gumbel: m with probability pi_m
        noise = torch.logit(uniform[1].gather(-2, chosen))
        pixel = mu.gather(-2, chosen) + log_scale.gather(-2, chosen).exp() * noise
        return (255 * pixel.squeeze(-2)).round().clamp(0, 255) / 255

    def mean(self, params: Tensor) -> Tensor:
        """Mean pixels of the 256 levels, exact, (..., D): the sum over k of P(level >= k) / 255."""
        log_pi, mu, log_scale = self._components(params)
        pi, precision = log_pi.exp(), (-log_scale).exp()
        total = torch.zeros_like(mu[..., 0, :])
        for k in range(1, 256):
            total += (pi * torch.sigmoid((mu - (k - 0.5) * LEVEL) * precision)).sum(-2)
        return total / 255

    def _components(self, params, x=None):
        """log pi, mu and log s, (..., M, D) each. The scale is kept where its exponential is a number."""
        parts = split(params, self.params_per_dim, x).chunk(3, -2)
        return parts[0].log_softmax(-2), parts[1], floored(parts[2], 1e-4).clamp(max=30.0)


def _log_mass(level: Tensor, mu: Tensor, log_scale: Tensor) -> Tensor:
    """log(F(b) - F(a)) = log F(b) + log F(-a) + log(1 - exp(a - b)), where a - b is known and nothing cancels."""
    precision = (-log_scale).exp()
    middle, half = (LEVEL * level - mu) * precision, 0.5 * LEVEL * precision
    below_b, above_a = logsigmoid(middle + half), logsigmoid(half - middle)
    inside = below_b + above_a + torch.log(-torch.expm1(-2 * half))
    return torch.where(level == 0, below_b, torch.where(level == 255, above_a, inside))
