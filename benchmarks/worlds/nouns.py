"""What a simulated world is: rows of an override log, and the truths that were planted in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

Row = dict[str, object]
"""One row of the exported override table; its keys are `COLUMNS`. Absent texts and numbers are None, lists are lists,
times are aware datetimes in UTC."""

SCHEMA_VERSION = 1
BOX = ("x", "y", "width", "height")
COLUMNS = (
    "schema_version",
    "id",
    "instance",
    "project_id",
    "project_created",
    "task_id",
    "annotation_id",
    "revision",
    "current",
    "deleted",
    "confirmed",
    "author",
    "editor",
    "created_at",
    "updated_at",
    "logged_at",
    "lead_time_s",
    "exposure",
    "inspector",
    "model_version",
    "rollout",
    "guideline_id",
    "guideline_revision",
    "prompt_hash",
    "review_id",
    "subject",
    "kind",
    "suggestion_id",
    "region_id",
    "criterion_from",
    "criterion_to",
    "severity_from",
    "severity_to",
    "edits",
    "iou",
    "text_from",
    "text_to",
    "text_similarity",
    "text_distance",
    "reasons",
    "note",
    "score",
    *(f"box_from_{side}" for side in BOX),
    *(f"box_to_{side}" for side in BOX),
    "unexamined",
    "left_out",
)

CAUSES = (
    "model_wrong",
    "ambiguous",
    "severity_vague",
    "confused",
    "reviewer",
    "drift",
    "uncovered",
    "missed",
    "model_change",
    "guideline_change",
    "place_vague",
    "wording_disliked",
    "rare_pooled",
    "bulk_hours",
    "fatigue",
)
"""Everything that can be planted. `reviewer` is one person who rejects or accepts otherwise than everybody else."""


@dataclass(frozen=True, slots=True)
class Truth:
    """One planted fault.

    Attributes:
        cause: One of `CAUSES`.
        criteria: Criterion ids that it concerns; empty for faults of people and for patterns.
        reviewer: Whom it concerns; empty unless the fault is a person's.
        direction: "accepts" or "rejects" for `reviewer`; empty for all others.
        pattern: Name of a novel pattern; empty unless the cause is `uncovered`.
        since: From when on it holds; None when it always held.
        tasks: Task ids in whose current annotations somebody reported the pattern; empty unless `uncovered`.
        unit: What is counted to see it, in words.
        units: How many of those units the log holds from `since` on.
        effect: Share of the units that show it, as the log has it.
        usual: The share that is usual in the same log, from the units that nothing was planted in.
        bound: Units that a fair sequential test needs on average to tell `effect` from `usual` (Wald, error .001 one
            way and .1 the other; see `measure.wald`).
        bound_at: When the log holds that many units; the earliest fair time for a flag.
        also: Other claims that follow from the fault, as (cause, criterion or reviewer). They are neither found nor
            false. A `drift` beside a `model_change` says the same thing a second time.
        words: The fault in one sentence.
    """

    cause: str
    criteria: tuple[str, ...] = ()
    reviewer: str = ""
    direction: str = ""
    pattern: str = ""
    since: datetime | None = None
    tasks: tuple[int, ...] = ()
    unit: str = ""
    units: int = 0
    effect: float = 0.0
    usual: float = 0.0
    bound: float = 0.0
    bound_at: datetime | None = None
    also: tuple[tuple[str, str], ...] = ()
    words: str = ""


@dataclass(frozen=True, slots=True)
class World:
    """A project's override log and what was planted in it.

    Attributes:
        name: Which kind of world.
        seed: What it was drawn from.
        clean: Whether nothing was planted.
        rows: The log, in the order of writing; superseded and deleted revisions among them.
        truth: What was planted.
        guideline_id: Name of the guideline; a shipped one or one that is made up here.
        criteria: Criterion id to label.
        reviewers: Everybody who annotates.
        looks: Task id to a unit vector of what its uncovered flaw looks like, for tasks where somebody reported one.
            A study that looks at images may use them in the place of pictures.
        facts: Numbers that were drawn, and decoys (things that are there and are no fault), for reports.
        allowed: Claims, as (cause, criterion or reviewer), that are true and too weak in the log to be asked for. They
            are neither found nor false.
        left_out: Causes that were asked for and that this world has no room for.
    """

    name: str
    seed: int
    clean: bool
    rows: Sequence[Row]
    truth: tuple[Truth, ...]
    guideline_id: str
    criteria: Mapping[str, str]
    reviewers: tuple[str, ...]
    looks: Mapping[int, tuple[float, ...]] = field(default_factory=dict)
    facts: Mapping[str, object] = field(default_factory=dict)
    allowed: tuple[tuple[str, str], ...] = ()
    left_out: tuple[str, ...] = ()


class Make(Protocol):
    """Draws one world."""

    def __call__(self, seed: int, *, clean: bool = False, causes: Sequence[str] | None = None) -> World:
        """Draw the world of a seed.

        Args:
            seed: Equal seeds give equal worlds.
            clean: Plant nothing.
            causes: What to plant, each once for each time it is named; None for what this kind of world draws.
                "copier" stands for a `reviewer` who accepts.
        """
        ...
