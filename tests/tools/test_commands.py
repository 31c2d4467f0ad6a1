"""Every command says what it does, from any folder and with no path set: pytest's own path would hide a missing one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow  # it starts other programs

TOOLS = Path(__file__).resolve().parents[2] / "tools"
ASKED = {path: path.read_text(encoding="utf-8") for path in sorted(TOOLS.glob("[!_]*.py"))}
COMMANDS = [path for path, text in ASKED.items() if "argparse" in text and f"python tools/{path.name}" in text]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda path: path.stem)
def test_a_command_can_be_asked_from_anywhere(command, tmp_path):
    plain = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run([sys.executable, command, "--help"], cwd=tmp_path, env=plain, capture_output=True, text=True)
    assert done.returncode == 0 and len(done.stdout) > 100, done.stderr
