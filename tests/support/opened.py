"""A process as tests use it: opened from settings, with replaceable parts, and short ways to what tests ask for."""

from __future__ import annotations

from dataclasses import dataclass, replace

from review_copilot.bootstrap.backend import BackendParts, build_backend
from review_copilot.bootstrap.parts import backend_of
from review_copilot.bootstrap.process import Process, open_process
from review_copilot.domain.guideline import Guideline
from review_copilot.domain.review import ProjectKey
from review_copilot.flows.review_context import ReviewContext, SetupOf, rollout_of
from review_copilot.labelstudio.client import LabelStudioClient
from review_copilot.labelstudio.connect import Backend
from review_copilot.labelstudio.workspace import LabelStudioOpener
from review_copilot.ports import Clock, Engine, ImageSource, Inspector
from review_copilot.settings import Settings
from review_copilot.store import SqlStore


@dataclass(frozen=True)
class OpenedCopilot:
    """One process, opened.

    Attributes:
        process: Its parts.
    """

    process: Process

    @property
    def settings(self) -> Settings:
        return self.process.settings

    @property
    def store(self) -> SqlStore:
        return self.process.store

    @property
    def clock(self) -> Clock:
        return self.process.clock

    @property
    def client(self) -> LabelStudioClient:
        return self.process.required_label_studio.client

    @property
    def opener(self) -> LabelStudioOpener:
        return self.process.required_label_studio.opener

    @property
    def context(self) -> ReviewContext:
        return self.process.setup_of()

    @property
    def guideline(self) -> Guideline:
        return self.context.guideline

    @property
    def backend(self) -> Backend:
        return backend_of(self.settings)

    @property
    def engine(self) -> Engine:
        from review_copilot.bootstrap.engines import thread_engine  # noqa: PLC0415  loads Ray's side as well

        return thread_engine(self.settings, self.context)

    def parts(self) -> BackendParts:
        """The backend's parts, with a pool of their own."""
        return build_backend(self.process)

    def rollout(self, project: ProjectKey) -> str:
        """The label of the project's drafts."""
        return rollout_of(project, store=self.store, setup_of=self.process.setup_of)

    def close(self) -> None:
        """Close everything."""
        self.process.close()


def opened(
    settings: Settings, *, inspector: Inspector | None = None, images: ImageSource | None = None
) -> OpenedCopilot:
    """Open a process; an inspector or an image source takes the place of the settings' own."""
    process = open_process(settings)
    if inspector is None and images is None:
        return OpenedCopilot(process)
    own = process.setup_of()
    context = replace(own, inspector=inspector or own.inspector, images=images or own.images)
    return OpenedCopilot(replace(process, images=context.images, setup_of=setup_for_all(context)))


def setup_for_all(context: ReviewContext) -> SetupOf:
    """The same setup for every project."""

    def setup_of(project: ProjectKey | None = None) -> ReviewContext:
        del project
        return context

    return setup_of
