from __future__ import annotations

import pytest

from review_copilot.errors import LibraryError
from review_copilot.inspectors.coordinates import Order, Unit
from review_copilot.inspectors.profiles import profile_for, read_profiles, write_profiles
from review_copilot.inspectors.tokens import text_tokens
from review_copilot.library import prompt_source

PROFILES = read_profiles(prompt_source("profiles.yaml"))


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("Qwen/Qwen2-VL-2B-Instruct", "qwen2-vl"),
        ("qwen2.5vl:7b", "qwen2.5-vl"),
        ("Qwen/Qwen3-VL-30B-A3B-Instruct-FP8", "qwen3-vl"),
        ("google/gemini-2.5-flash", "gemini"),
        ("gpt-4o-mini", "gpt-4o-mini"),
        ("gpt-4.1-mini-2025-04-14", "gpt-4.1-mini"),
        ("gpt-5.5", "gpt-5"),
        ("qwen-vl-max-latest", "qwen-vl-hosted"),
        ("allenai/Molmo2-8B", "molmo-2"),
        ("google/gemma-3-27b-it", "gemma-3"),
        ("meta-llama/llama-4-maverick", "llama-4"),
        ("mistralai/pixtral-12b", "pixtral"),
        ("zai-org/GLM-4.5V", "glm-4.5v"),
        ("x-ai/grok-4", "grok"),
        ("amazon.nova-pro-v1:0", "nova"),
        ("llava-hf/llava-1.5-7b-hf", "default"),
        ("something-new", "default"),
    ],
)
def test_a_model_finds_its_family_by_name(model: str, name: str) -> None:
    assert profile_for(model, PROFILES).name == name


def test_a_users_profile_goes_first_and_survives_a_file() -> None:
    own = read_profiles("profiles: [{name: ours, match: gemini, boxes: {unit: pixels, order: xywh}}]")
    found = profile_for("gemini-3", (*own, *PROFILES))
    assert (found.name, found.convention.unit, found.convention.order) == ("ours", Unit.PIXELS, Order.XYWH)
    assert read_profiles(write_profiles(PROFILES)) == PROFILES


def test_a_profile_can_be_named_and_a_wrong_name_lists_the_right_ones() -> None:
    assert profile_for("anything", PROFILES, name="gemini").convention.order is Order.YXYX
    with pytest.raises(LibraryError, match="There are: qwen-vl-hosted"):
        profile_for("anything", PROFILES, name="gemni")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("profiles: [{name: a, boxs: {}}]", "boxs"),
        ("profiles: [{name: a, boxes: {unit: inches}}]", "unit"),
        ("profiles: [{name: a, match: '('}]", "regular expression"),
        ("profiles: [", "no YAML"),
        ("[]", "profiles.yaml"),
    ],
)
def test_a_wrong_file_says_what_is_wrong(text: str, says: str) -> None:
    with pytest.raises(LibraryError, match=says):
        read_profiles(text)


@pytest.mark.parametrize(
    ("model", "size", "tokens"),
    [  # figures of the providers and of third-party measurements
        ("gpt-4o", (1024, 1024), 765),
        ("gpt-4o", (4096, 2048), 1105),
        ("gpt-5.5", (1024, 1024), 1229),
        ("gpt-5.5", (4032, 3024), 14364),
        ("gpt-4.1-mini", (1024, 1024), 1659),
        ("gpt-4.1-mini", (4032, 3024), 2489),
        ("qwen2.5-vl-7b", (1288, 980), 1610),
        ("gemini-3-pro", (4032, 3024), 1100),
    ],
)
def test_image_tokens(model: str, size: tuple[int, int], tokens: int) -> None:
    assert profile_for(model, PROFILES).tokens.image_tokens(*size) == tokens


def test_a_text_has_a_token_for_four_letters() -> None:
    assert text_tokens("a" * 401) == 101


def test_every_profile_says_where_its_facts_come_from_and_when() -> None:
    assert all(profile.source and profile.read for profile in PROFILES)


def test_families_that_nobody_describes_are_not_taken_as_known() -> None:
    unknown = {profile.name for profile in PROFILES if not profile.known}
    assert unknown == {"gemma-3", "pixtral", "llama-4", "grok", "nova-other"}
    assert not profile_for("something-new", PROFILES).known
    assert profile_for("claude-opus-5", PROFILES).convention.unit is Unit.PIXELS
