"""Holders: processes that keep the state of a chapter at one moment, and fork a child for many attacks on it."""

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

from _sabotage_batch import Batch

PATIENCE = 20.0  # seconds of processor time, whatever else the machine does, that an attack may take
CONTROL = 120  # seconds that a control run may take


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
                with contextlib.suppress(ConnectionError), silence():
                    _serve(chapter, connection)
            finally:
                os._exit(0)
        connection.close()


def _serve(chapter, connection):
    job = pickle.loads(connection.recv_bytes())
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    batch = Batch(chapter, job["states"], job["whole"])
    signal.setitimer(signal.ITIMER_PROF, CONTROL)
    connection.send_bytes(pickle.dumps(None if job["alone"] else batch.control(job["record"])))
    while (asked := pickle.loads(connection.recv_bytes())) is not None:
        signal.setitimer(signal.ITIMER_PROF, asked[2])
        connection.send_bytes(pickle.dumps(batch.attack(*asked[:2])))
        signal.setitimer(signal.ITIMER_PROF, CONTROL)
    connection.send_bytes(pickle.dumps(batch.undisturbed()))


class Session:
    """A child of a holder that answers one attack after the other; `control` is its reply without any."""

    def __init__(self, part, states, whole, record=False, alone=False):
        job = {"whole": whole, "states": {place: states[place] for place in whole}, "record": record, "alone": alone}
        while not os.path.exists(part.address):
            time.sleep(0.01)  # the holder of the last cells has only just been forked
        self.connection = Client(part.address, "AF_UNIX")
        self.connection.send_bytes(pickle.dumps(job))
        self.alive, self.control = True, None
        self.control = self._answer()

    def _answer(self):
        try:
            return pickle.loads(self.connection.recv_bytes())
        except (EOFError, OSError):
            self.alive = False
            return None

    def attack(self, active, places, patience=PATIENCE):
        """The reply to one attack; None when it ran out of time or died, and the session with it."""
        with contextlib.suppress(OSError):
            self.connection.send_bytes(pickle.dumps((active, places, patience)))
        return self._answer()

    def end(self):
        """Whether all attacks left everything as it was, so that a last control run says what the first one said."""
        with contextlib.suppress(OSError):
            self.connection.send_bytes(pickle.dumps(None))
        said = self.alive and self._answer()
        self.connection.close()
        return said is not False or not self.alive
