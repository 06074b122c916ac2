"""Look again at each box a model drew: crop it with a margin and ask whether the flaw is there.

Boxes that fail are dropped or scored down. Knows no endpoint and no score formula.
"""

from __future__ import annotations

from dataclasses import dataclass

from review_copilot.domain.guideline import Guideline
from review_copilot.domain.image import ReviewImage
from review_copilot.domain.suggestion import Finding, Usage
from review_copilot.errors import ModelMalformed
from review_copilot.inspectors.chat import Chat, Question, Schema
from review_copilot.inspectors.coordinates import Resize
from review_copilot.inspectors.prompt import PromptTemplates, second_look_prompt
from review_copilot.inspectors.reply import ReplyProblem, checked_object, closed_object, whole_number
from review_copilot.inspectors.views import part_view

_MARGIN = 0.4
_LEAST_CROP_PX = 160
_MAX_TOKENS = 300
_SYSTEM = "You check the findings of an image review, one at a time, and you are hard to convince."


@dataclass(frozen=True, slots=True)
class Look:
    """What the second look saw.

    Attributes:
        visible: Whether the flaw is there.
        sure: How sure, 0..1; one half when the model did not say.
        usage: What it cost.
    """

    visible: bool
    sure: float
    usage: Usage


def look_schema() -> Schema:
    """The schema of the answer."""
    return closed_object(
        {
            "reason": {"type": "string", "maxLength": 240},
            "visible": {"type": "boolean"},
            "sure": whole_number(0, 100),
        }
    )


def look_again(
    chat: Chat,
    finding: Finding,
    *,
    image: ReviewImage,
    guideline: Guideline,
    templates: PromptTemplates,
    grid: Resize,
    deadline_s: float,
) -> Look:
    """Ask whether a finding's flaw is visible in its box.

    Args:
        chat: Whom to ask.
        finding: With a box.
        image: The image.
        guideline: Says what the criterion means.
        templates: The words.
        grid: The sizes that the model takes.
        deadline_s: Seconds that this may take.

    Raises:
        ValueError: The finding has no box.
        InspectorError: No answer was received.
        ImageError: The image cannot be decoded.
    """
    if finding.box is None:
        raise ValueError("a finding without a box cannot be looked at again")
    schema = look_schema()
    question = Question(
        system=_SYSTEM,
        user=second_look_prompt(
            templates,
            guideline=guideline,
            criterion_id=finding.criterion_id,
            claim=finding.rationale,
            schema=schema,
        ),
        views=(part_view(image, finding.box, grid=grid, margin=_MARGIN, least_px=_LEAST_CROP_PX),),
        schema_name="second_look",
        schema=schema,
        max_tokens=_MAX_TOKENS,
        deadline_s=deadline_s,
    )
    answer = chat.ask(question)
    try:
        said = checked_object(answer.text, schema)
    except ReplyProblem as problem:
        raise ModelMalformed(f"The second look was not answered in the asked form: {problem}.") from problem
    sure = said["sure"]
    share = min(100, max(0, sure)) / 100 if isinstance(sure, int) and not isinstance(sure, bool) else 0.5
    return Look(visible=said["visible"] is True, sure=share, usage=answer.usage)
