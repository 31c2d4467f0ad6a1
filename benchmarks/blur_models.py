"""The networks of the blur's benchmark: one VAE, with a last layer and a likelihood for every kind of noise."""

import torch
from torch import Tensor, nn

from vaelib import likelihoods as lk
from vaelib.distributions import LOG_2PI
from vaelib.models import VAE, conv_vae

SIZE, WIDTHS = 32, (16, 32, 64)


class ScaleGaussian(nn.Module):
    """log N(x; y, S) with one variance for each ring of spatial frequencies: noise that knows its neighbours."""

    params_per_dim = 1

    def __init__(self, size: int = SIZE, logvar: float = -6.0):
        super().__init__()
        cycles = torch.fft.fftfreq(size, 1 / size)
        self.ring = (torch.hypot(cycles, cycles[:, None]) + 0.5).floor().long()  # (H, H)
        self.logvar = nn.Parameter(torch.full((int(self.ring.max()) + 1,), logvar))

    def forward(self, x: Tensor, params: Tensor) -> Tensor:
        """Nats, (B,); the transform is orthonormal, so no volume changes."""
        pictures = (x - params).unflatten(-1, (3, *self.ring.shape))
        power = torch.fft.fft2(pictures, norm="ortho").abs().square()
        logvar = self.logvar[self.ring]
        return -0.5 * (LOG_2PI + logvar + power / logvar.exp()).flatten(-3).sum(-1)

    def mean(self, params: Tensor) -> Tensor:
        """The means themselves."""
        return params


LIKELIHOODS = {
    "one": lambda: lk.GaussianLikelihood(0.0).requires_grad_(False),
    "shared": lambda: lk.GaussianLikelihood(-6.0),
    "pixel": lk.PixelGaussianLikelihood,
    "scale": ScaleGaussian,
    "continuous": lk.ContinuousBernoulliLikelihood,
    "logistic": lambda: lk.LogisticMixtureLikelihood(3),
    "bernoulli": lk.BernoulliLikelihood,
}


def build(latent_dim: int, sigma: str) -> VAE:
    """The network, its last layer as wide as the likelihood wants it, and the likelihood as `model.likelihood`."""
    model, likelihood = conv_vae(latent_dim, WIDTHS, size=SIZE), LIKELIHOODS[sigma]()
    groups = likelihood.params_per_dim
    last = nn.ConvTranspose2d(WIDTHS[0], 3 * groups, 4, stride=2, padding=1)
    nn.init.normal_(last.weight, std=0.1)
    starts = {"pixel": [0.5, -4.0], "logistic": [0.0] * 3 + [0.2, 0.5, 0.8] + [-2.0] * 3}
    start = torch.tensor(starts.get(sigma, [0.0 if "bernoulli" in sigma or sigma == "continuous" else 0.5]))
    last.bias.data = start.repeat_interleave(3)
    model.decoder[-2] = last
    model.likelihood = likelihood
    return model.to(memory_format=torch.channels_last)
