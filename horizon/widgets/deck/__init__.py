"""The controls of feeds that play to an account."""

from horizon.widgets.deck.feed_deck import FeedDeck, feeds_of

__all__ = ["FeedDeck", "feeds_of"]
