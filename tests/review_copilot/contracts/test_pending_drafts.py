"""What every backlog must do: in memory, on SQLite and on PostgreSQL."""

from __future__ import annotations

from datetime import timedelta

from builders import PROJECT, a_task
from fake_clock import FakeClock
from review_copilot.ports import Store


class TestBacklog:
    ROLLOUT = "photo-quality r1 0a1b2c"

    def add_pending(self, store: Store, *task_ids: int, due_in_s: float = 0.0) -> None:
        tasks = [a_task(task_id) for task_id in task_ids]
        store.add_pending(tasks, rollout=self.ROLLOUT, due_in_s=due_in_s)

    def claimed(self, store: Store, *, limit: int = 10) -> list[int]:
        return [pending_draft.key.task_id for pending_draft in store.claim(limit=limit, lease_s=60)]

    def test_errands_come_back_whole_and_once(self, store: Store) -> None:
        self.add_pending(store, 1, 2)
        self.add_pending(store, 2, 3)
        first, second, third = store.claim(limit=10, lease_s=60)
        assert (first.key, first.rollout, first.attempts) == (a_task(1).key, self.ROLLOUT, 0)
        assert [second.key.task_id, third.key.task_id] == [2, 3]
        assert store.pending_count() == 3
        assert self.claimed(store) == []

    def test_a_lease_that_ended_lets_another_take_up_the_errand(self, store: Store, clock: FakeClock) -> None:
        """What a process that died held is not lost."""
        self.add_pending(store, 1)
        assert self.claimed(store) == [1]
        clock.time += timedelta(seconds=61)
        assert self.claimed(store) == [1]

    def test_the_longest_due_come_first_and_no_more_than_asked_for(self, store: Store, clock: FakeClock) -> None:
        self.add_pending(store, 1, due_in_s=30)
        self.add_pending(store, 2, due_in_s=10)
        assert self.claimed(store) == []
        clock.time += timedelta(seconds=30)
        assert self.claimed(store, limit=1) == [2]

    def test_errands_are_hastened_put_back_and_settled(self, store: Store, clock: FakeClock) -> None:
        self.add_pending(store, 1, 2, due_in_s=600)
        store.reschedule(PROJECT, rollout=self.ROLLOUT, task_ids=[1], due_in_s=0)
        (pending_draft,) = store.claim(limit=10, lease_s=60)
        store.release([pending_draft.id], due_in_s=5, failed=True)
        clock.time += timedelta(seconds=5)
        (again,) = store.claim(limit=10, lease_s=60)
        assert (again.key.task_id, again.attempts) == (1, 1)
        store.clear_pending(PROJECT, rollout="another", task_ids=[1, 2])
        assert store.pending_count() == 2
        store.clear_pending(PROJECT, rollout=self.ROLLOUT, task_ids=[1, 2, 9])
        assert store.pending_count() == 0
