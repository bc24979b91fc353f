"""What the calibration view can be asked, as a form: which pairs, judged how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from horizon import checks
from horizon.analytics.pair_reader import forecast_pairs
from horizon.analytics.pairs import SIDES, ForecastPairs
from horizon.analytics.spans import Span
from horizon.backtesting.result import BacktestResult
from horizon.widgets import fields
from horizon.widgets.fields import FieldError
from horizon.widgets.views.choices import (
    PERIOD,
    kept_markets,
    market_field,
    markets_asked,
    period_fields,
    period_written,
    span_asked,
)

__all__ = [
    "LEVELS",
    "STRATEGIES",
    "PairsAsked",
    "PairsBase",
    "groups_of",
    "pairs_adapted",
    "pairs_asked",
    "pairs_fields",
    "pairs_period",
    "pairs_source",
    "pairs_written",
]

#: Bins that the slider stops at; any number up to the most can be written.
_STOPS: Final = ("2", "4", "5", "8", "10", "12", "15", "20", "25", "30", "40", "50")
_MOST_BINS: Final = 200
STRATEGIES: Final = (("uniform", "of one width"), ("quantile", "of equal counts"))
LEVELS: Final = (("0.9", "90 %"), ("0.95", "95 %"), ("0.99", "99 %"))


@dataclass(frozen=True, slots=True)
class PairsBase:
    """Pairs, and what they can be chosen by."""

    pairs: ForecastPairs
    title: str
    markets: tuple[str, ...]
    first_ns: int
    last_ns: int


@dataclass(frozen=True, slots=True)
class PairsAsked:
    """A form that could be read."""

    of: str
    bins: int
    strategy: str
    confidence: float
    by: str | None
    side: str | None
    markets: tuple[str, ...] | None
    span: Span
    without_ties: bool


def pairs_adapted(base: PairsBase, values: dict[str, str]) -> tuple[dict[str, str], list[str]]:
    """Keep what these pairs can be chosen by, and say what had to give way."""
    notes = []
    if values["of"] == "model" and not base.pairs.has_model:
        values["of"] = "price"
        notes.append("Shown are the prices: no model had a probability here.")
    if values["by"] not in [value for value, _ in groups_of(base)]:
        values["by"] = ""
    if base.pairs.is_buy is None:
        values["side"] = ""
    values["markets"], lost = kept_markets(values, base.markets)
    if base.pairs.times_ns is None:
        values |= PERIOD
    elif values["period"] != "custom":
        values = pairs_written(base, values, {"period"})
    return values, notes + lost


def pairs_written(base: PairsBase, values: dict[str, str], names: set[str]) -> dict[str, str]:
    """Bring the fields of the period in line with those that were changed."""
    if base.pairs.times_ns is None:
        return values
    return period_written(values, names, base.first_ns, base.last_ns)


def pairs_fields(base: PairsBase, values: Mapping[str, str]) -> list[dict[str, Any]]:
    """What is judged, of which pairs, in which bins."""
    pairs = base.pairs
    found = []
    if pairs.has_model:
        what = "Price" if pairs.what == "fill" else "Forecast"
        options = [("price", what), ("model", "Model")]
        found.append(fields.choice("of", "Probability judged", options))
    if len(groups_of(base)) > 1:
        found.append(fields.choice("by", "Groups", groups_of(base)))
    if pairs.is_buy is not None:
        sides = [("", "Both"), ("buy", "BUY + of YES"), ("sell", "SELL − of YES")]
        found.append(fields.choice("side", "Side", sides))
    if pairs.times_ns is not None:
        found += period_fields(values, base.first_ns, base.last_ns)
    found += [
        fields.number("bins", "Bins", stops=_STOPS),
        fields.choice("strategy", "Bins are", STRATEGIES),
        fields.choice("confidence", "Intervals", LEVELS),
    ]
    if pairs.ties:
        found.append(fields.check("ties", f"Count {pairs.ties:,} ties"))
    return found + market_field(base.markets)


def pairs_asked(base: PairsBase, values: Mapping[str, str]) -> PairsAsked:
    """Read the form; raises `FieldError`."""
    bins = fields.whole_of(values, "bins", "Bins")
    if bins > _MOST_BINS:
        raise FieldError("bins", f"Bins must be at most {_MOST_BINS}, was {bins:,}")
    of = fields.one_of(values, "of", ("price", "model"))
    if of == "model" and not base.pairs.has_model:
        raise FieldError("of", "of='model' needs a model's probabilities; there are none")
    is_timed = base.pairs.times_ns is not None
    if not is_timed and values["period"] != "all":
        raise FieldError("period", "a period needs the times of the forecasts; there are none")
    side = fields.one_of(values, "side", ("", *SIDES)) or None
    if side is not None and base.pairs.is_buy is None:
        raise FieldError("side", "a side needs the sides of the forecasts; there are none")
    return PairsAsked(
        of=of,
        bins=bins,
        strategy=fields.one_of(values, "strategy", [name for name, _ in STRATEGIES]),
        confidence=float(fields.one_of(values, "confidence", [name for name, _ in LEVELS])),
        by=_by_asked(base, values),
        side=side,
        markets=markets_asked(values, base.markets),
        span=span_asked(values, base.last_ns) if is_timed else Span(),
        without_ties=not fields.is_ticked(values, "ties"),
    )


def _by_asked(base: PairsBase, values: Mapping[str, str]) -> str | None:
    """Read what to group by; what the pairs do not have is said as such."""
    lacking = {
        "market": "of two markets or more",
        "side": "with their sides",
        "hours": "with the times of each and of its resolution",
    }
    asked, possible = values["by"], [name for name, _ in groups_of(base)]
    if asked in lacking and asked not in possible:
        raise FieldError("by", f"by={asked!r} needs forecasts {lacking[asked]}")
    return fields.one_of(values, "by", possible) or None


def groups_of(base: PairsBase) -> list[tuple[str, str]]:
    """What the pairs can be grouped by."""
    pairs = base.pairs
    found = [("", "None")]
    if len(base.markets) > 1:
        found.append(("market", "By market"))
    if pairs.is_buy is not None:
        found.append(("side", "By side"))
    if pairs.untimed < len(pairs):
        found.append(("hours", "By hours to resolution"))
    return found


def pairs_period(base: PairsBase, asked: PairsAsked, pairs: ForecastPairs) -> str:
    """Say in one line which pairs these are."""
    total = len(base.pairs)
    n = f"{len(pairs):,} of {total:,}" if len(pairs) < total else f"{total:,}"
    many = f"{n} {pairs.what}{'' if total == 1 else 's'}"
    whose = "Prices of " if pairs.what == "fill" else ""
    parts = [f"The model at {many}" if asked.of == "model" else f"{whose}{many}"]
    if base.markets:
        total = len(base.markets)
        n = f"{pairs.events:,} of {total:,}" if pairs.events < total else f"{total:,}"
        parts.append(f"{n} market{'' if total == 1 else 's'}")
    if asked.side is not None:
        parts.append({"buy": "BUY + of YES only", "sell": "SELL − of YES only"}[asked.side])
    if not asked.span.is_all:
        parts.append(str(asked.span))
    return "; ".join(parts)


def pairs_source(source: Any, outcomes: Any, columns: Mapping[str, Any]) -> Any:
    """Take a result or pairs as they are, and read predictions with their outcomes."""
    given = {name: value for name, value in columns.items() if value is not None}
    if outcomes is not None:
        if source is None or isinstance(source, (BacktestResult, ForecastPairs)):
            raise ValueError("outcomes belong to predictions, which must come with them")
        return forecast_pairs(source, outcomes, **given)
    if given:
        raise ValueError(f"{next(iter(given))} belongs to predictions and outcomes: give both")
    if source is not None and not isinstance(source, (BacktestResult, ForecastPairs)):
        raise TypeError(
            "source must be a result of hz.backtest or hz.run, or predictions with their outcomes, "
            f"was {checks.show(source)} alone"
        )
    return source
