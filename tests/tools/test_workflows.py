"""What runs on GitHub: valid, with no right that is not needed, every action pinned; and the issue that it opens."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
JOBS = [(path.stem, name) for path in WORKFLOWS for name in yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"]]
RIGHTS = {  # job: the rights it may have
    "test": {"contents": "read"}, "publish": {"pages": "write", "id-token": "write"}, "newest": {"contents": "read"},
    "quick": {"contents": "read"}, "links": {"contents": "read"}, "colab": {"contents": "read"},
    "report": {"issues": "write"}, "twins": {"actions": "read", "contents": "write"},
}  # fmt: skip


def program(name):
    return Path(sys.executable).with_name(name)


def workflow(stem):
    return yaml.safe_load((ROOT / ".github" / "workflows" / f"{stem}.yml").read_text(encoding="utf-8"))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("schema", "pattern"),
    [
        ("github-workflows", "workflows/*.yml"),
        ("github-issue-forms", "ISSUE_TEMPLATE/[!c]*.yml"),
        ("github-issue-config", "ISSUE_TEMPLATE/config.yml"),
    ],
)
def test_files_for_github_are_valid(schema, pattern):
    files = sorted((ROOT / ".github").glob(pattern))
    command = [program("check-jsonschema"), "--builtin-schema", f"vendor.{schema}", *files]
    result = subprocess.run(command, capture_output=True, text=True)
    assert files and result.returncode == 0, result.stdout + result.stderr


def test_zizmor_finds_nothing():
    command = [program("zizmor"), "--offline", "--no-progress", "--persona", "auditor", ROOT / ".github"]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_actions_are_pinned_and_no_secret_is_used(path):
    text = path.read_text(encoding="utf-8")
    uses = re.findall(r"uses: (.*)", text)
    assert uses and all(re.fullmatch(r"actions/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action) for action in uses)
    assert "secrets." not in text


@pytest.mark.parametrize(("stem", "job"), JOBS)
def test_a_job_has_the_rights_it_needs_and_an_end(stem, job):
    found = workflow(stem)
    assert found["permissions"] == {} and "group" in found["concurrency"]
    assert found["jobs"][job]["permissions"] == RIGHTS[job]
    assert found["jobs"][job]["timeout-minutes"] <= 90


def test_only_main_is_published_and_only_after_the_tests():
    publish = workflow("book")["jobs"]["publish"]
    assert publish["needs"] == ["test", "twins"] and workflow("book")["jobs"]["twins"]["needs"] == "test"
    for job in (publish, workflow("book")["jobs"]["twins"]):
        assert "refs/heads/main" in job["if"] and "pull_request" in job["if"]


@pytest.mark.slow
def test_the_branch_of_twins_is_one_commit_made_without_the_code_of_the_repository(tmp_path):
    """The step runs with a `gh` that brings the packed pages, and pushes to a bare repository twice."""
    (step,) = workflow("book")["jobs"]["twins"]["steps"]  # no checkout
    bare, pages, programs = tmp_path / "bare", tmp_path / "pages", tmp_path / "programs"
    (pages / "twins").mkdir(parents=True)
    programs.mkdir()
    (programs / "gh").write_text(f'#!/bin/sh\n[ "$1" = auth ] || tar -cf artifact.tar -C "{pages}" .\n', "utf-8")
    (programs / "gh").chmod(0o755)
    subprocess.run(["git", "init", "--quiet", "--bare", bare], check=True)
    git = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": f"url.file://{bare}.insteadOf", "HOME": str(tmp_path)}
    git |= {"GIT_CONFIG_VALUE_0": "https://github.com/o/n.git", "GITHUB_REPOSITORY": "o/n", "GITHUB_SHA": "abc"}
    environment = {"PATH": f"{programs}:{os.environ['PATH']}", "RUN": "1"} | git
    for content in ("first", "second"):
        (pages / "twins" / "01_a.ipynb").write_text(content, encoding="utf-8")
        (folder := tmp_path / content).mkdir()
        subprocess.run(["bash", "-eo", "pipefail", "-c", step["run"]], env=environment, cwd=folder, check=True)
    ask = ["git", "-C", str(bare)]
    assert subprocess.check_output([*ask, "rev-list", "--count", "twins"], text=True).strip() == "1"
    assert subprocess.check_output([*ask, "show", "twins:01_a.ipynb"], text=True) == "second"


def test_the_weekly_run_tries_every_list_of_versions():
    lists = {path.stem.removeprefix("python") for path in (ROOT / "tools" / "colab").glob("*.txt")}
    assert set(workflow("weekly")["jobs"]["colab"]["strategy"]["matrix"]["python"]) == lists


@pytest.mark.parametrize(("is_open", "expected"), [("", "issue create --title The weekly"), ("7", "issue comment 7")])
def test_a_failure_opens_one_issue_and_then_adds_to_it(tmp_path, is_open, expected):
    """The step runs with a `gh` that records its arguments and knows of one open issue, or of none."""
    stand_in = f'#!/bin/sh\necho "$@" >> "{tmp_path}/calls"\n[ "$2" = list ] && echo "{is_open}"\nexit 0\n'
    (tmp_path / "gh").write_text(stand_in, encoding="utf-8")
    (tmp_path / "gh").chmod(0o755)
    (step,) = workflow("weekly")["jobs"]["report"]["steps"]
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "TITLE": step["env"]["TITLE"], "RUN": "https://x.org/1"}
    subprocess.run(["bash", "-eo", "pipefail", "-c", step["run"]], env=environment, check=True)
    search, last = (tmp_path / "calls").read_text(encoding="utf-8").splitlines()
    assert '"The weekly run failed" in:title' in search
    assert last.startswith(expected) and last.endswith("https://x.org/1")
