"""Put the repository's address, and the commit that Colab installs vaelib from, everywhere they are needed.

    python tools/publish.py                                 the first cell of every chapter, as _config.yml says
    python tools/publish.py https://github.com/owner/name   a new address: _config.yml, then the chapters
    python tools/publish.py --remove                        no address: no buttons; the cell says what to do
    python tools/publish.py --check [ADDRESS]               changes nothing; fails if the stamp is out of date

It needs Python and git, nothing else, so that a fork can be published before anything is installed.
"""

import argparse
import json
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COLAB = "https://colab.research.google.com"
ADDRESS = re.compile(r"https://github\.com/[\w.-]+/[\w.-]+")
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


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("address", nargs="?", help="https://github.com/owner/name; default: what _config.yml says")
    parser.add_argument("--remove", action="store_true", help="take the address out again")
    parser.add_argument("--check", action="store_true", help="change nothing")
    chosen = parser.parse_args(arguments)
    try:
        if chosen.check:
            return check(ROOT, chosen.address)
        url, version = settings(ROOT) if not chosen.address else (chosen.address.removesuffix("/"), None)
        stamp(ROOT, *(("", "") if chosen.remove else (url, version)))
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def check(root, address=None):
    """0 if what is stamped can be published from `address`, 1 and a reason otherwise."""
    url, version = settings(root)
    if not url:
        print("No address is stamped: the pages have no Colab buttons. `make publish REPO=...` adds them.")
        return 0
    if address and address.lower() != url.lower():
        raise ValueError(f"the address must be {address}; got {url}: run `make publish REPO={address}`")
    if not is_fresh(root, version):
        again = f"run `make publish REPO={url}`, commit and push"
        raise ValueError(f"vaelib must be as it was in {version}, an ancestor of this commit; it is not: {again}")
    return 0


def stamp(root, url, version=None):
    """Write the address into _config.yml and every chapter.

    Args:
        root: the folder of _config.yml.
        url: "https://github.com/owner/name", or "" for none.
        version: a commit or tag; None for the stamped one while vaelib is as it was there, else the last commit.

    Raises:
        ValueError: the address is not one of a repository on GitHub, or vaelib is not committed.
    """
    if url and not ADDRESS.fullmatch(url):
        raise ValueError(f"the address must read https://github.com/owner/name; got {url!r}")
    version = commit(root) if version is None else version
    path = root / "_config.yml"
    replace(path, with_settings(path.read_text(encoding="utf-8"), url, version))
    stamp_chapters(root, url, version)


def stamp_chapters(root, url, version):
    """Let every chapter start with the first cell for this address and version."""
    for path in sorted(root.glob("book/*.ipynb")):
        notebook = json.loads(path.read_text(encoding="utf-8"))
        put_first_cell(notebook, first_cell(url, version))
        replace(path, as_text(notebook))


def settings(root):
    """(address, version) that _config.yml names; two empty strings when there is none."""
    text = (root / "_config.yml").read_text(encoding="utf-8")
    return tuple(_find(text, key)[2] for key in ("url", "version"))


def with_settings(text, url, version):
    """The text of _config.yml with an address and the buttons that need one, or without both."""
    on = "true" if url else "false"
    values = {"url": f'"{url}"', "version": f'"{version}"', "colab_url": f'"{COLAB if url else ""}"'}
    for key, value in (values | {"use_repository_button": on, "use_issues_button": on}).items():
        found = _find(text, key)
        text = text[: found.end(1)] + value + text[found.end() :]
    return text


def _find(text, key):
    """The one line `key: value`; its group 2 is the value without quotes."""
    found = list(re.finditer(rf'^( *{key}: )"?([^"#\s]*)"?', text, re.MULTILINE))
    if len(found) != 1:
        raise ValueError(f"_config.yml must have one line that starts with '{key}:'; got {len(found)}")
    return found[0]


def first_cell(url, version):
    """The source of the first cell: the same in all chapters."""
    return FIRST_CELL.replace("<url>", url).replace("<version>", version)


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


def replace(path, text):
    """Replace a file in one step, and only if it changes."""
    if path.read_text(encoding="utf-8") != text:
        part = path.with_name(path.name + ".part")
        part.write_text(text, encoding="utf-8", newline="\n")
        os.replace(part, path)
        print(f"{path.name}: written")


def commit(root):
    """The stamped commit while vaelib is as it was there, else the last one.

    Raises:
        ValueError: there is no commit, or it does not hold vaelib as it is now.
    """
    stamped = settings(root)[1]
    if stamped and is_fresh(root, stamped):
        return stamped
    head = git(root, "rev-parse", "HEAD").stdout.strip()
    if not head or not is_fresh(root, head):
        raise ValueError("vaelib must be committed before it is published; got changes that are in no commit")
    return head


def is_fresh(root, version):
    """Whether this commit or tag will be pushed with the present one, and vaelib is exactly as it was there."""
    foreign = git(root, "merge-base", "--is-ancestor", version, "HEAD").returncode
    changed = git(root, "diff", "--quiet", version, "--", "vaelib").returncode
    added = git(root, "ls-files", "--others", "--exclude-standard", "--", "vaelib").stdout
    return not (foreign or changed or added)


def git(root, *arguments):
    return subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True)


if __name__ == "__main__":
    sys.exit(main())
