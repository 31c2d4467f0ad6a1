"""`load("path/to/folder")`: whatever lies in a folder, the good pictures come back and the rest is named."""

import io
import os
import shutil
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from vaelib.data import _folder as loader
from vaelib.data import load

RED, GREEN, BLUE = (250, 10, 10), (10, 250, 10), (10, 10, 250)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda name: str(tmp_path / "cache"))
    return tmp_path / "cache" / "folders"


@pytest.fixture
def faces(tmp_path):
    """Ten good pictures: jpg, png and webp, of many sizes, two of them in a folder of their own."""
    place = tmp_path / "faces"
    (place / "more").mkdir(parents=True)
    for i in range(10):
        name = f"{'more/' if i > 7 else ''}{i}.{('jpg', 'png', 'webp', 'JPEG')[i % 4]}"
        Image.new("RGB", (40 + 31 * i, 200 - 17 * i), (25 * i, 100, 200)).save(place / name)
    return place


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_header(width, height):
    """A png that promises width x height pixels and holds none: 60 bytes, made by hand."""
    size = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def encoded(picture, kind, **options):
    stored = io.BytesIO()
    picture.save(stored, format=kind, **options)
    return stored.getvalue()


def only(place, picture, name="only.png", **options):
    """The one picture, as it comes out of a folder where it stands beside nine others."""
    place.mkdir()
    for i in range(9):
        Image.new("RGB", (8, 8)).save(place / f"other{i}.png")
    picture.save(place / name, **options)
    images = load(place)
    return torch.cat([images.train_images, images.test_images])[rank(place, name)].numpy()


def rank(place, name):
    """Where a name ends up in training pictures followed by test pictures."""
    names = sorted(path.name for path in place.iterdir())
    test = loader._test_pictures(names).tolist()
    return [n for n, t in zip(names, test, strict=True) if not t].index(name) if not test[names.index(name)] else -1


def test_ten_good_pictures(faces, capsys):
    images = load(faces)
    assert (images.name, images.title) == ("faces", "faces")
    assert len(images.train_images) + len(images.test_images) == 10 and len(images.test_images) >= 1
    for pixels, labels in [(images.train_images, images.train_labels), (images.test_images, images.test_labels)]:
        assert pixels.shape[1:] == (3, 64, 64) and pixels.dtype == torch.uint8
        assert labels.shape == pixels.shape[:1] and labels.dtype == torch.int64 and not labels.any()
    colours = torch.cat([images.train_images, images.test_images])[:, :, 32, 32].int()
    colours = colours[colours[:, 0].argsort()]
    expected = torch.tensor([[25 * i, 100, 200] for i in range(10)])
    assert (colours - expected).abs().max() <= 4  # jpg and webp round
    assert capsys.readouterr() == ("", "")


def test_hostile_files_give_ten_pictures_and_one_readable_message(faces, tmp_path, capsys):
    (faces / "text.png").write_text("I am no picture")
    whole = encoded(Image.effect_noise((300, 300), 90), "jpeg")
    (faces / "half.jpg").write_bytes(whole[: len(whole) // 2])
    (faces / "bomb.png").write_bytes(png_header(20_000, 20_000))
    Image.new("RGB", (64, 64)).save(tmp_path / "outside.png")
    (faces / "link.png").symlink_to(tmp_path / "outside.png")
    images = load(faces)
    assert len(images.train_images) + len(images.test_images) == 10
    assert capsys.readouterr().out.splitlines() == [
        "faces: 10 pictures taken. Beside them, or to be said of them:",
        "  1 a link (not followed): link.png",
        "  1 larger than 50 megapixels or 100 MB: bomb.png",
        "  2 not a readable picture: half.jpg, text.png",
    ]
    load(faces)  # from the cache, which remembers
    assert len(capsys.readouterr().out.splitlines()) == 4


@pytest.mark.parametrize("size", [(7072, 7071), (12_000, 8000), (65_000, 65_000), (2**31 - 1, 2**31 - 1)])
def test_size_is_looked_up_before_anything_is_decoded(faces, monkeypatch, size):
    """Just above our limit, where Pillow warns, where it refuses, and the largest that a png can promise."""
    (faces / "bomb.png").write_bytes(png_header(*size))
    decoded = []
    monkeypatch.setattr(loader, "_square", lambda image: decoded.append(image) or np.zeros((3, 64, 64), np.uint8))
    load(faces)
    assert len(decoded) == 10


def test_a_huge_file_is_not_read(faces, capsys):
    for name in ("huge.webp", "huge.png"):
        with (faces / name).open("wb") as file:
            file.write(b"RIFF\0\0\0\0WEBPVP8 ")
            file.truncate(10**9)  # a hole: it takes no room on the disk
    load(faces)
    assert "2 larger than 50 megapixels or 100 MB: huge.png, huge.webp" in capsys.readouterr().out


def test_links_to_folders_and_rings_are_not_followed(faces, tmp_path, capsys):
    (tmp_path / "elsewhere").mkdir()
    Image.new("RGB", (64, 64)).save(tmp_path / "elsewhere" / "secret.png")
    (faces / "away").symlink_to(tmp_path / "elsewhere")
    (faces / "ring").symlink_to(faces)
    (faces / "dangling.jpg").symlink_to(faces / "nowhere.jpg")
    images = load(faces)
    assert len(images.train_images) + len(images.test_images) == 10
    assert "3 a link (not followed): away, dangling.jpg, ring" in capsys.readouterr().out


def test_the_folder_itself_may_be_a_link(faces, tmp_path):
    (tmp_path / "short").symlink_to(faces)
    assert load(tmp_path / "short").name == "faces"


def test_a_pipe_does_not_hang(faces, capsys):
    os.mkfifo(faces / "pipe.png")
    (faces / "notes.txt").write_text("notes")
    (faces / "old.gif").write_bytes(encoded(Image.new("P", (9, 9)), "gif"))
    load(faces)
    assert "3 not jpg, png or webp: notes.txt, old.gif, pipe.png" in capsys.readouterr().out


def test_only_three_formats_reach_a_decoder(faces, capsys):
    """A name says nothing: a jpg called .png is fine, a gif or PostScript called .png is not opened."""
    (faces / "jpg_in_truth.png").write_bytes(encoded(Image.new("RGB", (70, 70), GREEN), "jpeg"))
    (faces / "gif_in_truth.png").write_bytes(encoded(Image.new("P", (9, 9)), "gif"))
    (faces / "script.png").write_bytes(encoded(Image.new("RGB", (9, 9)), "eps"))
    images = load(faces)
    assert len(images.train_images) + len(images.test_images) == 11
    assert "2 not a readable picture: gif_in_truth.png, script.png" in capsys.readouterr().out


def test_damage_at_every_depth_is_named_and_nothing_else_happens(faces, capsys, recwarn):
    """Every kind of file cut off or overwritten at many places; a picture that still decodes may be taken."""
    draw = np.random.default_rng(0)
    noisy = Image.fromarray(draw.integers(0, 256, (40, 40, 3), np.uint8))
    for kind in ("jpeg", "png", "webp"):
        whole = encoded(noisy, kind)
        for i, at in enumerate(np.linspace(1, len(whole) - 1, 25).astype(int)):
            (faces / f"cut{i}.{kind}").write_bytes(whole[:at])
            broken = bytearray(whole)
            broken[at : at + 40] = draw.bytes(min(40, len(whole) - at))
            (faces / f"scratched{i}.{kind}").write_bytes(broken)
    images = load(faces)
    printed = capsys.readouterr().out.splitlines()
    left_out = int(printed[1].split()[0])
    assert len(printed) == 2 and left_out + len(images.train_images) + len(images.test_images) == 10 + 3 * 50
    assert left_out > 75 and not recwarn.list


def test_of_an_animation_the_first_frame_is_taken(faces, capsys):
    frames = [Image.new("RGB", (64, 64), colour) for colour in (RED, GREEN, BLUE)]
    for name in ("moves.webp", "moves.png"):
        frames[0].save(faces / name, save_all=True, append_images=frames[1:], lossless=True)
    images = load(faces)
    assert "2 animated (first frame taken): moves.png, moves.webp" in capsys.readouterr().out
    pixels = torch.cat([images.train_images, images.test_images])
    red = (pixels[:, :, 32, 32].int() - torch.tensor(RED)).abs().amax(1) <= 4
    assert red.sum() == 2


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "RGB"])
def test_what_is_transparent_becomes_white(tmp_path, mode):
    picture = Image.new("RGBA", (128, 128), (0, 0, 0, 255))
    picture.paste((90, 90, 90, 0), (0, 0, 128, 64))  # upper half: a grey that cannot be seen
    options = {}
    if mode == "P":
        picture = picture.convert("P")
        picture.putpalette([0, 0, 0, 90, 90, 90])
        picture.putdata([1] * 128 * 64 + [0] * 128 * 64)
        options = {"transparency": 1}
    elif mode == "RGB":
        picture, options = picture.convert("RGB"), {"transparency": (90, 90, 90)}
    else:
        picture = picture.convert(mode)
    pixels = only(tmp_path / "one", picture, **options)
    assert (pixels[:, :28] == 255).all() and (pixels[:, 36:] == 0).all()


@pytest.mark.parametrize(
    ("mode", "colour", "expected"),
    [("L", 200, 200), ("1", 1, 255), ("I;16", 200 * 256, 200), ("CMYK", (0, 255, 255, 0), (255, 0, 0)), ("P", 1, RED)],
)
def test_every_mode_becomes_rgb(tmp_path, mode, colour, expected):
    picture = Image.new(mode, (100, 80), colour)
    if mode == "P":
        picture.putpalette([0, 0, 0, *RED])
    name = "only.jpg" if mode == "CMYK" else "only.png"
    pixels = only(tmp_path / "one", picture, name).astype(int)
    assert np.abs(pixels - np.reshape(np.broadcast_to(expected, 3), (3, 1, 1))).max() <= 2


def test_exif_rotation_is_carried_out(tmp_path):
    picture = Image.new("RGB", (600, 600), BLUE)
    picture.paste(RED, (0, 0, 600, 300))  # stored with red on top, to be shown turned
    exif = Image.Exif()
    exif[0x0112] = 6  # turn clockwise: the stored top becomes the right side
    pixels = only(tmp_path / "one", picture, "only.jpg", exif=exif)
    assert pixels[0, 32, 60] > 200 and pixels[2, 32, 4] > 200


@pytest.mark.parametrize(("width", "height"), [(320, 64), (64, 320), (1500, 300)])
def test_the_central_square_is_cut_out_and_never_squeezed(tmp_path, width, height):
    picture = Image.new("RGB", (width, height), RED)
    side = min(width, height)
    left, top = (width - side) // 2, (height - side) // 2
    picture.paste(GREEN, (left, top, left + side, top + side))
    pixels = only(tmp_path / "one", picture)
    assert np.abs(pixels.astype(int) - np.reshape(GREEN, (3, 1, 1))).max() <= 2


def test_resizing_averages_and_does_not_skip_pixels(tmp_path):
    """A fine checkerboard becomes grey; taking every n-th pixel would leave it black or white."""
    board = (np.indices((512, 512)).sum(0) % 2 * 255).astype(np.uint8)
    pixels = only(tmp_path / "one", Image.fromarray(board)).astype(int)
    assert np.abs(pixels - 127.5).max() < 4


@pytest.mark.parametrize("size", [(1, 1), (3, 5), (1, 3000)])
def test_tiny_and_thin_pictures(tmp_path, size):
    assert (only(tmp_path / "one", Image.new("RGB", size, GREEN))[1] == 250).all()


@pytest.mark.parametrize("count", [0, 9])
def test_too_few_pictures(faces, count):
    for path in [path for path in faces.rglob("*.*")][: 10 - count]:
        path.unlink()
    (faces / "text.png").write_text("I am no picture")
    with pytest.raises(
        ValueError, match=rf"expected at least 10 pictures in .*, received {count}. (.|\n)*1 not a read"
    ):
        load(faces)


def test_a_path_that_leads_nowhere_is_not_replaced_by_digits(tmp_path):
    with pytest.raises(ValueError, match=r"name must be a folder of pictures or one of mnist.* got"):
        load(tmp_path / "nowhere")
    with pytest.raises(ValueError, match=r"name must be a folder of pictures or one of mnist.* got"):
        load(str(tmp_path / "nowhere"), fallback="digits8")


def test_hidden_files_are_left_out_without_a_word(faces, capsys):
    (faces / ".hidden").mkdir()
    shutil.copy(faces / "0.jpg", faces / ".hidden" / "0.jpg")
    (faces / "._0.jpg").write_bytes(b"\0\5\x16\7 a companion that macOS leaves in zip files")
    images = load(faces)
    assert len(images.train_images) + len(images.test_images) == 10 and capsys.readouterr().out == ""


def test_names_cannot_write_to_the_terminal(faces, capsys):
    (faces / "\x1b[2Jgone\n.png").write_text("no picture")
    (faces / os.fsdecode(b"latin\xe9.png")).write_text("no picture")
    load(faces)
    load(faces)
    printed = capsys.readouterr().out
    assert "\x1b" not in printed and len(printed.splitlines()) == 4 and printed.isascii() is False


# --- the split ---------------------------------------------------------------------------------------------


def test_the_split_is_a_tenth_and_does_not_depend_on_the_neighbours():
    names = [f"picture {i}.png" for i in range(4000)]
    test = loader._test_pictures(names)
    assert 0.08 < test.float().mean() < 0.12
    assert torch.equal(loader._test_pictures(names[:1000]), test[:1000])
    assert torch.equal(loader._test_pictures(names), test)
    assert loader._test_pictures(["a.png", "b.png"]).sum() == 1  # never an empty test set


def test_training_and_test_pictures_share_none(faces):
    images = load(faces)
    test = {bytes(image.numpy()) for image in images.test_images}
    assert test and not test & {bytes(image.numpy()) for image in images.train_images}


# --- the cache ---------------------------------------------------------------------------------------------


@pytest.fixture
def decoded(monkeypatch):
    """The names of the files that were decoded."""
    names, read = [], loader._read

    def log(path):
        names.append(path.name)
        return read(path)

    monkeypatch.setattr(loader, "_read", log)
    return names


def same(one, two):
    return all(torch.equal(a, b) for a, b in zip(one[2:], two[2:], strict=True))


def test_the_second_call_decodes_nothing_and_gives_the_same(faces, cache, decoded):
    first = load(faces)
    assert len(decoded) == 10 and sorted(path.suffix for path in cache.iterdir()) == [".json", ".npy"]
    assert same(load(str(faces)), first) and len(decoded) == 10


def test_a_folder_that_was_moved_keeps_its_cache(faces, tmp_path, decoded):
    first = load(faces)
    moved = faces.rename(tmp_path / "moved")
    assert same(load(moved), first) and len(decoded) == 10


@pytest.mark.parametrize(
    "change",
    [
        lambda place: Image.new("RGB", (64, 64)).save(place / "new.png"),
        lambda place: (place / "0.jpg").rename(place / "00.jpg"),
        lambda place: os.utime(place / "0.jpg", ns=(1, 1)),
        lambda place: shutil.copy(place / "1.png", place / "5.png"),
    ],
)
def test_any_change_of_the_folder_is_noticed(faces, decoded, change):
    load(faces)
    decoded.clear()
    change(faces)
    load(faces)
    assert len(decoded) >= 10


@pytest.mark.parametrize("suffix", [".npy", ".json"])
@pytest.mark.parametrize(
    "damage",
    [lambda b: b[:-1], lambda b: b"", lambda b: b[:-9] + bytes([b[-9] ^ 1]) + b[-8:], lambda b: b"[1]", None],
    ids=["cut", "empty", "flipped", "other", "gone"],
)
def test_a_damaged_cache_is_built_again(faces, cache, decoded, suffix, damage):
    first = load(faces)
    (path,) = cache.glob(f"*{suffix}")
    content = path.read_bytes()
    path.unlink() if damage is None else path.write_bytes(damage(content))
    assert same(load(faces), first) and len(decoded) == 20
    assert path.read_bytes() == content
    assert same(load(faces), first) and len(decoded) == 20


def test_a_cache_that_cannot_be_written_is_said_and_nothing_else(faces, tmp_path, capsys):
    (tmp_path / "cache").write_text("a file where a folder should be")
    images = load(faces)
    assert len(images.train_images) + len(images.test_images) == 10
    assert "the cache could not be written" in capsys.readouterr().out


def test_nothing_half_written_is_left(faces, cache, monkeypatch):
    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "save", fail)
    load(faces)
    assert list(cache.iterdir()) == []


def test_the_progress_bar_obeys_the_switch(faces, monkeypatch, capsys):
    monkeypatch.setenv("VAELIB_PROGRESS", "1")
    load(faces)
    assert "pictures" in capsys.readouterr().err


def test_a_closed_folder_is_named(faces, monkeypatch, capsys):
    """Tests may run as root, whom no folder is closed to: so the walk is told that one is."""
    walk = os.walk

    def closed(top, onerror):
        onerror(PermissionError(13, "Permission denied", str(Path(top) / "private")))
        return walk(top, onerror=onerror)

    monkeypatch.setattr(os, "walk", closed)
    load(faces)
    assert "1 a folder that cannot be opened: private" in capsys.readouterr().out
