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

    Not made by hand: a venue with books makes it, and hands it to its `FillModel`: the same object
    until the order comes to rest anew, at another price.

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

    Examples
    --------
    A model that remembers how many snapshots an order has seen, and fills it at the third:

    >>> class Patient(hz.venues.FillModel):
    ...     def rest(self, order, book):
    ...         order.memory = 0
    ...     def follow(self, order, book):
    ...         order.memory += 1
    ...     def chance(self, order, book, seconds):
    ...         print(order, "has seen", order.memory)
    ...         return 1.0 if order.memory == 3 else 0.0
    >>> ex = hz.connect("book", fill_model=Patient())
    >>> fills = ex.take_book("ACME", [(99.5, 10)], [(100.5, 10)], timestamp=0.0)
    >>> order = ex.buy("ACME", 2, limit=99.5)
    >>> for second in (1.0, 2.0, 3.0):
    ...     fills = ex.take_book("ACME", [(99.5, 10)], [(100.5, 10)], timestamp=second)
    <RestingOrder p1: buy 2 at 99.5> has seen 1
    <RestingOrder p1: buy 2 at 99.5> has seen 2
    <RestingOrder p1: buy 2 at 99.5> has seen 3
    >>> len(fills)
    1
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

    Hand an object of it to ``fill_model=`` of ``hz.connect("book")``, `hz.backtest` or
    `hz.run`.

    Examples
    --------
    A model that lets an order fill once nine tenths of what stood at its price when it came have
    gone:

    >>> class QueueGone(hz.venues.FillModel):
    ...     def rest(self, order, book):
    ...         order.memory = book.displayed(order.price, order.sign)
    ...     def chance(self, order, book, seconds):
    ...         now = book.displayed(order.price, order.sign)
    ...         return 1.0 if now <= 0.1 * order.memory else 0.0
    >>> ex = hz.connect("book", fill_model=QueueGone())
    >>> def shows(size, second):
    ...     return ex.take_book("ACME", [(99.9, size)], [(100.1, 50)], timestamp=second)
    >>> fills = shows(100, 0.0)
    >>> order = ex.buy("ACME", 5, limit=99.9)
    >>> [len(shows(size, second)) for size, second in [(80, 1.0), (30, 2.0), (8, 3.0)]]
    [0, 0, 1]
    >>> ex.order(order.id).average_price
    99.9
    """

    #: False for a model that never fills anything: the venue then asks nothing.
    has_chance: ClassVar[bool] = True

    def rest(self, order: RestingOrder, book: BookView) -> None:  # noqa: B027  # may stay empty
        """See an order come to rest: on its arrival, or at a new price.

        Where there is no book yet it is called at the first snapshot, before `follow`.

        Parameters
        ----------
        order : RestingOrder
            Its ``price``, ``sign``, ``remaining`` and ``memory``.
        book : BookView
            ``bids``, ``asks``, ``mid`` and ``displayed(price, sign)``, the size at a price.
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
            This snapshot's.
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
    """Nothing fills but what a snapshot's other side reaches. The cautious answer.

    Examples
    --------
    An order at the bid fills when somebody offers there, and not before:

    >>> ex = hz.connect("book", fill_model=hz.venues.DeterministicFills())
    >>> fills = ex.take_book("ACME", [(99.9, 10)], [(100.1, 10)], timestamp=0.0)
    >>> order = ex.buy("ACME", 5, limit=99.9)
    >>> len(ex.take_book("ACME", [(99.8, 10)], [(100.0, 10)], timestamp=60.0))
    0
    >>> len(ex.take_book("ACME", [(99.7, 10)], [(99.9, 10)], timestamp=120.0))
    1
    """

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

    Raises
    ------
    TypeError, ValueError
        For an argument that is not as above.

    Notes
    -----
    At a price that no level has though worse ones are shown, nobody is ahead. At one worse than
    the last level the size is not known: the order waits, and its place is found when a
    snapshot shows the level. Size that joins a level joins behind. As decreases are shared out
    in proportion, an order that started behind anybody, by whatever fraction, comes to the
    front only once its level has been empty at a snapshot.

    Sizes are those recorded, whatever was displaced or taken; the order itself is not in them.

    Examples
    --------
    Behind all of the 100 that are shown. Of the 40 that leave, all had stood before the order;
    when the level was empty, it is at the front, and 1,000 fills a second leave no doubt:

    >>> model = hz.venues.ProbabilisticFills(lambda_=1_000, queue_frac=1.0)
    >>> ex = hz.connect("book", fill_model=model)
    >>> fills = ex.take_book("ACME", [(99.9, 100), (99.8, 50)], [(100.1, 50)], timestamp=0.0)
    >>> order = ex.buy("ACME", 5, limit=99.9)
    >>> fills = ex.take_book("ACME", [(99.9, 60), (99.8, 50)], [(100.1, 50)], timestamp=1.0)
    >>> ex.engine.venue.ahead_of(ex.engine.venue.account.orders[order.id])
    60.0
    >>> len(ex.take_book("ACME", [(99.8, 50)], [(100.1, 50)], timestamp=2.0))
    1
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

    Raises
    ------
    TypeError, ValueError
        For an argument that is not as above.

    Notes
    -----
    δ is the mid less a buy's limit, a sell's limit less the mid, in price units. Without one of
    the two sides there is no mid and no chance.

    References
    ----------
    Avellaneda and Stoikov (2008), High-frequency trading in a limit order book.

    Guéant, Lehalle and Fernandez-Tapia (2013), Dealing with the inventory risk.

    Examples
    --------
    Ten seconds at the mid, and ten seconds two cents below it, with one fill in ten seconds at
    the mid: 1 − exp(−1) and 1 − exp(−exp(−1)).

    >>> from horizon.venues.fill_models import RestingOrder
    >>> ex = hz.connect("book")
    >>> fills = ex.take_book("rain", [(0.49, 100)], [(0.51, 100)], timestamp=0.0)
    >>> model = hz.venues.GLFTFills(intensity=0.1, kappa=50)
    >>> book = ex.book("rain")
    >>> at_mid = RestingOrder("p1", "rain", 1, 1, 0.50, 10.0, 10.0, 0)
    >>> below = RestingOrder("p2", "rain", 2, 1, 0.48, 10.0, 10.0, 0)
    >>> [round(model.chance(order, book, seconds=10.0), 4) for order in (at_mid, below)]
    [0.6321, 0.3078]
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
