"""The doctor on models that are none of ours, and on likelihoods and priors that it knows by their numbers alone."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from benchmarks.patients._parts import Net, binary, grey, honest_draw, kl, logits
from vaelib.doctor import examine
from vaelib.doctor._spread import FREE, STD, kl_each
from vaelib.doctor._ward import Ward
from vaelib.likelihoods import LogisticMixtureLikelihood, PixelGaussianLikelihood
from vaelib.priors import GaussianPrior


class Paper(nn.Module):
    """A class in another style: one forward, a spread by softplus, a reconstruction that is a probability."""

    def __init__(self, d=64, h=48, k=5):
        super().__init__()
        self.enc, self.m, self.sig = nn.Sequential(nn.Linear(d, h), nn.Tanh()), nn.Linear(h, k), nn.Linear(h, k)
        self.dec = nn.Sequential(nn.Linear(k, h), nn.Tanh(), nn.Linear(h, d), nn.Sigmoid())

    def forward(self, x):
        h = self.enc(x)
        mu, sigma = self.m(h), F.softplus(self.sig(h))
        return self.dec(mu + sigma * torch.randn_like(sigma)), mu, 2 * sigma.log()

    def criterion(self, x, recon, mu, log_var):
        return F.binary_cross_entropy(recon, x) - 0.5 * (1 + log_var - mu**2 - log_var.exp()).sum(1).mean()


class Example(nn.Module):
    """PyTorch's basic VAE example, from its description: one hidden layer, sums of a cross-entropy and a KL."""

    def __init__(self, d=64, h=48, k=8):
        super().__init__()
        self.fc1, self.fc21, self.fc22 = nn.Linear(d, h), nn.Linear(h, k), nn.Linear(h, k)
        self.fc3, self.fc4 = nn.Linear(k, h), nn.Linear(h, d)

    def encode(self, x):
        h = F.relu(self.fc1(x))
        return self.fc21(h), self.fc22(h)

    def reparameterize(self, mu, logvar):
        return mu + torch.exp(0.5 * logvar) * torch.randn_like(logvar)

    def decode(self, z):
        return torch.sigmoid(self.fc4(F.relu(self.fc3(z))))


def bce_and_kld(x, recon, mu, logvar):
    return F.binary_cross_entropy(recon, x, reduction="sum") - 0.5 * (1 + logvar - mu**2 - logvar.exp()).sum()


def trained(net, step, x, steps=300):
    adam = torch.optim.Adam(net.parameters(), lr=2e-3)
    for _ in range(steps):
        loss = step(x[torch.randint(len(x), (100,))])
        adam.zero_grad()
        loss.backward()
        adam.step()
    return net


@pytest.mark.slow
def test_a_class_of_another_style_is_examined_by_an_adapter_of_five_lines():
    torch.manual_seed(0)
    net, (x, new) = Paper(), binary()
    trained(net, lambda part: net.criterion(part, *net(part)), x)
    report = examine(
        lambda x: net(x)[1:], lambda m, s: m + (s / 2).exp() * torch.randn_like(m), net.dec, net.criterion,
        train=x, held_out=new, module=net,
    )  # fmt: skip
    assert report.findings[0].fault == "hidden beta" and "mean over 64 numbers" in report.findings[0].says
    assert "posterior collapse" in [finding.fault for finding in report.findings]


@pytest.mark.slow
@pytest.mark.parametrize(("pictures", "found"), [(binary, []), (grey, ["grey under a Bernoulli"])])
def test_a_public_example_is_examined_by_an_adapter_of_one_line(pictures, found):
    torch.manual_seed(0)
    net, (x, new) = Example(), pictures()

    def step(part):
        mu, logvar = net.encode(part)
        return bce_and_kld(part, net.decode(net.reparameterize(mu, logvar)), mu, logvar)

    trained(net, step, x)
    report = examine(net.encode, net.reparameterize, net.decode, bce_and_kld, train=x, held_out=new, module=net)
    assert [finding.fault for finding in report.findings] == found
    assert "the loss is that of beta 1" in [note.says for note in report.notes]


def untrained(out, loss, **given):
    torch.manual_seed(0)
    net, (x, new) = Net(out=out), grey()
    x, new = x[:120], new[:60]
    return examine(net.encode, honest_draw, net.decode, loss, train=x, held_out=new, module=net, **given)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("likelihood", "out"), [(PixelGaussianLikelihood(0.05), 128), (LogisticMixtureLikelihood(1), 192)]
)
def test_a_likelihood_that_is_none_that_is_known_is_measured_by_its_own_loss(likelihood, out):
    report = untrained(out, lambda x, y, m, s: 3 * (kl(m, s).sum(1) - likelihood(x, y)).mean())
    x = grey()[1][:60]
    torch.manual_seed(0)
    net = Net(out=out)
    with torch.no_grad():
        mu, s = net.encode(x)
        codes = [honest_draw(mu, s) for _ in range(20)]
        expected = torch.stack([kl(mu, s).sum(1) - likelihood(x, net.decode(z)) for z in codes]).mean()
    assert report.numbers["negative ELBO, beta 1"] == pytest.approx(expected.item(), rel=0.02)
    assert any("plain VAE" in line for line in report.not_examined)


def test_what_has_neither_a_known_error_nor_a_known_kl_is_not_examined_and_alarms_nobody():
    def loss(x, y, m, s):
        z = honest_draw(m, s)
        log_q = -((z - m).square() / s.exp() + s).sum(1) / 2
        return (log_q + z.abs().sum(1) - PixelGaussianLikelihood(0.05)(x, y)).mean()

    report = untrained(128, loss)
    text = "\n".join(report.not_examined)
    assert report.healthy, str(report)
    assert "the bound: the loss has a likelihood that is none that is known" in text and "hand over the prior" in text


@pytest.mark.slow
def test_a_prior_is_taken_for_what_it_is():
    """The KL, the evidence and the misfit of a model whose prior has another place than N(0, I)."""
    torch.manual_seed(0)
    net, (x, new) = Net(), binary()
    with torch.no_grad():
        net.mu[0].bias += 6  # the crowd sits at 6
        codes = honest_draw(*net.encode(x))
    prior = GaussianPrior(8).fit(codes)
    loss = lambda x, y, m, s: (logits(y, x) + (kl(m - 6, s)).sum(1)).mean()  # noqa: E731
    told, untold = (
        examine(net.encode, honest_draw, net.decode, loss, train=x, held_out=new, module=net, **given)
        for given in ({"prior": prior}, {})
    )
    faults = [finding.fault for finding in told.findings]
    assert "crowd that misses its prior" not in faults and "KL that is none" not in faults
    assert told.numbers["misfit of the crowd, at least"] == pytest.approx(0, abs=0.3)
    assert told.numbers["KL"] < 5 and told.numbers["negative ELBO, beta 1"] < 100
    assert "misfit of the crowd, at least" not in untold.numbers  # nobody said which prior
    assert any("no prior was handed over" in line for line in untold.not_examined)


@pytest.mark.parametrize("convention", STD)
def test_a_code_that_costs_nothing_is_one_of_the_prior(convention):
    free = torch.tensor([[FREE[convention]]])
    assert kl_each(torch.zeros(1, 1), STD[convention](free)).item() == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize(
    ("error", "density"),
    [
        (lambda x, y: (x - y).square().sum(1), lambda x: torch.distributions.Normal(0.0, x.square().mean().sqrt())),
        (lambda x, y: (x - y).abs().sum(1), lambda x: torch.distributions.Laplace(0.0, x.abs().mean())),
    ],
    ids=["Gaussian", "Laplace"],
)
def test_an_error_is_priced_with_the_best_width_of_its_likelihood(error, density):
    """A decoder that always says 0: the best sigma^2 is the mean square, the best width the mean size."""
    x = torch.randn(50, 6, generator=torch.Generator().manual_seed(0))
    ward = Ward(
        encode=lambda x: (0.1 * x[:, :2], 0.1 * x[:, 2:4]),
        draw=honest_draw,
        decode=lambda z: 0 * z.repeat(1, 3),
        loss=lambda x, y, mu, s: (error(x, y) + kl(mu, s).sum(1)).mean(),
        train=x,
        held_out=None,
        module=None,
        beta=None,
    )
    expected = -density(x).log_prob(x).sum(1)
    torch.testing.assert_close(ward.error(x, torch.zeros_like(x), ward.scale), expected)
