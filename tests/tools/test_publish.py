"""`make publish`: the repository's address in one place, the same everywhere, and out again without a trace."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import digest
import execute
import nbformat
import publish
import pytest
import yaml
from notebook_parts import code_cells, tags
from small_notebooks import good
from test_book_pages import Links

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = sorted(ROOT.glob("book/*.ipynb"))
ADDRESS = "https://github.com/someone/a-book"


def run_git(folder, *arguments):
    names = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    subprocess.run(["git", "-C", str(folder), *names, *arguments], check=True, capture_output=True)


@pytest.fixture
def house(tmp_path, monkeypatch):
    """A small committed copy of the project with one chapter, which `publish` works on."""
    (tmp_path / "vaelib").mkdir()
    (tmp_path / "vaelib" / "__init__.py").write_text("", encoding="utf-8")
    (tmp_path / "book").mkdir()
    shutil.copy(ROOT / "_config.yml", tmp_path)
    publish.replace({tmp_path / "_config.yml": publish.with_settings(config(tmp_path), "", "")})
    execute.write(good(), tmp_path / "book" / "01_a.ipynb")
    run_git(tmp_path, "init", "-q")
    run_git(tmp_path, "add", "-A")
    run_git(tmp_path, "commit", "-q", "-m", "All")
    monkeypatch.setattr(publish, "ROOT", tmp_path)
    return tmp_path


def config(folder):
    return (folder / "_config.yml").read_text(encoding="utf-8")


def chapter(folder):
    return nbformat.read(folder / "book" / "01_a.ipynb", as_version=4)


def everything(folder):
    return {path: path.read_bytes() for path in [folder / "_config.yml", *sorted(folder.glob("book/*.ipynb"))]}


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_starts_with_the_cell_that_the_settings_ask_for(path):
    cells = code_cells(nbformat.read(path, as_version=4))
    assert cells[0].source == publish.first_cell(*publish.settings(ROOT)), "run `python tools/publish.py`"
    assert tags(cells[0]) == ["remove-cell"] and cells[0].outputs == []
    assert sum(publish.is_first_cell(cell.source) for cell in cells) == 1


def test_the_settings_of_the_book_agree_with_each_other():
    assert config(ROOT) == publish.with_settings(config(ROOT), *publish.settings(ROOT))


def test_an_address_is_written_to_all_places(house):
    assert publish.main([ADDRESS + "/"]) == 0
    head = publish.git(house, "rev-parse", "HEAD").stdout.strip()
    settings = yaml.safe_load(config(house))
    assert settings["repository"] == {"url": ADDRESS, "branch": "main", "version": head}
    assert settings["launch_buttons"]["colab_url"] == "https://colab.research.google.com"
    assert settings["html"]["use_repository_button"] is settings["html"]["use_issues_button"] is True
    source = code_cells(chapter(house))[0].source
    assert source.endswith(f'\ninstall_vaelib(\n    "{ADDRESS}",\n    "{head}",\n)')


def test_what_is_stamped_can_be_taken_out_without_a_trace(house):
    publish.main([])  # inserts the cell
    before = everything(house)
    publish.main([ADDRESS])
    changed = everything(house)
    assert all(changed[path] != before[path] for path in before)
    publish.main([ADDRESS])
    assert everything(house) == changed
    publish.main(["--remove"])
    assert everything(house) == before


def test_a_new_chapter_gets_the_cell_of_the_others(house):
    publish.main([ADDRESS])
    execute.write(good(), house / "book" / "02_b.ipynb")
    publish.main([])
    first, second = (nbformat.read(path, as_version=4) for path in sorted(house.glob("book/*.ipynb")))
    assert code_cells(first)[0].source == code_cells(second)[0].source


def test_the_cell_stands_below_the_title_and_the_counts_move_up(house):
    notebook = good()
    notebook.cells[3].outputs = [nbformat.v4.new_output("execute_result", {"text/plain": "2"}, execution_count=1)]
    notebook.cells[8].execution_count = None
    execute.write(notebook, house / "book" / "01_a.ipynb")
    publish.main([])
    after = chapter(house)
    nbformat.validate(after)
    assert after.cells[0].source.startswith("# A chapter") and after.cells[1].id == "install-vaelib"
    assert [cell.execution_count for cell in code_cells(after)] == [1, 2, 2, 2, 2, None]
    assert after.cells[4].outputs[0].execution_count == 2
    assert digest.digest(after) == digest.digest(notebook)


def test_a_stamped_chapter_stays_up_to_date(house):
    notebook = good()
    notebook.metadata["vaelib"] = {"digest": digest.digest(notebook)}
    execute.write(notebook, house / "book" / "01_a.ipynb")
    publish.main([ADDRESS])
    assert execute.is_up_to_date(chapter(house))
    execute.write(chapter(house), house / "book" / "again")
    assert (house / "book" / "again").read_bytes() == (house / "book" / "01_a.ipynb").read_bytes()


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_chapters_are_written_as_nbformat_writes_them(path):
    text = path.read_text(encoding="utf-8")
    assert publish.as_text(json.loads(text)) == text


ADDRESSES = ["github.com/a/b", "https://github.com/a", "https://gitlab.com/a/b", "$(x)", ADDRESS + "\n", " " + ADDRESS]
ADDRESSES += [
    f"https://github.com/{path}" for path in ("../..", "o/..", "o/.", "-o/n", "o/n/x", "o/n?x", "o/n#x", "o/n y")
]
ADDRESSES += [
    f"{ADDRESS}{end}" for end in (";x", '"', "'", "\\", "$x", "`x`", "&x", "|x", "\n)", "é", "\u202e", "@x", "%0a")
]
ADDRESSES += [
    "http://github.com/o/n",
    "https://github.com.evil.org/o/n",
    "https://github.com@evil.org/o/n",
    "file:///o/n",
]


@pytest.mark.slow
@pytest.mark.parametrize("address", ADDRESSES)
def test_another_kind_of_address_is_refused(house, capsys, address):
    before = everything(house)
    assert publish.main([address]) == 1 and everything(house) == before
    assert f"got {address!r}" in capsys.readouterr().err


@pytest.mark.parametrize("address", [f"{ADDRESS}.git", f"{ADDRESS}.git/", f"{ADDRESS}/"])
def test_an_address_as_git_has_it_is_taken(house, address):
    assert publish.main([address]) == 0 and publish.settings(house)[0] == ADDRESS


VERSIONS = [
    "--output=written",
    "--output=../written",
    "-O./written",
    "--help",
    "HEAD",
    "HEAD~1",
    "main",
    "v1..v2",
    "@{-1}",
]
VERSIONS += [
    "v1^",
    ":/x",
    "refs/tags/v1",
    "v1/x",
    "v1\\",
    "$(touch${IFS}written)",
    "`touch`",
    "é",
    "a" * 39,
    "v1.",
    "1.lock/",
]


@pytest.mark.slow
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("url", [ADDRESS, ""])
def test_a_version_that_is_no_commit_and_no_tag_never_reaches_git(house, monkeypatch, capsys, version, url):
    text = publish.with_settings(config(house), url, "VERSION").replace("VERSION", version)
    (house / "_config.yml").write_text(text, encoding="utf-8")
    before, git, called = everything(house), publish.git, []
    monkeypatch.setattr(publish, "git", lambda root, *words: (called.append(words), git(root, *words))[1])
    listing = sorted(house.parent.rglob("written*"))
    for arguments in ([], [ADDRESS], *([["--check"]] if url else [])):
        assert publish.main(arguments) == 1
        assert f"must be a commit or a tag such as v1.2; got {version!r}" in capsys.readouterr().err
    assert everything(house) == before and called == [] and sorted(house.parent.rglob("written*")) == listing
    assert publish.main(["--remove"]) == 0 and publish.settings(house) == ("", "")


@pytest.mark.parametrize("version", ["v1", "1.2", "v1.2.3-rc1", "2026.11.25"])
def test_a_tag_may_be_stamped(house, version):
    run_git(house, "tag", version)
    publish.stamp(house, ADDRESS, version)
    assert publish.main(["--check"]) == publish.main([]) == 0 and publish.settings(house) == (ADDRESS, version)


def test_an_address_without_a_version_is_refused(house, capsys):
    (house / "_config.yml").write_text(publish.with_settings(config(house), ADDRESS, ""), encoding="utf-8")
    for arguments in ([], ["--check"]):
        assert publish.main(arguments) == 1
        assert f"run `make publish REPO={ADDRESS}`" in capsys.readouterr().err


BROKEN = ["", "{", "[]", "{}", '{"cells": 3}', '{"cells": [{}]}', '{"cells": [{"cell_type": "code", "source": []}]}']


@pytest.mark.parametrize("text", [*BROKEN, "\ud800"])
def test_a_chapter_that_is_no_notebook_is_named_and_nothing_is_written(house, capsys, text):
    (house / "book" / "02_b.ipynb").write_bytes(text.encode("utf-8", "surrogatepass"))
    before = everything(house)
    assert publish.main([ADDRESS]) == 1 and everything(house) == before
    assert "error: 02_b.ipynb is not a notebook: " in capsys.readouterr().err


@pytest.mark.parametrize("number", range(6))
def test_an_error_at_any_moment_leaves_everything_or_nothing(house, monkeypatch, capsys, number):
    """Three files: the first to the third are written aside, then the first to the third are put in place."""
    execute.write(good(), house / "book" / "02_b.ipynb")
    before, calls = everything(house), []

    def failing(deed):
        def act(*arguments, **options):
            calls.append(deed)
            if len(calls) == number + 1:
                raise OSError(28, "No space left on device")
            return deed(*arguments, **options)

        return act

    monkeypatch.setattr(Path, "write_text", failing(Path.write_text))
    monkeypatch.setattr("os.replace", failing(publish.os.replace))
    assert publish.main([ADDRESS]) == 1 and len(calls) > number
    assert everything(house) == before and list(house.rglob("*.part")) == []
    error = capsys.readouterr()
    assert "No space left" in error.err and "written" not in error.out


def test_what_a_killed_run_left_is_cleared(house):
    (house / "_config.yml.part").write_text("half", encoding="utf-8")
    (house / "book" / "01_a.ipynb.part").write_text("half", encoding="utf-8")
    assert publish.main(["--remove"]) == 0 and list(house.rglob("*.part")) == []


def test_where_there_is_no_git_it_is_said(house, monkeypatch, capsys):
    monkeypatch.setenv("PATH", str(house))
    before = everything(house)
    assert publish.main([ADDRESS]) == 1 and everything(house) == before
    assert "git" in capsys.readouterr().err


def test_a_library_that_is_not_committed_is_refused(house, capsys):
    (house / "vaelib" / "new.py").write_text("", encoding="utf-8")
    assert publish.main([ADDRESS]) == 1
    assert "vaelib must be committed" in capsys.readouterr().err


def test_the_check_notices_a_changed_library_and_a_foreign_address(house, capsys):
    assert publish.main(["--check", ADDRESS]) == 0
    publish.main([ADDRESS])
    assert publish.main(["--check"]) == publish.main(["--check", ADDRESS.upper()]) == 0
    assert publish.main(["--check", "https://github.com/another/book"]) == 1
    assert "make publish REPO=https://github.com/another/book" in capsys.readouterr().err
    (house / "vaelib" / "__init__.py").write_text("x = 1", encoding="utf-8")
    assert publish.main(["--check"]) == 1
    run_git(house, "commit", "-q", "-a", "-m", "Changed")
    assert publish.main(["--check"]) == 1
    assert publish.main([ADDRESS]) == publish.main(["--check"]) == 0


def test_a_commit_that_would_not_be_pushed_is_not_fresh(house):
    """As after a squash: the stamped commit is in no history that readers can reach."""
    publish.main([ADDRESS])
    run_git(house, "commit", "-q", "-a", "--amend", "-m", "Squashed")
    assert publish.main(["--check"]) == 1
    assert publish.main([ADDRESS]) == publish.main(["--check"]) == 0


def test_a_setting_that_is_gone_is_an_error():
    with pytest.raises(ValueError, match="one line that starts with 'url:'"):
        publish.with_settings(config(ROOT).replace("  url:", "  address:"), ADDRESS, "1")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["publish"], "use: make publish REPO="),
        (["publish", "REPO="], "publish.py --remove\n"),
        (["unpublish"], "publish.py --remove\n"),
        (["publish", f"REPO={ADDRESS}"], 'publish.py -- "$REPO"\n'),
    ],
)
def test_make_passes_the_address_on_and_wants_one(arguments, expected):
    done = subprocess.run(["make", "--dry-run", *arguments], cwd=ROOT, capture_output=True, text=True)
    assert expected in done.stdout + done.stderr and (done.returncode == 0) == ("use:" not in expected)


@pytest.mark.slow
@pytest.mark.parametrize("address", ["", ADDRESS])
def test_pages_have_a_colab_button_when_there_is_an_address(house, address):
    """Built by Jupyter Book from the book's own settings, less its local extensions but the one for buttons."""
    publish.main([address] if address else ["--remove"])
    settings = yaml.safe_load(config(house))
    settings["sphinx"] = {"local_extensions": {"buttons": str(ROOT / "book" / "_ext")}}
    (house / "_config.yml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    (house / "book" / "references.bib").write_text("", encoding="utf-8")
    (house / "_toc.yml").write_text("format: jb-book\nroot: book/index\nchapters:\n- file: book/01_a\n", "utf-8")
    (house / "book" / "index.md").write_text("# Title\n", encoding="utf-8")
    program = Path(sys.executable).with_name("jupyter-book")
    subprocess.run([program, "build", ".", "--quiet"], cwd=house, check=True, capture_output=True)
    page = (house / "_build" / "html" / "book" / "01_a.html").read_text(encoding="utf-8")
    buttons = [link for link in Links(page).links if "colab" in link or "github.com/someone" in link]
    place = "https://colab.research.google.com/github/someone/a-book/blob/twins/01_a.ipynb"
    assert (place in buttons) == bool(address) and bool(buttons) == bool(address)
    assert "install_vaelib" not in page
