"""Put the model inspectors together from plain values. Asks nothing and loads no weights."""

from __future__ import annotations

from dataclasses import replace

from review_copilot.errors import InspectorUnavailable
from review_copilot.inspectors.chat import Chat
from review_copilot.inspectors.hybrid import HybridInspector
from review_copilot.inspectors.local_transformers import LocalChat, LocalModel
from review_copilot.inspectors.metered_chat import MeteredChat
from review_copilot.inspectors.model_inspector import ModelInspector, ModelOptions
from review_copilot.inspectors.openai_compatible import Endpoint, OpenAIChat
from review_copilot.inspectors.options import ModelSetup
from review_copilot.inspectors.pricing import Price, ProcessBudget, price_for, read_prices
from review_copilot.inspectors.profiles import Profile, profile_for, read_profiles
from review_copilot.inspectors.prompt import PromptTemplates
from review_copilot.inspectors.reply_cache import FolderReplyCache, MemoryReplyCache
from review_copilot.ports import ConcurrencyLimit, Inspector, ReplyCache, Shared


def openai_inspector(setup: ModelSetup, *, shared: Shared) -> ModelInspector:
    """The inspector that asks an OpenAI-compatible endpoint.

    Raises:
        InspectorUnavailable: A budget is set for a model without a known price.
        LibraryError: A profile or price file is wrong.
    """
    cache = shared.replies or reply_cache(setup)
    metered = MeteredChat(
        endpoint_chat(setup, memory=cache, concurrency=shared.concurrency),
        tokens=profile_of(setup).tokens,
        price=price_of(setup),
        budget=shared.budget or ProcessBudget(setup.budget_usd),
        cache=cache,
        named_locks=shared.named_locks,
        breaker=shared.breaker,
        reasoning_tokens=profile_of(setup).reasoning_tokens,
    )
    return _model_inspector("openai", metered, setup)


def transformers_inspector(setup: ModelSetup, *, shared: Shared) -> ModelInspector:
    """The inspector that runs a model in this process.

    Raises:
        InspectorUnavailable: The extra `[local]` is not installed.
        LibraryError: A profile file is wrong.
    """
    cache = shared.replies or reply_cache(setup)
    metered = MeteredChat(
        local_chat(setup), tokens=profile_of(setup).tokens, cache=cache, named_locks=shared.named_locks
    )
    return _model_inspector("transformers", metered, setup)


def hybrid_inspector(setup: ModelSetup, *, shared: Shared, measuring: Inspector) -> HybridInspector:
    """Measurements with a model that decides and writes the rationale.

    Raises:
        InspectorUnavailable: As for the model inspector behind it.
        LibraryError: A profile or price file is wrong.
    """
    runs = {"openai": openai_inspector, "transformers": transformers_inspector}
    make = runs.get(setup.hybrid_runs)
    if make is None:
        raise InspectorUnavailable(
            f"There is no model inspector {setup.hybrid_runs!r} to stand behind hybrid.",
            hint="Set REVIEW_COPILOT_MODEL_RUNS to openai or transformers.",
        )
    return HybridInspector(measuring=measuring, model=make(setup, shared=shared))


def endpoint_chat(
    setup: ModelSetup, *, memory: ReplyCache | None = None, concurrency: ConcurrencyLimit | None = None
) -> OpenAIChat:
    """A chat with the endpoint of the setup, unmetered."""
    return OpenAIChat(
        Endpoint(
            model=setup.model,
            base_url=setup.base_url,
            api_key=setup.api_key,
            timeout_s=setup.timeout_s,
            concurrency=setup.concurrency,
            reserved=setup.reserved,
            temperature=profile_of(setup).temperature,
            reasoning_effort=setup.reasoning_effort,
            extra_body=setup.extra_body,
            extra_headers=setup.extra_headers,
        ),
        memory=memory,
        concurrency=concurrency,
    )


def local_chat(setup: ModelSetup) -> LocalChat:
    """A chat with the local model of the setup, unmetered.

    Raises:
        InspectorUnavailable: The extra `[local]` is not installed.
    """
    return LocalChat(
        LocalModel(
            model=setup.model,
            device=setup.device,
            dtype=setup.dtype,
            batch_size=setup.batch_size,
            timeout_s=setup.timeout_s,
        )
    )


def profile_of(setup: ModelSetup) -> Profile:
    """The model's profile.

    Raises:
        LibraryError: A profile file is wrong, or none has the name set.
    """
    profiles = tuple(profile for text in setup.profile_files for profile in read_profiles(text))
    return profile_for(setup.model, profiles, name=setup.profile)


def price_of(setup: ModelSetup) -> Price | None:
    """What the model costs; None when no price file says.

    Raises:
        LibraryError: A price file is wrong.
    """
    return price_for(setup.model, tuple(price for text in setup.price_files for price in read_prices(text)))


def reply_cache(setup: ModelSetup) -> ReplyCache:
    """Where replies are kept."""
    return FolderReplyCache(setup.cache_folder) if setup.cache_folder else MemoryReplyCache()


def _model_inspector(name: str, chat: Chat, setup: ModelSetup) -> ModelInspector:
    return ModelInspector(
        name=name,
        chat=chat,
        profile=replace(profile_of(setup), read="", source="", reasoning_tokens=0),  # these decide no answer
        templates=PromptTemplates(
            system=setup.system_prompt, user=setup.user_prompt, second_look=setup.second_look_prompt
        ),
        options=ModelOptions(
            second_look=setup.second_look,
            close_ups=setup.close_ups,
            max_tokens=setup.max_tokens,
            timeout_s=setup.timeout_s,
        ),
    )
