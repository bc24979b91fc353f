"""The order ticket: what an order would do first, then one confirmation that sends it once."""

from __future__ import annotations

import difflib
import secrets
from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any, ClassVar, Final

from horizon import checks, words
from horizon.algos import TWAP, VWAP, ExecAlgo, Iceberg
from horizon.errors import HorizonError
from horizon.instruments import Market
from horizon.preview import OrderPreview
from horizon.types import AssetClass, OrderRequest, VenueOrder
from horizon.widgets.access import client_of, leg_name, text_of, unit_of, venue_of
from horizon.widgets.face import Face, Verb
from horizon.widgets.live import words_of
from horizon.widgets.masthead import banner_of
from horizon.widgets.palette import Palette
from horizon.widgets.row_words import ended_words
from horizon.widgets.ticket_form import (
    DEFAULTS,
    Draft,
    FieldError,
    field_of,
    fields,
    kind_of,
    read,
)

__all__ = ["OrderTicket"]

#: Markets that the field "market" suggests.
_SUGGESTED: Final = 200
#: Sent previews that are remembered, so that a second confirmation finds the first.
_REMEMBERED: Final = 64


class OrderTicket(Face):
    """A form for one order: preview, then confirm.

    The preview says what the order would do now, in the words and numbers of
    `ImperativeClient.preview`, and follows the market while it is shown. One confirmation sends
    one order: its client order id is made with the preview, so neither a second click nor
    another browser tab can send it again. A changed field drops the preview.

    In the fields Enter previews, Enter again confirms, Escape drops.

    Parameters
    ----------
    ex : ImperativeClient
        Where the orders go.
    market : str, optional
        The market that the ticket begins with.
    palette : str or Palette
        Colours of buying and selling: ``"blue-orange"``, ``"green-red"``, ``"red-green"``, or
        your own.

    Raises
    ------
    RuntimeError
        Outside of a notebook's event loop.
    TypeError, ValueError
        For an argument that is not as above.
    """

    script = ("fields.js", "ticket.js")
    private: ClassVar[frozenset[str]] = frozenset({"edit", "preview", "drop"})
    risky: ClassVar[frozenset[str]] = frozenset({"confirm"})

    def __init__(
        self,
        ex: object,
        *,
        market: str | None = None,
        palette: str | Palette = "blue-orange",
    ) -> None:
        self._ex = client_of(ex)
        venue = venue_of(self._ex)
        self._values = dict(DEFAULTS)
        if market is not None:
            venue.market(
                checks.market_id("market", market)
            )  # says what is wrong with a name that is none
            self._values["market"] = market
        self._edit_by, self._edit = "", 0
        self._wrong: dict[str, str] = {}
        self._draft: Draft | None = None
        self._doubts: list[str] = []
        self._preview_id: str | None = None
        self._sent: dict[str, VenueOrder | ExecAlgo] = {}
        self._latest: VenueOrder | ExecAlgo | None = None
        #: Told of the market that the ticket turns to.
        self.on_market: Callable[[str], object] = lambda _: None
        #: Told of every algorithm that the ticket starts.
        self.on_algo: Callable[[ExecAlgo], object] = lambda _: None
        super().__init__(palette=palette)

    # ------------------------------------------------------------------ the page's verbs
    def verbs(self) -> dict[str, Verb]:
        """Edit, preview, drop, confirm."""
        return {
            "edit": self._take,
            "preview": self._preview,
            "drop": lambda _: self._drop(),
            "confirm": self._confirm,
        }

    def _take(self, arguments: Mapping[str, Any]) -> None:
        """Take what the fields hold; a preview of what they held before is dropped."""
        values = arguments.get("values")
        if not isinstance(values, Mapping):
            raise TypeError("values must hold the texts of the fields")
        taken = {name: text_of(values, name) for name in DEFAULTS}
        self._edit_by = text_of(arguments, "by")
        edit = arguments.get("edit")
        self._edit = edit if isinstance(edit, int) else 0
        if taken != self._values:
            former, self._values = self._values["market"], taken
            self._wrong = {}
            self._drop()
            market = taken["market"].strip()
            if market != former and market in self._ex.engine.venue.account.markets:
                self.on_market(market)

    def _drop(self) -> None:
        self._draft = self._preview_id = None

    def _preview(self, arguments: Mapping[str, Any]) -> None:
        self._take(arguments)
        self._wrong = {}
        self._latest = None
        self._drop()
        try:
            draft = read(self._values, self._ex.engine.venue.market)
            if draft.algo is not None:
                algo, request, contract = self._algo(draft)
                algo.check(request, market=contract)
            self._look(draft)
        except FieldError as error:
            self._wrong = {error.field: words_of(error)}
        except (HorizonError, ValueError, TypeError) as error:
            field = field_of(str(error))
            if field is None:
                raise
            self._wrong = {field: words_of(error)}
        else:
            self._draft, self._doubts = draft, self._doubts_about(draft)
            self._preview_id = f"ticket-{secrets.token_hex(8)}"

    def _confirm(self, arguments: Mapping[str, Any]) -> None:
        asked = text_of(arguments, "preview")
        if asked in self._sent:  # the second of two clicks, or of two tabs
            self._latest = self._sent[asked]
            return
        if self._draft is None or asked != self._preview_id:
            raise HorizonError("nothing was sent: the preview has changed. Look again")
        draft, self._draft, self._preview_id = self._draft, None, None
        if draft.algo is None:
            self._send_order(draft, asked)
        else:
            self._start_algo(draft, asked)

    def _send_order(self, draft: Draft, asked: str) -> None:
        try:
            self._remember(asked, self._order(draft, asked))
        except BaseException:
            # A listener may fail, or an interrupt come, after the order was taken: it stands.
            venue = self._ex.engine.venue
            with venue.lock:
                known = venue.account.client_ids.get(asked)
            if known is not None:
                self._remember(asked, venue.order(known[0]))
            raise

    def _start_algo(self, draft: Draft, asked: str) -> None:
        algo, request, contract = self._algo(draft)
        try:
            algo.start(request, auto=True, market=contract)
        finally:
            if algo.id is not None:
                self._remember(asked, algo)
                self.on_algo(algo)

    def _remember(self, asked: str, sent: VenueOrder | ExecAlgo) -> None:
        self._sent[asked] = self._latest = sent
        while len(self._sent) > _REMEMBERED:
            del self._sent[next(iter(self._sent))]

    def _order(self, draft: Draft, client_order_id: str) -> VenueOrder:
        options: dict[str, Any] = {
            "limit": draft.limit,
            "market": draft.is_market,
            "tif": draft.tif,
            "post_only": draft.post_only,
            "reduce_only": draft.reduce_only,
            "client_order_id": client_order_id,
        }
        ex, is_buy = self._ex, draft.side == "buy"
        if draft.kind is AssetClass.Perp:
            verb = ex.buy_perp if is_buy else ex.sell_perp
            return verb(draft.target, draft.quantity, leverage=draft.leverage, **options)
        return (ex.buy if is_buy else ex.sell)(draft.target, draft.quantity, **options)

    def _algo(self, draft: Draft) -> tuple[ExecAlgo, OrderRequest, Market | None]:
        """Make the algorithm that the form asks for, not started yet."""
        ex = self._ex
        algo: ExecAlgo
        if draft.algo == "iceberg":
            algo = Iceberg(ex, draft.show)
        elif draft.algo == "vwap":
            algo = VWAP(ex, draft.duration, draft.profile, price_limit=draft.limit)
        else:
            algo = TWAP(ex, draft.duration, draft.slices, price_limit=draft.limit)
        request, contract = ex.algo_request(
            draft.target,
            draft.quantity,
            side=draft.side,
            limit=draft.limit if draft.algo == "iceberg" else None,
            reduce_only=draft.reduce_only,
        )
        return algo, request, contract

    # ------------------------------------------------------------------ what an order would do
    def _look(self, draft: Draft) -> OrderPreview:
        """Ask what the order would do; of an algorithm, what its whole would do at once."""
        limit, is_market = draft.limit, draft.is_market
        if draft.algo in ("twap", "vwap"):
            limit = self._child_price(draft)
            is_market = limit is None
        return self._ex.preview(
            draft.target,
            draft.quantity,
            side=draft.side,
            limit=limit,
            market=is_market,
            tif=draft.tif,
            post_only=draft.post_only,
            reduce_only=draft.reduce_only,
            leverage=draft.leverage,
        )

    def _child_price(self, draft: Draft) -> float | None:
        """What a slice would be limited to now; None where no order could have that price."""
        venue = self._ex.engine.venue
        with venue.lock:
            leg = venue.leg_of(draft.target)
        contract, quote = leg.market.instrument, self._ex.quote(leg.id)
        if contract is None or quote is None:
            return None
        sign, price = (1 if draft.side == "buy" else -1), quote.price
        if draft.limit is not None:
            price = (min if sign > 0 else max)(price, draft.limit)
        price = contract.round_price(price, sign)
        lowest, highest = contract.price_bounds
        return price if lowest < price < highest else None

    # ------------------------------------------------------------------ picture
    def picture(self) -> dict[str, Any]:
        """The form, the preview as of now, and what became of the last order."""
        venue = venue_of(self._ex)
        with venue.lock:
            known = list(islice(venue.account.markets, _SUGGESTED))
            # A name that had to be spelled out would be another market's if it were chosen.
            markets = [market for market in known if words.name(market) == market]
            kind = kind_of(self._values, venue.market)
            preview = None if self._draft is None else self._preview_picture(self._draft)
        return {
            "name": "Order ticket",
            "banner": banner_of(self._ex),
            "fields": fields(self._values, kind, markets, venue.currency),
            "values": dict(self._values),
            "by": self._edit_by,
            "edit": self._edit,
            "wrong": dict(self._wrong),
            "preview": preview,
            "done": None if self._latest is None else self._done(self._latest),
        }

    def _doubts_about(self, draft: Draft) -> list[str]:
        """Ask about a name that is nearly a market's, and is none."""
        if not isinstance(draft.target, Market):
            return []
        markets = self._ex.engine.venue.account.markets
        if draft.target.id in markets:
            return []
        folded = {market.casefold(): market for market in islice(markets, _SUGGESTED)}
        near = difflib.get_close_matches(draft.target.id.casefold(), folded, n=1)
        return (
            [f"Did you mean {words.name(folded[near[0]])}? There is no {draft.name} yet."]
            if near
            else []
        )

    def _preview_picture(self, draft: Draft) -> dict[str, Any]:
        try:
            seen = self._look(draft)
        except (HorizonError, ValueError, TypeError) as error:
            return {
                "id": self._preview_id,
                "tone": draft.side,
                "headline": _headline(draft, self._ex.engine.venue.currency),
                "facts": [],
                "notes": [],
                "refusal": words_of(error),
                "confirm": "Confirm",
            }
        is_waiting = draft.algo in ("twap", "vwap") and seen.rule == "no price"
        quote = self._ex.quote(seen.market_id)
        last = None if quote is None else quote.price
        matching = self._ex.engine.venue.matching
        verb = "Start" if draft.algo else "Confirm:"
        what = draft.algo.upper() if draft.algo else draft.side
        return {
            "id": self._preview_id,
            "tone": draft.side,
            "headline": _headline(draft, seen.currency),
            "facts": _facts(draft, seen, last),
            "notes": [*self._doubts, *_notes(draft, seen, last, matching, is_waiting)],
            # The rules are asked again at each child; the whole at once is only a warning.
            "refusal": None if draft.algo or seen.refusal is None else words.name(seen.refusal),
            "confirm": "Cannot be sent"
            if seen.is_refused and not draft.algo
            else f"{verb} {what} {words.exact(draft.quantity)}",
        }

    def _done(self, sent: VenueOrder | ExecAlgo) -> dict[str, Any]:
        """Say where the last order stands: what was sent, its state, and how much has filled."""
        if isinstance(sent, ExecAlgo):
            state = sent.brief_progress
            return {
                "text": f"{state.kind} {state.id} started: {_SIDES[state.side]}"
                f"{words.exact(state.target)} {self._named(state.market_id)}, {state.status}.",
                "filled": f"{words.exact(state.filled)} filled" if state.filled else "",
                "is_bad": False,
            }
        order = self._ex.order(sent.id)
        filled = ""
        if order.filled_quantity and order.average_price is not None:
            filled = (
                f"{words.exact(order.filled_quantity)} of {words.exact(order.quantity)} filled at "
                f"{words.price(order.average_price)} {words.name(self._ex.engine.venue.currency)}"
            )
        return {
            "text": f"Order {order.id}: {_SIDES[order.side]}{words.exact(order.quantity)} "
            f"{self._named(order.market_id)}, {ended_words(order)}.",
            "filled": filled,
            "is_bad": order.is_rejected,
        }

    def _named(self, market_id: str) -> str:
        return leg_name(self._ex.engine.venue.account.legs[market_id])


_SIDES: Final = {"buy": "BUY +", "sell": "SELL −"}
_KIND_NAMES: Final = {
    AssetClass.Equity: "an equity",
    AssetClass.Option: "an option",
    AssetClass.Prediction: "a prediction",
    AssetClass.Perp: "a perpetual",
    AssetClass.Crypto: "a crypto pair",
}


def _headline(draft: Draft, currency: str) -> str:
    size = f"{_SIDES[draft.side]}{words.exact(draft.quantity)} {draft.name}"
    money = words.name(currency)
    at = "" if draft.limit is None else f" at {words.exact(draft.limit, decimals=2)} {money}"
    limit = "" if draft.limit is None else f", limit {words.exact(draft.limit, decimals=2)} {money}"
    if draft.is_market:
        return f"{size} at the market"
    if draft.algo == "twap":
        return f"TWAP {size}{limit}: {draft.slices:,} slices over {words.duration(draft.duration)}"
    if draft.algo == "vwap":
        return (
            f"VWAP {size}{limit}: {len(draft.profile):,} slices over "
            f"{words.duration(draft.duration)}"
        )
    if draft.algo == "iceberg":
        return f"ICEBERG {size}{at}, {words.exact(draft.show)} shown at a time"
    return f"{size}{at}"


def _facts(draft: Draft, seen: OrderPreview, last: float | None) -> list[list[str]]:
    money, whole = seen.currency, draft.algo is not None
    price = words.MISSING
    if seen.price is not None:
        is_given = not draft.is_market and draft.algo not in ("twap", "vwap")
        shown = words.exact(seen.price, decimals=2) if is_given else words.price(seen.price)
        price = f"{shown} {words.name(money)}"
    called = "Limit price"
    if draft.is_market:
        called = "Expected price"
    elif draft.algo in ("twap", "vwap"):
        called = "At the present price" if seen.price == last else "At the nearest price it may pay"
    facts = [
        [called, price],
        ["Notional", words.cash(seen.notional, money)],
        [
            f"Fee, as {'taker' if seen.is_taker else 'maker'}" + (", estimated" if whole else ""),
            words.cash(seen.fee, money),
        ],
        ["Against the last price", _against(draft, seen, last)],
        [
            "Buying power after" + (", if all at once" if whole else ""),
            f"{words.cash(seen.buying_power_after, money)} "
            f"(now {words.cash(seen.buying_power, '').strip()})",
        ],
        [
            "Position after" + ("" if draft.is_market else ", once filled"),
            f"{words.signed(seen.position_after)} {unit_of(seen.asset_class)} "
            f"(now {words.signed(seen.position)})",
        ],
    ]
    if seen.asset_class is AssetClass.Perp:
        at = seen.liquidation_price
        shown = "never" if at is None else f"{words.price(at)} {words.name(money)}"
        facts.append(["Position liquidated at", shown])
        facts.append(["Worst loss, past liquidation", words.cash(seen.worst_loss, money)])
    else:
        facts.append(["Worst loss of what it opens", words.cash(seen.worst_loss, money)])
    return facts


def _against(draft: Draft, seen: OrderPreview, last: float | None) -> str:
    """What a fill at the preview's price costs or gains against the market's last price."""
    if seen.price is None or not seen.price or seen.notional is None or last is None:
        return words.MISSING
    sign = 1.0 if draft.side == "buy" else -1.0
    cost = sign * (1.0 - last / seen.price) * seen.notional
    if abs(cost) < 1e-9:
        return words.cash(0.0, seen.currency)
    return f"{words.cash(abs(cost), seen.currency)} {'worse' if cost > 0.0 else 'better'}"


def _notes(
    draft: Draft, seen: OrderPreview, last: float | None, matching: str, is_waiting: bool
) -> list[str]:
    notes = []
    money = words.name(seen.currency)
    if draft.limit is not None and not draft.algo and seen.is_taker and not seen.is_refused:
        what = (
            "Bid or ask"
            if matching == "quotes"
            else f"The last price, {words.price(last)} {money},"
        )
        notes.append(
            f"{what} has reached this limit: the next tick fills it, at the limit, if that "
            "reaches it too."
        )
    if draft.is_market and matching == "price" and not seen.is_refused:
        notes.append("This paper venue fills at the last price; bid and ask are only shown.")
    if draft.algo == "iceberg" and draft.show >= draft.quantity:
        notes.append("It shows the whole order at once.")
    if is_waiting:
        notes.append("The market has no price yet: it starts with the first tick.")
    elif draft.algo and seen.refusal is not None:
        notes.append(f"All at once it would be refused: {words.name(seen.refusal)}")
    if draft.algo in ("twap", "vwap"):
        notes.append(_slices_note(draft, last, money))
    if seen.asset_class is AssetClass.Option and seen.notional is not None and seen.price:
        units = seen.notional / (seen.quantity * seen.price)
        notes.append(f"One contract is {words.amount(units)} units of the underlying.")
    if isinstance(draft.target, Market):
        kind = _KIND_NAMES[draft.kind]
        notes.append(f"{draft.name} was not declared here: it will be known as {kind}.")
    return notes


def _slices_note(draft: Draft, last: float | None, money: str) -> str:
    each = "Each slice is a limit order at the price of the tick that sends it"
    if draft.limit is None:
        return f"{each}."
    is_buy = draft.side == "buy"
    bound = f"at {'most' if is_buy else 'least'} {words.exact(draft.limit, decimals=2)} {money}"
    beyond = last is not None and (last > draft.limit if is_buy else last < draft.limit)
    waits = " The market is beyond that now: slices would wait there." if beyond else ""
    return f"{each}, {bound}.{waits}"
