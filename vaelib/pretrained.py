"""VAEs that were trained for longer than a chapter can wait: kept with the library, and the numbers they reached."""

import hashlib
import io
import json
from importlib.resources import files
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from vaelib import _guard
from vaelib.likelihoods import BernoulliLikelihood, GaussianLikelihood
from vaelib.models import VAE, conv_vae, mlp_vae
from vaelib.priors import FlowMatchingPrior
from vaelib.priors._shared import as_codes

_SHA256 = {
    "faces": "7e76a3921bc96b9dc9f497a477d284c500c970c163150c40ec36ab984db82a6a",
    "digits": "3bedae3e97f8f70065120c54fac75d3b6078546a0eda8b5eec983c58fc8a714a",
}


class StoredVAE(NamedTuple):
    """A trained model and where it comes from. Run it again: `python tools/train_stored.py`.

    Attributes:
        model: its weights kept as float16, computing in float32, and not to be trained further by accident.
        likelihood: p(x|z), called as `likelihood(x, model.decode(z))`.
        prior: the latent flow learned on its codes: `model.decode(prior.sample(n))` invents, `prior.log_prob(z)`, nats.
        date: when it was trained.
        minutes: for how long.
        device: on what: the name of a GPU, or "cpu, one thread".
        examples: pictures that it has seen, repetitions counted.
        test: what it reached on test pictures after rounding to float16, the same that `tools/train_stored.py` makes:
            "squared_error" per pixel of decoded mean codes; "negative_elbo" and "kl", nats a picture.
    """

    model: VAE
    likelihood: nn.Module
    prior: "LatentFlow"
    date: str
    minutes: float
    device: str
    examples: int
    test: dict[str, float]


class LatentFlow(nn.Module):
    """A `FlowMatchingPrior` over codes in units of their crowd, seen from outside as a density over the codes.

    Args:
        flow: over (z - mean) / spread.
        mean, spread: of each number of the code over the crowd, (L,); every spread above 0.

    Raises:
        TypeError, ValueError: the flow is no prior; mean and spread are not (L,) of its kind, finite, and above 0.
    """

    mean: Tensor
    spread: Tensor

    def __init__(self, flow: FlowMatchingPrior, mean: Tensor, spread: Tensor):
        super().__init__()
        _guard.methods("log_prob", flow=flow)
        _guard.floats(mean=(mean, "(L,)"), spread=(spread, "(L,)"))
        _guard.shapes(mean=(mean, "(L,)"), spread=(spread, "(L,)"))
        _guard.finite(mean=mean, spread=spread)
        if not _guard.holds((spread > 0).all()):
            raise ValueError(f"spread must be above 0; got {spread.min().item()}")
        self.flow = flow
        self.register_buffer("mean", mean)
        self.register_buffer("spread", spread)

    def sample(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """n codes, (n, L)."""
        return self.mean + self.spread * self.flow.sample(n, generator)

    def log_prob(self, z: Tensor) -> Tensor:
        """log-density of z (..., L): (...), nats."""
        z = as_codes(z, self.mean)
        return self.flow.log_prob((z - self.mean) / self.spread) - self.spread.log().sum()


def stored_faces() -> StoredVAE:
    """A `conv_vae` of animation faces, 64 numbers a code, its Gaussian with the sigma that it learned.

    Raises:
        ValueError: the file that came with the library is damaged.

    Book: chapters 7 to 9.
    """
    weights, about = _read("faces")
    with torch.device("cpu"):
        model, likelihood = conv_vae(about["latent_dim"], about["widths"]), GaussianLikelihood().float()
        likelihood.load_state_dict({"logvar": torch.tensor(about["logvar"], dtype=torch.float32)})
    return _stored(model, likelihood.requires_grad_(False), weights, about)


def stored_digits() -> StoredVAE:
    """An `mlp_vae` of black-and-white digits, 28x28, 20 numbers a code; its decoder gives logits.

    Raises:
        ValueError: the file that came with the library is damaged.

    Book: chapters 6 and 9.
    """
    weights, about = _read("digits")
    with torch.device("cpu"):
        model = mlp_vae(28 * 28, about["latent_dim"], about["widths"])
    return _stored(model, BernoulliLikelihood(), weights, about)


def _stored(model: VAE, likelihood: nn.Module, weights: dict, about: dict) -> StoredVAE:
    weights = {name: torch.from_numpy(value).float() for name, value in weights.items()}
    moving = {name.removeprefix("flow."): weights.pop(name) for name in list(weights) if name.startswith("flow.")}
    units = moving.pop("mean"), moving.pop("spread")
    with torch.device("cpu"):
        flow = FlowMatchingPrior(about["latent_dim"], about["flow_widths"])
    flow.float().load_state_dict(moving)
    model.float().load_state_dict(weights)
    prior = LatentFlow(flow, *units)
    facts = (about[name] for name in ("date", "minutes", "device", "examples", "test"))
    return StoredVAE(model.requires_grad_(False), likelihood, prior.requires_grad_(False), *facts)


def _read(name: str) -> tuple[dict, dict]:
    """Weights by name, float16, and what else the file says, once its bytes are those that were published."""
    data = (files("vaelib") / "stored" / f"{name}.npz").read_bytes()
    found = hashlib.sha256(data).hexdigest()
    if found != _SHA256[name]:
        raise ValueError(f"stored/{name}.npz must have the SHA-256 {_SHA256[name]}; got {found}: install vaelib again")
    kept = dict(np.load(io.BytesIO(data)))
    return kept, json.loads(str(kept.pop("about")))
