"""Playing all rows of a run, piece by piece, with its progress shown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from horizon.backtesting.arrange import check_prices
from horizon.backtesting.loop import Loop
from horizon.backtesting.playing import MarketData
from horizon.backtesting.tape import steps
from horizon.errors import DataError
from horizon.instruments import Market

__all__ = ["play_all"]

#: Rows between two looks at what is no longer needed.
_TIDY: Final = 16


def play_all(
    loop: Loop,
    first: MarketData,
    chunks: Iterable[MarketData],
    known: tuple[Sequence[Market], Sequence[str | Market], Mapping[str, str]],
    shown: str | None,
) -> int:
    """Play all rows; return how many there were."""
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
                loop.play(piece)
                if tidy % _TIDY == 0:
                    loop.fair.forget()
                if bar is not None:
                    bar.update(count)
            rows += len(data)
    finally:
        if bar is not None:
            bar.close()
    return rows


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
