"""Fixtures of the unit tests: a log in memory, and a context whose inspector and images are made up."""

from __future__ import annotations

import pytest

from fake_clock import FakeClock
from fake_label_studio import FakeImages, FakeInspector
from fakes import MemoryStore
from review_copilot.flows.review_context import ReviewContext
from review_copilot.library import load_guideline


@pytest.fixture
def store() -> MemoryStore:
    """An empty log."""
    return MemoryStore()


@pytest.fixture
def context() -> ReviewContext:
    """A context that drafts what the made-up inspector says."""
    return ReviewContext(load_guideline("photo-quality"), FakeInspector(), FakeImages(), FakeClock(), min_score=0.3)
