"""Read YAML and remember on which line each value stands. Knows no guideline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import yaml

YamlPath: TypeAlias = tuple[str | int, ...]
"""Keys and list indices from the document's root."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in a file.

    Attributes:
        line: 1-based.
        what: What is wrong.
        mend: What to write instead.
    """

    line: int
    what: str
    mend: str


@dataclass(frozen=True, slots=True)
class MarkedDocument:
    """Plain values, the line of each, and what YAML itself would have swallowed.

    Attributes:
        value: Mappings, lists and scalars.
        lines: 1-based line of each path: a mapping's entry stands where its key stands.
        problems: Syntax errors, keys that occur twice, keys that are no text.
    """

    value: object
    lines: dict[YamlPath, int]
    problems: tuple[Problem, ...]

    def line(self, path: YamlPath) -> int:
        """The line of a path, or of its nearest parent that is there."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def read_marked(text: str) -> MarkedDocument:
    """Read one YAML document. Never raises for what stands in it: see `problems`."""
    lines: dict[YamlPath, int] = {(): 1}
    problems: list[Problem] = []
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        value = _plain(node, path=(), lines=lines, problems=problems) if node is not None else None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        what = " ".join(str(part) for part in (error.context, error.problem) if part)
        problem = Problem(
            line, f"this is no YAML: {what}", "check indentation, colons and quotes on this line and above"
        )
        return MarkedDocument(None, lines, (problem,))
    except (yaml.YAMLError, ValueError) as error:
        problem = Problem(1, f"this is no YAML: {error}", "save it as plain UTF-8 text")
        return MarkedDocument(None, lines, (problem,))
    return MarkedDocument(value, lines, tuple(problems))


def _plain(node: yaml.Node, *, path: YamlPath, lines: dict[YamlPath, int], problems: list[Problem]) -> object:
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.SequenceNode):
        return [
            _plain(item, path=(*path, index), lines=lines, problems=problems) for index, item in enumerate(node.value)
        ]
    if isinstance(node, yaml.MappingNode):
        mapping: dict[str, object] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                problems.append(Problem(line, "a key is no plain text", "write one word before the colon"))
                continue
            key = str(key_node.value)
            if key in mapping:
                first = lines[*path, key]
                problems.append(
                    Problem(line, f'the key "{key}" stands twice (first on line {first})', "keep one of them")
                )
                continue
            lines[*path, key] = line
            mapping[key] = _plain(value_node, path=(*path, key), lines=lines, problems=problems)
        return mapping
    constructor = yaml.SafeLoader("")
    try:
        return constructor.construct_object(node)
    finally:
        constructor.dispose()
