"""Sum the cost of drafts and find tasks without suggestions, from a narrow table. Reads no review.

Reading a review's payload takes a hundred times longer than reading the few numbers that a report needs. These are
in a table of their own, because columns after `payload` would be stored behind its overflow pages.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from review_copilot.domain.draft_totals import Cost, Drafts, Undrafted, Why, why_undrafted
from review_copilot.domain.review import ProjectKey, Review
from review_copilot.store import schema
from review_copilot.store.row_keys import find_project, insert_new

_REVIEW = schema.reviews.c
_FACT = schema.draft_facts.c
_CODES = {Why.NOTHING_FOUND: 1, Why.FAILED: 2, Why.NOT_READY: 3, Why.WITHHELD: 4}
_REASONS: Mapping[int, Why] = {code: why for why, code in _CODES.items()}
_CODE_SPAN = 8
"""Greater than the highest code: the newest review of a task and its code fit into one number."""

_MOST = 2**53
"""Counts are stored as doubles, so that no sum overflows; they are exact up to this number."""

_MOST_PARAMETERS = 10_000


def note(connection: sa.Connection, reviews: Sequence[Review]) -> None:
    """Store the numbers of new reviews; existing numbers do not change."""
    whole: dict[str, Review] = {}
    for review in reviews:
        if review.box is None:
            whole.setdefault(review.id, review)
    ids = list(whole)
    for start in range(0, len(ids), _MOST_PARAMETERS):
        found = connection.execute(
            sa.select(_REVIEW.id, _REVIEW.project_ref, _REVIEW.task_id, _REVIEW.review_id).where(
                _REVIEW.review_id.in_(ids[start : start + _MOST_PARAMETERS]), sa.not_(_REVIEW.for_box)
            )
        )
        rows = [
            {"review_ref": ref, "project_ref": project, "task_id": task_id, **_numbers(whole[review_id])}
            for ref, project, task_id, review_id in found
        ]
        insert_new(connection, schema.draft_facts, rows)


def totals(connection: sa.Connection, project: ProjectKey, *, since: datetime | None, until: datetime | None) -> Drafts:
    """See `ports.ReviewStore.draft_totals`; reads the project's rows three times, in key order."""
    counted = tuple(_within(_FACT, find_project(connection, project), since, until))
    newest = (
        sa.select((sa.func.max(_FACT.review_ref * _CODE_SPAN + _FACT.why) % _CODE_SPAN).label("why"))
        .where(*counted)
        .group_by(_FACT.task_id)
        .subquery()
    )
    by_reason = sa.select(newest.c.why, sa.func.count()).group_by(newest.c.why)
    tasks: dict[int, int] = {code: many for code, many in connection.execute(by_reason)}  # noqa: C416  # types the pairs
    sums = sa.select(
        sa.func.count(_FACT.calls),
        sa.func.count(_FACT.cost_usd),
        sa.func.sum(_FACT.calls),
        sa.func.sum(_FACT.tokens),
        sa.func.sum(_FACT.cost_usd),
    ).where(*counted)
    drafts, priced, calls, tokens, usd = connection.execute(sums).one()
    unclear = priced < drafts or usd is None
    return Drafts(
        tasks=sum(tasks.values()),
        undrafted={_REASONS[code]: many for code, many in tasks.items() if code in _REASONS},
        cost=Cost(drafts, int(calls), int(tokens), math.nan if unclear else usd) if drafts else None,
        unexamined=_unexamined(connection, counted),
    )


def _unexamined(connection: sa.Connection, counted: Sequence[sa.ColumnElement[bool]]) -> Mapping[str, int]:
    """Criterion id to the number of tasks whose newest draft did not examine it."""
    newest = sa.select(sa.func.max(_FACT.review_ref)).where(*counted).group_by(_FACT.task_id)
    query = (
        sa.select(_FACT.unexamined, sa.func.count())
        .where(*counted, _FACT.unexamined != [], _FACT.review_ref.in_(newest))
        .group_by(_FACT.unexamined)
    )
    tasks: Counter[str] = Counter()
    for criteria, many in connection.execute(query):
        tasks.update(dict.fromkeys(criteria, many))
    return dict(tasks)


def undrafted(
    connection: sa.Connection,
    project: ProjectKey,
    why: Why,
    *,
    since: datetime | None,
    until: datetime | None,
    limit: int,
) -> Sequence[Undrafted]:
    """See `ports.ReviewStore.undrafted`."""
    ref = find_project(connection, project)
    later = schema.draft_facts.alias("later")
    replaced = sa.exists().where(
        later.c.task_id == _FACT.task_id, later.c.review_ref > _FACT.review_ref, *_within(later.c, ref, since, until)
    )
    query = (
        sa.select(_FACT.task_id, _FACT.error, _FACT.created_at)
        .where(_FACT.why == _CODES[why], *_within(_FACT, ref, since, until), sa.not_(replaced))
        .order_by(_FACT.task_id)
        .limit(limit)
    )
    return tuple(Undrafted(task_id, why, said, at) for task_id, said, at in connection.execute(query))


def _within(
    fact: ReadOnlyColumnCollection[str, sa.Column[Any]],
    project_ref: int | None,
    since: datetime | None,
    until: datetime | None,
) -> Iterable[sa.ColumnElement[bool]]:
    yield fact.project_ref == project_ref
    if since is not None:
        yield fact.created_at >= since
    if until is not None:
        yield fact.created_at < until


def _numbers(review: Review) -> dict[str, object]:
    """The stored numbers of a review; NaN is stored as NULL, because SQLite has no NaN."""
    why, usage = why_undrafted(review), review.usage
    return {
        "created_at": review.created_at,
        "why": _CODES[why] if why else 0,
        "calls": usage and _double(usage.calls),
        "tokens": usage and _double(usage.prompt_tokens + usage.completion_tokens),
        "cost_usd": usage and (None if math.isnan(usage.cost_usd) else usage.cost_usd),
        "error": review.error,
        "unexamined": list(review.unexamined),
    }


def _double(count: int) -> float:
    return float(max(-_MOST, min(_MOST, count)))
