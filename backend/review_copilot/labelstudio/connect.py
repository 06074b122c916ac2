"""Connect a Label Studio project to the backend, and disconnect it. Knows no inspector. Safe to run repeatedly."""

from __future__ import annotations

import re
from dataclasses import dataclass

from review_copilot.domain.guideline import Guideline
from review_copilot.domain.review import ProjectKey
from review_copilot.errors import LabelStudioError, LabelStudioRefusesAddress
from review_copilot.flows.webhook_secrets import ProjectWebhookSecrets
from review_copilot.labelstudio.api_records import MlBackend, Project
from review_copilot.labelstudio.client import LabelStudioClient
from review_copilot.labelstudio.config_plan import ConfigPlan, ConfigWish, plan_config
from review_copilot.labelstudio.connection import Backend
from review_copilot.labelstudio.connection_report import ConnectionReport, Outcome, Step
from review_copilot.labelstudio.label_config import generate, instructions
from review_copilot.labelstudio.trial import Trial, try_on_tasks
from review_copilot.labelstudio.undo_connection import ConnectionState, put_back, read_state
from review_copilot.labelstudio.webhook_setup import keep_used_secrets, our_hooks, set_up_webhook

__all__ = [
    "Backend", "ConnectOptions", "ConnectionPlan", "connect", "create_project", "disconnect", "plan_connection",
]  # fmt: skip

BACKEND_TITLE = "Review Copilot"

_OUR_INSTRUCTIONS = re.compile(r"<p><i>Revision [0-9a-f]+</i></p>\s*\Z")
"""The last line that `label_config.instructions` writes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectOptions:
    """How to set up the project.

    Attributes:
        guideline: Source of the label config and the instructions.
        replace_config: Overwrite a label config and instructions that someone else wrote.
        reference: Show the task's `$reference` image.
        prompt: Show the task's `$prompt` text.
        blind_share: Share of tasks whose suggestions are withheld, 0..1; the instructions mention it.
        add_labels: Add the guideline's labels to a label config that someone else wrote.
        earlier: Guidelines of the project's earlier setups; see `ConfigWish`.
    """

    guideline: Guideline
    replace_config: bool = False
    reference: bool = False
    prompt: bool = False
    blind_share: float = 0.0
    add_labels: bool = False
    earlier: tuple[Guideline, ...] = ()

    @property
    def config_wish(self) -> ConfigWish:
        """What the label config should show."""
        return ConfigWish(
            guideline=self.guideline,
            replace=self.replace_config,
            add_labels=self.add_labels,
            reference=self.reference,
            prompt=self.prompt,
            earlier=self.earlier,
        )

    @property
    def label_config(self) -> str:
        """The label config that the guideline generates."""
        return generate(self.guideline, reference=self.reference, prompt=self.prompt)


@dataclass(frozen=True, slots=True)
class ConnectionPlan:
    """What a connection would do with the label config.

    Attributes:
        config: The label config that the project will have.
        trial: What it does with real tasks.
    """

    config: ConfigPlan
    trial: Trial


def create_project(client: LabelStudioClient, *, title: str, options: ConnectOptions) -> int:
    """Create a project for the guideline; returns its id, for `connect`.

    Raises:
        LabelStudioError: Label Studio rejects the title or the label config.
    """
    return client.create_project(title=title, label_config=options.label_config).id


def connect(
    client: LabelStudioClient,
    project_id: int,
    *,
    backend: Backend,
    options: ConnectOptions,
    plan: ConnectionPlan | None = None,
    secrets: ProjectWebhookSecrets | None = None,
) -> ConnectionReport:
    """Set up or check the project, its webhook, and its ML backend, in that order.

    The webhook comes first: when the backend is added, Label Studio creates a webhook without our secret unless one
    with its URL exists. If a step fails, everything is put back as it was.

    Args:
        client: The server.
        project_id: The project.
        backend: The backend, as Label Studio reaches it.
        options: How to set up the project.
        plan: What `plan_connection` returned for these options; None plans now.
        secrets: Random webhook secrets, for a backend whose settings name no secret.

    Raises:
        LabelConfigError: The project's label config cannot be used for reviews; nothing was changed.
        LabelStudioRefusesAddress: The backend has a private address; the hint contains the settings that allow it.
        LabelStudioError: Label Studio rejected a step.
    """
    before = client.project(project_id)
    planned = plan or plan_connection(client, before, options)
    state = read_state(client, before)
    try:
        steps = [_label_config(client, before, planned.config), *_settings(client, before, options)]
        steps.extend(set_up_webhook(client, project_id, backend, secrets=secrets))
        steps.extend(_ml_backend(client, project_id, backend))
        steps.append(_pinned(client, before))
    except (LabelStudioError, KeyboardInterrupt) as error:
        _undo(client, state, error)
        raise
    keep_used_secrets(client, project_id, secrets=secrets)
    problems = (*planned.config.labels.problems, *planned.trial.invalid)
    return _report(client, client.project(project_id), steps, problems=problems)


def _undo(client: LabelStudioClient, state: ConnectionState, error: BaseException) -> None:
    """Put the project back.

    Raises:
        LabelStudioError: It cannot be put back; the error names both reasons.
    """
    try:
        put_back(client, state)
    except LabelStudioError as second:
        first = error.public if isinstance(error, LabelStudioError) else "The connection was interrupted."
        raise LabelStudioError(
            f"{first} The project could not be put back as it was: {second.public}",
            hint="Run connect again, or correct the project's settings in Label Studio.",
        ) from error


def plan_connection(client: LabelStudioClient, project: Project, options: ConnectOptions) -> ConnectionPlan:
    """Plan the label config, and try it on the project's tasks. Changes nothing.

    Raises:
        LabelConfigError: The label config cannot be used for reviews, or no task that was tried has an image.
        LabelStudioError: The tasks cannot be read.
    """
    config = plan_config(project.label_config, options.config_wish)
    key = ProjectKey("", project.id, project.created_stamp)
    return ConnectionPlan(config, try_on_tasks(client, key, plan=config, guideline=options.guideline))


def disconnect(
    client: LabelStudioClient, project_id: int, *, backend_url: str, secrets: ProjectWebhookSecrets | None = None
) -> ConnectionReport:
    """Remove the ML backend and the webhooks with that URL; label config, drafts, and annotations remain.

    Args:
        client: The Label Studio.
        project_id: The project.
        backend_url: URL of the backend, as Label Studio reaches it.
        secrets: Random webhook secrets; those that no remaining webhook of the project uses are forgotten.

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
    for hook in our_hooks(client.webhooks(project_id), backend):
        client.delete_webhook(hook.id)
        steps.append(Step("webhook", Outcome.REMOVED, f"Label Studio no longer reports submissions to {hook.url}."))
    keep_used_secrets(client, project_id, secrets=secrets)
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


def _label_config(client: LabelStudioClient, project: Project, plan: ConfigPlan) -> Step:
    if plan.is_change:
        if not plan.is_first:
            client.validate_label_config(project.id, plan.xml)  # a change alone would accept the removal of used labels
        client.update_project(project.id, label_config=plan.xml)
    outcome = Outcome.MADE if plan.is_first else Outcome.CHANGED if plan.is_change else Outcome.KEPT
    return Step("label config", outcome, plan.detail)


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
