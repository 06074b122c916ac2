"""Scripted reviewers, and the ledger in which they keep what they did. Knows nothing of the product's store.

One round changes an annotation at most once: Label Studio keeps only the newest state, so that two changes made while
nobody could listen are one change for everybody who reads later.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from random import Random
from threading import Lock
from typing import Any

from review_copilot.errors import LabelStudioNotFound
from review_copilot.labelstudio.client import LabelStudioClient

SKIPPED = "skipped"


@dataclass
class Entry:
    """One annotation: its task, what was written in each revision, and whether it is gone."""

    task_id: int
    said: list[str]
    deleted: bool = False


@dataclass
class Ledger:
    """What the reviewers did, in their own words."""

    entries: dict[int, Entry] = field(default_factory=dict)
    events: Counter[str] = field(default_factory=Counter)

    def rows(self) -> Counter[tuple[int, int, str]]:
        """(task, annotation, what was written) of every revision."""
        return Counter((e.task_id, number, said) for number, e in self.entries.items() for said in e.said)

    def standing(self) -> Counter[tuple[int, int, str]]:
        """The same of what stands now."""
        return Counter((e.task_id, number, e.said[-1]) for number, e in self.entries.items() if not e.deleted)


@dataclass
class Reviewers:
    """Works through tasks at random, the same by seed."""

    client: LabelStudioClient
    tasks: list[int]
    random: Random
    ledger: Ledger = field(default_factory=Ledger)
    resting: Lock = field(default_factory=Lock)
    """Whoever holds it keeps the reviewers from their next action."""
    _words: int = 0

    def work(self, steps: int) -> None:
        """One round of that many actions."""
        touched: set[int] = set()
        for _ in range(steps):
            with self.resting:
                touched |= self._act(touched)

    def _act(self, touched: set[int]) -> set[int]:
        """One action, on none of the annotations that were touched already; returns those that it touches."""
        mine = [n for n, e in self.ledger.entries.items() if not e.deleted and n not in touched]
        fate = self.random.random()
        if fate < 0.6 or not mine:
            return {self._submit(skipped=fate < 0.08)}
        if fate < 0.8:
            return {self._edit(self.random.choice(sorted(mine)))}
        if fate < 0.93:
            return {self._delete(self.random.choice(sorted(mine)))}
        return self._delete_task(self.random.choice(sorted(mine)), touched)

    def _submit(self, *, skipped: bool) -> int:
        task_id = self.random.choice(self.tasks)
        said = SKIPPED if skipped else self._word()
        body: dict[str, object] = {"result": [] if skipped else result(said), "was_cancelled": skipped}
        number = self.client.create_annotation(task_id, body | {"lead_time": 2.0})
        self.ledger.entries[number] = Entry(task_id, [said])
        self.ledger.events["skipped" if skipped else "submitted"] += 1
        return number

    def _edit(self, number: int) -> int:
        said = self._word()
        self.client.update_annotation(number, {"result": result(said), "was_cancelled": False})
        self.ledger.entries[number].said.append(said)
        self.ledger.events["edited"] += 1
        return number

    def _delete(self, number: int) -> int:
        self.client.delete_annotation(number)
        self.ledger.entries[number].deleted = True
        self.ledger.events["deleted"] += 1
        return number

    def _delete_task(self, number: int, touched: set[int]) -> set[int]:
        """Delete a task on which nothing was done in this round; else its annotation alone."""
        task_id = self.ledger.entries[number].task_id
        on_it = {n for n, e in self.ledger.entries.items() if e.task_id == task_id}
        if on_it & touched or len(self.tasks) < 3:
            return {self._delete(number)}
        try:
            self.client.delete_task(task_id)
        except LabelStudioNotFound:
            return {number}
        self.tasks.remove(task_id)
        for n in on_it:
            self.ledger.entries[n].deleted = True
        self.ledger.events["task deleted"] += 1
        return on_it

    def _word(self) -> str:
        self._words += 1
        return f"word {self._words}"


def result(said: str) -> list[dict[str, Any]]:
    """A drawn box whose rationale is the word."""
    place = {"x": 10, "y": 10, "width": 20, "height": 20, "rotation": 0}
    common = {"id": "drawn", "to_name": "image", "original_width": 100, "original_height": 100}
    return [
        {**common, "from_name": "label", "type": "rectanglelabels",
         "value": {**place, "rectanglelabels": ["Out of focus"]}},
        {**common, "from_name": "rationale", "type": "textarea", "value": {**place, "text": [said]}},
    ]  # fmt: skip
