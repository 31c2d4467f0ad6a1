"""Topics against enumeration of every sequence, and a decoder that sums to one and never looks ahead."""

import itertools
import math

import numpy as np
import pytest
import torch

from vaelib.metrics import log_marginal_iw
from vaelib.objectives import elbo_terms
from vaelib.sequences import SequenceVAE, TopicChains, make_topics

V, T = 3, 4
EVERY = torch.eye(V)[torch.tensor(list(itertools.product(range(V), repeat=T)))]  # (81, T, V)


def chains(dtype=torch.float64, topics=2):
    return TopicChains(make_topics(topics, V, 1.0, torch.Generator().manual_seed(0)).transitions.to(dtype))


def model(dtype=torch.float64, **settings):
    torch.manual_seed(0)
    return SequenceVAE(V, 2, 8, **settings).to(dtype)


@pytest.mark.parametrize(("dtype", "rounding"), [(torch.float32, 1e-5), (torch.float64, 1e-6)], ids=str)
def test_the_probabilities_of_all_sequences_are_products_and_sum_to_one(dtype, rounding):
    world, x = chains(dtype), EVERY.to(dtype)
    found, symbols = world.log_prob_by_topic(x), x.argmax(-1)
    assert world.log_prob(x).exp().sum().item() == pytest.approx(1, abs=rounding)
    for row, line in zip(found, symbols.tolist(), strict=True):
        steps = [world.transitions[:, a, b].double() for a, b in itertools.pairwise(line)]
        torch.testing.assert_close(row.double().exp(), torch.stack(steps).prod(0) / V, rtol=1e-4, atol=0)


def test_an_impossible_step_has_probability_zero():
    swap = torch.tensor([[[0.0, 1.0], [1.0, 0.0]]])
    x = torch.eye(2)[torch.tensor([[0, 1, 0], [0, 0, 1]])]
    assert TopicChains(swap).log_prob(x).tolist() == pytest.approx([math.log(0.5), -math.inf])


def test_draws_come_as_often_as_they_should():
    world = chains()
    x, topics = world.sample(40_000, T, torch.Generator().manual_seed(1))
    counts = torch.zeros(len(EVERY)).index_add(
        0, (x.argmax(-1) * V ** torch.arange(T - 1, -1, -1)).sum(1), torch.ones(40_000)
    )
    expected = world.log_prob(EVERY.double()).exp() * 40_000
    assert ((counts - expected).square() / expected).sum() < 80 + 6 * 160**0.5  # chi-squared, 80 degrees
    assert topics.bincount().tolist() == pytest.approx([20_000, 20_000], abs=600)
    of_first = world.log_prob_by_topic(x)[topics == 0].mean(0)
    assert of_first[0] > of_first[1]


@pytest.mark.parametrize("memory", [True, False])
@pytest.mark.parametrize(("dtype", "rounding"), [(torch.float32, 1e-5), (torch.float64, 1e-12)], ids=str)
def test_a_decoder_sums_to_one_under_every_code(memory, dtype, rounding):
    net, z = model(dtype, memory=memory), torch.randn(5, 1, 2, dtype=dtype)
    total = net.log_likelihood(EVERY.to(dtype), z.expand(5, len(EVERY), 2)).logsumexp(-1)
    assert total.abs().max() < rounding


def test_no_place_looks_ahead_and_without_memory_none_looks_back_further_than_one():
    x, z = EVERY.double(), torch.randn(len(EVERY), 2, dtype=torch.float64)
    z[:] = z[0]
    for memory, window in [(True, T), (False, 1)]:
        logits, symbols = model(memory=memory)._logits(x, z), x.argmax(-1)
        for place in range(T):
            known = {}
            for row, line in zip(logits[:, place], symbols.tolist(), strict=True):
                seen = tuple(line[max(0, place - window) : place])
                torch.testing.assert_close(known.setdefault(seen, row), row, rtol=0, atol=1e-12)
            assert len(torch.stack(list(known.values())).round(decimals=9).unique(dim=0)) == len(known)


def test_dropped_symbols_change_the_training_only():
    net, x, z = model(drop=0.5), EVERY.double(), torch.zeros(len(EVERY), 2, dtype=torch.float64)
    torch.manual_seed(0)
    assert not torch.equal(net.log_likelihood(x, z), net.log_likelihood(x, z))
    net.eval()
    assert torch.equal(net.log_likelihood(x, z), net.log_likelihood(x, z))
    plain = model()
    plain.load_state_dict(net.state_dict())
    assert torch.equal(net.log_likelihood(x, z), plain.log_likelihood(x, z))


def test_the_model_goes_wherever_a_vae_goes():
    net, (x, _) = model().eval(), chains().sample(6, T, torch.Generator().manual_seed(2))
    terms = elbo_terms(net, x, net.log_likelihood, torch.Generator().manual_seed(3))
    marginal = log_marginal_iw(net, x, net.log_likelihood, 8000, torch.Generator().manual_seed(3))
    assert terms.elbo.shape == marginal.shape == (6,) and torch.isfinite(marginal).all()
    nodes, weights = map(torch.tensor, np.polynomial.hermite_e.hermegauss(40))
    grid = torch.cartesian_prod(nodes, nodes)
    log_w = torch.cartesian_prod(weights, weights).prod(1).log() - math.log(2 * math.pi)
    exact = (net.log_likelihood(x, grid[:, None].expand(-1, 6, 2)) + log_w[:, None]).logsumexp(0)
    torch.testing.assert_close(marginal, exact, rtol=0, atol=0.02)


def test_what_is_no_sequence_is_refused():
    x = EVERY[:4].double()
    with pytest.raises(ValueError, match=r"x must be one-hot.*got"):
        model().encode(x / 2)
    with pytest.raises(ValueError, match=r"z must have shape \(..., 4, L\).*got \(3, 2\)"):
        model().log_likelihood(x, torch.zeros(3, 2).double())
    with pytest.raises(TypeError, match=r"x must have the dtype of the model.*got torch.float32"):
        model().encode(x.float())
    with pytest.raises(ValueError, match=r"transitions must hold distributions.*got"):
        TopicChains(chains().transitions * 2).log_prob(x)
    with pytest.raises(ValueError, match=r"drop must be.*got 1"):
        SequenceVAE(3, 2, drop=1.0)
