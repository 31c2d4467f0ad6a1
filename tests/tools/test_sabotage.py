"""Small chapters, vacuous and honest, that sabotage must tell apart; one is dressed up to escape it."""

import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tools")]

from _sabotage_cells import is_said, needed, read  # noqa: E402
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
    "best of all": (BEST_OF_ALL, True, set()),
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


@pytest.fixture
def attacked(monkeypatch):
    """What the command finds in one notebook; it runs in a process of its own, like a chapter."""
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    import sabotage

    def run(path):
        with ProcessPoolExecutor(1, mp_context=get_context("fork")) as pool:
            return pool.submit(sabotage.sabotage, path).result()[0]["eq-small"]

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


def test_a_quantifier_is_found_in_the_prose():
    assert is_said("q", "This holds for every q that has a density.")
    assert is_said("q", "whatever encoder q you take")
    assert not is_said("q", "This holds for q.")
    assert not is_said("q", "every quantity")
