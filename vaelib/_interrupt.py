"""Ctrl-C at a moment when nothing is half done."""

import signal
import threading


class CtrlC:
    """While this context is open, a first Ctrl-C is only noted, until `check` raises it; a second one is immediate.

    It steps in for Python's own handler of SIGINT, which is also the one that Jupyter's kernel has while a cell runs,
    and puts that back at the end. Where another handler is in place, or outside the main thread, where no handler
    can be set, nothing changes.
    """

    def __init__(self):
        self.pressed = False

    def __enter__(self) -> "CtrlC":
        main = threading.current_thread() is threading.main_thread()
        self.mine = main and signal.getsignal(signal.SIGINT) is signal.default_int_handler
        if self.mine:
            signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(self, *exception) -> None:
        if self.mine and signal.getsignal(signal.SIGINT) == self._note:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def _note(self, number, frame) -> None:
        if self.pressed:
            raise KeyboardInterrupt
        self.pressed = True

    def check(self) -> None:
        """Raise the Ctrl-C that came since: to be called where a stop leaves everything whole."""
        if self.pressed:
            raise KeyboardInterrupt
