"""Tables of some tasks each as bytes, and back as one table of all. Knows no disk and no statistics."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from review_copilot.study.packing import pack, unpack
from review_copilot.study.table import TYPES, Ints, OverrideTable, table_of

WORDS: Mapping[str, tuple[str, ...]] = {
    "reviewers": ("reviewer",),
    "criteria": ("suggested", "submitted"),
    "exposures": ("exposure",),
    "guidelines": ("guideline",),
    "models": ("model",),
    "notes": ("note",),
    "values": ("value_from", "value_to"),
}
"""Words of a table, and the columns that hold their numbers, in the order in which a row uses them."""


def pack_table(table: OverrideTable) -> bytes:
    """A table as bytes."""
    words = {name: getattr(table, name) for name in WORDS}
    return pack(words, {name: getattr(table, name) for name in (*TYPES, "box")})


def unpack_table(packed: bytes) -> OverrideTable:
    """The table that `pack_table` was given."""
    words, arrays = unpack(packed)
    columns: dict[str, Any] = {name: arrays[name].astype(kind) for name, kind in TYPES.items()}
    columns |= {name: tuple(words[name]) for name in WORDS}
    return OverrideTable(**columns, box=arrays["box"])


def first_uses(table: OverrideTable) -> dict[str, list[tuple[str, int]]]:
    """Each word with a number that rises with the row that used it first, comparable between tables of one log."""
    return {name: list(zip(getattr(table, name), _first(table, name).tolist(), strict=True)) for name in WORDS}


def in_order(uses: Iterable[Sequence[tuple[str, int]]]) -> list[tuple[str, int]]:
    """The words of several tables in the order of first use in all of them; see `first_uses`."""
    first: dict[str, int] = {}
    for of_one in uses:
        for word, at in of_one:
            first[word] = min(at, first.get(word, at))
    return sorted(first.items(), key=lambda use: use[1])


def renumbered(words: Sequence[str], known: Sequence[str]) -> Ints:
    """The number in `known` of each of some words, -1 where it has none; one entry more at the end is for -1 itself."""
    number = {word: i for i, word in enumerate(known)}
    kind = np.int16 if len(known) <= np.iinfo(np.int16).max else np.int64  # millions of cells are renumbered by this
    return np.array([*(number.get(word, -1) for word in words), -1], dtype=kind)


def joined(tables: Sequence[OverrideTable]) -> OverrideTable:
    """The rows of several tables in one, in the order of writing.

    Args:
        tables: Of one log; no two of them may have rows of the same task.
    """
    if not tables:
        return table_of(())
    if len(tables) == 1:
        return tables[0]
    uses = [first_uses(table) for table in tables]
    known = {name: tuple(word for word, _ in in_order(of_one[name] for of_one in uses)) for name in WORDS}
    suggestions = np.cumsum([0, *(int(table.suggestion.max(initial=-1)) + 1 for table in tables)])
    moved = [_moved(table, known, int(base)) for table, base in zip(tables, suggestions, strict=False)]
    columns = {name: np.concatenate([getattr(table, name) for table in moved]) for name in (*TYPES, "box")}
    order = np.argsort(columns["row"], kind="stable")
    found: dict[str, Any] = {name: column[order] for name, column in columns.items()} | known
    return OverrideTable(**found)


def _moved(table: OverrideTable, known: Mapping[str, tuple[str, ...]], base: int) -> OverrideTable:
    """The table with the numbers of all tables' words, and its suggestions numbered from a base."""
    columns: dict[str, Any] = {
        column: renumbered(getattr(table, name), known[name])[getattr(table, column)].astype(TYPES[column])
        for name, used_by in WORDS.items()
        for column in used_by
    }
    suggestion = np.where(table.suggestion >= 0, table.suggestion + base, -1).astype(TYPES["suggestion"])
    return replace(table, **columns, suggestion=suggestion)


def _first(table: OverrideTable, name: str) -> Ints:
    columns = WORDS[name]
    first: Ints = np.full(len(getattr(table, name)), np.iinfo(np.int64).max)
    for place, column in enumerate(columns):
        used, at = np.unique(getattr(table, column), return_index=True)
        known = used >= 0
        first[used[known]] = np.minimum(first[used[known]], table.row[at[known]] * len(columns) + place)
    return first
