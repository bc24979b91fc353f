"""Order books through time: their depth on a grid of price and time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from horizon import checks
from horizon.books import Books, read_books

__all__ = ["DepthGrid", "depth_grid"]

Floats = NDArray[np.float64]
Times = NDArray[np.int64]

#: Prices with more decimals than this are on no grid of ticks.
_DECIMALS: Final = 10


@dataclass(frozen=True, slots=True)
class DepthGrid:
    """Depth by price and time.

    Not made by hand: `depth_grid` returns it.

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

    Examples
    --------
    >>> grid = hz.analytics.depth_grid([
    ...     {"timestamp": 0.0, "bids": [(99.0, 4.0)], "asks": [(101.0, 2.0)]},
    ...     {"timestamp": 10.0, "bids": [(99.0, 8.0)], "asks": [(101.0, 2.0)]}], n_times=1)
    >>> grid.prices.tolist(), grid.tick
    ([99.0, 100.0, 101.0], 1.0)
    >>> grid.bid_sizes.tolist(), grid.ask_sizes.tolist()
    ([[4.0], [0.0], [0.0]], [[0.0], [0.0], [2.0]])
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

    Examples
    --------
    4 for six seconds and 9 for four, so (24 + 36) / 10 on average:

    >>> books = [{"timestamp": time, "bids": [(99.0, size)], "asks": []}
    ...          for time, size in ((0.0, 4.0), (6.0, 9.0), (10.0, 5.0))]
    >>> hz.analytics.depth_grid(books, n_times=1).bid_sizes.tolist()
    [[6.0]]
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
