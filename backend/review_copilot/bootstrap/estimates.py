"""Estimate the cost of a bulk run before it starts. Calls no model."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice

from review_copilot.bootstrap.reviewing import model_setup
from review_copilot.domain.review import ReviewTask
from review_copilot.errors import CopilotError, ImageUnreadable
from review_copilot.flows.inspect_pages import MOST_PAGES
from review_copilot.flows.review_context import ReviewContext
from review_copilot.inspectors.assembly import price_of
from review_copilot.inspectors.coalescing import CoalescingInspector
from review_copilot.inspectors.hybrid import HybridInspector
from review_copilot.inspectors.model_inspector import ModelInspector
from review_copilot.inspectors.pricing import Estimate
from review_copilot.ports import Inspector
from review_copilot.settings import Settings

SAMPLE = 20
"""Number of images whose size is read for an estimate. The others are assumed to have the same sizes."""


def estimate_run(
    tasks: Iterable[ReviewTask],
    *,
    count: int,
    settings: Settings,
    setup: ReviewContext,
    on_unreadable: Callable[[int, CopilotError], None] = lambda _task_id, _error: None,
) -> Estimate | None:
    """The expected cost of drafting a number of tasks; None if the inspector uses no model.

    Args:
        tasks: The tasks; the sizes of the first `SAMPLE` images are read.
        count: Number of tasks to draft.
        settings: The model and its prices.
        setup: The project's review context.
        on_unreadable: Called with the task id of an image that cannot be read, and the error.

    Raises:
        ImageUnreadable: The inspector uses a model, and none of the images in the sample can be read.
    """
    model = model_part(setup.inspector)
    if model is None:
        return None
    price = price_of(model_setup(settings))
    if not count:
        return model.estimate([], guideline=setup.guideline, price=price)
    sizes: list[tuple[int, int]] = []
    read = 0
    for task in islice(tasks, SAMPLE):
        pages = min(1 + len(task.pages), MOST_PAGES)
        try:
            image = setup.images.load(task.image, task_id=task.key.task_id)
            sizes += pages * [(image.width_px, image.height_px)]
            read += 1
        except CopilotError as error:
            on_unreadable(task.key.task_id, error)
    if not sizes:
        raise ImageUnreadable(
            f"The cost cannot be estimated, because none of the first {SAMPLE} images can be read.",
            hint="Fix the errors above, or look at one task: review-copilot doctor --project N --task T",
        )
    likely = [sizes[number % len(sizes)] for number in range(round(count * len(sizes) / read))]
    return model.estimate(likely, guideline=setup.guideline, price=price)


def model_part(inspector: Inspector) -> ModelInspector | None:
    """The part of an inspector that calls a model, for estimates; None if it calls none."""
    inner = inspector.inspector if isinstance(inspector, CoalescingInspector) else inspector
    asks = inner.model if isinstance(inner, HybridInspector) else inner
    return asks if isinstance(asks, ModelInspector) else None
