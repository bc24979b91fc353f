"""The buttons of a run's played feeds: their time is the run's."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from horizon import checks
from horizon.widgets import sections
from horizon.widgets.access import text_of

if TYPE_CHECKING:
    from horizon.running import FeedHealth, RunHandle, RunStatus

__all__ = ["player_picture", "set_speed", "step"]

_SPEEDS: Final = (0.5, 1.0, 2.0, 5.0, 10.0, 60.0, 600.0, 3_600.0, 86_400.0, math.inf)
_STEPS: Final = (1, 10, 100)


def player_picture(
    handle: RunHandle, status: RunStatus, feeds: Sequence[FeedHealth]
) -> dict[str, Any] | None:
    """What the page draws of them; None where nothing is played."""
    if all(feed.is_live for feed in feeds):
        return None
    is_paused = status.state == "paused"
    verb, label = ("resume", "Play") if is_paused else ("pause", "Pause")
    off = status.is_over or status.state in ("connecting", "stopping")
    actions = [sections.action(verb, label, f"{label} the played feeds of the run", off=off)]
    for n in _STEPS:
        steps = "1 step" if n == 1 else f"{n} steps"
        name = f"Play {steps} at once, and stand still"
        actions.append(sections.action("step", f"+{n}", name, ident=f"{n}", off=off))
    speeds = [] if status.is_over else _speeds(handle)
    return {
        "actions": actions,
        "speeds": [[_speed_id(speed), _speed_words(speed)] for speed in speeds],
        "speed": "" if status.is_over else _speed_id(handle.speed),
        "canSpeed": not status.is_over and not any(feed.is_live for feed in feeds),
    }


def step(handle: RunHandle, arguments: Mapping[str, Any]) -> None:
    """Play as many steps as the page asks for."""
    asked = text_of(arguments, "id")
    known = {f"{n}": n for n in _STEPS}
    if asked not in known:
        raise ValueError(f"steps must be one of {', '.join(known)}, was {checks.show(asked)}")
    handle.step(known[asked])


def set_speed(handle: RunHandle, arguments: Mapping[str, Any]) -> None:
    """Set the speed that the page has chosen."""
    asked = text_of(arguments, "speed")
    known = {_speed_id(speed): speed for speed in _speeds(handle)}
    if asked not in known:
        raise ValueError(f"speed must be one of {', '.join(known)}, was {checks.show(asked)}")
    handle.speed = known[asked]


def _speeds(handle: RunHandle) -> list[float]:
    return sorted({*_SPEEDS, handle.speed})


def _speed_id(speed: float) -> str:
    return "max" if speed == math.inf else f"{speed:g}"


def _speed_words(speed: float) -> str:
    return "as fast as possible" if speed == math.inf else f"{speed:,g}×"
