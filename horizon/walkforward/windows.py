"""The windows of a walk-forward: a span of time cut into tests, each behind its training."""

from __future__ import annotations

import html
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from horizon import checks
from horizon.feeds.times import stamp_text

__all__ = ["WalkForwardWindow", "Window", "cut_windows", "share_of"]


@dataclass(frozen=True, slots=True, repr=False)
class WalkForwardWindow:
    """One training window and the test window behind it.

    Times are integer nanoseconds since 1970 (UTC); `train_start` and its siblings are the same in
    float seconds.

    Attributes
    ----------
    number : int
        From 0.
    train_start_ns, train_end_ns : int
        Rows from the first to before the second are trained on.
    test_start_ns, test_end_ns : int
        Rows from the first to before the second are tested on; those at the second too, where
        `is_last`.
    is_last : bool
        Whether it is the last window, whose test has the last row.

    Examples
    --------
    Forty seconds, of which the last half are two tests:

    >>> ticks = [{"timestamp": i, "price": 0.5} for i in range(41)]
    >>> def factory(params):
    ...     return [lambda ctx: hz.quotes(ctx.feed.price, params["spread"], size=1)]
    >>> found = hz.walk_forward(ticks, factory, {"spread": [0.02]}, n_splits=2, train_ratio=0.5)
    >>> [(window.train_end, window.test_end) for window in found.windows]
    [(20.0, 30.0), (30.0, 40.0)]
    """

    number: int
    train_start_ns: int
    train_end_ns: int
    test_start_ns: int
    test_end_ns: int
    is_last: bool

    def __repr__(self) -> str:
        train = f"{stamp_text(self.train_start_ns)} to {stamp_text(self.train_end_ns)}"
        test = f"{stamp_text(self.test_start_ns)} to {stamp_text(self.test_end_ns)}"
        return f"<WalkForwardWindow {self.number}: train {train}, test {test}>"

    def _repr_html_(self) -> str:
        return html.escape(repr(self)[1:-1])

    @property
    def train_start(self) -> float:
        """When training begins, in seconds since 1970."""
        return checks.ns_to_seconds(self.train_start_ns)

    @property
    def train_end(self) -> float:
        """When training ends, in seconds since 1970; a row of this time is no part of it."""
        return checks.ns_to_seconds(self.train_end_ns)

    @property
    def test_start(self) -> float:
        """When the test begins, in seconds since 1970."""
        return checks.ns_to_seconds(self.test_start_ns)

    @property
    def test_end(self) -> float:
        """When the test ends, in seconds since 1970."""
        return checks.ns_to_seconds(self.test_end_ns)

    @property
    def test_until_ns(self) -> int:
        """The first nanosecond that is no part of the test."""
        return self.test_end_ns + 1 if self.is_last else self.test_end_ns


#: Its short name within the package.
Window = WalkForwardWindow


def share_of(span_ns: int, share: float, part: int = 0, parts: int = 1) -> int:
    """Return where a part of what is behind a share of a span begins, in ns from its start.

    Parameters
    ----------
    span_ns : int
    share : float
        Fraction of the span before the first part. It is taken as the decimal number that it is
        written as: 0.7 of ten seconds are seven seconds, not a nanosecond less.
    part, parts : int
        Which of how many equal parts.

    Returns
    -------
    int
        ``round(span * (share + (1 - share) * part / parts))``; the span itself for
        ``part == parts``, so that no row is lost to rounding.
    """
    exact = Fraction(repr(share))
    return round(span_ns * (exact + (1 - exact) * Fraction(part, parts)))


def cut_windows(
    first_ns: int,
    last_ns: int,
    *,
    n_splits: int,
    train_ratio: float,
    expanding: bool = True,
    purge_ns: int = 0,
) -> tuple[WalkForwardWindow, ...]:
    """Cut a span of time into windows.

    The last ``1 - train_ratio`` of it is cut into `n_splits` equal, adjacent test windows. Each
    training window ends `purge_ns` before its test; it begins with the span (expanding), or
    ``train_ratio`` of the span before its end (rolling), though never before the span.

    Parameters
    ----------
    first_ns, last_ns : int
        The times of the first and of the last row.
    n_splits : int
        How many windows.
    train_ratio : float
        Fraction of the span before the first test, in (0, 1).
    expanding : bool
    purge_ns : int
        Gap between training and test.

    Raises
    ------
    ValueError
        If the span is empty, or too short for as many windows; if the purge leaves nothing to
        train on.
    """
    span = last_ns - first_ns
    if span <= 0:
        raise ValueError(
            "windows need data that spans some time, and all of it is of one moment, "
            f"{stamp_text(first_ns)}"
        )
    edges = [first_ns + share_of(span, train_ratio, k, n_splits) for k in range(n_splits + 1)]
    if edges[0] == first_ns or any(start >= end for start, end in pairwise(edges)):
        raise ValueError(
            f"n_splits={n_splits:,} and train_ratio={train_ratio!r} leave windows empty: the data "
            f"spans {span / 1e9:g} seconds"
        )
    length = edges[0] - first_ns
    if purge_ns >= length:
        raise ValueError(
            "purge_gap must be shorter than the first training window, which has "
            f"{length / 1e9:g} seconds (train_ratio={train_ratio!r} of {span / 1e9:g} seconds); "
            f"was {purge_ns / 1e9:g} seconds"
        )
    windows = []
    for number in range(n_splits):
        test_start, test_end = edges[number], edges[number + 1]
        train_end = test_start - purge_ns
        train_start = first_ns if expanding else max(first_ns, train_end - length)
        windows.append(
            WalkForwardWindow(
                number, train_start, train_end, test_start, test_end, number == n_splits - 1
            )
        )
    return tuple(windows)
