"""Leave out of the pages what the book does not use: Thebe (a kernel service) and the 530 KB icon script.

The icons of the theme come from its icon font; live code runs in Colab or in the reader's own Jupyter.
"""

import re
from pathlib import Path

SCRIPT = re.compile(r"\s*<script\b[^>]*>(?:(?!</script>).)*</script>", re.DOTALL)
UNUSED = re.compile(r"<script[^>]*(?:fontawesome\.js|thebe)|THEBE_JS_URL")


def drop_thebe(app, pagename, templatename, context, doctree):
    """Take Thebe's files off the list of every page before it is written."""
    for key in ("script_files", "css_files"):
        context[key] = [f for f in context.get(key, []) if "thebe" not in str(getattr(f, "filename", f)).lower()]


def drop_unused_scripts(app, exception):
    """Cut the remaining tags out of the written pages."""
    if exception or app.builder.format != "html":
        return
    for page in Path(app.outdir).rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        slim = SCRIPT.sub(lambda tag: "" if UNUSED.search(tag[0]) else tag[0], text)
        if UNUSED.search(slim):
            raise RuntimeError(f"{page.name} still loads Thebe or the icon script: the theme's markup has changed")
        if slim != text:
            page.write_text(slim, encoding="utf-8")


def setup(app):
    app.connect("html-page-context", drop_thebe, priority=900)
    app.connect("build-finished", drop_unused_scripts)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
