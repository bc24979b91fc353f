"""The algorithm monitor: how far each execution algorithm has come, and what it has cost."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final

from horizon import words
from horizon.algos import AlgoProgress, ExecAlgo
from horizon.client import ImperativeClient
from horizon.errors import AlgoError
from horizon.types import AssetClass
from horizon.widgets.access import client_of, leg_name, text_of, unit_of, venue_of
from horizon.widgets.face import Face, Verb
from horizon.widgets.palette import Palette

__all__ = ["AlgoMonitor"]

#: Ended algorithms that stay in sight.
_ENDED: Final = 6
_MOST: Final = 30
_NONE: Final = "No algorithm has been started. Choose TWAP, VWAP or Iceberg in a ticket"
_STATUS: Final = {"canceled": "cancelled", "running": "running", "paused": "PAUSED"}


class AlgoMonitor(Face):
    """Live progress of execution algorithms, with pause, resume and cancel.

    Parameters
    ----------
    ex_or_algo : ImperativeClient or ExecAlgo
        A client, whose algorithms are all shown, new ones as they start; or one algorithm.
    palette : str or Palette

    Raises
    ------
    RuntimeError
        Outside of a notebook's event loop.
    AlgoError
        If the algorithm has not been started.
    TypeError, ValueError
        For an argument that is not as above.

    Examples
    --------
    >>> ex = hz.connect("paper", clock=lambda: 0.0)
    >>> algo = ex.twap("ACME", 100, duration_secs=120, num_slices=2)
    >>> for seconds in (0.0, 60.0):
    ...     _ = ex.tick("ACME", 10.0, seconds)
    >>> monitor = hz.widgets.AlgoMonitor(algo)
    >>> monitor.shown["algos"][0]["summary"]
    '50 of 100 shares filled (50 %)'
    >>> monitor.close()
    """

    script = ("monitor.js",)
    # What came due meanwhile would be sent at once.
    risky: ClassVar[frozenset[str]] = frozenset({"resume"})

    def __init__(
        self,
        ex_or_algo: ImperativeClient | ExecAlgo,
        *,
        palette: str | Palette = "blue-orange",
    ) -> None:
        self._source: Callable[[], list[ExecAlgo]]
        self._only: str | None = None
        if isinstance(ex_or_algo, ExecAlgo):
            algo = ex_or_algo
            if algo.id is None:
                raise AlgoError("an algorithm is shown once it has started: call start(request)")
            self._source = lambda: [algo]
            self._only = f"{algo.kind} {algo.id}"
        else:
            client = self._ex = client_of(ex_or_algo, "ex_or_algo")
            venue_of(client)
            self._source = lambda: client.algo_history
        self._ended: set[ExecAlgo] = set()
        self._drawn: dict[ExecAlgo, dict[str, Any]] = {}
        super().__init__(palette=palette)

    def verbs(self) -> dict[str, Verb]:
        """Pause, resume, cancel."""
        return {name: self._change(name) for name in ("pause", "resume", "cancel")}

    def _change(self, verb: str) -> Verb:
        def change(arguments: Mapping[str, Any]) -> None:
            algo_id = text_of(arguments, "id")
            found = next((algo for algo in self._source() if algo.id == algo_id), None)
            if found is None or found.is_done:
                state = "gone" if found is None else found.status
                raise AlgoError(f"algorithm {algo_id} cannot {verb}: it is {state}")
            getattr(found, verb)()

        return change

    def picture(self) -> dict[str, Any]:
        """Running algorithms, newest first, then the latest that have ended."""
        running: list[ExecAlgo] = []
        ended: list[ExecAlgo] = []
        for algo in self._source():
            (ended if algo in self._ended or algo.is_done else running).append(algo)
        self._ended = set(ended)
        shown = [*reversed(running[-_MOST:]), *reversed(ended[-_ENDED:])]
        hidden = len(running) + len(ended) - len(shown)
        # What has ended changes no more.
        self._drawn = {algo: self._drawn.get(algo) or _picture_of(algo) for algo in shown}
        pictures = list(self._drawn.values())
        self._drawn = {algo: seen for algo, seen in self._drawn.items() if seen["is_done"]}
        return {
            "name": self._only or f"Algorithms: {len(running):,} running",
            "algos": pictures,
            "empty": f"{_NONE}, or call ex.twap(…).",
            "page_empty": f"{_NONE}.",
            "note": f"{hidden:,} more not shown." if hidden > 0 else None,
        }


def _picture_of(algo: ExecAlgo) -> dict[str, Any]:
    venue = algo.engine.venue
    with venue.lock:
        state = algo.brief_progress
        leg = venue.account.legs[state.market_id]
    market, unit = leg_name(leg), unit_of(AssetClass(leg.market.asset_class))
    money = words.name(venue.currency)
    percent = round(state.fraction * 100.0, 1)
    if percent == 100.0 and state.remaining > 0.0:
        percent = 99.9
    name = f"{state.kind} {state.id}"
    sign = "BUY +" if state.side == "buy" else "SELL −"
    what = f"{sign}{words.exact(state.target)} {market}"
    filled = f"{words.exact(state.filled)} of {words.exact(state.target)} {unit} filled"
    status = _STATUS.get(state.status, state.status)
    return {
        "id": state.id,
        "is_done": state.is_done,
        "side": sign,
        "tone": state.side,
        "title": f"{name}: {words.exact(state.target)} {market}",
        "status": status,
        "bar": {
            "name": f"Progress of {name}, {what}",
            "percent": percent,
            "words": f"{filled}, {words.percent(state.fraction)}",
            "planned": round(min(state.planned / state.target, 1.0) * 100.0, 1)
            if state.slices > 1
            else None,
            "tone": state.side,
        },
        "summary": f"{filled} ({words.percent(state.fraction)})",
        "facts": _facts(state, money, unit),
        "refused": [
            f"{count:,} refused by {words.name(rule)}: {words.name(message)}"
            for rule, (count, message) in state.rejections.items()
        ],
        "actions": _actions(state, f"{name}, {what}"),
    }


def _facts(state: AlgoProgress, money: str, unit: str) -> list[list[str]]:
    average = words.price(state.average_price)
    next_slice = words.MISSING
    if state.status == "paused":
        next_slice = "paused"
    elif state.next_slice_at is not None:
        is_far = state.time is not None and state.next_slice_at - state.time >= 86_400.0
        next_slice = f"{words.clock(state.next_slice_at, date=is_far)} UTC"
        if state.time is not None and state.next_slice_at > state.time:
            next_slice += f", in {words.duration(math.ceil(state.next_slice_at - state.time))}"
        elif not state.is_done:
            next_slice = "due, with the next tick"
    left = words.MISSING
    if state.is_done:
        left = "ended"
    elif state.started_at is None:
        left = "begins with the first tick"
    elif state.ends_at is not None and state.time is not None:
        left = words.duration(max(0.0, state.ends_at - state.time))
    elif state.ends_at is None:
        left = "no end set"
    return [
        [f"Planned by now, {unit}", words.exact(state.planned)],
        [f"Average price, {money}", average],
        ["Slippage to arrival", words.bps(state.slippage_bps)],
        ["Slippage to schedule", words.bps(state.schedule_slippage_bps)],
        ["Slices sent", f"{state.sent:,} of {state.slices:,}"],
        ["Next slice", next_slice],
        ["Time left", left],
    ]


def _actions(state: AlgoProgress, name: str) -> list[dict[str, Any]]:
    if state.is_done:
        return []
    turn = "resume" if state.status == "paused" else "pause"
    return [
        {"do": verb, "id": state.id, "label": label, "name": f"{label} {name}"}
        for verb, label in ((turn, turn.capitalize()), ("cancel", "Cancel"))
    ]
