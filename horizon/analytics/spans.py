"""Stretches of time: how people name them, and the part of a curve that lies in one.

A span is half open: it has its start, and ends before its end. Days are those of UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral
from typing import Any, Final

import numpy as np

from horizon import checks
from horizon.analytics.curves import Curve
from horizon.analytics.sampling import DAY_NS
from horizon.columns import NEVER, nanoseconds
from horizon.words import clock

__all__ = ["SPANS", "Span", "span_between", "span_named", "within"]

#: The spans that have a name, and what people call them; each ends with the last point.
SPANS: Final = {
    "all": "All",
    "mtd": "Month to date",
    "3m": "3 months",
    "ytd": "Year to date",
    "1y": "1 year",
}
_MONTHS: Final = {"3m": 3, "1y": 12}
_FIRST_NS: Final = -(2**63) + 1
_LAST_NS: Final = 2**63 - 1
_SECOND_NS: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time.

    Attributes
    ----------
    start_ns, end_ns : int or None
        Nanoseconds since 1970 (UTC); the end is no part of it. None is open.

    Raises
    ------
    TypeError, ValueError
        If one is no whole number of 64 bits, or the end is not after the start.

    Examples
    --------
    >>> span = hz.analytics.Span(start_ns=1_704_067_200 * 10**9)
    >>> print(span)
    from 2024-01-01 UTC
    >>> span.is_all, hz.analytics.Span().is_all
    (False, True)
    """

    start_ns: int | None = None
    end_ns: int | None = None

    def __post_init__(self) -> None:
        for name in ("start_ns", "end_ns"):
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, _nanoseconds(name, value))
        if self.start_ns is not None and self.end_ns is not None and self.start_ns >= self.end_ns:
            raise ValueError(
                f"end_ns must be after start_ns, was {self.end_ns} for a start of {self.start_ns}"
            )

    @property
    def is_all(self) -> bool:
        """Whether it leaves nothing out."""
        return self.start_ns is None and self.end_ns is None

    @property
    def first_ns(self) -> int:
        """Its start, however far back where it is open."""
        return _FIRST_NS if self.start_ns is None else self.start_ns

    @property
    def stop_ns(self) -> int:
        """Its end, however late where it is open."""
        return _LAST_NS if self.end_ns is None else self.end_ns

    def __str__(self) -> str:
        if self.is_all:
            return "the whole time"
        start = None if self.start_ns is None else _said(self.start_ns)
        end = None if self.end_ns is None else _said(self.end_ns, is_end=True)
        if start is None:
            return f"until {end} UTC"
        return f"from {start} UTC" if end is None else f"{start} to {end} UTC"


def _nanoseconds(name: str, value: object) -> int:
    """Take nanoseconds since 1970 as what they are: a whole number."""
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(
            f"{name} must be whole nanoseconds since 1970 or None, was {checks.show(value)} "
            f"({type(value).__name__}); span_between reads times of any kind"
        )
    given = int(value)
    if not _FIRST_NS <= given <= _LAST_NS:
        raise ValueError(
            f"{name} must be nanoseconds between the years 1678 and 2262, was {checks.show(value)}"
        )
    return given


def _said(at_ns: int, *, is_end: bool = False) -> str:
    if at_ns % DAY_NS == 0:  # the last day of it, for an end
        return clock((at_ns - DAY_NS * is_end) / _SECOND_NS, date=True)[:10]
    return clock(at_ns / _SECOND_NS, date=True)


def span_named(name: str, last_ns: int) -> Span:
    """Return a span by its name.

    Parameters
    ----------
    name : {"all", "mtd", "3m", "ytd", "1y"}
        ``"mtd"`` and ``"ytd"`` begin with the month and the year of the last point; ``"3m"`` and
        ``"1y"`` with the day after its day of the month, three and twelve months before.
    last_ns : int
        The last point. No clock is asked: a backtest of 2019 ends in 2019.

    Returns
    -------
    Span
        Open at its end.

    Raises
    ------
    ValueError
        If the name is none of these.

    Examples
    --------
    Three months that end on 15 August 2024 begin on 16 May:

    >>> curve = hz.analytics.curve_of([("2024-01-02", 100.0), ("2024-08-15", 110.0)])
    >>> print(hz.analytics.span_named("3m", int(curve.times_ns[-1])))
    from 2024-05-16 UTC
    """
    checks.one_of("period", name, tuple(SPANS))
    if name == "all":
        return Span()
    last = np.datetime64(last_ns, "ns")
    if name == "mtd":
        start = last.astype("datetime64[M]")
    elif name == "ytd":
        start = last.astype("datetime64[Y]")
    else:
        month = last.astype("datetime64[M]")
        day = last.astype("datetime64[D]") - month.astype("datetime64[D]")
        then = month - _MONTHS[name]
        # 31 May, three months before: the last of February.
        most = (then + 1).astype("datetime64[D]") - np.timedelta64(1, "D")
        start = min(then.astype("datetime64[D]") + day, most) + np.timedelta64(1, "D")
    return Span(start_ns=int(start.astype("datetime64[ns]").astype(np.int64)))


def span_between(start: Any = None, end: Any = None) -> Span:
    """Return the span from one moment to another.

    Parameters
    ----------
    start, end : datetime, epoch seconds or ISO text, optional
        Text without a zone is UTC; a `datetime` without one is local time, as everywhere. Text
        that is a date alone, ``"2024-03-31"``, is that whole day: as an end it lies within the
        span.

    Returns
    -------
    Span

    Raises
    ------
    ValueError
        If a time cannot be read, or the end is not after the start.
    TypeError
        If one is no time at all.

    Examples
    --------
    31 days of January and 29 of February:

    >>> span = hz.analytics.span_between("2024-01-01", "2024-02-29")
    >>> (span.end_ns - span.start_ns) / 86_400e9
    60.0
    """
    begins = None if start is None else _moment("start", start)[0]
    ends = None
    if end is not None:
        at, is_date = _moment("end", end)
        ends = at + DAY_NS if is_date else at
    if begins is not None and ends is not None and begins >= ends:
        raise ValueError(
            f"end must be after start, was {checks.show(end)} for a start of {checks.show(start)}"
        )
    return Span(begins, ends)


def _moment(name: str, value: Any) -> tuple[int, bool]:
    """Read a moment, and say whether it is a date alone."""
    if not isinstance(value, str):
        return checks.timestamp_ns(name, value), False
    text = value.strip()
    read = int(nanoseconds([text], None)[0])
    if read == NEVER or not text[:4].isdigit():
        raise ValueError(
            f"{name} must be a date as 2024-03-31, or with a time as 2024-03-31 14:30, was "
            f"{checks.show(value)}"
        )
    return read, len(text) == 10


def within(curve: Curve, span: Span) -> Curve:
    """Return the part of a curve whose returns end within a span.

    The last point before the span is its start, at its own time: each return is as it is in the
    whole, with the time that it took, and the parts of spans that follow each other multiply and
    add up to the whole.

    Raises
    ------
    ValueError
        If no point of the curve lies in the span.
    """
    if span.is_all or len(curve) < 2:
        return curve
    times = curve.times_ns
    first = int(np.searchsorted(times, span.first_ns, side="left"))
    stop = int(np.searchsorted(times, span.stop_ns, side="left"))
    start = max(first - 1, 0)
    if stop - start < 2:
        begins, ends = (clock(int(times[at]) / _SECOND_NS, date=True) for at in (0, -1))
        raise ValueError(
            f"no point of the curve lies in the period {span}: it goes from {begins} to {ends} UTC"
        )
    if start == 0 and stop == len(curve):
        return curve
    return Curve(times[start:stop], curve.equity[start:stop])
