"""Replace what the equations of a chapter are made of, and see which of their checks notice.

    python tools/sabotage.py [CHAPTER ...] [--section eq-elbo-gap] [--write]

Without chapters: every chapter of the book. `--write` stores what was found in benchmarks/sabotage.json and .md.

What a statement holds for is said in the metadata of the cell with its check, by names of the code, and must be what
is measured, no more and no less: vaelib: {any: {"eq-elbo-gap": ["log_q"]}}. The text must speak of it: "for every $q$".
The symbol is the name without `log_`; another is given as {"eq-elbo-gap": {"q": ["log_q", "log_normal(z, m, v)"]}}.
A true bound may hold whatever consistently replaces its ingredients: it is worth something where it is declared for
every such thing, neither side is made from the other, and replacing one side alone breaks it. Else it is vacuous.

A chapter of _sabotage_table.MENDED may hold nothing vacuous, undeclared, or unknown for want of time: tests see to it.
"""

import argparse
import os
import re
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parent.parent)]

from _sabotage_cells import read  # noqa: E402
from _sabotage_names import needed, thinned  # noqa: E402
from _sabotage_table import ROOT, better, book, entry, labels, load, store  # noqa: E402

CHAPTER, LABEL = r"[0-9a-z_]+(\.ipynb)?", r"(eq|step)-[a-z0-9-]+"
BUDGET = 90.0  # seconds of processor time for the attacks on one part of a chapter


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("chapters", nargs="*", help="such as 03_elbo; default: every chapter")
    parser.add_argument("--section", metavar="LABEL", help="one equation only")
    parser.add_argument("--budget", type=float, default=BUDGET, help="seconds for the attacks on one part of a chapter")
    parser.add_argument("--workers", type=int, default=2, help="attacks at a time (2)")
    parser.add_argument("--write", action="store_true", help="store the result")
    chosen = parser.parse_args(arguments)
    if chosen.section is not None and not re.fullmatch(LABEL, chosen.section):
        parser.error(f"--section must be a label such as eq-elbo-gap; got {chosen.section!r}")
    if wrong := [name for name in chosen.chapters if not re.fullmatch(CHAPTER, name)]:
        parser.error(f"a chapter must be a name such as 03_elbo; got {wrong[0]!r}")
    paths = {path.stem: path for path in sorted((ROOT / "book").glob("*.ipynb"))}
    names = [Path(name).stem for name in chosen.chapters] or [n for n in paths if labels(read(paths[n]))]
    if missing := [name for name in names if name not in paths]:
        parser.error(f"no such chapter: {', '.join(missing)}")
    if chosen.section:
        names = [name for name in names if chosen.section in labels(read(paths[name]))]
    if not names:
        parser.error(f"no chapter checks {chosen.section}")
    workers = chosen.workers if len(names) == 1 else max(1, chosen.workers // 2)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn"), max_tasks_per_child=1) as pool:
        jobs = {name: pool.submit(sabotage, paths[name], chosen.section, chosen.budget, workers) for name in names}
        for name, job in jobs.items():
            tell(name, *job.result(), write=chosen.write)


def tell(name, found, seconds, *, write):
    """Print what was found in one chapter, and store it."""
    for label, value in found.items():
        blind = ", ".join(f"{key} ({how['how']})" for key, how in value["blind"].items())
        print(f"{name}#{label}: {value['noticed']} of {value['attacked']} noticed, {value['one_sided']} one-sided"
              + f"; blind to {blind}" * bool(blind) + f"; VACUOUS: {value['reason']}" * value["vacuous"]
              + f"; unknown: {'; '.join(value['unknown'])}" * bool(value["unknown"]))  # fmt: skip
    print(f"{name}: {seconds:.0f} s of processor time", flush=True)
    if write:
        table = load()
        for label, value in found.items():
            key = f"{name}#{label}"
            table["sections"][key] = better(table["sections"].get(key), value)
        store(table, book())


def sabotage(path, section=None, budget=BUDGET, workers=2):
    """{label: entry of the table} of a chapter, or of one label, and the seconds of processor time spent."""
    os.environ |= {"VAELIB_PROGRESS": "0", "OMP_NUM_THREADS": "1", "MPLBACKEND": "Agg"}
    if os.environ.get("VAELIB_DATA"):
        os.environ["VAELIB_DATA"] = os.path.abspath(os.environ["VAELIB_DATA"])
    cells, start = read(path), time.process_time()
    wanted = [section] if section else labels(cells)
    os.chdir(path.parent)
    thin = thinned(cells, wanted)
    found, spent, failed = _attacked(path.stem, cells, thin, wanted, section, budget, workers)
    if failed:  # something that it leans on in a hidden way was left out
        found, more, _ = _attacked(path.stem, cells, cells, wanted, section, budget, workers)
        spent += more
    return found, time.process_time() - start + spent


def _attacked(name, cells, run, wanted, section, budget, workers):
    """The entries of some labels, the seconds spent on attacks, and whether a cell failed."""
    from _sabotage_judge import judge
    from _sabotage_run import running

    places = needed(run, {cell.place for cell in run if set(wanted) & set(cell.labels)})
    with running(run, places, patient=bool(section)) as (chapter, parts, failures):
        spent, judged = 0.0, {}
        for part in parts if not failures or run is cells else ():
            if any(cell.place in part.places and set(cell.labels) & set(wanted) for cell in cells):
                findings, attacker = judge(chapter, part, budget, workers, section)
                judged |= findings
                spent += budget - attacker.left
                progress = f"{name}: cells {part.places[0]} to {part.places[-1]}, {len(attacker.replies)} attacks"
                print(f"{progress}, {budget - attacker.left:.0f} s", file=sys.stderr, flush=True)
        why = _why(chapter, parts, failures)
        return {label: _entry(cells, label, judged, chapter, why) for label in wanted}, spent, bool(failures)


def _entry(cells, label, judged, chapter, why):
    checks = [key for key in chapter.verdicts if key[0] == label]
    findings = [judged[key] for key in checks if key in judged]
    missing = {
        why.get(key[1], "its control run does not agree with the first run") for key in checks if key not in judged
    }
    ran = {key[1] for key in checks}
    missing |= {
        why.get(cell.place, "its check never ran") for cell in cells if label in cell.labels and cell.place not in ran
    }
    return entry(cells, label, findings, sorted(missing))


def _why(chapter, parts, failures):
    """{place: why a check there could not be attacked}."""
    seconds = {place: time for part in parts for place, time in part.seconds.items()}
    cells = {cell.place: cell for cell in chapter.cells}
    slow = {p: f"its cell takes {s:.0f} s" for p, s in seconds.items() if s > chapter.longest(cells[p])}
    return slow | {place: f"its cell fails: {error}" for place, error in failures.items()}


if __name__ == "__main__":
    main()
