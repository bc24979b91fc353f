"""What a search for look-ahead has found, in words and as tables."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple, NoReturn

import numpy as np

from horizon import checks, words
from horizon.backtesting.decisions import Decision, Message
from horizon.feeds.times import stamp_text
from horizon.instruments import split_side

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["LatestRow", "Leak", "LookaheadReport", "Rerun", "order_of", "said"]

#: Longest text of one output.
_LONGEST: Final = 160
_HOW: Final = {
    "repeated": "on the same data again",
    "truncated": "without the rows after {}",
    "perturbed": "with other numbers in the rows after {}",
}


class LatestRow(NamedTuple):
    """The last row that there was.

    Attributes
    ----------
    feed : str
    row : int
        Its number in the feed, from 0; rows that were dropped as bad are not counted.
    timestamp : float
        Seconds since 1970.
    price : float
        NaN where it has none.
    """

    feed: str
    row: int
    timestamp: float
    price: float


@dataclass(frozen=True, slots=True)
class Leak:
    """A decision that came out otherwise when the data after it was other.

    Attributes
    ----------
    market_id : str
    time_ns : int
        When it was made; `timestamp` in seconds, `time` as a pandas Timestamp (UTC).
    kind : str
        What differed: ``"output"`` or ``"exception"`` of a stage, ``"signals"`` of a strategy,
        ``"order"``, ``"fill"`` or
        another of `horizon.backtesting.decisions.Decision`.
    name : str
        The stage, or the order's id.
    whole, rerun : str
        What was decided in the run on all data, and in the other one, in words.
    order : str
        The order that came of it at that time in the first of the two that sent one, in words;
        empty if neither did.
    how : {"truncated", "perturbed", "repeated"}
        What was done to the data of the other run.
    cut_ns : int
        The time up to which both had the same data.
    latest_row : LatestRow or None
        The last row that the decision can have seen.
    """

    market_id: str
    time_ns: int
    kind: str
    name: str
    whole: str
    rerun: str
    order: str
    how: str
    cut_ns: int
    latest_row: LatestRow | None

    @property
    def timestamp(self) -> float:
        """When the decision was made, in seconds since 1970."""
        return checks.ns_to_seconds(self.time_ns)

    @property
    def time(self) -> pd.Timestamp:
        """When the decision was made (UTC)."""
        import pandas as pd

        return pd.Timestamp(self.time_ns, tz="UTC")

    @property
    def words(self) -> str:
        """All of it as sentences."""
        how = _HOW[self.how].format(stamp_text(self.cut_ns))
        lines = [
            f"{_market(self.market_id)}, {stamp_text(self.time_ns)}:",
            f"  with all data  {self.whole}",
            f"  {how}  {self.rerun}",
        ]
        width = max(len("with all data"), len(how))
        lines[1] = f"  {'with all data':<{width}}  {self.whole}"
        lines[2] = f"  {how:<{width}}  {self.rerun}"
        if self.order and self.order not in (self.whole, self.rerun):
            lines.append(f"  what came of it: {self.order}")
        row = self.latest_row
        if row is not None:
            price = "" if row.price != row.price else f", price {words.price(row.price)}"
            at = stamp_text(checks.seconds_to_ns(row.timestamp))
            lines.append(
                f"The latest row that it can have seen is row {row.row:,} of feed "
                f"{words.name(row.feed)} ({at}{price})."
            )
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"<Leak: {self.words}>"

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(self.words)}</pre>"


@dataclass(frozen=True, slots=True)
class Rerun:
    """One further run.

    Attributes
    ----------
    how : {"truncated", "perturbed", "repeated"}
    is_search : bool
        Whether it only narrows down what another has found.
    cut_ns : int
        The last time at which it had the same data.
    compared : int
        Decisions that came out the same.
    difference : Decision or None
        The first that did not.
    failed : str
        Why it could not be made; empty if it was.
    """

    how: str
    is_search: bool
    cut_ns: int
    compared: int
    difference: Decision | None
    failed: str = ""


class LookaheadReport:
    """What `hz.check_lookahead` has found.

    Not made by hand: `hz.check_lookahead` returns it.

    A report is neither true nor false, for "found" and "fine" would both be good readings: ask
    `found`, `ok` or `repeatable`, or write ``assert report.ok, report``.

    Attributes
    ----------
    first : Leak or None
        The earliest decision found that used what it could not have seen; or, if the pipeline is
        not repeatable, the first that came out otherwise on the same data.
    repeatable : bool
        Whether two runs on the same data decided the same.
    decisions : int
        Decisions of the run that were compared: outputs of stages, orders, fills and so on, up to
        the last cut.
    kinds : dict of str to int
        Those by their kind.
    notes : list of str
        What to know before relying on it, as sentences.

    Examples
    --------
    Stages that read nothing but their context are given no future:

    >>> ticks = [{"timestamp": i, "price": 0.5 + 0.01 * (i % 3)} for i in range(20)]
    >>> def quoter(ctx):
    ...     return hz.quotes(ctx.feed.price, spread=0.04, size=10)
    >>> report = hz.check_lookahead(ticks, [quoter])
    >>> report.ok, report.first
    (True, None)
    >>> sorted(report.kinds)  # what was compared
    ['end', 'fill', 'order', 'output']
    """

    def __init__(
        self,
        *,
        first: Leak | None,
        repeatable: bool,
        kinds: Mapping[str, int],
        reruns: Sequence[Rerun],
        notes: Sequence[str],
    ) -> None:
        self.first = first
        self.repeatable = repeatable
        self.kinds = dict(kinds)
        self.decisions = sum(self.kinds.values())
        self.notes = list(notes)
        self._reruns = tuple(reruns)

    @property
    def found(self) -> bool:
        """Whether a decision used data that it could not have seen."""
        return self.repeatable and self.first is not None

    @property
    def ok(self) -> bool:
        """Whether the pipeline is repeatable and nothing was found."""
        return self.repeatable and self.first is None

    def __bool__(self) -> NoReturn:
        raise TypeError("a LookaheadReport is neither true nor false: ask .found or .ok")

    @property
    def reruns(self) -> pd.DataFrame:
        """Every further run: what was done to the data, after when, and what came of it.

        Columns: `how`; `search`, whether it only narrowed down what was found; `cut` (UTC);
        `compared`, decisions that came out the same; `differs_at` (UTC), `market`, `what` and
        `came_out`, the first that did not (NaT and empty without); `failed`, why a run could not
        be made.
        """
        import pandas as pd

        runs = self._reruns
        found = [run.difference for run in runs]

        def times(stamps: list[int | None]) -> pd.DatetimeIndex:
            ns = ["NaT" if one is None else one for one in stamps]
            return pd.DatetimeIndex(np.array(ns, dtype="datetime64[ns]"), tz="UTC")

        return pd.DataFrame(
            {
                "how": [run.how for run in runs],
                "search": np.array([run.is_search for run in runs], dtype=bool),
                "cut": times([run.cut_ns for run in runs]),
                "compared": np.array([run.compared for run in runs], dtype=np.int64),
                "differs_at": times([None if one is None else one.time_ns for one in found]),
                "market": ["" if one is None else one.market_id for one in found],
                "what": ["" if one is None else f"{one.kind} {one.name}" for one in found],
                "came_out": ["" if one is None else said(one) for one in found],
                "failed": [run.failed for run in runs],
            }
        )

    # ------------------------------------------------------------------ shown
    @property
    def words(self) -> str:
        """All of it as text."""
        lines = [self._head()]
        if self.first is not None:
            lines.append(self.first.words)
        return "\n".join([*lines, self._compared(), *(f"! {note}" for note in self.notes)])

    def __repr__(self) -> str:
        return self.words

    def _repr_html_(self) -> str:
        leak = "" if self.first is None else f"<pre>{html.escape(self.first.words)}</pre>"
        notes = "".join(
            f'<p style="margin:.3em 0;font-size:.9em">{html.escape(note)}</p>'
            for note in self.notes
        )
        return (
            '<div style="color:inherit;background:transparent;max-width:60em">'
            f"<p><strong>{html.escape(self._head())}</strong></p>{leak}"
            f'<p style="opacity:.75">{html.escape(self._compared())}</p>{notes}</div>'
        )

    def _head(self) -> str:
        if not self.repeatable:
            return (
                "Not repeatable: two runs on the same data decided otherwise, so that nothing can "
                "be said about look-ahead. What a stage keeps from one run to the next, or draws "
                "by chance, must be made anew and with a seed: give pipeline_factory."
            )
        if self.first is not None:
            return "Look-ahead: a decision used data that it could not have seen."
        return "No look-ahead found."

    def _compared(self) -> str:
        kinds = ", ".join(f"{count:,} {_plural(kind, count)}" for kind, count in self.kinds.items())
        done = [run for run in self._reruns if not run.failed and run.how != "repeated"]
        cuts = len({run.cut_ns for run in done})
        text = f"{self.decisions:,} decisions"
        if kinds:
            text += f" ({kinds})"
        if not self.repeatable:
            return f"{text} of the first run."
        return (
            f"{text} compared with {len(done)} runs on data cut at {cuts} "
            f"{'time' if cuts == 1 else 'times'}."
        )


# ------------------------------------------------------------------------ decisions in words
def said(decision: Decision | None, *, exactly: bool = False) -> str:
    """Say what was decided.

    Parameters
    ----------
    exactly : bool
        Write every digit of numbers.
    """
    if decision is None:
        return "decided nothing more"
    _, _, kind, name, terms = decision
    name = words.name(name)
    if kind in ("output", "signals"):
        who = "stage" if kind == "output" else "strategy"
        return f"{who} {name} returned {_value(terms, exactly)}"
    if kind == "exception":
        error, message, *whose = terms
        text = message.text if isinstance(message, Message) else str(message)
        who = whose[0] if whose else "stage"
        return _cut(f"{who} {name} raised {error}: {words.name(text)}")
    if kind in ("order", "order rejected"):
        text = f"order {name}: {_order(terms, exactly)}"
        return text if kind == "order" else f"{text}, rejected"
    if kind == "fill":
        return f"fill of {name}: {_number(terms[0], exactly)} at {_number(terms[1], exactly)}"
    if kind == "amendment":
        return f"{name} amended to {_number(terms[0], exactly)} at {_number(terms[1], exactly)}"
    if kind == "cancel":
        return f"cancel of {name} sent"
    if kind == "end":
        reason = terms[0] if terms and terms[0] else "cancelled"
        return f"{name} ended: {words.name(str(reason))}"
    if kind == "refusal":
        return f"an order refused by {name}"
    return f"{kind} {name}"


def order_of(decisions: Sequence[Decision], market: str, time_ns: int) -> str:
    """Say which order was sent first for a market at a time; empty if none was."""
    for decision in decisions:
        if decision.time_ns > time_ns:
            break
        is_order = decision.kind in ("order", "order rejected")
        if is_order and decision.time_ns == time_ns and decision.market_id == market:
            return said(decision)
    return ""


def _order(terms: Sequence[Any], exactly: bool) -> str:
    leg, sign, quantity, price, is_market = terms[:5]
    _, is_no = split_side(leg)
    side = " NO" if is_no else ""
    limit = "at the market" if is_market else f"at {_number(price, exactly)}"
    return f"{'buy' if sign > 0 else 'sell'} {_number(quantity, exactly)}{side} {limit}"


def _number(value: float, exactly: bool) -> str:
    return repr(value) if exactly else f"{value:.10g}"


def _value(terms: Any, exactly: bool) -> str:
    if isinstance(terms, float):
        return _number(terms, exactly)
    if type(terms) is tuple:
        return _cut("[" + ", ".join(_value(item, exactly) for item in terms[:9]) + "]")
    return _cut(words.name(" ".join(checks.show(terms).split())))


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _market(market_id: str) -> str:
    """A market in words; strategies that fail, or have nothing to say, speak of none."""
    return f"Market {words.name(market_id)}" if market_id else "All markets"


def _plural(kind: str, count: int) -> str:
    if kind == "order rejected":
        return "rejected order" if count == 1 else "rejected orders"
    kind = kind.removesuffix("s")  # a strategy's signals
    return kind if count == 1 else f"{kind}s"
