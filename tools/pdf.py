"""Every page of the built book as a PDF, printed by Chromium: `make pdf`.

python tools/pdf.py     # writes book/_build/pdf/NAME.pdf
"""

import re
import sys
from pathlib import Path

from chromium import SANDBOX, find_chromium
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[1]
HTML = ROOT / "book" / "_build" / "html"
PDF = ROOT / "book" / "_build" / "pdf"
PAPER = {"format": "A4", "margin": dict.fromkeys(("top", "bottom", "left", "right"), "18mm"), "outline": True}
FOOT = '<div style="font-size: 8px; width: 100%; text-align: center"><span class="pageNumber"></span></div>'
# On paper a link to another page of the book leads nowhere; its words stay.
UNLINK = """for (const link of document.querySelectorAll('a[href]'))
  if (link.protocol === 'file:' && link.pathname !== location.pathname) link.removeAttribute('href');"""


def main() -> int:
    """Print every page of the table of contents."""
    program = find_chromium()
    if program is None:
        print("make pdf needs Chromium: install it, or name it in $CHROMIUM", file=sys.stderr)
        return 1
    names = re.findall(r"(?:root|file): (\S+)", (ROOT / "_toc.yml").read_text(encoding="utf-8"))
    PDF.mkdir(exist_ok=True)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=SANDBOX)
        for name in names:
            print_page(browser, HTML / f"{name}.html", PDF / f"{Path(name).name}.pdf")
    print(f"{len(names)} files are in {PDF}")
    return 0


def print_page(browser, source: Path, target: Path) -> None:
    """One page of the book, with page numbers, an outline and selectable text."""
    page = browser.new_page()
    page.goto(source.as_uri())
    page.evaluate("document.fonts.ready")
    page.evaluate(UNLINK)
    page.pdf(
        path=target,
        tagged=True,
        display_header_footer=True,
        header_template="<span></span>",
        footer_template=FOOT,
        **PAPER,
    )
    page.close()


if __name__ == "__main__":
    raise SystemExit(main())
