"""Several results side by side: their metrics, what differs in their arguments, their curves."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Final

from horizon import checks, words
from horizon.analytics.metrics import Metrics, shown, shown_difference

if TYPE_CHECKING:
    import pandas as pd

    from horizon.backtesting.result import BacktestResult
    from horizon.figures.long import LongFigure

__all__ = ["Comparison"]

#: What the text and the table in a notebook show; the frame has all.
_KEY_FIGURES: Final = (
    "total_return",
    "total_return_pct",
    "cagr",
    "volatility",
    "sharpe_ratio",
    "sharpe_standard_error",
    "sortino_ratio",
    "max_drawdown_pct",
    "total_trades",
    "win_rate",
    "profit_factor",
    "total_fees",
    "brier_score",
    "model_brier_score",
    "avg_edge",
)
_ABOUT: Final = {each.name: each.metadata for each in fields(Metrics)}
_ABSENT: Final = object()


class Comparison:
    """Results side by side; the first is what the others are compared with.

    Made by `BacktestResult.compare`.

    Attributes
    ----------
    results : dict of str to BacktestResult
        By name.
    """

    def __init__(self, results: Sequence[BacktestResult], names: Sequence[str] | None) -> None:
        from horizon.backtesting.result import BacktestResult

        if len(results) < 2:
            raise ValueError("compare needs one or more other results, was given none")
        for other in results[1:]:
            if not isinstance(other, BacktestResult):
                raise TypeError(f"compare takes BacktestResults, was given {checks.show(other)}")
        own = _distinct([one.name for one in results]) if names is None else _given(names, results)
        self.results: dict[str, BacktestResult] = dict(zip(own, results, strict=True))

    @property
    def frame(self) -> pd.DataFrame:
        """Every metric that some result has: a row for each, a column for each result.

        What a result has not (a Brier score without outcomes) is NaN.
        """
        import pandas as pd

        rows = [name for name in _ABOUT if any(value is not None for value in self._values(name))]
        columns = {
            name: [_number(getattr(one.metrics, row)) for row in rows]
            for name, one in self.results.items()
        }
        return pd.DataFrame(columns, index=pd.Index(rows, dtype="str", name="metric"))

    @property
    def differences(self) -> pd.DataFrame:
        """Every metric of the other results less that of the first; NaN where one has none.

        Two equal values differ by 0.0, infinite ones too.
        """
        frame = self.frame
        first = frame.iloc[:, 0]
        others = frame.iloc[:, 1:]
        return others.sub(first, axis=0).where(~others.eq(first, axis=0), 0.0)

    @property
    def arguments(self) -> pd.DataFrame:
        """The arguments in which the runs differ: a row for each, a column for each result."""
        import pandas as pd

        configs = [one.config for one in self.results.values()]
        # The names of the runs stand above the columns already.
        names = [n for n in dict.fromkeys(n for config in configs for n in config) if n != "name"]
        differing = [name for name in names if _differ([c.get(name, _ABSENT) for c in configs])]
        columns = {
            own: pd.Series(
                [one.config.get(name) for name in differing], index=differing, dtype=object
            )
            for own, one in self.results.items()
        }
        frame = pd.DataFrame(columns, columns=list(self.results))
        frame.index.name = "argument"
        return frame

    def figure(self, *, rebase: bool = True, log: bool = False, theme: str = "light") -> LongFigure:
        """Draw the equity curves on one axis; see `horizon.figures.equity_curves`."""
        from horizon.figures import equity_curves

        first, *_ = self.results.values()
        return equity_curves(
            {name: one.curve for name, one in self.results.items()},
            rebase=rebase,
            log=log,
            theme=theme,
            currency=first.record.currency,
        )

    # ------------------------------------------------------------------ shown
    def __repr__(self) -> str:
        header, rows = self._shown()
        table = [header, *rows]
        widths = [max(len(row[i]) for row in table) for i in range(len(header))]
        lines = [
            "  ".join(
                cell.ljust(width) if i == 0 else cell.rjust(width)
                for i, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in table
        ]
        return "\n".join([*lines, *self._notes()])

    def _repr_html_(self) -> str:
        header, rows = self._shown()
        head = "".join(f"<th>{html.escape(cell)}</th>" for cell in header)
        body = "".join(
            f"<tr><th style='text-align:left'>{html.escape(row[0])}</th>"
            + "".join(f"<td style='text-align:right'>{html.escape(cell)}</td>" for cell in row[1:])
            + "</tr>"
            for row in rows
        )
        notes = "".join(
            f'<p style="margin:.3em 0;font-size:.9em">{html.escape(note)}</p>'
            for note in self._notes()
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{notes}"

    def _shown(self) -> tuple[list[str], list[list[str]]]:
        """The head and the rows of the table that is shown, as text."""
        is_pair = len(self.results) == 2
        header = ["", *(words.name(name) for name in self.results)]
        rows = []
        for name in _KEY_FIGURES:
            values = self._values(name)
            if all(value is None for value in values):
                continue
            row = [str(_ABOUT[name]["label"])]
            row += [
                words.MISSING if value is None else shown(value, _ABOUT[name]["unit"], money)
                for value, money in zip(values, self._currencies(), strict=True)
            ]
            if is_pair:
                row.append(self._difference(name, *values))
            rows.append(row)
        return [*header, "difference"] if is_pair else header, rows

    def _difference(self, name: str, first: float | None, second: float | None) -> str:
        if first is None or second is None:
            return words.MISSING
        if first == second:
            return "="
        change = second - first
        if math.isnan(change) or len(set(self._currencies())) > 1:
            return words.MISSING
        return shown_difference(change, _ABOUT[name]["unit"], self._currencies()[0])

    def _notes(self) -> list[str]:
        notes = []
        for argument, row in self.arguments.iterrows():
            values = "; ".join(checks.show(_thawed(value)) for value in row)
            notes.append(words.name(f"{argument}: {values}"))
        cautions = {name: one.cautions for name, one in self.results.items()}
        common = [
            c for c in next(iter(cautions.values())) if all(c in o for o in cautions.values())
        ]
        notes += [f"! {caution}" for caution in common]
        for name, own in cautions.items():
            notes += [f"! {words.name(name)}: {c}" for c in own if c not in common]
        return notes

    # ------------------------------------------------------------------ small parts
    def _values(self, name: str) -> list[Any]:
        return [getattr(one.metrics, name) for one in self.results.values()]

    def _currencies(self) -> list[str]:
        return [one.record.currency for one in self.results.values()]


def _distinct(names: Sequence[str]) -> list[str]:
    """Number the second and later runs of one name."""
    found: list[str] = []
    for name in names:
        own, number = name, 2
        while own in found:
            own, number = f"{name} ({number})", number + 1
        found.append(own)
    return found


def _given(names: Any, results: Sequence[object]) -> list[str]:
    if isinstance(names, str) or not isinstance(names, Sequence):
        raise TypeError(f"names must be a list of names, was {checks.show(names)}")
    if len(names) != len(results):
        raise ValueError(
            f"names must be one for each of {len(results)} results, this one first; had "
            f"{len(names)}"
        )
    own = [checks.text("a name in names", name) for name in names]
    if len(set(own)) < len(own):
        twice = next(name for name in own if own.count(name) > 1)
        raise ValueError(f"names must differ, had {twice!r} twice")
    return own


def _number(value: float | int | None) -> float:
    return math.nan if value is None else float(value)


def _differ(values: list[Any]) -> bool:
    # By their text: NaN is not equal to itself, and 1 is not True here.
    return len({repr(value) for value in values}) > 1


def _thawed(value: Any) -> Any:
    """Show a frozen list as the list that it was."""
    if isinstance(value, Mapping):
        return {name: _thawed(item) for name, item in value.items()}
    if isinstance(value, tuple):
        return [_thawed(item) for item in value]
    return value
