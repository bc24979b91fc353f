"""Recorded order books: three of a bitcoin market, and the ladders of a match and a race.

The data lies beside the repository, not in it; without it these tests are skipped.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import horizon as hz
from horizon import Market, OrderRequest, OrderSide, Quote, Side

DATA = Path(__file__).parents[3] / "shared" / "data" / "order-books"
pytestmark = pytest.mark.skipif(not DATA.exists(), reason=f"no recorded data in {DATA}")

BOOKS = {
    # file, market, size of a quote, price step
    "spot": (
        "binance_spot_btcusdt_2024-08-08_l2_top10_100ms.csv.gz",
        Market("BTC/USDT", hz.Crypto),
        0.01,
    ),
    "usdm": (
        "binance_usdm_btcusdt_2024-08-08_l2_top10_100ms.csv.gz",
        Market("BTCUSDT-PERP", hz.Perp),
        0.05,
    ),
    "coinm": (
        "binance_coinm_btcusd_perp_2024-08-08_l2_top10_100ms.csv.gz",
        Market("BTCUSD-PERP", hz.Perp, multiplier=0.001),
        20.0,
    ),
}
MODELS: dict[str, dict[str, Any]] = {
    "deterministic": {},
    "probabilistic": {"fill_model_params": {"lambda": 0.2, "queue_frac": 0.0}},
    "glft": {"fill_model_params": {"intensity": 0.2, "kappa": 0.05}},
}


@pytest.fixture(scope="module")
def frames() -> dict[str, pd.DataFrame]:
    return {name: pd.read_csv(DATA / file) for name, (file, _, _) in BOOKS.items()}


class Trader:
    """Quotes at the touch; every fiftieth time it takes a few levels, first one way, then back."""

    def __init__(self, size: float) -> None:
        self.size, self.calls = size, 0

    def __call__(self, ctx: Any) -> Any:
        self.calls += 1
        kind = ctx.market.asset_class
        how = {"leverage": 10.0} if kind is hz.Perp and self.calls == 1 else {}
        output: list[Any] = []
        if self.calls % 50 == 1:
            side = OrderSide.Buy if self.calls % 100 == 1 else OrderSide.Sell
            output.append(OrderRequest(ctx.market_id, Side.Long, side, 40 * self.size, **how))
        elif abs(ctx.inventory) < 100 * self.size:
            output.append(Quote(ctx.feed.bid, ctx.feed.ask, self.size))
        return output


def nanoseconds(times: pd.Series) -> np.ndarray:
    return times.dt.tz_localize(None).to_numpy().astype("datetime64[ns]").astype(np.int64)


@pytest.mark.parametrize("latency", [0.0, 50.0], ids=["at once", "50 ms"])
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("name", BOOKS)
def test_fills_are_those_that_the_recorded_book_allows(
    name: str, model: str, latency: float, frames: dict[str, pd.DataFrame]
) -> None:
    frame = frames[name].iloc[:1500]
    _, market, size = BOOKS[name]
    capital = 1_000_000.0
    result = hz.backtest(
        markets=[market],
        book_data={market.id: frame},
        pipeline=[Trader(size)],
        fill_model=model,
        latency_ms=latency,
        initial_capital=capital,
        paper_maker_fee_rate=0.0002,
        paper_taker_fee_rate=0.0005,
        rng_seed=1,
        **MODELS[model],
    )
    assert dict(result.rejections) == {}
    fills = result.fills_frame()
    takes, makes = fills[~fills.is_maker], fills[fills.is_maker]
    assert len(takes) >= 30
    assert len(makes) >= 20

    # ---- each fill beside the book that was in force
    times = frame["exchange_ts_ms"].to_numpy() * 1_000_000
    at = nanoseconds(fills["timestamp"])
    row = np.searchsorted(times, at, side="right") - 1
    asks = frame[[f"ask_px_{i}" for i in range(1, 11)]].to_numpy()
    bids = frame[[f"bid_px_{i}" for i in range(1, 11)]].to_numpy()
    ask_sizes = frame[[f"ask_sz_{i}" for i in range(1, 11)]].to_numpy()
    bid_sizes = frame[[f"bid_sz_{i}" for i in range(1, 11)]].to_numpy()
    buys = (fills.order_side == "buy").to_numpy()
    prices, sizes = fills["price"].to_numpy(), fills["size"].to_numpy()
    by_chance = 0
    for n, maker in enumerate(fills.is_maker):
        k = row[n]
        levels, shown = (asks[k], ask_sizes[k]) if buys[n] else (bids[k], bid_sizes[k])
        if not maker:
            # A level of the other side, and no more than it shows.
            (level,) = np.flatnonzero(levels == prices[n])
            assert sizes[n] <= shown[level] * (1 + 1e-12)
            continue
        assert at[n] == times[k]  # only a snapshot fills what rests
        through = levels <= prices[n] if buys[n] else levels >= prices[n]
        if through.any():
            assert sizes[n] <= shown[through].sum() * (1 + 1e-12)
        else:
            by_chance += 1
            own = bids[k][0] if buys[n] else asks[k][0]
            assert prices[n] >= own if buys[n] else prices[n] <= own
    assert (by_chance > 0) == (model != "deterministic")
    if latency:
        sent = result.orders_frame()["submitted"].loc[fills.order_id]
        waited = at - nanoseconds(sent)
        assert waited.min() >= 50_000_000
        assert (waited[~fills.is_maker.to_numpy()] == 50_000_000).all()

    # ---- orders never more than what they were for; market orders complete within ten levels
    totals = fills.groupby("order_id")["size"].sum()
    quantities = result.orders_frame()["size"].loc[totals.index]
    assert (totals <= quantities * (1 + 1e-12)).all()

    # ---- the money
    signed = np.where(buys, sizes, -sizes)
    multiplier = float(market.multiplier or 1.0)
    rates = np.where(fills.is_maker, 0.0002, 0.0005)
    fees = sizes * prices * multiplier * rates
    np.testing.assert_allclose(fills.fee, fees, rtol=1e-12)
    mark = (bids[-1][0] + asks[-1][0]) / 2
    value = (signed * (mark - prices)).sum() * multiplier - fees.sum()
    notional = (sizes * prices * multiplier).sum()
    assert result.metrics.total_return == pytest.approx(value, abs=1e-11 * (capital + notional))
    held = signed.sum()
    (position,) = result.positions or [None]
    assert (position.size if position else 0.0) == pytest.approx(held, abs=1e-9 * size)


def test_the_same_seed_is_the_same_run_and_another_one_is_not(
    frames: dict[str, pd.DataFrame],
) -> None:
    _, market, size = BOOKS["usdm"]

    def run(seed: int | None) -> Any:
        return hz.backtest(
            markets=[market],
            book_data={market.id: frames["usdm"].iloc[:1000]},
            pipeline=[Trader(size)],
            fill_model="glft",
            initial_capital=1e6,
            rng_seed=seed,
            **MODELS["glft"],
        )

    first = run(3).fills_frame()
    assert first.equals(run(3).fills_frame())
    assert not first.equals(run(4).fills_frame())


def test_impact_makes_the_same_trades_dearer(frames: dict[str, pd.DataFrame]) -> None:
    _, market, _ = BOOKS["usdm"]

    def taker(ctx: Any) -> Any:
        calls.append(ctx.timestamp)
        if len(calls) % 40:
            return None
        side = OrderSide.Buy if len(calls) % 80 else OrderSide.Sell
        return [OrderRequest(ctx.market_id, Side.Long, side, 2.0)]

    paid, traded = [], []
    for bps, kept in ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0)):
        calls: list[float] = []
        result = hz.backtest(
            markets=[market],
            book_data={market.id: frames["usdm"].iloc[:1200]},
            pipeline=[taker],
            impact_temporary_bps=bps,
            impact_permanent_fraction=kept,
            initial_capital=1e6,
            paper_fee_rate=0.0,
        )
        traded.append(sum(f.size for f in result.fills))
        paid.append(-result.metrics.total_return)
    # Now and then ten levels are not enough, with impact or without.
    assert traded == pytest.approx([traded[0]] * 3, rel=1e-9)
    assert traded[0] > 50.0
    assert all(less < more for less, more in pairwise(paid))


# ---------------------------------------------------------------------------- ladders of odds
def ladder(name: str) -> tuple[dict[str, list[dict[str, Any]]], dict[str, float]]:
    """The books of each runner as contracts that pay 1, and how each ended.

    Backing at odds o is buying at 1/o: a stake of s buys s x o contracts. What backers can take
    is on offer; what layers can take is bid.
    """
    table = pd.read_csv(DATA / f"betfair_{name}_ladder_top3.csv.gz")
    ends = pd.read_csv(DATA / f"betfair_{name}_outcome.csv.gz")
    won = {
        f"runner {row.selection_id}": float(row.final_status == "WINNER")
        for row in ends.itertuples()
        if row.final_status in ("WINNER", "LOSER")
    }
    books: dict[str, list[dict[str, Any]]] = {}
    for row in table.to_dict("records"):
        runner = f"runner {row['selection_id']}"
        if runner not in won:
            continue
        snapshot: dict[str, Any] = {"timestamp": row["publish_time_ms"] / 1000}
        for side, word in (("asks", "back"), ("bids", "lay")):
            snapshot[side] = [
                (1.0 / row[f"{word}_odds_{i}"], row[f"{word}_sz_{i}"] * row[f"{word}_odds_{i}"])
                for i in (1, 2, 3)
                if row[f"{word}_odds_{i}"] > 1.0 and row[f"{word}_sz_{i}"] > 0.0
            ]
        books.setdefault(runner, []).append(snapshot)
    return books, won


class Backer:
    """Now and then backs at the odds of the moment; quotes inside a wide spread all along."""

    def __init__(self) -> None:
        self.calls: dict[str, int] = {}

    def __call__(self, ctx: Any) -> Any:
        calls = self.calls[ctx.market_id] = self.calls.get(ctx.market_id, 0) + 1
        row = ctx.feed
        if calls % 25 == 0:
            return [OrderRequest(ctx.market_id, Side.Yes, OrderSide.Buy, 5.0)]
        if calls % 40 == 0:
            return [OrderRequest(ctx.market_id, Side.No, OrderSide.Buy, 4.0, tif="ioc")]
        if row.ask - row.bid > 0.005:
            return [Quote(row.bid + 0.001, row.ask - 0.001, 3.0)]
        return None


@pytest.mark.parametrize("name", ["greyhound_win_2022-04-19", "basketball_match_odds_2019-12-29"])
@pytest.mark.parametrize(
    "how",
    [
        {},
        {"fill_model": "probabilistic", "latency_ms": 1_000.0, "rng_seed": 2},
        {"fill_model": "glft", "impact_temporary_bps": 1.0, "impact_permanent_fraction": 0.2},
    ],
    ids=["plain", "chance and latency", "intensity and impact"],
)
def test_a_ladder_of_odds_with_its_outcome(name: str, how: dict[str, Any]) -> None:
    books, won = ladder(name)
    assert sum(won.values()) == 1.0
    result = hz.backtest(
        markets=list(books),
        book_data=books,
        pipeline=[Backer()],
        outcomes=won,
        initial_capital=10_000.0,
        paper_fee_rate=0.0,
        **how,
    )
    assert len(result.fills) > 20

    # What a contract cost against what it paid; NO pays when the runner does not win.
    gain = dict.fromkeys(books, 0.0)
    scores, sides = [], set()
    for fill in result.fills:
        is_no = fill.side is Side.No
        pays = 1.0 - won[fill.market_id] if is_no else won[fill.market_id]
        gain[fill.market_id] += fill.order_side.sign * fill.size * (pays - fill.price)
        price = 1.0 - fill.price if is_no else fill.price
        scores.append((price - won[fill.market_id]) ** 2)
        sides.add(fill.side)
    assert sides == {Side.Yes, Side.No}
    for runner, pnl in result.pnl_by_market().items():
        assert pnl == pytest.approx(gain[runner], abs=1e-8)
    assert result.metrics.total_return == pytest.approx(sum(gain.values()), abs=1e-7)
    assert result.metrics.brier_score == pytest.approx(np.mean(scores), abs=1e-9)
    assert result.positions == []
    assert result.outcomes == won

    # Every contract that was taken was on offer at odds of the ladder.
    if not how:
        odds = {
            runner: {round(price, 12) for book in rows for price, _ in book["asks"] + book["bids"]}
            for runner, rows in books.items()
        }
        for fill in result.fills:
            if not fill.is_maker:
                price = 1.0 - fill.price if fill.side is Side.No else fill.price
                assert round(price, 12) in odds[fill.market_id]
