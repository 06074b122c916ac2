"""One measured picture with what was planted in it. Knows no pixels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from photo_inspector.scoring import features

Floats = npt.NDArray[np.float32]

CLEAN = "clean"


@dataclass(frozen=True, slots=True, eq=False)
class Marks:
    """The candidates of one kind in one picture.

    Attributes:
        names: Names of their numbers.
        numbers: Shape (candidates, numbers).
        right: 1 for those on a planted box, 0 for those on none, -1 for those on a part of one.
    """

    names: tuple[str, ...]
    numbers: Floats
    right: npt.NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class Sample:
    """One measured picture.

    Attributes:
        name: Name of the photograph.
        way: How the flaw was made.
        flaw: Recipe that planted its flaw; "clean" for none.
        strength: As planted; 0 when none was drawn.
        whole: The image-wide numbers.
        places: The candidates of each local measurement.
    """

    name: str
    way: str
    flaw: str
    strength: float
    whole: features.Features
    places: Mapping[str, Marks]
