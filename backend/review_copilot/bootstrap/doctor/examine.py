"""Run all checks in an order in which faults should be fixed. Knows how nothing is checked."""

from __future__ import annotations

from collections.abc import Iterator

from review_copilot.bootstrap.doctor.check import Check, State, guarded, skipped, wrong
from review_copilot.bootstrap.doctor.model_checks import model_checks
from review_copilot.bootstrap.doctor.project_checks import project_checks
from review_copilot.bootstrap.doctor.server_checks import (
    backend_checks,
    clock_checks,
    database_checks,
    label_studio_checks,
    settings_checks,
    token_checks,
)
from review_copilot.bootstrap.parts import backend_of
from review_copilot.bootstrap.process import Process, open_process
from review_copilot.errors import CopilotError, LabelStudioAuthError, StoreError
from review_copilot.settings import Settings


def examine(settings: Settings, *, project_id: int | None = None) -> tuple[Check, ...]:
    """All checks of an installation, and of a project if one is named.

    Args:
        settings: The settings.
        project_id: The project; None checks only what all projects share.
    """
    backend = backend_of(settings)
    before = [*settings_checks(settings)]
    after = [*guarded("backend", lambda: backend_checks(settings, backend))]
    try:
        process = open_process(settings)
    except CopilotError as error:
        name = {StoreError: "database", LabelStudioAuthError: "token"}.get(type(error), "settings")
        return (*before, wrong(name, error.public, error.hint), *after)
    try:
        middle = [*guarded("database", lambda: database_checks(settings)), *_server(process)]
        rest: list[Check] = []
        if project_id is not None:
            if any(check.name in {"Label Studio", "token"} and check.state is State.WRONG for check in middle):
                rest.append(skipped(f"project {project_id}", "Label Studio and a token"))
            else:
                rest.extend(guarded(f"project {project_id}", lambda: project_checks(process, project_id)))
        else:
            rest.extend(guarded("model", lambda: model_checks(process)))
        return (*before, *middle, *after, *rest)
    finally:
        process.close()


def _server(process: Process) -> Iterator[Check]:
    if process.label_studio is None:
        yield wrong(
            "token",
            "No Label Studio token is set, so nothing can be drafted in advance, and log rows stay unconfirmed.",
            "REVIEW_COPILOT_LABEL_STUDIO_TOKEN=TOKEN (from Label Studio's Account & Settings page)",
        )
        return
    client = process.label_studio.client
    found = [*guarded("Label Studio", lambda: label_studio_checks(client))]
    yield from found
    if all(check.state is State.WRONG for check in found):
        yield skipped("token", "Label Studio")
        yield skipped("clock", "Label Studio")
        return
    yield from guarded("token", lambda: token_checks(client))
    yield from guarded("clock", lambda: clock_checks(client, process.clock))
