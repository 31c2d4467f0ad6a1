"""What became of every mutant, as a table to read."""

import datetime

from tools._mutant_sites import MODULES, Mutant

EQUIVALENT = {  # mutants that compute the same thing, and why
    "sum -> mean in `if not discarded.sum() > 0:": "a mean is positive when the sum is; of nothing it is NaN",
    "0 -> 1 in `total = torch.full(q[0].shape[:-1]": "mean and log-variance have one shape, dtype and device",
}
SEED = 0  # of every sample


def table(found: dict[Mutant, str], by_chapter: dict[Mutant, str], sites: dict[str, int]) -> str:
    lines = [f"# Mutants, {datetime.date.today()}", "", "Each against the tests of its own module."]
    lines += _drawn(found, sites)
    lines += ["| module | mutants | killed | survived | places to change |", "|---|---|---|---|---|"]
    lines += [_row(module, [v for m, v in found.items() if m.module == module], sites) for module in MODULES]
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


def _drawn(found: dict[Mutant, str], sites: dict[str, int]) -> list[str]:
    """What the table says of a sample."""
    tried, all_of_them = len(found), sum(sites[m] for m in {mutant.module for mutant in found})
    if tried == all_of_them:
        return [""]
    return [f"A sample: {tried} of {all_of_them}, drawn by chance in each module (seed {SEED}).", ""]


def _row(module: str, verdicts: list[str], sites: dict[str, int]) -> str:
    survived = verdicts.count("survived")
    numbers = f"{len(verdicts)} | {len(verdicts) - survived} | {survived}" if verdicts else "not run | |"
    return f"| {module} | {numbers} | {sites.get(module, '')} |"


def _survivor(mutant: Mutant) -> str:
    why = next((reason for start, reason in EQUIVALENT.items() if mutant.what.startswith(start)), "NOT EQUIVALENT")
    return f"- {mutant.part}:{mutant.line} {mutant.what}: {why}"
