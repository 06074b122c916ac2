"""What metrics read of every store: how far the log is behind, and how much has been drafted."""

from __future__ import annotations

from datetime import timedelta

from builders import a_review, task_key
from fake_clock import FakeClock
from review_copilot.ports import Store, WebhookNotice


def test_the_inbox_says_since_when_it_waits(store: Store, clock: FakeClock) -> None:
    assert store.waiting_since() is None
    came = clock.now()
    first = store.put(WebhookNotice(0, "i", 7, (1,), "ANNOTATION_CREATED"))
    clock.time += timedelta(seconds=30)
    store.put(WebhookNotice(0, "i", 7, (2,), "ANNOTATION_CREATED"))
    assert store.waiting_since() == came
    store.done([first])
    assert store.waiting_since() == clock.now()


def test_the_number_of_the_newest_review_rises_with_each(store: Store) -> None:
    assert store.newest_review() == 0
    store.remember([a_review("r1")])
    first = store.newest_review()
    store.remember([a_review("r2", key=task_key(2))])
    assert 0 < first < store.newest_review()
