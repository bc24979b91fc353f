"""Build the site: the pages of docs/, the reference out of docstrings, and the course as it runs.

    python scripts/docs.py              into build/docs/html; a warning is an error
    python scripts/docs.py --quick      without running the notebooks: no figures on their pages

The course is run anew, since committed notebooks hold no figures, and kept under the hash of what
it was made of: a notebook that has not changed is not run again.
"""

from __future__ import annotations

import argparse
import hashlib
import inspect
import re
import shutil
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib import resources
from itertools import groupby
from pathlib import Path
from types import ModuleType

import nbformat
import plotly.io
from nbclient import NotebookClient
from nbformat import NotebookNode
from sphinx.cmd.build import main as sphinx_build

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # for the list of public names, which the tests keep

from horizon.widgets.face import Face  # noqa: E402
from tests.docs.names import Name, comment, members, public_names  # noqa: E402

BUILD = ROOT / "build" / "docs"
SOURCE, HTML, RUNS = BUILD / "source", BUILD / "html", BUILD / "runs"
#: Pages that stand at the top of the repository.
TOP = {"CHANGELOG.md": "changelog.md", "ARCHITECTURE.md": "architecture.md"}
TOP |= {"CONTRIBUTING.md": "contributing.md"}
FIGURE = "application/vnd.plotly.v1+json"
WIDGET = "application/vnd.jupyter.widget-view+json"
LIVE = '<p class="hz-live">Live when the notebook runs: {what}.</p>'
CELL_TIMEOUT = 300  # seconds
#: Pictures of front ends beside their names, as `scripts/picture.py front-ends` shoots them.
PICTURES = {
    "OrderTicket": "ticket",
    "Blotter": "blotter",
    "BookLadder": "ladder",
    "PriceChart": "chart",
    "BacktestExplorer": "explorer",
    "WalkForwardView": "walk-forward",
    "RunMonitor": "run-monitor",
    "TearsheetView": "tearsheet-view",
    "CalibrationView": "calibration-view",
}
#: What a front end has for its page and the event loop, not for its user.
MACHINERY = {name for name in vars(Face) if not name.startswith("_")} - {"close", "is_closed"}


def copy_pages() -> None:
    """Copy what Sphinx reads to a folder of its own, links put right."""
    shutil.rmtree(SOURCE, ignore_errors=True)
    shutil.copytree(ROOT / "docs", SOURCE, ignore=shutil.ignore_patterns("_build"))
    for name, page in TOP.items():
        text = (ROOT / name).read_text(encoding="utf-8")
        for other, its_page in TOP.items():
            text = text.replace(f"]({other})", f"]({its_page})")
        (SOURCE / page).write_text(text.replace("](docs/", "]("), encoding="utf-8")
    for path in SOURCE.glob("*.md"):
        text = path.read_text(encoding="utf-8").replace("](../notebooks/", "](notebooks/")
        for name, page in TOP.items():
            text = text.replace(f"](../{name})", f"]({page})")
        path.write_text(linked(text, "reference/api"), encoding="utf-8")
    script = resources.files("plotly").joinpath("package_data/plotly.min.js").read_bytes()
    (SOURCE / "_static" / "plotly.min.js").write_bytes(script)


#: What a page says of a name, with its call or without; not within a link of its own.
CODE = re.compile(r"(?<!\[)`(?P<name>hz\.[\w.]+)(?:\([^`\n]*\))?`(?!\])")
FENCE = re.compile(r"(^ *```.*?^ *```)", re.DOTALL | re.MULTILINE)


def linked(text: str, folder: str) -> str:
    """Markdown in which public names, but for those in examples, lead to their pages."""
    known = {short(name) for name in public_names() if not isinstance(name.thing, ModuleType)}

    def link(match: re.Match[str]) -> str:
        name = match["name"]
        for found in (name, name.rpartition(".")[0]):  # a method is told on its class's page
            if found in known:
                return f"[{match.group()}]({folder}/{found.replace('hz', 'horizon', 1)}.rst)"
        return match.group()

    parts = FENCE.split(text)
    return "".join(part if n % 2 else CODE.sub(link, part) for n, part in enumerate(parts))


# ---------------------------------------------------------------- the course
def copy_course(run: bool) -> None:
    """Put the notebooks among the pages, run if `run`."""
    paths = sorted((ROOT / "notebooks").glob("*.ipynb"))
    (SOURCE / "notebooks").mkdir()
    with ThreadPoolExecutor(2) as pool:
        for path, nb in zip(paths, pool.map(executed if run else read, paths), strict=True):
            if not drawn(nb):
                unfold(nb)
            for number, cell in enumerate(nb.cells):
                if cell.cell_type == "markdown":
                    source = cell.source.replace("../docs/", "../")
                    cell.source = linked(source, "../reference/api")
                else:
                    cell.outputs = [shown(o, f"{path.stem}-{number}") for o in cell.outputs]
            if path.stem == "index":
                others = "\n".join(it.stem for it in paths if it != path)
                tree = f"```{{toctree}}\n:hidden:\n\n{others}\n```"
                nb.cells.append(nbformat.v4.new_markdown_cell(tree))
            nbformat.write(nb, SOURCE / "notebooks" / path.name)


def drawn(nb: NotebookNode) -> bool:
    """Whether the page will draw the figure of which the notebook has a picture."""
    cells = [cell for cell in nb.cells if "picture" in cell.metadata.get("tags", [])]
    return any(FIGURE in output.get("data", {}) for cell in cells for output in cell.outputs)


def unfold(nb: NotebookNode) -> None:
    """Open the picture of a notebook, where a page has nothing else to show."""
    for cell in nb.cells:
        folded = "<details><summary>How it looks"
        cell.source = cell.source.replace(folded, folded.replace("<details>", "<details open>"))


def read(path: Path) -> NotebookNode:
    """The notebook as it is committed."""
    return nbformat.read(path, as_version=4)


def executed(path: Path) -> NotebookNode:
    """The notebook with what its cells show, figures included."""
    made_of = hashlib.sha256(path.read_bytes())
    for file in sorted((ROOT / "horizon").rglob("*")):
        if file.suffix in {".py", ".js", ".css", ".html"}:
            made_of.update(file.read_bytes())
    kept = RUNS / f"{path.stem}-{made_of.hexdigest()[:16]}.ipynb"
    if not kept.exists():
        nb = read(path)
        NotebookClient(
            nb,
            timeout=CELL_TIMEOUT,
            resources={"metadata": {"path": str(path.parent)}},
            extra_arguments=["--Application.log_level=ERROR"],  # each kernel would warn of TCP
            store_widget_state=False,
        ).execute()
        RUNS.mkdir(parents=True, exist_ok=True)
        for former in RUNS.glob(f"{path.stem}-*.ipynb"):
            former.unlink()
        nbformat.write(nb, kept)
    return read(kept)


def shown(output: NotebookNode, key: str) -> NotebookNode:
    """An output as a page can show it: a figure drawn by the page, a widget in words."""
    data = output.get("data", {})
    if FIGURE in data:
        figure = data[FIGURE]
        drawn = {"data": figure["data"], "layout": figure["layout"]}
        # Its own id, so that the same site is built twice.
        html = plotly.io.to_html(
            drawn, include_plotlyjs=False, full_html=False, div_id=f"figure-{key}",
            config={"displayModeBar": False, "responsive": True}, validate=False,
        )  # fmt: skip
        return nbformat.v4.new_output("display_data", {"text/html": html})
    if WIDGET in data:
        what = re.match(r"<?(\w+)", data.get("text/plain", ""))
        words = f"<code>{what[1]}</code>" if what else "a widget"
        return nbformat.v4.new_output("display_data", {"text/html": LIVE.format(what=words)})
    if "text/html" in data and "<script" in data["text/html"]:  # plotly's own start-up
        return nbformat.v4.new_output("display_data", {"text/plain": ""})
    return output


# ---------------------------------------------------------------- the reference
def write_reference() -> None:
    """Write a page for each public name, and the tables that lead to them."""
    folder = SOURCE / "reference" / "api"
    folder.mkdir(parents=True)
    known = {name.path: name for name in public_names()}
    for name in known.values():
        if not isinstance(name.thing, ModuleType):
            (folder / f"{name.path}.rst").write_text("\n".join(page(name)), encoding="utf-8")
    for path in sorted((SOURCE / "reference").glob("*.md")):
        text = path.read_text(encoding="utf-8")
        text = NAMES.sub(lambda match: table(match, known), text)
        text = linked(text.replace(ALPHABET, alphabet(known.values())), "api")
        path.write_text(text, encoding="utf-8")


#: A list of names in a page of the reference:  ```{names} horizon.venues  Paper BookVenue ```
NAMES = re.compile(r"```\{names\} (?P<namespace>[\w.]+)\n(?P<names>.*?)```", re.DOTALL)


def listed(text: str) -> Iterator[str]:
    """The full names that a page of the reference lists."""
    for match in NAMES.finditer(text):
        for name in match["names"].split():
            yield f"{match['namespace']}.{name}"


def table(match: re.Match[str], known: dict[str, Name]) -> str:
    """A table of names with their first sentences, and the order of their pages."""
    names = [known[f"{match['namespace']}.{name}"] for name in match["names"].split()]
    rows = []
    for name in names:
        first = first_sentence(name).replace("|", r"\|")
        rows.append(f"| [`{short(name)}`](api/{name.path}.rst) | {first} |")
    tree = "\n".join(f"{short(name)} <api/{name.path}>" for name in names)
    head = "| Name | |\n| --- | --- |\n"
    return f"{head}{chr(10).join(rows)}\n\n```{{toctree}}\n:hidden:\n\n{tree}\n```"


#: Where a page of the reference has every name from A to Z.
ALPHABET = "```{alphabet}\n```"


def alphabet(names: Iterable[Name]) -> str:
    """Tables of names under their first letters, wherever they are imported from."""
    listed_ = sorted(
        (name for name in names if not isinstance(name.thing, ModuleType)),
        key=lambda name: (last(name).casefold(), name.path),
    )
    parts = []
    for letter, under in groupby(listed_, lambda name: last(name)[0].upper()):
        parts.append(f"## {letter}\n\n| Name | |\n| --- | --- |")
        for name in under:
            namespace = name.namespace.replace("horizon", "hz", 1)
            first = first_sentence(name).replace("|", r"\|")
            parts.append(f"| [`{last(name)}`](api/{name.path}.rst) | `{namespace}`: {first} |")
        parts.append("")
    return "\n".join(parts)


def last(name: Name) -> str:
    """A name without the way to it: ``Fees``."""
    return name.path.rpartition(".")[2]


def short(name: Name) -> str:
    """As a user writes it: ``hz.venues.Fees``."""
    return name.path.replace("horizon", "hz", 1)


def first_sentence(name: Name) -> str:
    """What a name's docstring, or a constant's comment, begins with."""
    told = inspect.getdoc(name.thing) if callable(name.thing) else "\n".join(comment(name))
    text = " ".join((told or "").split("\n\n")[0].split())
    # Markdown and reST agree on code but for the number of backticks.
    return re.sub(r"``?([^`]+)``?", r"`\1`", text)


def called_with(kind: type) -> str:
    """The parameters of a class, from its ``__init__``."""
    signature = inspect.signature(kind.__init__)
    kept = [it for key, it in signature.parameters.items() if key != "self"]
    text = str(signature.replace(parameters=kept, return_annotation=inspect.Signature.empty))
    return re.sub(r": '([^']*)'", r": \1", text)  # annotations are strings here


def page(name: Name) -> Iterator[str]:
    """The reST of one name's page."""
    title = short(name)
    yield from (title, "=" * len(title), "")
    if inspect.isclass(name.thing):
        is_face = issubclass(name.thing, Face)
        # Of a front end traitlets hides what it is called with.
        signature = called_with(name.thing) if is_face else ""
        if is_face and last(name) in PICTURES:
            # How it looks, before how it is called.
            picture = f"/pictures/{PICTURES[last(name)]}.png"
            yield from (f".. image:: {picture}", f"   :alt: {first_sentence(name)}", "")
        yield from (f".. autoclass:: {name.path}{signature}", "")
        found = [
            (member, thing)
            for member, thing in members(name.thing)
            if name.namespace != "horizon.widgets" or member not in MACHINERY
        ]
        for member, thing in sorted(found, key=lambda it: not inspect.isfunction(it[1])):
            kind = "automethod" if inspect.isfunction(thing) else "autoproperty"
            yield from (f"   .. {kind}:: {name.path}.{member}", "")
    elif callable(name.thing):
        yield from (f".. autofunction:: {name.path}", "")
    else:
        # autodata would show what its class says.
        yield from (f".. py:data:: {name.path}", "")
        yield from (f"   {line}" for line in comment(name))


def main(argv: list[str] | None = None) -> int:
    """Build it, and say where it is."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="do not run the notebooks")
    args = parser.parse_args(argv)
    copy_pages()
    copy_course(run=not args.quick)
    write_reference()
    shutil.rmtree(HTML, ignore_errors=True)
    code = sphinx_build(["-b", "html", "-W", "--keep-going", "-q", "-j", "2",
                         "-d", str(BUILD / "doctrees"), str(SOURCE), str(HTML)])  # fmt: skip
    if code == 0:
        print(f"built: {(HTML / 'index.html').relative_to(ROOT)}")
    return code


if __name__ == "__main__":
    sys.exit(main())
