"""Find the complete JSON values in a text, and repair their syntax. Knows no schema.

A repairing parser also completes what was cut off. So the end of each value is found here first, and only complete ones
are repaired.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import json_repair

_PAIRS = {"{": "}", "[": "]"}
_MOST_BLOCKS = 400
_MOST_LETTERS = 400_000
_LOOKS_LIKE_JSON = re.compile(r"""\{\s*(?:["'“]|[A-Za-z_]\w*"?\s*:|//|/\*|$)|\[\s*(?:[{"'\[\]]|-?\d|$)""")
_STRING_OF_JSON = re.compile(r"""(?:^|(?<=[\s:>(`|]))(["'])(?=\s*[\[{])""")
_LINE_BREAK = re.compile(r"[\r\n]")
_SYNTAX = "the syntax of the JSON"


@dataclass(frozen=True, slots=True)
class Block:
    """One complete JSON value of a text.

    Attributes:
        value: The value, an object or a list.
        start: Where it begins.
        end: Where it ends.
        repaired: The repairs; empty for proper JSON.
    """

    value: Any
    start: int
    end: int
    repaired: str = ""


@dataclass(frozen=True, slots=True)
class Blocks:
    """All values of a text that stand in no other.

    Attributes:
        found: In their order.
        text: The text that their places refer to: strings that are JSON themselves stand in it as JSON.
        cut_at: Where a value begins that never ends; None where there is none.
    """

    found: tuple[Block, ...]
    text: str
    cut_at: int | None = None


def blocks_of(text: str) -> Blocks:
    """The objects and lists of a text: bare, in fences, or between words.

    Args:
        text: What a model wrote, thoughts left out.
    """
    text = text[:_MOST_LETTERS]
    text = _inlined(text)
    found: list[Block] = []
    cut_at: int | None = None
    at = 0
    while len(found) < _MOST_BLOCKS and (start := _first_opening(text, at)) is not None:
        block = _block(text, start)
        if block is not None:
            found.append(block)
            at = block.end
            continue
        if _LOOKS_LIKE_JSON.match(text, start):
            cut_at = start
            break
        at = start + 1
    return Blocks(tuple(found), text, cut_at)


def _inlined(text: str) -> str:
    """The text with each string that is JSON itself put in as JSON: the whole reply, or its list of findings."""
    at = 0
    while (opening := _STRING_OF_JSON.search(text, at)) is not None:
        start = opening.start(1)
        end = _literal_end(text, start)
        within = _decoded(text[start:end])
        if within is not None:
            text = text[:start] + within + text[end:]
        at = start + 1
    return text


def _decoded(literal: str) -> str | None:
    """What a string literal holds, where that is one JSON value; None for all else."""
    try:
        read = json.loads(literal, strict=False) if literal.startswith('"') else ast.literal_eval(literal)
        return read if isinstance(read, str) and isinstance(json.loads(read, strict=False), dict | list) else None
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return None


def _first_opening(text: str, at: int) -> int | None:
    places = [place for opening in _PAIRS if (place := text.find(opening, at)) >= 0]
    return min(places, default=None)


def _block(text: str, start: int) -> Block | None:
    """The value that begins at a place; None when it never ends or cannot be repaired."""
    try:
        value, end = json.JSONDecoder(strict=False).raw_decode(text, start)  # grammars let control characters through
    except (ValueError, RecursionError):
        pass
    else:
        return Block(value, start, end)
    closed = _end_of(text, start)
    if closed is None:
        return None
    try:
        value = json_repair.loads(text[start:closed], skip_json_loads=True)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict if text[start] == "{" else list):
        return None
    return Block(value, start, closed, repaired=_SYNTAX)


def _end_of(text: str, start: int) -> int | None:
    """The place behind the bracket that closes the one at `start`; None when the brackets do not match up."""
    closing: list[str] = []
    at = start
    while at < len(text):
        letter = text[at]
        if skipped := _skip(text, at):
            at = skipped
            continue
        if letter in _PAIRS:
            closing.append(_PAIRS[letter])
        elif letter in {"}", "]"}:
            if not closing or closing.pop() != letter:
                return None
            if not closing:
                return at + 1
        at += 1
    return None


def _skip(text: str, at: int) -> int:
    """Where a string or comment that begins here ends; 0 when none begins. An open string ends with the text."""
    letter = text[at]
    if letter in '"“':
        return _string_end(text, at, lambda end: _closes(text, end, '"”'))
    if letter == "'" and _before(text, at) in "{[,:":
        return _string_end(text, at, lambda end: _closes(text, end, "'"))
    for mark, end_mark in (("//", "\n"), ("/*", "*/"), ("#", "\n")):
        if text.startswith(mark, at) and _before(text, at) != ":":
            end = text.find(end_mark, at + len(mark))
            return len(text) if end < 0 else end + len(end_mark)
    return 0


def _string_end(text: str, start: int, closes: Callable[[int], bool]) -> int:
    at = start + 1
    while at < len(text):
        if text[at] == "\\":
            at += 2
            continue
        if closes(at):
            return at + 1
        at += 1
    return len(text)


def _literal_end(text: str, start: int) -> int:
    """The place behind the next quote of the same kind that no backslash escapes."""
    return _string_end(text, start, lambda at: text[at] == text[start])


def _closes(text: str, at: int, quotes: str) -> bool:
    """Whether a quote ends its string: what follows is the punctuation of JSON, a comment or the end."""
    if text[at] not in quotes:
        return False
    rest = text[at + 1 : at + 60].lstrip()
    return (
        not rest or rest[0] in ",:}]/#" or (_LINE_BREAK.search(text[at + 1 : at + 3]) is not None and rest[0] in "\"'")
    )


def _before(text: str, at: int) -> str:
    """The last letter before a place that is no space; a space where there is none."""
    return text[:at].rstrip()[-1:] or " " if at < 200 else (text[at - 200 : at].rstrip()[-1:] or " ")


def objects_in(value: Any, *, depth: int = 5) -> Iterator[dict[str, Any]]:
    """All objects of a value, the outer before the inner; text that is JSON is looked into."""
    if depth < 0:
        return
    if isinstance(value, str) and value.lstrip()[:1] in {"{", "["}:
        for block in blocks_of(value).found[-1:]:
            yield from objects_in(block.value, depth=depth - 1)
    elif isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from objects_in(inner, depth=depth - 1)
    elif isinstance(value, list):
        for inner in value:
            yield from objects_in(inner, depth=depth - 1)
