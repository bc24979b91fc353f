"""The arguments of a run in real time: checked, arranged, and remembered."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import timedelta
from decimal import Decimal
from numbers import Integral, Real
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from horizon import checks
from horizon.backtesting.arguments import (
    config_of,
    fees_from,
    fill_model_from,
    impact_from,
    interval_of,
    latency_from,
    params_of,
    stages_of,
)
from horizon.backtesting.arrange import market_ids
from horizon.backtesting.pipeline import Pipeline
from horizon.backtesting.venue import VenuePlan
from horizon.errors import VenueError
from horizon.feeds import Feed
from horizon.feeds.live import LiveFeed
from horizon.feeds.pace import speed_of
from horizon.instruments import Market, class_of_id
from horizon.risk import RiskConfig
from horizon.running.sources import Source, sources_of
from horizon.types import AssetClass
from horizon.venues.book import BookVenue
from horizon.venues.impact import NoImpact
from horizon.venues.simulated import SimulatedVenue

if TYPE_CHECKING:
    from horizon.strategies.desk import SignalPlan

__all__ = ["Plan", "plan_of"]

_NS: Final = 1_000_000_000
#: Arguments that a backtest of the recording needs as well, where they are not the defaults.
_REPEATED: Final[dict[str, object]] = {
    "initial_capital": 1000.0,
    "paper_fee_rate": 0.001,
    "paper_maker_fee_rate": None,
    "paper_taker_fee_rate": None,
    "slippage_bps": 0.0,
    "bar_fill_mode": "cross",
    "fill_model": "deterministic",
    "fill_model_params": None,
    "impact_temporary_bps": 0.0,
    "impact_permanent_fraction": 0.0,
    "latency_ms": 0.0,
    "rng_seed": None,
    "enforce_buying_power": True,
    "run_on": "feed",
    "interval": None,
    "risk": None,
    "fees": None,
    "impact": None,
    "latency": None,
}
#: What cannot be said as JSON.
_UNSAID: Final = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A run as it was asked for: everything checked, nothing begun.

    Attributes
    ----------
    feeds : tuple of str
        The run's feeds by number: the keys of ``feeds=``.
    sources : tuple of Source
    feed_of : dict of market id to feed
    venue : SimulatedVenue
        The run's own, without markets yet.
    interval_ns, threshold_ns, duration_ns : int or None
    speed : float
        Of its played feeds.
    config : dict
        Every argument, as JSON holds it.
    repeated : dict
        The arguments, as JSON holds them, with which a backtest of the recording does the same.
    not_repeated : tuple of str
        Arguments that such a backtest needs too, and JSON cannot hold.
    """

    name: str
    markets: tuple[Market, ...]
    feeds: tuple[str, ...]
    sources: tuple[Source, ...]
    feed_of: dict[str, str]
    pipeline: Pipeline | None
    signals: SignalPlan | None
    risk: RiskConfig | None
    params: dict[str, Any]
    venue: SimulatedVenue
    capital: float
    runs_on_any: bool
    interval_ns: int | None
    threshold_ns: int | None
    duration_ns: int | None
    connect_timeout: float
    speed: float
    rebase: bool
    record: Path | None
    save: Path | None
    config: dict[str, object]
    repeated: dict[str, Any]
    not_repeated: tuple[str, ...]

    @property
    def is_live(self) -> bool:
        """Whether some of its rows come when they happen."""
        return any(source.is_live for source in self.sources)

    @property
    def has_books(self) -> bool:
        """Whether orders meet live books."""
        return isinstance(self.venue, BookVenue)


def plan_of(given: Mapping[str, Any]) -> Plan:
    """Check all arguments of `hz.run`, and arrange what will run."""
    name = checks.text("name", given["name"])
    if checks.one_of("mode", given["mode"], ("paper", "live")) == "live":
        raise VenueError(
            "mode='live' needs a venue that takes real orders, and none is part of this release: "
            "mode='paper' trades on the same feeds without money"
        )
    signals = _signals(given["strategies"], given["sizer"], given["execution"])
    pipeline = stages_of(given["pipeline"], signals)
    capital = checks.positive("initial_capital", given["initial_capital"])
    risk = given["risk"]
    if risk is not None and not isinstance(risk, RiskConfig):
        raise TypeError(f"risk must be a RiskConfig, was {checks.show(risk)}")
    params = params_of(given["params"])
    runs_on_any = checks.one_of("run_on", given["run_on"], ("feed", "any")) == "any"
    checks.flag("background", given["background"])

    # ---- what it hears
    if given["feeds"] is None:
        raise ValueError(
            "feeds must say where rows come from, such as feeds={'rain': hz.feeds.Synthetic()}; "
            "recorded rows are played by hz.feeds.Replay, and by hz.backtest(data=...)"
        )
    feeds, sources = sources_of(given["feeds"])
    markets = market_ids(given["markets"], None, feeds, {})
    feed_of = _feed_of(markets, feeds)
    by_number = {number: source for source in sources for number in source.numbers}
    contracts = tuple(_contract(one, feed_of, feeds, by_number) for one in markets)
    config = config_of(given, pipeline, signals)

    venue = _venue(given, contracts, {m: by_number[feeds.index(f)] for m, f in feed_of.items()})

    repeated, not_repeated = _repeated(given, contracts, feed_of, venue)

    # ---- when
    is_live = any(source.is_live for source in sources)
    return Plan(
        name=name,
        markets=contracts,
        feeds=tuple(feeds),
        sources=tuple(sources),
        feed_of=feed_of,
        pipeline=pipeline,
        signals=signals,
        risk=risk,
        params=params,
        venue=venue,
        capital=capital,
        runs_on_any=runs_on_any,
        interval_ns=interval_of(given["interval"]),
        threshold_ns=_span_ns("feed_stale_threshold", given["feed_stale_threshold"]),
        duration_ns=_span_ns("duration", given["duration"]),
        connect_timeout=checks.positive("connect_timeout", given["connect_timeout"]),
        speed=_speed(given["speed"], sources, is_live=is_live),
        rebase=_rebase(given["rebase"], is_live=is_live),
        record=None if given["record"] is None else checks.new_file("record", given["record"]),
        save=None if given["save"] is None else _new_folder(given["save"]),
        config={**config, "markets": [market.id for market in contracts]},
        repeated=repeated,
        not_repeated=not_repeated,
    )


def _signals(strategies: Any, sizer: Any, execution: Any) -> SignalPlan | None:
    if strategies is None and sizer is None and execution is None:
        return None
    from horizon.strategies.desk import plan_of as signal_plan_of

    return signal_plan_of(strategies, sizer, execution)


def _feed_of(markets: Sequence[str | Market], feeds: Sequence[str]) -> dict[str, str]:
    """Find the feed that prices each market: the one of its name, or the only one."""
    found = {}
    for market in markets:
        name = market.id if isinstance(market, Market) else market
        if name in feeds:
            found[name] = name
        elif len(feeds) == 1:
            found[name] = feeds[0]
        else:
            shown = ", ".join(map(repr, feeds[:8])) + (", …" if len(feeds) > 8 else "")
            raise ValueError(
                f"market {name!r} has no feed: feeds has {shown}{checks.suggestion(name, feeds)}"
            )
    return found


def _contract(
    market: str | Market,
    feed_of: Mapping[str, str],
    feeds: Sequence[str],
    by_number: Mapping[int, Source],
) -> Market:
    """Say what a market is: by itself, its feed, its id, or its feed's first price."""
    if isinstance(market, Market):
        return market
    feed = feed_of[market]
    number = feeds.index(feed)
    source = by_number[number]
    kind = source.asset_class or class_of_id(market)
    if source.asset_class is None and kind is AssetClass.Equity:
        price = source.first_price(number)
        if price is None:
            raise ValueError(
                f"market {market!r} cannot be told by its feed {source.feed.name!r} or its id: say "
                f"what it is, markets=[hz.Market({market!r}, hz.Equity)], hz.Crypto or "
                "hz.Prediction"
            )
        if price <= 1.0:
            kind = AssetClass.Prediction
    return Market(market, kind)


def _venue(
    given: Mapping[str, Any], contracts: Sequence[Market], priced_by: Mapping[str, Source]
) -> SimulatedVenue:
    without = [
        market
        for market, source in priced_by.items()
        if not (isinstance(source.feed, LiveFeed) and source.feed.has_books)
    ]
    matching = given["matching"]
    if matching is None:
        matching = "price" if without else "book"
    elif checks.one_of("matching", matching, ("price", "quotes", "book")) == "book" and without:
        raise ValueError(
            f"matching='book' needs a feed with books for every market, and that of "
            f"{without[0]!r} has none; matching='quotes' meets its bid and ask"
        )
    maker, taker, schedules = fees_from(
        given["fees"],
        given["paper_fee_rate"],
        given["paper_maker_fee_rate"],
        given["paper_taker_fee_rate"],
        [market.id for market in contracts],
    )
    moves = impact_from(
        given["impact"], given["impact_temporary_bps"], given["impact_permanent_fraction"]
    )
    seed = given["rng_seed"]
    plan = VenuePlan(
        capital=given["initial_capital"],
        maker=maker,
        taker=taker,
        fees=schedules,
        latency=latency_from(given["latency"], given["latency_ms"]),
        enforce_buying_power=checks.flag("enforce_buying_power", given["enforce_buying_power"]),
        slippage_bps=given["slippage_bps"],
        bar_fill_mode=given["bar_fill_mode"],
        matching=matching,
        fill_model=fill_model_from(given["fill_model"], given["fill_model_params"]),
        impact=moves,
        seed=0 if seed is None else checks.integer("rng_seed", seed, least=0),
    )
    if matching == "book":
        for argument, default in (("bar_fill_mode", "cross"), ("slippage_bps", 0.0)):
            if given[argument] != default:
                raise ValueError(
                    f"{argument}={given[argument]!r} belongs to a run that is not matched on "
                    "books: matching='price' or 'quotes'"
                )
        return plan.book()
    for argument, is_given in (
        ("fill_model", given["fill_model"] != "deterministic"),
        ("fill_model_params", bool(given["fill_model_params"])),
        ("impact", given["impact"] is not None or not isinstance(moves, NoImpact)),
    ):
        if is_given:
            raise ValueError(
                f"{argument} needs matching='book', was matching={matching!r}: without books "
                "there is nothing to queue in or to move"
            )
    return plan.paper()


def _span_ns(argument: str, value: Any) -> int | None:
    """Read a span of time, in seconds or a timedelta; None and infinity are without end."""
    if value is None or (isinstance(value, float) and value == math.inf):
        return None
    if isinstance(value, timedelta):
        value = value.total_seconds()
    ns = round(checks.positive(argument, value) * _NS)
    if not 1 <= ns <= 2**62:
        raise ValueError(f"{argument} must lie between 1e-9 s and 146 years, was {value!r} s")
    return ns


def _speed(speed: Any, sources: Sequence[Source], *, is_live: bool) -> float:
    played = [source.feed for source in sources if isinstance(source.feed, Feed)]
    own = {feed.speed for feed in played}
    chosen = speed_of("speed", speed) if speed is not None else next(iter(own), 1.0)
    if speed is None and len(own) > 1:
        raise ValueError(
            f"the feeds must have one speed, have {', '.join(f'{one:g}' for one in sorted(own))}: "
            "give speed="
        )
    if is_live and (played or speed is not None) and chosen != 1.0:
        raise ValueError(
            f"speed must be 1 beside a live feed, whose time is everybody's; was {chosen:g}"
        )
    return chosen


def _rebase(rebase: Any, *, is_live: bool) -> bool:
    if not checks.flag("rebase", rebase) and is_live:
        raise ValueError("rebase=False is for played feeds alone: a live feed's time is now")
    return bool(rebase)


def _new_folder(save: Any) -> Path:
    """Take a folder that can be written at the end; now, and not after a day of trading."""
    from horizon.backtesting.result_saving import require_pyarrow

    if not isinstance(save, (str, os.PathLike)):
        raise TypeError(f"save must be a path, was {checks.show(save)}")
    path = Path(save).absolute()
    if not path.parent.is_dir():
        raise ValueError(f"save must lie in a folder that exists, was {str(save)!r}")
    if path.exists():
        raise ValueError(f"save must be a new folder, and {str(save)!r} exists")
    require_pyarrow()
    return path


def _repeated(
    given: Mapping[str, Any],
    contracts: Sequence[Market],
    feed_of: Mapping[str, str],
    venue: SimulatedVenue,
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Say as JSON what a backtest of the recording has to be given, and what cannot be said so."""
    found: dict[str, Any] = {
        "markets": [_facts(market) for market in contracts],
        "feeds": dict(feed_of),
        "on_error": "skip",
    }
    left: list[str] = []
    for key, default in _REPEATED.items():
        value = _plain(given[key])
        if value is _UNSAID:
            left.append(key)
        elif value != default:
            found[key] = value
    if venue.matching == "quotes":
        found["matching"] = "quotes"
    return found, tuple(left)


def _plain(value: Any) -> Any:
    """An argument that was checked, as JSON holds it; `_UNSAID` where it cannot be said."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if type(value).__name__ in ("bool_", "bool"):  # NumPy's
        return bool(value)
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, (Real, Decimal)):
        return float(value)
    if isinstance(value, RiskConfig):
        limits = {one.name: getattr(value, one.name) for one in fields(value)}
        return {name: limit for name, limit in limits.items() if limit is not None}
    if isinstance(value, Mapping):
        plain = {str(name): _plain(one) for name, one in value.items()}
        return _UNSAID if _UNSAID in plain.values() else plain
    return _UNSAID


def _facts(market: Market) -> dict[str, Any]:
    """A market as JSON holds it, without what it leaves open."""
    values = {one.name: getattr(market, one.name) for one in fields(market)}
    values["asset_class"] = market.asset_class.name
    if market.expiry is not None:
        values["expiry"] = market.expiry.isoformat()
    return {name: value for name, value in values.items() if value is not None}
