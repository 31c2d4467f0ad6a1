"""Small chapters, vacuous and honest, that sabotage must tell apart; one is dressed up to escape it."""

import ast
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tools")]

import _sabotage_judge  # noqa: E402, F401  torch is imported once, before the forks
from _sabotage_cells import Cell, is_said, read  # noqa: E402
from _sabotage_names import needed  # noqa: E402
from _sabotage_table import digest, entry, problems  # noqa: E402

pytestmark = pytest.mark.slow  # it trains, builds or starts other programs

DENSITIES = """
import numpy as np
from vaelib.checks import check, check_bound
z = np.linspace(-9, 9, 2001)
def log_normal(v, mean, sd):
    return -0.5 * ((v - mean) / sd) ** 2 - np.log(sd * np.sqrt(2 * np.pi))
def log_joint(z):
    return log_normal(z, 0, 1) + log_normal(1.5, 0.8 * z, 0.6)
def log_q(z):
    return log_normal(z, 0.4, 0.8)
def integral(f):
    return np.trapezoid(f(z), z)
exact = log_normal(1.5, 0, 1.0)
def log_post(z):
    return log_joint(z) - exact
"""
BOTH_BRACKETS = """
weight = np.exp(log_normal(z, 0.4, 0.8))
elbo = np.trapezoid(weight * (log_joint(z) - log_q(z)), z)
gap = np.trapezoid(weight * (LOG_Q(z) - log_post(z)), z)
check("eq-small", elbo + gap, log_normal(1.5, 0, np.hypot(0.8, 0.6)), "a sum and a formula", atol=1e-9)
"""
COPIED = "def log_q_again(v):\n    return log_normal(v, 0.4, 0.8)\n"
INDEPENDENT = """
def kl(mean, sd):
    return 0.5 * (mean**2 + sd**2 - 1) - np.log(sd)
by_grid = integral(lambda z: np.exp(log_normal(z, 0.4, 0.8)) * (log_normal(z, 0.4, 0.8) - log_normal(z, 0, 1)))
check("eq-small", by_grid, kl(0.4, 0.8), "quadrature and the formula", atol=1e-6)
"""
BEST_OF_ALL = """
guess = np.cos(z)
best = np.minimum(guess, log_joint(z))
check_bound("eq-small", best, guess, "what was found and what it started from")
"""
FOR_EVERY_Q = """
mean_log = integral(lambda z: np.exp(log_normal(z, 0, 1)) * log_q(z))
nodes, weights = np.polynomial.hermite_e.hermegauss(60)
by_nodes = weights @ log_q(nodes) / np.sqrt(2 * np.pi)
check("eq-small", mean_log, by_nodes, "grid and nodes", atol=1e-7)
"""
CHAPTERS = {  # what is built, whether it is vacuous, what it is blind to
    "both brackets": (BOTH_BRACKETS.replace("LOG_Q", "log_q"), True, {"log_q", "log_joint"}),
    "a copied helper": (
        COPIED + BOTH_BRACKETS.replace("LOG_Q", "log_q_again"),
        True,
        {"log_q", "log_joint"},
    ),
    "independent": (INDEPENDENT, False, set()),
    "best of all": (BEST_OF_ALL, True, {"log_normal"}),
    "for every q": (FOR_EVERY_Q, False, {"log_q"}),
}


def chapter(folder, source, declared=None, text="It holds for every $q$."):
    """A notebook of three cells, on the disk."""
    cells = [
        nbformat.v4.new_code_cell(DENSITIES),
        nbformat.v4.new_markdown_cell(f"## A finding\n{text}"),
        nbformat.v4.new_code_cell(source, metadata={"vaelib": {"any": declared or {}}}),
    ]
    path = folder / "small.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path


NAMED = {  # cases that were in the book, cut down: the cell, and its expected reason (part of it) or nothing
    "eq-knob": ("""
def numbers(w, mean, var):
    decoded = integral(lambda v: np.exp(log_normal(v, mean, var)) * log_normal(1.5, w * v, 0.6))
    distance = integral(lambda v: np.exp(log_normal(v, mean, var)) * (log_normal(v, mean, var) - log_normal(v, 0, 1)))
    return np.array([decoded - distance, decoded, distance])
moves = np.array([numbers(w, 0.5, 1.0) - numbers(1.5, 0.5, 1.0) for w in (0.3, 0.7, 2.0)]).T
check("eq-knob", [moves[2], moves[0]], [0 * moves[1], moves[1]], "three decoder moves", atol=1e-9)
""", "distance cancels"),
    "eq-average": ("""
xs, zs = np.linspace(-8, 8, 121)[:, None], np.linspace(-6, 6, 121)[None]
plane = lambda values: np.trapezoid(np.trapezoid(values, zs[0], axis=1), xs[:, 0])
log_pxz = log_normal(zs, 0, 1) + log_normal(xs, 0.8 * zs, 0.6)
log_qzx, log_qz = log_normal(zs, 0.5 * xs, 1), log_normal(zs, 0, np.hypot(0.5, 1))
both = np.exp(log_normal(xs, 0, 1) + log_qzx)
excess = plane(both * (log_pxz - log_qz)) - plane(both * (log_pxz - log_qzx))
check("eq-average", excess, 0.5 * np.log(1 + 0.5**2), "planes and a formula", atol=1e-6)
""", "log_pxz cancels"),
    "eq-curve": ("""
t = np.linspace(-1, 1, 200)
curve = np.stack([t, t**2], 1)
code = curve[:, 0]
check("eq-curve", np.stack([code, code**2], 1), curve, "the output and the input", atol=1e-7)
""", "same bits"),
    "eq-self": ("""
def network(v):
    return np.tanh(v) * 0.7 + 0.1
target = network(z)
check("eq-self", ((network(z) - target) ** 2).sum(), 0.0, "the loss against itself", atol=1e-12)
""", "network"),
    "eq-twice": ("""
once, again = 1.7 * network(z), 5.1 * network(z) / 3
check("eq-twice", once, again, "a function and itself, under two names", atol=1e-12)
""", "every function"),
    "eq-best": ("""
start = np.cos(z)
found = start
for shift in (0.1, 0.2, 0.3):
    found = np.minimum(found, np.cos(z + shift))
check_bound("eq-best", found, start, "after a search and before it")
""", "moves both sides"),
    "eq-crowd": ("""
means = np.random.default_rng(1).normal(size=300)
draws = means + 0.5 * np.random.default_rng(2).normal(size=(60, 300))
log_own, log_prior = log_normal(draws, means, 0.5), log_normal(draws, 0, 1)
log_crowd = np.log(np.exp(log_normal(draws[:, :, None], means, 0.5)).mean(2))
information, misfit = log_own - log_crowd, log_crowd - log_prior
exact_kl = 0.5 * (means**2 + 0.5**2 - 1) - np.log(0.5)
parts = (information + misfit).mean(0)
check("eq-crowd", parts.mean(), exact_kl.mean(), "two parts and the whole", stderr=(parts - exact_kl).std() / 300**0.5)
""", "log_crowd"),
    "eq-given": ("""
def decoder(v):
    return 0.3 * np.tanh(v)
output = 2 * decoder(z) - 0.1
surprise = 0.5 * (output - 1.5) ** 2 / 0.36 + np.log(0.6 * np.sqrt(2 * np.pi))
height = np.exp(-0.5 * ((output - 1.5) / 0.6) ** 2) / (0.6 * np.sqrt(2 * np.pi))
check("eq-given", surprise, -np.log(height), "two routes from any output of a network", atol=1e-9)
""", ""),
    "step-jensen": (JENSEN := """
values = log_normal(z, 0.3, 1.1)
check_bound("step-jensen", values.mean(), np.log(np.exp(values).mean()), "a mean and a logarithm")
""", "no consistent replacement"),
    "eq-jensen": (JENSEN.replace("step-jensen", "eq-jensen"), ""),  # the same, declared and said
}  # fmt: skip


@pytest.fixture
def attacked(monkeypatch):
    """What the command finds in one notebook; it runs in a process of its own, like a chapter."""
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    import sabotage

    def run(path, label="eq-small"):
        with ProcessPoolExecutor(1, mp_context=get_context("fork")) as pool:
            found = pool.submit(sabotage.sabotage, path, workers=1).result()[0]
        return found[label] if label else found

    return run


@pytest.mark.parametrize("name", CHAPTERS)
def test_vacuous_and_honest_checks_are_told_apart(name, tmp_path, attacked):
    source, vacuous, blind = CHAPTERS[name]
    found = attacked(chapter(tmp_path, source, {"eq-small": ["log_q", "exact"]} if name == "for every q" else None))
    assert found["vacuous"] == vacuous, found
    assert set(found["blind"]) == blind, found
    assert not found["unknown"], found
    if name == "for every q":  # what a statement holds for is declared, measured and said
        assert found["holds_for"] == ["q"] and not found["undeclared"]
        assert found["declared_in_vain"] == ["exact"] and found["unsaid"] == ["exact"]


def test_vacuous_checks_of_the_book_are_found(tmp_path, attacked):
    path = chapter(tmp_path, INDEPENDENT)
    notebook = nbformat.read(path, 4)
    for label, (source, _) in NAMED.items():
        declared = {"eq-jensen": {"q": ["values", "log_normal"]}} if label == "eq-jensen" else {}
        notebook.cells.append(nbformat.v4.new_markdown_cell(f"## {label}\nIt holds for every $q$."))
        notebook.cells.append(nbformat.v4.new_code_cell(source, metadata={"vaelib": {"any": declared}}))
    nbformat.write(notebook, path)
    found = attacked(path, None)
    expected = {label: NAMED.get(label, ("", ""))[1] for label in found}
    said = {label: value["reason"] if value["vacuous"] else "" for label, value in found.items()}
    assert {label: reason for label, reason in said.items() if not _is_like(reason, expected[label])} == {}
    assert found["eq-jensen"]["holds_for"] == ["q"] and not found["eq-jensen"]["undeclared"], found["eq-jensen"]


def test_a_check_that_never_ran_is_unknown_beside_one_that_did(tmp_path, attacked):
    path = chapter(tmp_path, INDEPENDENT)
    notebook = nbformat.read(path, 4)
    broken = """check("eq-small", lost, kl(0.4, 0.8), "what is not there and the formula", atol=1e-6)"""
    notebook.cells.append(nbformat.v4.new_code_cell(broken))
    nbformat.write(notebook, path)
    found = attacked(path)
    assert found["noticed"] and found["checks"] == 2
    assert found["unknown"] == ["its cell fails: NameError: name 'lost' is not defined"]


def test_what_a_function_of_a_module_is_given_can_be_replaced():
    from _sabotage_sites import Rewriter

    rewriter = Rewriter()
    rewriter.cell(read_cell("import numpy as np\nside = np.exp(log_q(z) - shift).sum()"))
    assert {site.text for site in rewriter.sites if site.kind == "use"} >= {"log_q(z)", "z", "shift"}


def read_cell(source):
    return Cell(0, ast.parse(source), 0, (), {}, "", {})


def test_an_object_that_can_be_called_keeps_its_methods():
    import sympy
    from _sabotage_probe import Probe

    t = sympy.Symbol("t")
    assert Probe().use(0, sympy.Poly(t**2 + 3, t)).all_coeffs() == [1, 0, 3]
    assert Probe().use(0, abs)(-2) == 2


def _is_like(reason, expected):
    return expected in reason if expected else not reason


def test_a_digest_feels_code_and_no_comments(tmp_path):
    def of(source, **options):
        return digest(read(chapter(tmp_path, source, **options)), "eq-small")

    assert of(INDEPENDENT) == of("# a comment\n" + INDEPENDENT.replace("kl(0.4, 0.8)", "kl(0.4,\n  0.8)"))
    assert of(INDEPENDENT) == of(INDEPENDENT, text="Another text.")
    assert of(INDEPENDENT) != of(INDEPENDENT.replace("0.5 *", "0.50001 *"))
    assert of(FOR_EVERY_Q) != of(FOR_EVERY_Q, declared={"eq-small": ["log_q"]})


def test_cells_that_nothing_depends_on_are_left_out(tmp_path):
    path = chapter(tmp_path, INDEPENDENT)
    notebook = nbformat.read(path, 4)
    notebook.cells.insert(1, nbformat.v4.new_code_cell("unrelated = 3"))
    nbformat.write(notebook, path)
    assert needed(read(path), {3}) == [0, 3]


def test_a_section_that_changed_is_named_with_the_command(tmp_path):
    cells = read(chapter(tmp_path, INDEPENDENT))
    table = {"sections": {"small#eq-small": entry(cells, "eq-small", [], ["not run"])}, "not_yet_attacked": []}
    assert problems({"small": cells}, table) == []
    changed = read(chapter(tmp_path, INDEPENDENT.replace("0.4", "0.3")))
    assert "python tools/sabotage.py small --section eq-small --write" in problems({"small": changed}, table)[0]
    assert "never attacked" in problems({"small": cells}, {"sections": {}, "not_yet_attacked": []})[0]
    assert problems({"small": cells}, {"sections": {}, "not_yet_attacked": ["small"]}) == []
    assert problems({"small": cells}, {"sections": {}, "not_yet_attacked": ["small"]}, mended=["small"])


def test_a_sign_that_is_lost_in_the_prose_alone_is_seen(tmp_path):
    def cells(formula):
        return read(chapter(tmp_path, INDEPENDENT, text=f"Then\n\n$$\n{formula}\n$$ (eq-small)"))

    stored = entry(cells("a = b - c"), "eq-small", [], ["not run"])
    table = {"sections": {"small#eq-small": stored}, "not_yet_attacked": []}
    assert problems({"small": cells("a = b\n  - c")}, table) == []
    assert "the formula of eq-small has changed" in problems({"small": cells("a = b + c")}, table)[0]


def test_a_mended_chapter_has_nothing_vacuous_nor_undeclared_nor_unknown_for_want_of_time(tmp_path):
    cells = read(chapter(tmp_path, INDEPENDENT))
    good = entry(cells, "eq-small", [], ["its cell takes 40 s"])
    faults = [
        {},
        {"vacuous": True},
        {"vacuous_checks": 1},
        {"undeclared": ["log_q"]},
        {"unknown": ["q: budget"]},
        {"unknown": [""]},
    ]
    for fault in faults:
        table = {"sections": {"small#eq-small": good | fault}, "not_yet_attacked": []}
        assert problems({"small": cells}, table) == []
        assert len(problems({"small": cells}, table, mended=("small",))) == bool(fault), fault


def test_what_a_cell_trained_is_kept_until_its_code_changes(tmp_path, monkeypatch):
    import _sabotage_kept as kept
    import torch

    monkeypatch.setattr(kept, "FOLDER", tmp_path)
    one = [torch.nn.Linear(2, 2)]
    kept.store(kept.key("code"), {"model": one[0], "models": one, "f": len, "_sabotage": 1}, "state", 9.0)
    values, state, seconds = kept.load(kept.key("code"))
    assert values.keys() == {"model", "models"} and (state, seconds) == ("state", 9.0)
    assert values["models"][0] is values["model"] and torch.equal(values["model"].weight, one[0].weight)
    assert kept.load(kept.key("other code")) is None
    kept.store("class", {"model": type("Local", (), {})()}, "state", 9.0)  # cannot be pickled
    assert kept.load("class") is None and len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("given", [["--section", "eq-$(touch RAN)"], ["../other"], ["--section", "--help"]])
def test_what_is_no_name_of_a_chapter_or_an_equation_is_refused(given, capsys):
    import sabotage

    with pytest.raises(SystemExit) as stopped:
        sabotage.main([*given[:-1], *(["--"] if len(given) == 1 else []), given[-1]])
    assert stopped.value.code == 2


def test_a_quantifier_is_found_in_the_prose():
    assert is_said("q", "This holds for every q that has a density.")
    assert is_said("q", "whatever encoder q you take")
    assert not is_said("q", "This holds for q.")
    assert not is_said("q", "every quantity")
