"""What a cross-validation has found, as the sections of its view."""

from __future__ import annotations

from collections import Counter
from typing import Any

from horizon import words
from horizon.analytics.metrics import shown
from horizon.backtesting.result_words import counted
from horizon.walkforward.cpcv_result import CpcvResult
from horizon.walkforward.words import objective_words
from horizon.widgets import sections
from horizon.widgets.sections import Section
from horizon.widgets.walk_view.found import (
    ROWS,
    Found,
    cautioned,
    more_rows,
    overview_label,
    searched,
    varying_of,
)

__all__ = ["found_in_cpcv"]


def found_in_cpcv(result: CpcvResult) -> Found:
    """Work out all that the view of a cross-validation says."""
    cautions = [words.name(each) for each in result.cautions]
    ratios = result.sharpes
    above, many = int((ratios > 0.0).sum()), len(ratios)
    lead = f"{above:,} of {counted(many, 'path')} {'has' if above == 1 else 'have'} a Sharpe ratio"
    chip = ("ALL PATHS GAIN", "good") if above == many else ("SOME PATHS LOSE", "warn")
    if above == 0:
        chip = ("ALL PATHS LOSE", "bad")
    overview = [
        *cautioned(cautions),
        sections.said(
            "verdict",
            [words.name(each) for each in result.findings],
            title=f"Out of sample: {chip[0]}",
            lead=f"{lead} above 0.",
            tone=chip[1],
        ),
        searched(_cpcv_facts(result)),
    ]
    return Found(
        title=f"Cross-validation: {words.name(result.name)}",
        line=words.name(repr(result).removeprefix("<CpcvResult ").removesuffix(">")),
        chip=chip,
        tabs=[
            ("overview", overview_label(cautions)),
            ("paths", "Paths"),
            ("splits", "Splits"),
            ("parameters", "Parameters"),
        ],
        parts={
            "overview": overview,
            "paths": [_paths(result)],
            "splits": [_splits(result)],
            "parameters": [_votes(result)],
        },
        rows=[split.number for split in result.splits],
        row_name="split",
        names=varying_of(result.settings),
    )


def _cpcv_facts(result: CpcvResult) -> list[tuple[str, str]]:
    wanted = "more" if result.maximize else "less"
    start, end = result.groups[0][0], result.groups[-1][1]
    return [
        ("Groups", f"{result.n_groups:,}, of which {result.n_test_groups:,} are tested at a time"),
        ("Splits and paths", f"{len(result.splits):,} and {len(result.paths):,}"),
        ("Settings", f"{len(result.settings):,}; {counted(result.n_runs, 'run')}"),
        ("Objective", f"{words.name(result.objective)}, {wanted} is better"),
        ("From, UTC", words.clock(start, date=True)),
        ("To, UTC", words.clock(end, date=True)),
    ]


def _paths(result: CpcvResult) -> Section:
    columns = [
        sections.column("Path"),
        sections.column("Return", number=True),
        sections.column("Sharpe", number=True),
        sections.column("Largest drawdown", number=True),
        sections.column("Win rate", number=True),
        sections.column("Fills", number=True),
    ]
    rows = []
    for path in result.paths[:ROWS]:
        metrics = path.metrics
        sharpe = shown(metrics.sharpe_ratio, "ratio", "")
        cells: list[Any] = [
            f"{path.number}",
            shown(metrics.total_return_pct, "fraction", ""),
            sharpe if metrics.sharpe_ratio > 0.0 else [sharpe, "bad"],
            shown(metrics.max_drawdown_pct, "fraction", ""),
            shown(metrics.win_rate, "fraction", ""),
            f"{metrics.total_trades:,}",
        ]
        rows.append((f"{path.number}", cells))
    return sections.table(
        "paths", columns, rows, title="Paths", note=more_rows(len(result.paths), "paths")
    )


def _splits(result: CpcvResult) -> Section:
    columns = [
        sections.column("Split"),
        sections.column("Groups tested"),
        sections.column("Chosen", wraps=True),
        sections.column(f"Training, {words.name(result.objective)}", number=True),
    ]
    rows = []
    for split in result.splits[:ROWS]:
        is_flagged = split.number in result.flags
        name = f"{split.number}: not to be relied on" if is_flagged else f"{split.number}"
        cells: list[Any] = [
            [name, "warn"] if is_flagged else name,
            ", ".join(f"{group}" for group in split.test_groups),
            words.setting(result.settings[split.best_setting]),
            # Money stands without its currency: the result does not tell it.
            objective_words(result.objective, split.train_objective, "").strip(),
        ]
        rows.append((f"{split.number}", cells))
    return sections.table(
        "splits", columns, rows, title="Splits", note=more_rows(len(result.splits), "splits")
    )


def _votes(result: CpcvResult) -> Section:
    """The settings that were chosen at all, the most frequent first."""
    votes = Counter(split.best_setting for split in result.splits)
    columns = [
        sections.column("Setting", wraps=True),
        sections.column("Chosen in splits", number=True),
        sections.column("Share", number=True),
    ]
    rows = [
        (
            f"{setting}",
            [
                words.setting(result.settings[setting]),
                f"{count:,} of {len(result.splits):,}",
                words.percent(count / len(result.splits)),
            ],
        )
        for setting, count in sorted(votes.items(), key=lambda pair: (-pair[1], pair[0]))[:ROWS]
    ]
    left = len(result.settings) - len(votes)
    note = f"{counted(left, 'setting')} {'was' if left == 1 else 'were'} never chosen."
    return sections.table("votes", columns, rows, title="Choices", note=note if left else "")
