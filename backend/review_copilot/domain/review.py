"""A task, and the copilot's review of it. Knows no wire format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from review_copilot.domain.geometry import Box
from review_copilot.domain.guideline import Verdict
from review_copilot.domain.suggestion import Dropped, Suggestion, Usage


@dataclass(frozen=True, slots=True, order=True)
class ProjectKey:
    """One project of one Label Studio.

    Attributes:
        instance: Name of the Label Studio server: its normalised base URL, or the name given in the settings.
        project_id: Label Studio's project id.
        created: The project's creation stamp as `/predict` sends it after the dot ("1732360000"): seconds since
            1970 in UTC. An id may be used again after a database was made anew; the stamp then differs.
    """

    instance: str
    project_id: int
    created: str


@dataclass(frozen=True, slots=True, order=True)
class TaskKey:
    """One task of one project of one Label Studio."""

    project: ProjectKey
    task_id: int


@dataclass(frozen=True, slots=True)
class ReviewTask:
    """A task as the copilot sees it.

    Attributes:
        key: Which task.
        image: URL, path or data URI of the image under review, as the task's data says.
        reference: The same for the reference image; empty without one.
        prompt: The text that a generated image was made from; empty without one.
        data: Other text of the task's data, by field.
    """

    key: TaskKey
    image: str
    reference: str = ""
    prompt: str = ""
    data: Mapping[str, str] = field(default_factory=dict)


class Exposure(StrEnum):
    """What the reviewer got to see of a review."""

    SHOWN = "shown"
    WITHHELD = "withheld"
    FAILED = "failed"
    NOT_READY = "not_ready"
    OFFERED = "offered"
    """Offered on request, through the Magic tool."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a review comes from.

    Attributes:
        inspector: Name of the inspector.
        model_version: Content hash of inspector, model, prompt, schema, guideline revision and examples.
        rollout: The label under which predictions are stored and pinned, such as "photo-quality r3 9f2c1a".
        guideline_id: Which guideline.
        guideline_revision: Its revision hash.
        prompt_hash: Hash of the prompt; empty where none was sent.
    """

    inspector: str
    model_version: str
    rollout: str
    guideline_id: str
    guideline_revision: str
    prompt_hash: str = ""


@dataclass(frozen=True, slots=True)
class Review:
    """The copilot's draft for one task.

    Attributes:
        id: Hex, unique; the same task, roll-out and content give the same id.
        key: Which task.
        suggestions: Drafted regions; image-wide ones first, then by falling score.
        verdict: Drafted verdict.
        summary: Drafted summary.
        provenance: Where it comes from.
        exposure: What the reviewer gets to see of it.
        created_at: UTC.
        image_width_px: Upright width; 0 when the image could not be read.
        image_height_px: Upright height; 0 when the image could not be read.
        image_sha256: Hash of the file; empty when the image could not be read.
        notes: Facts worth keeping that are no suggestion.
        dropped: What was left out and why.
        elapsed_s: Seconds that fetching and inspecting took.
        usage: What a model call cost; None where no model was asked.
        box: The place that was asked for (Magic); None for the whole image.
        error: Why there is no draft; empty unless `exposure` is FAILED.
        error_kind: Name of the error's class; empty unless `exposure` is FAILED.
        image: Where the image came from, fit to print (no token, no signature); empty when it could not be read.
        image_fingerprint: What nearly the same pictures share but for a few bits (see `suggest.fingerprints`); empty
            when the image could not be read or shows too little.
        remark: The last sentences of the summary, which say what other tasks show the same; empty when none does.
        names_severity: Whether it drafted severities; where somebody else's prediction did not, those of its
            suggestions are stand-ins.
        names_verdict: Whether it drafted a verdict; the same.
        unexamined: Ids of the guideline's criteria that nobody examined; none where a place was asked for (Magic), and
            in drafts of releases that did not record it.
        read_back: Whether it was read from what Label Studio showed: all of it reached the reviewer, whatever labels
            the guideline knows.
    """

    id: str
    key: TaskKey
    suggestions: tuple[Suggestion, ...]
    verdict: Verdict
    summary: str
    provenance: Provenance
    exposure: Exposure
    created_at: datetime
    image_width_px: int
    image_height_px: int
    image_sha256: str = ""
    notes: tuple[str, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    elapsed_s: float = 0.0
    usage: Usage | None = None
    box: Box | None = None
    error: str = ""
    error_kind: str = ""
    image: str = ""
    image_fingerprint: str = ""
    remark: str = ""
    names_severity: bool = True
    names_verdict: bool = True
    read_back: bool = False
    unexamined: tuple[str, ...] = ()
