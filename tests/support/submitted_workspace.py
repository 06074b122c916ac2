"""A project with submitted annotations."""

from __future__ import annotations

from datetime import timedelta

from builders import NOON, PROJECT, a_review, a_suggestion, task_key, untouched
from fake_label_studio import FakeWorkspace
from fakes import MemoryStore


def submitted_workspace(store: MemoryStore) -> FakeWorkspace:
    """Three tasks. Two of them have a draft, in the store, that was submitted untouched."""
    made = FakeWorkspace(PROJECT, {1: "1.png", 2: "2.png", 3: "3.png"})
    for task_id in (1, 2):
        review = a_review(f"r{task_id}", a_suggestion(f"s{task_id}"), key=task_key(task_id))
        store.remember([review])
        made.annotations[task_id] = [
            untouched(review, key=review.key, annotation_id=10 + task_id, content_hash=f"c{task_id}")
        ]
        made.touched[task_id] = NOON + timedelta(minutes=task_id)
    return made
