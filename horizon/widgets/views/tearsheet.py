"""The tearsheet view: a result's numbers, worked out again for a period and some markets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from horizon import checks, words
from horizon.analytics.curves import curve_of
from horizon.analytics.fill_parts import markets_of
from horizon.analytics.report import tables_of
from horizon.analytics.sheet_parts import SAME, TearsheetPart, tearsheet_part
from horizon.analytics.spans import Span, within
from horizon.analytics.tearsheet import Tearsheet
from horizon.backtesting.result import BacktestResult
from horizon.figures.performance import untitled_tearsheet
from horizon.widgets import fields
from horizon.widgets.fields import FieldError
from horizon.widgets.job import Tell
from horizon.widgets.palette import Palette
from horizon.widgets.views.base import View
from horizon.widgets.views.benchmarks import benchmark_options, benchmarks_given
from horizon.widgets.views.choices import (
    PERIOD,
    kept_markets,
    lines_of,
    market_field,
    markets_asked,
    period_chosen,
    period_fields,
    period_written,
    refuse_others,
    span_asked,
)
from horizon.widgets.views.files import sheet_file
from horizon.widgets.views.tables import table_picture
from horizon.widgets.views.work import Answer, Saved, Tab

__all__ = ["TearsheetView"]

_KEY: Final = (
    "total_return",
    "total_return_pct",
    "cagr",
    "volatility",
    "sharpe_ratio",
    "sharpe_standard_error",
    "sortino_ratio",
    "max_drawdown_pct",
    "total_trades",
    "win_rate",
    "profit_factor",
    "total_fees",
    "alpha",
    "beta",
    "brier_score",
)
_TABS: Final = (
    ("metrics", "All metrics"),
    ("returns", "Returns"),
    ("drawdowns", "Drawdowns"),
    ("markets", "Markets"),
    ("trips", "Round trips"),
)
_LEAVE: Final = object()


@dataclass(frozen=True, slots=True)
class _Base:
    """A tearsheet of the whole, and what can be chosen of it."""

    whole: Tearsheet
    markets: tuple[str, ...]
    #: By key: what it is called, and where it comes from; SAME is the whole's own.
    benchmarks: Mapping[str, tuple[str, Callable[[], Any]]]
    #: Those of them that do not begin with the whole, and why they cannot be compared with it.
    unsuited: Mapping[str, str]
    first_ns: int
    last_ns: int


@dataclass(frozen=True, slots=True)
class _Asked:
    span: Span
    markets: tuple[str, ...] | None
    benchmark: str


class TearsheetView(View):
    """Show a tearsheet, with every number worked out again for a period and some markets.

    A period keeps what its positions were bought for before it. Of some markets the equity is
    the whole capital and what these markets have realised, and that is said. Work goes on in the
    background; until it is done, what is shown stays, and says what it is of.

    Parameters
    ----------
    source : BacktestResult, Tearsheet, or an equity curve in any form, optional
        What `hz.backtest`, `hz.run` and `hz.generate_tearsheet` give; without one it is empty
        until `show` is called.
    benchmark : curve, or mapping of name to curve, optional
        What can be compared with, the first of them from the beginning. The markets whose prices
        a result has kept can be chosen beside them.
    palette : str or Palette

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above.
    RuntimeError
        Outside of an event loop, which every notebook has.

    Examples
    --------
    >>> day = 86_400.0
    >>> curve = [(0.0, 100.0), (day, 110.0), (2 * day, 99.0)]
    >>> index = [(0.0, 50.0), (day, 51.0), (2 * day, 52.0)]
    >>> view = hz.widgets.TearsheetView(curve, benchmark={"Index": index})
    >>> view.choose(period="mtd")
    >>> await view.settled()  # doctest: +SKIP
    >>> view.tearsheet.metrics.total_return_pct  # doctest: +SKIP
    -0.01
    >>> view.close()
    """

    kind = "Tearsheet"
    defaults: ClassVar[Mapping[str, str]] = {
        **PERIOD,
        "benchmark": "auto",
        "markets": "",
    }
    exports: ClassVar[Mapping[str, tuple[str, str]]] = {
        "html": ("Page", "one HTML page with the figure and every table"),
        "png": ("Picture", "a PNG picture of the figure"),
        "csv": ("Numbers, CSV", "all metrics with every digit, for a spreadsheet"),
        "json": ("Numbers, JSON", "all metrics, months, drawdowns and markets as JSON"),
        "curve": ("Curve, CSV", "the equity of every point, for a spreadsheet"),
    }

    def __init__(
        self,
        source: Any = None,
        *,
        benchmark: Any = None,
        palette: str | Palette = "blue-orange",
    ) -> None:
        self._given = benchmarks_given(benchmark)
        self._require(source)
        super().__init__(palette=palette)
        if source is not None:
            self.show(source)

    @property
    def tearsheet(self) -> Tearsheet | None:
        """The tearsheet on show; None until the first is worked out."""
        return None if self._made is None else self._made.answer.of

    def show(self, source: Any) -> None:
        """Show another source in this place; what was chosen stays where it still applies.

        Parameters
        ----------
        source : BacktestResult, Tearsheet, equity curve or None
            None shows nothing.
        """
        self._require(source)
        self.turn_to(source)

    def choose(
        self,
        *,
        period: str | None = None,
        start: Any = _LEAVE,
        end: Any = _LEAVE,
        markets: Any = _LEAVE,
        benchmark: Any = _LEAVE,
        **_others: Any,
    ) -> None:
        """Choose as in the form; what is not named stays as it is.

        Parameters
        ----------
        period : {"all", "mtd", "3m", "ytd", "1y"}, optional
            They end with the last point of the data.
        start, end : datetime or ISO text, or None for open, optional
            Text without a zone is UTC; a datetime without one is local time. Text that is a date
            alone as `end` is within the period.
        markets : iterable of str, or None for all, optional
        benchmark : str or None for none, optional
            The name of one that was given, or a market.

        Raises
        ------
        TypeError, ValueError
            If something cannot be chosen; nothing is changed then.
        """
        refuse_others(_others, ("period", "start", "end", "markets", "benchmark"))
        ends = {n: v for n, v in (("start", start), ("end", end)) if v is not _LEAVE}
        values = period_chosen(period, ends)
        if markets is not _LEAVE:
            values["markets"] = lines_of(markets)
        if benchmark is not _LEAVE:
            values["benchmark"] = "" if benchmark is None else self._key_of(benchmark)
        self.take_choices(values)

    def _key_of(self, name: str) -> str:
        base = self.base
        if base is None:
            return f"given:{name}" if name in self._given else f"market:{name}"
        for key, (_, _) in base.benchmarks.items():
            if key.partition(":")[2] == name:
                return str(key)
        known = [key.partition(":")[2] for key in base.benchmarks]
        raise ValueError(
            f"benchmark must be one of {', '.join(map(repr, known)) or 'none'}, was "
            f"{checks.show(name)}{checks.suggestion(str(name), known)}"
        )

    # ------------------------------------------------------------------ the source
    @staticmethod
    def _require(source: Any) -> None:
        if isinstance(source, (str, bytes, int, float)) or callable(source):
            raise TypeError(
                "source must be a result of hz.backtest or hz.run, a tearsheet or an equity "
                f"curve, was {checks.show(source)}"
            )

    def base_of(self, source: Any) -> _Base:
        """Make the tearsheet of the whole, and find what can be chosen of it."""
        if isinstance(source, BacktestResult):
            whole = source.tearsheet()
        elif isinstance(source, Tearsheet):
            whole = source
        else:
            whole = Tearsheet(curve_of(source, name="source"))
        options, unsuited = benchmark_options(source, whole, self._given)
        times = whole.curve.times_ns
        first, last = (int(times[0]), int(times[-1])) if len(times) else (0, 0)
        markets = tuple(markets_of(whole.fills))
        return _Base(whole, markets, options, unsuited, first, last)

    # ------------------------------------------------------------------ the choices
    def starting(self, base: _Base) -> dict[str, str]:
        """The whole time, all markets, and the first benchmark that was given."""
        suited = [key for key in base.benchmarks if key not in base.unsuited]
        first = next((key for key in suited if not key.startswith("market:")), "")
        values = {**self.defaults, "benchmark": first}
        return self.changed(base, values, {"period"})

    def adapted(self, base: _Base, values: dict[str, str]) -> tuple[dict[str, str], list[str]]:
        """Keep the period, and the markets and the benchmark if they are there."""
        start = self.starting(base)
        notes = []
        before = values["benchmark"]
        if before == "auto":
            values["benchmark"] = start["benchmark"]
            notes += [
                f"Not compared with {words.name(key.partition(':')[2])}: {words.name(why)}."
                for key, why in base.unsuited.items()
            ]
        elif before in base.unsuited or before not in ("", *base.benchmarks):
            name = words.name(before.partition(":")[2])
            why = words.name(base.unsuited.get(before, "it is not here"))
            notes.append(f"Not compared with {name}, as before: {why}.")
            values["benchmark"] = start["benchmark"]
        values["markets"], lost = kept_markets(values, base.markets)
        notes += lost
        if values["period"] != "custom":
            values = self.changed(base, values, {"period"})
        return values, notes

    def changed(self, base: _Base, values: dict[str, str], names: set[str]) -> dict[str, str]:
        """A named period writes its ends; an end that is written is a period of one's own."""
        return period_written(values, names, base.first_ns, base.last_ns)

    def fields_of(self, base: _Base, values: Mapping[str, str]) -> list[dict[str, Any]]:
        """Period, its ends, benchmark, markets."""
        against = [("", "None"), *((key, label) for key, (label, _) in base.benchmarks.items())]
        return [
            *period_fields(values, base.first_ns, base.last_ns),
            fields.choice("benchmark", "Benchmark", against),
            *market_field(base.markets),
        ]

    def asked_of(self, base: _Base, values: Mapping[str, str]) -> _Asked:
        """Read the form; raises `FieldError`."""
        span = span_asked(values, base.last_ns)
        try:
            within(base.whole.curve, span)
        except ValueError as error:
            raise FieldError("start", str(error)) from None
        benchmark = fields.one_of(values, "benchmark", ("", *base.benchmarks))
        return _Asked(span, markets_asked(values, base.markets), benchmark)

    # ------------------------------------------------------------------ the answer
    def answer(self, base: _Base, asked: _Asked, tell: Tell) -> Answer:
        """Work the part out, with every table; `FieldError` for a benchmark that does not fit."""
        label, source = base.benchmarks.get(asked.benchmark, ("", None))
        against = None if source is None else source()
        is_named = against is not None and against is not SAME
        try:
            sheet = tearsheet_part(
                base.whole,
                span=asked.span,
                markets=asked.markets,
                benchmark=against,
                benchmark_name=label.removesuffix(", held") if is_named else None,
            )
        except ValueError as error:
            raise FieldError("benchmark", str(error)) from None
        tell("numbers")
        rows = {row.name: row for row in sheet.rows()}
        key = [(rows[name].label, rows[name].shown) for name in _KEY if name in rows]
        cautions = [words.name(text) for text in sheet.cautions]
        tell("tables")
        tables = tables_of(sheet)
        tabs = [Tab("overview", "Overview", has_figure=True)]
        for name, title in _TABS:
            small = True if name == "metrics" else None
            tabs.append(Tab(name, title, [table_picture(t, small=small) for t in tables[name]]))
        return Answer(sheet, sheet.title, _period(sheet, asked, label), cautions, key, tabs)

    def figures_of(self, answer: Answer, theme: str) -> dict[str, Any]:
        """The tearsheet's figure; the view has its title and its numbers in words."""
        return {"overview": untitled_tearsheet(answer.of, theme=theme, tiles=False)}

    def file_of(self, kind: str, answer: Answer, figures: dict[str, Any], theme: str) -> Saved:
        """Write the page, the picture, the numbers or the curve."""
        return sheet_file(kind, answer, theme)


# ------------------------------------------------------------------------ small parts
def _period(sheet: Tearsheet, asked: _Asked, against: str) -> str:
    parts = [sheet.span_in_words, words.name(sheet.currency)]
    if isinstance(sheet, TearsheetPart) and sheet.markets is not None:
        total = len(markets_of(sheet.whole.fills))
        parts.append(f"{len(sheet.markets):,} of {total:,} markets")
    if asked.benchmark:
        parts.append(f"against {against}")
    return "; ".join(parts)
