"""A tearsheet as HTML: a page that needs nothing else, and a summary for notebooks.

Everything that a tearsheet was given (its title, its markets, its currency) is text from outside
and is escaped wherever it is written.
"""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from horizon import checks, words
from horizon.analytics.metrics import ANNUALISED, GROUPS, annual_note, marked
from horizon.analytics.sketch import percent, sketch

if TYPE_CHECKING:
    from horizon.analytics.tearsheet import Tearsheet

__all__ = ["MOST_ROWS", "TINTS", "Cell", "Table", "html_page", "html_summary", "tables_of"]

#: Rows of a table at most; it says how many there are.
MOST_ROWS: Final = 100
#: Steps of the tint of a cell, either way.
TINTS: Final = 5
_INSTALL: Final = "pip install 'horizon-workbench[lab]'"
#: JupyterLab floats the parts of every list of terms in an output, one over the other.
_PLAIN: Final = "float:none;width:auto;padding:0"
#: What the summary shows, in the order of reading.
_KEY_FIGURES: Final = (
    "total_return_pct",
    "cagr",
    "volatility",
    "sharpe_ratio",
    "sortino_ratio",
    "calmar_ratio",
    "max_drawdown_pct",
    "max_drawdown_duration_secs",
    "total_trades",
    "win_rate",
    "profit_factor",
    "total_fees",
)


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell as it is written, and how strong its tint is: above 0 a gain, below 0 a loss."""

    text: str
    tint: int = 0
    is_number: bool = True


@dataclass(frozen=True, slots=True)
class Table:
    """A table as a page writes it: a row begins with what it is about."""

    caption: str
    header: Sequence[str]
    rows: Sequence[tuple[str, Sequence[Cell]]]
    note: str = ""
    empty: str = "Nothing to show."
    hints: dict[str, str] = field(default_factory=dict)
    is_small: bool = False
    is_tinted: bool = False


def html_page(sheet: Tearsheet, *, theme: str = "light", figure: bool = True) -> str:
    """Write a tearsheet as one page that needs nothing else.

    The figure (with all of plotly.js, which makes five megabytes), and under it every table. Tables
    are there without JavaScript too. On paper it is light, whatever the theme.

    Parameters
    ----------
    sheet : Tearsheet
    theme : {"light", "dark"}
    figure : bool
        Without it the page has the tables alone, and a few kilobytes.

    Returns
    -------
    str
        HTML; equal sheets give equal text.

    Raises
    ------
    ImportError
        If Jinja2 or plotly is not installed.
    """
    checks.one_of("theme", theme, ("light", "dark"))
    try:
        from horizon.figures import THEMES
    except ImportError as error:
        raise ImportError(f"a tearsheet's page needs plotly: {_INSTALL}") from error
    with_figure = checks.flag("figure", figure)
    # On paper a dark figure would be a black box: its light twin goes along.
    names = [theme] if theme == "light" else [theme, "light"]
    drawn = [_figure(sheet, name) for name in names] if with_figure else []
    tables = tables_of(sheet)
    metrics = tables.pop("metrics")
    page: str = _template().render(
        title=words.name(sheet.title),
        period=_period(sheet),
        cautions=sheet.cautions,
        notes=drawn[0][1] if drawn else [],
        theme=theme,
        palettes=[(name, _palette(THEMES[name])) for name in (theme, "light")],
        figures=[text for text, _ in drawn],
        plotly=_plotly_js() if drawn else "",
        sketch=sketch(sheet),
        metrics=metrics,
        tables=[table for group in tables.values() for table in group],
        steps=[step for step in range(-TINTS, TINTS + 1) if step],
    )
    return page


def html_summary(sheet: Tearsheet) -> str:
    """Write the numbers that people look for first, and a line of the equity, for a notebook.

    There is no script in it, and its colours are those of the text around it.
    """
    shown = {row.name: row for row in sheet.rows()}
    note = annual_note(sheet.metrics.years)
    beneath = f'<p style="margin:.3em 0;font-size:.85em;opacity:.75">{note}</p>' if note else ""
    cells = "".join(
        '<div style="min-width:9em">'
        f'<dt style="{_PLAIN};opacity:.75;font-size:.85em;font-weight:normal">'
        f"{html.escape(marked(shown[name], note))}</dt>"
        f'<dd style="{_PLAIN};margin:0;font-weight:600;'
        f'font-variant-numeric:tabular-nums">{html.escape(shown[name].shown)}</dd></div>'
        for name in _KEY_FIGURES
        if name in shown
    )
    cautions = "".join(
        f'<p style="margin:.3em 0;font-size:.9em">{html.escape(caution)}</p>'
        for caution in sheet.cautions
    )
    return (
        '<div style="max-width:46em;color:inherit;background:transparent">'
        f'<p style="margin:.3em 0"><strong>{html.escape(words.name(sheet.title))}</strong><br>'
        f'<span style="opacity:.75">{html.escape(_period(sheet))}</span></p>'
        f"{cautions}"
        f"{sketch(sheet)}"
        '<dl style="display:grid;grid-template-columns:repeat(auto-fill,minmax(9em,1fr));'
        f'gap:.5em 1.2em;margin:.6em 0">{cells}</dl>{beneath}</div>'
    )


# ------------------------------------------------------------------------ the figure
def _figure(sheet: Tearsheet, theme: str) -> tuple[str, list[str]]:
    """The figure as JSON that may stand in a page, and what it says of thinning."""
    from horizon.figures.performance import untitled_tearsheet

    # The page itself has the title and the notes, as text that everybody can read.
    drawn = untitled_tearsheet(sheet, theme=theme)
    text: str = drawn.to_json()
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"), drawn.notes


def _plotly_js() -> str:
    """plotly.js, not kept: it has five megabytes, and is read in some milliseconds."""
    from plotly.offline import get_plotlyjs

    script: str = get_plotlyjs()
    return script


@lru_cache(maxsize=1)
def _template() -> Any:
    try:
        import jinja2
    except ImportError as error:
        raise ImportError(f"a tearsheet's page needs Jinja2: {_INSTALL}") from error
    source = resources.files("horizon.analytics").joinpath("report.html.j2")
    rules = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return rules.from_string(source.read_text(encoding="utf-8"))


def _palette(look: Any) -> dict[str, str]:
    """Colours of a page, as the figures of that theme have them."""
    colours = {name: getattr(look, name) for name in ("ink", "muted", "grid", "paper", "plan")}
    (_, worst), _, _, _, (_, best) = look.diverging
    middle = look.diverging[2][1]
    for step in range(1, TINTS + 1):
        share = step / TINTS
        colours[f"loss{step}"] = _between(middle, worst, share)
        colours[f"gain{step}"] = _between(middle, best, share)
    return colours


def _between(start: str, end: str, share: float) -> str:
    pairs = ((int(start[i : i + 2], 16), int(end[i : i + 2], 16)) for i in (1, 3, 5))
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


# ------------------------------------------------------------------------ the tables
def _metric_tables(sheet: Tearsheet) -> list[Table]:
    """One table for each group of metrics that has any."""
    rows = list(sheet.rows())
    note = annual_note(sheet.metrics.years)
    tables = []
    for group in GROUPS:
        own = [row for row in rows if row.group == group]
        if own:
            tables.append(
                Table(
                    group,
                    ("Metric", "Value"),
                    [(marked(row, note), [Cell(row.shown)]) for row in own],
                    note=note if any(row.name in ANNUALISED for row in own) else "",
                    hints={marked(row, note): row.meaning for row in own},
                )
            )
    return tables


def tables_of(sheet: Tearsheet) -> dict[str, list[Table]]:
    """Return every table of a tearsheet, by what they are about, in the order of the page.

    Parameters
    ----------
    sheet : Tearsheet

    Returns
    -------
    dict
        ``"metrics"``, ``"returns"``, ``"markets"``, ``"drawdowns"`` and ``"trips"``.
    """
    is_sparse = sheet.sampling.period in ("week", "month")
    small = [_years(sheet), _months_of_the_year(sheet) if is_sparse else _weekdays(sheet)]
    if sheet.is_intraday:
        small.append(_hours(sheet))
    return {
        "metrics": _metric_tables(sheet),
        "returns": [_months(sheet), *small],
        "markets": [_markets(sheet)],
        "drawdowns": [_drawdowns(sheet)],
        "trips": [_round_trips(sheet)],
    }


def _months(sheet: Tearsheet) -> Table:
    frame = sheet.monthly_table
    cells = np.asarray(frame, dtype=np.float64)
    most = [_largest(cells[:, :12])] * 12 + [_largest(cells[:, 12:])]
    return Table(
        "Returns by month and year, %",
        ("Year", *(str(name) for name in frame.columns[:12]), "Whole year"),
        [
            (str(year), [_tinted(v, m) for v, m in zip(row, most, strict=True)])
            for year, row in zip(frame.index.tolist(), cells.tolist(), strict=True)
        ],
        empty="No month has a return yet.",
        is_tinted=True,
    )


def _years(sheet: Tearsheet) -> Table:
    return Table(
        "Returns by year",
        ("Year", "Return"),
        [(year, [Cell(percent(value))]) for year, value in sheet.yearly_returns.items()],
        empty="No year has a return yet.",
        is_small=True,
    )


def _drawdowns(sheet: Tearsheet) -> Table:
    rows = []
    to_the = _precision(
        moment
        for fall in sheet.drawdowns
        for moment in (fall.peak_time, fall.trough_time, fall.recovery_time)
        if moment is not None
    )
    for number, fall in enumerate(sheet.drawdowns, 1):
        recovered = fall.recovery_time is not None
        rows.append(
            (
                f"{number}",
                [
                    Cell(percent(-fall.depth)),
                    Cell(_money(-fall.depth_money, sheet.currency)),
                    Cell(words.clock(fall.peak_time, date=True)[:to_the]),
                    Cell(words.clock(fall.trough_time, date=True)[:to_the]),
                    Cell(
                        words.clock(fall.recovery_time, date=True)[:to_the]
                        if recovered
                        else "not yet"
                    ),
                    Cell(words.duration(fall.duration_secs)),
                    Cell(
                        words.MISSING
                        if fall.recovery_secs is None
                        else words.duration(fall.recovery_secs)
                    ),
                ],
            )
        )
    return Table(
        "Largest drawdowns; times are UTC",
        (
            "No.",
            "Depth",
            _in("Depth", sheet),
            "Peak",
            "Trough",
            "Recovered",
            "Length",
            "From the trough",
        ),
        rows,
        empty="Equity was never below its peak.",
    )


def _weekdays(sheet: Tearsheet) -> Table:
    return Table(
        "Mean return of a day by weekday, UTC",
        ("Weekday", "Mean return"),
        [(words.WEEKDAYS[day], [Cell(percent(v, 4))]) for day, v in sheet.by_weekday.items()],
        empty="No day has a return yet.",
        is_small=True,
    )


def _months_of_the_year(sheet: Tearsheet) -> Table:
    return Table(
        "Mean return of a month by month of the year",
        ("Month", "Mean return"),
        [(words.MONTHS[month - 1], [Cell(percent(v, 4))]) for month, v in sheet.by_month.items()],
        empty="No month has a return yet.",
        is_small=True,
    )


def _hours(sheet: Tearsheet) -> Table:
    return Table(
        "Mean return of an hour by hour of day, UTC",
        ("Hour", "Mean return"),
        [
            (f"{hour:02d}:00 to {hour + 1:02d}:00", [Cell(percent(value, 4))])
            for hour, value in sheet.time_of_day.items()
        ],
        is_small=True,
    )


def _markets(sheet: Tearsheet) -> Table:
    by_size = sorted(sheet.pnl_by_market.items(), key=lambda item: (-abs(item[1]), item[0]))
    return Table(
        "Realised profit and loss by market, after fees",
        ("Market", _in("Profit or loss", sheet)),
        [
            (words.name(market), [Cell(_money(value, sheet.currency, sign=True))])
            for market, value in by_size[:MOST_ROWS]
        ],
        note=_cut(len(by_size), "markets", "the largest, either way"),
        empty="There were no fills.",
        is_small=True,
    )


def _round_trips(sheet: Tearsheet) -> Table:
    frame = sheet.round_trips
    rows = []
    first = frame.head(MOST_ROWS).to_dict("records")
    to_the = _precision([trip[name].timestamp() for trip in first for name in ("opened", "closed")])
    places = {name: _places(trip[name] for trip in first) for name in ("entry_price", "exit_price")}
    for trip in first:
        money = [
            Cell(_money(trip[name], sheet.currency, sign=name != "fees"))
            for name in ("pnl_gross", "fees", "pnl")
        ]
        rows.append(
            (
                words.name(str(trip["market_id"])),
                [
                    Cell(str(trip["side"]), is_number=False),
                    Cell(words.amount(trip["largest_quantity"])),
                    Cell(words.price(trip["entry_price"], decimals=places["entry_price"])),
                    Cell(words.price(trip["exit_price"], decimals=places["exit_price"])),
                    Cell(words.clock(trip["opened"].timestamp(), date=True)[:to_the]),
                    Cell(words.clock(trip["closed"].timestamp(), date=True)[:to_the]),
                    Cell(words.duration(trip["holding"].total_seconds())),
                    *money,
                ],
            )
        )
    return Table(
        "Round trips, from flat to flat; times are UTC",
        (
            "Market",
            "Side",
            "Most held",
            "Mean entry",
            "Mean exit",
            "Opened",
            "Closed",
            "Held",
            _in("Gross", sheet),
            _in("Fees", sheet),
            _in("Net", sheet),
        ),
        rows,
        note=_cut(len(frame), "round trips", "the first"),
        empty="No position was opened and closed again.",
    )


def _cut(count: int, what: str, which: str) -> str:
    if count <= MOST_ROWS:
        return ""
    return f"{MOST_ROWS:,} of {count:,} {what}: {which}."


def _in(what: str, sheet: Tearsheet) -> str:
    return f"{what}, {words.name(sheet.currency)}"


def _money(value: float, currency: str, *, sign: bool = False) -> str:
    """Write a sum of money for a column whose heading has the currency."""
    return words.cash(value, currency, sign=sign).removesuffix(f" {words.name(currency)}")


def _places(prices: Iterable[float]) -> int:
    """Decimals that let a column of prices stand under each other."""
    return max((len(words.price(price).partition(".")[2]) for price in prices), default=2)


def _precision(seconds: Iterable[float]) -> int:
    """How many letters of a date and time a column needs: days alone, or all to the second."""
    return 19 if any(moment % 86_400.0 for moment in seconds) else 10


def _tinted(value: float, most: float) -> Cell:
    """Write a return in percent, tinted by its share of the largest."""
    if math.isnan(value):
        return Cell("")
    text = percent(value, 1 if abs(value) < 10.0 else 0).removesuffix(" %")
    share = value / most if most > 0.0 else 0.0
    return Cell(text, round(share * TINTS))


def _largest(values: NDArray[np.float64]) -> float:
    return float(np.nanmax(np.abs(values), initial=0.0))


# ------------------------------------------------------------------------ small parts
def _period(sheet: Tearsheet) -> str:
    return f"{sheet.span_in_words}, {words.name(sheet.currency)}"
