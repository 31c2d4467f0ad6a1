"""Flow matching: particles that a learned velocity carries from N(0, I) to the codes."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from vaelib import _guard
from vaelib.distributions import LOG_2PI
from vaelib.priors._shared import as_codes, smooth_mlp, standard_noise

Field = Callable[[Tensor, float], Tensor]


def euler(field: Field, z: Tensor, t: float, dt: float) -> Tensor:
    """One step of Euler's method: the velocity at its beginning holds for all of it. Error of a walk: about dt."""
    _guard.functions(field=field)
    _guard.numbers(t=t, dt=dt)
    return z + dt * _velocity(field, z, t)


def heun(field: Field, z: Tensor, t: float, dt: float) -> Tensor:
    """One step of Heun's method: the mean of the velocities at both ends. Error of a walk: about dt^2."""
    _guard.functions(field=field)
    _guard.numbers(t=t, dt=dt)
    first = _velocity(field, z, t)
    return z + 0.5 * dt * (first + _velocity(field, z + dt * first, t + dt))


def _velocity(field: Field, z: Tensor, t: float) -> Tensor:
    """The field at z."""
    _guard.floats(z=(z, "(...)"))
    return _like("field", field(z, t), z)


def _like(name: str, v: Tensor, z: Tensor) -> Tensor:
    """A velocity, one number for each of z: another shape would be spread over it in silence."""
    if not isinstance(v, Tensor):
        raise TypeError(f"{name} must return a tensor of the shape of z, {tuple(z.shape)}; got {_guard.shown(v)}")
    if v.shape != z.shape:
        raise ValueError(f"{name} must return the shape of z, {tuple(z.shape)}; got {tuple(v.shape)}")
    return v


class FlowMatchingPrior(nn.Module):
    """dz/dt = v(z, t) from noise at t = 0 to codes at t = 1; log r by what the flow does to volumes.

    Args:
        latent_dim: L.
        hidden_dims: widths of the network that is v.
        steps: Heun steps from 0 to 1 in `sample` and `log_prob`, each two looks at v.

    Raises:
        TypeError: something is no whole number.
        ValueError: latent_dim, a width or steps below 1.

    Source: Lipman et al. (2023), section 4; the density: Chen et al. (2018), theorem 1. Book: chapter 9.
    """

    origin: Tensor

    def __init__(self, latent_dim: int, hidden_dims: Sequence[int] = (256, 256, 256), steps: int = 32):
        super().__init__()
        _guard.counts(1, latent_dim=latent_dim, steps=steps)
        _guard.widths(hidden_dims=hidden_dims)
        self.network = smooth_mlp([latent_dim + 1, *hidden_dims, latent_dim])
        self.steps = steps
        self.register_buffer("origin", torch.zeros(latent_dim), persistent=False)

    def velocity(self, z: Tensor, t: Tensor | float) -> Tensor:
        """v, (..., L), of particles z (..., L) at time t in [0, 1], one number or (...)."""
        z = as_codes(z, self.origin)
        if isinstance(t, Tensor):
            _guard.floats(z=(z, "(..., L)"), t=(t, "(...)"))
            _guard.onto(z=z[..., 0], t=t)
        else:
            _guard.numbers(t=t)
        t = torch.as_tensor(t, dtype=z.dtype, device=z.device).expand(z.shape[:-1])
        return self.network(torch.cat([z, t.unsqueeze(-1)], -1))

    def path(self, eps: Tensor, steps: int | None = None, step: Callable = heun) -> Tensor:
        """Where particles that start at eps (..., L) are at the times 0, 1/steps, ..., 1: (steps + 1, ..., L)."""
        steps = self.steps if steps is None else steps
        _guard.counts(1, steps=steps)
        _guard.functions(step=step)
        return torch.stack(list(_walk(self.velocity, as_codes(eps, self.origin, "eps"), 0.0, 1.0, steps, step)))

    def sample(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """n codes, (n, L)."""
        *_, z = _walk(self.velocity, standard_noise(n, self.origin, generator), 0.0, 1.0, self.steps, heun)
        return z

    def log_prob(self, z: Tensor, steps: int | None = None) -> Tensor:
        """log-density of z (..., L): (...), nats: that of the noise it came from, minus the integral of div v.

        The divergence is exact, the trace of the Jacobian; the integral has the error of `steps` Heun steps. It costs L
        times as much as sampling; gradients are kept unless you say `torch.no_grad()`.
        """
        steps = self.steps if steps is None else steps
        _guard.counts(1, steps=steps)
        z = as_codes(z, self.origin)
        start = torch.cat([z, torch.zeros_like(z[..., :1])], -1)  # the last number collects the divergence
        *_, end = _walk(self._with_divergence, start, 1.0, 0.0, steps, heun)
        return end[..., -1] - 0.5 * (end[..., :-1].square() + LOG_2PI).sum(-1)

    def _with_divergence(self, state: Tensor, t: float) -> Tensor:
        """v and its divergence, (..., L + 1): each axis, pulled back through v, gives a row of the Jacobian."""
        v, pull_back, *_ = torch.func.vjp(lambda z: self.velocity(z, t), state[..., :-1])
        axes = torch.eye(v.shape[-1], dtype=v.dtype, device=v.device)
        (rows,) = torch.func.vmap(lambda axis: pull_back(axis.expand_as(v)))(axes)  # (L, ..., L)
        return torch.cat([v, rows.diagonal(dim1=0, dim2=-1).sum(-1, keepdim=True)], -1)


def flow_matching_loss(
    prior: FlowMatchingPrior, z: Tensor, generator: torch.Generator | None = None, t: Tensor | None = None
) -> Tensor:
    """The mean of |v((1 - t) eps + t z, t) - (z - eps)|^2 over codes z, noise eps and times t.

    Each pair of noise and code has its straight line and the velocity z - eps; where lines cross, the best v is their
    mean, and that is the velocity which carries the whole crowd.

    Args:
        prior: anything with `velocity(z, t)`.
        z: codes, (B, L).
        generator: source of times and noise; the global one by default.
        t: times, (B,), from 0 to 1; uniform by default. They say where an error costs much, not which v is best:
            `torch.randn(B).sigmoid()` looks more often at the middle, where most lines cross.

    Returns:
        (). No likelihood: it does not go to zero, and only runs with the same codes compare.

    Raises:
        TypeError, ValueError: the prior has no `velocity`, or that returns another shape; z is empty or not (B, L), or
            t not (B,).

    Source: Lipman et al. (2023), eq. 23 with sigma_min = 0, and theorem 2; times: Esser et al. (2024), section 3.1.
    Book: chapter 9.
    """
    _guard.methods("velocity", prior=prior)
    _guard.floats(z=(z, "(B, L)"))
    _guard.nonempty(z=z)
    _guard.noise(generator, z.device)
    if t is None:
        t = torch.rand(z.shape[:1], generator=generator, dtype=z.dtype, device=z.device)
    else:
        _guard.floats(z=(z, "(B, L)"), t=(t, "(B,)"))
    eps = torch.randn(z.shape, generator=generator, dtype=z.dtype, device=z.device)
    between = eps + t.unsqueeze(-1) * (z - eps)
    return (_like("prior.velocity", prior.velocity(between, t), z) - (z - eps)).square().sum(-1).mean()


def _walk(field: Field, z: Tensor, begin: float, end: float, steps: int, step: Callable):
    """The states from begin to end, the first and the last among them."""
    dt = (end - begin) / steps
    yield z
    for i in range(steps):
        z = step(field, z, begin + i * dt, dt)
        yield z
