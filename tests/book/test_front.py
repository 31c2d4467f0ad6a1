"""What the book tells those who link to it: descriptions, OpenGraph, the entrance, the sitemap."""

import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import front
import pytest
from docutils import nodes
from sphinx.errors import ConfigError

ROOT = Path(__file__).resolve().parents[2]


def section(*paragraphs):
    return nodes.section("", *(nodes.paragraph("", "", *parts) for parts in paragraphs))


def test_the_first_paragraph_long_enough_describes_a_page():
    words, formula = (
        nodes.Text("A sentence that is quite long enough to say something about "),
        nodes.inline("", "", nodes.math("", r"\mu")),
    )
    assert front.describe(section([nodes.Text("Short.")], [words, formula])).endswith("something about μ")
    assert front.describe(section([nodes.Text("Short.")])) == ""


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("a" * 200, "a" * 200),
        ("b" * 90 + ". " + "c" * 150, "b" * 90 + "."),
        ("b" * 90 + "? " + "c" * 80 + ". " + "d" * 90, "b" * 90 + "? " + "c" * 80 + "."),
        ("word " * 60, "word " * 38 + "word\N{HORIZONTAL ELLIPSIS}"),
    ],
)
def test_a_description_ends_with_a_sentence_or_a_word(text, short):
    assert front.shorten(text) == short


def test_the_entrance_has_a_language_a_title_and_a_way_in(built):
    text = (built / "index.html").read_text(encoding="utf-8")
    for part in (
        'lang="en"',
        "<title>From Autoencoders",
        'name="description"',
        'property="og:title"',
        "url=book/intro.html",
    ):
        assert part in text
    assert 'href="book/intro.html"' in text and "og:url" not in text and not (built / "sitemap.xml").exists()


@pytest.mark.slow
def test_where_the_address_is_known_there_is_a_sitemap_and_every_page_names_itself(tmp_path):
    (tmp_path / "index.rst").write_text(
        "Title\n=====\n\n" + "Some words that are long enough to describe this page.  " * 2
    )
    settings = "ogp_social_cards = {'enable': False}\nhtml_favicon = 'icon.svg'\n"
    (tmp_path / "icon.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>", encoding="utf-8")
    code = settings + (
        f"import sys; sys.path.insert(0, {str(ROOT / 'book' / '_ext')!r})\nextensions = ['front']\nroot_doc = 'index'"
    )
    (tmp_path / "conf.py").write_text(code, encoding="utf-8")
    (tmp_path / "start.rst").write_text("Start\n=====\n", encoding="utf-8")
    (tmp_path / "conf.py").write_text(
        code.replace("'index'", "'start'") + "\nexclude_patterns = ['index.rst']", "utf-8"
    )
    command = [sys.executable, "-m", "sphinx", "-q", "-b", "html", str(tmp_path), str(tmp_path / "out")]
    subprocess.run(command, check=True, env={**os.environ, "BOOK_URL": "https://example.org/book"})
    sitemap = (tmp_path / "out" / "sitemap.xml").read_text(encoding="utf-8")
    assert re.findall("<loc>(.*)</loc>", sitemap) == ["https://example.org/book/start.html"]
    page = (tmp_path / "out" / "start.html").read_text(encoding="utf-8")
    assert '<meta property="og:url" content="https://example.org/book/start.html" />' in page
    missing = (tmp_path / "out" / "404.html").read_text(encoding="utf-8")
    assert 'href="/book/_static/' in missing  # it is shown at any address, so its links are whole


@pytest.mark.parametrize(
    "address", ["https://example.org/book", "http://localhost:8000/", "https://a.github.io/a-b/c~d/%20"]
)
def test_an_address_is_taken_with_one_stroke_at_its_end(monkeypatch, address):
    monkeypatch.setenv("BOOK_URL", address)
    assert front.address(SimpleNamespace(html_baseurl="")) == address.rstrip("/") + "/"


@pytest.mark.parametrize("end", ['"><script>', "'", "\n", " x", "?a=b", "#a", "<", "\\", "é", "{x}"])
@pytest.mark.parametrize(
    "begin", ["https://example.org/book", "javascript:alert(1)//", "//example.org", "ftp://x", "$(x)"]
)
def test_what_is_no_address_reaches_no_page(monkeypatch, begin, end):
    for variable, setting in ((begin + end, ""), (None, begin + end)):
        monkeypatch.setenv("BOOK_URL", variable) if variable else monkeypatch.delenv("BOOK_URL", raising=False)
        with pytest.raises(ConfigError, match=r"must be an address as https://example\.org/book; got"):
            front.address(SimpleNamespace(html_baseurl=setting))
