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

from first_cell import as_text, first_cell, put_first_cell
from first_cell import is_first_cell as is_first_cell

ROOT = Path(__file__).resolve().parents[1]
COLAB = "https://colab.research.google.com"
# Whatever is read goes into a command, a page or a program only after it has matched: nothing here starts with "-".
ADDRESS = re.compile(r"https://github\.com/[A-Za-z0-9][A-Za-z0-9-]{0,38}/(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}")
VERSION = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}|v?[0-9][A-Za-z0-9]*([.-][A-Za-z0-9]+)*")  # a commit, or a tag as v1.2


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("address", nargs="?", help="https://github.com/owner/name; default: what _config.yml says")
    parser.add_argument("--remove", action="store_true", help="take the address out again")
    parser.add_argument("--check", action="store_true", help="change nothing")
    chosen = parser.parse_args(arguments)
    try:
        if chosen.check:
            return check(ROOT, chosen.address)
        given = chosen.address and chosen.address.removesuffix("/").removesuffix(".git")
        url, version = ("", "") if chosen.remove else settings(ROOT) if given is None else (given, None)
        stamp(ROOT, url, version)
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def check(root, address=None):
    """0 if what is stamped can be published from `address`, 1 and a reason otherwise."""
    url, version = settings(root)
    if not url:
        print("No address is stamped: the pages have no Colab buttons. `make publish REPO=...` adds them.")
        return 0
    refuse_others(url, version)
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
        ValueError: the address is not one of a repository on GitHub, the version is neither a commit nor a tag,
            vaelib is not committed, or a chapter is not a notebook; then nothing has been written.
        OSError: something could not be written; what had been is put back.
    """
    version = commit(root) if version is None else version
    refuse_others(url, version)
    path = root / "_config.yml"
    replace(
        {path: with_settings(path.read_text(encoding="utf-8"), url, version)} | stamped_chapters(root, url, version)
    )


def refuse_others(url, version):
    """ValueError unless this is an address with a version, or neither, such as may be passed on."""
    if url and not ADDRESS.fullmatch(url):
        raise ValueError(f"the address must read https://github.com/owner/name; got {url!r}")
    if version and not VERSION.fullmatch(version):
        raise ValueError(f"the version in _config.yml must be a commit or a tag such as v1.2; got {version!r}")
    if url and not version:
        raise ValueError(f"an address needs a version; got none: run `make publish REPO={url}`")


def stamp_chapters(root, url, version):
    """Let every chapter start with the first cell for this address and version."""
    replace(stamped_chapters(root, url, version))


def stamped_chapters(root, url, version):
    """Every chapter's path with its text as it will be."""
    texts = {}
    for path in sorted(root.glob("book/*.ipynb")):
        try:
            notebook = json.loads(path.read_text(encoding="utf-8"))
            put_first_cell(notebook, first_cell(url, version))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{path.name} is not a notebook: {type(error).__name__}: {error}") from None
        texts[path] = as_text(notebook)
    return texts


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


def replace(texts):
    """Give every path its text: all of them or none, and only those that change."""
    before = {path: path.read_text(encoding="utf-8") for path in texts}
    changed = {path: text for path, text in texts.items() if before[path] != text}
    done = []
    try:
        for path, text in changed.items():  # a full disk is noticed here, before anything has changed
            part_of(path).write_text(text, encoding="utf-8", newline="\n")
        for path in changed:
            os.replace(part_of(path), path)
            done.append(path)
    except BaseException:
        for path in done:
            path.write_text(before[path], encoding="utf-8", newline="\n")
        raise
    finally:
        for path in texts:  # also what a killed run has left
            part_of(path).unlink(missing_ok=True)
    for path in done:
        print(f"{path.name}: written")


def part_of(path):
    return path.with_name(f"{path.name}.part")


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
    refuse_others("", version)
    foreign = git(root, "merge-base", "--is-ancestor", version, "HEAD").returncode
    changed = git(root, "diff", "--quiet", version, "--", "vaelib").returncode
    added = git(root, "ls-files", "--others", "--exclude-standard", "--", "vaelib").stdout
    return not (foreign or changed or added)


def git(root, *arguments):
    return subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True)


if __name__ == "__main__":
    sys.exit(main())
