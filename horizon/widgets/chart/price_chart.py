"""A live chart of one market's price, with what the account has done and wants to do there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from numbers import Integral
from typing import Any, ClassVar, Final

from horizon import checks, rules, words
from horizon.errors import HorizonError
from horizon.instruments import NO_SUFFIX, canonical_id, split_side
from horizon.types import AssetClass
from horizon.venues.records import MarketState
from horizon.widgets.access import (
    client_of,
    feeds_of_run,
    market_named,
    price_label,
    text_of,
    unit_of,
    venue_of,
)
from horizon.widgets.chart.bars import WIDTHS
from horizon.widgets.chart.drawing import (
    Drawn,
    PriceAxis,
    Stretch,
    bars_drawn,
    line_drawn,
    volume_drawn,
)
from horizon.widgets.chart.fills import MOST, FillLog, Numbered, count, fills_drawn, fills_words
from horizon.widgets.chart.marks import Line, Outlook, beyond, holdings, levels_of, orders_of
from horizon.widgets.chart.view import View
from horizon.widgets.face import Face, Verb
from horizon.widgets.live import FIGURES
from horizon.widgets.palette import Palette
from horizon.widgets.tape import Tape, Ticks

__all__ = ["PriceChart"]

_KINDS: Final = (("line", "Line"), ("candles", "Candles"))
_SIDES: Final = (("yes", "YES"), ("no", "NO"))
#: What a click on a price calls: market, side, price, quantity.
OnPrice = Callable[[str, Any, float, Any], object]


class PriceChart(Face):
    """The price of one market since it is watched, with the account's fills and orders.

    Every tick is kept (the latest 20,000 of a market) and can be zoomed into. The line is drawn
    four times a second at most, thinned to 600 points that keep its extremes; or as bars
    (candles), hollow where the price rose. Behind it stand bid and ask, where ticks bring them,
    and below it the volume.

    Parameters
    ----------
    ex : ImperativeClient
        A client, or an engine such as that of a run's handle.
    market : str, optional
        The market to begin with; by default the first that ticks. A list above the line changes
        it. An account that knows markets takes no other.
    kind : {"line", "candles"}
    bars : int or "auto"
        Width of a bar in seconds: 1, 5, 15, 60, 300, 900, 3600, 14400, 86400, or one or four
        weeks. By default as many as show about a hundred.
    side : {"yes", "no"}
        The side of a prediction market to look from.
    on_price : callable, optional
        Called with market id, side, price and quantity when a price is clicked, or chosen with
        the arrow keys and Enter. A chart has no opinion on side and quantity: they are None.
        The price lies on the market's grid. ``ticket.prefill`` is such a function.
    palette : str or Palette

    Raises
    ------
    TypeError, ValueError
        For an argument that is not as above.

    Notes
    -----
    *Bars* are made of the ticks' prices. A tick that is itself a bar counts with its close.

    *YES and NO.* A trade or an order on the other side stands as what it equals: NO bought at
    0.58 is YES sold at 0.42.

    *Lines* across the chart are working limit orders, and the average price of what is held.
    Those far from the price are counted at the edge, so that they do not flatten the line.

    Examples
    --------
    >>> ex = hz.connect("paper", clock=lambda: 0.0)
    >>> chart = hz.widgets.PriceChart(ex, market="ACME")
    >>> for seconds, price in ((0.0, 10.0), (60.0, 10.5), (120.0, 10.25)):
    ...     _ = ex.tick("ACME", price, seconds)
    >>> chart.paint()  # a notebook paints by itself, four times a second
    >>> chart.shown["summary"]
    '10.25 USD; low 10.00, high 10.50 over 3 ticks; 0 fills'
    >>> chart.close()
    """

    script = ("chart_plot.js", "chart.js")
    style = ("chart.css",)
    private: ClassVar[frozenset[str]] = frozenset(
        {"choose", "span", "kind", "bars", "side", "zoom", "move", "follow"}
    )

    def __init__(
        self,
        ex: object,
        *,
        market: str | None = None,
        kind: str = "line",
        bars: int | str = "auto",
        side: str = "yes",
        on_price: OnPrice | None = None,
        palette: str | Palette = "blue-orange",
    ) -> None:
        self._ex = client_of(ex)
        venue = venue_of(self._ex)
        self._market: str | None = None
        if market is not None:
            # The line is the market's own, by whichever id it was named.
            self._market = split_side(market_named(market, venue, feeds_of_run(ex)))[0]
        self._kind = checks.one_of("kind", kind, tuple(dict(_KINDS)))
        self._bars = _width(bars)
        self._side = checks.one_of("side", side, tuple(dict(_SIDES)))
        if on_price is not None and not callable(on_price):
            raise TypeError(f"on_price must be callable, was {checks.show(on_price)}")
        #: What a click on a price calls; see above. May be set later.
        self.on_price = on_price
        self._view = View()
        self._axis = PriceAxis()
        self._log = FillLog()
        self._said: dict[Any, str] = {}
        # First and latest second of the line, as it was drawn last.
        self._ends = (0.0, 0.0)
        # The latest drag that has been followed.
        self._dragged = ""
        self._joined: Tape | None = None
        super().__init__(palette=palette, every=FIGURES)

    @property
    def _tape(self) -> Tape:
        # Joined at the first paint: a chart whose making is refused must leave nothing behind.
        if self._joined is None:
            self._joined = Tape.of(venue_of(self._ex))
            if self._market is not None:
                self._joined.keep(self._market)
        return self._joined

    @property
    def market(self) -> str | None:
        """The market on show; None before the first tick."""
        return self._market

    def show(self, market_id: str) -> None:
        """Show a market's line, if it has had a price; a name that is no market's is ignored.

        Parameters
        ----------
        market_id : str
            Either side of a prediction market stands for the market.
        """
        market = split_side(canonical_id(market_id))[0]
        if market in self._tape.markets and market != self._market:
            self._turn_to(market)
            self._live.paint(self)

    def _turn_to(self, market: str) -> None:
        self._market = market
        self._view.follow(True, *self._ends)
        self._said.clear()

    # ------------------------------------------------------------------ verbs
    def verbs(self) -> dict[str, Verb]:
        """Choose what is shown and how, move through it, take a price."""
        return {
            "choose": self._choose,
            "span": lambda given: self._view.choose(text_of(given, "span")),
            "kind": self._set_kind,
            "bars": self._set_bars,
            "side": self._set_side,
            "zoom": self._zoom,
            "move": self._move,
            "follow": self._follow,
            "price": self._take_price,
        }

    def _choose(self, arguments: Mapping[str, Any]) -> None:
        market = text_of(arguments, "market")
        if market not in self._tape.markets:
            raise ValueError(f"market {words.name(market)!r} is not on the list of this chart")
        self._turn_to(market)

    def _set_kind(self, arguments: Mapping[str, Any]) -> None:
        self._kind = checks.one_of("kind", text_of(arguments, "kind"), tuple(dict(_KINDS)))

    def _set_bars(self, arguments: Mapping[str, Any]) -> None:
        self._bars = _width(text_of(arguments, "bars"))

    def _set_side(self, arguments: Mapping[str, Any]) -> None:
        self._side = checks.one_of("side", text_of(arguments, "side"), tuple(dict(_SIDES)))

    def _zoom(self, arguments: Mapping[str, Any]) -> None:
        self._view.zoom(arguments.get("factor"), arguments.get("at"), *self._ends)

    def _move(self, arguments: Mapping[str, Any]) -> None:
        # The page shows what it drags at once, and waits for its own picture only.
        self._dragged = text_of(arguments, "drag")
        self._view.move(arguments.get("start"), *self._ends)

    def _follow(self, arguments: Mapping[str, Any]) -> None:
        self._view.follow(checks.flag("follows", arguments.get("follows")), *self._ends)

    def _take_price(self, arguments: Mapping[str, Any]) -> None:
        price = checks.positive("price", arguments.get("price"))
        clicked = (text_of(arguments, "market"), text_of(arguments, "side"))
        if self.on_price is None:
            raise HorizonError("nothing takes a price from this chart")
        if clicked != (self._market, self._shown_side()):
            raise HorizonError("nothing was taken: the chart has turned to another market")
        market, side = clicked
        self.on_price(market + NO_SUFFIX if side == "no" else market, None, price, None)

    # ------------------------------------------------------------------ picture
    def picture(self) -> dict[str, Any]:
        """The line or bars with all that stands on them, their axes, and the same in words."""
        tape, venue = self._tape, self._ex.engine.venue
        markets = tape.markets
        if self._market is None and markets:
            self._market = markets[0]
        with venue.lock:
            self._log.read(venue)
        return {
            "name": "Price",
            "markets": [[market, words.name(market)] for market in markets],
            "market": self._market,
            "kinds": [list(kind) for kind in _KINDS],
            "kind": self._kind,
            "widths": [["auto", "auto"], *([str(width), name] for width, name in WIDTHS)],
            "width": "auto" if self._bars is None else str(self._bars),
            "sides": [list(side) for side in _SIDES] if self._is_chance() else [],
            "side": self._shown_side(),
            "follows": self._view.follows,
            "spans": self._view.spans,
            "span": self._view.span,
            "by": self._dragged,
            **self._drawing(),
        }

    def _state(self) -> MarketState | None:
        return self._ex.engine.venue.account.markets.get(self._market or "")

    def _is_chance(self) -> bool:
        state = self._state()
        return state is not None and state.asset_class == AssetClass.Prediction

    def _shown_side(self) -> str:
        return self._side if self._is_chance() else "yes"

    def _drawing(self) -> dict[str, Any]:
        nothing = {"summary": "No price yet.", "points": [], "bars": [], "fills": []}
        if self._market is None:
            return nothing
        ticks = self._tape.ticks(self._market)
        if not len(ticks):
            return nothing
        outlook = Outlook(is_no=self._shown_side() == "no")
        venue = self._ex.engine.venue
        money = words.name(venue.currency)
        every = self._log.of(self._market)
        latest = self._see_ends(ticks, every)
        start, end = self._view.between(self._ends[0], float(ticks.times[-1]) / 1e9)
        stretch = Stretch(ticks, outlook, start, end, stands_still=not self._view.follows)
        reach = end if stretch.stands_still else latest
        if self._kind == "line":
            drawn = line_drawn(stretch, reach, self._said)
        else:
            drawn = bars_drawn(stretch, self._bars, reach)
        fills = [row for row in every if start - 1e-6 <= row[1][6] / 1e9 <= drawn.x[1] + 1e-6]
        with venue.lock:
            state = venue.account.markets.get(self._market)
            orders, working = ([], 0) if state is None else orders_of(state, outlook, money)
            held = [] if state is None else holdings(state, outlook, money)
        marks = fills_drawn(fills, venue.account.legs, outlook, money)
        said = fills_words(fills, venue.account.legs, outlook)
        lines = [*held, *orders]
        of = (self._market, outlook, self._kind, self._view.span, stretch.stands_still)
        places = [place for _, _, place, _, _ in marks]
        bottom, top, prices = self._axis.around([*drawn.prices, *places], lines, of)
        unit = "units"
        if state is not None and state.asset_class >= 0:
            unit = unit_of(AssetClass(state.asset_class))
        side = f" of {dict(_SIDES)[self._side]}" if self._is_chance() else ""
        price = "Mark" if price_label(venue) == "Mark" else "Price"
        return {
            "summary": self._summary(stretch, drawn, said, working, state, money),
            "points": drawn.points,
            "band": drawn.band,
            "bars": drawn.bars,
            "bar": drawn.width,
            "view": [start, end],
            "volume": volume_drawn(stretch, drawn.width, unit),
            "fills": marks,
            "lines": [_line(line) for line in lines if bottom <= line.price <= top],
            "above": beyond([line for line in lines if line.price > top], "above"),
            "below": beyond([line for line in lines if line.price < bottom], "below"),
            "held": "; ".join(line.name for line in held),
            "levels": [] if self.on_price is None else levels_of(state, bottom, top),
            "x": [*drawn.x, "Time, UTC"],
            "y": [bottom, top, prices, f"{price}{side}, {money}"],
        }

    def _see_ends(self, ticks: Ticks, fills: list[Numbered]) -> float:
        """Note where the line begins and ends; return the latest time that is to be seen."""
        first, last = float(ticks.times[0]) / 1e9, float(ticks.times[-1]) / 1e9
        self._ends = (first, last)
        return max([last, *(row[6] / 1e9 for _, row in fills[-MOST:])])

    def _summary(
        self,
        stretch: Stretch,
        drawn: Drawn,
        fills: str,
        working: int,
        state: MarketState | None,
        money: str,
    ) -> str:
        """Say in words what is drawn."""
        prices = stretch.prices
        if len(prices):
            said = (
                f"{words.price(float(prices[-1]))} {money}; low "
                f"{words.price(float(prices.min()))}, high {words.price(float(prices.max()))} over "
                f"{count(len(prices), 'tick')}{drawn.note}"
            )
        else:
            said = f"no tick in this stretch{drawn.note}"
        said += f"; {fills}"
        if working:
            said += f"; {count(working, 'working order')}"
        if state is not None and state.settled:
            paid = state.settled_at
            settled = rules.complement(paid) if self._shown_side() == "no" else paid
            said += f"; settled at {words.price(settled)} {money}"
        return said

    def release(self, reason: str) -> None:
        """End for good, and leave the tape."""
        if self._joined is not None and not self.ended:
            self._joined.leave()
        super().release(reason)


def _width(given: object) -> int | None:
    """Take a width in seconds, a number or its text; None is as many as fit."""
    if given == "auto":
        return None
    widths = {str(width): width for width, _ in WIDTHS}
    is_known_kind = isinstance(given, (Integral, str)) and not isinstance(given, bool)
    if is_known_kind and str(given) in widths:
        return widths[str(given)]
    error = ValueError if is_known_kind else TypeError
    raise error(
        f"bars must be 'auto' or a number of seconds, one of {', '.join(widths)}; was "
        f"{checks.show(given)}"
    )


def _line(line: Line) -> dict[str, Any]:
    kind, *_ = line.key.split()
    return {
        "id": line.key,
        "kind": kind,
        "price": line.price,
        "side": line.side,
        "text": line.text,
        "title": line.name,
    }
