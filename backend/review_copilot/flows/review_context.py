"""Draft the review of one task, with the parts that this needs. Knows ports only."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Protocol

from review_copilot.concurrency.memory_budget import MemoryBudget
from review_copilot.domain.geometry import Box
from review_copilot.domain.guideline import Guideline
from review_copilot.domain.image import ReviewImage
from review_copilot.domain.review import Exposure, ProjectKey, Provenance, Review, ReviewTask
from review_copilot.domain.suggestion import Brief, Inspection
from review_copilot.errors import CopilotError, NoFurtherCalls, RequestAbandoned
from review_copilot.flows.blind_share import BlindShare
from review_copilot.flows.inspect_pages import inspect_pages, on_page, spent_on
from review_copilot.ports import Clock, ImageSource, Inspector, Rollouts
from review_copilot.suggest.drafting import ReviewHeader, failed, nothing_said, suggest

log = logging.getLogger(__name__)

IMAGE_MEMORY_BYTES = 2 * 1024**3
"""Memory limit for the decoded images of all tasks in work."""

INTERNAL_ERROR = "Review Copilot failed on this task because of an internal error. See the backend's log for details."


@dataclass(frozen=True)
class ReviewContext:
    """A project's setup, ready to use: everything needed to review any task with one guideline.

    Attributes:
        guideline: The guideline to review by.
        inspector: Inspects the images.
        images: Loads the images.
        clock: Gives the time.
        min_score: Suggestions with a lower score are dropped, 0..1.
        blind: The tasks whose suggestions are stored but not shown.
        memory: Memory limit for the decoded images of all tasks in work.
    """

    guideline: Guideline
    inspector: Inspector
    images: ImageSource
    clock: Clock
    min_score: float
    blind: BlindShare = field(default_factory=BlindShare)
    memory: MemoryBudget = field(default_factory=lambda: MemoryBudget(IMAGE_MEMORY_BYTES))

    @property
    def model_version(self) -> str:
        """Hash of everything that determines a draft: inspector, guideline revision, threshold. 12 digits."""
        content = "\n".join(
            (self.inspector.name, self.inspector.version, self.guideline.revision, f"{self.min_score:.6f}")
        )
        return hashlib.sha256(content.encode()).hexdigest()[:12]

    def makes(self, rollout: str) -> bool:
        """Whether that label is one for drafts of this setup, such as "photo-quality r3 9f2c1a"."""
        guideline_id, number, version = [*rollout.rsplit(" ", 2), "", ""][:3]
        return bool(number and version) and guideline_id == self.guideline.id and self.model_version.startswith(version)


class SetupOf(Protocol):
    """Returns the setup of a project: the same object for the same setup, in all threads."""

    def __call__(self, project: ProjectKey | None = None) -> ReviewContext:
        """The project's setup; for None, the setup of the settings.

        Raises:
            LibraryError: Its guideline cannot be read.
            InspectorUnavailable: Its inspector cannot be created.
        """
        ...


def rollout_of(project: ProjectKey, *, store: Rollouts, setup_of: SetupOf) -> str:
    """The label for drafts of a project's current setup."""
    setup = setup_of(project)
    return store.rollout(project, guideline_id=setup.guideline.id, model_version=setup.model_version)


def review_task(
    task: ReviewTask, *, context: ReviewContext, rollout: str, box: Box | None = None, bulk: bool = False
) -> Review:
    """Draft the review of one task.

    The function always returns a review: if drafting fails, the review has `exposure` FAILED and the reason, so that
    one bad image never affects other tasks. A task of the blind share has a review that is WITHHELD; the
    Magic tool offers nothing for it, and the image is not inspected.

    Args:
        task: The task.
        context: The setup of the project.
        rollout: Label of the draft.
        box: Only this place (the Magic tool); None for the whole image.
        bulk: Whether the task is part of a bulk run, which stops when the budget is used up; a reviewer's request does
            not.

    Raises:
        NoFurtherCalls: Only with `bulk`: the budget is used up or the endpoint keeps failing, which concerns the run.
        RequestAbandoned: The caller has disconnected.
    """
    started = time.monotonic()
    withheld = context.blind.withholds(task.key)
    header = ReviewHeader(
        key=task.key,
        provenance=_provenance(context, rollout),
        now=context.clock.now(),
        exposure=Exposure.WITHHELD if withheld else Exposure.SHOWN if box is None else Exposure.OFFERED,
        box=box,
    )
    if withheld and box is not None:
        return nothing_said(header)
    try:
        return _review(task, context=context, header=header, started=started)
    except CopilotError as error:
        if isinstance(error, RequestAbandoned) or (bulk and isinstance(error, NoFurtherCalls)):
            raise
        log.warning("Task %d has no draft: %s", task.key.task_id, error)
        late = replace(header, elapsed_s=time.monotonic() - started)
        return failed(late, error=str(error), kind=type(error).__name__, usage=spent_on(error))
    except Exception:
        log.exception("Task %d has no draft because of an internal error", task.key.task_id)
        return failed(replace(header, elapsed_s=time.monotonic() - started), error=INTERNAL_ERROR, kind="internal")


def given_up(task: ReviewTask, *, context: ReviewContext, rollout: str, why: str) -> Review:
    """The failed review of a task that cannot be drafted.

    Args:
        task: The task.
        context: The setup of the project.
        rollout: Label under which the draft would have been stored.
        why: The reason, in one sentence.
    """
    header = ReviewHeader(
        key=task.key,
        provenance=_provenance(context, rollout),
        now=context.clock.now(),
        exposure=Exposure.FAILED,
        box=None,
    )
    return failed(header, error=why, kind="lost")


def _review(task: ReviewTask, *, context: ReviewContext, header: ReviewHeader, started: float) -> Review:
    if not task.pages:
        with _looked_at(task, context=context, header=header) as (image, found):
            inspection = on_page(found, task.page)
            header = _finished(header, inspection, started=started)
            pages = {task.page: image} if task.page else {}
            return _suggested(inspection, image, context=context, header=header, pages=pages)

    def look(page: int) -> tuple[ReviewImage, Inspection]:
        with _looked_at(task.at_page(page), context=context, header=header) as found:
            return found

    document = inspect_pages(1 + len(task.pages), look=look)
    header = _finished(header, document.inspection, started=started)
    first = document.images[0]
    review = _suggested(document.inspection, first, context=context, header=header, pages=document.images)
    return document.described(review)


def _suggested(
    inspection: Inspection,
    image: ReviewImage,
    *,
    context: ReviewContext,
    header: ReviewHeader,
    pages: Mapping[int, ReviewImage],
) -> Review:
    return suggest(
        inspection, image=image, guideline=context.guideline, header=header, min_score=context.min_score, pages=pages
    )


def _finished(header: ReviewHeader, inspection: Inspection, *, started: float) -> ReviewHeader:
    return replace(
        header,
        elapsed_s=time.monotonic() - started,
        provenance=replace(header.provenance, prompt_hash=inspection.prompt_hash),
    )


@contextmanager
def _looked_at(
    task: ReviewTask, *, context: ReviewContext, header: ReviewHeader
) -> Iterator[tuple[ReviewImage, Inspection]]:
    """The task's image and its inspection; memory for the decoded image is held during the block."""
    image = context.images.load(task.image, task_id=task.key.task_id)
    reference = context.images.load(task.reference, task_id=task.key.task_id) if task.reference else None
    brief = Brief(
        image=image,
        guideline=context.guideline,
        reference=reference,
        prompt=task.prompt,
        box=header.box,
        task_data=task.data,
    )
    with context.memory.hold(sum(_work_bytes(each) for each in (image, reference) if each is not None)):
        yield image, context.inspector.inspect(brief)


def _work_bytes(image: ReviewImage) -> int:
    """What an inspection takes at its peak: three bytes a pixel, 1.6 times over for JPEG files, else 2.4 times.

    docs/inspector.md has the measurements.
    """
    return (5 if image.format == "JPEG" else 8) * image.width_px * image.height_px


def _provenance(context: ReviewContext, rollout: str) -> Provenance:
    return Provenance(
        inspector=context.inspector.name,
        model_version=context.model_version,
        rollout=rollout,
        guideline_id=context.guideline.id,
        guideline_revision=context.guideline.revision,
    )
