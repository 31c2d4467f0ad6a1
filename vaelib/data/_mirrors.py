"""Files from the first mirror that answers: bounded in bytes and seconds, and verified before they are handed on."""

import hashlib
import os
import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib import import_module

from vaelib._extras import need

LARGEST = 64_000_000  # bytes; the largest file of these sets has 47 million, extracted
PATIENCE = 300  # times `timeout`: the longest that a whole set may take


def download(
    mirrors: tuple[str, ...], smallest: str, wanted: dict[str, str], timeout: float, keep: Callable[[str, bytes], None]
) -> list[str] | None:
    """Fetch what is wanted, file name -> md5, and hand each verified file to `keep`: None, or what went wrong where."""
    problems = dict.fromkeys(mirrors, f"no answer within {timeout:g} s")
    missing, deadline = dict(wanted), time.monotonic() + PATIENCE * timeout
    # The fallback's import takes as long as the mirrors may: let it run while we wait for them.
    threading.Thread(target=_import_quietly, args=("sklearn.datasets",)).start()
    for mirror, problem in _answers(mirrors, smallest, timeout):
        try:
            if problem is not None:
                raise problem
            for name, md5 in list(missing.items()):
                keep(name, _fetch(mirror, name, md5, timeout, deadline))
                del missing[name]
            return None
        except Exception as failure:  # a mirror can break in any way; the next one may be well
            kind = "" if type(failure) in (OSError, TimeoutError) else f"{type(failure).__name__}: "
            problems[mirror] = f"{kind}{failure}"
    return [f"{mirror}: {problem}" for mirror, problem in problems.items()]


def _import_quietly(name: str) -> None:
    with suppress(ImportError, RuntimeError):  # told to who needs it; or Python is ending
        import_module(name)


def _answers(mirrors: tuple[str, ...], smallest: str, timeout: float) -> Iterator[tuple[str, Exception | None]]:
    """(mirror, None or its problem), quickest first, for `timeout` seconds in all."""
    answers, deadline = queue.SimpleQueue(), time.monotonic() + timeout
    for mirror in mirrors:  # in daemon threads, because a name look-up that hangs can only be left behind
        threading.Thread(target=_probe, args=(mirror, smallest, timeout, answers), daemon=True).start()
    for _ in mirrors:
        try:
            yield answers.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            return


def _probe(mirror: str, smallest: str, timeout: float, answers: queue.SimpleQueue) -> None:
    """Ask for the first two bytes of the smallest file: the page of a hotel's network is not an answer."""
    try:
        with need("requests", "data").get(mirror + smallest, stream=True, timeout=timeout) as response:
            response.raise_for_status()
            if next(response.iter_content(2), b"") != b"\x1f\x8b":
                raise OSError("sent something that is not a gzip file")
        answers.put((mirror, None))
    except Exception as problem:  # a broken header or redirect raises what is no OSError
        answers.put((mirror, problem))


def _fetch(mirror: str, name: str, md5: str, timeout: float, deadline: float) -> bytes:
    """The bytes of one file, whose md5 is right."""
    from tqdm.auto import tqdm

    parts, stop, content = queue.SimpleQueue(), threading.Event(), []
    threading.Thread(target=_receive, args=(mirror + name, timeout, parts, stop), daemon=True).start()
    try:
        hidden = os.environ.get("VAELIB_PROGRESS") == "0"
        with tqdm(desc=name, total=_next(parts, name, deadline), unit="B", unit_scale=True, disable=hidden) as bar:
            while part := _next(parts, name, deadline):
                content.append(part)
                bar.update(len(part))
    finally:
        stop.set()
    if hashlib.md5(data := b"".join(content), usedforsecurity=False).hexdigest() != md5:
        raise OSError(f"sent a damaged {name}")
    return data


def _next(parts: queue.SimpleQueue, name: str, deadline: float):
    """What `_receive` put there next, or its exception; a trickle that never ends is left behind."""
    try:
        part = parts.get(timeout=max(0.0, deadline - time.monotonic()))
    except queue.Empty:
        raise TimeoutError(f"{name} took too long, all in all: try a larger timeout") from None
    if isinstance(part, Exception):
        raise part
    return part


def _receive(address: str, timeout: float, parts: queue.SimpleQueue, stop: threading.Event) -> None:
    """Put the promised size, or None, then the file part by part, then b""; or an exception."""
    try:
        with need("requests", "data").get(address, stream=True, timeout=timeout) as response:
            response.raise_for_status()
            promised = response.headers.get("Content-Length", "")
            received, size = 0, int(promised) if promised.isdecimal() else None  # for the bar; the md5 decides
            if size is not None and size > LARGEST:
                raise OSError(f"promised {size} bytes; expected at most {LARGEST}")
            parts.put(size)
            for part in response.iter_content(2**16):
                received += len(part)
                if received > LARGEST:
                    raise OSError(f"sent more than the {LARGEST} bytes that were expected at most")
                if stop.is_set():
                    return
                parts.put(part)
        parts.put(b"")
    except Exception as problem:
        parts.put(problem)
