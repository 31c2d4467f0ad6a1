"""What is wrong with a VAE, anybody's: found by experiments, never by reading its code.

Derivatives tell what a loss is made of, draws at known places what the noise is, codes of any size what a network can
reach. What they find is priced in nats on the pictures that are handed over.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from vaelib import _guard
from vaelib.doctor._aside import mode, untouched
from vaelib.doctor._figures import figures
from vaelib.doctor._of_bound import of_bound, of_modes
from vaelib.doctor._of_code import of_code
from vaelib.doctor._of_draw import note_of_draw, of_draw
from vaelib.doctor._of_life import of_history, of_life
from vaelib.doctor._of_loss import note_of_beta, of_loss
from vaelib.doctor._of_ranges import of_heads, of_ranges
from vaelib.doctor._plain import plain_bound
from vaelib.doctor._report import Finding, Report
from vaelib.doctor._sections import SECTIONS
from vaelib.doctor._stored import StoredMuseum, Visited, stored_museum
from vaelib.doctor._ward import MOST, NotExamined, Ward
from vaelib.objectives import Prior

__all__ = ["SECTIONS", "Finding", "Report", "StoredMuseum", "Visited", "examine", "figures", "stored_museum"]

EXAMS = {  # name -> experiment, and what it cannot do without
    "numbers that are none": (of_life, ()),
    "the loss": (of_loss, ("loss", "decode")),
    "the draw": (of_draw, ("draw",)),
    "ranges of the outputs": (of_ranges, ("decode",)),
    "the encoder's heads": (of_heads, ()),
    "train() and eval()": (of_modes, ("module", "decode")),
    "the code": (of_code, ()),
    "the bound": (of_bound, ("decode",)),
}
SURE = {"certain": 1.0, "likely": 0.9, "possible": 0.8}  # of two that cost about as much, the surer stands first
OF_SILENCE = ("posterior collapse", "encoder that does not learn")  # what these cost, a plain VAE tells
CAUSES = 6  # the first so many may cause what the others find


def examine(
    encode: Callable[[Tensor], tuple[Tensor, Tensor]],
    draw: Callable[[Tensor, Tensor], Tensor] | None = None,
    decode: Callable[[Tensor], Tensor] | None = None,
    loss: Callable[[Tensor, Tensor, Tensor, Tensor], Tensor] | None = None,
    *,
    train: Tensor,
    held_out: Tensor | None = None,
    history: Sequence[float] | None = None,
    module: nn.Module | None = None,
    beta: float | None = None,
    prior: Prior | None = None,
    generator: torch.Generator | None = None,
) -> Report:
    """Findings about a VAE, the dearest first: what is wrong, the number that shows it, and where the book explains it.

    With a module of the usual kind the adapter is one line each:

        examine(net.encode, net.reparameterize, net.decode, loss, train=x, held_out=new, module=net)

    Args:
        encode: function of pictures (B, ...) that gives mu and a second number for each latent, (B, L) each.
        draw: function of both that gives z, (B, L), as in training.
        decode: function of z that gives the reconstruction as the loss takes it, (B, ...).
        loss: function of x, the reconstruction, mu and the second number, in this order, that returns one number, as
            it is minimised. Where yours takes the reconstruction first: `lambda x, y, mu, s: yours(y, x, mu, s)`.
        train: pictures of the training, (N, ...), as the loss sees them; at most 1000 are used.
        held_out: others, (M, ...).
        history: losses of the training in their order, evenly spaced: one a pass, or every twentieth step.
        module: the network, whose train() and eval() are compared; without it, it is looked at in the mode it has.
        beta: the one that you mean: KL over error, for a squared error over half its sum; a loss of this beta passes.
            Without it no weight that somebody chose is a fault, but a Gaussian much wider than its residual is.
        prior: anything with `log_prob(z) -> (N,)`, nats, where it is not N(0, I).
        generator: one that your functions draw from, put back afterwards.

    Returns:
        `Report`. What was not handed over is listed as not examined. Costs are nats per example. Of a loss with
        another error than a square, an absolute value or a cross-entropy, such as that of a mixture or with several
        numbers a pixel, a nat is what a nat of the KL costs in the loss itself.

    Raises:
        TypeError: a function is none, pictures are no floating tensor, beta no number, module no module, or prior
            has no `log_prob`.
        ValueError: pictures are empty, or encode does not return two tensors (B, L).

    Nothing changes: weights, gradients, buffers, modes, and the generators of PyTorch are afterwards as they were.
    """
    _check(encode, draw, decode, loss, train, held_out, history, module, beta, prior, generator)
    held_out = None if held_out is None else _some(held_out)
    ward = Ward(encode, draw, decode, loss, _some(train), held_out, module, beta, prior)
    with untouched(module, train.device, generator), mode(module, False):
        _check_codes(ward)
        return _examined(ward, history)


def _examined(ward: Ward, history: Sequence[float] | None) -> Report:
    causes, effects, notes, missing = [], [], [], []
    for place, (name, (exam, needs)) in enumerate(EXAMS.items()):
        lacking = [need for need in needs if getattr(ward, need) is None]
        if lacking:
            missing.append(f"{name}: no {' and no '.join(lacking)} was handed over")
        elif not any(finding.fault == "NaN" for finding in causes):
            found, trouble = _tried(exam(ward))
            (causes if place < CAUSES else effects).extend(found)
            missing += [f"{name}: {trouble}"] if trouble else []
    missing += ["new pictures: none were held out"] if ward.held_out is None else []
    missing += ["a plain VAE beside it: the error of the loss is none that is known"] if ward.nat else []
    if history is None:
        missing.append("the curve of the training: no history was handed over")
    else:
        found, notes = of_history(losses := [float(value) for value in history])
        ward.curves["history"] = losses
        causes += found
    notes += _tried(note_of_beta(ward))[0] + _tried(note_of_draw(ward))[0]
    refused = tuple(f"the {name} could not be called: {_first_line(error)}" for name, error in ward.refused.items())
    ranked = tuple(_ranked(ward, causes, effects))
    return Report(ranked, tuple(notes), tuple(missing), ward.numbers, ward.curves, refused)


def _tried(exam: Iterable[Finding]) -> tuple[list[Finding], str]:
    """What an experiment finds until a stranger's function refuses it, and what that said."""
    found = []
    try:
        for finding in exam:
            found.append(finding)
    except NotExamined as reason:
        return found, str(reason)
    except Exception as error:  # any: the function is not ours
        return found, _first_line(error)
    return found, ""


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".split("\n")[0][:150]


def _ranked(ward: Ward, causes: list[Finding], effects: list[Finding]) -> list[Finding]:
    """The dearest first, equals by confidence. A cause costs what follows from it, and a plain VAE's lead."""
    short = _shortfall(ward) if causes or effects else 0.0
    if not ward.nat:
        effects = [replace(f, cost=short) if f.fault in OF_SILENCE else f for f in effects]
    least = max([short, *(finding.cost for finding in effects)])
    causes = [replace(f, cost=least, with_effects=True) if 1 <= f.cost < least else f for f in causes]
    # A cause of at least a nat stands before what may follow from it, however sure that is.
    lead = {id(f): least + 0.1 * SURE[f.confidence] for f in causes if f.cost >= 1}
    return sorted([*causes, *effects], key=lambda f: -max(f.cost * SURE[f.confidence], lead.get(id(f), 0.0)))


def _shortfall(ward: Ward) -> float:
    """Nats by which a plain VAE, trained here for a second, beats the patient."""
    bound = ward.numbers.get("negative ELBO, beta 1")
    if bound is None or ward.nat or (ward.kind == "Bernoulli" and not 0 <= ward.x.min() <= ward.x.max() <= 1):
        return 0.0
    ward.numbers["negative ELBO of a plain VAE"] = plain = plain_bound(ward)
    return max(0.0, bound - plain)


def _some(x: Tensor) -> Tensor:
    x = x.detach()
    return x if len(x) <= MOST else x[torch.linspace(0, len(x) - 1, MOST, device=x.device).long()]


def _check(encode, draw, decode, loss, train, held_out, history, module, beta, prior, generator) -> None:
    _guard.functions(encode=encode)
    given = {"draw": draw, "decode": decode, "loss": loss}
    _guard.functions(**{name: value for name, value in given.items() if value is not None})
    pictures = {"train": train} | ({} if held_out is None else {"held_out": held_out})
    for name, x in pictures.items():
        _guard.floats(**{name: (x, "(..., D)")})
    _guard.readable(**pictures)
    for name, x in pictures.items():
        if x.dtype != train.dtype or x.device != train.device:
            raise TypeError(f"{name} must be {train.dtype} on {train.device} like train; got {x.dtype} on {x.device}")
        if x.dim() < 2 or len(x) < 2:
            raise ValueError(f"{name} must hold at least 2 pictures, (N, ...); got shape {tuple(x.shape)}")
        if x.shape[1:] != train.shape[1:]:
            raise ValueError(
                f"{name} must hold pictures like train, {tuple(train.shape[1:])}; got {tuple(x.shape[1:])}"
            )
    _guard.nonempty(**pictures)
    if module is not None:
        _guard.modules(module=module)
    if beta is not None:
        _guard.numbers(0, beta=beta)
    if prior is not None:
        _guard.methods("log_prob", prior=prior)
    if isinstance(history, str | bytes) or not isinstance(history, Sequence | None):
        raise TypeError(f"history must be a list of losses; got {_guard.shown(history)}")
    _guard.noise(generator, train.device)


def _check_codes(ward: Ward) -> None:
    try:
        found: Any = ward.encode(ward.x[:2])
    except Exception as error:  # any: the function is not ours
        shape = tuple(ward.x[:2].shape)
        raise ValueError(
            f"encode refused two pictures of shape {shape} ({_first_line(error)}); if it takes rows, hand over "
            "x.flatten(1)"
        ) from error
    if not isinstance(found, tuple | list) or len(found) < 2 or not all(isinstance(t, Tensor) for t in found[:2]):
        raise TypeError(f"encode must return mu and a second number for each latent, (B, L) each; got {found!r:.60}")
    if found[0].dim() != 2 or found[0].shape != found[1].shape or len(found[0]) != 2:
        raise ValueError(
            f"encode must return (B, L) twice; got {tuple(found[0].shape)} and {tuple(found[1].shape)} for B = 2"
        )
