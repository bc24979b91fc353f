"""Order books through time: snapshots as arrays, and their depth on a grid of price and time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final, NoReturn

import numpy as np
from numpy.typing import NDArray

from horizon import checks, columns
from horizon.errors import DataError

__all__ = ["Books", "DepthGrid", "depth_grid", "read_books"]

Floats = NDArray[np.float64]
Times = NDArray[np.int64]

#: Endings of a column of times in a wide frame, and the nanoseconds of its unit.
_UNITS: Final = {"_ts_ns": 1, "_ts_us": 1_000, "_ts_ms": 1_000_000, "_ts_s": 1_000_000_000}
#: Prices with more decimals than this are on no grid of ticks.
_DECIMALS: Final = 10
#: Nanoseconds between two times that can be told.
_LONGEST: Final = 2**63 - 1
_SIDES: Final = (("bid", "bids"), ("ask", "asks"))


@dataclass(frozen=True, slots=True)
class Books:
    """Snapshots of one market's book, in order of time.

    Attributes
    ----------
    times_ns : ndarray of int64, shape (n,)
        Nanoseconds since 1970, UTC.
    bid_prices, bid_sizes, ask_prices, ask_sizes : ndarray of float, shape (n, levels)
        The best level first; NaN where a book has no such level.
    """

    times_ns: Times
    bid_prices: Floats
    bid_sizes: Floats
    ask_prices: Floats
    ask_sizes: Floats

    def __len__(self) -> int:
        return len(self.times_ns)

    def part(self, chosen: slice) -> Books:
        """Return some of them."""
        return Books(
            self.times_ns[chosen],
            self.bid_prices[chosen],
            self.bid_sizes[chosen],
            self.ask_prices[chosen],
            self.ask_sizes[chosen],
        )

    @property
    def best_bid(self) -> Floats:
        """Highest bid of each book; NaN without one."""
        return _best(self.bid_prices)

    @property
    def best_ask(self) -> Floats:
        """Lowest ask of each book; NaN without one."""
        return _best(self.ask_prices)

    @property
    def mid(self) -> Floats:
        """Half-way between best bid and best ask; NaN where a side is empty."""
        middle: Floats = (self.best_bid + self.best_ask) / 2.0
        return middle


@dataclass(frozen=True, slots=True)
class DepthGrid:
    """Depth by price and time.

    Attributes
    ----------
    time_edges_ns : ndarray of int64, shape (n_times + 1,)
        The columns lie between them.
    price_edges : ndarray of float, shape (n_prices + 1,)
        The rows lie between them, in rising order.
    bid_sizes, ask_sizes : ndarray of float, shape (n_prices, n_times)
        Time-weighted mean size that rested in each cell; 0.0 where none did.
    tick : float
        The step that all prices are multiples of, and rows made of; 0.0 if there is none.
    books : Books
        What it was made of: those of the window.
    """

    time_edges_ns: Times
    price_edges: Floats
    bid_sizes: Floats
    ask_sizes: Floats
    tick: float
    books: Books

    @property
    def prices(self) -> Floats:
        """The middle of each row."""
        middle: Floats = (self.price_edges[:-1] + self.price_edges[1:]) / 2.0
        return middle

    @property
    def times_ns(self) -> Times:
        """The middle of each column."""
        middle: Times = self.time_edges_ns[:-1] + np.diff(self.time_edges_ns) // 2
        return middle


# --------------------------------------------------------------------------------- the grid
def depth_grid(
    books: Any,
    *,
    n_times: int = 240,
    n_prices: int = 150,
    between: tuple[float, float] | None = None,
    start_ns: int | None = None,
    end_ns: int | None = None,
    time: str | None = None,
) -> DepthGrid:
    """Lay the depth of a book through time on a grid.

    A book holds until the next one comes. The size of a cell is the integral over the time of
    its column of all size at prices of its row, divided by the length of that time: what was
    there on average. The last book closes the last column and has no time of its own; of books
    that share one time the last holds. Where all books have one time there is one column, with
    the last book as it stands.

    Rows are one tick high where there are at most `n_prices` of them, else a whole number of
    ticks; the tick is the largest step that all prices are multiples of. Prices of more than
    ten decimals have none, and rows of equal height.

    Parameters
    ----------
    books : sequence of mappings, frame, or Books
        See `read_books`.
    n_times, n_prices : int
        Columns and rows, at most. Columns are equally long, to the nanosecond.
    between : pair of float, optional
        Lowest and highest price to take in; levels outside are left out. All by default.
    start_ns, end_ns : int, optional
        Where the first column begins and the last one ends, if that is later than the first
        book, or earlier than the last one. The book before `start_ns` holds from there on.
    time : str, optional
        The column of times of a frame; see `read_books`.

    Returns
    -------
    DepthGrid
        Without rows and columns where there is no book, without rows where there is no price.

    Raises
    ------
    DataError
        Where a book cannot be true; see `read_books`.
    ValueError
        If `n_times`, `n_prices` or `between` is out of range.
    """
    columns_wanted = checks.integer("n_times", n_times)
    rows_wanted = checks.integer("n_prices", n_prices)
    low, high = _bounds(between)
    read, begin, end = _window(read_books(books, time=time), start_ns, end_ns)
    edges = _time_edges(begin, end, columns_wanted if len(read) else 0)
    book, column, share = _overlaps(read.times_ns, edges)
    sides = (
        (read.bid_prices, read.bid_sizes),
        (read.ask_prices, read.ask_sizes),
    )
    chosen = [(sizes > 0.0) & (prices >= low) & (prices <= high) for prices, sizes in sides]
    every = np.concatenate(
        [prices[taken] for (prices, _), taken in zip(sides, chosen, strict=True)]
    )
    rows = _Rows.of(every, rows_wanted)
    grids: list[Floats] = []
    for (prices, sizes), taken in zip(sides, chosen, strict=True):
        row = np.zeros(prices.shape, dtype=np.int64)
        row[taken] = rows.of_prices(prices[taken])
        weights = np.where(taken, sizes, 0.0)[book] * share[:, None]
        cells = row[book] * (len(edges) - 1) + column[:, None]
        size = rows.count * (len(edges) - 1)
        total: Any = np.bincount(cells.ravel(), weights.ravel(), minlength=size)[:size]
        grids.append(total.reshape(rows.count, len(edges) - 1))
    return DepthGrid(edges, rows.edges, grids[0], grids[1], rows.tick, read)


def _bounds(between: Any) -> tuple[float, float]:
    if between is None:
        return -np.inf, np.inf
    if not isinstance(between, (tuple, list)) or len(between) != 2:
        raise ValueError(f"between must be two prices, was {checks.show(between)}")
    low, high = (checks.number("between", price) for price in between)
    if high <= low:
        raise ValueError(f"between must be a lower and a higher price, was {low} and {high}")
    return low, high


def _window(books: Books, start: int | None, end: int | None) -> tuple[Books, int, int]:
    """Return the books of a window, and where it begins and ends."""
    times = books.times_ns
    if not len(times):
        return books, 0, 0
    begin, stop = int(times[0]), int(times[-1])
    if start is not None:
        begin = min(max(begin, _nanoseconds("start_ns", start)), stop)
    if end is not None:
        stop = max(min(stop, _nanoseconds("end_ns", end)), begin)
    first = int(np.searchsorted(times, begin, side="right")) - 1
    if start is None:
        first = 0
    last = int(np.searchsorted(times, stop, side="right"))
    return books.part(slice(first, last)), begin, stop


def _nanoseconds(name: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{name} must be int nanoseconds since 1970, was {checks.show(value)}")
    return int(value)


def _time_edges(begin: int, end: int, wanted: int) -> Times:
    if not wanted:
        return np.zeros(1, dtype=np.int64)
    count = min(wanted, end - begin) or 1
    # Whole and rest apart: the product of the two would not fit.
    whole, rest = divmod(end - begin, count)
    steps = np.arange(count + 1, dtype=np.int64)
    edges: Times = begin + whole * steps + rest * steps // count
    return edges


def _overlaps(times: Times, edges: Times) -> tuple[NDArray[np.intp], NDArray[np.intp], Floats]:
    """Cut time where a book or a column begins; of each piece both, and its share of the column."""
    if len(edges) < 2:
        return np.empty(0, np.intp), np.empty(0, np.intp), np.empty(0)
    if edges[-1] == edges[0]:
        return np.array([len(times) - 1]), np.zeros(1, np.intp), np.ones(1)
    cuts = np.union1d(times[(times > edges[0]) & (times < edges[-1])], edges)
    begins = cuts[:-1]
    book = np.searchsorted(times, begins, side="right") - 1
    column = np.searchsorted(edges, begins, side="right") - 1
    return book, column, np.diff(cuts) / np.diff(edges)[column]


@dataclass(frozen=True, slots=True)
class _Rows:
    """The rows of a grid: by ticks, `each` of them a row from number `first` on; or by height."""

    edges: Floats
    tick: float
    scale: float
    step: int
    each: int
    first: int

    @property
    def count(self) -> int:
        return len(self.edges) - 1

    @classmethod
    def of(cls, prices: Floats, wanted: int) -> _Rows:
        if not len(prices):
            return cls(np.zeros(1), 0.0, 1.0, 0, 1, 0)
        found = _tick(prices)
        if found is None:
            low, high = float(prices.min()), float(prices.max())
            return cls(np.linspace(low, high, wanted + 1), 0.0, 1.0, 0, 1, 0)
        scale, step = found
        numbers = np.rint(prices * scale).astype(np.int64)
        least, most = int(numbers.min()) // step, int(numbers.max()) // step
        each = 1
        while most // each - least // each + 1 > wanted:
            # Rows begin at multiples of their height: the count may be one more than needed.
            each = max(each + 1, -(-(most - least + 1) // wanted))
        first = least // each
        count = most // each - first + 1
        # Half a tick lower than their first price, which is then well inside.
        numbers_at = (first + np.arange(count + 1, dtype=np.float64)) * each * step
        edges: Floats = (numbers_at - 0.5 * step) / scale
        return cls(edges, step / scale, scale, step, each, first)

    def of_prices(self, prices: Floats) -> NDArray[np.int64]:
        if self.step:
            numbers = np.rint(prices * self.scale).astype(np.int64)
            rows: NDArray[np.int64] = numbers // (self.step * self.each) - self.first
            return rows
        found = np.searchsorted(self.edges, prices, side="right") - 1
        return np.minimum(found, self.count - 1)  # the highest price closes the last row


def _tick(prices: Floats) -> tuple[float, int] | None:
    """The step that all prices are multiples of, as a whole number of decimals; None without."""
    some = np.unique(prices)
    # Prices may come of arithmetic, a few last binary digits beside their decimal number.
    near = 8.0 * float(np.spacing(np.abs(some).max()))
    for decimals in range(_DECIMALS + 1):
        scale = 10.0**decimals
        if 1_000.0 * near > 1.0 / scale:
            return None  # so fine that any number would be near one
        numbers = np.rint(some * scale)
        if (np.abs(numbers / scale - some) <= near).all():
            step = int(np.gcd.reduce(np.abs(numbers).astype(np.int64)))
            return scale, max(step, 1)
    return None


def _best(prices: Floats) -> Floats:
    """The first price of each row that is there: a level may be missing in the middle."""
    if not prices.size:
        return np.full(len(prices), np.nan)
    return np.asarray(prices[np.arange(len(prices)), (~np.isnan(prices)).argmax(axis=1)])


# ------------------------------------------------------------------------------- what is given
def read_books(books: Any, *, time: str | None = None) -> Books:
    """Read snapshots of one market's book.

    Parameters
    ----------
    books : sequence of mappings, or frame
        Mappings with ``"timestamp"`` (seconds since 1970, or a datetime; UTC where it has no
        zone), and ``"bids"`` and ``"asks"``, each a list of (price, size), the best first. Or a
        wide frame (pandas or polars) with ``bid_px_1``, ``bid_sz_1``, ``ask_px_1``,
        ``ask_sz_1`` and so on, a level that is not there left empty.
    time : str, optional
        The frame's column of times. By default ``timestamp``, or the first whose name ends in
        ``_ts_ns``, ``_ts_us``, ``_ts_ms`` or ``_ts_s``, in which it then is counted; in any
        other column numbers are seconds.

    Returns
    -------
    Books

    Raises
    ------
    DataError
        Names the row (from 0) and the value: a time that cannot be read or lies before the one
        of the row above; a price or size that is no finite number; a negative size; a price
        without its size; levels that are not in order (bids fall, asks rise); a bid above an
        ask. A bid equal to the ask, as in a locked market, is taken.
    ValueError
        If a frame lacks a column.
    """
    if isinstance(books, Books):
        return books
    if hasattr(books, "columns"):
        read = _from_frame(books, time)
    elif isinstance(books, Sequence) and not isinstance(books, (str, bytes)):
        if time is not None:
            raise ValueError(f"time names a column of a frame; books are a list, was {time!r}")
        read = _from_mappings(books)
    else:
        raise TypeError(f"books must be a list of books or a frame, were {checks.show(books)}")
    _require_true(read)
    return read


def _from_frame(frame: Any, time: str | None) -> Books:
    names = [str(name) for name in frame.columns]
    if time is None:
        time = next(
            (name for name in names if name == "timestamp"),
            next((name for name in names if name.endswith(tuple(_UNITS))), None),
        )
        if time is None:
            raise ValueError(
                "books must have a column 'timestamp', or one that ends in _ts_ns, _ts_us, _ts_ms "
                f"or _ts_s; have {names[:12]}"
            )
    elif time not in names:
        raise ValueError(f"books have no column {time!r}{checks.suggestion(time, names)}")
    unit = next((ns for ending, ns in _UNITS.items() if time.endswith(ending)), None)
    if unit is None:
        times = columns.nanoseconds(frame[time], None)
    else:
        times = _counted(frame[time], unit)
    parts = []
    for side, _ in _SIDES:
        levels = 0
        while f"{side}_px_{levels + 1}" in names:
            levels += 1
        if not levels:
            raise ValueError(f"books must have a column '{side}_px_1', have {names[:12]}")
        for kind in ("px", "sz"):
            rows = []
            for level in range(1, levels + 1):
                name = f"{side}_{kind}_{level}"
                if name not in names:
                    raise ValueError(f"books must have a column '{name}' beside {side}_px_{level}")
                floats, bad = columns.numbers(frame[name])
                if bad.any():
                    row = int(bad.argmax())
                    _refuse(row, f"{name} must be a number", list(frame[name])[row])
                rows.append(floats)
            parts.append(np.stack(rows, axis=1))
    return Books(times, *parts)


def _counted(values: Any, unit: int) -> Times:
    floats, bad = columns.numbers(values)
    array = np.asarray(values)
    known = np.isfinite(floats) & ~bad & (np.abs(floats) <= 9.2e18 / unit)
    if array.dtype.kind in "iu":  # exactly: today's nanoseconds do not fit into a float
        whole = np.where(known, array.astype(np.int64), 0) * unit
    else:
        kept = np.where(known, floats, 0.0)
        whole = kept.astype(np.int64) * unit + np.rint((kept % 1.0) * unit).astype(np.int64)
    return np.where(known, whole, columns.NEVER)


def _from_mappings(books: Sequence[Any]) -> Books:
    times = []
    for row, book in enumerate(books):
        if not isinstance(book, Mapping):
            _refuse(row, "a book must be a mapping with timestamp, bids and asks", book)
        missing = {"timestamp", "bids", "asks"} - set(book)
        if missing:
            _refuse(row, f"a book must have {', '.join(sorted(missing))}", dict(book))
        times.append(book["timestamp"])
    parts: list[Floats] = []
    for _, side in _SIDES:
        parts.extend(_levels([book[side] for book in books], side))
    return Books(columns.nanoseconds(times, None), *parts)


def _levels(sides: list[Any], name: str) -> tuple[Floats, Floats]:
    """Prices and sizes of one side, each row filled up with NaN."""
    try:
        counts = np.array([len(side) for side in sides], dtype=np.int64)
        flat = list(chain.from_iterable(chain.from_iterable(sides)))
        is_paired = len(flat) == 2 * counts.sum()
    except TypeError:
        is_paired = False
    floats, bad = columns.numbers(flat) if is_paired else (np.empty(0), np.ones(1, dtype=bool))
    # A level that is there has both numbers; missing ones are for frames.
    if not is_paired or bad.any() or np.isnan(floats).any():
        _find_bad_level(sides, name)
    filled = np.arange(counts.max(initial=0))[None, :] < counts[:, None]
    prices, sizes = np.full(filled.shape, np.nan), np.full(filled.shape, np.nan)
    prices[filled], sizes[filled] = floats[0::2], floats[1::2]
    return prices, sizes


def _find_bad_level(sides: list[Any], name: str) -> NoReturn:
    for row, side in enumerate(sides):
        try:
            levels = [tuple(level) for level in side]
        except TypeError:
            _refuse(row, f"{name} must be a list of (price, size)", side)
        for level in levels:
            if len(level) != 2:
                _refuse(row, f"a level of {name} must be a price and a size", level)
            floats, bad = columns.numbers(list(level))
            if bad.any() or np.isnan(floats).any():
                _refuse(row, f"price and size of {name} must be numbers", level)
    raise AssertionError("some level was bad")


def _require_true(books: Books) -> None:
    times = books.times_ns
    unread = times == columns.NEVER
    if unread.any():
        _refuse(int(unread.argmax()), "the time must be one that can be read", None)
    falls = np.flatnonzero(times[1:] < times[:-1])
    if len(falls):
        row = int(falls[0]) + 1
        _refuse(
            row,
            f"the time must not be before that of row {row - 1}",
            str(times[row].astype("datetime64[ns]")),
        )
    if len(times) and int(times[-1]) - int(times[0]) > _LONGEST:
        _refuse(len(times) - 1, "the time must be within 292 years of the first", None)
    for name, prices, sizes in (
        ("bids", books.bid_prices, books.bid_sizes),
        ("asks", books.ask_prices, books.ask_sizes),
    ):
        _first_bad(np.isinf(prices), f"a price of {name} must be finite", prices)
        _first_bad(np.isinf(sizes), f"a size of {name} must be finite", sizes)
        _first_bad(
            np.isnan(sizes) != np.isnan(prices),
            f"each level of {name} must have both a price and a size",
            prices,
        )
        _first_bad(sizes < 0.0, f"a size of {name} must be 0 or more", sizes)
        if prices.shape[1] > 1:
            # The last price before a level that is there, whatever is missing between.
            last = (np.fmin if name == "bids" else np.fmax).accumulate(prices, axis=1)[:, :-1]
            is_wrong = prices[:, 1:] >= last if name == "bids" else prices[:, 1:] <= last
            way = "fall" if name == "bids" else "rise"
            _first_bad(is_wrong, f"prices of {name} must {way} from the best on", prices[:, 1:])
    bids, asks = books.best_bid, books.best_ask
    crossed = bids > asks
    if crossed.any():
        row = int(crossed.argmax())
        _refuse(row, "the best bid must not be above the best ask", (bids[row], asks[row]))


def _first_bad(bad: NDArray[np.bool_], rule: str, values: Floats) -> None:
    if bad.any():
        row, level = np.unravel_index(int(bad.argmax()), bad.shape)
        _refuse(int(row), rule, float(values[row, level]))


def _refuse(row: int, rule: str, value: Any) -> NoReturn:
    said = "" if value is None else f", was {checks.show(value)}"
    raise DataError(f"book {row}: {rule}{said}", row=row, value=value)
