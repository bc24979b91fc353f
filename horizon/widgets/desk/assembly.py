"""The desk: every front end of one account, in one output, where its user wants it."""

from __future__ import annotations

import html
import json
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from horizon import checks, words
from horizon.algos import ExecAlgo
from horizon.client import ImperativeClient, connect
from horizon.feeds import Feed
from horizon.instruments import split_side
from horizon.widgets.access import client_of, first_market, market_named, venue_of
from horizon.widgets.blotter import Blotter
from horizon.widgets.chart import PriceChart
from horizon.widgets.deck import FeedDeck, feeds_of
from horizon.widgets.desk.arguments import LABELS, file_of, panels_of, run_of, widgets_of
from horizon.widgets.desk.demo import made_up
from horizon.widgets.desk.dock import Dock
from horizon.widgets.desk.layout import Layout, layout_of, read_layout
from horizon.widgets.desk.presets import PANELS, presets_of
from horizon.widgets.face import Face
from horizon.widgets.hotkeys import Hotkeys
from horizon.widgets.ladder import BookLadder
from horizon.widgets.live import Live
from horizon.widgets.masthead import Masthead
from horizon.widgets.monitor import AlgoMonitor
from horizon.widgets.palette import Palette, palette_of
from horizon.widgets.tables import Balance, Fills, Orders, Positions, Prices
from horizon.widgets.ticket import OrderTicket

if TYPE_CHECKING:
    import pandas as pd

    from horizon.running import RunHandle

__all__ = ["Workbench", "workbench"]


def workbench(
    ex: ImperativeClient | RunHandle | None = None,
    feed: Feed | Iterable[Feed] | None = None,
    *,
    market: str | None = None,
    play: bool = True,
    panels: Iterable[str] = PANELS,
    widgets: Mapping[str, Face] | Iterable[Face] | Face = (),
    layout: object = None,
    hotkeys: Hotkeys | None = None,
    palette: str | Palette = "blue-orange",
) -> Workbench:
    """Open a desk: everything that an account needs to be traded by hand, live in one output.

    Without arguments it is a paper account of 100,000 USD and three made-up prediction markets
    that tick twice a second.

    Parameters
    ----------
    ex : ImperativeClient or RunHandle, optional
        The account, from `hz.connect`; or a run in the background, from `hz.run`, whose account
        is shown then, with its monitor. Left out, the desk has a paper account of its own.
    feed : Feed or iterable of Feed, optional
        What plays to it. Left out beside an account that was given, nothing plays: its prices
        come from your own ticks.
    market : str, optional
        The market that ticket, chart and book begin with; left out, the first of the feed, else
        the first of the account that has a price. An account that knows no market yet takes any
        name; one that does, those that it or the feed knows.
    play : bool
        Let the feed begin at once.
    panels : iterable of str
        Which parts to show: ``"ticket"``, ``"balance"``, ``"chart"``, ``"book"``, ``"prices"``,
        ``"algos"``, ``"positions"``, ``"orders"``, ``"fills"``, ``"blotter"``.
    widgets : widget, or an iterable or mapping of them, optional
        Other front ends to place on it, such as a `BacktestExplorer`; in a mapping by the names
        that they get.
    layout : str, path, Layout, mapping or list, optional
        Where the panels stand: ``"desk"``, ``"book"``, ``"blotter"`` or ``"single"``; columns as
        lists of panels, such as ``[["ticket"], ["chart", ("orders", "fills")]]``, of which those
        in a tuple stand one behind another; what `Workbench.layout` gave; or a path that ends
        with ``.json``, where the layout is read from if it is there, and kept from then on.
    hotkeys : Hotkeys, optional
        Keys of the desk; `Hotkeys` has the usual ones.
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

    Panels are pulled by their names to where they are wanted; they can be sized, folded, shown
    alone and hidden. ``desk.layout`` is the present layout as plain data.

    Examples
    --------
    >>> desk = hz.workbench(layout=[["ticket"], ["chart", ("orders", "fills")]], play=False)
    >>> desk.ex.balance().cash
    100000.0
    >>> [feed.market_id for feed in desk.feeds]
    ['rain-tomorrow', 'rate-cut-in-june', 'home-win']
    >>> desk.close()
    >>> desk.is_closed
    True
    """
    return Workbench(
        ex,
        feed,
        market=market,
        play=play,
        panels=panels,
        widgets=widgets,
        layout=layout,
        hotkeys=hotkeys,
        palette=palette,
    )


class Workbench:
    """A live desk over one account.

    Not made by hand: `hz.workbench` returns it.

    Attributes
    ----------
    ex : ImperativeClient
        The account.
    feeds : tuple of Feed
        What plays to it; empty if nothing does.

    Raises
    ------
    RuntimeError, TypeError, ValueError
        As `workbench` does.

    Examples
    --------
    >>> desk = hz.workbench(play=False)
    >>> _ = desk.ex.tick("rain-tomorrow", 0.4, 0.0)
    >>> order = desk.ex.buy("rain-tomorrow", 10, limit=0.35)
    >>> desk.orders["market_id"].to_list(), desk.orders["status"].to_list()
    (['rain-tomorrow'], ['new'])
    >>> desk.panel("ticket").prefill(market="home-win", side="buy", quantity=5)
    >>> desk.close()
    """

    def __init__(
        self,
        ex: ImperativeClient | RunHandle | None = None,
        feed: Feed | Iterable[Feed] | None = None,
        *,
        market: str | None = None,
        play: bool = True,
        panels: Iterable[str] = PANELS,
        widgets: Mapping[str, Face] | Iterable[Face] | Face = (),
        layout: object = None,
        hotkeys: Hotkeys | None = None,
        palette: str | Palette = "blue-orange",
    ) -> None:
        live = Live.here()
        colours = palette_of(palette)
        chosen = panels_of(panels)
        begins = checks.flag("play", play)
        if hotkeys is not None and not isinstance(hotkeys, Hotkeys):
            raise TypeError(f"hotkeys must be Hotkeys, was {checks.show(hotkeys)}")
        given = None if feed is None else feeds_of(feed)
        added = widgets_of(widgets)
        run = run_of(ex)
        names = (*chosen, *(("run",) if run is not None else ()), *added)
        presets = presets_of(names)
        self._file = file_of(layout)
        begin = self._first_layout(layout, names, presets)
        self._is_own = ex is None
        # Its feeds quote, and a fill costs what they quote.
        self.ex = connect("paper", matching="quotes") if ex is None else client_of(ex)
        venue = venue_of(self.ex)
        if given is None and self._is_own and chosen:
            given = made_up(self.ex)
        self.feeds: tuple[Feed, ...] = given or ()
        playing = self.feeds if run is None else (*self.feeds, *run.feeds.values())
        if market is not None:
            market = market_named(market, venue, playing)
        elif run is not None:
            market = next(iter(venue.account.markets), None)
        else:
            market = first_market(venue, self.feeds)
        self._declare_what_plays()
        self._started: list[ExecAlgo] = []
        self._frames: dict[str, pd.DataFrame] | None = None
        self._closed = ""
        self._masthead: Masthead | None = None
        self._deck: FeedDeck | None = None
        self._parts: dict[str, Face] = {}
        self._dock: Dock | None = None
        self._live = live
        live.claim(self)  # the desk that this cell made before ends here
        try:
            self._make_parts(chosen, market, colours, begins, hotkeys)
            if run is not None:
                from horizon.widgets.run_monitor import RunMonitor

                self._parts["run"] = RunMonitor(run, palette=colours)
            self._parts.update(added)
            self._put_together(begin, presets, colours)
        except BaseException:
            self.release("it could not be made")
            raise

    def _declare_what_plays(self) -> None:
        """Say what the markets of feeds are that know it: a feed says so as it begins to play.

        Until then a ticket would take them for what their names say.
        """
        known = self.ex.engine.venue.account.markets
        for feed in self.feeds:
            for contract in getattr(feed, "contracts", ()):
                if contract.id not in known:
                    self.ex.declare(contract)

    def _make_parts(
        self,
        chosen: tuple[str, ...],
        market: str | None,
        colours: Palette,
        begins: bool,
        hotkeys: Hotkeys | None,
    ) -> None:
        ex = self.ex
        keys = Hotkeys() if hotkeys is None else hotkeys
        makers: dict[str, Callable[[], Face]] = {
            "ticket": lambda: OrderTicket(ex, market=market, hotkeys=keys, palette=colours),
            "balance": lambda: Balance(ex, palette=colours),
            "chart": lambda: PriceChart(ex, market=market, palette=colours),
            "book": lambda: BookLadder(ex, market=market, palette=colours),
            "prices": lambda: Prices(ex, palette=colours),
            "algos": lambda: AlgoMonitor(ex, palette=colours),
            "positions": lambda: Positions(ex, palette=colours),
            "orders": lambda: Orders(ex, palette=colours),
            "fills": lambda: Fills(ex, palette=colours),
            "blotter": lambda: Blotter(ex, palette=colours),
        }
        if chosen:
            self._masthead = Masthead(ex, palette=colours)
        for name in PANELS:
            if name in chosen:
                self._parts[name] = makers[name]()
        self._join()
        if self.feeds:
            self._deck = FeedDeck(ex, self.feeds, play=begins, palette=colours)

    def _join(self) -> None:
        """Let the parts follow each other: one market for all, prices and orders to the ticket."""
        parts = self._parts
        chart, book = parts.get("chart"), parts.get("book")
        orders, blotter = parts.get("orders"), parts.get("blotter")
        ticket = parts.get("ticket")
        if not isinstance(ticket, OrderTicket):
            return
        ticket.on_algo = self._started.append
        followers = [part for part in (chart, book) if isinstance(part, (PriceChart, BookLadder))]

        clicked: list[str] = []

        def turn(market: str) -> None:
            # What shows the market already stays as it is, on its side: it may be under the
            # pointer. What turns to it shows the side that was clicked.
            name = next((one for one in clicked if split_side(one)[0] == market), market)
            for part in followers:
                if split_side(part.market or "")[0] != market:
                    part.show(name)

        def fill_in(
            market: str, side: str | None, price: float | None, quantity: float | None
        ) -> None:
            clicked[:] = [market]
            try:
                ticket.prefill(market=market, side=side, price=price, quantity=quantity)
            finally:
                clicked.clear()
            self._bring("ticket")

        def amend(order_id: str) -> None:
            ticket.amend(order_id)
            self._bring("ticket")

        ticket.on_market = turn
        for part in followers:
            part.on_price = fill_in
        for table in (orders, blotter):
            if isinstance(table, (Orders, Blotter)):
                table.on_amend = amend

    def _bring(self, panel: str) -> None:
        """Bring a panel to sight, if it is not."""
        dock = self._dock
        if dock is not None and panel not in dock.arrangement.in_view:
            dock.arrange(dock.arrangement.showing(panel))

    def _put_together(self, begin: Layout, presets: Mapping[str, Layout], colours: Palette) -> None:
        heads: dict[str, Face] = {}
        if self._masthead is not None:
            heads["masthead"] = self._masthead
        if self._deck is not None:
            heads["deck"] = self._deck
        labels = {name: LABELS.get(name, words.name(name)) for name in self._parts}
        self._dock = Dock(self._parts, heads, labels, begin, presets, ex=self.ex, palette=colours)
        for face in heads.values():
            face.quiet = face is not self._masthead
        self._dock.quiet = self._masthead is not None  # which says it for all
        self._dock.on_layout = lambda _: self._keep_layout()
        self._dock.on_gone = self._give_back

    def _faces(self) -> list[Face]:
        made = [self._masthead, self._deck, *self._parts.values()]
        return [face for face in made if face is not None]

    def _give_back(self) -> None:
        """Let go of its parts as well: IPython keeps what a cell has shown, and its account."""
        if self._closed:
            self._masthead = self._deck = self._dock = None
            self._parts, self._started = {}, []

    # ------------------------------------------------------------------ layout
    def _first_layout(
        self, layout: object, names: tuple[str, ...], presets: Mapping[str, Layout]
    ) -> Layout:
        if layout is None:
            return next(iter(presets.values()))
        if self._file is not None:
            if not self._file.exists():
                return next(iter(presets.values()))
            try:
                return read_layout(self._file.read_text(encoding="utf-8"), names)
            except (TypeError, ValueError) as error:
                raise ValueError(
                    f"layout file {str(self._file)!r} holds no layout: {error}"
                ) from None
        if isinstance(layout, str):
            return presets[checks.one_of("layout", layout, tuple(presets))]
        return layout_of(layout, names)

    def _keep_layout(self) -> None:
        if self._file is not None and self._dock is not None:
            text = json.dumps(self._dock.arrangement.to_dict(), indent=1)
            beside = self._file.with_name(f"{self._file.name}.new")
            beside.write_text(text + "\n", encoding="utf-8")
            beside.replace(self._file)  # whole, or as it was

    @property
    def layout(self) -> dict[str, Any]:
        """Where the panels stand now, as plain data; give it to `hz.workbench` to have it again.

        It can be set, to anything that ``layout=`` takes but a path.

        Raises
        ------
        ValueError
            When it is asked for after the desk has gone.
        """
        return self._require_dock().arrangement.to_dict()

    @layout.setter
    def layout(self, layout: object) -> None:
        dock = self._require_dock()
        if isinstance(layout, str):
            presets = presets_of(tuple(self._parts))
            dock.arrange(presets[checks.one_of("layout", layout, tuple(presets))])
        else:
            dock.arrange(layout_of(layout, tuple(self._parts)))

    def _require_dock(self) -> Dock:
        if self._dock is None:
            raise ValueError("this desk has gone; its layout went with it")
        return self._dock

    def panel(self, name: str) -> Face:
        """Return one of its panels, a widget.

        Parameters
        ----------
        name : str
            As in the arguments `panels` or `widgets` of `workbench`.

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
        dock = self._dock
        return self._closed or ("" if dock is None else str(dock.ended))

    def close(self) -> None:
        """Stop everything that the desk has begun; again at no risk.

        Its feeds, its tasks and its paints end, and the algorithms that were started from its
        ticket are cancelled. An account of its own is closed; one that was given stays open,
        with its orders and with the algorithms that were started elsewhere.

        Raises
        ------
        Exception
            What a listener of a cancelled algorithm has raised, after all else has ended.
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
        """End with the cell that made it: as `close`, but algorithms of a given account go on.

        The page gives the `reason`.
        """
        if self._closed:
            return
        self._closed = reason
        for face in self._faces():
            try:
                face.paint()  # the last picture, with what the end has changed
            except Exception as error:
                self._live.tell(face, error)
        for face in (*self._faces(), *(() if self._dock is None else (self._dock,))):
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
        """Show `error` on the desk's own error line."""
        face = self._dock if self._masthead is None else self._masthead
        if face is not None:
            face.fail(error)

    def broken(self, error: BaseException) -> None:
        """Show an error; its parts paint themselves, so this ends nothing."""
        self.fail(error)

    # ------------------------------------------------------------------ display
    def __repr__(self) -> str:
        # What a page shows that has lost it, as after a reload: the account is still there.
        state = (
            f"ended: {self._ended}; run its cell to use it"
            if self._ended
            else "live; a cell with its name alone shows it, its own cell begins anew"
        )
        return f"<Workbench on {self.ex.engine.venue.name}, {state}>"

    def _repr_html_(self) -> str:
        return f"<code>{html.escape(repr(self))}</code>"

    def _repr_mimebundle_(self, **options: Any) -> Any:
        if self._dock is None:
            return {"text/plain": repr(self)}
        bundle: Any = self._dock._repr_mimebundle_(**options)
        data = bundle[0] if isinstance(bundle, tuple) else bundle
        data["text/plain"] = repr(self)
        return bundle
