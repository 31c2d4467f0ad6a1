"""The faces: same factors, same bytes; each factor changes its own part; measured hues are the true ones."""

import colorsys

import pytest
import torch

from vaelib.faces import FACTORS, REGIONS, draw, hue, hue_distance, regions, sample_factors
from vaelib.faces._painter import Painter

COLUMN = {name: column for column, name in enumerate(FACTORS)}


PICTURE, MASK = torch.rand(2, 3, 4, 5), torch.ones(2, 4, 5)


def faces(count, seed=0, **fixed):
    factors = sample_factors(count, torch.Generator().manual_seed(seed))
    for name, value in fixed.items():
        factors[:, COLUMN[name]] = value
    return factors


def test_the_same_seed_gives_the_same_factors_and_the_same_bytes():
    assert torch.equal(faces(20, seed=3), faces(20, seed=3))
    assert torch.equal(draw(faces(20, seed=3)), draw(faces(20, seed=3)))


@pytest.mark.slow
def test_a_face_does_not_depend_on_its_company():
    factors = faces(23)
    together = draw(factors)
    assert torch.equal(together, draw(factors, chunk=1))
    assert torch.equal(together, draw(factors, chunk=7))
    assert torch.equal(together.flip(0), draw(factors.flip(0)))


def test_threads_do_not_change_the_bytes():
    factors, threads = faces(9), torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        alone = draw(factors)
        torch.set_num_threads(3)
        assert torch.equal(alone, draw(factors))
    finally:
        torch.set_num_threads(threads)


def test_pictures_have_the_size_asked_for():
    assert draw(faces(2)).shape == (2, 3, 64, 64)
    assert draw(faces(2), size=40).shape == (2, 3, 40, 40)
    assert draw(faces(0)).shape == (0, 3, 64, 64)
    assert draw(faces(1)).dtype == torch.uint8


def test_a_larger_picture_shows_the_same_face():
    """Averaged down, a picture of twice the size differs only by its finer edges."""
    factors = faces(16)
    fine = torch.nn.functional.avg_pool2d(draw(factors, size=128).float(), 2)
    assert (fine - draw(factors).float()).abs().mean() < 3


def test_factors_are_uniform_and_independent():
    factors = faces(20_000).double()
    for (name, factor), column in zip(FACTORS.items(), factors.T, strict=True):
        assert factor.low <= column.min() and column.max() <= factor.high, name
        if factor.unit == "kind":
            assert torch.equal(column.unique(), torch.arange(factor.low, factor.high + 1).double())
        share = (column - factor.low) / (factor.high - factor.low)
        assert (share.mean() - 0.5).abs() < 5 * share.std() / 20_000**0.5
    correlation = torch.corrcoef(factors.T) - torch.eye(len(FACTORS))
    assert correlation.abs().max() < 5 / 20_000**0.5


def test_regions_cover_every_pixel_once():
    seen = torch.stack(list(regions(faces(40)).values()))
    assert seen.min() >= -1e-6
    assert torch.allclose(seen.sum(0), torch.ones(40, 64, 64), atol=1e-5)


def test_every_region_is_somewhere():
    for name, seen in regions(faces(40)).items():
        assert seen.max() > 0.5, name


def test_hair_hue_is_what_you_measure():
    factors = faces(60, hair_saturation=0.6)
    measured = hue(draw(factors), regions(factors)["hair"])
    assert hue_distance(measured, factors[:, COLUMN["hair_hue"]]).max() < 3


def test_eye_hue_is_what_you_measure():
    factors = faces(60)
    measured = hue(draw(factors), regions(factors)["iris"])
    assert hue_distance(measured, factors[:, COLUMN["eye_hue"]]).max() < 5


def test_skin_is_measured_from_rosy_to_golden():
    """Light from the fringe's shadow, blush and outlines does not count as skin."""
    factors = [faces(30, skin_undertone=tone) for tone in (-0.6, 0, 0.6)]
    tones = torch.stack([hue(draw(f), regions(f)["skin"]) for f in factors])
    assert (tones.diff(dim=0) > 0).all()
    assert tones[0].min() > 8 and tones[2].max() < 36


def test_skin_goes_from_fair_to_deep():
    """Brightness inside the mask falls at every fifth of the range; hair has its own range, independent of it."""
    factors = [faces(20, skin_depth=depth) for depth in (0, 0.2, 0.4, 0.6, 0.8, 1)]
    masks = [regions(f)["skin"][:, None] for f in factors]
    light = torch.stack(
        [(draw(f) * m).sum((1, 2, 3)) / m.sum((1, 2, 3)) / 765 for f, m in zip(factors, masks, strict=True)]
    )
    assert (light.diff(dim=0) < -0.03).all()
    assert light[0].min() > 0.8 and light[-1].max() < 0.35


@pytest.mark.parametrize("degrees", [0, 47, 120, 200, 359])
def test_hue_agrees_with_the_hue_of_hsv(degrees):
    """colorsys is the independent answer; the two definitions differ by at most 1.12 degrees."""
    rgb = torch.tensor(colorsys.hsv_to_rgb(degrees / 360, 0.7, 0.6)).reshape(1, 3, 1, 1).expand(1, 3, 8, 8)
    mask = torch.ones(1, 8, 8)
    assert hue_distance(hue(rgb, mask), torch.tensor(degrees)) < 1.2
    assert hue_distance(hue((rgb * 255).round().to(torch.uint8), mask), torch.tensor(degrees)) < 2


def test_hue_is_circular_weighted_and_undefined_for_grey():
    red = torch.tensor(colorsys.hsv_to_rgb(350 / 360, 1, 1)), torch.tensor(colorsys.hsv_to_rgb(10 / 360, 1, 1))
    picture = torch.stack(red, 1).reshape(1, 3, 1, 2)
    assert hue_distance(hue(picture, torch.ones(1, 1, 2)), torch.zeros(())) < 0.1
    assert hue_distance(hue(picture, torch.tensor([[[0.0, 1.0]]])), torch.tensor(10.0)) < 1.2
    assert hue(torch.full((1, 3, 4, 4), 0.5), torch.ones(1, 4, 4)).isnan().all()
    assert hue(picture, torch.zeros(1, 1, 2)).isnan().all()


@pytest.mark.parametrize("scale", [1, 255])
@pytest.mark.parametrize(
    "pixels", [torch.uint8, torch.int64, torch.float16, torch.bfloat16, torch.float32, torch.float64]
)
@pytest.mark.parametrize("weights", [torch.uint8, torch.bool, torch.int64, torch.float16, torch.float32, torch.float64])
def test_a_hue_is_the_same_in_every_dtype_and_on_every_scale(pixels, weights, scale):
    """With a mask of 0 and 255 the bytes overflowed: 99.2 degrees for 30. And 4096 pixels overflow half precision."""
    orange = torch.tensor([255, 128, 0])[None, :, None, None].expand(1, 3, 64, 64)  # hue 30
    images = orange.to(pixels) if not pixels.is_floating_point else (orange / 255).to(pixels)
    mask = (torch.ones(1, 64, 64) * scale).to(weights)
    mask[:, :32] = 0
    found = hue(images, mask)
    assert found.dtype == (torch.float64 if torch.float64 in (pixels, weights) else torch.float32)
    assert hue_distance(found, torch.tensor([30.0])) < 0.5


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int16, torch.int64, torch.float16, torch.float32, torch.float64])
def test_hue_distances_are_right_in_every_dtype(dtype):
    """uint8: 10 - 250 + 180 wraps."""
    a, b = torch.tensor([250, 10, 0, 90]), torch.tensor([10, 250, 180, 90])
    found = hue_distance(a.to(dtype), b.to(dtype))
    assert found.tolist() == [120, 120, 180, 0] and found.is_floating_point()
    assert hue_distance(a.to(dtype), torch.tensor(340)).tolist() == [90, 30, 20, 110]
    close = hue_distance(torch.tensor([359.9999, 1e-4]), torch.tensor([0.0]))
    assert (close >= 0).all() and close.max() < 2e-4


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: hue(PICTURE, -MASK), ValueError, "mask must hold weights of at least 0; got -1"),
        (lambda: hue(PICTURE, MASK * float("nan")), ValueError, "mask must hold weights of at least 0; got nan"),
        (lambda: hue(PICTURE, MASK + 1j), TypeError, "mask must be real; got torch.complex64"),
        (lambda: hue(PICTURE, MASK[:1]), ValueError, r"mask must have shape \(B, H, W\) with B = 2, H = 4, W = 5; got"),
        (lambda: hue(PICTURE[:, :2], MASK), ValueError, r"images must have shape \(B, 3, H, W\); got \(2, 2, 4, 5\)"),
        (lambda: hue(PICTURE, MASK.tolist()), TypeError, "mask must be a torch.Tensor; got list"),
        (lambda: hue_distance(torch.ones(2), 3.0), TypeError, "b must be a torch.Tensor; got float"),
        (lambda: hue_distance(torch.ones(2), torch.ones(3)), ValueError, "b must have batch dimensions that broadcast"),
    ],
)
def test_what_has_no_hue_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.fixture
def float64_by_default():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


BYTES = draw(faces(3)), regions(faces(3))["skin"], hue(draw(faces(3)), regions(faces(3))["hair"])


def test_the_default_dtype_changes_nothing(float64_by_default):
    factors = faces(3)
    assert factors.dtype == torch.float32
    assert torch.equal(draw(factors), BYTES[0]) and torch.equal(draw(factors.double()), BYTES[0])
    assert torch.equal(regions(factors)["skin"], BYTES[1])
    assert torch.equal(hue(draw(factors), regions(factors)["hair"]), BYTES[2])


def test_hue_distance_goes_the_short_way_round():
    a, b = torch.tensor([350.0, 10.0, 0.0, 90.0]), torch.tensor([10.0, 350.0, 180.0, 90.0])
    assert hue_distance(a, b).tolist() == [20, 20, 180, 0]


def test_errors_name_the_factor_and_the_range():
    with pytest.raises(ValueError, match=r"factors must have shape \(B, \d+\).*got \(2, 3\)"):
        draw(torch.zeros(2, 3))
    with pytest.raises(ValueError, match=r"jaw must be from 0 to 1 .*got 1.5"):
        draw(faces(2, jaw=1.5))
    with pytest.raises(ValueError, match=r"eye_hue must be from 0 to 360 .*got nan"):
        regions(faces(2, eye_hue=float("nan")))
    with pytest.raises(ValueError, match=r"tied must be a whole number from 0 to 2 .*got 0.5"):
        draw(faces(2, tied=0.5))
    for bad in (8, 16.0, True, None):
        with pytest.raises((TypeError, ValueError), match="size must be a whole number of at least 16; got"):
            draw(faces(2), size=bad)
    with pytest.raises(ValueError, match="chunk must be a whole number of at least 1; got 0"):
        regions(faces(2), chunk=0)
    for wrong in (faces(2).long(), faces(2).tolist(), faces(2).to("meta")):
        with pytest.raises((TypeError, ValueError), match="factors must"):
            draw(wrong)
    for bad in (-1, 2.0, None):
        with pytest.raises((TypeError, ValueError), match="n must be a whole number of at least 0; got"):
            sample_factors(bad)
    with pytest.raises(TypeError, match=r"generator must be a torch\.Generator or None; got 0"):
        sample_factors(2, 0)
    with pytest.raises(ValueError, match="mask"):
        hue(torch.zeros(2, 3, 8, 8), torch.zeros(2, 3, 8, 8))


EYE = {"white", "iris", "pupil", "highlight", "lashes"}
CHANGES = {  # factor -> the regions, before or after, that hold every pixel it changes
    "skin_depth": {"skin", "shadow", "line"}, "skin_undertone": {"skin", "shadow", "line"},
    "eye_size": EYE, "eye_openness": EYE, "eye_tilt": EYE, "gaze": EYE - {"lashes"}, "eye_hue": {"iris"},
    "eye_spacing": EYE | {"brows", "glasses"}, "brow_height": {"brows"}, "brow_tilt": {"brows"},
    "mouth_curve": {"mouth"}, "mouth_open": {"mouth"}, "blush": {"blush"},
    "hair_hue": {"hair", "brows"}, "hair_saturation": {"hair", "brows"}, "hair_lightness": {"hair", "brows"},
    "hair_volume": {"hair"}, "antenna": {"hair"}, "side_locks": {"hair"}, "back_length": {"hair"},
    "fringe_length": {"hair", "shadow"}, "parting": {"hair", "shadow"}, "spikiness": {"hair", "shadow"},
    "tied": {"hair", "outfit"}, "accessory": {"hair", "outfit", "glasses"},
    "outfit_hue": {"outfit"}, "background_hue": {"background"},
}  # fmt: skip
EVERYTHING = {"head_tilt", "face_width", "jaw"}  # they move the whole head, or what borders on its outline


def moved(name, count=16):
    """The same faces with the factor `name` at its low end, and moved up by a third of its range."""
    factor = FACTORS[name]
    step = 1 if factor.unit == "kind" else (factor.high - factor.low) / 3
    return faces(count, **{name: factor.low + step}), faces(count, **{name: factor.low + 2 * step})


def test_the_table_of_changes_is_complete():
    assert set(CHANGES) | EVERYTHING == set(FACTORS)


@pytest.mark.slow
@pytest.mark.parametrize("name", CHANGES)
def test_a_factor_changes_its_own_part_and_nothing_else(name):
    before, after = moved(name)
    changed = (draw(before) != draw(after)).any(1)
    assert changed.flatten(1).any(1).float().mean() > 0.9
    own = sum(seen[part] for seen in (regions(before), regions(after)) for part in CHANGES[name])
    assert not (changed & (own == 0)).any()


@pytest.mark.parametrize("name", sorted(EVERYTHING))
def test_the_head_moves_as_a_whole(name):
    before, after = (draw(factors) for factors in moved(name))
    changed = (before != after).any(1)
    assert changed.flatten(1).any(1).all()
    if name == "head_tilt":
        assert changed.float().mean() > 0.3


@pytest.mark.parametrize("name", [name for name, factor in FACTORS.items() if factor.unit != "kind"])
def test_a_small_step_of_a_factor_is_a_small_step_of_the_picture(name):
    """A thousandth of the range moves edges by at most a fifteenth of a pixel and no colour by more than that."""
    factor = FACTORS[name]
    at = faces(10, **{name: factor.low + 0.4 * (factor.high - factor.low)})
    near = at.clone()
    near[:, COLUMN[name]] += (factor.high - factor.low) / 1000
    assert (draw(at).int() - draw(near).int()).abs().max() <= 255 / 15


@pytest.mark.parametrize("name", [name for name, factor in FACTORS.items() if factor.circular])
def test_a_hue_comes_back_to_where_it_began(name):
    assert torch.equal(draw(faces(8, **{name: 0})), draw(faces(8, **{name: 360})))


def test_windows_cut_nothing_off(monkeypatch):
    """Small parts are painted in windows: with every window the whole picture, the bytes are the same."""
    table = torch.tensor([(factor.low, factor.high) for factor in FACTORS.values()])
    ends = torch.randint(2, (120, len(FACTORS)), generator=torch.Generator().manual_seed(1))
    factors = table[torch.arange(len(FACTORS)), ends]
    windowed = draw(factors)
    monkeypatch.setattr(Painter, "window", lambda self, *sides: self)
    assert torch.equal(windowed, draw(factors))


def test_nothing_is_made_on_the_default_device():
    factors = faces(3)
    expected = draw(factors)
    with torch.device("meta"):
        assert torch.equal(draw(factors), expected)
        assert regions(factors)["hair"].device == factors.device
        assert sample_factors(3, torch.Generator().manual_seed(0)).device == factors.device


def test_arguments_are_left_alone():
    factors = faces(3)
    before = factors.clone()
    draw(factors), regions(factors)
    assert torch.equal(factors, before)


def test_regions_are_named():
    assert tuple(regions(faces(1))) == REGIONS
