"""Orders of the ticket on their way to the venue: asked about, sent once, and followed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from horizon import words
from horizon.algos import TWAP, VWAP, ExecAlgo, Iceberg
from horizon.client import ImperativeClient
from horizon.errors import HorizonError
from horizon.instruments import Market
from horizon.order_verbs import undoubted
from horizon.preview import OrderPreview
from horizon.types import AssetClass, OrderRequest, VenueOrder
from horizon.widgets.access import leg_name
from horizon.widgets.live import words_of
from horizon.widgets.row_words import ended_words
from horizon.widgets.ticket.draft import Draft
from horizon.widgets.ticket.facts import SIDE_SIGNS, cautions_of, facts_of, headline, notes_of

__all__ = ["TicketOrders"]

#: Sent previews that are remembered, so that a second confirmation finds the first.
_REMEMBERED: Final = 64


class TicketOrders:
    """What a ticket asks of an account, and what it has sent to it.

    Parameters
    ----------
    ex : ImperativeClient

    Attributes
    ----------
    latest : VenueOrder, ExecAlgo, str or None
        What was sent last, or what else has been done, in words.
    on_algo : callable
        Told of every algorithm that is started.
    """

    def __init__(self, ex: ImperativeClient) -> None:
        self._ex = ex
        self._sent: dict[str, VenueOrder | ExecAlgo] = {}
        self.latest: VenueOrder | ExecAlgo | str | None = None
        self.on_algo: Callable[[ExecAlgo], object] = lambda _: None

    # ------------------------------------------------------------------ once
    def is_sent(self, asked: str) -> bool:
        """Whether a preview was confirmed before; then its order is the latest one again."""
        if asked not in self._sent:
            return False
        self.latest = self._sent[asked]
        return True

    def send(self, draft: Draft, asked: str) -> None:
        """Send what a draft says, under the id of its preview."""
        if draft.algo is None:
            self._send_order(draft, asked)
        else:
            self._start_algo(draft, asked)

    def _send_order(self, draft: Draft, asked: str) -> None:
        try:
            self.remember(asked, self._order(draft, asked))
        except BaseException:
            # A listener may fail, or an interrupt come, after the order was taken: it stands.
            venue = self._ex.engine.venue
            with venue.lock:
                known = venue.account.client_ids.get(asked)
            if known is not None:
                self.remember(asked, venue.order(known[0]))
            raise

    def _start_algo(self, draft: Draft, asked: str) -> None:
        algo, request, contract = self.algo(draft)
        try:
            algo.start(request, auto=True, market=contract)
        finally:
            if algo.id is not None:
                self.remember(asked, algo)
                self.on_algo(algo)

    def remember(self, asked: str, sent: VenueOrder | ExecAlgo) -> None:
        """Keep what was sent for a preview."""
        self._sent[asked] = self.latest = sent
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
        with undoubted():  # the preview has asked about the name
            if draft.kind is AssetClass.Perp:
                verb = ex.buy_perp if is_buy else ex.sell_perp
                return verb(draft.target, draft.quantity, leverage=draft.leverage, **options)
            return (ex.buy if is_buy else ex.sell)(draft.target, draft.quantity, **options)

    def algo(self, draft: Draft) -> tuple[ExecAlgo, OrderRequest, Market | None]:
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

    # ------------------------------------------------------------------ what it would do
    def look(self, draft: Draft) -> OrderPreview:
        """Ask what the order would do; of an algorithm, what its whole would do at once."""
        limit, is_market = draft.limit, draft.is_market
        if draft.algo in ("twap", "vwap"):
            limit = self._child_price(draft)
            is_market = limit is None
        with undoubted():  # the ticket asks about the name itself
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

    def doubts_about(self, draft: Draft) -> list[str]:
        """Ask about a name that is nearly a market's, and is none."""
        target = draft.target
        named = target.id if isinstance(target, Market) else target
        near = self._ex.engine.venue.nearest_market(named)
        if near is None:
            return []
        return [f"Did you mean {words.name(near)}? There is no {draft.name} yet."]

    def picture(
        self, draft: Draft, preview_id: str | None, says: str, doubts: list[str]
    ) -> dict[str, Any]:
        """What a draft would do now, as the page draws it; the venue's lock is held."""
        venue = self._ex.engine.venue
        try:
            seen = self.look(draft)
        except (HorizonError, ValueError, TypeError) as error:
            return {
                "id": preview_id,
                "tone": draft.side,
                "headline": headline(draft, venue.currency),
                "facts": [],
                "cautions": [],
                "notes": [],
                "refusal": words_of(error),
                "confirm": "Confirm",
            }
        is_waiting = draft.algo in ("twap", "vwap") and seen.rule == "no price"
        quote = self._ex.quote(seen.market_id)
        last = None if quote is None else quote.price
        if seen.rule == "no price" and not draft.algo:
            doubts = []  # the refusal asks
        verb = "Start" if draft.algo else "Confirm:"
        what = draft.algo.upper() if draft.algo else draft.side
        return {
            "id": preview_id,
            "tone": draft.side,
            "headline": headline(draft, seen.currency),
            "facts": facts_of(draft, seen, last, says, venue),
            "cautions": [*doubts, *cautions_of(draft, seen, last)],
            "notes": notes_of(draft, seen, last, venue, is_waiting),
            # The rules are asked again at each child; the whole at once is only a warning.
            "refusal": None if draft.algo or seen.refusal is None else words.name(seen.refusal),
            "confirm": "Cannot be sent"
            if seen.is_refused and not draft.algo
            else f"{verb} {what} {words.exact(draft.quantity)}",
        }

    # ------------------------------------------------------------------ what became of it
    def done(self) -> dict[str, Any] | None:
        """Say where the last order stands: what was sent, its state, and how much has filled."""
        sent = self.latest
        if sent is None:
            return None
        if isinstance(sent, str):
            return {"text": sent, "filled": "", "is_bad": False}
        if isinstance(sent, ExecAlgo):
            state = sent.brief_progress
            return {
                "text": f"{state.kind} {state.id} started: {SIDE_SIGNS[state.side]}"
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
            "text": f"Order {order.id}: {SIDE_SIGNS[order.side]}{words.exact(order.quantity)} "
            f"{self._named(order.market_id)}, {ended_words(order)}.",
            "filled": filled,
            "is_bad": order.is_rejected,
        }

    def _named(self, market_id: str) -> str:
        return leg_name(self._ex.engine.venue.account.legs[market_id])
