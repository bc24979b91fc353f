"""Instruments: asset classes, multipliers, price bounds, and what an id says of itself.

A market's class is what first says it outright (a `Market`, a helper such as
``buy_option``, an engine ``Side.Yes``); else its id tells:

============================  ==========  ==========
id                            class       multiplier
============================  ==========  ==========
OCC/OSI option symbol         Option      100
``…-PERP``                    Perp        1
``BASE/QUOTE`` (capitals)     Crypto      1
``<id>:no``                   Prediction  1
anything else                 Equity      1
============================  ==========  ==========
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from horizon import checks
from horizon.types import AssetClass, Shown

__all__ = [
    "NO_SUFFIX",
    "Crypto",
    "Equity",
    "Market",
    "Option",
    "Perp",
    "Prediction",
    "canonical_id",
    "class_of_id",
    "option_id",
    "split_side",
]

#: `AssetClass.Equity`: a share, and whatever no pattern of ids claims. Prices are above 0; a short
#: reserves 150 % of its notional.
Equity: Final = AssetClass.Equity
#: `AssetClass.Option`: a listed option. Prices are premiums for one unit of the underlying, 0 or
#: more; a contract is 100 of them. A short reserves its premium and 20 % of the strike.
Option: Final = AssetClass.Option
#: `AssetClass.Prediction`: pays 1.00 a contract if it comes true, else nothing. Its prices lie in
#: [0, 1], it has a YES and a NO side, and a short of either reserves 1.00 a contract.
Prediction: Final = AssetClass.Prediction
#: `AssetClass.Perp`: a perpetual future. A position reserves a margin, its notional / leverage, and
#: is liquidated once margin and unrealised profit together are no more than half the margin, nor
#: more than 5 % of the notional at the mark. Funding is not simulated.
Perp: Final = AssetClass.Perp
#: `AssetClass.Crypto`: a coin that is owned, such as ``"BTC/USD"``; the rules of an equity.
Crypto: Final = AssetClass.Crypto

#: Ends the id of a prediction market's NO side.
NO_SUFFIX: Final = ":no"

# Root of 1 to 6, then the fixed 15: yymmdd, C or P, strike in thousandths. The exchanges' form
# pads the root with blanks to 6; the compact spelling without them names the same contract.
_OSI: Final = re.compile(r"([A-Z0-9.]{1,6}) *(\d{2})(\d{2})(\d{2})([CP])(\d{8})")
# A quote currency has at least two letters, which keeps share classes such as BRK/B equities.
_PAIR: Final = re.compile(r"(?:[\w.-]+:)?[A-Z0-9]{1,15}/[A-Z0-9]{2,15}")


@dataclass(frozen=True, slots=True)
class Market(Shown):
    """A market and the rules of its contract.

    Parameters
    ----------
    id : str
        1 to 256 characters, no control characters, no blank at the ends; case counts.
    asset_class : AssetClass
    multiplier : float, optional
        Currency per point and unit. Left out: 100 for an option, else 1.
    tick_size, lot_size : float, optional
        Grids of price and size; where given, what is off the grid is refused.
    strike : float, optional
        An option's strike; read from the id where that is an OCC/OSI symbol.
    expiry : datetime.date or "YYYY-MM-DD", optional
        An option's last day; read from the id likewise. Nothing expires by itself.
    right : {"call", "put"}, optional
        An option's right; read from the id likewise.

    Raises
    ------
    TypeError, ValueError
        For a field that is not as above, an option without its strike, terms that its symbol
        contradicts, or the id of a NO side.

    Examples
    --------
    A share that trades in steps of 0.05 and lots of 100. An order may name it so, and says by
    that what it is:

    >>> share = hz.Market("0005.HK", hz.Equity, tick_size=0.05, lot_size=100)
    >>> ex = hz.connect("paper")
    >>> ex.buy(share, 200, limit=62.35).status
    'new'
    >>> ex.buy(share, 250, limit=62.35)
    Traceback (most recent call last):
    ...
    ValueError: quantity must be a multiple of lot size 100 in '0005.HK', was 250.0
    >>> ex.buy("0005.HK", 200, limit=62.37)
    Traceback (most recent call last):
    ...
    ValueError: limit price must be a multiple of tick size 0.05 in '0005.HK', was 62.37

    The terms of an option are in its symbol:

    >>> call = hz.Market("AAPL250117C00180000", hz.Option)
    >>> call.strike, call.right, str(call.expiry), call.multiplier
    (180.0, 'call', '2025-01-17', 100.0)
    """

    id: str
    asset_class: AssetClass
    multiplier: float | None = None
    tick_size: float | None = None
    lot_size: float | None = None
    strike: float | None = None
    expiry: date | None = None
    right: str | None = None

    def __post_init__(self) -> None:
        put = object.__setattr__
        identifier = canonical_id(checks.text("market id", self.id))
        put(self, "id", identifier)
        if not isinstance(self.asset_class, AssetClass):
            raise TypeError(
                f"asset_class must be an AssetClass, was {checks.show(self.asset_class)}"
            )
        if identifier.endswith(NO_SUFFIX):
            raise ValueError(
                f"market id {identifier!r} names the NO side of "
                f"{identifier[: -len(NO_SUFFIX)]!r}; declare that market instead"
            )
        if self.multiplier is None:
            put(self, "multiplier", 100.0 if self.asset_class is Option else 1.0)
        for name in ("multiplier", "tick_size", "lot_size", "strike"):
            value = getattr(self, name)
            if value is not None:
                put(self, name, checks.positive(name, value))
        self._take_option_terms()

    def _take_option_terms(self) -> None:
        put = object.__setattr__
        terms = _parse_option(self.id)
        if self.asset_class is not Option:
            given = [n for n in ("strike", "expiry", "right") if getattr(self, n) is not None]
            if given:
                raise ValueError(f"{given[0]} belongs to an Option, not to {self.asset_class}")
            return
        if self.expiry is not None:
            put(self, "expiry", _as_date("expiry", self.expiry))
        if self.right is not None:
            put(self, "right", _as_right(self.right))
        if terms is not None:
            for name, value in zip(("expiry", "right", "strike"), terms[1:], strict=True):
                stated = getattr(self, name)
                if stated is not None and stated != value:
                    raise ValueError(f"{name} must be {value} as {self.id!r} says, was {stated}")
                put(self, name, value)
        if self.strike is None:
            raise ValueError(f"strike is needed for the option {self.id!r}: its id names none")

    @property
    def price_bounds(self) -> tuple[float, float]:
        """Lowest and highest price a mark may have, both included.

        A prediction lies in [0, 1]; an option may be worth nothing; all else is above 0.
        """
        if self.asset_class is Prediction:
            return 0.0, 1.0
        return (0.0 if self.asset_class is Option else SMALLEST_PRICE), checks.LARGEST

    def check_mark(self, name: str, price: float) -> float:
        """Take a price that the market may be marked at.

        Parameters
        ----------
        name : str
            What the price is called in a refusal.
        price : float

        Returns
        -------
        float
            `price`.

        Raises
        ------
        ValueError
            If it lies outside `price_bounds`.
        """
        lowest, highest = self.price_bounds
        if not lowest <= price <= highest:
            accepted = "between 0 and 1" if self.asset_class is Prediction else "above 0"
            raise ValueError(
                f"{name} must be {accepted} for {self.asset_class} {self.id!r}, was {price!r}"
            )
        return price

    def check_order_price(self, name: str, price: float) -> float:
        """Take a price above 0 that an order here may have.

        The arguments, and what comes back, are those of `check_mark`.

        Raises
        ------
        ValueError
            If it does not lie strictly between 0 and 1 in a prediction, or is off the tick grid by
            more than one part in 10⁹ of a tick.
        """
        if self.asset_class is Prediction and not 0.0 < price < 1.0:
            raise ValueError(
                f"{name} must lie strictly between 0 and 1 for Prediction {self.id!r}, "
                f"was {price!r}"
            )
        if self.tick_size is not None and not on_grid(price, self.tick_size):
            raise ValueError(
                f"{name} must be a multiple of tick size {self.tick_size:g} in {self.id!r}, "
                f"was {price!r}"
            )
        return price

    def check_quantity(self, name: str, quantity: float) -> float:
        """Take a size on the lot grid.

        Parameters
        ----------
        name : str
            What the size is called in a refusal.
        quantity : float

        Returns
        -------
        float
            `quantity`.

        Raises
        ------
        ValueError
            If there is a grid and the size is off it by more than one part in 10⁹ of a lot.
        """
        if self.lot_size is not None and not on_grid(quantity, self.lot_size):
            raise ValueError(
                f"{name} must be a multiple of lot size {self.lot_size:g} in {self.id!r}, "
                f"was {quantity!r}"
            )
        return quantity

    def round_price(self, price: float, sign: int) -> float:
        """Move a price to the tick grid, away from paying more: down for buys, up for sells.

        Parameters
        ----------
        price : float
        sign : int
            1 for a buy, -1 for a sell.

        Returns
        -------
        float
            `price` itself where it is on the grid, or where there is none.

        Examples
        --------
        >>> share = hz.Market("0005.HK", hz.Equity, tick_size=0.05)
        >>> share.round_price(62.37, 1), share.round_price(62.37, -1)
        (62.35, 62.4)
        """
        if self.tick_size is None or on_grid(price, self.tick_size):
            return price
        steps = price / self.tick_size
        on = (math.floor(steps) if sign > 0 else math.ceil(steps)) * self.tick_size
        return float(f"{on:.15g}")  # 0.471, where 471 * 0.001 is 0.47100000000000003


#: Smallest mark of a class whose price must be above 0: the least normal float.
SMALLEST_PRICE: Final = 2.2250738585072014e-308


def on_grid(value: float, step: float) -> bool:
    """Whether `value` is a whole number of `step`, to one part in 10⁹ of a step."""
    steps = value / step
    nearest = math.floor(steps + 0.5)
    return nearest > 0 and abs(steps - nearest) <= max(1e-9, 4e-16 * steps)


def split_side(market_id: str) -> tuple[str, bool]:
    """Split an id into its market and whether it names the NO side."""
    if market_id.endswith(NO_SUFFIX):
        base = market_id[: -len(NO_SUFFIX)]
        if not base or base != base.strip() or base.endswith(NO_SUFFIX):
            raise ValueError(f"market_id {market_id!r} names the NO side of no market")
        return base, True
    return market_id, False


def canonical_id(market_id: str) -> str:
    """Return the one spelling of an id: an option symbol loses its padding blanks."""
    if " " in market_id and len(market_id) <= 21:
        matched = _OSI.fullmatch(market_id)
        if matched is not None:
            return "".join(matched.groups())
    return market_id


def class_of_id(market_id: str) -> AssetClass:
    """Read the class that an id says by itself.

    Raises
    ------
    ValueError
        For an option symbol whose date does not exist or whose strike is 0.
    """
    if market_id.endswith(NO_SUFFIX):
        return Prediction
    if _parse_option(market_id) is not None:
        return Option
    if market_id.endswith("-PERP"):
        return Perp
    return Crypto if _PAIR.fullmatch(market_id) is not None else Equity


def option_id(underlying: str, strike: object, expiry: object, right: object) -> str:
    """Build the OCC/OSI symbol of a listed option, in its compact spelling.

    Parameters
    ----------
    underlying : str
        Root symbol, 1 to 6 capitals, digits or dots.
    strike : float
        Above 0, below 100,000, in whole thousandths.
    expiry : datetime.date or "YYYY-MM-DD"
        A day of the years 2000 to 2099.
    right : {"call", "put", "c", "p"}
        Case does not count.

    Raises
    ------
    TypeError, ValueError
        For anything that the symbol cannot hold; nothing is truncated.

    Examples
    --------
    >>> from horizon.instruments import option_id
    >>> option_id("AAPL", 180, "2025-01-17", "call")
    'AAPL250117C00180000'
    """
    root = checks.text("underlying", underlying)
    if not re.fullmatch(r"[A-Z0-9.]{1,6}", root):
        raise ValueError(
            f"underlying must be 1 to 6 capitals, digits or dots in an option symbol, was {root!r}"
        )
    price = checks.positive("strike", strike)
    thousandths = round(price * 1000)
    if not 1 <= thousandths <= 99_999_999 or abs(price * 1000 - thousandths) > 1e-6:
        raise ValueError(
            f"strike must be a multiple of 0.001 from 0.001 to 99,999.999, was {price!r}"
        )
    day = _as_date("expiry", expiry)
    if not 2000 <= day.year <= 2099:
        raise ValueError(f"expiry must lie in the years 2000 to 2099, was {day.isoformat()}")
    letter = "C" if _as_right(right) == "call" else "P"
    return f"{root}{day:%y%m%d}{letter}{thousandths:08d}"


def _parse_option(market_id: str) -> tuple[str, date, str, float] | None:
    if len(market_id) < 16:  # the hot path of every plain ticker
        return None
    matched = _OSI.fullmatch(market_id)
    if matched is None:
        return None
    root, year, month, day, right, strike = matched.groups()
    try:
        expiry = date(2000 + int(year), int(month), int(day))
    except ValueError:
        raise ValueError(
            f"market_id {market_id!r} is an option symbol whose date 20{year}-{month}-{day} "
            "does not exist"
        ) from None
    if int(strike) == 0:
        raise ValueError(f"market_id {market_id!r} is an option symbol with a strike of 0")
    return root, expiry, "call" if right == "C" else "put", int(strike) / 1000


def _as_date(name: str, value: object) -> date:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a date or 'YYYY-MM-DD', was {checks.show(value)}")
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
        raise ValueError(f"{name} must be a date as 'YYYY-MM-DD', was {value!r}")
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise ValueError(f"{name} must be a day that exists, was {value!r}") from None


def _as_right(value: object) -> str:
    word = value.lower() if isinstance(value, str) else value
    if word in ("c", "p"):
        return "call" if word == "c" else "put"
    return checks.one_of("right", word, ("call", "put"))
