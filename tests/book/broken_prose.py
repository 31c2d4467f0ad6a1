"""Small notebooks that break one rule about sentences, findings, folds or wrong formulas, and some that seem to."""

from nbformat.v4 import new_markdown_cell
from small_notebooks import CHECK, code, good, picture, printed, with_cells, with_check, with_metadata, with_source

HOLDS = "eq-one holds: closed form against arithmetic, within 1e-09 relative"
SEEN = 'observe("obs-seen", x, "what was seen")'
SEES = printed("obs-seen measured: what was seen, 0.5 +- 0.1 over 5 seeds")


def beside(text, **metadata):
    """The good notebook with more text in the section of its check, and with metadata of that check."""
    notebook = with_metadata(3, **metadata)
    notebook.cells[2].source += f"\n\n{text}"
    return notebook


def finding(text="> **Finding** (obs-seen). It was 0.5.", source=SEEN, output=SEES, **metadata):
    """The good notebook with a finding and a cell that observes it."""
    notebook = good()
    notebook.cells[6].source += f"\n\n{text}"
    notebook.cells.insert(7, code(source, output, **metadata))
    return notebook


def refusing(wrong, before=""):
    return with_source(3, f'{before}check("eq-one", x, 1, "how", wrong={wrong})')


def after(text):
    """Text in the last section, between the cell that prints 2 and the one that prints 0.125."""
    notebook = good()
    notebook.cells.insert(8, new_markdown_cell(text))
    return notebook


ELSEWHERE = good()  # 0.875 is printed by the chapter, but in another section
ELSEWHERE.cells.insert(2, code("print(7 / 8)", printed("0.875")))
ELSEWHERE.cells[7].source += "\n\nIt is 0.875."

PICTURED = with_source(7, CHECK)  # a picture in a cell that is folded away
PICTURED.cells[7].outputs = [picture(), printed(HOLDS)]
PICTURED.cells[7].metadata["tags"] = ["check"]

THOUSANDS = after("It has 12,288 bits and 12{,}288 nats.")
THOUSANDS.cells[7].outputs[1].text = "12288\n"

QUOTING = with_metadata(3, tags=["check"], vaelib={"verdict": "0.5 = 1e-9"})
QUOTING.cells[3].outputs = [printed(f"{HOLDS}\n0.5 = 1e-09")]

BROKEN = {
    "numbers_are_printed_beside": [
        after("It is 0.75."),
        after("It is $x \\approx 0.75\\sigma$."),
        after("It is 0.75x as large."),
        after("It falls below 2e-9."),
        after("It was 0.5 {cite:p}`someone`. Now it is 0.75."),
        after("| method | nats |\n|---|---|\n| ours | 0.75 |\n| theirs {cite:p}`someone` | 7.25 |"),
        after("Exercise 2.1 gives 0.75."),
        after("It costs 23 nats, or {term}`nats`."),
        after("It costs 23 {term}`nats <nat>`."),
        after("It turns by $23$ degrees."),
        after("Rounded up it is 0.14."),
        after("As you see, 2/4 = 0.75."),
        ELSEWHERE,
    ],
    "displayed_decimals_have_a_source": [after("$$ k = 0.75 $$ (def-k)")],
    "formulas_have_a_cell": [
        beside("So the weight is $\\beta = 2 \\sigma^2 c$ on the KL."),
        beside("The mean $E[z] = 0$ is known."),
        beside("It grows: $k + 1 = 2 k$.", vaelib={"proves": ["$k + 1 = 3 k$"]}),
        after("It grows: $k + 1 = 2 k$."),
    ],
    "sums_come_out": [beside("In numbers 0.5 = 1 - 0.2 {cite:p}`someone`.")],
    "ratios_have_a_cell": [
        after("It is five times narrower."),
        after("It is $7$ times the variance."),
        after("It falls by a factor of ten."),
        after("It grows tenfold."),
        after("It differs by orders of magnitude."),
    ],
    "counts_are_counted": [
        after("Most code that you meet is wrong."),
        after("Most texts stop here."),
        after("Everybody runs this test."),
        after("Usually it holds."),
        after("Almost any program has it."),
        after("Many texts stop here."),
        after("It is the commonest bug."),
        after("It was copied many times."),
    ],
    "wrong_formulas_are_computed": [
        with_source(3, 'check("eq-one", x, 1, "how")'),
        refusing("{}"),
        refusing('{"zero": 0.0, "minus one": -1}'),
        refusing('{"zeros": np.zeros(3), "twos": torch.full_like(x, 2), "pi": np.pi}'),
        refusing('{"a list": [0.5, 1.5]}'),
        refusing('{"named": three}', "three = 3\n"),
        refusing("some", 'some = {"three": 3}\n'),
    ],
    "findings_are_measured": [
        after("> **Finding** (obs-lost). It was 2."),
        after("> **Finding.** It was 2."),
        after("**Finding** It was 2."),
    ],
    "observations_name_a_finding": [
        with_cells(code(SEEN, SEES)),
        finding("> **Finding** (obs-seen). It was 2.", output=printed("obs-other: 0.5")),
    ],
    "folded_cells_check": [with_metadata(1, tags=["check"]), PICTURED],
    "verdicts_are_printed": [beside("", vaelib={"verdict": "0.5 = 0.25 + 0.125"})],
}
HARMLESS = {
    "rounded": after("About 0.1, that is 0.13, 12 percent or 12.5 %."),
    "a number from a sum of its own": after("Half of 5 is $5/2 = 2.5$, and 42/4 = 10.5 too; $\\frac{3}{8} = 0.375$."),
    "thousands": THOUSANDS,
    "from the place that is named": after("By {eq}`eq-one` it is 0.5 within 1e-9."),
    "a definition": beside("Write $s = \\log \\sigma^2$, where $f(z) = z^2$ and $L = 16$, for $p(z) = N(0, 1)$."),
    "a part of a display": beside("So $k = x^2/2$."),
    "a sum in numbers": beside("And $12 + 6 = 18$."),
    "what a cell proves": beside("It grows: $k + 1 = 2 k$.", vaelib={"proves": ["k + 1 = 2k"]}),
    "a cited formula": after("It grows: $k + 1 = 2 k$ {cite:p}`someone`."),
    "a ratio that is printed": after("It is 2 times the variance, twice as much; two times more."),
    "a repetition": after("Run it three times, or five times in a row."),
    "a claimed ratio": beside("It is nine times smaller.", vaelib={"proves": ["nine times smaller"]}),
    "superlatives": after("The most probable is most likely at most 2, and most plausible."),
    "counted and cited": after("Most texts stop here {cite:p}`someone`."),
    "a wrong formula from a name": refusing("some", 'some = {"half": x / 2}\n'),
    "wrong formulas from a loop": refusing("{name: w * x for name, w in weights.items()}"),
    "a second check without wrong": with_check(CHECK.replace("\n      ", " ") + '\ncheck("eq-one", x, 1, "how")'),
    "a measured finding": finding(),
    "a folded check": QUOTING,
    "a folded observation": finding(tags=["check"]),
    "another quotation": after("> A finding was quoted here."),
}
