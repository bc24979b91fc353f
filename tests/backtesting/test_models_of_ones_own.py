"""Fees, impact, latency and fill models of a user's own, and the arguments beside the data."""

from __future__ import annotations

import json
from typing import Any

import pytest

import horizon as hz
from horizon.venues.fees import Fees, FlatFees
from horizon.venues.fill_models import FillModel
from horizon.venues.impact import Impact
from horizon.venues.latency import ConstantLatency, Latency
from tests.backtesting.scenes import (
    Timetable,
    book,
    buy,
    fills,
    long,
    orders,
    play,
    quote,
    short,
    ticks,
)

BOOKS = [book(float(t), [(0.48, 10.0)], [(0.52, 10.0), (0.55, 90.0)]) for t in range(6)]


# ---------------------------------------------------------------------------- fees
class Parabolic(Fees):
    """A fee that is highest in the middle of a probability."""

    def rate(self, price: float, is_maker: bool, asset_class: Any) -> float:
        return 0.0 if is_maker else 0.1 * (1.0 - price)


def test_fees_of_ones_own_are_asked_for_each_fill() -> None:
    result = play({0.0: [buy(10, 0.60), buy(10, 0.45)]}, ticks(0.50, 0.40), fees=Parabolic())

    # A taker at 0.60 pays 6.00 x 0.1 x 0.40 = 0.24; the maker at 0.45 nothing.
    assert [fill.fee for fill in result.fills] == pytest.approx([0.24, 0.0], abs=1e-15)


def test_fees_by_market_leave_the_others_at_the_common_rate() -> None:
    data = {"a": ticks(0.50, 0.50), "b": ticks(0.50, 0.50), "c": ticks(0.50, 0.50)}
    table = {(name, 0.0): [buy(10, 0.50, name)] for name in "abc"}
    result = play(
        table,
        data,
        markets=["a", "b", "c"],
        paper_fee_rate=0.001,
        fees={"a": 0.01, "b": FlatFees(0.0, 0.02)},
    )

    # Takers all: 5.00 x 0.01, 5.00 x 0.02, 5.00 x 0.001.
    assert [fill.fee for fill in result.fills] == pytest.approx([0.05, 0.10, 0.005], abs=1e-15)


# ---------------------------------------------------------------------------- latency
class ByTime(Latency):
    """Three seconds for what is sent at 0, half a second for all else."""

    def delay_ns(self, market_id: str, now_ns: int) -> int:
        return 3_000_000_000 if now_ns == 0 else 500_000_000


def test_what_is_sent_later_may_arrive_earlier() -> None:
    table = {0.0: [buy(1, 0.45)], 1.0: [buy(2, 0.45)]}
    result = play(table, ticks(0.5, 0.5, 0.5, 0.5, 0.40), latency=ByTime())

    # The second arrives at 1.5, the first at 3.0: that is their order at row 4.
    assert [size for _, _, size, _ in fills(result)] == [2.0, 1.0]


def test_what_was_overtaken_is_still_before_what_arrives_after_it() -> None:
    class Late(Latency):
        """A quarter of a second more for what is sent at 0."""

        def delay_ns(self, market_id: str, now_ns: int) -> int:
            return 3_250_000_000 if now_ns == 0 else 500_000_000

    table = {0.0: [buy(1, 0.45)], 1.0: [buy(2, 0.45)], 3.0: [buy(3, 0.45)]}
    result = play(table, ticks(0.5, 0.5, 0.5, 0.5, 0.40), latency=Late())

    # They arrive at 3.25, 1.5 and 3.5. The third is on its way as the first arrives.
    assert [size for _, _, size, _ in fills(result)] == [2.0, 1.0, 3.0]


def test_orders_on_their_way_reduce_and_open_in_the_order_in_which_they_were_sent() -> None:
    # Short 4 at 100 from row 1: 1,400 of cash, 600 reserved. At row 2 the bid at 98 is there and
    # buys those back; the one at 97, on its way, opens 4: 388. 412 are left, and 410 are asked.
    table = {
        0.0: [short(4)],
        1.0: [long(4, 98.0)],
        2.0: [long(4, 97.0), long(4, 102.5), long(4, 1.0)],
    }
    result = play(
        table,
        {"S": ticks(100.0, 100.0, 100.0, 100.0)},
        markets=["S"],
        latency_ms=900,
        initial_capital=1000.0,
    )

    assert [row[-1] for row in orders(result)] == ["filled", "new", "new", "filled", "rejected"]


def test_a_cancel_that_overtakes_its_order_ends_it_on_its_way() -> None:
    result = play(
        lambda ctx: quote(0.40, 0.60) if ctx.timestamp == 0 else None,
        ticks(0.5, 0.5, 0.5, 0.5, 0.40, 0.40),
        latency=ByTime(),
    )

    assert fills(result) == []


def test_a_latency_object_is_the_same_as_its_number() -> None:
    table = {0.0: [buy(10, 0.45)], 2.0: [buy(3)]}
    data = ticks(0.50, 0.40, 0.45, 0.44, 0.43, 0.42)
    number = play(table, data, latency_ms=1500)

    assert fills(play(table, data, latency=ConstantLatency(1500))) == fills(number)


# ---------------------------------------------------------------------------- impact
class Steps(Impact):
    """A cent for each started ten units; the market keeps a cent of every trade."""

    def temporary(self, price: float, sign: int, filled: float, asset_class: Any) -> float:
        return price + sign * 0.01 * (filled // 10)

    def permanent(self, notional: float, asset_class: Any) -> float:
        return 0.01


def test_impact_of_ones_own_moves_the_book() -> None:
    table = {0.0: [buy(15)], 2.0: [buy(5)]}
    result = play(table, None, book_data={"m": BOOKS}, impact=Steps())

    # Ten at 0.52, five at 0.55 + 0.01; from then on asks are a cent higher: 0.53.
    assert [(size, price) for _, _, size, price in fills(result)] == [
        (10.0, pytest.approx(0.52, abs=1e-12)),
        (5.0, pytest.approx(0.56, abs=1e-12)),
        (5.0, pytest.approx(0.53, abs=1e-12)),
    ]


# ---------------------------------------------------------------------------- fill models
class EverySecond(FillModel):
    """Fills what has rested for two seconds or more."""

    def chance(self, order: Any, book: Any, seconds: float) -> float:
        return 1.0 if book.timestamp - order.arrived_ns / 1e9 >= 2.0 else 0.0


def test_a_fill_model_of_ones_own_decides_what_rests() -> None:
    result = play({0.0: [buy(4, 0.48)]}, None, book_data={"m": BOOKS}, fill_model=EverySecond())

    assert fills(result) == [(2.0, "buy", 4.0, 0.48)]


class Clocked(FillModel):
    """Notes how long it is asked about, and fills nothing."""

    def __init__(self) -> None:
        self.asked: list[float] = []

    def chance(self, order: Any, book: Any, seconds: float) -> float:
        self.asked.append(seconds)
        return 0.0


@pytest.mark.parametrize(
    "latency,asked",
    [(0.0, [1.0, 2.0, 0.5]), (1_200.0, [1.8, 0.5]), (3_100.0, [0.4])],
    ids=["at once", "1.2 s", "3.1 s"],
)
def test_chance_is_asked_since_the_later_of_arrival_and_the_snapshot_before(
    latency: float, asked: list[float]
) -> None:
    times = [0.0, 1.0, 3.0, 3.5]
    books = [book(time, [(0.48, 10.0)], [(0.52, 10.0)]) for time in times]
    model = Clocked()
    play({0.0: [buy(1, 0.48)]}, None, book_data={"m": books}, fill_model=model, latency_ms=latency)

    # The order of 0.0 arrives at 0.0, 1.2 or 3.1.
    assert model.asked == pytest.approx(asked, abs=1e-9)


def test_a_moved_order_arrives_anew_for_the_fill_model() -> None:
    def stage(ctx: Any) -> Any:
        if ctx.timestamp == 0.0:
            return [buy(1, 0.48)]
        if ctx.timestamp == 1.5:
            ctx.engine.amend("p1", new_price=0.49)
        return None

    books = [book(time, [(0.48, 10.0)], [(0.52, 10.0)]) for time in (0.0, 1.0, 3.0)]
    model = Clocked()
    data = ticks(0.5, 0.5, step=1.5)
    play(stage, data, book_data={"m": books}, fill_model=model)

    # At 1.0 a second has passed; at 3.0 one and a half since the order has been moved.
    assert model.asked == pytest.approx([1.0, 1.5], abs=1e-9)


# ---------------------------------------------------------------------------- what excludes what
@pytest.mark.parametrize(
    "how,words",
    [
        ({"latency": ByTime(), "latency_ms": 5.0}, ["latency", "latency_ms"]),
        ({"impact": Steps(), "impact_temporary_bps": 5.0}, ["impact", "impact_temporary_bps"]),
        ({"fees": Parabolic(), "paper_fee_rate": 0.002}, ["fees", "paper_fee_rate"]),
        ({"fees": Parabolic(), "paper_maker_fee_rate": 0.0}, ["fees", "paper_maker_fee_rate"]),
        ({"fill_model": EverySecond(), "fill_model_params": {"x": 1.0}}, ["fill_model_params"]),
    ],
    ids=["latency", "impact", "fees", "maker fees", "fill model"],
)
def test_a_model_and_its_numbers_exclude_each_other(how: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(ValueError) as caught:
        play(Timetable(), None, book_data={"m": BOOKS}, **how)
    for word in words:
        assert word in str(caught.value)


# ---------------------------------------------------------------------------- beside the data
def test_columns_and_zone_say_how_the_data_is_read() -> None:
    data = [
        {"when": "2024-07-01 12:00:00", "last": 0.50, "offer": 0.52},
        {"when": "2024-07-01 12:00:01", "last": 0.51, "offer": 0.53},
    ]
    stage = Timetable(watch=lambda ctx: (ctx.timestamp, ctx.feed.price, ctx.feed.ask))
    play(
        stage,
        data,
        columns={"timestamp": "when", "price": "last", "ask": "offer"},
        timezone="America/New_York",
    )

    # Noon in New York in July is 16:00 UTC: 1719849600 s.
    assert stage.seen == [(1719849600.0, 0.50, 0.52), (1719849601.0, 0.51, 0.53)]


def test_resolutions_may_be_text() -> None:
    result = play(
        {0.0: [buy(1, 0.5)]},
        ticks(0.5, 0.5, 0.5),
        outcomes={"m": 1.0},
        resolutions={"m": "1970-01-01T00:00:01Z"},
    )

    assert [row.timestamp for row in result.settlements] == [1.0]


def test_progress_shows_every_row(capsys: pytest.CaptureFixture[str]) -> None:
    play(Timetable(), ticks(*[0.5] * 50), name="shown", progress=True)
    shown = capsys.readouterr().err

    assert "shown" in shown
    assert "50" in shown
    play(Timetable(), ticks(*[0.5] * 50), name="shown")
    assert capsys.readouterr().err == ""


def test_the_config_holds_every_argument_as_json_does() -> None:
    risk = hz.RiskConfig(max_order_size=5)
    result = play(
        Timetable(),
        ticks(0.5, 0.5),
        name="mine",
        params={"spread": 0.02},
        risk=risk,
        outcomes={"m": 1.0},
        latency_ms=25.0,
    )

    config = json.loads(json.dumps(dict(result.config)))
    assert config["name"] == "mine"
    assert config["params"] == {"spread": 0.02}
    assert config["risk"]["max_order_size"] == 5.0
    assert config["outcomes"] == {"m": 1.0}
    assert config["latency_ms"] == 25.0
    assert config["initial_capital"] == 1000.0
    assert config["pipeline"] == ["Timetable"]


def test_periods_per_year_is_taken_as_given() -> None:
    table = {0.0: [buy(10, 0.6)]}
    data = ticks(0.5, 0.5, 0.6, 0.55, 0.7)
    once = play(table, data, periods_per_year=1).metrics
    often = play(table, data, periods_per_year=100).metrics

    # A Sharpe ratio grows with the root of the periods in a year.
    assert often.sharpe_ratio == pytest.approx(10 * once.sharpe_ratio, rel=1e-12)
