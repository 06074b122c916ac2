"""Create the log row for one suggestion's outcome. Knows neither the review nor the annotation."""

from __future__ import annotations

from dataclasses import dataclass

from rapidfuzz.distance import LCSseq, Levenshtein

from review_copilot.domain.geometry import Box
from review_copilot.domain.guideline import Severity
from review_copilot.domain.override import (
    Asked,
    Aspect,
    Override,
    OverrideKind,
    Reason,
    Shape,
    Subject,
    SubmittedRegion,
)
from review_copilot.domain.review import Review
from review_copilot.domain.suggestion import Suggestion

MOVED = 0.0005
"""Maximum distance of an edge from the drafted one, as a fraction of the image's side; beyond it, the box was moved.

Half a pixel on an image that is 1 000 pixels wide, and the error of a percentage with one digit: editors and
exporters recalculate coordinates even if no one changed the box.
"""

ROTATED_DEG = 0.05
"""Minimum rotation of a moved box, for the same reason."""


@dataclass(frozen=True, slots=True)
class TextChange:
    """Difference between a text and its draft.

    Attributes:
        kept: Share of the draft's words that remain, in order, 0..1 (longest common subsequence).
        distance: Minimum number of characters to insert, delete, or replace (Levenshtein).
    """

    kept: float
    distance: int


def text_change(draft: str, text: str) -> TextChange | None:
    """Compare two texts, ignoring the amount of white space; None if there was no draft."""
    before, after = draft.split(), text.split()
    if not before:
        return None
    return TextChange(
        kept=LCSseq.similarity(before, after) / len(before),
        distance=Levenshtein.distance(" ".join(before), " ".join(after)),
    )


def visible(box: Box) -> Box:
    """The part of a box inside the image; a box without area if there is none."""
    return box.clipped() or Box(box.x, box.y, 0.0, 0.0)


def same_place(one: Box, other: Box) -> bool:
    """Whether all edges of the visible parts of two boxes are within `MOVED`."""
    a, b = visible(one), visible(other)
    edges = ((a.x, b.x), (a.y, b.y), (a.right, b.right), (a.bottom, b.bottom))
    return all(abs(p - q) <= MOVED for p, q in edges)


def showable(review: Review, asked: Asked) -> tuple[Suggestion, ...]:
    """The suggestions that the label config could show; reviewers never see those of criteria without a label."""
    return tuple(s for s in review.suggestions if asked.criteria is None or s.criterion_id in asked.criteria)


def same_criterion(suggestion: Suggestion, region: SubmittedRegion) -> bool:
    """Whether a region has the suggested criterion, by id, or by label if the label is not in the guideline."""
    if region.criterion_id is not None:
        return region.criterion_id == suggestion.criterion_id
    return suggestion.label.casefold() in {label.casefold() for label in region.labels}


def pair_row(suggestion: Suggestion, region: SubmittedRegion, *, review_id: str, asked: Asked) -> Override:
    """The row of a suggestion that was submitted, changed or not."""
    edits = _edits(suggestion, region, asked)
    change = text_change(suggestion.rationale, region.rationale) if _has_text(suggestion, asked) else None
    return Override(
        subject=Subject.REGION,
        kind=_kind(region, edits),
        suggestion_id=suggestion.id,
        region_id=region.id,
        criterion_from=suggestion.criterion_id,
        criterion_to=suggestion.criterion_id if same_criterion(suggestion, region) else region.criterion_id or "",
        severity_from=suggestion.severity.value,
        severity_to=region.severity.value if region.severity else "",
        text_from=suggestion.rationale,
        text_to=region.rationale,
        edits=edits,
        iou=visible(suggestion.box).iou(visible(region.box)),
        text_similarity=change.kept if change else None,
        text_distance=change.distance if change else None,
        reasons=tuple(reason.value for reason in region.reasons),
        note=region.note,
        score=suggestion.score,
        box_from=suggestion.box,
        box_to=region.box,
        review_id=review_id,
    )


def lost_row(suggestion: Suggestion, kind: OverrideKind, *, review_id: str) -> Override:
    """The row of a suggestion that is not in the submission."""
    return Override(
        subject=Subject.REGION,
        kind=kind,
        suggestion_id=suggestion.id,
        criterion_from=suggestion.criterion_id,
        severity_from=suggestion.severity.value,
        text_from=suggestion.rationale,
        score=suggestion.score,
        box_from=suggestion.box,
        review_id=review_id,
    )


def own_row(region: SubmittedRegion, kind: OverrideKind, *, review_id: str = "") -> Override:
    """The row of a region without a suggestion."""
    return Override(
        subject=Subject.REGION,
        kind=kind,
        region_id=region.id,
        criterion_to=region.criterion_id or "",
        severity_to=region.severity.value if region.severity else "",
        text_to=region.rationale,
        reasons=tuple(reason.value for reason in region.reasons),
        note=region.note,
        box_to=region.box,
        review_id=review_id,
    )


def field_kind(draft: str, submitted: str) -> OverrideKind | None:
    """The row of a drafted field of the whole image; None if it was neither drafted nor filled in."""
    if draft == submitted:
        return OverrideKind.UNTOUCHED if draft else None
    if not draft:
        return OverrideKind.ADDED
    return OverrideKind.EDITED if submitted else OverrideKind.REJECTED


def _edits(suggestion: Suggestion, region: SubmittedRegion, asked: Asked) -> tuple[Aspect, ...]:
    turned = abs((region.rotation_deg + 180.0) % 360.0 - 180.0) > ROTATED_DEG
    redrawn = region.shape is not Shape.RECTANGLE
    known = suggestion.criterion_id
    offered = asked.severity if known not in asked.without_severity else frozenset()
    shown_severity = suggestion.severity if suggestion.severity in offered else None
    changed = {
        Aspect.PLACE: turned or redrawn or region.page != suggestion.page or not same_place(suggestion.box, region.box),
        Aspect.CRITERION: not same_criterion(suggestion, region),
        Aspect.SEVERITY: region.severity is not shown_severity and not _cleared(region, shown_severity),
        Aspect.RATIONALE: _has_text(suggestion, asked) and region.rationale.split() != suggestion.rationale.split(),
    }
    return tuple(aspect for aspect, is_changed in changed.items() if is_changed)


def _has_text(suggestion: Suggestion, asked: Asked) -> bool:
    """Whether the label config offers a text for the suggestion's rationale."""
    return asked.rationale and suggestion.criterion_id not in asked.without_rationale


def _cleared(region: SubmittedRegion, shown: Severity | None) -> bool:
    """Whether the severity is missing and no reason says why: pressing its key twice clears it by accident."""
    return shown is not None and region.severity is None and Reason.WRONG_SEVERITY not in region.reasons


def _kind(region: SubmittedRegion, edits: tuple[Aspect, ...]) -> OverrideKind:
    if Reason.NOT_A_DEFECT in region.reasons:
        return OverrideKind.REJECTED
    if edits or any(reason is not Reason.AGREE for reason in region.reasons):
        return OverrideKind.EDITED
    if region.reasons:
        return OverrideKind.CONFIRMED
    return OverrideKind.EDITED if region.note.strip() else OverrideKind.UNTOUCHED
