"""Every public door of the library with good arguments, for the fuzz: see `test_fuzz.py`."""

import torch
from torch import nn

from vaelib import (
    blur,
    collapse,
    doctor,
    faces,
    frontier,
    interpolation,
    likelihoods,
    linear,
    metrics,
    misfit,
    models,
    objectives,
    plots,
    pretrained,
    priors,
    sequences,
    widgets,
)
from vaelib import distributions as vd


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
torch.manual_seed(0)  # the same networks in every run: of random ones some are deaf, and give no NaN for infinity
DECODER = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 9))


def lab(method):
    return lambda W, b, sigma, **rest: getattr(linear.LinearGaussian(W, b, sigma), method)(**rest)


def chains(method):
    return lambda transitions, **rest: getattr(sequences.TopicChains(transitions), method)(**rest)


def components(method):
    return lambda mean, components, **rest: getattr(linear.PCA(mean, components, OFFSET), method)(**rest)


def of_any_sign(x, latent_dim):
    found = linear.pca(x, latent_dim)
    return found._replace(components=found.components.abs())


AE = models.Autoencoder(3, 2, (16,)).double().requires_grad_(False)
MODEL = models.mlp_vae(3, 2, (16,)).double().requires_grad_(False)
BOUND = {"model": MODEL, "x": P, "log_likelihood": vd.bernoulli_log_prob, "generator": noise()}
BOUND |= {"prior": priors.GaussianPrior(2).double()}
CODES = {**BOUND, "x": A.sigmoid()}
del CODES["prior"]
CHAINS = sequences.make_topics(2, 3, 0.7, noise()).transitions.double()
SQUARES = draws(4, 3, 3, seed=6)
SMALL = draws(3, 3, 8, 8, seed=7).sigmoid()
SYMBOLS = torch.eye(3).double()[torch.tensor([[0, 1, 2, 1], [2, 2, 0, 1]])]
torch.manual_seed(0)
SEQUENCES = sequences.SequenceVAE(3, 2, 16).double().requires_grad_(False)
Q = {**LAB, "x": X, "mu": A, "cov": COV}
PRIORS = {
    "Gaussian": priors.GaussianPrior(3),
    "Mixture": priors.MixturePrior(3, 2),
    "Coupling": priors.CouplingPrior(3, 2, (4,)),
    "FlowMatching": priors.FlowMatchingPrior(3, (4,), 2),
    "Vamp": priors.VampPrior(models.mlp_vae(3, 3, (4,)).requires_grad_(False).double().encode, P),
}
PRIORS = {name: prior.double().requires_grad_(False) for name, prior in PRIORS.items()}
FLOW = PRIORS["FlowMatching"]
LATENT_FLOW = pretrained.LatentFlow(FLOW, A[0], A[0].exp())
LIKELIHOODS = {  # and the parameters that they take for each number
    "Bernoulli": (likelihoods.BernoulliLikelihood(), 1),
    "ContinuousBernoulli": (likelihoods.ContinuousBernoulliLikelihood(), 1),
    "Gaussian": (likelihoods.GaussianLikelihood(-1.0), 1),
    "PixelGaussian": (likelihoods.PixelGaussianLikelihood(), 2),
    "LogisticMixture": (likelihoods.LogisticMixtureLikelihood(2), 6),
}


def start(make, method):
    """A prior that codes are handed to, as what it holds then."""
    return lambda **codes: tuple(getattr(make(), method)(**codes).double().state_dict().values())


def likelihood_doors():
    for name, (likelihood, size) in LIKELIHOODS.items():
        likelihood, params = likelihood.double().requires_grad_(False), draws(4, 3 * size, seed=5)
        for method in ("forward", "log_prob", "log_mass", "bits_per_dim"):
            if hasattr(likelihood, method):
                yield (
                    f"{name}Likelihood.{method}",
                    (getattr(likelihood, method), {"x": P, "params": params}, "x params"),
                )
        yield f"{name}Likelihood.mean", (likelihood.mean, {"params": params}, "")
        yield f"{name}Likelihood.sample", (likelihood.sample, {"params": params, "generator": noise()}, "random")


def prior_doors():
    for name, prior in PRIORS.items():
        steps = {"steps": 2} if name == "FlowMatching" else {}
        yield f"{name}Prior.log_prob", (prior.log_prob, {"z": A, **steps}, "z")
        yield f"{name}Prior.sample", (prior.sample, {"n": 3, "generator": noise()}, "random")


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
    "pretrained.stored_faces": (pretrained.stored_faces, {}, "random"),
    "pretrained.stored_digits": (pretrained.stored_digits, {}, "random"),
    "pretrained.LatentFlow": (pretrained.LatentFlow, {"flow": FLOW, "mean": A[0], "spread": A[0].exp()}, ""),
    "pretrained.LatentFlow.sample": (LATENT_FLOW.sample, {"n": 3, "generator": noise()}, "random"),
    "pretrained.LatentFlow.log_prob": (LATENT_FLOW.log_prob, {"z": A}, ""),
    "doctor.stored_museum": (doctor.stored_museum, {}, "diverged"),  # curves of broken models end in NaN
    "priors.stored_priors": (priors.stored_priors, {}, "random"),
    "widgets.frontier_figure": (
        widgets.frontier_figure, {"stored": frontier.stored_frontier(), "power": 0.5}, "picture"),
    "frontier.reverse_waterfilling": (
        frontier.reverse_waterfilling,
        {"eigenvalues": A[0].exp(), "beta": 0.7, "sigma": 1.2, "latent_dim": 2}, ""),
    "metrics.principal_angles": (metrics.principal_angles, {"a": draws(6, 2), "b": draws(6, 3, seed=1)}, ""),
    "metrics.radial_spectrum": (metrics.radial_spectrum, {"pictures": SQUARES, "other": SQUARES.flip(-1)}, ""),
    "metrics.variance_parts": (metrics.variance_parts, {"x": A, "y": B}, ""),
    "metrics.active_units": (metrics.active_units, {"mu": X, "threshold": 0.01}, ""),
    "metrics.bits_per_dim": (metrics.bits_per_dim, {"log_prob": A[0], "dims": 3, "levels": 256}, ""),
    "metrics.frechet_distance": (metrics.frechet_distance, {"real": draws(9, 2), "made": draws(8, 2, seed=1)}, ""),
    "metrics.nearest": (metrics.nearest, {"made": draws(4, 2), "real": draws(5, 2, seed=1)}, ""),
    "metrics.sample_quality": (metrics.sample_quality, {"real": draws(9, 2), "made": draws(8, 2, seed=1), "k": 2}, ""),
    "metrics.classifier_features": (
        lambda **a: metrics.classifier_features(**a)[0].weight,
        {"x": A, "labels": torch.arange(4) % 2, "hidden_dims": (4, 3), "steps": 2, "batch_size": 2}, "random"),
    "metrics.log_marginal_iw": (metrics.log_marginal_iw, {**BOUND, "num_samples": 2, "chunk": 1}, "random"),
    "objectives.elbo_terms": (lambda **a: tuple(objectives.elbo_terms(**a)), BOUND, "random"),
    "objectives.log_weights": (objectives.log_weights, {**BOUND, "num_samples": 2}, "random"),
    "objectives.iwae_bound": (objectives.iwae_bound, {**BOUND, "num_samples": 2}, "random"),
    "metrics.code_information": (metrics.code_information, {**CODES, "num_codes": 3}, "random"),
    "metrics.shuffled_gap": (metrics.shuffled_gap, CODES, "random"),
    "collapse.free_bits": (collapse.free_bits, {"kl_per_dim": P, "floor": 0.5}, ""),
    "collapse.stored_collapse": (collapse.stored_collapse, {}, "random"),
    "collapse.warm_up": (collapse.warm_up, {"step": 3, "steps": 4}, ""),
    "sequences.make_topics": (
        sequences.make_topics, {"num_topics": 2, "num_symbols": 3, "strength": 0.5, "generator": noise()}, "random"),
    "sequences.TopicChains.sample": (
        chains("sample"), {"transitions": CHAINS, "n": 3, "length": 2, "generator": noise()}, "random"),
    "sequences.TopicChains.log_prob": (chains("log_prob"), {"transitions": CHAINS, "x": SYMBOLS}, ""),
    "sequences.TopicChains.log_prob_by_topic": (
        chains("log_prob_by_topic"), {"transitions": CHAINS, "x": SYMBOLS}, ""),
    "sequences.SequenceVAE.encode": (SEQUENCES.encode, {"x": SYMBOLS}, ""),
    "sequences.SequenceVAE.decode": (SEQUENCES.decode, {"z": A[:, :2]}, ""),
    "sequences.SequenceVAE.log_likelihood": (SEQUENCES.log_likelihood, {"x": SYMBOLS, "z": A[:2, :2]}, ""),
    "models.Autoencoder.encode": (AE.encode, {"x": P}, ""),
    "models.Autoencoder.decode": (AE.decode, {"z": A[:, :2]}, ""),
    "models.Autoencoder.forward": (AE.forward, {"x": P}, ""),
    "models.VAE.encode": (MODEL.encode, {"x": P}, ""),
    "models.VAE.decode": (MODEL.decode, {"z": A[:, :2]}, ""),
    "models.VAE.sample": (MODEL.sample, {"n": 3, "generator": noise()}, "random"),
    "models.mlp": (models.mlp, {"sizes": [3, 2]}, "picture"),
    "models.mlp_vae": (models.mlp_vae, {"data_dim": 3, "latent_dim": 2, "hidden_dims": (4,)}, "picture"),
    "models.conv_vae": (
        models.conv_vae, {"latent_dim": 2, "widths": [4, 4], "channels": 1, "size": 8}, "picture"),
    **{f"likelihoods.{name}": door for name, door in likelihood_doors()},
    **{f"priors.{name}": door for name, door in prior_doors()},
    "priors.GaussianPrior.fit": (start(lambda: priors.GaussianPrior(3).double(), "fit"), {"codes": draws(9, 3)}, ""),
    "priors.MixturePrior.start": (
        start(lambda: priors.MixturePrior(3, 2).double(), "start"), {"codes": A, "generator": noise()}, "random"),
    "priors.CouplingPrior.to_noise": (PRIORS["Coupling"].to_noise, {"z": A}, ""),
    "priors.CouplingPrior.to_codes": (PRIORS["Coupling"].to_codes, {"u": A}, ""),
    "priors.FlowMatchingPrior.velocity": (FLOW.velocity, {"z": A, "t": 0.3}, ""),
    "priors.FlowMatchingPrior.path": (FLOW.path, {"eps": A, "steps": 2, "step": priors.euler}, ""),
    "priors.euler": (priors.euler, {"field": lambda z, t: -z * t, "z": A, "t": 0.3, "dt": 0.1}, ""),
    "priors.heun": (priors.heun, {"field": lambda z, t: -z * t, "z": A, "t": 0.3, "dt": 0.1}, ""),
    "priors.flow_matching_loss": (
        priors.flow_matching_loss, {"prior": FLOW, "z": A, "generator": noise(), "t": P[:, 0]}, "random"),
    "priors.prior_loss": (priors.prior_loss, {"prior": PRIORS["Mixture"], "z": A}, ""),
    "misfit.misfit_by_density": (
        misfit.misfit_by_density, {"z": A, "crowd": PRIORS["Mixture"], "prior": PRIORS["Gaussian"]}, ""),
    "misfit.misfit_by_classifier": (
        misfit.misfit_by_classifier,
        {"z": A, "codes": B, "prior": PRIORS["Gaussian"], "epochs": 1, "hidden_dims": (4,), "batch_size": 2}, "random"),
    "misfit.clouds_log_prob": (
        misfit.clouds_log_prob, {"z": A, "mu": B, "logvar": C, "without_own": False, "chunk": 3}, ""),
    "faces.sample_factors": (
        faces.sample_factors, {"n": 3, "generator": noise(), "device": torch.device("cpu")}, "random"),
    "faces.draw": (faces.draw, {"factors": FACES, "size": 16, "chunk": 2}, ""),
    "faces.regions": (faces.regions, {"factors": FACES, "size": 16, "chunk": 2}, ""),
    "faces.hue": (faces.hue, {"images": draws(2, 3, 4, 5).sigmoid(), "mask": draws(2, 4, 5).sigmoid()}, "greys"),
    "faces.hue_distance": (faces.hue_distance, {"a": 90 * A, "b": 90 * B}, ""),
    "plots.new_figure": (
        plots.new_figure, {"width": 2.0, "height": 1.0, "panels": 2, "width_ratios": [1, 2]}, "picture"),
    "plots.image_rows": (
        lambda rows, **rest: plots.image_rows({"rows": rows}, **rest),
        {"rows": draws(2, 4, 4).sigmoid(), "captions": {"rows": ["a"]}, "size": 0.5}, "picture"),
    "plots.label_line": (
        plots.label_line,
        {"axis": AXIS, "x": 0.5, "y": 0.5, "text": "name", "color": "black", "dx": 1.5, "dy": 0.5}, "picture"),
    "widgets.elbo_figure": (widgets.elbo_figure, dict.fromkeys(("x", "sigma", "w", "mu", "logvar"), 0.5), "picture"),
    "widgets.kl_figure": (widgets.kl_figure, {"mu": 0.5, "logvar": 0.5, "wrong": False}, "picture"),
    "widgets.noise_figure": (
        widgets.noise_figure, {"mu": 0.5, "logvar": 0.5, "draw": 3, "wrong": False, "seed": 2}, "picture"),
    "widgets.plane_figure": (
        widgets.plane_figure,
        {"decoder": DECODER, "codes": A[:, :2], "labels": torch.arange(4), "z1": 0.5, "z2": 1.5}, "picture"),
    "widgets.flow_figure": (
        widgets.flow_figure,
        {"paths": draws(3, 120, 2), "decoder": DECODER, "codes": A[:, :2], "t": 0.5, "draw": 3},
        "picture"),
    "widgets.spectrum_figure": (
        widgets.spectrum_figure,
        {"pictures": SMALL, "steps": SMALL[:, None].expand(-1, 3, -1, -1, -1), "related": SMALL[:, None], "way": 0.5,
         "face": 2, "neighbours": True}, "picture"),
    "blur.stored_blur": (blur.stored_blur, {}, "random"),
    "widgets.water_figure": (
        widgets.water_figure,
        {"eigenvalues": torch.linspace(5, 0.1, 40).double(), "power": 0.5, "latents": 3.0}, "picture"),
    "widgets.sheet_figure": (
        widgets.sheet_figure,
        {"pictures": torch.ones(2, 1, 1, 3, 64, 64), "lengths": torch.ones(2, 1, 1),
         "mix": 0.5, "hair": 0.5, "skin": 0.5}, "picture"),
}  # fmt: skip
