"""Choose the tasks whose suggestions are stored but not shown. Knows only the keys of tasks.

What reviewers find without drafts shows how much drafts influence them. The choice is random over tasks and always the
same, for every way to the reviewer and in every process: it depends only on the task's key and the seed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from review_copilot.domain.review import TaskKey

_STEPS = 2**64


def is_withheld(key: TaskKey, *, share: float, seed: str = "") -> bool:
    """Whether a task's suggestions are withheld.

    A larger share withholds the same tasks and more. Another seed chooses other tasks.

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
    """The blind share of each project.

    Attributes:
        share: Share of tasks to withhold, 0..1, in projects without a share of their own.
        shares: Project id to the project's own share.
        seed: Determines the chosen tasks; a secret if reviewers must not be able to find out which ones.
    """

    share: float = 0.0
    shares: Mapping[int, float] = field(default_factory=dict)
    seed: str = ""

    def of(self, project_id: int) -> float:
        """The blind share of one project."""
        return self.shares.get(project_id, self.share)

    def withholds(self, key: TaskKey) -> bool:
        """Whether a task's suggestions are withheld."""
        return is_withheld(key, share=self.of(key.project.project_id), seed=self.seed)
