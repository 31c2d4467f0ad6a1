"""What patients are made of: pictures, networks, draws, losses, and the training of a second or two."""

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


def enlarged(x):
    """24 x 24 pixels, each of the 8 x 8 nine times."""
    return x.reshape(-1, 8, 1, 8, 1).expand(-1, 8, 3, 8, 3).reshape(-1, 576)


def signed():
    return tuple(2 * x - 1 for x in digits())


class Net(nn.Module):
    """An MLP whose decoder ends in `last`, whose heads end in `heads`."""

    def __init__(self, last=None, heads=(None, None), width=64, latents=L, norm=False, drop=0.0, out=None, size=64):
        super().__init__()
        middle = [nn.Linear(size, width), nn.ReLU()]
        middle += [nn.BatchNorm1d(width, momentum=norm)] if norm else []
        middle += [nn.Dropout(drop)] if drop else []
        self.body = nn.Sequential(*middle)
        self.mu = nn.Sequential(nn.Linear(width, latents), *[part for part in heads[:1] if part])
        self.second = nn.Sequential(nn.Linear(width, latents), *[part for part in heads[1:] if part])
        self.out = nn.Sequential(
            nn.Linear(latents, width), nn.ReLU(), nn.Linear(width, out or size), *([last] if last else [])
        )

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


def same(y):
    return y


@dataclass
class Case:
    """What differs from a sound VAE; `faults` are the names that may come first, none for a healthy one.

    A network with a `loss` or a `prior` of its own is trained with, and examined by, these.
    """

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
    learns: Callable[[nn.Module], nn.Module] = lambda net: net
    shown: Callable[..., Any] = torch.sigmoid  # what the decoder gives, as a picture

    def examined(self, seed=0, look=None):
        """What `examine` takes, after the training; `look` sees (loss, mu, second) twenty times on the way."""
        torch.manual_seed(seed)
        train, held_out = self.data()
        train, net = train[: self.pictures], self.net()
        loss, history = getattr(net, "loss", self.loss), []
        adam = torch.optim.Adam(self.learns(net).parameters(), lr=self.lr)
        every = max(1, self.steps // 20)
        for step in range(self.steps):
            x = train[torch.randint(len(train), (100,))]
            mu, s = net.encode(x)
            value = loss(x, net.decode(self.draw(mu, s)), mu, s)
            adam.zero_grad()
            value.backward()
            adam.step()
            history.append(value.item())
            if look is not None and step % every == every - 1:
                look(value.item(), mu, s)
        if self.after:
            self.after(net)
        found = {"encode": net.encode, "draw": self.draw, "decode": net.decode, "loss": loss, "module": net}
        found |= {"train": train, "held_out": held_out, "history": history[::every]}
        return found | self.told | ({"prior": net.prior} if hasattr(net, "prior") else {})
