"""A quantity that an inspector measures and a guideline can name. Knows no pixels."""

from __future__ import annotations

from dataclasses import dataclass

from review_copilot.domain.suggestion import Scope


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure that an inspector offers to guidelines under `measures`.

    Attributes:
        name: As guidelines write it, such as "defocus".
        unit: Unit of its strength; a criterion's anchors decide severity only when their unit is the same.
        scope: IMAGE where the measure speaks of the whole image, REGION where it reports boxes.
        model_can_judge: Whether a vision-language model can judge it from the reduced, recompressed image it receives.
            A finding of a measure for which this is False stays whatever a model says.
    """

    name: str
    unit: str
    scope: Scope
    model_can_judge: bool = True
