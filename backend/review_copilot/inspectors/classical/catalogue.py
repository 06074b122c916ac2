"""The measurements by name: unit, built-in severity steps. Knows no pixels and no particular guideline."""

from __future__ import annotations

from dataclasses import dataclass

from review_copilot.domain.guideline import Criterion, Guideline, Severity


@dataclass(frozen=True, slots=True)
class Measure:
    """One built-in measurement that a criterion can name under `measures`.

    Attributes:
        name: As guidelines write it.
        unit: Unit of its strength; a criterion's anchors are used only when their unit is the same.
        steps: Strengths from which a flaw is minor, major and critical where the criterion has no numbers.
        least_score: Probability from which a flaw is reported; image-wide ones have theirs from
            `likelihood.least_score`, marks, lettering and soft patches from `second_look.least_mark_score`.
    """

    name: str
    unit: str
    steps: tuple[float, float, float]
    least_score: float = 0.5


CATALOGUE: tuple[Measure, ...] = (
    Measure("defocus", "px of blur", (1.2, 2.5, 4.5)),
    Measure("motion_blur", "px of smear", (5, 12, 22)),
    Measure("over_exposure", "stops", (1.0, 1.5, 2.0)),
    Measure("under_exposure", "stops", (2.0, 3.0, 4.0)),
    Measure("clipped_highlights", "% of the picture", (1, 5, 15)),
    Measure("crushed_shadows", "% of the picture", (5, 15, 40)),
    Measure("noise", "grey levels", (5, 12, 25)),
    Measure("compression", "% of detail lost", (65, 80, 90)),
    Measure("banding", "grey levels a step", (6, 12, 24)),
    Measure("colour_cast", "Lab units", (8, 14, 24)),
    Measure("low_contrast", "% of the range unused", (45, 60, 75)),
    Measure("empty_frame", "% of the range unused", (0, 0, 0)),
    Measure("tilt", "degrees", (2, 5, 10)),
    Measure("border", "% of the picture", (0.3, 10, 25)),
    Measure("overlay", "% of the picture", (0, 3, 10)),
    Measure("dust", "marks", (1, 4, 10)),
    Measure("scratch", "marks", (1, 4, 10)),
    Measure("low_resolution", "times too coarse", (1.5, 2.5, 4)),
    Measure("upscaling", "times too coarse", (1.5, 2.5, 4)),
)

_BY_NAME = {m.name: m for m in CATALOGUE}


def measure(name: str) -> Measure:
    """The measurement of that name.

    Raises:
        KeyError: There is none.
    """
    return _BY_NAME[name]


def criterion_for(guideline: Guideline, name: str) -> Criterion | None:
    """The first criterion that the measurement speaks for; None when the guideline does not ask for it."""
    return next((c for c in guideline.criteria if name in c.measures), None)


def severity_for(criterion: Criterion, name: str, strength: float) -> Severity:
    """The severity of a strength: by the criterion's numbers when they are in the measurement's unit, else built in.

    A flaw that was found is at least minor.
    """
    known = measure(name)
    numbered = any(anchor.at_least is not None for anchor in criterion.severity.values())
    if numbered and criterion.unit == known.unit:
        return criterion.severity_of(strength) or Severity.MINOR
    reached = [s for s, least in zip(Severity, known.steps, strict=True) if strength >= least]
    return reached[-1] if reached else Severity.MINOR
