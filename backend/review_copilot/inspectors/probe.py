"""Find out how a model writes boxes: draw shapes at known places, ask, and fit each convention.

Knows a `Chat` and no endpoint. The pictures are several sizes and aspect ratios, because conventions that agree on a
square differ on a strip. Nothing is believed above an error of 3 % of the picture.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from review_copilot.domain.geometry import Box
from review_copilot.errors import ModelMalformed
from review_copilot.inspectors.chat import Chat, Question, Schema
from review_copilot.inspectors.coordinates import Convention, Order, Resize, Unit
from review_copilot.inspectors.profiles import Profile
from review_copilot.inspectors.reading.boxes import read_box
from review_copilot.inspectors.reading.fields import Unreadable
from review_copilot.inspectors.reply import ReplyProblem, checked_object, closed_object
from review_copilot.inspectors.views import View

MOST_ERROR = 0.03
"""Mean distance between the edges asked for and answered, as a fraction of the picture, that is still believed."""
_LEAST_ANSWERS = 6
_SIZES = ((1000, 1000), (1280, 640), (448, 1120), (900, 700))
_COLORS = {"red": (214, 40, 40), "blue": (33, 80, 200), "green": (30, 150, 60)}
_FRAMES = (
    Resize(),
    *(
        Resize(factor=factor, min_pixels=least, max_pixels=most)
        for factor in (14, 28, 32)
        for least in (0, 3136, 65536)
        for most in (0, 200704, 501760, 602112, 1003520, 1048576, 1605632)
    ),
    *(Resize(longest_px=longest) for longest in (448, 512, 640, 672, 768, 896, 1024, 1092)),
    *(Resize(longest_px=2048, shortest_px=shortest) for shortest in (512, 672, 768)),
    *(Resize(square_px=side) for side in (224, 336, 384, 448, 512, 560, 640, 672, 768, 896, 1024)),
)
"""Sizes that servers are known to bring pictures to, without a word about it."""


@dataclass(frozen=True, slots=True)
class Target:
    """One shape in one picture.

    Attributes:
        view: The picture.
        color: Which shape is asked for.
        box: Where it is, in fractions.
    """

    view: View
    color: str
    box: Box


@dataclass(frozen=True, slots=True)
class Fit:
    """How well a convention explains the answers.

    Attributes:
        convention: The convention.
        error: Mean distance of the edges as a fraction of the picture.
    """

    convention: Convention
    error: float


@dataclass(frozen=True, slots=True)
class ProbeReport:
    """What a probe found.

    Attributes:
        fits: Conventions with their error, the best first, at most five.
        answered: How many of the questions were answered with numbers.
        asked: How many questions.
        failures: Why the others were not, each reason once.
    """

    fits: tuple[Fit, ...]
    answered: int
    asked: int
    failures: tuple[str, ...] = ()

    @property
    def best(self) -> Fit:
        """The convention to use."""
        return self.fits[0]

    def profile(self, base: Profile, *, model: str) -> Profile:
        """A profile for the model, with what was found put over what was known of its family."""
        exact = f"^{re.escape(model)}$"
        return replace(
            base,
            name=f"probed-{model}",
            match=exact,
            convention=self.best.convention,
            known=True,
            source=f"probe, off by {self.best.error:.2%} of the picture",
        )


def targets() -> tuple[Target, ...]:
    """The pictures and shapes that a probe asks about: no shape is its own mirror image or on a diagonal."""
    places = (Box(0.08, 0.15, 0.18, 0.12), Box(0.55, 0.22, 0.3, 0.16), Box(0.3, 0.66, 0.14, 0.26))
    made = []
    for width_px, height_px in _SIZES:
        pixels = np.full((height_px, width_px, 3), 235, np.uint8)
        snapped = []
        for (color, rgb), place in zip(_COLORS.items(), places, strict=True):
            x, y, w, h = place.to_pixels(image_width_px=width_px, image_height_px=height_px)
            left, top, right, bottom = round(x), round(y), round(x + w), round(y + h)
            cv2.rectangle(pixels, (left, top), (right - 1, bottom - 1), rgb, thickness=-1)
            size = {"image_width_px": width_px, "image_height_px": height_px}
            snapped.append((color, Box.from_pixels(left, top, right - left, bottom - top, **size)))
        view = View(pixels)
        made += [Target(view, color, box) for color, box in snapped]
    return tuple(made)


def probe(chat: Chat, *, profile: Profile, deadline_s: float | None = None) -> ProbeReport:
    """Ask a model where shapes are and find the convention of its answers.

    Args:
        chat: The model.
        profile: What is thought of its family: names the box in the reply.
        deadline_s: Seconds for each question; None for the chat's own limit.

    Raises:
        ModelMalformed: Too few answers held numbers, or no convention explains them within `MOST_ERROR`.
        InspectorError: The model could not be asked at all.
    """
    answers: list[tuple[Target, tuple[float, ...]]] = []
    failures: list[str] = []
    asked = targets()
    for target in asked:
        question = _question(target, profile, deadline_s)
        try:
            written = read_box(checked_object(chat.ask(question).text, question.schema)[profile.box_key])
            if written is None:
                raise Unreadable("empty")
            answers.append((target, written.numbers))
        except (ReplyProblem, ModelMalformed) as problem:
            failures.append(str(problem))
        except ValueError as problem:
            failures.append(f"a box was {problem}")
    if len(answers) < _LEAST_ANSWERS:
        why = f" ({failures[0]})" if failures else ""
        raise ModelMalformed(
            f"Only {len(answers)} of {len(asked)} questions were answered with a box{why}.",
            hint="The model may not draw boxes; choose one that does.",
        )
    fits = fit(answers)
    if fits[0].error > MOST_ERROR:
        best = fits[0]
        raise ModelMalformed(
            f"No convention explains the model's boxes: the nearest, {describe(best.convention)}, is off by "
            f"{best.error:.1%} of the picture, and {MOST_ERROR:.0%} is the most that is believed.",
            hint="Check that no server or proxy resizes the pictures; or choose a model that draws boxes.",
        )
    return ProbeReport(fits[:5], len(answers), len(asked), tuple(dict.fromkeys(failures)))


def fit(answers: Sequence[tuple[Target, tuple[float, ...]]]) -> tuple[Fit, ...]:
    """All conventions by how well they explain the answers, the best first; the simpler one wins a tie."""
    fits = [Fit(convention, _error(convention, answers)) for convention in _candidates()]
    return tuple(sorted(fits, key=lambda one: round(one.error, 4)))


def describe(convention: Convention) -> str:
    """A convention in a few words."""
    frame = convention.frame
    scaled = "" if frame == Resize() or convention.unit is not Unit.PIXELS else f" of the picture resized by {frame}"
    return f"{convention.unit.value}{scaled}, {convention.order.value}"


def _candidates() -> tuple[Convention, ...]:
    orders = (Order.XYXY, Order.YXYX, Order.XYWH, Order.YXHW)
    units = (Unit.THOUSANDTHS, Unit.FRACTION, Unit.PERCENT, Unit.BINS_1024)
    plain = [Convention(unit, order) for unit, order in itertools.product(units, orders)]
    pixels = [Convention(Unit.PIXELS, order, frame) for frame, order in itertools.product(_FRAMES, orders)]
    return (*plain, *pixels)


def _error(convention: Convention, answers: Sequence[tuple[Target, tuple[float, ...]]]) -> float:
    """Mean distance of the four edges, each answer's counted as at most one picture.

    The worst tenth of the answers is left out: a model that once names another shape has not changed its convention.
    """
    distances = sorted(_distance(convention, target, numbers) for target, numbers in answers)
    kept = distances[: len(distances) - len(distances) // 10]
    return sum(kept) / len(kept)


def _distance(convention: Convention, target: Target, numbers: tuple[float, ...]) -> float:
    """Mean distance of the four edges of one answer, as a fraction of the picture; 1 where it is no box."""
    try:
        box = convention.to_box(numbers, width_px=target.view.width_px, height_px=target.view.height_px)
    except ValueError:
        return 1.0
    edges = (box.x - target.box.x, box.y - target.box.y, box.right - target.box.right)
    return min(1.0, (sum(map(abs, edges)) + abs(box.bottom - target.box.bottom)) / 4)


def _question(target: Target, profile: Profile, deadline_s: float | None) -> Question:
    return Question(
        system="You are shown a picture with colored rectangles and asked where one of them is.",
        user=(
            f"Where is the {target.color} rectangle? Answer with one JSON object that holds its box in the form you "
            f'know best, tightly around it: {{"{profile.box_key}": [four numbers]}}.'
        ),
        views=(target.view,),
        schema_name="place",
        schema=_schema(profile),
        max_tokens=200,
        deadline_s=deadline_s,
    )


def _schema(profile: Profile) -> Schema:
    numbers = {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 4}
    return closed_object({profile.box_key: numbers})
