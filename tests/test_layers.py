"""Imports point up this list, never down; a module may import its own rank."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "horizon"
LAYERS = [
    {"errors", "checks", "calls", "words"},
    {"columns"},
    {"types", "rules"},
    {"books"},
    {"instruments"},
    {"analytics"},
    {"venues"},
    {
        "risk",
        "engine",
        "quick_quotes",
        "quoting",
        "preview",
        "after_order",
        "amend_preview",
    },
    {"algos"},
    {"client", "order_verbs"},
    {"strategies"},
    {"feeds"},
    {"backtesting"},
    {"running", "walkforward"},
    {"figures"},
    {"widgets"},
    # The public names, the alias module, and the command line, which stands on them.
    {"__init__", "_horizon", "cli", "__main__"},
]
RANK = {module: rank for rank, layer in enumerate(LAYERS) for module in layer}
# Stricter than the list: these see facts and numbers, never an engine.
ONLY = {
    "feeds": {"errors", "checks", "columns", "types", "instruments", "books"},
    "figures": {"errors", "checks", "columns", "words", "types", "instruments", "analytics"},
}
# Who may import it at module level; the others import it in a function, when it is needed.
OWNERS = {
    "plotly": {"figures"},
    "ipywidgets": {"widgets"},
    "anywidget": {"widgets"},
    "numba": set(),
}
HEAVY = [
    "aiohttp",
    "anywidget",
    "click",
    "cloudpickle",
    "ipywidgets",
    "joblib",
    "numba",
    "numpy",
    "orjson",
    "pandas",
    "plotly",
    "polars",
    "pyarrow",
]


def module_level(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements that run on import: not in functions, not under TYPE_CHECKING."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        yield node
        for_types = isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")
        for field in ("body", "orelse", "finalbody", "handlers", "cases"):
            if not (for_types and field == "body"):
                yield from module_level(getattr(node, field, []))


def imports(source: str, module: str) -> Iterator[str]:
    """Dotted names that `source` imports; `module` is its own name, packages with __init__."""
    for node in module_level(ast.parse(source).body):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = module.split(".")[: -node.level] if node.level else []
            base = ".".join([*parents, *([node.module] if node.module else [])])
            yield from (f"{base}.{alias.name}" for alias in node.names)


def faults(source: str, module: str) -> list[str]:
    """What the imports of `source` break, as sentences."""
    here, found = module.split(".")[1], []
    if here not in RANK:
        return [f"{module} has no rank in tests/test_layers.py"]
    for name in imports(source, module):
        top, _, rest = name.partition(".")
        if here not in OWNERS.get(top, {here}):
            found.append(f"{module} imports {top} at module level")
        if top != "horizon" or here in ("__init__", "_horizon"):
            continue
        there = rest.partition(".")[0]
        there = there if there in RANK else "__init__"
        if RANK[there] > RANK[here]:
            found.append(f"{module} imports {name}, which is below it")
        elif there not in ONLY.get(here, {there}) | {here}:
            found.append(f"{module} imports {name}, and may import {sorted(ONLY[here])} only")
    return found


FILES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.relative_to(PACKAGE).as_posix())
def test_imports_point_up(path: Path) -> None:
    module = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
    assert faults(path.read_text(encoding="utf-8"), module) == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("horizon.types", "from horizon.engine import Engine"),
        ("horizon.types", "from horizon import engine"),
        ("horizon.types", "import horizon"),
        ("horizon.types", "from . import engine"),
        ("horizon.venues.paper", "from ..engine import Engine"),
        ("horizon.venues.__init__", "from ..engine import Engine"),
        ("horizon.risk", "try:\n    import horizon.client\nexcept ImportError:\n    pass"),
        ("horizon.risk", "class A:\n    from horizon.client import connect"),
        ("horizon.feeds.replay", "from horizon.engine import Engine"),
        ("horizon.figures.equity", "from horizon.venues import Paper"),
        ("horizon.analytics.metrics", "import numba"),
        ("horizon.widgets.ticket", "import plotly.graph_objects as go"),
        ("horizon.figures.equity", "from ipywidgets import VBox"),
        ("horizon.novelty", ""),
    ],
)
def test_checker_sees_a_wrong_import(module: str, source: str) -> None:
    assert len(faults(source, module)) == 1


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("horizon.engine", "from horizon.venues.base import Venue\nfrom .risk import RiskConfig"),
        ("horizon.venues.paper", "from . import book\nfrom .account import Account"),
        ("horizon.feeds.replay", "from horizon.types import Quote\nfrom .base import Feed"),
        ("horizon.types", "def f():\n    import horizon.engine, numba"),
        ("horizon.types", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import plotly"),
        ("horizon.widgets.ticket", "import ipywidgets\nfrom horizon.figures import depth"),
        ("horizon.__init__", "from horizon.client import connect"),
    ],
)
def test_checker_leaves_a_right_import_alone(module: str, source: str) -> None:
    assert faults(source, module) == []


def test_import_horizon_is_light_and_silent() -> None:
    code = f"import horizon, sys; print([m for m in {HEAVY} if m in sys.modules])"
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, cwd=PACKAGE.parent, check=False)
    assert (done.stdout.strip(), done.stderr) == ("[]", "")
