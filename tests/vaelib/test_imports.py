"""What importing vaelib costs: nothing heavy is loaded before a function needs it."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

LIBRARY = Path(__file__).parent.parent / "vaelib"
MODULES = sorted(path.stem for path in LIBRARY.glob("*.py") if path.stem != "__init__")
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


def test_no_module_loads_anything_heavy():
    """Each of these takes from 0.1 to over a second; all modules are imported in one fresh Python."""
    code = "import sys, torch; before = set(sys.modules)\n"
    code += "".join(f"import vaelib.{name}\n" for name in MODULES)
    code += f"print([name for name in {HEAVY} if name in set(sys.modules) - before])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


ALLOWED = {  # who may import whom, as in the table of modules
    "distributions": set(), "data": {"folder", "idx"}, "folder": set(), "idx": set(), "checks": set(), "plots": set(),
    "train": {"checkpoints"}, "checkpoints": set(),
    "models": {"distributions"}, "linear": {"distributions"}, "objectives": {"distributions"},
    "metrics": {"distributions", "models", "objectives"},
    "stills": {"distributions", "linear", "plots"}, "planes": {"plots"},
    "sheets": {"plots"}, "paths": set(), "widgets": {"planes", "sheets", "stills"},
    "faces": {"face_painter", "face_portrait"}, "face_shapes": set(), "face_painter": {"face_shapes"},
    "face_hair": {"face_painter", "face_shapes"}, "face_parts": {"face_painter", "face_shapes"},
    "face_portrait": {"face_hair", "face_parts", "face_painter", "face_shapes"},
}  # fmt: skip


@pytest.mark.parametrize("name", MODULES)
def test_imports_go_one_way(name):
    tree = ast.parse((LIBRARY / f"{name}.py").read_text(encoding="utf-8"))
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "vaelib":
            found |= {alias.name for alias in node.names} if node.module == "vaelib" else {node.module.split(".")[1]}
    assert found <= ALLOWED[name]
