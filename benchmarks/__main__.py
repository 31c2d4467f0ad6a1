"""Print one table: each row measured side by side in one run, median ratio and range."""

import os
import statistics

import torch

from benchmarks import epoch
from vaelib.train import default_device


def row(name: str, pairs: list[tuple[float, float]]) -> str:
    ratios = sorted(usual / ours for usual, ours in pairs)
    usual, ours = (statistics.median(column) for column in zip(*pairs, strict=True))
    spread = f"{ratios[0]:.1f} to {ratios[-1]:.1f}"
    return f"{name:<34}{usual:>9.2f}{ours:>9.2f}{statistics.median(ratios):>8.1f}  {spread}"


def main() -> None:
    os.environ["VAELIB_PROGRESS"] = "0"
    devices = {torch.device("cpu"), default_device()}
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads; seconds, medians of alternating pairs")
    print(f"{'':<34}{'usual':>9}{'vaelib':>9}{'ratio':>8}  range")
    for device in sorted(devices, key=str):
        print(row(f"MNIST epoch, 784-400-20, {device}", epoch.measure(device)))


main()
