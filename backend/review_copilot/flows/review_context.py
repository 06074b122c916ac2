"""What it takes to review a task: the tools on the context, and the one verb. Knows ports only."""

from __future__ import annotations

import hashlib
import logging
import time
from dataclasses import dataclass, field, replace
from typing import Protocol

from review_copilot.concurrency.memory_budget import MemoryBudget
from review_copilot.domain.geometry import Box
from review_copilot.domain.guideline import Guideline
from review_copilot.domain.image import ReviewImage
from review_copilot.domain.review import Exposure, ProjectKey, Provenance, Review, ReviewTask
from review_copilot.domain.suggestion import Brief
from review_copilot.errors import BudgetSpent, CopilotError, RequestAbandoned
from review_copilot.flows.blind_share import BlindShare
from review_copilot.ports import Clock, ImageSource, Inspector, Rollouts
from review_copilot.suggest.drafting import ReviewHeader, failed, nothing_said, suggest

log = logging.getLogger(__name__)

IMAGE_MEMORY_BYTES = 2 * 1024**3
"""Memory for the decoded images of all tasks in work."""

INTERNAL_ERROR = "The copilot itself failed on this task; its log has the details."


@dataclass(frozen=True)
class ReviewContext:
    """A project's set-up, ready to work: everything needed to review any task by one guideline.

    Attributes:
        guideline: What to look for.
        inspector: Who looks.
        images: Where images come from.
        clock: What time it is.
        min_score: Suggestions below it are dropped, 0..1.
        blind: Tasks whose suggestions are made and kept, but not shown.
        memory: What the decoded images of all tasks in work may take together.
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
        """Hash of everything that decides what a draft says: inspector, guideline revision, threshold. 12 digits."""
        content = "\n".join(
            (self.inspector.name, self.inspector.version, self.guideline.revision, f"{self.min_score:.6f}")
        )
        return hashlib.sha256(content.encode()).hexdigest()[:12]


class SetupOf(Protocol):
    """Gives the set-up of a project: the same object for the same set-up, whatever thread asks."""

    def __call__(self, project: ProjectKey | None = None) -> ReviewContext:
        """The project's set-up; that of the settings for None.

        Raises:
            LibraryError: Its guideline cannot be read.
            InspectorUnavailable: Its inspector cannot be created.
        """
        ...


def rollout_of(project: ProjectKey, *, store: Rollouts, setup_of: SetupOf) -> str:
    """The label under which drafts of a project's present set-up are stored."""
    setup = setup_of(project)
    return store.rollout(project, guideline_id=setup.guideline.id, model_version=setup.model_version)


def review_task(
    task: ReviewTask, *, context: ReviewContext, rollout: str, box: Box | None = None, bulk: bool = False
) -> Review:
    """Look at one task and draft its review.

    Whatever happens, a review comes back: one that could not be made has `exposure` FAILED and says why, so that
    one bad image never costs its neighbours anything. A task of the blind share has a review that is WITHHELD; the
    Magic tool finds nothing there, and nobody looks.

    Args:
        task: The task.
        context: The tools.
        rollout: Label under which the draft is stored.
        box: Only this place (the Magic tool); None for the whole image.
        bulk: Whether the task is one of a run that a spent budget must stop; a waiting reviewer's is not.

    Raises:
        BudgetSpent: Only with `bulk`: no further model call may be made, which concerns the run and not the task.
        RequestAbandoned: Whoever asked has gone meanwhile.
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
        if isinstance(error, RequestAbandoned) or (bulk and isinstance(error, BudgetSpent)):
            raise
        log.warning("task %d has no draft: %s", task.key.task_id, error)
        return failed(
            replace(header, elapsed_s=time.monotonic() - started), error=str(error), kind=type(error).__name__
        )
    except Exception:
        log.exception("task %d has no draft: unexpected error", task.key.task_id)
        return failed(replace(header, elapsed_s=time.monotonic() - started), error=INTERNAL_ERROR, kind="internal")


def given_up(task: ReviewTask, *, context: ReviewContext, rollout: str, why: str) -> Review:
    """The failed review of a task that cannot be looked at, whatever is tried.

    Args:
        task: The task.
        context: The tools.
        rollout: Label under which the draft would have been stored.
        why: In a sentence.
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
        inspection = context.inspector.inspect(brief)
        header = replace(
            header,
            elapsed_s=time.monotonic() - started,
            provenance=replace(header.provenance, prompt_hash=inspection.prompt_hash),
        )
        return suggest(inspection, image=image, guideline=context.guideline, header=header, min_score=context.min_score)


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
