"""The trial of the packages finds what is planted, and says so in words."""

from __future__ import annotations

import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from scripts import package_check, trial

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this repository."""
    wheel, source = package_check.build(ROOT, tmp_path_factory.mktemp("dist"))
    assert source.is_file()
    return wheel


@pytest.fixture
def wheel(built: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(built, tmp_path))


def rewrite(wheel: Path, *, without: str = "", added: str = "", entry: str | None = None) -> None:
    """Plant a fault in a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    contents.pop(without, None)
    if added:
        contents[added] = b""
    if entry is not None:
        name = next(n for n in contents if n.endswith("entry_points.txt"))
        contents[name] = entry.encode()
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, data in contents.items():
            archive.writestr(name, data)


def test_the_wheel_of_this_repository_is_fit(wheel: Path) -> None:
    said = package_check.check_wheel(ROOT, wheel)
    assert said.startswith("horizon_workbench-")
    assert "js and css" in said


def test_a_page_side_that_is_missing_is_found(wheel: Path) -> None:
    rewrite(wheel, without="horizon/widgets/static/face.js")
    with pytest.raises(trial.Fault, match=r"lacks horizon/widgets/static/face\.js"):
        package_check.check_wheel(ROOT, wheel)


@pytest.mark.parametrize("name", ["tests/test_a.py", "notebooks/a.ipynb", "horizon/own.parquet"])
def test_a_file_too_many_is_found(wheel: Path, name: str) -> None:
    rewrite(wheel, added=name)
    with pytest.raises(trial.Fault, match="no part of horizon/"):
        package_check.check_wheel(ROOT, wheel)


def test_a_missing_command_is_found(wheel: Path) -> None:
    rewrite(wheel, entry="[console_scripts]\nother = horizon.cli:main\n")
    with pytest.raises(trial.Fault, match="no command `horizon`"):
        package_check.check_wheel(ROOT, wheel)


def test_two_wheels_that_differ_are_told_apart(built: Path, wheel: Path) -> None:
    assert package_check.differences(built, wheel) == []
    rewrite(wheel, without="horizon/py.typed")
    assert package_check.differences(built, wheel) == ["horizon/py.typed"]


def test_pins_are_the_lock_without_its_hashes(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    lock.write_text(
        "# made\na==1.0 \\\n    --hash=sha256:00 \\\n    --hash=sha256:11\n"
        "b==2.0 ; python_version < '3.12' \\\n    --hash=sha256:22\n"
    )
    made = trial.pins(lock, tmp_path / "pins").read_text()
    assert made == "# made\na==1.0\nb==2.0 ; python_version < '3.12'\n"


@pytest.mark.long
def test_a_version_that_is_not_declared_ends_with_code_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "project"
    (folder / "horizon").mkdir(parents=True)
    (folder / "horizon" / "__init__.py").write_text("")
    shutil.copy(ROOT / "pyproject.toml", folder)
    subprocess.run(["git", "init", "--quiet", str(folder)], check=True)
    assert package_check.main(["--repository", str(folder), "--build-only"]) == 1
    assert "not fit to be published" in capsys.readouterr().err
