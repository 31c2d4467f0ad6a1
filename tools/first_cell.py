"""The first cell of every chapter: in Colab it installs the library, elsewhere it does nothing. Needs Python only."""

import json

FIRST_CELL = '''\
def install_vaelib(repository, version):
    """In Colab, install the library of this book if missing; elsewhere do nothing."""
    import importlib.util
    import subprocess
    import sys

    if "google.colab" not in sys.modules or importlib.util.find_spec("vaelib"):
        return
    if not repository:
        raise RuntimeError(
            "this copy of the book does not say where its library is. Run this, with "
            "the address you have the book from, and then this cell again:\\n"
            "    %pip install --no-deps git+https://github.com/OWNER/NAME\\n"
            "If you publish this copy, run once:\\n"
            "    make publish REPO=https://github.com/OWNER/NAME"
        )
    source = f"git+{repository}@{version}"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", source]
    done = subprocess.run(pip, capture_output=True, text=True)
    importlib.invalidate_caches()
    if done.returncode:
        raise RuntimeError(f"vaelib could not be had from {source}:\\n{done.stderr}")


install_vaelib(
    "<url>",
    "<version>",
)'''


def first_cell(url, version):
    """The source of the first cell: the same in all chapters."""
    return FIRST_CELL.replace('"<url>"', json.dumps(url)).replace('"<version>"', json.dumps(version))


def is_first_cell(source):
    return source.startswith("def install_vaelib(")


def put_first_cell(notebook, source):
    """Replace the first cell, or insert one below the title; counts of cells that have run move up by one."""
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    lines = source.splitlines(keepends=True)
    if present := [cell for cell in code if is_first_cell("".join(cell["source"]))]:
        present[0]["source"] = lines
        return
    for counted in [part for cell in code for part in [cell, *cell["outputs"]] if part.get("execution_count")]:
        counted["execution_count"] += 1
    cell = {"cell_type": "code", "execution_count": 1, "id": "install-vaelib", "outputs": [], "source": lines}
    notebook["cells"].insert(1, cell | {"metadata": {"tags": ["remove-cell"]}})


def as_text(notebook):
    """A notebook the way nbformat writes it, byte for byte."""
    return json.dumps(notebook, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
