"""Write the final boxes as a COCO data set. Knows no image file.

Format: https://cocodataset.org/#format-data, object detection; boxes are (left, top, width, height) in pixels of the
upright image. In addition to COCO's keys, each box has `attributes` with severity, rationale, and origin.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TextIO

from review_copilot.domain.guideline import UNCOVERED, Guideline
from review_copilot.domain.override import SubmittedRegion
from review_copilot.domain.review import TaskKey
from review_copilot.flows.submissions import Submission
from review_copilot.reports.skipped_counts import Written

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


def write_coco(submissions: Iterable[Submission], out: TextIO, *, guideline: Guideline) -> Written:
    """Write one data set, without boxes marked "not a defect" and left-over Magic boxes.

    If a task has several annotations, the one that was changed last is used. A reviewed image without defects
    is listed without boxes. Skipped and counted: skipped tasks, images of unknown size, regions without a criterion,
    and boxes outside the image.

    Args:
        submissions: Annotations in their current state.
        out: A text stream.
        guideline: Defines the categories, in its order; ids that are no longer in it follow.
    """
    report = Written()
    names = {criterion.id: criterion.label for criterion in guideline.criteria} | {UNCOVERED: guideline.novel.label}
    images: list[dict[str, object]] = []
    boxes: list[dict[str, object]] = []
    for submission in _one_per_task(submissions, report):
        size = submission.image_size_px
        if size is None:
            report.leave_out("the image's size is unknown")
            continue
        images.append(_image(len(images) + 1, submission, size))
        for region in submission.regions:
            if region.page:
                report.leave_out("the region is on a later page")
                continue
            if region.criterion_id is None:
                report.leave_out("the region has no criterion")
                continue
            names.setdefault(region.criterion_id, region.labels[0] if region.labels else region.criterion_id)
            category = list(names).index(region.criterion_id) + 1
            box = _box(region, size, ids=(len(boxes) + 1, len(images), category))
            if box is None:
                report.leave_out("the box is outside the image")
                continue
            boxes.append(box | {"attributes": _attributes(region, submission)})
    report.written = len(boxes)
    categories = [
        {"id": number, "name": label, "supercategory": guideline.id, "criterion": criterion_id}
        for number, (criterion_id, label) in enumerate(names.items(), start=1)
    ]
    info = {"description": guideline.title, "version": guideline.version, "guideline_revision": guideline.revision}
    json.dump({"info": info, "images": images, "annotations": boxes, "categories": categories}, out, ensure_ascii=False)
    out.write("\n")
    return report


def _one_per_task(submissions: Iterable[Submission], report: Written) -> Iterable[Submission]:
    chosen: dict[TaskKey, Submission] = {}
    for submission in submissions:
        annotation = submission.comparison.annotation
        if annotation.skipped:
            report.leave_out("the task was skipped")
            continue
        other = chosen.get(annotation.key)
        if other is not None:
            report.leave_out("the task has a later annotation")
        if other is None or _changed(submission) >= _changed(other):
            chosen[annotation.key] = submission
    return chosen.values()


def _changed(submission: Submission) -> datetime:
    return submission.comparison.annotation.updated_at or _LONG_AGO


def _image(number: int, submission: Submission, size: tuple[int, int]) -> dict[str, object]:
    review, task_id = submission.review, submission.comparison.annotation.key.task_id
    name = (review.image if review else "") or f"task-{task_id}"
    return {"id": number, "file_name": name, "width": size[0], "height": size[1], "task_id": task_id}


def _box(region: SubmittedRegion, size: tuple[int, int], *, ids: tuple[int, int, int]) -> dict[str, object] | None:
    """A box of the data set; None if it is outside the image."""
    inside = region.box.clipped()
    if inside is None:
        return None
    pixels = inside.to_pixels(image_width_px=size[0], image_height_px=size[1])
    x, y, width, height = (round(value, 2) for value in pixels)
    number, image, category = ids
    return {
        "id": number,
        "image_id": image,
        "category_id": category,
        "bbox": [x, y, width, height],
        "area": round(width * height, 2),
        "iscrowd": 0,
    }


def _attributes(region: SubmittedRegion, submission: Submission) -> dict[str, object]:
    return {
        "severity": region.severity.value if region.severity else None,
        "rationale": region.rationale,
        "shape": region.shape.value,
        "rotation_deg": region.rotation_deg,
        "region_id": region.id,
        "annotation_id": submission.comparison.annotation.annotation_id,
    }
