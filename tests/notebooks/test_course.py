"""Each check of the course can fail: made-up notebooks, right but for one thing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from scripts.notebooks import SIZE_CAP, course_faults, execute, faults, main, text_of, trial

SOLUTION = "assert sum(eggs) == 6"


def markdown(*paragraphs: str) -> NotebookNode:
    return nbformat.v4.new_markdown_cell("\n\n".join(paragraphs))


def code(source: str, *tags: str, text: str = "") -> NotebookNode:
    outputs = [nbformat.v4.new_output("stream", name="stdout", text=text)] if text else []
    return nbformat.v4.new_code_cell(source, outputs=outputs, metadata={"tags": list(tags)})


def notebook(*cells: NotebookNode) -> NotebookNode:
    run = [cell for cell in cells if cell.cell_type == "code"]
    for number, cell in enumerate(run, 1):
        cell.execution_count = number
    for number, cell in enumerate(cells):
        cell.id = f"cell-{number}"
    return nbformat.v4.new_notebook(cells=list(cells))


def part(number: str, question: str, following: str, solution: str = SOLUTION) -> NotebookNode:
    """A notebook of the course as it should be."""
    return notebook(
        markdown(
            f"# Part {number}", f"**{question}**", "*Before this:* nothing. *Time:* 5 minutes."
        ),
        code("eggs = [1, 2, 3]", "picture"),
        markdown(f"![Eggs](../docs/course/{number}.png)"),
        code("# NBVAL_CHECK_OUTPUT\nprint(len(eggs))", text="3\n"),
        markdown(
            "## What to distrust",
            "The eggs.",
            "## Exercise",
            "How many are there?",
            "<details><summary>A solution</summary>",
            f"```python\n{solution}\n```",
            "</details>",
            f"Next: [more]({following}.ipynb)",
        ),
    )


def index() -> NotebookNode:
    return notebook(
        markdown("# Course", "**Where to begin?**"),
        markdown(
            "| Notebook | Question | Minutes |\n|:--|:--|--:|\n"
            "| [Part 00](00_eggs.ipynb) | Which eggs? | 5 |\n"
            "| [Part 01](01_hens.ipynb) | Which hens? | 5 |"
        ),
    )


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """A folder with a course of two notebooks and its index."""
    pictures = tmp_path / "docs" / "course"
    pictures.mkdir(parents=True)
    folder = tmp_path / "notebooks"
    folder.mkdir()
    for number in ("00", "01"):
        (pictures / f"{number}.png").write_bytes(b"")
    for stem, nb in {
        "00_eggs": part("00", "Which eggs?", "01_hens"),
        "01_hens": part("01", "Which hens?", "index"),
        "index": index(),
    }.items():
        write(folder / f"{stem}.ipynb", nb)
    return folder


def write(path: Path, nb: NotebookNode) -> Path:
    path.write_text(text_of(nb), encoding="utf-8")
    return path


def changed(path: Path, change: Callable[[NotebookNode], object]) -> Path:
    nb = nbformat.read(path, as_version=4)
    change(nb)
    return write(path, nb)


def replaced(cell: int, old: str, new: str) -> Callable[[NotebookNode], None]:
    def change(nb: NotebookNode) -> None:
        assert old in nb.cells[cell].source
        nb.cells[cell].source = nb.cells[cell].source.replace(old, new)

    return change


@pytest.mark.parametrize("stem", ["00_eggs", "01_hens", "index"])
def test_a_course_as_it_should_be_has_no_fault(course: Path, stem: str) -> None:
    assert course_faults(course / f"{stem}.ipynb") == []


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda nb: nb.cells.pop(0), "the first cell is not text"),
        (replaced(0, "# Part", "Part"), "does not begin with a title"),
        (replaced(0, "**Which eggs?**", "Which eggs?"), "0 questions in bold"),
        (replaced(0, "**Which eggs?**", "**Eggs.**"), "0 questions in bold"),
        (replaced(0, "eggs?**", "eggs?**\n\n**And why?**"), "2 questions in bold"),
        (replaced(0, "*Time:* 5 minutes.", ""), "no line '*Before this:* ..."),
        (replaced(0, "*Before this:* nothing. ", ""), "no line '*Before this:* ..."),
        (lambda nb: nb.cells[1].metadata.tags.clear(), "0 cells tagged 'picture'"),
        (lambda nb: nb.cells[3].metadata.tags.append("picture"), "2 cells tagged 'picture'"),
        (
            lambda nb: (
                nb.cells[1].metadata.tags.clear(),
                nb.cells[2].update(metadata={"tags": ["picture"]}),
            ),
            "1 cells tagged 'picture', instead of one of code",
        ),
        (replaced(2, "00.png", "01.png"), "does not show its picture, ../docs/course/00.png"),
        (replaced(3, "# NBVAL_CHECK_OUTPUT\n", ""), "cell 3 keeps an output, and no NBVAL mark"),
        (replaced(4, "## What to distrust", "## Doubts"), "0 sections called 'What to distrust'"),
        (replaced(4, "## Exercise", "**Exercise**"), "0 sections called 'Exercise'"),
        (replaced(4, "The eggs.", "## Exercise"), "2 sections called 'Exercise'"),
        (replaced(4, "A solution", "One way"), "not one folded solution"),
        (replaced(4, "```python", "```"), "not one folded solution"),
        (replaced(4, "<details>", ""), "not one folded solution"),
        (replaced(4, "Next: ", ""), "the last line is no 'Next: [words](01_hens.ipynb)'"),
        (replaced(4, "01_hens", "index"), "the last line is no 'Next: [words](01_hens.ipynb)'"),
        (replaced(4, "The eggs.", "[eggs](eggs.ipynb)"), "links to eggs.ipynb, which does not"),
        (replaced(4, "The eggs.", "[x](02_x.ipynb#y)"), "links to 02_x.ipynb, which does not"),
        (replaced(4, "The eggs.", "![x](x.png)"), "cell 4 links to x.png, which does not exist"),
        (replaced(4, "The eggs.", '<img src="x.png">'), "links to x.png, which does not exist"),
    ],
)
def test_what_a_notebook_lacks_is_told(
    course: Path, change: Callable[[NotebookNode], object], fault: str
) -> None:
    found = course_faults(changed(course / "00_eggs.ipynb", change))
    assert any(fault in told for told in found), found


@pytest.mark.parametrize(
    "change",
    [
        replaced(4, "The eggs.", "[far](https://example.org/eggs.ipynb), [below](#exercise)"),
        replaced(4, "The eggs.", "```\n[no link](nowhere.md)\n```"),
        replaced(3, "# NBVAL_CHECK_OUTPUT", "# NBVAL_IGNORE_OUTPUT"),
        lambda nb: (
            replaced(3, "# NBVAL_CHECK_OUTPUT\n", "")(nb),
            nb.cells[3].metadata.tags.append("nbval-ignore-output"),
        ),
    ],
)
def test_what_is_allowed_is_no_fault(
    course: Path, change: Callable[[NotebookNode], object]
) -> None:
    assert course_faults(changed(course / "00_eggs.ipynb", change)) == []


def test_the_last_notebook_leads_back_to_the_index(course: Path) -> None:
    path = changed(course / "01_hens.ipynb", replaced(4, "index.ipynb", "00_eggs.ipynb"))
    assert course_faults(path) == ["the last line is no 'Next: [words](index.ipynb)'"]


def test_a_notebook_without_a_number_has_no_place(course: Path) -> None:
    path = write(course / "hens.ipynb", part("00", "Which hens?", "index"))
    assert course_faults(path) == [
        "its name is no NN_words.ipynb, so it has no place in the course"
    ]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (replaced(1, "(01_hens.ipynb)", ""), "0 rows of the table link to 01_hens.ipynb"),
        (replaced(1, "(01_hens.ipynb)", "(00_eggs.ipynb)"), "2 rows of the table link to 00_eggs"),
        (replaced(1, "Which hens?", "What hens?"), "the row of 01_hens has not its question"),
        (replaced(1, "Which eggs? | 5", "Which eggs? | 6"), "the row of 00_eggs has not its time"),
        (replaced(0, "**", ""), "0 questions in bold in the first cell"),
    ],
)
def test_the_index_tells_of_each_notebook_what_it_tells_itself(
    course: Path, change: Callable[[NotebookNode], object], fault: str
) -> None:
    found = course_faults(changed(course / "index.ipynb", change))
    assert any(fault in told for told in found), found


def test_check_fails_with_the_reasons(course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = [str(course / f"{stem}.ipynb") for stem in ("00_eggs", "01_hens")]
    for path in paths:
        changed(Path(path), lambda nb: nb)
    main(["--normalise", *paths])
    assert main(["--check", *paths]) == 0
    changed(Path(paths[0]), replaced(4, "A solution", "One way"))
    capsys.readouterr()
    assert main(["--check", *paths]) == 1
    said = capsys.readouterr()
    assert "01_hens.ipynb: fine" in said.out
    assert "00_eggs.ipynb: the exercise has not one folded solution" in said.err
    assert "1 of 2 notebooks are not clean" in said.err


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (replaced(2, "Eggs", "E" * SIZE_CAP), "over the cap of 200,000"),
        (lambda nb: nb.cells[1].update(execution_count=None), "cell 1 was not run"),
        (lambda nb: nb.cells[3].update(execution_count=7), "not one run from the top"),
        (lambda nb: nb.cells[3].outputs[0].update(name="stderr"), "cell 3 wrote to stderr: 3"),
        (replaced(2, "Eggs", "/home/somebody/eggs"), "holds a path of one machine"),
        (lambda nb: nb.metadata.update(widgets={}), "widget state in the metadata"),
    ],
)
def test_what_must_not_be_committed_is_told(
    course: Path, change: Callable[[NotebookNode], object], fault: str
) -> None:
    path = course / "00_eggs.ipynb"
    main(["--normalise", str(path)])
    assert faults(path) == []
    found = faults(changed(path, change))
    assert any(fault in told for told in found), found


# ---------------------------------------------------------------- runs, in kernels of their own
def solved(folder: Path, solution: str) -> Path:
    return write(folder / "00_eggs.ipynb", part("00", "Which eggs?", "01_hens", solution))


def test_solutions_run_after_the_cells_in_their_order(course: Path) -> None:
    two = "eggs += [4]\n```\n\nand then\n\n```python\nimport asyncio\n\nawait asyncio.sleep(0)\n"
    path = solved(course, two + "assert sum(eggs) == 10")
    before = path.read_bytes()
    assert trial(path, with_solutions=True, repeat=True) == ([], ["2 blocks of solutions"])
    assert path.read_bytes() == before


def test_a_solution_that_ends_in_an_error_fails(course: Path) -> None:
    path = solved(course, "assert eggs[3] == 4")
    (reason,), _ = trial(path, with_solutions=True, repeat=False)
    assert reason.startswith("solution 1 ended in IndexError: list index out of range\n")


def test_a_solution_that_warns_fails(course: Path) -> None:
    path = solved(course, "import warnings\n\nwarnings.warn('rotten')")
    (reason,), _ = trial(path, with_solutions=True, repeat=False)
    assert reason.startswith("solution 1 wrote to stderr: ")
    assert "rotten" in reason


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (replaced(4, "assert sum(eggs) == 6", "assert sum(eggs"), "solution 1, line 1: '(' was"),
        (replaced(4, "A solution", "One way"), "no solution: no block of Python"),
    ],
)
def test_a_solution_that_cannot_run_fails(
    course: Path, change: Callable[[NotebookNode], object], reason: str
) -> None:
    path = changed(course / "00_eggs.ipynb", change)
    (told,), _ = trial(path, with_solutions=True, repeat=False)
    assert told.startswith(reason)


def test_repeat_tells_cells_that_show_something_else_and_which_may(course: Path) -> None:
    path = course / "00_eggs.ipynb"
    changed(path, replaced(1, "[1, 2, 3]", "[1, 2, 3, 4]"))
    changed(path, lambda nb: nb.cells.insert(4, nbformat.from_dict(nb.cells[3] | {"id": "x"})))
    changed(path, replaced(4, "NBVAL_CHECK_OUTPUT", "NBVAL_IGNORE_OUTPUT"))
    told = "shows another output: '3' is now '4'"
    assert trial(path, with_solutions=False, repeat=True) == (
        [f"cell 3 {told}"],
        [f"cell 4 {told} (it may)"],
    )


def test_a_notebook_that_ends_in_an_error_is_not_written(course: Path) -> None:
    path = changed(course / "00_eggs.ipynb", replaced(1, "eggs =", "ham ="))
    before = path.read_bytes()
    assert "NameError" in execute(path)[0]
    assert path.read_bytes() == before


def test_two_at_once_are_told_in_order(course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    changed(course / "00_eggs.ipynb", replaced(1, "eggs =", "ham ="))
    paths = [str(course / f"{stem}.ipynb") for stem in ("00_eggs", "index")]
    assert main(["--solutions", "-j", "2", *paths]) == 1
    said = capsys.readouterr()
    assert "00_eggs.ipynb: cell 3 ended in NameError: name 'eggs' is not defined" in said.err
    assert said.out == "index.ipynb: fine\n"  # it has no exercise


@pytest.mark.parametrize("wanted", [[], ["--check", "--repeat"], ["--execute", "--normalise"]])
def test_a_wish_that_is_not_one_is_refused(
    wanted: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(wanted)
    assert "give one of --execute" in capsys.readouterr().err
