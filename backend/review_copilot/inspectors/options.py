"""Plain values that model inspectors are made from. Knows no settings class and no file system."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class ModelSetup:
    """What an inspector that asks a model is made from.

    Attributes:
        model: The model's name at its endpoint; for a local model a folder or its name on the hub.
        system_prompt: Template of the static words, as text.
        user_prompt: Template of the words of a task, as text.
        second_look_prompt: Template of the second look, as text.
        profile_files: Texts of profile files, the user's own first.
        price_files: Texts of price files, the user's own first.
        profile: Name of the profile to take; empty to find one by the model's name.
        base_url: Address of the endpoint up to and with `/v1`; empty for OpenAI's.
        api_key: Key of the endpoint; empty where none is asked for.
        timeout_s: Seconds for one image, all waiting counted.
        concurrency: Most requests to the endpoint at once.
        reserved: How many of them are kept for a person with the Magic tool.
        max_tokens: Length limit of a reply.
        close_ups: Most parts at full size beside the whole image, where the guideline asks for detail.
        second_look: Whether each box is looked at again.
        budget_usd: What this process may spend; None for no limit.
        cache_folder: Where replies are kept; None to keep them as long as the process lasts.
        device: Where a local model runs: "auto", "cpu", "cuda" ...
        dtype: Numbers of a local model: "auto", "bfloat16" ...
        batch_size: Most images in one run of a local model.
        reasoning_effort: How hard a thinking model thinks, in its provider's words; empty to send none.
        extra_body: More fields of each request's body.
        extra_headers: More headers of each request.
        hybrid_runs: Which of "openai" and "transformers" stands behind `hybrid`.
    """

    model: str
    system_prompt: str
    user_prompt: str
    second_look_prompt: str
    profile_files: tuple[str, ...] = ()
    price_files: tuple[str, ...] = ()
    profile: str = ""
    base_url: str = ""
    api_key: str = field(default="", repr=False)
    timeout_s: float = 120.0
    concurrency: int = 4
    reserved: int = 0
    max_tokens: int = 2048
    close_ups: int = 6
    second_look: bool = False
    budget_usd: float | None = None
    cache_folder: Path | None = None
    device: str = "auto"
    dtype: str = "auto"
    batch_size: int = 4
    reasoning_effort: str = ""
    extra_body: Mapping[str, Any] = field(default_factory=dict)
    extra_headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    hybrid_runs: str = "openai"
