"""What every backlog must do: in memory, on SQLite and on PostgreSQL."""

from __future__ import annotations

from datetime import timedelta

from builders import PROJECT, a_task
from fakes import FakeClock
from review_copilot.ports import Store


class TestBacklog:
    ROLLOUT = "photo-quality r1 0a1b2c"

    def owe(self, store: Store, *task_ids: int, due_in_s: float = 0.0) -> None:
        tasks = [a_task(task_id) for task_id in task_ids]
        store.owe(tasks, rollout=self.ROLLOUT, due_in_s=due_in_s)

    def claimed(self, store: Store, *, limit: int = 10) -> list[int]:
        return [errand.task.key.task_id for errand in store.claim(limit=limit, lease_s=60)]

    def test_errands_come_back_whole_and_once(self, store: Store) -> None:
        self.owe(store, 1, 2)
        self.owe(store, 2, 3)
        first, second, third = store.claim(limit=10, lease_s=60)
        assert (first.task, first.rollout, first.attempts) == (a_task(1), self.ROLLOUT, 0)
        assert [second.task.key.task_id, third.task.key.task_id] == [2, 3]
        assert store.owed() == 3
        assert self.claimed(store) == []

    def test_a_lease_that_ended_lets_another_take_up_the_errand(self, store: Store, clock: FakeClock) -> None:
        """What a process that died held is not lost."""
        self.owe(store, 1)
        assert self.claimed(store) == [1]
        clock.time += timedelta(seconds=61)
        assert self.claimed(store) == [1]

    def test_the_longest_due_come_first_and_no_more_than_asked_for(self, store: Store, clock: FakeClock) -> None:
        self.owe(store, 1, due_in_s=30)
        self.owe(store, 2, due_in_s=10)
        assert self.claimed(store) == []
        clock.time += timedelta(seconds=30)
        assert self.claimed(store, limit=1) == [2]

    def test_errands_are_hastened_put_back_and_settled(self, store: Store, clock: FakeClock) -> None:
        self.owe(store, 1, 2, due_in_s=600)
        store.hasten(PROJECT, rollout=self.ROLLOUT, task_ids=[1], due_in_s=0)
        (errand,) = store.claim(limit=10, lease_s=60)
        store.put_back([errand.id], due_in_s=5, failed=True)
        clock.time += timedelta(seconds=5)
        (again,) = store.claim(limit=10, lease_s=60)
        assert (again.task.key.task_id, again.attempts) == (1, 1)
        store.settle(PROJECT, rollout="another", task_ids=[1, 2])
        assert store.owed() == 2
        store.settle(PROJECT, rollout=self.ROLLOUT, task_ids=[1, 2, 9])
        assert store.owed() == 0
