"""One quote in place of another, in few steps: what a quoter does at every row of a long run.

`quoting.requote` sends each leg through everything that an order can meet: amendments, latency,
reduce-only, leverage, fee schedules, a journal. A run of a million rows has none of these, and
spends most of its time in calls. Here the same is done for that one case: at most one bid and one
ask of ours rest in a market, and nothing else does.

Nothing is decided differently. What this leaves in the account is, bit for bit, what the calls of
`SimulatedVenue.cancel_order` and `SimulatedVenue.place_limit` would have left; whatever is not
this case is given back to them before anything has changed.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, cast

from horizon import rules
from horizon.checks import LARGEST
from horizon.errors import RiskRejected
from horizon.risk import RiskGate
from horizon.types import AssetClass
from horizon.venues.archive import CHUNK, ORDER_ROW, STATUSES
from horizon.venues.paper import Paper
from horizon.venues.records import QUOTE_INTENT, Leg, OrderState

if TYPE_CHECKING:
    from horizon.engine import Engine
    from horizon.venues.book import BookVenue

__all__ = ["QuickQuotes", "outside"]

_PERP: Final = int(AssetClass.Perp)
_PREDICTION: Final = int(AssetClass.Prediction)
_REACH: Final = rules.REACH
_SLACK: Final = rules.SLACK
_CANCELED: Final = STATUSES.index("canceled") << 7
_ROW: Final = ORDER_ROW.size
_pack: Final = ORDER_ROW.pack_into
_INF: Final = math.inf
_NAN: Final = math.nan
#: Below the largest notional of a quote by more than rounding: what is near it is looked at twice.
_LARGEST: Final = 0.999 * LARGEST


def outside(leg: Leg, name: str, price: float) -> str:
    """Say that a leg of a quote is no price of its market."""
    lowest, highest = leg.market.lowest, leg.market.highest
    return f"{name} {price:g} in {leg.id} must lie above {lowest:g} and below {highest:g}"


class QuickQuotes:
    """Quotes on the legs of one engine whose account is compact.

    Parameters
    ----------
    engine : Engine
        On a `Paper` or a `BookVenue`.
    gate : RiskGate
        The engine's own.
    """

    __slots__ = (
        "_account",
        "_archive",
        "_arrive",
        "_best_for",
        "_by_quotes",
        "_codes",
        "_enforces",
        "_engine",
        "_gate",
        "_has_chance",
        "_has_limits",
        "_maker_rate",
        "_spare",
        "_taker_rate",
        "_venue",
    )

    def __init__(self, engine: Engine, gate: RiskGate) -> None:
        venue = engine.venue
        book = None if isinstance(venue, Paper) else cast("BookVenue", venue)
        assert venue.account.archive is not None
        self._engine = engine
        self._venue = venue
        self._account = venue.account
        self._archive = venue.account.archive
        self._gate = gate
        self._has_limits = not engine.risk_config.is_unlimited
        self._maker_rate, self._taker_rate = venue.fee_rates
        self._enforces = venue.enforces_buying_power
        self._by_quotes = venue.matching == "quotes"
        self._has_chance = book is not None and book.fill_model.has_chance
        # The steps of a venue that its kinds decide for themselves.
        self._best_for = None if book is None else book.best_for
        self._arrive = venue._arrive
        #: By leg, what the archive's code of its quotes begins with, -1 before the first; only
        #: legs that qualify.
        self._codes: dict[str, int] = {}
        #: Records of quotes that have ended unfilled, to be used again: nobody else keeps one.
        self._spare: list[OrderState] = []

    @staticmethod
    def of(engine: Engine, gate: RiskGate) -> QuickQuotes | None:
        """Return one where the engine's venue has only what is known here, else None."""
        venue = engine.venue
        if venue.account.archive is None:
            return None
        if type(venue) is not Paper:
            # It needs NumPy, which nobody waits for who only places orders.
            from horizon.venues.book import BookVenue

            if type(venue) is not BookVenue:
                return None
        is_plain = venue.latency is None and not venue.has_fee_schedules and venue.takes_every_class
        return QuickQuotes(engine, gate) if is_plain else None

    def requote(
        self, leg: Leg, bid: float, ask: float, size: float
    ) -> tuple[OrderState | None, OrderState | None] | None:
        """Make this quote what rests on a leg, with the lock held; see `quoting.requote`.

        Returns
        -------
        tuple of two (OrderState or None), or None
            The bid's order and the ask's; None, and nothing has changed, where this is not the
            case for it.
        """
        market, account, quotes = leg.market, self._account, leg.quotes
        if (
            len(market.resting) != len(quotes)
            or market.settled
            or account.halted
            or (leg.id not in self._codes and not self._admits(leg))
            or self._venue.apply is not account
        ):
            return None
        if (ask if ask > -bid else -bid) * size * market.multiplier > _LARGEST:
            return None
        # ---- what rests, and which of it stays
        kept_bid: OrderState | None = None
        kept_ask: OrderState | None = None
        first: OrderState | None = None
        second: OrderState | None = None
        for order in quotes.values():
            price, left = order.price, order.quantity - order.filled
            if order.sign > 0:
                if price == bid and size <= left:
                    if size < left or kept_bid is not None:
                        return None
                    kept_bid = order
                    continue
            elif price == ask and size <= left:
                if size < left or kept_ask is not None:
                    return None
                kept_ask = order
                continue
            if first is None:
                first = order
            elif second is None and first.sign != order.sign:
                second = order
            else:
                return None
        if kept_bid is not None and kept_ask is not None and first is None:
            return kept_bid, kept_ask
        if first is not None and (
            (first.sign > 0 and kept_bid is not None) or (first.sign < 0 and kept_ask is not None)
        ):
            return None  # two of one side
        now = self._venue.now_ns(market)
        if first is not None:
            if now > account.now_ns:
                account.advance_to(now)
            self._drop(first, leg, now)
            if second is not None:
                self._drop(second, leg, now)
        # ---- what each side meets now; a book is asked when the order comes to it
        buys_meet = sells_meet = _NAN
        if self._best_for is None:
            buys_meet = sells_meet = market.price
            if self._by_quotes:
                best_bid, best_ask = market.bid, market.ask
                if best_bid == best_bid or best_ask == best_ask:
                    buys_meet, sells_meet = best_ask, best_bid
        try:
            if kept_bid is None:
                if market.lowest < bid < market.highest:
                    kept_bid = self._place(leg, 1, size, bid, buys_meet, now)
                else:
                    self._engine.count("price_bounds", outside(leg, "bid", bid))
        except RiskRejected:
            pass  # the engine has counted it
        try:
            if kept_ask is None:
                if market.lowest < ask < market.highest:
                    kept_ask = self._place(leg, -1, size, ask, sells_meet, now)
                else:
                    self._engine.count("price_bounds", outside(leg, "ask", ask))
        except RiskRejected:
            pass
        return kept_bid, kept_ask

    def _admits(self, leg: Leg) -> bool:
        """Whether a leg's market has only what is known here; that does not change."""
        market = leg.market
        contract = market.instrument
        if (
            contract is None
            or leg.is_no
            or market.asset_class == _PERP
            or contract.tick_size is not None
            or contract.lot_size is not None
            or self._account.legs.get(leg.id) is not leg
        ):
            return False
        self._codes[leg.id] = -1
        return True

    # ------------------------------------------------------------------ one leg
    def _drop(self, order: OrderState, leg: Leg, now: int) -> None:
        """`Account.cancelled`, for the only order of its direction."""
        account, archive, market = self._account, self._archive, leg.market
        order_id = order.id
        code = self._codes[leg.id]
        if code < 0:
            code = self._codes[leg.id] = archive.code_of(leg, QUOTE_INTENT) | 1 | _CANCELED
        resting = market.resting
        del resting[order_id]
        if order.sign > 0:
            leg.buys = 0
            leg.pending_buy = 0.0
            code |= 2
        else:
            leg.sells = 0
            leg.pending_sell = 0.0
        if not resting:
            market.reach_below, market.reach_above = -_INF, _INF
            market.reach_stale = False
        elif order.reach == market.reach_below or order.reach == market.reach_above:
            market.reach_stale = True
        del leg.quotes[order_id]
        opening = order.opening
        if opening != 0.0:
            self._hold_back(-opening, order.unit_reserve, order.price * market.multiplier)
        del account.open_orders[order_id]
        # `OrderArchive.retire`, for an order of which only few things can be said.
        del archive[order_id]
        place = order.serial - 1
        if place >= archive.count:
            if place < CHUNK * len(archive.chunks):
                archive.count = place + 1
            else:
                archive.reach(place + 1)
        filled = order.filled
        _pack(
            archive.chunks[place // CHUNK],
            place % CHUNK * _ROW,
            order.quantity,
            order.price,
            filled,
            order.average,
            order.fees,
            order.submitted_ns,
            now,
            code | 64 if order.is_taker else code,
        )
        if filled == 0.0:
            self._spare.append(order)
        else:
            order.opening = 0.0
            order.is_open = False
            order.status = "canceled"

    def _place(
        self, leg: Leg, sign: int, quantity: float, price: float, meets: float, now: int
    ) -> OrderState | None:
        """Decide on a plain limit order, and accept it, where no other rests on its side."""
        account, market = self._account, leg.market
        # ---- what the order would be, and whether anything speaks against it
        if self._best_for is None:
            taker = sign * (meets - price) <= _REACH * price  # `rules.reaches`, in line
        else:
            taker = sign * (self._best_for(market, sign) - price) <= _REACH * price
        held = sign * leg.quantity
        opening = quantity
        if held < 0.0:
            opening += held  # `rules.opening_part`, in line: what is held is closed first
            if opening <= -_SLACK * held:
                opening = 0.0
        multiplier = market.multiplier
        rate = self._taker_rate if taker else self._maker_rate
        worth = price * multiplier
        if market.asset_class == _PREDICTION:  # `rules.unit_reserve`, in line
            unit = worth * rate if rate > 0.0 else 0.0
            unit += worth if sign > 0 else multiplier - worth
            if unit < 0.0:
                unit = 0.0
        else:
            last = market.price
            unit = rules.unit_reserve(
                market.asset_class,
                sign,
                price,
                price if last != last else last,
                multiplier,
                market.strike,
                1.0,
                rate,
            )
        if opening != 0.0:
            cash, held_worth = account.cash_sum, account.value_sum
            if (
                self._has_limits
                or (cash.high + held_worth.high) + (cash.low + held_worth.low) <= 0.0
            ):
                self._ask(leg, sign, quantity, opening, price, now)
            if self._enforces:
                required = opening * unit
                # `Ledger.buying_power`, in line.
                held_back, ordered = account.position_reserve, account.order_reserve
                available = (cash.high - held_back.high - ordered.high) + (
                    cash.low - held_back.low - ordered.low
                )
                if required > available and not rules.is_affordable(
                    required, available, account.cash
                ):
                    return self._engine.place_limit(leg, sign, quantity, price, QUOTE_INTENT)
        # ---- `Account.accepted`
        if now > account.now_ns:
            account.advance_to(now)
        serial = account.next_order
        account.next_order = serial + 1
        market.orders = number = market.orders + 1
        market.landed = serial
        order_id = f"p{serial}"
        if self._spare:
            order = self._spare.pop()
            order.id = order_id
            order.leg = leg
            order.sign = sign
            order.quantity = quantity
            order.price = order.reference = price
            order.submitted_ns = order.arrived_ns = now
        else:
            order = OrderState(
                order_id,
                leg,
                sign,
                quantity,
                price,
                False,
                False,
                False,
                False,
                1.0,
                None,
                QUOTE_INTENT,
                now,
            )
        order.is_taker = taker
        order.fee_rate = rate
        order.unit_reserve = unit
        order.serial = serial
        order.number = number
        order.opening = opening
        account.recent_ns.append(account.now_ns)
        self._archive[order_id] = account.open_orders[order_id] = order
        market.resting[order_id] = leg.quotes[order_id] = order
        if opening != 0.0:
            self._hold_back(opening, unit, worth)
        if sign > 0:
            leg.buys += 1
            leg.pending_buy += quantity
            order.reach = reach = price * (1.0 + 3e-9)
            if reach > market.reach_below:
                market.reach_below = reach
        else:
            leg.sells += 1
            leg.pending_sell += quantity
            order.reach = reach = price * (1.0 - 3e-9)
            if reach < market.reach_above:
                market.reach_above = reach
        # ---- what a venue and an engine do after it
        if self._best_for is not None and (taker or self._has_chance):
            self._arrive(order, now)
        if self._has_limits and order.opening == 0.0:
            self._engine.watch_position(market)
        return order

    def _ask(
        self, leg: Leg, sign: int, quantity: float, opening: float, price: float, now: int
    ) -> None:
        try:
            self._gate(leg, sign, quantity, opening, price, now)
        except RiskRejected as refusal:
            self._engine.count(refusal.rule, str(refusal))
            raise

    def _hold_back(self, opening: float, unit: float, unit_notional: float) -> None:
        """Add to what open orders reserve, and to their notional: two `RunningSum.add`."""
        account = self._account
        held, notional = account.order_reserve, account.order_notional
        term = opening * unit
        high = held.high
        total = high + term
        virtual = total - high
        held.low += (high - (total - virtual)) + (term - virtual)
        held.high = total
        term = opening * unit_notional
        high = notional.high
        total = high + term
        virtual = total - high
        notional.low += (high - (total - virtual)) + (term - virtual)
        notional.high = total
