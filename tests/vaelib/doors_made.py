"""More doors for the fuzz, as in `doors.py`: what makes models and priors, trains, keeps, loads and translates."""

import tempfile
from pathlib import Path

import torch
from doors import A, P, draws, noise
from torch import nn

from vaelib import beta, checkpoints, likelihoods, models, priors, sequences, train

PLACE = Path(tempfile.mkdtemp())
checkpoints.save_checkpoint(PLACE / "there", {"a": 1})
SIZES = {"data_dim": 3, "latent_dim": 2, "hidden_dims": (4,)}
NET = nn.Linear(1, 1).double()
START = {name: value.clone() for name, value in NET.state_dict().items()}
TERMS = {"reconstruction": beta.squared_error("B"), "kl": beta.kl(), "shape": (3, 2), "latent_dim": 2, "batch_size": 4}
TRAINING = {"model": NET, "loss": lambda net, x: net.weight.sum() * x.mean(), "x": A, "batch_size": 2}
SGD = torch.optim.SGD(NET.parameters(), 1e-3)


def one_pass(**given):
    NET.load_state_dict(START)
    return train.train_epoch(**given)


def squares(x, y, mu, second):
    return (x - y).square().sum() + beta_free(mu, second)


def beta_free(mu, second):
    return (mu**2 + second.exp() - second - 1).sum()


MADE = {
    "models.Autoencoder": (models.Autoencoder, SIZES, "made"),
    "models.VAE": (
        models.VAE,
        {"encoder": nn.Linear(3, 4), "decoder": nn.Linear(2, 3), "latent_dim": 2, "data_dim": 3, "half_on_gpu": False},
        "made"),
    "likelihoods.GaussianLikelihood": (likelihoods.GaussianLikelihood, {"logvar": 0.5}, "made"),
    "likelihoods.PixelGaussianLikelihood": (likelihoods.PixelGaussianLikelihood, {"floor": 0.5}, "made"),
    "likelihoods.LogisticMixtureLikelihood": (likelihoods.LogisticMixtureLikelihood, {"num_components": 2}, "made"),
    "sequences.SequenceVAE": (
        sequences.SequenceVAE,
        {"num_symbols": 3, "latent_dim": 2, "hidden_dim": 4, "memory": False, "drop": 0.5}, "made"),
    "priors.GaussianPrior": (priors.GaussianPrior, {"latent_dim": 2}, "made"),
    "priors.MixturePrior": (priors.MixturePrior, {"latent_dim": 2, "num_components": 2, "full": False}, "made"),
    "priors.CouplingPrior": (priors.CouplingPrior, {"latent_dim": 2, "num_layers": 2, "hidden_dims": [4]}, "made"),
    "priors.FlowMatchingPrior": (priors.FlowMatchingPrior, {"latent_dim": 2, "hidden_dims": [4], "steps": 2}, "made"),
    "priors.VampPrior": (
        priors.VampPrior, {"encode": models.mlp_vae(3, 2).double().encode, "pseudo_inputs": P}, "made"),
    "train.set_seed": (lambda seed: (train.set_seed(seed),), {"seed": 3}, "picture"),
    "train.default_device": (train.default_device, {}, "picture"),
    "train.as_float": (train.as_float, {"x": A}, "picture"),
    "train.evaluate": (train.evaluate, TRAINING, "picture"),
    "train.train_epoch": (
        one_pass, {**TRAINING, "order": torch.arange(4), "optimizer": SGD, "scheduler": None}, "picture"),
    "checkpoints.save_checkpoint": (
        lambda **a: (checkpoints.save_checkpoint(**a),), {"path": str(PLACE / "new"), "state": {"a": A}}, "picture"),
    "checkpoints.load_checkpoint": (checkpoints.load_checkpoint, {"path": str(PLACE / "there")}, "picture"),
    "beta.translate": (beta.translate, TERMS, "picture"),
    "beta.measure": (
        beta.measure,
        {"loss": squares, "shape": (3, 2), "latent_dim": 2, "batch_size": 4, "generator": noise()}, "picture"),
    "beta.Translation.survivors": (
        beta.translate(**TERMS).survivors, {"eigenvalues": draws(5).exp()}, ""),
}  # fmt: skip
