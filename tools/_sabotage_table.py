"""benchmarks/sabotage.json: what is known of every equation, under a digest of the code that it was measured on."""

import hashlib
import json
from pathlib import Path

from _sabotage_cells import is_said, read
from _sabotage_names import needed
from _sabotage_told import readable

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "benchmarks" / "sabotage.json"
# Chapters whose checks all prove something: the tests hold them to it, and ask for every chapter that was attacked.
MENDED = (
    "intro",
    "00_prerequisites",
    "01_autoencoder",
    "02_linear_is_pca",
    "03_elbo",
    "04_kl",
    "05_reparameterization",
    "06_vae_digits",
    "07_faces",
    "08_directions",
    "09_learned_prior",
    "10_which_beta",
    "11_why_blurry",
    "12_posterior_collapse",
    "14_museum",
    "90_many_gpus",
)
# Equations of which something is unknown for want of time, and why; the list may only become shorter.
LATE: dict[str, str] = {}


def digest(cells, label: str) -> str:
    """SHA-256 of the code that a label's checks run, comments and layout left out, and of what they declare."""
    own = [cell for cell in cells if label in cell.labels]
    places = needed(cells, {cell.place for cell in own})
    parts = [_plain(cell.tree) for cell in cells if cell.place in places]
    parts.append(sorted(str(cell.declared.get(label, {})) for cell in own))
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def formula(cells, label: str) -> str:
    """SHA-256 of what is typeset at a label: code and digest do not feel a sign that is lost in the prose alone."""
    typeset = next((cell.formulas.get(label, "") for cell in cells), "")
    return hashlib.sha256(typeset.encode()).hexdigest()[:32]


def _plain(node):
    """A syntax tree as nested tuples that do not depend on the version of Python."""
    if isinstance(node, list):
        return [_plain(part) for part in node]
    if not hasattr(node, "_fields"):
        return repr(node)
    fields = [(name, getattr(node, name, None)) for name in node._fields]
    kept = [(name, _plain(value)) for name, value in fields if value not in (None, []) and name not in ("ctx", "kind")]
    return type(node).__name__, kept


def labels(cells):
    return list(dict.fromkeys(label for cell in cells for label in cell.labels))


def entry(cells, label, findings, why):
    """One equation of the table; `findings` are those of its checks, `why` says why a check has none."""
    declared, text = {}, ""
    for cell in cells:
        if label in cell.labels:
            declared |= cell.declared.get(label, {})
            text += cell.text
    names = {name for codes in declared.values() for name in codes}
    noticed = set().union(*[found.noticed for found in findings])
    blind = {name: how for found in findings for name, how in found.blind.items() if name not in noticed}
    reasons = [_reason(found, names, noticed) for found in findings]
    one_sided = set().union(*[found.one_sided for found in findings]) - noticed - blind.keys()
    unknown = sorted({f"{name}: {how}" for found in findings for name, how in found.unknown.items()} | set(why))
    if not (findings and (noticed or blind or one_sided or any(reasons))) and not unknown:
        unknown = ["nothing in it could be replaced"]
    return {
        "digest": digest(cells, label),
        "formula": formula(cells, label),
        "attacked": len(noticed.union(blind, *[found.attacked for found in findings])),
        "noticed": len(noticed),
        "one_sided": len(one_sided),
        "attacks": sum(found.attacks for found in findings),
        "holds_for": sorted(symbol for symbol, codes in declared.items() if set(codes) <= blind.keys()),
        "blind": dict(sorted(blind.items())),
        "undeclared": sorted(blind.keys() - names),
        "declared_in_vain": sorted(names - blind.keys()),
        "unsaid": sorted(symbol for symbol in declared if not is_said(symbol, text)),
        "vacuous": bool(findings) and all(reasons) and not why,
        "vacuous_checks": sum(map(bool, reasons)),
        "checks": len(findings) + len(why),
        "unknown": unknown,
        "reason": "; ".join(dict.fromkeys(filter(None, reasons))),
    }


def _reason(found, declared, noticed):
    """Why a check is vacuous, or nothing: what it holds for may be meant, where it is declared. What cancels in one
    check may be noticed by another of the same equation."""
    meant = found.unless and found.unless <= declared
    return "; ".join(filter(None, ["" if meant else found.vacuous, _cancels(found, declared | noticed)]))


def _cancels(found, declared):
    gone = sorted(name for name, blind in found.blind.items() if blind["how"] == "C" and name not in declared)
    return f"{', '.join(gone)} cancels" if gone else ""


def better(old, new):
    """The newer of two entries, unless it ran out of time on the same code and the older did not."""
    cut = [any("no time left" in said for said in found["unknown"]) for found in (old or new, new)]
    kept = old and old["digest"] == new["digest"] and cut == [False, True]
    return old | {"formula": new["formula"]} if kept else new


def load(path=TABLE):
    if not path.exists():
        return {"sections": {}, "not_yet_attacked": []}
    return json.loads(path.read_text(encoding="utf-8"))


def store(table, chapters, path=TABLE):
    """Write the table and its readable form; sections that the book no longer has are dropped."""
    known = {f"{name}#{label}" for name, cells in chapters.items() for label in labels(cells)}
    sections = {key: table["sections"][key] for key in sorted(known & table["sections"].keys())}
    begun = {key.split("#")[0] for key in sections}
    waiting = sorted(name for name, cells in chapters.items() if labels(cells) and name not in begun)
    table = {"sections": sections, "not_yet_attacked": waiting}
    path.write_text(json.dumps(table, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    path.with_suffix(".md").write_text(readable(table), encoding="utf-8")


def problems(chapters, table, mended=MENDED):
    """What is stale or contradicts itself, each with the command that mends it; in mended chapters also what is
    vacuous, blind to something that is not declared, or unknown for want of time."""
    found = []
    for name, cells in chapters.items():
        for label in labels(cells) if name in mended or name not in table["not_yet_attacked"] else ():
            entry = table["sections"].get(f"{name}#{label}")
            command = f"run: python tools/sabotage.py {name} --section {label} --write"
            if entry is None:
                found.append(f"{name}: {label} was never attacked; {command}")
            elif entry["digest"] != digest(cells, label):
                found.append(f"{name}: the code of {label} has changed since it was attacked; {command}")
            elif entry["formula"] != formula(cells, label):
                found.append(
                    f"{name}: the formula of {label} has changed since its check was attacked: see that the check "
                    f"still computes what it says; then {command}"
                )
            else:
                found += [f"{name}: {said}" for said in _wrong(label, entry)]
                late = f"{name}#{label}" in LATE
                found += [f"{name}: {said}; {command}" for said in _empty(label, entry, late) if name in mended]
    return found


def _wrong(label, entry):
    if entry["declared_in_vain"]:
        yield f"{label} is declared for every {entry['declared_in_vain']}, but its checks notice"
    elif entry["unsaid"]:
        yield f"the section of {label} does not say 'for every {entry['unsaid'][0]}'"


def _empty(label, entry, late):
    """What may not be in a chapter that is mended."""
    if entry["vacuous"] or entry["vacuous_checks"]:
        yield f"a check of {label} is vacuous ({entry['reason']}): check it by another route, or take its label away"
    elif entry["undeclared"]:
        names = ", ".join(entry["undeclared"])
        yield f"the checks of {label} do not notice {names}: declare it, and say 'for every' in the text"
    short = [] if late else short_of_time(entry)
    if short or any(not said.strip(" :") for said in entry["unknown"]):
        yield f"what {label} is worth is unknown ({short[0] if short else 'no reason'}): give it a larger --budget"


def short_of_time(entry):
    return [said for said in entry["unknown"] if "budget" in said or "no time left" in said]


def book():
    """{name: cells} of every chapter."""
    return {path.stem: read(path) for path in sorted((ROOT / "book").glob("*.ipynb"))}
