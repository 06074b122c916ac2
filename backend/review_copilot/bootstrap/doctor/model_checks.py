"""Ask a project's model for one short reply. Knows no Label Studio."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from review_copilot.bootstrap.doctor.check import Check, right, wrong
from review_copilot.bootstrap.process import Process
from review_copilot.bootstrap.reviewing import model_setup
from review_copilot.bootstrap.setups import settings_for
from review_copilot.domain.review import ProjectKey
from review_copilot.errors import InspectorError
from review_copilot.inspectors.assembly import endpoint_chat, profile_of
from review_copilot.inspectors.registry import MODEL_INSPECTORS

ANSWERS_WITHIN_S = 30.0


def model_checks(process: Process, key: ProjectKey | None = None) -> Iterator[Check]:
    """Whether the model of a project, or of the settings, answers. A check costs one call of a few tokens.

    Raises:
        LibraryError: A file of model connections or profiles cannot be read.
        SettingsError: The setup keeps images on this machine, and its model is on another one.
    """
    version = process.store.setup(key) if key is not None else None
    settings = settings_for(version.setup, process.settings) if version else process.settings
    name = "model"
    if settings.inspector not in MODEL_INSPECTORS:
        yield right(name, f"The inspector {settings.inspector} uses no model.")
        return
    if not settings.model:
        yield wrong(name, f"The inspector {settings.inspector} has no model.", "REVIEW_COPILOT_MODEL=NAME")
        return
    setup = replace(model_setup(settings), timeout_s=min(settings.model_timeout_s, ANSWERS_WITHIN_S))
    profile = profile_of(setup)
    runs = settings.model_runs if settings.inspector == "hybrid" else settings.inspector
    if runs == "transformers":
        yield _local(setup.model)
        return
    where = setup.base_url or "OpenAI's endpoint"
    chat = endpoint_chat(setup)
    try:
        dialect = chat.probe()
    except InspectorError as error:
        listed = chat.models()
        hint = f"The endpoint lists these: {', '.join(listed[:5])}." if listed and setup.model not in listed else ""
        yield wrong(
            name,
            f"{setup.model} at {where}: {error.public}",
            " ".join(filter(None, [error.hint, hint])) or "REVIEW_COPILOT_MODEL_BASE_URL=http://HOST:PORT/v1",
        )
        return
    yield right(name, f"{setup.model} at {where} answers in the format {dialect.way.value}; profile {profile.name}.")


def _local(model: str) -> Check:
    folder = Path(model)
    if folder.is_absolute() and not (folder / "config.json").is_file():
        return wrong("model", f"The folder {model} holds no model.", "REVIEW_COPILOT_MODEL=FOLDER with a config.json")
    return right("model", f"{model} runs in this process; it is loaded with the first draft.")
