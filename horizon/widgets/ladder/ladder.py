"""The book ladder: a market's levels price by price, with the account's own orders among them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final

from horizon import checks, words
from horizon.instruments import canonical_id, split_side
from horizon.venues.records import MarketState
from horizon.widgets.access import client_of, feeds_of_run, market_named, text_of, venue_of
from horizon.widgets.face import Face, Verb
from horizon.widgets.ladder.asked import loop_time, one_of, require_seen, whole_of
from horizon.widgets.ladder.picture import GROUPS, Look, draw, is_seen, nothing
from horizon.widgets.ladder.rows import own_orders, scene
from horizon.widgets.ladder.window import Window
from horizon.widgets.palette import Palette

__all__ = ["BookLadder"]

#: Rows on each side of the middle that can be chosen.
_DEPTHS: Final = (5, 10, 20, 50)
#: Seconds that a page's word counts that somebody points at the ladder; it repeats it sooner.
_HELD: Final = 5.0
#: By column, 1 where it buys.
_SIGNS: Final = {"buy": 1, "sell": -1}
#: Orders that one row's button cancels at most.
_MOST: Final = 1_000

#: Told of a price that was clicked: market id, "buy" or "sell", price, and units or None.
OnPrice = Callable[[str, str, float, float | None], object]


class BookLadder(Face):
    """A market's book, a row for each price, with the account's own orders and their places.

    On the left stand the bids, on the right the asks, each with its size, a bar for it, and the
    total from the best price to there. Beside them are the account's own open orders: how many
    units, how many stand before them in the queue where the account's fill model keeps places,
    and a button that cancels them. Sizes are what is left: what this account has taken of the
    present book is gone from it.

    A click on the left of a row asks to buy at its price, on the right to sell; it sends nothing,
    but tells `on_price`, which may fill a ticket. With the keyboard, arrows move a cursor, which
    says what an order would take that reaches as far; Enter takes its price, Shift+Enter also
    that quantity, Delete cancels the own orders there.

    The middle of the market stays in the middle of the ladder, unless it is held still. Nothing
    moves while the pointer or the focus is on it.

    Parameters
    ----------
    ex : ImperativeClient, Engine or RunHandle
        Whose market this is. A paper account has no book: bid, ask and last are shown.
    market : str, optional
        The market to begin with, ``"<id>:no"`` for its NO side; by default the first that has a
        price. A list above the ladder changes it. An account that knows markets takes no other.
    depth : {5, 10, 20, 50}
        Rows on each side of the middle.
    group : {1, 5, 10, 25, 100}
        Ticks in a row. Bids are put together downwards, asks upwards, so that no row looks better
        than it is.
    tick_size : float, optional
        The grid of rows for markets that have none of their own; left out, such a market's prices
        are shown as they are quoted.
    follow : bool
        Keep the middle of the market in the middle of the ladder.
    on_price : callable, optional
        Called with market id, ``"buy"`` or ``"sell"``, price, and units or None, where a price is
        taken; an attribute too.
    palette : str or Palette

    Raises
    ------
    RuntimeError
        Outside of a notebook's event loop.
    TypeError, ValueError
        For an argument that is not as above.

    Examples
    --------
    >>> ex = hz.connect("book", clock=lambda: 0.0)
    >>> _ = ex.take_book("RAIN", [(0.40, 30), (0.39, 50)], [(0.42, 20)], 0.0)
    >>> ladder = hz.widgets.BookLadder(ex, market="RAIN", depth=5)
    >>> dict(ladder.shown["facts"])["Spread, USD"]
    '0.02 (487.8 bps)'
    >>> ladder.close()
    """

    script = ("ladder.js",)
    style = ("ladder.css",)
    private: ClassVar[frozenset[str]] = frozenset(
        {"choose", "side", "depth", "group", "follow", "scroll", "hold", "move", "point", "drop"}
    )

    def __init__(
        self,
        ex: object,
        *,
        market: str | None = None,
        depth: int = 10,
        group: int = 1,
        tick_size: float | None = None,
        follow: bool = True,
        on_price: OnPrice | None = None,
        palette: str | Palette = "blue-orange",
    ) -> None:
        self._ex = client_of(ex)
        venue = venue_of(self._ex)
        self._market: str | None = None
        is_no = False
        if market is not None:
            self._market, is_no = split_side(market_named(market, venue, feeds_of_run(ex)))
        given = None if tick_size is None else checks.positive("tick_size", tick_size)
        self._look = Look(one_of("group", group, GROUPS), given, is_no)
        self._window = Window(one_of("depth", depth, _DEPTHS), checks.flag("follow", follow))
        #: Told of every price that is taken.
        self.on_price = on_price
        if on_price is not None and not callable(on_price):
            raise TypeError(f"on_price must be a function, was {checks.show(on_price)}")
        # The cursor's column, and how often it was put somewhere: a screen reader is told once.
        self._column = "buy"
        self._moves = 0
        # Pages that the pointer or the focus is on, and until when that counts.
        self._held: dict[str, float] = {}
        super().__init__(palette=palette)

    @property
    def market(self) -> str | None:
        """The market on show, ``"<id>:no"`` where its NO side is; None before there is one."""
        if self._market is None:
            return None
        return f"{self._market}:no" if self._look.is_no else self._market

    def show(self, market_id: str) -> None:
        """Show the market `market_id`, if the account knows it; any other name is ignored.

        One that is on show keeps its side, unless ``"<id>:no"`` asks for NO: its own prices must
        not turn under the pointer.
        """
        name, is_no = split_side(canonical_id(market_id))
        is_known = name in self._ex.engine.venue.account.markets
        if is_known and (name != self._market or (is_no and not self._look.is_no)):
            self._market, self._look.is_no = name, is_no
            self._start_anew()
            self._live.paint(self)

    # ------------------------------------------------------------------ what is shown
    def verbs(self) -> dict[str, Verb]:
        """Choose what is shown, move the cursor, take a price, cancel own orders."""
        return {
            "choose": self._choose,
            "side": self._choose_side,
            "depth": self._choose_depth,
            "group": self._choose_group,
            "follow": lambda _: self._turn_follow(),
            "scroll": self._scroll,
            "hold": self._hold,
            "move": self._move,
            "point": self._point,
            "drop": lambda _: self._drop(),
            "price": self._take_price,
            "cancel": self._cancel,
        }

    def _choose(self, arguments: Mapping[str, Any]) -> None:
        market = text_of(arguments, "market")
        if market not in self._ex.engine.venue.account.markets:
            raise ValueError(f"market {words.name(market)!r} is not on the list of this ladder")
        self._market, self._look.is_no = market, False
        self._start_anew()

    def _choose_side(self, arguments: Mapping[str, Any]) -> None:
        self._look.is_no = checks.one_of("side", text_of(arguments, "side"), ("yes", "no")) == "no"
        self._start_anew()

    def _choose_depth(self, arguments: Mapping[str, Any]) -> None:
        depth = checks.one_of("depth", text_of(arguments, "depth"), map(str, _DEPTHS))
        self._window.depth = int(depth)
        self._start_anew()

    def _choose_group(self, arguments: Mapping[str, Any]) -> None:
        group = checks.one_of("group", text_of(arguments, "group"), map(str, GROUPS))
        self._look.group = int(group)
        self._start_anew()

    def _start_anew(self) -> None:
        self._look.grid = None
        self._window.start_anew()

    def _turn_follow(self) -> None:
        self._window.follows = not self._window.follows
        if self._window.follows:
            self._window.centre()

    def _scroll(self, arguments: Mapping[str, Any]) -> None:
        """Look further up (1) or down (-1), or at the middle again (0)."""
        by = whole_of(arguments, "by")
        if by == 0:
            self._window.centre()
        elif self._look.grid is not None and not self._look.grid.is_quoted:
            self._window.scroll(by)

    def _hold(self, arguments: Mapping[str, Any]) -> None:
        """A page says that the pointer or the focus is on the ladder, or has left it."""
        page = text_of(arguments, "page")
        self._held.pop(page, None)
        if arguments.get("on") is True:
            self._held[page] = loop_time() + _HELD

    @property
    def _is_held(self) -> bool:
        now = loop_time()
        self._held = {page: until for page, until in self._held.items() if until > now}
        return bool(self._held)

    # ------------------------------------------------------------------ cursor and prices
    def _move(self, arguments: Mapping[str, Any]) -> None:
        """Move the cursor by rows, up is above 0, or put it on a side."""
        by = whole_of(arguments, "by")
        side = text_of(arguments, "side")
        if side:
            checks.one_of("side", side, ("buy", "sell"))
        grid, window, venue = self._look.grid, self._window, self._ex.engine.venue
        if grid is None:
            return
        is_new = window.cursor is None
        with venue.lock:
            state = self._state()
            if state is not None:
                window.move(by, grid, scene(venue, state, self._look.is_no))
        if side or is_new:
            self._column = side or ("sell" if by > 0 else "buy")
        self._moves += 1

    @property
    def _of(self) -> list[str]:
        """What its rows are prices of; the page sends it with what is done to a row."""
        side = "no" if self._look.is_no else "yes"
        return [self._market or "", side, str(self._look.group)]

    def _point(self, arguments: Mapping[str, Any]) -> None:
        require_seen(arguments, self._of)
        row = text_of(arguments, "row")
        side = checks.one_of("side", text_of(arguments, "side"), ("buy", "sell"))
        key = next((key for key in self._window.keys if str(key) == row), None)
        if key is None and row != str(self._window.cursor):
            raise ValueError(f"row {row!r} is not on this ladder any more: look again")
        if key is not None:
            self._window.cursor = key
        self._column = side
        self._moves += 1

    def _drop(self) -> None:
        self._window.cursor = None

    def _take_price(self, arguments: Mapping[str, Any]) -> None:
        """Tell of a row's price, or of the cursor's: with `take` of the quantity to there as well.

        A key may come right after one that moves the cursor, so it names no row: it is about the
        cursor as these keys have put it. Its quantity is that of the side that takes it.
        """
        require_seen(arguments, self._of)
        is_key = not text_of(arguments, "row")
        if not is_key:
            self._point(arguments)
        key, grid, market = self._window.cursor, self._look.grid, self.market
        if self.on_price is None or key is None or grid is None or market is None:
            return
        venue = self._ex.engine.venue
        side, quantity = self._column, None
        if arguments.get("take") is True:
            with venue.lock:
                state = self._state()
                assert state is not None  # it has rows
                seen = scene(venue, state, self._look.is_no)
            sizes = {one: seen.reach(grid, sign, key).size for one, sign in _SIGNS.items()}
            if is_key:
                side = next((one for one, size in sizes.items() if size > 0.0), side)
            quantity = sizes[side] if sizes[side] > 0.0 else None
        self.on_price(market, side, grid.price(key), quantity)

    def _cancel(self, arguments: Mapping[str, Any]) -> None:
        """Cancel the orders that a row has shown; a key names none, and means the cursor's."""
        ids = arguments.get("ids")
        if ids is None:
            require_seen(arguments, self._of)
            ids = self._at_cursor()
        if not isinstance(ids, list) or len(ids) > _MOST:
            raise TypeError(f"ids must be a list of at most {_MOST:,} order ids")
        named = [text_of({"id": one}, "id") for one in ids]
        gone = [order_id for order_id in named if not self._ex.cancel(order_id)]
        if gone and len(gone) == len(named):
            shown = ", ".join(words.name(order_id) for order_id in gone[:5])
            raise ValueError(f"nothing was cancelled: {shown} has ended already")

    def _at_cursor(self) -> list[str]:
        """The own orders of the cursor's row and side."""
        key, grid, venue = self._window.cursor, self._look.grid, self._ex.engine.venue
        with venue.lock:
            state = self._state()
            if key is None or grid is None or state is None:
                return []
            own = own_orders(venue, state, grid, self._look.is_no).get((key, _SIGNS[self._column]))
            return [] if own is None else [order.id for order in own.orders]

    # ------------------------------------------------------------------ picture
    def picture(self) -> dict[str, Any]:
        """Rows, facts and cursor of the market on show."""
        venue = self._ex.engine.venue
        with venue.lock:
            known = [m.id for m in venue.account.markets.values() if is_seen(venue, m)]
            if self._market is None and known:
                self._market = known[0]
            state = self._state()
            is_held, can_take = self._is_held, self.on_price is not None
            if state is None:
                made = nothing(venue.currency)
            else:
                made = draw(
                    venue,
                    state,
                    self._look,
                    self._window,
                    column=self._column,
                    is_held=is_held,
                    can_take=can_take,
                )
        if self._market is not None and self._market not in known:
            known.append(self._market)
        if made["cursor"] is not None:
            made["cursor"]["moves"] = self._moves
        is_prediction = state is not None and state.no is not None
        return {
            "name": "Book ladder",
            "markets": [[market, words.name(market)] for market in known],
            "market": self._market,
            "sides": [["yes", "YES"], ["no", "NO"]] if is_prediction else [],
            "side": "no" if self._look.is_no else "yes",
            "ticks": str(self._look.group),
            "depths": [[str(depth), f"{depth} rows"] for depth in _DEPTHS],
            "depth": str(self._window.depth),
            "follow": self._window.follows,
            "centred": self._window.centred,
            "clickable": can_take,
            **made,
        }

    def _state(self) -> MarketState | None:
        if self._market is None:
            return None
        return self._ex.engine.venue.account.markets.get(self._market)
