"""Finished runs in a folder: found where nothing has changed, and never where something has."""

from __future__ import annotations

import functools
import importlib
import os
import pickle
import random
import re
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import FunctionType
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import horizon as hz
from horizon.walkforward import walk_forward
from horizon.walkforward.code import is_library
from horizon.walkforward.codec import decode, encode
from horizon.walkforward.execute import Interrupted, execute
from horizon.walkforward.keys import fingerprint, user_modules
from horizon.walkforward.store import Store
from horizon.walkforward.tasks import Outcome, Plan, Task, run_task
from tests.walkforward.fakes import (
    expected,
    objectives,
    outcome_of,
    plan_of,
    quoting,
    real_plan,
    real_tasks,
    summing,
    tasks_of,
)

ROOT = Path(__file__).parents[2]
SETTINGS = [{"a": 0.5}, {"a": 100.0}, {"a": -3.0}]
FIRST = Task(0, "train", 0, 0, 0, 4, 0, 0)


def counting(done: list[int]) -> Callable[[Plan, Task], Outcome]:
    """Sums, and notes what it was asked for."""

    def run(plan: Plan, task: Task) -> Outcome:
        done.append(task.number)
        return summing(plan, task)

    return run


def search(
    folder: Path, settings: list[dict[str, Any]], tasks: list[Task] | None = None, **others: Any
) -> tuple[list[float], int]:
    """The objectives of a search with a cache, and how many of its tasks were done anew."""
    done: list[int] = []
    plan = plan_of(settings, **others)
    wanted = tasks_of(3 * len(settings), len(settings)) if tasks is None else tasks
    outcomes = execute(plan, wanted, store=Store(folder, plan), run=counting_here(done))
    assert [outcome.task for outcome in outcomes] == wanted
    return objectives(outcomes), len(done)


def counting_here(done: list[int]) -> Callable[[Plan, Task], Outcome]:
    return counting(done)


# ------------------------------------------------------------------------ what is found again
def test_a_rerun_computes_nothing(tmp_path: Path) -> None:
    assert search(tmp_path, SETTINGS) == (expected(9, SETTINGS), 9)
    assert search(tmp_path, SETTINGS) == (expected(9, SETTINGS), 0)


def test_a_larger_grid_computes_only_what_is_new(tmp_path: Path) -> None:
    plan = real_plan()
    tasks = real_tasks(plan)
    first = execute(plan, tasks, store=Store(tmp_path, plan))
    more = {"window": 5, "spread": 0.03}
    larger = replace(plan, settings=(plan.settings[0], more, *plan.settings[1:]))
    again = execute(larger, real_tasks(larger), store=Store(tmp_path, larger))

    assert len(list(tmp_path.rglob("*.run"))) == 10  # 2 · 4 runs, and the new setting's 2
    old = [outcome for outcome in again if larger.settings[outcome.task.setting] != more]
    assert [repr(one.metrics) for one in old] == [repr(one.metrics) for one in first]
    assert [one.seconds for one in old] == [one.seconds for one in first]  # kept, not made again


def test_what_is_found_is_what_was_kept_bit_for_bit(tmp_path: Path) -> None:
    plan = real_plan()
    tasks = real_tasks(plan)
    first = execute(plan, tasks, store=Store(tmp_path, plan))
    again = execute(plan, tasks, store=Store(tmp_path, plan))

    assert again == first
    for one, other in zip(first, again, strict=True):
        assert one.record is not None
        assert other.record is not None
        assert len(one.record.orders) > 10
        for name in ("legs", "quantities", "prices", "statuses", "submitted_ns", "reasons"):
            mine, its = getattr(one.record.orders, name), getattr(other.record.orders, name)
            assert mine.tobytes() == its.tobytes()
        assert one.record.config == other.record.config
        assert one.record.markets == other.record.markets


def test_workers_and_the_cache_agree(tmp_path: Path) -> None:
    plan = real_plan()
    tasks = real_tasks(plan)

    first = execute(plan, tasks, store=Store(tmp_path, plan), n_jobs=2)

    assert execute(plan, tasks, store=Store(tmp_path, plan)) == first
    assert first == [run_task(plan, task) for task in tasks]


def test_what_was_done_before_an_interrupt_is_kept(tmp_path: Path) -> None:
    plan = plan_of(SETTINGS)
    seen: list[Outcome] = []

    def interrupt(outcome: Outcome) -> None:
        seen.append(outcome)
        if len(seen) == 4:
            raise KeyboardInterrupt

    with pytest.raises(Interrupted):
        execute(plan, tasks_of(9, 3), store=Store(tmp_path, plan), run=summing, on_done=interrupt)

    assert search(tmp_path, SETTINGS) == (expected(9, SETTINGS), 5)


def test_a_walk_forward_is_resumed(tmp_path: Path, noisy: dict[str, Any]) -> None:
    arguments: dict[str, Any] = {"n_splits": 2, "cache": tmp_path}
    grid = {"window": [3, 8], "spread": [0.1]}
    first = walk_forward(noisy, quoting, grid, **arguments)
    files = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.run")}
    again = walk_forward(noisy, quoting, grid, **arguments)

    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.run")} == files
    assert again.aggregate_equity == first.aggregate_equity
    assert again.aggregate_metrics == first.aggregate_metrics


# ------------------------------------------------------------------------ what is another key
def key_of(plan: Plan, task: Task = FIRST, folder: Path = Path("/tmp")) -> str:
    return Store(folder, plan).key(task, plan.settings[task.setting])


def base(**others: Any) -> Plan:
    return plan_of(SETTINGS, **{"factory": quoting, "rows": 100, **others})


@pytest.mark.parametrize(
    "others",
    [
        {"rows": 101},
        {"factory": lambda params: params["a"]},
        {"arguments": {"slippage_bps": 1.0}},
        {"arguments": {"risk": hz.RiskConfig(max_order_size=5)}},
        {"contracts": (hz.Market("market", hz.Equity),)},
        {"feeds": {"market": "data"}},
        {"objective": "sortino_ratio"},
        {"objective": lambda result: result.metrics.sharpe_ratio},
        {"maximize": False},
        {"initial_capital": 1000.5},
        {"params": {"x": 1}},
    ],
    ids=lambda others: next(iter(others)),
)
def test_whatever_a_plan_holds_makes_another_key(others: dict[str, Any]) -> None:
    assert key_of(base(**others)) != key_of(base())
    assert key_of(base(**others)) == key_of(base(**others))


def test_one_row_of_the_data_makes_another_key() -> None:
    changed = real_plan()
    changed.source.data.numbers["price"][150] += 1e-12  # type: ignore[attr-defined]

    assert key_of(changed) != key_of(real_plan())


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "test"},
        {"window": 1},
        {"start_ns": 1},
        {"end_ns": 5},
        {"orders_from_ns": 2},
        {"rows_from_ns": -1},
        {"keeps_record": True},
        {"keeps_returns": True},
    ],
    ids=lambda change: next(iter(change)),
)
def test_another_stretch_is_another_key(change: dict[str, Any]) -> None:
    plan = base()

    assert key_of(plan, FIRST._replace(**change)) != key_of(plan)


def test_where_a_task_stands_is_no_part_of_its_key() -> None:
    plan = base()
    other = plan_of([{"a": 9.0}, *SETTINGS], factory=quoting, rows=100)

    assert key_of(other, FIRST._replace(number=77, setting=1)) == key_of(plan)


@pytest.mark.parametrize(
    "settings",
    [
        ({"a": 0.5}, {"a": 0.25}),
        ({"a": 1}, {"a": 1.0}),
        ({"a": 1}, {"a": True}),
        ({"a": "1"}, {"a": 1}),
        ({"a": [1, 2]}, {"a": (1, 2)}),
        ({"a": [1, 2]}, {"a": [2, 1]}),
        ({"a": np.arange(3.0)}, {"a": np.arange(3)}),
        ({"a": np.zeros((2, 3))}, {"a": np.zeros((3, 2))}),
        ({"a": 1}, {"b": 1}),
        ({"a": 0.0}, {"a": -0.0}),
        ({"a": None}, {"a": "None"}),
        ({"a": {1, 2}}, {"a": {1, 3}}),
        ({"a": max}, {"a": min}),
    ],
)
def test_parameters_that_differ_are_other_keys(settings: tuple[Any, Any]) -> None:
    one, other = (Store(Path("/tmp"), base()).key(FIRST, setting) for setting in settings)

    assert one != other


# ------------------------------------------------------------------------ code
def made(text: str, name: str = "factory", **names: Any) -> FunctionType:
    """A function of some text, as a cell of a notebook would make it."""
    space: dict[str, Any] = {"__name__": "__main__", **names}
    exec(compile(text, f"<cell {len(text)}>", "exec"), space)
    return space[name]  # type: ignore[no-any-return]


PLAIN = "def factory(params):\n    return params['a'] + 1\n"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (PLAIN, PLAIN.replace("+ 1", "+ 2")),
        (PLAIN, PLAIN.replace("+ 1", "- 1")),
        (PLAIN, PLAIN.replace("'a'", "'b'")),
        (
            "def helper(x):\n    return x\n\ndef factory(p):\n    return helper(p)\n",
            "def helper(x):\n    return x + 1\n\ndef factory(p):\n    return helper(p)\n",
        ),
        (  # a helper of a helper, called by a stage within the factory
            "def deep(x):\n    return x\n\ndef helper(x):\n    return deep(x)\n\n"
            "def factory(p):\n    def stage(ctx):\n        return helper(p)\n    return [stage]\n",
            "def deep(x):\n    return -x\n\ndef helper(x):\n    return deep(x)\n\n"
            "def factory(p):\n    def stage(ctx):\n        return helper(p)\n    return [stage]\n",
        ),
        (
            "LIMIT = 5\ndef factory(p):\n    return [lambda ctx: LIMIT]\n",
            "LIMIT = 6\ndef factory(p):\n    return [lambda ctx: LIMIT]\n",
        ),
        (
            "def factory(p, k=1):\n    return p['a'] * k\n",
            "def factory(p, k=2):\n    return p['a'] * k\n",
        ),
        (
            "def factory(p, *, k=1):\n    return p['a'] * k\n",
            "def factory(p, *, k=2):\n    return p['a'] * k\n",
        ),
        (
            "def outer(k):\n    return lambda p: p['a'] * k\nfactory = outer(1)\n",
            "def outer(k):\n    return lambda p: p['a'] * k\nfactory = outer(2)\n",
        ),
        (
            "class Model:\n    def f(self, x):\n        return x\n\n"
            "def factory(p):\n    return Model().f(p)\n",
            "class Model:\n    def f(self, x):\n        return 2 * x\n\n"
            "def factory(p):\n    return Model().f(p)\n",
        ),
        (
            "class Base:\n    k = 1\nclass Model(Base):\n    pass\n\n"
            "def factory(p):\n    return Model.k\n",
            "class Base:\n    k = 2\nclass Model(Base):\n    pass\n\n"
            "def factory(p):\n    return Model.k\n",
        ),
        (
            "class Model:\n    def __init__(self, k):\n        self.k = k\nmodel = Model(1)\n"
            "def factory(p):\n    return model.k\n",
            "class Model:\n    def __init__(self, k):\n        self.k = k\nmodel = Model(2)\n"
            "def factory(p):\n    return model.k\n",
        ),
        (
            "import functools\ndef f(k, p):\n    return k\nfactory = functools.partial(f, 1)\n",
            "import functools\ndef f(k, p):\n    return k\nfactory = functools.partial(f, 2)\n",
        ),
        (
            "import functools\n@functools.cache\ndef helper(x):\n    return x\n"
            "def factory(p):\n    return helper(p)\n",
            "import functools\n@functools.cache\ndef helper(x):\n    return x + 1\n"
            "def factory(p):\n    return helper(p)\n",
        ),
        (
            "import numpy as np\nW = np.array([1.0, 2.0])\ndef factory(p):\n    return W @ W\n",
            "import numpy as np\nW = np.array([1.0, 3.0])\ndef factory(p):\n    return W @ W\n",
        ),
        (
            "import math\ndef factory(p):\n    return math.exp(p['a'])\n",
            "import math\ndef factory(p):\n    return math.log(p['a'])\n",
        ),
    ],
    ids=[
        "constant",
        "operator",
        "name",
        "helper",
        "deep helper",
        "global",
        "default",
        "keyword default",
        "closure",
        "method",
        "base class",
        "attribute",
        "partial",
        "cached helper",
        "array",
        "library function",
    ],
)
def test_code_that_does_something_else_is_another_key(one: str, other: str) -> None:
    assert fingerprint(made(one)) != fingerprint(made(other))
    assert fingerprint(made(one)) == fingerprint(made(one))


@pytest.mark.parametrize(
    "other",
    [
        "\n\n\n" + PLAIN,
        "# a comment\n" + PLAIN,
        "unused = 5\n" + PLAIN,
        PLAIN + "\ndef another(x):\n    return x\n",
        "def factory(params):\n    # why\n    return params['a']     + 1\n",
    ],
    ids=["moved", "comment", "unused global", "other function", "blanks"],
)
def test_code_that_does_the_same_is_the_same_key(other: str) -> None:
    assert fingerprint(made(other)) == fingerprint(made(PLAIN))


def test_functions_that_call_each_other_have_a_key() -> None:
    text = (
        "def even(n):\n    return n == 0 or odd(n - 1)\n\n"
        "def odd(n):\n    return n != 0 and even(n - {})\n\n"
        "def factory(p):\n    return even(p)\n"
    )

    assert fingerprint(made(text.format(1))) == fingerprint(made(text.format(1)))
    assert fingerprint(made(text.format(1))) != fingerprint(made(text.format(3)))


def test_what_holds_itself_has_a_key() -> None:
    one: list[Any] = [1]
    one.append(one)
    other: list[Any] = [2]
    other.append(other)

    assert fingerprint(one) != fingerprint(other)


@pytest.mark.parametrize(
    "write",
    ["import own_help\n", "from own_help import twice\n", "import own_help as h\n"],
    ids=["module", "name", "alias"],
)
@pytest.mark.parametrize("place", ["global", "local"])
def test_an_edited_module_of_ones_own_is_another_key(
    write: str, place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    call = {"import own_help\n": "own_help.twice", "import own_help as h\n": "h.twice"}.get(
        write, "twice"
    )
    text = (
        f"{write}def factory(p):\n    return {call}(p)\n"
        if place == "global"
        else f"def factory(p):\n    {write}    return {call}(p)\n"
    )
    written = tmp_path / "own_help.py"
    keys = []
    try:
        for body in ("2 * x", "3 * x", "2 * x"):
            written.write_text(f"def twice(x):\n    return {body}\n\ndef unused():\n    pass\n")
            importlib.invalidate_caches()
            sys.modules.pop("own_help", None)
            importlib.import_module("own_help")
            keys.append(fingerprint(made(text)))
    finally:
        sys.modules.pop("own_help", None)

    assert keys[0] != keys[1]
    assert keys[0] == keys[2]


def test_keys_are_the_same_in_another_process() -> None:
    # Neither the seed of hashes nor the order of a set's items is part of a key.
    code = (
        "from horizon.walkforward.keys import fingerprint\n"
        "import functools, numpy as np\n"
        "words = {'spread', 'size', 'window', 'fast', 'slow'}\n"
        "class Model:\n"
        "    names = frozenset(words)\n"
        "    def f(self, x):\n        return x in {'a', 'b', 'c'}\n"
        "def factory(p, k=(1, 2.5, None)):\n"
        "    model = Model()\n"
        "    return [lambda ctx: model.f(p) and words, np.float64(3)]\n"
        "from scipy.stats import norm\n"
        "class Words(set):\n    pass\n"
        "def one():\n    return CALLS\n"
        "def two():\n    return len(CALLS)\n"
        "CALLS = {one, two, (one, 'x'), frozenset(words), frozenset((1,))}\n"
        "print(fingerprint(factory, functools.partial(factory, 1), Model(), {'b': 1, 'a': 2}))\n"
        "print(fingerprint(CALLS, Words(words), norm(1, 2), one))\n"
    )
    said = set()
    for seed in ("1", "2", "3"):
        done = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=False,
        )
        assert done.returncode == 0, done.stderr
        said.add(done.stdout)
    assert len(said) == 1


@pytest.mark.parametrize(
    "make",
    [
        lambda x: pd.DataFrame({"a": [1.0, x], "b": ["u", "v"]}, index=[3, 4]),
        lambda x: pd.Series([1.0, x], index=pd.to_datetime(["2024-01-01", "2024-01-02"])),
        lambda x: pl.DataFrame({"a": [1.0, x], "b": ["u", "v"]}),
        lambda x: np.random.default_rng(int(x)),
        lambda x: hz.Market("m", hz.Equity, multiplier=x),
        lambda x: hz.RiskConfig(max_order_size=x),
        lambda x: {"a": [{"b": (x, np.float32(x))}]},
        lambda x: functools.partial(max, x),
        lambda x: np.array([x, None, "a"], dtype=object),
        lambda x: bytearray(str(x).encode()),
    ],
    ids=[
        "frame",
        "series",
        "polars",
        "generator",
        "market",
        "risk",
        "nested",
        "partial",
        "objects",
        "bytes",
    ],
)
def test_objects_are_known_by_what_they_hold(make: Callable[[float], object]) -> None:
    assert fingerprint(make(2.0)) == fingerprint(make(2.0))
    assert fingerprint(make(2.0)) != fingerprint(make(3.0))


def test_what_is_a_library_and_what_is_ones_own() -> None:
    assert is_library("numpy")
    assert is_library("math")
    assert is_library("horizon.engine")
    assert not is_library("__main__")
    assert not is_library(__name__)
    assert [module.__name__ for module in user_modules(counting)] == [
        __name__,
        "tests.walkforward.fakes",
    ]


def test_a_lock_in_a_closure_is_refused_by_name(tmp_path: Path) -> None:
    lock = threading.Lock()

    def factory(params: dict[str, Any]) -> float:
        with lock:
            return float(params["a"])

    with pytest.raises(TypeError, match="cache cannot be used with this pipeline_factory: cannot"):
        Store(tmp_path / "new", plan_of(SETTINGS, factory=factory))
    assert not (tmp_path / "new").exists()
    with pytest.raises(TypeError, match="cache cannot be used with these parameters"):
        Store(tmp_path, plan_of(SETTINGS)).key(FIRST, {"a": lock})


# ------------------------------------------------------------------------ modules of one's own
@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Write modules and import them anew, as a new process would."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    names: set[str] = set()

    def forget() -> None:
        for name in names:
            sys.modules.pop(name, None)
        importlib.invalidate_caches()

    def write(**texts: str) -> None:
        names.update(texts)
        forget()
        for name, text in texts.items():
            (tmp_path / f"{name}.py").write_text(text)

    yield write
    forget()


HELPER = "def scale():\n    return 1\n"
CFG = "from own_helper import scale\nSIZE = 1\n\ndef build(p):\n    return SIZE * scale()\n"


@pytest.mark.parametrize(
    "text",
    [
        "import own_cfg\ndef factory(p):\n    return own_cfg.build(p)\n",
        "def factory(p):\n    import own_cfg\n    return own_cfg.build(p)\n",
        "def factory(p):\n    import own_cfg as cfg\n    return [lambda: cfg.build(p)]\n",
        "def factory(p):\n    from own_cfg import build\n    return build(p)\n",
        "def outer():\n    import own_cfg\n    def factory(p):\n        return own_cfg.build(p)\n"
        "    return factory\nfactory = outer()\n",
        "import own_cfg\ndef factory(p):\n    return getattr(own_cfg, p['kind'])(own_cfg.SIZE)\n",
        "import own_cfg\ndef factory(p, cfg=own_cfg):\n    return cfg.build(p)\n",
        "import own_cfg\nHELD = {'cfg': own_cfg}\n\n"
        "def factory(p):\n    return HELD['cfg'].build(p)\n",
        "import own_cfg\ndef call(m, p):\n    return m.build(p)\n\n"
        "def factory(p):\n    return call(own_cfg, p)\n",
        "import own_cfg\ndef factory(p):\n    cfg = own_cfg\n    return cfg.build(p)\n",
        "import own_cfg\ndef factory(p):\n    return (own_cfg if p else None).build(p)\n",
        "import own_cfg\ndef factory(p):\n    return globals()['own_cfg'].build(p)\n",
        "import own_cfg\ndef factory(p):\n    return eval('own_cfg.build(p)')\n",
        "import own_cfg\nclass Model:\n    cfg = own_cfg\n\n"
        "def factory(p):\n    return Model.cfg.build(p)\n",
    ],
    ids=[
        "global",
        "local",
        "local alias",
        "local name",
        "closure",
        "getattr",
        "default",
        "dict",
        "argument",
        "other variable",
        "expression",
        "globals",
        "eval",
        "class",
    ],
)
@pytest.mark.parametrize(
    "changed",
    [
        {"own_cfg": CFG.replace("SIZE = 1", "SIZE = 5")},
        {"own_cfg": CFG.replace("SIZE *", "SIZE +")},
        {"own_helper": HELPER.replace("1", "2")},
    ],
    ids=["value", "code", "import of an import"],
)
def test_whatever_a_module_of_ones_own_brings_is_part_of_the_key(
    own: Callable[..., None], text: str, changed: dict[str, str]
) -> None:
    texts = {"own_cfg": CFG, "own_helper": HELPER}
    keys = []
    for each in (texts, {**texts, **changed}, texts):
        own(**each)
        keys.append(fingerprint(made(text)))
        assert keys[-1] == fingerprint(made(text))  # loaded by now

    assert keys[0] != keys[1]
    assert keys[0] == keys[2]


def test_a_value_that_is_set_in_a_module_is_another_key(own: Callable[..., None]) -> None:
    own(own_cfg=CFG, own_helper=HELPER)
    cfg = importlib.import_module("own_cfg")

    def factory(params: dict[str, Any]) -> Any:
        return cfg.build(params)

    first = fingerprint(factory)
    cfg.SIZE = 5
    second = fingerprint(factory)
    cfg.scale = lambda: 3

    assert len({first, second, fingerprint(factory)}) == 3


def test_modules_that_import_each_other_have_a_key(own: Callable[..., None]) -> None:
    # strat.build → helpers.stage → strat.SIZE
    strat = "import own_helpers\nSIZE = 1\ndef build(p):\n    return own_helpers.stage(p)\n"
    helpers = "import own_strat\ndef stage(ctx):\n    return own_strat.SIZE\n"
    keys = []
    for size in ("1", "9", "1"):
        own(own_strat=strat.replace("= 1", f"= {size}"), own_helpers=helpers)
        for text in (
            "import own_strat\ndef factory(p):\n    return own_strat.build(p)\n",
            "import own_strat\ndef factory(p):\n    return getattr(own_strat, 'build')(p)\n",
        ):
            keys.append(fingerprint(made(text)))

    assert keys[:2] == keys[4:]
    assert len(set(keys)) == 4


def test_what_code_does_not_take_of_a_module_is_no_part_of_its_key(
    own: Callable[..., None],
) -> None:
    text = "import own_cfg\ndef factory(p):\n    return own_cfg.build(p)\n"
    keys = set()
    for more in ("", "# a comment\n", "def unused():\n    pass\n", "import threading\n"):
        own(own_cfg=f"{more}{CFG}", own_helper=HELPER)
        keys.add(fingerprint(made(text)))

    assert len(keys) == 1


@pytest.mark.parametrize("name", ["statistics", "test"])
def test_a_module_of_ones_own_may_bear_a_name_of_pythons(
    name: str, own: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in list(sys.modules):
        if module == name or module.startswith(f"{name}."):
            monkeypatch.delitem(sys.modules, module)
    keys = set()
    for size in (1, 2):
        own(**{name: f"def size():\n    return {size}\n"})
        keys.add(fingerprint(made(f"import {name}\ndef factory(p):\n    return {name}.size()\n")))

    assert len(keys) == 2


@pytest.mark.parametrize(
    "text",
    [
        "import importlib\ndef factory(p):\n    return importlib.import_module(p['kind'])\n",
        "def factory(p):\n    return __import__(p['kind']).build(p)\n",
        "import sys\ndef factory(p):\n    return sys.modules[p['kind']].build(p)\n",
    ],
    ids=["importlib", "__import__", "sys.modules"],
)
def test_imports_of_names_made_as_code_runs_are_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=r"with this pipeline_factory: .* takes modules by names"):
        Store(tmp_path, plan_of(SETTINGS, factory=made(text)))
    assert user_modules(made(text)) == []


def test_workers_are_sent_what_a_closed_over_module_imports(own: Callable[..., None]) -> None:
    own(own_cfg=CFG, own_helper=HELPER)
    cfg = importlib.import_module("own_cfg")

    def factory(params: dict[str, Any]) -> Any:
        return cfg.build(params)

    names = [module.__name__ for module in user_modules(factory)]
    assert names == [__name__, "own_cfg", "own_helper"]


VERSION = "Metadata-Version: 2.1\nName: {}\nVersion: {}\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            {"nover/__init__.py": "def f(): return 1\n"},
            {"nover/__init__.py": "def f(): return 2\n"},
        ),
        ({"nover.py": "def f(): return 1\n"}, {"nover.py": "def f(): return 2\n"}),
        (
            {"nover.py": "f = max\n", "Nover-1.dist-info/METADATA": VERSION.format("Nover", 1)},
            {"nover.py": "f = min\n", "Nover-1.dist-info/METADATA": VERSION.format("Nover", 1)},
        ),
        (
            {
                "nover.py": "def f(): pass\n",
                "nover-1.dist-info/METADATA": VERSION.format("nover", 1),
                "nover-1.dist-info/RECORD": "nover.py,sha256=abc,9\n",
            },
            {
                "nover.py": "def f(): pass\n",
                "nover-1.dist-info/METADATA": VERSION.format("nover", 1),
                "nover-1.dist-info/RECORD": "nover.py,sha256=xyz,9\n",
            },
        ),
        (
            {
                "nover.py": "def f(): pass\n",
                "any-1.dist-info/METADATA": VERSION.format("any", 1),
                "any-1.dist-info/RECORD": "nover.py,sha256=abc,9\n",
            },
            {
                "nover.py": "def f(): pass\n",
                "any-2.dist-info/METADATA": VERSION.format("any", 2),
                "any-2.dist-info/RECORD": "nover.py,sha256=abc,9\n",
            },
        ),
    ],
    ids=["package", "file", "no record", "installed again", "upgraded"],
)
def test_a_library_that_says_no_version_is_known_all_the_same(
    before: dict[str, str], after: dict[str, str], tmp_path: Path
) -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import nover\n"
        "from horizon.walkforward.code import is_library\n"
        "from horizon.walkforward.keys import fingerprint\n"
        "assert is_library('nover')\n"
        "def factory(p):\n    return nover.f()\n"
        "print(fingerprint(factory))\n"
    )
    said = []
    for number, files in enumerate((before, before, after)):
        folder = tmp_path / str(number) / "site-packages"
        for name, text in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        done = subprocess.run(
            [sys.executable, "-B", "-c", code, str(folder)],
            capture_output=True,
            text=True,
            cwd=ROOT,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        said.append(done.stdout)

    assert said[0] == said[1]
    assert said[0] != said[2]


# ------------------------------------------------------------------------ wrappers and kinds
WRAPPED = (
    "import functools\nimport numpy as np\n"
    "def scaled(k):\n    def wrap(f):\n        @functools.wraps(f)\n"
    "        def inner(x):\n            return k * f(x)\n        return inner\n    return wrap\n\n"
)


@pytest.mark.parametrize(
    ("one", "old", "new"),
    [
        (
            f"{WRAPPED}@functools.cache\n@scaled(1)\ndef helper(x):\n    return x\n\n"
            "def factory(p):\n    return helper(p)\n",
            "scaled(1)",
            "scaled(2)",
        ),
        (
            f"{WRAPPED}K = 1\n@functools.wraps(np.mean)\ndef helper(x):\n    return K * x\n\n"
            "def factory(p):\n    return helper(p)\n",
            "K = 1",
            "K = 2",
        ),
        (
            "import dataclasses\nModel = dataclasses.make_dataclass('Model', [('k', int, 1)])\n"
            "Model.__module__ = 'types'\ndef factory(p):\n    return Model()\n",
            "int, 1",
            "int, 2",
        ),
        (
            "import numba\n@numba.njit(fastmath=False)\ndef helper(x):\n    return x\n\n"
            "def factory(p):\n    return helper(p)\n",
            "False",
            "True",
        ),
        (
            "def factory(p):\n    from statistics import mean as f\n    return f(p)\n",
            "import mean",
            "import median",
        ),
    ],
    ids=["cached wrapper", "library's name", "made class", "compiler's options", "local import"],
)
def test_what_is_wrapped_or_made_is_known_by_what_it_does(one: str, old: str, new: str) -> None:
    assert fingerprint(made(one)) == fingerprint(made(one))
    assert fingerprint(made(one)) != fingerprint(made(one.replace(old, new)))


@pytest.mark.parametrize(
    "text",
    [
        "import numpy as np\ndef factory(p):\n    return np.random.normal()\n",
        "from numpy.random import normal\ndef factory(p):\n    return normal()\n",
        "def factory(p):\n    from numpy.random import normal\n    return normal()\n",
        "import random\ndef factory(p):\n    return random.gauss(0, 1)\n",
        "from random import random\ndef factory(p):\n    return random()\n",
    ],
    ids=["numpy", "numpy's name", "local name", "python", "python's name"],
)
def test_draws_from_a_shared_generator_are_known_by_its_state(text: str) -> None:
    keys = []
    for seed in (1, 2, 1):
        np.random.seed(seed)  # noqa: NPY002
        random.seed(seed)
        keys.append(fingerprint(made(text)))

    assert keys[0] == keys[2]
    assert keys[0] != keys[1]


class Tagged(np.ndarray):  # type: ignore[type-arg]
    """Numbers with something beside them, which pickle leaves out."""

    tag: int


def tagged(tag: int) -> Tagged:
    numbers = np.arange(3.0).view(Tagged)
    numbers.tag = tag
    return numbers


class Words(set[str]):
    """A kind of set."""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            lambda: np.ma.array([1, 2, 3], mask=[0, 0, 0]),
            lambda: np.ma.array([1, 2, 3], mask=[0, 1, 0]),
        ),
        (lambda: tagged(1), lambda: tagged(2)),
        (lambda: np.arange(6.0).reshape(2, 3), lambda: np.arange(6.0).reshape(2, 3).copy("F")),
        (lambda: np.zeros(2, [("a", "i8")]), lambda: np.zeros(2, [("b", "i8")])),
        (lambda: Words(("a", "b")), lambda: Words(("a", "c"))),
        (lambda: Words(("a", "b")), lambda: {"a", "b"}),
        (lambda: re.compile("a+"), lambda: re.compile("a+", re.I)),
        (lambda: np.add, lambda: np.subtract),
        (lambda: [[0]] * 2, lambda: [[0], [0]]),  # one list twice is not two
    ],
    ids=["mask", "attribute", "order", "fields", "set", "kind", "pattern", "ufunc", "shared"],
)
def test_kinds_are_known_by_all_that_they_hold(
    one: Callable[[], object], other: Callable[[], object]
) -> None:
    assert fingerprint(one()) == fingerprint(one())
    assert fingerprint(one()) != fingerprint(other())


class Named:
    """Something that pickle would know by its name alone."""

    def __reduce__(self) -> str:
        return "NAMED"


NAMED = Named()


@pytest.mark.parametrize(
    "value",
    [NAMED, np.frompyfunc(lambda x: x, 1, 1), (x for x in "ab")],
    ids=["name", "ufunc", "generator"],
)
def test_what_does_not_say_what_it_holds_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match="and so not whether it has changed"):
        fingerprint(value)


def test_circles_that_are_joined_otherwise_are_other_keys() -> None:
    # Both read the same as far as one looks down and back up again.
    end: list[Any] = []
    start = [end, 1]
    end.append(start)
    own: list[Any] = []
    own.append([own])

    assert fingerprint([start, [end]]) != fingerprint([start, own[0]])


def test_long_chains_and_wide_circles_have_keys() -> None:
    deep: list[Any] = []
    for _ in range(5000):
        deep = [deep]
    text = "".join(
        f"def f{k}(x):\n    return f{(k + 1) % 400}(x) + f{(k * 7) % 400}(x)\n\n"
        for k in range(400)
    )
    last = "def factory(p):\n    return f0(p)\n"

    assert fingerprint(deep) != fingerprint(deep[0])
    assert fingerprint(made(text + last)) == fingerprint(made(text + last))
    other = text.replace("+ f93(x)", "- f93(x)")  # somewhere in the circle
    assert other != text
    assert fingerprint(made(text + last)) != fingerprint(made(other + last))


# ------------------------------------------------------------------------ files
def test_a_torn_file_is_made_again_with_a_warning(tmp_path: Path) -> None:
    search(tmp_path, SETTINGS)
    torn = sorted(tmp_path.rglob("*.run"))[4]
    torn.write_bytes(torn.read_bytes()[:-7])

    with pytest.warns(RuntimeWarning, match=rf"cache: .*{torn.name} cannot be used \(its checksum"):
        assert search(tmp_path, SETTINGS) == (expected(9, SETTINGS), 1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert search(tmp_path, SETTINGS) == (expected(9, SETTINGS), 0)


@pytest.fixture(scope="module")
def kept() -> bytes:
    """A real outcome as bytes."""
    plan = real_plan(20)
    return encode(run_task(plan, real_tasks(plan, 20, 1)[0]))


def test_bytes_cut_anywhere_are_refused(kept: bytes) -> None:
    assert isinstance(decode(kept), Outcome)
    for cut in [*range(200), *range(200, len(kept), 211), len(kept) - 1]:
        with pytest.raises(ValueError, match=r"it does not begin|its checksum"):
            decode(kept[:cut])


def test_bytes_flipped_anywhere_are_refused(kept: bytes) -> None:
    for place in [*range(200), *range(200, len(kept), 197), len(kept) - 1]:
        flipped = bytearray(kept)
        flipped[place] ^= 1
        with pytest.raises(ValueError, match=r"it does not begin|its checksum"):
            decode(bytes(flipped))


def test_bytes_behind_the_end_are_refused(kept: bytes) -> None:
    with pytest.raises(ValueError, match="its checksum"):
        decode(kept + b"\0")


class Trap:
    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (self.folder,)

    def __init__(self, folder: str) -> None:
        self.folder = folder


def test_a_pickle_in_a_cache_is_never_read(tmp_path: Path) -> None:
    search(tmp_path, SETTINGS)
    for path in tmp_path.rglob("*.run"):
        path.write_bytes(pickle.dumps(Trap(str(tmp_path / "sprung"))))

    with pytest.warns(RuntimeWarning, match="it does not begin as an outcome does"):
        assert search(tmp_path, SETTINGS)[1] == 9
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize(
    "value",
    [float("nan"), -float("nan"), float("inf"), -float("inf"), -0.0, 5e-324, 0.1, np.float64(2.5)],
    ids=["nan", "-nan", "inf", "-inf", "-0", "tiny", "0.1", "numpy"],
)
def test_numbers_keep_their_bits(value: float) -> None:
    outcome = outcome_of(FIRST, value)

    got = decode(encode(outcome))

    assert np.float64(got.objective).tobytes() == np.float64(value).tobytes()
    assert type(got.objective) is type(value)
    assert got == outcome


def test_what_cannot_be_written_is_an_error_not_a_guess() -> None:
    outcome = outcome_of(FIRST, 1.0)
    outcome.metrics["odd"] = object()  # type: ignore[assignment]

    with pytest.raises(TypeError, match="an outcome cannot be kept with a object in it"):
        encode(outcome)


def test_a_full_disk_does_not_end_a_search(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)

    with pytest.warns(RuntimeWarning, match="No space left on device.; nothing more is kept") as w:
        assert search(tmp_path, SETTINGS) == (expected(9, SETTINGS), 9)
    assert len(w) == 1
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_cache_that_is_no_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(ValueError, match=r"cache must be a folder, .*file' is a file"):
        Store(tmp_path / "file", plan_of(SETTINGS))
    with pytest.raises(TypeError, match=r"cache must be the path of a folder, was 3 \(int\)"):
        Store(3, plan_of(SETTINGS))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "name",
    ["file/below", "file/a/b", "x" * 300, "nul\0l", ""],
    ids=["in a file", "below it", "too long", "zero byte", "empty"],
)
def test_a_cache_that_cannot_be_made_is_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").write_text("")

    with pytest.raises(ValueError, match="cache must be the path of a folder that exists or can"):
        Store(name, plan_of(SETTINGS))


def test_a_run_that_cannot_be_read_is_made_again(tmp_path: Path) -> None:
    search(tmp_path, SETTINGS)
    lost = sorted(tmp_path.rglob("*.run"))[4]
    lost.unlink()
    lost.mkdir()

    with pytest.warns(RuntimeWarning, match=r"cache: .* cannot be (used|written)"):
        assert search(tmp_path, SETTINGS) == (expected(9, SETTINGS), 1)


def test_two_processes_share_a_cache(tmp_path: Path) -> None:
    code = (
        "import sys, warnings; warnings.simplefilter('error')\n"
        "from pathlib import Path\n"
        "from horizon.walkforward.execute import execute\n"
        "from horizon.walkforward.store import Store\n"
        "from tests.walkforward.fakes import *\n"
        "plan = real_plan(100)\n"
        "tasks = real_tasks(plan, 100, 10)\n"
        "folder = Path(sys.argv[1])\n"
        "sys.stdin.readline()\n"  # both begin at once
        "for _ in range(3):\n"
        "    done = execute(plan, tasks, store=Store(folder, plan))\n"
        "print([outcome.objective for outcome in done])\n"
    )
    pipes: dict[str, Any] = {
        "stdin": subprocess.PIPE,
        "stdout": subprocess.PIPE,
        "stderr": subprocess.PIPE,
        "text": True,
    }
    command = [sys.executable, "-c", code, str(tmp_path)]
    both = [subprocess.Popen(command, cwd=ROOT, **pipes) for _ in range(2)]
    for process in both:
        process.stdin.write("go\n")
        process.stdin.flush()
    said = [process.communicate(timeout=300) for process in both]

    assert [errors for _, errors in said] == ["", ""]
    assert [process.returncode for process in both] == [0, 0]
    assert said[0][0] == said[1][0]
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) == 40  # 4 settings · 10 stretches, and nothing half written
    assert all(path.suffix == ".run" for path in files)
