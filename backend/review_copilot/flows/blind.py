"""Choose the tasks whose suggestions are made and kept, but not shown. Knows no task but its key.

What reviewers find without help tells how much the drafts sway them. The choice is random over tasks and the same each
time it is made, on every road to the reviewer and in every process: it hangs on the task's key and the seed alone.
"""

from __future__ import annotations

import hashlib

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
