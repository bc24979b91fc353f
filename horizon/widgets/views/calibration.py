"""The calibration view: whether prices and a model mean what they say, for what one chooses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from horizon import checks, words
from horizon.analytics.calibration import CalibrationCurve
from horizon.analytics.decay import EdgeDecay
from horizon.analytics.pairs import SIDES, ForecastPairs
from horizon.analytics.report import Table
from horizon.backtesting.result import BacktestResult
from horizon.backtesting.result_pairs import pairs_of
from horizon.figures.calibration import edge_decay, reliability_diagram
from horizon.widgets.job import Tell
from horizon.widgets.palette import Palette
from horizon.widgets.views.base import View
from horizon.widgets.views.choices import (
    PERIOD,
    chosen_of,
    lines_of,
    period_chosen,
    refuse_others,
)
from horizon.widgets.views.files import pairs_file
from horizon.widgets.views.judged import (
    bins_table,
    cautions_of,
    decay_table,
    groups_table,
    key_of,
    parts_table,
    scores_table,
)
from horizon.widgets.views.pairs_form import (
    LEVELS,
    STRATEGIES,
    PairsAsked,
    PairsBase,
    pairs_adapted,
    pairs_asked,
    pairs_fields,
    pairs_period,
    pairs_source,
    pairs_written,
)
from horizon.widgets.views.tables import table_picture
from horizon.widgets.views.work import Answer, Saved, Tab

__all__ = ["CalibrationView"]

_LEAVE: Final = object()
#: What `choose` takes.
_CHOICES: Final = (
    *("of", "bins", "strategy", "confidence", "by", "side", "ties"),
    *("period", "start", "end", "markets"),
)


@dataclass(frozen=True, slots=True)
class _Judged:
    """What an answer was made of."""

    pairs: ForecastPairs
    calibration: CalibrationCurve
    decay: EdgeDecay | None
    tables: tuple[Table, ...]


class CalibrationView(View):
    """Show how often what was forecast came true, worked out for what one chooses.

    The reliability diagram with its bins and intervals, the Brier score taken apart, groups, and
    how the edge shrinks towards resolution; of prices or of a model, for some markets, a period, a
    side, with any number of bins.

    Parameters
    ----------
    source : BacktestResult, ForecastPairs, or predictions, optional
        Of a result, each fill in a market that settled within the run is a pair, as those of YES.
        Predictions are an array-like of shape (n,) of probabilities. Without a source it is empty
        until `show` is called.
    outcomes : array-like of shape (n,), optional
        What happened; with predictions only.
    model, markets, sides, times, resolutions : array-like of shape (n,), optional
        As `forecast_pairs` takes them; with predictions only. Each makes one more choice possible.
    palette : str or Palette

    Raises
    ------
    DataError, TypeError, ValueError
        If an argument is not as above.
    RuntimeError
        Outside of an event loop, which every notebook has.

    Examples
    --------
    >>> said, happened = [0.2, 0.2, 0.2, 0.2, 0.8, 0.8], [0, 0, 1, 0, 1, 1]
    >>> view = hz.widgets.CalibrationView(said, happened)
    >>> view.choose(bins=5)
    >>> await view.settled()  # doctest: +SKIP
    >>> round(view.calibration.brier_score, 4)  # doctest: +SKIP
    0.14
    >>> view.close()
    """

    kind = "Calibration"
    defaults: ClassVar[Mapping[str, str]] = {
        "of": "price",
        "bins": "10",
        "strategy": "uniform",
        "confidence": "0.95",
        "by": "",
        "side": "",
        "ties": "yes",
        **PERIOD,
        "markets": "",
    }
    exports: ClassVar[Mapping[str, tuple[str, str]]] = {
        "html": ("Page", "one HTML page with the figures and every table"),
        "png": ("Picture", "a PNG picture of the figure on show"),
        "csv": ("Bins, CSV", "the bins with every digit, for a spreadsheet"),
        "json": ("Numbers, JSON", "scores, bins, groups and decay as JSON"),
        "pairs": ("Pairs, CSV", "each forecast and what came of it, for a spreadsheet"),
    }

    def __init__(
        self,
        source: Any = None,
        outcomes: Any = None,
        *,
        model: Any = None,
        markets: Any = None,
        sides: Any = None,
        times: Any = None,
        resolutions: Any = None,
        palette: str | Palette = "blue-orange",
    ) -> None:
        columns = {
            "model": model,
            "markets": markets,
            "sides": sides,
            "times": times,
            "resolutions": resolutions,
        }
        taken = pairs_source(source, outcomes, columns)
        super().__init__(palette=palette)
        if taken is not None:
            self.turn_to(taken)

    @property
    def calibration(self) -> CalibrationCurve | None:
        """The curve on show; None until the first is worked out."""
        return None if self._made is None else self._made.answer.of.calibration

    @property
    def decay(self) -> EdgeDecay | None:
        """The decay of the edge on show; None without times, or until it is worked out."""
        return None if self._made is None else self._made.answer.of.decay

    @property
    def pairs(self) -> ForecastPairs | None:
        """The pairs that are on show; None until they are worked out."""
        return None if self._made is None else self._made.answer.of.pairs

    def show(self, source: Any, outcomes: Any = None, **columns: Any) -> None:
        """Show another source in this place; what was chosen stays where it still applies.

        Parameters
        ----------
        source, outcomes, **columns
            As of the class; None shows nothing.
        """
        known = ("model", "markets", "sides", "times", "resolutions")
        for name in columns:
            checks.one_of("an argument of show", name, known)
        self.turn_to(pairs_source(source, outcomes, columns))

    def choose(
        self,
        *,
        of: str | None = None,
        bins: int | None = None,
        strategy: str | None = None,
        confidence: float | None = None,
        by: Any = _LEAVE,
        side: Any = _LEAVE,
        ties: bool | None = None,
        period: str | None = None,
        start: Any = _LEAVE,
        end: Any = _LEAVE,
        markets: Any = _LEAVE,
        **_others: Any,
    ) -> None:
        """Choose as in the form; what is not named stays as it is.

        Parameters
        ----------
        of : {"price", "model"}, optional
        bins : int, optional
            At most 200.
        strategy : {"uniform", "quantile"}, optional
        confidence : {0.9, 0.95, 0.99}, optional
        by : {"market", "side", "hours"} or None, optional
            Make a curve of each group too.
        side : {"buy", "sell"} or None for both, optional
        ties : bool, optional
            Whether outcomes between 0 and 1 count.
        period, start, end, markets : optional
            As for `TearsheetView.choose`; of the times of the forecasts.

        Raises
        ------
        TypeError, ValueError
            If something cannot be chosen; nothing is changed then.
        """
        refuse_others(_others, _CHOICES)
        ends = {n: v for n, v in (("start", start), ("end", end)) if v is not _LEAVE}
        values = period_chosen(period, ends)
        if of is not None:
            values["of"] = checks.one_of("of", of, ("price", "model"))
        if bins is not None:
            values["bins"] = str(checks.integer("bins", bins))
        if strategy is not None:
            names = tuple(name for name, _ in STRATEGIES)
            values["strategy"] = checks.one_of("strategy", strategy, names)
        if confidence is not None:
            levels = [float(name) for name, _ in LEVELS]
            if checks.number("confidence", confidence) not in levels:
                listed = ", ".join(f"{level:g}" for level in levels)
                raise ValueError(f"confidence must be one of {listed}, was {confidence!r}")
            values["confidence"] = f"{confidence:g}"
        if by is not _LEAVE:
            values["by"] = chosen_of("by", by, ("market", "side", "hours"), "no groups")
        if side is not _LEAVE:
            values["side"] = chosen_of("side", side, SIDES, "both")
        if ties is not None:
            values["ties"] = "yes" if checks.flag("ties", ties) else ""
        if markets is not _LEAVE:
            values["markets"] = lines_of(markets)
        self.take_choices(values)

    # ------------------------------------------------------------------ the source
    def base_of(self, source: Any) -> PairsBase:
        """Read the pairs, and find what can be chosen of them; ValueError where there are none."""
        title = "Forecasts"
        if isinstance(source, BacktestResult):
            title, source = source.name, pairs_of(source.record)
        if len(source) == 0:
            raise ValueError(
                f"calibration needs {source.what}s of events that resolved; there are none"
            )
        times = source.times_ns
        first, last = (0, 0) if times is None else (int(times.min()), int(times.max()))
        used = set(source.codes.tolist()) if source.markets else set()
        markets = tuple(name for code, name in enumerate(source.markets) if code in used)
        return PairsBase(source, title, markets, first, last)

    # ------------------------------------------------------------------ the choices
    def starting(self, base: PairsBase) -> dict[str, str]:
        """Prices in ten bins of one width, of all that there is."""
        return self.changed(base, dict(self.defaults), {"period"})

    def adapted(self, base: PairsBase, values: dict[str, str]) -> tuple[dict[str, str], list[str]]:
        """Keep what these pairs can be chosen by."""
        return pairs_adapted(base, values)

    def changed(self, base: PairsBase, values: dict[str, str], names: set[str]) -> dict[str, str]:
        """A named period writes its ends; an end that is written is a period of one's own."""
        return pairs_written(base, values, names)

    def fields_of(self, base: PairsBase, values: Mapping[str, str]) -> list[dict[str, Any]]:
        """What is judged, in which bins, of which pairs."""
        return pairs_fields(base, values)

    def asked_of(self, base: PairsBase, values: Mapping[str, str]) -> PairsAsked:
        """Read the form."""
        return pairs_asked(base, values)

    # ------------------------------------------------------------------ the answer
    def answer(self, base: PairsBase, asked: PairsAsked, tell: Tell) -> Answer:
        """Judge the pairs that were asked for; ValueError where none is left."""
        some = base.pairs.where(span=asked.span, markets=asked.markets, side=asked.side)
        pairs = some.where(without_ties=asked.without_ties)
        if len(pairs) == 0:
            raise ValueError(f"no {pairs.what} is left by these choices: take one of them back")
        curve = pairs.calibration(
            asked.of,
            asked.bins,
            strategy=asked.strategy,
            confidence=asked.confidence,
            by=asked.by,
        )
        tell("numbers")
        decay = pairs.decay() if pairs.untimed < len(pairs) else None
        cautions = cautions_of(
            pairs,
            curve,
            decay,
            of=asked.of,
            asked_bins=asked.bins,
            left_out_ties=len(some) - len(pairs),
        )
        tell("tables")
        made = {
            "reliability": [bins_table(curve)],
            "scores": [parts_table(curve), scores_table(curve)],
        }
        if asked.by is not None:
            made["groups"] = [groups_table(curve, asked.by)]
        if decay is not None:
            made["decay"] = [decay_table(decay)]
        labels = {"reliability": "Reliability", "scores": "Scores", "groups": "Groups"}
        tabs = [
            Tab(
                name,
                labels.get(name, "Edge decay"),
                [table_picture(table) for table in tables],
                has_figure=name != "scores",
            )
            for name, tables in made.items()
        ]
        return Answer(
            of=_Judged(pairs, curve, decay, tuple(t for own in made.values() for t in own)),
            title=base.title,
            period=pairs_period(base, asked, pairs),
            cautions=[words.name(text) for text in cautions],
            key=key_of(curve, pairs),
            tabs=tabs,
        )

    def figures_of(self, answer: Answer, theme: str) -> dict[str, Any]:
        """The reliability diagram, that of the groups, and the decay of the edge."""
        judged: _Judged = answer.of
        found = {"reliability": reliability_diagram(judged.calibration, theme=theme)}
        if judged.calibration.groups:
            found["groups"] = reliability_diagram(judged.calibration, groups=True, theme=theme)
        if judged.decay is not None:
            found["decay"] = edge_decay(judged.decay, theme=theme)
        return found

    def file_of(self, kind: str, answer: Answer, figures: dict[str, Any], theme: str) -> Saved:
        """Write the page, the picture, the bins, the numbers or the pairs."""
        judged: _Judged = answer.of
        return pairs_file(
            kind,
            answer,
            judged.pairs,
            judged.calibration,
            judged.decay,
            judged.tables,
            figures,
            self._tab,
            theme,
        )
