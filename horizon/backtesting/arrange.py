"""Which markets a run has, what they are, which feed prices each, and when each one ends."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from horizon import checks
from horizon.backtesting.playing import MarketData
from horizon.books import Books
from horizon.columns import NEVER, nanoseconds
from horizon.errors import DataError
from horizon.instruments import NO_SUFFIX, Market, canonical_id, class_of_id
from horizon.types import AssetClass

__all__ = [
    "Endings",
    "check_prices",
    "endings_of",
    "feeds_of_markets",
    "market_ids",
    "markets_of",
    "priced_by_books",
    "require_market",
    "time_of",
]

#: Columns that are prices.
_PRICES: Final = ("price", "bid", "ask", "open", "high", "low")
_DEFAULT: Final = "market"


def market_ids(
    markets: Iterable[str | Market] | None,
    feeds: Mapping[str, str] | None,
    feed_names: Sequence[str] | None,
    books: Mapping[str, Books],
) -> list[str | Market]:
    """Read ``markets=``: ids and contracts; from what else was given where it is None.

    Parameters
    ----------
    feed_names : sequence of str or None
        The feeds of the data, where these name its markets.
    """
    if markets is None:
        named = feeds if feeds is not None else (books or feed_names or [_DEFAULT])
        return list(named)
    if isinstance(markets, (str, Market)) or not isinstance(markets, Iterable):
        raise TypeError(
            f"markets must be a list of ids or Markets, was {checks.show(markets)}; put it into "
            "a list"
        )
    given: list[str | Market] = []
    for market in markets:
        if not isinstance(market, Market):
            market = canonical_id(checks.market_id("a market in markets", market))
            if market.endswith(NO_SUFFIX):
                raise ValueError(
                    f"markets must hold markets, not sides: was {market!r}; "
                    f"{market[: -len(NO_SUFFIX)]!r} has both"
                )
        given.append(market)
    if not given:
        raise ValueError("markets must hold at least one market, had none")
    names = [_id(market) for market in given]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"markets must differ, has {name!r} more than once")
    return given


def priced_by_books(
    markets: Sequence[str | Market],
    feeds: Mapping[str, str] | None,
    data: MarketData,
    books: Mapping[str, Books],
) -> list[str]:
    """Find the markets that no feed is for, and that have books: these price them.

    A table that names no feed prices every market; of feeds with names, one of another name may
    be anything.
    """
    if not data.is_named:
        return []
    mapped = feeds if isinstance(feeds, Mapping) else {}
    names = [_id(market) for market in markets]
    return [
        name
        for name in names
        if name in books and name not in data.feeds and mapped.get(name, name) == name
    ]


def feeds_of_markets(
    markets: Sequence[str | Market], feeds: Mapping[str, str] | None, feed_names: Sequence[str]
) -> dict[str, str]:
    """Find the feed that prices each market.

    Raises
    ------
    ValueError
        If ``feeds=`` names a market or a feed that is not there, or a market has none.
    """
    names = [_id(market) for market in markets]
    mapped: dict[str, str] = {}
    if feeds is not None:
        if not isinstance(feeds, Mapping):
            raise TypeError(f"feeds must map markets to feed names, was {checks.show(feeds)}")
        for market, feed in feeds.items():
            require_market("feeds", market, names)
            if feed not in feed_names:
                raise ValueError(
                    f"feeds[{market!r}] must name a feed of the data, which has "
                    f"{_listed(feed_names)}; was {checks.show(feed)}"
                    f"{checks.suggestion(str(feed), feed_names)}"
                )
            mapped[market] = feed
    for name in names:
        if name in mapped:
            continue
        if name in feed_names:
            mapped[name] = name
        elif len(feed_names) == 1:
            mapped[name] = feed_names[0]
        else:
            raise ValueError(
                f"market {name!r} has no feed: the data has {_listed(feed_names)}; map it by "
                f"feeds={{{name!r}: ...}}{checks.suggestion(name, feed_names)}"
            )
    return {name: mapped[name] for name in names}


def markets_of(
    markets: Sequence[str | Market],
    feed_of: Mapping[str, str],
    data: MarketData,
    *,
    is_whole: bool = True,
) -> list[Market]:
    """Say what each market is: by itself, by its id, or by the first price of its feed.

    Raises
    ------
    ValueError
        If there is no price to tell by, and more data may bring some (`is_whole` is False).
    """
    first = _first_prices(data)
    found = []
    for market in markets:
        if isinstance(market, Market):
            found.append(market)
            continue
        kind = class_of_id(market)
        if kind is AssetClass.Equity:
            price = first.get(feed_of[market])
            if price is None and not is_whole:
                raise ValueError(
                    f"market {market!r} has no price in the first chunk to tell by what it is: "
                    f"say it, markets=[hz.Market({market!r}, hz.Equity)] or hz.Prediction"
                )
            if price is None or price <= 1.0:  # without any price it never trades
                kind = AssetClass.Prediction
        found.append(Market(market, kind))
    return found


def check_prices(
    markets: Sequence[Market],
    given: Sequence[str | Market],
    feed_of: Mapping[str, str],
    data: MarketData,
) -> None:
    """Refuse prices that a market cannot have, before any row is played.

    Raises
    ------
    DataError
        It names feed, row, value and, where the class was read from the first price, the way
        out.
    """
    numbers = {name: data.numbers[name] for name in _PRICES if name in data.numbers}
    codes = 0 if data.codes is None else data.codes
    highest = np.full(len(data.feeds), -np.inf)
    lowest = np.full(len(data.feeds), np.inf)
    if data.codes is None:
        highest[0] = max(float(np.fmax.reduce(v, initial=-np.inf)) for v in numbers.values())
        lowest[0] = float(np.fmin.reduce(numbers["price"], initial=np.inf))
    else:
        for values in numbers.values():
            np.fmax.at(highest, codes, values)
        np.fmin.at(lowest, codes, numbers["price"])
    number = {feed: code for code, feed in enumerate(data.feeds)}
    for market, one in zip(markets, given, strict=True):
        low, high = market.price_bounds
        feed = feed_of[market.id]
        code = number[feed]
        if highest[code] <= high and low <= lowest[code]:
            continue
        mine = slice(None) if data.codes is None else data.codes == code
        for name, values in numbers.items():
            with np.errstate(invalid="ignore"):
                # A quote or a low of 0 may stand in data; a price to mark at may not.
                wrong = (values > high) | ((values < low) if name == "price" else False)
            wrong = np.asarray(wrong)
            if data.codes is not None:
                wrong = wrong & np.asarray(mine)
            if wrong.any():
                row = int(np.argmax(wrong))
                if data.codes is not None:
                    row = int(np.count_nonzero(data.codes[: row + 1] == code)) - 1
                    value = float(values[mine][row])
                else:
                    value = float(values[row])
                raise _outside(market, one, feed, row, name, value)


def _outside(
    market: Market, given: str | Market, feed: str, row: int, name: str, value: float
) -> DataError:
    if market.asset_class is AssetClass.Prediction:
        text = f"{name} must lie between 0 and 1 for Prediction {market.id!r}, was {value:g}"
        if not isinstance(given, Market):
            text += (
                f". Its first price lies between 0 and 1, so it was taken for one; say what it is: "
                f"markets=[hz.Market({market.id!r}, hz.Equity)]"
            )
    else:
        text = f"{name} must be above 0 for {market.asset_class} {market.id!r}, was {value:g}"
    return DataError(f"feed {feed!r}, row {row}: {text}", feed=feed, row=row, value=value)


def _first_prices(data: MarketData) -> dict[str, float]:
    """The first price of each feed that has one."""
    price = data.numbers["price"]
    for name in ("bid", "ask"):  # a row with one quote has no price, and tells as much
        if name in data.numbers:
            price = np.where(np.isnan(price), data.numbers[name], price)
    priced = np.flatnonzero(~np.isnan(price))
    if not len(priced):
        return {}
    if data.codes is None:
        return {data.feeds[0]: float(price[priced[0]])}
    codes, places = np.unique(data.codes[priced], return_index=True)
    return {
        data.feeds[code]: float(price[priced[place]])
        for code, place in zip(codes.tolist(), places.tolist(), strict=True)
    }


@dataclass(frozen=True, slots=True)
class Endings:
    """When which markets settle, and at what.

    Attributes
    ----------
    timed : list of (time in ns, market id, price)
        Those of a stated time.
    at_end : list of (market id, price)
        Those that settle with the last row.
    """

    timed: list[tuple[int, str, float]]
    at_end: list[tuple[str, float]]


def endings_of(
    outcomes: Mapping[str, float] | None,
    resolutions: Mapping[str, Any] | None,
    markets: Sequence[Market],
    given: Sequence[str | Market] = (),
) -> Endings:
    """Read ``outcomes=`` and ``resolutions=``; `given` are the markets as they were named.

    Raises
    ------
    TypeError, ValueError
        For a market that is not in the run, an outcome that its market cannot have, or a
        resolution without an outcome.
    """
    by_id = {market.id: market for market in markets}
    prices: dict[str, float] = {}
    if outcomes is not None:
        if not isinstance(outcomes, Mapping):
            raise TypeError(f"outcomes must map markets to prices, was {checks.show(outcomes)}")
        for name, value in outcomes.items():
            require_market("outcomes", name, by_id)
            price = checks.non_negative(f"outcomes[{name!r}]", value)
            if by_id[name].asset_class is AssetClass.Prediction and price > 1.0:
                raise ValueError(f"outcomes[{name!r}] must lie between 0 and 1, was {price!r}")
            if by_id[name].asset_class is AssetClass.Equity and name in given and price <= 1.0:
                raise ValueError(
                    f"outcomes[{name!r}] is {price:g}, and {name!r} was taken for an Equity, since "
                    "its first price is above 1. Prices in percent or cents? Divide them by 100; "
                    f"or say what it is: markets=[hz.Market({name!r}, hz.Equity)]"
                )
            prices[name] = price
    times: dict[str, int] = {}
    if resolutions is not None:
        if not isinstance(resolutions, Mapping):
            raise TypeError(
                f"resolutions must map markets to times, was {checks.show(resolutions)}"
            )
        for name, value in resolutions.items():
            require_market("resolutions", name, by_id)
            if name not in prices:
                raise ValueError(
                    f"resolutions[{name!r}] needs outcomes[{name!r}]: what it resolves to"
                )
            times[name] = time_of(f"resolutions[{name!r}]", value)
    return Endings(
        timed=[(times[name], name, price) for name, price in prices.items() if name in times],
        at_end=[(name, price) for name, price in prices.items() if name not in times],
    )


def time_of(argument: str, value: Any) -> int:
    """Read a time: seconds, a datetime, or ISO text (UTC where it names no zone)."""
    if not isinstance(value, str):
        return checks.timestamp_ns(argument, value)
    read = int(nanoseconds([value], None)[0])
    if read == NEVER:
        raise ValueError(
            f"{argument} must be seconds, a datetime or ISO text, was {checks.show(value)}"
        )
    return read


def require_market(argument: str, name: object, known: Iterable[str]) -> None:
    """Refuse a name that is no market of the run."""
    known = list(known)
    if name not in known:
        hint = checks.suggestion(name, known) if isinstance(name, str) else ""
        raise ValueError(
            f"{argument} names market {checks.show(name)}, which is not in the run; it has "
            f"{_listed(known)}{hint}"
        )


def _id(market: str | Market) -> str:
    return market.id if isinstance(market, Market) else market


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(map(repr, names[:8]))
    return f"{shown} and {len(names) - 8:,} more" if len(names) > 8 else shown or "none"
