"""What a walk-forward has found, as the sections of its view."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, Final

from horizon import words
from horizon.analytics.metrics import shown
from horizon.analytics.sensitivity import ParameterStability
from horizon.backtesting.result_words import counted
from horizon.walkforward.evidence import SURE
from horizon.walkforward.overfitting import Overfitting
from horizon.walkforward.result import WalkForwardResult
from horizon.walkforward.verdict import share
from horizon.walkforward.words import (
    KEY_FIGURES,
    figure_words,
    head_line,
    objective_words,
    rank_words,
    search_facts,
    stamp_words,
)
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

__all__ = ["found_in_walk"]

#: Parameters with a column of their own.
_COLUMNS: Final = 8
_KINDS: Final = {
    "edge": ("EDGE", "good"),
    "fragile": ("FRAGILE", "warn"),
    "noise": ("NOISE", "bad"),
    "unknown": ("TOO LITTLE TO JUDGE", ""),
}


def found_in_walk(result: WalkForwardResult) -> Found:
    """Work out all that the view of a walk-forward says; takes a second of resampling."""
    judged = result.overfitting
    cautions = [words.name(each) for each in result.cautions]
    metrics = result.aggregate_metrics
    key = [figure_words(metrics, name, result.currency) for name in KEY_FIGURES]
    overview = [
        *cautioned(cautions),
        *_verdict(judged),
        sections.facts("key", key, title="Out of sample, all tests end to end"),
        searched(search_facts(result)),
    ]
    return Found(
        title=f"Walk-forward: {words.name(result.name)}",
        line=head_line(result),
        chip=_badge(judged),
        tabs=[
            ("overview", overview_label(cautions)),
            ("windows", "Windows"),
            ("parameters", "Parameters"),
            ("equity", "Out of sample"),
            ("trials", "Training and test"),
        ],
        parts={
            "overview": overview,
            "windows": [_windows(result)],
            "parameters": [_chosen(result), *_stability(judged.parameters)],
            "equity": [sections.facts("key", key)],
            "trials": [sections.facts("figures", _figures(judged, result))],
        },
        rows=[window.number for window in result.windows],
        row_name="window",
        names=varying_of(result.settings),
    )


def _verdict(judged: Overfitting) -> list[Section]:
    word, tone = _badge(judged)
    doubts = [*_doubts(judged)]
    found = [sections.said("doubts", doubts, title="Not sure", tone="warn")] if doubts else []
    found += [
        sections.said(
            "verdict",
            judged.reasons,
            title=f"Overfitting: {word}",
            lead=judged.verdict,
            tone=tone,
        )
    ]
    if judged.would_change:
        title = "What would change this"
        found.append(sections.said("changes", judged.would_change, title=title))
    return found


def _is_unproven(judged: Overfitting) -> bool:
    """Whether an edge is called one on a record that does not prove it by itself."""
    return judged.kind == "edge" and not judged.out_of_sample_probability >= SURE


def _badge(judged: Overfitting) -> tuple[str, str]:
    """The verdict in a word, and its tone; what is not proven out of sample says so."""
    return ("EDGE, NOT YET PROVEN", "warn") if _is_unproven(judged) else _KINDS[judged.kind]


def _doubts(judged: Overfitting) -> Iterator[str]:
    """What stands against the verdict's word, where its figures do not all say the same."""
    if not _is_unproven(judged):
        return
    if math.isnan(judged.out_of_sample_probability):
        yield "The tests are too few to say whether the true Sharpe ratio is above 0."
    else:
        yield (
            "Out of sample, the probability that the true Sharpe ratio is above 0 is "
            f"{share(judged.out_of_sample_probability, beside=SURE)}; {share(SURE)} is usual. A "
            "longer record is needed."
        )
    luck, needed = judged.expected_maximum, judged.needed_sharpe
    if math.isfinite(luck) and math.isfinite(needed) and judged.n_trials > 1:
        yield (
            f"Two levels of luck are told: {_ratio(needed)} is what these settings show by chance, "
            f"alike as they are, and decides; {_ratio(luck)} is what as many independent settings "
            "would show on average, and is the stricter the more they differ."
        )


def _windows(result: WalkForwardResult) -> Section:
    columns = [
        sections.column("Window"),
        sections.column("Trained from, UTC", minor=True),
        sections.column("Trained to, UTC", minor=True),
        sections.column("Tested from, UTC"),
        sections.column("Tested to, UTC"),
        sections.column("Chosen", wraps=True),
        sections.column(f"Training, {words.name(result.objective)}", number=True),
        sections.column(f"Test, {words.name(result.objective)}", number=True),
        sections.column("Rank in test", number=True),
        sections.column("Return", number=True),
        sections.column("Fills", number=True, minor=True),
    ]
    rows = []
    chosen = zip(result.windows, result.best_settings, result.test_results, strict=True)
    for place, (window, best, tested) in enumerate(chosen):
        if place == ROWS:
            break
        is_flagged = window.number in result.flags
        name = f"{window.number}: not to be relied on" if is_flagged else f"{window.number}"
        cells: list[Any] = [
            [name, "warn"] if is_flagged else name,
            stamp_words(window.train_start_ns, result.windows),
            stamp_words(window.train_end_ns, result.windows),
            stamp_words(window.test_start_ns, result.windows),
            stamp_words(window.test_end_ns, result.windows),
            words.setting(result.settings[best]),
            _objective(result, float(result.train_objectives[place, best])),
            _objective(result, float(result.test_objectives[place, best])),
            rank_words(result, place, best),
            shown(tested.metrics.total_return_pct, "fraction", result.currency),
            f"{len(tested.record.fills):,}",
        ]
        rows.append((f"{window.number}", cells))
    return sections.table(
        "windows", columns, rows, title="Windows", note=more_rows(len(result.windows), "windows")
    )


def _chosen(result: WalkForwardResult) -> Section:
    """What each window chose, a column for each parameter that varies."""
    names = varying_of(result.settings)
    columns = [sections.column("Window")]
    columns += [sections.column(words.name(name), number=True) for name in names[:_COLUMNS]]
    rows = [
        (
            f"{window.number}",
            [
                f"{window.number}",
                *(
                    words.value(params[name]) if name in params else words.MISSING
                    for name in names[:_COLUMNS]
                ),
            ],
        )
        for window, params in zip(
            result.windows[:ROWS], result.best_params_per_window[:ROWS], strict=True
        )
    ]
    left = len(names) - _COLUMNS
    note = more_rows(len(result.windows), "windows")
    if left > 0:
        note = f"{note} {counted(left, 'more parameter')} not shown.".strip()
    return sections.table(
        "chosen",
        columns,
        rows,
        title="Parameters by window",
        empty="No parameter varies.",
        note=note,
    )


def _stability(parameters: Sequence[ParameterStability]) -> list[Section]:
    if not parameters:
        return []
    columns = [
        sections.column("Parameter"),
        sections.column("Chosen most often"),
        sections.column("In", number=True),
        sections.column("Moves from window to window", number=True),
        sections.column("Choosing blindly moves", number=True, minor=True),
        sections.column("Lead kept one value beside", number=True),
    ]
    rows = [
        (
            words.name(one.name),
            [
                words.name(one.name),
                words.value(one.favourite),
                f"{round(one.share * len(one.best)):,} of {len(one.best):,}",
                _share(one.move),
                _share(one.chance_move),
                _share(one.kept),
            ],
        )
        for one in parameters
    ]
    note = "Shares of a parameter's range; 100 % of the lead kept is a plateau, 0 % a lone peak."
    return [sections.table("stability", columns, rows, title="How steady the choice is", note=note)]


def _figures(judged: Overfitting, result: WalkForwardResult) -> list[tuple[str, str]]:
    """The figures behind the verdict."""
    line = judged.degradation
    return [
        ("Settings tried", f"{judged.n_trials:,}"),
        ("Returns of each", f"{judged.n_periods:,}"),
        ("Chance shows as much in", _share(judged.chance)),
        ("Overfitting, probability", _chance(judged.pbo)),
        ("Deflated Sharpe, probability", _chance(judged.deflated_sharpe)),
        ("Noise up to a Sharpe of", _ratio(judged.needed_sharpe)),
        ("Chosen, in training", _objective(result, judged.chosen_train)),
        ("Chosen, in the tests", _objective(result, judged.chosen_test)),
        ("Others beaten in the tests", _share(judged.chosen_rank)),
        ("Test per 1 of training", words.MISSING if line is None else _ratio(line.slope)),
    ]


# ------------------------------------------------------------------------ small parts
def _objective(result: WalkForwardResult, value: float) -> str:
    return objective_words(result.objective, value, result.currency)


def _share(value: float) -> str:
    """Write a share, which may be negative or unknown, as percent."""
    return words.MISSING if math.isnan(value) else words.percent(value).replace("-", "−")


def _ratio(value: float) -> str:
    return words.MISSING if math.isnan(value) else shown(value, "ratio", "")


def _chance(value: float) -> str:
    """Write a probability; what is not nothing is not rounded to it."""
    return "below 0.001" if 0.0 < value < 0.0005 else _ratio(value)
