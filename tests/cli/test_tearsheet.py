"""``horizon tearsheet``: numbers of files, and what is wrong with them."""

from __future__ import annotations

import csv
import io
import json
import math
import webbrowser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import horizon as hz
from horizon.analytics import Metrics, Tearsheet
from tests.cli.conftest import Run

# 100 to 110 is 10 %, to 99 is −10 %: −1 % in all, and 10 % below the highest.
EQUITY = "time,equity\n2024-01-01,100\n2024-01-02,110\n2024-01-03,99\n"
RETURNS = "Date,Return\n2024-01-02,0.1\n2024-01-03,-0.1\n"


def numbers(text: str) -> dict[str, Any]:
    """The metrics of a JSON, with its texts for numbers that JSON has no word for."""
    found: dict[str, Any] = json.loads(text)["metrics"]
    return {name: float(v) if isinstance(v, str) else v for name, v in found.items()}


def same(found: dict[str, Any], metrics: Metrics) -> None:
    for name, value in found.items():
        expected = getattr(metrics, name)
        if isinstance(value, float) and math.isnan(value):
            assert math.isnan(expected), name
        else:
            assert value == expected, name


def write(name: str, text: str) -> Path:
    path = Path(name)
    path.write_text(text, encoding="utf-8")
    return path


# ------------------------------------------------------------------------ numbers
def test_text_is_the_sheets_own(horizon: Run) -> None:
    write("fund.csv", EQUITY)
    code, out, err = horizon("tearsheet", "fund.csv")
    assert (code, err) == (0, "")
    assert out.startswith("fund: 2024-01-01 to 2024-01-03")
    assert "Total return:                    −1.00 %" in out
    assert "Largest drawdown:                10.00 %" in out
    days = pd.date_range("2024-01-01", periods=3)
    sheet = hz.generate_tearsheet(pd.Series([100.0, 110.0, 99.0], index=days), title="fund")
    assert out == f"{sheet!r}\n"


def test_json_has_every_metric_of_the_library(horizon: Run) -> None:
    write("fund.csv", EQUITY)
    code, out, _ = horizon(
        "tearsheet", "fund.csv", "--format", "json", "--risk-free", 0.04, "--periods-per-year", 252
    )
    assert code == 0
    body = json.loads(out)
    assert (body["title"], body["currency"]) == ("fund", "USD")
    assert body["from"] == "2024-01-01T00:00:00.000000000Z"
    assert body["returns"] == {"count": 2, "sampling": "points", "per_year": 252.0}
    assert "Short record" in body["cautions"][0]
    found = numbers(out)
    assert found["total_return"] == -1.0
    assert found["max_drawdown_pct"] == pytest.approx(0.1)
    curve = [(86_400.0 * day, equity) for day, equity in enumerate([100, 110, 99], start=19_723)]
    sheet = hz.generate_tearsheet(curve, risk_free=0.04, periods_per_year=252.0)
    assert set(found) == set(Metrics.__dataclass_fields__)
    same(found, sheet.metrics)


def test_csv_has_every_digit(horizon: Run) -> None:
    write("fund.csv", "ts,Equity\n0,3\n60,3.1\n120,2.9\n")
    code, out, _ = horizon("tearsheet", "fund.csv", "--format", "csv")
    assert code == 0
    rows = {row["name"]: row for row in csv.DictReader(io.StringIO(out))}
    sheet = hz.generate_tearsheet([(0, 3), (60, 3.1), (120, 2.9)])
    assert float(rows["total_return_pct"]["value"]) == sheet.metrics.total_return_pct
    assert rows["total_return_pct"]["unit"] == "fraction"
    assert rows["return_count"]["value"] == "2"


def test_infinity_is_text_in_json(horizon: Run) -> None:
    # Gains without a loss: a Sortino ratio beyond all numbers.
    write("up.csv", "time,equity\n2024-01-01,100\n2024-01-02,101\n2024-01-03,103\n")
    _, out, _ = horizon("tearsheet", "up.csv", "--json")
    assert json.loads(out)["metrics"]["sortino_ratio"] == "inf"


def test_returns_are_compounded(horizon: Run) -> None:
    write("fund.csv", RETURNS)
    code, out, _ = horizon("tearsheet", "fund.csv", "--format", "json", "--initial-capital", 1000)
    assert code == 0
    found = numbers(out)
    # 1000 × 1.1 × 0.9
    assert found["final_equity"] == pytest.approx(990.0)
    days = pd.date_range("2024-01-02", periods=2)
    same(
        found,
        Tearsheet.from_returns(pd.Series([0.1, -0.1], index=days), initial_capital=1000.0).metrics,
    )


def test_columns_can_be_named(horizon: Run) -> None:
    write("fund.csv", "When,Value,Net\n2024-01-01,100,0\n2024-01-02,110,0.1\n")
    code, out, _ = horizon(
        "tearsheet", "fund.csv", "--time", "When", "--equity", "Value", "--format", "json"
    )
    assert code == 0
    assert numbers(out)["total_return"] == 10.0
    code, out, _ = horizon(
        "tearsheet", "fund.csv", "--time", "When", "--returns", "Net", "--format", "json"
    )
    assert code == 0
    assert numbers(out)["return_count"] == 2


def test_initial_capital_comes_before_the_first_point(horizon: Run) -> None:
    write("fund.csv", EQUITY)
    _, out, _ = horizon("tearsheet", "fund.csv", "--initial-capital", 99, "--format", "json")
    assert numbers(out)["total_return"] == 0.0


@pytest.mark.parametrize("indexed", [True, False])
def test_parquet_with_its_times_as_index_or_column(horizon: Run, indexed: bool) -> None:
    days = pd.date_range("2024-01-01", periods=3, tz="UTC")
    frame = pd.DataFrame({"equity": [100.0, 110.0, 99.0]}, index=days)
    frame = frame if indexed else frame.reset_index(names="time")
    frame.to_parquet("fund.parquet")
    code, out, _ = horizon("tearsheet", "fund.parquet", "--format", "json")
    assert code == 0
    assert numbers(out)["total_return"] == -1.0


def test_benchmark_of_prices_and_of_returns_is_the_same(horizon: Run) -> None:
    write("fund.csv", EQUITY)
    write("index.csv", "date,Close\n2024-01-01,50\n2024-01-02,52.5\n2024-01-03,52.5\n")
    # 52.5 / 50 is 5 %, then nothing.
    write("moves.csv", "date,return\n2024-01-02,0.05\n2024-01-03,0\n")
    said = []
    for name in ("index.csv", "moves.csv"):
        code, out, _ = horizon("tearsheet", "fund.csv", "--benchmark", name, "--format", "json")
        assert code == 0
        said.append(numbers(out))
    # Means 0 and 2.5 %; (10 − 0)(5 − 2.5) + (−10 − 0)(0 − 2.5) = 50, over 2 × 2.5² = 12.5.
    assert said[0]["beta"] == pytest.approx(4.0)
    assert said[1]["beta"] == pytest.approx(4.0)


# ------------------------------------------------------------------------ saved runs
@pytest.fixture
def saved(tmp_path: Path) -> hz.BacktestResult:
    hours = np.arange(50)
    result = hz.backtest(
        name="waves",
        data={"timestamp": 3600.0 * hours, "price": 50 + np.sin(hours / 5.0)},
        markets=[hz.Market("ACME", hz.Equity)],
        pipeline=[lambda ctx: hz.quotes(ctx.feed.price, spread=0.2, size=1)],
    )
    result.save(tmp_path / "run")
    return result


@pytest.mark.parametrize("name", ["run", "run/result.json"])
def test_saved_run_is_what_it_was(horizon: Run, saved: hz.BacktestResult, name: str) -> None:
    code, out, _ = horizon("tearsheet", name)
    assert code == 0
    assert out == f"{saved.tearsheet()!r}\n"
    same(numbers(horizon("tearsheet", name, "--json").out), saved.metrics)


def test_saved_run_refuses_what_is_for_tables(horizon: Run, saved: hz.BacktestResult) -> None:
    code, _, err = horizon("tearsheet", "run", "--initial-capital", 5)
    assert code == 2
    assert "--initial-capital is for a table" in err


def test_folder_without_a_run_says_so(horizon: Run) -> None:
    Path("empty").mkdir()
    code, _, err = horizon("tearsheet", "empty")
    assert code == 1
    assert err == "horizon: 'empty' is no saved result: it has no result.json\n"


# ------------------------------------------------------------------------ bad files
@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ("2024-01-01,100\n2024-01-02,\n", "column 'equity' must be finite numbers, row 1 has nan"),
        ("2024-01-01,100\n2024-01-02,x\n", "column 'equity' must be finite numbers, row 1 has 'x'"),
        (
            "2024-01-02,100\n2024-01-01,101\n",
            "fund.csv: column 'time' must be in order of time, row 1 at "
            "2024-01-01 comes after 2024-01-02",
        ),
        ("2024-01-01,100\nsoon,101\n", "row 1 has 'soon' (row 0 is the first of the data)"),
        (
            "31/12/2024,100\n01/01/2025,101\n",
            "column 'time' must have times as epoch seconds or datetimes, row 0 has '31/12/2024'; "
            "write dates as ISO does, year first: 2024-12-31",
        ),
        (
            '2024-01-01,100\n2024-01-02,"51,045.46"\n',
            "column 'equity' must be finite numbers, row 1 has '51,045.46'; write no thousands "
            "separators, and a decimal point: 51045.46",
        ),
        ("2024-01-01,100\n2024-01-02,2%\n", "row 1 has '2%'; equity is in USD"),
        ("2024-01-01,100\n", "fund.csv has one row: nothing can be said of one point"),
        ("20240101,100\n20240102,101\n", "row 0 has 20240101, which looks like a day"),
        ("", "fund.csv has no rows"),
    ],
)
def test_bad_row_is_named_and_nothing_is_printed(horizon: Run, rows: str, says: str) -> None:
    write("fund.csv", f"time,equity\n{rows}")
    code, out, err = horizon("tearsheet", "fund.csv")
    assert (code, out) == (1, "")
    assert says in err
    assert len(err.splitlines()) == 1


# Percent numbers of two days: 2 % up and 1.5 % down is 1.02 × 0.985 = 1.0047.
@pytest.mark.parametrize("moves", [("2", "-1.5"), ("2%", "-1.5%"), ("2 %", "-1.5 %")])
def test_percent_numbers_are_refused_as_fractions_and_taken_as_what_they_are(
    horizon: Run, moves: tuple[str, str]
) -> None:
    write("fund.csv", f"date,return\n2024-01-02,{moves[0]}\n2024-01-03,{moves[1]}\n")
    code, out, err = horizon("tearsheet", "fund.csv")
    assert (code, out) == (1, "")
    assert "fund.csv: column 'return'" in err
    assert "0.0209 is 2.09 %" in err
    assert "divide by 100, or give --percent" in err
    wrong = "row 0 has '2" if "%" in moves[0] else "row 1 has -1.5"
    assert wrong in err
    code, out, err = horizon("tearsheet", "fund.csv", "--percent", "--format", "json")
    assert (code, err) == (0, "")
    assert numbers(out)["total_return_pct"] == pytest.approx(0.0047)
    write("equity.csv", EQUITY)
    beside = ["--benchmark", "fund.csv", "--benchmark-percent"]
    assert horizon("tearsheet", "equity.csv", *beside[:2]).code == 1
    assert "or give --benchmark-percent" in horizon("tearsheet", "equity.csv", *beside[:2]).err
    assert horizon("tearsheet", "equity.csv", *beside).code == 0


def test_a_loss_of_everything_is_a_return_and_more_is_none(horizon: Run) -> None:
    write("fund.csv", "date,return\n2024-01-02,0.1\n2024-01-03,-1\n")
    code, out, err = horizon("tearsheet", "fund.csv", "--format", "json")
    assert (code, err) == (0, "")
    assert numbers(out)["total_return_pct"] == -1.0
    write("fund.csv", "date,return\n2024-01-02,1\n2024-01-03,-101\n")
    code, out, err = horizon("tearsheet", "fund.csv", "--percent")
    assert (code, out) == (1, "")
    assert "row 1 has -101, and no account without leverage loses more than 100 %" in err


def test_most_returns_beyond_half_are_warned_of(horizon: Run) -> None:
    rows = "date,return\n2024-01-02,0.9\n2024-01-03,-0.6\n2024-01-04,0.5\n"
    write("fund.csv", rows)
    code, out, err = horizon("tearsheet", "fund.csv", "--format", "json")
    assert code == 0
    assert numbers(out)["total_return_pct"] == pytest.approx(1.9 * 0.4 * 1.5 - 1)
    assert "warning: fund.csv: column 'return': 2 of 3 returns are beyond 50 %" in err
    # Half of them are not most.
    write("fund.csv", f"{rows}2024-01-05,0.1\n")
    assert horizon("tearsheet", "fund.csv").err == ""
    # It is of returns; equity is taken where there are both.
    write("fund.csv", EQUITY)
    code, _, err = horizon("tearsheet", "fund.csv", "--percent")
    assert code == 1
    assert "--percent is for returns" in err


@pytest.mark.parametrize(("sign", "name"), [(";", ";"), ("\t", "tab"), ("|", "|")])
def test_other_separators_are_found_and_can_be_given(horizon: Run, sign: str, name: str) -> None:
    write("fund.csv", EQUITY.replace(",", sign))
    code, out, err = horizon("tearsheet", "fund.csv")
    assert (code, out) == (1, "")
    assert f"with {name!r} between them: give --separator '{name}'" in err
    code, out, _ = horizon("tearsheet", "fund.csv", "--separator", name, "--format", "json")
    assert code == 0
    assert numbers(out)["total_return"] == -1.0
    write("plain.csv", EQUITY)
    beside = ["plain.csv", "--benchmark", "fund.csv"]
    assert "give --benchmark-separator" in horizon("tearsheet", *beside).err
    assert horizon("tearsheet", *beside, "--benchmark-separator", name).code == 0


def test_decimal_commas_behind_a_separator_of_their_own_are_told(horizon: Run) -> None:
    write("fund.csv", "time;equity\n2024-01-01;100,5\n2024-01-02;101,5\n")
    assert "give --separator ';'" in horizon("tearsheet", "fund.csv").err
    code, _, err = horizon("tearsheet", "fund.csv", "--separator", ";")
    assert code == 1
    assert "row 0 has '100,5'; write no thousands separators, and a decimal point" in err


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("Int64", "row 1 has <NA>"),
        ("Float64", "row 1 has <NA>"),
        ("double[pyarrow]", "row 1 has <NA>"),
        ("boolean", "it has true and false"),
        ("bool[pyarrow]", "it has true and false"),
    ],
)
def test_gap_of_pandas_own_kind_is_told(horizon: Run, kind: str, says: str) -> None:
    days = pd.date_range("2024-01-01", periods=3)
    equity = pd.Series([1, None, 0], dtype=kind)
    pd.DataFrame({"time": days, "equity": equity}).to_parquet("fund.parquet")
    code, out, err = horizon("tearsheet", "fund.parquet")
    assert (code, out) == (1, "")
    assert f"column 'equity' must be finite numbers, {says}" in err


def test_times_that_come_twice_are_said_and_taken_as_by_the_library(horizon: Run) -> None:
    write("fund.csv", "time,equity\n0,100\n60,110\n60,121\n")
    code, out, err = horizon("tearsheet", "fund.csv", "--format", "json")
    assert code == 0
    assert "1 of 3 rows have the time of the row before" in err
    same(numbers(out), hz.generate_tearsheet([(0, 100), (60, 110), (60, 121)]).metrics)
    # The start that a capital of its own puts before the first point is no such row.
    write("plain.csv", "time,equity\n0,100\n60,110\n")
    assert horizon("tearsheet", "plain.csv", "--initial-capital", 90).err == ""


@pytest.mark.parametrize(
    ("text", "arguments", "says"),
    [
        ("a,b\n1,2\n", [], "has no column of times; it has 'a', 'b'"),
        ("time,b\n1,2\n", [], "has no column of equity, nor of returns; it has 'time', 'b'"),
        (EQUITY, ["--equity", "eqity"], "Did you mean 'equity'?"),
        ("a,b\n1,2\n1,2,3\n", [], "fund.csv cannot be read"),
    ],
)
def test_missing_columns_are_told_with_those_that_are_there(
    horizon: Run, text: str, arguments: list[str], says: str
) -> None:
    write("fund.csv", text)
    code, _, err = horizon("tearsheet", "fund.csv", *arguments)
    assert code == 1
    assert says in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["--equity", "a", "--returns", "b"],
        ["--benchmark-column", "a"],
        ["--benchmark-percent"],
        ["--separator", "x"],
        ["-o", "report.csv"],
        ["-o", "none/report.html"],
    ],
)
def test_options_that_do_not_go_together(horizon: Run, arguments: list[str]) -> None:
    write("fund.csv", EQUITY)
    assert horizon("tearsheet", "fund.csv", *arguments).code == 2


# ------------------------------------------------------------------------ the page
def test_page_is_written_and_opened(horizon: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", lambda url: bool(opened.append(url)) or True)
    write("fund.csv", EQUITY)
    code, out, err = horizon(
        "tearsheet", "fund.csv", "-o", "page.html", "--theme", "dark", "--title", "A & B", "--open"
    )
    assert (code, err) == (0, "wrote page.html\n")
    assert out.startswith("A & B: ")
    page = Path("page.html").read_text(encoding="utf-8")
    assert "A &amp; B" in page
    assert opened == [Path("page.html").absolute().as_uri()]
