"""Crops of images on which two setups differ, as data URIs. Knows ports only."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence

from review_copilot.domain.geometry import Box
from review_copilot.errors import CopilotError
from review_copilot.evaluation.evaluation import DifferingImage
from review_copilot.flows.thumbnails import DECODED_PX, LIMIT_S, data_uri, marked
from review_copilot.ports import ImageSource

log = logging.getLogger(__name__)

MOST = 40
"""Maximum number of images with crops in one page; each has three crops of about 10 kB."""
_WHOLE = 0.95
"""A box with at least this share of each side is the whole image, and is not outlined."""


def evaluation_crops(
    differing: Sequence[DifferingImage], *, images: ImageSource, limit_s: float = LIMIT_S
) -> Mapping[int, tuple[str, str, str]]:
    """For each image by task id, the same crop three times: with the people's boxes, and with those of each setup.

    The crop contains all boxes on which the three differ. An image that cannot be loaded in time has no crops.

    Args:
        differing: The images, the most important first.
        images: Loads the images.
        limit_s: Seconds after which no more images are loaded.
    """
    until = time.monotonic() + limit_s
    found: dict[int, tuple[str, str, str]] = {}
    for image in differing[:MOST]:
        if time.monotonic() >= until:
            break
        task = image.truth.task
        if task.pages:  # its boxes are on several pages
            continue
        try:
            pixels = images.load(task.image, task_id=task.key.task_id).decode(DECODED_PX)
        except CopilotError as error:
            log.warning("%s has no crops: %s", image.truth.name, error)
            continue
        drawn = _drawn(image)
        around = _around(drawn)
        first, second, third = (data_uri(marked(pixels, around=around, boxes=boxes)) for boxes in drawn)
        found[task.key.task_id] = first, second, third
    return found


def _drawn(image: DifferingImage) -> tuple[list[Box], list[Box], list[Box]]:
    """The boxes of the people and of each setup, without those of the whole image."""
    first, other = image.reviews
    return (
        [r.box for r in image.truth.regions if not _is_whole(r.box)],
        [s.box for s in first.suggestions if not _is_whole(s.box)],
        [s.box for s in other.suggestions if not _is_whole(s.box)],
    )


def _is_whole(box: Box) -> bool:
    return box.width >= _WHOLE and box.height >= _WHOLE


def _around(drawn: Sequence[Sequence[Box]]) -> Box | None:
    """The box around all boxes that not all three have; None for the whole image."""
    disputed = [box for boxes in drawn for box in boxes if not all(_has(others, box) for others in drawn)]
    if not disputed:
        return None
    left, top = min(b.x for b in disputed), min(b.y for b in disputed)
    return Box.from_corners(left, top, max(b.right for b in disputed), max(b.bottom for b in disputed)).clipped()


def _has(boxes: Sequence[Box], box: Box) -> bool:
    return any(box.iou(other) > _WHOLE for other in boxes)
