"""VAEs that are broken in one way each, as people break them.

`TUNED` were in sight while the doctor was written, or were missed by it and changed its rules. `BLIND` were written
down before it was tried on any of them, and examined once; one rule of its ranking was changed afterwards. `NEW` came
when its rules stood, from somebody who had read them or from a stranger, and changed none.
"""

import torch
import torch.nn.functional as F
from torch import nn

from benchmarks.patients._parts import (
    Case,
    Net,
    bce,
    binary,
    enlarged,
    grey,
    honest_draw,
    kl,
    logits,
    same,
    signed,
    sse,
)


def faint():
    """Larger pictures, from 0 to 0.5."""
    return tuple(enlarged(x) / 2 for x in grey())


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
    # The rest was missed, or taken for something else, and changed the rules.
    "LeakyReLU on the log-variance": Case(
        ("activation on a head",), net=lambda: Net(heads=(None, nn.LeakyReLU()))),
    "softplus on the means": Case(("activation on a head",), net=lambda: Net(heads=(nn.Softplus(), None))),
    "an encoder that is not trained": Case(("encoder that does not learn",), learns=lambda net: net.out),
    "mu for mu squared in the KL": Case(
        ("KL that is none",), lambda x, y, m, s: (logits(y, x) - 0.5 * (1 + s - m - s.exp()).sum(1)).mean(),
        steps=60),
    "half a sum of squares, faint pictures": Case(
        ("sigma far above the residual",), lambda x, y, m, s: (((y - x) ** 2).sum(1) / 2 + kl(m, s).sum(1)).mean(),
        net=lambda: Net(size=576), data=faint, shown=same),
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
        ("hidden beta",), lambda x, y, m, s: F.mse_loss(y, x) + kl(m, s).sum(1).mean(), data=grey,
        shown=same),
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
        ("outputs beyond the pictures",), sse, net=lambda: Net(last=nn.Tanh()), data=grey, shown=same),
    "sigmoid against pictures in [-1, 1]": Case(
        ("outputs that cannot reach the pictures",), sse, net=lambda: Net(last=nn.Sigmoid()), data=signed,
        shown=lambda y: (y + 1) / 2),
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


def fixed(m, s):
    return m + (s / 2).exp() * torch.randn(m.shape, generator=torch.Generator().manual_seed(0))


def signed_binary():
    return tuple(2 * x - 1 for x in binary())


def soft():
    """Neither black nor white, where an exchange of the arguments raises no error."""
    return tuple(0.05 + 0.9 * x for x in grey())


class Shuffled(Net):
    def decode(self, z):
        return self.out(z[torch.randperm(len(z))])


NEW = {
    "the log-variance squared for the variance": Case(
        ("spread by the wrong formula",), draw=lambda m, s: m + s.abs() * torch.randn_like(m)),
    "softplus in the draw, a log-variance in the KL": Case(
        ("spread by the wrong formula",), draw=lambda m, s: m + F.softplus(s) * torch.randn_like(m)),
    "pictures in [-1, 1] under a cross-entropy": Case(("pixels outside [0, 1]",), data=signed_binary),
    "arguments of the cross-entropy exchanged": Case(
        ("swapped arguments",), lambda x, y, m, s: (bce(x, y) + kl(m, s).sum(1)).mean(),
        net=lambda: Net(last=nn.Sigmoid()), data=soft, shown=same, steps=200),
    "codes shuffled against their pictures": Case(("posterior collapse", "code that is not read"), net=Shuffled),
    "one noise for all latents": Case(
        ("shared noise",), draw=lambda m, s: m + (s / 2).exp() * torch.randn(len(m), 1)),
    "the same noise at every step": Case(("shared noise",), draw=fixed),
    "the log-variance forgotten in the KL": Case(
        ("KL that is none",), lambda x, y, m, s: (logits(y, x) + 0.5 * (m**2 + s.exp() - 1).sum(1)).mean()),
    "the KL alone": Case(("no reconstruction in the loss",), lambda x, y, m, s: kl(m, s).sum(1).mean()),
    "the error subtracted": Case(
        ("wrong sign",), lambda x, y, m, s: (kl(m, s).sum(1) - logits(y, x)).mean(), steps=60),
    "the KL divided by the batch once more": Case(
        ("beta that depends on the batch",),
        lambda x, y, m, s: logits(y, x).mean() + kl(m, s).sum(1).mean() / len(x)),
    # A stranger's.
    "log sigma for log sigma squared in the KL": Case(
        ("KL that is none",), lambda x, y, m, s: (logits(y, x) - 0.5 * (1 + s / 2 - m**2 - s.exp()).sum(1)).mean()),
    "the KL averaged over the latents, summed over the batch": Case(
        ("beta that depends on the batch",), lambda x, y, m, s: logits(y, x).mean() + kl(m, s).sum(0).mean()),
    "the KL averaged over batch and latents, the error summed": Case(
        ("beta that depends on the batch",), lambda x, y, m, s: logits(y, x).sum() + kl(m, s).mean()),
}  # fmt: skip
