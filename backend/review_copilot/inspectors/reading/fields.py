"""Names and values of a finding's fields, in the forms that models give them. Knows no guideline.

A value that could mean two things is refused, so that the model may be asked again.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, TypeAlias

from review_copilot.domain.guideline import Severity, Verdict

Json: TypeAlias = Mapping[str, Any]

FIELD_NAMES: Mapping[str, tuple[str, ...]] = {
    "criterion": (
        *("criterion", "criterionid", "criterionname", "criteria", "criteriaid", "ruleid", "rule", "code"),
        *("category", "defecttype", "flawtype", "issuetype", "type", "class", "label", "defect", "flaw", "issue"),
        *("id", "name"),
    ),
    "severity": ("severity", "severitylevel", "severityrating", "severityclass", "seriousness", "level", "grade"),
    "rationale": (
        *("rationale", "reason", "reasoning", "explanation", "justification", "why", "evidence", "comment"),
        *("details", "detail", "observation", "text", "note", "message"),
    ),
    "description": ("description", "desc"),
    "image": (
        *("image", "picture", "imagenumber", "picturenumber", "imageindex", "imageid", "pictureid", "imageno"),
        *("img", "view", "photo"),
    ),
    "confidence": (
        *("confidence", "confidencescore", "confidencelevel", "certainty", "conf", "sure", "score", "probability"),
        "likelihood",
    ),
    "box": (
        *("box", "bbox", "bbox2d", "box2d", "boundingbox", "boundingboxes", "boundingbox2d", "bboxes", "boxes"),
        *("bounds", "coordinates", "coords", "rectangle", "rect", "region", "location", "position", "point"),
        *("point2d", "points"),
    ),
}
"""Names by field, the surest first, in small letters and digits only."""

FINDING_LISTS = (
    *("findings", "defects", "issues", "flaws", "problems", "detections", "observations", "violations", "anomalies"),
    *("annotations", "errors", "finding", "results", "items", "regions", "objects"),
)
MAY_BE_EMPTY = 10
"""So many of them mean findings even when they are empty; an empty list of another name may be anything."""
COVERAGE_NAMES = (
    "criteria",
    "coverage",
    "checked",
    "checks",
    "examined",
    "percriterion",
    "criteriaresults",
    "checklist",
)
NULL_WORDS = frozenset({"null", "none", "nil", "n/a", "na", "", "whole image", "entire image", "full image"})

_SEVERITIES: Mapping[Severity, str] = {
    Severity.MINOR: "minor low mild slight small light trivial cosmetic negligible marginal subtle",
    Severity.MAJOR: "major high medium moderate significant serious considerable substantial important",
    Severity.CRITICAL: "critical severe fatal blocker blocking extreme catastrophic unacceptable",
}
_VERDICTS: Mapping[Verdict, str] = {
    Verdict.PASS: "pass passed accept accepted acceptable ok okay approve approved good",
    Verdict.FAIL: "fail failed reject rejected unacceptable bad",
    Verdict.DISCUSS: "discuss discussion review unclear borderline uncertain",
}
_NUMBER = re.compile(r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?")
_NEGATIONS = frozenset({"not", "non", "no", "neither"})


class Unreadable(ValueError):
    """A value of a finding cannot be read; the text says what is wrong, for the model and for people."""


def plain_name(name: str) -> str:
    """A field's name in small letters and digits only."""
    return "".join(letter for letter in name.lower() if letter.isalnum())


def by_plain_name(item: Json) -> dict[str, Any]:
    """An object with plain names; of two fields of one name the first one stays."""
    named: dict[str, Any] = {}
    for name, value in item.items():
        named.setdefault(plain_name(str(name)), value)
    return named


def field_of(named: Json, field: str) -> tuple[bool, Any]:
    """Whether an object with plain names has a field under any of its names, and its value."""
    for name in FIELD_NAMES[field]:
        if name in named:
            return True, named[name]
    return False, None


_INNER = (
    *("value", "severity", "verdict", "confidence", "level", "result", "status", "answer", "flaw", "rating", "name"),
    *("number", "found", "present"),
)
"""Names under which an object holds the one value that it stands for."""


def alone(value: Any) -> Any:
    """The one value in a list of one, or in an object that stands for a value; other values as they are."""
    if isinstance(value, list) and len(value) == 1:
        return alone(value[0])
    if isinstance(value, Mapping):
        named = by_plain_name(value)
        if len(named) == 1:
            return alone(next(iter(named.values())))
        found = next((name for name in _INNER if name in named), None)
        return alone(named[found]) if found else value
    return value


def is_null(value: object) -> bool:
    """Whether a value says that there is none: null, or a word for it."""
    return value is None or (isinstance(value, str) and value.strip().strip("\"'()[].").lower() in NULL_WORDS)


def read_severity(value: object) -> Severity:
    """A severity in any case, with words around it, or by a common synonym.

    Raises:
        Unreadable: It names none, or more than one.
    """
    value = alone(value)
    words = set(re.findall(r"[a-z]+", value.lower())) if isinstance(value, str) else set()
    meant = [severity for severity, known in _SEVERITIES.items() if words & set(known.split())]
    exact = [severity for severity in meant if severity.value in words]
    chosen = exact if len(exact) == 1 and len(meant) > 1 else meant
    if len(chosen) != 1 or words & _NEGATIONS:
        raise Unreadable(f"there is no severity {_shown(value)}")
    return chosen[0]


def read_verdict(value: object) -> Verdict | None:
    """A verdict in any case or by a common synonym; None when it is none."""
    value = alone(value)
    words = set(re.findall(r"[a-z]+", value.lower())) if isinstance(value, str) else set()
    meant = [verdict for verdict, known in _VERDICTS.items() if words & set(known.split())]
    return meant[0] if len(meant) == 1 and not words & _NEGATIONS else None


def read_count(value: object) -> int:
    """A whole number in any form: 1, 1.0, "1", "Picture 1".

    Raises:
        Unreadable: It holds no number, several, or a broken one.
    """
    number = value = alone(value)
    if isinstance(value, str):
        found = _NUMBER.findall(value)
        number = float(found[0]) if len(found) == 1 else None
    if isinstance(number, bool) or not isinstance(number, int | float) or number != number // 1:
        raise Unreadable(f"{_shown(value)} is no number of a picture")
    return int(number)


def read_confidence(value: object, *, of_one: bool) -> tuple[float, bool] | None:
    """A confidence in any form.

    Args:
        value: 80, 0.8, "80 %", "0.8", "8/10" ...
        of_one: Whether the same reply writes confidences from 0 to 1.

    Returns:
        The share, and whether it had to be brought within 0..1; None when there is no number.
    """
    number: float | None = None
    whole, value = 100.0, alone(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        number = float(value)
    elif isinstance(value, str) and (found := _NUMBER.findall(value)):
        number = float(found[0])
        if "/" in value and len(found) == 2 and float(found[1]) > 0:
            whole = float(found[1])
    if number is None or not math.isfinite(number):
        return None
    written_of_one = 0 <= number <= 1 and (of_one or _has_point(value)) and "%" not in str(value)
    share = number if written_of_one and whole == 100.0 else number / whole
    return min(1.0, max(0.0, share)), not 0 <= share <= 1


def is_of_one(value: object) -> bool:
    """Whether a confidence can only be one from 0 to 1."""
    value = alone(value)
    if isinstance(value, bool) or not isinstance(value, int | float | str) or "%" in str(value) or "/" in str(value):
        return False
    found = _NUMBER.findall(str(value))
    return len(found) == 1 and 0 < float(found[0]) < 1


def _has_point(value: object) -> bool:
    return isinstance(value, float) or (isinstance(value, str) and "." in value)


def _shown(value: object) -> str:
    return repr(printable(str(value))[:30])


def printable(text: str) -> str:
    """A text without what cannot be printed, on one line."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
