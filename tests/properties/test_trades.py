"""Closings, round trips and exposure against the account that booked the trades, and against
positions kept as lists of lots."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import horizon as hz
from horizon.analytics.fills import FillTable, fill_table
from horizon.analytics.holdings import exposure, time_in_market
from horizon.analytics.trades import (
    closings,
    pnl_by_hour,
    pnl_by_market,
    pnl_by_weekday,
    round_trips,
    trade_stats,
)
from horizon.types import VenueFill, VenueSettlement
from tests.properties.witness import Clock

# Measured, these would take three times as long, and count hardly a line that others do not.
pytestmark = pytest.mark.no_cover

quick = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)

CALL = "AAPL250117C00180000"
PRICES = {"ACME": 100.0, "BTC/USD": 250.0, "X-PERP": 80.0, CALL: 4.0, "rain": 0.4, "rain:no": 0.6}
MULTIPLIER = {CALL: 100.0}
BASES = [market for market in PRICES if not market.endswith(":no")]
START = 1_700_000_000.0

#: What to do, where, in which direction, how many quarters or tenths, at which price, when.
Step = tuple[str, str, int, int, int, int]
step = st.tuples(
    st.sampled_from([*["market", "market", "limit", "tick"] * 6, "flat", "settle"]),
    st.sampled_from(list(PRICES)),
    st.sampled_from([1, -1]),
    st.integers(1, 12),
    st.integers(-6, 6),
    st.integers(0, 5000),
)
#: Short ones for the corners, long ones for positions that grow, shrink and flip.
steps_of = st.one_of(st.lists(step, max_size=8), st.lists(step, min_size=40, max_size=60))
units = st.sampled_from([0.25, 0.1])
fees = st.sampled_from([0.0, 0.001, 0.05])


def play(steps: list[Step], unit: float, maker: float, taker: float) -> hz.ImperativeClient:
    """A session on a paper account; every market has a price before it begins."""
    clock = Clock(START)
    ex = hz.connect(
        "paper",
        initial_cash_usd=1e6,
        maker_fee_rate=maker,
        taker_fee_rate=taker,
        slippage_bps=3,
        enforce_buying_power=False,
        clock=clock,
    )
    ex.declare(hz.Market("rain", hz.Prediction))
    for market in BASES:
        ex.tick(market, PRICES[market])
    for what, market, sign, size, away, wait in steps:
        clock.now += wait
        price = PRICES[market] * (1 + away / 16)
        base = market.removesuffix(":no")
        send = partial(ex.buy if sign > 0 else ex.sell, market, size * unit)
        if base in settled(ex):
            continue
        if what == "market":
            send(market=True)
        elif what == "limit":
            send(limit=price)
        elif what == "tick":
            ex.tick(market, price)
        elif what == "flat":
            ex.flatten(market)
        else:
            ex.settle(base, round(price) % 2 if base == "rain" else price)
    return ex


def settled(ex: hz.ImperativeClient) -> set[str]:
    return {m.id for m in ex.engine.venue.account.markets.values() if m.settled}


def read(ex: hz.ImperativeClient, *, blind: bool = False) -> FillTable:
    """The table of a session; `blind` to the profits that the account has worked out."""
    fills, ends = ex.engine.venue.fill_history(), ex.settlements()
    if blind:
        fills = [replace(fill, realized_pnl=math.nan) for fill in fills]
        ends = [replace(end, realized_pnl=math.nan) for end in ends]
    return fill_table(fills, ends)


def near(ex: hz.ImperativeClient) -> float:
    return 1e-12 * (1e6 + sum(notional(f) for f in ex.engine.venue.fill_history()))


def notional(trade: VenueFill) -> float:
    return trade.quantity * trade.price * MULTIPLIER.get(trade.market_id, 1.0)


# ------------------------------------------------------------------ by lots
@dataclass
class Lots:
    """A position as the lots that it was bought in; a reduction takes the same part of each."""

    lots: list[list[float]] = field(default_factory=list)  # signed size, price, fee, time

    @property
    def held(self) -> float:
        return sum(lot[0] for lot in self.lots)

    @property
    def cost(self) -> float:
        return sum(size * price for size, price, *_ in self.lots)

    def trade(self, signed: float, price: float, fee: float, time: float) -> dict[str, Any] | None:
        """Book a trade; returns what it closed."""
        held, closed = self.held, None
        if held * signed < 0:
            size = min(abs(held), abs(signed))
            if abs(abs(held) - abs(signed)) < 1e-9:
                size, signed = abs(held), -held
            part, own = size / abs(held), size / abs(signed)
            closed = {
                "quantity": size,
                "entry": self.cost / held,
                "opened": sum(lot[0] * lot[3] for lot in self.lots) / held,
                "gross": (price - self.cost / held) * math.copysign(size, held),
                "fees": fee * own + part * sum(lot[2] for lot in self.lots),
            }
            self.lots = [[s * (1 - part), p, f * (1 - part), t] for s, p, f, t in self.lots]
            signed, fee = signed + math.copysign(size, held), fee * (1 - own)
            if part == 1.0:
                self.lots = []
        if signed:
            self.lots.append([signed, price, fee, time])
        return closed


def history(ex: hz.ImperativeClient) -> Iterator[tuple[str, float, float, float, float, bool]]:
    """Trades in order: position, signed size, price, fee, seconds since START, settles."""
    trades: list[VenueFill | VenueSettlement] = [*ex.engine.venue.fill_history(), *ex.settlements()]
    for one in sorted(trades, key=lambda one: one.timestamp):
        time = one.timestamp - START
        if isinstance(one, VenueSettlement):
            yield one.market_id, -one.quantity, one.price, 0.0, time, True
        else:
            sign = 1 if one.side == "buy" else -1
            yield one.market_id, sign * one.quantity, one.price, one.fee, time, False


@quick
@given(steps=steps_of, unit=units, maker=fees, taker=fees)
def test_closings_are_those_of_positions_kept_as_lots(
    steps: list[Step], unit: float, maker: float, taker: float
) -> None:
    ex = play(steps, unit, maker, taker)
    books = {market: Lots() for market in PRICES}
    expected = []
    for market, signed, price, fee, time, settles in history(ex):
        was_long = books[market].held > 0
        closed = books[market].trade(signed, price, fee, time)
        if closed is not None:
            closed |= {"market": market, "long": was_long, "exit": price, "settles": settles}
            expected.append(closed | {"closed": time})
    found = closings(read(ex, blind=True))
    assert len(found) == len(expected)
    for i, one in enumerate(expected):
        scale = MULTIPLIER.get(one["market"], 1.0)
        assert found.market_ids[i] == one["market"]
        assert found.is_long[i] == one["long"]
        assert found.is_settlement[i] == one["settles"]
        assert found.quantities[i] == pytest.approx(one["quantity"], rel=1e-9)
        assert found.entry_prices[i] == pytest.approx(one["entry"], rel=1e-9)
        assert found.exit_prices[i] == one["exit"]
        assert found.opened_ns[i] / 1e9 - START == pytest.approx(one["opened"], abs=1e-5)
        assert found.closed_ns[i] / 1e9 - START == pytest.approx(one["closed"], abs=1e-5)
        assert found.pnl_gross[i] == pytest.approx(one["gross"] * scale, abs=near(ex))
        assert found.fees[i] == pytest.approx(one["fees"], abs=near(ex))
        assert found.pnl[i] == found.pnl_gross[i] - found.fees[i]
    left = {market: book.held for market, book in books.items() if abs(book.held) > 1e-9}
    assert left == pytest.approx({p.market_id: p.quantity for p in ex.positions()})


@quick
@given(steps=steps_of, unit=units, fee=fees)
def test_exposure_and_time_in_market_are_those_of_positions_kept_as_lots(
    steps: list[Step], unit: float, fee: float
) -> None:
    ex = play(steps, unit, fee, fee)
    books = {market: Lots() for market in PRICES}
    gross, net, share, span = {}, {}, 0.0, 60 * 5000.0
    was, is_in, since = 0.0, False, 0.0
    for market, signed, price, paid, time, _ in history(ex):
        share += (time - since) * is_in
        books[market].trade(signed, price, paid, time)
        is_in, since = any(abs(book.held) > 1e-9 for book in books.values()), time
        at_cost = {m: b.cost * MULTIPLIER.get(m, 1.0) for m, b in books.items()}
        gross[time] = sum(map(abs, at_cost.values()))
        net[time] = sum(-c if m.endswith(":no") else c for m, c in at_cost.items())
    share += (span - since) * is_in
    table = read(ex)
    found = exposure(table)
    assert found.gross.tolist() == pytest.approx(list(gross.values()), abs=near(ex))
    assert found.net.tolist() == pytest.approx(list(net.values()), abs=near(ex))
    start, end = int(START * 1e9), int((START + span) * 1e9)
    assert time_in_market(table, start, end) == pytest.approx(share / span, abs=1e-9)
    times = [*gross, span]
    for name, steps_ in (("gross", gross), ("net", net)):
        was = sum(v * (b - a) for v, a, b in zip(steps_.values(), times, times[1:], strict=False))
        mean = dict(zip(("gross", "net"), found.mean(start, end), strict=True))[name]
        assert mean == pytest.approx(was / span, abs=near(ex))


# ------------------------------------------------------------------ the account
@quick
@given(steps=steps_of, unit=units, maker=fees, taker=fees)
def test_the_table_and_the_account_agree(
    steps: list[Step], unit: float, maker: float, taker: float
) -> None:
    ex = play(steps, unit, maker, taker)
    table, money = read(ex), ex.balance()
    closed, stats = closings(table), trade_stats(table)
    assert closed.pnl_gross.sum() == pytest.approx(money.realized_pnl, abs=near(ex))
    assert stats.total_fees == pytest.approx(money.fees, abs=near(ex))
    by_market = pnl_by_market(table)
    assert not any(market.endswith(":no") for market in by_market)
    total = sum(by_market.values()) + money.unrealized_pnl
    assert total == pytest.approx(money.equity - money.initial_cash, abs=near(ex))
    fills = ex.engine.venue.fill_history()
    assert stats.total_trades == len(fills)
    assert stats.traded_notional == pytest.approx(sum(map(notional, fills)))
    rested = sum(notional(fill) for fill in fills if fill.is_maker)
    assert stats.maker_share * stats.traded_notional == pytest.approx(rested, abs=near(ex))
    # What is held, to the bit.
    held = {
        name: table.steps.after[table.steps.positions == number][-1]
        for number, name in enumerate(table.steps.names)
    }
    held = {name: quantity for name, quantity in held.items() if quantity != 0.0}
    assert held == {p.market_id: p.quantity for p in ex.positions()}


@quick
@given(steps=steps_of, unit=units)
def test_profits_worked_out_are_the_account_s_to_the_bit(steps: list[Step], unit: float) -> None:
    ex = play(steps, unit, 0.0, 0.0)
    stated, own = closings(read(ex)), closings(read(ex, blind=True))
    assert own.pnl_gross.tolist() == stated.pnl_gross.tolist()


@quick
@given(steps=steps_of, unit=units, maker=fees, taker=fees)
def test_all_fees_are_shared_out_exactly_once(
    steps: list[Step], unit: float, maker: float, taker: float
) -> None:
    ex = play(steps, unit, maker, taker)
    ex.flatten_all()
    table, money = read(ex), ex.balance()
    closed, trips, stats = closings(table), round_trips(table), trade_stats(table)
    assert closed.fees.sum() == pytest.approx(money.fees, abs=near(ex))
    net = money.equity - money.initial_cash
    for total in (closed.pnl.sum(), trips.pnl.sum(), sum(pnl_by_market(table).values())):
        assert total == pytest.approx(net, abs=near(ex))
    for sums in (pnl_by_hour(table), pnl_by_weekday(table)):
        assert sum(sums.values()) == pytest.approx(net, abs=near(ex))
    assert stats.gross_profit - stats.gross_loss == pytest.approx(net, abs=near(ex))
    assert stats.expectancy * stats.closings == pytest.approx(net, abs=near(ex))
    assert exposure(table).gross.tolist()[-1:] in ([], [0.0])
    assert exposure(table).net.tolist()[-1:] in ([], [0.0])


@quick
@given(steps=steps_of, unit=units, fee=fees)
def test_round_trips_are_those_of_positions_kept_as_lots(
    steps: list[Step], unit: float, fee: float
) -> None:
    ex = play(steps, unit, fee, fee)
    books = {market: Lots() for market in PRICES}
    running: dict[str, dict[str, Any]] = {}
    expected = []
    for market, signed, price, paid, time, settles in history(ex):
        book, trip = books[market], running.get(market)
        closed = book.trade(signed, price, paid, time)
        if trip is not None:
            trip["fills"] += not settles
        if closed is not None and trip is not None:
            trip["gross"] += closed["gross"] * MULTIPLIER.get(market, 1.0)
            trip["fees"] += closed["fees"]
            if book.held * trip["sign"] <= 1e-9:
                expected.append(trip | {"market": market, "closed": time, "settled": settles})
                del running[market]
        if abs(book.held) > 1e-9:
            if market not in running:
                running[market] = {"sign": math.copysign(1, book.held), "opened": time}
                running[market] |= {"fills": 1, "gross": 0.0, "fees": 0.0, "largest": 0.0}
            trip = running[market]
            trip["largest"] = max(trip["largest"], abs(book.held))
    found = round_trips(read(ex))
    assert found.market_ids.tolist() == [trip["market"] for trip in expected]
    assert found.is_long.tolist() == [trip["sign"] > 0 for trip in expected]
    assert found.fills.tolist() == [trip["fills"] for trip in expected]
    assert found.is_settled.tolist() == [trip["settled"] for trip in expected]
    for name, values, slack in (
        ("largest", found.largest_quantities, 1e-9),
        ("opened", found.opened_ns / 1e9 - START, 1e-5),
        ("closed", found.closed_ns / 1e9 - START, 1e-5),
        ("gross", found.pnl_gross, near(ex)),
        ("fees", found.fees, near(ex)),
        ("gross", found.pnl + found.fees, near(ex)),
    ):
        assert values.tolist() == pytest.approx([t[name] for t in expected], abs=slack), name


@quick
@given(steps=steps_of, fee=fees, half=st.sampled_from([0.5, 0.25]))
def test_splitting_a_fill_changes_no_total(steps: list[Step], fee: float, half: float) -> None:
    """Each fill in two of its time and price, fees alike: the same money, won and lost."""
    ex = play(steps, 0.25, fee, fee)
    whole = [replace(f, realized_pnl=math.nan) for f in ex.engine.venue.fill_history()]
    cut = [
        replace(fill, quantity=fill.quantity * part, fee=fill.fee * part)
        for fill in whole
        for part in (half, 1 - half)
    ]
    one, two = fill_table(whole, ex.settlements()), fill_table(cut, ex.settlements())
    assert pnl_by_market(two) == pytest.approx(pnl_by_market(one), abs=near(ex))
    first, second = trade_stats(one), trade_stats(two)
    for name in ("gross_profit", "gross_loss", "total_fees", "traded_notional"):
        assert getattr(second, name) == pytest.approx(getattr(first, name), abs=near(ex)), name
    assert second.total_trades == 2 * first.total_trades
    assert second.maker_share == pytest.approx(first.maker_share)
    assert second.longest_holding_secs == pytest.approx(first.longest_holding_secs, abs=1e-6)
    assert second.round_trips == first.round_trips
    a, b = round_trips(one), round_trips(two)
    for name in ("pnl", "fees", "largest_quantities", "entry_prices", "exit_prices"):
        assert getattr(b, name).tolist() == pytest.approx(getattr(a, name).tolist(), abs=near(ex))
    assert b.opened_ns.tolist() == a.opened_ns.tolist()
    assert exposure(two).gross.tolist() == pytest.approx(exposure(one).gross.tolist(), abs=near(ex))


@quick
@given(steps=steps_of, fee=fees)
def test_a_frame_is_read_like_its_fills(steps: list[Step], fee: float) -> None:
    ex = play(steps, 0.25, fee, fee)
    listed, framed = read(ex), fill_table(ex.fills_frame(), ex.settlements())
    assert framed.market_ids.tolist() == listed.market_ids.tolist()
    assert trade_stats(framed) == trade_stats(listed)
    assert pnl_by_market(framed) == pnl_by_market(listed)


@quick
@given(steps=steps_of, power=st.integers(-8, 8))
def test_money_scales_with_its_multiplier(steps: list[Step], power: int) -> None:
    """A currency of another size: all money times 2^k to the bit, all ratios as they were."""
    ex = play(steps, 0.25, 0.001, 0.001)
    fills = [replace(f, realized_pnl=math.nan) for f in ex.engine.venue.fill_history()]
    ends = [replace(e, realized_pnl=math.nan) for e in ex.settlements()]
    scale = 2.0**power
    more = {market: MULTIPLIER.get(market, 1.0) * scale for market in BASES}
    one = trade_stats(fill_table(fills, ends))
    dear = [replace(f, fee=f.fee * scale) for f in fills]
    two = trade_stats(fill_table(dear, ends, multipliers=more))
    money = {
        *("gross_profit", "gross_loss", "expectancy", "avg_win", "avg_loss", "largest_win"),
        *("largest_loss", "total_fees", "traded_notional"),
    }
    for item in fields(one):
        factor = scale if item.name in money else 1
        assert getattr(two, item.name) == getattr(one, item.name) * factor, item.name
