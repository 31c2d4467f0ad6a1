"""Two processes on the CPU learn what one process learns; and they do not when the wrapper is gone around."""

import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from vaelib.data import load
from vaelib.distributions import bernoulli_log_prob, reparameterize, standard_normal_kl
from vaelib.models import mlp_vae

pytestmark = pytest.mark.slow  # it trains, builds or starts other programs

SCRIPT = Path(__file__).resolve().parents[2] / "book" / "scripts" / "many_gpus.py"
BATCH, EPOCHS = 96, 2


def launch(script, save, processes=2):
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    options = ["--data", "digits28", "--batch-size", str(BATCH), "--epochs", str(EPOCHS), "--save", str(save)]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run([*torchrun, str(script), *options], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout, torch.load(save)


def single_process():
    """The same training written as one loop: each half of a batch draws its noise from a generator of its own."""
    x = load("digits28").train_images.flatten(1) / 255
    torch.manual_seed(0)
    model = mlp_vae(784, latent_dim=20)
    optimizer = torch.optim.Adam(model.parameters())
    shuffle, noises = torch.Generator().manual_seed(0), [torch.Generator().manual_seed(1 + half) for half in (0, 1)]
    losses = []
    for _ in range(EPOCHS):
        for batch in torch.randperm(len(x), generator=shuffle).split(BATCH):
            if len(batch) == BATCH:
                mu, logvar = model.encode(x[batch])
                halves = zip(mu.chunk(2), logvar.chunk(2), noises, strict=True)
                z = torch.cat([reparameterize(m, v, noise) for m, v, noise in halves])
                loss = (standard_normal_kl(mu, logvar) - bernoulli_log_prob(x[batch], model.decode(z))).mean()
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                losses.append(loss.detach())
    return torch.stack(losses), model.state_dict()


@pytest.fixture(scope="module")
def expected():
    return single_process()


def test_two_processes_have_the_losses_of_one(tmp_path, expected):
    printed, found = launch(SCRIPT, tmp_path / "found.pt")
    losses, weights = expected
    assert len(losses) == EPOCHS * (1437 // BATCH) and losses[-1] < losses[0] * 0.6
    torch.testing.assert_close(found["losses"], losses, rtol=1e-5, atol=0)
    weights = {name: weight.double() for name, weight in weights.items()}
    for name, weight in found["weights"].items():
        torch.testing.assert_close(weight.double(), weights[name], rtol=0, atol=2e-5)
    assert printed.count("epoch") == EPOCHS and "2 x cpu" in printed


def test_gone_around_the_wrapper_the_processes_learn_apart(tmp_path, expected):
    """`objective.module(x)` runs, says nothing, and averages no gradient."""
    source = SCRIPT.read_text(encoding="utf-8").replace("return objective(x)", "return objective.module(x)")
    (tmp_path / "around.py").write_text(source, encoding="utf-8")
    _, found = launch(tmp_path / "around.py", tmp_path / "found.pt")
    losses, _ = expected
    torch.testing.assert_close(found["losses"][0], losses[0], rtol=1e-5, atol=0)
    assert (found["losses"] - losses).abs().max() > 1e-2 * losses.min()


def test_a_batch_that_cannot_be_shared_out_is_refused(monkeypatch, capsys):
    monkeypatch.setenv("WORLD_SIZE", "7")
    with pytest.raises(SystemExit):
        runpy.run_path(str(SCRIPT))["main"](["--batch-size", "100"])
    assert "multiple of 7; got 100" in capsys.readouterr().err
