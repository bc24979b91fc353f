"""Where to cut data so that a leak shows: at decisions, and just before them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final

import numpy as np

from horizon.backtesting.decisions import Decision, alike, is_idle

__all__ = ["chosen_cuts"]

#: What stages and strategies return.
_SAID: Final = ("output", "signals")


def chosen_cuts(
    decisions: Sequence[Decision], count: int, *, seed: int, first_ns: int, last_ns: int
) -> list[int]:
    """Choose times to cut at.

    A cut at a decision's time takes away the very next row: a decision that used it shows. One at
    the time before takes away the decision's own row, which the decision before it may have used.

    Parameters
    ----------
    decisions : sequence of Decision
        Of the run on all data.
    count : int
        How many, besides the first decision that wants something.
    seed : int
    first_ns, last_ns : int
        Cuts lie from the first of these times to before the last.

    Returns
    -------
    list of int
        In order, all different: times at which a pipeline ran; fewer where there are fewer, and
        none where none ran between these times.
    """
    is_new: dict[int, bool] = {}
    last_output: dict[tuple[str, str], Any] = {}
    for now, market, kind, name, terms in decisions:
        if not first_ns <= now < last_ns:
            continue
        if kind == "exception":
            is_new[now] = True
        elif kind in _SAID:
            key = (market, name)
            if key in last_output:
                changed = not alike(last_output[key], terms, 0.0)
            else:
                changed = not is_idle(terms)
            last_output[key] = terms
            is_new[now] = is_new.get(now, False) or changed
    # Orders and fills may lie between two rows, where a run on less data would not come to.
    for now, _, kind, _, _ in decisions:
        if kind not in _SAID and now in is_new:
            is_new[now] = True
    times = sorted(is_new)
    if not times:
        return []
    if len(times) <= count:
        return times
    active = np.flatnonzero([is_new[now] for now in times])
    chosen = {int(active[0]) if len(active) else 0}
    generator = np.random.default_rng(seed)
    edges = np.linspace(0, len(times), count + 1).astype(int)
    for stretch, (start, end) in enumerate(pairwise(edges.tolist())):
        if start == end:
            continue
        own = active[(active >= start) & (active < end)]
        among = own if len(own) else np.arange(start, end)
        place = int(among[generator.integers(len(among))])
        # At the decision in one stretch, just before it in the next.
        chosen.add(place if stretch % 2 == 0 else max(place - 1, 0))
    return [times[place] for place in sorted(chosen)]
