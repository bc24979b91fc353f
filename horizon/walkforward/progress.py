"""A progress bar of a search, with the best setting so far."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from horizon.walkforward.tasks import setting_text

if TYPE_CHECKING:
    from horizon.walkforward.tasks import Outcome, Plan

__all__ = ["Progress"]

#: Letters of parameters that a line has room for.
_ROOM: Final = 48


class Progress:
    """Counts runs, and shows the best training so far; in a terminal or in a notebook.

    Parameters
    ----------
    total : int
        How many runs there are.
    plan : Plan
        Whose objective is looked at.
    is_shown : bool
        Without it nothing is drawn and nothing imported; `best` is kept all the same.

    Attributes
    ----------
    best : Outcome or None
        The training with the best objective of any window; of equal ones that of the smallest
        number.
    settings : sequence of dict
        What an outcome's setting counts: the plan's, until it is set otherwise.
    """

    def __init__(self, total: int, plan: Plan, *, is_shown: bool = True) -> None:
        self.best: Outcome | None = None
        self.settings: Sequence[Mapping[str, Any]] = plan.settings
        self._plan = plan
        self._bar: Any = None
        if is_shown:
            from tqdm.auto import tqdm  # a widget in a notebook, a line elsewhere

            self._bar = tqdm(total=total, desc=plan.name, unit=" runs")

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def __call__(self, outcome: Outcome) -> None:
        """Count one more run."""
        is_better = self._is_better(outcome)
        if is_better:
            self.best = outcome
        if self._bar is not None:
            if is_better:
                self._bar.set_postfix_str(self.text, refresh=False)
            self._bar.update()

    @property
    def text(self) -> str:
        """The best so far in words; empty before there is one."""
        if self.best is None:
            return ""
        wanted = self._plan.objective
        name = wanted if isinstance(wanted, str) else getattr(wanted, "__name__", "objective")
        text = f"best {name} {self.best.objective:.4g}"
        number = self.best.task.setting
        if number < len(self.settings):
            words = setting_text(self.settings[number])
            text += f" ({words if len(words) <= _ROOM else words[: _ROOM - 1] + '…'})"
        return text

    def _is_better(self, outcome: Outcome) -> bool:
        if outcome.task.kind != "train" or math.isnan(outcome.objective):
            return False
        if self.best is None:
            return True
        sign = 1.0 if self._plan.maximize else -1.0
        mine, best = sign * outcome.objective, sign * self.best.objective
        return mine > best or (mine == best and outcome.task.number < self.best.task.number)
