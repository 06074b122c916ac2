"""Read a task that Label Studio sends. Knows no image and no region."""

from __future__ import annotations

from collections.abc import Mapping

from review_copilot.domain.review import ProjectKey, ReviewTask, TaskKey
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
    special = {labels.image_field, labels.reference_field, labels.prompt_field}
    return ReviewTask(
        key=TaskKey(project, _whole_number(raw.get("id"))),
        image=_text(_value(fields, labels.image_field)),
        pages=_later_pages(_value(fields, labels.image_field)),
        reference=_text(_value(fields, labels.reference_field)),
        prompt=_text(_value(fields, labels.prompt_field)),
        data={str(name): text for name, value in fields.items() if name not in special and (text := _text(value))},
    )


def _value(fields: Mapping[object, object], name: str) -> object:
    """The value of a field; a dotted name can also refer to nested objects."""
    if not name:
        return None
    if name in fields:
        return fields[name]
    value: object = fields
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


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
