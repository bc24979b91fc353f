"""Look-ahead: honest strategies pass, and whoever looks is caught at his first look."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import horizon as hz
from horizon.backtesting.changes import Change
from horizon.backtesting.cuts import chosen_cuts
from horizon.backtesting.decisions import Decision, Watch
from horizon.backtesting.lookahead import check_lookahead
from horizon.backtesting.pipeline import Pipeline
from horizon.backtesting.replays import Replays
from horizon.books import read_books

T0 = 1_700_000_000
Stages = list[Callable[..., Any]]
Factory = Callable[..., Stages]


def walk(n: int, *, seed: int = 1, step: float = 60.0, start: float = T0) -> pd.DataFrame:
    """Prices of a prediction, one row a minute."""
    moves = np.random.default_rng(seed).normal(0.0, 0.01, n)
    prices = np.clip(0.5 + np.cumsum(moves), 0.05, 0.95).round(4)
    return pd.DataFrame({"timestamp": start + step * np.arange(n), "price": prices})


def bars(n: int, *, seed: int = 2) -> pd.DataFrame:
    """Daily bars of a stock."""
    rng = np.random.default_rng(seed)
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.01, n)))
    opened = np.r_[100.0, close[:-1]]
    high = np.maximum(opened, close) * (1.0 + rng.uniform(0.0, 0.01, n))
    low = np.minimum(opened, close) * (1.0 - rng.uniform(0.0, 0.01, n))
    return pd.DataFrame(
        {
            "timestamp": T0 + 86_400.0 * np.arange(n),
            "open": opened,
            "high": high,
            "low": low,
            "close": close,
            "volume": rng.integers(1_000, 9_000, n),
        }
    )


def ladders(n: int, *, seed: int = 3, start: float = T0) -> list[dict[str, Any]]:
    """Books of three levels a side, a cent apart, one a second."""
    rng = np.random.default_rng(seed)
    tick = 50 + np.cumsum(rng.integers(-2, 3, n))
    tick = np.clip(tick, 10, 90)
    return [
        {
            "timestamp": start + i,
            "bids": [(round((at - 1 - k) / 100, 2), float(rng.integers(5, 30))) for k in range(3)],
            "asks": [(round((at + 1 + k) / 100, 2), float(rng.integers(5, 30))) for k in range(3)],
        }
        for i, at in enumerate(tick.tolist())
    ]


def signalling(feature: Callable[[pd.DataFrame], Any], size: float = 5.0) -> Factory:
    """A factory of stages that look a feature of their time up, and quote where it is higher."""

    def factory(data: pd.DataFrame) -> Stages:
        table = dict(zip(data["timestamp"], np.asarray(feature(data), dtype=float), strict=True))

        def signal(ctx: Any) -> float:
            return float(table[ctx.timestamp])

        def trade(ctx: Any, value: float) -> Any:
            if value > 0.0:
                return hz.quotes(ctx.feed.price, spread=0.02, size=size)
            return None

        return [signal, trade]

    return factory


def quoter(ctx: Any) -> Any:
    return hz.quotes(ctx.feed.price, spread=0.02, size=5)


def row_of(report: Any, frame: pd.DataFrame) -> int:
    """The row of a frame at whose time the first leak is."""
    return int(np.flatnonzero(frame["timestamp"] == report.first.timestamp)[0])


# ---------------------------------------------------------------------------- the honest
CLEAN = {
    "yesterday": lambda d: d["price"].diff().shift(1),
    "trailing window": lambda d: d["price"] - d["price"].rolling(7).mean(),
    "exponential mean": lambda d: d["price"] - d["price"].ewm(span=9).mean(),
    "expanding scale": lambda d: (
        (d["price"] - d["price"].expanding().mean()) / d["price"].expanding().std()
    ),
    "highest so far": lambda d: d["price"] - d["price"].cummax() + 0.05,
    "forward fill": lambda d: d["price"].where(d.index % 3 == 0).ffill() - 0.5,
}


@pytest.mark.parametrize("name", CLEAN)
def test_an_honest_feature_passes(name: str) -> None:
    report = check_lookahead(walk(120), pipeline_factory=signalling(CLEAN[name]))

    assert report.ok
    assert not report.found
    assert report.repeatable
    assert report.first is None
    assert report.decisions > 100
    assert not report.notes


def test_bars_labelled_at_their_right_end_pass() -> None:
    def five_minutes(data: pd.DataFrame) -> Any:
        prices = data.set_index(pd.to_datetime(data["timestamp"], unit="s"))["price"]
        # A bar of five minutes is known when it is over.
        whole = prices.resample("5min", label="right", closed="right").last()
        return prices.to_numpy() - whole.reindex(prices.index, method="ffill").to_numpy()

    # 1,699,999,800 s is 22:10:00.
    report = check_lookahead(
        walk(90, start=1_699_999_800), pipeline_factory=signalling(five_minutes)
    )

    assert report.ok


def test_a_factory_that_makes_nothing_of_its_data_is_told_of() -> None:
    """What it has kept looks ahead here, and is not found: the report must not be all-clear."""
    data = walk(80)
    ahead = dict(zip(data["timestamp"], data["price"].shift(-3).fillna(0.5), strict=True))

    def stage(ctx: Any) -> Any:
        return ahead[ctx.timestamp]

    class Maker:
        def of(self, data: Any) -> Any:
            return [stage]

    def of_books(data: Any, *, book_data: Any = None) -> Any:
        return [stage, lambda ctx, fair: fair + len(book_data or ())]

    told = "pipeline_factory made nothing of the data that it is called with"
    for factory in (lambda params: [stage], Maker().of):
        report = check_lookahead(data, pipeline_factory=factory)
        assert report.ok
        assert [note.startswith(told) for note in report.notes] == [True]
    for factory in (of_books, lambda data: [lambda ctx: len(data)], lambda *_: [stage]):
        assert not check_lookahead(data, pipeline_factory=factory).notes


def test_stages_that_read_only_the_context_pass_without_a_factory() -> None:
    report = check_lookahead(walk(80), [lambda ctx: ctx.feed.price * 1.01, lambda ctx, fair: fair])

    assert report.ok
    # Outputs of two stages at each of the rows up to the last cut.
    assert set(report.kinds) == {"output"}
    assert any("pipeline_factory" in note for note in report.notes)


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"matching": "quotes"},
        {"latency_ms": 90_000.0},
        {"latency_ms": 30_000.0},
        {"paper_fee_rate": 0.0, "risk": hz.RiskConfig(max_position_per_market=10)},
        {"run_on": "any", "slippage_bps": 10},
    ],
    ids=["plain", "quotes", "latency longer than a row", "latency", "risk", "any feed"],
)
def test_a_quoter_passes_however_it_is_run(how: dict[str, Any]) -> None:
    frame = walk(100)
    frame["bid"], frame["ask"] = frame["price"] - 0.005, frame["price"] + 0.005

    def trader(ctx: Any) -> Any:
        if ctx.inventory > 8:
            return [hz.OrderRequest("rain", hz.Side.Yes, hz.OrderSide.Sell, 3)]
        return hz.quotes(ctx.feed.price - 0.001 * ctx.inventory, spread=0.01, size=5)

    report = check_lookahead(frame, [trader], markets=["rain"], **how)

    assert report.ok, report
    assert report.kinds["fill"] > 5


@pytest.mark.parametrize("mode", ["cross", "touch"])
def test_bars_pass(mode: str) -> None:
    def factory(data: pd.DataFrame) -> Stages:
        mean = dict(zip(data["timestamp"], data["close"].rolling(5).mean(), strict=True))

        def trade(ctx: Any) -> Any:
            side = hz.OrderSide.Buy if ctx.feed.price > mean[ctx.timestamp] else hz.OrderSide.Sell
            limit = None if ctx.inventory > 3 else round(ctx.feed.low, 2)
            return hz.OrderRequest("ACME", hz.Side.Long, side, 1.0, limit)

        return [trade]

    report = check_lookahead(
        bars(80),
        pipeline_factory=factory,
        markets=[hz.Market("ACME", hz.Equity)],
        bar_fill_mode=mode,
        initial_capital=100_000.0,
    )

    assert report.ok, report
    assert report.kinds["fill"] > 10


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"fill_model": "probabilistic", "rng_seed": 4},
        {"fill_model": "glft", "fill_model_params": {"intensity": 2.0, "kappa": 30.0}},
        {"latency_ms": 700.0},
        {"latency_ms": 2_500.0, "fill_model": "probabilistic"},
        {"impact_temporary_bps": 5.0, "impact_permanent_fraction": 0.5},
    ],
    ids=["walk", "queue", "glft", "latency", "latency and queue", "impact"],
)
def test_books_pass(how: dict[str, Any]) -> None:
    def trader(ctx: Any) -> Any:
        book = ctx.book
        if abs(ctx.inventory) > 20:
            side = hz.OrderSide.Sell if ctx.inventory > 0 else hz.OrderSide.Buy
            return [hz.OrderRequest(ctx.market_id, hz.Side.Yes, side, 12)]
        return hz.Quote(book.best_bid, book.best_ask, 4)

    report = check_lookahead(None, [trader], book_data={"m": ladders(120)}, **how)

    assert report.ok, report
    assert report.kinds["fill"] > 5


def test_books_beside_rows_of_other_times_pass() -> None:
    rows = walk(60, step=2.0, start=T0 + 0.5)
    report = check_lookahead(
        rows, [quoter], book_data={"m": ladders(120)}, markets=["m"], latency_ms=300.0
    )

    assert report.ok, report
    assert report.kinds["fill"] > 0


def many_markets() -> tuple[pd.DataFrame, dict[str, float], dict[str, float]]:
    """Four markets that begin and end at different times, with outcomes."""
    frames, outcomes, resolutions = [], {}, {}
    for n in range(4):
        frame = walk(50, seed=n, start=T0 + 600.0 * n)
        frame.insert(0, "market_id", f"m{n}")
        frames.append(frame)
        outcomes[f"m{n}"] = float(n % 2)
        resolutions[f"m{n}"] = T0 + 600.0 * n + 60.0 * 45
    return pd.concat(frames, ignore_index=True), outcomes, resolutions


@pytest.mark.parametrize("timed", [True, False])
def test_markets_that_settle_on_the_way_pass(timed: bool) -> None:
    data, outcomes, resolutions = many_markets()
    report = check_lookahead(
        data,
        [quoter],
        outcomes=outcomes,
        resolutions=resolutions if timed else None,
        initial_capital=200.0,
        cuts=10,
    )

    # The markets start one after the other: each of the cuts knows a different number of them,
    # and a run on less data is told the resolutions of the whole.
    assert report.ok, report
    assert report.kinds["fill"] > 20


def test_a_dict_of_feeds_passes() -> None:
    report = check_lookahead(
        {"poll": walk(40, seed=5, step=90.0), "price": walk(60, seed=6)},
        [lambda ctx: hz.quotes(ctx.feeds["poll"].price, spread=0.02, size=2)],
        markets=["vote"],
        feeds={"vote": "price"},
        run_on="any",
    )

    # The poll begins with the price; later they share every third minute.
    assert report.ok, report


def test_algorithms_and_own_orders_pass() -> None:
    def factory(data: Any) -> Stages:
        began: list[Any] = []

        def trade(ctx: Any) -> Any:
            ex = ctx.exchange("paper")
            if not began:
                began.append(ex.twap(ctx.market, 100, duration_secs=1_200, num_slices=5))
            if ctx.feed.price > 0.5:
                ex.cancel_all()

        return [trade]

    report = check_lookahead(walk(60), pipeline_factory=factory, cuts=12)

    assert report.ok, report
    assert report.kinds["order"] >= 5


@pytest.mark.parametrize("latency_ms", [0.0, 90_000.0])
def test_an_algorithm_that_still_runs_at_the_cut_passes(latency_ms: float) -> None:
    def factory(data: Any) -> Stages:
        began: list[Any] = []

        def trade(ctx: Any) -> Any:
            if not began:
                ex = ctx.exchange()
                began.append(ex.twap(ctx.market, 100, duration_secs=9_000, num_slices=50))

        return [trade]

    # Nothing that ends a run may look like a decision of it.
    report = check_lookahead(walk(60), pipeline_factory=factory, cuts=10, latency_ms=latency_ms)

    assert report.ok, report


def test_a_stage_that_raises_at_times_passes_where_that_is_skipped() -> None:
    def brittle(ctx: Any) -> Any:
        if ctx.feed.price > 0.52:
            raise LookupError(f"no quote for {id(ctx):#x}")
        return hz.quotes(ctx.feed.price, spread=0.02, size=2)

    report = check_lookahead(walk(80), [brittle], on_error="skip")

    assert report.ok, report
    assert report.kinds["exception"] > 0


def test_an_exception_that_cannot_say_itself_is_compared_like_any_other() -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no words")

    def brittle(ctx: Any) -> Any:
        if ctx.feed.price > 0.52:
            raise Mute
        return hz.quotes(ctx.feed.price, spread=0.02, size=2)

    report = check_lookahead(walk(80), [brittle], on_error="skip")

    assert report.ok, report
    assert report.kinds["exception"] > 0


def test_a_factory_gives_every_run_a_fresh_state() -> None:
    def factory(data: Any) -> Stages:
        seen: deque[float] = deque(maxlen=5)

        def mean(ctx: Any) -> float:
            seen.append(ctx.feed.price)
            return sum(seen) / len(seen)

        return [mean, lambda ctx, fair: hz.quotes(fair, spread=0.02, size=2)]

    report = check_lookahead(walk(60), pipeline_factory=factory)

    assert report.ok, report


# ---------------------------------------------------------------------------- the looking
def resampled(data: pd.DataFrame) -> Any:
    """Bars of five minutes under the time at which they begin."""
    prices = data.set_index(pd.to_datetime(data["timestamp"], unit="s"))["price"]
    return prices.resample("5min").last().reindex(prices.index, method="ffill").to_numpy()


def regressed(data: pd.DataFrame) -> Any:
    """A line through all prices."""
    x = np.arange(len(data))
    if len(data) < 2:
        return np.zeros(len(data))
    slope, level = np.polyfit(x, data["price"], 1)
    return level + slope * x


#: Feature, and the first row that uses one after it. The walk's prices differ from row to row.
LOOKING = {
    # Row 0 has row 1's price.
    "shift(-1)": (lambda d: d["price"].shift(-1), 0),
    # Five rows around each: the first whole window is of rows 0 to 4, at row 2.
    "centred window": (lambda d: d["price"].rolling(5, center=True).mean(), 2),
    "mean of all": (lambda d: d["price"] - d["price"].mean(), 0),
    "deviation of all": (lambda d: d["price"] / d["price"].std(), 0),
    "smallest and largest of all": (
        lambda d: (d["price"] - d["price"].min()) / (d["price"].max() - d["price"].min()),
        0,
    ),
    "last price": (lambda d: d["price"] * 0.0 + d["price"].iloc[-1], 0),
    # Five minutes begin at row 0 (1,699,999,800 is a whole number of them): rows 0 to 3 have
    # row 4's price.
    "resample": (resampled, 0),
    "fitted on all": (regressed, 0),
    # A momentum of three rows, moved back by one: rows 0 and 1 have none, row 2 has row 3's.
    "late by one": (lambda d: d["price"].diff(3).shift(-1), 2),
    "rank among all": (lambda d: d["price"].rank(pct=True), 0),
    "ten rows ahead": (lambda d: d["price"].shift(-10) - d["price"].rolling(20).mean(), 19),
}


@pytest.mark.parametrize("name", LOOKING)
def test_whoever_looks_is_caught_at_the_first_look(name: str) -> None:
    feature, first = LOOKING[name]
    frame = walk(150, start=1_699_999_800)
    report = check_lookahead(frame, pipeline_factory=signalling(feature))

    assert report.found
    assert not report.ok
    assert row_of(report, frame) == first
    assert (report.first.market_id, report.first.kind, report.first.name) == (
        "market",
        "output",
        "signal",
    )
    price = float(frame["price"][first])
    assert report.first.latest_row == ("data", first, report.first.timestamp, price)


def test_a_bars_future_high_is_found() -> None:
    frame = bars(60)

    def factory(data: pd.DataFrame) -> Stages:
        high = dict(zip(data["timestamp"], data["high"].shift(-1), strict=True))
        # Sells at tomorrow's high: a limit that fills every day in touch mode.
        return [lambda ctx: hz.quotes(high[ctx.timestamp], spread=0.0, size=1)]

    report = check_lookahead(
        frame.iloc[:-1],
        pipeline_factory=lambda data: factory(data.ffill()) if len(data) > 0 else [],
        markets=[hz.Market("ACME", hz.Equity)],
        on_error="skip",
        initial_capital=10_000.0,
    )

    assert report.found
    assert row_of(report, frame) == 0
    # Without the row after it there is no high to come, and quotes refuses NaN.
    assert report.first.kind == "output"
    assert "raised ValueError" in report.first.rerun


def test_back_fill_is_found_at_the_first_gap() -> None:
    frame = walk(40)
    # Every tenth row lacks a poll; the gap at row 7 is filled with row 8's.
    frame["poll"] = np.where(frame.index % 10 == 7, np.nan, frame["price"] + 0.01)
    report = check_lookahead(
        frame, pipeline_factory=signalling(lambda d: d["poll"].bfill()), cuts=40
    )

    assert report.found
    assert row_of(report, frame) == 7


def test_a_leak_that_few_decisions_have_is_found_by_a_cut_there() -> None:
    frame = walk(150)
    frame["poll"] = np.where(frame.index == 107, np.nan, frame["price"])
    factory = signalling(lambda d: d["poll"].bfill())

    # Three cuts among 150 rows miss it, and that is what the docstring says.
    assert check_lookahead(frame, pipeline_factory=factory, cuts=3).ok
    found = check_lookahead(frame, pipeline_factory=factory, cuts=[frame["timestamp"][107]])
    assert row_of(found, frame) == 107


def labelled() -> tuple[pd.DataFrame, dict[str, float]]:
    data, outcomes, _ = many_markets()
    data["outcome"] = data["market_id"].map(outcomes)
    return data, outcomes


def winners(data: pd.DataFrame) -> Stages:
    """Trades only what will resolve to YES."""
    last = data.groupby("market_id")["outcome"].last().sort_values()
    best = set(last.index[last > 0.5])
    return [lambda ctx: hz.quotes(0.5, spread=0.1, size=1) if ctx.market_id in best else None]


def test_markets_sorted_by_outcome_are_found() -> None:
    data, outcomes = labelled()
    report = check_lookahead(data, pipeline_factory=winners, outcomes=outcomes)

    # m0 resolves to NO and begins first. With its ending turned, it would have been traded at
    # its first row.
    assert report.found
    assert (report.first.market_id, report.first.timestamp) == ("m0", float(T0))
    assert report.first.how == "perturbed"
    assert report.first.whole == "stage <lambda> returned None"
    assert report.first.order == "order p1: buy 1 at 0.45"


def test_a_label_in_words_is_found_when_it_is_named() -> None:
    data, outcomes = labelled()
    data["won"] = np.where(data["outcome"] > 0.5, "yes", "no")
    data = data.drop(columns="outcome")

    def factory(data: pd.DataFrame) -> Stages:
        won = data.groupby("market_id")["won"].last().to_dict()
        return [lambda ctx: quoter(ctx) if won[ctx.market_id] == "yes" else None]

    # Nobody can know that a column of words tells the ending.
    assert check_lookahead(data, pipeline_factory=factory, outcomes=outcomes).ok
    named = check_lookahead(data, pipeline_factory=factory, outcomes=outcomes, labels=["won"])
    assert named.found
    assert (named.first.market_id, named.first.timestamp) == ("m0", float(T0))


def test_a_market_that_is_over_at_the_cut_keeps_its_label() -> None:
    data, outcomes, resolutions = many_markets()
    data["outcome"] = data["market_id"].map(outcomes)

    def factory(data: pd.DataFrame) -> Stages:
        # Learns from m0 what its outcome was, and uses it once m0 is over: no look-ahead.
        first = data.loc[data["market_id"] == "m0", "outcome"].iloc[0]

        def trade(ctx: Any) -> Any:
            is_known = ctx.timestamp > resolutions["m0"]
            return hz.quotes(0.4 + 0.1 * first, spread=0.02, size=1) if is_known else None

        return [trade]

    report = check_lookahead(
        data, pipeline_factory=factory, outcomes=outcomes, resolutions=resolutions, cuts=12
    )

    assert report.ok, report


def test_outcomes_given_to_the_factory_are_found() -> None:
    data, outcomes, _ = many_markets()

    def factory(data: pd.DataFrame, outcomes: dict[str, float]) -> Stages:
        return [lambda ctx: outcomes.get(ctx.market_id, 0.5)]

    report = check_lookahead(data, pipeline_factory=factory, outcomes=outcomes)

    # m0's first row: 0.0 with its outcome known; a run that ends there does not know it yet.
    assert report.found
    assert (report.first.market_id, report.first.timestamp) == ("m0", float(T0))
    assert (report.first.whole, report.first.rerun) == (
        "stage <lambda> returned 0",
        "stage <lambda> returned 0.5",
    )


def test_outcomes_that_a_factory_cannot_do_without_are_found_by_others() -> None:
    data, outcomes, _ = many_markets()

    def factory(data: pd.DataFrame, outcomes: dict[str, float]) -> Stages:
        best = {market for market in ("m0", "m1", "m2", "m3") if outcomes[market] > 0.5}
        return [lambda ctx: quoter(ctx) if ctx.market_id in best else None]

    report = check_lookahead(data, pipeline_factory=factory, outcomes=outcomes)

    # Where they are not known yet it raises; where they are others, it trades other markets.
    assert report.found
    assert (report.first.how, report.first.timestamp) == ("perturbed", float(T0))
    assert any("KeyError" in note for note in report.notes)


def test_a_column_of_ones_is_not_the_outcome_of_the_only_market() -> None:
    frame = walk(40)
    frame["lots"] = 1.0

    def factory(data: pd.DataFrame) -> Stages:
        lots = float(data["lots"].iloc[0])
        return [lambda ctx: hz.quotes(ctx.feed.price, spread=0.02, size=10 * lots)]

    report = check_lookahead(
        frame, pipeline_factory=factory, markets=["rain"], outcomes={"rain": 1.0}
    )

    assert report.ok, report


def test_outcomes_in_params_are_found() -> None:
    data, outcomes, _ = many_markets()
    report = check_lookahead(
        data,
        [lambda ctx: ctx.params["answers"].get(ctx.market_id, 0.5)],
        outcomes=outcomes,
        params={"answers": outcomes, "other": 3},
    )

    assert report.found
    assert report.first.timestamp == float(T0)


def test_data_in_params_is_found() -> None:
    frame = walk(60)

    def peek(ctx: Any) -> float:
        rows = ctx.params["data"]
        return float(rows.loc[rows["timestamp"] > ctx.timestamp, "price"].head(1).sum())

    report = check_lookahead(frame, [peek], params={"data": frame})

    assert report.found
    assert row_of(report, frame) == 0


def test_a_step_beyond_the_end_is_found_as_the_exception_that_it_raises() -> None:
    frame = walk(60)

    def factory(data: pd.DataFrame) -> Stages:
        prices, number = data["price"].to_numpy(), iter(range(len(data)))

        def peek(ctx: Any) -> float:
            here = next(number)
            return float(prices[here + 1] - prices[here]) if here < 59 else 0.0

        return [peek]

    report = check_lookahead(frame, pipeline_factory=factory)

    assert report.found
    assert row_of(report, frame) == 0
    assert "raised IndexError" in report.first.rerun


def test_an_order_that_no_output_shows_is_found() -> None:
    frame = walk(60)

    def factory(data: pd.DataFrame) -> Stages:
        coming = dict(zip(data["timestamp"], data["price"].diff().shift(-1), strict=True))

        def trade(ctx: Any) -> None:
            if coming[ctx.timestamp] > 0.0 and ctx.inventory < 5:
                ctx.exchange().buy_prediction(ctx.market_id, 2, limit=0.9)

        return [trade]

    report = check_lookahead(frame, pipeline_factory=factory)

    # The first row that is followed by a rise; before it, no order with or without the future.
    first = int(np.flatnonzero(np.diff(frame["price"]) > 0.0)[0])
    assert report.found
    assert row_of(report, frame) == first
    assert (report.first.kind, report.first.name) == ("order", "p1")
    assert report.first.whole == "order p1: buy 2 at 0.9"
    assert report.first.rerun == "stage trade returned None"


def test_a_cancel_that_knows_is_found() -> None:
    # The bid at 0.45 is taken away at row 6, just before row 7 hits it.
    prices = [0.50, 0.50, 0.50, 0.50, 0.50, 0.50, 0.50, 0.40, 0.40, 0.40]
    frame = pd.DataFrame({"timestamp": T0 + 1.0 * np.arange(10), "price": prices})

    def factory(data: pd.DataFrame) -> Stages:
        falls = dict(zip(data["timestamp"], data["price"].shift(-1) < 0.45, strict=True))

        def trade(ctx: Any) -> None:
            ex = ctx.exchange()
            if ctx.timestamp == T0:
                ex.buy_prediction(ctx.market_id, 2, limit=0.45)
            if falls[ctx.timestamp]:
                ex.cancel_all()

        return [trade]

    report = check_lookahead(frame, pipeline_factory=factory, cuts=[T0 + 6.0])

    assert report.found
    assert row_of(report, frame) == 6
    assert (report.first.kind, report.first.name) == ("end", "p1")
    assert report.first.whole == "p1 ended: cancelled"
    assert report.first.rerun == "stage trade returned None"
    # Rows before it asked about the next price too: another one would have changed what they do.
    every = check_lookahead(frame, pipeline_factory=factory, cuts=10)
    assert every.found
    assert row_of(every, frame) <= 6


def test_a_future_book_is_found() -> None:
    books = ladders(80)

    def factory(book_data: dict[str, Any]) -> Stages:
        own = book_data["m"]
        mids = own.mid
        following = dict(zip(own.times_ns[:-1].tolist(), mids[1:].tolist(), strict=True))
        return [lambda ctx: following.get(ctx.now_ns)]

    report = check_lookahead(pipeline_factory=factory, book_data={"m": books})

    assert report.found
    assert report.first.timestamp == float(T0)
    assert report.first.latest_row == (
        "m",
        0,
        float(T0),
        0.5 * (books[0]["bids"][0][0] + books[0]["asks"][0][0]),
    )


def test_books_are_handed_to_a_factory_that_names_them() -> None:
    books = ladders(60)

    def factory(data: pd.DataFrame, *, book_data: dict[str, Any]) -> Stages:
        deepest = float(np.nanmax(book_data["m"].ask_sizes))
        return [lambda ctx: deepest]

    report = check_lookahead(
        walk(60, step=1.0), pipeline_factory=factory, book_data={"m": books}, markets=["m"]
    )

    assert report.found
    assert report.first.timestamp == float(T0)


# ---------------------------------------------------------------------------- every form of data
def as_polars(frame: pd.DataFrame) -> Any:
    return pytest.importorskip("polars").from_pandas(frame)


def as_lazy(frame: pd.DataFrame) -> Any:
    return as_polars(frame).lazy()


def as_arrow(frame: pd.DataFrame) -> Any:
    return pytest.importorskip("pyarrow").Table.from_pandas(frame)


def as_index(frame: pd.DataFrame) -> Any:
    times = pd.to_datetime(frame["timestamp"], unit="s", utc=True)
    return frame.set_index(pd.DatetimeIndex(times, name="when"))[["price"]]


def as_chunks(frame: pd.DataFrame) -> Any:
    return lambda: (frame.iloc[k : k + 17] for k in range(0, len(frame), 17))


FORMS: dict[str, Callable[[pd.DataFrame], Any]] = {
    "pandas": lambda frame: frame,
    "pandas with its times as index": as_index,
    "pandas, whole numbers": lambda frame: frame.assign(
        price=(1000 * frame["price"]).round().astype(int)
    ),
    "pandas, numbers that may be missing": lambda frame: frame.astype({"price": "Float64"}),
    "pandas, times with a zone": lambda frame: frame.assign(
        timestamp=pd.to_datetime(frame["timestamp"], unit="s", utc=True)
    ),
    "polars": as_polars,
    "lazy polars": as_lazy,
    "Arrow": as_arrow,
    "dicts": lambda frame: frame.to_dict("records"),
    "dicts of decimals": lambda frame: [
        {"timestamp": row.timestamp, "price": Decimal(str(row.price))} for row in frame.itertuples()
    ],
    "arrays": lambda frame: {name: frame[name].to_numpy() for name in frame},
    "lists": lambda frame: {name: frame[name].tolist() for name in frame},
    "feeds": lambda frame: {"data": frame},
    "chunks": as_chunks,
}


def prices_of(data: Any) -> list[float]:
    """All prices of any form of data."""
    if callable(data) and not hasattr(data, "columns"):
        return [price for chunk in data() for price in prices_of(chunk)]
    if isinstance(data, dict) and "data" in data:
        return prices_of(data["data"])
    if isinstance(data, list):
        return [row["price"] for row in data]
    if hasattr(data, "collect"):
        data = data.collect()
    column = data["price"]
    return column.to_pylist() if hasattr(column, "to_pylist") else list(column)


@pytest.mark.parametrize("form", FORMS)
def test_a_factory_gets_its_data_in_the_form_given(form: str) -> None:
    frame = walk(50)
    data = FORMS[form](frame)
    kinds, lengths = set(), []

    def factory(data: Any) -> Stages:
        prices = prices_of(data)
        kinds.add(type(data))
        lengths.append(len(prices))
        top = max(prices)
        return [lambda ctx: float(top)]

    report = check_lookahead(data, pipeline_factory=factory, cuts=4)

    assert report.found
    assert report.first.timestamp == float(T0)
    assert len(kinds) == 1
    assert lengths[:2] == [50, 50]
    # Runs without the rows after the cut, in turn with runs on other numbers there.
    assert min(lengths) == 1
    assert lengths[3::2] == [50] * len(lengths[3::2])
    assert prices_of(data) == prices_of(FORMS[form](walk(50)))  # his own is as it was


@pytest.mark.parametrize("form", FORMS)
def test_an_honest_factory_passes_on_every_form(form: str) -> None:
    def factory(data: Any) -> Stages:
        prices = np.array(prices_of(data), dtype=float)
        mean = np.cumsum(prices) / np.arange(1, len(prices) + 1)
        number = iter(range(len(prices)))
        return [lambda ctx: float(mean[next(number)]), lambda ctx, fair: hz.quotes(fair, 0.02, 1)]

    report = check_lookahead(FORMS[form](walk(50)), pipeline_factory=factory, cuts=6)

    assert report.ok, report


def test_a_file_is_handed_over_as_a_frame(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    walk(50).to_csv(path, index=False)
    report = check_lookahead(str(path), pipeline_factory=signalling(lambda d: d["price"].shift(-1)))

    assert report.found
    assert report.first.timestamp == float(T0)


def test_columns_of_other_names_are_changed_too() -> None:
    frame = walk(50).rename(columns={"timestamp": "at", "price": "last"})
    seen: list[pd.DataFrame] = []

    def factory(data: pd.DataFrame) -> Stages:
        seen.append(data)
        return [quoter]

    report = check_lookahead(
        frame,
        pipeline_factory=factory,
        columns={"timestamp": "at", "price": "last"},
        cuts=[T0 + 60.0 * 20],
    )

    assert report.ok
    cut, changed = seen[2:]
    assert cut.equals(frame.iloc[:21])
    assert changed.iloc[:21].equals(frame.iloc[:21])
    assert (changed["last"].iloc[21:] != frame["last"].iloc[21:]).all()
    assert changed["last"].between(0.0, 1.0).all()
    assert changed["at"].equals(frame["at"])


def test_changed_rows_stay_rows_that_can_be(tmp_path: Path) -> None:
    frame = bars(40).assign(bid=lambda d: d["close"] - 0.1, ask=lambda d: d["close"] + 0.1)
    seen: list[pd.DataFrame] = []

    def factory(data: pd.DataFrame) -> Stages:
        seen.append(data)
        return [lambda ctx: None]

    check_lookahead(frame, pipeline_factory=factory, markets=[hz.Market("ACME", hz.Equity)], cuts=6)

    # Had one been a row that cannot be, the run would have refused it as well.
    for changed in seen[3::2]:
        assert (changed["low"] <= changed[["open", "close"]].min(axis=1)).all()
        assert (changed["high"] >= changed[["open", "close"]].max(axis=1)).all()
        assert (changed["bid"] < changed["ask"]).all()
        assert (changed["low"] > 0.0).all()
        assert changed["volume"].dtype == frame["volume"].dtype


NS = 1_000_000_000


@pytest.mark.parametrize("seed", range(5))
def test_changed_books_are_books_still(seed: int) -> None:
    books = read_books(ladders(40, seed=seed))
    cut = (T0 + 15) * NS
    change = Change(cut, is_truncated=False, seed=seed, bounded=frozenset({"m"}))
    moved = change.books("m", books)

    for name in ("bid_prices", "ask_prices", "bid_sizes", "ask_sizes"):
        old, new = getattr(books, name), getattr(moved, name)
        # Snapshots 0 to 15 are of the cut's time and before.
        assert (new[:16] == old[:16]).all()
        assert (new[16:] != old[16:]).all()
    assert (np.diff(moved.bid_prices, axis=1) < 0.0).all()
    assert (np.diff(moved.ask_prices, axis=1) > 0.0).all()
    assert (moved.best_bid < moved.best_ask).all()
    assert ((moved.bid_prices > 0.0) & (moved.ask_prices < 1.0)).all()
    assert (moved.bid_sizes > 0.0).all()
    assert books.bid_prices.base is not moved.bid_prices

    truncated = Change(cut, is_truncated=True, seed=seed, bounded=frozenset({"m"}))
    assert len(truncated.books("m", books)) == 16


def test_what_is_missing_stays_missing_and_what_is_largest_stays_legal() -> None:
    times = np.arange(4, dtype=np.int64)
    values = np.array([1.0, 1e15, math.nan, 0.0])
    change = Change(0, is_truncated=False, seed=1, bounded=frozenset())
    moved = change.numbers("x", "price", times, values)

    assert moved[0] == 1.0
    assert moved[1] <= 1e15
    assert math.isnan(moved[2])
    assert moved[3] == 0.0
    assert values[1] == 1e15


# ---------------------------------------------------------------------------- not repeatable
def test_state_that_outlives_a_run_is_not_called_look_ahead() -> None:
    seen: list[float] = []

    def mean_so_far(ctx: Any) -> float:
        seen.append(ctx.feed.price)
        return sum(seen) / len(seen)

    report = check_lookahead(walk(40), [mean_so_far])

    assert not report.repeatable
    assert not report.ok
    assert not report.found
    # The first row of the second run has 41 prices behind it.
    assert report.first.timestamp == float(T0)
    assert "pipeline_factory" in str(report)
    assert list(report.reruns["how"]) == ["repeated"]


def test_chance_without_a_seed_is_not_called_look_ahead() -> None:
    rng = np.random.default_rng(0)
    report = check_lookahead(walk(40), pipeline_factory=lambda data: [lambda ctx: rng.random()])

    assert not report.repeatable
    assert not report.found


# ---------------------------------------------------------------------------- small differences
@pytest.mark.parametrize("size, is_found", [(1e-13, False), (1e-6, True)])
def test_rounding_is_no_look_ahead(size: float, is_found: bool) -> None:
    def factory(data: pd.DataFrame) -> Stages:
        noise = size * len(data)  # what a sum in another order does to its last digits
        return [lambda ctx: ctx.feed.price + noise]

    assert check_lookahead(walk(60), pipeline_factory=factory).found is is_found


@pytest.mark.parametrize(
    "make",
    [
        lambda value: [hz.Quote(0.1, 0.2 + value, 1.0)],
        lambda value: hz.OrderRequest("market", hz.Side.Yes, hz.OrderSide.Buy, 1.0 + value, 0.01),
    ],
    ids=["quote", "request"],
)
def test_the_terms_of_what_is_wanted_are_compared(make: Callable[[float], Any]) -> None:
    def factory(data: pd.DataFrame) -> Stages:
        return [lambda ctx: make(len(data) / 1000.0)]

    report = check_lookahead(walk(60), pipeline_factory=factory)

    assert report.found
    assert report.first.timestamp == float(T0)


@pytest.mark.parametrize(
    "make",
    [
        lambda value: {"edge": value},
        lambda value: np.array([1.0, math.nan, value]),
        lambda value: pd.Series([value, 1.0]),
        lambda value: (1, [value, "a"]),
        lambda value: pd.Timestamp(round(value), unit="s"),
        lambda value: "x" * round(value),
    ],
    ids=["dict", "array", "series", "nested", "time", "text"],
)
def test_outputs_of_many_kinds_are_compared(make: Callable[[float], Any]) -> None:
    def clean(data: pd.DataFrame) -> Stages:
        return [lambda ctx: make(3.0), lambda ctx, value: None]

    def looking(data: pd.DataFrame) -> Stages:
        return [lambda ctx: make(float(len(data))), lambda ctx, value: None]

    assert check_lookahead(walk(30), pipeline_factory=clean).ok
    assert check_lookahead(walk(30), pipeline_factory=looking).found


def test_outputs_that_cannot_be_compared_are_taken_as_the_same() -> None:
    class Plan:
        pass

    report = check_lookahead(walk(30), [lambda ctx: Plan(), lambda ctx, plan: None])

    assert report.ok


# ---------------------------------------------------------------------------- cuts and seeds
def test_a_seed_decides_where_the_cuts_lie() -> None:
    frame = walk(60)

    def reruns(seed: int) -> pd.DataFrame:
        return check_lookahead(frame, [quoter], seed=seed).reruns

    assert reruns(3).equals(reruns(3))
    assert not reruns(3)["cut"].equals(reruns(4)["cut"])


def test_more_cuts_than_rows_are_every_row_but_the_last() -> None:
    report = check_lookahead(walk(12), [quoter], cuts=5_000)

    cuts = report.reruns.query("how == 'truncated'")["cut"]
    assert list(cuts) == list(pd.to_datetime(walk(12)["timestamp"][:-1], unit="s", utc=True))


def test_a_cut_between_rows_is_one_at_the_row_before() -> None:
    report = check_lookahead(walk(12), [quoter], cuts=[T0 + 100.0, T0 + 119.0])

    # Rows come every minute: both lie between the ones at 60 and 120 s.
    assert list(report.reruns["cut"]) == [pd.Timestamp(T0 + 60, unit="s", tz="UTC")] * 2
    assert list(report.reruns["how"]) == ["truncated", "perturbed"]


def test_the_first_look_is_searched_for_between_the_cuts() -> None:
    frame = walk(150)

    def feature(data: pd.DataFrame) -> Any:
        # Honest for 73 rows, and from then on a row ahead.
        known, coming = data["price"].diff(), data["price"].diff().shift(-1)
        return known.where(data.index < 73, coming)

    report = check_lookahead(frame, pipeline_factory=signalling(feature), cuts=3)

    assert row_of(report, frame) == 73
    assert report.reruns["search"].sum() >= 1
    # Halving 150 rows takes no more than eight turns of two runs each.
    assert report.reruns["search"].sum() <= 16


def test_cuts_lie_at_decisions_and_just_before_them() -> None:
    # One output a second; it changes at 10, 20, 30 …
    decisions = [
        Decision(second * NS, "m", "output", "signal", float(second // 10)) for second in range(100)
    ]
    seconds = [cut // NS for cut in chosen_cuts(decisions, 10, seed=0, first_ns=0, last_ns=99 * NS)]

    # One in each ten seconds: at the change, and in the next ten just before it. The first
    # decision that wants something is at 0.
    assert seconds == [0, 9, 20, 29, 40, 49, 60, 69, 80, 89]


def test_decisions_up_to_the_cut_are_compared() -> None:
    frame = walk(30)
    cuts = [frame["timestamp"][4], frame["timestamp"][20]]
    report = check_lookahead(frame, [lambda ctx: ctx.feed.price], cuts=cuts)

    # One output a row: rows 0 to 4, and rows 0 to 20; each of them without and with other rows.
    assert list(report.reruns["compared"]) == [5, 5, 21, 21]
    assert report.kinds == {"output": 21}
    assert report.decisions == 21


def test_a_rerun_ends_with_its_first_difference() -> None:
    frame = walk(60)
    calls: list[float] = []

    def factory(data: pd.DataFrame) -> Stages:
        mean = float(data["price"].mean())

        def stage(ctx: Any) -> float:
            calls.append(ctx.timestamp)
            return mean

        return [stage]

    check_lookahead(frame, pipeline_factory=factory, cuts=[frame["timestamp"][50]])

    # Twice all sixty rows; then row 0 at once is another, and nothing after it is asked.
    assert len(calls) < 2 * 60 + 10


def test_what_a_run_leaves_out_at_its_end_is_a_difference() -> None:
    stages = Pipeline([lambda ctx: ctx.feed.price]).stages
    long = Watch(stages)
    hz.backtest(data=walk(5), pipeline=long.pipeline)
    short = Watch(stages, known=long.decisions)
    hz.backtest(data=walk(4), pipeline=short.pipeline)
    short.finish()

    assert short.compared == 4
    assert short.difference == (4, long.decisions[4], None)


def test_a_run_on_less_data_has_fewer_books() -> None:
    replays = Replays(None, None, lambda data: [quoter], None, {"book_data": {"m": ladders(30)}})
    replays.run_whole(Watch(replays.stages()))
    cut = (T0 + 9) * NS
    _, less = replays.changed(cut, is_truncated=True, seed=0)
    _, other = replays.changed(cut, is_truncated=False, seed=0)

    # Books come every second, from T0 on.
    assert len(less["book_data"]["m"]) == 10
    assert len(other["book_data"]["m"]) == 30
    assert replays.last_before(cut + NS // 2) == cut
    assert (replays.first_ns, replays.last_ns) == (T0 * NS, (T0 + 29) * NS)


def test_the_latest_row_is_one_of_the_markets_own_feed() -> None:
    data = {"price": walk(30, seed=5), "poll": walk(30, seed=6)}

    def factory(data: dict[str, pd.DataFrame]) -> Stages:
        last = float(data["poll"]["price"].iloc[-1])
        return [lambda ctx: last]

    report = check_lookahead(
        data, pipeline_factory=factory, markets=["vote"], feeds={"vote": "price"}
    )

    # Both feeds have a row at the first time; the market is priced by the first of them.
    price = float(data["price"]["price"][0])
    assert report.first.latest_row == ("price", 0, float(T0), price)


def test_chunks_for_a_factory_end_at_the_cut() -> None:
    frame = walk(60)
    lengths: list[list[int]] = []

    def factory(data: Callable[[], Iterator[pd.DataFrame]]) -> Stages:
        lengths.append([len(chunk) for chunk in data()])
        return [quoter]

    report = check_lookahead(
        as_chunks(frame), pipeline_factory=factory, cuts=[frame["timestamp"][20]]
    )

    # Seventeen rows a chunk; rows 0 to 20 are one of them and four rows of the next.
    assert report.ok
    assert lengths == [[17, 17, 17, 9]] * 2 + [[17, 4], [17, 17, 17, 9]]


# ---------------------------------------------------------------------------- what it says
def test_the_report_says_what_was_found() -> None:
    frame = walk(60)
    report = check_lookahead(frame, pipeline_factory=signalling(lambda d: d["price"].shift(-1)))
    first, second = frame["price"][:2]

    text = str(report)
    assert "Look-ahead" in text
    assert "Market market, 2023-11-14T22:13:20Z" in text
    assert f"stage signal returned {second:.10g}" in text
    assert "without the rows after 2023-11-14T22:13:20Z  stage signal returned nan" in text
    assert f"row 0 of feed data (2023-11-14T22:13:20Z, price {first}" in text
    assert f"buy 5 at {first - 0.01:.10g}" in text
    assert report.first.time == pd.Timestamp("2023-11-14 22:13:20", tz="UTC")
    assert report.first.latest_row.row == 0


def test_the_report_is_neither_true_nor_false() -> None:
    report = check_lookahead(walk(20), [quoter])

    with pytest.raises(TypeError, match=r"ask \.found or \.ok"):
        assert report


def test_reruns_are_a_table() -> None:
    found = check_lookahead(
        walk(60), pipeline_factory=signalling(lambda d: d["price"].shift(-1))
    ).reruns
    clean = check_lookahead(walk(60), [quoter]).reruns

    for frame in (found, clean):
        assert list(frame.columns) == [
            "how",
            "search",
            "cut",
            "compared",
            "differs_at",
            "market",
            "what",
            "came_out",
            "failed",
        ]
    assert str(clean["differs_at"].dtype) == str(found["differs_at"].dtype)
    assert clean["differs_at"].isna().all()
    assert found["differs_at"].notna().any()
    assert (clean["failed"] == "").all()


def test_names_from_outside_are_escaped() -> None:
    name = "<img src=x onerror=alert(1)>\u202e"
    frame = walk(30)
    frame.insert(0, "market_id", name)

    def factory(data: pd.DataFrame) -> Stages:
        last = data["price"].iloc[-1]
        return [lambda ctx: f"<script>{last}</script>", lambda ctx, text: None]

    report = check_lookahead(frame, pipeline_factory=factory)

    html = report._repr_html_()
    assert "<img" not in html
    assert "<script" not in html
    assert "\u202e" not in html
    assert "&lt;img src=x" in html
    assert "<img" not in report.first._repr_html_()


def test_a_factory_that_needs_more_rows_is_noted() -> None:
    def factory(data: pd.DataFrame) -> Stages:
        if len(data) < 30:
            raise RuntimeError("too few rows to learn from")
        return [quoter]

    report = check_lookahead(walk(100), pipeline_factory=factory)

    assert report.ok
    assert any("too few rows to learn from" in note for note in report.notes)
    assert (report.reruns["failed"] != "").any()


def test_a_factory_that_never_can_is_an_error() -> None:
    def factory(data: pd.DataFrame) -> Stages:
        return [quoter] if data["price"].sum() == total else [][0]

    frame = walk(50)
    total = frame["price"].sum()
    with pytest.raises(ValueError, match=r"no rerun could be made.*IndexError"):
        check_lookahead(frame, pipeline_factory=factory)


# ---------------------------------------------------------------------------- refusals
@pytest.mark.parametrize(
    "arguments, error, says",
    [
        ({}, ValueError, "give pipeline or pipeline_factory, one of them; was given neither"),
        (
            {"pipeline": [quoter], "pipeline_factory": lambda data: [quoter]},
            ValueError,
            "was given both",
        ),
        ({"pipeline_factory": [quoter]}, TypeError, "pipeline_factory must be a function"),
        ({"pipeline": quoter}, TypeError, "pipeline must be a list of functions"),
        (
            {"pipeline_factory": lambda data: quoter},
            TypeError,
            "pipeline_factory must return the stages: pipeline must be a list",
        ),
        ({"pipeline": [quoter], "cuts": 0}, ValueError, "cuts must be 1 or more, was 0"),
        ({"pipeline": [quoter], "cuts": True}, TypeError, "cuts must be a whole number"),
        ({"pipeline": [quoter], "cuts": 2.5}, TypeError, "cuts must be a whole number"),
        ({"pipeline": [quoter], "cuts": "8"}, TypeError, "cuts must be a number, or a list"),
        ({"pipeline": [quoter], "cuts": []}, ValueError, "cuts must hold at least one time"),
        ({"pipeline": [quoter], "cuts": [T0 - 1.0]}, ValueError, "cuts must lie from"),
        ({"pipeline": [quoter], "cuts": [T0 + 60.0 * 19]}, ValueError, "before the last row"),
        ({"pipeline": [quoter], "seed": -1}, ValueError, "seed must be 0 or more"),
        ({"pipeline": [quoter], "tolerance": -1e-9}, ValueError, "tolerance must be 0 or more"),
        ({"pipeline": [quoter], "tolerance": 1.0}, ValueError, "tolerance must be below 1"),
        ({"pipeline": [quoter], "labels": "won"}, TypeError, "labels must be a list"),
        ({"pipeline": [quoter], "labels": ["prize"]}, ValueError, "Did you mean 'price'"),
        ({"pipeline": [quoter], "latencyms": 3}, TypeError, "Did you mean 'latency_ms'"),
        ({"pipeline": [quoter], "initial_capital": 0}, ValueError, "initial_capital"),
        ({"pipeline": [quoter], "progress": 1}, TypeError, "progress must be True or False"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_bad_arguments_are_refused(
    arguments: dict[str, Any], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says.replace("(", r"\(")):
        check_lookahead(walk(20), **arguments)


def test_one_row_has_no_future() -> None:
    with pytest.raises(ValueError, match="nothing to check: no pipeline has run before the last"):
        check_lookahead(walk(1), [quoter])


def test_the_error_of_the_run_on_all_data_comes_through() -> None:
    def broken(ctx: Any) -> Any:
        raise LookupError("no model")

    with pytest.raises(hz.PipelineError, match="no model"):
        check_lookahead(walk(20), [broken])


def test_progress_counts_runs(capsys: pytest.CaptureFixture[str]) -> None:
    check_lookahead(walk(20), [quoter], progress=True, name="probe")

    assert "probe" in capsys.readouterr().err


def test_chunks_are_read_one_after_the_other() -> None:
    frame = walk(200)
    held: list[int] = []

    def chunks() -> Iterator[pd.DataFrame]:
        for k in range(0, 200, 50):
            held.append(k)
            yield frame.iloc[k : k + 50]

    report = check_lookahead(chunks, [quoter], cuts=[frame["timestamp"][20]])

    assert report.ok
    # Two runs on all data and one look for the last row before the cut read all; a run that ends
    # at row 20 reads no further than into the second chunk.
    assert held.count(150) < held.count(0)


def test_books_given_as_frames_are_cut() -> None:
    rows = [
        {"timestamp": one["timestamp"], "side": side, "price": price, "size": size}
        for one in ladders(60)
        for side, levels in (("bid", one["bids"]), ("ask", one["asks"]))
        for price, size in levels
    ]
    report = check_lookahead(None, [quoter], book_data={"m": pd.DataFrame(rows)})

    assert report.ok, report
    assert len(read_books(ladders(60))) == 60
