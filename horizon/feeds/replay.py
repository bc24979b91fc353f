"""Recorded data, played again."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final

import numpy as np

from horizon import checks
from horizon.feeds.base import Feed, Fields
from horizon.feeds.reader import NUMBERS, column_map, sources
from horizon.feeds.rows import check, merge
from horizon.feeds.times import stamp_text

__all__ = ["Replay"]

#: Rows made into Python objects at once: a long recording stays in arrays until it is sent.
_BATCH: Final = 4096


class Replay(Feed):
    """A feed of recorded rows: ticks, quotes or bars, of one market or of many.

    All rows are read and checked here, before any is sent.

    Parameters
    ----------
    data : object
        A list of dicts, a dict of arrays, a pandas, polars or Arrow frame, a path to a CSV
        (also compressed) or Parquet file; or a dict of these by feed name, whose rows are
        merged by time. Rows of one time keep their order, and that of the feeds.
    speed : float or None
        Market seconds per wall second of `play`; None or infinity is as fast as possible.
    market_id : str, optional
        The market of all rows, for data without a ``market_id`` column: ``"market"`` by
        default, in a dict of feeds each feed's name.
    bad_rows : {"raise", "drop"}
        What to do about a row that cannot be true: raise a `DataError`, or leave it out and
        count it in `dropped`.
    columns : dict, optional
        Horizon's column names to the data's, for those that differ:
        ``{"timestamp": "ts", "price": "mid"}``.
    timezone : str, optional
        Zone of datetimes and texts that have none, such as ``"America/New_York"``; UTC by
        default.
    name : str, optional
        What messages call the feed; by default the file's name or ``"replay"``.

    Raises
    ------
    DataError
        If a column is missing, or at the first bad row, with its feed, row (from 0) and value.
    TypeError, ValueError
        For any other argument that is not as described.

    Notes
    -----
    *Columns.* ``timestamp`` (or ``ts``, ``time``, ``date``, ``datetime``, if only one of them
    is there, or a pandas frame's ``DatetimeIndex``), ``market_id``, ``price`` (or ``close``),
    ``bid``, ``ask``, ``bid_size``, ``ask_size``, ``open``, ``high``, ``low``, ``volume``; upper
    or lower case. A time is needed, and a price, a bid or an ask; other columns are ignored.
    Rows with open, high, low and close are bars, with the bar's end as their time.

    *Times* are epoch seconds, datetimes or ISO text, kept as whole nanoseconds.

    *Gaps.* An empty or NaN bid or ask is no quote on that side. A row without a price has the
    mid of its quotes. With one quote or none it has no price at all: since a client takes no
    row without one, it is passed over and counted in `dropped` as ``"one_sided"`` or
    ``"empty"``. That is a gap, not a fault, and never raises.

    *Losses.* A row whose ``is_stale`` is true, as in a `Recording`, says that nothing was known
    of its market any more: it brings no price. `run` and `play` pass it over, since a client has
    no word for it; a session of ``hz.run`` plays it. `losses` lists them.

    *Bad rows*, by the reason in `dropped`: ``"timestamp"`` and ``"market_id"`` (missing or
    unreadable), ``"price"`` (a price, quote or bar value that is negative, infinite or no
    number), ``"size"`` (a size or volume of that kind), ``"crossed"`` (bid above ask),
    ``"bar"`` (low or high contradicts another value), ``"backwards"`` (before an earlier row
    of its market in the same feed; nothing is sorted silently). A row with several faults
    counts under the first of these. Equal times are fine, and so is bid equal to ask. Data
    with a ``market_id`` column is split by it: each market has to be in order, and may follow
    another as a whole.

    Examples
    --------
    >>> quotes = {"ts": ["2026-01-05 09:30", "2026-01-05 09:31"], "mid": [180.0, 180.5]}
    >>> feed = hz.feeds.Replay(
    ...     quotes,
    ...     market_id="ACME",
    ...     columns={"timestamp": "ts", "price": "mid"},
    ...     timezone="America/New_York",
    ... )
    >>> ex = hz.connect("paper")
    >>> feed.run(ex)  # both now, as fast as possible
    2

    In a notebook, ``task = asyncio.create_task(feed.play(ex, speed=60))`` plays beside the cell, a
    minute in a second.
    """

    def __init__(
        self,
        data: object,
        *,
        speed: float | None = 1.0,
        market_id: str | None = None,
        bad_rows: str = "raise",
        columns: Mapping[str, str] | None = None,
        timezone: str | None = None,
        name: str | None = None,
    ) -> None:
        if name is None:
            is_path = isinstance(data, (str, os.PathLike))
            name = Path(data).name if is_path else "replay"  # type: ignore[arg-type]
        super().__init__(name=name, speed=speed)
        is_dropping = checks.one_of("bad_rows", bad_rows, ("raise", "drop")) == "drop"
        zone = _zone(timezone)
        given = None if market_id is None else checks.text("market_id", market_id)
        found = sources(data, name=self.name, columns=column_map(columns))
        if given is not None and (len(found) > 1 or any("market_id" in s.columns for s in found)):
            raise ValueError(
                f"market_id {given!r} cannot be given for data that names its markets itself"
            )
        is_by_feed = isinstance(data, Mapping) and list(data) == [s.name for s in found]
        tables = []
        self._dropped: Counter[str] = Counter()
        for source in found:
            market = given or (source.name if is_by_feed else "market")
            table, left_out = check(source, market_id=market, zone=zone, drop=is_dropping)
            tables.append(table)
            self._dropped += left_out
        self._table = merge(tables)
        lost = zip(self._table.lost_codes.tolist(), self._table.lost_times.tolist(), strict=True)
        self._losses = tuple((self._table.markets[code], ns) for code, ns in lost)
        used = np.unique(self._table.codes)
        self._markets = tuple(self._table.markets[code] for code in used)

    @property
    def total(self) -> int:
        """Rows that will be sent."""
        return len(self._table.times)

    @property
    def dropped(self) -> Mapping[str, int]:
        """Rows of the data that are not sent, by reason."""
        return MappingProxyType(self._dropped)

    @property
    def losses(self) -> tuple[tuple[str, int], ...]:
        """Each loss of a market in the data: its id, and when, in nanoseconds since 1970."""
        return self._losses

    @property
    def markets(self) -> tuple[str, ...]:
        """The markets with at least one row, in order of appearance in the data."""
        return self._markets

    def batches(self) -> Iterator[Sequence[Fields]]:
        """Give the rows from the first on; each call begins anew."""
        table = self._table
        names = np.array(table.markets, dtype=object)
        for start in range(0, self.total, _BATCH):
            part = slice(start, start + _BATCH)
            times: list[int] = table.times[part].tolist()
            numbers = [
                _optional(table.numbers[name][part])
                if name in table.numbers
                else [None] * len(times)
                for name in NUMBERS
            ]
            yield list(zip(names[table.codes[part]].tolist(), times, *numbers, strict=True))

    def time_at(self, row: int) -> int | None:
        """Return the own time of a `row` (from 0), in nanoseconds; None if there is none such."""
        return int(self._table.times[row]) if 0 <= row < self.total else None

    def row_at(self, ns: int) -> int:
        """Return how many rows are not later than `ns`, a time of the data in nanoseconds."""
        return int(np.searchsorted(self._table.times, ns, side="right"))

    def locate(self, position: int) -> str:
        """Say where in the data the row at `position` comes from, for messages."""
        feed = self._table.feeds[self._table.feed_codes[position]]
        return f"row {self._table.source_rows[position]} of feed {feed!r}"

    def _facts(self) -> dict[str, str]:
        facts = super()._facts()
        shown = ", ".join(self._markets[:3])
        more = len(self._markets) - 3
        facts["markets"] = f"{shown} and {more:,} more" if more > 0 else shown or "none"
        if self.total:
            first, last = (stamp_text(int(self._table.times[i])) for i in (0, -1))
            facts["from"], facts["to"] = first, last
        if self._dropped:
            facts["not sent"] = ", ".join(f"{n:,} {why}" for why, n in self._dropped.items())
        return facts


def _optional(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> list[float | None]:
    """Python floats, with None for NaN."""
    missing = np.isnan(values)
    if not missing.any():
        return list(values.tolist())
    objects = values.astype(object)
    objects[missing] = None
    return list(objects.tolist())


def _zone(timezone: str | None) -> str | None:
    if timezone is None:
        return None
    key = checks.timezone("timezone", timezone).key
    return None if key == "UTC" else key
