"""What a reviewer submitted, and how it differs from what was suggested. Knows no Label Studio format and no SQL."""

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
    """A reviewer's feedback on the guideline."""

    UNCLEAR = "unclear"
    NOT_COVERED = "not_covered"
    CONFLICT = "conflict"


class Shape(StrEnum):
    """Shape of a submitted region; `SubmittedRegion.box` is always its bounding box."""

    RECTANGLE = "rectangle"
    ELLIPSE = "ellipse"
    POLYGON = "polygon"
    BRUSH = "brush"
    KEYPOINT = "keypoint"


@dataclass(frozen=True, slots=True)
class SubmittedRegion:
    """One region of a submitted annotation.

    Attributes:
        id: Region id; the suggestion's id if the region comes from a suggestion.
        box: Axis-aligned bounding box of the shape, including rotation; can exceed 0..1.
        labels: Labels in Label Studio, in order; empty for an unlabeled region.
        criterion_id: Criterion of the first label that is in the guideline; None if there is none.
        severity: None if the reviewer did not choose one.
        rationale: The text, with paragraphs joined by line breaks; empty if there is none.
        reasons: Reasons that the reviewer chose.
        note: Note on the reasons; empty if there is none.
        shape: The shape that was drawn.
        rotation_deg: Clockwise rotation in degrees, as in Label Studio.
        page: Page of the task that the region is on, starting at 0.
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
    page: int = 0


@dataclass(frozen=True, slots=True)
class Asked:
    """The fields that the label config offers. Other fields are not compared.

    Attributes:
        severity: Choices per region; empty if there are none.
        rationale: Text per region.
        verdict: Choices per image; empty if there are none.
        summary: Text per image.
        criteria: Criteria with a label, including UNCOVERED; suggestions for others could not be shown. None for
            all.
        without_severity: Criteria whose regions have no severity field, although others have one.
        without_rationale: Criteria whose regions have no text for the rationale, although others have one.
    """

    severity: frozenset[Severity] = frozenset(Severity)
    rationale: bool = True
    verdict: frozenset[Verdict] = frozenset(Verdict)
    summary: bool = True
    criteria: frozenset[str] | None = None
    without_severity: frozenset[str] = frozenset()
    without_rationale: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class SubmittedAnnotation:
    """One annotation as a reviewer submitted it.

    Attributes:
        key: Which task.
        annotation_id: Label Studio's id.
        regions: In the order of the annotation.
        verdict: None if the reviewer did not choose one.
        summary: Empty if there is none.
        feedback: The reviewer's feedback on the guideline.
        feedback_note: Note on the feedback.
        author: User id (or name) of `completed_by`; empty if unknown.
        editor: User id (or name) of `updated_by`; the author if unknown.
        created_at: UTC; None if unknown.
        updated_at: UTC; None if unknown.
        lead_time_s: Seconds spent; None if unknown.
        skipped: The reviewer skipped the task ("was_cancelled").
        parent_prediction: Id of the prediction that the annotation started from; None if there is none.
        parent_annotation: Id of the annotation that it was copied from; None if it was not copied.
        content_hash: Hash of the annotation's content, without times and ids that change automatically.
        dropped: Results that could not be read, as sentences.
        unplaced: Ids of regions whose coordinates could not be read: neither kept, nor moved, nor deleted.
        asked: The fields that the label config offered when it was read.
        image_width_px: Upright width in the editor; 0 if unknown.
        image_height_px: Upright height in the editor; 0 if unknown.
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
    """Outcome of one suggestion, or origin of one submitted region."""

    UNTOUCHED = "untouched"
    """Submitted exactly as suggested, without any response."""
    CONFIRMED = "confirmed"
    """Submitted as suggested, with the reason "agree"."""
    EDITED = "edited"
    """Changed, or objected to with a reason or note but not changed (`Override.edits` is then empty)."""
    REJECTED = "rejected"
    """Deleted, or marked "not a defect"."""
    ADDED = "added"
    TAKEN = "taken"
    """Offered through Magic and accepted."""
    NOT_TAKEN = "not_taken"
    """Offered through Magic and not accepted."""
    LEFT_OVER = "left_over"
    """The box that was drawn with the Magic tool, submitted as a region."""
    SKIPPED = "skipped"
    """The task was skipped: nothing was judged."""


class Aspect(StrEnum):
    """Part of a suggestion that was edited."""

    PLACE = "place"
    CRITERION = "criterion"
    SEVERITY = "severity"
    RATIONALE = "rationale"


class Subject(StrEnum):
    """Subject of a row in the log."""

    REGION = "region"
    VERDICT = "verdict"
    SUMMARY = "summary"
    FEEDBACK = "feedback"
    TASK = "task"
    """A skipped task; its row has the kind SKIPPED."""


@dataclass(frozen=True, slots=True)
class Override:
    """One row of the override log: one suggestion and its outcome.

    Attributes:
        subject: The subject of the row.
        kind: The outcome.
        suggestion_id: Region id of the suggestion; empty if the reviewer added the region.
        region_id: Region id as submitted; empty if the region was deleted.
        criterion_from: Suggested criterion id; empty without a suggestion.
        criterion_to: Submitted criterion id; empty if deleted or unlabeled.
        severity_from: Suggested severity, verdict for a VERDICT row; empty without a suggestion.
        severity_to: Submitted severity; empty if not chosen.
        text_from: Drafted rationale or summary.
        text_to: Submitted rationale or summary.
        edits: What was edited. Can be empty for EDITED (an objection without a change, or a VERDICT or SUMMARY row);
            can be filled for REJECTED and TAKEN, if the region was submitted with changes.
        iou: Overlap of suggested and submitted box, 0..1; None if one of them is missing.
        text_similarity: Share of the drafted text that was kept, 0..1; None without a draft.
        text_distance: Character edits between drafted and submitted text; None without a draft.
        reasons: Reasons that the reviewer chose; in a FEEDBACK row, the guideline feedback.
        note: Note on the reasons.
        score: The suggestion's score; None without a suggestion.
        box_from: Suggested box.
        box_to: Submitted box.
        review_id: Review that the suggestion belongs to (for LEFT_OVER, the requested one); empty without one.
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
    """One annotation compared with what its reviewer saw: the content of one revision in the log.

    Attributes:
        annotation: What was submitted.
        overrides: Rows, regions first.
        provenance: Provenance of the compared review; None if there was no review to compare with.
        review_ids: Reviews that were compared; the one that was shown is first.
        exposure: What the reviewer saw, according to the store; empty if there was no review.
        confirmed: False if the annotation comes from an unverified webhook body.
        unexamined: Ids of the criteria that nobody examined for the compared review.
        left_out: What the compared review lacks, in one line (see `Review.left_out`).
    """

    annotation: SubmittedAnnotation
    overrides: tuple[Override, ...]
    provenance: Provenance | None = None
    review_ids: tuple[str, ...] = ()
    exposure: str = ""
    confirmed: bool = True
    unexamined: tuple[str, ...] = ()
    left_out: str = ""


@dataclass(frozen=True, slots=True)
class LoggedOverride:
    """One row of the log, with all of its data.

    Attributes:
        id: Row id, ascending in the order of writing.
        revision: Number of the annotation's version in the log, starting at 1.
        current: Whether it belongs to the annotation's newest revision and the annotation still exists.
        key: Which task.
        annotation_id: Label Studio's id.
        override: The row itself.
        author: Creator of the annotation.
        editor: User who made this revision.
        created_at: When the annotation was created, UTC; None if unknown.
        updated_at: When this revision was made, UTC; None if unknown.
        logged_at: When the row was written, UTC.
        lead_time_s: Seconds spent on the annotation; None if unknown.
        provenance: Provenance of the suggestion; None without one.
        exposure: What the reviewer saw; empty if there was no review.
        confirmed: False for rows from an unchecked webhook body.
        deleted: Whether the annotation or its task was deleted later.
        unexamined: Ids of the criteria that nobody examined for the draft.
        left_out: What the draft lacks, in one line (see `Review.left_out`).
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
    unexamined: tuple[str, ...] = ()
    left_out: str = ""
