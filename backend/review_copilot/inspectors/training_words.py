"""What a model would be asked about a whole image, and how it would write its boxes, for training examples.

The words come from the templates that the inspectors use. A training example shows one picture, so it does not mention
close-ups; a model trained on it is asked without them (`REVIEW_COPILOT_MODEL_CLOSE_UPS=0`). Knows no log and no image.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from review_copilot.domain.geometry import Box
from review_copilot.domain.guideline import Guideline
from review_copilot.inspectors.assembly import profile_of
from review_copilot.inspectors.coordinates import Resize, Unit
from review_copilot.inspectors.options import ModelSetup
from review_copilot.inspectors.prompt import PromptTemplates, system_prompt, whole_image_prompt
from review_copilot.inspectors.reply import ReplyForm


@dataclass(frozen=True, slots=True)
class TrainingWords:
    """The words of a guideline for one model family.

    Attributes:
        templates: The prompt templates.
        form: The reply that is asked for.
        grid: The sizes at which the family is sent images.
    """

    templates: PromptTemplates
    form: ReplyForm
    grid: Resize

    @property
    def box_key(self) -> str:
        """What a box is called in the reply."""
        return self.form.box_key

    def system(self) -> str:
        """The words that all examples share.

        Raises:
            PromptError: The template is wrong.
        """
        return system_prompt(self.templates, self.form)

    def user(self, *, width_px: int, height_px: int) -> str:
        """The words of one image of the given size.

        Raises:
            PromptError: The template is wrong.
            ValueError: The family cannot be shown an image of this shape.
        """
        sent_width_px, sent_height_px = self.grid.size(width_px, height_px)
        return whole_image_prompt(self.templates, width_px=sent_width_px, height_px=sent_height_px)

    def write_box(self, box: Box, *, width_px: int, height_px: int) -> Sequence[float]:
        """A box as the family writes it, of an image of the given size; whole numbers unless it writes fractions.

        Raises:
            ValueError: The family cannot be shown an image of this shape.
        """
        sent_width_px, sent_height_px = self.grid.size(width_px, height_px)
        numbers = self.form.convention.from_box(box, width_px=sent_width_px, height_px=sent_height_px)
        return numbers if self.form.convention.unit is Unit.FRACTION else [round(number) for number in numbers]


def training_words(setup: ModelSetup, guideline: Guideline) -> TrainingWords:
    """The words for the model of the setup; common defaults where no model is set.

    Raises:
        LibraryError: A profile file is wrong.
    """
    profile = profile_of(setup)
    return TrainingWords(
        templates=PromptTemplates(
            system=setup.system_prompt, user=setup.user_prompt, second_look=setup.second_look_prompt
        ),
        form=ReplyForm(guideline, profile.convention, profile.box_key),
        grid=profile.grid,
    )
