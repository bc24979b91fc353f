"""Pictures of an equity curve: the tearsheet of one, and several compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from horizon import checks
from horizon.figures.long import LongFigure
from horizon.figures.page import DATES, TITLES, Page, hover_moment, nothing, stamps
from horizon.figures.returns_panels import by_clock, distribution, months
from horizon.figures.series import Numbers
from horizon.figures.themes import theme_named
from horizon.figures.words import period_word, plain
from horizon.words import MISSING, clock, duration

if TYPE_CHECKING:
    from horizon.analytics.tearsheet import Tearsheet

__all__ = ["tearsheet", "untitled_tearsheet"]

#: What people look for first: the metric, and how it is called where there is little room.
_KEY_FIGURES: Final = (
    ("total_return_pct", "Total return"),
    ("cagr", "CAGR"),
    ("sharpe_ratio", "Sharpe"),
    ("sortino_ratio", "Sortino"),
    ("max_drawdown_pct", "Max drawdown"),
)
#: The end of what a time in nanoseconds can say.
_LAST_NS: Final = 2**63 - 1
_HALF_DAY_NS: Final = 43_200_000_000_000
#: Labels of drawdowns keep this part of the width from each other.
_APART: Final = 0.03
#: Fills are drawn small where there are more of them.
_MANY_FILLS: Final = 100


def tearsheet(sheet: Tearsheet, *, theme: str = "light", currency: str | None = None) -> LongFigure:
    """Draw a tearsheet.

    Equity with its fills and its benchmark, how far it was below its peak, the rolling Sharpe
    ratio, the months, how returns are distributed, and their means by hour of day (by weekday
    where there is one return a day, by month of the year where there is less). A panel that has
    nothing to draw says why.

    Parameters
    ----------
    sheet : Tearsheet
        As `generate_tearsheet` makes it; every number drawn is one of its own.
    theme : {"light", "dark"}
    currency : str, optional
        What the equity is in, by default the sheet's own.

    Returns
    -------
    LongFigure
        As wide as its container, 700 pixels or more. Series of more than 2,000 points are
        thinned, keeping the extremes; the figure then says so.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above.

    Examples
    --------
    >>> day = 86_400
    >>> sheet = hz.generate_tearsheet([(0, 100.0), (day, 110.0), (2 * day, 99.0)])
    >>> figure = hz.figures.tearsheet(sheet)
    >>> [trace.name for trace in figure.data][:2]
    ['equity', 'drawdown']
    >>> [round(float(fall), 4) for fall in figure.data[1].y]
    [0.0, 0.0, -0.1]
    """
    drawing = _drawing(sheet, theme, currency)
    return drawing.figure(plain(drawing.sheet.title))


def untitled_tearsheet(sheet: Tearsheet, *, theme: str = "light", tiles: bool = True) -> LongFigure:
    """Draw a tearsheet for a page that has its title, its period and the notes in words.

    Without `tiles` it leaves the numbers above the first panel to the page as well.
    """
    return _drawing(sheet, theme, None).figure(None, tiles=tiles)


def _drawing(sheet: Tearsheet, theme: str, currency: str | None) -> _Drawing:
    from horizon.analytics.tearsheet import Tearsheet

    look = theme_named(theme)
    if not isinstance(sheet, Tearsheet):
        raise TypeError(
            "sheet must be a Tearsheet, as generate_tearsheet makes it; was " + checks.show(sheet)
        )
    money = sheet.currency if currency is None else checks.text("currency", currency)
    return _Drawing(sheet, Page(look), plain(money))


class _Drawing:
    """One tearsheet on its way to paper."""

    def __init__(self, sheet: Tearsheet, page: Page, currency: str) -> None:
        self.sheet = sheet
        self.page = page
        self.look = page.look
        self.currency = currency
        self.long = LongFigure()
        self.traces: list[dict[str, Any]] = []
        self.times = sheet.curve.times_ns

    def figure(self, heading: str | None, *, tiles: bool = True) -> LongFigure:
        page, sheet = self.page, self.sheet
        self._equity()
        self._underwater()
        self._rolling()
        page.depth += DATES + TITLES
        self.traces += months(page, sheet)
        page.depth += 14
        self.traces += distribution(page, sheet)
        self.traces += by_clock(page, sheet)
        above = 0
        if tiles:
            shown = {row.name: row.shown for row in sheet.rows()}
            above = page.tiles([(name, shown.get(key, MISSING)) for key, name in _KEY_FIGURES])
        told = [self._period(), *sheet.cautions, *self.long.notes]
        layout = page.layout(heading, told, above=above)
        self.long.add_traces(self.traces)
        # Set at once: update_layout would go through it attribute by attribute.
        self.long.layout = {
            **layout,
            "hovermode": "x unified",
            "hoversubplots": "axis",
            "bargap": 0.15,
            "legend": {
                "x": 1.0,
                "xanchor": "right",
                "y": page.share(page.depth_of("y")),
                "yanchor": "bottom",
            },
        }
        return self.long

    def _period(self) -> str:
        words = self.sheet.span_in_words
        fills = int((~self.sheet.fills.is_settlement).sum())
        return f"{words}, {fills:,} fill{'' if fills == 1 else 's'}" if fills else words

    # -------------------------------------------------------------------- through time
    def _equity(self) -> None:
        page, sheet, look = self.page, self.sheet, self.look
        page.panel("y", "Equity", 280)
        page.axis("x", hoverformat=hover_moment(self.times), anchor="y3", spikecolor=look.muted)
        page.axis("x", spikethickness=1, spikedash="solid")
        if len(self.times):
            # A little room for the marks at the ends; half a day around a single moment.
            first, last = int(self.times[0]), int(self.times[-1])
            margin = (last - first) // 80 or _HALF_DAY_NS
            ends = np.array([max(first - margin, -_LAST_NS), min(last + margin, _LAST_NS)])
            page.axis("x", range=ends.astype("datetime64[ns]").astype("datetime64[ms]").tolist())
        page.axis("y", title={"text": self.currency}, tickformat=",~f")
        if len(self.times) == 0:
            page.say("x", "y", "No equity was given.")
            self.traces.append(nothing("x", "y"))
            return
        if sheet.benchmark_equity is not None:
            other = plain(sheet.benchmark_name)
            self._long_line(
                sheet.benchmark_times.astype("datetime64[ns]").astype(np.int64),
                sheet.benchmark_equity,
                "points",
                name=other,
                line={"color": look.muted, "width": 1.5, "dash": "dot"},
                hovertemplate=f"{other} %{{y:,.2f}} {self.currency}<extra></extra>",
                showlegend=True,
            )
        single = len(self.times) == 1
        self._long_line(
            self.times,
            sheet.equity,
            "points",
            name="equity",
            mode="markers" if single else "lines",
            line={"color": look.plan, "width": 1.75},
            marker={"color": look.plan, "size": 8},
            hovertemplate=f"Equity %{{y:,.2f}} {self.currency}<extra></extra>",
            showlegend=True,
        )
        page.across("x", "y", float(sheet.equity[0]), color=look.muted, width=1, dash="dash")
        if single:
            page.say("x", "y", "One point only: no return yet.", alone=False, height=0.75)
        for is_buy in (True, False):
            self._fills(is_buy)

    def _fills(self, is_buy: bool) -> None:
        fills, look = self.sheet.fills, self.look
        chosen = np.flatnonzero((fills.is_buy == is_buy) & ~fills.is_settlement)
        if len(chosen) == 0:
            return
        times = fills.times_ns[chosen]
        # A fill stands on the equity of its moment: the last point that is not after it.
        at = np.searchsorted(self.times, times, side="right") - 1
        heights = self.sheet.equity[np.maximum(at, 0)]
        word = "bought" if is_buy else "sold"
        when = hover_moment(times)

        def draw(kept: NDArray[np.intp]) -> dict[str, Any]:
            rows = chosen[kept]
            names = {market: plain(str(market)) for market in set(fills.market_ids[rows].tolist())}
            size = 9 if len(rows) <= _MANY_FILLS else 5
            return {
                "type": "scatter",
                "mode": "markers",
                "name": word,
                "legendgroup": word,
                "showlegend": False,
                "x": stamps(times[kept]),
                "y": heights[kept],
                "customdata": [
                    (quantity, price, names[market])
                    for quantity, price, market in zip(
                        fills.quantities[rows].tolist(),
                        fills.prices[rows].tolist(),
                        fills.market_ids[rows].tolist(),
                        strict=True,
                    )
                ],
                # Marks stand off the curve and point at it: buys from below, sells from above.
                "marker": {
                    "symbol": "triangle-up",
                    "angle": 0 if is_buy else 180,
                    "standoff": size,
                    "size": size,
                    "color": look.buy if is_buy else look.sell,
                    # Small marks would be all outline on paper.
                    "line": {"width": 0.5 if size > 5 else 0, "color": look.paper},
                },
                "hovertemplate": f"{word.capitalize()} %{{customdata[0]:,.6~f}} "
                f"%{{customdata[2]}} at %{{customdata[1]:,.6~f}}, %{{x|{when}}}<extra></extra>",
            }

        values = fills.quantities[chosen] * fills.prices[chosen]
        self.long.add_long(times, values, draw, what="fills")
        # The legend would have its mark as far from its place as the others are from the curve.
        self.traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": word,
                "legendgroup": word,
                "x": [None],
                "y": [None],
                "marker": {
                    "symbol": "triangle-up" if is_buy else "triangle-down",
                    "size": 9,
                    "color": look.buy if is_buy else look.sell,
                },
                "hoverinfo": "skip",
            }
        )

    def _underwater(self) -> None:
        page, sheet, look = self.page, self.sheet, self.look
        page.panel("y2", "Below the highest equity so far", 120)
        page.axis("y2", title={"text": "Drawdown"}, tickformat=".3~%", rangemode="tozero")
        if len(self.times) == 0:
            page.say("x", "y2", "No equity was given.")
            self.traces.append(nothing("x", "y2"))
            return
        self._long_line(
            self.times,
            sheet.underwater,
            "points",
            name="drawdown",
            yaxis="y2",
            fill="tozeroy",
            fillcolor=_faint(look.loss),
            line={"color": look.loss, "width": 1.25},
            hovertemplate="%{y:.2%} from the peak<extra></extra>",
        )
        if not sheet.drawdowns:
            page.axis("y2", range=[-0.01, 0.0005], tickformat=".1%")
            page.say("x", "y2", "Never below its highest equity.", alone=False)
            return
        records = list(sheet.drawdowns)
        troughs = np.array([round(record.trough_time * 1e9) for record in records], dtype=np.int64)
        self.traces.append(
            {
                "type": "scatter",
                "mode": "markers+text",
                "name": "largest drawdowns",
                "yaxis": "y2",
                "x": stamps(troughs),
                "y": [-record.depth for record in records],
                "text": _labels(troughs, (int(self.times[-1]) - int(self.times[0])) * _APART),
                "textposition": "middle right",
                "textfont": {"color": look.ink, "size": 12},
                "cliponaxis": False,
                "marker": {"color": look.ink, "size": 6, "symbol": "diamond"},
                "customdata": [_told(number, record) for number, record in enumerate(records, 1)],
                "hovertemplate": "%{customdata}<extra></extra>",
                "showlegend": False,
            }
        )

    def _rolling(self) -> None:
        page, sheet, look = self.page, self.sheet, self.look
        length = sheet.rolling_window
        window = f"{length:,} {period_word(sheet.sampling.period, length)}"
        a_year = ", annualised" if sheet.sampling.periods_per_year else ""
        page.panel("y3", f"Rolling Sharpe ratio over {window}{a_year}", 120)
        page.axis("y3", title={"text": "Sharpe ratio"}, tickformat="~f")
        page.axis("x", title={"text": "Time, UTC"})
        times, values = sheet.rolling("sharpe")
        if len(values) == 0:
            counted = len(sheet.returns)
            page.say(
                "x",
                "y3",
                f"A window takes {length:,} returns, there "
                f"{'is' if counted == 1 else 'are'} {counted:,}.",
                alone=False,
            )
            page.axis("y3", showticklabels=False, showgrid=False, zeroline=False, ticks="")
            self.traces.append(nothing("x", "y3"))
            return
        self._long_line(
            times.astype("datetime64[ns]").astype(np.int64),
            values,
            "rolling ratios",
            name="Sharpe ratio",
            yaxis="y3",
            mode="lines" if len(values) > 1 else "markers",
            line={"color": look.reference, "width": 1.5},
            marker={"color": look.reference, "size": 8},
            hovertemplate=f"Sharpe ratio %{{y:.2f}} over {window}<extra></extra>",
        )
        page.axis("y3", zeroline=True, zerolinecolor=look.muted, zerolinewidth=1)

    def _long_line(
        self, times: NDArray[np.int64], values: Numbers, what: str, **parts: Any
    ) -> None:
        def draw(kept: NDArray[np.intp]) -> dict[str, Any]:
            return {
                "type": "scatter",
                "mode": "lines",
                "showlegend": False,
                **parts,
                "x": stamps(times[kept]),
                "y": values[kept],
            }

        self.long.add_long(times, values, draw, what=what)


def _labels(moments: NDArray[np.int64], apart: float) -> list[str]:
    """Number moments from 1, without the label of one that is too near to one before it."""
    labels: list[str] = []
    for number, moment in enumerate(moments.tolist()):
        near = any(
            label and abs(moment - other) < apart
            for label, other in zip(labels, moments.tolist(), strict=False)
        )
        labels.append("" if near else f"{number + 1}")
    return labels


def _told(number: int, record: Any) -> str:
    """Tell one drawdown in words."""
    ended = (
        "not recovered yet"
        if record.recovery_time is None
        else f"recovered {clock(record.recovery_time, date=True)[:10]}"
    )
    return (
        f"Drawdown {number}: −{record.depth:.2%} from {clock(record.peak_time, date=True)[:10]} to "
        f"{clock(record.trough_time, date=True)[:10]}, {ended}; "
        f"{duration(record.duration_secs)} in all"
    )


def _faint(colour: str) -> str:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.25)"
