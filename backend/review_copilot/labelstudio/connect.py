"""Tie a Label Studio project to the backend, and untie it. Knows no inspector; safe to run again and again."""

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
)  # fmt: skip
"""What the log must hear of: everything that changes a submission."""

BACKEND_TITLE = "Review Copilot"

_OUR_INSTRUCTIONS = re.compile(r"<p><i>Revision [0-9a-f]+</i></p>\s*\Z")
"""The last line that `label_config.instructions` writes."""


class Outcome(StrEnum):
    """What became of one part of the connection."""

    MADE = "made"
    CHANGED = "changed"
    KEPT = "kept"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Step:
    """One part of the connection.

    Attributes:
        part: Such as "label config" or "webhook".
        outcome: What became of it.
        detail: A sentence for whoever ran it.
    """

    part: str
    outcome: Outcome
    detail: str


@dataclass(frozen=True, slots=True)
class ConnectionReport:
    """What was done.

    Attributes:
        project_id: Which project.
        title: Its title.
        url: Its page in Label Studio.
        steps: In the order in which they were done.
        problems: What the label config cannot carry, as sentences.
    """

    project_id: int
    title: str
    url: str
    steps: tuple[Step, ...]
    problems: tuple[str, ...] = ()

    @property
    def unchanged(self) -> bool:
        """Whether everything was as it should be already."""
        return all(step.outcome is Outcome.KEPT for step in self.steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """The backend as Label Studio reaches it.

    Attributes:
        url: Its base URL.
        username: Basic-auth name.
        password: Basic-auth password; empty for a backend that serves without.
        webhook_secret: What the webhook sends in `SECRET_HEADER`; empty for none.
    """

    url: str
    username: str = ""
    password: str = field(default="", repr=False)
    webhook_secret: str = field(default="", repr=False)

    @property
    def webhook_url(self) -> str:
        """The URL at which Label Studio itself would make a webhook for this backend."""
        return f"{self.url.rstrip('/')}/webhook"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectOptions:
    """What the project should look like.

    Attributes:
        guideline: What its label config and instructions come from.
        replace_config: Overwrite a label config and instructions that people wrote.
        reference: Show the task's `$reference` image.
        prompt: Show the task's `$prompt` text.
        blind_share: Share of tasks whose suggestions are withheld, 0..1; the instructions tell of it.
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
    """Make a project for the guideline; returns its id, for `connect`.

    Raises:
        LabelStudioError: Label Studio refuses the title or the config.
    """
    return client.create_project(title=title, label_config=options.label_config).id


def connect(
    client: LabelStudioClient, project_id: int, *, backend: Backend, options: ConnectOptions
) -> ConnectionReport:
    """Make or check the project, its webhook and its ML backend, in that order.

    The webhook goes first: Label Studio makes one without our secret when the backend is added, unless one with its
    URL is there.

    Raises:
        LabelConfigError: The project has a label config that cannot carry a review; nothing was changed.
        LabelStudioRefusesAddress: The backend has a private address; the hint holds the lines that allow it.
        LabelStudioError: Anything else that Label Studio refuses; what was done before stays, run it again.
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
    """Remove the ML backend and the webhooks of that URL; the label config, the drafts and the work of people stay.

    Raises:
        LabelStudioError: Label Studio refuses.
    """
    backend = Backend(url=backend_url)
    steps = []
    for model in _ours(client.ml_backends(project_id), backend):
        client.delete_ml_backend(model.id)
        steps.append(Step("ML backend", Outcome.REMOVED, f"{model.url} is no longer asked for suggestions."))
    for hook in _our_hooks(client.webhooks(project_id), backend):
        client.delete_webhook(hook.id)
        steps.append(Step("webhook", Outcome.REMOVED, f"{hook.url} no longer hears of submissions."))
    project = client.project(project_id)
    steps.append(Step("label config", Outcome.KEPT, "Label config, instructions, predictions and annotations stay."))
    return _report(client, project, steps)


def _report(
    client: LabelStudioClient, project: Project, steps: list[Step], *, problems: tuple[str, ...] = ()
) -> ConnectionReport:
    url = f"{client.url}/projects/{project.id}/data"
    return ConnectionReport(project.id, project.title, url, tuple(steps), problems)


def _label_config(client: LabelStudioClient, project: Project, options: ConnectOptions) -> Step:
    part, wanted = "label config", options.label_config
    if _same_xml(project.label_config, wanted):
        return Step(part, Outcome.KEPT, f"It is the one of {options.guideline.title} already.")
    blank = _is_blank(project.label_config)
    if not blank and not options.replace_config:
        try:
            problems = read_label_config(project.label_config, options.guideline).problems
        except LabelConfigError as error:
            raise LabelConfigError(
                error.public, hint=f"{error.hint} Or let it be replaced: --replace-config."
            ) from error
        missing = f"{len(problems)} things of a review have no place in it" if problems else "it can carry a review"
        return Step(part, Outcome.KEPT, f"It differs from the guideline's own; {missing}. See --replace-config.")
    client.update_project(project.id, label_config=wanted)
    return Step(part, Outcome.MADE if blank else Outcome.CHANGED, f"It is now the one of {options.guideline.title}.")


def _settings(client: LabelStudioClient, project: Project, options: ConnectOptions) -> list[Step]:
    """Instructions, and whether drafts are shown at all."""
    steps = []
    wanted = instructions(options.guideline, blind_share=options.blind_share)
    present = project.expert_instruction.strip()
    if present == wanted.strip() and project.show_instruction:
        steps.append(Step("instructions", Outcome.KEPT, "They are the guideline's already."))
    elif not present or present == wanted.strip() or _OUR_INSTRUCTIONS.search(present) or options.replace_config:
        client.update_project(project.id, expert_instruction=wanted, show_instruction=True)
        outcome = Outcome.CHANGED if present else Outcome.MADE
        steps.append(Step("instructions", outcome, f"Reviewers are shown {options.guideline.title}."))
    else:
        steps.append(Step("instructions", Outcome.KEPT, "People wrote them. See --replace-config."))
    if project.show_collab_predictions:
        steps.append(Step("predictions", Outcome.KEPT, "They are shown to reviewers."))
    else:
        client.update_project(project.id, show_collab_predictions=True)
        steps.append(Step("predictions", Outcome.CHANGED, "They are shown to reviewers now."))
    return steps


def _webhook(client: LabelStudioClient, project_id: int, backend: Backend) -> list[Step]:
    found = _our_hooks(client.webhooks(project_id), backend)
    kept, extra = found[:1], found[1:]
    steps = []
    wanted_header = {SECRET_HEADER: backend.webhook_secret} if backend.webhook_secret else {}
    if not kept:
        client.add_webhook({"project": project_id, **_hook_fields(backend.webhook_url, headers=wanted_header)})
        steps.append(Step("webhook", Outcome.MADE, f"{backend.webhook_url} hears of submissions."))
    elif _hook_is_right(kept[0], wanted_header):
        steps.append(Step("webhook", Outcome.KEPT, f"{backend.webhook_url} hears of submissions already."))
    else:
        headers = {**kept[0].headers, **wanted_header}
        client.update_webhook(kept[0].id, _hook_fields(kept[0].url, headers=headers))
        steps.append(Step("webhook", Outcome.CHANGED, f"{backend.webhook_url} has its secret and its actions now."))
    for hook in extra:
        client.delete_webhook(hook.id)
        steps.append(Step("webhook", Outcome.REMOVED, "A second one with the same URL doubled every event."))
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
            steps.append(Step("ML backend", Outcome.MADE, f"{backend.url} is asked for suggestions, Magic included."))
        elif _backend_is_right(kept[0], backend):
            steps.append(Step("ML backend", Outcome.KEPT, f"{backend.url} is asked for suggestions already."))
        else:
            client.update_ml_backend(kept[0].id, {**fields, "title": kept[0].title or BACKEND_TITLE})
            steps.append(Step("ML backend", Outcome.CHANGED, f"{backend.url} has its password and Magic now."))
    except LabelStudioRefusesAddress:
        raise
    except LabelStudioError as error:
        raise _explained(error, backend) from error
    for model in extra:
        client.delete_ml_backend(model.id)
        steps.append(Step("ML backend", Outcome.REMOVED, "A second one with the same URL was asked twice."))
    return steps


def _backend_is_right(model: MlBackend, backend: Backend) -> bool:
    """Label Studio has just called /setup with the stored password: "CO" says that it is right."""
    auth = (model.auth_method, model.basic_auth_user) if backend.password else (model.auth_method,)
    wanted = ("BASIC_AUTH", backend.username) if backend.password else ("NONE",)
    return auth == wanted and model.is_interactive and model.state == "CO"


def _explained(error: LabelStudioError, backend: Backend) -> LabelStudioError:
    """Label Studio's words about a backend that it could not add, with what to do."""
    if "authentication parameters" in error.public or "401 Client Error" in error.public:
        return LabelStudioError(
            f"The backend at {backend.url} does not accept the password that Label Studio was given for it.",
            hint="REVIEW_COPILOT_USERNAME and REVIEW_COPILOT_PASSWORD must be the same here and where it serves.",
        )
    if "Can't connect" in error.public:
        return LabelStudioError(
            f"Label Studio cannot reach the backend at {backend.url}.",
            hint="Start it (review-copilot serve). If it runs: seen from a container, localhost is the container; "
            "set REVIEW_COPILOT_PUBLIC_URL to an address that Label Studio reaches.",
        )
    return error


def _pinned(client: LabelStudioClient, before: Project) -> Step:
    """Keep what the label stream shows: adding or removing a model may have changed it."""
    now = client.project(before.id).model_version
    if before.model_version and now != before.model_version:
        client.update_project(before.id, model_version=before.model_version)
        now = before.model_version
    if not now:
        return Step("label stream", Outcome.KEPT, "It shows no drafts yet: run review-copilot preannotate.")
    live = now in {model.title for model in client.ml_backends(before.id)}
    shows = (
        "asks the backend for each task until review-copilot preannotate has stored drafts"
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
    """Whether two label configs differ in nothing but layout."""
    try:
        return ET.canonicalize(one, strip_text=True) == ET.canonicalize(other, strip_text=True)
    except ET.ParseError:
        return False


def _is_blank(label_config: str) -> bool:
    """Whether nobody has set a label config up yet: none, or an empty View, as new projects have."""
    if not label_config.strip():
        return True
    return re.fullmatch(r"\s*<View\s*(/>|>\s*</View>)\s*", label_config) is not None
