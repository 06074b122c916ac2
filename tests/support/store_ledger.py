"""What the fault tests write, and the ledger that they hold against the log."""

from __future__ import annotations

from collections import Counter

from builders import a_comparison, an_annotation
from review_copilot.domain.override import Comparison, Override, OverrideKind, Subject
from review_copilot.ports import Store

ROWS = 5


def comparison(annotation_id: int) -> Comparison:
    """The one revision of an annotation, with `ROWS` rows that name it."""
    rows = [
        Override(subject=Subject.REGION, kind=OverrideKind.ADDED, note=f"{annotation_id}/{number}")
        for number in range(ROWS)
    ]
    return a_comparison(an_annotation(annotation_id=annotation_id), rows)


def written(store: Store) -> frozenset[int]:
    """The annotations that the log holds.

    Raises:
        AssertionError: One is there in part, or twice.
    """
    notes = Counter(row.override.note for row in store.overrides(current=False))
    ids = frozenset(int(note.partition("/")[0]) for note in notes)
    assert notes == Counter({f"{annotation_id}/{number}": 1 for annotation_id in ids for number in range(ROWS)})
    return ids
