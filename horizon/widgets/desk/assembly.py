"""The desk: ticket, algorithms, money, orders and prices of one account, in one output."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final

import ipywidgets

from horizon import checks
from horizon.algos import ExecAlgo
from horizon.client import ImperativeClient, connect
from horizon.feeds import Feed, Synthetic
from horizon.instruments import Market, Prediction
from horizon.widgets.access import client_of, venue_of
from horizon.widgets.chart import PriceChart
from horizon.widgets.deck import FeedDeck, feeds_of
from horizon.widgets.face import Face
from horizon.widgets.live import Live
from horizon.widgets.masthead import Masthead
from horizon.widgets.monitor import AlgoMonitor
from horizon.widgets.palette import Palette, palette_of
from horizon.widgets.tables import Balance, Fills, Orders, Positions, Prices
from horizon.widgets.ticket import OrderTicket

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["PANELS", "Workbench", "workbench"]

#: The panels of a desk, in the order in which they stand: first the narrow column, then the wide.
PANELS: Final = (
    "ticket",
    "balance",
    "chart",
    "prices",
    "algos",
    "positions",
    "orders",
    "fills",
)
_NARROW: Final = ("ticket", "balance")
#: Tick size of the made-up markets: a tenth of a cent.
_GRID: Final = 0.001
#: The made-up markets: name, first price, volatility.
_MADE_UP: Final = (
    ("rain-tomorrow", 0.42, 0.006),
    ("rate-cut-in-june", 0.65, 0.004),
    ("home-win", 0.5, 0.008),
)


def workbench(
    ex: ImperativeClient | None = None,
    feed: Feed | Iterable[Feed] | None = None,
    *,
    market: str | None = None,
    play: bool = True,
    panels: Iterable[str] = PANELS,
    palette: str | Palette = "blue-orange",
) -> Workbench:
    """Open a desk: everything that an account needs to be traded by hand, live in one output.

    Without arguments it is a paper account of 100,000 USD and three made-up prediction markets
    that tick twice a second.

    Parameters
    ----------
    ex : ImperativeClient, optional
        The account, from `hz.connect`. Left out, the desk has a paper account of its own.
    feed : Feed or iterable of Feed, optional
        What plays to it. Left out beside an account that was given, nothing plays: its prices
        come from your own ticks.
    market : str, optional
        The market that ticket and chart begin with.
    play : bool
        Let the feed begin at once.
    panels : iterable of str
        Which parts to show: ``"ticket"``, ``"balance"``, ``"chart"``, ``"prices"``, ``"algos"``,
        ``"positions"``, ``"orders"``, ``"fills"``.
    palette : str or Palette
        Colours of buying and selling.

    Returns
    -------
    Workbench
        Shows itself as the last value of a cell; ``desk.close()`` stops it.

    Raises
    ------
    RuntimeError
        Outside of a notebook's event loop.
    TypeError, ValueError
        For an argument that is not as above.

    Notes
    -----
    A feed begins at the account's present, whatever the dates of its data, and plays at its own
    speed. The desk is live while the kernel is free or a cell awaits (``await algo.done()``,
    ``await feed.play(ex)``). A cell that blocks holds it up, and it says so.
    """
    return Workbench(ex, feed, market=market, play=play, panels=panels, palette=palette)


class Workbench:
    """A live desk over one account; see `workbench`.

    Attributes
    ----------
    ex : ImperativeClient
        The account.
    feeds : tuple of Feed
        What plays to it; empty if nothing does.
    """

    def __init__(
        self,
        ex: ImperativeClient | None = None,
        feed: Feed | Iterable[Feed] | None = None,
        *,
        market: str | None = None,
        play: bool = True,
        panels: Iterable[str] = PANELS,
        palette: str | Palette = "blue-orange",
    ) -> None:
        live = Live.here()
        colours = palette_of(palette)
        chosen = _panels(panels)
        begins = checks.flag("play", play)
        given = None if feed is None else feeds_of(feed)
        self._is_own = ex is None
        self.ex = connect("paper") if ex is None else client_of(ex)
        venue = venue_of(self.ex)
        if given is None and self._is_own:
            given = _made_up(self.ex)
        self.feeds: tuple[Feed, ...] = given or ()
        if market is None and self._is_own and self.feeds:
            market = _first_market(self.feeds)
        if market is not None:
            venue.market(checks.market_id("market", market))
        self._started: list[ExecAlgo] = []
        self._frames: dict[str, pd.DataFrame] | None = None
        self._closed = ""
        self._masthead: Masthead | None = None
        self._deck: FeedDeck | None = None
        self._parts: dict[str, Face] = {}
        self._boxes: tuple[ipywidgets.Box, ...] = ()
        self._live = live
        live.claim(self)  # the desk that this cell made before ends here
        try:
            self._make_parts(chosen, market, colours, begins)
        except BaseException:
            self.release("it could not be made")
            raise
        self._box = self._lay_out()

    def _make_parts(
        self, chosen: tuple[str, ...], market: str | None, colours: Palette, begins: bool
    ) -> None:
        ex = self.ex
        makers: dict[str, Callable[[], Face]] = {
            "ticket": lambda: OrderTicket(ex, market=market, palette=colours),
            "balance": lambda: Balance(ex, palette=colours),
            "chart": lambda: PriceChart(ex, market=market, palette=colours),
            "prices": lambda: Prices(ex, palette=colours),
            "algos": lambda: AlgoMonitor(ex, palette=colours),
            "positions": lambda: Positions(ex, palette=colours),
            "orders": lambda: Orders(ex, palette=colours),
            "fills": lambda: Fills(ex, palette=colours),
        }
        self._masthead = Masthead(ex, banner="ticket" not in chosen, palette=colours)
        for name in PANELS:
            if name in chosen:
                self._parts[name] = makers[name]()
        ticket = self._parts.get("ticket")
        if isinstance(ticket, OrderTicket):
            ticket.on_algo = self._started.append
            chart = self._parts.get("chart")
            if isinstance(chart, PriceChart):
                ticket.on_market = chart.show
        if self.feeds:
            self._deck = FeedDeck(ex, self.feeds, play=begins, palette=colours)
        for face in self._faces():
            face.quiet = face is not self._masthead
            face.on_gone = self._give_back

    def _faces(self) -> list[Face]:
        made = [self._masthead, self._deck, *self._parts.values()]
        return [face for face in made if face is not None]

    def _give_back(self) -> None:
        """Let go of the boxes as well, once nobody looks at any of an ended desk's parts."""
        if self._closed and all(face.is_gone for face in self._faces()):
            for box in self._boxes:
                box.children = ()
                box.layout.close()
                box.close()
            # IPython keeps what a cell has shown; it should not keep an account with it.
            self._masthead = self._deck = None
            self._parts, self._boxes, self._started = {}, (), []

    def _lay_out(self) -> ipywidgets.VBox:
        full = {"width": "100%", "min_width": "0"}
        narrow = [self._parts[name] for name in self._parts if name in _NARROW]
        wide = [self._parts[name] for name in self._parts if name not in _NARROW]
        columns = []
        for parts, size in ((narrow, "1 1 340px"), (wide, "3 1 560px")):
            if parts:
                box = ipywidgets.VBox(parts, layout={"flex": size, "min_width": "0"})
                box.add_class("hz-desk")
                columns.append(box)
        body = ipywidgets.HBox(columns, layout={**full, "flex_flow": "row wrap", "grid_gap": "8px"})
        body.add_class("hz-desk")
        heads = [head for head in (self._masthead, self._deck) if head is not None]
        rows = [*heads, body]
        box = ipywidgets.VBox(rows, layout=full)
        box.add_class("hz-desk")
        self._boxes = (box, body, *columns)
        return box

    def panel(self, name: str) -> Face:
        """Return one of its panels, a widget, by its name in `panels`.

        Raises
        ------
        ValueError
            If the desk has no such panel.
        """
        return self._parts[checks.one_of("name", name, tuple(self._parts))]

    # ------------------------------------------------------------------ data
    @property
    def orders(self) -> pd.DataFrame:
        """Every order as a table.

        Once the desk has closed an account of its own, as it was then. An account that you have
        closed answers no more (`VenueError`).
        """
        return self._frame("orders")

    @property
    def fills(self) -> pd.DataFrame:
        """Every fill as a table."""
        return self._frame("fills")

    @property
    def positions(self) -> pd.DataFrame:
        """What is held as a table."""
        return self._frame("positions")

    def _frame(self, name: str) -> pd.DataFrame:
        if self._frames is not None:
            return self._frames[name].copy()
        return self._frames_now()[name]

    def _frames_now(self) -> dict[str, pd.DataFrame]:
        return {
            "orders": self.ex.orders_frame(),
            "fills": self.ex.fills_frame(),
            "positions": self.ex.positions_frame(),
        }

    # ------------------------------------------------------------------ its feeds
    @property
    def deck(self) -> FeedDeck | None:
        """The controls of its feeds; None if nothing plays to it."""
        return self._deck

    async def done(self) -> None:
        """Wait until its feeds have come to their end, or were stopped; live meanwhile.

        Raises
        ------
        Exception
            What a feed has raised, which the desk shows as well.
        """
        if self._deck is not None:
            await self._deck.done()

    # ------------------------------------------------------------------ end
    @property
    def is_closed(self) -> bool:
        """Whether it has been closed, has ended with its cell, or with its account."""
        return bool(self._ended)

    @property
    def _ended(self) -> str:
        head = self._masthead
        return self._closed or ("" if head is None else str(head.ended))

    def close(self) -> None:
        """Stop everything that the desk has begun; again at no risk.

        Its feeds, its tasks and its paints end, and the algorithms that were started from its
        ticket are cancelled. An account of its own is closed; one that was given stays open,
        with its orders and with the algorithms that were started elsewhere.
        """
        first: Exception | None = None
        for algo in self._started:
            try:
                if self.ex.is_connected:
                    algo.cancel()
            except Exception as error:  # a listener's; closing goes on, it is shown after
                first = first or error
        self.release("it was closed")
        if first is not None:
            raise first

    def release(self, reason: str) -> None:
        """End with the cell that made it: as `close`, but algorithms of a given account go on."""
        if self._closed:
            return
        self._closed = reason
        for face in self._faces():
            try:
                face.paint()  # the last picture, with what the end has changed
            except Exception as error:
                self._live.tell(face, error)
        for face in self._faces():
            face.release(reason)
        self._live.end(self)
        if self._is_own and self.ex.is_connected:
            try:
                self._frames = self._frames_now()
            finally:
                self.ex.close()

    def paint(self) -> None:
        """Its parts paint themselves."""

    def fail(self, error: BaseException) -> None:
        """Show an error on the desk's own error line."""
        if self._masthead is not None:
            self._masthead.fail(error)

    def broken(self, error: BaseException) -> None:
        """Show an error; its parts paint themselves, so this ends nothing."""
        self.fail(error)

    # ------------------------------------------------------------------ display
    def __repr__(self) -> str:
        state = f"ended: {self._ended}" if self._ended else "live"
        return f"<Workbench on {self.ex.engine.venue.name}, {state}; run its cell to use it>"

    def _repr_html_(self) -> str:
        return f"<code>{html.escape(repr(self))}</code>"

    def _repr_mimebundle_(self, **options: Any) -> Any:
        if not self._boxes:
            return {"text/plain": repr(self)}
        bundle = self._box._repr_mimebundle_(**options)
        data = bundle[0] if isinstance(bundle, tuple) else bundle
        data["text/plain"] = repr(self)
        return bundle


def _panels(panels: Iterable[str]) -> tuple[str, ...]:
    if isinstance(panels, str) or not isinstance(panels, Iterable):
        raise TypeError(f"panels must be a list of names, was {checks.show(panels)}")
    return tuple(checks.one_of("panels", panel, PANELS) for panel in panels)


def _made_up(ex: ImperativeClient) -> tuple[Feed, ...]:
    """Three made-up prediction markets that differ in odds and pace."""
    made = []
    for seed, (name, start, pace) in enumerate(_MADE_UP):
        ex.declare(Market(name, Prediction, tick_size=_GRID))
        made.append(
            Synthetic(
                seed,
                market_id=name,
                start=start,
                volatility=pace,
                interval=0.5,
                spread=0.002,
                tick_size=_GRID,
            )
        )
    return tuple(made)


def _first_market(feeds: tuple[Feed, ...]) -> str | None:
    first = feeds[0]
    return first.market_id if isinstance(first, Synthetic) else None
