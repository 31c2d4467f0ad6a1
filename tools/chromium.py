"""Where a Chromium is on this machine: `python tools/chromium.py` prints it, and fails where there is none."""

import os
import shutil

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
SANDBOX = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")


def find_chromium() -> str | None:
    """`$CHROMIUM`, or the first of the usual names on the path."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, PROGRAMS)), None)


if __name__ == "__main__":
    print(find_chromium() or exit("there is no Chromium: install it, or name it in $CHROMIUM"))
