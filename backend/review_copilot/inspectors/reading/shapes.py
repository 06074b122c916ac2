"""Find the review in what a model wrote: the list of findings, the verdict, and the answer for each criterion.

Takes wrappers, bare lists, one finding without a list, and findings one after the other. Knows no guideline.
"""

from __future__ import annotations

import html
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from review_copilot.inspectors.reading.blocks import Block, blocks_of, objects_in
from review_copilot.inspectors.reading.fields import (
    COVERAGE_NAMES,
    FINDING_LISTS,
    MAY_BE_EMPTY,
    alone,
    by_plain_name,
    field_of,
)
from review_copilot.inspectors.reading.thoughts import without_thoughts

CUT_OFF = "the reply is cut off: send one complete JSON object"
NO_OBJECT = "the reply must be one JSON object and nothing else"
NO_FINDINGS = '"findings" must be a list'
_ESCAPED = "&quot;"
"""In a text without any quotation mark, it means that the whole text was escaped for a page."""
_FINDING_FIELDS = ("severity", "box", "rationale", "confidence")


class NoReview(ValueError):
    """A text holds no review; the words say what is wrong, for the model."""


@dataclass(frozen=True, slots=True)
class Written:
    """A review as it was written.

    Attributes:
        findings: What stands in its list of findings, of whatever kind.
        verdict: As written.
        summary: As written.
        coverage: The answer for each criterion, as written.
        repaired: The repairs that were needed.
    """

    findings: Sequence[Any]
    verdict: Any = None
    summary: Any = None
    coverage: Any = None
    repaired: tuple[str, ...] = ()


def written_review(text: str) -> Written:
    """The review in a text.

    Raises:
        NoReview: There is none, or it is cut off.
    """
    escaped = _ESCAPED in text and '"' not in text.strip().strip('"')
    told = without_thoughts(html.unescape(text) if escaped else text)
    answer = told.answer
    if not answer.strip(" \n\r\t\ufeff`") and told.thoughts:
        answer = last_of(told.thoughts)
    blocks = blocks_of(answer)
    if blocks.cut_at is not None:
        raise NoReview(CUT_OFF)
    if not blocks.found:
        raise NoReview(NO_OBJECT)
    try:
        return _chosen(blocks.found, whole=answer)
    except NoReview:
        within = alone(blocks.found[-1].value)
        if not isinstance(within, str):
            raise
        inner = written_review(within)  # a wrapper around a text, which may have words or tags around its JSON
        return replace(inner, repaired=(*inner.repaired, "a reply within a string"))


def last_of(thoughts: str) -> str:
    """The JSON value with which thoughts end; empty when words follow it, for then it was a draft."""
    blocks = blocks_of(thoughts)
    if blocks.cut_at is not None or not blocks.found:
        return ""
    last = blocks.found[-1]
    rest = blocks.text[last.end :].strip(" \n\r\t`~.")
    return blocks.text[last.start : last.end] if not rest or rest.startswith("<") else ""


def _chosen(found: Sequence[Block], *, whole: str) -> Written:
    answers = [(block, written) for block in found if (written := _review_in(block.value)) is not None]
    if answers:
        block, written = answers[-1]
        repaired = [*written.repaired, *([block.repaired] if block.repaired else [])]
        if len(answers) > 1:
            repaired.append("an earlier answer before the last one")
        return Written(written.findings, written.verdict, written.summary, written.coverage, tuple(repaired))
    loose = [block.value for block in found if is_finding(block.value)]
    if loose:
        repaired = ["findings without a list", *(block.repaired for block in found if block.repaired)]
        return Written(loose, repaired=tuple(repaired))
    if whole.strip(" \n\r\t`").removeprefix("json").strip() == "[]":
        return Written((), repaired=("a bare list of findings",))
    raise NoReview(NO_FINDINGS)


def _review_in(value: Any) -> Written | None:
    """The review in one JSON value; None when it holds none."""
    if isinstance(value, list) and value and all(is_finding(item) or not isinstance(item, Mapping) for item in value):
        finding_like = any(is_finding(item) for item in value)
        return Written(value, repaired=("a bare list of findings",)) if finding_like else None
    for number, outer in enumerate(objects_in(value)):
        named = by_plain_name(outer)
        listed, repaired = _findings_in(named)
        if listed is None:
            continue
        if number:
            repaired = (*repaired, "a wrapper around the reply")
        coverage = next((named[name] for name in COVERAGE_NAMES if name in named), None)
        return Written(listed, named.get("verdict"), named.get("summary"), coverage, repaired)
    return None


def _findings_in(named: Mapping[str, Any]) -> tuple[list[Any] | None, tuple[str, ...]]:
    """All lists of findings of one object, joined; None when there is none."""
    if "properties" in named and "type" in named:
        return None, ()  # a schema, not a reply by it
    listed: list[Any] | None = None
    repaired: list[str] = []
    for name in FINDING_LISTS:
        if name not in named:
            continue
        found = _as_list(named[name], surely=name == "findings", repaired=repaired)
        if found is None or (not found and name not in FINDING_LISTS[:MAY_BE_EMPTY]):
            continue
        if name != "findings":
            repaired.append("the name of the list of findings")
        listed = [*(listed or []), *found]
    return listed, tuple(repaired)


def _as_list(value: Any, *, surely: bool, repaired: list[str]) -> list[Any] | None:
    if isinstance(value, str):
        return _list_in_text(value, surely=surely, repaired=repaired)
    if isinstance(value, Mapping):
        return _list_in_object(value, repaired)
    if not isinstance(value, list):
        return None
    return value if surely or not value or any(is_finding(item) for item in value) else None


def _list_in_text(text: str, *, surely: bool, repaired: list[str]) -> list[Any] | None:
    found = [block.value for block in blocks_of(text).found if isinstance(block.value, list | dict)]
    if len(found) != 1 and text.strip() != "[]":
        return None
    repaired.append("a list within a string")
    return _as_list(found[0] if found else [], surely=surely, repaired=repaired)


def _list_in_object(value: Mapping[str, Any], repaired: list[str]) -> list[Any] | None:
    if is_finding(value):
        repaired.append("a finding without its list")
        return [value]
    if value and all(is_finding(item) for item in value.values()):
        repaired.append("findings by number instead of a list")
        return list(value.values())
    return None


def is_finding(value: Any) -> bool:
    """Whether a value looks like one finding: it names a criterion, or has two fields of a finding."""
    if not isinstance(value, Mapping):
        return False
    named = by_plain_name(value)
    has = sum(field_of(named, name)[0] for name in _FINDING_FIELDS)
    return has >= 2 or (has >= 1 and field_of(named, "criterion")[0])


def written_object(text: str, names: Sequence[str]) -> Mapping[str, Any]:
    """The last JSON object of a text that has one of the names.

    Args:
        text: What a model wrote.
        names: Names of its fields, as the schema gives them.

    Raises:
        NoReview: There is none, or it is cut off.
    """
    told = without_thoughts(text)
    answer = told.answer if told.answer.strip() else last_of(told.thoughts)
    blocks = blocks_of(answer)
    if blocks.cut_at is not None:
        raise NoReview(CUT_OFF)
    found = [inner for block in blocks.found for inner in objects_in(block.value)]
    fitting = [one for one in found if any(name in one for name in names)]
    if not fitting:
        raise NoReview(NO_OBJECT if not found else f'"{names[0]}" is missing')
    return fitting[-1]


def as_text(value: object) -> str:
    """Something unreadable as one short line, for a note."""
    try:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    except (TypeError, ValueError, RecursionError):
        text = str(value)
    return text
