"""Whether an order that rests fills although nothing in the book has reached its price.

A snapshot shows what stands there, not who traded in between. A fill model says how likely a
trade was that reached an order at, or inside, the best price of its own side. It gives a
probability and nothing else: who may fill, how much and when, and the uniform number that
decides, are the venue's business.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from horizon import checks, rules
from horizon.venues.book_view import BookView

__all__ = [
    "DeterministicFills",
    "FillModel",
    "GLFTFills",
    "ProbabilisticFills",
    "RestingOrder",
    "fill_model_of",
]


class RestingOrder:
    """An order that rests, as fill models see it.

    Attributes
    ----------
    id, market_id : str
        `market_id` ends in ``":no"`` for an order of a NO side.
    number : int
        Its place among the orders of its market, from 1.
    sign : int
        1 for a buy, -1 for a sell.
    price : float
        Its limit; of a NO contract, the price of NO.
    quantity, remaining : float
        Units, in all and still open.
    arrived_ns : int
        When it came to rest, in nanoseconds since 1970, UTC.
    memory : object
        Belongs to the fill model: whatever it has to remember of this order. It is None when
        the order comes to rest.
    """

    __slots__ = (
        "arrived_ns",
        "id",
        "market_id",
        "memory",
        "number",
        "price",
        "quantity",
        "remaining",
        "sign",
    )

    def __init__(
        self,
        order_id: str,
        market_id: str,
        number: int,
        sign: int,
        price: float,
        quantity: float,
        remaining: float,
        arrived_ns: int,
    ) -> None:
        self.id = order_id
        self.market_id = market_id
        self.number = number
        self.sign = sign
        self.price = price
        self.quantity = quantity
        self.remaining = remaining
        self.arrived_ns = arrived_ns
        self.memory: Any = None

    def __repr__(self) -> str:
        side = "buy" if self.sign > 0 else "sell"
        return f"<RestingOrder {self.id}: {side} {self.remaining:g} at {self.price:g}>"


class FillModel(ABC):
    """The chance of a resting order; derive from it for one of your own.

    The books that it is shown are those of the order's side (a NO order sees a book of NO), as
    they were recorded, and displaced against the order by the impact of what was taken before.
    It may keep what it knows of an order in ``order.memory``, and should keep nothing of one
    run for the next in itself.
    """

    #: False for a model that never fills anything: the venue then asks nothing.
    has_chance: ClassVar[bool] = True

    def rest(self, order: RestingOrder, book: BookView) -> None:  # noqa: B027  # may stay empty
        """See an order come to rest: on its arrival, or at a new price.

        Where there is no book yet it is called at the first snapshot, before `follow`.
        """

    def follow(self, order: RestingOrder, book: BookView) -> None:  # noqa: B027  # may stay empty
        """See a later snapshot: called for every resting order at each, before any chance."""

    @abstractmethod
    def chance(self, order: RestingOrder, book: BookView, seconds: float) -> float:
        """Return the probability that the order fills at this snapshot.

        Asked for an order at or inside the best price of its own side that the other side has
        not reached.

        Parameters
        ----------
        order : RestingOrder
        book : BookView
        seconds : float
            Since the later of the order's arrival and the snapshot before; 0 or more.

        Returns
        -------
        float
            In [0, 1].
        """

    def ahead(self, order: RestingOrder) -> float:
        """Return the units before a resting order in its queue; NaN where that is not known.

        It decides nothing: who looks at a ladder sees it. Here: NaN, as for a model that keeps
        no place.
        """
        return math.nan

    @property
    def params(self) -> dict[str, float]:
        """The model's parameters, by the names that `fill_model_params` knows."""
        return {}

    def __repr__(self) -> str:
        given = ", ".join(f"{name}={value:g}" for name, value in self.params.items())
        return f"{type(self).__name__}({given})"


class DeterministicFills(FillModel):
    """Nothing fills but what a snapshot's other side reaches. The cautious answer."""

    has_chance: ClassVar[bool] = False

    def chance(self, order: RestingOrder, book: BookView, seconds: float) -> float:
        """Return 0.0."""
        return 0.0


class ProbabilisticFills(FillModel):
    """A place in the queue, and a constant rate of fills at its front.

    An order at a level that is shown starts behind `queue_frac` of its displayed size. Where
    that size falls, part of what left had stood before the order: it moves up by decrease ×
    ahead / previous size. At the front it fills with probability 1 − exp(−lambda × seconds).

    Parameters
    ----------
    lambda_ : float
        Fills a second at the front of the queue, 0 or more. By default 0.1, one in ten seconds:
        a guess for a quiet market, to be replaced by the rate of trades in yours.
    queue_frac : float
        In [0, 1]: 0 starts at the front, 1 behind everybody who is shown. By default 0.5, the
        middle: last in the queue, with half of those ahead gone before their turn.

    Notes
    -----
    At a price that no level has though worse ones are shown, nobody is ahead. At one worse than
    the last level the size is not known: the order waits, and its place is found when a
    snapshot shows the level. Size that joins a level joins behind. As decreases are shared out
    in proportion, an order that started behind anybody, by whatever fraction, comes to the
    front only once its level has been empty at a snapshot.

    Sizes are those recorded, whatever was displaced or taken; the order itself is not in them.
    """

    def __init__(self, lambda_: float = 0.1, queue_frac: float = 0.5) -> None:
        self.lambda_ = checks.non_negative("lambda", lambda_)
        self.queue_frac = checks.non_negative("queue_frac", queue_frac)
        if self.queue_frac > 1.0:
            raise ValueError(f"queue_frac must lie in [0, 1], was {queue_frac!r}")

    @property
    def params(self) -> dict[str, float]:
        """``lambda`` and ``queue_frac``."""
        return {"lambda": self.lambda_, "queue_frac": self.queue_frac}

    def rest(self, order: RestingOrder, book: BookView) -> None:
        """Put the order into the queue at its price, as far as that is known."""
        size = book.displayed(order.price, order.sign)
        # What is ahead, and the size that was last displayed.
        order.memory = None if math.isnan(size) else (self.queue_frac * size, size)

    def follow(self, order: RestingOrder, book: BookView) -> None:
        """Move the order up as its level shrinks."""
        size = book.displayed(order.price, order.sign)
        if math.isnan(size):
            return
        if order.memory is None:
            order.memory = (self.queue_frac * size, size)
            return
        ahead, previous = order.memory
        if size < previous:
            ahead = max(ahead - (previous - size) * ahead / previous, 0.0) if size else 0.0
        order.memory = (ahead, size)

    def ahead(self, order: RestingOrder) -> float:
        """Units before the order in its queue; NaN while its level was never shown."""
        return math.nan if order.memory is None else float(order.memory[0])

    def chance(self, order: RestingOrder, book: BookView, seconds: float) -> float:
        """Return the chance of a trade in this time if the order is at the front, else 0.0."""
        ahead = self.ahead(order)
        # What is less than the rounding of the order's own size is nobody.
        if not ahead <= rules.SLACK * order.quantity:
            return 0.0
        return -math.expm1(-self.lambda_ * seconds)


class GLFTFills(FillModel):
    """Trades come the more seldom, the further from the mid an order stands.

    An order at a distance δ from the mid fills with probability 1 − exp(−A·exp(−k·max(δ, 0)) ×
    seconds), as if market orders that reach it came as a Poisson process of that intensity.

    Parameters
    ----------
    intensity : float
        A, fills a second of an order at the mid, 0 or more. By default 0.1, one in ten seconds,
        as `ProbabilisticFills` has it at the front of its queue.
    kappa : float
        k, per price unit, 0 or more. By default 50: for prices between 0 and 1 the chance falls
        to 1/e two cents from the mid. Prices of other sizes need another one; with 50 they
        hardly ever fill, which errs on the safe side.

    Notes
    -----
    δ is the mid less a buy's limit, a sell's limit less the mid, in price units. Without one of
    the two sides there is no mid and no chance.

    References
    ----------
    Avellaneda and Stoikov (2008), High-frequency trading in a limit order book.
    Guéant, Lehalle and Fernandez-Tapia (2013), Dealing with the inventory risk.
    """

    def __init__(self, intensity: float = 0.1, kappa: float = 50.0) -> None:
        self.intensity = checks.non_negative("intensity", intensity)
        self.kappa = checks.non_negative("kappa", kappa)

    @property
    def params(self) -> dict[str, float]:
        """``intensity`` and ``kappa``."""
        return {"intensity": self.intensity, "kappa": self.kappa}

    def chance(self, order: RestingOrder, book: BookView, seconds: float) -> float:
        """Return the chance at the order's distance from the mid."""
        mid = book.mid
        if math.isnan(mid):
            return 0.0
        distance = max(order.sign * (mid - order.price), 0.0)
        return -math.expm1(-self.intensity * math.exp(-self.kappa * distance) * seconds)


#: Name of each model, its class, and what its parameters are called there.
_MODELS: Final[dict[str, tuple[type[FillModel], dict[str, str]]]] = {
    "deterministic": (DeterministicFills, {}),
    "probabilistic": (ProbabilisticFills, {"lambda": "lambda_", "queue_frac": "queue_frac"}),
    "glft": (GLFTFills, {"intensity": "intensity", "kappa": "kappa"}),
}


def fill_model_of(
    fill_model: str | FillModel, fill_model_params: Mapping[str, float] | None = None
) -> FillModel:
    """Make a fill model from its name and parameters; one that is made already is returned.

    Parameters
    ----------
    fill_model : str or FillModel
        ``"deterministic"``, ``"probabilistic"`` or ``"glft"``.
    fill_model_params : mapping, optional
        ``lambda`` and ``queue_frac``, or ``intensity`` and ``kappa``; what is left out has the
        default of `ProbabilisticFills` or `GLFTFills`.

    Raises
    ------
    TypeError
        If `fill_model` is neither a name nor a model, or `fill_model_params` no mapping of numbers.
    ValueError
        If a name is unknown (the nearest one is named), a parameter out of range, or a model is
        given together with parameters.
    """
    params: Any = fill_model_params
    if isinstance(fill_model, FillModel):
        if params:
            raise ValueError(
                f"fill_model_params belong to a model that is named; fill_model was {fill_model!r}"
            )
        return fill_model
    if not isinstance(fill_model, str):
        raise TypeError(
            "fill_model must be a FillModel or one of "
            f"{', '.join(map(repr, _MODELS))}; was {checks.show(fill_model)}"
        )
    name = checks.one_of("fill_model", fill_model, _MODELS)
    made, accepted = _MODELS[name]
    if params is None:
        return made()
    if not isinstance(params, Mapping):
        raise TypeError(f"fill_model_params must map names to numbers, was {checks.show(params)}")
    for given in params:
        if given not in accepted:
            known = " and ".join(map(repr, accepted)) or "none"
            near = checks.suggestion(given, accepted) if isinstance(given, str) else ""
            raise ValueError(
                f"fill_model_params of {name!r} are {known}; has {checks.show(given)}{near}"
            )
    return made(**{accepted[given]: value for given, value in params.items()})
