"""Label Studio's REST routes that this product uses, one method each. Knows no guideline and no review."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Self, TypeAlias, TypeVar

from pydantic import TypeAdapter, ValidationError

from review_copilot.errors import LabelStudioError
from review_copilot.labelstudio.api_records import MlBackend, Project, Webhook
from review_copilot.labelstudio.transport import TokenKind, Transport

RawTask: TypeAlias = Mapping[str, Any]
"""A task as the list route gives it with `fields=all`."""

TASKS_PER_PAGE = 100
IDS_PER_PAGE = 10_000

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Filter:
    """One condition of the Data Manager.

    Attributes:
        column: Such as "updated_at"; the prefix is added.
        operator: "greater", "equal", "contains", "in_list" ...
        type: "Number", "Datetime", "List", "String".
        value: As the column's type wants it.
    """

    column: str
    operator: str
    type: str
    value: str | int | Sequence[int] | Sequence[str]


class LabelStudioClient:
    """One Label Studio. Safe to use from several threads."""

    def __init__(self, transport: Transport, *, pages_per_s: float = 0.0) -> None:
        """Send everything through `transport`.

        Args:
            transport: The road.
            pages_per_s: Most pages of tasks read in a second, so that people at work notice nothing; 0 for no limit.
        """
        self._transport = transport
        self._page_every_s = 1 / pages_per_s if pages_per_s else 0.0

    @property
    def url(self) -> str:
        """The normalised base URL."""
        return self._transport.url

    @property
    def token_kind(self) -> TokenKind:
        """Which kind of token is in use."""
        return self._transport.kind

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def version(self) -> str:
        """Label Studio's release, such as "1.23.2"; empty when it does not say."""
        answer = self._transport.get("/api/version/")
        return str(answer.get("release", "")) if isinstance(answer, dict) else ""

    def now(self) -> datetime | None:
        """What the server's clock says, to the second; None when it does not tell."""
        return self._transport.now()

    def who(self) -> str:
        """E-mail address of the token's owner; the cheapest proof that the token works."""
        answer = self._transport.get("/api/current-user/whoami")
        return str(answer.get("email", "")) if isinstance(answer, dict) else ""

    # Projects

    def project(self, project_id: int) -> Project:
        """One project."""
        return _read(Project, self._transport.get(f"/api/projects/{project_id}/"))

    def create_project(self, *, title: str, label_config: str) -> Project:
        """Make a project; titles have 3 to 50 characters."""
        body = {"title": title, "label_config": label_config}
        return _read(Project, self._transport.send("POST", "/api/projects/", body=body))

    def update_project(self, project_id: int, **changes: str | bool | int) -> Project:
        """Change fields of a project, named as in `Project`."""
        return _read(Project, self._transport.send("PATCH", f"/api/projects/{project_id}/", body=changes))

    def delete_project(self, project_id: int) -> None:
        """Delete a project with everything in it."""
        self._transport.send("DELETE", f"/api/projects/{project_id}/")

    # Tasks

    def count_tasks(self, project_id: int, *, filters: Sequence[Filter] = ()) -> int:
        """How many tasks match."""
        page = self._page(project_id, filters=filters, include=("id",), page_size=1, everything=False)
        return int(page.get("total", 0))

    def latest_update(self, project_id: int) -> datetime | None:
        """The latest `updated_at` of all tasks; None without tasks."""
        page = self._page(
            project_id,
            filters=(),
            include=("id", "updated_at"),
            page_size=1,
            everything=False,
            order="-tasks:updated_at",
        )
        newest = next(iter(page.get("tasks", [])), None)
        return datetime.fromisoformat(newest["updated_at"]) if newest else None

    def tasks(
        self,
        project_id: int,
        *,
        filters: Sequence[Filter] = (),
        include: Sequence[str] = (),
        page_size: int = TASKS_PER_PAGE,
        everything: bool = True,
        after: int = 0,
    ) -> Iterator[RawTask]:
        """Tasks that match all filters, by rising id, one page in memory at a time.

        Pages begin behind the last id that was read, not at a page number, so that nothing is skipped or read twice
        when tasks come and go meanwhile.

        Args:
            project_id: Which project.
            filters: All must hold.
            include: Only these fields; all when empty.
            page_size: Tasks for each request.
            everything: Ask for annotations and predictions too (`fields=all`).
            after: Only tasks with a greater id.
        """
        last = after
        while True:
            began = time.monotonic()
            behind = Filter("id", "greater", "Number", last)
            page = self._page(
                project_id,
                filters=(*filters, behind),
                include=include,
                page_size=page_size,
                everything=everything,
            )
            found = page.get("tasks", [])
            for task in found:
                if task["id"] > last:  # a filter on predictions gives a task once for each of them
                    last = int(task["id"])
                    yield task
            if len(found) < page_size:
                return
            time.sleep(max(0.0, self._page_every_s - (time.monotonic() - began)))

    def _page(
        self,
        project_id: int,
        *,
        filters: Sequence[Filter],
        include: Sequence[str],
        page_size: int,
        everything: bool,
        order: str = "tasks:id",
    ) -> Mapping[str, Any]:
        items = [
            {"filter": f"filter:tasks:{f.column}", "operator": f.operator, "type": f.type, "value": f.value}
            for f in filters
        ]
        query = {"filters": {"conjunction": "and", "items": items}, "ordering": [order]}
        params: dict[str, str | int] = {"project": project_id, "page_size": page_size, "query": json.dumps(query)}
        if everything:
            params["fields"] = "all"
        if include:
            params["include"] = ",".join(include)
        page = self._transport.get("/api/tasks/", params=params)
        if not isinstance(page, dict):
            raise LabelStudioError("Label Studio's task list has a form that is not known.")
        return page

    def task_ids_of_view(self, project_id: int, *, view: int) -> Iterator[int]:
        """Ids of the tasks that a view of the Data Manager shows, in the view's order."""
        number = 1
        while True:
            params: dict[str, str | int] = {"project": project_id, "view": view, "include": "id", "page": number}
            page = self._transport.get("/api/tasks/", params={**params, "page_size": IDS_PER_PAGE})
            found = page.get("tasks", []) if isinstance(page, dict) else []
            yield from (int(task["id"]) for task in found)
            if len(found) < IDS_PER_PAGE:
                return
            number += 1

    def import_tasks(self, project_id: int, tasks: Sequence[Mapping[str, object]]) -> int:
        """Add tasks by their data; returns how many were added."""
        answer = self._transport.send("POST", f"/api/projects/{project_id}/import", body=list(tasks))
        return int(answer["task_count"])

    def upload(self, project_id: int, file: Path) -> int:
        """Upload an image file, which becomes a task; returns how many tasks were added."""
        files = [("file", (file.name, file.read_bytes()))]
        answer = self._transport.send("POST", f"/api/projects/{project_id}/import", files=files)
        return int(answer["task_count"])

    def delete_task(self, task_id: int) -> None:
        """Delete a task with everything on it."""
        self._transport.send("DELETE", f"/api/tasks/{task_id}/")

    def create_annotation(self, task_id: int, annotation: Mapping[str, object]) -> int:
        """Submit an annotation as the token's owner; returns its id."""
        return int(self._transport.send("POST", f"/api/tasks/{task_id}/annotations/", body=annotation)["id"])

    def update_annotation(self, annotation_id: int, changes: Mapping[str, object]) -> None:
        """Change fields of an annotation."""
        self._transport.send("PATCH", f"/api/annotations/{annotation_id}/", body=changes)

    def delete_annotation(self, annotation_id: int) -> None:
        """Delete an annotation."""
        self._transport.send("DELETE", f"/api/annotations/{annotation_id}/")

    # Predictions

    def import_predictions(self, project_id: int, predictions: Sequence[Mapping[str, object]]) -> int:
        """Store predictions, each with its `task`; returns how many Label Studio says it created.

        Invalid ones are dropped by the server in silence: compare the number with what was sent.
        """
        answer = self._transport.send("POST", f"/api/projects/{project_id}/import/predictions", body=list(predictions))
        return int(answer["created"])

    def delete_prediction(self, prediction_id: int) -> None:
        """Delete one prediction."""
        self._transport.send("DELETE", f"/api/predictions/{prediction_id}/")

    def model_versions(self, project_id: int) -> Mapping[str, int]:
        """How many predictions are stored under each version."""
        return TypeAdapter(dict[str, int]).validate_python(
            self._transport.get(f"/api/projects/{project_id}/model-versions/")
        )

    def delete_model_version(self, project_id: int, version: str) -> None:
        """Delete all predictions of a version."""
        self._transport.send("DELETE", f"/api/projects/{project_id}/model-versions/", body={"model_version": version})

    # Models and webhooks

    def ml_backends(self, project_id: int) -> tuple[MlBackend, ...]:
        """The project's models. Label Studio asks each for its health first."""
        return _read(tuple[MlBackend, ...], self._transport.get("/api/ml", params={"project": project_id}))

    def add_ml_backend(self, fields: Mapping[str, object]) -> MlBackend:
        """Add a model; Label Studio calls its /health and /setup before it answers."""
        return _read(MlBackend, self._transport.send("POST", "/api/ml", body=fields))

    def update_ml_backend(self, backend_id: int, fields: Mapping[str, object]) -> MlBackend:
        """Change a model. Send all fields, with the password: without them its checks go out unsigned and fail."""
        return _read(MlBackend, self._transport.send("PATCH", f"/api/ml/{backend_id}", body=fields))

    def delete_ml_backend(self, backend_id: int) -> None:
        """Remove a model; its webhook and its predictions stay."""
        self._transport.send("DELETE", f"/api/ml/{backend_id}")

    def webhooks(self, project_id: int) -> tuple[Webhook, ...]:
        """The project's webhooks."""
        found = _read(tuple[Webhook, ...], self._transport.get("/api/webhooks/", params={"project": project_id}))
        return tuple(hook for hook in found if hook.project == project_id)

    def add_webhook(self, fields: Mapping[str, object]) -> Webhook:
        """Add a webhook."""
        return _read(Webhook, self._transport.send("POST", "/api/webhooks/", body=fields))

    def update_webhook(self, webhook_id: int, fields: Mapping[str, object]) -> Webhook:
        """Change a webhook. `actions` must be among the fields, or it loses them."""
        return _read(Webhook, self._transport.send("PATCH", f"/api/webhooks/{webhook_id}/", body=fields))

    def delete_webhook(self, webhook_id: int) -> None:
        """Delete a webhook."""
        self._transport.send("DELETE", f"/api/webhooks/{webhook_id}/")


def _read(form: type[_T], answer: object) -> _T:
    """Read an answer into its record.

    Raises:
        LabelStudioError: It has another form.
    """
    try:
        return TypeAdapter(form).validate_python(answer)
    except ValidationError as error:
        raise LabelStudioError(
            "Label Studio's answer has a form that is not known.", hint="Is this Label Studio 1.23 or newer?"
        ) from error
