"""The trial of Binder finds what is planted, and says so in words."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from scripts import binder_check, trial

ROOT = Path(__file__).resolve().parents[2]
PYTHON = Path(sys.executable)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The few files that Binder reads, in a repository of their own."""
    folder = tmp_path / "project"
    (folder / "binder").mkdir(parents=True)
    (folder / "notebooks").mkdir()
    (folder / "binder" / "runtime.txt").write_text("python-3.11\n")
    (folder / "binder" / "postBuild").write_text("#!/usr/bin/env bash\necho installed\n")
    (folder / "pyproject.toml").write_text('[project]\nname = "p"\nrequires-python = ">=3.11"\n')
    write_notebook(folder / binder_check.NOTEBOOK, "print(1)")
    subprocess.run(["git", "init", "--quiet", str(folder)], check=True)
    return folder


def write_notebook(path: Path, source: str) -> None:
    cell = {
        "cell_type": "code",
        "id": "a",
        "metadata": {},
        "execution_count": None,
        "outputs": [],
        "source": source,
    }
    kernel = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": kernel, "cells": [cell]}
    path.write_text(json.dumps(notebook))


def test_the_project_s_own_files_make_an_image(tmp_path: Path) -> None:
    said = binder_check.copy_files(ROOT, None, tmp_path / "copy")
    assert "files of the working tree" in said
    assert (tmp_path / "copy" / binder_check.NOTEBOOK).is_file()
    assert not (tmp_path / "copy" / ".venv").exists()
    assert binder_check.check_image(tmp_path / "copy") == "3.11"


def test_the_image_s_own_packages_are_read_from_the_lock_of_repo2docker() -> None:
    found = dict(package.split("==") for package in binder_check.image_packages("3.11"))
    assert {"jupyterlab", "notebook", "jupyterhub", "ipywidgets", "ipykernel"} <= set(found)
    assert "python" not in found
    assert found["jupyterlab"].startswith("4.")


@pytest.mark.parametrize(
    "runtime, said",
    [
        (None, "runtime.txt is missing"),
        ("python-2.7", "must say python-3.N"),
        ("3.11", "must say python-3.N"),
        ("python-3.11.4", "must say python-3.N"),
        ("python-3.10", "wants >=3.11"),
        ("python-3.99", "repo2docker ended with code"),
    ],
)
def test_a_bad_runtime_is_found(project: Path, runtime: str | None, said: str) -> None:
    path = project / "binder" / "runtime.txt"
    path.unlink() if runtime is None else path.write_text(runtime)
    with pytest.raises(trial.Fault, match=said):
        binder_check.check_image(project)


@pytest.mark.parametrize("name", binder_check.UNTRIED)
def test_what_the_script_cannot_try_is_refused(project: Path, name: str) -> None:
    (project / "binder" / name).write_text("curl\n")
    with pytest.raises(trial.Fault, match="nothing that this script can try"):
        binder_check.check_image(project)


def test_a_key_that_the_image_would_hold_is_found(project: Path) -> None:
    with (project / "binder" / "postBuild").open("a") as script:
        script.write("export KALSHI_API_KEY_ID=abc\n")
    with pytest.raises(trial.Fault, match="sets a key"):
        binder_check.check_image(project)


def test_a_file_of_keys_is_found(project: Path, tmp_path: Path) -> None:
    (project / "mine.pem").write_text("secret")
    with pytest.raises(trial.Fault, match=r"holds keys is tracked: mine\.pem"):
        binder_check.copy_files(project, None, tmp_path / "copy")


def test_a_failing_post_build_is_found(project: Path) -> None:
    (project / "binder" / "postBuild").write_text("#!/bin/sh\necho out of wheels >&2\nexit 3\n")
    with pytest.raises(trial.Fault, match=r"binder/postBuild: ended with code 3:\n *out of wheels"):
        binder_check.install(project, PYTHON, [])


def test_a_post_build_that_no_interpreter_runs_is_found(project: Path) -> None:
    (project / "binder" / "postBuild").write_text("#!/no/such/interpreter\n")
    with pytest.raises(trial.Fault, match="binder/postBuild: cannot be run"):
        binder_check.install(project, PYTHON, [])


def test_post_build_is_run_with_the_environment_first_on_the_path(project: Path) -> None:
    (project / "binder" / "postBuild").write_text("#!/bin/sh\ncommand -v python3\n")
    said = binder_check.install(project, PYTHON, [])
    assert Path(said).parent == PYTHON.parent


def test_no_key_of_this_machine_reaches_a_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APCA_API_SECRET_KEY", "abc")
    monkeypatch.setenv("JUPYTER_TOKEN", "abc")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    assert "abc" not in trial.environment(PYTHON).values()
    assert "PYTHONPATH" not in trial.environment(PYTHON)


def test_a_library_from_elsewhere_is_found(tmp_path: Path) -> None:
    # The tests' own environment has the library from the repository.
    with pytest.raises(trial.Fault, match="not from the environment"):
        binder_check.check_import(PYTHON, tmp_path / "home")


def test_a_python_that_is_not_there_is_no_fault_of_the_project(tmp_path: Path) -> None:
    with pytest.raises(trial.CannotTry, match=r"no Python 3\.99"):
        trial.make_environment("3.99", tmp_path / "environment")


@pytest.mark.long
def test_a_notebook_that_raises_is_found(project: Path, tmp_path: Path) -> None:
    write_notebook(project / binder_check.NOTEBOOK, "1 / 0")
    with pytest.raises(trial.Fault, match="ZeroDivisionError"):
        binder_check.run_notebook(PYTHON, project, binder_check.NOTEBOOK, tmp_path / "home")


@pytest.mark.long
def test_a_notebook_that_is_missing_is_found_by_the_server(project: Path, tmp_path: Path) -> None:
    said = binder_check.check_lab(PYTHON, project, binder_check.NOTEBOOK, tmp_path / "home")
    assert said.endswith("200")
    with pytest.raises(trial.Fault, match="answers 404"):
        binder_check.check_lab(PYTHON, project, "notebooks/gone.ipynb", tmp_path / "other")


@pytest.mark.long
def test_exit_codes(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ["--repository", str(project), "--bare"]
    (project / "binder" / "postBuild").write_text("#!/bin/sh\nexit 1\n")
    assert binder_check.main(arguments) == 1
    assert "Binder would fail.\nbinder/postBuild" in capsys.readouterr().err

    monkeypatch.setattr(binder_check, "check_image", lambda copy: "3.99")
    monkeypatch.setattr(binder_check, "image_packages", lambda version: [])
    assert binder_check.main(arguments) == 3
    assert "cannot be tried here: there is no Python 3.99" in capsys.readouterr().err

    with pytest.raises(SystemExit) as ended:
        binder_check.main(["--no-such-option"])
    assert ended.value.code == 2
