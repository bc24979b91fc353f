"""Quotes in few steps leave, bit for bit, what quotes through every step leave."""

import functools
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import horizon as hz
from horizon.quick_quotes import QuickQuotes
from horizon.venues.events import state_of
from tests.backtesting.worlds import PREDICTIONS, Strategy, World, book_worlds, busy_world, worlds

QUICK = settings(
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


def left_by(run: Callable[..., Any]) -> tuple[Any, ...]:
    """Everything that a run leaves: its account to the last bit, its curve and its counts."""
    engines: list[Any] = []

    def look(ctx: Any) -> None:
        engines.append(ctx.engine)

    result = run(look)
    if not engines:  # no market had a price
        return ()
    account = engines[0].venue.account
    state = state_of(account)
    fills, archive = account.fills, account.archive
    del state["fills"]
    return (
        state,
        [bytes(chunk) for chunk in archive.chunks],
        (archive.count, archive.reasons.texts, archive.intents.texts),
        [leg.id for leg in archive.legs],
        (fills.floats.tobytes(), fills.whole.tobytes(), fills.codes.tobytes(), fills.leg_ids),
        result.record.equity.tobytes(),
        result.record.fair_values.tobytes(),
        dict(result.rejections),
    )


def check_same(run: Callable[..., Any]) -> int:
    """Run with and without them; return how many quotes went the quick way."""
    taken = 0
    through = QuickQuotes.requote

    @functools.wraps(through)
    def counted(self: QuickQuotes, *arguments: Any) -> Any:
        nonlocal taken
        done = through(self, *arguments)
        taken += done is not None
        return done

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(QuickQuotes, "requote", counted)
        quick = left_by(run)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(QuickQuotes, "of", staticmethod(lambda engine, gate: None))
        slow = left_by(run)
    assert quick == slow
    return taken


def playing(world: World) -> Callable[..., Any]:
    def run(look: Callable[..., Any]) -> Any:
        return world.run(pipeline=[look, Strategy(world.plans)])

    return run


LIMITS = st.one_of(
    st.none(),
    st.builds(
        hz.RiskConfig,
        max_position_per_market=st.sampled_from([None, 5.0, 20.0]),
        max_order_size=st.sampled_from([None, 8.0]),
        max_portfolio_notional=st.sampled_from([None, 12.0, 500.0]),
        max_daily_drawdown_pct=st.sampled_from([None, 1.0, 30.0]),
        max_orders_per_second=st.sampled_from([None, 3.0]),
    ),
)
#: Mostly one quote, which is what goes the quick way; orders of one's own between them.
QUOTING = st.tuples(
    st.just("quote"), st.integers(1, 12), st.integers(-1, 60), st.integers(1, 60)
).filter(lambda move: move[2] + move[3] >= 0)
PLANS = st.lists(
    st.one_of(
        st.lists(QUOTING, min_size=1, max_size=1),
        st.lists(QUOTING, min_size=1, max_size=1),
        st.just([("quote", 10, 2, 2)]),
        st.just([("quote", 10, 1, 1)]),
        st.lists(QUOTING, max_size=2),
        st.just([("limit", True, False, 4, -3, ""), ("quote", 3, 2, 2)]),
        st.just([("limit", False, True, 4, -3, "")]),
        st.just([("cancel",)]),
    ),
    min_size=1,
    max_size=6,
)


@settings(QUICK, max_examples=120)
@given(worlds(kinds=(*PREDICTIONS, "S")), LIMITS, st.data())
def test_random_quoters(world: World, risk: Any, data: Any) -> None:
    plans = {market: data.draw(PLANS) for market in world.markets}
    how = {**world.how, "latency_ms": 0.0, "risk": risk}
    check_same(playing(world.with_(plans=plans, how=how)))


@settings(QUICK, max_examples=60)
@given(book_worlds(), LIMITS, st.data())
def test_random_quoters_in_books(world: World, risk: Any, data: Any) -> None:
    plans = {market: data.draw(PLANS) for market in world.markets}
    how = {**world.how, "latency_ms": 0.0, "risk": risk}
    check_same(playing(world.with_(plans=plans, how=how)))


@pytest.mark.parametrize("mode", ["price", "quotes", "bars", "books"])
@pytest.mark.parametrize("capital", [100_000.0, 40.0], ids=["rich", "poor"])
def test_busy_quoters_go_the_quick_way(mode: str, capital: float) -> None:
    taken = 0
    for seed in range(3):
        world = busy_world(seed, mode=mode, rows=150)
        plans = {
            market: [
                [("quote", 10, 2, 2)],
                [("quote", 10, 2, 2)],
                [("quote", 4, 1, 1)],
                [("quote", 10, 3, 60)],
                [("quote", 10, 3, 60), ("quote", 5, 4, 5)],
                [],
            ]
            for market in world.markets
        }
        how = {**world.how, "latency_ms": 0.0, "initial_capital": capital}
        taken += check_same(playing(world.with_(plans=plans, how=how)))
    assert taken > 100


def test_a_kill_switch_within_a_run() -> None:
    ticks = [{"timestamp": 1000 + i, "price": 0.5 + 0.03 * (i % 3)} for i in range(30)]

    def run(look: Callable[..., Any]) -> Any:
        def quoter(ctx: Any) -> Any:
            if ctx.timestamp == 1010:
                ctx.engine.kill_switch()
            if ctx.timestamp == 1020:
                ctx.engine.reset_kill_switch()
            return hz.quotes(ctx.feed.price, spread=0.04, size=10)

        return hz.backtest(data=ticks, pipeline=[look, quoter], paper_fee_rate=0.0)

    # 20 rows outside of the switch; the quote at 1010 comes after it.
    assert check_same(run) == 20


def test_one_side_that_moves_while_the_other_stays() -> None:
    ticks = [{"timestamp": 1000 + i, "price": 0.5} for i in range(6)]

    def run(look: Callable[..., Any]) -> Any:
        def quoter(ctx: Any) -> Any:
            i = int(ctx.timestamp) - 1000
            return [hz.Quote(0.45 - 0.01 * (i // 3), 0.55 + 0.01 * (i // 2), 10.0)]

        return hz.backtest(data=ticks, pipeline=[look, quoter])

    assert check_same(run) == 6
    # And where the run ends with one side moved: its bounds are to be found anew.
    ticks.pop()
    assert check_same(run) == 5


def test_quotes_in_a_market_that_is_over() -> None:
    ticks = {
        market: [{"timestamp": 1000 + i, "price": 0.5 + 0.01 * i} for i in range(6)]
        for market in ("rain", "vote")
    }

    def run(look: Callable[..., Any]) -> Any:
        def quoter(ctx: Any) -> None:
            if ctx.market_id == "vote":
                price = ctx.feed.price
                ctx.engine.submit_quotes(
                    "rain", hz.quotes(price, spread=0.04, size=10), hz.Side.Yes
                )

        return hz.backtest(
            data=ticks,
            pipeline=[look, quoter],
            outcomes={"rain": 1.0},
            resolutions={"rain": 1002},
        )

    # At 1000, 1001 and 1002: it ends after the last of these.
    assert check_same(run) == 3


def test_who_listens_hears_every_event() -> None:
    ticks = [{"timestamp": 1000 + i, "price": 0.5 + 0.01 * i} for i in range(4)]
    heard: list[str] = []

    def listening(ctx: Any) -> None:
        if ctx.timestamp == 1002:
            ctx.engine.venue.subscribe(lambda event: heard.append(event[0]))

    def quoter(ctx: Any) -> Any:
        return hz.quotes(ctx.feed.price, spread=0.04, size=10)

    hz.backtest(data=ticks, pipeline=[listening, quoter])
    requote = ["cancelled", "cancelled", "accepted", "accepted"]
    assert heard == [*requote, "marked", *requote]


@pytest.mark.parametrize(
    "how",
    [
        {"latency_ms": 1.0},
        {"fees": hz.venues.FlatFees(0.0, 0.001)},
    ],
    ids=["latency", "fee schedule"],
)
def test_what_it_does_not_know_goes_through_every_step(how: dict[str, Any]) -> None:
    ticks = [{"timestamp": 1000 + i, "price": 0.5 + 0.03 * (i % 3)} for i in range(30)]

    def run(look: Callable[..., Any]) -> Any:
        def quoter(ctx: Any) -> Any:
            return hz.quotes(ctx.feed.price, spread=0.04, size=10)

        return hz.backtest(data=ticks, pipeline=[look, quoter], **how)

    assert check_same(run) == 0


@pytest.mark.long
@settings(QUICK, max_examples=3000, derandomize=False)
@given(worlds(kinds=(*PREDICTIONS, "S", "ADA/USD")), LIMITS, st.data())
def test_many_random_quoters(world: World, risk: Any, data: Any) -> None:
    plans = {market: data.draw(PLANS) for market in world.markets}
    how = {**world.how, "latency_ms": 0.0, "risk": risk}
    check_same(playing(world.with_(plans=plans, how=how)))


@pytest.mark.long
@settings(QUICK, max_examples=1500, derandomize=False)
@given(book_worlds(), LIMITS, st.data())
def test_many_random_quoters_in_books(world: World, risk: Any, data: Any) -> None:
    plans = {market: data.draw(PLANS) for market in world.markets}
    how = {**world.how, "latency_ms": 0.0, "risk": risk}
    check_same(playing(world.with_(plans=plans, how=how)))


def test_a_market_with_a_grid_goes_through_every_step() -> None:
    ticks = [{"timestamp": 1000 + i, "price": 0.5 + 0.03 * (i % 3)} for i in range(30)]
    market = hz.Market("rain", hz.AssetClass.Prediction, tick_size=0.01)

    def played(spread: float) -> Callable[..., Any]:
        def run(look: Callable[..., Any]) -> Any:
            def quoter(ctx: Any) -> Any:
                price = round(ctx.feed.price, 2)
                return [hz.Quote(round(price - spread, 3), round(price + spread, 3), 10)]

            return hz.backtest(markets=[market], data=ticks, pipeline=[look, quoter])

        return run

    assert check_same(played(0.02)) == 0
    with pytest.raises(hz.PipelineError, match="quote's price"):
        check_same(played(0.015))


def test_a_fill_model_sees_a_quote_as_it_comes_to_rest() -> None:
    shown = [10.0, 5.0, 5.0, 0.5]
    books = [
        {"timestamp": 1000.0 + i, "bids": [(0.40, size)], "asks": [(0.60, 100.0)]}
        for i, size in enumerate(shown)
    ]
    seen: list[tuple[float, float]] = []

    class Watching(hz.venues.FillModel):
        has_chance = True

        def rest(self, order: Any, book: Any) -> None:
            seen.append((order.price, book.bids[0][1]))

        def follow(self, order: Any, book: Any) -> None:
            pass

        def chance(self, order: Any, book: Any, seconds: float) -> float:
            return 0.0

    def quoter(ctx: Any) -> Any:
        return [hz.Quote(0.40, 0.60, 1.0)]

    hz.backtest(book_data={"m": books}, pipeline=[quoter], fill_model=Watching())
    # Both rest from the first book on, behind the ten of that moment.
    assert seen == [(0.40, 10.0), (0.60, 10.0)]
