"""What the book tells those who link to it: a description of every page, an entrance, and where it is published.

The tags, the sitemap and the page for what is not there are made by sphinxext-opengraph, sphinx-sitemap and
sphinx-notfound-page. The address of the published book is `html_baseurl` in _config.yml or, where it is set,
`BOOK_URL`. Without one there is no sitemap, and a page does not name its address.
"""

import os
import re
import unicodedata
from html import escape
from pathlib import Path
from urllib.parse import urlsplit

from docutils import nodes
from sphinx.errors import ConfigError

SHORTEST, LONGEST = 60, 200  # characters of a description
ADDRESS = re.compile(r"https?://[\w.:-]+(/[\w.~%-]*)*", re.ASCII)
TEX = re.compile(r"\\([A-Za-z]+)\s*")

ENTRANCE = """<!DOCTYPE html>
<html lang="{lang}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<meta name="description" content="{text}">
<meta property="og:title" content="{title}">
<meta property="og:type" content="website">
<meta property="og:description" content="{text}">
<meta http-equiv="refresh" content="0; url={target}">
<link rel="icon" href="data:,">
</head>
<body>
<main>
<h1>{title}</h1>
<p>{text} <a href="{target}">Go to the first page of the book</a>.</p>
</main>
</body>
</html>
"""


def describe(doctree) -> str:
    """The first sentences of the first paragraph that is long enough, as plain text."""
    for paragraph in doctree.findall(lambda node: isinstance(node, nodes.paragraph) and _is_prose(node)):
        text = " ".join("".join(map(_plain, paragraph.findall(nodes.Text))).split())
        if len(text) >= SHORTEST:
            return shorten(text)
    return ""


def _is_prose(paragraph) -> bool:
    return isinstance(paragraph.parent, nodes.section)


def _plain(text) -> str:
    return plain_tex(text) if isinstance(text.parent, nodes.math) else text


def plain_tex(tex: str) -> str:
    """A formula in one line of plain letters: Greek ones for their commands, and the names of other commands."""
    return TEX.sub(_letter, tex)


def _letter(command) -> str:
    try:
        return unicodedata.lookup(f"GREEK SMALL LETTER {command[1]}")
    except KeyError:
        return f"{command[1]} "


def shorten(text: str) -> str:
    """As many whole sentences as fit; of a first sentence that is too long, as many whole words."""
    if len(text) <= LONGEST:
        return text
    sentences = text[: LONGEST + 1].rsplit(". ", 1)
    question = text[: LONGEST + 1].rsplit("? ", 1)
    best = max(
        (parts[0] + end for parts, end in ((sentences, "."), (question, "?")) if len(parts) > 1), key=len, default=""
    )
    return best if len(best) >= SHORTEST else text[: LONGEST - 1].rsplit(" ", 1)[0] + "\N{HORIZONTAL ELLIPSIS}"


def describe_page(app, pagename, templatename, context, doctree):
    """Hand a page's description to what writes the tags: prose without TeX, which the first words of a page are not."""
    title = re.sub(r"<[^>]+>", "", context.get("title", "")) or pagename
    description = (doctree and describe(doctree)) or f"{title}: {app.config.html_title}"
    context["meta"] = {"og:description": description, "description": description} | (context.get("meta") or {})


def finish_tags(app, pagename, templatename, context, doctree):
    """One description, for search engines too; no address where there is none, and no icon asked for in vain."""
    text = context.get("metatags", "")
    if not app.config.html_baseurl:
        text = re.sub(r'<meta property="og:url"[^>]*>\n?', "", text)
    if 'name="description"' not in text:
        text += f'<meta name="description" content="{escape(context["meta"]["description"])}" />\n'
    if not app.config.html_favicon:
        text += '<link rel="icon" href="data:," />\n'
    context["metatags"] = text


def set_address(app, config):
    config.html_baseurl = config.ogp_site_url = address(config)
    if config.html_baseurl:
        config.notfound_urls_prefix = urlsplit(config.html_baseurl).path
        config.sitemap_url_scheme, config.sitemap_show_lastmod = "{link}", False
        config.sitemap_excludes = ["search.html", "genindex.html", "404.html"]


def address(config) -> str:
    """Where the book is published, with a slash at its end; "" where that is not known."""
    found = os.environ.get("BOOK_URL") or config.html_baseurl
    if found and not ADDRESS.fullmatch(found):  # it is written into every page
        raise ConfigError(f"BOOK_URL or html_baseurl must be an address as https://example.org/book; got {found!r}")
    return found.rstrip("/") + "/" if found else ""


def write_entrance(app, exception):
    """The root page leads to the first page of the book, and says what it leads to."""
    if exception or app.builder.format != "html":
        return
    first, title = f"{app.config.root_doc}.html", escape(app.config.html_title)
    description = escape(describe(app.env.get_doctree(app.config.root_doc)))
    page = ENTRANCE.format(lang=app.config.language or "en", title=title, text=description, target=first)
    (Path(app.outdir) / "index.html").write_text(page, encoding="utf-8")


def setup(app):
    app.setup_extension("sphinxext.opengraph")
    if address(app.config):  # without one these two have nothing to say
        app.setup_extension("sphinx_sitemap")
        app.setup_extension("notfound.extension")
    app.connect("config-inited", set_address, priority=100)
    app.connect("html-page-context", describe_page, priority=100)
    app.connect("html-page-context", finish_tags, priority=900)
    app.connect("build-finished", write_entrance, priority=100)  # before the table of contents writes a bare redirect
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
