"""Nothing unused is shipped, and every icon that a page shows has its glyph."""

import re

from fontTools.ttLib import TTFont

BRANDS = {0xF09B, 0xF296}  # GitHub and GitLab: named by the theme's styles, from a font that no page loads
FONT = "_static/vendor/fontawesome/webfonts/fa-solid-900.woff2"


def test_every_icon_of_every_page_is_in_the_font(built):
    rules = (built / "_static/styles/pydata-sphinx-theme.css").read_text(encoding="utf-8")
    glyphs = TTFont(built / FONT).getBestCmap()
    pages = "".join(path.read_text(encoding="utf-8") for path in built.rglob("*.html"))
    shown = set(re.findall(r'<i class="[^"]*?\b(fa-(?!solid|lg|fw|regular|brands)[\w-]+)', pages))
    assert len(shown) > 5
    for name in shown:
        code = re.search(rf'\.{name}:before[^{{]*\{{content:"\\([0-9a-f]+)"', rules)
        assert code and int(code[1], 16) in glyphs, name
    drawn = set(re.findall(r"--pst-icon-[\w-]+:\"(.)\"", rules))
    assert len(drawn) > 5 and {ord(icon) for icon in drawn} - BRANDS <= glyphs.keys()
    assert (built / FONT).stat().st_size < 6_000


def test_what_no_page_asks_for_is_not_there(built):
    names = [path.name for path in (built / "_static").rglob("*")]
    for unused in ("fontawesome.js", "thebe", "togglebutton", "mathjax", ".map", ".ttf", "fa-brands", "locales"):
        assert not [name for name in names if unused in name.lower()]
    for path in built.rglob("*.html"):
        text = path.read_text(encoding="utf-8").lower()
        assert "thebe" not in re.sub(r"<p>.*?</p>", "", text) and "searchindex.js" not in text
        assert (path.name == "search.html") == ("entries.js" in text)
