"""The decisions of a run with strategies: as records, as a frame, as tables of a saved result."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from horizon.backtesting.record import RunRecord
from horizon.backtesting.result_tables import instants, texts
from horizon.strategies.decision_log import ALGO_ENDINGS, DecisionColumns
from horizon.strategies.decisions import Decision, decisions_of, outcomes_of
from horizon.strategies.signals import ACTIONS

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "DECISION_TABLES",
    "DECISION_WORDS",
    "decision_columns",
    "decision_list",
    "decision_tables",
    "decisions_frame",
]

#: Tables that only a run with strategies leaves.
DECISION_TABLES: Final = ("decisions.parquet", "signals.parquet", "decision_orders.parquet")
#: The words that their numbers stand for, as the facts hold them.
DECISION_WORDS: Final = ("market_ids", "done_texts", "strategy_names", "reason_texts")
_ACTIONS: Final = tuple(ACTIONS)
_COLUMNS: Final = ("edges", "confidences", "prices", "currents", "targets", "quantities")


def decision_list(record: RunRecord) -> list[Decision]:
    """Make the records, oldest first; none without strategies."""
    columns = record.decisions
    return [] if columns is None else decisions_of(columns, record.orders)


# ------------------------------------------------------------------------ frame
def decisions_frame(record: RunRecord) -> pd.DataFrame:
    """Return one row for each decision, oldest first."""
    import pandas as pd

    columns = _none() if record.decisions is None else record.decisions
    outcomes = outcomes_of(columns, record.orders)
    names = columns.strategy_names
    starts, orders = columns.signal_starts.tolist(), columns.order_starts.tolist()
    ids = [f"p{number}" for number in columns.orders.tolist()]

    def joined(words: tuple[str, ...], codes: NDArray[np.int32], between: str) -> list[str]:
        each = [words[code] for code in codes.tolist()]
        if len(each) == len(columns):  # nearly always: one signal, one decision
            return each
        parts = (each[start:end] for start, end in pairwise(starts))
        return [between.join(word for word in part if word) for part in parts]

    def words(values: Any) -> Any:
        return pd.Series(values, dtype="str")

    return pd.DataFrame(
        {
            "timestamp": pd.DatetimeIndex(instants(columns.times_ns).copy()).tz_localize("UTC"),
            "market_id": words(texts(columns.market_ids, columns.markets)),
            "strategy": words(joined(names, columns.strategies, " + ")),
            "action": words(joined(_ACTIONS, columns.actions, " + ")),
            "edge_bps": columns.edges.copy(),
            "confidence": columns.confidences.copy(),
            "price": columns.prices.copy(),
            "current": columns.currents.copy(),
            "target": columns.targets.copy(),
            "done": words(texts(columns.done_texts, columns.done)),
            "quantity": columns.quantities.copy(),
            "filled": outcomes.filled,
            "average_price": outcomes.averages,
            "status": words(outcomes.statuses),
            "order_id": words([" ".join(ids[a:b]) for a, b in pairwise(orders)]),
            "reason": words(joined(columns.reason_texts, columns.reasons, "; ")),
        }
    )


def _none() -> DecisionColumns:
    """The columns of a run that has decided nothing."""
    made: dict[str, Any] = {name: np.zeros(0) for name in _COLUMNS}
    for name in ("markets", "done", "algos", "strategies", "actions", "reasons"):
        made[name] = np.zeros(0, dtype=np.int32)
    for name in ("times_ns", "orders"):
        made[name] = np.zeros(0, dtype=np.int64)
    for name in ("signal_starts", "order_starts"):
        made[name] = np.zeros(1, dtype=np.int64)
    for name in ("signal_edges", "signal_confidences"):
        made[name] = np.zeros(0)
    made |= dict.fromkeys(DECISION_WORDS, ())
    return DecisionColumns(**made)


# ------------------------------------------------------------------------ saved
def decision_tables(
    columns: DecisionColumns,
    times: Callable[[NDArray[np.int64]], Any],
    words: Callable[[tuple[str, ...], NDArray[Any]], Any],
) -> dict[str, dict[str, Any]]:
    """Say the columns of each table, by its name; `times` and `words` make those of Arrow."""
    return {
        "decisions": {
            "time": times(columns.times_ns),
            "market_id": words(columns.market_ids, columns.markets),
            "price": columns.prices,
            "edge_bps": columns.edges,
            "confidence": columns.confidences,
            "target": columns.targets,
            "current": columns.currents,
            "done": words(columns.done_texts, columns.done),
            "quantity": columns.quantities,
            "algo": words(ALGO_ENDINGS, columns.algos),
            "first_signal": columns.signal_starts[:-1],
            "first_order": columns.order_starts[:-1],
        },
        "signals": {
            "strategy": words(columns.strategy_names, columns.strategies),
            "action": words(_ACTIONS, columns.actions),
            "edge_bps": columns.signal_edges,
            "confidence": columns.signal_confidences,
            "reason": words(columns.reason_texts, columns.reasons),
        },
        "decision_orders": {"order_number": columns.orders},
    }


def decision_columns(
    read: Callable[[str], Any], facts: Mapping[str, Any], orders: int
) -> DecisionColumns:
    """Put the tables together again; whatever does not fit raises.

    Parameters
    ----------
    read : callable
        Gives the reader of a table by its file's name.
    facts : mapping
        The words, as `DECISION_WORDS` names them.
    orders : int
        How many orders the run has.
    """
    if not isinstance(facts, dict) or facts.keys() != set(DECISION_WORDS):
        raise ValueError("the facts of the decisions are not those expected")
    said = {name: tuple(facts[name]) for name in DECISION_WORDS}
    decisions, signals, sent = (read(name) for name in DECISION_TABLES)
    made = DecisionColumns(
        times_ns=decisions.times("time"),
        markets=decisions.codes("market_id", said["market_ids"], np.int32),
        prices=decisions.floats("price"),
        edges=decisions.floats("edge_bps"),
        confidences=decisions.floats("confidence"),
        targets=decisions.floats("target"),
        currents=decisions.floats("current"),
        done=decisions.codes("done", said["done_texts"], np.int32),
        quantities=decisions.floats("quantity"),
        algos=decisions.codes("algo", ALGO_ENDINGS, np.int32),
        strategies=signals.codes("strategy", said["strategy_names"], np.int32),
        actions=signals.codes("action", _ACTIONS, np.int32),
        signal_edges=signals.floats("edge_bps"),
        signal_confidences=signals.floats("confidence"),
        reasons=signals.codes("reason", said["reason_texts"], np.int32),
        orders=sent.whole("order_number"),
        signal_starts=np.append(decisions.whole("first_signal"), len(signals.table)),
        order_starts=np.append(decisions.whole("first_order"), len(sent.table)),
        **said,
    )
    for name, starts in (("signals", made.signal_starts), ("orders", made.order_starts)):
        if starts[0] != 0 or (np.diff(starts) < 0).any():
            raise ValueError(f"decisions.parquet does not fit its {name}")
    numbers = made.orders
    if len(numbers) and not (numbers.min() >= 1 and numbers.max() <= orders):
        raise ValueError("decision_orders.parquet names orders that orders.parquet does not have")
    return made
