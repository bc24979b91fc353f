"""What a walk-forward has found."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from horizon import checks
from horizon.analytics.curves import Curve
from horizon.analytics.metrics import Metrics
from horizon.analytics.periods import changes
from horizon.analytics.sampling import Sampling
from horizon.analytics.tearsheet import Tearsheet
from horizon.backtesting.result import BacktestResult
from horizon.backtesting.result_words import counted
from horizon.walkforward.chain import chained_curve, chained_metrics
from horizon.walkforward.tasks import Kind, Outcome, Plan
from horizon.walkforward.windows import WalkForwardWindow

if TYPE_CHECKING:
    import pandas as pd

    from horizon.walkforward.overfitting import Overfitting

__all__ = ["WalkForwardResult"]


class WalkForwardResult:
    """What `walk_forward` has found.

    Not made by hand: `hz.walk_forward` returns it.

    Attributes
    ----------
    windows : list of WalkForwardWindow
        Those that were tested: all of them, unless the call was interrupted.
    settings : tuple of dict
        The parameters that were tried, in grid order.
    best_settings : list of int
        By window, the number of the setting that its training chose.
    test_results : list of BacktestResult
        By window, the run of that setting on the test.
    train_objectives, test_objectives : ndarray of float64, shape (n_windows, n_settings)
        The objective of each setting on each window; NaN where it says nothing, or was not run.
    whole_objectives : ndarray of float64, shape (n_settings,)
        The same over the whole data.
    whole_outcomes : tuple of (Outcome or None), one for each setting
        The runs over the whole data, with their returns.
    flags : dict of int to str
        What is wrong with a window, by its number.
    unranked : list of (int, int, str)
        Window number, setting, and why its training said nothing: it ranked last.
    objective : str
        Its name.
    maximize : bool
        Whether more of it is better.
    sampling : Sampling
        Of the whole data, and of every run.
    initial_capital : float
        What each window begins with.
    name : str
        Of the search.
    currency : str
    dropped : dict of str to dict of str to int
        Rows of the data left out with ``bad_rows="drop"``, by feed and reason.
    outcomes : tuple of Outcome
        What came of every run that was made; `outcome` finds one.
    n_runs : int
        Backtests that were run, or found in the cache.
    n_planned : int
        Backtests that there were to be.
    seconds : float
        How long the call took.
    is_complete : bool
        False if it was interrupted.

    Examples
    --------
    A price that rises by 1 a day. To be long is the second setting, and chosen in both windows;
    in their tests it is the better one again.

    >>> days = pd.date_range("2026-01-01", periods=41)
    >>> rows = pd.DataFrame({"timestamp": days, "price": 100.0 + np.arange(41)})
    >>> def factory(params):
    ...     @hz.strategy
    ...     def hold(f, universe):
    ...         return [hz.Signal(m.id, params["action"], edge_bps=10) for m in universe]
    ...     return [hold]
    >>> grid = {"action": ["decrease", "increase"]}
    >>> found = hz.walk_forward(rows, factory, grid, n_splits=2, train_ratio=0.5)
    >>> found.best_settings
    [1, 1]
    >>> (found.test_objectives[:, 1] > found.test_objectives[:, 0]).tolist()
    [True, True]
    >>> found.aggregate_metrics.total_return_pct > 0
    True
    """

    def __init__(
        self,
        *,
        plan: Plan,
        windows: Sequence[WalkForwardWindow],
        best_settings: Sequence[int],
        outcomes: Sequence[Outcome],
        is_complete: bool,
        n_planned: int,
        seconds: float,
    ) -> None:
        self.windows = list(windows)
        self.settings = tuple(plan.settings)
        self.best_settings = list(best_settings)
        self.objective = objective_name(plan.objective)
        self.maximize = plan.maximize
        self.sampling: Sampling = plan.sampling
        self.initial_capital = plan.initial_capital
        self.name = plan.name
        self.dropped = plan.source.dropped
        self._doubts = plan.doubts
        self.outcomes = tuple(outcomes)
        self.n_runs = len(outcomes)
        self.n_planned = n_planned
        self.seconds = seconds
        self.is_complete = is_complete
        self.currency = "USD"
        self._by_place = {
            (one.task.kind, one.task.window, one.task.setting): one for one in outcomes
        }
        self.train_objectives = self._objectives("train")
        self.test_objectives = self._objectives("test")
        self.whole_outcomes: tuple[Outcome | None, ...] = tuple(
            self._by_place.get(("whole", -1, setting)) for setting in range(len(self.settings))
        )
        self.whole_objectives = np.array(
            [np.nan if one is None else one.objective for one in self.whole_outcomes]
        )
        self.test_results = [
            self._tested(window.number, best)
            for window, best in zip(self.windows, self.best_settings, strict=True)
        ]
        self.unranked = [
            (one.task.window, one.task.setting, one.why)
            for one in outcomes
            if one.task.kind == "train" and one.why
        ]
        self.flags = self._flags()

    # ------------------------------------------------------------------ windows
    @property
    def best_params_per_window(self) -> list[dict[str, Any]]:
        """By window, the parameters that its training chose; new dicts each time."""
        return [dict(self.settings[best]) for best in self.best_settings]

    def outcome(self, kind: Kind, setting: int, window: int = -1) -> Outcome | None:
        """Return what came of one run; None if it was not made.

        Parameters
        ----------
        kind : {"train", "test", "whole"}
            On a window's training, on its test, or over the whole data.
        setting : int
            Place in `settings`.
        window : int
            Its number; -1 for ``"whole"``.
        """
        checks.one_of("kind", kind, ("train", "test", "whole"))
        return self._by_place.get((kind, window, setting))

    def to_frame(self) -> pd.DataFrame:
        """Return a row for each window and setting that was run.

        Columns: the parameters, ``is_best``, ``train_<metric>`` and ``test_<metric>`` for the
        objective (``train_objective``) and every field of `Metrics`, the number of fills among
        them, and ``why`` a training said nothing. Indexed by window and setting.
        """
        import pandas as pd

        names = [one for one in self._by_place if one[0] == "train"]
        known = {window.number: place for place, window in enumerate(self.windows)}
        rows = []
        for _, window, setting in sorted(names):
            if window not in known:
                continue
            row: dict[str, Any] = {"window": window, "setting": setting}
            row |= {_free(name): value for name, value in self.settings[setting].items()}
            row["is_best"] = self.best_settings[known[window]] == setting
            pair = [(kind, self._by_place.get((kind, window, setting))) for kind in _PAIR]
            for kind, one in pair:
                row[f"{kind}_objective"] = np.nan if one is None else one.objective
            trained = pair[0][1]
            row["why"] = "" if trained is None else trained.why
            for kind, one in pair:
                if one is not None:
                    row |= {f"{kind}_{name}": value for name, value in one.metrics.items()}
            rows.append(row)
        return pd.DataFrame(rows).set_index(["window", "setting"])

    # ------------------------------------------------------------------ put end to end
    @cached_property
    def aggregate_curve(self) -> Curve:
        """The equity of all tests, compounded; see `chained_curve`."""
        return chained_curve([one.curve for one in self.test_results], self.initial_capital)

    @property
    def aggregate_equity(self) -> list[tuple[float, float]]:
        """(time in seconds since 1970, compounded equity) through all tests; new each time."""
        curve = self.aggregate_curve
        seconds = map(checks.ns_to_seconds, curve.times_ns.tolist())
        return list(zip(seconds, curve.equity.tolist(), strict=True))

    @property
    def equity(self) -> pd.Series[float]:
        """The compounded equity of all tests as a Series, indexed by time in UTC."""
        import pandas as pd

        curve = self.aggregate_curve
        index = pd.DatetimeIndex(curve.times.copy(), name="time").tz_localize("UTC")
        return pd.Series(curve.equity.copy(), index=index, name="equity")

    @property
    def aggregate_metrics(self) -> Metrics:
        """The metrics of all tests together, out of sample; see `chained_metrics`."""
        return self._chained[0]

    def tearsheet(self, **options: Any) -> Tearsheet:
        """Make the tearsheet of the compounded out-of-sample equity.

        Parameters
        ----------
        **options
            ``benchmark``, ``benchmark_name``, ``risk_free``, ``rolling_window`` and ``title``, as
            `BacktestResult.tearsheet` takes them.
        """
        metrics, table, fair = self._chained
        options.setdefault("title", f"{self.name}, out of sample")
        sheet = Tearsheet(
            self.aggregate_curve,
            fills=table,
            sampling=self.sampling,
            fair_values=fair,
            currency=self.currency,
            **options,
        )
        if set(options) <= {"title", "rolling_window"}:
            sheet.metrics = metrics  # with the forecasts, which a table without outcomes lacks
        sheet.cautions = [*self._own_cautions(), *sheet.cautions]
        return sheet

    @cached_property
    def _chained(self) -> tuple[Metrics, Any, NDArray[np.float64]]:
        return chained_metrics(self.test_results, self.aggregate_curve, self.sampling)

    # ------------------------------------------------------------------ doubts
    @cached_property
    def overfitting(self) -> Overfitting:
        """How far the search itself explains what it has found.

        Parts of it need the settings' runs over the whole data, which a call with
        ``overfitting=False`` or an interrupted one does not have.
        """
        from horizon.walkforward.overfitting import judge, whole_returns

        is_whole = all(one is not None for one in self.whole_outcomes)
        return judge(
            whole_returns(self.whole_outcomes) if is_whole else None,
            settings=self.settings,
            periods_per_year=self.sampling.periods_per_year,
            period=self.sampling.period,
            train=self.train_objectives,
            test=self.test_objectives,
            best=self.best_settings,
            objective=self.objective,
            maximize=self.maximize,
            out_of_sample=changes(self.sampling.take(self.aggregate_curve).equity),
            is_complete=self.is_complete,
        )

    @property
    def cautions(self) -> list[str]:
        """What to know before reading the numbers, as sentences; the tearsheet's among them."""
        return list(self.tearsheet().cautions)

    def _own_cautions(self) -> list[str]:
        found = []
        many = len(self.windows) != 1
        if not self.is_complete:
            found.append(
                f"Interrupted: {len(self.windows):,} window{'s are' if many else ' is'} done, "
                f"{self.n_runs:,} of {self.n_planned:,} runs."
            )
        found += self._doubts
        found += [f"Window {number}: {reason}." for number, reason in self.flags.items()]
        errors = sum(sum(one.errors.values()) for one in self.test_results)
        if errors:
            found.append(f"{errors:,} exceptions in the pipeline passed over in the tests.")
        if not any(len(one.record.fills) for one in self.test_results):
            found.append("No test has a trade.")
        held = sum(bool(one.positions) for one in self.test_results)
        if held:
            found.append(
                f"{held:,} of {counted(len(self.test_results), 'test')} end with a position, "
                "valued at its last price: in the return, but in no win rate, profit factor or "
                "exit fee."
            )
        left = sum(sum(counts.values()) for counts in self.dropped.values())
        if left:
            found.append(f"{left:,} bad rows left out of the data.")
        bankrupt = [
            window.number
            for window, one in zip(self.windows, self.test_results, strict=True)
            if one.curve.final <= 0.0
        ]
        if bankrupt:
            found.append(f"Window {bankrupt[0]} has lost everything; nothing is compounded after.")
        return found

    # ------------------------------------------------------------------ shown
    def summary(self) -> str:
        """Return the windows, what was chosen, and how it did, as text."""
        from horizon.walkforward.words import summary_text

        return summary_text(self)

    def figure(self, kind: str = "out_of_sample", **options: Any) -> Any:
        """Draw one of its figures.

        Parameters
        ----------
        kind : {"out_of_sample", "windows", "heat_map", "train_test", "trials"}
        **options
            ``theme="light" | "dark"`` and ``title`` for each; ``log`` for ``"out_of_sample"``;
            ``part="train" | "test"``, ``window``, and the parameters ``x`` and ``y`` for
            ``"heat_map"``.
        """
        from horizon.walkforward.pictures import figure_of

        return figure_of(self, kind, **options)

    def __repr__(self) -> str:
        from horizon.walkforward.words import head_line

        return f"<WalkForwardResult {head_line(self)}>"

    def _repr_html_(self) -> str:
        from horizon.walkforward.words import html_of

        return html_of(self)

    # ------------------------------------------------------------------ small parts
    def _objectives(self, kind: Kind) -> NDArray[np.float64]:
        found = np.full((len(self.windows), len(self.settings)), np.nan)
        for place, window in enumerate(self.windows):
            for setting in range(len(self.settings)):
                one = self._by_place.get((kind, window.number, setting))
                if one is not None:
                    found[place, setting] = one.objective
        return found

    def _tested(self, window: int, setting: int) -> BacktestResult:
        record = self._by_place["test", window, setting].record
        assert record is not None
        return BacktestResult(record, sampling=self.sampling)

    def _flags(self) -> dict[int, str]:
        """Windows whose choice means nothing."""
        flags = {}
        for place, window in enumerate(self.windows):
            if not np.isnan(self.train_objectives[place]).all():
                continue
            reasons: dict[str, int] = {}
            for number, _, why in self.unranked:
                if number == window.number:
                    reasons[why] = reasons.get(why, 0) + 1
            counted = ", ".join(f"{why} ({count:,})" for why, count in reasons.items())
            flags[window.number] = (
                f"no setting said anything in training: {counted}; the first of the grid was taken"
            )
        return flags


_PAIR: tuple[Kind, Kind] = ("train", "test")


def objective_name(objective: Any) -> str:
    """What an objective is called."""
    if isinstance(objective, str):
        return objective
    return str(getattr(objective, "__name__", type(objective).__name__))


def _free(name: str) -> str:
    """A parameter's column, where its name is one of the frame's own."""
    is_taken = name in ("window", "setting", "is_best", "why") or name.startswith(
        ("train_", "test_")
    )
    return f"param_{name}" if is_taken else name
