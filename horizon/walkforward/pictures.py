"""The pictures of a walk-forward: its numbers, handed to the figures."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from horizon import checks, words
from horizon.analytics.curves import Curve, equity_of

if TYPE_CHECKING:
    from horizon.walkforward.result import WalkForwardResult

Numbers = NDArray[np.float64]

__all__ = ["figure_of", "hindsight_curve", "hindsight_setting"]


def figure_of(result: WalkForwardResult, kind: str, **options: Any) -> Any:
    """Draw one figure of a walk-forward.

    Parameters
    ----------
    result : WalkForwardResult
    kind : {"out_of_sample", "windows", "heat_map", "train_test", "trials"}
    **options
        What `horizon.figures` takes for that figure beyond the numbers, such as ``theme``.

    Returns
    -------
    plotly.graph_objects.Figure

    Raises
    ------
    ImportError
        If plotly is not installed.
    TypeError, ValueError
        If the kind or an option is not known, or the result has not got what the figure shows.
    """
    draw = _KINDS[checks.one_of("kind", kind, tuple(_KINDS))]
    taken = ("theme", "title", *_OPTIONS.get(kind, ()))
    for name in options:
        if name not in taken:
            raise TypeError(
                f"figure({kind!r}) takes no {name!r}; it takes {', '.join(taken)}"
                f"{checks.suggestion(name, taken)}"
            )
    return draw(result, options)


def _out_of_sample(result: WalkForwardResult, options: dict[str, Any]) -> Any:
    from horizon.figures.chained import out_of_sample

    best = hindsight_setting(result)
    if best is not None:
        options.setdefault("hindsight", hindsight_curve(result, best))
        options.setdefault("hindsight_name", "best on the whole data")
    return out_of_sample(
        result.aggregate_curve,
        windows=result.windows,
        chosen=result.best_params_per_window,
        **{"currency": result.currency, "title": f"{_name(result)}: out of sample", **options},
    )


def _windows(result: WalkForwardResult, options: dict[str, Any]) -> Any:
    from horizon.figures.walk_forward import windows_timeline

    return windows_timeline(
        result.windows,
        chosen=result.best_params_per_window,
        scores=[
            float(result.test_objectives[place, best])
            for place, best in enumerate(result.best_settings)
        ],
        objective=result.objective,
        flagged=result.flags,
        **{"title": f"{_name(result)}: windows", **options},
    )


def _heat_map(result: WalkForwardResult, options: dict[str, Any]) -> Any:
    from horizon.figures.heat_maps import parameter_heat_map

    part = checks.one_of("part", options.pop("part", "train"), ("train", "test"))
    values = result.train_objectives if part == "train" else result.test_objectives
    why = {}
    for place, window in enumerate(result.windows):
        for setting in range(len(result.settings)):
            one = result.outcome("train" if part == "train" else "test", setting, window.number)
            if one is not None and one.why:
                why[place, setting] = one.why
            elif np.isinf(values[place, setting]):
                why[place, setting] = "without limit"
    word = "training" if part == "train" else "test"
    return parameter_heat_map(
        result.settings,
        _drawable(values),
        chosen=result.best_settings,
        reasons=why,
        numbers=[window.number for window in result.windows],
        objective=result.objective,
        maximize=result.maximize,
        **{"title": f"{_name(result)}: {word} by parameters", **options},
    )


def _train_test(result: WalkForwardResult, options: dict[str, Any]) -> Any:
    from horizon.figures.train_test import train_against_test

    line = result.overfitting.degradation
    if line is not None and np.isfinite([line.slope, line.intercept, line.r2]).all():
        options.setdefault("fit", (line.slope, line.intercept, line.r2))
    return train_against_test(
        _drawable(result.train_objectives),
        _drawable(result.test_objectives),
        settings=result.settings,
        chosen=result.best_settings,
        numbers=[window.number for window in result.windows],
        objective=result.objective,
        **{"title": f"{_name(result)}: training against test", **options},
    )


def _drawable(values: Numbers) -> Numbers:
    """An objective may be infinite, such as a profit factor without a loss; no axis has it."""
    return np.where(np.isinf(values), np.nan, values)


def _trials(result: WalkForwardResult, options: dict[str, Any]) -> Any:
    from horizon.figures.chance import trials

    found = result.overfitting
    if all(one is None for one in result.whole_outcomes):
        raise ValueError(
            "the figure of trials needs each setting's run over the whole data; walk_forward("
            "overfitting=True) makes them"
        )
    limits = {
        "threshold": found.expected_maximum,
        "needed": found.needed_sharpe,
        "deflated": found.deflated_sharpe,
    }
    return trials(
        found.sharpes,
        settings=result.settings,
        chosen=found.best_setting,
        **{
            "title": f"{_name(result)}: all trials",
            **{name: value for name, value in limits.items() if _is_number(value)},
            **options,
        },
    )


_KINDS: Final[dict[str, Callable[[WalkForwardResult, dict[str, Any]], Any]]] = {
    "out_of_sample": _out_of_sample,
    "windows": _windows,
    "heat_map": _heat_map,
    "train_test": _train_test,
    "trials": _trials,
}


#: What a figure takes beside a theme and a title.
_OPTIONS: Final = {
    "out_of_sample": ("log", "currency", "hindsight", "hindsight_name"),
    "windows": ("embargo",),
    "heat_map": ("part", "window", "x", "y"),
}


# ------------------------------------------------------------------------ hindsight
def hindsight_setting(result: WalkForwardResult) -> int | None:
    """Return the setting with the best objective over the whole data, the first of equal ones.

    None where no setting was run over the whole data, or none has said anything there.
    """
    values = np.asarray(result.whole_objectives, dtype=np.float64)
    if not len(values) or np.isnan(values).all():
        return None
    return int(np.nanargmax(values) if result.maximize else np.nanargmin(values))


def hindsight_curve(result: WalkForwardResult, setting: int) -> Curve:
    """Return what a setting had made of the capital over the time of the tests.

    Its run over the whole data, from the last sampled point before the first test on: the
    returns that end within the tests, compounded.

    Raises
    ------
    ValueError
        If the setting was not run over the whole data.
    """
    one = result.whole_outcomes[setting]
    if one is None:
        raise ValueError(f"setting {setting} was not run over the whole data")
    start = result.windows[0].test_start_ns
    kept = one.returns_ns > start
    # As the tests are chained: an account that has lost everything stays where that left it.
    return Curve(
        np.concatenate([[start], one.returns_ns[kept]]).astype(np.int64),
        equity_of(one.returns[kept], initial=result.initial_capital),
    )


def _name(result: WalkForwardResult) -> str:
    """The run's name, cut so that a title has room for what it shows."""
    name = words.name(result.name)
    return name if len(name) <= 28 else f"{name[:27]}…"


def _is_number(value: Any) -> bool:
    return value is not None and bool(np.isfinite(value))
