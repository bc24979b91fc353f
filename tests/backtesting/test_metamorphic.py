"""What must not change a run, or change it in one known way."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import horizon as hz
from horizon import OrderRequest, OrderSide, Quote, Side
from tests.backtesting.worlds import (
    Strategy,
    World,
    book_worlds,
    busy_world,
    contract_of,
    worlds,
)

# Measured, these would take three times as long, and count hardly a line that others do not.
pytestmark = pytest.mark.no_cover

MODES = ["price", "quotes", "bars", "books"]
QUICK = settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


def bare(result: Any) -> list[tuple[Any, ...]]:
    """Every fill in full."""
    return [
        (f.order_id, f.timestamp, f.market_id, f.side, f.order_side, f.size, f.price, f.fee)
        for f in result.fills
    ]


def sent(result: Any) -> list[tuple[Any, ...]]:
    """Every order as it was sent, whatever became of it."""
    frame = result.orders_frame()
    columns = ["submitted", "market_id", "side", "order_side", "size", "tif", "reduce_only"]
    limits = frame.price.map(repr)  # nan is nan
    return list(frame[columns].assign(price=limits).itertuples())


# ---------------------------------------------------------------------------- the future
def cut_at(world: World, time: float) -> World:
    """The same world with nothing from a time on."""

    def before(rows: dict[str, Any] | None) -> dict[str, Any] | None:
        if rows is None:
            return None
        return {m: [row for row in own if row["timestamp"] < time] for m, own in rows.items()}

    how = {key: value for key, value in world.how.items() if key != "resolutions"}
    return world.with_(data=before(world.data), books=before(world.books), how=how)


def check_prefix(world: World, time: float) -> None:
    # A settlement at the end belongs to where the end is; those are compared elsewhere.
    how = {k: v for k, v in world.how.items() if k not in ("outcomes", "resolutions")}
    world = world.with_(how=how)
    short = cut_at(world, time)
    for rows in (short.data, short.books):
        if rows is not None and not all(rows.values()):
            return  # a market without any row has nothing to run on
    whole, part = world.run(), short.run()
    every = [*(short.data or {}).values(), *(short.books or {}).values()]
    last = max(row["timestamp"] for rows in every for row in rows)

    assert bare(part) == [fill for fill in bare(whole) if fill[1] <= last][: len(part.fills)]
    early = [row for row in bare(whole) if row[1] < last]
    assert bare(part)[: len(early)] == early
    # Sizes may be amended later; compare those sent before with what they were sent for.
    assert [row[1:5] for row in sent(part)] == [row[1:5] for row in sent(whole)][: len(sent(part))]
    curve = [point for point in part.equity_curve if point[0] < last]
    assert curve == whole.equity_curve[: len(curve)]


@QUICK
@given(worlds(), st.integers(1, 20))
def test_what_comes_later_does_not_change_what_came_before(world: World, half: int) -> None:
    check_prefix(world, 1000.0 + half / 2)


@QUICK
@given(book_worlds(), st.integers(1, 20))
def test_later_books_do_not_change_what_came_before(world: World, half: int) -> None:
    check_prefix(world, 1000.0 + half / 2)


@pytest.mark.parametrize(
    "mode,how",
    [*((mode, {}) for mode in MODES), ("books", {"fill_model": "probabilistic"})],
    ids=[*MODES, "books by chance"],
)
def test_prefixes_of_busy_data_give_prefixes_of_runs(mode: str, how: dict[str, Any]) -> None:
    for seed in range(4):
        for time in (1010.0, 1022.5, 1030.0):
            check_prefix(busy_world(seed, mode=mode, **how), time)


def test_the_future_can_be_replaced() -> None:
    for seed in range(6):
        world = busy_world(seed, mode="price")
        other = busy_world(seed, mode="price")
        changed = {
            market: [
                row if row["timestamp"] < 1020.0 else {**row, "price": round(row["price"] / 2, 4)}
                for row in rows
            ]
            for market, rows in (other.data or {}).items()
        }
        first, second = world.run().equity_curve, other.with_(data=changed).run().equity_curve
        known = [n for n, (time, _) in enumerate(first) if time < 1020.0]
        assert [first[n] for n in known] == [second[n] for n in known]
        assert len(known) > 15


def test_a_result_that_is_not_known_yet_changes_nothing() -> None:
    compared = 0
    for seed in range(30):
        world = busy_world(seed, mode="price")
        if "resolutions" not in world.how:
            continue
        ends = world.how["resolutions"]
        other = {market: 1.0 - value for market, value in world.how["outcomes"].items()}
        first = world.run()
        second = world.run(outcomes=other)
        known = min(ends.values())
        early = [point for point in first.equity_curve if point[0] <= known]
        assert early == second.equity_curve[: len(early)]
        before = [fill for fill in bare(first) if fill[1] <= known]
        assert before == bare(second)[: len(before)]
        compared += len(before)
    assert compared > 40


def test_a_feed_that_nobody_looks_at_changes_nothing() -> None:
    for seed in range(6):
        world = busy_world(seed, mode="price", run_on="feed")
        assert world.data is not None
        # Its rows come at the times of the others and between them, and end before them.
        idle = [{"timestamp": 999.0 + n / 4, "price": 7.0} for n in range(40)]
        first, second = world.run(), world.run(data={"idle": idle, **world.data})
        assert bare(second) == bare(first)
        times = dict(first.equity_curve)
        assert [v for t, v in second.equity_curve if t in times][-20:] == [
            v for _, v in first.equity_curve
        ][-20:]


# ---------------------------------------------------------------------------- order of things
def check_feed_order(world: World) -> None:
    def turned(rows: dict[str, Any] | None) -> dict[str, Any] | None:
        return None if rows is None else dict(reversed(rows.items()))

    first = world.run()
    second = world.with_(data=turned(world.data), books=turned(world.books)).run()
    assert bare(second) == bare(first)
    assert second.equity_curve == first.equity_curve
    assert sent(second) == sent(first)


@QUICK
@given(worlds())
def test_the_order_of_feeds_does_not_matter(world: World) -> None:
    check_feed_order(world)


@QUICK
@given(book_worlds())
def test_the_order_of_books_does_not_matter(world: World) -> None:
    check_feed_order(world)


@pytest.mark.parametrize("mode", MODES)
def test_the_order_of_feeds_does_not_matter_in_busy_runs(mode: str) -> None:
    for seed in range(6):
        check_feed_order(busy_world(seed, mode=mode))


def test_a_flat_table_is_the_same_run_as_its_feeds() -> None:
    for seed in range(6):
        world = busy_world(seed, mode="price")
        assert world.data is not None
        flat = sorted(
            ({"market_id": market, **row} for market, rows in world.data.items() for row in rows),
            key=lambda row: row["timestamp"],
        )
        first, second = world.run(), world.run(data=flat)
        assert bare(second) == bare(first)
        assert second.equity_curve == first.equity_curve


def test_forms_of_data_are_one_run(tmp_path: Path) -> None:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

    world = busy_world(3, mode="quotes")
    assert world.data is not None
    frames = {market: pd.DataFrame(rows) for market, rows in world.data.items()}
    for market, frame in frames.items():
        frame.to_csv(tmp_path / f"{market.replace('/', '')}.csv", index=False)
        frame.to_parquet(tmp_path / f"{market.replace('/', '')}.parquet")

    def files(ending: str) -> dict[str, Path]:
        return {market: tmp_path / f"{market.replace('/', '')}.{ending}" for market in frames}

    times = {market: pd.to_datetime(frame.timestamp, unit="s") for market, frame in frames.items()}
    first = world.run()
    assert first.fills
    for name, data in {
        "pandas": frames,
        "polars": {m: pl.from_pandas(f) for m, f in frames.items()},
        "arrow": {m: pa.Table.from_pandas(f) for m, f in frames.items()},
        "arrays": {m: {c: f[c].to_numpy() for c in f} for m, f in frames.items()},
        "csv": files("csv"),
        "parquet": files("parquet"),
        "datetimes": {m: f.assign(timestamp=times[m]) for m, f in frames.items()},
        "text": {
            m: f.assign(timestamp=times[m].dt.strftime("%Y-%m-%dT%H:%M:%S.%f"))
            for m, f in frames.items()
        },
    }.items():
        run = world.run(data=data)
        assert bare(run) == bare(first), name
        assert run.equity_curve == first.equity_curve, name


# ---------------------------------------------------------------------------- equal input
SCRIPT = """
import hashlib, sys
from tests.backtesting.worlds import busy_world
digest = hashlib.sha256()
for mode in ("price", "books"):
    for seed in (1, 2):
        how = {"fill_model": "probabilistic"} if mode == "books" else {}
        result = busy_world(seed, mode=mode, **how).run()
        for part in (result.fills, result.equity_curve, result.metrics, result.summary(),
                     result.orders_frame().to_csv(), dict(result.rejections),
                     result.pnl_by_market(), dict(result.config)):
            digest.update(repr(part).encode())
print(digest.hexdigest())
"""


def test_equal_input_gives_equal_bytes_whatever_the_hash_seed() -> None:
    root = Path(__file__).parents[2]
    found = set()
    for seed in ("0", "1", "12345"):
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT],
            capture_output=True,
            text=True,
            cwd=root,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(root)},
            check=False,
        )
        assert done.returncode == 0, done.stderr
        found.add(done.stdout)
    assert len(found) == 1


@pytest.mark.parametrize("mode", MODES)
def test_a_run_repeated_is_the_same_run(mode: str) -> None:
    world = busy_world(7, mode=mode)
    first, second = world.run(), world.run()

    assert bare(first) == bare(second)
    assert first.equity_curve == second.equity_curve
    assert first.metrics == second.metrics


# ---------------------------------------------------------------------------- scales
def scaled(world: World, by: float) -> World:
    def rows_of(rows: dict[str, Any] | None) -> dict[str, Any] | None:
        if rows is None:
            return None
        return {m: [scaled_row(row, by) for row in own] for m, own in rows.items()}

    how = {**world.how, "initial_capital": world.how["initial_capital"] * by}
    return world.with_(data=rows_of(world.data), books=rows_of(world.books), how=how)


def scaled_row(row: dict[str, Any], by: float) -> dict[str, Any]:
    if "bids" in row:
        sides = {
            name: [(price * by, size) for price, size in row[name]] for name in ("bids", "asks")
        }
        return {"timestamp": row["timestamp"], **sides}
    return {name: value if name == "timestamp" else value * by for name, value in row.items()}


class Scaled:
    """The strategy of a world in scaled prices: it sees and sends prices of the first scale."""

    def __init__(self, world: World, by: float) -> None:
        self.inner, self.by = Strategy(world.plans), by

    def __call__(self, ctx: Any) -> Any:
        by = self.by
        output = self.inner(Unscaled(ctx, by))
        if output is None:
            return None
        return [
            Quote(item.bid * by, item.ask * by, item.size)
            if isinstance(item, Quote)
            else item._replace(price=None if item.price is None else item.price * by)
            for item in output
        ]


class Unscaled:
    def __init__(self, ctx: Any, by: float) -> None:
        self.market_id, self.market, self.engine = ctx.market_id, ctx.market, ctx.engine
        self.feed = ctx.feed._replace(price=ctx.feed.price / by)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("by", [0.25, 2.0, 1024.0])
def test_prices_and_cash_scaled_by_a_power_of_two_scale_the_run(mode: str, by: float) -> None:
    trades = 0
    for seed in range(12):
        world = busy_world(seed, mode=mode)
        if world.markets[0] in ("rain", "vote"):
            continue
        world = only(world, world.markets[0])
        if world.books is not None:
            # Temporary impact is a fraction of the price; permanent impact is one of notional
            # in money, which scales with it.
            world = world.with_(how={**world.how, "impact_permanent_fraction": 0.0})
        first = world.run()
        second = scaled(world, by).run(pipeline=[Scaled(world, by)])
        assert [(f[0], f[1], f[5], f[6] * by, f[7] * by) for f in bare(first)] == [
            (f[0], f[1], f[5], f[6], f[7]) for f in bare(second)
        ]
        assert [(t, v * by) for t, v in first.equity_curve] == second.equity_curve
        trades += len(first.fills)
        if len(first.equity_curve) > 2 and first.fills:
            assert second.metrics.total_return == first.metrics.total_return * by
            assert second.metrics.sharpe_ratio == first.metrics.sharpe_ratio
            assert second.metrics.max_drawdown_pct == first.metrics.max_drawdown_pct
    assert trades > 100


def only(world: World, *markets: str) -> World:
    """The same world with some of its markets alone."""

    def kept(rows: dict[str, Any] | None) -> dict[str, Any] | None:
        return None if rows is None else {market: rows[market] for market in markets}

    how = dict(world.how)
    for name in ("outcomes", "resolutions"):
        if name in how:
            how[name] = {m: v for m, v in how[name].items() if m in markets}
    return world.with_(
        markets=markets,
        data=kept(world.data),
        books=kept(world.books),
        plans={market: world.plans[market] for market in markets},
        how=how,
    )


# ---------------------------------------------------------------------------- split orders
class Halved:
    """The strategy of a world, each order and quote sent as two halves."""

    def __init__(self, world: World) -> None:
        self.inner = Strategy(world.plans)

    def __call__(self, ctx: Any) -> Any:
        output = self.inner(ctx)
        if output is None:
            return None
        halves: list[Any] = []
        for item in output:
            if isinstance(item, Quote):
                halves += [Quote(item.bid, item.ask, item.size / 2)] * 2
            else:
                halves += [item._replace(size=item.size / 2)] * 2
        return halves


@pytest.mark.parametrize("mode", MODES)
def test_two_halves_are_worth_one_order(mode: str) -> None:
    for seed in range(8):
        world = busy_world(seed, mode=mode, paper_maker_fee_rate=0.001)
        plans = {
            # A reduce-only order of a whole position is refused for more, its halves are not.
            market: [[m for m in moves if m[-1] != "reduce"] for moves in plan]
            for market, plan in world.plans.items()
        }
        how = dict(world.how)
        if mode == "books":
            how |= {"impact_temporary_bps": 0.0, "impact_permanent_fraction": 0.0}
        world = world.with_(plans=plans, how=how)
        whole, halves = world.run(), world.run(pipeline=[Halved(world)])
        assert len(halves.fills) >= len(whole.fills) > 0
        traded = sum(fill.size for fill in whole.fills)
        assert sum(fill.size for fill in halves.fills) == pytest.approx(traded, rel=1e-12)
        first = [value for _, value in whole.equity_curve]
        assert [value for _, value in halves.equity_curve] == pytest.approx(first, abs=1e-6)


# ---------------------------------------------------------------------------- other markets
@pytest.mark.parametrize("mode", MODES)
def test_another_market_changes_nothing_in_the_others(mode: str) -> None:
    both_traded = 0
    for seed in range(12):
        how: dict[str, Any] = {"run_on": "feed"}
        if mode == "books":
            how["fill_model"] = "probabilistic"
        world = busy_world(seed, mode=mode, **how)
        if len(world.markets) < 2 or (world.data is None and mode != "books"):
            continue
        whole = world.run()
        for market in world.markets:
            alone = only(world, market).run()
            # What is on its way after the last row never arrives; others may have later rows.
            end = alone.equity_curve[-1][0]
            mine = [f[1:] for f in bare(whole) if f[2] == market and f[1] <= end]
            assert mine == [f[1:] for f in bare(alone)], (seed, market)
            if len(mine) == sum(f.market_id == market for f in whole.fills):
                pnl = whole.pnl_by_market()[market]
                assert alone.pnl_by_market()[market] == pytest.approx(pnl, abs=1e-9)
            both_traded += bool(mine)
    assert both_traded >= 6


def test_an_order_elsewhere_does_not_change_the_chances_here() -> None:
    books = [
        {"timestamp": float(t), "bids": [(0.48, 9.0)], "asks": [(0.52, 9.0)]} for t in range(300)
    ]

    def run(markets: list[str]) -> Any:
        def stage(ctx: Any) -> Any:
            ctx.engine.cancel_all(ctx.market_id)
            return [OrderRequest(ctx.market_id, Side.Yes, OrderSide.Buy, 1.0, 0.48)]

        return hz.backtest(
            markets=markets,
            book_data=dict.fromkeys(markets, books),
            pipeline=[stage],
            fill_model="probabilistic",
            fill_model_params={"lambda": 0.4, "queue_frac": 0.0},
            initial_capital=1e6,
        )

    alone = [f.timestamp for f in run(["x"]).fills]
    among = [f.timestamp for f in run(["a", "x", "z"]).fills if f.market_id == "x"]
    other = [f.timestamp for f in run(["a", "x", "z"]).fills if f.market_id == "a"]
    assert alone == among
    assert 50 < len(alone) < 150
    assert other != alone  # chances of two markets are not the same ones


# ---------------------------------------------------------------------------- YES and NO
class Mirrored:
    """The strategy of a world, trading NO where it traded YES and the other way round.

    What buys one at p sells the other at 1 - p.
    """

    def __init__(self, world: World) -> None:
        self.inner = Strategy(world.plans)

    def __call__(self, ctx: Any) -> Any:
        output = self.inner(ctx)
        if output is None:
            return None
        turned: list[Any] = []
        for item in output:
            assert isinstance(item, OrderRequest)
            is_no = item.side is Side.No
            buys = item.order_side is OrderSide.Buy
            turned.append(
                item._replace(
                    side=Side.Yes if is_no else Side.No,
                    order_side=OrderSide.Sell if buys else OrderSide.Buy,
                    price=None if item.price is None else round(1.0 - item.price, 12),
                )
            )
        return turned


@pytest.mark.parametrize("mode", MODES)
def test_buying_yes_is_selling_no(mode: str) -> None:
    fills = 0
    for seed in range(12):
        world = busy_world(seed, mode=mode, paper_maker_fee_rate=0.0, paper_taker_fee_rate=0.0)
        found = [market for market in world.markets if market in ("rain", "vote")]
        if not found:
            continue
        world = only(world, *found)
        # Quotes are for YES alone; slippage is a fraction of each side's own price; what reduces
        # depends on which of the two is held.
        plans = {
            market: [
                [move for move in moves if move[0] != "quote" and move[-1] != "reduce"]
                for moves in plan
            ]
            for market, plan in world.plans.items()
        }
        how = {**world.how}
        if mode == "books":
            # Permanent impact is a part of the money paid, which is not the same for both.
            how["impact_permanent_fraction"] = 0.0
        else:
            how["slippage_bps"] = 0.0
        world = world.with_(plans=plans, how=how)
        straight, mirrored = world.run(), world.run(pipeline=[Mirrored(world)])
        assert [(f[1], f[2], f[5]) for f in bare(straight)] == [
            (f[1], f[2], f[5]) for f in bare(mirrored)
        ]
        for one, other in zip(straight.fills, mirrored.fills, strict=True):
            assert (one.side, one.order_side) != (other.side, other.order_side)
            assert one.price == pytest.approx(1.0 - other.price, abs=1e-12)
        # Each YES sold is a NO bought for one more, and the other way round: the same equity.
        first = [value for _, value in straight.equity_curve]
        assert [value for _, value in mirrored.equity_curve] == pytest.approx(first, abs=1e-6)
        fills += len(straight.fills)
    assert fills > 30


@pytest.mark.parametrize("mode", ["price", "quotes", "bars"])
def test_the_complement_of_all_prices_turns_yes_into_no(mode: str) -> None:
    fills = 0
    for seed in range(12):
        world = busy_world(seed, mode=mode)
        found = [market for market in world.markets if market in ("rain", "vote")]
        if not found:
            continue
        world = only(world, *found)
        plans = {
            market: [[move for move in moves if move[0] != "quote"] for moves in plan]
            for market, plan in world.plans.items()
        }
        world = world.with_(plans=plans)
        names = {"low": "high", "high": "low", "bid": "ask", "ask": "bid"}

        def turned(row: dict[str, Any], names: dict[str, str] = names) -> dict[str, Any]:
            return {
                names.get(name, name): value if name == "timestamp" else round(1.0 - value, 6)
                for name, value in row.items()
            }

        assert world.data is not None
        data = {market: [turned(row) for row in rows] for market, rows in world.data.items()}
        how = dict(world.how)
        if "outcomes" in how:
            how["outcomes"] = {market: 1.0 - value for market, value in how["outcomes"].items()}
        other = world.with_(data=data, how=how)

        class Swapped:
            """Sends to the other side what the strategy would send at the first prices."""

            def __init__(self, world: World) -> None:
                self.inner = Strategy(world.plans)

            def __call__(self, ctx: Any) -> Any:
                seen = Unscaled(ctx, 1.0)
                seen.feed = ctx.feed._replace(price=round(1.0 - ctx.feed.price, 6))
                output = self.inner(seen)
                if output is None:
                    return None
                return [
                    item._replace(side=Side.Yes if item.side is Side.No else Side.No)
                    for item in output
                ]

        first, second = world.run(), other.run(pipeline=[Swapped(world)])
        assert [(f[1], f[2], f[4], f[5]) for f in bare(first)] == [
            (f[1], f[2], f[4], f[5]) for f in bare(second)
        ]
        assert [f[6] for f in bare(first)] == pytest.approx([f[6] for f in bare(second)], abs=1e-12)
        values = [value for _, value in first.equity_curve]
        assert [value for _, value in second.equity_curve] == pytest.approx(values, abs=1e-6)
        fills += len(first.fills)
    assert fills > 30


# ---------------------------------------------------------------------------- in and out
def test_a_declared_market_is_the_same_as_its_id() -> None:
    for seed in range(4):
        world = busy_world(seed, mode="price")
        by_id = world.run(markets=list(world.markets))
        by_market = world.run(markets=[contract_of(market) for market in world.markets])
        assert bare(by_id) == bare(by_market)
