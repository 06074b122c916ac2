"""A quantity that an inspector measures and a guideline can name. Knows no pixels."""

from __future__ import annotations

from dataclasses import dataclass

from review_copilot.domain.suggestion import Scope


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure that an inspector offers to guidelines under `measures`.

    Attributes:
        name: Its name in guidelines, such as "defocus".
        unit: Unit of its strength; a criterion's numbers determine the severity only if they have the same unit.
        scope: IMAGE if the measure applies to the whole image, REGION if it reports boxes.
        model_can_judge: Whether a vision-language model can judge it from the reduced, recompressed image it receives.
            If False, its findings remain regardless of the model.
    """

    name: str
    unit: str
    scope: Scope
    model_can_judge: bool = True
