"""Options of several commands that choose a project and its setup."""

from __future__ import annotations

from typing import Annotated

import typer

ProjectOption = Annotated[int, typer.Option("--project", help="Project id in Label Studio.")]
GuidelineChoice = Annotated[
    str | None, typer.Option("--guideline", help="Built-in guideline, or the path of a YAML file.")
]
InspectorChoice = Annotated[str | None, typer.Option("--inspector", help="Inspector that drafts the project's tasks.")]
ModelChoice = Annotated[
    str | None, typer.Option("--model", help="Name of a model connection in the file REVIEW_COPILOT_MODELS.")
]
MinScoreChoice = Annotated[
    float | None, typer.Option("--min-score", min=0, max=1, help="Drop suggestions with a lower score.")
]
SecondLookChoice = Annotated[
    bool | None, typer.Option("--second-look/--no-second-look", help="Ask the model to check each box again.")
]
BlindShareChoice = Annotated[
    float | None,
    typer.Option("--blind-share", min=0, max=1, help="Share of tasks whose drafts are stored but not shown."),
]
LeaveChoice = Annotated[
    bool | None,
    typer.Option("--images-may-leave/--images-stay", help="Whether images may be sent to a model on another machine."),
]
