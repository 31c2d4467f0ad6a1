"""The model as the experiments see it: its functions, the pictures, and what was measured once for all of them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from vaelib.distributions import LOG_2PI
from vaelib.doctor._aside import mode
from vaelib.doctor._loss import Reading, read
from vaelib.doctor._noise import Draws, watch
from vaelib.doctor._spread import FREE, STD, kl_each
from vaelib.objectives import Prior

MOST = 1000  # pictures
BATCH = 250
LIKELIHOODS = ("Gaussian", "Bernoulli", "Laplace")
DRAWS = 16  # for the KL to a prior that has no closed form


class NotExamined(Exception):
    """Why an experiment has nothing to look at."""


@dataclass
class Ward:
    """One patient. `train` and `held_out` are at most `MOST` pictures each; a function that was not given is None."""

    encode: Callable[..., Any]
    draw: Callable[..., Any] | None
    decode: Callable[..., Any] | None
    loss: Callable[..., Any] | None
    train: Tensor
    held_out: Tensor | None
    module: nn.Module | None
    beta: float | None
    prior: Prior | None = None
    batched: bool = True  # as long as the loss of single examples can be
    numbers: dict[str, float] = field(default_factory=dict)
    curves: dict[str, list[float]] = field(default_factory=dict)
    refused: dict[str, Exception] = field(default_factory=dict)  # by the function that raised it
    turned: bool = False  # whether the loss makes sense with its first two arguments exchanged only

    @property
    def x(self) -> Tensor:
        """The pictures on which numbers are measured: held out where there are such."""
        return self.train if self.held_out is None else self.held_out

    def encoded(self, x: Tensor) -> tuple[Tensor, Tensor]:
        rows = [self.encode(part)[:2] for part in x.split(BATCH)]
        return torch.cat([mu for mu, _ in rows]), torch.cat([second for _, second in rows])

    def decoded(self, z: Tensor) -> Tensor:
        assert self.decode is not None
        return torch.cat([self.decode(part) for part in z.split(BATCH)])

    @cached_property
    def codes(self) -> tuple[Tensor, Tensor]:
        """mu and the second output for `x`, (N, L) each."""
        return self.encoded(self.x)

    @cached_property
    def output(self) -> Tensor:
        """Reconstructions of a few pictures, for their shape."""
        assert self.decode is not None
        return self.decode(self.codes[0][:8])

    @cached_property
    def reading(self) -> Reading | None:
        if self.loss is None or self.decode is None:
            return None
        try:
            found = self._read(self.loss)
        except Exception as error:  # any: the function is not ours, and others are looked at without it
            self.refused["loss"] = error
            return None
        return found if found.kind in LIKELIHOODS or found.c_rec == 0 else self._read_turned(self.loss) or found

    def _read(self, loss: Callable[..., Any]) -> Reading:
        return read(loss, self.x.shape[1:], self.output.shape[1:], self.latent_dim, self.x)

    def _read_turned(self, loss: Callable[..., Any]) -> Reading | None:
        """The loss with the reconstruction first, where it makes sense so; from then on it is the loss."""
        if self.output.shape[1:] != self.x.shape[1:]:
            return None
        try:
            found = self._read(other := lambda x, y, mu, second: loss(y, x, mu, second))
        except Exception:  # not made for that
            return None
        if found.kind not in LIKELIHOODS:
            return None
        self.turned, self.loss = True, other
        return found

    @cached_property
    def draws(self) -> Draws | None:
        if self.draw is None:
            return None
        mu = self.codes[0]
        try:
            with mode(self.module, True):  # many draws are means in eval()
                return watch(self.draw, mu)
        except Exception as error:
            self.refused["draw"] = error
            return None

    @property
    def latent_dim(self) -> int:
        return self.codes[0].shape[1]

    @property
    def data_dim(self) -> int:
        return self.x[0].numel()

    @cached_property
    def convention(self) -> str:
        """What the second output is, by the loss, else by the draw, else the usual."""
        by_loss = None if self.reading is None else self.reading.second
        return by_loss or (self.draws.second if self.draws and self.draws.second else "log-variance")

    def std(self, second: Tensor) -> Tensor:
        return STD[self.convention](second)

    @cached_property
    def nat(self) -> float | None:
        """What a nat of KL costs in a loss whose error is none that is known: there the loss is its own ruler."""
        loss = self.reading
        if loss is None or self.loss is None or loss.c_rec is not None or not (loss.c_kl and loss.c_kl > 0):
            return None
        try:
            return read(self.loss, self.x.shape[1:], self.output.shape[1:], self.latent_dim, self.x, B=1).c_kl
        except Exception:  # whatever a stranger's loss says about a batch of one
            return None

    @property
    def measures(self) -> bool:
        """Whether the error of an example can be had in nats."""
        known = self.loss is None if self.reading is None else self.reading.c_rec is not None
        return bool(self.nat) or (known and self.output[0].numel() == self.data_dim)

    def must_measure(self) -> None:
        """Where it cannot, say why."""
        if not self.measures:
            why = "could not be called" if "loss" in self.refused else "has a likelihood that is none that is known"
            raise NotExamined(f"the loss {why}")

    @property
    def kind(self) -> str:
        """Of the likelihood by which numbers are compared; "Gaussian" with the best sigma where the loss tells none."""
        if self.nat:
            return "its own"
        known = self.reading.kind if self.reading is not None else None
        return known if known in LIKELIHOODS else "Gaussian"

    @property
    def logits(self) -> bool:
        return self.reading is not None and self.reading.error == "cross-entropy of logits"

    def sampled(self, mu: Tensor, second: Tensor) -> Tensor:
        """An honest draw: mu + std * eps."""
        return mu + self.std(second) * torch.randn_like(mu)

    def error(self, x: Tensor, y: Tensor, scale: float | None = None) -> Tensor:
        """-log p(x|z) of each example, nats; a Gaussian's sigma and a Laplace's width are the best ones for all."""
        if self.nat:
            return self._by_the_loss(x, y)
        x, y = x.flatten(1), y.flatten(1)
        if x.shape != y.shape:
            return torch.full((len(x),), torch.nan)
        if self.kind == "Bernoulli":
            return bernoulli(x, y, self.logits)
        return spread_error(x, y, self.kind, scale)

    def _by_the_loss(self, x: Tensor, y: Tensor) -> Tensor:
        """The loss of each example alone, with a code that costs nothing, in nats of the KL."""
        assert self.nat
        mu = x.new_zeros(1, self.latent_dim)
        second = torch.full_like(mu, FREE[self.convention])

        def alone(one: Tensor, made: Tensor) -> Tensor:
            return self.loss(one[None], made[None], mu, second).reshape(())  # pyright: ignore

        if self.batched:
            try:
                return torch.vmap(alone, randomness="different")(x, y) / self.nat
            except Exception:  # not every function of a stranger can be batched
                self.batched = False
        return torch.stack([alone(*pair) for pair in zip(x, y, strict=True)]) / self.nat

    @cached_property
    def scale(self) -> float | None:
        """A Gaussian's sigma^2 and a Laplace's width, of the residual; None where the likelihood has neither."""
        if self.kind not in ("Gaussian", "Laplace") or not self.measures:
            return None
        away = self.x.flatten(1) - self.rebuilt.flatten(1)
        return (away.square().mean() if self.kind == "Gaussian" else away.abs().mean()).item()

    @cached_property
    def own(self) -> tuple[float | None, float] | None:
        """What the loss weighs its terms by: a Gaussian's sigma^2 (a Laplace's width) at beta 1, or else its beta."""
        loss = self.reading
        if self.nat or loss is None or not (loss.c_rec and loss.c_rec > 0 and loss.c_kl and loss.c_kl > 0):
            return None
        ratio = loss.c_kl / loss.c_rec
        if loss.kind == "Bernoulli":
            return None, ratio
        return (self.scale if loss.fitted else ratio / (2 if loss.kind == "Gaussian" else 1)), 1.0

    def kl(self, mu: Tensor, std: Tensor) -> Tensor:
        """KL(q(z|x) || prior) of each example, (B,); by draws where the prior is not N(0, I)."""
        if self.prior is None:
            return kl_each(mu, std).sum(1)
        eps = torch.randn(DRAWS, *mu.shape).to(mu)
        log_q = -(eps.square() + LOG_2PI).sum(-1) / 2 - std.log().sum(1)
        return (log_q - torch.stack([self.log_prior(mu + std * one) for one in eps])).mean(0)

    def log_prior(self, z: Tensor) -> Tensor:
        """log-density of codes (N, L), in the type of the codes: (N,)."""
        if self.prior is None:
            return -(z.square() + LOG_2PI).sum(1) / 2
        return self.prior.log_prob(z.to(self.codes[0])).to(z)

    @cached_property
    def rebuilt(self) -> Tensor:
        """Reconstructions of `x` from honest draws."""
        return self.decoded(self.sampled(*self.codes))


def bernoulli(x: Tensor, y: Tensor, logits: bool) -> Tensor:
    if logits:
        return binary_cross_entropy_with_logits(y, x, reduction="none").sum(1)
    y = y.clamp(1e-6, 1 - 1e-6)
    return -(x * y.log() + (1 - x) * (1 - y).log()).sum(1)


def spread_error(x: Tensor, y: Tensor, kind: str, scale: float | None = None) -> Tensor:
    """Of a Gaussian (Laplace): D log of sigma (b), and the error measured in it."""
    away = (x - y).square() if kind == "Gaussian" else (x - y).abs()
    width = away.mean().clamp(min=1e-12) if scale is None else torch.as_tensor(scale, device=x.device)
    if kind == "Gaussian":  # width is sigma^2
        return (away / width + width.log() + torch.log(torch.tensor(2 * torch.pi))).sum(1) / 2
    return (away / width + (2 * width).log()).sum(1)
