"""The arguments of a run: checked, made into models, and remembered."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any, Final

import numpy as np

from horizon import checks
from horizon.backtesting.arrange import require_market
from horizon.backtesting.pipeline import Pipeline
from horizon.columns import NEVER, nanoseconds
from horizon.feeds.times import stamp_text
from horizon.instruments import Market
from horizon.strategies.desk import SignalPlan
from horizon.venues.fees import Fees, FlatFees
from horizon.venues.fill_models import FillModel, fill_model_of
from horizon.venues.impact import Impact, LinearImpact, NoImpact
from horizon.venues.latency import ConstantLatency, Latency

__all__ = [
    "DEFAULT_FEE_RATE",
    "check_name",
    "config_of",
    "cycles_of",
    "fees_from",
    "fill_model_from",
    "impact_from",
    "interval_of",
    "latency_from",
    "params_of",
    "require_books",
    "stages_of",
]

#: Shows as a plain number, and still tells by its identity whether it was given.
DEFAULT_FEE_RATE: Final = float("0.001")
#: Levels of a parameter that are kept as they are; a value may hold itself.
_DEEPEST: Final = 6


def check_name(name: object) -> None:
    """Check ``name=``, which comes first; data that were put there are told where they go."""
    if not isinstance(name, str) and (
        hasattr(name, "__len__") or callable(name) or isinstance(name, os.PathLike)
    ):
        raise TypeError(
            f"name must be text, was a {type(name).__name__}; data are given by their own name, "
            "hz.backtest(data=…)"
        )
    checks.text("name", name)


def params_of(params: Mapping[str, Any] | None) -> dict[str, Any]:
    """Check ``params=`` and copy it: the run adds its engine."""
    if params is None:
        return {}
    if not isinstance(params, Mapping):
        raise TypeError(f"params must be a dict, was {checks.show(params)}")
    if "engine" in params:
        raise ValueError("params must not hold 'engine': that is the run's own")
    return dict(params)


def fill_model_from(model: str | FillModel, params: Mapping[str, float] | None) -> FillModel:
    """Make the fill model that ``fill_model=`` and its parameters name."""
    if isinstance(model, FillModel):
        if params is not None:
            raise ValueError("fill_model_params belong to a fill model given by its name")
        return model
    return fill_model_of(model, params)


def impact_from(impact: Impact | None, temporary_bps: float, permanent: float) -> Impact:
    """Make the impact of a run, of the two numbers or as it was given."""
    if impact is None:
        bps = checks.non_negative("impact_temporary_bps", temporary_bps)
        fraction = checks.number("impact_permanent_fraction", permanent)
        if not 0.0 <= fraction <= 1.0:
            raise ValueError(f"impact_permanent_fraction must lie in [0, 1], was {fraction!r}")
        return LinearImpact(bps, fraction) if bps or fraction else NoImpact()
    if not isinstance(impact, Impact):
        raise TypeError(f"impact must be an Impact, was {checks.show(impact)}")
    if temporary_bps != 0.0 or permanent != 0.0:
        raise ValueError(
            "impact and impact_temporary_bps or impact_permanent_fraction exclude each other"
        )
    return impact


def latency_from(latency: Latency | None, latency_ms: float) -> Latency | None:
    """Make the latency of a run; None where everything arrives at once."""
    if latency is None:
        way = ConstantLatency(latency_ms)
        return way if way.latency_ms else None
    if not isinstance(latency, Latency):
        raise TypeError(
            f"latency must be a Latency, was {checks.show(latency)}; for milliseconds give "
            "latency_ms"
        )
    if latency_ms != 0.0:
        raise ValueError(f"latency and latency_ms exclude each other, was {latency_ms!r} too")
    return latency


def interval_of(interval: float | None) -> int | None:
    """Read ``interval=``, in seconds, as nanoseconds; None where pipelines run on rows."""
    if interval is None:
        return None
    ns = round(checks.positive("interval", interval) * 1_000_000_000)
    if ns < 1:
        raise ValueError(f"interval must be at least 1e-9 seconds, was {interval!r}")
    return ns


def cycles_of(cycles: Any, interval: float | None) -> list[int] | None:
    """Read ``cycles=``, times that rise, as nanoseconds."""
    if cycles is None:
        return None
    if interval is not None:
        raise ValueError(f"cycles and interval exclude each other, was interval={interval!r} too")
    if isinstance(cycles, (str, bytes)) or not hasattr(cycles, "__len__"):
        raise TypeError(f"cycles must be a list or an array of times, was {checks.show(cycles)}")
    times = nanoseconds(cycles, None)
    for wrong in np.flatnonzero(times == NEVER)[:1].tolist():
        raise ValueError(f"cycles[{wrong}] must be a time, was {checks.show(cycles[wrong])}")
    for wrong in np.flatnonzero(times[1:] <= times[:-1])[:1].tolist():
        raise ValueError(
            f"cycles must rise, and cycles[{wrong + 1}] at {stamp_text(int(times[wrong + 1]))} "
            f"is not later than the one before it, at {stamp_text(int(times[wrong]))}"
        )
    if not len(times):
        raise ValueError("cycles must have at least one time, had none")
    found: list[int] = times.tolist()
    return found


def require_books(
    model: str | FillModel,
    params: Mapping[str, float] | None,
    impact: Impact | None,
    moves: Impact,
) -> None:
    """Refuse what only means something with books."""
    what = None
    if model != "deterministic":
        what = f"fill_model={model!r}"
    elif params:
        what = "fill_model_params"
    elif impact is not None or not isinstance(moves, NoImpact):
        what = f"impact ({moves!r})"
    if what is not None:
        raise ValueError(
            f"{what} needs book_data: without books there is nothing to queue in or to move"
        )


def fees_from(
    fees: Fees | Mapping[str, Fees | float] | None,
    rate: float,
    maker: float | None,
    taker: float | None,
    markets: Sequence[str],
) -> tuple[float, float, Fees | dict[str, Fees] | None]:
    """Read what fills cost: the maker's and the taker's rate, and models in their place."""
    flat = checks.rate("paper_fee_rate", rate)
    by_maker = flat if maker is None else checks.rate("paper_maker_fee_rate", maker)
    by_taker = flat if taker is None else checks.rate("paper_taker_fee_rate", taker)
    if fees is None:
        return by_maker, by_taker, None
    for name, given in (
        ("paper_maker_fee_rate", maker),
        ("paper_taker_fee_rate", taker),
        ("paper_fee_rate", None if rate is DEFAULT_FEE_RATE else rate),
    ):
        if given is not None and not isinstance(fees, Mapping):
            raise ValueError(f"fees and {name} exclude each other, was {given!r}")
    if isinstance(fees, Fees):
        return by_maker, by_taker, fees
    if not isinstance(fees, Mapping):
        raise TypeError(f"fees must be Fees, or a dict of them by market, was {checks.show(fees)}")
    schedules: dict[str, Fees] = {}
    for market, one in fees.items():
        require_market("fees", market, markets)
        if not isinstance(one, Fees):
            fraction = checks.rate(f"fees[{market!r}]", one)
            one = FlatFees(fraction, fraction)
        schedules[market] = one
    return by_maker, by_taker, schedules


def config_of(
    given: Mapping[str, Any], stages: Pipeline | None, signals: SignalPlan | None = None
) -> dict[str, object]:
    """Say all arguments of a run but its data as JSON holds them."""
    apart = ("pipeline", "strategies", "sizer", "execution")
    config = {key: _plain(value) for key, value in given.items() if key not in apart}
    config["pipeline"] = [] if stages is None else [stage.name for stage in stages.stages]
    if signals is not None:
        sizer: object = signals.sizer
        config["strategies"] = [repr(strategy) for strategy in signals.strategies]
        config["sizer"] = repr(sizer) if is_dataclass(sizer) else _plain(sizer)
        config["execution"] = _plain(signals.execution)
    return config


def stages_of(
    pipeline: Iterable[Callable[..., Any]], signals: SignalPlan | None
) -> Pipeline | None:
    """Read ``pipeline=``; None where it is empty and strategies trade instead."""
    if isinstance(pipeline, (list, tuple)) and not pipeline:
        if signals is None:
            raise ValueError("pipeline must have at least one stage, had none; or give strategies=")
        return None
    return Pipeline(pipeline)


def _plain(value: Any, depth: int = 0) -> object:
    """A value as JSON holds it; what it cannot hold as text."""
    if value is None or isinstance(value, (bool, str, int, float)):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Market):
        return value.id
    if depth < _DEEPEST:
        if is_dataclass(value) and not isinstance(value, type):
            return {one.name: _plain(getattr(value, one.name), depth + 1) for one in fields(value)}
        if isinstance(value, Mapping):
            return {str(key): _plain(item, depth + 1) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [_plain(item, depth + 1) for item in value]
    kind: Any = value if callable(value) else type(value)
    default: Any = object.__repr__
    if kind is value or type(value).__repr__ is default:
        # The default repr has an address in it, which no other run has.
        return f"{kind.__module__}.{getattr(kind, '__qualname__', type(value).__qualname__)}"
    return checks.show(value)
