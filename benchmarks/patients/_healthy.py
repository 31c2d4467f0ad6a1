"""VAEs of many kinds in which nothing is wrong."""

import torch
import torch.nn.functional as F
from torch import nn

from benchmarks.patients._parts import Case, L, Net, binary, enlarged, grey, honest_draw, kl, logits, signed, sse
from vaelib.distributions import LOG_2PI, normal_log_prob
from vaelib.likelihoods import ContinuousBernoulliLikelihood, LogisticMixtureLikelihood, PixelGaussianLikelihood
from vaelib.priors import MixturePrior


class Conv(nn.Module):
    """Pictures (B, 1, 8, 8), a convolution down and one up."""

    def __init__(self):
        super().__init__()
        self.down = nn.Sequential(nn.Conv2d(1, 16, 4, 2, 1), nn.ReLU(), nn.Flatten(), nn.Linear(256, 2 * L))
        self.up = nn.Sequential(
            nn.Linear(L, 256), nn.ReLU(), nn.Unflatten(1, (16, 4, 4)), nn.ConvTranspose2d(16, 1, 4, 2, 1)
        )

    def encode(self, x):
        return self.down(x).chunk(2, 1)

    def decode(self, z):
        return self.up(z)


def images():
    return tuple(x.unflatten(1, (1, 8, 8)) for x in binary())


class LearnedSigma(Net):
    """A Gaussian whose sigma is a parameter, as in sigma-VAEs."""

    def __init__(self):
        super().__init__(last=nn.Sigmoid())
        self.log_sigma = nn.Parameter(torch.zeros(()))

    def loss(self, x, y, m, s):
        error = (x - y).square().sum(1) / (2 * (2 * self.log_sigma).exp()) + 64 * self.log_sigma
        return (error + kl(m, s).sum(1)).mean()


class Mixed(Net):
    """A mixture of Gaussians as the prior, learned beside the rest; its KL is that of a draw."""

    def __init__(self):
        super().__init__()
        self.prior = MixturePrior(L, 10)

    def loss(self, x, y, m, s):
        z = honest_draw(m, s)
        log_q = -((z - m).square() / s.exp() + s + LOG_2PI).sum(1) / 2
        return (logits(y, x) + log_q - self.prior.log_prob(z)).mean()


class Around(nn.Module):
    """N(centre, v I), both learned."""

    def __init__(self):
        super().__init__()
        self.centre, self.logvar = nn.Parameter(torch.ones(L)), nn.Parameter(torch.ones(()))

    def log_prob(self, z):
        return normal_log_prob(z, self.centre, self.logvar)


class Moved(Net):
    """Such a Gaussian as the prior, learned beside the rest, with its KL in closed form."""

    def __init__(self):
        super().__init__()
        self.prior = Around()

    def loss(self, x, y, m, s):
        away = ((m - self.prior.centre).square() + s.exp()) / self.prior.logvar.exp()
        return (logits(y, x) + 0.5 * (away + self.prior.logvar - s - 1).sum(1)).mean()


def of(likelihood):
    """The negative ELBO of a likelihood of the library, which may take several numbers a pixel."""
    return lambda x, y, m, s: (kl(m, s).sum(1) - likelihood(x, y)).mean()


def double():
    return tuple(x.double() for x in binary())


class Half(Net):
    """bfloat16 inside, float32 outside."""

    def encode(self, x):
        with torch.autocast("cpu", torch.bfloat16):
            mu, s = super().encode(x)
        return mu.float(), s.float()

    def decode(self, z):
        with torch.autocast("cpu", torch.bfloat16):
            return super().decode(z).float()


def fitted_sigma(x, y, m, s):
    """Rybkin et al.: the sigma that is best for the batch."""
    error = (x - y).square()
    return 32 * error.mean().log() + kl(m, s).sum(1).mean()


def by_std(x, y, m, s):
    std = F.softplus(s)
    return (logits(y, x) + 0.5 * (m**2 + std**2 - 1 - 2 * std.log()).sum(1)).mean()


def drawn_kl(x, y, m, s):
    z = honest_draw(m, s)
    log_q = -((z - m).square() / s.exp() + s).sum(1) / 2
    return (logits(y, x) + log_q + z.square().sum(1) / 2).mean()


HEALTHY = {
    "Bernoulli, logits": Case(),
    "Bernoulli, probabilities, sums": Case(
        loss=lambda x, y, m, s: F.binary_cross_entropy(y, x, reduction="sum") + kl(m, s).sum(),
        net=lambda: Net(last=nn.Sigmoid())),
    "Gaussian, sigma 0.15": Case(loss=sse, data=grey),
    "Gaussian, fitted sigma, tanh": Case(loss=fitted_sigma, net=lambda: Net(last=nn.Tanh()), data=signed),
    "squared error plus KL": Case(
        loss=lambda x, y, m, s: ((x - y) ** 2).sum(1).mean() + 0.05 * kl(m, s).sum(1).mean(), data=grey),
    "convolutional": Case(
        loss=lambda x, y, m, s: (logits(y.flatten(1), x.flatten(1)) + kl(m, s).sum(1)).mean(), net=Conv, data=images),
    "an intended beta of 2": Case(loss=lambda x, y, m, s: (logits(y, x) + 2 * kl(m, s).sum(1)).mean()),
    "softplus for the standard deviation": Case(
        loss=by_std, draw=lambda m, s: m + F.softplus(s) * torch.randn_like(m)),
    "far too many latents": Case(net=lambda: Net(latents=40)),
    "two latents, narrow": Case(net=lambda: Net(latents=2, width=32)),
    "dropout and batch normalisation": Case(net=lambda: Net(norm=0.1, drop=0.1)),
    "half precision": Case(net=Half),
    "double precision": Case(net=lambda: Net().double(), data=double),
    "wide": Case(net=lambda: Net(width=512)),
    "Gaussian, sigma a parameter": Case(net=LearnedSigma, data=grey, steps=800),
    "Gaussian, a sigma for each pixel": Case(
        loss=of(PixelGaussianLikelihood(0.05)), net=lambda: Net(out=128), data=grey),
    "logistic, cut into levels": Case(
        loss=of(LogisticMixtureLikelihood(1)), net=lambda: Net(out=192), data=grey, steps=800),
    "continuous Bernoulli": Case(loss=of(ContinuousBernoulliLikelihood()), data=grey),
    "a mixture as the prior, learned": Case(net=Mixed, steps=800),
    "a Gaussian prior, learned": Case(net=Moved),
    "a KL from the draw, not read": Case(loss=drawn_kl),
    "nine times as many pixels": Case(net=lambda: Net(size=576), data=lambda: tuple(map(enlarged, binary()))),
    "absolute error": Case(
        loss=lambda x, y, m, s: (x - y).abs().sum(1).mean() / 0.1 + kl(m, s).sum(1).mean(), data=grey),
}  # fmt: skip
