"""Look at the crops that no criterion claims, while time and images allow. Knows ports only.

Patterns are found from notes alone too, so an image that cannot be had costs its crop and nothing else.
"""

from __future__ import annotations

import logging
import time

import numpy as np

from review_copilot.analysis.looks import LOOKS, looks
from review_copilot.analysis.table import Flags, Floats, OverrideTable
from review_copilot.domain.geometry import Box
from review_copilot.domain.image import Pixels
from review_copilot.domain.review import ProjectKey, ReviewTask
from review_copilot.errors import CopilotError, ImageError
from review_copilot.ports import ImageSource, Workspace, WorkspaceOpener

log = logging.getLogger(__name__)

DECODED_PX = 1024
LIMIT_S = 20.0
"""Time for all crops of a report; those that are not seen by then are told apart by their notes alone."""


def crops_of(
    table: OverrideTable, *, project: ProjectKey, opener: WorkspaceOpener | None, images: ImageSource
) -> Floats | None:
    """`see_crops` where the project can be opened and still is the one of the log; None otherwise."""
    if opener is None or not _wanted(table).any():
        return None
    try:
        workspace = opener.open(project.project_id)
        return see_crops(table, workspace=workspace, images=images) if workspace.key == project else None
    except CopilotError as error:
        log.warning("novel patterns are told apart by their notes alone: %s", error)
        return None


def see_crops(
    table: OverrideTable, *, workspace: Workspace, images: ImageSource, limit_s: float = LIMIT_S
) -> Floats | None:
    """What the crops of `table.uncovered` look like: one row of numbers each, NaN where one could not be seen.

    Args:
        table: The rows studied.
        workspace: Says which image each task shows.
        images: Fetches them.
        limit_s: Seconds after which no further image is fetched; regions without a note come first.
    """
    rows = np.flatnonzero(table.uncovered)
    drawn = _wanted(table)[rows]
    found = np.full((len(rows), LOOKS), np.nan)
    until = time.monotonic() + limit_s
    wanted = sorted(set(table.task[rows[drawn]].tolist()))
    tasks = {task.key.task_id: task for task in workspace.tasks(only=wanted)}
    noted = table.note[rows] >= 0
    order = [i for i in np.lexsort((table.task[rows], noted)).tolist() if drawn[i]]
    seen: tuple[int, Pixels | None] = (-1, None)
    for i in order:
        task = int(table.task[rows[i]])
        if task != seen[0]:
            if time.monotonic() >= until:
                break
            seen = task, _pixels(tasks.get(task), images)
        if seen[1] is not None:
            box = Box(*table.box[rows[i]].tolist()).clipped()
            if box is not None:
                found[i] = looks(seen[1], box)
    return found if np.isfinite(found).any() else None


def _wanted(table: OverrideTable) -> Flags:
    """Uncovered rows with a box."""
    return np.asarray(table.uncovered & np.isfinite(table.box).all(axis=1))


def _pixels(task: ReviewTask | None, images: ImageSource) -> Pixels | None:
    if task is None:
        return None
    try:
        return images.load(task.image, task_id=task.key.task_id).decode(DECODED_PX)
    except ImageError as error:
        log.warning("task %d's crop was not seen: %s", task.key.task_id, error)
        return None
