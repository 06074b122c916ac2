"""What the drafts of a project come to is the same as going through them one by one, on every store."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from builders import OTHER, PROJECT, a_review, a_suggestion, at, task_key
from review_copilot.domain.draft_totals import Cost, Drafts, Undrafted, Why
from review_copilot.domain.geometry import Box
from review_copilot.domain.review import Exposure, ProjectKey, Review
from review_copilot.domain.suggestion import Usage
from review_copilot.ports import Store
from study_log import drafts

LIMITS = (None, at(1), at(2), at(3))

usages = st.none() | st.builds(
    Usage,
    prompt_tokens=st.integers(0, 10**6),
    completion_tokens=st.integers(0, 10**6),
    cost_usd=st.floats(0, 10, allow_nan=False),
    calls=st.integers(0, 3),
)


@st.composite
def reviews(draw: st.DrawFn) -> Review:
    """One of few tasks in one of two projects; ids come again, with other content."""
    project = draw(st.sampled_from((PROJECT, PROJECT, OTHER)))
    review = a_review(
        f"r{draw(st.integers(0, 30))}",
        *draw(st.sampled_from(((), (a_suggestion(),)))),
        key=task_key(draw(st.integers(1, 4)), project=project),
        exposure=draw(st.sampled_from(Exposure)),
        created_at=at(draw(st.integers(0, 4))),
        box=draw(st.sampled_from((None, None, None, Box(0, 0, 0.5, 0.5)))),
    )
    unexamined = draw(st.sampled_from(((), (), ("C-1",), ("C-1", "C-2"))))
    return replace(review, usage=draw(usages), unexamined=unexamined)


def one_by_one(written: Sequence[Review], project: ProjectKey) -> tuple[Drafts, dict[Why, list[Undrafted]]]:
    """What a reader of all reviews would find."""
    newest = {review.key.task_id: review for review in written}
    why = {
        Exposure.FAILED: Why.FAILED,
        Exposure.NOT_READY: Why.NOT_READY,
        Exposure.WITHHELD: Why.WITHHELD,
    }
    listed: dict[Why, list[Undrafted]] = {reason: [] for reason in Why}
    for task_id, review in sorted(newest.items()):
        empty = review.exposure is Exposure.SHOWN and not review.suggestions
        reason = Why.NOTHING_FOUND if empty else why.get(review.exposure)
        if reason:
            listed[reason].append(Undrafted(task_id, reason, review.error, review.created_at))
    used = [review.usage for review in written if review.usage]
    cost = Cost(
        drafts=len(used),
        calls=sum(usage.calls for usage in used),
        tokens=sum(usage.prompt_tokens + usage.completion_tokens for usage in used),
        usd=pytest.approx(math.fsum(usage.cost_usd for usage in used)),  # type: ignore[arg-type]  # equal to a float
    )
    reasons = Counter({w: len(t) for w, t in listed.items() if t})
    unexamined = Counter(criterion for review in newest.values() for criterion in review.unexamined)
    return Drafts(len(newest), reasons, cost if used else None, unexamined), listed


numbers = count()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    written=st.lists(st.lists(reviews(), max_size=8), max_size=4),
    since=st.sampled_from(LIMITS),
    until=st.sampled_from(LIMITS),
    limit=st.integers(1, 4),
)
def test_sums_and_lists_are_those_of_the_reviews(
    store: Store, written: list[list[Review]], since: datetime | None, until: datetime | None, limit: int
) -> None:
    """Whatever is written, in whatever portions, for any period; the same id again changes nothing."""
    example = f"example {next(numbers)}"
    mine = [[_apart(review, example) for review in batch] for batch in written]
    for batch in mine:
        store.remember(batch)
    kept: dict[str, Review] = {}
    for batch in mine:
        for review in batch:
            kept.setdefault(review.id, review)
    for project in (PROJECT, OTHER):
        here = replace(project, instance=project.instance + example)
        counted = [
            review
            for review in kept.values()
            if review.key.project == here
            and review.box is None
            and (since is None or review.created_at >= since)
            and (until is None or review.created_at < until)
        ]
        sums, listed = one_by_one(counted, here)
        assert store.draft_totals(here, since=since, until=until) == sums
        for why in Why:
            found = store.undrafted(here, why, since=since, until=until, limit=limit)
            assert list(found) == listed[why][:limit]


def _apart(review: Review, example: str) -> Review:
    project = replace(review.key.project, instance=review.key.project.instance + example)
    return replace(review, id=review.id + example, key=task_key(review.key.task_id, project=project))


def test_each_task_without_a_suggestion_has_its_reason(store: Store) -> None:
    store.remember(drafts(PROJECT))
    found = store.draft_totals(PROJECT)
    assert (found.tasks, found.without) == (5, 4)
    assert found.reasons() == tuple((why, 1) for why in Why)
    listed = [store.undrafted(PROJECT, why, limit=9) for why in Why]
    assert [[task.task_id for task in tasks] for tasks in listed] == [[2], [3], [4], [5]]
    assert listed[1][0].said == "The image could not be fetched."


def test_criteria_that_the_newest_draft_of_a_task_did_not_examine_are_counted(store: Store) -> None:
    first = replace(a_review("r1", a_suggestion(), key=task_key(1)), unexamined=("C-1", "C-2"))
    store.remember([first, replace(a_review("r2", key=task_key(2)), unexamined=("C-2",))])
    assert store.draft_totals(PROJECT).unexamined == {"C-1": 1, "C-2": 2}
    store.remember([a_review("r3", a_suggestion(), key=task_key(1))])
    assert store.draft_totals(PROJECT).unexamined == {"C-2": 1}


def test_a_later_draft_replaces_a_failed_one(store: Store) -> None:
    """The one that was written last counts, whatever the clock said."""
    store.remember([a_review("r1", exposure=Exposure.FAILED, created_at=at(60))])
    assert store.draft_totals(PROJECT).undrafted == {Why.FAILED: 1}
    store.remember([a_review("r2", a_suggestion())])
    assert store.draft_totals(PROJECT).without == 0
    assert store.undrafted(PROJECT, Why.FAILED, limit=9) == ()
    assert store.undrafted(PROJECT, Why.FAILED, since=at(1), limit=9) != ()


def test_a_project_without_drafts_comes_to_nothing(store: Store) -> None:
    assert store.draft_totals(PROJECT) == Drafts()
    assert store.undrafted(PROJECT, Why.FAILED, limit=9) == ()


def test_an_error_keeps_every_character(store: Store) -> None:
    said = 'NUL \x00, half a pair \ud83d, "quotes", \N{GREEK SMALL LETTER ALPHA}'
    store.remember([replace(a_review("r1", exposure=Exposure.FAILED), error=said)])
    assert store.undrafted(PROJECT, Why.FAILED, limit=9)[0].said == said


@pytest.mark.parametrize("price", [math.inf, math.nan])
def test_a_price_that_is_no_number_costs_no_report(store: Store, price: float) -> None:
    priced = [Usage(cost_usd=cost, calls=1, prompt_tokens=5) for cost in (0.5, price, 0.25)]
    store.remember([replace(a_review(f"r{n}"), usage=usage) for n, usage in enumerate(priced)])
    cost = store.draft_totals(PROJECT).cost
    assert cost is not None
    assert (cost.drafts, cost.calls, cost.tokens) == (3, 3, 15)
    assert cost.usd == pytest.approx(price, nan_ok=True)


def test_a_count_beyond_all_sense_breaks_nothing(store: Store) -> None:
    """A provider may say anything."""
    store.remember([replace(a_review(f"r{n}"), usage=Usage(prompt_tokens=10**30, calls=1)) for n in range(3)])
    cost = store.draft_totals(PROJECT).cost
    assert cost is not None
    assert (cost.drafts, cost.calls) == (3, 3)
    assert cost.tokens >= 3 * 2**53


def test_failed_tasks_are_those_whose_every_draft_failed(store: Store) -> None:
    """A task that was drafted in the end did not fail, and neither did one under another roll-out, or a Magic box."""
    box = Box(0, 0, 0.5, 0.5)
    store.remember(
        [
            a_review("f1", key=task_key(1), exposure=Exposure.FAILED),
            a_review("f2", key=task_key(2), exposure=Exposure.FAILED),
            a_review("made", a_suggestion(), key=task_key(2)),
            a_review("f3", key=task_key(3), exposure=Exposure.FAILED, box=box),
            a_review("f4", key=task_key(4), exposure=Exposure.FAILED),
        ]
    )
    label = a_review("any").provenance.rollout
    assert store.failed(PROJECT, rollout=label, task_ids=[1, 2, 3]) == {1}
    assert store.failed(PROJECT, rollout="photo-quality r99 000000", task_ids=[1, 4]) == frozenset()
