"""The flow from a store to a study: which project, which part of its log, which drafts, which thumbnails."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
import pytest
from PIL import Image

from builders import PROJECT, a_guideline, an_image, at, task_key
from fake_clock import FakeClock
from fakes import MemoryStore
from review_copilot.domain.draft_totals import Drafts
from review_copilot.domain.geometry import Box
from review_copilot.domain.image import ReviewImage
from review_copilot.domain.review import ProjectKey, ReviewTask
from review_copilot.errors import ImageNotFound, LabelStudioUnreachable, SettingsError
from review_copilot.flows.packed_log import reading_of
from review_copilot.flows.study_project import (
    ProjectStudy,
    Scope,
    find_project,
    latest_tasks,
    reviewers_of,
    study_project,
    within,
)
from review_copilot.flows.thumbnails import THUMBNAIL_PX, cut_one, cut_pictures, linked_pictures, pictures_of, thumbnail
from review_copilot.study.study_counts import count
from review_copilot.study.table import OverrideTable
from study_log import drafts, fill, read_table
from study_world import START, Plan

CRITERIA = ("PQ-01", "PQ-02", "PQ-03", "PQ-04", "PQ-05", "PQ-06")


@pytest.fixture(scope="module")
def store() -> MemoryStore:
    """A project in which the copilot is wrong about one criterion."""
    made = MemoryStore()
    fill(made, [Plan(2, "model_wrong", 0.5, tasks=600, criteria=CRITERIA)], project=PROJECT)
    return made


@pytest.fixture(scope="module")
def table(store: MemoryStore) -> OverrideTable:
    return read_table(store, PROJECT)


def studied(table: OverrideTable, scope: Scope | None = None) -> ProjectStudy:
    return study_project(
        reading_of(table),
        Drafts(),
        project=PROJECT,
        guideline=a_guideline(),
        scope=scope or Scope(),
        clock=FakeClock(),
    )


def test_the_newest_project_of_an_id_is_found() -> None:
    old, new = ProjectKey("a", 3, "1"), ProjectKey("b", 3, "2")
    assert find_project([old, new], 3) == new
    assert find_project([old, new], 3, instance="a") == old
    with pytest.raises(SettingsError, match=r"no data on project 9.*It has data on these projects: 3"):
        find_project([old, new], 9)


def test_the_scope_keeps_the_rows_of_its_period_and_person(table: OverrideTable) -> None:
    since, until = START + timedelta(days=10), START + timedelta(days=20)
    person = table.reviewers[0]
    rows = within(table, Scope(since=since, until=until, reviewer=person))
    assert 0 < len(rows) < len(table)
    assert rows.time_s.min() >= since.timestamp()
    assert rows.time_s.max() < until.timestamp()
    assert {rows.reviewers[i] for i in rows.reviewer.tolist()} == {person}
    assert len(within(table, Scope(reviewer="nobody of that name"))) == 0


def test_a_criterion_narrows_what_is_shown_but_not_what_it_is_compared_with(table: OverrideTable) -> None:
    whole = studied(table).study
    flagged = whole.flags[0].criteria[0]
    narrow = studied(table, Scope(criterion=flagged)).study
    assert [flag.criteria for flag in narrow.flags] == [(flagged,)]
    assert [c.criterion for c in narrow.criteria] == [flagged]
    assert narrow.criteria[0].standing == next(c.standing for c in whole.criteria if c.criterion == flagged)
    assert sum(w.suggestions for w in narrow.weeks) == narrow.criteria[0].suggestions


def test_flags_are_raised_from_everybodys_reviews_only(table: OverrideTable) -> None:
    assert studied(table).study.flags
    assert studied(table, Scope(reviewer=table.reviewers[0])).study.flags == ()


def test_usage_is_added_up_and_set_beside_what_was_kept(table: OverrideTable) -> None:
    held = MemoryStore()
    held.remember(drafts(PROJECT))
    found = held.draft_totals(PROJECT)
    report = replace(studied(table), drafts=found)
    kept = sum(c.suggestions - c.overridden for c in report.study.criteria)
    assert report.cost is not None
    assert (report.cost.calls, report.cost.tokens, report.cost.kept) == (5, 5000, kept)
    assert report.cost.usd_per_kept == pytest.approx(0.05 / kept)
    assert held.draft_totals(PROJECT, since=at(3600)).cost is None


def test_people_are_listed_by_name_and_user_ids_by_number(table: OverrideTable) -> None:
    renamed = replace(table, reviewers=("10", "9", "zoe", "Anna", "2", "ben"))
    assert reviewers_of(count(renamed)) == ("2", "9", "10", "Anna", "ben", "zoe")


def test_the_newest_overrides_of_each_criterion_are_at_hand(table: OverrideTable) -> None:
    newest = latest_tasks(table, most=2)
    assert set(newest) <= set(CRITERIA)
    assert all(len(tasks) == 2 for tasks in newest.values())


@dataclass
class Shelves:
    """A workspace and its images: every task shows the same grey picture, but for those that are gone."""

    gone: frozenset[int] = frozenset()
    closed: bool = False
    key: ProjectKey = PROJECT

    def tasks(self, *, only: Sequence[int] | None = None) -> Iterator[ReviewTask]:
        if self.closed:
            raise LabelStudioUnreachable("Label Studio does not answer.")
        for task_id in only or ():
            yield ReviewTask(key=task_key(task_id), image=f"/data/upload/{task_id}.png")

    def load(self, reference: str, *, task_id: int | None = None) -> ReviewImage:
        if task_id in self.gone:
            raise ImageNotFound("It is not there.")
        return an_image(np.full((300, 400, 3), 128, np.uint8))


def test_thumbnails_are_cut_for_cases_and_a_lost_image_costs_its_own_only(
    store: MemoryStore, table: OverrideTable
) -> None:
    found = studied(table).study
    first, second = found.flags[0].cases[:2]
    shelves = Shelves(gone=frozenset({first.task}))
    pictures = cut_pictures(found, table, workspace=shelves, images=shelves, store=store)  # type: ignore[arg-type]  # two methods of it
    assert first.row not in pictures.cases
    assert pictures.cases[second.row].startswith("data:image/jpeg;base64,")
    assert pictures.left_out >= 1


def test_without_label_studio_or_time_there_are_no_thumbnails(store: MemoryStore, table: OverrideTable) -> None:
    found = studied(table).study
    shut, late = Shelves(closed=True), Shelves()
    for shelves, limit_s in ((shut, 30.0), (late, -1.0)):
        pictures = cut_pictures(found, table, workspace=shelves, images=shelves, store=store, limit_s=limit_s)  # type: ignore[arg-type]  # two methods of it
        assert not pictures.cases
        assert pictures.left_out >= 3


@dataclass
class Opener:
    """Opens one workspace, whatever the id; or none."""

    workspace: Shelves | None

    def open(self, project_id: int) -> Shelves:
        if self.workspace is None:
            raise LabelStudioUnreachable("Label Studio does not answer.")
        return self.workspace


@pytest.mark.parametrize(
    ("opener", "cut"),
    [
        (Opener(Shelves()), True),
        (Opener(Shelves(key=ProjectKey(PROJECT.instance, PROJECT.project_id, "made anew"))), False),
        (Opener(None), False),
        (None, False),
    ],
)
def test_only_the_very_project_of_the_log_gives_thumbnails(
    store: MemoryStore, table: OverrideTable, opener: Opener | None, *, cut: bool
) -> None:
    found = studied(table).study
    pictures = pictures_of(found, table, project=PROJECT, opener=opener, images=Shelves(), store=store)  # type: ignore[arg-type]  # two methods of it
    assert bool(pictures.cases) is cut


def test_a_live_page_asks_for_each_thumbnail_by_its_row(store: MemoryStore, table: OverrideTable) -> None:
    found = studied(table).study
    linked = linked_pictures(found, table, lambda row: f"/thumbnail/{row}")
    case = found.flags[0].cases[0]
    assert linked.cases[case.row] == f"/thumbnail/{case.row}"
    for opener, cut in (
        (Opener(Shelves()), True),
        (Opener(Shelves(gone=frozenset({case.task}))), False),
        (None, False),
    ):
        images = opener.workspace if opener and opener.workspace else Shelves()
        picture = cut_one(table, case.row, project=PROJECT, opener=opener, images=images, store=store)  # type: ignore[arg-type]  # two methods of it
        assert (picture is not None and picture.startswith(b"\xff\xd8")) is cut


def test_a_thumbnail_shows_the_box_with_its_surroundings_and_outline() -> None:
    pixels = np.zeros((800, 1200, 3), np.uint8)
    cut = Image.open(io.BytesIO(thumbnail(pixels, Box(0.5, 0.5, 0.1, 0.1))))
    assert max(cut.size) == THUMBNAIL_PX
    assert np.asarray(cut).max() > 150  # the outline on black
    whole = Image.open(io.BytesIO(thumbnail(pixels, None)))
    assert whole.size == (240, 160)
    assert np.asarray(whole).max() < 10


def test_a_data_uri_decodes_to_a_jpeg(store: MemoryStore, table: OverrideTable) -> None:
    found = studied(table).study
    shelves = Shelves()
    pictures = cut_pictures(found, table, workspace=shelves, images=shelves, store=store)  # type: ignore[arg-type]  # two methods of it
    data = base64.b64decode(next(iter(pictures.cases.values())).partition(",")[2])
    assert Image.open(io.BytesIO(data)).format == "JPEG"
