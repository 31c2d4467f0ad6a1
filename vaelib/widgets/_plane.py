"""A latent plane as a page carries it: a decoder in 8-bit numbers, its pictures, and a still of where it starts."""

import base64
import math
from typing import NamedTuple

import numpy as np
from torch import Tensor, nn

from vaelib import _guard
from vaelib._extras import need
from vaelib.plots import COLORS, new_figure
from vaelib.widgets._live import PAGE_BYTES, live_figure

RANGES = {"z1": (-3, 3), "z2": (-3, 3)}


class PlaneNumbers(NamedTuple):
    """One point of the plane: its picture, row by row, each pixel the probability of white; and what can be said of it.

    `ink` is the expected number of white pixels, `log_prior` the logarithm of N(z; 0, I) in nats, `nearest` the label
    of the nearest stored code and `distance` how far away it is.
    """

    pixels: list[float]
    ink: float
    log_prior: float
    nearest: int
    distance: float


def plane_figure(decoder: nn.Sequential, codes: Tensor, labels: Tensor, z1: float = 0.0, z2: float = 0.0):
    """A latent plane under the pointer: the decoder, in 8-bit numbers, paints the picture of every point.

    Args:
        decoder: from z (B, 2) to logits (B, D), D a square number: linear layers with ReLUs between them.
        codes: means of q(z|x) of some examples, (N, 2), N at least 1, drawn as numerals.
        labels: their digits, (N,).
        z1, z2: where the sliders start, within `RANGES`.

    Returns: as `elbo_figure`.

    Raises:
        TypeError, ValueError: as `elbo_figure`; or the decoder has other layers, does not start from two numbers, does
            not end in a square picture, or is too large for a page; or codes and labels do not fit each other.

    Book: chapter 6.
    """
    packed = quantised(decoder)
    inputs, size = packed["layers"][0]["inputs"], len(packed["weights"])
    if inputs != 2 or size > PAGE_BYTES:
        raise ValueError(
            f"decoder must take 2 numbers and fit into {PAGE_BYTES} bytes of page; got {inputs} and {size}"
        )
    pixels = packed["layers"][-1]["outputs"]
    if math.isqrt(pixels) ** 2 != pixels:
        raise ValueError(f"decoder must end in a square number of pixels; got {pixels}")
    fixed = packed | {"codes": packed_codes(codes, labels)}
    return live_figure("plane", RANGES, fixed, {"z1": z1, "z2": z2}, plane_still)


def quantised(decoder: nn.Sequential) -> dict:
    """The linear layers of an MLP with one 8-bit integer a weight, and a scale for every output.

    Args:
        decoder: linear layers with ReLUs between them, as `vaelib.models.mlp` makes them.

    Returns:
        `weights`, base64 text of all integers, row by row; `layers`, a dict for each with `inputs`, `outputs`, and
        `scale` and `bias`, base64 text of float32. A weight is integer times scale, off by at most half a scale.

    Raises:
        TypeError, ValueError: any other layer, which the page could not compute; no biases; or weights that are not
            finite.

    Book: chapter 6.
    """
    layers, integers = [], []
    for layer in _linear_layers(decoder):
        weight, bias = (p.detach().cpu().double().numpy() for p in (layer.weight, layer.bias))
        scale = (np.abs(weight).max(1).clip(1e-12) / 127).astype("<f4")
        integers.append((weight / scale[:, None]).round().clip(-127, 127).astype(np.int8))
        sizes = {"inputs": weight.shape[1], "outputs": weight.shape[0]}
        layers.append(sizes | {"scale": as_text(scale), "bias": as_text(bias.astype("<f4"))})
    return {"weights": as_text(np.concatenate([block.ravel() for block in integers])), "layers": layers}


def _linear_layers(decoder: nn.Sequential) -> list[nn.Linear]:
    """The linear layers of an MLP, after a look at what stands between them."""
    if not isinstance(decoder, nn.Sequential) or len(decoder) == 0:
        raise TypeError(f"decoder must be an nn.Sequential of linear layers and ReLUs; got {type(decoder).__name__}")
    for place, module in enumerate(decoder):
        expected = nn.ReLU if place % 2 else nn.Linear
        if not isinstance(module, expected) or (place == len(decoder) - 1 and expected is nn.ReLU):
            form = "linear layers with ReLUs between them"
            raise ValueError(f"decoder must be {form}; got {type(module).__name__} at place {place}")
        if isinstance(module, nn.Linear):
            if module.bias is None:
                raise ValueError(f"decoder must have biases; got none at place {place}")
            _guard.finite(**{f"decoder[{place}].{name}": p for name, p in module.named_parameters()})
    return [module for module in decoder if isinstance(module, nn.Linear)]


def packed_codes(codes: Tensor, labels: Tensor) -> str:
    """Codes (N, 2) with their labels (N,), as base64 text of float32: z1, z2, label, code after code."""
    _guard.floats(codes=(codes, "(N, 2)"))
    _guard.dense("labels", labels)
    _guard.shapes(codes=(codes, "(N, 2)"), labels=(labels, "(N)"))
    _guard.nonempty(codes=codes)
    _guard.readable(codes=codes, labels=labels)
    _guard.finite(codes=codes, labels=labels)
    if labels.is_complex():
        raise TypeError(f"labels must be real; got {labels.dtype}")
    codes, labels = codes.double(), labels.detach().double()  # numpy knows no bfloat16
    return as_text(np.column_stack([codes.detach().cpu(), labels.cpu()]).astype("<f4"))


def plane_numbers(weights: str, layers: list[dict], codes: str, z1: float, z2: float) -> PlaneNumbers:
    """Decode one point of the plane with the 8-bit decoder.

    Args:
        weights, layers: from `quantised`; the last layer gives logits.
        codes: from `packed_codes`.
        z1, z2: the point.

    Book: chapter 6.
    """
    pixels = decoded(weights, layers, [z1, z2])
    points = unpacked(codes).reshape(-1, 3)
    far = np.hypot(*(points[:, :2] - [z1, z2]).T)
    log_prior = -np.log(2 * np.pi) - (z1**2 + z2**2) / 2
    nearest = int(far.argmin())
    return PlaneNumbers(
        pixels.tolist(), float(pixels.sum()), float(log_prior), int(points[nearest, 2]), float(far[nearest])
    )


def decoded(weights: str, layers: list[dict], z) -> np.ndarray:
    """The picture (D,) at the point z (2,): each pixel the probability of white."""
    integers, hidden = unpacked(weights, np.int8), np.asarray(z, float)
    for i, layer in enumerate(layers):
        size = layer["inputs"] * layer["outputs"]
        block, integers = integers[:size].reshape(layer["outputs"], -1).astype(float), integers[size:]
        hidden = unpacked(layer["scale"]) * (block @ hidden) + unpacked(layer["bias"])
        if i < len(layers) - 1:
            hidden = hidden.clip(0)
    return 1 / (1 + np.exp(-hidden))


def plane_still(weights: str, layers: list[dict], codes: str, z1: float, z2: float):
    """The plane with the stored codes as numerals, the point on it, and beside it the picture. Returns the figure."""
    Circle = need("matplotlib.patches", "figures").Circle

    n = plane_numbers(weights, layers, codes, z1, z2)
    side = round(len(n.pixels) ** 0.5)
    figure, (plane, picture) = new_figure(7, 3.6, panels=2)
    for x, y, label in unpacked(codes).reshape(-1, 3):
        plane.text(x, y, int(label), size=7, color=COLORS["q"], ha="center", va="center", clip_on=True)
    for radius in (1, 2):  # the prior's first two standard deviations
        plane.add_patch(Circle((0, 0), radius, fill=False, color=COLORS["prior"], linestyle=":"))
    plane.plot(z1, z2, "o", color=COLORS["p"], markersize=10, markeredgecolor="white")
    plane.set(xlabel="z₁", ylabel="z₂", xlim=(-3, 3), ylim=(-3, 3), aspect="equal")
    picture.imshow(np.reshape(n.pixels, (side, side)), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    picture.set(title=f"decoded from ({_say(z1)}, {_say(z2)})", xticks=[], yticks=[])
    return figure


def as_text(numbers: np.ndarray) -> str:
    """Base64 text of the bytes of an array: a list of digits would be three times as long."""
    return base64.b64encode(numbers.tobytes()).decode("ascii")


def unpacked(text: str, dtype: str | type = "<f4") -> np.ndarray:
    numbers = np.frombuffer(base64.b64decode(text), dtype)
    return numbers if dtype is np.int8 else numbers.astype(float)


def _say(value: float) -> str:
    """Two decimals and a true minus sign."""
    return f"{value:.2f}".replace("-", "\N{MINUS SIGN}")
