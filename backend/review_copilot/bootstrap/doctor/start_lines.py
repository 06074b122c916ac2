"""The state of a backend in five lines, for its log at the start. Calls no model, and waits only seconds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from review_copilot.bootstrap.doctor.check import Check, State, guarded, note, right
from review_copilot.bootstrap.doctor.server_checks import (
    clock_checks,
    database_checks,
    label_studio_checks,
    public_url_check,
    settings_checks,
    token_checks,
)
from review_copilot.bootstrap.parts import backend_of, has_token
from review_copilot.bootstrap.process import Process
from review_copilot.labelstudio.client import LabelStudioClient
from review_copilot.labelstudio.transport import Transport
from review_copilot.settings import Settings

WAIT_S = 3.0
"""Maximum time of one request to Label Studio, which may start later than the backend."""


def start_lines(process: Process) -> Iterator[Check]:
    """Warnings about variables that are no settings, then one check for each of five topics.

    A topic with several checks is its first fault, or all that was found.
    """
    settings = process.settings
    yield from (check for check in settings_checks(settings) if check.state is State.WRONG)
    yield _together("Label Studio", lambda: _label_studio(settings, process))
    yield _together("database", lambda: database_checks(settings))
    yield _together("backend", lambda: _backend(settings))
    yield _together("drafts", lambda: _drafts(process))
    yield _together("projects", lambda: _projects(process))


def _together(name: str, checks: Callable[[], Iterator[Check]]) -> Check:
    found = [*guarded(name, checks)]
    for check in found:
        if check.state is State.WRONG:
            return replace(check, name=name)
    return right(name, " ".join(check.found for check in found))


def _label_studio(settings: Settings, process: Process) -> Iterator[Check]:
    if not has_token(settings):
        yield note("token", f"{settings.label_studio_url}, without a token: the log is written from webhooks only.")
        return
    transport = Transport(
        settings.label_studio_url,
        settings.label_studio_token.get_secret_value(),
        sleep=lambda _: None,
        timeout_s=WAIT_S,
    )
    with LabelStudioClient(transport) as client:
        yield from clock_checks(client, process.clock)  # the first request, and the only one that is not repeated
        yield from label_studio_checks(client)
        yield from token_checks(client)


def _backend(settings: Settings) -> Iterator[Check]:
    backend = backend_of(settings)
    yield public_url_check(settings, backend)
    secret = "the secret of the settings" if backend.webhook_secret else "the secret of their project"
    password = f"the password of {backend.username}" if backend.password else "no password"
    yield right("password", f"It asks for {password}, and webhooks for {secret}.")


def _drafts(process: Process) -> Iterator[Check]:
    context, settings = process.setup_of(), process.settings
    model = f" and the model {settings.model}" if settings.model else ""
    yield right(
        "drafts",
        f"Projects without a setup: guideline {context.guideline.id} {context.guideline.revision}, inspector "
        f"{settings.inspector}{model}.",
    )


def _projects(process: Process) -> Iterator[Check]:
    known = [key.project_id for key in process.store.projects() if key.instance == process.instance.name]
    if known:
        shown = ", ".join(str(number) for number in sorted(known)[:10])
        yield right("projects", f"{len(known)} ({shown}). Check one: review-copilot doctor --project {min(known)}")
    else:
        yield right("projects", "None yet. Connect one: review-copilot connect --project N")
