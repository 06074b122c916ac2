"""A task, and the copilot's review of it. Knows no Label Studio format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from review_copilot.domain.geometry import Box
from review_copilot.domain.guideline import Verdict
from review_copilot.domain.suggestion import Dropped, Suggestion, Usage


@dataclass(frozen=True, slots=True, order=True)
class ProjectKey:
    """One project of one Label Studio.

    Attributes:
        instance: Name of the Label Studio server: its normalized base URL, or the name in the settings.
        project_id: Label Studio's project id.
        created: The project's creation stamp as `/predict` sends it after the dot ("1732360000"): seconds since
            1970 in UTC. If a database is created again, ids are reused, and the creation stamp differs.
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
        image: URL, path, or data URI of the image under review, from the task's data; of a document, one page.
        reference: The same for the reference image; empty without one.
        prompt: The prompt of a generated image; empty without one.
        data: Other text in the task's data, by field.
        pages: The pages after `image`; empty for a single image.
        page: Which page `image` is, starting at 0. Above 0 only for a request that concerns one page (Magic).
    """

    key: TaskKey
    image: str
    reference: str = ""
    prompt: str = ""
    data: Mapping[str, str] = field(default_factory=dict)
    pages: tuple[str, ...] = ()
    page: int = 0

    def at_page(self, page: int) -> ReviewTask:
        """The task with that page alone; the task itself if it has no such page."""
        if not 0 < page <= len(self.pages):
            return self
        return replace(self, image=self.pages[page - 1], pages=(), page=page)


class Exposure(StrEnum):
    """What the reviewer sees of a review."""

    SHOWN = "shown"
    WITHHELD = "withheld"
    FAILED = "failed"
    NOT_READY = "not_ready"
    OFFERED = "offered"
    """Offered on request, through the Magic tool."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """Origin of a review.

    Attributes:
        inspector: Name of the inspector.
        model_version: Content hash of inspector, model, prompt, schema, guideline revision, and examples.
        rollout: The label under which predictions are stored and pinned, such as "photo-quality r3 9f2c1a".
        guideline_id: Id of the guideline.
        guideline_revision: Revision hash of the guideline.
        prompt_hash: Hash of the prompt; empty if none was sent.
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
        id: Unique hex id; the same task, roll-out, and content have the same id.
        key: Which task.
        suggestions: Drafted regions; whole-image ones first, then by descending score.
        verdict: Drafted verdict.
        summary: Drafted summary.
        provenance: Its origin.
        exposure: What the reviewer sees of it.
        created_at: UTC.
        image_width_px: Upright width, of the first page; 0 if the image could not be read.
        image_height_px: Upright height, of the first page; 0 if the image could not be read.
        image_sha256: Hash of the file; empty if the image could not be read.
        notes: Facts that are not suggestions.
        dropped: What was dropped, and why.
        elapsed_s: Seconds for loading and inspecting.
        usage: Cost of model calls; None if there were none.
        box: The requested box (Magic); None for the whole image.
        error: Why there is no draft; empty unless `exposure` is FAILED.
        error_kind: Name of the error's class; empty unless `exposure` is FAILED.
        image: Location of the image, safe to print (no token, no signature); empty if it could not be read.
        image_fingerprint: Perceptual hash of the image (see `suggest.fingerprints`); empty
            if the image could not be read or shows too little.
        remark: The last sentences of the summary, which name other tasks with the same image; empty if there are none.
        names_severity: Whether it drafted severities; if an external prediction did not, the severities of its
            suggestions are placeholders.
        names_verdict: Whether it drafted a verdict; otherwise the verdict is a placeholder.
        unexamined: Ids of the guideline's criteria that nobody examined; none where a place was asked for (Magic), and
            in drafts of releases that did not record it.
        page_sizes_px: Width and height of each page, (0, 0) for one that was not inspected; empty for a single image.
        read_back: Whether it was read from predictions in Label Studio: the reviewer saw all of it, regardless of the
            labels in the guideline.
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
    page_sizes_px: tuple[tuple[int, int], ...] = ()

    def size_px(self, page: int) -> tuple[int, int]:
        """Upright width and height of a page; of the image if there is only one."""
        if 0 <= page < len(self.page_sizes_px) and all(self.page_sizes_px[page]):
            return self.page_sizes_px[page]
        return self.image_width_px, self.image_height_px

    @property
    def left_out(self) -> str:
        """What the draft lacks, in one line: criteria that were not examined, what was dropped, and notes.

        Empty if nothing is missing. Notes contain what was repaired in a model's reply.
        """
        dropped = [f"{part.what} ({part.reason})" for part in self.dropped]
        parts = (("Not examined", self.unexamined), ("Dropped", dropped), ("Notes", self.notes))
        line = "; ".join(f"{name}: {', '.join(entries)}" for name, entries in parts if entries)
        return " ".join(line.split())
