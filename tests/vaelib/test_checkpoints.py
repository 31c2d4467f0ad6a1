"""One file, whole or absent: what gets in, what comes out, and every way in which it may be spoilt."""

import os
import pickle
from collections import OrderedDict

import pytest
import torch
from disk import make_pipe, room  # noqa: F401 (a fixture)
from torch import nn

from vaelib import _lock
from vaelib._lock import Lock
from vaelib.checkpoints import load_checkpoint, save_checkpoint

STATE = {
    "weights": OrderedDict(a=torch.arange(600.0), b=torch.ones(2, dtype=torch.float64), c=torch.zeros(0)),
    "bytes": torch.arange(5, dtype=torch.uint8),
    "numbers": [1, 2.5, True, None, "text", (3, 4)],
}


def same(one, two):
    if isinstance(one, torch.Tensor):
        return one.dtype == two.dtype and torch.equal(one, two)
    if isinstance(one, dict):
        return one.keys() == two.keys() and all(same(one[key], two[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(two) and all(map(same, one, two))
    return one == two and type(one) is type(two)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run"


def names(folder):
    return sorted(file.name for file in folder.iterdir())


def test_what_is_saved_comes_back(path):
    save_checkpoint(path, STATE)
    assert same(load_checkpoint(path), STATE)
    save_checkpoint(str(path), {"other": 1})
    assert load_checkpoint(str(path)) == {"other": 1} and names(path.parent) == ["run"]


def test_pytorch_alone_can_read_it(path):
    save_checkpoint(path, STATE)
    assert same(torch.load(path, weights_only=True)["state"], STATE)


def test_whatever_happens_while_it_is_written_the_old_state_is_there(path, monkeypatch):
    def power_cut(*_):
        raise OSError("no space left on device")

    save_checkpoint(path, STATE)
    for name in ("replace", "fsync"):
        with monkeypatch.context() as patch:
            patch.setattr(os, name, power_cut)
            with pytest.raises(OSError, match="no space left"):
                save_checkpoint(path, {"other": 1})
        assert same(load_checkpoint(path), STATE) and names(path.parent) == ["run"]


def test_a_disk_that_is_full_leaves_the_old_state(path, room):  # noqa: F811
    save_checkpoint(path, STATE)
    room(2000)
    with pytest.raises(OSError, match=r"too large|No space"):
        save_checkpoint(path, {"large": torch.zeros(10_000)})
    room(None)
    assert same(load_checkpoint(path), STATE) and names(path.parent) == ["run"]


@pytest.mark.parametrize("bad", [lambda x: x, torch.nn.ReLU(), pytest.importorskip("numpy").float32(1), object()])
def test_what_could_not_be_read_again_is_not_written(path, bad):
    save_checkpoint(path, STATE)
    with pytest.raises(TypeError, match=r"holds tensors, Python's numbers, text, and lists and dicts; got .*\w"):
        save_checkpoint(path, {"bad": [bad]})
    assert same(load_checkpoint(path), STATE) and names(path.parent) == ["run"]


@pytest.mark.parametrize("bad", [3, None, "text", [1], torch.ones(2)])
def test_a_state_is_a_dict(path, bad):
    with pytest.raises(TypeError, match=f"state must be a dict; got {type(bad).__name__}"):
        save_checkpoint(path, bad)
    assert names(path.parent) == []


class Evil:
    def __reduce__(self):
        return os.system, (f"touch {self.target}",)


def test_no_code_in_a_file_is_run(path, tmp_path):
    evil = Evil()
    evil.target = tmp_path / "harm"
    torch.save({"vaelib checkpoint": 2, "state": evil}, path)
    with pytest.raises(ValueError, match="not a checkpoint of vaelib"):
        load_checkpoint(path)
    path.write_bytes(pickle.dumps(evil))
    with pytest.raises(ValueError, match="not a checkpoint of vaelib"):
        load_checkpoint(path)
    assert not evil.target.exists()


def outcome(path):
    """What loading says: "whole" (the same state), or the error in one word; anything else is not named."""
    try:
        return "whole" if same(load_checkpoint(path), STATE) else "wrong"
    except RuntimeError as error:
        return "damaged" if "is damaged (" in str(error) and "delete it" in str(error) else f"unclear: {error}"
    except ValueError as error:
        return "foreign" if "is not a checkpoint of vaelib" in str(error) else f"unclear: {error}"


def test_every_truncation_is_named(path):
    save_checkpoint(path, STATE)
    data = path.read_bytes()
    found = set()
    for length in range(0, len(data), 23):
        path.write_bytes(data[:length])
        found.add(outcome(path))
    assert found == {"damaged"}


def test_every_flipped_bit_is_named_or_harmless(path):
    """A zip holds padding, dates and rights that no reader looks at; a flip there leaves the state as it was."""
    save_checkpoint(path, STATE)
    data = path.read_bytes()
    found = []
    for place in range(0, len(data), 7):
        path.write_bytes(data[:place] + bytes([data[place] ^ 1 << place % 8]) + data[place + 1 :])
        found.append(outcome(path))
    assert set(found) <= {"damaged", "foreign", "whole"}
    assert found.count("damaged") > 300


def test_a_flipped_bit_in_a_tensor_is_damage(path):
    save_checkpoint(path, STATE)
    data = bytearray(path.read_bytes())
    data[data.index(torch.arange(600.0).numpy().tobytes()) + 1200] ^= 1
    path.write_bytes(data)
    assert not same(torch.load(path, weights_only=True)["state"], STATE)  # PyTorch reads on
    assert outcome(path) == "damaged"


@pytest.mark.parametrize("data", [b"a text", b"vaelib checkpoint 1\n", b"PK\3\4", b""])
def test_a_foreign_file_is_named(path, data):
    path.write_bytes(data)
    assert outcome(path) == ("damaged" if data[:2] in (b"PK", b"") else "foreign")


def test_weights_saved_by_pytorch_are_foreign(path):
    torch.save(nn.Linear(2, 2).state_dict(), path)
    assert outcome(path) == "foreign"
    torch.save([1], path)
    assert outcome(path) == "foreign"


def test_a_missing_file_is_missing(path):
    with pytest.raises(FileNotFoundError):
        load_checkpoint(path)


def test_the_home_folder_and_links_are_followed(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    (tmp_path / "link").symlink_to("there")  # to nothing yet
    for number, name in enumerate(["~/there", tmp_path / "link", "~/link"]):
        save_checkpoint(name, {"number": number})
        assert load_checkpoint(tmp_path / "there") == load_checkpoint("~/link") == {"number": number}
    assert (tmp_path / "link").is_symlink() and names(tmp_path) == ["link", "there"]


def test_only_a_file_is_a_place(tmp_path):
    make_pipe(tmp_path / "pipe")
    (tmp_path / "circle").symlink_to("circle")
    for name, kind in (("", "a folder"), ("pipe", "no ordinary file"), ("circle", "no ordinary file")):
        for act in (load_checkpoint, lambda path: save_checkpoint(path, {})):
            with pytest.raises(ValueError, match=f"path must be the name of a file; got .*, which is {kind}"):
                act(tmp_path / name)
    for name in (3, b"run", None):
        with pytest.raises(TypeError, match="path must be the name of a file; got"):
            load_checkpoint(name)
    assert not (tmp_path / "pipe").is_file()


def test_a_lock_is_held_once_and_leaves_nothing(path):
    lock = Lock(path)
    with pytest.raises(RuntimeError, match=r"run is in use: another training writes it"):
        Lock(path)
    lock.release()
    Lock(path).release()
    assert names(path.parent) == []


def test_a_file_system_without_locks_is_taken_as_it_is(path, monkeypatch):
    def none(*_):
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(_lock, "_take", none)
    Lock(path).release()
    assert names(path.parent) == []


def test_a_lock_that_its_holder_has_just_removed_is_not_taken_for_one(path, monkeypatch):
    """Between opening and locking, the last holder may remove the file: a lock on that would exclude nobody."""
    take, removed = _lock._take, []

    def late(file):
        if not removed:
            removed.append(path.with_name("run.lock").unlink())
        take(file)

    monkeypatch.setattr(_lock, "_take", late)
    lock = Lock(path)
    with pytest.raises(RuntimeError, match="in use"):
        Lock(path)
    lock.release()
