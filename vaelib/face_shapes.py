"""Signed distances and the painter behind `vaelib.faces`: negative inside a shape, zero on its edge.

Every function here uses only operations that a processor rounds in one way (sums, products, quotients, square
roots, comparisons), so that the same factors give the same bytes in any batch and on any device.
"""

import torch
from torch import Tensor


class Painter:
    """Paints from front to back: what is painted first hides what comes later.

    Attributes:
        x, y: (B, H, W) or (1, H, W) coordinates, about -1 to 1, y downwards.
        left: (B, H, W) share of each pixel that nothing covers yet.
        image: (B, 3, H, W) colours so far, 0 to 1.
        seen: name of a region -> (B, H, W) share of each pixel that shows it.
        pixel: width of a pixel in the units of x and y.
    """

    def __init__(self, count: int, size: int, device: torch.device, names: tuple[str, ...] = ()):
        self.pixel = 2.12 / size
        middle = (torch.arange(size, device=device, dtype=torch.float32) + 0.5) * self.pixel - 1.06
        self.x, self.y = middle[None, None, :], middle[None, :, None] - 0.05
        self.left = torch.ones(count, size, size, device=device)
        self.image = torch.zeros(count, 3, size, size, device=device)
        self.seen = {name: torch.zeros(count, size, size, device=device) for name in names}

    def window(self, top: float, bottom: float, side: float = 1.0) -> "Painter":
        """A painter of the rows from `top` to `bottom` and the columns up to `side`: it paints into this one."""
        size = self.left.shape[-1]
        rows = slice(max(0, int((top + 1) / 2 * size)), min(size, int((bottom + 1) / 2 * size) + 1))
        columns = slice(max(0, int((1 - side) / 2 * size)), min(size, int((1 + side) / 2 * size) + 1))
        part = object.__new__(Painter)
        part.pixel, part.x, part.y = self.pixel, self.x[..., columns], self.y[:, rows]
        part.left, part.image = self.left[:, rows, columns], self.image[..., rows, columns]
        part.seen = {name: seen[:, rows, columns] for name, seen in self.seen.items()}
        return part

    def paint(self, region: str, colour: Tensor, cover: Tensor) -> None:
        """Adds a shape behind all that is painted already.

        Args:
            region: which region the shape belongs to.
            colour: (B, 3, 1, 1) or (B, 3, H, W), 0 to 1.
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
        """Share of each pixel on the inner side of an edge: 1/2 on the edge itself."""
        return (distance * (-1 / self.pixel)).add_(0.5).clamp_(0, 1)


def circle(x: Tensor, y: Tensor, radius: Tensor | float) -> Tensor:
    """Distance to a circle around the origin."""
    return (x * x + y * y).sqrt() - radius


def ellipse(x: Tensor, y: Tensor, wide: Tensor | float, high: Tensor | float) -> Tensor:
    """Distance to an ellipse around the origin, to first order near its edge."""
    u, v = x / wide, y / high
    squared = u * u + v * v
    u, v = u / wide, v / high
    return (squared - squared.sqrt()) / (u * u + v * v + 1e-6).sqrt()


def hull(x: Tensor, y: Tensor, radius: Tensor | float, end: Tensor | float, height: Tensor | float) -> Tensor:
    """Distance to the hull of two circles: `radius` at the origin, `end` at `height` straight below it."""
    x = x.abs()
    b = (radius - end) / height
    a = (1 - b * b).sqrt()
    along = a * y - b * x
    between = a * x + b * y - radius
    return torch.where(
        along < 0, circle(x, y, radius), torch.where(along > a * height, circle(x, y - height, end), between)
    )


def blend(first: Tensor, second: Tensor, soft: float) -> Tensor:
    """Union of two shapes whose meeting is rounded over the length `soft`."""
    near = (soft - (first - second).abs()).clamp_(min=0)
    return torch.minimum(first, second) - near * near / (4 * soft)


def wave(u: Tensor) -> Tensor:
    """A wave of period 1 with pointed crests: 1 at whole numbers, 0 flat half-way between."""
    v = (u - u.floor()) * 2 - 1
    return v * v


def hsl(hue: Tensor, saturation: Tensor | float, lightness: Tensor | float) -> Tensor:
    """(B, 3, 1, 1) RGB of a hue in degrees, all of shape (B, 1, 1) or numbers."""
    saturation = torch.as_tensor(saturation, device=hue.device, dtype=hue.dtype)
    lightness = torch.as_tensor(lightness, device=hue.device, dtype=hue.dtype)
    reach = saturation * torch.minimum(lightness, 1 - lightness)
    channels = []
    for offset in (0, 8, 4):
        k = (hue / 30 + offset) % 12
        channels.append(lightness - reach * torch.minimum(k - 3, 9 - k).clamp(-1, 1))
    return torch.stack([c.expand_as(hue) for c in channels], 1)


def toward(colour: Tensor, other: float, share: Tensor | float) -> Tensor:
    """`colour` mixed with black (0) or white (1): the hue stays."""
    return colour + (other - colour) * share


def turned(x: Tensor, y: Tensor, degrees: Tensor) -> tuple[Tensor, Tensor]:
    """Coordinates turned by a small angle (clockwise on the screen), by series: |degrees| up to 30."""
    t = degrees * 0.017453292519943295
    s = t * t
    sine, cosine = t * (1 - s / 6 * (1 - s / 20 * (1 - s / 42))), 1 - s / 2 * (1 - s / 12 * (1 - s / 30))
    return cosine * x + sine * y, cosine * y - sine * x
