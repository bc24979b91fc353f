"""What the figures are given, as NumPy columns; and long series made short enough to draw."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from horizon import checks
from horizon.types import Fill

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


def times_of(values: Any) -> Times:
    """Take a column of times, as epoch seconds or datetimes; what has no zone is UTC."""
    if str(getattr(values, "dtype", "")).startswith("datetime64"):
        return np.asarray(values, dtype="datetime64[ns]")
    array = np.asarray(values)
    if array.dtype.kind == "M":
        return array.astype("datetime64[ns]")
    if array.dtype.kind in "iuf":
        seconds = array.astype(np.float64)
        whole = np.floor(seconds)
        broken = np.rint((seconds - whole) * 1e9).astype(np.int64)
        return (whole.astype(np.int64) * 1_000_000_000 + broken).astype("datetime64[ns]")
    ns = [checks.timestamp_ns("time", _zoned(value)) for value in array.tolist()]
    return np.array(ns, dtype=np.int64).astype("datetime64[ns]")


def _zoned(value: Any) -> Any:
    is_naive = isinstance(value, datetime) and value.tzinfo is None
    return value.replace(tzinfo=UTC) if is_naive else value


def fill_columns(fills: Any) -> FillColumns:
    """Take fills: a frame as `fills_frame` gives it, or a list of `VenueFill` or `Fill`."""
    if hasattr(fills, "columns"):
        missing = {"timestamp", "quantity", "price", "side", "order_id"} - set(fills.columns)
        if missing:
            raise ValueError(
                f"fills must have the columns of fills_frame(), is missing {sorted(missing)}"
            )
        rows = [fills[name] for name in ("timestamp", "quantity", "price", "side", "order_id")]
    else:
        rows = list(zip(*(_fill_row(fill) for fill in fills), strict=True)) or [()] * 5
    times = times_of(rows[0])
    columns = FillColumns(
        times,
        np.asarray(rows[1], dtype=np.float64),
        np.asarray(rows[2], dtype=np.float64),
        np.asarray([side == "buy" for side in rows[3]], dtype=bool),
        np.asarray(rows[4], dtype=object),
    )
    return columns.where(np.argsort(times, kind="stable"))


def _fill_row(fill: Any) -> tuple[float, float, float, str, str]:
    if isinstance(fill, Fill):
        side = fill.order_side.value
        return fill.timestamp, fill.size, fill.price, side, fill.order_id
    return fill.timestamp, fill.quantity, fill.price, fill.side, fill.order_id


def price_columns(prices: Any) -> tuple[Times, Numbers]:
    """Take a price path.

    Parameters
    ----------
    prices : Series, DataFrame, or pair of sequences
        A Series indexed by time; a frame with a column ``price`` or ``close`` and a column
        ``timestamp`` (or its index) for the time; or times and prices.
    """
    if hasattr(prices, "columns"):
        name = next((n for n in ("price", "close") if n in prices.columns), None)
        if name is None:
            raise ValueError(
                f"prices must have a column 'price' or 'close', has {list(prices.columns)}"
            )
        times = prices["timestamp"] if "timestamp" in prices.columns else prices.index
        values = prices[name]
    elif hasattr(prices, "index") and not isinstance(prices, (list, tuple)):
        times, values = prices.index, prices
    else:
        if len(prices) != 2:
            raise ValueError(
                "prices must be a Series, a frame, or a pair of times and prices; had "
                f"{len(prices)} parts"
            )
        times, values = prices
    stamps, numbers = times_of(times), np.asarray(values, dtype=np.float64)
    if len(stamps) != len(numbers):
        raise ValueError(f"prices must have one time each, had {len(stamps)} and {len(numbers)}")
    return stamps, numbers


def thinned(values: Numbers, most: int = MOST_POINTS) -> NDArray[np.intp]:
    """Choose the points of a long series that keep its look.

    The series is cut into equal runs of points, and of each the lowest and the highest are
    kept, in order of time, beside the very first and the very last.

    Returns
    -------
    ndarray of int
        Indices in rising order, at most `most`; all of them if the series is short enough.
    """
    n = len(values)
    if n <= most:
        return np.arange(n)
    edges = np.linspace(0, n, (most - 2) // 2 + 1).astype(np.intp)
    kept = {0, n - 1}
    for start, stop in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        run = values[start:stop]
        if not np.isnan(run).all():
            kept.update((start + int(np.nanargmin(run)), start + int(np.nanargmax(run))))
    return np.array(sorted(kept), dtype=np.intp)
