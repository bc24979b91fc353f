"""An explorer's runs: one setting after another on data that is read once, and what goes wrong."""

from __future__ import annotations

import copy
import inspect
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from horizon import checks, words
from horizon.backtesting.data import DataChunks, read_data
from horizon.backtesting.play import Played
from horizon.backtesting.simulate import backtest
from horizon.books import read_book_data
from horizon.errors import PipelineError
from horizon.walkforward.tasks import make_pipeline
from horizon.widgets.live import words_of

if TYPE_CHECKING:
    from horizon.backtesting.result import BacktestResult
    from horizon.widgets.job import Tell

__all__ = ["Failure", "Going", "Ran", "Runner", "check_arguments", "failure_of"]

#: Frames of a user's own code that an error is shown with, and letters of a line of it.
_FRAMES: Final = 6
_LINE: Final = 160
#: Arguments of a backtest that an explorer gives itself, and what to give it instead.
_OWN: Final = {
    "pipeline": "the pipeline comes from pipeline_factory",
    "strategies": "the strategies come from pipeline_factory, in the list that it returns",
    "progress": "the explorer shows it",
}
_OURS: Final = str(Path(__file__).resolve().parents[2])


def check_arguments(arguments: Mapping[str, Any]) -> None:
    """Refuse what no backtest takes, and what an explorer gives itself."""
    known = [name for name in inspect.signature(backtest).parameters if name not in _OWN]
    for name in arguments:
        if name in _OWN:
            raise TypeError(f"{name} must not be given: {_OWN[name]}")
        if name not in known:
            raise TypeError(
                f"BacktestExplorer has no argument {name!r}, and hz.backtest has none either"
                f"{checks.suggestion(name, [*known, 'start', 'auto', 'begin', 'keep', 'palette'])}"
            )
    if "name" in arguments:
        checks.text("name", arguments["name"])


@dataclass(frozen=True, slots=True, eq=False)
class Ran:
    """A run that has ended: its result, all seconds that it took, and those of the backtest."""

    result: BacktestResult
    seconds: float
    backtest_seconds: float


@dataclass(frozen=True, slots=True)
class Going:
    """How far a run is, and for how many seconds it has played rows."""

    played: Played
    seconds: float

    @property
    def left(self) -> float | None:
        """Seconds until its last row, if they take as long as those before; None if unknown."""
        rows, total = self.played.rows, self.played.total
        if total is None or not rows:
            return None
        return self.seconds / rows * (total - rows)


class Runner:
    """Runs one setting after another on data that is read once.

    Parameters
    ----------
    data, book_data : object
        As `hz.backtest` takes them.
    factory : callable
        As a search takes it.
    arguments : mapping
        The further arguments of `hz.backtest`.
    """

    def __init__(
        self,
        data: Any,
        factory: Callable[[dict[str, Any]], Any],
        arguments: Mapping[str, Any],
        book_data: Any = None,
    ) -> None:
        self._data, self._books = data, book_data
        self._factory = factory
        self._arguments = dict(arguments)
        self._is_read = False

    def run(self, name: str, setting: Mapping[str, Any], tell: Tell) -> Ran:
        """Run a setting, in whatever thread this is; `tell` hears texts, and `Going`.

        Raises
        ------
        HorizonError, TypeError, ValueError
            What reading the data, the factory or the run raises.
        """
        began = time.perf_counter()
        self._read(tell)
        tell("Making the pipeline")
        pipeline, strategies = make_pipeline(self._factory, setting)

        started = time.perf_counter()
        playing = started

        def told(played: Played) -> None:
            nonlocal playing
            now = time.perf_counter()
            playing = playing if played.rows else now
            tell(Going(played, now - playing))

        result = backtest(
            name=name,
            data=self._data,
            book_data=self._books,
            pipeline=pipeline,
            strategies=strategies or None,
            params=_own(setting),
            progress=told,
            **self._arguments,
        )
        ended = time.perf_counter()
        tell("Working out the figures")
        _ = result.metrics  # kept by the result; whoever shows it does not wait for them
        return Ran(result, time.perf_counter() - began, ended - started)

    def _read(self, tell: Tell) -> None:
        if self._is_read:
            return
        tell("Reading the data")
        reading = {
            key: self._arguments[key]
            for key in ("bad_rows", "columns", "timezone")
            if key in self._arguments
        }
        if self._data is not None:
            read = read_data(self._data, **reading)
            if not isinstance(read, DataChunks):  # those are read as they are played
                self._data = read
        if self._books is not None:
            books, dropped = read_book_data(self._books, bad_rows=reading.get("bad_rows", "raise"))
            if not dropped:  # what was left out is counted by each run itself
                self._books = books
        self._is_read = True


def _own(setting: Mapping[str, Any]) -> dict[str, Any]:
    """A run's own copy: what it does to a list in it no other run sees."""
    own = {}
    for name, value in setting.items():
        try:
            own[name] = copy.deepcopy(value)
        except Exception:  # what cannot be copied is shared
            own[name] = value
    return own


# ------------------------------------------------------------------------ what went wrong
@dataclass(frozen=True, slots=True)
class Failure:
    """Why a run has no result, in words.

    Attributes
    ----------
    setting : dict
        Its parameters.
    text : str
        What was raised.
    facts : tuple of (str, str)
        Stage, market and time of a stage's error.
    lines : tuple of str
        Where in the user's own code, the innermost last.
    """

    setting: dict[str, Any]
    text: str
    facts: tuple[tuple[str, str], ...]
    lines: tuple[str, ...]


def failure_of(setting: Mapping[str, Any], error: BaseException) -> Failure:
    """Say what went wrong in a run."""
    facts: list[tuple[str, str]] = []
    cause: BaseException = error
    if isinstance(error, PipelineError):
        facts = [
            ("Stage", words.name(error.stage)),
            ("Market", words.name(error.market_id)),
            ("Time, UTC", words.clock(error.timestamp, date=True)),
        ]
    while cause.__cause__ is not None:
        cause = cause.__cause__
    text = words_of(cause) if facts else words_of(error)
    return Failure(dict(setting), text, tuple(facts), tuple(_places(cause)))


def _places(error: BaseException) -> list[str]:
    """Where in code that is not ours an error came from."""
    own = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith(_OURS)
    ]
    lines = []
    for frame in own[-_FRAMES:]:
        code = (frame.line or "").strip()
        # A cell's file has a number for its name, which says nothing to anybody.
        is_cell = "ipykernel" in frame.filename or frame.filename.startswith("<ipython")
        file = "a cell" if is_cell else Path(frame.filename).name
        where = f"{file}, line {frame.lineno}, in {frame.name}"
        told = words.name(f"{where}: {code}" if code else where)
        lines.append(told if len(told) <= _LINE else f"{told[: _LINE - 1]}…")
    return lines
