"""Run the twins as Colab would: its Python, its package versions, an empty folder, vaelib from a repository.

    python tools/colab/run.py [--python 3.13] [--folder .colab] [CHAPTER ...]      such as 01_autoencoder

The last commit is cloned, its chapters are stamped with the clone's address, and the cells of their twins run where
vaelib is missing: the first has to install it. What differs from Colab: the clone is on disk, `google.colab` is a
stand-in, there is no GPU, and only the packages of pythonX.Y.txt have Colab's versions. Needs pip's index; writes 5 GB.
"""

import argparse
import contextlib
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import publish  # noqa: E402
from _twin_cells import twin_cells  # noqa: E402

KERNEL = """
import json, sys
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
notebook = nbformat.read(sys.stdin, as_version=4)
try:
    NotebookClient(notebook, timeout=None, kernel_name="python3").execute()
except CellExecutionError as error:
    sys.exit(str(error))
first = next(cell for cell in notebook.cells if cell.cell_type == "code")
sys.exit(f"the first cell is not quiet: {first.outputs}" if first.outputs else 0)
"""
# What live figures ask Colab for: the manager of widgets that are not ipywidgets' own.
OUTPUT = """
class _widgets:
    _installed_url = None

def enable_custom_widget_manager():
    _widgets._installed_url = "https://example.org/manager.js"
"""
PROBE = """
import importlib.metadata as m, json, platform
places = [d.read_text("direct_url.json") for d in m.distributions(name="vaelib")]
print(json.dumps({"versions": {"python": platform.python_version()} | {
    d.metadata["Name"].lower(): d.version for d in m.distributions()}, "places": places}))
"""


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("chapters", nargs="*", help="default: all")
    parser.add_argument("--python", default="3.13", choices=sorted(p.stem[6:] for p in HERE.glob("*.txt")))
    parser.add_argument("--folder", type=Path, default=ROOT / ".colab", help="where environments are kept")
    chosen = parser.parse_args(arguments)
    if others := sorted(set(chosen.chapters) - set(chapters(ROOT))):
        parser.error(f"a chapter must be a notebook of the last commit, such as 01_autoencoder; got {others!a}")
    python = environment(chosen.python, chosen.folder.resolve())
    print("Tried with " + ", ".join(f"{k} {v}" for k, v in tried(python, chosen.python).items()), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        bare, commit = served(Path(folder))
        names = chosen.chapters or chapters(bare)
        failed = [name for name in names if not run(python, bare, name, commit)]
    print(f"{len(names) - len(failed)} of {len(names)} chapters ran" + "".join(f"; {name} failed" for name in failed))
    return bool(failed)


def environment(version, folder):
    """The Python of an environment with Colab's versions; made when it is missing or its list has changed."""
    wanted, place = HERE / f"python{version}.txt", folder / version
    stamp, python = place / wanted.name, place / "bin" / "python"
    if not stamp.exists() or stamp.read_bytes() != wanted.read_bytes():
        call([f"python{version}", "-m", "venv", "--clear", str(place)])
        call([python, "-m", "pip", "install", "--quiet", "-r", wanted])
        stamp.write_bytes(wanted.read_bytes())
    stub(place)
    return python


def stub(place):
    """Let every Python of the environment load a stand-in for `google.colab` when it starts, as Colab's kernel does."""
    (site,) = place.glob("lib/python*/site-packages")
    (site / "google" / "colab").mkdir(parents=True, exist_ok=True)
    (site / "google" / "colab" / "__init__.py").write_text("", encoding="utf-8")
    (site / "google" / "colab" / "output.py").write_text(OUTPUT, encoding="utf-8")
    (site / "colab.pth").write_text("import google.colab.output\n", encoding="utf-8")


def tried(python, version):
    """The versions that are really there, of the packages that the list names."""
    found = probe(python)["versions"]
    lines = (HERE / f"python{version}.txt").read_text(encoding="utf-8").splitlines()
    names = [line.replace(">=", "==").split("==")[0] for line in lines if not line.startswith("#")]
    return {name: found[name] for name in ["python", *names]}


def served(folder):
    """A bare clone of the last commit whose chapters are stamped with its own address; and the library's commit."""
    bare, work = folder / "book.git", folder / "work"
    call(["git", "clone", "--quiet", "--bare", ROOT, bare])
    call(["git", "clone", "--quiet", bare, work])
    commit = publish.git(work, "rev-parse", "HEAD").stdout.strip()
    with contextlib.redirect_stdout(io.StringIO()):
        publish.stamp_chapters(work, f"file://{bare}", commit)
    identity = ["-c", "user.name=make colab-test", "-c", "user.email=colab-test@example.org"]
    call(["git", "-C", work, *identity, "commit", "--quiet", "-a", "-m", "Stamped"])
    call(["git", "-C", work, "push", "--quiet", "origin", "HEAD"])
    if publish.git(ROOT, "status", "--porcelain").stdout:
        print("Only what is committed is tried; this work tree holds more.", flush=True)
    return bare, commit


def chapters(repository):
    """The names of the chapters in the last commit: no other name becomes a path."""
    files = publish.git(repository, "ls-tree", "--name-only", "HEAD", "book/").stdout.split()
    return [Path(file).stem for file in files if file.endswith(".ipynb")]


def run(python, bare, name, commit):
    """Run one chapter in an empty folder where vaelib is missing, and say in a line how it went."""
    call([python, "-I", "-m", "pip", "uninstall", "-qq", "--yes", "vaelib"])
    before, start = probe(python)["versions"], time.perf_counter()
    notebook = json.loads(publish.git(bare, "show", f"HEAD:book/{name}.ipynb").stdout)
    notebook["cells"] = list(twin_cells(notebook["cells"]))
    with tempfile.TemporaryDirectory() as empty:
        done = call([python, "-c", KERNEL], check=False, input=json.dumps(notebook), cwd=empty, capture_output=True)
    problem = done.stderr if done.returncode else changed(before, probe(python), commit)
    print(f"{name}: " + (f"failed\n{problem}" if problem else f"{time.perf_counter() - start:.0f} s"), flush=True)
    return not problem


def changed(before, after, commit):
    """What is wrong with the packages after a chapter has run; nothing when vaelib alone was added, at this commit."""
    others = {name: version for name, version in after["versions"].items() if name != "vaelib"}
    if others != before:
        return f"packages changed: {set(others.items()) ^ set(before.items())}"
    found = [json.loads(place or "{}").get("vcs_info", {}).get("commit_id") for place in after["places"]]
    return "" if found == [commit] else f"vaelib must come from {commit}; got {found}"


def probe(python):
    """What is installed; -I leaves out this folder, which may hold the metadata of an editable vaelib."""
    return json.loads(call([python, "-I", "-c", PROBE], capture_output=True).stdout)


def call(command, check=True, **options):
    """Run a command the way Colab would see it: without this project's Python path."""
    outside = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV")}
    return subprocess.run([str(part) for part in command], check=check, text=True, env=outside, **options)


if __name__ == "__main__":
    sys.exit(main())
