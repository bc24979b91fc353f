"""Can probabilities be trusted: calibration curves and the scores of forecasts.

A forecast is *calibrated* if what it calls 70 % happens seven times in ten, and *sharp* if it
says more than the base rate. The Brier score pays for both; `CalibrationCurve` takes it apart.

References
----------
Brier (1950), Verification of Forecasts Expressed in Terms of Probability.
Murphy (1973), A New Vector Partition of the Probability Score.
Stephenson, Coelho and Jolliffe (2008), Two Extra Components in the Brier Score Decomposition.
Wilson (1927), Probable Inference, the Law of Succession, and Statistical Inference.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from horizon import checks
from horizon.analytics.forecasts import (
    Floats,
    are_binary,
    chunks,
    html_table,
    number_column,
    one_column,
    refuse,
    same_labels,
    same_lengths,
    unit_range,
)
from horizon.analytics.products import dot

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

__all__ = [
    "CalibrationCurve",
    "brier_score",
    "calibration_curve",
    "log_loss",
    "wilson_interval",
]

#: What a probability of what happened counts as at least in the log loss: a forecast that was
#: certain and wrong would otherwise cost infinity.
_CLIP: Final = 1e-15
_MOST_BINS: Final = 100_000
#: So many edges are compared with each prediction faster than they are searched; below 127.
_FEW_EDGES: Final = 40
#: More labels than this are no categories.
_MOST_GROUPS: Final = 1_000


@dataclass(frozen=True)
class CalibrationCurve:
    """How often what was forecast came true, and what the forecasts score.

    Not made by hand: `calibration_curve` returns it. Without any pair every score is 0.0; so is a
    skill where all outcomes are alike.

    Attributes
    ----------
    bins : list of (float, float, int)
        For each bin its centre, the frequency with which what was forecast there happened, and
        how many forecasts fell into it; an empty one is ``(centre, 0.0, 0)``.
    mean_predictions : list of float
        The mean of the forecasts in each bin; of an empty one its centre.
    intervals : list of (float, float)
        For each bin the Wilson interval of the frequency, at the level `confidence`; of an
        empty one (0.0, 1.0). Fractional outcomes (ties) count as parts of an event. It takes
        the pairs as independent, which the ticks of one market are not.
    bin_edges : list of float
        Where the bins begin and end, one more than there are bins; empty without bins.
    brier_score : float
        Mean of (prediction − outcome)²: 0 is perfect, 0.25 is what "50 %" always scores.
    log_loss : float
        Mean of −ln(probability given to what happened), that taken as 1e-15 at least.
    ece : float
        Expected calibration error: the mean over all pairs of ``|mean prediction − frequency|``
        of their bin.
    reliability, resolution, uncertainty : float
        Murphy's parts of the Brier score. Reliability is how far the bins' mean predictions lie
        from the frequencies (0 is best), resolution how far the frequencies lie from the base
        rate (more is better), uncertainty is the variance of the outcomes, which no forecast
        changes.
    within_bin_variance, within_bin_covariance : float
        What bins hide (Stephenson et al. 2008): the variance of the predictions within their
        bins, and twice their covariance there with the outcomes.
    base_rate : float
        Mean outcome.
    count : int
        Number of pairs.
    strategy : {"uniform", "quantile"}
    confidence : float
    groups : dict
        By label, the curve of each group's own pairs; empty where none were asked for.

    Notes
    -----
    ``brier_score == reliability - resolution + uncertainty + within_bin`` but for rounding.

    References
    ----------
    Murphy (1973), A New Vector Partition of the Probability Score. Stephenson, Coelho and Jolliffe
    (2008), Two Extra Components in the Brier Score Decomposition.

    Examples
    --------
    "20 %" came true once in four, "60 %" once in two: 4 · 0.05 and 2 · 0.1 over six pairs.

    >>> curve = hz.calibration_curve([0.2] * 4 + [0.6] * 2, [0, 0, 0, 1, 0, 1], n_bins=2)
    >>> curve.bins
    [(0.25, 0.25, 4), (0.75, 0.5, 2)]
    >>> round(curve.ece, 4), round(curve.base_rate, 4)
    (0.0667, 0.3333)
    """

    bins: list[tuple[float, float, int]]
    mean_predictions: list[float]
    intervals: list[tuple[float, float]]
    bin_edges: list[float]
    brier_score: float
    log_loss: float
    ece: float
    reliability: float
    resolution: float
    uncertainty: float
    within_bin_variance: float
    within_bin_covariance: float
    base_rate: float
    count: int
    strategy: str
    confidence: float
    groups: dict[Any, CalibrationCurve] = field(default_factory=dict)

    @property
    def within_bin(self) -> float:
        """The part of the Brier score that bins hide: their variance less their covariance."""
        return self.within_bin_variance - self.within_bin_covariance

    @property
    def brier_skill_score(self) -> float:
        """1 − Brier score / that of always forecasting the base rate.

        1 is perfect, 0 no better than the base rate, negative worse. 0.0 where all outcomes are
        alike: there the base rate is never wrong.
        """
        return 1.0 - self.brier_score / self.uncertainty if self.uncertainty else 0.0

    def to_frame(self) -> pd.DataFrame:
        """The bins as a table, one row each; `lower` and `upper` are of the Wilson interval."""
        import pandas as pd

        columns = {
            "from": self.bin_edges[:-1],
            "to": self.bin_edges[1:],
            "centre": [centre for centre, _, _ in self.bins],
            "mean_prediction": self.mean_predictions,
            "frequency": [frequency for _, frequency, _ in self.bins],
            "lower": [lower for lower, _ in self.intervals],
            "upper": [upper for _, upper in self.intervals],
        }
        frame = pd.DataFrame(columns, dtype=np.float64)
        frame["count"] = np.array([count for _, _, count in self.bins], dtype=np.int64)
        frame.index.name = "bin"
        return frame

    def groups_frame(self) -> pd.DataFrame:
        """The scores of each group as a table, one row each, and none without groups."""
        import pandas as pd

        names = ["count", *_SCORES]
        rows = [[getattr(curve, name) for name in names] for curve in self.groups.values()]
        index = pd.Index(list(self.groups), name="group", tupleize_cols=False)
        return pd.DataFrame(rows, columns=names, index=index).astype(
            {name: np.int64 if name == "count" else np.float64 for name in names}
        )

    def figure(self, *, groups: bool = False, theme: str = "light") -> go.Figure:
        """Draw the reliability diagram; with ``groups=True`` a curve for each group.

        Parameters
        ----------
        groups : bool
        theme : {"light", "dark"}
        """
        from horizon.figures.calibration import reliability_diagram

        return reliability_diagram(self, groups=groups, theme=theme)

    def __repr__(self) -> str:
        grouped = f", {len(self.groups):,} groups" if self.groups else ""
        return (
            f"CalibrationCurve({_counted(self)}{grouped}: Brier {self.brier_score:.4f}, "
            f"log loss {self.log_loss:.4f}, ECE {self.ece:.4f}, "
            f"skill {self.brier_skill_score:.4f})"
        )

    def _repr_html_(self) -> str:
        scores = [(label, f"{getattr(self, name):.6f}") for name, label in _SCORES.items()]
        tables = [html_table(f"Calibration of {_counted(self)}", (), scores)]
        level = f"{100.0 * self.confidence:g} %"
        bins = [
            (
                f"{100.0 * start:.4g} to {100.0 * stop:.4g} %",
                f"{100.0 * mean:.2f} %" if count else "–",
                f"{100.0 * frequency:.2f} %" if count else "–",
                f"{100.0 * lower:.2f} to {100.0 * upper:.2f} %",
                f"{count:,}",
            )
            for start, stop, mean, (_, frequency, count), (lower, upper) in zip(
                self.bin_edges[:-1],
                self.bin_edges[1:],
                self.mean_predictions,
                self.bins,
                self.intervals,
                strict=True,
            )
        ]
        header = ("Bin", "Mean prediction", "Happened", f"{level} interval", "Count")
        tables.append(html_table(_shortened("Bins", bins), header, bins[:_MOST_ROWS]))
        if self.groups:
            groups = [
                (label, f"{curve.count:,}", *(f"{getattr(curve, name):.4f}" for name in _SCORES))
                for label, curve in self.groups.items()
            ]
            named = ["Group", "Count", *_SCORES.values()]
            tables.append(html_table(_shortened("Groups", groups), named, groups[:_MOST_ROWS]))
        return "".join(tables)


#: Scores by attribute, as tables name them.
_SCORES: Final = {
    "brier_score": "Brier score",
    "log_loss": "Log loss",
    "ece": "ECE",
    "brier_skill_score": "Brier skill",
    "reliability": "Reliability",
    "resolution": "Resolution",
    "uncertainty": "Uncertainty",
    "within_bin": "Within bins",
    "base_rate": "Base rate",
}
#: Rows of a table in a notebook; the frames hold all of them.
_MOST_ROWS: Final = 60


def _counted(curve: CalibrationCurve) -> str:
    pairs, bins = curve.count, len(curve.bins)
    return (
        f"{pairs:,} pair{'' if pairs == 1 else 's'} in {bins:,} {curve.strategy} "
        f"bin{'' if bins == 1 else 's'}"
    )


def _shortened(what: str, rows: Sequence[object]) -> str:
    cut = len(rows) > _MOST_ROWS
    return f"{what}, the first {_MOST_ROWS} of {len(rows):,}" if cut else what


def calibration_curve(
    predictions: Any,
    outcomes: Any,
    n_bins: int = 10,
    *,
    strategy: str = "uniform",
    ties: bool = False,
    confidence: float = 0.95,
    groups: Any = None,
    group_edges: Any = None,
) -> CalibrationCurve:
    """Compare forecast probabilities with what happened.

    Parameters
    ----------
    predictions : array, Series or iterable of float, shape (n,)
        Probabilities, or entry prices of contracts that pay 1: in [0, 1].
    outcomes : array, Series or iterable of float, shape (n,)
        1 (or True) where it happened, 0 (or False) where not.
    n_bins : int
        At most 100,000.
    strategy : {"uniform", "quantile"}
        ``"uniform"`` cuts [0, 1] into bins of one width: a prediction p falls into bin
        ``min(int(p * n_bins), n_bins - 1)``, so that one on an edge belongs to the upper bin.
        ``"quantile"`` puts about the same number of predictions into each bin: the edges are
        the quantiles of the predictions, interpolated linearly, and a prediction on an edge
        belongs to the lower bin. Equal predictions always share a bin and no bin is empty, so
        where many repeat there are fewer bins than asked for.
    ties : bool
        Take outcomes between 0 and 1 too, such as 0.5 for a draw.
    confidence : float
        Level of the Wilson intervals, inside (0, 1).
    groups : array, Series or iterable, shape (n,), optional
        A label for each pair, or with `group_edges` a number, such as its hours to resolution.
        Each group gets a curve of its own, made as this one is. Labels come in sorted order
        where they can be sorted, else as they appear; at most 1,000.
    group_edges : iterable of float, optional
        Rising numbers that cut `groups`: with ``[1, 24]`` the groups are ``"below 1"``,
        ``"1 to 24"`` (24 not included) and ``"24 or more"``. A group without pairs is left out.

    Returns
    -------
    CalibrationCurve

    Raises
    ------
    DataError
        A ``ValueError`` naming argument, row and value: a prediction outside [0, 1] or missing,
        an outcome that is not 0 or 1, a missing label.
    TypeError, ValueError
        If columns differ in length, the labels of two Series differ, or an argument is not as
        above.

    Notes
    -----
    scikit-learn's function of the same name puts a prediction on an edge of uniform bins into
    the lower bin, and leaves empty bins out.

    Examples
    --------
    Nothing that was given less than half came true, and all that was given more did. The score is
    (0.1² + 0.3² + 0.4² + 0.1²) / 4.

    >>> curve = hz.calibration_curve([0.1, 0.3, 0.6, 0.9], [0, 0, 1, 1], n_bins=2)
    >>> curve.bins
    [(0.25, 0.0, 2), (0.75, 1.0, 2)]
    >>> round(curve.brier_score, 4)
    0.0675
    """
    n_bins = checks.integer("n_bins", n_bins)
    if n_bins > _MOST_BINS:
        raise ValueError(f"n_bins must be at most {_MOST_BINS:,}, was {n_bins}")
    checks.one_of("strategy", strategy, ("uniform", "quantile"))
    ties = checks.flag("ties", ties)
    confidence = _confidence(confidence)
    if groups is None and group_edges is not None:
        raise ValueError("group_edges must come with groups, the numbers that they cut")
    p, y = _columns(predictions, outcomes)
    same_labels(predictions=predictions, groups=groups)
    grouped = None if groups is None else _group_codes(groups, group_edges, len(p))
    whole = _curve(p, y, n_bins, strategy, ties, confidence)
    if grouped is None:
        return whole
    codes, labels = grouped
    order = np.argsort(codes.astype(np.int16), kind="stable")  # sorted by digits, so fast
    p, y = p[order], y[order]
    stops = np.cumsum(np.bincount(codes, minlength=len(labels))).tolist()
    for label, start, stop in zip(labels, [0, *stops], stops, strict=False):
        part = slice(start, stop)
        whole.groups[label] = _curve(p[part], y[part], n_bins, strategy, ties, confidence)
    return whole


def log_loss(predictions: Any, outcomes: Any, *, ties: bool = False) -> float:
    """Mean of −ln(probability given to what happened), in nats; lower is better.

    Always saying "50 %" scores ln 2 = 0.693.

    Parameters
    ----------
    predictions, outcomes, ties
        As in `calibration_curve`.

    Returns
    -------
    float
        A tied outcome y counts as y events and 1 − y others. The probability of what happened
        is taken as 1e-15 at least. 0.0 without any pair.

    Raises
    ------
    TypeError, ValueError
        As in `calibration_curve`.

    Examples
    --------
    What happened was given 0.8 both times, and −ln 0.8 is 0.2231:

    >>> round(hz.log_loss([0.8, 0.2], [1, 0]), 4)
    0.2231
    """
    ties = checks.flag("ties", ties)
    p, y = _columns(predictions, outcomes)
    total = 0.0
    for rows in chunks(len(p)):
        low, high = unit_range("predictions", p[rows], rows.start)
        binary = are_binary("outcomes", y[rows], rows.start, ties)
        total += _surprise(p[rows], y[rows], binary, low, high)
    return total / len(p) if len(p) else 0.0


def brier_score(predictions: Any, outcomes: Any, *, ties: bool = False) -> float:
    """Mean of (prediction − outcome)²; lower is better, always saying "50 %" scores 0.25.

    Parameters
    ----------
    predictions, outcomes, ties
        As in `calibration_curve`.

    Returns
    -------
    float
        0.0 without any pair.

    Raises
    ------
    TypeError, ValueError
        As in `calibration_curve`.

    References
    ----------
    Brier (1950), Verification of Forecasts Expressed in Terms of Probability.

    Examples
    --------
    0.2² and 0.4²:

    >>> round(hz.analytics.brier_score([0.8, 0.4], [1, 0]), 4)
    0.1
    """
    ties = checks.flag("ties", ties)
    p, y = _columns(predictions, outcomes)
    total = 0.0
    for rows in chunks(len(p)):
        unit_range("predictions", p[rows], rows.start)
        are_binary("outcomes", y[rows], rows.start, ties)
        missed = p[rows] - y[rows]
        total += dot(missed, missed)
    return total / len(p) if len(p) else 0.0


def wilson_interval(frequency: Any, count: Any, confidence: float = 0.95) -> tuple[Floats, Floats]:
    """Interval of a probability that was seen to happen with a frequency.

    Unlike the frequency ± its standard error it stays within [0, 1], and it has a width where
    something always or never happened.

    Parameters
    ----------
    frequency : float or array of shape (n,)
        Happened / tried, in [0, 1].
    count : int or array of shape (n,)
        How often it was tried; with 0 the interval is (0, 1).
    confidence : float
        Inside (0, 1).

    Returns
    -------
    lower, upper : ndarray of shape (n,)

    Raises
    ------
    ValueError
        If an argument lies outside its range.

    References
    ----------
    Wilson (1927), Probable Inference, the Law of Succession, and Statistical Inference.

    Examples
    --------
    What never happened in four times ends at z² / (4 + z²), z being 1.96:

    >>> lower, upper = hz.analytics.wilson_interval(0.0, 4)
    >>> round(float(lower), 4), round(float(upper), 4)
    (0.0, 0.4899)
    """
    confidence = _confidence(confidence)
    rate, tries = np.asarray(frequency, np.float64), np.asarray(count, np.float64)
    if not ((rate >= 0.0) & (rate <= 1.0)).all():
        raise ValueError(f"frequency must lie in [0, 1], was {checks.show(frequency)}")
    if not ((tries >= 0.0) & (tries < np.inf)).all():
        raise ValueError(f"count must be finite and 0 or more, was {checks.show(count)}")
    # From the tail: near a confidence of 1 the other end of the distribution rounds to 1.
    square = NormalDist().inv_cdf((1.0 - confidence) / 2.0) ** 2
    middle = tries * rate + square / 2.0
    spread = np.sqrt(square * (tries * rate * (1.0 - rate) + square / 4.0))
    whole = np.maximum(tries, 1.0) + square
    # Rounding must not push an end past the frequency that it is an interval of.
    lower = np.clip(np.minimum((middle - spread) / whole, rate), 0.0, 1.0)
    upper = np.clip(np.maximum((middle + spread) / whole, rate), 0.0, 1.0)
    return np.where(tries > 0.0, lower, 0.0), np.where(tries > 0.0, upper, 1.0)


# ------------------------------------------------------------------------ the work
def _confidence(confidence: float) -> float:
    checked = checks.number("confidence", confidence)
    if not 0.0 < checked < 1.0:
        raise ValueError(f"confidence must lie inside (0, 1), was {checked!r}")
    return checked


def _columns(predictions: Any, outcomes: Any) -> tuple[Floats, Floats]:
    p = number_column("predictions", predictions)
    y = number_column("outcomes", outcomes, booleans=True)
    same_lengths(predictions=p, outcomes=y)
    same_labels(predictions=predictions, outcomes=outcomes)
    return p, y


@dataclass(slots=True)
class _Sums:
    """What one pass over the pairs adds up: by bin, and over all."""

    counts: Floats
    p: Floats
    y: Floats
    p_squared: float = 0.0
    y_squared: float = 0.0
    p_times_y: float = 0.0
    missed_squared: float = 0.0
    surprise: float = 0.0
    lowest_y: float = np.inf
    highest_y: float = -np.inf


def _curve(
    p: Floats, y: Floats, n_bins: int, strategy: str, ties: bool, confidence: float
) -> CalibrationCurve:
    if strategy == "uniform":
        edges = np.arange(n_bins + 1) / n_bins
        # A prediction of 1 gets the number after the last bin, to which it belongs.
        sums = _summed(p, y, lambda part: (part * n_bins).astype(np.intp), n_bins + 1, ties)
        for by_bin in (sums.counts, sums.p, sums.y):
            by_bin[-2] += by_bin[-1]
        sums.counts, sums.p, sums.y = sums.counts[:-1], sums.p[:-1], sums.y[:-1]
        centres = (np.arange(n_bins) + 0.5) / n_bins
    else:
        edges = _quantile_edges(p, n_bins)
        sums = _summed(p, y, _edge_finder(edges[1:-1]), len(edges) - 1, ties)
        # What lies between two quantiles and holds nothing becomes part of the bin above.
        held = sums.counts > 0.0
        edges = np.concatenate([edges[:1], edges[1:][held]]) if len(p) else edges[:0]
        sums.counts, sums.p, sums.y = sums.counts[held], sums.p[held], sums.y[held]
        centres = (edges[:-1] + edges[1:]) / 2.0
    return _scored(sums, edges, centres, strategy, confidence)


def _summed(
    p: Floats, y: Floats, bin_of: Callable[[Floats], NDArray[np.intp]], slots: int, ties: bool
) -> _Sums:
    """Check all pairs and add them up, chunk by chunk."""
    sums = _Sums(np.zeros(slots), np.zeros(slots), np.zeros(slots))
    for rows in chunks(len(p), slots):
        said, came = p[rows], y[rows]
        low, high = unit_range("predictions", said, rows.start)
        binary = are_binary("outcomes", came, rows.start, ties)
        codes = bin_of(said)
        sums.counts += np.bincount(codes, minlength=slots)
        sums.p += np.bincount(codes, said, slots)
        sums.y += np.bincount(codes, came, slots)
        sums.p_squared += dot(said, said)
        sums.y_squared += dot(came, came)
        sums.p_times_y += dot(said, came)
        missed = said - came
        sums.missed_squared += dot(missed, missed)
        sums.surprise += _surprise(said, came, binary, low, high)
        sums.lowest_y = min(sums.lowest_y, float(came.min()))
        sums.highest_y = max(sums.highest_y, float(came.max()))
    return sums


def _scored(
    sums: _Sums, edges: Floats, centres: Floats, strategy: str, confidence: float
) -> CalibrationCurve:
    counts = sums.counts
    holds = counts > 0.0
    means = np.divide(sums.p, counts, out=centres.copy(), where=holds)
    rates = np.divide(sums.y, counts, out=np.zeros(len(counts)), where=holds)
    lower, upper = wilson_interval(rates, counts, confidence)
    n = int(counts.sum())
    total = max(n, 1)
    base = float(sums.y.sum()) / total
    # Of outcomes that are all alike the variance is 0, which rounding would miss.
    variance = sums.y_squared / total - base * base if sums.lowest_y < sums.highest_y else 0.0
    return CalibrationCurve(
        bins=list(zip(centres.tolist(), rates.tolist(), map(int, counts.tolist()), strict=True)),
        mean_predictions=means.tolist(),
        intervals=list(zip(lower.tolist(), upper.tolist(), strict=True)),
        bin_edges=edges.tolist(),
        brier_score=sums.missed_squared / total,
        log_loss=sums.surprise / total,
        ece=dot(counts, np.abs(means - rates)) / total,
        reliability=dot(counts, (means - rates) ** 2) / total,
        resolution=dot(counts, (rates - base) ** 2) / total,
        uncertainty=max(variance, 0.0),
        within_bin_variance=max(sums.p_squared - dot(sums.p, means), 0.0) / total,
        within_bin_covariance=2.0 * (sums.p_times_y - dot(sums.p, rates)) / total,
        base_rate=base,
        count=n,
        strategy=strategy,
        confidence=confidence,
    )


def _surprise(p: Floats, y: Floats, binary: bool, low: float, high: float) -> float:
    """Sum of −ln(probability given to what happened); `low` and `high` are those of `p`."""
    clips = low < _CLIP or high > 1.0 - _CLIP
    if not binary:
        happened, other = np.maximum(p, _CLIP), np.maximum(1.0 - p, _CLIP)
        return 0.0 - (dot(y, np.log(happened)) + dot(1.0 - y, np.log(other)))
    # One logarithm a pair: |p + (y − 1)| is p where y is 1, and 1 − p where it is 0.
    given = y - 1.0
    given += p
    np.abs(given, out=given)
    if clips:
        np.maximum(given, _CLIP, out=given)
    np.log(given, out=given)
    return 0.0 - float(given.sum())


def _edge_finder(inner: Floats) -> Callable[[Floats], NDArray[np.intp]]:
    """A function that counts the edges below each prediction: the number of its bin."""
    if len(inner) > _FEW_EDGES:
        return lambda part: np.searchsorted(inner, part, side="left")

    def edges_below(part: Floats) -> NDArray[np.intp]:
        # As many passes as there are edges, each of which costs next to nothing.
        below = np.zeros(len(part), dtype=np.int8)
        for edge in inner.tolist():
            below += part > edge
        return below.astype(np.intp)

    return edges_below


def _quantile_edges(p: Floats, n_bins: int) -> Floats:
    """The lowest of `p` and its distinct quantiles up to the highest; one edge of nothing."""
    last = len(p) - 1
    if last < 0:
        return np.zeros(1)
    # Sorting would hide a NaN at the end of them.
    for rows in chunks(len(p)):
        unit_range("predictions", p[rows], rows.start)
    # Places in whole numbers: in floats the place of a prediction itself may come out just
    # below it, and the prediction would change its bin.
    whole, rest = np.divmod(last * np.arange(n_bins + 1, dtype=np.int64), n_bins)
    ranked = np.sort(p)
    lower, upper = ranked[whole], ranked[np.minimum(whole + 1, last)]
    edges = np.minimum(lower + (upper - lower) * (rest / n_bins), upper)
    # The lowest stands alone before the others: where many are equal to it, they are a bin.
    return np.concatenate([edges[:1], np.unique(edges[1:])])


def _group_codes(groups: Any, group_edges: Any, size: int) -> tuple[NDArray[np.intp], list[Any]]:
    """Return the group of each pair as a number, and the labels by number."""
    if group_edges is not None:
        return _cut_groups(groups, group_edges, size)
    one_column("groups", groups, "labels")
    import pandas as pd

    values = groups.to_numpy() if hasattr(groups, "to_numpy") else groups
    if not isinstance(values, np.ndarray):
        listed = list(values)
        values = np.empty(len(listed), dtype=object)
        values[:] = listed
    if len(values) != size:
        raise ValueError(f"groups must have a label for each pair, had {len(values)} for {size}")
    try:
        codes, uniques = pd.factorize(values, use_na_sentinel=True)
    except TypeError as error:
        raise TypeError(f"groups must hold labels that can be counted: {error}") from None
    if size and codes.min() < 0:
        row = int(np.flatnonzero(codes < 0)[0])
        refuse("groups", row, values[row], "a label")
    if len(uniques) > _MOST_GROUPS:
        raise ValueError(
            f"groups must have at most {_MOST_GROUPS:,} labels, had {len(uniques):,}; numbers are "
            "cut into groups by group_edges"
        )
    labels = uniques.tolist() if uniques.dtype.kind in "biufU" else list(uniques)
    try:
        order = sorted(range(len(labels)), key=labels.__getitem__)
    except TypeError:  # labels of several kinds
        order = list(range(len(labels)))
    rank = np.empty(len(labels), dtype=np.intp)
    rank[order] = np.arange(len(labels))
    return rank[codes], [labels[i] for i in order]


def _cut_groups(groups: Any, group_edges: Any, size: int) -> tuple[NDArray[np.intp], list[Any]]:
    cuts = number_column("group_edges", group_edges)
    if not len(cuts) or not np.isfinite(cuts).all() or (np.diff(cuts) <= 0.0).any():
        raise ValueError(f"group_edges must be rising finite numbers, was {cuts.tolist()!r:.80}")
    if len(cuts) >= _MOST_GROUPS:
        raise ValueError(f"group_edges must be fewer than {_MOST_GROUPS:,}, were {len(cuts):,}")
    values = number_column("groups", groups)
    if len(values) != size:
        raise ValueError(f"groups must have a number for each pair, had {len(values)} for {size}")
    missing = np.isnan(values)
    if missing.any():
        row = int(np.flatnonzero(missing)[0])
        refuse("groups", row, float(values[row]), "a number")
    shown = [f"{cut:g}" if float(f"{cut:g}") == cut else repr(cut) for cut in cuts.tolist()]
    labels = [
        f"below {shown[0]}",
        *(f"{start} to {stop}" for start, stop in pairwise(shown)),
        f"{shown[-1]} or more",
    ]
    codes = np.searchsorted(cuts, values, side="right")
    held = np.bincount(codes, minlength=len(labels)) > 0
    number = np.cumsum(held) - 1
    return number[codes], [label for label, has in zip(labels, held.tolist(), strict=True) if has]
