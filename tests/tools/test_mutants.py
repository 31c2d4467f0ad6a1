"""What `make mutants` changes, which tests it tries first, and what it says of a sample."""

import ast
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[2])]

from tools._mutant_sites import MODULES, Mutant, mutants, near  # noqa: E402
from tools._mutant_table import table  # noqa: E402
from tools.mutants import _sampled  # noqa: E402

CODE = """
def _inner(v):
    return v + 1

def outer(v):
    return _inner(v) * 2

def other(v):
    return v
"""


def test_tests_of_the_function_and_of_what_leans_on_it_go_first():
    assert near(ast.parse(CODE), 3) == {"_inner", "outer"}
    assert near(ast.parse(CODE), 9) == {"other"}


def test_every_mutant_is_another_module_that_can_be_read():
    found = list(mutants("objectives"))
    assert len({mutant.source for mutant in found}) == len(found) > 20
    assert all(ast.parse(mutant.source) for mutant in found)


def test_a_sample_is_the_same_every_time_and_is_said_to_be_one():
    every = [Mutant("linear", line, f"change {line}", "") for line in range(30)]
    chosen = _sampled(every, 4)
    assert chosen == _sampled(every, 4) and len(chosen) == 4 and _sampled(every, None) == every
    told = table(dict.fromkeys(chosen, "killed"), {}, {"linear": 30})
    assert "A sample: 4 of 30" in told and "| linear | 4 | 4 | 0 | 30 |" in told
    assert all(f"| {module} | not run" in told for module in MODULES if module != "linear")
    assert "A sample" not in table(dict.fromkeys(every, "killed"), {}, {"linear": 30})
