"""Every public door is tried with wrong types, dtypes, shapes, empties, NaN, strides, meta and sparse tensors.

Two outcomes pass: the right value, or a TypeError or ValueError that names the argument and what was received. A new
public function needs an entry in `DOORS`, or its module in `ELSEWHERE`, which says where it is attacked instead.
"""

import importlib
import inspect
import re
from pathlib import Path

import library
import matplotlib
import pytest
import torch
from torch import nn

from vaelib import distributions as vd
from vaelib import faces, frontier, interpolation, linear, metrics, models, objectives, plots, widgets

matplotlib.use("Agg")
ELSEWHERE = {  # modules whose every door has a table of its own
    "beta": "test_beta.py",
    "checks": "test_checks.py", "checkpoints": "test_checkpoints.py", "data": "test_data.py", "train": "test_train.py",
}  # fmt: skip


def draws(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def noise():
    return torch.Generator().manual_seed(0)


A, B, C, D = (draws(4, 3, seed=seed) for seed in range(4))
P, COV, COV2 = A.sigmoid(), torch.eye(3).double() + 0.5, torch.eye(3).double() * 2
W, OFFSET, X = draws(5, 3), draws(5), draws(4, 5)
LAB = {"W": W, "b": OFFSET, "sigma": 0.6}
FACES = faces.sample_factors(2, noise()).double()
AXIS = plots.new_figure()[1]
DECODER = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 9))


def lab(method):
    return lambda W, b, sigma, **rest: getattr(linear.LinearGaussian(W, b, sigma), method)(**rest)


def components(method):
    return lambda mean, components, **rest: getattr(linear.PCA(mean, components, OFFSET), method)(**rest)


def of_any_sign(x, latent_dim):
    found = linear.pca(x, latent_dim)
    return found._replace(components=found.components.abs())


AE = models.Autoencoder(3, 2, (4,)).double().requires_grad_(False)
MODEL = models.mlp_vae(3, 2, (4,)).double().requires_grad_(False)
BOUND = {"model": MODEL, "x": P, "log_likelihood": vd.bernoulli_log_prob, "generator": noise()}
Q = {**LAB, "x": X, "mu": A, "cov": COV}
FOUND = {"mean": OFFSET, "components": linear.pca(draws(40, 5), 3).components}
# name: (function, good arguments, the arguments whose leading dimensions are a batch)
DOORS = {
    "distributions.normal_log_prob": (vd.normal_log_prob, {"x": A, "mu": B, "logvar": C}, "x mu logvar"),
    "distributions.bernoulli_log_prob": (vd.bernoulli_log_prob, {"x": P, "logits": B}, "x logits"),
    "distributions.normal_kl": (
        vd.normal_kl, {"mu_q": A, "logvar_q": B, "mu_p": C, "logvar_p": D}, "mu_q logvar_q mu_p logvar_p"),
    "distributions.standard_normal_kl": (vd.standard_normal_kl, {"mu": A, "logvar": B}, "mu logvar"),
    "distributions.multivariate_normal_log_prob": (
        vd.multivariate_normal_log_prob, {"x": A, "mu": B, "cov": COV}, "x mu"),
    "distributions.multivariate_normal_kl": (
        vd.multivariate_normal_kl, {"mu_q": A, "cov_q": COV, "mu_p": B, "cov_p": COV2}, "mu_q mu_p"),
    "distributions.reparameterize": (vd.reparameterize, {"mu": A, "logvar": B, "generator": noise()}, "random"),
    "interpolation.slerp": (interpolation.slerp, {"a": A, "b": B, "t": 0.3}, ""),
    "linear.PCA.encode": (components("encode"), {**FOUND, "x": X}, ""),
    "linear.PCA.decode": (components("decode"), {**FOUND, "z": A}, ""),
    "linear.covariance": (linear.covariance, {"x": X}, ""),
    "linear.pca": (of_any_sign, {"x": X, "latent_dim": 2}, ""),
    "linear.fit_ppca": (linear.fit_ppca, {"x": draws(40, 5), "latent_dim": 2}, ""),
    "linear.LinearGaussian.sample": (lab("sample"), {**LAB, "n": 3, "generator": noise()}, "random"),
    "linear.LinearGaussian.log_prob": (lab("log_prob"), {**LAB, "x": X}, "x"),
    "linear.LinearGaussian.posterior": (lab("posterior"), {**LAB, "x": X}, ""),
    "linear.LinearGaussian.expected_log_likelihood": (lab("expected_log_likelihood"), Q, ""),
    "linear.LinearGaussian.elbo": (lab("elbo"), Q, ""),
    "linear.LinearGaussian.gap": (lab("gap"), Q, ""),
    "frontier.stored_frontier": (frontier.stored_frontier, {}, "random"),
    "widgets.frontier_figure": (
        widgets.frontier_figure, {"stored": frontier.stored_frontier(), "power": 0.5}, "picture"),
    "frontier.reverse_waterfilling": (
        lambda eigenvalues, sigma: frontier.reverse_waterfilling(eigenvalues, 0.7, sigma),
        {"eigenvalues": torch.tensor([3.0, 2.0, 0.5]).double(), "sigma": 1.2}, ""),
    "metrics.principal_angles": (metrics.principal_angles, {"a": draws(6, 2), "b": draws(6, 3, seed=1)}, ""),
    "metrics.active_units": (metrics.active_units, {"mu": X, "threshold": 0.01}, ""),
    "metrics.bits_per_dim": (metrics.bits_per_dim, {"log_prob": A[0], "dims": 3, "levels": 256}, ""),
    "metrics.frechet_distance": (metrics.frechet_distance, {"real": draws(9, 2), "made": draws(8, 2, seed=1)}, ""),
    "metrics.nearest": (metrics.nearest, {"made": draws(4, 2), "real": draws(5, 2, seed=1)}, ""),
    "metrics.sample_quality": (metrics.sample_quality, {"real": draws(9, 2), "made": draws(8, 2, seed=1), "k": 2}, ""),
    "metrics.classifier_features": (
        lambda x, labels, steps: metrics.classifier_features(x, labels, (4, 3), steps, 2)[0].weight,
        {"x": A, "labels": torch.arange(4) % 2, "steps": 2}, "random"),
    "metrics.log_marginal_iw": (metrics.log_marginal_iw, {**BOUND, "num_samples": 2}, "random"),
    "objectives.elbo_terms": (lambda **a: tuple(objectives.elbo_terms(**a)), BOUND, "random"),
    "objectives.log_weights": (objectives.log_weights, {**BOUND, "num_samples": 2}, "random"),
    "objectives.iwae_bound": (objectives.iwae_bound, {**BOUND, "num_samples": 2}, "random"),
    "models.Autoencoder.encode": (AE.encode, {"x": P}, ""),
    "models.Autoencoder.decode": (AE.decode, {"z": A[:, :2]}, ""),
    "models.Autoencoder.forward": (AE.forward, {"x": P}, ""),
    "models.VAE.encode": (MODEL.encode, {"x": P}, ""),
    "models.VAE.decode": (MODEL.decode, {"z": A[:, :2]}, ""),
    "models.VAE.sample": (MODEL.sample, {"n": 3, "generator": noise()}, "random"),
    "models.mlp": (models.mlp, {"sizes": [3, 2]}, "picture"),
    "models.mlp_vae": (models.mlp_vae, {"data_dim": 3, "latent_dim": 2}, "picture"),
    "models.conv_vae": (
        lambda latent_dim, channels, size: models.conv_vae(latent_dim, (4, 4), channels, size),
        {"latent_dim": 2, "channels": 1, "size": 8}, "picture"),
    "faces.sample_factors": (faces.sample_factors, {"n": 3, "generator": noise()}, "random"),
    "faces.draw": (faces.draw, {"factors": FACES, "size": 16, "chunk": 2}, ""),
    "faces.regions": (faces.regions, {"factors": FACES, "size": 16, "chunk": 2}, ""),
    "faces.hue": (faces.hue, {"images": draws(2, 3, 4, 5).sigmoid(), "mask": draws(2, 4, 5).sigmoid()}, "greys"),
    "faces.hue_distance": (faces.hue_distance, {"a": 90 * A, "b": 90 * B}, ""),
    "plots.new_figure": (plots.new_figure, {"width": 2.0, "height": 1.0, "panels": 2}, "picture"),
    "plots.image_rows": (
        lambda x, size: plots.image_rows({"x": x}, size=size), {"x": draws(2, 4, 4).sigmoid(), "size": 0.5}, "picture"),
    "plots.label_line": (
        plots.label_line, {"axis": AXIS, "x": 0.5, "y": 0.5, "text": "name", "color": "black", "dx": 1.5}, "picture"),
    "widgets.elbo_figure": (widgets.elbo_figure, dict.fromkeys(("x", "sigma", "w", "mu", "logvar"), 0.5), "picture"),
    "widgets.kl_figure": (widgets.kl_figure, {"mu": 0.5, "logvar": 0.5, "wrong": False}, "picture"),
    "widgets.noise_figure": (
        widgets.noise_figure, {"mu": 0.5, "logvar": 0.5, "draw": 3, "wrong": False, "seed": 2}, "picture"),
    "widgets.plane_figure": (
        widgets.plane_figure, {"decoder": DECODER, "codes": A[:, :2], "labels": torch.arange(4), "z1": 0.5}, "picture"),
    "widgets.sheet_figure": (
        widgets.sheet_figure,
        {"pictures": torch.ones(2, 1, 1, 3, 64, 64), "lengths": torch.ones(2, 1, 1), "mix": 0.5}, "picture"),
}  # fmt: skip


def doors(name):
    """Public functions of a module, and the public methods of its classes."""
    module, found = importlib.import_module(f"vaelib.{name}"), set()
    own = [key for key, value in vars(module).items() if getattr(value, "__module__", "") == module.__name__]
    for key in getattr(module, "__all__", [key for key in own if not key.startswith("_")]):
        value = getattr(module, key)
        if getattr(value, "_is_protocol", False):
            continue  # it says what others have to offer
        if inspect.isclass(value):
            methods = {part for part, f in vars(value).items() if inspect.isfunction(f) and not part.startswith("_")}
            found |= {
                f"{name}.{key}.{part}" for part in methods if getattr(value, part).__module__.startswith("vaelib")
            }
        elif callable(value):
            found.add(f"{name}.{key}")
    return found


def test_every_door_is_tried_or_counted():
    missing = {name: sorted(doors(name) - set(DOORS)) for name in library.module_names()}
    assert {name: names for name, names in missing.items() if names and name not in ELSEWHERE} == {}
    assert all(Path(__file__).with_name(file).exists() for file in ELSEWHERE.values())
    assert set(DOORS) <= set().union(*map(doors, library.module_names()))


NO_NUMBER = {"str": "3", "None": None, "complex": 1j, "two": torch.ones(2), "bool": True}
BAD = {  # by the type of the good value: each of these must be refused
    int: {**NO_NUMBER, "negative": -1, "share": 1.5},
    float: {**NO_NUMBER, "nan": float("nan"), "inf": float("inf")},
    bool: {"str": "False", "None": None, "int": 3},
    str: {"int": 3},
    torch.Generator: {"int": 3, "str": "seed"},
    torch.Tensor: {"list": [[0.5]], "None": None, "str": "a", "int": 3, "sparse": torch.eye(3).double().to_sparse()},
    object: {"None": None, "int": 3, "str": "a"},
}


def variants(good):
    """Tensors made from a good one, which may be refused and, if not, must give the right value."""
    flat = good.double()
    spoilt = {name: flat.clone() for name in ("nan", "inf")}
    for name, value in spoilt.items():
        value[(0,) * value.dim()] = float(name)
    dtypes = (torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.uint8, torch.bool, torch.complex128)
    yield from {str(dtype): flat.to(dtype) for dtype in dtypes if good.dtype != dtype}.items()
    yield from spoilt.items()
    yield from {
        "meta": good.to("meta"), "strided": good.repeat_interleave(2, -1)[..., ::2], "negative": -good,
        "grad": flat.clone().requires_grad_(), "empty": good[:0], "no column": good[..., :0], "column": good[..., :1],
        "row": good[0], "more": good[None], "bare": good.sum(), "longer": torch.cat([good, good]),
        "wider": torch.cat([good, good], -1), "stacked": good.expand(2, *good.shape),
    }.items()  # fmt: skip


def tensors(result):
    parts = result.values() if isinstance(result, dict) else result if isinstance(result, tuple) else [result]
    return [part for part in parts if isinstance(part, torch.Tensor)]


def complaint(f, arguments, name):
    """The result of a call, and what is wrong with its error, if it is not a clear one."""
    try:
        return f(**arguments), None
    except (TypeError, ValueError) as error:
        names = "|".join([name, *arguments, *faces.FACTORS])  # of a fitting pair, either may be called wrong
        clear = re.search(rf"\b({names})\b", str(error)) and re.search("got|neither|not a valid", str(error))
        return None, None if clear else f"unclear {type(error).__name__}: {error}"
    except Exception as error:
        return None, f"{type(error).__name__}: {str(error)[:120]}"


def verdict(f, arguments, kind, result, how):
    """What is wrong with a value that came back, or None: against float64, against one row alone, or for NaN."""
    found = tensors(result)
    if how == "meta":
        return None if all(part.device.type == "meta" for part in found) else "a value from no values"
    loud = any(not part.isfinite().all() for part in found if part.is_floating_point())
    if how in ("nan", "inf"):
        return None if loud or kind == "picture" else "a finite value from NaN or infinity"
    if loud and kind != "greys":
        return "NaN or infinity from finite numbers"
    if kind in ("random", "picture"):
        return None
    double = {key: value.detach().double() if torch.is_tensor(value) else value for key, value in arguments.items()}
    exact = tensors(f(**double))
    for part, right in zip(found, exact, strict=True):
        rtol = 0.02 if part.dtype in (torch.float16, torch.bfloat16) else 1e-4
        if part.shape != right.shape or not torch.allclose(part.double(), right.double(), rtol, rtol, equal_nan=True):
            return "another value than in float64"
    if kind not in ("", "greys") and found[0].numel():
        batched = {key: double[key] for key in kind.split()}
        shape = torch.broadcast_shapes(*(value.shape for value in batched.values()))
        alone = {key: value.expand(shape).reshape(-1, shape[-1])[-1] for key, value in batched.items()}
        if found[0].shape != shape[:-1] or not torch.allclose(
            f(**{**double, **alone}).double(), exact[0].reshape(-1)[-1]
        ):
            return "another value than for one example alone"
    return None


@pytest.mark.parametrize("door", DOORS)
def test_a_door_gives_the_right_value_or_says_what_is_wrong(door):
    f, good, kind = DOORS[door]
    assert verdict(f, good, kind, f(**good), "good") is None
    failures = []
    for name, value in good.items():
        kinds = [kind for kind in BAD if type(value) is kind] or [torch.Tensor if torch.is_tensor(value) else object]
        for how, bad in BAD[kinds[0]].items():
            result, wrong = complaint(f, {**good, name: bad}, name)
            failures += [(name, how, wrong or "let in")] if wrong or result is not None else []
        for how, bad in variants(value) if torch.is_tensor(value) else ():
            result, wrong = complaint(f, {**good, name: bad}, name)
            wrong = wrong or (verdict(f, {**good, name: bad}, kind, result, how) if result is not None else None)
            failures += [(name, how, wrong)] if wrong else []
    for dtype in (torch.float32, torch.float16, torch.bfloat16):
        as_one = {k: v.to(dtype) if torch.is_tensor(v) and v.is_floating_point() else v for k, v in good.items()}
        result, wrong = complaint(f, as_one, "nothing")
        problem = wrong or (verdict(f, as_one, kind, result, "") if result is not None else None)
        failures += [("all", str(dtype), problem)] if problem else []
    matplotlib.pyplot.close("all")
    assert not failures, "\n".join(map(str, failures))
