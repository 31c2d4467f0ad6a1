"""`vaelib.data`: the right bytes or a clear word, whatever disk and network do. Nothing here goes online."""

import ast
import contextlib
import gzip
import hashlib
import importlib.util
import os
import socket
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from vaelib import data
from vaelib.data import _cache as cache
from vaelib.data import _folder as folder
from vaelib.data import _idx as idx
from vaelib.data import _mirrors as mirrors
from vaelib.data import _packs as packs
from vaelib.data import _pictures as pictures
from vaelib.data import load
from vaelib.data._idx import FILES, IDX_SETS

LABELS = FILES[3]  # the file that a mirror is asked for first


def idx_bytes(values):
    """The idx format by hand: 0, 0, 8 (uint8), the number of dimensions, the sizes, the values."""
    sizes = b"".join(size.to_bytes(4, "big") for size in values.shape)
    return bytes([0, 0, 8, values.ndim]) + sizes + values.astype(np.uint8).tobytes()


class Fake:
    """A set of six training and three test images, written as raw files or as .gz, and known as "mnist"."""

    def __init__(self, tmp_path):
        draw = np.random.default_rng(0)
        images, labels = draw.integers(0, 256, (9, 28, 28)), draw.integers(0, 10, 9)
        self.arrays = [images[:6], labels[:6], images[6:], labels[6:]]
        self.raw = [idx_bytes(array) for array in self.arrays]
        self.packed = [gzip.compress(content, mtime=0) for content in self.raw]
        self.mine, self.cache = tmp_path / "mine" / "MNIST" / "raw", tmp_path / "cache" / "MNIST" / "raw"

    def source(self, mirrors=()):
        return IDX_SETS["mnist"]._replace(
            mirrors=tuple(mirrors),
            packed_md5=tuple(hashlib.md5(content).hexdigest() for content in self.packed),
            raw_sha256=tuple(hashlib.sha256(content).hexdigest() for content in self.raw),
        )

    def write(self, folder, packed=False):
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in zip(FILES, self.packed if packed else self.raw, strict=True):
            (folder / f"{name}{'.gz' * packed}").write_bytes(content)

    def assert_equals(self, images):
        assert (images.name, images.title) == ("mnist", "MNIST")
        for received, expected in zip(images[2:], self.arrays, strict=True):
            assert np.array_equal(received.numpy(), expected)
        assert [tensor.dtype for tensor in images[2:]] == [torch.uint8, torch.int64] * 2


@pytest.fixture
def fake(tmp_path, monkeypatch):
    """The fake set in place of MNIST, an empty cache, no $VAELIB_DATA, no mirror."""
    fake = Fake(tmp_path)
    monkeypatch.setitem(IDX_SETS, "mnist", fake.source())
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda name: str(tmp_path / "cache"))
    monkeypatch.delenv("VAELIB_DATA", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return fake


@pytest.fixture
def at_home(fake, tmp_path, monkeypatch):
    """The fake set as raw files in $VAELIB_DATA."""
    fake.write(fake.mine)
    monkeypatch.setenv("VAELIB_DATA", str(tmp_path / "mine"))
    return fake


@pytest.fixture
def serve(fake, monkeypatch):
    """serve(answer) starts a mirror on this machine and returns its log of names asked for."""
    started, release = [], threading.Event()

    def start(answer, *, before=()):
        log = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                name = self.path.rsplit("/")[-1]
                log.append(name)
                content = fake.packed[FILES.index(name.removesuffix(".gz"))]
                answer(self, name, content, release)

            def log_message(self, *_):
                """Keep the terminal quiet."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        started.append(server)
        here = f"http://127.0.0.1:{server.server_port}/"
        monkeypatch.setitem(IDX_SETS, "mnist", fake.source([*before, here]))
        return log

    yield start
    release.set()
    for server in started:
        server.shutdown()
        server.server_close()


def send(handler, content, *, promised=None, status=200):
    """A response with these bytes, which may be fewer than the header promises."""
    handler.send_response(status)
    handler.send_header("Content-Length", str(len(content) if promised is None else promised))
    handler.end_headers()
    handler.wfile.write(content)
    handler.wfile.flush()


def send_whole(handler, name, content, release):
    send(handler, content)


@pytest.fixture
def silent_mirror():
    """A mirror that accepts the connection and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=16) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"


@pytest.fixture
def hanging_names(monkeypatch):
    """A resolver that takes longer than anybody waits."""
    release = threading.Event()

    def hang(*args, **kwargs):
        release.wait(30)
        raise socket.gaierror("nobody waited for this")

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    yield
    release.set()


def seconds(deed):
    start = time.monotonic()
    deed()
    return time.monotonic() - start


def assert_falls_back(capsys, within, **options):
    """load("mnist") gives the digits after one notice that holds no path, in time."""
    images = []
    assert seconds(lambda: images.append(load("mnist", **options))) < within
    assert images[0].name == "digits28" and len(images[0].train_images) == 1437
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == 2 and "MNIST could not be had" in printed[0] and images[0].title in printed[0]
    assert "VAELIB_DATA" in printed[1] and "fallback=None" in printed[1] and "/MNIST/" not in printed[1]


# --- files on disk -----------------------------------------------------------------------------------------


def test_raw_files_in_the_readers_folder(at_home, capsys):
    at_home.assert_equals(load("mnist"))
    assert capsys.readouterr() == ("", "")


def test_packed_files_in_the_readers_folder(fake, tmp_path, monkeypatch):
    monkeypatch.setenv("VAELIB_DATA", str(tmp_path / "mine"))
    fake.write(fake.mine, packed=True)
    fake.assert_equals(load("mnist", fallback=None))


def test_a_set_whose_raw_checksums_are_unknown_is_read_from_its_packed_files(at_home, monkeypatch):
    monkeypatch.setitem(IDX_SETS, "mnist", at_home.source()._replace(raw_sha256=()))
    with pytest.raises(FileNotFoundError, match=r"train-images-idx3-ubyte.gz is not there"):
        load("mnist", fallback=None)
    for name in FILES:
        (at_home.mine / name).write_bytes(b"nobody may read this")
    at_home.write(at_home.mine, packed=True)
    at_home.assert_equals(load("mnist", fallback=None))


def test_the_cache_is_read_when_the_readers_folder_has_nothing(fake, tmp_path, monkeypatch):
    monkeypatch.setenv("VAELIB_DATA", str(tmp_path / "nothing here"))
    fake.write(fake.cache, packed=True)
    fake.assert_equals(load("mnist", fallback=None))


def test_the_readers_folder_comes_before_the_cache(at_home):
    at_home.write(at_home.cache)
    (at_home.cache / FILES[0]).write_bytes(b"never read")
    at_home.assert_equals(load("mnist"))


def test_a_missing_label_file_is_named(at_home):
    (at_home.mine / LABELS).unlink()
    with pytest.raises(FileNotFoundError) as told:
        load("mnist", fallback=None)
    assert f"{at_home.mine}: {LABELS}.gz is not there" in str(told.value)


def truncate(content):
    return content[:-1]


def flip_a_bit(content):
    return content[:-9] + bytes([content[-9] ^ 1]) + content[-8:]


@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("place", ["mine", "cache"])
@pytest.mark.parametrize("damage", [truncate, flip_a_bit])
def test_a_damaged_file_raises_by_name_and_no_fallback_hides_it(
    fake, tmp_path, monkeypatch, damage, place, packed, number
):
    monkeypatch.setenv("VAELIB_DATA", str(tmp_path / "mine"))
    folder = getattr(fake, place)
    fake.write(folder, packed)
    broken = folder / f"{FILES[number]}{'.gz' * packed}"
    broken.write_bytes(damage(broken.read_bytes()))
    with pytest.raises(RuntimeError, match=r"is damaged .* Delete this file and try again") as told:
        load("mnist", fallback="digits28")
    assert str(broken) in str(told.value)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("kind", ["fifo", "folder", "device", "large"])
def test_what_is_no_file_is_named_at_once(fake, kind, packed):
    fake.write(fake.cache, packed)
    path = fake.cache / f"{FILES[2]}{'.gz' * packed}"
    path.unlink()
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "device":
        path.symlink_to("/dev/zero")
    else:
        with path.open("wb") as file:
            file.truncate(10**12)  # a hole: it takes no room on the disk
    with pytest.raises(RuntimeError, match=r"must be a file of the set; got .* Remove it and try again") as told:
        load("mnist")
    assert str(path) in str(told.value)


def test_a_closed_file_is_named_and_the_next_place_is_asked(fake, tmp_path, monkeypatch):
    """Tests may run as root, to whom no file is closed: so reading is told that one is."""
    read = Path.read_bytes

    def closed(path):
        if path == fake.mine / FILES[0]:
            raise PermissionError(13, "Permission denied", str(path))
        return read(path)

    monkeypatch.setenv("VAELIB_DATA", str(tmp_path / "mine"))
    monkeypatch.setattr(Path, "read_bytes", closed)
    fake.write(fake.mine)
    with pytest.raises(FileNotFoundError, match=f"{fake.mine / FILES[0]}: Permission denied"):
        load("mnist", fallback=None)
    fake.write(fake.cache)
    fake.assert_equals(load("mnist"))


@pytest.mark.parametrize("place", ["~nobody-of-this-name", "a\udcffb" * 2000, "{tmp}/ring"])
def test_a_readers_folder_that_cannot_be_is_named_and_the_cache_is_asked(fake, tmp_path, monkeypatch, place):
    (tmp_path / "ring").symlink_to(tmp_path / "ring")
    place = place.format(tmp=tmp_path)
    monkeypatch.setenv("VAELIB_DATA", place)
    with pytest.raises(FileNotFoundError, match=r"VAELIB_DATA is |not there|too long"):
        load("mnist", fallback=None)
    fake.write(fake.cache)
    fake.assert_equals(load("mnist"))


# --- the cache, where there is none ------------------------------------------------------------------------


@pytest.fixture
def no_home(fake, monkeypatch):
    """What platformdirs does for a user of a container, who is a bare number without $HOME."""

    def lost(name):
        raise RuntimeError("could not determine the home directory")

    monkeypatch.setattr("platformdirs.user_cache_dir", lost)


def test_without_a_home_the_digits_come(fake, no_home, capsys):
    assert_falls_back(capsys, within=2.5)
    with pytest.raises(FileNotFoundError, match="the cache: you have no home folder to keep one in"):
        load("mnist", fallback=None)


def test_a_relative_cache_is_none(fake, monkeypatch, capsys):
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda name: f"~/.cache/{name}")
    assert cache.cache_folder("MNIST") is None


def test_without_a_home_a_download_is_used_and_not_kept(fake, no_home, serve, capsys):
    serve(send_whole)
    fake.assert_equals(load("mnist", fallback=None))
    assert capsys.readouterr().out == "MNIST is not kept for the next time: you have no home folder to keep it in.\n"


def test_a_cache_that_cannot_be_written_is_not_blamed_on_the_mirror(fake, serve, tmp_path, capsys):
    (tmp_path / "cache").write_text("a file where a folder should be")
    serve(send_whole)
    fake.assert_equals(load("mnist", fallback=None))
    printed = capsys.readouterr().out.splitlines()
    assert printed == [f"MNIST is not kept for the next time: {fake.cache}: Not a directory."]


def test_what_a_killed_download_left_is_cleared_by_the_next(fake, serve):
    for name, age in ("tmpold", 2 * cache.STALE), ("tmpnew", 0):
        (fake.cache / name).mkdir(parents=True)
        (fake.cache / name / "part.gz").write_bytes(b"half")
        os.utime(fake.cache / name, (time.time() - age,) * 2)
    serve(send_whole)
    load("mnist", fallback=None)
    assert [path.name for path in fake.cache.glob("tmp*")] == ["tmpnew"]  # another process may be at work there


# --- mirrors -----------------------------------------------------------------------------------------------


def test_a_download_is_kept_and_read_from_the_cache_afterwards(fake, serve, monkeypatch, capsys):
    log = serve(send_whole)
    fake.assert_equals(load("mnist", fallback=None))
    assert sorted(set(log)) == sorted(f"{name}.gz" for name in FILES)
    assert sorted(path.name for path in fake.cache.iterdir()) == sorted(set(log))  # and nothing else
    asked = len(log)
    fake.assert_equals(load("mnist", fallback=None))
    assert len(log) == asked
    assert capsys.readouterr() == ("", "")


def test_the_progress_bar_obeys_the_switch(fake, serve, monkeypatch, capsys):
    monkeypatch.setenv("VAELIB_PROGRESS", "1")
    serve(send_whole)
    load("mnist", fallback=None)
    assert "100%" in capsys.readouterr().err


def test_only_missing_files_are_fetched(fake, serve):
    fake.write(fake.cache, packed=True)
    (fake.cache / f"{FILES[1]}.gz").unlink()
    log = serve(send_whole)
    fake.assert_equals(load("mnist", fallback=None))
    assert log == [f"{LABELS}.gz", f"{FILES[1]}.gz"]


def test_a_mirror_that_answers_is_used_at_once_beside_a_silent_one(fake, serve, silent_mirror):
    serve(send_whole, before=[silent_mirror])
    assert seconds(lambda: fake.assert_equals(load("mnist", fallback=None, timeout=20))) < 5


def test_a_mirror_that_accepts_and_never_answers(fake, silent_mirror, monkeypatch, capsys):
    monkeypatch.setitem(IDX_SETS, "mnist", fake.source([silent_mirror]))
    imported = []
    monkeypatch.setattr(mirrors, "import_module", imported.append)
    assert_falls_back(capsys, within=2.5, timeout=0.5)
    assert imported == ["sklearn.datasets"]  # its seconds pass while we wait for the mirror
    with pytest.raises(FileNotFoundError, match=f"{silent_mirror}: no answer within 0.2 s|Timeout"):
        load("mnist", fallback=None, timeout=0.2)


@pytest.mark.slow
def test_a_resolver_that_hangs_costs_less_than_five_seconds(fake, hanging_names, monkeypatch, capsys):
    monkeypatch.setitem(IDX_SETS, "mnist", fake.source(["https://one.invalid/", "http://two.invalid/"]))
    assert_falls_back(capsys, within=5)  # with the timeout that readers get


def test_a_network_that_refuses(fake, monkeypatch, capsys):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    monkeypatch.setitem(IDX_SETS, "mnist", fake.source([f"http://127.0.0.1:{port}/"]))
    assert_falls_back(capsys, within=2, timeout=20)


def test_a_stall_in_mid_download_times_out_and_leaves_no_half_written_file(fake, serve, capsys):
    def stall(handler, name, content, release):
        half = content[: len(content) // 2] if name.startswith("train-images") else content
        send(handler, half, promised=len(content))
        if half != content:
            release.wait(30)

    log = serve(stall)
    assert_falls_back(capsys, within=2.5, timeout=0.5)
    assert f"{FILES[0]}.gz" in log
    assert list(fake.cache.glob("*")) == []


def test_a_connection_cut_in_mid_download_keeps_the_files_that_were_whole(fake, serve, capsys):
    def cut(handler, name, content, release):
        send(handler, content[:-20] if name.startswith("t10k-images") else content, promised=len(content))
        handler.close_connection = True

    serve(cut)
    assert_falls_back(capsys, within=2.5)
    assert sorted(path.name for path in fake.cache.iterdir()) == sorted(f"{name}.gz" for name in FILES[:2])


def test_wrong_bytes_from_a_mirror_are_thrown_away(fake, serve, capsys):
    serve(lambda handler, name, content, release: send(handler, flip_a_bit(content)))
    assert_falls_back(capsys, within=2.5)
    with pytest.raises(FileNotFoundError, match=f"sent a damaged {FILES[0]}.gz"):
        load("mnist", fallback=None)
    assert list(fake.cache.glob("*")) == []


@pytest.mark.parametrize("status", [200, 503])
def test_the_page_of_a_hotel_network_is_not_an_answer(fake, serve, capsys, status):
    log = serve(lambda handler, *_: send(handler, b"<html>pay here</html>", status=status))
    assert_falls_back(capsys, within=2.5)
    assert log == [f"{LABELS}.gz"] and not fake.cache.exists()


def test_a_mirror_that_fails_late_hands_over_to_the_next(fake, serve):
    failed = threading.Event()

    def only_labels(handler, name, content, release):
        send(handler, content, status=200 if name == f"{LABELS}.gz" else 404)
        if name != f"{LABELS}.gz":
            failed.set()

    def late(handler, name, content, release):
        failed.wait(30)  # so that the first mirror answers first
        send(handler, content)

    first = serve(only_labels)
    second = serve(late, before=IDX_SETS["mnist"].mirrors)
    fake.assert_equals(load("mnist", fallback=None))
    assert f"{FILES[0]}.gz" in first and f"{FILES[0]}.gz" in second


def told_by(call):
    with pytest.raises(FileNotFoundError) as told:
        call()
    return str(told.value)


def test_a_mirror_that_never_stops_sending_is_left(fake, serve, monkeypatch):
    monkeypatch.setattr(mirrors, "LARGEST", 100_000)

    def endless(handler, name, content, release):
        handler.send_response(200)
        handler.end_headers()
        with contextlib.suppress(OSError):
            while not release.is_set():
                handler.wfile.write(content if name == f"{LABELS}.gz" and not release.wait(0.1) else bytes(10_000))

    serve(endless)
    assert "sent more than the 100000 bytes" in told_by(lambda: load("mnist", fallback=None))


def test_a_promise_that_is_too_large_is_not_waited_for(fake, serve):
    serve(lambda handler, name, content, release: send(handler, content, promised=10**12))
    words = []
    assert seconds(lambda: words.append(told_by(lambda: load("mnist", fallback=None, timeout=20)))) < 5
    assert "promised 1000000000000 bytes; expected at most 64000000" in words[0]


@pytest.mark.slow
def test_a_trickle_ends_with_the_whole_time(fake, serve, monkeypatch, capsys):
    """Every byte comes before the silence is too long, so only the sum can end it."""
    monkeypatch.setattr(mirrors, "PATIENCE", 2)

    def trickle(handler, name, content, release):
        send(handler, content[:2], promised=len(content))
        with contextlib.suppress(OSError):
            for byte in content[2:]:
                if release.wait(0.1):
                    return
                handler.wfile.write(bytes([byte]))

    serve(trickle)
    assert_falls_back(capsys, within=4, timeout=0.5)
    assert f"{FILES[0]}.gz took too long" in told_by(lambda: load("mnist", fallback=None, timeout=0.5))


@pytest.mark.parametrize("length", ["-1", "many", "1e9", "٣", "9" * 5000, ""])
def test_a_content_length_that_is_no_number_neither_hurts_nor_hangs(fake, serve, length):
    """The right bytes are used whatever is said about them; else the mirror is named."""

    def wrong(handler, name, content, release):
        handler.send_response(200)
        handler.wfile.write(b"".join(handler._headers_buffer))
        handler._headers_buffer = []
        handler.wfile.write(f"Content-Length: {length}\r\nConnection: close\r\n\r\n".encode() + content)
        handler.close_connection = True

    serve(wrong)
    (here,) = IDX_SETS["mnist"].mirrors
    try:
        fake.assert_equals(load("mnist", fallback=None, timeout=1))
    except FileNotFoundError as told:
        assert f"{here}: " in str(told) and "no answer" not in str(told)


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize(
    "place",
    ["http://[", "http://*.:0x/", "file:///etc/passwd", "ftp://x/", "//", "http://\xff\xfe/", "https://a:b@:99999/"],
)
def test_a_redirect_to_nowhere_is_named(fake, serve, place, late):
    def redirect(handler, name, content, release):
        if late and name == f"{LABELS}.gz":
            return send(handler, content)
        handler.send_response(302)
        handler.send_header("Location", place)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    serve(redirect)
    (here,) = IDX_SETS["mnist"].mirrors
    words = told_by(lambda: load("mnist", fallback=None, timeout=5))
    assert f"{here}: " in words and "no answer" not in words


def test_without_fallback_the_error_lists_every_place_and_what_to_do(at_home, silent_mirror, monkeypatch):
    (at_home.mine / FILES[0]).unlink()
    mirrors = [silent_mirror, "http://127.0.0.1:9/"]
    monkeypatch.setitem(IDX_SETS, "mnist", at_home.source(mirrors))
    with pytest.raises(FileNotFoundError) as told:
        load("mnist", fallback=None, timeout=0.3)
    words = str(told.value)
    for place in [str(at_home.mine), str(at_home.cache), *mirrors]:
        assert place in words
    for remedy in ["Go online", "timeout=30", "VAELIB_DATA", 'load("digits28")']:
        assert remedy in words
    monkeypatch.delenv("VAELIB_DATA")
    with pytest.raises(FileNotFoundError, match="VAELIB_DATA: not set"):
        load("mnist", fallback=None, timeout=0.3)


# --- the digits that are always there ----------------------------------------------------------------------


def moved(images, down, right):
    """Every image moved by whole pixels, background coming in. (N, 28, 28)"""
    rolled = torch.zeros_like(images)
    source, target = images[:, max(0, -down) : 28 - max(0, down)], rolled[:, max(0, down) : 28 + min(0, down)]
    target[:, :, max(0, right) : 28 + min(0, right)] = source[:, :, max(0, -right) : 28 - max(0, right)]
    return rolled


SHIFTS = [(down, right) for down in range(-2, 3) for right in range(-2, 3)]


def as_keys(images):
    return [image.numpy().tobytes() for image in images]


def test_the_split_holds_every_digit_once_and_a_fifth_of_each_class():
    digits, bunch = load("digits8"), load_digits()
    everything = torch.cat([digits.train_images, digits.test_images]).flatten(1)
    expected = np.round(bunch.data * 255 / 16)
    assert sorted(everything.tolist()) == sorted(expected.astype(int).tolist())
    for label, count in enumerate(np.bincount(bunch.target)):
        assert abs((digits.test_labels == label).sum() - count / 5) <= 1
    both = dict(zip(as_keys(torch.from_numpy(expected.astype(np.uint8))), bunch.target, strict=True))
    for part in (digits.train_images, digits.train_labels), (digits.test_images, digits.test_labels):
        assert [both[key] for key in as_keys(part[0])] == part[1].tolist()


def test_the_two_sizes_share_one_split():
    small, large = load("digits8"), load("digits28")
    assert small.train_labels.equal(large.train_labels) and small.test_labels.equal(large.test_labels)
    again = data._enlarge(small.test_images.double() / 255) * 255
    assert (again - large.test_images).abs().max() < 3  # the small ones are rounded to whole grey levels


@pytest.fixture(scope="module")
def all_copies():
    return load("digits28", copies=24)


def test_no_test_digit_nor_a_shift_of_it_is_in_training(all_copies):
    train = set(as_keys(all_copies.train_images))
    assert len(train) == len(all_copies.train_images) == 25 * 1437  # and no image is in there twice
    for shift in SHIFTS:
        assert train.isdisjoint(as_keys(moved(all_copies.test_images, *shift)))
    small = load("digits8")
    assert set(as_keys(small.train_images)).isdisjoint(as_keys(small.test_images))


def test_copies_are_training_digits_moved_by_one_or_two_pixels():
    plain, more = load("digits28"), load("digits28", copies=3)
    count = len(plain.train_images)
    assert len(more.train_images) == 4 * count
    assert more.train_images[:count].equal(plain.train_images)
    assert more.test_images.equal(plain.test_images) and more.test_labels.equal(plain.test_labels)
    assert more.train_labels.equal(plain.train_labels.repeat(4))
    candidates = torch.stack([moved(plain.train_images, *shift) for shift in SHIFTS])  # (25, N, 28, 28)
    copies = more.train_images[count:].reshape(3, 1, count, 28, 28)
    matches = (candidates == copies).flatten(3).all(-1)  # (3, 25, N)
    assert (matches.sum(1) == 1).all() and not matches[:, SHIFTS.index((0, 0))].any()
    assert (matches.sum(0) <= 1).all()  # no digit is moved twice by the same shift
    used = matches.sum((0, 2)).double()  # times each shift was used; 3 * 1437 / 24 is about 180
    assert used[used > 0].min() > 120 and used.max() < 240 and (used > 0).sum() == 24


def bicubic_weights(old, new, a=-0.75):
    """Keys' cubic convolution with edges repeated, as a matrix. (new, old)"""
    weights = np.zeros((new, old))
    for row in range(new):
        centre = (row + 0.5) * old / new - 0.5
        for tap in range(int(np.floor(centre)) - 1, int(np.floor(centre)) + 3):
            t = abs(centre - tap)
            near, far = (a + 2) * t**3 - (a + 3) * t**2 + 1, a * (t**3 - 5 * t**2 + 8 * t - 4)
            weights[row, min(max(tap, 0), old - 1)] += near if t <= 1 else far
    return weights


def test_the_enlargement_is_what_the_docstring_says():
    grey = np.pad(load_digits().images / 16, ((0, 0), (1, 1), (1, 1)))
    weights = bicubic_weights(10, 28)
    sharp = 1 / (1 + np.exp(-9 * (weights @ grey @ weights.T - 0.5)))
    low, high = 1 / (1 + np.exp(4.5)), 1 / (1 + np.exp(-4.5))
    expected = np.clip((sharp - low) / (high - low), 0, 1) * 255
    received = data._enlarge(torch.from_numpy(load_digits().images / 16)).numpy() * 255
    assert np.abs(received - expected).max() < 1e-9
    digits = load("digits28")
    ours = set(as_keys(torch.cat([digits.train_images, digits.test_images])))
    assert ours == set(as_keys(torch.from_numpy(np.round(expected).astype(np.uint8))))


def test_black_is_black_and_ink_is_white():
    images = load("digits28").train_images
    assert images[:, [0, 27]].max() == 0 and images[:, :, [0, 27]].max() == 0
    assert (images == 0).float().mean() > 0.5
    assert (images.flatten(1).max(1).values > 230).all()


def test_sizes_types_and_titles():
    titles = {8: "UCI digits, 8x8", 28: "UCI digits, enlarged to 28x28"}
    for size, title in titles.items():
        digits = load(f"digits{size}")
        assert digits[:2] == (f"digits{size}", title)
        assert digits.train_images.shape == (1437, size, size)
        assert digits.test_images.shape == (360, size, size)
        assert [tensor.dtype for tensor in digits[2:]] == [torch.uint8, torch.int64] * 2
        assert digits.train_images.max() == 255 and all(tensor.is_contiguous() for tensor in digits[2:])


BYTES = "4d233707"  # of digits28 with two copies, as ever


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_defaults_for_dtype_and_device_change_no_byte(at_home, dtype, device):
    torch.set_default_dtype(dtype)
    torch.set_default_device(device)
    try:
        digits, mnist = load("digits28", copies=2), load("mnist")
    finally:
        torch.set_default_device(None)
        torch.set_default_dtype(torch.float32)
    at_home.assert_equals(mnist)
    everything = b"".join(tensor.numpy().tobytes() for tensor in digits[2:])
    assert hashlib.sha256(everything).hexdigest()[:8] == BYTES


# --- promises of the whole ---------------------------------------------------------------------------------


def test_the_same_call_gives_the_same_bytes_and_leaves_the_readers_dice_alone(at_home):
    for call in dict(name="digits8"), dict(name="digits28", copies=2), dict(name="mnist"):
        torch.manual_seed(1)
        first, dice = load(**call), torch.get_rng_state()
        torch.manual_seed(1)
        assert dice.equal(torch.get_rng_state())
        first[2].zero_()  # a reader may spoil what was handed out: the next call does not see it
        torch.manual_seed(2)
        second, third = load(**call), load(**call)
        assert all(a.equal(b) for a, b in zip(second[2:], third[2:], strict=True)) and second[2].any()


def test_what_load_gives_here_is_mnist_or_a_notice_and_the_digits(monkeypatch, capsys):
    no_download = IDX_SETS["mnist"]._replace(mirrors=())
    monkeypatch.setitem(IDX_SETS, "mnist", no_download)
    images = load("mnist")
    printed = capsys.readouterr().out
    sizes = {"mnist": (60000, 10000, 5923, 980), "digits28": (1437, 360, 142, 36)}
    train, test, train_zeros, test_zeros = sizes[images.name]
    assert images.train_images.shape == (train, 28, 28) and images.test_images.shape == (test, 28, 28)
    assert len(images.train_labels) == train and len(images.test_labels) == test
    assert (images.train_labels == 0).sum() == train_zeros and (images.test_labels == 0).sum() == test_zeros
    assert ("could not be had" in printed) == (images.name == "digits28")
    assert 0.1 < images.train_images.float().mean() / 255 < 0.25


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (dict(name="minst"), "one of mnist, fashion-mnist, kmnist, digits8, digits28; got 'minst'"),
        (dict(name="mnist", fallback="kmnist"), "fallback must be digits8, digits28 or None; got 'kmnist'"),
        (dict(copies=25), "copies must be 0 to 24.* got 25"),
        (dict(copies=-1), "copies must be 0 to 24.* got -1"),
        (dict(name="mnist", timeout=0), "timeout must be a positive number of seconds, at most 3600; got 0"),
        (dict(name="mnist", timeout=float("nan")), "timeout must be .* got nan"),
        (dict(name="mnist", timeout=float("inf")), "timeout must be .* got inf"),
        (dict(name="mnist", timeout=10**12), "timeout must be .* at most 3600; got 1000000000000"),
        (dict(name=""), "name must be a folder of pictures or one of .* got ''"),
        (dict(name="~nobody-of-this-name/pictures"), "name must be a folder of pictures"),
        (dict(name="a" * 5000), "name must be a folder of pictures"),
        (dict(name="a\0b"), "name must be a folder of pictures"),
        (dict(name=Path(__file__)), "name must be a folder of pictures"),
    ],
)
def test_wrong_arguments_are_refused_with_what_was_expected(call, words):
    with pytest.raises(ValueError, match=words):
        load(**call)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (dict(name=None), "name must be text or a path; got NoneType"),
        (dict(name=3), "name must be text or a path; got int"),
        (dict(name=b"mnist"), "name must be text or a path; got bytes"),
        (dict(name=["mnist"]), "name must be text or a path; got list"),
        (dict(name=np.zeros(2)), "name must be text or a path; got ndarray"),
        (dict(fallback=False), "fallback must be text or None; got bool"),
        (dict(fallback=["digits8"]), "fallback must be text or None; got list"),
        (dict(fallback=np.array(["digits8"] * 2)), "fallback must be text or None; got ndarray"),
        (dict(copies=1.0), "copies must be a whole number; got float"),
        (dict(copies=float("nan")), "copies must be a whole number; got float"),
        (dict(copies="1"), "copies must be a whole number; got str"),
        (dict(copies=True), "copies must be a whole number; got bool"),
        (dict(copies=None), "copies must be a whole number; got NoneType"),
        (dict(copies=torch.tensor(1.0)), "copies must be a whole number; got Tensor"),
        (dict(copies=torch.ones(2, dtype=int)), "copies must be a whole number; got Tensor"),
        (dict(timeout="2"), "timeout must be a number of seconds; got str"),
        (dict(timeout=None), "timeout must be a number of seconds; got NoneType"),
        (dict(timeout=True), "timeout must be a number of seconds; got bool"),
        (dict(timeout=2j), "timeout must be a number of seconds; got complex"),
    ],
)
def test_arguments_of_another_kind_are_refused_by_name(call, words):
    with pytest.raises(TypeError, match=f"^{words}$"):
        load(**call)


def test_numbers_of_numpy_are_numbers():
    call = dict(copies=np.int64(1), timeout=np.float32(1))
    assert load("digits28", **call).train_images.equal(load("digits28", copies=1).train_images)


def test_a_ring_of_links_is_no_folder(tmp_path):
    (tmp_path / "ring").symlink_to(tmp_path / "ring")
    with pytest.raises(ValueError, match="name must be a folder of pictures"):
        load(tmp_path / "ring")


def test_fallback_digits8(fake, capsys):
    assert load("mnist", fallback="digits8", copies=2).train_images.shape == (1437, 8, 8)
    assert "going on with UCI digits, 8x8" in capsys.readouterr().out


def test_mirrors_and_checksums_are_those_of_torchvision():
    package = importlib.util.find_spec("torchvision").origin  # its file is read: importing it takes seconds
    tree = ast.parse(Path(package).with_name("datasets").joinpath("mnist.py").read_text(encoding="utf-8"))
    theirs = {node.name: assigned(node) for node in tree.body if isinstance(node, ast.ClassDef)}
    for source in IDX_SETS.values():
        assert list(source.mirrors) == theirs[source.folder]["mirrors"]
        ours = [(f"{name}.gz", md5) for name, md5 in zip(FILES, source.packed_md5, strict=True)]
        assert ours == theirs[source.folder]["resources"]


def assigned(node):
    """The literal class attributes `mirrors` and `resources`."""
    pairs = [(line.targets[0].id, line.value) for line in node.body if isinstance(line, ast.Assign)]
    return {name: ast.literal_eval(value) for name, value in pairs if name in ("mirrors", "resources")}


def test_importing_brings_in_nothing_beyond_torch_and_numpy():
    files = [
        Path(module.__file__).read_text(encoding="utf-8")
        for module in (cache, data, folder, idx, mirrors, packs, pictures)
    ]
    body = [node for file in files for node in ast.parse(file).body]
    names = [alias.name for node in body if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module for node in body if isinstance(node, ast.ImportFrom)]
    assert {name.split(".")[0] for name in names} - sys.stdlib_module_names == {"numpy", "torch", "vaelib"}


@pytest.mark.parametrize("failure", [ImportError("no module"), RuntimeError("can't register atexit after shutdown")])
def test_the_import_made_ahead_says_nothing_when_it_fails(monkeypatch, failure):
    """As where a program ends while scikit-learn is still being imported beside it."""

    def fail(name):
        raise failure

    monkeypatch.setattr(mirrors, "import_module", fail)
    mirrors._import_quietly("sklearn.datasets")
