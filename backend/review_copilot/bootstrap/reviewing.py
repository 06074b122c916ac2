"""Create review contexts: guideline, inspector, images. Opens no database and does not call Label Studio."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache, partial

from review_copilot.concurrency.lazy_value import LazyValue
from review_copilot.concurrency.memory_budget import MemoryBudget
from review_copilot.domain.guideline import Guideline
from review_copilot.domain.review import ProjectKey
from review_copilot.flows.blind_share import BlindShare
from review_copilot.flows.review_context import ReviewContext, SetupOf
from review_copilot.images.fetch import FetchLimits, ImageFetcher
from review_copilot.inspectors.coalescing import CoalescingInspector
from review_copilot.inspectors.options import ModelSetup
from review_copilot.inspectors.registry import InspectorRequest, create_inspector
from review_copilot.labelstudio.transport import LabelStudioAuth, normalise_url
from review_copilot.library import load_guideline, own_file, prompt_source, prompt_templates
from review_copilot.plugin import InspectorOptions
from review_copilot.ports import Clock, ImageSource, Inspector, Shared
from review_copilot.settings import Settings


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The current time, in UTC."""
        return datetime.now(UTC)


def image_fetcher(settings: Settings, *, plain_files: bool = False) -> ImageFetcher:
    """Create the image fetcher of the settings. `plain_files` allows file paths, for the command line's own files."""
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
            most_per_host=max(1, settings.concurrency - 1),
            plain_files=plain_files,
        ),
    )


def blind_share_of(settings: Settings) -> BlindShare:
    """The blind share of the settings: tasks whose suggestions are stored but not shown."""
    return BlindShare(settings.blind_share, settings.blind_shares, settings.blind_seed.get_secret_value())


def inspector_of(settings: Settings, *, shared: Callable[[], Shared]) -> Inspector:
    """Create the inspector that the settings name. Simultaneous requests for the same image share one inspection.

    Args:
        settings: The inspector and its model.
        shared: Returns what model calls share with other processes. Called only if a model is set.

    Raises:
        InspectorUnavailable: There is no such inspector, or something that it needs is missing.
        LibraryError: A prompt, profile, or price file cannot be read.
    """
    model = model_setup(settings) if settings.model else None
    options = InspectorOptions(concurrency=settings.concurrency, values={"editing_budget_s": settings.editing_budget_s})
    request = InspectorRequest(options, model=model, shared=shared() if model else Shared())
    return CoalescingInspector(create_inspector(settings.inspector, request))


def model_setup(settings: Settings) -> ModelSetup:
    """The values that model inspectors are created from: settings, prompts, and data files.

    Raises:
        LibraryError: A file cannot be read.
    """
    own_profiles, own_prices = settings.model_profiles, settings.model_prices
    system_prompt, user_prompt, second_look_prompt = prompt_templates(settings.model_prompts)
    return ModelSetup(
        model=settings.model,
        system_prompt=system_prompt,
        user_prompt=user_prompt,
        second_look_prompt=second_look_prompt,
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
        reasoning_effort=settings.model_reasoning_effort,
        extra_body=settings.model_extra_body,
        extra_headers=settings.model_extra_headers,
        hybrid_runs=settings.model_runs,
    )


def most_at_once(settings: Settings) -> int:
    """Maximum number of simultaneous requests to the endpoint, including urgent ones."""
    return settings.model_concurrency or settings.concurrency + 1


def reserved_slots(settings: Settings) -> int:
    """Number of these requests that are reserved for the Magic tool."""
    return 1 if most_at_once(settings) > settings.concurrency else 0


def one_setup(settings: Settings, *, images: ImageSource, clock: Clock, shared: Shared) -> SetupOf:
    """Use the review context of the settings for every project. The first use loads guideline and inspector."""
    guideline = LazyValue(partial(load_guideline, settings.guideline))
    inspector = LazyValue(partial(inspector_of, settings, shared=lambda: shared))
    context = LazyValue(
        lambda: review_context(settings, guideline=guideline(), inspector=inspector(), images=images, clock=clock)
    )

    def setup_of(project: ProjectKey | None = None) -> ReviewContext:
        del project  # all projects share one review context
        return context()

    return setup_of


def review_context(
    settings: Settings, *, guideline: Guideline, inspector: Inspector, images: ImageSource, clock: Clock
) -> ReviewContext:
    """Create a review context from its parts and the settings."""
    return ReviewContext(
        guideline=guideline,
        inspector=inspector,
        images=images,
        clock=clock,
        min_score=settings.min_score,
        blind=blind_share_of(settings),
        memory=image_memory(settings.image_memory_bytes),
    )


@cache
def image_memory(max_bytes: int) -> MemoryBudget:
    """The memory budget of this process for decoded images. All projects share it."""
    return MemoryBudget(max_bytes)
