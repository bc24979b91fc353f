"""No loop makes money out of nothing, and whatever is held can be reduced."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import horizon as hz
from horizon.errors import HorizonError, OrderError, RiskRejected
from tests.properties.witness import Clock

# Measured, these would take three times as long, and count hardly a line that others do not.
pytestmark = pytest.mark.no_cover

# Judged by its own changes, not by the luck of a run; long sessions are the machine's.
quick = settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)

CALL = "AAPL250117C00180000"
#: One market of each class, with a price that suits it.
PRICES = {"ACME": 100.0, "BTC/USD": 250.0, "X-PERP": 100.0, CALL: 4.0, "rain": 0.4, "rain:no": 0.6}
MULTIPLIER = {CALL: 100.0}

markets = st.sampled_from(list(PRICES))
signs = st.sampled_from([1, -1])
fees = st.sampled_from([0.0, 0.0001, 0.01, 0.3])
sizes = st.one_of(
    st.sampled_from([1.0, 0.1, 1 / 3, 7.0, 10.0, 1e-9, 1e3, 1e6]),
    st.floats(1e-6, 1e6, allow_subnormal=False),
)
factors = st.floats(0.5, 1.5)


def paper(**options: Any) -> hz.ImperativeClient:
    """A client on a clock that stands, with every market known and priced."""
    options.setdefault("clock", Clock())
    options.setdefault("initial_cash_usd", 1e9)
    ex = hz.connect("paper", **options)
    ex.declare(hz.Market("rain", hz.Prediction))
    for market in ("ACME", "BTC/USD", "X-PERP", CALL, "rain"):
        ex.tick(market, PRICES[market])
    return ex


def order(ex: hz.ImperativeClient, leg: str, sign: int, size: float, **how: Any) -> Any:
    """Buy or sell; at market, where nothing else is said."""
    return (ex.buy if sign > 0 else ex.sell)(leg, size, **(how or {"market": True}))


def hold(ex: hz.ImperativeClient, leg: str, sign: int, size: float) -> None:
    """Have a position, whenever market orders fill."""
    order(ex, leg, sign, size)
    ex.tick(leg, PRICES[leg])


def near(ex: hz.ImperativeClient) -> float:
    """Rounding: one part in 10^12 of the initial cash and of what was traded."""
    traded = sum(
        f.quantity * f.price * MULTIPLIER.get(f.market_id, 1.0)
        for f in ex.engine.venue.fill_history()
    )
    return 1e-12 * (ex.balance().initial_cash + traded)


# ------------------------------------------------------------------ round trips
@quick
@given(market=markets, sign=signs, size=sizes, n=st.integers(1, 4), fee=fees, slip=fees)
def test_a_round_trip_at_one_price_gains_nothing(
    market: str, sign: int, size: float, n: int, fee: float, slip: float
) -> None:
    ex = paper(taker_fee_rate=fee, maker_fee_rate=fee, slippage_bps=slip * 10_000)
    start = ex.balance()
    opened = True
    for _ in range(n):
        opened &= order(ex, market, sign, size).status == "filled"
        assert ex.balance().equity <= start.equity + near(ex)
    ex.flatten_all()
    end = ex.balance()
    assert ex.positions() == []
    assert end.cash <= start.cash + near(ex)
    assert end.buying_power <= start.buying_power + near(ex)
    # By hand: each fill pays its fee, and the two prices differ by twice the slippage (no
    # more than its own bounds allow a prediction).
    if opened and market not in ("rain", "rain:no"):
        notional = n * size * PRICES[market] * MULTIPLIER.get(market, 1.0)
        up, down = 1 + slip, 1 - slip
        lost = notional * ((up - down) + fee * (up + down))
        assert math.isclose(start.cash - end.cash, lost, rel_tol=1e-9, abs_tol=near(ex))


@quick
@given(market=markets, sign=signs, steps=st.lists(st.tuples(signs, sizes), max_size=8), fee=fees)
def test_any_walk_back_to_flat_at_one_price_gains_nothing(
    market: str, sign: int, steps: list[tuple[int, float]], fee: float
) -> None:
    ex = paper(taker_fee_rate=fee, enforce_buying_power=False)
    for side, size in steps:
        order(ex, market, side, size)  # flips on the way
    ex.flatten_all()
    assert ex.positions() == []
    assert ex.balance().cash <= 1e9 + near(ex)
    if fee == 0.0:
        assert abs(ex.balance().cash - 1e9) <= near(ex)


@quick
@given(size=sizes, price=st.floats(0.01, 0.99), fee=fees, sell=st.booleans())
def test_a_pair_of_yes_and_no_is_worth_one(
    size: float, price: float, fee: float, sell: bool
) -> None:
    """Both sides together cost, or bring, what they pay: 1.00 a pair, whatever the outcome."""
    price = round(price, 6)
    for outcome in (0.0, 1.0):
        ex = paper(taker_fee_rate=fee)
        ex.tick("rain", price)
        for leg in ("rain", "rain:no"):
            assert order(ex, leg, -1 if sell else 1, size).status == "filled"
        fees_paid = ex.balance().fees
        assert abs(ex.balance().equity - (1e9 - fees_paid)) <= near(ex)
        ex.settle("rain", outcome)
        # Prices p and 1 - p sum to 1, the fee is on both: size x (p + 1 - p) x fee.
        assert abs(ex.balance().cash - (1e9 - size * fee)) <= near(ex)


# ------------------------------------------------------------------ buying power
@quick
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["place", "amend", "cancel"]), markets, signs, sizes, factors),
        min_size=1,
        max_size=25,
    ),
    held=st.lists(st.tuples(markets, signs, st.floats(1, 100)), max_size=4),
    fee=st.sampled_from([0.0, 0.001, -0.001]),
)
def test_orders_never_add_buying_power_at_unchanged_marks(
    steps: list[tuple[str, str, int, float, float]],
    held: list[tuple[str, int, float]],
    fee: float,
) -> None:
    ex = paper(maker_fee_rate=fee)
    for market, sign, size in held:
        order(ex, market, sign, size)
    most = ex.balance().buying_power
    for what, market, sign, size, factor in steps:
        working = [o for o in ex.open_orders() if o.market_id == market]
        price = round(min(PRICES[market] * factor, 0.99 if "rain" in market else 1e9), 9)
        if what == "place":
            order(ex, market, sign, size, limit=price)
        elif working and what == "cancel":
            ex.cancel(working[0].id)
        elif working:
            try:
                ex.amend(working[-1].id, new_quantity=size, new_price=price)
            except HorizonError:
                pass
        now = ex.balance()
        assert now.buying_power <= most + near(ex)
        assert now.cash == pytest.approx(now.equity - sum_of_values(ex), abs=near(ex))
    ex.cancel_all()
    # All of it comes back.
    assert abs(ex.balance().buying_power - most) <= near(ex) + 1e-12 * most


def sum_of_values(ex: hz.ImperativeClient) -> float:
    total = 0.0
    for p in ex.positions():
        assert p.mark is not None
        worth = p.quantity * p.mark * MULTIPLIER.get(p.market_id, 1.0)
        total += p.unrealized_pnl if p.market_id == "X-PERP" else worth
    return total


@quick
@given(
    market=markets,
    sign=signs,
    size=st.integers(1, 1_000),
    k=st.integers(2, 9),
    factor=factors,
    held=st.integers(-500, 500),
    fee=st.sampled_from([0.0, 0.001]),
)
def test_an_order_in_parts_reserves_and_pays_what_it_does_whole(
    market: str, sign: int, size: int, k: int, factor: float, held: int, fee: float
) -> None:
    """Reserve and final cash do not depend on how a quantity is cut (1/8 units are exact)."""
    price = round(min(PRICES[market] * factor, 0.99 if "rain" in market else 1e9), 9)
    unit = size / 8
    ends = []
    for parts in ([unit * k], [unit] * k):
        ex = paper(maker_fee_rate=fee, taker_fee_rate=fee)
        if held:
            order(ex, market, 1 if held > 0 else -1, abs(held) / 8)
        for part in parts:
            assert order(ex, market, sign, part, limit=price).status == "new"
        reserved = ex.balance().used_buying_power
        ex.tick(market, price)
        assert ex.open_orders() == []
        ends.append((reserved, ex.balance().cash, ex.positions()[0:1]))
    whole, cut = ends
    assert cut[0] == pytest.approx(whole[0], rel=1e-12, abs=1e-9)
    assert cut[1] == pytest.approx(whole[1], rel=1e-14)
    assert [p.quantity for p in cut[2]] == [p.quantity for p in whole[2]]


@quick
@given(
    parts=st.lists(st.integers(1, 5), min_size=2, max_size=4),
    which=st.integers(0, 3),
    more=st.integers(1, 12),
    spare=st.integers(0, 12),
    moves=st.booleans(),
)
def test_amending_one_of_several_reducing_orders_asks_for_what_all_of_them_open(
    parts: list[int], which: int, more: int, spare: int, moves: bool
) -> None:
    """Orders that close a position exactly; one of them grows, and it or another opens.

    A unit short at 110 reserves 1.5 x 110 and brings 110: it needs 55. At 112 it needs 56, and
    the amended order, as a new arrival, is the one that opens.
    """
    need = 56.0 if moves else 55.0
    ex = paper(initial_cash_usd=100.0 * sum(parts) + need * spare)
    order(ex, "ACME", 1, float(sum(parts)))
    ids = [order(ex, "ACME", -1, part, limit=110.0).id for part in parts]
    before = ex.balance()
    assert before.buying_power == need * spare
    grown = which % len(parts)
    call = partial(ex.amend, ids[grown], parts[grown] + more, 112.0 if moves else None)
    if more <= spare:
        assert call().quantity == parts[grown] + more
        assert ex.balance().buying_power == pytest.approx(need * (spare - more), abs=1e-9)
    else:
        with pytest.raises(OrderError):
            call()
        assert ex.balance() == before
        assert [o.quantity for o in ex.open_orders()] == parts


def short_until_refused(ex: hz.ImperativeClient, market: str, size: float, **more: Any) -> float:
    """Sell the same size again and again; returns what could be sold."""
    sold = 0.0
    verb = partial(ex.sell_perp, leverage=more["leverage"]) if more else ex.sell
    while verb(market, size, market=True).status == "filled":
        sold += size
        assert sold / size < 10_000, "no end to it"
    return sold


@quick
@given(
    market=st.sampled_from(["ACME", "BTC/USD", CALL, "rain", "rain:no"]), share=st.floats(0.01, 1)
)
def test_proceeds_of_a_short_carry_no_further_shorts(market: str, share: float) -> None:
    """What is sold in all is what its reserves allow, however it is cut.

    Equity: each unit needs 150 % of its price and brings 100 %, so notional <= cash / 0.5.
    Option: premium + 20 % of strike, brings the premium: contracts <= cash / (100 x 36).
    Prediction: 1.00, brings p: contracts <= cash / (1 - p).
    """
    cash = 10_000.0
    price = PRICES[market]
    needs = {CALL: 100 * 0.2 * 180.0, "rain": 0.6, "rain:no": 0.4}.get(market, 0.5 * price)
    most = cash / needs
    ex = paper(initial_cash_usd=cash)
    size = most * share
    sold = short_until_refused(ex, market, size)
    assert sold <= most * (1 + 1e-9)
    assert sold > most - size * (1 + 1e-9)
    assert ex.balance().buying_power >= -1e-6
    # Nor do they buy anything else.
    left = ex.balance().buying_power
    assert ex.buy("OTHER", left / 100 + 1, limit=100).status == "rejected"


@quick
@given(leverage=st.sampled_from([1.0, 2.0, 3.0, 10.0, 99.5, 100.0]), share=st.floats(0.01, 1))
def test_perps_never_exceed_their_leverage(leverage: float, share: float) -> None:
    """Notional <= cash x leverage: each unit needs price / leverage, and brings nothing."""
    cash = 10_000.0
    ex = paper(initial_cash_usd=cash)
    most = cash * leverage / 100.0
    sold = short_until_refused(ex, "X-PERP", most * share, leverage=leverage)
    assert most - most * share * (1 + 1e-9) < sold <= most * (1 + 1e-9)
    assert ex.balance().cash == cash
    # Another market shares the same money.
    left = ex.balance().buying_power
    assert ex.buy("OTHER", left / 100 + 1, limit=100).status == "rejected"


@quick
@given(market=markets, sign=signs, size=st.floats(1, 100), more=st.floats(0.01, 3))
def test_a_flip_closes_then_opens(market: str, sign: int, size: float, more: float) -> None:
    ex = paper()
    order(ex, market, sign, size)
    ex.tick(market, round(PRICES[market] * 1.25, 9))
    order(ex, market, -sign, size * (1 + more))
    (position,) = ex.positions()
    assert position.quantity == pytest.approx(-sign * size * more, rel=1e-9)
    at = round(PRICES[market] * 1.25, 9)
    assert position.avg_cost == at
    # Only the first size is realised: bought (sold) at 1, closed at 1.25.
    gain = sign * size * (at - PRICES[market]) * MULTIPLIER.get(market, 1.0)
    assert ex.realized_pnl() == pytest.approx(gain, rel=1e-9)
    assert position.unrealized_pnl == pytest.approx(0.0, abs=1e-9 * size * at * 400)


@pytest.mark.parametrize("size", [1e-170, 1e-300, 5e-324, 1e-20])
def test_a_reduction_is_one_however_small(size: float) -> None:
    ex = paper()
    order(ex, "ACME", 1, 2 * size)
    ex.tick("ACME", 1e9)
    order(ex, "ACME", -1, size)
    (position,) = ex.positions()
    assert position.avg_cost == 100.0
    order(ex, "ACME", -1, size)
    assert ex.positions() == []


# ------------------------------------------------------------------ reducing always passes
def overdrawn(ex: hz.ImperativeClient) -> None:
    """Cash far below 0: shorts that have risen fivefold."""
    for market in PRICES:
        if "rain" not in market and market != "X-PERP":
            try:
                hold(ex, market, -1, 10.0)
            except RiskRejected:
                pass  # what is held already makes it overdrawn
            ex.tick(market, PRICES[market] * 5)


def broke(ex: hz.ImperativeClient) -> None:
    """Equity at or below 0."""
    hold(ex, "ACME", -1, 100.0)
    ex.tick("ACME", 1e6)
    assert ex.balance().equity <= 0


def halted(ex: hz.ImperativeClient) -> None:
    """The kill switch is on, and something is still held."""
    ex.engine.venue.apply.switched(int(ex.time * 1e9), True)


def drawn_down(ex: hz.ImperativeClient) -> None:
    """The day's drawdown limit is passed."""
    hold(ex, "ACME", 1, 100.0)
    ex.tick("ACME", 20.0)
    assert ex.engine.status().drawdown_passed


def at_the_limit(ex: hz.ImperativeClient) -> None:
    """No order more in this second, none of more than one unit, no notional left."""
    for _ in range(20):
        try:
            ex.buy("BTC/USD", 1.0, limit=1.0)
        except RiskRejected:
            pass


TIGHT = hz.RiskConfig(
    max_position_per_market=200,
    max_order_size=200,
    max_portfolio_notional=1e6,
    max_daily_drawdown_pct=5,
    max_orders_per_second=20,
)


@pytest.mark.parametrize("ordeal", [overdrawn, broke, halted, drawn_down, at_the_limit])
@pytest.mark.parametrize("market_fill", ["now", "next_tick"])
@quick
@given(
    held=st.lists(st.tuples(markets, signs, st.floats(0.01, 100)), min_size=1, max_size=6),
    share=st.floats(0.01, 1),
)
def test_reducing_passes_in_every_state(
    ordeal: Any, market_fill: str, held: list[tuple[str, int, float]], share: float
) -> None:
    clock = Clock()
    ex = paper(
        initial_cash_usd=20_000.0,
        risk=TIGHT,
        enforce_buying_power=False,
        taker_fee_rate=0.01,
        clock=clock,
        market_fill=market_fill,
    )
    for market, sign, size in held:
        try:
            hold(ex, market, sign, size)
        except RiskRejected:
            pass
    try:
        ordeal(ex)
    except (RiskRejected, AssertionError):
        assume(False)
    for position in ex.positions():
        # A part by a limit, a part at market, a part reduce-only; then a cancel.
        side = -1 if position.quantity > 0 else 1
        part = abs(position.quantity) * share / 4
        mark = position.mark
        assert mark is not None
        limit = min(max(mark, 0.001), 0.999) if "rain" in position.market_id else max(mark, 1e-6)
        ex.cancel_all(position.market_id)
        resting = order(ex, position.market_id, side, part, limit=limit)
        assert resting.status == "new"
        state = "filled" if market_fill == "now" else "new"
        assert order(ex, position.market_id, side, part, market=True).status == state
        cut = order(ex, position.market_id, side, part, market=True, reduce_only=True)
        assert cut.status == state
        assert ex.cancel(resting.id) is True
        if market_fill == "next_tick":
            ex.tick(position.market_id, mark)
    left = {position.market_id for position in ex.positions()}
    orders = ex.flatten_all()
    assert {o.market_id for o in orders} == left
    for market in left:
        ex.tick(market, ex.quote(market).price)  # type: ignore[union-attr]
    assert ex.positions() == []
    assert ex.open_orders() == []
    assert ex.cancel_all() == 0
    assert ex.flatten_all() == []


# ------------------------------------------------------------------ metamorphic
Step = tuple[str, str, int, int, int]
steps_of = st.lists(
    st.tuples(
        st.sampled_from(["tick", "tick", "limit", "limit", "market", "cancel", "amend", "flat"]),
        st.sampled_from(["ACME", "BTC/USD", "X-PERP", "rain", "rain:no"]),
        signs,
        st.integers(1, 400),  # size in quarters
        st.integers(-8, 8),  # price in steps from the market's own
    ),
    min_size=1,
    max_size=40,
)


def play(ex: hz.ImperativeClient, steps: list[Step], *, scale: float = 1.0) -> list[Any]:
    """A session in scaled prices; returns what happened, in unscaled money."""
    seen: list[Any] = []
    for what, market, sign, size, away in steps:
        bet = market.startswith("rain")
        price = PRICES[market] + away / (64 if bet else 1)
        price = round(price, 12) if bet else price * scale
        quantity = size / 4 * (scale if bet else 1.0)
        result: Any
        try:
            if what == "tick":
                result = len(ex.tick(market, price))
            elif what == "limit":
                result = order(ex, market, sign, quantity, limit=price).status
            elif what == "market":
                result = order(ex, market, sign, quantity).status
            elif what == "cancel":
                result = ex.cancel_all(market)
            elif what == "flat":
                result = len(ex.flatten(market))
            else:
                working = ex.open_orders(market)
                result = working and ex.amend(working[0].id, quantity, price).status
        except HorizonError as error:
            result = type(error).__name__
        money = ex.balance()
        seen.append(
            (
                result,
                *(
                    (getattr(money, name) / scale).hex()
                    for name in ("cash", "equity", "buying_power", "realized_pnl", "fees")
                ),
            )
        )
    return seen


@quick
@given(steps=steps_of, power=st.sampled_from([-20, -3, 1, 10]), fee=fees, touch=st.booleans())
def test_scaling_money_by_a_power_of_two_scales_everything(
    steps: list[Step], power: int, fee: float, touch: bool
) -> None:
    """Prices and cash (for predictions sizes and cash) times 2^k: each bit times 2^k."""
    runs = []
    for scale in (1.0, 2.0**power):
        ex = hz.connect(
            "paper",
            initial_cash_usd=50_000.0 * scale,
            fee_bps=fee * 10_000,
            slippage_bps=7,
            clock=Clock(),
        )
        ex.declare(hz.Market("rain", hz.Prediction))
        runs.append(play(ex, steps, scale=scale))
    assert runs[0] == runs[1]


@quick
@given(steps=steps_of, fee=fees, elsewhere=st.lists(st.integers(0, 40), max_size=10))
def test_a_market_elsewhere_changes_nothing(
    steps: list[Step], fee: float, elsewhere: list[int]
) -> None:
    """Ticks, and orders that only come and go, in markets of their own leave no trace."""
    runs = []
    for disturbed in (False, True):
        ex = paper(initial_cash_usd=50_000.0, fee_bps=fee * 10_000)
        seen = []
        for number, step in enumerate(steps):
            if disturbed and number in elsewhere:
                ex.tick("OTHER", 3.0 + number)
                ex.cancel(ex.buy("OTHER", 0.1, limit=1 / 3).id)
            seen += play(ex, [step])
        runs.append((seen, facts(ex)))
    assert runs[0] == runs[1]


def facts(ex: hz.ImperativeClient, market: str | None = None) -> list[Any]:
    """Fills by market without the ids that count over all of them."""
    return [
        (f.market_id, f.side, f.quantity.hex(), f.price.hex(), f.fee.hex(), f.realized_pnl.hex())
        for f in ex.engine.venue.fill_history()
        if (market is None or f.market_id == market) and f.market_id != "OTHER"
    ]


@quick
@given(steps=steps_of, chance=st.randoms(use_true_random=False), fee=fees)
def test_the_order_of_independent_feeds_changes_no_market(
    steps: list[Step], chance: Any, fee: float
) -> None:
    """Markets that share enough money do not see in which order their feeds are merged."""
    groups: dict[str, list[Step]] = {}
    for step in steps:
        groups.setdefault(step[1].removesuffix(":no"), []).append(step)
    results = []
    for merged in (steps, shuffled(groups, chance)):
        ex = paper(initial_cash_usd=1e12, fee_bps=fee * 10_000)
        play(ex, merged)
        held = {p.market_id: (p.quantity.hex(), p.avg_cost.hex()) for p in ex.positions()}
        fills = {market: facts(ex, market) for market in PRICES}
        results.append((held, fills))
        cash = ex.balance().cash
        results[-1] += (round(cash, 3),)  # type: ignore[assignment]
    assert results[0] == results[1]


def shuffled(groups: dict[str, list[Step]], chance: Any) -> list[Step]:
    """The same steps in another order, each market's own order kept."""
    left = {market: list(steps) for market, steps in groups.items()}
    merged = []
    while left:
        market = chance.choice(sorted(left))
        merged.append(left[market].pop(0))
        if not left[market]:
            del left[market]
    return merged
