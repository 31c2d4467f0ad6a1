"""The rules about sentences: a number is one that is printed beside it, a claim has a cell, a count has a source."""

import re
from decimal import Decimal
from pathlib import Path

import yaml
from notebook_parts import (
    DISPLAY,
    check_calls,
    code_cells,
    displays,
    markdown_texts,
    observe_calls,
    output_texts,
    passages,
    sentences_of,
)
from sums import DECIMAL, MEASURED, NUMBER_WORDS, computed, false_sums, numbers, plain, stands_for

COUNTED = Path(__file__).with_name("counted_words.yml")
CITED = re.compile(r"\{cite|\{doc\}")  # a source outside the chapter
REFERS = re.compile(r"\{(?:eq|ref|numref)\}")  # another place of the chapter
# Numbers that name a place or a version: "Exercise 2.1", "Sections 1.2 and 1.3", "Python 3.11", "## 2.1 Heading".
NAMES_A_PLACE = re.compile(
    r"^\s*#+\s*\d+(\.\d+)+"
    r"|\b(Exercise|Chapter|Section|Equation|Figure|Table|Part|Python|PyTorch|CC BY)s?\s+\(?\d+(\.\d+)+"
    r"((\s*[-–]\s*|,\s+(and\s+)?|\s+(and|or|to)\s+)\d+(\.\d+)+)*",
    re.IGNORECASE,
)
INLINE = re.compile(r"(?<![\\$])\$(?!\$)((?:[^$\\]|\\.)+?)\$(?!\$)")
PLAIN = r"\(?(?:[-+]?[\d.,{}\s]*\d|\\?[A-Za-z]+(?:[_^]\{?\w+\}?)?)(?:,\s*(?:[-\d.]+|\\?[A-Za-z]+(?:_\{?\w+\}?)?))*\)?"
NAME = re.compile(rf"{PLAIN}|[a-z]'?\([^()]*\)")
SETTING = re.compile(rf"{PLAIN}|(?:\\mathcal\s*\{{)?N\}}?(?:\\left)?\(.*\)|\\?\{{.*\}}")
DEFINES = re.compile(r"\b(?:where|with|let|write|call|called|set|take|choose|at|for|if|when|say)[\s:,]*$", re.I)
MANY = "|".join([*NUMBER_WORDS, r"\d[\d.]*"])
NOT_A_RATIO = r"(?:in|on|over|and|or|with|per|each|before|after|at|for|by|during|to|every|until|from|out)"
RATIO = re.compile(
    rf"\b(?:{MANY})\$?\s+times\s+(?!{NOT_A_RATIO}\b)[a-z$]+|\bfactors?\s+of\s+(?:about\s+)?\S+|\b(?:{'|'.join(NUMBER_WORDS)})fold\b"
    rf"|\b(?:{MANY})(?:\$?\s*\\?%|\$?\s+per\s?cent\b)|\borders? of magnitude\b",
    re.IGNORECASE,
)
UNCOUNTED = re.compile(
    r"(?<!\bat )(?<!\bthe )\bmost\s+(?:code|people|(?!is\b|as\b|was\b|besides\b)\w+s)\b|\bmost of\s+\w+"
    r"|\b(?:everybody|everyone|usually|typically|commonest|most common)\b|\balmost (?:any|every|all|always)\b"
    r"|\bmany\s+(?:texts|notes|books|programs|papers|people|codes|authors|tutorials|repositories)\b"
    r"|\b(?:copied|repeated|quoted)\s+many times\b|\bin practice\b",
    re.IGNORECASE,
)


def guard_numbers_are_printed_beside(notebook):
    """A decimal, or a whole number with a unit, is one that a cell beside it prints, perhaps rounded, or a setting."""
    return [
        f"{number} is printed or set nowhere beside it: {_start(sentence)}"
        for sentence, sources, _ in _placed(notebook)
        for number in _unexplained(sentence, sources)
    ]


def _placed(notebook):
    """Every sentence without a source outside the chapter: (sentence, numbers that it may quote, its section)."""
    everything = _printed(code_cells(notebook))
    head = [cell for cell in passages(notebook)[0] if not isinstance(cell, str)]
    for part in passages(notebook):
        cells = [cell for cell in part if not isinstance(cell, str)]
        settings = {n for cell in cells + head for n in numbers(cell.source)}
        for i, text in enumerate(part):
            for sentence in sentences_of(text) if isinstance(text, str) else ():
                wide = REFERS.search(sentence) or not _printed(cells)  # it names another place, or sums up
                if not CITED.search(sentence):
                    yield sentence, (everything if wide else _printed_beside(part, i), settings), cells


def _printed_beside(part, i):
    """The numbers of the two printing cells before a text and of the one after it."""
    before = [cell for cell in part[:i] if not isinstance(cell, str) and _printed([cell])]
    after = [cell for cell in part[i:] if not isinstance(cell, str) and _printed([cell])]
    return _printed(before[-2:] + after[:1])


def _printed(cells):
    texts = [re.sub(r"<[a-z/][^>]*>", " ", text) for cell in cells for text in output_texts(cell)]
    return {number for text in texts for number in numbers(NAMES_A_PLACE.sub(" ", text))}


def _unexplained(sentence, sources):
    printed, settings = sources
    text = plain(NAMES_A_PLACE.sub(" ", DISPLAY.sub(" ", sentence)))
    own = computed(text)
    for found in sorted([*DECIMAL.finditer(text), *MEASURED.finditer(text)], key=lambda match: match.start()):
        number, percent = Decimal(found[0]), re.match(r"\$?\s*(?:\\?%|per)", text[found.end() :])
        if number not in settings | own and not stands_for(number, printed, bool(percent)):
            yield found[0]


def guard_displayed_decimals_have_a_source(notebook):
    """A decimal in a display stands in an output or in the code of the chapter."""
    shown = [formula for text in markdown_texts(notebook) for formula, _ in displays(text)]
    return unknown_decimals(notebook, shown)


def unknown_decimals(notebook, texts=None):
    """Decimals of some texts (of all sentences without a citation) that no cell prints and no code holds."""
    known = _printed(code_cells(notebook)) | {n for cell in code_cells(notebook) for n in numbers(cell.source)}
    if texts is None:
        sentences = [sentence for text in markdown_texts(notebook) for sentence in sentences_of(text)]
        texts = [NAMES_A_PLACE.sub(" ", sentence) for sentence in sentences if "{cite" not in sentence]
    return [
        f"{n} is in no output and no code: {_start(text)}"
        for text in texts
        for n in DECIMAL.findall(text)
        if Decimal(n) not in known
    ]


def guard_formulas_have_a_cell(notebook):
    """An inline equation defines, is part of a display, is a sum of numbers, is cited, or is named by its check."""
    shown = {_bare(formula) for text in markdown_texts(notebook) for formula, _ in displays(text)}
    return [
        f"${formula}$ is tied to no check: {_start(sentence)}"
        for sentence, _, cells in _placed(notebook)
        for formula in _claims(sentence)
        if not any(_bare(formula) in display for display in shown) and not _is_proved(formula, cells)
    ]


def _claims(sentence):
    """The inline equations that say more than what a letter stands for."""
    text = DISPLAY.sub(" ", sentence)
    for found in INLINE.finditer(text):
        sides = [side.strip() for side in re.split(r"(?<![<>\\])=", found[1])]
        is_setting = len(sides) == 2 and NAME.fullmatch(sides[0]) and SETTING.fullmatch(sides[1])
        is_sum = computed(found[1]) and not re.search("[A-Za-z]", re.sub(r"\\[a-z]+", "", found[1]))
        if len(sides) > 1 and not is_setting and not is_sum and not DEFINES.search(text[: found.start()]):
            yield found[1]


def guard_sums_come_out(notebook):
    """ "5.35 = 4.50 + 0.83" is wrong by more than its roundings, whoever printed the numbers."""
    return [
        f"{wrong} does not come out: {_start(sentence)}"
        for text in markdown_texts(notebook)
        for sentence in sentences_of(text)
        for wrong in false_sums(sentence)
    ]


def guard_ratios_have_a_cell(notebook):
    """ "Five times narrower", "a factor of ten", "63 percent": printed beside it, cited, or named by a cell."""
    return [
        f"{found[0]!r} is tied to no cell: {_start(sentence)}"
        for sentence, sources, cells in _placed(notebook)
        for found in RATIO.finditer(plain(DISPLAY.sub(" ", sentence)))
        if not _is_printed(found[0], sources) and not _is_proved(found[0], cells)
    ]


def _is_printed(claim, sources):
    words = {Decimal(value) for word, value in NUMBER_WORDS.items() if re.search(rf"{word}(?:fold)?\b", claim, re.I)}
    said, percent = numbers(claim) | words, bool(re.search(r"%|per", claim))
    return bool(said) and all(stands_for(number, sources[0] | sources[1], percent) for number in said)


def _is_proved(claim, cells):
    """Whether a check or an observation says in `vaelib: {proves: [...]}` that it computes a claim of its section."""
    proofs = [cell for cell in cells if cell.source.strip() and (check_calls(cell) or observe_calls(cell))]
    named = [text for cell in proofs for text in cell.metadata.get("vaelib", {}).get("proves", [])]
    return any(_bare(text) == _bare(claim) for text in named)


def _bare(tex):
    """TeX without what only spaces or sizes it."""
    return re.sub(r"\\(?:left|right|big|Big|bigl|bigr|[,;! ])(?![A-Za-z])|[\s$&]|\{\}|\.$", "", tex)


def guard_counts_are_counted(notebook):
    """ "Most", "everybody", "usually" and their like need a count, a citation or an entry in counted_words.yml."""
    allowed = [entry["text"] for entry in yaml.safe_load(COUNTED.read_text(encoding="utf-8"))]
    return [
        f"{found[0]!r} counts nothing: {_start(sentence)}"
        for text in markdown_texts(notebook)
        for sentence in sentences_of(text)
        if "{cite" not in sentence and not any(text in " ".join(sentence.split()) for text in allowed)
        for found in UNCOUNTED.finditer(sentence)
    ]


def _start(sentence):
    return repr(" ".join(sentence.split())[:70])
