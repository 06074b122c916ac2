"""Values by their rank. Knows no pixels and no meaning.

NumPy's own median and quantile take some 20 and 60 microseconds for whatever they are given, most of it not for the
values; pictures have hundreds of short rows of them.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def quantile(values: npt.NDArray[np.generic], share: float) -> float:
    """The value that a share of all, 0..1, stays below; between two values by the straight line.

    Raises:
        IndexError: There are no values.
    """
    ranked = np.sort(values, axis=None)
    at = share * (ranked.size - 1)
    low = int(at)
    below = float(ranked[low])
    return below + (at - low) * (float(ranked[min(low + 1, ranked.size - 1)]) - below)


def median(values: npt.NDArray[np.generic]) -> float:
    """The middle value.

    Raises:
        IndexError: There are no values.
    """
    return quantile(values, 0.5)


def medians(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The middle value of each row, the last axis being the row.

    Raises:
        IndexError: Rows hold no values.
    """
    ranked = np.sort(values, axis=-1)
    count = ranked.shape[-1]
    return np.asarray((ranked[..., (count - 1) // 2] + ranked[..., count // 2]) / np.float32(2), np.float32)


def quantiles(values: npt.NDArray[np.float32], counts: npt.NDArray[np.int64], share: float) -> npt.NDArray[np.float32]:
    """The value that a share of each row, 0..1, stays below, as `quantile` has it.

    Args:
        values: Shape (rows, columns); what does not count is infinite.
        counts: How many of each row count, one at least.
        share: Share of these, 0..1.
    """
    ranked = np.sort(values, axis=1)
    at = share * (counts - 1)
    low, rows = at.astype(np.int64), np.arange(len(ranked))
    below, above = ranked[rows, low].astype(np.float64), ranked[rows, np.minimum(low + 1, counts - 1)]
    return np.asarray(below + (at - low) * (above - below), np.float32)
