"""Train the models that come with the library, vaelib/stored/faces.npz and digits.npz.

    python tools/train_stored.py faces --minutes 46
    python tools/train_stored.py digits --minutes 10

The same networks and the same loss as in chapters 7 and 6, for longer, then chapter 9's latent flow over their codes
for a tenth of the minutes; on a GPU where there is one. The learning rates follow the clock: up in the first twentieth
of the minutes, down along a cosine in the rest. So the run ends when it should on any machine, and two runs give two
models of one kind, not the same bits. Every few minutes the average of the last thousand steps is kept with what it
reaches on test pictures: a run that is stopped leaves a model behind. When it is done, its SHA-256 goes into
vaelib/pretrained.py, and `python tools/end_picture.py` draws the picture of the first page anew.
"""

import argparse
import datetime
import hashlib
import json
import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from vaelib.data import load
from vaelib.distributions import bernoulli_log_prob, reparameterize
from vaelib.faces import draw, sample_factors
from vaelib.likelihoods import GaussianLikelihood
from vaelib.models import conv_vae, mlp_vae
from vaelib.objectives import elbo_terms
from vaelib.priors import FlowMatchingPrior, flow_matching_loss
from vaelib.train import as_float, default_device, set_seed

STORED = Path(__file__).resolve().parents[1] / "vaelib" / "stored"
POOL, TESTS = 40_000, 500  # faces to train on, drawn once, and to test with; neither is in a chapter
MEMORY = 0.999  # of the average of the weights, a step
KEEP_EVERY = 120.0  # seconds
FLOW_BATCH, FLOW_LR, FLOW_SHARE = 512, 2e-3, 0.1  # codes a step, peak learning rate, share of the minutes


class Task(NamedTuple):
    """A model, what it learns from, and its settings; `about` goes into the file."""

    model: nn.Module
    x: Tensor
    test: Tensor
    batch_size: int
    lr: float
    flow: FlowMatchingPrior
    about: dict


def faces(device: torch.device) -> Task:
    """Chapter 7's network with half as many channels again in its first layers."""
    latent_dim, widths, flow_widths = 64, (24, 48, 96, 120, 120), (256, 256, 256)
    model = conv_vae(latent_dim, widths).to(device)
    model.half_on_gpu = False  # a network as small as this one waits for its launches, not for its products
    model.likelihood = GaussianLikelihood(-4.0).to(device)
    x = draw(sample_factors(POOL, torch.Generator().manual_seed(2))).flatten(1).to(device)
    about = {"latent_dim": latent_dim, "widths": widths, "flow_widths": flow_widths}
    flow = FlowMatchingPrior(latent_dim, flow_widths).to(device)
    return Task(model, x, face_test().to(device), 128 if device.type == "cuda" else 32, 2e-3, flow, about)


def face_test() -> Tensor:
    """The faces that the stored numbers were measured on, (500, 12288) in [0, 1]."""
    return as_float(draw(sample_factors(TESTS, torch.Generator().manual_seed(1))).flatten(1))


def digits(device: torch.device) -> Task:
    """Chapter 6's network; pixels become black or white anew each time they are seen."""
    latent_dim, widths, flow_widths = 20, (400,), (192, 192, 192)
    model = mlp_vae(28 * 28, latent_dim, widths)
    model.likelihood = bernoulli_log_prob
    images = load("mnist", fallback=None)
    x, test = images.train_images.flatten(1), as_float(images.test_images.flatten(1))
    model.decoder[-1].bias.data = as_float(x).mean(0).clamp(0.001, 0.999).logit()  # start from the mean picture
    test = test.bernoulli(generator=torch.Generator().manual_seed(1))
    about = {"latent_dim": latent_dim, "widths": widths, "flow_widths": flow_widths}
    flow = FlowMatchingPrior(latent_dim, flow_widths).to(device)
    return Task(model.to(device), x.to(device), test.to(device), 256, 2e-3, flow, about)


def batch_of(task: Task) -> Tensor:
    """Random pictures; grey digits become black or white."""
    x = as_float(task.x[torch.randint(len(task.x), (task.batch_size,), device=task.x.device)])
    return x if isinstance(task.model.likelihood, nn.Module) else x.bernoulli()


def rate(share: float) -> float:
    """Of the largest learning rate, when this share of the time is over."""
    return min(1.0, 20 * share) * 0.5 * (1 + math.cos(math.pi * min(share, 1.0)))


class Minimised:
    """Adam on a clock, and the average of the weights that it walks through."""

    def __init__(self, module: nn.Module, loss: Callable[[], Tensor], minutes: float, lr: float):
        self.module, self.loss, self.minutes, self.steps = module, loss, minutes, 0
        own = [p for name, p in module.named_parameters() if name == "likelihood.logvar"]
        layers = [p for p in module.parameters() if all(p is not other for other in own)]
        groups = [{"params": layers, "lr": lr}, *({"params": [p], "lr": 5 * lr} for p in own)]
        self.adam = torch.optim.Adam(groups)
        self.parameters = list(module.parameters())
        self.average = [p.detach().clone() for p in self.parameters]

    def seconds(self) -> Iterator[float]:
        """Takes steps until the time is over; the seconds spent, after each of them."""
        peaks, start = [group["lr"] for group in self.adam.param_groups], time.monotonic()
        while (spent := time.monotonic() - start) < 60 * self.minutes:
            for group, peak in zip(self.adam.param_groups, peaks, strict=True):
                group["lr"] = peak * rate(spent / (60 * self.minutes))
            self.adam.zero_grad()
            self.loss().backward()
            self.adam.step()
            self.steps += 1
            torch._foreach_lerp_(self.average, self.parameters, 1 - min(MEMORY, self.steps / (self.steps + 10)))
            yield spent

    @torch.no_grad()
    def swap(self) -> None:
        """Exchange the weights with their average, rounded as the file will have it."""
        for parameter, mean in zip(self.parameters, self.average, strict=True):
            now = parameter.clone()
            parameter.copy_(mean.half().float())
            mean.copy_(now)


def train(task: Task, minutes: float, path: Path) -> None:
    """Minimise the negative ELBO until the time is over, then learn a flow; keep what there is now and then."""
    model = task.model
    run = Minimised(model, lambda: -elbo_terms(model, batch_of(task), model.likelihood).elbo.mean(), minutes, task.lr)
    kept = 0.0
    for spent in run.seconds():
        if spent - kept > KEEP_EVERY:
            kept = spent
            keep(task, run, path, spent / 60)
    keep(task, run, path, minutes)
    run.swap()
    codes, units = codes_of(task)
    flow = Minimised(
        task.flow, lambda: flow_matching_loss(task.flow, drawn(codes, units)), FLOW_SHARE * minutes, FLOW_LR
    )
    for _ in flow.seconds():
        pass
    flow.swap()
    run.swap()
    keep(task, run, path, minutes, units)


@torch.no_grad()
def codes_of(task: Task) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """mu and logvar of all training pictures side by side, (N, 2 L); mean and spread of the crowd, (L,) each."""
    parts = [as_float(part) for part in task.x.split(2000)]
    if not isinstance(task.model.likelihood, nn.Module):
        parts = [part.bernoulli() for part in parts]
    mu, logvar = (torch.cat(both) for both in zip(*(task.model.encode(part) for part in parts), strict=True))
    return torch.cat([mu, logvar], 1), (mu.mean(0), (mu.var(0) + logvar.exp().mean(0)).sqrt())


def drawn(codes: Tensor, units: tuple[Tensor, Tensor]) -> Tensor:
    """Codes of random pictures, fresh noise every time, in units of the crowd: (FLOW_BATCH, L)."""
    mu, logvar = codes[torch.randint(len(codes), (FLOW_BATCH,), device=codes.device)].chunk(2, 1)
    return (reparameterize(mu, logvar) - units[0]) / units[1]


@torch.no_grad()
def keep(task: Task, run: Minimised, path: Path, minutes: float, units=None) -> None:
    """The averaged weights in float16, with what they reach on test pictures; with `units` the flow as well."""
    run.swap()
    about = {**task.about, "date": datetime.date.today().isoformat(), "minutes": round(minutes, 1)}
    about |= {"device": machine(task.x.device), "examples": run.steps * task.batch_size}
    about |= {"test": measured(task.model, task.test)}
    weights = {name: value.half().cpu().numpy() for name, value in task.model.state_dict().items()}
    if (logvar := weights.pop("likelihood.logvar", None)) is not None:
        about["logvar"] = float(logvar)
    if units is not None:
        flow = {name: value.half().cpu().numpy() for name, value in task.flow.state_dict().items()}
        weights |= {f"flow.{name}": value for name, value in flow.items()}
        weights |= {
            f"flow.{name}": value.half().cpu().numpy() for name, value in zip(("mean", "spread"), units, strict=True)
        }
    np.savez_compressed(path, about=json.dumps(about), **weights)
    print(about, hashlib.sha256(path.read_bytes()).hexdigest(), flush=True)
    run.swap()


def machine(device: torch.device) -> str:
    """Where it was trained, as the file says it."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else f"{device.type}, one thread"


@torch.no_grad()
def measured(model: nn.Module, x: Tensor) -> dict[str, float]:
    """Squared error per pixel of decoded mean codes; negative ELBO and KL, nats a picture, one drawn z each."""
    squared, noise = 0.0, torch.Generator(x.device).manual_seed(0)
    terms = []
    for part in x.split(250):
        terms.append(torch.stack(elbo_terms(model, part, model.likelihood, generator=noise)[:2], 1))
        mean = model.decode(model.encode(part)[0])
        mean = mean if isinstance(model.likelihood, nn.Module) else mean.sigmoid()
        squared += (mean - part).square().sum().item() / x.numel()
    log_likelihood, kl = torch.cat(terms).mean(0).tolist()
    return {"squared_error": squared, "negative_elbo": kl - log_likelihood, "kl": kl}


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=("faces", "digits"))
    parser.add_argument("--minutes", type=float, default=46.0)
    parser.add_argument("--out", type=Path, default=STORED, help="the folder of the file, vaelib/stored by default")
    chosen = parser.parse_args(arguments)
    device = default_device()
    if device.type == "cpu":
        torch.set_num_threads(1)
    set_seed(0)
    chosen.out.mkdir(parents=True, exist_ok=True)
    task = {"faces": faces, "digits": digits}[chosen.name](device)
    train(task, chosen.minutes, chosen.out / f"{chosen.name}.npz")


if __name__ == "__main__":
    main()
