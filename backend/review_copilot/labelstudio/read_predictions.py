"""Read a stored prediction back as the review that it shows. Knows no file and no network.

The inverse of `regions.to_prediction`, for predictions of any model: a prediction in a file is what the reviewer
saw.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from review_copilot.domain.geometry import Box
from review_copilot.domain.guideline import Guideline, Severity, Verdict
from review_copilot.domain.override import SubmittedRegion
from review_copilot.domain.review import Exposure, Provenance, Review, TaskKey
from review_copilot.domain.suggestion import Scope, Suggestion
from review_copilot.labelstudio.annotations import read_annotation, read_moment
from review_copilot.labelstudio.mapping import LabelMap
from review_copilot.labelstudio.region_shapes import number
from review_copilot.labelstudio.wire_values import whole_number
from review_copilot.ports import StoredPrediction
from review_copilot.suggest.drafting import NAMESPACE

INSPECTOR = "imported"
"""Inspector name in the provenance of reviews that were read from predictions."""

NO_VERSION = "unnamed version"
"""Roll-out of predictions without a model version."""

_WHOLE = 0.002
"""Maximum distance between the edges of a box and of the image for a whole-image box: an export rounds coordinates."""

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
"""Time of a prediction without a known time: before any annotation."""


@dataclass(frozen=True, slots=True)
class ReadPrediction:
    """A prediction that was read.

    Attributes:
        review: The review that it shows.
        stored: The id by which annotations refer to it; None if it has no id.
        problems: Parts that could not be read, as sentences.
    """

    review: Review
    stored: StoredPrediction | None
    problems: tuple[str, ...]


def read_prediction(
    raw: Mapping[str, object],
    *,
    key: TaskKey,
    labels: LabelMap,
    guideline: Guideline,
    made_at: datetime,
    image: str = "",
) -> ReadPrediction:
    """The review that a prediction shows.

    A suggestion whose label is not in the guideline keeps its label and gets an empty criterion id. A missing
    score becomes the prediction's score, or 1; a missing severity becomes minor.

    Args:
        raw: The prediction's JSON, with its full `result`.
        key: Its task.
        labels: The label config that it was made with.
        guideline: The guideline that defines the criteria.
        made_at: When it was made, if it contains no time.
        image: Location of its image, safe to print.
    """
    read = read_annotation(raw, key=key, labels=labels)
    results = [r for r in _list(raw.get("result")) if isinstance(r, Mapping)]
    scores = {str(r.get("id")): score for r in results if (score := number(r.get("score"))) is not None}
    overall = number(raw.get("score"))
    version = str(raw.get("model_version") or "").strip() or NO_VERSION
    problems = list(read.dropped)
    lacking = sum(region.severity is None for region in read.regions)
    if 0 < lacking < len(read.regions):
        problems.append(f"{lacking} suggestions have no severity; they count as minor.")
    suggestions = tuple(
        _suggestion(region, score=scores.get(region.id, 1.0 if overall is None else overall), source=version)
        for region in read.regions
    )
    prediction_id = whole_number(raw.get("id")) or None
    content = [s.id for s in suggestions]
    review = Review(
        id=_review_id(key, version, prediction_id, content),
        key=key,
        suggestions=tuple(sorted(suggestions, key=lambda s: (s.scope is Scope.REGION, -s.score))),
        verdict=read.verdict or Verdict.DISCUSS,
        summary=read.summary,
        provenance=Provenance(
            inspector=INSPECTOR,
            model_version=version,
            rollout=version,
            guideline_id=guideline.id,
            guideline_revision=_revision(results, guideline) or guideline.revision,
        ),
        exposure=Exposure.SHOWN,
        created_at=read_moment(raw.get("created_at")) or made_at,
        image_width_px=read.image_width_px,
        image_height_px=read.image_height_px,
        image=image,
        names_severity=lacking < len(read.regions),
        names_verdict=read.verdict is not None,
        read_back=True,
    )
    stored = (
        StoredPrediction(prediction_id, key.task_id, version, tuple(content)) if prediction_id is not None else None
    )
    return ReadPrediction(
        review=review,
        stored=stored,
        problems=tuple(problems),
    )


def _suggestion(region: SubmittedRegion, *, score: float, source: str) -> Suggestion:
    box = region.box.clipped() or region.box
    return Suggestion(
        id=region.id,
        criterion_id=region.criterion_id or "",
        label=region.labels[0] if region.labels else "",
        severity=region.severity or Severity.MINOR,
        score=min(1.0, max(0.0, score)),
        scope=Scope.IMAGE if _is_whole(box) else Scope.REGION,
        box=box,
        rationale=region.rationale,
        evidence={},
        source=source,
        page=region.page,
    )


def _is_whole(box: Box) -> bool:
    return max(abs(box.x), abs(box.y), abs(1 - box.right), abs(1 - box.bottom)) <= _WHOLE


def _review_id(key: TaskKey, version: str, prediction_id: object, content: Sequence[str]) -> str:
    project = key.project
    where = [project.instance, project.project_id, project.created, key.task_id, version, prediction_id]
    return str(uuid.uuid5(NAMESPACE, json.dumps(["prediction", *where, *content])))


def _revision(results: Sequence[Mapping[str, object]], guideline: Guideline) -> str:
    """The guideline revision that our own predictions store in a region's `meta.text`; empty if none does."""
    named = re.compile(rf"^{re.escape(guideline.id)} ([0-9a-f]{{12}})$", re.MULTILINE)
    for result in results:
        meta = result.get("meta")
        text = meta.get("text") if isinstance(meta, Mapping) else None
        for line in text if isinstance(text, list) else [text]:
            if isinstance(line, str) and (found := named.search(line)):
                return found.group(1)
    return ""


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def region_ids(results: object) -> tuple[str, ...]:
    """Ids of the results that have coordinates, each once, in order."""
    found: dict[str, None] = {}
    for result in results if isinstance(results, list) else []:
        value = result.get("value") if isinstance(result, Mapping) else None
        if isinstance(value, Mapping) and "width" in value:
            found[str(result.get("id"))] = None
    return tuple(found)
