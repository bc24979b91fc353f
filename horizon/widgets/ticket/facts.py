"""What the ticket says of an order that is not sent: its headline, its numbers, its notes."""

from __future__ import annotations

from typing import Final

from horizon import rules, words
from horizon.instruments import Market
from horizon.preview import OrderPreview
from horizon.types import AssetClass
from horizon.venues.simulated import SimulatedVenue
from horizon.venues.slippage import Taking
from horizon.widgets.access import unit_of
from horizon.widgets.ticket.draft import Draft
from horizon.widgets.ticket.filling import filling_of
from horizon.widgets.ticket.kinds import kind_facts

__all__ = [
    "SIDE_SIGNS",
    "cautions_of",
    "facts_of",
    "headline",
    "notes_of",
    "taking_facts",
    "taking_notes",
]

SIDE_SIGNS: Final = {"buy": "BUY +", "sell": "SELL −"}
_KIND_NAMES: Final = {
    AssetClass.Equity: "an equity",
    AssetClass.Option: "an option",
    AssetClass.Prediction: "a prediction",
    AssetClass.Perp: "a perpetual",
    AssetClass.Crypto: "a crypto pair",
}


def headline(draft: Draft, currency: str) -> str:
    """Say in one line what would be sent."""
    size = f"{SIDE_SIGNS[draft.side]}{words.exact(draft.quantity)} {draft.name}"
    money = words.name(currency)
    at = "" if draft.limit is None else f" at {words.exact(draft.limit, decimals=2)} {money}"
    limit = "" if draft.limit is None else f", limit {words.exact(draft.limit, decimals=2)} {money}"
    if draft.is_market:
        return f"{size} at the market"
    if draft.algo == "twap":
        return f"TWAP {size}{limit}: {draft.slices:,} slices over {words.duration(draft.duration)}"
    if draft.algo == "vwap":
        return (
            f"VWAP {size}{limit}: {len(draft.profile):,} slices over "
            f"{words.duration(draft.duration)}"
        )
    if draft.algo == "iceberg":
        return f"ICEBERG {size}{at}, {words.exact(draft.show)} shown at a time"
    return f"{size}{at}"


# ------------------------------------------------------------------------ numbers
def facts_of(
    draft: Draft, seen: OrderPreview, last: float | None, says: str, venue: SimulatedVenue
) -> list[list[str]]:
    """Label and value of each number of a preview; `says` is what its size was worked out from."""
    money, whole = seen.currency, draft.algo is not None
    price = words.MISSING
    if seen.price is not None:
        is_given = not draft.is_market and draft.algo not in ("twap", "vwap")
        shown = words.exact(seen.price, decimals=2) if is_given else words.price(seen.price)
        price = f"{shown} {words.name(money)}"
    called = "Limit price"
    if draft.is_market:
        called = "Expected price"
    elif draft.algo in ("twap", "vwap"):
        called = "At the present price" if seen.price == last else "At the nearest price it may pay"
    taker = "taker" if seen.is_taker else "maker"
    # The number of units stands from then on; the numbers below it follow the market.
    facts = [["Size, as it was previewed", says]] if says else []
    facts += [[called, price], ["Notional", words.cash(seen.notional, money)]]
    if draft.size_by == "notional":
        # It always stands, so that nothing below it moves as the market does.
        asked = words.cash(draft.size, money)
        facts.append([f"Against the {asked} asked for", _beside_asked(draft, seen)])
    facts += [
        [f"Fee, as {taker}" + (", estimated" if whole else ""), words.cash(seen.fee, money)],
    ]
    if seen.taking is None or whole:
        benchmark = "mark" if venue.matching == "book" else "last price"
        facts.append([f"Against the {benchmark}", _against(draft, seen, last, venue)])
    else:
        facts += taking_facts(seen.taking, money, with_average=not draft.is_market)
    facts += [
        [
            "Buying power after" + (", if all at once" if whole else ""),
            f"{words.cash(seen.buying_power_after, money)} "
            f"(now {words.cash(seen.buying_power, '').strip()})",
        ],
        [
            "Position after" + ("" if draft.is_market else ", once filled"),
            f"{words.signed(seen.position_after)} {unit_of(seen.asset_class)} "
            f"(now {words.signed(seen.position)})",
        ],
    ]
    past = ", past liquidation" if seen.asset_class is AssetClass.Perp else " of what it opens"
    worst = [f"Worst loss{past}", words.cash(seen.worst_loss, money)]
    return [*facts, worst, *kind_facts(draft, seen, venue)]


def _beside_asked(draft: Draft, seen: OrderPreview) -> str:
    """How far what the units come to now is from the notional that they were sized by."""
    if seen.notional is None:
        return words.MISSING
    shown = words.cash(abs(seen.notional - draft.size), seen.currency)
    if shown == words.cash(0.0, seen.currency):
        return "as much"
    return f"{shown} {'MORE' if seen.notional > draft.size else 'less'}"


def _exceeds(draft: Draft, seen: OrderPreview) -> bool:
    """Whether the units cost more by now than the notional that they were sized by."""
    if draft.size_by != "notional" or seen.notional is None:
        return False
    return seen.notional > draft.size * (1.0 + rules.SLACK)


def _against(draft: Draft, seen: OrderPreview, last: float | None, venue: SimulatedVenue) -> str:
    """What the fills that a preview counts cost or gain against the market's last price."""
    fills = filling_of(draft, seen, venue)
    if fills.price is None or last is None:
        return words.MISSING
    sign = 1.0 if draft.side == "buy" else -1.0
    units = fills.quantity * venue.leg_of(draft.target).market.multiplier
    return _cost(sign * (fills.price - last) * units, seen.currency)


def _cost(cost: float, money: str) -> str:
    if abs(cost) < 1e-9:
        return words.cash(0.0, money)
    return f"{words.cash(abs(cost), money)} {'worse' if cost > 0.0 else 'better'}"


def taking_facts(taking: Taking, money: str, *, with_average: bool) -> list[list[str]]:
    """What of the market an order takes on arrival, and what that costs against it."""
    facts = []
    if taking.source == "book":
        count = len(taking.levels)
        to = "" if count == 1 else f", to {words.price(taking.worst_price)} {words.name(money)}"
        facts.append(["Levels taken", f"{count:,}{to}"])
        if with_average:
            average = f"{words.price(taking.average_price)} {words.name(money)}"
            facts.append(["Average price taken", average])
    side = "ask" if taking.side == "buy" else "bid"
    benchmarks = [("the mid", taking.mid), (f"the best {side}", taking.touch)]
    if taking.mid is None and taking.touch is None:
        benchmarks = [("the mark" if taking.source == "book" else "the last price", taking.last)]
    for name, price in benchmarks:
        cost = taking.slippage(price)
        if cost is not None:
            bps = taking.slippage_bps(price)
            shown = _cost(cost, money)
            part = (
                "" if bps is None or abs(cost) < 1e-9 else f"{words.bps(abs(bps)).split()[0]} bps, "
            )
            facts.append([f"Slippage to {name}", f"{part}{shown}"])
    return facts


# ------------------------------------------------------------------------ cautions and notes
def cautions_of(draft: Draft, seen: OrderPreview, last: float | None) -> list[str]:
    """What speaks for looking again before this is confirmed, a sentence each."""
    cautions = list(seen.cautions)
    if _exceeds(draft, seen):
        cautions.append(
            "At the present price these units come to more than was asked for: preview again to "
            "size them anew."
        )
    if draft.algo in ("twap", "vwap") and draft.limit is not None and last is not None:
        side, sign = ("most", 1.0) if draft.side == "buy" else ("least", -1.0)
        if sign * (last - draft.limit) > 0.0:
            bound = f"{words.exact(draft.limit, decimals=2)} {words.name(seen.currency)}"
            done = "bought" if sign > 0.0 else "sold"
            cautions.append(
                f"The market is beyond the limit of at {side} {bound}: slices would wait there, "
                f"and what has not filled by the end is not {done}."
            )
    return cautions


def notes_of(
    draft: Draft, seen: OrderPreview, last: float | None, venue: SimulatedVenue, is_waiting: bool
) -> list[str]:
    """What is to be known beside the numbers, a sentence each."""
    notes = []
    money = words.name(seen.currency)
    matching = venue.matching
    is_reached = draft.limit is not None and not draft.algo and seen.is_taker
    if is_reached and not seen.is_refused and matching != "book" and not seen.cautions:
        what = (
            "Bid or ask"
            if matching == "quotes"
            else f"The last price, {words.price(last)} {money},"
        )
        notes.append(
            f"{what} has reached this limit: the next tick fills it, at the limit, if that "
            "reaches it too."
        )
    if draft.is_market and matching == "price" and not seen.is_refused:
        notes.append("This paper venue fills at the last price; bid and ask are only shown.")
    if seen.taking is not None and not draft.algo and not seen.is_refused:
        ends = draft.is_market or draft.tif == "ioc"
        notes += taking_notes(seen.taking, venue, ends=ends)
    if draft.tif == "ioc" and matching == "book" and seen.taking is None and not seen.is_refused:
        notes.append("Nothing in the book is within the limit: it would end at once.")
    if draft.algo == "iceberg" and draft.show >= draft.quantity:
        notes.append("It shows the whole order at once.")
    if is_waiting:
        notes.append("The market has no price yet: it starts with the first tick.")
    elif draft.algo and seen.refusal is not None:
        notes.append(f"All at once it would be refused: {words.name(seen.refusal)}")
    if draft.algo in ("twap", "vwap"):
        notes.append(_slices_note(draft, money))
    if seen.asset_class is AssetClass.Option:
        units = venue.leg_of(draft.target).market.multiplier
        notes.append(f"One contract is {words.amount(units)} units of the underlying.")
    if isinstance(draft.target, Market):
        kind = _KIND_NAMES[draft.kind]
        notes.append(f"{draft.name} was not declared here: it will be known as {kind}.")
    return notes


def taking_notes(taking: Taking, venue: SimulatedVenue, *, ends: bool) -> list[str]:
    """What the walk of a book leaves open; `ends` is whether what finds nothing ends."""
    notes = []
    wanted = taking.quantity + taking.unfilled
    if taking.unfilled > rules.SLACK * wanted:
        what = "ends unfilled" if ends else "rests at the limit"
        notes.append(
            f"The book shows {words.amount(taking.quantity)} of {words.amount(wanted)}: the rest, "
            f"{words.amount(taking.unfilled)}, {what}."
        )
    if taking.source == "quotes":
        notes.append("How much stands at bid and ask is not known here: any size fills there.")
    if taking.source == "book" and venue.latency is not None:
        notes.append("Orders travel for a while here: the book that this one meets is a later one.")
    return notes


def _slices_note(draft: Draft, money: str) -> str:
    each = "Each slice is a limit order at the price of the tick that sends it"
    if draft.limit is None:
        return f"{each}."
    is_buy = draft.side == "buy"
    bound = f"at {'most' if is_buy else 'least'} {words.exact(draft.limit, decimals=2)} {money}"
    return f"{each}, {bound}."
