"""The backtest explorer: a pipeline's parameters as controls, its results side by side."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Final

from horizon import checks, words
from horizon.widgets.access import text_of
from horizon.widgets.explorer import pictures
from horizon.widgets.explorer.controls import Controls
from horizon.widgets.explorer.kept import Kept, Shelf
from horizon.widgets.explorer.queue import Queue
from horizon.widgets.explorer.runs import Ran, Runner, check_arguments
from horizon.widgets.explorer.saving import EXPORTS, export, frame_of, saved_name
from horizon.widgets.explorer.show import Shown
from horizon.widgets.explorer.views import Desired
from horizon.widgets.face import Face, Verb
from horizon.widgets.live import Live
from horizon.widgets.palette import Palette, palette_of

if TYPE_CHECKING:
    import pandas as pd

    from horizon.backtesting.comparison import Comparison
    from horizon.backtesting.result import BacktestResult

__all__ = ["BacktestExplorer"]

#: Letters that a run's name has at most.
_LONGEST: Final = 200


class BacktestExplorer(Face):
    """Change a pipeline's parameters by hand, and see what becomes of its backtest.

    Each change runs the backtest again, in a thread beside the notebook, with its progress; a
    further change ends the run and takes its place. Results are kept by name and compared with
    each other; a click on a fill says why it filled.

    Parameters
    ----------
    data : object
        As `hz.backtest` takes it. It is read once, at the first run (but for a callable that
        gives chunks, which each run reads anew), and must not change from then on.
    pipeline_factory : callable
        Takes a dict of parameters and returns a pipeline, strategies, or a list of both: what
        `hz.walk_forward` takes. It is called anew for each run, in the run's thread. The
        parameters are in ``ctx.params`` too.
    params : dict of str to object
        For each parameter a list of values, a ``range`` or an array, a `Range`, a distribution
        of scipy.stats or of optuna, or a plain value that can be changed (a number, a text, True
        or False). What `hz.walk_forward` searches can be explored.
    start : dict of str to value, optional
        Values to begin with; left out, the first of a list, the middle of a range.
    auto : bool
        Run at each change; else when the button is pressed.
    begin : bool
        Run with the values to begin with as soon as it is made.
    keep : int
        Results that are kept, 2 at least. One more lets the oldest go that is not pinned.
    palette : str or Palette
        Colours of buying and selling.
    book_data : object, optional
        Order books, as `hz.backtest` takes them, beside `data` or instead of it.
    **backtest_arguments
        Anything else that `hz.backtest` takes, the same for every run.

    Raises
    ------
    TypeError, ValueError
        For an argument that is not as above.
    RuntimeError
        Outside of an event loop, which every notebook has.

    Notes
    -----
    A run and the page share the interpreter: while a backtest is at work the page stays live, and
    the run takes some percent longer. Between two rows it can be ended; a stage that does not
    return cannot.

    Going back to parameters whose result is kept shows that result, and runs nothing.

    Examples
    --------
    >>> ticks = pd.DataFrame({"timestamp": range(100), "price": 0.5, "market_id": "RAIN"})
    >>> def make(params):
    ...     def quoter(ctx):
    ...         return hz.quotes(ctx.feed.price, spread=params["spread"], size=params["size"])
    ...     return [quoter]
    >>> explorer = hz.widgets.BacktestExplorer(
    ...     ticks,
    ...     make,
    ...     {"spread": hz.widgets.Range(0.01, 0.09, step=0.01), "size": [5, 10, 20]},
    ...     begin=False,
    ... )
    >>> explorer.setting
    {'spread': 0.05, 'size': 5}
    >>> result = await explorer.run(size=10)  # doctest: +SKIP
    >>> explorer.close()
    """

    script = ("fields.js", "explorer_parts.js", "explorer.js")
    style = ("explorer.css",)
    private: ClassVar[frozenset[str]] = frozenset(
        {
            "change", "auto", "run", "stop", "tab", "show", "name", "pin", "drop", "compare",
            "every", "market", "order", "page", "explain", "close", "export",
        }
    )  # fmt: skip

    def __init__(
        self,
        data: Any = None,
        pipeline_factory: Callable[[dict[str, Any]], Any] | None = None,
        params: Mapping[str, Any] | None = None,
        *,
        start: Mapping[str, Any] | None = None,
        auto: bool = True,
        begin: bool = True,
        keep: int = 12,
        palette: str | Palette = "blue-orange",
        book_data: Any = None,
        **backtest_arguments: Any,
    ) -> None:
        if not callable(pipeline_factory):
            raise TypeError(
                "pipeline_factory must be a function of a dict of parameters that returns a "
                f"pipeline, was {checks.show(pipeline_factory)}"
            )
        check_arguments(backtest_arguments)
        if data is None and book_data is None:
            raise ValueError("data (or book_data) must be given: there is nothing to replay")
        self.controls = Controls(params, start)
        self.is_auto = checks.flag("auto", auto)
        begins = checks.flag("begin", begin)
        self.shelf = Shelf(keep)
        self._called = backtest_arguments.pop("name", None)
        live = Live.here()
        self.queue = Queue(
            live,
            self,
            Runner(data, pipeline_factory, backtest_arguments, book_data),
            name_of=self._name_of,
            on_result=self._keep,
            on_end=self._after_run,
        )
        self.on_show = Shown(live, self, self.shelf, palette_of(palette))
        #: What there is to say of the latest run besides.
        self.notice = ""
        self.saved = Desired(live, self)
        super().__init__(palette=palette)
        if begins:
            self._ask()
            self._live.paint(self)

    # ------------------------------------------------------------------ in Python
    @property
    def setting(self) -> dict[str, Any]:
        """The parameters as they were last read from the controls."""
        return dict(self.controls.setting)

    @property
    def result(self) -> BacktestResult | None:
        """The result on show; None before the first."""
        return None if self.on_show.one is None else self.on_show.one.result

    @property
    def results(self) -> dict[str, BacktestResult]:
        """The results that are kept, by name, the oldest first."""
        return {one.name: one.result for one in self.shelf}

    @property
    def is_running(self) -> bool:
        """Whether a run goes on or waits to begin."""
        return self.queue.is_running

    def run(self, **params: Any) -> asyncio.Future[BacktestResult]:
        """Run with some parameters changed, as a change on the page does.

        Parameters
        ----------
        **params
            New values by parameter; what is left out stays as it is.

        Returns
        -------
        asyncio.Future of BacktestResult
            ``await explorer.run(fast=10)`` waits for the result; without ``await`` it runs in
            the background. It raises what the run raises, and is cancelled when another run
            takes its place, or when somebody interrupts it.

        Raises
        ------
        TypeError, ValueError
            For a parameter that it does not have, or a value that is none of its own.
        RuntimeError
            If the explorer has ended.
        """
        if self.ended:
            raise RuntimeError(f"the explorer has ended: {self.ended}. Run its cell again")
        self.controls.put(self.controls.changed(params))
        future = self._ask()
        self._live.paint(self)
        return future

    async def done(self) -> None:
        """Wait until nothing runs; what a run raised is on show, and is not raised here."""
        await self.queue.done()

    def stop(self) -> None:
        """Interrupt the run; the results stay."""
        if self.queue.is_running:
            self.notice = pictures.stopped_words(self.queue.stop())

    def show(self, result: str | int) -> None:
        """Show a result that is kept, with its parameters.

        Parameters
        ----------
        result : str or int
            Its name or its number; also in `rename`, `pin` and `drop`.

        Raises
        ------
        ValueError
            If no result of that name or number is kept.
        """
        self._show(self.shelf.get(result))
        self._live.paint(self)

    def rename(self, result: str | int, name: str) -> None:
        """Give a result another name, which no other has."""
        self.shelf.rename(self.shelf.get(result), name)
        self.on_show.look()
        self._live.paint(self)

    def pin(self, result: str | int, *, is_pinned: bool = True) -> None:
        """Let a result stay, however many come after it; go, unless `is_pinned`."""
        self.shelf.pin(self.shelf.get(result), checks.flag("is_pinned", is_pinned))
        self._live.paint(self)

    def drop(self, result: str | int) -> None:
        """Let a result go."""
        self._drop(self.shelf.get(result))
        self._live.paint(self)

    def compare(self, *results: str | int) -> Comparison:
        """Put kept results side by side, the first being what the others are compared with.

        Parameters
        ----------
        *results : str or int
            Names or numbers of two or more; left out, all that are kept.

        Raises
        ------
        ValueError
            If there are not two, or one of them is not kept.
        """
        chosen = [self.shelf.get(one) for one in results] or list(self.shelf)
        if len(chosen) < 2:
            raise ValueError(f"compare needs two or more results, had {len(chosen)}")
        first, *others = chosen
        names = [one.name for one in chosen]
        return first.result.compare(*(one.result for one in others), names=names)

    def frame(self) -> pd.DataFrame:
        """Every kept result as a row: its parameters, its metrics, and the seconds it took."""
        return frame_of(list(self.shelf), self.controls.names)

    def explain(self, order_id: str) -> None:
        """Show on the page why an order of the result on show filled, or did not, by `order_id`."""
        self.on_show.open("fills")
        self.on_show.explain(order_id)
        self._live.paint(self)

    # ------------------------------------------------------------------ runs
    def _ask(self) -> asyncio.Future[BacktestResult]:
        self.notice = ""
        return self.queue.ask(self.setting)

    def _name_of(self, setting: dict[str, Any]) -> str:
        name = f"{self._called or self.shelf.next_name()}: {words.setting(setting, most=12)}"
        return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"

    def _keep(self, setting: dict[str, Any], ran: Ran) -> Kept:
        kept = self.shelf.add(setting, ran)
        self.on_show.show(kept)
        self.on_show.tidy()
        return kept

    def _after_run(self) -> None:
        self._live.paint(self)

    @property
    def is_changed(self) -> bool:
        """Whether the controls stand at other parameters than those of the result on show."""
        one = self.on_show.one
        return one is None or self.shelf.of_setting(self.setting) is not one

    def themed(self) -> None:
        """Draw the figures in the colours of the page."""
        self.on_show.look()

    # ------------------------------------------------------------------ the page's verbs
    def verbs(self) -> dict[str, Verb]:
        """Change parameters, run, interrupt; choose, name, pin and drop results; look closer."""
        show = self.on_show
        return {
            "change": self._change,
            "auto": lambda _: self._toggle_auto(),
            "run": self._run_now,
            "stop": lambda _: self.stop(),
            "tab": lambda given: show.open(text_of(given, "tab")),
            "show": lambda given: self._show(self._given(given)),
            "name": self._name_one,
            "pin": lambda given: self._toggle_pin(self._given(given)),
            "drop": lambda given: self._drop(self._given(given)),
            "compare": lambda given: show.tick(self._given(given)),
            "every": lambda _: self._toggle_metrics(),
            "market": lambda given: show.choose_market(text_of(given, "market")),
            "order": lambda _: show.turn(),
            "page": lambda given: show.turn_to(given.get("number")),
            "explain": lambda given: show.explain(text_of(given, "id")),
            "close": lambda _: show.close(),
            "export": self._export,
        }

    def _given(self, arguments: Mapping[str, Any]) -> Kept:
        text = text_of(arguments, "id")
        return self.shelf.get(int(text) if text.isdecimal() and text.isascii() else text)

    def _change(self, arguments: Mapping[str, Any]) -> None:
        if not self.controls.form.take(arguments) or not self.controls.read() or not self.is_auto:
            return
        kept = self.shelf.of_setting(self.setting)
        if kept is None:
            self._ask()
        else:
            self.queue.stop()
            self._show(kept)
            self.notice = "kept from before, not run again"

    def _run_now(self, arguments: Mapping[str, Any]) -> None:
        if "values" in arguments:
            self.controls.form.take(arguments)
        if not self.controls.read():
            return
        # What was typed has perhaps been run already, at its change: Enter asks for no second run.
        if not (self.is_auto and arguments.get("enter") is True and self._is_run()):
            self._ask()

    def _is_run(self) -> bool:
        """Whether the parameters are those of the run that goes on, or of the result on show."""
        if self.queue.is_running:
            return self.queue.setting == self.setting
        return not self.is_changed

    def _toggle_auto(self) -> None:
        self.is_auto = not self.is_auto

    def _show(self, one: Kept) -> None:
        self.notice = ""
        self.queue.failure = None
        self.controls.put(one.setting)
        self.on_show.show(one)

    def _name_one(self, arguments: Mapping[str, Any]) -> None:
        self.shelf.rename(self._given(arguments), text_of(arguments, "name").strip())
        self.on_show.look()

    def _toggle_pin(self, one: Kept) -> None:
        self.shelf.pin(one, not one.is_pinned)

    def _drop(self, one: Kept) -> None:
        self.shelf.drop(one)
        self.on_show.tidy()

    def _toggle_metrics(self) -> None:
        self.on_show.every_metric = not self.on_show.every_metric

    def _export(self, arguments: Mapping[str, Any]) -> None:
        what = checks.one_of("what", text_of(arguments, "what"), tuple(EXPORTS))
        one = self.on_show.one
        if one is None:
            raise ValueError("there is no result to export yet")
        kept, names = list(self.shelf), self.controls.names
        name = saved_name(one.name, what)
        self.saved.forget()
        self.saved.want(
            what,
            lambda: export(what, one, kept, names),
            lambda content: self.send_file(name, EXPORTS[what][2], content),
        )

    # ------------------------------------------------------------------ its end
    def out_of_sight(self) -> None:
        """End the run when nobody sees it any more."""
        if self.is_running:
            self.stop()
            self.notice = "Interrupted, because its output was closed"
        super().out_of_sight()

    def release(self, reason: str) -> None:
        """End the run, then end for good."""
        if not self.ended:
            self.queue.stop()
        super().release(reason)

    # ------------------------------------------------------------------ picture
    def picture(self) -> dict[str, Any]:
        """Controls, the run as it goes on, the results, and what the open tab shows."""
        return pictures.picture_of(self)
