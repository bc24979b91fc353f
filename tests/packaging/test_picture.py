"""Which cell of a notebook is its picture."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from scripts import picture

ROOT = Path(__file__).resolve().parents[2]


def notebook(path: Path, *cells: tuple[str, list[str]]) -> Path:
    made = nbformat.v4.new_notebook()
    for kind, tags in cells:
        new = nbformat.v4.new_code_cell if kind == "code" else nbformat.v4.new_markdown_cell
        made.cells.append(new("1", metadata={"tags": tags} if tags else {}))
    nbformat.write(made, path)
    return path


def test_the_tagged_cell_is_found(tmp_path: Path) -> None:
    path = notebook(tmp_path / "a.ipynb", ("markdown", []), ("code", []), ("code", ["picture"]))
    assert picture.tagged_cell(path) == 2


def test_a_notebook_without_the_tag_has_none(tmp_path: Path) -> None:
    assert picture.tagged_cell(notebook(tmp_path / "a.ipynb", ("code", ["other"]))) is None


def test_two_tags_and_a_tag_on_text_are_refused(tmp_path: Path) -> None:
    path = notebook(tmp_path / "a.ipynb", ("code", ["picture"]), ("code", ["picture"]))
    with pytest.raises(SystemExit, match="2 cells have the tag"):
        picture.tagged_cell(path)
    path = notebook(tmp_path / "b.ipynb", ("markdown", ["picture"]))
    with pytest.raises(SystemExit, match="is no code"):
        picture.tagged_cell(path)


def test_notebooks_are_chosen_by_their_numbers(tmp_path: Path) -> None:
    paths = [notebook(tmp_path / f"{n}_a.ipynb", ("code", [])) for n in ("00", "01", "02")]
    assert picture.notebooks_of(tmp_path, []) == paths
    assert picture.notebooks_of(tmp_path, ["02", "00"]) == [paths[0], paths[2]]
    with pytest.raises(SystemExit, match="no notebook begins with '07'"):
        picture.notebooks_of(tmp_path, ["07"])


def test_each_notebook_of_the_course_has_at_most_one_picture() -> None:
    for path in picture.notebooks_of(ROOT / "notebooks", []):
        picture.tagged_cell(path)
