"""What a connection did with each part of a project. Knows no server."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """Result of setting up one part of the connection."""

    MADE = "made"
    CHANGED = "changed"
    KEPT = "kept"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Step:
    """One part of the connection.

    Attributes:
        part: Name of the part, such as "label config" or "webhook".
        outcome: The result.
        detail: One sentence for the user.
    """

    part: str
    outcome: Outcome
    detail: str


@dataclass(frozen=True, slots=True)
class ConnectionReport:
    """Report of a connection.

    Attributes:
        project_id: The project.
        title: Its title.
        url: Its page in Label Studio.
        steps: The steps, in the order they ran.
        problems: What the label config cannot show or collect, as sentences.
    """

    project_id: int
    title: str
    url: str
    steps: tuple[Step, ...]
    problems: tuple[str, ...] = ()

    @property
    def unchanged(self) -> bool:
        """Whether everything was already set up."""
        return all(step.outcome is Outcome.KEPT for step in self.steps)
