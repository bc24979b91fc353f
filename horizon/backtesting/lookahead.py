"""Whether decisions used data from their future: run again with another future, and compare."""

from __future__ import annotations

import dis
import inspect
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np

from horizon import checks, words
from horizon.backtesting.cuts import chosen_cuts
from horizon.backtesting.decisions import Decision, PastCut, Watch
from horizon.backtesting.lookahead_report import Leak, LookaheadReport, Rerun, order_of, said
from horizon.backtesting.pipeline import Pipeline, Stage
from horizon.backtesting.replays import Replays
from horizon.backtesting.simulate import backtest
from horizon.errors import PipelineError
from horizon.strategies.base import Strategy, strategies_of

__all__ = ["check_lookahead"]

#: Arguments of a run that are handed on.
_RUN: Final = tuple(
    name
    for name in inspect.signature(backtest).parameters
    if name not in ("data", "pipeline", "strategies")
)

#: Decisions that stages and strategies make by themselves, at a row.
_RAN: Final = ("output", "signals", "exception")


def check_lookahead(
    data: Any = None,
    pipeline: Iterable[Callable[..., Any]] | None = None,
    *,
    pipeline_factory: Callable[..., Iterable[Callable[..., Any]]] | None = None,
    strategies: Iterable[Strategy | type[Strategy]] | Callable[..., Any] | None = None,
    cuts: int | Iterable[Any] = 8,
    labels: Iterable[str] | None = None,
    seed: int = 0,
    tolerance: float = 1e-9,
    **run: Any,
) -> LookaheadReport:
    """Find the first decision of a backtest that used data it could not have seen.

    The backtest runs on all data. Then the data is cut at several times, and for each cut it runs
    again up to there, once without the rows and books after the cut and once with other numbers
    in them. Up to the cut nothing may change: no output of a stage, no order and none of its
    terms, no cancel, no fill. If something does, it used the future. Further cuts then look for
    the earliest such decision.

    Parameters
    ----------
    data : object
        As for `backtest`.
    pipeline : list of callable, optional
        The stages. They run as they are: what they have kept from the data before (an array in a
        closure, a fitted model) cannot be cut, so nothing is found in it. Use
        `pipeline_factory` for those. What is checked all the same: everything they take from the
        context, and values of ``params=`` that *are* the data, the books or the outcomes given
        here, which are cut too.
    pipeline_factory : callable, optional
        In place of `pipeline`: takes the data and returns the stages, with everything that they
        derive from it. It is called anew for every run and given the data as cut or changed, in
        the form that it has here (a file as a pandas frame; a copy each time): a frame, a dict of
        frames by feed, a list of dicts. Without data it is given the books. If it has parameters
        named ``book_data`` or ``outcomes`` it is given those by name: a dict of market to
        `horizon.books.Books`, and what is known at the cut (or something else in its place).
    strategies : list of Strategy, or callable, optional
        Beside a pipeline or in its place. They are copied for each run, with what they have kept;
        a class is made anew. A function is called as `pipeline_factory` is, and returns the list.
    cuts : int or iterable of times
        How many times to cut at, besides the first decision that wants something. They lie at
        and just before decisions that changed something, one in each stretch of the run. Or the
        times themselves; a cut keeps rows of its own time.
    labels : iterable of str, optional
        Columns of the data that tell how a row's market has ended. When the data is changed, so
        are they, in *all* rows of markets that are not over at the cut. Left out: columns that
        hold exactly the ``outcomes=``, where these differ from each other.
    seed : int
        Of where the cuts lie, and of the other numbers.
    tolerance : float
        Fraction up to which two numbers are the same. Sums taken in another order differ by
        rounding, and no future is needed for that.
    **run
        Arguments of `backtest`. With ``progress=True`` the bar counts runs.

    Returns
    -------
    LookaheadReport
        `found`, `first`, `reruns`; it prints as text. It is neither true nor false: ask
        ``report.ok``.

    Raises
    ------
    TypeError, ValueError
        For an argument that is not as above, or if there is no decision before the last row.
    DataError, PipelineError
        From the run on all data, as from `backtest`; and a `ValueError` if no rerun could be made
        because the factory raised each time.

    Notes
    -----
    What was found is certain. What was not found may be there: a leak that few decisions have
    shows only if a cut falls between such a decision and what it used. Use more `cuts`, or name
    times. Columns that were computed before this call are taken for data that was there at their
    row's time, so compute features in the factory. Rows of one time count as seen together.

    Resolution times are those of the whole data (``resolutions=``, else its end), so that a run
    on less data never settles early.

    The whole runs twice, to see that it is repeatable: a pipeline with a state or chance of its
    own needs a factory, else the report says only that. In all it costs about as much as 2 + `cuts`
    full runs, half as long again each for what is noted, and 2 + 2 `cuts` calls of the factory;
    to look for the first leak, some 2 log2(decisions) shorter ones. Memory: about 200 bytes for
    each output of a stage.

    Examples
    --------
    A factory that reads tomorrow's price out of the data is found out at the first row:

    >>> frame = pd.DataFrame({"timestamp": range(100), "price": np.linspace(0.2, 0.8, 100)})
    >>> def factory(data):
    ...     tomorrow = dict(zip(data["timestamp"], data["price"].shift(-1)))
    ...     return [lambda ctx: tomorrow[ctx.timestamp]]
    >>> hz.check_lookahead(frame, pipeline_factory=factory).first.timestamp
    0.0
    """
    return _Check(
        data, pipeline, pipeline_factory, strategies, cuts, labels, seed, tolerance, run
    ).report()


class _Check:
    """One check: the run on all data, the reruns, what came of them."""

    def __init__(
        self,
        data: Any,
        pipeline: Iterable[Callable[..., Any]] | None,
        factory: Callable[..., Iterable[Callable[..., Any]]] | None,
        strategies: Any,
        cuts: int | Iterable[Any],
        labels: Iterable[str] | None,
        seed: int,
        tolerance: float,
        run: dict[str, Any],
    ) -> None:
        for name in run:
            if name not in _RUN:
                raise TypeError(
                    f"check_lookahead has no argument {name!r}, and backtest none either"
                    f"{checks.suggestion(name, _RUN)}"
                )
        is_neither = pipeline is None and factory is None
        if (is_neither and strategies is None) or (pipeline is not None and factory is not None):
            given = "neither" if is_neither else "both"
            raise ValueError(f"give pipeline or pipeline_factory, one of them; was given {given}")
        if factory is not None and not callable(factory):
            raise TypeError(f"pipeline_factory must be a function, was {checks.show(factory)}")
        stages: Sequence[Stage] | None = () if is_neither else None
        if pipeline is not None:
            stages = Pipeline(pipeline).stages
        if strategies is not None and not _is_factory(strategies):
            strategies = list(strategies) if isinstance(strategies, Iterable) else strategies
            strategies_of(strategies)  # says what is wrong before anything runs
        #: What runs as it is, not made of the data anew, and what could be given instead.
        self._kept = {
            name: instead
            for name, instead, is_kept in (
                ("stages", "pipeline_factory", bool(stages)),
                ("strategies", "a function as strategies", isinstance(strategies, list)),
            )
            if is_kept
        }
        self._blind = [
            name
            for name, made in (("pipeline_factory", factory), ("strategies", strategies))
            if made is not None and not isinstance(made, list) and _is_blind(made)
        ]
        self._maker = "pipeline_factory" if factory is not None else "the strategies' function"
        self._cuts: int | list[int] = (
            checks.integer("cuts", cuts) if _is_number(cuts) else _times(cuts)
        )
        self._seed = checks.integer("seed", seed, least=0)
        self._tolerance = checks.non_negative("tolerance", tolerance)
        if self._tolerance >= 1.0:
            raise ValueError(f"tolerance must be below 1, was {tolerance!r}")
        shows = checks.flag("progress", run.get("progress", False))
        self._label = str(run.get("name", "look-ahead")) if shows else None
        self._bar: Any = None
        self._has_cycles = any(run.get(name) is not None for name in ("interval", "cycles"))
        self._replays = Replays(
            data, stages, factory, _labels(labels), run | {"progress": False}, strategies
        )
        self._known: Sequence[Decision] = ()
        self._reruns: list[Rerun] = []

    def report(self) -> LookaheadReport:
        """Do it all."""
        if self._label is not None:
            from tqdm.auto import tqdm

            self._bar = tqdm(desc=self._label, unit=" runs")
        try:
            return self._report()
        finally:
            if self._bar is not None:
                self._bar.close()

    def _report(self) -> LookaheadReport:
        replays = self._replays
        watch = self._watch(replays.stages())
        replays.run_whole(watch, watch.strategies(replays.strategies()))
        self._known = watch.decisions
        self._count()
        again = self._watch(replays.stages(), known=self._known)
        try:
            replays.run_whole(again, again.strategies(replays.strategies()))
        except (PastCut, PipelineError):
            if again.difference is None:
                raise
        again.finish()
        if again.difference is not None:
            self._note("repeated", replays.end_ns, again, is_search=False)
            return LookaheadReport(
                first=self._leak("repeated", replays.end_ns, again),
                repeatable=False,
                kinds=Counter(decision.kind for decision in self._known),
                reruns=self._reruns,
                notes=[],
            )
        self._count()
        cuts = self._chosen()
        best = self._best(cuts)
        if best is not None:
            best = self._earliest(*best)
        leak = None if best is None else self._leak(*best)
        return LookaheadReport(
            first=leak,
            repeatable=True,
            kinds=Counter(one.kind for one in self._known if one.time_ns <= max(cuts)),
            reruns=self._reruns,
            notes=self._notes(leak),
        )

    # ------------------------------------------------------------------ cuts
    def _chosen(self) -> list[int]:
        first_ns, last_ns = self._replays.first_ns, self._replays.last_ns
        if isinstance(self._cuts, int):
            cuts = chosen_cuts(
                self._known, self._cuts, seed=self._seed, first_ns=first_ns, last_ns=last_ns
            )
            if not cuts:
                raise ValueError(
                    "there is nothing to check: no pipeline has run before the last row of the data"
                )
            return cuts
        start = max(first_ns, self._known[0].time_ns if self._known else first_ns)
        for cut in self._cuts:
            if not start <= cut < last_ns:
                raise ValueError(
                    "cuts must lie from the first decision to before the last row, from "
                    f"{_text(start)} to {_text(last_ns)}; was {_text(cut)}"
                )
        return sorted({self._replays.last_before(cut) for cut in self._cuts})

    def _best(self, cuts: Sequence[int]) -> tuple[str, int, Watch] | None:
        """Rerun for every cut; return the earliest difference, of truncated data if any."""
        best: tuple[str, int, Watch] | None = None
        done = 0
        for cut in cuts:
            for how in ("truncated", "perturbed"):
                watch = self._again(how, cut)
                if watch is None:
                    continue
                done += 1
                if watch.difference is not None and (best is None or _rank(watch) < _rank(best[2])):
                    best = how, cut, watch
        if not done:
            raise ValueError(f"no rerun could be made: {self._reruns[-1].failed}")
        return best

    def _earliest(self, how: str, cut: int, watch: Watch) -> tuple[str, int, Watch]:
        """Halve the time before the difference for as long as there is an earlier one."""
        ran = {one.time_ns for one in self._known if one.kind in _RAN}
        times = sorted(at for at in ran if at >= self._replays.first_ns)
        low, high = 0, int(np.searchsorted(times, _time_of(watch)))
        high = min(high, len(times) - 1)
        found = how, cut, watch
        tried = {(run.how, run.cut_ns) for run in self._reruns}
        while low < high:
            middle = (low + high) // 2
            earlier = None
            for kind in dict.fromkeys((how, "truncated", "perturbed")):
                if (kind, times[middle]) in tried:
                    continue
                again = self._again(kind, times[middle], is_search=True)
                if again is not None and again.difference is not None:
                    earlier = kind, times[middle], again
                    break
            if earlier is None:
                low = middle + 1
                continue
            if _rank(earlier[2]) < _rank(found[2]):
                found = earlier
            high = min(middle, int(np.searchsorted(times, _time_of(earlier[2]))))
        return found

    # ------------------------------------------------------------------ reruns
    def _again(self, how: str, cut_ns: int, *, is_search: bool = False) -> Watch | None:
        """Run up to a cut on data that is other after it; None if it cannot be run."""
        make, run = self._replays.changed(cut_ns, is_truncated=how == "truncated", seed=self._seed)
        try:
            stages, strategies = make()
        except Exception as error:
            failed = f"{self._maker} raised {words.raised(error)}"
            self._reruns.append(Rerun(how, is_search, cut_ns, 0, None, failed))
            return None
        # A run on less data ends with its last row, and has no cycle after that.
        until_ns = self._replays.last_before(cut_ns) if self._has_cycles else cut_ns
        watch = self._watch(stages, known=self._known, until_ns=until_ns)
        try:
            backtest(
                pipeline=watch.pipeline, strategies=watch.strategies(strategies) or None, **run
            )
        except PastCut:
            pass
        except PipelineError as error:
            if watch.difference is None:
                self._reruns.append(Rerun(how, is_search, cut_ns, watch.compared, None, str(error)))
                return None
        watch.finish()
        self._note(how, cut_ns, watch, is_search=is_search)
        return watch

    def _note(self, how: str, cut_ns: int, watch: Watch, *, is_search: bool) -> None:
        difference = watch.difference
        shown = None if difference is None else (difference.now or difference.before)
        self._reruns.append(Rerun(how, is_search, cut_ns, watch.compared, shown))
        self._count()

    def _count(self) -> None:
        if self._bar is not None:
            self._bar.update()

    def _watch(
        self,
        stages: Sequence[Stage],
        known: Sequence[Decision] | None = None,
        until_ns: int | None = None,
    ) -> Watch:
        return Watch(stages, known=known, until_ns=until_ns, tolerance=self._tolerance)

    # ------------------------------------------------------------------ words
    def _leak(self, how: str, cut_ns: int, watch: Watch) -> Leak:
        assert watch.difference is not None
        place, before, now = watch.difference
        what = _earlier(before, now)
        whole, rerun = said(before), said(now)
        if whole == rerun:
            whole, rerun = said(before, exactly=True), said(now, exactly=True)
        if before is not None and now is not None and before.time_ns != now.time_ns:
            # One of them did something that the other did not: what that did later is no answer.
            if now is what:
                whole = said(None)
            else:
                rerun = said(None)
        # A strategy that has nothing to say names no market; what it said otherwise does.
        spoken = [one for one in (what, before, now) if one is not None and one.market_id]
        market = spoken[0].market_id if spoken else ""
        order = order_of(self._known[place:], market, what.time_ns)
        if not order:
            order = order_of(watch.decisions, market, what.time_ns)
        return Leak(
            market_id=market,
            time_ns=what.time_ns,
            kind=what.kind,
            name=what.name,
            whole=whole,
            rerun=rerun,
            order=order,
            how=how,
            cut_ns=cut_ns,
            latest_row=self._replays.latest_row(market, what.time_ns),
        )

    def _notes(self, leak: Leak | None) -> list[str]:
        notes = []
        if self._kept and leak is None:
            notes.append(
                f"The {' and '.join(self._kept)} ran as they are: what they had taken from the "
                "data before this check could not be cut. Give "
                f"{' and '.join(self._kept.values())} to have that checked too."
            )
        if self._blind and leak is None:
            notes.append(
                f"{' and '.join(self._blind)} made nothing of the data that it is called with, as "
                "cut: what its stages have from elsewhere could not be cut. (hz.walk_forward calls "
                "its pipeline_factory with parameters, this check with data.)"
            )
        failed = [run for run in self._reruns if run.failed]
        if failed:
            notes.append(f"{len(failed)} reruns could not be made; the first: {failed[0].failed}.")
        return notes


# ------------------------------------------------------------------------ small parts
def _earlier(before: Decision | None, now: Decision | None) -> Decision:
    there = [one for one in (before, now) if one is not None]
    return min(there, key=lambda one: one.time_ns)


def _time_of(watch: Watch) -> int:
    assert watch.difference is not None
    return _earlier(watch.difference.before, watch.difference.now).time_ns


def _rank(watch: Watch) -> tuple[int, int]:
    assert watch.difference is not None
    return _time_of(watch), watch.difference.place


def _is_factory(strategies: object) -> bool:
    # A decorated function is a strategy that can be called.
    return callable(strategies) and not isinstance(strategies, (type, Strategy))


def _is_blind(factory: object) -> bool:
    """Whether a function that is to make something of its arguments never looks at one of them."""
    code = getattr(factory, "__code__", None)
    if code is None:
        return False
    given = set(code.co_varnames[inspect.ismethod(factory) : code.co_argcount])
    given.update(code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount])
    used = set(code.co_cellvars)
    for one in dis.get_instructions(code):
        if one.opcode in dis.haslocal:  # one instruction may name two of them
            used.update(one.argval if isinstance(one.argval, tuple) else (one.argval,))
    return bool(given) and not given & used


def _is_number(value: object) -> bool:
    return isinstance(value, (bool, float)) or hasattr(value, "__index__")


def _times(cuts: Any) -> list[int]:
    if isinstance(cuts, (str, bytes, Mapping)) or not isinstance(cuts, Iterable):
        raise TypeError(f"cuts must be a number, or a list of times, was {checks.show(cuts)}")
    times = [checks.timestamp_ns("a time in cuts", cut) for cut in cuts]
    if not times:
        raise ValueError("cuts must hold at least one time, had none")
    return times


def _labels(labels: Any) -> tuple[str, ...] | None:
    if labels is None:
        return None
    if isinstance(labels, (str, bytes)) or not isinstance(labels, Iterable):
        raise TypeError(f"labels must be a list of column names, was {checks.show(labels)}")
    return tuple(checks.text("a label", label) for label in labels)


def _text(ns: int) -> str:
    return str(np.datetime64(ns, "ns"))
