"""Connect a Label Studio project to the backend, and disconnect it. Knows no inspector. Safe to run repeatedly."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from xml.etree import ElementTree as ET

from review_copilot.domain.guideline import Guideline
from review_copilot.errors import LabelConfigError, LabelStudioError, LabelStudioRefusesAddress
from review_copilot.labelstudio.api_records import MlBackend, Project, Webhook
from review_copilot.labelstudio.client import LabelStudioClient
from review_copilot.labelstudio.label_config import generate, instructions
from review_copilot.labelstudio.mapping import read_label_config
from review_copilot.labelstudio.payloads import SECRET_HEADER

WEBHOOK_ACTIONS = (
    "ANNOTATION_CREATED", "ANNOTATIONS_CREATED", "ANNOTATION_UPDATED", "ANNOTATIONS_DELETED", "TASKS_DELETED",
    "TASKS_CREATED",
)  # fmt: skip
"""The events that the log needs, everything that changes a submission, and new tasks, which are drafted."""

BACKEND_TITLE = "Review Copilot"

_OUR_INSTRUCTIONS = re.compile(r"<p><i>Revision [0-9a-f]+</i></p>\s*\Z")
"""The last line that `label_config.instructions` writes."""


class Outcome(StrEnum):
    """Result of setting up one part of the connection."""

    MADE = "made"
    CHANGED = "changed"
    KEPT = "kept"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Step:
    """One part of the connection.

    Attributes:
        part: Name of the part, such as "label config" or "webhook".
        outcome: The result.
        detail: One sentence for the user.
    """

    part: str
    outcome: Outcome
    detail: str


@dataclass(frozen=True, slots=True)
class ConnectionReport:
    """Report of a connection.

    Attributes:
        project_id: The project.
        title: Its title.
        url: Its page in Label Studio.
        steps: The steps, in the order they ran.
        problems: What the label config cannot show or collect, as sentences.
    """

    project_id: int
    title: str
    url: str
    steps: tuple[Step, ...]
    problems: tuple[str, ...] = ()

    @property
    def unchanged(self) -> bool:
        """Whether everything was already set up."""
        return all(step.outcome is Outcome.KEPT for step in self.steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """The backend, as Label Studio reaches it.

    Attributes:
        url: Its base URL.
        username: Basic-auth username.
        password: Basic-auth password; empty if the backend runs without one.
        webhook_secret: Secret that the webhook sends in `SECRET_HEADER`; empty for none.
    """

    url: str
    username: str = ""
    password: str = field(default="", repr=False)
    webhook_secret: str = field(default="", repr=False)

    @property
    def webhook_url(self) -> str:
        """The URL for which Label Studio itself would create a webhook for this backend."""
        return f"{self.url.rstrip('/')}/webhook"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectOptions:
    """How to set up the project.

    Attributes:
        guideline: Source of the label config and the instructions.
        replace_config: Overwrite a label config and instructions that someone else wrote.
        reference: Show the task's `$reference` image.
        prompt: Show the task's `$prompt` text.
        blind_share: Share of tasks whose suggestions are withheld, 0..1; the instructions mention it.
    """

    guideline: Guideline
    replace_config: bool = False
    reference: bool = False
    prompt: bool = False
    blind_share: float = 0.0

    @property
    def label_config(self) -> str:
        """The label config that the guideline generates."""
        return generate(self.guideline, reference=self.reference, prompt=self.prompt)


def create_project(client: LabelStudioClient, *, title: str, options: ConnectOptions) -> int:
    """Create a project for the guideline; returns its id, for `connect`.

    Raises:
        LabelStudioError: Label Studio rejects the title or the label config.
    """
    return client.create_project(title=title, label_config=options.label_config).id


def connect(
    client: LabelStudioClient, project_id: int, *, backend: Backend, options: ConnectOptions
) -> ConnectionReport:
    """Set up or check the project, its webhook, and its ML backend, in that order.

    The webhook comes first: when the backend is added, Label Studio creates a webhook without our secret unless one
    with its URL exists.

    Raises:
        LabelConfigError: The project's label config cannot be used for reviews; nothing was changed.
        LabelStudioRefusesAddress: The backend has a private address; the hint contains the settings that allow it.
        LabelStudioError: Label Studio rejected a step. Completed steps remain; run `connect` again.
    """
    before = client.project(project_id)
    steps = [_label_config(client, before, options), *_settings(client, before, options)]
    steps.extend(_webhook(client, project_id, backend))
    steps.extend(_ml_backend(client, project_id, backend))
    steps.append(_pinned(client, before))
    after = client.project(project_id)
    problems = read_label_config(after.label_config, options.guideline).problems
    return _report(client, after, steps, problems=problems)


def disconnect(client: LabelStudioClient, project_id: int, *, backend_url: str) -> ConnectionReport:
    """Remove the ML backend and the webhooks with that URL; label config, drafts, and annotations remain.

    Raises:
        LabelStudioError: Label Studio rejects the request.
    """
    backend = Backend(url=backend_url)
    steps = []
    for model in _ours(client.ml_backends(project_id), backend):
        client.delete_ml_backend(model.id)
        steps.append(
            Step("ML backend", Outcome.REMOVED, f"Label Studio no longer requests suggestions from {model.url}.")
        )
    for hook in _our_hooks(client.webhooks(project_id), backend):
        client.delete_webhook(hook.id)
        steps.append(Step("webhook", Outcome.REMOVED, f"Label Studio no longer reports submissions to {hook.url}."))
    project = client.project(project_id)
    steps.append(
        Step(
            "label config", Outcome.KEPT, "The label config, instructions, predictions, and annotations are unchanged."
        )
    )
    return _report(client, project, steps)


def _report(
    client: LabelStudioClient, project: Project, steps: list[Step], *, problems: tuple[str, ...] = ()
) -> ConnectionReport:
    url = f"{client.url}/projects/{project.id}/data"
    return ConnectionReport(project.id, project.title, url, tuple(steps), problems)


def _label_config(client: LabelStudioClient, project: Project, options: ConnectOptions) -> Step:
    part, wanted = "label config", options.label_config
    if _same_xml(project.label_config, wanted):
        return Step(part, Outcome.KEPT, f"It already matches {options.guideline.title}.")
    blank = _is_blank(project.label_config)
    if not blank and not options.replace_config:
        try:
            problems = read_label_config(project.label_config, options.guideline).problems
        except LabelConfigError as error:
            raise LabelConfigError(
                error.public, hint=f"{error.hint} To replace the label config, add --replace-config."
            ) from error
        missing = (
            f"it has no tag for {len(problems)} of a review's fields" if problems else "it has all fields of a review"
        )
        return Step(
            part,
            Outcome.KEPT,
            f"It differs from the guideline's label config; {missing}. To replace it, add --replace-config.",
        )
    client.update_project(project.id, label_config=wanted)
    return Step(part, Outcome.MADE if blank else Outcome.CHANGED, f"It now matches {options.guideline.title}.")


def _settings(client: LabelStudioClient, project: Project, options: ConnectOptions) -> list[Step]:
    """Set the instructions, and whether reviewers see drafts."""
    steps = []
    wanted = instructions(options.guideline, blind_share=options.blind_share)
    present = project.expert_instruction.strip()
    if present == wanted.strip() and project.show_instruction:
        steps.append(Step("instructions", Outcome.KEPT, "They already match the guideline."))
    elif not present or present == wanted.strip() or _OUR_INSTRUCTIONS.search(present) or options.replace_config:
        client.update_project(project.id, expert_instruction=wanted, show_instruction=True)
        outcome = Outcome.CHANGED if present else Outcome.MADE
        steps.append(Step("instructions", outcome, f"Reviewers now see {options.guideline.title}."))
    else:
        steps.append(
            Step(
                "instructions",
                Outcome.KEPT,
                "The project has instructions of its own. To replace them, add --replace-config.",
            )
        )
    if project.show_collab_predictions:
        steps.append(Step("predictions", Outcome.KEPT, "Reviewers see predictions."))
    else:
        client.update_project(project.id, show_collab_predictions=True)
        steps.append(Step("predictions", Outcome.CHANGED, "Reviewers now see predictions."))
    return steps


def _webhook(client: LabelStudioClient, project_id: int, backend: Backend) -> list[Step]:
    found = _our_hooks(client.webhooks(project_id), backend)
    kept, extra = found[:1], found[1:]
    steps = []
    wanted_header = {SECRET_HEADER: backend.webhook_secret} if backend.webhook_secret else {}
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


def _ml_backend(client: LabelStudioClient, project_id: int, backend: Backend) -> list[Step]:
    found = _ours(client.ml_backends(project_id), backend)
    kept, extra = found[:1], found[1:]
    fields: dict[str, object] = {
        "project": project_id,
        "url": backend.url.rstrip("/"),
        "title": BACKEND_TITLE,
        "is_interactive": True,
        "auth_method": "BASIC_AUTH" if backend.password else "NONE",
        **({"basic_auth_user": backend.username, "basic_auth_pass": backend.password} if backend.password else {}),
    }
    steps = []
    try:
        if not kept:
            client.add_ml_backend(fields)
            steps.append(
                Step(
                    "ML backend",
                    Outcome.MADE,
                    f"Label Studio now requests suggestions from {backend.url}, including Magic.",
                )
            )
        elif _backend_is_right(kept[0], backend):
            steps.append(
                Step("ML backend", Outcome.KEPT, f"Label Studio already requests suggestions from {backend.url}.")
            )
        else:
            client.update_ml_backend(kept[0].id, {**fields, "title": kept[0].title or BACKEND_TITLE})
            steps.append(
                Step("ML backend", Outcome.CHANGED, f"Updated the password of {backend.url} and turned on Magic.")
            )
    except LabelStudioRefusesAddress:
        raise
    except LabelStudioError as error:
        raise _explained(error, backend) from error
    for model in extra:
        client.delete_ml_backend(model.id)
        steps.append(
            Step(
                "ML backend",
                Outcome.REMOVED,
                "Removed a second ML backend with the same URL, which received every request twice.",
            )
        )
    return steps


def _backend_is_right(model: MlBackend, backend: Backend) -> bool:
    """Label Studio has just called /setup with the stored password: the state "CO" means that it was accepted."""
    auth = (model.auth_method, model.basic_auth_user) if backend.password else (model.auth_method,)
    wanted = ("BASIC_AUTH", backend.username) if backend.password else ("NONE",)
    return auth == wanted and model.is_interactive and model.state == "CO"


def _explained(error: LabelStudioError, backend: Backend) -> LabelStudioError:
    """Turn Label Studio's error about a backend that it could not add into one with a hint."""
    if "authentication parameters" in error.public or "401 Client Error" in error.public:
        return LabelStudioError(
            f"The backend at {backend.url} rejected the password that Label Studio sent.",
            hint="Set REVIEW_COPILOT_USERNAME and REVIEW_COPILOT_PASSWORD to the same values here and for the backend.",
        )
    if "Can't connect" in error.public:
        return LabelStudioError(
            f"Label Studio cannot reach the backend at {backend.url}.",
            hint="Start the backend: review-copilot serve. If it is running and Label Studio runs in a container, "
            "localhost is the container itself: set REVIEW_COPILOT_PUBLIC_URL to an address that Label Studio can "
            "reach.",
        )
    return error


def _pinned(client: LabelStudioClient, before: Project) -> Step:
    """Restore what the label stream shows: adding or removing an ML backend may have changed it."""
    now = client.project(before.id).model_version
    if before.model_version and now != before.model_version:
        client.update_project(before.id, model_version=before.model_version)
        now = before.model_version
    if not now:
        return Step(
            "label stream", Outcome.KEPT, "It shows no drafts yet. To create them, run review-copilot preannotate."
        )
    live = now in {model.title for model in client.ml_backends(before.id)}
    shows = (
        "requests a draft for each task until review-copilot preannotate has stored drafts"
        if live
        else f'shows "{now}"'
    )
    return Step("label stream", Outcome.KEPT if now == before.model_version else Outcome.CHANGED, f"It {shows}.")


def _ours(models: tuple[MlBackend, ...], backend: Backend) -> list[MlBackend]:
    wanted = backend.url.rstrip("/")
    return sorted((model for model in models if model.url.rstrip("/") == wanted), key=lambda model: model.id)


def _our_hooks(hooks: tuple[Webhook, ...], backend: Backend) -> list[Webhook]:
    return sorted((hook for hook in hooks if hook.url == backend.webhook_url), key=lambda hook: hook.id)


def _same_xml(one: str, other: str) -> bool:
    """Whether two label configs are equal except for layout."""
    try:
        return ET.canonicalize(one, strip_text=True) == ET.canonicalize(other, strip_text=True)
    except ET.ParseError:
        return False


def _is_blank(label_config: str) -> bool:
    """Whether the project has no label config yet: none, or an empty View, as in new projects."""
    if not label_config.strip():
        return True
    return re.fullmatch(r"\s*<View\s*(/>|>\s*</View>)\s*", label_config) is not None
