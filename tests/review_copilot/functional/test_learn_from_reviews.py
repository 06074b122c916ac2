"""What reviewers marked and decided on is learnt from a real log and real pictures, and said of the next drafts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from builders import NOON, PROJECT, a_comparison, an_annotation, an_image, task_key
from fake_clock import FakeClock
from fake_label_studio import FakeInspector, FakeWorkspace
from review_copilot.domain.geometry import Box
from review_copilot.domain.guideline import UNCOVERED, Severity
from review_copilot.domain.image import Pixels, ReviewImage
from review_copilot.domain.override import Override, OverrideKind, Subject
from review_copilot.domain.review import Review
from review_copilot.domain.suggestion import LIKE, UNLIKE, Finding
from review_copilot.engines.thread_engine import ThreadEngine
from review_copilot.errors import ImageNotFound, StoreBusy
from review_copilot.flows.learn_from_reviews import (
    LEARN_AFTER,
    MOST_REVIEWED,
    Learning,
    LearnOutcome,
    SimilarReviewNotes,
    learn,
    rows_of_interest,
)
from review_copilot.flows.preannotate import preannotate
from review_copilot.flows.review_context import ReviewContext
from review_copilot.library import load_guideline
from review_copilot.ports import Store
from review_copilot.store import open_store
from review_copilot.study.table import table_of
from study_rows import logged_rows
from study_world import Plan, make_world

ROLLOUT = "photo-quality r1 abc"
DUST_HERE, STICKER_HERE = Box(0.1, 0.1, 0.2, 0.2), Box(0.6, 0.6, 0.2, 0.2)
DUST = Finding("PQ-01", Severity.MAJOR, 0.8, DUST_HERE, "It is soft.")
REVIEWED = range(1, 61)


def scene(number: int) -> Pixels:
    """Reddish and smooth, another red for another number; every third has a striped sticker in a corner."""
    rng = np.random.default_rng(number)
    pixels = np.full((300, 400, 3), (150, 90, 80), np.int64) + rng.integers(-12, 13, 3)
    if number % 3 == 0:
        pixels[180:240, 240:320] = (40, 60, 170)
        pixels[180:240, 240:320:6] = 230
    return np.clip(pixels + rng.integers(-6, 7, pixels.shape), 0, 255).astype(np.uint8)


@dataclass
class Gallery:
    """Pictures by task id; another one may hang in a task's place."""

    other: dict[int, Pixels] = field(default_factory=dict)
    gone: bool = False
    loaded: list[str] = field(default_factory=list)

    def load(self, reference: str, *, task_id: int | None = None) -> ReviewImage:
        if self.gone:
            raise ImageNotFound("It is not there.")
        self.loaded.append(reference)
        number = int(reference)
        return an_image(self.other.get(number, scene(number)))


def said(review: Review) -> Mapping[str, object]:
    """What the evidence says of the like."""
    return {name: fact for s in review.suggestions for name, fact in s.evidence.items() if name in {LIKE, UNLIKE}}


@dataclass
class Opener:
    workspace: FakeWorkspace

    def open(self, project_id: int) -> FakeWorkspace:
        return self.workspace


@dataclass
class House:
    """A project, its pictures and its store."""

    store: Store
    gallery: Gallery = field(default_factory=Gallery)
    clock: FakeClock = field(default_factory=FakeClock)
    workspace: FakeWorkspace = field(default_factory=lambda: FakeWorkspace(PROJECT, {i: str(i) for i in REVIEWED}))

    def draft(self, finding: Finding = DUST) -> None:
        context = ReviewContext(
            load_guideline("photo-quality"), FakeInspector((finding,)), self.gallery, self.clock, min_score=0.3
        )
        preannotate(
            self.workspace,
            engine=ThreadEngine(context, concurrency=1),
            store=self.store,
            rollout=ROLLOUT,
            clock=self.clock,
            remind=SimilarReviewNotes(self.store),
        )

    def draft_one(self, number: int, finding: Finding = DUST) -> Mapping[str, object]:
        """Draft one more task; what is said of its suggestion, likeness of whole pictures left aside."""
        self.workspace.images[number] = str(number)
        self.draft(finding)
        return said(self.drafted(number))

    def drafted(self, number: int) -> Review:
        return self.store.drafted(PROJECT, rollout=ROLLOUT, task_ids=[number])[number]

    def review(self) -> None:
        """Everybody keeps the dust; every sticker is marked as a novel pattern."""
        for number in REVIEWED:
            one = self.drafted(number).suggestions[0]
            rows = [Override(Subject.REGION, OverrideKind.UNTOUCHED, one.id, one.id, "PQ-01", "PQ-01", score=one.score)]
            if number % 3 == 0:
                note = "sticker on the lens"
                rows += [
                    Override(Subject.REGION, OverrideKind.ADDED, criterion_to=UNCOVERED, box_to=STICKER_HERE, note=note)
                ]
            annotation = an_annotation(key=task_key(number), annotation_id=number, content_hash=str(number))
            self.store.append(a_comparison(annotation, rows))

    def learn(self) -> LearnOutcome:
        guideline = load_guideline("photo-quality")
        learning = Learning(self.store, lambda _: guideline, self.gallery, self.clock)
        return learn(PROJECT, learning=learning, opener=Opener(self.workspace))


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    store = open_store(f"sqlite:///{tmp_path / 'log.db'}", clock=FakeClock())
    yield House(store)
    store.close()


@pytest.fixture
def reviewed(house: House) -> House:
    house.draft()
    house.review()
    assert house.learn() is LearnOutcome.ANEW
    return house


def test_a_suggestion_on_a_known_pattern_says_so_with_tasks(reviewed: House) -> None:
    words = str(reviewed.draft_one(63, replace(DUST, box=STICKER_HERE))[LIKE])
    assert words.startswith('Like 20 regions that reviewers marked as "')
    assert "sticker" in words
    assert words.endswith("and no criterion claims: tasks 3, 6 and 9.")


def test_a_suggestion_far_from_all_reviewed_says_so(reviewed: House) -> None:
    reviewed.gallery.other[64] = np.zeros((300, 400, 3), np.uint8)
    assert reviewed.draft_one(64) == {UNLIKE: "Unlike the 60 suggestions last reviewed under Out of focus: look twice."}


def test_an_ordinary_suggestion_is_told_nothing(reviewed: House) -> None:
    assert reviewed.draft_one(64) == {}


def test_a_rationale_in_the_reviewers_words_is_recognised_without_its_crop(reviewed: House) -> None:
    """The words of the guideline itself tell nothing."""
    spoken = replace(DUST, rationale="There is a sticker on the lens.")
    assert LIKE in reviewed.draft_one(64, spoken)
    assert reviewed.draft_one(65, replace(DUST, rationale="The focus is not on the subject.")) == {}


def test_the_words_change_neither_id_nor_what_is_drafted(reviewed: House) -> None:
    plain = reviewed.drafted(1)
    book = reviewed.store.reviewed_crops(PROJECT)
    assert book is not None
    far = replace(
        book, reviewed=tuple(replace(r, features=tuple((99.0,) * 14 for _ in r.features)) for r in book.reviewed)
    )
    reviewed.store.keep_reviewed_crops(PROJECT, far)
    told = SimilarReviewNotes(reviewed.store)(plain)
    assert said(told).keys() == {UNLIKE}
    assert replace(told, suggestions=plain.suggestions) == plain
    assert told.suggestions[0].id == plain.suggestions[0].id


def test_before_anything_was_learnt_nothing_is_said(house: House) -> None:
    house.draft()
    assert not any(said(house.drafted(number)) for number in REVIEWED)


def test_a_young_book_and_a_log_that_did_not_grow_are_left_alone(reviewed: House) -> None:
    assert reviewed.learn() is LearnOutcome.TOO_SOON
    reviewed.clock.time = NOON + LEARN_AFTER
    assert reviewed.learn() is LearnOutcome.NOTHING_NEW


def test_a_crop_that_was_seen_is_not_looked_at_again(reviewed: House) -> None:
    reviewed.gallery.loaded.clear()
    reviewed.clock.time = NOON + timedelta(hours=1)
    more = Override(Subject.REGION, OverrideKind.ADDED, criterion_to=UNCOVERED, box_to=STICKER_HERE)
    annotation = an_annotation(key=task_key(2), annotation_id=99, content_hash="more")
    reviewed.store.append(a_comparison(annotation, [more]))
    assert reviewed.learn() is LearnOutcome.ANEW
    assert reviewed.gallery.loaded == ["2"]


def test_without_images_notes_are_learnt(house: House) -> None:
    house.draft()
    house.review()
    house.gallery.gone = True
    assert house.learn() is LearnOutcome.ANEW
    book = house.store.reviewed_crops(PROJECT)
    assert book is not None
    assert [(pattern.size, pattern.features) for pattern in book.patterns] == [(20, ())]
    assert book.crops == {}


def test_a_log_read_part_by_part_gives_the_same_rows_to_learn_from() -> None:
    table = table_of(logged_rows(make_world(Plan(seed=3, tasks=1500, criteria=("PQ-01", "PQ-02")))))
    parts = [table.where(table.task % 5 == number) for number in range(5)]
    whole, newest, span = rows_of_interest([table])
    found, newest_of_parts, span_of_parts = rows_of_interest(parts)
    assert set(found.row.tolist()) == set(whole.row.tolist())
    assert (newest_of_parts, span_of_parts) == (newest, span)
    assert newest == table.row.max()
    assert whole.uncovered.sum() == table.uncovered.sum()
    assert 2 * MOST_REVIEWED >= whole.reviewed.sum() > MOST_REVIEWED


class BusyBooks:
    """A store that is out of reach."""

    def reviewed_crops(self, project: object) -> None:
        raise StoreBusy("The database is locked.")

    def keep_reviewed_crops(self, project: object, book: object) -> None:
        raise StoreBusy("The database is locked.")


def test_a_store_out_of_reach_costs_the_words_and_no_draft(reviewed: House) -> None:
    draft = reviewed.drafted(1)
    assert SimilarReviewNotes(BusyBooks())(draft) == draft
