"""Uniform numbers that are looked up, not drawn: the same question has the same answer.

A generator with a state gives an order another number as soon as an order elsewhere has asked
before it. Here a number is a function of what it is for (seed, market, order, snapshot), so an
extra order in another market, or a later row, changes nothing that was decided without it.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Final

__all__ = ["market_key", "mixed", "uniform"]

_MASK: Final = 2**64 - 1
#: 2**64 divided by the golden ratio, the odd step of SplitMix64: a word of zero counts too.
_STEP: Final = 0x9E3779B97F4A7C15
_FIRST: Final = 0xBF58476D1CE4E5B9
_SECOND: Final = 0x94D049BB133111EB


def market_key(market_id: str) -> int:
    """Return the number that stands for a market: 64 bits of its id's BLAKE2b hash.

    Python's own hash of a text differs from one process to the next.
    """
    return int.from_bytes(blake2b(market_id.encode(), digest_size=8).digest(), "little")


def mixed(word: int) -> int:
    """Return 64 bits as the finaliser of SplitMix64 mixes them."""
    word = ((word ^ (word >> 30)) * _FIRST) & _MASK
    word = ((word ^ (word >> 27)) * _SECOND) & _MASK
    return word ^ (word >> 31)


def uniform(seed: int, market_key: int, order_number: int, snapshot: int) -> float:
    """Return the uniform number of one order at one snapshot.

    Parameters
    ----------
    seed : int
    market_key : int
        See `market_key`.
    order_number : int
        The order's number among those of its market.
    snapshot : int
        The snapshot's number among those of its market.

    Returns
    -------
    float
        In [0, 1), one of 2**53 equally likely ones.

    Notes
    -----
    The four words are taken in one after the other, each followed by the finaliser of
    SplitMix64, which maps 64 bits one to one so that each bit that goes in turns about half of
    those that come out. Words count modulo 2**64.

    References
    ----------
    Steele, Lea and Flood (2014), Fast splittable pseudorandom number generators.
    """
    state = 0
    for word in (seed, market_key, order_number, snapshot):
        state = mixed((state + _STEP + word) & _MASK)
    # The upper 53 bits: as many as a float tells apart.
    return (state >> 11) * 2.0**-53
