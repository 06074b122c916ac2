"""Options that several commands take to choose a project and what it is drafted by."""

from __future__ import annotations

from typing import Annotated

import typer

ProjectOption = Annotated[int, typer.Option("--project", help="Label Studio's project id.")]
GuidelineChoice = Annotated[
    str | None, typer.Option("--guideline", help="Guideline of the project: a shipped name or a YAML file.")
]
InspectorChoice = Annotated[str | None, typer.Option("--inspector", help="Inspector that drafts the project.")]
ModelChoice = Annotated[
    str | None, typer.Option("--model", help="Model connection by name, as defined in REVIEW_COPILOT_MODELS.")
]
MinScoreChoice = Annotated[
    float | None, typer.Option("--min-score", min=0, max=1, help="Drop suggestions with a lower score.")
]
SecondLookChoice = Annotated[
    bool | None, typer.Option("--second-look/--no-second-look", help="Let the model check each box again.")
]
BlindShareChoice = Annotated[
    float | None, typer.Option("--blind-share", min=0, max=1, help="Share of tasks whose drafts are not shown.")
]
LeaveChoice = Annotated[
    bool | None,
    typer.Option("--images-may-leave/--images-stay", help="Whether images may be sent to a model elsewhere."),
]
