"""Over what a loss averages: the same loss with half the numbers, twice the latents, half the batch."""

import math
from typing import NamedTuple

from vaelib.doctor._loss import Reading, read
from vaelib.doctor._ward import Ward

TRIED = 8  # examples in the batch that `read` tries


class Reductions(NamedTuple):
    """How c_kl / c_rec comes about.

    Attributes:
        ratio: c_kl / c_rec for sums over numbers and latents.
        plain: the same with the means taken out: what is left is a weight that somebody wrote.
        words: "D", "L", "B" -> what was seen.
        tried: whether sizes were varied; else the means are guessed from the ratio.
    """

    ratio: float
    plain: float
    words: dict[str, str]
    tried: bool


def reductions(ward: Ward, whole: Reading) -> Reductions:
    assert ward.loss is not None and whole.c_rec and whole.c_kl
    D, L, shape, out = ward.data_dim, ward.latent_dim, ward.x.shape[1:], ward.output.shape[1:]
    ratio, words = whole.c_kl / whole.c_rec, {}
    half = _again(ward, shape, out, L, B=TRIED // 2)
    if half and not math.isclose(half.c_kl / half.c_rec, ratio, rel_tol=1e-3):  # pyright: ignore
        words["B"] = "grows" if half.c_kl / half.c_rec < ratio else "falls"  # pyright: ignore
    less = shape[-1] // 2
    fewer = _again(ward, (*shape[:-1], less), _fewer(out, shape, less), L) if less and shape[-1] % 2 == 0 else None
    more = _again(ward, shape, out, 2 * L)
    pixels, latents = _guessed(ratio, D, L)
    pixels = _is_mean(fewer.c_rec / whole.c_rec) if fewer else pixels  # pyright: ignore
    latents = _is_mean(whole.c_kl / more.c_kl) if more else latents  # pyright: ignore
    if pixels:
        words["D"] = f"the error is a mean over {D} numbers"
    if latents and L > 1:
        words["L"] = f"the KL is a mean over {L} latents"
    plain = ratio / (D if pixels else 1) * (L if latents else 1)
    return Reductions(ratio, plain, words, bool(fewer and more))


def _again(ward: Ward, shape, out, latent_dim: int, B: int = TRIED) -> Reading | None:
    """The loss at other sizes, where it can be tried and stays the same kind."""
    assert ward.loss is not None
    try:
        found = read(ward.loss, shape, out, latent_dim, ward.x, B)
    except Exception:  # whatever a stranger's loss says about a shape that it was not written for
        return None
    return found if found.c_rec and found.c_kl else None


def _fewer(out, shape, less: int):
    """The decoder's shape with as many numbers as the smaller picture has."""
    return (*out[:-1], out[-1] * less // shape[-1])


def _is_mean(grown: float) -> bool:
    """Whether a weight doubles where there are half as many numbers."""
    return math.isclose(grown, 2, rel_tol=1e-2)


def _guessed(ratio: float, D: int, L: int) -> tuple[bool, bool]:
    for pixels, latents in ((True, False), (True, True), (False, True)):
        plain = ratio / (D if pixels else 1) * (L if latents else 1)
        if any(math.isclose(plain, weight, rel_tol=0.02) for weight in (0.5, 1, 2)):
            return pixels, latents
    return False, False
