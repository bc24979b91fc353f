"""What is made of a finished run: lists, frames, metrics, summary, CSV; with runs made by hand."""

from __future__ import annotations

import copy
import csv
import gc
import json
import math
import pickle
import weakref
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import horizon as hz
from horizon.analytics import fill_table, generate_tearsheet
from horizon.analytics.sampling import Sampling
from horizon.backtesting.result import BacktestResult
from horizon.instruments import Equity, Market, Option, Prediction
from horizon.types import Fill, OrderSide, Position, Side, VenueSettlement
from tests.backtesting.made import T0, ns, record_of, whole_run, with_name

HOSTILE = '<img src=x onerror="alert(1)">&\u202egnp'


def close(value: Any) -> Any:
    return pytest.approx(value, rel=1e-12, abs=1e-12)


@pytest.fixture
def result() -> BacktestResult:
    return BacktestResult(whole_run())


@pytest.fixture
def idle() -> BacktestResult:
    """Two steps in which nothing was sent."""
    return BacktestResult(record_of([(0, 1000.0), (1, 1000.0)]))


# ------------------------------------------------------------------------ lists and frames
def test_trades_are_fills_in_engine_words(result: BacktestResult) -> None:
    assert result.trades == [
        Fill("p1", "rain", Side.Yes, OrderSide.Buy, 10.0, 0.40, 0.01, T0 + 10.0, True, 0.0),
        Fill("p2", "rain", Side.No, OrderSide.Buy, 5.0, 0.30, 0.02, T0 + 20.0, False, 0.0),
        Fill("p3", "ACME", Side.Long, OrderSide.Buy, 2.0, 50.0, 0.10, T0 + 20.0, False, 0.0),
        Fill("p4", "ACME", Side.Long, OrderSide.Sell, 1.0, 55.0, 0.05, T0 + 30.0, True, 5.0),
    ]
    assert result.fills == result.trades


def test_fills_hold_plain_python_values(result: BacktestResult) -> None:
    fill = result.trades[0]
    kinds = [type(getattr(fill, name)) for name in ("size", "price", "fee", "timestamp")]
    assert kinds == [float] * 4
    assert type(fill.is_maker) is bool
    assert type(fill.order_id) is str


def test_lists_belong_to_the_caller(result: BacktestResult) -> None:
    result.trades.clear()
    result.equity_curve.clear()
    result.positions.clear()
    assert (len(result.trades), len(result.equity_curve), len(result.positions)) == (4, 6, 1)


def test_equity_curve_has_seconds_and_floats(result: BacktestResult) -> None:
    curve = result.equity_curve
    assert curve[0] == (float(T0), 1000.0)
    assert curve[-1] == (T0 + 40.0, 1013.32)
    assert {type(number) for point in curve for number in point} == {float}


def test_equity_is_a_series_indexed_by_utc(result: BacktestResult) -> None:
    equity = result.equity
    assert isinstance(equity.index, pd.DatetimeIndex)
    assert str(equity.index.tz) == "UTC"
    assert equity.index[1] == pd.Timestamp(T0 + 10, unit="s", tz="UTC")
    assert equity.tolist() == [1000.0, 999.99, 1002.87, 1012.82, 1012.82, 1013.32]
    equity.iloc[0] = 0.0
    assert result.equity.iloc[0] == 1000.0


def test_fills_frame_has_what_the_list_has_and_fair_values(result: BacktestResult) -> None:
    frame = result.fills_frame()
    assert frame.index.tolist() == ["f1", "f2", "f3", "f4"]
    assert frame["order_id"].tolist() == ["p1", "p2", "p3", "p4"]
    assert frame["market_id"].tolist() == ["rain", "rain", "ACME", "ACME"]
    assert frame["side"].tolist() == ["yes", "no", "long", "long"]
    assert frame["order_side"].tolist() == ["buy", "buy", "buy", "sell"]
    assert frame["size"].tolist() == [10.0, 5.0, 2.0, 1.0]
    assert frame["timestamp"].tolist() == [
        pd.Timestamp(T0 + s, unit="s", tz="UTC") for s in (10, 20, 20, 30)
    ]
    assert frame["fair_value"].tolist()[:2] == [0.55, 0.65]
    assert frame["fair_value"].isna().tolist() == [False, False, True, True]


def test_fills_frame_can_be_read_by_the_analytics(result: BacktestResult) -> None:
    own = fill_table(result.fills_frame(), result.settlements)
    assert hz.analytics.pnl_by_market(own) == close({"rain": 4.47, "ACME": 4.85})


def test_orders_frame_has_a_row_for_each_order(result: BacktestResult) -> None:
    frame = result.orders_frame()
    assert frame.index.tolist() == [f"p{k}" for k in range(1, 8)]
    assert frame["status"].tolist() == ["filled"] * 4 + ["canceled", "rejected", "new"]
    assert frame["order_type"].tolist() == ["limit", "limit", "market", *["limit"] * 4]
    assert frame["price"].isna().tolist() == [False, False, True, *[False] * 4]
    assert frame["average_price"].tolist()[:4] == [0.4, 0.3, 50.0, 55.0]
    assert frame["average_price"].isna().tolist() == [False] * 4 + [True] * 3
    assert frame["ended"].isna().tolist() == [False] * 6 + [True]
    assert frame["submitted"].iloc[3] == pd.Timestamp(T0 + 20, unit="s", tz="UTC")
    assert frame["intent"].tolist()[:2] == ["quote", ""]
    assert frame["reason"].iloc[4] == "the quote has moved"
    assert frame["post_only"].tolist() == [False] * 6 + [True]
    assert frame["reduce_only"].tolist() == [False] * 3 + [True] + [False] * 3


def test_an_order_sent_to_a_market_outside_the_run_is_shown() -> None:
    orders = [{"leg": "elsewhere", "price": 5.0, "status": "rejected", "reason": "no price"}]
    record = record_of(
        [(0, 1000.0)],
        orders=orders,
        leg_ids=("rain", "elsewhere", "other:no"),
        markets=(Market("rain", Prediction),),
    )
    frame = BacktestResult(record).orders_frame()
    assert frame[["market_id", "side"]].values.tolist() == [["elsewhere", "long"]]


def test_positions_and_settlements(result: BacktestResult) -> None:
    assert result.positions == [Position("ACME", Side.Long, 1.0, 50.0, 5.0, 4.0)]
    frame = result.positions_frame()
    assert frame.loc["ACME"].tolist() == ["long", 1.0, 50.0, 5.0, 4.0]
    assert result.settlements == [
        VenueSettlement("rain", 10.0, 1.0, 6.0, T0 + 40.0),
        VenueSettlement("rain:no", 5.0, 0.0, -1.5, T0 + 40.0),
    ]


def test_frames_of_nothing_have_the_types_of_frames_of_something(
    result: BacktestResult, idle: BacktestResult
) -> None:
    for name in ("fills_frame", "orders_frame", "positions_frame"):
        empty, full = getattr(idle, name)(), getattr(result, name)()
        assert len(empty) == 0
        assert empty.dtypes.to_dict() == full.dtypes.to_dict()
        assert empty.index.dtype == full.index.dtype


def test_times_keep_every_nanosecond() -> None:
    record = record_of([(0, 1000.0), (0, 1000.0)])
    record = replace(record, times_ns=np.array([T0 * 10**9 + 1, T0 * 10**9 + 2], dtype=np.int64))
    assert BacktestResult(record).equity.index.nanosecond.tolist() == [1, 2]


# ------------------------------------------------------------------------ money
def test_pnl_by_market_is_realised_less_fees_in_market_order(result: BacktestResult) -> None:
    # rain: YES 10 × (1 − 0.40) − NO 5 × 0.30 − 0.03; ACME: 5 − 0.15.
    assert result.pnl_by_market() == close({"rain": 4.47, "ACME": 4.85})
    assert list(result.pnl_by_market()) == ["rain", "ACME"]


def test_pnl_and_what_is_unrealised_are_the_total_return(result: BacktestResult) -> None:
    unrealized = sum(position.unrealized_pnl for position in result.positions)
    assert sum(result.pnl_by_market().values()) + unrealized == close(13.32)
    assert result.metrics.total_return == close(13.32)


def test_a_market_without_fills_has_a_profit_of_zero() -> None:
    run = whole_run(
        markets=(Market("idle", Equity), Market("ACME", Equity), Market("rain", Prediction))
    )
    profits = BacktestResult(run).pnl_by_market()
    assert profits == close({"idle": 0.0, "ACME": 4.85, "rain": 4.47})
    assert list(profits) == ["idle", "ACME", "rain"]


def test_pnl_by_market_is_exactly_rounded() -> None:
    # 1e16 + 1 − 1e16, a thousand times: a running sum of floats would lose each 1.
    fills = []
    for _ in range(1000):
        for realized in (1e16, 1.0, -1e16):
            fills.append((1, "rain", 1, 1.0, 0.5, 0.0, realized, 0.0, False))
    run = record_of([(0, 1000.0)], fills, [{"price": 0.5}])
    assert BacktestResult(run).pnl_by_market() == {"rain": 1000.0}


def test_multipliers_of_the_markets_count() -> None:
    # An option bought at 2 and sold at 3, 100 shares each: 100, and an equity of multiplier 5.
    legs = ("AAPL250117C00180000", "FUT")
    fills = [
        (1, legs[0], 1, 1.0, 2.0, 0.0, 0.0, 1.0, False),
        (2, legs[0], -1, 1.0, 3.0, 0.0, 100.0, 2.0, False),
        (3, "FUT", 1, 2.0, 7.0, 0.0, 0.0, 2.0, False),
        (4, "FUT", -1, 2.0, 8.0, 0.0, 10.0, 3.0, False),
    ]
    run = record_of(
        [(0, 1000.0), (3, 1110.0)],
        fills,
        [{"price": 1.0, "leg": legs[0]}] * 4,
        leg_ids=legs,
        markets=(Market(legs[0], Option), Market("FUT", Equity, multiplier=5.0)),
    )
    metrics = BacktestResult(run).metrics
    # Notional: 200 + 300 + 70 + 80.
    assert metrics.traded_notional == close(650.0)
    assert metrics.expectancy == close(55.0)


# ------------------------------------------------------------------------ metrics
def test_metrics_worked_out_by_hand(result: BacktestResult) -> None:
    m = result.metrics
    assert m.total_return == close(13.32)
    assert m.total_return_pct == close(0.01332)
    assert m.total_trades == 4
    assert m.total_fees == close(0.18)
    # Closings: ACME 5 − 0.05 − half of 0.10; YES 6 − 0.01; NO −1.5 − 0.02.
    assert m.closing_count == 3
    assert m.win_rate == close(200 / 3)
    assert m.profit_factor == close((4.9 + 5.99) / 1.52)
    assert m.expectancy == close((4.9 + 5.99 - 1.52) / 3)
    assert (m.avg_win, m.avg_loss) == close((5.445, -1.52))
    assert (m.largest_win, m.largest_loss) == close((5.99, -1.52))
    assert m.max_drawdown == close(0.01)


def test_forecasts_worked_out_by_hand(result: BacktestResult) -> None:
    m = result.metrics
    # YES bought at 0.40; NO bought at 0.30 is YES sold at 0.70; the outcome is 1.
    assert m.brier_score == close((0.6**2 + 0.3**2) / 2)
    assert m.model_brier_score == close((0.45**2 + 0.35**2) / 2)
    # 0.55 − 0.40 bought, 0.70 − 0.65 sold.
    assert m.avg_edge == close((0.15 + 0.05) / 2)


def test_metrics_are_worked_out_once(result: BacktestResult) -> None:
    assert result.metrics is result.metrics


def test_forecasts_are_none_without_what_they_need() -> None:
    nothing = np.full(4, np.nan)
    m = BacktestResult(whole_run(outcomes={}, fair_values=nothing)).metrics
    assert (m.brier_score, m.model_brier_score, m.avg_edge) == (None, None, None)
    m = BacktestResult(whole_run(fair_values=nothing)).metrics
    assert m.brier_score is not None
    assert (m.model_brier_score, m.avg_edge) == (None, None)
    m = BacktestResult(whole_run(outcomes={})).metrics
    assert (m.brier_score, m.model_brier_score) == (None, None)
    assert m.avg_edge == close(0.10)


def test_an_outcome_that_the_run_did_not_reach_is_not_used() -> None:
    run = whole_run(outcomes={}, config={"outcomes": {"rain": 1.0}})
    result = BacktestResult(run)
    assert result.metrics.brier_score is None
    assert "The outcome of rain was not reached in this run, and no metric uses it." in (
        result.cautions
    )
    with pytest.raises(ValueError, match="calibration needs markets that settled"):
        result.calibration()


def test_a_fair_value_that_is_no_probability_is_left_out_and_said() -> None:
    # A stage that returned a score of 2.3 for the second fill.
    result = BacktestResult(whole_run(fair_values=np.array([0.55, 2.3, np.nan, 7.0])))
    m = result.metrics
    assert m.model_brier_score == close(0.45**2)
    # The stock has a fair value of 7: sold at 55, an edge of 48.
    assert m.avg_edge == close((0.15 + 48.0) / 2)
    (said,) = [c for c in result.cautions if "no probabilities" in c]
    assert said.startswith("The fair values behind 1 of 4 fills lie outside 0 to 1")
    assert result.calibration("model").count == 1


def test_the_outcome_of_what_is_no_prediction_is_no_forecast() -> None:
    legs = ("ACME",)
    run = record_of(
        [(0, 1000.0), (1, 1001.0)],
        [(1, "ACME", 1, 1.0, 50.0, 0.0, 0.0, 0.0, False)],
        [{"leg": "ACME", "price": 50.0}],
        leg_ids=legs,
        markets=(Market("ACME", Equity),),
        settlements=(("ACME", 1.0, 51.0, 1.0, ns(1)),),
        outcomes={"ACME": 51.0},
    )
    assert BacktestResult(run).metrics.brier_score is None


def test_sampling_is_that_of_the_whole_data_where_it_is_given() -> None:
    sampling = Sampling("points", 1000.0)
    assert BacktestResult(whole_run(), sampling=sampling).metrics.periods_per_year == 1000.0
    result = BacktestResult(whole_run(periods_per_year=77.0))
    assert result.metrics.periods_per_year == 77.0
    assert result.tearsheet().metrics == result.metrics


def test_the_initial_capital_comes_before_a_first_equity_that_differs() -> None:
    result = BacktestResult(record_of([(0, 900.0), (1, 950.0)]))
    assert result.metrics.total_return == -50.0
    assert result.metrics.max_drawdown == 100.0
    assert len(result.equity_curve) == 2


@pytest.mark.parametrize("curve", [[], [(0, 1000.0)]], ids=["no point", "one point"])
def test_a_run_of_no_or_one_point_has_metrics(curve: list[tuple[float, float]]) -> None:
    result = BacktestResult(record_of(curve))
    values = [row.value for row in result.metrics.rows()]
    assert all(math.isfinite(value) or value == math.inf for value in values if value is not None)
    assert result.metrics.total_return == 0.0
    for shown in (result.summary(), repr(result), result._repr_html_()):
        assert "made" in shown


def test_a_window_of_a_result_is_not_kept_alive_by_what_was_made_of_it() -> None:
    result = BacktestResult(whole_run())
    sheet = result.tearsheet()
    gone = weakref.ref(sheet)
    assert result.metrics.total_trades == 4
    del sheet
    gc.collect()
    assert gone() is None


# ------------------------------------------------------------------------ summary
def test_summary_has_the_lines_of_the_document() -> None:
    # 365 days from 1000 to 1142.50: CAGR 0.1425 on 365 daily returns a year.
    days = 86_400.0
    curve = [(0, 1000.0), (100 * days, 1020.65), (101 * days, 1000.0), (365 * days, 1142.5)]
    run = record_of(curve, name="simple-backtest", periods_per_year=3.0)
    lines = BacktestResult(run).summary().splitlines()
    m = BacktestResult(run).metrics
    assert lines[:4] == [
        "=== Backtest: simple-backtest ===",
        "Total Return:     $142.50 (14.25%)",
        "CAGR:             14.25%",
        f"Sharpe:           {m.sharpe_ratio:.3f}",
    ]
    assert lines[4] == f"Sortino:          {m.sortino_ratio:.3f}"
    assert lines[5] == f"Calmar:           {m.calmar_ratio:.3f}"
    # 20.65 below 1020.65.
    assert lines[6:10] == [
        "Max Drawdown:     $20.65 (2.02%)",
        "Trades:           0 (Win Rate: 0.00%)",
        "Profit Factor:    0.00",
        "Fees:             $0.00",
    ]
    assert all(line.startswith("! ") for line in lines[10:])


def test_summary_adds_forecasts_only_where_there_are_any(result: BacktestResult) -> None:
    text = result.summary()
    assert "Trades:           4 (Win Rate: 66.67%)" in text
    assert "Profit Factor:    7.16" in text
    assert "Brier Score:      0.2250\nBrier, Model:     0.1625\nAvg Edge:         0.1000" in text
    without = BacktestResult(whole_run(outcomes={}, fair_values=np.full(4, np.nan))).summary()
    assert "Brier" not in without
    assert "Edge" not in without


def test_summary_writes_losses_rebates_and_infinities() -> None:
    fills = [
        (1, "rain", 1, 1.0, 0.5, -0.25, 0.0, 1.0, True),
        (2, "rain", -1, 1.0, 0.75, -0.25, 0.25, 2.0, True),
    ]
    run = record_of([(0, 1e6), (2, 1e6 - 1234.5)], fills, [{"price": 0.5}] * 2)
    text = BacktestResult(replace(run, initial_capital=1e6)).summary()
    assert "Total Return:     -$1,234.50 (-0.12%)" in text
    assert "Profit Factor:    inf" in text
    assert "Fees:             -$0.50" in text
    assert "EUR" in BacktestResult(replace(run, currency="EUR")).summary()


def test_summary_and_cautions_say_what_the_numbers_do_not() -> None:
    run = whole_run(
        dropped={"rain": {"price": 2, "time": 1}, "ACME": {}},
        errors={"model": 2},
        error_texts=("ZeroDivisionError in 'model', market 'rain'",),
        rejections={"max_order_size": 3, "buying power": 1},
    )
    cautions = BacktestResult(run).cautions
    assert "3 bad rows left out of the data (rain, price: 2, rain, time: 1)." in cautions
    assert (
        "2 exceptions in the pipeline passed over (model: 2); the first: "
        "ZeroDivisionError in 'model', market 'rain'." in cautions
    )
    assert "4 orders refused (max_order_size: 3, buying power: 1)." in cautions
    assert "Still held at the end, and counted at the last price: ACME." in cautions
    summary = BacktestResult(run).summary()
    assert all(f"! {caution}" in summary.splitlines() for caution in cautions)


def test_a_run_without_fills_says_so(idle: BacktestResult) -> None:
    assert "No order was sent." in idle.cautions
    quiet = BacktestResult(record_of([(0, 1000.0), (1, 1000.0)], orders=[{"price": 0.1}] * 2))
    assert "Nothing filled of 2 orders; explain(order_id) says why." in quiet.cautions


def test_many_names_are_cut() -> None:
    positions = tuple(Position(f"m{i}", Side.Long, 1.0, 1.0, 0.0, 0.0) for i in range(7))
    cautions = BacktestResult(whole_run(positions=positions)).cautions
    assert cautions[-1].endswith("last price: m0, m1, m2, m3, m4 and 2 more.")


# ------------------------------------------------------------------------ config
def test_config_and_counts_cannot_be_changed() -> None:
    given = {"params": {"width": 0.04, "legs": [1, 2]}, "markets": ["rain"]}
    result = BacktestResult(whole_run(config=given, dropped={"rain": {"price": 2}}))
    assert result.config["params"]["width"] == 0.04
    assert result.config["params"]["legs"] == (1, 2)
    for mapping in (
        result.config,
        result.config["params"],
        result.rejections,
        result.errors,
        result.outcomes,
        result.dropped,
        result.dropped["rain"],
    ):
        with pytest.raises(TypeError, match="cannot be changed"):
            mapping["width"] = 1.0  # type: ignore[index]
    assert result.rejections == {"buying power": 1}
    assert json.loads(json.dumps(result.config)) == given


# ------------------------------------------------------------------------ CSV
def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_equity_csv_can_be_read_back_to_the_bit(result: BacktestResult, tmp_path: Path) -> None:
    path = result.to_csv(tmp_path / "equity.csv")
    rows = read(path)
    assert list(rows[0]) == ["timestamp", "equity"]
    assert [(float(r["timestamp"]), float(r["equity"])) for r in rows] == result.equity_curve
    sheet = generate_tearsheet(pd.read_csv(path))
    assert sheet.metrics.total_return == result.metrics.total_return


@pytest.mark.parametrize("what", ["trades", "fills"])
def test_trades_csv_has_the_fields_of_a_fill(
    result: BacktestResult, tmp_path: Path, what: str
) -> None:
    path = result.to_csv(tmp_path / "trades.csv", what=what)
    rows = read(path)
    assert len(rows) == 4
    assert rows[1]["order_id"] == "p2"
    assert (rows[1]["market_id"], rows[1]["side"], rows[1]["order_side"]) == ("rain", "no", "buy")
    assert (float(rows[1]["size"]), float(rows[1]["price"])) == (5.0, 0.3)
    assert float(rows[1]["timestamp"]) == T0 + 20.0
    assert rows[2]["fair_value"] == ""
    again = fill_table(pd.read_csv(path), result.settlements)
    assert hz.analytics.pnl_by_market(again) == close({"rain": 4.47, "ACME": 4.85})


def test_orders_csv_has_a_row_for_each_order(result: BacktestResult, tmp_path: Path) -> None:
    rows = read(result.to_csv(tmp_path / "orders.csv", what="orders"))
    assert [row["id"] for row in rows] == [f"p{k}" for k in range(1, 8)]
    assert (rows[2]["price"], rows[6]["ended"]) == ("", "")
    assert float(rows[4]["ended"]) == T0 + 30.0


def test_csv_is_written_over_and_says_where_it_is(result: BacktestResult, tmp_path: Path) -> None:
    path = tmp_path / "equity.csv"
    path.write_text("old")
    assert result.to_csv(str(path)) == path
    assert path.read_text().startswith("timestamp,equity\n")


def test_csv_keeps_formulas_from_running(tmp_path: Path) -> None:
    names = ("=1+1", "+x", "-y", "@z", "a,b", 'say "hi"', "＝wide", "3-2")
    fills = [(1, name, 1, 1.0, 0.5, -0.25, 0.0, 1.0, True) for name in names]
    run = record_of([(0, 1000.0)], fills, [{"leg": names[0], "price": 0.5}], leg_ids=names)
    rows = read(BacktestResult(run).to_csv(tmp_path / "t.csv", what="trades"))
    assert [row["market_id"] for row in rows] == [
        "'=1+1",
        "'+x",
        "'-y",
        "'@z",
        "a,b",
        'say "hi"',
        "'＝wide",
        "3-2",
    ]
    # A number below 0 is a number.
    assert {row["fee"] for row in rows} == {"-0.25"}


@pytest.mark.parametrize(
    ("what", "error", "words"),
    [
        ("trade", ValueError, "Did you mean 'trades'"),
        ("curve", ValueError, "what must be one of 'equity', 'trades', 'fills', 'orders'"),
        (None, TypeError, "what must be one of"),
    ],
    ids=["near", "far", "none"],
)
def test_csv_of_something_unknown_is_refused(
    result: BacktestResult, tmp_path: Path, what: Any, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        result.to_csv(tmp_path / "x.csv", what=what)
    assert list(tmp_path.iterdir()) == []


def test_csv_needs_a_folder_that_exists(result: BacktestResult, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="folder that exists"):
        result.to_csv(tmp_path / "no" / "x.csv")
    with pytest.raises(TypeError, match="path must be a path"):
        result.to_csv(3)  # type: ignore[arg-type]


# ------------------------------------------------------------------------ tearsheet, calibration
def test_tearsheet_has_everything(result: BacktestResult) -> None:
    sheet = result.tearsheet()
    assert sheet.title == "by hand"
    assert sheet.metrics == result.metrics
    assert len(sheet.fills) == 6  # four fills, two settlements
    assert len(sheet.closings) == 3
    assert sheet.pnl_by_market == close(result.pnl_by_market())
    assert sheet.cautions == result.cautions
    assert sheet.benchmark_equity is None
    other = result.tearsheet(title="Other", benchmark=result.equity, risk_free=0.02)
    assert (other.title, other.risk_free) == ("Other", 0.02)
    assert other.metrics.beta == close(1.0)


def test_tearsheet_of_the_document_is_made_of_fills(result: BacktestResult) -> None:
    sheet = generate_tearsheet(
        equity_curve=result.equity_curve,
        trades=result.fills,
        settlements=result.settlements,
        initial_capital=1000.0,
    )
    assert sheet.metrics.total_return == result.metrics.total_return
    assert sheet.metrics.profit_factor == result.metrics.profit_factor


def test_calibration_of_prices_is_of_yes(result: BacktestResult) -> None:
    curve = result.calibration(n_bins=10)
    # 0.40 falls into bin 4, 0.70 (NO at 0.30) into bin 7 or, as a float below it, 6.
    assert curve.count == 2
    assert curve.brier_score == close((0.6**2 + 0.3**2) / 2)
    assert sorted(p for p, (_, _, n) in zip(curve.mean_predictions, curve.bins, strict=True) if n)
    assert curve.brier_score == close(result.metrics.brier_score)


def test_calibration_of_the_model(result: BacktestResult) -> None:
    curve = result.calibration(of="model", n_bins=2)
    assert curve.bins == [(0.25, 0.0, 0), (0.75, 1.0, 2)]
    assert curve.mean_predictions[1] == close(0.60)
    assert curve.brier_score == close(result.metrics.model_brier_score)


def test_calibration_takes_fractional_outcomes() -> None:
    result = BacktestResult(whole_run(outcomes={"rain": 0.5}))
    assert result.calibration().brier_score == close((0.1**2 + 0.2**2) / 2)


@pytest.mark.parametrize("of", ["price", "model"])
def test_calibration_of_a_run_without_fills_is_no_perfect_score(of: str) -> None:
    result = BacktestResult(record_of([(0, 1000.0)], outcomes={"rain": 1.0}))
    with pytest.raises(ValueError, match="needs fills in markets that settled"):
        result.calibration(of)


def test_calibration_says_what_it_needs() -> None:
    result = BacktestResult(whole_run(fair_values=np.full(4, np.nan)))
    with pytest.raises(ValueError, match="of='model' needs fair values"):
        result.calibration("model")
    with pytest.raises(ValueError, match="Did you mean 'price'"):
        result.calibration("prices")
    with pytest.raises(TypeError, match="n_bins must be"):
        result.calibration(n_bins=2.5)  # type: ignore[arg-type]


# ------------------------------------------------------------------------ shown
def test_repr_says_how_it_went(result: BacktestResult) -> None:
    assert repr(result) == (
        "<BacktestResult by hand: $13.32 (1.33%), 4 fills of 7 orders, 2 markets, 6 points>"
    )


def test_html_has_a_picture_head_numbers_and_cautions(result: BacktestResult) -> None:
    page = result._repr_html_()
    assert "<svg" in page
    assert "1.33 %" in page
    assert "Still held at the end" in page
    assert "7 orders, 2 markets, engine: reference" in page
    assert "<script" not in page


def test_names_from_outside_are_escaped_everywhere() -> None:
    market = "<b>rain</b>"
    run = record_of(
        [(0, 1000.0), (1, 1001.0)],
        [(1, market, 1, 1.0, 0.5, 0.0, 0.0, 0.0, True)],
        [{"leg": market, "price": 0.5}],
        leg_ids=(market,),
        positions=(Position(market, Side.Yes, 1.0, 0.5, 0.0, 0.0),),
        engine="<i>odd</i>",
        errors={"<u>stage</u>": 1},
        error_texts=("<s>boom</s>",),
    )
    page = BacktestResult(with_name(run, HOSTILE))._repr_html_()
    for tag in ("<b>", "<i>", "<u>", "<s>", "<img", "\u202e"):
        assert tag not in page
    assert "&lt;b&gt;rain&lt;/b&gt;" in page
    assert "\u202e" not in BacktestResult(with_name(run, HOSTILE)).summary()
    assert "\u202e" not in repr(BacktestResult(with_name(run, HOSTILE)))


def test_figure_is_that_of_the_tearsheet(result: BacktestResult) -> None:
    pytest.importorskip("plotly")
    own, sheets = result.figure(), result.tearsheet().figure()
    assert own.to_json() == sheets.to_json()


def test_a_result_is_drawn_by_its_name() -> None:
    rows = [{"timestamp": 1000 + i, "price": 0.50 + 0.01 * i} for i in range(3)]
    first = hz.backtest("first", data=rows, pipeline=[lambda ctx: None])
    second = hz.backtest("second", data=rows, pipeline=[lambda ctx: None])
    for curves, names in (
        (first, ["first"]),
        ([first, second, first], ["first", "second", "first (2)"]),
        ({"mine": first}, ["mine"]),
    ):
        figure = hz.figures.equity_curves(curves, rebase=False)
        assert list(dict.fromkeys(trace.name for trace in figure.data)) == names


# ------------------------------------------------------------------------ names that it has not
@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("sharpe", "result.metrics.sharpe_ratio"),
        ("Sharpe", "result.metrics.sharpe_ratio"),
        ("sharpe_ratio", "result.metrics.sharpe_ratio"),
        ("win_rate", "result.metrics.win_rate"),
        ("max_drawdown_pc", "result.metrics.max_drawdown_pct"),
        ("plot", "result.figure()"),
        ("stats", "result.summary()"),
        ("returns", "result.equity.pct_change()"),
        ("orders", "result.orders_frame()"),
        ("equity_curv", "result.equity_curve"),
        ("equty", "result.equity"),
        ("tearsheets", "result.tearsheet()"),
        ("recrod", "result.record"),
    ],
)
def test_a_name_from_elsewhere_is_told_where_to_look(
    result: BacktestResult, name: str, hint: str
) -> None:
    with pytest.raises(AttributeError) as caught:
        getattr(result, name)
    assert str(caught.value) == f"BacktestResult has no attribute {name!r}. Did you mean {hint}?"
    assert not hasattr(result, name)
    value: Any = result
    for part in hint.removesuffix("()").split(".")[1:]:
        value = getattr(value, part)  # there is such a thing
    assert callable(value) is hint.endswith("()")


def test_what_is_like_nothing_has_no_hint(result: BacktestResult) -> None:
    with pytest.raises(AttributeError, match=r"^BacktestResult has no attribute 'zzz'$"):
        result.zzz  # type: ignore[attr-defined]  # noqa: B018
    # What a notebook asks every object for is no slip.
    with pytest.raises(AttributeError, match=r"^'BacktestResult' object has no .*_latex_'$"):
        result._repr_latex_  # type: ignore[attr-defined]  # noqa: B018


def test_an_error_of_a_property_is_not_taken_for_a_missing_name(result: BacktestResult) -> None:
    class Broken(BacktestResult):
        @property
        def mine(self) -> object:
            return self.record.nothing  # type: ignore[attr-defined]

    with pytest.raises(AttributeError, match="'RunRecord' object has no attribute 'nothing'"):
        Broken(result.record).mine  # noqa: B018


def test_a_result_is_copied_and_pickled_as_before(result: BacktestResult) -> None:
    for again in (copy.copy(result), copy.deepcopy(result), pickle.loads(pickle.dumps(result))):
        assert repr(again) == repr(result)
        assert again.equity_curve == result.equity_curve
    bare = BacktestResult.__new__(BacktestResult)
    with pytest.raises(AttributeError):
        bare.record  # noqa: B018
