"""Load one image of each kind of storage that a project's tasks use. Knows no inspector."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from urllib.parse import urlsplit

from review_copilot.bootstrap.doctor.check import Check, note, right, wrong
from review_copilot.domain.redaction import LOCAL_FILES
from review_copilot.domain.review import ProjectKey, ReviewTask
from review_copilot.errors import ImageError
from review_copilot.labelstudio.client import LabelStudioClient
from review_copilot.labelstudio.mapping import LabelMap
from review_copilot.labelstudio.tasks import read_task
from review_copilot.ports import ImageSource

LOOKED_AT = 1000
"""Tasks that are searched for kinds of storage: ten pages, about two seconds."""


def storage_kind(reference: str) -> str:
    """The kind of storage that a task's image is in; for a URL, with its host."""
    if reference[:5].lower() == "data:":
        return "data URI"
    if reference.startswith(LOCAL_FILES):
        return "local file"
    if "://" in reference:
        scheme = reference.partition("://")[0].lower()
        return f"URL at {urlsplit(reference).hostname}" if scheme in {"http", "https"} else f"{scheme} storage"
    return "upload" if reference.startswith("/data/") else "other path"


def image_checks(
    client: LabelStudioClient, key: ProjectKey, *, labels: LabelMap, images: ImageSource
) -> Iterator[Check]:
    """Load the first image of each kind among the first `LOOKED_AT` tasks.

    Raises:
        LabelStudioError: The tasks cannot be read.
    """
    first: dict[str, ReviewTask] = {}
    empty: list[int] = []
    raw = client.tasks(key.project_id, include=("id", "data"), everything=False)
    for task in (read_task(one, project=key, labels=labels) for one in islice(raw, LOOKED_AT)):
        if task.image:
            first.setdefault(storage_kind(task.image), task)
        else:
            empty.append(task.key.task_id)
    if empty:
        yield wrong(
            "images",
            f'{len(empty)} tasks have no image in "{labels.image_value}", such as task {empty[0]}.',
            "Set the value of the Image tag to the field of the tasks' data that names the image.",
        )
    for kind, task in first.items():
        yield _loaded(kind, task, images)
    if not first and not empty:
        yield note("images", "The project has no tasks yet.")


def _loaded(kind: str, task: ReviewTask, images: ImageSource) -> Check:
    name, number = f"image: {kind}", task.key.task_id
    try:
        image = images.load(task.image, task_id=number)
    except ImageError as error:
        return wrong(name, f"Task {number}: {error.public}", error.hint or f"Replace the image of task {number}.")
    return right(name, f"Task {number}: {image.width_px} x {image.height_px} pixels, {image.format}.")
