"""Argument checks, with their wording in one place.

Every check returns the value in the form used inside (float, int nanoseconds, str) or
raises an error that names the argument, the value and what is accepted. NaN fails every
comparison, so finiteness is asked first.
"""

from __future__ import annotations

import difflib
import math
import os
import unicodedata
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from numbers import Integral, Real
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

__all__ = [
    "LARGEST",
    "error_text",
    "flag",
    "integer",
    "market_id",
    "nearest",
    "new_file",
    "non_negative",
    "ns_to_seconds",
    "number",
    "one_of",
    "positive",
    "rate",
    "seconds_to_ns",
    "show",
    "text",
    "timestamp_ns",
    "timezone",
]

#: Largest quantity, price or notional taken: above it a float no longer tells units apart.
LARGEST: Final = 1e15

_NS: Final = 1_000_000_000
#: int64 nanoseconds end in the year 2262; earlier than 1678 cannot be said either.
_MAX_NS: Final = 2**63 - 1


def show(value: object) -> str:
    """Render a refused value for a message: its repr, cut to a readable length."""
    try:
        if type(value).__module__ == "numpy" and isinstance(value, Real):
            value = value.item()  # type: ignore[attr-defined]  # nan rather than np.float64(nan)
        shown = repr(value)
    except Exception as error:  # a repr can do anything; the refusal must still be said
        shown = f"<{type(value).__name__} whose repr failed: {type(error).__name__}>"
    return shown if len(shown) <= 80 else f"{shown[:60]}… ({len(shown)} characters)"


def error_text(error: BaseException) -> str:
    """Say what an exception says; one that cannot even say it must not hide what went wrong."""
    try:
        return str(error)
    except Exception as wrong:
        return f"(its text cannot be read: {type(wrong).__name__})"


def number(name: str, value: object) -> float:
    """Take a real number of any usual type as a finite float.

    Parameters
    ----------
    name : str
        The argument's name, for the message.
    value : int, float, NumPy scalar, Decimal or Fraction
        Booleans, strings and arrays are not numbers here.

    Raises
    ------
    TypeError
        If the type is none of the above.
    ValueError
        If the value is NaN, infinite, or larger than 1e15 either way.
    """
    if type(value) is int and -LARGEST <= value <= LARGEST:
        return float(value)  # what everybody writes need not be looked up among abstract classes
    if type(value) is not float:
        # NumPy's scalars are registered as Real, its booleans are not.
        if isinstance(value, bool) or not isinstance(value, (Real, Decimal)) or _is_span(value):
            raise TypeError(f"{name} must be a number, was {show(value)} ({_kind(value)})")
        try:
            value = float(value)
        except OverflowError:
            raise ValueError(f"{name} must be at most 1e15 in size, was {show(value)}") from None
        except ValueError:  # a signalling NaN of Decimal
            raise ValueError(f"{name} must be a finite number, was {show(value)}") from None
    if not math.isfinite(value):
        raise ValueError(f"{name} must be a finite number, was {value!r}")
    if not -LARGEST <= value <= LARGEST:
        raise ValueError(f"{name} must be at most 1e15 in size, was {value!r}")
    return value


def positive(name: str, value: object) -> float:
    """Take a finite number above zero."""
    checked = number(name, value)
    if checked <= 0.0:
        raise ValueError(f"{name} must be above 0, was {show(value)}")
    return checked


def non_negative(name: str, value: object) -> float:
    """Take a finite number of zero or more."""
    checked = number(name, value)
    if checked < 0.0:
        raise ValueError(f"{name} must be 0 or more, was {show(value)}")
    return checked


def rate(name: str, value: object) -> float:
    """Take a fraction in (-1, 1)."""
    fraction = number(name, value)
    if not -1.0 < fraction < 1.0:
        raise ValueError(f"{name} must lie in (-1, 1), was {fraction!r}")
    return fraction


def integer(name: str, value: object, *, least: int = 1) -> int:
    """Take a whole number (an int or a NumPy integer) of at least `least`."""
    if isinstance(value, bool) or not isinstance(value, Integral) or _is_span(value):
        raise TypeError(f"{name} must be a whole number, was {show(value)} ({_kind(value)})")
    whole = int(value)
    if whole < least:
        raise ValueError(f"{name} must be {least} or more, was {show(value)}")
    if whole > LARGEST:
        raise ValueError(f"{name} must be at most 1e15, was {show(value)}")
    return whole


def flag(name: str, value: object) -> bool:
    """Take True or False, and nothing that merely looks like one."""
    if isinstance(value, bool) or type(value).__name__ in ("bool_", "bool"):  # NumPy's too
        return bool(value)
    raise TypeError(f"{name} must be True or False, was {show(value)} ({_kind(value)})")


def text(name: str, value: object, *, most: int = 256) -> str:
    """Take text of 1 to `most` characters, without control characters or blanks at the ends."""
    if not isinstance(value, str):
        raise TypeError(f"{name} must be text, was {show(value)} ({_kind(value)})")
    if not 1 <= len(value) <= most:
        raise ValueError(f"{name} must have 1 to {most} characters, has {len(value)}")
    if value != value.strip():
        raise ValueError(f"{name} must not begin or end with a blank, was {show(value)}")
    if not value.isprintable():
        # Control characters, line and paragraph separators, lone surrogates; what joins or
        # directs the letters of a script is text.
        for character in value:
            if unicodedata.category(character) in ("Cc", "Zl", "Zp", "Cs"):
                raise ValueError(
                    f"{name} must not contain control characters, has "
                    f"U+{ord(character):04X} in {show(value)}"
                )
    return str(value)


def market_id(name: str, value: object) -> str:
    """Take a market's id, or that of its NO side: 1 to 256 characters before the ``:no``."""
    is_no = isinstance(value, str) and value.endswith(":no")
    return text(name, value, most=259 if is_no else 256)


def new_file(name: str, value: object) -> Path:
    """Take the path of a file that can be written: its folder exists, and it is no folder."""
    if not isinstance(value, (str, os.PathLike)):
        raise TypeError(f"{name} must be a path, was {show(value)} ({_kind(value)})")
    path = Path(value)
    if not path.parent.is_dir():
        raise ValueError(f"{name} must lie in a folder that exists, was {str(path)!r}")
    if path.is_dir():
        raise ValueError(f"{name} must be a file, was the folder {str(path)!r}")
    return path


def one_of(name: str, value: object, accepted: Iterable[str]) -> str:
    """Take one of the `accepted` words; a near miss gets a suggestion."""
    words = list(accepted)
    if isinstance(value, str) and value in words:
        return value
    listed = ", ".join(repr(word) for word in words)
    if not isinstance(value, str):
        raise TypeError(f"{name} must be one of {listed}; was {show(value)} ({_kind(value)})")
    raise ValueError(f"{name} must be one of {listed}; was {show(value)}{suggestion(value, words)}")


def nearest(word: str, accepted: Iterable[str]) -> str | None:
    """Find the accepted word that is nearly this one, whatever the case; None without."""
    folded: dict[str, str] = {}
    for one in accepted:
        folded.setdefault(one.casefold(), one)
    near = difflib.get_close_matches(word.casefold(), folded, n=1)
    return folded[near[0]] if near else None


def suggestion(word: str, accepted: Iterable[str]) -> str:
    """Return `` Did you mean 'x'?`` where a near match exists, else nothing."""
    near = nearest(word, accepted)
    return "" if near is None else f". Did you mean {near!r}?"


def ns_to_seconds(ns: int) -> float:
    """Return nanoseconds as the nearest float of seconds.

    Dividing by the integer rounds once; ``ns / 1e9`` would round the nanoseconds first.
    """
    return ns / _NS


def seconds_to_ns(seconds: float) -> int:
    """Convert float seconds to integer nanoseconds, exactly back and forth.

    ``seconds * 1e9`` would lose up to 128 ns at today's epoch; the whole and the broken part
    are converted apart, which keeps every float second's own value.
    """
    whole = int(seconds)
    return whole * _NS + round((seconds - whole) * 1e9)


def timestamp_ns(name: str, value: object) -> int:
    """Take a point in time as int64 nanoseconds since 1970 (UTC).

    Parameters
    ----------
    name : str
        The argument's name, for the message.
    value : float, int, datetime, numpy.datetime64 or pandas.Timestamp
        Numbers are seconds since 1970. A naive datetime is local time; a naive
        ``datetime64`` is UTC, as NumPy has it.

    Raises
    ------
    TypeError
        For any other type.
    ValueError
        For NaN, NaT, infinity, or a time outside the years 1678 to 2262.
    """
    if type(value) is float or isinstance(value, Real):
        if isinstance(value, bool) or _is_span(value):
            raise TypeError(
                f"{name} must be seconds or a datetime, was {show(value)} ({_kind(value)})"
            )
        try:
            seconds = float(value)
        except OverflowError:
            seconds = math.inf
        if not -9.2e9 <= seconds <= 9.2e9:  # false for NaN too
            raise ValueError(
                f"{name} must be seconds since 1970 between -9.2e9 and 9.2e9, was {show(value)}"
            )
        return int(value) * _NS if isinstance(value, Integral) else seconds_to_ns(seconds)
    if isinstance(value, datetime):
        return _datetime_ns(name, value)
    if type(value).__module__ == "numpy" and type(value).__name__ == "datetime64":
        return _datetime64_ns(name, value)
    if isinstance(value, date):
        raise TypeError(f"{name} must be a datetime or seconds, was the date {value}")
    raise TypeError(f"{name} must be seconds or a datetime, was {show(value)} ({_kind(value)})")


def timezone(name: str, value: object) -> ZoneInfo:
    """Take the name of a time zone, as the tz database has it."""
    key = text(name, value)
    try:
        return ZoneInfo(key)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(
            f"{name} must be the name of a zone such as 'America/New_York', was {key!r}"
        ) from None


def _datetime64_ns(name: str, value: Any) -> int:
    if value != value:
        raise ValueError(f"{name} must be a point in time, was NaT")
    # Finer units wrap around for far years, so the year is asked first, in its own unit.
    years = int(value.astype("datetime64[Y]").astype("int64"))
    if not 1678 - 1970 <= years <= 2261 - 1970:
        raise ValueError(f"{name} must lie in the years 1678 to 2261, was {value!s}")
    return int(value.astype("datetime64[ns]").astype("int64"))


def _datetime_ns(name: str, value: datetime) -> int:
    if value != value:  # pandas.NaT is a datetime that equals nothing
        raise ValueError(f"{name} must be a point in time, was NaT")
    finer = getattr(value, "nanosecond", 0)  # of a pandas.Timestamp, which is a datetime
    if hasattr(value, "to_pydatetime"):
        value = value.to_pydatetime(warn=False)
    try:
        aware = value if value.tzinfo is not None else value.astimezone()
    except (OverflowError, ValueError, OSError):
        raise ValueError(f"{name} must lie in the years 1678 to 2262, was {value}") from None
    # Whole microseconds in integers: a float of seconds has too few digits left.
    delta = aware - _EPOCH
    ns = ((delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds) * 1000
    ns += finer
    if not -_MAX_NS <= ns <= _MAX_NS:
        raise ValueError(f"{name} must lie in the years 1678 to 2262, was {value}")
    return ns


_EPOCH: Final = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


def _is_span(value: object) -> bool:
    # NumPy registers its time spans as whole numbers; five days are no five.
    return type(value).__name__ == "timedelta64"


def _kind(value: object) -> str:
    return type(value).__name__
