"""Colours of the themes: readable, apart from each other, and close to the paper in the middle."""

from itertools import combinations

import pytest

from horizon.figures import THEMES, Theme

EVERY = pytest.mark.parametrize("look", list(THEMES.values()), ids=list(THEMES))


def luminance(colour: str) -> float:
    """Relative luminance by WCAG 2.2."""
    parts = [int(colour[i : i + 2], 16) / 255.0 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def between(start: str, end: str, share: float) -> str:
    pairs = [(int(start[i : i + 2], 16), int(end[i : i + 2], 16)) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21.0)
    # #767676 is the lightest grey that passes on white: 4.54.
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


@EVERY
def test_text_is_readable_on_paper(look: Theme) -> None:
    assert contrast(look.ink, look.paper) >= 7.0
    assert contrast(look.muted, look.paper) >= 4.5


@EVERY
def test_lines_stand_out_from_the_paper(look: Theme) -> None:
    for colour in (*look.series, look.plan, look.done, look.gain, look.loss, look.reference):
        assert contrast(colour, look.paper) >= 3.0, colour


@EVERY
def test_six_curves_have_colours_of_their_own(look: Theme) -> None:
    assert len(look.series) >= 6
    assert len(set(look.series)) == len(look.series)


# What people see who lack one kind of cone, as matrices of linear RGB after Viénot, Brettel and
# Mollon (1999) and, for tritanopia, one half plane of Brettel, Viénot and Mollon (1997).
_SEEN = {
    "usual": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
    "protan": ((0.11238, 0.88762, 0.0), (0.11238, 0.88762, 0.0), (0.00401, -0.00401, 1.0)),
    "deutan": ((0.29275, 0.70725, 0.0), (0.29275, 0.70725, 0.0), (-0.02234, 0.02234, 1.0)),
    "tritan": (
        (1.01354, 0.14268, -0.15622),
        (-0.01181, 0.87561, 0.13619),
        (0.07707, 0.81208, 0.11085),
    ),
}


@EVERY
@pytest.mark.parametrize("vision", [*_SEEN])
def test_curves_stay_apart_for_every_kind_of_colour_vision(look: Theme, vision: str) -> None:
    for one, other in combinations([_lab(c, vision) for c in look.series], 2):
        # A difference of 2 in CIE L*a*b* is just seen, one of 10 at a glance.
        assert sum((a - b) ** 2 for a, b in zip(one, other, strict=True)) ** 0.5 >= 15.0


def _lab(colour: str, vision: str) -> tuple[float, float, float]:
    parts = [int(colour[i : i + 2], 16) / 255.0 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    r, g, b = (
        min(1.0, max(0.0, sum(m * v for m, v in zip(row, linear, strict=True))))
        for row in _SEEN[vision]
    )
    # sRGB to XYZ (D65), relative to its white.
    x = (0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505
    y = 0.2126 * r + 0.7152 * g + 0.0722 * b
    z = (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089
    fx, fy, fz = (v ** (1 / 3) if v > 0.008856 else 7.787 * v + 16 / 116 for v in (x, y, z))
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)


@EVERY
def test_numbers_are_readable_in_every_cell_of_a_heat_map(look: Theme) -> None:
    for (_, start), (_, end) in zip(look.diverging, look.diverging[1:], strict=False):
        for step in range(11):
            assert contrast(look.ink, between(start, end, step / 10)) >= 4.5


@EVERY
def test_scales_run_from_0_to_1_and_begin_or_turn_near_the_paper(look: Theme) -> None:
    for scale in (look.diverging, look.sequential):
        places = [place for place, _ in scale]
        assert places == sorted(places)
        assert (places[0], places[-1]) == (0.0, 1.0)
    middle = dict(look.diverging)[0.5]
    assert contrast(middle, look.paper) < 1.2
    assert contrast(look.sequential[0][1], look.paper) < 1.2
    # More is further from the paper, all the way.
    shades = [contrast(colour, look.paper) for _, colour in look.sequential]
    assert shades == sorted(shades)


@EVERY
def test_losses_and_gains_are_equally_far_from_the_middle(look: Theme) -> None:
    scale = dict(look.diverging)
    for below, above in ((0.0, 1.0), (0.25, 0.75)):
        pale = [contrast(scale[place], scale[0.5]) for place in (below, above)]
        assert max(pale) / min(pale) < 1.35
