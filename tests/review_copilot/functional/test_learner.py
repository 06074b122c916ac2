"""The running backend learns from its log, and its pages and drafts go by what was learnt."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from builders import PROJECT, a_comparison, a_review, a_suggestion, an_annotation, task_key
from opened import OpenedCopilot, opened
from review_copilot.domain.geometry import Box
from review_copilot.domain.guideline import UNCOVERED
from review_copilot.domain.override import Override, OverrideKind, Subject
from review_copilot.domain.reviewed_crops import ReviewedCrops
from review_copilot.domain.suggestion import LIKE
from review_copilot.settings import load_settings
from review_copilot.web import create_app
from review_copilot.web.learning_worker import LearningWorker


def mark(copilot: OpenedCopilot, count: int, *, note: str = "") -> None:
    """Reviewers mark a region on each of so many tasks as something that no criterion claims."""
    for task in range(1, count + 1):
        drawn = Override(
            Subject.REGION, OverrideKind.ADDED, criterion_to=UNCOVERED, box_to=Box(0.1, 0.1, 0.2, 0.2), note=note
        )
        annotation = an_annotation(key=task_key(task), annotation_id=task, content_hash=f"{task}{note}")
        copilot.store.append(a_comparison(annotation, [drawn]))


@pytest.fixture
def copilot(tmp_path: Path) -> Iterator[OpenedCopilot]:
    settings = load_settings(_env_file=None, database_url=f"sqlite:///{tmp_path}/log.db", allow_anonymous=True)
    made = opened(settings)
    yield made
    made.store.close()


def test_the_thread_learns_at_once_and_ends_when_asked(copilot: OpenedCopilot) -> None:
    mark(copilot, 12, note="sticker on the glass")
    learning_worker = LearningWorker(copilot.parts().learning, opener_of=copilot.process.opener_of)
    learning_worker.start()
    until = time.monotonic() + 20
    while copilot.store.reviewed_crops(PROJECT) is None and time.monotonic() < until:
        time.sleep(0.05)
    learning_worker.stop()
    spoken = a_suggestion(rationale="A sticker on the glass hides the label.")
    told = copilot.parts().service.remind(a_review("r9", spoken)).suggestions[0]
    assert str(told.evidence[LIKE]).startswith("Like 12 regions that reviewers marked as")


def test_the_dashboard_tells_unnoted_regions_apart_by_crops_that_were_seen(copilot: OpenedCopilot) -> None:
    """Two kinds without a word: only their looks can tell."""
    mark(copilot, 40)
    rows = [row.id for row in copilot.store.overrides()]
    noise = np.random.default_rng(1).normal(0, 0.05, (40, 14))
    looks = {row: tuple((noise[i] + i % 2).tolist()) for i, row in enumerate(rows)}
    client = create_app(copilot.parts()).test_client()
    assert "alike in the image" not in client.get("/copilot/").text.lower()
    copilot.store.keep_reviewed_crops(PROJECT, ReviewedCrops(copilot.clock.now(), crops=looks))
    again = create_app(copilot.parts()).test_client().get("/copilot/").text.lower()
    assert again.count("<h3>alike in the image, without a note</h3>") == 2
