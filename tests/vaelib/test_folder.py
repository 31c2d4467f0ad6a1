"""`load("path/to/folder")`: whatever lies in a folder, the good pictures come back and the rest is named."""

import io
import os
import shutil
import struct
import subprocess
import tempfile
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps

from vaelib.data import _cache as places
from vaelib.data import _folder as loader
from vaelib.data import _packs as packs
from vaelib.data import _pictures as pictures
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
    monkeypatch.setattr(pictures, "_square", lambda image: decoded.append(image) or np.zeros((3, 64, 64), np.uint8))
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


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp"])
def test_a_broken_note_about_a_sound_picture_is_no_fault_of_the_picture(faces, capsys, kind):
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 1, "a camera"
    draw, whole = np.random.default_rng(0), exif.tobytes()
    for i in range(60):
        broken = bytearray(whole)
        for _ in range(1 + i % 5):
            broken[draw.integers(6, len(broken))] = draw.integers(256)
        Image.new("RGB", (64, 64), RED).save(faces / f"x{i}.{kind}", exif=bytes(broken))
    images = load(faces)
    assert len(images.train_images) + len(images.test_images) == 70 and capsys.readouterr().out == ""


@pytest.mark.parametrize(
    "note",
    [
        chunk(b"tEXt", b"Comment\0fine")[:-1] + b"?",
        chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(5_000_000))),
        chunk(b"iCCP", b"profile\0\0" + zlib.compress(bytes(5_000_000))),
        chunk(b"gAMA", b""),
        chunk(b"pHYs", b"12"),
        chunk(b"fcTL", b"12"),
        chunk(b"tIME", b"1234567")[:-1] + b"?",
    ],
    ids=["sum of tEXt", "bomb in zTXt", "bomb in iCCP", "gAMA", "pHYs", "fcTL", "sum of tIME"],
)
def test_broken_chunks_of_a_png_that_say_nothing_about_its_pixels(faces, capsys, note):
    whole = encoded(Image.new("RGB", (64, 64), RED), "png")
    (faces / "noted.png").write_bytes(whole[:33] + note + whole[33:])
    images = load(faces)
    assert len(images.train_images) + len(images.test_images) == 11 and capsys.readouterr().out == ""
    (faces / "noted.png").write_bytes(whole[:33] + note + whole[33:50] + b"?" + whole[51:])  # and now the pixels too
    load(faces)
    assert "1 not a readable picture: noted.png" in capsys.readouterr().out


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_the_one_of_pillow(tmp_path, orientation):
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8))
    exif = Image.Exif()
    exif[0x0112] = orientation
    pixels = only(tmp_path / "one", picture, exif=exif)
    with Image.open(tmp_path / "one" / "only.png") as stored:
        assert np.array_equal(pixels, np.asarray(ImageOps.exif_transpose(stored)).transpose(2, 0, 1))


def test_a_camera_s_jpg_with_a_preview_is_not_animated(faces, capsys):
    picture, preview = Image.new("RGB", (300, 300), RED), Image.new("RGB", (60, 60), BLUE)
    picture.save(faces / "camera.jpg", format="MPO", save_all=True, append_images=[preview])
    images = load(faces)
    assert len(images.train_images) + len(images.test_images) == 11 and capsys.readouterr().out == ""


def png(depth, kind, row, clear):
    """A png of one row, by hand: its bits, its transparent value."""
    size = struct.pack(">IIBBBBB", 2, 1, depth, kind, 0, 0, 0)
    parts = chunk(b"IHDR", size), chunk(b"tRNS", clear), chunk(b"IDAT", zlib.compress(b"\0" + row)), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@pytest.mark.parametrize(
    ("depth", "kind", "row", "clear", "other"),
    [
        (16, 0, b"\x80\x00\x80\x01", b"\x80\x00", 128),
        (16, 2, bytes.fromhex("5a01 5b02 5c03 6001 6002 6003"), bytes.fromhex("5a01 5b02 5c03"), 96),
        (8, 0, b"\x05\x06", b"\0\x05", 6),
        (8, 2, b"\1\2\3\7\7\7", b"\0\1\0\2\0\3", 7),
        (4, 0, b"\x56", b"\0\5", 6 * 17),
        (2, 0, b"\x60", b"\0\1", 2 * 85),
        (1, 0, b"\x80", b"\0\1", 0),
    ],
    ids=["16-bit grey", "16-bit colour", "8-bit grey", "8-bit colour", "4-bit grey", "2-bit grey", "1-bit"],
)
def test_the_transparent_value_is_white_at_every_depth(tmp_path, depth, kind, row, clear, other):
    """The left pixel is the transparent one, the right one differs from it in the last bit or more."""
    for name, at in ("left.png", 0), ("right.png", 1):
        width = len(row) // 2 if depth >= 8 else None
        one = row[at * width :][:width] if width else bytes([(row[0] << (at * depth)) & 0xFF])
        (tmp_path / name).write_bytes(
            png(depth, kind, one, clear).replace(struct.pack(">II", 2, 1), struct.pack(">II", 1, 1))
        )
    left, right = (read_one(tmp_path / name) for name in ("left.png", "right.png"))
    assert (left == 255).all() and (right == other).all()


def read_one(path):
    """A png whose header was changed by hand, with its checksum put right."""
    data = path.read_bytes()
    path.write_bytes(data[:8] + chunk(b"IHDR", data[16:29]) + data[33:])
    picture, problem = pictures.read_picture(path)
    assert problem is None
    return picture


# --- what happens to a folder ------------------------------------------------------------------------------


@pytest.fixture
def stranger(faces, cache):
    """The ten pictures where a stranger may read them, and the rights of a stranger: to root nothing is closed."""
    load(faces)  # decoders are loaded while everything is open
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        place = Path(shutil.copytree(faces, Path(folder) / "faces"))
        if os.geteuid():
            yield place, lambda: None
        else:
            yield place, lambda: os.seteuid(65534)
            os.seteuid(0)
        for path in place.rglob("*"):
            path.chmod(0o755)


@pytest.mark.parametrize(
    ("mode", "words"),
    [(0o644, "2 a file that cannot be opened: more/8.jpg, more/9.png"), (0, "1 a folder that cannot be opened: more")],
)
def test_a_closed_subfolder_is_named_and_the_rest_is_loaded(stranger, capsys, mode, words):
    place, become = stranger
    for i in range(2):
        Image.new("RGB", (64, 64)).save(place / f"another{i}.png")
    (place / "more").chmod(mode)
    become()
    images = load(place)
    assert len(images.train_images) + len(images.test_images) == 10
    assert words in capsys.readouterr().out


def test_a_closed_picture_is_not_called_unreadable_and_not_remembered(stranger, capsys):
    place, become = stranger
    Image.new("RGB", (64, 64)).save(place / "another.png")
    (place / "0.jpg").chmod(0)
    become()
    for _ in range(2):
        images = load(place)
        assert len(images.train_images) + len(images.test_images) == 10
        assert "1 a file that cannot be opened: 0.jpg" in capsys.readouterr().out


def test_a_disk_that_fails_is_no_fault_of_the_picture_and_is_not_remembered(faces, cache, monkeypatch, capsys):
    Image.new("RGB", (64, 64)).save(faces / "another.png")
    square = pictures._square

    def fail(image):
        if image.size == (64, 64):
            raise OSError(5, "Input/output error")
        return square(image)

    monkeypatch.setattr(pictures, "_square", fail)
    load(faces)
    assert "1 a file that cannot be opened: another.png" in capsys.readouterr().out and not cache.exists()
    monkeypatch.setattr(pictures, "_square", square)
    images = load(faces)
    assert len(images.train_images) + len(images.test_images) == 11


def test_want_of_memory_is_named_and_not_remembered(faces, cache, monkeypatch, capsys):
    Image.new("RGB", (64, 64)).save(faces / "another.png")
    square = pictures._square

    def starve(image):
        if image.size == (64, 64):
            raise MemoryError
        return square(image)

    monkeypatch.setattr(pictures, "_square", starve)
    load(faces)
    assert "1 too large for the memory that is left: another.png" in capsys.readouterr().out and not cache.exists()


@pytest.mark.parametrize("when", ["listed", "looked at"])
def test_a_picture_that_vanishes_is_named_and_the_rest_is_loaded(faces, monkeypatch, capsys, when):
    Image.new("RGB", (64, 64)).save(faces / "another.png")
    scan, read = os.scandir, loader.read_picture

    def vanish_when_listed(place):
        if place != faces:
            return scan(place)
        entries = list(scan(place))
        (faces / "another.png").unlink(missing_ok=True)
        return entries

    def vanish_when_looked_at(path):
        (faces / "another.png").unlink(missing_ok=True)
        return read(path)

    if when == "listed":
        monkeypatch.setattr(os, "scandir", vanish_when_listed)
    else:
        monkeypatch.setattr(loader, "read_picture", vanish_when_looked_at)
    images = load(faces)
    assert len(images.train_images) + len(images.test_images) == 10
    kind = "gone while the folder was read" if when == "listed" else "a file that cannot be opened"
    assert f"1 {kind}: another.png" in capsys.readouterr().out


@pytest.fixture
def deep(faces):
    """A picture 1200 folders down; taken away by a program that does not recurse, as pytest's clearing up would."""
    here = os.open(faces, os.O_RDONLY)
    for _ in range(1200):
        os.mkdir("d", dir_fd=here)
        inner = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    file = os.open("deep.png", os.O_CREAT | os.O_WRONLY, dir_fd=here)
    os.write(file, encoded(Image.new("RGB", (64, 64)), "png"))
    os.close(file), os.close(here)
    yield faces
    subprocess.run(["rm", "-rf", str(faces / "d")], check=True)


def test_folders_nested_deeper_than_recursion_goes(deep, capsys):
    images = load(deep)
    assert len(images.train_images) + len(images.test_images) == 11 and capsys.readouterr().out == ""


def test_defaults_for_dtype_and_device_change_nothing(faces, cache):
    first = load(faces)
    torch.set_default_dtype(torch.float64)
    torch.set_default_device("meta")
    try:
        shutil.rmtree(cache)
        assert same(load(faces), first) and same(load(faces), first)
    finally:
        torch.set_default_device(None)
        torch.set_default_dtype(torch.float32)


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
    names, read = [], loader.read_picture

    def log(path):
        names.append(path.name)
        return read(path)

    monkeypatch.setattr(loader, "read_picture", log)
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


def test_without_a_home_pictures_are_decoded_and_it_is_said(faces, monkeypatch, capsys):
    def lost(name):
        raise RuntimeError("could not determine the home directory")

    monkeypatch.setattr("platformdirs.user_cache_dir", lost)
    images = load(faces)
    assert len(images.train_images) + len(images.test_images) == 10
    assert "the cache could not be written, so the next call decodes again: you have no home" in capsys.readouterr().out


def test_a_change_that_keeps_size_and_time_is_noticed(faces, decoded):
    for name, colour in ("5.png", RED), ("fresh.png", BLUE):
        Image.new("RGB", (64, 64), colour).save(faces / name)
    before, status = load(faces), (faces / "5.png").stat()
    (faces / "5.png").write_bytes((faces / "fresh.png").read_bytes())
    os.utime(faces / "5.png", ns=(status.st_atime_ns, status.st_mtime_ns))
    assert (faces / "5.png").stat().st_size == status.st_size
    assert not same(load(faces), before)


def test_the_cache_is_bounded_and_what_was_used_last_stays(faces, tmp_path, cache, monkeypatch, decoded):
    size = 10 * 3 * 64 * 64 + 128  # with the header of numpy
    monkeypatch.setattr(packs, "KEPT", 2 * size)
    places = [shutil.copytree(faces, tmp_path / f"faces{i}") for i in range(3)]
    for i, place in enumerate(places[:2]):
        load(place)
        for path in cache.glob("*"):
            os.utime(path, (1000 + i,) * 2) if path.stat().st_mtime > 10**6 else None
    load(places[0])  # the older one is used again
    load(places[2])
    assert sum(path.suffix == ".npy" for path in cache.iterdir()) == len(list(cache.glob("*.json"))) == 2
    decoded.clear()
    load(places[0]), load(places[2])
    assert decoded == []
    load(places[1])
    assert len(decoded) == 10


def test_a_folder_larger_than_the_bound_is_kept_alone(faces, tmp_path, cache, monkeypatch, decoded):
    monkeypatch.setattr(packs, "KEPT", 1000)
    for place in [faces, shutil.copytree(faces, tmp_path / "another")]:
        load(place)
        decoded.clear()
        load(place)
        assert decoded == [] and len(list(cache.iterdir())) == 2


def test_what_a_killed_call_left_is_cleared(faces, cache):
    for name, age in ("tmpold", 2 * places.STALE), ("tmpnew", 0):
        (cache / name).mkdir(parents=True)
        os.utime(cache / name, (time.time() - age,) * 2)
    load(faces)
    assert [path.name for path in cache.glob("tmp*")] == ["tmpnew"]


@pytest.mark.parametrize("suffix", [".npy", ".json"])
def test_a_pipe_in_the_cache_does_not_hang(faces, cache, suffix):
    first = load(faces)
    (path,) = cache.glob(f"*{suffix}")
    path.unlink()
    os.mkfifo(path)
    assert same(load(faces), first) and path.is_file()


def test_a_damaged_name_in_the_cache_is_noticed(faces, cache, decoded):
    """Names decide which pictures are for the test."""
    first = load(faces)
    (index,) = cache.glob("*.json")
    index.write_text(index.read_text().replace("5.png", "4.png"))
    assert same(load(faces), first) and len(decoded) == 20
