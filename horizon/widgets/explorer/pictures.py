"""What an explorer's page draws, as finished texts and flags."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from horizon import words
from horizon.widgets.explorer.runs import Failure, Going
from horizon.widgets.explorer.saving import EXPORTS
from horizon.widgets.explorer.show import TABS, Shown
from horizon.widgets.explorer.tables import (
    PAGE,
    compared,
    kept_rows,
    memory,
    setting_words,
)

if TYPE_CHECKING:
    from horizon.widgets.explorer.panel import BacktestExplorer

__all__ = ["picture_of", "stopped_words"]


def picture_of(face: BacktestExplorer) -> dict[str, Any]:
    """Describe controls, the run, the results kept, and what the open tab shows."""
    show = face.on_show
    one = show.one
    return {
        "name": "Backtest explorer",
        "form": face.controls.picture(),
        "run": _run(face),
        "failure": _failure(face.queue.failure),
        "kept": _kept(face),
        "shown": None
        if one is None
        else {
            "id": str(one.number),
            "name": one.name,
            "title": words.name(one.name),
            "setting": setting_words(one.setting),
            "cautions": [words.name(text) for text in one.result.cautions],
        },
        "tabs": [
            {"id": tab, "label": label, "open": tab == show.tab} for tab, label in TABS.items()
        ],
        "tab": show.tab,
        "compare": _compare(show) if show.tab == "compare" and one is not None else None,
        "fills": _fills(show) if show.tab == "fills" and one is not None else None,
        "exports": [[what, label] for what, (label, _, _) in EXPORTS.items()],
        "saving": _saving(face),
    }


# ------------------------------------------------------------------------ the run
def _run(face: BacktestExplorer) -> dict[str, Any]:
    queue = face.queue
    is_running = queue.is_running
    state, text, bar = "idle", "", None
    if is_running:
        state = "stopping" if queue.is_stopping else "running"
        text, bar = _going(face)
    elif face.controls.form.wrong:
        state, text = "wrong", "Not run: see what is wrong with the parameters."
    elif queue.failure is not None:
        state, text = "failed", "The latest run failed."
    elif face.on_show.one is not None and (face.is_auto or not face.is_changed):
        one = face.on_show.one
        text = (
            f"{words.name(one.name)}: {one.seconds:,.2f} s, "
            f"{one.backtest_seconds:,.2f} s of it the backtest."
        )
    elif face.on_show.one is not None:
        state, text = "changed", "Parameters were changed: press Run."
    else:
        text = "Nothing has been run yet."
    if face.notice:
        text = f"{text} {face.notice[0].upper()}{face.notice[1:]}."
    return {
        "state": state,
        "text": text,
        "bar": bar,
        "auto": face.is_auto,
        "actions": [
            {
                "do": "run",
                "id": "",
                "label": "Run",
                "name": "Run the backtest with these parameters",
                "off": False,
            },
            {
                "do": "stop",
                "id": "",
                "label": "Interrupt",
                "name": "Interrupt the backtest",
                "off": not is_running or (queue.is_stopping and queue.setting == {}),
            },
        ],
    }


def _going(face: BacktestExplorer) -> tuple[str, dict[str, Any]]:
    """Say how far the run is, and how long it will take."""
    queue = face.queue
    name = f"Backtest with {setting_words(queue.setting)}"
    if queue.is_stopping:
        return "Ending the run before…", {"name": name, "percent": 0, "words": "ending"}
    told = queue.progress
    if not isinstance(told, Going):
        phase = told if isinstance(told, str) else "Starting"
        is_played = phase.startswith("Working")  # the rows are behind it
        return f"{phase}…", {"name": name, "percent": 100 * is_played, "words": phase}
    rows, total = told.played.rows, told.played.total
    if total is None:
        text = f"{rows:,} rows, {_seconds(queue.seconds)} so far"
        return text, {"name": name, "percent": 0, "words": text}
    text = f"{rows:,} of {total:,} rows"
    left = told.left
    if left is not None and rows < total:
        text = f"{text}, about {_seconds(left)} left"
    percent = min(99.9, round(100.0 * rows / total, 1)) if rows < total else 100
    return text, {"name": name, "percent": percent, "words": text}


def _seconds(seconds: float) -> str:
    return "1 s" if seconds < 1.0 else words.duration(seconds)


def stopped_words(told: Any) -> str:
    """Say where a run was interrupted."""
    if not isinstance(told, Going):
        return "Interrupted"
    rows, total = told.played.rows, told.played.total
    return f"Interrupted at {rows:,}{'' if total is None else f' of {total:,}'} rows"


def _failure(failure: Failure | None) -> dict[str, Any] | None:
    if failure is None:
        return None
    return {
        "title": f"Failed with {setting_words(failure.setting)}",
        "text": failure.text,
        "facts": [list(fact) for fact in failure.facts],
        "lines": list(failure.lines),
    }


# ------------------------------------------------------------------------ results kept
def _kept(face: BacktestExplorer) -> dict[str, Any]:
    shelf = face.shelf
    one = face.on_show.one
    money = "" if one is None else f", {words.name(one.result.record.currency)}"
    count = len(shelf)
    return {
        "title": f"Results kept: {count} of {shelf.most} at most",
        "note": f"They hold {memory(shelf.size)} beside the data." if count else "",
        "columns": [
            {"label": "Result"},
            {"label": "Parameters", "wide": True},
            {"label": f"Net profit{money}", "number": True},
            {"label": "Return", "number": True, "minor": True},
            {"label": "Sharpe", "number": True},
            {"label": "Drawdown", "number": True},
            {"label": "Fills", "number": True, "minor": True},
            {"label": "Time, s", "number": True, "minor": True},
        ],
        "rows": kept_rows(shelf, one),
        "empty": "No result yet.",
    }


# ------------------------------------------------------------------------ tabs
def _compare(show: Shown) -> dict[str, Any]:
    columns = show.columns
    names = [words.name(one.name) for one in columns]
    if len(columns) == 1:
        told = f"{names[0]} alone: a further run will stand beside it."
    elif any(one.is_compared for one in columns[:-1]):
        told = f"{names[-1]} beside what is ticked; differences are from {names[0]}."
    else:
        told = f"{names[-1]} beside the result before it, {names[0]}; differences are from that."
    return {
        "told": told,
        "every": show.every_metric,
        **compared(columns, every=show.every_metric),
        "busy": show.equity.is_busy,
        "problem": show.equity.problem,
    }


def _fills(show: Shown) -> dict[str, Any]:
    pages = show.fills()
    assert pages is not None
    assert show.one is not None
    record = show.one.result.record
    money = words.name(record.currency)
    first = show.page * PAGE
    last = min(first + PAGE, len(pages))
    where = f"{first + 1:,} to {last:,} of {len(pages):,} fills" if len(pages) else "no fills"
    return {
        "markets": [["", "all markets"], *([m.id, words.name(m.id)] for m in record.markets)],
        "market": show.market,
        "drawn": words.name(show.drawn_market),
        "newest": show.newest,
        "where": where,
        "page": show.page,
        "pages": pages.pages,
        "columns": [
            {"label": "Time, UTC"},
            {"label": "Market"},
            {"label": "Side"},
            {"label": "Quantity, units", "number": True},
            {"label": f"Price, {money}", "number": True},
            {"label": "Fair value", "number": True, "minor": True},
            {"label": f"Fee, {money}", "number": True, "minor": True},
            {"label": f"Realised, {money}", "number": True},
            {"label": "As", "minor": True},
        ],
        "rows": pages.picture(show.page, show.order),
        "empty": "No fill: no order of this run met its price.",
        "explained": _explained(show),
        "busy": show.price.is_busy,
        "problem": show.price.problem,
    }


def _explained(show: Shown) -> dict[str, Any]:
    if show.order is None:
        return {"order": "", "head": [], "rows": [], "told": "Choose a fill, here or in the chart."}
    title = words.name(show.order)
    if show.explained.problem:
        return {"order": title, "head": [], "rows": [], "told": show.explained.problem}
    if show.explanation is None:
        return {"order": title, "head": [], "rows": [], "told": "Looking at the rows it met…"}
    told = show.explanation.split("\n\n", 1)
    return {
        "order": title,
        "head": told[0].split("\n"),
        "rows": told[1].split("\n") if len(told) > 1 else [],
        "told": "",
    }


def _saving(face: BacktestExplorer) -> str:
    if face.saved.is_busy:
        return "Writing the file…"
    return face.saved.problem
