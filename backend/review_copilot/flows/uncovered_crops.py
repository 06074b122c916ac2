"""Measure the crops that no criterion covers, as far as time and images allow. Knows ports only.

Patterns can also be found from notes alone, so an image that cannot be loaded loses only its crop.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from review_copilot.domain.geometry import Box
from review_copilot.domain.image import Pixels
from review_copilot.domain.review import ProjectKey, ReviewTask
from review_copilot.domain.reviewed_crops import CropFeatures
from review_copilot.errors import CopilotError, ExtraMissing, ImageError, SettingsError
from review_copilot.ports import CropMeasure, ImageSource, Workspace, WorkspaceOpener
from review_copilot.study.table import Flags, Floats, OverrideTable
from review_copilot.suggest.crop_features import crop_features

log = logging.getLogger(__name__)

LIMIT_S = 20.0
"""Time limit for all crops of a report; crops that are not measured by then are grouped by their notes alone."""

NOTHING_KNOWN: Mapping[int, CropFeatures] = MappingProxyType({})


def crops_of(
    table: OverrideTable,
    *,
    project: ProjectKey,
    opener: WorkspaceOpener | None,
    images: ImageSource,
    known: Mapping[int, CropFeatures] = NOTHING_KNOWN,
    measure: CropMeasure = crop_features,
    limit_s: float = LIMIT_S,
) -> Floats | None:
    """`see_crops` if the project can be opened and is still the one in the log; otherwise only stored features."""
    wanted = _wanted(table)
    if opener is not None and (wanted & ~np.isin(table.row, list(known))).any():
        try:
            workspace = opener.open(project.project_id)
            if workspace.key == project:
                return see_crops(
                    table, workspace=workspace, images=images, known=known, measure=measure, limit_s=limit_s
                )
        except (ExtraMissing, SettingsError):
            raise
        except CopilotError as error:
            log.warning("New crops are not measured: %s", error)
    return known_crops(table, known)


def known_crops(table: OverrideTable, known: Mapping[int, CropFeatures]) -> Floats | None:
    """Stored features of the crops of `table.uncovered`, in the form of `see_crops`, without loading images."""
    mine = [known.get(row, ()) for row in table.row[table.uncovered].tolist()]
    wide = max(map(len, mine), default=0)
    nothing = (np.nan,) * wide
    return np.array([crop if len(crop) == wide else nothing for crop in mine]) if wide else None


def see_crops(
    table: OverrideTable,
    *,
    workspace: Workspace,
    images: ImageSource,
    known: Mapping[int, CropFeatures] = NOTHING_KNOWN,
    measure: CropMeasure = crop_features,
    limit_s: float = LIMIT_S,
) -> Floats | None:
    """Features of the crops of `table.uncovered`: one row of numbers per crop, NaN if it could not be measured.

    Args:
        table: The rows studied.
        workspace: Names the image of each task.
        images: Loads the images.
        known: Stored features, by row id of the log.
        measure: Measures a crop.
        limit_s: Seconds after which no more images are loaded; regions without a note come first.
    """
    rows = np.flatnonzero(table.uncovered)
    drawn = _wanted(table)[rows] & ~np.isin(table.row[rows], list(known))
    until = time.monotonic() + limit_s
    wanted = sorted(set(table.task[rows[drawn]].tolist()))
    tasks = {task.key.task_id: task for task in workspace.tasks(only=wanted)}
    noted = table.note[rows] >= 0
    order = [i for i in np.lexsort((table.task[rows], noted)).tolist() if drawn[i]]
    found = dict(known)
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
                found[int(table.row[rows[i]])] = tuple(measure(seen[1], box).tolist())
    return known_crops(table, found)


def _wanted(table: OverrideTable) -> Flags:
    """Uncovered rows with a box."""
    return np.asarray(table.uncovered & np.isfinite(table.box).all(axis=1))


def _pixels(task: ReviewTask | None, images: ImageSource) -> Pixels | None:
    if task is None or task.pages:  # the log does not name the page of a region
        return None
    try:
        return images.load(task.image, task_id=task.key.task_id).feature_pixels
    except ImageError as error:
        log.warning("The crop of task %d was not measured: %s", task.key.task_id, error)
        return None
