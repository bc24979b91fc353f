"""Decisions as they are made: columns, which a run of any length can afford."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from horizon.strategies.signals import ACTIONS, Signal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from horizon.venues.account import Account

__all__ = ["ALGO_ENDINGS", "DESK_ENDINGS", "DecisionColumns", "DecisionLog"]

_ACTION: Final = {action: number for number, action in enumerate(ACTIONS)}
#: Of an order that the desk itself has cancelled: what its decision's status is then.
DESK_ENDINGS: Final = ("expired", "replaced", "stale")
#: How a decision's algorithm has ended; nothing where it has none.
ALGO_ENDINGS: Final = ("", "running", "filled", "canceled", *DESK_ENDINGS)


@dataclass(frozen=True, slots=True, eq=False)
class DecisionColumns:
    """Every decision of a run, of shape (n,) but where it says otherwise.

    Attributes
    ----------
    times_ns : ndarray of int64
    markets, done, algos : ndarray of int32
        Index into `market_ids`, `done_texts` and `ALGO_ENDINGS`.
    prices, edges, confidences, targets, currents, quantities : ndarray of float64
    signal_starts, order_starts : ndarray of int64, shape (n + 1,)
        Where each decision's signals and orders begin in the columns below.
    strategies, actions, reasons : ndarray of int32, shape (n_signals,)
        Index into `strategy_names`, `ACTIONS` and `reason_texts`.
    signal_edges, signal_confidences : ndarray of float64, shape (n_signals,)
    orders : ndarray of int64, shape (n_orders,)
        Number k stands for the order ``"p<k>"``.
    """

    times_ns: NDArray[np.int64]
    markets: NDArray[np.int32]
    done: NDArray[np.int32]
    algos: NDArray[np.int32]
    prices: NDArray[np.float64]
    edges: NDArray[np.float64]
    confidences: NDArray[np.float64]
    targets: NDArray[np.float64]
    currents: NDArray[np.float64]
    quantities: NDArray[np.float64]
    signal_starts: NDArray[np.int64]
    order_starts: NDArray[np.int64]
    strategies: NDArray[np.int32]
    actions: NDArray[np.int32]
    reasons: NDArray[np.int32]
    signal_edges: NDArray[np.float64]
    signal_confidences: NDArray[np.float64]
    orders: NDArray[np.int64]
    market_ids: tuple[str, ...]
    done_texts: tuple[str, ...]
    strategy_names: tuple[str, ...]
    reason_texts: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.times_ns)


#: What an algorithm's own status is called here.
_ALGO_STATUS: Final = {
    "running": "running",
    "paused": "running",
    "completed": "filled",
    "expired": "expired",
}


class _Words:
    """Texts by number, each kept once; of very many the later ones share one."""

    __slots__ = ("numbers", "texts")

    def __init__(self, *texts: str) -> None:
        self.texts = list(texts)
        self.numbers = {text: number for number, text in enumerate(texts)}

    def __call__(self, text: str) -> int:
        number = self.numbers.get(text)
        if number is None:
            if len(self.texts) >= _MOST:
                text = text.partition(":")[0] if len(self.texts) < 2 * _MOST else "(other)"
                if text in self.numbers:
                    return self.numbers[text]
            number = self.numbers[text] = len(self.texts)
            self.texts.append(text)
        return number


#: Texts kept whole: reasons may have numbers in them.
_MOST: Final = 10_000


class DecisionLog:
    """Decisions as they are made: some 100 bytes for each."""

    def __init__(self, market_ids: Sequence[str], strategy_names: Sequence[str]) -> None:
        self._market_ids = tuple(market_ids)
        self._strategies = _Words(*strategy_names)
        self._reasons = _Words("")
        self._done = _Words()
        #: Six to a decision: price, edge, confidence, target, current, quantity.
        self._floats = array("d")
        #: Three to a decision: time in ns, order number (0 is none), signals before it.
        self._whole = array("q")
        #: Two to a decision: market, what was done.
        self._codes = array("i")
        #: Two to a signal: edge, confidence.
        self._signal_floats = array("d")
        #: Three to a signal: strategy, action, reason.
        self._signal_codes = array("i")
        self._signals = 0
        #: The algorithms that decisions have started or kept, by the decision's number.
        self._algos: dict[int, str] = {}
        #: Why the desk has stopped those that it has stopped.
        self._stopped: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self._codes) // 2

    def add(
        self,
        now_ns: int,
        market: int,
        signals: Sequence[tuple[str, Signal]],
        price: float,
        edge: float,
        confidence: float,
        target: float,
        current: float,
        quantity: float,
        done: str,
        order_number: int = 0,
        algo_id: str | None = None,
    ) -> None:
        """Note one decision; `market` is its number."""
        if algo_id is not None:
            self._algos[len(self._codes) // 2] = algo_id
        self._floats.extend((price, edge, confidence, target, current, quantity))
        self._whole.extend((now_ns, order_number, self._signals))
        self._codes.extend((market, self._done(done)))
        strategies = self._strategies.numbers
        for strategy, signal in signals:
            reason = signal.reason
            self._signal_floats.extend((signal.edge_bps, signal.confidence))
            self._signal_codes.extend(
                (
                    strategies[strategy],
                    _ACTION[signal.action],
                    self._reasons(reason) if reason else 0,
                )
            )
        self._signals += len(signals)

    def counts(self) -> dict[str, int]:
        """Return how often each thing was done, the most frequent first."""
        counted = Counter(self._codes[1::2].tolist())
        return {self._done.texts[done]: count for done, count in counted.most_common()}

    def stopped(self, algo_id: str, reason: str) -> None:
        """Note why an algorithm was stopped."""
        self._stopped[algo_id] = reason

    def columns(self, account: Account) -> DecisionColumns:
        """Return all decisions so far, with the orders that `account` has of them."""
        import numpy as np

        floats = np.array(self._floats, dtype=np.float64).reshape(-1, 6)
        whole = np.array(self._whole, dtype=np.int64).reshape(-1, 3)
        codes = np.array(self._codes, dtype=np.int32).reshape(-1, 2)
        signal_floats = np.array(self._signal_floats, dtype=np.float64).reshape(-1, 2)
        signal_codes = np.array(self._signal_codes, dtype=np.int32).reshape(-1, 3)
        counts = (whole[:, 1] > 0).astype(np.int64)
        parts = whole[:, 1][whole[:, 1] > 0]
        algos = np.zeros(len(whole), dtype=np.int32)
        if self._algos:
            for decision, algo_id in self._algos.items():
                status = _ALGO_STATUS.get(account.algos[algo_id].status, "canceled")
                algos[decision] = ALGO_ENDINGS.index(self._stopped.get(algo_id, status))
            numbers: list[list[int]] = [[one] if one else [] for one in whole[:, 1].tolist()]
            for decision, algo_id in self._algos.items():
                numbers[decision] = [int(child[1:]) for child in account.algos[algo_id].children]
            counts = np.array([len(own) for own in numbers], dtype=np.int64)
            parts = np.array([one for own in numbers for one in own], dtype=np.int64)
        return DecisionColumns(
            times_ns=whole[:, 0].copy(),
            markets=codes[:, 0].copy(),
            done=codes[:, 1].copy(),
            algos=algos,
            prices=floats[:, 0].copy(),
            edges=floats[:, 1].copy(),
            confidences=floats[:, 2].copy(),
            targets=floats[:, 3].copy(),
            currents=floats[:, 4].copy(),
            quantities=floats[:, 5].copy(),
            signal_starts=np.append(whole[:, 2], self._signals),
            order_starts=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            strategies=signal_codes[:, 0].copy(),
            actions=signal_codes[:, 1].copy(),
            reasons=signal_codes[:, 2].copy(),
            signal_edges=signal_floats[:, 0].copy(),
            signal_confidences=signal_floats[:, 1].copy(),
            orders=parts,
            market_ids=self._market_ids,
            done_texts=tuple(self._done.texts),
            strategy_names=tuple(self._strategies.texts),
            reason_texts=tuple(self._reasons.texts),
        )
