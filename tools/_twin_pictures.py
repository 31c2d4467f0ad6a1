"""Pictures that travel inside a notebook, as PNG: Colab shows no SVG in a text cell, and no file that lies beside it.

python tools/_twin_pictures.py     # draws book/figures/NAME.png from every NAME.svg that has changed, with Chromium
"""

import base64
import hashlib
import io
import re
import sys
from pathlib import Path

from PIL import Image, PngImagePlugin

FIGURES = Path(__file__).resolve().parents[1] / "book" / "figures"
WIDTH = 1280  # pixels: twice what a notebook shows
DRAWN_FROM = "Drawn from"  # the entry of a PNG that holds the hash of its SVG
PAGE = '<body style="margin: 0; background: white"><img src="data:image/svg+xml;base64,{}" width="{}" height="{}">'


def embed(path: Path) -> str:
    """The picture as an address that holds all of it.

    Raises:
        ValueError: there is no PNG of a drawing, or it shows an older version.
    """
    drawn = path.with_suffix(".png")
    if path.suffix == ".svg" and not is_fresh(path):
        raise ValueError(f"{drawn.name} must be drawn from {path.name}: run `python tools/_twin_pictures.py`")
    return "data:image/png;base64," + base64.b64encode(drawn.read_bytes()).decode("ascii")


def is_fresh(svg: Path) -> bool:
    png = svg.with_suffix(".png")
    if not png.exists():
        return False
    with Image.open(png) as image:
        return image.info.get(DRAWN_FROM) == _hash(svg)


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def draw(svg: Path, page) -> bytes:
    """The drawing on white, in few colours, by a page of Chromium."""
    text = svg.read_text(encoding="utf-8")
    _, _, width, height = map(float, re.search(r'viewBox="([^"]*)"', text)[1].split())
    size = {"width": WIDTH // 2, "height": round(WIDTH / 2 * height / width)}
    page.set_viewport_size(size)
    page.set_content(PAGE.format(base64.b64encode(text.encode()).decode("ascii"), size["width"], size["height"]))
    page.wait_for_function("document.images[0].complete")
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB").quantize(64, dither=Image.Dither.NONE)
    entries, stored = PngImagePlugin.PngInfo(), io.BytesIO()
    entries.add_text(DRAWN_FROM, _hash(svg))
    picture.save(stored, format="png", optimize=True, pnginfo=entries)
    return stored.getvalue()


def main() -> int:
    from chromium import SANDBOX, find_chromium
    from playwright.sync_api import sync_playwright

    if not (stale := [path for path in sorted(FIGURES.glob("*.svg")) if not is_fresh(path)]):
        print("every drawing has its PNG")
        return 0
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=find_chromium(), args=[*SANDBOX])
        page = browser.new_page(device_scale_factor=2)
        for path in stale:
            path.with_suffix(".png").write_bytes(draw(path, page))
            print(f"{path.stem}.png: drawn")
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
