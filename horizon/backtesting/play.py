"""Playing all rows of a run, piece by piece, with its progress shown or told."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from horizon import checks
from horizon.backtesting.arrange import check_prices
from horizon.backtesting.loop import Loop
from horizon.backtesting.playing import MarketData
from horizon.backtesting.tape import Step, steps
from horizon.errors import DataError
from horizon.instruments import Market
from horizon.types import Shown

__all__ = ["Played", "Tell", "play_all", "progress_of"]

#: Rows between two looks at what is no longer needed.
_TIDY: Final = 16
#: Seconds between two tellings of how far a run is.
_EVERY: Final = 0.1


@dataclass(frozen=True, slots=True)
class Played(Shown):
    """How far a backtest is: what ``hz.backtest(progress=callable)`` calls with.

    Attributes
    ----------
    rows : int
        Rows played so far.
    total : int or None
        Rows of the whole data; None where it comes in chunks, of which nobody knows how many.
    time : float or None
        Time of the last row played, in seconds since 1970; None before the first.
    equity : float
        Equity after that row, in the account's currency; the initial capital before the first.

    Examples
    --------
    >>> ticks = [{"timestamp": i, "price": 0.5} for i in range(3)]
    >>> told = []
    >>> result = hz.backtest(data=ticks, pipeline=[lambda ctx: None], progress=told.append)
    >>> told[-1]
    Played(rows=3, total=3, time=2.0, equity=1000.0)
    """

    rows: int
    total: int | None
    time: float | None
    equity: float


#: Takes how far a run is.
Tell = Callable[[Played], object]


def progress_of(progress: object) -> tuple[bool, Tell | None]:
    """Read ``progress=``: whether a bar is shown, and who is told instead."""
    if callable(progress):
        return False, progress
    try:
        return checks.flag("progress", progress), None
    except TypeError:
        raise TypeError(
            "progress must be True or False, or a function that takes a Played, was "
            f"{checks.show(progress)} ({type(progress).__name__})"
        ) from None


def play_all(
    loop: Loop,
    first: MarketData,
    chunks: Iterable[MarketData],
    known: tuple[Sequence[Market], Sequence[str | Market], Mapping[str, str]],
    shown: str | None,
    tell: Tell | None = None,
    total: int | None = None,
) -> int:
    """Play all rows; return how many there were.

    `shown` names a progress bar; `tell` is told between two steps, `total` rows being all.
    """
    teller = None if tell is None else _Teller(loop, tell, total)
    bar: Any = None
    if shown is not None:
        from tqdm.auto import tqdm

        bar = tqdm(total=len(first), desc=shown, unit=" rows", unit_scale=True)
    rows = 0
    try:
        for number, data in enumerate(_all(first, chunks, known)):
            if bar is not None and number:
                bar.total = None  # nobody knows how many chunks there are
            for tidy, (count, piece) in enumerate(steps(data)):
                loop.play(piece if teller is None else teller.watched(piece))
                if tidy % _TIDY == 0:
                    loop.fair.forget()
                if bar is not None:
                    bar.update(count)
            rows += len(data)
    finally:
        if bar is not None:
            bar.close()
    if teller is not None:
        teller.end()
    return rows


class _Teller:
    """Tells how far a run is: at its start and its end, and some ten times a second between.

    It looks at the clock after each step, so that a run of slow stages is told of, and can be
    ended, between any two of them.
    """

    def __init__(self, loop: Loop, tell: Tell, total: int | None) -> None:
        self._loop = loop
        self._tell = tell
        self._total = total
        self._rows = 0
        self._ns: int | None = None
        self._due = 0.0
        self._say(loop.account.equity)

    def watched(self, piece: Iterable[Step]) -> Iterator[Step]:
        """Give the steps on, each once the one before it has been played."""
        clock = time.monotonic
        for step in piece:
            yield step
            self._ns = step[0]
            self._rows += len(step[1])
            if clock() >= self._due:
                self._say(self._loop.equity[-1])

    def end(self) -> None:
        """Tell the last row, also where it has just been told: nothing comes after this."""
        self._say(self._loop.equity[-1])

    def _say(self, equity: float) -> None:
        at = None if self._ns is None else checks.ns_to_seconds(self._ns)
        self._tell(Played(self._rows, self._total, at, equity))
        # From now on: whoever takes long over it does not hold up the run at every step.
        self._due = time.monotonic() + _EVERY


def _all(
    first: MarketData,
    chunks: Iterable[MarketData],
    known: tuple[Sequence[Market], Sequence[str | Market], Mapping[str, str]],
) -> Iterator[MarketData]:
    yield first
    for number, data in enumerate(chunks, start=1):
        try:
            check_prices(*known, data)
        except DataError as error:
            raise DataError(
                f"piece {number} of the chunks: {error}",
                feed=error.feed,
                row=error.row,
                value=error.value,
            ) from None
        yield data
