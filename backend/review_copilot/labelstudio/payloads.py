"""Parse the bodies that Label Studio posts to an ML backend and to a webhook. Unknown keys are ignored.

Knows no Flask: it takes decoded JSON and returns dataclasses.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from review_copilot.domain.geometry import Box
from review_copilot.domain.review import ProjectKey
from review_copilot.errors import BadRequest
from review_copilot.labelstudio.annotations import read_moment
from review_copilot.labelstudio.region_shapes import number
from review_copilot.labelstudio.wire_values import clean, whole_number


class _Body(BaseModel):
    model_config = ConfigDict(extra="ignore")


SECRET_HEADER = "X-Review-Copilot-Secret"  # noqa: S105  # the header's name, not the secret
"""Header of our webhook that contains the shared secret."""

_ModelT = TypeVar("_ModelT", bound=_Body)


class _Context(_Body):
    result: list[dict[str, Any]] = Field(default_factory=list)


class _Params(_Body):
    context: _Context | None = None


class _Predict(_Body):
    tasks: list[dict[str, Any]]
    project: str | int | None = None
    label_config: str = ""
    params: _Params | None = None


class _Setup(_Body):
    project: str | int | None = None
    label_schema: str = Field("", alias="schema")


@dataclass(frozen=True, slots=True)
class PredictRequest:
    """A POST to `/predict`.

    Attributes:
        tasks: Raw tasks in order; individual tasks may still be unreadable.
        project: The project; `created` is empty if the body does not name it.
        label_config: The project's XML.
        drawn: The box that was drawn with the Magic tool; None for an ordinary request.
        page: The page that it was drawn on, starting at 0.
        interactive: Whether the request comes from an open editor.
    """

    tasks: Sequence[Mapping[str, Any]]
    project: ProjectKey
    label_config: str
    drawn: Box | None
    interactive: bool
    page: int = 0


@dataclass(frozen=True, slots=True)
class SetupRequest:
    """A POST to `/setup`."""

    project: ProjectKey
    label_config: str


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """A POST to `/webhook`.

    Attributes:
        action: Label Studio's name of the event, such as "ANNOTATION_CREATED".
        project_id: 0 if the body names none.
        task_ids: Tasks in the body; empty if it names none.
        stamps: Annotation id and `updated_at` of each annotation in it; empty if it contains ids only.
    """

    action: str
    project_id: int
    task_ids: tuple[int, ...]
    stamps: tuple[tuple[int, datetime], ...] = ()


def read_predict(body: object, *, instance: str) -> PredictRequest:
    """Parse a `/predict` body.

    Raises:
        BadRequest: The body is no such request.
    """
    parsed = _parse(_Predict, body)
    context = parsed.params.context if parsed.params else None
    drawn, page = _drawn_box(context.result) if context else (None, 0)
    return PredictRequest(
        tasks=parsed.tasks,
        project=read_project(parsed.project, instance=instance),
        label_config=parsed.label_config,
        drawn=drawn,
        interactive=context is not None,
        page=page,
    )


def read_setup(body: object, *, instance: str) -> SetupRequest:
    """Parse a `/setup` body. The access token in it is not read.

    Raises:
        BadRequest: The body is no such request.
    """
    parsed = _parse(_Setup, body)
    return SetupRequest(read_project(parsed.project, instance=instance), parsed.label_schema)


def read_project(raw: str | int | None, *, instance: str) -> ProjectKey:
    """Parse the project "ID.CREATED", as the ML-backend protocol names it.

    Raises:
        BadRequest: The text is neither that nor a plain id.
    """
    text = raw if isinstance(raw, str) else str(whole_number(raw) or "")
    project_id, _, created = text.partition(".")
    number = whole_number(int(project_id)) if re.fullmatch(r"[0-9]{1,19}", project_id) else None
    if number is None:
        raise BadRequest(
            f"The request names the project {str(project_id)[:40]!r}, which is not a valid project.",
            hint="Label Studio sends ID.CREATED, such as 7.1732360000.",
        )
    return ProjectKey(instance=instance, project_id=number, created=clean(created)[:40])


def read_webhook(body: object) -> WebhookEvent:
    """Parse a webhook body. Bulk actions contain lists, single ones an object; both are accepted.

    Raises:
        BadRequest: The body is not a JSON object or names no action.
    """
    if not isinstance(body, Mapping) or not isinstance(body.get("action"), str):
        raise BadRequest("The body names no action.", hint="Send only Label Studio's webhooks to this URL.")
    project = body.get("project")
    annotations = objects(body.get("annotation")) + objects(body.get("annotations"))
    tasks = objects(body.get("task")) + objects(body.get("tasks"))
    ids = {whole_number(a.get("task")) or whole_number(_mapping(a.get("task")).get("id")) for a in annotations}
    ids |= {whole_number(t.get("id")) for t in tasks}
    named = [whole_number(item.get("project")) for item in (*tasks, *annotations)]
    project_id = whole_number(_mapping(project).get("id")) or whole_number(project) or next((n for n in named if n), 0)
    return WebhookEvent(
        action=body["action"],
        project_id=project_id,
        task_ids=tuple(sorted(ids - {0})),
        stamps=tuple((whole_number(a.get("id")), at) for a in annotations if (at := read_moment(a.get("updated_at")))),
    )


def _drawn_box(results: Sequence[Mapping[str, Any]]) -> tuple[Box | None, int]:
    """The last drawn shape with rectangle coordinates, converted from percent to fractions, and its page."""
    for result in reversed(results):
        value = _mapping(result.get("value"))
        sides = [side / 100 for name in ("x", "y", "width", "height") if (side := number(value.get(name))) is not None]
        if len(sides) == 4:
            return Box(*sides).clipped(), max(0, whole_number(result.get("item_index")))
    return None, 0


def _parse(model: type[_ModelT], body: object) -> _ModelT:
    try:
        return model.model_validate(body)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the body"
        raise BadRequest(f"The request cannot be read: {where}: {first['msg']}.") from error


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def objects(value: object) -> list[Mapping[str, Any]]:
    """The objects of a list, or a single object as a list; anything else is skipped."""
    items = value if isinstance(value, list) else [value]
    return [item for item in items if isinstance(item, Mapping)]
