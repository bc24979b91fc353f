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
    """Base of every error that Horizon raises on purpose.

    Wrong arguments raise ``ValueError`` or ``TypeError`` instead. `DataError` and `ModelError` are
    both: a `HorizonError` and a ``ValueError``.

    Examples
    --------
    >>> try:
    ...     hz.connect("papier")
    ... except hz.HorizonError as error:
    ...     print(type(error).__name__)
    VenueError
    """


class VenueError(HorizonError):
    """The venue cannot take the call: unknown, not connected, closed, or not of that kind.

    Examples
    --------
    >>> with hz.connect("paper") as ex:
    ...     order = ex.buy("AAPL", 10, limit=180.0)
    >>> ex.cancel(order.id)
    Traceback (most recent call last):
    ...
    horizon.errors.VenueError: this client is closed; make a new one with hz.connect
    """


class OrderError(HorizonError):
    """The call does not fit the order's or the market's state.

    Parameters
    ----------
    message : str
    order_id : str, optional
        The order concerned.

    Attributes
    ----------
    order_id : str or None
        The order concerned, where there is one.

    Examples
    --------
    >>> ex = hz.connect("paper")
    >>> order = ex.buy("AAPL", 10, limit=180.0)
    >>> fills = ex.tick("AAPL", 180.0)
    >>> try:
    ...     ex.amend(order.id, new_price=179.0)
    ... except hz.OrderError as error:
    ...     print(error.order_id, "-", error)
    p1 - order 'p1' is filled; it cannot be amended
    """

    def __init__(self, message: str, order_id: str | None = None) -> None:
        super().__init__(message)
        self.order_id = order_id


class RiskRejected(HorizonError):
    """A risk rule refused an order before it reached the venue.

    Nothing has changed but the count of refusals. What only reduces a position is never refused.

    Parameters
    ----------
    message : str
        Names the rule, what it allows, and what the order would have made of it.

    Attributes
    ----------
    rule : str
        The name of the rule, e.g. ``"max_order_size"``.
    limit, value : float
        What the rule allows, and what the order would have made it.
    market_id : str
        The market of the refused order; ``"<id>:no"`` for a NO side.

    Examples
    --------
    >>> ex = hz.connect("paper", risk=hz.RiskConfig(max_order_size=100))
    >>> try:
    ...     ex.buy("AAPL", 250, limit=180.0)
    ... except hz.RiskRejected as refusal:
    ...     print(refusal.rule, refusal.limit, refusal.value)
    max_order_size 100.0 250.0
    >>> ex.orders(), ex.engine.rejections
    ([], {'max_order_size': 1})
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
    """An execution algorithm was used out of turn (before its start, or started twice).

    Examples
    --------
    >>> twap = hz.TWAP(hz.Engine(), duration_secs=60, num_slices=6)
    >>> twap.on_tick(20.0, 0.0)
    Traceback (most recent call last):
    ...
    horizon.errors.AlgoError: on_tick needs a parent order: call start(request) first
    """


class ModelError(HorizonError, ValueError):
    """A model of fees, impact, latency or fills raised, or returned what cannot be.

    The model's own exception, where there is one, is the ``__cause__``.

    Examples
    --------
    A fee is a fraction, and 5 is none; 5 basis points are 0.0005:

    >>> class FiveBps(hz.venues.Fees):
    ...     def rate(self, price, is_maker, asset_class):
    ...         return 5
    >>> ex = hz.connect("paper", fees=FiveBps())
    >>> ex.buy("AAPL", 10, limit=180.0)
    Traceback (most recent call last):
    ...
    horizon.errors.ModelError: FiveBps.rate must return a fraction in (-1, 1), was 5
    """


class PipelineError(HorizonError):
    """A stage of a pipeline raised, or returned what no pipeline can use.

    The stage's own exception is the ``__cause__``.

    Parameters
    ----------
    message : str
        Names the stage, the market and the time, and says what went wrong.

    Attributes
    ----------
    stage : str
        Name of the stage.
    market_id : str
        The market that the pipeline ran for.
    timestamp : float
        The run's time, in seconds since 1970.

    Examples
    --------
    >>> def fair_value(ctx):
    ...     return ctx.params["fair"]
    >>> rows = [{"timestamp": 0.0, "price": 0.5}, {"timestamp": 60.0, "price": 0.6}]
    >>> try:
    ...     hz.backtest(data=rows, pipeline=[fair_value])
    ... except hz.PipelineError as error:
    ...     print(error.stage, error.timestamp, repr(error.__cause__))
    fair_value 0.0 KeyError('fair')
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

    Parameters
    ----------
    message : str
        Names feed, row and value, and says what is accepted.

    Attributes
    ----------
    feed : str or None
        Name of the feed, where feeds have names.
    row : int or None
        Zero-based number of the row in its feed.
    value : object
        The value that is refused.

    Examples
    --------
    >>> rows = [{"timestamp": 60.0, "price": 0.5}, {"timestamp": 0.0, "price": 0.6}]
    >>> try:
    ...     hz.backtest(data=rows, pipeline=[lambda ctx: None])
    ... except hz.DataError as error:
    ...     print(error.row)
    1
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

    Parameters
    ----------
    message : str

    Attributes
    ----------
    feed : str
        The feed's name.
    address : str or None
        What it was asked at, without keys.

    Examples
    --------
    >>> refused = hz.FeedError("symbol 'BTCUSDX' is unknown", feed="prices")
    >>> refused.feed, refused.address
    ('prices', None)
    """

    def __init__(self, message: str, *, feed: str, address: str | None = None) -> None:
        super().__init__(message)
        self.feed = feed
        self.address = address

    def __reduce__(self) -> tuple[object, ...]:
        return _feed_error, (self.args[0], self.feed, self.address)


def _feed_error(message: str, feed: str, address: str | None) -> FeedError:
    return FeedError(message, feed=feed, address=address)
