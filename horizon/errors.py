"""Every error that Horizon raises on purpose.

::

    HorizonError
    ├── VenueError            not connected, closed, unknown venue, not offered by this venue
    ├── OrderError            an order verb that the order's state does not allow
    ├── RiskRejected          a risk rule refused the order; .rule, .limit, .value
    ├── AlgoError             an execution algorithm used out of turn
    ├── ModelError            a model of fees, impact, latency or fills raised, or returned nonsense
    ├── PipelineError         a stage of a pipeline raised, or returned nonsense; .stage, .market_id
    ├── DataError             a row of data that cannot be true; .feed, .row, .value
    └── FeedError             a live feed that is not there, or refuses us; .feed, .address

Wrong arguments raise ``ValueError`` or ``TypeError`` and change nothing. A refusal by
the market (no price yet, not enough buying power, settled) is no exception: it comes
back as an order whose status is ``"rejected"``.
"""

from __future__ import annotations

__all__ = [
    "AlgoError",
    "DataError",
    "FeedError",
    "HorizonError",
    "ModelError",
    "OrderError",
    "PipelineError",
    "RiskRejected",
    "VenueError",
]


class HorizonError(Exception):
    """Base of every error that Horizon raises on purpose."""


class VenueError(HorizonError):
    """The venue cannot take the call: unknown, not connected, or closed."""


class OrderError(HorizonError):
    """The call does not fit the order's or the market's state.

    Attributes
    ----------
    order_id : str or None
        The order concerned, where there is one.
    """

    def __init__(self, message: str, order_id: str | None = None) -> None:
        super().__init__(message)
        self.order_id = order_id


class RiskRejected(HorizonError):
    """A risk rule refused an order before it reached the venue.

    Attributes
    ----------
    rule : str
        The name of the rule, e.g. ``"max_order_size"``.
    limit, value : float
        What the rule allows, and what the order would have made it.
    market_id : str
        The market of the refused order.
    """

    def __init__(
        self, message: str, *, rule: str, limit: float, value: float, market_id: str
    ) -> None:
        super().__init__(message)
        self.rule = rule
        self.limit = limit
        self.value = value
        self.market_id = market_id

    def __reduce__(self) -> tuple[object, ...]:
        # Exceptions pickle through their positional arguments alone; the facts must survive
        # the way back from a worker process.
        facts = (self.args[0], self.rule, self.limit, self.value, self.market_id)
        return _risk_rejected, facts


def _risk_rejected(
    message: str, rule: str, limit: float, value: float, market_id: str
) -> RiskRejected:
    return RiskRejected(message, rule=rule, limit=limit, value=value, market_id=market_id)


class AlgoError(HorizonError):
    """An execution algorithm was used out of turn (before its start, or started twice)."""


class ModelError(HorizonError, ValueError):
    """A model of fees, impact, latency or fills raised, or returned what cannot be.

    The model's own exception, where there is one, is the ``__cause__``.
    """


class PipelineError(HorizonError):
    """A stage of a pipeline raised, or returned what no pipeline can use.

    The stage's own exception is the ``__cause__``.

    Attributes
    ----------
    stage : str
        Name of the stage.
    market_id : str
        The market that the pipeline ran for.
    timestamp : float
        The run's time, in seconds since 1970.
    """

    def __init__(self, message: str, *, stage: str, market_id: str, timestamp: float) -> None:
        super().__init__(message)
        self.stage = stage
        self.market_id = market_id
        self.timestamp = timestamp

    def __reduce__(self) -> tuple[object, ...]:
        return _pipeline_error, (self.args[0], self.stage, self.market_id, self.timestamp)


def _pipeline_error(message: str, stage: str, market_id: str, timestamp: float) -> PipelineError:
    return PipelineError(message, stage=stage, market_id=market_id, timestamp=timestamp)


class DataError(HorizonError, ValueError):
    """A row of market data that cannot be true.

    Attributes
    ----------
    feed : str or None
        Name of the feed, where feeds have names.
    row : int or None
        Zero-based number of the row in its feed.
    value : object
        The value that is refused.
    """

    def __init__(
        self,
        message: str,
        *,
        feed: str | None = None,
        row: int | None = None,
        value: object = None,
    ) -> None:
        super().__init__(message)
        self.feed = feed
        self.row = row
        self.value = value


class FeedError(HorizonError):
    """A live feed cannot be had: it does not answer, or refuses what it was asked.

    Attributes
    ----------
    feed : str
        The feed's name.
    address : str or None
        What it was asked at, without keys.
    """

    def __init__(self, message: str, *, feed: str, address: str | None = None) -> None:
        super().__init__(message)
        self.feed = feed
        self.address = address

    def __reduce__(self) -> tuple[object, ...]:
        return _feed_error, (self.args[0], self.feed, self.address)


def _feed_error(message: str, feed: str, address: str | None) -> FeedError:
    return FeedError(message, feed=feed, address=address)
