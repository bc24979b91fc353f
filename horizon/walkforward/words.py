"""What a walk-forward says of itself in words: one line, a summary, and one for notebooks."""

from __future__ import annotations

import html
import math
import textwrap
from collections.abc import Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from horizon import checks, words
from horizon.analytics.metrics import Metrics, shown
from horizon.analytics.report import html_summary
from horizon.backtesting.result_words import counted

if TYPE_CHECKING:
    from horizon.walkforward.result import WalkForwardResult
    from horizon.walkforward.windows import WalkForwardWindow

__all__ = [
    "KEY_FIGURES",
    "figure_words",
    "head_line",
    "html_of",
    "objective_words",
    "rank_words",
    "search_facts",
    "stamp_words",
    "summary_text",
]

#: Windows that a summary lists at most.
_MOST: Final = 20
#: Letters of a line of reasons.
_WIDE: Final = 98
_ABOUT: Final = {each.name: each.metadata for each in fields(Metrics)}
#: What people look for first in what was made out of sample.
KEY_FIGURES: Final = (
    "total_return_pct",
    "cagr",
    "sharpe_ratio",
    "sortino_ratio",
    "max_drawdown_pct",
    "total_trades",
    "win_rate",
    "profit_factor",
    "total_fees",
)
_HEADER: Final = ("window", "tested from", "to", "chosen", "training", "test", "rank", "return")
#: The columns of text, before those of numbers.
_TEXTS: Final = 4
_DAY_NS: Final = 86_400_000_000_000


class _Row(NamedTuple):
    """One window as a table shows it."""

    window: str
    start: str
    end: str
    chosen: str
    train: str
    test: str
    rank: str
    growth: str


# ------------------------------------------------------------------------ one line
def head_line(result: WalkForwardResult) -> str:
    """Say in one line what was searched and what came of it out of sample."""
    metrics = result.aggregate_metrics
    said = (
        f"{words.name(result.name)}: {counted(len(result.windows), 'window')}, "
        f"{counted(len(result.settings), 'setting')} by {words.name(result.objective)}, out of "
        f"sample {shown(metrics.total_return_pct, 'fraction', '')}, Sharpe "
        f"{shown(metrics.sharpe_ratio, 'ratio', '')}, {counted(metrics.total_trades, 'fill')}"
    )
    if result.is_complete:
        return said
    return f"{said}; INCOMPLETE: {result.n_runs:,} of {counted(result.n_planned, 'run')}"


# ------------------------------------------------------------------------ summary
def summary_text(result: WalkForwardResult) -> str:
    """Write the search, what came of it out of sample, each window, the verdict and cautions."""
    metrics = result.aggregate_metrics
    lines = [
        f"=== Walk-forward: {words.name(result.name)} ===",
        *(_line(label, text) for label, text in search_facts(result)),
        "",
        "Out of sample, all tests end to end:",
    ]
    lines += [_line(*figure_words(metrics, name, result.currency)) for name in KEY_FIGURES]
    rows = _rows(result)
    lines += ["", *_columns([_Row(*_HEADER), *rows])]
    lines += _left_out(result)
    found = result.overfitting
    lines += ["", *_wrapped(f"Overfitting: {found.verdict}", "")]
    for reason in found.reasons:
        lines += _wrapped(reason, "- ")
    return "\n".join([*lines, *(f"! {words.name(caution)}" for caution in result.cautions)])


def figure_words(metrics: Metrics, name: str, currency: str) -> tuple[str, str]:
    """A metric's label, and its value as text."""
    about = _ABOUT[name]
    return str(about["label"]), shown(getattr(metrics, name), about["unit"], currency)


def search_facts(result: WalkForwardResult) -> list[tuple[str, str]]:
    """What was searched, by labels."""
    first, last = result.windows[0], result.windows[-1]
    length = words.duration(first.test_end - first.test_start).split()
    start = stamp_words(first.test_start_ns, result.windows)
    end = stamp_words(last.test_end_ns, result.windows)
    wanted = "more" if result.maximize else "less"
    label = _ABOUT[result.objective]["label"] if result.objective in _ABOUT else None
    objective = words.name(result.objective) + (f" ({label})" if label else "")
    runs = counted(result.n_runs, "run")
    if not result.is_complete:
        runs = f"{runs} of {result.n_planned:,}, INCOMPLETE"
    return [
        (
            "Windows",
            f"{len(result.windows):,}, of {' '.join(length[:4])} each, tested {start} to {end}",
        ),
        ("Settings", f"{len(result.settings):,} of {_parameters(result)}; {runs}"),
        ("Objective", f"{objective}, {wanted} is better"),
    ]


def _parameters(result: WalkForwardResult) -> str:
    names = list(dict.fromkeys(str(name) for one in result.settings for name in one))
    some = ", ".join(words.name(name) for name in names[:6])
    return f"{some} and {len(names) - 6} more" if len(names) > 6 else some or "no parameters"


def _wrapped(text: str, mark: str) -> list[str]:
    return textwrap.wrap(
        words.name(text), _WIDE, initial_indent=mark, subsequent_indent=" " * len(mark)
    )


def _line(label: str, value: str) -> str:
    return f"{label + ':':<18}{value}"


def _rows(result: WalkForwardResult) -> list[_Row]:
    """The first windows, one row each."""
    rows = []
    for place, (window, best) in enumerate(
        zip(result.windows[:_MOST], result.best_settings[:_MOST], strict=True)
    ):
        growth = result.test_results[place].metrics.total_return_pct
        rows.append(
            _Row(
                f"{window.number}{' !' if window.number in result.flags else ''}",
                stamp_words(window.test_start_ns, result.windows),
                stamp_words(window.test_end_ns, result.windows),
                words.setting(result.settings[best]),
                _own_words(result, float(result.train_objectives[place, best])),
                _own_words(result, float(result.test_objectives[place, best])),
                rank_words(result, place, best),
                shown(growth, "fraction", result.currency),
            )
        )
    return rows


def _left_out(result: WalkForwardResult) -> list[str]:
    more = len(result.windows) - _MOST
    return [f"and {more:,} more windows; to_frame() has all."] if more > 0 else []


def _own_words(result: WalkForwardResult, value: float) -> str:
    return objective_words(result.objective, value, result.currency)


def objective_words(objective: str, value: float, currency: str) -> str:
    """Write a value of an objective, which may be any metric, or of somebody's own making."""
    if math.isnan(value):
        return words.MISSING
    about = _ABOUT.get(objective)
    if math.isinf(value):
        return shown(value, "ratio", currency)
    if about is None or about["unit"] == "count":
        return f"{value:,.6g}".replace("-", "−")
    return shown(value, about["unit"], currency)


def rank_words(result: WalkForwardResult, place: int, best: int) -> str:
    """Say where the chosen setting came in among all, on the test."""
    values = result.test_objectives[place]
    own = values[best]
    if np.isnan(own):
        return words.MISSING
    better = values > own if result.maximize else values < own
    return f"{int(better.sum()) + 1:,}/{int((~np.isnan(values)).sum()):,}"


def stamp_words(ns: int, windows: Sequence[WalkForwardWindow]) -> str:
    """Write a time as precisely as the windows need it: days alone where all are days."""
    text = words.clock(checks.ns_to_seconds(ns), date=True)
    return text[:10] if _are_days(windows) else text


def _are_days(windows: Sequence[WalkForwardWindow]) -> bool:
    """Whether tests are long enough for their days to tell them apart."""
    return min(one.test_end_ns - one.test_start_ns for one in windows) >= 2 * _DAY_NS


def _columns(rows: Sequence[_Row]) -> list[str]:
    """Write rows under each other: words to the left, numbers to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(_HEADER))]
    return [
        "  ".join(
            cell.ljust(width) if i < _TEXTS else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


# ------------------------------------------------------------------------ for notebooks
def html_of(result: WalkForwardResult) -> str:
    """Write the summary for a notebook: without script, in the colours of the text around it."""
    facts = "".join(
        f"{html.escape(label)}: {html.escape(text)}<br>" for label, text in search_facts(result)
    )
    found = result.overfitting
    reasons = "".join(f"<li>{html.escape(words.name(reason))}</li>" for reason in found.reasons)
    verdict = html.escape(words.name(found.verdict))
    head = "".join(f"<th{_side(i)}>{html.escape(cell)}</th>" for i, cell in enumerate(_HEADER))
    body = "".join(
        "<tr>"
        + "".join(f"<td{_side(i)}>{html.escape(cell)}</td>" for i, cell in enumerate(row))
        + "</tr>"
        for row in _rows(result)
    )
    more = "".join(f'<p style="opacity:.75">{html.escape(text)}</p>' for text in _left_out(result))
    return (
        '<div style="max-width:60em;color:inherit;background:transparent">'
        f"{html_summary(result.tearsheet())}"
        f'<p style="margin:.6em 0;opacity:.75">{facts}</p>'
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}"
        f'<p style="margin:.6em 0 .2em"><strong>Overfitting: {verdict}</strong>'
        f'</p><ul style="margin:.2em 0">{reasons}</ul></div>'
    )


def _side(column: int) -> str:
    side = "left" if column < _TEXTS else "right"
    return f' style="text-align:{side};padding:.1em .6em"'
