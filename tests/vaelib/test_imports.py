"""What importing vaelib costs: nothing heavy is loaded before a function needs it."""

import ast
import subprocess
import sys

import library
import pytest

MODULES = library.module_names()
HEAVY = [
    "torchvision",
    "sklearn",
    "PIL",
    "matplotlib",
    "anywidget",
    "ipywidgets",
    "pooch",
    "requests",
    "sympy",
    "scipy",
]


@pytest.mark.slow
def test_no_module_loads_anything_heavy():
    """Each of these takes from 0.1 to over a second; all modules are imported in one fresh Python."""
    code = "import sys, torch; before = set(sys.modules)\n"
    code += "".join(f"import vaelib.{name}\n" for name in MODULES)
    code += f"print([name for name in {HEAVY} if name in set(sys.modules) - before])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


ALLOWED = {  # who may import whom, as in the table of modules
    "distributions": set(), "data": set(), "checks": set(), "plots": set(), "interpolation": set(), "faces": set(),
    "checkpoints": set(), "train": {"checkpoints"},
    "models": set(), "linear": {"distributions"}, "objectives": {"distributions", "models"},
    "metrics": {"distributions", "models", "objectives"},
    "widgets": {"distributions", "frontier", "linear", "metrics", "plots"},
    "sequences": set(), "collapse": set(), "blur": set(),
    "beta": set(), "frontier": {"distributions"},
    "likelihoods": {"distributions"}, "priors": {"distributions", "models", "objectives"},
    "misfit": {"distributions", "models", "objectives", "train"},
    "pretrained": {"likelihoods", "models", "priors"},
    "doctor": {"beta", "distributions", "misfit", "objectives", "plots", "priors"},
}  # fmt: skip


@pytest.mark.parametrize("name", MODULES)
def test_imports_go_one_way(name):
    files = library.files(name)
    found = set().union(*(library.modules_in(ast.parse(path.read_text(encoding="utf-8"))) for path in files))
    assert {other for other in found - {name} if not other.startswith("_")} <= ALLOWED[name]
