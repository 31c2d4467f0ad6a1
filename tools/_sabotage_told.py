"""The table of what the checks notice, as a page to read: benchmarks/sabotage.md."""

import datetime


def readable(table):
    lines = [f"# What the checks notice, {datetime.date.today()}", "", *INTRODUCTION.strip().splitlines(), ""]
    if table["not_yet_attacked"]:
        lines += [f"Not yet attacked: {', '.join(table['not_yet_attacked'])}.", ""]
    chapters = list(dict.fromkeys(key.split("#")[0] for key in table["sections"]))
    lines += [f"| {' | '.join(COLUMNS)} |", "|---" * len(COLUMNS) + "|", *[_sums(name, table) for name in chapters], ""]
    for chapter in chapters:
        lines += [
            f"## {chapter}",
            "",
            "| equation | noticed | one-sided | blind to | verdict |",
            "|---|---|---|---|---|",
        ]
        own = {key.split("#")[1]: value for key, value in table["sections"].items() if key.startswith(chapter + "#")}
        lines += [_row(label, value) for label, value in own.items()] + [""]
    return "\n".join(lines)


def _row(label, found):
    blind = ", ".join(f"`{name}` ({how['how']})" for name, how in found["blind"].items()).replace("|", "\\|")
    words = [f"VACUOUS: {found['reason']}"] if found["vacuous"] else []
    if found["reason"] and not found["vacuous"]:
        words.append(f"{found['vacuous_checks']} of {found['checks']} checks vacuous: {found['reason']}")
    words += [f"for every {', '.join(found['holds_for'])}"] if found["holds_for"] else []
    words += [f"unknown: {'; '.join(found['unknown'])}"] if found["unknown"] else []
    return (
        f"| {label} | {found['noticed']} of {found['attacked']} | {found['one_sided']} | {blind} | {'; '.join(words)} |"
    )


COLUMNS = ("chapter", "equations", "attacked", "noticed", "declared", "one-sided", "vacuous", "undeclared", "unknown")


def _sums(chapter, table):
    """One row for a chapter: of its equations and steps the ingredients, and how many of them have what is open."""
    own = [value for key, value in table["sections"].items() if key.startswith(chapter + "#")]
    attacked, noticed, one_sided = (sum(found[name] for found in own) for name in ("attacked", "noticed", "one_sided"))
    undeclared = sum(len(found["undeclared"]) for found in own)
    declared = sum(len(found["blind"]) for found in own) - undeclared
    vacuous, unknown = (sum(bool(found[name]) for found in own) for name in ("vacuous_checks", "unknown"))
    numbers = len(own), attacked, noticed, declared, one_sided, vacuous, undeclared, unknown
    return f"| {chapter} | {' | '.join(map(str, numbers))} |"


INTRODUCTION = """
Written by `python tools/sabotage.py --write`. Each ingredient of a check (a function, a density, an array) is replaced
by smooth other ones wherever it is used: a line, a square, a sine of it. *Noticed*: of the ingredients that both sides
or several uses share, how many the check misses when they change. *One-sided* ones reach only one side, so that the
refusal is arithmetic and earns nothing. *Blind to*: it may be replaced and the check still passes; C, no side moves,
because it cancels; B, both sides move together, so that the statement holds for any such thing. Vacuous: something
cancels that the text does not speak of, or nothing that feeds the check is noticed, or both sides are the same bits,
or no consistent replacement breaks a bound that is not declared for every such thing or that could not fail at all.
The first table counts ingredients; its columns *vacuous* and *unknown* count equations of which a check is so.
"""
