"""How a run ends: what will happen, what is happening, and what came of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from horizon import words
from horizon.widgets import sections
from horizon.widgets.sections import Section

if TYPE_CHECKING:
    from horizon.running import RunHandle, RunStatus

__all__ = ["ending_sections", "failure_words", "stopping_words"]

_ENDS: Final = {
    "stop": "Stopped by hand",
    "interrupt": "Stopped by an interrupt",
    "duration": "Its duration is over",
    "end": "Its feeds have no more rows",
    "exit": "Ended with the program",
    "error": "Ended by an error",
}
#: Positions named in a sentence.
_NAMED: Final = 3
#: Seconds after which it is said that a stage holds up the end.
_LONG: Final = 3


def failure_words(saves: str, *, is_live: bool) -> Section:
    """What will happen where the run fails or is stopped."""
    lines = [
        "No more orders pass, strategies hear on_stop, algorithms stop, and what rests is "
        "cancelled. Positions are marked and stay open.",
        "The result is made of everything until then"
        + (f", and written to {words.name(saves)}." if saves else "; it is not written anywhere.")
        + " It stays here, and in the handle's result.",
        "The kill switch closes positions at market too, and refuses what would open; the run "
        "goes on, so that they can fill.",
    ]
    if is_live:
        lines.append(
            "Where a feed is lost, what was quoted in its markets is pulled at once, and its "
            "pipelines rest until its next row."
        )
    return sections.said("ends", lines, title="If it fails, or is stopped")


def stopping_words(seconds: float) -> Section:
    """What is happening while a run stops, for so many seconds now."""
    lead = "Stopping: what rests is cancelled, and the result is made."
    waited = math.floor(seconds)
    if waited >= _LONG:
        lead += f" A stage has been at work for {waited} s; the run ends after it."
    return sections.said("ending", lead=lead, tone="warn", is_loud=True)


def ending_sections(
    handle: RunHandle, status: RunStatus, figures: Sequence[tuple[str, str]]
) -> list[Section]:
    """Why a run has ended, and what it leaves; `figures` are its result's, once they are there."""
    error = handle.exception
    lines = []
    if figures:
        held = handle.result.positions
        lines.append(f"Held at the end, at its last prices: {_held_words(held)}.")
        lines.append(
            f"The result is written to {words.name(handle.saves_to)}."
            if handle.saves_to
            else "The result is in the handle, and not written anywhere."
        )
    if error is None:
        how = _ENDS.get(status.stopped_by or "", "Ended")
        made = [sections.said("ending", lines, lead=f"{how}.", tone="good")]
    else:
        first, more = sections.lines_of(error)
        lines = [*more, *lines]
        title = "The run has failed" + ("; what it did until then is kept" if figures else "")
        made = [sections.said("ending", lines, title=title, lead=first, tone="bad", is_loud=True)]
    if figures:
        made.append(sections.facts("result", figures, title="The result"))
    return made


def _held_words(positions: Sequence[Any]) -> str:
    """Say what is held, in a few words."""
    if not positions:
        return "nothing"
    named = ", ".join(
        f"{words.signed(one.size)} {words.name(one.market_id)}" for one in positions[:_NAMED]
    )
    more = len(positions) - _NAMED
    return f"{named} and {more:,} more" if more > 0 else named
