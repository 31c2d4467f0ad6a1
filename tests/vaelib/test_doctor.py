"""The doctor names the fault of VAEs that are broken in one way each, finds none in healthy ones, touches nothing."""

import math
import re
from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn.functional import mse_loss

from benchmarks.patients import BLIND, HEALTHY, NEW, TUNED
from benchmarks.patients._ill import cut, once, reverse
from benchmarks.patients._parts import Net, bce, binary, honest_draw, kl, logits, sound
from vaelib import doctor
from vaelib.doctor import SECTIONS, Finding, Report, examine
from vaelib.doctor._loss import read
from vaelib.doctor._noise import watch
from vaelib.doctor._of_code import _is_cheap
from vaelib.doctor._of_life import of_history
from vaelib.doctor._of_ranges import _bend_at_zero
from vaelib.doctor._ward import Ward

X = (torch.rand(60, 6, generator=torch.Generator().manual_seed(0)) > 0.5).float()


def first(report):
    return report.findings[0].fault if report.findings else None


@pytest.mark.slow
@pytest.mark.parametrize("name", TUNED)
def test_the_first_finding_names_the_fault(name):
    report = examine(**TUNED[name].examined())
    assert first(report) in TUNED[name].faults, str(report)


@pytest.mark.slow
@pytest.mark.parametrize("name", BLIND)
def test_the_first_finding_names_the_fault_of_those_it_was_not_made_on(name):
    report = examine(**BLIND[name].examined())
    assert first(report) in BLIND[name].faults, str(report)


# What the doctor takes for a fault, with the first seed: chapter 14 says so.
ALARMED = {"continuous Bernoulli"}


@pytest.mark.slow
@pytest.mark.parametrize("name", NEW)
def test_the_first_finding_names_the_fault_of_those_that_came_when_its_rules_stood(name):
    report = examine(**NEW[name].examined())
    assert first(report) in NEW[name].faults, str(report)


@pytest.mark.slow
@pytest.mark.parametrize("name", HEALTHY)
def test_nothing_is_found_in_a_healthy_model(name):
    report = examine(**HEALTHY[name].examined())
    assert report.healthy is (name not in ALARMED), str(report)


def tiny(**settings):
    """A sound model of six pixels that nobody trained."""
    torch.manual_seed(0)
    net = nn.Module()
    net.down, net.up = (
        nn.Linear(6, 4),
        nn.Sequential(nn.Linear(2, 8), nn.BatchNorm1d(8), nn.Dropout(0.2), nn.Linear(8, 6)),
    )
    given = {"encode": lambda x: net.down(x).chunk(2, 1), "draw": honest_draw, "decode": net.up, "loss": sound}
    return net, given | {"train": X, "held_out": X[:30]} | settings


@pytest.mark.slow
def test_nothing_is_changed():
    """Modes, buffers, weights, gradients and the generator, also of a network that is only closed over."""
    for named in (True, False):
        net, given = tiny()
        net.train()
        sound(X, net.up(honest_draw(*given["encode"](X))), *given["encode"](X)).backward()
        before = [value.clone() for value in net.state_dict().values()]
        grads = [weight.grad.clone() for weight in net.parameters()]
        modes, state = [part.training for part in net.modules()], torch.get_rng_state()
        examine(**given, module=net if named else None)
        assert all(map(torch.equal, before, net.state_dict().values()))
        assert all(torch.equal(old, weight.grad) for old, weight in zip(grads, net.parameters(), strict=True))
        assert modes == [part.training for part in net.modules()] and torch.equal(state, torch.get_rng_state())
        assert torch.is_grad_enabled()


@pytest.mark.slow
def test_a_generator_of_the_functions_is_put_back_and_two_examinations_agree():
    own = torch.Generator().manual_seed(3)
    draw = lambda mu, s: mu + (s / 2).exp() * torch.randn(mu.shape, generator=own)  # noqa: E731
    state = own.get_state()
    reports = [examine(**tiny(draw=draw)[1], generator=own) for _ in range(2)]
    assert torch.equal(state, own.get_state()) and reports[0] == reports[1]


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (lambda *given: (sound(*given), 0.0), r"a tuple of 2: hand over lambda \*given: yours\(\*given\)\[0\]"),
        (lambda *given: {"loss": sound(*given)}, "a dict of 'loss'"),
        (lambda x, y, m, s: logits(y, x), r"shape \(8,\): hand over its mean"),
        (lambda *given: None, "got None"),
    ],
)
def test_a_loss_that_gives_no_number_is_no_health_and_its_error_is_not_guessed(broken, said):
    report = examine(**tiny(loss=broken)[1])
    assert not report.findings and not report.healthy and "negative ELBO, beta 1" not in report.numbers
    assert re.search(f"nothing found, but the loss could not be called: .*{said}", str(report))
    assert "could not be called" in report._repr_html_()


TURNED = {
    "probabilities": (lambda x, y, m, s: bce(y, x).mean() + kl(m, s).sum(1).mean(), torch.sigmoid),
    "logits": (sound, lambda y: y),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", TURNED)
def test_a_loss_with_the_reconstruction_first_is_told_and_examined_as_meant(name):
    loss, last = TURNED[name]
    net, given = tiny(loss=loss)
    given["decode"] = lambda z: last(net.up(z))
    plain, turned = (examine(**given | {"loss": one}) for one in (loss, lambda recon, x, mu, s: loss(x, recon, mu, s)))
    told = turned.findings[0]
    assert (told.fault, told.confidence) == ("swapped arguments", "likely") and "lambda x, y, mu, s" in told.mend
    assert [f.fault for f in turned.findings[1:]] == [f.fault for f in plain.findings]
    assert turned.numbers == plain.numbers and "swapped arguments" not in [f.fault for f in plain.findings]


@pytest.mark.slow
def test_a_log_variance_that_grows_fast_far_away_is_no_activation():
    """A linear head behind a SiLU: -3 to 277 for wild pictures, and as narrow as -3 on its own."""
    torch.manual_seed(0)
    body, heads = nn.Sequential(nn.Linear(20, 40), nn.SiLU()), (nn.Linear(40, 3), nn.Linear(40, 3))
    with torch.no_grad():
        heads[1].weight.abs_()
        heads[1].bias.fill_(-3.0)
    encode = lambda x: tuple(head(body(x)) for head in heads)  # noqa: E731
    loss = lambda x, y, m, s: (y - x).square().sum(1).mean() / 2 + kl(m, s).sum(1).mean()  # noqa: E731
    train = torch.randn(200, 20) @ torch.randn(20, 20)
    assert encode(30 * train)[1].max() > 100 and encode(train)[1].min() < -1
    report = examine(encode, honest_draw, nn.Linear(3, 20), loss, train=train)
    assert "activation on a head" not in [found.fault for found in report.findings]


SLY = {  # right for every log-variance above 0, where the six places of a variance lie
    "of the absolute value": lambda mu, s: mu + (s.abs() / 2).exp() * torch.randn_like(mu),
    "clamped at 0": lambda mu, s: mu + (s.clamp(min=0) / 2).exp() * torch.randn_like(mu),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SLY)
def test_a_draw_that_is_wrong_below_zero_only_is_told(name):
    found = {f.fault: f for f in examine(**tiny(draw=SLY[name])[1]).findings}["spread by the wrong formula"]
    assert "below" in found.says and found.expected == "0.779, 0.472, 0.223" and "-3.0" in found.how


@pytest.mark.slow
def test_the_draws_below_zero_move_no_other_number(monkeypatch):
    with_them = examine(**tiny()[1])
    monkeypatch.setattr("vaelib.doctor._noise.SIGNED", [])
    assert examine(**tiny()[1]) == with_them and "spread by the wrong formula" not in str(with_them)


@pytest.mark.slow
def test_a_sigma_far_above_the_residual_is_told_unless_it_is_meant():
    """The decoder is as good as perfect, so that sigma 1 is far above what is left over."""
    torch.manual_seed(0)
    x = torch.rand(60, 6)
    models = {"encode": lambda x: (x, torch.full_like(x, -12.0)), "decode": lambda z: z, "draw": honest_draw}

    def found(width, **told):
        loss = lambda x, y, m, s: ((x - y).square().sum() / (2 * width**2) + kl(m, s).sum()) / len(x)  # noqa: E731
        return {f.fault: f for f in examine(**models, loss=loss, train=x, **told).findings}

    wide = found(1.0)["sigma far above the residual"]
    times = float(re.search("is ([0-9.e+]+) times as wide", wide.says)[1])
    sharp = torch.distributions.Normal(0.0, 1.0)
    broad = torch.distributions.Normal(0.0, times)
    lost = (sharp.log_prob(draws := sharp.sample((100_000,))) - broad.log_prob(draws)).mean().item()
    assert wide.cost == pytest.approx(6 * lost, rel=0.01) and "rate of its own" in wide.mend
    assert times == pytest.approx(math.exp(6), rel=0.1) and wide.section[0] == "11_why_blurry"
    for calm in (found(1.0, beta=1.0), found(1.5 * math.exp(-6))):
        assert "sigma far above the residual" not in calm


@pytest.mark.slow
def test_an_encoder_is_judged_by_the_loss_that_it_was_trained_on():
    """The exact posterior for sigma 1 is far from the best for the narrow residual, which is no fault of its own."""
    torch.manual_seed(0)
    W = 3 * torch.linalg.qr(torch.randn(400, 2))[0]
    x = torch.randn(60, 2) @ W.T + 0.01 * torch.randn(60, 400)
    exact = {"encode": lambda x: (x @ W / 10, torch.full((len(x), 2), -math.log(10.0))), "decode": lambda z: z @ W.T}

    def found(sigma):
        loss = lambda x, y, m, s: ((x - y).square().sum() / (2 * sigma**2) + kl(m, s).sum()) / len(x)  # noqa: E731
        return [f.fault for f in examine(**exact, draw=honest_draw, loss=loss, train=x).findings]

    assert "encoder far from its best" not in found(1.0)
    assert "encoder far from its best" in found(0.05)  # of this loss it is not the exact one


def bend(head):
    """What the doctor measures at the zeros of a log-variance behind a network of straight pieces."""
    torch.manual_seed(1)
    body, last = nn.Sequential(nn.Linear(6, 32), nn.ReLU()), nn.Sequential(nn.Linear(32, 4), head)
    ward = Ward(lambda x: (body(x)[:, :4], last(body(x))), None, None, None, X, None, None, None)
    points = torch.cat([30 * torch.randn(64, 6), X])
    return _bend_at_zero(ward, points, ward.encode(points)[1].detach())


@pytest.mark.parametrize(
    ("head", "slope"),
    [(nn.Identity(), 1), (nn.LeakyReLU(), 0.01), (nn.LeakyReLU(0.2), 0.2), (nn.PReLU(init=3.0), 1 / 3), (nn.ELU(), 1)],
)
def test_an_activation_behind_the_log_variance_shows_in_its_slopes_at_zero(head, slope):
    assert bend(head) == pytest.approx(slope, rel=1e-3)


def test_a_log_variance_without_zeros_has_no_bend():
    assert bend(nn.Softplus()) == 1.0


def test_a_cause_stands_before_what_may_follow_however_sure_that_is():
    cause = Finding("activation on a head", "", "", "", "", "", 1.0, "likely")
    small = Finding("outputs beyond the pictures", "", "", "", "", "", 0.1, "likely")
    follows = Finding("crowd that misses its prior", "", "", "", "", "", 40.0, "certain")
    ranked = doctor._ranked(Ward(lambda x: (x, x), None, None, None, X, None, None, None), [small, cause], [follows])
    assert [f.fault for f in ranked] == [cause.fault, follows.fault, small.fault]
    assert ranked[0].price == "the 40 nats of what may follow" and ranked[1].price == "40 nats"


@pytest.mark.parametrize(("weight", "cheap"), [(1.0, False), (2.0, False), (0.1, True)])
def test_beta_is_raised_only_where_it_is_below_one(weight, cheap):
    loss = lambda x, y, m, s: (logits(x, y) + weight * kl(m, s).sum(1)).mean()  # noqa: E731
    _, given = tiny(loss=loss)
    ward = Ward(*(given[key] for key in ("encode", "draw", "decode", "loss", "train", "held_out")), None, None, None)
    assert _is_cheap(ward) is cheap


def test_what_was_not_measured_has_no_price():
    unpriced = Finding("shared noise", "one noise", "0", "1", "draws", "torch.randn_like(mu)", 1.0)
    assert "shared noise (cost not measured, certain)" in str(unpriced)
    assert "shared noise (costs 1.5 nats, certain)" in str(replace(unpriced, cost=1.5))


@pytest.mark.slow
def test_a_draw_that_is_none_is_sure_only_where_the_mode_of_the_network_is_known():
    for module, sure in ((None, "likely"), (tiny()[0], "certain")):
        report = examine(**tiny(draw=lambda m, s: m)[1], module=module)
        (found,) = [f for f in report.findings if f.fault == "mean instead of a draw"]
        assert found.confidence == sure and ("hand over module=" in found.mend) is (module is None)


def test_what_is_not_handed_over_is_listed():
    _, given = tiny()
    report = examine(given["encode"], train=X)
    text = "\n".join(report.not_examined)
    for part in (
        "the loss: no loss and no decode",
        "the draw: no draw",
        "no module",
        "none were held out",
        "no history",
    ):
        assert part in text
    assert "not examined" in str(report) and "not examined" in report._repr_html_()


def test_a_function_that_fails_is_told_and_ends_nothing():
    def broken(mu, s):
        raise RuntimeError("size mismatch")

    report = examine(**tiny(draw=broken)[1])
    assert any("RuntimeError: size mismatch" in line for line in report.not_examined) and "KL" in report.numbers


LOSSES = {  # loss -> error, weight of it and of the KL for batches of 8, second output
    "sums": (sound, "cross-entropy of logits", 1 / 8, 1 / 8, "log-variance"),
    "probabilities": (
        lambda x, y, m, s: bce(y, x).mean() + 3 * kl(m, s).sum(1).mean(),
        "cross-entropy of probabilities", 1 / 8, 3 / 8, "log-variance"),
    "means": (lambda x, y, m, s: mse_loss(y, x) + kl(m, s).mean(), "squared error", 1 / 48, 1 / 16, "log-variance"),
    "deviation": (
        lambda x, y, m, s: logits(y, x).sum() + ((m**2 + s**2 - 1) / 2 - s.log()).sum(),
        "cross-entropy of logits", 1, 1, "standard deviation"),
    "log deviation": (
        lambda x, y, m, s: (y - x).abs().sum() + ((m**2 + (2 * s).exp() - 1) / 2 - s).sum(),
        "absolute error", 1, 1, "log standard deviation"),
    "nothing": (lambda x, y, m, s: (y - x).square().sum(), "squared error", 1, 0, None),
}  # fmt: skip


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_is_read_by_its_derivatives(name):
    loss, error, c_rec, c_kl, second = LOSSES[name]
    found = read(loss, (6,), (6,), 2, X)
    assert (found.error, found.second) == (error, second)
    assert found.c_rec == pytest.approx(c_rec, rel=1e-4) and found.c_kl == pytest.approx(c_kl, rel=1e-4)


FAULTS = {  # fault -> loss
    "no reconstruction in the loss": lambda x, y, m, s: kl(m, s).sum(),
    "no KL in the loss": lambda x, y, m, s: logits(y, x).sum(),
    "wrong sign": lambda x, y, m, s: logits(y, x).sum() - kl(m, s).sum(),
    "swapped arguments": lambda x, y, m, s: bce(x, y).sum() + kl(m, s).sum(),
    "KL the wrong way round": lambda x, y, m, s: logits(y, x).sum() + reverse(m, s).sum(),
    "beta that depends on the batch": lambda x, y, m, s: logits(y, x).mean() + kl(m, s).sum(),
    "KL that is none": lambda x, y, m, s: logits(y, x).sum() + (m**2).sum() / 2,
    "KL that is none, by mu": lambda x, y, m, s: logits(y, x).sum() + (m + s.exp() - s - 1).sum() / 2,
}


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_a_loss_is_faulted_without_a_training(fault):
    found = [finding.fault for finding in examine(**tiny(loss=FAULTS[fault])[1]).findings]
    assert fault.split(",")[0] in found


DRAWS = {  # draw -> what it takes the second output for, and how many times too wide
    "log-variance": (honest_draw, "log-variance", 1),
    "deviation": (lambda m, s: m + s * torch.randn_like(m), "standard deviation", 1),
    "variance": (lambda m, s: m + s.sqrt() * torch.randn_like(m), "variance", 1),
    "exp": (lambda m, s: m + s.exp() * torch.randn_like(m), "log standard deviation", 1),
    "scaled": (lambda m, s: m + 0.1 * (s / 2).exp() * torch.randn_like(m), "log-variance", 0.1),
    "mean": (lambda m, s: m, None, 0),
}


@pytest.mark.parametrize("name", DRAWS)
def test_a_draw_is_known_by_its_noise(name):
    draw, second, k = DRAWS[name]
    torch.manual_seed(0)
    found = watch(draw, torch.zeros(2, 5))
    assert found.second == second and found.k == pytest.approx(k, rel=0.03)
    assert found.slope == pytest.approx(1, abs=0.05) and found.gradient == (True, k != 0)


def test_a_draw_that_is_the_mean_in_eval_is_noted_and_no_fault():
    net, given = tiny()
    given["draw"] = lambda mu, s: honest_draw(mu, s) if net.training else mu
    report = examine(**given, module=net)
    assert "the mean in eval()" in [note.fault for note in report.notes]
    assert "mean instead of a draw" not in [finding.fault for finding in report.findings]


def test_noise_that_is_shared_or_repeated_or_cut_off_is_seen():
    torch.manual_seed(0)
    fixed = lambda m, s: m + s * torch.randn(m.shape, generator=torch.Generator().manual_seed(1))  # noqa: E731
    assert watch(fixed, torch.zeros(2, 5)).repeated
    assert watch(once, torch.zeros(2, 5)).of_batch < 0.01
    assert watch(lambda m, s: m + s * torch.randn(len(m), 1), torch.zeros(2, 5)).of_latents < 0.01
    assert watch(cut, torch.zeros(2, 5)).gradient == (False, False)
    assert watch(honest_draw, torch.zeros(2, 5)).of_batch > 0.9


def test_nan_is_traced_to_where_it_is_born():
    for stage, change in {
        "decode": {"decode": lambda z: z.new_full((len(z), 6), math.nan)},
        "encode": {"encode": lambda x: (x[:, :2] / 0, x[:, :2])},
        "loss": {"loss": lambda x, y, m, s: sound(x, y, m, s) + math.inf},
        "the pictures": {"train": torch.where(X == 0, math.nan, X)},
    }.items():
        finding = examine(**tiny(**change)[1]).findings[0]
        assert finding.fault == "NaN" and stage in finding.says and finding.price == "everything"
    assert of_history([3.0, math.nan])[0][0].fault == "NaN" and of_history([1.0] * 20) == ([], [])
    assert of_history([20.0 - step for step in range(19)])[1][0].fault == "not done yet"


@pytest.mark.slow
def test_an_intended_beta_is_told_and_no_fault():
    twice = lambda x, y, m, s: (logits(y, x) + 2 * kl(m, s).sum(1)).mean()  # noqa: E731
    for beta, faulty in ((None, False), (2.0, False), (1.0, True)):
        report = examine(**tiny(loss=twice)[1], beta=beta)
        assert ("another beta than meant" in [finding.fault for finding in report.findings]) is faulty
        assert any("beta 2" in note.says for note in report.notes)


def test_a_report_reads_as_text_and_as_a_quiet_table():
    found = Finding("wrong sign", "a < b", "1", "2", "looking", "turn it", math.inf)
    report = Report((found,), (), ("nothing else",), {"KL": 1.5}, {})
    page, anchor = SECTIONS["wrong sign"]
    assert f"book: {page}.html#{anchor}" in str(report) and "costs everything, certain" in str(report)
    assert "a &lt; b" in report._repr_html_() and "style" not in report._repr_html_()
    assert not report.healthy and str(Report()).startswith("nothing found")


@pytest.mark.slow
def test_four_panels_are_drawn():
    import matplotlib

    matplotlib.use("Agg")
    report = examine(**tiny()[1], history=[3.0, 2.0])
    assert len(doctor.figures(report).axes) == 4
    with pytest.raises(TypeError, match="report must come from examine; got int"):
        doctor.figures(3)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"encode": 3}, TypeError, "encode must be a function; got 3"),
        ({"draw": "z"}, TypeError, "draw must be a function; got 'z'"),
        ({"decode": 3}, TypeError, "decode must be a function; got 3"),
        ({"loss": 3}, TypeError, "loss must be a function; got 3"),
        ({"train": [[0.5]]}, TypeError, "train must be a torch.Tensor; got list"),
        ({"train": X.int()}, TypeError, "train must be real and floating"),
        ({"train": X[:1]}, ValueError, r"train must hold at least 2 pictures.*got shape \(1, 6\)"),
        ({"train": X.to("meta")}, ValueError, "train must hold values"),
        ({"held_out": X.double()}, TypeError, "held_out must be torch.float32 on cpu like train; got torch.float64"),
        ({"held_out": X[:, :3]}, ValueError, r"held_out must hold pictures like train, \(6,\); got \(3,\)"),
        ({"history": "loss"}, TypeError, "history must be a list of losses; got 'loss'"),
        ({"module": honest_draw}, TypeError, "module must be a torch.nn.Module; got"),
        ({"beta": 0}, ValueError, "beta must be a finite number above 0; got 0"),
        ({"beta": "1"}, TypeError, "beta must be a finite number above 0; got '1'"),
        ({"prior": 3}, TypeError, "prior must have the function log_prob; got 3"),
        ({"generator": 3}, TypeError, "generator must be a torch.Generator or None; got 3"),
        (
            {"encode": nn.Linear(3, 4)},
            ValueError,
            r"encode refused two pictures of shape \(2, 6\) \(RuntimeError: mat1",
        ),
        ({"encode": lambda x: x}, TypeError, "encode must return mu and a second number"),
        (
            {"encode": lambda x: (x, x[:, :2])},
            ValueError,
            r"encode must return .* got \(2, 6\) and \(2, 2\)",
        ),
    ],
)
def test_what_cannot_be_examined_is_refused(change, error, message):
    with pytest.raises(error, match=message):
        examine(**tiny(**change)[1])


@pytest.mark.slow
def test_the_adapter_of_a_module_is_one_line():
    net = Net()
    train, new = binary()
    report = examine(net.encode, honest_draw, net.decode, sound, train=train[:100], held_out=new[:50], module=net)
    assert len(report.not_examined) == 1 and "history" in report.not_examined[0]
