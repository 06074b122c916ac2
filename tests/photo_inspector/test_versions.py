"""A change that drafts every project anew is made on purpose: the versions are pinned."""

from __future__ import annotations

import json
from importlib import resources

import pytest

from fake_clock import FakeClock
from fake_label_studio import FakeImages
from photo_inspector.inspector import BuiltinInspector
from review_copilot.flows.review_context import ReviewContext
from review_copilot.library import load_guideline
from review_copilot.plugin import hash_of_package
from review_copilot.settings import Settings

BUILTIN = "fd7b732a19b2"
"""Changes with the drafts; say why in the commit."""
DRAFTED = {
    "photo-quality": ("930b4985cf32", "50e1f0c0cb30"),
    "pcb": ("a3b59ec93510", "ac9f7c8ff547"),
    "generated-image": ("dee7bb6f3f14", "b90a700abed1"),
    "edited-photo": ("9bb0d2295a8a", "fd62a3680489"),
}
"""Guideline: its revision, and the version of what the built-in inspector drafts by it with default settings."""


def test_the_record_speaks_of_these_files() -> None:
    record = json.loads(resources.files("photo_inspector").joinpath("draft_version.json").read_text("utf-8"))
    assert record["files"] == hash_of_package("photo_inspector"), (
        "A file of photo_inspector changed. Run training/record_version.py; add --new if drafts change."
    )


def test_the_builtin_inspectors_version_is_pinned() -> None:
    assert BuiltinInspector().version == BUILTIN


@pytest.mark.parametrize("name", DRAFTED)
def test_the_versions_of_drafts_are_pinned(name: str) -> None:
    guideline = load_guideline(name)
    least = Settings.model_fields["min_score"].default
    context = ReviewContext(guideline, BuiltinInspector(), FakeImages(), FakeClock(), min_score=least)
    assert (guideline.revision, context.model_version) == DRAFTED[name]
