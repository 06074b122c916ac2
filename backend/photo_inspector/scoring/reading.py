"""What one measurement says, before any guideline is asked. Knows no criterion."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from review_copilot.plugin import Box, Evidence


@dataclass(frozen=True, slots=True)
class Reading:
    """A flaw as measured.

    Attributes:
        measure: Name in the catalogue.
        strength: In the measure's unit.
        score: Probability that a reviewer would agree, 0..1.
        text: The evidence in words, clauses parted by "; ".
        box: Where; None for the whole picture.
        evidence: The numbers, named with their units.
    """

    measure: str
    strength: float
    score: float
    text: str
    box: Box | None = None
    evidence: Evidence = field(default_factory=dict)


def logistic(value: float, *, middle: float, slope: float) -> float:
    """1 / (1 + exp(-slope (value - middle))), 0..1."""
    return 1.0 / (1.0 + math.exp(-max(-60.0, min(60.0, slope * (value - middle)))))
