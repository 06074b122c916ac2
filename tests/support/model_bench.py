"""A model inspector put together as the product does it, for tests to put questions to."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from builders import a_criterion, a_guideline, an_image
from pictures import scene
from review_copilot.domain.image import ReviewImage
from review_copilot.domain.suggestion import Brief
from review_copilot.inspectors.metered_chat import MeteredChat
from review_copilot.inspectors.model_inspector import ModelInspector, ModelOptions
from review_copilot.inspectors.openai_compatible import Endpoint, OpenAIChat
from review_copilot.inspectors.pricing import Price, ProcessBudget
from review_copilot.inspectors.profiles import Profile, read_profiles
from review_copilot.inspectors.prompt import PromptTemplates
from review_copilot.library import prompt_source
from review_copilot.ports import ReplyCache

PROFILES = read_profiles(prompt_source("profiles.yaml"))
TEMPLATES = PromptTemplates(
    system=prompt_source("inspect.system.md.j2"),
    user=prompt_source("inspect.user.md.j2"),
    second_look=prompt_source("second_look.md.j2"),
)
GUIDELINE = a_guideline(
    a_criterion("C-01"),
    a_criterion("C-02", label="Clipping", measures=("clipped_highlights",)),
    a_criterion("C-03", label="Blur", measures=("defocus",)),
)
PRICE = Price("a-model", input_usd=10.0, cached_usd=1.0, output_usd=50.0, read="2026-11")


def inspector(
    url: str,
    *,
    profile: Profile | None = None,
    options: ModelOptions | None = None,
    price: Price | None = None,
    budget: ProcessBudget | None = None,
    cache: ReplyCache | None = None,
) -> ModelInspector:
    """An inspector that is put together as the product does it."""
    profile = profile or Profile("test")
    chat = OpenAIChat(Endpoint("a-model", base_url=url, timeout_s=10.0, temperature=profile.temperature))
    metered = MeteredChat(chat, tokens=profile.tokens, price=price, budget=budget, cache=cache)
    return ModelInspector(name="openai", chat=metered, profile=profile, templates=TEMPLATES, options=options)


def brief(image: ReviewImage | None = None, **changes: Any) -> Brief:
    return replace(Brief(image or an_image(scene()), GUIDELINE), **changes)
