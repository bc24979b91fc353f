"""Risk: what an engine asks of every order before the venue sees it.

The limits are a `RiskConfig`; each rule is one scalar function with one question. A rule
reads and never changes state. What reduces a position is never refused, by any of them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from horizon import checks, rules
from horizon.errors import RiskRejected
from horizon.types import Shown
from horizon.venues.account import Account
from horizon.venues.records import Leg, MarketState

__all__ = ["RISK_RULES", "RiskConfig", "RiskGate", "drawdown_floor", "exposure_after"]

_SECOND_NS: Final = 1_000_000_000

#: Every rule by its name in `RiskRejected.rule`, in the order in which they are asked.
RISK_RULES: Final = (
    "kill_switch",
    "equity",
    "max_daily_drawdown_pct",
    "max_order_size",
    "max_position_per_market",
    "max_portfolio_notional",
    "max_orders_per_second",
)


@dataclass(frozen=True, slots=True)
class RiskConfig(Shown):
    """Limits on opening orders; None is no limit. What only reduces is never refused.

    Parameters
    ----------
    max_position_per_market : float, optional
        Largest position in units, open orders counted as filled; YES and NO of a prediction
        count against each other.
    max_order_size : float, optional
        Largest quantity of one order.
    max_portfolio_notional : float, optional
        Largest sum over markets of ``|quantity × price × multiplier|``, in currency: positions at
        their marks, the opening parts of open orders at their own prices, YES and NO apart.
    max_daily_drawdown_pct : float, optional
        Percent (10.0 is 10 %) that equity may lie under the UTC day's highest. Past it resting
        orders that open are cancelled, and until the next day of the account's time only
        reducing orders pass.
    max_orders_per_second : float, optional
        Whole number of orders and amendments in any one second; up to 4096. Time is the
        account's: the later of the venue's clock and the latest time of any command.

    Raises
    ------
    TypeError, ValueError
        For a limit that is not a number above 0, or a rate that is not whole.

    Examples
    --------
    Open orders count as filled: 60 rest, so 50 more would make 110.

    >>> limits = hz.RiskConfig(max_position_per_market=100, max_daily_drawdown_pct=2.0)
    >>> ex = hz.connect("paper", risk=limits)
    >>> first = ex.buy("AAPL", 60, limit=180.0)
    >>> ex.buy("AAPL", 50, limit=179.0)
    Traceback (most recent call last):
    ...
    horizon.errors.RiskRejected: order in AAPL refused by max_position_per_market: the position
    would be 110 with all open orders, over the max_position_per_market of 100

    ``ex.preview(…)`` asks the same rules without sending anything:

    >>> ex.preview("AAPL", 50, limit=179.0).rule
    'max_position_per_market'
    """

    max_position_per_market: float | None = None
    max_order_size: float | None = None
    max_portfolio_notional: float | None = None
    max_daily_drawdown_pct: float | None = None
    max_orders_per_second: float | None = None

    def __post_init__(self) -> None:
        for name in self.__slots__:
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, checks.positive(name, value))
        percent, rate = self.max_daily_drawdown_pct, self.max_orders_per_second
        if percent is not None and percent > 100.0:
            raise ValueError(f"max_daily_drawdown_pct must be at most 100, was {percent:g}")
        if rate is not None and (rate != int(rate) or rate > 4096):
            raise ValueError(
                f"max_orders_per_second must be a whole number up to 4096, was {rate:g}"
            )

    @property
    def is_unlimited(self) -> bool:
        """Whether no limit is set at all."""
        return all(getattr(self, name) is None for name in self.__slots__)


def exposure_after(net: float, pending: float, quantity: float, sign: int) -> float:
    """Position in an order's own direction once it and all open orders that way have filled."""
    return sign * net + pending + quantity


def drawdown_floor(high: float, percent: float) -> float:
    """Lowest equity that a drawdown limit allows under the day's highest."""
    return high * (1.0 - percent / 100.0)


class RiskGate:
    """The rules of one engine, over one account.

    Called with an order that is about to be sent; raises `RiskRejected` for the first rule
    that refuses it, in the order of `RISK_RULES`.
    """

    __slots__ = (
        "_account",
        "_has_limits",
        "_max_notional",
        "_max_position",
        "_max_size",
        "_percent",
        "_rate",
        "config",
    )

    def __init__(self, config: RiskConfig, account: Account) -> None:
        self.config = config
        self._account = account
        self._has_limits = not config.is_unlimited
        # inf and 0 stand for "off": each rule is then one comparison that lets pass.
        self._max_size = _or_inf(config.max_order_size)
        self._max_position = _or_inf(config.max_position_per_market)
        self._max_notional = _or_inf(config.max_portfolio_notional)
        self._percent = config.max_daily_drawdown_pct
        self._rate = int(config.max_orders_per_second or 0)

    def __call__(
        self,
        leg: Leg,
        sign: int,
        quantity: float,
        opening: float,
        reference: float,
        now_ns: int,
        given_back: float = 0.0,
        notional_back: float = 0.0,
    ) -> None:
        """Ask every rule about an order.

        An amendment is asked about like a new order, less what it takes off the book: the
        quantity `given_back` and the opening notional `notional_back`.
        """
        if opening == 0.0:
            return
        account = self._account
        market = leg.market
        if account.halted:
            self._refuse(leg, "kill_switch", 0.0, opening, "the kill switch is on")
        cash, worth = account.cash_sum, account.value_sum  # `Account.equity`, in line
        equity = (cash.high + worth.high) + (cash.low + worth.low)
        if equity <= 0.0:
            self._refuse(leg, "equity", 0.0, equity, f"equity is {equity:,.2f}")
        if not self._has_limits:
            return
        until = account.drawdown_until_ns
        if self._percent is not None and now_ns < until and account.now_ns < until:
            high = account.day_high
            fallen = 100.0 * (1.0 - equity / high)
            self._refuse(
                leg,
                "max_daily_drawdown_pct",
                self._percent,
                fallen,
                f"the day's drawdown limit of {self._percent:g} % was passed (equity "
                f"{equity:,.2f} after {high:,.2f}); only reducing orders until the next UTC day",
            )
        if quantity > self._max_size and rules.exceeds(quantity, self._max_size):
            self._refuse(
                leg,
                "max_order_size",
                self._max_size,
                quantity,
                f"size {quantity:,g} is over the max_order_size of {self._max_size:,g}",
            )
        no = market.no
        if (sign > 0) is not leg.is_no:
            direction, pending = 1, market.yes.pending_buy
            if no is not None:
                pending += no.pending_sell
        else:
            direction, pending = -1, market.yes.pending_sell
            if no is not None:
                pending += no.pending_buy
        pending -= given_back
        net = market.yes.quantity if no is None else market.yes.quantity - no.quantity
        after = exposure_after(net, pending, quantity, direction)
        if after > self._max_position and rules.exceeds(after, self._max_position):
            self._refuse(
                leg,
                "max_position_per_market",
                self._max_position,
                after,
                f"the position would be {after:,g} with all open orders, over the "
                f"max_position_per_market of {self._max_position:,g}",
            )
        limit = self._max_notional
        if limit != math.inf:
            total = (
                account.position_notional.total
                + account.order_notional.total
                + opening * reference * market.multiplier
                - notional_back
            )
            if total > limit and rules.exceeds(total, limit):
                self._refuse(
                    leg,
                    "max_portfolio_notional",
                    limit,
                    total,
                    f"the portfolio's notional would be {total:,.2f} with all open orders, over "
                    f"the max_portfolio_notional of {limit:,.2f}",
                )
        if self._rate:
            # In the account's time, which never goes back, whichever market is behind.
            recent, present = account.recent_ns, account.now_ns
            if now_ns > present:
                present = now_ns
            if len(recent) >= self._rate and present - recent[-self._rate] < _SECOND_NS:
                self._refuse(
                    leg,
                    "max_orders_per_second",
                    float(self._rate),
                    self._rate + 1.0,
                    f"{self._rate} orders were sent within one second, the max_orders_per_second",
                )

    def excess(self, market: MarketState) -> int:
        """Direction (1 or -1) in which open orders could pass the position limit; 0 if none.

        A reduce-only order cannot be refused, and its fill can leave the orders behind it more
        to open than they had when they were asked.
        """
        limit = self._max_position
        if limit == math.inf:
            return 0
        yes, no = market.yes, market.no
        up, down = yes.pending_buy, yes.pending_sell
        if no is not None:
            up, down = up + no.pending_sell, down + no.pending_buy
        if up > 0.0 and rules.exceeds(exposure_after(market.net, up, 0.0, 1), limit):
            return 1
        if down > 0.0 and rules.exceeds(exposure_after(market.net, down, 0.0, -1), limit):
            return -1
        return 0

    def has_fallen(self) -> bool:
        """Whether equity lies past the day's drawdown limit at this moment."""
        percent = self._percent
        if percent is None:
            return False
        account = self._account
        high = account.day_high
        if high <= 0.0:  # there is nothing left to fall from; the rule on equity holds
            return False
        floor = drawdown_floor(high, percent)
        return account.equity < floor - rules.SLACK * abs(floor)

    @staticmethod
    def _refuse(leg: Leg, rule: str, limit: float, value: float, why: str) -> None:
        raise RiskRejected(
            f"order in {leg.id} refused by {rule}: {why}",
            rule=rule,
            limit=limit,
            value=value,
            market_id=leg.id,
        )


def _or_inf(limit: float | None) -> float:
    return math.inf if limit is None else limit
