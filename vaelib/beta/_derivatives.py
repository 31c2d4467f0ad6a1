"""Of which known losses is a loss a constant multiple? Points to try it at, its derivatives there, and the fit."""

import math
from typing import Any

import torch
from torch import Tensor

TOLERANCE = 1e-5  # relative: a loss that rounds to float32 inside is still recognised
ERRORS = {  # whose -log p it is -> derivatives of errors in y
    "Gaussian": {"squared error": lambda x, y: 2 * (y - x)},
    "Bernoulli": {
        "cross-entropy of probabilities": lambda x, y: (y - x) / (y * (1 - y)),
        "cross-entropy of logits": lambda x, y: y.sigmoid() - x,
    },
}
LIKELIHOODS = {error: likelihood for likelihood, errors in ERRORS.items() for error in errors}
SECONDS = {  # derivative of the KL in the encoder's second output
    "log-variance": lambda s: s.expm1() / 2,
    "standard deviation": lambda s: s - 1 / s,
    "variance": lambda s: (1 - 1 / s) / 2,
}


def derivatives(loss, shape, latent_dim, batch_size, generator) -> tuple[list[Tensor], list[Tensor]]:
    """x, y, mu, second where the loss is tried, and its derivatives in the last three, all flat."""
    tried = [_at(loss, shape, latent_dim, batch_size, scale, generator) for scale in (1.0, 0.3, 0.1)]
    points, found = zip(*tried, strict=True)
    return _joined(points), _joined(found)


def _at(loss, shape, latent_dim, batch_size, scale, generator):
    """Random points, errors and means the smaller the smaller `scale` is: a weight that is no constant shows."""
    double: dict[str, Any] = {"generator": generator, "dtype": torch.float64, "device": "cpu"}
    x = 0.1 + 0.8 * torch.rand(batch_size, *shape, **double)
    y = (x + scale * (0.05 + 0.9 * torch.rand(x.shape, **double) - x)).requires_grad_()
    mu = (3 * scale**2 * torch.randn(batch_size, latent_dim, **double)).requires_grad_()
    second = (0.3 + 1.7 * torch.rand(mu.shape, **double)).requires_grad_()  # positive: it may be a variance
    value = loss(x, y, mu, second)
    if not isinstance(value, Tensor) or value.numel() != 1 or not value.requires_grad:
        raise TypeError(f"loss must return one number that depends on its arguments; got {value!r:.60}")
    return (x, y, mu, second), torch.autograd.grad(value.sum(), (y, mu, second), materialize_grads=True)


def _joined(parts) -> list[Tensor]:
    return [torch.cat([t.detach().flatten() for t in same]) for same in zip(*parts, strict=True)]


def weights(tried: tuple[list[Tensor], list[Tensor]]) -> tuple[str, float, str | None]:
    """The likelihood, c_kl / c_rec, and what the second output is (None without a KL)."""
    (x, y, mu, second), (in_y, in_mu, in_second) = tried
    known = {name: error(x, y) for errors in ERRORS.values() for name, error in errors.items()}
    error, c_rec = _factor("the reconstruction", in_y, known)
    if not c_rec > 0:
        raise ValueError(f"the loss must rise with the error of the reconstruction; its weight is {c_rec:.4g}")
    if not in_mu.any() and not in_second.any():
        return LIKELIHOODS[error], 0.0, None
    _, c_kl = _factor("mu", in_mu, {"KL": mu})
    name, also = _factor("the second output", in_second, {name: f(second) for name, f in SECONDS.items()})
    if not c_kl > 0 or not math.isclose(c_kl, also, rel_tol=10 * TOLERANCE):
        raise ValueError(f"the KL must be added, as a whole; its weight is {c_kl:.4g} for mu and {also:.4g} for {name}")
    return LIKELIHOODS[error], c_kl / c_rec, name


def _factor(of: str, found: Tensor, known: dict[str, Tensor]) -> tuple[str, float]:
    """Which of the known derivatives is found, and how many times."""
    for name, derivative in known.items():
        factor = (found @ derivative / (derivative @ derivative)).item()
        if found.any() and (found - factor * derivative).abs().max() <= TOLERANCE * found.abs().max():
            return name, factor
    raise ValueError(
        f"the derivative in {of} is no constant multiple of that of {' or '.join(known)}: no beta can be known"
    )
