"""Sequences of symbols with one hidden topic each, and a VAE whose decoder reads what it has written so far.

A sequence is one-hot, (T, V) floats: T places, V symbols. The decoder may be so good that it needs no code.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from vaelib import _guard


class TopicChains(NamedTuple):
    """A topic k is drawn once, then symbol after symbol from the Markov chain of that topic; all starts are uniform.

    Attributes:
        transitions: p(next symbol | symbol, topic), (K, V, V), probabilities: each row sums to 1.
    """

    transitions: Tensor

    def sample(self, n: int, length: int, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """n sequences x (n, length, V), one-hot, and their topics (n,), int64. Raises as `log_prob_by_topic`."""
        rows = self._checked()
        _guard.counts(1, n=n, length=length)
        _guard.noise(generator, rows.device)
        K, V, device = *rows.shape[:2], rows.device
        topics = torch.randint(K, (n,), generator=generator, device=device)
        symbols = [torch.randint(V, (n,), generator=generator, device=device)]
        for _ in range(length - 1):
            symbols.append(torch.multinomial(rows[topics, symbols[-1]], 1, generator=generator)[:, 0])
        return torch.eye(V, dtype=self.transitions.dtype, device=device)[torch.stack(symbols, 1)], topics

    def log_prob_by_topic(self, x: Tensor) -> Tensor:
        """log p(x | topic k), exactly, for every topic.

        Args:
            x: sequences, (B, T, V), one-hot.

        Returns:
            (B, K), nats.

        Raises:
            TypeError: x or the transitions are no floating tensors of one dtype.
            ValueError: x is not (B, T, V), empty or not one-hot; the transitions are not (K, V, V), or a row of them is
                no distribution; a number is out of range.

        Book: chapter 12.
        """
        _guard.dense("x", x)
        rows = self._checked(x)
        (x,) = _guard.lift(x)
        pairs = torch.einsum("bti,btj->bij", x[:, :-1], x[:, 1:])  # how often j followed i
        return torch.special.xlogy(pairs.unsqueeze(1), rows).sum((-2, -1)) - math.log(x.shape[-1])

    def log_prob(self, x: Tensor) -> Tensor:
        """log p(x), exactly: (B,), nats. Args and Raises as `log_prob_by_topic`. Book: chapter 12."""
        return self.log_prob_by_topic(x).logsumexp(-1) - math.log(len(self.transitions))

    def _checked(self, x: Tensor | None = None) -> Tensor:
        named = {"transitions": (self.transitions, "(K, V, V)")}
        _guard.floats(**named if x is None else {**named, "x": (x, "(B, T, V)")})
        _guard.nonempty(transitions=self.transitions)
        (rows,) = _guard.lift(self.transitions)
        sums = rows.sum(-1)
        if not _guard.holds((rows >= 0).all() & ((sums - 1).abs() < 0.01).all()):
            raise ValueError(
                f"transitions must hold distributions in their rows; got sums {sums.flatten()[:3].tolist()}"
            )
        if x is not None:
            _guard.nonempty(x=x)
            _one_hot(x)
        return rows


def make_topics(
    num_topics: int, num_symbols: int, strength: float, generator: torch.Generator | None = None
) -> TopicChains:
    """Transitions softmax(common + strength * own): normal logits that all topics share, and others for each topic.

    Args:
        num_topics: K, at least 1.
        num_symbols: V, at least 2.
        strength: how much the topics differ, above 0.
        generator: source of the logits, on the CPU; the global one by default.

    Returns:
        `TopicChains`, float32.

    Raises:
        TypeError, ValueError: a number is out of range.

    Book: chapter 12.
    """
    _guard.counts(1, num_topics=num_topics)
    _guard.counts(2, num_symbols=num_symbols)
    _guard.numbers(0, strength=strength)
    _guard.noise(generator, torch.device("cpu"))
    shape = (num_topics + 1, num_symbols, num_symbols)
    logits = torch.randn(shape, generator=generator, dtype=torch.float64, device="cpu")
    return TopicChains((logits[0] + strength * logits[1:]).softmax(-1).float())


class SequenceVAE(nn.Module):
    """q(z|x) from all pairs of neighbours in x, and p(x|z) symbol by symbol: each from those before it, and from z.

    The decoder sees the last symbol, and a memory: the running sum of what every pair so far has told it. What
    `decode` gives is the code itself, since p(x|z) depends on z and on the symbols before; `log_likelihood` takes both.
    So the model goes wherever a `VAEModel` and its likelihood go: `elbo_terms(model, x, model.log_likelihood)`.

    Args:
        num_symbols: V, at least 2.
        latent_dim: L, the numbers in a code.
        hidden_dim: width of all layers.
        memory: False for a decoder that knows no more than the last symbol, and the code.
        drop: share of the symbols, from 0 to below 1, that the decoder does not get to read in train().

    Raises:
        TypeError, ValueError: a setting is out of range; from the methods: x or z has a wrong type or shape, or x is
            not one-hot.

    Source: Bowman et al. (2016), section 3. Book: chapter 12.
    """

    def __init__(self, num_symbols: int, latent_dim: int, hidden_dim: int = 48, memory: bool = True, drop: float = 0.0):
        super().__init__()
        _guard.counts(2, num_symbols=num_symbols)
        _guard.counts(1, latent_dim=latent_dim, hidden_dim=hidden_dim)
        _guard.flags(memory=memory)
        _guard.numbers(-1e-9, 1, drop=drop)
        self.num_symbols, self.latent_dim, self.memory, self.drop = num_symbols, latent_dim, memory, drop
        self.encoder = nn.Sequential(
            _PairSum(num_symbols, hidden_dim), _Last(), nn.Linear(hidden_dim, hidden_dim), nn.ReLU(),
            nn.Linear(hidden_dim, 2 * latent_dim)
        )  # fmt: skip
        self.decoder = nn.ModuleDict({
            "last": nn.Linear(num_symbols, hidden_dim),
            "memory": _PairSum(num_symbols, hidden_dim),
            "past": nn.Linear(hidden_dim, hidden_dim, bias=False),
            "code": nn.Linear(latent_dim, hidden_dim, bias=False),
            "write": nn.Sequential(
                nn.ReLU(), nn.Linear(hidden_dim, hidden_dim), nn.ReLU(), nn.Linear(hidden_dim, num_symbols)),
        })  # fmt: skip

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """mu and logvar of q(z|x), (B, L) each, for sequences x (B, T, V)."""
        self._checked(x=x)
        mu, logvar = self.encoder(x).chunk(2, -1)
        return mu, logvar

    def decode(self, z: Tensor) -> Tensor:
        """The code itself, (N, L): what `log_likelihood` takes."""
        self._checked(z=z)
        return z

    def log_likelihood(self, x: Tensor, z: Tensor) -> Tensor:
        """log p(x|z), (..., B), nats, for x (B, T, V) or rows (B, T V), and codes z (..., B, L)."""
        _guard.dense("x", x)
        V = self.num_symbols
        if x.dim() == 2 and x.shape[1] % V == 0:
            x = x.unflatten(1, (-1, V))
        self._checked(x=x, z=z)
        if z.dim() < 2 or len(x) != z.shape[-2]:
            raise ValueError(f"z must have shape (..., {len(x)}, L), a code for each x; got {tuple(z.shape)}")
        return (self._logits(x, z).log_softmax(-1) * x).sum((-2, -1))

    def _logits(self, x: Tensor, z: Tensor) -> Tensor:
        """Of every symbol, given those before it and the code: (..., B, T, V)."""
        part = self.decoder
        if self.training and self.drop > 0:
            x = x * (torch.rand_like(x[..., :1]) >= self.drop)
        known = part["last"](_later(x))
        if self.memory:
            known = known + part["past"](_later(part["memory"](x)))
        return part["write"](known + part["code"](z).unsqueeze(-2))

    def _checked(self, **given: Tensor) -> None:
        forms = {"x": f"(B, T, {self.num_symbols})", "z": f"(..., {self.latent_dim})"}
        own = next(self.parameters())
        _guard.floats(**{name: (value, forms[name]) for name, value in given.items()})
        for name, value in given.items():
            if value.dtype != own.dtype:
                raise TypeError(f"{name} must have the dtype of the model, {own.dtype}; got {value.dtype}")
            if value.device.type != own.device.type:
                raise ValueError(f"{name} must be on the device of the model, {own.device}; got {value.device}")
            _guard.nonempty(**{name: value})
        if "x" in given:
            _one_hot(given["x"])


class _PairSum(nn.Module):
    """What the pairs of neighbours tell, summed up to each place and divided by the length, (B, T, H)."""

    def __init__(self, num_symbols: int, hidden_dim: int):
        super().__init__()
        self.tell = nn.Sequential(nn.Linear(2 * num_symbols, hidden_dim), nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        return self.tell(torch.cat([_later(x), x], -1)).cumsum(-2) / x.shape[-2]


class _Last(nn.Module):
    """What is known at the last place, (B, H)."""

    def forward(self, x: Tensor) -> Tensor:
        return x[..., -1, :]


def _later(x: Tensor) -> Tensor:
    """Every row one place later, (..., T, H): what a place may know of those before it. The first knows nothing."""
    return nn.functional.pad(x[..., :-1, :], (0, 0, 1, 0))


def _one_hot(x: Tensor) -> None:
    if not _guard.holds(((x == 0) | (x == 1)).all() & (x.sum(-1) == 1).all()):
        raise ValueError(f"x must be one-hot, a single 1 in each row; got sums {x.sum(-1).flatten()[:3].tolist()}")
