"""Check one project: setup, guideline, label config, connection, drafts. Changes nothing but a webhook for a second."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from review_copilot.bootstrap.doctor.check import Check, guarded, note, right, skipped, wrong
from review_copilot.bootstrap.doctor.image_checks import image_checks
from review_copilot.bootstrap.doctor.model_checks import model_checks
from review_copilot.bootstrap.doctor.webhook_checks import webhook_checks
from review_copilot.bootstrap.parts import backend_of
from review_copilot.bootstrap.process import Process
from review_copilot.domain.draft_totals import Why
from review_copilot.domain.review import ProjectKey
from review_copilot.errors import CopilotError, LabelConfigError, LabelStudioRefusesAddress
from review_copilot.flows.review_context import ReviewContext
from review_copilot.inspectors.registry import MODEL_INSPECTORS, measure_catalogue
from review_copilot.labelstudio.api_records import Project
from review_copilot.labelstudio.client import LabelStudioClient
from review_copilot.labelstudio.connect import Backend
from review_copilot.labelstudio.mapping import LabelMap, read_label_config
from review_copilot.labelstudio.private_addresses import lines_that_admit
from review_copilot.labelstudio.workspace import project_key
from review_copilot.suggest.examiners import examiners_of, wrong_measures


@dataclass(frozen=True, slots=True)
class CheckedProject:
    """A project that the token can read.

    Attributes:
        process: The parts of the command.
        project: The project.
        key: Its key in the log.
        backend: The backend as Label Studio reaches it.
    """

    process: Process
    project: Project
    key: ProjectKey
    backend: Backend

    @property
    def client(self) -> LabelStudioClient:
        """The Label Studio client."""
        return self.process.required_label_studio.client

    @property
    def connect_line(self) -> str:
        """The command that connects it."""
        return f"review-copilot connect --project {self.project.id}"

    @property
    def draft_line(self) -> str:
        """The command that drafts it."""
        return f"review-copilot preannotate --project {self.project.id}"


def project_checks(process: Process, project_id: int) -> Iterator[Check]:
    """All checks of a project, in the order in which faults should be fixed.

    Raises:
        LabelStudioError: The project cannot be read.
    """
    project = process.required_label_studio.client.project(project_id)
    key = project_key(project, instance=process.instance.name)
    checked = CheckedProject(process, project, key, backend_of(process.settings))
    yield right("project", f'{project.id}, "{project.title}": the token may read it.')
    yield from guarded("addresses", lambda: _address_checks(checked))
    context, checks = _setup(checked)
    yield from checks
    labels, checks = _label_config(checked, context)
    if context is not None:
        yield from guarded("guideline", lambda: _guideline_checks(checked, context))
    yield from checks
    yield from guarded("ML backend", lambda: _ml_backend_checks(checked))
    yield from guarded("webhook", lambda: webhook_checks(checked.client, project, checked.backend))
    yield from guarded("label stream", lambda: _draft_checks(checked, context))
    if labels is not None:
        yield from guarded("images", lambda: image_checks(checked.client, key, labels=labels, images=process.images))
    yield from guarded("model", lambda: model_checks(process, key))


def _address_checks(checked: CheckedProject) -> Iterator[Check]:
    """Whether Label Studio may call the backend's address: it has one switch for models and one for webhooks."""
    tried = (
        ("address for models", checked.client.try_ml_address, checked.backend.url, "ML_BLOCK_LOCAL_IP=false"),
        (
            "address for webhooks",
            checked.client.try_webhook_address,
            checked.backend.webhook_url,
            "SSRF_PROTECTION_ENABLED=false",
        ),
    )
    for name, try_address, url, switch in tried:
        try:
            try_address(checked.project.id, url)
        except LabelStudioRefusesAddress as error:
            narrow = lines_that_admit(urlsplit(url).hostname or "")
            fix = f"Start Label Studio with {switch}"
            if narrow:
                fix += f", or admit only the backend's network: {' '.join(narrow)}"
            yield wrong(name, error.public, fix)
        else:
            yield right(name, f"Label Studio may call {url}.")


def _setup(checked: CheckedProject) -> tuple[ReviewContext | None, list[Check]]:
    """The setup that is in force; None if it cannot be used."""
    try:
        context = checked.process.setup_of(checked.key)
    except CopilotError as error:
        return None, [wrong("setup", error.public, error.hint), skipped("guideline", "a setup")]
    version = checked.process.store.setup(checked.key)
    words = f"guideline {context.guideline.id} {context.guideline.revision}, inspector {context.inspector.name}"
    if version is None:
        found = note("setup", f"The project has none, so the settings apply: {words}.", checked.connect_line)
    else:
        found = right("setup", f"Version {version.number}: {words}.")
    return context, [found]


def _label_config(checked: CheckedProject, context: ReviewContext | None) -> tuple[LabelMap | None, list[Check]]:
    """The label config mapped to the guideline of the setup; None if it cannot be used."""
    name, fix = "label config", f"{checked.connect_line} --replace-config"
    if context is None:
        return None, [skipped(name, "a setup")]
    try:
        labels = read_label_config(checked.project.label_config, context.guideline)
    except LabelConfigError as error:
        return None, [wrong(name, error.public, fix)]
    checks = [wrong(name, problem, fix) for problem in labels.problems]
    return labels, checks or [right(name, f'It holds a whole review; "{labels.image}" shows the image.')]


def _guideline_checks(checked: CheckedProject, context: ReviewContext) -> Iterator[Check]:
    catalogue, fix = measure_catalogue(), f"review-copilot guideline check {context.guideline.id}"
    version = checked.process.store.setup(checked.key)
    inspector = version.setup.inspector if version else checked.process.settings.inspector
    errors = list(wrong_measures(context.guideline, catalogue))
    found = examiners_of(context.guideline, catalogue=catalogue, model=inspector in MODEL_INSPECTORS)
    nobody = [examiners.criterion.label for examiners in found if examiners.nobody]
    for error in errors:
        yield wrong("guideline", error, fix)
    if nobody:
        yield wrong(
            "guideline",
            f"Nothing examines {', '.join(nobody)}, so no draft passes.",
            f"review-copilot project set --project {checked.project.id} --inspector hybrid",
        )
    if not errors and not nobody:
        yield right("guideline", f"All {len(found)} criteria are examined.")


def _ml_backend_checks(checked: CheckedProject) -> Iterator[Check]:
    name, models = "ML backend", checked.client.ml_backends(checked.project.id)
    ours = [model for model in models if model.url.rstrip("/") == checked.backend.url]
    if not ours:
        others = ", ".join(model.url for model in models)
        found = f"The project calls {others}, and not {checked.backend.url}." if others else "The project has none."
        yield wrong(name, found, checked.connect_line)
        return
    if len(ours) > 1:
        yield wrong(name, f"The project has {len(ours)} with the same URL.", checked.connect_line)
    model = ours[0]
    if model.state == "CO":
        yield right(name, f"Label Studio reaches {model.url} and its password is accepted.")
    elif model.state == "DI":
        yield wrong(
            name,
            f"Label Studio cannot reach {model.url}.",
            "review-copilot serve (or set REVIEW_COPILOT_PUBLIC_URL to an address that Label Studio can reach)",
        )
    else:
        yield wrong(name, f"{model.url} rejects the password that Label Studio has stored.", checked.connect_line)
    if not model.is_interactive:
        yield wrong("Magic", "Interactive suggestions are off.", checked.connect_line)


def _draft_checks(checked: CheckedProject, context: ReviewContext | None) -> Iterator[Check]:
    """What the label stream shows, and how many tasks have a draft under the pinned version."""
    client, project, name = checked.client, checked.project, "label stream"
    total, pinned = client.count_tasks(project.id), project.model_version
    if not total:
        yield note(name, "The project has no tasks yet.")
        return
    if not project.show_collab_predictions:
        yield wrong(name, "The project hides predictions from reviewers.", checked.connect_line)
    if not pinned:
        yield wrong(name, f"No version is pinned, so {total} tasks open without a draft.", checked.draft_line)
        return
    stored = client.model_versions(project.id).get(pinned, 0)
    if pinned in {model.title for model in client.ml_backends(project.id)}:
        yield wrong(
            name, "It requests a draft when a task opens, because no stored version is pinned.", checked.draft_line
        )
        return
    undrafted = checked.process.store.draft_totals(checked.key).undrafted
    withheld, failed = undrafted.get(Why.WITHHELD, 0), undrafted.get(Why.FAILED, 0)
    words = f'"{pinned}" is pinned; {min(stored, total)} of {total} tasks have a draft under it'
    words += f", {withheld} are withheld for the blind share" if withheld else ""
    words += f", {failed} failed ({_first_failure(checked)})" if failed else ""
    if stored + withheld < total:
        yield wrong(name, f"{words}.", checked.draft_line)
    else:
        yield right(name, f"{words}.")
    if context is not None and not pinned.endswith(context.model_version[:6]):
        yield wrong("drafts", "The pinned drafts were not made with the current setup.", checked.draft_line)


def _first_failure(checked: CheckedProject) -> str:
    (first, *_) = checked.process.store.undrafted(checked.key, Why.FAILED, limit=1)
    return f"task {first.task_id}: {first.said.rstrip('.')}"
