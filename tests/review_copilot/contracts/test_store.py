"""What every store must do: in memory, on SQLite and on PostgreSQL."""

from __future__ import annotations

from dataclasses import replace

from builders import (
    OTHER,
    PROJECT,
    a_comparison,
    a_provenance,
    a_review,
    a_row,
    a_suggestion,
    an_annotation,
    as_submitted,
    at,
    task_key,
    untouched,
)
from fake_clock import FakeClock
from review_copilot.compare import compare
from review_copilot.domain.geometry import Box
from review_copilot.domain.review import Exposure, ProjectKey
from review_copilot.domain.suggestion import Dropped
from review_copilot.domain.task_image import Picture
from review_copilot.ports import Appended, Store, StoredPrediction, SweepPoint, WebhookNotice


def test_reviews_come_back_whole_and_oldest_first(store: Store) -> None:
    first = a_review("r1", a_suggestion("s1"), a_suggestion("s2", box=Box.whole()))
    second = a_review("r2", created_at=at(60), exposure=Exposure.OFFERED, box=Box(0.1, 0.2, 0.3, 0.4))
    store.remember([second, first])
    assert list(store.recall(task_key())) == [first, second]
    assert list(store.recall(task_key(2))) == []


def test_the_same_review_id_again_replaces_nothing(store: Store) -> None:
    first = a_review("r1", a_suggestion("s1"))
    store.remember([first])
    store.remember([replace(first, summary="another"), a_review("r2", created_at=at(1))])
    assert [review.summary for review in store.recall(task_key())] == [first.summary] * 2


def test_keys_carry_the_instance(store: Store) -> None:
    """Project 7 of another Label Studio is another project."""
    here, there = a_review("r1"), a_review("r2", key=task_key(project=OTHER))
    store.remember([here, there])
    assert list(store.recall(here.key)) == [here]
    assert list(store.recall(there.key)) == [there]


def test_drafted_is_the_newest_whole_image_review_of_a_rollout_that_has_a_draft(store: Store) -> None:
    old = a_review("old")
    new = a_review("new", created_at=at(10))
    failed = a_review("failed", created_at=at(20), exposure=Exposure.FAILED)
    unready = a_review("unready", created_at=at(25), exposure=Exposure.NOT_READY)
    withheld = a_review("withheld", key=task_key(3), exposure=Exposure.WITHHELD)
    magic = a_review("magic", created_at=at(30), exposure=Exposure.OFFERED, box=Box(0, 0, 0.5, 0.5))
    elsewhere = a_review("elsewhere", created_at=at(40), provenance=a_provenance(rollout="r2"))
    other_task = a_review("other", key=task_key(2))
    store.remember([new, failed, unready, withheld, magic, elsewhere, other_task, old])
    assert store.drafted(PROJECT, rollout=old.provenance.rollout) == {1: new, 2: other_task, 3: withheld}
    assert store.drafted(PROJECT, rollout="unknown") == {}


def test_pictures_are_kept_once_and_only_of_whole_images(store: Store) -> None:
    seen = replace(a_review("r1"), image_sha256="aa", image_fingerprint="00ff00ff00ff00ff")
    store.remember([seen, replace(seen, id="r2"), replace(seen, id="r3", box=Box(0, 0, 1, 1), image_sha256="bb")])
    store.remember([replace(seen, id="r4", image_sha256="cc"), replace(seen, id="r5", image_sha256="")])
    assert store.pictures(PROJECT) == (
        Picture(1, "aa", "00ff00ff00ff00ff"), Picture(1, "cc", "00ff00ff00ff00ff")
    )  # fmt: skip


def test_predictions_are_remembered_once(store: Store) -> None:
    first = StoredPrediction(id=5, task_id=1, model_version="v1", region_ids=("s1", "s2"))
    second = StoredPrediction(id=6, task_id=1, model_version="v2")
    store.remember_predictions(PROJECT, [second, first])
    store.remember_predictions(PROJECT, [replace(first, model_version="changed")])
    assert list(store.predictions_of(task_key())) == [first, second]
    assert list(store.predictions_of(task_key(2))) == []
    assert list(store.predictions_of(task_key(project=OTHER))) == []


def test_appending_twice_changes_nothing(store: Store) -> None:
    review = a_review("r1", a_suggestion("s1"))
    comparison = compare(untouched(review), [review])
    assert store.append(comparison) == Appended(revisions=1, rows=3)
    assert store.append(comparison) == Appended()
    assert len(list(store.overrides())) == 3


def test_a_row_comes_back_with_everything_known_about_it(store: Store, clock: FakeClock) -> None:
    review = a_review("r1", a_suggestion("s1"))
    annotation = replace(untouched(review), author="3", editor="4")
    comparison = compare(annotation, [review])
    clock.time = at(500)
    store.append(comparison)
    row = next(iter(store.overrides()))
    assert row.override == comparison.overrides[0]
    assert (row.key, row.annotation_id, row.revision, row.current, row.deleted) == (task_key(), 11, 1, True, False)
    assert (row.author, row.editor, row.lead_time_s, row.exposure) == ("3", "4", 60.0, "shown")
    assert (row.created_at, row.updated_at, row.logged_at) == (at(120), at(120), at(500))
    assert (row.provenance, row.confirmed) == (a_provenance(), True)


def test_a_row_of_a_magic_offer_carries_the_offers_own_provenance(store: Store) -> None:
    drafted = a_review("r1", a_suggestion("s1"))
    offered = a_review(
        "m1",
        a_suggestion("s2"),
        exposure=Exposure.OFFERED,
        box=Box(0, 0, 0.5, 0.5),
        created_at=at(90),
        provenance=a_provenance(model_version="another"),
    )
    store.remember([drafted, offered])
    store.append(compare(an_annotation(*map(as_submitted, drafted.suggestions)), [drafted, offered]))
    versions = {row.override.review_id: row.provenance.model_version for row in store.overrides() if row.provenance}
    assert versions == {"r1": "0a1b2c3d4e5f", "m1": "another"}


def test_overrides_can_be_narrowed_by_project_and_time(store: Store, clock: FakeClock) -> None:
    store.append(a_comparison(an_annotation(), [a_row(note="early")]))
    clock.time = at(1000)
    store.append(a_comparison(an_annotation(annotation_id=12), [a_row(note="late")]))
    store.append(a_comparison(an_annotation(key=task_key(project=OTHER)), [a_row(note="elsewhere")]))
    assert [row.override.note for row in store.overrides(since=at(1000))] == ["late", "elsewhere"]
    assert [row.override.note for row in store.overrides(project=PROJECT)] == ["early", "late"]
    assert [row.override.note for row in store.overrides(project=PROJECT, since=at(1000))] == ["late"]


def test_the_inbox_keeps_events_in_order_until_they_are_done(store: Store) -> None:
    notices = [
        WebhookNotice(0, "i", 7, (1, 2), "ANNOTATION_CREATED"),
        WebhookNotice(0, "i", 7, (), "TASKS_DELETED", body='{"a": "ü"}'),
    ]
    ids = [store.put(wake) for wake in notices]
    assert ids == sorted(set(ids))
    assert list(store.waiting()) == [replace(wake, id=i) for wake, i in zip(notices, ids, strict=True)]
    assert [wake.id for wake in store.waiting(limit=1)] == ids[:1]
    assert [wake.id for wake in store.waiting(after=ids[0])] == ids[1:]
    store.done([ids[0], 999_999])
    assert [wake.id for wake in store.waiting()] == ids[1:]
    assert store.put(notices[0]) > ids[1]


def test_a_sweep_that_was_cut_off_is_remembered_until_one_ends(store: Store) -> None:
    assert store.unfinished_sweep(PROJECT) is None
    for point in (SweepPoint(None, at(0), after=5), SweepPoint(at(0), at(9), after=7)):
        store.keep_sweep(PROJECT, point)
        assert store.unfinished_sweep(PROJECT) == point
    assert store.unfinished_sweep(OTHER) is None
    store.keep_sweep(PROJECT, None)
    assert store.unfinished_sweep(PROJECT) is None


def test_a_bookmark_moves_forward_only_unless_it_may_go_back(store: Store) -> None:
    assert store.bookmark(PROJECT) is None
    store.move_bookmark(PROJECT, at(10))
    store.move_bookmark(PROJECT, at(5))
    assert store.bookmark(PROJECT) == at(10)
    store.move_bookmark(PROJECT, at(20))
    assert store.bookmark(PROJECT) == at(20)
    store.move_bookmark(PROJECT, at(5), back=True)
    assert store.bookmark(PROJECT) == at(5)
    assert store.bookmark(OTHER) is None


def test_any_text_can_be_kept(store: Store) -> None:
    """Neither NUL nor half a surrogate pair from a broken file stops the log."""
    for number, text in enumerate(("a\x00b", "half \ud83d pair", "🙂 ß \u2028")):
        store.append(a_comparison(an_annotation(annotation_id=number), [a_row(text_to=text, note=text)]))
    assert len(list(store.overrides())) == 3


def test_drafts_can_be_asked_for_by_task(store: Store) -> None:
    store.remember([a_review(f"r{n}", key=task_key(n)) for n in (1, 2, 3)])
    rollout = a_provenance().rollout
    assert set(store.drafted(PROJECT, rollout=rollout, task_ids=[1, 3, 9])) == {1, 3}
    assert store.drafted(PROJECT, rollout=rollout, task_ids=[]) == {}


def test_rollouts_are_numbered_per_project_and_content(store: Store) -> None:
    """The same content gives the same label again; other content gets the project's next number."""

    def label(project: ProjectKey, version: str) -> str:
        return store.rollout(project, guideline_id="photo-quality", model_version=version)

    assert label(PROJECT, "9f2c1a77aa01") == "photo-quality r1 9f2c1a"
    assert label(PROJECT, "0b0b0b77aa01") == "photo-quality r2 0b0b0b"
    assert label(PROJECT, "9f2c1a77aa01") == "photo-quality r1 9f2c1a"
    assert label(OTHER, "0b0b0b77aa01") == "photo-quality r1 0b0b0b"
    assert set(store.projects()) == {PROJECT, OTHER}


def test_comparisons_come_back_as_they_were_appended(store: Store, clock: FakeClock) -> None:
    """The newest revision of every living annotation; without rows too, when the review is known."""
    review = a_review("r1", a_suggestion("s1"))
    store.remember([review])
    first, bare = compare(untouched(review), [review]), a_comparison(an_annotation(annotation_id=12))
    gone = a_comparison(an_annotation(annotation_id=13), [a_row()])
    for comparison in (first, bare, gone):
        store.append(comparison)
    store.record_deletion(task_key(), annotation_ids=[13])
    clock.time = at(1000)
    later = compare(untouched(review, content_hash="c2", updated_at=at(900)), [review])
    store.append(later)
    assert list(store.comparisons()) == [bare, later]
    assert list(store.comparisons(since=at(1000))) == [later]
    assert list(store.comparisons(project=OTHER)) == []


def test_forgetting_a_person_leaves_the_counts(store: Store) -> None:
    for annotation_id, author, editor in ((11, "3", "3"), (12, "3", "4"), (13, "4", "4")):
        annotation = an_annotation(annotation_id=annotation_id, author=author, editor=editor)
        store.append(a_comparison(annotation, [a_row()]))
    assert store.forget("3") == 2
    assert store.forget("3") == 0
    people = [(row.author, row.editor) for row in store.overrides()]
    (label,) = {author for author, _ in people[:2]}
    assert label.startswith("forgotten-")
    assert people == [(label, label), (label, "4"), ("4", "4")]
    assert [c.annotation.author for c in store.comparisons()] == [label, label, "4"]


def test_a_forgotten_author_does_not_come_back_with_a_later_edit(store: Store) -> None:
    """Label Studio goes on naming the author of an annotation."""
    store.append(a_comparison(an_annotation(author="3"), [a_row()]))
    store.forget("3")
    store.append(a_comparison(an_annotation(author="3", content_hash="c2", updated_at=at(300)), [a_row()]))
    rows = list(store.overrides(current=False))
    assert len(rows) == 2
    assert {name for row in rows for name in (row.author, row.editor)} == {rows[0].author}
    assert rows[0].author != "3"


def test_many_at_once_are_the_same_as_one_by_one(store: Store) -> None:
    """Over two projects, an annotation twice in one batch, and one that is there already."""
    first = a_comparison(an_annotation(annotation_id=11), [a_row(note="first"), a_row(note="too")])
    second = a_comparison(
        an_annotation(annotation_id=11, content_hash="c2", updated_at=at(300)), [a_row(note="second")]
    )
    elsewhere = a_comparison(an_annotation(annotation_id=11, key=task_key(project=OTHER)), [a_row(note="elsewhere")])
    bare = a_comparison(an_annotation(annotation_id=12))
    store.append(first)
    store.record_deletion(task_key())
    assert store.append_all(iter([first, elsewhere, bare, second, second])) == Appended(revisions=3, rows=2)
    assert [row.override.note for row in store.overrides()] == ["elsewhere", "second"]
    assert store.living(task_key()) == {11, 12}
    assert store.append_all([]) == Appended()


def test_what_a_draft_lacked_is_in_every_row_of_the_log(store: Store) -> None:
    """Also in what is read back to compare again."""
    dropped = (Dropped("PQ-01 at score 0.10", "below the least score of 0.3"),)
    review = replace(a_review("r1", a_suggestion("s1")), unexamined=("PQ-02", "PQ-03"), dropped=dropped)
    store.append(compare(untouched(review), [review]))
    line = "Not examined: PQ-02, PQ-03; Dropped: PQ-01 at score 0.10 (below the least score of 0.3)"
    rows = list(store.overrides())
    assert rows
    assert {(row.unexamined, row.left_out) for row in rows} == {(("PQ-02", "PQ-03"), line)}
    (again,) = store.comparisons()
    assert (again.unexamined, again.left_out) == (("PQ-02", "PQ-03"), line)
