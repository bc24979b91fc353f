"""Which rows of a market a ladder shows, and where its cursor is: whole numbers, no widget."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from horizon.widgets.ladder.rows import Grid, Scene

__all__ = ["Bounds", "Window"]

#: Own prices that are shown beside those that are quoted.
_OWN: Final = 40


@dataclass(frozen=True, slots=True)
class Bounds:
    """The lowest and the highest row that a market can have; None is no highest."""

    lowest: int
    highest: int | None

    def within(self, key: int) -> int:
        """The nearest row that there is."""
        key = max(key, self.lowest)
        return key if self.highest is None else min(key, self.highest)


class Window:
    """The rows of a ladder, which keep their place until there is a reason to move.

    Parameters
    ----------
    depth : int
        Rows on each side of the middle.
    follows : bool
        Whether the middle of the market is kept in the middle of the rows.

    Attributes
    ----------
    keys : list of int
        The rows shown, falling.
    cursor : int or None
        The cursor's row.
    centred : int
        How often the rows were put around the middle.
    """

    def __init__(self, depth: int, follows: bool) -> None:
        self.depth = depth
        self.follows = follows
        self.keys: list[int] = []
        self.cursor: int | None = None
        self.centred = 0
        # The highest row; None until the middle is known, and where it is to be found anew.
        self._top: int | None = None
        self._bounds = Bounds(1, None)

    def start_anew(self) -> None:
        """Forget the rows: another market, or others of its rows."""
        self.keys, self.cursor, self._top = [], None, None

    def centre(self) -> None:
        """Put the rows around the middle with the next book, whoever points at them."""
        self._top = None

    def scroll(self, by: int) -> None:
        """Look further up or down by half a side, and stay there."""
        if self._top is not None:
            self.follows = False
            self._top += by * max(1, self.depth // 2)

    # ------------------------------------------------------------------ rows
    def place(self, grid: Grid, middle: int | None, bounds: Bounds, *, is_held: bool) -> None:
        """Choose the rows of a grid.

        Parameters
        ----------
        grid : Grid
        middle : int or None
            The row just below the middle; None where it is not known.
        is_held : bool
            Whether somebody points at the rows: then they stay.
        """
        self._bounds = bounds
        count = 2 * self.depth
        if middle is not None:
            wanted = middle + self.depth
            # Rows that move with every tick cannot be read: they wait for a third of a side.
            slack = max(1, self.depth // 3)
            is_off = self._top is not None and abs(wanted - self._top) > slack
            if self._top is None or (is_off and self.follows and not is_held):
                self._top = wanted
                self.centred += 1
        if self._top is None:
            self.keys = []
            return
        top = bounds.within(max(self._top, bounds.lowest + count - 1))
        self._top = top
        self.keys = [key for key in range(top, top - count, -1) if key >= bounds.lowest]

    def place_quoted(
        self, quoted: Sequence[Sequence[int]], own: Iterable[int], *, is_held: bool
    ) -> None:
        """Choose the rows of prices as they are quoted: bids and asks, and the account's own."""
        if is_held and self.keys:
            return
        chosen = {key for side in quoted for key in side[: self.depth]}
        self.keys = sorted(chosen | set(sorted(own)[:_OWN]), reverse=True)
        if self._top is None and self.keys:
            self._top = self.keys[0]
            self.centred += 1

    # ------------------------------------------------------------------ cursor
    def move(self, by: int, grid: Grid, seen: Scene) -> None:
        """Move the cursor by rows, up is above 0; the rows follow it where they are a grid."""
        if not self.keys:
            return
        if self.cursor is None:
            self.cursor = self._begin(by, grid, seen)
        elif grid.is_quoted:
            self.cursor = self.keys[self._beyond(self.cursor, by)]
        else:
            self.cursor = key = self._bounds.within(self.cursor + by)
            if self._top is not None:
                lowest = self._top - 2 * self.depth + 1
                if key > self._top:
                    self._top = key
                elif key < lowest:
                    self._top = key + 2 * self.depth - 1

    def _begin(self, by: int, grid: Grid, seen: Scene) -> int:
        """Where it begins: at the best price of the side that it moves into."""
        best, sign = (seen.ask, -1) if by > 0 else (seen.bid, 1)
        if best == best and (key := grid.key(best, sign)) in self.keys:
            return key
        return self.keys[len(self.keys) // 2]

    def _beyond(self, key: int, by: int) -> int:
        if key in self.keys:
            place = self.keys.index(key) - by
        else:  # its level has gone: the nearest that is there
            place = min(range(len(self.keys)), key=lambda i: abs(self.keys[i] - key))
        return min(max(place, 0), len(self.keys) - 1)
