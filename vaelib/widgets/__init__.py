"""Live figures: their JavaScript does the arithmetic, so they also work on a page without a kernel.

Each has a private file of its own beside its script: the figure, the ends of its sliders, the same numbers in Python
(the tests compare both), and the still picture for places where no script runs.
"""

from vaelib.widgets._elbo import elbo_figure
from vaelib.widgets._flow import flow_figure
from vaelib.widgets._frontier import frontier_figure
from vaelib.widgets._kl import kl_figure
from vaelib.widgets._noise import noise_figure
from vaelib.widgets._plane import plane_figure
from vaelib.widgets._sheet import sheet_figure
from vaelib.widgets._spectrum import spectrum_figure
from vaelib.widgets._water import water_figure

__all__ = [
    "elbo_figure",
    "flow_figure",
    "frontier_figure",
    "kl_figure",
    "noise_figure",
    "plane_figure",
    "sheet_figure",
    "spectrum_figure",
    "water_figure",
]
