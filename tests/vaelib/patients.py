"""VAEs that are broken in one way each, as people break them, and healthy ones: small, trained for a second or two.

A row is a fault as `vaelib.doctor` should name it first, and what differs from a sound VAE: the loss, the draw, the
network or the pictures. `TUNED` were in sight while the doctor was written; `BLIND` were written down before it was
tried on any of them, and examined once.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from vaelib.data import load

L, STEPS = 8, 400


@cache
def digits():
    """Offline digits of 8 x 8 pixels, grey: for training and held out."""
    images = load("digits8")
    return tuple(part.flatten(1).float() / 255 for part in (images.train_images, images.test_images))


def grey():
    return digits()


def binary():
    return tuple((x > 0.5).float() for x in digits())


def signed():
    return tuple(2 * x - 1 for x in digits())


class Net(nn.Module):
    """An MLP whose decoder ends in `last`, whose heads end in `heads`."""

    def __init__(self, last=None, heads=(None, None), width=64, latents=L, norm=False, drop=0.0, out=64):
        super().__init__()
        middle = [nn.Linear(64, width), nn.ReLU()]
        middle += [nn.BatchNorm1d(width, momentum=norm)] if norm else []
        middle += [nn.Dropout(drop)] if drop else []
        self.body = nn.Sequential(*middle)
        self.mu = nn.Sequential(nn.Linear(width, latents), *[part for part in heads[:1] if part])
        self.second = nn.Sequential(nn.Linear(width, latents), *[part for part in heads[1:] if part])
        self.out = nn.Sequential(nn.Linear(latents, width), nn.ReLU(), nn.Linear(width, out), *([last] if last else []))

    def encode(self, x):
        h = self.body(x)
        return self.mu(h), self.second(h)

    def decode(self, z):
        return self.out(z)


def honest_draw(mu, logvar):
    return mu + (logvar / 2).exp() * torch.randn_like(mu)


def kl(mu, logvar):
    """By latent, (B, L)."""
    return -0.5 * (1 + logvar - mu**2 - logvar.exp())


def bce(y, x):
    return F.binary_cross_entropy(y, x, reduction="none").sum(1)


def logits(y, x):
    return F.binary_cross_entropy_with_logits(y, x, reduction="none").sum(1)


def sound(x, y, mu, s):
    return (logits(y, x) + kl(mu, s).sum(1)).mean()


def sse(x, y, mu, s):
    return ((x - y) ** 2).sum(1).mean() / (2 * 0.15**2) + kl(mu, s).sum(1).mean()


@dataclass
class Case:
    """What differs from a sound VAE; `faults` are the names that may come first, none for a healthy one."""

    faults: tuple[str, ...] = ()
    loss: Callable[..., Any] = sound
    draw: Callable[..., Any] = honest_draw
    net: Callable[[], nn.Module] = Net
    data: Callable[[], tuple] = binary
    steps: int = STEPS
    lr: float = 2e-3
    pictures: int | None = None
    told: dict[str, Any] = field(default_factory=dict)
    after: Callable[[nn.Module], None] | None = None

    def examined(self, seed=0):
        """What `examine` takes, of the network after its training."""
        torch.manual_seed(seed)
        train, held_out = self.data()
        train, net = train[: self.pictures], self.net()
        adam, history = torch.optim.Adam(net.parameters(), lr=self.lr), []
        for _ in range(self.steps):
            x = train[torch.randint(len(train), (100,))]
            mu, s = net.encode(x)
            value = self.loss(x, net.decode(self.draw(mu, s)), mu, s)
            adam.zero_grad()
            value.backward()
            adam.step()
            history.append(value.item())
        if self.after:
            self.after(net)
        found = {"encode": net.encode, "draw": self.draw, "decode": net.decode, "loss": self.loss, "module": net}
        found |= {"train": train, "held_out": held_out, "history": history[:: max(1, self.steps // 20)]}
        return found | self.told


def once(mu, s):
    return mu + (s / 2).exp() * torch.randn(mu.shape[1])


@torch.no_grad()
def cut(mu, s):
    return honest_draw(mu, s)


TUNED = {
    "cross-entropy averaged over pixels, KL summed": Case(
        ("hidden beta",),
        lambda x, y, m, s: F.binary_cross_entropy_with_logits(y, x) + kl(m, s).sum(1).mean()),
    "KL averaged over latents": Case(("hidden beta",), lambda x, y, m, s: (logits(y, x) + kl(m, s).mean(1)).mean()),
    "KL subtracted": Case(
        ("wrong sign",), lambda x, y, m, s: (logits(y, x) - kl(m, s).sum(1)).mean(), steps=60),
    "no KL": Case(("no KL in the loss",), lambda x, y, m, s: logits(y, x).mean()),
    "exp(logvar) as the standard deviation": Case(
        ("spread by the wrong formula",), draw=lambda m, s: m + s.exp() * torch.randn_like(m)),
    "noise scaled by 0.01": Case(
        ("noise that is not N(0, 1)",), draw=lambda m, s: m + 0.01 * (s / 2).exp() * torch.randn_like(m)),
    "the mean as the code": Case(("mean instead of a draw",), draw=lambda m, s: m),
    "one noise for the batch": Case(("shared noise",), draw=once),
    "sigmoid before a loss of logits": Case(("bounded logits",), net=lambda: Net(last=nn.Sigmoid())),
    "ReLU on the log-variance": Case(
        ("activation on a head",), net=lambda: Net(heads=(None, nn.ReLU()))),
    "sixty-four pictures, for long": Case(("memorising",), pictures=64, steps=2500),
    "grey pixels as coins": Case(("grey under a Bernoulli",), data=grey),
}  # fmt: skip


def stale(net):
    """Running statistics that were never made: momentum 0."""
    for part in net.modules():
        if isinstance(part, nn.BatchNorm1d):
            part.running_mean.zero_()
            part.running_var.fill_(1e-2)


class OneHead(Net):
    def encode(self, x):
        h = self.body(x)
        return self.mu(h), self.mu(h)


class Deaf(Net):
    def decode(self, z):
        return self.out(0 * z)


def reverse(m, s):
    """KL(p || q) by latent."""
    return 0.5 * (s + (1 + m**2) / s.exp() - 1)


BLIND = {
    "cross-entropy and KL both averaged": Case(
        ("hidden beta",), lambda x, y, m, s: F.binary_cross_entropy_with_logits(y, x) + kl(m, s).mean()),
    "squared error averaged over pixels": Case(
        ("hidden beta",), lambda x, y, m, s: F.mse_loss(y, x) + kl(m, s).sum(1).mean(), data=grey),
    "KL summed over the batch, error averaged": Case(
        ("beta that depends on the batch",), lambda x, y, m, s: logits(y, x).mean() + kl(m, s).sum()),
    "uniform noise": Case(
        ("noise that is not N(0, 1)",), draw=lambda m, s: m + (s / 2).exp() * torch.rand_like(m)),
    "the code cut from the graph": Case(("no gradient through the draw",), draw=cut),
    "the sign of logvar in the KL": Case(
        ("KL that is none",),
        lambda x, y, m, s: (logits(y, x) - 0.5 * (1 - s - m**2 - s.exp()).sum(1)).mean(), steps=300),
    "mu squared forgotten": Case(
        ("KL that is none",), lambda x, y, m, s: (logits(y, x) - 0.5 * (1 + s - s.exp()).sum(1)).mean()),
    "KL the wrong way round": Case(
        ("KL the wrong way round",), lambda x, y, m, s: (logits(y, x) + reverse(m, s).sum(1)).mean()),
    "tanh against pictures in [0, 1]": Case(
        ("outputs beyond the pictures",), sse, net=lambda: Net(last=nn.Tanh()), data=grey),
    "sigmoid against pictures in [-1, 1]": Case(
        ("outputs that cannot reach the pictures",), sse, net=lambda: Net(last=nn.Sigmoid()), data=signed),
    "one layer for both heads": Case(("one head for both",), net=OneHead),
    "statistics of batch normalisation that are stale": Case(
        ("eval() is another model",), net=lambda: Net(norm=0.1), after=stale),
    "learning rate of 3": Case(("NaN", "exploding log-variance"), lr=3.0, steps=200),
    "a KL without its half, beta 1 meant": Case(
        ("another beta than meant",),
        lambda x, y, m, s: (logits(y, x) + 2 * kl(m, s).sum(1)).mean(), told={"beta": 1.0}),
    "a decoder that does not read": Case(("posterior collapse", "code that is not read"), net=Deaf),
    "tanh on the means": Case(("activation on a head",), net=lambda: Net(heads=(nn.Tanh(), None))),
    "a weight of 0.001 on the KL": Case(
        ("crowd that misses its prior",),
        lambda x, y, m, s: (logits(y, x) + 0.001 * kl(m, s).sum(1)).mean(), steps=1500),
}  # fmt: skip


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


class Learned(Net):
    """A Gaussian whose sigma is a parameter, as in sigma-VAEs."""

    def __init__(self):
        super().__init__(last=nn.Sigmoid())
        self.log_sigma = nn.Parameter(torch.zeros(()))


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
    "absolute error": Case(
        loss=lambda x, y, m, s: (x - y).abs().sum(1).mean() / 0.1 + kl(m, s).sum(1).mean(), data=grey),
}  # fmt: skip
