"""The simulated venue of a run, made of its arguments."""

from __future__ import annotations

from dataclasses import dataclass

from horizon.venues.book import BookVenue
from horizon.venues.fees import Fees
from horizon.venues.fill_models import FillModel
from horizon.venues.impact import Impact
from horizon.venues.latency import Latency
from horizon.venues.paper import Paper
from horizon.venues.simulated import SimulatedVenue

__all__ = ["VenuePlan"]


@dataclass(frozen=True, slots=True)
class VenuePlan:
    """What a run's venue is made of; everything was checked, but what venues check themselves.

    Attributes
    ----------
    capital : float
    maker, taker : float
        Fee rates.
    fees : Fees, dict of market to Fees, or None
        In place of the rates.
    latency : Latency or None
    enforce_buying_power : bool
    slippage_bps, bar_fill_mode, matching
        Of a venue without books.
    fill_model, impact, seed
        Of a venue with books.
    """

    capital: float
    maker: float
    taker: float
    fees: Fees | dict[str, Fees] | None
    latency: Latency | None
    enforce_buying_power: bool
    slippage_bps: float
    bar_fill_mode: str
    matching: str
    fill_model: FillModel
    impact: Impact
    seed: int

    def paper(self) -> Paper:
        """Make a venue that matches against the rows; a market order waits for the next."""
        venue = Paper(
            self.capital,
            maker_fee_rate=self.maker,
            taker_fee_rate=self.taker,
            slippage_bps=self.slippage_bps,
            bar_fill_mode=self.bar_fill_mode,
            matching=self.matching,
            market_fill="next_tick",
            enforce_buying_power=self.enforce_buying_power,
            latency=self.latency,
            fees=self.fees,
            compact=True,
        )
        _at_rest(venue)
        return venue

    def book(self) -> BookVenue:
        """Make a venue that matches against order books, which it has yet to be given."""
        venue = BookVenue(
            self.capital,
            maker_fee_rate=self.maker,
            taker_fee_rate=self.taker,
            fees=self.fees,
            fill_model=self.fill_model,
            impact=self.impact,
            latency=self.latency,
            seed=self.seed,
            enforce_buying_power=self.enforce_buying_power,
            compact=True,
        )
        _at_rest(venue)
        return venue


def _at_rest(venue: SimulatedVenue) -> None:
    """Stop its clock: the loop gives it one."""
    venue.set_clock(lambda: 0)
