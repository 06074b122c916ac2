"""Resolve the setup of each project: from the database, or from the settings if the project has none."""

from __future__ import annotations

import ipaddress
import os
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import SecretStr

from review_copilot.bootstrap.adopt_setup import own_setup
from review_copilot.bootstrap.reviewing import inspector_of, review_context
from review_copilot.concurrency.lazy_value import LazyValue
from review_copilot.domain.guideline import Guideline
from review_copilot.domain.review import ProjectKey
from review_copilot.domain.setup import ProjectSetup
from review_copilot.errors import CopilotError, SettingsError
from review_copilot.flows.blind_share import BlindShare
from review_copilot.flows.review_context import ReviewContext
from review_copilot.library import load_guideline, source_of_guideline
from review_copilot.library.guideline_file import read_guideline
from review_copilot.library.model_connections import ModelConnection, connection_named, read_connections
from review_copilot.ports import Clock, ImageSource, Setups, Shared
from review_copilot.settings import Settings

KEPT_S = 5.0
"""Seconds for which a running backend reuses a project's setup before it reads the database again."""


class SetupResolver:
    """Implements `flows.review_context.SetupOf`. Safe to use from several threads: each setup is created once."""

    def __init__(
        self,
        settings: Settings,
        *,
        setups: Setups,
        images: ImageSource,
        clock: Clock,
        shared_for: Callable[[Settings], Shared],
    ) -> None:
        """Store the parts. Setups are loaded when they are used first.

        Args:
            settings: Defaults for projects without a setup.
            setups: Stores setups.
            images: Fetches images.
            clock: Gives the current time.
            shared_for: Returns what model calls share with other processes, for the endpoint in the settings.
        """
        self._settings = settings
        self._setups = setups
        self._images = images
        self._clock = clock
        self._shared_for = shared_for
        self._lock = threading.Lock()
        self._read: dict[ProjectKey, tuple[float, ProjectSetup | None]] = {}
        self._ready: dict[ProjectSetup | None, LazyValue[ReviewContext]] = {}

    def __call__(self, project: ProjectKey | None = None) -> ReviewContext:
        """See `SetupOf`."""
        return self._context(self._newest(project) if project is not None else None)

    def _context(self, setup: ProjectSetup | None) -> ReviewContext:
        with self._lock:
            if setup not in self._ready:
                self._ready[setup] = LazyValue(partial(self._create, setup))
            ready = self._ready[setup]
        return ready()

    def of_rollout(self, project: ProjectKey, rollout: str) -> ReviewContext:
        """What drafts a roll-out: the newest of the project's setups, or that of the settings, that gives its label.

        If none does, because a newer release changed the inspector, it is the current setup. Its drafts name their
        true version.

        Raises:
            LibraryError: The guideline of the current setup cannot be read.
            InspectorUnavailable: Its inspector cannot be created.
        """
        current = self(project)
        for setup in (*(version.setup for version in reversed(self._setups.setups(project))), None):
            try:
                context = self._context(setup)
            except CopilotError:  # such as the connection of an old setup, which is no longer defined
                continue
            if context.makes(rollout):
                return context
        return current

    def _newest(self, project: ProjectKey) -> ProjectSetup | None:
        with self._lock:
            read_at, setup = self._read.get(project, (-KEPT_S, None))
        if time.monotonic() - read_at < KEPT_S and read_at >= 0:
            return setup
        setup = own_setup(project, setups=self._setups, settings=self._settings)
        with self._lock:
            self._read[project] = time.monotonic(), setup
        return setup

    def forget(self, project: ProjectKey) -> None:
        """Read the project's setup again at the next call, because this process changed it."""
        with self._lock:
            self._read.pop(project, None)

    def _create(self, setup: ProjectSetup | None) -> ReviewContext:
        if setup is None:
            settings, guideline = self._settings, load_guideline(self._settings.guideline)
        else:
            settings, guideline = settings_for(setup, self._settings), guideline_of(setup)
        context = review_context(
            settings,
            guideline=guideline,
            inspector=inspector_of(settings, shared=partial(self._shared_for, settings)),
            images=self._images,
            clock=self._clock,
        )
        if setup is None:
            return context
        return replace(context, blind=BlindShare(setup.blind_share, {}, self._settings.blind_seed.get_secret_value()))


def guideline_of(setup: ProjectSetup) -> Guideline:
    """The guideline in a setup.

    Raises:
        GuidelineError: A newer release stored it, and this release cannot read it.
    """
    return read_guideline(setup.guideline_text, guideline_id=setup.guideline_id, file=f"{setup.guideline_id}.yaml")


def settings_for(setup: ProjectSetup, settings: Settings) -> Settings:
    """The settings with a project's inspector, model, and thresholds instead of the defaults.

    Raises:
        SettingsError: The setup keeps images on this machine, and its model is on another one.
        LibraryError: Its model connection is not defined.
    """
    changed: dict[str, object] = {
        "inspector": setup.inspector,
        "min_score": setup.min_score,
        "model_second_look": setup.second_look,
    }
    if setup.model:
        changed |= _of_connection(named_connection(setup.model, settings))
    own = settings.model_copy(update=changed)
    _check_images_stay(own, images_may_leave=setup.images_may_leave)
    return own


def changed_settings(
    settings: Settings,
    *,
    images_may_leave: bool,
    inspector: str | None = None,
    model: str | None = None,
    prompts: Path | None = None,
    min_score: float | None = None,
    second_look: bool | None = None,
) -> Settings:
    """The settings with another inspector, model, or threshold, for a setup that is only evaluated.

    Args:
        settings: The settings of a setup.
        images_may_leave: Whether images may be sent to a model on another machine.
        inspector: None to keep it, as for all others.
        model: A model connection if the file of connections defines the name, otherwise a model at the same endpoint.
        prompts: Folder with prompt templates.
        min_score: Suggestions with a lower score are dropped, 0..1.
        second_look: Whether a model checks each box again.

    Raises:
        SettingsError: Images must stay on this machine, and the model is on another one.
        LibraryError: The file of model connections cannot be read.
    """
    given = {
        "inspector": inspector, "model_prompts": prompts, "min_score": min_score, "model_second_look": second_look,
    }  # fmt: skip
    changed: dict[str, object] = {name: value for name, value in given.items() if value is not None}
    if model is not None:
        known = read_connections(settings.models) if settings.models else {}
        changed |= _of_connection(known[model]) if model in known else {"model": model}
    own = settings.model_copy(update=changed)
    _check_images_stay(own, images_may_leave=images_may_leave)
    return own


def _check_images_stay(settings: Settings, *, images_may_leave: bool) -> None:
    if not images_may_leave and asks_elsewhere(settings):
        raise SettingsError(
            f"The project does not allow sending images to another machine, and the model {settings.model!r} is at "
            f"{settings.model_base_url or 'OpenAI'}.",
            hint="Choose the inspector `builtin` or a model on this machine, or allow it with: "
            "review-copilot project set --project N --images-may-leave",
        )


def named_connection(name: str, settings: Settings) -> ModelConnection:
    """The model connection with that name in the file that the settings name.

    Raises:
        LibraryError: No file is set, it cannot be read, or it does not define the name.
    """
    return connection_named(name, read_connections(settings.models) if settings.models else {})


def asks_elsewhere(settings: Settings) -> bool:
    """Whether the inspector in the settings sends images to another machine."""
    if settings.inspector not in {"openai", "hybrid"}:
        return False
    if settings.inspector == "hybrid" and settings.model_runs == "transformers":
        return False
    host = urlsplit(settings.model_base_url).hostname or ""
    if host == "localhost":
        return False
    try:
        return not ipaddress.ip_address(host).is_loopback
    except ValueError:
        return True


def default_setup(settings: Settings, *, blind_share: float = 0.0) -> ProjectSetup:
    """The setup of a newly connected project if no options are given: that of the settings.

    Raises:
        GuidelineError: The guideline cannot be read.
    """
    guideline = load_guideline(settings.guideline)
    return ProjectSetup(
        guideline_id=guideline.id,
        guideline_text=source_of_guideline(settings.guideline),
        guideline_revision=guideline.revision,
        inspector=settings.inspector,
        min_score=settings.min_score,
        second_look=settings.model_second_look,
        blind_share=blind_share,
    )


def _of_connection(connection: ModelConnection) -> dict[str, object]:
    key = os.environ.get(connection.api_key_env, "") if connection.api_key_env else ""
    if connection.api_key_file is not None:
        try:
            key = connection.api_key_file.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise SettingsError(
                f"The API key of the model connection {connection.name} cannot be read: {error.strerror}.",
                hint=f"Check the path and the permissions of {connection.api_key_file}.",
            ) from error
    return {"model": connection.model, "model_base_url": connection.base_url, "model_api_key": SecretStr(key)}


def changed_setup(
    setup: ProjectSetup, settings: Settings, *, guideline: str | None = None, **changes: object
) -> ProjectSetup:
    """Change parts of a setup, and check the result, so that a setup that cannot work is never stored.

    Args:
        setup: The setup before the change.
        settings: The file of model connections, and the values that are not part of a setup.
        guideline: Name of a built-in guideline, or path of a guideline file; None keeps the guideline.
        changes: Other fields of `ProjectSetup` by name; None keeps a field.

    Raises:
        GuidelineError: The guideline cannot be read.
        InspectorUnavailable: The inspector cannot be created.
        LibraryError: The model connection is not defined.
        SettingsError: The setup keeps images on this machine, and its model is on another one.
    """
    if guideline is not None:
        read = load_guideline(guideline)
        setup = replace(
            setup,
            guideline_id=read.id,
            guideline_text=source_of_guideline(guideline),
            guideline_revision=read.revision,
        )
    given = {name: value for name, value in changes.items() if value is not None}
    changed: ProjectSetup = replace(setup, **given)  # type: ignore[arg-type]  # the caller's names are fields
    inspector_of(settings_for(changed, settings), shared=Shared)
    return changed


def setup_in_force(project: ProjectKey, *, setups: Setups, settings: Settings) -> ProjectSetup:
    """The project's own setup, or that of the settings.

    Raises:
        GuidelineError: The guideline of the settings cannot be read.
    """
    return own_setup(project, setups=setups, settings=settings) or default_setup(settings)
