"""Model families: how each writes boxes, which image sizes it likes, how it counts image tokens.

Reads the text of profile files that it is handed. Knows no file system and asks no model.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated

import yaml
from pydantic import Field

from review_copilot.errors import LibraryError
from review_copilot.inspectors.coordinates import Convention, Order, Resize, Unit
from review_copilot.inspectors.strict_yaml import Strict, check_matches, read_strict
from review_copilot.inspectors.tokens import TokenRule, TokenRuleKind


@dataclass(frozen=True, slots=True)
class Profile:
    """What is known of one model family. Every value is a default that a user's file may override.

    Attributes:
        name: Short name, such as "qwen3-vl".
        match: Regular expression that is searched for in the model's name, without regard to case; empty when the
            profile is picked by name only.
        convention: How it writes boxes.
        box_key: Name of the box in the reply, as the family was trained to write it.
        grid: The size to which images are brought before they are sent, so that the model need not resize them.
        tokens: How its provider counts image tokens.
        temperature: Sampling temperature to ask for; None for models that refuse the parameter.
        trust: Share of the family's findings that hold, 0..1: the prior of a finding's score.
        reasoning_tokens: How many tokens the family typically thinks before it answers, for estimates.
        known: Whether anybody knows how the family writes boxes; else `probe` must find out.
        source: Where the facts were read.
        read: When the facts were read, such as "2026-11".
    """

    name: str
    match: str = ""
    convention: Convention = field(default_factory=lambda: Convention(Unit.THOUSANDTHS, Order.XYXY))
    box_key: str = "box"
    grid: Resize = field(default_factory=lambda: Resize(longest_px=1024))
    tokens: TokenRule = field(default_factory=TokenRule)
    temperature: float | None = 0.0
    trust: float = 0.5
    reasoning_tokens: int = 0
    known: bool = True
    source: str = ""
    read: str = ""


_Count = Annotated[int, Field(ge=0)]
_AtLeastOne = Annotated[int, Field(ge=1)]


class _ResizeEntry(Strict):
    factor: _AtLeastOne = 1
    min_pixels: _Count = 0
    max_pixels: _Count = 0
    longest_px: _Count = 0
    shortest_px: _Count = 0
    square_px: _Count = 0


class _BoxEntry(Strict):
    unit: Unit = Unit.THOUSANDTHS
    order: Order = Order.XYXY
    key: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")] = "box"
    frame: _ResizeEntry = _ResizeEntry()


class _TokenEntry(Strict):
    rule: TokenRuleKind = TokenRuleKind.PATCH
    patch_px: _AtLeastOne = 32
    factor: Annotated[float, Field(gt=0)] = 1.0
    cap: _Count = 0
    base: _Count = 0


class _ProfileEntry(Strict):
    name: str
    match: str = ""
    boxes: _BoxEntry = _BoxEntry()
    grid: _ResizeEntry = _ResizeEntry(longest_px=1024)
    tokens: _TokenEntry = _TokenEntry()
    temperature: float | None = 0.0
    trust: Annotated[float, Field(ge=0, le=1)] = 0.5
    reasoning_tokens: _Count = 0
    known: bool = True
    source: str = ""
    read: str = ""


class _ProfileFile(Strict):
    profiles: tuple[_ProfileEntry, ...]


def read_profiles(text: str, *, name: str = "profiles.yaml") -> tuple[Profile, ...]:
    """Read a profile file.

    Args:
        text: YAML with one key, `profiles`: a list.
        name: What to call the file in an error.

    Raises:
        LibraryError: The file is no YAML, has an unknown key or a wrong value.
    """
    entries = read_strict(text, _ProfileFile, name=name, example="prompts/profiles.yaml").profiles
    check_matches((entry.match for entry in entries), name=name)
    return tuple(_profile(entry) for entry in entries)


def write_profiles(profiles: Sequence[Profile]) -> str:
    """The text of a profile file: what `read_profiles` reads."""
    entries = [
        {
            "name": profile.name,
            "match": profile.match,
            "boxes": {
                "unit": profile.convention.unit.value,
                "order": profile.convention.order.value,
                "key": profile.box_key,
                "frame": _resize_entry(profile.convention.frame),
            },
            "grid": _resize_entry(profile.grid),
            "tokens": {
                "rule": profile.tokens.kind.value,
                "patch_px": profile.tokens.patch_px,
                "factor": profile.tokens.factor,
                "cap": profile.tokens.cap,
                "base": profile.tokens.base,
            },
            "temperature": profile.temperature,
            "trust": profile.trust,
            "reasoning_tokens": profile.reasoning_tokens,
            "known": profile.known,
            "source": profile.source,
            "read": profile.read,
        }
        for profile in profiles
    ]
    return yaml.safe_dump({"profiles": entries}, sort_keys=False)


def profile_for(model: str, profiles: Sequence[Profile], *, name: str = "") -> Profile:
    """The profile of a model: the one named, else the first whose expression is found in the model's name.

    Args:
        model: The model's name as the endpoint knows it.
        profiles: In the order of preference: the user's own first.
        name: Name of a profile to take whatever the model is called; empty to look for one.

    Returns:
        The profile; one with common defaults when none matches.

    Raises:
        LibraryError: No profile has the given name.
    """
    if name:
        for profile in profiles:
            if profile.name == name:
                return profile
        known = ", ".join(profile.name for profile in profiles)
        raise LibraryError(f"There is no model profile {name!r}.", hint=f"There are: {known}.")
    for profile in profiles:
        if profile.match and re.search(profile.match, model, re.IGNORECASE):
            return profile
    return Profile(name="default", known=False)


def _profile(entry: _ProfileEntry) -> Profile:
    return Profile(
        name=entry.name,
        match=entry.match,
        convention=Convention(entry.boxes.unit, entry.boxes.order, _resize(entry.boxes.frame)),
        box_key=entry.boxes.key,
        grid=_resize(entry.grid),
        tokens=TokenRule(
            kind=entry.tokens.rule,
            patch_px=entry.tokens.patch_px,
            factor=entry.tokens.factor,
            cap=entry.tokens.cap,
            base=entry.tokens.base,
        ),
        temperature=entry.temperature,
        trust=entry.trust,
        reasoning_tokens=entry.reasoning_tokens,
        known=entry.known,
        source=entry.source,
        read=entry.read,
    )


def _resize(entry: _ResizeEntry) -> Resize:
    return Resize(**entry.model_dump())


def _resize_entry(resize: Resize) -> dict[str, int]:
    return {
        "factor": resize.factor,
        "min_pixels": resize.min_pixels,
        "max_pixels": resize.max_pixels,
        "longest_px": resize.longest_px,
        "shortest_px": resize.shortest_px,
        "square_px": resize.square_px,
    }
