"""Books of every form read into arrays: lists of snapshots, wide and long frames, files."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, Final

import numpy as np

from horizon import checks, columns
from horizon.books.judge import Draft, Flaw, judge
from horizon.books.snapshots import Books, Floats
from horizon.books.tables import read_table
from horizon.errors import DataError

__all__ = ["read_book_data", "read_books"]

_ACCEPTED: Final = "a list of books or a frame, or a path to a .csv or .parquet file"
#: Types whose values NumPy turns into floats by itself.
_PLAIN: Final = frozenset((float, int, np.float64, np.float32, np.int64, np.int32))


def read_books(
    books: Any,
    *,
    time: str | None = None,
    market: str | None = None,
    bad_rows: str = "raise",
    dropped: dict[str, int] | None = None,
) -> Books:
    """Read snapshots of one market's book.

    Parameters
    ----------
    books : sequence of mappings, frame, path, or Books
        Mappings with ``"timestamp"`` (seconds since 1970, a datetime or ISO text; UTC where it
        has no zone), and ``"bids"`` and ``"asks"``, each a list of (price, size), the best
        first.

        A wide frame (pandas, polars or Arrow) with ``bid_px_1``, ``bid_sz_1``, ``ask_px_1``,
        ``ask_sz_1`` and so on, a level that is not there left empty.

        A long frame with ``side`` (``bid`` or ``buy``, ``ask`` or ``sell``), ``price`` and
        ``size``, a row for each level: rows of one time are one snapshot, those of each side
        the best first. A row without price and size says that there is a snapshot.

        Or the path of a CSV (also compressed) or Parquet file of either.
    time : str, optional
        The frame's column of times. By default ``timestamp`` (or ``ts``, ``time``, ``date``,
        ``datetime``, or a pandas frame's ``DatetimeIndex``), or the first whose name ends in
        ``_ts_ns``, ``_ts_us``, ``_ts_ms`` or ``_ts_s``, in which it then is counted; in any
        other column numbers are seconds.
    market : str, optional
        The market, for messages.
    bad_rows : {"raise", "drop"}
        What to do about a snapshot that cannot be true: raise a `DataError`, or leave it out.
    dropped : dict, optional
        Counts snapshots left out, by reason.

    Returns
    -------
    Books
        Without levels of size 0, which are none, and each book's levels closed up. A `Books`
        that needs no change comes back as it is.

    Raises
    ------
    DataError
        Names the row (from 0) and the value, and has the market as its feed, where a snapshot
        cannot be true: a time that cannot be read (``"timestamp"`` among the reasons) or lies
        before the one of an earlier snapshot (``"backwards"``); a price or size that is no
        finite number, a negative size (``"price"``, ``"size"``); a price without its size, or
        what is no list of both (``"level"``); a side of another name (``"side"``); levels that
        are not in order, bids falling, asks rising (``"unsorted"``); a bid above an ask
        (``"crossed"``). A bid equal to the ask, as in a locked market, is taken.
    TypeError, ValueError
        If books are of no accepted form, or a frame lacks a column.

    Examples
    --------
    Two snapshots as a wide frame; the second is crossed, which no market is.

    >>> frame = pd.DataFrame({
    ...     "timestamp": ["2024-01-02 10:00", "2024-01-02 10:01"],
    ...     "bid_px_1": [99.0, 102.0], "bid_sz_1": [5.0, 5.0],
    ...     "ask_px_1": [101.0, 101.0], "ask_sz_1": [3.0, 3.0]})
    >>> dropped = {}
    >>> books = hz.analytics.read_books(frame, bad_rows="drop", dropped=dropped)
    >>> books.mid.tolist(), dropped
    ([100.0], {'crossed': 1})
    """
    is_dropping = checks.one_of("bad_rows", bad_rows, ("raise", "drop")) == "drop"
    draft = _draft("books", books, time)
    read, counts = judge(draft, market=market, is_dropping=is_dropping, is_tradable=False)
    if dropped is not None:
        for reason, count in counts.items():
            dropped[reason] = dropped.get(reason, 0) + count
    return read


class JudgedBooks(dict[str, Books]):
    """Books by market that `read_book_data` has judged, or windows of such: taken as they are.

    A window may hold no book of a market; nothing fills there then.
    """


def read_book_data(
    book_data: Any, *, bad_rows: str = "raise"
) -> tuple[dict[str, Books], dict[str, dict[str, int]]]:
    """Read the books of several markets, to trade in.

    Parameters
    ----------
    book_data : mapping of market id to books, frame, or path
        Books in any form that `read_books` takes, by market; or one frame, or the path of one,
        wide or long, with a ``market_id`` column. `JudgedBooks` are given back as they are.
    bad_rows : {"raise", "drop"}
        What to do about a snapshot that cannot be true.

    Returns
    -------
    dict of str to Books
        By market, in the order of the data.
    dict of str to dict of str to int
        Snapshots left out, by market and reason.

    Raises
    ------
    DataError
        As `read_books`; for a price below 0 or above 1e15, and a size above 1e15; and where
        a market has no book.
    TypeError, ValueError
        If `book_data` is of no accepted form.
    """
    is_dropping = checks.one_of("bad_rows", bad_rows, ("raise", "drop")) == "drop"
    if isinstance(book_data, JudgedBooks):
        return book_data, {}
    books = JudgedBooks()
    dropped: dict[str, dict[str, int]] = {}
    for market, draft in _drafts(book_data, is_dropping, dropped):
        books[market], counts = judge(
            draft, market=market, is_dropping=is_dropping, is_tradable=True
        )
        if counts:
            dropped[market] = dict(counts)
        if not len(books[market]):
            gone = f" but bad ones, dropped: {dict(counts)}" if counts else ""
            raise DataError(f"book_data[{market!r}] holds no books{gone}", feed=market)
    if not books:
        raise DataError("book_data holds no books", value=book_data)
    return books, dropped


def _drafts(
    book_data: Any, is_dropping: bool, dropped: dict[str, dict[str, int]]
) -> Iterable[tuple[str, Draft]]:
    if isinstance(book_data, Mapping):
        for market, books in book_data.items():
            name = checks.market_id("a market of book_data", market)
            yield name, _draft(f"book_data[{name!r}]", books, None)
        return
    if not isinstance(book_data, (str, os.PathLike)) and not columns.is_frame(book_data):
        raise TypeError(
            "book_data must be a dict of market ids to books, or one frame or path with a "
            f"market_id column, was {checks.show(book_data)}"
        )
    table = read_table("book_data", book_data, None)
    if table.markets is None:
        raise ValueError(
            "book_data as one table must have a column 'market_id', has "
            f"{table.names}; give {{market: table}} if it is of one market"
        )
    codes, names, not_ids = columns.market_codes(table.markets)
    wrong = np.isin(codes, not_ids)
    if wrong.any():
        row = int(wrong.argmax())
        value = table.markets[row]
        if not is_dropping:
            raise DataError(
                f"book_data, row {row}: market_id must be text of 1 to 256 characters without "
                f"control characters or blanks at the ends, was {checks.show(value)}",
                row=row,
                value=value,
            )
        dropped["book_data"] = {"market_id": int(wrong.sum())}
    order = np.argsort(codes, kind="stable")
    ends = np.cumsum(np.bincount(codes, minlength=len(names))).tolist()
    for code, name in enumerate(names):
        if code not in not_ids:
            begin = ends[code - 1] if code else 0
            yield name, table.draft(order[begin : ends[code]])


def _draft(name: str, books: Any, time: str | None) -> Draft:
    if isinstance(books, Books):
        return Draft(_sound(name, books))
    if columns.is_frame(books) or isinstance(books, os.PathLike) or _is_path(books):
        return read_table(name, books, time).draft(None)
    if not isinstance(books, Sequence) or isinstance(books, (str, bytes)):
        raise TypeError(f"{name} must be {_ACCEPTED}, was {checks.show(books)}")
    if time is not None:
        raise ValueError(f"time names a column of a frame; {name} is a list, was {time!r}")
    return _from_mappings(books)


def _is_path(value: object) -> bool:
    return isinstance(value, str) and value.lower().rpartition("/")[2].count(".") > 0


def _sound(name: str, books: Books) -> Books:
    """Make sure that somebody's own `Books` are arrays of the shapes that they should have."""
    n = len(books.times_ns)
    if getattr(books.times_ns, "dtype", None) != np.int64 or np.ndim(books.times_ns) != 1:
        raise ValueError(f"{name}: times_ns must be an array of int64, was {books.times_ns!r}")
    sides = ((books.bid_prices, books.bid_sizes), (books.ask_prices, books.ask_sizes))
    for prices, sizes in sides:
        if not prices.dtype == sizes.dtype == np.float64:
            raise ValueError(f"{name}: prices and sizes must be arrays of float64")
        if np.ndim(prices) != 2 or np.shape(prices) != np.shape(sizes) or len(prices) != n:
            raise ValueError(
                f"{name}: prices and sizes must have one shape, ({n}, levels), have "
                f"{np.shape(prices)} and {np.shape(sizes)}"
            )
    return books


# ----------------------------------------------------------------------------------- mappings
def _from_mappings(books: Sequence[Any]) -> Draft:
    try:
        times = [book["timestamp"] for book in books]
        bids = _levels([book["bids"] for book in books])
        asks = _levels([book["asks"] for book in books])
    except (TypeError, KeyError, IndexError, ValueError, OverflowError):
        return _one_by_one(books)
    return Draft(Books(columns.nanoseconds(times, None), *bids, *asks))


def _levels(sides: list[Any]) -> tuple[Floats, Floats]:
    """Prices and sizes of one side, each row filled up with NaN; ValueError where one is bad."""
    counts = np.fromiter(map(len, sides), dtype=np.intp, count=len(sides))
    pairs = _pairs(sides)
    # A level that is there has both numbers; missing ones are for frames.
    if np.isnan(pairs).any():
        raise ValueError("some level is no number")
    filled = np.arange(counts.max(initial=0))[None, :] < counts[:, None]
    prices, sizes = np.full(filled.shape, np.nan), np.full(filled.shape, np.nan)
    prices[filled], sizes[filled] = pairs[:, 0], pairs[:, 1]
    return prices, sizes


def _pairs(sides: list[Any]) -> Floats:
    """All levels one after the other, price and size."""
    if sides and all(isinstance(side, np.ndarray) for side in sides):
        full = [side for side in sides if side.size]
        if all(side.dtype.kind in "iuf" and side.shape[1:] == (2,) for side in full):
            return np.concatenate([np.zeros((0, 2)), *full])
    levels = list(chain.from_iterable(sides))
    if not set(map(type, levels)) <= {tuple, list, np.ndarray}:
        raise ValueError("a level may have no order")
    if not set(map(len, levels)) <= {2}:
        raise ValueError("a level is no pair")
    flat = list(chain.from_iterable(levels))
    if set(map(type, flat)) <= _PLAIN:
        return np.array(flat, dtype=np.float64).reshape(-1, 2)
    floats, bad = columns.numbers(flat)
    if bad.any():
        raise ValueError("some level is no number")
    return floats.reshape(-1, 2)


def _one_by_one(books: Sequence[Any]) -> Draft:
    """Find the books that cannot be read, and read the others."""
    flaws: dict[int, tuple[str, str, object]] = {}
    whole: list[Any] = []
    for row, book in enumerate(books):
        found = _flaw(book)
        if found is not None:
            flaws[row] = found
        whole.append(book if found is None else {"timestamp": 0.0, "bids": (), "asks": ()})
    times = columns.nanoseconds([book["timestamp"] for book in whole], None)
    bids, asks = (_levels([book[side] for book in whole]) for side in ("bids", "asks"))
    drafted = []
    for reason in dict.fromkeys(reason for reason, _, _ in flaws.values()):
        bad = np.zeros(len(whole), dtype=bool)
        bad[[row for row, flaw in flaws.items() if flaw[0] == reason]] = True
        drafted.append(Flaw(bad, reason, lambda row: (row, *flaws[row][1:])))
    return Draft(Books(times, *bids, *asks), flaws=drafted)


def _flaw(book: Any) -> tuple[str, str, object] | None:
    """Reason, rule and value of what is wrong with a book; None if it can be read."""
    if not isinstance(book, Mapping):
        return "level", "a book must be a mapping with timestamp, bids and asks", book
    missing = {"timestamp", "bids", "asks"} - set(book)
    if missing:
        reason = "timestamp" if "timestamp" in missing else "level"
        return reason, f"a book must have {', '.join(sorted(missing))}", dict(book)
    for name in ("bids", "asks"):
        side = book[name]
        if not isinstance(side, (Sequence, np.ndarray)) or isinstance(side, (str, bytes)):
            return "level", f"{name} must be a list of (price, size)", side
        for level in side:
            if not isinstance(level, (Sequence, np.ndarray)) or isinstance(level, (str, bytes)):
                return "level", f"{name} must be a list of (price, size)", side
            if len(level) != 2:
                return "level", f"a level of {name} must be a price and a size", level
            floats, bad = columns.numbers(list(level))
            missing_number = bad | np.isnan(floats)
            if missing_number.any():
                reason = "price" if missing_number[0] else "size"
                return reason, f"price and size of {name} must be numbers", level
    return None
