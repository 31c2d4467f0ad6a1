"""Every command says what it does, from any folder and with no path set: pytest's own path would hide a missing one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow  # it starts other programs

TOOLS = Path(__file__).resolve().parents[2] / "tools"
COMMANDS = [path for path in sorted(TOOLS.glob("[!_]*.py")) if f"python tools/{path.name}" in path.read_text("utf-8")]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda path: path.stem)
def test_a_command_can_be_asked_from_anywhere(command, tmp_path):
    plain = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run([sys.executable, command, "--help"], cwd=tmp_path, env=plain, capture_output=True, text=True)
    assert done.returncode == 0 and len(done.stdout) > 100, done.stderr
