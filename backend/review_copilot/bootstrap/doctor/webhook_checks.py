"""Check a project's webhook: its fields, its secret, and that Label Studio delivers one. Knows no log."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

from review_copilot.bootstrap.doctor.check import Check, note, right, skipped, wrong
from review_copilot.bootstrap.running_backend import Reach, ask_status, ask_webhook
from review_copilot.labelstudio.api_records import Project, Webhook
from review_copilot.labelstudio.client import LabelStudioClient
from review_copilot.labelstudio.connection import Backend
from review_copilot.labelstudio.webhook_setup import WEBHOOK_ACTIONS

DELIVERED_WITHIN_S = 5.0
"""Label Studio sends a webhook before it answers the request that caused it; with a queue, soon after."""

_PROBE = "PROJECT_UPDATED"
"""The event that is caused: saving a project's title unchanged. The backend ignores it."""


def webhook_checks(client: LabelStudioClient, project: Project, backend: Backend) -> Iterator[Check]:
    """Check the webhook, and cause a real one.

    Raises:
        LabelStudioError: The webhooks cannot be read.
    """
    fix = f"review-copilot connect --project {project.id}"
    hooks = [hook for hook in client.webhooks(project.id) if hook.url == backend.webhook_url]
    if not hooks:
        yield wrong("webhook", f"The project sends none to {backend.webhook_url}, so the log misses reviews.", fix)
        yield skipped("webhook delivery", "a webhook")
        return
    if len(hooks) > 1:
        yield wrong(
            "webhook", f"{len(hooks)} webhooks have the same URL, so each event is sent {len(hooks)} times.", fix
        )
    hook = hooks[0]
    faults = list(_faults(hook))
    for fault in faults:
        yield wrong("webhook", fault, fix)
    if not faults and len(hooks) == 1:
        yield right("webhook", f"Label Studio reports submissions to {hook.url}.")
    answer = ask_webhook(backend, headers=hook.headers)
    if answer.reach is Reach.UNAUTHORIZED:
        yield wrong("webhook delivery", "The running backend rejects the secret that the webhook sends.", fix)
    elif answer.reach is not Reach.ANSWERED:
        yield skipped("webhook delivery", "a running backend")
    else:
        yield _delivery(client, project, backend, headers=hook.headers)


def _faults(hook: Webhook) -> Iterator[str]:
    if not hook.is_active:
        yield "The webhook is turned off."
    if not hook.send_payload:
        yield "The webhook sends no payload, so the backend does not learn which tasks changed."
    missing = [] if hook.send_for_all_actions else [action for action in WEBHOOK_ACTIONS if action not in hook.actions]
    if missing:
        yield f"The webhook does not report {', '.join(missing)}."


def _delivery(client: LabelStudioClient, project: Project, backend: Backend, *, headers: Mapping[str, str]) -> Check:
    """Let Label Studio send a webhook with these headers, and see it arrive in the backend's counts.

    The webhook is a second one, which exists only during the check: the project's own one reports no event that can be
    caused without changing the log.
    """
    name, before = "webhook delivery", ask_status(backend)
    if before.reach is not Reach.ANSWERED:
        return note(name, "Not checked: the backend's counts cannot be read. See the password above.")
    second = client.add_webhook({
        "project": project.id, "url": backend.webhook_url, "headers": dict(headers), "actions": [_PROBE],
        "send_for_all_actions": False, "send_payload": False, "is_active": True,
    })  # fmt: skip
    try:
        client.update_project(project.id, title=project.title)
        arrived = _arrived(backend, before.fields)
    finally:
        client.delete_webhook(second.id)
    if arrived:
        return right(name, "Label Studio sent a webhook, and the backend received it.")
    return wrong(
        name,
        f"Label Studio sent a webhook to {backend.webhook_url}, and the backend did not receive it.",
        "Look at Label Studio's log, and set REVIEW_COPILOT_PUBLIC_URL to an address that its machine reaches.",
    )


def _arrived(backend: Backend, before: Mapping[str, object]) -> bool:
    ends_at = time.monotonic() + DELIVERED_WITHIN_S
    while not (there := _ignored(ask_status(backend).fields) > _ignored(before)) and time.monotonic() < ends_at:
        time.sleep(0.1)
    return there


def _ignored(status: Mapping[str, object]) -> int:
    """Webhooks that the backend accepted and ignored, as `/status` counts them."""
    counts = status.get("webhooks")
    number = counts.get("ignored", 0) if isinstance(counts, Mapping) else 0
    return number if isinstance(number, int) else 0
