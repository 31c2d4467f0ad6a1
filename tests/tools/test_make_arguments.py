"""What is given to make as REPO=, CHAPTER=, SECTION= or VAELIB_DATA= is data: it arrives as it is, and nothing runs."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow  # it trains, builds or starts other programs

ROOT = next(folder for folder in Path(__file__).resolve().parents if (folder / "Makefile").exists())
GOOD = "https://github.com/owner/name"
RUNS = ["touch RAN", "$(shell touch RAN)", "${shell touch RAN}", "$(file >RAN)", "$(eval $(shell touch RAN))"]
RUNS += ["$(call shell,touch RAN)", "$(foreach x,1,$(shell touch RAN))", "$(if $(shell touch RAN),,)", "$$(touch RAN)"]
RUNS += ["$(or $(shell touch RAN),)", "$(value $(shell touch RAN))", "`touch RAN`", "$(touch RAN)", "!touch RAN"]
AROUND = ["{}", "; {}", "&& {}", "|| {}", "| {}", "& {}", "'; {}; '", '"; {}; "', "\\\n{}", "\n\t{}", "\n{}", ">RAN {}"]
AROUND += ['"$({})"', "\\'; {} #", "# \n{}", "${{IFS}}; {}", "); {}", "$(info x); {}", "${{x:-`{}`}}"]
OTHERS = [
    "$(error stopped)",
    "$(shell touch RAN",
    "${",
    "$",
    "$$",
    "$@ $< $^ $(MAKE) $(SHELL)",
    "-n",
    "--help",
    "--remove",
]
OTHERS += [
    "--check",
    "-",
    "--",
    "*",
    "?",
    "~",
    "~root",
    "%",
    "a=b",
    "../../x",
    "\\",
    "'",
    '"',
    "  ",
    "\t",
    "é\u202e",
    "x" * 9999,
]
VALUES = [GOOD + around.format(run) for run in RUNS for around in AROUND[:1]] + OTHERS
VALUES += [GOOD + around.format(run) for run in RUNS[:2] for around in AROUND[1:]] + RUNS


@pytest.fixture
def house(tmp_path):
    """The Makefile, an environment that is never made again, and programs that only say how they were called."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    for name in ("python", ".venv/bin/python"):
        code = "import json, os, sys; print(json.dumps([sys.argv[1:], os.environ.get('VAELIB_DATA')]))"
        (tmp_path / name).write_text(f"#!{sys.executable} -IS\n{code}\n", encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    made_from = ["requirements.txt", "constraints.txt", "pyproject.toml", "book/_ext/typeset.py", "book/_ext/find.py"]
    for name in (*made_from, "tests/tools/twin_engines.py", ".venv/.installed"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("", encoding="utf-8")
    return tmp_path


def files(house):
    return sorted(str(path.relative_to(house)) for path in house.rglob("*"))


def make(house, *arguments, **variables):
    """What the recipe's program was called with; asserts that no file was written, with and without -n."""
    before = files(house)
    command = ["make", "--silent", "PYTHON=./python", *arguments]
    environment = {name: value for name, value in os.environ.items() if name not in ("VAELIB_DATA", "MAKEFLAGS")}
    options = dict(cwd=house, env=environment | variables, capture_output=True, text=True)
    subprocess.run([*command, "--dry-run"], **options)
    done = subprocess.run(command, **options)
    assert files(house) == before, f"{arguments} {variables} ran something"
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    return json.loads(line)


@pytest.mark.parametrize("value", VALUES)
def test_an_address_arrives_as_it_is_and_nothing_runs(house, value):
    called, _ = make(house, "publish", f"REPO={value}")
    assert called == ["tools/publish.py", "--", value.lstrip()] or not value.strip()
    assert make(house, "publish", REPO=value)[0][-1] == value


@pytest.mark.parametrize("value", [*RUNS, *OTHERS])
def test_a_chapter_arrives_as_it_is_and_nothing_runs(house, value):
    called, _ = make(house, "slides", f"CHAPTER={value}")
    assert called == ["tools/slides.py", "--", value.lstrip()] or not value.strip()
    assert make(house, "slides", CHAPTER=value)[0][-1] == value


@pytest.mark.parametrize("value", [*RUNS, *OTHERS])
def test_a_section_arrives_as_it_is_and_nothing_runs(house, value):
    called, _ = make(house, "sabotage", f"SECTION={value}", f"CHAPTER={value}")
    given = value.lstrip()
    assert called == ["tools/sabotage.py", "--write", f"--section={given}", "--", given] or not value.strip()
    assert make(house, "sabotage", SECTION=value)[0][-1] == f"--section={value}"


@pytest.mark.parametrize("value", [*RUNS, "a folder", "$HOME", "'", '"'])
def test_a_folder_of_data_arrives_whole_and_nothing_runs(house, value):
    for place in (value, f"/somewhere/{value}"):
        for given in ([f"VAELIB_DATA={place}"], {}), ([], {"VAELIB_DATA": place}):
            assert make(house, "unpublish", *given[0], **given[1])[1] == os.path.join(house, place)


@pytest.mark.parametrize("value", RUNS)
def test_other_targets_do_not_run_it_either(house, value):
    assert make(house, "unpublish", f"REPO={value}", f"CHAPTER={value}")[0] == ["tools/publish.py", "--remove"]


def test_what_is_left_out_has_its_meaning(house):
    assert make(house, "slides")[0] == make(house, "slides", "CHAPTER=")[0] == ["tools/slides.py", "04_kl"]
    assert make(house, "sabotage")[0] == make(house, "sabotage", "SECTION=")[0] == ["tools/sabotage.py", "--write"]
    assert make(house, "publish", "REPO=")[0] == ["tools/publish.py", "--remove"]
    assert make(house, "unpublish")[1] is None
