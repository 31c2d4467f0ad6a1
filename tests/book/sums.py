"""Numbers in sentences: what they may stand for, and the arithmetic that a sentence does itself."""

import ast
import math
import operator
import re
from decimal import Decimal

NUMBER = re.compile(r"(?<![\w.])\d*\.?\d+(?:[eE][-+]?\d+)?")
DECIMAL = re.compile(r"(?<![\w.])(?:\d*\.\d+(?:[eE][-+]?\d+)?|\d+[eE][-+]?\d+)(?!\.?\d)")
UNITS = r"nats?|bits?|degrees?|percent|per cent|\\?%|\{term\}"
MEASURED = re.compile(rf"(?<![\w.,/^-])(?<!\\frac)(\d+)(?=\$?\s*(?:{UNITS})(?!\w))")
THOUSANDS = re.compile(r"(?<=\d)(?:,|\{,\}|\\,)(?=\d{3}(?!\d))")
WORDS = "zero one two three four five six seven eight nine ten eleven twelve".split()
NUMBER_WORDS = {word: i for i, word in enumerate(WORDS)} | {"twenty": 20, "fifty": 50, "hundred": 100, "thousand": 1000}
EQUALS = re.compile(r"=|\\approx|≈")
SIGNED = r"-?\s*\d*\.?\d+(?:\s*[-+]\s+\d*\.?\d+)*"
SUM = re.compile(rf"(?<![\w.^*/+(-])(?<![-+*/(] )({SIGNED})\s*=\s*({SIGNED})(?!\s*[*/^(e\\]|\.?\d|\s*[-+=]\s*[\w\\(])")
OPERATIONS = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
SPOKEN = [  # TeX as Python
    (r"\\[dt]?frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}", r"((\1)/(\2))"),
    (r"\\frac\s*(\d)\s*(\d)", r"(\1/\2)"),
    (r"\\sqrt\s*\{([^{}]*)\}", r"((\1)**0.5)"),
    (r"\^\s*\{([^{}]*)\}", r"**(\1)"),
    (r"\^\s*(\w)", r"**\1"),
    (r"\\(?:log|ln)\s*\{?\(?([\d.]+)\)?\}?", r"log(\1)"),
    (r"\\cdot|\\times|\u00d7", "*"),
    (r"\\[,;! ]|\\(?:left|right)|\$", " "),
    (r"\u2212", "-"),
]
TERM = r"(?:log\([\d.]+\)|[\d.]+)"
EXPRESSION = re.compile(r"[-(\s]*(?:log\(|\d|\.\d)[-+*/().\d\slog]*$")


def plain(text: str) -> str:
    """The text with its thousands unmarked: 12,288 is 12288."""
    return THOUSANDS.sub("", text)


def numbers(text: str) -> set[Decimal]:
    """The numbers of an output or of code, without their signs."""
    return {Decimal(number) for number in NUMBER.findall(plain(text))}


def stands_for(said: Decimal, known, percent: bool = False) -> bool:
    """Whether a number is one of the known ones, or such a one rounded to the digits that it has."""
    room = Decimal(5).scaleb(said.as_tuple().exponent - 1)
    return any(abs(value - said) <= room for value in known) or (
        percent and any(abs(100 * value - said) <= room for value in known)
    )


def computed(sentence: str) -> set[Decimal]:
    """The results of the sums in a sentence that come out: 10.5 in "42/4 = 10.5"."""
    text, found = plain(sentence), set()
    for sign in EQUALS.finditer(text):
        left, right = _spoken(text[: sign.start()]), NUMBER.match(text[sign.end() :].lstrip(" $-\u2212"))
        last = EXPRESSION.search(re.split(r"[=,;:]|\b(?!log\b)[A-Za-z]{2,}", left)[-1])
        value = last and _value(last[0].strip())
        if right and value is not None and re.search(r"[-+*/(]", last[0].strip()):
            said = Decimal(right[0])
            if stands_for(said, {Decimal(repr(abs(value)))}):
                found.add(said)
    return found


def false_sums(sentence: str) -> list[str]:
    """Sums and differences of plain numbers that do not come out, roundings allowed: "5.35 = 4.50 + 0.83"."""
    found = []
    for match in SUM.finditer(_spoken(plain(sentence))):
        left, right = match[1].strip(), match[2].strip()
        terms = [Decimal(number) for number in NUMBER.findall(match[0])]
        rounded = [term for term in terms if term.as_tuple().exponent < 0] or terms  # beside decimals a whole is exact
        room = sum(Decimal(5).scaleb(term.as_tuple().exponent - 1) for term in rounded)
        values = _value(left), _value(right)
        if None not in values and len(terms) > 2 and abs(values[0] - values[1]) > float(room) * (1 + 1e-9):
            found.append(f"{left} = {right}")
    return found


def _spoken(tex: str) -> str:
    for pattern, python in SPOKEN:
        tex = re.sub(pattern, python, tex)
    return tex


def _value(expression: str) -> float | None:
    """The value of a sum of plain numbers; None when it is none."""
    try:
        return float(_evaluate(ast.parse(expression, mode="eval").body))
    except (SyntaxError, ValueError, TypeError, ArithmeticError, KeyError):
        return None


def _evaluate(node):
    if isinstance(node, ast.Constant):
        return float(node.value)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_evaluate(node.operand)
    if isinstance(node, ast.BinOp):
        return OPERATIONS[type(node.op)](_evaluate(node.left), _evaluate(node.right))
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "log":
        return math.log(_evaluate(node.args[0]))
    raise ValueError(f"no sum: {ast.unparse(node)}")
