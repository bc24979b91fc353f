"""What an explorer has on show: one result, others beside it, the open tab and what is in it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from horizon import checks, words
from horizon.figures.long import LongFigure
from horizon.instruments import split_side
from horizon.widgets.explorer.kept import Kept, Shelf
from horizon.widgets.explorer.tables import FillPages
from horizon.widgets.explorer.views import Desired, equity_figure, price_figure
from horizon.widgets.face import Face
from horizon.widgets.live import Live
from horizon.widgets.live_figure import LiveFigure
from horizon.widgets.palette import Palette
from horizon.widgets.views import CalibrationView, TearsheetView

__all__ = ["TABS", "Shown"]

#: What a result can be looked at by, and what the tabs are called.
TABS: Final = {
    "compare": "Compare",
    "fills": "Fills",
    "tearsheet": "Tearsheet",
    "calibration": "Calibration",
}
#: Results that stand side by side at most.
_COLUMNS: Final = 5


class Shown:
    """The result on show, and what of it is looked at.

    Parameters
    ----------
    face : Face
        Which holds the figures.
    shelf : Shelf
    palette : Palette

    Attributes
    ----------
    one : Kept or None
        The result on show.
    tab : str
    every_metric : bool
    market : str
        The chosen market; empty for all.
    newest : bool
        Whether the newest fills come first.
    page : int
        Of the table of fills, from 0.
    order : str or None
        The order that is explained.
    explanation : str or None
        What there is to say of it; None until it is made.
    """

    def __init__(self, live: Live, face: Face, shelf: Shelf, palette: Palette) -> None:
        self._face, self._shelf, self._palette = face, shelf, palette
        self.one: Kept | None = None
        self._former: Kept | None = None
        self.tab = "compare"
        self.every_metric = False
        self.market = ""
        self.newest = True
        self.page = 0
        #: The result that the price chart is of, by its number.
        self._price_of = -1
        self.order: str | None = None
        self.explanation: str | None = None
        self._pages: tuple[tuple[int, str, bool], FillPages] | None = None
        self.equity, self.price = Desired(live, face), Desired(live, face)
        self.explained = Desired(live, face)

    # ------------------------------------------------------------------ which result
    def show(self, one: Kept) -> None:
        """Put a result on show; the one before stays beside it."""
        if one is self.one:
            return
        if self.one is not None and self.one in list(self._shelf):
            self._former = self.one
        self.one = one
        self.page = 0
        self.close()
        self.look()

    def tidy(self) -> None:
        """Forget what is not kept any more."""
        kept = list(self._shelf)
        if self._former is not None and self._former not in kept:
            self._former = None
        if self.one is not None and self.one not in kept:
            self.one = None
            self.close()
            if kept:
                self.show(kept[-1])
        self.look()

    @property
    def columns(self) -> list[Kept]:
        """Those that are ticked, or the one before; last the one on show."""
        if self.one is None:
            return []
        beside = [one for one in self._shelf if one.is_compared and one is not self.one]
        if not beside and self._former is not None:
            beside = [self._former]
        return [*beside, self.one]

    def tick(self, one: Kept) -> None:
        """Let a result stand beside the one on show, or no longer."""
        ticked = sum(other.is_compared for other in self._shelf)
        if not one.is_compared and ticked >= _COLUMNS - 1:
            raise ValueError(
                f"at most {_COLUMNS - 1} results can be ticked, so that they fit beside the one "
                "on show"
            )
        one.is_compared = not one.is_compared
        self.look()

    # ------------------------------------------------------------------ what is drawn of it
    def open(self, tab: str) -> None:
        """Open a tab."""
        self.tab = checks.one_of("tab", tab, TABS)
        self.look()

    def look(self) -> None:
        """Have what the open tab shows made, unless it is there."""
        one = self.one
        if one is None or self._face.ended:
            return
        theme = "dark" if self._face.is_dark else "light"
        if self.tab == "compare":
            columns = self.columns
            drawn = [(each.name, each.result) for each in columns]
            self.equity.want(
                (*((each.number, each.name) for each in columns), theme),
                lambda: equity_figure(drawn, theme),
                lambda figure: self._put("equity", figure),
            )
        elif self.tab == "fills":
            market, result, number = self.drawn_market, one.result, one.number
            self.price.want(
                (one.number, market, theme),
                lambda: price_figure(result, market, theme),
                lambda figure: self._put_price(figure, number),
            )
        elif self.tab == "tearsheet":
            if "tearsheet" not in self._face.parts:
                self._face.hold("tearsheet", TearsheetView(None, palette=self._palette))
            self._face.parts["tearsheet"].show(one.result)
        else:
            if "calibration" not in self._face.parts:
                self._face.hold("calibration", CalibrationView(None, palette=self._palette))
            self._face.parts["calibration"].show(one.result)

    def _put_price(self, figure: LongFigure, number: int) -> None:
        self._price_of = number
        self._put("price", figure)

    def _put(self, place: str, figure: LongFigure) -> None:
        if self._face.ended:
            return
        view = self._face.parts.get(place)
        if view is not None:
            view.show(figure)
        else:
            on_point = self._take_point if place == "price" else None
            self._face.hold(place, LiveFigure(figure, on_point=on_point))

    # ------------------------------------------------------------------ its fills
    @property
    def drawn_market(self) -> str:
        """The market whose prices are drawn: the chosen one, or the first that has fills."""
        if self.market or self.one is None:
            return self.market
        record = self.one.result.record
        ids = [market.id for market in record.markets]
        fills = record.fills
        filled = {split_side(fills.leg_ids[i])[0] for i in set(fills.legs.tolist())}
        return next((market for market in ids if market in filled), ids[0])

    def fills(self) -> FillPages | None:
        """The fills of the result on show, as its table has them."""
        if self.one is None:
            return None
        key = (self.one.number, self.market, self.newest)
        if self._pages is None or self._pages[0] != key:
            pages = FillPages(self.one.result.record, self.market, newest=self.newest)
            self._pages = key, pages
        return self._pages[1]

    def choose_market(self, market: str) -> None:
        """Show the fills and the prices of one market; of all for an empty text."""
        known = [] if self.one is None else [one.id for one in self.one.result.markets]
        if market and market not in known:
            raise ValueError(f"market {words.name(market)!r} is not one of the run's")
        self.market, self.page = market, 0
        self.look()

    def turn(self) -> None:
        """Show the fills from the other end."""
        self.newest, self.page = not self.newest, 0

    def turn_to(self, page: object) -> None:
        """Turn to a page of the fills, from 0; one past the last is the last."""
        pages = self.fills()
        asked = checks.integer("page", page, least=0)
        self.page = min(asked, 0 if pages is None else pages.pages - 1)

    # ------------------------------------------------------------------ one order
    def explain(self, order_id: str) -> None:
        """Have an order explained, and its first fill's page turned to."""
        one = self.one
        if one is None:
            raise ValueError("there is no result whose order could be explained")
        checks.text("order_id", order_id)
        if not re.fullmatch(r"p[1-9]\d{0,17}", order_id, re.ASCII):
            raise ValueError(
                f"order_id must be that of an order of the run, such as 'p1', was {order_id!r}"
            )
        pages = self.fills()
        page = pages.page_of(order_id) if pages is not None else None
        if page is not None:
            self.page = page
        result = one.result
        self.order, self.explanation = order_id, None
        self.explained.forget()

        def put(told: str) -> None:
            self.explanation = told

        self.explained.want((one.number, order_id), lambda: result.explain(order_id).words, put)

    def close(self) -> None:
        """Explain nothing any more."""
        self.order, self.explanation = None, None
        self.explained.forget()

    def _take_point(self, told: Mapping[str, Any]) -> None:
        """A click into the price chart: on a fill it opens its order."""
        order = told.get("customdata")
        if self.one is None or self._price_of != self.one.number:
            raise ValueError("this chart is of a run that is not on show any more: click again")
        if isinstance(order, str):
            self.explain(order)
