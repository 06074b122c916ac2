"""How a project is drafted: its guideline, its inspector, and their options. Knows no file and no secret."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class ProjectSetup:
    """The setup of one project. It holds no secret: a model connection is named, and defined elsewhere.

    Attributes:
        guideline_id: Name of the guideline, such as "photo-quality".
        guideline_text: The whole guideline file, so that moving or editing the file does not change the project.
        guideline_revision: Hash of its content, 12 hex digits.
        inspector: Name of the inspector.
        model: Name of the model connection; empty for the one in the settings.
        min_score: Suggestions with a lower score are dropped, 0..1.
        second_look: Whether a model checks each box again.
        blind_share: Share of tasks whose suggestions are stored but not shown, 0..1.
        images_may_leave: Whether images may be sent to a model on another machine.
    """

    guideline_id: str
    guideline_text: str
    guideline_revision: str
    inspector: str
    model: str = ""
    min_score: float = 0.0
    second_look: bool = False
    blind_share: float = 0.0
    images_may_leave: bool = True


@dataclass(frozen=True, slots=True)
class SetupVersion:
    """A setup as it was stored. A change is a new version; none is ever rewritten.

    Attributes:
        number: 1 for the project's first setup, then rising by one.
        setup: The setup.
        stored_at: When, UTC.
    """

    number: int
    setup: ProjectSetup
    stored_at: datetime
