"""What a user should know of how a run went, in sentences: slips that leave no error."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from horizon import words
from horizon.backtesting.result_words import counted, listed
from horizon.feeds.times import stamp_text

if TYPE_CHECKING:
    from horizon.backtesting.loop import Loop
    from horizon.backtesting.playing import MarketData
    from horizon.venues.history import FillColumns, PackedOrders

__all__ = ["remarks_of"]


def remarks_of(
    loop: Loop,
    data: MarketData | None,
    fills: FillColumns,
    orders: PackedOrders,
) -> tuple[str, ...]:
    """Look at a run that has ended, before its engine does.

    Parameters
    ----------
    data : MarketData or None
        The rows played, or the first of them; None where they were not kept.
    """
    matching = loop.venue.matching
    found = [
        *([] if data is None else _of_rows(data, by_quotes=matching == "quotes")),
        *_of_pipeline(loop, len(orders)),
        *_of_strategies(loop),
        *_of_refusals(loop),
        *_of_liquidations(fills, orders),
    ]
    if matching == "price":
        found += _of_free_spreads(loop, orders)
    if matching != "book":
        found += _of_marketable_limits(orders)
    partly = orders.is_market & (orders.filled > 0.0) & (orders.filled < orders.quantities)
    if partly.any():
        found.append(
            f"{counted(int(partly.sum()), 'market order')} filled in part: the book had no more."
        )
    if data is not None:
        found += _of_late_opens(loop, data, orders)
    for algo in loop.engine.algos:
        done = algo.progress
        found.append(
            f"An algorithm had not ended: {type(algo).__name__} in {words.name(algo.market_id)}, "
            f"{done.filled:g} of {done.target:g}."
        )
    return tuple(found)


def _of_rows(data: MarketData, *, by_quotes: bool) -> list[str]:
    numbers = data.numbers
    n = len(data)
    has_quote = np.zeros(n, dtype=bool)
    for name in ("bid", "ask"):
        if name in numbers:
            has_quote |= ~np.isnan(numbers[name])
    found = []
    empty = int(np.count_nonzero(np.isnan(numbers["price"]) & ~has_quote))
    if empty:
        found.append(f"{counted(empty, 'row')} without a price: the stages saw the last one.")
    if by_quotes and not has_quote.all():
        found.append(
            f"matching='quotes', but {int(n - has_quote.sum()):,} of {counted(n, 'row')} have no "
            "bid and ask: there orders met the price."
        )
    return found


def _of_pipeline(loop: Loop, sent: int) -> list[str]:
    found: list[str] = []
    if loop.pipeline is None:
        return found
    overruled = loop.pipeline.overruled
    if overruled is not None:
        first, last = overruled
        found.append(
            f"Several stages return a number: the fair value of an order is the last one, that of "
            f"{words.name(last)!r}, not that of {words.name(first)!r}."
        )
    if sent == 0 and not loop.account.refusals and not loop.dealer.errors:
        stage = words.name(loop.pipeline.stages[-1].name)
        if loop.dealer.last_output is None:
            found.append(f"The last stage, {stage!r}, returned None; does it lack a return?")
        elif isinstance(loop.dealer.last_output, float):
            found.append(f"The last stage, {stage!r}, returned a number, not quotes or orders.")
    return found


def _of_strategies(loop: Loop) -> list[str]:
    desk = loop.desk
    if desk is None:
        return []
    found = [
        f"Strategy {words.name(name)!r} had no market: the run has none that is eligible for it."
        for name in desk.idle_strategies
    ]
    done = desk.log.counts()
    if not done:
        if not found:
            found.append(
                f"The strategies gave no signal; their features need {desk.window:,} rows."
            )
        return found
    if "ordered" in done:
        refused_for_money = done.get("refused: buying power", 0)
        if refused_for_money:
            found.append(
                f"{counted(refused_for_money, 'order')} of the strategies refused for want of "
                "buying power."
            )
        return found
    refused = {word: count for word, count in done.items() if word.startswith("refused: ")}
    if refused:
        listed_words = ", ".join(
            f"{word.removeprefix('refused: ')} ({count:,})" for word, count in refused.items()
        )
        return [*found, f"Every order of the strategies was refused, by {listed_words}."]
    word, count = next(iter(done.items()))
    found.append(
        f"No decision came to an order; most often: {word} ({count:,} of "
        f"{counted(sum(done.values()), 'decision')})."
    )
    return found


def _of_free_spreads(loop: Loop, orders: PackedOrders) -> list[str]:
    """Market orders that have paid no spread, though there is one."""
    count = int(np.count_nonzero(orders.is_market & (orders.filled > 0.0)))
    if not count or loop.venue.slippage > 0.0:
        return []
    wide = [traded for traded in loop.markets if traded.state.bid < traded.state.ask]
    if not wide:
        return []
    return [
        f"{counted(count, 'market order')} filled at the price, between bid and ask: "
        "matching='quotes' has them pay the spread."
    ]


def _of_refusals(loop: Loop) -> list[str]:
    return [
        f"The first refused by {rule}: {words.name(text)}."
        for rule, text in loop.engine.first_refusals.items()
    ]


def _of_liquidations(fills: FillColumns, orders: PackedOrders) -> list[str]:
    if "liquidation" not in orders.intent_names:
        return []
    forced = orders.intents == orders.intent_names.index("liquidation")
    mine = forced[fills.order_numbers - 1]
    if not mine.any():
        return []
    names = list(dict.fromkeys(fills.leg_ids[leg] for leg in fills.legs[mine].tolist()))
    when = stamp_text(int(fills.times_ns[mine][0]))
    return [
        f"{counted(int(mine.sum()), 'position')} liquidated ({listed(names)}), the first at {when}."
    ]


def _of_late_opens(loop: Loop, data: MarketData, orders: PackedOrders) -> list[str]:
    if loop.venue.latency is None or not any(data.is_bars):
        return []
    if not (orders.is_market & (orders.filled > 0.0)).any():
        return []
    return [
        "With latency on bars a market order fills at the open of the bar in which it arrives, a "
        "price from before its arrival: the latency has cost it nothing within that bar."
    ]


def _of_marketable_limits(orders: PackedOrders) -> list[str]:
    count = int(np.count_nonzero(orders.is_taker & ~orders.is_market & (orders.filled > 0.0)))
    if not count:
        return []
    return [
        f"{counted(count, 'limit order')} marketable when sent: filled at the limit, not at the "
        "market's better price, which a market order gets."
    ]
