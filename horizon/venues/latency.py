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
    one time arrive in the order in which they were sent.
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
    """Everything arrives at once."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(0.0)

    def __repr__(self) -> str:
        return "NoLatency()"
