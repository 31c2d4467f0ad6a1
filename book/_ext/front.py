"""What the book tells those who link to it: a description of every page, OpenGraph, a sitemap, an entrance.

The address of the published book is `html_baseurl` in _config.yml or, where it is set, `BOOK_URL`. Without one there
is no sitemap, and a page does not name its address.
"""

import os
import re
import unicodedata
from html import escape
from pathlib import Path

from docutils import nodes

SHORTEST, LONGEST = 60, 200  # characters of a description
TEX = re.compile(r"\\([A-Za-z]+)\s*")

ENTRANCE = """<!DOCTYPE html>
<html lang="{lang}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
{tags}
{refresh}
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
        text = " ".join("".join(_plain(node) for node in paragraph.children).split())
        if len(text) >= SHORTEST:
            return shorten(text)
    return ""


def _is_prose(paragraph) -> bool:
    return isinstance(paragraph.parent, nodes.section)


def _plain(node) -> str:
    return TEX.sub(_letter, node.astext()) if isinstance(node, nodes.math) else node.astext()


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


def tags(config, title: str, description: str, address: str = "", kind: str = "article") -> str:
    """The tags of one page; without an address it has no og:url and no picture."""
    named = {"og:title": title, "og:type": kind, "og:site_name": config.html_title, "og:description": description}
    if address:
        named |= {"og:url": address}
        if config.front_picture:
            named |= {"og:image": config.html_baseurl + config.front_picture, "og:image:alt": config.front_picture_alt}
    lines = [f'<meta property="{name}" content="{escape(value)}" />' for name, value in named.items() if value]
    if not config.html_favicon:  # a browser would ask for one, in vain
        lines.append('<link rel="icon" href="data:," />')
    return "\n".join([f'<meta name="description" content="{escape(description)}" />', *lines])


def add_tags(app, pagename, templatename, context, doctree):
    """Give a page its tags, unless its front matter describes it already."""
    title = re.sub(r"<[^>]+>", "", context.get("title", "")) or pagename
    description = (doctree and describe(doctree)) or f"{title}: {app.config.html_title}"
    address = f"{app.config.html_baseurl}{pagename}.html" if app.config.html_baseurl else ""
    if 'name="description"' not in context.get("metatags", ""):
        context["metatags"] = context.get("metatags", "") + "\n" + tags(app.config, title, description, address)


def set_address(app, config):
    address = os.environ.get("BOOK_URL") or config.html_baseurl
    config.html_baseurl = address.rstrip("/") + "/" if address else ""


def write_front(app, exception):
    """The root page, and where the address is known the sitemap and the page for what is not there."""
    if exception or app.builder.format != "html":
        return
    folder, base, first = Path(app.outdir), app.config.html_baseurl, f"{app.config.root_doc}.html"
    description = describe(app.env.get_doctree(app.config.root_doc))
    head = tags(app.config, app.config.html_title, description, base, "website")
    refresh = f'<meta http-equiv="refresh" content="0; url={first}">'
    _write(folder / "index.html", app, tags=head, refresh=refresh, target=first, text=description)
    if base:
        missing = "There is no page at this address."
        _write(folder / "404.html", app, tags="", refresh="", target=base + first, text=missing)
        rows = "".join(f"<url><loc>{escape(base + name)}.html</loc></url>\n" for name in sorted(app.env.found_docs))
        space = "http://www.sitemaps.org/schemas/sitemap/0.9"
        text = f'<?xml version="1.0" encoding="utf-8"?>\n<urlset xmlns="{space}">\n{rows}</urlset>\n'
        (folder / "sitemap.xml").write_text(text, encoding="utf-8")


def _write(path: Path, app, text: str, **parts) -> None:
    parts |= {"lang": app.config.language or "en", "title": escape(app.config.html_title), "text": escape(text)}
    path.write_text(ENTRANCE.format(**parts), encoding="utf-8")


def setup(app):
    app.add_config_value("front_picture", "", "html")
    app.add_config_value("front_picture_alt", "", "html")
    app.connect("config-inited", set_address)
    app.connect("html-page-context", add_tags)
    app.connect("build-finished", write_front, priority=100)  # before the table of contents writes a bare redirect
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
