"""A tearsheet of a period, of some markets, or beside another benchmark: every number anew."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from horizon import checks, words
from horizon.analytics import fill_parts, holdings, trades
from horizon.analytics.cautions import cautions_of
from horizon.analytics.curves import Curve, curve_of
from horizon.analytics.fills import FillTable
from horizon.analytics.metrics import Metrics
from horizon.analytics.products import dot
from horizon.analytics.spans import Span, within
from horizon.analytics.tearsheet import Tearsheet
from horizon.columns import numbers

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SAME", "TearsheetPart", "tearsheet_part"]

#: The benchmark that the whole has.
SAME: Final = object()
#: Names that a sentence has at most.
_MOST_NAMES: Final = 5


class TearsheetPart(Tearsheet):
    """What can be said of a part of what a tearsheet is of; made by `tearsheet_part`.

    Attributes
    ----------
    whole : Tearsheet
        What it is a part of.
    span : Span
    markets : tuple of str or None
        None where no market is left out.
    """

    def __init__(
        self,
        whole: Tearsheet,
        span: Span,
        markets: tuple[str, ...] | None,
        benchmark: Any,
        benchmark_name: str,
    ) -> None:
        self.whole, self.span, self.markets = whole, span, markets
        rows = np.ones(len(whole.fills), dtype=bool)
        curve, outcomes = whole.curve, whole._outcomes
        if markets is not None:
            rows = fill_parts.are_of(whole.fills, markets)
            # All that was traded in these markets, from the beginning.
            self._history = fill_parts.kept_rows(whole.fills, rows)
            curve = fill_parts.realised_curve(curve, self._history)
            if outcomes is not None:
                outcomes = {m: value for m, value in outcomes.items() if m in markets}
        else:
            self._history = whole.fills
        rows &= (whole.fills.times_ns >= span.first_ns) & (whole.fills.times_ns < span.stop_ns)
        if benchmark is not None:
            benchmark = curve_of(benchmark, name="benchmark")
            if np.array_equal(benchmark.times_ns, curve.times_ns):
                benchmark = within(benchmark, span)  # still point by point
        super().__init__(
            within(curve, span),
            fills=fill_parts.kept_rows(whole.fills, rows),
            sampling=whole.sampling,
            risk_free=whole.risk_free,
            rolling_window=whole._window,
            benchmark=benchmark,
            benchmark_name=benchmark_name,
            outcomes=outcomes,
            fair_values=_fair_values(whole, rows),
            title=whole.title,
            currency=whole.currency,
        )

    # ------------------------------------------------------------------ what began before it
    @cached_property
    def metrics(self) -> Metrics:
        """All metrics in one record; what was held at the start of the period counts as held."""
        found: Metrics = _of_super("metrics", self)
        curve, history = self.curve, self._history
        if self.span.start_ns is None or len(history) == 0 or len(curve) < 2:
            return found
        start, end = int(curve.times_ns[0]), int(curve.times_ns[-1])
        if end <= start:
            return found
        held: dict[str, Any] = {"time_in_market": holdings.time_in_market(history, start, end)}
        steps = np.diff(curve.times_ns).astype(np.float64)
        mean = dot(steps, curve.equity[:-1]) / (end - start)
        if mean > 0.0:
            gross, net = holdings.exposure(history).mean(start, end)
            held["average_gross_exposure"] = gross / mean
            held["average_net_exposure"] = net / mean
        return replace(found, **held)

    @cached_property
    def round_trips(self) -> pd.DataFrame:
        """One row for each position that came back to flat in the period, whenever it began."""
        found = trades.round_trips(self._history)
        ended = found.closed_ns
        inside = (ended >= self.span.first_ns) & (ended < self.span.stop_ns)
        return found.to_frame()[inside].reset_index(drop=True)

    @cached_property
    def exposure(self) -> holdings.Exposure:
        """Gross and net positions at entry cost, at the start of the period and at each change."""
        found = holdings.exposure(self._history)
        if self.span.is_all or len(self.curve) == 0:
            return found
        times, start = found.times_ns, int(self.curve.times_ns[0])
        first = int(np.searchsorted(times, start, side="right"))
        stop = int(np.searchsorted(times, self.span.stop_ns, side="left"))
        if first == 0:
            return holdings.Exposure(times[:stop], found.gross[:stop], found.net[:stop])
        own = slice(first - 1, stop)
        moved = times[own].copy()
        moved[0] = start
        return holdings.Exposure(moved, found.gross[own], found.net[own])

    @cached_property
    def cautions(self) -> list[str]:
        """What to know before reading the numbers: first what this is a part of."""
        usual = set(cautions_of(self.whole, self.whole._benchmark))
        of_the_run = [text for text in self.whole.cautions if text not in usual]
        return [*self._of_markets(), *self._of_span(), *_of_super("cautions", self), *of_the_run]

    def _of_markets(self) -> list[str]:
        if self.markets is None:
            return []
        total = len(fill_parts.markets_of(self.whole.fills))
        few = ", ".join(words.name(name) for name in self.markets[:_MOST_NAMES])
        more = len(self.markets) - _MOST_NAMES
        names = f"{few} and {more:,} more" if more > 0 else few
        last_ns = int(self.curve.times_ns[-1]) if len(self.curve) else 0
        still = fill_parts.open_before(self._history, min(last_ns + 1, self.span.stop_ns))
        left = (
            f" {still:,} position{'' if still == 1 else 's'} in them "
            f"{'is' if still == 1 else 'are'} open at the end, not counted."
            if still
            else ""
        )
        return [
            f"Of {len(self.markets):,} of {total:,} markets ({names}): equity is the whole initial "
            "capital and the profit that these markets realised, after their fees, from when it "
            "was realised. What open positions were worth meanwhile is not in it: drawdowns and "
            f"volatility may look smaller than they were.{left}"
        ]

    def _of_span(self) -> list[str]:
        if self.span.is_all:
            return []
        n, of = len(self.returns), len(self.whole.returns)
        said = [
            f"Period {self.span}: {n:,} of {of:,} returns. Its initial capital is the equity at "
            f"{_clock(self.curve)} UTC."
        ]
        if self.span.start_ns is not None:
            held = fill_parts.open_before(self._history, self.span.start_ns)
            if held:
                said.append(
                    f"{held:,} position{' was' if held == 1 else 's were'} open when it began: "
                    "what closes one counts from its entry before, with its share of the fees."
                )
        return said


def tearsheet_part(
    whole: Tearsheet,
    *,
    span: Span | None = None,
    markets: Iterable[str] | None = None,
    benchmark: Any = SAME,
    benchmark_name: str | None = None,
) -> Tearsheet:
    """Work a tearsheet out again for a period, some markets, or another benchmark.

    Parameters
    ----------
    whole : Tearsheet
    span : Span, optional
        Of equity, the returns that end in it; of fills, those within it, each with what it did to
        its position in the whole history. The sampling stays that of the whole, so that ratios
        of periods can be compared.
    markets : iterable of str, optional
        Equity is then the initial capital and what these markets have realised, less their fees:
        what one market was worth at each moment is in no curve.
    benchmark, benchmark_name : optional
        As `generate_tearsheet` takes them; None is none. By default that of the whole.

    Returns
    -------
    Tearsheet
        The whole itself where nothing is another.

    Raises
    ------
    ValueError
        If no point lies in the span, or a market has no fill.
    DataError
        If the benchmark begins too late.

    Examples
    --------
    >>> sheet = hz.generate_tearsheet([("2024-01-31", 100.0), ("2024-02-29", 110.0)])
    >>> february = hz.analytics.span_between("2024-02-01", "2024-02-29")
    >>> part = hz.analytics.tearsheet_part(sheet, span=february)
    >>> round(part.metrics.total_return_pct, 4)
    0.1
    """
    span = Span() if span is None else span
    chosen = None if markets is None else _markets(whole.fills, markets)
    is_same = benchmark is SAME
    against = whole._benchmark if is_same else benchmark
    name = whole.benchmark_name if benchmark_name is None else benchmark_name
    if span.is_all and chosen is None and (is_same or against is whole._benchmark):
        return whole
    return TearsheetPart(whole, span, chosen, against, name)


def _markets(fills: FillTable, markets: Iterable[str]) -> tuple[str, ...] | None:
    known = fill_parts.markets_of(fills)
    wanted = [markets] if isinstance(markets, str) else list(markets)
    for name in wanted:
        if name not in known:
            raise ValueError(
                f"markets must have fills, {checks.show(name)} has none"
                f"{checks.suggestion(str(name), known)}"
            )
    if not wanted:
        raise ValueError("markets must name one market at least, named none")
    chosen = tuple(name for name in known if name in set(wanted))
    return None if len(chosen) == len(known) else chosen


def _fair_values(whole: Tearsheet, rows: NDArray[np.bool_]) -> NDArray[np.float64] | None:
    """The fair values of the fills among some rows, in their order."""
    if whole._fair_values is None:
        return None
    fills = whole.fills
    values, _ = numbers(whole._fair_values)
    kept = rows & ~fills.is_settlement
    own: NDArray[np.float64] = values[fills.source_rows[kept]]
    return own


def _of_super(name: str, sheet: TearsheetPart) -> Any:
    """What a tearsheet of the part alone would say."""
    return Tearsheet.__dict__[name].func(sheet)


def _clock(curve: Curve) -> str:
    return words.clock(checks.ns_to_seconds(int(curve.times_ns[0])), date=True)
