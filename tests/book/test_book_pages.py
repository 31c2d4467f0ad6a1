"""The built pages: every link inside the book leads somewhere, and nothing is asked of another site."""

from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

ROOT = Path(__file__).resolve().parents[2]


class Links(HTMLParser):
    """The ids of a page, what it links to, and what it loads."""

    def __init__(self, text):
        super().__init__()
        self.ids, self.links, self.loads = set(), [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.ids.add(attrs.get("id"))
        self.ids.add(attrs.get("name"))
        if tag == "a" and attrs.get("href"):
            self.links.append(attrs["href"])
        if tag in ("script", "img", "iframe", "source") and attrs.get("src"):
            self.loads.append(attrs["src"])
        if tag == "link" and attrs.get("rel") in ("stylesheet", "preload", "icon"):
            self.loads.append(attrs["href"])


@pytest.fixture(scope="session")
def pages(built):
    """Every page of the built book."""
    names = [path for path in built.rglob("*.html") if "_static" not in path.parts]
    return {path: Links(path.read_text(encoding="utf-8")) for path in names}


def test_links_inside_the_book_lead_somewhere(pages):
    broken = []
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or link in ("#", ""):
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not target.exists():
                broken.append(f"{path.name} -> {link}")
            elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].ids:
                broken.append(f"{path.name} -> {link} (no such place)")
    assert broken == []


def test_nothing_is_loaded_from_another_site(pages):
    outside = [f"{path.name}: {src}" for path, page in pages.items() for src in page.loads if urlsplit(src).netloc]
    assert outside == []


def test_the_tables_made_at_build_time_are_there(pages):
    text = (ROOT / "book" / "_build" / "html" / "book" / "ledger.html").read_text(encoding="utf-8")
    assert "0 of them unchecked" in text and text.count('class="row-') > 8
