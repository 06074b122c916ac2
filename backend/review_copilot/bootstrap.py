"""Settings in, a working copilot out: the only place that chooses concrete classes."""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property, partial

from review_copilot.concurrency.priority_pool import PriorityPool
from review_copilot.domain.guideline import Guideline
from review_copilot.domain.review import ProjectKey, Review
from review_copilot.engines.ray_cluster import Cluster, RayEngine
from review_copilot.engines.thread_engine import ThreadEngine
from review_copilot.flows.blind_share import BlindShare
from review_copilot.flows.learn_from_reviews import Learning, SimilarReviewNotes
from review_copilot.flows.predict import DraftService
from review_copilot.flows.review_context import ReviewContext
from review_copilot.images.fetch import FetchLimits, ImageFetcher
from review_copilot.inspectors.coalescing import CoalescingInspector
from review_copilot.inspectors.embedding import CropEmbedder
from review_copilot.inspectors.hybrid import HybridInspector
from review_copilot.inspectors.model_inspector import ModelInspector
from review_copilot.inspectors.options import ModelSetup
from review_copilot.inspectors.pricing import ProcessBudget
from review_copilot.inspectors.registry import InspectorRequest, create_inspector
from review_copilot.labelstudio.client import LabelStudioClient
from review_copilot.labelstudio.connect import Backend
from review_copilot.labelstudio.transport import LabelStudioAuth, Transport, normalise_url
from review_copilot.labelstudio.webhook_bodies import WebhookBodies
from review_copilot.labelstudio.workspace import LabelStudioOpener
from review_copilot.library import load_guideline, own_file, prompt_source
from review_copilot.plugin import InspectorOptions
from review_copilot.ports import CropMeasure, Engine, ImageSource, Inspector, Shared
from review_copilot.settings import Settings
from review_copilot.store import SqlStore, is_shared, names_of, open_store, shared_on


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The time now, in UTC."""
        return datetime.now(UTC)


@dataclass(frozen=True)
class Copilot:
    """A copilot that is ready to work; parts that cost something are made when first used.

    Attributes:
        settings: What it was made from.
        clock: What time it is.
        given: What it was told to share with others, as a worker of a cluster is.
    """

    settings: Settings
    clock: SystemClock
    given: Shared = field(default_factory=Shared)

    @property
    def instance(self) -> str:
        """Name of the Label Studio in the log: the one set, or its URL without trailing slash and credentials."""
        return self.settings.instance or normalise_url(self.settings.label_studio_url)

    @cached_property
    def guideline(self) -> Guideline:
        """The guideline that reviews go by."""
        return load_guideline(self.settings.guideline)

    @cached_property
    def inspector(self) -> Inspector:
        """Who looks at images."""
        return CoalescingInspector(self._chosen_inspector)

    @cached_property
    def _chosen_inspector(self) -> Inspector:
        model = model_setup(self.settings) if self.settings.model else None
        options = InspectorOptions(
            concurrency=self.settings.concurrency, values={"editing_budget_s": self.settings.editing_budget_s}
        )
        request = InspectorRequest(options, model=model, shared=self.shared if model else self.given)
        return create_inspector(self.settings.inspector, request)

    @cached_property
    def shared(self) -> Shared:
        """What model calls share with other processes: all of it where they share a PostgreSQL, else what was given."""
        settings, given = self.settings, self.given
        if not is_shared(settings.database_url):
            return given
        endpoint = f"{settings.model_base_url}\0{settings.model}"
        common = shared_on(
            self.store,
            endpoint=endpoint,
            most=most_at_once(settings),
            reserved=reserved_slots(settings),
            budget_usd=settings.model_budget_usd,
            clock=self.clock,
        )
        return replace(
            common,
            concurrency=given.concurrency or common.concurrency,
            budget=given.budget or common.budget,
        )

    @property
    def model_inspector(self) -> ModelInspector | None:
        """The part of the inspector that asks a model, for estimates; None where it asks none."""
        chosen = self._chosen_inspector
        inspector = chosen.model if isinstance(chosen, HybridInspector) else chosen
        return inspector if isinstance(inspector, ModelInspector) else None

    @cached_property
    def images(self) -> ImageSource:
        """Where images come from."""
        return image_fetcher(self.settings)

    @cached_property
    def store(self) -> SqlStore:
        """The database, migrated."""
        key = self.settings.pseudonym_key.get_secret_value()
        return open_store(self.settings.database_url, clock=self.clock, pseudonym_key=key)

    def names_of(self, reviewer: str) -> frozenset[str]:
        """What the log may call a person: the name as it is given, and its pseudonym."""
        return names_of(reviewer, self.settings.pseudonym_key.get_secret_value())

    @cached_property
    def client(self) -> LabelStudioClient:
        """The configured Label Studio."""
        token = self.settings.label_studio_token.get_secret_value()
        road = Transport(self.settings.label_studio_url, token)
        return LabelStudioClient(road, pages_per_s=self.settings.pages_per_s)

    @cached_property
    def opener(self) -> LabelStudioOpener:
        """Opens projects of the configured Label Studio."""
        return LabelStudioOpener(self.client, guideline=self.guideline, instance=self.instance)

    @cached_property
    def bodies(self) -> WebhookBodies:
        """Reads webhook bodies, for a copilot without a token."""
        return WebhookBodies(guideline=self.guideline)

    @cached_property
    def blind(self) -> BlindShare:
        """Tasks whose suggestions are made and kept, but not shown."""
        settings = self.settings
        return BlindShare(settings.blind_share, settings.blind_shares, settings.blind_seed.get_secret_value())

    @cached_property
    def context(self) -> ReviewContext:
        """Everything needed to review a task."""
        return ReviewContext(
            guideline=self.guideline,
            inspector=self.inspector,
            images=self.images,
            clock=self.clock,
            min_score=self.settings.min_score,
            blind=self.blind,
        )

    @cached_property
    def watchers(self) -> list[Callable[[Review], None]]:
        """Who is told of each review that a request made."""
        return []

    @property
    def images_at_once(self) -> int:
        """Images in hand at once: what the model is asked at once, and behind an endpoint what cores prepare meanwhile.

        While a model answers elsewhere, cores would be idle; so one image for each is fetched and made ready ahead.
        """
        settings = self.settings
        elsewhere = settings.inspector == "openai" or (settings.inspector, settings.model_runs) == ("hybrid", "openai")
        return settings.concurrency + (min(os.cpu_count() or 1, settings.concurrency) if elsewhere else 0)

    def threads(self) -> Engine:
        """Spreads a bulk run over the threads of this process."""
        return ThreadEngine(self.context, concurrency=self.images_at_once)

    def cluster(self, wish: Cluster) -> Engine:
        """Spreads a bulk run over a Ray cluster.

        Args:
            wish: Which; its concurrency, limit and budget come from the settings.
        """
        settings = self.settings
        most = settings.model_concurrency or wish.workers * settings.concurrency
        cluster = replace(
            wish, concurrency=self.images_at_once, most_at_once=most, budget_usd=settings.model_budget_usd
        )  # fmt: skip
        theirs = settings
        if settings.model_cache is not None:  # a worker has a working directory of its own
            theirs = settings.model_copy(update={"model_cache": settings.model_cache.absolute()})
        return RayEngine(self.context, make_context=partial(context_for_worker, theirs), cluster=cluster)

    @cached_property
    def pool(self) -> PriorityPool[Review]:
        """Who does what Label Studio's requests ask for, all requests of this process together."""
        return PriorityPool(concurrency=self.images_at_once)

    @cached_property
    def draft_service(self) -> DraftService:
        """Where Label Studio's requests ask for drafts."""
        return DraftService(
            context=self.context,
            store=self.store,
            pool=self.pool,
            deadline_s=self.settings.predict_deadline_s,
            delivers=self.has_token,
            lease_s=self.settings.lease_s,
            watchers=self.watchers,
            remind=self.similar_notes,
        )

    @cached_property
    def similar_notes(self) -> SimilarReviewNotes:
        """Says of drafts what is known of their like."""
        return SimilarReviewNotes(self.store)

    @cached_property
    def embedder(self) -> CropMeasure | None:
        """The embedding model of the settings; None where crops are measured.

        Raises:
            ExtraMissing: What it needs is not installed.
        """
        settings = self.settings
        device = "cpu" if settings.model_device == "auto" else settings.model_device
        return CropEmbedder(settings.embedding_model, device=device) if settings.embedding_model else None

    @cached_property
    def learning(self) -> Learning:
        """What it takes to learn what reviewed regions look like."""
        return Learning(store=self.store, guideline=self.guideline, images=self.images, clock=self.clock)

    def rollout(self, project: ProjectKey) -> str:
        """The label under which this copilot's drafts for a project are stored."""
        return self.store.rollout(project, guideline_id=self.guideline.id, model_version=self.context.model_version)

    def link_to(self, project: ProjectKey) -> str:
        """URL of a project's Label Studio in a browser; empty where the log knows only a name for it."""
        if project.instance == self.instance:
            return normalise_url(self.settings.label_studio_link or self.settings.label_studio_url)
        return project.instance if project.instance.startswith(("https://", "http://")) else ""

    def opener_of(self, project: ProjectKey) -> LabelStudioOpener | None:
        """Opens that project; None where it belongs to another Label Studio, or there is no token to ask with."""
        return self.opener if self.has_token and project.instance == self.instance else None

    @property
    def has_token(self) -> bool:
        """Whether the copilot can read from Label Studio."""
        return bool(self.settings.label_studio_token.get_secret_value())

    @property
    def webhook_secret(self) -> str:
        """Secret that a webhook's header must carry: the one set, or one made from the password. Empty without both."""
        secret = self.settings.webhook_secret.get_secret_value()
        password = self.settings.password.get_secret_value()
        if secret or not password:
            return secret
        return hmac.new(password.encode(), b"review-copilot webhook", hashlib.sha256).hexdigest()

    @property
    def backend(self) -> Backend:
        """The backend as Label Studio reaches it."""
        url = self.settings.public_url or f"http://{self.settings.host}:{self.settings.port}"
        return Backend(
            url=url.rstrip("/"),
            username=self.settings.username,
            password=self.settings.password.get_secret_value(),
            webhook_secret=self.webhook_secret,
        )


def create_copilot(settings: Settings) -> Copilot:
    """A copilot from settings. Opens nothing yet."""
    return Copilot(settings=settings, clock=SystemClock())


def with_own_budget(copilot: Copilot) -> Copilot:
    """The same copilot for one run: what it may spend is its own, and not the day's of all backends."""
    return replace(copilot, given=replace(copilot.given, budget=ProcessBudget(copilot.settings.model_budget_usd)))


def context_for_worker(settings: Settings, shared: Shared) -> ReviewContext:
    """The tools of a worker on a cluster."""
    return Copilot(settings=settings, clock=SystemClock(), given=shared).context


def most_at_once(settings: Settings) -> int:
    """Most requests to the endpoint at once, urgent ones too."""
    return settings.model_concurrency or settings.concurrency + 1


def reserved_slots(settings: Settings) -> int:
    """How many of them only a person with the Magic tool may take."""
    return 1 if most_at_once(settings) > settings.concurrency else 0


def model_setup(settings: Settings) -> ModelSetup:
    """What model inspectors are made from: the settings, with the prompts and data files that they name.

    Raises:
        LibraryError: A file cannot be read.
    """
    own_profiles, own_prices = settings.model_profiles, settings.model_prices
    return ModelSetup(
        model=settings.model,
        system_prompt=prompt_source("inspect.system.md.j2"),
        user_prompt=prompt_source("inspect.user.md.j2"),
        second_look_prompt=prompt_source("second_look.md.j2"),
        profile_files=(*own_file(own_profiles, missing_is_fine=True), prompt_source("profiles.yaml")),
        price_files=(*own_file(own_prices), prompt_source("prices.yaml")),
        profile=settings.model_profile,
        base_url=settings.model_base_url,
        api_key=settings.model_api_key.get_secret_value(),
        timeout_s=settings.model_timeout_s,
        concurrency=most_at_once(settings),
        reserved=reserved_slots(settings),
        max_tokens=settings.model_max_tokens,
        close_ups=settings.model_close_ups,
        second_look=settings.model_second_look,
        budget_usd=settings.model_budget_usd,
        cache_folder=settings.model_cache,
        device=settings.model_device,
        dtype=settings.model_dtype,
        batch_size=settings.model_batch_size,
        hybrid_runs=settings.model_runs,
    )


def image_fetcher(settings: Settings, *, plain_files: bool = False) -> ImageFetcher:
    """Fetches images as the settings allow; plain file paths only when told so (the command line's own files)."""
    url = normalise_url(settings.label_studio_url)
    token = settings.label_studio_token.get_secret_value()
    return ImageFetcher(
        label_studio_url=url,
        auth=LabelStudioAuth(url, token) if token else None,
        limits=FetchLimits(
            allowed_hosts=settings.allowed_hosts,
            local_files_root=settings.local_files_root,
            max_bytes=settings.max_image_bytes,
            max_pixels=settings.max_image_pixels,
            timeout_s=settings.fetch_timeout_s,
            plain_files=plain_files,
        ),
    )
