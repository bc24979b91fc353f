"""How the volume of a trading day was expected to be spread, and how fills were."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from horizon import checks

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["VolumeShares", "volume_shares"]

Numbers = NDArray[np.float64]

_DAY_SECS: Final = 86_400
_SECOND_NS: Final = 1_000_000_000


@dataclass(frozen=True, slots=True, eq=False)
class VolumeShares:
    """Shares of a day's volume in buckets of the clock; all arrays have shape (buckets,).

    Not made by hand: `volume_shares` returns it.

    Attributes
    ----------
    starts, ends : tuple of str
        Wall time at which each bucket begins and ends, ``"09:30"``.
    expected : ndarray of float64
        Fractions that sum to 1.
    quantities : ndarray of float64
        What was filled in each bucket, in units, bought and sold alike.
    filled : ndarray of float64
        Fractions of the quantity filled within the buckets; they sum to 1, or are all 0.0 where
        nothing was.
    outside : float
        Quantity filled at other hours; it is in no share.
    outside_fills : int

    Examples
    --------
    >>> shares = hz.analytics.volume_shares({"09:30": 3.0, "12:30": 1.0})
    >>> shares.ends, shares.expected.tolist(), shares.cumulative_expected.tolist()
    (('12:30', '15:30'), [0.75, 0.25], [0.75, 1.0])
    """

    starts: tuple[str, ...]
    ends: tuple[str, ...]
    expected: Numbers
    quantities: Numbers
    filled: Numbers
    outside: float
    outside_fills: int

    @property
    def cumulative_expected(self) -> Numbers:
        """Fraction expected by the end of each bucket."""
        return np.cumsum(self.expected)

    @property
    def cumulative_filled(self) -> Numbers:
        """Fraction filled by the end of each bucket."""
        return np.cumsum(self.filled)

    def to_frame(self) -> pd.DataFrame:
        """Return one row a bucket, indexed by the time at which it begins."""
        import pandas as pd

        return pd.DataFrame(
            {
                "bucket_end": list(self.ends),
                "expected": self.expected,
                "filled": self.filled,
                "quantity": self.quantities,
                "cumulative_expected": self.cumulative_expected,
                "cumulative_filled": self.cumulative_filled,
            },
            index=pd.Index(list(self.starts), name="bucket_start"),
        )


def volume_shares(
    weights: Any, times_ns: Any = (), quantities: Any = (), *, timezone: str = "UTC"
) -> VolumeShares:
    """Share out fills over the buckets of a volume profile.

    Parameters
    ----------
    weights : Series or mapping of str to float
        By the wall time at which each bucket begins, as `horizon.volume_profile` returns them.
        Buckets are of one length and follow each other, past midnight too.
    times_ns : array-like of int, shape (n,)
        When each fill was, in nanoseconds since 1970 (UTC).
    quantities : array-like of float, shape (n,)
        How much it filled, above 0.
    timezone : str
        The zone of the wall times.

    Returns
    -------
    VolumeShares
        A fill belongs to the bucket that begins at its time or last before it; one at the very
        end of the last bucket belongs to that. All days count together.

    Raises
    ------
    ValueError
        If weights have no wall times, are not of buckets that follow each other, are below 0 or
        all 0; if a quantity is not above 0; if lengths differ; if the zone is unknown.
    TypeError
        If `weights` is neither a Series nor a mapping.

    Examples
    --------
    30 units at 10:00 and 10 at 13:00; 5 at 20:00 are outside.

    >>> hour = 3_600 * 10**9
    >>> shares = hz.analytics.volume_shares(
    ...     {"09:30": 3.0, "12:30": 1.0}, [10 * hour, 13 * hour, 20 * hour], [30, 10, 5])
    >>> shares.filled.tolist(), shares.outside
    ([0.75, 0.25], 5.0)
    """
    labels, values = _profile(weights)
    offsets, length = _offsets(labels)
    zone = checks.timezone("timezone", timezone)
    moments = np.asarray(times_ns, dtype=np.int64)
    amounts = np.asarray(quantities, dtype=np.float64)
    if moments.ndim != 1 or moments.shape != amounts.shape:
        raise ValueError(
            "times_ns and quantities must be two columns of one length, had the shapes "
            f"{moments.shape} and {amounts.shape}"
        )
    bad = np.flatnonzero(~((amounts > 0.0) & (amounts <= checks.LARGEST)))
    if len(bad):
        row = int(bad[0])
        raise ValueError(f"quantities must be above 0, that of fill {row} was {amounts[row]!r}")
    seconds = _wall_ns(moments, zone) - offsets[0] * _SECOND_NS
    since = seconds % (_DAY_SECS * _SECOND_NS)
    edges = np.append(offsets - offsets[0], length) * _SECOND_NS
    bucket = np.searchsorted(edges, since, side="right") - 1
    bucket[since == edges[-1]] = len(labels) - 1
    inside = bucket < len(labels)
    filled = np.zeros(len(labels))
    np.add.at(filled, bucket[inside], amounts[inside])
    total = float(filled.sum())
    ends = [*labels[1:], _label(int(offsets[0]) + length, labels[0].count(":") == 2)]
    return VolumeShares(
        starts=labels,
        ends=tuple(ends),
        expected=values / values.sum(),
        quantities=filled,
        filled=filled / total if total > 0.0 else np.zeros(len(labels)),
        outside=float(amounts[~inside].sum()),
        outside_fills=int(np.count_nonzero(~inside)),
    )


def _profile(weights: Any) -> tuple[tuple[str, ...], Numbers]:
    if not (
        isinstance(weights, Mapping) or (hasattr(weights, "items") and hasattr(weights, "iloc"))
    ):
        raise TypeError(
            "weights must be a Series or a dictionary of weights by wall time such as '09:30', as "
            f"volume_profile returns them; was {checks.show(weights)}"
        )
    pairs = list(weights.items())
    if not pairs:
        raise ValueError("weights must have one bucket or more, had none")
    values = np.array(
        [checks.non_negative(f"weights[{checks.show(label)}]", value) for label, value in pairs]
    )
    if not values.sum() > 0.0:
        raise ValueError("weights must not all be 0")
    return tuple(
        label if isinstance(label, str) else checks.show(label) for label, _ in pairs
    ), values


def _offsets(labels: tuple[str, ...]) -> tuple[NDArray[np.int64], int]:
    """Seconds from the first day's midnight to each bucket, and from the first to the end."""
    starts = np.array([_seconds(label) for label in labels], dtype=np.int64)
    since = (starts - starts[0]) % _DAY_SECS
    count = len(since)
    if count == 1:
        return starts, _DAY_SECS
    # Labels are in whole seconds, buckets need not be: the session is as long as gives them all,
    # in whole minutes where it may be.
    about = round(int(since[-1]) * count / (count - 1))
    lengths = [
        length
        for length in range(about - 2, min(about + 2, _DAY_SECS) + 1)
        if (np.arange(count) * length // count == since).all()
    ]
    if not lengths or since[1] == 0:
        raise ValueError(
            "weights must be of buckets of one length in order of time, had "
            f"{', '.join(labels[:4])}{', …' if count > 4 else ''}"
        )
    return starts[0] + since, min(lengths, key=lambda length: (length % 60 != 0, length))


def _seconds(label: str) -> int:
    try:
        at = time.fromisoformat(label)
    except ValueError:
        raise ValueError(
            "weights must be indexed by the wall time at which a bucket begins, such as '09:30'; "
            f"had {checks.show(label)}"
        ) from None
    return (at.hour * 60 + at.minute) * 60 + at.second


def _label(seconds: int, has_seconds: bool) -> str:
    rest = seconds % _DAY_SECS
    text = f"{rest // 3600:02d}:{rest // 60 % 60:02d}"
    return f"{text}:{rest % 60:02d}" if has_seconds or rest % 60 else text


def _wall_ns(times_ns: NDArray[np.int64], zone: ZoneInfo) -> NDArray[np.int64]:
    import pandas as pd

    local = pd.DatetimeIndex(times_ns.view("datetime64[ns]"), tz="UTC").tz_convert(zone)
    return np.asarray(local.tz_localize(None).as_unit("ns").asi8, dtype=np.int64)
