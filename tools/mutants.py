"""Change every operator, constant and reduction of the mathematics, one at a time, and see which test notices.

    python -m tools.mutants                       all modules against the unit tests
    python -m tools.mutants objectives metrics    these alone; the table says what was not run
    python -m tools.mutants --notebooks           a sample against the notebooks as well

Every mutant runs in a forked child, so that torch is imported once. The table goes to tools/mutants.md.
(The packaged testers start Python anew for each mutant, and none of them swaps a sum for a mean.)
"""

import argparse
import contextlib
import datetime
import importlib.abc
import importlib.util
import io
import multiprocessing
import os
import random
import signal
import sys
from pathlib import Path

from tools._mutant_sites import Mutant, mutants, unchanged

ROOT = Path(__file__).resolve().parents[1]
MODULES = ("distributions", "linear", "objectives", "models", "metrics", "likelihoods", "priors")
EQUIVALENT = {  # mutants that compute the same thing, and why
    "sum -> mean in `if not discarded.sum() > 0:": "a mean is positive when the sum is; of nothing it is NaN",
}
SAMPLE, SEED, SECONDS = 24, 0, 300


class _Loader(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports the mutant in place of its module."""

    def __init__(self, mutant: Mutant):
        self.mutant = mutant

    def find_spec(self, name, path=None, target=None):
        if name == f"vaelib.{self.mutant.part}":
            return importlib.util.spec_from_loader(name, self)
        return None

    def exec_module(self, module):
        exec(compile(self.mutant.source, f"{self.mutant.part}.py", "exec"), module.__dict__)


def by_unit_tests(mutant: Mutant) -> str:
    """ "killed" by the tests of its own module, "timeout" or "survived"."""
    import pytest

    _enter(mutant)
    tests = [str(path) for path in sorted((ROOT / "tests" / "vaelib").glob(f"test_{mutant.module}*.py"))]
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        try:
            code = pytest.main(["-x", "-q", "-p", "no:cacheprovider", *tests])
        except TimeoutError:
            return "timeout"
    return "survived" if code == 0 else "killed"


def by_notebooks(mutant: Mutant) -> str:
    """Which chapter refuses the mutant first, and how; "survived" when none does."""
    import nbformat

    _enter(mutant)
    os.chdir(ROOT / "book")
    chapters = sorted(Path(".").glob("0[0-5]_*.ipynb"), key=lambda path: (path.stem < "03", path.stem))
    for path in chapters:  # the derivations first: they run in seconds
        cells = [cell for cell in nbformat.read(path, 4).cells if cell.cell_type == "code"]
        if any("vaelib." in cell.source for cell in cells):
            refusal = _run(cells)
            if refusal:
                return f"{path.stem}: {refusal}"
    return "survived"


def _run(cells) -> str:
    """What a reader would see first: the error of a cell, a text that differs from the stored one, or nothing."""
    import matplotlib
    import torch

    matplotlib.use("Agg")
    torch.set_default_dtype(torch.float32)
    space = {"__name__": "__main__"}
    for cell in cells:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(io.StringIO()):
            try:
                exec(compile(cell.source, "cell", "exec"), space)
            except Exception as error:
                return type(error).__name__
        stored = "".join(out.text for out in cell.outputs if out.output_type == "stream" and out.name == "stdout")
        if "nbval-ignore-output" not in cell.metadata.get("tags", []) and printed.getvalue() != stored:
            return "another text"
    return ""


def _enter(mutant: Mutant) -> None:
    import torch

    torch.set_num_threads(1)
    sys.meta_path.insert(0, _Loader(mutant))
    signal.signal(signal.SIGALRM, _too_long)
    signal.alarm(SECONDS)


def _too_long(*_):
    raise TimeoutError


def table(found: dict[Mutant, str], by_chapter: dict[Mutant, str]) -> str:
    lines = [f"# Mutants, {datetime.date.today()}", "", "Each against the tests of its own module.", ""]
    lines += ["| module | mutants | killed | survived |", "|---|---|---|---|"]
    lines += [_row(module, [v for m, v in found.items() if m.module == module]) for module in MODULES]
    survivors = [_survivor(m) for m, v in found.items() if v == "survived"]
    return "\n".join([*lines, "", "Survivors:", "", *survivors, "", *_chapters(by_chapter)]) + "\n"


def _chapters(by_chapter: dict[Mutant, str]) -> list[str]:
    if not by_chapter:
        return ["The notebooks were not run against them (`--notebooks`)."]
    killed = sum(v != "survived" for v in by_chapter.values())
    lines = [
        f"Of a sample of {len(by_chapter)} (seed {SEED}) the notebooks refuse {killed}. CheckFailed: a check refuses"
    ]
    lines += ["it; another text: a compared output differs; any other name: the error that stops the cell.", ""]
    return lines + [f"- {m.part}:{m.line} {m.what}: {v}" for m, v in by_chapter.items()]


def _row(module: str, verdicts: list[str]) -> str:
    survived = verdicts.count("survived")
    numbers = f"{len(verdicts)} | {len(verdicts) - survived} | {survived}" if verdicts else "not run | |"
    return f"| {module} | {numbers} |"


def _survivor(mutant: Mutant) -> str:
    why = next((reason for start, reason in EQUIVALENT.items() if mutant.what.startswith(start)), "NOT EQUIVALENT")
    return f"- {mutant.part}:{mutant.line} {mutant.what}: {why}"


def _verdicts(pool, judge, chosen: list[Mutant]) -> dict[Mutant, str]:
    """Mutant by mutant, told as they come."""
    found = {}
    for mutant, verdict in zip(chosen, pool.imap(judge, chosen), strict=True):
        found[mutant] = verdict
        print(f"{len(found)}/{len(chosen)} {mutant.part}:{mutant.line} {mutant.what}: {verdict}", flush=True)
    return found


def _load() -> None:
    """What all children need, once: torch, the part of it that Adam asks for, and pytest with its plugins."""
    import pytest
    import torch._dynamo  # noqa: F401

    with contextlib.redirect_stdout(io.StringIO()):
        pytest.main(["--version", "--version"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("modules", nargs="*", metavar="MODULE", help=", ".join(MODULES))
    parser.add_argument("--notebooks", action="store_true", help="a sample against the notebooks as well")
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    modules = given.modules or MODULES
    _load()
    with multiprocessing.get_context("fork").Pool(given.workers, maxtasksperchild=1) as pool:
        sound = _verdicts(pool, by_unit_tests, [unchanged(module) for module in modules])
        if set(sound.values()) != {"survived"}:
            raise SystemExit("the tests do not pass as they are: no mutant can be judged")
        found = _verdicts(pool, by_unit_tests, [mutant for module in modules for mutant in mutants(module)])
        behaving = [m for m, v in found.items() if v != "survived"] if given.notebooks else []
        sample = random.Random(SEED).sample(behaving, min(SAMPLE, len(behaving)))
        by_chapter = _verdicts(pool, by_notebooks, sample)
    (ROOT / "tools" / "mutants.md").write_text(table(found, by_chapter), encoding="utf-8")


if __name__ == "__main__":
    main()
