"""Run, normalise and check the notebooks that are committed.

    python scripts/notebooks.py --execute            run from the top, then normalise
    python scripts/notebooks.py --normalise          only strip what is not committed
    python scripts/notebooks.py --check              fail, with reasons, if one is not clean

Without names, all of notebooks/*.ipynb. A committed notebook keeps text and table outputs, so
it reads well where nothing can run. It keeps no widget and no figure: one saved plotly
FigureWidget alone weighs five megabytes.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parents[1]
SIZE_CAP = 200_000  # bytes
CELL_TIMEOUT = 300  # seconds

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


def execute(path: Path) -> None:
    """Run all cells of the notebook at `path`, and write it back normalised."""
    nb = nbformat.read(path, as_version=4)
    NotebookClient(
        nb,
        timeout=CELL_TIMEOUT,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
        store_widget_state=False,
        record_timing=False,
        coalesce_streams=True,
    ).execute()
    path.write_text(text_of(normalise(nb)), encoding="utf-8")


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


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--execute", action="store_true", help="run, then normalise")
    what.add_argument("--normalise", action="store_true", help="normalise without running")
    what.add_argument("--check", action="store_true", help="fail if one is not clean")
    parser.add_argument("paths", nargs="*", type=Path, metavar="NOTEBOOK")
    args = parser.parse_args(argv)

    bad = 0
    paths = args.paths or sorted((ROOT / "notebooks").glob("*.ipynb"))
    for path in paths:
        if args.normalise:
            nb = nbformat.read(path, as_version=4)
            path.write_text(text_of(normalise(nb)), encoding="utf-8")
        if args.execute:
            try:
                execute(path)
            except CellExecutionError as error:
                print(f"{path.name}: {error}", file=sys.stderr)
                bad += 1
                continue
        reasons = [] if args.normalise else faults(path)
        for reason in reasons:
            print(f"{path.name}: {reason}", file=sys.stderr)
        bad += bool(reasons)
        if not reasons:
            print(f"{path.name}: fine" if not args.normalise else f"{path.name}: normalised")
    if bad:
        print(f"{bad} of {len(paths)} notebooks are not clean", file=sys.stderr)
    if bad and args.check:
        print("try: python scripts/notebooks.py --execute", file=sys.stderr)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
