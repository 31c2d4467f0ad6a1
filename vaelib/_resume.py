"""A training that goes on where it was: what is kept, what has to be the same, and how it is put back."""

import copy
import re
import warnings
from dataclasses import asdict
from pathlib import Path

from vaelib._aside import random_state, set_random_state
from vaelib._facts import facts, moving, plain
from vaelib._files import packed, place, write_aside
from vaelib._lock import Lock
from vaelib._probe import CLOSE, OWN_STATE, agree, first_losses, repeats
from vaelib._training import Training, expect_schedule_that_lasts
from vaelib.checkpoints import load_checkpoint, save_checkpoint

KEYS = {"parts", "facts", "losses", "random", "history"}


class Nothing:
    """The checkpoint of a training that keeps none."""

    def __init__(self, training: Training, epochs: int):
        expect_schedule_that_lasts(training, epochs)
        if training.test is not None and not repeats(training):
            warnings.warn(f"{OWN_STATE}; so looking at the test data changes the training", stacklevel=5)

    def __enter__(self) -> "Nothing":
        return self

    def __exit__(self, *exception) -> None: ...

    def resume(self) -> dict:
        return {}

    def keep(self, history) -> None: ...


def open_checkpoint(path, training: Training, epochs: int) -> "Nothing | Checkpoint":
    """To be used in a `with`."""
    return Nothing(training, epochs) if path is None else Checkpoint(path, training, epochs)


class Checkpoint:
    """The file behind `fit(checkpoint=...)`, locked while the training runs.

    Args:
        path: the file.
        training: checked, and not begun.
        epochs: how many passes are asked for.

    Raises:
        As `fit`: everything about the file, the place and the state is tried here or in `resume`, before a step.
    """

    def __init__(self, path, training: Training, epochs: int):
        self.name, self.path, self.training, self.epochs = path, place(path, "checkpoint"), training, epochs
        self.parts = {"model": training.model, "optimizer": training.optimizer}
        self.parts |= {"scheduler": training.scheduler} if training.scheduler else {}
        self.warned, self.kept = False, 0

    def __enter__(self) -> "Checkpoint":
        if not self.path.parent.is_dir():
            raise FileNotFoundError(f"checkpoint must be in a folder that is there; got {self.name}")
        self.lock = Lock(self.path)
        try:
            _clear_leftovers(self.path)
            self.facts = facts(self.training)
            if self.path.exists():
                self.path.open("r+b").close()  # a file that must not be written is not to be replaced either
            else:
                self._try_the_place()
        except BaseException:
            self.lock.release()
            raise
        return self

    def __exit__(self, *exception) -> None:
        self.lock.release()

    def _try_the_place(self) -> None:
        """Write all there is to keep, and remove it: room, rights, and whether it could be read again."""
        try:
            data = packed(self._state({}))
        except TypeError as error:
            raise TypeError(f"{self._culprit()} cannot be kept: {error}") from None
        write_aside(self.path, data).unlink()

    def _culprit(self) -> str:
        for name, state in self._states().items():
            try:
                packed(plain(state))
            except TypeError:
                return f"the state of the {type(self.parts[name]).__name__}"
        return "what this training is"

    def resume(self) -> dict:
        """Put everything back as it was and return the history; an empty one where there is no file yet.

        All is compared before anything changes. What can only be seen by loading is seen then, and unloaded.
        """
        if not self.path.exists():
            expect_schedule_that_lasts(self.training, self.epochs)
            self._refuse_own_state()
            return {}
        state = load_checkpoint(self.path)
        if not isinstance(state, dict) or state.keys() != KEYS:
            raise ValueError(f"{self.name} is a checkpoint of vaelib, but none that fit(checkpoint=...) has written")
        self._refuse_other(state)
        before = copy.deepcopy(self._states()), random_state(self.training.device, self.training.generator)
        try:
            self._load(state["parts"], state["random"])
            expect_schedule_that_lasts(self.training, self.epochs - len(state["history"]["train"]))
            self._refuse_another_loss(state["losses"])
            self._refuse_own_state()
            self._try_the_place()
        except BaseException:
            self._load(*before)
            raise
        self.facts, self.kept = state["facts"], len(state["history"]["train"])
        print(f"{self.name}: going on after {self.kept} passes")
        return state["history"]

    def keep(self, history) -> None:
        """Write everything down, with the fields of a `History`; where that fails, the training goes on, and warns."""
        try:
            save_checkpoint(self.path, self._state(asdict(history)))
            self.kept = len(history.train)
        except (OSError, TypeError) as error:
            if not self.warned:
                text = f"{self.name} could not be written ({error}). It holds {self.kept} passes; the training goes on"
                warnings.warn(text, stacklevel=4)
            self.warned = True

    def _states(self) -> dict:
        return {name: part.state_dict() for name, part in self.parts.items()}

    def _state(self, history: dict) -> dict:
        run = self.training
        random = random_state(run.device, run.generator)
        state = {"parts": self._states(), "facts": self.facts, "losses": first_losses(run), "history": history}
        return plain(state) | {"random": random}

    def _load(self, parts: dict, random: dict) -> None:
        for name, part in self.parts.items():
            part.load_state_dict(parts[name])
        set_random_state(random, self.training.device, self.training.generator)

    def _refuse_other(self, state: dict) -> None:
        """By name: what is not as it was at the start of the training that was kept."""
        kept, now, moved = state["facts"], self.facts, moving(self.training, state["facts"], state["parts"])
        names = [name for name in kept | now if name not in moved]  # the large things come first
        others = [n for n in names if kept.get(n, "nothing") != now.get(n, "nothing")]
        if others:
            told = "; ".join(f"{n}: kept {kept.get(n, 'nothing')}, now {now.get(n, 'nothing')}" for n in others[:5])
            more = f"; and {len(others) - 5} more" if len(others) > 5 else ""
            raise ValueError(f"{self.name} belongs to another training. {told}{more}. Give this one its own file")
        done = len(state["history"]["train"])
        if done > self.epochs:
            raise ValueError(f"epochs must be at least the {done} passes that {self.name} holds; got {self.epochs}")

    def _refuse_another_loss(self, kept: list[float]) -> None:
        now = first_losses(self.training)
        if not agree(kept, now, CLOSE[self.training.device.type]):
            raise ValueError(
                f"{self.name} belongs to another loss or model: with the weights that it holds, the first batch gave "
                f"{kept} when they were kept, and gives {now} now. Give this training its own file"
            )

    def _refuse_own_state(self) -> None:
        if not repeats(self.training):
            raise ValueError(f"{OWN_STATE}; with a state that is not kept, the training could not go on as it was")


def _clear_leftovers(path: Path) -> None:
    """Files that a killed training was writing; the lock says that nobody is."""
    for file in path.parent.iterdir():
        if re.fullmatch(re.escape(path.name) + r"\.\d+\.part", file.name):
            file.unlink()
