"""Put a project back as it was before a connection that failed halfway. Knows no guideline."""

from __future__ import annotations

from dataclasses import dataclass

from review_copilot.labelstudio.api_records import MlBackend, Project, Webhook
from review_copilot.labelstudio.client import LabelStudioClient

_FIELDS = ("label_config", "expert_instruction", "show_instruction", "show_collab_predictions", "model_version")
"""What a connection changes in a project."""


@dataclass(frozen=True, slots=True)
class ConnectionState:
    """What a connection can change, as it was.

    Attributes:
        project: The project.
        webhooks: Its webhooks.
        ml_backends: Its ML backends. Their passwords cannot be read, so a changed one cannot be put back; Label Studio
            checks a backend before it stores a change.
    """

    project: Project
    webhooks: tuple[Webhook, ...]
    ml_backends: tuple[MlBackend, ...]


def read_state(client: LabelStudioClient, project: Project) -> ConnectionState:
    """The state of a project before it is connected.

    Raises:
        LabelStudioError: It cannot be read.
    """
    return ConnectionState(project, client.webhooks(project.id), client.ml_backends(project.id))


def put_back(client: LabelStudioClient, before: ConnectionState) -> None:
    """Undo what a connection changed. Parts that are as they were are left alone.

    Raises:
        LabelStudioError: A part cannot be put back.
    """
    project_id = before.project.id
    kept_models = {model.id for model in before.ml_backends}
    for model in client.ml_backends(project_id):
        if model.id not in kept_models:
            client.delete_ml_backend(model.id)
    known = {hook.id: hook for hook in before.webhooks}
    present = {hook.id: hook for hook in client.webhooks(project_id)}
    for hook in present.values():
        if hook.id not in known:
            client.delete_webhook(hook.id)
        elif hook != known[hook.id]:
            client.update_webhook(hook.id, _hook_fields(known[hook.id]))
    for hook in known.values():
        if hook.id not in present:
            client.add_webhook({"project": project_id, **_hook_fields(hook)})
    now = client.project(project_id)
    changed = {name: getattr(before.project, name) for name in _FIELDS}
    changes = {name: value for name, value in changed.items() if value != getattr(now, name)}
    if changes:
        client.update_project(project_id, **changes)


def _hook_fields(hook: Webhook) -> dict[str, object]:
    return {
        "url": hook.url,
        "headers": hook.headers,
        "actions": list(hook.actions),
        "send_for_all_actions": hook.send_for_all_actions,
        "send_payload": hook.send_payload,
        "is_active": hook.is_active,
    }
