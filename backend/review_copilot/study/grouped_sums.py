"""Sums by key: what many rows come down to, and what adds up over parts of a log. Knows no meaning of keys or sums.

What is counted together is a dataclass of `Cells`. Each field says by `keyed` which of its keys are numbers of words,
for two parts of a log number their words differently.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TypeVar

import numpy as np

from review_copilot.study.table import Floats, Ints

_MOST_CODES = 2**62
_DENSE = 4
"""Codes for each row up to which all are counted, and not only those that occur: no sorting is then needed."""


@dataclass(frozen=True)
class Cells:
    """One cell for each combination of keys that occurred, by rising keys, the first key first.

    Attributes:
        keys: Whole numbers, shape (cells, keys).
        sums: What adds up, shape (cells, sums).
    """

    keys: Ints
    sums: Floats

    def where(self, mask: Ints) -> Cells:
        """The cells where the mask is true."""
        return Cells(self.keys[mask], self.sums[mask])


def cells(keys: Sequence[Ints], sums: Sequence[Floats] | None = None) -> Cells:
    """Add rows of the same keys up.

    Args:
        keys: One column for each key.
        sums: One column for each sum; None to count rows.
    """
    rows = len(keys[0])
    lows = [int(key.min(initial=0)) for key in keys]
    spans = [int(key.max(initial=0)) - low + 1 for key, low in zip(keys, lows, strict=True)]
    codes = float(np.prod([float(span) for span in spans]))
    if codes > _MOST_CODES:
        distinct, place = np.unique(np.stack(keys, axis=1).astype(np.int64), axis=0, return_inverse=True)
        return Cells(distinct, _summed(place.ravel(), sums, len(distinct)))
    code = np.zeros(rows, dtype=np.int64)
    for key, low, span in zip(keys, lows, spans, strict=True):
        code *= span
        code += key.astype(np.int64) - low
    if codes <= _DENSE * rows:
        used = np.flatnonzero(np.bincount(code, minlength=int(codes)))
        found = _summed(code, sums, int(codes))[used]
    else:
        used, place = np.unique(code, return_inverse=True)
        found = _summed(place, sums, len(used))
    columns: list[Ints] = []
    for low, span in zip(reversed(lows), reversed(spans), strict=True):
        columns.append(used % span + low)
        used = used // span
    return Cells(np.stack(columns[::-1], axis=1), found)


def _summed(place: Ints, sums: Sequence[Floats] | None, size: int) -> Floats:
    weights = [None] if sums is None else sums
    return np.stack([np.bincount(place, weights=w, minlength=size) for w in weights], axis=1).astype(np.float64)


def added(parts: Sequence[Cells]) -> Cells:
    """The sum of parts; there must be at least one."""
    keys = np.concatenate([part.keys for part in parts])
    sums = np.concatenate([part.sums for part in parts])
    return cells(list(keys.T), list(sums.T))


_Counted = TypeVar("_Counted")
PLAIN = ""
"""Kind of a key that is no number of a word."""
EACH = "each of "
"""Begins the kind of keys of which there is one for each word, such as how often each verdict was given."""


def keyed(*kinds: str) -> Mapping[str, tuple[str, ...]]:
    """Metadata of a field of `Cells`: the kinds of its keys, which are names of words, or PLAIN; or EACH and a name."""
    return {"kinds": kinds}


def sum_of(parts: Sequence[_Counted], numbers: Sequence[Mapping[str, Ints]], *, sizes: Mapping[str, int]) -> _Counted:
    """The sum of what was counted in parts of a log.

    Args:
        parts: Dataclasses of `Cells`, at least one.
        numbers: For each part and kind of words, the number in the sum of each of the part's, and -1 for -1.
        sizes: How many words of each kind the sum has.
    """
    sums = {
        part.name: added(
            [
                _moved(getattr(counted, part.name), part.metadata["kinds"], of, sizes)
                for counted, of in zip(parts, numbers, strict=True)
            ]
        )
        for part in fields(parts[0])  # type: ignore[arg-type]  # a dataclass, as its callers' are
    }
    return type(parts[0])(**sums)


def _moved(counted: Cells, kinds: tuple[str, ...], numbers: Mapping[str, Ints], sizes: Mapping[str, int]) -> Cells:
    if kinds[0].startswith(EACH):
        words = kinds[0].removeprefix(EACH)
        keys = np.zeros((len(counted.keys), max(1, sizes[words])), dtype=np.int64)
        keys[:, numbers[words][: counted.keys.shape[1]]] = counted.keys
        return Cells(keys, counted.sums)
    columns = [numbers[kind][column] if kind else column for kind, column in zip(kinds, counted.keys.T, strict=True)]
    return Cells(np.stack(columns, axis=1), counted.sums)
