"""The recipe of the stored models, in small: the schedule, the file, and that it is the library's."""

import json

import numpy as np
import pytest
import torch
import train_stored

from vaelib import pretrained

pytestmark = pytest.mark.slow  # it draws faces and trains


def test_the_learning_rate_rises_and_falls_with_the_clock():
    rates = [train_stored.rate(share) for share in (0.0, 0.025, 0.05, 0.5, 0.9, 1.0, 1.2)]
    assert rates[0] == 0 and rates[1] == pytest.approx(0.5, rel=0.01) and rates[2] > 0.99
    assert rates[3] == pytest.approx(0.5) and rates[4] < 0.05 and rates[5] == rates[6] == 0


def test_a_run_of_a_second_leaves_a_model_that_the_library_reads(tmp_path, monkeypatch):
    monkeypatch.setattr(train_stored, "POOL", 64)
    monkeypatch.setattr(train_stored, "TESTS", 8)
    torch.manual_seed(0)
    task = train_stored.faces(torch.device("cpu"))
    before = train_stored.measured(task.model, task.test)
    train_stored.train(task, 1 / 20, tmp_path / "faces.npz")
    weights = dict(np.load(tmp_path / "faces.npz"))
    about = json.loads(str(weights.pop("about")))
    likelihood = train_stored.GaussianLikelihood(about["logvar"])
    stored = pretrained._stored(pretrained.conv_vae(about["latent_dim"], about["widths"]), likelihood, weights, about)
    stored.model.likelihood = likelihood
    after = train_stored.measured(stored.model, task.test)
    assert after["negative_elbo"] == pytest.approx(about["test"]["negative_elbo"], rel=1e-3)
    assert after["negative_elbo"] < before["negative_elbo"] and about["examples"] % task.batch_size == 0
    codes = stored.prior.sample(3, torch.Generator().manual_seed(0))
    assert codes.shape == (3, 64) and torch.isfinite(stored.prior.log_prob(codes)).all()
