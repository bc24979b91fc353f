"""How long orders, cancels and amendments are on their way to the market."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Final

from horizon import checks

__all__ = ["ConstantLatency", "Latency", "NoLatency"]

_NS_PER_MS: Final = 1_000_000
#: A year of milliseconds: what takes longer never arrives in any data.
_LONGEST_MS: Final = 366 * 86_400_000


class Latency(ABC):
    """The way to the market; derive from it for one that is not always equally long.

    What is sent later may arrive earlier, if a later delay is shorter; things that arrive at
    one time arrive in the order in which they were sent. Hand an object of it to ``latency=`` of
    ``hz.connect("paper")``, ``hz.connect("book")``, `hz.backtest` or `hz.run`.

    Examples
    --------
    Perpetuals at an exchange next door, everything else over the ocean:

    >>> class ByMarket(hz.venues.Latency):
    ...     def delay_ns(self, market_id, now_ns):
    ...         return 1_000_000 if market_id.endswith("-PERP") else 80_000_000
    >>> ex = hz.connect("book", latency=ByMarket())
    >>> fills = ex.take_book("ACME", [(99.0, 5)], [(100.0, 5)], timestamp=0.0)
    >>> order = ex.buy("ACME", 5, market=True)
    >>> [len(ex.take_book("ACME", [(99.0, 5)], [(100.0, 5)], timestamp=t)) for t in (0.05, 0.1)]
    [0, 1]
    """

    @abstractmethod
    def delay_ns(self, market_id: str, now_ns: int) -> int:
        """Return how long something that is sent now travels.

        Parameters
        ----------
        market_id : str
            The market that it is sent to.
        now_ns : int
            When it is sent, in nanoseconds since 1970, UTC.

        Returns
        -------
        int
            Whole nanoseconds, 0 or more; 0 arrives within the same command.

        Notes
        -----
        It is asked once for each order, cancel and amendment. A delay that depends on nothing
        but the arguments keeps a run the same when an order is added elsewhere.
        """


class ConstantLatency(Latency):
    """The same delay for everything.

    Parameters
    ----------
    latency_ms : float
        Milliseconds, from 0 to a year; taken to the nearest nanosecond.

    Raises
    ------
    TypeError, ValueError
        For a delay that is not as above.

    Examples
    --------
    What was offered at 100 when the order was sent is gone when it arrives, a quarter of a second
    later:

    >>> ex = hz.connect("book", latency=hz.venues.ConstantLatency(250))
    >>> fills = ex.take_book("ACME", [(99.0, 5)], [(100.0, 5)], timestamp=0.0)
    >>> ex.buy("ACME", 5, market=True).status
    'new'
    >>> fills = ex.take_book("ACME", [(100.0, 5)], [(101.0, 5)], timestamp=0.2)
    >>> fills = ex.take_book("ACME", [(100.0, 5)], [(101.0, 5)], timestamp=0.3)
    >>> [(fill.price, fill.timestamp) for fill in fills]
    [(101.0, 0.25)]
    """

    __slots__ = ("_ns", "latency_ms")

    def __init__(self, latency_ms: float) -> None:
        self.latency_ms = checks.non_negative("latency_ms", latency_ms)
        if self.latency_ms > _LONGEST_MS:
            raise ValueError(
                f"latency_ms must be at most a year ({_LONGEST_MS:g}), was {latency_ms!r}"
            )
        self._ns = round(self.latency_ms * _NS_PER_MS)

    def delay_ns(self, market_id: str, now_ns: int) -> int:
        """Return the delay in nanoseconds."""
        return self._ns

    def __repr__(self) -> str:
        return f"ConstantLatency(latency_ms={self.latency_ms:g})"


class NoLatency(ConstantLatency):
    """Everything arrives at once.

    Examples
    --------
    >>> hz.venues.NoLatency().delay_ns("ACME", now_ns=0)
    0
    """

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(0.0)

    def __repr__(self) -> str:
        return "NoLatency()"
