"""Run, normalise and check the notebooks that are committed.

    python scripts/notebooks.py --execute            run from the top, then normalise
    python scripts/notebooks.py --normalise          only strip what is not committed
    python scripts/notebooks.py --check              fail, with reasons, if one is not clean, or
                                                     not a part of the course as the others are
    python scripts/notebooks.py --solutions          run each, and then the solution of its exercise
    python scripts/notebooks.py --repeat             run each, and compare with what is committed

The last two may be asked for together, and then take one run; they write nothing. Without names,
all of notebooks/*.ipynb. A committed notebook keeps text and table outputs, so it reads well
where nothing can run. It keeps no widget and no figure: one saved plotly FigureWidget alone
weighs five megabytes.

The tests compare only what is marked (``pytest --nbval-lax``): compared strictly, every figure
that is not committed would be a difference. So that this leaves nothing out unsaid, --check wants
a mark on each cell that keeps an output: NBVAL_CHECK_OUTPUT, or NBVAL_IGNORE_OUTPUT where the
output may be another one each time.
"""

from __future__ import annotations

import argparse
import ast
import asyncio
import json
import re
import sys
import tempfile
import textwrap
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parents[1]
SIZE_CAP = 200_000  # bytes
CELL_TIMEOUT = 300  # seconds

NOT_RUN = (CellExecutionError, CellTimeoutError, DeadKernelError)
KEPT_MIMES = {"text/plain", "text/html", "text/markdown", "text/latex"}
KEPT_CELL_METADATA = {"tags", "jupyter"}
WIDGET_MIME = "application/vnd.jupyter.widget-"
FIGURE_MIME = "application/vnd.plotly."
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
# Places that exist on one machine only, this one included. A service account may have "/" for
# its home, which would match every address.
_OWN = [p for p in (ROOT, Path.home(), Path(tempfile.gettempdir())) if len(p.parts) > 1]
MACHINE_PATH = re.compile(
    r"/home/\w|/Users/\w|/root/|[A-Za-z]:\\+Users\\|ipykernel_\d|"
    + "|".join(re.escape(f"{p}/") for p in _OWN)
)

# The course: a notebook's first cell, its sections, and the index that lists it.
NUMBERED = re.compile(r"\d\d_\w+")
QUESTION = re.compile(r"^\*\*([^*]+\?)\*\*$", re.MULTILINE)
TIME = re.compile(r"^\*Before this:\* .+ \*Time:\* (\d+) minutes\.$", re.MULTILINE)
FOLDED = re.compile(
    r"<details>\s*<summary>(?P<summary>.*?)</summary>(?P<body>.*?)</details>", re.DOTALL
)
PYTHON = re.compile(r"^```python\n(.*?)^```\s*$", re.MULTILINE | re.DOTALL)
FENCED = re.compile(r"^```.*?^```\s*$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)|\b(?:src|href)=[\"']([^\"']+)[\"']")
NEXT = re.compile(r"Next: \[[^\]]+\]\(([^)]+)\)\.?")
INDEX = "index"
PICTURE = "picture"
CHECKED = {"NBVAL_CHECK_OUTPUT", "nbval-check-output"}
MAY_DIFFER = {"NBVAL_IGNORE_OUTPUT", "nbval-ignore-output"}


def normalise(nb: NotebookNode) -> NotebookNode:
    """Strip `nb` in place to what is committed, and return it."""
    nb.nbformat, nb.nbformat_minor = 4, 5
    nb.metadata = nbformat.from_dict(METADATA)
    for number, cell in enumerate(nb.cells):
        cell.setdefault("id", f"cell-{number:02}")
        cell.metadata = nbformat.from_dict(
            {k: v for k, v in cell.metadata.items() if k in KEPT_CELL_METADATA}
        )
        if cell.cell_type == "code":
            cell.outputs = [kept for o in cell.outputs if (kept := _normalised_output(o))]
    return nb


def _normalised_output(output: NotebookNode) -> NotebookNode | None:
    """`output` without what is not committed; None if nothing is left to read."""
    if output.output_type not in ("display_data", "execute_result"):
        return output
    # The text beside a widget or figure is its repr, with ids that differ on every run.
    if any(m.startswith((WIDGET_MIME, FIGURE_MIME)) for m in output.data):
        return None
    output.data = nbformat.from_dict(
        {
            mime: text
            for mime, text in output.data.items()
            if mime in KEPT_MIMES and not (mime == "text/html" and "<script" in text)
        }
    )
    output.metadata = nbformat.from_dict({})
    return output if output.data else None


def text_of(nb: NotebookNode) -> str:
    """The notebook as it is written to disk."""
    return nbformat.writes(nb).rstrip("\n") + "\n"


def run(path: Path, nb: NotebookNode) -> None:
    """Run the cells of `nb` in place, in a kernel of its own, in the folder of `path`."""
    notebook = NotebookClient(
        nb,
        timeout=CELL_TIMEOUT,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
        extra_arguments=["--Application.log_level=ERROR"],  # each kernel would warn of TCP
        store_widget_state=False,
        record_timing=False,
        coalesce_streams=True,
    )
    # Not `execute`, which leaves the event loop of a thread open.
    asyncio.run(notebook.async_execute())


def execute(path: Path) -> list[str]:
    """Run all cells of the notebook at `path`, and write it back normalised."""
    nb = nbformat.read(path, as_version=4)
    try:
        run(path, nb)
    except NOT_RUN as error:
        return [str(error)]
    path.write_text(text_of(normalise(nb)), encoding="utf-8")
    return faults(path)


def faults(path: Path) -> list[str]:
    """Why the notebook at `path` must not be committed as it is; empty if it may."""
    text = path.read_text(encoding="utf-8")
    try:
        nb = nbformat.reads(text, as_version=4)
        nbformat.validate(nb)
    except Exception as error:  # nbformat raises many kinds for files that are no notebooks
        return [f"not a valid notebook: {error}"]

    found = []
    if (size := len(text.encode())) > SIZE_CAP:
        found.append(f"{size:,} bytes, over the cap of {SIZE_CAP:,}")
    if "widgets" in nb.metadata:
        found.append("widget state in the metadata")

    expected_count = 1
    for number, cell in enumerate(nb.cells):
        if cell.cell_type != "code":
            continue
        for output in cell.outputs:
            mimes = output.get("data", {})
            if output.output_type == "error":
                found.append(f"cell {number} ended in {output.ename}")
            if output.get("name") == "stderr":
                found.append(f"cell {number} wrote to stderr: {_short(output.text)}")
            if any(m.startswith(WIDGET_MIME) for m in mimes):
                found.append(f"cell {number} has a widget in its outputs")
            if any(m.startswith(FIGURE_MIME) for m in mimes):
                found.append(f"cell {number} has a plotly figure in its outputs")
        if cell.source.strip():
            if cell.execution_count is None:
                found.append(f"cell {number} was not run")
            elif cell.execution_count != expected_count:
                found.append(
                    f"cell {number} has execution count {cell.execution_count}, expected "
                    f"{expected_count}: not one run from the top"
                )
            expected_count += 1
    for number, cell in enumerate(nb.cells):
        if match := MACHINE_PATH.search(json.dumps(cell, ensure_ascii=False)):
            found.append(f"cell {number} holds a path of one machine: {match.group()!r}")

    if not found and text != text_of(normalise(nb)):
        found.append("not normalised (metadata, outputs or layout of the file)")
    return found


# ---------------------------------------------------------------- a part of the course
def course_faults(path: Path, folder: Path | None = None) -> list[str]:
    """What the notebook at `path` lacks of the form that all notebooks of the course have.

    `folder` holds the course; without it, the notebook's own folder.
    """
    folder = folder or path.parent
    nb = nbformat.read(path, as_version=4)
    if not nb.cells or nb.cells[0].cell_type != "markdown":
        return ["the first cell is not text"]
    found = _opening_faults(nb, path.stem) + _link_faults(nb, path.parent)
    for number, cell in enumerate(nb.cells):
        if cell.cell_type == "code" and cell.outputs and not _marks(cell) & (CHECKED | MAY_DIFFER):
            found.append(f"cell {number} keeps an output, and no NBVAL mark says if it is compared")
    if path.stem == INDEX:
        return found + _index_faults(nb, folder)
    if not NUMBERED.fullmatch(path.stem):
        return [*found, "its name is no NN_words.ipynb, so it has no place in the course"]
    return found + _section_faults(nb) + _picture_faults(nb, path.stem) + _next_faults(path, folder)


def _opening_faults(nb: NotebookNode, stem: str) -> list[str]:
    first, found = nb.cells[0].source, []
    if not first.startswith("# "):
        found.append("the first cell does not begin with a title")
    if len(questions := QUESTION.findall(first)) != 1:
        found.append(f"{len(questions)} questions in bold in the first cell, instead of one")
    if stem != INDEX and len(TIME.findall(first)) != 1:
        found.append("the first cell has no line '*Before this:* ... *Time:* N minutes.'")
    return found


def _link_faults(nb: NotebookNode, folder: Path) -> list[str]:
    """Links to files that are not there. Addresses elsewhere are not asked for."""
    found = []
    for number, cell in enumerate(nb.cells):
        if cell.cell_type != "markdown":
            continue
        for pair in LINK.findall(FENCED.sub("", cell.source)):
            target = (pair[0] or pair[1]).partition("#")[0]
            if target and "://" not in target and not (folder / target).exists():
                found.append(f"cell {number} links to {target}, which does not exist")
    return found


def _section_faults(nb: NotebookNode) -> list[str]:
    headings = _lines(nb, r"## (.+)")
    found = [
        f"{headings.count(name)} sections called '{name}', instead of one"
        for name in ("What to distrust", "Exercise")
        if headings.count(name) != 1
    ]
    told = _text(nb).partition("\n## Exercise")[2]
    folded = [m for m in FOLDED.finditer(told) if "solution" in m["summary"].lower()]
    if len(folded) != 1 or not PYTHON.findall(folded[0]["body"]):
        found.append("the exercise has not one folded solution with a block of Python")
    return found


def _picture_faults(nb: NotebookNode, stem: str) -> list[str]:
    tagged = [cell for cell in nb.cells if PICTURE in cell.metadata.get("tags", ())]
    found = []
    if len(tagged) != 1 or tagged[0].cell_type != "code":
        found.append(f"{len(tagged)} cells tagged '{PICTURE}', instead of one of code")
    if (shot := f"../docs/course/{stem[:2]}.png") not in _text(nb):
        found.append(f"does not show its picture, {shot}")
    return found


def _next_faults(path: Path, folder: Path) -> list[str]:
    course = _course(folder)
    here = course.index(path.stem) if path.stem in course else len(course)
    wanted = f"{[*course, INDEX, INDEX][here + 1]}.ipynb"
    nb = nbformat.read(path, as_version=4)
    last = NEXT.fullmatch(nb.cells[-1].source.strip().rpartition("\n")[2])
    if nb.cells[-1].cell_type != "markdown" or not last or last[1] != wanted:
        return [f"the last line is no 'Next: [words]({wanted})'"]
    return []


def _index_faults(nb: NotebookNode, folder: Path) -> list[str]:
    """What the table of the index says of each notebook that the notebook does not say."""
    rows = [line for line in _text(nb).splitlines() if line.startswith("|")]
    found = []
    for stem in _course(folder):
        own = [row for row in rows if f"({stem}.ipynb)" in row]
        if len(own) != 1:
            found.append(f"{len(own)} rows of the table link to {stem}.ipynb, instead of one")
            continue
        first = nbformat.read(folder / f"{stem}.ipynb", as_version=4).cells[0].source
        cells = [cell.strip() for cell in own[0].split("|")]
        for what, said in (("question", QUESTION.findall(first)), ("time", TIME.findall(first))):
            if len(said) == 1 and said[0] not in cells:
                found.append(f"the row of {stem} has not its {what}, {said[0]!r}, in a cell")
    return found


def _course(folder: Path) -> list[str]:
    return sorted(p.stem for p in folder.glob("*.ipynb") if NUMBERED.fullmatch(p.stem))


def _text(nb: NotebookNode) -> str:
    return "\n\n".join(cell.source for cell in nb.cells if cell.cell_type == "markdown")


def _lines(nb: NotebookNode, pattern: str) -> list[str]:
    matches = (re.fullmatch(pattern, line) for line in FENCED.sub("", _text(nb)).splitlines())
    return [match[1].strip() for match in matches if match]


def _marks(cell: NotebookNode) -> set[str]:
    """The words that nbval would read in a cell: its comments, and its tags."""
    lines = (line.strip() for line in cell.source.splitlines())
    comments = {line.lstrip("#").strip() for line in lines if line.startswith("#")}
    return comments | set(cell.metadata.get("tags", ()))


# ---------------------------------------------------------------- runs that write nothing
class Trial(NamedTuple):
    """What a run found: `reasons` to fail, and `notes` that are worth a line."""

    reasons: list[str]
    notes: list[str]


def solutions(nb: NotebookNode) -> list[str]:
    """The blocks of Python inside the folded solutions of `nb`, in their order."""
    folded = (m for m in FOLDED.finditer(_text(nb)) if "solution" in m["summary"].lower())
    return [block.rstrip("\n") for m in folded for block in PYTHON.findall(m["body"])]


def trial(path: Path, with_solutions: bool, repeat: bool) -> Trial:
    """Run the notebook at `path` in memory, its solutions last, and say what is wrong."""
    nb = nbformat.read(path, as_version=4)
    committed = normalise(nbformat.read(path, as_version=4)).cells
    blocks = solutions(nb) if with_solutions else []
    if with_solutions and not blocks and path.stem != INDEX:
        return Trial(["no solution: no block of Python in a <details> whose summary says so"], [])
    for number, block in enumerate(blocks, 1):
        try:
            compile(block, f"solution {number}", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        except SyntaxError as error:
            return Trial([f"solution {number}, line {error.lineno}: {error.msg}"], [])
    nb.cells += [nbformat.v4.new_code_cell(block) for block in blocks]
    try:
        run(path, nb)
    except NOT_RUN as error:
        return Trial([f"{_ended(nb, len(committed))}{error}"], [])

    loud = [
        f"{_place(number, len(committed))} wrote to stderr: {_short(output.text)}"
        for number, cell in enumerate(nb.cells)
        for output in cell.get("outputs", ())
        if output.get("name") == "stderr"
    ]
    notes = [f"{len(blocks)} block{'s' * (len(blocks) != 1)} of solutions"] if blocks else []
    differ, may = _compared(committed, normalise(nb).cells) if repeat else ([], [])
    return Trial(loud + differ, notes + may)


def _compared(committed: list[NotebookNode], again: list[NotebookNode]) -> Trial:
    """Cells that show another output now, and of these the ones that may."""
    wrong, fine = [], []
    for number, (was, now) in enumerate(zip(committed, again, strict=False)):
        if was.cell_type != "code" or was.outputs == now.outputs:
            continue
        what = f"cell {number} shows another output: {_difference(was.outputs, now.outputs)}"
        (fine if _marks(was) & MAY_DIFFER else wrong).append(what)
    return Trial(wrong, [f"{line} (it may)" for line in fine])


def _difference(was: list[NotebookNode], now: list[NotebookNode]) -> str:
    """The first line of text in which two lists of outputs differ."""
    before, after = (
        "\n".join(o.get("text") or o.get("data", {}).get("text/plain", "") for o in outputs)
        for outputs in (was, now)
    )
    lines = [part.splitlines() for part in (before, after)]
    for old, new in zip(*lines, strict=False):
        if old != new:
            return f"{_short(old)!r} is now {_short(new)!r}"
    if before == after:
        return "the same text, in another form"
    return f"{len(lines[0])} lines of text are now {len(lines[1])}"


def _ended(nb: NotebookNode, own: int) -> str:
    for number, cell in enumerate(nb.cells):
        for output in cell.get("outputs", ()):
            if output.output_type == "error":
                return f"{_place(number, own)} ended in {output.ename}: {output.evalue}\n"
    return ""  # too slow, or the kernel died: the error says so


def _place(number: int, own: int) -> str:
    return f"cell {number}" if number < own else f"solution {number - own + 1}"


def _short(text: str) -> str:
    return textwrap.shorten(text, 100, placeholder=" …")


# ---------------------------------------------------------------- command line
def _work(job: tuple[Path, argparse.Namespace]) -> Trial:
    path, args = job
    if args.normalise:
        nb = nbformat.read(path, as_version=4)
        path.write_text(text_of(normalise(nb)), encoding="utf-8")
        return Trial([], ["normalised"])
    if args.execute:
        return Trial(execute(path), [])
    if args.check:
        # What is no notebook has no parts.
        return Trial(faults(path) or course_faults(path), [])
    return trial(path, args.solutions, args.repeat)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--execute", action="store_true", help="run, then normalise")
    parser.add_argument("--normalise", action="store_true", help="normalise without running")
    parser.add_argument("--check", action="store_true", help="fail if one is not clean")
    parser.add_argument("--solutions", action="store_true", help="run, solutions last")
    parser.add_argument("--repeat", action="store_true", help="run, compare with what is there")
    parser.add_argument("-j", "--jobs", type=int, default=1, help="notebooks at once")
    parser.add_argument("paths", nargs="*", type=Path, metavar="NOTEBOOK")
    args = parser.parse_args(argv)
    if args.execute + args.normalise + args.check + (args.solutions or args.repeat) != 1:
        parser.error("give one of --execute, --normalise, --check, or --solutions and --repeat")

    paths = args.paths or sorted((ROOT / "notebooks").glob("*.ipynb"))
    jobs = [(path, args) for path in paths]
    bad = 0
    # The work is done in the kernels, which are processes of their own.
    with ThreadPoolExecutor(args.jobs) as pool:
        for path, (reasons, notes) in zip(paths, pool.map(_work, jobs), strict=True):
            for reason in reasons:
                print(f"{path.name}: {reason}", file=sys.stderr)
            if not reasons:
                print(f"{path.name}: {'; '.join(notes) or 'fine'}", flush=True)
            bad += bool(reasons)
    if bad:
        print(f"{bad} of {len(paths)} notebooks are not clean", file=sys.stderr)
    if bad and args.check:
        print("try: python scripts/notebooks.py --execute", file=sys.stderr)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
