"""Files with a curve in them: the columns found by name, or named on the command line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from horizon import checks
from horizon.cli.problems import Failed, unreadable
from horizon.errors import DataError

if TYPE_CHECKING:
    from horizon.analytics.curves import Curve

__all__ = ["CurveFile", "read_table"]


#: What stands between the columns of some CSV files, beside a comma.
_SEPARATORS: Final = (";", "\t", "|")
_GAPS: Final = ["", "NA", "N/A", "NaN", "nan", "null", "None"]
_GROUPED: Final = re.compile(r"[-+]?\d+(?:[.,' ]\d+)+")
_DAY_FIRST: Final = re.compile(r"\d{1,2}([./-])\d{1,2}\1(?:\d{4}|\d\d)\b")


def read_table(path: Path, separator: str | None = None, option: str = "--separator") -> Any:
    """Read a CSV or Parquet file as a pandas frame, with the times of its index as a column."""
    from horizon.columns import read_file

    is_csv = ".csv" in path.name.lower()
    if separator is not None and not is_csv:
        raise Failed(f"{option} is for a CSV file, {path} is none by its name")
    try:
        if separator is None:
            if is_csv:
                _refuse_other_separator(path, option)
            frame = read_file("FILE", path, "market_id")
        else:
            import pandas as pd

            # As `read_file` does: every digit, which pandas 3.1 reads by itself.
            is_told = tuple(int(part) for part in pd.__version__.split(".")[:2]) < (3, 1)
            exact: dict[str, Any] = {"float_precision": "round_trip"} if is_told else {}
            frame = pd.read_csv(
                path, sep=separator, keep_default_na=False, na_values=_GAPS, **exact
            )
    except Failed:
        raise
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


def _refuse_other_separator(path: Path, option: str) -> None:
    import pandas as pd

    columns = list(pd.read_csv(path, nrows=0).columns)
    name = str(columns[0]) if len(columns) == 1 else ""
    found = next((sign for sign in _SEPARATORS if sign in name), None)
    if found is not None:
        sign = "tab" if found == "\t" else found
        raise Failed(
            f"{path} has no commas between its columns; its first line is {name!r}, with {sign!r} "
            f"between them: give {option} '{sign}'"
        )


class CurveFile:
    """A curve in a file: equity, prices, or returns.

    Parameters
    ----------
    path : Path
    time, equity, returns : str, optional
        Columns as they are called in the file; found by their usual names otherwise.
    values : tuple of str
        Usual names of what is no return.
    separator : str, optional
        What stands between the columns of a CSV, a comma by default.
    percent : bool
        Whether returns are percent numbers: 2.09 is 2.09 %.
    separator_option, percent_option : str
        What the options of these are called, for messages.
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
        separator: str | None = None,
        separator_option: str = "--separator",
        percent: bool = False,
        percent_option: str = "--percent",
    ) -> None:
        from horizon.columns import TIMES

        self.path = path
        self._percent = percent
        self._percent_option = percent_option
        frame = read_table(path, separator, separator_option)
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
        if percent and not self.has_returns:
            raise Failed(
                f"{percent_option} is for returns, and of {path} {self._value!r} is taken, which "
                "is none; name the column of returns"
            )
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

        if len(self._frame) == 0:
            raise Failed(f"{self.path} has no rows")
        times, values = self._frame[self._time], self._numbers()
        if len(values) == 1:
            raise Failed(
                f"{self.path} has one row: nothing can be said of one point; two are needed at "
                "least"
            )
        if self.has_returns:
            values = self._fractions(values)
        # The values are checked: what else is wrong is wrong with the times.
        name = f"{self.path.name}: column {self._time!r}"
        try:
            if not self.has_returns:
                return curve_of({"time": times, "equity": values}, initial_capital, name=name)
            rows = {"time": times, "return": values}
            returns_of(rows, name=name)
            capital = 1.0 if initial_capital is None else initial_capital
            return Tearsheet.from_returns(rows, initial_capital=capital).curve
        except DataError as error:
            if error.row is None:
                raise
            hint = ""
            if isinstance(error.value, str) and _DAY_FIRST.match(error.value.strip()):
                hint = "; write dates as ISO does, year first: 2024-12-31"
            raise Failed(f"{error}{hint} (row 0 is the first of the data)") from error

    def _numbers(self) -> Any:
        """Return the values; a text among them is named, which makes texts of all in a CSV."""
        import numpy as np
        import pandas as pd

        values = self._frame[self._value]
        if pd.api.types.is_bool_dtype(values):
            raise Failed(f"{self._where()} must be finite numbers, it has true and false")
        texts = values
        if not pd.api.types.is_numeric_dtype(values):
            if self._percent:
                texts = values.map(
                    lambda v: v.strip().removesuffix("%") if isinstance(v, str) else v
                )
            texts = pd.to_numeric(texts, errors="coerce")
        # One of pandas' own kinds has gaps that are no NaN.
        numbers = pd.Series(texts.to_numpy(dtype="float64", na_value=np.nan), index=values.index)
        bad = ~np.isfinite(numbers.to_numpy())
        if bad.any():
            row = int(bad.argmax())
            value = values.iloc[row]
            raise Failed(
                f"{self._where()} must be finite numbers, row {row} has {checks.show(value)}"
                f"{self._hint(value)} (row 0 is the first of the data)"
            )
        return numbers

    def _where(self) -> str:
        return f"{self.path.name}: column {self._value!r}"

    def _hint(self, value: object) -> str:
        text = value.strip() if isinstance(value, str) else ""
        if text.endswith("%"):
            if not self.has_returns:
                return "; equity is in USD, and --returns COLUMN names returns"
            return (
                "; returns are fractions: 0.0209 is 2.09 %; take the signs out and divide by 100, "
                f"or give {self._percent_option}"
            )
        if _GROUPED.fullmatch(text):
            return "; write no thousands separators, and a decimal point: 51045.46"
        return ""

    def _fractions(self, returns: Any) -> Any:
        """Return them as fractions; refuse what no account can lose."""
        below = (returns < (-100.0 if self._percent else -1.0)).to_numpy()
        if below.any():
            row = int(below.argmax())
            shown = f"{float(returns.iloc[row]):g}"
            if self._percent:
                why = "no account without leverage loses more than 100 %"
            else:
                why = (
                    "no account without leverage loses more than all it has. Returns are "
                    f"fractions: 0.0209 is 2.09 %; divide by 100, or give {self._percent_option}"
                )
            raise Failed(
                f"{self._where()}: row {row} has {shown}, and {why} (row 0 is the first of the "
                "data)"
            )
        if self._percent:
            return returns / 100.0
        large = int((returns.abs() > 0.5).sum())
        if 2 * large > len(returns):
            click.echo(
                f"warning: {self._where()}: {large:,} of {len(returns):,} returns are beyond 50 %. "
                f"Returns are fractions: 0.0209 is 2.09 %; if these are percent numbers, divide "
                f"by 100, or give {self._percent_option}",
                err=True,
            )
        return returns

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
