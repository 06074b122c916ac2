"""An evaluation as JSON values. docs/how-to/evaluate-a-setup.md describes them."""

from __future__ import annotations

import math
from typing import Any

from review_copilot.domain.geometry import Box
from review_copilot.domain.review import Exposure, Review
from review_copilot.evaluation.evaluation import DifferingImage, Evaluation, Group
from review_copilot.evaluation.figures import Difference, Figure, Metric

_DIGITS = 6
"""Significant digits of figures, and decimals of boxes."""


def as_json(evaluation: Evaluation) -> dict[str, Any]:
    """The evaluation as values for `json.dump`; a figure that is unknown is null. Contains no time of its own."""
    return {
        "setups": [
            {
                "name": setup.name,
                "version": setup.version,
                "guideline": setup.guideline.id,
                "guideline_revision": setup.guideline.revision,
                "failed": failed,
                "incomplete": incomplete,
            }
            for setup, failed, incomplete in zip(
                evaluation.setups, evaluation.failed, evaluation.incomplete, strict=True
            )
        ],
        "outcome": evaluation.outcome.value if evaluation.outcome else None,
        "reasons": list(evaluation.reasons),
        "margin": evaluation.margin,
        "ignored_regions": evaluation.ignored_regions,
        "all": _group(evaluation.everything, evaluation.criteria),
        "blind": _group(evaluation.blind, evaluation.criteria) if evaluation.blind else None,
        "differing": [_image(image) for image in evaluation.differing],
    }


def _group(group: Group, criteria: tuple[str, ...]) -> dict[str, Any]:
    return {
        "images": group.images,
        "regions": group.regions,
        "different": group.different,
        "figures": [{_name(key): _figure(f) for key, f in own.items() if key[0] == ""} for own in group.figures],
        "differences": {_name(key): _difference(d) for key, d in group.differences.items() if key[0] == ""},
        "criteria": {
            criterion: {
                "figures": [
                    {_name(key): _figure(f) for key, f in own.items() if key[0] == criterion} for own in group.figures
                ],
                "differences": {
                    _name(key): _difference(d) for key, d in group.differences.items() if key[0] == criterion
                },
            }
            for criterion in criteria
        },
    }


def _name(key: tuple[str, Metric]) -> str:
    return key[1].value


def _figure(figure: Figure) -> dict[str, Any]:
    return {"value": _number(figure.value), "low": _number(figure.low), "high": _number(figure.high), "of": figure.of}


def _difference(difference: Difference) -> dict[str, Any]:
    return {
        "value": _number(difference.value),
        "low": _number(difference.low),
        "high": _number(difference.high),
    }


def _number(value: float) -> float | None:
    return None if math.isnan(value) else float(f"{value:.{_DIGITS}g}")


def _image(image: DifferingImage) -> dict[str, Any]:
    return {
        "task": image.truth.task.key.task_id,
        "image": image.truth.name,
        "blind": image.truth.blind,
        "errors": list(image.errors),
        "people": {
            "verdict": image.truth.verdict.value if image.truth.verdict else None,
            "regions": [
                {
                    "criterion": region.criterion_id,
                    "severity": region.severity.value if region.severity else None,
                    "box": _box(region.box),
                    "rationale": region.rationale,
                }
                for region in image.truth.regions
            ],
        },
        "drafts": [_draft(review) for review in image.reviews],
    }


def _draft(review: Review) -> dict[str, Any]:
    if review.exposure is Exposure.FAILED:
        return {"error": review.error}
    return {
        "verdict": review.verdict.value,
        "regions": [
            {
                "criterion": s.criterion_id,
                "severity": s.severity.value,
                "score": s.score,
                "box": _box(s.box),
                "rationale": s.rationale,
            }
            for s in review.suggestions
        ],
    }


def _box(box: Box) -> list[float]:
    return [round(value, _DIGITS) for value in (box.x, box.y, box.width, box.height)]
