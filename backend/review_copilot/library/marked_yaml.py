"""Read YAML and record the line of each value. Knows no guideline."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias

import yaml

YamlPath: TypeAlias = tuple[str | int, ...]
"""Keys and list indices from the document's root."""


MAX_CHARS = 1_000_000
MAX_DEPTH = 20
MAX_VALUES = 20_000
"""Bounds on a file that people edit; the largest shipped one has 400 lines, 700 values, and 6 levels."""

_UNSTORABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem in a file.

    Attributes:
        line: 1-based.
        what: What is wrong.
        fix: What to write instead.
    """

    line: int
    what: str
    fix: str


@dataclass(frozen=True, slots=True)
class MarkedDocument:
    """Plain values, their lines, and problems that YAML itself would ignore.

    Attributes:
        value: Mappings, lists, and scalars.
        lines: 1-based line of each path; the line of a mapping's entry is the line of its key.
        problems: Syntax errors, duplicate keys, and keys that are not text.
    """

    value: object
    lines: dict[YamlPath, int]
    problems: tuple[Problem, ...]

    def line(self, path: YamlPath) -> int:
        """The line of a path, or of its nearest existing parent."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def read_marked(text: str) -> MarkedDocument:
    """Read one YAML document. Never raises for its content: see `problems`."""
    lines: dict[YamlPath, int] = {(): 1}
    problems: list[Problem] = []
    if len(text) > MAX_CHARS:
        return MarkedDocument(None, lines, (Problem(1, "this file is far too long", "keep it below 1 MB"),))
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        value = _plain(node, path=(), lines=lines, problems=problems) if node is not None else None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        what = " ".join(str(part) for part in (error.context, error.problem) if part)
        problem = Problem(
            line, f"this is not valid YAML: {what}", "check indentation, colons, and quotes on this line and above"
        )
        return MarkedDocument(None, lines, (problem,))
    except RecursionError:
        problem = Problem(1, "lists or mappings are nested too deeply", f"nest at most {MAX_DEPTH} levels")
        return MarkedDocument(None, lines, (problem,))
    except (yaml.YAMLError, ValueError) as error:
        problem = Problem(1, f"this is not valid YAML: {error}", "save it as plain UTF-8 text")
        return MarkedDocument(None, lines, (problem,))
    return MarkedDocument(value, lines, tuple(problems))


def _plain(node: yaml.Node, *, path: YamlPath, lines: dict[YamlPath, int], problems: list[Problem]) -> object:
    line = node.start_mark.line + 1
    lines.setdefault(path, line)
    if len(path) > MAX_DEPTH:
        raise _refused(node, f"this is nested more than {MAX_DEPTH} levels deep")
    if len(lines) > MAX_VALUES:  # each use of an alias counts: ten lines of them can stand for a billion values
        raise _refused(node, f"the file stands for more than {MAX_VALUES} values")
    if isinstance(node, yaml.SequenceNode):
        return [
            _plain(item, path=(*path, index), lines=lines, problems=problems) for index, item in enumerate(node.value)
        ]
    if isinstance(node, yaml.MappingNode):
        mapping: dict[str, object] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                problems.append(Problem(line, "a key is not plain text", "write one word before the colon"))
                continue
            key = str(key_node.value)
            if key in mapping:
                first = lines[*path, key]
                problems.append(
                    Problem(line, f'the key "{key}" occurs twice (first on line {first})', "keep one of them")
                )
                continue
            lines[*path, key] = line
            mapping[key] = _plain(value_node, path=(*path, key), lines=lines, problems=problems)
        return mapping
    constructor = yaml.SafeLoader("")
    try:
        value: object = constructor.construct_object(node)
    finally:
        constructor.dispose()
    if isinstance(value, str) and _UNSTORABLE.search(value):
        raise _refused(node, "this text holds a character that cannot be stored or shown")
    return value


def _refused(node: yaml.Node, why: str) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=why, problem_mark=node.start_mark)
