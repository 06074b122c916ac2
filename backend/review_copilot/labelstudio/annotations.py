"""Read what a reviewer submitted. Knows no suggestion and no network.

Reads annotations from the REST API, webhooks, and exports of any age. Never raises for the content of
an annotation: a result that cannot be read is skipped and reported in `dropped`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import TypeVar

from review_copilot.domain.geometry import Box
from review_copilot.domain.guideline import Severity, Verdict
from review_copilot.domain.override import Asked, Feedback, Reason, Shape, SubmittedAnnotation, SubmittedRegion
from review_copilot.domain.review import TaskKey
from review_copilot.labelstudio.mapping import ChoiceField, LabelMap
from review_copilot.labelstudio.region_shapes import bounding_box, number, rotation_of, shape_of
from review_copilot.labelstudio.wire_values import clean, whole_number

_Word = TypeVar("_Word", bound=StrEnum)

_NOT_GEOMETRY = frozenset({"choices", "textarea", "rating", "number", "datetime", "taxonomy", "pairwise", "ranker"})


@dataclass(slots=True)
class _Region:
    """One region while its results are collected."""

    id: str
    box: Box | None = None
    drawn: bool = False
    shape: Shape = Shape.RECTANGLE
    rotation_deg: float = 0.0
    labels: list[str] = field(default_factory=list)
    page: int = 0
    severities: dict[str, Severity] = field(default_factory=dict)
    """By the name of the tag: each label can have its own."""
    texts: dict[str, str] = field(default_factory=dict)
    """The same, for rationales and notes."""
    reasons: list[Reason] = field(default_factory=list)


@dataclass(slots=True)
class _Gathered:
    """The parts of an annotation while it is being read."""

    regions: dict[str, _Region] = field(default_factory=dict)
    verdict: Verdict | None = None
    summary: str = ""
    feedback: list[Feedback] = field(default_factory=list)
    feedback_note: str = ""
    dropped: list[str] = field(default_factory=list)


def raw_annotations(task: Mapping[str, object]) -> list[Mapping[str, object]]:
    """The annotations of a task as JSON, in order; old exports call them completions."""
    found = task.get("annotations")
    if not isinstance(found, list):
        found = task.get("completions")
    return [raw for raw in found if isinstance(raw, Mapping)] if isinstance(found, list) else []


def read_annotation(raw: Mapping[str, object], *, key: TaskKey, labels: LabelMap) -> SubmittedAnnotation:
    """Read one annotation.

    Args:
        raw: Its JSON; unknown keys are ignored, missing keys get their defaults.
        key: The task.
        labels: The label config that the annotation was made with.
    """
    gathered = _Gathered()
    results = raw.get("result")
    if not isinstance(results, list):
        gathered.dropped.append("It has no list of results.")
    for index, result in enumerate(results if isinstance(results, list) else []):
        if isinstance(result, Mapping):
            _read_result(result, index=index, into=gathered, labels=labels)
        else:
            gathered.dropped.append(f"Result {index + 1} is not an object.")
    regions = tuple(_submitted(region, labels) for region in gathered.regions.values() if region.box is not None)
    unplaced = tuple(region.id for region in gathered.regions.values() if region.drawn and region.box is None)
    for region_id in unplaced:
        shape = gathered.regions[region_id].shape
        gathered.dropped.append(f'The {shape} "{region_id}" has no readable coordinates.')
    author = _person(raw.get("completed_by"))
    skipped = any(raw.get(name) is True for name in ("was_cancelled", "skipped", "cancelled"))
    annotation_id = number(raw.get("id"))
    return SubmittedAnnotation(
        key=key,
        annotation_id=whole_number(int(annotation_id)) if annotation_id is not None else 0,
        regions=regions,
        verdict=gathered.verdict,
        summary=gathered.summary,
        feedback=tuple(dict.fromkeys(gathered.feedback)),
        feedback_note=gathered.feedback_note,
        author=author,
        editor=_person(raw.get("updated_by")) or author,
        created_at=read_moment(raw.get("created_at")),
        updated_at=read_moment(raw.get("updated_at")),
        lead_time_s=_seconds(raw.get("lead_time")),
        skipped=skipped,
        parent_prediction=_identity(raw.get("parent_prediction")),
        parent_annotation=_identity(raw.get("parent_annotation")),
        content_hash=_content_hash(regions, gathered, skipped=skipped, unplaced=unplaced),
        dropped=tuple(map(clean, gathered.dropped)),
        unplaced=unplaced,
        asked=Asked(
            severity=frozenset(word for found in labels.all_fields if found.severity for word in found.severity.texts),
            rationale=any(found.rationale for found in labels.all_fields),
            verdict=frozenset(labels.verdict.texts if labels.verdict else ()),
            summary=bool(labels.summary),
            criteria=frozenset(labels.label_texts),
            **_missing_for_some(labels),
        ),
        image_width_px=_pixels(results, "original_width"),
        image_height_px=_pixels(results, "original_height"),
    )


def _read_result(result: Mapping[object, object], *, index: int, into: _Gathered, labels: LabelMap) -> None:
    kind, from_name = str(result.get("type", "")), str(result.get("from_name", ""))
    raw_value = result.get("value")
    value: Mapping[object, object] = raw_value if isinstance(raw_value, Mapping) else {}
    if kind == "relation":
        into.dropped.append("A review does not contain relations between regions.")
        return
    if _read_image_field(from_name, value, into=into, labels=labels) or from_name == (labels.drafted or None):
        return
    shape = shape_of(kind, value)
    region_id = clean(str(result.get("id") or f"result-{index + 1}"))
    region = into.regions.get(region_id) or _Region(region_id)
    known = _read_region_field(from_name, value, region=region, into=into, labels=labels)
    if not known and (kind in _NOT_GEOMETRY or shape is None):
        into.dropped.append(f'A result of type "{kind}" from "{from_name}" is not a field of a review.')
        return
    if shape is not None:
        _place(region, shape, result=result, value=value, drawn=kind not in _NOT_GEOMETRY)
    into.regions[region_id] = region
    if not known:
        region.labels.extend(label for label in _labels(kind, value) if label not in region.labels)


def _place(
    region: _Region,
    shape: Shape,
    *,
    result: Mapping[object, object],
    value: Mapping[object, object],
    drawn: bool,
) -> None:
    """Take the region's coordinates from its first drawn shape; from a field's copy only if nothing was drawn."""
    if region.drawn or (region.box is not None and not drawn):
        return
    width, height = number(result.get("original_width")) or 0.0, number(result.get("original_height")) or 0.0
    region.box = bounding_box(shape, value, width_px=width, height_px=height)
    region.shape, region.rotation_deg, region.drawn = shape, rotation_of(value), drawn
    region.page = max(0, whole_number(result.get("item_index")))


def _read_image_field(from_name: str, value: Mapping[object, object], *, into: _Gathered, labels: LabelMap) -> bool:
    """Read a verdict, summary, or feedback; False if the result is none of these."""
    if not from_name:
        return False
    if labels.verdict is not None and from_name == labels.verdict.name:
        into.verdict = next(iter(_choices(labels.verdict, value, into=into)), into.verdict)
    elif labels.feedback is not None and from_name == labels.feedback.name:
        into.feedback.extend(_choices(labels.feedback, value, into=into))
    elif from_name == labels.summary:
        into.summary = _text(value)
    elif from_name == labels.feedback_note:
        into.feedback_note = _text(value)
    else:
        return False
    return True


def _read_region_field(
    from_name: str, value: Mapping[object, object], *, region: _Region, into: _Gathered, labels: LabelMap
) -> bool:
    """Read a severity, rationale, reasons, or note; False if the result is none of these."""
    if not from_name:
        return False
    for fields in labels.all_fields:
        if fields.severity is not None and from_name == fields.severity.name:
            region.severities.update((from_name, word) for word in _choices(fields.severity, value, into=into)[:1])
        elif fields.reasons is not None and from_name == fields.reasons.name:
            region.reasons.extend(_choices(fields.reasons, value, into=into))
        elif from_name in {fields.rationale, fields.note}:
            region.texts[from_name] = _text(value)
        else:
            continue
        return True
    return False


def _missing_for_some(labels: LabelMap) -> dict[str, frozenset[str]]:
    """The criteria that have no severity or no rationale, if others have one; empty if none has."""
    fields = labels.region_fields.items()
    severity = frozenset(known for known, found in fields if found.severity is None)
    rationale = frozenset(known for known, found in fields if not found.rationale)
    return {
        "without_severity": severity if len(severity) < len(fields) else frozenset(),
        "without_rationale": rationale if len(rationale) < len(fields) else frozenset(),
    }


def _choices(choice_field: ChoiceField[_Word], value: Mapping[object, object], *, into: _Gathered) -> list[_Word]:
    """The chosen values that are known; unknown ones are reported."""
    chosen = value.get("choices")
    found: list[_Word] = []
    for text in chosen if isinstance(chosen, list) else [chosen]:
        word = choice_field.read(text) if isinstance(text, str) else None
        if word is not None:
            found.append(word)
        elif text is not None:
            into.dropped.append(f'The guideline has no choice "{text}" for "{choice_field.name}".')
    return found


def _text(value: Mapping[object, object]) -> str:
    """A text area's paragraphs, joined by line breaks."""
    text = value.get("text")
    paragraphs = text if isinstance(text, list) else [text]
    return clean("\n".join(part.strip() for part in paragraphs if isinstance(part, str) and part.strip()))


def _labels(kind: str, value: Mapping[object, object]) -> list[str]:
    """Labels are stored under the result's type; those of plain tags under "labels"."""
    found = value.get(kind)
    if not isinstance(found, list):
        found = next((value[name] for name in value if str(name).endswith("labels")), None)
    return [clean(label) for label in found if isinstance(label, str)] if isinstance(found, list) else []


def _submitted(region: _Region, labels: LabelMap) -> SubmittedRegion:
    known = (labels.criterion_of(label) for label in region.labels)
    criterion_id = next((found for found in known if found is not None), None)
    fields = (labels.fields_of(criterion_id), *labels.all_fields)  # the label's own tags first, then any other
    return SubmittedRegion(
        id=region.id,
        box=region.box or Box(0.0, 0.0, 0.0, 0.0),
        labels=tuple(region.labels),
        criterion_id=criterion_id,
        severity=next(
            (region.severities[f.severity.name] for f in fields if f.severity and f.severity.name in region.severities),
            None,
        ),
        rationale=next((region.texts[f.rationale] for f in fields if region.texts.get(f.rationale)), ""),
        reasons=tuple(dict.fromkeys(region.reasons)),
        note=next((region.texts[f.note] for f in fields if region.texts.get(f.note)), ""),
        shape=region.shape,
        rotation_deg=region.rotation_deg,
        page=region.page,
    )


def _content_hash(
    regions: Sequence[SubmittedRegion], gathered: _Gathered, *, skipped: bool, unplaced: Sequence[str]
) -> str:
    """Hash of the annotation's content, without the order of regions, times, and Label Studio's own markers."""
    content: dict[str, object] = {
        "regions": sorted(_region_content(region) for region in regions),
        "verdict": gathered.verdict,
        "summary": gathered.summary,
        "feedback": sorted(set(gathered.feedback)),
        "feedback_note": gathered.feedback_note,
        "skipped": skipped,
    }
    if unplaced:
        content["unplaced"] = sorted(unplaced)
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _region_content(region: SubmittedRegion) -> list[str]:
    """Coordinates are rounded to a ten-thousandth of a percent: Label Studio's own rounding is not an edit."""
    place = [f"{part:.6f}" for part in (region.box.x, region.box.y, region.box.width, region.box.height)]
    turned = f"{region.rotation_deg:.3f}"
    said = [region.severity or "", region.rationale, ",".join(sorted(region.reasons)), region.note]
    page = [str(region.page)] if region.page else []  # hashes of single images stay as they were
    return [region.id, region.shape, turned, *place, json.dumps(region.labels), *said, *page]


def _person(value: object) -> str:
    """A user: a number, a name, or an object with id, email, or username; the last entry of a list."""
    if isinstance(value, list):
        return _person(value[-1]) if value else ""
    if isinstance(value, Mapping):
        return next((found for name in ("id", "email", "username") if (found := _person(value.get(name)))), "")
    if isinstance(value, bool) or not isinstance(value, int | str):
        return ""
    return clean(str(value).strip()) if isinstance(value, str) or whole_number(value) else ""


def read_moment(value: object) -> datetime | None:
    """A time in UTC, from ISO text (UTC if it names no zone) or from seconds since 1970; None if unreadable."""
    try:
        if (seconds := number(value)) is not None:
            return datetime.fromtimestamp(seconds, tz=UTC)
        if not isinstance(value, str):
            return None
        read = datetime.fromisoformat(value.strip())
        return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _pixels(results: object, name: str) -> int:
    """The first positive size in a result; 0 if there is none."""
    named = (number(r.get(name)) for r in results if isinstance(r, Mapping)) if isinstance(results, list) else ()
    return whole_number(int(next((size for size in named if size is not None and size > 0), 0)))


def _seconds(value: object) -> float | None:
    seconds = number(value)
    return seconds if seconds is not None and seconds >= 0 else None


def _identity(value: object) -> int | None:
    """An id: a number, or an object with an id."""
    if isinstance(value, Mapping):
        return _identity(value.get("id"))
    return whole_number(value) or None
