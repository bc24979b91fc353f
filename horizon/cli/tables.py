"""Files with a curve in them: the columns found by name, or named on the command line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from horizon import checks
from horizon.cli.problems import Failed, unreadable
from horizon.errors import DataError

if TYPE_CHECKING:
    from horizon.analytics.curves import Curve

__all__ = ["CurveFile", "read_table"]


def read_table(path: Path) -> Any:
    """Read a CSV or Parquet file as a pandas frame, with the times of its index as a column."""
    from horizon.columns import read_file

    try:
        frame = read_file("FILE", path, "market_id")
    except Exception as error:
        reason = unreadable(error)
        if reason is None:
            raise
        raise Failed(f"{path} cannot be read: {reason}") from error
    if type(frame.index).__name__ == "DatetimeIndex":
        name = frame.index.name or "time"
        if name not in frame.columns:
            frame.insert(0, name, frame.index)
    return frame


class CurveFile:
    """A curve in a file: equity, prices, or returns.

    Parameters
    ----------
    path : Path
    time, equity, returns : str, optional
        Columns as they are called in the file; found by their usual names otherwise.
    values : tuple of str
        Usual names of what is no return.
    """

    def __init__(
        self,
        path: Path,
        *,
        time: str | None = None,
        equity: str | None = None,
        returns: str | None = None,
        values: Sequence[str] = ("equity",),
        options: tuple[str, str] = ("--equity", "--returns"),
    ) -> None:
        from horizon.columns import TIMES

        self.path = path
        frame = read_table(path)
        names = [str(name) for name in frame.columns]
        frame.columns = names
        self._refuse_doubles(names)
        self._time = self._column(names, time, TIMES, "times", "--time")
        found = equity or next(iter(_named(names, values)), None)
        self.has_returns = returns is not None or (found is None)
        if self.has_returns:
            accepted = ("return", "returns")
            what = f"{' or '.join(values)}, nor of returns"
            option = " or ".join(options)
            self._value = self._column(names, returns, accepted, what, option)
        else:
            self._value = self._column(names, found, (), values[0], options[0])
        self._frame = frame

    def _column(
        self,
        names: list[str],
        asked: str | None,
        accepted: Sequence[str],
        what: str,
        option: str,
    ) -> str:
        if asked is not None:
            if asked not in names:
                raise Failed(
                    f"{self.path} has no column {asked!r}; it has {_listed(names)}"
                    f"{checks.suggestion(asked, names)}"
                )
            return asked
        near = _named(names, accepted)
        if not near:
            raise Failed(
                f"{self.path} has no column of {what}; it has {_listed(names)}. Name the one that "
                f"is meant: {option} COLUMN"
            )
        return near[0]

    def _refuse_doubles(self, names: list[str]) -> None:
        double = next((name for name in names if names.count(name) > 1), None)
        if double is not None:
            raise Failed(f"{self.path} has two columns {double!r}")

    def curve(self, initial_capital: float | None = None) -> Curve:
        """Read it; returns are compounded from `initial_capital`, or from 1.

        Raises
        ------
        DataError
            At the first row that cannot be right.
        """
        from horizon.analytics.curves import curve_of, returns_of
        from horizon.analytics.tearsheet import Tearsheet

        times, values = self._frame[self._time], self._numbers()
        if len(values) == 0:
            raise Failed(f"{self.path} has no rows")
        try:
            if not self.has_returns:
                data = {"time": times, "equity": values}
                return curve_of(data, initial_capital, name=self.path.name)
            rows = {"time": times, "return": values}
            returns_of(rows, name=self.path.name)  # its errors name the file
            capital = 1.0 if initial_capital is None else initial_capital
            return Tearsheet.from_returns(rows, initial_capital=capital).curve
        except DataError as error:
            if error.row is None:
                raise
            raise Failed(f"{error} (row 0 is the first of the data)") from error

    def _numbers(self) -> Any:
        """Return the values; a text among them is named, which makes texts of all in a CSV."""
        import pandas as pd

        values = self._frame[self._value]
        if pd.api.types.is_numeric_dtype(values):
            return values
        numbers = pd.to_numeric(values, errors="coerce")
        bad = numbers.isna() & values.notna()
        if bad.any():
            row = int(bad.to_numpy().argmax())
            raise Failed(
                f"{self.path.name} must be finite numbers, row {row} has "
                f"{checks.show(values.iloc[row])} (row 0 is the first of the data)"
            )
        return numbers

    def note(self, curve: Curve) -> str:
        """Say whether times come more than once, which may be right; empty if none does."""
        again = curve.times_ns[1:] == curve.times_ns[:-1]
        # The start before the first point has its time.
        count = int(again.sum()) - (len(curve) - len(self._frame))
        if self.has_returns:
            count = int(again[1:].sum())
        if count <= 0:
            return ""
        return (
            f"{self.path.name}: {count:,} of {len(self._frame):,} rows have the time of the row "
            "before; each is a point of its own"
        )


def _named(names: list[str], accepted: Sequence[str]) -> list[str]:
    """The columns that have one of the names, in any case, in the order of `accepted`."""
    return [name for wanted in accepted for name in names if name.strip().lower() == wanted]


def _listed(names: list[str]) -> str:
    shown = ", ".join(map(repr, names[:20]))
    return f"{shown} and {len(names) - 20} more" if len(names) > 20 else shown or "none"
