"""Resolve a tag's value against a task's data, as Label Studio's editor does. Knows no tag.

The editor replaces `$path` by the data at that path, where a path is a name, `a.b`, or `a[1].b`. A field whose whole
name is the path comes first. If the path is the whole value, the data itself is the result, such as a list. A value
without `$` is taken as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

_VARIABLE = re.compile(r"\$[\w\[\].{}]+")
_STEP = re.compile(r"[^.\[\]]+")
_MOST_STEPS = 32
"""A deeper path is not one that a person wrote."""


def resolve(expression: str, data: Mapping[object, object]) -> object:
    """The value of an expression; None if it is empty or one of its paths leads nowhere.

    Args:
        expression: A tag's `value` or `valueList`, such as "$image", "$shots[1].url", or "/files/$name".
        data: A task's data.
    """
    if not expression:
        return None
    if _VARIABLE.fullmatch(expression):
        return _at(expression[1:], data)
    parts = {found: _at(found[1:], data) for found in _VARIABLE.findall(expression)}
    if not all(isinstance(part, str | int | float) and not isinstance(part, bool) for part in parts.values()):
        return None
    return _VARIABLE.sub(lambda match: str(parts[match[0]]), expression)


def fields_in(*expressions: str) -> frozenset[str]:
    """The fields of the data that the expressions read, without what is inside them."""
    paths = (found[1:] for expression in expressions for found in _VARIABLE.findall(expression))
    return frozenset(part for path in paths for part in (path, *_STEP.findall(path)[:1]))


def _at(path: str, data: Mapping[object, object]) -> object:
    if path in data:
        return data[path]
    steps = _STEP.findall(path)
    value: object = data if len(steps) <= _MOST_STEPS else None
    for step in steps:
        if isinstance(value, Mapping):
            value = value.get(step)
        elif isinstance(value, Sequence) and not isinstance(value, str) and step.isdecimal() and len(step) < 10:
            value = value[int(step)] if int(step) < len(value) else None
        else:
            return None
    return value
