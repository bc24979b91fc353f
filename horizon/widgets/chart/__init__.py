"""A live chart of one market's price."""

from horizon.widgets.chart.price_chart import PriceChart

__all__ = ["PriceChart"]
