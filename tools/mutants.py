"""Change every operator, constant and reduction of the mathematics, one at a time, and see which test notices.

    python -m tools.mutants                       all modules against the unit tests
    python -m tools.mutants objectives metrics    these alone; the table says what was not run
    python -m tools.mutants --sample 40           so many of each module, drawn by chance; the table says so
    python -m tools.mutants --notebooks           a sample against the notebooks as well

Every mutant runs in a forked child, so that torch is imported once. The table goes to tools/mutants.md.
(The packaged testers start Python anew for each mutant, and none of them swaps a sum for a mean.)
"""

import argparse
import contextlib
import importlib.abc
import importlib.util
import inspect
import io
import multiprocessing
import os
import random
import signal
import sys
from pathlib import Path

from tools._mutant_sites import MODULES, Mutant, mutants, unchanged
from tools._mutant_table import SEED, table

ROOT = Path(__file__).resolve().parents[1]
SAMPLE, SECONDS = 24, 300


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


class _Nearest:
    """A plugin that lets the tests which name the changed function go first: the others are run if these pass."""

    def __init__(self, names: frozenset):
        self.names = names

    def pytest_collection_modifyitems(self, items):
        items.sort(key=lambda item: not any(name in _source(item) for name in self.names))


def _source(item) -> str:
    try:
        return inspect.getsource(item.function) + item.name
    except (OSError, TypeError):
        return item.name


def by_unit_tests(mutant: Mutant) -> str:
    """ "killed" by the tests of its own module, "timeout" or "survived"."""
    import pytest

    _enter(mutant)
    tests = [str(path) for path in sorted((ROOT / "tests" / "vaelib").glob(f"test_{mutant.module}*.py"))]
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        try:
            options = ["-x", "-q", "-p", "no:cacheprovider"]
            code = pytest.main([*options, *tests], plugins=[_Nearest(mutant.near)])
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


def _sampled(every: list[Mutant], size: int | None) -> list[Mutant]:
    """A sample of the mutants of one module, in the order of its source; all of them without a size."""
    chosen = range(len(every)) if size is None else random.Random(SEED).sample(range(len(every)), min(size, len(every)))
    return [every[at] for at in sorted(chosen)]


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
    parser.add_argument("--sample", type=int, help="so many mutants of each module, instead of all")
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    modules = given.modules or MODULES
    _load()
    with multiprocessing.get_context("fork").Pool(given.workers, maxtasksperchild=1) as pool:
        sound = _verdicts(pool, by_unit_tests, [unchanged(module) for module in modules])
        if set(sound.values()) != {"survived"}:
            raise SystemExit("the tests do not pass as they are: no mutant can be judged")
        every = {module: list(mutants(module)) for module in modules}
        chosen = [mutant for module in modules for mutant in _sampled(every[module], given.sample)]
        found = _verdicts(pool, by_unit_tests, chosen)
        behaving = [m for m, v in found.items() if v != "survived"] if given.notebooks else []
        sample = random.Random(SEED).sample(behaving, min(SAMPLE, len(behaving)))
        by_chapter = _verdicts(pool, by_notebooks, sample)
    told = table(found, by_chapter, {module: len(here) for module, here in every.items()})
    (ROOT / "tools" / "mutants.md").write_text(told, encoding="utf-8")


if __name__ == "__main__":
    main()
