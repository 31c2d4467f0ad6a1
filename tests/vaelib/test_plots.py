import time

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import nbclient
import nbformat
import numpy as np
import pytest
import torch

from vaelib.plots import COLORS, UNIT, image_rows, label_line, new_figure


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def luminance(color):
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in matplotlib.colors.to_rgb(color))
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


@pytest.mark.parametrize("name", COLORS)
def test_every_colour_can_be_read_as_text_on_white(name):
    """WCAG AA for text asks for a contrast of 4.5; labels are written in these colours."""
    assert 1.05 / (luminance(COLORS[name]) + 0.05) >= 4.5


def test_rows_hold_the_pictures_on_one_scale():
    rows = {"data": torch.full((3, 4, 5), 51, dtype=torch.uint8), "decoder": np.full((2, 4, 5), 1.7)}
    figure = image_rows(rows, captions={"decoder": ["a", "b"]})
    images = figure.axes[0].get_images()
    assert len(images) == 5 and all(image.get_clim() == (0, 1) for image in images)
    assert images[0].get_array().max() == pytest.approx(0.2) and images[-1].get_array().max() == 1
    texts = [t.get_text() for axis in figure.axes for t in axis.texts]
    assert sorted(texts) == ["a", "b", "data", "decoder"]


def test_a_row_of_the_wrong_shape_is_named():
    with pytest.raises(ValueError, match=r"row 'flat' must hold .* \(N, H, W\) or \(N, 3, H, W\); got \(3, 784\)"):
        image_rows({"flat": torch.zeros(3, 784)})
    with pytest.raises(ValueError, match=r"row 'last' must hold .* got \(2, 8, 8, 3\)"):
        image_rows({"last": torch.zeros(2, 8, 8, 3)})


def test_rows_of_colour_stand_beside_rows_of_grey():
    colour = torch.zeros(2, 3, 4, 5, dtype=torch.uint8)
    colour[0, 0], colour[1, 2, 1] = 255, 51  # all red; one line of dark blue
    figure = image_rows({"colour": colour, "wild": 3.0 * colour / 255 - 1, "grey": torch.rand(2, 4, 5)})
    shown = [image.get_array() for image in figure.axes[0].get_images()]
    assert [image.shape for image in shown] == [(4, 5, 3)] * 4 + [(4, 5)] * 2
    assert (shown[0] == [1, 0, 0]).all()
    assert np.allclose(shown[1][1], [0, 0, 0.2]) and (shown[1][0] == 0).all()
    assert shown[2].min() == 0 and shown[2].max() == 1


def test_every_picture_stands_in_its_cell_and_is_not_stretched():
    rows = {"tall": np.zeros((3, 8, 4)), "square": np.zeros((1, 5, 5))}
    figure = image_rows(rows, captions={"square": ["one"]}, size=2)
    width, height = figure.get_size_inches() / UNIT
    assert (width, height) == pytest.approx((3 * 2 + 1.8, 2 * 2 * 1.35))
    axis = figure.axes[0]
    a, b, c, square = (image.get_extent() for image in axis.get_images())  # left, right, bottom, top: downwards
    for left, right, bottom, top in (a, b, c):
        assert (bottom - top) / (right - left) == pytest.approx(2)
    assert square[1] - square[0] == pytest.approx(square[2] - square[3])
    assert a[1] < b[0] and b[1] < c[0] and a[2] < square[3] and b[0] - a[0] == pytest.approx(c[0] - b[0])
    assert (square[0] + square[1]) / 2 == pytest.approx((a[0] + a[1]) / 2)  # one column
    at = {text.get_text(): text.get_position() for text in axis.texts}
    assert at["tall"][0] < 0.5 * (a[0] + a[1]) and at["tall"][1] == pytest.approx((a[2] + a[3]) / 2)
    assert at["one"][1] > square[2] and at["one"][0] == pytest.approx((square[0] + square[1]) / 2)
    span = (axis.get_position().width * width, axis.get_position().height * height)  # a unit is a unit both ways
    assert span == pytest.approx((axis.get_xlim()[1], axis.get_ylim()[0]))


@pytest.mark.slow
def test_a_thousand_pictures_are_drawn_within_seconds():
    """8.5 seconds when each had its own axes. The processor's time, because others may compute here as well."""
    start = time.process_time()
    figure = image_rows({str(row): np.zeros((100, 28, 28), dtype=np.uint8) for row in range(10)}, size=0.1)
    figure.canvas.draw()
    assert time.process_time() - start < 3 and len(figure.axes) == 1


@pytest.mark.parametrize(
    "dtype", [torch.uint8, torch.bool, torch.float16, torch.bfloat16, torch.float32, torch.float64]
)
def test_one_grey_is_one_grey_in_every_dtype(dtype):
    """int64 0..255 was shown as white paper."""
    grey = torch.tensor([[[0.0, 1.0], [1.0, 0.0]]])
    picture = (grey * 255).to(dtype) if dtype == torch.uint8 else grey.to(dtype)
    for images in (picture, picture.transpose(1, 2), picture.requires_grad_(dtype.is_floating_point)):
        (shown,) = image_rows({"x": images}).axes[0].get_images()
        assert shown.get_array().tolist() == [[0, 1], [1, 0]]


@pytest.mark.parametrize(
    ("rows", "error", "message"),
    [
        (
            {"x": torch.full((1, 2, 2), 255)},
            TypeError,
            r"row 'x' must hold floats in \[0, 1\], uint8 or bool; got int64",
        ),
        ({"x": torch.zeros(1, 2, 2) + 1j}, TypeError, "row 'x' must hold floats .* got complex64"),
        ({"x": torch.zeros(1, 2, 2) / 0}, ValueError, "row 'x' must be finite; got NaN or infinity"),
        ({"x": torch.zeros(0, 2, 2)}, ValueError, r"row 'x' must hold pictures of shape .* got \(0, 2, 2\)"),
        (
            {"x": torch.zeros(1, 2, 2).to("meta")},
            ValueError,
            "row 'x' must hold values; got a tensor on the meta device",
        ),
        ({"x": torch.zeros(2, 2).to_sparse()}, TypeError, "row 'x' must be a dense tensor; got torch.sparse_coo"),
        ({"x": [["a"]]}, ValueError, r"row 'x' must hold pictures"),
        ({}, ValueError, r"rows must hold at least one row, and each that captions names; got \[\]"),
    ],
)
def test_a_row_of_something_else_is_refused(rows, error, message):
    with pytest.raises(error, match=message):
        image_rows(rows)


def test_sizes_and_captions_that_make_no_sense_are_refused():
    picture = {"x": np.zeros((1, 2, 2))}
    with pytest.raises(ValueError, match=r"rows must hold .* each that captions names; got \['x'\]"):
        image_rows(picture, captions={"y": ["a"]})
    for bad in (0, -1.0, float("nan"), "big", None):
        with pytest.raises((TypeError, ValueError), match="size must be a finite number above 0; got"):
            image_rows(picture, size=bad)
        with pytest.raises((TypeError, ValueError), match="width must be a finite number above 0; got"):
            new_figure(bad)
    for bad in (0, 1.5, True):
        with pytest.raises((TypeError, ValueError), match="panels must be a whole number of at least 1; got"):
            new_figure(panels=bad)
    for bad in ([1], [1, 0], [1, -1], "12"):
        with pytest.raises((TypeError, ValueError), match="width_ratios must be 2 numbers above 0; got"):
            new_figure(panels=2, width_ratios=bad)
    _, axis = new_figure()
    for at in (float("nan"), float("inf"), None, "here", torch.zeros(2), True):
        with pytest.raises((TypeError, ValueError), match="y must be a finite number; got"):
            label_line(axis, 0, at, "name", "black")
    label_line(axis, torch.tensor(1), np.float32(2), "name", "black")
    for bad in ("no colour", 3, None):
        with pytest.raises(ValueError, match="color must be one that matplotlib knows; got"):
            label_line(axis, 0, 0, "name", bad)
    with pytest.raises(TypeError, match="captions of 'x' must be a list of texts; got int"):
        image_rows(picture, captions={"x": 3})
    with pytest.raises(ValueError, match="row 'x' must hold pictures of one shape; got several"):
        image_rows({"x": [[[1.0]], [[1.0, 2.0]]]})
    for wrong in ((None, "name"), (axis, 3)):
        with pytest.raises(TypeError, match="axis must be of matplotlib and text a str; got"):
            label_line(wrong[0], 0, 0, wrong[1], "black")


def test_inputs_are_left_alone():
    image = np.full((1, 2, 2), 3.0)
    image_rows({"x": image})
    assert (image == 3).all()


def test_figure_and_labels():
    figure, axes = new_figure(8, 3, panels=2)
    assert (figure.get_size_inches() * figure.dpi).round().tolist() == [880, 330] and len(axes) == 2
    label = label_line(axes[0], 1, 2, "ELBO", COLORS["q"], dx=6)
    assert label.get_text() == "ELBO" and label.get_color() == COLORS["q"] and label.xyann == (6, 0)
    assert not axes[0].spines["top"].get_visible()


@pytest.mark.slow
def test_every_figure_of_a_notebook_is_shown_once():
    draw = "figure, axis = new_figure(2, 1)\n_ = axis.plot([0, 1])"
    sources = ["from vaelib.plots import new_figure", draw, draw, "1 + 1"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    nbclient.NotebookClient(notebook, kernel_name="python3").execute()
    pictures = [sum("image/png" in out.get("data", {}) for out in cell.outputs) for cell in notebook.cells]
    assert pictures == [0, 1, 1, 0]
