"""Read the content of a webhook body, for backends without a token for Label Studio's API.

Knows no store. Only the shared secret protects such a body, so its content stays unconfirmed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from review_copilot.domain.guideline import Guideline
from review_copilot.domain.review import ProjectKey, TaskKey
from review_copilot.errors import BadRequest
from review_copilot.labelstudio.annotations import read_annotation, read_moment
from review_copilot.labelstudio.label_maps import LabelMaps
from review_copilot.labelstudio.mapping import LabelMap
from review_copilot.labelstudio.payloads import objects, read_webhook
from review_copilot.labelstudio.wire_values import whole_number
from review_copilot.ports import WebhookContent, WebhookNotice

SUBMITTING = frozenset({"ANNOTATION_CREATED", "ANNOTATIONS_CREATED", "ANNOTATION_UPDATED"})
"""Actions whose bodies contain whole annotations. Bodies of deletions contain only ids."""


class WebhookBodies:
    """Reads the bodies that the inbox stored; implements `ports.BodyReader`."""

    def __init__(self, *, guideline_of: Callable[[ProjectKey], Guideline]) -> None:
        """Read each project with the criteria of its guideline.

        Args:
            guideline_of: The guideline of a project.
        """
        self._labels_of = LabelMaps(guideline_of)

    def read(self, wake: WebhookNotice) -> WebhookContent:
        """The content of the event's body.

        Raises:
            BadRequest: The body is missing, is not JSON, or lacks a required project.
            LabelConfigError: The project's label config has no tag that draws boxes.
        """
        try:
            body = json.loads(wake.body)
        except (ValueError, RecursionError) as error:
            raise BadRequest(
                f"The body of event {wake.id} is missing or unreadable.",
                hint="Set REVIEW_COPILOT_LABEL_STUDIO_TOKEN and run: review-copilot sync --all.",
            ) from error
        event = read_webhook(body)
        raw_project = body.get("project")
        project = _project_key(raw_project, instance=wake.instance) if isinstance(raw_project, Mapping) else None
        if event.action == "ANNOTATIONS_DELETED":
            return WebhookContent(project=project, gone_annotations=_ids(body.get("annotations")))
        if event.action == "TASKS_DELETED":
            return WebhookContent(project=project, gone_tasks=_ids(body.get("tasks")))
        if event.action not in SUBMITTING or project is None or not isinstance(raw_project, Mapping):
            raise BadRequest(
                f"Event {wake.id} ({event.action}) names no project.",
                hint="Turn on 'Send payload' for the webhook in Label Studio.",
            )
        labels = self._labels_of(project, str(raw_project.get("label_config") or ""))
        return _submitted(body, project=project, labels=labels)


def _submitted(body: Mapping[str, object], *, project: ProjectKey, labels: LabelMap) -> WebhookContent:
    annotations = []
    problems = []
    for raw in objects(body.get("annotation")):
        task = raw.get("task")
        task_id = whole_number(task.get("id") if isinstance(task, Mapping) else task)
        found = read_annotation(raw, key=TaskKey(project, task_id), labels=labels)
        if not task_id or not found.annotation_id:
            problems.append("An annotation in a webhook has no task or no id.")
            continue
        annotations.append(found)
        problems.extend(f"Annotation {found.annotation_id} of task {task_id}: {said}" for said in found.dropped)
    return WebhookContent(project=project, annotations=tuple(annotations), problems=tuple(problems))


def _project_key(raw: Mapping[str, object], *, instance: str) -> ProjectKey | None:
    """The key of the project in a body; None if it has no id."""
    project_id = whole_number(raw.get("id"))
    created = read_moment(raw.get("created_at"))
    if not project_id:
        return None
    return ProjectKey(instance, project_id, str(int(created.timestamp())) if created else "")


def _ids(raw: object) -> tuple[int, ...]:
    return tuple(sorted({whole_number(item.get("id")) for item in objects(raw)} - {0}))
