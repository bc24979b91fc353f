"""A picture of a book's depth through time."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from horizon import checks
from horizon.analytics.depth import DepthGrid, depth_grid
from horizon.figures.long import LongFigure
from horizon.figures.page import wrapped
from horizon.figures.series import Numbers, fill_columns
from horizon.figures.sheet import Clock, Sheet, add_both_sides
from horizon.figures.themes import Theme, theme_named
from horizon.figures.words import amount, plain
from horizon.words import duration

__all__ = ["book_depth"]

_HEIGHT: Final = 560
#: Marks on a colour bar.
_MARKS: Final = 5
#: Where on its scale a side has its own colour; beyond it goes towards the ink.
_OWN: Final = 0.62
_DEEPEST: Final = 0.55


def book_depth(
    books: Any,
    fills: Any = (),
    *,
    market_id: str = "",
    n_times: int = 240,
    n_prices: int = 150,
    between: tuple[float, float] | None = None,
    time: str | None = None,
    unit: str = "units",
    theme: str = "light",
    currency: str = "USD",
) -> LongFigure:
    """Draw the depth of a book through time, with its best prices.

    A heat map of the size that rested at each price: bids in the colour of buying, asks in that
    of selling, both on one scale. Colours go with the logarithm of the size, so that thin levels
    show beside deep ones. Best bid, best ask and mid are lines.

    Parameters
    ----------
    books : sequence of mappings, or frame
        Snapshots in order of time: mappings with ``"timestamp"``, ``"bids"`` and ``"asks"``
        (lists of (price, size), the best first), or a wide frame with ``bid_px_1``,
        ``bid_sz_1``, ``ask_px_1``, ``ask_sz_1`` and so on. See
        `horizon.books.read_books`.
    fills : DataFrame or sequence of VenueFill or Fill
        Fills of this market; buys point up, sells point down.
    market_id : str
        For the title.
    n_times, n_prices : int
        Columns and rows of the heat map, at most; see `horizon.analytics.depth.depth_grid`.
    between : pair of float, optional
        Lowest and highest price of the heat map.
    time : str, optional
        A frame's column of times.
    unit : str
        What sizes are counted in.
    theme : {"light", "dark"}
    currency : str
        What prices are in.

    Returns
    -------
    LongFigure
        As wide as its container. Lines of more than 2,000 books, and more fills, are thinned,
        keeping the extremes; the figure then says so. Where it is shown as a
        `horizon.widgets.LiveFigure`, zooming in makes the cells finer, on the same scale.

    Raises
    ------
    DataError
        Where a book cannot be true: crossed, out of order, of negative size, before the one
        above it; or a fill, which may come in any order.
    TypeError, ValueError
        If an argument is not as above.

    Examples
    --------
    >>> books = [
    ...     {"timestamp": 0, "bids": [(0.39, 10)], "asks": [(0.41, 20)]},
    ...     {"timestamp": 1, "bids": [(0.40, 10)], "asks": [(0.42, 20)]},
    ... ]
    >>> figure = hz.figures.book_depth(books, market_id="RAIN", unit="contracts")
    >>> [(trace.name, trace.type) for trace in figure.data][:3]
    [('asks', 'heatmap'), ('bids', 'heatmap'), ('best ask', 'scatter')]
    >>> [float(price) for price in figure.data[2].y]
    [0.41, 0.42]
    """
    look = theme_named(theme)
    market = plain(market_id if market_id == "" else checks.market_id("market_id", market_id))
    unit, currency = checks.text("unit", unit), checks.text("currency", currency)
    done = fill_columns(fills)
    grid = depth_grid(books, n_times=n_times, n_prices=n_prices, between=between, time=time)

    @lru_cache(maxsize=1)  # for both sides at once
    def again(start: int, end: int) -> DepthGrid:
        """The cells of a window and of half as much on either side, for who pans on."""
        more = (end - start) // 2
        part = depth_grid(
            grid.books,
            n_times=2 * n_times,
            n_prices=n_prices,
            between=between,
            start_ns=start - more,
            end_ns=end + more,
        )
        is_beside = start >= grid.books.times_ns[-1] or end <= grid.books.times_ns[0]
        return grid if is_beside or not part.bid_sizes.size else part

    figure = LongFigure()
    if grid.bid_sizes.size:
        _draw_depth(figure, grid, look, unit, currency, again)
    _draw_lines(figure, grid, look, currency)
    sheet = Sheet(look, currency, Clock(None))
    add_both_sides(figure, sheet, done, look.ink, look.ink)
    told = [_told(grid), *(line for note in figure.notes for line in wrapped(note))]
    figure.update_layout(
        template=look.template,
        height=_HEIGHT,
        margin={"t": 84 + 18 * len(told)},
        title={
            "text": f"{market}: book depth" if market else "Book depth",
            "subtitle": {"text": "<br>".join(told)},
        },
        xaxis={"title": {"text": "Time, UTC"}, "showgrid": False},
        yaxis={
            "title": {"text": f"Price, {plain(currency)}"},
            "tickformat": ",~f",
            "showgrid": False,
            "zeroline": False,
        },
        legend={"x": 0.0, "xanchor": "left", "y": 1.0, "yanchor": "bottom"},
        hovermode="closest",
    )
    if not len(grid.books):
        figure.add_annotation(
            text="There are no books.",
            x=0.5,
            y=0.5,
            xref="paper",
            yref="paper",
            showarrow=False,
            font={"color": look.muted},
        )
    return figure


@dataclass(frozen=True, slots=True)
class _Heat:
    """How the cells of one side are drawn, whatever window they are of."""

    side: str
    #: Below the usual size the scale is about straight, above it about logarithmic.
    usual: float
    style: dict[str, Any]
    decimals: int
    words: str

    def trace(self, grid: DepthGrid) -> dict[str, Any]:
        cells = grid.ask_sizes if self.side == "ask" else grid.bid_sizes
        # Rows beyond the last that hold anything are not sent; others have holes.
        rows = np.flatnonzero((cells > 0.0).any(axis=1))
        first, end = (int(rows[0]), int(rows[-1]) + 1) if len(rows) else (0, 1)
        shown = np.where(cells > 0.0, cells, np.nan)[first:end].astype(np.float32)
        half = float(np.diff(grid.price_edges[:2]).sum()) / 2.0
        is_tick = grid.tick > 0.0 and half < 0.75 * grid.tick
        half_words = "" if is_tick else f" ± {_short(half)}"
        wide = float(np.diff(grid.time_edges_ns).mean()) / 1e9
        over = f" on average over {_span(wide)}" if wide else ""
        return {
            "type": "heatmap",
            "x": grid.time_edges_ns.astype("datetime64[ns]"),
            "y": grid.price_edges[first : end + 1],
            "z": np.log1p(shown / np.float32(self.usual)),
            "customdata": shown,
            "hoverongaps": False,
            "hovertemplate": (
                f"%{{x|%-d %b %Y, %H:%M:%S.%L}} UTC, %{{y:,.{self.decimals}f}}{half_words} "
                f"{self.words}{over}<extra></extra>"
            ),
            **self.style,
        }


def _draw_depth(
    figure: LongFigure,
    grid: DepthGrid,
    look: Theme,
    unit: str,
    currency: str,
    again: Callable[[int, int], DepthGrid],
) -> None:
    sizes = np.concatenate([grid.bid_sizes, grid.ask_sizes])
    present = sizes[sizes > 0.0]
    if not len(present):
        return
    # Averages of shorter times reach up to what one level ever held.
    levels = [grid.books.bid_sizes, grid.books.ask_sizes]
    most = max(float(np.nanmax(part)) for part in [present, *levels] if np.isfinite(part).any())
    usual = float(np.median(present))
    marks = _marks(usual, most)
    for side, colour, place in (
        ("ask", look.sell, {"y": 1.0, "yanchor": "top"}),
        ("bid", look.buy, {"y": 0.0, "yanchor": "bottom"}),
    ):
        style = {
            "zmin": 0.0,
            "zmax": float(np.log1p(most / usual)),
            "colorscale": _scale(look, colour),
            "name": f"{side}s",
            "colorbar": {
                "title": {"text": f"{side.capitalize()}s, {plain(unit)}", "font": {"size": 12}},
                "len": 0.48,
                "lenmode": "fraction",
                "thickness": 14,
                "outlinewidth": 0,
                "tickvals": [float(np.log1p(mark / usual)) for mark in marks],
                "ticktext": [amount(mark) for mark in marks],
                "tickfont": {"size": 12},
                **place,
            },
        }
        words = f"{plain(currency)}:<br>%{{customdata:,.4~r}} {plain(unit)} {side}"
        heat = _Heat(side, usual, style, _decimals(grid), words)
        if (grid.ask_sizes if side == "ask" else grid.bid_sizes).any():
            figure.add_drawn(partial(_heat_of, heat, grid, again))


def _heat_of(
    heat: _Heat,
    whole: DepthGrid,
    again: Callable[[int, int], DepthGrid],
    start: int | None,
    end: int | None,
) -> dict[str, Any]:
    return heat.trace(whole if start is None or end is None else again(start, end))


def _draw_lines(figure: LongFigure, grid: DepthGrid, look: Theme, currency: str) -> None:
    books = grid.books
    decimals = _decimals(grid)
    for name, prices, line in (
        ("best ask", books.best_ask, {"color": look.sell, "width": 1.2}),
        ("best bid", books.best_bid, {"color": look.buy, "width": 1.2}),
        # On top: from afar the three are one line, which should not have the colour of a side.
        ("mid", books.mid, {"color": look.ink, "width": 0.8}),
    ):
        _draw_line(figure, books.times_ns, prices, name, line, decimals, currency)


def _draw_line(
    figure: LongFigure,
    times: NDArray[np.int64],
    prices: Numbers,
    name: str,
    line: dict[str, Any],
    decimals: int,
    currency: str,
) -> None:
    finer = decimals + (name == "mid")

    def draw(kept: NDArray[np.intp]) -> dict[str, Any]:
        return {
            "type": "scatter",
            "mode": "lines",
            "name": name,
            "x": times[kept].astype("datetime64[ns]"),
            "y": prices[kept],
            # A price holds until the next one comes.
            "line": {"shape": "hv", **line},
            "hovertemplate": (
                f"%{{x|%-d %b %Y, %H:%M:%S.%L}} UTC: {name} %{{y:,.{finer}f}} "
                f"{plain(currency)}<extra></extra>"
            ),
        }

    figure.add_long(times, prices, draw, what="books")


def _told(grid: DepthGrid) -> str:
    """Say what is drawn; how large a cell is changes with the window, and hover says it."""
    count = len(grid.books)
    said = f"{count:,} book{'' if count == 1 else 's'}"
    if not grid.bid_sizes.any() and not grid.ask_sizes.any():
        return said
    is_moment = grid.time_edges_ns[0] == grid.time_edges_ns[-1]
    return f"{said}; colour: {'size' if is_moment else 'average size'} in each cell"


def _span(seconds: float) -> str:
    if seconds < 1.0:
        return f"{1e3 * seconds:.3g} ms"
    return f"{seconds:.3g} s" if seconds < 100.0 else duration(seconds)


def _short(value: float) -> str:
    return amount(float(f"{value:.4g}"))


def _decimals(grid: DepthGrid) -> int:
    """How many decimals the prices have; at least two."""
    if not grid.tick:
        return 4
    return min(8, max(2, math.ceil(-math.log10(grid.tick) - 1e-9)))


def _marks(usual: float, most: float) -> list[float]:
    """Round sizes for a colour bar: nothing, and some up to the largest, about evenly apart."""
    spread = np.expm1(np.linspace(0.0, np.log1p(most / usual), _MARKS)[1:]) * usual
    found = [0.0]
    for value in spread.tolist():
        unit = 10.0 ** math.floor(math.log10(value))
        mark = max(step * unit for step in (1.0, 2.0, 5.0) if step * unit <= value * (1 + 1e-9))
        if mark > found[-1]:
            found.append(float(f"{mark:.1g}"))
    return found


def _scale(look: Theme, colour: str) -> list[tuple[float, str]]:
    """From close to the paper over the side's colour towards the ink."""
    return [
        (0.0, _mixed(look.paper, colour, 0.08)),
        (_OWN, colour),
        (1.0, _mixed(colour, look.ink, _DEEPEST)),
    ]


def _mixed(one: str, other: str, share: float) -> str:
    parts = [
        round(int(one[at : at + 2], 16) * (1.0 - share) + int(other[at : at + 2], 16) * share)
        for at in (1, 3, 5)
    ]
    return "#" + "".join(f"{part:02x}" for part in parts)
