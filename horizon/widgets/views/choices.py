"""Choices that views share: a period by name or by its ends, and some of many markets."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from horizon import checks, words
from horizon.analytics.sampling import DAY_NS
from horizon.analytics.spans import SPANS, Span, span_between, span_named
from horizon.widgets import fields
from horizon.widgets.fields import FieldError

__all__ = [
    "MOST_TICKED",
    "PERIOD",
    "chosen_of",
    "kept_markets",
    "lines_of",
    "market_field",
    "markets_asked",
    "period_chosen",
    "period_fields",
    "period_written",
    "refuse_others",
    "span_asked",
]

#: What the fields of a period hold at first.
PERIOD: Final = {"period": "all", "start": "", "end": ""}
#: Markets that are ticked in a list; of more, names are written.
MOST_TICKED: Final = 24
#: Names that a field of text suggests.
_SUGGESTED: Final = 500
#: Days from which on a period is chosen by dates alone.
_BY_DATES: Final = 4
_MINUTE_NS: Final = 60_000_000_000


# ------------------------------------------------------------------------ in a cell
def refuse_others(given: Mapping[str, Any], accepted: Sequence[str]) -> None:
    """Refuse what `choose` was given beside its arguments, naming those that it has."""
    for name in given:
        raise TypeError(
            f"choose takes {', '.join(accepted)}; was given {name!r}"
            f"{checks.suggestion(name, accepted)}"
        )


def chosen_of(name: str, value: Any, accepted: Sequence[str], none: str) -> str:
    """Take one of some words for the form, or None, which is an empty text there."""
    if value is None:
        return ""
    if isinstance(value, str) and value in accepted:
        return value
    listed = ", ".join(map(repr, accepted))
    error = ValueError if isinstance(value, str) else TypeError
    raise error(f"{name} must be one of {listed}, or None for {none}; was {checks.show(value)}")


# ------------------------------------------------------------------------ periods
def period_fields(values: Mapping[str, str], first_ns: int, last_ns: int) -> list[dict[str, Any]]:
    """The fields ``period``, ``start`` and ``end`` for data from a first to a last moment."""
    periods = [*SPANS.items()]
    if values["period"] == "custom":
        periods.append(("custom", "From and to"))
    # A field of dates cannot show an hour.
    by_date = _is_long(first_ns, last_ns) and all(
        len(values[name]) in (0, 10) for name in ("start", "end")
    )
    return [
        fields.choice("period", "Period", periods),
        *(
            fields.date(name, f"{label}, UTC")
            if by_date
            else fields.text(name, f"{label}, UTC: day and time", words=True)
            for name, label in (("start", "From"), ("end", "To"))
        ),
    ]


def period_written(
    values: dict[str, str], names: set[str], first_ns: int, last_ns: int
) -> dict[str, str]:
    """Bring the fields of a period in line with those that were changed.

    A named period writes its ends into the fields; an end that was written is a period of one's
    own.
    """
    if names & {"start", "end"}:
        return {**values, "period": "custom"}
    if "period" not in names or values["period"] not in SPANS:
        return values
    span = span_named(values["period"], last_ns)
    is_long = _is_long(first_ns, last_ns)
    return {
        **values,
        "start": _written(max(first_ns, span.first_ns), is_long),
        # Up to the next minute, so that the last point lies before it.
        "end": _written(last_ns if is_long else last_ns + _MINUTE_NS, is_long),
    }


def span_asked(values: Mapping[str, str], last_ns: int) -> Span:
    """Read the period; raises `FieldError`."""
    name = fields.one_of(values, "period", (*SPANS, "custom"))
    if name != "custom":
        return span_named(name, last_ns)
    try:
        return span_between(values["start"] or None, values["end"] or None)
    except ValueError as error:
        raise FieldError("start" if str(error).startswith("start") else "end", str(error)) from None


def period_chosen(period: object, ends: Mapping[str, Any]) -> dict[str, str]:
    """Return the values of the form for a period that was chosen in a cell.

    Parameters
    ----------
    period : str or None
    ends : dict
        ``start`` and ``end``, those that were named; None is open.

    Raises
    ------
    ValueError
        If both are given, or one cannot be read.
    """
    if period is not None and ends:
        raise ValueError("period must not come with start or end: they are a period")
    if period is not None:
        if isinstance(period, str) and period in SPANS:
            return {"period": period}
        listed = ", ".join(map(repr, SPANS))
        error = ValueError if isinstance(period, str) else TypeError
        raise error(
            f"period must be one of {listed}, was {checks.show(period)}; start= and end= give "
            "one of your own"
        )
    if not ends:
        return {}
    return {"period": "custom", **{name: _text(name, value) for name, value in ends.items()}}


def _is_long(first_ns: int, last_ns: int) -> bool:
    return last_ns - first_ns >= _BY_DATES * DAY_NS


def _written(at_ns: int, is_long: bool) -> str:
    shown = words.clock(checks.ns_to_seconds(at_ns), date=True)
    return shown[:10] if is_long else shown[:16]


def _text(name: str, value: Any) -> str:
    """Write a moment as the form has it."""
    if value is None:
        return ""
    if isinstance(value, str):
        span_between(**{name: value})  # refused at once if it cannot be read
        return value
    # Text of a form is UTC, so a datetime without a zone, which is local time, is turned.
    at_ns = checks.timestamp_ns(name, value)
    seconds, part = divmod(at_ns, 1_000_000_000)
    return words.clock(seconds, date=True) + (f".{part:09}" if part else "")


# ------------------------------------------------------------------------ markets
def market_field(markets: Sequence[str]) -> list[dict[str, Any]]:
    """The field ``markets``, a list to tick or a line to write; none for a single market."""
    if len(markets) > MOST_TICKED:
        label = f"Markets, of {len(markets):,}: names, with * for any letters, apart by ;"
        line = fields.text("markets", label, suggestions=list(markets[:_SUGGESTED]), words=True)
        return [{**line, "wide": True}]
    if len(markets) > 1:
        options = [(name, words.name(name)) for name in markets]
        return [fields.many("markets", "Markets (none ticked: all)", options)]
    return []


def markets_asked(values: Mapping[str, str], markets: Sequence[str]) -> tuple[str, ...] | None:
    """Read the markets that are asked for; None for all. Raises `FieldError`."""
    if len(markets) <= MOST_TICKED:
        return tuple(fields.many_of(values, "markets", markets)) or None
    chosen: set[str] = set()
    for part in re.split(r"[;\n]", values["markets"]):
        wanted = part.strip()
        if not wanted:
            continue
        pattern = re.compile(".*".join(map(re.escape, wanted.split("*"))), re.DOTALL)
        found = [name for name in markets if name == wanted or pattern.fullmatch(name)]
        if not found:
            near = checks.suggestion(wanted, markets)
            raise FieldError("markets", f"no market is called {words.name(wanted)!r}{near}")
        chosen.update(found)
    return tuple(name for name in markets if name in chosen) or None


def kept_markets(values: dict[str, str], markets: Sequence[str]) -> tuple[str, list[str]]:
    """Return what is left of a choice of markets where others are known, and what to say of it."""
    chosen = [name for name in re.split(r"[;\n]", values["markets"]) if name.strip()]
    if len(markets) > MOST_TICKED:
        lost = [name for name in chosen if name not in markets and "*" not in name]
    else:
        lost = [name for name in chosen if name not in markets]
    if not lost:
        return values["markets"], []
    said = f"Not traded here are markets chosen before: {', '.join(map(words.name, lost))}."
    return "\n".join(name for name in chosen if name not in lost), [said]


def lines_of(markets: Any) -> str:
    """Write the markets that were chosen in a cell as the form has them; None is all."""
    names = [markets] if isinstance(markets, str) else list(markets or ())
    return "\n".join(checks.text("markets", name) for name in names)
