"""Inner products that are the same on every machine."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["dot"]


def dot(a: NDArray[Any], b: NDArray[Any]) -> float:
    """Sum the products of two vectors of equal length.

    `numpy.dot` cuts vectors of more than 10,000 elements over the threads that the BLAS library
    happens to have, and each number of threads rounds otherwise: a search that is run by workers
    would find other last bits than one that is not. This takes one thread, always.

    Parameters
    ----------
    a, b : ndarray of shape (n,)
    """
    return float(np.einsum("i,i->", a, b))
