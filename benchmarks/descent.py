"""One step of Adam (D. Kingma, J. Ba, "Adam: a method for stochastic optimization", ICLR 2015). Knows no data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Slope:
    """What is remembered of one array's gradients, changed in place.

    Attributes:
        mean: Running mean.
        size: Running mean of the squares.
    """

    mean: Floats
    size: Floats

    def descend(self, value: Floats, gradient: Floats, *, rate: float, step: int) -> None:
        """Move `value` in place; `step` counts from 1."""
        self.mean[...] += 0.1 * (gradient - self.mean)
        self.size[...] += 0.01 * (gradient**2 - self.size)
        value -= (rate * self.mean / (1 - 0.9**step) / (np.sqrt(self.size / (1 - 0.99**step)) + 1e-6)).astype(
            np.float32
        )


def slope_of(value: Floats) -> Slope:
    """A fresh memory for an array."""
    return Slope(np.zeros_like(value), np.zeros_like(value))
