"""Venues: where orders meet a market, and the account that they move."""

from horizon.venues.base import Observer, Venue
from horizon.venues.paper import Paper
from horizon.venues.simulated import SimulatedVenue

__all__ = ["Observer", "Paper", "SimulatedVenue", "Venue"]
