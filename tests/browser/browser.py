"""A real browser for the tests: where to find it, the built pages served to it, and what a page asks for."""

import base64
import functools
import gzip
import http.server
import re
import threading
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe

ROOT = Path(__file__).resolve().parents[2]
HTML = ROOT / "book" / "_build" / "html"
SCREENSHOTS = ROOT / "book" / "_build" / "screenshots"
PROBE = Path(__file__).with_name("browser_probe.js")
NO_NETWORK = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
AS_THEY_ARE = (".woff2", ".png", ".jpg", ".webp")  # packed already
LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
COLOURS = ["color-contrast", "link-in-text-block"]  # the rules that light and dark can change
# Every live figure is on the page.
DRAWN = "document.querySelectorAll('.live-place:not(.live-drawn)').length === 0"


def page_names() -> list[str]:
    """Every page of the table of contents, and the search page, as addresses under the root of the build."""
    listed = re.findall(r"(?:root|file): (\S+)", (ROOT / "_toc.yml").read_text(encoding="utf-8"))
    return [f"{name}.html" for name in listed] + ["search.html"]


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        """Say nothing."""


def serve():
    """A server of the built pages on a free port of this machine, already running."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(HTML)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


class Visit:
    """One page in a context of its own, so that nothing is cached; keeps what it asked for and complained of."""

    def __init__(self, browser, address: str, **settings):
        screen = {"width": 1280, "height": 900}
        self.context = browser.new_context(viewport=screen, reduced_motion="reduce", **settings)
        self.context.add_init_script(path=PROBE)
        self.page = self.context.new_page()
        self.responses, self.outside, self.complaints = [], [], []
        self.name = address.removeprefix(HTML.as_uri()).split("/", 3)[-1]
        self.site = address.split("/")[2]
        self.page.on("request", self._note_request)
        self.page.on("response", lambda response: self.responses.append(response))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self._note_console)
        self.page.goto(address)
        if settings.get("java_script_enabled", True):
            self.page.evaluate("document.fonts.ready")
            self.page.wait_for_function(DRAWN)

    def _note_request(self, request):
        scheme, _, rest = request.url.partition(":")
        if scheme not in ("blob", "data") and not (scheme == "file" or rest.startswith(f"//{self.site}/")):
            self.outside.append(request.url)

    def _note_console(self, message):
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def weight(self) -> tuple[int, int]:
        """Bytes transferred without and with pictures, each file packed as a plain server packs it."""
        sizes = [(answer.url.split("?")[0], answer) for answer in self.responses if answer.url.startswith("http")]
        packed = {url: _packed(url, answer.body()) for url, answer in sizes if answer.ok}
        pictures = sum(size for url, size in packed.items() if url.endswith((".png", ".jpg", ".webp", ".svg")))
        return sum(packed.values()) - pictures, sum(packed.values())

    def photograph(self, path: Path, scale: float) -> None:
        """The whole page as a JPEG; scaled down, a long page takes half the time."""
        height = self.page.evaluate("document.scrollingElement.scrollHeight")
        whole = {"x": 0, "y": 0, "width": self.page.viewport_size["width"], "height": height, "scale": scale}
        how = {"format": "jpeg", "quality": 70, "optimizeForSpeed": True, "captureBeyondViewport": True, "clip": whole}
        devtools = self.context.new_cdp_session(self.page)
        path.write_bytes(base64.b64decode(devtools.send("Page.captureScreenshot", how)["data"]))
        devtools.detach()

    def ask(self, question: str, *given):
        """The answer of browser_probe.js."""
        return self.page.evaluate("([question, given]) => probe[question](...given)", [question, given])

    def violations(self, rules: dict) -> list[str]:
        """What axe-core has against the page: rule, first places, and what is wrong there."""
        options = {"runOnly": rules, "resultTypes": ["violations"], "preload": False}
        found = Axe().run(self.page, options=options).response["violations"]
        return [f"{rule['id']}: {[(n['target'], n['failureSummary']) for n in rule['nodes'][:4]]}" for rule in found]


def _packed(url: str, body: bytes) -> int:
    return len(body) if url.endswith(AS_THEY_ARE) else len(gzip.compress(body, 6))
