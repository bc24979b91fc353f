"""The order ticket: what an order would do first, then one confirmation that sends it once."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any, ClassVar, Final

from horizon import checks, words
from horizon.algos import ExecAlgo
from horizon.errors import HorizonError
from horizon.instruments import NO_SUFFIX
from horizon.types import AssetClass
from horizon.venues.records import Leg
from horizon.widgets.access import client_of, text_of, venue_of
from horizon.widgets.face import Face, Verb
from horizon.widgets.fields import FieldError
from horizon.widgets.hotkeys import Hotkeys
from horizon.widgets.live import words_of
from horizon.widgets.masthead import banner_of
from horizon.widgets.palette import Palette
from horizon.widgets.ticket.amend import (
    Change,
    amend_head,
    amend_picture,
    read_change,
    require_amendable,
)
from horizon.widgets.ticket.draft import Draft, field_of, read
from horizon.widgets.ticket.form import DEFAULTS, amend_fields, fields, kind_of, prefilled
from horizon.widgets.ticket.keys import TicketKeys, keys_of
from horizon.widgets.ticket.kinds import contract_words, quote_facts
from horizon.widgets.ticket.orders import TicketOrders
from horizon.widgets.ticket.size import sized

__all__ = ["OrderTicket"]

#: Markets that the field "market" suggests.
_SUGGESTED: Final = 200


class OrderTicket(Face):
    """A form for one order: preview, then confirm.

    The preview says what the order would do now, in the words and numbers of
    `ImperativeClient.preview`, and follows the market while it is shown. One confirmation sends
    one order: its client order id is made with the preview, so neither a second click nor
    another browser tab can send it again. A changed field drops the preview.

    The size is a quantity, a notional, or a share of the buying power; the latter two come to a
    number of lots, rounded down, which the preview fixes. The market's kind brings its own
    fields and numbers. `amend` loads an open order, to change its quantity or limit in the same
    two steps.

    In the fields Enter previews, Enter again confirms, Escape drops; "?" shows every key, and
    lets its user change them.

    Parameters
    ----------
    ex : ImperativeClient
        Where the orders go.
    market : str, optional
        The market that the ticket begins with.
    hotkeys : Hotkeys, optional
        Its keys; ``Hotkeys()`` if left out, ``Hotkeys.none()`` for none.
    palette : str or Palette
        Colours of buying and selling: ``"blue-orange"``, ``"green-red"``, ``"red-green"``, or
        your own.

    Attributes
    ----------
    on_market : callable
        Told of the market that the ticket turns to.

    Raises
    ------
    RuntimeError
        Outside of a notebook's event loop.
    TypeError, ValueError
        For an argument that is not as above.

    Examples
    --------
    >>> ex = hz.connect("paper", clock=lambda: 0.0)
    >>> _ = ex.tick("ACME", 10.0, 0.0)
    >>> ticket = hz.widgets.OrderTicket(ex, market="ACME")
    >>> ticket.prefill(side="buy", price=9.5, quantity=100)
    >>> ticket.shown["values"]["limit"], ticket.shown["values"]["quantity"]
    ('9.5', '100')
    >>> len(ex.orders_frame())  # nothing is sent before it is confirmed on the page
    0
    >>> ticket.close()
    """

    script = ("fields.js", "hotkeys.js", "ticket.js")
    style = ("ticket.css",)
    private: ClassVar[frozenset[str]] = frozenset(
        {"edit", "preview", "drop", "key", "bind", "default keys", "leave"}
    )
    # "The newest order" may be another one by then, and so may what is held.
    risky: ClassVar[frozenset[str]] = frozenset({"confirm", "cancel last", "cancel all", "flatten"})

    def __init__(
        self,
        ex: object,
        *,
        market: str | None = None,
        hotkeys: Hotkeys | None = None,
        palette: str | Palette = "blue-orange",
    ) -> None:
        self._ex = client_of(ex)
        venue = venue_of(self._ex)
        self._values = dict(DEFAULTS)
        if market is not None:
            # Says what is wrong with a name that is none, and splits off a NO side.
            self._values |= prefilled(self._values, venue, market, None, None, None)
        self._keys = TicketKeys(self._ex, keys_of(hotkeys))
        self._edit_by, self._edit = "", 0
        self._wrong: dict[str, str] = {}
        self._draft: Draft | None = None
        self._says = ""
        self._doubts: list[str] = []
        self._preview_id: str | None = None
        # The order that is being changed, and what was asked of it.
        self._amending: str | None = None
        self._change: Change | None = None
        self._calls = 0
        self._orders = TicketOrders(self._ex)
        self.on_market: Callable[[str], object] = lambda _: None
        super().__init__(palette=palette)

    # ------------------------------------------------------------------ from a cell
    @property
    def hotkeys(self) -> Hotkeys:
        """Its keys, as its user may have changed them; can be set."""
        return self._keys.hotkeys

    @hotkeys.setter
    def hotkeys(self, hotkeys: Hotkeys) -> None:
        self._keys.hotkeys = keys_of(hotkeys)

    @property
    def on_algo(self) -> Callable[[ExecAlgo], object]:
        """Told of every algorithm that the ticket starts; can be set."""
        return self._orders.on_algo

    @on_algo.setter
    def on_algo(self, call: Callable[[ExecAlgo], object]) -> None:
        self._orders.on_algo = call

    @property
    def amending(self) -> str | None:
        """Id of the open order that is loaded to be changed; None for a new order."""
        return self._amending

    def prefill(
        self,
        *,
        market: str | None = None,
        side: str | None = None,
        price: float | None = None,
        quantity: float | None = None,
    ) -> None:
        """Write into the form of a new order, as a click on a price does; nothing is sent.

        Parameters
        ----------
        market : str, optional
            ``"<id>:no"`` is the NO side of a prediction market.
        side : {"buy", "sell"}, optional
        price : float, optional
            Makes a limit order of a market order.
        quantity : float, optional
            Units.

        Raises
        ------
        TypeError, ValueError
            For an argument that is not as above. Nothing is written then.
        """
        written = prefilled(self._values, venue_of(self._ex), market, side, price, quantity)
        self._amending = None
        self._write(written)

    def amend(self, order_id: str) -> None:
        """Load an open order, to change its quantity or limit here; nothing is sent.

        Parameters
        ----------
        order_id : str

        Raises
        ------
        OrderError
            If the order is unknown or has ended.
        """
        order = require_amendable(self._ex, checks.text("order_id", order_id))
        self._amending = order.id
        self._calls += 1
        limit = "" if order.price is None else f"{order.price:.15g}"
        self._write({"new_quantity": f"{order.quantity:.15g}", "new_limit": limit})

    def _write(self, written: Mapping[str, str]) -> None:
        """Write into fields from here; what was asked for before is dropped."""
        former = self._values["market"]
        self._values = {**self._values, **written}
        self._wrong, self._orders.latest = {}, None
        self._drop()
        self._tell_market(former)
        self._live.paint(self)

    # ------------------------------------------------------------------ the page's verbs
    def verbs(self) -> dict[str, Verb]:
        """Edit, preview, drop, confirm; leave an amendment; what the keys do, and are."""
        return {
            "edit": self._take,
            "preview": self._preview,
            "drop": lambda _: self._drop(),
            "confirm": self._confirm,
            "leave": lambda _: self._leave(),
            "key": self._press,
            "cancel last": lambda given: self._end(self._keys.cancel_last(given)),
            "cancel all": lambda _: self._end(self._keys.cancel_all()),
            "flatten": lambda given: self._end(self._keys.flatten(given, self._values)),
            "bind": lambda given: self._keys.bind(given),
            "default keys": lambda _: self._keys.reset(),
        }

    def _take(self, arguments: Mapping[str, Any]) -> None:
        """Take what the fields hold; a preview of what they held before is dropped."""
        values = arguments.get("values")
        if not isinstance(values, Mapping):
            raise TypeError("values must hold the texts of the fields")
        # What was not changed on the page may be an old copy of what the kernel has filled in.
        touched = arguments.get("touched", list(DEFAULTS))
        taken = {
            name: text_of(values, name) if name in touched else self._values[name]
            for name in DEFAULTS
        }
        self._edit_by = text_of(arguments, "by")
        edit = arguments.get("edit")
        self._edit = edit if isinstance(edit, int) else 0
        if taken != self._values:
            former, self._values = self._values["market"], taken
            self._wrong = {}
            self._drop()
            self._tell_market(former)

    def _tell_market(self, former: str) -> None:
        market = self._values["market"].strip()
        if market != former and market in self._ex.engine.venue.account.markets:
            self.on_market(market)

    def _drop(self) -> None:
        self._draft = self._change = self._preview_id = None

    def _leave(self) -> None:
        self._amending = None
        self._wrong = {}
        self._drop()

    def _press(self, arguments: Mapping[str, Any]) -> None:
        changed, wrong = self._keys.press(arguments, self._values, self._amending)
        if changed:
            self._write(changed)
        self._wrong = wrong

    def _end(self, said: str) -> None:
        self._orders.latest = said

    def _preview(self, arguments: Mapping[str, Any]) -> None:
        self._take(arguments)
        self._wrong = {}
        self._orders.latest = None
        self._drop()
        try:
            if self._amending is not None:
                change = read_change(self._ex, self._amending, self._values)
                change.look(self._ex)
                self._change = change
            else:
                self._ask()
        except FieldError as error:
            self._wrong = {error.field: words_of(error)}
        except (HorizonError, ValueError, TypeError) as error:
            field = field_of(str(error))
            if field is None or not self._has_field(field):
                raise
            self._wrong = {field: words_of(error)}
        else:
            self._preview_id = f"ticket-{secrets.token_hex(8)}"

    def _ask(self) -> None:
        venue = self._ex.engine.venue
        draft = read(self._values, venue.market)
        with venue.lock:
            draft, says = sized(draft, venue, self._orders.look)
        if draft.algo is not None:
            algo, request, contract = self._orders.algo(draft)
            algo.check(request, market=contract)
        self._orders.look(draft)
        self._draft, self._says, self._doubts = draft, says, self._orders.doubts_about(draft)

    def _has_field(self, name: str) -> bool:
        return any(field["name"] == name for field in self._fields())

    def _confirm(self, arguments: Mapping[str, Any]) -> None:
        asked = text_of(arguments, "preview")
        if self._orders.is_sent(asked):  # the second of two clicks, or of two tabs
            return
        draft, change = self._draft, self._change
        if (draft is None and change is None) or asked != self._preview_id:
            raise HorizonError("nothing was sent: the preview has changed. Look again")
        self._drop()
        if change is not None:
            self._orders.remember(asked, change.send(self._ex))
            self._amending = None
        elif draft is not None:
            self._orders.send(draft, asked)

    # ------------------------------------------------------------------ picture
    def picture(self) -> dict[str, Any]:
        """The form, the preview as of now, and what became of the last order."""
        venue = venue_of(self._ex)
        with venue.lock:
            preview = amended = None
            if self._draft is not None:
                preview = self._orders.picture(
                    self._draft, self._preview_id, self._says, self._doubts
                )
            elif self._change is not None:
                preview = amend_picture(self._change, self._preview_id, self._ex)
            if self._amending is not None:
                order = venue.account.orders[self._amending]
                amended = amend_head(order, venue.currency)
            leg = self._leg()
            kind = kind_of(self._values, venue.market)
            market = None if leg is None else leg.market.instrument
            return {
                "name": "Order ticket",
                "banner": banner_of(self._ex),
                "contract": contract_words(market, kind, venue.currency),
                "quote": quote_facts(leg, venue),
                "amend": amended,
                "fields": self._fields(),
                "values": dict(self._values),
                "by": self._edit_by,
                "edit": self._edit,
                "wrong": dict(self._wrong),
                "preview": preview,
                "done": self._orders.done(),
                "call": self._calls,
                "keys": self._keys.picture(self._values),
            }

    def _leg(self) -> Leg | None:
        """The position that the form is about, if the account knows it."""
        account = self._ex.engine.venue.account
        if self._amending is not None:
            return account.orders[self._amending].leg
        base = self._values["market"].strip()
        is_no = base.endswith(NO_SUFFIX)
        state = account.markets.get(base[: -len(NO_SUFFIX)] if is_no else base)
        if state is None:
            return None
        is_no = is_no or self._values["outcome"] == "no"
        return state.no if is_no and state.no is not None else state.yes

    def _fields(self) -> list[dict[str, Any]]:
        venue = self._ex.engine.venue
        if self._amending is not None:
            order = venue.account.orders[self._amending]
            kind = AssetClass(order.leg.market.asset_class)
            return amend_fields(kind, venue.currency, has_limit=not order.is_market)
        known = list(islice(venue.account.markets, _SUGGESTED))
        # A name that had to be spelled out would be another market's if it were chosen.
        markets = [market for market in known if words.name(market) == market]
        kind = kind_of(self._values, venue.market)
        comes_to = "" if self._values["size_by"] == "quantity" else self._comes_to()
        return fields(self._values, kind, markets, venue.currency, comes_to)

    def _comes_to(self) -> str:
        """What the size that is written comes to in units now, where that can be said."""
        if self._draft is not None:
            return f"As previewed: {self._says}"
        venue = self._ex.engine.venue
        try:
            return sized(read(self._values, venue.market), venue, self._orders.look)[1]
        except (HorizonError, ValueError, TypeError):
            return f"Comes to {words.MISSING} units"  # the preview says what is missing
