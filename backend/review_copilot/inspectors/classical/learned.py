"""What ordinary photographs look like, as fitted by `benchmarks/learn.py`. Knows no pixels and no guideline.

Tint and lean are found in the same way, after J. Barron, Y.-T. Tsai, "Fast Fourier color constancy" (CVPR 2017): a
tint shifts the histogram of colour ratios, a lean shifts the spectrum of edge directions. A filter that is learned once
tells how ordinary a picture would look without each possible shift.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Literal

import numpy as np
import numpy.typing as npt

from review_copilot.inspectors.classical.frame import Floats

FILE = "learned.npz"
Complex = npt.NDArray[np.complex64]


@dataclass(frozen=True, slots=True, eq=False)
class Ordinary:
    """The learned filters of one kind of maps.

    Attributes:
        filters: Their spectrum, shape (maps, rows, columns // 2 + 1).
        bias: How likely each shift is by itself, as a logarithm, shape (rows, columns).
    """

    filters: Complex
    bias: Floats


def shift_of(maps: Floats, ordinary: Ordinary) -> Floats:
    """How likely each shift is, shape (rows, columns), summing to 1; no shift is in the middle.

    Args:
        maps: Shape (maps, rows, columns), of the order of 1.
        ordinary: The filters learned for such maps.
    """
    spectrum = np.fft.rfft2(maps) * np.conj(ordinary.filters)
    score = np.fft.irfft2(spectrum.sum(axis=0), s=ordinary.bias.shape) + ordinary.bias
    odds = np.exp(score - score.max())
    return np.asarray(odds / odds.sum(), np.float32)


@cache
def ordinary(kind: Literal["tint", "lean"]) -> Ordinary:
    """The filters of one kind, read once."""
    with resources.files("review_copilot.inspectors.classical").joinpath(FILE).open("rb") as file:
        arrays = np.load(file)
        filters = np.asarray(arrays[f"{kind}_filters"], np.float32)
        bias = np.asarray(arrays[f"{kind}_bias"], np.float32)
    return Ordinary(np.asarray(np.fft.rfft2(filters), np.complex64), bias)
