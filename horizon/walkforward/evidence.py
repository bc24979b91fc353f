"""The figures that a search is judged by, and what kind of verdict they make."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from horizon.analytics.distribution import kurtosis, skewness
from horizon.analytics.inference import (
    deflated_sharpe_ratio,
    expected_maximum_sharpe,
    probabilistic_sharpe_ratio,
)
from horizon.analytics.overfitting import cscv
from horizon.analytics.sensitivity import parameter_stability
from horizon.analytics.trials import checked_trials, reality_check, regression, sharpe_ratios

__all__ = [
    "BLIND",
    "LEAST",
    "LIMIT",
    "SURE",
    "Kind",
    "kind_of",
    "of_tests",
    "of_trials",
    "of_windows",
]

Numbers = NDArray[np.float64]
Kind = Literal["edge", "fragile", "noise", "unknown"]

#: Chance may explain a best Sharpe ratio in so many cases before it is called noise.
LIMIT: Final = 0.04
#: From this probability of overfitting on, choosing is no better than choosing blindly.
BLIND: Final = 0.5
#: Of an edge the tests prove something by themselves where their true Sharpe ratio is above 0 with
#: this probability.
SURE: Final = 0.95
#: Of the cross-validation.
BLOCKS: Final = 16
#: Returns below which nothing is judged: two for each block.
LEAST: Final = 2 * BLOCKS


def of_trials(returns: Any, n_settings: int, annual: float, seed: int) -> dict[str, Any]:
    """What each setting's run over the whole span says."""
    found: dict[str, Any] = {
        "n_trials": 0,
        "n_distinct": 0,
        "n_periods": 0,
        "sharpes": np.full(n_settings, np.nan),
        "best_setting": None,
        "chance": math.nan,
        "needed_sharpe": math.nan,
        "pbo": math.nan,
        "deflated_sharpe": math.nan,
        "expected_maximum": math.nan,
        "cscv": None,
        "reality": None,
    }
    if returns is None:
        return found
    values = np.asarray(returns, dtype=np.float64)
    if values.ndim != 2 or values.shape[1] != n_settings:
        raise ValueError(
            f"returns must have a column for each of {n_settings} settings, had shape "
            f"{values.shape}"
        )
    if len(values) == 0:
        return found
    ran = np.flatnonzero(~np.isnan(values).all(axis=0))
    if len(ran) == 0:
        return found
    values = checked_trials(values[:, ran])
    n = len(values)
    if not values.any():  # nothing was ever earned or lost: there is nothing to judge
        found["sharpes"][ran] = 0.0
        found.update(n_trials=len(ran), n_distinct=1, n_periods=n)
        return found
    ratios = sharpe_ratios(values)
    top = int(np.argmax(ratios))
    best = values[:, top]
    variance = float(ratios.var(ddof=1)) if len(ran) > 1 else 0.0
    found["sharpes"][ran] = ratios * annual
    found.update(
        n_trials=len(ran),
        n_distinct=_distinct(values),
        n_periods=n,
        best_setting=int(ran[top]),
        deflated_sharpe=deflated_sharpe_ratio(
            float(ratios[top]),
            n,
            n_trials=len(ran),
            variance=variance,
            skewness=skewness(best),
            kurtosis=kurtosis(best, excess=False) if ratios[top] else 3.0,
        ),
        expected_maximum=expected_maximum_sharpe(len(ran), variance) * annual,
    )
    if n >= LEAST:
        reality = reality_check(values, seed=seed)
        found.update(
            reality=reality,
            chance=reality.probability,
            needed_sharpe=reality.limit(LIMIT) * annual,
        )
        if len(ran) > 1:
            found["cscv"] = cscv(values, blocks=BLOCKS)
            found["pbo"] = found["cscv"].pbo
    return found


def _distinct(values: Numbers) -> int:
    """How many settings differ in more than scale."""
    largest = np.abs(values).max(axis=0)
    shapes = np.divide(values, largest, out=np.zeros_like(values), where=largest > 0.0)
    return len({np.round(column, 9).tobytes() for column in (shapes + 0.0).T})


def of_windows(
    train: Any,
    test: Any,
    best: Sequence[int] | None,
    settings: tuple[Mapping[str, Any], ...],
    *,
    maximize: bool,
) -> dict[str, Any]:
    """What became of training results in the tests."""
    found: dict[str, Any] = {
        "degradation": None,
        "chosen_train": math.nan,
        "chosen_test": math.nan,
        "chosen_rank": math.nan,
        "parameters": (),
    }
    if train is None or test is None or best is None:
        return found
    trained, tested = np.asarray(train, dtype=np.float64), np.asarray(test, dtype=np.float64)
    shape = (len(best), len(settings))
    if trained.shape != shape or tested.shape != shape:
        raise ValueError(
            f"train and test must have shape {shape}, a row for each choice in best and a column "
            f"for each setting; had {trained.shape} and {tested.shape}"
        )
    if not len(best):
        return found
    said = np.isfinite(trained) & np.isfinite(tested)
    if said.any():
        found["degradation"] = regression(trained[said], tested[said])
    rows = np.arange(len(best))
    chosen = np.asarray(best, dtype=np.intp)
    both = said[rows, chosen]
    if both.any():
        found["chosen_train"] = float(trained[rows, chosen][both].mean())
        found["chosen_test"] = float(tested[rows, chosen][both].mean())
    ranks = [_rank(row, each, maximize) for row, each in zip(tested, chosen, strict=True)]
    ranks = [rank for rank in ranks if not math.isnan(rank)]
    if ranks:
        found["chosen_rank"] = math.fsum(ranks) / len(ranks)
    found["parameters"] = parameter_stability(settings, best, trained, maximize=maximize)
    return found


def _rank(row: Numbers, chosen: int, maximize: bool) -> float:
    """Relative rank of one among those that say something: 0 the worst, 1 the best."""
    said = row[~np.isnan(row)] if maximize else -row[~np.isnan(row)]
    value = row[chosen] if maximize else -row[chosen]
    if math.isnan(value) or len(said) < 2:
        return math.nan
    below, equal = np.count_nonzero(said < value), np.count_nonzero(said == value)
    return float(below + 0.5 * (equal - 1)) / (len(said) - 1)


def of_tests(returns: Any, annual: float) -> dict[str, Any]:
    """What the tests end to end say."""
    nothing = {
        "out_of_sample_sharpe": math.nan,
        "out_of_sample_probability": math.nan,
        "n_tests": 0,
    }
    if returns is None or len(returns) < 2:
        return nothing
    values = checked_trials(np.asarray(returns, dtype=np.float64)[:, None])
    ratio = float(sharpe_ratios(values)[0])
    shape = {
        "skewness": skewness(values[:, 0]),
        "kurtosis": kurtosis(values[:, 0], excess=False) if ratio else 3.0,
    }
    return {
        "out_of_sample_sharpe": ratio * annual,
        "out_of_sample_probability": probabilistic_sharpe_ratio(ratio, len(values), **shape),
        "n_tests": len(values),
    }


def kind_of(found: Mapping[str, Any]) -> Kind:
    """Decide, as `horizon.walkforward.overfitting` says."""
    if found["n_periods"] < LEAST or math.isnan(found["chance"]):
        return "unknown"
    if found["chance"] > LIMIT:
        return "noise"
    lost = found["n_tests"] >= LEAST and found["out_of_sample_sharpe"] <= 0.0
    return "fragile" if found["pbo"] >= BLIND or lost else "edge"
