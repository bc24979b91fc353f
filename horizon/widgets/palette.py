"""The colours of buying and selling in widgets and live figures, light and dark.

Nothing is told by colour alone: sides have their word and sign, gains their sign. So any colours
can be chosen without a loss, and the default is made for every kind of colour vision.

References
----------
Okabe and Ito (2008), Color Universal Design. W3C (2018), Web Content Accessibility Guidelines
2.1, relative luminance and contrast ratio.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from horizon import checks
from horizon.types import Shown

__all__ = ["PALETTES", "Palette", "contrast", "palette_of"]

_HEX: Final = re.compile(r"#[0-9a-fA-F]{6}")


@dataclass(frozen=True, slots=True)
class Palette(Shown):
    """Two colours, for buying and gains and for selling and losses, in each theme.

    Parameters
    ----------
    buy, sell : str
        On a light page, as ``"#rrggbb"``.
    buy_dark, sell_dark : str, optional
        On a dark page; those of the light page if left out.

    Raises
    ------
    TypeError, ValueError
        For anything that is not such a colour.

    Examples
    --------
    >>> teal = hz.widgets.Palette("#00695c", "#6a1b9a", buy_dark="#4db6ac", sell_dark="#ce93d8")
    >>> teal.css()["dark"]["buy"]
    '#4db6ac'
    >>> hz.widgets.Palette("green", "red")
    Traceback (most recent call last):
        ...
    ValueError: buy must be a colour '#rrggbb', was 'green'
    """

    buy: str
    sell: str
    buy_dark: str | None = None
    sell_dark: str | None = None

    def __post_init__(self) -> None:
        for field, other in (("buy_dark", self.buy), ("sell_dark", self.sell)):
            if getattr(self, field) is None:
                object.__setattr__(self, field, other)
        for field in self.__slots__:
            value = getattr(self, field)
            if not isinstance(value, str):
                raise TypeError(f"{field} must be a colour '#rrggbb', was {checks.show(value)}")
            if not _HEX.fullmatch(value):
                raise ValueError(f"{field} must be a colour '#rrggbb', was {value!r}")

    def css(self) -> dict[str, dict[str, str]]:
        """Colours by theme and name, each with the black or white that is read best on it."""
        themes: dict[str, dict[str, str]] = {}
        for theme, end in (("light", ""), ("dark", "_dark")):
            themes[theme] = {}
            for side in ("buy", "sell"):
                colour = getattr(self, side + end)
                themes[theme][side] = colour
                is_dark = contrast("#ffffff", colour) >= contrast("#000000", colour)
                themes[theme][f"on-{side}"] = "#ffffff" if is_dark else "#000000"
        return themes


#: The palettes by name. The light blue and orange are darkened until white reads well on them.
PALETTES: Final = {
    "blue-orange": Palette("#0072b2", "#b34d00", "#56b4e9", "#e69f00"),
    "green-red": Palette("#00704a", "#b3261e", "#4cc38a", "#ff8a80"),
    "red-green": Palette("#b3261e", "#00704a", "#ff8a80", "#4cc38a"),
}


def palette_of(palette: str | Palette) -> Palette:
    """Take a palette, or the name of one."""
    if isinstance(palette, Palette):
        return palette
    return PALETTES[checks.one_of("palette", palette, tuple(PALETTES))]


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours as WCAG 2.1 counts it, 1 (none) to 21."""
    bright, dim = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def _luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255.0 for i in (1, 3, 5)]
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
