"""The measurements by name: unit, built-in severity steps. Knows no pixels and no particular guideline."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from review_copilot.plugin import Criterion, Guideline, Measure, Scope, Severity


@dataclass(frozen=True, slots=True)
class PhotoMeasure:
    """One measurement of a photograph that a criterion can name under `measures`.

    Attributes:
        name: As guidelines write it.
        unit: Unit of its strength; a criterion's anchors are used only when their unit is the same.
        steps: Strengths from which a flaw is minor, major and critical where the criterion has no numbers.
        older: Units that guidelines used for the same numbers before.
    """

    name: str
    unit: str
    steps: tuple[float, float, float]
    older: tuple[str, ...] = ()


_ONE = re.compile(r"(?<=[a-z])s(?= |$)")
"""The ending of the plural, in the first word of a unit that has one."""


def _british(unit: str) -> str:
    """The spelling that older guidelines use."""
    return unit.replace("gray", "grey")


MEASURES: tuple[PhotoMeasure, ...] = (
    PhotoMeasure("defocus", "px of blur", (1.2, 2.5, 4.5)),
    PhotoMeasure("motion_blur", "px of smear", (5, 12, 22)),
    PhotoMeasure("over_exposure", "stops", (1.0, 1.5, 2.0)),
    PhotoMeasure("under_exposure", "stops", (2.0, 3.0, 4.0)),
    PhotoMeasure("clipped_highlights", "% of the picture", (1, 5, 15)),
    PhotoMeasure("crushed_shadows", "% of the picture", (5, 15, 40)),
    PhotoMeasure("noise", "gray levels", (5, 12, 25), older=(_british("gray levels"),)),
    PhotoMeasure("compression", "% of detail lost", (65, 80, 90)),
    PhotoMeasure("banding", "gray levels a step", (6, 12, 24), older=(_british("gray levels a step"),)),
    PhotoMeasure("colour_cast", "% tint", (8, 14, 24), older=("Lab units",)),
    PhotoMeasure("low_contrast", "% of the range unused", (45, 60, 75)),
    PhotoMeasure("empty_frame", "% of the range unused", (0, 0, 0)),
    PhotoMeasure("tilt", "degrees", (2, 5, 10)),
    PhotoMeasure("border", "% of the picture", (0.3, 10, 25)),
    PhotoMeasure("overlay", "% of the picture", (0, 3, 10)),
    PhotoMeasure("dust", "marks", (1, 4, 10)),
    PhotoMeasure("scratch", "marks", (1, 4, 10)),
    PhotoMeasure("low_resolution", "times too coarse", (1.5, 2.5, 4)),
    PhotoMeasure("upscaling", "times too coarse", (1.5, 2.5, 4)),
)

_BY_NAME = {m.name: m for m in MEASURES}
_REGION = frozenset({"clipped_highlights", "crushed_shadows", "border", "overlay", "dust", "scratch"})
_FINER_THAN_A_MODEL_SEES = frozenset(
    {"clipped_highlights", "crushed_shadows", "compression", "banding", "dust", "scratch", "low_resolution"}
)
"""A model receives a reduced, recompressed image in which these do not show."""
_COMPARED = (
    Measure("pcb_open", "% of the trace width missing", Scope.REGION),
    Measure("pcb_short", "bridges", Scope.REGION),
    Measure("pcb_mousebite", "% of the trace width missing", Scope.REGION),
    Measure("pcb_spur", "% of the gap filled", Scope.REGION),
    Measure("pcb_spurious_copper", "% of the gap filled", Scope.REGION),
    Measure("pcb_pin_hole", "% of the trace width missing", Scope.REGION),
    Measure("difference", "% of the picture", Scope.REGION),
)
_EDITS = (
    Measure("seam", "% of the side", Scope.REGION),
    Measure("copied_patch", "% of the picture", Scope.REGION),
)

CATALOGUE: tuple[Measure, ...] = (
    *(
        Measure(
            m.name,
            m.unit,
            Scope.REGION if m.name in _REGION else Scope.IMAGE,
            model_can_judge=m.name not in _FINER_THAN_A_MODEL_SEES,
        )
        for m in MEASURES
    ),
    *_COMPARED,
    *_EDITS,
)
"""All that a guideline can name: measures of one image, differences from a reference, traces of editing."""


def measure(name: str) -> PhotoMeasure:
    """The measurement of that name.

    Raises:
        KeyError: There is none.
    """
    return _BY_NAME[name]


def criterion_for(guideline: Guideline, name: str) -> Criterion | None:
    """The first criterion that the measurement speaks for; None when the guideline does not ask for it."""
    return next((c for c in guideline.criteria if name in c.measures), None)


def criteria_of(guideline: Guideline, names: Collection[str]) -> frozenset[str]:
    """Ids of the criteria that name at least one of the measures."""
    return frozenset(c.id for c in guideline.criteria if any(name in c.measures for name in names))


def with_unit(shown: str, unit: str) -> str:
    """A number with a unit of the catalogue, such as "1 stop", "2.5 px of blur", "14 % of the picture".

    Args:
        shown: The number as text.
        unit: The unit as the catalogue writes it: in the plural if it is counted.
    """
    return f"{shown} {_ONE.sub('', unit, count=1) if shown == '1' else unit}"


def anchor_for(criterion: Criterion, name: str, strength: float) -> str:
    """The anchor that a strength passed, such as "major from 2.5 px of blur".

    An anchor of 0 gives "minor in any amount". The text is empty if the strength is below all anchors.
    """
    known = measure(name)
    own = {severity: anchor.at_least for severity, anchor in criterion.severity.items() if anchor.at_least is not None}
    steps: dict[Severity, float] = dict(zip(Severity, known.steps, strict=True))
    if own and criterion.unit in {known.unit, *known.older}:
        steps = own
    passed = [(least, severity) for severity, least in steps.items() if strength >= least]
    if not passed:
        return ""
    least, severity = max(passed, key=lambda pair: pair[0])
    return (
        f"{severity.value} from {with_unit(f'{least:g}', known.unit)}" if least else f"{severity.value} in any amount"
    )


def severity_for(criterion: Criterion, name: str, strength: float) -> Severity:
    """The severity of a strength: by the criterion's numbers when they are in the measurement's unit, else built in.

    A flaw that was found is at least minor.
    """
    known = measure(name)
    numbered = any(anchor.at_least is not None for anchor in criterion.severity.values())
    if numbered and criterion.unit in {known.unit, *known.older}:
        return criterion.severity_of(strength) or Severity.MINOR
    reached = [s for s, least in zip(Severity, known.steps, strict=True) if strength >= least]
    return reached[-1] if reached else Severity.MINOR
