"""Holders: processes that keep the state of a chapter at one moment, and fork a child for every attack on it."""

import contextlib
import ctypes
import io
import os
import pickle
import signal
import time
import warnings
from multiprocessing.connection import Client, Listener
from typing import NamedTuple

import numpy as np
from _sabotage_probe import fingerprint, numbers

TRAINS = 1.0  # seconds of processor time: a cell above is not attacked
PATIENCE = 20.0  # seconds that an attack may take


class Reply(NamedTuple):
    checks: dict  # {(label, place, number): Verdict}
    notes: dict
    copies: dict  # {(site, site): "copy" or "twin"} of functions
    crash: str
    seconds: float


class Part(NamedTuple):
    """Cells that share one holder."""

    places: list
    address: str
    seconds: dict


@contextlib.contextmanager
def silence():
    with (
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        yield


def hold(chapter, address):
    """Fork a holder that answers at `address` until it is ended; its process id."""
    if pid := os.fork():
        return pid
    with contextlib.suppress(OSError):
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # Linux: end with the chapter, even if that is killed
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    listener = Listener(address, "AF_UNIX", backlog=8)
    while True:
        connection = listener.accept()
        if os.fork() == 0:
            try:
                _serve(chapter, connection)
            finally:
                os._exit(0)
        connection.close()


def _serve(chapter, connection):
    job = pickle.loads(connection.recv_bytes())
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(job["patience"])
    connection.send_bytes(pickle.dumps(attacked(chapter, job)))


def attacked(chapter, job):
    """Run the cells of a job with its replacements in place."""
    probe, start, crash = chapter.probe, time.process_time(), ""
    chapter.verdicts, probe.active, probe.recording = {}, job["active"], job["record"]
    for place in job["places"]:
        chapter.restore(job["states"][place])
        if crash := chapter.run_cell(place):
            break
    probe.recording = False
    copies = _copies(probe) if job["record"] else {}
    return Reply(chapter.verdicts, probe.notes, copies, crash, time.process_time() - start)


def _copies(probe):
    """{(site, site): "copy" or "twin"} of functions that return the same bits, or nearly, for the same arguments."""
    found, known = {}, {site: pair for site, pair in probe.functions.items() if pair[1]}
    for one, (function, seen) in known.items():
        for other, (candidate, also) in known.items():
            if other != one and len(seen[0]) == len(also[0]):
                with silence():
                    if same := _same(function, candidate, seen + also):
                        found[one, other] = same
    return found


def _same(function, candidate, arguments):
    near, some = True, False
    for given in arguments:
        try:
            left, right = numbers(function(*given)), numbers(candidate(*given))
        except Exception:
            return None
        if left is None or right is None or left.shape != right.shape or not np.isfinite(left).all():
            return None
        if not np.allclose(left, right, rtol=1e-9, atol=1e-12):
            return None
        near, some = near and not (left == right).all(), some or fingerprint(left) is not None
    return ("twin" if near else "copy") if some else None


def ask(part, states, places, active=None, record=False, patience=PATIENCE):
    """The reply of a child that runs cells of a part under attack; None when it ran out of time or died."""
    job = {"places": places, "states": {place: states[place] for place in places}, "active": active or {}}
    while not os.path.exists(part.address):
        time.sleep(0.01)  # the holder of the last cells has only just been forked
    try:
        with Client(part.address, "AF_UNIX") as connection:
            connection.send_bytes(pickle.dumps(job | {"record": record, "patience": int(patience) + 1}))
            return pickle.loads(connection.recv_bytes())
    except (EOFError, ConnectionError, OSError):
        return None
