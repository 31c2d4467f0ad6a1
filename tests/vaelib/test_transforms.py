"""The densities under torch.compile(fullgraph=True), torch.vmap, jacrev and gradcheck: what they are outside."""

import pytest
import torch

from vaelib import distributions as vd

pytestmark = pytest.mark.slow  # it trains, builds or starts other programs

DOUBLE = torch.float64


def draws(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=DOUBLE)


def spd(x):
    """A covariance from whatever numbers."""
    return x.mT @ x + torch.eye(x.shape[-1], dtype=x.dtype)


A, B, C, D = (draws(4, 3, seed=s) for s in range(4))
X, M, N = A.sigmoid(), spd(draws(3, 3, seed=5)), spd(draws(3, 3, seed=6))
CALLS = {
    "normal_log_prob": (vd.normal_log_prob, (A, B, C)),
    "bernoulli_log_prob": (vd.bernoulli_log_prob, (X, B)),
    "normal_kl": (vd.normal_kl, (A, B, C, D)),
    "standard_normal_kl": (vd.standard_normal_kl, (A, B)),
    "multivariate_normal_log_prob": (lambda x, mu: vd.multivariate_normal_log_prob(x, mu, M.to(x)), (A, B)),
    "multivariate_normal_kl": (lambda mu, other: vd.multivariate_normal_kl(mu, M.to(mu), other, N.to(mu)), (A, B)),
}
NAMES = pytest.mark.parametrize("name", CALLS)


def test_every_density_is_here():
    public = {name for name, f in vars(vd).items() if callable(f) and f.__module__ == vd.__name__}
    assert public - {"reparameterize"} == set(CALLS)


@NAMES
def test_mapped_over_rows(name):
    f, arguments = CALLS[name]
    torch.testing.assert_close(torch.vmap(f)(*arguments), f(*arguments), rtol=1e-12, atol=1e-12)
    shared = (0, *[None] * (len(arguments) - 1))  # each row against one and the same rest
    alone = torch.stack([f(row, *[t[0] for t in arguments[1:]]) for row in arguments[0]])
    mapped = torch.vmap(f, in_dims=shared)(arguments[0], *[t[0] for t in arguments[1:]])
    torch.testing.assert_close(mapped, alone, rtol=1e-12, atol=1e-12)


@NAMES
def test_compiled_in_one_graph(name):
    compiles(name, "aot_eager")


def test_compiled_to_machine_code():
    """Needs a C++ compiler and takes seconds, so one of them does it: the one that looks at values elsewhere."""
    compiles("bernoulli_log_prob", "inductor")


def compiles(name, backend):
    torch.compiler.reset()
    f, arguments = CALLS[name]
    arguments = [t.float() for t in arguments]
    compiled = torch.compile(f, fullgraph=True, backend=backend)
    torch.testing.assert_close(compiled(*arguments), f(*arguments))
    wider = [torch.cat([t, t]) for t in arguments]  # another batch, compiled again with a size that may vary
    torch.testing.assert_close(compiled(*wider), f(*wider))


@NAMES
def test_jacobians_and_hessians(name):
    f, (first, *rest) = CALLS[name]
    jacobian = torch.func.jacrev(f)(first, *rest)  # (B, B, L)
    leaf = first.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(f(leaf, *rest).sum(), leaf)
    torch.testing.assert_close(jacobian.sum(0), gradient)
    each = torch.vmap(torch.func.grad(f))(first, *rest)  # one example at a time
    torch.testing.assert_close(each, gradient)
    inputs = [t[:2].clone().requires_grad_() for t in (first, *rest)]
    assert torch.autograd.gradcheck(f, inputs, check_forward_ad=True)
    assert torch.autograd.gradgradcheck(f, inputs)


def test_jacobian_of_the_sample_reaches_both_parameters():
    by_mu, by_logvar = torch.func.jacrev(
        lambda mu, logvar: vd.reparameterize(mu, logvar, torch.Generator().manual_seed(0)), argnums=(0, 1)
    )(A[0], B[0])
    eps = torch.randn(3, generator=torch.Generator().manual_seed(0), dtype=DOUBLE)
    torch.testing.assert_close(by_mu, torch.eye(3, dtype=DOUBLE))
    torch.testing.assert_close(by_logvar, torch.diag(0.5 * (0.5 * B[0]).exp() * eps))
    drawn = torch.vmap(vd.reparameterize, randomness="different")(torch.zeros(500, 3), torch.zeros(500, 3))
    assert drawn.std(0).min() > 0.8


def test_the_sample_is_compiled_in_one_graph():
    torch.compiler.reset()
    compiled = torch.compile(vd.reparameterize, fullgraph=True, backend="aot_eager")
    assert compiled(A, B).shape == A.shape


def test_where_nobody_can_look_a_bad_covariance_gives_nan():
    crooked = torch.stack([M, M + torch.tensor([[0, 9.0, 0], [0, 0, 0], [0, 0, 0]], dtype=DOUBLE), -M])
    values = torch.vmap(lambda cov: vd.multivariate_normal_log_prob(A[0], B[0], cov))(crooked)
    assert values.isfinite().tolist() == [True, False, False] and values.isnan().tolist() == [False, True, True]


def test_shapes_are_refused_under_transforms_as_well():
    with pytest.raises(ValueError, match=r"mu must have the last dimension of x, 3; got \(1,\) beside \(3,\)"):
        torch.vmap(vd.normal_log_prob)(A, B[:, :1], C)
