"""A verdict on a search in plain words: the sentence, its reasons, what would change it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from horizon import words
from horizon.analytics.sensitivity import ParameterStability
from horizon.backtesting.result_words import counted
from horizon.walkforward.evidence import BLIND, LEAST, LIMIT, SURE, Kind

__all__ = ["Said", "share"]

_ADJECTIVES: Final = {"day": "daily", "week": "weekly", "month": "monthly"}


@dataclass(frozen=True, slots=True)
class Said:
    """What the figures of a search say.

    Attributes
    ----------
    kind : str
    figures : mapping
        The fields of `Overfitting` that are figures.
    settings : tuple of mapping
    objective : str
    period : str
    is_annual : bool
        Whether Sharpe ratios are annualised.
    is_complete : bool
    """

    kind: Kind
    figures: Mapping[str, Any]
    settings: tuple[Mapping[str, Any], ...]
    objective: str
    period: str
    is_annual: bool
    is_complete: bool

    # ------------------------------------------------------------------ the sentence
    def verdict(self) -> str:
        """Say it in one sentence."""
        found = self.figures
        many = counted(found["n_trials"], "setting")
        if self.kind == "unknown":
            return "Too little to judge whether this is more than chance."
        if self.kind == "noise":
            if found["n_trials"] == 1:
                return "Noise: chance alone explains what this setting has earned."
            if not self._best > 0.0:
                return f"Noise: of {many} none has earned anything over the whole span."
            return f"Noise: the best of {many} shows no more than chance would."
        if self.kind == "edge":
            what = "what this setting has earned" if found["n_trials"] == 1 else "the best setting"
            if self._is_unproven:
                return (
                    f"An edge, not yet proven: chance hardly explains {what} over the whole span, "
                    "but what the tests have earned, end to end, could be luck."
                )
            if found["n_trials"] == 1:
                return f"An edge: chance hardly explains {what}."
            return (
                "An edge: chance hardly explains the best setting, and what is best in one part "
                "of the data tends to be good in the rest."
            )
        if found["pbo"] >= BLIND:
            return (
                "Fragile: chance hardly explains the best setting, but choosing it is no better "
                "than choosing blindly; expect what a middling setting earns."
            )
        return (
            "Fragile: chance hardly explains the best setting over the whole span, but chosen "
            "beforehand, window by window, it has earned nothing."
        )

    # ------------------------------------------------------------------ the reasons
    def reasons(self) -> Iterator[str]:
        """What the figures say, those that decided first."""
        found = self.figures
        if not self.is_complete:
            yield "The search was interrupted: this judges what was done."
        if not found["n_trials"]:
            yield "The settings were not all run over the whole span."
        elif found["n_periods"] < LEAST:
            yield (
                f"Each setting has {counted(found['n_periods'], self._return)} over "
                f"the whole span; at least {LEAST} are needed."
            )
        elif math.isnan(found["chance"]):
            yield "No setting has earned or lost anything over the whole span."
        else:
            yield from self._of_chance()
        yield from self._of_choosing()
        if found["n_trials"] > 1 and not math.isnan(found["deflated_sharpe"]):
            yield self._of_deflation()
        yield from self._of_tests()
        yield from self._of_degradation()
        for one in found["parameters"]:
            yield self._of_parameter(one)

    def _of_chance(self) -> Iterator[str]:
        found = self.figures
        if not self._best > 0.0:
            yield f"The best {self._ratio} is {_number(self._best)}."
            return
        setting = words.setting(self.settings[found["best_setting"]])
        who = f"the best of {found['n_trials']:,}" if found["n_trials"] > 1 else "the setting"
        yield (
            f"The best {self._ratio} is {self._best_words} ({setting}). Without any edge "
            f"{who} would show as much in {share(found['chance'], beside=LIMIT)} of cases; more "
            f"than {share(LIMIT)} is called noise."
        )
        if found["n_distinct"] < found["n_trials"]:
            yield (
                f"Only {found['n_distinct']:,} of {found['n_trials']:,} settings differ in more "
                "than the scale of what they earned."
            )

    def _of_choosing(self) -> Iterator[str]:
        split = self.figures["cscv"]
        if split is None:
            return
        yield (
            f"Probability of backtest overfitting {_probability(split.pbo, beside=BLIND)}: in "
            f"{share(split.pbo, beside=BLIND)} of {split.n_splits:,} splits of the data the best "
            f"setting of one half was no better than the median in the other ({BLIND:g} is "
            f"choosing blindly), and in {share(split.probability_of_loss)} it lost there."
        )

    def _of_deflation(self) -> str:
        found = self.figures
        probability, luck = found["deflated_sharpe"], found["expected_maximum"]
        said = (
            f"Deflated Sharpe ratio {_probability(probability, beside=SURE)}: the probability that "
            f"the best is above {_number(luck)}, which is what luck gives the best of "
            f"{found['n_trials']:,} independent settings that differ as these do ({SURE:g} is "
            "usual)."
        )
        if self.kind in ("edge", "fragile") and probability < SURE:
            said += " It takes the whole difference between settings for luck, and so is strict."
        return said

    def _of_tests(self) -> Iterator[str]:
        found = self.figures
        if found["n_tests"] >= 2:
            yield (
                f"Out of sample, all tests end to end, the {self._ratio} is "
                f"{_number(found['out_of_sample_sharpe'])}; the probability that the true one is "
                f"above 0 is {share(found['out_of_sample_probability'], beside=SURE)}."
            )

    def _of_degradation(self) -> Iterator[str]:
        found, line = self.figures, self.figures["degradation"]
        if not math.isnan(found["chosen_test"]):
            said = (
                f"The chosen settings' {self.objective} was {_number(found['chosen_train'])} in "
                f"training and {_number(found['chosen_test'])} in the tests, on average"
            )
            if not math.isnan(found["chosen_rank"]):
                said += (
                    f"; in the tests they beat {share(found['chosen_rank'], beside=BLIND)} of the "
                    f"other settings ({share(BLIND)} is choosing blindly)"
                )
            yield f"{said}."
        if line is not None and line.n > 2:
            yield (
                f"Over all settings and windows, one more of {self.objective} in training came "
                f"with {_number(line.slope, sign=True)} in the test (R² {_number(line.r2)})."
            )

    def _of_parameter(self, one: ParameterStability) -> str:
        name, n = words.name(one.name), len(one.best)
        said = f"{name}: {words.value(one.favourite)} in {round(one.share * n)} of "
        said += counted(n, "window")
        if not math.isnan(one.move):
            said += (
                f", moving {share(one.move)} of its range from one to the next "
                f"({share(one.chance_move)} is choosing blindly)"
            )
        if one.kept < 0.0:
            said += "; one value beside the best is worse than the middle setting in training"
        elif not math.isnan(one.kept):
            said += (
                f"; one value beside the best keeps {share(one.kept)} of its lead over the "
                "middle setting in training"
            )
        return f"{said}."

    # ------------------------------------------------------------------ what would change it
    def changes(self) -> Iterator[str]:
        """What would change the verdict."""
        found = self.figures
        needed = found["needed_sharpe"]
        if self.kind == "unknown":
            if not found["n_trials"]:
                yield "Run every setting over the whole span: overfitting=True, to the end."
            elif found["n_periods"] >= LEAST:
                yield "A setting that trades."
            else:
                yield f"{LEAST} or more returns: a longer span, or finer sampling."
        elif self.kind == "noise":
            if not self._best > 0.0:
                yield "A setting that earns something."
                return
            yield (
                f"A best {self._ratio} above {self._needed_words} over this span and these "
                "settings."
            )
            longer = math.ceil(found["n_periods"] * (needed / self._best) ** 2)
            if longer <= 100 * found["n_periods"]:
                yield (
                    f"The same {self._best_words} over about {longer:,} {self._return}s in "
                    f"place of {found['n_periods']:,}."
                )
            if found["n_trials"] > 1:
                yield "Fewer settings, chosen before looking at the data."
        else:
            yield (
                f"A best {self._ratio} of {self._needed_words} or less over the whole span would "
                "be called noise. So would this one, after enough settings that were tried and "
                "are not counted here."
            )
            if self.kind == "edge" and self._is_unproven:
                yield (
                    "Longer tests, or better ones: they prove something by themselves where the "
                    f"probability that their true ratio is above 0 is {share(SURE)}."
                )
            if self.kind == "fragile":
                yield from self._of_mending()
            elif found["n_trials"] > 1:
                yield (
                    f"A probability of backtest overfitting of {BLIND:g} or more, or tests that "
                    "lose from end to end, would make it fragile."
                )

    def _of_mending(self) -> Iterator[str]:
        if self.figures["pbo"] >= BLIND:
            yield (
                "Settings that differ in what they earn: among equally good ones the best is a "
                "matter of luck, and any of them will do."
            )
        if self.figures["out_of_sample_sharpe"] <= 0.0:
            yield "Tests that earn something, all of them end to end."

    # ------------------------------------------------------------------ small parts
    @property
    def _is_unproven(self) -> bool:
        """Whether there are tests, and they are not sure to have earned anything."""
        found = self.figures
        return found["n_tests"] >= 2 and not found["out_of_sample_probability"] >= SURE

    @property
    def _best(self) -> float:
        best = self.figures["best_setting"]
        return math.nan if best is None else float(self.figures["sharpes"][best])

    @property
    def _best_words(self) -> str:
        """The best ratio, told apart from the one that is needed."""
        return _number(self._best, beside=self.figures["needed_sharpe"])

    @property
    def _needed_words(self) -> str:
        """The ratio that is needed, told apart from the best one."""
        return _number(self.figures["needed_sharpe"], beside=self._best)

    @property
    def _ratio(self) -> str:
        return "annual Sharpe ratio" if self.is_annual else f"Sharpe ratio per {self._return}"

    @property
    def _return(self) -> str:
        adjective = _ADJECTIVES.get(self.period)
        return f"{adjective} return" if adjective else "return"


def _number(value: float, *, sign: bool = False, beside: float = math.nan) -> str:
    """Write a figure to three digits, or to as many as tell it from another; with a real minus."""
    if not math.isfinite(value):
        return words.amount(value)
    digits = _digits(value, beside, 3, lambda one, n: float(f"{one:.{n}g}"))
    return f"{value + 0.0:{'+' if sign else ''}.{digits}g}".replace("-", "−")


def share(value: float, *, beside: float = math.nan) -> str:
    """Write a share as percent; what is not nothing is not rounded to it, nor to a limit."""
    if 0.0 < value < 0.0005:
        return "less than 0.1 %"
    digits = _digits(value, beside, 1, lambda one, n: round(100.0 * one, n))
    text = words.percent(value) if digits == 1 else f"{100.0 * value:.{digits}f} %"
    return text.replace("-", "−")


def _probability(value: float, *, beside: float) -> str:
    """Write a probability to three digits; what is not certain is not rounded to it."""
    return "above 0.999" if 0.9995 <= value < 1.0 else _number(value, beside=beside)


def _digits(value: float, beside: float, fewest: int, shown: Callable[[float, int], float]) -> int:
    """Count the digits to which a figure is above, below or equal to another as it is shown, too.

    A reader compares what is shown, and a verdict must not contradict it.
    """
    if not (math.isfinite(value) and math.isfinite(beside)):
        return fewest
    order = value > beside, value < beside
    for digits in range(fewest, 17):
        ours, theirs = shown(value, digits), shown(beside, digits)
        if (ours > theirs, ours < theirs) == order:
            return digits
    return 17
