"""The REST routes of Label Studio that this product uses, one method each. Knows no guideline and no review."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Self, TypeAlias, TypeVar

from pydantic import TypeAdapter, ValidationError

from review_copilot.errors import LabelStudioError, LabelStudioFailed, LabelStudioRejected
from review_copilot.labelstudio.api_records import MlBackend, Project, Webhook
from review_copilot.labelstudio.transport import TokenKind, Transport

RawTask: TypeAlias = Mapping[str, Any]
"""A task as the list route returns it with `fields=all`."""

TASKS_PER_PAGE = 100
IDS_PER_PAGE = 10_000

MOST_UNREADABLE_IN_A_ROW = 20
"""After so many tasks in a row that Label Studio cannot read, something else than the tasks is wrong."""

NO_SUCH_VALUE = "REVIEW_COPILOT_CHECK"
"""Not a value of any field of Label Studio."""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Filter:
    """One filter condition of the Data Manager.

    Attributes:
        column: Column name such as "updated_at"; the prefix is added.
        operator: "greater", "equal", "contains", "in_list", and so on.
        type: "Number", "Datetime", "List", or "String".
        value: A value in the form that the column's type requires.
    """

    column: str
    operator: str
    type: str
    value: str | int | Sequence[int] | Sequence[str]


class LabelStudioClient:
    """Client of one Label Studio. Safe to use from several threads."""

    def __init__(self, transport: Transport, *, pages_per_s: float = 0.0) -> None:
        """Send everything through `transport`.

        Args:
            transport: Sends the requests.
            pages_per_s: Maximum pages of tasks read per second, so that users notice no slowdown; 0 means no limit.
        """
        self._transport = transport
        self._page_every_s = 1 / pages_per_s if pages_per_s else 0.0

    @property
    def url(self) -> str:
        """The normalized base URL."""
        return self._transport.url

    @property
    def token_kind(self) -> TokenKind:
        """The type of token in use."""
        return self._transport.kind

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def version(self) -> str:
        """Label Studio's release, such as "1.23.2"; empty if the server does not report it."""
        answer = self._transport.get("/api/version/")
        return str(answer.get("release", "")) if isinstance(answer, dict) else ""

    def now(self) -> datetime | None:
        """The server's time, to the second; None if the server does not report it."""
        return self._transport.now()

    def who(self) -> str:
        """Email address of the token's owner; the cheapest check that the token works."""
        answer = self._transport.get("/api/current-user/whoami")
        return str(answer.get("email", "")) if isinstance(answer, dict) else ""

    # Projects

    def project(self, project_id: int) -> Project:
        """Read one project."""
        return _read(Project, self._transport.get(f"/api/projects/{project_id}/"))

    def create_project(self, *, title: str, label_config: str) -> Project:
        """Create a project; a title has 3 to 50 characters."""
        body = {"title": title, "label_config": label_config}
        return _read(Project, self._transport.send("POST", "/api/projects/", body=body))

    def update_project(self, project_id: int, **changes: str | bool | int) -> Project:
        """Update fields of a project, named as in `Project`."""
        return _read(Project, self._transport.send("PATCH", f"/api/projects/{project_id}/", body=changes))

    def validate_label_config(self, project_id: int, label_config: str) -> None:
        """Check that a project can get a label config: an update alone accepts even the removal of used labels.

        Raises:
            LabelStudioError: It is invalid, or the project's annotations use a label or a tag that it lacks.
        """
        self._transport.send("POST", f"/api/projects/{project_id}/validate/", body={"label_config": label_config})

    def delete_project(self, project_id: int) -> None:
        """Delete a project and everything in it."""
        self._transport.send("DELETE", f"/api/projects/{project_id}/")

    # Tasks

    def count_tasks(self, project_id: int, *, filters: Sequence[Filter] = ()) -> int:
        """Number of tasks that match."""
        page = self._page(project_id, filters=filters, include=("id",), page_size=1, everything=False)
        return int(page.get("total", 0))

    def latest_update(self, project_id: int) -> datetime | None:
        """The latest `updated_at` of all tasks; None if there are no tasks."""
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
        unreadable: Callable[[int], None] | None = None,
    ) -> Iterator[RawTask]:
        """Tasks that match all filters, by ascending id, with one page in memory at a time.

        Each page starts after the last id read, not at a page number, so that no task is skipped or read twice
        when tasks are added or deleted during the read. If Label Studio fails on a page, the page is halved until one
        task is left, which is skipped.

        Args:
            project_id: The project.
            filters: All of them must match.
            include: Fields to return; all if empty.
            page_size: Tasks per request.
            everything: Also request annotations and predictions (`fields=all`).
            after: Only tasks with a higher id.
            unreadable: Called with the id of each task that Label Studio cannot read, in ascending order. If None,
                the first such task is an error.

        Raises:
            LabelStudioFailed: It fails on every task, or on one and `unreadable` is None.
        """
        last, size, in_a_row = after, page_size, 0
        while True:
            began = time.monotonic()
            behind = (*filters, Filter("id", "greater", "Number", last))
            try:
                page = self._page(project_id, filters=behind, include=include, page_size=size, everything=everything)
            except LabelStudioFailed:
                if unreadable is None or in_a_row == MOST_UNREADABLE_IN_A_ROW:
                    raise
                if size > 1:
                    size //= 2
                    continue
                bad = self._first_id(project_id, filters=behind)
                if bad is None:
                    raise
                unreadable(bad)
                last, in_a_row = bad, in_a_row + 1
                continue
            found = page.get("tasks", [])
            in_a_row = 0
            for task in found:
                if task["id"] > last:  # a filter on predictions returns a task once per prediction
                    last = int(task["id"])
                    yield task
            if len(found) < size:
                return
            size = min(page_size, 2 * size)
            time.sleep(max(0.0, self._page_every_s - (time.monotonic() - began)))

    def _first_id(self, project_id: int, *, filters: Sequence[Filter]) -> int | None:
        """The lowest id of the tasks that match, without reading anything else of them; None without any."""
        page = self._page(project_id, filters=filters, include=("id",), page_size=1, everything=False)
        return next((int(task["id"]) for task in page.get("tasks", [])), None)

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
            raise LabelStudioError("Label Studio returned a task list in an unknown format.")
        return page

    def task_ids_of_view(self, project_id: int, *, view: int) -> Iterator[int]:
        """Ids of the tasks in a Data Manager view, in the view's order."""
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
        """Add tasks with the given data; returns the number added."""
        answer = self._transport.send("POST", f"/api/projects/{project_id}/import", body=list(tasks))
        return int(answer["task_count"])

    def upload(self, project_id: int, file: Path) -> int:
        """Upload an image file, which becomes a task; returns the number of tasks added."""
        files = [("file", (file.name, file.read_bytes()))]
        answer = self._transport.send("POST", f"/api/projects/{project_id}/import", files=files)
        return int(answer["task_count"])

    def delete_task(self, task_id: int) -> None:
        """Delete a task and everything on it."""
        self._transport.send("DELETE", f"/api/tasks/{task_id}/")

    def create_annotation(self, task_id: int, annotation: Mapping[str, object]) -> int:
        """Submit an annotation as the token's owner; returns its id."""
        return int(self._transport.send("POST", f"/api/tasks/{task_id}/annotations/", body=annotation)["id"])

    def update_annotation(self, annotation_id: int, changes: Mapping[str, object]) -> None:
        """Update fields of an annotation."""
        self._transport.send("PATCH", f"/api/annotations/{annotation_id}/", body=changes)

    def delete_annotation(self, annotation_id: int) -> None:
        """Delete an annotation."""
        self._transport.send("DELETE", f"/api/annotations/{annotation_id}/")

    # Predictions

    def import_predictions(self, project_id: int, predictions: Sequence[Mapping[str, object]]) -> int:
        """Store predictions, each with its `task`; returns the number that Label Studio reports as created.

        The server silently drops invalid predictions: compare the number with the number sent.
        """
        answer = self._transport.send("POST", f"/api/projects/{project_id}/import/predictions", body=list(predictions))
        return int(answer["created"])

    def prediction(self, prediction_id: int) -> Mapping[str, Any]:
        """One prediction, whoever made it."""
        answer = self._transport.get(f"/api/predictions/{prediction_id}/")
        if not isinstance(answer, dict):
            raise LabelStudioError("Label Studio's answer about a prediction has an unknown form.")
        return answer

    def delete_prediction(self, prediction_id: int) -> None:
        """Delete one prediction."""
        self._transport.send("DELETE", f"/api/predictions/{prediction_id}/")

    def model_versions(self, project_id: int) -> Mapping[str, int]:
        """Number of stored predictions per model version."""
        return TypeAdapter(dict[str, int]).validate_python(
            self._transport.get(f"/api/projects/{project_id}/model-versions/")
        )

    def delete_model_version(self, project_id: int, version: str) -> None:
        """Delete all predictions of a model version."""
        self._transport.send("DELETE", f"/api/projects/{project_id}/model-versions/", body={"model_version": version})

    # Models and webhooks

    def ml_backends(self, project_id: int) -> tuple[MlBackend, ...]:
        """The project's ML backends. Label Studio checks the health of each one first."""
        return _read(tuple[MlBackend, ...], self._transport.get("/api/ml", params={"project": project_id}))

    def add_ml_backend(self, fields: Mapping[str, object]) -> MlBackend:
        """Add an ML backend; Label Studio calls its /health and /setup before it responds."""
        return _read(MlBackend, self._transport.send("POST", "/api/ml", body=fields))

    def update_ml_backend(self, backend_id: int, fields: Mapping[str, object]) -> MlBackend:
        """Update an ML backend. Send all fields and the password: otherwise its checks are sent unsigned and fail."""
        return _read(MlBackend, self._transport.send("PATCH", f"/api/ml/{backend_id}", body=fields))

    def delete_ml_backend(self, backend_id: int) -> None:
        """Remove an ML backend; its webhook and its predictions remain."""
        self._transport.send("DELETE", f"/api/ml/{backend_id}")

    def try_ml_address(self, project_id: int, url: str) -> None:
        """Ask whether Label Studio may call an ML backend at a URL. Adds nothing: another field is invalid.

        Raises:
            LabelStudioRefusesAddress: It refuses the address.
            LabelStudioError: The request failed for another reason.
        """
        self._try("/api/ml", {"project": project_id, "url": url, "auth_method": NO_SUCH_VALUE})

    def try_webhook_address(self, project_id: int, url: str) -> None:
        """Ask whether Label Studio may send webhooks to a URL. Adds nothing: another field is invalid.

        Raises:
            LabelStudioRefusesAddress: It refuses the address.
            LabelStudioError: The request failed for another reason.
        """
        self._try("/api/webhooks/", {"project": project_id, "url": url, "actions": [NO_SUCH_VALUE]})

    def _try(self, path: str, fields: Mapping[str, object]) -> None:
        try:
            self._transport.send("POST", path, body=fields)
        except LabelStudioRejected:
            return  # the address was accepted, and the invalid field was not

    def webhooks(self, project_id: int) -> tuple[Webhook, ...]:
        """The project's webhooks."""
        found = _read(tuple[Webhook, ...], self._transport.get("/api/webhooks/", params={"project": project_id}))
        return tuple(hook for hook in found if hook.project == project_id)

    def add_webhook(self, fields: Mapping[str, object]) -> Webhook:
        """Add a webhook."""
        return _read(Webhook, self._transport.send("POST", "/api/webhooks/", body=fields))

    def update_webhook(self, webhook_id: int, fields: Mapping[str, object]) -> Webhook:
        """Update a webhook. Always send `actions`: without them the webhook loses its actions."""
        return _read(Webhook, self._transport.send("PATCH", f"/api/webhooks/{webhook_id}/", body=fields))

    def delete_webhook(self, webhook_id: int) -> None:
        """Delete a webhook."""
        self._transport.send("DELETE", f"/api/webhooks/{webhook_id}/")


def _read(form: type[_T], answer: object) -> _T:
    """Parse a response into its record.

    Raises:
        LabelStudioError: The response has a different format.
    """
    try:
        return TypeAdapter(form).validate_python(answer)
    except ValidationError as error:
        raise LabelStudioError(
            "Label Studio returned a response in an unknown format.",
            hint="Check that the server runs Label Studio 1.23 or later.",
        ) from error
