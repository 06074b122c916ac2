"""Create, check, and renew a project's webhook. Knows no ML backend and no label config."""

from __future__ import annotations

from review_copilot.flows.webhook_secrets import ProjectWebhookSecrets
from review_copilot.labelstudio.api_records import Webhook
from review_copilot.labelstudio.client import LabelStudioClient
from review_copilot.labelstudio.connection import Backend
from review_copilot.labelstudio.connection_report import Outcome, Step
from review_copilot.labelstudio.payloads import SECRET_HEADER

WEBHOOK_ACTIONS = (
    "ANNOTATION_CREATED", "ANNOTATIONS_CREATED", "ANNOTATION_UPDATED", "ANNOTATIONS_DELETED", "TASKS_DELETED",
    "TASKS_CREATED",
)  # fmt: skip
"""The events that the log needs, everything that changes a submission, and new tasks, which are drafted."""


def set_up_webhook(
    client: LabelStudioClient, project_id: int, backend: Backend, *, secrets: ProjectWebhookSecrets | None = None
) -> list[Step]:
    """Create the project's webhook, or correct it, and remove others with the same URL.

    The hash of a new secret is stored before Label Studio gets the secret, and replaced secrets are accepted until
    `keep_used_secrets`. So the webhook works at any time, even if this stops half-way or is put back.

    Args:
        client: The Label Studio.
        project_id: The project.
        backend: Gives the URL, and the secret if the settings name one.
        secrets: Random secrets of projects; used if `backend` has no secret. None leaves the webhook without a secret.

    Raises:
        LabelStudioError: Label Studio rejects the webhook; a webhook that worked still works.
    """
    found = our_hooks(client.webhooks(project_id), backend)
    kept, extra = found[:1], found[1:]
    steps = []
    secret = backend.webhook_secret
    if not secret and secrets is not None:
        present = kept[0].headers.get(SECRET_HEADER, "") if kept else ""
        secret = present if secrets.is_current(project_id, present) else secrets.create(project_id)
    wanted_header = {SECRET_HEADER: secret} if secret else {}
    if not kept:
        client.add_webhook({"project": project_id, **_hook_fields(backend.webhook_url, headers=wanted_header)})
        steps.append(Step("webhook", Outcome.MADE, f"Label Studio now reports submissions to {backend.webhook_url}."))
    elif _hook_is_right(kept[0], wanted_header):
        steps.append(
            Step("webhook", Outcome.KEPT, f"Label Studio already reports submissions to {backend.webhook_url}.")
        )
    else:
        headers = {**kept[0].headers, **wanted_header}
        client.update_webhook(kept[0].id, _hook_fields(kept[0].url, headers=headers))
        steps.append(Step("webhook", Outcome.CHANGED, f"Updated the secret and the actions of {backend.webhook_url}."))
    for hook in extra:
        client.delete_webhook(hook.id)
        steps.append(
            Step(
                "webhook", Outcome.REMOVED, "Removed a second webhook with the same URL, which sent every event twice."
            )
        )
    return steps


def renew_webhook(
    client: LabelStudioClient, project_id: int, backend: Backend, *, secrets: ProjectWebhookSecrets
) -> list[Step]:
    """Replace an outdated secret of the project's webhook. A project without a webhook gets none.

    Raises:
        LabelStudioError: Label Studio rejects a request; the webhook works as before.
    """
    if not our_hooks(client.webhooks(project_id), backend):
        return []
    steps = set_up_webhook(client, project_id, backend, secrets=secrets)
    keep_used_secrets(client, project_id, secrets=secrets)
    return steps


def keep_used_secrets(client: LabelStudioClient, project_id: int, *, secrets: ProjectWebhookSecrets | None) -> None:
    """Forget all secrets of the project that none of its webhooks sends. Call this when nothing will be put back.

    Raises:
        LabelStudioError: The webhooks cannot be read; all secrets remain.
    """
    if secrets is not None:
        secrets.keep(project_id, [hook.headers.get(SECRET_HEADER, "") for hook in client.webhooks(project_id)])


def our_hooks(hooks: tuple[Webhook, ...], backend: Backend) -> list[Webhook]:
    """The webhooks that report to this backend, the oldest first."""
    return sorted((hook for hook in hooks if hook.url == backend.webhook_url), key=lambda hook: hook.id)


def _hook_fields(url: str, *, headers: dict[str, str]) -> dict[str, object]:
    return {
        "url": url,
        "headers": headers,
        "actions": list(WEBHOOK_ACTIONS),
        "send_for_all_actions": False,
        "send_payload": True,
        "is_active": True,
    }


def _hook_is_right(hook: Webhook, wanted_header: dict[str, str]) -> bool:
    heard = hook.send_for_all_actions or set(WEBHOOK_ACTIONS) <= set(hook.actions)
    return heard and hook.is_active and hook.send_payload and wanted_header.items() <= hook.headers.items()
