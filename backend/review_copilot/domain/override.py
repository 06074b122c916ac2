"""What a reviewer submitted, and how it differs from what was suggested. Knows no wire format and no SQL."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from review_copilot.domain.geometry import Box
from review_copilot.domain.guideline import Severity, Verdict
from review_copilot.domain.review import Provenance, TaskKey


class Reason(StrEnum):
    """Why a reviewer overrode, or did not override, a suggestion."""

    AGREE = "agree"
    NOT_A_DEFECT = "not_a_defect"
    WRONG_CRITERION = "wrong_criterion"
    WRONG_PLACE = "wrong_place"
    WRONG_SEVERITY = "wrong_severity"
    EXPLANATION_WRONG = "explanation_wrong"
    GUIDELINE_UNCLEAR = "guideline_unclear"
    NOT_COVERED = "not_covered"


class Feedback(StrEnum):
    """What a reviewer says about the guideline itself."""

    UNCLEAR = "unclear"
    NOT_COVERED = "not_covered"
    CONFLICT = "conflict"


class Shape(StrEnum):
    """How a submitted region was drawn; `SubmittedRegion.box` is its bounding box in any case."""

    RECTANGLE = "rectangle"
    ELLIPSE = "ellipse"
    POLYGON = "polygon"
    BRUSH = "brush"
    KEYPOINT = "keypoint"


@dataclass(frozen=True, slots=True)
class SubmittedRegion:
    """One region of a submitted annotation.

    Attributes:
        id: Region id; a suggestion's id where the region came from one.
        box: Axis-aligned bounding box of the shape, rotation included; may reach past 0..1.
        labels: Labels as Label Studio names them, in the order given; empty for an unlabelled region.
        criterion_id: Criterion of the first label that the guideline knows; None when there is none.
        severity: None when the reviewer left it open.
        rationale: The text, paragraphs joined by line breaks; empty when there is none.
        reasons: Override reasons that the reviewer ticked.
        note: Free text beside the reasons; empty when there is none.
        shape: How it was drawn.
        rotation_deg: Clockwise, as Label Studio gives it.
    """

    id: str
    box: Box
    labels: tuple[str, ...] = ()
    criterion_id: str | None = None
    severity: Severity | None = None
    rationale: str = ""
    reasons: tuple[Reason, ...] = ()
    note: str = ""
    shape: Shape = Shape.RECTANGLE
    rotation_deg: float = 0.0


@dataclass(frozen=True, slots=True)
class Asked:
    """What the label config let the reviewer see and fill in. What it does not ask for is not compared.

    Attributes:
        severity: What can be chosen per region; empty where nothing can.
        rationale: Text per region.
        verdict: What can be chosen per image; empty where nothing can.
        summary: Text per image.
        criteria: Criteria that have a label, UNCOVERED among them; suggestions of others could not be shown. None for
            all.
    """

    severity: frozenset[Severity] = frozenset(Severity)
    rationale: bool = True
    verdict: frozenset[Verdict] = frozenset(Verdict)
    summary: bool = True
    criteria: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class SubmittedAnnotation:
    """One annotation as a reviewer left it.

    Attributes:
        key: Which task.
        annotation_id: Label Studio's id.
        regions: In the order of the annotation.
        verdict: None when left open.
        summary: Empty when there is none.
        feedback: What the reviewer says about the guideline.
        feedback_note: Free text to it.
        author: User id (or name) of `completed_by`; empty when the file does not say.
        editor: User id (or name) of `updated_by`, the author's when the file does not say.
        created_at: UTC; None when the file does not say.
        updated_at: UTC; None when the file does not say.
        lead_time_s: Seconds spent; None when the file does not say.
        skipped: The reviewer skipped the task ("was_cancelled").
        parent_prediction: Id of the prediction that the annotation began from; None when it did not.
        parent_annotation: Id of the annotation that it was copied from; None when it was not.
        content_hash: Hash of what the annotation says, without times and ids that change by themselves.
        dropped: Results that could not be read, as sentences.
        unplaced: Ids of regions whose coordinates could not be read: neither kept, nor moved, nor deleted.
        asked: What the label config asked for when it was read.
        image_width_px: Upright width as the editor saw it; 0 when no region says.
        image_height_px: Upright height; the same.
    """

    key: TaskKey
    annotation_id: int
    regions: tuple[SubmittedRegion, ...]
    verdict: Verdict | None = None
    summary: str = ""
    feedback: tuple[Feedback, ...] = ()
    feedback_note: str = ""
    author: str = ""
    editor: str = ""
    created_at: datetime | None = None
    updated_at: datetime | None = None
    lead_time_s: float | None = None
    skipped: bool = False
    parent_prediction: int | None = None
    parent_annotation: int | None = None
    content_hash: str = ""
    dropped: tuple[str, ...] = ()
    unplaced: tuple[str, ...] = ()
    asked: Asked = Asked()
    image_width_px: int = 0
    image_height_px: int = 0


class OverrideKind(StrEnum):
    """What became of one suggestion, or where one submitted region comes from."""

    UNTOUCHED = "untouched"
    """Submitted exactly as suggested, and nobody said a word about it."""
    CONFIRMED = "confirmed"
    """Submitted as suggested, with the reason "agree"."""
    EDITED = "edited"
    """Changed, or objected to by a reason or a note without a change (`Override.edits` is then empty)."""
    REJECTED = "rejected"
    """Deleted, or marked "not a defect"."""
    ADDED = "added"
    TAKEN = "taken"
    """Offered through Magic and accepted."""
    NOT_TAKEN = "not_taken"
    """Offered through Magic and not accepted."""
    LEFT_OVER = "left_over"
    """The box drawn with the Magic tool itself, submitted as a region."""
    SKIPPED = "skipped"
    """The task was skipped: nothing was judged."""


class Aspect(StrEnum):
    """What of a suggestion was edited."""

    PLACE = "place"
    CRITERION = "criterion"
    SEVERITY = "severity"
    RATIONALE = "rationale"


class Subject(StrEnum):
    """What a row of the log is about."""

    REGION = "region"
    VERDICT = "verdict"
    SUMMARY = "summary"
    FEEDBACK = "feedback"
    TASK = "task"
    """A skipped task; its row has the kind SKIPPED."""


@dataclass(frozen=True, slots=True)
class Override:
    """One row of the override log: one thing suggested beside what became of it.

    Attributes:
        subject: What the row is about.
        kind: What became of it.
        suggestion_id: Region id of the suggestion; empty when the reviewer added the region.
        region_id: Region id as submitted; empty when it was deleted.
        criterion_from: Suggested criterion id; empty without a suggestion.
        criterion_to: Submitted criterion id; empty when deleted or unlabelled.
        severity_from: Suggested severity, verdict for a VERDICT row; empty without a suggestion.
        severity_to: Submitted one; empty when left open.
        text_from: Drafted rationale or summary.
        text_to: Submitted one.
        edits: What was edited. May be empty for EDITED (an objection in words only, or a VERDICT or SUMMARY row);
            may be filled for REJECTED and TAKEN, where the region was submitted with changes.
        iou: Overlap of suggested and submitted box, 0..1; None where one of them is missing.
        text_similarity: Share of the drafted text that was kept, 0..1; None where there was no draft.
        text_distance: Character edits between drafted and submitted text; None where there was no draft.
        reasons: Override reasons ticked by the reviewer; for a FEEDBACK row the guideline feedback.
        note: Free text beside them.
        score: The suggestion's score; None without a suggestion.
        box_from: Suggested box.
        box_to: Submitted box.
        review_id: Review that the suggestion belongs to (for LEFT_OVER, that was asked for); empty without one.
    """

    subject: Subject
    kind: OverrideKind
    suggestion_id: str = ""
    region_id: str = ""
    criterion_from: str = ""
    criterion_to: str = ""
    severity_from: str = ""
    severity_to: str = ""
    text_from: str = ""
    text_to: str = ""
    edits: tuple[Aspect, ...] = ()
    iou: float | None = None
    text_similarity: float | None = None
    text_distance: int | None = None
    reasons: tuple[str, ...] = ()
    note: str = ""
    score: float | None = None
    box_from: Box | None = None
    box_to: Box | None = None
    review_id: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One annotation compared with what its reviewer was shown: what one revision of the log holds.

    Attributes:
        annotation: What was submitted.
        overrides: Rows, regions first.
        provenance: Where the compared review comes from; None when there was no review to compare with.
        review_ids: Reviews that were compared, the one shown first.
        exposure: What the reviewer saw, as the store knew it; empty when there was no review.
        confirmed: False when the annotation comes from a webhook body that nobody could check.
    """

    annotation: SubmittedAnnotation
    overrides: tuple[Override, ...]
    provenance: Provenance | None = None
    review_ids: tuple[str, ...] = ()
    exposure: str = ""
    confirmed: bool = True


@dataclass(frozen=True, slots=True)
class LoggedOverride:
    """One row of the log as it is read back, with everything known about it.

    Attributes:
        id: Row id, rising in the order of writing.
        revision: 1 for the first content of an annotation, then rising.
        current: Whether it belongs to the annotation's newest revision and the annotation still exists.
        key: Which task.
        annotation_id: Label Studio's id.
        override: The row itself.
        author: Who made the annotation.
        editor: Who made this revision of it.
        created_at: When the annotation was made, UTC; None when unknown.
        updated_at: When this revision was made, UTC; None when unknown.
        logged_at: When the row was written, UTC.
        lead_time_s: Seconds spent on the annotation; None when unknown.
        provenance: Where the suggestion comes from; None without one.
        exposure: What the reviewer saw; empty when there was no review.
        confirmed: False for rows from an unchecked webhook body.
        deleted: The annotation or its task was deleted afterwards.
    """

    id: int
    revision: int
    current: bool
    key: TaskKey
    annotation_id: int
    override: Override
    author: str
    editor: str
    created_at: datetime | None
    updated_at: datetime | None
    logged_at: datetime
    lead_time_s: float | None
    provenance: Provenance | None
    exposure: str
    confirmed: bool = True
    deleted: bool = False
