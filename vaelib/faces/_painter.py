"""The painter behind `vaelib.faces`: shapes go in from front to back, colours or regions come out."""

import math

import torch
from torch import Tensor

from vaelib.faces._shapes import turned

LEFT, TOP, SPAN = -1.06, -1.11, 2.12  # the picture in the units of the drawing: a head is about 1.3 wide
CHIN = 0.65  # the height about which the head tilts


class Painter:
    """Paints from front to back: what is painted first hides what comes later.

    Attributes:
        x, y: (1, 1, W) and (1, H, 1) coordinates of the picture, about -1 to 1, y downwards.
        head_x, head_y: (B, H, W) coordinates that tilt with the head.
        wide_x: (B, H, W), head_x in units of the width of the face.
        left: (B, H, W) share of each pixel that nothing covers yet.
        image: (B, 3, H, W) colours so far, 0 to 1; stays black if regions are asked for.
        seen: name of a region -> (B, H, W) share of each pixel that shows it; empty if colours are asked for.
        pixel: width of a pixel in the units of x and y.
    """

    def __init__(self, tilt: Tensor, width: Tensor, size: int, regions: tuple[str, ...] = ()):
        """An empty picture for each entry of `tilt` (degrees) and `width`, both (B, 1, 1)."""
        count, device = len(tilt), tilt.device
        self.pixel, self.part = SPAN / size, ...
        middle = (torch.arange(size, device=device, dtype=torch.float32) + 0.5) * self.pixel
        self.x, self.y = middle[None, None, :] + LEFT, middle[None, :, None] + TOP
        self.head_x, self.head_y = turned(self.x, self.y - CHIN, tilt)
        self.head_y = self.head_y + CHIN
        self.wide_x = self.head_x / width
        like = {"device": device, "dtype": torch.float32}  # whatever torch's default dtype is
        self.left = torch.ones(count, size, size, **like)
        self.image = torch.zeros(count, 3, size, size, **like)
        self.seen = {name: torch.zeros(count, size, size, **like) for name in regions}

    def window(self, top: float, bottom: float, left: float = -2.0, right: float = 2.0) -> "Painter":
        """A painter of a part of the picture, which paints into this one: small shapes need few pixels."""
        rows, columns = self._span(TOP, top, bottom), self._span(LEFT, left, right)
        window = object.__new__(Painter)
        window.pixel, window.part = self.pixel, (..., rows, columns)
        window.x, window.y = self.x[..., columns], self.y[:, rows]
        for name in ("head_x", "head_y", "wide_x", "left", "image"):
            setattr(window, name, window.crop(getattr(self, name)))
        window.seen = {name: window.crop(seen) for name, seen in self.seen.items()}
        return window

    def crop(self, whole: Tensor) -> Tensor:
        """The part of (..., H, W) that belongs to this window."""
        return whole[self.part]

    def paint(self, region: str, colour: Tensor, cover: Tensor) -> None:
        """Adds a shape behind all that is painted already.

        Args:
            region: which region the shape belongs to.
            colour: (B, 3, 1, 1) or (1, 3, 1, 1), 0 to 1.
            cover: (B, H, W) share of each pixel inside the shape, 0 to 1.
        """
        shows = self.left * cover
        self.left.sub_(shows)
        if self.seen:
            self.seen[region].add_(shows)
        else:
            self.image.add_(shows[:, None] * colour)

    def fill(self, region: str, colour: Tensor, distance: Tensor, opacity: Tensor | float = 1.0) -> None:
        """`paint` for a shape given by its signed distance, with an edge that is one pixel soft."""
        self.paint(region, colour, self.inside(distance) * opacity)

    def inside(self, distance: Tensor) -> Tensor:
        """Share of each pixel on the inner side of an edge: 1/2 where the edge runs through its middle."""
        return (distance * (-1 / self.pixel)).add_(0.5).clamp_(0, 1)

    def _span(self, first: float, low: float, high: float) -> slice:
        size, ends = self.left.shape[-1], (low - first, high - first + 2 * self.pixel)
        return slice(*(min(max(math.floor(end / self.pixel), 0), size) for end in ends))
