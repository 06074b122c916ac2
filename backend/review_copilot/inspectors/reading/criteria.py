"""Which criterion of a guideline a model means: by id in any form, by label, or by both. Knows no endpoint."""

from __future__ import annotations

import re
from collections.abc import Mapping

from review_copilot.domain.guideline import UNCOVERED, Guideline
from review_copilot.inspectors.reading.fields import Unreadable, plain_name, printable

_UNCOVERED_WORDS = frozenset({"uncovered", "novel", "novelpattern", "notcovered", "other"})


def read_criterion(value: object, guideline: Guideline) -> str:
    """The id of the criterion that a value names.

    Raises:
        Unreadable: It names none of the guideline, or two.
    """
    if isinstance(value, Mapping):
        parts = [part for name, part in value.items() if plain_name(str(name)) in {"id", "label", "name", "code"}]
        return read_criterion(" ".join(map(str, parts)), guideline)
    if isinstance(value, list) and len(value) == 1:
        return read_criterion(value[0], guideline)
    text = printable(value) if isinstance(value, str) else ""
    if (exact := _exact(text, guideline)) is not None:
        return exact
    named = {criterion_id for criterion_id in _ids(guideline) if _has_id(text, criterion_id)}
    if len(named) != 1:
        raise Unreadable(f"the guideline has no criterion {printable(str(value))[:40]!r}")
    found = named.pop()
    rest = _exact(_without_id(text, found), guideline)
    if rest not in {None, found}:
        raise Unreadable(f"{text[:40]!r} names two criteria, {found} and {rest}")
    return found


def _ids(guideline: Guideline) -> tuple[str, ...]:
    return (*(criterion.id for criterion in guideline.criteria), UNCOVERED)


def _exact(text: str, guideline: Guideline) -> str | None:
    """The criterion whose id or label the whole text is, punctuation and case apart."""
    wanted = plain_name(text)
    if not wanted:
        return None
    for criterion in guideline.criteria:
        if wanted in {plain_name(criterion.id), plain_name(criterion.label)}:
            return criterion.id
    return UNCOVERED if wanted in {*_UNCOVERED_WORDS, plain_name(guideline.novel.label)} else None


def _id_pattern(criterion_id: str) -> re.Pattern[str]:
    """The id in any case, with any separator between its parts, and with any number of leading zeros."""
    parts = [f"0*{int(part)}" if part.isdecimal() else part for part in re.findall(r"[A-Za-z]+|\d+", criterion_id)]
    return re.compile(r"(?<![A-Za-z0-9])" + r"[-_. \u2010-\u2015]?".join(parts) + r"(?![A-Za-z0-9])", re.IGNORECASE)


def _has_id(text: str, criterion_id: str) -> bool:
    return bool(_id_pattern(criterion_id).search(text))


def _without_id(text: str, criterion_id: str) -> str:
    return _id_pattern(criterion_id).sub(" ", text)
