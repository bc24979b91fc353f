"""Settings that are not a grid: drawn at random, or proposed by optuna from what was found."""

from __future__ import annotations

import contextlib
import math
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from horizon import checks, words
from horizon.walkforward.settings import check_grid, count_of, settings_of

__all__ = ["draw_settings", "optuna_settings"]

#: Draws in a row that bring nothing new, after which a space counts as drawn empty.
_VAIN: Final = 1_000
#: Trials of a window that optuna proposes before it is told of any of them. A number of its own,
#: not that of the workers: what is proposed does not depend on where it is run.
_BATCH: Final = 8
#: Where in a distribution of scipy.stats optuna looks: unbounded ones have no ends.
_TAILS: Final = (0.001, 0.999)

Evaluate = Callable[[list[tuple[int, int]], tuple[dict[str, Any], ...]], Sequence[float]]


# ------------------------------------------------------------------------ at random
def draw_settings(
    param_grid: Mapping[str, object], n_trials: int, seed: int = 0
) -> tuple[dict[str, Any], ...]:
    """Draw settings at random, no two of them the same.

    Parameters
    ----------
    param_grid : dict of str to list or distribution
        Of a list each value is as likely; a distribution of scipy.stats, such as
        ``scipy.stats.loguniform(0.001, 0.1)``, or anything with ``rvs(random_state=)``.
    n_trials : int
        How many settings. More of them begin with the same ones.
    seed : int

    Returns
    -------
    tuple of dict
        Parameters in the order of `param_grid`, NumPy's numbers as Python's own. A setting that
        was drawn before is drawn again. Lists alone that have no more than `n_trials`
        combinations give all of them, in grid order; where 1,000 draws in a row have brought
        nothing new, there are fewer than `n_trials`. Either is said in a warning if settings are
        missing.

    Raises
    ------
    TypeError, ValueError
        If a parameter has neither a list nor a distribution, a distribution cannot be drawn from,
        or gives NaN or infinity.
    """
    checks.integer("n_trials", n_trials)
    rng = np.random.default_rng(checks.integer("search_seed", seed, least=0))
    space = _space_of(param_grid, _drawable)
    lists = {name: values for name, values in space.items() if isinstance(values, list)}
    if len(lists) == len(space) and count_of(lists) <= n_trials:
        if count_of(lists) < n_trials:
            _warn_of_fewer(count_of(lists), n_trials, "param_grid has no more combinations")
        return tuple(settings_of(lists))
    drawn: dict[tuple[object, ...], dict[str, Any]] = {}
    vain = 0
    while len(drawn) < n_trials and vain < _VAIN:
        key: list[object] = []
        setting: dict[str, Any] = {}
        for name, values in space.items():
            if isinstance(values, list):
                place = int(rng.integers(len(values)))
                key.append(place)
                setting[name] = values[place]
            else:
                setting[name] = _drawn(name, values, rng)
                key.append(_known_by(setting[name]))
        vain = vain + 1 if tuple(key) in drawn else 0
        drawn.setdefault(tuple(key), setting)
    if len(drawn) < n_trials:
        _warn_of_fewer(len(drawn), n_trials, f"the last {_VAIN:,} draws brought nothing new")
    return tuple(drawn.values())


def _warn_of_fewer(count: int, n_trials: int, why: str) -> None:
    warnings.warn(
        f"n_trials={n_trials:,}, but only {count:,} different settings: {why}",
        UserWarning,
        stacklevel=3,
    )


def _drawn(name: str, distribution: Any, rng: np.random.Generator) -> Any:
    try:
        if callable(getattr(distribution, "rvs", None)):
            value = distribution.rvs(random_state=rng)
        else:
            value = distribution.sample(rng=rng)
    except Exception as error:
        raise ValueError(
            f"param_grid[{name!r}] cannot be drawn from: {checks.show(distribution)} raised "
            f"{words.raised(error)}"
        ) from error
    return _plain(name, value)


def _plain(name: str, value: Any) -> Any:
    """A drawn value as Python's own number, if it is a number."""
    own = value.item() if isinstance(value, (np.generic, np.ndarray)) and not value.ndim else value
    if isinstance(own, float) and not math.isfinite(own):
        raise ValueError(f"param_grid[{name!r}] must give finite numbers, gave {own!r}")
    return own


def _known_by(value: Any) -> object:
    """What tells a drawn value from others: two equal ones are the same setting."""
    if isinstance(value, np.ndarray):
        return (value.dtype.str, value.shape, value.tobytes())
    return value


# ------------------------------------------------------------------------ by optuna
@dataclass(slots=True)
class _Window:
    """The study of one window.

    Attributes
    ----------
    known : dict of int to float
        Objectives by setting; NaN where one says nothing.
    """

    study: Any
    known: dict[int, float]


def optuna_settings(
    param_grid: Mapping[str, object],
    *,
    n_trials: int,
    seed: int = 0,
    n_windows: int,
    maximize: bool,
    evaluate: Evaluate,
) -> tuple[dict[str, Any], ...]:
    """Let optuna look for the best setting of each window, by tree-structured Parzen estimators.

    Every window has a study of its own. In each round each study proposes eight trials; their
    settings are evaluated, those of all windows together; then each study is told, in the order
    in which it has asked. So the same settings are proposed wherever and in whatever order they
    are run.

    Parameters
    ----------
    param_grid : dict of str to list or distribution
        Lists are taken as choices without order. Distributions are optuna's
        (``FloatDistribution``, ``IntDistribution``, ``CategoricalDistribution``), or those of
        scipy.stats, in which optuna looks between the quantiles of 0.1 % and 99.9 %.
    n_trials : int
        For each window. A trial that proposes what its window has tried is told what is known,
        and counts.
    seed : int
        Each window's sampler has a seed of its own made of it.
    n_windows : int
    maximize : bool
    evaluate : callable
        Takes a list of (window, number of a setting), and all settings so far; returns the
        objectives in that order, NaN for one that says nothing. Such a setting counts as worse
        than all others.

    Returns
    -------
    tuple of dict
        All settings of all windows, in the order in which they were first proposed.

    Raises
    ------
    ImportError
        Without optuna.
    TypeError, ValueError
        If a parameter has neither a list nor a distribution.
    """
    optuna = _optuna()
    checks.integer("n_trials", n_trials)
    checks.integer("search_seed", seed, least=0)
    space = _space_of(param_grid, _proposable)
    asked = {name: _distribution(optuna, values) for name, values in space.items()}
    numbers: dict[tuple[object, ...], int] = {}
    settings: list[dict[str, Any]] = []
    with _quiet(optuna):
        windows = [_Window(_study(optuna, seed, i, maximize), {}) for i in range(n_windows)]
        for begin in range(0, n_trials, _BATCH):
            trials: list[tuple[int, Any, int]] = []
            for place, window in enumerate(windows):
                for _ in range(min(_BATCH, n_trials - begin)):
                    trial = window.study.ask(asked)
                    key, setting = _setting(space, trial.params)
                    if key not in numbers:
                        numbers[key] = len(settings)
                        settings.append(setting)
                    trials.append((place, trial, numbers[key]))
            wanted = dict.fromkeys((place, number) for place, _, number in trials)
            pairs = [pair for pair in wanted if pair[1] not in windows[pair[0]].known]
            found = evaluate(pairs, tuple(settings)) if pairs else ()
            for (place, number), objective in zip(pairs, found, strict=True):
                windows[place].known[number] = objective
            for place, trial, number in trials:
                _tell(optuna, windows[place].study, trial, windows[place].known[number])
    return tuple(settings)


def _optuna() -> Any:
    try:
        import optuna
    except ImportError as error:
        raise ImportError(
            "search='optuna' needs optuna: pip install 'horizon-workbench[optuna]'"
        ) from error
    return optuna


@contextlib.contextmanager
def _quiet(optuna: Any) -> Iterator[None]:
    """Keep optuna from writing a line for each study and each trial."""
    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(max(level, optuna.logging.WARNING))
    try:
        yield
    finally:
        optuna.logging.set_verbosity(level)


def _study(optuna: Any, seed: int, window: int, maximize: bool) -> Any:
    own_seed = int(np.random.SeedSequence([seed, window]).generate_state(1)[0])
    with warnings.catch_warnings():
        # The constant liar keeps the trials of a round apart; optuna calls it experimental.
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        sampler = optuna.samplers.TPESampler(seed=own_seed, constant_liar=True)
    return optuna.create_study(direction="maximize" if maximize else "minimize", sampler=sampler)


def _tell(optuna: Any, study: Any, trial: Any, objective: float) -> None:
    if math.isnan(objective):
        # A failed trial would be forgotten, and its like proposed again; a pruned one without a
        # value counts as worse than every one that has one.
        study.tell(trial, state=optuna.trial.TrialState.PRUNED)
    else:
        study.tell(trial, objective)


def _distribution(optuna: Any, values: Any) -> Any:
    """What optuna is asked for: of a list and of a foreign distribution, the place in it."""
    if isinstance(values, list):
        return optuna.distributions.CategoricalDistribution(tuple(range(len(values))))
    if _is_optunas(values):
        return values
    return optuna.distributions.FloatDistribution(*_TAILS)


def _setting(
    space: Mapping[str, Any], proposed: Mapping[str, Any]
) -> tuple[tuple[object, ...], dict[str, Any]]:
    """The parameters that a proposal stands for, and what tells them from others."""
    key: list[object] = []
    setting = {}
    for name, values in space.items():
        own = proposed[name]
        key.append(own)
        if isinstance(values, list):
            own = values[own]
        elif not _is_optunas(values):
            is_whole = hasattr(values, "pmf")  # whole numbers, each with its own chance
            own = _plain(name, (values.ppf if hasattr(values, "ppf") else values.icdf)(own))
            key[-1] = own = int(own) if is_whole else own
        setting[name] = own
    return tuple(key), setting


# ------------------------------------------------------------------------ spaces
def _space_of(param_grid: object, is_taken: Callable[[object], bool]) -> dict[str, list[Any] | Any]:
    """Check a space of parameters: lists as `check_grid` takes them, or distributions."""
    if not isinstance(param_grid, Mapping) or not param_grid:
        return dict(check_grid(param_grid))  # which says what is wrong
    lists = {}
    for name, values in param_grid.items():
        if is_taken(values):
            lists[name] = [0]
        elif _is_distribution(values):
            by = "optuna" if _is_optunas(values) else "random"
            raise TypeError(
                f"param_grid[{name!r}] must be a list or a distribution of scipy.stats, was "
                f"{checks.show(values)}, which search={by!r} takes"
            )
        else:
            lists[name] = values
    checked = check_grid(lists)  # of distributions it sees the names
    return {
        name: values if is_taken(values) else checked[name] for name, values in param_grid.items()
    }


def _is_optunas(values: object) -> bool:
    return any(kind.__module__ == "optuna.distributions" for kind in type(values).__mro__)


def _is_distribution(values: object) -> bool:
    return _is_optunas(values) or _drawable(values)


def _drawable(values: object) -> bool:
    """Whether values can be drawn of it: it is one of scipy's, or like one."""
    if isinstance(values, (list, tuple, str, np.ndarray)):
        return False
    is_newer = callable(getattr(values, "sample", None)) and hasattr(values, "icdf")
    return callable(getattr(values, "rvs", None)) or is_newer


def _proposable(values: object) -> bool:
    """Whether optuna can propose values of it."""
    has_quantiles = hasattr(values, "ppf") or hasattr(values, "icdf")
    return _is_optunas(values) or (_drawable(values) and has_quantiles)
