"""Choose the tasks whose suggestions are made and kept, but not shown. Knows no task but its key.

What reviewers find without help tells how much the drafts sway them. The choice is random over tasks and the same each
time it is made, on every road to the reviewer and in every process: it hangs on the task's key and the seed alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from review_copilot.domain.review import TaskKey

_STEPS = 2**64


def is_withheld(key: TaskKey, *, share: float, seed: str = "") -> bool:
    """Whether a task's suggestions are withheld.

    A greater share withholds the same tasks and more; another seed chooses others.

    Args:
        key: The task.
        share: Share of tasks to withhold, 0..1.
        seed: Chooses among the choices, such as the project's own.
    """
    project = key.project
    content = "\n".join((seed, project.instance, str(project.project_id), project.created, str(key.task_id)))
    drawn = int.from_bytes(hashlib.sha256(content.encode()).digest()[:8], "big")
    return drawn < share * _STEPS


@dataclass(frozen=True, slots=True)
class BlindShare:
    """How much is withheld, by project.

    Attributes:
        share: Share of tasks to withhold, 0..1, in projects that have none of their own.
        shares: Project id to its own share.
        seed: Chooses among the choices; a secret where reviewers should not be able to work out the tasks.
    """

    share: float = 0.0
    shares: Mapping[int, float] = field(default_factory=dict)
    seed: str = ""

    def of(self, project_id: int) -> float:
        """The share of one project."""
        return self.shares.get(project_id, self.share)

    def withholds(self, key: TaskKey) -> bool:
        """Whether a task's suggestions are withheld."""
        return is_withheld(key, share=self.of(key.project.project_id), seed=self.seed)
