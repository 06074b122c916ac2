"""The words that a model is sent, from Jinja templates that are handed in as text.

Static words first (role, guideline, style, schema, example), the task's own words and pictures last, so that a
provider's prompt cache hits. Whatever comes from a task is data: written as JSON strings, which cannot end the place
they stand in. Knows no file and no endpoint.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError, UndefinedError
from jinja2.sandbox import SandboxedEnvironment

from review_copilot.domain.guideline import UNCOVERED, Criterion, Guideline, Severity, Verdict
from review_copilot.domain.suggestion import Brief, Finding
from review_copilot.errors import PromptError
from review_copilot.inspectors.reply import ReplyForm
from review_copilot.inspectors.views import View

MOST_DATA_LETTERS = 2000
"""Longest text of a task that is shown to a model; the rest is cut, and the cut is marked."""


@dataclass(frozen=True, slots=True)
class PromptTemplates:
    """The three templates, as text.

    Attributes:
        system: `inspect.system.md.j2`: given `guideline`, `severities`, `verdicts`, `uncovered`, `box_words`,
            `box_key`, `close_ups`, `measured`, `schema` (sent beside the words, so the shipped template leaves it out),
            `example`, `clean_example`, `says_numbers`.
        user: `inspect.user.md.j2`: given `pictures`, `reference`, `prompt`, `data`, `evidence`, `part`.
        second_look: `second_look.md.j2`: given `criterion` (None for a novel pattern), `novel`, `claim`, `schema`.
    """

    system: str
    user: str
    second_look: str

    @property
    def hash(self) -> str:
        """Hash of the three, 12 hex digits."""
        return hashlib.sha256(f"{self.system}\0{self.user}\0{self.second_look}".encode()).hexdigest()[:12]


def system_prompt(templates: PromptTemplates, form: ReplyForm) -> str:
    """The static words for a guideline: the same for every task.

    Raises:
        PromptError: The template is wrong or asks for a variable that it is not given.
    """
    return _render(
        templates.system,
        name="inspect.system.md.j2",
        values={
            "guideline": form.guideline,
            "severities": tuple(Severity),
            "verdicts": tuple(Verdict),
            "uncovered": UNCOVERED,
            "box_words": form.convention.words,
            "box_key": form.box_key,
            "close_ups": form.close_ups,
            "measured": form.measured,
            "schema": json.dumps(form.schema),
            "example": form.example(),
            "clean_example": form.clean_example(),
            "says_numbers": says_numbers,
        },
    )


def user_prompt(
    templates: PromptTemplates, *, brief: Brief, views: Sequence[View], evidence: Sequence[Finding] = ()
) -> str:
    """The words of one task: what the pictures show, the task's own text as data, what was measured.

    Raises:
        PromptError: The template is wrong or asks for a variable that it is not given.
    """
    return _render(
        templates.user,
        name="inspect.user.md.j2",
        values={
            "pictures": tuple(_picture(number, view, brief) for number, view in enumerate(views, start=1)),
            "reference": any(view.reference for view in views),
            "prompt": as_data(brief.prompt) if brief.prompt else "",
            "data": {as_data(key): as_data(value) for key, value in sorted(brief.task_data.items()) if value},
            "evidence": tuple(_measured(finding, brief.guideline) for finding in evidence),
            "part": brief.box is not None,
        },
    )


def whole_image_prompt(templates: PromptTemplates, *, width_px: int, height_px: int) -> str:
    """The words of a task of which nothing is known but its image, sent whole at the given size.

    Raises:
        PromptError: The template is wrong or asks for a variable that it is not given.
    """
    picture = _whole_picture(1, f"{width_px} x {height_px} px")
    values = {"pictures": (picture,), "prompt": "", "data": {}, "evidence": (), "part": False, "reference": False}
    return _render(templates.user, name="inspect.user.md.j2", values=values)


def second_look_prompt(
    templates: PromptTemplates, *, guideline: Guideline, criterion_id: str, claim: str, schema: Mapping[str, object]
) -> str:
    """The words of a second look at one box.

    Raises:
        PromptError: The template is wrong or asks for a variable that it is not given.
    """
    criterion: Criterion | None = guideline.criterion(criterion_id)
    return _render(
        templates.second_look,
        name="second_look.md.j2",
        values={
            "criterion": criterion,
            "novel": guideline.novel,
            "claim": as_data(claim),
            "schema": json.dumps(schema),
        },
    )


def as_data(text: str) -> str:
    """A text as one JSON string on one line, free of angle brackets and back quotes: it cannot end a block or a tag."""
    cut = text if len(text) <= MOST_DATA_LETTERS else text[:MOST_DATA_LETTERS] + " [cut]"
    written = json.dumps(cut, ensure_ascii=False)
    return "".join(letter if _harmless(letter) else _escaped(letter) for letter in written)


def _harmless(letter: str) -> bool:
    return letter.isprintable() and letter not in "<>`"


def _escaped(letter: str) -> str:
    return f"\\u{ord(letter):04x}" if letter in "<>`" else json.dumps(letter)[1:-1]


def says_numbers(text: str) -> bool:
    """Whether a text shows numbers that only a measurement gives, such as "3 px" or "JPEG quality 15"."""
    return _MEASURED_NUMBER.search(text) is not None


_MEASURED_NUMBER = re.compile(
    r"\d\s*(?:px|pixels?|%|percent|stops?|degrees?|°|levels?|units?|times|dpi|lab)|(?:quality|about|over|by)\s+\d",
    re.IGNORECASE,
)


def _whole_picture(number: int, size: str) -> str:
    return f"Picture {number}: the whole image, {size}."


def _picture(number: int, view: View, brief: Brief) -> str:
    size = f"{view.width_px} x {view.height_px} px"
    shown = brief.reference if view.reference and brief.reference is not None else brief.image
    original = f"{shown.width_px} x {shown.height_px} px"
    if view.whole:
        reduced = size if size == original else f"{size} (the original has {original})"
        if view.reference:
            return (
                f"Picture {number}: the reference, what the image should look like, {reduced}. It is not under review."
            )
        return _whole_picture(number, reduced)
    which = "the same part of the reference" if view.reference else "a part of the image"
    return (
        f"Picture {number}: {which}, {size}, from {view.box.x:.0%} to {view.box.right:.0%} across "
        f"and {view.box.y:.0%} to {view.box.bottom:.0%} down."
    )


def _measured(finding: Finding, guideline: Guideline) -> str:
    place = "the whole image"
    if finding.box is not None:
        box = finding.box
        place = f"{box.x:.0%} to {box.right:.0%} across, {box.y:.0%} to {box.bottom:.0%} down"
    facts = ", ".join(f"{name} {_figure(value)}" for name, value in finding.evidence.items())
    label = guideline.label_of(finding.criterion_id)
    return f"{finding.criterion_id} {label}, {finding.severity.value}, {place}" + (f" ({facts})" if facts else "")


def _figure(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


@lru_cache(maxsize=16)
def _compiled(source: str) -> Template:
    environment = SandboxedEnvironment(
        undefined=StrictUndefined,
        autoescape=False,  # the words go to a model, not to a browser
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.from_string(source)


def _render(source: str, *, name: str, values: Mapping[str, object]) -> str:
    try:
        return _compiled(source).render(values).strip()
    except UndefinedError as error:
        raise PromptError(
            f"{name} asks for a variable that it is not given: {error}.", hint=f"It may use {', '.join(values)}."
        ) from error
    except TemplateError as error:
        line = f", line {error.lineno}" if isinstance(error, TemplateSyntaxError) else ""
        raise PromptError(f"{name}{line} is no working template: {error}.") from error
