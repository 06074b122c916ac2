"""Create the setups that an evaluation compares. Opens no database and does not call Label Studio."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from review_copilot.bootstrap.engines import thread_engine
from review_copilot.bootstrap.reviewing import SystemClock, inspector_of, review_context
from review_copilot.bootstrap.setups import changed_settings, guideline_of, settings_for
from review_copilot.domain.guideline import Guideline
from review_copilot.domain.review import ReviewTask
from review_copilot.domain.setup import ProjectSetup
from review_copilot.errors import SettingsError
from review_copilot.flows.blind_share import BlindShare
from review_copilot.flows.evaluate import Contender
from review_copilot.flows.review_context import ReviewContext
from review_copilot.inspectors.reply_cache import FolderReplyCache
from review_copilot.library import load_guideline
from review_copilot.ports import ImageSource, Shared
from review_copilot.settings import Settings
from review_copilot.store.kept_drafts import FolderDrafts

_ON_OFF = {"on": True, "off": False}
KEYS = ("guideline", "inspector", "model", "prompts", "min-score", "second-look")
"""Parts of a setup that can be changed for an evaluation."""


@dataclass(frozen=True)
class Candidate:
    """A setup that no project needs to have.

    Attributes:
        settings: The settings with its inspector, model, prompts, and thresholds.
        guideline: Its guideline.
        images_may_leave: Whether images may be sent to a model on another machine.
    """

    settings: Settings
    guideline: Guideline
    images_may_leave: bool = True


def candidate_of(setup: ProjectSetup | None, settings: Settings) -> Candidate:
    """The setup of a project; for None, that of the settings.

    Raises:
        LibraryError: Its guideline or its model connection cannot be read.
        SettingsError: It keeps images on this machine, and its model is on another one.
    """
    if setup is None:
        return Candidate(settings, load_guideline(settings.guideline))
    return Candidate(settings_for(setup, settings), guideline_of(setup), setup.images_may_leave)


def changed(candidate: Candidate, words: Sequence[str]) -> Candidate:
    """A setup with some parts changed.

    Args:
        candidate: The setup before the change.
        words: Texts such as "model=gpt-5.4-mini"; see `KEYS`.

    Raises:
        SettingsError: A text is not of that form, or the change has no effect.
        LibraryError: A file or a model connection cannot be read.
    """
    values: dict[str, str] = {}
    for text in words:
        key, equals, value = text.partition("=")
        if key.strip() not in KEYS or not equals or not value.strip():
            raise SettingsError(
                f"{text!r} is not a change of a setup.",
                hint=f"Use KEY=VALUE, with one of these keys: {', '.join(KEYS)}.",
            )
        values[key.strip()] = value.strip()
    guideline = load_guideline(values["guideline"]) if "guideline" in values else candidate.guideline
    settings = changed_settings(
        candidate.settings,
        images_may_leave=candidate.images_may_leave,
        inspector=values.get("inspector"),
        model=values.get("model"),
        prompts=Path(values["prompts"]).expanduser() if "prompts" in values else None,
        min_score=_score(values["min-score"]) if "min-score" in values else None,
        second_look=_switch(values["second-look"]) if "second-look" in values else None,
    )
    unused = sorted({"model", "prompts", "second-look"} & values.keys()) if settings.inspector == "builtin" else []
    if unused:
        raise SettingsError(
            f"The inspector builtin uses no {unused[0]}.",
            hint="Add a change of the inspector, such as inspector=hybrid.",
        )
    return Candidate(settings, guideline, candidate.images_may_leave)


@dataclass(frozen=True)
class EvaluationParts:
    """What the setups of one evaluation share.

    Attributes:
        images: Loads the images.
        drafts: Folder that keeps drafts between runs.
        shared_for: Returns what model calls share, including the budget of the run.
    """

    images: ImageSource
    drafts: Path
    shared_for: Callable[[Settings], Shared]


def contenders(candidates: Sequence[tuple[str, Candidate]], parts: EvaluationParts) -> tuple[Contender, ...]:
    """The named setups, ready to draft. Setups with the same version share their drafts.

    Raises:
        InspectorUnavailable: An inspector cannot be created.
        LibraryError: A prompt, profile, or price file cannot be read.
        StoreError: Kept drafts cannot be read.
    """
    kept: dict[str, FolderDrafts] = {}
    made = []
    for name, candidate in candidates:
        settings = candidate.settings
        shared = parts.shared_for(settings)
        if _is_elsewhere(settings, candidates[0][1].settings):
            folder = (settings.model_cache or Path("review-copilot-replies")) / f"endpoint-{_endpoint(settings)}"
            shared = replace(shared, replies=FolderReplyCache(folder))
        context = _context(candidate, images=parts.images, shared=shared)
        asks = settings.inspector in {"openai", "hybrid"}
        version = context.model_version + (f"-{_endpoint(settings)}" if asks else "")
        drafts = kept.setdefault(version, FolderDrafts(parts.drafts, version))
        made.append(Contender(name, version, candidate.guideline, thread_engine(settings, context), drafts))
    return tuple(made)


def file_fingerprint(task: ReviewTask) -> str:
    """Hash of the files of a task, so that a changed file is drafted again; empty for files that cannot be read."""
    digest = hashlib.sha256()
    for name in filter(None, (task.image, task.reference)):
        try:
            digest.update(hashlib.sha256(Path(name).read_bytes()).digest())
        except (OSError, ValueError):
            digest.update(b"-")
    return digest.hexdigest()


def _endpoint(settings: Settings) -> str:
    """Hash of the endpoint's address, 6 hex digits: the same model can answer differently on another server."""
    return hashlib.sha256(settings.model_base_url.encode()).hexdigest()[:6]


def _is_elsewhere(settings: Settings, first: Settings) -> bool:
    """Whether the first setup asks the same model at another address, so that cached replies must not be shared."""
    return first.model == settings.model and first.model_base_url != settings.model_base_url


def _context(candidate: Candidate, *, images: ImageSource, shared: Shared) -> ReviewContext:
    """The review context of a setup, without a blind share: each image is drafted."""
    context = review_context(
        candidate.settings,
        guideline=candidate.guideline,
        inspector=inspector_of(candidate.settings, shared=lambda: shared),
        images=images,
        clock=SystemClock(),
    )
    return replace(context, blind=BlindShare())


def _score(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise SettingsError(f"{text!r} is not a score.", hint="Use a number from 0 to 1, such as min-score=0.3.")
    return value


def _switch(text: str) -> bool:
    if text not in _ON_OFF:
        raise SettingsError(f"{text!r} is neither on nor off.", hint="Use second-look=on or second-look=off.")
    return _ON_OFF[text]
