"""What every store must do with annotations that change, are deleted or are heard of late."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from builders import (
    PROJECT,
    a_comparison,
    a_row,
    an_annotation,
    at,
    task_key,
)
from review_copilot.domain.override import OverrideKind
from review_copilot.ports import Appended, Store


def test_a_later_edit_adds_a_revision_by_its_editor(store: Store) -> None:
    first = an_annotation(author="3")
    store.append(a_comparison(first, [a_row()]))
    later = replace(first, content_hash="c2", editor="4", updated_at=at(300))
    assert store.append(a_comparison(later, [a_row(OverrideKind.EDITED)])) == Appended(revisions=1, rows=1)
    (now,) = store.overrides()
    assert (now.revision, now.author, now.editor, now.override.kind) == (2, "3", "4", OverrideKind.EDITED)
    assert [(row.revision, row.current) for row in store.overrides(current=False)] == [(1, False), (2, True)]


def test_an_edit_taken_back_is_a_third_revision(store: Store) -> None:
    for number, content in enumerate(("a", "b", "a")):
        store.append(a_comparison(an_annotation(content_hash=content, updated_at=at(200 + number)), [a_row()]))
    assert [row.revision for row in store.overrides(current=False)] == [1, 2, 3]


def test_a_late_reading_of_an_older_content_does_not_become_current(store: Store) -> None:
    new = a_comparison(an_annotation(content_hash="b", updated_at=at(300)), [a_row(note="new")])
    old = a_comparison(an_annotation(content_hash="a", updated_at=at(200)), [a_row(note="old")])
    store.append(new)
    assert store.append(old).revisions == 1
    assert store.append(old) == Appended(late=1)
    assert store.append(new) == Appended()
    assert [row.override.note for row in store.overrides()] == ["new"]
    assert len(list(store.overrides(current=False))) == 2


def test_a_late_reading_between_two_readings_of_one_content_is_not_current(store: Store) -> None:
    """A, then B, then A again, but B is read last."""
    for content, seconds in (("a", 200), ("a", 400), ("b", 300), ("b", 300), ("a", 400), ("a", 250)):
        store.append(a_comparison(an_annotation(content_hash=content, updated_at=at(seconds)), [a_row(note=content)]))
    assert [row.override.note for row in store.overrides()] == ["a"]
    assert [row.override.note for row in store.overrides(current=False)] == ["a", "b"]


def test_what_was_surely_read_last_is_newest_whatever_time_it_carries(store: Store) -> None:
    """Label Studio's clock was set back: each edit carries an earlier time than the log's newest revision."""

    def read(content: str, updated_at: datetime, *, surely_newest: bool = False) -> Appended:
        annotation = an_annotation(content_hash=content, updated_at=updated_at)
        return store.append_all([a_comparison(annotation, [a_row(note=content)])], surely_newest=surely_newest)

    def current() -> list[str]:
        return [row.override.note for row in store.overrides()]

    read("first", at(500))
    assert read("second", at(300)) == Appended(1, 1, late=1)
    assert current() == ["first"]
    assert read("second", at(300), surely_newest=True) == Appended()
    assert current() == ["second"]
    assert read("second", at(300)) == Appended()
    assert read("third", at(320), surely_newest=True) == Appended(1, 1)
    assert current() == ["third"]
    assert read("first", at(340), surely_newest=True) == Appended(1, 1)
    assert read("first", at(340), surely_newest=True) == Appended()
    assert current() == ["first"]
    assert read("fourth", at(900)) == Appended(1, 1)
    assert current() == ["fourth"]
    assert read("first", at(340)) == Appended(late=1)


def test_the_same_content_with_other_rows_is_a_revision(store: Store) -> None:
    """A review that becomes known later changes what an annotation is compared with."""
    annotation = an_annotation()
    store.append(a_comparison(annotation, [a_row(OverrideKind.ADDED)]))
    store.append(a_comparison(annotation, [a_row(OverrideKind.UNTOUCHED)]))
    assert [row.override.kind for row in store.overrides()] == [OverrideKind.UNTOUCHED]


def test_contents_without_times_are_ordered_by_arrival(store: Store) -> None:
    for content in ("a", "b", "b", "a"):
        store.append(a_comparison(an_annotation(content_hash=content, updated_at=None), [a_row(note=content)]))
    assert [row.override.note for row in store.overrides(current=False)] == ["a", "b", "a"]
    assert [row.override.note for row in store.overrides()] == ["a"]


def test_a_deleted_annotation_leaves_the_current_state_and_stays_in_the_log(store: Store) -> None:
    store.append(a_comparison(an_annotation(annotation_id=11), [a_row()]))
    store.append(a_comparison(an_annotation(annotation_id=12), [a_row()]))
    assert store.living(task_key()) == {11, 12}
    assert store.record_deletion(task_key(), annotation_ids=[11]) == 1
    assert store.record_deletion(task_key(), annotation_ids=[11]) == 0
    assert store.living(task_key()) == {12}
    assert [row.annotation_id for row in store.overrides()] == [12]
    assert [(row.annotation_id, row.deleted, row.current) for row in store.overrides(current=False)] == [
        (11, True, False),
        (12, False, True),
    ]


def test_the_newest_reading_of_each_living_annotation_of_a_task(store: Store) -> None:
    first, second = an_annotation(content_hash="a"), an_annotation(content_hash="b", updated_at=at(300))
    other, gone = an_annotation(annotation_id=12), an_annotation(annotation_id=13)
    elsewhere = an_annotation(annotation_id=14, key=task_key(2))
    for annotation in (first, second, other, gone, elsewhere):
        store.append(a_comparison(annotation))
    store.record_deletion(task_key(), annotation_ids=[13])
    assert store.newest(task_key()) == {11: second, 12: other}
    assert store.newest(task_key(3)) == {}


def test_a_deleted_task_buries_all_its_annotations(store: Store) -> None:
    for annotation_id in (11, 12):
        store.append(a_comparison(an_annotation(annotation_id=annotation_id), [a_row()]))
    store.append(a_comparison(an_annotation(annotation_id=13, key=task_key(2)), [a_row()]))
    assert store.living_tasks(PROJECT) == {1, 2}
    assert store.record_deletion(task_key()) == 2
    assert store.living_tasks(PROJECT) == {2}


def test_an_annotation_read_again_lives_again(store: Store) -> None:
    comparison = a_comparison(an_annotation(), [a_row()])
    store.append(comparison)
    store.record_deletion(task_key())
    assert store.append(comparison) == Appended()
    assert store.living(task_key()) == {11}
    assert store.record_deletion(task_key()) == 1


def test_an_unconfirmed_annotation_stays_buried_even_when_its_deletion_came_first(store: Store) -> None:
    assert store.record_deletion(task_key(), annotation_ids=[11]) == 1
    store.append(a_comparison(an_annotation(), [a_row()], confirmed=False))
    assert store.living(task_key()) == frozenset()
    assert list(store.overrides()) == []
    assert [row.confirmed for row in store.overrides(current=False)] == [False]


def test_an_annotation_without_rows_is_living(store: Store) -> None:
    assert store.append(a_comparison(an_annotation())) == Appended(revisions=1, rows=0)
    assert store.living(task_key()) == {11}


def test_an_unconfirmed_annotation_of_a_deleted_task_is_buried_when_it_is_heard_of_late(store: Store) -> None:
    """A confirmed one was just read from Label Studio, so its task exists."""
    store.record_deletion(task_key(5))
    late = an_annotation(annotation_id=11, key=task_key(5))
    store.append(a_comparison(late, [a_row()], confirmed=False))
    assert not store.living(task_key(5))
    store.append(a_comparison(late, [a_row()]))
    assert store.living(task_key(5)) == {11}
    later = an_annotation(annotation_id=12, key=task_key(5))
    store.append(a_comparison(later, [a_row()], confirmed=False))
    assert store.living(task_key(5)) == {11, 12}


def test_reading_it_from_label_studio_confirms_what_a_webhook_said(store: Store) -> None:
    annotation = an_annotation()
    store.append(a_comparison(annotation, [a_row()], confirmed=False))
    assert store.append(a_comparison(annotation, [a_row()])).revisions == 0
    assert {row.confirmed for row in store.overrides()} == {True}
    store.append(a_comparison(annotation, [a_row()], confirmed=False))
    assert {row.confirmed for row in store.overrides()} == {True}


def test_a_deletion_that_named_no_task_holds_for_the_annotation_that_is_heard_of_later(store: Store) -> None:
    """Label Studio's deletion events hold annotation ids alone; task 0 stands for "not said"."""
    assert store.record_deletion(task_key(0), annotation_ids=[11]) == 1
    store.append(a_comparison(an_annotation(annotation_id=11, key=task_key(5)), [a_row()], confirmed=False))
    assert not list(store.overrides())
    assert {row.key.task_id for row in store.overrides(current=False)} == {5}
    store.append(a_comparison(an_annotation(annotation_id=11, key=task_key(5)), [a_row()]))
    assert store.living(task_key(5)) == {11}
