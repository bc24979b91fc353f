"""What the calibration view says of forecasts: its tables, and what to know before them."""

from __future__ import annotations

import math
from typing import Final

from horizon import words
from horizon.analytics.calibration import CalibrationCurve
from horizon.analytics.decay import EdgeDecay
from horizon.analytics.pairs import ForecastPairs
from horizon.analytics.report import MOST_ROWS, Cell, Table

__all__ = [
    "bins_table",
    "cautions_of",
    "decay_table",
    "groups_table",
    "key_of",
    "parts_table",
    "scores_table",
]

#: Pairs in a bin below which its frequency says little.
_FEW: Final = 10
#: Pairs in all below which nothing says much.
_SHORT: Final = 30


def _number(value: float, places: int = 4) -> str:
    return f"{value:,.{places}f}".replace("-", "−") if math.isfinite(value) else words.MISSING


def _signed(value: float, places: int = 4) -> str:
    text = _number(value, places)
    return f"+{text}" if value > 0.0 and float(text.replace(",", "")) > 0.0 else text


def _percent(share: float, places: int = 1) -> str:
    return f"{100.0 * share:.{places}f} %".replace("-", "−")


def _counted(n: int, what: str) -> str:
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def key_of(curve: CalibrationCurve, pairs: ForecastPairs) -> list[tuple[str, str]]:
    """The numbers that people look for first."""
    found = [
        ("Brier score", _number(curve.brier_score)),
        ("Brier skill", _signed(curve.brier_skill_score)),
        ("Log loss, nats", _number(curve.log_loss)),
        ("ECE", _percent(curve.ece, 2)),
        ("Base rate", _percent(curve.base_rate)),
        (f"{pairs.what.capitalize()}s", f"{curve.count:,}"),
    ]
    if pairs.markets:
        found.append(("Markets", f"{pairs.events:,}"))
    return found


def parts_table(curve: CalibrationCurve) -> Table:
    """The Brier score taken apart, each part with its sign, and their sum."""
    parts = (
        (
            "Reliability",
            curve.reliability,
            "how far what was said is from what happened; 0 is best",
        ),
        ("Resolution", -curve.resolution, "how far the bins are from the base rate, taken off"),
        (
            "Uncertainty",
            curve.uncertainty,
            "variance of the outcomes, the same for all forecasters",
        ),
        ("Within bins", curve.within_bin, "what the bins hide: variance less covariance in them"),
    )
    rows: list[tuple[str, list[Cell]]] = [
        (name, [Cell(_signed(value, 6)), Cell(meaning, is_number=False)])
        for name, value, meaning in parts
    ]
    whole = "mean of (forecast − outcome)²: the sum of the above"
    rows.append(
        ("Brier score", [Cell(_number(curve.brier_score, 6)), Cell(whole, is_number=False)])
    )
    return Table("What the Brier score is made of", ("Part", "Value", "What it says"), rows)


def scores_table(curve: CalibrationCurve) -> Table:
    """All scores, with what to compare them with."""
    always = curve.uncertainty
    rows = [
        ("Brier score", _number(curve.brier_score, 6), f"the base rate alone scores {always:.6f}"),
        ("Brier skill", _signed(curve.brier_skill_score, 6), "1 is perfect, 0 the base rate alone"),
        ("Log loss, nats", _number(curve.log_loss, 6), "always saying 50 % scores 0.693147"),
        ("ECE", _number(curve.ece, 6), "never 0 by chance alone: compare equal counts and bins"),
        ("Base rate", _number(curve.base_rate, 6), "mean outcome"),
    ]
    return Table(
        "Scores",
        ("Score", "Value", "To compare with"),
        [(name, [Cell(value), Cell(text, is_number=False)]) for name, value, text in rows],
    )


def bins_table(curve: CalibrationCurve) -> Table:
    """Each bin: what was said there, what happened, and how sure that is."""
    level = f"{100.0 * curve.confidence:g} % interval"
    rows = []
    for start, stop, mean, (_, rate, count), (low, high) in zip(
        curve.bin_edges[:-1],
        curve.bin_edges[1:],
        curve.mean_predictions,
        curve.bins,
        curve.intervals,
        strict=True,
    ):
        # What was said lies outside of what chance explains.
        is_off = count > 0 and not low <= mean <= high
        cells = (
            [
                Cell(_percent(mean, 2)),
                Cell(_percent(rate, 2)),
                Cell(_signed(100.0 * (rate - mean), 2)),
                Cell(f"{100.0 * low:.1f} to {100.0 * high:.1f} %"),
                Cell("outside" if is_off else "inside", is_number=False),
                Cell(f"{count:,}"),
            ]
            if count
            else [Cell(words.MISSING)] * 5 + [Cell("0")]
        )
        rows.append((f"{100.0 * start:.4g} to {100.0 * stop:.4g} %", cells))
    cut = f"{MOST_ROWS:,} of {len(rows):,} bins: the first." if len(rows) > MOST_ROWS else ""
    header = (
        "Said",
        "Mean said",
        "Happened",
        "Difference, points",
        level,
        "Said is",
        "Count",
    )
    return Table("Bins", header, rows[:MOST_ROWS], note=cut, empty="There is no bin.")


def groups_table(curve: CalibrationCurve, by: str) -> Table:
    """The scores of each group."""
    ordered = sorted(curve.groups.items(), key=lambda item: -item[1].count)
    listed = ordered if by == "market" else list(curve.groups.items())
    rows = [
        (
            str(label),
            [
                Cell(f"{own.count:,}"),
                Cell(_number(own.brier_score)),
                Cell(_signed(own.brier_skill_score)),
                Cell(_number(own.log_loss)),
                Cell(_percent(own.ece, 2)),
                Cell(_number(own.reliability)),
                Cell(_number(own.resolution)),
                Cell(_percent(own.base_rate)),
            ],
        )
        for label, own in listed
    ]
    cut = ""
    if len(rows) > MOST_ROWS:
        cut = f"{MOST_ROWS:,} of {len(rows):,} groups: those with the most pairs."
    header = (
        "Group",
        "Count",
        "Brier score",
        "Skill",
        "Log loss, nats",
        "ECE",
        "Reliability",
        "Resolution",
        "Base rate",
    )
    names = {"market": "Markets", "side": "Sides", "hours": "Hours to resolution"}
    return Table(names[by], header, rows[:MOST_ROWS], note=cut)


def decay_table(decay: EdgeDecay) -> Table:
    """Mean edge by time to resolution, with what the fit says there."""
    fitted = decay.fitted or [math.nan] * len(decay.counts)
    rows = [
        (
            f"{start:,.4g} to {stop:,.4g} h",
            [
                Cell(_signed(edge) if count else words.MISSING),
                Cell(_number(error) if count > 1 else words.MISSING),
                Cell(_number(fit)),
                Cell(f"{count:,}"),
            ],
        )
        for start, stop, (_, edge), error, fit, count in zip(
            decay.bucket_edges[:-1],
            decay.bucket_edges[1:],
            decay.decay_curve,
            decay.standard_errors,
            fitted,
            decay.counts,
            strict=True,
        )
    ]
    header = ("Before resolution", "Mean edge, points of 1", "Standard error", "Fitted", "Count")
    half = decay.half_life_hours
    halves = f"halves every {half:,.4g} h" if math.isfinite(half) else "does not shrink"
    fit = "no fit: fewer than two positive means" if decay.slope is None else f"fitted, it {halves}"
    note = f"Mean edge {_signed(decay.mean_edge)} over {decay.count:,}; {fit}."
    return Table("Edge by time to resolution", header, rows[:MOST_ROWS], note=note)


# ------------------------------------------------------------------------ what to know
def cautions_of(
    pairs: ForecastPairs,
    curve: CalibrationCurve,
    decay: EdgeDecay | None,
    *,
    of: str,
    asked_bins: int,
    left_out_ties: int,
) -> list[str]:
    """What to know before reading the numbers, as sentences."""
    what, n = pairs.what, curve.count
    found = []
    if n < _SHORT:
        found.append(f"Few: {_counted(n, what)}; no score of so few says much.")
    if pairs.markets and pairs.events < n:
        found.append(
            f"{_counted(n, what)} of {_counted(pairs.events, 'event')}: the intervals take each "
            f"{what} as an event of its own, so they are narrower than what is known."
        )
    elif not pairs.markets and n:
        found.append(
            f"The intervals take each {what} as an event of its own; of several of one event they "
            "would be too narrow."
        )
    missing = len(pairs) - n
    if of == "model" and missing:
        found.append(f"The model had no probability for {_counted(missing, what)}: left out.")
    if left_out_ties:
        found.append(f"{_counted(left_out_ties, what)} with an outcome between 0 and 1: left out.")
    elif pairs.ties:
        found.append(
            f"{_counted(pairs.ties, what)} with an outcome between 0 and 1, a tie: it counts as a "
            "part of an event."
        )
    thin = sum(0 < count < _FEW for _, _, count in curve.bins)
    if thin and n >= _SHORT:
        found.append(
            f"{thin:,} of {_counted(len(curve.bins), 'bin')} hold fewer than {_FEW} {what}s: their "
            "frequencies are mostly chance."
        )
    if curve.strategy == "quantile" and len(curve.bins) < asked_bins:
        found.append(
            f"{asked_bins:,} bins were asked for, {len(curve.bins):,} are possible: equal "
            "forecasts share a bin."
        )
    return found + _of_decay(pairs, decay)


def _of_decay(pairs: ForecastPairs, decay: EdgeDecay | None) -> list[str]:
    if decay is None:
        return []
    found = []
    if pairs.untimed:
        found.append(
            f"{_counted(pairs.untimed, pairs.what)} of events whose time of resolution nobody has "
            "kept: no part of the edge's decay."
        )
    held = [edge for (_, edge), count in zip(decay.decay_curve, decay.counts, strict=True) if count]
    negative = sum(edge <= 0.0 for edge in held)
    if negative and decay.slope is not None:
        found.append(
            f"{negative:,} of {_counted(len(held), 'bucket')} have no positive mean edge, and the "
            "fit of the half-life leaves them out: do not trust it."
        )
    return found
