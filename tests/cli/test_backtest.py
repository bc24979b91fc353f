"""``horizon backtest``: what is taken of a script, what is run, and what is said."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import horizon as hz
from horizon.cli.script import load_script
from tests.cli.conftest import Run

SCRIPT = """
import numpy as np
import horizon as hz
from horizon import feeds, strategies  # modules of arguments' names

hours = np.arange(60)
data = {"timestamp": 3600.0 * hours, "price": 50 + np.sin(hours / 5.0)}
markets = [hz.Market("ACME", hz.Equity)]
initial_capital = 5_000.0
params = {"size": 2, "spread": 0.2, "tag": "a", "on": True, "steps": (1, 2)}

def pipeline_factory(params):
    return [lambda ctx: hz.quotes(ctx.feed.price, spread=params["spread"], size=params["size"])]
"""
HOURS = np.arange(60)
DATA = {"timestamp": 3600.0 * HOURS, "price": 50 + np.sin(HOURS / 5.0)}


def direct(
    size: float = 2, data: Any = DATA, capital: float = 5_000.0, **more: Any
) -> hz.BacktestResult:
    """The same run, by the library."""
    return hz.backtest(
        name="waves",
        data=data,
        markets=[hz.Market("ACME", hz.Equity)],
        initial_capital=capital,
        pipeline=[lambda ctx: hz.quotes(ctx.feed.price, spread=0.2, size=size)],
        **more,
    )


def write(text: str, name: str = "waves.py") -> Path:
    path = Path(name)
    path.write_text(text, encoding="utf-8")
    return path


def metrics(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text)["metrics"]
    return found


# ------------------------------------------------------------------------ runs
def test_script_is_run_as_by_the_library(horizon: Run) -> None:
    write(SCRIPT)
    code, out, err = horizon("backtest", "waves.py")
    assert code == 0
    assert out == f"{direct().summary()}\n"
    assert err == (
        "taken from waves.py: pipeline_factory, markets, data, initial_capital; params: size=2, "
        "spread=0.2, tag='a', on=True, steps=(1, 2)\n"
    )


def test_a_run_by_hand(horizon: Run) -> None:
    # A bid of 10 at 0.45 fills when the price is 0.4, at its limit; at 0.6 it is 1.50 USD up.
    write(
        "import horizon as hz\n"
        "data = [{'timestamp': t, 'price': p} for t, p in enumerate([0.5, 0.4, 0.6])]\n"
        "paper_fee_rate = 0.0\n"
        "pipeline = [lambda ctx: [hz.Quote(0.45, None, 10)] if ctx.timestamp == 0 else None]\n"
    )
    code, out, err = horizon("backtest", "waves.py", "--json")
    assert code == 0, err
    assert metrics(out)["total_return"] == pytest.approx(1.5)


def test_set_changes_a_parameter(horizon: Run) -> None:
    write(SCRIPT)
    code, out, _ = horizon("backtest", "waves.py", "--set", "size=3", "--json")
    assert code == 0
    found, expected = metrics(out), direct(size=3).metrics
    assert found["total_return"] == expected.total_return != direct().metrics.total_return
    assert found["total_fees"] == expected.total_fees


def test_set_reads_values_as_json_and_keeps_texts(tmp_path: Path) -> None:
    path = tmp_path / "waves.py"
    path.write_text(SCRIPT, encoding="utf-8")
    given = {"size": "3.0", "spread": "1", "tag": "007", "on": "false", "steps": "[3]"}
    assert load_script(path, given).params == {
        "size": 3,
        "spread": 1,
        "tag": "007",
        "on": False,
        "steps": (3,),
    }
    assert type(load_script(path, given).params["size"]) is int
    assert load_script(path, {"tag": '"x y"'}).params["tag"] == "x y"
    assert load_script(path, {"tag": "1e400"}).params["tag"] == "1e400"


@pytest.mark.parametrize(
    "tail",
    [
        "initial_capital = 2_500.0 * params['size']",
        "mine = params\ninitial_capital = 2_500.0 * mine['size']",
        "def capital():\n    return 2_500.0 * params.get('size')\ninitial_capital = capital()",
        "if True:\n    params = {**params}\n    initial_capital = 2_500.0 * params['size']",
        "try:\n    copy = dict(**params)\nfinally:\n    initial_capital = 2_500.0 * copy['size']",
    ],
    ids=["at load", "an alias", "a helper", "a copy", "in a block"],
)
def test_set_reaches_what_is_made_beside_the_pipeline(horizon: Run, tail: str) -> None:
    """The capital, of the script's own params; the factory has the value as well."""
    write(f"{SCRIPT}{tail}\n")
    code, out, err = horizon("backtest", "waves.py", "--set", "size=3")
    assert code == 0
    assert "params: size=3, spread=0.2" in err
    assert "note:" not in err
    assert out == f"{direct(size=3, capital=7_500.0).summary()}\n"
    assert horizon("backtest", "waves.py").out == f"{direct(capital=5_000.0).summary()}\n"


@pytest.mark.parametrize(
    ("tail", "made"),
    [
        ("pipeline = pipeline_factory(params)", "pipeline"),
        ("N = 2\nparams = {'size': N}\npipeline = [lambda ctx: None]", "pipeline"),
        ("strategies = [hz.Strategy]", "strategies"),
    ],
    ids=["of params", "of a name", "strategies"],
)
def test_set_is_refused_where_the_pipeline_was_made_at_load(
    horizon: Run, tail: str, made: str
) -> None:
    write(f"{SCRIPT}{tail}\ndel pipeline_factory\n")
    code, out, err = horizon("backtest", "waves.py", "--set", "size=3", "-o", "run")
    assert (code, out) == (1, "")
    assert f"--set size: waves.py has made its {made} already" in err
    assert "Leave a function pipeline_factory(params)" in err
    assert not Path("run").exists()


@pytest.mark.parametrize(
    ("read", "is_noted"),
    [
        ("n = 2", True),
        ("n = params['size']", False),
        ("n = params.get('size')", False),
        ("n = dict(params)['size']", False),
        ("n = (params | {})['size']", False),
        ("n = {**params}['size']", False),
        ("n = (lambda size, **_: size)(**params)", False),
        ("return [lambda ctx: hz.quotes(ctx.feed.price, 0.2, params['size'])]", False),
    ],
    ids=["never", "by name", "get", "a copy", "or", "unpacked", "keywords", "by a stage"],
)
def test_set_that_the_factory_has_not_read_is_noted(
    horizon: Run, read: str, is_noted: bool
) -> None:
    write(
        f"{SCRIPT}def pipeline_factory(params):\n    {read}\n"
        "    return [lambda ctx: hz.quotes(ctx.feed.price, 0.2, n)]\n"
    )
    code, out, err = horizon("backtest", "waves.py", "--set", "size=3")
    assert code == 0
    assert ("has not read 'size' from its params" in err) is is_noted
    assert out == f"{direct(size=2 if is_noted else 3).summary()}\n"


@pytest.mark.parametrize(
    ("tail", "says"),
    [
        ("del params", "--set size: waves.py has no such parameter in params; it has none"),
        ("params = {'n': 1}", "--set size: waves.py has no such parameter in params; it has n"),
        (
            "import types\nparams = types.MappingProxyType({'size': 2})\n",
            "--set size: params must be a dict, waves.py has a mappingproxy",
        ),
        ("first, params = 1, {'size': 2}", "of waves.py makes params and more at once"),
        ("for params in [{'size': 2}]:\n    n = params['size']", "makes params and more at once"),
        ("def f():\n    global params\n    params = first\nf()", "makes params and more at once"),
        ("params = first\nparams['size'] *= 10", "gives it another value afterwards, 30"),
        ("params = first\nparams = {'size': 2}", "gives it another value afterwards, 2"),
    ],
    ids=["none", "another", "no dict", "beside", "a loop", "a function", "scaled", "set back"],
)
def test_set_that_finds_no_place_is_refused(horizon: Run, tail: str, says: str) -> None:
    write(SCRIPT.replace("params = {", "first = {") + f"params = {{}}\n{tail}\n")
    code, out, err = horizon("backtest", "waves.py", "--set", "size=3")
    assert (code, out) == (1, "")
    assert says in err


def test_script_is_the_same_python_with_set_and_without(horizon: Run) -> None:
    """Lines keep their numbers, annotations their meaning, and a docstring stays first."""
    head = '"""Waves."""\nfrom __future__ import annotations\n'
    check = (
        "assert __doc__ == 'Waves.'\ndef f(x: Nowhere) -> None: ...\n"
        "for i in range(3):\n    if i == 1:\n        break\n1 / (i - 1)\n"
    )
    write(head + SCRIPT + check)
    for more in ([], ["--set", "size=3"]):
        code, _, err = horizon("backtest", "waves.py", *more)
        assert code == 1
        assert f"line {(head + SCRIPT + check).count(chr(10))}, in <module>" in err
        assert "ZeroDivisionError" in err
    write(SCRIPT + "def f(x: Nowhere) -> None: ...\n")
    for more in ([], ["--set", "size=3"]):
        assert "name 'Nowhere' is not defined" in horizon("backtest", "waves.py", *more).err


def test_values_of_params_that_stages_may_not_read_are_not_printed(horizon: Run) -> None:
    write(f"{SCRIPT}pipeline = pipeline_factory(params)\ndel pipeline_factory\n")
    code, out, err = horizon("backtest", "waves.py")
    assert code == 0
    assert out == f"{direct().summary()}\n"
    assert err == "taken from waves.py: markets, data, pipeline, initial_capital, params\n"


@pytest.mark.parametrize(
    ("given", "code", "says"),
    [
        ("size", 2, "must be NAME=VALUE, was 'size'"),
        ("sise=2", 1, "no such parameter in params; it has size, spread, tag, on, steps. Did you"),
        ("size=big", 1, "the value must be JSON"),
        ("size=NaN", 1, "the value must be JSON"),
        ("size=1e400", 1, "--set size=1e400: it must be finite"),
        ("spread=-1e999", 1, "must be finite"),
        (f"spread=1{'0' * 400}", 1, "must be finite"),
        ("steps=[1e400]", 1, "must be finite"),
        ("size=5.7", 1, "--set size=5.7 must be a whole number: the script has 2 there (2.0 in"),
        ("size=true", 1, "must be a number: the script has 2 there"),
        ("on=1", 1, "must be true or false: the script has True there"),
    ],
)
def test_set_says_what_is_wrong(horizon: Run, given: str, code: int, says: str) -> None:
    write(SCRIPT)
    said = horizon("backtest", "waves.py", "--set", given)
    assert said.code == code
    assert says in said.err


def test_data_takes_the_place_of_the_scripts(horizon: Run) -> None:
    write(SCRIPT)
    frame = pd.DataFrame(DATA).iloc[:30]
    frame.to_csv("short.csv", index=False)
    code, out, err = horizon("backtest", "waves.py", "--data", "short.csv", "--json")
    assert code == 0
    assert metrics(out)["total_return"] == direct(data=frame).metrics.total_return
    assert "markets, initial_capital;" in err  # and no data
    assert "has made of its own data while it was loaded" in err
    write("a,b\n1,2\n1,2,3\n", "broken.csv")
    code, _, err = horizon("backtest", "waves.py", "--data", "broken.csv")
    assert code == 1
    assert "broken.csv cannot be read" in err


def test_columns_of_the_data_are_named(horizon: Run) -> None:
    write(SCRIPT)
    frame = pd.DataFrame(DATA)
    frame.rename(columns={"timestamp": "when", "price": "mid"}).to_csv("rows.csv", index=False)
    given = ("backtest", "waves.py", "--data", "rows.csv", "--json")
    code, _, err = horizon(*given)
    assert code == 1
    assert "rows.csv: feed 'data' has no column 'timestamp' and no column 'price'" in err
    assert err.endswith("Say which is meant by --column timestamp=COLUMN\n")
    named = ("--column", "timestamp=when", "--column", "price=mid")
    code, out, _ = horizon(*given, *named)
    assert code == 0
    assert metrics(out)["total_return"] == direct().metrics.total_return
    assert horizon(*given, *named, "--check-lookahead").code == 0
    code, _, err = horizon(*given, "--column", "timestamp=wen")
    assert code == 1
    assert "no column 'wen', which --column names for 'timestamp'" in err
    assert "Did you mean 'when'?" in err
    for wrong, says in (
        (["--column", "price"], "must be NAME=COLUMN, was 'price'"),
        (["--column", "price=a", "--column", "price=b"], "names 'price' twice"),
    ):
        assert says in horizon(*given, *wrong).err
    assert horizon("backtest", "waves.py", "--column", "price=mid").code == 2
    frame.to_csv("rows.csv", index=False, sep=";")
    code, _, err = horizon(*given)
    assert code == 1
    assert err.endswith("It has ';' between its columns: write it with commas\n")


def test_columns_of_the_scripts_own_data_are_named_in_the_script(horizon: Run) -> None:
    write(SCRIPT.replace('"price": 50', '"mid": 50'))
    code, _, err = horizon("backtest", "waves.py")
    assert code == 1
    assert err.endswith('Say which is meant by columns = {"price": ...} in waves.py\n')
    write(SCRIPT.replace('"price": 50', '"mid": 50') + 'columns = {"price": "mid"}\n')
    code, out, _ = horizon("backtest", "waves.py", "--json")
    assert code == 0
    assert metrics(out)["total_return"] == direct().metrics.total_return


def test_data_is_refused_beside_the_scripts_books(horizon: Run) -> None:
    books = "[{'timestamp': 1.0, 'bids': [(0.4, 5)], 'asks': [(0.5, 5)]}]"
    stage = "def stage(ctx):\n    return None"
    write(f"book_data = {{'m': {books}}}\n{stage}\npipeline = [stage]\n", "books.py")
    assert horizon("backtest", "books.py").code == 0
    write("timestamp,price\n1,0.4\n2,0.5\n", "rows.csv")
    code, _, err = horizon("backtest", "books.py", "--data", "rows.csv")
    assert code == 1
    assert "--data would be traded against the books" in err


def test_result_is_saved_and_its_page_written(horizon: Run) -> None:
    write(SCRIPT)
    code, _, err = horizon("backtest", "waves.py", "-o", "run", "--html", "waves.html")
    assert code == 0
    assert err.endswith("saved run\nwrote waves.html\n")
    again = hz.load_result("run")
    assert again.name == "waves"
    assert again.metrics == direct().metrics
    assert "<title>" in Path("waves.html").read_text(encoding="utf-8")
    # What is there is replaced only when that is asked for, and that is said before the run.
    code, out, err = horizon("backtest", "waves.py", "-o", "run")
    assert (code, out) == (2, "")
    assert "taken from" not in err
    assert horizon("backtest", "waves.py", "-o", "run", "--overwrite").code == 0


@pytest.mark.parametrize(
    "arguments",
    [["--overwrite"], ["-o", "waves.py/run"], ["-o", "waves.py"], ["--html", "x.txt"]],
)
def test_places_that_cannot_be_are_refused_before_the_run(
    horizon: Run, arguments: list[str]
) -> None:
    write(SCRIPT)
    said = horizon("backtest", "waves.py", *arguments)
    assert said.code == 2
    assert "taken from" not in said.err


def test_other_files_are_never_replaced_and_that_is_said_before_the_run(horizon: Run) -> None:
    write(SCRIPT)
    Path("keep").mkdir()
    write("mine", "keep/notes.txt")
    code, out, err = horizon("backtest", "waves.py", "-o", "keep", "--overwrite")
    assert (code, out) == (2, "")
    assert "has other files than a saved result, which are never replaced: notes.txt" in err
    assert "taken from" not in err
    assert Path("keep/notes.txt").read_text() == "mine"
    # Nor beside a saved result; without them it is replaced.
    assert horizon("backtest", "waves.py", "-o", "run").code == 0
    write("mine", "run/notes.txt")
    code, out, err = horizon("backtest", "waves.py", "-o", "run", "--overwrite")
    assert (code, out) == (2, "")
    assert "never replaced: notes.txt\n" in err
    Path("run/notes.txt").unlink()
    assert horizon("backtest", "waves.py", "-o", "run", "--overwrite").code == 0
    # A file of that name which is another's result is none of ours.
    write("{}", "run/result.json")
    code, _, err = horizon("backtest", "waves.py", "-o", "run", "--overwrite")
    assert code == 2
    assert "replaced: equity.parquet, fills.parquet, orders.parquet and 2 more" in err


def test_folders_above_a_result_are_made(horizon: Run) -> None:
    write(SCRIPT)
    code, _, err = horizon("backtest", "waves.py", "-o", "runs/waves/first")
    assert code == 0, err
    assert hz.load_result("runs/waves/first").metrics == direct().metrics
    # Not for a run that fails.
    write("pipeline = [lambda ctx: 1 / 0]\ndata = [{'timestamp': 0, 'price': 0.5}]\n")
    assert horizon("backtest", "waves.py", "-o", "others/waves").code == 1
    assert not Path("others").exists()


@pytest.mark.parametrize("form", ["text", "json"])
def test_no_hint_at_a_result_that_is_not_there(horizon: Run, form: str) -> None:
    write(
        "import horizon as hz\n"
        "data = [{'timestamp': t, 'price': p} for t, p in enumerate([0.5, 0.6, 0.7])]\n"
        "pipeline = [lambda ctx: [hz.Quote(0.1, None, 10)]]\n"
    )
    code, out, err = horizon("backtest", "waves.py", "--format", form)
    assert code == 0
    assert "Nothing filled of 1 order." in out
    assert "explain" not in out + err


def test_a_stage_whose_last_number_is_no_price_is_told(horizon: Run) -> None:
    write(
        f"{SCRIPT}\ndef trend(ctx):\n    return 1.0\n"
        "def both(ctx, trend):\n    return hz.quotes(ctx.feed.price, spread=0.2, size=2)\n"
        "pipeline = [trend, both]\ndel pipeline_factory\n"
    )
    code, out, _ = horizon("backtest", "waves.py")
    assert code == 0
    assert "the last number that a stage returns counts as the fair value" in out
    write(SCRIPT)
    assert "the last number" not in horizon("backtest", "waves.py").out


def test_the_script_of_the_help_runs(horizon: Run) -> None:
    shown = horizon("backtest", "--help").out
    block = shown.split("A whole script")[1].split("\n", 1)[1].split("\n\n")[0]
    write(textwrap.dedent(block), "helped.py")
    code, out, err = horizon("backtest", "helped.py", "--json", "-o", "run")
    assert code == 0, err
    assert err.startswith("taken from helped.py: pipeline_factory, markets, data, initial_capital")
    fills = hz.load_result("run").fills
    # The market order comes first: the row after it is at 101; then quotes fill too.
    assert (fills[0].size, fills[0].price) == (10.0, 101.0)
    assert len(fills) > 1
    wider = horizon("backtest", "helped.py", "--json", "--set", "spread=3")
    assert wider.code == 0
    assert metrics(wider.out)["total_return"] != metrics(out)["total_return"]


def test_csv_of_metrics(horizon: Run) -> None:
    write(SCRIPT)
    code, out, _ = horizon("backtest", "waves.py", "--format", "csv")
    assert code == 0
    assert f"total_return,{direct().metrics.total_return!r},currency" in out


def test_progress_goes_to_the_error_output_when_asked_for(horizon: Run) -> None:
    write(SCRIPT)
    assert "rows/s" not in horizon("backtest", "waves.py").err
    said = horizon("backtest", "waves.py", "--progress")
    assert "60.0/60.0" in said.err
    assert "rows" not in said.out


# ------------------------------------------------------------------------ scripts
def test_script_is_a_module_of_its_own(horizon: Run) -> None:
    """Its dataclasses and helpers work; its main part does not run; its paths are the command's."""
    Path("folder").mkdir()
    write("SIZE = 2\n", "folder/beside_it.py")
    pd.DataFrame(DATA).to_csv("rows.csv", index=False)
    head = SCRIPT.split("data = ")[0]
    write(
        "from __future__ import annotations\nfrom dataclasses import dataclass\n"
        f"{head}"
        "from beside_it import SIZE\n"
        "@dataclass\nclass Size:\n    n: int = SIZE\n"
        "data = 'rows.csv'\nmarkets = [hz.Market('ACME', hz.Equity)]\ninitial_capital = 5_000.0\n"
        "pipeline = [lambda ctx: hz.quotes(ctx.feed.price, spread=0.2, size=Size().n)]\n"
        "if __name__ == '__main__':\n    raise AssertionError\n",
        "folder/waves.py",
    )
    code, out, err = horizon("backtest", "folder/waves.py", "--json")
    assert code == 0, err
    assert metrics(out)["total_return"] == direct().metrics.total_return


class Dips(hz.Strategy):
    features = {"z": hz.Zscore(10)}

    def evaluate(self, f: Any, universe: Any) -> Any:
        return [hz.Signal.increase(m, edge_bps=30) for m in universe if f.z[m.id] < -1]


def test_strategies_are_run(horizon: Run) -> None:
    write(
        SCRIPT.split("params = ")[0] + "class Dips(hz.Strategy):\n"
        '    features = {"z": hz.Zscore(10)}\n'
        "    def evaluate(self, f, universe):\n"
        "        return [hz.Signal.increase(m, edge_bps=30) for m in universe if f.z[m.id] < -1]\n"
        "strategies = [Dips]\n"
    )
    code, out, err = horizon("backtest", "waves.py", "--json")
    assert code == 0, err
    expected = hz.backtest(
        data=DATA,
        markets=[hz.Market("ACME", hz.Equity)],
        initial_capital=5_000.0,
        strategies=[Dips],
    ).metrics
    assert metrics(out)["total_return"] == expected.total_return != 0.0


def test_result_of_the_script_is_taken(horizon: Run) -> None:
    tail = "result = hz.backtest(name='own', data=data, markets=markets, pipeline=pipeline)\n"
    pipeline = "pipeline = [lambda ctx: hz.quotes(ctx.feed.price, spread=0.2, size=2)]\n"
    write(SCRIPT.split("params =")[0] + pipeline + tail)
    code, out, err = horizon("backtest", "waves.py")
    assert (code, err) == (0, "")
    assert "Backtest: own" in out
    for arguments in (["--data", "waves.py"], ["--check-lookahead"], ["--set", "a=1"]):
        code, out, err = horizon("backtest", "waves.py", *arguments)
        assert (code, out) == (1, "")
        assert f"{arguments[0]} comes too late" in err


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("x = 1\n", "leaves nothing to run: it needs pipeline, strategies, pipeline_factory"),
        ("pipelines = []\n", "Did you mean 'pipeline'?"),
        ("result = 3\n", "result must be a BacktestResult, as hz.backtest returns it; it is a int"),
        ("pipeline_factory = 3\n", "pipeline_factory must be a function, was 3"),
        ("pipeline = []\npipeline_factory = print\n", "pipeline_factory and pipeline; leave one"),
        ("pipeline = [print]\nparams = 3\n", "params must be a dict, was 3"),
        ("pipeline = [lambda ctx: None]\n", "nothing to replay: give --data FILE, or leave data"),
        ("import sys\nsys.exit('no')\n", "ended itself before there was something to run"),
    ],
)
def test_script_that_cannot_be_run_says_why(horizon: Run, text: str, says: str) -> None:
    write(text)
    code, out, err = horizon("backtest", "waves.py")
    assert (code, out) == (1, "")
    assert says in err
    assert "Traceback" not in err


def test_wrong_argument_is_the_librarys_message(horizon: Run) -> None:
    write(SCRIPT.replace("5_000.0", "-5"))
    code, _, err = horizon("backtest", "waves.py")
    assert code == 1
    assert err.splitlines()[-1] == "horizon: initial_capital must be above 0, was -5"


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("def f():\n    return 1 / 0\nf()\n", ["line 3, in <module>", "line 2, in f"]),
        (
            "data = [{'timestamp': t, 'price': 0.5} for t in range(4)]\n"
            "def stage(ctx):\n    return 1 / 0\npipeline = [stage]\n",
            ["line 3, in stage", "stage 'stage' failed for market 'market'"],
        ),
        ("def pipeline_factory(params):\n    return 1 / 0\ndata = []\n", ["in pipeline_factory"]),
        ("x = (\n", ["SyntaxError: '(' was never closed", "line 1"]),
        ("import horizon as hz\nhz.Market('', hz.Equity)\n", ["line 2, in <module>"]),
    ],
)
def test_error_in_a_script_shows_its_own_lines_alone(
    horizon: Run, text: str, lines: list[str]
) -> None:
    write(text)
    code, out, err = horizon("backtest", "waves.py")
    assert (code, out) == (1, "")
    for line in lines:
        assert line in err
    assert str(Path(hz.__file__).parent) not in err
    assert "fault of Horizon" not in err


# ------------------------------------------------------------------------ look-ahead
def test_lookahead_that_is_found_ends_it(horizon: Run) -> None:
    write(
        "import numpy as np\nimport horizon as hz\n"
        "rows = 0.5 + 0.2 * np.sin(np.arange(80) / 3.0)\n"
        "data = {'timestamp': np.arange(80.0), 'price': rows}\n"
        "params = {'all': data}\n"
        "def stage(ctx):\n"
        "    later = ctx.params['all']['price']\n"
        "    here = min(int(ctx.timestamp) + 1, len(later) - 1)\n"
        "    return hz.quotes(later[here], spread=0.02, size=1)\n"
        "pipeline = [stage]\n"
    )
    code, out, err = horizon("backtest", "waves.py", "--check-lookahead", "-o", "run")
    assert (code, out) == (1, "")
    assert "the look-ahead check of waves.py" in err
    assert "with all data" in err
    assert not Path("run").exists()


def test_no_lookahead_goes_on_to_the_run(horizon: Run) -> None:
    write(SCRIPT)
    code, out, err = horizon("backtest", "waves.py", "--check-lookahead")
    assert code == 0
    assert out == f"{direct().summary()}\n"
    assert "No look-ahead found" in err
    assert "could not be cut" in err
    # The check's counts are smaller than the run's, and it is said why.
    (checked,) = re.findall(r"(\d+) fills", err)
    assert int(checked) < direct().metrics.total_trades
    assert "Compared was what was decided up to the last cut. The run that is shown" in err


def test_run_after_a_check_is_of_a_script_loaded_anew(horizon: Run) -> None:
    """What stages have kept of the check's runs would be in it otherwise."""
    write(
        "data = [{'timestamp': t, 'price': 0.5 + 0.01 * (t % 7)} for t in range(40)]\n"
        "import horizon as hz\n"
        "seen = []\n"
        "def stage(ctx):\n"
        "    seen.append(ctx.timestamp)\n"
        "    assert len(seen) <= 40 * 40\n"
        "    return hz.quotes(ctx.feed.price, spread=0.02, size=1)\n"
        "def pipeline_factory(params):\n"
        "    return [stage]\n"
    )
    loads = Path("loads.txt")
    text = Path("waves.py").read_text()
    write(f"{text}with open('loads.txt', 'a') as file:\n    file.write('x')\n")
    assert horizon("backtest", "waves.py", "--check-lookahead").code == 0
    assert loads.read_text() == "xx"


def test_module_in_a_pipe_has_no_colours(tmp_path: Path) -> None:
    (tmp_path / "waves.py").write_text(SCRIPT, encoding="utf-8")
    ran = subprocess.run(
        [sys.executable, "-m", "horizon", "backtest", "waves.py", "--json"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(Path(hz.__file__).parents[1]), "NO_COLOR": "1", "TERM": "xterm"},
    )
    assert "\x1b" not in ran.stdout + ran.stderr
    assert metrics(ran.stdout)["total_return"] == direct().metrics.total_return
