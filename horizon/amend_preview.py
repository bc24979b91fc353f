"""What an amendment would do: the answer to one that is decided and not made."""

from __future__ import annotations

import math
from copy import copy
from dataclasses import dataclass

from horizon import rules
from horizon.errors import OrderError
from horizon.preview import TrialGate
from horizon.risk import RiskGate
from horizon.types import AssetClass, Shown
from horizon.venues.amending import Amendment
from horizon.venues.simulated import SimulatedVenue
from horizon.venues.slippage import Taking, taking_of

__all__ = ["AmendPreview", "amend_preview"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AmendPreview(Shown):
    """What an amendment would make of an open order. Money is in `currency`, sizes in units.

    Attributes
    ----------
    order_id : str
    market_id : str
        ``"<id>:no"`` for the NO side of a prediction market.
    asset_class : AssetClass
    side : {"buy", "sell"}
    currency : str
    filled : float
        What has filled so far; it stays filled.
    quantity, quantity_after : float
        The whole order, what has filled included.
    price, price_after : float or None
        The limit; None for a market order.
    keeps_place : bool
        Whether it stays where it is in the queue. A new price is a new arrival, behind all that
        is there; a new quantity alone is none.
    is_taker : bool
        Whether the amended order would pay the taker's rate.
    notional_after : float or None
        ``|open quantity x price x multiplier|`` of what would still be open.
    fee_after : float or None
        What filling that costs.
    buying_power, buying_power_after : float
        What an opening order may still reserve, beside the order's own reserve.
    refusal, rule : str or None
        Why the market, the account's money or risk would refuse, and the rule's name.
    taking : Taking or None
        What the order would take of a book as it arrives anew; None if nothing.

    Examples
    --------
    Not made by hand: ``ex.preview_amend(…)`` returns it. Ten at 180 reserve 1,800, four 720:

    >>> ex = hz.connect("paper", initial_cash_usd=2_000)
    >>> order = ex.buy("AAPL", 10, limit=180.0)
    >>> seen = ex.preview_amend(order.id, new_quantity=4)
    >>> seen.keeps_place, seen.buying_power, seen.buying_power_after
    (True, 200.0, 1280.0)
    >>> ex.preview_amend(order.id, new_quantity=12).rule
    'buying power'
    """

    order_id: str
    market_id: str
    asset_class: AssetClass
    side: str
    currency: str
    filled: float
    quantity: float
    quantity_after: float
    price: float | None
    price_after: float | None
    keeps_place: bool
    is_taker: bool
    notional_after: float | None
    fee_after: float | None
    buying_power: float
    buying_power_after: float
    refusal: str | None
    rule: str | None
    taking: Taking | None

    @property
    def is_refused(self) -> bool:
        """Whether the amendment would be refused; `refusal` says why."""
        return self.refusal is not None

    @property
    def changes_nothing(self) -> bool:
        """Whether quantity and price are those that the order has."""
        return self.quantity == self.quantity_after and self.price == self.price_after


def amend_preview(change: Amendment, gate: RiskGate, venue: SimulatedVenue) -> AmendPreview:
    """Say what an amendment would do, with the venue's lock held.

    Parameters
    ----------
    change : Amendment
        As `SimulatedVenue.amendment` gives it.
    gate : RiskGate
        The engine's rules; asked without effect.
    venue : SimulatedVenue
        Where the order rests.
    """
    order, account = change.order, venue.account
    leg, market = order.leg, order.leg.market
    asked = TrialGate(gate)
    refusal = rule = None
    if change.is_checked:
        try:
            venue.check_amendment(change, asked)
        except OrderError as error:
            refusal, rule = str(error), str(error).partition(":")[0]
    if asked.refusal is not None:  # risk is asked before money
        refusal, rule = asked.refusal, asked.rule
    reserved = venue.reserve_change(change) if refusal is None else 0.0
    price = order.reference if order.is_market else change.price
    left = change.quantity - order.filled
    has_price = not math.isnan(price)
    return AmendPreview(
        order_id=order.id,
        market_id=leg.id,
        asset_class=AssetClass(market.asset_class),
        side="buy" if order.sign > 0 else "sell",
        currency=venue.currency,
        filled=order.filled,
        quantity=order.quantity,
        quantity_after=change.quantity,
        price=None if order.is_market else order.price,
        price_after=None if order.is_market else change.price,
        keeps_place=not change.moved,
        is_taker=change.is_taker,
        notional_after=rules.notional(left, price, market.multiplier) if has_price else None,
        fee_after=rules.fee(left, price, market.multiplier, change.fee_rate) if has_price else None,
        buying_power=account.buying_power,
        buying_power_after=account.buying_power - reserved,
        refusal=refusal,
        rule=rule,
        taking=_taking(change, venue),
    )


def _taking(change: Amendment, venue: SimulatedVenue) -> Taking | None:
    """What it takes as it arrives anew; an order that has not moved takes nothing."""
    if not change.moved or change.order.in_transit:
        return None
    trial = copy(change.order)
    trial.quantity, trial.price = change.quantity, change.price
    trial.is_taker = change.is_taker
    takes = venue.on_arrival(trial)
    if not takes:
        return None
    leg = trial.leg
    levels = [(price, size) for size, price in takes]
    return taking_of(
        venue.matching,
        trial.sign,
        levels,
        trial.remaining,
        leg.market.multiplier,
        venue.quotes_of(leg),
        leg.price,
    )
