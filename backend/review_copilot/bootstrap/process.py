"""The parts that commands share when they use the log. `open_process` creates them once per command."""

from __future__ import annotations

from dataclasses import dataclass

from review_copilot.bootstrap.data_home import prepare_home
from review_copilot.bootstrap.parts import has_token, instance_of, shared_limits, webhook_secrets_of
from review_copilot.bootstrap.reviewing import SystemClock, image_fetcher
from review_copilot.bootstrap.setups import SetupResolver
from review_copilot.domain.guideline import Guideline
from review_copilot.domain.instance import Instance
from review_copilot.domain.review import ProjectKey
from review_copilot.errors import SettingsError
from review_copilot.flows.review_context import SetupOf
from review_copilot.flows.webhook_secrets import ProjectWebhookSecrets
from review_copilot.inspectors.pricing import ProcessBudget
from review_copilot.labelstudio.client import LabelStudioClient
from review_copilot.labelstudio.transport import Transport
from review_copilot.labelstudio.workspace import LabelStudioOpener
from review_copilot.ports import Clock, ImageSource, Shared
from review_copilot.settings import Settings
from review_copilot.store import SqlStore, open_store


@dataclass(frozen=True)
class LabelStudioAccess:
    """The configured Label Studio, with a token to read and write it.

    Attributes:
        client: Its REST routes.
        opener: Opens its projects, each with the guideline of its setup.
    """

    client: LabelStudioClient
    opener: LabelStudioOpener


@dataclass(frozen=True)
class Process:
    """Parts of one process. A command passes each flow, route, or thread only the parts that it uses.

    Attributes:
        settings: The settings that the parts were created from.
        clock: Gives the current time.
        instance: The configured Label Studio's names.
        store: The database, migrated.
        images: Fetches images.
        shared: Limits, budget, and locks that model calls share with other processes.
        setup_of: Gives the review context of a project.
        webhook_secrets: Random webhook secrets of its projects.
        label_studio: Access to Label Studio; None without a token.
    """

    settings: Settings
    clock: Clock
    instance: Instance
    store: SqlStore
    images: ImageSource
    shared: Shared
    setup_of: SetupOf
    webhook_secrets: ProjectWebhookSecrets
    label_studio: LabelStudioAccess | None

    def opener_of(self, project: ProjectKey) -> LabelStudioOpener | None:
        """Opens that project; None if it belongs to another Label Studio, or if no token is set."""
        return self.label_studio.opener if self.label_studio and project.instance == self.instance.name else None

    @property
    def required_label_studio(self) -> LabelStudioAccess:
        """Access to Label Studio, for commands that need it.

        Raises:
            SettingsError: No token is set.
        """
        if self.label_studio is None:
            raise SettingsError(
                "No Label Studio token is set.",
                hint="Set REVIEW_COPILOT_LABEL_STUDIO_TOKEN to a personal access token (Account & Settings).",
            )
        return self.label_studio

    def close(self) -> None:
        """Close the database and the connections to Label Studio."""
        self.store.close()
        if self.label_studio is not None:
            self.label_studio.client.close()


def open_process(settings: Settings, *, shared: Shared | None = None) -> Process:
    """Open the database and create the parts that commands share. Does not call Label Studio or load an inspector.

    Args:
        settings: The settings to create the parts from.
        shared: Parts of this process for model calls, such as its own budget.

    Raises:
        StoreError: The database cannot be opened.
        SettingsError: The database of an earlier release is in the current folder.
    """
    prepare_home(settings)
    clock = SystemClock()
    store = open_store(settings.database_url, clock=clock, pseudonym_key=settings.pseudonym_key.get_secret_value())
    limits = shared_limits(settings, store=store, clock=clock, given=shared or Shared())
    images = image_fetcher(settings)
    instance = instance_of(settings)
    setup_of = SetupResolver(
        settings,
        setups=store,
        images=images,
        clock=clock,
        shared_for=lambda own: shared_limits(own, store=store, clock=clock, given=shared or Shared()),
    )
    access = label_studio_access(settings, instance=instance, setup_of=setup_of) if has_token(settings) else None
    hooks = webhook_secrets_of(settings, store=store, clock=clock)
    return Process(settings, clock, instance, store, images, limits, setup_of, hooks, access)


def own_budget(settings: Settings) -> Shared:
    """A budget for one run only, instead of the daily budget of all backends."""
    return Shared(budget=ProcessBudget(settings.model_budget_usd))


def label_studio_access(settings: Settings, *, instance: Instance, setup_of: SetupOf) -> LabelStudioAccess:
    """Create access to the configured Label Studio. Makes no request."""
    transport = Transport(settings.label_studio_url, settings.label_studio_token.get_secret_value())
    client = LabelStudioClient(transport, pages_per_s=settings.pages_per_s)

    def guideline_of(project: ProjectKey) -> Guideline:
        return setup_of(project).guideline

    return LabelStudioAccess(client, LabelStudioOpener(client, guideline_of=guideline_of, instance=instance.name))
