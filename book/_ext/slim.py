"""Leave out of the pages what the book does not use.

Thebe (a kernel service), the 530 KB icon script, the search index on pages without search results, source maps,
translations, and every icon that no page shows: what is left of the icon font is two kilobytes.
"""

import io
import re
import shutil
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

SCRIPT = re.compile(r"\s*<script\b[^>]*>(?:(?!</script>).)*</script>", re.DOTALL)
UNUSED = re.compile(r"<script[^>]*(?:fontawesome\.js|thebe)|THEBE_JS_URL|<script>(?:(?:let|var) toggle|kernelName)")
UNUSED_OR_SEARCH = re.compile(UNUSED.pattern + r"|<script src=\"[^\"]*(?:searchtools|language_data|searchindex)\.js")
FILES = (
    "scripts/*.map",
    "styles/*.map",
    "scripts/fontawesome.js*",
    "sphinx-thebe.*",
    "togglebutton.*",
    "locales",
    "*webpack-macros.html",
)
THEME = "styles/pydata-sphinx-theme.css"
FONTS = "vendor/fontawesome/webfonts"
ICON_RULE = re.compile(r'(?P<names>(?:\.fa-[\w-]+:before,?)+)\{content:"\\(?P<code>[0-9a-f]{2,4}) ?"\}')
OTHER_ICONS = re.compile(
    r"@font-face\{[^}]*fa-(?:brands|regular)[^}]*\}|,url\([^)]*fa-solid-900\.ttf\) format\(\"truetype\"\)"
)
DRAWN_BY_STYLE = re.compile(r"[\ue000-\uf8ff]|(?<=\\)[ef][0-9a-f]{3}\b")


def drop_thebe(app, pagename, templatename, context, doctree):
    """Take Thebe's files off the list of every page before it is written."""
    for key in ("script_files", "css_files"):
        context[key] = [f for f in context.get(key, []) if "thebe" not in str(getattr(f, "filename", f)).lower()]


def drop_unused(app, exception):
    """Cut the remaining tags out of the written pages, and the files that nothing asks for out of the build."""
    if exception or app.builder.format != "html":
        return
    pages = {path: path.read_text(encoding="utf-8") for path in Path(app.outdir).rglob("*.html")}
    for path, text in pages.items():
        slim = _without_scripts(text, UNUSED if path.name == "search.html" else UNUSED_OR_SEARCH)
        if UNUSED.search(slim):
            raise RuntimeError(f"{path.name} still loads Thebe or the icon script: the theme's markup has changed")
        if slim != text:
            path.write_text(slim, encoding="utf-8")
    static = Path(app.outdir) / "_static"
    for path in {path for pattern in FILES for path in static.glob(pattern)}:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    keep_icons(static, icon_names([*pages.values(), *(path.read_text("utf-8") for path in static.rglob("*.js"))]))


def _without_scripts(text: str, unwanted: re.Pattern) -> str:
    return SCRIPT.sub(lambda tag: "" if unwanted.search(tag[0]) else tag[0], text)


def icon_names(texts) -> set[str]:
    """Every `fa-NAME` that pages and scripts mention."""
    return {name for text in texts for name in re.findall(r"\bfa-[\w-]+", text)}


def keep_icons(static: Path, names: set[str]) -> None:
    """Reduce the theme's icon font, and the rules for it, to some names and to what its styles draw by themselves."""
    style = (static / THEME).read_text(encoding="utf-8")
    codes = set()

    def kept(rule):
        if names.isdisjoint(re.findall(r"\.(fa-[\w-]+):", rule["names"])):
            return ""
        codes.add(int(rule["code"], 16))
        return rule[0]

    small = OTHER_ICONS.sub("", ICON_RULE.sub(kept, style))
    own = ICON_RULE.sub("", style) + (static / "styles/sphinx-book-theme.css").read_text(encoding="utf-8")
    codes |= {ord(code) if len(code) == 1 else int(code, 16) for code in DRAWN_BY_STYLE.findall(own)}
    if small != style:  # the theme's files are fresh
        (static / THEME).write_text(small, encoding="utf-8")
    for path in (static / FONTS).iterdir():
        if path.name == "fa-solid-900.woff2":
            path.write_bytes(_subset(path, codes))
        else:
            path.unlink()


def _subset(path: Path, codes: set[int]) -> bytes:
    font = TTFont(path)
    font.recalcTimestamp = False
    options = subset.Options(flavor="woff2", layout_features=[], notdef_outline=True, name_IDs=[])
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=codes)
    cutter.subset(font)
    font.flavor = "woff2"
    stream = io.BytesIO()
    font.save(stream)
    return stream.getvalue()


def setup(app):
    app.connect("html-page-context", drop_thebe, priority=900)
    app.connect("build-finished", drop_unused)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
