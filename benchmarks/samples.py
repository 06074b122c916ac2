"""One measured picture with what was planted in it. Knows no pixels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from review_copilot.inspectors.classical import features

CLEAN = "clean"


@dataclass(frozen=True, slots=True)
class Sample:
    """One measured picture.

    Attributes:
        name: Name of the photograph.
        way: How the flaw was made.
        flaw: Recipe that planted its flaw; "clean" for none.
        strength: As planted; 0 when none was drawn.
        whole: The image-wide numbers.
        places: Per local measurement, the candidates' numbers and whether each is on a planted box.
    """

    name: str
    way: str
    flaw: str
    strength: float
    whole: features.Features
    places: Mapping[str, tuple[tuple[features.Features, bool], ...]]
