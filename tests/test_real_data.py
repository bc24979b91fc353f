"""Recorded markets through the paper venue: the books hold at every tick of them.

The data lies beside the repository, not in it; without it these tests are skipped. They run the
same few lines a million times: nothing of them is measured.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import horizon as hz
from horizon import Engine, Quote, RiskConfig, Side
from horizon.algos.profile import volume_profile
from horizon.feeds import Replay
from horizon.venues import Paper

DATA = Path(__file__).parents[2] / "shared" / "data"
DAYS = "2026-07-10_to_2026-07-17"
BOOKS = DATA / "prediction-market-ticks" / f"polymarket_top_of_book_{DAYS}.parquet"
OUTCOMES = DATA / "prediction-market-ticks" / f"polymarket_outcomes_{DAYS}.csv.gz"
SPY = DATA / "intraday-volume" / "spy_minute_bars_2011-01.csv.gz"


pytestmark = pytest.mark.no_cover


def needs(*paths: Path) -> Any:
    missing = [path.name for path in paths if not path.exists()]
    return pytest.mark.skipif(bool(missing), reason=f"no recorded data: {', '.join(missing)}")


# ---------------------------------------------------------------------------- prediction markets
class Desk:
    """Quotes around every tick, and keeps books of its own from the fills it is told of.

    It stands between a feed and an engine: to the feed it looks like a client.
    """

    def __init__(self, engine: Engine, markets: tuple[str, ...]) -> None:
        self.engine = engine
        self.account = engine.venue.account
        self.number = {market: n for n, market in enumerate(markets)}
        n = len(markets)
        # Quantities of YES and NO, and the YES marks: equity is then two dot products.
        self.yes, self.no, self.mark = np.zeros(n), np.zeros(n), np.zeros(n)
        self.cash = self.initial = self.account.cash
        self.ticks = self.fills = 0
        self.worst = self.worst_law = 0.0
        self.turnover = self.initial
        self.seen: list[int] = [0] * n

    @property
    def time(self) -> float:
        return self.engine.time

    def tick(self, market_id: str, price: float, timestamp: Any, **row: Any) -> None:
        n = self.number[market_id]
        fills = self.engine.tick(market_id, price, timestamp, bid=row["bid"], ask=row["ask"])
        self.mark[n] = price
        for fill in fills:
            sign = 1.0 if fill.order_side is hz.OrderSide.Buy else -1.0
            (self.no if fill.side is Side.No else self.yes)[n] += sign * fill.size
            self.cash -= sign * fill.size * fill.price + fill.fee
            self.turnover += fill.size * fill.price
        self.fills += len(fills)
        self.check()
        self.seen[n] += 1
        if self.seen[n] % 2 == 1:
            self.quote(market_id, n, price)

    def quote(self, market_id: str, n: int, price: float) -> None:
        # A cent around the mid; wider on the side that the inventory is on.
        size = 5.0 + n % 7
        lean = 0.01 * round((self.yes[n] - self.no[n]) / 100.0)
        quote = Quote(price - 0.01 - max(lean, 0.0), price + 0.01 - min(lean, 0.0), size)
        self.engine.submit_quotes(market_id, [quote])
        if n % 3 == 0:
            no = 1.0 - price
            self.engine.submit_quotes(market_id, [Quote(no - 0.02, no + 0.02, size)], Side.No)

    def check(self) -> None:
        worth = self.yes @ self.mark + self.no @ (1.0 - self.mark)
        self.worst = max(self.worst, abs(self.account.equity - self.cash - worth))
        self.ticks += 1
        if self.ticks % 20 == 0:
            # Unrealised profit is summed over all markets when it is asked for, too slow for
            # every tick of two hundred markets; the law above is checked at each.
            account = self.account
            profit = account.realized_pnl + account.unrealized_pnl - account.fees
            gap = abs(account.equity - self.initial - profit)
            self.worst_law = max(self.worst_law, gap / self.turnover)


@pytest.fixture(scope="module")
def books() -> Replay:
    frame = pd.read_parquet(BOOKS).sort_values("ts", kind="stable")
    # A book with one side or none keeps its last mid as the price, so that it is a tick too.
    frame["mid"] = frame.groupby("slug", observed=True)["mid"].ffill()
    columns = {"timestamp": "ts", "market_id": "slug", "price": "mid"}
    return Replay(frame, columns=columns, bad_rows="drop")


@pytest.fixture(scope="module")
def outcomes() -> dict[str, float]:
    frame = pd.read_csv(OUTCOMES)
    return dict(zip(frame["slug"], frame["outcome_yes"].astype(float), strict=True))


@needs(BOOKS, OUTCOMES)
@pytest.mark.parametrize("matching", [pytest.param("price", marks=pytest.mark.long), "quotes"])
def test_a_week_of_198_markets_keeps_the_books_at_every_tick(
    matching: str, books: Replay, outcomes: dict[str, float]
) -> None:
    venue = Paper(100_000, fee_bps=20.0, matching=matching, clock=lambda: 0.0)
    limits = RiskConfig(max_position_per_market=300, max_portfolio_notional=60_000)
    engine = Engine(limits, venue=venue)
    for market in books.markets:
        engine.declare(hz.Market(market, hz.AssetClass.Prediction))
    desk = Desk(engine, books.markets)
    assert len(books.markets) == 198

    sent = books.run(desk, rebase=False)

    assert sent == desk.ticks == books.total
    # Of 269,132 rows six are crossed, and some come before their market's first mid.
    assert books.dropped["crossed"] == 6
    assert 269_132 - books.total == sum(books.dropped.values())
    assert books.total > 250_000
    assert desk.fills > 3_000
    # Sums of 400 products against sums kept tick by tick: rounding, far below a cent.
    assert desk.worst < 1e-6
    assert desk.worst_law < 1e-12
    for market in books.markets:
        state = engine.venue.account.markets[market]
        assert abs(state.net) <= 300.0 + 1e-9

    before = engine.equity
    held = {(p.market_id, p.side): p.size for p in engine.positions()}
    marks = {market: engine.venue.account.markets[market].price for market in books.markets}
    gain = []
    for market in books.markets:
        for row in engine.settle(market, outcomes[market]):
            mark = marks[market]
            if row.market_id.endswith(":no"):
                assert row.price == 1.0 - outcomes[market]
                mark = 1.0 - mark
            else:
                assert row.price == outcomes[market]
            gain.append(row.quantity * (row.price - mark))
    assert len(held) == len(gain)
    assert engine.equity == pytest.approx(before + math.fsum(gain), abs=1e-6)

    balance = venue.balance()
    assert engine.positions() == engine.open_orders() == []
    assert balance.unrealized_pnl == 0.0
    assert balance.used_buying_power == pytest.approx(0.0, abs=1e-6)
    assert balance.cash == pytest.approx(balance.equity, abs=1e-7)
    assert balance.equity - 100_000 == pytest.approx(
        balance.realized_pnl - balance.fees, abs=1e-12 * desk.turnover
    )
    # And once more from the two logs alone.
    fills, settlements = venue.fill_history(), venue.settlements()
    cash = [100_000.0]
    for fill in fills:
        sign = 1.0 if fill.side == "buy" else -1.0
        cash += [-sign * fill.quantity * fill.price, -fill.fee]
    cash += [row.quantity * row.price for row in settlements]
    assert balance.cash == pytest.approx(math.fsum(cash), abs=1e-7)
    assert len(fills) == desk.fills == len(engine.drain_fills())


# ---------------------------------------------------------------------------- a month of minutes
@pytest.fixture(scope="module")
def minutes() -> pd.DataFrame:
    return pd.read_csv(SPY, parse_dates=["bar_end_utc"])


class Book:
    """One market's books, recounted from the fills that ticks return."""

    def __init__(self, ex: hz.ImperativeClient) -> None:
        self.ex = ex
        self.initial = self.cash = ex.balance().cash
        self.held = self.turnover = 0.0
        self.filled: dict[str, list[float]] = defaultdict(list)
        self.ticks = 0

    def tick(self, market_id: str, price: float, timestamp: Any, **row: Any) -> None:
        for fill in self.ex.tick(market_id, price, timestamp, **row):
            sign = 1.0 if fill.side == "buy" else -1.0
            self.held += sign * fill.quantity
            self.cash -= sign * fill.quantity * fill.price + fill.fee
            self.turnover += fill.quantity * fill.price
            self.filled[fill.order_id].append(fill.quantity)
        account = self.ex.engine.venue.account
        slack = 1e-11 * (self.initial + self.turnover)
        assert abs(account.equity - (self.cash + self.held * price)) <= slack
        profit = account.realized_pnl + account.unrealized_pnl - account.fees
        assert abs(account.equity - self.initial - profit) <= 1e-12 * (self.initial + self.turnover)
        self.ticks += 1

    def flatten(self) -> None:
        """Close the position at the last price, and take the closing fills in."""
        for order in self.ex.flatten("SPY"):
            sign = 1.0 if order.side == "buy" else -1.0
            self.held += sign * order.filled_quantity
            self.cash -= sign * order.filled_quantity * order.average_price + order.fees
            self.turnover += order.filled_quantity * order.average_price
        assert abs(self.held) < 1e-9
        self.held = 0.0


def days(frame: pd.DataFrame) -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
    """Each day's rows, and those of its regular session (14:31 to 21:00 UTC in January)."""
    times = frame["bar_end_utc"]
    session = times.dt.strftime("%H:%M").between("14:31", "21:00")
    for _, rows in frame.groupby(times.dt.date):
        yield rows, rows[session.loc[rows.index]]


@needs(SPY)
@pytest.mark.parametrize("mode", ["cross", "touch"])
def test_a_month_of_minutes_with_three_algorithms_keeps_the_books(
    mode: str, minutes: pd.DataFrame
) -> None:
    profile = volume_profile(
        minutes,
        13,
        session=("09:30", "16:00"),
        timezone="America/New_York",
        timestamp="bar_end_utc",
    )
    assert len(profile) == 13
    assert profile.sum() == pytest.approx(1.0, abs=1e-12)
    ex = hz.connect(
        "paper",
        initial_cash_usd=5_000_000,
        fee_bps=0.5,
        bar_fill_mode=mode,
        clock=lambda: 0.0,
        risk=RiskConfig(max_position_per_market=30_000),
    )
    book = Book(ex)
    statuses: Counter[str] = Counter()
    session_secs = 6.5 * 3600
    done = wanted = 0.0
    for rows, session in days(minutes):
        opens = len(session) > 300
        algos: list[hz.algos.ExecAlgo] = []
        for row in rows.itertuples():
            if opens and row.Index == session.index[0]:
                algos = [
                    ex.twap("SPY", 1_001, duration_secs=session_secs, num_slices=390),
                    ex.vwap("SPY", 1_000, duration_secs=session_secs, volume_profile=profile),
                    ex.iceberg("SPY", 2_000, show_size=130, limit=row.close * 1.001, side="sell"),
                    ex.twap(
                        "SPY",
                        500,
                        duration_secs=3_600,
                        num_slices=7,
                        side="sell",
                        price_limit=row.close * 1.003,
                    ),
                ]
            bar = {name: getattr(row, name) for name in ("open", "high", "low", "volume")}
            book.tick("SPY", row.close, row.bar_end_utc.to_datetime64(), **bar)
        for algo in algos:
            is_iceberg = isinstance(algo, hz.Iceberg)
            if is_iceberg and not algo.is_done:
                algo.cancel()
            p = algo.progress
            statuses[f"{p.kind} {p.status}"] += 1
            if not is_iceberg:
                done, wanted = done + p.filled, wanted + p.target
            children = [ex.order(child) for child in p.children]
            # Children take their part of the schedule, and the schedule is the parent.
            assert math.fsum(s.size for s in p.schedule) == p.target
            sizes = [order.quantity for order in children]
            assert sizes == [s.size for s in p.schedule if s.size][: len(sizes)]
            if not is_iceberg:
                assert math.fsum(sizes) == p.target  # every minute of a session has a bar
                assert p.status in ("completed", "expired")
            filled = math.fsum(q for order in children for q in book.filled[order.id])
            assert p.filled == pytest.approx(filled, abs=1e-9)
            assert p.remaining == pytest.approx(p.target - filled, abs=1e-9)
            assert (p.status == "completed") == (p.remaining <= 1e-9)
            assert not any(order.is_open for order in children)
            if p.filled and not is_iceberg:
                # Against the schedule's own average a fill at or inside each slice's limit
                # is never dear; days of half a percent are days of the market.
                assert p.schedule_slippage_bps is not None
                assert -150 < p.schedule_slippage_bps < 150
                low, high = session["low"].min(), session["high"].max()
                assert low <= p.average_price <= high
        book.flatten()
    assert book.ticks == len(minutes) == 14_180
    # Twenty sessions, and no parent that is neither filled nor expired nor ended by us.
    assert sum(statuses.values()) == 4 * 20
    assert set(statuses) <= {
        f"{kind} {status}"
        for kind in ("TWAP", "VWAP", "Iceberg")
        for status in ("completed", "canceled" if kind == "Iceberg" else "expired")
    }
    # A limit at each minute's close is met again within the day more often than not.
    assert done / wanted > 0.8
