"""Many threads on one client, with limits at the edge: never passed, and the books intact."""

import faulthandler
import math
import random
import sys
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator

import pytest

import horizon as hz
from horizon import OrderRequest, OrderSide, RiskConfig, Side
from horizon.client import ImperativeClient
from horizon.errors import HorizonError, OrderError, RiskRejected

THREADS = 8
PATIENCE = 120.0


@pytest.fixture(autouse=True)
def impatient() -> Iterator[None]:
    """Switch threads as often as Python can; a deadlock ends the run and shows every stack."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    faulthandler.dump_traceback_later(10 * PATIENCE, exit=True, file=sys.__stderr__)
    yield
    faulthandler.cancel_dump_traceback_later()
    sys.setswitchinterval(interval)


def together(jobs: list[Callable[[], None]], patience: float = PATIENCE) -> None:
    """Run jobs at the same time; the first error of any of them is the test's."""
    errors: list[BaseException] = []
    gate = threading.Barrier(len(jobs))

    def run(job: Callable[[], None]) -> None:
        try:
            gate.wait()
            job()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(job,), daemon=True) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(patience)
        if thread.is_alive():
            faulthandler.dump_traceback(file=sys.__stderr__)
            pytest.fail("a thread did not come back: deadlock")
    if errors:
        raise errors[0]


def connect(cash: float = 1e9, risk: RiskConfig | None = None, **options) -> ImperativeClient:
    return hz.connect("paper", initial_cash_usd=cash, risk=risk, clock=lambda: 0.0, **options)


def books_are_intact(ex: ImperativeClient, markets: tuple[str, ...]) -> None:
    """Rebuild cash, positions and orders from the fills alone."""
    fills = ex.engine.venue.fill_history()
    balance = ex.balance()
    cash = [balance.initial_cash]
    held: dict[str, list[float]] = defaultdict(list)
    filled: dict[str, list[float]] = defaultdict(list)
    for fill in fills:
        sign = 1 if fill.side == "buy" else -1
        cash += [-sign * fill.quantity * fill.price, -fill.fee]
        held[fill.market_id].append(sign * fill.quantity)
        filled[fill.order_id].append(fill.quantity)
    turnover = balance.initial_cash + sum(fill.quantity * fill.price for fill in fills)
    assert balance.cash == pytest.approx(math.fsum(cash), abs=1e-12 * turnover)
    positions = {p.market_id: p.quantity for p in ex.positions()}
    for market in markets:
        assert positions.get(market, 0.0) == pytest.approx(math.fsum(held[market]), abs=1e-9)
    assert len({fill.id for fill in fills}) == len(fills)
    orders = ex.orders()
    assert len({order.id for order in orders}) == len(orders)
    for order in orders:
        assert order.filled_quantity == pytest.approx(math.fsum(filled[order.id]), abs=1e-9)
        assert 0.0 <= order.filled_quantity <= order.quantity
    profit = balance.realized_pnl + balance.unrealized_pnl - balance.fees
    assert balance.equity - balance.initial_cash == pytest.approx(profit, abs=1e-12 * turnover)
    assert [o.id for o in ex.open_orders()] == [o.id for o in orders if o.is_open]


# ---------------------------------------------------------------------------- limits
def test_threads_never_pass_the_position_limit_together() -> None:
    ex = connect(risk=RiskConfig(max_position_per_market=100))
    accepted = Counter[int]()

    def trader(number: int) -> Callable[[], None]:
        def run() -> None:
            for _ in range(60):
                try:
                    ex.buy("ACME", 1, limit=10.0)
                    accepted[number] += 1
                except RiskRejected:
                    pass

        return run

    together([trader(n) for n in range(THREADS)])
    # 8 x 60 = 480 wanted to be bought, one by one, where 100 fit.
    assert sum(accepted.values()) == len(ex.open_orders()) == 100
    assert ex.engine.rejections == {"max_position_per_market": 380}
    ex.tick("ACME", 10.0)
    assert ex.positions()[0].quantity == 100.0
    books_are_intact(ex, ("ACME",))


def test_threads_never_pass_the_notional_limit_together() -> None:
    ex = connect(risk=RiskConfig(max_portfolio_notional=1_000))
    markets = tuple("ABCDEFGH")

    def trader(market: str) -> Callable[[], None]:
        def run() -> None:
            for _ in range(40):
                try:
                    ex.buy(market, 3, limit=7.0)  # 21 each: 47 fit
                except RiskRejected:
                    pass

        return run

    together([trader(market) for market in markets])
    assert len(ex.open_orders()) == 47
    assert ex.engine.rejections == {"max_portfolio_notional": 8 * 40 - 47}
    for market in markets:
        ex.tick(market, 7.0)
    assert sum(p.quantity * 7.0 for p in ex.positions()) == 47 * 21.0
    books_are_intact(ex, markets)


def test_threads_never_spend_more_than_there_is() -> None:
    ex = connect(1_000.0, fee_bps=10.0)
    statuses: list[str] = []

    def trader() -> None:
        for _ in range(40):
            statuses.append(ex.buy("ACME", 2, limit=10.0).status)

    together([trader] * THREADS)
    # 20.02 each with the fee: 49 fit into 1000 (980.98), 50 do not (1001).
    assert Counter(statuses) == {"new": 49, "rejected": 40 * THREADS - 49}
    ex.tick("ACME", 10.0)
    assert ex.balance().cash == pytest.approx(1_000 - 49 * 20.02, abs=1e-9)
    books_are_intact(ex, ("ACME",))


def test_threads_never_open_with_an_order_over_the_size_limit() -> None:
    ex = connect(risk=RiskConfig(max_order_size=30))

    def trader() -> None:
        for size in (29, 30, 30.01, 31) * 10:
            try:
                ex.buy("ACME", size, limit=10.0)
            except RiskRejected:
                pass

    together([trader] * THREADS)
    assert ex.engine.rejections == {"max_order_size": 20 * THREADS}
    assert Counter(o.quantity for o in ex.open_orders()) == {29: 10 * THREADS, 30: 10 * THREADS}


def test_threads_never_send_more_orders_a_second_than_allowed() -> None:
    ex = connect(risk=RiskConfig(max_orders_per_second=25))

    def trader() -> None:
        for _ in range(30):
            try:
                ex.buy("ACME", 1, limit=10.0)
            except RiskRejected:
                pass

    together([trader] * THREADS)
    assert len(ex.orders()) == 25
    assert ex.engine.rejections == {"max_orders_per_second": 30 * THREADS - 25}


def test_amending_threads_never_pass_a_limit_together() -> None:
    ex = connect(risk=RiskConfig(max_position_per_market=100, max_order_size=40))
    ids = [ex.buy("ACME", 1, limit=10.0).id for _ in range(THREADS)]

    def amender(order_id: str) -> Callable[[], None]:
        def run() -> None:
            for size in range(2, 60):
                try:
                    ex.amend(order_id, new_quantity=size)
                except RiskRejected:
                    pass

        return run

    together([amender(order_id) for order_id in ids])
    sizes = [order.quantity for order in ex.open_orders()]
    assert max(sizes) <= 40.0
    assert sum(sizes) <= 100.0
    # Growing by one at a time, what fits is taken: no room is left that an order could use.
    assert sum(sizes) == 100.0


def test_one_client_order_id_makes_one_order_whoever_comes_first() -> None:
    ex = connect()
    ids: list[str] = []
    together(
        [lambda: ids.append(ex.buy("ACME", 1, limit=10.0, client_order_id="once").id)] * THREADS
    )
    assert len(set(ids)) == 1
    assert len(ex.orders()) == 1


# ---------------------------------------------------------------------------- everything at once
def hustle(steps: int, threads: int, seed: int) -> None:
    limit, largest, notional = 200.0, 30.0, 3_000.0
    markets = ("ACME", "B")
    ex = connect(
        10_000_000.0,
        risk=RiskConfig(
            max_position_per_market=limit, max_order_size=largest, max_portfolio_notional=notional
        ),
        fee_bps=5.0,
    )
    lock, account = ex.engine.venue.lock, ex.engine.venue.account
    drained: list[list[str]] = [[] for _ in range(threads)]
    prices = dict.fromkeys(markets, 10.0)
    for market in markets:
        ex.tick(market, 10.0, 0.0)

    def within_limits() -> None:
        with lock:
            for market in markets:
                state = account.markets[market]
                open_ = ex.open_orders(market)
                bought = sum(o.remaining for o in open_ if o.side == "buy")
                sold = sum(o.remaining for o in open_ if o.side == "sell")
                assert state.net + bought <= limit + 1e-9
                assert state.net - sold >= -limit - 1e-9

    def job(number: int) -> Callable[[], None]:
        chance = random.Random(f"{seed}/{number}")

        def run() -> None:
            mine: list[str] = []
            algos: list = []
            for _ in range(steps):
                market = chance.choice(markets)
                what = chance.random()
                try:
                    if what < 0.3:
                        price = round(prices[market] + chance.uniform(-1, 1), 2)
                        verb = ex.buy if chance.random() < 0.5 else ex.sell
                        mine.append(verb(market, chance.randint(1, 32), limit=price).id)
                    elif what < 0.4:
                        verb = ex.buy if chance.random() < 0.5 else ex.sell
                        verb(market, chance.randint(1, 10), market=True)
                    elif what < 0.65:
                        # Two threads read one price and tick: any order of them is a history.
                        price = min(max(round(prices[market] + chance.gauss(0, 0.3), 2), 5.0), 20.0)
                        prices[market] = price
                        ex.tick(market, price)
                    elif what < 0.78 and mine:
                        ex.cancel(chance.choice(mine))
                    elif what < 0.86 and mine:
                        ex.amend(chance.choice(mine), new_quantity=chance.randint(1, 32))
                    elif what < 0.9:
                        algos.append(
                            ex.twap(market, chance.randint(1, 20), duration_secs=5, num_slices=3)
                        )
                    elif what < 0.93 and algos:
                        getattr(algos.pop(), chance.choice(["cancel", "pause"]))()
                    elif what < 0.94:
                        ex.flatten(market)
                    elif what < 0.97:
                        drained[number] += [fill.id for fill in ex.fills()]
                    else:
                        within_limits()
                        ex.balance(), ex.positions(), ex.engine.status()
                except (RiskRejected, OrderError):
                    pass

        return run

    together([job(n) for n in range(threads)], PATIENCE * max(1, steps // 1_000))
    within_limits()
    drained.append([fill.id for fill in ex.fills()])
    everything = [fill for batch in drained for fill in batch]
    assert sorted(everything) == sorted(f.id for f in ex.engine.venue.fill_history())
    books_are_intact(ex, markets)
    ex.engine.kill_switch()
    assert ex.open_orders() == []
    assert ex.positions() == []
    assert ex.algos == []
    books_are_intact(ex, markets)


@pytest.mark.parametrize("seed", range(3))
def test_everything_at_once_keeps_limits_and_books(seed: int) -> None:
    hustle(600, THREADS, seed)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(4))
def test_everything_at_once_for_long_keeps_limits_and_books(seed: int) -> None:
    hustle(10_000, 16, seed)


# ---------------------------------------------------------------------------- pairs
def test_each_fill_is_drained_exactly_once() -> None:
    ex = connect()
    ex.tick("ACME", 10.0, 0.0)
    seen: list[list[str]] = [[] for _ in range(4)]
    stop = threading.Event()

    def drainer(number: int) -> Callable[[], None]:
        def run() -> None:
            while not stop.is_set():
                seen[number] += [fill.id for fill in ex.fills()]

        return run

    def trader() -> None:
        for _ in range(200):
            ex.buy("ACME", 1, market=True)
            ex.buy("ACME", 1, limit=10.0)
            ex.tick("ACME", 10.0)
        stop.set()

    together([*(drainer(n) for n in range(4)), trader])
    seen.append([fill.id for fill in ex.fills()])
    ids = [fill for batch in seen for fill in batch]
    assert len(ids) == len(set(ids)) == 400


def test_engine_and_client_share_one_drain() -> None:
    ex = connect()
    ex.tick("ACME", 10.0, 0.0)
    got: list[int] = []

    def trader() -> None:
        for _ in range(100):
            ex.buy("ACME", 1, market=True)

    together(
        [
            trader,
            lambda: got.extend(1 for _ in range(200) for _ in ex.fills()),
            lambda: got.extend(1 for _ in range(200) for _ in ex.engine.drain_fills()),
        ]
    )
    assert len(got) + len(ex.fills()) == 100


def test_an_order_is_either_filled_or_cancelled_never_both() -> None:
    ex = connect()
    ids = [ex.buy("ACME", 1, limit=10.0).id for _ in range(400)]
    cancelled: list[bool] = []

    def ticker() -> None:
        ex.tick("ACME", 10.0)

    def canceller() -> None:
        cancelled.extend(ex.cancel(order_id) for order_id in reversed(ids))

    together([canceller, ticker])
    states = Counter(ex.order(order_id).status for order_id in ids)
    assert states["canceled"] == sum(cancelled)
    assert states["filled"] == len(ex.fills())
    assert states["canceled"] + states["filled"] == 400
    books_are_intact(ex, ("ACME",))


def test_several_cancels_of_one_order_succeed_once() -> None:
    ex = connect()
    ids = [ex.buy("ACME", 1, limit=10.0).id for _ in range(50)]
    results: list[bool] = []
    together([lambda: results.extend(ex.cancel(order_id) for order_id in ids)] * THREADS)
    assert sum(results) == 50
    assert len(results) == 50 * THREADS


def test_nothing_opens_after_the_kill_switch_has_come_back() -> None:
    ex = connect()
    ex.tick("ACME", 10.0, 0.0)
    thrown = threading.Event()
    late: list[str] = []

    def trader() -> None:
        for _ in range(300):
            was_thrown = thrown.is_set()
            try:
                order = ex.buy("ACME", 1, market=True)
            except RiskRejected:
                pass
            else:
                if was_thrown:
                    late.append(order.id)

    def switch() -> None:
        while not ex.positions():
            pass
        ex.engine.kill_switch()
        thrown.set()

    together([*([trader] * 4), switch])
    assert late == []
    assert set(ex.engine.rejections) <= {"kill_switch"}
    assert ex.positions() == []
    books_are_intact(ex, ("ACME",))


def test_algos_of_many_threads_fill_exactly_what_they_were_given() -> None:
    ex = connect()
    ex.tick("ACME", 10.0, 0.0)
    algos: list = []

    def starter() -> None:
        for _ in range(5):
            algo = ex.twap("ACME", 10, duration_secs=20, num_slices=4)
            algos.append(algo)
            seen: list[float] = []
            algo.subscribe(lambda p, seen=seen: seen.append(p.filled))

    def ticker() -> None:
        for at in range(1, 60):
            ex.tick("ACME", 10.0, float(at))

    together([*([starter] * 4), ticker])
    now = 60.0
    while not all(algo.is_done for algo in algos):
        ex.tick("ACME", 10.0, now)
        now += 1.0
        assert now < 200.0
    assert {algo.status for algo in algos} == {"completed"}
    assert ex.positions()[0].quantity == 20 * 10.0
    children = [child for algo in algos for child in algo.child_order_ids]
    assert len(children) == len(set(children)) == 20 * 4
    books_are_intact(ex, ("ACME",))


def test_closing_while_others_trade_raises_the_venues_error_and_nothing_else() -> None:
    ex = connect()
    ex.tick("ACME", 10.0, 0.0)
    closed: list[HorizonError] = []

    def trader() -> None:
        try:
            while True:
                ex.buy("ACME", 1, limit=9.0)
                ex.tick("ACME", 10.0)
        except HorizonError as error:
            closed.append(error)

    def closer() -> None:
        for _ in range(200):
            ex.engine.status()
        ex.close()

    together([*([trader] * 4), closer])
    assert len(closed) == 4
    assert all(type(error).__name__ == "VenueError" for error in closed)


def test_engine_words_from_many_threads_keep_yes_and_no_within_the_limit() -> None:
    ex = connect(risk=RiskConfig(max_position_per_market=50))
    engine = ex.engine
    ex.tick("rain:no", 0.5, 0.0)

    def trader(side: Side) -> Callable[[], None]:
        def run() -> None:
            for _ in range(100):
                try:
                    engine.submit_order(OrderRequest("rain", side, OrderSide.Buy, 1.0))
                except RiskRejected:
                    pass
                with engine.venue.lock:
                    held = {p.side: p.size for p in engine.positions()}
                assert abs(held.get(Side.Yes, 0.0) - held.get(Side.No, 0.0)) <= 50.0

        return run

    together([trader(Side.Yes), trader(Side.Yes), trader(Side.No), trader(Side.Yes)])
    books_are_intact(ex, ("rain", "rain:no"))
