"""Convert domain objects to column values, and back. Knows no SQL.

pydantic writes and reads payloads by the dataclasses' annotations, so that a new field with a default
can read old rows.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, astuple, fields
from typing import Any

from pydantic import TypeAdapter

from review_copilot.domain.geometry import Box
from review_copilot.domain.override import Aspect, Override, OverrideKind, Subject, SubmittedAnnotation
from review_copilot.domain.review import Provenance, Review, ReviewTask
from review_copilot.domain.reviewed_crops import ReviewedCrops
from review_copilot.domain.setup import ProjectSetup

_REVIEW: TypeAdapter[Review] = TypeAdapter(Review)
_TASK: TypeAdapter[ReviewTask] = TypeAdapter(ReviewTask)
_REVIEWED_CROPS: TypeAdapter[ReviewedCrops] = TypeAdapter(ReviewedCrops)
_SETUP: TypeAdapter[ProjectSetup] = TypeAdapter(ProjectSetup)
_ANNOTATION: TypeAdapter[SubmittedAnnotation] = TypeAdapter(SubmittedAnnotation)

_SUGGESTION_NAMES = {"look": "crop_features"}
_CROPS_NAMES = {"looks": "features"}
"""Older names of fields in payloads to today's. Rows of older releases are read as they are and never rewritten."""

PROVENANCE_COLUMNS = tuple(field.name for field in fields(Provenance))
_OVERRIDE_COLUMNS = tuple(field.name for field in fields(Override))
_DECODED = frozenset({"subject", "kind", "edits", "reasons", "box_from", "box_to"})
_PLAIN_COLUMNS = tuple(name for name in _OVERRIDE_COLUMNS if name not in _DECODED)


def review_to_json(review: Review) -> Any:
    """A review as JSON values."""
    return _REVIEW.dump_python(review, mode="json")


def review_from_json(payload: Any) -> Review:
    """The review that `review_to_json` wrote, in this release or an older one."""
    suggestions = [_renamed(suggestion, _SUGGESTION_NAMES) for suggestion in payload.get("suggestions", ())]
    return _REVIEW.validate_python({**payload, "suggestions": suggestions})


def reviewed_crops_to_json(book: ReviewedCrops) -> Any:
    """Reviewed crops as JSON values."""
    return _REVIEWED_CROPS.dump_python(book, mode="json")


def reviewed_crops_from_json(payload: Any) -> ReviewedCrops:
    """The reviewed crops that `reviewed_crops_to_json` wrote, in this release or an older one."""
    groups = {
        group: [_renamed(entry, _CROPS_NAMES) for entry in payload.get(group, ())] for group in ("reviewed", "patterns")
    }
    return _REVIEWED_CROPS.validate_python({**payload, **groups})


def setup_to_json(setup: ProjectSetup) -> Any:
    """A setup as JSON values."""
    return _SETUP.dump_python(setup, mode="json")


def setup_from_json(payload: Any) -> ProjectSetup:
    """The setup that `setup_to_json` wrote."""
    return _SETUP.validate_python(payload)


def task_to_json(task: ReviewTask) -> Any:
    """A task as JSON values."""
    return _TASK.dump_python(task, mode="json")


def task_from_json(payload: Any) -> ReviewTask:
    """The task that `task_to_json` wrote."""
    return _TASK.validate_python(payload)


def annotation_to_json(annotation: SubmittedAnnotation) -> Any:
    """An annotation as JSON values."""
    return _ANNOTATION.dump_python(annotation, mode="json")


def annotation_from_json(payload: Any) -> SubmittedAnnotation:
    """The annotation that `annotation_to_json` wrote."""
    return _ANNOTATION.validate_python(payload)


def override_to_row(override: Override, provenance: Provenance | None) -> dict[str, object]:
    """Values for the columns of `overrides`, all but the reference to the revision."""
    origin = asdict(provenance) if provenance else dict.fromkeys(PROVENANCE_COLUMNS)
    return {name: getattr(override, name) for name in _OVERRIDE_COLUMNS} | {
        "subject": override.subject.value,
        "kind": override.kind.value,
        "edits": [aspect.value for aspect in override.edits],
        "reasons": list(override.reasons),
        "box_from": _box_to_json(override.box_from),
        "box_to": _box_to_json(override.box_to),
        **origin,
    }


def override_from_row(row: Mapping[str, Any]) -> Override:
    """The override in a row of `overrides`; other columns are ignored."""
    return Override(
        subject=Subject(row["subject"]),
        # Skipped tasks were once logged as rejected.
        kind=OverrideKind.SKIPPED if row["subject"] == Subject.TASK else OverrideKind(row["kind"]),
        edits=tuple(Aspect(aspect) for aspect in row["edits"]),
        reasons=tuple(row["reasons"]),
        box_from=_box_from_json(row["box_from"]),
        box_to=_box_from_json(row["box_to"]),
        **{name: row[name] for name in _PLAIN_COLUMNS},
    )


def provenance_from_row(row: Mapping[str, Any]) -> Provenance | None:
    """The provenance in a row of `overrides`; None if it has none."""
    if row["inspector"] is None:
        return None
    return Provenance(**{name: row[name] for name in PROVENANCE_COLUMNS})


def rows_hash(rows: Sequence[Mapping[str, object]]) -> str:
    """Hash of the values of a revision's rows, in hex; it depends on the order of the rows."""
    return hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()


def _box_to_json(box: Box | None) -> list[float] | None:
    return None if box is None else list(astuple(box))


def _box_from_json(values: Sequence[float] | None) -> Box | None:
    return None if values is None else Box(*values)


def _renamed(payload: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {names.get(name, name): value for name, value in payload.items()}
