"""Create thumbnails of a study's cases and sightings, as far as time and images allow. Knows ports only.

A report is useful without thumbnails, so an image that cannot be loaded loses only its thumbnail.
"""

from __future__ import annotations

import base64
import io
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from PIL import Image, ImageDraw

from review_copilot.domain.geometry import Box
from review_copilot.domain.image import Pixels, ReviewImage
from review_copilot.domain.review import ProjectKey, ReviewTask, TaskKey
from review_copilot.errors import CopilotError, ImageError
from review_copilot.flows.packed_log import Reading, rows_of
from review_copilot.ports import ImageSource, ReviewStore, Workspace, WorkspaceOpener
from review_copilot.study.project_study import Study
from review_copilot.study.table import OverrideTable

log = logging.getLogger(__name__)

THUMBNAIL_PX = 240
"""Longer side of a thumbnail: two per row on a phone, sharp enough to recognize a defect."""
DECODED_PX = 1600
"""Longer side at which images are decoded: a box that takes a sixth of the image still fills the thumbnail."""
MARGIN = 0.6
"""Margin around a box, as a share of its longer side, to show where the box is."""
JPEG_QUALITY = 70
LIMIT_S = 30.0
"""Time limit for all thumbnails of a report; those that are not ready by then are skipped."""


@dataclass(frozen=True)
class Pictures:
    """Thumbnails as data URIs, or as URLs.

    Attributes:
        cases: By row id in the log.
        sightings: By task and annotation id.
        left_out: Number of thumbnails that could not be created.
    """

    cases: Mapping[int, str] = field(default_factory=dict)
    sightings: Mapping[tuple[int, int], str] = field(default_factory=dict)
    left_out: int = 0


NO_PICTURES = Pictures()


@dataclass(frozen=True)
class _Spot:
    task: int
    box: Box | None
    row: int | None = None
    annotation: int = 0


def pictures_of(
    study: Study,
    table: OverrideTable,
    *,
    project: ProjectKey,
    opener: WorkspaceOpener | None,
    images: ImageSource,
    store: ReviewStore,
) -> Pictures:
    """`cut_pictures` if the project can be opened and is still the one in the log; otherwise no thumbnails."""
    if opener is None:
        return NO_PICTURES
    try:
        workspace = opener.open(project.project_id)
    except CopilotError as error:
        log.warning("The report has no thumbnails: %s", error)
        return NO_PICTURES
    if workspace.key != project:
        return NO_PICTURES
    return cut_pictures(study, table, workspace=workspace, images=images, store=store)


def shown_rows(study: Study, reading: Reading) -> OverrideTable:
    """The rows of a study's cases and sightings, which are all that its thumbnails need."""
    cases = {case.row for flag in study.flags for case in flag.cases}
    sightings = {s.annotation for pattern in study.novel_patterns for s in pattern.typical}
    return rows_of(reading, rows=cases, annotations=sightings)


def linked_pictures(study: Study, table: OverrideTable, link: Callable[[int], str]) -> Pictures:
    """URLs instead of thumbnails, for a page that loads each one when it becomes visible.

    Args:
        study: What to illustrate.
        table: See `shown_rows`.
        link: Returns the URL of the thumbnail of a row id; see `cut_one`.
    """
    cases = {case.row: link(case.row) for flag in study.flags for case in flag.cases}
    seen = {(s.task, s.annotation) for pattern in study.novel_patterns for s in pattern.typical}
    rows = np.flatnonzero(table.uncovered)
    first = {
        key: int(row)
        for key, row in zip(
            zip(table.task[rows].tolist(), table.annotation[rows].tolist(), strict=True),
            table.row[rows].tolist(),
            strict=True,
        )
        if key in seen
    }
    return Pictures(cases, {key: link(row) for key, row in first.items()})


def cut_one(
    table: OverrideTable,
    row: int,
    *,
    project: ProjectKey,
    opener: WorkspaceOpener | None,
    images: ImageSource,
    store: ReviewStore,
) -> bytes | None:
    """The thumbnail of one row of the log as a JPEG; None if it cannot be created."""
    at = np.flatnonzero(table.row == row)
    if opener is None or not len(at):
        return None
    spot = _spot(table, int(at[0]), project=project, store=store)
    try:
        workspace = opener.open(project.project_id)
        task = next(iter(workspace.tasks(only=[spot.task])), None) if workspace.key == project else None
    except CopilotError as error:
        log.warning("Row %d has no thumbnail: %s", row, error)
        return None
    return _cut(_load(task, images), spot.box)


def cut_pictures(
    study: Study,
    table: OverrideTable,
    *,
    workspace: Workspace,
    images: ImageSource,
    store: ReviewStore,
    limit_s: float = LIMIT_S,
) -> Pictures:
    """Thumbnails of a study's typical cases and sightings, the flags' first.

    Args:
        study: What to illustrate.
        table: See `shown_rows`; contains each case's box.
        workspace: Names the image of each task.
        images: Loads the images.
        store: Contains the box of a suggestion that was deleted.
        limit_s: Seconds after which no more images are loaded.
    """
    spots = [*_of_cases(study, table, workspace=workspace, store=store), *_of_sightings(study)]
    wanted = sorted({spot.task for spot in spots})
    until = time.monotonic() + limit_s
    cases: dict[int, str] = {}
    sightings: dict[tuple[int, int], str] = {}
    try:
        tasks = {task.key.task_id: task for task in workspace.tasks(only=wanted)} if wanted else {}
    except CopilotError as error:
        log.warning("The report has no thumbnails: %s", error)
        return Pictures(left_out=len(spots))
    loaded: dict[int, ReviewImage | None] = {}
    for spot in spots:
        if spot.task not in loaded and time.monotonic() < until:
            loaded[spot.task] = _load(tasks.get(spot.task), images)
        picture = _cut(loaded.get(spot.task), spot.box)
        if picture and spot.row is not None:
            cases[spot.row] = data_uri(picture)
        elif picture:
            sightings[spot.task, spot.annotation] = data_uri(picture)
    return Pictures(cases, sightings, left_out=len(spots) - len(cases) - len(sightings))


def thumbnail(pixels: Pixels, box: Box | None) -> bytes:
    """A JPEG of the box with a margin and an outline; of the whole image if there is no box.

    Args:
        pixels: Upright RGB.
        box: The box, in fractions.
    """
    whole = box is None or (box.width >= 0.95 and box.height >= 0.95)
    return marked(pixels, around=None, boxes=()) if whole or box is None else marked(pixels, around=box, boxes=(box,))


def marked(pixels: Pixels, *, around: Box | None, boxes: Sequence[Box]) -> bytes:
    """A JPEG of a part of the image with outlines.

    Args:
        pixels: Upright RGB.
        around: The part, in fractions, shown with a margin; None for the whole image.
        boxes: The boxes to outline, in fractions.
    """
    height, width = pixels.shape[:2]
    left, top, right, bottom = (0, 0, width, height) if around is None else _around(around, width, height)
    picture = Image.fromarray(np.ascontiguousarray(pixels[top:bottom, left:right]))
    scale = min(1.0, THUMBNAIL_PX / max(picture.size))
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    picture = picture.resize(size, Image.Resampling.LANCZOS)
    pen = ImageDraw.Draw(picture)
    for box in boxes:
        x, y = (box.x * width - left) * scale, (box.y * height - top) * scale
        outline = (x, y, x + max(2.0, box.width * width * scale), y + max(2.0, box.height * height * scale))
        pen.rectangle(outline, outline=(0, 0, 0), width=4)
        pen.rectangle(outline, outline=(255, 200, 0), width=2)
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=JPEG_QUALITY)
    return file.getvalue()


def data_uri(picture: bytes) -> str:
    """A JPEG as a data URI."""
    return "data:image/jpeg;base64," + base64.b64encode(picture).decode("ascii")


def _around(box: Box, width_px: int, height_px: int) -> tuple[int, int, int, int]:
    margin = MARGIN * max(box.width * width_px, box.height * height_px)
    left, top = int(max(0, box.x * width_px - margin)), int(max(0, box.y * height_px - margin))
    right, bottom = (
        int(min(width_px, box.right * width_px + margin)),
        int(min(height_px, box.bottom * height_px + margin)),
    )
    return left, top, max(right, left + 1), max(bottom, top + 1)


def _of_cases(study: Study, table: OverrideTable, *, workspace: Workspace, store: ReviewStore) -> Iterator[_Spot]:
    for flag in study.flags:
        for case in flag.cases:
            yield _spot(table, int(np.flatnonzero(table.row == case.row)[0]), project=workspace.key, store=store)


def _spot(table: OverrideTable, at: int, *, project: ProjectKey, store: ReviewStore) -> _Spot:
    """The box of the row at an index of the table."""
    task, box = int(table.task[at]), _box(table.box[at].tolist())
    if box is None and table.suggested[at] >= 0:
        criterion, score = table.criteria[int(table.suggested[at])], float(table.score[at])
        box = _suggested(store, TaskKey(project, task), criterion, score)
    return _Spot(task, box, row=int(table.row[at]))


def _of_sightings(study: Study) -> Iterator[_Spot]:
    for pattern in study.novel_patterns:
        for seen in pattern.typical:
            yield _Spot(seen.task, _box(list(seen.box)) if seen.box else None, annotation=seen.annotation)


def _box(corner: list[float]) -> Box | None:
    return None if np.isnan(corner[0]) else Box(*corner).clipped()


def _suggested(store: ReviewStore, key: TaskKey, criterion: str, score: float) -> Box | None:
    """The box of that criterion's suggestion with the nearest score: the log's columns contain no other reference."""
    drawn = [s for review in store.recall(key) for s in review.suggestions if s.criterion_id == criterion]
    return min(drawn, key=lambda s: abs(s.score - score)).box if drawn else None


def _load(task: ReviewTask | None, images: ImageSource) -> ReviewImage | None:
    if task is None or task.pages:  # the log does not name the page of a region
        return None
    try:
        return images.load(task.image, task_id=task.key.task_id)
    except ImageError as error:
        log.warning("Task %d has no thumbnail: %s", task.key.task_id, error)
        return None


def _cut(image: ReviewImage | None, box: Box | None) -> bytes | None:
    if image is None:
        return None
    try:
        pixels = image.decode(DECODED_PX)
    except ImageError as error:
        log.warning("%s has no thumbnail: %s", image.source, error)
        return None
    return thumbnail(pixels, box)
