"""Draft images that people reviewed with one setup or two, and compare. Knows ports only.

Nothing is written to Label Studio. Each draft is kept as soon as it is finished, so that a run that stops continues
where it stopped, and an unchanged setup costs nothing. Both setups draft the same images in turn: a run that stops
early still compares like with like.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Protocol

from review_copilot.domain.guideline import Guideline
from review_copilot.domain.review import Exposure, Review, ReviewTask
from review_copilot.domain.suggestion import Usage
from review_copilot.errors import ImageError, NoFurtherCalls
from review_copilot.evaluation.evaluation import Drafted, Evaluation, evaluate
from review_copilot.evaluation.truth import Truth
from review_copilot.ports import Engine

IMAGES_IN_TURN = 32
"""Images that one setup drafts before the other one drafts them."""
ROLLOUT = "evaluate"
"""Stands for the roll-out in drafts that no reviewer sees."""


class KeptDrafts(Protocol):
    """Keeps the drafts of one setup between runs."""

    def get(self, key: str) -> Review | None:
        """The draft under a key; None if there is none."""
        ...

    def put(self, key: str, review: Review) -> None:
        """Keep a finished draft."""
        ...


@dataclass(frozen=True)
class Contender:
    """One setup to evaluate.

    Attributes:
        name: The setup as the report calls it.
        version: Hash of everything that determines its drafts.
        guideline: Its guideline.
        engine: Makes its drafts.
        kept: Keeps its drafts. Two setups with the same version share it.
    """

    name: str
    version: str
    guideline: Guideline
    engine: Engine
    kept: KeptDrafts


@dataclass
class Run:
    """Counts of an evaluation, passed to `on_progress` after each draft.

    Attributes:
        total: Drafts to make or to read, of all setups.
        done: Drafts made or read.
        made: Drafts made in this run.
        usage: Cost of this run's model calls.
        unreadable: Image name to reason, for images that could not be loaded. They are left out.
        failures: Image name to reason, for images whose inspector failed. They count as missed.
        stopped: Why the run ended early; empty if it did not.
    """

    total: int = 0
    done: int = 0
    made: int = 0
    usage: Usage = field(default_factory=Usage)
    unreadable: dict[str, str] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    stopped: str = ""


def run_evaluation(
    truths: Sequence[Truth],
    contenders: Sequence[Contender],
    *,
    margin: float,
    fingerprint: Callable[[ReviewTask], str],
    on_progress: Callable[[Run], None] = lambda _: None,
) -> tuple[Evaluation, Run]:
    """Draft the images and compare the drafts with what people say.

    Args:
        truths: The images with what people say.
        contenders: One setup, or two to compare.
        margin: The largest loss that is acceptable; see `evaluation.evaluate`.
        fingerprint: Hash of an image's content, or empty if its location names the content.
        on_progress: Called in this thread after each draft.
    """
    run = Run(total=len(truths) * len(contenders))
    drafts: list[dict[int, Review]] = [{} for _ in contenders]
    waiting = iter(truths)
    try:
        while part := list(islice(waiting, IMAGES_IN_TURN)):
            for contender, found in zip(contenders, drafts, strict=True):
                for review in _drafted(part, contender, fingerprint=fingerprint, run=run):
                    found[review.key.task_id] = review
                    run.done += 1
                    on_progress(run)
    except NoFurtherCalls as error:  # finished drafts are kept; the next run continues here
        run.stopped = str(error)
    except KeyboardInterrupt:
        run.stopped = "Interrupted."
    names = {truth.task.key.task_id: truth.name for truth in truths}
    setups = [
        Drafted(contender.name, contender.version, contender.guideline, _readable(found, names, run))
        for contender, found in zip(contenders, drafts, strict=True)
    ]
    return evaluate(truths, setups, margin=margin), run


def _drafted(
    truths: Sequence[Truth], contender: Contender, *, fingerprint: Callable[[ReviewTask], str], run: Run
) -> Iterator[Review]:
    """The drafts of some images: kept ones first, then new ones, which are kept unless they failed."""
    keys = {truth.task.key.task_id: _key(truth.task, fingerprint(truth.task)) for truth in truths}
    lacking = []
    for truth in truths:
        kept = contender.kept.get(keys[truth.task.key.task_id])
        if kept is None:
            lacking.append(truth.task)
        else:
            yield kept
    for review in contender.engine.reviews(lacking, rollout=ROLLOUT) if lacking else ():
        run.made += 1
        run.usage = run.usage.plus(review.usage or Usage())
        if review.exposure is not Exposure.FAILED:
            contender.kept.put(keys[review.key.task_id], review)
        yield review


def _key(task: ReviewTask, content: str) -> str:
    """Hash of all that a draft depends on besides the setup."""
    project = task.key.project
    decides = [
        project.instance, project.project_id, project.created, task.key.task_id, task.image, task.reference,
        task.prompt, sorted(task.data.items()), task.pages, content,
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(decides).encode()).hexdigest()


def _readable(found: dict[int, Review], names: dict[int, str], run: Run) -> dict[int, Review]:
    """The drafts without those of images that could not be loaded, which say nothing about a setup."""
    readable = {}
    for task_id, review in found.items():
        if review.exposure is Exposure.FAILED and review.error_kind in _IMAGE_ERRORS:
            run.unreadable[names[task_id]] = review.error
            continue
        if review.exposure is Exposure.FAILED:
            run.failures[names[task_id]] = review.error
        readable[task_id] = review
    return readable


_IMAGE_ERRORS = frozenset({ImageError.__name__, *(kind.__name__ for kind in ImageError.__subclasses__())})
