"""Gaussian pixels: one sigma for all of them, or one for each."""

import math

import torch
from torch import Tensor, nn
from torch.special import erfcx

from vaelib import _guard
from vaelib.distributions import LOG_2PI, normal_log_prob, reparameterize
from vaelib.likelihoods._eight_bit import LEVEL, EightBitLikelihood, floored, levels, split


class GaussianLikelihood(EightBitLikelihood):
    """log N(x; mu, sigma^2 I) with one sigma for all pixels, a parameter that is trained like any other.

    Assign it to the model, `model.likelihood = GaussianLikelihood()`, and hand it to the objective:
    `elbo_terms(model, x, model.likelihood)`. With `.requires_grad_(False)` sigma stays as it is.

    Args:
        logvar: log sigma^2 at the start; Adam moves it by about its learning rate a step.

    Raises:
        TypeError, ValueError: logvar is no finite number.

    Source: Rybkin et al. (2021). Book: chapter 7.
    """

    def __init__(self, logvar: float = 0.0):
        super().__init__()
        _guard.numbers(logvar=logvar)
        self.logvar = nn.Parameter(torch.tensor(float(logvar)))

    def log_prob(self, x: Tensor, params: Tensor) -> Tensor:
        """Nats, (...), for x (..., D) and the decoder's means params (..., D). A density, so it may be positive."""
        return normal_log_prob(x, split(params, 1, x).squeeze(-2), self.logvar)

    def log_mass(self, x: Tensor, params: Tensor) -> Tensor:
        """log-probability, nats, never positive, (...), of 8-bit x (..., D), uint8 or k / 255; means (..., D)."""
        mu = split(params, 1, x).squeeze(-2)
        return _log_mass(levels(x, mu), mu, self.logvar).sum(-1)

    def sample(self, params: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Pictures with their noise, shaped like params (..., D), mostly but not necessarily in [0, 1]."""
        _guard.floats(logvar=(self.logvar, "()"), params=(params, "(..., D)"))
        return reparameterize(self.mean(params), self.logvar, generator)

    def mean(self, params: Tensor) -> Tensor:
        """The means (..., D): params themselves."""
        return split(params, 1).squeeze(-2)


class PixelGaussianLikelihood(EightBitLikelihood):
    """log N(x; mu, diag(sigma^2)) with a sigma for every pixel, which the decoder gives: params are mu, then logvar.

    Without a floor there is no best answer: a pixel that is the same in all pictures sends its sigma to zero and the
    density to infinity. The floor is noise that every pixel has, sigma^2 = exp(logvar) + floor^2.

    Args:
        floor: the smallest sigma, in units of x; a level of 8 bits by default, 0 for none.

    Raises:
        TypeError, ValueError: floor is no finite number of at least 0.

    Source: Kingma & Welling (2014), appendix C.2; the floor is ours. Book: chapter 11.
    """

    params_per_dim = 2

    def __init__(self, floor: float = LEVEL):
        super().__init__()
        _guard.numbers(floor=floor)
        if floor < 0:
            raise ValueError(f"floor must be at least 0; got {floor}")
        self.floor = floor

    def log_prob(self, x: Tensor, params: Tensor) -> Tensor:
        """Nats, (...), for x (..., D) and params (..., 2 D). A density, so it may be positive."""
        return normal_log_prob(x, *self._mu_logvar(params, x))

    def log_mass(self, x: Tensor, params: Tensor) -> Tensor:
        """log-probability, nats, never positive, (...), of 8-bit x (..., D), uint8 or k / 255; params (..., 2 D)."""
        mu, logvar = self._mu_logvar(params, x)
        return _log_mass(levels(x, mu), mu, logvar).sum(-1)

    def sample(self, params: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Pictures with their noise, (..., D), from params (..., 2 D)."""
        return reparameterize(*self._mu_logvar(params), generator)

    def mean(self, params: Tensor) -> Tensor:
        """The means (..., D), the first half of params (..., 2 D)."""
        return self._mu_logvar(params)[0]

    def _mu_logvar(self, params, x=None):
        mu, logvar = split(params, 2, x).unbind(-2)
        return mu, floored(logvar, self.floor**2)


def _log_mass(level: Tensor, mu: Tensor, logvar: Tensor) -> Tensor:
    """log of a Gaussian's mass in the bins of levels 0..255; (-inf, 0.5] and [254.5, inf) for the two at the ends."""
    log_width = math.log(LEVEL) - 0.5 * logvar  # of a bin, in sigmas, as is everything below
    width = log_width.exp()
    middle = ((level - 255 * mu) * width).clamp(-1e15, 1e15) + 0 * mu  # its square must not overflow; inf stays loud
    narrow = width * middle.abs().clamp(min=1) < 0.5  # the density hardly changes: two distribution functions cancel
    inside = torch.where(narrow, *_two_ranges(narrow, log_width, width, middle))
    upper_end = torch.where(level == 255, _log_cdf(width / 2 - middle), inside)
    return torch.where(level == 0, _log_cdf(middle + width / 2), upper_end)


def _two_ranges(narrow: Tensor, log_width: Tensor, width: Tensor, middle: Tensor) -> tuple[Tensor, Tensor]:
    """Both formulas, each with harmless values where the other one holds: no gradient of inf or NaN."""
    series = _narrow(torch.where(narrow, width, 0.1) ** 2, torch.where(narrow, middle, 0.0) ** 2)
    return series + log_width, _wide(torch.where(narrow, 1.0, width), torch.where(narrow, 1.0, middle))


def _narrow(w: Tensor, m: Tensor) -> Tensor:
    """log of the mean density over a bin, by the Taylor series of the integral, of squared width w and middle m."""
    bend = w * (m - 1) / 24 + w**2 * (m**2 - 6 * m + 3) / 1920 + w**3 * (m**3 - 15 * m**2 + 45 * m - 15) / 322_560
    return torch.log1p(bend) - 0.5 * (m + LOG_2PI)


def _wide(width: Tensor, middle: Tensor) -> Tensor:
    """log(Phi(b) - Phi(a)) = log Phi(b) + log(1 - Phi(a) / Phi(b)), in the lower tail, where Phi keeps its digits."""
    middle = -middle.abs()
    upper = _log_cdf(middle + width / 2)
    log_ratio = torch.maximum(upper - _log_cdf(middle - width / 2), -middle * width)  # the bound is the limit far out
    return upper + torch.log(-torch.expm1(-log_ratio))


def _log_cdf(x: Tensor) -> Tensor:
    """log Phi(x). The slope of torch's log_ndtr is lost below -1e4 (inf, 0 or 0.4 where it is -x)."""
    below = x < 0
    tail, rest = torch.where(below, -x, 0.0) / math.sqrt(2), torch.where(below, 0.0, x) / math.sqrt(2)
    return torch.where(below, torch.log(erfcx(tail) / 2) - tail**2, torch.log1p(-torch.erfc(rest) / 2))
