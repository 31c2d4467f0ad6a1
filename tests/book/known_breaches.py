"""What the chapters broke before a rule was made: `known_breaches.yml`, a list that can only become shorter.

    python tests/book/known_breaches.py     # takes out what no longer occurs; it never adds a line

The file maps a page to its guards, and a guard to the texts of its problems. The test of the rules fails for a problem
that is not listed, and for a listed one that is gone.
"""

import sys
from collections import Counter
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
FILE = Path(__file__).with_name("known_breaches.yml")
HEAD = """# Only ever shorter: mend the page, then run `python tests/book/known_breaches.py`.
# A problem that is not listed is mended, not added.
"""
GONE = "known_breaches.yml lists what no longer occurs; delete it with `python tests/book/known_breaches.py`:"


def read() -> dict[str, dict[str, list[str]]]:
    return yaml.safe_load(FILE.read_text(encoding="utf-8")) or {}


def verdict(problems: list[str], known: list[str]) -> list[str]:
    """What is wrong with a page: its problems that are not known, and the known ones that are gone."""
    new, gone = Counter(problems) - Counter(known), Counter(known) - Counter(problems)
    return [*new.elements(), *([GONE, *gone.elements()] if gone else [])]


def shorter(known: dict, found: dict) -> dict:
    """The known problems that are still found; pages and guards without any are left out."""
    kept = {
        page: {name: left for name, old in guards.items() if (left := _still(old, found.get(page, {}).get(name, [])))}
        for page, guards in known.items()
    }
    return {page: guards for page, guards in kept.items() if guards}


def _still(old, problems):
    return sorted((Counter(old) & Counter(problems)).elements())


def write(known: dict) -> None:
    text = yaml.safe_dump(known, allow_unicode=True, width=10_000, sort_keys=True) if known else ""
    FILE.write_text(HEAD + text, encoding="utf-8")


def found_in_book() -> dict[str, dict[str, list[str]]]:
    """The problems of every page, as the test of the rules finds them."""
    sys.path[:0] = [str(ROOT), str(ROOT / "book" / "_ext")]  # as pyproject.toml says to pytest
    from test_book_notebooks import CASES, name_of, read_page

    found = {}
    for path, guard in CASES:
        found.setdefault(name_of(path), {})[name_of(guard)] = guard(read_page(path))
    return found


def main() -> None:
    known = read()
    left = shorter(known, found_in_book())
    write(left)
    before, after = (sum(len(p) for guards in k.values() for p in guards.values()) for k in (known, left))
    print(f"{before - after} entries of {FILE.name} are gone, {after} are left")


if __name__ == "__main__":
    main()
