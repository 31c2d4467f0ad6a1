"""Plots are told from pictures, and marked on the pages."""

import re

import dark
import numpy as np
import pytest
from PIL import Image


@pytest.mark.parametrize(("white", "expected"), [(1.0, True), (0.8, True), (0.7, False), (0.0, False)])
def test_a_plot_is_mostly_white(tmp_path, white, expected):
    pixels = np.full((10, 10, 4), 255, np.uint8)
    pixels[round(10 * white) :, :, 1] = 0  # the rest is of one colour
    Image.fromarray(pixels).save(tmp_path / "figure.png")
    assert dark.is_plot(tmp_path / "figure.png") == expected


def test_every_figure_of_a_chapter_is_marked_as_one_or_the_other(built):
    for chapter, kinds in (("03_elbo", {"plot", "picture"}), ("07_faces", {"plot", "picture"})):
        page = (built / "book" / f"{chapter}.html").read_text(encoding="utf-8")
        figures = [tag for tag in re.findall(r"<img[^>]*>", page) if ".png" in tag and "_images/" in tag]
        marks = [set(re.findall("plot|picture", " ".join(re.findall('class="([^"]*)"', tag)))) for tag in figures]
        assert len(figures) > 5 and all(len(mark) == 1 for mark in marks) and set.union(*marks) == kinds
