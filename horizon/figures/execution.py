"""Pictures of orders at work: a schedule against its fills, and fills on a price path."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from horizon import checks
from horizon.figures.long import LongFigure
from horizon.figures.page import wrapped
from horizon.figures.series import FillColumns, Numbers, fill_columns, price_columns, times_of
from horizon.figures.sheet import (
    DONE_WORDS,
    MANY,
    Clock,
    Sheet,
    add_both_sides,
    add_fills,
    add_prices,
)
from horizon.figures.themes import theme_named
from horizon.figures.words import amount, money, plain

if TYPE_CHECKING:
    from horizon.algos import AlgoProgress
    from horizon.algos.progress import SliceProgress

__all__ = ["algo_schedule", "price_and_fills"]

#: How a slice that is not filled looks; the shape says it without the colour.
_PATTERNS: Final = {
    "partial": "/",
    "new": ".",
    "due": "-",
    "canceled": "x",
    "rejected": "+",
    "scheduled": "",
}
_IN_WORDS: Final = {"new": "working", "partial": "partly filled", "due": "due, not sent yet"}
#: So many slices can each have a number on the axis.
_FEW_SLICES: Final = 24
_CLEAR: Final = "rgba(0,0,0,0)"


def algo_schedule(
    progress: AlgoProgress,
    fills: Any = (),
    *,
    prices: Any = None,
    elapsed: bool = False,
    theme: str = "light",
    currency: str = "USD",
) -> LongFigure:
    """Draw what an execution algorithm planned against what it filled.

    Three panels: the quantity planned and filled over time; the price of each fill beside the
    arrival price and the average; and the slices with what became of each.

    Parameters
    ----------
    progress : AlgoProgress
        ``algo.progress``, at any moment of the algorithm's life.
    fills : DataFrame or sequence of VenueFill or Fill
        The account's fills, e.g. ``ex.fills_frame()``; those of other orders are left out.
        Their times and the algorithm's are on one clock where the market's ticks advance it.
    prices : Series, DataFrame, or pair of times and prices, optional
        The market's path, drawn behind the fills: a Series indexed by time, or a frame with
        ``timestamp`` (or its index) and ``price`` or ``close``.
    elapsed : bool
        Count the time from the algorithm's first tick, instead of showing dates in UTC.
    theme : {"light", "dark"}
    currency : str
        What prices are in.

    Returns
    -------
    LongFigure
        As wide as its container. Series of more than 2,000 points are thinned, keeping the
        extremes; the figure then says so.

    Raises
    ------
    DataError
        At the first row of fills or prices that cannot be right, or of prices that is before
        the row above it. Fills may come in any order.
    TypeError, ValueError
        If an argument is not as above.

    Examples
    --------
    Two slices of 50 a minute apart; each fills on the tick after it was sent.

    >>> ex = hz.connect("paper", clock=lambda: 0.0)
    >>> algo = ex.twap("ACME", 100, duration_secs=120, num_slices=2)
    >>> for seconds, price in ((0.0, 10.0), (60.0, 10.0), (120.0, 9.0)):
    ...     _ = ex.tick("ACME", price, seconds)
    >>> figure = hz.figures.algo_schedule(algo.progress, ex.fills_frame(), elapsed=True)
    >>> planned, filled = figure.data[:2]
    >>> [float(quantity) for quantity in filled.y]
    [50.0, 100.0]
    """
    look = theme_named(theme)
    if not hasattr(progress, "schedule") or not hasattr(progress, "children"):
        raise TypeError(
            "progress must be an AlgoProgress, as algo.progress is; was " + checks.show(progress)
        )
    money_in = checks.text("currency", currency)
    every = fill_columns(fills)
    own = set(progress.children)
    done = every.where(np.array([order in own for order in every.order_ids], dtype=bool))
    sheet = Sheet(look, money_in, Clock.of(progress, done, checks.flag("elapsed", elapsed)))
    figure = LongFigure()
    figure.set_subplots(rows=3, cols=1)
    _draw_quantities(figure, sheet, progress, done)
    _draw_prices(figure, sheet, progress, done, prices)
    _draw_slices(figure, sheet, progress)
    told = [line for note in figure.notes for line in wrapped(note)]
    heading = (
        f"{plain(progress.kind)}: {progress.side} {amount(progress.target)} "
        f"{plain(progress.market_id)}"
    )
    figure.update_layout(
        template=look.template,
        height=740,
        barmode="overlay",
        bargap=0.2,
        margin={"t": 88 + 18 * len(told)},
        title={
            "text": heading,
            "subtitle": {"text": "<br>".join([_outcome(progress, currency), *told])},
        },
        xaxis={"showticklabels": False, "matches": "x2"},
        xaxis2={"title": {"text": sheet.clock.title}},
        xaxis3={"title": {"text": "Slice, in order of sending"}, "tickformat": ",d"},
        # The gaps differ: between the first two panels there are no labels of an axis.
        yaxis={
            "title": {"text": "Quantity, units"},
            "domain": [0.63, 1.0],
            "range": [0.0, 1.15 * progress.target],
            "tickformat": ",~f",
        },
        yaxis2={
            "title": {"text": f"Price, {plain(currency)}"},
            "domain": [0.3, 0.56],
            "tickformat": ",~f",
        },
        yaxis3={
            "title": {"text": "Slice, units"},
            "domain": [0.0, 0.12],
            "rangemode": "tozero",
            "tickformat": ",~f",
        },
    )
    if len(progress.schedule) <= _FEW_SLICES:
        figure.update_layout(xaxis3={"dtick": 1})
    for number in (1, 2, 3):
        own_legend = "legend" if number == 1 else f"legend{number}"
        top = figure.layout["yaxis" if number == 1 else f"yaxis{number}"].domain[1]
        figure.layout[own_legend] = {
            "orientation": "h",
            "x": 0.0,
            "xanchor": "left",
            "y": top,
            "yanchor": "bottom",
            "font": {"size": 12},
        }
    return figure


def price_and_fills(
    prices: Any,
    fills: Any = (),
    *,
    market_id: str = "",
    theme: str = "light",
    currency: str = "USD",
) -> LongFigure:
    """Draw a price path with the fills on it.

    Parameters
    ----------
    prices : Series, DataFrame, or pair of times and prices
        A Series indexed by time, or a frame with ``timestamp`` (or its index) and ``price``
        or ``close``.
    fills : DataFrame or sequence of VenueFill or Fill
        Fills of this market; buys point up, sells point down.
    market_id : str
        For the title.
    theme : {"light", "dark"}
    currency : str
        What prices are in.

    Returns
    -------
    LongFigure
        As wide as its container. Series of more than 2,000 points are thinned, keeping the
        extremes; the figure then says so.

    Raises
    ------
    DataError
        At the first row of fills or prices that cannot be right, or of prices that is before
        the row above it. Fills may come in any order.
    TypeError, ValueError
        If an argument is not as above.

    Examples
    --------
    >>> ex = hz.connect("paper", clock=lambda: 0.0)
    >>> _ = ex.tick("ACME", 10.0, 0.0)
    >>> order = ex.buy("ACME", 100, limit=9.5)
    >>> _ = ex.tick("ACME", 9.0, 60.0)
    >>> prices = pd.Series([10.0, 9.0], index=[0.0, 60.0])
    >>> figure = hz.figures.price_and_fills(prices, ex.fills_frame(), market_id="ACME")
    >>> bought = figure.data[1]
    >>> bought.name, [float(price) for price in bought.y]
    ('bought', [9.5])
    """
    look = theme_named(theme)
    market = plain(market_id if market_id == "" else checks.market_id("market_id", market_id))
    done = fill_columns(fills)
    sheet = Sheet(look, checks.text("currency", currency), Clock(None))
    figure = LongFigure()
    add_prices(figure, sheet, *price_columns(prices))
    add_both_sides(figure, sheet, done, look.buy, look.sell)
    told = [line for note in figure.notes for line in wrapped(note)]
    counted = f"{len(done):,} fill{'' if len(done) == 1 else 's'}"
    figure.update_layout(
        template=look.template,
        height=420,
        margin={"t": 70 + 18 * len(told)},
        title={
            "text": f"{market or 'Price'}: {counted}" if len(done) else market,
            "subtitle": {"text": "<br>".join(told)},
        },
        xaxis={"title": {"text": sheet.clock.title}},
        yaxis={"title": {"text": f"Price, {plain(currency)}"}, "tickformat": ",~f"},
        legend={"x": 0.0, "xanchor": "left", "y": 1.0, "yanchor": "bottom"},
        showlegend=True,
    )
    return figure


# ------------------------------------------------------------------------ the three panels
def _draw_quantities(
    figure: LongFigure, sheet: Sheet, progress: AlgoProgress, fills: FillColumns
) -> None:
    look = sheet.look
    _draw_plan(figure, sheet, progress)
    if len(fills):
        _draw_filled(figure, sheet, progress, fills)
    figure.add_hline(
        y=progress.target,
        line={"color": look.muted, "width": 1, "dash": "dot"},
        annotation={
            "text": f"whole order: {amount(progress.target)}",
            "font": {"color": look.muted, "size": 12},
        },
        annotation_position="top left",
        row=1,
        col=1,
    )
    if progress.started_at is None:
        figure.add_annotation(
            text="Nothing is due yet: the clock starts with the first tick.",
            x=0.5,
            y=0.5,
            xref="x domain",
            yref="y domain",
            showarrow=False,
            font={"color": look.muted},
        )


def _draw_plan(figure: LongFigure, sheet: Sheet, progress: AlgoProgress) -> None:
    clock = sheet.clock
    timed = [piece for piece in progress.schedule if piece.due_at is not None]
    if not timed:
        return
    due = [piece.due_at for piece in timed]
    planned = np.cumsum([piece.size for piece in timed])
    if progress.ends_at is not None:  # the last step lasts to the end
        due.append(progress.ends_at)
        planned = np.append(planned, planned[-1])
    times = times_of(due)
    whole = len(progress.schedule)

    def draw(kept: NDArray[np.intp]) -> dict[str, Any]:
        rows = np.minimum(kept, len(timed) - 1)
        words = [
            f"{clock.say(time)}: slice {timed[i].number + 1} of {whole} due, "
            f"{amount(total)} planned by then"
            for i, time, total in zip(rows.tolist(), times[rows], planned[rows], strict=True)
        ]
        line = {"color": sheet.look.plan, "width": 2, "dash": "dash"}
        return _steps(clock.place(times[kept]), planned[kept], words, "planned", line)

    figure.add_long(clock.place(times), planned, draw, what="steps of the plan", row=1, col=1)


def _draw_filled(
    figure: LongFigure, sheet: Sheet, progress: AlgoProgress, fills: FillColumns
) -> None:
    clock = sheet.clock
    filled = np.cumsum(fills.quantities)
    verb = DONE_WORDS[progress.side == "buy"]

    def draw(kept: NDArray[np.intp]) -> dict[str, Any]:
        some = fills.where(kept)
        words = [
            f"{clock.say(time)}: {verb} {amount(quantity)} at {money(price, sheet.currency)}; "
            f"{amount(total)} of {amount(progress.target)} by then"
            for time, quantity, price, total in zip(
                some.times,
                some.quantities.tolist(),
                some.prices.tolist(),
                filled[kept].tolist(),
                strict=True,
            )
        ]
        line = {"color": sheet.look.done, "width": 2.5}
        x, y = clock.place(some.times), filled[kept]
        return _steps(x, y, words, "filled", line, marked=len(fills) <= MANY)

    figure.add_long(clock.place(fills.times), filled, draw, what="fills", row=1, col=1)


def _steps(
    x: Any,
    y: Numbers,
    words: Sequence[str],
    name: str,
    line: dict[str, Any],
    *,
    marked: bool = False,
) -> dict[str, Any]:
    return {
        "type": "scatter",
        "x": x,
        "y": y,
        "name": name,
        "mode": "lines+markers" if marked else "lines",
        "line": {"shape": "hv", **line},
        "marker": {"size": 6, "color": line["color"]},
        "hovertext": words,
        "hoverinfo": "text",
        "legend": "legend",
    }


def _draw_prices(
    figure: LongFigure, sheet: Sheet, progress: AlgoProgress, fills: FillColumns, prices: Any
) -> None:
    look = sheet.look
    where: dict[str, Any] = {"row": 2, "col": 1, "legend": "legend2"}
    times = fills.times
    if prices is not None:
        path, values = price_columns(prices)
        add_prices(figure, sheet, path, values, **where)
        times = np.concatenate([times, path])
    life = [progress.started_at, progress.ends_at or progress.time]
    times = np.concatenate([times, times_of([t for t in life if t is not None] or np.empty(0))])
    if len(fills):
        add_fills(figure, sheet, fills, look.done, **where)
    if len(times):
        ends = sheet.clock.place(np.array([times.min(), times.max()]))
        for name, price, colour, dash in (
            ("arrival", progress.arrival_price, look.reference, "dash"),
            ("average", progress.average_price, look.done, "dot"),
        ):
            if price is not None:
                figure.add_scatter(
                    x=ends,
                    y=[price, price],
                    name=f"{name} {money(price, sheet.currency)}",
                    mode="lines",
                    line={"color": colour, "width": 1.5, "dash": dash},
                    hovertext=[f"{name} price: {money(price, sheet.currency)}"] * 2,
                    hoverinfo="text",
                    **where,
                )


def _draw_slices(figure: LongFigure, sheet: Sheet, progress: AlgoProgress) -> None:
    look = sheet.look
    pieces = [piece for piece in progress.schedule if piece.size > 0.0]
    for status, shape in {"filled": "", **_PATTERNS}.items():
        some = [piece for piece in pieces if piece.status == status]
        marker: dict[str, Any] = {
            "color": _CLEAR,
            "line": {"color": look.plan, "width": 1.5},
            "pattern": {"shape": shape, "fgcolor": look.plan, "bgcolor": _CLEAR, "size": 6},
        }
        if status == "filled":
            marker = {"color": look.done}
        elif len(pieces) > MANY:  # bars too thin for an outline or a pattern
            marker = {"color": look.grid if status == "scheduled" else look.plan}
        sizes = [piece.size for piece in some]
        name = _IN_WORDS.get(status, status)
        _add_bars(figure, some, sizes, name, marker, what=f"{status} slices")
    part = [piece for piece in pieces if piece.filled > 0.0 and piece.status != "filled"]
    sizes = [piece.filled for piece in part]
    marker = {"color": look.done}
    _add_bars(figure, part, sizes, "filled part", marker, what="filled parts", width=0.4)


def _add_bars(
    figure: LongFigure,
    pieces: Sequence[SliceProgress],
    heights: Sequence[float],
    name: str,
    marker: dict[str, Any],
    *,
    what: str,
    **style: Any,
) -> None:
    def draw(kept: NDArray[np.intp]) -> dict[str, Any]:
        chosen = kept.tolist()
        return {
            "type": "bar",
            "x": [pieces[i].number + 1 for i in chosen],
            "y": [heights[i] for i in chosen],
            "name": name,
            "marker": {"line": {"width": 0}, **marker},
            "showlegend": bool(pieces),
            "hovertext": [_slice_words(pieces[i]) for i in chosen],
            "hoverinfo": "text",
            "legend": "legend3",
            **style,
        }

    numbers = np.array([piece.number + 1 for piece in pieces], dtype=np.float64)
    figure.add_long(numbers, heights, draw, what=what, row=3, col=1)


def _slice_words(piece: SliceProgress) -> str:
    status = _IN_WORDS.get(piece.status, piece.status)
    filled = f", {amount(piece.filled)} filled" if piece.filled else ""
    return f"Slice {piece.number + 1}: {amount(piece.size)}, {status}{filled}"


def _outcome(progress: AlgoProgress, currency: str) -> str:
    """Say in one line how far it has come."""
    parts = [
        f"{progress.status.capitalize()}: {amount(progress.filled)} filled "
        f"({progress.fraction:.0%})"
    ]
    if progress.average_price is not None:
        parts[0] += f" at {money(progress.average_price, currency)} on average"
    if progress.remaining > 0.0:
        parts.append(f"{amount(progress.remaining)} {'missing' if progress.is_done else 'to go'}")
    if progress.slippage_bps is not None:
        shown = f"{abs(progress.slippage_bps):,.1f}"
        cost = "worse" if progress.slippage_bps > 0 else "better"
        is_even = float(shown.replace(",", "")) == 0.0
        parts.append("at the arrival price" if is_even else f"{shown} bps {cost} than arrival")
    return ", ".join(parts)
