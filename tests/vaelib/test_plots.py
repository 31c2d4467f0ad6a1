import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import nbclient
import nbformat
import numpy as np
import pytest
import torch

from vaelib.plots import COLORS, image_rows, label_line, new_figure


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
    images = [axis.get_images()[0] for axis in figure.axes if axis.get_images()]
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
    shown = [axis.get_images()[0].get_array() for axis in figure.axes]
    assert [image.shape for image in shown] == [(4, 5, 3)] * 4 + [(4, 5)] * 2
    assert (shown[0] == [1, 0, 0]).all()
    assert np.allclose(shown[1][1], [0, 0, 0.2]) and (shown[1][0] == 0).all()
    assert shown[2].min() == 0 and shown[2].max() == 1


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


def test_every_figure_of_a_notebook_is_shown_once():
    draw = "figure, axis = new_figure(2, 1)\n_ = axis.plot([0, 1])"
    sources = ["from vaelib.plots import new_figure", draw, draw, "1 + 1"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    nbclient.NotebookClient(notebook, kernel_name="python3").execute()
    pictures = [sum("image/png" in out.get("data", {}) for out in cell.outputs) for cell in notebook.cells]
    assert pictures == [0, 1, 1, 0]
