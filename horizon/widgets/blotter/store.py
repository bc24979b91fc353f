"""Rows with versions: what has changed since a page last heard of them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Final, Generic, NamedTuple, TypeVar

__all__ = ["Diff", "Store"]

Row = TypeVar("Row")

#: Rows that have gone are remembered up to this number. A page that has missed more starts anew.
_GONE: Final = 5_000


class Diff(NamedTuple, Generic[Row]):
    """What leads from one version to a later one.

    Attributes
    ----------
    start, end : int
        Whoever knows all up to `start`, or to any version between the two, knows all up to `end`
        once this is applied; again at no risk.
    rows : list of (int, row)
        What is new or has changed, in the order in which it has.
    gone : list of int
        Which rows are no more.
    is_whole : bool
        Whether what was known before counts no more.
    """

    start: int
    end: int
    rows: list[tuple[int, Row]]
    gone: list[int]
    is_whole: bool


class Store(Generic[Row]):
    """Rows by number, each with the version that its latest change made.

    One change makes one version. So any page can be told what it has missed, in pieces of any
    size, and a piece that comes twice or late does no harm.
    """

    def __init__(self) -> None:
        self.version = 0
        # Both in the order of their versions: what changes is put at the end.
        self._rows: dict[int, tuple[int, Row]] = {}
        self._gone: dict[int, int] = {}
        # Of rows that had gone by this version nothing is known any more.
        self._floor = 0

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, number: object) -> bool:
        return number in self._rows

    def get(self, number: int) -> Row | None:
        """Return a row, or None."""
        found = self._rows.get(number)
        return None if found is None else found[1]

    def numbers(self) -> list[int]:
        """The numbers of all rows, in rising order."""
        return sorted(self._rows)

    def values(self) -> Iterator[Row]:
        """All rows, those that changed last at the end."""
        return (row for _, row in self._rows.values())

    def put(self, number: int, row: Row) -> bool:
        """Add a row, or change it; False if it is what it was."""
        former = self._rows.get(number)
        if former is not None:
            if former[1] == row:
                return False
            del self._rows[number]
        self._gone.pop(number, None)
        self.version += 1
        self._rows[number] = self.version, row
        return True

    def drop(self, number: int) -> None:
        """Take a row away, if there is one."""
        if self._rows.pop(number, None) is None:
            return
        self.version += 1
        self._gone[number] = self.version
        if len(self._gone) > _GONE:
            self._floor = self._gone.pop(next(iter(self._gone)))

    def touch(self) -> None:
        """Count every row as changed: it is to be written in another way."""
        for number in list(self._rows):
            self.version += 1
            self._rows[number] = self.version, self._rows.pop(number)[1]

    def since(self, version: int, most: int) -> Diff[Row]:
        """What has changed after `version`, at most so many rows of it, the oldest change first.

        A version that is too old, or none of ours, starts anew.
        """
        is_whole = version == 0 or not self._floor <= version <= self.version
        if is_whole:
            first = list(islice(self._rows.items(), most))
            rows = [(number, row) for number, (_, row) in first]
            is_all = len(first) == len(self._rows)
            end = self.version if is_all else first[-1][1][0]
            return Diff(0, end, rows, [], True)
        changed: list[tuple[int, int, Row | None]] = []
        for number, (at, row) in reversed(self._rows.items()):
            if at <= version:
                break
            changed.append((at, number, row))
        for number, at in reversed(self._gone.items()):
            if at <= version:
                break
            changed.append((at, number, None))
        changed.sort(key=_version)
        is_all = len(changed) <= most
        del changed[most:]
        end = self.version if is_all else changed[-1][0]
        kept = [(number, row) for _, number, row in changed if row is not None]
        gone = [number for _, number, row in changed if row is None]
        return Diff(version, end, kept, gone, False)


def _version(change: tuple[int, int, object]) -> int:
    return change[0]
