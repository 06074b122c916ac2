"""Read a task that Label Studio sends. Knows no image and no region."""

from __future__ import annotations

from collections.abc import Mapping

from review_copilot.domain.review import ProjectKey, ReviewTask, TaskKey
from review_copilot.labelstudio.data_values import fields_in, resolve
from review_copilot.labelstudio.mapping import LabelMap
from review_copilot.labelstudio.wire_values import clean, whole_number


def read_task(raw: Mapping[str, object], *, project: ProjectKey, labels: LabelMap) -> ReviewTask:
    """Read one task of a `/predict` body, a webhook, a task list, or an export.

    Args:
        raw: The task's JSON; unknown keys are ignored.
        project: The project that it belongs to.
        labels: Names the fields of the task's data that hold image, reference, and prompt.

    Returns:
        The task; `image` is empty if its data has none, which fails only that task when the image is loaded.
    """
    data = raw.get("data")
    fields = data if isinstance(data, Mapping) else {}
    special = fields_in(labels.image_value, labels.reference_value, labels.prompt_value)
    image = resolve(labels.image_value, fields)
    return ReviewTask(
        key=TaskKey(project, _whole_number(raw.get("id"))),
        image=_text(image),
        pages=_later_pages(image),
        reference=_text(resolve(labels.reference_value, fields)),
        prompt=_text(resolve(labels.prompt_value, fields)),
        data={str(name): text for name, value in fields.items() if name not in special and (text := _text(value))},
    )


def _later_pages(value: object) -> tuple[str, ...]:
    """The pages after the first, of a list that `valueList` shows; a page that is no text is empty, and fails alone."""
    return tuple(_text(page) for page in value[1:]) if isinstance(value, list) else ()


def _text(value: object) -> str:
    """A string, a number as a string, or the first entry of a list; empty for anything else."""
    if isinstance(value, list):
        return _text(value[0]) if value else ""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    if isinstance(value, int) and value and not whole_number(value):
        return ""
    return clean(str(value).strip())


def _whole_number(value: object) -> int:
    """A task's id; 0 if it has none, as in files that were never imported."""
    if isinstance(value, str) and value.isdecimal() and len(value) < 20:
        return whole_number(int(value))
    return whole_number(value)
