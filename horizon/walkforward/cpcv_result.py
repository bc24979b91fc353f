"""What a combinatorial purged cross-validation has found."""

from __future__ import annotations

import html
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from horizon import checks, words
from horizon.analytics.curves import Curve
from horizon.analytics.metrics import Metrics, shown
from horizon.analytics.sampling import Sampling
from horizon.analytics.tearsheet import Tearsheet
from horizon.backtesting.result import BacktestResult
from horizon.backtesting.result_words import counted
from horizon.walkforward.chain import chained_curve, chained_metrics
from horizon.walkforward.groups import Piece
from horizon.walkforward.tasks import Outcome, Plan

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["CpcvPath", "CpcvResult", "CpcvSplit"]

#: Of the table in a summary: field, heading, unit.
_COLUMNS = (
    ("total_return_pct", "return", "fraction"),
    ("sharpe_ratio", "Sharpe", "ratio"),
    ("max_drawdown_pct", "drawdown", "fraction"),
)


@dataclass(frozen=True, slots=True)
class CpcvSplit:
    """One way to divide the groups into training and test, and what its training chose.

    Attributes
    ----------
    number : int
        From 0.
    test_groups : tuple of int
        Groups, from 0.
    best_setting : int
    train_objective : float
        Of that setting; NaN where none said anything, and the first was taken.
    pieces : tuple of Piece
        What was trained on.
    """

    number: int
    test_groups: tuple[int, ...]
    best_setting: int
    train_objective: float
    pieces: tuple[Piece, ...]


class CpcvPath:
    """One path through all groups, each tested with a choice that was made without it.

    Attributes
    ----------
    number : int
        From 0.
    splits : tuple of int
        By group, the split whose test it is.
    best_settings : tuple of int
        By group, the setting that it was tested with.
    """

    def __init__(
        self,
        number: int,
        splits: tuple[int, ...],
        best_settings: tuple[int, ...],
        outcomes: Sequence[Outcome],
        plan: Plan,
    ) -> None:
        self.number = number
        self.splits = splits
        self.best_settings = best_settings
        self._outcomes = tuple(outcomes)
        self._plan = plan

    @property
    def params(self) -> list[dict[str, Any]]:
        """By group, the parameters that it was tested with; new dicts each time."""
        return [dict(self._plan.settings[best]) for best in self.best_settings]

    @cached_property
    def test_results(self) -> list[BacktestResult]:
        """By group, its test."""
        found = []
        for outcome in self._outcomes:
            assert outcome.record is not None
            found.append(BacktestResult(outcome.record, sampling=self._plan.sampling))
        return found

    @cached_property
    def curve(self) -> Curve:
        """The tests' equity compounded, one after the other."""
        return chained_curve([one.curve for one in self.test_results], self._plan.initial_capital)

    @cached_property
    def metrics(self) -> Metrics:
        """Of the whole path; see `chained_metrics`."""
        return chained_metrics(self.test_results, self.curve, self._plan.sampling)[0]

    @property
    def equity(self) -> pd.Series[float]:
        """The path's equity as a Series, indexed by time in UTC."""
        import pandas as pd

        index = pd.DatetimeIndex(self.curve.times.copy(), name="time").tz_localize("UTC")
        return pd.Series(self.curve.equity.copy(), index=index, name=f"path {self.number}")

    def tearsheet(self, **options: Any) -> Tearsheet:
        """Make the tearsheet of the path's equity; options as `Tearsheet` takes them."""
        options.setdefault("title", f"{self._plan.name}, path {self.number}")
        _, table, fair = chained_metrics(self.test_results, self.curve, self._plan.sampling)
        return Tearsheet(
            self.curve, fills=table, sampling=self._plan.sampling, fair_values=fair, **options
        )

    def __repr__(self) -> str:
        return (
            f"<CpcvPath {self.number}: return "
            f"{shown(self.metrics.total_return_pct, 'fraction', '')}, Sharpe "
            f"{shown(self.metrics.sharpe_ratio, 'ratio', '')}>"
        )


class CpcvResult:
    """What `cpcv` has found.

    Not made by hand: `hz.cpcv` returns it.

    Attributes
    ----------
    splits : list of CpcvSplit
        Every way to choose the test groups.
    paths : list of CpcvPath
        All of them, unless the call was interrupted.
    assignment : ndarray of int, shape (n_groups, n_splits)
        The path that a split's test of a group belongs to; -1 where the group is trained on.
    settings : tuple of dict
        The parameters that were tried, in grid order.
    train_objectives : ndarray of float64, shape (n_splits, n_settings)
        NaN where a setting says nothing.
    groups : list of (start, end)
        Of each group, in seconds since 1970.
    objective : str
        Its name.
    maximize : bool
        Whether more of it is better.
    sampling : Sampling
        Of the whole data, and of every run.
    initial_capital : float
        What each run begins with.
    name : str
        Of the search.
    n_runs : int
        Backtests that were run, or found in the cache.
    seconds : float
        How long the call took.
    is_complete : bool
        False if it was interrupted.

    Examples
    --------
    Of three groups each is tested once, which makes one path. The row of a group in `assignment`
    says in which split that was.

    >>> ticks = [{"timestamp": i, "price": 0.5 + 0.01 * (i % 4)} for i in range(60)]
    >>> def factory(params):
    ...     return [lambda ctx: hz.quotes(ctx.feed.price, params["spread"], size=1)]
    >>> found = hz.cpcv(ticks, factory, {"spread": [0.02, 0.05]}, n_groups=3, n_test_groups=1)
    >>> [split.test_groups for split in found.splits]
    [(0,), (1,), (2,)]
    >>> found.assignment.tolist()
    [[0, -1, -1], [-1, 0, -1], [-1, -1, 0]]
    """

    def __init__(
        self,
        *,
        plan: Plan,
        objective: str,
        edges_ns: Sequence[int],
        splits: Sequence[CpcvSplit],
        train_objectives: Sequence[Sequence[float]],
        assignment: NDArray[np.intp],
        paths: Sequence[CpcvPath],
        is_complete: bool,
        n_runs: int,
        seconds: float,
    ) -> None:
        self.splits = list(splits)
        self.paths = list(paths)
        self.assignment = assignment
        self.settings = tuple(plan.settings)
        self.train_objectives = np.array(train_objectives, dtype=np.float64)
        seconds_at = [checks.ns_to_seconds(edge) for edge in edges_ns]
        self.groups = list(itertools.pairwise(seconds_at))
        self.objective = objective
        self._doubts = plan.doubts
        self.maximize = plan.maximize
        self.sampling: Sampling = plan.sampling
        self.initial_capital = plan.initial_capital
        self.name = plan.name
        self.n_runs = n_runs
        self.seconds = seconds
        self.is_complete = is_complete

    # ------------------------------------------------------------------ numbers
    @property
    def n_groups(self) -> int:
        """Number of groups."""
        return len(self.groups)

    @property
    def n_test_groups(self) -> int:
        """Groups of each test."""
        return len(self.splits[0].test_groups)

    @property
    def best_params_per_split(self) -> list[dict[str, Any]]:
        """By split, the parameters that its training chose; new dicts each time."""
        return [dict(self.settings[split.best_setting]) for split in self.splits]

    @cached_property
    def sharpes(self) -> NDArray[np.float64]:
        """The annual Sharpe ratio of each path, shape (n_paths,).

        Paths share their data, and often their choices: their spread is not that of independent
        samples, and smaller.
        """
        return np.array([path.metrics.sharpe_ratio for path in self.paths])

    @property
    def flags(self) -> dict[int, str]:
        """What is wrong with a split, by its number."""
        return {
            split.number: "no setting said anything in training; the first was taken"
            for split in self.splits
            if math.isnan(split.train_objective)
        }

    @property
    def cautions(self) -> list[str]:
        """What to know before reading the numbers, as sentences."""
        found = []
        if not self.is_complete:
            done, all_ = len(self.paths), int(self.assignment.max()) + 1
            found.append(f"Interrupted: {done:,} of {counted(all_, 'path')} are done.")
        found += self._doubts
        found += [f"Split {number}: {reason}." for number, reason in self.flags.items()]
        # All paths are of one length, and of one data set.
        found += Tearsheet(self.paths[0].curve, sampling=self.sampling).cautions
        for path in self.paths:
            if path.curve.final <= 0.0:
                found.append(f"Path {path.number} has lost everything.")
        return found

    def to_frame(self) -> pd.DataFrame:
        """One row for each path: every metric."""
        import pandas as pd

        rows = [path.metrics.to_frame()["value"].rename(path.number) for path in self.paths]
        frame = pd.DataFrame(rows)
        frame.index.name = "path"
        return frame

    # ------------------------------------------------------------------ words
    def summary(self) -> str:
        """Return the splits, the paths and how their Sharpe ratios spread, as text."""
        lines = [
            f"=== CPCV: {words.name(self.name)} ===",
            f"{self.n_groups} groups, {self.n_test_groups} of them tested at a time: "
            f"{counted(len(self.splits), 'split')}, {counted(len(self.paths), 'path')}; "
            f"{counted(len(self.settings), 'setting')} by {words.name(self.objective)}",
            "",
        ]
        table = [["path", *(label for _, label, _ in _COLUMNS)], *self._rows()]
        widths = [max(len(row[i]) for row in table) for i in range(len(table[0]))]
        lines += [
            "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
            for row in table
        ]
        lines += ["", *self.findings]
        return "\n".join([*lines, *(f"! {caution}" for caution in self.cautions)])

    def __repr__(self) -> str:
        state = "" if self.is_complete else "; INCOMPLETE"
        return (
            f"<CpcvResult {words.name(self.name)}: {counted(len(self.splits), 'split')}, "
            f"{counted(len(self.paths), 'path')}, Sharpe {_span(self.sharpes)}{state}>"
        )

    def _repr_html_(self) -> str:
        heads = "".join(f"<th>{label}</th>" for label in ("path", *(c[1] for c in _COLUMNS)))
        body = "".join(
            "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>"
            for row in self._rows()
        )
        said = "".join(f"<p>{html.escape(text)}</p>" for text in [*self.findings, *self.cautions])
        return (
            '<div style="max-width:60em;color:inherit;background:transparent">'
            f"<p><strong>{html.escape(repr(self)[1:-1])}</strong></p>"
            f"<table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>{said}</div>"
        )

    # ------------------------------------------------------------------ small parts
    def _rows(self) -> list[list[str]]:
        return [
            [
                str(path.number),
                *(shown(getattr(path.metrics, name), unit, "") for name, _, unit in _COLUMNS),
            ]
            for path in self.paths
        ]

    @property
    def findings(self) -> list[str]:
        """How the Sharpe ratios of the paths spread, and what was chosen most often, in words."""
        ratios = self.sharpes
        below = int(np.count_nonzero(ratios <= 0.0))
        counts: dict[int, int] = {}
        for split in self.splits:
            counts[split.best_setting] = counts.get(split.best_setting, 0) + 1
        favourite = max(counts, key=lambda setting: (counts[setting], -setting))
        return [
            f"Sharpe ratios of the paths: {_span(ratios)}, mean {shown(ratios.mean(), 'ratio', '')}"
            f"; {below} of {len(ratios)} at 0 or below.",
            f"Chosen most often: {words.setting(self.settings[favourite])}, in "
            f"{counts[favourite]} of {counted(len(self.splits), 'split')}; "
            f"{counted(len(counts), 'setting')} in all.",
        ]


def _span(values: NDArray[np.float64]) -> str:
    return f"{shown(values.min(), 'ratio', '')} to {shown(values.max(), 'ratio', '')}"
