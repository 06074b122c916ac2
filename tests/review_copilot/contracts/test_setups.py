"""Every store keeps the setups of projects, version after version."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from fake_clock import FakeClock
from review_copilot.domain.review import ProjectKey
from review_copilot.domain.setup import ProjectSetup
from review_copilot.ports import Store

ONE, OTHER = ProjectKey("http://ls", 1, "1"), ProjectKey("http://ls", 2, "1")
SETUP = ProjectSetup("photo-quality", "title: Photos\n", "0123456789ab", "builtin")


def test_a_project_without_a_set_up_has_none(store: Store) -> None:
    assert store.setup(ONE) is None
    assert list(store.setups(ONE)) == []


def test_each_change_is_a_new_version_and_no_version_is_rewritten(store: Store, clock: FakeClock) -> None:
    first = store.store_setup(ONE, SETUP)
    second = store.store_setup(ONE, replace(SETUP, inspector="hybrid", model="fast", blind_share=0.1))
    assert (first.number, second.number) == (1, 2)
    assert store.setup(ONE) == second
    assert list(store.setups(ONE)) == [first, second]
    assert first.stored_at == clock.now()


def test_the_same_set_up_again_is_no_new_version(store: Store) -> None:
    first = store.store_setup(ONE, SETUP)
    assert store.store_setup(ONE, SETUP) == first
    assert len(store.setups(ONE)) == 1


def test_going_back_is_a_version_too(store: Store) -> None:
    store.store_setup(ONE, SETUP)
    store.store_setup(ONE, replace(SETUP, min_score=0.5))
    assert store.store_setup(ONE, SETUP).number == 3


def test_projects_do_not_share_set_ups(store: Store) -> None:
    store.store_setup(ONE, SETUP)
    store.store_setup(OTHER, replace(SETUP, images_may_leave=False))
    kept, other = store.setup(ONE), store.setup(OTHER)
    assert kept is not None
    assert other is not None
    assert (kept.setup.images_may_leave, other.setup.images_may_leave) == (True, False)
    assert other.number == 1


def test_a_stored_set_up_makes_the_project_known(store: Store) -> None:
    store.store_setup(ONE, SETUP)
    assert list(store.projects()) == [ONE]


def test_a_mark_of_new_tasks_is_set_moved_and_removed(store: Store, clock: FakeClock) -> None:
    now = clock.now()
    assert store.new_tasks_since(ONE) is None
    store.mark_new_tasks(ONE, now)
    store.mark_new_tasks(OTHER, now)
    store.mark_new_tasks(ONE, now + timedelta(minutes=5))
    assert (store.new_tasks_since(ONE), store.new_tasks_since(OTHER)) == (now + timedelta(minutes=5), now)
    store.mark_new_tasks(ONE, None)
    assert (store.new_tasks_since(ONE), store.new_tasks_since(OTHER)) == (None, now)
