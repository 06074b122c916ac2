"""The sweep: changed tasks are compared, what is gone is deleted, and doing it twice changes nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest

from builders import NOON, PROJECT, a_comparison, an_annotation, task_key
from fake_label_studio import FakeWorkspace
from fakes import MemoryStore
from review_copilot.domain.override import Asked, OverrideKind, SubmittedAnnotation
from review_copilot.errors import LabelStudioNotFound, LabelStudioUnreachable
from review_copilot.flows.sweep import (
    TRIED_AGAIN,
    SweepReport,
    empty_inbox,
    sweep_project,
    sweep_task,
)
from review_copilot.ports import SweepPoint, TaskState, WebhookNotice, Workspace
from submitted_workspace import submitted_workspace


@pytest.fixture
def workspace(store: MemoryStore) -> FakeWorkspace:
    return submitted_workspace(store)


@dataclass
class Opener:
    """Opens the one project; another is gone, a third cannot be reached."""

    workspace: FakeWorkspace

    def open(self, project_id: int) -> Workspace:
        if project_id == 404:
            raise LabelStudioNotFound("There is no project 404.")
        if project_id == 503:
            raise LabelStudioUnreachable("Label Studio does not answer.")
        return self.workspace


def wake(project_id: int = 7, *task_ids: int, action: str = "ANNOTATION_CREATED") -> WebhookNotice:
    return WebhookNotice(0, PROJECT.instance, project_id, task_ids, action)


def test_the_first_sweep_reads_everything(store: MemoryStore, workspace: FakeWorkspace) -> None:
    report = sweep_project(workspace, store=store)
    assert (report.tasks, report.annotations, report.revisions) == (2, 2, 2)
    assert {row.override.kind for row in store.overrides()} == {OverrideKind.UNTOUCHED}
    assert store.bookmark(PROJECT) == NOON + timedelta(minutes=2)


def test_a_task_that_label_studio_cannot_read_stops_no_other(store: MemoryStore, workspace: FakeWorkspace) -> None:
    workspace.unreadable = {1}
    report = sweep_project(workspace, store=store)
    assert report.unreadable == {task_key(1)}
    assert report.problems == ("Task 1 fails.",)
    assert {row.key.task_id for row in store.overrides()} == {2}
    assert store.bookmark(PROJECT) == NOON + timedelta(minutes=2)
    for _ in range(3):
        assert sweep_project(workspace, store=store).unreadable == {task_key(1)}, "it is tried at each sweep"
    assert len(store.waiting()) == 1
    workspace.unreadable.clear()
    assert sweep_project(workspace, store=store).revisions == 1
    assert {row.key.task_id for row in store.overrides()} == {1, 2}
    assert store.waiting() == ()


@pytest.mark.parametrize("how", ["sweep", "full sweep", "webhook"])
def test_what_was_logged_of_a_task_stays_when_it_can_no_longer_be_read(
    how: str, store: MemoryStore, workspace: FakeWorkspace
) -> None:
    """Nothing is known of its annotations, so none is taken for deleted."""
    sweep_project(workspace, store=store)
    before = list(store.overrides())
    workspace.unreadable = {1, 2}
    workspace.touched[1] = NOON + timedelta(minutes=9)
    if how == "webhook":
        store.put(wake(7, 1, 2))
        report = empty_inbox(store, opener=Opener(workspace))
    else:
        report = sweep_project(workspace, store=store, everything=how == "full sweep")
    assert report.deleted == 0
    assert report.unreadable
    assert list(store.overrides()) == before
    waiting = {task_id for notice in store.waiting() for task_id in notice.task_ids}
    assert waiting == {key.task_id for key in report.unreadable}


def test_unreadable_tasks_take_turns(store: MemoryStore, workspace: FakeWorkspace) -> None:
    workspace.images |= {n: f"{n}.png" for n in range(100, 130)}
    workspace.touched |= dict.fromkeys(range(100, 130), NOON)
    workspace.annotations |= dict.fromkeys(range(100, 130), workspace.annotations[1])
    workspace.unreadable = set(range(100, 130))
    assert len(sweep_project(workspace, store=store).unreadable) == 30
    workspace.touched.clear()
    tried: set[int] = set()
    for _ in range(2):
        report = sweep_project(workspace, store=store)
        assert len(report.unreadable) == TRIED_AGAIN
        tried |= {key.task_id for key in report.unreadable}
    assert tried == workspace.unreadable


def test_sweeping_twice_changes_nothing(store: MemoryStore, workspace: FakeWorkspace) -> None:
    sweep_project(workspace, store=store)
    before = list(store.overrides(current=False))
    report = sweep_project(workspace, store=store, everything=True)
    assert (report.revisions, report.rows, report.deleted) == (0, 0, 0)
    assert list(store.overrides(current=False)) == before


def test_only_what_changed_is_read_again(store: MemoryStore, workspace: FakeWorkspace) -> None:
    """Windows overlap by two minutes, so task 1 (a minute older than the bookmark) is read once more and task 3 not."""
    sweep_project(workspace, store=store)
    workspace.touched[2] = NOON + timedelta(hours=1)
    workspace.touched[1] = NOON
    assert sweep_project(workspace, store=store).tasks == 1


def test_a_deleted_annotation_gets_a_tombstone(store: MemoryStore, workspace: FakeWorkspace) -> None:
    sweep_project(workspace, store=store)
    workspace.annotations[2] = []
    workspace.touched[2] = NOON + timedelta(hours=1)
    assert sweep_project(workspace, store=store).deleted == 1
    assert {row.key.task_id for row in store.overrides()} == {1}


@pytest.mark.parametrize("first", [True, False])
def test_a_tasks_only_annotation_is_found_deleted_when_everything_is_read(
    store: MemoryStore, workspace: FakeWorkspace, *, first: bool
) -> None:
    """Such a task is not among the annotated ones; it came into the log by webhook or by an earlier sweep."""
    if first:
        store.put(wake(7, 1, 2))
        empty_inbox(store, opener=Opener(workspace))
    else:
        sweep_project(workspace, store=store)
    workspace.annotations[1] = []
    assert sweep_project(workspace, store=store, everything=not first).deleted == 1
    assert store.living(task_key(1)) == frozenset()


def test_a_deleted_task_buries_its_annotations(store: MemoryStore, workspace: FakeWorkspace) -> None:
    sweep_project(workspace, store=store)
    del workspace.images[1]
    assert sweep_project(workspace, store=store).deleted == 1
    assert {row.key.task_id for row in store.overrides()} == {2}


def test_the_inbox_leads_to_just_its_tasks(store: MemoryStore, workspace: FakeWorkspace) -> None:
    store.put(wake(7, 2))
    report = empty_inbox(store, opener=Opener(workspace))
    assert (report.tasks, report.revisions) == (1, 1)
    assert not store.waiting()


def test_an_event_without_tasks_leads_to_the_whole_project(store: MemoryStore, workspace: FakeWorkspace) -> None:
    store.put(wake(7, action="ANNOTATIONS_DELETED"))
    assert empty_inbox(store, opener=Opener(workspace)).tasks == 2


def test_a_deleted_task_in_the_inbox_is_buried(store: MemoryStore, workspace: FakeWorkspace) -> None:
    sweep_project(workspace, store=store)
    del workspace.images[2]
    store.put(wake(7, 2, action="TASKS_DELETED"))
    assert empty_inbox(store, opener=Opener(workspace)).deleted == 1


def test_deleted_tasks_without_a_project_are_buried_at_once(store: MemoryStore, workspace: FakeWorkspace) -> None:
    """Label Studio names no project when the last ones go; another Label Studio's task 2 is none of ours."""
    sweep_project(workspace, store=store)
    del workspace.images[2]
    elsewhere = replace(PROJECT, instance="http://other-ls", project_id=503)
    store.append(a_comparison(an_annotation(annotation_id=1, key=task_key(2, project=elsewhere))))
    store.put(wake(0, 2, 3, action="TASKS_DELETED"))
    assert empty_inbox(store, opener=Opener(workspace)).deleted == 1
    assert store.living_tasks(PROJECT) == {1}
    assert store.living_tasks(elsewhere) == {2}
    assert not store.waiting()


def test_what_cannot_be_read_stays_and_what_is_gone_is_let_go(store: MemoryStore, workspace: FakeWorkspace) -> None:
    """One unreachable project keeps its events; the others are not held up by it."""
    for event in (wake(503, 1), wake(404, 1), wake(7, 1)):
        store.put(event)
    report = empty_inbox(store, opener=Opener(workspace))
    assert [w.project_id for w in store.waiting()] == [503]
    assert len(report.problems) == 2
    assert report.revisions == 1


def test_an_edit_adds_a_revision(store: MemoryStore, workspace: FakeWorkspace) -> None:
    sweep_project(workspace, store=store)
    workspace.annotations[1] = [
        an_annotation(annotation_id=11, content_hash="other", updated_at=NOON + timedelta(hours=1), editor="4")
    ]
    store.put(wake(7, 1))
    empty_inbox(store, opener=Opener(workspace))
    current = [row for row in store.overrides() if row.annotation_id == 11]
    assert {row.revision for row in current} == {2}
    assert {row.editor for row in current} == {"4"}
    assert OverrideKind.REJECTED in {row.override.kind for row in current}


def test_a_sweep_that_is_cut_off_goes_on_where_it_stood(store: MemoryStore, workspace: FakeWorkspace) -> None:
    """The bookmark stays until the end, so that nothing behind or before the cut is lost."""
    store.keep_sweep(PROJECT, SweepPoint(since=None, up_to=NOON + timedelta(minutes=2), after=1))
    workspace.touched[1] = NOON + timedelta(minutes=10)
    assert sweep_project(workspace, store=store).tasks == 1
    assert store.bookmark(PROJECT) == NOON + timedelta(minutes=2)
    assert store.unfinished_sweep(PROJECT) is None
    assert sweep_project(workspace, store=store).revisions == 1
    assert {row.key.task_id for row in store.overrides()} == {1, 2}


def test_what_an_earlier_run_saw_is_not_read_again_but_for_deletions(
    store: MemoryStore, workspace: FakeWorkspace
) -> None:
    """Task 1 was read before the cut and stands; task 2 was too, and has lost its only annotation since."""
    sweep_project(workspace, store=store)
    store.keep_sweep(PROJECT, SweepPoint(since=None, up_to=NOON, after=2))
    workspace.annotations[2] = []
    report = sweep_project(workspace, store=store)
    assert (report.tasks, report.deleted) == (1, 1)


def test_everything_does_not_take_up_a_sweep_of_changes(store: MemoryStore, workspace: FakeWorkspace) -> None:
    store.keep_sweep(PROJECT, SweepPoint(since=NOON, up_to=NOON, after=2))
    assert sweep_project(workspace, store=store, everything=True).tasks == 2


def edited(content: str, *, task_id: int, at: datetime) -> list[SubmittedAnnotation]:
    return [an_annotation(annotation_id=10 + task_id, key=task_key(task_id), content_hash=content, updated_at=at)]


def test_changes_behind_a_clock_that_was_set_back_are_found(store: MemoryStore, workspace: FakeWorkspace) -> None:
    """All is looked at once; from then on by the new time, and what was stamped before the step is only read again."""
    workspace.clock = NOON + timedelta(minutes=5)
    sweep_project(workspace, store=store)
    step = NOON - timedelta(hours=3)
    workspace.annotations[2], workspace.touched[2] = edited("new", task_id=2, at=step), step
    workspace.clock = step + timedelta(seconds=30)
    assert sweep_project(workspace, store=store).revisions == 1
    assert store.bookmark(PROJECT) == workspace.clock
    workspace.annotations[2], workspace.touched[2] = (
        edited("newer", task_id=2, at=workspace.clock),
        workspace.clock,
    )
    assert sweep_project(workspace, store=store).revisions == 1
    newest = [row.annotation_id for row in store.overrides() if row.revision == 3]
    assert set(newest) == {12}
    assert sweep_project(workspace, store=store).revisions == 0


def test_a_field_that_the_label_config_gained_afterwards_was_not_left_open(
    store: MemoryStore, workspace: FakeWorkspace
) -> None:
    """Read anew, an old annotation says what it said; once somebody changes it, it is read by the new config."""
    (annotation,) = workspace.annotations[1]
    bare = replace(
        annotation,
        asked=Asked(rationale=False),
        regions=tuple(replace(r, rationale="") for r in annotation.regions),
    )
    workspace.annotations[1] = [bare]
    sweep_project(workspace, store=store)
    before = list(store.overrides(current=False))
    assert {row.override.kind for row in before} == {OverrideKind.UNTOUCHED}
    workspace.annotations[1] = [replace(bare, asked=Asked())]
    assert sweep_project(workspace, store=store, everything=True).revisions == 0
    assert list(store.overrides(current=False)) == before
    changed = replace(bare, asked=Asked(), content_hash="new", updated_at=NOON + timedelta(hours=1))
    workspace.annotations[1] = [changed]
    assert sweep_project(workspace, store=store, everything=True).revisions == 1
    assert OverrideKind.EDITED in {row.override.kind for row in store.overrides()}


def test_a_reading_that_was_overtaken_is_done_once_more(store: MemoryStore, workspace: FakeWorkspace) -> None:
    """Another process has logged what came after it; what stands in Label Studio is what stays current."""
    newest = edited("newest", task_id=1, at=NOON + timedelta(hours=1))
    stale = TaskState(task_key(1), NOON, tuple(edited("stale", task_id=1, at=NOON)))
    workspace.annotations[1] = newest
    for state in workspace.states([1]):
        sweep_task(state, workspace=workspace, store=store)
    report = sweep_task(stale, workspace=workspace, store=store)
    assert (report.revisions, report.deleted) == (1, 0)
    (current,) = store.comparisons()
    assert current.annotation.content_hash == "newest"


def test_changes_that_nobody_announced_are_counted(store: MemoryStore, workspace: FakeWorkspace) -> None:
    """The edit of task 1 is announced, that of task 2 and its deletion are not. A first sweep has missed nothing."""
    assert sweep_project(workspace, store=store).missed == 0
    for task_id in (1, 2):
        workspace.annotations[task_id] = [
            an_annotation(
                annotation_id=10 + task_id,
                key=task_key(task_id),
                content_hash="other",
                updated_at=NOON + timedelta(hours=1),
            )
        ]
        workspace.touched[task_id] = NOON + timedelta(hours=1)
    store.put(wake(7, 1))
    assert sweep_project(workspace, store=store).missed == 1
    empty_inbox(store, opener=Opener(workspace))
    del workspace.images[2]
    assert sweep_project(workspace, store=store).missed == 1


def test_deleted_tasks_are_looked_for_when_asked(store: MemoryStore, workspace: FakeWorkspace) -> None:
    sweep_project(workspace, store=store)
    del workspace.images[1]
    assert sweep_project(workspace, store=store, deleted_tasks=False).deleted == 0
    assert sweep_project(workspace, store=store).deleted == 1


def test_reports_add_up_field_by_field() -> None:
    bad, worse = task_key(7), task_key(8)
    one = SweepReport(1, 2, 3, 4, 5, frozenset({bad}), 6, ("a",))
    other = SweepReport(10, 20, 30, 40, 50, frozenset({bad, worse}), 60, ("b", "a"))
    assert one + other == SweepReport(11, 22, 33, 44, 55, frozenset({bad, worse}), 66, ("a", "b"))


@pytest.mark.parametrize(
    ("events", "missed"),
    [
        ([], 2),
        ([(7, 1)], 1),
        ([(7, 1), (7, 2)], 0),
        ([(7,)], 0),  # the whole project was announced
        ([(0, 1)], 1),  # an event of deleted tasks may name no project
        ([(0,)], 2),
        ([(8, 1, 2)], 2),
        ([(8,)], 2),
    ],
)
def test_what_waits_in_the_inbox_was_announced(
    store: MemoryStore, workspace: FakeWorkspace, events: list[tuple[int, ...]], missed: int
) -> None:
    """Two tasks were changed since the first sweep."""
    sweep_project(workspace, store=store)
    for task_id in (1, 2):
        at = NOON + timedelta(hours=1)
        workspace.annotations[task_id], workspace.touched[task_id] = edited("new", task_id=task_id, at=at), at
    for project_id, *task_ids in events:
        store.put(wake(project_id, *task_ids))
    assert sweep_project(workspace, store=store).missed == missed


def test_ten_thousand_events_of_unreadable_and_unknown_projects_do_not_delay_a_real_one(
    store: MemoryStore, workspace: FakeWorkspace
) -> None:
    """More than one page of events that stay in the inbox comes first. Each such project is opened once."""
    opened: list[int] = []

    class Counting(Opener):
        def open(self, project_id: int) -> Workspace:
            opened.append(project_id)
            return super().open(project_id)

    for number in range(5000):
        store.put(wake(503, number + 1))
        store.put(wake(404, number + 1))
    store.put(wake(7, 1))
    report = empty_inbox(store, opener=Counting(workspace))
    assert report.revisions == 1
    assert {notice.project_id for notice in store.waiting(limit=20_000)} == {503}
    assert opened.count(503) == 1
