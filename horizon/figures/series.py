"""What the figures are given, as NumPy columns; and long series made short enough to draw."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NoReturn

import numpy as np
from numpy.typing import NDArray

from horizon import checks, columns
from horizon.errors import DataError
from horizon.types import Fill, VenueFill

__all__ = ["MOST_POINTS", "FillColumns", "fill_columns", "price_columns", "thinned", "times_of"]

#: More points than this are thinned: a browser draws them at once, and no screen shows more.
MOST_POINTS: Final = 2_000

Times = NDArray[np.datetime64]
Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class FillColumns:
    """Fills in order of time, one array per column."""

    times: Times
    quantities: Numbers
    prices: Numbers
    is_buy: NDArray[np.bool_]
    order_ids: NDArray[np.object_]

    def __len__(self) -> int:
        return len(self.times)

    def where(self, chosen: NDArray[Any]) -> FillColumns:
        """Return the chosen rows, by index or by mask."""
        return FillColumns(
            self.times[chosen],
            self.quantities[chosen],
            self.prices[chosen],
            self.is_buy[chosen],
            self.order_ids[chosen],
        )


def times_of(values: Any, feed: str = "times") -> Times:
    """Take a column of times, as epoch seconds, datetimes or ISO text; without a zone it is UTC.

    Raises
    ------
    DataError
        At the first row of `feed` that is no time.
    """
    if "," in str(getattr(values, "dtype", "")):  # pandas with a zone: all at once
        values = np.asarray(values, dtype="datetime64[ns]")
    ns = columns.nanoseconds(values, None)
    missing = ns == columns.NEVER
    if missing.any():
        _refuse(feed, "timestamp", values, missing, "a time (seconds or a datetime)")
    return ns.view("datetime64[ns]")


def fill_columns(fills: Any) -> FillColumns:
    """Take fills: a frame as `fills_frame` gives it, or a list of `VenueFill` or `Fill`.

    They may come in any order, and are put into that of time: a picture along an axis of time has
    no other. Accounts list the fills of several markets laced by the clock of each, and many
    people list the newest first. Fills of one moment stay as they are given.

    Raises
    ------
    DataError
        At the first row that no fill can have.
    TypeError, ValueError
        If `fills` are neither, or a column is missing.
    """
    names = ("timestamp", "quantity", "price", "side", "order_id")
    if hasattr(fills, "columns"):
        if {"size", "order_side"} <= set(fills.columns):  # in engine words
            fills = fills.assign(quantity=fills["size"], side=fills["order_side"])
        missing = set(names) - set(fills.columns)
        if missing:
            raise ValueError(
                f"fills must have the columns of fills_frame(), is missing {sorted(missing)}"
            )
        given = {name: fills[name] for name in names}
    else:
        given = dict(zip(names, _fill_rows(fills), strict=True))
    taken = FillColumns(
        times_of(given["timestamp"], "fills"),
        _numbers("fills", "quantity", given["quantity"], "above 0 and at most 1e15", _is_size),
        _numbers("fills", "price", given["price"], "a number from 0 to 1e15", _is_price),
        _is_buy(given["side"]),
        np.asarray(given["order_id"], dtype=object),
    )
    return taken.where(np.argsort(taken.times, kind="stable"))


def _fill_rows(fills: Any) -> list[Sequence[Any]]:
    """Columns of a list of fills: time, quantity, price, side, order."""
    accepted = "a list of VenueFill or Fill, or a frame as fills_frame() gives it"
    if isinstance(fills, (str, bytes, Mapping)) or not isinstance(fills, Iterable):
        raise TypeError(f"fills must be {accepted}; was {checks.show(fills)}")
    rows = []
    for number, fill in enumerate(fills):
        if isinstance(fill, Fill):
            side: Any = fill.order_side
            rows.append((fill.timestamp, fill.size, fill.price, side, fill.order_id))
        elif isinstance(fill, VenueFill):
            rows.append((fill.timestamp, fill.quantity, fill.price, fill.side, fill.order_id))
        else:
            raise TypeError(f"fills must be {accepted}; row {number} was {checks.show(fill)}")
    return list(zip(*rows, strict=True)) or [()] * 5


def _is_buy(sides: Any) -> NDArray[np.bool_]:
    values = list(sides)
    words = [getattr(side, "value", side) for side in values]
    wrong = np.array([word not in ("buy", "sell") for word in words], dtype=bool)
    if wrong.any():
        _refuse("fills", "side", values, wrong, "'buy' or 'sell'")
    return np.array([word == "buy" for word in words], dtype=bool)


def _is_size(values: Numbers) -> NDArray[np.bool_]:
    return (values > 0.0) & (values <= checks.LARGEST)


def _is_price(values: Numbers) -> NDArray[np.bool_]:
    return (values >= 0.0) & (values <= checks.LARGEST)


def _is_finite_or_none(values: Numbers) -> NDArray[np.bool_]:
    return ~np.isinf(values)


def _numbers(
    feed: str,
    name: str,
    values: Any,
    accepted: str,
    is_good: Callable[[Numbers], NDArray[np.bool_]],
) -> Numbers:
    floats, bad = columns.numbers(values)
    bad = bad | ~is_good(floats)
    if bad.any():
        _refuse(feed, name, values, bad, accepted)
    return floats


def _refuse(feed: str, name: str, values: Any, wrong: NDArray[np.bool_], accepted: str) -> NoReturn:
    """Refuse the first row that is wrong."""
    row = int(wrong.argmax())
    value = values.iloc[row] if hasattr(values, "iloc") else values[row]
    raise DataError(
        f"{feed} row {row}: {name} must be {accepted}, was {checks.show(value)}",
        feed=feed,
        row=row,
        value=value,
    )


def price_columns(prices: Any) -> tuple[Times, Numbers]:
    """Take a price path.

    Parameters
    ----------
    prices : Series, DataFrame, or pair of sequences
        A Series indexed by time; a frame with a column ``price`` or ``close`` and a column
        ``timestamp`` (or its index) for the time; or times and prices. In order of time; NaN
        where there is no price, which leaves a gap.

    Raises
    ------
    DataError
        At the first row that is no time or no price, or is before the row above it.
    TypeError, ValueError
        If `prices` are none of the above.
    """
    if hasattr(prices, "columns"):
        name = next((n for n in ("price", "close") if n in prices.columns), None)
        if name is None:
            raise ValueError(
                f"prices must have a column 'price' or 'close', has {list(prices.columns)}"
            )
        if "timestamp" not in prices.columns and not hasattr(prices, "index"):
            raise ValueError(f"prices must have a column 'timestamp', has {list(prices.columns)}")
        times = prices["timestamp"] if "timestamp" in prices.columns else prices.index
        values = prices[name]
    elif hasattr(prices, "index") and not isinstance(prices, (list, tuple, str)):
        times, values = prices.index, prices
    else:
        accepted = "prices must be a Series, a frame, or a pair of times and prices"
        if isinstance(prices, str) or not hasattr(prices, "__len__"):
            raise TypeError(f"{accepted}; was {checks.show(prices)}")
        if len(prices) != 2:
            raise ValueError(f"{accepted}; had {len(prices)} parts")
        times, values = prices
        for part in (times, values):
            if isinstance(part, str) or not hasattr(part, "__len__"):
                raise TypeError(f"{accepted}; a part was {checks.show(part)}")
    if len(times) != len(values):
        raise ValueError(f"prices must have one time each, had {len(times)} and {len(values)}")
    stamps = times_of(times, "prices")
    falls = np.zeros(len(stamps), dtype=bool)
    falls[1:] = stamps[1:] < stamps[:-1]
    if falls.any():
        _refuse("prices", "timestamp", times, falls, "in order of time")
    accepted = "a finite number, or NaN where there is none"
    return stamps, _numbers("prices", "price", values, accepted, _is_finite_or_none)


def thinned(values: Numbers, most: int = MOST_POINTS) -> NDArray[np.intp]:
    """Choose the points of a long series that keep its look.

    The series is cut into equal runs of points, and of each the lowest and the highest are
    kept, in order of time, beside the very first and the very last. Of a run without a single
    number its first point is kept, so that a gap stays one.

    Returns
    -------
    ndarray of int
        Indices in rising order, at most `most`; all of them if the series is short enough.
    """
    n = len(values)
    if n <= most:
        return np.arange(n)
    numbers = np.ascontiguousarray(values, dtype=np.float64)
    runs = (most - 2) // 2
    kept = np.zeros(n, dtype=bool)
    kept[[0, -1]] = True
    if runs:
        # Two blocks of runs of one length each: the first have a point more than the others.
        size, longer = divmod(n, runs)
        middle = longer * (size + 1)
        for start, stop, length in ((0, middle, size + 1), (middle, n, size)):
            block = numbers[start:stop].reshape(-1, length)
            begins = np.arange(start, stop, length)
            kept[begins + _lowest(block)] = True
            kept[begins + _highest(block)] = True
    return np.flatnonzero(kept)


def _lowest(block: NDArray[np.float64]) -> NDArray[np.intp]:
    return _first_of(block, block.argmin(axis=1), np.inf)


def _highest(block: NDArray[np.float64]) -> NDArray[np.intp]:
    return _first_of(block, block.argmax(axis=1), -np.inf)


def _first_of(
    block: NDArray[np.float64], found: NDArray[np.intp], least: float
) -> NDArray[np.intp]:
    """Correct where NaN was found, which counts as an extreme; 0 in a row without a number."""
    rows = np.flatnonzero(np.isnan(block[np.arange(len(block)), found]))
    if len(rows):
        is_number = ~np.isnan(block[rows])
        filled = np.where(is_number, block[rows], least)
        at = filled.argmin(axis=1) if least > 0.0 else filled.argmax(axis=1)
        # Nothing beyond `least`: the first number, if there is one at all.
        is_least = filled[np.arange(len(rows)), at] == least
        found[rows] = np.where(is_least, is_number.argmax(axis=1), at)
    return found
