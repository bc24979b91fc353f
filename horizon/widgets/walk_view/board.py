"""A search that is under way: what it has found so far, filled in run by run."""

from __future__ import annotations

import math
import threading
from collections import Counter, deque
from collections.abc import Mapping
from itertools import product
from typing import Any, Final

import numpy as np

from horizon import checks, words
from horizon.backtesting.result_words import counted
from horizon.walkforward.progress import Searched
from horizon.walkforward.words import objective_words
from horizon.widgets import sections
from horizon.widgets.sections import Section

__all__ = ["SearchBoard", "rest_words"]

#: Windows that the table lists.
_ROWS: Final = 60
_DAY_NS: Final = 86_400_000_000_000
#: Facts with longer words.
_BEST, _PARAMS, _SILENT = "Best in training", "Its parameters", "Trainings that said nothing"
_STAGES: Final = {"train": "training", "test": "test", "whole": "run over the whole span"}


class SearchBoard:
    """What a search has told so far.

    `hear` is for the thread of the search, the rest for the event loop's; `heat_map` for any.
    """

    def __init__(self, method: str) -> None:
        self._heard: deque[Searched] = deque()
        self._lock = threading.Lock()
        self._is_walk = method == "walk_forward"
        #: The newest; None before the first.
        self.latest: Searched | None = None
        self._done: Counter[str] = Counter()
        self._silent: Counter[str] = Counter()
        self._found = 0
        #: By (window, setting), the objective of a training, and why it says nothing.
        self._train: dict[tuple[int, int], tuple[float, str]] = {}
        self._trained: Counter[int] = Counter()
        #: By window, the best training so far: its objective and its setting.
        self._best: dict[int, tuple[float, int]] = {}
        #: By (window, setting), the objective of a test.
        self._test: dict[tuple[int, int], float] = {}

    def hear(self, searched: Searched) -> None:
        """Take what the search tells, in its thread."""
        self._heard.append(searched)

    @property
    def trainings(self) -> int:
        """How many trainings have been read: a heat map is drawn anew for more of them."""
        return self._done["train"]

    def read(self) -> None:
        """Take up what was heard since the last time."""
        with self._lock:
            while self._heard:
                self._take(self._heard.popleft())

    def _take(self, one: Searched) -> None:
        self.latest = one
        self._done[one.kind] += 1
        self._found += one.is_found
        place = (one.window, one.setting)
        if one.kind == "test":
            self._test[place] = one.objective
        if one.kind != "train":
            return
        self._train[place] = one.objective, one.why
        self._trained[one.window] += 1
        if one.why:
            self._silent[one.why] += 1
        if math.isnan(one.objective):
            return
        best = self._best.get(one.window)
        sign = 1.0 if one.maximize else -1.0
        mine = (sign * one.objective, -one.setting)
        if best is None or mine > (sign * best[0], -best[1]):
            self._best[one.window] = one.objective, one.setting

    # ------------------------------------------------------------------ what is shown
    def sections(self) -> list[Section]:
        """How far it is, the best so far, and each window."""
        one = self.latest
        if one is None:
            waiting = "Reading the data, and making the first run, by which the rest is estimated."
            return [sections.said("waiting", lead=waiting)]
        percent = min(99.9, math.floor(1000.0 * one.runs / one.total) / 10.0)
        percent = 100.0 if one.runs >= one.total else percent
        text = f"{one.runs:,} of {counted(one.total, 'run')}"
        return [
            sections.bar("bar", "Runs done", percent, f"{text}, {self._under_way(one)}"),
            sections.facts("facts", self._facts(one), wide=(_BEST, _PARAMS, _SILENT)),
            self._windows(one),
        ]

    def _under_way(self, one: Searched) -> str:
        where = "" if one.kind == "whole" else f" of {self._unit(one)} {one.window}"
        return f"the last a {_STAGES[one.kind]}{where} in {words.duration(_round(one.run_seconds))}"

    def _unit(self, one: Searched) -> str:
        if self._is_walk:
            return "window"
        return "piece" if one.kind == "train" else "group"

    def _facts(self, one: Searched) -> list[tuple[str, str]]:
        best = words.MISSING
        if one.best is not None:
            best = _value(one, one.best)
        where = words.MISSING
        if one.best_window is not None:
            where = f"{'window' if self._is_walk else 'piece'} {one.best_window}"
        best_params = words.MISSING if one.best_params is None else words.setting(one.best_params)
        silent = ", ".join(f"{words.name(why)} ({n:,})" for why, n in self._silent.items())
        pairs = [
            ("Time so far", words.duration(math.floor(one.seconds))),
            ("Time left, about", rest_words(one.remaining)),
            (_BEST, f"{words.name(one.metric)} {best}"),
            (_PARAMS, best_params),
            ("Found in", where),
            ("Trainings", f"{self._done['train']:,}"),
            ("Tests", f"{self._done['test']:,}"),
        ]
        if self._is_walk:
            pairs.append(("Over the whole span", f"{self._done['whole']:,}"))
        pairs += [(_SILENT, silent or "none"), ("From the cache", f"{self._found:,} runs")]
        return pairs

    def _windows(self, one: Searched) -> Section:
        unit = "Window" if self._is_walk else "Piece"
        metric = words.name(one.metric)
        columns = [
            sections.column(unit),
            sections.column("Trained from, UTC", minor=True),
            sections.column("Trained to, UTC", minor=True),
            sections.column("Trainings", number=True),
            sections.column(f"Best so far, {metric}", number=True),
            sections.column("Its parameters", wraps=True),
        ]
        if self._is_walk:
            columns.append(sections.column(f"Its test, {metric}", number=True))
        is_long = self._are_days(one)
        rows = []
        for number, window in enumerate(one.windows[:_ROWS]):
            start, end = _span(window)
            best = self._best.get(number)
            cells = [
                f"{number}",
                _stamp(start, date_only=is_long),
                _stamp(end, date_only=is_long),
                f"{self._trained[number]:,}",
                words.MISSING if best is None else _value(one, best[0]),
                words.MISSING if best is None else words.setting(one.settings[best[1]]),
            ]
            if self._is_walk:
                tested = math.nan if best is None else self._test.get((number, best[1]), math.nan)
                cells.append(_value(one, tested))
            rows.append((f"{number}", cells))
        left = len(one.windows) - _ROWS
        note = f"{counted(left, f'more {unit.lower()}')} not shown." if left > 0 else ""
        title = f"{unit}s" if self._is_walk else "Pieces of time that are trained on"
        return sections.table("windows", columns, rows, title=title, note=note)

    @staticmethod
    def _are_days(one: Searched) -> bool:
        spans = [_span(window) for window in one.windows]
        return min(end - start for start, end in spans) >= 2 * _DAY_NS

    # ------------------------------------------------------------------ the heat map
    def heat_map(self, theme: str) -> Any:
        """Draw the trainings so far by their parameters."""
        from horizon.figures.heat_maps import parameter_heat_map

        with self._lock:
            one = self.latest
            train, best = dict(self._train), dict(self._best)
        assert one is not None
        settings: tuple[Mapping[str, Any], ...] = one.settings
        values = np.full((len(one.windows), len(settings)), np.nan)
        # What is not there yet is no gap.
        places = product(range(len(one.windows)), range(len(settings)))
        why = {place: "due" for place in places if place not in train}
        for (window, setting), (objective, reason) in train.items():
            if math.isfinite(objective):
                values[window, setting] = objective
            else:
                why[window, setting] = reason or "without limit"
        return parameter_heat_map(
            settings,
            values,
            chosen=[best[n][1] if n in best else None for n in range(len(one.windows))],
            reasons=why,
            row_name="window" if self._is_walk else "piece",
            objective=one.metric,
            maximize=one.maximize,
            theme=theme,
            title="Training by parameters, so far",
        )


def _value(one: Searched, value: float) -> str:
    """Write a value of the objective; money without its currency, which a search does not tell."""
    return objective_words(one.metric, value, "").strip()


def _span(window: Any) -> tuple[int, int]:
    """Where a window's training begins and ends, or a piece."""
    start = getattr(window, "train_start_ns", None)
    return (window.start_ns, window.end_ns) if start is None else (start, window.train_end_ns)


def rest_words(seconds: float | None) -> str:
    """Write a time that is guessed: the longer, the coarser."""
    if seconds is None or not math.isfinite(seconds):
        return words.MISSING
    step = 1 if seconds < 20 else 5 if seconds < 120 else 60 if seconds < 7_200 else 600
    return words.duration(math.ceil(seconds / step - 1e-9) * step)


def _stamp(ns: int, *, date_only: bool) -> str:
    """Write a time in UTC; the day alone where that tells it apart."""
    text = words.clock(checks.ns_to_seconds(ns), date=True)
    return text[:10] if date_only else text


def _round(seconds: float) -> float:
    return seconds if seconds < 10.0 else round(seconds)
