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
