"""Which markets a venue has, what each of them is, and how one ends."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from itertools import islice
from typing import Final

from horizon import checks, rules
from horizon.errors import OrderError
from horizon.instruments import Market, canonical_id, class_of_id, split_side
from horizon.types import AssetClass, VenueSettlement
from horizon.venues import snapshots
from horizon.venues.base import Venue
from horizon.venues.records import Leg, MarketState

__all__ = ["ListingVenue", "nearly"]

#: Known markets, the latest first, that a name is compared with: all that a person trades.
_COMPARED: Final = 1_000
#: Date, right and strike, which end an option's symbol.
_TERMS: Final = 15
#: Letters from which on a word's ends may be mistyped as well: of shorter ones, symbols above all,
#: the last letter often tells two markets from each other.
_LONG: Final = 6
_WORD: Final = re.compile(r"[^\W_]+")
_DIGIT: Final = re.compile(r"\d")


class ListingVenue(Venue):
    """A venue that keeps its own list of markets: declares, finds and settles them."""

    def declare(self, market: Market) -> None:
        """Say what a market is, before its first order.

        Parameters
        ----------
        market : Market
            The same again is no error.

        Raises
        ------
        TypeError
            If `market` is not a `Market`.
        ValueError
            If the market is known as something else, or its last price is none that the
            declared class can have.
        """
        with self._lock:
            self.require_connection()
            if not isinstance(market, Market):
                raise TypeError(f"market must be a Market, was {checks.show(market)}")
            known = self.account.markets.get(market.id)
            if known is not None and known.instrument is not None:
                self._check_same(known.instrument, market)
                return
            self._check_last_price(known, market)
            self._declare(market)

    def _declare(self, market: Market) -> MarketState:
        self.apply.declared(
            self.now_ns(),
            market.id,
            int(market.asset_class),
            market.multiplier or 1.0,
            market.tick_size,
            market.lot_size,
            market.strike,
            None if market.expiry is None else market.expiry.isoformat(),
            market.right,
        )
        return self.account.markets[market.id]

    @staticmethod
    def _check_last_price(known: MarketState | None, market: Market) -> None:
        # A settled market has the price that it settled at; no order will meet it.
        if known is not None and not known.settled and not math.isnan(known.price):
            try:
                market.check_mark("last price", known.price)
            except ValueError as error:
                raise ValueError(
                    f"market {market.id!r} cannot be {market.asset_class}: {error}. "
                    "Declare what it is with a Market before its first tick or order"
                ) from None

    def leg_of(
        self,
        market: str | Market,
        asset_class: AssetClass | None = None,
        *,
        no_side: bool = False,
    ) -> Leg:
        """Find the position that an id names, with the lock held.

        One whose market is not declared yet is a leg outside the account: nothing changes, since
        a refused order must leave no trace, its market's class included.

        Parameters
        ----------
        market : str or Market
        asset_class : AssetClass, optional
            What the market must be; None leaves it to the id.
        no_side : bool
            Ask for the NO side of a `Market`; an id says it itself.

        Raises
        ------
        TypeError, ValueError
            If the id is none, or its market is known as something else.
        """
        if isinstance(market, Market):
            return self._leg_of_contract(market, asset_class, no_side)
        leg_id = canonical_id(checks.market_id("market_id", market))
        leg = self.account.legs.get(leg_id)
        if leg is not None and (asset_class is None or leg.market.asset_class == asset_class):
            return leg
        base, is_no = split_side(leg_id)
        known = self.account.markets.get(base)
        wanted = AssetClass.Prediction if is_no and asset_class is None else asset_class
        if known is not None and known.instrument is not None:
            kind = known.instrument.asset_class
            if (wanted is not None and kind is not wanted) or (is_no and known.no is None):
                raise ValueError(
                    f"market {base!r} is known as {kind}; it cannot be used as {wanted}"
                )
            return self.account.legs[leg_id]
        if is_no and wanted is not AssetClass.Prediction:
            raise ValueError(
                f"market_id {leg_id!r} names the NO side of a Prediction, not of {wanted}"
            )
        self._require_listed(base)
        instrument = Market(base, class_of_id(base) if wanted is None else wanted)
        self._check_last_price(known, instrument)
        return _leg_outside(instrument, known, is_no)

    def _leg_of_contract(
        self, contract: Market, asset_class: AssetClass | None, no_side: bool
    ) -> Leg:
        if asset_class is not None and contract.asset_class is not asset_class:
            raise ValueError(
                f"market {contract.id!r} is {contract.asset_class}; it cannot be used as "
                f"{asset_class}"
            )
        known = self.account.markets.get(contract.id)
        if known is not None and known.instrument is not None:
            self._check_same(known.instrument, contract)
            return known.no if no_side and known.no is not None else known.yes
        self._require_listed(contract.id)
        self._check_last_price(known, contract)
        return _leg_outside(contract, known, no_side)

    def _require_listed(self, market_id: str) -> None:
        """While a run plays its data here, refuse a market that it does not have."""
        if self.is_replaying and market_id not in self.account.markets:
            raise ValueError(
                f"market {market_id!r} is not in this run"
                f"{checks.suggestion(market_id, self.account.markets)}"
            )

    @staticmethod
    def _check_same(known: Market, contract: Market) -> None:
        if known != contract:
            raise ValueError(
                f"market {known.id!r} is known as {known}; it cannot become {contract}"
            )

    def nearest_market(self, market_id: str, *, priced: bool = True) -> str | None:
        """Say which market is nearly called so, where nothing is known of the one that is.

        Parameters
        ----------
        market_id : str
            By the id of a NO side, its market is meant.
        priced : bool
            Look among the markets that have a price alone, and not among those that had a
            declaration, an order or an algorithm and no tick yet.

        Returns
        -------
        str or None
            The id of a market; None where the one that is named is known, or none is near.

        Raises
        ------
        TypeError, ValueError
            If the id is none.
        """
        base, _ = split_side(canonical_id(checks.market_id("market_id", market_id)))
        with self._lock:
            markets = self.account.markets
            if base in markets:
                return None
            latest = list(islice(reversed(markets.values()), _COMPARED))
            # What has no price may be a slip itself, of an order sent before.
            near = nearly(base, (one.id for one in latest if one.price == one.price))
            if near is None and not priced:
                near = nearly(base, (one.id for one in latest))
            return near

    def _declare_leg(self, instrument: Market, is_no: bool) -> Leg:
        market = self._declare(instrument)
        leg = market.no if is_no else market.yes
        assert leg is not None
        return leg

    def settle(self, market_id: str, price: float) -> list[VenueSettlement]:
        """End a market: cancel its orders and close both its positions at a price, without fee.

        Parameters
        ----------
        market_id : str
            The market; by the id of a NO side, `price` is NO's.
        price : float
            0 to 1 for a prediction (its outcome), an option's intrinsic value, or the last
            price of anything else; 0 is allowed.

        Returns
        -------
        list of VenueSettlement
            One for each position closed; empty where there was none, and for a market that is
            settled already at this price.

        Raises
        ------
        OrderError
            If the market is settled already at another price.
        TypeError, ValueError
            If the price is none that the market can settle at.
        """
        with self._lock:
            self.require_connection()
            self.refuse_prices()
            return self.end_market(market_id, price)

    def end_market(self, market_id: str, price: float) -> list[VenueSettlement]:
        """Settle for whoever plays this venue's data.

        Arguments, answer and errors are those of `settle`, which is refused during a run.

        Raises
        ------
        OrderError, TypeError, ValueError
            As `settle`.
        """
        with self._lock:
            at = checks.non_negative("price", price)
            leg_id = canonical_id(checks.market_id("market_id", market_id))
            base, is_no = split_side(leg_id)
            market = self.account.markets.get(base)
            undeclared = None
            if market is None or market.instrument is None:
                # Only the id of a NO side says what such a market is; settling says nothing.
                if is_no:
                    market = self.leg_of(leg_id).market
                    undeclared = market.instrument
            elif is_no and market.no is None:
                self.leg_of(leg_id)  # says what is wrong
            is_prediction = market is not None and market.asset_class == AssetClass.Prediction
            if is_prediction and at > 1.0:
                raise ValueError(f"price must lie between 0 and 1 for {leg_id!r}, was {at!r}")
            if is_no:
                at = rules.complement(at)
            if market is not None and market.settled:
                if market.settled_at == at:
                    return []
                raise OrderError(f"market {base!r} is settled already at {market.settled_at:g}")
            if undeclared is not None:
                market = self._declare(undeclared)
            now = self.now_ns(market)
            market = market or MarketState(base)
            if self._observer is not None:
                self._observer.stop_algos(base, "settled")
            for order in list(market.resting.values()):
                self.apply.cancelled(now, order.id, "settled")
            count = len(self.account.settlements)
            self.apply.settled(now, base, at)
            if self._observer is not None:
                self._observer.after_command()
            return [snapshots.settlement_snapshot(r) for r in self.account.settlements[count:]]


def nearly(market_id: str, known: Iterable[str]) -> str | None:
    """Find the market that an id which nobody knows may have been meant to name.

    What differs in its case, in where its words are cut, or in one letter of a word may be a slip:
    two neighbours that changed places, a letter left out, put in or mistaken. Words with a digit
    must be the same, short ones begin and end alike, and options on one underlying are different
    markets.

    Parameters
    ----------
    market_id : str
    known : iterable of str

    Returns
    -------
    str or None
        The most similar of those.
    """
    asked = _words(market_id)
    return checks.nearest(market_id, (one for one in known if _may_be(asked, _words(one))))


def _words(market_id: str) -> list[str]:
    """Cut an id into its words; an option's is its underlying, with a mark behind it."""
    try:
        if class_of_id(market_id) is AssetClass.Option:
            return [market_id[:-_TERMS].casefold(), ""]
    except ValueError:  # the symbol of an option that cannot be: whoever trades it is told
        pass
    return _WORD.findall(market_id.casefold())


def _may_be(asked: list[str], known: list[str]) -> bool:
    if asked[-1:] == [""] == known[-1:]:
        return asked != known and _is_slip(asked[0], known[0])
    if len(asked) == len(known):
        return all(map(_is_slip, asked, known))
    return "".join(asked) == "".join(known)


def _is_slip(one: str, other: str) -> bool:
    """Whether one word may be the other, mistyped."""
    if one == other:
        return True
    short, long = sorted((one, other), key=len)
    if len(long) - len(short) > 1 or _DIGIT.search(one) or _DIGIT.search(other):
        return False
    at = next((i for i, letter in enumerate(short) if letter != long[i]), len(short))
    ends_count = len(short) >= _LONG
    if len(short) < len(long):
        return short[at:] == long[at + 1 :] and (ends_count or 0 < at < len(short))
    if len(short) > 2 and short[at + 1 :][:1] == long[at] and long[at + 1 :][:1] == short[at]:
        return short[at + 2 :] == long[at + 2 :]
    is_inside = len(short) > 3 and 0 < at < len(short) - 1
    return short[at + 1 :] == long[at + 1 :] and (ends_count or is_inside)


def _leg_outside(instrument: Market, known: MarketState | None, is_no: bool) -> Leg:
    """Build a position as its market's declaration would make it, outside of any account."""
    market = MarketState(instrument.id)
    market.instrument = instrument
    market.asset_class = int(instrument.asset_class)
    market.multiplier = instrument.multiplier or 1.0
    market.strike = instrument.strike or 0.0
    market.lowest, market.highest = instrument.price_bounds
    if known is not None:
        market.price, market.bid, market.ask = known.price, known.bid, known.ask
        market.tick_ns, market.settled = known.tick_ns, known.settled
    return Leg(market, f"{instrument.id}:no", is_no=True) if is_no else market.yes
