"""How an edge shrinks as events come nearer to their resolution."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from horizon import checks
from horizon.analytics.forecasts import (
    Floats,
    are_binary,
    chunks,
    html_table,
    number_column,
    one_column,
    refuse,
    same_labels,
    same_lengths,
    unit_range,
)
from horizon.analytics.products import dot
from horizon.columns import NEVER, nanoseconds

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

__all__ = ["EdgeDecay", "edge_decay"]

#: Seconds either way of 1970 that a time may lie at: int64 nanoseconds end in the year 2262.
_LATEST_S: Final = 9.2e9
_MOST_BUCKETS: Final = 100_000
#: A change of ln(edge) from end to end that is below this is what rounding leaves of none.
_FLAT: Final = 1e-12
#: Rows of a table in a notebook; the frame holds all of them.
_MOST_ROWS: Final = 60


@dataclass(frozen=True)
class EdgeDecay:
    """Mean edge by time left to resolution, and how fast it halves.

    Not made by hand: `edge_decay` returns it.

    Attributes
    ----------
    decay_curve : list of (float, float)
        For each bucket its centre, in hours before resolution, and the mean edge of the entries
        in it; an empty one is ``(centre, 0.0)``.
    half_life_hours : float
        Hours in which the fitted edge halves as resolution comes nearer; ``inf`` where it does
        not shrink, or where fewer than two buckets have a positive mean edge.
    counts : list of int
        Entries in each bucket.
    standard_errors : list of float
        Of each mean edge (ddof 1), with the entries taken as independent; ``inf`` where there
        are fewer than two.
    intercept, slope : float or None
        The fit ``ln(mean edge) = intercept + slope * hours``, by least squares over the buckets
        with a positive mean edge, each weighted by its count; None with fewer than two of them.
    fitted : list of float
        The fitted edge at each bucket's centre; empty without a fit.
    bucket_edges : list of float
        Where the buckets begin and end, in hours, one more than there are buckets.
    mean_edge : float
        Over all entries; 0.0 without any.
    count : int
        Number of entries.

    Examples
    --------
    A mean edge of 0.2 in the bucket about six hours, of 0.4 in that about eighteen: it halves in
    twelve.

    >>> resolved = 86_400.0
    >>> decay = hz.edge_decay([0.8, 0.6], [1, 1], [64_800.0, 0.0], [resolved] * 2, n_buckets=2)
    >>> [(hours, round(edge, 4)) for hours, edge in decay.decay_curve]
    [(6.0, 0.2), (18.0, 0.4)]
    >>> round(decay.half_life_hours, 4)
    12.0
    """

    decay_curve: list[tuple[float, float]]
    half_life_hours: float
    counts: list[int]
    standard_errors: list[float]
    intercept: float | None
    slope: float | None
    fitted: list[float]
    bucket_edges: list[float]
    mean_edge: float
    count: int

    @property
    def longest_hours(self) -> float:
        """The longest time that an entry lies before its resolution."""
        return self.bucket_edges[-1]

    def edge_at(self, hours: Any) -> Floats:
        """Return the fitted edge at `hours` before resolution; empty without a fit.

        Parameters
        ----------
        hours : float or array of shape (n,)
        """
        if self.intercept is None or self.slope is None:
            return np.zeros(0)
        return _exp(self.intercept + self.slope * np.asarray(hours, dtype=np.float64))

    def to_frame(self) -> pd.DataFrame:
        """The buckets as a table, one row each; ``fitted`` is missing without a fit."""
        import pandas as pd

        columns = {
            "from_hours": self.bucket_edges[:-1],
            "to_hours": self.bucket_edges[1:],
            "hours": [hours for hours, _ in self.decay_curve],
            "mean_edge": [edge for _, edge in self.decay_curve],
            "standard_error": self.standard_errors,
            **({"fitted": self.fitted} if self.fitted else {}),
        }
        frame = pd.DataFrame(columns, dtype=np.float64)
        frame.insert(5, "count", np.array(self.counts, dtype=np.int64))
        frame.index.name = "bucket"
        return frame

    def figure(self, *, theme: str = "light") -> go.Figure:
        """Draw the mean edges with their standard errors, and the fit.

        Parameters
        ----------
        theme : {"light", "dark"}
        """
        from horizon.figures.calibration import edge_decay as draw

        return draw(self, theme=theme)

    def __repr__(self) -> str:
        return (
            f"EdgeDecay({_counted(self)}: half-life {_hours(self.half_life_hours)}, "
            f"mean edge {self.mean_edge:.4f})"
        )

    def _repr_html_(self) -> str:
        summary = [
            ("Half-life", _hours(self.half_life_hours)),
            ("Mean edge", f"{self.mean_edge:.6f}"),
            ("Longest before resolution", _hours(self.longest_hours)),
        ]
        fitted = self.fitted or [math.nan] * len(self.counts)
        rows = [
            (
                f"{start:.4g} to {stop:.4g} h",
                f"{edge:.4f}" if count else "–",
                f"{error:.4f}" if count > 1 else "–",
                "–" if math.isnan(fit) else f"{fit:.4f}",
                f"{count:,}",
            )
            for start, stop, (_, edge), error, fit, count in zip(
                self.bucket_edges[:-1],
                self.bucket_edges[1:],
                self.decay_curve,
                self.standard_errors,
                fitted,
                self.counts,
                strict=True,
            )
        ]
        header = ("Before resolution", "Mean edge", "Standard error", "Fitted", "Count")
        cut = f", the first {_MOST_ROWS} of {len(rows):,}" if len(rows) > _MOST_ROWS else ""
        return html_table(f"Edge decay of {_counted(self)}", (), summary) + html_table(
            f"Buckets{cut}", header, rows[:_MOST_ROWS]
        )


def _counted(result: EdgeDecay) -> str:
    entries, buckets = result.count, len(result.counts)
    return (
        f"{entries:,} entr{'y' if entries == 1 else 'ies'} in {buckets:,} "
        f"bucket{'' if buckets == 1 else 's'}"
    )


def _hours(hours: float) -> str:
    return f"{hours:,.4g} h" if math.isfinite(hours) else "∞"


def edge_decay(
    entry_prices: Any,
    outcomes: Any,
    entry_ts: Any,
    resolution_ts: Any,
    n_buckets: int = 10,
    *,
    ties: bool = False,
) -> EdgeDecay:
    """Measure how the edge of entries depends on the time left to resolution.

    The edge of an entry is its outcome − its price: what a contract bought there earned. For
    contracts sold, or bought as NO, give 1 − price and 1 − outcome.

    Parameters
    ----------
    entry_prices : array, Series or iterable of float, shape (n,)
        In [0, 1].
    outcomes : array, Series or iterable of float, shape (n,)
        1 (or True) where the market resolved to YES, 0 (or False) where not.
    entry_ts, resolution_ts : array, Series or iterable of times, shape (n,)
        Epoch seconds, datetimes or ISO text; what has no zone is UTC. An entry at the moment of
        its resolution is taken, a later one is not.
    n_buckets : int
        Buckets of one width from resolution to the entry that lies longest before it; at most
        100,000. An entry h hours before falls into ``min(int(h / longest * n_buckets),
        n_buckets - 1)``, all into the first where the longest is 0.
    ties : bool
        Take outcomes between 0 and 1 too, such as 0.5 for a market resolved half and half.

    Returns
    -------
    EdgeDecay
        Without any entry the buckets are empty, and the longest time is 0.

    Raises
    ------
    DataError
        A ``ValueError`` naming argument, row and value: a price outside [0, 1], an outcome that
        is not 0 or 1, a time that cannot be read, an entry after its resolution.
    TypeError, ValueError
        If columns differ in length or an argument is not as above.

    Notes
    -----
    The fit leaves buckets out whose mean edge is not positive. Where chance alone makes them so,
    what is left looks better than it is, and the half-life is then not to be trusted: look at
    the standard errors.

    Examples
    --------
    Entries two days and one day before, with edges of 0.8 and 0.4; the second lies on the edge of
    the buckets and belongs to the later one.

    >>> day = 86_400.0
    >>> decay = hz.edge_decay([0.2, 0.6], [1, 1], [0.0, day], [2 * day, 2 * day], n_buckets=2)
    >>> [(hours, round(edge, 4)) for hours, edge in decay.decay_curve], decay.counts
    ([(12.0, 0.0), (36.0, 0.6)], [0, 2])
    """
    n_buckets = checks.integer("n_buckets", n_buckets)
    if n_buckets > _MOST_BUCKETS:
        raise ValueError(f"n_buckets must be at most {_MOST_BUCKETS:,}, was {n_buckets}")
    ties = checks.flag("ties", ties)
    prices = number_column("entry_prices", entry_prices)
    came = number_column("outcomes", outcomes, booleans=True)
    entry, resolution, per_hour = _time_columns(entry_ts, resolution_ts)
    n = same_lengths(entry_prices=prices, outcomes=came, entry_ts=entry, resolution_ts=resolution)
    same_labels(
        entry_prices=entry_prices,
        outcomes=outcomes,
        entry_ts=entry_ts,
        resolution_ts=resolution_ts,
    )
    longest = 0.0  # in the columns' own unit, as a quotient of two times needs no other
    for rows in chunks(n):
        longest = max(longest, _longest(entry[rows], resolution[rows], rows.start))

    counts, means = np.zeros(n_buckets), np.zeros(n_buckets)
    squares = np.zeros(n_buckets)  # of the deviations from the mean
    for rows in chunks(n, n_buckets):
        part, happened = prices[rows], came[rows]
        unit_range("entry_prices", part, rows.start)
        are_binary("outcomes", happened, rows.start, ties)
        edge = happened - part
        if longest:
            place = _span(entry[rows], resolution[rows])
            place /= longest
            place *= n_buckets
            codes = place.astype(np.intp)
            np.minimum(codes, n_buckets - 1, out=codes)
        else:
            codes = np.zeros(len(part), dtype=np.intp)
        # Means and squares chunk by chunk, put together as Chan et al. (1983) do: a sum of the
        # edges' own squares would leave nothing of a small spread.
        here = np.bincount(codes, minlength=n_buckets).astype(np.float64)
        mean = np.bincount(codes, edge, n_buckets) / np.maximum(here, 1.0)
        edge -= mean[codes]
        both = np.maximum(counts + here, 1.0)
        apart = mean - means
        squares += np.bincount(codes, edge * edge, n_buckets)
        squares += apart * apart * (counts * here / both)
        means += apart * (here / both)
        counts += here
    return _result(longest / per_hour, counts, means, squares)


def _result(longest: float, counts: Floats, means: Floats, squares: Floats) -> EdgeDecay:
    n_buckets = len(counts)
    centres: Floats = (np.arange(n_buckets) + 0.5) * longest / n_buckets
    edges = np.arange(n_buckets + 1) * longest / n_buckets
    edges[-1] = longest
    errors = np.full(n_buckets, np.inf)
    many = counts > 1.0
    errors[many] = np.sqrt(squares[many] / (counts[many] - 1.0) / counts[many])
    fit = _fit(centres, means, counts) if longest else None
    fitted = [] if fit is None else _exp(fit[0] + fit[1] * centres).tolist()
    falls = fit is not None and fit[1] > 0.0
    return EdgeDecay(
        decay_curve=list(zip(centres.tolist(), means.tolist(), strict=True)),
        half_life_hours=math.log(2.0) / fit[1] if fit is not None and falls else math.inf,
        counts=[int(count) for count in counts.tolist()],
        standard_errors=errors.tolist(),
        intercept=None if fit is None else fit[0],
        slope=None if fit is None else fit[1],
        fitted=fitted,
        bucket_edges=edges.tolist(),
        mean_edge=dot(counts, means) / max(float(counts.sum()), 1.0),
        count=int(counts.sum()),
    )


def _fit(hours: Floats, means: Floats, counts: Floats) -> tuple[float, float] | None:
    """Intercept and slope of ln(mean edge) on hours, weighted by counts."""
    used = (means > 0.0) & (counts > 0.0)
    if np.count_nonzero(used) < 2:
        return None
    x, y, weights = hours[used], np.log(means[used]), counts[used]
    middle_x = float(np.average(x, weights=weights))
    middle_y = float(np.average(y, weights=weights))
    away = weights * (x - middle_x)
    spread = dot(away, x - middle_x)
    if not spread > 0.0:  # a span so short that its squares are 0
        return None
    slope = dot(away, y - middle_y) / spread
    if abs(slope) * float(hours[-1]) < _FLAT:
        slope = 0.0
    return middle_y - slope * middle_x, slope


def _exp(exponents: Floats) -> Floats:
    """e to these; a fit that runs away far from its points ends at the largest float."""
    return np.exp(np.minimum(exponents, 709.0))


# ------------------------------------------------------------------------ times
def _time_columns(entry_ts: Any, resolution_ts: Any) -> tuple[NDArray[Any], NDArray[Any], float]:
    """Both columns of times in one unit, seconds or nanoseconds, and how many make an hour."""
    columns = {"entry_ts": entry_ts, "resolution_ts": resolution_ts}
    for name, values in columns.items():
        one_column(name, values, "times")
        if isinstance(values, np.ma.MaskedArray):
            columns[name] = np.ma.filled(values.astype(object), None)
        elif not isinstance(values, (np.ndarray, list)) and not hasattr(values, "to_numpy"):
            columns[name] = list(values)
    seconds = [_seconds(values) for values in columns.values()]
    if seconds[0] is not None and seconds[1] is not None:
        return seconds[0], seconds[1], 3_600.0
    times = []
    for name, values in columns.items():
        ns = nanoseconds(values, None)
        unread = np.flatnonzero(ns == NEVER)
        if len(unread):
            row = int(unread[0])
            given = values.to_numpy() if hasattr(values, "to_numpy") else values
            refuse(name, row, given[row], "a time that can be read")
        times.append(ns)
    return times[0], times[1], 3_600e9


def _seconds(values: Any) -> Floats | None:
    """A column of epoch seconds as it is; None where it holds anything but floats."""
    if isinstance(values, list) and set(map(type, values)) == {float}:
        return np.fromiter(values, np.float64, len(values))
    if isinstance(values, np.ndarray):
        return values if values.dtype == np.float64 else None
    return None


def _span(entry: NDArray[Any], resolution: NDArray[Any]) -> Floats:
    """Time from entry to resolution, in their unit."""
    if entry.dtype == np.float64:
        return np.asarray(resolution - entry)
    # As unsigned numbers the difference is right even across the whole range of int64.
    return (resolution.view(np.uint64) - entry.view(np.uint64)).astype(np.float64)


def _longest(entry: NDArray[Any], resolution: NDArray[Any], start: int) -> float:
    """Check the times of a chunk; return its longest time to resolution."""
    if entry.dtype == np.float64:
        span = resolution - entry
        # In order, and the ends within reach: so is all between. NaN fails every comparison.
        if span.min() >= 0.0 and entry.min() >= -_LATEST_S and resolution.max() <= _LATEST_S:
            return float(span.max())
        for name, times in (("entry_ts", entry), ("resolution_ts", resolution)):
            wrong = np.flatnonzero(~((times >= -_LATEST_S) & (times <= _LATEST_S)))
            if len(wrong):
                row = int(wrong[0])
                accepted = "a time within 9.2e9 seconds of 1970"
                refuse(name, start + row, float(times[row]), accepted)
    late = np.flatnonzero(entry > resolution)
    if len(late):
        row = int(late[0])
        given, end = (
            str(times[row].astype("datetime64[ns]")) if times.dtype == np.int64 else times[row]
            for times in (entry, resolution)
        )
        refuse("entry_ts", start + row, given, f"no later than its resolution at {end}")
    return float(_span(entry, resolution).max())
